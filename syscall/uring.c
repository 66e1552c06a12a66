// SPDX-License-Identifier: MIT
/* io_uring at the edge: io_uring_setup(2), io_uring_enter(2), io_uring_register(2). */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <io_uring/uring.h>
#include <kernel/time.h>
#include <lib/time.h>
#include <mm/uaccess.h>
#include <proc/signal.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include <linux/io_uring.h>
#include <linux/time.h>

long sys_io_uring_setup(u32 entries, struct uptr params)
{
	struct io_uring_params p;
	struct file *file;
	int fd;

	if (copy_from_user(&p, params, sizeof(p)))
		return -EFAULT;
	fd = uring_setup(entries, &p, &file);
	if (fd < 0)
		return fd;
	if (copy_to_user(params, &p, sizeof(p))) {
		put_unused_fd((unsigned int)fd);
		fput(file);
		return -EFAULT;
	}
	fd_install((unsigned int)fd, file);
	return fd;
}

/* The time at TS is how long, or until when, W waits. 0, -EFAULT. */
static int timeout_of(u64 ts, u32 flags, struct uring_waits *w)
{
	struct __kernel_timespec t;

	if (!ts)
		return 0;
	if (copy_from_user(&t, UPTR((unsigned long)ts), sizeof(t)))
		return -EFAULT;
	w->timeout = uring_ns(&t);
	w->absolute = flags & IORING_ENTER_ABS_TIMER;
	return 0;
}

static int read_arg(struct uptr argp, size_t size, u32 flags, struct uring_waits *w)
{
	struct io_uring_getevents_arg a;
	int e;

	if (!(flags & IORING_ENTER_EXT_ARG))
		return set_user_sigmask(argp, size);
	if (size != sizeof(a))
		return -EINVAL;
	if (copy_from_user(&a, argp, sizeof(a)))
		return -EFAULT;
	e = timeout_of(a.ts, flags, w);
	if (e)
		return e;
	w->min_timeout = (s64)a.min_wait_usec * 1000;
	return set_user_sigmask(UPTR((unsigned long)a.sigmask), a.sigmask_sz);
}

long sys_io_uring_enter(unsigned int fd, u32 to_submit, u32 min_complete, u32 flags,
			struct uptr argp, size_t argsz)
{
	struct uring_waits w = { .min = min_complete, .timeout = KTIME_MAX };
	long r;
	int e = 0;

	if (flags & IORING_ENTER_GETEVENTS)
		e = read_arg(argp, argsz, flags, &w);
	if (e)
		return e;
	r = uring_enter(fd, to_submit, flags, &w);
	restore_saved_sigmask_unless(r == -EINTR);
	return r;
}

long sys_io_uring_register(unsigned int fd, unsigned int opcode, struct uptr arg,
			   unsigned int nr_args)
{
	return uring_register(fd, opcode, arg, nr_args);
}
