// SPDX-License-Identifier: MIT
/* What an interrupt interrupted. */
#include <kernel/time_priv.h>
#include "arch/shared/sched_trap.h"

DEFINE_PER_CPU(struct pt_regs *, irq_regs);

struct pt_regs *get_irq_regs(void)
{
	return this_cpu_read(irq_regs);
}

bool irq_from_user(void)
{
	const struct pt_regs *regs = get_irq_regs();

	return regs && user_mode(regs);
}
