// SPDX-License-Identifier: MIT
/*
 * Linux AIO at the edge: io_setup(2), io_destroy(2), io_submit(2), io_cancel(2), io_getevents(2),
 * io_pgetevents(2).
 */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <ipc/aio.h>
#include <kernel/time.h>
#include <lib/time.h>
#include <mm/uaccess.h>
#include <proc/signal.h>
#include <syscall/time_user.h>
#include <abi/errno.h>

long sys_io_setup(unsigned int nr, struct uptr ctx)
{
	unsigned long id;
	int e;

	if (get_user(id, ctx))
		return -EFAULT;
	if (id || !nr)
		return -EINVAL;
	e = aio_setup(nr, &id);
	if (!e && put_user(id, ctx)) {
		aio_destroy(id);
		e = -EFAULT;
	}
	return e;
}

long sys_io_destroy(unsigned long ctx)
{
	return aio_destroy(ctx);
}

long sys_io_submit(unsigned long ctx, long nr, struct uptr iocbs)
{
	return aio_submit(ctx, nr, iocbs);
}

/* RESULT has not been written to since the event comes by the ring. */
long sys_io_cancel(unsigned long ctx, struct uptr iocb, struct uptr result)
{
	return aio_cancel(ctx, iocb);
}

/*
 * When the wait that TIMEOUT names ends, for aio_getevents(). As on Linux any time is taken; one
 * that has passed is no wait.
 */
static int until_of(struct uptr timeout, s64 *until)
{
	struct user_timespec t;
	s64 ns;

	*until = KTIME_MAX;
	if (uptr_is_null(timeout))
		return 0;
	if (copy_from_user(&t, timeout, sizeof(t)))
		return -EFAULT;
	ns = t.sec >= KTIME_MAX / NSEC_PER_SEC ? KTIME_MAX : t.sec * NSEC_PER_SEC + t.nsec;
	*until = ns > 0 ? ktime_add_safe((ktime_t)ktime_get_ns(), ns) : 0;
	return 0;
}

static long take(unsigned long ctx, long min, long nr, struct uptr events, s64 until)
{
	long r;

	do
		r = aio_getevents(ctx, min, nr, events, until);
	while (r == -EINTR && proc_ran_task_work());
	return r;
}

long sys_io_getevents(unsigned long ctx, long min, long nr, struct uptr events, struct uptr timeout)
{
	s64 until;
	int e = until_of(timeout, &until);

	return e ?: take(ctx, min, nr, events, until);
}

struct user_aio_sigset {
	unsigned long mask;
	size_t size;
};

long sys_io_pgetevents(unsigned long ctx, long min, long nr, struct uptr events,
		       struct uptr timeout, struct uptr sig)
{
	struct user_aio_sigset s = { 0 };
	s64 until;
	long r = until_of(timeout, &until);

	if (!r && !uptr_is_null(sig) && copy_from_user(&s, sig, sizeof(s)))
		r = -EFAULT;
	r = r ?: set_user_sigmask(UPTR(s.mask), s.size);
	if (r)
		return r;
	r = take(ctx, min, nr, events, until);
	restore_saved_sigmask_unless(r == -EINTR);
	return r == -EINTR ? -ERESTARTNOHAND : r;
}
