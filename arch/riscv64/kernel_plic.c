// SPDX-License-Identifier: MIT
/*
 * Interrupts of devices: the platform-level interrupt controller (RISC-V PLIC specification 1.0). An irq number is the
 * PLIC's source. A source is routed by the enable bit of one CPU's context, and masked by priority 0, so that a claimed one can be
 * completed while it is masked. There are no messages here (that is the IMSIC's, which is not driven).
 * Lock: irq_table_lock guards the table and the enable bits.
 */
#include <arch/irq.h>
#include <arch/io.h>
#include <arch/pgtable.h>
#include <arch/smp.h>
#include <arch/upcalls.h>
#include <abi/errno.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/spinlock.h>
#include "arch/riscv64/rv_priv.h"

#define PLIC_ENABLE 0x2000
#define PLIC_ENABLE_STRIDE 0x80
#define PLIC_CONTEXT 0x200000
#define PLIC_CONTEXT_STRIDE 0x1000 /* not a page */
#define CONTEXT_THRESHOLD 0
#define CONTEXT_CLAIM 4

struct arch_irq {
	bool used;		/* l */
	bool level;		/* constant while in use */
	u8 cpu;			/* l */
};

static DEFINE_SPINLOCK(irq_table_lock);		/* l */
static struct arch_irq irqs[NR_IRQS];
static char __iomem *plic __ro_after_init;
static unsigned int nr_sources __ro_after_init;

static bool has_context(unsigned int cpu)
{
	return machine.plic_context[cpu] != RV_NO_CONTEXT;
}

static char __iomem *context(unsigned int cpu)
{
	return plic + PLIC_CONTEXT + (u64)machine.plic_context[cpu] * PLIC_CONTEXT_STRIDE;
}

static char __iomem *enable_word(unsigned int irq, unsigned int cpu)
{
	return plic + PLIC_ENABLE + (u64)machine.plic_context[cpu] * PLIC_ENABLE_STRIDE + irq / 32 * 4;
}

static void set_route(unsigned int irq, unsigned int cpu, bool on)
{
	char __iomem *p = enable_word(irq, cpu);
	u32 v = readl(p), bit = 1U << irq % 32;

	writel(on ? v | bit : v & ~bit, p);
}

void __init arch_irq_init(void)
{
	unsigned int last = 0;

	if (!machine.plic)
		panic("irq: the device tree names no interrupt controller that is known");
	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++)
		if (has_context(cpu) && machine.plic_context[cpu] > last)
			last = machine.plic_context[cpu];
	if (!has_context(0) || PLIC_CONTEXT + (last + 1ULL) * PLIC_CONTEXT_STRIDE > machine.plic_size)
		panic("irq: the device tree gives the PLIC no room for its contexts");
	plic = arch_ioremap(machine.plic, PLIC_CONTEXT + (last + 1ULL) * PLIC_CONTEXT_STRIDE, PTE_P_KERNEL_IO);
	BUG_ON(!plic);
	nr_sources = machine.plic_sources + 1 < NR_IRQS ? machine.plic_sources + 1 : NR_IRQS;
	for (unsigned int i = 1; i < nr_sources; i++)
		writel(0, plic + 4UL * i);
	rv_plic_init_cpu();
}

void rv_plic_init_cpu(void)
{
	unsigned int cpu = arch_cpu_number();

	if (!has_context(cpu))
		return;
	for (unsigned int i = 0; i < nr_sources; i += 32)
		writel(0, enable_word(i, cpu));
	writel(0, context(cpu) + CONTEXT_THRESHOLD);
	csr_set(sie, 1UL << IRQ_EXT);
}

/* A completion counts only while the source is enabled here, and it may have been moved meanwhile. */
static void complete(unsigned int irq, unsigned int cpu)
{
	unsigned long f;

	if (irq >= NR_IRQS || READ_ONCE(irqs[irq].cpu) == cpu) {
		writel(irq, context(cpu) + CONTEXT_CLAIM);
		return;
	}
	spin_lock_irqsave(&irq_table_lock, f);
	set_route(irq, cpu, true);
	writel(irq, context(cpu) + CONTEXT_CLAIM);
	if (irqs[irq].cpu != cpu)
		set_route(irq, cpu, false);
	spin_unlock_irqrestore(&irq_table_lock, f);
}

void rv_plic_handle(void)
{
	unsigned int cpu = arch_cpu_number(), irq;

	while ((irq = readl(context(cpu) + CONTEXT_CLAIM))) {
		if (irq < NR_IRQS)
			irq_handle(irq);
		complete(irq, cpu);
	}
}

/* ISA interrupts do not exist here. */
unsigned int arch_isa_to_gsi(unsigned int isa, unsigned int *flags)
{
	*flags = 0;
	return ~0U;
}

int arch_irq_map_gsi(unsigned int gsi, unsigned int flags)
{
	unsigned long f;

	if (!gsi || gsi >= nr_sources)
		return -EINVAL;
	spin_lock_irqsave(&irq_table_lock, f);
	if (!irqs[gsi].used) {
		irqs[gsi] = (struct arch_irq){ .used = true, .level = flags & IRQ_LEVEL };
		writel(0, plic + 4UL * gsi);
		set_route(gsi, 0, true);
	}
	spin_unlock_irqrestore(&irq_table_lock, f);
	return (int)gsi;
}

int arch_irq_alloc_msi(u32 device, unsigned int max, unsigned int count)
{
	return -ENOSPC;
}

void arch_irq_free(unsigned int irq, unsigned int count)
{
	unsigned long f;

	spin_lock_irqsave(&irq_table_lock, f);
	for (unsigned int i = irq; i < irq + count && i < nr_sources; i++) {
		if (!irqs[i].used)
			continue;
		writel(0, plic + 4UL * i);
		set_route(i, irqs[i].cpu, false);
		irqs[i] = (struct arch_irq){ 0 };
	}
	spin_unlock_irqrestore(&irq_table_lock, f);
}

void arch_irq_compose_msi(unsigned int irq, struct arch_msi *msg)
{
	*msg = (struct arch_msi){ 0 };
}

void arch_irq_mask(unsigned int irq)
{
	if (irq && irq < nr_sources)
		writel(0, plic + 4UL * irq);
}

void arch_irq_unmask(unsigned int irq)
{
	if (irq && irq < nr_sources)
		writel(1, plic + 4UL * irq);
}

int arch_irq_set_affinity(unsigned int irq, const struct cpumask *mask)
{
	unsigned long f;
	unsigned int cpu;
	int err = -EINVAL;

	if (!irq || irq >= nr_sources)
		return -EINVAL;
	spin_lock_irqsave(&irq_table_lock, f);
	if (irqs[irq].used)
		for_each_cpu(cpu, mask)
			if (cpu_online(cpu) && has_context(cpu)) {
				if (cpu != irqs[irq].cpu) {
					set_route(irq, irqs[irq].cpu, false);
					WRITE_ONCE(irqs[irq].cpu, (u8)cpu);
					set_route(irq, cpu, true);
				}
				err = 0;
				break;
			}
	spin_unlock_irqrestore(&irq_table_lock, f);
	return err;
}

bool arch_irq_is_level(unsigned int irq)
{
	return irq < NR_IRQS && irqs[irq].level;
}

const char *arch_irq_chip_name(unsigned int irq)
{
	return "SiFive PLIC";
}
