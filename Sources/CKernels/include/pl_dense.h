// Float32 kernels of a transformer encoder: everything between its matrix products.
// All matrices are row-major and contiguous unless a stride is given; no pointer needs an alignment.
#pragma once
#include <stddef.h>
#include <stdint.h>

// out[i] = in[i] widened; `in` holds count 16-bit little-endian values. Exact, subnormals included.
void pl_dense_widen_f16(const uint8_t *in, float *out, size_t count);
void pl_dense_widen_bf16(const uint8_t *in, float *out, size_t count);

// 1 if every value is finite, else 0.
int pl_dense_all_finite(const float *x, size_t count);

// out (columns, rows; its rows out_stride apart) = transpose of in (rows, columns).
void pl_dense_transpose(const float *in, size_t rows, size_t columns, float *out, size_t out_stride);

// x (rows, columns) += bias (columns), to each row.
void pl_dense_add_bias(float *x, const float *bias, size_t rows, size_t columns);

// x (rows, columns) = activation(x + bias). Results are within 2e-6 of exact for |x| up to 12.
void pl_dense_bias_gelu(float *x, const float *bias, size_t rows, size_t columns);
void pl_dense_bias_gelu_tanh(float *x, const float *bias, size_t rows, size_t columns);
void pl_dense_bias_relu(float *x, const float *bias, size_t rows, size_t columns);

// out (rows, columns) = norm(x + bias + out), each row to mean 0 and variance 1, then * gain + shift.
void pl_dense_residual_norm(float *out, const float *x, const float *bias, const float *gain, const float *shift,
                            float epsilon, size_t rows, size_t columns);

// out (columns) = norm(first + second + third), rows of embedding tables; third may be null.
void pl_dense_embed_norm(float *out, const float *first, const float *second, const float *third, const float *gain,
                         const float *shift, float epsilon, size_t columns);

// Softmax of each row of x (rows, columns), in place. With a bias, row r first adds bias[columns - 1 - r + c] to
// its column c: the bias of a relative position, 2 * columns - 1 of them; it may be null. Needs rows == columns then.
void pl_dense_softmax(float *x, const float *bias, size_t rows, size_t columns);

// out (columns) = mean of the rows of x (rows, columns); rows > 0.
void pl_dense_mean_rows(const float *x, size_t rows, size_t columns, float *out);

// x (count) /= its Euclidean length, unless that is below 1e-12; returns the length.
float pl_dense_normalise(float *x, size_t count);
