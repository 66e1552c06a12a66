/* SPDX-License-Identifier: MIT */
/* %g1: number; %o0..%o5: arguments; %o0: result, or the error number with the carry bits set. The instruction is four bytes long. */
#pragma once

#include <asm/unistd.h>
#include <linux/audit.h>

#define ARCH_AUDIT AUDIT_ARCH_SPARC64
#define ARCH_STAT_SECONDS		/* struct stat has no nanoseconds */

static inline long arch_syscall_nr(const struct pt_regs *r) { return (long)regs_frame(r)->syscallno; }
static inline void arch_syscall_set_nr(struct pt_regs *r, long nr) { regs_frame(r)->syscallno = nr; }
static inline void arch_syscall_forget(struct pt_regs *r) { regs_frame(r)->syscallno = -1; }

static inline long arch_syscall_ret(const struct pt_regs *r)
{
	return r->tstate & REGS_TSTATE_CARRY ? -(long)r->u_regs[REG_O0] : (long)r->u_regs[REG_O0];
}

static inline void arch_syscall_set_ret(struct pt_regs *r, long v)
{
	bool err = (unsigned long)v >= -4095UL;

	r->u_regs[REG_O0] = (unsigned long)(err ? -v : v);
	r->tstate = err ? r->tstate | REGS_TSTATE_CARRY : r->tstate & ~REGS_TSTATE_CARRY;
}

/* The second of two results, in %o1: pipe's, fork's. */
#define ARCH_HAS_RET2
static inline void arch_syscall_set_ret2(struct pt_regs *r, long v) { r->u_regs[REG_O1] = (unsigned long)v; }

static inline unsigned long arch_syscall_arg(const struct pt_regs *r, unsigned int i)
{
	return i == 0 ? regs_frame(r)->orig_o0 : i < 6 ? r->u_regs[REG_O0 + i] : 0;
}

static inline void arch_syscall_set_arg(struct pt_regs *r, unsigned int i, unsigned long v)
{
	if (i == 0)
		regs_frame(r)->orig_o0 = v;
	if (i < 6)
		r->u_regs[REG_O0 + i] = v;
}

static inline void arch_syscall_restart(struct pt_regs *r)
{
	r->u_regs[REG_O0] = regs_frame(r)->orig_o0;
	r->tnpc = r->tpc;
	r->tpc -= 4;
}

static inline void arch_syscall_restart_block(struct pt_regs *r)
{
	r->u_regs[REG_G1] = __NR_restart_syscall;
	r->tnpc = r->tpc;
	r->tpc -= 4;
}
