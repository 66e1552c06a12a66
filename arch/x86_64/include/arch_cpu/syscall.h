/* SPDX-License-Identifier: MIT */
/* rax: number and result; rdi, rsi, rdx, r10, r8, r9: arguments; the instruction is two bytes long. */
#pragma once

#include <asm/unistd.h>
#include <linux/audit.h>

#define ARCH_AUDIT AUDIT_ARCH_X86_64
#define ARCH_NO_SHADOW_STACK EOPNOTSUPP	/* some CPUs of the kind have them */

/* The number is a signed half of the register (as eax, whatever is above). */
static inline long arch_syscall_nr(const struct pt_regs *r) { return (int)r->orig_rax; }
static inline void arch_syscall_set_nr(struct pt_regs *r, long nr) { r->orig_rax = (unsigned long)nr; }
static inline long arch_syscall_ret(const struct pt_regs *r) { return (long)r->rax; }
static inline void arch_syscall_set_ret(struct pt_regs *r, long v) { r->rax = (unsigned long)v; }
static inline void arch_syscall_forget(struct pt_regs *r) { r->orig_rax = (unsigned long)-1; }

static inline unsigned long arch_syscall_arg(const struct pt_regs *r, unsigned int i)
{
	switch (i) {
	case 0: return r->rdi;
	case 1: return r->rsi;
	case 2: return r->rdx;
	case 3: return r->r10;
	case 4: return r->r8;
	case 5: return r->r9;
	}
	return 0;
}

static inline void arch_syscall_set_arg(struct pt_regs *r, unsigned int i, unsigned long v)
{
	switch (i) {
	case 0: r->rdi = v; break;
	case 1: r->rsi = v; break;
	case 2: r->rdx = v; break;
	case 3: r->r10 = v; break;
	case 4: r->r8 = v; break;
	case 5: r->r9 = v; break;
	}
}

static inline void arch_syscall_restart(struct pt_regs *r)
{
	r->rax = r->orig_rax;
	r->rip -= 2;
}

static inline void arch_syscall_restart_block(struct pt_regs *r)
{
	r->rax = __NR_restart_syscall;
	r->rip -= 2;
}
