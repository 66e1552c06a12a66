// SPDX-License-Identifier: MIT
/* eventfds as users in the kernel have them: from interrupts, with a taker, closed in use. */
#include <alloc/slab.h>
#include <arch/irqflags.h>
#include <ipc/eventfd.h>
#include <ipc/fds.h>
#include <kernel/ktest.h>
#include <kernel/time.h>
#include <lib/err.h>
#include <linux/eventfd.h>
#include <linux/time.h>
#include <sched/task.h>
#include <sched/wait.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>

#define CROWD 200	/* more than are woken with interrupts off */

static DECLARE_WAIT_QUEUE_HEAD(test_wait);

/* A taker that counts what it is told. */
struct count {
	struct eventfd_taker taker;
	struct eventfd *e;
	struct hrtimer timer;
	bool takes;
	int calls, in_irq, hung_up;
	u64 taken;
};

static bool counts(struct eventfd_taker *t, struct eventfd *e)
{
	struct count *c = container_of(t, struct count, taker);

	WRITE_ONCE(c->in_irq, c->in_irq + !!in_hardirq());
	if (c->takes)
		c->taken += eventfd_take_locked(e);
	WRITE_ONCE(c->calls, c->calls + 1);
	wake_up(&test_wait);
	return c->takes;
}

static void counts_end(struct eventfd_taker *t, struct eventfd *e)
{
	struct count *c = container_of(t, struct count, taker);

	WRITE_ONCE(c->hung_up, c->hung_up + 1);
	wake_up(&test_wait);
}

static enum hrtimer_restart signal_in_irq(struct hrtimer *t)
{
	eventfd_signal(container_of(t, struct count, timer)->e, 3, 0);
	return HRTIMER_NORESTART;
}

/* One that polls the file, and what it was woken for. */
struct poller {
	struct poll_table_struct pt;
	wait_queue_head_t *queue;
	struct wait_queue_entry entry[CROWD];
	struct task *by;	/* who is asked about */
	u32 keys;
	int nr, woken, by_us;	/* queue's lock */
};

static int note(struct wait_queue_entry *e, unsigned int mode, int flags, void *key)
{
	struct poller *p = e->private;

	p->keys |= key_to_poll(key);
	p->by_us += current == p->by;
	WRITE_ONCE(p->woken, p->woken + 1);
	if (p->woken == p->nr)
		wake_up(&test_wait);
	return 1;
}

static void join(struct file *f, wait_queue_head_t *q, struct poll_table_struct *pt)
{
	struct poller *p = container_of(pt, struct poller, pt);

	p->queue = q;
	for (int i = 0; i < p->nr; i++) {
		init_waitqueue_func_entry(&p->entry[i], note);
		p->entry[i].private = p;
		add_wait_queue(q, &p->entry[i]);
	}
}

static struct poller *watch(int fd, int nr)
{
	struct poller *p = kzalloc(sizeof(*p), GFP_KERNEL);
	struct fd f = fdget((unsigned int)fd);

	if (p) {
		p->nr = nr;
		p->by = current;
		p->pt = (struct poll_table_struct){ ._qproc = join, ._key = EPOLLIN | EPOLLOUT };
		vfs_poll(fd_file(f), &p->pt);
	}
	fdput(f);
	return p;
}

static void leave(struct poller *p)
{
	for (int i = 0; i < p->nr; i++)
		remove_wait_queue(p->queue, &p->entry[i]);
	kfree(p);
}

static int open_count(struct count *c, unsigned int start, int flags)
{
	int fd = eventfd_create(start, flags);

	if (fd < 0)
		return fd;
	*c = (struct count){ .taker = { counts, counts_end }, .takes = true };
	c->e = eventfd_get((unsigned int)fd);
	hrtimer_init(&c->timer, CLOCK_MONOTONIC, signal_in_irq);
	return fd;
}

KTEST(ipc_eventfd_taker)
{
	static struct count c, other = { .taker = { counts, counts_end } };
	int fd = open_count(&c, 2, 0);
	struct poller *p;

	KT_ASSERT(fd >= 0 && !IS_ERR(c.e));
	p = watch(fd, 1);
	KT_ASSERT(p);
	KT_EQ(eventfd_bind(c.e, &c.taker), 1);
	KT_EQ(eventfd_bind(c.e, &other.taker), -EBUSY);
	KT_EQ(c.calls, 0);
	/* From an interrupt; it takes all of it: writers are woken, nobody to read. */
	hrtimer_start(&c.timer, 1000, HRTIMER_MODE_REL);
	wait_event(test_wait, READ_ONCE(c.calls) == 1);
	hrtimer_cancel(&c.timer);
	KT_EQ(c.in_irq, 1);
	KT_EQ(c.taken, 5);
	KT_EQ(p->keys, EPOLLOUT);
	/* One that takes nothing: readers are woken. */
	c.takes = false;
	p->keys = 0;
	eventfd_signal(c.e, 4, 0);
	KT_EQ(c.calls, 2);
	KT_EQ(p->keys, EPOLLIN);
	KT_EQ(eventfd_unbind(c.e, &c.taker), 4);
	KT_EQ(p->keys, EPOLLIN | EPOLLOUT);
	/* It is no longer told, and another may be. */
	eventfd_signal(c.e, 1, 0);
	KT_EQ(c.calls, 2);
	KT_EQ(eventfd_bind(c.e, &other.taker), 1);
	KT_EQ(eventfd_unbind(c.e, &other.taker), 1);
	leave(p);
	eventfd_put(c.e);
	KT_EQ(close_fd((unsigned int)fd), 0);
}

/* What is taken of a full counter, or one by one, makes room for writers. */
KTEST(ipc_eventfd_taker_makes_room)
{
	static struct count c;
	int fd = open_count(&c, 0, EFD_SEMAPHORE);
	struct poller *p;

	KT_ASSERT(fd >= 0 && !IS_ERR(c.e));
	eventfd_signal(c.e, U64_MAX, 0);
	eventfd_signal(c.e, 7, 0);
	p = watch(fd, 1);
	KT_ASSERT(p);
	KT_EQ(eventfd_bind(c.e, &c.taker), 1);
	eventfd_signal(c.e, 1, 0);
	KT_EQ(c.taken, 1);
	KT_EQ(p->keys, EPOLLOUT);
	KT_EQ(eventfd_unbind(c.e, &c.taker), 1);
	/* As much as there is room for came, also of what came in vain. */
	eventfd_signal(c.e, U64_MAX, 0);
	KT_EQ(p->keys, EPOLLOUT | EPOLLIN);
	leave(p);
	eventfd_put(c.e);
	KT_EQ(close_fd((unsigned int)fd), 0);
}

/* With interrupts off it wakes a crowd by a worker, and with its caller's lock held too. */
KTEST(ipc_eventfd_crowd)
{
	static DEFINE_SPINLOCK(signaller);
	static struct count c;
	int fd = open_count(&c, 0, 0);
	unsigned long flags;
	struct poller *p;

	KT_ASSERT(fd >= 0 && !IS_ERR(c.e));
	p = watch(fd, CROWD);
	KT_ASSERT(p);
	spin_lock_irqsave(&signaller, flags);
	eventfd_signal(c.e, 1, 0);
	eventfd_signal(c.e, 1, EPOLL_URING_WAKE);
	spin_unlock_irqrestore(&signaller, flags);
	wait_event(test_wait, READ_ONCE(p->woken) >= CROWD);
	KT_EQ(p->by_us, 0);
	leave(p);
	/* Few are woken at once. */
	p = watch(fd, 2);
	KT_ASSERT(p);
	spin_lock_irqsave(&signaller, flags);
	eventfd_signal(c.e, 1, 0);
	spin_unlock_irqrestore(&signaller, flags);
	KT_EQ(p->by_us, 2);
	leave(p);
	KT_EQ(eventfd_bind(c.e, &c.taker), 1);
	KT_EQ(eventfd_unbind(c.e, &c.taker), 3);
	eventfd_put(c.e);
	KT_EQ(close_fd((unsigned int)fd), 0);
}

/* The file goes while an interrupt signals: the taker hears of it once, the object stays. */
KTEST(ipc_eventfd_closed_in_use)
{
	static struct count c;

	for (int i = 0; i < 100; i++) {
		int fd = open_count(&c, 0, 0);

		KT_ASSERT(fd >= 0 && !IS_ERR(c.e));
		KT_EQ(eventfd_bind(c.e, &c.taker), 0);
		hrtimer_start(&c.timer, i * 1000, HRTIMER_MODE_REL);
		KT_EQ(close_fd((unsigned int)fd), 0);
		wait_event(test_wait, READ_ONCE(c.hung_up) && READ_ONCE(c.calls));
		hrtimer_cancel(&c.timer);
		eventfd_signal(c.e, 2, 0);
		KT_EQ(c.taken, 5);
		KT_EQ(eventfd_unbind(c.e, &c.taker), 0);
		KT_EQ(c.hung_up, 1);
		KT_EQ(eventfd_bind(c.e, &c.taker), -EBADF);
		eventfd_put(c.e);
	}
}
