// SPDX-License-Identifier: MIT
/* sources: fs/xfs/format/logexch.c fs/xfs/format/sb.c */
/* Exchanges in the log: what is taken lies in the file system, and is written as it was. */
/* fuzz: -max_len=96 */
#define FUZZ_MAX 96
#define FUZZ_ROUNDS 60000
#include "fs/xfs/format/test/fuzz_xfs.h"
#include "fs/xfs/format/logitem.h"

static void fuzz_one(const u8 *p, size_t n)
{
	struct xfs_lregion r = { 0, (u32)n };
	struct xfs_litem it = { p, &r, 1, XFS_LI_XMI };
	struct xfs_fault f = { 0 };
	struct xfs_lexch x;
	u8 back[XFS_LEXCH_LEN];
	int e;

	if (n < XFS_LEXCH_LEN)
		return;
	e = xfs_lexch_get(&geometry, &it, 1, &x, &f);
	answer_ok(e, &f);
	if (e)
		return;
	assert(n == XFS_LEXCH_LEN && x.count <= XFS_LEXCH_END);
	for (u32 i = 0; i < 2; i++) {
		assert(xfs_ino_ok(&geometry, x.ino[i]) && x.off[i] <= XFS_LEXCH_END - x.count);
		assert(!(x.flags & XFS_LEXCH_SIZES) || x.size[i] <= S64_MAX);
	}
	assert(x.ino[0] != x.ino[1] || !x.count || x.off[0] >= x.off[1] + x.count ||
	       x.off[1] >= x.off[0] + x.count);
	xfs_lexch_put(&x, back);
	/* But for what stands where sizes are not used, and the number and identity. */
	assert(!memcmp(back + 16, p + 16, x.flags & XFS_LEXCH_SIZES ? 72 : 56));
}

static size_t fuzz_seed(unsigned int i, u8 *b)
{
	struct xfs_lexch x = { .ino = { 130, i == 2 ? 130 : 131 },
			       .flags = i,
			       .off = { 5, 900 },
			       .count = 300,
			       .size = { 70000, 90001 } };

	if (i > 4)
		return 0;
	xfs_lexch_put(&x, b);
	return XFS_LEXCH_LEN;
}
