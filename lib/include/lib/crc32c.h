/* SPDX-License-Identifier: MIT */
/*
 * CRC-32C (Castagnoli; RFC 3720, B.4): polynomial 0x1edc6f41, bits reflected, no inversion at
 * either end: callers begin with ~0 and invert the result.
 */
#pragma once

#include <lib/types.h>

u32 crc32c(u32 crc, const void *p, size_t n);
