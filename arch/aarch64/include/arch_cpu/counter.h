/* SPDX-License-Identifier: MIT */
/* What arch/shared/kernel_counter.c asks: the generic timer; the virtual one serves, so that a hypervisor may shift it. */
#pragma once

#include <arch/io.h>
#include "arch/aarch64/a64_priv.h"

#define COUNTER_NAME "arch_sys_counter"

static inline u64 counter_read(void)
{
	u64 v;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(v) : : "memory");
	return v;
}

/* The firmware's word. */
static inline u64 counter_rate(void) { return read_sysreg(cntfrq_el0); }
static inline void counter_alarm_off(void) { write_sysreg(2, cntv_ctl_el0); }	/* off, masked */

static inline void counter_alarm(u64 at)
{
	write_sysreg(at, cntv_cval_el0);
	write_sysreg(1, cntv_ctl_el0);
	isb();
}
