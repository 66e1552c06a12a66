/* SPDX-License-Identifier: MIT */
/*
 * Metadata buffers: blocks of any size in contiguous memory, read once, verified once as what they
 * are for, kept while memory allows.
 *
 * A buffer is found by its first device address and length. Life: made under its lock by whoever
 * looks for it first, read, valid; without references on the list from which the shrinker takes the
 * oldest that was not used since its last look. A block that could not be read or is damaged is not
 * kept.
 *
 * Locks: a buffer's (sleeping; held while it is read) > cache->lock (spinning: references, list);
 * the hash has locks of its own. Buffers that are changed and written: wbuf.h.
 */
#pragma once

#include "fs/xfs/format/walk.h"
#include <alloc/ghash.h>
#include <block/blk.h>
#include <lib/atomic.h>
#include <lib/list.h>
#include <mm/mm.h>
#include <sched/wait.h>
#include <sched/work.h>

struct xfs_cache {
	struct bdev *bdev;		/* c */
	spinlock_t lock;
	struct list_head lru;		/* lock: buffers without references, oldest first */
	unsigned long count;		/* lock: on the list */
	struct shrinker shrinker;
	char name[40];
	/* Of caches that are written (wbuf.h). */
	struct workqueue_struct *wq;	/* c: transfers that ended */
	wait_queue_head_t gone;		/* for stale buffers to be forgotten */
	wait_queue_head_t settled;	/* for TRANSFERS to be 0 */
	atomic_t transfers;		/* that did not end, or whose end did not return */
	void (*force)(void *ctx);	/* c */
	void *force_ctx;		/* c */
};

/* An empty cache of BDEV's blocks; ID names its shrinker. */
void xfs_cache_init(struct xfs_cache *c, struct bdev *bdev, const char *id);
/* Nobody uses buffers any more. */
void xfs_cache_destroy(struct xfs_cache *c);

/*
 * The block that the runs make, read and verified by SB as KIND; OUT->ref is put with
 * xfs_buf_put(). -EIO, -ENOMEM, what the verifier says (F is filled in).
 */
int xfs_buf_get(struct xfs_cache *c, const struct xfs_sb *sb, enum xfs_kind kind,
		const struct xfs_run *runs, u32 n, struct xfs_blk *out, struct xfs_fault *f);
/* The same; -EAGAIN instead of waiting for the buffer's lock. */
int xfs_buf_try_get(struct xfs_cache *c, const struct xfs_sb *sb, enum xfs_kind kind,
		    const struct xfs_run *runs, u32 n, struct xfs_blk *out, struct xfs_fault *f);
void xfs_buf_put(struct xfs_cache *c, struct xfs_blk *b);
/*
 * LEN bytes at a device address into BUF, or from it, past the cache: where nobody has it yet. What
 * is written is durable after a flush.
 */
int xfs_read_raw(struct bdev *bdev, u64 daddr, void *buf, u32 len);
int __must_check xfs_write_raw(struct bdev *bdev, u64 daddr, const void *buf, u32 len);
