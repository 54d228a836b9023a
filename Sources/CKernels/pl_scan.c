#include "pl_scan.h"

#include <math.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define PL_TARGET_AVX2 __attribute__((target("avx2,fma")))
#define PL_TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

// --- Which kernels this CPU can run ---

int pl_isa_available(int isa) {
    switch (isa) {
    case PL_ISA_BEST:
    case PL_ISA_PORTABLE:
        return 1;
#if defined(__x86_64__)
    case PL_ISA_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case PL_ISA_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#elif defined(__aarch64__)
    case PL_ISA_NEON:
        return 1;
#endif
    default:
        return 0;
    }
}

int pl_isa_best(void) {
    if (pl_isa_available(PL_ISA_AVX512)) return PL_ISA_AVX512;
    if (pl_isa_available(PL_ISA_AVX2)) return PL_ISA_AVX2;
    if (pl_isa_available(PL_ISA_NEON)) return PL_ISA_NEON;
    return PL_ISA_PORTABLE;
}

// --- Canonical inner product ---

// Plain C. Without an FMA instruction fmaf is a library call: slow, and still the same bits.
static float pl_dot_portable(const float *q, const float *x, size_t dimension) {
    float lane[PL_CANONICAL_LANES] = {0};
    for (size_t i = 0; i < dimension; i++) {
        size_t l = i % PL_CANONICAL_LANES;
        lane[l] = fmaf(q[i], x[i], lane[l]);
    }
    for (size_t half = PL_CANONICAL_LANES / 2; half > 0; half /= 2) {
        for (size_t l = 0; l < half; l++) lane[l] += lane[l + half];
    }
    return lane[0];
}

static void pl_scan_portable(const float *q, const float *rows, size_t dimension, size_t count, float *scores) {
    for (size_t r = 0; r < count; r++) scores[r] = pl_dot_portable(q, rows + r * dimension, dimension);
}

#if defined(__x86_64__)
PL_TARGET_AVX512
static void pl_scan_avx512(const float *q, const float *rows, size_t dimension, size_t count, float *scores) {
    size_t whole = dimension / 64 * 64;
    for (size_t r = 0; r < count; r++) {
        const float *x = rows + r * dimension;
        __m512 a0 = _mm512_setzero_ps(), a1 = a0, a2 = a0, a3 = a0;  // lanes 0–15, 16–31, 32–47, 48–63
        size_t i = 0;
        for (; i < whole; i += 64) {
            a0 = _mm512_fmadd_ps(_mm512_loadu_ps(q + i), _mm512_loadu_ps(x + i), a0);
            a1 = _mm512_fmadd_ps(_mm512_loadu_ps(q + i + 16), _mm512_loadu_ps(x + i + 16), a1);
            a2 = _mm512_fmadd_ps(_mm512_loadu_ps(q + i + 32), _mm512_loadu_ps(x + i + 32), a2);
            a3 = _mm512_fmadd_ps(_mm512_loadu_ps(q + i + 48), _mm512_loadu_ps(x + i + 48), a3);
        }
        if (i < dimension) a0 = _mm512_fmadd_ps(_mm512_loadu_ps(q + i), _mm512_loadu_ps(x + i), a0), i += 16;
        if (i < dimension) a1 = _mm512_fmadd_ps(_mm512_loadu_ps(q + i), _mm512_loadu_ps(x + i), a1), i += 16;
        if (i < dimension) a2 = _mm512_fmadd_ps(_mm512_loadu_ps(q + i), _mm512_loadu_ps(x + i), a2), i += 16;
        a0 = _mm512_add_ps(_mm512_add_ps(a0, a2), _mm512_add_ps(a1, a3));  // folds by 32, then by 16
        __m256 b = _mm256_add_ps(_mm512_castps512_ps256(a0), _mm512_extractf32x8_ps(a0, 1));
        __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
        c = _mm_add_ps(c, _mm_movehl_ps(c, c));
        scores[r] = _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
    }
}

PL_TARGET_AVX2
static void pl_scan_avx2(const float *q, const float *rows, size_t dimension, size_t count, float *scores) {
    for (size_t r = 0; r < count; r++) {
        const float *x = rows + r * dimension;
        __m256 a[8];  // lanes 8j … 8j + 7
        for (int j = 0; j < 8; j++) a[j] = _mm256_setzero_ps();
        size_t i = 0;
        for (; i + 64 <= dimension; i += 64) {
            for (int j = 0; j < 8; j++) {
                a[j] = _mm256_fmadd_ps(_mm256_loadu_ps(q + i + 8 * j), _mm256_loadu_ps(x + i + 8 * j), a[j]);
            }
        }
        for (int j = 0; i < dimension; i += 8, j++) {
            a[j] = _mm256_fmadd_ps(_mm256_loadu_ps(q + i), _mm256_loadu_ps(x + i), a[j]);
        }
        for (int half = 4; half > 0; half /= 2) {
            for (int j = 0; j < half; j++) a[j] = _mm256_add_ps(a[j], a[j + half]);
        }
        __m128 c = _mm_add_ps(_mm256_castps256_ps128(a[0]), _mm256_extractf128_ps(a[0], 1));
        c = _mm_add_ps(c, _mm_movehl_ps(c, c));
        scores[r] = _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
    }
}
#elif defined(__aarch64__)
static void pl_scan_neon(const float *q, const float *rows, size_t dimension, size_t count, float *scores) {
    for (size_t r = 0; r < count; r++) {
        const float *x = rows + r * dimension;
        float32x4_t a[16];  // lanes 4j … 4j + 3
        for (int j = 0; j < 16; j++) a[j] = vdupq_n_f32(0);
        size_t i = 0;
        for (; i + 64 <= dimension; i += 64) {
            for (int j = 0; j < 16; j++) a[j] = vfmaq_f32(a[j], vld1q_f32(q + i + 4 * j), vld1q_f32(x + i + 4 * j));
        }
        for (int j = 0; i < dimension; i += 4, j++) a[j] = vfmaq_f32(a[j], vld1q_f32(q + i), vld1q_f32(x + i));
        for (int half = 8; half > 0; half /= 2) {
            for (int j = 0; j < half; j++) a[j] = vaddq_f32(a[j], a[j + half]);
        }
        float32x2_t c = vadd_f32(vget_low_f32(a[0]), vget_high_f32(a[0]));
        scores[r] = vget_lane_f32(c, 0) + vget_lane_f32(c, 1);
    }
}
#endif

void pl_scan_rows(int isa, const float *query, const float *rows, size_t dimension, size_t count, float *scores) {
    if (isa == PL_ISA_BEST) isa = pl_isa_best();
    switch (isa) {
#if defined(__x86_64__)
    case PL_ISA_AVX512:
        pl_scan_avx512(query, rows, dimension, count, scores);
        return;
    case PL_ISA_AVX2:
        pl_scan_avx2(query, rows, dimension, count, scores);
        return;
#elif defined(__aarch64__)
    case PL_ISA_NEON:
        pl_scan_neon(query, rows, dimension, count, scores);
        return;
#endif
    default:
        pl_scan_portable(query, rows, dimension, count, scores);
    }
}

void pl_scan_rows_of(int isa, const float *query, const float *rows, size_t dimension, const uint32_t *which,
                     size_t count, float *scores) {
    if (isa == PL_ISA_BEST) isa = pl_isa_best();
    for (size_t i = 0; i < count; i++) {
        // Rows picked from gigabytes are in no cache; two ahead hide most of the way to memory.
        if (i + 2 < count) {
            const char *next = (const char *)(rows + (size_t)which[i + 2] * dimension);
            for (size_t b = 0; b < dimension * sizeof(float); b += 64) __builtin_prefetch(next + b);
        }
        pl_scan_rows(isa, query, rows + (size_t)which[i] * dimension, dimension, 1, scores + i);
    }
}

// --- Selection by threshold ---

static size_t pl_select_portable(const float *scores, size_t count, float threshold, uint32_t *selected) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (scores[i] >= threshold) selected[found++] = (uint32_t)i;
    }
    return found;
}

#if defined(__x86_64__)
PL_TARGET_AVX512
static size_t pl_select_avx512(const float *scores, size_t count, float threshold, uint32_t *selected) {
    const __m512 limit = _mm512_set1_ps(threshold);
    const __m512i ramp = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t found = 0, i = 0;
    for (; i + 16 <= count; i += 16) {
        __mmask16 mask = _mm512_cmp_ps_mask(_mm512_loadu_ps(scores + i), limit, _CMP_GE_OQ);
        if (mask == 0) continue;
        __m512i index = _mm512_add_epi32(_mm512_set1_epi32((int)i), ramp);
        // Whole registers: `found` is at most `i`. Storing lanes by mask takes a hundred cycles on some processors.
        _mm512_storeu_si512(selected + found, _mm512_maskz_compress_epi32(mask, index));
        found += (size_t)__builtin_popcount(mask);
    }
    for (; i < count; i++) {
        if (scores[i] >= threshold) selected[found++] = (uint32_t)i;
    }
    return found;
}

PL_TARGET_AVX2
static size_t pl_select_avx2(const float *scores, size_t count, float threshold, uint32_t *selected) {
    const __m256 limit = _mm256_set1_ps(threshold);
    size_t found = 0, i = 0;
    for (; i + 8 <= count; i += 8) {
        unsigned mask = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(scores + i), limit, _CMP_GE_OQ));
        for (; mask != 0; mask &= mask - 1) selected[found++] = (uint32_t)(i + (size_t)__builtin_ctz(mask));
    }
    for (; i < count; i++) {
        if (scores[i] >= threshold) selected[found++] = (uint32_t)i;
    }
    return found;
}
#endif

size_t pl_select_at_least(int isa, const float *scores, size_t count, float threshold, uint32_t *selected) {
    if (isa == PL_ISA_BEST) isa = pl_isa_best();
#if defined(__x86_64__)
    if (isa == PL_ISA_AVX512) return pl_select_avx512(scores, count, threshold, selected);
    if (isa == PL_ISA_AVX2) return pl_select_avx2(scores, count, threshold, selected);
#endif
    return pl_select_portable(scores, count, threshold, selected);
}

// Rows with their bounds and partial sums: those that are read, and where those that are kept go.
typedef struct {
    const uint32_t *which;
    const float *upper, *partial;
    uint32_t *kept;
    float *kept_upper, *kept_partial;
} pl_bounded_rows;

static inline size_t pl_keep_one(const pl_bounded_rows *rows, size_t i, size_t found) {
    rows->kept[found] = rows->which[i];
    rows->kept_partial[found] = rows->partial[i];
    rows->kept_upper[found] = rows->upper[i];
    return found + 1;
}

#if defined(__x86_64__)
// Whole registers are written: never further than what was read, since `found` is at most `i`.
PL_TARGET_AVX512
static inline size_t pl_keep_sixteen(const pl_bounded_rows *rows, __mmask16 mask, size_t i, size_t found) {
    const __m512i row = _mm512_loadu_si512(rows->which + i);
    const __m512 bound = _mm512_loadu_ps(rows->upper + i), sum = _mm512_loadu_ps(rows->partial + i);
    _mm512_storeu_si512(rows->kept + found, _mm512_maskz_compress_epi32(mask, row));
    _mm512_storeu_ps(rows->kept_upper + found, _mm512_maskz_compress_ps(mask, bound));
    _mm512_storeu_ps(rows->kept_partial + found, _mm512_maskz_compress_ps(mask, sum));
    return found + (size_t)__builtin_popcount(mask);
}

// As many rows as fill registers: `*next` is the first that was not looked at.
PL_TARGET_AVX512
static size_t pl_keep_between_avx512(const pl_bounded_rows *rows, float least, float most, size_t count, size_t *next) {
    const __m512 low = _mm512_set1_ps(least), high = _mm512_set1_ps(most);
    size_t found = 0, i = 0;
    for (; i + 16 <= count; i += 16) {
        const __m512 bound = _mm512_loadu_ps(rows->upper + i);
        const __mmask16 above = _mm512_cmp_ps_mask(bound, low, _CMP_GE_OQ);
        const __mmask16 mask = _mm512_mask_cmp_ps_mask(above, bound, high, _CMP_LE_OQ);
        if (mask != 0) found = pl_keep_sixteen(rows, mask, i, found);
    }
    *next = i;
    return found;
}

PL_TARGET_AVX512
static size_t pl_keep_above_floors_avx512(const pl_bounded_rows *rows, const uint32_t *clusters, const float *floors,
                                          size_t count, size_t *next) {
    size_t found = 0, i = 0;
    for (; i + 16 <= count; i += 16) {
        const __m512i row = _mm512_loadu_si512(rows->which + i);
        const __m512 floor = _mm512_i32gather_ps(_mm512_i32gather_epi32(row, (const int *)clusters, 4), floors, 4);
        const __mmask16 mask = _mm512_cmp_ps_mask(_mm512_loadu_ps(rows->upper + i), floor, _CMP_GE_OQ);
        if (mask != 0) found = pl_keep_sixteen(rows, mask, i, found);
    }
    *next = i;
    return found;
}
#endif

size_t pl_keep_between(int isa, float least, float most, const uint32_t *which, const float *upper, const float *partial,
                       size_t count, uint32_t *kept, float *kept_upper, float *kept_partial) {
    const pl_bounded_rows rows = {which, upper, partial, kept, kept_upper, kept_partial};
    if (isa == PL_ISA_BEST) isa = pl_isa_best();
    size_t i = 0, found = 0;
#if defined(__x86_64__)
    if (isa == PL_ISA_AVX512) found = pl_keep_between_avx512(&rows, least, most, count, &i);
#endif
    for (; i < count; i++) {
        if (upper[i] >= least && upper[i] <= most) found = pl_keep_one(&rows, i, found);
    }
    return found;
}

size_t pl_keep_above_floors(int isa, const uint32_t *clusters, const float *floors, const uint32_t *which,
                            const float *upper, const float *partial, size_t count, uint32_t *kept, float *kept_upper,
                            float *kept_partial) {
    const pl_bounded_rows rows = {which, upper, partial, kept, kept_upper, kept_partial};
    if (isa == PL_ISA_BEST) isa = pl_isa_best();
    size_t i = 0, found = 0;
#if defined(__x86_64__)
    if (isa == PL_ISA_AVX512) found = pl_keep_above_floors_avx512(&rows, clusters, floors, count, &i);
#endif
    for (; i < count; i++) {
        if (upper[i] >= floors[clusters[which[i]]]) found = pl_keep_one(&rows, i, found);
    }
    return found;
}
