// SPDX-License-Identifier: MIT
/*
 * The stable counter: one count that all CPUs agree on, at a rate that CPUCFG tells, and a timer a CPU that counts down at the
 * same rate.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/upcalls.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <lib/minmax.h>
#include <arch_cpu/vdso_data.h>
#include "arch/loongarch64/la64_priv.h"

static u64 hz __ro_after_init, base __ro_after_init, mult __ro_after_init, ticks_mult __ro_after_init;

#define SHIFT 32
#define TCFG_ENABLE 1UL
#define TCFG_MAX ((1UL << 47) - 4)	/* 48 bits at least; the lowest two are other things */

static u64 scale(u64 v, u64 by)
{
	return (u64)((unsigned __int128)v * by >> SHIFT);
}

static u64 counter(void)
{
	return arch_cycles();
}

/* CPUCFG 4 and 5: the crystal's rate, a multiplier and a divisor. */
static u64 counter_rate(void)
{
	u64 crystal = cpucfg(4);
	u32 ratio = cpucfg(5);

	return ratio >> 16 ? crystal * (ratio & 0xffff) / (ratio >> 16) : 0;
}

void __init arch_clock_init(void)
{
	hz = counter_rate();
	if (!hz)
		panic("clock: the CPU does not tell the counter's rate");
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
	return "Constant";
}

unsigned long arch_clock_khz(void)
{
	return (unsigned long)(hz / 1000);
}

void arch_timer_init_cpu(void)
{
	csr_write(0, CSR_TCFG);
	csr_write(1, CSR_TICLR);
}

void arch_timer_set_deadline(u64 deadline_ns)
{
	u64 at, now;

	if (deadline_ns == U64_MAX) {
		csr_write(0, CSR_TCFG);
		return;
	}
	/* Up to four ticks more, so that the clock has passed the deadline when the interrupt comes. */
	at = base + scale(deadline_ns, ticks_mult) + 1 + (deadline_ns >> 32);
	now = counter();
	csr_write(((at > now ? min(at - now, TCFG_MAX) : 0) + 4) & ~3UL | TCFG_ENABLE, CSR_TCFG);
}

void la64_timer_handle(void)
{
	csr_write(1, CSR_TICLR);
	timer_interrupt();
}

void arch_udelay(unsigned long us)
{
	u64 start = counter(), span = us * (hz ? hz : counter_rate()) / 1000000 + 1;

	while (counter() - start < span)
		cpu_relax();
}
