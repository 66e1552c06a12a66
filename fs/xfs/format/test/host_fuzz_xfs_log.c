// SPDX-License-Identifier: MIT
/* sources: fs/xfs/format/log.c fs/xfs/format/logrec.c fs/xfs/format/sb.c */
/*
 * The log of 2048 units: the input is what stands in its first blocks and, in 32 bytes each, in
 * some others. Whatever it says, the search ends, and what is accepted as a record lies in memory.
 */
/* fuzz: -max_len=4096 */
#define FUZZ_MAX 4096
#define FUZZ_ROUNDS 3000
#include "fs/xfs/format/test/fuzz_xfs.h"
#include "fs/xfs/format/log.h"
#include "fs/xfs/format/log_priv.h"

/* All checksums fit; the bytes are read as far as it would. */
u32 crc32c(u32 crc, const void *p, size_t n)
{
	u8 sum = 0;

	for (size_t i = 0; i < n; i++)
		sum |= ((const volatile u8 *)p)[i];
	return sum == 1 ? crc : 0;
}

struct input {
	const u8 *p;
	size_t n;
	unsigned long reads;
};

/* Blocks are given by the input, 32 bytes each, again and again. */
static int read_blocks(void *ctx, u64 bb, u32 n, void *buf)
{
	struct input *in = ctx;

	assert(n && bb < 2048 && n <= 2048 - bb && ++in->reads < 100000);
	memset(buf, 0, (size_t)n * 512);
	for (u32 i = 0; i < n; i++) {
		u64 at = in->n ? (bb + i) * 32 % in->n : 0;

		if (in->n > at)
			memcpy((u8 *)buf + (size_t)i * 512, in->p + at,
			       in->n - at < 512 ? in->n - at : 512);
	}
	return in->n == 13 ? -5 : 0;
}

static void walk_record(struct xfs_log *l, u64 bb)
{
	struct xfs_log_rec rec;
	struct xfs_log_op op;
	struct xfs_fault f = { 0 };
	u32 at = 0;
	int e = xfs_log_read(l, bb, &rec, &f);

	if (e)
		return;
	assert(rec.next < 2048 && rec.len && rec.len <= XFS_LOG_MAX_RECORD);
	for (u32 i = 0; i < rec.ops && !xfs_log_op_next(l, &rec, &at, &op, &f); i++)
		assert(op.data + op.len <= rec.data + rec.len && at <= rec.len);
}

static void fuzz_one(const u8 *p, size_t n)
{
	static struct xfs_log_work work;
	struct input in = { p, n, 0 };
	struct xfs_log_reader r = { read_blocks, &in };
	struct xfs_log_state s;
	struct xfs_fault f = { 0 };
	struct xfs_log l;
	int e = xfs_log_open(&l, &geometry, &r, &work, &f);

	assert(!e);
	e = xfs_log_find(&l, &s, &f);
	assert(!e || e == -5 || e == -XFS_CORRUPT);
	assert(e || (s.head < 2048 && s.tail < 2048));
	walk_record(&l, 0);
	if (e || s.foreign)
		return;
	walk_record(&l, s.tail);
	/* What recovery writes is a record that this code takes for one. */
	assert(s.head + xfs_log_unmount_size(&geometry) < 4096);
	xfs_log_unmount_make(&l, &s);
}

static size_t fuzz_seed(unsigned int i, u8 *b)
{
	if (i > 2)
		return 0;
	memset(b, 0, 4096);
	put_be(b, XFS_LOG_MAGIC, 4);
	put_be(b + 4, 1, 4);
	put_be(b + 8, 2, 4);
	put_be(b + 12, 512, 4);
	put_be(b + 16, 1ull << 32, 8);
	put_be(b + 24, 1ull << 32, 8);
	put_be(b + 40, 1, 4);
	put_be(b + 300, XFS_LOG_FMT, 4);
	put_be(b + 320, i == 2 ? 65536 : 32768, 4);
	put_be(b + 32, 1, 4);
	b[32 + 9] = 0x20;
	b[32 + 8] = 0xaa;
	return i ? 64 : 4096;
}
