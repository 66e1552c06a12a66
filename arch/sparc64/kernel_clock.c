// SPDX-License-Identifier: MIT
/* The timer (arch_cpu/counter.h) and its interrupt. */
#include <arch/clock.h>
#include <arch/upcalls.h>
#include <arch_cpu/counter.h>

static void clear_softint(u64 bits)
{
	__asm__ volatile("wr %0, 0, %%asr21" : : "r"(bits) : "memory");
}

void arch_timer_init_cpu(void)
{
	counter_alarm_off();
	clear_softint(SOFTINT_TICK);
}

void sparc_timer_handle(void)
{
	clear_softint(SOFTINT_TICK);
	timer_interrupt();
}
