/* SPDX-License-Identifier: MIT */
/*
 * Transactions with the log: tx.h for the kernel. A mount that writes has a struct xfs_live.
 *
 * A transaction begins with a reservation of log space and of blocks, before any lock is taken.
 * Blocks that it gets stay locked until it ends; what it logs is put into the open checkpoint by
 * the commit (journal.h), which also gives back what was reserved and not used, and makes its
 * changes of the counters true. From begin to end no memory is allocated that could need the file
 * system.
 *
 * Locks: those of tx.h > j->open > busy->lock (spinning) and the journal's.
 */
#pragma once

#include "fs/xfs/buf/mount.h"
#include "fs/xfs/buf/wbuf.h"
#include "fs/xfs/journal/journal.h"
#include "fs/xfs/tx/defer.h"
#include <alloc/ghash.h>
#include <lib/minmax.h>
#include <lib/rbtree.h>
#include <sched/mutex.h>
#include <sched/work.h>

/* Extents of an AG that were freed and whose freeing is not durable. */
struct xfs_busy_ag {
	spinlock_t lock;
	struct rb_root tree;		/* lock: struct busy, by block */
	u32 count;			/* lock: in the tree */
	wait_queue_head_t wait;
	u32 gone;			/* lock: rises with each that ends */
};

#define XFS_POOL 8192u

struct xfs_live {
	struct xfs_mount *mp;		/* c */
	struct xfs_journal *j;		/* c */
	/* c: held: what is written of the superblock never depends on the disk's, as on Linux */
	struct xfs_buf *sb;
	/* c: one an AG, as struct xfs_fs has the AGs */
	struct xfs_busy_ag *busy, *more_busy[XFS_GROWN_MOST];
	bool discard;			/* remounts change it; set: discard_wq is there */
	bool discard_failed;		/* the worker's: it was said */
	struct workqueue_struct *discard_wq;	/* c, once set */
	struct list_head discards;	/* busy_lists */
	struct work_struct discard_work;
	struct workqueue_struct *written_wq;	/* c: file/'s, for data that came to the device */
	atomic64_t fdblocks, icount, ifree;	/* fdblocks: without what is reserved */
	atomic64_t delayed;		/* of those not in fdblocks: what files are promised */
	u64 moved_seq;   /* atomic, rises: the last checkpoint with an xfs_tx.moved */
	spinlock_t busy_lists;		/* which busy extent is of which checkpoint */
	spinlock_t gathered_lock;
	struct list_head gathered;	/* gathered_lock: blocks of inodes to be written */
	struct shrinker shrinker;	/* of items that the log keeps in memory */
	char name[40];			/* c: its */
	/* the same lock: xfs_buf.inodes, xfs_buf.flying */
};

static inline struct xfs_busy_ag *xfs_busy_of(const struct xfs_live *live, u32 agno)
{
	u32 nr = live->mp->fs.nr_ags, k, at;

	if (agno < nr)
		return &live->busy[agno];
	k = xfs_grown_at(nr, agno, &at);
	return &live->more_busy[k][at];
}

/*
 * Memory for AGs up to COUNT, of a file system that will be SB's, with their numbers and lengths.
 * They may be used when vol.sb.agcount says so. mp->admin is held. -ENOMEM.
 */
int __must_check xfs_live_add_ags(struct xfs_mount *mp, const struct xfs_sb *sb);

/* An inode that may be changed; embedded in what the kernel has of it. */
struct xfs_lino {
	struct xfs_ino ip;		/* first */
	struct rw_semaphore lock;	/* the metadata lock: core, literal area */
	struct xfs_item item;
	u32 fields;   /* lock, for writing: XFS_LI_*, logged since it was put into its block */
	u32 last;			/* the same that are on their way there; atomic to clear */
	bool put;	  /* gathered_lock: it is in its block, which is not written */
	u64 put_lsn;			/* gathered_lock */
	struct list_head in_block;	/* gathered_lock */
	atomic_t pins, refs;
	/*
	 * The last reference went, so that nothing of it is only in memory: LI may be freed. In any
	 * task, perhaps with spinning locks held. NULL: somebody else knows when it is idle.
	 */
	void (*gone)(struct xfs_lino *li);
	u64 seq;	 /* lock: checkpoint of its last commit: to be forced by fsync */
	struct ghash_node node;		/* of the table of all (inode/) */
	bool listed;			/* the AGI's lock: it may be in an unlinked list (inode/) */
	/*
	 * inode/: it is in use on the disk, and its VFS inode is not in the hash yet. Set with LOCK
	 * held for writing; cleared when it is there, with release.
	 */
	bool making;
	bool parked;			/* inode/: its reference is dropped when the mount ends */
};

/* IP's inode was read; its item is clean. LIVE is NULL while the mount is read-only. */
void xfs_lino_init(struct xfs_lino *li, struct xfs_live *live);
/* What was committed of LI is durable. -EIO: shut down. Its lock is not held. */
int __must_check xfs_lino_sync(struct xfs_lino *li);
/* Nothing of it is only in memory or on its way: it may be freed. */
bool xfs_lino_idle(const struct xfs_lino *li);
/* A reference; false: the last one went, and LI goes. */
bool __must_check xfs_lino_try_get(struct xfs_lino *li);
void xfs_lino_put(struct xfs_lino *li);

/*
 * Memory for the AGs that the superblock says, also of mounts that only read; it lasts until the
 * mount ends, and nobody uses MP any more. -ENOMEM.
 */
int __must_check xfs_ags_open(struct xfs_mount *mp);
void xfs_ags_close(struct xfs_mount *mp);
/*
 * Begins writing: the log's next record is for S's head (xfs_journal_open()). Superblock counters
 * are taken from mp->fs.vol.sb; the AGs are there. It goes on until xfs_live_close(), also where
 * the mount becomes read-only. 0, -ENOMEM, -EINVAL.
 */
int __must_check xfs_live_open(struct xfs_mount *mp, struct bdev *bdev, const char *id,
			       const struct xfs_log_state *s);
/*
 * It is about to be closed: blocks that cannot be written are no longer tried for ever, so that no
 * task waits for space in the log that does not become free.
 */
void xfs_live_ending(struct xfs_mount *mp);
/* Writes all, marks the log clean. -EIO: it was shut down. */
int xfs_live_close(struct xfs_mount *mp);
/* The same, but goes on. Nobody changes anything meanwhile. */
int xfs_live_clean(struct xfs_mount *mp);
/*
 * Before the file system is frozen: all is in its place, and the log has nothing but a superblock,
 * so that a copy of the device is recovered as after a power cut.
 */
int xfs_live_quiesce(struct xfs_mount *mp);
/*
 * Writing ends at once, for all: what users asked for with FS_IOC_SHUTDOWN. HOW: enum xfs_how. 0;
 * -EINVAL; -EROFS: nothing is written; -EBUSY: it is frozen.
 */
enum xfs_how { XFS_DOWN_SYNCED, XFS_DOWN_LOGGED, XFS_DOWN_NOW };
int xfs_shutdown(struct xfs_mount *mp, u32 how);
/* Shuts MP down because its device is being removed. */
void xfs_device_goes(struct xfs_mount *mp);
/* Blocks that AGs keep for their trees and do not have yet: they are free, but not for files. */
u64 xfs_kept_blocks(struct xfs_mount *mp);
/*
 * Blocks that only transactions that free space may take: as many as XFS_IOC_SET_RESBLKS said, at
 * most LLONG_MAX. They are free blocks: with fewer of these, nobody else gets any.
 */
#define XFS_POOL_DEFAULT U64_MAX
static inline u64 xfs_pool_blocks(const struct xfs_mount *mp)
{
	u64 set = READ_ONCE(mp->pool);

	return set != XFS_POOL_DEFAULT ? set : min_t(u64, XFS_POOL, mp->fs.vol.sb.dblocks / 20);
}

/* Free blocks that no file gets, as on Linux: 8 of each AG, for the trees of its free space. */
static inline u64 xfs_set_aside(const struct xfs_sb *sb)
{
	return (u64)sb->agcount * 8;
}

/*
 * The counters as they are now, not below 0; of a mount that never wrote as the superblock has
 * them. fdblocks: without what transactions reserved and AGs keep.
 */
struct xfs_counts {
	u64 fdblocks, icount, ifree;
};
struct xfs_counts xfs_counts_of(const struct xfs_mount *mp);

/* Nothing is written any more, and nothing new is begun: EIO. */
static inline bool xfs_is_down(const struct xfs_mount *mp)
{
	struct xfs_live *live = READ_ONCE(mp->live);

	return live && xfs_journal_dead(live->j);
}

/*
 * Free space of AGNO, whose AGF the caller has locked: LEN blocks from AGB on, of which none is
 * busy, are busy until xfs_busy_end() of LIST, so that they can be discarded without the AGF's
 * lock. -ENOMEM.
 */
int __must_check xfs_busy_hold(struct xfs_mount *mp, u32 agno, u32 agb, u32 len,
			       struct list_head *list);
void xfs_busy_end(struct xfs_live *live, struct list_head *list);

/*
 * -o discard and nodiscard of a mount that writes: whether extents freed from now on are discarded.
 * Where the device cannot, a line in the log says so and the option is off. -ENOMEM. The mount is
 * not in use, or its s_umount is held for writing.
 */
int __must_check xfs_discard_set(struct xfs_mount *mp, bool on);

/*
 * Before data are written over blocks that a file has: that they are its alone, and at their place,
 * is durable. The caller knows that they are not shared. -EIO: shut down. No li->lock is held.
 */
int __must_check xfs_moved_settle(struct xfs_live *live);

/* Work that recovery found: LSN is its transaction's. NULL: no memory. In their order. */
struct xfs_intent *xfs_intent_found(struct xfs_live *live, u64 id, u64 lsn);

#define XFS_TX_SYNC	1u	/* the commit returns when it is durable */
#define XFS_TX_RESERVE	2u	/* for freeing space: blocks that others may not have */
#define XFS_TX_FROZEN	4u	/* of the one who freezes */

/*
 * BYTES of log, COUNT times (for rolls), and BLOCKS; waits for log space. 0; -ENOSPC; -EIO: shut
 * down; -ENOMEM.
 */
int __must_check xfs_trans_begin(struct xfs_mount *mp, u32 bytes, u32 count, u32 blocks, u32 flags,
				 struct xfs_tx **out);
/*
 * One that changes nothing, of a mount that never wrote and has no log: it has blocks locked, as
 * any transaction, until xfs_trans_cancel(). Waits for nothing but memory; 0.
 */
int __must_check xfs_trans_look(struct xfs_mount *mp, struct xfs_tx **out);
/* TX has N more or fewer blocks, which the caller took from fdblocks; which are the caller's. */
void xfs_trans_add_blocks(struct xfs_tx *tx, u32 n);
void xfs_trans_take_blocks(struct xfs_tx *tx, u32 n);
/* Finishes deferred work, commits; TX is gone. -errno: the file system is shut down. */
int xfs_trans_commit(struct xfs_tx *tx);
/* TX is gone. If it had changed something, the file system is shut down. */
void xfs_trans_cancel(struct xfs_tx *tx);
/*
 * The superblock, locked in TX: its counters and features, and what CHANGE, if there is one, makes
 * of it, are logged. *OUT: what it is then.
 */
#define XFS_SB_BYTES 640u		/* of log, with its heads */
int __must_check xfs_tx_sb(struct xfs_tx *tx, struct xfs_mount *mp,
			   void (*change)(struct xfs_dsb *d, const void *arg), const void *arg,
			   struct xfs_dsb *out);
/* The superblock's counters and features into the log. */
int xfs_sync_sb(struct xfs_mount *mp, bool sync);
/*
 * The superblock, after a durable change of it, is at its place on the disk, where programs that
 * read the device look for it. The mount counts as written to. Sleeps. 0, -EIO, -EINTR: killed.
 */
int __must_check xfs_settle_sb(struct xfs_mount *mp);
