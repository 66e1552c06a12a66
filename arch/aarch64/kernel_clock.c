// SPDX-License-Identifier: MIT
/*
 * The generic timer: one counter that all CPUs agree on, at a rate the hardware tells, and a compare register a CPU. The
 * virtual timer serves, so that a hypervisor may shift it.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <arch_cpu/vdso_data.h>
#include "arch/aarch64/a64_priv.h"

static u64 hz __ro_after_init, base __ro_after_init, mult __ro_after_init, ticks_mult __ro_after_init;

#define SHIFT 32

static u64 counter(void)
{
	u64 v;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(v) : : "memory");
	return v;
}

static u64 scale(u64 v, u64 by)
{
	return (u64)((unsigned __int128)v * by >> SHIFT);
}

void __init arch_clock_init(void)
{
	hz = read_sysreg(cntfrq_el0);
	if (!hz)
		panic("clock: the firmware left the counter's rate unset");
	ticks_mult = (hz << SHIFT) / 1000000000;
	base = counter();
	mult = (1000000000ULL << SHIFT) / hz;
	pr_info("clock: %s, %llu.%03llu MHz\n", arch_clock_name(), hz / 1000000, hz / 1000 % 1000);
}

u64 arch_clock_ns(void)
{
	return mult ? scale(counter() - base, mult) : 0;
}

bool arch_vdso_clock(struct vdso_clock *c)
{
	*c = (struct vdso_clock){ base, mult };
	return mult != 0;
}

const char *arch_clock_name(void)
{
	return "arch_sys_counter";
}

unsigned long arch_clock_khz(void)
{
	return (unsigned long)(hz / 1000);
}

void arch_timer_init_cpu(void)
{
	write_sysreg(2, cntv_ctl_el0);		/* off, masked */
	a64_gic_enable_ppi(machine.timer_irq);
}

void arch_timer_set_deadline(u64 deadline_ns)
{
	if (deadline_ns == U64_MAX) {
		write_sysreg(2, cntv_ctl_el0);
		return;
	}
	/* One tick more, so that the clock has passed the deadline when the interrupt comes. */
	write_sysreg(base + scale(deadline_ns, ticks_mult) + 1 + (deadline_ns >> 32), cntv_cval_el0);
	write_sysreg(1, cntv_ctl_el0);
	isb();
}

void arch_udelay(unsigned long us)
{
	u64 start = counter(), span = us * (hz ? hz : read_sysreg(cntfrq_el0)) / 1000000 + 1;

	while (counter() - start < span)
		cpu_relax();
}
