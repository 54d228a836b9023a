#include "pl_codes_batch.h"

#include "pl_codes_internal.h"
#include "pl_scan.h"

// --- One pair at a time ---

static void pl_codes_batch_by_pairs(int isa, const pl_codes_batch *b, size_t row_count, const float *thresholds, size_t capacity, uint32_t *found_rows,
                                    float *found_partials, uint32_t *found_counts) {
    pl_codes_product_function product = pl_codes_product_for(isa);
    const size_t last = b->plane_count - 1;
    for (size_t r = 0; r < row_count; r++) {
        for (size_t q = 0; q < b->count; q++) {
            if (thresholds[q] > 3e38f) continue;  // fills the group up
            float sum = b->margins[q];
            for (size_t k = 0; k < b->ability_width; k++) {
                sum += b->abilities[k * b->count + q] * b->row_abilities[r * b->ability_width + k];
            }
            for (size_t p = 0; p <= last; p++) {
                const pl_codes_batch_plane *plane = b->planes + p;
                const size_t n = plane->dimension;
                const pl_codes_row *row = plane->records + r;
                int32_t whole = product(plane->values + q * n, n, plane->codes + r * n, 0xFF);
                sum += plane->scales[q] * row->scale * (float)whole + plane->residual_weights[q] * row->residual;
            }
            if (sum + b->tail_weights[q] * b->planes[last].records[r].tail >= thresholds[q]) {
                size_t place = q * capacity + found_counts[q]++;
                found_rows[place] = (uint32_t)r;
                found_partials[place] = sum;
            }
        }
    }
}

#if defined(__x86_64__)
// --- Twelve rows and 32 queries at a time: 24 sums stay in registers ---

#define PL_ROWS 12

// sums[r][h]: integer products of row r with the 16 queries of half h.
PL_TARGET_VNNI
static inline __attribute__((always_inline)) void pl_codes_batch_products(const int8_t *packed, const uint8_t *codes,
                                                                          size_t n, size_t rows,
                                                                          __m512i sums[PL_ROWS][2]) {
    for (size_t r = 0; r < PL_ROWS; r++) sums[r][0] = sums[r][1] = _mm512_setzero_si512();
    // Rows that are lacking repeat the last one.
    const uint8_t *row[PL_ROWS];
    for (size_t r = 0; r < PL_ROWS; r++) row[r] = codes + (r < rows ? r : rows - 1) * n;
    for (size_t i = 0; i < n; i += 4) {
        // The rows that come next, a little of them at every step: they come from memory, and in twelve streams at once.
        _mm_prefetch((const char *)(codes + n * PL_ROWS + i * PL_ROWS), _MM_HINT_T0);
        __m512i v0 = _mm512_loadu_si512(packed + i * PL_CODES_BATCH_GROUP);
        __m512i v1 = _mm512_loadu_si512(packed + i * PL_CODES_BATCH_GROUP + 64);
#pragma GCC unroll 12
        for (size_t r = 0; r < PL_ROWS; r++) {
            int32_t four;
            __builtin_memcpy(&four, row[r] + i, 4);
            __m512i u = _mm512_set1_epi32(four);
            sums[r][0] = _mm512_dpbusd_epi32(sums[r][0], u, v0);
            sums[r][1] = _mm512_dpbusd_epi32(sums[r][1], u, v1);
        }
    }
}

PL_TARGET_VNNI
static void pl_codes_batch_vnni(const pl_codes_batch *b, size_t row_count, const float *thresholds, size_t capacity, uint32_t *found_rows, float *found_partials,
                                uint32_t *found_counts) {
    const size_t last = b->plane_count - 1;
    for (size_t group = 0; group < b->count; group += PL_CODES_BATCH_GROUP) {
        for (size_t first = 0; first < row_count; first += PL_ROWS) {
            const size_t height = row_count - first < PL_ROWS ? row_count - first : PL_ROWS;
            __m512 partial[PL_ROWS][2];
            for (size_t h = 0; h < 2; h++) {
                const size_t q = group + 16 * h;
                __m512 margin = _mm512_loadu_ps(b->margins + q);
                for (size_t r = 0; r < height; r++) {
                    __m512 sum = margin;
                    for (size_t k = 0; k < b->ability_width; k++) {
                        float ability = b->row_abilities[(first + r) * b->ability_width + k];
                        sum = _mm512_fmadd_ps(_mm512_loadu_ps(b->abilities + k * b->count + q),
                                              _mm512_set1_ps(ability), sum);
                    }
                    partial[r][h] = sum;
                }
            }
            for (size_t p = 0; p <= last; p++) {
                const pl_codes_batch_plane *plane = b->planes + p;
                const size_t n = plane->dimension;
                __m512i sums[PL_ROWS][2];
                pl_codes_batch_products(plane->packed + group * n, plane->codes + first * n, n, height, sums);
                const pl_codes_row *records = plane->records + first;
                for (size_t h = 0; h < 2; h++) {
                    const size_t q = group + 16 * h;
                    const __m512i offset = _mm512_loadu_si512(plane->offsets + q);
                    const __m512 scale = _mm512_loadu_ps(plane->scales + q);
                    const __m512 weight = _mm512_loadu_ps(plane->residual_weights + q);
                    for (size_t r = 0; r < height; r++) {
                        __m512 product = _mm512_cvtepi32_ps(_mm512_sub_epi32(sums[r][h], offset));
                        __m512 sum = _mm512_fmadd_ps(_mm512_mul_ps(scale, _mm512_set1_ps(records[r].scale)), product,
                                                     partial[r][h]);
                        partial[r][h] = _mm512_fmadd_ps(weight, _mm512_set1_ps(records[r].residual), sum);
                    }
                }
            }
            const pl_codes_row *records = b->planes[last].records + first;
            for (size_t h = 0; h < 2; h++) {
                const size_t q = group + 16 * h;
                const __m512 threshold = _mm512_loadu_ps(thresholds + q);
                const __m512 weight = _mm512_loadu_ps(b->tail_weights + q);
                for (size_t r = 0; r < height; r++) {
                    __m512 upper = _mm512_fmadd_ps(weight, _mm512_set1_ps(records[r].tail), partial[r][h]);
                    unsigned mask = _mm512_cmp_ps_mask(upper, threshold, _CMP_GE_OQ);
                    if (mask == 0) continue;
                    float values[16];
                    _mm512_storeu_ps(values, partial[r][h]);
                    for (; mask != 0; mask &= mask - 1) {
                        const size_t lane = (size_t)__builtin_ctz(mask);
                        const size_t place = (q + lane) * capacity + found_counts[q + lane]++;
                        found_rows[place] = (uint32_t)(first + r);
                        found_partials[place] = values[lane];
                    }
                }
            }
        }
    }
}
#endif

int pl_codes_batch_is_fast(void) { return pl_codes_has_vnni(pl_isa_best()); }

void pl_codes_batch_survivors(int isa, const pl_codes_batch *batch, size_t row_count, const float *thresholds, size_t capacity, uint32_t *found_rows, float *found_partials,
                              uint32_t *found_counts) {
    if (isa == PL_ISA_BEST) isa = pl_isa_best();
    for (size_t q = 0; q < batch->count; q++) found_counts[q] = 0;
#if defined(__x86_64__)
    if (pl_codes_has_vnni(isa)) {
        pl_codes_batch_vnni(batch, row_count, thresholds, capacity, found_rows, found_partials, found_counts);
        return;
    }
#endif
    pl_codes_batch_by_pairs(isa, batch, row_count, thresholds, capacity, found_rows, found_partials,
                            found_counts);
}
