// SPDX-License-Identifier: MIT
/*
 * Bringing up the other CPUs. All are started at once (their start-up is mostly waiting), each after its threads were made, so that it joins as
 * it arrives: if CPUs waited for each other here, those of a machine with more CPUs than its host has would take the host from the one that is
 * waited for. One that does not arrive in time is refused; should it come later, it halts, for which the code and the tables that it
 * starts by are kept (smp_all_arrived).
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

/* A CPU moves itself from STARTED to ADMITTED, the boot CPU moves it from STARTED to REFUSED: by compare and swap. */
enum { OFF, STARTED, ADMITTED, REFUSED };
static DEFINE_PER_CPU(u32, start_state);	/* atomic */
static bool all_arrived = true;			/* the boot CPU's, before there are other programs */

/* How long it may take from one CPU's arrival to the next one's: as long as Linux waits. */
#define PATIENCE_NS (10 * NSEC_PER_SEC)
/* What a CPU takes that has a processor to itself; after that, the one who waits sleeps, for a host may need its processor. */
#define BRIEF_NS (2 * NSEC_PER_MSEC)

bool smp_all_arrived(void)
{
	return all_arrived;
}

static u32 state_of(unsigned int cpu)
{
	return __atomic_load_n(per_cpu_ptr(&start_state, cpu), __ATOMIC_ACQUIRE);
}

static bool change_state(unsigned int cpu, u32 from, u32 to)
{
	return __atomic_compare_exchange_n(per_cpu_ptr(&start_state, cpu), &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* Whether this CPU may take part. It does not know of its own clock and scheduler yet. */
static bool may_join(unsigned int cpu)
{
#ifdef CONFIG_DEBUG
	if (command_line_get("plant") && !strcmp(command_line_get("plant"), "late_cpu") && cpu == nr_cpu_ids - 1)
		while (state_of(cpu) == STARTED)
			cpu_relax();
#endif
	return change_state(cpu, STARTED, ADMITTED);
}

void smp_start_secondary(unsigned int cpu)
{
	struct rq *rq = cpu_rq(cpu);

	preempt_count_set(1);
	if (!may_join(cpu))
		arch_cpu_halt();
	arch_timer_init_cpu();
	rq->idle_since_ns = sched_clock();
	rq->online = true;
	cpumask_set_cpu(cpu, &cpu_online_mask_);
	cpumask_set_cpu(cpu, &cpu_active_mask_);
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

static void pause_since(u64 start)
{
	if (ktime_get_ns() - start < BRIEF_NS)
		cpu_relax();
	else
		msleep(1);
}

/* Makes all that belongs to CPU and starts it. */
static bool start_cpu(unsigned int cpu)
{
	struct task *idle = make_idle(cpu);

	if (!idle || sched_threads_create(cpu))
		return false;
	change_state(cpu, OFF, STARTED);
	if (!arch_smp_boot_cpu(cpu, idle))
		return true;
	if (change_state(cpu, STARTED, REFUSED))
		sched_threads_destroy(cpu);
	return false;
}

/* CPU has joined when this returns, or is left out for good. */
static void await_cpu(unsigned int cpu)
{
	u64 start = ktime_get_ns();

	while (state_of(cpu) == STARTED) {
		if (ktime_get_ns() - start > PATIENCE_NS && change_state(cpu, STARTED, REFUSED)) {
			all_arrived = false;
			sched_threads_destroy(cpu);
			pr_err("smp: CPU %u did not come up: it stays off\n", cpu);
			return;
		}
		pause_since(start);
	}
	start = ktime_get_ns();
	while (!cpu_online(cpu))
		pause_since(start);
	sched_threads_wake(cpu);
}

void smp_init(void)
{
	unsigned int n = wanted_cpus();

	if (n == 1)
		return;
	if (arch_smp_prepare()) {
		pr_warn("smp: other CPUs cannot be started\n");
		return;
	}
	for (unsigned int cpu = 1; cpu < n; cpu++)
		if (!start_cpu(cpu))
			pr_err("smp: CPU %u did not start\n", cpu);
	for (unsigned int cpu = 1; cpu < n; cpu++)
		if (state_of(cpu) == STARTED || state_of(cpu) == ADMITTED)
			await_cpu(cpu);
	pr_info("smp: %lu CPUs\n", num_online_cpus());
}
