// SPDX-License-Identifier: MIT
/*
 * The advanced platform-level interrupt controller (RISC-V Advanced Interrupt Architecture 1.0, chapter 4): lines, in the interrupt domain
 * of S mode. Either it interrupts CPUs itself (direct delivery), or it turns lines into messages for the CPUs' IMSICs.
 */
#include <arch/irq.h>
#include <arch/io.h>
#include <arch/pgtable.h>
#include <arch/upcalls.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include "arch/riscv64/kernel_irq.h"

#define DOMAINCFG 0
#define DOMAINCFG_MESSAGES (1U << 2)
#define DOMAINCFG_ON (1U << 8)
#define SOURCECFG(s) (4UL * (s))
#define SOURCE_OFF 0U
#define SOURCE_RISING 4U
#define SOURCE_HIGH 6U
#define SOURCE_FALLS_OR_LOW 1U
#define SETIENUM 0x1edc
#define CLRIE 0x1f00
#define CLRIENUM 0x1fdc
#define SETIPNUM_LE 0x2000
#define TARGET(s) (0x3000 + 4UL * (s))
#define TARGET_HART_SHIFT 18
#define TARGET_PRIORITY 1U
/* Of one CPU, in direct delivery. */
#define IDC 0x4000
#define IDC_SIZE 32
#define IDC_DELIVERY 0x00
#define IDC_FORCE 0x04
#define IDC_THRESHOLD 0x08
#define IDC_CLAIM 0x1c

static char __iomem *aplic __ro_after_init;

void rv_aplic_line(unsigned int source, bool level, bool low)
{
	writel((level ? SOURCE_HIGH : SOURCE_RISING) | (low ? SOURCE_FALLS_OR_LOW : 0), aplic + SOURCECFG(source));
}

void rv_aplic_line_off(unsigned int source)
{
	writel(source, aplic + CLRIENUM);
	writel(SOURCE_OFF, aplic + SOURCECFG(source));
}

void rv_aplic_set_masked(unsigned int source, bool masked)
{
	writel(source, aplic + (masked ? CLRIENUM : SETIENUM));
}

/* 4.5.2: in a domain that sends messages this makes a level source pending if its line still asks, and otherwise does nothing. */
void rv_aplic_look_again(unsigned int source)
{
	writel(source, aplic + SETIPNUM_LE);
}

/* A CPU is told by the group and number of its interrupt file; firmware has set the domain's message addresses up accordingly (4.9.1). */
void rv_aplic_forward(unsigned int source, unsigned int cpu, unsigned int identity)
{
	writel(machine.imsic_target[cpu] << TARGET_HART_SHIFT | identity, aplic + TARGET(source));
}

/* All sources off. */
static void __init begin(u64 size, u32 how)
{
	if (size > machine.irq_size)
		panic("irq: the device tree gives the APLIC no room");
	aplic = arch_ioremap(machine.irq_base, size, PTE_P_KERNEL_IO);
	BUG_ON(!aplic);
	for (unsigned int i = 0; i <= machine.irq_sources / 32; i++)
		writel(~0U, aplic + CLRIE + 4UL * i);
	for (unsigned int i = 1; i <= machine.irq_sources; i++)
		writel(SOURCE_OFF, aplic + SOURCECFG(i));
	writel(DOMAINCFG_ON | how, aplic + DOMAINCFG);
}

void __init rv_aplic_forward_init(void)
{
	begin(IDC, DOMAINCFG_MESSAGES);
}

/* ---- direct delivery ---- */

static bool aplic_reaches(unsigned int cpu)
{
	return machine.irq_context[cpu] != RV_NO_CONTEXT;
}

static char __iomem *idc(unsigned int cpu)
{
	return aplic + IDC + (u64)machine.irq_context[cpu] * IDC_SIZE;
}

static void aplic_init_cpu(void)
{
	char __iomem *p = idc(arch_cpu_number());

	writel(0, p + IDC_FORCE);
	writel(0, p + IDC_THRESHOLD);
	writel(1, p + IDC_DELIVERY);
	csr_set(sie, 1UL << IRQ_EXT);
}

/* A level line asks again until it is quiet, an edge has ended with the claim. */
static void aplic_handle(void)
{
	char __iomem *p = idc(arch_cpu_number());
	u32 v;

	while ((v = readl(p + IDC_CLAIM) >> 16))
		irq_handle(v);
}

static void aplic_route(unsigned int irq, unsigned int cpu)
{
	writel(machine.irq_context[cpu] << TARGET_HART_SHIFT | TARGET_PRIORITY, aplic + TARGET(irq));
}

static void aplic_open(unsigned int irq)
{
	rv_aplic_set_masked(irq, true);
	rv_aplic_line(irq, rv_irqs[irq].level, rv_irqs[irq].low);
	aplic_route(irq, rv_irqs[irq].cpu);
}

static struct rv_intc aplic_intc __ro_after_init = {
	.lines = "APLIC-DIRECT", .by_source = true, .reaches = aplic_reaches, .init_cpu = aplic_init_cpu, .handle = aplic_handle, .open = aplic_open,
	.close = rv_aplic_line_off, .route = aplic_route, .set_masked = rv_aplic_set_masked,
};

const struct rv_intc *__init rv_aplic_init(void)
{
	u64 last = 0;

	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++)
		if (aplic_reaches(cpu) && machine.irq_context[cpu] > last)
			last = machine.irq_context[cpu];
	begin(IDC + (last + 1) * IDC_SIZE, 0);
	aplic_intc.nr_irqs = aplic_intc.nr_lines = machine.irq_sources + 1 < NR_IRQS ? machine.irq_sources + 1 : NR_IRQS;
	return &aplic_intc;
}
