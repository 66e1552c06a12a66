/* SPDX-License-Identifier: MIT */
/* struct pt_regs is the one of <asm/ptrace.h>: what entry.S pushes. orig_rax is the call number, or -1. */
#pragma once

#include <asm/ptrace.h>

#define ARCH_HAS_SINGLE_STEP
#define ARCH_HAS_PTRACE

#define KERNEL_CS 0x10
#define KERNEL_DS 0x18
#define USER32_CS 0x23
#define USER_DS 0x2b
#define USER_CS 0x33

/* Always inline: who walks the stack of a task that may run reads registers there without the address sanitizer. */
static __always_inline bool user_mode(const struct pt_regs *r) { return r->cs & 3; }
static __always_inline unsigned long regs_ip(const struct pt_regs *r) { return r->rip; }
static inline unsigned long regs_sp(const struct pt_regs *r) { return r->rsp; }
static __always_inline unsigned long regs_fp(const struct pt_regs *r) { return r->rbp; }
static inline void regs_set_ip(struct pt_regs *r, unsigned long v) { r->rip = v; }
static inline void regs_set_sp(struct pt_regs *r, unsigned long v) { r->rsp = v; }
static inline bool regs_irqs_enabled(const struct pt_regs *r) { return r->eflags & X86_EFLAGS_IF; }

static inline void regs_init_user(struct pt_regs *r, unsigned long ip, unsigned long sp)
{
	*r = (struct pt_regs){ .rip = ip, .cs = USER_CS, .eflags = X86_EFLAGS_IF | X86_EFLAGS_FIXED,
			       .rsp = sp, .ss = USER_DS, .orig_rax = (unsigned long)-1 };
}

static inline struct pt_regs *task_stack_regs(void *stack)
{
	return (struct pt_regs *)((char *)stack + THREAD_SIZE) - 1;
}
