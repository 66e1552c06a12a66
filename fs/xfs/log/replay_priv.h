/* SPDX-License-Identifier: MIT */
/* Between the files of recovery. */
#pragma once

#include "fs/xfs/format/logitem.h"
#include "fs/xfs/log/replay.h"
#include <lib/list.h>

/* ---- table.c: memory, and things found by numbers ---- */

struct xfs_tnode {
	struct xfs_tnode *next;
	u64 key;
};
struct xfs_table {
	struct xfs_tnode **buckets;
	u32 cap, count;
	u32 popped;		/* buckets from here on are empty */
};

struct xfs_replay;
void *xfs_ralloc(struct xfs_replay *r, size_t n);
void xfs_rfree(struct xfs_replay *r, void *p, size_t n);
struct xfs_tnode *xfs_table_find(const struct xfs_table *t, u64 key);
/* -ENOMEM. */
int xfs_table_add(struct xfs_replay *r, struct xfs_table *t, struct xfs_tnode *n, u64 key);
void xfs_table_del(struct xfs_table *t, struct xfs_tnode *n);
/* Any of it, out of it; NULL: it is empty, and its memory is given back. */
struct xfs_tnode *xfs_table_pop(struct xfs_replay *r, struct xfs_table *t);

/* ---- trans.c: transactions put together from the records ---- */

struct xfs_ltrans {
	struct xfs_tnode node;		/* by its number, while it is open */
	u64 lsn;			/* of the record that it begins in */
	u8 *bytes;
	u32 used, cap;
	struct xfs_lregion *regions;
	u32 nr, nr_cap;
	u8 header[16];
	u32 header_len;
};
typedef int (*xfs_commit_fn)(struct xfs_replay *r, struct xfs_ltrans *t);
/* Calls FN for each committed transaction, in order; those that are not are forgotten. */
int xfs_replay_each(struct xfs_replay *r, xfs_commit_fn fn);

/* ---- image.c: the disk's blocks as they will be ---- */

#define XFS_UNIT_BBS 8u			/* of memory; sectors are not larger */
struct xfs_unit {
	struct xfs_tnode node;		/* by daddr / XFS_UNIT_BBS */
	u8 loaded, dirty;		/* bit masks */
	u32 owner[XFS_UNIT_BBS];	/* which object wrote it last; 0: none */
	u8 *data;			/* XFS_UNIT_BBS * XFS_SECTOR bytes */
};

/* A block, an inode: what is checked and written as one. */
struct xfs_object {
	struct xfs_tnode node;		/* by daddr */
	struct xfs_object *next;	/* all of them */
	u32 id, bbs;
	u8 kind;			/* enum xfs_lkind */
	u64 daddr, lsn;
};

/* BBS units at DADDR into BUF; -EUCLEAN: not on the device. */
int xfs_image_get(struct xfs_replay *r, u64 daddr, u32 bbs, void *buf);
/*
 * BUF is what stands there from now on, an object of a kind; LSN: 0 where it has none.
 */
int xfs_image_put(struct xfs_replay *r, u64 daddr, u32 bbs, const void *buf, u8 kind, u64 lsn);
/* Was it written during this recovery? */
bool xfs_image_touched(struct xfs_replay *r, u64 daddr, u32 bbs);
void xfs_unit_free(struct xfs_replay *r, struct xfs_unit *u);
/* Writes all that is dirty. */
int xfs_image_write(struct xfs_replay *r);

/* ---- blocks.c: what blocks are ---- */

/*
 * The LSN in a block's header; ~0: it has none, is another file system's, or the block was torn:
 * then the log, which has all changes since, makes it whole.
 */
u64 xfs_block_lsn(const struct xfs_sb *sb, const u8 *p, u32 bbs);
/* Does its magic number fit its kind, and its length? */
bool xfs_block_fits(const struct xfs_sb *sb, u8 kind, const u8 *p, u32 bbs);
/* Sets LSN and checksum of a block, and verifies it. */
int xfs_block_finish(const struct xfs_sb *sb, const struct xfs_object *o, u8 *p,
		     struct xfs_fault *f);

/* ---- replay.c, apply.c ---- */

struct xfs_replay {
	struct xfs_sb *sb;
	const struct xfs_replay_env *env;
	struct xfs_replay_result *out;
	struct xfs_fault *f;
	struct xfs_log log;
	struct xfs_log_state state;
	size_t used;			/* bytes */
	struct xfs_table cancels, intents, open, units, objects;
	struct xfs_object *all;		/* oldest last */
	u32 nr_objects, quotaoff;
	struct list_head begun;		/* struct xfs_begun that have no end, oldest first */
	u64 record;			/* where it reads, for faults */
	u8 sector[XFS_UNIT_BBS * XFS_SECTOR];
	u8 block[XFS_LB_MAX_BBS * XFS_SECTOR];	/* the one that is worked on */
};

struct xfs_counted {	/* a freed block */
	struct xfs_tnode node;
	u32 count;
};

struct xfs_begun {	/* work */
	struct xfs_tnode node;
	struct list_head all;
	u64 lsn;
	struct xfs_litem it;		/* a copy, which lies behind */
	size_t size;
};

int xfs_apply_trans(struct xfs_replay *r, struct xfs_ltrans *t);
/* Of a freed block, in the table of cancels: how often it is freed behind. */
u64 xfs_cancel_key(u64 daddr, u32 bbs);
bool xfs_is_cancelled(struct xfs_replay *r, u64 daddr, u32 bbs);
/* The next item of T from region *AT on; false: no more, or *E. */
bool xfs_trans_item(struct xfs_replay *r, const struct xfs_ltrans *t, u32 *at, struct xfs_litem *it,
		    int *e);

/* finish.c: checks all, counts, writes, marks the log clean. */
int xfs_replay_finish(struct xfs_replay *r);
