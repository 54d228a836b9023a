// Float32 kernels of a transformer encoder, compiled for several instruction sets and chosen when called.
#include "pl_dense.h"

typedef float v16 __attribute__((vector_size(64)));
typedef int32_t v16i __attribute__((vector_size(64)));

#define splat(value) ((v16){(value), (value), (value), (value), (value), (value), (value), (value), \
                            (value), (value), (value), (value), (value), (value), (value), (value)})

// Vectors are passed between inlined functions only, so that the width a target has changes no calling convention.
#pragma clang diagnostic ignored "-Wpsabi"

#define PL_NAME(x) x##_base
#define PL_TARGET
#include "pl_dense_body.h"
#undef PL_NAME
#undef PL_TARGET

#if defined(__x86_64__)
#define PL_NAME(x) x##_avx2
#define PL_TARGET __attribute__((target("avx2,fma")))
#include "pl_dense_body.h"
#undef PL_NAME
#undef PL_TARGET

#define PL_NAME(x) x##_avx512
#define PL_TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma")))
#include "pl_dense_body.h"
#undef PL_NAME
#undef PL_TARGET

#define PL_DISPATCH(name, ...)                                                                     \
    do {                                                                                           \
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&             \
            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))              \
            return name##_avx512(__VA_ARGS__);                                                     \
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))                       \
            return name##_avx2(__VA_ARGS__);                                                       \
        return name##_base(__VA_ARGS__);                                                           \
    } while (0)
#else
#define PL_DISPATCH(name, ...) return name##_base(__VA_ARGS__)
#endif

void pl_dense_widen_f16(const uint8_t *in, float *out, size_t count) { PL_DISPATCH(widen_f16, in, out, count); }

void pl_dense_widen_bf16(const uint8_t *in, float *out, size_t count) { PL_DISPATCH(widen_bf16, in, out, count); }

int pl_dense_all_finite(const float *x, size_t count) { PL_DISPATCH(all_finite, x, count); }

void pl_dense_transpose(const float *in, size_t rows, size_t columns, float *out, size_t out_stride) {
    // Tiles of 16 by 16 floats: each cache line of either side is touched once.
    for (size_t r0 = 0; r0 < rows; r0 += 16)
        for (size_t c0 = 0; c0 < columns; c0 += 16) {
            size_t r1 = r0 + 16 < rows ? r0 + 16 : rows, c1 = c0 + 16 < columns ? c0 + 16 : columns;
            for (size_t c = c0; c < c1; c++)
                for (size_t r = r0; r < r1; r++) out[c * out_stride + r] = in[r * columns + c];
        }
}

void pl_dense_add_bias(float *x, const float *bias, size_t rows, size_t columns) {
    PL_DISPATCH(add_bias, x, bias, rows, columns);
}

void pl_dense_bias_gelu(float *x, const float *bias, size_t rows, size_t columns) {
    PL_DISPATCH(bias_gelu, x, bias, rows, columns);
}

void pl_dense_bias_gelu_tanh(float *x, const float *bias, size_t rows, size_t columns) {
    PL_DISPATCH(bias_gelu_tanh, x, bias, rows, columns);
}

void pl_dense_bias_relu(float *x, const float *bias, size_t rows, size_t columns) {
    PL_DISPATCH(bias_relu, x, bias, rows, columns);
}

void pl_dense_residual_norm(float *out, const float *x, const float *bias, const float *gain, const float *shift,
                            float epsilon, size_t rows, size_t columns) {
    PL_DISPATCH(residual_norm, out, x, bias, gain, shift, epsilon, rows, columns);
}

void pl_dense_embed_norm(float *out, const float *first, const float *second, const float *third, const float *gain,
                         const float *shift, float epsilon, size_t columns) {
    PL_DISPATCH(embed_norm, out, first, second, third, gain, shift, epsilon, columns);
}

void pl_dense_softmax(float *x, const float *bias, size_t rows, size_t columns) {
    PL_DISPATCH(softmax, x, bias, rows, columns);
}

void pl_dense_mean_rows(const float *x, size_t rows, size_t columns, float *out) {
    PL_DISPATCH(mean_rows, x, rows, columns, out);
}

float pl_dense_normalise(float *x, size_t count) { PL_DISPATCH(normalise, x, count); }
