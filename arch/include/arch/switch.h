/* SPDX-License-Identifier: MIT */
/*
 * Tasks as the CPU knows them. struct task embeds `struct arch_thread thread` and has `void *stack` (lowest
 * address of THREAD_SIZE bytes).
 */
#pragma once

#include <lib/types.h>
#include <abi/errno.h>
#include <arch/page.h>
#include <arch_cpu/thread.h>	/* struct arch_thread */

struct task;
struct pt_regs;

/* Runs NEXT; comes back when somebody switches to PREV, and returns who ran just before. Interrupts off. */
struct task *arch_switch_to(struct task *prev, struct task *next);

/* TASK is a bytewise copy of another: gives up what it does not own. Always the first of these to be called. */
void arch_thread_dup(struct task *task);
/* First run of TASK: schedule_tail(prev), fn(arg); if fn returns 0 it goes to user mode with task_pt_regs. */
void arch_thread_start_kernel(struct task *task, int (*fn)(void *), void *arg);
/* May TLS be a thread pointer? Most CPUs take any value. */
#ifdef ARCH_LIMITS_TLS
bool arch_tls_allowed(unsigned long tls);
#else
static inline bool arch_tls_allowed(unsigned long tls) { return true; }
#endif
/*
 * First run of TASK: schedule_tail(prev), then user mode as the caller of fork with result 0. NEWSP 0 keeps the stack;
 * SET_TLS says that TLS is the new thread pointer.
 */
void arch_thread_fork(struct task *task, const struct pt_regs *regs, unsigned long newsp, bool set_tls, unsigned long tls);
/* The running task becomes a fresh program at ip, sp: registers, thread pointers, FPU. */
int arch_thread_exec(struct pt_regs *regs, unsigned long ip, unsigned long sp);
/* Frees what arch_thread holds (FPU area, bitmaps). */
void arch_thread_free(struct task *task);

/* The user registers of TASK. */
struct pt_regs *task_pt_regs(struct task *task);
/* Where a task that does not run would continue, for wchan and backtraces. */
unsigned long arch_thread_ip(struct task *task);
/* For the first CPU's boot stack and each secondary's idle: makes TASK current on this CPU. */
void arch_set_current(struct task *task);
/* arch_prctl and the like. -EINVAL for an unknown code. */
long arch_prctl_current(int code, unsigned long addr);
/* The requests of prctl(2) that are this CPU's alone. -EINVAL for others. */
#ifdef ARCH_HAS_PRCTL
long arch_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5);
#else
static inline long arch_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5) { return -EINVAL; }
#endif
/* Whether user mode may read the cycle counter, for the current task and what it starts. -EINVAL: this CPU cannot refuse. */
bool arch_tsc_refused(void);
int arch_refuse_tsc(bool refuse);
