/* SPDX-License-Identifier: MIT */
/*
 * The log's writer.
 *
 * What transactions change are log items (a block, an inode, work that was begun). A commit copies
 * what the log is to say of an item into memory (struct xfs_lvec) and puts it into the open
 * checkpoint; an item that is changed again before the checkpoint is written has its copy replaced.
 * When enough has come together, or somebody forces the log, the checkpoint is closed, another is
 * opened, and one worker writes it as one transaction of the log: records of up to 32 KiB, of which
 * the last has its commit. That one is issued when the others are complete, with a flush before it
 * and FUA. When it is complete, and those before it are, the items are in the log: they go into the
 * list of items by LSN (AIL), at its end, and are unpinned. A thread writes items from the list's
 * beginning to their places on the disk; the oldest one that is left is the log's tail.
 *
 * A record that says a new tail flushes first, as a write that has ended need not be durable. Where
 * a checkpoint has several records, the flush is complete before the first: none of them may go
 * where the old tail was before.
 *
 * Space: a transaction reserves what it can need at most before it takes any lock. Two counts say
 * how many bytes are in use: of the log from the tail to the head, and of reservations. In RESERVE
 * a rolling transaction has all that it asked for, so that few begin; in WRITE it has, once that is
 * used up, one part at a time. One that goes on waits for WRITE alone, that is for the tail, never
 * for those that are about to begin. Waiters are served in their order by whoever frees space.
 *
 * After an error of the log, or of a transaction that had changed things, the journal is dead:
 * nothing is written any more, every waiter is woken, everything returns -EIO.
 *
 * Locks: j->open (held for reading while items are put into the checkpoint, for writing while it is
 * closed) > j->cil_lock, j->ail_lock > j->lock, head->lock; the last are spinning.
 */
#pragma once

#include "fs/xfs/format/log.h"
#include "fs/xfs/format/sick.h"
#include <block/blk.h>
#include <lib/atomic.h>
#include <lib/list.h>
#include <sched/mutex.h>
#include <sched/wait.h>
#include <sched/work.h>

struct xfs_journal;
struct xfs_item;

/* What the log is to say of an item: regions of bytes, each at a multiple of 8. */
struct xfs_lvec {
	struct list_head node;		/* of its checkpoint */
	struct xfs_item *item;
	u32 n, max_n, used, cap;
	bool cancel;			/* it says that a block was freed */
	struct {
		u32 off, len;
	} *r;
	u8 *data;
};

/* Room for another region, LEN bytes, zeroed; its length is rounded up to 4. */
void *xfs_lvec_add(struct xfs_lvec *lv, u32 len);
/* Another region, with LEN bytes at FROM, and zeros up to a multiple of 4. */
void xfs_lvec_copy(struct xfs_lvec *lv, const void *from, u32 len);

enum xfs_pushed { XFS_PUSH_BEGUN, XFS_PUSH_PINNED, XFS_PUSH_BUSY };

struct xfs_item_ops {
	/*
	 * At most so many regions and bytes in them. The item is locked by its transaction, until
	 * after format(), which comes next.
	 */
	void (*size)(struct xfs_item *it, u32 *regions, u32 *bytes);
	void (*format)(struct xfs_item *it, struct xfs_lvec *lv);
	/* It came into a checkpoint in which it was not. */
	void (*pin)(struct xfs_item *it);
	/*
	 * Its checkpoint is durable; LSN is the checkpoint's. The LSN at which it is in the AIL
	 * from now on: that one, or the one that it has. 0: it is gone, and is not unpinned.
	 */
	u64 (*committed)(struct xfs_item *it, const struct xfs_lvec *lv, u64 lsn);
	/* After that; ABORTED: the journal is dead, the item was not written. */
	void (*unpin)(struct xfs_item *it, bool aborted);
	/*
	 * A reference, for the AIL and its thread: it does not go away until put(). get() is
	 * called with the AIL's lock held. push(): writes it, or begins to; does not wait for its
	 * locks.
	 */
	void (*get)(struct xfs_item *it);
	enum xfs_pushed (*push)(struct xfs_item *it);
	void (*put)(struct xfs_item *it);
	/*
	 * The journal is dead. Either it ends, and the item was taken out of the AIL, whose
	 * reference is put after this; or the item leaves a transaction that failed.
	 */
	void (*drop)(struct xfs_item *it);
};

struct xfs_item {
	const struct xfs_item_ops *ops;
	struct xfs_journal *j;
	struct list_head tx;		/* its transaction's; locked like what it is of */
	bool dirty;			/* in its transaction */
	/*
	 * c: it is committed once, and may be freed when that is durable: it leaves its transaction
	 * before the checkpoint can be closed. Others outlive the transaction, which holds them.
	 */
	bool once;
	struct list_head ail;		/* ail_lock */
	u64 lsn;			/* ail_lock to change; 0: not in the AIL */
	u64 seq;			/* cil_lock: of the last checkpoint that it came into */
	struct xfs_lvec *lv;		/* cil_lock: in that one */
};

static inline void xfs_item_init(struct xfs_item *it, struct xfs_journal *j,
				 const struct xfs_item_ops *ops)
{
	*it = (struct xfs_item){ .ops = ops, .j = j };
	INIT_LIST_HEAD(&it->tx);
	INIT_LIST_HEAD(&it->ail);
}

/* Reserved space of the log. */
struct xfs_ticket {
	u32 unit;			/* bytes, headers included */
	u32 count;			/* units that are left */
	s64 left;			/* of this unit */
	/* waiting */
	struct list_head node;
	struct task *task;
	u64 need;
	bool granted;
};

struct xfs_grant {
	atomic64_t used;		/* bytes */
	spinlock_t lock;
	struct list_head waiters;	/* lock: tickets, first come first served */
};

/* Extents that a checkpoint frees; what becomes of them is the hook's. */
struct xfs_ckpt {
	struct list_head node;		/* lock: on their way, in order */
	u64 seq;
	struct list_head lvs;		/* cil_lock while it is open */
	struct list_head busy;		/* the same */
	u32 items, regions;
	u64 space;			/* bytes that it will take, without headers */
	u64 res;			/* bytes reserved for it */
	u64 start_lsn, commit_lsn;
	u32 records;
	atomic_t pending;		/* records that are on their way */
	bool written;			/* its commit is durable, or failed */
};

struct xfs_record;
struct xfs_journal {
	const struct xfs_sb *sb;	/* c */
	struct bdev *bdev;		/* c */
	char id[32];			/* c */
	u64 place, blocks, bytes;	/* c: the log */
	u32 rec_bytes, headers, unit; /* c: of a record with headers; bytes that it is rounded to */

	struct xfs_grant reserve, write;

	/* the head: written by the one that writes, read under lock */
	spinlock_t lock;
	u64 head;			/* lock: block */
	u32 cycle;			/* lock */
	u64 tail_lsn;			/* lock; rises */
	u64 flushed_tail;		/* the writer's: what is durable behind it */
	u32 prev_block;			/* the writer's */
	struct list_head free_recs;	/* lock */
	wait_queue_head_t rec_wait;
	struct xfs_record *recs;
	struct list_head committing;	/* lock: checkpoints in order */

	struct rw_semaphore open;
	spinlock_t cil_lock;
	struct xfs_ckpt *cur;		/* open; its end frees it */
	u64 open_seq;			/* atomic: its number */
	u64 push_seq;			/* cil_lock: close up to this one */
	struct work_struct push_work, clean_work;
	int clean_error;		/* the writer's */
	struct workqueue_struct *push_wq, *io_wq;
	u64 limit;			/* c: bytes at which a checkpoint is closed */
	wait_queue_head_t room;		/* commits that wait for it to be closed */
	u64 done_seq;			/* lock: durable */
	wait_queue_head_t done;

	spinlock_t ail_lock;
	struct list_head ail;		/* ail_lock: by LSN */
	u32 nr_ail;			/* ail_lock to change: items in it */
	u64 done_lsn;			/* ail_lock: tail of an empty AIL */
	u64 target;			/* ail_lock: push up to here */
	u32 events;			/* atomic: changes of the AIL */
	struct task *pusher;
	wait_queue_head_t push_wait, empty;

	bool dead;			/* atomic; set once */
	bool closing; /* atomic: writes that fail are tried once more, not for ever */
	u32 uncovered;			/* atomic: records that an idle log still needs: 2, 1, 0 */
	struct task *coverer;		/* atomic: whose commits leave UNCOVERED alone */
	struct delayed_work idle;
	/* c; the owner's: extents that are durably free; an idle log writes a superblock */
	void (*freed)(void *ctx, struct list_head *busy);
	void (*cover)(void *ctx);
	void (*pushed)(void *ctx);	/* a round of pushing ended: what was gathered is written */
	void (*died)(void *ctx, u32 reasons);
	void (*settle)(void *ctx);	/* waits for the writes that items began */
	void *ctx;
};

/*
 * A log whose next record is for S's head. S's tail is that too, or older: at the first item that
 * the caller inserts (xfs_ail_insert()) before it does anything else. 0, -ENOMEM, -EINVAL. Sleeps.
 */
struct xfs_journal *xfs_journal_open(const struct xfs_sb *sb, struct bdev *bdev, const char *id,
				     const struct xfs_log_state *s);
/*
 * All is brought to its place and the log marked clean; then J goes on. One caller at a time, and
 * nobody changes anything. -EIO: dead.
 */
int xfs_journal_clean(struct xfs_journal *j);
/* The same, unless it is dead. J is gone. */
int xfs_journal_close(struct xfs_journal *j);
/* Once: REASONS, XFS_WHY_*, for who asks; WHY for who reads the log. */
void xfs_journal_kill(struct xfs_journal *j, u32 reasons, const char *why);
static inline bool xfs_journal_dead(const struct xfs_journal *j)
{
	return READ_ONCE(j->dead);
}

/* Bytes that a reservation of BYTES of items takes, with headers. */
u32 xfs_journal_unit(const struct xfs_journal *j, u32 bytes);
/* COUNT times BYTES; waits. 0, -EIO; -EINVAL: more than the log can ever give. */
int __must_check xfs_ticket_get(struct xfs_journal *j, struct xfs_ticket *t, u32 bytes, u32 count);
/* Another unit, after what T has was committed; waits if T has no more. */
int __must_check xfs_ticket_more(struct xfs_journal *j, struct xfs_ticket *t);
void xfs_ticket_put(struct xfs_journal *j, struct xfs_ticket *t);

/*
 * The dirty ones among ITEMS (xfs_item.tx) and the extents on BUSY become part of the open
 * checkpoint, whose number is *SEQ. The items are locked. -EIO: dead; nothing was done.
 */
int __must_check xfs_journal_commit(struct xfs_journal *j, struct xfs_ticket *t,
				    struct list_head *items, struct list_head *busy, u64 *seq);
/* After that, with nothing locked: waits while the open checkpoint is far too large. */
void xfs_journal_throttle(struct xfs_journal *j);
/* Checkpoint SEQ (0: all that was committed) is durable. -EIO. */
int xfs_journal_force(struct xfs_journal *j, u64 seq);
/* The same, begun only. Any context. */
void xfs_journal_force_async(struct xfs_journal *j);

/* Out of the AIL, if IT is there with this LSN (0: any). */
void xfs_ail_remove(struct xfs_item *it, u64 lsn);
/* IT waits in the AIL to be written to its place. */
bool xfs_ail_has(struct xfs_item *it);
/* Waits until the AIL is empty, or the journal dead. */
void xfs_ail_drain(struct xfs_journal *j);
/*
 * Memory is short: the items that are in the AIL now are to be written to their places. WAIT: a
 * moment until N of them have gone. How many have.
 */
u32 xfs_ail_press(struct xfs_journal *j, u32 n, bool wait);
/* An item that recovery found; LSN of its checkpoint. */
void xfs_ail_insert(struct xfs_item *it, u64 lsn);
