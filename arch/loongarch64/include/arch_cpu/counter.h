/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel_counter.c asks: the stable counter, at a rate that CPUCFG tells, and a timer that counts down at the same rate. */
#pragma once

#include <arch/clock.h>
#include <lib/minmax.h>
#include "arch/loongarch64/la64_priv.h"

#define COUNTER_NAME "Constant"
#define TCFG_ENABLE 1UL
#define TCFG_MAX ((1UL << 47) - 4)	/* 48 bits at least; the lowest two are other things */

static inline u64 counter_read(void) { return arch_cycles(); }

/* CPUCFG 4 and 5: the crystal's rate, a multiplier and a divisor. */
static inline u64 counter_rate(void)
{
	u64 crystal = cpucfg(4);
	u32 ratio = cpucfg(5);

	return ratio >> 16 ? crystal * (ratio & 0xffff) / (ratio >> 16) : 0;
}

/* Up to four ticks more. */
static inline void counter_alarm(u64 at)
{
	u64 now = counter_read();

	csr_write(((at > now ? min(at - now, TCFG_MAX) : 0) + 4) & ~3UL | TCFG_ENABLE, CSR_TCFG);
}

static inline void counter_alarm_off(void) { csr_write(0, CSR_TCFG); }
