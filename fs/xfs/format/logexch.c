// SPDX-License-Identifier: MIT
/*
 * The log item of an exchange of two inodes' extents, in the CPU's byte order: one region, which
 * says all of what is left to be done. Each step ends one item and begins another one.
 */
#include "fs/xfs/format/logitem.h"
#include <lib/string.h>

#define ITEM "log item"
#define KNOWN (XFS_LEXCH_ATTR | XFS_LEXCH_SIZES | XFS_LEXCH_WRITTEN | XFS_LEXCH_CLEAR)

struct item {
	u16 type, n;
	u32 pad;
	u64 id, ino[2];
	u32 gen[2];
	u64 off[2], count, flags, size[2];
};
_Static_assert(sizeof(struct item) == XFS_LEXCH_LEN, "XMI");

static bool overlaps(const struct item *d)
{
	return d->ino[0] == d->ino[1] && d->off[0] < d->off[1] + d->count &&
	       d->off[1] < d->off[0] + d->count;
}

int xfs_lexch_get(const struct xfs_sb *sb, const struct xfs_litem *it, u64 place,
		  struct xfs_lexch *out, struct xfs_fault *f)
{
	struct item d;

	if (it->type != XFS_LI_XMI || it->n != 1 || it->r[0].len != sizeof(d))
		return xfs_bad(f, ITEM, "length", place, it->r[0].len);
	memcpy(&d, xfs_lregion_at(it, 0), sizeof(d));
	if (!(sb->incompat & XFS_IN_EXCHRANGE) || d.pad)
		return xfs_bad(f, ITEM, "xmi_size", place, d.pad);
	if (d.flags & ~(u64)KNOWN)
		return xfs_bad(f, ITEM, "xmi_flags", place, d.flags);
	for (u32 i = 0; i < 2; i++) {
		if (!xfs_ino_ok(sb, d.ino[i]))
			return xfs_bad(f, ITEM, "xmi_inode", place, d.ino[i]);
		if (d.count > XFS_LEXCH_END || d.off[i] > XFS_LEXCH_END - d.count)
			return xfs_bad(f, ITEM, "xmi_startoff", place, d.off[i]);
		if (d.flags & XFS_LEXCH_SIZES && d.size[i] >> 63)
			return xfs_bad(f, ITEM, "xmi_isize", place, d.size[i]);
	}
	if (overlaps(&d))
		return xfs_bad(f, ITEM, "xmi_blockcount", place, d.count);
	*out = (struct xfs_lexch){ .ino = { d.ino[0], d.ino[1] },
				   .gen = { d.gen[0], d.gen[1] },
				   .flags = (u32)d.flags,
				   .off = { d.off[0], d.off[1] },
				   .count = d.count,
				   .size = { d.size[0], d.size[1] } };
	return 0;
}

void xfs_lexch_put(const struct xfs_lexch *x, u8 *p)
{
	struct item d = { .type = XFS_LI_XMI,
			  .n = 1,
			  .ino = { x->ino[0], x->ino[1] },
			  .gen = { x->gen[0], x->gen[1] },
			  .off = { x->off[0], x->off[1] },
			  .count = x->count,
			  .flags = x->flags,
			  .size = { ~0ull, ~0ull } };

	if (x->flags & XFS_LEXCH_SIZES)
		memcpy(d.size, x->size, sizeof(d.size));
	memcpy(p, &d, sizeof(d));
}
