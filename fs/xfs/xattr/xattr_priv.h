/* SPDX-License-Identifier: MIT */
/* Between the forms of attributes. */
#pragma once

#include "fs/xfs/da/tree.h"
#include "fs/xfs/xattr/xattr.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

struct xfs_xop {
	struct xfs_tx *tx;
	struct xfs_ino *ip;
	const struct xfs_sb *sb;
	const struct xfs_xattr *x;
	u32 hash;
	bool torn;	/* of its name, entries that were left incomplete, and no others */
};

static inline int xfs_xop_bad(struct xfs_xop *o, const char *field, u64 value)
{
	return xfs_tx_bad_ino(o->tx, o->ip, XFS_SICK_INO_XATTR, "attributes", field, value);
}

u32 xfs_xattr_hash(const struct xfs_xattr *x);
/* A is what O is about. */
bool xfs_xop_is(const struct xfs_xop *o, const struct xfs_attr *a);

/* ---- set.c ---- */

struct xfs_xop xfs_xop_of(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_xattr *x);
/* The fork is in the inode, or there is none. */
bool xfs_xop_in_inode(const struct xfs_xop *o);
/* Out of leaves: -ENODATA, -ENOSPC. */
int __must_check xfs_xattr_remove_in_tree(struct xfs_xop *o);

/* ---- short.c ---- */

/* Where the fork may begin so that it has BYTES; 0: nowhere. */
u32 xfs_xshort_fit(const struct xfs_xop *o, u32 bytes);
void xfs_xshort_move(struct xfs_xop *o, u32 forkoff);
/* The name without its old value and, unless REMOVE, with the new one. -EFBIG. */
int __must_check xfs_xshort_change(struct xfs_xop *o, bool remove);
/* What is in the inode, or nothing, becomes a leaf. */
int __must_check xfs_xshort_to_leaf(struct xfs_xop *o);
/* The leaf B, block 0 and the only one, goes into the inode if it fits. */
int __must_check xfs_xleaf_to_short(struct xfs_xop *o, struct xfs_txbuf *b);

/* ---- leaf.c ---- */

extern const struct xfs_da_leaf xfs_xleaf;
void xfs_xleaf_init(struct xfs_xop *o, struct xfs_txbuf *b);
/* Entry A goes to place I of B: false: there is no room. */
bool xfs_xleaf_put(struct xfs_tx *tx, struct xfs_txbuf *b, u32 i, const struct xfs_attr *a);
void xfs_xleaf_del(struct xfs_tx *tx, struct xfs_txbuf *b, u32 i);
/* The bytes of an entry's name and value there. */
u32 xfs_xleaf_size(const struct xfs_attr *a);
/* Takes entries FROM.. of LEFT into RIGHT, which is empty. */
void xfs_xleaf_split(struct xfs_tx *tx, struct xfs_txbuf *left, struct xfs_txbuf *right, u32 from);
/* Bytes that entries FROM to TO take, with their hashes. */
u32 xfs_xleaf_bytes(const void *p, u32 from, u32 to);
u32 xfs_xleaf_room(const struct xfs_txbuf *b);

/* ---- remote.c ---- */

static inline u32 xfs_xremote_blocks(const struct xfs_sb *sb, u32 valuelen)
{
	return DIV_ROUND_UP(valuelen, xfs_rmt_room(sb));
}

int __must_check xfs_xremote_write(struct xfs_xop *o, u32 *block);
int __must_check xfs_xremote_free(struct xfs_xop *o, const struct xfs_attr *a);
