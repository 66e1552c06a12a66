/* SPDX-License-Identifier: MIT */
/*
 * The saved registers of an interrupted context: struct pt_regs is the CPU's user ABI one. Generic code uses
 *   bool user_mode(regs), unsigned long regs_ip regs_sp regs_fp(regs), void regs_set_ip regs_set_sp(regs, v),
 *   bool regs_irqs_enabled(regs),
 *   void regs_init_user(regs, ip, sp)       a fresh program's registers (exec)
 *   task_stack_regs(stack_base)             user registers at the top of a kernel stack
 *   ARCH_HAS_SINGLE_STEP                    defined where the CPU can stop after one instruction
 * and for ptrace: arch_user_regs_get/put between pt_regs and the ABI's register set (struct user_regs_struct).
 */
#pragma once

#include <lib/types.h>
#include <abi/errno.h>
#include <arch/page.h>
#include <arch_cpu/ptrace.h>

struct task;

/* PTRACE_GETREGSET and SETREGSET move whole registers of a set: how many bytes each has. */
#ifndef ARCH_REGSET_UNIT
#define ARCH_REGSET_UNIT(type) 8
#endif

/* NT_PRSTATUS and NT_PRFPREG style sets; LEN in bytes. Return bytes or -errno. The task is stopped or current. */
int arch_regset_get(struct task *task, unsigned int type, void *buf, size_t len);
int arch_regset_set(struct task *task, unsigned int type, const void *buf, size_t len);
size_t arch_regset_size(unsigned int type);
/* PTRACE_PEEKUSER, PTRACE_POKEUSER by byte offset; -EIO for what there is not. */
int arch_peek_user(struct task *task, unsigned long off, unsigned long *val);
int arch_poke_user(struct task *task, unsigned long off, unsigned long val);
#ifdef ARCH_HAS_PTRACE
/* A request that this CPU alone has, of a stopped task; -EIO for those that it has not. */
long arch_ptrace(struct task *task, long request, unsigned long addr, unsigned long data);
#else
static inline long arch_ptrace(struct task *task, long request, unsigned long addr, unsigned long data) { return -EIO; }
#endif
void arch_set_single_step(struct task *task, bool on);
/* The task is being stepped: not shown among its registers' flags. */
void arch_set_single_step_flag(struct task *task, bool on);
