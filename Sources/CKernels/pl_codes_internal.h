// What the kernels on codes share among themselves.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Σ v·(u − 128) over `dimension` coordinates, without rounding.
typedef int32_t (*pl_codes_product_function)(const int16_t *values, size_t dimension, const uint8_t *codes);

// The product for one row on an instruction set, VNNI apart.
pl_codes_product_function pl_codes_product_for(int isa);

// Whether `isa` stands for one with VNNI on this CPU.
int pl_codes_has_vnni(int isa);
