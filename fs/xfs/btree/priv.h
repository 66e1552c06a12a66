/* SPDX-License-Identifier: MIT */
/* Between the files of the room. */
#pragma once

#include "fs/xfs/btree/btree.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

/* A block or a root in an inode, for reading and changing what is in it. */
struct xfs_bt_view {
	struct xfs_bt_cur *c;
	struct xfs_txbuf *b;		/* NULL: in the inode */
	u8 *p;
	u32 level, max, head;
	u32 entry, ptr;			/* bytes of a record or key, and of a pointer */
};

void xfs_bt_view(struct xfs_bt_cur *c, u32 level, struct xfs_txbuf *b, struct xfs_bt_view *v);
static inline void xfs_bt_view_at(struct xfs_bt_cur *c, u32 level, struct xfs_bt_view *v)
{
	xfs_bt_view(c, level, c->lv[level].b, v);
}

u32 xfs_bt_count(const struct xfs_bt_view *v);
void xfs_bt_set_count(const struct xfs_bt_view *v, u32 n);
static inline u8 *xfs_bt_entry(const struct xfs_bt_view *v, u32 i)
{
	return v->p + v->head + (size_t)i * v->entry;
}

u64 xfs_bt_ptr(const struct xfs_bt_view *v, u32 i);
void xfs_bt_set_ptr(const struct xfs_bt_view *v, u32 i, u64 ptr);
/* Low key of the I-th entry. */
void xfs_bt_key(const struct xfs_bt_view *v, u32 i, struct xfs_bt_key *k);
/* Its high key, where they overlap. */
void xfs_bt_high_key(const struct xfs_bt_view *v, u32 i, struct xfs_bt_key *k);
/* What a node's entry for this block is: its low key and, where they overlap, its high key. */
void xfs_bt_node_key(const struct xfs_bt_view *v, u8 *out);
u64 xfs_bt_sibling(const struct xfs_bt_view *v, bool right);
void xfs_bt_set_sibling(const struct xfs_bt_view *v, bool right, u64 ptr);
bool xfs_bt_is_null(const struct xfs_bt_cur *c, u64 ptr);
u64 xfs_bt_null(const struct xfs_bt_cur *c);
/* Entries from FIRST up to the last, pointers too, and the count were changed. */
void xfs_bt_log(const struct xfs_bt_view *v, u32 first, u32 count);
void xfs_bt_log_head(const struct xfs_bt_view *v);
/* Moves N entries from FROM of A to TO of B, which may be the same block. Counts stay. */
void xfs_bt_move(const struct xfs_bt_view *a, u32 from, const struct xfs_bt_view *b, u32 to, u32 n);
/* Entry I of V. */
void xfs_bt_set(const struct xfs_bt_view *v, u32 i, const u8 *entry, u64 ptr);

/* Brings the keys above block LEVEL of the path to what it has. */
void xfs_bt_fix_keys(struct xfs_bt_cur *c, u32 level);
/*
 * The same after one entry was added, removed or replaced: GONE is the high key that it had, NULL
 * if it was added; COME is the one that it has, NULL if it was removed. Both are ignored where
 * records do not overlap.
 */
void xfs_bt_fix_entry(struct xfs_bt_cur *c, u32 level, const struct xfs_bt_key *gone,
		      const struct xfs_bt_key *come);
/* The block beside that of LEVEL, under the same one; *OK: there is one. */
int xfs_bt_beside(struct xfs_bt_cur *c, u32 level, bool right, struct xfs_bt_view *v, u64 *ptr,
		  bool *ok);
/* C's tree is damaged: -EUCLEAN; at a device address or an AG, or in block PTR. */
int xfs_bt_bad_at(struct xfs_bt_cur *c, const char *field, u64 place, u64 value);
int xfs_bt_bad(struct xfs_bt_cur *c, const char *field, u64 ptr, u64 value);
bool xfs_bt_in_inode(const struct xfs_bt_cur *c, u32 level);
/* Another one becomes the left neighbour of the block at RIGHT (which may be none). */
int xfs_bt_relink(struct xfs_bt_cur *c, u32 level, u64 right, u64 was, u64 is);
/* Down to the leaf where KEY belongs; *N: records in it not above KEY; *SAME: the last is KEY. */
int xfs_bt_descend(struct xfs_bt_cur *c, const struct xfs_bt_key *key, u32 *n, bool *same);
/* The path has the root, at least; it goes through the child of entry lv[LEVEL + 1].at. */
int xfs_bt_start(struct xfs_bt_cur *c);
int xfs_bt_go_down(struct xfs_bt_cur *c, u32 level);
/* Writes the key of a child, V, into entry AT of UP. */
void xfs_bt_put_key(const struct xfs_bt_view *up, u32 at, const struct xfs_bt_view *v);
/* N entries from the end of A to the beginning of B, its right neighbour, or the other way. */
void xfs_bt_shift(const struct xfs_bt_view *a, const struct xfs_bt_view *b, u32 n, bool right);
void xfs_bt_set_iroot_level(const struct xfs_bt_view *v, u32 level);
#define XFS_BT_ENTRY_MAX 40
