// SPDX-License-Identifier: MIT
/*
 * System V message queues. A message is copied in before the queue is locked, and out after it was taken: no copy is made under the
 * lock. Who finds no room, or no message of his type, sleeps on the queue's wait queue and looks again after each change.
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
	wait_queue_head_t wait;		/* senders and receivers */
	unsigned long bytes, count, max_bytes;
	s64 stime, rtime, ctime;
	struct pid *lspid, *lrpid;
};

#define to_msg(x) container_of(x, struct msg_queue_v, o)
static const struct sysv_ops msg_ops;

static struct sysv_ids *msg_ids(struct ipc_namespace *ns) { return &ns->ids[SYSV_MSG]; }

static void msg_put(struct msg_queue_v *q)
{
	struct message *m, *n;

	if (!refcount_dec_and_test(&q->o.refs))
		return;
	list_for_each_entry_safe(m, n, &q->messages, list)
		kvfree(m);
	put_pid(q->lspid);
	put_pid(q->lrpid);
	kfree(q);
}

static void set_pid(struct pid **p)
{
	put_pid(*p);
	*p = get_task_pid(current, PIDTYPE_TGID);
}

/* ---- making ---- */

static struct sysv_object *msg_make(struct ipc_namespace *ns, unsigned long arg, int key, int flags)
{
	struct msg_queue_v *q = kzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);

	if (!q)
		return ERR_PTR(-ENOMEM);
	refcount_set(&q->o.refs, 1);
	mutex_init(&q->o.lock);
	INIT_LIST_HEAD(&q->messages);
	init_waitqueue_head(&q->wait);
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
	m = kvmalloc(sizeof(*m) + size, GFP_KERNEL_ACCOUNT);
	if (!m)
		return ERR_PTR(-ENOMEM);
	m->type = type;
	m->size = size;
	if (copy_from_user(m->text, uptr_add(from, sizeof(long)), size)) {
		kvfree(m);
		return ERR_PTR(-EFAULT);
	}
	return m;
}

static bool has_room(const struct msg_queue_v *q, size_t size)
{
	return size + q->bytes <= q->max_bytes && q->count + 1 <= q->max_bytes;
}

/* Unlocks, sleeps until the queue changes, locks again. 0, -EIDRM (not locked then), -ERESTARTNOHAND (the same). */
static int wait_change(struct msg_queue_v *q)
{
	DEFINE_WAIT(w);

	prepare_to_wait(&q->wait, &w, TASK_INTERRUPTIBLE);
	mutex_unlock(&q->o.lock);
	if (!signal_pending(current))
		schedule();
	finish_wait(&q->wait, &w);
	if (sysv_lock(&q->o))
		return -EIDRM;
	if (!signal_pending(current))
		return 0;
	mutex_unlock(&q->o.lock);
	return -ERESTARTNOHAND;
}

/* Takes over the message when 0. */
static long put_message(struct msg_queue_v *q, struct message *m, int flags)
{
	int r = sysv_lock(&q->o);

	if (r)
		return r;
	for (;;) {
		r = sysv_permitted(&q->o, S_IWUGO) ? 0 : -EACCES;
		if (r)
			break;
		if (has_room(q, m->size)) {
			list_add_tail(&m->list, &q->messages);
			q->bytes += m->size;
			q->count++;
			q->stime = sysv_now();
			set_pid(&q->lspid);
			wake_up_all(&q->wait);
			break;
		}
		r = -EAGAIN;
		if (flags & IPC_NOWAIT)
			break;
		r = wait_change(q);
		if (r)
			return r;
	}
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
		kvfree(m);
	if (!IS_ERR(o))
		msg_put(to_msg(o));
	return r;
}

/* ---- receiving ---- */

/* The message that TYPE asks for (msgrcv(2)), or NULL. */
static struct message *choose(struct msg_queue_v *q, long type, int flags)
{
	struct message *m, *best = NULL;
	long limit = type == LONG_MIN ? LONG_MAX : -type;

	list_for_each_entry(m, &q->messages, list) {
		if (!type)
			return m;
		if (type > 0) {
			if ((m->type == type) != !!(flags & MSG_EXCEPT))
				return m;
		} else if (m->type <= limit && (!best || m->type < best->type)) {
			best = m;
		}
	}
	return best;
}

static struct message *take_message(struct msg_queue_v *q, size_t size, long type, int flags)
{
	struct message *m;
	int r = sysv_lock(&q->o);

	if (r)
		return ERR_PTR(r);
	for (;;) {
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
			set_pid(&q->lrpid);
			wake_up_all(&q->wait);
			mutex_unlock(&q->o.lock);
			return m;
		}
		r = -ENOMSG;
		if (flags & IPC_NOWAIT)
			break;
		r = wait_change(q);
		if (r)
			return ERR_PTR(r);
	}
	mutex_unlock(&q->o.lock);
	return ERR_PTR(r);
}

/* MSG_COPY: the message at place TYPE stays where it is. */
static struct message *copy_message(struct msg_queue_v *q, size_t size, long place)
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
			copy = kvmalloc(sizeof(*m) + m->size, GFP_KERNEL);
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
	m = flags & MSG_COPY ? copy_message(to_msg(o), size, type) : take_message(to_msg(o), size, type, flags);
	msg_put(to_msg(o));
	if (IS_ERR(m))
		return PTR_ERR(m);
	n = min(size, m->size);
	r = put_user(m->type, to) || copy_to_user(uptr_add(to, sizeof(long)), m->text, n) ? -EFAULT : (long)n;
	kvfree(m);
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
	wake_up_all(&to_msg(o)->wait);
}

static long msg_set(struct ipc_namespace *ns, struct msg_queue_v *q, const struct msqid64_ds *d)
{
	long r;

	if (d->msg_qbytes > (unsigned long)ns->msg_mnb && !ns_capable(ns->user_ns, CAP_SYS_RESOURCE))
		return -EPERM;
	r = sysv_change(&q->o, &d->msg_perm);
	if (r)
		return r;
	q->max_bytes = d->msg_qbytes;
	q->ctime = sysv_now();
	wake_up_all(&q->wait);
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
	struct msginfo i = {
		.msgpool = MSGPOOL, .msgmap = MSGMAP, .msgmax = ns->msg_max, .msgmnb = ns->msg_mnb, .msgmni = ns->msg_mni, .msgssz = MSGSSZ,
		.msgtql = MSGTQL, .msgseg = 0xffff,
	};
	struct sysv_object *o;
	unsigned long x;
	int max;

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
