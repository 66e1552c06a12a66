// SPDX-License-Identifier: MIT
/* sources: fs/xfs/format/logexch.c fs/xfs/format/sb.c fs/xfs/format/fault.c lib/crc32c.c */
/* Exchanges of extents in the log: those of Linux are understood, all others are refused. */
#include <assert.h>
#include <string.h>
#include "fs/xfs/format/logitem.h"

static struct xfs_sb sb = {
	.blocksize = 1024,
	.inodesize = 512,
	.blocklog = 10,
	.inodelog = 9,
	.inopblog = 1,
	.agblklog = 12,
	.agblocks = 4096,
	.agcount = 4,
	.dblocks = 16000,
	.incompat = XFS_IN_EXCHRANGE,
};

static const struct xfs_lexch plain = {
	.ino = { 130, 131 },
	.gen = { 7, 8 },
	.flags = XFS_LEXCH_SIZES | XFS_LEXCH_WRITTEN,
	.off = { 5, 1000 },
	.count = 300,
	.size = { 70000, 90001 },
};

static bool takes_bytes(const u8 *p, u32 len, struct xfs_lexch *out)
{
	struct xfs_lregion r = { 0, len };
	struct xfs_litem it = { p, &r, 1, XFS_LI_XMI };
	struct xfs_fault f = { 0 };
	int e = xfs_lexch_get(&sb, &it, 7, out, &f);

	assert(!e || (e == -XFS_CORRUPT && f.what && f.place == 7));
	return !e;
}

static bool takes(struct xfs_lexch x)
{
	struct xfs_lexch back;
	u8 p[XFS_LEXCH_LEN];

	xfs_lexch_put(&x, p);
	return takes_bytes(p, sizeof(p), &back);
}

/* As Linux lays it out on a 64-bit CPU. */
static void test_layout(void)
{
	static const struct {
		u32 at, bytes;
		u64 value;
	} want[] = {
		{ 0, 2, XFS_LI_XMI }, { 2, 2, 1 },    { 4, 4, 0 },  { 16, 8, 130 },
		{ 24, 8, 131 },	      { 32, 4, 7 },   { 36, 4, 8 }, { 40, 8, 5 },
		{ 48, 8, 1000 },      { 56, 8, 300 }, { 64, 8, 6 }, { 72, 8, 70000 },
		{ 80, 8, 90001 },
	};
	struct xfs_lexch back;
	u8 p[XFS_LEXCH_LEN];

	xfs_lexch_put(&plain, p);
	for (u32 i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		u64 v = 0;

		memcpy(&v, p + want[i].at, want[i].bytes);
		assert(v == want[i].value);
	}
	assert(takes_bytes(p, sizeof(p), &back) && !memcmp(&back, &plain, sizeof(back)));
	assert(!takes_bytes(p, 80, &back) && !takes_bytes(p, 96, &back));
	p[4] = 1;
	assert(!takes_bytes(p, sizeof(p), &back));
}

static void test_values(void)
{
	struct xfs_lexch x = plain;

	x.flags = 31;
	assert(takes(x));
	x.flags = 32;
	assert(!takes(x));
	x = plain;
	x.ino[1] = 1ull << 40;
	assert(!takes(x));
	x = plain;
	x.off[0] = XFS_LEXCH_END - 300;
	assert(takes(x));
	x.off[0]++;
	assert(!takes(x));
	x.off[0] = 0;
	x.count = ~0ull;
	assert(!takes(x));
	x = plain;
	x.size[1] = 1ull << 63;
	assert(!takes(x));
	x.flags = 0;
	assert(takes(x));
	/* In one inode the ranges lie apart. */
	x = plain;
	x.ino[1] = x.ino[0];
	assert(takes(x));
	x.off[0] = 701;
	assert(!takes(x));
	x.off[0] = 700;
	assert(takes(x));
	sb.incompat = 0;
	assert(!takes(plain));
	sb.incompat = XFS_IN_EXCHRANGE;
}

int main(void)
{
	test_layout();
	test_values();
	return 0;
}
