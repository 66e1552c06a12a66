// SPDX-License-Identifier: MIT
/* timerfd_create(2): a timer read from a file. */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/list.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <ipc/fds.h>
#include <kernel/time.h>
#include <mm/iter.h>
#include <proc/cred.h>
#include <sched/wait.h>
#include <sched/work.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <vfs/seq_file.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/time.h>
#include <linux/timerfd.h>

struct timerfd {
	struct hrtimer timer;
	wait_queue_head_t wqh;
	u64 ticks;		/* wqh.lock: expirations not read yet */
	ktime_t interval;	/* wqh.lock */
	int clock;		/* c */
	int settime_flags;
	bool expired;		/* wqh.lock: fired, not rearmed by a read yet */
	bool may_cancel;	/* wqh.lock: setting the wall clock cancels it */
	bool canceled;		/* wqh.lock: canceled, not yet reported by read(2) */
	struct list_head clist;	/* cancel_lock */
	bool on_clist;		/* cancel_lock */
	struct work_struct tell;	/* wakes the waiters where they are many */
};

static LIST_HEAD(cancel_list);		/* those with TFD_TIMER_CANCEL_ON_SET */
static DEFINE_SPINLOCK(cancel_lock);

static void tell_all(struct work_struct *w)
{
	wake_up_poll(&container_of(w, struct timerfd, tell)->wqh, EPOLLIN);
}

/* There is something to read. Interrupts are off: what takes long is not done here. wqh.lock held. */
static void tell_locked(struct timerfd *t)
{
	if (likely(waitqueue_is_short(&t->wqh)))
		wake_up_locked_poll(&t->wqh, EPOLLIN);
	else
		queue_work(system_unbound_wq, &t->tell);
}

static enum hrtimer_restart fire(struct hrtimer *h)
{
	struct timerfd *t = container_of(h, struct timerfd, timer);
	unsigned long flags;

	spin_lock_irqsave(&t->wqh.lock, flags);
	t->expired = true;
	t->ticks++;
	tell_locked(t);
	spin_unlock_irqrestore(&t->wqh.lock, flags);
	return HRTIMER_NORESTART;
}

/*
 * A periodic timer is counted on only when somebody looks: no interrupts for nothing. Under wqh.lock: who disarms it meanwhile
 * must not find it armed again.
 */
static void catch_up(struct timerfd *t)
{
	u64 over;

	if (t->expired && t->interval) {
		over = hrtimer_forward(&t->timer, hrtimer_cb_get_time(&t->timer), t->interval);
		t->ticks += over ? over - 1 : 0;	/* none when the clock was set back meanwhile */
		hrtimer_start(&t->timer, t->timer.expires, HRTIMER_MODE_ABS);
		t->expired = false;
	}
}

/* CLOCK_REALTIME jumped: from the clock code. */
void clock_was_set(void)
{
	unsigned long flags;
	struct timerfd *t;

	spin_lock(&cancel_lock);
	list_for_each_entry(t, &cancel_list, clist) {
		spin_lock_irqsave(&t->wqh.lock, flags);
		t->canceled = true;
		t->ticks++;
		tell_locked(t);
		spin_unlock_irqrestore(&t->wqh.lock, flags);
	}
	spin_unlock(&cancel_lock);
}

static void cancel_link(struct timerfd *t, bool may_cancel)
{
	spin_lock(&cancel_lock);
	if (may_cancel && !t->on_clist)
		list_add(&t->clist, &cancel_list);
	else if (!may_cancel && t->on_clist)
		list_del(&t->clist);
	t->on_clist = may_cancel;
	spin_unlock(&cancel_lock);
}

static bool heeds_steps(const struct timerfd *t, int flags)
{
	return (flags & TFD_TIMER_CANCEL_ON_SET) && (flags & TFD_TIMER_ABSTIME) &&
	       (t->clock == CLOCK_REALTIME || t->clock == CLOCK_REALTIME_ALARM);
}

static int timerfd_release(struct inode *inode, struct file *file)
{
	struct timerfd *t = file->private_data;

	cancel_link(t, false);
	hrtimer_cancel(&t->timer);
	cancel_work_sync(&t->tell);
	kfree(t);
	return 0;
}

static __poll_t timerfd_poll(struct file *file, struct poll_table_struct *p)
{
	struct timerfd *t = file->private_data;

	poll_wait(file, &t->wqh, p);
	return READ_ONCE(t->ticks) ? EPOLLIN : 0;
}

static ssize_t timerfd_read(struct kiocb *k, struct iter *to)
{
	struct timerfd *t = k->ki_filp->private_data;
	u64 n;

	if (iter_count(to) < sizeof(n))
		return -EINVAL;
	for (;;) {
		spin_lock_irq(&t->wqh.lock);
		if (t->ticks)
			break;
		spin_unlock_irq(&t->wqh.lock);
		if ((k->ki_filp->f_flags & O_NONBLOCK) || (k->ki_flags & IOCB_NOWAIT))
			return -EAGAIN;
		if (wait_event_interruptible(t->wqh, READ_ONCE(t->ticks)))
			return -ERESTARTSYS;
	}
	if (t->may_cancel && t->canceled) {
		t->canceled = false;
		t->ticks = 0;
		spin_unlock_irq(&t->wqh.lock);
		return -ECANCELED;
	}
	catch_up(t);
	n = t->ticks;
	t->expired = false;
	t->ticks = 0;
	spin_unlock_irq(&t->wqh.lock);
	return copy_to_iter(&n, sizeof(n), to) == sizeof(n) ? (ssize_t)sizeof(n) : -EFAULT;
}

/* Under wqh.lock. A timer that is not armed has expired, at the latest at 0. */
static void read_spec(const struct timerfd *t, struct timerfd_spec *s)
{
	s->interval_ns = t->interval;
	s->value_ns = max(hrtimer_get_remaining(&t->timer), (ktime_t)0);
}

static void timerfd_fdinfo(struct seq_file *m, struct file *f)
{
	struct timerfd *t = f->private_data;
	struct timerfd_spec s;
	u64 ticks;

	spin_lock_irq(&t->wqh.lock);
	read_spec(t, &s);
	ticks = t->ticks;
	spin_unlock_irq(&t->wqh.lock);
	seq_printf(m, "clockid: %d\nticks: %llu\nsettime flags: 0%o\n", t->clock, ticks, t->settime_flags);
	seq_printf(m, "it_value: (%llu, %llu)\nit_interval: (%llu, %llu)\n", (u64)s.value_ns / NSEC_PER_SEC,
		   (u64)s.value_ns % NSEC_PER_SEC, (u64)s.interval_ns / NSEC_PER_SEC, (u64)s.interval_ns % NSEC_PER_SEC);
}

static const struct file_operations timerfd_fops = {
	.fop_flags = FOP_NOWAIT, .llseek = noop_llseek, .read_iter = timerfd_read, .poll = timerfd_poll,
	.release = timerfd_release,
	.show_fdinfo = timerfd_fdinfo,
};

int timerfd_create(int clock, int flags)
{
	struct timerfd *t;
	int fd;

	if (flags & ~(TFD_CLOEXEC | TFD_NONBLOCK))
		return -EINVAL;
	switch (clock) {
	case CLOCK_REALTIME_ALARM: case CLOCK_BOOTTIME_ALARM:
		if (!capable(CAP_WAKE_ALARM))
			return -EPERM;
		fallthrough;
	case CLOCK_REALTIME: case CLOCK_MONOTONIC: case CLOCK_BOOTTIME:
		break;
	default:
		return -EINVAL;
	}
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return -ENOMEM;
	init_waitqueue_head(&t->wqh);
	INIT_WORK(&t->tell, tell_all);
	t->clock = clock;
	hrtimer_init(&t->timer, clock, fire);
	fd = anon_inode_getfd("[timerfd]", &timerfd_fops, t, O_RDWR | (flags & (O_CLOEXEC | O_NONBLOCK)));
	if (fd < 0)
		kfree(t);
	return fd;
}

/* The file, referenced, or ERR_PTR(-EBADF, -EINVAL). */
static struct file *timerfd_fget(int fd)
{
	struct file *f = fget((unsigned int)fd);

	if (!f)
		return ERR_PTR(-EBADF);
	if (f->f_op != &timerfd_fops) {
		fput(f);
		return ERR_PTR(-EINVAL);
	}
	return f;
}

/* wqh.lock held. A time that has gone by needs no interrupt. */
static void start(struct timerfd *t, ktime_t value, bool absolute)
{
	ktime_t now;

	/* Setting the clock affects absolute timers only. */
	hrtimer_set_clock(&t->timer, absolute ? t->clock : CLOCK_MONOTONIC);
	now = hrtimer_cb_get_time(&t->timer);
	t->timer.expires = value && !absolute ? ktime_add_safe(now, value) : value;
	if (!value)
		return;
	if (t->timer.expires > hrtimer_cb_get_time(&t->timer)) {
		hrtimer_start(&t->timer, t->timer.expires, HRTIMER_MODE_ABS);
		return;
	}
	t->expired = true;
	t->ticks = 1;
}

int timerfd_set(int fd, int flags, const struct timerfd_spec *n, struct timerfd_spec *old)
{
	struct file *f;
	struct timerfd *t;
	int err = 0;

	if (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
		return -EINVAL;
	f = timerfd_fget(fd);
	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	t = f->private_data;
	cancel_link(t, heeds_steps(t, flags));
	/* Stopped and set anew under the lock, or two setters and a reader would mix. */
	for (;;) {
		spin_lock_irq(&t->wqh.lock);
		catch_up(t);
		read_spec(t, old);
		if (hrtimer_try_to_cancel(&t->timer) >= 0)
			break;
		spin_unlock_irq(&t->wqh.lock);
		cpu_relax();
	}
	t->expired = false;
	t->ticks = 0;
	t->may_cancel = heeds_steps(t, flags);
	t->interval = n->interval_ns;
	t->settime_flags = flags;
	start(t, n->value_ns, flags & TFD_TIMER_ABSTIME);
	if (t->expired)
		tell_locked(t);
	if (n->value_ns && t->may_cancel && t->canceled) {	/* it is set all the same */
		t->canceled = false;
		err = -ECANCELED;
	}
	spin_unlock_irq(&t->wqh.lock);
	fput(f);
	return err;
}

int timerfd_get(int fd, struct timerfd_spec *out)
{
	struct file *f = timerfd_fget(fd);
	struct timerfd *t;

	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	t = f->private_data;
	spin_lock_irq(&t->wqh.lock);
	catch_up(t);
	read_spec(t, out);
	spin_unlock_irq(&t->wqh.lock);
	fput(f);
	return 0;
}
