/* SPDX-License-Identifier: MIT */
/* Between the files of transactions. */
#pragma once

#include "fs/xfs/trans/trans.h"
#include "fs/xfs/format/stamp.h"
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <sched/task.h>

#define XFS_MAP_WORDS (XFS_LB_MAX_BBS * XFS_SECTOR / XFS_LB_CHUNK / 32)
#define XFS_TX_BUCKETS 16u

/* A block in the log. It lasts as long as its buffer. */
struct xfs_bli {
	struct xfs_item item;
	struct xfs_buf *b;		/* c */
	struct xfs_live *live;  /* c; NULL: it goes with its transaction (xfs_trans_look()) */
	struct list_head bucket;	/* its transaction's */
	struct xfs_ktx *tx;		/* b's lock: that has it; NULL */
	u32 got;			/* how often */
	bool held;			/* over the next roll */
	bool cancel;			/* its block was freed */
	bool ordered;			/* not logged, but written before the tail passes it */
	bool made;	/* gathered_lock: new inodes that were not written; atomic to read */
	bool out_made;			/* the same lock: those that a write has, on its way */
	bool again;			/* the same lock: and changes were committed meanwhile */
	bool failed;			/* the writer's: the last write did */
	u32 map[XFS_MAP_WORDS];		/* changed since it was written last */
	u32 out[XFS_MAP_WORDS];		/* what the write that is on its way has */
	u32 logged[XFS_MAP_WORDS];	/* b's lock: what the commit that goes on logs */
	u8 way;				/* atomic: enum xfs_way: what OUT is */
	bool gathered;			/* gathered_lock */
	struct list_head gather;	/* gathered_lock */
};
enum xfs_way { XFS_WAY_NONE, XFS_WAY_OUT, XFS_WAY_FAILED };

struct xfs_ktx {
	struct xfs_tx tx;		/* first */
	struct xfs_mount *mp;
	struct xfs_live *live;		/* c; NULL: it only looks */
	struct xfs_ticket ticket;
	u32 flags, blocks;		/* blocks: reserved at the beginning */
	unsigned int nofs;
	struct list_head items;		/* xfs_item.tx */
	struct list_head busy;
	struct list_head buckets[XFS_TX_BUCKETS];	/* xfs_bli */
};

static inline struct xfs_ktx *xfs_ktx(struct xfs_tx *tx)
{
	return container_of(tx, struct xfs_ktx, tx);
}

static inline struct xfs_live *xfs_live_of(struct xfs_fs *fs)
{
	return container_of(fs, struct xfs_mount, fs)->live;
}

/* buf.c: B's, made where it has none. */
struct xfs_bli *xfs_bli_of(struct xfs_buf *b, struct xfs_live *live);
/* TX has ended, or rolls (KEEP: what is held stays): its blocks are unlocked. */
void xfs_tx_release_bufs(struct xfs_ktx *tx, bool keep);
/* B is written before the tail passes the commit, but not logged. */
void xfs_tx_order(struct xfs_tx *tx, struct xfs_txbuf *b);
/* inode.c */
extern const struct xfs_item_ops xfs_lino_ops;
/* B, locked, is written: what inodes were put into it go with it; and came there, or not. */
void xfs_linos_fly(struct xfs_live *live, struct xfs_buf *b);
void xfs_linos_landed(struct xfs_live *live, struct xfs_buf *b, int e);
/* B has inodes that were put into it. */
void xfs_gather(struct xfs_live *live, struct xfs_buf *b);
void xfs_write_gathered(void *ctx);
/* Writes B if it may be; B is locked, and unlocked afterwards. */
enum xfs_pushed xfs_push_locked(struct xfs_live *live, struct xfs_buf *b);
/* busy.c */
struct xfs_busy {
	struct rb_node node;
	struct list_head list;		/* of its transaction, checkpoint, or of those to discard */
	struct xfs_busy_ag *ag;
	u32 agno;			/* its number */
	u32 agb, len;			/* lock; LEN 0: not in the tree */
	bool keep;
};
void xfs_busy_freed(void *ctx, struct list_head *busy);
void xfs_busy_drop(struct xfs_ktx *tx);
/* discard.c */
void xfs_discard_init(struct xfs_live *live);
/* Those of LIST, whose freeing is durable, that the device is to hear of are taken from it. */
void xfs_discard_later(struct xfs_live *live, struct list_head *list);
