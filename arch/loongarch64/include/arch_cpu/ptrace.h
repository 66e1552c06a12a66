/* SPDX-License-Identifier: MIT */
/* What entry.S saves; it begins as the user ABI's struct user_pt_regs. */
#pragma once

#include <asm/ptrace.h>

#define ARCH_REGSET_UNIT(type) ((type) == NT_LOONGARCH_CPUCFG ? 4 : (type) == NT_LOONGARCH_LSX ? 16 : (type) == NT_LOONGARCH_LASX ? 32 : 8)

struct pt_regs {
	u64 regs[32];
	u64 orig_a0;
	u64 era;
	u64 badv;		/* of exceptions alone */
	u64 prmd;
	u64 estat;		/* of exceptions alone */
	s64 syscallno;		/* -1: not in a call */
	u64 frame[2];		/* a frame record: the caller's frame pointer, where it goes on; $fp points behind it in the kernel's entry code */
};

#define PT_REGS_SIZE 320
static_assert(sizeof(struct pt_regs) == PT_REGS_SIZE, "entry.S knows this layout");

#define REG_RA 1
#define REG_TP 2
#define REG_SP 3
#define REG_A0 4
#define REG_A7 11
#define REG_FP 22
#define PRMD_PPLV 3UL
#define PRMD_PIE 4UL
#define PRMD_USER (PRMD_PPLV | PRMD_PIE)

/* Always inline: see arch/shared/sched_stacktrace.c, which reads registers without the address sanitizer. */
static __always_inline bool user_mode(const struct pt_regs *r) { return r->prmd & PRMD_PPLV; }
static __always_inline unsigned long regs_ip(const struct pt_regs *r) { return r->era; }
static inline unsigned long regs_sp(const struct pt_regs *r) { return r->regs[REG_SP]; }
static __always_inline unsigned long regs_fp(const struct pt_regs *r) { return r->regs[REG_FP]; }
static inline void regs_set_ip(struct pt_regs *r, unsigned long v) { r->era = v; }
static inline void regs_set_sp(struct pt_regs *r, unsigned long v) { r->regs[REG_SP] = v; }
static inline bool regs_irqs_enabled(const struct pt_regs *r) { return r->prmd & PRMD_PIE; }

static inline void regs_init_user(struct pt_regs *r, unsigned long ip, unsigned long sp)
{
	*r = (struct pt_regs){ .era = ip, .regs[REG_SP] = sp, .prmd = PRMD_USER, .syscallno = -1 };
}

static inline struct pt_regs *task_stack_regs(void *stack)
{
	return (struct pt_regs *)((char *)stack + THREAD_SIZE) - 1;
}
