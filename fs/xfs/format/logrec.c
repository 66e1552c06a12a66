// SPDX-License-Identifier: MIT
/* Records of the log: reading, checking, and the two that recovery writes (log.h). */
#include "fs/xfs/format/log.h"
#include "fs/xfs/format/log_priv.h"
#include <lib/crc32c.h>
#include <lib/minmax.h>
#include <lib/string.h>

#define VERSION 2u
#define CLIENT_OK(c) ((c) == XFS_OP_CLIENT_TRANS || (c) == XFS_OP_CLIENT_LOG)
#define UNMOUNT_MAGIC 0x556e

/* N blocks from BB on, round the end of the ring. */
static int read_blocks(struct xfs_log *l, u64 bb, u32 n, u8 *buf)
{
	u32 first = (u32)min((u64)n, l->blocks - bb);
	int e = l->r->read(l->r->ctx, bb, first, buf);

	if (!e && first < n)
		e = l->r->read(l->r->ctx, 0, n - first, buf + (size_t)first * XFS_SECTOR);
	return e;
}

u32 xfs_log_checksum(const u8 *p, u32 size, u32 headers, u32 len)
{
	static const u8 zero[4];
	u32 at = offsetof(struct xfs_dlog_rec, crc), crc = crc32c(~0u, p, at);

	crc = crc32c(crc, zero, sizeof(zero));
	crc = crc32c(crc, p + at + 4, size - at - 4);
	for (u32 i = 1; i < headers; i++)
		crc = crc32c(crc, p + (size_t)i * XFS_SECTOR, sizeof(struct xfs_dlog_ext));
	return ~crc32c(crc, p + (size_t)headers * XFS_SECTOR, len);
}

static int check_header(const struct xfs_log *l, u64 bb, const struct xfs_dlog_rec *h,
			struct xfs_fault *f)
{
	u64 place = l->place + bb;
	u32 len = be32_get(h->len), size = be32_get(h->size);

	if (be32_get(h->magic) != XFS_LOG_MAGIC)
		return xfs_bad(f, "log record", "magic", place, be32_get(h->magic));
	if (be32_get(h->version) != VERSION)
		return xfs_bad(f, "log record", "version", place, be32_get(h->version));
	if (be32_get(h->fmt) != XFS_LOG_FMT)
		return xfs_bad(f, "log record", "fmt", place, be32_get(h->fmt));
	if (memcmp(h->uuid, l->sb->uuid, XFS_UUID_SIZE))
		return xfs_bad(f, "log record", "uuid", place, 0);
	if (!size || size > XFS_LOG_MAX_RECORD)
		return xfs_bad(f, "log record", "size", place, size);
	if (!len || len > size)
		return xfs_bad(f, "log record", "len", place, len);
	if (be64_get(h->lsn) != xfs_lsn_make(be32_get(h->cycle), bb))
		return xfs_bad(f, "log record", "lsn", place, be64_get(h->lsn));
	return 0;
}

/* Puts the words back that gave way to the cycle numbers. */
static void unstamp(u8 *p, u32 headers, u32 len)
{
	u8 *data = p + (size_t)headers * XFS_SECTOR;

	for (u32 i = 0; i < (len + XFS_SECTOR - 1) / XFS_SECTOR; i++) {
		u32 h = i / XFS_LOG_HEADER_CYCLES, n = i % XFS_LOG_HEADER_CYCLES;
		const u8 *from =
			h ? p + (size_t)h * XFS_SECTOR + offsetof(struct xfs_dlog_ext, cycle_data) :
			    p + offsetof(struct xfs_dlog_rec, cycle_data);

		memcpy(data + (size_t)i * XFS_SECTOR, from + 4 * (size_t)n, 4);
	}
}

int xfs_log_read(struct xfs_log *l, u64 bb, struct xfs_log_rec *out, struct xfs_fault *f)
{
	u8 *p = l->w->record;
	const struct xfs_dlog_rec *h = (const void *)p;
	u32 headers, len, n, crc;
	int e = read_blocks(l, bb, 1, p);

	e = e ?: check_header(l, bb, h, f);
	if (e)
		return e;
	headers = xfs_log_headers(h);
	len = be32_get(h->len);
	n = headers + (len + XFS_SECTOR - 1) / XFS_SECTOR;
	e = read_blocks(l, (bb + 1) % l->blocks, n - 1, p + XFS_SECTOR);
	if (e)
		return e;
	crc = le32_get(h->crc);
	if (crc && crc != xfs_log_checksum(p, sizeof(*h), headers, len) &&
	    crc != xfs_log_checksum(p, offsetof(struct xfs_dlog_rec, pad), headers, len)) {
		xfs_bad(f, "log record", "crc", l->place + bb, crc);
		return -XFS_BAD_CRC;
	}
	unstamp(p, headers, len);
	*out = (struct xfs_log_rec){ .bb = bb,
				     .next = (bb + n) % l->blocks,
				     .lsn = be64_get(h->lsn),
				     .ops = be32_get(h->num_logops),
				     .len = len,
				     .data = p + (size_t)headers * XFS_SECTOR };
	return 0;
}

int xfs_log_op_next(const struct xfs_log *l, const struct xfs_log_rec *rec, u32 *at,
		    struct xfs_log_op *out, struct xfs_fault *f)
{
	struct xfs_dlog_op d;

	if (rec->len - *at < sizeof(d))
		return xfs_bad(f, "log record", "number of operations", l->place + rec->bb, *at);
	memcpy(&d, rec->data + *at, sizeof(d));
	*at += (u32)sizeof(d);
	*out = (struct xfs_log_op){ be32_get(d.tid), be32_get(d.len), d.flags, rec->data + *at };
	if (!CLIENT_OK(d.client))
		return xfs_bad(f, "log operation", "client", l->place + rec->bb, d.client);
	if (out->len > rec->len - *at)
		return xfs_bad(f, "log operation", "len", l->place + rec->bb, out->len);
	*at += out->len;
	return 0;
}

/* ---- what recovery writes ---- */

static void fill_header(const struct xfs_log *l, u32 cycle, u64 bb, u64 tail_lsn,
			struct xfs_dlog_rec *h)
{
	h->magic = be32_make(XFS_LOG_MAGIC);
	h->cycle = be32_make(cycle);
	h->version = be32_make(VERSION);
	h->lsn = be64_make(xfs_lsn_make(cycle, bb));
	h->tail_lsn = be64_make(tail_lsn);
	h->fmt = be32_make(XFS_LOG_FMT);
	memcpy(h->uuid, l->sb->uuid, XFS_UUID_SIZE);
}

void xfs_log_blank_make(const struct xfs_log *l, u32 cycle, u64 bb, u64 tail_lsn, u8 *p)
{
	memset(p, 0, XFS_SECTOR);
	fill_header(l, cycle, bb, tail_lsn, (struct xfs_dlog_rec *)p);
}

/* Records begin and end at stripe units. */
static u32 unit_of(const struct xfs_sb *sb)
{
	return sb->logsunit > XFS_SECTOR && sb->logsunit <= XFS_LOG_MAX_RECORD ? sb->logsunit :
										 XFS_SECTOR;
}

static u32 unmount_headers(const struct xfs_sb *sb)
{
	u32 size = max(unit_of(sb), XFS_LOG_HEADER_DATA);

	return (size + XFS_LOG_HEADER_DATA - 1) / XFS_LOG_HEADER_DATA;
}

u32 xfs_log_unmount_size(const struct xfs_sb *sb)
{
	u32 unit = unit_of(sb), bytes = (unmount_headers(sb) + 1) * XFS_SECTOR;

	return (bytes + unit - 1) / unit * unit / XFS_SECTOR;
}

void xfs_log_unmount_make(struct xfs_log *l, const struct xfs_log_state *s)
{
	u32 n = xfs_log_unmount_size(l->sb), size = max(unit_of(l->sb), XFS_LOG_HEADER_DATA),
	    headers = unmount_headers(l->sb), len = (n - headers) * XFS_SECTOR;
	u8 *p = l->w->record, *data = p + (size_t)headers * XFS_SECTOR;
	struct xfs_dlog_rec *h = (void *)p;
	struct xfs_dlog_op op = { .tid = be32_make(0xb0c0d0d0),
				  .len = be32_make(8),
				  .client = XFS_OP_CLIENT_LOG,
				  .flags = XFS_OP_UNMOUNT };
	u16 magic = UNMOUNT_MAGIC;

	memset(p, 0, (size_t)n * XFS_SECTOR);
	fill_header(l, s->cycle, s->head, xfs_lsn_make(s->cycle, s->head), h);
	h->len = be32_make(len);
	h->prev_block = be32_make(XFS_NULL32);
	h->num_logops = be32_make(1);
	h->size = be32_make(size);
	memcpy(data, &op, sizeof(op));
	memcpy(data + sizeof(op), &magic, sizeof(magic));
	h->cycle_data[0] = op.tid;	/* the other first words are 0 */
	for (u32 i = 1; i < n; i++) {
		be32 cycle = be32_make(s->cycle + (s->head + i >= l->blocks));

		memcpy(p + (size_t)i * XFS_SECTOR, &cycle, sizeof(cycle));
	}
	h->crc = le32_make(xfs_log_checksum(p, sizeof(*h), headers, len));
}
