/* SPDX-License-Identifier: MIT */
/* Restartable sequences (rseq(2)). */
#pragma once

#include <lib/types.h>
#include <sched/task.h>

struct pt_regs;
struct uptr;

/* What AT_RSEQ_FEATURE_SIZE tells: the fields that are kept up to date. */
#define RSEQ_FEATURES 33		/* 32 has another meaning (<linux/rseq.h>) */
#define RSEQ_ALIGN 64		/* of an area that is longer than RSEQ_ORIG_SIZE */
#define RSEQ_ORIG_SIZE 32

/* SLICES: may slices be extended from the start? */
long rseq_register(struct uptr area, u32 len, u32 sig, bool slices);
long rseq_unregister(struct uptr area, u32 len, u32 sig);
/* The task is about to run in user mode after it was switched, or after a signal is set up: a sequence that was cut starts anew. */
void rseq_return_to_user(struct pt_regs *regs);
void rseq_signal(struct pt_regs *regs);

/* ---- extended slices (rseq_slice.c) ---- */

/* The running task is to be scheduled away on its way to user mode, and nothing else is to be done: may it go on for a moment? It asks by slice_ctrl.request. */
bool rseq_extend_slice(struct pt_regs *regs);
/* What was granted is over; also where nothing was. May sleep. */
void rseq_end_slice(void);
/* The same at the beginning of system call NR. */
void rseq_slice_syscall(long nr);
/* rseq_slice_yield(2): 1 if it gave something back. */
long rseq_slice_yielded(void);
long rseq_slice_get(void);
/* -ENXIO: no area; -EFAULT and SIGSEGV: the area's flags are not what they should be. */
long rseq_slice_set(bool on);
/* No area any more: exec, unregister. */
void rseq_slice_forget(struct task *t);
