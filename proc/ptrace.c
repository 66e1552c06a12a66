// SPDX-License-Identifier: MIT
/*
 * ptrace(2): one task stops another, looks into it and changes it.
 *
 * A tracee's parent is its tracer, whose list it is on (tasklist_lock); real_parent stays who made it. It stops itself, in
 * ptrace_stop(): before it takes a signal, at both ends of a system call, at events, and when its group stops. There it is
 * TASK_TRACED until the tracer resumes it or it is killed. What the tracer asks while it is stopped runs in the tracer, with the
 * tracee frozen: not even SIGKILL wakes it meanwhile (JOBCTL_FROZEN). The state itself says nothing of SIGKILL, so that the scheduler,
 * which has no siglock, does not let the tracee run on for one. All of this state is under siglock; lock order is
 * tasklist_lock, siglock.
 *
 * Stops that others ask for are bits in jobctl, looked at on the way back to user mode: TRAP_STOP (PTRACE_INTERRUPT, a group
 * stop, a fresh child), TRAP_NOTIFY (a seized tracee's group stopped or went on while it listens).
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <arch/ptrace.h>
#include <arch/syscall.h>
#include <kernel/bug.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <proc/proc_priv.h>
#include <proc/ptrace.h>
#include <proc/signal.h>
#include <proc/signal_sets.h>
#include <sched/sched.h>
#include <sched/wait.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/elf.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/signal.h>

#define offsetofend(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))
#define OPTIONS (PTRACE_O_MASK & ~PTRACE_O_SUSPEND_SECCOMP)

static DECLARE_WAIT_QUEUE_HEAD(trapping_wait);	/* tracers whose tracee goes from stopped to traced */

bool ptrace_event_enabled(const struct task *t, int event)
{
	return t->ptrace & 1u << (PT_OPT_SHIFT + event);
}

static unsigned long message_of(const struct task *t) { return (unsigned long)t->ptrace_message; }

static bool is_stopped(const struct task *t) { return READ_ONCE(t->state) & TASK_STOPPED_; }
static bool is_traced(const struct task *t) { return READ_ONCE(t->state) & TASK_TRACED_; }

/* siglock held. */
static void wake(struct task *t, bool out_of_trap)
{
	if (out_of_trap && (t->jobctl & JOBCTL_FROZEN))
		out_of_trap = false;
	signal_wake_up_state(t, out_of_trap ? TASK_TRACED_ : 0);
}

void ptrace_done_trapping(struct task *t)
{
	if (t->jobctl & JOBCTL_TRAPPING) {
		t->jobctl &= ~JOBCTL_TRAPPING;
		wake_up_all(&trapping_wait);
	}
}

static bool set_trap(struct task *t, unsigned long bits)
{
	if ((t->flags & PF_EXITING) || (t->pending.signal & sigmask_of(SIGKILL)))
		return false;
	t->jobctl |= bits;
	return true;
}

void ptrace_trap_notify(struct task *t)
{
	if (set_trap(t, JOBCTL_TRAP_NOTIFY))
		wake(t, t->jobctl & JOBCTL_LISTENING);
}

/* ---- in the tracee ---- */

int ptrace_stop(int code, int why, unsigned long message, struct siginfo *info) __must_hold(me->sighand->siglock)
{
	struct task *me = current;
	bool group_done = false;

	if (!me->ptrace || (me->pending.signal & sigmask_of(SIGKILL))) {
		ptrace_done_trapping(me);
		return code;
	}
	settle_signals(me);
	me->ptrace_message = (void *)message;
	me->ptrace_siginfo = info;
	me->exit_code = code;
	/* It takes part in its group's stop by being here. */
	if (why == CLD_STOPPED && (me->jobctl & JOBCTL_STOP_PENDING))
		group_done = task_participate_group_stop(me);
	me->jobctl &= ~JOBCTL_TRAP_STOP;
	if (info && info->si_code >> 8 == PTRACE_EVENT_STOP)
		me->jobctl &= ~JOBCTL_TRAP_NOTIFY;
	set_special_state(TASK_TRACED);
	smp_mb();
	ptrace_done_trapping(me);
	spin_unlock_irq(&task_sighand(me)->siglock);
	read_lock(&tasklist_lock);
	if (me->ptrace)
		do_notify_parent_cldstop(me, true, why);
	if (group_done && (!me->ptrace || ptrace_reparented(me)))
		do_notify_parent_cldstop(me, false, why);
	read_unlock(&tasklist_lock);
	schedule();
	spin_lock_irq(&task_sighand(me)->siglock);
	code = me->exit_code;
	me->exit_code = 0;
	me->ptrace_siginfo = NULL;
	me->ptrace_message = NULL;
	me->jobctl &= ~(JOBCTL_LISTENING | JOBCTL_FROZEN);
	/* Sets only: an interrupted call has yet to be restarted on the way out, also when there is no signal any more. */
	note_sigpending();
	return code;
}

static int stop_with_info(int sig, int code, int why, unsigned long message)
{
	struct siginfo i;

	clear_siginfo(&i);
	i.si_signo = sig;
	i.si_code = code;
	i.si_pid = task_pid_vnr(current);
	i.si_uid = from_kuid_munged(current_user_ns(), current_uid());
	return ptrace_stop(code, why, message, &i);
}

int ptrace_notify(int code, unsigned long message)
{
	int r;

	spin_lock_irq(&my_sighand()->siglock);
	r = stop_with_info(SIGTRAP, code, CLD_TRAPPED, message);
	spin_unlock_irq(&my_sighand()->siglock);
	return r;
}

void ptrace_event(int event, unsigned long message)
{
	struct task *me = current;

	if (unlikely(ptrace_event_enabled(me, event)))
		ptrace_notify(event << 8 | SIGTRAP, message);
	else if (event == PTRACE_EVENT_EXEC && (me->ptrace & (PT_PTRACED | PT_SEIZED)) == PT_PTRACED)
		send_sig(SIGTRAP, me, 0);	/* how it was told before there were events */
}

void ptrace_event_pid(int event, struct pid *pid)
{
	unsigned long nr = 0;

	rcu_read_lock();
	if (current->ptrace)
		nr = (unsigned long)pid_nr_ns(pid, task_active_pid_ns(rcu_dereference(current->parent)));
	rcu_read_unlock();
	ptrace_event(event, nr);
}

void ptrace_do_trap(void)
{
	struct task *me = current;
	struct signal_struct *s = me->signal;
	int sig = (int)(me->jobctl & JOBCTL_STOP_SIGMASK);

	if (!(me->ptrace & PT_SEIZED)) {
		ptrace_stop(sig, CLD_STOPPED, 0, NULL);
		return;
	}
	if (!s->group_stop_count && !(s->flags & SIGNAL_STOP_STOPPED))
		sig = SIGTRAP;
	stop_with_info(sig, sig | PTRACE_EVENT_STOP << 8, CLD_STOPPED, 0);
}

int ptrace_signal(int sig, struct siginfo *info)
{
	struct task *me = current;

	sig = ptrace_stop(sig, CLD_TRAPPED, 0, info);
	if (!sig)
		return 0;
	if (sig != info->si_signo) {
		clear_siginfo(info);
		info->si_signo = sig;
		info->si_code = SI_USER;
		rcu_read_lock();
		info->si_pid = task_pid_vnr(rcu_dereference(me->parent));
		info->si_uid = from_kuid_munged(current_user_ns(), task_uid(rcu_dereference(me->parent)));
		rcu_read_unlock();
	}
	if ((me->blocked & sigmask_of(sig)) || (me->pending.signal & sigmask_of(SIGKILL))) {
		send_signal_locked(sig, info, me, PIDTYPE_PID);
		return 0;
	}
	return sig;
}

static int report_syscall(unsigned long message)
{
	int code = ptrace_notify(SIGTRAP | (current->ptrace & PTRACE_O_TRACESYSGOOD << PT_OPT_SHIFT ? 0x80 : 0), message);

	/* The tracer may answer with a signal, as to any stop. */
	if (code && code <= _NSIG && current->ptrace)
		send_sig(code, current, 1);
	return fatal_signal_pending(current);
}

bool ptrace_syscall_entry(struct pt_regs *regs)
{
	unsigned long f = READ_ONCE(current->work_flags);

	if (!(f & (_TIF(TIF_SYSCALL_TRACE) | _TIF(TIF_SYSCALL_EMU))) || !current->ptrace)
		return true;
	if (report_syscall(PTRACE_EVENTMSG_SYSCALL_ENTRY))
		return false;
	return !(f & _TIF(TIF_SYSCALL_EMU));
}

void ptrace_syscall_exit(struct pt_regs *regs)
{
	unsigned long f = READ_ONCE(current->work_flags);

	if ((f & _TIF(TIF_SYSCALL_EMU)) || !current->ptrace)
		return;
	if (f & _TIF(TIF_SYSCALL_TRACE))
		report_syscall(PTRACE_EVENTMSG_SYSCALL_EXIT);
	else if (f & _TIF(TIF_SINGLESTEP))
		force_sig_fault(SIGTRAP, TRAP_TRACE, regs_ip(regs));	/* the step over the instruction that called */
}

/* ---- linking and unlinking ---- */

/* CRED: whose rights count for what the tracee executes and shows while it is traced. tasklist_lock write-held. */
static void link_tracee(struct task *t, struct task *tracer, const struct cred *cred, unsigned int flags)
{
	t->ptrace = flags;
	rcu_assign_pointer(t->ptracer_cred, get_cred(cred));
	list_add(&t->ptrace_entry, &tracer->ptraced);
	rcu_assign_pointer(t->parent, tracer);
}

void ptrace_child(struct task *child)
{
	link_tracee(child, task_parent(current), rcu_dereference_protected(current->ptracer_cred, true), current->ptrace);
	if (child->ptrace & PT_SEIZED)
		child->jobctl |= JOBCTL_TRAP_STOP;
	else
		child->pending.signal |= sigmask_of(SIGSTOP);
	set_tsk_flag(child, TIF_SIGPENDING);
}

/* tasklist_lock write-held. */
void ptrace_unlink(struct task *t)
{
	struct signal_struct *s = t->signal;

	BUG_ON(!t->ptrace);
	put_cred(rcu_dereference_protected(t->ptracer_cred, true));
	RCU_INIT_POINTER(t->ptracer_cred, NULL);
	clear_tsk_flag(t, TIF_SYSCALL_TRACE);
	clear_tsk_flag(t, TIF_SYSCALL_EMU);
	rcu_assign_pointer(t->parent, task_real_parent(t));
	list_del_init(&t->ptrace_entry);
	spin_lock(&task_sighand(t)->siglock);
	settle_signals(t);
	t->ptrace = 0;
	ptrace_done_trapping(t);
	t->jobctl &= ~(JOBCTL_TRAP_STOP | JOBCTL_TRAP_NOTIFY);
	/* Its group is stopped: so is it from now on. */
	if (!(t->flags & PF_EXITING) && ((s->flags & SIGNAL_STOP_STOPPED) || s->group_stop_count)) {
		t->jobctl |= JOBCTL_STOP_PENDING;
		if (!(t->jobctl & JOBCTL_STOP_SIGMASK))
			t->jobctl |= SIGSTOP;
	}
	t->jobctl &= ~JOBCTL_FROZEN;
	if ((t->jobctl & JOBCTL_STOP_PENDING) || is_traced(t))
		wake(t, true);
	spin_unlock(&task_sighand(t)->siglock);
}

static bool ignores_children(struct task *t)
{
	const struct k_sigaction *a = &task_sighand(t)->action[SIGCHLD - 1];

	return a->handler == SIG_KERNEL_IGN || (a->flags & SA_NOCLDWAIT);
}

/* tasklist_lock write-held. True: nobody waits for it any more, it is to be released. */
static bool detach(struct task *tracer, struct task *t)
{
	bool dead;

	ptrace_unlink(t);
	if (t->exit_state != EXIT_ZOMBIE)
		return false;
	dead = t->group_leader != t;
	if (!dead && thread_group_empty(t)) {
		if (task_real_parent(t)->signal != tracer->signal)
			dead = do_notify_parent(t, t->exit_signal);
		else
			dead = ignores_children(tracer);
	}
	if (dead)
		t->exit_state = EXIT_DEAD;
	return dead;
}

#define EXIT_MOST 32

bool ptrace_exit_some(struct task *tracer, struct list_head *dead)
{
	struct task *t, *n;
	int done = 0;

	list_for_each_entry_safe(t, n, &tracer->ptraced, ptrace_entry) {
		if (done++ == EXIT_MOST)
			return false;
		if (t->ptrace & (unsigned int)PTRACE_O_EXITKILL << PT_OPT_SHIFT)
			do_send_sig_info(SIGKILL, SEND_SIG_PRIV, t, PIDTYPE_TGID);
		if (detach(tracer, t))
			list_add(&t->ptrace_entry, dead);
	}
	return true;
}

/* PARENT has every capability of the running task, or the one to trace it. */
static bool may_be_traced_by(struct task *parent)
{
	const struct cred *me = current_cred(), *p;
	bool yes;

	rcu_read_lock();
	p = __task_cred(parent);
	yes = (p->user_ns == me->user_ns && cap_issubset(me->cap_permitted, p->cap_permitted)) ||
	      cred_capable(p, me->user_ns, CAP_SYS_PTRACE);
	rcu_read_unlock();
	return yes;
}

long ptrace_traceme(void)
{
	struct task *me = current;
	long e = -EPERM;

	write_lock_irq(&tasklist_lock);
	if (!me->ptrace && may_be_traced_by(task_parent(me)) && !(task_real_parent(me)->flags & PF_EXITING)) {
		/* The parent did not ask for this: what rights it has for the moment must not count (CVE-2019-13272). */
		link_tracee(me, task_real_parent(me), current_cred(), PT_PTRACED);
		e = 0;
	}
	write_unlock_irq(&tasklist_lock);
	return e;
}

/* tasklist_lock write-held. True when it was stopped, and its way into the trap is to be waited for. */
static bool stop_attached(struct task *t, bool seize)
{
	bool trapping = false;

	if (!seize)
		do_send_sig_info(SIGSTOP, SEND_SIG_PRIV, t, PIDTYPE_PID);
	spin_lock(&task_sighand(t)->siglock);
	if (is_stopped(t) && set_trap(t, JOBCTL_TRAP_STOP | JOBCTL_TRAPPING)) {
		signal_wake_up_state(t, TASK_STOPPED_);
		trapping = true;
	}
	spin_unlock(&task_sighand(t)->siglock);
	return trapping;
}

long ptrace_attach(struct task *t, long request, unsigned long options)
{
	bool seize = request == PTRACE_SEIZE, trapping = false;
	unsigned int flags = PT_PTRACED;
	long e;

	if (seize)
		flags |= PT_SEIZED | (unsigned int)options << PT_OPT_SHIFT;
	if ((t->flags & PF_KTHREAD) || same_thread_group(t, current))
		return -EPERM;
	/* Not while it changes what it may do (exec). */
	if (mutex_lock_interruptible(&t->signal->cred_guard_mutex))
		return -ERESTARTNOINTR;
	e = ptrace_may_access(t, PTRACE_MODE_ATTACH_REALCREDS) ? 0 : -EPERM;
	if (!e) {
		write_lock_irq(&tasklist_lock);
		if (t->exit_state || t->ptrace) {
			e = -EPERM;
		} else {
			link_tracee(t, current, current_cred(), flags);
			trapping = stop_attached(t, seize);
		}
		write_unlock_irq(&tasklist_lock);
	}
	mutex_unlock(&t->signal->cred_guard_mutex);
	if (trapping)
		wait_event(trapping_wait, !(READ_ONCE(t->jobctl) & JOBCTL_TRAPPING) || READ_ONCE(t->exit_state));
	return e;
}

/* ---- the tracer at a stopped tracee ---- */

/* Freezes CHILD in its stop. -ESRCH: not ours, or not stopped. */
static int freeze(struct task *t, bool any_state)
{
	int e = -ESRCH;

	read_lock(&tasklist_lock);
	if (t->ptrace && task_parent(t) == current && task_sighand(t)) {
		spin_lock_irq(&task_sighand(t)->siglock);
		if (any_state) {
			e = 0;
		} else if (is_traced(t) && !(t->jobctl & JOBCTL_LISTENING) && !(t->pending.signal & sigmask_of(SIGKILL))) {
			t->jobctl |= JOBCTL_FROZEN;
			e = 0;
		}
		spin_unlock_irq(&task_sighand(t)->siglock);
	}
	read_unlock(&tasklist_lock);
	if (e || any_state)
		return e;
	while (READ_ONCE(t->on_cpu))		/* it is on its way off the CPU */
		cond_resched();
	smp_rmb();
	return 0;
}

static void unfreeze(struct task *t)
{
	unsigned long flags;

	if (!lock_task_sighand(t, &flags))
		return;
	if ((t->jobctl & JOBCTL_FROZEN) && is_traced(t)) {
		t->jobctl &= ~JOBCTL_FROZEN;
		if (t->pending.signal & sigmask_of(SIGKILL))
			wake_up_state(t, TASK_TRACED_);
	}
	unlock_task_sighand(t, &flags);
}

static void set_step(struct task *t, bool on)
{
	arch_set_single_step_flag(t, on);
	arch_set_single_step(t, on);
}

static long resume(struct task *t, long request, unsigned long sig)
{
	bool step = request == PTRACE_SINGLESTEP;

	if (sig > _NSIG)
		return -EIO;
#ifndef ARCH_HAS_SINGLE_STEP
	if (step)
		return -EIO;
#endif
#ifdef PTRACE_SYSEMU
	step |= request == PTRACE_SYSEMU_SINGLESTEP;
	if (request == PTRACE_SYSEMU || request == PTRACE_SYSEMU_SINGLESTEP)
		set_tsk_flag(t, TIF_SYSCALL_EMU);
	else
		clear_tsk_flag(t, TIF_SYSCALL_EMU);
#endif
	if (request == PTRACE_SYSCALL)
		set_tsk_flag(t, TIF_SYSCALL_TRACE);
	else
		clear_tsk_flag(t, TIF_SYSCALL_TRACE);
	set_step(t, step);
	spin_lock_irq(&task_sighand(t)->siglock);
	t->exit_code = (int)sig;
	t->jobctl &= ~JOBCTL_FROZEN;
	wake_up_state(t, TASK_TRACED_);
	spin_unlock_irq(&task_sighand(t)->siglock);
	return 0;
}

static long detach_request(struct task *t, unsigned long sig)
{
	bool dead = false;

	if (sig > _NSIG)
		return -EIO;
	set_step(t, false);
	write_lock_irq(&tasklist_lock);
	/* Its tracer is us; it may have been killed meanwhile. */
	if (t->ptrace) {
		t->exit_code = t->exit_state ? t->exit_code : (int)sig;
		dead = detach(current, t);
	}
	write_unlock_irq(&tasklist_lock);
	if (dead)
		release_task(t);
	return 0;
}

/* Bytes moved. What is not dumpable is shown only to a tracer with the right to it: it may have executed such a program since. */
static int access_memory(struct task *t, unsigned long addr, void *buf, int len, unsigned int foll)
{
	struct mm *mm = get_task_mm(t);
	int n = 0;

	if (!mm)
		return 0;
	if (mm_dumpable(mm) || ptracer_capable(t, mm->user_ns))
		n = access_remote_vm(mm, addr, buf, len, foll | FOLL_FORCE);
	mmput(mm);
	return n;
}

static long peek(struct task *t, unsigned long addr, struct uptr to)
{
	unsigned long v;

	if (access_memory(t, addr, &v, sizeof(v), 0) != (int)sizeof(v))
		return -EIO;
	return put_user(v, to) ? -EFAULT : 0;
}

static long poke(struct task *t, unsigned long addr, unsigned long v)
{
	return access_memory(t, addr, &v, sizeof(v), FOLL_WRITE) == (int)sizeof(v) ? 0 : -EIO;
}

static long set_options(struct task *t, unsigned long options)
{
	if (options & ~(unsigned long)OPTIONS)
		return -EINVAL;
	t->ptrace = (t->ptrace & ((1u << PT_OPT_SHIFT) - 1)) | (unsigned int)options << PT_OPT_SHIFT;
	return 0;
}

/* The siginfo of the stop, copied under the lock. -EINVAL: a stop without one, as a group stop is. */
static int stop_info(struct task *t, struct siginfo *i, const struct siginfo *set)
{
	unsigned long flags;
	int e = -EINVAL;

	if (!lock_task_sighand(t, &flags))
		return -ESRCH;
	if (t->ptrace_siginfo) {
		if (set)
			copy_siginfo(t->ptrace_siginfo, set);
		else
			copy_siginfo(i, t->ptrace_siginfo);
		e = 0;
	}
	unlock_task_sighand(t, &flags);
	return e;
}

static long get_or_set_siginfo(struct task *t, bool set, struct uptr p)
{
	struct siginfo i;
	int e = set ? copy_siginfo_from_user(&i, p) : 0;

	if (e)
		return e;
	e = stop_info(t, &i, set ? &i : NULL);
	return e || set ? e : copy_siginfo_to_user(p, &i);
}

static long peek_siginfo(struct task *t, struct uptr uargs, struct uptr to)
{
	struct ptrace_peeksiginfo_args a;
	struct siginfo i;
	s32 n;

	if (copy_from_user(&a, uargs, sizeof(a)))
		return -EFAULT;
	if ((a.flags & ~(u32)PTRACE_PEEKSIGINFO_SHARED) || a.nr < 0)
		return -EINVAL;
	for (n = 0; n < a.nr; n++) {
		if (a.off + (u64)n < a.off || !signal_peek(t, a.flags & PTRACE_PEEKSIGINFO_SHARED, a.off + (u64)n, &i))
			break;
		if (copy_siginfo_to_user(uptr_add(to, (unsigned long)n * sizeof(i)), &i))
			return n ? n : -EFAULT;
		if (signal_pending(current))
			return n + 1;
		cond_resched();
	}
	return n;
}

static long sigmask(struct task *t, bool set, unsigned long size, struct uptr p)
{
	u64 m = t->blocked;

	if (set && (t->flags & PF_IO_WORKER))
		return -EPERM;		/* it runs no handler */
	if (size != sizeof(m))
		return -EINVAL;
	if (!set)
		return put_user(m, p) ? -EFAULT : 0;
	if (get_user(m, p))
		return -EFAULT;
	spin_lock_irq(&task_sighand(t)->siglock);
	t->blocked = m & ~(sigmask_of(SIGKILL) | sigmask_of(SIGSTOP));
	spin_unlock_irq(&task_sighand(t)->siglock);
	clear_tsk_flag(t, TIF_RESTORE_SIGMASK);
	return 0;
}

/* ---- registers ---- */

static long regs_get(struct task *t, unsigned int type, struct uptr to, size_t *len)
{
	size_t size = arch_regset_size(type);
	long n = -ENOMEM;
	void *buf;

	if (!size)
		return -EINVAL;
	buf = kzalloc(size, GFP_KERNEL);
	if (!buf)
		return n;
	n = arch_regset_get(t, type, buf, min(*len, size));
	if (n >= 0) {
		*len = (size_t)n;
		n = copy_to_user(to, buf, (size_t)n) ? -EFAULT : 0;
	}
	kfree(buf);
	return n;
}

static long regs_set(struct task *t, unsigned int type, struct uptr from, size_t *len)
{
	size_t size = arch_regset_size(type), n = min(*len, size);
	long r = -EFAULT;
	void *buf;

	if (!size)
		return -EINVAL;
	buf = kzalloc(size, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	if (!copy_from_user(buf, from, n))
		r = arch_regset_set(t, type, buf, n);
	kfree(buf);
	if (r >= 0)
		*len = n;
	return r < 0 ? r : 0;
}

static long regset(struct task *t, bool set, unsigned int type, struct uptr uiov)
{
	struct { unsigned long base, len; } iov;
	size_t len;
	long e;

	if (copy_from_user(&iov, uiov, sizeof(iov)))
		return -EFAULT;
	if (iov.len % ARCH_REGSET_UNIT(type))
		return -EINVAL;
	len = iov.len;
	e = set ? regs_set(t, type, UPTR(iov.base), &len) : regs_get(t, type, UPTR(iov.base), &len);
	if (e)
		return e;
	return put_user(len, uptr_add(uiov, sizeof(long))) ? -EFAULT : 0;
}

/* Two sets have requests of their own on some CPUs; they move all of it. */
static __maybe_unused long old_regs(struct task *t, bool set, unsigned int type, struct uptr p)
{
	size_t len = arch_regset_size(type);
	long e = set ? regs_set(t, type, p, &len) : regs_get(t, type, p, &len);

	return e == -EFAULT ? -EIO : e;
}

/* ---- which end of which call ---- */

static u8 syscall_op(struct task *t)
{
	struct siginfo i;

	if (stop_info(t, &i, NULL))
		return PTRACE_SYSCALL_INFO_NONE;
	if (i.si_code == (SIGTRAP | 0x80)) {
		if (message_of(t) == PTRACE_EVENTMSG_SYSCALL_ENTRY)
			return PTRACE_SYSCALL_INFO_ENTRY;
		if (message_of(t) == PTRACE_EVENTMSG_SYSCALL_EXIT)
			return PTRACE_SYSCALL_INFO_EXIT;
	}
	if (i.si_code == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
		return PTRACE_SYSCALL_INFO_SECCOMP;
	return PTRACE_SYSCALL_INFO_NONE;
}

static long get_syscall_info(struct task *t, unsigned long size, struct uptr to)
{
	struct pt_regs *regs = task_pt_regs(t);
	struct ptrace_syscall_info k;
	size_t actual = offsetof(struct ptrace_syscall_info, entry);
	long ret;

	memset(&k, 0, sizeof(k));
	k.op = syscall_op(t);
	k.arch = ARCH_AUDIT;
	k.instruction_pointer = regs_ip(regs);
	k.stack_pointer = regs_sp(regs);
	switch (k.op) {
	case PTRACE_SYSCALL_INFO_ENTRY: case PTRACE_SYSCALL_INFO_SECCOMP:
		k.entry.nr = (u64)arch_syscall_nr(regs);
		for (unsigned int i = 0; i < 6; i++)
			k.entry.args[i] = arch_syscall_arg(regs, i);
		actual = offsetofend(struct ptrace_syscall_info, entry);
		if (k.op == PTRACE_SYSCALL_INFO_SECCOMP) {
			k.seccomp.ret_data = (u32)message_of(t);
			actual = offsetofend(struct ptrace_syscall_info, seccomp.ret_data);
		}
		break;
	case PTRACE_SYSCALL_INFO_EXIT:
		ret = arch_syscall_ret(regs);
		k.exit.rval = ret;
		k.exit.is_error = ret < 0 && ret >= -4095;
		actual = offsetofend(struct ptrace_syscall_info, exit.is_error);
		break;
	}
	return copy_to_user(to, &k, min(size, actual)) ? -EFAULT : (long)actual;
}

static long set_syscall_info(struct task *t, unsigned long size, struct uptr from)
{
	struct pt_regs *regs = task_pt_regs(t);
	struct ptrace_syscall_info k;
	u8 op = syscall_op(t);

	if (size < sizeof(k))
		return -EINVAL;
	if (copy_from_user(&k, from, sizeof(k)))
		return -EFAULT;
	if (k.flags || k.reserved)
		return -EINVAL;
	if (k.op != op)
		return -EINVAL;
	switch (op) {
	case PTRACE_SYSCALL_INFO_ENTRY: case PTRACE_SYSCALL_INFO_SECCOMP:
		if (k.entry.nr != (u64)(s64)(int)k.entry.nr)
			return -ERANGE;
		arch_syscall_set_nr(regs, (long)k.entry.nr);
		for (unsigned int i = 0; i < 6 && (int)k.entry.nr != -1; i++)
			arch_syscall_set_arg(regs, i, k.entry.args[i]);
		return 0;
	case PTRACE_SYSCALL_INFO_EXIT:
		arch_syscall_set_ret(regs, k.exit.rval);
		return 0;
	}
	return -EINVAL;
}

static long rseq_configuration(struct task *t, unsigned long size, struct uptr to)
{
	struct ptrace_rseq_configuration c = { .rseq_abi_pointer = (unsigned long)t->rseq, .rseq_abi_size = t->rseq_len, .signature = t->rseq_sig };

	return copy_to_user(to, &c, min(size, sizeof(c))) ? -EFAULT : (long)sizeof(c);
}

/* ---- requests ---- */

/* PTRACE_INTERRUPT: it stops wherever it is. */
static long interrupt(struct task *t)
{
	unsigned long flags;

	if (!(t->ptrace & PT_SEIZED))
		return -EIO;
	if (!lock_task_sighand(t, &flags))
		return -ESRCH;
	if (set_trap(t, JOBCTL_TRAP_STOP))
		wake(t, t->jobctl & JOBCTL_LISTENING);
	unlock_task_sighand(t, &flags);
	return 0;
}

/* PTRACE_LISTEN: stay stopped, but tell when the group goes on. */
static long listen(struct task *t)
{
	const struct siginfo *i;
	unsigned long flags;
	long e = -EIO;

	if (!(t->ptrace & PT_SEIZED))
		return -EIO;
	if (!lock_task_sighand(t, &flags))
		return -ESRCH;
	i = t->ptrace_siginfo;
	if (i && i->si_code >> 8 == PTRACE_EVENT_STOP) {
		t->jobctl |= JOBCTL_LISTENING;
		t->jobctl &= ~JOBCTL_FROZEN;
		if ((t->jobctl & JOBCTL_TRAP_NOTIFY) || (t->pending.signal & sigmask_of(SIGKILL)))
			wake(t, true);
		e = 0;
	}
	unlock_task_sighand(t, &flags);
	return e;
}

static long cpu_request(struct task *t, long request, unsigned long addr, unsigned long data)
{
	switch (request) {
#ifdef PTRACE_GETREGS
	case PTRACE_GETREGS: return old_regs(t, false, NT_PRSTATUS, UPTR(data));
	case PTRACE_SETREGS: return old_regs(t, true, NT_PRSTATUS, UPTR(data));
	case PTRACE_GETFPREGS: return old_regs(t, false, NT_PRFPREG, UPTR(data));
	case PTRACE_SETFPREGS: return old_regs(t, true, NT_PRFPREG, UPTR(data));
#endif
#ifdef PTRACE_SYSEMU
	case PTRACE_SYSEMU: case PTRACE_SYSEMU_SINGLESTEP: return resume(t, request, data);
#endif
	}
	return arch_ptrace(t, request, addr, data);
}

static long at_stopped(struct task *t, long request, unsigned long addr, unsigned long data)
{
	unsigned long v;
	int e;

	switch (request) {
	case PTRACE_PEEKTEXT: case PTRACE_PEEKDATA: return peek(t, addr, UPTR(data));
	case PTRACE_POKETEXT: case PTRACE_POKEDATA: return poke(t, addr, data);
	case PTRACE_PEEKUSR:
		e = arch_peek_user(t, addr, &v);
		return e ? e : put_user(v, UPTR(data)) ? -EFAULT : 0;
	case PTRACE_POKEUSR: return arch_poke_user(t, addr, data);
	case PTRACE_CONT: case PTRACE_SYSCALL: case PTRACE_SINGLESTEP: return resume(t, request, data);
	case PTRACE_DETACH: return detach_request(t, data);
	case PTRACE_SETOPTIONS: return set_options(t, data);
	case PTRACE_GETEVENTMSG: return put_user(message_of(t), UPTR(data)) ? -EFAULT : 0;
	case PTRACE_GETSIGINFO: return get_or_set_siginfo(t, false, UPTR(data));
	case PTRACE_SETSIGINFO: return get_or_set_siginfo(t, true, UPTR(data));
	case PTRACE_PEEKSIGINFO: return peek_siginfo(t, UPTR(addr), UPTR(data));
	case PTRACE_GETSIGMASK: return sigmask(t, false, addr, UPTR(data));
	case PTRACE_SETSIGMASK: return sigmask(t, true, addr, UPTR(data));
	case PTRACE_GETREGSET: return regset(t, false, (unsigned int)addr, UPTR(data));
	case PTRACE_SETREGSET: return regset(t, true, (unsigned int)addr, UPTR(data));
	case PTRACE_GET_SYSCALL_INFO: return get_syscall_info(t, addr, UPTR(data));
	case PTRACE_SET_SYSCALL_INFO: return set_syscall_info(t, addr, UPTR(data));
	case PTRACE_LISTEN: return listen(t);
	case PTRACE_GET_RSEQ_CONFIGURATION: return rseq_configuration(t, addr, UPTR(data));
	}
	return cpu_request(t, request, addr, data);
}

long ptrace_request(struct task *t, long request, unsigned long addr, unsigned long data)
{
	bool any_state = request == PTRACE_KILL || request == PTRACE_INTERRUPT;
	long r = freeze(t, any_state);

	if (r)
		return r;
	if (request == PTRACE_KILL) {		/* what is dead already is no error */
		if (!t->exit_state)
			do_send_sig_info(SIGKILL, SEND_SIG_PRIV, t, PIDTYPE_TGID);
		return 0;
	}
	if (request == PTRACE_INTERRUPT)
		return interrupt(t);
	r = at_stopped(t, request, addr, data);
	unfreeze(t);
	return r;
}
