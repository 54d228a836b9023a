// Sixteen-lane vectors, which the compiler splits to what an instruction set has.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef float v16 __attribute__((vector_size(64)));
typedef int32_t v16i __attribute__((vector_size(64)));

#define splat(value) ((v16){(value), (value), (value), (value), (value), (value), (value), (value), \
                            (value), (value), (value), (value), (value), (value), (value), (value)})

// Vectors are passed between inlined functions only, so that the width a target has changes no calling convention.
#pragma clang diagnostic ignored "-Wpsabi"
