// Float32 kernels of a transformer encoder: what lies between its products, and reading its weights.
// All matrices are row-major and contiguous unless a stride is given; no pointer needs an alignment.
#pragma once
#include <stddef.h>
#include <stdint.h>

// out[i] = in[i] widened; `in` holds count 16-bit little-endian values. Exact, subnormals included.
void pl_dense_widen_f16(const uint8_t *in, float *out, size_t count);
void pl_dense_widen_bf16(const uint8_t *in, float *out, size_t count);

// 1 if every value is finite, else 0.
int pl_dense_all_finite(const float *x, size_t count);

// out (columns) = norm(first + second + third), rows of embedding tables; third may be null.
void pl_dense_embed_norm(float *out, const float *first, const float *second, const float *third, const float *gain,
                         const float *shift, float epsilon, size_t columns);

// out (columns) = mean of the rows of x (rows, columns; rows `stride` apart); rows > 0.
void pl_dense_mean_rows(const float *x, size_t rows, size_t columns, size_t stride, float *out);

// x (count) /= its Euclidean length, unless that is below 1e-12; returns the length.
float pl_dense_normalise(float *x, size_t count);

// state (rows, columns; rows `stride` apart) = norm(Σ parts + bias + state), where part p of a row starts
// p * part_stride floats after the first one, which lies as the state does. Parts are added up in their order.
void pl_dense_sum_norm(float *state, const float *parts, size_t part_count, size_t part_stride, const float *bias,
                       const float *gain, const float *shift, float epsilon, size_t rows, size_t columns,
                       size_t stride);
