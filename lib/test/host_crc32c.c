// SPDX-License-Identifier: MIT
/* sources: lib/crc32c.c */
/*
 * CRC-32C against RFC 3720's examples (B.4), and against a bit at a time for all lengths and
 * alignments.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <lib/crc32c.h>

static u32 slow(u32 crc, const u8 *p, size_t n)
{
	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
	}
	return crc;
}

int main(void)
{
	u8 b[96];

	memset(b, 0, 32);
	assert(~crc32c(~0u, b, 32) == 0x8a9136aau);
	memset(b, 0xff, 32);
	assert(~crc32c(~0u, b, 32) == 0x62a8ab43u);
	for (u8 i = 0; i < 32; i++)
		b[i] = i;
	assert(~crc32c(~0u, b, 32) == 0x46dd794eu);
	assert(~crc32c(~0u, "123456789", 9) == 0xe3069283u);
	for (u32 i = 0; i < sizeof(b); i++)
		b[i] = (u8)(i * 73 + 11);
	for (u32 at = 0; at < 9; at++)
		for (u32 n = 0; n + at <= sizeof(b); n++)
			assert(crc32c(0x12345678u, b + at, n) == slow(0x12345678u, b + at, n));
	assert(crc32c(crc32c(7, b, 13), b + 13, 40) == crc32c(7, b, 53));
	puts("ok");
	return 0;
}
