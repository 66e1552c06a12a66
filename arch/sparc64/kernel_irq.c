// SPDX-License-Identifier: MIT
/*
 * Interrupts of devices: none yet. Sabre's packets (interrupt_vector, entry.S) are dropped, and no line can be had, so drivers that need one
 * say so and are not there. The clock's interrupt is a level of the CPU's own (sched_trap.c).
 */
#include <arch/irq.h>
#include <abi/errno.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>

void __init arch_irq_init(void)
{
}

unsigned int arch_isa_to_gsi(unsigned int isa, unsigned int *flags)
{
	*flags = 0;
	return ~0U;
}

int arch_irq_map_gsi(unsigned int gsi, unsigned int flags)
{
	return -EINVAL;
}

int arch_irq_alloc_msi(u32 device, unsigned int max, unsigned int count)
{
	return -ENOSPC;
}

void arch_irq_free(unsigned int irq, unsigned int count)
{
}

void arch_irq_compose_msi(unsigned int irq, struct arch_msi *msg)
{
	*msg = (struct arch_msi){ 0 };
}

void arch_irq_mask(unsigned int irq)
{
}

void arch_irq_unmask(unsigned int irq)
{
}

int arch_irq_set_affinity(unsigned int irq, const struct cpumask *mask)
{
	return -EINVAL;
}

bool arch_irq_is_level(unsigned int irq)
{
	return false;
}

const char *arch_irq_chip_name(unsigned int irq)
{
	return "none";
}
