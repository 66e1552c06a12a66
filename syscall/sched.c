// SPDX-License-Identifier: MIT
/* Scheduling at the edge: sched_setattr(2), sched_setaffinity(2), setpriority(2), nice(2) (sched(7)). */
#include <lib/types.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/syscalls.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <sched/sched.h>
#include <syscall/time_user.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/types.h>

/* Referenced, or NULL. 0 is the caller. */
static struct task *task_of(pid_t pid)
{
	if (pid)
		return find_get_task_by_vpid(pid);
	get_task_struct(current);
	return current;
}

static bool same_owner(struct task *t)
{
	const struct cred *c = current_cred(), *tc;
	bool ok;

	rcu_read_lock();
	tc = __task_cred(t);
	ok = uid_eq(c->euid, tc->euid) || uid_eq(c->euid, tc->uid);
	rcu_read_unlock();
	return ok;
}

/* Of T's placement and share its namespace's root decides; what takes time from everybody (check_rights, nice_one) is the machine's. */
static bool may_nice(struct task *t)
{
	bool ok;

	rcu_read_lock();
	ok = ns_capable(__task_cred(t)->user_ns, CAP_SYS_NICE);
	rcu_read_unlock();
	return ok;
}

/* Whose capabilities are more than one's own, as a set-user-ID program's are, is not to be slowed down or moved by one's own right (capabilities(7)). */
static bool caps_within_own(struct task *t)
{
	bool within;

	rcu_read_lock();
	within = cap_issubset(__task_cred(t)->cap_permitted, current_cred()->cap_permitted);
	rcu_read_unlock();
	return within || may_nice(t);
}

static bool nice_within_limit(struct task *t, int nice)
{
	return 20 - nice <= (s64)min_t(u64, task_rlimit(t, RLIMIT_NICE), 40);
}

/* What an unprivileged caller may do: not rise above the limits, not leave SCHED_IDLE but by its nice limit. */
static bool within_rights(struct task *t, const struct sched_attr_k *a)
{
	if (!same_owner(t))
		return false;
	if (a->policy == SCHED_FIFO || a->policy == SCHED_RR) {
		u64 limit = task_rlimit(t, RLIMIT_RTPRIO);

		if (a->policy != t->policy && !limit)
			return false;
		if (a->priority > (u32)t->rt_priority && a->priority > limit)
			return false;
	} else if (a->nice < t->nice && !nice_within_limit(t, a->nice)) {
		return false;
	}
	if (t->policy == SCHED_IDLE && a->policy != SCHED_IDLE && !nice_within_limit(t, t->nice))
		return false;
	return !t->reset_on_fork || a->flags & SCHED_FLAG_RESET_ON_FORK;
}

static int check_rights(struct task *t, const struct sched_attr_k *a)
{
	return (within_rights(t, a) || capable(CAP_SYS_NICE)) && caps_within_own(t) ? 0 : -EPERM;
}

static long set_attr(pid_t pid, struct sched_attr_k *a)
{
	struct task *t;
	long e;

	if (pid < 0)
		return -EINVAL;
	t = task_of(pid);
	if (!t)
		return -ESRCH;
	if (a->policy == SCHED_FIFO || a->policy == SCHED_RR)
		e = a->priority < 1 || a->priority > 99 ? -EINVAL : 0;
	else
		e = a->priority || a->policy > SCHED_IDLE || a->policy == 4 ? -EINVAL : 0;
	e = e ?: check_rights(t, a);
	e = e ?: sched_set_attr(t, a);
	put_task_struct(t);
	return e;
}

long sys_sched_setscheduler(pid_t pid, int policy, struct uptr param)
{
	struct sched_attr_k a = { 0 };
	struct task *t;
	s32 prio;

	if (policy < 0 || uptr_is_null(param))
		return -EINVAL;
	if (get_user(prio, param))
		return -EFAULT;
	if (policy & SCHED_RESET_ON_FORK)
		a.flags = SCHED_FLAG_RESET_ON_FORK;
	a.policy = (u32)policy & ~(u32)SCHED_RESET_ON_FORK;
	a.priority = (u32)prio;
	t = task_of(max(pid, 0));
	if (!t)
		return -ESRCH;
	a.nice = t->nice;
	put_task_struct(t);
	return set_attr(pid, &a);
}

long sys_sched_setparam(pid_t pid, struct uptr param)
{
	struct sched_attr_k a = { 0 };
	struct task *t;
	s32 prio;

	if (uptr_is_null(param) || pid < 0)
		return -EINVAL;
	if (get_user(prio, param))
		return -EFAULT;
	t = task_of(pid);
	if (!t)
		return -ESRCH;
	a = (struct sched_attr_k){ .policy = t->policy, .nice = t->nice, .priority = (u32)prio,
				   .flags = t->reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0 };
	put_task_struct(t);
	return set_attr(pid, &a);
}

long sys_sched_getscheduler(pid_t pid)
{
	struct task *t = pid < 0 ? NULL : task_of(pid);
	long r;

	if (!t)
		return pid < 0 ? -EINVAL : -ESRCH;
	r = t->policy | (t->reset_on_fork ? SCHED_RESET_ON_FORK : 0);
	put_task_struct(t);
	return r;
}

long sys_sched_getparam(pid_t pid, struct uptr param)
{
	struct task *t = pid < 0 || uptr_is_null(param) ? NULL : task_of(pid);
	s32 prio;

	if (!t)
		return pid < 0 || uptr_is_null(param) ? -EINVAL : -ESRCH;
	prio = t->rt_priority;
	put_task_struct(t);
	return put_user(prio, param) ? -EFAULT : 0;
}

long sys_sched_setattr(pid_t pid, struct uptr uattr, unsigned int flags)
{
	struct sched_attr_k a;
	struct sched_attr u;
	u32 size;
	int e;

	if (uptr_is_null(uattr) || pid < 0 || flags)
		return -EINVAL;
	if (get_user(size, uattr))
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	if (size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE) {
		(void)put_user((u32)sizeof(u), uattr);
		return -E2BIG;
	}
	memset(&u, 0, sizeof(u));
	e = copy_struct_from_user(&u, sizeof(u), uattr, size);
	if (e == -E2BIG)
		(void)put_user((u32)sizeof(u), uattr);
	if (e)
		return e;
	if (u.sched_flags & ~(u64)(SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_KEEP_POLICY | SCHED_FLAG_KEEP_PARAMS))
		return -EINVAL;
	a = (struct sched_attr_k){ .policy = u.sched_policy, .flags = u.sched_flags, .nice = clamp(u.sched_nice, -20, 19),
				   .priority = u.sched_priority, .runtime_ns = u.sched_runtime };
	if (u.sched_flags & (SCHED_FLAG_KEEP_POLICY | SCHED_FLAG_KEEP_PARAMS)) {
		struct task *t = task_of(pid);

		if (!t)
			return -ESRCH;
		if (u.sched_flags & SCHED_FLAG_KEEP_POLICY)
			a.policy = t->policy;
		if (u.sched_flags & SCHED_FLAG_KEEP_PARAMS) {
			a.nice = t->nice;
			a.priority = (u32)t->rt_priority;
		}
		put_task_struct(t);
	}
	return set_attr(pid, &a);
}

long sys_sched_getattr(pid_t pid, struct uptr uattr, unsigned int size, unsigned int flags)
{
	struct sched_attr u = { 0 };
	struct task *t;

	if (uptr_is_null(uattr) || pid < 0 || size > PAGE_SIZE || size < SCHED_ATTR_SIZE_VER0 || flags)
		return -EINVAL;
	t = task_of(pid);
	if (!t)
		return -ESRCH;
	u.size = min_t(u32, size, sizeof(u));
	u.sched_policy = t->policy;
	u.sched_flags = t->reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;
	u.sched_nice = t->nice;
	u.sched_priority = (u32)t->rt_priority;
	if (t->policy != SCHED_FIFO && t->policy != SCHED_RR)
		u.sched_runtime = t->se.slice;
	put_task_struct(t);
	return copy_to_user(uattr, &u, u.size) ? -EFAULT : 0;
}

long sys_sched_yield(void)
{
	yield();
	return 0;
}

long sys_sched_get_priority_max(int policy)
{
	switch (policy) {
	case SCHED_FIFO: case SCHED_RR: return 99;
	case SCHED_NORMAL: case SCHED_BATCH: case SCHED_IDLE: case SCHED_DEADLINE: return 0;
	}
	return -EINVAL;
}

long sys_sched_get_priority_min(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR ? 1 : sys_sched_get_priority_max(policy);
}

long sys_sched_rr_get_interval(pid_t pid, struct uptr interval)
{
	struct task *t = pid < 0 ? NULL : task_of(pid);
	u64 ns;

	if (!t)
		return pid < 0 ? -EINVAL : -ESRCH;
	ns = sched_rr_interval_ns(t);
	put_task_struct(t);
	return put_timespec_ns((s64)ns, interval);
}

long sys_sched_setaffinity(pid_t pid, unsigned int len, struct uptr umask)
{
	struct cpumask m;
	struct task *t;
	long e = -EPERM;

	cpumask_clear(&m);
	if (copy_from_user(&m, umask, min_t(size_t, len, cpumask_size())))
		return -EFAULT;
	cpumask_and(&m, &m, cpu_possible_mask);
	t = task_of(pid);
	if (!t)
		return -ESRCH;
	if (t->flags & PF_NO_SETAFFINITY)
		e = -EINVAL;
	else if ((same_owner(t) || may_nice(t)) && caps_within_own(t))
		e = set_cpus_allowed(t, &m);
	put_task_struct(t);
	return e;
}

long sys_sched_getaffinity(pid_t pid, unsigned int len, struct uptr umask)
{
	struct cpumask m;
	struct task *t;
	size_t n = min_t(size_t, len, cpumask_size());

	if (len * 8UL < nr_cpu_ids || (len & (sizeof(long) - 1)))
		return -EINVAL;
	t = task_of(pid);
	if (!t)
		return -ESRCH;
	cpumask_and(&m, &t->cpus_mask, cpu_active_mask);
	put_task_struct(t);
	return copy_to_user(umask, &m, n) ? -EFAULT : (long)n;
}

/* ---- nice ---- */

static int nice_one(struct task *t, int nice, int e)
{
	const struct cred *c = current_cred(), *tc = __task_cred(t);

	if (!uid_eq(tc->uid, c->euid) && !uid_eq(tc->euid, c->euid) && !ns_capable(tc->user_ns, CAP_SYS_NICE))
		return -EPERM;
	if (nice < t->nice && !nice_within_limit(t, nice) && !capable(CAP_SYS_NICE))
		return -EACCES;
	if (!caps_within_own(t))
		return -EPERM;
	set_user_nice(t, nice);
	return e == -ESRCH ? 0 : e;
}

#define USER_MOST 64

/* FN for each thread of the user that the caller can see, by number and some at a time. */
static int for_user(kuid_t uid, int (*fn)(struct task *t, int arg, int e), int arg, int e)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	struct pid *pid;

	rcu_read_lock();
	for (unsigned int i = 1, n = 1; (pid = find_ge_pid(&i, ns)); i++, n++) {
		struct task *t = pid_task(pid, PIDTYPE_PID);

		if (t && uid_eq(__task_cred(t)->uid, uid))
			e = fn(t, arg, e);
		if (!(n % USER_MOST)) {
			rcu_read_unlock();
			cond_resched();
			rcu_read_lock();
		}
	}
	rcu_read_unlock();
	return e;
}

struct to_threads {
	int (*fn)(struct task *t, int arg, int e);
	int arg, e;
};

static enum for_group to_threads(struct task *p, void *arg)
{
	struct to_threads *c = arg;
	struct task *t;

	for_each_thread(p, t)
		c->e = c->fn(t, c->arg, c->e);
	return GO_ON;
}

/* Calls FN for each thread that WHICH, WHO name; E goes through all. */
static int for_who(int which, int who, int (*fn)(struct task *t, int arg, int e), int arg, int e)
{
	struct to_threads c = { fn, arg, e };
	struct task *t;
	struct pid *pid;

	switch (which) {
	case PRIO_PROCESS:
		rcu_read_lock();
		t = who ? find_task_by_vpid(who) : current;
		if (t)
			e = fn(t, arg, e);
		rcu_read_unlock();
		return e;
	case PRIO_PGRP:
		pid = who ? find_get_pid(who) : get_task_pid(current, PIDTYPE_PGID);
		if (pid)
			for_group(pid, to_threads, &c);
		put_pid(pid);
		return c.e;
	default:
		return for_user(who ? make_kuid(current_user_ns(), (uid_t)who) : current_uid(), fn, arg, e);
	}
}

long sys_setpriority(int which, int who, int niceval)
{
	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	return for_who(which, who, nice_one, clamp(niceval, -20, 19), -ESRCH);
}

static int best_nice(struct task *t, int unused, int e)
{
	return max(e, 20 - t->nice);
}

/* 20 - nice, so that the value is never negative. */
long sys_getpriority(int which, int who)
{
	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	return for_who(which, who, best_nice, 0, -ESRCH);
}

/* ---- priority of input and output (ioprio_set(2)) ---- */

static int ioprio_one(struct task *t, int p, int e)
{
	const struct cred *c = current_cred(), *tc = __task_cred(t);

	if (e && e != -ESRCH)
		return e;
	if (!uid_eq(tc->uid, c->euid) && !uid_eq(tc->uid, c->uid) && !capable(CAP_SYS_NICE))
		return -EPERM;
	if (!caps_within_own(t))
		return -EPERM;
	WRITE_ONCE(t->ioprio, (u16)p);
	return 0;
}

long sys_ioprio_set(int which, int who, int ioprio)
{
	int e = ioprio_check(ioprio);

	if (e)
		return e;
	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER)
		return -EINVAL;
	return for_who(which - IOPRIO_WHO_PROCESS, who, ioprio_one, ioprio, -ESRCH);
}

/* Without one of its own a task has what its nice value comes to. */
static int effective_ioprio(struct task *t)
{
	int p = READ_ONCE(t->ioprio);

	if ((p >> IOPRIO_CLASS_SHIFT & 7) != IOPRIO_CLASS_NONE)
		return p;
	return (t->policy == SCHED_IDLE ? IOPRIO_CLASS_IDLE : t->policy == SCHED_FIFO || t->policy == SCHED_RR ? IOPRIO_CLASS_RT : IOPRIO_CLASS_BE)
	       << IOPRIO_CLASS_SHIFT | (t->nice + 20) / 5;
}

static int own_ioprio(struct task *t, int unused, int e)
{
	return READ_ONCE(t->ioprio);
}

/* The highest of several: the smallest number. */
static int best_ioprio(struct task *t, int unused, int e)
{
	int p = effective_ioprio(t);

	return e == -ESRCH ? p : min(e, p);
}

long sys_ioprio_get(int which, int who)
{
	if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER)
		return -EINVAL;
	return for_who(which - IOPRIO_WHO_PROCESS, who, which == IOPRIO_WHO_PROCESS ? own_ioprio : best_ioprio, 0, -ESRCH);
}
