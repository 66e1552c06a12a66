// SPDX-License-Identifier: MIT
/*
 * membarrier(2): memory barriers on other CPUs, asked for by one thread so that the others need none. A CPU that runs
 * no thread of the process passes one when it switches to it.
 */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <kernel/cpumask.h>
#include <kernel/irq.h>
#include <kernel/rcu.h>
#include <mm/mm.h>
#include <sched/sched.h>
#include <abi/errno.h>
#include <linux/membarrier.h>

#define KNOWN (MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | \
	MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
#define READY_PRIVATE 1
#define READY_GLOBAL 2

static void barrier_here(void *unused)
{
	smp_mb();
}

/* One on every CPU: more than was asked for, never less. */
static long barrier_everywhere(void)
{
	smp_mb();
	on_each_cpu(barrier_here, NULL, true);
	smp_mb();
	return 0;
}

static long set_ready(int bit)
{
	atomic_or(bit, &current->mm->membarrier_state);
	return 0;
}

/* partial: membarrier: SYNC_CORE, RSEQ, GET_REGISTRATIONS */
long sys_membarrier(int cmd, unsigned int flags, int cpu_id)
{
	if (flags)
		return -EINVAL;
	switch (cmd) {
	case MEMBARRIER_CMD_QUERY: return KNOWN;
	case MEMBARRIER_CMD_GLOBAL:
		synchronize_rcu();
		return 0;
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED: return barrier_everywhere();
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED: return set_ready(READY_GLOBAL);
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED: return set_ready(READY_PRIVATE);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
		if (!(atomic_read(&current->mm->membarrier_state) & READY_PRIVATE))
			return -EPERM;
		return barrier_everywhere();
	}
	return -EINVAL;
}
