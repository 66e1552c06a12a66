// SPDX-License-Identifier: MIT
/* sources: lib/inflate.c */
/* fuzz: -max_len=1024 */
/* gzip members: any bytes end in output within its buffer or an error. */
#include "lib/test/fuzz_unpack.h"

static void fuzz_one(const u8 *p, size_t n)
{
	unpack_one(p, n, gunzip);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	/* "hello" stored, as RFC 1951, 3.2.4 has it; the others by the host's gzip. */
	static const u8 stored[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 5, 0, 0xfa, 0xff, 'h', 'e', 'l', 'l', 'o',
				     0x86, 0xa6, 0x10, 0x36, 5, 0, 0, 0 };
	static const char *const make[] = { "seq 300 | gzip -9n", "head -c 3000 /dev/zero | gzip -n", "seq 5000 | gzip -1n 2>/dev/null" };

	if (i == 0) {
		memcpy(buf, stored, sizeof(stored));
		return sizeof(stored);
	}
	if (i == 4) {		/* a length, and a distance of a code that means nothing */
		memcpy(buf, "\x1f\x8b\x08\0\0\0\0\0\0\3\x4b\x04\x3e\0\0\0\0\0\0\0\0\0", 22);
		return 22;
	}
	return i <= 3 ? output_of(make[i - 1], buf) : 0;
}
