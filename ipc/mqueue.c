// SPDX-License-Identifier: MIT
/*
 * POSIX message queues (mq_overview(7)): what they do. A queue is an inode of the file system in mqueue_fs.c, and lives as long. Messages are kept in order of priority, then of age; they are copied in before and out after the queue's lock
 * is held.
 *
 * Who must wait stands in one of two lines, in order of his own priority, then of patience, and is served by whoever changes the
 * queue: a message goes straight to the first who waits for one, and who takes one from a full queue puts the first waiting
 * sender's in its place. So each change wakes one task, which finds its work done, and nobody overtakes. Where somebody waits for a
 * message the queue is empty, where somebody waits for room it is full.
 *
 * The queue's inode holds owner and mode.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <ipc/mqueue.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <kernel/time.h>
#include <mm/iter.h>
#include <mm/uaccess.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <sched/sched.h>
#include <sched/wait.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/resource.h>
#include <linux/time.h>
#include "mqueue_priv.h"
#include "sysv_priv.h"

#define HARD_MSGMAX 65536
#define HARD_MSGSIZEMAX (16 << 20)

struct mq_message {
	struct list_head list;		/* queue's lock */
	unsigned int prio;
	size_t size;
	u8 text[];
};

/* On the stack of a task that waits. */
struct mq_waiter {
	struct list_head list;		/* queue's lock; empty once it was served */
	struct task *task;
	struct mq_message *message;	/* queue's lock: what it sends, or was given */
};

/* ---- making and freeing ---- */

static int check_attributes(const struct ipc_namespace *ns, const struct mq_attr *a)
{
	bool free_hand = capable(CAP_SYS_RESOURCE);

	if (a->mq_maxmsg <= 0 || a->mq_msgsize <= 0)
		return -EINVAL;
	if (a->mq_maxmsg > (free_hand ? HARD_MSGMAX : ns->mq_msg_max) || a->mq_msgsize > (free_hand ? HARD_MSGSIZEMAX : ns->mq_msgsize_max))
		return -EINVAL;
	return 0;
}

/* What a full queue would take is paid for from the beginning. */
static int pay(struct mqueue *q)
{
	struct user_struct *u = current_cred()->user;
	u64 limit = rlimit(RLIMIT_MSGQUEUE);

	q->bytes = (unsigned long)(q->max_messages * (q->max_size + (long)sizeof(struct mq_message)));
	if (atomic_long_add_return((long)q->bytes, &u->mq_bytes) > (long)min(limit, (u64)LONG_MAX)) {
		atomic_long_sub((long)q->bytes, &u->mq_bytes);
		return -EMFILE;
	}
	refcount_inc(&u->refs);
	q->user = u;
	return 0;
}

struct mqueue *mqueue_new(const struct ipc_namespace *ns, const struct mq_attr *a)
{
	struct mqueue *q;
	int e = a ? check_attributes(ns, a) : 0;

	if (e)
		return ERR_PTR(e);
	q = kzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);
	if (!q)
		return ERR_PTR(-ENOMEM);
	mutex_init(&q->lock);
	init_waitqueue_head(&q->wait);
	INIT_LIST_HEAD(&q->messages);
	INIT_LIST_HEAD(&q->senders);
	INIT_LIST_HEAD(&q->receivers);
	q->max_messages = a ? a->mq_maxmsg : min(ns->mq_msg_max, ns->mq_msg_default);
	q->max_size = a ? a->mq_msgsize : min(ns->mq_msgsize_max, ns->mq_msgsize_default);
	e = pay(q);
	if (!e)
		return q;
	kfree(q);
	return ERR_PTR(e);
}

void mqueue_free(struct mqueue *q)
{
	struct mq_message *m, *n;

	list_for_each_entry_safe(m, n, &q->messages, list)
		kvfree(m);
	atomic_long_sub((long)q->bytes, &q->user->mq_bytes);
	free_uid(q->user);
	put_pid(q->notify);
	kfree(q);
}

/* ---- moving messages ---- */

static struct mqueue *queue_of(const struct file *f)
{
	return file_inode(f)->i_private;
}

/* The open queue of FD, if it may be used so; the file is referenced. */
static struct file *get_queue(int fd, fmode_t mode)
{
	struct file *f = fget((unsigned int)fd);

	if (!f)
		return ERR_PTR(-EBADF);
	if (f->f_op != &mqueue_fops || (mode && !(f->f_mode & mode))) {
		fput(f);
		return ERR_PTR(-EBADF);
	}
	return f;
}

/* Whom to serve before whom: real-time tasks by their priority, then the others by how nice they are. */
static int rank(const struct task *t)
{
	int rt = READ_ONCE(t->rt_priority);

	return rt ? 100 + rt : -READ_ONCE(t->nice);
}

/* The queue's lock held, dropped while it sleeps. 0: it was served. */
static int wait_turn(struct mqueue *q, struct list_head *line, struct mq_waiter *w, struct file *f, const ktime_t *until)
	__must_hold(q->lock)
{
	struct mq_waiter *x;
	int r = 1;

	if (f->f_flags & O_NONBLOCK)
		return -EAGAIN;
	w->task = current;
	list_for_each_entry_reverse(x, line, list)
		if (rank(x->task) >= rank(current))
			break;
	list_add(&w->list, &x->list);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		mutex_unlock(&q->lock);
		if (!signal_pending(current))
			r = schedule_hrtimeout_until(until, CLOCK_REALTIME);
		__set_current_state(TASK_RUNNING);
		mutex_lock(&q->lock);
		if (list_empty(&w->list))
			return 0;
		if (!r || signal_pending(current)) {
			list_del(&w->list);
			return r ? -ERESTARTSYS : -ETIMEDOUT;
		}
	}
}

/* The first in the LINE, who is not in it any more. */
static struct mq_waiter *next_in(struct list_head *line)
{
	struct mq_waiter *w = list_first_entry_or_null(line, struct mq_waiter, list);

	if (w)
		list_del_init(&w->list);
	return w;
}

static void tell(struct mqueue *q)
{
	struct siginfo i;
	struct task *t;

	if (!q->notify)
		return;
	/* Signal 0 is allowed, and none. */
	if (q->how.sigev_notify == SIGEV_SIGNAL && q->how.sigev_signo) {
		clear_siginfo(&i);
		i.si_signo = q->how.sigev_signo;
		i.si_code = SI_MESGQ;
		i.si_value = q->how.sigev_value;
		rcu_read_lock();
		t = pid_task(q->notify, PIDTYPE_TGID);
		if (t && READ_ONCE(t->self_exec_id) == q->exec_id) {	/* not another program that took its place (execve) */
			/* The sender's ids in the receiver's namespaces. */
			i.si_pid = task_tgid_nr_ns(current, task_active_pid_ns(t));
			i.si_uid = from_kuid_munged(__task_cred(t)->user_ns, current_uid());
			do_send_sig_info(i.si_signo, &i, t, PIDTYPE_TGID);
		}
		rcu_read_unlock();
	}
	put_pid(q->notify);
	q->notify = NULL;
}

static void insert(struct mqueue *q, struct mq_message *m)
{
	struct list_head *before = &q->messages;
	struct mq_message *x;

	list_for_each_entry(x, &q->messages, list) {
		if (x->prio < m->prio) {
			before = &x->list;
			break;
		}
	}
	list_add_tail(&m->list, before);
	q->used += m->size;
	q->count++;
}

/* Takes over the message when 0. */
static int deliver(struct mqueue *q, struct mq_message *m, struct file *f, const ktime_t *until)
{
	struct mq_waiter own = { .message = m }, *w;
	int r = 0;

	mutex_lock(&q->lock);
	w = next_in(&q->receivers);
	if (w) {
		w->message = m;
		wake_up_process(w->task);	/* it cannot end before it has had the lock */
	} else if (q->count >= q->max_messages) {
		r = wait_turn(q, &q->senders, &own, f, until);
	} else {
		insert(q, m);
		if (q->count == 1)
			tell(q);
		wake_up_interruptible_poll(&q->wait, EPOLLIN | EPOLLRDNORM);
	}
	mutex_unlock(&q->lock);
	return r;
}

long mqueue_send(int fd, struct uptr msg, size_t len, unsigned int prio, const ktime_t *until)
{
	struct file *f = get_queue(fd, FMODE_WRITE);
	struct mq_message *m;
	struct mqueue *q;
	long r = -EMSGSIZE;

	if (IS_ERR(f))
		return PTR_ERR(f);
	q = queue_of(f);
	if (len > (size_t)q->max_size)
		goto put;
	r = -ENOMEM;
	m = kvmalloc(sizeof(*m) + len, GFP_KERNEL_ACCOUNT);
	if (!m)
		goto put;
	m->prio = prio;
	m->size = len;
	r = -EFAULT;
	if (copy_from_user(m->text, msg, len))
		goto free;
	r = deliver(q, m, f, until);
	if (!r)
		m = NULL;
free:
	kvfree(m);
put:
	fput(f);
	return r;
}

static struct mq_message *take(struct mqueue *q, struct file *f, const ktime_t *until)
{
	struct mq_waiter own = { .message = NULL }, *w;
	struct mq_message *m;
	int r;

	mutex_lock(&q->lock);
	if (q->count) {
		m = list_first_entry(&q->messages, struct mq_message, list);
		list_del(&m->list);
		q->count--;
		q->used -= m->size;
		w = next_in(&q->senders);
		if (w) {
			insert(q, w->message);
			wake_up_process(w->task);
		} else {
			wake_up_interruptible_poll(&q->wait, EPOLLOUT | EPOLLWRNORM);
		}
	} else {
		r = wait_turn(q, &q->receivers, &own, f, until);
		m = r ? ERR_PTR(r) : own.message;
	}
	mutex_unlock(&q->lock);
	return m;
}

long mqueue_receive(int fd, struct uptr msg, size_t len, struct uptr prio, const ktime_t *until)
{
	struct file *f = get_queue(fd, FMODE_READ);
	struct mq_message *m;
	struct mqueue *q;
	long r = -EMSGSIZE;

	if (IS_ERR(f))
		return PTR_ERR(f);
	q = queue_of(f);
	if (len < (size_t)q->max_size)
		goto put;
	m = take(q, f, until);
	r = PTR_ERR(m);
	if (IS_ERR(m))
		goto put;
	r = (long)m->size;
	if (copy_to_user(msg, m->text, m->size) || (!uptr_is_null(prio) && put_user(m->prio, prio)))
		r = -EFAULT;
	kvfree(m);
put:
	fput(f);
	return r;
}

/* ---- notification and attributes ---- */

static int check_event(const struct sigevent *se)
{
	if (se->sigev_notify == SIGEV_NONE)
		return 0;
	return se->sigev_notify == SIGEV_SIGNAL && se->sigev_signo >= 0 && se->sigev_signo <= _NSIG ? 0 : -EINVAL;
}

int mqueue_notify(int fd, const struct sigevent *se)
{
	struct file *f;
	struct mqueue *q;
	struct pid *me;
	int e = se ? check_event(se) : 0;

	if (e)
		return e;
	f = get_queue(fd, 0);
	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	q = queue_of(f);
	me = get_task_pid(current, PIDTYPE_TGID);
	mutex_lock(&q->lock);
	if (!se) {
		if (q->notify == me) {
			put_pid(q->notify);
			q->notify = NULL;
		}
	} else if (q->notify) {
		e = -EBUSY;
	} else {
		q->notify = get_pid(me);
		q->how = *se;
		q->exec_id = current->self_exec_id;
	}
	mutex_unlock(&q->lock);
	put_pid(me);
	fput(f);
	return e;
}

int mqueue_attributes(int fd, const struct mq_attr *n, struct mq_attr *old)
{
	struct file *f;
	struct mqueue *q;

	if (n && (n->mq_flags & ~(long)O_NONBLOCK))
		return -EINVAL;
	f = get_queue(fd, 0);
	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	q = queue_of(f);
	mutex_lock(&q->lock);
	*old = (struct mq_attr){ .mq_flags = (long)(f->f_flags & O_NONBLOCK), .mq_maxmsg = q->max_messages, .mq_msgsize = q->max_size,
				 .mq_curmsgs = q->count };
	if (n) {
		spin_lock(&f->f_lock);
		f->f_flags = (f->f_flags & ~(unsigned int)O_NONBLOCK) | (unsigned int)n->mq_flags;
		spin_unlock(&f->f_lock);
	}
	mutex_unlock(&q->lock);
	fput(f);
	return 0;
}

/* ---- as a file ---- */

static __poll_t mq_poll(struct file *f, struct poll_table_struct *p)
{
	struct mqueue *q = queue_of(f);
	__poll_t mask = 0;

	poll_wait(f, &q->wait, p);
	mutex_lock(&q->lock);
	if (q->count)
		mask |= EPOLLIN | EPOLLRDNORM;
	if (q->count < q->max_messages)
		mask |= EPOLLOUT | EPOLLWRNORM;
	mutex_unlock(&q->lock);
	return mask;
}

static ssize_t mq_read(struct kiocb *k, struct iter *to)
{
	struct mqueue *q = queue_of(k->ki_filp);
	char text[120];
	size_t n, off;

	mutex_lock(&q->lock);
	n = (size_t)scnprintf(text, sizeof(text), "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", (unsigned long)q->used,
			      q->notify ? q->how.sigev_notify : 0,
			      q->notify && q->how.sigev_notify == SIGEV_SIGNAL ? q->how.sigev_signo : 0, q->notify ? pid_vnr(q->notify) : 0);
	mutex_unlock(&q->lock);
	off = (size_t)min((u64)k->ki_pos, (u64)n);
	n = copy_to_iter(text + off, min(n - off, iter_count(to)), to);
	k->ki_pos += (loff_t)n;
	return (ssize_t)n;
}

/* A process that closes it is not told any more. */
static int mq_flush(struct file *f, fl_owner_t id)
{
	struct mqueue *q = queue_of(f);
	struct pid *me = get_task_pid(current, PIDTYPE_TGID);

	mutex_lock(&q->lock);
	if (q->notify == me) {
		put_pid(q->notify);
		q->notify = NULL;
	}
	mutex_unlock(&q->lock);
	put_pid(me);
	return 0;
}

const struct file_operations mqueue_fops = { .llseek = default_llseek, .read_iter = mq_read, .poll = mq_poll, .flush = mq_flush };

static int mqueue_settings(void)
{
	struct ipc_namespace *ns = &init_ipc_ns;

	ipc_ns_setting(sysctl_int("fs/mqueue/queues_max", 0644, &ns->mq_queues_max, 0, INT_MAX));
	ipc_ns_setting(sysctl_int("fs/mqueue/msg_max", 0644, &ns->mq_msg_max, 1, HARD_MSGMAX));
	ipc_ns_setting(sysctl_int("fs/mqueue/msg_default", 0644, &ns->mq_msg_default, 1, HARD_MSGMAX));
	ipc_ns_setting(sysctl_int("fs/mqueue/msgsize_max", 0644, &ns->mq_msgsize_max, 128, HARD_MSGSIZEMAX));
	ipc_ns_setting(sysctl_int("fs/mqueue/msgsize_default", 0644, &ns->mq_msgsize_default, 128, HARD_MSGSIZEMAX));
	return 0;
}
INITCALL(fs, mqueue_settings);
