/* SPDX-License-Identifier: MIT */
/* What entry.S saves. The user ABI's structure of this name has other fields; it is <asm/ptrace.h>'s alpha_abi_regs here. */
#pragma once

#define pt_regs alpha_abi_regs
#include <asm/ptrace.h>
#undef pt_regs

struct pt_regs {
	u64 r[32];		/* $0..$28 but $16..$18; $30: the user's stack pointer, or the interrupted kernel's */
	u64 orig_v0, orig_a3;	/* of a call: its results overwrite them */
	s64 syscallno;		/* -1: not in a call */
	u64 trap[3];		/* what PALcode says of an exception */
	u64 ps, pc, gp, a[3];	/* PALcode's frame: $29, $16..$18 */
};

#define PT_REGS_SIZE 352
static_assert(sizeof(struct pt_regs) == PT_REGS_SIZE, "entry.S knows this layout");

#define REG_V0 0
#define REG_FP 15
#define REG_A3 19
#define REG_A4 20
#define REG_RA 26
#define REG_PV 27
#define REG_SP 30
#define PS_USER 8UL
#define PS_IPL 7UL

static inline bool user_mode(const struct pt_regs *r) { return r->ps & PS_USER; }
static inline unsigned long regs_ip(const struct pt_regs *r) { return r->pc; }
static inline unsigned long regs_sp(const struct pt_regs *r) { return r->r[REG_SP]; }
static inline unsigned long regs_fp(const struct pt_regs *r) { return r->r[REG_FP]; }
static inline void regs_set_ip(struct pt_regs *r, unsigned long v) { r->pc = v; }
static inline void regs_set_sp(struct pt_regs *r, unsigned long v) { r->r[REG_SP] = v; }
static inline bool regs_irqs_enabled(const struct pt_regs *r) { return !(r->ps & PS_IPL); }

/* Where register N (0..30) is. */
static inline u64 *regs_general(struct pt_regs *r, unsigned int n)
{
	return n == 29 ? &r->gp : n >= 16 && n <= 18 ? &r->a[n - 16] : &r->r[n];
}

/* $27 says where a program begins. */
static inline void regs_init_user(struct pt_regs *r, unsigned long ip, unsigned long sp)
{
	*r = (struct pt_regs){ .pc = ip, .r[REG_SP] = sp, .r[REG_PV] = ip, .ps = PS_USER, .syscallno = -1 };
}

static inline struct pt_regs *task_stack_regs(void *stack)
{
	return (struct pt_regs *)((char *)stack + THREAD_SIZE - STACK_TOP_WORDS) - 1;
}
