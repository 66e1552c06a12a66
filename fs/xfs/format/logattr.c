// SPDX-License-Identifier: MIT
/*
 * The log item of an attribute that is to be changed, in the CPU's byte order: a head, then the
 * name, for a replaced parent pointer the new name, then the value, and likewise the new one. Each
 * is a region of its own, whose length is rounded up to 4 bytes; one of no bytes has no region.
 */
#include "fs/xfs/format/attr.h"
#include "fs/xfs/format/logitem.h"
#include <lib/string.h>

#define ITEM "log item"

struct head {
	u16 type, n;
	u32 gen;
	u64 id, ino;
	u32 op;
	u8 name_len[4];	/* a number; or two, of two bytes each, where a new name is there */
	u32 value_len, filter;
};
_Static_assert(sizeof(struct head) == 40, "ATTRI");

static bool is_parent(u32 op)
{
	return op >= XFS_LATTR_PARENT_SET && op <= XFS_LATTR_PARENT_REPLACE;
}

/* What the operation says of its lengths, names and values apart. */
static int check_head(const struct xfs_sb *sb, const struct head *h, u64 place, struct xfs_fault *f)
{
	u32 space = h->filter & XFS_ATTR_SPACE;

	if (h->op < XFS_LATTR_SET || h->op > XFS_LATTR_PARENT_REPLACE)
		return xfs_bad(f, ITEM, "alfi_op_flags", place, h->op);
	if (h->filter & ~(u32)(XFS_ATTR_SPACE | XFS_ATTR_INCOMPLETE) || space & (space - 1) ||
	    (space == XFS_ATTR_PARENT) != is_parent(h->op))
		return xfs_bad(f, ITEM, "alfi_attr_filter", place, h->filter);
	if (is_parent(h->op) ? !(sb->incompat & XFS_IN_PARENT) || h->value_len != XFS_PARENT_LEN :
			       h->value_len > XFS_ATTR_MAX_VALUE ||
				       (h->op == XFS_LATTR_REMOVE && h->value_len))
		return xfs_bad(f, ITEM, "alfi_value_len", place, h->value_len);
	return 0;
}

/* Region *AT must have LEN bytes. NULL: it has not; where LEN is 0 it is not there. */
static const u8 *take(const struct xfs_litem *it, u32 *at, u32 len)
{
	u32 has;

	if (!len || *at >= it->n)
		return NULL;
	has = it->r[*at].len;
	return has == len || has == ((len + 3) & ~3u) ? xfs_lregion_at(it, (*at)++) : NULL;
}

/* The lengths of names; false: one is too long, or not there. */
static bool get_lengths(const struct head *h, u32 *len, u32 *new_len)
{
	u16 both[2];

	if (h->op != XFS_LATTR_PARENT_REPLACE) {
		memcpy(len, h->name_len, sizeof(*len));
		*new_len = 0;
		return *len && *len <= XFS_ATTR_MAX_NAME;
	}
	memcpy(both, h->name_len, sizeof(both));
	*len = both[0];
	*new_len = both[1];
	return *len && *len <= XFS_ATTR_MAX_NAME && *new_len && *new_len <= XFS_ATTR_MAX_NAME;
}

static bool good_name(const u8 *name, u32 len, bool parent)
{
	return name && !memchr(name, 0, len) && !(parent && memchr(name, '/', len));
}

int xfs_lattr_get(const struct xfs_sb *sb, const struct xfs_litem *it, u64 place,
		  struct xfs_lattr *out, struct xfs_fault *f)
{
	bool two, parent;
	struct head h;
	u32 at = 1;
	int e;

	memcpy(&h, xfs_lregion_at(it, 0), sizeof(h));
	e = check_head(sb, &h, place, f);
	if (e)
		return e;
	two = h.op == XFS_LATTR_PARENT_REPLACE;
	parent = is_parent(h.op);
	*out = (struct xfs_lattr){ .ino = h.ino,
				   .gen = h.gen,
				   .op = (u8)h.op,
				   .space = (u8)(h.filter & XFS_ATTR_SPACE),
				   .valuelen = h.value_len };
	if (!get_lengths(&h, &out->len, &out->new_len))
		return xfs_bad(f, ITEM, "alfi_name_len", place, out->len);
	out->name = take(it, &at, out->len);
	out->new_name = take(it, &at, out->new_len);
	out->value = take(it, &at, h.value_len);
	out->new_value = two ? take(it, &at, h.value_len) : NULL;
	if (!out->name || (h.value_len && !out->value) ||
	    (two && !(out->new_name && out->new_value)) || at != it->n)
		return xfs_bad(f, ITEM, "number of regions", place, it->n);
	if (!good_name(out->name, out->len, parent) ||
	    (two && !good_name(out->new_name, out->new_len, parent)))
		return xfs_bad(f, ITEM, "name", place, out->len);
	return 0;
}
