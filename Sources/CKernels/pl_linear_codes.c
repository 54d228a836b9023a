// Dense layers in 8 bits: unsigned codes of rows times signed codes of weights, added up in integers.
#include "pl_linear.h"
#include "pl_linear_internal.h"
#include "pl_scan.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define PL_TARGET_AVX2 __attribute__((target("avx2,fma")))
#define PL_TARGET_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma")))
#endif

// --- Plain C ---

static void pl_linear_i8_portable(const pl_linear_rows *x, size_t rows, const pl_linear_codes *w, size_t panel,
                                  const float *bias, float *out, size_t out_stride) {
    const size_t steps = (w->inputs + 3) / 4;
    const int8_t *packed = w->packed + panel * steps * 4;
    for (size_t r = 0; r < rows; r++) {
        const uint8_t *codes = x->codes + r * x->stride;
        int32_t sums[PL_LINEAR_PANEL] = {0};
        for (size_t i = 0; i < steps * 4; i += 4) {
            const int8_t *four = packed + i * PL_LINEAR_PANEL;
            for (size_t o = 0; o < PL_LINEAR_PANEL; o++) {
                sums[o] += codes[i] * four[4 * o] + codes[i + 1] * four[4 * o + 1] + codes[i + 2] * four[4 * o + 2] +
                           codes[i + 3] * four[4 * o + 3];
            }
        }
        for (size_t o = 0; o < PL_LINEAR_PANEL; o++) {
            float value = x->scales[r] * (float)sums[o] + x->lows[r] * w->sums[panel + o];
            out[r * out_stride + o] = value * w->scales[panel + o] + (bias ? bias[panel + o] : 0.0f);
        }
    }
}

#if defined(__x86_64__)
// --- AVX2: codes widened to 16 bits, where the sum of two products is exact; one row and sixteen outputs ---

PL_TARGET_AVX2
static inline void pl_linear_store_avx2(float *out, __m256i sums, float scale, float low, const float *column_sums,
                                        const float *column_scales, const float *bias) {
    __m256 value = _mm256_mul_ps(_mm256_set1_ps(low), _mm256_loadu_ps(column_sums));
    value = _mm256_fmadd_ps(_mm256_set1_ps(scale), _mm256_cvtepi32_ps(sums), value);
    __m256 shift = bias ? _mm256_loadu_ps(bias) : _mm256_setzero_ps();
    _mm256_storeu_ps(out, _mm256_fmadd_ps(value, _mm256_loadu_ps(column_scales), shift));
}

PL_TARGET_AVX2
static void pl_linear_i8_avx2(const pl_linear_rows *x, size_t rows, const pl_linear_codes *w, size_t panel,
                              const float *bias, float *out, size_t out_stride) {
    const size_t steps = (w->inputs + 3) / 4;
    const int8_t *packed = w->packed + panel * steps * 4;
    for (size_t column = 0; column < PL_LINEAR_PANEL; column += 16) {
        for (size_t r = 0; r < rows; r += 2) {
            // A row that is lacking repeats the last one.
            const size_t second = r + 1 < rows ? r + 1 : r;
            const uint8_t *row[2] = {x->codes + r * x->stride, x->codes + second * x->stride};
            __m256i sums[2][4];
            for (int k = 0; k < 4; k++) sums[0][k] = sums[1][k] = _mm256_setzero_si256();
            for (size_t i = 0; i < steps; i++) {
                const int8_t *four = packed + (i * PL_LINEAR_PANEL + column) * 4;
                __m256i weights[4];
#pragma GCC unroll 4
                for (int k = 0; k < 4; k++)
                    weights[k] = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(four + 16 * k)));
#pragma GCC unroll 2
                for (int j = 0; j < 2; j++) {
                    int32_t codes;
                    memcpy(&codes, row[j] + 4 * i, 4);
                    __m256i wide = _mm256_cvtepu8_epi16(_mm_set1_epi32(codes));
#pragma GCC unroll 4
                    for (int k = 0; k < 4; k++)
                        sums[j][k] = _mm256_add_epi32(sums[j][k], _mm256_madd_epi16(weights[k], wide));
                }
            }
            for (size_t j = 0; j < 2 && r + j < rows; j++) {
                for (size_t half = 0; half < 2; half++) {
                    // Neighbours are the two halves of one output.
                    __m256i pairs = _mm256_hadd_epi32(sums[j][2 * half], sums[j][2 * half + 1]);
                    const size_t o = panel + column + 8 * half;
                    pl_linear_store_avx2(out + (r + j) * out_stride + column + 8 * half,
                                         _mm256_permute4x64_epi64(pairs, 0xD8), x->scales[r + j], x->lows[r + j],
                                         w->sums + o, w->scales + o, bias ? bias + o : 0);
                }
            }
        }
    }
}

// --- AVX-512 VNNI: R rows and the 48 outputs of a panel in registers ---

#define PL_TILE_VNNI(R)                                                                                                \
    PL_TARGET_VNNI                                                                                                     \
    static void pl_linear_tile_vnni_##R(const pl_linear_rows *x, size_t first, const pl_linear_codes *w, size_t panel, \
                                        const float *bias, float *out, size_t out_stride, const int8_t *ahead) {       \
        const size_t steps = (w->inputs + 3) / 4;                                                                      \
        const int8_t *packed = w->packed + panel * steps * 4;                                                          \
        const uint8_t *codes = x->codes + first * x->stride;                                                           \
        __m512i sums[R][3];                                                                                            \
        _Pragma("clang loop unroll(full)") for (int r = 0; r < R; r++)                                                 \
            sums[r][0] = sums[r][1] = sums[r][2] = _mm512_setzero_si512();                                             \
        for (size_t i = 0; i < steps; i++) {                                                                           \
            const int8_t *four = packed + i * PL_LINEAR_PANEL * 4;                                                     \
            __m512i w0 = _mm512_loadu_si512(four), w1 = _mm512_loadu_si512(four + 64);                                 \
            __m512i w2 = _mm512_loadu_si512(four + 128);                                                               \
            if (ahead) {                                                                                               \
                _mm_prefetch((const char *)(ahead + i * 192), _MM_HINT_T1);                                            \
                _mm_prefetch((const char *)(ahead + i * 192 + 64), _MM_HINT_T1);                                       \
                _mm_prefetch((const char *)(ahead + i * 192 + 128), _MM_HINT_T1);                                      \
            }                                                                                                          \
            _Pragma("clang loop unroll(full)") for (int r = 0; r < R; r++) {                                           \
                int32_t value;                                                                                         \
                memcpy(&value, codes + (size_t)r * x->stride + 4 * i, 4);                                              \
                __m512i u = _mm512_set1_epi32(value);                                                                  \
                sums[r][0] = _mm512_dpbusd_epi32(sums[r][0], u, w0);                                                   \
                sums[r][1] = _mm512_dpbusd_epi32(sums[r][1], u, w1);                                                   \
                sums[r][2] = _mm512_dpbusd_epi32(sums[r][2], u, w2);                                                   \
            }                                                                                                          \
        }                                                                                                              \
        _Pragma("clang loop unroll(full)") for (int k = 0; k < 3; k++) {                                               \
            const size_t o = panel + 16 * k;                                                                           \
            const __m512 column_sums = _mm512_loadu_ps(w->sums + o), column_scales = _mm512_loadu_ps(w->scales + o);   \
            const __m512 shift = bias ? _mm512_loadu_ps(bias + o) : _mm512_setzero_ps();                               \
            _Pragma("clang loop unroll(full)") for (int r = 0; r < R; r++) {                                           \
                __m512 value = _mm512_mul_ps(_mm512_set1_ps(x->lows[first + r]), column_sums);                         \
                value = _mm512_fmadd_ps(_mm512_set1_ps(x->scales[first + r]), _mm512_cvtepi32_ps(sums[r][k]), value);  \
                _mm512_storeu_ps(out + (size_t)r * out_stride + 16 * k, _mm512_fmadd_ps(value, column_scales, shift)); \
            }                                                                                                          \
        }                                                                                                              \
    }
PL_TILE_VNNI(1)
PL_TILE_VNNI(2)
PL_TILE_VNNI(3)
PL_TILE_VNNI(4)
PL_TILE_VNNI(5)
PL_TILE_VNNI(6)
PL_TILE_VNNI(7)
PL_TILE_VNNI(8)

typedef void (*pl_linear_tile_vnni)(const pl_linear_rows *x, size_t first, const pl_linear_codes *w, size_t panel,
                                    const float *bias, float *out, size_t out_stride, const int8_t *ahead);

static const pl_linear_tile_vnni pl_linear_tiles_vnni[] = {
    pl_linear_tile_vnni_1, pl_linear_tile_vnni_2, pl_linear_tile_vnni_3, pl_linear_tile_vnni_4,
    pl_linear_tile_vnni_5, pl_linear_tile_vnni_6, pl_linear_tile_vnni_7, pl_linear_tile_vnni_8};

static void pl_linear_i8_vnni(const pl_linear_rows *x, size_t rows, const pl_linear_codes *w, size_t panel,
                              const float *bias, float *out, size_t out_stride) {
    // The panel that comes next is fetched while the first rows meet this one.
    const size_t bytes = (w->inputs + 3) / 4 * 4 * PL_LINEAR_PANEL;
    const int8_t *ahead = panel + PL_LINEAR_PANEL < w->outputs ? w->packed + panel / PL_LINEAR_PANEL * bytes + bytes : 0;
    for (size_t r = 0; r < rows; r += 8) {
        size_t height = rows - r < 8 ? rows - r : 8;
        pl_linear_tiles_vnni[height - 1](x, r, w, panel, bias, out + r * out_stride, out_stride, r == 0 ? ahead : 0);
    }
}
#endif

void pl_linear_i8(int isa, const pl_linear_rows *x, size_t rows, const pl_linear_codes *weights, const float *bias,
                  int activation, float *out, size_t out_stride) {
    if (isa == PL_ISA_BEST) isa = pl_isa_best();
    void (*panel)(const pl_linear_rows *, size_t, const pl_linear_codes *, size_t, const float *, float *, size_t) =
        pl_linear_i8_portable;
#if defined(__x86_64__)
    if (isa == PL_ISA_AVX2 || isa == PL_ISA_AVX512) panel = pl_linear_i8_avx2;
    if (isa == PL_ISA_AVX512 && __builtin_cpu_supports("avx512vnni")) panel = pl_linear_i8_vnni;
#endif
    for (size_t o = 0; o < weights->outputs; o += PL_LINEAR_PANEL) {
        panel(x, rows, weights, o, bias, out + o, out_stride);
        if (activation != PL_LINEAR_PLAIN) pl_linear_activate(isa, activation, out + o, out_stride, rows);
    }
}
