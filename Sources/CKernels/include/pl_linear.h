// Dense layers and attention for few rows: weights packed once into panels, bias and activation fused into the product.
//
// A panel holds PL_LINEAR_PANEL outputs, padded with zeros: (inputs, panel) in float32; in 8 bits (inputs / 4, panel, 4),
// the inputs padded to a multiple of 4 with zeros. Panels follow one another. Every kernel adds up the inputs in their
// order, each output by itself, so that a row's result does not depend on the rows beside it.
//
// `out_stride` must be at least `outputs` rounded up to whole panels: kernels write whole panels.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define PL_LINEAR_PANEL 48

enum { PL_LINEAR_PLAIN = 0, PL_LINEAR_GELU = 1, PL_LINEAR_GELU_TANH = 2, PL_LINEAR_RELU = 3 };

// out (rows, outputs) = activation(x · weights + bias).
// x: (rows, inputs), its rows x_stride apart; packed: float32 panels; bias: (outputs rounded up to panels) or null.
void pl_linear_f32(int isa, const float *x, size_t x_stride, size_t rows, const float *packed, size_t inputs,
                   size_t outputs, const float *bias, int activation, float *out, size_t out_stride);

// Rows in 8 bits: x[r][i] ≈ lows[r] + scales[r] * codes[r * stride + i]; `stride` is a multiple of 4, and codes beyond
// the inputs are 0.
typedef struct {
    const uint8_t *codes;
    const float *scales;
    const float *lows;
    size_t stride;
} pl_linear_rows;

// Weights in 8 bits: weight[i][o] ≈ scales[o] * code; sums[o] = Σ code over the inputs. Padding outputs are 0 in all.
typedef struct {
    const int8_t *packed;
    const float *scales;
    const float *sums;
    size_t inputs;
    size_t outputs;
} pl_linear_codes;

// The same product as pl_linear_f32 of what the codes stand for; the products of codes are added up in integers.
void pl_linear_i8(int isa, const pl_linear_rows *x, size_t rows, const pl_linear_codes *weights, const float *bias,
                  int activation, float *out, size_t out_stride);

// Codes of each row of x: its least value becomes 0 and its greatest 255. Writes `code_stride` codes a row, 0 beyond
// `columns`. Values that are not finite make scale or low not finite.
void pl_linear_quantise(int isa, const float *x, size_t x_stride, size_t rows, size_t columns, uint8_t *codes,
                        size_t code_stride, float *scales, float *lows);

// Attention within one text: out[t][h] = Σ softmax(scale · q[t]·k[u] + bias[u − t]) v[u], for `heads` heads of `size`.
// qkv: (tokens, ≥ 3 · heads · size), queries of all heads first, then keys, then values; rows qkv_stride apart.
// out: (tokens, heads · size), rows out_stride apart.
// bias: null, or for each head, bias_stride apart, 2 · tokens − 1 numbers: element tokens − 1 + u − t is added.
// scratch: pl_attention_scratch(tokens, size) floats.
void pl_attention(int isa, const float *qkv, size_t qkv_stride, size_t tokens, size_t heads, size_t size, float scale,
                  const float *bias, size_t bias_stride, float *out, size_t out_stride, float *scratch);
size_t pl_attention_scratch(size_t tokens, size_t size);

// For a thread that waits for another one in a loop.
static inline void pl_cpu_relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
