// SPDX-License-Identifier: MIT
/*
 * CRC-32C, eight bytes a step: table k gives what a byte does to the checksum k bytes later. The
 * tables are made when they are first needed; two CPUs that make them at the same time write the
 * same numbers.
 */
#include <lib/crc32c.h>
#include <lib/atomic.h>
#include <lib/byteorder.h>
#include <lib/string.h>

#define POLY 0x82f63b78u	/* reflected */

static u32 table[8][256];
static bool ready;

static void make_tables(void)
{
	for (u32 i = 0; i < 256; i++) {
		u32 c = i;

		for (int k = 0; k < 8; k++)
			c = c >> 1 ^ (POLY & (0u - (c & 1)));
		__atomic_store_n(&table[0][i], c, __ATOMIC_RELAXED);
	}
	for (u32 i = 0; i < 256; i++) {
		for (int k = 1; k < 8; k++) {
			u32 c = table[k - 1][i];

			__atomic_store_n(&table[k][i], c >> 8 ^ table[0][c & 255],
					 __ATOMIC_RELAXED);
		}
	}
	__atomic_store_n(&ready, true, __ATOMIC_RELEASE); /* pairs with the acquire in crc32c() */
}

static u32 bytewise(u32 crc, const u8 *b, size_t n)
{
	while (n--)
		crc = crc >> 8 ^ table[0][(crc ^ *b++) & 255];
	return crc;
}

u32 crc32c(u32 crc, const void *p, size_t n)
{
	const u8 *b = p;

	if (unlikely(!__atomic_load_n(&ready, __ATOMIC_ACQUIRE)))
		make_tables();
	for (; n >= 8; n -= 8, b += 8) {
		u32 w[2];

		memcpy(w, b, sizeof(w));
		w[0] = le32_raw(w[0]) ^ crc;
		w[1] = le32_raw(w[1]);
		crc = table[7][w[0] & 255] ^ table[6][w[0] >> 8 & 255] ^
		      table[5][w[0] >> 16 & 255] ^ table[4][w[0] >> 24] ^ table[3][w[1] & 255] ^
		      table[2][w[1] >> 8 & 255] ^ table[1][w[1] >> 16 & 255] ^ table[0][w[1] >> 24];
	}
	return bytewise(crc, b, n);
}
