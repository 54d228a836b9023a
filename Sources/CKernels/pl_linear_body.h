// The kernels of pl_linear.c. pl_linear.c includes this file once per instruction set, after pl_vector_body.h, with
// PL_TILE_ROWS and PL_TILE_WIDTH: how many rows and how many vectors of sixteen outputs of one tile stay in registers.

// --- Tiles: out (R, 16 · W) = x (R, inputs) · panel (inputs, 16 · W of panel_stride) ---

// `ahead`, if not null, walks through memory that comes next, one row of a panel at a time.
#define PL_TILE(R, W)                                                                                                  \
    PL_TARGET static void PL_NAME(tile_##R##_##W)(const float *x, size_t x_stride, size_t inputs, const float *panel,  \
                                                  size_t panel_stride, const float *bias, float *out,                  \
                                                  size_t out_stride, const float *ahead) {                             \
        v16 sums[R][W];                                                                                                \
        _Pragma("clang loop unroll(full)") for (int r = 0; r < R; r++)                                                 \
            _Pragma("clang loop unroll(full)") for (int w = 0; w < W; w++)                                             \
                sums[r][w] = bias ? PL_NAME(load)(bias + 16 * w) : splat(0.0f);                                        \
        for (size_t i = 0; i < inputs; i++) {                                                                          \
            v16 weights[W];                                                                                            \
            _Pragma("clang loop unroll(full)") for (int w = 0; w < W; w++)                                             \
                weights[w] = PL_NAME(load)(panel + i * panel_stride + 16 * w);                                         \
            if (ahead)                                                                                                 \
                for (int w = 0; w < W; w++) __builtin_prefetch(ahead + i * panel_stride + 16 * w, 0, 2);               \
            _Pragma("clang loop unroll(full)") for (int r = 0; r < R; r++) {                                           \
                float value = x[(size_t)r * x_stride + i];                                                             \
                _Pragma("clang loop unroll(full)") for (int w = 0; w < W; w++)                                         \
                    sums[r][w] = sums[r][w] + splat(value) * weights[w];                                               \
            }                                                                                                          \
        }                                                                                                              \
        _Pragma("clang loop unroll(full)") for (int r = 0; r < R; r++)                                                 \
            _Pragma("clang loop unroll(full)") for (int w = 0; w < W; w++)                                             \
                PL_NAME(store)(out + (size_t)r * out_stride + 16 * w, sums[r][w]);                                     \
    }

#if PL_TILE_WIDTH == 3
#define PL_TILES(R) PL_TILE(R, 1) PL_TILE(R, 2) PL_TILE(R, 3)
#define PL_TILE_CASE(R)                                                                                                \
    case R:                                                                                                            \
        if (width == 3) PL_NAME(tile_##R##_3)(x, x_stride, inputs, panel, panel_stride, bias, out, out_stride, ahead); \
        else if (width == 2) PL_NAME(tile_##R##_2)(x, x_stride, inputs, panel, panel_stride, bias, out, out_stride, ahead); \
        else PL_NAME(tile_##R##_1)(x, x_stride, inputs, panel, panel_stride, bias, out, out_stride, ahead);            \
        break;
#else
#define PL_TILES(R) PL_TILE(R, 1)
#define PL_TILE_CASE(R)                                                                                                \
    case R: PL_NAME(tile_##R##_1)(x, x_stride, inputs, panel, panel_stride, bias, out, out_stride, ahead); break;
#endif
PL_TILES(1)
PL_TILES(2)
#if PL_TILE_ROWS > 2
PL_TILES(3)
PL_TILES(4)
#endif
#if PL_TILE_ROWS > 4
PL_TILES(5)
PL_TILES(6)
#endif
#if PL_TILE_ROWS > 6
PL_TILES(7)
PL_TILES(8)
#endif

// One tile of at most PL_TILE_ROWS rows and PL_TILE_WIDTH vectors.
PL_TARGET static void PL_NAME(tile)(size_t rows, size_t width, const float *x, size_t x_stride, size_t inputs,
                                    const float *panel, size_t panel_stride, const float *bias, float *out,
                                    size_t out_stride, const float *ahead) {
    (void)width;
    switch (rows) {
        PL_TILE_CASE(1)
        PL_TILE_CASE(2)
#if PL_TILE_ROWS > 2
        PL_TILE_CASE(3)
        PL_TILE_CASE(4)
#endif
#if PL_TILE_ROWS > 4
        PL_TILE_CASE(5)
        PL_TILE_CASE(6)
#endif
#if PL_TILE_ROWS > 6
        PL_TILE_CASE(7)
        PL_TILE_CASE(8)
#endif
    }
}
#undef PL_TILE
#undef PL_TILES
#undef PL_TILE_CASE

// out (rows, 16 · width) = x (rows, inputs) · panel, in tiles. `ahead` goes with the first rows only.
PL_TARGET static void PL_NAME(product)(size_t rows, size_t width, const float *x, size_t x_stride, size_t inputs,
                                       const float *panel, size_t panel_stride, const float *bias, float *out,
                                       size_t out_stride, const float *ahead) {
    for (size_t r = 0; r < rows; r += PL_TILE_ROWS) {
        size_t height = rows - r < PL_TILE_ROWS ? rows - r : PL_TILE_ROWS;
        for (size_t w = 0; w < width; w += PL_TILE_WIDTH) {
            size_t part = width - w < PL_TILE_WIDTH ? width - w : PL_TILE_WIDTH;
            PL_NAME(tile)(height, part, x + r * x_stride, x_stride, inputs, panel + 16 * w, panel_stride,
                          bias ? bias + 16 * w : 0, out + r * out_stride + 16 * w, out_stride,
                          r == 0 && ahead ? ahead + 16 * w : 0);
        }
    }
}

// --- Dense layers ---

PL_TARGET static void PL_NAME(activate)(int activation, float *out, size_t out_stride, size_t rows) {
    for (size_t r = 0; r < rows; r++, out += out_stride) {
        for (size_t c = 0; c < PL_LINEAR_PANEL; c += 16) {
            v16 x = PL_NAME(load)(out + c);
            switch (activation) {
            case PL_LINEAR_GELU: x = PL_NAME(gelu_of)(x); break;
            case PL_LINEAR_GELU_TANH: x = PL_NAME(gelu_tanh_of)(x); break;
            case PL_LINEAR_RELU: x = PL_NAME(relu_of)(x); break;
            }
            PL_NAME(store)(out + c, x);
        }
    }
}

PL_TARGET static void PL_NAME(linear)(const float *x, size_t x_stride, size_t rows, const float *packed, size_t inputs,
                                      size_t outputs, const float *bias, int activation, float *out,
                                      size_t out_stride) {
    for (size_t o = 0; o < outputs; o += PL_LINEAR_PANEL) {
        const float *panel = packed + o * inputs;
        const float *ahead = o + PL_LINEAR_PANEL < outputs ? panel + inputs * PL_LINEAR_PANEL : 0;
        PL_NAME(product)(rows, PL_LINEAR_PANEL / 16, x, x_stride, inputs, panel, PL_LINEAR_PANEL, bias ? bias + o : 0,
                         out + o, out_stride, ahead);
        if (activation != PL_LINEAR_PLAIN) PL_NAME(activate)(activation, out + o, out_stride, rows);
    }
}

PL_TARGET static void PL_NAME(quantise)(const float *x, size_t x_stride, size_t rows, size_t columns, uint8_t *codes,
                                        size_t code_stride, float *scales, float *lows) {
    const v16 magic = splat(12582912.0f); // 1.5 * 2^23: adding it rounds to a whole number
    size_t whole = columns & ~(size_t)15, rest = columns - whole;
    for (size_t r = 0; r < rows; r++, x += x_stride, codes += code_stride) {
        v16 least = splat(x[0]), most = splat(x[0]), finite = splat(0.0f);
        for (size_t c = 0; c < whole; c += 16) {
            v16 v = PL_NAME(load)(x + c);
            least = __builtin_elementwise_min(least, v);
            most = __builtin_elementwise_max(most, v);
            finite += v * splat(0.0f); // stays 0 unless something is infinite or not a number
        }
        if (rest) {
            v16 v = PL_NAME(load_some)(x + whole, rest, x[0]);
            least = __builtin_elementwise_min(least, v);
            most = __builtin_elementwise_max(most, v);
            finite += v * splat(0.0f);
        }
        float low = least[0], high = most[0];
        for (int i = 1; i < 16; i++) {
            low = least[i] < low ? least[i] : low;
            high = most[i] > high ? most[i] : high;
        }
        float range = high - low;
        v16 inverse = splat(range > 0.0f ? 255.0f / range : 0.0f);
        scales[r] = range / 255.0f;
        lows[r] = low + PL_NAME(sum)(finite);
        for (size_t c = 0; c < whole; c += 16) {
            v16 shifted = (PL_NAME(load)(x + c) - splat(low)) * inverse + magic;
            v16u8 bytes = __builtin_convertvector((v16i)shifted - (v16i)magic, v16u8);
            __builtin_memcpy(codes + c, &bytes, sizeof bytes);
        }
        if (rest) {
            v16 shifted = (PL_NAME(load_some)(x + whole, rest, low) - splat(low)) * inverse + magic;
            v16u8 bytes = __builtin_convertvector((v16i)shifted - (v16i)magic, v16u8);
            __builtin_memcpy(codes + whole, &bytes, rest);
        }
        for (size_t c = columns; c < code_stride; c++) codes[c] = 0;
    }
}

// --- Attention ---

PL_TARGET static void PL_NAME(attention)(const float *qkv, size_t qkv_stride, size_t tokens, size_t heads, size_t size,
                                         float scale, const float *bias, size_t bias_stride, float *out,
                                         size_t out_stride, float *scratch) {
    const size_t wide = (tokens + 15) & ~(size_t)15, deep = (size + 15) & ~(size_t)15;
    const size_t whole = tokens & ~(size_t)15, rest = tokens - whole;
    float *keys = scratch;                      // (size, wide): the transposed keys, 0 beyond the tokens
    float *values = keys + size * wide;         // (tokens, deep), 0 beyond the size
    float *scores = values + tokens * deep;     // (PL_TILE_ROWS, wide)
    float *mixed = scores + PL_TILE_ROWS * wide; // (PL_TILE_ROWS, deep)
    for (size_t h = 0; h < heads; h++) {
        const float *q = qkv + h * size, *k = q + heads * size, *v = k + heads * size;
        for (size_t u = 0; u < wide; u++)
            for (size_t i = 0; i < size; i++) keys[i * wide + u] = u < tokens ? k[u * qkv_stride + i] : 0.0f;
        for (size_t u = 0; u < tokens; u++)
            for (size_t i = 0; i < deep; i++) values[u * deep + i] = i < size ? v[u * qkv_stride + i] : 0.0f;
        for (size_t t = 0; t < tokens; t += PL_TILE_ROWS) {
            size_t height = tokens - t < PL_TILE_ROWS ? tokens - t : PL_TILE_ROWS;
            float totals[PL_TILE_ROWS];
            PL_NAME(product)(height, wide / 16, q + t * qkv_stride, qkv_stride, size, keys, wide, 0, scores, wide, 0);
            for (size_t r = 0; r < height; r++) {
                float *row = scores + r * wide;
                const float *added = bias ? bias + h * bias_stride + (tokens - 1 - (t + r)) : 0;
                v16 tops = splat(-__builtin_inff());
                // Stays 0 unless a score is infinite or not a number, which the greatest and exp would hide.
                v16 finite = splat(0.0f);
                float rest_finite = 0.0f;
                for (size_t c = 0; c < whole; c += 16) {
                    v16 x = PL_NAME(load)(row + c) * splat(scale);
                    if (added) x += PL_NAME(load)(added + c);
                    PL_NAME(store)(row + c, x);
                    tops = __builtin_elementwise_max(tops, x);
                    finite += x * splat(0.0f);
                }
                float top = tops[0];
                for (int i = 1; i < 16; i++) top = tops[i] > top ? tops[i] : top;
                for (size_t c = whole; c < tokens; c++) {
                    row[c] = row[c] * scale + (added ? added[c] : 0.0f);
                    top = row[c] > top ? row[c] : top;
                    rest_finite += row[c] * 0.0f;
                }
                v16 sums = splat(0.0f);
                for (size_t c = 0; c < whole; c += 16) {
                    v16 e = PL_NAME(exp)(PL_NAME(load)(row + c) - splat(top));
                    PL_NAME(store)(row + c, e);
                    sums += e;
                }
                if (rest) {
                    v16 e = PL_NAME(exp)(PL_NAME(load)(row + whole) - splat(top));
                    PL_NAME(store)(row + whole, e);
                    for (size_t c = rest; c < 16; c++) e[c] = 0.0f;
                    sums += e;
                }
                totals[r] = PL_NAME(sum)(sums) + PL_NAME(sum)(finite) + rest_finite;
            }
            PL_NAME(product)(height, deep / 16, scores, wide, tokens, values, deep, 0, mixed, deep, 0);
            for (size_t r = 0; r < height; r++) {
                float share = 1.0f / totals[r];
                for (size_t i = 0; i < size; i++) out[(t + r) * out_stride + h * size + i] = mixed[r * deep + i] * share;
            }
        }
    }
}
