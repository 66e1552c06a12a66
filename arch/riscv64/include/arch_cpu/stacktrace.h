/* SPDX-License-Identifier: MIT */
/* What arch/shared/sched_stacktrace.c asks: frame records of the psABI, 2.3.1, which s0 points behind. */
#pragma once

#include <arch/ptrace.h>

#define FRAME_RECORD_BELOW 16

typedef u16 code_t;
#define CODE_FORMAT "%04x"
#define CODE_UNKNOWN " ????"

static __always_inline unsigned long regs_link(const struct pt_regs *r) { return r->ra; }

/* What __switch_stacks left ends with a record. */
static inline unsigned long stack_of_switch(unsigned long sp) { return sp + 112; }

void show_cpu_regs(const struct pt_regs *r);
