// SPDX-License-Identifier: MIT
/*
 * The local APIC: through MSRs where the CPU has x2APIC, else through its page. It delivers interrupts to this CPU, sends
 * those between CPUs, and holds the deadline timer. Intel SDM vol. 3A, chapter 11.
 */
#include <arch/clock.h>
#include <arch/io.h>
#include <arch/irqflags.h>
#include <arch/pgtable.h>
#include <arch/smp.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <lib/minmax.h>
#include "arch/x86_64/x86_priv.h"

#define APIC_ID 0x20
#define APIC_VERSION 0x30
#define APIC_TPR 0x80
#define APIC_EOI 0xb0
#define APIC_LDR 0xd0
#define APIC_DFR 0xe0
#define APIC_SVR 0xf0
#define APIC_ESR 0x280
#define APIC_ICR 0x300
#define APIC_ICR2 0x310
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_THERMAL 0x330
#define APIC_LVT_PMC 0x340
#define APIC_LVT0 0x350
#define APIC_LVT1 0x360
#define APIC_LVT_ERROR 0x370
#define APIC_TIMER_INIT 0x380
#define APIC_TIMER_CUR 0x390
#define APIC_TIMER_DIV 0x3e0
#define LVT_MASKED (1U << 16)
#define LVT_DEADLINE (2U << 17)
#define ICR_BUSY (1U << 12)

bool x2apic_mode __ro_after_init;
static void __iomem *apic_page __ro_after_init;
static bool use_deadline __ro_after_init;
static u64 timer_mult __ro_after_init;		/* APIC ticks per ns, 32.32 */

u32 apic_read(u32 reg)
{
	return x2apic_mode ? (u32)rdmsr(MSR_X2APIC + (reg >> 4)) : readl((char __iomem *)apic_page + reg);
}

void apic_write(u32 reg, u32 v)
{
	if (x2apic_mode)
		wrmsr(MSR_X2APIC + (reg >> 4), v);
	else
		writel(v, (char __iomem *)apic_page + reg);
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

u32 apic_id(void)
{
	return x2apic_mode ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

void apic_send_icr(u32 id, u32 low)
{
	unsigned long flags;

	if (x2apic_mode) {
		__asm__ volatile("mfence; lfence" ::: "memory");	/* the write is not ordered by itself */
		wrmsr(MSR_X2APIC + (APIC_ICR >> 4), (u64)id << 32 | low);
		return;
	}
	flags = arch_irq_save();
	while (apic_read(APIC_ICR) & ICR_BUSY)
		cpu_relax();
	apic_write(APIC_ICR2, id << 24);
	apic_write(APIC_ICR, low);
	arch_irq_restore(flags);
}

void apic_send(unsigned int cpu, u32 vector)
{
	apic_send_icr(machine.apic_id[cpu], vector);
}

void arch_send_reschedule(unsigned int cpu)
{
	apic_send(cpu, VEC_RESCHED);
}

void arch_send_call(const struct cpumask *mask)
{
	unsigned int cpu;

	for_each_cpu(cpu, mask)
		apic_send(cpu, VEC_CALL);
}

/*
 * x2APIC: where the firmware left it on or ids need it, and where it is the cheaper one (hardware and KVM). An emulator that
 * counts instructions cannot read the timer through an MSR, so there the page is used unless "x2apic" says otherwise.
 */
static bool __init want_x2apic(u64 base)
{
	if (!cpu_has(X86_FEATURE_X2APIC))
		return false;
	if (base & 1 << 10)
		return true;
	for (unsigned int i = 0; i < machine.nr_cpus; i++)
		if (machine.apic_id[i] >= 255)
			return true;
	if (command_line_get("nox2apic"))
		return false;
	return hypervisor_base || !cpu_has(X86_FEATURE_HYPERVISOR) || command_line_get("x2apic");
}

void __init x86_apic_init(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	x2apic_mode = want_x2apic(base);
	if (!x2apic_mode) {
		machine.lapic = base & 0xffffff000ULL;
		apic_page = arch_ioremap(machine.lapic, PAGE_SIZE, PTE_P_KERNEL_IO);
		if (!apic_page)
			panic("apic: cannot map %#llx", machine.lapic);
		/* CPUID may deny one that is there; where none is, nothing answers. A version is 0x10 at least (SDM vol. 3A, 11.4.8). */
		x86_pic_mode = (apic_read(APIC_VERSION) & 0xf0) != 0x10;
	}
}

void x86_apic_init_cpu(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	wrmsr(MSR_APIC_BASE, base | 1 << 11 | (x2apic_mode ? 1 << 10 : 0));
	apic_write(APIC_TPR, 0);
	if (!x2apic_mode) {
		apic_write(APIC_DFR, 0xffffffff);
		apic_write(APIC_LDR, 0);
	}
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VEC_TIMER);
	apic_write(APIC_LVT0, LVT_MASKED);
	apic_write(APIC_LVT1, 0x400);		/* NMI line */
	apic_write(APIC_LVT_ERROR, VEC_ERROR);
	apic_write(APIC_SVR, 0x100 | VEC_SPURIOUS);
}

/* Ticks of the APIC timer between the two: for calibration, together with the TSC. */
void x86_apic_ticks_begin(void)
{
	if (x86_pic_mode)
		return;
	apic_write(APIC_TIMER_DIV, 0xb);
	apic_write(APIC_TIMER_INIT, 0xffffffff);
}

u32 x86_apic_ticks(void)
{
	return x86_pic_mode ? 0 : 0xffffffff - apic_read(APIC_TIMER_CUR);
}

u32 x86_apic_ticks_end(void)
{
	u32 n = x86_apic_ticks();

	if (!x86_pic_mode)
		apic_write(APIC_TIMER_INIT, 0);
	return n;
}

void x86_apic_timer_rate(u64 khz, bool tsc_reliable)
{
	use_deadline = tsc_reliable && !x86_pic_mode && cpu_has(X86_FEATURE_TSC_DEADLINE);
	timer_mult = (khz << 32) / 1000000;
}

void arch_timer_init_cpu(void)
{
	if (x86_pic_mode) {
		x86_pit_init();
	} else if (use_deadline) {
		apic_write(APIC_LVT_TIMER, LVT_DEADLINE | VEC_TIMER);
		__asm__ volatile("mfence" ::: "memory");
	} else {
		apic_write(APIC_TIMER_DIV, 0xb);
		apic_write(APIC_LVT_TIMER, VEC_TIMER);
		apic_write(APIC_TIMER_INIT, 0);
	}
}

void arch_timer_set_deadline(u64 deadline_ns)
{
	u64 now, delta;

	if (use_deadline) {
		wrmsr(MSR_TSC_DEADLINE, deadline_ns == U64_MAX ? 0 : x86_clock_tsc_of(deadline_ns));
		return;
	}
	if (x86_pic_mode) {
		x86_pit_set_deadline(deadline_ns);
		return;
	}
	if (deadline_ns == U64_MAX) {
		apic_write(APIC_TIMER_INIT, 0);
		return;
	}
	now = arch_clock_ns();
	delta = deadline_ns > now ? min(deadline_ns - now, (u64)4000000000ULL) : 0;
	delta = (delta * timer_mult) >> 32;
	apic_write(APIC_TIMER_INIT, (u32)clamp(delta, (u64)1, (u64)U32_MAX));
}
