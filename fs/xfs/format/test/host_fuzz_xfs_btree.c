// SPDX-License-Identifier: MIT
/* sources: fs/xfs/format/btree.c fs/xfs/format/sb.c */
/*
 * Blocks of all trees: records and pointers of an accepted one lie in the block and in the file
 * system. The first byte chooses.
 */
/* fuzz: -max_len=1025 */
#define FUZZ_MAX 1025
#define FUZZ_ROUNDS 60000
#include "fs/xfs/format/test/fuzz_xfs.h"

#define PLACE ((4096ull + 20) * 2)	/* block 20 of group 1 */

static void bmbt(const u8 *b, struct xfs_fault *f)
{
	int e = xfs_bmbt_verify(&geometry, PLACE, b, f);
	struct xfs_bt_block h;
	u64 end = 0;

	answer_ok(e, f);
	if (e)
		return;
	xfs_bmbt_head(b, &h);
	for (u32 i = 0; i < h.numrecs; i++) {
		struct xfs_ext x;

		if (h.level) {
			assert(xfs_fsb_ok(&geometry, xfs_bmbt_ptr_at(&geometry, b, i), 1));
			assert(!i || xfs_bmbt_key_at(b, i) > xfs_bmbt_key_at(b, i - 1));
			continue;
		}
		xfs_bmbt_ext_at(b, i, &x);
		assert(x.count && x.off >= end && xfs_fsb_ok(&geometry, x.fsb, x.count));
		end = x.off + x.count;
	}
}

static void fuzz_one(const u8 *p, size_t n)
{
	enum xfs_bt kind = n ? p[0] % (XFS_BT_KINDS + 1) : 0;
	struct xfs_fault f = { 0 };
	struct xfs_bt_block h;
	u8 *b;
	int e;

	if (!n)
		return;
	b = as_block(p + 1, n - 1, 1024);
	if (kind == XFS_BT_KINDS) {
		bmbt(b, &f);
		free(b);
		return;
	}
	e = xfs_bt_verify(&geometry, kind, PLACE, b, &f);
	answer_ok(e, &f);
	xfs_bt_head(b, &h);
	for (u32 i = 0; !e && i < h.numrecs; i++) {
		struct xfs_bt_rec r;

		if (h.level) {
			assert(xfs_bt_ptr_at(&geometry, kind, b, i) < 4096);
			continue;
		}
		xfs_bt_rec_at(&geometry, kind, b, i, &r);
		assert(kind == XFS_BT_INO || kind == XFS_BT_FINO ?
			       r.start + 63 < 8192 && r.freecount <= 64 :
			       r.count && (r.start & 0x7fffffff) + r.count <= 4096);
	}
	assert(xfs_bt_name(kind)[0]);
	free(b);
}

static size_t fuzz_seed(unsigned int i, u8 *s)
{
	static const u32 magic[] = { XFS_BNO_MAGIC,  XFS_CNT_MAGIC,  XFS_INO_MAGIC, XFS_FINO_MAGIC,
				     XFS_RMAP_MAGIC, XFS_REFC_MAGIC, XFS_BMAP_MAGIC };
	static const u8 rec[] = { 8, 8, 16, 16, 24, 12, 16 };
	u32 kind = i / 2, node = i & 1, head = kind == 6 ? 72 : 56;
	u8 *b = s + 1;

	/* The last: a chunk of inodes that begins in the group and ends behind it. */
	if (i == 14)
		kind = 2;
	if (kind > 6)
		return 0;
	memset(s, 0, 1025);
	s[0] = (u8)kind;
	put_be(b, magic[kind], 4);
	put_be(b + 4, node, 2);
	put_be(b + 6, 3, 2);
	put_be(b + (kind == 6 ? 24 : 16), PLACE, 8);
	put_be(b + 48, kind == 6 ? 0 : 1, 4);
	for (u32 k = 0; k < 3; k++) {
		u8 *r = b + head + k * rec[kind];

		if (kind == 6 && node) {
			put_be(b + head + k * 8, k * 10, 8);
			put_be(b + head + (1024 - 72) / 16 * 8 + k * 8, 4096 + 30 + k, 8);
		} else if (kind == 6) {
			put_be(r, (u64)k * 10 << 9, 8);
			put_be(r + 8, (4096ull + 100 + k) << 21 | 4, 8);
		} else if (node) {
			static const u8 key[] = { 8, 8, 4, 4, 40, 4 };

			put_be(b + head + (1024 - 56) / (key[kind] + 4) * key[kind] + k * 4, 40 + k,
			       4);
		} else {
			put_be(r, 64 + 64 * k + (i == 14 ? 8192 - 254 : 0), 4);
			put_be(r + 4, kind == 2 || kind == 3 ? 0x4007 : 4 + k, 4);
			if (kind == 5)
				put_be(r + 8, 2, 4);
		}
	}
	return 1025;
}
