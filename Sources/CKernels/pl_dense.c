// Float32 kernels of a transformer encoder, compiled for several instruction sets and chosen when called.
#include "pl_dense.h"

#include "pl_vector.h"

#define PL_NAME(x) x##_base
#define PL_TARGET
#include "pl_vector_body.h"
#include "pl_dense_body.h"
#undef PL_NAME
#undef PL_TARGET

#if defined(__x86_64__)
#define PL_NAME(x) x##_avx2
#define PL_TARGET __attribute__((target("avx2,fma")))
#include "pl_vector_body.h"
#include "pl_dense_body.h"
#undef PL_NAME
#undef PL_TARGET

#define PL_NAME(x) x##_avx512
#define PL_TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma")))
#include "pl_vector_body.h"
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

void pl_dense_embed_norm(float *out, const float *first, const float *second, const float *third, const float *gain,
                         const float *shift, float epsilon, size_t columns) {
    PL_DISPATCH(embed_norm, out, first, second, third, gain, shift, epsilon, columns);
}

void pl_dense_mean_rows(const float *x, size_t rows, size_t columns, size_t stride, float *out) {
    PL_DISPATCH(mean_rows, x, rows, columns, stride, out);
}

float pl_dense_normalise(float *x, size_t count) { PL_DISPATCH(normalise, x, count); }

void pl_dense_sum_norm(float *state, const float *parts, size_t part_count, size_t part_stride, const float *bias,
                       const float *gain, const float *shift, float epsilon, size_t rows, size_t columns,
                       size_t stride) {
    PL_DISPATCH(sum_norm, state, parts, part_count, part_stride, bias, gain, shift, epsilon, rows, columns, stride);
}
