// SPDX-License-Identifier: MIT
/*
 * The scheduler's heart: run queues, switching, waking.
 *
 * Lock order: task->pi_lock, then rq->lock; two run queues in the order of their CPU numbers. A task's state goes from
 * sleeping to running under its pi_lock; its on_rq under its run queue's lock. on_cpu says that a CPU still stands on its
 * stack: a waker waits for it before the task may run elsewhere (released by finish_switch).
 *
 * Preemption: FULL sets TIF_NEED_RESCHED, which preempts the kernel wherever the preempt count is 0. LAZY, the default, sets
 * TIF_NEED_RESCHED_LAZY for fair tasks, heeded on return to user mode; the tick turns it into the full kind. Real-time
 * wake-ups are always full.
 */
#include <lib/types.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/export.h>
#include <kernel/init.h>
#include <kernel/irq.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <kernel/time_priv.h>
#include <kernel/upcalls.h>
#include <arch/cpu.h>
#include <arch/smp.h>
#include <arch/switch.h>
#include <arch/upcalls.h>
#include <sched/guest.h>
#include <sched/plug.h>
#include <sched/sched_priv.h>
#include <sched/upcalls.h>
#include <sched/wait.h>
#include <abi/errno.h>
#include <linux/sched.h>

DEFINE_PER_CPU_ALIGNED(struct rq, runqueues);
struct cpumask idle_cpus;
enum preempt_model preempt_model = PREEMPT_LAZY;
u64 total_forks;

void resched_curr(struct rq *rq)
{
	struct task *t = rq->curr;

	if (test_tsk_flag(t, TIF_NEED_RESCHED))
		return;
	set_tsk_flag(t, TIF_NEED_RESCHED);
	if (rq->cpu == (int)raw_smp_processor_id())
		set_preempt_need_resched();
	else
		arch_send_reschedule((unsigned int)rq->cpu);
}

void resched_curr_lazy(struct rq *rq)
{
	if (preempt_model == PREEMPT_FULL || rq->curr == rq->idle)
		resched_curr(rq);
	else if (!test_tsk_flag(rq->curr, TIF_NEED_RESCHED_LAZY))
		set_tsk_flag(rq->curr, TIF_NEED_RESCHED_LAZY);
}

/* Somebody changed this CPU's mind from afar. */
void sched_ipi(void)
{
	if (test_thread_flag(TIF_NEED_RESCHED))
		set_preempt_need_resched();
	timer_check_remote();
}

struct rq *task_rq_lock(struct task *t, unsigned long *flags) __acquires(t->pi_lock) __acquires(rq->lock)
{
	struct rq *rq;

	spin_lock_irqsave(&t->pi_lock, *flags);
	for (;;) {
		rq = cpu_rq(task_cpu(t));
		spin_lock(&rq->lock);
		if (likely(rq->cpu == t->cpu))
			return rq;
		spin_unlock(&rq->lock);
	}
}

void task_rq_unlock(struct rq *rq, struct task *t, unsigned long *flags) __releases(rq->lock) __releases(t->pi_lock)
{
	spin_unlock(&rq->lock);
	spin_unlock_irqrestore(&t->pi_lock, *flags);
}

void double_rq_lock(struct rq *a, struct rq *b) __acquires(a->lock) __acquires(b->lock)
{
	if (a->cpu > b->cpu)
		swap(a, b);
	spin_lock(&a->lock);
	spin_lock_nested(&b->lock, 1);
}

void double_rq_unlock(struct rq *a, struct rq *b) __releases(a->lock) __releases(b->lock)
{
	spin_unlock(&a->lock);
	spin_unlock(&b->lock);
}

static void enqueue_task(struct rq *rq, struct task *t, bool initial)
{
	t->last_queued_ns = rq->clock_ns;
	if (task_is_rt(t))
		rt_enqueue(rq, t, false);
	else
		fair_enqueue(rq, t, initial);
}

static void dequeue_task(struct rq *rq, struct task *t, bool sleeping)
{
	if (task_is_rt(t))
		rt_dequeue(rq, t);
	else
		fair_dequeue(rq, t, sleeping);
}

static void count_up(struct rq *rq)
{
	WRITE_ONCE(rq->nr_running, rq->nr_running + 1);
}

static void count_down(struct rq *rq)
{
	WRITE_ONCE(rq->nr_running, rq->nr_running - 1);
}

void activate_task(struct rq *rq, struct task *t)
{
	DEBUG_ON(t->on_rq == TASK_ON_RQ);
	enqueue_task(rq, t, false);
	WRITE_ONCE(t->on_rq, TASK_ON_RQ);
	count_up(rq);
}

void deactivate_task(struct rq *rq, struct task *t, bool sleeping)
{
	WRITE_ONCE(t->on_rq, 0);
	dequeue_task(rq, t, sleeping);
	count_down(rq);
}

/*
 * Both queues locked; T is queued on FROM and does not run. It may say that it sleeps (preempted on its way there) and be woken meanwhile
 * by somebody who holds only its pi_lock: on_rq never reads 0, so that he waits for the queues in wake_queued().
 */
void move_task(struct task *t, struct rq *from, struct rq *to)
{
	WRITE_ONCE(t->on_rq, TASK_ON_RQ_MOVING);
	dequeue_task(from, t, false);
	count_down(from);
	WRITE_ONCE(t->cpu, to->cpu);
	activate_task(to, t);
}

static void check_preempt(struct rq *rq, struct task *t)
{
	struct task *curr = rq->curr;

	if (!task_is_rt(t))
		fair_check_preempt(rq, t);
	else if (!task_is_rt(curr) || rt_rank(curr) < rt_rank(t) || curr == rq->idle)
		resched_curr(rq);
}

/* ---- waking ---- */

static inline bool contributes_to_load(unsigned int state)
{
	return (state & TASK_UNINTERRUPTIBLE) && !(state & TASK_NOLOAD);
}

/* T is still queued (it set a sleeping state but has not left the CPU): a change of state is enough. */
static bool wake_queued(struct task *t)
{
	struct rq *rq;
	bool ok;

	/* It may be moved until its queue is locked: then the answer is on the other one. */
	for (;;) {
		rq = cpu_rq(task_cpu(t));
		spin_lock(&rq->lock);
		if (likely(rq->cpu == task_cpu(t)))
			break;
		spin_unlock(&rq->lock);
	}
	ok = t->on_rq;
	if (ok) {
		if (!t->on_cpu) {
			update_rq_clock(rq);
			check_preempt(rq, t);
		}
		WRITE_ONCE(t->state, TASK_RUNNING);
	}
	spin_unlock(&rq->lock);
	return ok;
}

bool try_to_wake_up(struct task *t, unsigned int states, int wake_flags)
{
	unsigned long flags;
	bool ok = false;
	struct rq *rq;
	int cpu;

	if (t == current) {
		if (!(READ_ONCE(t->state) & states))
			return false;
		WRITE_ONCE(t->state, TASK_RUNNING);
		return true;
	}
	spin_lock_irqsave(&t->pi_lock, flags);
	smp_mb();		/* the waker's condition before the look at the state; pairs with set_current_state() */
	if (!(READ_ONCE(t->state) & states))
		goto out;
	ok = true;
	smp_rmb();
	if (READ_ONCE(t->on_rq) && wake_queued(t))
		goto out;
	smp_rmb();		/* on_cpu is of after it left its queue; pairs with the locks of __schedule() and finish_switch() */
	/* It may still be on its way off its CPU. */
	while (smp_load_acquire(&t->on_cpu))
		cpu_relax();
	if (contributes_to_load(t->state))
		__atomic_fetch_sub(&cpu_rq(t->cpu)->nr_uninterruptible, 1, __ATOMIC_RELAXED);
	cpu = select_cpu(t, t->cpu);
	WRITE_ONCE(t->state, TASK_RUNNING);
	rq = cpu_rq(cpu);
	spin_lock(&rq->lock);
	update_rq_clock(rq);
	WRITE_ONCE(t->cpu, cpu);
	activate_task(rq, t);
	check_preempt(rq, t);
	spin_unlock(&rq->lock);
out:
	spin_unlock_irqrestore(&t->pi_lock, flags);
	return ok;
}

void set_special_state(unsigned int state)
{
	unsigned long flags;

	spin_lock_irqsave(&current->pi_lock, flags);
	WRITE_ONCE(current->state, state);
	spin_unlock_irqrestore(&current->pi_lock, flags);
}

void kick_process(struct task *t)
{
	int cpu;

	preempt_disable();
	cpu = task_cpu(t);
	if (cpu != (int)raw_smp_processor_id() && READ_ONCE(t->on_cpu))
		arch_send_reschedule((unsigned int)cpu);
	preempt_enable();
}

void wake_up_new_task(struct task *t)
{
	unsigned long flags;
	struct rq *rq;
	int cpu;

	spin_lock_irqsave(&t->pi_lock, flags);
	WRITE_ONCE(t->state, TASK_RUNNING);
	cpu = select_cpu(t, t->cpu);
	rq = cpu_rq(cpu);
	spin_lock(&rq->lock);
	update_rq_clock(rq);
	WRITE_ONCE(t->cpu, cpu);
	enqueue_task(rq, t, true);
	WRITE_ONCE(t->on_rq, TASK_ON_RQ);
	count_up(rq);
	check_preempt(rq, t);
	spin_unlock(&rq->lock);
	spin_unlock_irqrestore(&t->pi_lock, flags);
}

/* ---- switching ---- */

/* On the new task's stack, rq->lock still held by the switch. */
static void finish_switch(struct rq *rq, struct task *prev) __releases(rq->lock)
{
	bool dead = prev->state == TASK_DEAD;

	/* From here on PREV may run elsewhere, or be freed by who waits for it. */
	smp_store_release(&prev->on_cpu, 0);
	__raw_spin_unlock(&rq->lock);
	__release(rq->lock);
	preempt_enable_no_resched();		/* the spin_lock's; __schedule's caller holds one more */
	local_irq_enable();
	mm_switch_finish(prev);
	if (static_branch_unlikely(&guest_hooks_key) && current->guest)
		current->guest->in(current->guest);
	if (current->rseq)
		set_thread_flag(TIF_RSEQ);
	if (unlikely(dead)) {
		put_task_stack(prev);
		put_task_struct(prev);
	}
}

void schedule_tail(struct task *prev) __releases(rq->lock)
{
	finish_switch(this_rq(), prev);
	preempt_count_set(0);
}

static inline bool signal_keeps_running(struct task *t, unsigned int state)
{
	if (likely(!(state & (TASK_INTERRUPTIBLE | TASK_WAKEKILL))) || !signal_pending(t))
		return false;
	return (state & TASK_INTERRUPTIBLE) || fatal_signal_pending(t);
}

static struct task *pick_next(struct rq *rq)
{
	struct task *t;

	if (unlikely(rq->rt.nr)) {
		t = rt_pick(rq);
		if (t)
			return t;
	}
	if (likely(rq->fair.nr))
		return fair_pick(rq);
	return rq->rt.nr ? rt_pick(rq) : rq->idle;
}

static void put_prev(struct rq *rq, struct task *prev)
{
	if (prev == rq->idle)
		return;
	if (rq->fair.curr == &prev->se)
		fair_put_prev(rq, prev);
	if (prev->on_rq)
		prev->last_queued_ns = rq->clock_ns;
}

static void set_next(struct rq *rq, struct task *next)
{
	if (next == rq->idle)
		return;
	if (!task_is_rt(next))
		fair_set_curr(rq, next);
	else
		next->se.exec_start = rq->clock_ns;
	next->run_delay_ns += rq->clock_ns - next->last_queued_ns;
	next->pcount++;
}

void __schedule(bool preempt)
{
	struct task *prev = current, *next;
	struct rq *rq;
	unsigned int state;

	local_irq_disable();
	rcu_note_context_switch();
	rq = this_rq();
	spin_lock(&rq->lock);
	update_rq_clock(rq);
	state = READ_ONCE(prev->state);
	if (!preempt && state) {
		if (signal_keeps_running(prev, state)) {
			WRITE_ONCE(prev->state, TASK_RUNNING);
		} else {
			if (contributes_to_load(state))
				__atomic_fetch_add(&rq->nr_uninterruptible, 1, __ATOMIC_RELAXED);
			if (task_is_rt(prev))
				rt_update_curr(rq, rq->clock_ns - prev->se.exec_start);
			deactivate_task(rq, prev, true);
		}
		prev->nvcsw++;
	} else {
		prev->nivcsw += prev != rq->idle;
	}
	if (unlikely(!rq->nr_running))
		newidle_balance(rq);
	next = pick_next(rq);
	if (likely(prev != next)) {
		account_switch(rq, prev);
		put_prev(rq, prev);
	}
	/*
	 * Only now: taking PREV off and pulling others over (the lock is dropped for that) may have asked for this switch once more. A
	 * flag left behind would make resched_curr() believe later that this CPU was told.
	 */
	clear_bit(TIF_NEED_RESCHED, &prev->work_flags);
	clear_bit(TIF_NEED_RESCHED_LAZY, &prev->work_flags);
	clear_preempt_need_resched();
	if (likely(prev != next)) {
		set_next(rq, next);
		rq->nr_switches++;
		rq->curr = next;
		WRITE_ONCE(next->on_cpu, 1);
		if (prev == rq->idle) {
			account_idle_end(rq);
			tick_start();
		}
		DEBUG_ON(this_cpu_read(cpu_in_guest));
		if (static_branch_unlikely(&guest_hooks_key) && prev->guest)
			prev->guest->out(prev->guest);
		mm_switch(prev, next);
		lock_release(__lock_map(&rq->lock), _THIS_IP_);	/* goes over to NEXT, which lets it go */
		prev = arch_switch_to(prev, next);
		finish_switch(this_rq(), prev);
	} else {
		spin_unlock(&rq->lock);
		local_irq_enable();
	}
}

void schedule(void)
{
	might_sleep();
	/*
	 * A switch ends the RCU read sections of this CPU, and what a section or a spinlock protects would go; with interrupts
	 * off, what an interrupt shares. The task ends instead. In every build: drivers without unsafe code can come here.
	 */
	if (unlikely(preempt_count() || irqs_disabled()))
		bug_at(__FILE__, __LINE__, "scheduling while atomic");
#ifdef CONFIG_DEBUG
	WARN_ONCE(current->nowait && READ_ONCE(current->state) && !(current->flags & PF_MEMALLOC), "sleep in a call that does not wait");
#endif
	if (unlikely(current->plug) && READ_ONCE(current->state) && current->plug->count)
		block_unplug(current->plug);
	if (unlikely(current->flags & PF_WQ_WORKER) && READ_ONCE(current->state))
		work_worker_sleeps(current);
	do {
		preempt_disable();
		__schedule(false);
		preempt_enable_no_resched();
	} while (need_resched());
}

void preempt_schedule(void)
{
	if (likely(!preemptible()))
		return;
	do {
		preempt_disable();
		__schedule(true);
		preempt_enable_no_resched();
	} while (need_resched());
}
EXPORT(preempt_schedule);

/* From the return path of an interrupt: interrupts off. */
void preempt_schedule_irq(void)
{
	do {
		preempt_disable();
		local_irq_enable();
		__schedule(true);
		local_irq_disable();
		preempt_enable_no_resched();
	} while (need_resched());
}

bool __cond_resched(void)
{
	if (preempt_count() || irqs_disabled())
		return false;
	preempt_schedule();
	return true;
}
EXPORT(__cond_resched);

void sched_tick(enum cpu_context c)
{
	struct rq *rq = this_rq();
	struct task *t;

	spin_lock(&rq->lock);
	update_rq_clock(rq);
	t = rq->curr;
	account_tick(c);
	soft_lockup_tick(rq, t, c);
	if (t != rq->idle) {
		if (test_tsk_flag(t, TIF_NEED_RESCHED_LAZY))
			resched_curr(rq);
		if (task_is_rt(t)) {
			rt_update_curr(rq, account_rt(rq, t));
			rt_tick(rq, t);
		} else {
			fair_tick(rq, t);
			rt_check_window(rq);
		}
	}
	spin_unlock(&rq->lock);
	sched_run_kicks();
	if (t != rq->idle) {
		periodic_balance(rq);
		cpu_timers_tick(t);
	}
}

/* ---- the idle task ---- */

static void idle_once(struct rq *rq)
{
	section_break();
	local_irq_disable();
	if (need_resched()) {
		local_irq_enable();
		return;
	}
	/* With interrupts off: one may just have left something to do, and there is no tick to come. */
	if (rq->rcu_kick || rq->console_kick) {
		local_irq_enable();
		sched_run_kicks();
		return;
	}
	tick_stop_idle();
	rcu_idle_enter();
	arch_cpu_idle();
	local_irq_disable();
	rcu_idle_exit();
	local_irq_enable();
}

void cpu_idle_loop(void)
{
	struct rq *rq = this_rq();

	preempt_count_set(1);
	for (;;) {
		cpumask_set_cpu((unsigned int)rq->cpu, &idle_cpus);
		while (!need_resched())
			idle_once(rq);
		cpumask_clear_cpu((unsigned int)rq->cpu, &idle_cpus);
		__schedule(false);
	}
}

struct task *idle_task(int cpu)
{
	return cpu_rq(cpu)->idle;
}

/* ---- policy and affinity ---- */

/* Runs CHANGE with T off its queue, then puts it back. pi_lock and rq->lock held. */
static void requeue_around(struct rq *rq, struct task *t, const struct sched_attr_k *a)
{
	bool queued = t->on_rq, running = queued && rq->curr == t;	/* it may be on its way off: it never comes back as curr */

	update_rq_clock(rq);
	if (running && t != rq->idle)
		put_prev(rq, t);
	if (queued)
		dequeue_task(rq, t, false);
	t->policy = (u8)a->policy;
	t->reset_on_fork = !!(a->flags & SCHED_FLAG_RESET_ON_FORK);
	if (policy_is_rt((int)a->policy)) {
		t->rt_priority = (int)a->priority;
		t->rt.slice_left = RR_SLICE_TICKS;
	} else {
		t->rt_priority = 0;
		t->nice = a->nice;
		t->se.custom_slice = a->runtime_ns != 0;
		if (a->runtime_ns)
			t->se.slice = clamp(a->runtime_ns, (u64)NSEC_PER_MSEC / 10, (u64)NSEC_PER_MSEC * 100);
		t->se.weight = fair_weight(t);
	}
	if (queued)
		enqueue_task(rq, t, false);
	if (running && t != rq->idle)
		set_next(rq, t);
	if (queued) {
		if (running)
			resched_curr(rq);
		else
			check_preempt(rq, t);
	}
}

int sched_set_attr(struct task *t, const struct sched_attr_k *a)
{
	unsigned long flags;
	struct rq *rq;

	if (a->policy > SCHED_IDLE || a->policy == 4)
		return -EINVAL;
	if (policy_is_rt((int)a->policy) != (a->priority != 0) || a->priority > 99 || a->nice < -20 || a->nice > 19)
		return -EINVAL;
	rq = task_rq_lock(t, &flags);
	requeue_around(rq, t, a);
	task_rq_unlock(rq, t, &flags);
	return 0;
}

int set_user_nice(struct task *t, int nice)
{
	unsigned long flags;
	struct rq *rq;

	if (nice < -20 || nice > 19)
		return -EINVAL;
	rq = task_rq_lock(t, &flags);
	t->nice = nice;
	if (!task_is_rt(t)) {
		update_rq_clock(rq);
		if (t->on_rq)
			fair_reweight(rq, t);
		else
			t->se.weight = fair_weight(t);
		if (t->on_rq)
			resched_curr_lazy(rq);
	}
	task_rq_unlock(rq, t, &flags);
	return 0;
}

/* Stands between a task and its new CPU: run by a kernel thread bound to the old one is not needed, since a running task
 * moves itself at its next pass through here. */
int set_cpus_allowed(struct task *t, const struct cpumask *mask)
{
	struct cpumask usable;
	unsigned long flags;
	struct rq *rq, *to;
	int cpu;

	if (!cpumask_and(&usable, mask, cpu_active_mask))
		return -EINVAL;
	rq = task_rq_lock(t, &flags);
	cpumask_copy(&t->cpus_mask, mask);
	t->nr_cpus_allowed = (int)cpumask_weight(mask);
	if (cpumask_test_cpu((unsigned int)t->cpu, &usable)) {
		task_rq_unlock(rq, t, &flags);
		return 0;
	}
	cpu = (int)cpumask_first(&usable);
	to = cpu_rq(cpu);
	if (!t->on_rq) {
		if (!t->on_cpu)
			WRITE_ONCE(t->cpu, cpu);
		task_rq_unlock(rq, t, &flags);
		return 0;
	}
	if (rq->curr != t && !READ_ONCE(t->on_cpu)) {
		spin_unlock(&rq->lock);
		double_rq_lock(rq, to);
		if (t->cpu == rq->cpu && t->on_rq && rq->curr != t && !READ_ONCE(t->on_cpu)) {
			update_rq_clock(rq);
			update_rq_clock(to);
			move_task(t, rq, to);
			check_preempt(to, t);
			double_rq_unlock(rq, to);
			spin_unlock_irqrestore(&t->pi_lock, flags);
			return 0;
		}
		spin_unlock(&to->lock);
	}
	task_rq_unlock(rq, t, &flags);
	/* It runs: its CPU's stopper takes it away. */
	return stopper_migrate(t, rq->cpu);
}

void yield(void)
{
	struct rq *rq;

	local_irq_disable();
	rq = this_rq();
	spin_lock(&rq->lock);
	update_rq_clock(rq);
	if (task_is_rt(current))
		rt_requeue(rq, current);
	else
		fair_yield(rq);
	preempt_disable();
	spin_unlock(&rq->lock);
	local_irq_enable();
	__schedule(true);
	preempt_enable_no_resched();
}

u64 sched_rr_interval_ns(struct task *t)
{
	if (t->policy == SCHED_FIFO)
		return 0;
	return t->policy == SCHED_RR ? RR_SLICE_TICKS * TICK_NSEC : (u64)BASE_SLICE_NS;
}

/* ---- boot ---- */

static int set_preempt(const char *v)
{
	if (v && !strcmp(v, "full"))
		preempt_model = PREEMPT_FULL;
	else if (v && !strcmp(v, "lazy"))
		preempt_model = PREEMPT_LAZY;
	else
		return -EINVAL;
	return 0;
}
KERNEL_PARAM("preempt", set_preempt);

void sched_init_cpu(int cpu, struct task *idle)
{
	struct rq *rq = cpu_rq(cpu);

	spin_lock_init(&rq->lock);
	rq->cpu = cpu;
	rq->idle = rq->curr = idle;
	rq->fair.tree = RB_ROOT_CACHED;
	for (int i = 0; i < MAX_RT_PRIO; i++)
		INIT_LIST_HEAD(&rq->rt.queue[i]);
	idle->cpu = cpu;
	idle->on_cpu = 1;
	idle->flags |= PF_IDLE;
	cpumask_clear(&idle->cpus_mask);
	__cpumask_set_cpu((unsigned int)cpu, &idle->cpus_mask);
	rcu_init_cpu(cpu);
}

void sched_init(void)
{
	preempt_count_set(1);
	clear_preempt_need_resched();
	sched_init_cpu(0, &init_task);
	cpu_rq(0)->online = true;
	cpumask_set_cpu(0, &cpu_active_mask_);
}
