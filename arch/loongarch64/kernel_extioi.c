// SPDX-License-Identifier: MIT
/*
 * Interrupts of devices. An irq number is a vector of the extended interrupt controller (EIOINTC, 256 of them behind IOCSR; Loongson 3A5000
 * manual, 11.2). The bridge's lines (PCH-PIC, LS7A1000 manual, chapter 5) and messages (PCH-MSI) raise vectors that the device tree gives
 * them.
 *
 * A level line is kept masked in the bridge while its handler runs; opening it again makes the bridge look at the level anew.
 * A route is a bit for one of four CPUs. Virtual machines' controllers (Linux's virt EIOINTC, which QEMU's has) take the CPU's number instead once
 * they are told to; without that interrupts go to the first four CPUs only.
 * Lock: irq_table_lock guards the table and the registers.
 */
#include <arch/clock.h>
#include <arch/irq.h>
#include <arch/io.h>
#include <arch/smp.h>
#include <arch/upcalls.h>
#include <abi/errno.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/spinlock.h>
#include "arch/loongarch64/la64_priv.h"

#define IOCSR_MISC 0x420
#define MISC_EXTIOI (1ULL << 48)
#define EXTIOI_NODEMAP 0x14a0
#define EXTIOI_IPMAP 0x14c0
#define EXTIOI_ENABLE 0x1600
#define EXTIOI_BOUNCE 0x1680
#define EXTIOI_PENDING 0x1800		/* this CPU's */
#define EXTIOI_ROUTE 0x1c00
#define EXTIOI_VIRT_FEATURES 0x40000000	/* not a page */
#define EXTIOI_VIRT_CONFIG 0x40000004
#define VIRT_CPU_NUMBERS (1U << 3)
#define NR_VECTORS 256
#define ROUTE_CPUS 4

#define PIC_MASK 0x20
#define PIC_HTMSI 0x40
#define PIC_EDGE 0x60
#define PIC_CLEAR 0x80
#define PIC_AUTO0 0xc0
#define PIC_AUTO1 0xe0
#define PIC_ROUTE 0x100
#define PIC_VECTOR 0x200
#define PIC_POLARITY 0x3e0
#define PIC_SIZE 0x400
#define NR_PIC_LINES 64

enum { IRQ_FREE, IRQ_LINE, IRQ_MSI };

struct arch_irq {
	u8 kind;		/* l */
	bool level;		/* constant while in use */
	bool masked;		/* l: by whom it belongs to */
	bool handling;		/* l: masked for the handler */
};

static DEFINE_SPINLOCK(irq_table_lock);		/* l */
static struct arch_irq irqs[NR_VECTORS];
static char __iomem *pic __ro_after_init;
static unsigned int route_cpus __ro_after_init = ROUTE_CPUS;

static unsigned int line_of(unsigned int irq)
{
	return irq - machine.pic_base;
}

static void pic_bit(unsigned int reg, unsigned int line, bool on)
{
	u64 v = readq(pic + reg), bit = 1ULL << line;

	writeq(on ? v | bit : v & ~bit, pic + reg);
}

/* l. */
static void pic_set_masked(unsigned int irq, bool masked)
{
	unsigned int line = line_of(irq);

	if (!masked)
		writeq(1ULL << line, pic + PIC_CLEAR);
	pic_bit(PIC_MASK, line, masked);
}

/* l: as the flags say. */
static void apply_mask(unsigned int irq)
{
	const struct arch_irq *q = &irqs[irq];
	u32 reg = EXTIOI_ENABLE + irq / 32 * 4, v = iocsr_read(reg), bit = 1U << irq % 32;

	if (q->kind == IRQ_LINE)
		pic_set_masked(irq, q->masked || q->handling);
	iocsr_write(q->kind == IRQ_FREE || q->masked ? v & ~bit : v | bit, reg);
}

static u32 route_to(unsigned int cpu)
{
	return route_cpus > ROUTE_CPUS ? machine.core[cpu] : 1U << machine.core[cpu] % ROUTE_CPUS;
}

static void route(unsigned int irq, unsigned int cpu)
{
	u32 reg = EXTIOI_ROUTE + (irq & ~3U), shift = irq % 4 * 8;

	iocsr_write((iocsr_read(reg) & ~(0xffU << shift)) | route_to(cpu) << shift, reg);
}

/* Its registers are there on virtual machines alone, and take this only before the controller is turned on. */
static void __init use_cpu_numbers(void)
{
	if (!machine.extioi_virtual || !(iocsr_read(EXTIOI_VIRT_FEATURES) & VIRT_CPU_NUMBERS))
		return;
	iocsr_write(iocsr_read(EXTIOI_VIRT_CONFIG) | VIRT_CPU_NUMBERS, EXTIOI_VIRT_CONFIG);
	if (iocsr_read(EXTIOI_VIRT_CONFIG) & VIRT_CPU_NUMBERS)
		route_cpus = 256;
}

static void __init init_pic(void)
{
	if (!machine.pic)
		return;
	pic = arch_ioremap(machine.pic, PIC_SIZE, PTE_P_KERNEL_IO);
	BUG_ON(!pic);
	writeq(~0ULL, pic + PIC_MASK);
	writeq(~0ULL, pic + PIC_HTMSI);
	writeq(~0ULL, pic + PIC_CLEAR);
	writeq(0, pic + PIC_AUTO0);
	writeq(0, pic + PIC_AUTO1);
	for (unsigned int i = 0; i < NR_PIC_LINES; i++) {
		writeb(1, pic + PIC_ROUTE + i);
		writeb((u8)(machine.pic_base + i), pic + PIC_VECTOR + i);
	}
}

void la64_irq_init_cpu(void)
{
	la64_ipi_init_cpu();
	/* All lines that have a handler; what else is pending stays out. */
	csr_write(VECTOR_SHIFT << 16 | 1U << LINE_EXTIOI | 1U << LINE_TIMER | 1U << LINE_IPI, CSR_ECFG);
}

void __init arch_irq_init(void)
{
	if (!machine.extioi)
		panic("irq: the device tree names no interrupt controller that is known");
	use_cpu_numbers();
	iocsr_write64(iocsr_read64(IOCSR_MISC) | MISC_EXTIOI, IOCSR_MISC);
	for (unsigned int i = 0; i < NR_VECTORS / 32; i++) {
		iocsr_write(0, EXTIOI_ENABLE + i * 4);
		iocsr_write(0, EXTIOI_BOUNCE + i * 4);
		iocsr_write(~0U, EXTIOI_PENDING + i * 4);
	}
	for (unsigned int i = 0; i < NR_VECTORS / 32; i += 2)
		iocsr_write(1U << (i + 17) | 1U << i, EXTIOI_NODEMAP + i * 2);
	for (unsigned int i = 0; i < NR_VECTORS / 32 / 4; i++)
		iocsr_write(0x01010101U << (LINE_EXTIOI - 2), EXTIOI_IPMAP + i * 4);
	for (unsigned int i = 0; i < NR_VECTORS; i += 4)
		iocsr_write(0x01010101U * route_to(0), EXTIOI_ROUTE + i);
	init_pic();
	la64_irq_init_cpu();
}

/* A level line: closed in the bridge until its handler is through. */
static void set_handling(unsigned int irq, bool on)
{
	unsigned long f;

	spin_lock_irqsave(&irq_table_lock, f);
	irqs[irq].handling = on;
	if (irqs[irq].kind == IRQ_LINE)
		pic_set_masked(irq, on || irqs[irq].masked);
	spin_unlock_irqrestore(&irq_table_lock, f);
}

static void device_interrupts(void)
{
	for (unsigned int w = 0; w < NR_VECTORS / 64; w++) {
		u64 bits = iocsr_read64(EXTIOI_PENDING + w * 8);

		for (; bits; bits &= bits - 1) {
			unsigned int irq = w * 64 + (unsigned int)__builtin_ctzll(bits);
			bool level = irqs[irq].level;

			if (level)
				set_handling(irq, true);
			iocsr_write64(1ULL << irq % 64, EXTIOI_PENDING + w * 8);
			irq_handle(irq);
			if (level)
				set_handling(irq, false);
		}
	}
}

void la64_irq_handle(u64 estat)
{
	if (estat & 1U << LINE_TIMER)
		la64_timer_handle();
	if (estat & 1U << LINE_IPI)
		la64_ipi_handle();
	if (estat & 1U << LINE_EXTIOI)
		device_interrupts();
}

/* ISA interrupts do not exist here. */
unsigned int arch_isa_to_gsi(unsigned int isa, unsigned int *flags)
{
	*flags = 0;
	return ~0U;
}

/* l. */
static void take(unsigned int irq, u8 kind, bool level)
{
	irqs[irq] = (struct arch_irq){ .kind = kind, .level = level, .masked = true };
	route(irq, 0);
	apply_mask(irq);
}

static bool is_msi_vector(unsigned int irq)
{
	return irq >= machine.msi_base && irq < machine.msi_base + machine.msi_count;
}

int arch_irq_map_gsi(unsigned int gsi, unsigned int flags)
{
	unsigned int irq = machine.pic_base + gsi;
	unsigned long f;
	int err = -ENOSPC;

	if (!pic || gsi >= NR_PIC_LINES || irq >= NR_VECTORS || is_msi_vector(irq))
		return -EINVAL;
	spin_lock_irqsave(&irq_table_lock, f);
	if (irqs[irq].kind == IRQ_FREE) {
		take(irq, IRQ_LINE, flags & IRQ_LEVEL);
		pic_bit(PIC_EDGE, gsi, !(flags & IRQ_LEVEL));
		pic_bit(PIC_POLARITY, gsi, flags & IRQ_ACTIVE_LOW);
	}
	if (irqs[irq].kind == IRQ_LINE)
		err = (int)irq;
	spin_unlock_irqrestore(&irq_table_lock, f);
	return err;
}

int arch_irq_alloc_msi(u32 device, unsigned int max, unsigned int count)
{
	unsigned int end = machine.msi_base + machine.msi_count;
	unsigned long f;
	int first = -ENOSPC;

	spin_lock_irqsave(&irq_table_lock, f);
	for (unsigned int s = machine.msi_base; count && first < 0 && s + count <= end; s++) {
		unsigned int n = 0;

		while (n < count && irqs[s + n].kind == IRQ_FREE)
			n++;
		if (n < count)
			continue;
		for (n = 0; n < count; n++)
			take(s + n, IRQ_MSI, false);
		first = (int)s;
	}
	spin_unlock_irqrestore(&irq_table_lock, f);
	return first;
}

void arch_irq_free(unsigned int irq, unsigned int count)
{
	unsigned long f;

	spin_lock_irqsave(&irq_table_lock, f);
	for (unsigned int i = irq; i < irq + count && i < NR_VECTORS; i++) {
		irqs[i].masked = true;
		apply_mask(i);
		irqs[i] = (struct arch_irq){ 0 };
	}
	spin_unlock_irqrestore(&irq_table_lock, f);
}

void arch_irq_compose_msi(unsigned int irq, struct arch_msi *msg)
{
	msg->addr = machine.msi;
	msg->data = irq;
}

static void set_masked(unsigned int irq, bool masked)
{
	unsigned long f;

	if (irq >= NR_VECTORS)
		return;
	spin_lock_irqsave(&irq_table_lock, f);
	irqs[irq].masked = masked;
	apply_mask(irq);
	spin_unlock_irqrestore(&irq_table_lock, f);
}

void arch_irq_mask(unsigned int irq)
{
	set_masked(irq, true);
}

void arch_irq_unmask(unsigned int irq)
{
	set_masked(irq, false);
}

int arch_irq_set_affinity(unsigned int irq, const struct cpumask *mask)
{
	unsigned long f;
	unsigned int cpu;
	int err = -EINVAL;

	if (irq >= NR_VECTORS)
		return -EINVAL;
	spin_lock_irqsave(&irq_table_lock, f);
	if (irqs[irq].kind != IRQ_FREE)
		for_each_cpu(cpu, mask)
			if (cpu_online(cpu) && machine.core[cpu] < route_cpus) {
				route(irq, cpu);
				err = 0;
				break;
			}
	spin_unlock_irqrestore(&irq_table_lock, f);
	return err;
}

bool arch_irq_is_level(unsigned int irq)
{
	return irq < NR_VECTORS && irqs[irq].level;
}

const char *arch_irq_chip_name(unsigned int irq)
{
	return irq < NR_VECTORS && irqs[irq].kind == IRQ_MSI ? "PCH MSI" : "PCH PIC";
}
