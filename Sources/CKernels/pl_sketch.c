#include "pl_sketch.h"

#include <string.h>

#include "pl_codes_internal.h"
#include "pl_scan.h"

// One row in so many is dense; then bytes so far ahead are fetched.
#define PL_DENSE 4
#define PL_STREAM_AHEAD 2048

// Σ v·h of one row; its blocks begin at `block`.
typedef int32_t (*pl_sketch_product_function)(const pl_codes_query *q, const uint8_t *block);

// 8·h − 124.5 = 8·(h − 16) + 3.5: taken apart so that integers stay small and exact.
static inline float pl_sketch_product(const pl_codes_query *q, int32_t sum) {
    return 8 * (float)(sum - q->offset / 8) + 3.5f * pl_codes_query_sum(q);
}

static int32_t pl_sketch_product_portable(const pl_codes_query *q, const uint8_t *block) {
    int32_t sum = 0;
    for (size_t i = 0; i < q->dimension; i += PL_SKETCH_BLOCK, block += PL_SKETCH_BLOCK_BYTES) {
        for (size_t k = 0; k < PL_SKETCH_BLOCK; k++) {
            const int32_t lower = k < 64 ? block[k] & 15 : block[k - 64] >> 4;
            const int32_t upper = block[64 + k / 8] >> (k % 8) & 1;
            sum += (int32_t)q->values[i + k] * (lower + 16 * upper);
        }
    }
    return sum;
}

#if defined(__x86_64__)
PL_TARGET_AVX2
static int32_t pl_sketch_product_avx2(const pl_codes_query *q, const uint8_t *block) {
    const __m128i fifteen = _mm_set1_epi8(15), sixteen = _mm_set1_epi8(16);
    // Bit k of two bytes in byte k.
    const __m128i spread = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
    const __m128i single = _mm_set1_epi64x((long long)0x8040201008040201);
    __m256i a = _mm256_setzero_si256(), b = a;
    for (size_t i = 0; i < q->dimension; i += PL_SKETCH_BLOCK, block += PL_SKETCH_BLOCK_BYTES) {
        for (size_t k = 0; k < 64; k += 16) {
            const __m128i both = _mm_loadu_si128((const __m128i *)(block + k));
            int16_t first, second;
            memcpy(&first, block + 64 + k / 8, 2);
            memcpy(&second, block + 72 + k / 8, 2);
            __m128i x = _mm_and_si128(_mm_shuffle_epi8(_mm_set1_epi16(first), spread), single);
            __m128i y = _mm_and_si128(_mm_shuffle_epi8(_mm_set1_epi16(second), spread), single);
            x = _mm_and_si128(_mm_cmpeq_epi8(x, single), sixteen);
            y = _mm_and_si128(_mm_cmpeq_epi8(y, single), sixteen);
            x = _mm_or_si128(x, _mm_and_si128(both, fifteen));
            y = _mm_or_si128(y, _mm_and_si128(_mm_srli_epi16(both, 4), fifteen));
            const __m256i v = _mm256_loadu_si256((const __m256i *)(q->values + i + k));
            const __m256i w = _mm256_loadu_si256((const __m256i *)(q->values + i + 64 + k));
            a = _mm256_add_epi32(a, _mm256_madd_epi16(_mm256_cvtepu8_epi16(x), v));
            b = _mm256_add_epi32(b, _mm256_madd_epi16(_mm256_cvtepu8_epi16(y), w));
        }
    }
    a = _mm256_add_epi32(a, b);
    __m128i c = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    c = _mm_add_epi32(c, _mm_shuffle_epi32(c, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(c, _mm_shuffle_epi32(c, 0xB1)));
}

// Σ v·h of four rows, in order.
PL_TARGET_VNNI
static inline __attribute__((always_inline)) __m128i pl_sketch_four_vnni(const pl_codes_query *q,
                                                                         const uint8_t *const blocks[4]) {
    const __m512i fifteen = _mm512_set1_epi8(15), sixteen = _mm512_set1_epi8(16);
    __m512i h[4], l[4];
    for (size_t r = 0; r < 4; r++) h[r] = l[r] = _mm512_setzero_si512();
    size_t start = 0;
    for (size_t i = 0; i < q->dimension; i += PL_SKETCH_BLOCK, start += PL_SKETCH_BLOCK_BYTES) {
        const __m512i high0 = _mm512_loadu_si512(q->high + i), low0 = _mm512_loadu_si512(q->low + i);
        const __m512i high1 = _mm512_loadu_si512(q->high + i + 64), low1 = _mm512_loadu_si512(q->low + i + 64);
#pragma GCC unroll 4
        for (size_t r = 0; r < 4; r++) {
            const uint8_t *block = blocks[r] + start;
            uint64_t upper[2];
            memcpy(upper, block + 64, 16);
            __m512i both = _mm512_loadu_si512(block);
            __m512i x = _mm512_and_si512(both, fifteen);
            __m512i y = _mm512_and_si512(_mm512_srli_epi16(both, 4), fifteen);
            x = _mm512_mask_add_epi8(x, _cvtu64_mask64(upper[0]), x, sixteen);
            y = _mm512_mask_add_epi8(y, _cvtu64_mask64(upper[1]), y, sixteen);
            h[r] = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(h[r], x, high0), y, high1);
            l[r] = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(l[r], x, low0), y, low1);
        }
    }
    for (size_t r = 0; r < 4; r++) h[r] = _mm512_add_epi32(_mm512_slli_epi32(h[r], 7), l[r]);
    return pl_codes_fold(h[0], h[1], h[2], h[3]);
}

PL_TARGET_VNNI
static void pl_sketch_bounds_vnni(const pl_codes_query *q, const uint8_t *sketches, const uint32_t *which,
                                  const float *base, size_t count, float *partial, float *upper) {
    const size_t bytes = PL_SKETCH_ROW_BYTES(q->dimension);
    const __m128i middle = _mm_set1_epi32(q->offset / 8);
    const __m128 half = _mm_set1_ps(3.5f * pl_codes_query_sum(q)), eight = _mm_set1_ps(8);
    const int isDense = which && count > 0 && (size_t)(which[count - 1] - which[0]) < PL_DENSE * count;
    const char *fetched = isDense ? (const char *)(sketches + which[0] * bytes) : 0;
    for (size_t i = 0; i < count; i += 4) {
        // The last rows repeat one another, so that four are always there.
        const uint8_t *blocks[4];
        const pl_codes_row *records[4];
        for (size_t k = 0; k < 4; k++) {
            size_t place = i + k < count ? i + k : count - 1;
            const uint8_t *row = sketches + (which ? which[place] : place) * bytes;
            records[k] = (const pl_codes_row *)row;
            blocks[k] = row + sizeof(pl_codes_row);
        }
        if (isDense) {
            // What lies between the rows comes along: memory gives neighbouring lines several times as fast.
            const char *end = (const char *)records[3] + PL_STREAM_AHEAD;
            for (; fetched < end; fetched += 64) _mm_prefetch(fetched, _MM_HINT_T0);
        } else if (which) {
            for (size_t k = i + PL_FETCH_AHEAD; k < i + PL_FETCH_AHEAD + 4 && k < count; k++) {
                const char *next = (const char *)(sketches + which[k] * bytes);
                for (size_t b = 0; b < bytes; b += 64) _mm_prefetch(next + b, _MM_HINT_T0);
                _mm_prefetch(next + bytes - 1, _MM_HINT_T0);
            }
        }
        const __m128i sum = _mm_sub_epi32(pl_sketch_four_vnni(q, blocks), middle);
        const __m128 product = _mm_fmadd_ps(eight, _mm_cvtepi32_ps(sum), half);
        if (i + 4 <= count) {
            pl_codes_finish_four(q, records, PL_BITS_UPPER, product, base ? base + i : 0, partial + i, upper + i);
            continue;
        }
        float products[4];
        _mm_storeu_ps(products, product);
        for (size_t k = 0; i + k < count; k++) {
            pl_codes_finish(q, records[k], PL_BITS_UPPER, products[k], base ? base[i + k] : 0, partial + i + k,
                            upper + i + k);
        }
    }
}

PL_TARGET_VNNI
static void pl_sketch_block_avx512(const uint8_t *codes, uint8_t *block) {
    const __m512i fifteen = _mm512_set1_epi8(15);
    const __m512i a = _mm512_loadu_si512(codes), b = _mm512_loadu_si512(codes + 64);
    const __m512i lower = _mm512_and_si512(_mm512_srli_epi16(a, 3), fifteen);
    const __m512i upper = _mm512_and_si512(_mm512_slli_epi16(b, 1), _mm512_set1_epi8((char)0xF0));
    _mm512_storeu_si512(block, _mm512_or_si512(lower, upper));
    const uint64_t bits[2] = {_cvtmask64_u64(_mm512_movepi8_mask(a)), _cvtmask64_u64(_mm512_movepi8_mask(b))};
    memcpy(block + 64, bits, 16);
}
#endif

static void pl_sketch_block_portable(const uint8_t *codes, uint8_t *block) {
    for (size_t k = 0; k < 64; k++) block[k] = (uint8_t)((codes[k] >> 3 & 15) | (codes[64 + k] << 1 & 0xF0));
    memset(block + 64, 0, 16);
    for (size_t k = 0; k < PL_SKETCH_BLOCK; k++) block[64 + k / 8] |= (uint8_t)(codes[k] >> 7 << k % 8);
}

void pl_sketch_pack(int isa, const uint8_t *codes, const pl_codes_row *rows, size_t dimension, size_t count,
                    uint8_t *sketches) {
    if (isa == PL_ISA_BEST) isa = pl_isa_best();
    void (*pack)(const uint8_t *, uint8_t *) = pl_sketch_block_portable;
#if defined(__x86_64__)
    if (pl_codes_has_vnni(isa)) pack = pl_sketch_block_avx512;
#endif
    uint8_t *out = sketches;
    for (size_t r = 0; r < count; r++) {
        memcpy(out, rows + r, sizeof(pl_codes_row));
        out += sizeof(pl_codes_row);
        for (size_t i = 0; i < dimension; i += PL_SKETCH_BLOCK, out += PL_SKETCH_BLOCK_BYTES) {
            pack(codes + r * dimension + i, out);
        }
    }
}

void pl_sketch_bounds_of(int isa, const pl_codes_query *query, const uint8_t *sketches, const uint32_t *which,
                         const float *base, size_t count, float *partial, float *upper) {
    if (isa == PL_ISA_BEST) isa = pl_isa_best();
    pl_sketch_product_function function = pl_sketch_product_portable;
#if defined(__x86_64__)
    if (pl_codes_has_vnni(isa)) {
        pl_sketch_bounds_vnni(query, sketches, which, base, count, partial, upper);
        return;
    }
    if (isa == PL_ISA_AVX2 || isa == PL_ISA_AVX512) function = pl_sketch_product_avx2;
#endif
    const size_t bytes = PL_SKETCH_ROW_BYTES(query->dimension);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *row = sketches + (which ? which[i] : i) * bytes;
        pl_codes_row record;
        memcpy(&record, row, sizeof record);
        const float product = pl_sketch_product(query, function(query, row + sizeof record));
        pl_codes_finish(query, &record, PL_BITS_UPPER, product, base ? base[i] : 0, partial + i, upper + i);
    }
}
