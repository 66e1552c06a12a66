// SPDX-License-Identifier: MIT
/*
 * Making tasks: fork, vfork, clone and clone3. (Kernel threads: kernel_threads.c.)
 *
 * kernel_clone() checks the flags, copies what is not shared room by room, and only then makes the child visible under
 * tasklist_lock; until that point any failure is undone in reverse order and nobody has seen it.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <alloc/page.h>
#include <arch/fpu.h>
#include <arch/ptrace.h>
#include <arch/switch.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <proc/proc_priv.h>
#include <proc/signal_sets.h>
#include <proc/ptrace.h>
#include <proc/seccomp.h>
#include <proc/signal_many.h>
#include <proc/threads.h>
#include <proc/upcalls.h>
#include <sched/completion.h>
#include <sched/sched.h>
#include <sched/task_life.h>
#include <sched/upcalls.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/ptrace.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/signal.h>

struct kmem_cache *sighand_cache;
static struct kmem_cache *signal_cache;
int max_threads;

/* Group and session of what has none of its own yet, process 1 first of all: number 0 for getpgrp(2) and getsid(2). Never freed. */
static struct pid init_group = {
	.count = REFCOUNT_INIT(1),
	.lock = __SPIN_LOCK_UNLOCKED(init_group.lock),
	.wait_pidfd = __WAIT_QUEUE_HEAD_INIT(init_group.wait_pidfd),
	.numbers = { { .nr = 0, .ns = &init_pid_ns } },
};

static struct signal_struct init_signals = {
	.sigcnt = REFCOUNT_INIT(2), .nr_threads = 1, .live = ATOMIC_INIT(1),
	.threads = LIST_HEAD_INIT(init_signals.threads),
	.wait_chldexit = __WAIT_QUEUE_HEAD_INIT(init_signals.wait_chldexit),
	.shared_pending.list = LIST_HEAD_INIT(init_signals.shared_pending.list),
	.cred_guard_mutex = __MUTEX_INITIALIZER(init_signals.cred_guard_mutex),
	.exec_update_lock = __RWSEM_INITIALIZER(init_signals.exec_update_lock),
};
static struct sighand_struct init_sighand = {
	.siglock = __SPIN_LOCK_UNLOCKED(init_sighand.siglock), .count = REFCOUNT_INIT(2),
	.signalfd_wqh = __WAIT_QUEUE_HEAD_INIT(init_sighand.signalfd_wqh),
};

/* ---- signal structures ---- */

static void sighand_free_rcu(struct rcu_head *h)
{
	kmem_cache_free(sighand_cache, container_of(h, struct sighand_struct, rcu));
}

void put_sighand(struct sighand_struct *s)
{
	if (refcount_dec_and_test(&s->count)) {
		if (unlikely(s->tell_used))
			cancel_work_sync(&s->tell_signalfd);
		if (waitqueue_active(&s->signalfd_wqh))
			wake_up_poll(&s->signalfd_wqh, POLL_FREED | 0x10 /* EPOLLHUP */);
		call_rcu(&s->rcu, sighand_free_rcu);
	}
}

static int copy_sighand(u64 flags, struct task *t)
{
	struct sighand_struct *s, *old = my_sighand();

	if (flags & CLONE_SIGHAND) {
		refcount_inc(&old->count);
		return 0;
	}
	s = kmem_cache_alloc(sighand_cache, GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	spin_lock_init(&s->siglock);
	refcount_set(&s->count, 1);
	init_signalfd(s);
	spin_lock_irq(&old->siglock);
	memcpy(s->action, old->action, sizeof(s->action));
	spin_unlock_irq(&old->siglock);
	if (flags & CLONE_CLEAR_SIGHAND)
		for (int i = 0; i < _NSIG; i++)
			if (s->action[i].handler != SIG_KERNEL_IGN)
				s->action[i] = (struct k_sigaction){ 0 };
	RCU_INIT_POINTER(t->sighand, s);
	return 0;
}

static int copy_signal(u64 flags, struct task *t)
{
	struct signal_struct *s, *old = current->signal;

	if (flags & CLONE_THREAD)
		return 0;
	s = kmem_cache_zalloc(signal_cache, GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	refcount_set(&s->sigcnt, 1);
	s->nr_threads = 1;
	atomic_set(&s->live, 1);
	INIT_LIST_HEAD(&s->threads);
	init_waitqueue_head(&s->wait_chldexit);
	INIT_LIST_HEAD(&s->shared_pending.list);
	mutex_init(&s->cred_guard_mutex);
	init_rwsem(&s->exec_update_lock);
	s->curr_target = t;
	itimer_init(s);
	task_lock(current->group_leader);
	memcpy(s->rlim, old->rlim, sizeof(s->rlim));
	task_unlock(current->group_leader);
	s->oom_score_adj = old->oom_score_adj;
	s->oom_score_adj_min = old->oom_score_adj_min;
	t->signal = s;
	t->group_times = &s->times;
	return 0;
}

void put_signal(struct signal_struct *s)
{
	while (s && refcount_dec_and_test(&s->sigcnt)) {
		struct signal_struct *above = s->subreaper;

		flush_sigqueue(&s->shared_pending);
		proc_tty_released(s);
		kmem_cache_free(signal_cache, s);
		s = above;
	}
}

/* From the task's last put: what outlives its exit. */
void proc_task_free(struct task *t)
{
	if (own_cred(t)) {
		put_cred(own_cred(t));
		put_cred(own_real_cred(t));
	}
	if (t->signal)
		put_signal(t->signal);
	seccomp_release(t);
	kfree(t->mm_data);
}

/* A kernel thread, and no worker of the running task's process. */
static bool is_kernels(const struct kernel_clone_args *a)
{
	return a->fn && !a->worker;
}

/* ---- address space ---- */

static int copy_mm(u64 flags, struct task *t)
{
	struct mm *mm = current->mm;

	if (!mm)
		return 0;
	if (flags & CLONE_VM) {
		mmget(mm);
	} else {
		mm = mm_dup(mm);
		if (IS_ERR_OR_NULL(mm))
			return mm ? (int)PTR_ERR(mm) : -ENOMEM;
	}
	t->mm = t->active_mm = mm;
	return 0;
}

/* ---- flags ---- */

static int check_flags(const struct kernel_clone_args *a)
{
	u64 f = a->flags;

	if ((f & (CLONE_NEWNS | CLONE_FS)) == (CLONE_NEWNS | CLONE_FS) ||
	    (f & (CLONE_NEWUSER | CLONE_FS)) == (CLONE_NEWUSER | CLONE_FS))
		return -EINVAL;
	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return -EINVAL;
	if ((f & CLONE_NEWIPC) && (f & CLONE_SYSVSEM))
		return -EINVAL;
	if ((f & CLONE_SIGHAND) && !(f & CLONE_VM))
		return -EINVAL;
	if ((f & CLONE_PARENT) && (current->signal->flags & SIGNAL_UNKILLABLE))
		return -EINVAL;
	if ((f & CLONE_THREAD) && ((f & (CLONE_NEWUSER | CLONE_NEWPID)) ||
				   task_active_pid_ns(current) != current->nsproxy->pid_ns_for_children))
		return -EINVAL;
	if ((f & CLONE_PIDFD) && ((f & CLONE_DETACHED) || ((f & CLONE_PARENT_SETTID) && a->pidfd.addr == a->parent_tid.addr)))
		return -EINVAL;
	return 0;
}

static int check_limits(struct task *t)
{
	struct user_struct *u = own_real_cred(t)->user;

	if ((u64)atomic_read(&u->processes) > task_rlimit(current, RLIMIT_NPROC) && !uid_eq(u->uid, GLOBAL_ROOT_UID) &&
	    !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN))
		return -EAGAIN;
	if (nr_tasks_alive() >= max_threads)
		return -EAGAIN;
	current->flags &= ~(unsigned int)PF_NPROC_EXCEEDED;
	t->flags &= ~(unsigned int)PF_NPROC_EXCEEDED;
	return 0;
}

static void init_child(struct task *t, const struct kernel_clone_args *a)
{
	INIT_LIST_HEAD(&t->children);
	INIT_LIST_HEAD(&t->sibling);
	INIT_LIST_HEAD(&t->tasks);
	INIT_LIST_HEAD(&t->thread_node);
	INIT_LIST_HEAD(&t->ptraced);
	INIT_LIST_HEAD(&t->ptrace_entry);
	INIT_LIST_HEAD(&t->pending.list);
	t->pending.tree = RB_ROOT;
	t->pending.signal = 0;
	t->pending.nr = 0;
	t->jobctl = 0;
	t->job_seq = t->stop_round = 0;
	clear_tsk_flag(t, TIF_SYSCALL_TRACE);
	clear_tsk_flag(t, TIF_SECCOMP);
	t->seccomp_mode = 0;
	t->seccomp_filter = NULL;
	t->exit_state = t->exit_code = 0;
	t->ptrace = 0;
	RCU_INIT_POINTER(t->ptracer_cred, NULL);
	t->ptrace_message = t->ptrace_siginfo = NULL;
	t->pdeath_signal = 0;
	t->vfork_done = NULL;
	t->robust_list = UPTR_NULL;
	t->futex_state = NULL;
	t->futex_op = 0;
	t->sysv_undo = NULL;
	t->mm_data = t->vfs_data = NULL;
	t->plug = NULL;
	t->did_exec = t->in_execve = t->ended_dumpable = false;
	t->restart.fn = NULL;
	t->default_timer_slack_ns = t->timer_slack_ns;
	t->rseq = a->flags & CLONE_VM ? NULL : t->rseq;
	t->slice_enabled &= t->rseq != NULL;
	t->slice_granted = t->slice_yielded = false;
	clear_bit(TIF_RSEQ_SLICE, &t->work_flags);
	if (t->rseq)
		set_tsk_flag(t, TIF_RSEQ);
	t->set_child_tid = a->flags & CLONE_CHILD_SETTID ? a->child_tid : UPTR_NULL;
	t->clear_child_tid = a->flags & CLONE_CHILD_CLEARTID ? a->child_tid : UPTR_NULL;
	if ((a->flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM || a->fn) {
		t->sas_ss_sp = 0;
		t->sas_ss_size = 0;
		t->sas_ss_flags = SS_DISABLE;
	}
	t->cred = t->real_cred = NULL;
}

static int copy_rooms(struct task *t, const struct kernel_clone_args *a)
{
	u64 f = a->flags;
	int e;

	/* Kernel threads share and so have none; the one that becomes init does not share. */
	e = copy_files(f, t, is_kernels(a) && (f & CLONE_FILES));
	if (e)
		return e;
	e = copy_fs(f, t);
	if (e)
		goto files;
	e = copy_sighand(f, t);
	if (e)
		goto fs;
	e = copy_signal(f, t);
	if (e)
		goto sighand;
	e = is_kernels(a) ? 0 : copy_mm(f, t);
	if (e)
		goto signal;
	e = copy_namespaces(f, t);
	if (e)
		goto mm;
	e = is_kernels(a) ? 0 : copy_sysv_undo(f, t);
	if (e)
		goto ns;
	e = is_kernels(a) ? 0 : arch_fpu_fork(t);
	if (!e)
		return 0;
	exit_sysv_undo(t);
ns:
	exit_task_namespaces(t);
mm:
	if (t->mm)
		mmput(t->mm);
	t->mm = t->active_mm = NULL;
signal:
	if (!(f & CLONE_THREAD))
		put_signal(t->signal);
sighand:
	put_sighand(task_sighand(t));
fs:
	exit_fs(t);
files:
	exit_files(t);
	return e;
}

static void undo_rooms(struct task *t, const struct kernel_clone_args *a)
{
	exit_sysv_undo(t);
	exit_task_namespaces(t);
	if (t->mm)
		mmput(t->mm);
	if (!(a->flags & CLONE_THREAD))
		put_signal(t->signal);
	put_sighand(task_sighand(t));
	exit_fs(t);
	exit_files(t);
}

/* tasklist_lock and siglock held: from here it can be found. */
static void link_task(struct task *t, const struct kernel_clone_args *a, struct pid *pid)
{
	u64 f = a->flags;

	if (!is_kernels(a))
		seccomp_fork(t);
	if (unlikely(t->uring_rules))
		uring_rules_fork(t);
	RCU_INIT_POINTER(t->thread_pid, pid);
	if (f & CLONE_THREAD) {
		t->group_leader = current->group_leader;
		t->tgid = current->tgid;
		t->exit_signal = -1;
	} else {
		t->group_leader = t;
		t->tgid = t->pid;
		t->exit_signal = f & CLONE_PARENT ? current->group_leader->exit_signal : a->exit_signal;
	}
	if (is_kernels(a)) {
		RCU_INIT_POINTER(t->real_parent, kthreadd_task ?: &init_task);
		t->parent_exec_id = 0;
	} else if (f & (CLONE_PARENT | CLONE_THREAD)) {
		RCU_INIT_POINTER(t->real_parent, task_real_parent(current));
		t->parent_exec_id = current->parent_exec_id;
	} else {
		RCU_INIT_POINTER(t->real_parent, current);
		t->parent_exec_id = current->self_exec_id;
	}
	RCU_INIT_POINTER(t->parent, task_real_parent(t));
	if (!(f & CLONE_THREAD)) {
		struct task *from = is_kernels(a) ? &init_task : current;

		RCU_INIT_POINTER(t->signal->pids[PIDTYPE_TGID], pid);
		RCU_INIT_POINTER(t->signal->pids[PIDTYPE_PGID], task_pid_type(from, PIDTYPE_PGID));
		RCU_INIT_POINTER(t->signal->pids[PIDTYPE_SID], task_pid_type(from, PIDTYPE_SID));
		proc_inherit_subreaper(t->signal, task_real_parent(t)->signal);
		t->signal->tty = from->signal->tty;
		proc_tty_inherited(t->signal);
		if (pid->numbers[pid->level].nr == 1) {		/* the init of a namespace */
			rcu_assign_pointer(pid->numbers[pid->level].ns->child_reaper, t);
			t->signal->flags |= SIGNAL_UNKILLABLE;
		}
		attach_pids(t);
		list_add_tail(&t->sibling, &task_real_parent(t)->children);
		list_add_tail_rcu(&t->tasks, &init_task.tasks);
	} else {
		current->signal->nr_threads++;
		atomic_inc(&current->signal->live);
		refcount_inc(&current->signal->sigcnt);
		thread_joins_stop(t);
	}
	if (unlikely(current->ptrace) && (a->trace_event || (f & CLONE_PTRACE)) && !a->fn)
		ptrace_child(t);
	thread_joins(t->signal, t);
	attach_pid(t, PIDTYPE_PID);
	total_forks++;
}

/* tasklist_lock and siglock held: 0, or the error that ends the fork of PID's process; ARGS->again: begin anew. */
static int may_be_born(struct kernel_clone_args *a, struct hold *hold, const struct pid *pid)
{
	if (!is_kernels(a)) {
		recalc_sigpending();
		if (fatal_signal_pending(current) || (current->signal->flags & SIGNAL_GROUP_EXIT) || current->signal->group_exec_task)
			return -EINTR;
		if (!(a->flags & CLONE_THREAD) && task_is_held(current, hold))
			return -EAGAIN;
		/* A signal to the group or to every process came during the call: it must look as if it came before. */
		if (!(a->flags & CLONE_THREAD) && a->group_seq != current->signal->group_seq) {
			a->again = !signal_pending(current);
			return -ERESTARTNOINTR;
		}
	}
	/* The namespace's init may have ended after the number was given out: no init is left to kill the child. */
	return pid_ns_is_dying(pid->numbers[pid->level].ns) ? -ENOMEM : 0;
}

/* A program's task, a thread of the kernel, or a worker: a thread of a program's process that stays in the kernel. */
static void init_kind(struct task *t, const struct kernel_clone_args *a)
{
	if (a->worker) {
		t->flags = (t->flags & ~(unsigned int)PF_KTHREAD) | PF_IO_WORKER;
		t->uring = a->fn_arg;
		t->blocked = ~(sigmask_of(SIGKILL) | sigmask_of(SIGSTOP));
		strscpy(t->comm, a->name, sizeof(t->comm));
	} else if (a->fn) {
		t->flags |= PF_KTHREAD;
		strscpy(t->comm, a->name, sizeof(t->comm));
		cpumask_setall(&t->cpus_mask);
		t->nr_cpus_allowed = (int)nr_cpu_ids;
	} else {
		t->flags &= ~(unsigned int)PF_KTHREAD;
	}
}

struct task *copy_process(struct kernel_clone_args *a, struct hold *hold)
{
	struct task *t;
	struct pid *pid;
	struct file *pidfd_file = NULL;
	int pidfd = -1, e = is_kernels(a) ? 0 : check_flags(a);

	if (e)
		return ERR_PTR(e);
	a->group_seq = smp_load_acquire(&current->signal->group_seq);
	a->again = false;
	if (signal_pending(current) && !a->fn) {	/* a worker handles no signal, and joins a stop */
		recalc_sigpending();
		if (signal_pending(current))
			return ERR_PTR(-ERESTARTNOINTR);
	}
	t = task_dup(is_kernels(a) ? &init_task : current);
	if (!t)
		return ERR_PTR(-ENOMEM);
	init_child(t, a);
	e = copy_creds(t, a->flags);
	if (e)
		goto undo_task;
	e = is_kernels(a) ? 0 : check_limits(t);
	if (e)
		goto undo_cred;
	init_kind(t, a);
	e = copy_rooms(t, a);
	if (e)
		goto undo_cred;
	e = -EPERM;
	if (a->flags & CLONE_SETTLS && !arch_tls_allowed(a->tls))
		goto undo_rooms;
	if (a->fn)
		arch_thread_start_kernel(t, a->fn, a->fn_arg);
	if (a->worker)
		regs_init_user(task_pt_regs(t), 0, 0);	/* what a tracer sees of it */
	else if (!a->fn)
		arch_thread_fork(t, task_pt_regs(current), a->stack, a->flags & CLONE_SETTLS, a->tls);
	pid = alloc_pid(t->nsproxy->pid_ns_for_children, a->set_tid, a->set_tid_size);
	if (IS_ERR(pid)) {
		e = (int)PTR_ERR(pid);
		goto undo_rooms;
	}
	t->pid = pid->numbers[0].nr;
	if (a->flags & CLONE_PIDFD) {
		pidfd = proc_pidfd_prepare(pid, a->flags & CLONE_THREAD, &pidfd_file);
		e = pidfd < 0 ? pidfd : put_user((u32)pidfd, a->pidfd) ? -EFAULT : 0;
		if (e)
			goto undo_pid;
	}
	write_lock_irq(&tasklist_lock);
	spin_lock(&my_sighand()->siglock);
	e = may_be_born(a, hold, pid);
	if (e)
		goto undo_lock;
	link_task(t, a, pid);
	spin_unlock(&my_sighand()->siglock);
	write_unlock_irq(&tasklist_lock);
	if (pidfd_file)
		proc_pidfd_install(pidfd, pidfd_file);
	return t;
undo_lock:
	spin_unlock(&my_sighand()->siglock);
	write_unlock_irq(&tasklist_lock);
undo_pid:
	if (pidfd >= 0)
		proc_pidfd_abort(pidfd, pidfd_file);
	free_pid(pid);
undo_rooms:
	undo_rooms(t, a);
undo_cred:
	atomic_dec(&own_real_cred(t)->user->processes);
	put_cred(own_cred(t));
	put_cred(own_real_cred(t));
undo_task:
	task_dup_undo(t);
	return ERR_PTR(e);
}

/* schedule_tail()'s other half for user tasks lives in arch; this is what fork's child owes its parent. */
void proc_schedule_tail(void)
{
	if (!uptr_is_null(current->set_child_tid)) {
		u32 tid = (u32)task_pid_vnr(current);

		if (put_user(tid, current->set_child_tid))
			return;		/* as documented: a bad address is not reported */
	}
}

static void set_tid_work(struct task_work *w)
{
	proc_schedule_tail();
	kfree(w);
}

/* What the tracer of the running task is told of a child; 0: nothing. */
static int trace_event_of(const struct kernel_clone_args *a)
{
	int event = a->flags & CLONE_VFORK ? PTRACE_EVENT_VFORK : a->exit_signal != SIGCHLD || (a->flags & CLONE_THREAD) ?
		    PTRACE_EVENT_CLONE : PTRACE_EVENT_FORK;

	return !(a->flags & CLONE_UNTRACED) && ptrace_event_enabled(current, event) ? event : 0;
}

/* A new process, when no signal is on its way to those of which it would be. */
static struct task *copy_unheld(struct kernel_clone_args *a)
{
	struct hold hold = { .is = false };
	struct task *t;
	int e = 0;

	do {
		t = copy_process(a, &hold);
		if (likely(!hold.is && !a->again))
			return t;
		if (hold.is)
			e = hold_wait(&hold);
	} while (!e);
	return ERR_PTR(e);
}

pid_t kernel_clone(struct kernel_clone_args *a)
{
	struct completion vfork;
	struct task_work *tid_work = NULL;
	struct pid *traced = NULL;
	struct task *t;
	pid_t nr;

	if ((unsigned int)a->exit_signal > _NSIG)
		return -EINVAL;
	if (a->flags & CLONE_CHILD_SETTID) {
		tid_work = kmalloc(sizeof(*tid_work), GFP_KERNEL);
		if (!tid_work)
			return -ENOMEM;
		tid_work->func = set_tid_work;
	}
	a->trace_event = trace_event_of(a);
	t = copy_unheld(a);
	if (IS_ERR(t)) {
		kfree(tid_work);
		return (pid_t)PTR_ERR(t);
	}
	if (tid_work)
		task_work_add(t, tid_work, false);
	nr = task_pid_vnr(t);
	if (a->flags & CLONE_PARENT_SETTID)
		(void)put_user((u32)nr, a->parent_tid);
	if (a->flags & CLONE_VFORK) {
		init_completion(&vfork);
		t->vfork_done = &vfork;
		get_task_struct(t);
	}
	if (unlikely(a->trace_event))
		traced = get_task_pid(t, PIDTYPE_PID);
	wake_up_new_task(t);
	if (unlikely(a->trace_event))
		ptrace_event_pid(a->trace_event, traced);
	if (a->flags & CLONE_VFORK) {
		if (wait_for_completion_killable(&vfork)) {
			task_lock(t);
			t->vfork_done = NULL;
			task_unlock(t);
		} else if (unlikely(traced)) {
			ptrace_event_pid(PTRACE_EVENT_VFORK_DONE, traced);
		}
		put_task_struct(t);
	}
	put_pid(traced);
	return nr;
}

static int fork_init(void)
{
	static const struct rlimit_k defaults[RLIM_NLIMITS] = {
		[RLIMIT_CPU] = { RLIM_INFINITY, RLIM_INFINITY }, [RLIMIT_FSIZE] = { RLIM_INFINITY, RLIM_INFINITY },
		[RLIMIT_DATA] = { RLIM_INFINITY, RLIM_INFINITY }, [RLIMIT_RSS] = { RLIM_INFINITY, RLIM_INFINITY },
		[RLIMIT_AS] = { RLIM_INFINITY, RLIM_INFINITY }, [RLIMIT_LOCKS] = { RLIM_INFINITY, RLIM_INFINITY },
		[RLIMIT_RTTIME] = { RLIM_INFINITY, RLIM_INFINITY },
		[RLIMIT_STACK] = { 8UL << 20, RLIM_INFINITY }, [RLIMIT_CORE] = { 0, RLIM_INFINITY },
		[RLIMIT_NOFILE] = { 1024, 4096 }, [RLIMIT_MEMLOCK] = { 8UL << 20, 8UL << 20 }, /* not a page */
		[RLIMIT_MSGQUEUE] = { 819200, 819200 }, [RLIMIT_NICE] = { 0, 0 }, [RLIMIT_RTPRIO] = { 0, 0 },
	};
	struct signal_struct *s = &init_signals;

	sighand_cache = kmem_cache_create("sighand_cache", sizeof(struct sighand_struct), 64, SLAB_TYPESAFE_BY_RCU, NULL);
	signal_cache = kmem_cache_create("signal_cache", sizeof(struct signal_struct), 64, 0, NULL);
	if (!sighand_cache || !signal_cache)
		return -ENOMEM;
	memcpy(s->rlim, defaults, sizeof(defaults));
	/* As many threads as fill an eighth of memory with their stacks. */
	max_threads = (int)clamp(totalram_pages() * PAGE_SIZE / (8 * THREAD_SIZE), 20UL, 0x3fffffffUL);
	s->rlim[RLIMIT_NPROC].cur = s->rlim[RLIMIT_NPROC].max = (u64)max_threads / 2;
	s->rlim[RLIMIT_SIGPENDING] = s->rlim[RLIMIT_NPROC];
	s->curr_target = &init_task;
	itimer_init(s);
	thread_joins(s, &init_task);
	init_task.signal = s;
	init_task.group_times = &s->times;
	RCU_INIT_POINTER(s->pids[PIDTYPE_PGID], &init_group);
	RCU_INIT_POINTER(s->pids[PIDTYPE_SID], &init_group);
	attach_pid(&init_task, PIDTYPE_PGID);
	attach_pid(&init_task, PIDTYPE_SID);
	RCU_INIT_POINTER(init_task.sighand, &init_sighand);
	init_task.exit_signal = 0;
	return 0;
}
INITCALL(early, fork_init);

static int fork_sysctl(void)
{
	/* As proc_sys_kernel(5) has it; programs size their tables and columns by it. */
	init_pid_ns.pid_max = (int)max(init_pid_ns.pid_max, 1024 * (int)num_possible_cpus());
	sysctl_int("kernel/threads-max", 0644, &max_threads, 20, 0x3fffffff);
	sysctl_int("kernel/pid_max", 0644, &init_pid_ns.pid_max, 301, 4194304);
	return 0;
}
INITCALL(fs, fork_sysctl);
