// SPDX-License-Identifier: MIT
/*
 * membarrier(2): memory barriers on other CPUs, asked for by one thread so that the others need none. A CPU that runs
 * no thread of the process passes one when it switches to it.
 *
 * The barrier is an interrupt on every CPU: more than was asked for, never less. Coming back from it an instruction stream starts
 * anew, so it serves SYNC_CORE too; for RSEQ it makes the thread there look at its sequence before it goes on.
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

#define KNOWN ((MEMBARRIER_CMD_GET_REGISTRATIONS << 1) - 1)
#define REGISTRATIONS (MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED | \
	MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)

static void barrier_here(void *unused)
{
	smp_mb();
}

static void restart_here(void *mm)
{
	smp_mb();
	if (current->mm == mm && current->rseq)
		set_thread_flag(TIF_RSEQ);
}

static long barrier_everywhere(void (*fn)(void *))
{
	smp_mb();
	on_each_cpu(fn, current->mm, true);
	smp_mb();
	return 0;
}

/* The state is the set of registrations made. */
static long have_registered(int cmd)
{
	atomic_or(cmd, &current->mm->membarrier_state);
	return 0;
}

static bool registered(int cmd)
{
	return atomic_read(&current->mm->membarrier_state) & cmd;
}

long sys_membarrier(int cmd, unsigned int flags, int cpu_id)
{
	if (flags && (cmd != MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ || flags != MEMBARRIER_CMD_FLAG_CPU))
		return -EINVAL;
	switch (cmd) {
	case MEMBARRIER_CMD_QUERY: return KNOWN;
	case MEMBARRIER_CMD_GLOBAL:
		synchronize_rcu();
		return 0;
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED: return barrier_everywhere(barrier_here);
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED: case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE: case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
		return have_registered(cmd);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED: case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
		return registered(cmd << 1) ? barrier_everywhere(barrier_here) : -EPERM;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
		if (!registered(cmd << 1))
			return -EPERM;
		/* One CPU or all: all is right for one. A number of none is for nobody. */
		if (flags && (cpu_id < 0 || (unsigned int)cpu_id >= nr_cpu_ids))
			return 0;
		return barrier_everywhere(restart_here);
	case MEMBARRIER_CMD_GET_REGISTRATIONS:
		return atomic_read(&current->mm->membarrier_state) & REGISTRATIONS;
	}
	return -EINVAL;
}
