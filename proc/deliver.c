// SPDX-License-Identifier: MIT
/*
 * The way back to user mode: rescheduling, task work, signals. And what a fault in user mode becomes.
 *
 * get_signal() takes signals until one has a handler or nothing is left; stopping and dying happen inside it. A system
 * call that asked to be restarted is, unless a handler without SA_RESTART runs.
 */
#include <lib/types.h>
#include <arch/entry.h>
#include <arch/ptrace.h>
#include <arch/signal.h>
#include <arch/syscall.h>
#include <arch/uaccess.h>
#include <kernel/bug.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <kernel/upcalls.h>
#include <mm/uaccess.h>
#include <proc/proc_priv.h>
#include <proc/ptrace.h>
#include <proc/rseq.h>
#include <proc/signal.h>
#include <proc/signal_many.h>
#include <proc/signal_sets.h>
#include <proc/threads.h>
#include <proc/upcalls.h>
#include <sched/sched.h>
#include <sched/task_life.h>
#include <abi/errno.h>
#include <linux/sched.h>
#include <linux/signal.h>

struct taken {
	int sig;
	struct siginfo info;
	struct k_sigaction act;
};

/* ---- stopping ---- */

static bool task_set_jobctl_stop(struct task *t, unsigned long sig)
{
	if ((t->flags & PF_EXITING) || fatal_signal_pending(t))
		return false;
	t->jobctl = (t->jobctl & ~JOBCTL_STOP_SIGMASK) | sig | JOBCTL_STOP_PENDING | JOBCTL_STOP_CONSUME;
	return true;
}

bool task_participate_group_stop(struct task *t)
{
	struct signal_struct *s = t->signal;
	bool consume = t->jobctl & JOBCTL_STOP_CONSUME;

	t->jobctl &= ~(JOBCTL_STOP_PENDING | JOBCTL_STOP_CONSUME);
	if (!consume)
		return false;
	if (s->group_stop_count > 0)
		s->group_stop_count--;
	if (!s->group_stop_count && !(s->flags & SIGNAL_STOP_STOPPED)) {
		s->flags = (s->flags & SIGNAL_UNKILLABLE) | SIGNAL_STOP_STOPPED;
		return true;
	}
	return false;
}

/* siglock held: T takes part in the stop that its process does, once. */
static bool join_stop(struct task *t, unsigned long sig)
{
	struct signal_struct *s = t->signal;

	settle_signals(t);
	if (t->stop_round == s->stop_round || !task_set_jobctl_stop(t, sig))
		return false;
	t->stop_round = s->stop_round;
	s->group_stop_count++;
	return true;
}

void thread_joins_stop(struct task *t)
{
	struct signal_struct *s = current->signal;
	unsigned long sig;

	t->job_seq = s->job_seq;
	settle_signals(current);
	if (likely(!s->group_stop_count && !(s->flags & SIGNAL_STOP_STOPPED)) || s->stopper)
		return;		/* a stopper comes to it: it is the last thread */
	sig = current->jobctl & JOBCTL_STOP_SIGMASK ?: (unsigned long)s->group_exit_code & JOBCTL_STOP_SIGMASK;
	if (s->group_stop_count)
		join_stop(t, sig);
	else
		t->jobctl = sig | JOBCTL_STOP_PENDING;
	set_tsk_flag(t, TIF_SIGPENDING);
}

static void stop_thread(struct task *t, int sig)
{
	if ((READ_ONCE(t->state) & TASK_STOPPED_) || !join_stop(t, (unsigned long)sig))
		return;
	if (t->ptrace & PT_SEIZED) {
		ptrace_trap_notify(t);
		return;
	}
	set_tsk_flag(t, TIF_SIGPENDING);
	if (!wake_up_state(t, TASK_INTERRUPTIBLE))
		kick_process(t);
}

#define STOP_MOST 32		/* threads that are told in one critical section */

/*
 * siglock held, released in between: all threads are told to stop. The running one counts itself first, so that they have not all stopped before all are told.
 * Those that come meanwhile are behind the others; who was told makes none. False: SIGCONT, exec or the end of the process called it off.
 */
static bool stop_threads(struct signal_struct *s, int sig) __must_hold(me->sighand->siglock)
{
	struct task *me = current, *t;
	u64 after = 0;

	if (unlikely(s->stopper)) {		/* another does it, and has not told this one yet */
		join_stop(me, (unsigned long)sig);
		return true;
	}
	if (!(s->flags & SIGNAL_STOP_STOPPED))
		s->group_exit_code = sig;
	s->group_stop_count = 0;
	s->stop_round++;
	s->stopper = me;
	s->cont_some = s->cont_again = false;		/* threads that are still stopped stay so */
	join_stop(me, (unsigned long)sig);
	while ((t = thread_after(s, after))) {
		for (int n = 0; t && n < STOP_MOST; n++, t = thread_next(t)) {
			if (t != me)
				stop_thread(t, sig);
			after = t->thread_stamp;
		}
		if (!t)
			break;
		spin_unlock_irq(&task_sighand(me)->siglock);
		cond_resched();
		spin_lock_irq(&task_sighand(me)->siglock);
		if (s->stopper != me)
			return false;
	}
	s->stopper = NULL;
	return true;
}

/* siglock held, released. True when it stopped (and runs again); false: look for signals anew. */
static bool do_signal_stop(int sig) __releases(me->sighand->siglock)
{
	struct task *me = current;
	struct signal_struct *s = me->signal;
	int notify = 0;

	settle_signals(me);
	if (!(me->jobctl & JOBCTL_STOP_PENDING)) {
		/* SIGCONT may have come since the signal was taken. */
		if (!(me->jobctl & JOBCTL_STOP_DEQUEUED) || (s->flags & SIGNAL_GROUP_EXIT) || s->group_exec_task) {
			spin_unlock_irq(&task_sighand(me)->siglock);
			return false;
		}
		if (!stop_threads(s, sig)) {
			spin_unlock_irq(&task_sighand(me)->siglock);
			return false;
		}
	}
	if (!(me->jobctl & JOBCTL_STOP_PENDING)) {
		spin_unlock_irq(&task_sighand(me)->siglock);
		return false;
	}
	if (me->ptrace) {		/* it stops for its tracer, in a trap */
		me->jobctl |= JOBCTL_TRAP_STOP;
		spin_unlock_irq(&task_sighand(me)->siglock);
		return false;
	}
	if (task_participate_group_stop(me))
		notify = CLD_STOPPED;
	set_special_state(TASK_STOPPED);
	spin_unlock_irq(&task_sighand(me)->siglock);
	if (notify) {
		read_lock(&tasklist_lock);
		do_notify_parent_cldstop(me, false, notify);
		read_unlock(&tasklist_lock);
	}
	schedule();
	return true;
}

/* ---- choosing what to do ---- */

void end_by_signal(int sig)
{
	current->flags |= PF_SIGNALED;
	do_group_exit(sig | ((sigmask_of(sig) & SIG_COREDUMP_SET) && do_coredump(sig) ? 0x80 : 0));
}

static bool get_signal(struct taken *k)
{
	struct task *me = current;
	struct sighand_struct *h = task_sighand(me);
	struct signal_struct *s = me->signal;

again:
	spin_lock_irq(&h->siglock);
	if (unlikely(s->flags & (SIGNAL_CLD_STOPPED | SIGNAL_CLD_CONTINUED))) {
		int why = s->flags & SIGNAL_CLD_CONTINUED ? CLD_CONTINUED : CLD_STOPPED;

		s->flags &= ~(unsigned int)(SIGNAL_CLD_STOPPED | SIGNAL_CLD_CONTINUED);
		spin_unlock_irq(&h->siglock);
		read_lock(&tasklist_lock);
		do_notify_parent_cldstop(me->group_leader, false, why);
		if (ptrace_reparented(me->group_leader))
			do_notify_parent_cldstop(me->group_leader, true, why);
		read_unlock(&tasklist_lock);
		goto again;
	}
	for (;;) {
		struct k_sigaction *a;

		settle_signals(me);
		if ((s->flags & SIGNAL_GROUP_EXIT) || s->group_exec_task) {
			me->pending.signal &= ~sigmask_of(SIGKILL);
			recalc_sigpending();
			spin_unlock_irq(&h->siglock);
			do_group_exit(s->group_exit_code);
		}
		if (unlikely((me->jobctl & JOBCTL_STOP_PENDING) && !(me->ptrace && (me->jobctl & JOBCTL_TRAP_STOP)))) {
			do_signal_stop(0);
			goto again;
		}
		if (unlikely(me->jobctl & JOBCTL_TRAP_MASK)) {
			ptrace_do_trap();
			spin_unlock_irq(&h->siglock);
			goto again;
		}
		k->sig = dequeue_signal_unblocked(&k->info);
		if (!k->sig)
			break;
		if (sigmask_of(k->sig) & SIG_STOP_SET)
			me->jobctl |= JOBCTL_STOP_DEQUEUED;
		if (unlikely(me->ptrace) && k->sig != SIGKILL) {
			me->jobctl |= JOBCTL_STOP_DEQUEUED;
			k->sig = ptrace_signal(k->sig, &k->info);
			if (!k->sig)
				continue;
		}
		a = &h->action[k->sig - 1];
		if (a->handler == SIG_KERNEL_IGN)
			continue;
		if (a->handler != SIG_KERNEL_DFL) {
			k->act = *a;
			if (a->flags & SA_RESETHAND)
				a->handler = SIG_KERNEL_DFL;
			break;
		}
		if (sigmask_of(k->sig) & SIG_DEFAULT_IGNORE)
			continue;
		if ((s->flags & SIGNAL_UNKILLABLE) && !(sigmask_of(k->sig) & (sigmask_of(SIGKILL) | sigmask_of(SIGSTOP))))
			continue;
		if (sigmask_of(k->sig) & SIG_STOP_SET) {
			if (k->sig != SIGSTOP) {
				spin_unlock_irq(&h->siglock);
				/* POSIX: an orphaned group is not stopped by the terminal. */
				if (is_current_pgrp_orphaned())
					goto again;
				spin_lock_irq(&h->siglock);
			}
			do_signal_stop(k->sig);
			goto again;
		}
		spin_unlock_irq(&h->siglock);
		end_by_signal(k->sig);
	}
	spin_unlock_irq(&h->siglock);
	return k->sig > 0;
}

static bool is_restart(long ret)
{
	return ret == -ERESTARTSYS || ret == -ERESTARTNOINTR || ret == -ERESTARTNOHAND || ret == -ERESTART_RESTARTBLOCK;
}

/* A handler will run: how the interrupted call ends. */
static void end_call_for_handler(struct pt_regs *regs, const struct k_sigaction *a)
{
	long ret = arch_syscall_ret(regs);

	if (arch_syscall_nr(regs) < 0 || !is_restart(ret))
		return;
	if (ret == -ERESTARTNOINTR || (ret == -ERESTARTSYS && (a->flags & SA_RESTART)))
		arch_syscall_restart(regs);
	else
		arch_syscall_set_ret(regs, -EINTR);
	arch_syscall_forget(regs);
}

static void end_call_without_handler(struct pt_regs *regs)
{
	long ret = arch_syscall_ret(regs);

	if (arch_syscall_nr(regs) < 0 || !is_restart(ret))
		return;
	if (ret == -ERESTART_RESTARTBLOCK)
		arch_syscall_restart_block(regs);
	else
		arch_syscall_restart(regs);
	arch_syscall_forget(regs);
}

static void run_handler(struct pt_regs *regs, struct taken *k)
{
	struct task *t = current;
	bool restore = test_bit(TIF_RESTORE_SIGMASK, &t->work_flags);
	struct arch_sigframe f = {
		.sig = k->sig, .handler = k->act.handler, .restorer = k->act.restorer, .flags = k->act.flags, .info = &k->info, .info_size = SIGINFO_USED,
		.mask = restore ? t->saved_sigmask : t->blocked,
		.altstack_sp = t->sas_ss_sp, .altstack_size = t->sas_ss_size, .altstack_flags = (int)t->sas_ss_flags,
	};
	bool stepping = test_bit(TIF_SINGLESTEP, &t->work_flags);
	u64 blocked;

	end_call_for_handler(regs, &k->act);
	rseq_signal(regs);
	if (stepping)
		arch_set_single_step(t, false);		/* not for the frame's flags */
	if (arch_signal_setup(regs, &f)) {
		/* The handler of SIGSEGV may have a stack that works. */
		if (k->sig == SIGSEGV)
			force_fatal_sig(SIGSEGV);
		else
			force_sig(SIGSEGV);
		return;
	}
	clear_bit(TIF_RESTORE_SIGMASK, &t->work_flags);
	if (t->sas_ss_flags & SS_AUTODISARM) {
		t->sas_ss_sp = 0;
		t->sas_ss_size = 0;
		t->sas_ss_flags = SS_DISABLE;
	}
	blocked = t->blocked | k->act.mask;
	if (!(k->act.flags & SA_NODEFER))
		blocked |= sigmask_of(k->sig);
	set_current_blocked(blocked);
	if (stepping)
		ptrace_notify(SIGTRAP, 0);		/* the step into the handler */
}

bool proc_ran_task_work(void)
{
	if (test_thread_flag(TIF_SIGPENDING) || !test_thread_flag(TIF_NOTIFY_SIGNAL))
		return false;
	clear_bit(TIF_NOTIFY_SIGNAL, &current->work_flags);
	smp_mb__after_atomic();
	task_work_run();
	return true;
}

void proc_worker_signal(void)
{
	struct taken k;

	clear_bit(TIF_NOTIFY_SIGNAL, &current->work_flags);
	smp_mb__after_atomic();
	task_work_run();
	WARN_ON(get_signal(&k));
}

static void do_signals(struct pt_regs *regs)
{
	struct taken k;

	clear_bit(TIF_NOTIFY_SIGNAL, &current->work_flags);
	if (get_signal(&k)) {
		run_handler(regs, &k);
		return;
	}
	end_call_without_handler(regs);
	restore_saved_sigmask_unless(false);
}

#define WORK_MASK (_TIF(TIF_NEED_RESCHED) | _TIF(TIF_NEED_RESCHED_LAZY) | _TIF(TIF_SIGPENDING) | _TIF(TIF_NOTIFY_RESUME) | \
	_TIF(TIF_NOTIFY_SIGNAL) | _TIF(TIF_RSEQ))

#define RESCHED_MASK (_TIF(TIF_NEED_RESCHED) | _TIF(TIF_NEED_RESCHED_LAZY))

static void switch_away(struct pt_regs *regs, unsigned long flags)
{
	if (unlikely(current->slice_enabled)) {
		if (!(flags & WORK_MASK & ~(RESCHED_MASK | _TIF(TIF_RSEQ))) && rseq_extend_slice(regs))
			return;
		rseq_end_slice();
	}
	schedule();
}

static void rseq_work(struct pt_regs *regs)
{
	clear_bit(TIF_RSEQ, &current->work_flags);
	smp_mb__after_atomic();
	rseq_return_to_user(regs);
}

void exit_to_user_work(struct pt_regs *regs, unsigned long flags)
{
	for (;;) {
		flags = READ_ONCE(current->work_flags);
		if (!(flags & WORK_MASK))
			break;
		local_irq_enable();
		if (flags & RESCHED_MASK)
			switch_away(regs, flags);
		if (flags & _TIF(TIF_NOTIFY_RESUME)) {
			clear_bit(TIF_NOTIFY_RESUME, &current->work_flags);
			smp_mb__after_atomic();
			task_work_run();
		}
		if (flags & (_TIF(TIF_SIGPENDING) | _TIF(TIF_NOTIFY_SIGNAL)))
			do_signals(regs);
		if (flags & _TIF(TIF_RSEQ))
			rseq_work(regs);
		local_irq_disable();
	}
}

void trap_to_signal(struct pt_regs *regs, int sig, int code, unsigned long addr)
{
	static struct ratelimit rl = RATELIMIT_INIT;

	if (print_fatal_signals && ratelimit_ok(&rl))
		pr_info("%s[%d]: signal %d code %d at ip %lx sp %lx addr %lx\n", current->comm, current->pid, sig, code,
			regs_ip(regs), regs_sp(regs), addr);
	force_sig_fault(sig, code, addr);
}

int print_fatal_signals;

/* The kernel faulted on the task's behalf, or a trap must not return: it ends here. */
void task_die(int sig)
{
	do_group_exit(sig);
}

void oops_end_task(struct pt_regs *regs)
{
	struct task *t = current;

	if (in_interrupt() || (t->flags & PF_IDLE) || t->pid <= 1 || (t->flags & PF_EXITING))
		return;
	/* Locks it holds stay held; counts it raised stay raised. What is safe is to stop running it. */
	this_cpu_write(cpu_in_guest, false);
	preempt_count_set(0);
	local_irq_enable();
	t->flags |= PF_SIGNALED;
	if (t->flags & PF_KTHREAD)
		do_exit(SIGSEGV);
	do_group_exit(SIGSEGV);
}

/* rt_sigreturn: the context of before the handler. */
long proc_sigreturn(struct pt_regs *regs)
{
	struct arch_sigreturn r;
	struct task *t = current;

	t->restart.fn = NULL;
	if (arch_signal_return(regs, &r)) {
		force_sig(SIGSEGV);
		return 0;
	}
	set_current_blocked(r.mask);
	/* sigaltstack(2) rules: not while on it, size large enough; a bad one is ignored, as documented for frames. */
	if (!(t->sas_ss_sp && regs_sp(regs) - t->sas_ss_sp < t->sas_ss_size)) {
		if (r.altstack_flags & SS_DISABLE) {
			t->sas_ss_sp = 0;
			t->sas_ss_size = 0;
			t->sas_ss_flags = SS_DISABLE;
		} else if (r.altstack_size >= MINSIGSTKSZ && arch_signal_stack_fits(r.altstack_size)) {
			t->sas_ss_sp = r.altstack_sp;
			t->sas_ss_size = r.altstack_size;
			t->sas_ss_flags = (unsigned int)r.altstack_flags & SS_AUTODISARM;
		}
	}
	return arch_syscall_ret(regs);
}
