// SPDX-License-Identifier: MIT
/*
 * Who may look into or control another process (ptrace(2), "Ptrace access mode checking"). This is the only place that decides it.
 *
 * The answer holds for one program. execve(2) may put another one, with other rights, into the same process at any moment, so whoever
 * asks takes what it asked for under the same hold of exec_update_lock: ptrace_begin_access() and ptrace_end_access(). Exec holds that
 * lock for writing from before the new address space is installed until after the new credentials are.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <mm/mm.h>
#include <mm/upcalls.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <proc/ptrace.h>
#include <proc/signal.h>
#include <linux/capability.h>

static bool same_ids(const struct cred *me, const struct cred *t, unsigned int mode)
{
	kuid_t uid = mode & PTRACE_MODE_FSCREDS ? me->fsuid : me->uid;
	kgid_t gid = mode & PTRACE_MODE_FSCREDS ? me->fsgid : me->gid;

	return uid_eq(uid, t->euid) && uid_eq(uid, t->suid) && uid_eq(uid, t->uid) &&
	       gid_eq(gid, t->egid) && gid_eq(gid, t->sgid) && gid_eq(gid, t->gid);
}

/* The namespace that must have CAP_SYS_PTRACE over a task that is not dumpable; NULL: it is. task_lock held. */
static struct user_namespace *undumpable_ns(struct task *task)
{
	if (!task->mm)		/* it has ended: what it was counts; a kernel thread never was */
		return task->ended_dumpable ? NULL : &init_user_ns;
	return mm_dumpable(task->mm) ? NULL : task->mm->user_ns ?: &init_user_ns;
}

static bool dumpable_or_capable(struct task *task)
{
	struct user_namespace *ns;
	bool yes;

	task_lock(task);
	ns = undumpable_ns(task);
	yes = !ns || ns_capable(ns, CAP_SYS_PTRACE);
	task_unlock(task);
	return yes;
}

bool ptrace_may_access(struct task *task, unsigned int mode)
{
	const struct cred *me = current_cred(), *t;
	kernel_cap_t mine = mode & PTRACE_MODE_FSCREDS ? me->cap_effective : me->cap_permitted;
	bool ok;

	if (same_thread_group(task, current))
		return true;
	t = get_task_cred(task);
	ok = same_ids(me, t, mode) && me->user_ns == t->user_ns && cap_issubset(t->cap_permitted, mine);
	if (!ok)
		ok = ns_capable(t->user_ns, CAP_SYS_PTRACE);
	put_cred(t);
	/* Pairs with commit_creds(): new credentials are seen only with the dumpable flag that they came with. */
	smp_rmb();
	return ok && dumpable_or_capable(task);
}

int ptrace_begin_access(struct task *task, unsigned int mode)
{
	if (same_thread_group(task, current))	/* exec begins by ending all other threads */
		return 0;
	if (down_read_killable(&task->signal->exec_update_lock))
		return -EINTR;
	if (ptrace_may_access(task, mode))
		return 0;
	up_read(&task->signal->exec_update_lock);
	return -EPERM;
}

void ptrace_end_access(struct task *task)
{
	if (!same_thread_group(task, current))
		up_read(&task->signal->exec_update_lock);
}

/* Each process's lock once, in the order of their addresses. */
static void in_order(struct task **a, struct task **b)
{
	if ((*a)->signal > (*b)->signal)
		swap(*a, *b);
}

int ptrace_begin_access_both(struct task *a, struct task *b, unsigned int mode)
{
	int e;

	if (same_thread_group(a, b) || same_thread_group(b, current))
		return ptrace_begin_access(a, mode);
	if (same_thread_group(a, current))
		return ptrace_begin_access(b, mode);
	in_order(&a, &b);
	if (down_read_killable(&a->signal->exec_update_lock))
		return -EINTR;
	e = down_read_killable_nested(&b->signal->exec_update_lock, 1) ? -EINTR : 0;
	if (!e && ptrace_may_access(a, mode) && ptrace_may_access(b, mode))
		return 0;
	if (!e)
		up_read(&b->signal->exec_update_lock);
	up_read(&a->signal->exec_update_lock);
	return e ?: -EPERM;
}

void ptrace_end_access_both(struct task *a, struct task *b)
{
	ptrace_end_access(a);
	if (!same_thread_group(a, b))
		ptrace_end_access(b);
}

struct mm *ptrace_get_mm(struct task *task, unsigned int mode)
{
	int e = ptrace_begin_access(task, mode);
	struct mm *mm;

	if (e == -EPERM) {
		mm = READ_ONCE(task->mm);
		if (!mm)		/* that it has none (any more) is told to all */
			return NULL;
		if (mm == current->mm) {	/* it shares ours */
			mmget(mm);
			return mm;
		}
	}
	if (e)
		return ERR_PTR(e);
	mm = get_task_mm(task);
	ptrace_end_access(task);
	return mm;
}

bool ptracer_capable(struct task *task, struct user_namespace *ns)
{
	const struct cred *c;
	bool yes;

	rcu_read_lock();
	c = rcu_dereference(task->ptracer_cred);
	yes = !c || cred_capable(c, ns, CAP_SYS_PTRACE);
	rcu_read_unlock();
	return yes;
}

void proc_private_owner(struct task *task, kuid_t *uid, kgid_t *gid)
{
	struct user_namespace *ns;

	task_lock(task);
	ns = task->mm ? undumpable_ns(task) : &init_user_ns;
	if (ns) {
		*uid = make_kuid(ns, 0);
		*gid = make_kgid(ns, 0);
		*uid = uid_valid(*uid) ? *uid : GLOBAL_ROOT_UID;
		*gid = gid_valid(*gid) ? *gid : GLOBAL_ROOT_GID;
	}
	task_unlock(task);
}

/* ---- the namespace of an address space (mm's upcalls) ---- */

struct user_namespace *mm_user_ns_get(struct user_namespace *ns)
{
	return ns ? get_user_ns(ns) : NULL;
}

void mm_user_ns_put(struct user_namespace *ns)
{
	put_user_ns(ns);
}
