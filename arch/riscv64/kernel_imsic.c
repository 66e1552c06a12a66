// SPDX-License-Identifier: MIT
/*
 * Interrupts by message (RISC-V Advanced Interrupt Architecture 1.0, chapter 3). Each CPU has an interrupt file, a page that a message
 * written to makes an identity pending of. An irq number is an identity, the same on all CPUs; lines come as messages from the APLIC.
 *
 * An interrupt file's registers are its own CPU's, so that all identities are enabled on all CPUs for good, and masking is done here: a
 * message that comes while its irq is masked is remembered, and sent again when it no longer is.
 */
#include <arch/irq.h>
#include <arch/io.h>
#include <arch/pgtable.h>
#include <arch/upcalls.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include "arch/riscv64/kernel_irq.h"

#define CSR_SISELECT 0x150
#define CSR_SIREG 0x151
#define CSR_STOPEI 0x15c
#define EIDELIVERY 0x70
#define EITHRESHOLD 0x72
#define EIP0 0x80
#define EIE0 0xc0
#define SETEIPNUM_LE 0

/* Bits of rv_irq.state. */
#define MASKED 1U
#define PENDING 2U		/* a message came meanwhile */

/* csr_write() by number: assemblers without Ssaia do not know the names. */
#define imsic_csr_write(n, v) __asm__ volatile("csrw %0, %1" : : "i"(n), "r"((unsigned long)(v)) : "memory")

static char __iomem *file[NR_CPUS] __ro_after_init;
static struct rv_intc imsic_intc __ro_after_init;

static bool imsic_reaches(unsigned int cpu)
{
	return machine.imsic[cpu] != 0;
}

/* Interrupts off. */
static void write_register(unsigned long reg, unsigned long v)
{
	imsic_csr_write(CSR_SISELECT, reg);
	imsic_csr_write(CSR_SIREG, v);
}

/* 64 identities a register, at even numbers. */
static void imsic_init_cpu(void)
{
	for (unsigned int i = 0; i < imsic_intc.nr_irqs; i += 64) {
		write_register(EIP0 + i / 32, 0);
		write_register(EIE0 + i / 32, ~0UL);
	}
	write_register(EITHRESHOLD, 0);
	write_register(EIDELIVERY, 1);
	csr_set(sie, 1UL << IRQ_EXT);
}

static void send(unsigned int irq)
{
	writel(irq, file[READ_ONCE(rv_irqs[irq].cpu)] + SETEIPNUM_LE);
}

static void imsic_set_masked(unsigned int irq, bool masked)
{
	struct rv_irq *q = &rv_irqs[irq];

	if (masked) {
		__atomic_fetch_or(&q->state, MASKED, __ATOMIC_SEQ_CST);
		if (!q->message && q->used)
			rv_aplic_set_masked(q->source, true);
		return;
	}
	if (__atomic_fetch_and(&q->state, ~(MASKED | PENDING), __ATOMIC_SEQ_CST) & PENDING)
		send(irq);
	if (!q->message && q->used)
		rv_aplic_set_masked(q->source, false);
}

/* A message came for it. False: it is masked, and who unmasks it sees to that. */
static bool is_wanted(struct rv_irq *q)
{
	if (likely(!(READ_ONCE(q->state) & MASKED)))
		return true;
	if (q->level)
		return false;		/* the line itself remembers */
	if (__atomic_fetch_or(&q->state, PENDING, __ATOMIC_SEQ_CST) & MASKED)
		return false;
	__atomic_fetch_and(&q->state, ~PENDING, __ATOMIC_SEQ_CST);
	return true;
}

static unsigned int claim(void)
{
	unsigned long v;

	__asm__ volatile("csrrw %0, %1, x0" : "=r"(v) : "i"(CSR_STOPEI) : "memory");
	return (unsigned int)(v >> 16 & 0x7ff);
}

static void imsic_handle(void)
{
	unsigned int irq;

	while ((irq = claim())) {
		struct rv_irq *q = &rv_irqs[irq];

		if (irq >= imsic_intc.nr_irqs)
			continue;
		if (is_wanted(q))
			irq_handle(irq);
		if (q->level)
			rv_aplic_look_again(q->source);
	}
}

static void imsic_route(unsigned int irq, unsigned int cpu)
{
	if (!rv_irqs[irq].message)
		rv_aplic_forward(rv_irqs[irq].source, cpu, irq);
}

static void imsic_open(unsigned int irq)
{
	struct rv_irq *q = &rv_irqs[irq];

	WRITE_ONCE(q->state, MASKED);
	if (q->message)
		return;
	rv_aplic_set_masked(q->source, true);
	rv_aplic_line(q->source, q->level, q->low);
	rv_aplic_forward(q->source, q->cpu, irq);
}

static void imsic_close(unsigned int irq)
{
	if (!rv_irqs[irq].message)
		rv_aplic_line_off(rv_irqs[irq].source);
}

static void imsic_compose(unsigned int irq, struct arch_msi *msg)
{
	msg->addr = machine.imsic[READ_ONCE(rv_irqs[irq].cpu)] + SETEIPNUM_LE;
	msg->data = irq;
}

static struct rv_intc imsic_intc = {
	.lines = "APLIC-MSI", .messages = "PCI-MSI", .reaches = imsic_reaches, .init_cpu = imsic_init_cpu, .handle = imsic_handle, .open = imsic_open,
	.close = imsic_close, .route = imsic_route, .set_masked = imsic_set_masked, .compose = imsic_compose,
};

const struct rv_intc *__init rv_imsic_init(void)
{
	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++) {
		if (!machine.imsic[cpu])
			continue;
		file[cpu] = arch_ioremap(machine.imsic[cpu], PAGE_SIZE, PTE_P_KERNEL_IO);
		BUG_ON(!file[cpu]);
	}
	imsic_intc.nr_irqs = machine.imsic_ids + 1 < NR_IRQS ? machine.imsic_ids + 1 : NR_IRQS;
	imsic_intc.nr_lines = machine.irq_sources + 1;
	rv_aplic_forward_init();
	return &imsic_intc;
}
