// SPDX-License-Identifier: MIT
/* sources: lib/fcaps.c */
/* File capabilities: what is accepted has its version's length, and comes back as it was but for unknown flags. */
/* fuzz: -max_len=64 */
#define FUZZ_MAX 4096
#include <assert.h>
#include "lib/test/fuzz.h"
#include <lib/fcaps.h>
#include <linux/capability.h>

static void fuzz_one(const u8 *p, size_t n)
{
	static const size_t sizes[] = { 0, XATTR_CAPS_SZ_1, XATTR_CAPS_SZ_2, XATTR_CAPS_SZ_3 };
	struct fcaps c, again;
	u8 out[FCAPS_MAX];

	if (fcaps_decode(p, n, &c))
		return;
	assert(c.version >= 1 && c.version <= 3 && n == sizes[c.version]);
	assert(p[3] == c.version && c.effective == (p[0] & 1));
	assert((c.version == 3) || !c.root);
	assert((c.version > 1) || !((c.permitted | c.inheritable) >> 32));
	if (c.version == 1)
		return;
	assert(fcaps_encode(&c, out) == n && !memcmp(out + 4, p + 4, n - 4) && out[0] == (p[0] & 1) && out[3] == p[3]);
	assert(!fcaps_decode(out, n, &again) && again.permitted == c.permitted && again.inheritable == c.inheritable && again.root == c.root);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const u8 v3[] = { 1, 0, 0, 3, 0, 0x20, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0xe8, 3, 0, 0 };
	static const size_t sizes[] = { 24, 20, 12, 4, 23, 21, 13, 24, 3, 20 };
	static const u8 versions[] = { 3, 2, 1, 3, 3, 2, 1, 4, 0, 2 };
	struct fcaps c;

	if (i >= sizeof(sizes) / sizeof(sizes[0]))
		return 0;
	memcpy(buf, v3, sizeof(v3));
	buf[3] = versions[i];
	buf[0] = i != 9;		/* in effect */
	if (i == 0) {
		assert(!fcaps_decode(v3, 24, &c) && c.effective && c.permitted == 0x0807060500002000 && c.inheritable == 0x0c0b0a0904030201 && c.root == 1000);
		assert(fcaps_decode(v3, 3, &c) && fcaps_decode(v3, 0, &c));
	}
	return sizes[i];
}
