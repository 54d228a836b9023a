// What the kernels on codes share among themselves.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "pl_codes.h"

// Rows whose codes are fetched ahead where rows are picked: about as many as the memory answers in one latency.
#define PL_FETCH_AHEAD 8

// Σ v·((u & mask) − 128) over `dimension` coordinates, without rounding.
typedef int32_t (*pl_codes_product_function)(const int16_t *values, size_t dimension, const uint8_t *codes,
                                             uint8_t mask);

// The product for one row on an instruction set, VNNI apart.
pl_codes_product_function pl_codes_product_for(int isa);

// Whether `isa` stands for one with VNNI on this CPU.
int pl_codes_has_vnni(int isa);

// Which of a row's bits a kernel reads, and so what its record adds to a bound.
typedef enum { PL_BITS_ALL, PL_BITS_UPPER, PL_BITS_LOWER } pl_codes_bits;

// 128 · Σ v is kept, and a sum of up to 1,024 of them fits a float.
static inline float pl_codes_query_sum(const pl_codes_query *q) { return (float)(q->offset / 128); }

static inline void pl_codes_finish(const pl_codes_query *q, const pl_codes_row *row, pl_codes_bits bits, float product,
                                   float base, float *partial, float *upper) {
    float sum = base + q->scale * row->scale * product;
    if (bits != PL_BITS_UPPER) sum += q->residual_weight * row->residual;
    if (bits == PL_BITS_UPPER) sum += q->coarse_weight * row->coarse;
    if (bits == PL_BITS_LOWER) sum -= q->coarse_weight * row->coarse;
    *partial = sum;
    *upper = sum + q->tail_weight * row->tail + q->margin;
}

#if defined(__x86_64__)
#include <immintrin.h>
#define PL_TARGET_AVX2 __attribute__((target("avx2,fma")))
#define PL_TARGET_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma")))

// The sums of four registers' lanes, in order: transposed while folding, so that four rows cost little more than one.
PL_TARGET_VNNI
static inline __m128i pl_codes_fold(__m512i h0, __m512i h1, __m512i h2, __m512i h3) {
    __m512i a = _mm512_add_epi32(_mm512_unpacklo_epi32(h0, h1), _mm512_unpackhi_epi32(h0, h1));
    __m512i b = _mm512_add_epi32(_mm512_unpacklo_epi32(h2, h3), _mm512_unpackhi_epi32(h2, h3));
    __m512i c = _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    __m256i d = _mm256_add_epi32(_mm512_castsi512_si256(c), _mm512_extracti64x4_epi64(c, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(d), _mm256_extracti128_si256(d, 1));
}

// `pl_codes_finish` for four rows.
PL_TARGET_AVX2
static inline __attribute__((always_inline)) void pl_codes_finish_four(const pl_codes_query *q,
                                                                       const pl_codes_row *const rows[4],
                                                                       pl_codes_bits bits, __m128 product,
                                                                       const float *base, float *partial,
                                                                       float *upper) {
    __m128 scale = _mm_loadu_ps(&rows[0]->scale), residual = _mm_loadu_ps(&rows[1]->scale);
    __m128 tail = _mm_loadu_ps(&rows[2]->scale), coarse = _mm_loadu_ps(&rows[3]->scale);
    _MM_TRANSPOSE4_PS(scale, residual, tail, coarse);
    __m128 sum = base ? _mm_loadu_ps(base) : _mm_setzero_ps();
    sum = _mm_fmadd_ps(_mm_mul_ps(_mm_set1_ps(q->scale), scale), product, sum);
    if (bits != PL_BITS_UPPER) sum = _mm_fmadd_ps(_mm_set1_ps(q->residual_weight), residual, sum);
    if (bits == PL_BITS_UPPER) sum = _mm_fmadd_ps(_mm_set1_ps(q->coarse_weight), coarse, sum);
    if (bits == PL_BITS_LOWER) sum = _mm_fnmadd_ps(_mm_set1_ps(q->coarse_weight), coarse, sum);
    _mm_storeu_ps(partial, sum);
    sum = _mm_fmadd_ps(_mm_set1_ps(q->tail_weight), tail, sum);
    _mm_storeu_ps(upper, _mm_add_ps(sum, _mm_set1_ps(q->margin)));
}
#endif
