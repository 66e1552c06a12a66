// SPDX-License-Identifier: MIT
/*
 * The tick counter, whose rate Open Firmware tells, and its compare register, which raises interrupt 14 through the soft-interrupt
 * register.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/upcalls.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <lib/minmax.h>
#include "arch/sparc64/sparc_priv.h"

static u64 hz __ro_after_init, base __ro_after_init, mult __ro_after_init, ticks_mult __ro_after_init;

#define SHIFT 32
#define COMPARE_OFF (1ULL << 63)
#define SOFTINT_TICK 1UL

static u64 scale(u64 v, u64 by)
{
	return (u64)((unsigned __int128)v * by >> SHIFT);
}

static u64 counter(void)
{
	return arch_cycles();
}

void __init arch_clock_init(void)
{
	hz = machine.clock_hz;
	if (!hz)
		panic("clock: the firmware does not tell the counter's rate");
	ticks_mult = (hz << SHIFT) / 1000000000;
	base = counter();
	mult = (1000000000ULL << SHIFT) / hz;
	pr_info("clock: %s, %llu.%03llu MHz\n", arch_clock_name(), hz / 1000000, hz / 1000 % 1000);
}

u64 arch_clock_ns(void)
{
	return mult ? scale(counter() - base, mult) : 0;
}

const char *arch_clock_name(void)
{
	return "tick";
}

unsigned long arch_clock_khz(void)
{
	return (unsigned long)(hz / 1000);
}

static void set_compare(u64 at)
{
	__asm__ volatile("wr %0, 0, %%asr23\n\trd %%asr23, %%g0" : : "r"(at) : "memory");
}

static void clear_softint(u64 bits)
{
	__asm__ volatile("wr %0, 0, %%asr21" : : "r"(bits) : "memory");
}

static void raise_softint(u64 bits)
{
	__asm__ volatile("wr %0, 0, %%asr20" : : "r"(bits) : "memory");
}

void arch_timer_init_cpu(void)
{
	set_compare(COMPARE_OFF);
	clear_softint(SOFTINT_TICK);
}

/* A compare value that has passed when it is written raises nothing: then we do. */
void arch_timer_set_deadline(u64 deadline_ns)
{
	u64 at;

	if (deadline_ns == U64_MAX) {
		set_compare(COMPARE_OFF);
		return;
	}
	/* A little later, so that the clock has passed the deadline when the interrupt comes. */
	at = base + scale(deadline_ns, ticks_mult) + 1 + (deadline_ns >> 32);
	set_compare(at & ~COMPARE_OFF);
	if (counter() >= at)
		raise_softint(SOFTINT_TICK);
}

void sparc_timer_handle(void)
{
	clear_softint(SOFTINT_TICK);
	timer_interrupt();
}

void arch_udelay(unsigned long us)
{
	u64 start = counter(), span = us * (hz ? hz : machine.clock_hz) / 1000000 + 1;

	while (counter() - start < span)
		cpu_relax();
}
