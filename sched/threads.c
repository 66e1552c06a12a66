// SPDX-License-Identifier: MIT
/*
 * The threads behind lower rooms: RCU's grace periods and callbacks, the console, threaded interrupts, and the stopper that
 * takes a running task off its CPU.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/irq.h>
#include <kernel/percpu.h>
#include <kernel/printk.h>
#include <kernel/rcu.h>
#include <kernel/upcalls.h>
#include <sched/printk_wait.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include <sched/sched_priv.h>
#include <sched/upcalls.h>
#include <abi/errno.h>

/* ---- RCU ---- */

static struct task *gp_thread;
static DEFINE_PER_CPU(struct task *, cb_thread);

void rcu_wake_gp(void)
{
	/* Also where it is the running task: an interrupt may come between its look and its sleep. */
	if (gp_thread)
		wake_up_process(gp_thread);
}

/* The scheduler holds its locks: the idle loop or the tick passes it on. */
void rcu_wake_gp_deferred(void)
{
	this_rq()->rcu_kick = true;
}

void rcu_wake_callbacks(int cpu)
{
	struct task *t = per_cpu(cb_thread, cpu);

	if (t)
		wake_up_process(t);
}

void rcu_nudge_cpu(int cpu)
{
	struct rq *rq = cpu_rq(cpu);
	unsigned long flags;

	spin_lock_irqsave(&rq->lock, flags);
	resched_curr(rq);
	spin_unlock_irqrestore(&rq->lock, flags);
}

void rcu_callback_breath(void)
{
	cond_resched();
}

static int gp_main(void *unused)
{
	for (;;) {
		unsigned int tries = 0;

		set_current_state(TASK_IDLE);
		if (!rcu_gp_needed()) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		rcu_gp_begin();
		rcu_note_context_switch();
		/* CPUs report as they switch; who has not after a tick is asked to. */
		while (rcu_gp_holdout(tries >= 2) >= 0) {
			schedule_timeout_uninterruptible(1);
			tries++;
		}
		rcu_gp_end();
	}
	return 0;
}

static int cb_main(void *arg)
{
	int cpu = (int)(long)arg;

	for (;;) {
		set_current_state(TASK_IDLE);
		if (!rcu_callbacks_ready(cpu)) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		rcu_run_callbacks(cpu);
	}
	return 0;
}

struct rcu_waiter {
	struct rcu_head head;
	struct completion done;
};

static void rcu_waiter_done(struct rcu_head *h)
{
	complete(&container_of(h, struct rcu_waiter, head)->done);
}

void synchronize_rcu(void)
{
	struct rcu_waiter w;

	might_sleep();
	if (rcu_is_alone())
		return;		/* one CPU, one thread: this call itself is outside every section */
	init_completion(&w.done);
	call_rcu(&w.head, rcu_waiter_done);
	wait_for_completion(&w.done);
}

static void queue_on_cpu(void *arg)
{
	call_rcu(arg, rcu_waiter_done);
}

void rcu_barrier(void)
{
	unsigned int cpu;

	might_sleep();
	if (rcu_is_alone())
		return;
	for_each_online_cpu(cpu) {
		struct rcu_waiter w;

		/* Callbacks of one CPU run in order. */
		init_completion(&w.done);
		smp_call_function_single((int)cpu, queue_on_cpu, &w.head, true);
		wait_for_completion(&w.done);
	}
}

/* ---- the console ---- */

static struct task *console_thread;
DECLARE_WAIT_QUEUE_HEAD(printk_wait);

void console_wake(void)
{
	if (!console_thread)
		return;
	this_rq()->console_kick = true;
	/* In a context that may hold scheduler locks it waits for the next tick or idle pass. */
	if (preempt_count() <= 1 && !irqs_disabled()) {
		this_rq()->console_kick = false;
		wake_up_process(console_thread);
	}
}

static int console_main(void *unused)
{
	for (;;) {
		u64 before = printk_next_seq();

		console_thread_round();
		if (wq_has_sleeper(&printk_wait))
			wake_up_interruptible_poll(&printk_wait, 0x0041);	/* EPOLLIN | EPOLLRDNORM */
		set_current_state(TASK_IDLE);
		if (before == printk_next_seq())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

void console_settle(void)
{
	u64 behind, before = ~0ULL;
	int stuck = 0;

	for (int i = 0; i < 30 * HZ && stuck < 2 * HZ && (behind = console_behind()); i++) {
		stuck = behind < before ? 0 : stuck + 1;
		before = behind;
		console_flush();
		schedule_timeout_uninterruptible(1);
	}
}

/* Deferred wake-ups; interrupts off or preemption off, no scheduler lock held. */
void sched_run_kicks(void)
{
	struct rq *rq = this_rq();

	if (rq->rcu_kick) {
		rq->rcu_kick = false;
		rcu_wake_gp();
	}
	if (rq->console_kick) {
		rq->console_kick = false;
		if (console_thread)
			wake_up_process(console_thread);
	}
}

/* ---- threaded interrupts ---- */

struct irq_thread {
	struct irq_action *action;
	int irq;
	struct task *task;
};

static int irq_thread_main(void *arg)
{
	struct irq_thread *t = arg;

	for (;;) {
		set_current_state(TASK_IDLE);
		if (irq_action_take(t->action)) {
			__set_current_state(TASK_RUNNING);
			irq_action_run(t->action, t->irq);
			continue;
		}
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

int irq_thread_start(struct irq_action *a, int irq, const char *name, void **thread)
{
	struct irq_thread *t = kzalloc(sizeof(*t), GFP_KERNEL);
	struct sched_attr_k attr = { .policy = 1, .priority = 50 };

	if (!t)
		return -ENOMEM;
	t->action = a;
	t->irq = irq;
	t->task = kthread_create(irq_thread_main, t, "irq/%d-%s", irq, name);
	if (IS_ERR(t->task)) {
		int e = (int)PTR_ERR(t->task);

		kfree(t);
		return e;
	}
	sched_set_attr(t->task, &attr);
	wake_up_process(t->task);
	*thread = t;
	return 0;
}

void irq_thread_stop(void *thread)
{
	struct irq_thread *t = thread;

	kthread_stop(t->task);
	kfree(t);
}

void irq_thread_wake_one(void *thread)
{
	wake_up_process(((struct irq_thread *)thread)->task);
}

/* ---- the stopper: highest priority, bound; while it runs, nobody else does on its CPU ---- */

struct stop_request {
	struct list_head node;
	struct task *task;
	struct completion done;
};

struct stopper {
	spinlock_t lock;
	struct list_head todo;		/* lock */
	struct task *task;
};

static DEFINE_PER_CPU(struct stopper, stoppers);

static void push_away(struct task *t, int cpu)
{
	struct rq *rq = cpu_rq(cpu), *to;
	struct cpumask usable;
	unsigned long flags;

	spin_lock_irqsave(&t->pi_lock, flags);
	if (t->cpu == cpu && !cpumask_test_cpu((unsigned int)cpu, &t->cpus_mask) &&
	    cpumask_and(&usable, &t->cpus_mask, cpu_active_mask)) {
		to = cpu_rq(cpumask_first(&usable));
		double_rq_lock(rq, to);
		if (t->cpu == cpu && t->on_rq) {
			update_rq_clock(rq);
			update_rq_clock(to);
			move_task(t, rq, to);
			resched_curr(to);
		} else if (t->cpu == cpu) {
			WRITE_ONCE(t->cpu, to->cpu);
		}
		double_rq_unlock(rq, to);
	}
	spin_unlock_irqrestore(&t->pi_lock, flags);
}

static int stopper_main(void *arg)
{
	struct stopper *s = arg;
	int cpu = (int)raw_smp_processor_id();

	for (;;) {
		struct stop_request *r;

		set_current_state(TASK_IDLE);
		spin_lock_irq(&s->lock);
		r = list_first_entry_or_null(&s->todo, struct stop_request, node);
		if (r)
			list_del(&r->node);
		spin_unlock_irq(&s->lock);
		if (!r) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		push_away(r->task, cpu);
		complete(&r->done);
	}
	return 0;
}

int stopper_migrate(struct task *t, int cpu)
{
	struct stopper *s = per_cpu_ptr(&stoppers, cpu);
	struct stop_request r = { .task = t };

	if (!s->task)
		return 0;
	init_completion(&r.done);
	spin_lock_irq(&s->lock);
	list_add_tail(&r.node, &s->todo);
	spin_unlock_irq(&s->lock);
	wake_up_process(s->task);
	wait_for_completion(&r.done);
	return 0;
}

/* ---- start ---- */

/* The threads of CPU, asleep: they run once it is online and they are woken. 0 or -ENOMEM, and then there are none. */
int sched_threads_create(unsigned int cpu)
{
	struct stopper *s = per_cpu_ptr(&stoppers, cpu);
	struct sched_attr_k top = { .policy = 1, .priority = 99 };
	struct task *stop, *cb;

	spin_lock_init(&s->lock);
	INIT_LIST_HEAD(&s->todo);
	stop = kthread_create(stopper_main, s, "migration/%u", cpu);
	if (IS_ERR(stop))
		return (int)PTR_ERR(stop);
	cb = kthread_create(cb_main, (void *)(long)cpu, "rcuc/%u", cpu);
	if (IS_ERR(cb)) {
		kthread_stop(stop);
		return (int)PTR_ERR(cb);
	}
	kthread_bind(stop, cpu);
	/* While it is no real-time task yet. A program of priority 99 that never sleeps must not keep it out. */
	cpu_rq(cpu)->stopper = stop;
	sched_set_attr(stop, &top);
	kthread_bind(cb, cpu);
	s->task = stop;
	per_cpu(cb_thread, cpu) = cb;
	return 0;
}

/* They never ran: CPU stays off. */
void sched_threads_destroy(unsigned int cpu)
{
	struct task *made[] = { per_cpu_ptr(&stoppers, cpu)->task, per_cpu(cb_thread, cpu) };

	cpu_rq(cpu)->stopper = NULL;
	per_cpu_ptr(&stoppers, cpu)->task = NULL;
	per_cpu(cb_thread, cpu) = NULL;
	for (unsigned int i = 0; i < ARRAY_SIZE(made); i++) {
		cpumask_setall(&made[i]->cpus_mask);
		made[i]->nr_cpus_allowed = (int)nr_cpu_ids;
		kthread_stop(made[i]);
	}
}

void sched_threads_wake(unsigned int cpu)
{
	wake_up_process(per_cpu_ptr(&stoppers, cpu)->task);
	wake_up_process(per_cpu(cb_thread, cpu));
}

static int sched_threads_start(void)
{
	int e = sched_threads_create(0);

	if (!e)
		sched_threads_wake(0);

	gp_thread = kthread_run(gp_main, NULL, "rcu_gp");
	console_thread = kthread_run(console_main, NULL, "console");
	if (IS_ERR(gp_thread) || IS_ERR(console_thread))
		return -ENOMEM;
	rcu_threads_started();
	return e;
}
INITCALL(sched, sched_threads_start);
