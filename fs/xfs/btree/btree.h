/* SPDX-License-Identifier: MIT */
/*
 * Btrees that are changed, all kinds by one code: a cursor is a path from the root to a record.
 *
 * A shape says how a kind of tree lies on the disk; operations say where a tree's root is and where
 * its blocks come from. Keys and records are in the disk's form everywhere.
 *
 * Each block that a path goes through is compared with the one above it: level, owner, the siblings
 * that the one above names, keys between its keys. The path, not the siblings' pointers, leads to
 * neighbours, so every way through a tree ends. Records move, and blocks are joined, between
 * children of one block alone: that suffices to keep all blocks half full, as each block but the
 * root has at least two.
 *
 * In trees whose records overlap (owners of blocks), a key in a node has a second part, the highest
 * key below it.
 *
 * After an insertion or a deletion the cursor has no position until the next lookup. Errors that
 * come after a change was logged cannot be undone (tx.h). Allocation of blocks is for the caller to
 * have made sure of: one insertion takes at most levels + 1.
 */
#pragma once

#include "fs/xfs/tx/tx.h"

#define XFS_BT_KEY_MAX 20
#define XFS_BT_REC_MAX 24
struct xfs_bt_key {
	u8 b[XFS_BT_KEY_MAX];
};

struct xfs_bt_shape {
	const char *name;
	enum xfs_kind kind;
	u32 magic;
	u8 rec, key;			/* bytes of a record and of one key */
	bool wide;			/* pointers of 64 bits, an inode is the owner */
	bool overlap;			/* a node's key has two parts */
	void (*key_of)(const u8 *rec, struct xfs_bt_key *k);
	void (*high_of)(const u8 *rec, struct xfs_bt_key *k);	/* where they overlap */
	int (*cmp)(const u8 *a, const u8 *b);			/* keys */
};
extern const struct xfs_bt_shape xfs_bt_shapes[XFS_BT_KINDS], xfs_bmbt_shape;

struct xfs_bt_cur;
struct xfs_bt_ops {
	/* In a block: where it is, and how many levels the tree has. */
	void (*root)(struct xfs_bt_cur *c, u64 *ptr, u32 *levels);
	void (*set_root)(struct xfs_bt_cur *c, u64 ptr, u32 levels);
	/* In an inode: the bytes of the root (struct xfs_dbmdr), and that they changed. */
	u8 *(*iroot)(struct xfs_bt_cur *c, u32 *size);
	void (*log_iroot)(struct xfs_bt_cur *c);
	/* A block for the tree; NEAR: of one beside it. Not yet got. */
	int (*alloc)(struct xfs_bt_cur *c, u64 near, u64 *ptr);
	/* The block PTR is the tree's no longer; its buffer was killed. */
	int (*free)(struct xfs_bt_cur *c, u64 ptr);
};

struct xfs_bt_cur {
	struct xfs_tx *tx;
	const struct xfs_bt_shape *shape;
	const struct xfs_bt_ops *ops;
	u32 agno;			/* of short pointers */
	struct xfs_txbuf *agbuf;	/* AGF or AGI, for the operations */
	struct xfs_ino *ip;		/* of long pointers */
	bool attr;
	void *ctx;			/* the operations' */
	u32 levels;			/* 0: no position */
	struct {
		struct xfs_txbuf *b;	/* NULL: in the inode */
		u64 ptr;
		u32 at;
	} lv[XFS_BT_MAXLEVELS];
};

void xfs_bt_open_ag(struct xfs_bt_cur *c, struct xfs_tx *tx, enum xfs_bt kind,
		    const struct xfs_bt_ops *ops, u32 agno, struct xfs_txbuf *agbuf);
void xfs_bt_open_ino(struct xfs_bt_cur *c, struct xfs_tx *tx, const struct xfs_bt_ops *ops,
		     struct xfs_ino *ip, bool attr);
/* Gives blocks back that were only looked at. */
void xfs_bt_close(struct xfs_bt_cur *c);

enum xfs_bt_dir { XFS_BT_LE, XFS_BT_GE, XFS_BT_EQ };
/*
 * Goes to the last record not above KEY, the first not below it, or that of KEY. *FOUND: there is
 * such a one; else there is no position.
 */
int __must_check xfs_bt_lookup(struct xfs_bt_cur *c, const struct xfs_bt_key *key,
			       enum xfs_bt_dir dir, bool *found);
/*
 * Where records overlap: goes to the first whose low and high key have KEY between them, and that
 * FITS. Every block with such a record may be looked at: as many records as have KEY in them, not
 * one path. Without one there is no position.
 */
int __must_check xfs_bt_find_span(struct xfs_bt_cur *c, const struct xfs_bt_key *key,
				  bool (*fits)(const u8 *rec, const void *what), const void *what,
				  bool *found);
/* The record before or behind; *FOUND: there is one. */
int __must_check xfs_bt_next(struct xfs_bt_cur *c, bool *found);
int __must_check xfs_bt_prev(struct xfs_bt_cur *c, bool *found);
/* The record at the position: valid until the cursor moves or the tree is changed. */
const u8 *xfs_bt_rec(const struct xfs_bt_cur *c);
/* Puts another there, between the same neighbours. The position stays. */
int __must_check xfs_bt_update(struct xfs_bt_cur *c, const u8 *rec);
int __must_check xfs_bt_insert(struct xfs_bt_cur *c, const u8 *rec);
/* Removes the one at the position; not the last one of a tree in an inode. */
int __must_check xfs_bt_delete(struct xfs_bt_cur *c);

/*
 * The entries of the root in an inode move to a block of their own, below a root with one entry. C
 * has a position.
 */
int __must_check xfs_bt_grow_iroot(struct xfs_bt_cur *c);

/* Records that fit in a block of LEVEL. */
u32 xfs_bt_max(const struct xfs_sb *sb, const struct xfs_bt_shape *s, u32 level);
/* A new root without records in block PTR, which was just allocated. */
int __must_check xfs_bt_new_root(struct xfs_bt_cur *c, u64 ptr);
/*
 * A verified and locked block of a tree, at PTR, that is at LEVEL. For the rooms that make trees.
 */
int __must_check xfs_bt_block(struct xfs_bt_cur *c, u32 level, u64 ptr, struct xfs_txbuf **b);
/* An empty block of LEVEL at PTR, just allocated; the caller fills it and logs what it filled. */
int __must_check xfs_bt_new_block(struct xfs_bt_cur *c, u32 level, u64 ptr, struct xfs_txbuf **b);

static inline u32 xfs_get32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static inline u64 xfs_get64(const u8 *p)
{
	return (u64)xfs_get32(p) << 32 | xfs_get32(p + 4);
}

static inline void xfs_put32(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 24);
	p[1] = (u8)(v >> 16);
	p[2] = (u8)(v >> 8);
	p[3] = (u8)v;
}

static inline void xfs_put64(u8 *p, u64 v)
{
	xfs_put32(p, (u32)(v >> 32));
	xfs_put32(p + 4, (u32)v);
}
