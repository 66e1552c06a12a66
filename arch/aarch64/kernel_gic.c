// SPDX-License-Identifier: MIT
/*
 * Interrupts: Arm GIC v2 (memory-mapped CPU interface) or v3 (system registers, redistributors). An irq number is the GIC's
 * INTID, a global line of the device tree's SPI n is 32 + n. Messages (MSI) are SPIs that a v2m frame raises when it
 * is written to, or LPIs (kernel_its.c), whose irq numbers follow the lines'.
 * Lock: irq_table_lock guards the table; registers that change here are written under it or are one bit a write.
 */
#include <arch/clock.h>
#include <arch/irq.h>
#include <arch/barrier.h>
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
#include "arch/shared/ipi.h"
#include "arch/aarch64/a64_priv.h"

#define GICD_CTLR 0x0
#define GICD_TYPER 0x4
#define GICD_IGROUPR 0x80
#define GICD_ISENABLER 0x100
#define GICD_ICENABLER 0x180
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR 0x800
#define GICD_ICFGR 0xc00
#define GICD_SGIR 0xf00
#define GICD_IROUTER 0x6000
#define GICC_CTLR 0x0
#define GICC_PMR 0x4
#define GICC_IAR 0xc
#define GICC_EOIR 0x10
#define GICR_TYPER 0x8
#define GICR_WAKER 0x14
#define GICR_SGI 0x10000
#define GICR_STRIDE 0x20000
#define FIRST_SPI 32
#define SPURIOUS 1020
#define DIST_SIZE 0x10000
#define V2M_TYPER 0x8
#define V2M_SETSPI 0x40
#define LPI_ROOM 128		/* irqs kept for them where lines are many */

enum { IRQ_FREE, IRQ_LINE, IRQ_MSI };

struct arch_irq {
	u8 kind;		/* l */
	u16 cpu;		/* l */
	bool level;		/* constant while in use */
};

static DEFINE_SPINLOCK(irq_table_lock);		/* l */
static struct arch_irq irqs[NR_IRQS];
static char __iomem *dist __ro_after_init, *cpu_if __ro_after_init, *redists __ro_after_init;
static unsigned int nr_lines __ro_after_init, nr_lpis __ro_after_init;	/* LPI n is irq nr_lines + n */
static unsigned int msi_first __ro_after_init, msi_count __ro_after_init;
static DEFINE_PER_CPU(char __iomem *, redist);		/* v3: of this CPU; constant */
static DEFINE_PER_CPU(u8, v2_target);		/* v2: this CPU's bit in target registers; constant */

static u64 route_of(unsigned int cpu)
{
	return machine.mpidr[cpu];
}

/* Writes to the distributor take effect some time later: wait where it matters. */
static void dist_settle(void)
{
	while (machine.gic == 3 && (readl(dist + GICD_CTLR) & 1U << 31))
		;
}

static void __init find_msi_frame(void)
{
	char __iomem *frame = machine.msi_frame ? arch_ioremap(machine.msi_frame, PAGE_SIZE, PTE_P_KERNEL_IO) : NULL;
	u32 type;

	if (!frame)
		return;
	type = readl(frame + V2M_TYPER);
	msi_first = type >> 16 & 0x3ff;
	msi_count = type & 0x3ff;
	if (msi_first < FIRST_SPI || msi_first + msi_count > NR_IRQS)
		msi_count = 0;
}

void __init arch_irq_init(void)
{
	if (!machine.gic)
		panic("irq: the device tree names no interrupt controller that is known");
	dist = arch_ioremap(machine.gic_dist, DIST_SIZE, PTE_P_KERNEL_IO);
	cpu_if = arch_ioremap(machine.gic_cpu, machine.gic_cpu_size, PTE_P_KERNEL_IO);
	BUG_ON(!dist || !cpu_if);
	redists = cpu_if;
	nr_lines = ((readl(dist + GICD_TYPER) & 31) + 1) * 32;
	if (nr_lines > NR_IRQS - (machine.its ? LPI_ROOM : 0))
		nr_lines = NR_IRQS - (machine.its ? LPI_ROOM : 0);
	writel(0, dist + GICD_CTLR);
	dist_settle();
	for (unsigned int i = FIRST_SPI; i < nr_lines; i += 32) {
		writel(~0U, dist + GICD_ICENABLER + i / 8);
		writel(machine.gic == 3 ? ~0U : 0, dist + GICD_IGROUPR + i / 8);
	}
	for (unsigned int i = FIRST_SPI; i < nr_lines; i += 4)
		writel(0xa0a0a0a0, dist + GICD_IPRIORITYR + i);
	writel(machine.gic == 3 ? 0x12 : 1, dist + GICD_CTLR);	/* v3: group 1, affinity routing */
	dist_settle();
	if (machine.its && (readl(dist + GICD_TYPER) & 1 << 17))
		nr_lpis = a64_its_init(NR_IRQS - nr_lines);
	a64_gic_init_cpu();
	find_msi_frame();
}

static char __iomem *find_redist(void)
{
	u64 mpidr = machine.mpidr[arch_cpu_number()];
	u32 want = (u32)(mpidr & 0xffffff) | (u32)(mpidr >> 32 & 0xff) << 24;

	u64 type;

	/* With virtual LPIs (bit 1 of TYPER) a redistributor has four frames, else two. */
	for (u64 off = 0; off + GICR_STRIDE <= machine.gic_cpu_size; off += type & 2 ? 2 * GICR_STRIDE : GICR_STRIDE) {
		type = readq(redists + off + GICR_TYPER);

		if ((u32)(type >> 32) == want)
			return redists + off;
		if (type & 1 << 4)		/* the last one */
			break;
	}
	panic("irq: CPU %u has no redistributor", arch_cpu_number());
}

phys_addr_t a64_redist_pa(const char __iomem *r)
{
	return machine.gic_cpu + (u64)(r - redists);
}

static void init_v3_cpu(void)
{
	char __iomem *r = find_redist();

	this_cpu_write(redist, r);
	writel(readl(r + GICR_WAKER) & ~2U, r + GICR_WAKER);
	while (readl(r + GICR_WAKER) & 4)
		;
	writel(~0U, r + GICR_SGI + GICD_IGROUPR);
	writel(0xffff0000, r + GICR_SGI + GICD_ICENABLER);
	writel(0x0000ffff, r + GICR_SGI + GICD_ISENABLER);
	for (unsigned int i = 0; i < 32; i += 4)
		writel(0xa0a0a0a0, r + GICR_SGI + GICD_IPRIORITYR + i);
	__asm__ volatile("msr s3_0_c12_c12_5, %0; isb" : : "r"(7UL) : "memory");	/* ICC_SRE_EL1 */
	__asm__ volatile("msr s3_0_c4_c6_0, %0" : : "r"(0xf0UL) : "memory");		/* ICC_PMR_EL1 */
	__asm__ volatile("msr s3_0_c12_c12_4, %0" : : "r"(0UL) : "memory");		/* ICC_CTLR_EL1 */
	__asm__ volatile("msr s3_0_c12_c12_7, %0; isb" : : "r"(1UL) : "memory");	/* ICC_IGRPEN1_EL1 */
	a64_its_init_cpu(r);
}

static void init_v2_cpu(void)
{
	this_cpu_write(v2_target, (u8)readl(dist + GICD_ITARGETSR));
	writel(0xffff0000, dist + GICD_ICENABLER);
	writel(0x0000ffff, dist + GICD_ISENABLER);
	for (unsigned int i = 0; i < 32; i += 4)
		writel(0xa0a0a0a0, dist + GICD_IPRIORITYR + i);
	writel(0xf0, cpu_if + GICC_PMR);
	writel(1, cpu_if + GICC_CTLR);
}

void a64_gic_init_cpu(void)
{
	if (machine.gic == 3)
		init_v3_cpu();
	else
		init_v2_cpu();
}

void a64_gic_enable_ppi(unsigned int intid)
{
	writel(1U << intid, (machine.gic == 3 ? this_cpu_read(redist) + GICR_SGI : dist) + GICD_ISENABLER);
}

void ipi_send(unsigned int cpu, enum ipi what)
{
	u64 m = machine.mpidr[cpu];

	__asm__ volatile("dsb ishst" : : : "memory");	/* what the other side is to see */
	if (machine.gic == 3) {
		u64 v = (m >> 32 & 0xff) << 48 | (m >> 16 & 0xff) << 32 | (m >> 8 & 0xff) << 16 | (u64)what << 24 |
			(m >> 4 & 15) << 44 | 1ULL << (m & 15);

		__asm__ volatile("msr s3_0_c12_c11_5, %0; isb" : : "r"(v) : "memory");	/* ICC_SGI1R_EL1 */
	} else {
		writel((u32)per_cpu(v2_target, cpu) << 16 | what, dist + GICD_SGIR);
	}
}

static u32 acknowledge(void)
{
	u64 v;

	if (machine.gic == 2)
		return readl(cpu_if + GICC_IAR);
	__asm__ volatile("mrs %0, s3_0_c12_c12_0; dsb sy" : "=r"(v) : : "memory");	/* ICC_IAR1_EL1 */
	return (u32)v;
}

static void end(u32 iar)
{
	if (machine.gic == 2)
		writel(iar, cpu_if + GICC_EOIR);
	else
		__asm__ volatile("msr s3_0_c12_c12_1, %0; isb" : : "r"((u64)iar) : "memory");	/* ICC_EOIR1_EL1 */
}

void a64_gic_handle(void)
{
	u32 iar = acknowledge(), id = iar & (machine.gic == 2 ? 0x3ff : 0xffffff);

	if (id >= SPURIOUS && id < FIRST_LPI)
		return;
	if (id < 16) {
		end(iar);
		ipi_take(1U << id);
	} else if (id == machine.timer_irq) {
		/* Level-triggered, and there may be no next deadline: it ends here. */
		arch_timer_set_deadline(U64_MAX);
		timer_interrupt();
		end(iar);
	} else {
		if (id >= FIRST_LPI)
			id = nr_lines + (id - FIRST_LPI);
		if (id < NR_IRQS)
			irq_handle(id);
		end(iar);
	}
}

static void route(unsigned int irq, unsigned int cpu)
{
	if (machine.gic == 3)
		writeq(route_of(cpu), dist + GICD_IROUTER + 8UL * irq);
	else
		writeb(per_cpu(v2_target, cpu), dist + GICD_ITARGETSR + irq);
	irqs[irq].cpu = (u16)cpu;
}

static bool is_lpi(unsigned int irq)
{
	return irq >= nr_lines && irq - nr_lines < nr_lpis;
}

static void set_enabled(unsigned int irq, bool on)
{
	if (is_lpi(irq)) {
		a64_lpi_enable(irq - nr_lines, on);
		return;
	}
	if (irq < FIRST_SPI || irq >= nr_lines)
		return;
	writel(1U << irq % 32, dist + (on ? GICD_ISENABLER : GICD_ICENABLER) + irq / 32 * 4);
	dist_settle();
}

static void take(unsigned int irq, u8 kind, bool level)
{
	u32 cfg = readl(dist + GICD_ICFGR + irq / 16 * 4), bit = 2U << irq % 16 * 2;

	irqs[irq] = (struct arch_irq){ .kind = kind, .level = level };
	set_enabled(irq, false);
	writel(level ? cfg & ~bit : cfg | bit, dist + GICD_ICFGR + irq / 16 * 4);
	route(irq, 0);
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
	int err = -ENOSPC;

	if (gsi < FIRST_SPI || gsi >= nr_lines)
		return -EINVAL;
	spin_lock_irqsave(&irq_table_lock, f);
	if (irqs[gsi].kind == IRQ_FREE)
		take(gsi, IRQ_LINE, flags & IRQ_LEVEL);
	if (irqs[gsi].kind == IRQ_LINE)
		err = (int)gsi;
	spin_unlock_irqrestore(&irq_table_lock, f);
	return err;
}

int arch_irq_alloc_msi(u32 device, unsigned int max, unsigned int count)
{
	unsigned long f;
	int first = -ENOSPC;

	if (nr_lpis) {
		first = a64_lpi_alloc(device, max, count);
		return first < 0 ? first : first + (int)nr_lines;
	}
	spin_lock_irqsave(&irq_table_lock, f);
	for (unsigned int s = msi_first; count && first < 0 && s + count <= msi_first + msi_count; s++) {
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
	for (unsigned int i = irq; i < irq + count && i < nr_lines; i++) {
		set_enabled(i, false);
		irqs[i] = (struct arch_irq){ 0 };
	}
	spin_unlock_irqrestore(&irq_table_lock, f);
	for (unsigned int i = irq; i < irq + count && is_lpi(i); i++)
		a64_lpi_free(i - nr_lines);
}

void arch_irq_compose_msi(unsigned int irq, struct arch_msi *msg)
{
	if (is_lpi(irq)) {
		a64_lpi_compose(irq - nr_lines, msg);
		return;
	}
	msg->addr = machine.msi_frame + V2M_SETSPI;
	msg->data = irq;
}

void arch_irq_mask(unsigned int irq)
{
	set_enabled(irq, false);
}

void arch_irq_unmask(unsigned int irq)
{
	set_enabled(irq, true);
}

int arch_irq_set_affinity(unsigned int irq, const struct cpumask *mask)
{
	unsigned long f;
	unsigned int cpu;
	int err = -EINVAL;

	for_each_cpu(cpu, mask)
		if (cpu_online(cpu))
			break;
	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	if (is_lpi(irq))
		return a64_lpi_route(irq - nr_lines, cpu);
	if (irq < FIRST_SPI || irq >= nr_lines)
		return -EINVAL;
	spin_lock_irqsave(&irq_table_lock, f);
	if (irqs[irq].kind != IRQ_FREE) {
		route(irq, cpu);
		err = 0;
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
	return is_lpi(irq) ? "ITS-MSI" : irq < NR_IRQS && irqs[irq].kind == IRQ_MSI ? "GICv2m" : machine.gic == 3 ? "GICv3" : "GICv2";
}
