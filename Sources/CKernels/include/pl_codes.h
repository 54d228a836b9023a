// Kernels that bound the inner products of one query with rows from 8-bit codes of the rows.
//
// A plane is a run of coordinates. Its codes are unsigned bytes u = c + 128 with c in −127 … 127; the query's
// coordinates are integers v in −16,320 … 16,320, given both as they are and as two signed bytes v = 128·high + low with
// high in −127 … 127 and low in −64 … 64. The sum Σ v·c is computed in integers, without rounding or overflow up to
// PL_CODES_MAX_DIMENSION, so every instruction set gives the same one.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define PL_CODES_MAX_DIMENSION 1024

// What a row's codes of one plane stand for: coordinates ≈ scale · c.
typedef struct {
    float scale;
    float residual;  // at least the norm of (coordinates − scale · c)
    float tail;      // at least the norm of the row's coordinates past this plane
    float coarse;    // at least the norm of (coordinates − scale · (8 · ⌊u / 8⌋ − 124.5)): see pl_sketch.h
} pl_codes_row;

typedef struct {
    const int16_t *values;  // (dimension): v
    const int8_t *high;     // (dimension)
    const int8_t *low;      // (dimension)
    size_t dimension;       // a multiple of 64
    int32_t offset;         // 128 · Σ v
    float scale;            // coordinates ≈ scale · v
    float residual_weight;  // how much a row's residual may add: at least the norm of the query in this plane
    float coarse_weight;    // the same of what a sketch of the row leaves out
    float tail_weight;      // how much a row's tail may add: at least the norm of the query past this plane
    float margin;           // at least all other errors
} pl_codes_query;

// For each of `count` rows:
//   partial = base + query.scale · row.scale · Σ v·c + residual_weight · row.residual
//   upper   = partial + tail_weight · row.tail + margin
// codes: (count, dimension); rows, base (null for zeros), partial, upper: (count); base and partial may be the same.
void pl_codes_bounds(int isa, const pl_codes_query *query, const uint8_t *codes, const pl_codes_row *rows,
                     const float *base, size_t count, float *partial, float *upper);

// The same for the rows that `which` (count) names: codes and rows are whole, base, partial and upper go with `which`.
void pl_codes_bounds_of(int isa, const pl_codes_query *query, const uint8_t *codes, const pl_codes_row *rows,
                        const uint32_t *which, const float *base, size_t count, float *partial, float *upper);

// What the lower three bits of the codes add to bounds that their upper five gave (pl_sketch.h), for the rows that
// `which` names (null: consecutive ones):
//   partial = base + query.scale · row.scale · Σ v·((u mod 8) − 3.5) + residual_weight · row.residual
//             − coarse_weight · row.coarse
//   upper   = partial + tail_weight · row.tail + margin
void pl_codes_refine_of(int isa, const pl_codes_query *query, const uint8_t *codes, const pl_codes_row *rows,
                        const uint32_t *which, const float *base, size_t count, float *partial, float *upper);

// sums[r] = Σ query[k] · abilities[r, k] in float32, summed in any order. query: (16), abilities: (count, 16).
void pl_codes_abilities(int isa, const float *query, const float *abilities, size_t count, float *sums);

// products[r] = Σ v·c of consecutive rows: what the bounds are made of, for tests.
void pl_codes_products(int isa, const pl_codes_query *query, const uint8_t *codes, size_t count, int32_t *products);

// Codes of one row's coordinates x (dimension, a multiple of 8) in a plane, with c = round(x / scale): the record's
// scale, residual and coarse residual, and at least the squared norm of x.
void pl_codes_quantise(const float *x, size_t dimension, uint8_t *codes, pl_codes_row *row, double *squared_norm);
