// SPDX-License-Identifier: MIT
/* sources: fs/xfs/format/logattr.c */
/*
 * Changes of attributes in the log. The first bytes say how long the regions are: two each, five of
 * them, of which none is a region that is not there. What is taken lies in the regions.
 */
/* fuzz: -max_len=1300 */
#define FUZZ_MAX 1300
#define FUZZ_ROUNDS 60000
#include "fs/xfs/format/test/fuzz_xfs.h"
#include "fs/xfs/format/test/logattr.h"

#define REGIONS 5
#define HEAD (2 * REGIONS)

static void inside(const struct xfs_litem *it, const u8 *p, u32 len)
{
	bool found = !p && !len;

	for (u32 i = 1; i < it->n; i++)
		found |= p == xfs_lregion_at(it, i) && len <= it->r[i].len;
	assert(found);
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct xfs_lregion r[REGIONS];
	struct xfs_litem it = { NULL, r, 0, XFS_LI_ATTRI };
	struct xfs_fault f = { 0 };
	struct xfs_lattr a;
	u32 at = 0;
	u8 *copy;
	int e;

	if (n < HEAD)
		return;
	for (u32 i = 0; i < REGIONS; i++) {
		u32 len = (u32)p[2 * i] << 8 | p[2 * i + 1];

		if (!len || len > n - HEAD - at)
			break;
		r[it.n++] = (struct xfs_lregion){ at, len };
		at += len;
	}
	if (!it.n || r[0].len < 40)
		return;
	copy = malloc(at);
	memcpy(copy, p + HEAD, at);
	it.base = copy;
	e = xfs_lattr_get(&geometry, &it, 1, &a, &f);
	answer_ok(e, &f);
	if (!e) {
		assert(a.len && a.len <= 255 && a.valuelen <= XFS_ATTR_MAX_VALUE);
		assert(a.op >= XFS_LATTR_SET && a.op <= XFS_LATTR_PARENT_REPLACE);
		inside(&it, a.name, a.len);
		inside(&it, a.value, a.valuelen);
		inside(&it, a.new_name, a.new_len);
		inside(&it, a.new_value, a.new_name ? a.valuelen : 0);
	}
	free(copy);
}

static size_t fuzz_seed(unsigned int i, u8 *b)
{
	bool parent = i >= 3;
	struct attri_head h = { XFS_LI_ATTRI, 3,  9, 1, 130,
				i + 1,	      12, 0, 0, parent ? XFS_ATTR_PARENT : 0 };
	struct attri t;
	size_t at = HEAD;

	if (i > 5)
		return 0;
	h.new_len = i == 5 ? 16 : 0;
	h.valuelen = i == 1 ? 0 : 12;
	attri_make(&t, &h);
	memset(b, 0, HEAD);
	for (u32 k = 0; k < t.it.n; k++) {
		put_be(b + 2 * k, t.r[k].len, 2);
		memcpy(b + at, t.bytes + t.r[k].off, t.r[k].len);
		at += t.r[k].len;
	}
	return at;
}
