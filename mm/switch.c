// SPDX-License-Identifier: MIT
/*
 * Address spaces across context switches. A task without a space of its own (kernel thread, idle, or past
 * its exit) borrows the tables that are loaded and holds a reference (mm_count) to them in active_mm; it
 * is handed on from lazy task to lazy task and dropped after the switch to a task that has a space.
 */
#include "mm_priv.h"
#include <sched/upcalls.h>

static DEFINE_PER_CPU(struct mm *, switch_drop);

void mm_switch(struct task *prev, struct task *next)
{
	struct mm *old = prev->active_mm;

	if (next->mm) {
		next->active_mm = next->mm;
		arch_switch_mm(old ? &old->context : NULL, &next->mm->context, next);
		if (!prev->mm && old) {
			prev->active_mm = NULL;
			this_cpu_write(switch_drop, old);
		}
		return;
	}
	next->active_mm = old;
	if (!old)
		return;
	if (prev->mm) {
		mmgrab(old);
		arch_enter_lazy_mm(&old->context);
	} else {
		prev->active_mm = NULL;
	}
}

void mm_switch_finish(struct task *prev)
{
	struct mm *mm = this_cpu_read(switch_drop);

	if (unlikely(mm)) {
		this_cpu_write(switch_drop, NULL);
		mmdrop(mm);
	}
}

void mm_drop_lazy(struct task *t)
{
	if (!t->mm && t->active_mm) {
		mmdrop(t->active_mm);
		t->active_mm = NULL;
	}
}
