/* SPDX-License-Identifier: MIT */
/* Restartable sequences (rseq(2)). */
#pragma once

#include <lib/types.h>
#include <sched/task.h>

struct pt_regs;
struct uptr;

/* What AT_RSEQ_FEATURE_SIZE tells: the fields that are kept up to date. */
#define RSEQ_FEATURES 28
#define RSEQ_ALIGN 32

long rseq_register(struct uptr area, u32 len, u32 sig);
long rseq_unregister(struct uptr area, u32 len, u32 sig);
/* The task is about to run in user mode after it was switched, or after a signal is set up: a sequence that was cut starts anew. */
void rseq_return_to_user(struct pt_regs *regs);
void rseq_signal(struct pt_regs *regs);
