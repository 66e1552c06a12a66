// SPDX-License-Identifier: MIT
/* sources: fs/xfs/format/sb.c */
/*
 * The superblock and the sectors behind it: what is accepted has shifts, sizes and numbers that fit
 * each other.
 */
/* fuzz: -max_len=512 */
#define FUZZ_MAX 512
#include "fs/xfs/format/test/fuzz_xfs.h"

static void fuzz_one(const u8 *p, size_t n)
{
	struct xfs_fault f = { 0 };
	struct xfs_sb sb;
	u32 bits;
	u8 *b = as_block(p, n, 512);
	int e = xfs_sb_decode(b, 512, &sb, &f);

	assert(xfs_sb_decode(p, 100, &sb, &f) == -22);
	if (!e) {
		assert(sb.blocksize == 1u << sb.blocklog && sb.sectsize == 1u << sb.sectlog &&
		       sb.inodesize == 1u << sb.inodelog);
		assert(sb.dirblksize <= 65536 && sb.inopblog < 8 && sb.agblklog <= 30 &&
		       sb.agblocks <= 1u << sb.agblklog);
		assert(sb.dblocks > (u64)(sb.agcount - 1) * sb.agblocks &&
		       xfs_ag_blocks(&sb, sb.agcount - 1) >= 64);
		assert(xfs_ag_blocks(&sb, sb.agcount - 1) <= sb.agblocks);
		assert(!sb.logstart || xfs_fsb_ok(&sb, sb.logstart, sb.logblocks));
		assert(!xfs_fsb_ok(&sb, 0, 1) && !xfs_fsb_ok(&sb, ~0ull, 1) &&
		       !xfs_fsb_ok(&sb, sb.logstart, 0) && !xfs_ino_ok(&sb, ~0ull));
		(void)xfs_sb_unsupported(&sb, &bits);
		assert(!(xfs_sb_unknown_ro(&sb) & XFS_RO_KNOWN) && strlen(sb.label) <= 12);
	} else {
		assert(f.what && f.field);
	}
	free(b);
}

static size_t fuzz_seed(unsigned int i, u8 *b)
{
	if (i > 1)
		return 0;
	memset(b, 0, 512);
	put_be(b, XFS_SB_MAGIC, 4);
	put_be(b + 4, 1024, 4);
	put_be(b + 8, 16000, 8);
	put_be(b + 48, 8200, 8);
	put_be(b + 56, 128, 8);
	put_be(b + 84, 4096, 4);
	put_be(b + 88, 4, 4);
	put_be(b + 96, 1024, 4);
	put_be(b + 100, i ? 0xb4a5 : 0xf4a5, 2);
	put_be(b + 102, 512, 2);
	put_be(b + 104, 512, 2);
	put_be(b + 106, 2, 2);
	memcpy(b + 120, (u8[]){ 10, 9, 9, 1, 12 }, 5);
	put_be(b + 212, XFS_RO_KNOWN | i << 7, 4);
	put_be(b + 216, i ? XFS_IN_KNOWN : 1, 4);
	return 512;
}
