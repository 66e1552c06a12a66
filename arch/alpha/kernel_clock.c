// SPDX-License-Identifier: MIT
/*
 * QEMU's PALcode has what the machine itself lacks: a clock of nanoseconds that all CPUs agree on, and an alarm a CPU, which arrives as the clock
 * interrupt. (The machine's own are a 32-bit cycle counter a CPU and 1024 interrupts a second; not there yet.)
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/upcalls.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/time.h>
#include <kernel/printk.h>
#include <lib/minmax.h>
#include "arch/alpha/alpha_priv.h"

static u64 base __ro_after_init;
static bool ready __ro_after_init;

static u64 now(void)
{
	return pal_call1(PAL_cserve, CSERVE_TIME);
}

static void set_alarm(u64 at)
{
	pal_call2(PAL_cserve, CSERVE_ALARM_ABS, at);
}

void __init arch_clock_init(void)
{
	if (!machine.qemu)
		panic("clock: the PALcode of this machine has no clock that is known");
	base = now();
	ready = true;
	pr_info("clock: %s\n", arch_clock_name());
}

/* The PC's battery clock has a driver in Rust alone; QEMU tells the time too. */
static int __init read_wall_clock(void)
{
	if (machine.qemu)
		(void)ktime_set_real_ns(pal_call1(PAL_cserve, CSERVE_WALL_TIME));
	return 0;
}
INITCALL(sched, read_wall_clock);

u64 arch_clock_ns(void)
{
	return ready ? now() - base : 0;
}

const char *arch_clock_name(void)
{
	return "qemu";
}

unsigned long arch_clock_khz(void)
{
	return 1000000;
}

void arch_timer_init_cpu(void)
{
	set_alarm(0);
}

void arch_timer_set_deadline(u64 deadline_ns)
{
	set_alarm(deadline_ns > U64_MAX / 2 ? 0 : max(base + deadline_ns, (u64)1));
}

void alpha_timer_handle(void)
{
	timer_interrupt();
}

void arch_udelay(unsigned long us)
{
	u64 start, span = us * 1000;

	if (!machine.qemu)
		return;
	for (start = now(); now() - start < span; )
		cpu_relax();
}
