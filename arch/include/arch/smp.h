/* SPDX-License-Identifier: MIT */
/*
 * Other CPUs. Numbers are dense and fixed at boot; 0 is the one that booted.
 */
#pragma once

#include <arch/cpu.h>
#include <arch/upcalls.h>

struct cpumask;
struct task;

/* How many CPUs the machine names (at least 1, at most NR_CPUS): the possible ones are 0 .. n - 1. */
unsigned int arch_smp_count(void);
/* Before the first arch_smp_boot_cpu: the trampoline. 0, or why no other CPU can start. */
int arch_smp_prepare(void);
/*
 * Starts CPU on the stack of IDLE; it ends up in the upcall smp_start_secondary(cpu) with interrupts off.
 * Does not wait for it. 0, -EIO, -ENOMEM. May sleep.
 */
int arch_smp_boot_cpu(unsigned int cpu, struct task *idle);
/* Makes CPU run sched_ipi(). */
void arch_send_reschedule(unsigned int cpu);
/* Makes each CPU of MASK (this one excluded by the caller) run smp_call_interrupt(). */
void arch_send_call(const struct cpumask *mask);
/* Stops all others, for panic; does not wait for ever. */
void arch_smp_stop_others(void);
/* Sends a non-maskable interrupt for a backtrace; the target prints. */
void arch_smp_nmi_backtrace(unsigned int cpu);
