// SPDX-License-Identifier: MIT
/*
 * Receive queues of hardware and the threads that drain them.
 *
 * A queue's state has three bits. CLAIMED: somebody is in its poll() or arm(); there is one holder
 * at a time. MARKED: there is, or may be, something to do and the queue's interrupt is masked; set
 * by the interrupt, and by a holder that leaves work. OFF: nobody may claim it.
 *
 * The holder clears the mark, polls, and if the ring was empty arms the interrupt, which sets the
 * mark again where packets came before that took effect. When it has let go it looks at the mark
 * once more and wakes the thread: whoever set the mark while the queue was claimed could not claim
 * it. So no mark is left without a thread that is awake (the barrier after letting go pairs with
 * that of net_poll_schedule()).
 */
#include <lib/bits.h>
#include <lib/err.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/percpu.h>
#include <kernel/rcu.h>
#include <sched/kthread.h>
#include <sched/task.h>
#include <abi/errno.h>
#include "net/dev/dev_priv.h"

enum { CLAIMED, MARKED, OFF };
#define POLL_BUDGET 64
#define LOOK_BUDGET NET_BATCH

static atomic_t last_napi_id;
/* Queues of a CPU that a task which is about to wait may look at: polls_lock, RCU. */
static DEFINE_PER_CPU(struct list_head, cpu_polls);
static DEFINE_SPINLOCK(polls_lock);

void net_poll_schedule(struct net_poll *q)
{
	if (test_and_set_bit(MARKED, &q->state))
		return;
	smp_mb();
	if (!(READ_ONCE(q->state) & (1ul << CLAIMED | 1ul << OFF)))
		wake_up_process(q->thread);
}

static bool claim(struct net_poll *q)
{
	if (READ_ONCE(q->state) & (1ul << OFF) || test_and_set_bit_lock(CLAIMED, &q->state))
		return false;
	if (likely(!(READ_ONCE(q->state) & 1ul << OFF)))
		return true;
	clear_bit_unlock(CLAIMED, &q->state);
	return false;
}

static void let_go(struct net_poll *q)
{
	clear_bit_unlock(CLAIMED, &q->state);
	smp_mb();
	if ((READ_ONCE(q->state) & (1ul << MARKED | 1ul << OFF)) == 1ul << MARKED &&
	    current != q->thread)
		wake_up_process(q->thread);
}

/* Q is claimed. At most BUDGET packets, in sections of NET_BATCH; how many. */
static int drain(struct net_poll *q, int budget)
{
	int done = 0, n, want;

	clear_bit(MARKED, &q->state);
	smp_mb();
	do {
		want = budget - done < NET_BATCH ? budget - done : NET_BATCH;
		rcu_read_lock();
		n = q->ops->poll(q, want);
		net_poll_flush(q);
		rcu_read_unlock();
		net_rest_run();
		done += n;
	} while (n == want && done < budget);
	if (n == want || q->ops->arm(q))
		set_bit(MARKED, &q->state);
	return done;
}

static int poll_thread(void *data)
{
	struct net_poll *q = data;
	struct net_ctx c;

	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		if (!test_bit(MARKED, &q->state) || !claim(q)) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		net_ctx_begin(&c);
		drain(q, POLL_BUDGET);
		let_go(q);
		net_ctx_end(&c);
		cond_resched();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

bool net_poll_look(void)
{
	struct net_poll *q;
	struct net_ctx c;
	bool any = false;

	rcu_read_lock();
	list_for_each_entry_rcu(q, this_cpu_ptr(&cpu_polls), scheduled) {
		if (!test_bit(MARKED, &q->state) || !claim(q))
			continue;
		rcu_read_unlock();	/* Q stays: its removal waits until the claim ends */
		net_ctx_begin(&c);
		any |= drain(q, LOOK_BUDGET) > 0;
		if (!c.outer && !packet_list_empty(&c.pending))
			any = true;
		rcu_read_lock();
		let_go(q);
		rcu_read_unlock();
		net_ctx_end(&c);
		return any;
	}
	rcu_read_unlock();
	return any;
}

int net_poll_add(struct netdev *d, struct net_poll *q, const struct net_poll_ops *ops, int cpu)
{
	q->state = 1ul << OFF;
	q->ops = ops;
	q->dev = d;
	q->cpu = cpu;
	q->gro.nr = 0;
	q->napi_id = (u32)atomic_inc_return(&last_napi_id) + NR_CPUS;
	q->thread = kthread_create(poll_thread, q, "net/%s-%u", d->name, q->napi_id - NR_CPUS);
	if (IS_ERR(q->thread))
		return (int)PTR_ERR(q->thread);
	kthread_bind(q->thread, (unsigned int)cpu);
	list_add_tail(&q->list, &d->polls);
	spin_lock(&polls_lock);
	list_add_tail_rcu(&q->scheduled, per_cpu_ptr(&cpu_polls, cpu));
	spin_unlock(&polls_lock);
	wake_up_process(q->thread);
	return 0;
}

void net_poll_del(struct net_poll *q)
{
	WARN_ON(!test_bit(OFF, &q->state));
	list_del(&q->list);
	spin_lock(&polls_lock);
	list_del_rcu(&q->scheduled);
	spin_unlock(&polls_lock);
	kthread_stop(q->thread);
	synchronize_rcu();
}

void net_poll_enable(struct net_poll *q)
{
	clear_bit(OFF, &q->state);
	set_bit(MARKED, &q->state);	/* look once, and arm */
	smp_mb();
	wake_up_process(q->thread);
}

void net_poll_disable(struct net_poll *q)
{
	might_sleep();
	set_bit(OFF, &q->state);
	smp_mb();
	/* net_poll_schedule() that saw it on has woken the thread, which may end afterwards */
	synchronize_rcu();
	while (test_bit(CLAIMED, &q->state))
		schedule_timeout_uninterruptible(1);
}

static int poll_init(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		INIT_LIST_HEAD(per_cpu_ptr(&cpu_polls, cpu));
	return 0;
}
INITCALL(sched, poll_init);
