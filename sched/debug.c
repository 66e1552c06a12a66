// SPDX-License-Identifier: MIT
/* Checks of the debug build that need to know the running task. */
#include <lib/types.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/preempt.h>
#include <kernel/upcalls.h>
#include <sched/task.h>

#ifdef CONFIG_LOCKDEP
void **current_lockdep_slot(void)
{
	return &current->lockdep;
}
#endif

#ifdef CONFIG_DEBUG
void might_sleep_at(const char *file, int line)
{
	if (likely(preemptible()) || system_state < SYSTEM_SCHEDULING || (current->flags & PF_IDLE))
		return;
	warn_at(file, line, "sleeping function called with preemption or interrupts off: preempt count %#x, irqs %s",
		(unsigned int)preempt_count(), irqs_disabled() ? "off" : "on");
}
#endif
