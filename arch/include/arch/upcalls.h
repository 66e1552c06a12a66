/* SPDX-License-Identifier: MIT */
/*
 * What the CPU-dependent code asks of the rooms above. Defined there, bound by the linker.
 */
#pragma once

#include <lib/types.h>

struct pt_regs;
struct task;

/* kernel/: brackets around each interrupt handler, interrupts off, on the interrupted task's stack or the IRQ stack. */
void irq_enter(void);
void irq_exit(void);
/* kernel/: device interrupt IRQ fired (arch numbers, see <arch/irq.h>); acknowledged by arch after it returns. */
void irq_handle(unsigned int irq);
/* kernel/: the deadline timer fired. */
void timer_interrupt(void);
/* kernel/: somebody queued calls for this CPU. */
void smp_call_interrupt(void);
/* sched/: somebody set need-resched on this CPU or queued wake-ups for it. */
void sched_ipi(void);
/* sched/: an interrupt ends in kernel mode with count zero and need-resched: interrupts off on entry and on return. */
void preempt_schedule_irq(void);
/* sched/: first C code of another CPU above arch; interrupts off, on its idle task. Does not return. */
void __noreturn smp_start_secondary(unsigned int cpu);
/* sched/: first thing a new task runs, just after the switch to it (finishes the switch, enables interrupts). */
void schedule_tail(struct task *prev) __releases(rq->lock);
/* sched/: ends the running task; SIG kills, used when the kernel itself faulted on its behalf. Returns never. */
void __noreturn task_die(int sig);

/* syscall/: dispatches nr and arguments in REGS and stores the result there. Interrupts are on. */
void syscall_dispatch(struct pt_regs *regs);
/*
 * proc/: signals, reschedule, task work before user mode. Interrupts are off on entry and return; when it returns no work
 * is left. FLAGS is the word that was read.
 */
void exit_to_user_work(struct pt_regs *regs, unsigned long flags);
/* proc/: a synchronous signal for the running user task. TRAPNR and ERROR are the CPU's, for the signal frame. */
void trap_to_signal(struct pt_regs *regs, int sig, int code, unsigned long addr);

/*
 * mm/: a page fault at ADDR. 0: retry the access. Else the SIGxxx number to give (low byte) with its si_code in
 * bits 8..15; from kernel mode any non-zero means: take the exception-table path. Interrupts are on.
 */
#define FAULT_WRITE (1U << 0)
#define FAULT_EXEC (1U << 1)
#define FAULT_USER (1U << 2)		/* happened in user mode */
#define FAULT_PRESENT (1U << 3)		/* an entry was there, rights were not */
int mm_handle_fault(struct pt_regs *regs, unsigned long addr, unsigned int flags);

/* alloc/: one zeroed page for a kernel page table, as a direct-map address; NULL when there is none. */
void *pt_alloc_table(void);
/* alloc/: gives back one that was not used after all. */
void pt_free_table(void *table);

/* kernel/: the kernel itself went wrong at REGS: prints, then ends the task or panics. */
void die(const char *what, struct pt_regs *regs, unsigned long error);
/* kernel/: a WARN trap; prints and returns. */
void warn_trap(struct pt_regs *regs, const char *file, int line);
