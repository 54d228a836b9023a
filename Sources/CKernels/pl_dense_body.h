// The kernels of pl_dense.c. pl_dense.c includes this file once per instruction set, after pl_vector_body.h.

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

PL_TARGET static void PL_NAME(sum_norm)(float *state, const float *parts, size_t part_count, size_t part_stride,
                                        const float *bias, const float *gain, const float *shift, float epsilon,
                                        size_t rows, size_t columns, size_t stride) {
    for (size_t r = 0; r < rows; r++, state += stride, parts += stride) {
        size_t c = 0;
        for (; c + 16 <= columns; c += 16) {
            v16 sum = PL_NAME(load)(parts + c);
            for (size_t p = 1; p < part_count; p++) sum += PL_NAME(load)(parts + p * part_stride + c);
            PL_NAME(store)(state + c, sum + PL_NAME(load)(bias + c) + PL_NAME(load)(state + c));
        }
        for (; c < columns; c++) {
            float sum = parts[c];
            for (size_t p = 1; p < part_count; p++) sum += parts[p * part_stride + c];
            state[c] = sum + bias[c] + state[c];
        }
        PL_NAME(norm_row)(state, gain, shift, epsilon, columns);
    }
}

PL_TARGET static void PL_NAME(embed_norm)(float *out, const float *first, const float *second, const float *third,
                                          const float *gain, const float *shift, float epsilon, size_t columns) {
    for (size_t c = 0; c < columns; c++) out[c] = first[c] + (third ? third[c] : 0.0f) + second[c];
    PL_NAME(norm_row)(out, gain, shift, epsilon, columns);
}

PL_TARGET static void PL_NAME(mean_rows)(const float *x, size_t rows, size_t columns, size_t stride, float *out) {
    for (size_t c = 0; c < columns; c++) out[c] = x[c];
    for (size_t r = 1; r < rows; r++)
        for (size_t c = 0; c < columns; c++) out[c] += x[r * stride + c];
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
