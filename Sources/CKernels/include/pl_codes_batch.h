// A kernel that bounds the inner products of several queries with rows from 8-bit codes, and gives the pairs whose bound
// reaches a threshold. See pl_codes.h for codes, planes and records; here a query's coordinates are integers v in
// −127 … 127, so that one product of bytes does for both sides.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "pl_codes.h"

// Queries go in groups of this many; the last group is filled up with queries whose threshold is infinite.
#define PL_CODES_BATCH_GROUP 32

// One plane of the queries and of the rows that they meet.
typedef struct {
    size_t dimension;
    const int8_t *packed;           // (count / 32, dimension / 4, 32, 4): v, four coordinates of a query side by side
    const int16_t *values;          // (count, dimension): v
    const int32_t *offsets;         // (count): 128 · Σ v
    const float *scales;            // (count)
    const float *residual_weights;  // (count)
    const uint8_t *codes;           // (rows, dimension)
    const pl_codes_row *records;    // (rows)
} pl_codes_batch_plane;

typedef struct {
    size_t count;  // queries, a multiple of PL_CODES_BATCH_GROUP
    size_t plane_count;
    const pl_codes_batch_plane *planes;  // those that are read
    const float *tail_weights;           // (count): past the last plane that is read
    const float *margins;                // (count): part of the partial sum
    size_t ability_width;                // 0 where abilities count for nothing
    const float *abilities;              // (ability_width, count)
    const float *row_abilities;          // (rows, ability_width)
} pl_codes_batch;

// Whether this CPU has an instruction for products of bytes; without one 16 queries and more are quicker by sgemm.
int pl_codes_batch_is_fast(void);

// For each query q and each of `row_count` rows r, with the sums over the planes that are read:
//   partial = abilities + Σ scale · row.scale · Σ v·c + Σ residual_weight · row.residual + margin
// and where partial + tail_weight · row.tail >= thresholds[q], r and partial are appended to the query's list:
// found_rows, found_partials: (count, capacity), found_counts: (count), set to 0 first; capacity >= row_count.
void pl_codes_batch_survivors(int isa, const pl_codes_batch *batch, size_t row_count, const float *thresholds,
                              size_t capacity, uint32_t *found_rows, float *found_partials, uint32_t *found_counts);
