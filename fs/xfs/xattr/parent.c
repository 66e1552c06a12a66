// SPDX-License-Identifier: MIT
/* Parent pointers: attributes with a name in a directory, and as value the directory. */
#include "fs/xfs/xattr/xattr_priv.h"

struct parent_rec {
	be64 ino;
	be32 gen;
} __packed;

static struct xfs_xattr attr_of(struct parent_rec *r, u64 parent, u32 gen, const u8 *name, u32 len)
{
	r->ino = be64_make(parent);
	r->gen = be32_make(gen);
	return (struct xfs_xattr){ name, (const u8 *)r, len, sizeof(*r), XFS_ATTR_PARENT };
}

bool xfs_parent_of(const struct xfs_attr *a, struct xfs_parent *p)
{
	struct parent_rec r;

	if (!(a->flags & XFS_ATTR_PARENT) || !a->value || a->valuelen != sizeof(r) || !a->namelen)
		return false;
	memcpy(&r, a->value, sizeof(r));
	*p = (struct xfs_parent){ be64_get(r.ino), be32_get(r.gen), a->namelen, a->name };
	return true;
}

int xfs_parent_add(struct xfs_tx *tx, struct xfs_ino *ip, u64 parent, u32 gen, const u8 *name,
		   u32 len)
{
	struct parent_rec r;
	struct xfs_xattr x = attr_of(&r, parent, gen, name, len);

	return xfs_xattr_set(tx, ip, &x, XFS_XATTR_CREATE);
}

int xfs_parent_remove(struct xfs_tx *tx, struct xfs_ino *ip, u64 parent, u32 gen, const u8 *name,
		      u32 len)
{
	struct parent_rec r;
	struct xfs_xattr x = attr_of(&r, parent, gen, name, len);

	return xfs_xattr_remove(tx, ip, &x);
}

int xfs_parent_replace(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_parent *from,
		       const struct xfs_parent *to)
{
	int e = xfs_parent_remove(tx, ip, from->ino, from->gen, from->name, from->len);

	return e ?: xfs_parent_add(tx, ip, to->ino, to->gen, to->name, to->len);
}
