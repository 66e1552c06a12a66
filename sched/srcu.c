// SPDX-License-Identifier: MIT
/*
 * SRCU: sections that may sleep, per domain.
 *
 * Two epochs, and in each per-CPU counts of the sections entered and left. Readers enter the
 * current epoch; an updater flips it, and waits until as many have left the old one as entered it.
 * It does so twice, as a reader may have read the old epoch just before the flip.
 *
 * An updater that has to wait says for which epoch (awaited) and looks at the counts again; a
 * reader counts itself as left and then looks whether its epoch is awaited. One of them sees the
 * other. Readers of the awaited epoch only become fewer, so that the wake-ups do too.
 *
 * What a reader touches after it has left may be on its way out: the updater that it let go may
 * free the domain. That is `inner`, found before the count and freed behind a grace period of RCU;
 * the reader's preemption is off meanwhile.
 */
#include <lib/types.h>
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kernel/cpumask.h>
#include <kernel/percpu.h>
#include <kernel/rcu.h>
#include <sched/mutex.h>
#include <sched/wait.h>

struct srcu_cpu {
	unsigned long lock[2], unlock[2];	/* own CPU adds, atomically */
};

struct srcu_inner {
	struct mutex lock;		/* one updater at a time */
	wait_queue_head_t left;		/* that updater */
	u32 awaited;   /* LOCK; read without: the epoch waited for, plus 1; 0: none */
	struct rcu_head rcu;
};

int init_srcu_struct(struct srcu_struct *s)
{
	struct srcu_inner *x = kzalloc(sizeof(*x), GFP_KERNEL);

	s->percpu = alloc_percpu(struct srcu_cpu);
	s->inner = x;
	s->idx = 0;
	if (!x || !s->percpu) {
		kfree(x);
		free_percpu(s->percpu);
		return -ENOMEM;
	}
	mutex_init(&x->lock);
	init_waitqueue_head(&x->left);
	return 0;
}

void cleanup_srcu_struct(struct srcu_struct *s)
{
	DEBUG_ON(s->inner->awaited);
	free_percpu(s->percpu);
	kfree_rcu(s->inner, rcu);
}

int srcu_read_lock(struct srcu_struct *s)
{
	int idx;

	preempt_disable();
	idx = READ_ONCE(s->idx) & 1;
	__atomic_fetch_add(&this_cpu_ptr(s->percpu)->lock[idx], 1, __ATOMIC_SEQ_CST);
	/* before the section's reads; pairs with synchronize_srcu()'s (tests/litmus/srcu-lock) */
	__atomic_full();
	preempt_enable();
	return idx;
}

void srcu_read_unlock(struct srcu_struct *s, int idx)
{
	struct srcu_inner *x;

	preempt_disable();	/* keeps x */
	x = s->inner;
	__atomic_fetch_add(&this_cpu_ptr(s->percpu)->unlock[idx], 1, __ATOMIC_SEQ_CST);
	__atomic_full(); /* before the look; pairs with await_epoch()'s (tests/litmus/srcu-wake) */
	if (READ_ONCE(x->awaited) == (u32)idx + 1)
		wake_up(&x->left);
	preempt_enable();
}

static bool srcu_idle(struct srcu_struct *s, int idx)
{
	unsigned long un = 0, lk = 0;
	unsigned int cpu;

	/* Unlocks first: a section counted as left was counted as entered before. */
	for_each_possible_cpu(cpu)
		un += __atomic_load_n(&per_cpu_ptr(s->percpu, cpu)->unlock[idx], __ATOMIC_SEQ_CST);
	smp_mb();
	for_each_possible_cpu(cpu)
		lk += __atomic_load_n(&per_cpu_ptr(s->percpu, cpu)->lock[idx], __ATOMIC_SEQ_CST);
	return lk == un;
}

/* Until nobody is in epoch IDX. x->lock held. */
static void await_epoch(struct srcu_struct *s, struct srcu_inner *x, int idx)
{
	if (srcu_idle(s, idx))
		return;
	WRITE_ONCE(x->awaited, (u32)idx + 1);
	__atomic_full(); /* before the counts are read again; pairs with srcu_read_unlock()'s */
	wait_event(x->left, srcu_idle(s, idx));
	WRITE_ONCE(x->awaited, 0);
}

void synchronize_srcu(struct srcu_struct *s)
{
	struct srcu_inner *x = s->inner;

	might_sleep();
	mutex_lock(&x->lock);
	for (int i = 0; i < 2; i++) {
		int old = (int)s->idx & 1;

		await_epoch(s, x, old ^ 1);
		WRITE_ONCE(s->idx, s->idx + 1);
		smp_mb();
		await_epoch(s, x, old);
	}
	mutex_unlock(&x->lock);
}
