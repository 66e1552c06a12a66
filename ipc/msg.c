// SPDX-License-Identifier: MIT
/*
 * System V message queues. A message is copied in before the queue is locked, and out after it was taken: no copy is made under the
 * lock. Who finds no room, or no message of his type, stands in line and is served by whoever makes room or has the message:
 * nobody is woken who has to wait on.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <proc/pid.h>
#include <sched/sched.h>
#include <sched/wait.h>
#include <vfs/fs.h>
#include <vfs/seq_file.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include "sysv_priv.h"

struct message {
	struct list_head list;		/* the queue's lock */
	long type;
	size_t size;
	u8 text[];
};

struct msg_queue_v {
	struct sysv_object o;		/* o.lock guards all of it */
	struct list_head messages;	/* oldest first */
	struct list_head senders, receivers;	/* of struct waiter, who came first in front */
	unsigned long bytes, count, max_bytes;
	s64 stime, rtime, ctime;
	struct pid *lspid, *lrpid;
};

struct waiter {
	struct list_head list;		/* the queue's lock; empty once it is served, or has to look again */
	struct task *task;
	struct message *m;		/* to send, NULL once it is sent; or received */
	size_t size;			/* of a receiver: of his buffer */
	long type;
	int flags;
	int error;			/* of one who was served */
};

#define to_msg(x) container_of(x, struct msg_queue_v, o)
static const struct sysv_ops msg_ops;

static struct sysv_ids *msg_ids(struct ipc_namespace *ns) { return &ns->ids[SYSV_MSG]; }

static struct message *new_message(size_t size)
{
	struct message *m = sysv_alloc(sizeof(*m) + size, 0);

	if (m)
		m->size = size;
	return m;
}

static void free_message(struct message *m)
{
	sysv_free(m, sizeof(*m) + m->size);
}

static void msg_put(struct msg_queue_v *q)
{
	struct message *m, *n;

	if (!refcount_dec_and_test(&q->o.refs))
		return;
	list_for_each_entry_safe(m, n, &q->messages, list)
		free_message(m);
	put_pid(q->lspid);
	put_pid(q->lrpid);
	sysv_free(q, sizeof(*q));
}

static void set_pid(struct pid **p, struct task *t)
{
	put_pid(*p);
	*p = get_task_pid(t, PIDTYPE_TGID);
}

/* ---- making ---- */

static struct sysv_object *msg_make(struct ipc_namespace *ns, unsigned long arg, int key, int flags)
{
	struct msg_queue_v *q = sysv_alloc(sizeof(*q), __GFP_ZERO);

	if (!q)
		return ERR_PTR(-ENOMEM);
	refcount_set(&q->o.refs, 1);
	mutex_init(&q->o.lock);
	INIT_LIST_HEAD(&q->messages);
	INIT_LIST_HEAD(&q->senders);
	INIT_LIST_HEAD(&q->receivers);
	q->max_bytes = (unsigned long)ns->msg_mnb;
	q->ctime = sysv_now();
	return &q->o;
}

static int msg_fits(struct sysv_object *o, unsigned long arg) { return 0; }
static void msg_unmake(struct sysv_object *o) { msg_put(to_msg(o)); }

long msg_get(int key, int flags)
{
	struct ipc_namespace *ns = current_ipc_ns();
	struct sysv_maker m = { .ids = msg_ids(ns), .make = msg_make, .fits = msg_fits, .free = msg_unmake, .max = (unsigned int)ns->msg_mni };

	return sysv_obtain(ns, &m, key, flags);
}

/* ---- sending ---- */

static struct message *read_message(struct uptr from, size_t size)
{
	struct message *m;
	long type;

	if (get_user(type, from))
		return ERR_PTR(-EFAULT);
	if (type < 1)
		return ERR_PTR(-EINVAL);
	m = new_message(size);
	if (!m)
		return ERR_PTR(-ENOMEM);
	m->type = type;
	if (copy_from_user(m->text, uptr_add(from, sizeof(long)), size)) {
		free_message(m);
		return ERR_PTR(-EFAULT);
	}
	return m;
}

static bool has_room(const struct msg_queue_v *q, size_t size)
{
	return size + q->bytes <= q->max_bytes && q->count + 1 <= q->max_bytes;
}

static bool suits(const struct message *m, long type, int flags)
{
	if (!type)
		return true;
	if (type > 0)
		return (m->type == type) != !!(flags & MSG_EXCEPT);
	return m->type <= (type == LONG_MIN ? LONG_MAX : -type);
}

/* Out of the line, the lock held: what is his is in W, or he looks again. He may be gone when the lock is. */
static void leave_line(struct waiter *w)
{
	list_del_init(&w->list);
	wake_up_process(w->task);
}

static void look_again(struct list_head *line)
{
	struct waiter *w, *n;

	list_for_each_entry_safe(w, n, line, list)
		leave_line(w);
}

/*
 * Stands in LINE, the lock held, until served: 0, the lock held. -EAGAIN: look again, the lock held. -EIDRM, -ERESTARTNOHAND: not locked.
 */
static int stand_in(struct msg_queue_v *q, struct list_head *line, struct waiter *w, const struct message *before)
{
	int r;

	w->task = current;
	list_add_tail(&w->list, line);
	do {
		set_current_state(TASK_INTERRUPTIBLE);
		mutex_unlock(&q->o.lock);
		if (!signal_pending(current))
			schedule();
		__set_current_state(TASK_RUNNING);
		mutex_lock(&q->o.lock);
	} while (!list_empty(&w->list) && !signal_pending(current));
	if (w->m != before || w->error)
		return 0;
	r = q->o.removed ? -EIDRM : list_empty(&w->list) ? -EAGAIN : -ERESTARTNOHAND;
	list_del_init(&w->list);
	if (r != -EAGAIN)
		mutex_unlock(&q->o.lock);
	return r;
}

/* A message of FROM's, for which there is room: to the first receiver who wants it, or into the queue. */
static void pass_on(struct msg_queue_v *q, struct message *m, struct task *from)
{
	struct waiter *w, *n;

	q->stime = sysv_now();
	set_pid(&q->lspid, from);
	list_for_each_entry_safe(w, n, &q->receivers, list) {
		if (!suits(m, w->type, w->flags))
			continue;
		if (m->size > w->size && !(w->flags & MSG_NOERROR)) {
			w->error = -E2BIG;
			leave_line(w);
			continue;
		}
		w->m = m;
		q->rtime = q->stime;
		set_pid(&q->lrpid, w->task);
		leave_line(w);
		return;
	}
	list_add_tail(&m->list, &q->messages);
	q->bytes += m->size;
	q->count++;
}

/* There may be room for those who wait with a message: in their order, but a small one passes by one that is too large yet. */
static void serve_senders(struct msg_queue_v *q)
{
	struct waiter *w, *n;

	list_for_each_entry_safe(w, n, &q->senders, list) {
		if (!has_room(q, w->m->size))
			continue;
		pass_on(q, w->m, w->task);
		w->m = NULL;
		leave_line(w);
	}
}

/* Takes over the message when 0. */
static long put_message(struct msg_queue_v *q, struct message *m, int flags)
{
	struct waiter w = { .m = m };
	int r = sysv_lock(&q->o);

	if (r)
		return r;
	do {
		r = sysv_permitted(&q->o, S_IWUGO) ? 0 : -EACCES;
		if (r)
			break;
		if (has_room(q, m->size)) {
			pass_on(q, m, current);
			break;
		}
		r = flags & IPC_NOWAIT ? -EAGAIN : stand_in(q, &q->senders, &w, m);
		if (r && r != -EAGAIN)
			return r;
	} while (r && !(flags & IPC_NOWAIT));
	mutex_unlock(&q->o.lock);
	return r;
}

long msg_send(int id, struct uptr from, size_t size, int flags)
{
	struct ipc_namespace *ns = current_ipc_ns();
	struct sysv_object *o;
	struct message *m;
	long r;

	if (size > (size_t)ns->msg_max || id < 0)
		return -EINVAL;
	m = read_message(from, size);
	if (IS_ERR(m))
		return PTR_ERR(m);
	o = sysv_get(msg_ids(ns), id);
	r = IS_ERR(o) ? PTR_ERR(o) : put_message(to_msg(o), m, flags);
	if (r)
		free_message(m);
	if (!IS_ERR(o))
		msg_put(to_msg(o));
	return r;
}

/* ---- receiving ---- */

/* The message that TYPE asks for (msgrcv(2)), or NULL. */
static struct message *choose(struct msg_queue_v *q, long type, int flags)
{
	struct message *m, *best = NULL;

	list_for_each_entry(m, &q->messages, list) {
		if (!suits(m, type, flags))
			continue;
		if (type >= 0)
			return m;
		if (!best || m->type < best->type)
			best = m;
	}
	return best;
}

static struct message *take_message(struct msg_queue_v *q, size_t size, long type, int flags)
{
	struct waiter w = { .size = size, .type = type, .flags = flags };
	struct message *m = NULL;
	int r = sysv_lock(&q->o);

	if (r)
		return ERR_PTR(r);
	do {
		r = sysv_permitted(&q->o, S_IRUGO) ? 0 : -EACCES;
		if (r)
			break;
		m = choose(q, type, flags);
		if (m) {
			r = m->size > size && !(flags & MSG_NOERROR) ? -E2BIG : 0;
			if (r)
				break;
			list_del(&m->list);
			q->bytes -= m->size;
			q->count--;
			q->rtime = sysv_now();
			set_pid(&q->lrpid, current);
			serve_senders(q);
			break;
		}
		r = flags & IPC_NOWAIT ? -ENOMSG : stand_in(q, &q->receivers, &w, NULL);
		if (r && r != -EAGAIN && r != -ENOMSG)
			return ERR_PTR(r);
		if (!r) {
			r = w.error;
			m = w.m;
			break;
		}
	} while (r == -EAGAIN);
	mutex_unlock(&q->o.lock);
	return r ? ERR_PTR(r) : m;
}

/* MSG_COPY: copies message number TYPE and leaves it in the queue. A message that is too long is refused, with MSG_NOERROR too. */
static struct message *copy_message(struct msg_queue_v *q, size_t size, long place, int flags)
{
	struct message *m, *copy = ERR_PTR(-ENOMSG);
	int r = sysv_lock(&q->o);

	if (r)
		return ERR_PTR(r);
	if (!sysv_permitted(&q->o, S_IRUGO))
		copy = ERR_PTR(-EACCES);
	else if (place >= 0)
		list_for_each_entry(m, &q->messages, list) {
			if (place--)
				continue;
			if (m->size > size) {
				copy = ERR_PTR(flags & MSG_NOERROR ? -EINVAL : -E2BIG);
				break;
			}
			copy = new_message(m->size);
			if (copy)
				memcpy(copy, m, sizeof(*m) + m->size);
			else
				copy = ERR_PTR(-ENOMEM);
			break;
		}
	mutex_unlock(&q->o.lock);
	return copy;
}

long msg_receive(int id, struct uptr to, size_t size, long type, int flags)
{
	struct sysv_object *o;
	struct message *m;
	size_t n;
	long r;

	if (id < 0 || (long)size < 0)
		return -EINVAL;
	if ((flags & MSG_COPY) && ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT)))
		return -EINVAL;
	o = sysv_get(msg_ids(current_ipc_ns()), id);
	if (IS_ERR(o))
		return PTR_ERR(o);
	m = flags & MSG_COPY ? copy_message(to_msg(o), size, type, flags) : take_message(to_msg(o), size, type, flags);
	msg_put(to_msg(o));
	if (IS_ERR(m))
		return PTR_ERR(m);
	n = min(size, m->size);
	r = put_user(m->type, to) || copy_to_user(uptr_add(to, sizeof(long)), m->text, n) ? -EFAULT : (long)n;
	free_message(m);
	return r;
}

/* ---- control ---- */

static void msg_fill(union sysv_ds *d, const struct sysv_object *o)
{
	const struct msg_queue_v *q = to_msg(o);

	d->msg.msg_stime = q->stime;
	d->msg.msg_rtime = q->rtime;
	d->msg.msg_ctime = q->ctime;
	d->msg.msg_cbytes = q->bytes;
	d->msg.msg_qnum = q->count;
	d->msg.msg_qbytes = q->max_bytes;
	d->msg.msg_lspid = q->lspid ? pid_vnr(q->lspid) : 0;
	d->msg.msg_lrpid = q->lrpid ? pid_vnr(q->lrpid) : 0;
}

static void msg_removed(struct ipc_namespace *ns, struct sysv_object *o)
{
	look_again(&to_msg(o)->senders);
	look_again(&to_msg(o)->receivers);
}

static long msg_set(struct ipc_namespace *ns, struct msg_queue_v *q, const struct msqid64_ds *d)
{
	long r;

	if (d->msg_qbytes > (unsigned long)ns->msg_mnb && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	r = sysv_change(&q->o, &d->msg_perm);
	if (r)
		return r;
	q->max_bytes = d->msg_qbytes;
	q->ctime = sysv_now();
	/* Other rights, more room. */
	look_again(&q->senders);
	look_again(&q->receivers);
	return 0;
}

static long msg_modify(struct ipc_namespace *ns, struct sysv_object *o, int cmd, const union sysv_ds *d)
{
	if (!sysv_owner(o))
		return -EPERM;
	if (cmd == IPC_SET)
		return msg_set(ns, to_msg(o), &d->msg);
	sysv_remove(ns, &msg_ops, o);
	return 0;
}

static const struct sysv_ops msg_ops = {
	.kind = SYSV_MSG, .ds_size = sizeof(struct msqid64_ds), .put = msg_unmake, .fill = msg_fill, .modify = msg_modify, .removed = msg_removed,
};

static long msg_limits(struct ipc_namespace *ns, int cmd, struct uptr buf)
{
	struct sysv_object *o;
	struct msginfo i;
	unsigned long x;
	int max;

	memset(&i, 0, sizeof(i));	/* its padding too */
	i.msgpool = MSGPOOL;
	i.msgmap = MSGMAP;
	i.msgmax = ns->msg_max;
	i.msgmnb = ns->msg_mnb;
	i.msgmni = ns->msg_mni;
	i.msgssz = MSGSSZ;
	i.msgtql = MSGTQL;
	i.msgseg = 0xffff;
	mutex_lock(&msg_ids(ns)->lock);
	if (cmd == MSG_INFO) {
		i.msgpool = (int)msg_ids(ns)->count;
		i.msgmap = i.msgtql = 0;
		xa_for_each(&msg_ids(ns)->objects, x, o) {
			i.msgmap += (int)to_msg(o)->count;
			i.msgtql += (int)to_msg(o)->bytes;
		}
	}
	max = sysv_max_index(msg_ids(ns));
	mutex_unlock(&msg_ids(ns)->lock);
	return copy_to_user(buf, &i, sizeof(i)) ? -EFAULT : max;
}

long msg_control(int id, int cmd, struct uptr buf)
{
	struct ipc_namespace *ns = current_ipc_ns();

	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO: case MSG_INFO: return msg_limits(ns, cmd, buf);
	case IPC_STAT: return sysv_stat(ns, &msg_ops, id, STAT_ID, buf);
	case MSG_STAT: return sysv_stat(ns, &msg_ops, id, STAT_INDEX, buf);
	case MSG_STAT_ANY: return sysv_stat(ns, &msg_ops, id, STAT_INDEX_ANY, buf);
	case IPC_SET: case IPC_RMID: return sysv_modify(ns, &msg_ops, id, cmd, buf);
	}
	return -EINVAL;
}

void msg_free_all(struct ipc_namespace *ns)
{
	sysv_destroy_all(ns, &msg_ops);
}

void msg_show(struct seq_file *m, struct ipc_namespace *ns)
{
	struct user_namespace *u = current_user_ns();
	struct sysv_object *o;
	unsigned long i;

	seq_puts(m, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n");
	mutex_lock(&msg_ids(ns)->lock);
	xa_for_each(&msg_ids(ns)->objects, i, o) {
		struct msg_queue_v *q = to_msg(o);

		seq_printf(m, "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10lld %10lld %10lld\n", o->key, o->id, o->mode, q->bytes,
			   q->count, q->lspid ? pid_vnr(q->lspid) : 0, q->lrpid ? pid_vnr(q->lrpid) : 0, from_kuid_munged(u, o->uid),
			   from_kgid_munged(u, o->gid), from_kuid_munged(u, o->cuid), from_kgid_munged(u, o->cgid), q->stime, q->rtime,
			   q->ctime);
	}
	mutex_unlock(&msg_ids(ns)->lock);
}
