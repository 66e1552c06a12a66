// SPDX-License-Identifier: MIT
/*
 * The task structure: the first one, making more, letting go.
 */
#include <lib/types.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/rcu.h>
#include <arch/fpu.h>
#include <arch/switch.h>
#include <alloc/kmemleak.h>
#include <alloc/slab.h>
#include <alloc/upcalls.h>
#include <alloc/vmalloc.h>
#include <sched/sched_priv.h>
#include <sched/task.h>
#include <sched/task_life.h>
#include <sched/work.h>
#include <kernel/upcalls.h>
#include <sched/upcalls.h>
#include <abi/errno.h>

extern char boot_stack[];

/* CPU 0's idle task: what start_kernel runs as. */
struct task init_task __aligned(64) = {
	.stack = boot_stack,
	.flags = PF_KTHREAD | PF_IDLE,
	.comm = "swapper/0",
	.usage = REFCOUNT_INIT(2),
	.stack_refs = REFCOUNT_INIT(1),
	.on_cpu = 1,
	.nr_cpus_allowed = 1,
	.children = LIST_HEAD_INIT(init_task.children),
	.sibling = LIST_HEAD_INIT(init_task.sibling),
	.tasks = LIST_HEAD_INIT(init_task.tasks),
	.thread_node = LIST_HEAD_INIT(init_task.thread_node),
	.ptraced = LIST_HEAD_INIT(init_task.ptraced),
	.ptrace_entry = LIST_HEAD_INIT(init_task.ptrace_entry),
	.pending.list = LIST_HEAD_INIT(init_task.pending.list),
	.group_leader = &init_task,
	.real_parent = RCU_INITIALIZER(&init_task),
	.parent = RCU_INITIALIZER(&init_task),
	.pi_lock = __SPIN_LOCK_UNLOCKED(init_task.pi_lock),
	.alloc_lock = __SPIN_LOCK_UNLOCKED(init_task.alloc_lock),
	.login_uid = (u32)-1,
	.login_session = (u32)-1,
	.timer_slack_ns = 50000,
	.default_timer_slack_ns = 50000,
	.se.weight = 1024,
};

static struct kmem_cache *task_cache;
static atomic_t nr_tasks = ATOMIC_INIT(1);

int nr_tasks_alive(void)
{
	return atomic_read(&nr_tasks);
}

void task_uncount(void)
{
	atomic_dec(&nr_tasks);
}

static void task_free(struct task *t)
{
	arch_thread_free(t);
	proc_task_free(t);
	kmem_cache_free(task_cache, t);
}

static void task_free_rcu(struct rcu_head *h)
{
	task_free(container_of(h, struct task, rcu));
}

void put_task_struct(struct task *t)
{
	if (refcount_dec_and_test(&t->usage))
		call_rcu(&t->rcu, task_free_rcu);
}

void put_task_stack(struct task *t)
{
	if (refcount_dec_and_test(&t->stack_refs))
		kstack_free(t->stack);
}

/* Scheduler state of a task that has never run. */
static void sched_fork(struct task *t, const struct task *from)
{
	t->state = TASK_NEW;
	t->on_rq = 0;
	t->on_cpu = 0;
	t->nvcsw = t->nivcsw = 0;
	t->utime_ns = t->stime_ns = t->gtime_ns = t->prev_utime_ns = t->prev_stime_ns = 0;
	t->run_delay_ns = t->pcount = 0;
	t->migrate_disabled = 0;
	t->min_flt = t->maj_flt = 0;
	spin_lock_init(&t->pi_lock);
	t->se = (struct sched_entity){ .slice = from->se.slice, .custom_slice = from->se.custom_slice };
	t->rt = (struct sched_rt){ .slice_left = RR_SLICE_TICKS };
	if (from->reset_on_fork) {
		if (task_is_rt(from))
			t->policy = 0;
		t->rt_priority = 0;
		if (t->nice < 0 || task_is_rt(from))
			t->nice = 0;
		t->reset_on_fork = 0;
	}
	t->se.weight = fair_weight(t);
	t->cpu = (int)raw_smp_processor_id();
}

/* Of all but init_task: the mask at the end has a bit for each CPU that there is. */
static size_t task_size(void)
{
	return offsetof(struct task, cpus_mask) + cpumask_size();
}

struct task *task_dup(const struct task *from)
{
	struct task *t = kmem_cache_alloc(task_cache, GFP_KERNEL);

	if (!t)
		return NULL;
	memcpy(t, from, task_size());
	arch_thread_dup(t);
	t->stack = kstack_alloc(GFP_KERNEL);
	if (!t->stack) {
		kmem_cache_free(task_cache, t);
		return NULL;
	}
	kmemleak_stack_owner(t->stack, t);
	memset(&t->thread, 0, sizeof(t->thread));
	t->work_flags = from->work_flags & (_TIF(TIF_SYSCALL_TRACE) | _TIF(TIF_SECCOMP) | _TIF(TIF_SYSCALL_LOG));
	t->flags &= ~(unsigned int)(PF_IDLE | PF_SUPERPRIV | PF_WQ_WORKER | PF_KSWAPD | PF_MEMALLOC | PF_NO_SETAFFINITY);
	t->flags |= PF_FORKNOEXEC;
	refcount_set(&t->stack_refs, 1);
	refcount_set(&t->usage, 2);	/* one for the table, one for the scheduler's last switch */
	spin_lock_init(&t->alloc_lock);
	t->nofault = 0;
	t->mm = t->active_mm = NULL;
	t->kthread = t->worker = NULL;
#ifdef CONFIG_LOCKDEP
	t->lockdep.depth = t->lockdep.lost = 0;
#endif
#ifdef CONFIG_FAULT_INJECTION
	t->fail_nth = 0;
#endif
#ifdef CONFIG_KCOV
	t->kcov = (struct kcov_task){ 0 };	/* a child is not traced */
#endif
	t->task_work.first = NULL;
	t->uring = NULL;
	t->guest = NULL;
	memset(t->io_bytes, 0, sizeof(t->io_bytes));
	sched_fork(t, from);
	t->start_ns = ktime_get_ns();
	t->start_boottime_ns = ktime_get_boottime_ns();
	atomic_inc(&nr_tasks);
	return t;
}

void task_dup_undo(struct task *t)
{
	kstack_free(t->stack);
	arch_thread_free(t);
	kmem_cache_free(task_cache, t);
	atomic_dec(&nr_tasks);
}

#ifdef CONFIG_KMEMLEAK
/* The task may be freed, if not go away, while it is looked at. */
__no_sanitize_address unsigned long kmemleak_stack_used(const void *owner, size_t size, unsigned long stack)
{
	const struct task *t = owner;
	unsigned long end = stack + THREAD_SIZE, sp;

	if (size < task_size() || READ_ONCE(t->stack) != (void *)stack || t == current)
		return end;
	sp = READ_ONCE(t->thread.sp);
	/* One that runs is somewhere on it. */
	return READ_ONCE(t->on_cpu) || sp < stack || sp > end ? stack : sp;
}
#endif

void set_task_comm(struct task *t, const char *name)
{
	task_lock(t);
	strscpy(t->comm, name, sizeof(t->comm));
	task_unlock(t);
}

void get_task_comm(char *buf, struct task *t)
{
	task_lock(t);
	memcpy(buf, t->comm, TASK_COMM_LEN);
	task_unlock(t);
}

const char *current_task_name(void)
{
	return current->comm;
}

int current_task_pid(void)
{
	return current ? current->pid : 0;
}

/* ---- work in a task's own context ---- */

static struct llist_node work_exited;	/* marks the list of a task that takes no more */

int task_work_add(struct task *t, struct task_work *w, bool interrupt)
{
	struct llist_node *first = READ_ONCE(t->task_work.first);

	do {
		if (unlikely(first == &work_exited))
			return -ESRCH;
		w->node.next = first;
	} while (!try_cmpxchg(&t->task_work.first, &first, &w->node));
	set_tsk_flag(t, TIF_NOTIFY_RESUME);
	if (interrupt)
		task_work_interrupt(t);
	return 0;
}

void task_work_interrupt(struct task *t)
{
	set_tsk_flag(t, TIF_NOTIFY_SIGNAL);
	/* An interrupt's current may be on its way to sleep, past its look at the flag. */
	if (t == current && likely(READ_ONCE(t->state) == TASK_RUNNING))
		return;
	if (!wake_up_state(t, TASK_INTERRUPTIBLE))
		kick_process(t);
}

static void run_list(struct llist_node *n)
{
	struct llist_node *next;

	for (n = llist_reverse_order(n); n; n = next) {
		struct task_work *w = container_of(n, struct task_work, node);

		next = n->next;
		w->func(w);
		cond_resched();
	}
}

static struct llist_head deferred;
static void run_deferred(struct work_struct *w)
{
	(void)w;
	run_list(llist_del_all(&deferred));
}
static DECLARE_WORK(deferred_work, run_deferred);

void task_work_defer(struct task_work *w)
{
	if (likely(!is_kthread(current) && !in_atomic()) && likely(!task_work_add(current, w, false)))
		return;
	if (llist_add(&w->node, &deferred))
		schedule_work(&deferred_work);
}

void task_work_flush_deferred(void)
{
	run_deferred(NULL);
	flush_work(&deferred_work);	/* it may have taken some before */
}

void task_work_run(void)
{
	struct task *t = current;

	for (;;) {
		struct llist_node *n = READ_ONCE(t->task_work.first);

		if (!n && !(t->flags & PF_EXITING))
			return;
		if (n == &work_exited)
			return;
		/* An exiting task closes its list once it is empty. */
		if (!try_cmpxchg(&t->task_work.first, &n, n ? NULL : &work_exited))
			continue;
		if (!n)
			return;
		run_list(n);
	}
}

static int task_init(void)
{
	task_cache = kmem_cache_create("task_struct", task_size(), 64, 0, NULL);
	return task_cache ? 0 : -ENOMEM;
}
INITCALL(early, task_init);
