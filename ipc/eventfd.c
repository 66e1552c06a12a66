// SPDX-License-Identifier: MIT
/*
 * eventfd(2): a counter, and the file that programs know it by. The counter is an object of its
 * own, which users in the kernel keep; its file is one of them, and tells the others when it goes.
 *
 * Its lock is that of its wait queue, under which waiters are woken. Many of them would keep
 * interrupts off for long: the queue is let go in between (sched/wait.h), or, where the caller
 * itself has interrupts off or a lock, a worker wakes them. One such worker serves all eventfds,
 * so that none of them has to have room for one.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/list.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <arch/irqflags.h>
#include <ipc/eventfd.h>
#include <ipc/fds.h>
#include <kernel/bug.h>
#include <kernel/preempt.h>
#include <kernel/refcount.h>
#include <mm/iter.h>
#include <sched/task.h>
#include <sched/wait.h>
#include <sched/work.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <vfs/seq_file.h>
#include <abi/errno.h>
#include <linux/eventfd.h>

struct eventfd {
	refcount_t refs;	/* one of the file, of each eventfd_get(), of the worker */
	bool semaphore;		/* c */
	bool gone;		/* wqh.lock: the file has gone */
	u32 owed;		/* wqh.lock: what the worker is to wake for; 0: not in OWED_LIST */
	wait_queue_head_t wqh;
	u64 count;		/* wqh.lock */
	struct eventfd_taker *taker;	/* wqh.lock; NULL */
	struct llist_node owed_node;
};

static struct llist_head owed_list;	/* with references */

void eventfd_put(struct eventfd *e)
{
	if (!refcount_dec_and_test(&e->refs))
		return;
	DEBUG_ON(e->taker);
	kfree(e);
}

static void wake_owed(struct work_struct *w)
{
	struct llist_node *n = llist_del_all(&owed_list), *next;

	for (; n; n = next) {
		struct eventfd *e = container_of(n, struct eventfd, owed_node);
		u32 key;

		next = n->next;
		spin_lock_irq(&e->wqh.lock);
		key = e->owed;
		e->owed = 0;	/* from here on it may be in the list again */
		wake_up_poll_unlock_irq(&e->wqh, key);
		eventfd_put(e);
		cond_resched();
	}
}

static DECLARE_WORK(owed_work, wake_owed);

static void owe_locked(struct eventfd *e, u32 key)
{
	bool first = !e->owed;

	e->owed |= key;
	if (!first)
		return;
	refcount_inc(&e->refs);
	llist_add(&e->owed_node, &owed_list);
	queue_work(system_unbound_wq, &owed_work);
}

/* Wakes those who wait for KEY, if it is not 0. FLAGS: from before the lock was taken. */
static void wake_unlock(struct eventfd *e, u32 key, unsigned long flags) __releases(e->wqh.lock)
{
	if (key && waitqueue_active(&e->wqh)) {
		/* Nothing but the lock itself keeps interrupts and preemption off? */
		if (!arch_irqs_disabled_flags(flags) && preempt_count() == 1) {
			wake_up_poll_unlock_irq(&e->wqh, key);
			return;
		}
		if (likely(waitqueue_is_short(&e->wqh)))
			wake_up_locked_poll(&e->wqh, key);
		else
			owe_locked(e, key);
	}
	spin_unlock_irqrestore(&e->wqh.lock, flags);
}

/* The same where the lock was taken by spin_lock_irq() alone: reads and writes. */
static inline void wake_unlock_irq(struct eventfd *e, u32 key) __releases(e->wqh.lock)
{
	if (key && waitqueue_active(&e->wqh))
		wake_up_poll_unlock_irq(&e->wqh, key);
	else
		spin_unlock_irq(&e->wqh.lock);
}

static inline u64 take_locked(struct eventfd *e)
{
	u64 n = e->semaphore && e->count ? 1 : e->count;

	lockdep_assert_held(&e->wqh.lock);
	e->count -= n;
	return n;
}

u64 eventfd_take_locked(struct eventfd *e)
{
	return take_locked(e);
}

/* N more, for which there is room. Whom to wake: readers also where N is 0 (edges of epoll). */
static inline u32 add_locked(struct eventfd *e, u64 n, u32 mark)
{
	u64 full = e->count += n;
	u32 key = EPOLLIN | mark;

	if (likely(!e->taker))
		return key;
	if (full && e->taker->signalled(e->taker, e))
		key = 0;
	/* The taker has made room for writers, as a reader would have. */
	return e->count < full ? key | EPOLLOUT : key;
}

static int eventfd_release(struct inode *inode, struct file *file)
{
	struct eventfd *e = file->private_data;
	unsigned long flags;

	spin_lock_irqsave(&e->wqh.lock, flags);
	e->gone = true;
	if (e->taker)
		e->taker->hung_up(e->taker, e);
	wake_unlock(e, EPOLLHUP, flags);
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
		n = take_locked(e);
		wake_unlock_irq(e, n ? EPOLLOUT : 0);
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
		wake_unlock_irq(e, done ? add_locked(e, n, 0) : 0);
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
	.fop_flags = FOP_NOWAIT, .llseek = noop_llseek, .read_iter = eventfd_read, .write_iter = eventfd_write,
	.poll = eventfd_poll,
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
	unsigned long flags;

	spin_lock_irqsave(&e->wqh.lock, flags);
	wake_unlock(e, add_locked(e, min(n, U64_MAX - e->count), mark), flags);
}

int eventfd_bind(struct eventfd *e, struct eventfd_taker *t)
{
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&e->wqh.lock, flags);
	ret = e->gone ? -EBADF : e->taker ? -EBUSY : !!e->count;
	if (ret >= 0)
		e->taker = t;
	spin_unlock_irqrestore(&e->wqh.lock, flags);
	return ret;
}

u64 eventfd_unbind(struct eventfd *e, struct eventfd_taker *t)
{
	unsigned long flags;
	u64 n;

	spin_lock_irqsave(&e->wqh.lock, flags);
	DEBUG_ON(e->taker != t);
	e->taker = NULL;
	n = take_locked(e);
	wake_unlock(e, n ? EPOLLOUT : 0, flags);
	return n;
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
