// SPDX-License-Identifier: MIT
/*
 * The end of a task, and wait(2).
 *
 * do_exit() gives back what the task holds, room by room, tells its parent, and becomes a zombie: a number and an exit
 * status. release_task() removes that when it was waited for, or at once if nobody will. A thread that is not the leader
 * vanishes by itself; the leader stays until its last thread is gone. Children go to the nearest subreaper or the init of
 * the namespace.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <arch/uaccess.h>
#include <kernel/bug.h>
#include <kernel/printk.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <proc/posix_timers.h>
#include <proc/proc_priv.h>
#include <proc/ptrace.h>
#include <proc/signal.h>
#include <proc/signal_sets.h>
#include <proc/threads.h>
#include <proc/upcalls.h>
#include <proc/wait.h>
#include <sched/completion.h>
#include <sched/guest.h>
#include <sched/sched.h>
#include <sched/task_life.h>
#include <sched/upcalls.h>
#include <abi/errno.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/wait.h>

bool thread_group_empty(struct task *t)
{
	return t->group_leader == t && list_is_singular(&t->signal->threads);
}

/* ---- telling the parent ---- */

void proc_notify_pidfd(struct task *t)
{
	struct pid *p = task_own_pid(t);

	if (p)
		pid_tell_end(p);
}

bool do_notify_parent(struct task *t, int sig)
{
	struct siginfo info;
	struct sighand_struct *h = task_sighand(task_parent(t));
	unsigned long flags;
	bool autoreap = false;
	u64 u, s;

	/* The parent has executed another program since, perhaps one with more rights: that did not choose this signal. */
	if (sig != SIGCHLD && t->parent_exec_id != READ_ONCE(task_parent(t)->self_exec_id))
		sig = SIGCHLD;
	clear_siginfo(&info);
	info.si_signo = sig;
	rcu_read_lock();
	info.si_pid = task_pid_nr_ns(t, task_active_pid_ns(task_parent(t)));
	info.si_uid = from_kuid_munged(__task_cred(task_parent(t))->user_ns, __task_cred(t)->uid);
	rcu_read_unlock();
	task_cputime(t, &u, &s);
	info.si_utime = (__kernel_clock_t)nsec_to_clock_t(u + t->signal->utime_ns);
	info.si_stime = (__kernel_clock_t)nsec_to_clock_t(s + t->signal->stime_ns);
	info.si_status = t->exit_code & 0x7f;
	if (t->exit_code & 0x80)
		info.si_code = CLD_DUMPED;
	else if (t->exit_code & 0x7f)
		info.si_code = CLD_KILLED;
	else {
		info.si_code = CLD_EXITED;
		info.si_status = t->exit_code >> 8;
	}
	spin_lock_irqsave(&h->siglock, flags);
	if (!t->ptrace && sig == SIGCHLD) {
		struct k_sigaction *a = &h->action[SIGCHLD - 1];

		if (a->handler == SIG_KERNEL_IGN || (a->flags & SA_NOCLDWAIT)) {
			autoreap = true;	/* POSIX: children leave no zombie */
			if (a->handler == SIG_KERNEL_IGN)
				sig = 0;
		}
	}
	spin_unlock_irqrestore(&h->siglock, flags);
	if (sig > 0)
		do_send_sig_info(sig, &info, task_parent(t), PIDTYPE_TGID);
	wake_up_interruptible_all(&task_parent(t)->signal->wait_chldexit);
	proc_notify_pidfd(t);
	return autoreap;
}

void do_notify_parent_cldstop(struct task *t, bool for_ptracer, int why)
{
	struct task *leader = for_ptracer ? t : t->group_leader, *parent = for_ptracer ? task_parent(t) : task_real_parent(leader);
	struct siginfo info;
	unsigned long flags;
	bool send;

	clear_siginfo(&info);
	info.si_signo = SIGCHLD;
	info.si_code = why;
	rcu_read_lock();
	info.si_pid = task_pid_nr_ns(leader, task_active_pid_ns(parent));
	info.si_uid = from_kuid_munged(__task_cred(parent)->user_ns, __task_cred(leader)->uid);
	rcu_read_unlock();
	info.si_status = why == CLD_CONTINUED ? SIGCONT : why == CLD_TRAPPED ? t->exit_code & 0x7f : leader->signal->group_exit_code & 0x7f;
	spin_lock_irqsave(&task_sighand(parent)->siglock, flags);
	send = task_sighand(parent)->action[SIGCHLD - 1].handler != SIG_KERNEL_IGN &&
	       !(task_sighand(parent)->action[SIGCHLD - 1].flags & SA_NOCLDSTOP);
	spin_unlock_irqrestore(&task_sighand(parent)->siglock, flags);
	if (send)
		do_send_sig_info(SIGCHLD, &info, parent, PIDTYPE_TGID);
	wake_up_interruptible_all(&parent->signal->wait_chldexit);
}

/* ---- orphans ---- */

/* tasklist_lock held: does T, by its parent, keep its group in the session's job control? */
static bool keeps_group(struct task *t)
{
	struct task *parent = task_real_parent(t);

	if ((t->exit_state && thread_group_empty(t)) || parent->pid == 1)
		return false;
	return task_pid_type(parent, PIDTYPE_PGID) != task_pid_type(t, PIDTYPE_PGID) &&
	       task_pid_type(parent, PIDTYPE_SID) == task_pid_type(t, PIDTYPE_SID);
}

struct orphan_search {
	bool kept, stopped;
};

static enum for_group search_member(struct task *t, void *arg)
{
	struct orphan_search *o = arg;

	o->kept = keeps_group(t);
	o->stopped |= t->signal->flags & SIGNAL_STOP_STOPPED;
	return o->kept ? ENOUGH : GO_ON;
}

bool is_current_pgrp_orphaned(void)
{
	struct orphan_search o = { .kept = false };
	struct pid *pgrp = get_task_pid(current, PIDTYPE_PGID);

	for_group(pgrp, search_member, &o);
	put_pid(pgrp);
	return !o.kept;
}

/* Large groups that may have become orphans. tasklist_lock */
static LIST_HEAD(orphaned_groups);

static struct pid *next_orphaned_group(void)
{
	struct pid *pgrp;

	write_lock_irq(&tasklist_lock);
	pgrp = list_first_entry_or_null(&orphaned_groups, struct pid, orphan);
	if (pgrp)
		list_del_init(&pgrp->orphan);
	write_unlock_irq(&tasklist_lock);
	return pgrp;
}

static void signal_orphaned_groups(struct work_struct *unused)
{
	struct pid *pgrp;

	while ((pgrp = next_orphaned_group())) {
		struct orphan_search o = { .kept = false };

		for_group(pgrp, search_member, &o);
		if (!o.kept && o.stopped) {
			kill_pgrp(pgrp, SIGHUP, 1);
			kill_pgrp(pgrp, SIGCONT, 1);
		}
		put_pid(pgrp);
		cond_resched();
	}
}
static DECLARE_WORK(orphan_work, signal_orphaned_groups);

/* The group of T loses its link to the session through T (or through T's PARENT): POSIX wants SIGHUP, SIGCONT. tasklist_lock held for writing. */
static void kill_orphaned_pgrp(struct task *t, struct task *parent)
{
	struct pid *pgrp = task_pid_type(t, PIDTYPE_PGID);
	struct task *ignored = parent ? NULL : t, *x;
	bool stopped = false;

	if (!parent)
		parent = task_real_parent(t);
	if (task_pid_type(parent, PIDTYPE_PGID) == pgrp ||
	    task_pid_type(parent, PIDTYPE_SID) != task_pid_type(t, PIDTYPE_SID))
		return;
	if (pgrp->group_size > GROUP_MOST) {
		if (list_empty(&pgrp->orphan)) {
			list_add_tail(&get_pid(pgrp)->orphan, &orphaned_groups);
			queue_work(system_unbound_wq, &orphan_work);
		}
		return;
	}
	do_each_pid_task(pgrp, PIDTYPE_PGID, x) {
		if (x != ignored && keeps_group(x))
			return;
		stopped |= x->signal->flags & SIGNAL_STOP_STOPPED;
	}
	if (!stopped)
		return;
	do_each_pid_task(pgrp, PIDTYPE_PGID, x) {
		do_send_sig_info(SIGHUP, SEND_SIG_PRIV, x, PIDTYPE_TGID);
		do_send_sig_info(SIGCONT, SEND_SIG_PRIV, x, PIDTYPE_TGID);
	}
}

static struct task *live_thread(struct task *leader)
{
	struct task *t;

	for_each_thread(leader, t)
		if (!(t->flags & PF_EXITING))
			return t;
	return NULL;
}

#define ns_reaper(ns) rcu_dereference((ns)->child_reaper)

/* Is T of the process that is its namespace's init? That may be another's, whose leader an exec replaces meanwhile. */
static bool is_reaper(struct task *t)
{
	struct task *reaper;
	bool is;

	rcu_read_lock();
	reaper = ns_reaper(task_active_pid_ns(t));
	is = reaper && same_thread_group(reaper, t);
	rcu_read_unlock();
	return is;
}

/*
 * ---- subreapers ----
 *
 * Each process refers to the nearest ancestor that was a subreaper when the process was made, or when an ancestor became one (proc_mark_subreaper). That one may
 * have ended since, or have given the role up: then the one above it counts. A lookup shortens the chain that it followed, so that later exits do not follow all of it again.
 */

#define CLIMB_MOST 256

static bool is_subreaper(const struct signal_struct *s)
{
	return s->is_child_subreaper && !list_empty(&s->threads) && !(s->flags & SIGNAL_GROUP_EXIT);
}

static void set_subreaper(struct signal_struct *s, struct signal_struct *to, struct signal_struct **dropped)
{
	*dropped = s->subreaper;
	if (to)
		refcount_inc(&to->sigcnt);
	s->subreaper = to;
}

void proc_inherit_subreaper(struct signal_struct *s, struct signal_struct *parent)
{
	struct signal_struct *none;

	set_subreaper(s, parent->is_child_subreaper ? parent : parent->subreaper, &none);
}

static struct signal_struct *subreaper_of(const struct signal_struct *s)
{
	struct signal_struct *r = s->subreaper;

	while (r && !is_subreaper(r))
		r = r->subreaper;
	return r;
}

/* tasklist_lock write-held. True: S refers to one that is a subreaper now, or to none; else again, after others had the lock. */
static bool shorten_way(struct signal_struct *s, struct signal_struct **dropped)
{
	struct signal_struct *r = s->subreaper;

	*dropped = NULL;
	for (unsigned int n = 0; r && !is_subreaper(r) && n < CLIMB_MOST; n++)
		r = r->subreaper;
	if (r != s->subreaper)
		set_subreaper(s, r, dropped);
	return !r || is_subreaper(r);
}

static struct task *find_reaper(struct task *father)
{
	/* Where all threads end, children would go from one to the next. */
	struct task *t = father->signal->flags & SIGNAL_GROUP_EXIT ? NULL : live_thread(father), *reaper = ns_reaper(task_active_pid_ns(father));

	if (t)
		return t;
	for (struct signal_struct *r = subreaper_of(father->signal); r; r = subreaper_of(r)) {
		t = list_first_entry(&r->threads, struct task, thread_node);
		if (task_active_pid_ns(t) != task_active_pid_ns(father))
			break;
		t = live_thread(t);
		if (t)
			return t;
	}
	if (reaper->flags & PF_EXITING) {
		t = live_thread(reaper);
		if (t)
			reaper = t;
	}
	return reaper;
}

#define FORGET_MOST 32

/* tasklist_lock held: some children go to another parent. Those on DEAD are to be released. False: there are more. */
static bool forget_some_children(struct task *father, struct list_head *dead)
{
	struct task *t, *n, *reaper;
	int done = 0;

	if (list_empty(&father->children))
		return true;
	reaper = find_reaper(father);
	list_for_each_entry_safe(t, n, &father->children, sibling) {
		struct task *x;
		bool same = same_thread_group(reaper, father);

		if (done >= FORGET_MOST)
			return false;
		for_each_thread(t, x) {
			done++;
			rcu_assign_pointer(x->real_parent, reaper);
			if (!x->ptrace)
				rcu_assign_pointer(x->parent, reaper);
			if (x->pdeath_signal)
				do_send_sig_info(x->pdeath_signal, SEND_SIG_NOINFO, x, PIDTYPE_TGID);
		}
		list_move_tail(&t->sibling, &reaper->children);
		if (same)
			continue;
		t->exit_signal = SIGCHLD;
		if (!t->ptrace && t->exit_state == EXIT_ZOMBIE && thread_group_empty(t)) {
			if (do_notify_parent(t, t->exit_signal)) {
				t->exit_state = EXIT_DEAD;
				list_add(&t->ptrace_entry, dead);
			}
		}
		kill_orphaned_pgrp(t, father);
	}
	return true;
}

/* ---- the end ---- */

/* Adds what the dead thread used to its process. siglock held. */
static void fold_thread(struct signal_struct *s, struct task *t)
{
	u64 u, st;

	task_cputime(t, &u, &st);
	s->utime_ns += u;
	s->stime_ns += st;
	s->nvcsw += t->nvcsw;
	s->nivcsw += t->nivcsw;
	s->min_flt += t->min_flt;
	s->maj_flt += t->maj_flt;
	s->sum_sched_runtime += t->se.sum_exec_ns;
	for (int i = 0; i < 6; i++)
		s->io_bytes[i] += t->io_bytes[i];
}

/* tasklist_lock held: if T is its namespace's init, FRESH is from here on. */
static void replace_reaper(struct task *t, struct task *fresh)
{
	struct pid_namespace *ns = task_active_pid_ns(t);

	if (rcu_access_pointer(ns->child_reaper) == t)
		rcu_assign_pointer(ns->child_reaper, fresh);
}

/* tasklist_lock held: T can no longer be found. Pids to free are returned in FREE. */
static void unhash(struct task *t, struct pid *gone[PIDTYPE_MAX])
{
	struct signal_struct *s = t->signal;
	struct sighand_struct *h = task_sighand(t);
	bool leader = t->group_leader == t && t->exit_signal != -1;

	memset(gone, 0, sizeof(*gone) * PIDTYPE_MAX);
	replace_reaper(t, leader ? NULL : t->group_leader);
	task_own_pid(t)->exit_code = leader && (s->flags & SIGNAL_GROUP_EXIT) ? s->group_exit_code : t->exit_code;
	smp_store_release(&task_own_pid(t)->exited, true);
	proc_notify_pidfd(t);
	spin_lock(&h->siglock);
	if (!leader) {
		if (s->notify_count > 0 && !--s->notify_count && s->group_exec_task)
			wake_up_process(s->group_exec_task);
		if (t == s->curr_target)
			s->curr_target = t->group_leader;
		fold_thread(s, t);
	}
	flush_sigqueue((struct sigpending *)&t->pending);
	if (leader) {
		flush_sigqueue(&s->shared_pending);
		posix_sleepers_leave(s);
		list_del_rcu(&t->tasks);
		list_del_init(&t->sibling);
	}
	detach_pids(t, leader, gone);
	zap_forget(s, t);
	thread_leaves(s, t);
	rcu_assign_pointer(t->sighand, NULL);
	spin_unlock(&h->siglock);
}

/* Where no filesystem shows processes. */
__weak void proc_flush_pid(struct pid *pid)
{
}

#define FLUSH_MOST 128

/* Before all processes wait for it in unhash(): what is queued in P of a task that is the caller's to release goes, some at a time. */
static void flush_early(struct sighand_struct *h, struct sigpending *p)
{
	while (unlikely(!list_empty(&p->list))) {	/* asked without the lock: unhash() misses nothing */
		spin_lock_irq(&h->siglock);
		flush_some(p, FLUSH_MOST);
		spin_unlock_irq(&h->siglock);
		cond_resched();
	}
}

void release_task(struct task *t)
{
	struct pid *gone[PIDTYPE_MAX];
	struct sighand_struct *h = task_sighand(t);
	struct pid *pid = get_pid(task_own_pid(t));
	struct task *leader;
	bool zap_leader = false;

	atomic_dec(&own_real_cred(t)->user->processes);
	task_uncount();
	flush_early(h, (struct sigpending *)&t->pending);
	if (thread_group_empty(t))
		flush_early(h, &t->signal->shared_pending);
	write_lock_irq(&tasklist_lock);
	if (unlikely(t->ptrace))
		ptrace_unlink(t);
	unhash(t, gone);
	leader = t->group_leader;
	if (leader != t && leader->exit_state == EXIT_ZOMBIE && thread_group_empty(leader)) {
		/* The last thread is gone: now the process is a zombie. */
		zap_leader = do_notify_parent(leader, leader->exit_signal);
		if (zap_leader)
			leader->exit_state = EXIT_DEAD;
	}
	write_unlock_irq(&tasklist_lock);
	for (int i = 0; i < PIDTYPE_MAX; i++)
		if (gone[i] && (i == PIDTYPE_PID || gone[i] != gone[PIDTYPE_PID]) &&
		    !(i == PIDTYPE_SID && gone[i] == gone[PIDTYPE_PGID]))
			free_pid(gone[i]);
	proc_flush_pid(pid);
	put_pid(pid);
	put_sighand(h);
	put_task_struct(t);
	if (zap_leader)
		release_task(leader);
}

static void release_all(struct list_head *dead)
{
	struct task *x, *n;

	list_for_each_entry_safe(x, n, dead, ptrace_entry) {
		list_del_init(&x->ptrace_entry);
		release_task(x);
	}
}

/* Takes tasklist_lock: T has neither tracees nor children from here on. All processes wait for the lock, so that many go some at a time. What is to be put then. */
static struct signal_struct *leave_family(struct task *t, struct list_head *dead) __acquires(tasklist_lock)
{
	struct signal_struct *dropped = NULL;

	write_lock_irq(&tasklist_lock);
	while ((unlikely(!list_empty(&t->ptraced)) && !ptrace_exit_some(t, dead)) ||
	       (unlikely(!list_empty(&t->children)) && t->signal->subreaper && !shorten_way(t->signal, &dropped)) ||
	       unlikely(!forget_some_children(t, dead))) {
		write_unlock_irq(&tasklist_lock);
		put_signal(dropped);
		dropped = NULL;
		release_all(dead);
		cond_resched();
		write_lock_irq(&tasklist_lock);
	}
	return dropped;
}

static void exit_notify(struct task *t)
{
	struct signal_struct *dropped;
	LIST_HEAD(dead);
	bool autoreap;

	dropped = leave_family(t, &dead);
	if (t->group_leader == t)
		kill_orphaned_pgrp(t, NULL);
	t->exit_state = EXIT_ZOMBIE;
	if (unlikely(t->jobctl & JOBCTL_TRAPPING))
		ptrace_done_trapping(t);
	proc_notify_pidfd(t);		/* those who watch the thread alone */
	if (t->flags & PF_KTHREAD)
		autoreap = true;
	else if (unlikely(t->ptrace))
		autoreap = do_notify_parent(t, t->group_leader == t && thread_group_empty(t) && !ptrace_reparented(t) ?
					       t->exit_signal : SIGCHLD);
	else if (t->group_leader == t)
		autoreap = thread_group_empty(t) && do_notify_parent(t, t->exit_signal);
	else
		autoreap = true;
	if (autoreap) {
		t->exit_state = EXIT_DEAD;
		list_add(&t->ptrace_entry, &dead);
	}
	if (t->signal->notify_count < 0 && t->signal->group_exec_task)
		wake_up_process(t->signal->group_exec_task);
	write_unlock_irq(&tasklist_lock);
	put_signal(dropped);
	release_all(&dead);
}

/* Tells vfork's parent and who waits at clear_child_tid that the address space is no longer used. */
void mm_release(struct task *t)
{
	struct completion *v;

	if (!uptr_is_null(t->clear_child_tid)) {
		if (t->mm && atomic_read(&t->mm->mm_users) > 1) {
			if (!put_user((u32)0, t->clear_child_tid))
				do_futex_wake_private(t->clear_child_tid, 1);
		}
		t->clear_child_tid = UPTR_NULL;
	}
	task_lock(t);
	v = t->vfork_done;
	t->vfork_done = NULL;
	if (v)
		complete(v);
	task_unlock(t);
}

static void exit_mm(struct task *t)
{
	struct mm *mm = t->mm;

	futex_exit_release(t);
	mm_release(t);
	if (!mm)
		return;
	if (get_mm_rss(mm) > t->signal->maxrss)
		t->signal->maxrss = max(get_mm_rss(mm), mm_hiwater_rss(mm));
	mmgrab(mm);		/* what this CPU has loaded until the last switch */
	task_lock(t);
	t->ended_dumpable = mm_dumpable(mm);
	local_irq_disable();
	t->mm = NULL;
	arch_enter_lazy_mm(&mm->context);
	local_irq_enable();
	task_unlock(t);
	mmput(mm);
}

/* Where nothing ended the whole process, its last thread says how it ended. */
static void last_thread_ends(struct signal_struct *s, int code)
{
	spin_lock_irq(&my_sighand()->siglock);
	if (!(s->flags & SIGNAL_GROUP_EXIT)) {
		s->flags = SIGNAL_GROUP_EXIT | (s->flags & SIGNAL_UNKILLABLE);
		s->group_exit_code = code;
		s->group_stop_count = 0;
	}
	spin_unlock_irq(&my_sighand()->siglock);
}

void do_exit(long code)
{
	struct task *t = current;
	bool group_dead;

	if (unlikely(in_interrupt() || !t->pid))
		panic("Attempted to kill the %s", t->pid ? "interrupt handler" : "idle task");
	__set_current_state(TASK_RUNNING);
	exit_kcov();
	guest_exit_task();
	if (unlikely(t->flags & PF_IO_WORKER))
		uring_worker_exit(t);
	else if (unlikely(t->uring))
		uring_task_exit(t);
	if (unlikely(t->uring_rules))
		uring_rules_exit(t);
	if (unlikely(t->ptrace))
		ptrace_event(PTRACE_EVENT_EXIT, (unsigned long)code);
	task_work_run();	/* before PF_EXITING, or the list would be closed to the files that go below */
	exit_signals(t);
	group_dead = atomic_dec_and_test(&t->signal->live);
	if (group_dead) {
		last_thread_ends(t->signal, (int)code);
		if (t->signal->pids[PIDTYPE_TGID] && task_active_pid_ns(t) == &init_pid_ns && t->tgid == 1)
			panic("Attempted to kill init! exitcode=0x%08lx", (unsigned long)(t->signal->group_exit_code ?: code));
		exit_itimers(t->signal);
	}
	t->exit_code = (int)code;
	exit_mm(t);
	exit_sysv_undo(t);
	exit_files(t);
	exit_fs(t);
	if (group_dead && t->signal->leader)
		disassociate_ctty(true);
	exit_task_namespaces(t);
	task_work_run();
	if (group_dead && task_active_pid_ns(t) != &init_pid_ns && is_reaper(t))
		zap_pid_ns_processes(task_active_pid_ns(t));
	exit_notify(t);
	sched_exit();
}

#define KILL_MOST 32

/*
 * Kills some that have a number of *I or more in the dying namespace; *I is where to go on. False: there are no more. With the lock: a fork that
 * has not linked its child yet finds the namespace dying (copy_process), so that none is missed between two such pieces.
 */
static bool kill_some(struct pid_namespace *ns, unsigned int *i)
{
	struct pid *p;
	int n = 0;

	read_lock(&tasklist_lock);
	rcu_read_lock();
	while ((p = find_ge_pid(i, ns)) && n++ < KILL_MOST) {
		struct task *t = pid_task(p, PIDTYPE_PID);

		if (t && !(t->signal->flags & SIGNAL_GROUP_EXIT && t->exit_state))
			do_send_sig_info(SIGKILL, SEND_SIG_PRIV, t, PIDTYPE_MAX);
		++*i;
	}
	rcu_read_unlock();
	read_unlock(&tasklist_lock);
	return p;
}

/* The init of a namespace ends: so does everybody in it. */
void zap_pid_ns_processes(struct pid_namespace *ns)
{
	/* The last thread of it; the leader, if that is another, stays a zombie with a number of its own. */
	int ours = thread_group_leader(current) ? 1 : 2;
	unsigned int next = 2;

	WRITE_ONCE(ns->dying, true);
	write_lock_irq(&tasklist_lock);
	rcu_assign_pointer(ns->child_reaper, current);	/* whom free_pid() wakes */
	write_unlock_irq(&tasklist_lock);
	spin_lock_irq(&my_sighand()->siglock);
	my_sighand()->action[SIGCHLD - 1].handler = SIG_KERNEL_IGN;
	spin_unlock_irq(&my_sighand()->siglock);
	while (kill_some(ns, &next))
		cond_resched();
	while (kernel_wait_any() > 0)
		;
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if ((int)READ_ONCE(ns->pid_allocated) <= ours)
			break;
		/* The task handles neither any more, and could not sleep with one of them set. */
		clear_thread_flag(TIF_SIGPENDING);
		clear_thread_flag(TIF_NOTIFY_SIGNAL);
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	if (ns->reboot) {	/* how reboot(2) looks from outside */
		current->signal->group_exit_code = ns->reboot;
		current->exit_code = ns->reboot;
	}
}

/* ---- waiting ---- */

struct waiter {
	struct wait_args *a;
	struct wait_queue_entry entry;
	bool found_child;
};

static bool eligible(struct wait_args *a, bool ptrace, struct task *t)
{
	/* A number names a process, or a traced thread. */
	if (a->type != PIDTYPE_MAX && task_pid_type(t, a->type == PIDTYPE_TGID ? PIDTYPE_PID : a->type) != a->pid)
		return false;
	if (ptrace || (a->options & __WALL))
		return true;
	return (t->exit_signal != SIGCHLD) == !!(a->options & __WCLONE);
}

static void fill_common(struct wait_args *a, struct task *t)
{
	rcu_read_lock();
	a->info_pid = task_pid_vnr(t);
	a->info_uid = from_kuid_munged(current_user_ns(), __task_cred(t)->uid);
	rcu_read_unlock();
}

static void child_rusage(struct wait_args *a, struct task *t)
{
	if (a->want_rusage)
		proc_getrusage(t, PROC_RUSAGE_BOTH, &a->ru);
}

/* A tracee that another process made was reaped by its tracer: now it is its parent's to wait for. */
static void hand_to_parent(struct task *t)
{
	bool dead;

	write_lock_irq(&tasklist_lock);
	if (t->ptrace)		/* the thread that traced it may have gone meanwhile */
		ptrace_unlink(t);
	dead = do_notify_parent(t, t->exit_signal);
	t->exit_state = dead ? EXIT_DEAD : EXIT_ZOMBIE;
	write_unlock_irq(&tasklist_lock);
	if (dead)
		release_task(t);
}

static void add_child_times(struct task *t)
{
	struct signal_struct *s = t->signal, *ps = current->signal;
	u64 u, st;

	task_cputime(t, &u, &st);
	spin_lock_irq(&my_sighand()->siglock);
	ps->cutime_ns += u + s->utime_ns + s->cutime_ns;
	ps->cstime_ns += st + s->stime_ns + s->cstime_ns;
	ps->cgtime_ns += process_guest_time(s) + s->cgtime_ns;
	ps->cmin_flt += t->min_flt + s->min_flt + s->cmin_flt;
	ps->cmaj_flt += t->maj_flt + s->maj_flt + s->cmaj_flt;
	ps->cnvcsw += t->nvcsw + s->nvcsw + s->cnvcsw;
	ps->cnivcsw += t->nivcsw + s->nivcsw + s->cnivcsw;
	ps->cmaxrss = max(ps->cmaxrss, max(s->maxrss, s->cmaxrss));
	spin_unlock_irq(&my_sighand()->siglock);
}

/* tasklist_lock read-held; released when something is found. Its pid, or 0. T is a zombie that may be waited for. */
static pid_t wait_zombie(struct wait_args *a, struct task *t)
{
	int state = EXIT_ZOMBIE, code, next = EXIT_DEAD;

	if (!(a->options & WEXITED))
		return 0;
	code = t->signal->flags & SIGNAL_GROUP_EXIT ? t->signal->group_exit_code : t->exit_code;
	if (a->options & WNOWAIT) {
		get_task_struct(t);
		fill_common(a, t);
		read_unlock(&tasklist_lock);
		child_rusage(a, t);
		put_task_struct(t);
		goto out;
	}
	if (t->ptrace && ptrace_reparented(t) && t->group_leader == t)
		next = EXIT_TRACE;
	/* One of several waiters gets it. */
	if (!try_cmpxchg(&t->exit_state, &state, next))
		return 0;
	fill_common(a, t);
	read_unlock(&tasklist_lock);
	child_rusage(a, t);
	if (next == EXIT_TRACE) {
		hand_to_parent(t);
	} else {
		if (t->group_leader == t)
			add_child_times(t);
		release_task(t);
	}
out:
	a->status = code;
	if (code & 0x7f) {
		a->cause = code & 0x80 ? CLD_DUMPED : CLD_KILLED;
		a->info_status = code & 0x7f;
	} else {
		a->cause = CLD_EXITED;
		a->info_status = code >> 8;
	}
	return a->info_pid;
}

/* siglock held: where the code of T's stop stands, if it is in one that the waiter sees. */
static int *stop_code(struct wait_args *a, bool ptrace, struct task *t)
{
	if (ptrace)
		return (READ_ONCE(t->state) & TASK_TRACED_) && !(t->jobctl & JOBCTL_LISTENING) ? &t->exit_code : NULL;
	return (a->options & WUNTRACED) && (t->signal->flags & SIGNAL_STOP_STOPPED) ? &t->signal->group_exit_code : NULL;
}

static pid_t wait_stopped_or_continued(struct wait_args *a, bool ptrace, struct task *t)
{
	struct signal_struct *s = t->signal;
	int code = 0, cause = 0, *from;
	unsigned long flags;

	if (!lock_task_sighand(t, &flags))
		return 0;
	from = stop_code(a, ptrace, t);
	if (from && *from) {
		code = *from;
		cause = ptrace ? CLD_TRAPPED : CLD_STOPPED;
		if (!(a->options & WNOWAIT))
			*from = 0;
	} else if ((a->options & WCONTINUED) && (s->flags & SIGNAL_STOP_CONTINUED)) {
		code = 0xffff;
		cause = CLD_CONTINUED;
		if (!(a->options & WNOWAIT))
			s->flags &= ~(unsigned int)SIGNAL_STOP_CONTINUED;
	}
	unlock_task_sighand(t, &flags);
	if (!cause)
		return 0;
	get_task_struct(t);
	fill_common(a, t);
	read_unlock(&tasklist_lock);
	child_rusage(a, t);
	put_task_struct(t);
	a->cause = cause;
	a->status = cause == CLD_CONTINUED ? 0xffff : code << 8 | 0x7f;
	a->info_status = cause == CLD_CONTINUED ? SIGCONT : code;
	return a->info_pid;
}

/* One child or tracee. *ANY: there is something to wait for. */
static pid_t consider(struct wait_args *a, bool ptrace, struct task *t, bool *any)
{
	bool group_alive = t->group_leader == t && !thread_group_empty(t);

	if (t->exit_state == EXIT_DEAD || !eligible(a, ptrace, t))
		return 0;
	if (t->exit_state == EXIT_TRACE) {
		*any |= !ptrace;		/* its tracer has it; then it is ours */
		return 0;
	}
	/* A child that a thread of ours traces is waited for as a tracee. */
	if (!ptrace && unlikely(t->ptrace) && !ptrace_reparented(t))
		ptrace = true;
	/* One that has ended is nothing to wait for without WEXITED: it will neither stop nor go on. */
	if (t->exit_state == EXIT_ZOMBIE && !group_alive && (ptrace || likely(!t->ptrace))) {
		*any |= a->options & WEXITED;
		return wait_zombie(a, t);
	}
	*any = true;
	if (t->exit_state == EXIT_ZOMBIE) {
		if (ptrace || !group_alive)
			return 0;
	}
	return wait_stopped_or_continued(a, ptrace, t);
}

static pid_t scan_children(struct wait_args *a, struct task *parent, bool *any)
{
	struct task *t;
	pid_t p;

	list_for_each_entry(t, &parent->children, sibling) {
		p = consider(a, false, t, any);
		if (p)
			return p;
	}
	list_for_each_entry(t, &parent->ptraced, ptrace_entry) {
		p = consider(a, true, t, any);
		if (p)
			return p;
	}
	return 0;
}

static bool waits_for(const struct wait_args *a, struct task *parent)
{
	return a->options & __WNOTHREAD ? parent == current : same_thread_group(parent, current);
}

/* The one that a number names: a child, or a thread that one of us traces. */
static pid_t look_up_child(struct wait_args *a, bool *any)
{
	struct task *t = pid_task(a->pid, PIDTYPE_PID);
	pid_t p;

	if (!t)
		return 0;
	if (t->group_leader == t && waits_for(a, task_real_parent(t))) {
		p = consider(a, false, t, any);
		if (p)
			return p;
	}
	return t->ptrace && waits_for(a, task_parent(t)) ? consider(a, true, t, any) : 0;
}

static pid_t scan_family(struct wait_args *a, bool *any)
{
	struct task *t;
	pid_t p;

	if (a->type == PIDTYPE_TGID || a->type == PIDTYPE_PID)
		return look_up_child(a, any);
	if (a->options & __WNOTHREAD)
		return scan_children(a, current, any);
	for_each_thread(current, t) {
		p = scan_children(a, t, any);
		if (p)
			return p;
	}
	return 0;
}

long do_wait(struct wait_args *a)
{
	DEFINE_WAIT_FUNC(w, default_wake_function);
	long ret;

	add_wait_queue(&current->signal->wait_chldexit, &w);
	for (;;) {
		bool any = false;
		pid_t p;

		set_current_state(TASK_INTERRUPTIBLE);
		read_lock(&tasklist_lock);
		if (a->type != PIDTYPE_MAX && (!a->pid || (!pid_task(a->pid, a->type) && !pid_task(a->pid, PIDTYPE_PID)))) {
			read_unlock(&tasklist_lock);
			ret = -ECHILD;
			break;
		}
		p = scan_family(a, &any);
		if (p) {		/* the lock is released already */
			ret = p;
			break;
		}
		read_unlock(&tasklist_lock);
		ret = any ? 0 : -ECHILD;
		if (ret || (a->options & WNOHANG))
			break;
		if (signal_pending(current)) {
			ret = -ERESTARTSYS;
			break;
		}
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	remove_wait_queue(&current->signal->wait_chldexit, &w);
	return ret;
}

long kernel_wait_any(void)
{
	struct wait_args a = { .type = PIDTYPE_MAX, .options = WEXITED | __WALL };

	clear_thread_flag(TIF_SIGPENDING);
	clear_thread_flag(TIF_NOTIFY_SIGNAL);
	return do_wait(&a);
}

void proc_for_each_task(void (*fn)(struct task *t, u64 arg), u64 arg)
{
	struct task *p, *t;

	rcu_read_lock();
	for_each_process_thread(p, t)
		fn(t, arg);
	rcu_read_unlock();
}

/* Two nodes that are alone on their lists change places; the lists are never empty. */
static void swap_only_rcu(struct hlist_node *a, struct hlist_head *ha, struct hlist_node *b, struct hlist_head *hb)
{
	smp_store_release(&ha->first, b);
	smp_store_release(&hb->first, a);
	a->pprev = &hb->first;
	b->pprev = &ha->first;
}

/*
 * A thread that called exec takes over the dead leader's number: from outside the process has never changed.
 */
void proc_take_leadership(struct task *me, struct task *leader) __releases(tasklist_lock)
{
	struct pid *mine = task_own_pid(me), *theirs = task_own_pid(leader);

	replace_reaper(leader, me);
	me->start_ns = leader->start_ns;
	me->start_boottime_ns = leader->start_boottime_ns;
	/* Swap the thread numbers: ours dies with the old leader. Each names one task, and at no time none: readers have no lock. */
	swap_only_rcu(&me->pid_links[PIDTYPE_PID], &mine->tasks[PIDTYPE_PID], &leader->pid_links[PIDTYPE_PID], &theirs->tasks[PIDTYPE_PID]);
	rcu_assign_pointer(me->thread_pid, theirs);
	rcu_assign_pointer(leader->thread_pid, mine);
	swap(me->pid, leader->pid);
	for (int i = PIDTYPE_TGID; i < PIDTYPE_MAX; i++) {
		if (!rcu_access_pointer(me->signal->pids[i]))		/* no group or session */
			continue;
		hlist_replace_rcu(&leader->pid_links[i], &me->pid_links[i]);
	}
	list_replace_rcu(&leader->tasks, &me->tasks);		/* who walks the list may stand on the old leader: it leads on */
	list_replace(&leader->sibling, &me->sibling);
	INIT_LIST_HEAD(&leader->sibling);
	/* The old leader has exited: its children went to another thread, and with that one's end to us. */
	WARN_ON(!list_empty(&leader->children));
	me->group_leader = me;
	leader->group_leader = me;
	me->exit_signal = SIGCHLD;
	leader->exit_signal = -1;
	leader->exit_state = EXIT_DEAD;
	if (unlikely(leader->ptrace))		/* its tracer must not wait for it any more */
		wake_up_interruptible_all(&task_parent(leader)->signal->wait_chldexit);
	write_unlock_irq(&tasklist_lock);
}

#define SUBREAPER_MOST 256
#define DROPPED_MOST 64

/* P's ancestors are known to look to the right one: now P does. What it looked to is added to DROPPED, which has room. */
static void look_up_to_parent(struct task *p, struct signal_struct **dropped, unsigned int *n)
{
	struct signal_struct *parent = task_real_parent(p)->signal, *to = parent->is_child_subreaper ? parent : parent->subreaper;

	if (p->signal->subreaper == to)
		return;
	set_subreaper(p->signal, to, &dropped[*n]);
	*n += !!dropped[*n];
}

/*
 * prctl(PR_SET_CHILD_SUBREAPER): descendants look for us from now on, and so do theirs. On the list of all processes the parent comes first: children go to
 * an ancestor, or to the namespace's init. Some at a time: as long as the last one is on the list, the next ones are behind it; if it is not, again, with
 * more at a time.
 */
void proc_mark_subreaper(void)
{
	struct signal_struct *dropped[DROPPED_MOST];
	struct task *p = &init_task, *last;
	unsigned int most = SUBREAPER_MOST;

	get_task_struct(p);
	do {
		unsigned int drop = 0;

		write_lock_irq(&tasklist_lock);
		last = p;
		if (!rcu_access_pointer(p->sighand)) {
			p = &init_task;
			most *= 2;
		}
		for (unsigned int n = 0; n < most && drop < DROPPED_MOST; n++) {
			p = list_entry_rcu(p->tasks.next, struct task, tasks);
			if (p == &init_task)
				break;
			look_up_to_parent(p, dropped, &drop);
		}
		get_task_struct(p);
		write_unlock_irq(&tasklist_lock);
		while (drop)
			put_signal(dropped[--drop]);
		put_task_struct(last);
		cond_resched();
	} while (p != &init_task);
	put_task_struct(p);
}

/* reboot(2) in a pid namespace: its init dies as if by SIGHUP or SIGINT. */
int proc_reboot_pid_ns(struct pid_namespace *ns, unsigned int cmd)
{
	struct task *reaper;

	switch (cmd) {
	case 0x01234567: case 0xa1b2c3d4:
		ns->reboot = SIGHUP;
		break;
	case 0xcdef0123: case 0x4321fedc:
		ns->reboot = SIGINT;
		break;
	default:
		return -EINVAL;
	}
	read_lock(&tasklist_lock);
	reaper = ns_reaper(ns);
	do_send_sig_info(SIGKILL, SEND_SIG_PRIV, reaper, PIDTYPE_TGID);
	read_unlock(&tasklist_lock);
	do_exit(0);
}
