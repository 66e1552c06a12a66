// SPDX-License-Identifier: MIT
/*
 * Device interrupts: who handles which irq, and counts.
 *
 * Each irq that is in use has a descriptor, found through an array that is grown never and sized by the arch contract's
 * number space. Handlers on one irq form a list read under RCU, so that handling takes no lock; desc->lock serialises
 * masking. An irq is handled by one CPU at a time (the hardware sees to that); "running" lets free_irq wait.
 */
#include <lib/types.h>
#include <lib/format.h>
#include <lib/list.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/irq.h>
#include <kernel/percpu.h>
#include <kernel/printk.h>
#include <kernel/random.h>
#include <kernel/rcu.h>
#include <kernel/spinlock.h>
#include <kernel/time_priv.h>
#include <kernel/upcalls.h>
#include <arch/irq.h>
#include <arch/smp.h>
#include <arch/upcalls.h>
#include <abi/errno.h>

struct irq_action {
	struct list_head list;		/* desc->lock, RCU */
	irq_handler_t handler, thread_fn;
	void *dev;
	unsigned long flags;
	const char *name;
	void *thread;			/* sched's */
	bool thread_due;		/* atomic */
	struct rcu_head rcu;
};

struct irq_desc {
	spinlock_t lock;
	struct list_head actions;	/* lock, RCU */
	unsigned int disable_depth;	/* lock */
	u32 running;			/* atomic: handlers at work */
	u64 unhandled;			/* own irq */
	u64 *counts;			/* per-CPU */
};

static struct irq_desc __rcu *descs[NR_IRQS];	/* written once, never freed */
static DEFINE_SPINLOCK(descs_lock);

static struct irq_desc *desc_of(int irq)
{
	return rcu_dereference_raw(descs[irq]);
}

static struct irq_desc *desc_get(int irq)
{
	struct irq_desc *d, *n;

	if (irq < 0 || irq >= NR_IRQS)
		return NULL;
	d = desc_of(irq);
	if (d)
		return d;
	n = kernel_zalloc(sizeof(*n));
	if (!n)
		return NULL;
	n->counts = alloc_percpu(u64);
	if (!n->counts) {
		kernel_free(n);
		return NULL;
	}
	spin_lock_init(&n->lock);
	INIT_LIST_HEAD(&n->actions);
	n->disable_depth = 1;
	spin_lock_irq(&descs_lock);
	d = rcu_dereference_protected(descs[irq], true);
	if (!d)
		rcu_assign_pointer(descs[irq], n);
	spin_unlock_irq(&descs_lock);
	if (!d)
		return n;
	free_percpu(n->counts);
	kernel_free(n);
	return d;
}

void irq_enter(void)
{
	__preempt_count_add(HARDIRQ_OFFSET);
	section_irq_enter();
	rcu_idle_exit();	/* it may have come while the CPU idled */
	tick_irq_enter();
}

void irq_exit(void)
{
	section_irq_exit();
	__preempt_count_sub(HARDIRQ_OFFSET);
}

void irq_handle(unsigned int irq)
{
	struct irq_desc *d = irq < NR_IRQS ? rcu_dereference_raw(descs[irq]) : NULL;
	struct irq_action *a;
	bool handled = false;

	if (!d) {
		pr_warn_ratelimited("irq: interrupt %u, which nobody asked for\n", irq);
		if (irq < NR_IRQS)
			arch_irq_mask(irq);
		return;
	}
	__atomic_fetch_add(&d->running, 1, __ATOMIC_ACQUIRE);
	(*this_cpu_ptr(d->counts))++;
	add_interrupt_randomness(irq);
	list_for_each_entry_rcu(a, &d->actions, list) {
		irqreturn_t r = a->handler ? a->handler((int)irq, a->dev) : IRQ_WAKE_THREAD;

		if (r == IRQ_WAKE_THREAD) {
			if (a->flags & IRQF_ONESHOT)
				arch_irq_mask(irq);
			if (!xchg(&a->thread_due, true))
				irq_thread_wake_one(a->thread);
		}
		handled |= r != IRQ_NONE;
	}
	if (unlikely(!handled) && ++d->unhandled > 100000) {
		d->unhandled = 0;
		arch_irq_mask(irq);
		pr_err("irq: nobody cared about interrupt %u, 100000 times: it is disabled\n", irq);
	}
	__atomic_fetch_sub(&d->running, 1, __ATOMIC_RELEASE);
}

/* For the interrupt thread: takes the request; false when there is none. */
bool irq_action_take(struct irq_action *a)
{
	return xchg(&a->thread_due, false);
}

void irq_action_run(struct irq_action *a, int irq)
{
	a->thread_fn(irq, a->dev);
	if (a->flags & IRQF_ONESHOT)
		arch_irq_unmask((unsigned int)irq);
}

int request_threaded_irq(int irq, irq_handler_t handler, irq_handler_t thread_fn, unsigned long flags,
			 const char *name, void *dev)
{
	struct irq_desc *d = desc_get(irq);
	struct irq_action *a;
	bool first;
	int e;

	if (irq < 0 || irq >= NR_IRQS || (!handler && !thread_fn) || ((flags & IRQF_SHARED) && !dev))
		return -EINVAL;
	a = kernel_zalloc(sizeof(*a));
	if (!d || !a) {
		kernel_free(a);
		return -ENOMEM;
	}
	*a = (struct irq_action){ .handler = handler, .thread_fn = thread_fn, .dev = dev, .flags = flags, .name = name };
	if (thread_fn) {
		e = irq_thread_start(a, irq, name, &a->thread);
		if (e) {
			kernel_free(a);
			return e;
		}
	}
	spin_lock_irq(&d->lock);
	first = list_empty(&d->actions);
	if (!first && !(flags & list_first_entry(&d->actions, struct irq_action, list)->flags & IRQF_SHARED)) {
		spin_unlock_irq(&d->lock);
		if (a->thread)
			irq_thread_stop(a->thread);
		kernel_free(a);
		return -EBUSY;
	}
	list_add_tail_rcu(&a->list, &d->actions);
	if (first) {
		d->disable_depth = 0;
		arch_irq_unmask((unsigned int)irq);
	}
	spin_unlock_irq(&d->lock);
	return 0;
}

int request_irq(int irq, irq_handler_t handler, unsigned long flags, const char *name, void *dev)
{
	return request_threaded_irq(irq, handler, NULL, flags, name, dev);
}

void synchronize_irq(int irq)
{
	struct irq_desc *d = rcu_dereference_raw(descs[irq]);

	while (d && smp_load_acquire(&d->running))
		cpu_relax();	/* a handler is short */
}

void free_irq(int irq, void *dev)
{
	struct irq_desc *d = desc_get(irq);
	struct irq_action *a, *found = NULL;

	if (!d)
		return;
	spin_lock_irq(&d->lock);
	list_for_each_entry(a, &d->actions, list)
		if (a->dev == dev)
			found = a;
	if (found) {
		list_del_rcu(&found->list);
		if (list_empty(&d->actions)) {
			d->disable_depth = 1;
			arch_irq_mask((unsigned int)irq);
		}
	}
	spin_unlock_irq(&d->lock);
	if (WARN(!found, "free_irq(%d): not registered", irq))
		return;
	synchronize_irq(irq);
	if (found->thread)
		irq_thread_stop(found->thread);
	synchronize_rcu();
	kernel_free(found);
}

void disable_irq_nosync(int irq)
{
	struct irq_desc *d = desc_get(irq);
	unsigned long flags;

	if (!d)
		return;
	spin_lock_irqsave(&d->lock, flags);
	if (!d->disable_depth++)
		arch_irq_mask((unsigned int)irq);
	spin_unlock_irqrestore(&d->lock, flags);
}

void disable_irq(int irq)
{
	disable_irq_nosync(irq);
	synchronize_irq(irq);
}

void enable_irq(int irq)
{
	struct irq_desc *d = desc_get(irq);
	unsigned long flags;

	if (!d)
		return;
	spin_lock_irqsave(&d->lock, flags);
	if (!WARN_ON(!d->disable_depth) && !--d->disable_depth)
		arch_irq_unmask((unsigned int)irq);
	spin_unlock_irqrestore(&d->lock, flags);
}

int irq_set_affinity(int irq, const struct cpumask *mask)
{
	struct irq_desc *d = desc_get(irq);
	int e;

	if (!d)
		return -EINVAL;
	spin_lock_irq(&d->lock);
	e = arch_irq_set_affinity((unsigned int)irq, mask);
	spin_unlock_irq(&d->lock);
	return e;
}

int irq_next(int irq)
{
	struct irq_desc *d;

	for (; irq < NR_IRQS; irq++)
		if ((d = desc_of(irq)) && !list_empty(&d->actions))
			return irq;
	return -1;
}

u64 irq_count(int irq, int cpu)
{
	struct irq_desc *d = desc_of(irq);

	return d ? READ_ONCE(*per_cpu_ptr(d->counts, cpu)) : 0;
}

const char *irq_name(int irq, char *buf, size_t size)
{
	struct irq_desc *d = desc_of(irq);
	struct irq_action *a;
	int n = 0;

	*buf = '\0';
	rcu_read_lock();
	if (d)
		list_for_each_entry_rcu(a, &d->actions, list)
			n += scnprintf(buf + n, size - (size_t)n, "%s%s", n ? ", " : "", a->name);
	rcu_read_unlock();
	return buf;
}
