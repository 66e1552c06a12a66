/* SPDX-License-Identifier: MIT */
/*
 * Direct transfers: between the pages of a caller and a device, past the page cache.
 *
 * A transfer that is waited for goes one bio after the other (direct_piece() with D NULL). One that
 * is not, because its kiocb has a ki_complete, is a struct direct: its bios are under way at once,
 * and its owner is told in a worker when the last has ended.
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
	atomic_t left;		/* bios under way, and one until direct_submitted() */
	int error;		/* a: the first */
	bool filled;		/* c: pages are written to */
	bool pinned;		/* c: pages are a user's */
	bool light;		/* the submitter's: finish() does not sleep */
	unsigned int bios;	/* the submitter's: how many there were */
	ssize_t bytes;  /* the submitter's: of all bios, and what it did itself in between */
	/* the submitter's: what of them counts; at a file's end the last block is read whole */
	u64 most;
	struct bio *done;	/* a: bios that have ended */
	struct work_struct work;
	/*
	 * In a worker, after the last bio, k->ki_pos has moved: N is the number of bytes or -errno,
	 * the result what the owner is told. O_DSYNC of a write comes after it. May sleep. NULL:
	 * nothing is to be done.
	 */
	ssize_t (*finish)(struct direct *d, ssize_t n);
	/*
	 * Queues d->work where finish() may wait for what it waits for. NULL: it waits for nothing
	 * that is special.
	 */
	void (*queue)(struct direct *d);
};

/* D is the first member of what the caller got from kmalloc(); it is freed when all has ended. */
void direct_init(struct direct *d, struct kiocb *k, const struct iter *it);
/*
 * Up to MAX bytes (at most one bio) from or to byte ADDR of the device; IT moves. OP and FLAGS are
 * a bio's. D NULL: waits for it. Else it is under way at return. Bytes, at least one; -EFAULT,
 * -ENOMEM, -EINTR; of one that is waited for what the device says.
 */
ssize_t direct_piece(struct direct *d, struct bdev *v, struct iter *it, u64 addr, u64 max,
		     unsigned int op, unsigned int flags);
/*
 * No more pieces; ERROR is what ended their row, or 0. -EIOCBQUEUED: the owner is told, or has been
 * already, and D and the kiocb are no longer the caller's. Else no bio was under way: the result, D
 * is freed, finish() was not called.
 */
ssize_t direct_submitted(struct direct *d, int error);
