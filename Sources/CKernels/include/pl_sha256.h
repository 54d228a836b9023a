// The compression function of SHA-256 (FIPS 180-4), by the CPU's SHA instructions where it has them.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Folds `count` blocks of 64 bytes into `state`.
void pl_sha256_compress(uint32_t state[8], const uint8_t *blocks, size_t count);

// The same without SHA instructions, so that tests can compare the two.
void pl_sha256_compress_portable(uint32_t state[8], const uint8_t *blocks, size_t count);
