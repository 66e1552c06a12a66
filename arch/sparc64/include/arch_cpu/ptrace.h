/* SPDX-License-Identifier: MIT */
/* The user ABI's struct pt_regs, and what the kernel keeps behind it. The window that trapped is elsewhere (sched_window.c). */
#pragma once

#include <asm/ptrace.h>

struct trap_frame {
	struct pt_regs regs;
	u64 fault_addr;		/* of MMU misses and protection alone */
	u64 orig_o0;
	s64 syscallno;		/* -1: not in a call */
	u64 pad;
};

#define TRAP_FRAME_SIZE 192
static_assert(sizeof(struct trap_frame) == TRAP_FRAME_SIZE, "entry.S knows this layout");

#define REG_G1 1
#define REG_G7 7
#define REG_O0 8
#define REG_O1 9
#define REG_SP 14
#define REG_O7 15
#define STACK_BIAS 2047
#define STACK_FRAME 176			/* a window, and room for six arguments */
#define REGS_TSTATE_PRIV 0x400UL
#define REGS_TSTATE_IE 0x200UL
#define REGS_TSTATE_PEF (1UL << 12)	/* not a page */
#define REGS_TSTATE_CARRY (0x11ULL << 32)

static inline struct trap_frame *regs_frame(const struct pt_regs *r) { return (struct trap_frame *)(unsigned long)r; }
static inline unsigned int regs_trap(const struct pt_regs *r) { return r->magic & 0x1ff; }
static inline bool user_mode(const struct pt_regs *r) { return !(r->tstate & REGS_TSTATE_PRIV); }
static inline unsigned long regs_ip(const struct pt_regs *r) { return r->tpc; }
/* Where the stack lies in memory, without the bias; signals and ptrace look at the register itself. */
static inline unsigned long regs_sp(const struct pt_regs *r) { return r->u_regs[REG_SP] + STACK_BIAS; }
static inline unsigned long regs_fp(const struct pt_regs *r) { return r->u_regs[REG_SP]; }
static inline void regs_set_ip(struct pt_regs *r, unsigned long v) { r->tpc = v; r->tnpc = v + 4; }
static inline void regs_set_sp(struct pt_regs *r, unsigned long v) { r->u_regs[REG_SP] = v - STACK_BIAS; }
static inline bool regs_irqs_enabled(const struct pt_regs *r) { return r->tstate & REGS_TSTATE_IE; }

/* A program begins with a window's room below its arguments, as the ABI has it. */
static inline void regs_init_user(struct pt_regs *r, unsigned long ip, unsigned long sp)
{
	struct trap_frame *f = regs_frame(r);

	*f = (struct trap_frame){ .regs.tpc = ip, .regs.tnpc = ip + 4, .regs.tstate = REGS_TSTATE_IE | REGS_TSTATE_PEF | 0x82ULL << 24,
				  .regs.magic = PT_REGS_MAGIC, .syscallno = -1 };
	r->u_regs[REG_SP] = sp - 128 - STACK_BIAS;
}

static inline struct pt_regs *task_stack_regs(void *stack)
{
	return &((struct trap_frame *)((char *)stack + THREAD_SIZE) - 1)->regs;
}
