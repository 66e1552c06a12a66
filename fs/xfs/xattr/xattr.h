/* SPDX-License-Identifier: MIT */
/*
 * Changing attributes, in all forms (format/attr.h). A change is one transaction: a long value is
 * written to blocks that nobody can reach before the commit; the commit makes it reachable, and
 * takes the old one away. So no entry is ever incomplete.
 *
 * The inode's metadata lock is held for writing. -ENOSPC comes before anything was logged.
 */
#pragma once

#include "fs/xfs/tx/tx.h"

#define XFS_XATTR_CREATE	1u	/* -EEXIST where it is there */
#define XFS_XATTR_REPLACE	2u	/* -ENODATA where it is not */

struct xfs_xattr {
	const u8 *name, *value;
	u32 len, valuelen;
	u8 space;			/* XFS_ATTR_SPACE bits */
};

int __must_check xfs_xattr_set(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_xattr *x,
			       u32 flags);
/* -ENODATA, -ENOSPC. Of XFS_ATTR_PARENT the value must be the same, too. */
int __must_check xfs_xattr_remove(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_xattr *x);
/* Blocks to reserve for setting a value of VALUELEN bytes, or for removing one. */
u32 xfs_xattr_room(const struct xfs_sb *sb, u32 valuelen);

/*
 * Parent pointers: a file has one for each of its names, with the directory. Added and removed in
 * the transaction that changes the directory.
 */
int __must_check xfs_parent_add(struct xfs_tx *tx, struct xfs_ino *ip, u64 parent, u32 gen,
				const u8 *name, u32 len);
int __must_check xfs_parent_remove(struct xfs_tx *tx, struct xfs_ino *ip, u64 parent, u32 gen,
				   const u8 *name, u32 len);
struct xfs_parent {
	u64 ino;
	u32 gen, len;
	const u8 *name;
};
/* A as a pointer to a parent; P->name is A's. False: it is none, or makes no sense. */
bool xfs_parent_of(const struct xfs_attr *a, struct xfs_parent *p);
int __must_check xfs_parent_replace(struct xfs_tx *tx, struct xfs_ino *ip,
				    const struct xfs_parent *from, const struct xfs_parent *to);

/*
 * A change that recovery found begun, done as far as it was not. 0; -EAGAIN: to be committed, and
 * called again; -EUCLEAN: IP is not what A is about; -ENOSPC. Blocks to reserve for it.
 */
int __must_check xfs_xattr_redo(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_lattr *a);
u32 xfs_xattr_redo_room(const struct xfs_sb *sb, const struct xfs_lattr *a);
