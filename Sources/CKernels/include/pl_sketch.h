// Kernels that bound the inner products of one query with rows from sketches: the upper five bits of each code.
//
// With u = 8·h + r (see pl_codes.h for codes u and queries v), a coordinate is about scale · (8·h − 124.5): 5/8 of the
// bytes, and all of a row that most searches need. Sketches are made of the codes and say nothing that these do not.
//
// A row of a sketch is its record, a `pl_codes_row`, and for every 128 coordinates 80 bytes: byte k of the first 64 has
// the lower four bits of h of coordinate k below and those of coordinate 64 + k above, and bit k of the last 16 bytes is
// the uppermost of coordinate k.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "pl_codes.h"

// Planes have a multiple of this many coordinates.
#define PL_SKETCH_BLOCK 128
#define PL_SKETCH_BLOCK_BYTES 80
#define PL_SKETCH_ROW_BYTES(dimension) (sizeof(pl_codes_row) + (dimension) / PL_SKETCH_BLOCK * PL_SKETCH_BLOCK_BYTES)

// Sketches of consecutive rows. codes: (count, dimension), rows: (count), sketches: (count, row bytes).
void pl_sketch_pack(int isa, const uint8_t *codes, const pl_codes_row *rows, size_t dimension, size_t count,
                    uint8_t *sketches);

// For each of `count` rows, those that `which` names or (null) consecutive ones:
//   partial = base + query.scale · row.scale · Σ v·(8·h − 124.5) + coarse_weight · row.coarse
//   upper   = partial + tail_weight · row.tail + margin
// base (null for zeros), partial, upper: (count), going with `which`; base and partial may be the same.
void pl_sketch_bounds_of(int isa, const pl_codes_query *query, const uint8_t *sketches, const uint32_t *which,
                         const float *base, size_t count, float *partial, float *upper);
