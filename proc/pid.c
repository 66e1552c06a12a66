// SPDX-License-Identifier: MIT
/*
 * Process ids: numbers per namespace in a sparse array, read under RCU. A struct pid lives while somebody holds it or a task is
 * attached; its numbers are given up when the last task is detached (free_pid), so a number is never reused while it names
 * a group or session.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <alloc/slab.h>
#include <alloc/xarray.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <linux/capability.h>
#include <lib/string.h>
#include <lib/format.h>
#include <kernel/show.h>
#include <proc/ns.h>
#include <proc/ns_count.h>
#include <proc/pid.h>
#include <proc/proc_priv.h>
#include <proc/signal.h>
#include <abi/errno.h>
#include <linux/sched.h>

#define RESERVED_PIDS 300

#define PIDFD_ENDED 0x0041	/* EPOLLIN | EPOLLRDNORM */

struct pid_index {
	struct xarray xa;
	u32 next;
};

static struct pid_index init_pid_index = { .xa = XARRAY_INIT(init_pid_index.xa, XA_FLAGS_ALLOC) };
struct pid_namespace init_pid_ns = {
	.refs = REFCOUNT_INIT(2), .user_ns = &init_user_ns, .ino = 0xEFFFFFFCU, .pid_max = 32768,
	.index = &init_pid_index, .child_reaper = RCU_INITIALIZER(&init_task),
};
DEFINE_RWLOCK(tasklist_lock);
static u64 last_pid_ino;
static struct kmem_cache *pid_cache;		/* of level 0; deeper ones are kmalloc'ed */

static void tell_pidfd(struct work_struct *w)
{
	struct pid *p = container_of(w, struct pid, tell_pidfd);

	__wake_up(&p->wait_pidfd, TASK_NORMAL, 0, poll_to_key(PIDFD_ENDED));
	put_pid(p);
}

/* tasklist_lock held for writing. */
void pid_tell_end(struct pid *p)
{
	/* The barrier in wq_has_sleeper() pairs with poll_wait()'s: the end is noted before the look at the queue. */
	if (likely(!wq_has_sleeper(&p->wait_pidfd)) || wake_up_few(&p->wait_pidfd, TASK_NORMAL, poll_to_key(PIDFD_ENDED)))
		return;
	if (!p->tell_pidfd.func)
		INIT_WORK(&p->tell_pidfd, tell_pidfd);
	get_pid(p);
	if (!queue_work(system_unbound_wq, &p->tell_pidfd))
		put_pid(p);
}

static struct pid *pid_new(unsigned int level)
{
	struct pid *p = level ? kzalloc(sizeof(*p) + (level + 1) * sizeof(struct upid), GFP_KERNEL) :
		kmem_cache_zalloc(pid_cache, GFP_KERNEL);

	if (!p)
		return NULL;
	refcount_set(&p->count, 1);
	p->level = level;
	spin_lock_init(&p->lock);
	INIT_HLIST_HEAD(&p->inodes);
	INIT_LIST_HEAD(&p->orphan);
	init_waitqueue_head(&p->wait_pidfd);
	p->ino = __atomic_add_fetch(&last_pid_ino, 1, __ATOMIC_RELAXED);
	return p;
}

static void pid_free(struct pid *p)
{
	struct pid_namespace *ns = p->numbers[p->level].ns;

	if (p->level)
		kfree(p);
	else
		kmem_cache_free(pid_cache, p);
	put_pid_ns(ns);
}

static void pid_free_rcu(struct rcu_head *h)
{
	pid_free(container_of(h, struct pid, rcu));
}

void put_pid(struct pid *p)
{
	if (p && refcount_dec_and_test(&p->count))
		call_rcu(&p->rcu, pid_free_rcu);
}

static void erase_numbers(struct pid *p, int from_level)
{
	for (int i = from_level; i <= (int)p->level; i++) {
		struct pid_namespace *ns = p->numbers[i].ns;

		xa_erase(&ns->index->xa, (unsigned long)p->numbers[i].nr);
		/* The namespace's init sleeps until it is alone. */
		if (__atomic_sub_fetch(&ns->pid_allocated, 1, __ATOMIC_SEQ_CST) <= 2) {
			struct task *init;

			rcu_read_lock();
			init = rcu_dereference(ns->child_reaper);
			if (init)
				wake_up_process(init);
			rcu_read_unlock();
		}
	}
}

void free_pid(struct pid *p)
{
	erase_numbers(p, 0);
	put_pid(p);
}

/* clone3(2), set_tid: the number that was asked for in N. Each namespace's own administrator gives its numbers away. */
static int take_number(struct pid_namespace *n, u32 nr, struct pid *p)
{
	int e;

	if (nr >= (u32)n->pid_max || (nr != 1 && !n->child_reaper))
		return -EINVAL;
	if (!checkpoint_restore_ns_capable(n->user_ns))
		return -EPERM;
	e = xa_insert(&n->index->xa, nr, p, GFP_KERNEL);
	return e == -EBUSY ? -EEXIST : e;
}

/* The next free number in N. A namespace without an init gives out number 1 alone, however often a fork has failed: to its init. */
static int next_number(struct pid_namespace *n, u32 *nr, struct pid *p)
{
	u32 low = n->index->next > RESERVED_PIDS ? RESERVED_PIDS : 1;
	int e;

	if (unlikely(!rcu_access_pointer(n->child_reaper))) {
		*nr = 1;
		e = xa_insert(&n->index->xa, 1, p, GFP_KERNEL);
		return e == -EBUSY ? -ENOMEM : e;		/* another task is making the init */
	}
	e = xa_alloc_cyclic(&n->index->xa, nr, p, (struct xa_limit){ .max = (u32)n->pid_max - 1, .min = low }, &n->index->next, GFP_KERNEL);
	return e == -EBUSY || e == -ENOSPC ? -EAGAIN : e;
}

bool pid_ns_is_dying(const struct pid_namespace *ns)
{
	for (; ns; ns = ns->parent)
		if (READ_ONCE(ns->dying))
			return true;
	return false;
}

struct pid *alloc_pid(struct pid_namespace *ns, const int *set_tid, size_t set_tid_size)
{
	struct pid_namespace *n = ns;
	int e = -ENOMEM;
	struct pid *p;

	if (set_tid_size > ns->level + 1)
		return ERR_PTR(-EINVAL);
	p = pid_new(ns->level);
	if (!p)
		return ERR_PTR(-ENOMEM);
	get_pid_ns(ns);
	p->numbers[ns->level].ns = ns;
	for (int i = (int)ns->level; i >= 0; i--, n = n->parent) {
		u32 nr = 0;

		if (set_tid_size) {
			nr = (u32)*set_tid++;
			set_tid_size--;
			e = take_number(n, nr, p);
		} else {
			e = next_number(n, &nr, p);
		}
		if (e < 0) {
			erase_numbers(p, i + 1);
			goto fail;
		}
		p->numbers[i] = (struct upid){ (int)nr, n };
		__atomic_add_fetch(&n->pid_allocated, 1, __ATOMIC_SEQ_CST);
		WRITE_ONCE(n->last_pid, (int)nr);
	}
	if (pid_ns_is_dying(ns)) {
		erase_numbers(p, 0);
		e = -ENOMEM;		/* what fork(2) says of a namespace whose init has ended */
		goto fail;
	}
	return p;
fail:
	put_pid(p);		/* some of its numbers could be looked up already */
	return ERR_PTR(e);
}

struct pid *find_pid_ns(int nr, struct pid_namespace *ns)
{
	return nr > 0 ? xa_load(&ns->index->xa, (unsigned long)nr) : NULL;
}

struct pid *find_vpid(int nr)
{
	return find_pid_ns(nr, task_active_pid_ns(current));
}

struct pid *find_get_pid(int nr)
{
	struct pid *p;

	rcu_read_lock();
	p = find_vpid(nr);
	if (p && !refcount_inc_not_zero(&p->count))
		p = NULL;
	rcu_read_unlock();
	return p;
}

struct pid *find_ge_pid(unsigned int *nr, struct pid_namespace *ns)
{
	unsigned long i = *nr;
	struct pid *p = xa_find(&ns->index->xa, &i, (unsigned long)ns->pid_max, XA_PRESENT);

	*nr = (unsigned int)i;
	return p;
}

#define PIDS_AT_ONCE 64		/* numbers in one read section: most may be those of threads */

struct task *next_process(struct pid_namespace *ns, unsigned int *nr)
{
	struct task *t = NULL;
	struct pid *pid;

	rcu_read_lock();
	for (unsigned int n = 1; (pid = find_ge_pid(nr, ns)); n++, ++*nr) {
		t = get_pid_task(pid, PIDTYPE_TGID);
		if (t)
			break;
		if (n % PIDS_AT_ONCE)
			continue;
		rcu_read_unlock();
		cond_resched();
		rcu_read_lock();
	}
	rcu_read_unlock();
	return t;
}

struct task *pid_task(struct pid *pid, enum pid_type type)
{
	struct hlist_node *n = pid ? rcu_dereference_untyped(pid->tasks[type].first) : NULL;

	return n ? hlist_entry(n, struct task, pid_links[type]) : NULL;
}

struct task *get_pid_task(struct pid *pid, enum pid_type type)
{
	struct task *t;

	rcu_read_lock();
	t = pid_task(pid, type);
	if (t && !refcount_inc_not_zero(&t->usage))
		t = NULL;
	rcu_read_unlock();
	return t;
}

struct task *find_task_by_vpid(int nr)
{
	return pid_task(find_vpid(nr), PIDTYPE_PID);
}

struct task *find_get_task_by_vpid(int nr)
{
	struct task *t;

	rcu_read_lock();
	t = find_task_by_vpid(nr);
	if (t && !refcount_inc_not_zero(&t->usage))
		t = NULL;
	rcu_read_unlock();
	return t;
}

struct pid *task_pid_type(struct task *t, enum pid_type type)
{
	if (type == PIDTYPE_PID)
		return rcu_dereference(t->thread_pid);
	return t->signal ? rcu_dereference(t->signal->pids[type]) : NULL;
}

struct pid *get_task_pid(struct task *t, enum pid_type type)
{
	struct pid *p;

	rcu_read_lock();
	p = task_pid_type(t, type);
	if (p && !refcount_inc_not_zero(&p->count))
		p = NULL;
	rcu_read_unlock();
	return p;
}

/*
 * tasklist_lock held for writing, as in all that changes a group. A large group has a tree of its processes, so that who looks at them some at a time finds
 * the next one; it is made when the group becomes large, and forgotten when it is half of that.
 */
static u64 last_group_stamp;

static void group_tree_add(struct pid *pgrp, struct signal_struct *s)
{
	struct rb_node *parent = NULL, **link = &pgrp->group.node;

	while (*link) {
		parent = *link;
		link = s->group_stamp > rb_entry(parent, struct signal_struct, group_node)->group_stamp ? &parent->right : &parent->left;
	}
	rb_link_node(&s->group_node, parent, link);
	rb_insert_color(&s->group_node, &pgrp->group);
}

static noinline void large_group_grows(struct pid *pgrp, struct signal_struct *s)
{
	struct task *t;

	if (pgrp->group_has_tree) {
		group_tree_add(pgrp, s);
		return;
	}
	pgrp->group_has_tree = true;
	do_each_pid_task(pgrp, PIDTYPE_PGID, t)
		group_tree_add(pgrp, t->signal);
}

/* S is on the list of the group's processes. */
static void join_group(struct signal_struct *s, struct pid *pgrp)
{
	s->group_stamp = ++last_group_stamp;
	if (unlikely(++pgrp->group_size > GROUP_MOST) || unlikely(pgrp->group_has_tree))
		large_group_grows(pgrp, s);
}

static void leave_group(struct signal_struct *s, struct pid *pgrp)
{
	pgrp->group_size--;
	if (likely(!pgrp->group_has_tree))
		return;
	rb_erase(&s->group_node, &pgrp->group);
	if (pgrp->group_size <= GROUP_MOST / 2) {
		pgrp->group_has_tree = false;
		pgrp->group = RB_ROOT;
	}
}

/* tasklist_lock held: the first process that joined after STAMP. */
static struct signal_struct *group_after(struct pid *pgrp, u64 stamp)
{
	struct signal_struct *found = NULL, *s;
	struct task *t;

	for (struct rb_node *n = pgrp->group.node; n;) {
		s = rb_entry(n, struct signal_struct, group_node);
		if (s->group_stamp > stamp) {
			found = s;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	if (pgrp->group_has_tree)
		return found;
	do_each_pid_task(pgrp, PIDTYPE_PGID, t)
		if (t->signal->group_stamp > stamp && (!found || t->signal->group_stamp < found->group_stamp))
			found = t->signal;
	return found;
}

atomic_t holds_of_all;

void pid_hold(struct pid *pid)
{
	atomic_inc(&holds_of_all);
	atomic_inc(&pid->holds);
}

void pid_let_go(struct pid *pid)
{
	atomic_dec(&holds_of_all);
	if (atomic_dec_and_test(&pid->holds))
		wake_up_all(&pid->wait_pidfd);
}

void for_group(struct pid *pgrp, enum for_group (*fn)(struct task *leader, void *arg), void *arg)
{
	bool large, held = false;
	struct signal_struct *s;
	u64 end, after = 0;
	unsigned int n = 0;

	rcu_read_lock();
	read_lock(&tasklist_lock);
	large = pgrp->group_size > GROUP_MOST;
	end = last_group_stamp;
	while ((s = group_after(pgrp, after)) && s->group_stamp <= end) {
		struct task *t = pid_task(rcu_dereference(s->pids[PIDTYPE_TGID]), PIDTYPE_TGID);
		enum for_group next = likely(t) ? fn(t, arg) : GO_ON;	/* the kernel's own group has an idle task, which no number finds */

		if (next == ENOUGH)
			break;
		after = s->group_stamp;
		if (next == GO_ON_HELD && large && !held) {
			held = true;
			end = last_group_stamp;
			pid_hold(pgrp);
		}
		if (++n % GROUP_MOST)
			continue;
		read_unlock(&tasklist_lock);
		rcu_read_unlock();
		cond_resched();
		rcu_read_lock();
		read_lock(&tasklist_lock);
	}
	read_unlock(&tasklist_lock);
	rcu_read_unlock();
	if (held)
		pid_let_go(pgrp);
}

bool __pid_is_held(struct task *t, struct hold *h)
{
	struct pid *pgrp = task_pid_type(t, PIDTYPE_PGID), *session = task_pid_type(t, PIDTYPE_SID);

	h->pid = NULL;
	if (unlikely(pgrp && atomic_read(&pgrp->holds)))
		h->pid = get_pid(pgrp);
	else if (unlikely(session && atomic_read(&session->holds)))
		h->pid = get_pid(session);
	h->is = h->pid;
	return h->is;
}

bool __task_is_held(struct task *t, struct hold *h)
{
	if (!__pid_is_held(t, h))
		h->is = everybody_held(t, &h->walk);
	return h->is;
}

int hold_wait(struct hold *h)
{
	int e;

	if (h->pid) {
		e = wait_event_interruptible(h->pid->wait_pidfd, !atomic_read(&h->pid->holds));
		put_pid(h->pid);
	} else {
		e = wait_for_everybody(h->walk);
	}
	h->is = false;
	return e ? -ERESTARTNOINTR : 0;
}

static __always_inline void link_pid(struct task *t, enum pid_type type, struct pid *p)
{
	hlist_add_head_rcu(&t->pid_links[type], &p->tasks[type]);
	if (type == PIDTYPE_PGID)
		join_group(t->signal, p);
	else if (type == PIDTYPE_SID)
		p->session_size++;
}

/* The pid that nobody is attached to any more, for free_pid() without the lock; else NULL. */
static __always_inline struct pid *unlink_pid(struct task *t, enum pid_type type, struct pid *p)
{
	hlist_del_rcu(&t->pid_links[type]);
	if (type == PIDTYPE_PGID)
		leave_group(t->signal, p);
	else if (type == PIDTYPE_SID)
		p->session_size--;
	for (int i = PIDTYPE_MAX; --i >= 0;)
		if (!hlist_empty(&p->tasks[i]))
			return NULL;
	return p;
}

/* tasklist_lock held for writing, here and below. */
void attach_pid(struct task *t, enum pid_type type)
{
	struct pid *p = task_pid_type(t, type);

	if (type == PIDTYPE_PGID)
		link_pid(t, PIDTYPE_PGID, p);
	else if (type == PIDTYPE_SID)
		link_pid(t, PIDTYPE_SID, p);
	else
		link_pid(t, type, p);
}

void attach_pids(struct task *t)
{
	struct pid *pgrp = task_pid_type(t, PIDTYPE_PGID), *session = task_pid_type(t, PIDTYPE_SID);

	/* Either may be missing: process 1 starts with neither, and a child of it may make itself a group only. */
	if (pgrp)
		link_pid(t, PIDTYPE_PGID, pgrp);
	if (session)
		link_pid(t, PIDTYPE_SID, session);
	link_pid(t, PIDTYPE_TGID, task_pid_type(t, PIDTYPE_TGID));
}

struct pid *change_pid(struct task *t, enum pid_type type, struct pid *n)
{
	struct pid *p = task_pid_type(t, type), *gone = NULL;

	rcu_assign_pointer(t->signal->pids[type], n);
	if (type == PIDTYPE_PGID) {
		gone = p ? unlink_pid(t, PIDTYPE_PGID, p) : NULL;
		link_pid(t, PIDTYPE_PGID, n);
	} else {
		gone = p ? unlink_pid(t, PIDTYPE_SID, p) : NULL;
		link_pid(t, PIDTYPE_SID, n);
	}
	return gone;
}

static __always_inline struct pid *detach_pid(struct task *t, enum pid_type type)
{
	struct signal_struct *s = t->signal;
	struct pid *p = rcu_access_pointer(s->pids[type]);

	RCU_INIT_POINTER(s->pids[type], NULL);
	return p ? unlink_pid(t, type, p) : NULL;
}

void detach_pids(struct task *t, bool leader, struct pid *gone[PIDTYPE_MAX])
{
	struct pid *own = task_own_pid(t);

	if (leader) {
		gone[PIDTYPE_PGID] = detach_pid(t, PIDTYPE_PGID);
		gone[PIDTYPE_SID] = detach_pid(t, PIDTYPE_SID);
		gone[PIDTYPE_TGID] = detach_pid(t, PIDTYPE_TGID);
	}
	rcu_assign_pointer(t->thread_pid, NULL);
	gone[PIDTYPE_PID] = unlink_pid(t, PIDTYPE_PID, own);
}

int pid_nr_ns(const struct pid *pid, const struct pid_namespace *ns)
{
	if (pid && ns->level <= pid->level && pid->numbers[ns->level].ns == ns)
		return pid->numbers[ns->level].nr;
	return 0;
}

int pid_vnr(const struct pid *pid)
{
	return pid_nr_ns(pid, task_active_pid_ns(current));
}

pid_t task_pid_nr_type(struct task *t, enum pid_type type, struct pid_namespace *ns)
{
	pid_t nr;

	rcu_read_lock();
	nr = pid_nr_ns(task_pid_type(t, type), ns ? ns : task_active_pid_ns(current));
	rcu_read_unlock();
	return nr;
}

pid_t task_pid_vnr(struct task *t) { return task_pid_nr_type(t, PIDTYPE_PID, NULL); }
pid_t task_tgid_vnr(struct task *t) { return task_pid_nr_type(t, PIDTYPE_TGID, NULL); }
pid_t task_pgrp_vnr(struct task *t) { return task_pid_nr_type(t, PIDTYPE_PGID, NULL); }
pid_t task_session_vnr(struct task *t) { return task_pid_nr_type(t, PIDTYPE_SID, NULL); }

pid_t task_ppid_nr_ns(struct task *t, struct pid_namespace *ns)
{
	pid_t nr;

	rcu_read_lock();
	nr = pid_nr_ns(task_pid_type(rcu_dereference(t->real_parent), PIDTYPE_TGID), ns);
	rcu_read_unlock();
	return nr;
}

struct pid_namespace *task_active_pid_ns(struct task *t)
{
	/* A task keeps its own until it is gone. */
	struct pid *p = rcu_dereference_check(t->thread_pid, t == current);

	return p ? p->numbers[p->level].ns : &init_pid_ns;
}

struct pid_namespace *get_pid_ns(struct pid_namespace *ns)
{
	if (ns != &init_pid_ns)
		refcount_inc(&ns->refs);
	return ns;
}

static void pid_ns_free_rcu(struct rcu_head *h)
{
	struct pid_namespace *ns = container_of(h, struct pid_namespace, rcu);

	xa_destroy(&ns->index->xa);
	kfree(ns->index);
	kfree(ns);
}

void put_pid_ns(struct pid_namespace *ns)
{
	while (ns && ns != &init_pid_ns && refcount_dec_and_test(&ns->refs)) {
		struct pid_namespace *parent = ns->parent;

		ns_id_remove(&ns->nsid);
		ns_uncount_one(ns->made, COUNTED_PID);
		put_user_ns(ns->user_ns);
		call_rcu(&ns->rcu, pid_ns_free_rcu);
		ns = parent;
	}
}

struct pid_namespace *copy_pid_ns(struct user_namespace *user_ns, struct pid_namespace *old)
{
	struct pid_namespace *ns;

	struct ns_count *made;

	/* One that nobody lives in yet has no children. */
	if (task_active_pid_ns(current) != old || !in_userns(old->user_ns, user_ns))
		return ERR_PTR(-EINVAL);
	if (old->level >= 32)
		return ERR_PTR(-ENOSPC);
	made = ns_count_one(user_ns, current_euid(), COUNTED_PID);
	if (!made)
		return ERR_PTR(-ENOSPC);
	ns = kzalloc(sizeof(*ns), GFP_KERNEL_ACCOUNT);
	if (ns)
		ns->index = kzalloc(sizeof(*ns->index), GFP_KERNEL_ACCOUNT);
	if (!ns || !ns->index) {
		kfree(ns);
		ns_uncount_one(made, COUNTED_PID);
		return ERR_PTR(-ENOMEM);
	}
	ns->made = made;
	xa_init_flags(&ns->index->xa, XA_FLAGS_ALLOC);
	refcount_set(&ns->refs, 1);
	ns->parent = get_pid_ns(old);
	ns->level = old->level + 1;
	ns->user_ns = get_user_ns(user_ns);
	ns->ino = ns_alloc_ino();
	ns->pid_max = old->pid_max;
	ns_id_add(&ns->nsid, CLONE_NEWPID, user_ns);
	return ns;
}

static int pid_init(void)
{
	pid_cache = kmem_cache_create("pid", sizeof(struct pid) + sizeof(struct upid), 64, 0, NULL);
	return pid_cache ? 0 : -ENOMEM;
}
INITCALL(early, pid_init);

static ssize_t show_last_pid(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%d\n", READ_ONCE(task_active_pid_ns(current)->last_pid));
}

/* The next process gets the number after it, if that is free: for who restores a checkpoint. */
static ssize_t store_last_pid(struct show_node *n, const char *text, size_t len)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	int last;

	if (!checkpoint_restore_ns_capable(ns->user_ns))
		return -EPERM;
	if (kstrtoint(text, 10, &last) || last < 0 || last >= ns->pid_max)
		return -EINVAL;
	WRITE_ONCE(ns->index->next, (u32)last + 1);
	return (ssize_t)len;
}

static int pid_sysctl(void)
{
	show_attr(show_path(SHOW_SYSCTL, "kernel"), "ns_last_pid", 0666, show_last_pid, store_last_pid, NULL);
	return 0;
}
INITCALL(fs, pid_sysctl);
