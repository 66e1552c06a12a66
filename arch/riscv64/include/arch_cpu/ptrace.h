/* SPDX-License-Identifier: MIT */
/* What entry.S saves; it begins as the user ABI's struct user_regs_struct. */
#pragma once

#include <asm/ptrace.h>

#define SR_SPIE (1UL << 5)
#define SR_SPP (1UL << 8)
#define SR_VS (3UL << 9)
#define SR_VS_INITIAL (1UL << 9)
#define SR_VS_CLEAN (2UL << 9)
#define SR_FS (3UL << 13)
#define SR_FS_INITIAL (1UL << 13)
#define SR_FS_CLEAN (2UL << 13)
#define SR_SUM (1UL << 18)
#define SR_UXL_64 (2UL << 32)

#define ARCH_REGSET_UNIT(type) ((type) == NT_RISCV_VECTOR ? 4 : 8)

struct pt_regs {
	union {
		struct user_regs_struct user;
		struct {
			unsigned long pc, ra, sp, gp, tp, t0, t1, t2, s0, s1, a0, a1, a2, a3, a4, a5, a6, a7;
			unsigned long s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6;
		};
	};
	unsigned long status;		/* sstatus */
	unsigned long badaddr;		/* stval */
	unsigned long cause;		/* scause */
	unsigned long orig_a0;
	long syscallno;			/* -1: not in a call */
	unsigned long pad;
	unsigned long frame[2];		/* a frame record, {s0, ra} below where s0 points: the end of this structure */
};

#define PT_REGS_SIZE 320
static_assert(sizeof(struct pt_regs) == PT_REGS_SIZE, "entry.S knows this layout");

/* Always inline: see arch/shared/sched_stacktrace.c, which reads registers without the address sanitizer. */
static __always_inline bool user_mode(const struct pt_regs *r) { return !(r->status & SR_SPP); }
static __always_inline unsigned long regs_ip(const struct pt_regs *r) { return r->pc; }
static inline unsigned long regs_sp(const struct pt_regs *r) { return r->sp; }
static __always_inline unsigned long regs_fp(const struct pt_regs *r) { return r->s0; }
static inline void regs_set_ip(struct pt_regs *r, unsigned long v) { r->pc = v; }
static inline void regs_set_sp(struct pt_regs *r, unsigned long v) { r->sp = v; }
static inline bool regs_irqs_enabled(const struct pt_regs *r) { return r->status & SR_SPIE; }

/* The vector unit stays off until its first use (sched_vector.c). */
static inline void regs_init_user(struct pt_regs *r, unsigned long ip, unsigned long sp)
{
	*r = (struct pt_regs){ .pc = ip, .sp = sp, .status = SR_SPIE | SR_FS_INITIAL | SR_UXL_64, .syscallno = -1 };
}

static inline struct pt_regs *task_stack_regs(void *stack)
{
	return (struct pt_regs *)((char *)stack + THREAD_SIZE) - 1;
}
