// SPDX-License-Identifier: MIT
/* The generic timer (arch_cpu/counter.h) of a CPU, and what the vDSO knows of it. */
#include <arch/clock.h>
#include <arch_cpu/counter.h>
#include <arch_cpu/vdso_data.h>
#include "arch/shared/counter.h"

bool arch_vdso_clock(struct vdso_clock *c)
{
	return counter_scale(&c->base, &c->mult);
}

void arch_timer_init_cpu(void)
{
	counter_alarm_off();
	a64_gic_enable_ppi(machine.timer_irq);
}
