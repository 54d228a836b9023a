// CRC-32C (Castagnoli; RFC 3720, appendix B.4), by the CPU's CRC instructions where it has them.
#pragma once
#include <stddef.h>
#include <stdint.h>

// The checksum of what `crc` is the checksum of, followed by `count` bytes; 0 is the checksum of nothing.
uint32_t pl_crc32c(uint32_t crc, const uint8_t *bytes, size_t count);

// The same without CRC instructions, so that tests can compare the two.
uint32_t pl_crc32c_portable(uint32_t crc, const uint8_t *bytes, size_t count);

// Whether pl_crc32c uses the CPU's instructions.
int pl_crc32c_is_accelerated(void);
