// Vector helpers of the float32 kernels, written once in sixteen lanes. A file that includes this once per instruction
// set defines PL_NAME and PL_TARGET before: the compiler splits the vectors to what the set has.

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

PL_TARGET static inline v16 PL_NAME(relu_of)(v16 x) { 
    // The greater of the two would hide what is not a number.
    return __builtin_elementwise_max(x, splat(0.0f)) + x * splat(0.0f);
}
