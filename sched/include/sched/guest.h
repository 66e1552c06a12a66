/* SPDX-License-Identifier: MIT */
/*
 * Tasks that run guests (virtual machines).
 *
 * Hooks: the state of a guest is on the CPU while its task runs there. task->guest, NULL in every
 * task that runs none, says who takes it off and puts it back: `out` at each switch away from the
 * task, its own registers still loaded: run queue locked, interrupts off. Wakes nobody and takes no
 * lock that is ever held while somebody is woken; `in` after the switch back, perhaps on another
 * CPU: preemption off, interrupts on. Does not sleep. A new task has none, and an exiting one loses
 * them without a call of `out`.
 *
 * Guest mode: with interrupts off guest_enter(), the guest runs until something makes it exit, then
 * interrupts are let in, and what comes then counts as the guest's: guest_leave(). Preemption is
 * off from before the one until after the other, and no read section of RCU is open: each entry is
 * a quiescent state and so is a tick in between. Ticks in between count as user time and as guest
 * time of the task, and the CPU is not locked up, however long it lasts. As preemption is off, the
 * loop looks at need_resched() before each entry.
 */
#pragma once

#include <kernel/bug.h>
#include <kernel/context.h>
#include <kernel/preempt.h>
#include <kernel/rcu.h>
#include <kernel/static_key.h>
#include <sched/task.h>

struct guest_hooks {
	void (*out)(struct guest_hooks *g);
	void (*in)(struct guest_hooks *g);
};

DECLARE_STATIC_KEY(guest_hooks_key);

/*
 * Before the first hooks are set, and for good: until then a switch does not look for any. Sleeps.
 */
void guest_hooks_prepare(void);

/*
 * The running task's, NULL: none. Neither function is called. The caller, with preemption off,
 * loads or has unloaded the guest.
 */
static inline void guest_hooks_set(struct guest_hooks *g)
{
	DEBUG_ON(!preempt_count() || (g && !static_branch_unlikely(&guest_hooks_key)));
	WRITE_ONCE(current->guest, g);
}

/* Interrupts and preemption off. */
static inline void guest_enter(void)
{
	DEBUG_ON(!irqs_disabled() || !preempt_count() || this_cpu_read(cpu_in_guest));
	rcu_note_context_switch();
	section_break();
	this_cpu_write(cpu_in_guest, true);
}

/* Preemption off. */
static inline void guest_leave(void)
{
	DEBUG_ON(!preempt_count() || !this_cpu_read(cpu_in_guest));
	this_cpu_write(cpu_in_guest, false);
}

/* For proc/: the running task exits, from an oops perhaps in the middle of it. */
void guest_exit_task(void);
