// SPDX-License-Identifier: MIT
/*
 * The platform-level interrupt controller (RISC-V PLIC specification 1.0). A source is routed by the enable bit of one CPU's context,
 * and masked by priority 0, so that a claimed one can be completed while it is masked.
 */
#include <arch/irq.h>
#include <arch/io.h>
#include <arch/pgtable.h>
#include <arch/upcalls.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include "arch/riscv64/kernel_irq.h"

#define PLIC_ENABLE 0x2000
#define PLIC_ENABLE_STRIDE 0x80
#define PLIC_CONTEXT 0x200000
#define PLIC_CONTEXT_STRIDE 0x1000 /* not a page */
#define CONTEXT_THRESHOLD 0
#define CONTEXT_CLAIM 4

static char __iomem *plic __ro_after_init;

static bool plic_reaches(unsigned int cpu)
{
	return machine.irq_context[cpu] != RV_NO_CONTEXT;
}

static char __iomem *context(unsigned int cpu)
{
	return plic + PLIC_CONTEXT + (u64)machine.irq_context[cpu] * PLIC_CONTEXT_STRIDE;
}

static char __iomem *enable_word(unsigned int irq, unsigned int cpu)
{
	return plic + PLIC_ENABLE + (u64)machine.irq_context[cpu] * PLIC_ENABLE_STRIDE + irq / 32 * 4;
}

static void set_route(unsigned int irq, unsigned int cpu, bool on)
{
	char __iomem *p = enable_word(irq, cpu);
	u32 v = readl(p), bit = 1U << irq % 32;

	writel(on ? v | bit : v & ~bit, p);
}

static void plic_set_masked(unsigned int irq, bool masked)
{
	writel(!masked, plic + 4UL * irq);
}

static void plic_open(unsigned int irq)
{
	plic_set_masked(irq, true);
	set_route(irq, rv_irqs[irq].cpu, true);
}

static void plic_close(unsigned int irq)
{
	plic_set_masked(irq, true);
	set_route(irq, rv_irqs[irq].cpu, false);
}

static void plic_route(unsigned int irq, unsigned int cpu)
{
	set_route(irq, rv_irqs[irq].cpu, false);
	set_route(irq, cpu, true);
}

/* A completion counts only while the source is enabled here, and it may have been moved meanwhile. */
static void complete(unsigned int irq, unsigned int cpu)
{
	unsigned long f;

	if (irq >= NR_IRQS || READ_ONCE(rv_irqs[irq].cpu) == cpu) {
		writel(irq, context(cpu) + CONTEXT_CLAIM);
		return;
	}
	spin_lock_irqsave(&rv_irq_lock, f);
	set_route(irq, cpu, true);
	writel(irq, context(cpu) + CONTEXT_CLAIM);
	if (rv_irqs[irq].cpu != cpu)
		set_route(irq, cpu, false);
	spin_unlock_irqrestore(&rv_irq_lock, f);
}

static void plic_handle(void)
{
	unsigned int cpu = arch_cpu_number(), irq;

	while ((irq = readl(context(cpu) + CONTEXT_CLAIM))) {
		if (irq < NR_IRQS)
			irq_handle(irq);
		complete(irq, cpu);
	}
}

static struct rv_intc plic_intc __ro_after_init;

static void plic_init_cpu(void)
{
	unsigned int cpu = arch_cpu_number();

	for (unsigned int i = 0; i < plic_intc.nr_irqs; i += 32)
		writel(0, enable_word(i, cpu));
	writel(0, context(cpu) + CONTEXT_THRESHOLD);
	csr_set(sie, 1UL << IRQ_EXT);
}

static struct rv_intc plic_intc = {
	.lines = "SiFive PLIC", .by_source = true, .reaches = plic_reaches, .init_cpu = plic_init_cpu, .handle = plic_handle, .open = plic_open,
	.close = plic_close, .route = plic_route, .set_masked = plic_set_masked,
};

const struct rv_intc *__init rv_plic_init(void)
{
	u64 last = 0, size;

	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++)
		if (plic_reaches(cpu) && machine.irq_context[cpu] > last)
			last = machine.irq_context[cpu];
	size = PLIC_CONTEXT + (last + 1) * PLIC_CONTEXT_STRIDE;
	if (size > machine.irq_size)
		panic("irq: the device tree gives the PLIC no room for its contexts");
	plic = arch_ioremap(machine.irq_base, size, PTE_P_KERNEL_IO);
	BUG_ON(!plic);
	plic_intc.nr_irqs = plic_intc.nr_lines = machine.irq_sources + 1 < NR_IRQS ? machine.irq_sources + 1 : NR_IRQS;
	for (unsigned int i = 1; i < plic_intc.nr_irqs; i++)
		writel(0, plic + 4UL * i);
	return &plic_intc;
}
