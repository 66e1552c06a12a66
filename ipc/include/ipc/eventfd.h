/* SPDX-License-Identifier: MIT */
/*
 * eventfd(2) for users in the kernel: a counted object apart from its file, which they may outlive
 * each other. All functions but eventfd_get() may be called in any context short of an NMI, and
 * with any lock held that stands above an eventfd's (docs/lock-order.md); not from a function that
 * an eventfd's waiters or its taker are woken by.
 */
#pragma once

#include <lib/types.h>

struct eventfd;
struct file;

/*
 * One that is told instead of the readers: the kernel's end of an eventfd, at most one at a time.
 * Both functions are called with the eventfd locked and interrupts off, by whoever signals or
 * closes it: they do not sleep, signal no eventfd, and leave to a worker what ends T.
 */
struct eventfd_taker {
	/*
	 * E has been written or signalled, if only by 0 where something is there. May call
	 * eventfd_take_locked(E). True: it is dealt with, no reader is woken.
	 */
	bool (*signalled)(struct eventfd_taker *t, struct eventfd *e);
	/* E's file has gone, once: nobody writes or reads E any more. T stays bound. */
	void (*hung_up)(struct eventfd_taker *t, struct eventfd *e);
};

/* A reference: ERR_PTR(-EBADF), ERR_PTR(-EINVAL): FD is no eventfd. The file may go meanwhile. */
struct eventfd *eventfd_get(unsigned int fd);
/* The last one frees E: T is no longer bound. */
void eventfd_put(struct eventfd *e);
/* Whether F, a file of any kind, is of E, which is compared only. */
bool eventfd_is(const struct eventfd *e, const struct file *f);

/*
 * Adds N, as much as there is room for, and wakes: at once where there are few waiters or the
 * context allows many, else by a worker. MARK: EPOLL_URING_WAKE where completions of a ring are
 * told, or 0.
 */
void eventfd_signal(struct eventfd *e, u64 n, u32 mark);

/*
 * T, which the caller owns, is told from now on, and stays until it is unbound. 0: nothing was
 * counted yet, 1: something was, of which T is not told; -EBUSY: E has a taker; -EBADF: E's file
 * has gone.
 */
int eventfd_bind(struct eventfd *e, struct eventfd_taker *t);
/*
 * T, which is bound, is told no more: neither function runs when this returns. What a read would
 * have taken, in the same step.
 */
u64 eventfd_unbind(struct eventfd *e, struct eventfd_taker *t);
/* What a read takes, 0: nothing was counted. Within a taker's functions only. */
u64 eventfd_take_locked(struct eventfd *e);
