// SPDX-License-Identifier: MIT
/*
 * Device interrupts: an irq is bound to one vector of one CPU. Lines go through the IOAPICs, messages (MSI) come straight; without
 * a local APIC there are the lines of the 8259As only (kernel_pic.c).
 *
 * A moved irq keeps its old vector until the first interrupt arrives at the new place, since one may still be on its
 * way; both vectors lead to the same irq. Lock: irq_table_lock guards the tables below and the IOAPIC registers;
 * the vector tables are read without it.
 */
#include <arch/irq.h>
#include <arch/io.h>
#include <arch/pgtable.h>
#include <arch/smp.h>
#include <abi/errno.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/spinlock.h>
#include "arch/x86_64/x86_priv.h"

enum { IRQ_FREE, IRQ_GSI, IRQ_MSI };

#define PIC_QUIET_VECTOR 0x20		/* while they are masked for good */

struct arch_irq {
	u8 kind;			/* l */
	u8 vector, old_vector;		/* l; 0: none */
	u16 cpu, old_cpu;		/* l */
	bool masked;			/* l */
	bool level, active_low;		/* constant while in use */
	u32 gsi;			/* constant while in use */
};

static DEFINE_SPINLOCK(irq_table_lock);			/* l */
static struct arch_irq irqs[NR_IRQS];
static DEFINE_PER_CPU(u16, vector_irq[256]);		/* written under l: irq + 1, 0: none */
static char __iomem *ioapic_regs[8] __ro_after_init;
static u32 ioapic_lines[8] __ro_after_init;
static unsigned int next_cpu;				/* l: where the next irq starts out */

static u32 ioapic_read(unsigned int i, u32 reg)
{
	writel(reg, ioapic_regs[i]);
	return readl(ioapic_regs[i] + 0x10);
}

static void ioapic_write(unsigned int i, u32 reg, u32 v)
{
	writel(reg, ioapic_regs[i]);
	writel(v, ioapic_regs[i] + 0x10);
}

static int ioapic_of(u32 gsi, u32 *pin)
{
	for (unsigned int i = 0; i < machine.nr_ioapics; i++) {
		*pin = gsi - machine.ioapic[i].gsi_base;
		if (gsi >= machine.ioapic[i].gsi_base && *pin < ioapic_lines[i])
			return (int)i;
	}
	return -1;
}

/* The controllers' lines are the global lines then, and have the first vectors. */
static void __init use_pics(void)
{
	if (!machine.have_pic)
		panic("irq: this machine has neither a local APIC nor an 8259A, one of which this kernel needs");
	machine.nr_cpus = 1;
	machine.nr_ioapics = 0;
	x86_pic_init(FIRST_DEVICE_VECTOR);
	pr_info("irq: no local APIC: the 8259A's lines, the 8254's timer, no messages\n");
}

void __init arch_irq_init(void)
{
	if (machine.have_pic)
		x86_pic_init(PIC_QUIET_VECTOR);
	x86_apic_init();
	if (x86_pic_mode) {
		use_pics();
		return;
	}
	x86_apic_init_cpu();
	for (unsigned int i = 0; i < machine.nr_ioapics; i++) {
		u32 ver;

		ioapic_regs[i] = arch_ioremap(machine.ioapic[i].pa, PAGE_SIZE, PTE_P_KERNEL_IO);
		if (!ioapic_regs[i])
			continue;
		ver = ioapic_read(i, 1);
		if (ver == 0xffffffff || !ver)
			continue;
		ioapic_lines[i] = (ver >> 16 & 0xff) + 1;
		for (u32 p = 0; p < ioapic_lines[i]; p++)
			ioapic_write(i, 0x10 + 2 * p, 1 << 16);
	}
}

bool arch_irq_by_pic(void)
{
	return x86_pic_mode;
}

unsigned int arch_isa_to_gsi(unsigned int isa, unsigned int *flags)
{
	u16 f;

	*flags = 0;
	if (x86_pic_mode || isa >= 16 || !machine.isa[isa].set)
		return isa;
	f = machine.isa[isa].flags;
	if ((f & 3) == 3)
		*flags |= IRQ_ACTIVE_LOW;
	if ((f >> 2 & 3) == 3)
		*flags |= IRQ_LEVEL;
	return machine.isa[isa].gsi;
}

/* A free vector of CPU, or 0. Spread over the priority classes in order. */
static u8 find_vector(unsigned int cpu)
{
	const u16 *t = per_cpu_ptr(&vector_irq[0], cpu);

	for (unsigned int v = FIRST_DEVICE_VECTOR; v <= LAST_DEVICE_VECTOR; v++)
		if (!t[v])
			return (u8)v;
	return 0;
}

static void set_vector(unsigned int cpu, u8 vector, u16 irq_plus_1)
{
	WRITE_ONCE(per_cpu_ptr(&vector_irq[0], cpu)[vector], irq_plus_1);
}

/*
 * Lines and messages name a CPU in eight bits, of which all ones are everybody. More would take an IOMMU that remaps interrupts, which is not
 * driven: a CPU with a larger id runs programs and takes no interrupts of devices.
 */
static bool takes_irqs(unsigned int cpu)
{
	return machine.apic_id[cpu] < 0xff && (cpu_online(cpu) || cpu == 0);
}

/* A vector for IRQ on some CPU of MASK that is online. */
static int bind_irq(unsigned int irq, const struct cpumask *mask)
{
	struct arch_irq *q = &irqs[irq];
	unsigned int n = 0, cpu;

	if (x86_pic_mode) {
		if (!cpumask_test_cpu(0, mask))
			return -EINVAL;
		q->vector = (u8)(FIRST_DEVICE_VECTOR + irq);
		set_vector(0, q->vector, (u16)(irq + 1));
		return 0;
	}
	for_each_cpu(cpu, mask)
		n += takes_irqs(cpu);
	if (!n)
		return -EINVAL;
	for (unsigned int try = 0; try < nr_cpu_ids; try++) {
		u8 v;

		cpu = next_cpu++ % nr_cpu_ids;
		if (!cpumask_test_cpu(cpu, mask) || !takes_irqs(cpu))
			continue;
		v = find_vector(cpu);
		if (!v)
			continue;
		if (q->old_vector)
			set_vector(q->old_cpu, q->old_vector, 0);
		q->old_vector = q->vector;
		q->old_cpu = q->cpu;
		q->vector = v;
		q->cpu = (u16)cpu;
		set_vector(cpu, v, (u16)(irq + 1));
		return 0;
	}
	return -ENOSPC;
}

static void write_line(const struct arch_irq *q)
{
	u32 pin, low;
	int i;

	if (x86_pic_mode) {
		x86_pic_mask(q->gsi, q->masked);
		return;
	}
	i = ioapic_of(q->gsi, &pin);
	if (i < 0)
		return;
	low = q->vector | (q->active_low ? 1 << 13 : 0) | (q->level ? 1 << 15 : 0) | (q->masked ? 1 << 16 : 0);
	ioapic_write((unsigned int)i, 0x10 + 2 * pin, low | 1 << 16);
	ioapic_write((unsigned int)i, 0x11 + 2 * pin, machine.apic_id[q->cpu] << 24);
	ioapic_write((unsigned int)i, 0x10 + 2 * pin, low);
}

static int take_irq(unsigned int irq, u8 kind)
{
	struct cpumask cpus;

	cpumask_copy(&cpus, cpu_online_mask);
	__cpumask_set_cpu(0, &cpus);		/* also before it says so itself */
	irqs[irq] = (struct arch_irq){ .kind = kind, .masked = true };
	if (bind_irq(irq, &cpus)) {
		irqs[irq].kind = IRQ_FREE;
		return -ENOSPC;
	}
	return 0;
}

/* Of the 8259As, the timer's and the cascade are nobody else's. */
static bool has_line(unsigned int gsi)
{
	u32 pin;

	if (x86_pic_mode)
		return gsi < PIC_LINES && gsi != 0 && gsi != 2;
	return gsi < NR_IRQS && ioapic_of(gsi, &pin) >= 0;
}

int arch_irq_map_gsi(unsigned int gsi, unsigned int flags)
{
	unsigned long f;
	int err = -ENOSPC;

	if (!has_line(gsi))
		return -EINVAL;
	spin_lock_irqsave(&irq_table_lock, f);
	if (irqs[gsi].kind == IRQ_GSI) {
		err = (int)gsi;
	} else if (irqs[gsi].kind == IRQ_FREE) {
		err = take_irq(gsi, IRQ_GSI);
		if (!err) {
			irqs[gsi].gsi = gsi;
			irqs[gsi].level = x86_pic_mode ? x86_pic_is_level(gsi) : flags & IRQ_LEVEL;
			irqs[gsi].active_low = flags & IRQ_ACTIVE_LOW;
			write_line(&irqs[gsi]);
			err = (int)gsi;
		}
	}
	spin_unlock_irqrestore(&irq_table_lock, f);
	return err;
}

static void release(unsigned int irq)
{
	struct arch_irq *q = &irqs[irq];

	if (q->kind == IRQ_FREE)
		return;
	if (q->kind == IRQ_GSI) {
		q->masked = true;
		write_line(q);
	}
	set_vector(q->cpu, q->vector, 0);
	if (q->old_vector)
		set_vector(q->old_cpu, q->old_vector, 0);
	*q = (struct arch_irq){ 0 };
}

/* Numbers from the top down, so that lines keep theirs. */
int arch_irq_alloc_msi(u32 device, unsigned int max, unsigned int count)
{
	unsigned long f;
	int first = -ENOSPC;

	if (x86_pic_mode || !count || count > NR_IRQS / 2)
		return -ENOSPC;
	spin_lock_irqsave(&irq_table_lock, f);
	for (unsigned int start = NR_IRQS - count; start >= 64 && first < 0; start--) {
		unsigned int n = 0;

		while (n < count && irqs[start + n].kind == IRQ_FREE)
			n++;
		if (n < count)
			continue;
		for (n = 0; n < count && !take_irq(start + n, IRQ_MSI); n++)
			;
		if (n < count) {
			while (n--)
				release(start + n);
			break;
		}
		first = (int)start;
	}
	spin_unlock_irqrestore(&irq_table_lock, f);
	return first;
}

void arch_irq_free(unsigned int irq, unsigned int count)
{
	unsigned long f;

	spin_lock_irqsave(&irq_table_lock, f);
	for (unsigned int i = 0; i < count && irq + i < NR_IRQS; i++)
		release(irq + i);
	spin_unlock_irqrestore(&irq_table_lock, f);
}

void arch_irq_compose_msi(unsigned int irq, struct arch_msi *msg)
{
	const struct arch_irq *q = &irqs[irq];

	msg->addr = 0xfee00000ULL | (u64)machine.apic_id[q->cpu] << 12;	/* takes_irqs(); not a page */
	msg->data = q->vector;
}

static void set_masked(unsigned int irq, bool masked)
{
	unsigned long f;

	if (irq >= NR_IRQS)
		return;
	spin_lock_irqsave(&irq_table_lock, f);
	irqs[irq].masked = masked;
	if (irqs[irq].kind == IRQ_GSI)
		write_line(&irqs[irq]);
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
	int err;

	if (irq >= NR_IRQS)
		return -EINVAL;
	spin_lock_irqsave(&irq_table_lock, f);
	err = irqs[irq].kind == IRQ_FREE ? -EINVAL : bind_irq(irq, mask);
	if (!err && irqs[irq].kind == IRQ_GSI)
		write_line(&irqs[irq]);
	spin_unlock_irqrestore(&irq_table_lock, f);
	return err;
}

bool arch_irq_is_level(unsigned int irq)
{
	return irq < NR_IRQS && irqs[irq].level;
}

const char *arch_irq_chip_name(unsigned int irq)
{
	if (x86_pic_mode)
		return "XT-PIC";
	return irq < NR_IRQS && irqs[irq].kind == IRQ_GSI ? "IO-APIC" : "PCI-MSI";
}

static void pic_interrupt(unsigned int line)
{
	bool level = irqs[line].level;

	if (!x86_pic_claimed(line))
		return;
	if (!level)
		x86_pic_eoi(line);
	if (line == 0)
		timer_interrupt();
	else if (irqs[line].kind != IRQ_FREE)
		irq_handle(line);
	if (level)
		x86_pic_eoi(line);
}

/* Edge-triggered ones are acknowledged first, so that the next edge during the handler is not lost. */
void x86_device_interrupt(u32 vector)
{
	u16 n;
	struct arch_irq *q;

	if (x86_pic_mode) {
		if (vector < FIRST_DEVICE_VECTOR + PIC_LINES)
			pic_interrupt(vector - FIRST_DEVICE_VECTOR);
		return;
	}
	n = this_cpu_read(vector_irq[vector]);
	if (!n) {
		apic_eoi();
		return;
	}
	q = &irqs[n - 1];
	if (q->level) {
		irq_handle(n - 1U);
		apic_eoi();
	} else {
		apic_eoi();
		irq_handle(n - 1U);
	}
}
