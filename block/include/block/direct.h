/* SPDX-License-Identifier: MIT */
/*
 * Direct transfers: between the pages of a caller and a device, past the page cache.
 *
 * A synchronous transfer submits one bio after the other and waits for each (direct_piece() with D
 * NULL). An asynchronous one, whose kiocb has a ki_complete, is a struct direct: its bios are all
 * in flight at once, and ki_complete() is called after the last has ended.
 *
 *	direct_init(); direct_piece() for each run of the device; direct_submitted()
 */
#pragma once

#include <lib/atomic.h>
#include <lib/types.h>
#include <sched/work.h>

struct bdev;
struct bio;
struct iter;
struct kiocb;

struct direct {
	struct kiocb *iocb;	/* c: ki_complete() ends it; its file is held until then */
	atomic_t left;		/* bios in flight, and one until direct_submitted() */
	int error;		/* a: of the first bio that failed */
	bool filled;		/* c: the pages are written to (a read) */
	bool pinned;		/* c: the pages belong to a user */
	bool light;		/* submitter only: finish() does not sleep */
	unsigned int bios;	/* submitter only: bios submitted so far */
	ssize_t bytes;		/* submitter only: of all bios, and of holes zeroed between them */
	/* submitter only: the result's limit; the last block of a file is read whole */
	u64 most;
	struct bio *done;	/* a: bios that have ended */
	struct work_struct work;
	/*
	 * Called after the last bio, with k->ki_pos moved. N: bytes or -errno; returns the value
	 * for ki_complete(). O_DSYNC of a write follows it. Runs in a worker and may sleep, unless
	 * LIGHT. NULL: not called.
	 */
	ssize_t (*finish)(struct direct *d, ssize_t n);
	/*
	 * Queues d->work on the workqueue that finish() needs, if it waits for other work. NULL:
	 * any workqueue will do.
	 */
	void (*queue)(struct direct *d);
};

/* D is the first member of an object from kmalloc(), which is freed after the last bio. */
void direct_init(struct direct *d, struct kiocb *k, const struct iter *it);
/*
 * Submits one bio of at most MAX bytes for byte ADDR of the device and advances IT. OP and FLAGS
 * are the bio's. D NULL: waits until it has ended. Returns its bytes, at least one; -EFAULT,
 * -ENOMEM, -EINTR; if it waits, also the bio's error.
 */
ssize_t direct_piece(struct direct *d, struct bdev *v, struct iter *it, u64 addr, u64 max,
		     unsigned int op, unsigned int flags);
/*
 * Ends submission; ERROR: of the last direct_piece(), or 0. -EIOCBQUEUED: ki_complete() will be
 * called or was called already, and the caller must not touch D or the kiocb. Any other value is
 * the result: no bio was submitted, D is freed, and finish() was not called.
 */
ssize_t direct_submitted(struct direct *d, int error);
