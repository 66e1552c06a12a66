/* SPDX-License-Identifier: MIT */
/*
 * v0: number; a0..a5: arguments. v0: result, or the errno as a positive number where a3 is not 0; some calls have a second result in a4. The
 * instruction is four bytes long.
 */
#pragma once

#include <asm/unistd.h>
#include <linux/audit.h>

#define ARCH_AUDIT AUDIT_ARCH_ALPHA
#define ARCH_STAT_SECONDS		/* struct stat of this ABI has no nanoseconds */
#define SYSCALL_ERRNO_MAX 4095
/* Who returns from a handler is the fifth argument of rt_sigaction. */
#define ARCH_SIGACTION_RESTORER() arch_syscall_arg(task_pt_regs(current), 4)

static inline long arch_syscall_nr(const struct pt_regs *r) { return (long)r->syscallno; }
static inline void arch_syscall_set_nr(struct pt_regs *r, long nr) { r->syscallno = nr; }
static inline void arch_syscall_forget(struct pt_regs *r) { r->syscallno = -1; }

static inline long arch_syscall_ret(const struct pt_regs *r)
{
	return r->r[REG_A3] ? -(long)r->r[REG_V0] : (long)r->r[REG_V0];
}

static inline void arch_syscall_set_ret(struct pt_regs *r, long v)
{
	bool failed = v < 0 && v >= -SYSCALL_ERRNO_MAX;

	r->r[REG_V0] = (u64)(failed ? -v : v);
	r->r[REG_A3] = failed;
}

static inline void arch_syscall_set_second(struct pt_regs *r, unsigned long v)
{
	r->r[REG_A4] = v;
}

static inline unsigned long arch_syscall_arg(const struct pt_regs *r, unsigned int i)
{
	return i < 3 ? r->a[i] : i == 3 ? r->orig_a3 : i < 6 ? r->r[REG_A3 + i - 3] : 0;
}

static inline void arch_syscall_set_arg(struct pt_regs *r, unsigned int i, unsigned long v)
{
	if (i < 3)
		r->a[i] = v;
	else if (i == 3)
		r->orig_a3 = v;
	else if (i < 6)
		r->r[REG_A3 + i - 3] = v;
}

static inline void arch_syscall_restart(struct pt_regs *r)
{
	r->r[REG_V0] = r->orig_v0;
	r->r[REG_A3] = r->orig_a3;
	r->pc -= 4;
}

static inline void arch_syscall_restart_block(struct pt_regs *r)
{
	r->r[REG_V0] = __NR_restart_syscall;
	r->r[REG_A3] = r->orig_a3;
	r->pc -= 4;
}
