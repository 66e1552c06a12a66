/* SPDX-License-Identifier: MIT */
/* Between the forms of a directory. */
#pragma once

#include "fs/xfs/da/tree.h"
#include "fs/xfs/dirent/dirent.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

#define XFS_FT_DIR 2
#define XFS_DD_HEAD ((u32)sizeof(struct xfs_ddir_data))
#define XFS_DIR_NULL_BEST 0xffffu

/* An operation on one name. */
struct xfs_dop {
	struct xfs_tx *tx;
	struct xfs_ino *dp;
	const struct xfs_sb *sb;
	const u8 *name;
	u32 len, hash;
	u64 ino;
	u8 ftype;
	bool grows;			/* TX has blocks for all that it may take */
};

/* Before the first change of an operation that takes blocks. */
static inline int __must_check xfs_dop_grow(struct xfs_dop *o)
{
	o->grows = o->grows || o->tx->blocks >= xfs_dirent_room(o->tx, o->dp, o->len);
	return o->grows ? 0 : -ENOSPC;
}

static inline int xfs_dop_bad(struct xfs_dop *o, const char *field, u64 value)
{
	return xfs_tx_bad_ino(o->tx, o->dp, XFS_SICK_INO_DIR, "directory", field, value);
}

/* ---- blocks of names: data.c ---- */

static inline u32 xfs_dd_size(u32 namelen)
{
	return (8 + 1 + namelen + 1 + 2 + 7) & ~7u;
}

/* Where names of B end. */
u32 xfs_dd_end(const struct xfs_sb *sb, const struct xfs_txbuf *b);
/* The length of the largest free piece. */
static inline u32 xfs_dd_best(const struct xfs_txbuf *b)
{
	return be16_get(((const struct xfs_ddir_data *)b->data)->best[0].length);
}

/* Nothing but free space is in it. */
static inline bool xfs_dd_empty(const struct xfs_sb *sb, const struct xfs_txbuf *b)
{
	return xfs_dd_best(b) == sb->dirblksize - XFS_DD_HEAD;
}

/* Block number DB; NEW: one that is all free. */
int __must_check xfs_dd_get(struct xfs_dop *o, u32 db, struct xfs_txbuf **out);
int __must_check xfs_dd_new(struct xfs_dop *o, u32 db, struct xfs_txbuf **out);
/* Where SIZE free bytes are; 0: not as one piece. -EUCLEAN: the table of free pieces is wrong. */
int __must_check xfs_dd_find(struct xfs_dop *o, struct xfs_txbuf *b, u32 size, u32 *at);
/* LEN bytes at AT, the beginning or the end of the free piece at FROM, are no longer free. */
void xfs_dd_use(struct xfs_dop *o, struct xfs_txbuf *b, u32 from, u32 at, u32 len);
/* The length of the free piece at the end of all names; 0: there is none. */
u32 xfs_dd_tail(struct xfs_dop *o, struct xfs_txbuf *b, u32 *from);
/* LEN bytes at AT become free. */
void xfs_dd_free(struct xfs_dop *o, struct xfs_txbuf *b, u32 at, u32 len);
/* The bytes of an entry at AT, which are no longer free. */
void xfs_dd_put(struct xfs_dop *o, struct xfs_txbuf *b, u32 at, const u8 *name, u32 len, u64 ino,
		u8 ftype);
/* The table of free pieces is made again from all there are. */
void xfs_dd_rescan(struct xfs_dop *o, struct xfs_txbuf *b);
/* A free piece at AT, of which the table does not know. */
void xfs_dd_mark_free(struct xfs_dop *o, struct xfs_txbuf *b, u32 at, u32 len);
/* Another inode in the entry at AT. */
void xfs_dd_set_ino(struct xfs_dop *o, struct xfs_txbuf *b, u32 at);
/* The block DB, all free, goes. */
int __must_check xfs_dd_drop(struct xfs_dop *o, u32 db, struct xfs_txbuf *b);
void xfs_dd_set_size(struct xfs_dop *o, u32 blocks);

/* ---- sorted hashes: ents.c ---- */

/* N sorted entries, of which STALE have no address. */
struct xfs_ents {
	struct xfs_ddir_ent *e;
	u32 n, stale;
};
/* The range of entries that were changed. */
struct xfs_ents_range {
	u32 lo, hi;
};
/*
 * Puts an entry at its place: over a stale one, else as the N + 1st, for which there is room. HI is
 * 0 where there is no stale one, although STALE says it.
 */
struct xfs_ents_range xfs_ents_put(struct xfs_ents *s, u32 hash, u32 addr);
/* Takes out stale ones until KEEP are left. */
void xfs_ents_pack(struct xfs_ents *s, u32 keep);

/*
 * Finds O's name among the entries from I on: 0: *I is it, its bytes are at *AT of *B; 1: not here,
 * the next leaf may have it; -ENOENT. NAMES: the block that all names are in, or NULL.
 */
int __must_check xfs_ents_find(struct xfs_dop *o, const struct xfs_ents *s, struct xfs_txbuf *names,
			       u32 *i, struct xfs_txbuf **b, u32 *at);

static inline u32 xfs_dir_addr(const struct xfs_sb *sb, u32 db, u32 at)
{
	return (u32)(((u64)db * sb->dirblksize + at) >> 3);
}

static inline u32 xfs_dir_addr_db(const struct xfs_sb *sb, u32 addr)
{
	return (u32)(((u64)addr << 3) / sb->dirblksize);
}

static inline u64 xfs_dir_leaf_off(const struct xfs_sb *sb)
{
	return XFS_DIR_LEAF_START >> sb->blocklog;
}

/* ---- forms ---- */

enum xfs_dform { XFS_DFORM_SHORT, XFS_DFORM_BLOCK, XFS_DFORM_LEAF, XFS_DFORM_NODE };
int __must_check xfs_dform_of(struct xfs_dop *o, enum xfs_dform *f);

/* -EFBIG: it does not fit into the form. */
int __must_check xfs_dirsf_add(struct xfs_dop *o);
int __must_check xfs_dirsf_remove(struct xfs_dop *o);
int __must_check xfs_dirsf_replace(struct xfs_dop *o);
int __must_check xfs_dirsf_to_block(struct xfs_dop *o);

struct xfs_ents xfs_dirblk_ents(const struct xfs_sb *sb, struct xfs_txbuf *b);
void xfs_dirblk_set(struct xfs_dop *o, struct xfs_txbuf *b, const struct xfs_ents *s);
int __must_check xfs_dirblk_add(struct xfs_dop *o);
int __must_check xfs_dirblk_remove(struct xfs_dop *o);
int __must_check xfs_dirblk_replace(struct xfs_dop *o);
int __must_check xfs_dirblk_to_leaf(struct xfs_dop *o);
/* Where all of the block B fits into the inode it goes there. */
int __must_check xfs_dirblk_to_short(struct xfs_dop *o, struct xfs_txbuf *b);

/* Entries of a leaf, single or not. */
struct xfs_ents xfs_dirleaf_ents(struct xfs_txbuf *b);
void xfs_dirleaf_set(struct xfs_dop *o, struct xfs_txbuf *b, const struct xfs_ents *s,
		     struct xfs_ents_range r);
/* The table of free space at the end of a single leaf: as many as *N. */
be16 *xfs_dirleaf_bests(const struct xfs_sb *sb, struct xfs_txbuf *b, u32 *n);
void xfs_dirleaf_set_bests(struct xfs_dop *o, struct xfs_txbuf *b, u32 n);
int __must_check xfs_dirleaf_add(struct xfs_dop *o);
int __must_check xfs_dirleaf_remove(struct xfs_dop *o);
int __must_check xfs_dirleaf_replace(struct xfs_dop *o);
int __must_check xfs_dirleaf_to_node(struct xfs_dop *o);
/* Becomes a block, and perhaps short, where it can; else nothing. */
int __must_check xfs_dirleaf_to_block(struct xfs_dop *o, struct xfs_txbuf *leaf);

int __must_check xfs_dirnode_add(struct xfs_dop *o);
int __must_check xfs_dirnode_remove(struct xfs_dop *o);
int __must_check xfs_dirnode_replace(struct xfs_dop *o);

/* ---- free.c: the index of free space in node form ---- */

static inline u32 xfs_dirfree_max(const struct xfs_sb *sb)
{
	return (sb->dirblksize - (u32)sizeof(struct xfs_ddir_free)) / 2;
}

int __must_check xfs_dirfree_get(struct xfs_dop *o, u32 f, struct xfs_txbuf **out);
int __must_check xfs_dirfree_new(struct xfs_dop *o, u32 f, struct xfs_txbuf **out);
/* A block of names with NEED free bytes in one piece: 1; 0: a new one may be made at *DB. */
int __must_check xfs_dirfree_find(struct xfs_dop *o, u32 need, u32 *db);
/* Block DB has BEST free bytes; XFS_DIR_NULL_BEST: it is gone. */
int __must_check xfs_dirfree_set(struct xfs_dop *o, u32 db, u32 best);
/* The number of blocks of names up to the last one below block END. */
int __must_check xfs_dirfree_end(struct xfs_dop *o, u32 end, u32 *blocks);
