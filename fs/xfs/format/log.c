// SPDX-License-Identifier: MIT
#include "fs/xfs/format/log.h"
#include <lib/string.h>

#define UNMOUNT_FLAG 0x20
/*
 * The largest record: 256 KiB with eight headers; the header that we look for lies no farther back.
 */
#define MAX_RECORD_BB 520u
#define FMT_LINUX_LE 1u
#define FMT_LINUX_BE 2u
#define HEADER_DATA 32768u	/* a header has the cycles of so much of its record */

static u32 word(const void *buf, u32 i)
{
	be32 v;

	memcpy(&v, (const u8 *)buf + 4 * i, sizeof(v));
	return be32_get(v);
}

static u32 cycle_of(const void *buf)
{
	return word(buf, 0) == XFS_LOG_MAGIC ? word(buf, 1) : word(buf, 0);
}

static int read_cycle(const struct xfs_log_reader *r, u64 bb, void *buf, u32 *cycle)
{
	int e = r->read(r->ctx, bb, buf);

	if (!e)
		*cycle = cycle_of(buf);
	return e;
}

/*
 * The first block of a later round than the last one's; *HEAD is 0 where all are of one. A log that
 * was never full has zeroes behind.
 */
static int find_head(const struct xfs_log_reader *r, u64 blocks, void *buf, u64 *head, bool *empty)
{
	u32 first, last, c;
	u64 lo = 0, hi = blocks - 1;
	int e = read_cycle(r, 0, buf, &first);

	e = e ?: read_cycle(r, blocks - 1, buf, &last);
	if (e)
		return e;
	*empty = !first && !last;
	*head = 0;
	if (first == last)
		return 0;
	while (hi - lo > 1) {	/* lo is of the first round, hi is not */
		u64 mid = lo + (hi - lo) / 2;

		e = read_cycle(r, mid, buf, &c);
		if (e)
			return e;
		if (c == first)
			lo = mid;
		else
			hi = mid;
	}
	*head = hi;
	return 0;
}

/* Judges the record whose header is in BUF at block BB. */
static int judge(const struct xfs_log_reader *r, u64 blocks, u64 bb, void *buf,
		 struct xfs_log_state *s)
{
	const struct xfs_dlog_rec *h = buf;
	u32 size = be32_get(h->size), len = be32_get(h->len), headers = 1, fmt = be32_get(h->fmt),
	    ops = be32_get(h->num_logops);
	struct xfs_dlog_op op;
	int e;

	s->cycle = be32_get(h->cycle);
	s->foreign = fmt != (be32_raw(1) == 1 ? FMT_LINUX_BE : FMT_LINUX_LE);
	if (be32_get(h->version) & 2 && size > HEADER_DATA)
		headers = (size + HEADER_DATA - 1) / HEADER_DATA;
	if (ops != 1 || !len || len > (MAX_RECORD_BB << 9) || headers > 8 ||
	    (bb + headers + ((len + 511) >> 9)) % blocks != s->head)
		return 0;
	e = r->read(r->ctx, (bb + headers) % blocks, buf);
	if (e)
		return e;
	memcpy(&op, buf, sizeof(op));
	s->clean = op.flags & UNMOUNT_FLAG;
	return 0;
}

int xfs_log_inspect(const struct xfs_sb *sb, const struct xfs_log_reader *r, void *buf,
		    struct xfs_log_state *out, struct xfs_fault *f)
{
	u64 blocks = (u64)sb->logblocks << (sb->blocklog - 9),
	    place = xfs_fsb_daddr(sb, sb->logstart);
	bool empty;
	int e;

	*out = (struct xfs_log_state){ 0 };
	if (blocks <= MAX_RECORD_BB)
		return xfs_bad(f, "log", "logblocks", place, sb->logblocks);
	e = find_head(r, blocks, buf, &out->head, &empty);
	if (e)
		return e;
	if (empty) {
		out->clean = true;
		return 0;
	}
	for (u64 back = 1; back <= MAX_RECORD_BB; back++) {
		u64 bb = (out->head + blocks - back) % blocks;

		e = r->read(r->ctx, bb, buf);
		if (e)
			return e;
		if (word(buf, 0) == XFS_LOG_MAGIC)
			return judge(r, blocks, bb, buf, out);
	}
	return 0;
}
