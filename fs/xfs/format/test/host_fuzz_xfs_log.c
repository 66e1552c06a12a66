// SPDX-License-Identifier: MIT
/* sources: fs/xfs/format/log.c fs/xfs/format/sb.c */
/*
 * The log of 2048 units: the input is what stands in its first blocks and, in 32 bytes each, in
 * some others; whatever it says the search ends.
 */
/* fuzz: -max_len=4096 */
#define FUZZ_MAX 4096
#define FUZZ_ROUNDS 20000
#include "fs/xfs/format/test/fuzz_xfs.h"
#include "fs/xfs/format/log.h"

struct input {
	const u8 *p;
	size_t n;
	unsigned long reads;
};

/* Blocks are given by the input, 32 bytes each, again and again. */
static int read_block(void *ctx, u64 bb, void *buf)
{
	struct input *in = ctx;
	u64 at = in->n ? bb * 32 % in->n : 0;

	assert(bb < 2048 && ++in->reads < 2000);
	memset(buf, 0, 512);
	if (in->n > at)
		memcpy(buf, in->p + at, in->n - at < 512 ? in->n - at : 512);
	return in->n == 13 ? -5 : 0;
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct input in = { p, n, 0 };
	struct xfs_log_reader r = { read_block, &in };
	struct xfs_log_state s;
	struct xfs_fault f = { 0 };
	u8 buf[512];
	int e = xfs_log_inspect(&geometry, &r, buf, &s, &f);

	assert(!e || e == -5);
	assert(e || s.head < 2048);
}

static size_t fuzz_seed(unsigned int i, u8 *b)
{
	if (i > 1)
		return 0;
	memset(b, 0, 4096);
	put_be(b, XFS_LOG_MAGIC, 4);
	put_be(b + 4, 1, 4);
	put_be(b + 8, 2, 4);
	put_be(b + 12, 512, 4);
	put_be(b + 40, 1, 4);
	put_be(b + 300, 1, 4);
	put_be(b + 320, 32768, 4);
	put_be(b + 32, 1, 4);
	b[32 + 9] = 0x20;
	return i ? 64 : 4096;
}
