// SPDX-License-Identifier: MIT
/* Random numbers: what a stream keeps, and what it forgets. */
#include <lib/types.h>
#include <lib/crypto.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/ktest.h>
#include <kernel/random.h>

#define LOT (RNG_STREAM_BLOCKS * CHACHA_BLOCK_SIZE)

/* Whether the N bytes at WHAT are anywhere in the LEN bytes at BUF. */
static bool holds(const u8 *buf, size_t len, const void *what, size_t n)
{
	for (size_t i = 0; i + n <= len; i++)
		if (!memcmp(buf + i, what, n))
			return true;
	return false;
}

KTEST(random_stream_changes_its_key)
{
	struct rng_stream s = { 0 };
	u8 *out = kmalloc(LOT + CHACHA_BLOCK_SIZE, GFP_KERNEL), again[CHACHA_BLOCK_SIZE];
	u32 key[8];

	KT_ASSERT(out);
	rng_stream_bytes(&s, out, CHACHA_BLOCK_SIZE);
	memcpy(key, s.key, sizeof(key));
	rng_stream_bytes(&s, out + CHACHA_BLOCK_SIZE, LOT - CHACHA_BLOCK_SIZE);
	KT_ASSERT(!memcmp(key, s.key, sizeof(key)));
	KT_ASSERT(!holds(out, LOT, key, sizeof(key)));
	chacha20_block(key, 0, 0, again);
	KT_ASSERT(!memcmp(again, out, sizeof(again)));
	rng_stream_bytes(&s, out + LOT, CHACHA_BLOCK_SIZE);
	KT_ASSERT(memcmp(key, s.key, sizeof(key)));
	chacha20_block(s.key, 0, 0, again);
	KT_ASSERT(!memcmp(again, out + LOT, sizeof(again)));
	KT_ASSERT(!holds(out, LOT, out + LOT, 16));
	rng_stream_end(&s);
	for (unsigned int i = 0; i < 8; i++)
		KT_EQ(s.key[i], 0);
	KT_EQ(s.counter, 0);
	kfree(out);
}

KTEST(random_lengths_are_exact)
{
	static const size_t lengths[] = { 1, 63, 64, 65, 255, 256, 257, 300, 319, 320, 1000 };
	u8 buf[1024 + 16], other[1024];

	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		size_t n = lengths[i], zeros = 0;

		memset(buf, 0, sizeof(buf));
		get_random_bytes(buf, n);
		for (size_t k = n; k < sizeof(buf); k++)
			KT_EQ(buf[k], 0);
		for (size_t k = 0; k < n; k++)
			zeros += !buf[k];
		KT_ASSERT(zeros <= n / 16 + 3);
		get_random_bytes(other, n);
		KT_ASSERT(n < 16 || memcmp(buf, other, n));
	}
}
