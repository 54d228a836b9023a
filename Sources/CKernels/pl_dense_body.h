// The kernels of pl_dense.c, written once in sixteen-lane vectors. pl_dense.c includes this file once per
// instruction set with PL_NAME and PL_TARGET defined: the compiler splits the vectors to what the set has.

PL_TARGET static inline v16 PL_NAME(load)(const float *p) {
    v16 x;
    __builtin_memcpy(&x, p, sizeof x);
    return x;
}

PL_TARGET static inline void PL_NAME(store)(float *p, v16 x) { __builtin_memcpy(p, &x, sizeof x); }

// The first n < 16 values at p; the other lanes hold `fill`.
PL_TARGET static inline v16 PL_NAME(load_some)(const float *p, size_t n, float fill) {
    v16 x = splat(fill);
    for (size_t i = 0; i < n; i++) x[i] = p[i];
    return x;
}

PL_TARGET static inline void PL_NAME(store_some)(float *p, v16 x, size_t n) {
    for (size_t i = 0; i < n; i++) p[i] = x[i];
}

PL_TARGET static inline float PL_NAME(sum)(v16 x) {
    float half[8], quarter[4];
    for (int i = 0; i < 8; i++) half[i] = x[i] + x[i + 8];
    for (int i = 0; i < 4; i++) quarter[i] = half[i] + half[i + 4];
    return (quarter[0] + quarter[2]) + (quarter[1] + quarter[3]);
}

PL_TARGET static inline v16 PL_NAME(clamp)(v16 x, float low, float high) {
    return __builtin_elementwise_min(__builtin_elementwise_max(x, splat(low)), splat(high));
}

// e^x by 2^n * e^r with |r| <= ln2 / 2 and a polynomial of degree 6; relative error below 2e-7.
PL_TARGET static inline v16 PL_NAME(exp)(v16 x) {
    x = PL_NAME(clamp)(x, -87.0f, 88.0f);
    const v16 magic = splat(12582912.0f); // 1.5 * 2^23: adding it rounds to a whole number
    v16 shifted = x * splat(1.44269504f) + magic;
    v16 n = shifted - magic;
    v16 r = x - n * splat(0.693359375f);
    r = r + n * splat(2.12194440e-4f);
    v16 p = splat(1.3888889e-3f);
    p = p * r + splat(8.3333333e-3f);
    p = p * r + splat(4.1666667e-2f);
    p = p * r + splat(1.6666667e-1f);
    p = p * r + splat(0.5f);
    p = p * r + splat(1.0f);
    p = p * r + splat(1.0f);
    v16i power = ((v16i)shifted - (v16i)magic + 127) << 23;
    return p * (v16)power;
}

// erf as an odd rational function on [-4, 4] (the coefficients that Eigen uses); absolute error below 4e-7.
PL_TARGET static inline v16 PL_NAME(erf)(v16 x) {
    x = PL_NAME(clamp)(x, -4.0f, 4.0f);
    v16 s = x * x;
    v16 p = splat(-2.72614225801306e-10f);
    p = p * s + splat(2.77068142495902e-08f);
    p = p * s + splat(-2.10102402082508e-06f);
    p = p * s + splat(-5.69250639462346e-05f);
    p = p * s + splat(-7.34990630326855e-04f);
    p = p * s + splat(-2.95459980854025e-03f);
    p = p * s + splat(-1.60960333262415e-02f);
    v16 q = splat(-1.45660718464996e-05f);
    q = q * s + splat(-2.13374055278905e-04f);
    q = q * s + splat(-1.68282697438203e-03f);
    q = q * s + splat(-7.37332916720468e-03f);
    q = q * s + splat(-1.42647390514189e-02f);
    return x * p / q;
}

PL_TARGET static inline v16 PL_NAME(gelu_of)(v16 x) {
    return splat(0.5f) * x * (splat(1.0f) + PL_NAME(erf)(x * splat(0.70710678f)));
}

PL_TARGET static inline v16 PL_NAME(gelu_tanh_of)(v16 x) {
    // 0.5 x (1 + tanh y) = x / (1 + e^(-2y))
    v16 y = splat(0.79788456f) * (x + splat(0.044715f) * x * x * x);
    return x / (splat(1.0f) + PL_NAME(exp)(splat(-2.0f) * y));
}

PL_TARGET static inline v16 PL_NAME(relu_of)(v16 x) { return __builtin_elementwise_max(x, splat(0.0f)); }

PL_TARGET static inline v16 PL_NAME(same_of)(v16 x) { return x; }

#define PL_BIASED(name, function)                                                                          \
    PL_TARGET static void PL_NAME(name)(float *x, const float *bias, size_t rows, size_t columns) {        \
        for (size_t r = 0; r < rows; r++, x += columns) {                                                  \
            size_t c = 0;                                                                                  \
            for (; c + 16 <= columns; c += 16)                                                             \
                PL_NAME(store)(x + c, function(PL_NAME(load)(x + c) + PL_NAME(load)(bias + c)));           \
            if (c < columns) {                                                                             \
                size_t n = columns - c;                                                                    \
                v16 sum = PL_NAME(load_some)(x + c, n, 0) + PL_NAME(load_some)(bias + c, n, 0);            \
                PL_NAME(store_some)(x + c, function(sum), n);                                              \
            }                                                                                              \
        }                                                                                                  \
    }

PL_BIASED(add_bias, PL_NAME(same_of))
PL_BIASED(bias_gelu, PL_NAME(gelu_of))
PL_BIASED(bias_gelu_tanh, PL_NAME(gelu_tanh_of))
PL_BIASED(bias_relu, PL_NAME(relu_of))
#undef PL_BIASED

// Normalises one row in place, in two passes (mean, then the sum of squared differences).
PL_TARGET static inline void PL_NAME(norm_row)(float *row, const float *gain, const float *shift, float epsilon,
                                               size_t columns) {
    size_t whole = columns & ~(size_t)15, rest = columns - whole;
    v16 sums = splat(0.0f);
    for (size_t c = 0; c < whole; c += 16) sums += PL_NAME(load)(row + c);
    if (rest) sums += PL_NAME(load_some)(row + whole, rest, 0);
    float mean = PL_NAME(sum)(sums) / (float)columns;
    v16 squares = splat(0.0f);
    for (size_t c = 0; c < whole; c += 16) {
        v16 d = PL_NAME(load)(row + c) - splat(mean);
        squares += d * d;
    }
    if (rest) {
        v16 d = PL_NAME(load_some)(row + whole, rest, mean) - splat(mean);
        squares += d * d;
    }
    float scale = 1.0f / __builtin_sqrtf(PL_NAME(sum)(squares) / (float)columns + epsilon);
    for (size_t c = 0; c < whole; c += 16) {
        v16 d = (PL_NAME(load)(row + c) - splat(mean)) * splat(scale);
        PL_NAME(store)(row + c, d * PL_NAME(load)(gain + c) + PL_NAME(load)(shift + c));
    }
    for (size_t c = whole; c < columns; c++) row[c] = (row[c] - mean) * scale * gain[c] + shift[c];
}

PL_TARGET static void PL_NAME(residual_norm)(float *out, const float *x, const float *bias, const float *gain,
                                             const float *shift, float epsilon, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++, out += columns, x += columns) {
        for (size_t c = 0; c < columns; c++) out[c] = x[c] + bias[c] + out[c];
        PL_NAME(norm_row)(out, gain, shift, epsilon, columns);
    }
}

PL_TARGET static void PL_NAME(embed_norm)(float *out, const float *first, const float *second, const float *third,
                                          const float *gain, const float *shift, float epsilon, size_t columns) {
    for (size_t c = 0; c < columns; c++) out[c] = first[c] + (third ? third[c] : 0.0f) + second[c];
    PL_NAME(norm_row)(out, gain, shift, epsilon, columns);
}

PL_TARGET static void PL_NAME(softmax)(float *x, const float *bias, size_t rows, size_t columns) {
    size_t whole = columns & ~(size_t)15, rest = columns - whole;
    for (size_t r = 0; r < rows; r++, x += columns) {
        if (bias) {
            const float *row_bias = bias + (columns - 1 - r);
            for (size_t c = 0; c < columns; c++) x[c] += row_bias[c];
        }
        v16 tops = splat(-__builtin_inff());
        for (size_t c = 0; c < whole; c += 16) tops = __builtin_elementwise_max(tops, PL_NAME(load)(x + c));
        if (rest) tops = __builtin_elementwise_max(tops, PL_NAME(load_some)(x + whole, rest, -__builtin_inff()));
        float top = tops[0];
        for (int i = 1; i < 16; i++) top = tops[i] > top ? tops[i] : top;
        v16 sums = splat(0.0f);
        for (size_t c = 0; c < whole; c += 16) {
            v16 e = PL_NAME(exp)(PL_NAME(load)(x + c) - splat(top));
            PL_NAME(store)(x + c, e);
            sums += e;
        }
        if (rest) {
            v16 e = PL_NAME(exp)(PL_NAME(load_some)(x + whole, rest, top) - splat(top));
            PL_NAME(store_some)(x + whole, e, rest);
            sums += PL_NAME(load_some)(x + whole, rest, 0);
        }
        float scale = 1.0f / PL_NAME(sum)(sums);
        for (size_t c = 0; c < columns; c++) x[c] *= scale;
    }
}

PL_TARGET static void PL_NAME(mean_rows)(const float *x, size_t rows, size_t columns, float *out) {
    for (size_t c = 0; c < columns; c++) out[c] = x[c];
    for (size_t r = 1; r < rows; r++)
        for (size_t c = 0; c < columns; c++) out[c] += x[r * columns + c];
    float scale = 1.0f / (float)rows;
    for (size_t c = 0; c < columns; c++) out[c] *= scale;
}

PL_TARGET static float PL_NAME(normalise)(float *x, size_t count) {
    size_t whole = count & ~(size_t)15, rest = count - whole;
    v16 squares = splat(0.0f);
    for (size_t c = 0; c < whole; c += 16) {
        v16 v = PL_NAME(load)(x + c);
        squares += v * v;
    }
    if (rest) {
        v16 v = PL_NAME(load_some)(x + whole, rest, 0);
        squares += v * v;
    }
    float length = __builtin_sqrtf(PL_NAME(sum)(squares));
    if (length < 1e-12f) return length;
    float scale = 1.0f / length;
    for (size_t c = 0; c < count; c++) x[c] *= scale;
    return length;
}

PL_TARGET static void PL_NAME(widen_f16)(const uint8_t *in, float *out, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        __builtin_memcpy(&half, in + 2 * i, sizeof half);
        // The exponent is moved by a product with 2^112, which is exact and mends subnormals on the way.
        uint32_t bits = (uint32_t)(half & 0x7FFF) << 13;
        float value;
        __builtin_memcpy(&value, &bits, sizeof value);
        value *= 0x1p112f;
        __builtin_memcpy(&bits, &value, sizeof bits);
        bits |= (half & 0x7C00) == 0x7C00 ? 0x7F800000u : 0;
        bits |= (uint32_t)(half & 0x8000) << 16;
        __builtin_memcpy(out + i, &bits, sizeof bits);
    }
}

PL_TARGET static void PL_NAME(widen_bf16)(const uint8_t *in, float *out, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        __builtin_memcpy(&half, in + 2 * i, sizeof half);
        uint32_t bits = (uint32_t)half << 16;
        __builtin_memcpy(out + i, &bits, sizeof bits);
    }
}

PL_TARGET static int PL_NAME(all_finite)(const float *x, size_t count) {
    uint32_t bad = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        __builtin_memcpy(&bits, x + i, sizeof bits);
        bad |= (uint32_t)((bits & 0x7F800000u) == 0x7F800000u);
    }
    return bad == 0;
}
