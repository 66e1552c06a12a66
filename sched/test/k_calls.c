// SPDX-License-Identifier: MIT
/* Calls on other CPUs while others make them too, and while the kernel is patched, which waits for all with interrupts off. */
#include <lib/types.h>
#include <kernel/cpumask.h>
#include <kernel/ktest.h>
#include <kernel/irq.h>
#include <kernel/static_key.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include <sched/task.h>

#define ROUNDS 100

static DEFINE_STATIC_KEY_FALSE(flipped);
static struct completion callers_done;
static atomic_t callers, reached, lost;

static void note(void *arg)
{
	atomic_inc(&reached);
	__atomic_add_fetch((u32 *)arg, 1, __ATOMIC_RELAXED);
}

static int caller(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		u32 n = 0;

		on_each_cpu(note, &n, true);
		if (n != num_online_cpus())
			atomic_inc(&lost);
		cond_resched();
	}
	if (atomic_dec_and_test(&callers))
		complete(&callers_done);
	return 0;
}

static noinline bool asks(void)
{
	return static_branch_unlikely(&flipped);
}

KTEST(calls_cross_while_code_is_patched)
{
	int n = (int)num_online_cpus() + 1;
	bool right = true;

	init_completion(&callers_done);
	atomic_set(&callers, n);
	atomic_set(&reached, 0);
	atomic_set(&lost, 0);
	for (int i = 0; i < n; i++)
		KT_ASSERT(!IS_ERR(kthread_run(caller, NULL, "caller/%d", i)));
	for (int i = 0; i < ROUNDS / 2; i++) {
		static_key_enable(&flipped);
		right &= asks();
		static_key_disable(&flipped);
		right &= !asks();
		cond_resched();
	}
	wait_for_completion(&callers_done);
	KT_ASSERT(right);
	KT_EQ(atomic_read(&lost), 0);
	KT_EQ(atomic_read(&reached), n * ROUNDS * (int)num_online_cpus());
}
