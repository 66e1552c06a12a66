// SPDX-License-Identifier: MIT
/*
 * Calls on other CPUs. Each CPU has a lock-less list of calls; who makes it non-empty sends the interrupt. A call that is
 * waited for lives on the caller's stack; others are allocated by who asks.
 */
#include <lib/types.h>
#include <lib/atomic.h>
#include <lib/list.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/irq.h>
#include <kernel/percpu.h>
#include <kernel/preempt.h>
#include <kernel/upcalls.h>
#include <arch/smp.h>
#include <arch/upcalls.h>
#include <abi/errno.h>

unsigned int nr_cpu_ids __ro_after_init = 1, nr_cpu_words __ro_after_init = 1;
struct cpumask cpu_possible_mask_, cpu_present_mask_, cpu_online_mask_, cpu_active_mask_;

struct call {
	struct llist_node node;
	void (*fn)(void *arg);
	void *arg;
	u32 busy;		/* release-cleared when the callee is done with this structure */
	bool wait;
};

static DEFINE_PER_CPU_ALIGNED(struct llist_head, call_queue);
/* This CPU's outgoing calls: one slot a target, reused after the target is done. Preemption off. */
static DEFINE_PER_CPU(struct call *, call_slots);
static struct call boot_slots[1];

static int smp_calls_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct call *s = nr_cpu_ids == 1 ? boot_slots : kernel_zalloc(nr_cpu_ids * sizeof(*s));

		if (!s)
			return -ENOMEM;
		per_cpu(call_slots, cpu) = s;
	}
	return 0;
}
INITCALL(early, smp_calls_init);

void smp_call_interrupt(void)
{
	struct llist_node *n = llist_reverse_order(llist_del_all(this_cpu_ptr(&call_queue))), *next;

	for (; n; n = next) {
		struct call *c = container_of(n, struct call, node);
		void (*fn)(void *) = c->fn;
		void *arg = c->arg;

		next = n->next;
		if (c->wait) {
			fn(arg);
			smp_store_release(&c->busy, 0);
		} else {
			smp_store_release(&c->busy, 0);
			fn(arg);
		}
	}
}

static void wait_slot(struct call *c)
{
	while (smp_load_acquire(&c->busy))
		cpu_relax();
}

void smp_call_function_many(const struct cpumask *mask, void (*fn)(void *arg), void *arg, bool wait)
{
	unsigned long flags;
	unsigned int me, cpu;
	struct cpumask kick;
	struct call *slots;

	/* Two CPUs that wait for each other with interrupts off never end; nor does one whose slot a nested call takes. */
	WARN_ON_ONCE(system_state == SYSTEM_RUNNING && (irqs_disabled() || in_hardirq()));
	preempt_disable();
	me = raw_smp_processor_id();
	slots = this_cpu_read(call_slots);
	cpumask_clear(&kick);
	for_each_cpu(cpu, mask)
		if (cpu != me && cpu_online(cpu))
			wait_slot(&slots[cpu]);
	/*
	 * Nothing may come between making a list non-empty and the interrupt that says so: others who add to that list rely on it, and
	 * a call that interrupted this one could wait for the CPU that was not told.
	 */
	local_irq_save(flags);
	for_each_cpu(cpu, mask) {
		struct call *c;

		if (cpu == me || !cpu_online(cpu))
			continue;
		c = &slots[cpu];
		*c = (struct call){ .fn = fn, .arg = arg, .busy = 1, .wait = wait };
		if (llist_add(&c->node, per_cpu_ptr(&call_queue, cpu)))
			__cpumask_set_cpu(cpu, &kick);
	}
	if (!cpumask_empty(&kick))
		arch_send_call(&kick);
	local_irq_restore(flags);
	if (wait) {
		for_each_cpu(cpu, mask)
			if (cpu != me && cpu_online(cpu))
				wait_slot(&slots[cpu]);
	}
	preempt_enable();
}

void on_each_cpu(void (*fn)(void *arg), void *arg, bool wait)
{
	unsigned long flags;

	preempt_disable();
	smp_call_function_many(cpu_online_mask, fn, arg, wait);
	local_irq_save(flags);
	fn(arg);
	local_irq_restore(flags);
	preempt_enable();
}

int smp_call_function_single(int cpu, void (*fn)(void *arg), void *arg, bool wait)
{
	struct cpumask one;
	unsigned long flags;

	if (cpu < 0 || (unsigned int)cpu >= nr_cpu_ids || !cpu_online((unsigned int)cpu))
		return -ENXIO;
	preempt_disable();
	if ((unsigned int)cpu == raw_smp_processor_id()) {
		local_irq_save(flags);
		fn(arg);
		local_irq_restore(flags);
	} else {
		cpumask_clear(&one);
		__cpumask_set_cpu((unsigned int)cpu, &one);
		smp_call_function_many(&one, fn, arg, wait);
	}
	preempt_enable();
	return 0;
}
