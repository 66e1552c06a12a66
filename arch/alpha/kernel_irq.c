// SPDX-License-Identifier: MIT
/*
 * Interrupts of devices on Tsunami and Typhoon (21272 Chipset Hardware Reference Manual, 6.3 and 10.2): 64 requests, which a mask for each CPU
 * lets through; request 55 is the ISA bridge's pair of 8259s, acknowledged by PALcode. PALcode's vector is 0x800 + 16 * irq: 0 to 15 are
 * the 8259s' lines, 16 and up the chipset's requests. All go to the boot CPU. There are no interrupts by message.
 *
 * A chipset request is a level: it is kept masked while its handler runs. Lock: irq_lock guards the table and the masks.
 */
#include <arch/irq.h>
#include <arch/io.h>
#include <arch/upcalls.h>
#include <abi/errno.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/spinlock.h>
#include "arch/alpha/alpha_priv.h"

#define CCHIP 0xfffffd01a0000000UL
#define CCHIP_DIM(cpu) (((cpu) & 1) * 0x40 + ((cpu) & 2) * 0x200 + 0x200)
#define REQUEST_ISA 55
#define NR_ISA 16
#define NR_LINES (NR_ISA + REQUEST_ISA)
#define ISA_CASCADE 2

#define PIC1 0x20
#define PIC2 0xa0
#define PIC_EOI 0x20
#define PIC_READ_ISR 0x0b

struct line {
	bool used;		/* l: somebody mapped it */
	bool masked;		/* l: by whom it belongs to */
	bool handling;		/* l: masked for the handler */
};

static DEFINE_SPINLOCK(irq_lock);	/* l */
static struct line lines[NR_LINES];
static u64 requests = 1ULL << REQUEST_ISA;	/* l: let through */
static u16 isa_masked = 0xffff & ~(1U << ISA_CASCADE);	/* l */

static void write_requests(void)
{
	writeq(requests, (void __iomem __force *)(CCHIP + CCHIP_DIM(machine.core[0])));
}

static void write_isa(void)
{
	outb((u8)isa_masked, PIC1 + 1);
	outb((u8)(isa_masked >> 8), PIC2 + 1);
}

/* l: as the flags say. */
static void apply(unsigned int irq)
{
	const struct line *q = &lines[irq];
	bool off = !q->used || q->masked || q->handling;

	if (irq < NR_ISA) {
		isa_masked = (u16)(off ? isa_masked | 1U << irq : isa_masked & ~(1U << irq));
		write_isa();
	} else {
		u64 bit = 1ULL << (irq - NR_ISA);

		requests = off ? requests & ~bit : requests | bit;
		write_requests();
	}
}

/* The firmware set the 8259s' vectors up. */
void __init arch_irq_init(void)
{
	write_isa();
	write_requests();
}

static void set_handling(unsigned int irq, bool on)
{
	unsigned long f;

	spin_lock_irqsave(&irq_lock, f);
	lines[irq].handling = on;
	apply(irq);
	spin_unlock_irqrestore(&irq_lock, f);
}

/* Line 7, or 15, without its bit in service: the request went away before it was asked for. */
static bool is_spurious(unsigned int irq)
{
	u16 port = irq < 8 ? PIC1 : PIC2;

	if ((irq & 7) != 7)
		return false;
	outb(PIC_READ_ISR, port);
	if (inb(port) & 0x80)
		return false;
	if (irq >= 8)
		outb(PIC_EOI, PIC1);
	return true;
}

void alpha_device_interrupt(unsigned long vector)
{
	unsigned int irq = (unsigned int)(vector - 0x800) >> 4;

	if (vector < 0x800 || irq >= NR_LINES || (irq < NR_ISA && is_spurious(irq)))
		return;
	if (irq >= NR_ISA) {
		set_handling(irq, true);
		irq_handle(irq);
		set_handling(irq, false);
		return;
	}
	irq_handle(irq);
	if (irq >= 8)
		outb(PIC_EOI, PIC2);
	outb(PIC_EOI, PIC1);
}

/* The global lines are numbered as the irqs are. */
unsigned int arch_isa_to_gsi(unsigned int isa, unsigned int *flags)
{
	*flags = IRQ_LEVEL;	/* the firmware sets all 8259 lines so */
	return isa;
}

int arch_irq_map_gsi(unsigned int gsi, unsigned int flags)
{
	unsigned long f;

	if (gsi >= NR_LINES || gsi == ISA_CASCADE)
		return -EINVAL;
	spin_lock_irqsave(&irq_lock, f);
	if (!lines[gsi].used) {
		lines[gsi] = (struct line){ .used = true, .masked = true };
		apply(gsi);
	}
	spin_unlock_irqrestore(&irq_lock, f);
	return (int)gsi;
}

int arch_irq_alloc_msi(u32 device, unsigned int max, unsigned int count)
{
	return -ENOSPC;
}

void arch_irq_compose_msi(unsigned int irq, struct arch_msi *msg)
{
	*msg = (struct arch_msi){ 0 };
}

void arch_irq_free(unsigned int irq, unsigned int count)
{
	unsigned long f;

	spin_lock_irqsave(&irq_lock, f);
	for (unsigned int i = irq; i < irq + count && i < NR_LINES; i++) {
		lines[i] = (struct line){ 0 };
		apply(i);
	}
	spin_unlock_irqrestore(&irq_lock, f);
}

static void set_masked(unsigned int irq, bool masked)
{
	unsigned long f;

	if (irq >= NR_LINES)
		return;
	spin_lock_irqsave(&irq_lock, f);
	lines[irq].masked = masked;
	apply(irq);
	spin_unlock_irqrestore(&irq_lock, f);
}

void arch_irq_mask(unsigned int irq)
{
	set_masked(irq, true);
}

void arch_irq_unmask(unsigned int irq)
{
	set_masked(irq, false);
}

/* The boot CPU takes them all. */
int arch_irq_set_affinity(unsigned int irq, const struct cpumask *mask)
{
	return irq < NR_LINES && lines[irq].used && cpumask_test_cpu(0, mask) ? 0 : -EINVAL;
}

bool arch_irq_is_level(unsigned int irq)
{
	return irq < NR_LINES;
}

const char *arch_irq_chip_name(unsigned int irq)
{
	return irq < NR_ISA ? "XT-PIC" : "TSUNAMI";
}
