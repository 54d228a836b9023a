#include "pl_narrow.h"

#include "pl_scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
// Bytes of codes that are fetched ahead.
#define PL_NARROW_AHEAD 4096
#define PL_TARGET_AVX2 __attribute__((target("avx2,fma")))
#endif

static void pl_narrow_bounds_portable(const pl_narrow_query *q, const pl_narrow_rows *x, size_t first, size_t count,
                                      float *upper) {
    for (size_t r = first; r < count; r++) {
        const int8_t *codes = x->codes + r * PL_NARROW_DIMENSION;
        int32_t sum = 0;
        for (size_t i = 0; i < PL_NARROW_DIMENSION; i++) sum += (int32_t)q->values[i] * codes[i];
        upper[r] = q->scale * x->scales[r] * (float)sum + q->residual_weight * x->residuals[r] +
                   q->tail_weight * x->tails[r] + q->margin;
    }
}

#if defined(__x86_64__)
// A query in registers: its values, and their sizes.
typedef struct {
    __m256i values[PL_NARROW_DIMENSION / 32];
    __m256i sizes[PL_NARROW_DIMENSION / 32];
} pl_narrow_registers;

// Σ v·c of one row, by lane. |v| · (c with v's sign) = v · c, and two such products fit 16 bits: 2 · 127² < 2¹⁵.
PL_TARGET_AVX2
static inline __attribute__((always_inline)) __m256i pl_narrow_lanes(const int8_t *codes,
                                                                     const pl_narrow_registers *q) {
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sum = _mm256_setzero_si256();
#pragma GCC unroll 4
    for (size_t i = 0; i < PL_NARROW_DIMENSION / 32; i++) {
        __m256i c = _mm256_sign_epi8(_mm256_loadu_si256((const __m256i *)(codes + 32 * i)), q->values[i]);
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(q->sizes[i], c), ones));
    }
    return sum;
}

// Σ v·c of four rows: halves of each in the two halves of the register.
PL_TARGET_AVX2
static inline __attribute__((always_inline)) __m256i pl_narrow_four(const int8_t *codes,
                                                                    const pl_narrow_registers *q) {
    __m256i sums[4];
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; r++) sums[r] = pl_narrow_lanes(codes + r * PL_NARROW_DIMENSION, q);
    // Transposed while they are folded: half as many steps as two by two.
    __m256i a = _mm256_add_epi32(_mm256_unpacklo_epi32(sums[0], sums[1]), _mm256_unpackhi_epi32(sums[0], sums[1]));
    __m256i b = _mm256_add_epi32(_mm256_unpacklo_epi32(sums[2], sums[3]), _mm256_unpackhi_epi32(sums[2], sums[3]));
    return _mm256_add_epi32(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
}

PL_TARGET_AVX2
static void pl_narrow_bounds_avx2(const pl_narrow_query *q, const pl_narrow_rows *x, size_t count, float *upper) {
    pl_narrow_registers query;
    for (size_t i = 0; i < PL_NARROW_DIMENSION / 32; i++) {
        query.values[i] = _mm256_loadu_si256((const __m256i *)(q->values + 32 * i));
        query.sizes[i] = _mm256_abs_epi8(query.values[i]);
    }
    const __m256 scale = _mm256_set1_ps(q->scale), residual_weight = _mm256_set1_ps(q->residual_weight);
    const __m256 tail_weight = _mm256_set1_ps(q->tail_weight), margin = _mm256_set1_ps(q->margin);
    size_t r = 0;
    for (; r + 8 <= count; r += 8) {
        const int8_t *codes = x->codes + r * PL_NARROW_DIMENSION;
        // Beyond the page that the processor fetches ahead by itself.
        for (size_t b = 0; b < 8 * PL_NARROW_DIMENSION; b += 64)
            _mm_prefetch((const char *)codes + PL_NARROW_AHEAD + b, _MM_HINT_T0);
        __m256i a = pl_narrow_four(codes, &query);
        __m256i b = pl_narrow_four(codes + 4 * PL_NARROW_DIMENSION, &query);
        __m256i sums = _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31));
        __m256 bound = _mm256_mul_ps(_mm256_mul_ps(scale, _mm256_loadu_ps(x->scales + r)), _mm256_cvtepi32_ps(sums));
        bound = _mm256_fmadd_ps(residual_weight, _mm256_loadu_ps(x->residuals + r), bound);
        bound = _mm256_fmadd_ps(tail_weight, _mm256_loadu_ps(x->tails + r), bound);
        _mm256_storeu_ps(upper + r, _mm256_add_ps(bound, margin));
    }
    pl_narrow_bounds_portable(q, x, r, count, upper);
}
#endif

void pl_narrow_bounds(int isa, const pl_narrow_query *query, const pl_narrow_rows *rows, size_t count, float *upper) {
    if (isa == PL_ISA_BEST) isa = pl_isa_best();
#if defined(__x86_64__)
    if (isa == PL_ISA_AVX2 || isa == PL_ISA_AVX512) {
        pl_narrow_bounds_avx2(query, rows, count, upper);
        return;
    }
#endif
    pl_narrow_bounds_portable(query, rows, 0, count, upper);
}
