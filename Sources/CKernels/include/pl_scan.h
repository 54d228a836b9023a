// Kernels that scan rows of float32 for one query.
//
// The canonical inner product fixes the order of summation, so that every CPU, batch size and thread
// count gives the same bits. For rows of `dimension` floats, a multiple of 16:
//
//   lane[l] = fma(q[i], x[i], lane[l])   for i = 0, 1, 2, …, with l = i mod 64, each lane from 0.0f
//   then lanes are folded by halves:     lane[l] += lane[l + h]  for h = 32, 16, 8, 4, 2, 1
//
// A fused multiply-add rounds once by definition, so AVX-512, AVX2 with FMA, NEON and plain C agree.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define PL_CANONICAL_LANES 64

// Instruction sets a kernel can be asked for; PL_ISA_BEST takes what this CPU has.
enum { PL_ISA_BEST = 0, PL_ISA_PORTABLE = 1, PL_ISA_AVX2 = 2, PL_ISA_AVX512 = 3, PL_ISA_NEON = 4 };

// Whether this CPU can run the kernels of `isa`.
int pl_isa_available(int isa);

// The set that PL_ISA_BEST stands for on this CPU.
int pl_isa_best(void);

// scores[r] = canonical inner product of query and row r.
// query: (dimension), rows: (count, dimension) contiguous, scores: (count); dimension % 16 == 0.
void pl_scan_rows(int isa, const float *query, const float *rows, size_t dimension, size_t count, float *scores);

// scores[i] = canonical inner product of query and row which[i] of `rows` (…, dimension); rows to come are fetched ahead.
void pl_scan_rows_of(int isa, const float *query, const float *rows, size_t dimension, const uint32_t *which,
                     size_t count, float *scores);

// Writes the ascending indices i with scores[i] >= threshold to `selected`, at most `count`; returns how many.
size_t pl_select_at_least(int isa, const float *scores, size_t count, float threshold, uint32_t *selected);

// Keeps the rows whose bound lies in least … most: their numbers (`which`), bounds and partial sums, in order; returns how
// many. (count) each; what is written may be what is read.
size_t pl_keep_between(int isa, float least, float most, const uint32_t *which, const float *upper, const float *partial,
                       size_t count, uint32_t *kept, float *kept_upper, float *kept_partial);

// The same for rows whose bound is at least the floor of their cluster: floors[clusters[which[i]]].
size_t pl_keep_above_floors(int isa, const uint32_t *clusters, const float *floors, const uint32_t *which,
                            const float *upper, const float *partial, size_t count, uint32_t *kept, float *kept_upper,
                            float *kept_partial);
