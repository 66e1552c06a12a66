// SPDX-License-Identifier: MIT
/* eventfd(2): a counter in a file. */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <ipc/fds.h>
#include <kernel/refcount.h>
#include <mm/iter.h>
#include <sched/task.h>
#include <sched/wait.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <vfs/seq_file.h>
#include <abi/errno.h>
#include <linux/eventfd.h>

struct eventfd {
	refcount_t refs;	/* one of the file, one of each eventfd_get() */
	wait_queue_head_t wqh;
	u64 count;		/* wqh.lock */
	bool semaphore;		/* c */
};

void eventfd_put(struct eventfd *e)
{
	if (refcount_dec_and_test(&e->refs))
		kfree(e);
}

static int eventfd_release(struct inode *inode, struct file *file)
{
	struct eventfd *e = file->private_data;

	wake_up_poll(&e->wqh, EPOLLHUP);
	eventfd_put(e);
	return 0;
}

static __poll_t eventfd_poll(struct file *file, struct poll_table_struct *p)
{
	struct eventfd *e = file->private_data;
	__poll_t mask = 0;
	u64 n;

	poll_wait(file, &e->wqh, p);
	n = READ_ONCE(e->count);
	if (n)
		mask |= EPOLLIN;
	if (n == U64_MAX)
		mask |= EPOLLERR;
	if (n < U64_MAX - 1)
		mask |= EPOLLOUT;
	return mask;
}

static ssize_t eventfd_read(struct kiocb *k, struct iter *to)
{
	struct file *file = k->ki_filp;
	struct eventfd *e = file->private_data;
	u64 n;

	if (iter_count(to) < sizeof(n))
		return -EINVAL;
	for (;;) {
		spin_lock_irq(&e->wqh.lock);
		n = e->semaphore && e->count ? 1 : e->count;
		e->count -= n;
		if (n && waitqueue_active(&e->wqh))
			wake_up_poll_unlock_irq(&e->wqh, EPOLLOUT);
		else
			spin_unlock_irq(&e->wqh.lock);
		if (n)
			break;
		if ((file->f_flags & O_NONBLOCK) || (k->ki_flags & IOCB_NOWAIT))
			return -EAGAIN;
		if (wait_event_interruptible(e->wqh, READ_ONCE(e->count)))
			return -ERESTARTSYS;
	}
	return copy_to_iter(&n, sizeof(n), to) == sizeof(n) ? (ssize_t)sizeof(n) : -EFAULT;
}

static ssize_t eventfd_write(struct kiocb *k, struct iter *from)
{
	struct file *file = k->ki_filp;
	struct eventfd *e = file->private_data;
	bool done;
	u64 n;

	if (iter_count(from) != sizeof(n))
		return -EINVAL;
	if (copy_from_iter(&n, sizeof(n), from) != sizeof(n))
		return -EFAULT;
	if (n == U64_MAX)
		return -EINVAL;
	for (;;) {
		spin_lock_irq(&e->wqh.lock);
		done = U64_MAX - e->count > n;
		if (done)
			e->count += n;
		if (done && n && waitqueue_active(&e->wqh))
			wake_up_poll_unlock_irq(&e->wqh, EPOLLIN);
		else
			spin_unlock_irq(&e->wqh.lock);
		if (done)
			return sizeof(n);
		if ((file->f_flags & O_NONBLOCK) || (k->ki_flags & IOCB_NOWAIT))
			return -EAGAIN;
		if (wait_event_interruptible(e->wqh, U64_MAX - READ_ONCE(e->count) > n))
			return -ERESTARTSYS;
	}
}

static void eventfd_fdinfo(struct seq_file *m, struct file *f)
{
	struct eventfd *e = f->private_data;

	seq_printf(m, "eventfd-count: %16llx\neventfd-semaphore: %d\n", READ_ONCE(e->count), e->semaphore);
}

static const struct file_operations eventfd_fops = {
	.llseek = noop_llseek, .read_iter = eventfd_read, .write_iter = eventfd_write, .poll = eventfd_poll,
	.release = eventfd_release, .show_fdinfo = eventfd_fdinfo,
};

struct eventfd *eventfd_get(unsigned int fd)
{
	struct fd f = fdget(fd);
	struct eventfd *e = ERR_PTR(-EBADF);

	if (fd_empty(f))
		return e;
	if (fd_file(f)->f_op == &eventfd_fops) {
		e = fd_file(f)->private_data;
		refcount_inc(&e->refs);
	} else {
		e = ERR_PTR(-EINVAL);
	}
	fdput(f);
	return e;
}

bool eventfd_is(const struct eventfd *e, const struct file *f)
{
	return f->f_op == &eventfd_fops && f->private_data == e;
}

void eventfd_signal(struct eventfd *e, u64 n, u32 mark)
{
	spin_lock_irq(&e->wqh.lock);
	e->count += min(n, U64_MAX - e->count);
	if (waitqueue_active(&e->wqh))
		wake_up_poll_unlock_irq(&e->wqh, EPOLLIN | mark);
	else
		spin_unlock_irq(&e->wqh.lock);
}

int eventfd_create(unsigned int count, int flags)
{
	struct eventfd *e;
	int fd;

	if (flags & ~(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK))
		return -EINVAL;
	e = kzalloc(sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	refcount_set(&e->refs, 1);
	init_waitqueue_head(&e->wqh);
	e->count = count;
	e->semaphore = flags & EFD_SEMAPHORE;
	fd = anon_inode_getfd("[eventfd]", &eventfd_fops, e, O_RDWR | (flags & (EFD_CLOEXEC | EFD_NONBLOCK)));
	if (fd < 0)
		kfree(e);
	return fd;
}
