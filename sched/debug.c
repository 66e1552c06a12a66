// SPDX-License-Identifier: MIT
/* Checks of the debug build that need to know the running task. */
#include <lib/types.h>
#include <kernel/bug.h>
#include <kernel/export.h>
#include <kernel/init.h>
#include <kernel/preempt.h>
#include <kernel/upcalls.h>
#include <sched/task.h>

#ifdef CONFIG_LOCKDEP
struct lockdep_stack *current_lockdep(void)
{
	return &current->lockdep;
}
#endif

#ifdef CONFIG_DEBUG
#ifdef CONFIG_LOCKDEP
#define where_in_rcu rcu_section_describe
#else
#define where_in_rcu(buf, size) ((void)(buf), "")
#endif

void might_sleep_at(const char *file, int line)
{
	char buf[160];

	if (likely(preemptible()) || system_state < SYSTEM_SCHEDULING || (current->flags & PF_IDLE))
		return;
	warn_at(file, line, "sleeping function called with preemption or interrupts off: preempt count %#x, irqs %s%s",
		(unsigned int)preempt_count(), irqs_disabled() ? "off" : "on", where_in_rcu(buf, sizeof(buf)));
}
EXPORT_DEBUG(might_sleep_at);
#endif
