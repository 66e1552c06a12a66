// SPDX-License-Identifier: MIT
/*
 * Sending, queueing and taking signals (signal(7), sigaction(2)).
 *
 * A signal is a bit in a pending set and, where there is something to tell, a queued siginfo. Standard signals are queued
 * once; real-time ones as often as they are sent, in order. All under siglock. Who sends also chooses a thread that
 * does not block the signal and wakes it; a fatal one wakes the whole group with SIGKILL.
 */
#include <lib/types.h>
#include <lib/bits.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <mm/uaccess.h>
#include <proc/posix_timers.h>
#include <proc/proc_priv.h>
#include <proc/ptrace.h>
#include <proc/signal.h>
#include <proc/signal_many.h>
#include <proc/signal_sets.h>
#include <proc/sigqueue.h>
#include <proc/threads.h>
#include <proc/upcalls.h>
#include <sched/sched.h>
#include <sched/upcalls.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/signal.h>

/* ---- who has one ---- */

static bool has_pending(struct task *t)
{
	return ((t->pending.signal | t->signal->shared_pending.signal) & ~t->blocked) ||
	       (t->jobctl & JOBCTL_PENDING_MASK);
}

static bool recalc_task(struct task *t)
{
	if (has_pending(t)) {
		set_tsk_flag(t, TIF_SIGPENDING);
		return true;
	}
	return false;
}

void recalc_sigpending(void)
{
	if (!recalc_task(current) && test_thread_flag(TIF_SIGPENDING))
		clear_thread_flag(TIF_SIGPENDING);
}

void note_sigpending(void)
{
	recalc_task(current);
}

bool fatal_signal_pending(const struct task *t)
{
	return signal_pending(t) && (t->pending.signal & sigmask_of(SIGKILL));
}

void signal_wake_up_state(struct task *t, unsigned int state)
{
	set_tsk_flag(t, TIF_SIGPENDING);
	/* A running one is made to look: its next return to user mode is behind an interrupt at the latest. */
	if (!wake_up_state(t, state | TASK_INTERRUPTIBLE))
		kick_process(t);
}

static void signal_wake_up(struct task *t, bool fatal)
{
	unsigned int state = 0;

	if (fatal)
		state = TASK_WAKEKILL | (t->jobctl & JOBCTL_FROZEN ? 0 : TASK_TRACED_);
	signal_wake_up_state(t, state);
}

struct sighand_struct *(lock_task_sighand)(struct task *t, unsigned long *flags)
{
	struct sighand_struct *s;

	rcu_read_lock();
	for (;;) {
		s = rcu_dereference(t->sighand);
		if (!s)
			break;
		/* The cache is type-safe under RCU: the lock is a lock even if the structure changed hands. */
		spin_lock_irqsave(&s->siglock, *flags);
		if (likely(s == rcu_access_pointer(t->sighand))) {
			__release(s->siglock);		/* its prototype says when it is held */
			break;
		}
		spin_unlock_irqrestore(&s->siglock, *flags);
	}
	rcu_read_unlock();
	return s;
}

static bool sig_is_ignored(struct task *t, int sig)
{
	unsigned long h = task_sighand(t)->action[sig - 1].handler;

	return h == SIG_KERNEL_IGN || (h == SIG_KERNEL_DFL && (sigmask_of(sig) & SIG_DEFAULT_IGNORE));
}

bool sig_ignored_by(struct task *t, int sig)
{
	return sig_is_ignored(t, sig);
}

/*
 * Does T have no handler for SIG, and no default action either? An init of a namespace and a kernel thread have none, whoever sends; but FORCE (the kernel, or
 * a process outside of the namespace) kills and stops an init (pid_namespaces(7)), other than process 1 of all.
 */
static bool is_protected(struct task *t, int sig, bool force)
{
	bool last_resort = sigmask_of(sig) & (sigmask_of(SIGKILL) | sigmask_of(SIGSTOP));

	if (task_sighand(t)->action[sig - 1].handler != SIG_KERNEL_DFL)
		return false;
	if (t->flags & PF_KTHREAD)
		return true;
	if (last_resort && t->group_leader->pid == 1)
		return true;
	return (t->signal->flags & SIGNAL_UNKILLABLE) && !(force && last_resort);
}

/* Would sending be for nothing? Blocked ones are kept: the handler may change. */
static bool drop_signal(struct task *t, int sig, bool force)
{
	if ((t->blocked | t->real_blocked) & sigmask_of(sig))
		return false;
	if (t->ptrace && sig != SIGKILL)
		return false;
	return is_protected(t, sig, force) || sig_is_ignored(t, sig);
}

/* What the mere sending does: SIGCONT starts a stopped group, a stop signal cancels SIGCONT. False: drop it. */
static bool prepare_signal(int sig, struct task *p, bool force)
{
	struct signal_struct *s = p->signal;

	if (s->flags & SIGNAL_GROUP_EXIT)
		return sig == SIGKILL && (s->flags & SIGNAL_GROUP_EXIT) && s->group_exit_code & 0x80;
	if (sigmask_of(sig) & SIG_STOP_SET) {
		flush_mask(sigmask_of(SIGCONT), &s->shared_pending);
		s->stop_seq = ++s->job_seq;
		settle_signals(p);
	} else if (sig == SIGCONT) {
		unsigned int why = 0;

		flush_mask(SIG_STOP_SET, &s->shared_pending);
		s->cont_seq = ++s->job_seq;
		settle_signals(p);
		s->stopper = NULL;
		continue_threads(s);
		if (s->flags & SIGNAL_STOP_STOPPED)
			why = SIGNAL_CLD_CONTINUED;
		else if (s->group_stop_count)
			why = SIGNAL_CLD_STOPPED;
		if (why) {
			s->flags = (s->flags & SIGNAL_UNKILLABLE) | why | SIGNAL_STOP_CONTINUED;
			s->group_stop_count = 0;
			s->group_exit_code = 0;
		}
	}
	return !drop_signal(p, sig, force);
}

static __always_inline bool takes_signal(int sig, struct task *t)
{
	if ((t->blocked & sigmask_of(sig)) || (t->flags & PF_EXITING))
		return false;
	if (sig == SIGKILL)
		return true;
	if (READ_ONCE(t->state) & (TASK_STOPPED_ | TASK_TRACED_))
		return false;
	return t == current || !signal_pending(t);
}

bool wants_signal(int sig, struct task *t)
{
	return takes_signal(sig, t);
}

static bool sig_is_fatal(struct task *t, int sig)
{
	return !(sigmask_of(sig) & (SIG_DEFAULT_IGNORE | SIG_STOP_SET)) && task_sighand(t)->action[sig - 1].handler == SIG_KERNEL_DFL;
}

/* siglock held: X is on its way out. */
static void kill_thread(struct task *x)
{
	x->jobctl &= ~JOBCTL_PENDING_MASK;
	if (x->exit_state)
		return;
	x->pending.signal |= sigmask_of(SIGKILL);
	signal_wake_up(x, true);
}

#define ZAP_MOST 32

/* siglock held: some threads of a group that ends are killed. */
static void zap_some(struct signal_struct *s)
{
	struct task *x = s->zap_next;

	for (int n = 0; x && n < ZAP_MOST; n++) {
		if (x != s->zap_not)
			kill_thread(x);
		x = thread_next(x);
	}
	WRITE_ONCE(s->zap_next, x);
}

/* siglock held: all threads but T, or NULL, are to be killed, the first of them now. */
static void begin_zap(struct signal_struct *s, struct task *t)
{
	s->stopper = NULL;
	s->zap_next = list_first_entry(&s->threads, struct task, thread_node);
	s->zap_not = t;
	zap_some(s);
}

/* siglock held: the group ends with CODE, of which NOT (or NULL) knows. The first of its threads do the rest, some at a time (do_group_exit). No new thread comes. */
static void begin_group_exit(struct signal_struct *s, int code, struct task *not)
{
	s->flags = SIGNAL_GROUP_EXIT | (not ? 0 : s->flags & SIGNAL_UNKILLABLE);
	s->group_exit_code = code;
	s->group_stop_count = 0;
	s->stopper = NULL;
	if (not && list_is_singular(&s->threads))
		return;
	begin_zap(s, not);
}

void zap_forget(struct signal_struct *s, struct task *t)
{
	if (unlikely(s->zap_next == t))
		WRITE_ONCE(s->zap_next, thread_next(t));
}

/* T takes SIG, which was sent to P or its process. */
static __always_inline void hand_over(int sig, struct task *p, struct task *t)
{
	struct signal_struct *s = p->signal;

	if (sig_is_fatal(p, sig) && !(s->flags & SIGNAL_GROUP_EXIT) && !(t->real_blocked & sigmask_of(sig)) &&
	    (sig == SIGKILL || !p->ptrace) && !(sigmask_of(sig) & SIG_COREDUMP_SET)) {
		/* Nothing can stop it: the whole group dies at once. */
		begin_group_exit(s, sig, NULL);
		kill_thread(t);
		return;
	}
	signal_wake_up(t, sig == SIGKILL);
}

void signal_chosen(int sig, struct task *p, struct task *t)
{
	hand_over(sig, p, t);
}

static struct task *choose_of_few(int sig, struct task *p)
{
	struct task *x;

	for_each_thread(p, x)
		if (takes_signal(sig, x))
			return x;
	return NULL;
}

/* Chooses the thread that will take SIG and wakes it. */
static void complete_signal(int sig, struct task *p, enum pid_type type)
{
	struct task *t = p;

	if (!takes_signal(sig, p)) {
		if (type == PIDTYPE_PID || list_is_singular(&p->signal->threads))
			return;
		t = unlikely(p->signal->nr_threads > THREADS_MOST) ? choose_of_many(sig, p) : choose_of_few(sig, p);
		if (!t)
			return;		/* whoever unblocks it first takes it */
	}
	hand_over(sig, p, t);
}

/* What the running task says of itself, as T may see it. OUTSIDE: its pid is none in T's namespace. */
static void translate(struct siginfo *i, struct task *t, bool outside)
{
	struct user_namespace *ns;

	if (outside)
		i->si_pid = 0;
	rcu_read_lock();
	ns = __task_cred(t)->user_ns;
	if (ns != current_user_ns())
		i->si_uid = from_kuid_munged(ns, make_kuid(current_user_ns(), i->si_uid));
	rcu_read_unlock();
}

static bool from_a_task(const struct siginfo *i)
{
	return i->si_code == SI_USER || i->si_code == SI_TKILL || i->si_code == SI_QUEUE;
}

static void fill_info(struct siginfo *to, int sig, const struct siginfo *info, struct task *t, bool outside)
{
	if (likely(info != SEND_SIG_NOINFO && info != SEND_SIG_PRIV)) {
		copy_siginfo(to, info);
		to->si_signo = sig;
		if (from_a_task(info))
			translate(to, t, outside);
		return;
	}
	clear_siginfo(to);
	to->si_signo = sig;
	if (info == SEND_SIG_NOINFO) {
		to->si_code = SI_USER;
		to->si_pid = task_tgid_nr_ns(current, task_active_pid_ns(t));
		rcu_read_lock();
		to->si_uid = from_kuid_munged(__task_cred(t)->user_ns, current_uid());
		rcu_read_unlock();
	} else {
		to->si_code = SI_KERNEL;
	}
}

static void tell_signalfd(struct work_struct *w)
{
	struct sighand_struct *h = container_of(w, struct sighand_struct, tell_signalfd);

	__wake_up(&h->signalfd_wqh, TASK_NORMAL, 0, poll_to_key(1 /* EPOLLIN */));
}

void init_signalfd(struct sighand_struct *h)
{
	init_waitqueue_head(&h->signalfd_wqh);
	h->tell_used = false;
}

/* siglock held, under which who waits looks once more after it has queued itself. How many wait is the user's choice. */
static void wake_signalfd(struct sighand_struct *h)
{
	if (likely(!waitqueue_active(&h->signalfd_wqh)) || wake_up_few(&h->signalfd_wqh, TASK_NORMAL, poll_to_key(1 /* EPOLLIN */)))
		return;
	if (!h->tell_used)
		INIT_WORK(&h->tell_signalfd, tell_signalfd);
	h->tell_used = true;
	queue_work(system_unbound_wq, &h->tell_signalfd);
}

/* siglock held. A child that T's process is making would miss a signal to its group: copy_process() begins anew. */
static void tell_forks(struct task *t, enum pid_type type)
{
	if (type > PIDTYPE_TGID)
		smp_store_release(&t->signal->group_seq, t->signal->group_seq + 1);	/* a task that sees the new count sees the signal, too */
}

/* siglock held. */
static int send_locked(int sig, struct siginfo *info, struct task *t, enum pid_type type, bool force)
{
	struct sigpending *p = type == PIDTYPE_PID ? task_pending(t) : &t->signal->shared_pending;
	struct sigqueue *q;
	bool must_queue;

	if (!prepare_signal(sig, t, force))
		return 0;
	if (sig < SIGRTMIN && (p->signal & sigmask_of(sig))) {
		tell_forks(t, type);
		return 0;
	}
	if (sig == SIGKILL || (t->flags & PF_KTHREAD))
		goto set_bit;
	must_queue = sig < SIGRTMIN && (info == SEND_SIG_NOINFO || info == SEND_SIG_PRIV || info->si_code >= 0);
	q = sigqueue_alloc(t, GFP_ATOMIC, must_queue);
	if (q) {
		fill_info(signal_owned_info(q), sig, info, t, force);
		sigqueue_add(q, p);
	} else if (info != SEND_SIG_NOINFO && info != SEND_SIG_PRIV && sig >= SIGRTMIN && info->si_code != SI_USER) {
		return -EAGAIN;		/* sigqueue(3) must not lose one silently */
	}
set_bit:
	wake_signalfd(task_sighand(t));
	p->signal |= sigmask_of(sig);
	complete_signal(sig, t, type);
	tell_forks(t, type);
	return 0;
}

int send_signal_locked(int sig, struct siginfo *info, struct task *t, enum pid_type type)
{
	return send_locked(sig, info, t, type, false);
}

int send_kernel_signal_locked(int sig, struct task *t, enum pid_type type)
{
	return send_locked(sig, SEND_SIG_PRIV, t, type, true);
}

bool signal_queue_owned(struct sigqueue *q, struct task *t, enum pid_type type)
{
	struct sigpending *p = type == PIDTYPE_PID ? task_pending(t) : &t->signal->shared_pending;
	int sig = signal_owned_info(q)->si_signo;

	if (signal_owned_is_queued(q))
		return true;
	if (!prepare_signal(sig, t, false))
		return false;
	wake_signalfd(task_sighand(t));
	sigqueue_add(q, p);
	p->signal |= sigmask_of(sig);
	complete_signal(sig, t, type);
	return true;
}

/* Even the init of a pid namespace hears what the kernel says, and processes outside of it. */
static bool from_outside(const struct siginfo *info, struct task *t)
{
	if (info == SEND_SIG_PRIV)
		return true;
	if (same_thread_group(current, t) || (info != SEND_SIG_NOINFO && !from_a_task(info)))
		return false;
	return !pid_nr_ns(task_pid_type(current, PIDTYPE_TGID), task_active_pid_ns(t));
}

int do_send_sig_info(int sig, struct siginfo *info, struct task *t, enum pid_type type)
{
	unsigned long flags;
	int e = -ESRCH;

	if (lock_task_sighand(t, &flags)) {
		bool force = from_outside(info, t);

		e = send_locked(sig, info, t, type, force);
		unlock_task_sighand(t, &flags);
	}
	return e;
}

int send_sig_info(int sig, struct siginfo *info, struct task *t)
{
	if (sig < 0 || sig > _NSIG)
		return -EINVAL;
	return do_send_sig_info(sig, info, t, PIDTYPE_PID);
}

int send_sig(int sig, struct task *t, int priv)
{
	return send_sig_info(sig, priv ? SEND_SIG_PRIV : SEND_SIG_NOINFO, t);
}

/* ---- rights ---- */

static bool same_user(const struct cred *c, const struct cred *tc)
{
	return uid_eq(c->euid, tc->suid) || uid_eq(c->euid, tc->uid) || uid_eq(c->uid, tc->suid) || uid_eq(c->uid, tc->uid);
}

bool may_signal(const struct cred *c, struct task *t)
{
	const struct cred *tc = __task_cred(t);

	return same_user(c, tc) || ns_capable(tc->user_ns, CAP_KILL);
}

/* The same of another's credentials. */
static bool cred_may_signal(const struct cred *c, struct task *t)
{
	const struct cred *tc = __task_cred(t);

	return same_user(c, tc) || cred_capable(c, tc->user_ns, CAP_KILL);
}

static int check_kill_permission(int sig, struct siginfo *info, struct task *t)
{
	bool ok;

	if (sig < 0 || sig > _NSIG)
		return -EINVAL;
	if (info != SEND_SIG_NOINFO && (info == SEND_SIG_PRIV || info->si_code > 0))
		return 0;
	if (same_thread_group(current, t))
		return 0;
	rcu_read_lock();
	ok = may_signal(current_cred(), t) ||
	     (sig == SIGCONT && task_pid_type(current, PIDTYPE_SID) == task_pid_type(t, PIDTYPE_SID));
	rcu_read_unlock();
	return ok ? 0 : -EPERM;
}

int group_send_sig_info(int sig, struct siginfo *info, struct task *t, enum pid_type type)
{
	int e = check_kill_permission(sig, info, t);

	return e || !sig ? e : do_send_sig_info(sig, info, t, type);
}

int kill_pid_info(int sig, struct siginfo *info, struct pid *pid, enum pid_type type)
{
	struct task *t;
	int e;

	do {
		e = -ESRCH;
		rcu_read_lock();
		t = pid_task(pid, PIDTYPE_PID);
		if (t)
			e = group_send_sig_info(sig, info, t, type);
		rcu_read_unlock();
		/* It went during the check; but a thread in exec may have taken its place. */
	} while (t && e == -ESRCH);
	return e;
}

int kill_pid(struct pid *pid, int sig, int priv)
{
	return kill_pid_info(sig, priv ? SEND_SIG_PRIV : SEND_SIG_NOINFO, pid, PIDTYPE_TGID);
}

/* A signal to a group, and what came of it: 0 if any took it. */
struct group_signal {
	int sig;
	struct siginfo *info;
	bool ok;
	int e;
};

static enum for_group send_to_member(struct task *t, void *arg)
{
	struct group_signal *g = arg;
	int r = group_send_sig_info(g->sig, g->info, t, PIDTYPE_PGID);

	g->ok |= !r;
	if (g->e == -ESRCH || r != -EPERM)
		g->e = r;
	/* Who may send nothing holds nobody up. */
	return !r && g->sig ? GO_ON_HELD : GO_ON;
}

int kill_pgrp_info(int sig, struct siginfo *info, struct pid *pgrp)
{
	struct group_signal g = { .sig = sig, .info = info, .e = -ESRCH };

	if (pgrp)
		for_group(pgrp, send_to_member, &g);
	return g.ok ? 0 : g.e;
}

int kill_pgrp(struct pid *pgrp, int sig, int priv)
{
	return kill_pgrp_info(sig, priv ? SEND_SIG_PRIV : SEND_SIG_NOINFO, pgrp);
}

/* ---- everybody ---- */

/* A signal on its way to everybody whom SENDER may send it and NS shows. One at a time for each user. */
struct everybody {
	struct list_head node;		/* tasklist_lock */
	const struct cred *sender;
	struct pid_namespace *ns;
};
static LIST_HEAD(everybody);
static atomic_t everybody_ended;
static DECLARE_WAIT_QUEUE_HEAD(everybody_wait);

/* tasklist_lock held for writing: is T one of those to whom a signal is on its way? */
bool everybody_held(struct task *t, int *walk)
{
	struct everybody *w;

	list_for_each_entry(w, &everybody, node) {
		if (cred_may_signal(w->sender, t) && pid_nr_ns(task_own_pid(t), w->ns)) {
			*walk = atomic_read(&everybody_ended);
			return true;
		}
	}
	return false;
}

int wait_for_everybody(int walk)
{
	return wait_event_interruptible(everybody_wait, atomic_read(&everybody_ended) != walk);
}

static void hold_everybody(struct everybody *w)
{
	write_lock_irq(&tasklist_lock);
	list_add(&w->node, &everybody);
	atomic_inc(&holds_of_all);
	write_unlock_irq(&tasklist_lock);
}

static void let_go_of_everybody(struct everybody *w)
{
	if (list_empty(&w->node))
		return;
	write_lock_irq(&tasklist_lock);
	list_del(&w->node);
	atomic_dec(&holds_of_all);
	atomic_inc(&everybody_ended);
	write_unlock_irq(&tasklist_lock);
	wake_up_all(&everybody_wait);
}

#define EVERYBODY_MOST 32

/* By number, some at a time: whom it reaches first makes no other process before the last has it. */
static int signal_everybody(int sig, struct siginfo *info)
{
	struct everybody w = { .sender = current_cred(), .ns = task_active_pid_ns(current) };
	int e = 0, sent = 0;
	struct pid *pid;

	INIT_LIST_HEAD(&w.node);
	if (sig)
		hold_everybody(&w);
	rcu_read_lock();
	for (unsigned int i = 2, n = 1; (pid = find_ge_pid(&i, w.ns)); i++, n++) {
		struct task *t = pid_task(pid, PIDTYPE_TGID);

		if (t && !same_thread_group(t, current)) {
			int r = group_send_sig_info(sig, info, t, PIDTYPE_MAX);

			sent++;
			if (r != -EPERM)
				e = r;
		}
		if (n % EVERYBODY_MOST)
			continue;
		rcu_read_unlock();
		cond_resched();
		rcu_read_lock();
	}
	rcu_read_unlock();
	let_go_of_everybody(&w);
	return sent ? (e == -ESRCH ? 0 : e) : -ESRCH;
}

/* kill(2) with PID -1: everybody but init and the caller's own process. */
int kill_everybody(int sig, struct siginfo *info)
{
	struct mutex *mine = &current_cred()->user->everybody;
	int e;

	if (!sig)
		return signal_everybody(0, info);
	if (mutex_lock_killable(mine))
		return -EINTR;
	e = signal_everybody(sig, info);
	mutex_unlock(mine);
	return e;
}

/* ---- forced ---- */

static void force_info(struct siginfo *info, bool to_default)
{
	struct task *t = current;
	struct k_sigaction *a;
	unsigned long flags;
	int sig = info->si_signo;

	spin_lock_irqsave(&task_sighand(t)->siglock, flags);
	a = &task_sighand(t)->action[sig - 1];
	if ((t->blocked & sigmask_of(sig)) || a->handler == SIG_KERNEL_IGN || to_default) {
		a->handler = SIG_KERNEL_DFL;
		t->blocked &= ~sigmask_of(sig);
		recalc_task(t);
	}
	/* Even init dies of its own fault, unless it is traced or has a handler. */
	if (a->handler == SIG_KERNEL_DFL && !t->ptrace)
		t->signal->flags &= ~(unsigned int)SIGNAL_UNKILLABLE;
	send_locked(sig, info, t, PIDTYPE_PID, true);
	set_tsk_flag(t, TIF_SIGPENDING);
	spin_unlock_irqrestore(&task_sighand(t)->siglock, flags);
}

void force_sig(int sig)
{
	struct siginfo i;

	clear_siginfo(&i);
	i.si_signo = sig;
	i.si_code = SI_KERNEL;
	force_info(&i, false);
}

void force_fatal_sig(int sig)
{
	struct siginfo i;

	clear_siginfo(&i);
	i.si_signo = sig;
	i.si_code = SI_KERNEL;
	force_info(&i, true);
}

void force_sig_fault(int sig, int code, unsigned long addr)
{
	struct siginfo i;

	clear_siginfo(&i);
	i.si_signo = sig;
	i.si_code = code;
	i.si_addr = (void *)addr;
	force_info(&i, false);
}

void force_sig_seccomp(unsigned long addr, int nr, u32 arch, int data)
{
	struct siginfo i;

	clear_siginfo(&i);
	i.si_signo = SIGSYS;
	i.si_code = SYS_SECCOMP;
	i.si_call_addr = (void *)addr;
	i.si_errno = data;
	i.si_arch = arch;
	i.si_syscall = nr;
	force_info(&i, false);
}

/* ---- taking ---- */

static int next_signal(const struct sigpending *p, u64 mask)
{
	u64 x = p->signal & ~mask;

	if (!x)
		return 0;
	if (x & SIG_SYNCHRONOUS)
		x &= SIG_SYNCHRONOUS;
	return (int)__ffs(x) + 1;
}

/* MASK: what is not wanted. */
static int take_not_in(struct task *t, u64 mask, struct siginfo *info)
{
	int sig = next_signal(task_pending(t), mask);

	if (sig) {
		sigqueue_take(sig, task_pending(t), info);
	} else {
		sig = next_signal(&t->signal->shared_pending, mask);
		if (sig)
			sigqueue_take(sig, &t->signal->shared_pending, info);
		if (unlikely(sig == SIGALRM))
			itimer_taken(t->signal);
	}
	recalc_sigpending();
	return sig;
}

int dequeue_signal(u64 mask, struct siginfo *info)
{
	settle_signals(current);
	return take_not_in(current, ~mask, info);
}

int dequeue_signal_unblocked(struct siginfo *info)
{
	return take_not_in(current, current->blocked, info);
}

/* ---- masks ---- */

/* Shared signals that T no longer takes go to a thread that does. siglock held. */
static void retarget(struct task *t, u64 newly_blocked)
{
	u64 left = t->signal->shared_pending.signal & newly_blocked;
	struct task *x;

	if (!left)
		return;
	if (unlikely(t->signal->nr_threads > THREADS_MOST)) {
		seek_receivers(t->signal, left);
		return;
	}
	for_each_thread(t, x) {
		if (x == t || (x->flags & PF_EXITING) || !(left & ~x->blocked))
			continue;
		left &= x->blocked;
		if (!signal_pending(x))
			signal_wake_up(x, false);
		if (!left)
			return;
	}
}

void set_current_blocked(u64 mask)
{
	struct task *t = current;

	mask &= ~(sigmask_of(SIGKILL) | sigmask_of(SIGSTOP));
	if (t->blocked == mask)
		return;
	spin_lock_irq(&task_sighand(t)->siglock);
	if (signal_pending(t) && !list_is_singular(&t->signal->threads))
		retarget(t, mask & ~t->blocked);
	t->blocked = mask;
	recalc_sigpending();
	spin_unlock_irq(&task_sighand(t)->siglock);
}

int set_user_sigmask(struct uptr mask, size_t size)
{
	u64 m;

	if (uptr_is_null(mask))
		return 0;
	if (size != sizeof(u64))
		return -EINVAL;
	if (get_user(m, mask))
		return -EFAULT;
	current->saved_sigmask = current->blocked;
	set_bit(TIF_RESTORE_SIGMASK, &current->work_flags);
	set_current_blocked(m);
	return 0;
}

void restore_saved_sigmask_unless(bool interrupted)
{
	if (interrupted)
		return;		/* the handler's frame will put it back */
	if (test_and_clear_bit(TIF_RESTORE_SIGMASK, &current->work_flags))
		set_current_blocked(current->saved_sigmask);
}

int copy_siginfo_to_user(struct uptr to, const struct siginfo *from)
{
	return copy_to_user(to, from, SIGINFO_USED) || clear_user(uptr_add(to, SIGINFO_USED), sizeof(*from) - SIGINFO_USED) ? -EFAULT : 0;
}

/* Is it said anywhere what a signal with this code comes with? */
static bool has_known_form(const struct siginfo *i)
{
	static const u8 codes[_NSIG + 1] = {
		[SIGILL] = NSIGILL, [SIGFPE] = NSIGFPE, [SIGSEGV] = NSIGSEGV, [SIGBUS] = NSIGBUS, [SIGTRAP] = NSIGTRAP, [SIGCHLD] = NSIGCHLD,
		[SIGSYS] = NSIGSYS,
	};

	if (i->si_code <= SI_USER)
		return i->si_code >= SI_DETHREAD || i->si_code == SI_ASYNCNL;
	return i->si_code == SI_KERNEL || i->si_code <= NSIGPOLL ||
	       (i->si_signo > 0 && i->si_signo <= _NSIG && i->si_code <= codes[i->si_signo]);
}

int copy_siginfo_from_user(struct siginfo *to, struct uptr from)
{
	u64 rest[(sizeof(*to) - SIGINFO_USED) / sizeof(u64)], any = 0;

	if (copy_from_user(to, from, SIGINFO_USED))
		return -EFAULT;
	if (has_known_form(to))
		return 0;
	if (copy_from_user(rest, uptr_add(from, SIGINFO_USED), sizeof(rest)))
		return -EFAULT;
	for (size_t i = 0; i < ARRAY_SIZE(rest); i++)
		any |= rest[i];
	return any ? -E2BIG : 0;
}

/* ---- ends of life ---- */

/* Kills the rest of those, some at a time. */
static void zap_rest(struct signal_struct *s)
{
	while (READ_ONCE(s->zap_next)) {
		spin_lock_irq(&my_sighand()->siglock);
		zap_some(s);
		spin_unlock_irq(&my_sighand()->siglock);
		cond_resched();
	}
}

void zap_other_threads(struct task *t) __must_hold(t->sighand->siglock)
{
	t->signal->group_stop_count = 0;
	begin_zap(t->signal, t);
	spin_unlock_irq(&task_sighand(t)->siglock);
	zap_rest(t->signal);
	spin_lock_irq(&task_sighand(t)->siglock);
}

void do_group_exit(int code)
{
	struct signal_struct *s = current->signal;

	if (!(s->flags & SIGNAL_GROUP_EXIT)) {
		spin_lock_irq(&my_sighand()->siglock);
		if (s->flags & SIGNAL_GROUP_EXIT) {
			code = s->group_exit_code;
		} else if (s->group_exec_task) {
			code = 0;
		} else {
			begin_group_exit(s, code, current);
		}
		spin_unlock_irq(&my_sighand()->siglock);
	} else {
		code = s->group_exit_code;
	}
	zap_rest(s);
	do_exit(code);
}

/* The thread will take no more: what it might have taken goes to others. */
void exit_signals(struct task *t)
{
	int group_stop = 0;

	if (thread_group_empty(t) || (t->signal->flags & SIGNAL_GROUP_EXIT)) {
		t->flags |= PF_EXITING;
		return;
	}
	spin_lock_irq(&task_sighand(t)->siglock);
	t->flags |= PF_EXITING;
	if (signal_pending(t)) {
		settle_signals(t);
		retarget(t, ~t->blocked);
		if ((t->jobctl & JOBCTL_STOP_PENDING) && !t->signal->group_exec_task && task_participate_group_stop(t))
			group_stop = CLD_STOPPED;
	}
	spin_unlock_irq(&task_sighand(t)->siglock);
	if (group_stop) {
		read_lock(&tasklist_lock);
		do_notify_parent_cldstop(t, false, group_stop);
		read_unlock(&tasklist_lock);
	}
}

void flush_signals_for_exec(struct task *t)
{
	spin_lock_irq(&task_sighand(t)->siglock);
	for (int i = 0; i < _NSIG; i++) {
		struct k_sigaction *a = &task_sighand(t)->action[i];

		if (a->handler != SIG_KERNEL_IGN)
			a->handler = SIG_KERNEL_DFL;
		a->flags = 0;
		a->mask = 0;
		a->restorer = 0;
	}
	spin_unlock_irq(&task_sighand(t)->siglock);
}

/* siglock held: SIG is no longer pending in some threads of S that came after *AFTER. False: there are more. */
static bool forget_some(struct signal_struct *s, int sig, u64 *after)
{
	struct task *t = thread_after(s, *after);
	unsigned int most = FLUSH_MOST;

	for (; t && most; t = thread_next(t), most--) {
		if ((t->pending.signal & sigmask_of(sig)) && flush_mask_some(sigmask_of(sig), task_pending(t), &most))
			return false;
		*after = t->thread_stamp;
		if (!most)
			return false;
	}
	return !t;
}

bool proc_forget_signal(struct task *t, int sig)
{
	unsigned int most = FLUSH_MOST;
	u64 after = 0;

	if (likely(!((t->signal->shared_pending.signal | t->pending.signal) & sigmask_of(sig)) && list_is_singular(&t->signal->threads)))
		return false;
	return flush_mask_some(sigmask_of(sig), &t->signal->shared_pending, &most) || !forget_some(t->signal, sig, &after);
}

void proc_forget_rest(int sig)
{
	struct signal_struct *s = current->signal;
	bool more = true;
	u64 after = 0;

	while (more && !fatal_signal_pending(current)) {
		unsigned int most = FLUSH_MOST;

		spin_lock_irq(&my_sighand()->siglock);
		/* Another thread may have given it a handler again. */
		more = sig_is_ignored(current, sig) &&
		       (flush_mask_some(sigmask_of(sig), &s->shared_pending, &most) || !forget_some(s, sig, &after));
		spin_unlock_irq(&my_sighand()->siglock);
		cond_resched();
	}
}
