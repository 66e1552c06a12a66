/* SPDX-License-Identifier: MIT */
/* What entry.S saves; it begins as the user ABI's struct user_pt_regs. */
#pragma once

#include <asm/ptrace.h>

#define ARCH_HAS_SINGLE_STEP
#define ARCH_ANY_SIGNAL_STACK

#define ARCH_REGSET_UNIT(type) ((type) == NT_ARM_SVE ? 16 : (type) == NT_PRFPREG || (type) == NT_ARM_HW_BREAK || (type) == NT_ARM_HW_WATCH || \
				(type) == NT_ARM_SYSTEM_CALL ? 4 : 8)

struct pt_regs {
	union {
		struct user_pt_regs user;
		struct {
			u64 regs[31];
			u64 sp;
			u64 pc;
			u64 pstate;
		};
	};
	u64 orig_x0;
	s64 syscallno;			/* -1: not in a call */
	u64 frame[2];			/* a frame record: x29 points here in the kernel's entry code */
};

#define PT_REGS_SIZE 304
static_assert(sizeof(struct pt_regs) == PT_REGS_SIZE, "entry.S knows this layout");

/* Always inline: see arch/shared/sched_stacktrace.c, which reads registers without the address sanitizer. */
static __always_inline bool user_mode(const struct pt_regs *r) { return (r->pstate & PSR_MODE_MASK) == PSR_MODE_EL0t; }
static __always_inline unsigned long regs_ip(const struct pt_regs *r) { return r->pc; }
static inline unsigned long regs_sp(const struct pt_regs *r) { return r->sp; }
static __always_inline unsigned long regs_fp(const struct pt_regs *r) { return r->regs[29]; }
static inline void regs_set_ip(struct pt_regs *r, unsigned long v) { r->pc = v; }
static inline void regs_set_sp(struct pt_regs *r, unsigned long v) { r->sp = v; }
static inline bool regs_irqs_enabled(const struct pt_regs *r) { return !(r->pstate & PSR_I_BIT); }

static inline void regs_init_user(struct pt_regs *r, unsigned long ip, unsigned long sp)
{
	*r = (struct pt_regs){ .pc = ip, .sp = sp, .pstate = PSR_MODE_EL0t, .syscallno = -1 };
}

static inline struct pt_regs *task_stack_regs(void *stack)
{
	return (struct pt_regs *)((char *)stack + THREAD_SIZE) - 1;
}
