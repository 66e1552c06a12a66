/* SPDX-License-Identifier: MIT */
/* a7: number; a0..a5: arguments; a0: result. The instruction is four bytes long. */
#pragma once

#include <asm/unistd.h>
#include <linux/audit.h>

#define ARCH_AUDIT AUDIT_ARCH_RISCV64
#define ARCH_NO_SHADOW_STACK EOPNOTSUPP	/* some CPUs of the kind have them */

static inline long arch_syscall_nr(const struct pt_regs *r) { return r->syscallno; }
static inline void arch_syscall_set_nr(struct pt_regs *r, long nr) { r->syscallno = nr; }
static inline long arch_syscall_ret(const struct pt_regs *r) { return (long)r->a0; }
static inline void arch_syscall_set_ret(struct pt_regs *r, long v) { r->a0 = (unsigned long)v; }
static inline void arch_syscall_forget(struct pt_regs *r) { r->syscallno = -1; }

static inline unsigned long arch_syscall_arg(const struct pt_regs *r, unsigned int i)
{
	return i == 0 ? r->orig_a0 : i < 6 ? (&r->a0)[i] : 0;
}

static inline void arch_syscall_set_arg(struct pt_regs *r, unsigned int i, unsigned long v)
{
	if (i == 0)
		r->orig_a0 = v;
	if (i < 6)
		(&r->a0)[i] = v;
}

static inline void arch_syscall_restart(struct pt_regs *r)
{
	r->a0 = r->orig_a0;
	r->pc -= 4;
}

static inline void arch_syscall_restart_block(struct pt_regs *r)
{
	r->a7 = __NR_restart_syscall;
	r->pc -= 4;
}
