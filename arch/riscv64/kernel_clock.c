// SPDX-License-Identifier: MIT
/*
 * rdtime: one counter that all CPUs agree on, at a rate the device tree tells. The deadline is stimecmp where the CPUs have it (Sstc),
 * else the firmware's timer.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <arch/upcalls.h>
#include <arch_cpu/vdso_data.h>
#include "arch/riscv64/rv_priv.h"

static u64 base __ro_after_init, mult __ro_after_init, ticks_mult __ro_after_init;
static bool own_compare __ro_after_init;

#define SHIFT 32

static u64 counter(void)
{
	u64 v;

	__asm__ volatile("fence rw, i; rdtime %0; fence i, rw" : "=r"(v) : : "memory");
	return v;
}

static u64 scale(u64 v, u64 by)
{
	return (u64)((unsigned __int128)v * by >> SHIFT);
}

void __init arch_clock_init(void)
{
	if (!machine.timebase || machine.timebase > 1000000000)
		panic("clock: the device tree gives the counter %llu Hz", machine.timebase);
	own_compare = rv_has(RV_EXT_SSTC);
	ticks_mult = (machine.timebase << SHIFT) / 1000000000;
	base = counter();
	mult = (1000000000ULL << SHIFT) / machine.timebase;
	pr_info("clock: %s, %llu.%03llu MHz, deadlines by %s\n", arch_clock_name(), machine.timebase / 1000000,
		machine.timebase / 1000 % 1000, own_compare ? "the CPU (Sstc)" : "SBI");
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
	return "riscv_clocksource";
}

unsigned long arch_clock_khz(void)
{
	return (unsigned long)(machine.timebase / 1000);
}

static void set_compare(u64 v)
{
	if (own_compare)
		__asm__ volatile("csrw 0x14d, %0" : : "r"(v) : "memory");	/* stimecmp */
	else
		sbi_call(SBI_EXT_TIME, 0, v, 0, 0, 0, 0);
}

void arch_timer_init_cpu(void)
{
	set_compare(~0ULL);
	csr_set(sie, 1UL << IRQ_TIMER);
}

void arch_timer_set_deadline(u64 deadline_ns)
{
	/* One tick more, so that the clock has passed the deadline when the interrupt comes. */
	set_compare(deadline_ns == U64_MAX ? ~0ULL : base + scale(deadline_ns, ticks_mult) + 1 + (deadline_ns >> 32));
}

/* It stays pending until there is a later deadline, and there may be none. */
void rv_timer_interrupt(void)
{
	arch_timer_set_deadline(U64_MAX);
	timer_interrupt();
}

void arch_udelay(unsigned long us)
{
	u64 start = counter(), span = us * (machine.timebase ?: 10000000) / 1000000 + 1;

	while (counter() - start < span)
		cpu_relax();
}
