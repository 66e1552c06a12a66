/* SPDX-License-Identifier: MIT */
/*
 * Linux AIO (io_setup(2)): requests that are handed over and end on their own, events in a ring
 * that the program maps.
 *
 * A context belongs to an address space and is named by the address of its ring there. Functions
 * act on the current one.
 */
#pragma once

#include <lib/types.h>

/*
 * A context for at least N requests at once; *ID its name. 0, -EINVAL, -EAGAIN (fs.aio-max-nr),
 * -ENOMEM.
 */
int aio_setup(unsigned int n, unsigned long *id);
/* Ends the context: its polls are cancelled, everything else is waited for. 0, -EINVAL. */
int aio_destroy(unsigned long id);
/*
 * Hands over the N requests that the user pointers at IOCBS name. How many of them; -errno of the
 * first where that is none.
 */
long aio_submit(unsigned long id, long n, struct uptr iocbs);
/*
 * Cancels the request that was made of the user's IOCB. -EINPROGRESS: its event comes; -EINVAL,
 * -EFAULT.
 */
int aio_cancel(unsigned long id, struct uptr iocb);
/*
 * Waits for MIN events until UNTIL (of the monotonic clock; 0: not at all; KTIME_MAX: for ever) and
 * takes up to N of them to EVENTS. How many; -EINVAL, -EFAULT, -EINTR where a signal came first.
 */
long aio_getevents(unsigned long id, long min, long n, struct uptr events, s64 until);
