// SPDX-License-Identifier: MIT
/* POSIX message queues at the edge: mq_open(3), mq_timedsend(2) and theirs. */
#include <lib/types.h>
#include <lib/err.h>
#include <abi/syscalls.h>
#include <alloc/slab.h>
#include <ipc/mqueue.h>
#include <proc/signal.h>
#include <syscall/time_user.h>
#include <vfs/fs.h>
#include <abi/errno.h>

long sys_mq_open(struct uptr uname, int oflag, umode_t mode, struct uptr uattr)
{
	struct mq_attr a;
	char *name;
	long r;

	if (!uptr_is_null(uattr) && copy_from_user(&a, uattr, sizeof(a)))
		return -EFAULT;
	name = strndup_user(uname, PATH_MAX);
	if (IS_ERR(name))
		return PTR_ERR(name);
	r = mqueue_open(name, oflag, mode, uptr_is_null(uattr) ? NULL : &a);
	kfree(name);
	return r;
}

long sys_mq_unlink(struct uptr uname)
{
	char *name = strndup_user(uname, PATH_MAX);
	long r;

	if (IS_ERR(name))
		return PTR_ERR(name);
	r = mqueue_unlink(name);
	kfree(name);
	return r;
}

static int get_until(ktime_t *t, struct uptr timeout)
{
	s64 ns = 0;
	int e = uptr_is_null(timeout) ? 0 : get_timespec_ns(&ns, timeout);

	*t = ns;
	return e;
}

long sys_mq_timedsend(int fd, struct uptr msg, size_t len, unsigned int prio, struct uptr timeout)
{
	ktime_t t;
	int e = prio >= MQ_PRIO_MAX ? -EINVAL : get_until(&t, timeout);

	return e ? e : mqueue_send(fd, msg, len, prio, uptr_is_null(timeout) ? NULL : &t);
}

long sys_mq_timedreceive(int fd, struct uptr msg, size_t len, struct uptr prio, struct uptr timeout)
{
	ktime_t t;
	int e = get_until(&t, timeout);

	return e ? e : mqueue_receive(fd, msg, len, prio, uptr_is_null(timeout) ? NULL : &t);
}

/* partial: mq_notify: SIGEV_THREAD, which needs netlink sockets */
long sys_mq_notify(int fd, struct uptr event)
{
	struct sigevent se;

	if (!uptr_is_null(event) && copy_from_user(&se, event, sizeof(se)))
		return -EFAULT;
	return mqueue_notify(fd, uptr_is_null(event) ? NULL : &se);
}

long sys_mq_getsetattr(int fd, struct uptr un, struct uptr uold)
{
	struct mq_attr n, old;
	int e;

	if (!uptr_is_null(un) && copy_from_user(&n, un, sizeof(n)))
		return -EFAULT;
	e = mqueue_attributes(fd, uptr_is_null(un) ? NULL : &n, &old);
	if (e || uptr_is_null(uold))
		return e;
	return copy_to_user(uold, &old, sizeof(old)) ? -EFAULT : 0;
}
