/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel_counter.c asks: the tick counter, whose rate Open Firmware tells, and its compare register, which raises interrupt 14. */
#pragma once

#include <arch/clock.h>
#include "arch/sparc64/sparc_priv.h"

#define COUNTER_NAME "tick"
#define COMPARE_OFF (1ULL << 63)
#define SOFTINT_TICK 1UL

static inline u64 counter_read(void) { return arch_cycles(); }
static inline u64 counter_rate(void) { return machine.clock_hz; }

static inline void counter_compare(u64 at)
{
	__asm__ volatile("wr %0, 0, %%asr23\n\trd %%asr23, %%g0" : : "r"(at) : "memory");
}

static inline void counter_alarm_off(void) { counter_compare(COMPARE_OFF); }

/* A compare value that has passed when it is written raises nothing: then we do, in the soft-interrupt register. */
static inline void counter_alarm(u64 at)
{
	counter_compare(at & ~COMPARE_OFF);
	if (counter_read() >= at)
		__asm__ volatile("wr %0, 0, %%asr20" : : "r"(SOFTINT_TICK) : "memory");
}
