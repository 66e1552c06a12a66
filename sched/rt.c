// SPDX-License-Identifier: MIT
/*
 * The real-time class: SCHED_FIFO and SCHED_RR (sched(7)). A list a priority, a bitmap to find the highest. If fair
 * tasks wait, real-time ones may take 950 ms of each second, as Linux's default has it.
 */
#include <lib/types.h>
#include <sched/sched_priv.h>

#define RT_PERIOD_NS NSEC_PER_SEC
#define RT_RUNTIME_NS (950 * NSEC_PER_MSEC)

static inline unsigned int slot_of(const struct task *t)
{
	return STOPPER_RANK - (unsigned int)rt_rank(t);
}

void rt_enqueue(struct rq *rq, struct task *t, bool head)
{
	struct list_head *q = &rq->rt.queue[slot_of(t)];

	if (head)
		list_add(&t->rt.list, q);
	else
		list_add_tail(&t->rt.list, q);
	t->rt.on_list = true;
	__set_bit(slot_of(t), rq->rt.bits);
	rq->rt.nr++;
}

void rt_dequeue(struct rq *rq, struct task *t)
{
	list_del(&t->rt.list);
	t->rt.on_list = false;
	if (list_empty(&rq->rt.queue[slot_of(t)]))
		__clear_bit(slot_of(t), rq->rt.bits);
	rq->rt.nr--;
}

struct task *rt_pick(struct rq *rq)
{
	unsigned long i;

	if (!rq->rt.nr)
		return NULL;
	i = find_first_bit(rq->rt.bits, MAX_RT_PRIO);
	/* The stopper runs shortly and other tasks wait for it: no bandwidth limit. */
	if (rq->rt.throttled && rq->fair.nr && i)
		return NULL;
	return list_first_entry(&rq->rt.queue[i], struct task, rt.list);
}

/* A new second begins with a new share. From every tick, whoever runs. */
void rt_check_window(struct rq *rq)
{
	struct rt_rq *rt = &rq->rt;

	if (rq->clock_ns - rt->window_start_ns < RT_PERIOD_NS)
		return;
	rt->window_start_ns = rq->clock_ns;
	rt->used_ns = 0;
	if (rt->throttled) {
		rt->throttled = false;
		if (rt->nr)
			resched_curr(rq);
	}
}

void rt_update_curr(struct rq *rq, u64 delta_ns)
{
	struct rt_rq *rt = &rq->rt;

	rt_check_window(rq);
	rt->used_ns += delta_ns;
	if (!rt->throttled && rt->used_ns > RT_RUNTIME_NS) {
		rt->throttled = true;
		if (rq->fair.nr)
			resched_curr(rq);
	}
}

void rt_requeue(struct rq *rq, struct task *t)
{
	list_move_tail(&t->rt.list, &rq->rt.queue[slot_of(t)]);
}

void rt_tick(struct rq *rq, struct task *t)
{
	if (t->policy != 2 || --t->rt.slice_left)
		return;
	t->rt.slice_left = RR_SLICE_TICKS;
	if (!list_is_singular(&rq->rt.queue[slot_of(t)])) {
		rt_requeue(rq, t);
		resched_curr(rq);
	}
}

struct task *rt_steal_candidate(struct rq *from, int to)
{
	struct task *t;
	unsigned long i;

	for_each_set_bit(i, from->rt.bits, MAX_RT_PRIO)
		list_for_each_entry(t, &from->rt.queue[i], rt.list)
			if (t != from->curr && cpumask_test_cpu(to, &t->cpus_mask) && !t->migrate_disabled && !READ_ONCE(t->on_cpu))
				return t;
	return NULL;
}
