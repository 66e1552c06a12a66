// SPDX-License-Identifier: MIT
/* sources: fs/xfs/log/replay.c fs/xfs/log/trans.c fs/xfs/log/table.c fs/xfs/log/image.c */
/* sources: fs/xfs/log/blocks.c fs/xfs/log/apply.c fs/xfs/log/finish.c */
/* sources: fs/xfs/format/log.c fs/xfs/format/logrec.c fs/xfs/format/logitem.c */
/* sources: fs/xfs/format/logattr.c fs/xfs/format/logexch.c */
/* sources: fs/xfs/format/loginode.c fs/xfs/format/sb.c fs/xfs/format/agheader.c */
/* sources: fs/xfs/format/btree.c fs/xfs/format/inode.c fs/xfs/format/dir.c fs/xfs/format/da.c */
/* sources: fs/xfs/format/attr.c fs/xfs/format/stamp.c fs/xfs/format/walk.c */
/*
 * Recovery of a small file system whose log has two records: their bytes and numbers of operations
 * are the input. Whatever they say, nothing outside the device or in the log is written, nothing at
 * all where the log is refused, all memory is given back, and a replayed log is clean.
 */
/* fuzz: -max_len=8192 */
#define FUZZ_MAX 8192
#define FUZZ_ROUNDS 2000
#include "fs/xfs/format/test/fuzz_xfs.h"
#include "fs/xfs/format/log_priv.h"
#include "fs/xfs/format/logitem.h"
#include "fs/xfs/log/replay.h"

#define BBS 32000u		/* the device's length */
#define LOG_AT ((2 * 4096 + 8) * 2u)
#define LOG_BBS 2048u

u32 crc32c(u32 crc, const void *p, size_t n)
{
	u8 sum = 0;

	for (size_t i = 0; i < n; i++)
		sum |= ((const volatile u8 *)p)[i];
	return sum == 1 ? crc : 0;
}

u32 xfs_crc(const void *p, u32 len, u32 at)
{
	u8 sum = 0;

	for (u32 i = 0; i < len; i++)
		sum |= ((const volatile u8 *)p)[i];
	return at + 4 <= len ? sum : 0;
}

static struct disk {
	u8 *log;
	u8 *block[BBS];		/* what was written */
	unsigned long writes, flushes;
	size_t used;
} disk;

static void *take(void *ctx, size_t n)
{
	disk.used += n;
	return ctx ? NULL : calloc(1, n);
}

static void give(void *ctx, void *p, size_t n)
{
	(void)ctx;
	assert(p && disk.used >= n);
	disk.used -= n;
	free(p);
}

static void header_sector(u64 bb, u8 *p)
{
	u32 agno = (u32)(bb / 8192), blocks = xfs_ag_blocks(&geometry, agno);

	switch (bb % 8192) {
	case 0:
		put_be(p, XFS_SB_MAGIC, 4);
		put_be(p + 4, 1024, 4);
		put_be(p + 8, geometry.dblocks, 8);
		put_be(p + 48, geometry.logstart, 8);
		put_be(p + 56, 128, 8);
		put_be(p + 84, 4096, 4);
		put_be(p + 88, 4, 4);
		put_be(p + 96, 1024, 4);
		put_be(p + 100, 0xb4a5, 2);
		put_be(p + 102, 512, 2);
		put_be(p + 104, 512, 2);
		put_be(p + 106, 2, 2);
		memcpy(p + 120, "\12\11\11\1\14", 5);
		p[192] = 1;
		put_be(p + 212, geometry.ro_compat, 4);
		put_be(p + 216, geometry.incompat, 4);
		break;
	case 1:
		put_be(p, XFS_AGF_MAGIC, 4);
		put_be(p + 4, 1, 4);
		put_be(p + 8, agno, 4);
		put_be(p + 12, blocks, 4);
		for (int i = 0; i < 3; i++) {
			put_be(p + 16 + 4 * i, 10, 4);
			put_be(p + 28 + 4 * i, 1, 4);
		}
		put_be(p + 52, 100, 4);
		put_be(p + 88, 10, 4);
		put_be(p + 92, 1, 4);
		break;
	case 2:
		put_be(p, XFS_AGI_MAGIC, 4);
		put_be(p + 4, 1, 4);
		put_be(p + 8, agno, 4);
		put_be(p + 12, blocks, 4);
		put_be(p + 20, 10, 4);
		put_be(p + 24, 1, 4);
		memset(p + 40, 0xff, 256);
		put_be(p + 328, 10, 4);
		put_be(p + 332, 1, 4);
		break;
	case 3:
		put_be(p, XFS_AGFL_MAGIC, 4);
		put_be(p + 4, agno, 4);
	}
}

/* Inodes 128 to 191, of which none is used. */
static void inode_sector(u64 bb, u8 *p)
{
	put_be(p, XFS_DI_MAGIC, 2);
	p[4] = 3;
	put_be(p + 96, XFS_NULL32, 4);
	put_be(p + 152, bb, 8);
}

static int get(void *ctx, u64 bb, void *buf, u32 len)
{
	(void)ctx;
	for (u32 i = 0; i < len / 512; i++, bb++) {
		u8 *p = (u8 *)buf + (size_t)i * 512;

		assert(bb < BBS);
		memset(p, 0, 512);
		if (disk.block[bb])
			memcpy(p, disk.block[bb], 512);
		else if (bb >= LOG_AT && bb < LOG_AT + LOG_BBS)
			memcpy(p, disk.log + (bb - LOG_AT) * 512, 512);
		else if (bb >= 128 && bb < 192)
			inode_sector(bb, p);
		else
			header_sector(bb, p);
	}
	return 0;
}

static int put(void *ctx, u64 bb, const void *buf, u32 len)
{
	(void)ctx;
	assert(len && len % 512 == 0);
	for (u32 i = 0; i < len / 512; i++, bb++) {
		assert(bb < BBS);
		/* The log only after a flush, or ahead of its head. */
		assert(bb < LOG_AT + 4 || bb >= LOG_AT + LOG_BBS || disk.log);
		if (!disk.block[bb])
			disk.block[bb] = malloc(512);
		memcpy(disk.block[bb], (const u8 *)buf + (size_t)i * 512, 512);
	}
	disk.writes++;
	return 0;
}

static int sync_disk(void *ctx)
{
	(void)ctx;
	disk.flushes++;
	return 0;
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

static void put_record(u32 bb, u32 ops, const u8 *p, size_t n)
{
	u8 *h = disk.log + (size_t)bb * 512, *data = h + 512;
	u32 len = (u32)(n + 511) / 512 * 512;

	memcpy(data, p, n);
	put_be(h, XFS_LOG_MAGIC, 4);
	put_be(h + 4, 1, 4);
	put_be(h + 8, 2, 4);
	put_be(h + 12, len, 4);
	put_be(h + 16, 1ull << 32 | bb, 8);
	put_be(h + 24, 1ull << 32, 8);
	put_be(h + 40, ops, 4);
	put_be(h + 300, XFS_LOG_FMT, 4);
	put_be(h + 320, 32768, 4);
	for (u32 i = 0; i < len / 512; i++) {
		memcpy(h + 44 + 4 * i, data + (size_t)i * 512, 4);
		put_be(data + (size_t)i * 512, 1, 4);
	}
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct xfs_replay_env env = { NULL,	 take,	give, get,	put,
				      sync_disk, never, NULL, 1u << 22, BBS };
	struct xfs_replay_result res;
	struct xfs_fault f = { 0 };
	struct xfs_sb sb = geometry;
	size_t cut;
	int e;

	if (n < 6)
		return;
	cut = 4 + (p[2] | (size_t)p[3] << 8) % (n - 4);
	disk = (struct disk){ .log = calloc(LOG_BBS, 512) };
	put_record(0, p[0], p + 4, cut > 4 ? cut - 4 : 1);
	put_record(1 + (u32)((cut > 4 ? cut - 4 : 1) + 511) / 512, p[1], p + cut, n - cut);
	e = xfs_replay(&sb, &env, true, &res, &f);
	assert(!disk.used && (!e || !disk.writes));
	assert(!e || res.why || f.what);
	if (!e) {
		assert(!res.clean && disk.flushes == 2);
		e = xfs_replay(&sb, &env, false, &res, &f);
		assert(!e && res.clean && !disk.used);
	}
	for (u32 i = 0; i < BBS; i++)
		free(disk.block[i]);
	free(disk.log);
}

/* ---- seeds: one transaction of items ---- */

static size_t op(u8 *b, size_t at, u8 flags, const void *data, u32 len)
{
	put_be(b + at, 7, 4);
	put_be(b + at + 4, len, 4);
	b[at + 8] = XFS_OP_CLIENT_TRANS;
	b[at + 9] = flags;
	if (len)
		memcpy(b + at + 12, data, len);
	b[0]++;
	return at + 12 + len;
}

static size_t agf_item(u8 *b, size_t at)
{
	u16 h[20] = { XFS_LI_BUF, 2, XFS_LK_AGF << 11, 1 };
	u8 chunk[128] = { 0 };
	u8 sector[512] = { 0 };

	h[4] = 1;		/* address */
	h[8] = 1;		/* words of the bitmap */
	h[10] = 1;		/* the first chunk */
	header_sector(1, sector);
	memcpy(chunk, sector, 128);
	at = op(b, at, 0, h, 24);
	return op(b, at, 0, chunk, 128);
}

static size_t icreate_item(u8 *b, size_t at)
{
	u8 h[28] = { 0 };
	u16 head[2] = { XFS_LI_ICREATE, 1 };

	memcpy(h, head, 4);
	put_be(h + 8, 200, 4);
	put_be(h + 12, 64, 4);
	put_be(h + 16, 512, 4);
	put_be(h + 20, 32, 4);
	return op(b, at, 0, h, 28);
}

static size_t inode_item(u8 *b, size_t at, u32 fields)
{
	u8 h[56] = { 0 }, core[176] = { 0 }, fork[64] = { 0 };
	u16 head[2] = { XFS_LI_INODE, fields > 1 ? 3 : 2 }, magic = XFS_DI_MAGIC, mode = 0100644,
	    size = 64;
	u64 ino = 130, daddr = 128;
	u32 bbs = 16, off = 1024, one = 1;

	memcpy(h, head, 4);
	memcpy(h + 4, &fields, 4);
	memcpy(h + 10, &size, 2);
	memcpy(h + 16, &ino, 8);
	memcpy(h + 40, &daddr, 8);
	memcpy(h + 48, &bbs, 4);
	memcpy(h + 52, &off, 4);
	memcpy(core, &magic, 2);
	memcpy(core + 2, &mode, 2);
	core[4] = 3;
	core[5] = XFS_FMT_EXTENTS;
	core[83] = XFS_FMT_EXTENTS;
	memcpy(core + 16, &one, 4);
	memcpy(core + 152, &ino, 8);
	at = op(b, at, 0, h, 56);
	at = op(b, at, 0, core, 176);
	return fields > 1 ? op(b, at, 0, fork, 64) : at;
}

static size_t intent(u8 *b, size_t at, u16 type, u32 len)
{
	u8 h[96] = { 0 };
	u16 head[2] = { type, 1 };

	memcpy(h, head, 4);
	h[8] = 5;
	return op(b, at, 0, h, len);
}

/* An attribute that is to be set. */
static size_t attr_item(u8 *b, size_t at)
{
	u8 h[40] = { 0 };
	u16 head[2] = { XFS_LI_ATTRI, 3 };
	u32 set = XFS_LATTR_SET, len = 4, valuelen = 8;

	memcpy(h, head, 4);
	h[8] = 5;
	h[16] = 130;
	memcpy(h + 24, &set, 4);
	memcpy(h + 28, &len, 4);
	memcpy(h + 32, &valuelen, 4);
	at = op(b, at, 0, h, sizeof(h));
	at = op(b, at, 0, (const u8 *)"name", 4);
	return op(b, at, 0, (const u8 *)"a value.", 8);
}

/* An exchange of extents that is begun. */
static size_t exchange_item(u8 *b, size_t at)
{
	struct xfs_lexch x = { .ino = { 130, 131 }, .off = { 5, 7 }, .count = 9 };
	u8 h[XFS_LEXCH_LEN];

	xfs_lexch_put(&x, h);
	h[8] = 6;
	return op(b, at, 0, h, sizeof(h));
}

static size_t fuzz_seed(unsigned int i, u8 *b)
{
	u32 header[4] = { 0x5452414e, 40, 0, 1 };
	size_t at = 4;

	if (i > 8)
		return 0;
	memset(b, 0, FUZZ_MAX);
	at = op(b, at, XFS_OP_START, NULL, 0);
	at = op(b, at, 0, header, 16);
	if (i != 3)
		at = agf_item(b, at);
	if (i == 1 || i == 4)
		at = icreate_item(b, at);
	if (i >= 2)
		at = inode_item(b, at, i == 2 ? 1 : 5);
	if (i == 4 || i == 5)
		at = intent(b, at, XFS_LI_EFI, 28);
	if (i == 5)
		at = intent(b, at, XFS_LI_EFD, 28);
	if (i >= 6)
		at = attr_item(b, at);
	if (i == 7)
		at = intent(b, at, XFS_LI_ATTRD, 16);
	if (i == 8)
		at = exchange_item(b, at);
	at = op(b, at, XFS_OP_COMMIT, NULL, 0);
	put_be(b + 2, 0, 2);
	b[2] = (u8)(at - 5);	/* all but a byte in the first record */
	b[3] = (u8)((at - 5) >> 8);
	return at + 1;
}
