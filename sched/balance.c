// SPDX-License-Identifier: MIT
/*
 * Which CPU: at wake-up, when a CPU would idle, and now and then.
 *
 * Wake-up: the CPU it last ran on if that idles (its cache is warm), else the waker's, else any idle one near the last, else
 * the last. A CPU about to idle pulls one task from the longest queue; a busy CPU evens out every few ticks and pokes
 * an idle one when it has too much.
 */
#include <lib/types.h>
#include <lib/minmax.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <arch/smp.h>
#include <sched/sched_priv.h>

static inline bool cpu_is_free(int cpu)
{
	struct rq *rq = cpu_rq(cpu);

	return READ_ONCE(rq->curr) == rq->idle && !READ_ONCE(rq->nr_running);
}

/* The allowed CPU whose running task is least important. */
static int select_rt_cpu(struct task *t, int prev)
{
	int best = prev, best_prio = 200;
	unsigned int cpu;

	for_each_cpu(cpu, &t->cpus_mask) {
		struct task *curr;
		int prio;

		if (!cpumask_test_cpu(cpu, cpu_active_mask))
			continue;
		curr = READ_ONCE(cpu_rq(cpu)->curr);
		prio = cpu_is_free((int)cpu) ? -1 : task_is_rt(curr) ? rt_rank(curr) : 0;
		if (prio < best_prio || (prio == best_prio && (int)cpu == prev)) {
			best = (int)cpu;
			best_prio = prio;
		}
	}
	return best;
}

int select_cpu(struct task *t, int prev)
{
	int me = (int)raw_smp_processor_id();
	struct cpumask free;
	unsigned int cpu;

	if (nr_cpu_ids == 1 || t->nr_cpus_allowed == 1 || t->migrate_disabled) {
		if (likely(cpumask_test_cpu((unsigned int)prev, &t->cpus_mask)))
			return prev;
		return (int)cpumask_first(&t->cpus_mask);
	}
	if (!cpumask_test_cpu((unsigned int)prev, &t->cpus_mask) || !cpumask_test_cpu((unsigned int)prev, cpu_active_mask)) {
		cpumask_and(&free, &t->cpus_mask, cpu_active_mask);
		prev = (int)cpumask_first(&free);
	}
	if (task_is_rt(t))
		return select_rt_cpu(t, prev);
	if (cpu_is_free(prev))
		return prev;
	if (cpumask_and(&free, &t->cpus_mask, &idle_cpus) && cpumask_and(&free, &free, cpu_active_mask)) {
		if (me != prev && cpumask_test_cpu((unsigned int)me, &free))
			return me;
		for (cpu = cpumask_next((unsigned int)prev, &free); cpu < nr_cpu_ids; cpu = cpumask_next(cpu, &free))
			if (cpu_is_free((int)cpu))
				return (int)cpu;
		for_each_cpu(cpu, &free)
			if (cpu_is_free((int)cpu))
				return (int)cpu;
	}
	return prev;
}

/* Takes one task from FROM; both locked, both clocks fresh. */
static bool pull_one(struct rq *from, struct rq *to)
{
	struct task *t = rt_steal_candidate(from, to->cpu);

	if (!t)
		t = fair_steal_candidate(from, to->cpu);
	if (!t)
		return false;
	move_task(t, from, to);
	return true;
}

static struct rq *busiest(const struct rq *me, unsigned int at_least)
{
	struct rq *best = NULL;
	unsigned int most = at_least, cpu;

	for_each_cpu(cpu, cpu_active_mask) {
		struct rq *rq = cpu_rq(cpu);
		unsigned int n = READ_ONCE(rq->nr_running);

		if (rq != me && n >= most) {
			best = rq;
			most = n + 1;
		}
	}
	return best;
}

/* RQ, locked, has nothing to run. Drops and retakes its lock. */
bool newidle_balance(struct rq *rq) __must_hold(rq->lock)
{
	struct rq *from;
	bool got = false;

	if (nr_cpu_ids == 1 || !rq->online)
		return false;
	from = busiest(rq, 2);
	if (!from)
		return false;
	spin_unlock(&rq->lock);
	double_rq_lock(rq, from);
	update_rq_clock(rq);
	update_rq_clock(from);
	if (!rq->nr_running && from->nr_running >= 2)
		got = pull_one(from, rq);
	spin_unlock(&from->lock);
	return got;
}

static void poke_idle_cpu(const struct rq *rq)
{
	struct cpumask free;
	unsigned int cpu;

	if (!cpumask_and(&free, &idle_cpus, cpu_active_mask))
		return;
	cpu = cpumask_next((unsigned int)rq->cpu, &free);
	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first(&free);
	/* It will find nothing to run and look for work. */
	set_tsk_flag(cpu_rq(cpu)->idle, TIF_NEED_RESCHED);
	arch_send_reschedule(cpu);
}

/* From the tick, interrupts off, no lock held. */
void periodic_balance(struct rq *rq)
{
	struct rq *from;

	if (nr_cpu_ids == 1 || rq->clock_ns < rq->next_balance_ns)
		return;
	rq->next_balance_ns = rq->clock_ns + 4 * TICK_NSEC;
	if (rq->nr_running > 1)
		poke_idle_cpu(rq);
	from = busiest(rq, rq->nr_running + 2);
	if (!from)
		return;
	double_rq_lock(rq, from);
	update_rq_clock(rq);
	update_rq_clock(from);
	for (unsigned int n = 0; n < 32 && from->nr_running >= rq->nr_running + 2; n++)
		if (!pull_one(from, rq))
			break;
	if (rq->rt.nr && !task_is_rt(rq->curr))
		resched_curr(rq);
	double_rq_unlock(rq, from);
}
