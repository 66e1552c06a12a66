/* SPDX-License-Identifier: MIT */
/* What arch/shared/sched_stacktrace.c asks: frame records of AAPCS64, 6.4.6. */
#pragma once

#include <arch/ptrace.h>

#define FRAME_RECORD_BELOW 0

typedef u32 code_t;
#define CODE_FORMAT "%08x"
#define CODE_UNKNOWN " ????????"

static __always_inline unsigned long regs_link(const struct pt_regs *r) { return r->regs[30]; }

/* __switch_stacks left x29 and x30 as a record. */
static inline unsigned long stack_of_switch(unsigned long sp) { return sp; }

void show_cpu_regs(const struct pt_regs *r);
