// SPDX-License-Identifier: MIT
/* Signals at the edge: sigaction(2), sigprocmask(2), kill(2), sigqueue(3), sigtimedwait(2), sigsuspend(2), sigaltstack(2). */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <arch/syscall.h>
#include <arch/ptrace.h>
#include <arch/signal.h>
#include <arch/switch.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <proc/proc_priv.h>
#include <proc/signal.h>
#include <proc/signal_sets.h>
#include <sched/sched.h>
#include <syscall/time_user.h>
#include <abi/errno.h>
#include <linux/signal.h>
#include <linux/time.h>

/* struct sigaction of the ABI: who returns from handlers is only told where there is a flag that says so. */
struct user_sigaction {
	u64 handler, flags;
#ifdef SA_RESTORER
	u64 restorer;
#endif
	u64 mask;
};

#ifdef SA_RESTORER
#define RESTORER_FLAG ((unsigned long)SA_RESTORER)
#define RESTORER(u) ((u).restorer)
#else
#define RESTORER_FLAG 0UL
#ifdef ARCH_SIGACTION_RESTORER	/* an argument of the call */
#define RESTORER(u) ARCH_SIGACTION_RESTORER()
#else
#define RESTORER(u) 0UL
#endif
#endif

#define SA_KNOWN (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND | \
	SA_EXPOSE_TAGBITS | RESTORER_FLAG)

long sys_rt_sigaction(int sig, struct uptr act, struct uptr oact, size_t size)
{
	struct user_sigaction u, o;
	struct k_sigaction *a;
	u64 unblockable = sigmask_of(SIGKILL) | sigmask_of(SIGSTOP);
	bool forget = false;

	if (size != sizeof(u64) || sig < 1 || sig > _NSIG || (!uptr_is_null(act) && (sigmask_of(sig) & unblockable)))
		return -EINVAL;
	if (!uptr_is_null(act) && copy_from_user(&u, act, sizeof(u)))
		return -EFAULT;
	spin_lock_irq(&my_sighand()->siglock);
	a = &my_sighand()->action[sig - 1];
	o = (struct user_sigaction){ .handler = a->handler, .flags = a->flags, .mask = a->mask };
#ifdef SA_RESTORER
	o.restorer = a->restorer;
#endif
	if (!uptr_is_null(act)) {
		*a = (struct k_sigaction){ u.handler, u.flags & SA_KNOWN, RESTORER(u), u.mask & ~unblockable };
		/* POSIX: a pending signal that is now ignored is forgotten. */
		forget = sig_ignored_by(current, sig) && proc_forget_signal(current, sig);
	}
	spin_unlock_irq(&my_sighand()->siglock);
	if (unlikely(forget))
		proc_forget_rest(sig);
	if (!uptr_is_null(oact) && copy_to_user(oact, &o, sizeof(o)))
		return -EFAULT;
	return 0;
}

long sys_rt_sigprocmask(int how, struct uptr nset, struct uptr oset, size_t size)
{
	u64 old = current->blocked, n;

	if (size != sizeof(u64))
		return -EINVAL;
	if (!uptr_is_null(nset)) {
		if (get_user(n, nset))
			return -EFAULT;
		switch (how) {
		case SIG_BLOCK: n |= old; break;
		case SIG_UNBLOCK: n = old & ~n; break;
		case SIG_SETMASK: break;
		default: return -EINVAL;
		}
		set_current_blocked(n);
	}
	return !uptr_is_null(oset) && put_user(old, oset) ? -EFAULT : 0;
}

long sys_rt_sigpending(struct uptr uset, size_t size)
{
	u64 p;

	if (size > sizeof(u64))
		return -EINVAL;
	spin_lock_irq(&my_sighand()->siglock);
	settle_signals(current);
	p = (current->pending.signal | current->signal->shared_pending.signal) & current->blocked;
	spin_unlock_irq(&my_sighand()->siglock);
	return copy_to_user(uset, &p, size) ? -EFAULT : 0;
}

static void user_info(struct siginfo *i, int sig, int code)
{
	clear_siginfo(i);
	i->si_signo = sig;
	i->si_code = code;
	i->si_pid = task_tgid_vnr(current);
	i->si_uid = from_kuid_munged(current_user_ns(), current_uid());
}

long sys_kill(pid_t pid, int sig)
{
	struct siginfo i;
	struct pid *p;
	int e;

	if (sig < 0 || sig > _NSIG)
		return -EINVAL;
	if (pid == INT_MIN)
		return -ESRCH;
	user_info(&i, sig, SI_USER);
	if (pid == -1)
		return kill_everybody(sig, &i);
	if (pid > 0) {
		rcu_read_lock();
		e = kill_pid_info(sig, &i, find_vpid(pid), PIDTYPE_TGID);
		rcu_read_unlock();
		return e;
	}
	p = pid ? find_get_pid(-pid) : get_task_pid(current, PIDTYPE_PGID);
	e = kill_pgrp_info(sig, &i, p);
	put_pid(p);
	return e;
}

static int send_to_thread(pid_t tgid, pid_t pid, int sig, struct siginfo *i)
{
	struct task *t;
	int e = -ESRCH;

	rcu_read_lock();
	t = find_task_by_vpid(pid);
	if (t && (tgid <= 0 || task_tgid_vnr(t) == tgid))
		e = group_send_sig_info(sig, i, t, PIDTYPE_PID);
	rcu_read_unlock();
	return e;
}

long sys_tgkill(pid_t tgid, pid_t pid, int sig)
{
	struct siginfo i;

	if (tgid <= 0 || pid <= 0)
		return -EINVAL;
	user_info(&i, sig, SI_TKILL);
	return send_to_thread(tgid, pid, sig, &i);
}

long sys_tkill(pid_t pid, int sig)
{
	struct siginfo i;

	if (pid <= 0)
		return -EINVAL;
	user_info(&i, sig, SI_TKILL);
	return send_to_thread(0, pid, sig, &i);
}

/* A caller may not pass itself off as the kernel or as kill(2), but to itself. */
static int get_queued_info(struct siginfo *i, int sig, struct uptr uinfo, pid_t target)
{
	int e = copy_siginfo_from_user(i, uinfo);

	if (e)
		return e;
	i->si_signo = sig;
	if ((i->si_code >= 0 || i->si_code == SI_TKILL) && task_tgid_vnr(current) != target)
		return -EPERM;
	return 0;
}

long sys_rt_sigqueueinfo(pid_t pid, int sig, struct uptr uinfo)
{
	struct siginfo i;
	int e = get_queued_info(&i, sig, uinfo, pid);

	if (e)
		return e;
	rcu_read_lock();
	e = kill_pid_info(sig, &i, find_vpid(pid), PIDTYPE_TGID);
	rcu_read_unlock();
	return e;
}

long sys_rt_tgsigqueueinfo(pid_t tgid, pid_t pid, int sig, struct uptr uinfo)
{
	struct siginfo i;
	int e;

	if (tgid <= 0 || pid <= 0)
		return -EINVAL;
	e = get_queued_info(&i, sig, uinfo, tgid);
	return e ?: send_to_thread(tgid, pid, sig, &i);
}

long sys_rt_sigtimedwait(struct uptr uthese, struct uptr uinfo, struct uptr uts, size_t size)
{
	struct task *t = current;
	struct siginfo info;
	ktime_t until = KTIME_MAX;
	u64 these;
	s64 ns = -1;
	int sig, e, r = 1;

	if (size != sizeof(u64))
		return -EINVAL;
	if (get_user(these, uthese))
		return -EFAULT;
	if (!uptr_is_null(uts)) {
		e = get_timespec_ns(&ns, uts);
		if (e)
			return e;
		until = ktime_add_safe((ktime_t)ktime_get_ns(), ns);
	}
	these &= ~(sigmask_of(SIGKILL) | sigmask_of(SIGSTOP));
again:
	spin_lock_irq(&task_sighand(t)->siglock);
	sig = dequeue_signal(these, &info);
	if (!sig && ns) {
		/* Unblock them so that a sender chooses us; what is not wanted still interrupts. */
		t->real_blocked = t->blocked;
		t->blocked &= ~these;
		recalc_sigpending();
		set_current_state(TASK_INTERRUPTIBLE);
		spin_unlock_irq(&task_sighand(t)->siglock);
		if (!signal_pending(t))
			r = schedule_hrtimeout_until(ns < 0 ? NULL : &until, CLOCK_MONOTONIC);
		__set_current_state(TASK_RUNNING);
		spin_lock_irq(&task_sighand(t)->siglock);
		t->blocked = t->real_blocked;
		t->real_blocked = 0;
		sig = dequeue_signal(these, &info);
		recalc_sigpending();
	}
	spin_unlock_irq(&task_sighand(t)->siglock);
	if (!sig && r && ns && proc_ran_task_work())
		goto again;
	if (!sig)
		return r == 0 || !ns ? -EAGAIN : -EINTR;
	if (!uptr_is_null(uinfo) && copy_siginfo_to_user(uinfo, &info))
		return -EFAULT;
	return sig;
}

long sys_rt_sigsuspend(struct uptr unewset, size_t size)
{
	u64 n;

	if (size != sizeof(u64))
		return -EINVAL;
	if (get_user(n, unewset))
		return -EFAULT;
	current->saved_sigmask = current->blocked;
	set_current_blocked(n);
	while (!signal_pending(current)) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!signal_pending(current))
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	set_bit(TIF_RESTORE_SIGMASK, &current->work_flags);
	return -ERESTARTNOHAND;
}

long sys_pause(void)
{
	while (!signal_pending(current)) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!signal_pending(current))
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return -ERESTARTNOHAND;
}

long sys_rt_sigreturn(void)
{
	return proc_sigreturn(task_pt_regs(current));
}

struct user_stack {
	u64 sp;
	s32 flags, pad;
	u64 size;
};

long sys_sigaltstack(struct uptr uss, struct uptr uoss)
{
	struct task *t = current;
	bool on = t->sas_ss_size && regs_sp(task_pt_regs(t)) - t->sas_ss_sp < t->sas_ss_size &&
		  !(t->sas_ss_flags & SS_AUTODISARM);
	struct user_stack o = { t->sas_ss_sp, 0, 0, t->sas_ss_size }, n;

	o.flags = (int)(t->sas_ss_flags & SS_AUTODISARM) | (on ? SS_ONSTACK : t->sas_ss_size ? 0 : SS_DISABLE);
	if (!uptr_is_null(uss)) {
		unsigned int mode;

		if (copy_from_user(&n, uss, sizeof(n)))
			return -EFAULT;
		if (on)
			return -EPERM;
		mode = (unsigned int)n.flags & ~SS_AUTODISARM;
		if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
			return -EINVAL;
		if (mode == SS_DISABLE) {
			n.sp = n.size = 0;
		} else if (n.size < MINSIGSTKSZ || !arch_signal_stack_fits(n.size)) {
			return -ENOMEM;
		}
		t->sas_ss_sp = n.sp;
		t->sas_ss_size = n.size;
		t->sas_ss_flags = (unsigned int)n.flags;
	}
	return !uptr_is_null(uoss) && copy_to_user(uoss, &o, sizeof(o)) ? -EFAULT : 0;
}
