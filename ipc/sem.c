// SPDX-License-Identifier: MIT
/*
 * System V semaphores. The operations of one semop are done together or not at all. What cannot be done yet waits in the set's
 * queue, and whoever changes the set does what has become possible, in order, on the waiters' behalf; a waiter that wakes finds
 * its result. So a value is never seen between the change and the waiter's turn.
 *
 * SEM_UNDO: a process keeps, for each set, what to add to each semaphore when it ends. The list of these may be shared
 * (CLONE_SYSVSEM). A set knows all undos for it, and frees them when it is removed: an undo in a list has a live set. An undo is under its set's lock, the list under its own. Lock order: set, list.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <proc/pid.h>
#include <proc/upcalls.h>
#include <sched/sched.h>
#include <vfs/fs.h>
#include <vfs/seq_file.h>
#include <abi/errno.h>
#include <linux/sched.h>
#include <linux/time.h>
#include "sysv_priv.h"

struct semaphore_v {
	int value;			/* 0 .. SEMVMX */
	struct pid *pid;		/* who changed it last */
};

struct sem_set {
	struct sysv_object o;		/* o.lock guards all of it */
	unsigned int n;			/* c */
	s64 otime, ctime;
	struct list_head waiting;	/* of struct sem_waiter, oldest first */
	struct list_head undos;		/* of struct sem_undo_v */
	struct semaphore_v sem[];
};

struct sem_waiter {
	struct list_head list;		/* o.lock; empty once it has a result */
	struct task *task;
	struct sembuf *ops;
	unsigned int n;
	struct sem_undo_v *undo;
	struct pid *pid;
	int result;			/* o.lock */
	int blocked_on;			/* index into ops */
};

struct undo_list {
	refcount_t refs;		/* tasks */
	spinlock_t lock;
	struct rb_root undos;		/* lock: by set */
	struct rcu_head rcu;		/* the remover of a set unlocks the list after the last undo is freed */
};

struct sem_undo_v {
	struct rb_node of_list;		/* list->lock */
	struct list_head of_set;	/* the set's lock */
	struct undo_list *list;		/* c */
	struct sem_set *set;		/* c */
	s16 adj[];			/* the set's lock */
};

#define to_sem(x) container_of(x, struct sem_set, o)
static const struct sysv_ops sem_ops;

static struct sysv_ids *sem_ids(struct ipc_namespace *ns) { return &ns->ids[SYSV_SEM]; }

static size_t set_size(unsigned long n)
{
	return sizeof(struct sem_set) + n * sizeof(struct semaphore_v);
}

static void sem_put(struct sem_set *s)
{
	if (!refcount_dec_and_test(&s->o.refs))
		return;
	for (unsigned int i = 0; i < s->n; i++)
		put_pid(s->sem[i].pid);
	sysv_free(s, set_size(s->n));
}

/* ---- doing operations; the set's lock held ---- */

static void touched(struct semaphore_v *s, struct pid *pid)
{
	put_pid(s->pid);
	s->pid = get_pid(pid);
}

/* 1: done. 0: not yet (*BLOCKED says which). -EAGAIN, -ERANGE. All or nothing. */
static int try_ops(struct sem_set *s, const struct sembuf *ops, unsigned int n, struct sem_undo_v *undo, struct pid *pid, int *blocked)
{
	unsigned int i;
	int r = 1;

	for (i = 0; i < n; i++) {
		struct semaphore_v *v = &s->sem[ops[i].sem_num];
		int next = v->value + ops[i].sem_op;

		if (ops[i].sem_op ? next < 0 : v->value != 0) {
			*blocked = (int)i;
			r = ops[i].sem_flg & IPC_NOWAIT ? -EAGAIN : 0;
			break;
		}
		if (next > SEMVMX) {
			r = -ERANGE;
			break;
		}
		if ((ops[i].sem_flg & SEM_UNDO) && undo) {
			int a = undo->adj[ops[i].sem_num] - ops[i].sem_op;

			if (a < -SEMAEM - 1 || a > SEMAEM) {
				r = -ERANGE;
				break;
			}
			undo->adj[ops[i].sem_num] = (s16)a;
		}
		v->value = next;
	}
	if (r == 1) {
		for (i = 0; i < n; i++)
			touched(&s->sem[ops[i].sem_num], pid);
		return 1;
	}
	while (i--) {
		s->sem[ops[i].sem_num].value -= ops[i].sem_op;
		if ((ops[i].sem_flg & SEM_UNDO) && undo)
			undo->adj[ops[i].sem_num] = (s16)(undo->adj[ops[i].sem_num] + ops[i].sem_op);
	}
	return r;
}

static void finish(struct sem_waiter *w, int result)
{
	struct task *t = w->task;

	get_task_struct(t);
	w->result = result;
	list_del_init(&w->list);
	smp_wmb();
	wake_up_process(t);
	put_task_struct(t);
}

static bool alters(const struct sembuf *ops, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (ops[i].sem_op)
			return true;
	return false;
}

/* The set changed: all that can be done now is. */
static void serve(struct sem_set *s)
{
	struct sem_waiter *w, *next;
	bool again;

	do {
		again = false;
		list_for_each_entry_safe(w, next, &s->waiting, list) {
			int r = try_ops(s, w->ops, w->n, w->undo, w->pid, &w->blocked_on);

			if (!r)
				continue;
			if (r == 1) {
				s->otime = sysv_now();
				again = alters(w->ops, w->n);
			}
			finish(w, r == 1 ? 0 : r);
			if (again)
				break;		/* whoever stands before may go now */
		}
	} while (again);
}

/* ---- undo ---- */

static struct undo_list *undo_list_of(struct task *t)
{
	struct undo_list *l = t->sysv_undo;

	if (l)
		return l;
	l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);
	if (!l)
		return NULL;
	refcount_set(&l->refs, 1);
	spin_lock_init(&l->lock);
	t->sysv_undo = l;
	return l;
}

static struct sem_undo_v *find_undo(struct undo_list *l, struct sem_set *s)
{
	struct rb_node *n = l->undos.node;

	while (n) {
		struct sem_undo_v *u = rb_entry(n, struct sem_undo_v, of_list);

		if (u->set == s)
			return u;
		n = s < u->set ? n->left : n->right;
	}
	return NULL;
}

static bool before(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct sem_undo_v, of_list)->set < rb_entry(b, struct sem_undo_v, of_list)->set;
}

/* The undo is in its list no more. The set's lock held. */
static void leave_list(struct sem_undo_v *u)
{
	struct undo_list *l = u->list;

	rcu_read_lock();
	spin_lock(&l->lock);
	rb_erase(&u->of_list, &l->undos);
	spin_unlock(&l->lock);
	rcu_read_unlock();
}

/* Makes the list's undo for the set, unless another task that shares the list was faster. 0, -ENOMEM, -EIDRM. */
static int make_undo(struct undo_list *l, struct sem_set *s)
{
	struct sem_undo_v *u = kvzalloc(sizeof(*u) + s->n * sizeof(s16), GFP_KERNEL_ACCOUNT);
	bool is_new;
	int r;

	if (!u)
		return -ENOMEM;
	u->set = s;
	u->list = l;
	r = sysv_lock(&s->o);
	if (r) {
		kvfree(u);
		return r;
	}
	spin_lock(&l->lock);
	is_new = !find_undo(l, s);
	if (is_new)
		rb_add(&u->of_list, &l->undos, before);
	spin_unlock(&l->lock);
	if (is_new)
		list_add(&u->of_set, &s->undos);
	mutex_unlock(&s->o.lock);
	if (!is_new)
		kvfree(u);
	return 0;
}

/* The caller's undo for the set, made if there is none. It is there until the set is removed. ERR_PTR. */
static struct sem_undo_v *get_undo(struct sem_set *s)
{
	struct undo_list *l = undo_list_of(current);
	struct sem_undo_v *u;
	int r;

	if (!l)
		return ERR_PTR(-ENOMEM);
	for (;;) {
		spin_lock(&l->lock);
		u = find_undo(l, s);
		spin_unlock(&l->lock);
		if (u)
			return u;
		r = make_undo(l, s);
		if (r)
			return ERR_PTR(r);
	}
}

/* The set's lock held. */
static void apply_undo(struct sem_set *s, struct sem_undo_v *u)
{
	struct pid *me = get_task_pid(current, PIDTYPE_TGID);

	leave_list(u);
	list_del(&u->of_set);
	for (unsigned int i = 0; i < s->n; i++) {
		if (!u->adj[i])
			continue;
		s->sem[i].value = clamp(s->sem[i].value + u->adj[i], 0, SEMVMX);
		touched(&s->sem[i], me);
	}
	s->otime = sysv_now();
	serve(s);
	put_pid(me);
	kvfree(u);
}

/* A set that the list has an undo for, referenced, or NULL. */
static struct sem_set *a_set_of(struct undo_list *l)
{
	struct sem_set *s = NULL;

	spin_lock(&l->lock);
	if (!RB_EMPTY_ROOT(&l->undos)) {
		s = rb_entry(l->undos.node, struct sem_undo_v, of_list)->set;
		refcount_inc(&s->o.refs);
	}
	spin_unlock(&l->lock);
	return s;
}

/* From fork: undos are the process's own, but for CLONE_SYSVSEM. */
int copy_sysv_undo(unsigned long flags, struct task *child)
{
	struct undo_list *l;

	child->sysv_undo = NULL;
	if (!(flags & CLONE_SYSVSEM))
		return 0;
	l = undo_list_of(current);
	if (!l)
		return -ENOMEM;
	refcount_inc(&l->refs);
	child->sysv_undo = l;
	return 0;
}

void exit_sysv_undo(struct task *t)
{
	struct undo_list *l = t->sysv_undo;
	struct sem_set *s;

	t->sysv_undo = NULL;
	if (!l || !refcount_dec_and_test(&l->refs))
		return;
	while ((s = a_set_of(l))) {
		/* If the set was removed meanwhile, the undo was freed with it. */
		if (!sysv_lock(&s->o)) {
			struct sem_undo_v *u;

			spin_lock(&l->lock);
			u = find_undo(l, s);
			spin_unlock(&l->lock);
			apply_undo(s, u);
			mutex_unlock(&s->o.lock);
		}
		sem_put(s);
		cond_resched();
	}
	kfree_rcu(l, rcu);
}

/* ---- semop ---- */

static struct sembuf *read_ops(struct uptr from, unsigned int n)
{
	struct sembuf *ops = kvmalloc_array(n, sizeof(*ops), GFP_KERNEL);

	if (!ops)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(ops, from, n * sizeof(*ops))) {
		kvfree(ops);
		return ERR_PTR(-EFAULT);
	}
	return ops;
}

static int check_ops(const struct sem_set *s, const struct sembuf *ops, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (ops[i].sem_num >= s->n)
			return -EFBIG;
	return sysv_permitted(&s->o, alters(ops, n) ? S_IWUGO : S_IRUGO) ? 0 : -EACCES;
}

/* The set's lock held, released. Waits until somebody served the waiter, or it is disturbed. */
static int wait_turn(struct sem_set *s, struct sem_waiter *w, s64 timeout_ns) __releases(s->o.lock)
{
	ktime_t until = timeout_ns >= 0 ? ktime_add_safe((ktime_t)ktime_get_ns(), timeout_ns) : 0;
	int r = 1;

	list_add_tail(&w->list, &s->waiting);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		mutex_unlock(&s->o.lock);
		if (!signal_pending(current) && READ_ONCE(w->result) == -EINTR)
			r = schedule_hrtimeout_until(timeout_ns >= 0 ? &until : NULL, CLOCK_MONOTONIC);
		__set_current_state(TASK_RUNNING);
		mutex_lock(&s->o.lock);
		if (list_empty(&w->list))
			break;
		if (!r || signal_pending(current)) {
			list_del(&w->list);
			w->result = !r ? -EAGAIN : -EINTR;
			break;
		}
	}
	mutex_unlock(&s->o.lock);
	return w->result;
}

static int do_ops(struct sem_set *s, struct sembuf *ops, unsigned int n, struct sem_undo_v *undo, s64 timeout_ns)
{
	struct sem_waiter w = { .task = current, .ops = ops, .n = n, .undo = undo, .result = -EINTR };
	int r = sysv_lock(&s->o);

	if (r)
		return r;
	r = check_ops(s, ops, n);
	if (r)
		goto out;
	w.pid = get_task_pid(current, PIDTYPE_TGID);
	r = try_ops(s, ops, n, undo, w.pid, &w.blocked_on);
	if (r == 1) {
		s->otime = sysv_now();
		if (alters(ops, n))
			serve(s);
		r = 0;
	} else if (!r) {
		r = wait_turn(s, &w, timeout_ns);
		put_pid(w.pid);
		return r;
	}
	put_pid(w.pid);
out:
	mutex_unlock(&s->o.lock);
	return r;
}

long sem_op(int id, struct uptr uops, unsigned int n, s64 timeout_ns)
{
	struct ipc_namespace *ns = current_ipc_ns();
	struct sem_undo_v *undo = NULL;
	struct sysv_object *o;
	struct sembuf *ops;
	bool wants_undo = false;
	long r;

	if (n < 1 || id < 0)
		return -EINVAL;
	if (n > (unsigned int)ns->sem[2])
		return -E2BIG;
	ops = read_ops(uops, n);
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	for (unsigned int i = 0; i < n; i++)
		wants_undo |= ops[i].sem_flg & SEM_UNDO;
	o = sysv_get(sem_ids(ns), id);
	if (IS_ERR(o)) {
		r = PTR_ERR(o);
		goto free;
	}
	if (wants_undo)
		undo = get_undo(to_sem(o));
	r = IS_ERR(undo) ? PTR_ERR(undo) : do_ops(to_sem(o), ops, n, undo, timeout_ns);
	sem_put(to_sem(o));
free:
	kvfree(ops);
	return r;
}

/* ---- making and control ---- */

static struct sysv_object *sem_make(struct ipc_namespace *ns, unsigned long n, int key, int flags)
{
	struct sem_set *s;

	if (!n)
		return ERR_PTR(-EINVAL);
	if ((u64)ns->sem_total + n > (u64)max(ns->sem[1], 0))
		return ERR_PTR(-ENOSPC);
	s = sysv_alloc(set_size(n), __GFP_ZERO);
	if (!s)
		return ERR_PTR(-ENOMEM);
	refcount_set(&s->o.refs, 1);
	mutex_init(&s->o.lock);
	s->n = (unsigned int)n;
	s->ctime = sysv_now();
	INIT_LIST_HEAD(&s->waiting);
	INIT_LIST_HEAD(&s->undos);
	return &s->o;
}

static int sem_fits(struct sysv_object *o, unsigned long n) { return n > to_sem(o)->n ? -EINVAL : 0; }
static void sem_unmake(struct sysv_object *o) { sem_put(to_sem(o)); }
static void sem_added(struct ipc_namespace *ns, struct sysv_object *o) { ns->sem_total += (int)to_sem(o)->n; }

long sem_get(int key, int nsems, int flags)
{
	struct ipc_namespace *ns = current_ipc_ns();
	struct sysv_maker m = {
		.ids = sem_ids(ns), .make = sem_make, .fits = sem_fits, .free = sem_unmake, .added = sem_added,
		.max = (unsigned int)ns->sem[3], .arg = (unsigned long)nsems,
	};

	if (nsems < 0 || nsems > ns->sem[0])
		return -EINVAL;
	return sysv_obtain(ns, &m, key, flags);
}

static void sem_removed(struct ipc_namespace *ns, struct sysv_object *o)
{
	struct sem_set *s = to_sem(o);
	struct sem_undo_v *u, *un;
	struct sem_waiter *w, *wn;

	ns->sem_total -= (int)s->n;
	list_for_each_entry_safe(w, wn, &s->waiting, list)
		finish(w, -EIDRM);
	list_for_each_entry_safe(u, un, &s->undos, of_set) {
		leave_list(u);
		list_del(&u->of_set);
		kvfree(u);
	}
}

static void forget_undo(struct sem_set *s, unsigned int i)
{
	struct sem_undo_v *u;

	list_for_each_entry(u, &s->undos, of_set)
		u->adj[i] = 0;
}

static int count_waiting(struct sem_set *s, unsigned int num, bool for_zero)
{
	struct sem_waiter *w;
	int n = 0;

	list_for_each_entry(w, &s->waiting, list) {
		const struct sembuf *op = &w->ops[w->blocked_on];

		n += op->sem_num == num && (op->sem_op == 0) == for_zero;
	}
	return n;
}

/* One semaphore: GETVAL, GETPID, GETNCNT, GETZCNT, SETVAL. Locked. */
static long one(struct sem_set *s, int num, int cmd, int value)
{
	struct semaphore_v *v;
	struct pid *me;

	if (!sysv_permitted(&s->o, cmd == SETVAL ? S_IWUGO : S_IRUGO))
		return -EACCES;
	if (num < 0 || (unsigned int)num >= s->n)
		return -EINVAL;
	v = &s->sem[num];
	switch (cmd) {
	case GETVAL: return v->value;
	case GETPID: return v->pid ? pid_vnr(v->pid) : 0;
	case GETNCNT: return count_waiting(s, (unsigned int)num, false);
	case GETZCNT: return count_waiting(s, (unsigned int)num, true);
	}
	if (value < 0 || value > SEMVMX)
		return -ERANGE;
	me = get_task_pid(current, PIDTYPE_TGID);
	forget_undo(s, (unsigned int)num);
	v->value = value;
	touched(v, me);
	put_pid(me);
	s->ctime = sysv_now();
	serve(s);
	return 0;
}

static long all(struct sem_set *s, int cmd, struct uptr array)
{
	u16 *v = kvmalloc_array(s->n, sizeof(*v), GFP_KERNEL);
	struct pid *me;
	long r = -EFAULT;

	if (!v)
		return -ENOMEM;
	if (cmd == SETALL) {
		if (copy_from_user(v, array, s->n * sizeof(*v)))
			goto free;
		r = -ERANGE;
		for (unsigned int i = 0; i < s->n; i++)
			if (v[i] > SEMVMX)
				goto free;
	}
	r = sysv_lock(&s->o);
	if (r)
		goto free;
	r = sysv_permitted(&s->o, cmd == SETALL ? S_IWUGO : S_IRUGO) ? 0 : -EACCES;
	if (!r && cmd == SETALL) {
		me = get_task_pid(current, PIDTYPE_TGID);
		for (unsigned int i = 0; i < s->n; i++) {
			forget_undo(s, i);
			s->sem[i].value = v[i];
			touched(&s->sem[i], me);
		}
		put_pid(me);
		s->ctime = sysv_now();
		serve(s);
	} else if (!r) {
		for (unsigned int i = 0; i < s->n; i++)
			v[i] = (u16)s->sem[i].value;
	}
	mutex_unlock(&s->o.lock);
	if (!r && cmd == GETALL && copy_to_user(array, v, s->n * sizeof(*v)))
		r = -EFAULT;
free:
	kvfree(v);
	return r;
}

static long values(struct ipc_namespace *ns, int id, int num, int cmd, unsigned long arg)
{
	struct sysv_object *o = sysv_get(sem_ids(ns), id);
	long r;

	if (IS_ERR(o))
		return PTR_ERR(o);
	if (cmd == GETALL || cmd == SETALL) {
		r = all(to_sem(o), cmd, UPTR(arg));
	} else {
		r = sysv_lock(o);
		if (!r) {
			r = one(to_sem(o), num, cmd, (int)arg);
			mutex_unlock(&o->lock);
		}
	}
	sem_put(to_sem(o));
	return r;
}

static void sem_fill(union sysv_ds *d, const struct sysv_object *o)
{
	const struct sem_set *s = to_sem(o);

	d->sem.sem_otime = s->otime;
	d->sem.sem_ctime = s->ctime;
	d->sem.sem_nsems = s->n;
}

static long sem_modify(struct ipc_namespace *ns, struct sysv_object *o, int cmd, const union sysv_ds *d)
{
	long r;

	if (!sysv_owner(o))
		return -EPERM;
	if (cmd == IPC_RMID) {
		sysv_remove(ns, &sem_ops, o);
		return 0;
	}
	r = sysv_change(o, &d->perm);
	if (!r)
		to_sem(o)->ctime = sysv_now();
	return r;
}

static const struct sysv_ops sem_ops = {
	.kind = SYSV_SEM, .ds_size = sizeof(struct semid64_ds), .put = sem_unmake, .fill = sem_fill, .modify = sem_modify, .removed = sem_removed,
};

static long sem_limits(struct ipc_namespace *ns, int cmd, struct uptr buf)
{
	struct seminfo i = {
		.semmap = SEMMAP, .semmni = ns->sem[3], .semmns = ns->sem[1], .semmnu = SEMMNU, .semmsl = ns->sem[0], .semopm = ns->sem[2],
		.semume = SEMUME, .semusz = SEMUSZ, .semvmx = SEMVMX, .semaem = SEMAEM,
	};
	int max;

	mutex_lock(&sem_ids(ns)->lock);
	if (cmd == SEM_INFO) {
		i.semusz = (int)sem_ids(ns)->count;
		i.semaem = ns->sem_total;
	}
	max = sysv_max_index(sem_ids(ns));
	mutex_unlock(&sem_ids(ns)->lock);
	return copy_to_user(buf, &i, sizeof(i)) ? -EFAULT : max;
}

long sem_control(int id, int num, int cmd, unsigned long arg)
{
	struct ipc_namespace *ns = current_ipc_ns();

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO: case SEM_INFO: return sem_limits(ns, cmd, UPTR(arg));
	case IPC_STAT: return sysv_stat(ns, &sem_ops, id, STAT_ID, UPTR(arg));
	case SEM_STAT: return sysv_stat(ns, &sem_ops, id, STAT_INDEX, UPTR(arg));
	case SEM_STAT_ANY: return sysv_stat(ns, &sem_ops, id, STAT_INDEX_ANY, UPTR(arg));
	case GETALL: case SETALL: case GETVAL: case GETPID: case GETNCNT: case GETZCNT: case SETVAL:
		return values(ns, id, num, cmd, arg);
	case IPC_SET: case IPC_RMID: return sysv_modify(ns, &sem_ops, id, cmd, UPTR(arg));
	}
	return -EINVAL;
}

void sem_free_all(struct ipc_namespace *ns)
{
	sysv_destroy_all(ns, &sem_ops);
}

void sem_show(struct seq_file *m, struct ipc_namespace *ns)
{
	struct user_namespace *u = current_user_ns();
	struct sysv_object *o;
	unsigned long i;

	seq_puts(m, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
	mutex_lock(&sem_ids(ns)->lock);
	xa_for_each(&sem_ids(ns)->objects, i, o)
		seq_printf(m, "%10d %10d  %4o %10u %5u %5u %5u %5u %10lld %10lld\n", o->key, o->id, o->mode, to_sem(o)->n,
			   from_kuid_munged(u, o->uid), from_kgid_munged(u, o->gid), from_kuid_munged(u, o->cuid),
			   from_kgid_munged(u, o->cgid), to_sem(o)->otime, to_sem(o)->ctime);
	mutex_unlock(&sem_ids(ns)->lock);
}
