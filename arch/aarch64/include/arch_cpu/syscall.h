/* SPDX-License-Identifier: MIT */
/* x8: number; x0..x5: arguments; x0: result. The instruction is four bytes long. */
#pragma once

#include <asm/unistd.h>
#include <linux/audit.h>

#define ARCH_AUDIT AUDIT_ARCH_AARCH64
#define ARCH_NO_SHADOW_STACK EOPNOTSUPP	/* some CPUs of the kind have them */

static inline long arch_syscall_nr(const struct pt_regs *r) { return (long)r->syscallno; }
static inline void arch_syscall_set_nr(struct pt_regs *r, long nr) { r->syscallno = nr; }
static inline long arch_syscall_ret(const struct pt_regs *r) { return (long)r->regs[0]; }
static inline void arch_syscall_set_ret(struct pt_regs *r, long v) { r->regs[0] = (u64)v; }
static inline void arch_syscall_forget(struct pt_regs *r) { r->syscallno = -1; }

static inline unsigned long arch_syscall_arg(const struct pt_regs *r, unsigned int i)
{
	return i == 0 ? r->orig_x0 : i < 6 ? r->regs[i] : 0;
}

static inline void arch_syscall_set_arg(struct pt_regs *r, unsigned int i, unsigned long v)
{
	if (i == 0)
		r->orig_x0 = v;
	if (i < 6)
		r->regs[i] = v;
}

static inline void arch_syscall_restart(struct pt_regs *r)
{
	r->regs[0] = r->orig_x0;
	r->pc -= 4;
}

static inline void arch_syscall_restart_block(struct pt_regs *r)
{
	r->regs[8] = __NR_restart_syscall;
	r->pc -= 4;
}
