/* SPDX-License-Identifier: MIT */
/* What arch/shared/sched_stacktrace.c asks: $fp is the caller's stack pointer, the record lies below it. */
#pragma once

#include <arch/ptrace.h>
#include <arch/switch.h>
#include "arch/loongarch64/la64_priv.h"

#define FRAME_RECORD_BELOW 16

typedef u32 code_t;
#define CODE_FORMAT "%08x"
#define CODE_UNKNOWN " ????????"

static __always_inline unsigned long regs_link(const struct pt_regs *r) { return r->regs[REG_RA]; }

/* struct switch_frame ends in a record. */
static inline unsigned long stack_of_switch(unsigned long sp) { return sp + sizeof(struct switch_frame); }

void show_cpu_regs(const struct pt_regs *r);
