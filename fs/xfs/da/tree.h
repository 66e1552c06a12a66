/* SPDX-License-Identifier: MIT */
/*
 * The tree of hashes that directories in node form and attributes have: nodes over leaves, each
 * entry of a node a child and the last hash in it. The root lies at a fixed place of the fork; it
 * is a leaf where that is enough. All blocks of one level form a chain, from the left to the right.
 *
 * Hashes collide: entries of one hash may go on in the next leaf, and two children may have the
 * same last hash. A hash is looked for in the first leaf whose last hash is not below it, and then
 * along the chain.
 *
 * What is in a leaf is its owner's affair; this code needs of it what struct xfs_da_leaf has.
 */
#pragma once

#include "fs/xfs/da/fork.h"
#include "fs/xfs/format/da.h"

#define XFS_DA_DEPTH 5u		/* levels, that of leaves among them, that are made */

struct xfs_da;
struct xfs_da_leaf {
	u16 magic;
	/* It has no entries that count. */
	bool (*empty)(struct xfs_da *d, const void *p);
	/* It is so empty that it may be joined with another. */
	bool (*small)(struct xfs_da *d, const void *p);
	/* All entries of RIGHT go into LEFT, which is logged. False: they do not fit. */
	bool (*join)(struct xfs_da *d, struct xfs_txbuf *left, struct xfs_txbuf *right);
	u32 (*last)(const void *p);	/* its last hash */
};

struct xfs_da {
	struct xfs_tx *tx;
	struct xfs_ino *ip;
	const struct xfs_da_leaf *leaf;
	bool attr;
};

/* A block on the way down, and which of its entries was taken. */
struct xfs_da_at {
	struct xfs_txbuf *b;
	u32 blk, i;
};
struct xfs_da_path {
	u32 n;				/* blocks; the last is a leaf */
	struct xfs_da_at at[XFS_DA_MAXLEVELS + 1];
};

static inline struct xfs_da_at *xfs_da_leaf_at(struct xfs_da_path *p)
{
	return &p->at[p->n - 1];
}

static inline u32 xfs_da_root(const struct xfs_da *d)
{
	return d->attr ? 0 : (u32)(XFS_DIR_LEAF_START >> d->tx->fs->vol.sb.blocklog);
}

static inline int xfs_da_bad(const struct xfs_da *d, const char *field, u64 value)
{
	return xfs_tx_bad_ino(d->tx, d->ip, xfs_sick_fork(d->attr), "hash tree", field, value);
}

/* The block at BLK, whose owner is right; leaf or node. */
int __must_check xfs_da_get(struct xfs_da *d, u32 blk, struct xfs_txbuf **out);
/* A new block of MAGIC at a free place, its header filled in. */
int __must_check xfs_da_new(struct xfs_da *d, u16 magic, u32 *blk, struct xfs_txbuf **out);
void xfs_da_init(struct xfs_da *d, struct xfs_txbuf *b, u16 magic);
/* The way to the first leaf that may have HASH; to the last one where all hashes are below. */
int __must_check xfs_da_find(struct xfs_da *d, u32 hash, struct xfs_da_path *p);
/* To the next leaf: 1; 0: it was the last, and P is as it was. */
int __must_check xfs_da_next(struct xfs_da *d, struct xfs_da_path *p);
/* The last hash of P's leaf is HASH: nodes above are told. */
void xfs_da_fix(struct xfs_da *d, struct xfs_da_path *p, u32 hash);
/*
 * A new leaf, empty, right of P's, is put into the tree; P goes to the same leaf as before. The
 * caller moves entries into it and calls xfs_da_fix() for both (for the left one first).
 */
int __must_check xfs_da_add_leaf(struct xfs_da *d, struct xfs_da_path *p, struct xfs_da_at *out);
/* P's leaf has a new right neighbour OUT, by xfs_da_add_leaf(): P goes there. */
void xfs_da_go_right(struct xfs_da_path *p, const struct xfs_da_at *out);
/*
 * Something was removed from P's leaf: blocks that are empty or small are joined and freed, as far
 * as TX has blocks to do it with. P is void. The last leaf of all stays, empty perhaps, at the
 * root's place.
 */
int __must_check xfs_da_shrink(struct xfs_da *d, struct xfs_da_path *p);

/* Between the parts of this room. */
u32 xfs_da_node_max(const struct xfs_da *d);
void xfs_da_set_count(struct xfs_txbuf *b, u32 n);
void xfs_da_log_from(struct xfs_da *d, struct xfs_txbuf *b, u32 i, u32 n);
int __must_check xfs_da_link(struct xfs_da *d, u32 left, struct xfs_txbuf *lb, u32 right,
			     struct xfs_txbuf *rb);
static inline struct xfs_dda_ent *xfs_da_ents_mut(struct xfs_txbuf *b)
{
	return (void *)(b->data + sizeof(struct xfs_dda_node));
}
