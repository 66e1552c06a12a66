// SPDX-License-Identifier: MIT
/* The first instruction on more bits than a task's registers have had. */
#include <arch/irqflags.h>
#include <sched/task.h>
#include "arch/shared/fpu.h"
#include <arch_cpu/fpu.h>

bool la64_fpu_widen(enum fpu_width width)
{
	struct arch_fpu *f = current->thread.fpu;
	unsigned long flags;

	if (!f || width > la64_fpu_width())
		return false;
	flags = arch_irq_save();
	fpu_regs_save(current, f);
	if (f->width < width)
		f->width = width;
	fpu_changed(current);
	arch_irq_restore(flags);
	return true;
}
