#include "pl_codes.h"

#include <math.h>

#include "pl_codes_internal.h"
#include "pl_scan.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#endif

// --- One row ---

static int32_t pl_codes_product_portable(const int16_t *values, size_t dimension, const uint8_t *u, uint8_t mask) {
    int32_t sum = 0;
    for (size_t i = 0; i < dimension; i++) sum += (int32_t)values[i] * ((int32_t)(u[i] & mask) - 128);
    return sum;
}

#if defined(__x86_64__)
PL_TARGET_AVX2
static int32_t pl_codes_product_avx2(const int16_t *values, size_t dimension, const uint8_t *u, uint8_t mask) {
    const __m256i middle = _mm256_set1_epi16(128);
    const __m128i kept = _mm_set1_epi8((char)mask);
    __m256i a = _mm256_setzero_si256(), b = a;
    for (size_t i = 0; i < dimension; i += 32) {
        __m256i x = _mm256_cvtepu8_epi16(_mm_and_si128(kept, _mm_loadu_si128((const __m128i *)(u + i))));
        __m256i y =
            _mm256_cvtepu8_epi16(_mm_and_si128(kept, _mm_loadu_si128((const __m128i *)(u + i + 16))));
        __m256i v = _mm256_loadu_si256((const __m256i *)(values + i));
        __m256i w = _mm256_loadu_si256((const __m256i *)(values + i + 16));
        a = _mm256_add_epi32(a, _mm256_madd_epi16(_mm256_sub_epi16(x, middle), v));
        b = _mm256_add_epi32(b, _mm256_madd_epi16(_mm256_sub_epi16(y, middle), w));
    }
    a = _mm256_add_epi32(a, b);
    __m128i c = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    c = _mm_add_epi32(c, _mm_shuffle_epi32(c, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(c, _mm_shuffle_epi32(c, 0xB1)));
}

// Σ v·u of four rows, in order. The lanes may wrap on the way: the sum of all is exact modulo 2³², and fits less `offset`.
PL_TARGET_AVX2
static inline __attribute__((always_inline)) __m128i pl_codes_four_avx2(const pl_codes_query *q,
                                                                        const uint8_t *const u[4], pl_codes_bits bits) {
    const __m128i seven = _mm_set1_epi8(7);
    __m256i sums[4];
    for (size_t r = 0; r < 4; r++) sums[r] = _mm256_setzero_si256();
    for (size_t i = 0; i < q->dimension; i += 16) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)(q->values + i));
#pragma GCC unroll 4
        for (size_t r = 0; r < 4; r++) {
            __m128i x = _mm_loadu_si128((const __m128i *)(u[r] + i));
            if (bits == PL_BITS_LOWER) x = _mm_and_si128(x, seven);
            sums[r] = _mm256_add_epi32(sums[r], _mm256_madd_epi16(_mm256_cvtepu8_epi16(x), v));
        }
    }
    __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32(sums[0], sums[1]), _mm256_hadd_epi32(sums[2], sums[3]));
    return _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
}

PL_TARGET_AVX2
static inline int32_t pl_codes_one_avx2(const pl_codes_query *q, const uint8_t *u, uint8_t mask) {
    int32_t sum = pl_codes_product_avx2(q->values, q->dimension, u, mask);
    return mask == 0xFF ? sum : (int32_t)((uint32_t)sum + (uint32_t)q->offset);
}

// 128·high + low, summed by lane. The lanes may wrap on the way: the sum of all is exact modulo 2³², and fits.
PL_TARGET_VNNI
static inline __m512i pl_codes_lanes_vnni(const pl_codes_query *q, const uint8_t *u, __m512i mask) {
    __m512i high = _mm512_setzero_si512(), low = high;
    for (size_t i = 0; i < q->dimension; i += 64) {
        __m512i x = _mm512_and_si512(mask, _mm512_loadu_si512(u + i));
        high = _mm512_dpbusd_epi32(high, x, _mm512_loadu_si512(q->high + i));
        low = _mm512_dpbusd_epi32(low, x, _mm512_loadu_si512(q->low + i));
    }
    return _mm512_add_epi32(_mm512_slli_epi32(high, 7), low);
}

// Σ v·u of four rows, in order.
PL_TARGET_VNNI
static inline __attribute__((always_inline)) __m128i pl_codes_four_vnni(const pl_codes_query *q,
                                                                        const uint8_t *const u[4], pl_codes_bits bits) {
    const __m512i seven = _mm512_set1_epi8(7);
    __m512i h[4], l[4];
    for (size_t r = 0; r < 4; r++) h[r] = l[r] = _mm512_setzero_si512();
    for (size_t i = 0; i < q->dimension; i += 64) {
        __m512i high = _mm512_loadu_si512(q->high + i), low = _mm512_loadu_si512(q->low + i);
#pragma GCC unroll 4
        for (size_t r = 0; r < 4; r++) {
            __m512i x = _mm512_loadu_si512(u[r] + i);
            if (bits == PL_BITS_LOWER) x = _mm512_and_si512(x, seven);
            h[r] = _mm512_dpbusd_epi32(h[r], x, high);
            l[r] = _mm512_dpbusd_epi32(l[r], x, low);
        }
    }
    for (size_t r = 0; r < 4; r++) h[r] = _mm512_add_epi32(_mm512_slli_epi32(h[r], 7), l[r]);
    return pl_codes_fold(h[0], h[1], h[2], h[3]);
}

PL_TARGET_VNNI
static inline int32_t pl_codes_product_vnni(const pl_codes_query *q, const uint8_t *u, uint8_t mask) {
    uint32_t sum = (uint32_t)_mm512_reduce_add_epi32(pl_codes_lanes_vnni(q, u, _mm512_set1_epi8((char)mask)));
    return (int32_t)(mask == 0xFF ? sum - (uint32_t)q->offset : sum);
}

// The bounds of four rows at a time, and of those left over one by one. `which` null: consecutive rows.
// four(q, u, bits): Σ v·u of the rows whose codes are at u[0 … 3]; one(q, u, mask): Σ v·(u & mask), less `offset` where
// all bits are read.
#define PL_CODES_ANY_BOUNDS(target, name, four, one)                                                                   \
    target static inline __attribute__((always_inline)) void name(                                                     \
        const pl_codes_query *q, pl_codes_bits bits, const uint8_t *codes, const pl_codes_row *rows,                   \
        const uint32_t *which, const float *base, size_t count, float *partial, float *upper) {                        \
        const size_t n = q->dimension;                                                                                 \
        const float middle = bits == PL_BITS_LOWER ? 3.5f * pl_codes_query_sum(q) : 0;                                 \
        size_t i = 0;                                                                                                  \
        for (; i + 4 <= count; i += 4) {                                                                               \
            const uint8_t *u[4];                                                                                       \
            const pl_codes_row *records[4];                                                                            \
            for (size_t k = 0; k < 4; k++) {                                                                           \
                size_t r = which ? which[i + k] : i + k;                                                               \
                u[k] = codes + r * n;                                                                                  \
                records[k] = rows + r;                                                                                 \
            }                                                                                                          \
            if (which) {                                                                                               \
                for (size_t k = i + PL_FETCH_AHEAD; k < i + PL_FETCH_AHEAD + 4 && k < count; k++) {                    \
                    const char *next = (const char *)(codes + which[k] * n);                                           \
                    for (size_t b = 0; b < n; b += 64) _mm_prefetch(next + b, _MM_HINT_T0);                            \
                    _mm_prefetch((const char *)(rows + which[k]), _MM_HINT_T0);                                        \
                }                                                                                                      \
            }                                                                                                          \
            __m128i whole = four(q, u, bits);                                                                          \
            if (bits == PL_BITS_ALL) whole = _mm_sub_epi32(whole, _mm_set1_epi32(q->offset));                          \
            __m128 product = _mm_cvtepi32_ps(whole);                                                                   \
            if (bits == PL_BITS_LOWER) product = _mm_sub_ps(product, _mm_set1_ps(middle));                             \
            pl_codes_finish_four(q, records, bits, product, base ? base + i : 0, partial + i, upper + i);              \
        }                                                                                                              \
        for (; i < count; i++) {                                                                                       \
            size_t r = which ? which[i] : i;                                                                           \
            float product = (float)one(q, codes + r * n, bits == PL_BITS_LOWER ? 7 : 0xFF) - middle;                   \
            pl_codes_finish(q, rows + r, bits, product, base ? base[i] : 0, partial + i, upper + i);                   \
        }                                                                                                              \
    }
PL_CODES_ANY_BOUNDS(PL_TARGET_VNNI, pl_codes_any_bounds_vnni, pl_codes_four_vnni, pl_codes_product_vnni)
PL_CODES_ANY_BOUNDS(PL_TARGET_AVX2, pl_codes_any_bounds_avx2, pl_codes_four_avx2, pl_codes_one_avx2)

// Two loops, each with its bits known when it is compiled.
#define PL_CODES_BOUNDS(target, name, any)                                                                             \
    target static void name(const pl_codes_query *q, pl_codes_bits bits, const uint8_t *codes,                         \
                            const pl_codes_row *rows, const uint32_t *which, const float *base, size_t count,          \
                            float *partial, float *upper) {                                                            \
        if (bits == PL_BITS_ALL) {                                                                                     \
            any(q, PL_BITS_ALL, codes, rows, which, base, count, partial, upper);                                      \
        } else {                                                                                                       \
            any(q, PL_BITS_LOWER, codes, rows, which, base, count, partial, upper);                                    \
        }                                                                                                              \
    }
PL_CODES_BOUNDS(PL_TARGET_VNNI, pl_codes_bounds_vnni, pl_codes_any_bounds_vnni)
PL_CODES_BOUNDS(PL_TARGET_AVX2, pl_codes_bounds_avx2, pl_codes_any_bounds_avx2)
#elif defined(__aarch64__)
static int32_t pl_codes_product_neon(const int16_t *values, size_t dimension, const uint8_t *u, uint8_t mask) {
    const uint8x16_t middle = vdupq_n_u8(128), kept = vdupq_n_u8(mask);
    int32x4_t a = vdupq_n_s32(0), b = a;
    for (size_t i = 0; i < dimension; i += 16) {
        int8x16_t c = vreinterpretq_s8_u8(veorq_u8(vandq_u8(vld1q_u8(u + i), kept), middle));
        int16x8_t x = vmovl_s8(vget_low_s8(c)), y = vmovl_s8(vget_high_s8(c));
        int16x8_t v = vld1q_s16(values + i), w = vld1q_s16(values + i + 8);
        a = vmlal_s16(a, vget_low_s16(x), vget_low_s16(v));
        b = vmlal_s16(b, vget_high_s16(x), vget_high_s16(v));
        a = vmlal_s16(a, vget_low_s16(y), vget_low_s16(w));
        b = vmlal_s16(b, vget_high_s16(y), vget_high_s16(w));
    }
    return vaddvq_s32(vaddq_s32(a, b));
}
#endif

// --- Which of them ---

int pl_codes_has_vnni(int isa) {
#if defined(__x86_64__)
    return isa == PL_ISA_AVX512 && __builtin_cpu_supports("avx512vnni");
#else
    (void)isa;
    return 0;
#endif
}

pl_codes_product_function pl_codes_product_for(int isa) {
    switch (isa) {
#if defined(__x86_64__)
    case PL_ISA_AVX512:  // without VNNI
    case PL_ISA_AVX2:
        return pl_codes_product_avx2;
#elif defined(__aarch64__)
    case PL_ISA_NEON:
        return pl_codes_product_neon;
#endif
    default:
        return pl_codes_product_portable;
    }
}

static void pl_codes_any_bounds(int isa, const pl_codes_query *query, pl_codes_bits bits, const uint8_t *codes,
                                const pl_codes_row *rows, const uint32_t *which, const float *base, size_t count,
                                float *partial, float *upper) {
    if (isa == PL_ISA_BEST) isa = pl_isa_best();
#if defined(__x86_64__)
    if (pl_codes_has_vnni(isa)) {
        pl_codes_bounds_vnni(query, bits, codes, rows, which, base, count, partial, upper);
        return;
    }
    if (isa == PL_ISA_AVX2 || isa == PL_ISA_AVX512) {
        pl_codes_bounds_avx2(query, bits, codes, rows, which, base, count, partial, upper);
        return;
    }
#endif
    pl_codes_product_function function = pl_codes_product_for(isa);
    const uint8_t mask = bits == PL_BITS_LOWER ? 7 : 0xFF;
    const float middle = bits == PL_BITS_LOWER ? 3.5f * pl_codes_query_sum(query) : 0;
    for (size_t i = 0; i < count; i++) {
        size_t r = which ? which[i] : i;
        int32_t whole = function(query->values, query->dimension, codes + r * query->dimension, mask);
        if (bits == PL_BITS_LOWER) whole += query->offset;
        pl_codes_finish(query, rows + r, bits, (float)whole - middle, base ? base[i] : 0, partial + i, upper + i);
    }
}

void pl_codes_bounds_of(int isa, const pl_codes_query *query, const uint8_t *codes, const pl_codes_row *rows,
                        const uint32_t *which, const float *base, size_t count, float *partial, float *upper) {
    pl_codes_any_bounds(isa, query, PL_BITS_ALL, codes, rows, which, base, count, partial, upper);
}

void pl_codes_refine_of(int isa, const pl_codes_query *query, const uint8_t *codes, const pl_codes_row *rows,
                        const uint32_t *which, const float *base, size_t count, float *partial, float *upper) {
    pl_codes_any_bounds(isa, query, PL_BITS_LOWER, codes, rows, which, base, count, partial, upper);
}

void pl_codes_bounds(int isa, const pl_codes_query *query, const uint8_t *codes, const pl_codes_row *rows,
                     const float *base, size_t count, float *partial, float *upper) {
    pl_codes_bounds_of(isa, query, codes, rows, 0, base, count, partial, upper);
}

void pl_codes_products(int isa, const pl_codes_query *query, const uint8_t *codes, size_t count, int32_t *products) {
    if (isa == PL_ISA_BEST) isa = pl_isa_best();
    for (size_t i = 0; i < count; i++) {
        const uint8_t *u = codes + i * query->dimension;
#if defined(__x86_64__)
        if (pl_codes_has_vnni(isa)) {
            products[i] = pl_codes_product_vnni(query, u, 0xFF);
            continue;
        }
#endif
        products[i] = pl_codes_product_for(isa)(query->values, query->dimension, u, 0xFF);
    }
}

// --- Abilities ---

#if defined(__x86_64__)
// Four rows at a time, folded while they are transposed.
PL_TARGET_VNNI
static void pl_codes_abilities_avx512(const float *query, const float *abilities, size_t count, float *sums) {
    const __m512 q = _mm512_loadu_ps(query);
    size_t r = 0;
    for (; r + 4 <= count; r += 4) {
        __m512 a = _mm512_mul_ps(q, _mm512_loadu_ps(abilities + 16 * r));
        __m512 b = _mm512_mul_ps(q, _mm512_loadu_ps(abilities + 16 * r + 16));
        __m512 c = _mm512_mul_ps(q, _mm512_loadu_ps(abilities + 16 * r + 32));
        __m512 d = _mm512_mul_ps(q, _mm512_loadu_ps(abilities + 16 * r + 48));
        __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
        __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
        __m512 all = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd))),
                                   _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd))));
        __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
        _mm_storeu_ps(sums + r, _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
    }
    for (; r < count; r++) {
        sums[r] = _mm512_reduce_add_ps(_mm512_mul_ps(q, _mm512_loadu_ps(abilities + 16 * r)));
    }
}
#endif

void pl_codes_abilities(int isa, const float *query, const float *abilities, size_t count, float *sums) {
    if (isa == PL_ISA_BEST) isa = pl_isa_best();
#if defined(__x86_64__)
    if (pl_codes_has_vnni(isa)) {
        pl_codes_abilities_avx512(query, abilities, count, sums);
        return;
    }
#endif
    pl_scan_rows(isa, query, abilities, 16, count, sums);
}

// --- Making codes ---

// At least the norm whose square was summed. Sums of up to 1,024 squares in double are off by less than one part in 10¹².
static float pl_codes_norm(double squares) {
    return squares > 0 ? nextafterf((float)(sqrt(squares) * (1 + 1e-12)), INFINITY) : 0;
}

void pl_codes_quantise(const float *x, size_t dimension, uint8_t *codes, pl_codes_row *row, double *squared_norm) {
    float greatest = 0;
    for (size_t i = 0; i < dimension; i++) greatest = fabsf(x[i]) > greatest ? fabsf(x[i]) : greatest;
    row->scale = greatest / 127;
    // So small that a step rounds to nothing: everything is residual.
    float inverse = row->scale > 0x1p-100f ? 1 / row->scale : 0;
    if (inverse == 0) row->scale = 0;
    const double step = row->scale;
    double left[8] = {0}, coarse[8] = {0}, all[8] = {0};
    for (size_t i = 0; i < dimension; i += 8) {
        for (size_t l = 0; l < 8; l++) {
            // Adding 1.5 · 2²³ rounds to a whole number, in vector code as well.
            float c = (x[i + l] * inverse + 0x1.8p23f) - 0x1.8p23f;
            c = c < -127 ? -127 : c > 127 ? 127 : c;
            const int u = (int)c + 128;
            codes[i + l] = (uint8_t)u;
            // Exact: 24 bits times 7 bits, less 24 bits of like size, fit a double.
            double rest = (double)x[i + l] - step * (double)c;
            left[l] += rest * rest;
            rest = (double)x[i + l] - step * ((double)(u & ~7) - 124.5);
            coarse[l] += rest * rest;
            all[l] += (double)x[i + l] * (double)x[i + l];
        }
    }
    for (size_t l = 1; l < 8; l++) left[0] += left[l], coarse[0] += coarse[l], all[0] += all[l];
    row->residual = pl_codes_norm(left[0]);
    row->coarse = pl_codes_norm(coarse[0]);
    *squared_norm = all[0] * (1 + 1e-12);
}
