// SPDX-License-Identifier: MIT
/*
 * The clock where one counter that all CPUs agree on counts at a rate that somebody tells, and a timer a CPU on the same counter.
 * arch_cpu/counter.h gives COUNTER_NAME; counter_read(), not before what precedes it; counter_rate() in Hz, 0: nobody tells, or nonsense;
 * counter_alarm(at), an interrupt once the counter is AT, which may have been; counter_alarm_off(). arch_timer_init_cpu() is the CPU's.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <arch_cpu/counter.h>
#include "arch/shared/counter.h"

static u64 hz __ro_after_init, base __ro_after_init, mult __ro_after_init, ticks_mult __ro_after_init;

#define SHIFT 32

static u64 scale(u64 v, u64 by)
{
	return (u64)((unsigned __int128)v * by >> SHIFT);
}

void __init arch_clock_init(void)
{
	hz = counter_rate();
	if (!hz)
		panic("clock: nobody tells the counter's rate");
	ticks_mult = (hz << SHIFT) / 1000000000;
	base = counter_read();
	mult = (1000000000ULL << SHIFT) / hz;
	pr_info("clock: %s, %llu.%03llu MHz\n", arch_clock_name(), hz / 1000000, hz / 1000 % 1000);
}

u64 arch_clock_ns(void)
{
	return mult ? scale(counter_read() - base, mult) : 0;
}

bool counter_scale(u64 *base_, u64 *mult_)
{
	*base_ = base;
	*mult_ = mult;
	return mult;
}

const char *arch_clock_name(void)
{
	return COUNTER_NAME;
}

unsigned long arch_clock_khz(void)
{
	return (unsigned long)(hz / 1000);
}

void arch_timer_set_deadline(u64 deadline_ns)
{
	if (deadline_ns == U64_MAX)
		counter_alarm_off();
	else	/* One tick more, so that the clock has passed the deadline when the interrupt comes. */
		counter_alarm(base + scale(deadline_ns, ticks_mult) + 1 + (deadline_ns >> 32));
}

void arch_udelay(unsigned long us)
{
	u64 rate = hz ? hz : counter_rate(), start = counter_read(), span = us * (rate ? rate : 10000000) / 1000000 + 1;

	while (counter_read() - start < span)
		cpu_relax();
}
