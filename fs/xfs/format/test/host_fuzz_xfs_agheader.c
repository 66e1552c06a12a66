// SPDX-License-Identifier: MIT
/* sources: fs/xfs/format/agheader.c fs/xfs/format/sb.c */
/* AGF, AGI and AGFL: roots and levels are possible ones. The first byte chooses. */
/* fuzz: -max_len=513 */
#define FUZZ_MAX 513
#include "fs/xfs/format/test/fuzz_xfs.h"

static void root_ok(struct xfs_btroot r)
{
	assert(r.levels && r.levels <= XFS_BT_MAXLEVELS &&
	       xfs_fsb_ok(&geometry, xfs_fsb_make(&geometry, 1, r.block), 1) && r.block < 4096);
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct xfs_fault f = { 0 };
	struct xfs_agf agf;
	struct xfs_agi agi;
	u8 *b;
	int e;

	if (!n)
		return;
	b = as_block(p + 1, n - 1, 512);
	switch (p[0] % 3) {
	case 0:
		e = xfs_agf_decode(&geometry, 1, b, 7, &agf, &f);
		answer_ok(e, &f);
		if (e)
			break;
		root_ok(agf.bno);
		root_ok(agf.cnt);
		root_ok(agf.rmap);
		root_ok(agf.refc);
		assert(agf.flcount <= xfs_agfl_size(&geometry) &&
		       agf.flfirst < xfs_agfl_size(&geometry) && agf.longest <= agf.freeblks);
		break;
	case 1:
		e = xfs_agi_decode(&geometry, 1, b, 7, &agi, &f);
		answer_ok(e, &f);
		if (e)
			break;
		root_ok(agi.ino);
		root_ok(agi.fino);
		for (int i = 0; i < XFS_AGI_BUCKETS; i++)
			assert(agi.unlinked[i] == XFS_NULL32 ||
			       xfs_ino_ok(&geometry, xfs_ino_make(&geometry, 1, agi.unlinked[i])));
		break;
	default:
		answer_ok(xfs_agfl_check(&geometry, 1, b, 7, &f), &f);
		(void)xfs_agfl_at(b, xfs_agfl_size(&geometry) - 1);
	}
	free(b);
}

static size_t fuzz_seed(unsigned int i, u8 *s)
{
	static const u32 agf[] = {
		XFS_AGF_MAGIC, 1, 1, 4096, 10, 11, 12, 1, 1, 1, 0, 3, 4, 100, 50
	};
	static const u32 agi[] = { XFS_AGI_MAGIC, 1, 1, 4096, 64, 13, 1, 3, 128 };
	u8 *b = s + 1;

	if (i > 2)
		return 0;
	memset(s, 0, 513);
	s[0] = (u8)i;
	for (u32 k = 0; i == 0 && k < 15; k++)
		put_be(b + 4 * k, agf[k], 4);
	for (u32 k = 0; i == 1 && k < 9; k++)
		put_be(b + 4 * k, agi[k], 4);
	if (i == 0) {
		put_be(b + 88, 14, 4);
		put_be(b + 92, 1, 4);
	} else if (i == 1) {
		memset(b + 40, 0xff, 256);
		put_be(b + 40 + 4 * 5, 64 + 5, 4);
		put_be(b + 328, 15, 4);
		put_be(b + 332, 1, 4);
	} else {
		put_be(b, XFS_AGFL_MAGIC, 4);
		put_be(b + 4, 1, 4);
	}
	return 513;
}
