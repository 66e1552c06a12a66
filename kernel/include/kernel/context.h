/* SPDX-License-Identifier: MIT */
/*
 * What a CPU does, as its tick sees it. A guest's interrupts arrive as exits, so that the tick
 * finds a CPU in the kernel that was in the guest a moment ago: who runs guests says so here
 * (sched/guest.h).
 */
#pragma once

#include <lib/types.h>
#include <kernel/percpu.h>

enum cpu_context { CONTEXT_KERNEL, CONTEXT_USER, CONTEXT_GUEST };

/* Own CPU, preemption off: between guest_enter() and guest_leave(). */
DECLARE_PER_CPU(bool, cpu_in_guest);

/* In neither is a read section of RCU open, and nobody is kept from the CPU. */
static inline bool context_is_outside(enum cpu_context c)
{
	return c != CONTEXT_KERNEL;
}
