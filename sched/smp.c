// SPDX-License-Identifier: MIT
/*
 * Bringing up the other CPUs. All are started at once (their start-up is mostly waiting), then waited for; one that does not
 * report within a second is left out.
 */
#include <lib/types.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/irq.h>
#include <kernel/printk.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/smp.h>
#include <arch/upcalls.h>
#include <sched/sched_priv.h>
#include <sched/task_life.h>
#include <abi/errno.h>

static u32 cpus_up;		/* atomic */

void smp_start_secondary(unsigned int cpu)
{
	struct rq *rq = cpu_rq(cpu);

	preempt_count_set(1);
	arch_timer_init_cpu();
	rq->idle_since_ns = sched_clock();
	rq->online = true;
	cpumask_set_cpu(cpu, &cpu_online_mask_);
	cpumask_set_cpu(cpu, &cpu_active_mask_);
	__atomic_fetch_add(&cpus_up, 1, __ATOMIC_RELEASE);
	local_irq_enable();
	cpu_idle_loop();
}

static struct task *make_idle(unsigned int cpu)
{
	struct task *t = task_dup(&init_task);

	if (!t)
		return NULL;
	t->state = TASK_RUNNING;
	t->flags |= PF_KTHREAD | PF_IDLE;
	snprintf(t->comm, sizeof(t->comm), "swapper/%u", cpu);
	INIT_LIST_HEAD(&t->tasks);
	INIT_LIST_HEAD(&t->thread_node);
	sched_init_cpu((int)cpu, t);
	return t;
}

static unsigned int wanted_cpus(void)
{
	unsigned int n = nr_cpu_ids, v;
	const char *s = command_line_get("maxcpus");

	if (s && !kstrtouint(s, 10, &v))
		n = min(n, max(v, 1U));
	if (command_line_get("nosmp"))
		n = 1;
	return n;
}

void smp_init(void)
{
	unsigned int started = 0, n = wanted_cpus();
	u64 give_up;

	if (n == 1)
		return;
	if (arch_smp_prepare()) {
		pr_warn("smp: other CPUs cannot be started\n");
		return;
	}
	for (unsigned int cpu = 1; cpu < n; cpu++) {
		struct task *idle = make_idle(cpu);

		if (idle && !arch_smp_boot_cpu(cpu, idle))
			started++;
		else
			pr_err("smp: CPU %u did not start\n", cpu);
	}
	give_up = ktime_get_ns() + NSEC_PER_SEC;
	while (__atomic_load_n(&cpus_up, __ATOMIC_ACQUIRE) < started && ktime_get_ns() < give_up)
		cpu_relax();
	for (unsigned int cpu = 1; cpu < n; cpu++)
		if (cpu_online(cpu) && sched_threads_cpu(cpu))
			pr_err("smp: no memory for the threads of CPU %u\n", cpu);
	pr_info("smp: %lu CPUs\n", num_online_cpus());
}
