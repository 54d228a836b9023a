// Dense layers in float32, and what lies between products of 8-bit codes, compiled for several instruction sets.
#include "pl_linear.h"

#include "pl_linear_internal.h"
#include "pl_scan.h"
#include "pl_vector.h"

typedef uint8_t v16u8 __attribute__((vector_size(16)));

#define PL_NAME(x) pl_linear_##x##_base
#define PL_TARGET
#if defined(__aarch64__)
#define PL_TILE_ROWS 4
#else
#define PL_TILE_ROWS 2
#endif
#define PL_TILE_WIDTH 1
#include "pl_vector_body.h"
#include "pl_linear_body.h"
#undef PL_NAME
#undef PL_TARGET
#undef PL_TILE_ROWS
#undef PL_TILE_WIDTH

#if defined(__x86_64__)
#define PL_NAME(x) pl_linear_##x##_avx2
#define PL_TARGET __attribute__((target("avx2,fma")))
#define PL_TILE_ROWS 6
#define PL_TILE_WIDTH 1
#include "pl_vector_body.h"
#include "pl_linear_body.h"
#undef PL_NAME
#undef PL_TARGET
#undef PL_TILE_ROWS
#undef PL_TILE_WIDTH

#define PL_NAME(x) pl_linear_##x##_avx512
#define PL_TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma")))
#define PL_TILE_ROWS 8
#define PL_TILE_WIDTH 3
#include "pl_vector_body.h"
#include "pl_linear_body.h"
#undef PL_NAME
#undef PL_TARGET
#undef PL_TILE_ROWS
#undef PL_TILE_WIDTH

#define PL_DISPATCH(name, ...)                                                     \
    do {                                                                           \
        int set = isa == PL_ISA_BEST ? pl_isa_best() : isa;                        \
        if (set == PL_ISA_AVX512) return pl_linear_##name##_avx512(__VA_ARGS__);   \
        if (set == PL_ISA_AVX2) return pl_linear_##name##_avx2(__VA_ARGS__);       \
        return pl_linear_##name##_base(__VA_ARGS__);                               \
    } while (0)
#else
#define PL_DISPATCH(name, ...)                        \
    do {                                              \
        (void)isa;                                    \
        return pl_linear_##name##_base(__VA_ARGS__);  \
    } while (0)
#endif

// Rows that the widest tile has: what scratch memory must hold.
#define PL_MOST_TILE_ROWS 8

void pl_linear_f32(int isa, const float *x, size_t x_stride, size_t rows, const float *packed, size_t inputs,
                   size_t outputs, const float *bias, int activation, float *out, size_t out_stride) {
    PL_DISPATCH(linear, x, x_stride, rows, packed, inputs, outputs, bias, activation, out, out_stride);
}

void pl_linear_quantise(int isa, const float *x, size_t x_stride, size_t rows, size_t columns, uint8_t *codes,
                        size_t code_stride, float *scales, float *lows) {
    PL_DISPATCH(quantise, x, x_stride, rows, columns, codes, code_stride, scales, lows);
}

size_t pl_attention_scratch(size_t tokens, size_t size) {
    size_t wide = (tokens + 15) & ~(size_t)15, deep = (size + 15) & ~(size_t)15;
    return size * wide + tokens * deep + PL_MOST_TILE_ROWS * (wide + deep);
}

void pl_attention(int isa, const float *qkv, size_t qkv_stride, size_t tokens, size_t heads, size_t size, float scale,
                  const float *bias, size_t bias_stride, float *out, size_t out_stride, float *scratch) {
    PL_DISPATCH(attention, qkv, qkv_stride, tokens, heads, size, scale, bias, bias_stride, out, out_stride, scratch);
}

void pl_linear_activate(int isa, int activation, float *out, size_t out_stride, size_t rows) {
    PL_DISPATCH(activate, activation, out, out_stride, rows);
}
