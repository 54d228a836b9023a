// A kernel that bounds the inner products of one query with many rows from a narrow plane of 8-bit codes on both sides.
// See pl_codes.h for planes, residuals and tails; here codes are signed, and what they stand for lies apart, each kind for
// itself.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Coordinates of a plane: four registers of AVX2.
#define PL_NARROW_DIMENSION 128

typedef struct {
    const int8_t *codes;     // (rows, PL_NARROW_DIMENSION): c, from −127 to 127
    const float *scales;     // (rows): coordinates ≈ scale · c
    const float *residuals;  // (rows)
    const float *tails;      // (rows)
} pl_narrow_rows;

typedef struct {
    const int8_t *values;   // (PL_NARROW_DIMENSION): v, from −127 to 127
    float scale;            // coordinates ≈ scale · v
    float residual_weight;  // at least the norm of the query in this plane
    float tail_weight;      // at least the norm of the query past this plane
    float margin;           // at least all other errors
} pl_narrow_query;

// For each of `count` rows
//   upper = query.scale · scale · Σ v·c + residual_weight · residual + tail_weight · tail + margin
// The sums of products are exact. upper: (count).
void pl_narrow_bounds(int isa, const pl_narrow_query *query, const pl_narrow_rows *rows, size_t count, float *upper);
