// SPDX-License-Identifier: MIT
/* The access check of ptrace(2): same ids all through or CAP_SYS_PTRACE, a dumpable target, no capability that we lack. */
#include <mm/mm.h>
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

static bool dumpable(struct task *task)
{
	bool yes = true;

	task_lock(task);
	if (task->mm)
		yes = (READ_ONCE(task->mm->flags) >> MMF_DUMPABLE & MMF_DUMPABLE_MASK) == 1;
	task_unlock(task);
	return yes;
}

bool ptrace_may_access(struct task *task, unsigned int mode)
{
	const struct cred *me = current_cred(), *t;
	bool ok;

	if (task->signal == current->signal)
		return true;
	t = get_task_cred(task);
	ok = same_ids(me, t, mode) || ns_capable(t->user_ns, CAP_SYS_PTRACE);
	if (ok && !dumpable(task))
		ok = ns_capable(t->user_ns, CAP_SYS_PTRACE);
	if (ok && !ns_capable(t->user_ns, CAP_SYS_PTRACE)) {
		kernel_cap_t mine = mode & PTRACE_MODE_FSCREDS ? me->cap_effective : me->cap_permitted;

		ok = me->user_ns == t->user_ns && cap_issubset(t->cap_permitted, mine);
	}
	put_cred(t);
	return ok;
}
