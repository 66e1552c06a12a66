/* SPDX-License-Identifier: MIT */
/*
 * Buffers that transactions change and that are written.
 *
 * A transaction locks a buffer, changes its bytes, and unlocks it when it has committed. From then
 * on the buffer is pinned: its changes are in memory alone, and it is not written until they are in
 * the log on the disk. Whoever keeps it dirty (an item of the log) holds a reference, so that the
 * shrinker leaves it alone. To be written it is locked for as long as it takes to set the checksum
 * and to copy the bytes; the transfer is made from the copy, one at a time for a buffer. A buffer
 * that is written may thus be changed again, and the copy is what stood there at its LSN.
 *
 * A buffer whose block was freed is stale: it is never written, a transfer that has begun is waited
 * for (what others write there later must not be overtaken), and it is forgotten when it is
 * unpinned. Whoever asks for the block again waits for that, and has the log forced first.
 *
 * Readers (xfs_buf_get(), the walks) take no lock once a buffer is valid: what they read is kept
 * from changing by the lock of the owner, which writers hold too (the metadata lock of the inode
 * that has the block; for an AG's headers and trees nobody reads without a transaction). The
 * checksum and the LSN may change under them, which they do not look at: a buffer that was changed
 * since it was read is never verified by the checksum in memory, but is given a new one first.
 *
 * The lock has no owner, as the one who unlocks need not be the task that locked. It is not seen by
 * the lock checker: a transaction has many, in the order that tx.h says.
 */
#pragma once

#include "fs/xfs/buf/buf.h"
#include "fs/xfs/tx/tx.h"
#include <sched/wait.h>
#include <sched/work.h>

struct xfs_buf {
	struct xfs_txbuf tx;		/* first; data, daddr, len: c. kind: locked */
	struct ghash_node node;
	struct xfs_cache *cache;	/* c */
	u32 runs_hash;			/* locked: of where its parts lie */
	u32 nr_runs;			/* locked */
	struct xfs_run run, *runs;	/* locked: where it lies; RUNS where there are several */
	u32 taken;			/* atomic: 1: locked */
	wait_queue_head_t wait;		/* for the lock, for the end of writing */
	bool valid;			/* locked; set once */
	bool changed;			/* locked: since it was read; the checksum is old */
	bool stale;			/* locked: its block was freed */
	bool dead;			/* cache->lock: not in the hash any more */
	bool writing;			/* atomic: one transfer at a time */
	atomic_t pins;			/* transactions that are not in the log yet */
	unsigned int refs;		/* cache->lock */
	bool used;			/* cache->lock: since the shrinker's last look */
	struct list_head lru;		/* cache->lock */
	void *item;			/* locked: of the log (trans/) */
	struct list_head inodes;	/* locked: that were put into it and not written (trans/) */
	struct list_head flying;	/* the transfer's: that are on their way with it (trans/) */
	struct rcu_head rcu;
};

static inline struct xfs_buf *xfs_buf_of(struct xfs_txbuf *b)
{
	return container_of(b, struct xfs_buf, tx);
}

static inline const struct xfs_run *xfs_buf_runs(const struct xfs_buf *b)
{
	return b->runs ? b->runs : &b->run;
}

/*
 * The block that N runs make, locked and referenced. FLAGS: XFS_GET_*. 0, -EAGAIN, -EIO, -ENOMEM,
 * what the verifier says (F is filled in).
 */
int __must_check xfs_buf_take(struct xfs_cache *c, const struct xfs_sb *sb, enum xfs_kind kind,
			      const struct xfs_run *runs, u32 n, u32 flags, struct xfs_buf **out,
			      struct xfs_fault *f);
/* B is locked: it is verified as KIND where it was another. */
int __must_check xfs_buf_as(struct xfs_buf *b, const struct xfs_sb *sb, enum xfs_kind kind,
			    struct xfs_fault *f);
bool xfs_buf_trylock(struct xfs_buf *b);
void xfs_buf_lock(struct xfs_buf *b);
void xfs_buf_unlock(struct xfs_buf *b);
/* References. The caller has one. Any context that may take a spinning lock. */
void xfs_buf_hold(struct xfs_buf *b);
void xfs_buf_rele(struct xfs_buf *b);
/* Its block was freed and nothing of it waits for the log: it is not found any more. */
void xfs_buf_forget(struct xfs_buf *b);
/* The same for the block of LEN bytes at DADDR, if it is in memory. It has no readers. */
void xfs_cache_forget(struct xfs_cache *c, u64 daddr, u32 len);

/*
 * Writes B, locked, not pinned, not stale, not being written: its bytes are copied, after which it
 * may be unlocked. DONE is called from a worker, where it may sleep, with what came of it;
 * B->writing is true until it returns. LSN: of the last change. Several B at once are on their way
 * without waiting.
 */
typedef void (*xfs_buf_done)(struct xfs_buf *b, u64 lsn, int e);
void xfs_buf_write(struct xfs_buf *b, const struct xfs_sb *sb, u64 lsn, xfs_buf_done done);
/* B is locked: its transfer, if there is one, has ended. Sleeps. */
void xfs_buf_land(struct xfs_buf *b);
/* Every transfer has ended, and its DONE has returned. The caller begins no other. Sleeps. */
void xfs_cache_settle(struct xfs_cache *c);
/* Workers for transfers that end: -ENOMEM. A cache that is only read needs none. */
int __must_check xfs_cache_writable(struct xfs_cache *c);
/* FORCE brings what was committed into the log, for waiters for a stale buffer. */
void xfs_cache_set_force(struct xfs_cache *c, void (*force)(void *ctx), void *ctx);
