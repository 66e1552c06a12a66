// SPDX-License-Identifier: MIT
/*
 * Interrupts of devices: the table of irq numbers, over whichever controller the machine has.
 *
 *	PLIC		kernel_plic.c	lines
 *	APLIC		kernel_aplic.c	lines, of a machine with the advanced interrupt architecture (AIA)
 *	APLIC, IMSIC	kernel_imsic.c	messages; lines come as messages
 *
 * Lock: rv_irq_lock guards the table and the controllers' routes.
 */
#include <arch/irq.h>
#include <arch/smp.h>
#include <arch/upcalls.h>
#include <abi/errno.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include "arch/riscv64/kernel_irq.h"

DEFINE_SPINLOCK(rv_irq_lock);
struct rv_irq rv_irqs[NR_IRQS];
static const struct rv_intc *intc __ro_after_init;
static unsigned int first_cpu __ro_after_init;	/* that interrupts can go to */

void __init arch_irq_init(void)
{
	switch (machine.irq_kind) {
	case RV_PLIC:
		intc = rv_plic_init();
		break;
	case RV_APLIC:
		intc = rv_aplic_init();
		break;
	case RV_APLIC_IMSIC:
		intc = rv_imsic_init();
		break;
	default:
		panic("irq: the device tree names no interrupt controller that is known");
	}
	/* The boot CPU may be one of another socket than the controller. */
	while (first_cpu < machine.nr_cpus && !intc->reaches(first_cpu))
		first_cpu++;
	if (first_cpu == machine.nr_cpus)
		panic("irq: the interrupt controller that the device tree names has no CPU");
	rv_irq_init_cpu();
}

void rv_irq_init_cpu(void)
{
	if (intc->reaches(arch_cpu_number()))
		intc->init_cpu();
}

void rv_irq_handle(void)
{
	intc->handle();
}

/* ISA interrupts do not exist here. */
unsigned int arch_isa_to_gsi(unsigned int isa, unsigned int *flags)
{
	*flags = 0;
	return ~0U;
}

/* Lock held. */
static void take(unsigned int irq, struct rv_irq q)
{
	q.used = true;
	q.cpu = (u16)first_cpu;
	rv_irqs[irq] = q;
	intc->open(irq);
}

/* Lock held: COUNT free ones, the first a multiple of COUNT (PCI 3.0, 6.8.1.6: a function changes low bits of its message); 0: there are none. */
static unsigned int find_free(unsigned int count)
{
	for (unsigned int i = count; i + count <= intc->nr_irqs; i += count) {
		unsigned int n = 0;

		while (n < count && !rv_irqs[i + n].used)
			n++;
		if (n == count)
			return i;
	}
	return 0;
}

/* Lock held: the number of a line in use, or 0. */
static unsigned int find_line(unsigned int source)
{
	if (intc->by_source)
		return rv_irqs[source].used ? source : 0;
	for (unsigned int i = 1; i < intc->nr_irqs; i++)
		if (rv_irqs[i].used && !rv_irqs[i].message && rv_irqs[i].source == source)
			return i;
	return 0;
}

int arch_irq_map_gsi(unsigned int gsi, unsigned int flags)
{
	unsigned long f;
	unsigned int irq;

	if (!gsi || gsi >= intc->nr_lines)
		return -EINVAL;
	spin_lock_irqsave(&rv_irq_lock, f);
	irq = find_line(gsi);
	if (!irq) {
		irq = intc->by_source ? gsi : find_free(1);
		if (irq)
			take(irq, (struct rv_irq){ .source = (u16)gsi, .level = flags & IRQ_LEVEL, .low = flags & IRQ_ACTIVE_LOW });
	}
	spin_unlock_irqrestore(&rv_irq_lock, f);
	return irq ? (int)irq : -ENOSPC;
}

int arch_irq_alloc_msi(u32 device, unsigned int max, unsigned int count)
{
	unsigned int first = 0, aligned = 1;
	unsigned long f;

	if (!intc->messages || !count || count > intc->nr_irqs)
		return -ENOSPC;
	while (aligned < count)
		aligned *= 2;
	spin_lock_irqsave(&rv_irq_lock, f);
	first = find_free(aligned);
	for (unsigned int i = 0; first && i < count; i++)
		take(first + i, (struct rv_irq){ .message = true });
	spin_unlock_irqrestore(&rv_irq_lock, f);
	return first ? (int)first : -ENOSPC;
}

void arch_irq_free(unsigned int irq, unsigned int count)
{
	unsigned long f;

	spin_lock_irqsave(&rv_irq_lock, f);
	for (unsigned int i = irq; i < irq + count && i < intc->nr_irqs; i++) {
		if (!rv_irqs[i].used)
			continue;
		intc->close(i);
		rv_irqs[i] = (struct rv_irq){ 0 };
	}
	spin_unlock_irqrestore(&rv_irq_lock, f);
}

void arch_irq_compose_msi(unsigned int irq, struct arch_msi *msg)
{
	*msg = (struct arch_msi){ 0 };
	if (intc->compose)
		intc->compose(irq, msg);
}

void arch_irq_mask(unsigned int irq)
{
	if (irq && irq < intc->nr_irqs)
		intc->set_masked(irq, true);
}

void arch_irq_unmask(unsigned int irq)
{
	if (irq && irq < intc->nr_irqs)
		intc->set_masked(irq, false);
}

int arch_irq_set_affinity(unsigned int irq, const struct cpumask *mask)
{
	unsigned long f;
	unsigned int cpu;
	int err = -EINVAL;

	if (!irq || irq >= intc->nr_irqs)
		return -EINVAL;
	spin_lock_irqsave(&rv_irq_lock, f);
	if (rv_irqs[irq].used)
		for_each_cpu(cpu, mask)
			if (cpu_online(cpu) && intc->reaches(cpu)) {
				if (cpu != rv_irqs[irq].cpu) {
					intc->route(irq, cpu);
					WRITE_ONCE(rv_irqs[irq].cpu, (u16)cpu);
				}
				err = 0;
				break;
			}
	spin_unlock_irqrestore(&rv_irq_lock, f);
	return err;
}

bool arch_irq_is_level(unsigned int irq)
{
	return irq < NR_IRQS && rv_irqs[irq].level;
}

const char *arch_irq_chip_name(unsigned int irq)
{
	return irq < NR_IRQS && rv_irqs[irq].message ? intc->messages : intc->lines;
}
