/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel_counter.c asks: rdtime, at a rate the device tree tells. */
#pragma once

#include "arch/riscv64/rv_priv.h"

#define COUNTER_NAME "riscv_clocksource"

static inline u64 counter_read(void)
{
	u64 v;

	__asm__ volatile("fence rw, i; rdtime %0; fence i, rw" : "=r"(v) : : "memory");
	return v;
}

static inline u64 counter_rate(void) { return machine.timebase <= 1000000000 ? machine.timebase : 0; }

/* stimecmp where the CPUs have it (Sstc), else the firmware's timer. */
static inline void counter_alarm(u64 at)
{
	if (rv_has(RV_EXT_SSTC))
		__asm__ volatile("csrw 0x14d, %0" : : "r"(at) : "memory");
	else
		sbi_call(SBI_EXT_TIME, 0, at, 0, 0, 0, 0);
}

static inline void counter_alarm_off(void) { counter_alarm(~0ULL); }
