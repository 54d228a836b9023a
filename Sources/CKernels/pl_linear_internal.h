// What the files of pl_linear.h share among themselves.
#pragma once
#include <stddef.h>

// The activation, in place, of `rows` rows of one panel.
void pl_linear_activate(int isa, int activation, float *out, size_t out_stride, size_t rows);
