// cblas.h comes from OpenBLAS itself, so that openblas_set_num_threads is declared beside the BLAS calls;
// lapacke.h is netlib's C interface, which Debian packages apart from OpenBLAS.
#pragma once
#include <cblas.h>
#include <lapacke.h>
