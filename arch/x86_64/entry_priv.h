/* SPDX-License-Identifier: MIT */
/* C functions that only entry.S and head.S call. */
#pragma once

#include <lib/types.h>

struct pt_regs;
struct task;

void x86_exit_to_user(struct pt_regs *regs);
void x86_trap_user(struct pt_regs *regs, unsigned long vector);
void x86_trap_kernel(struct pt_regs *regs, unsigned long vector);
void x86_trap_ist(struct pt_regs *regs, unsigned long vector);
struct pt_regs *x86_bad_iret(struct pt_regs *frame, unsigned long vector);
void x86_nmi(struct pt_regs *regs, unsigned long vector);
u64 x86_randomize(u32 protocol, phys_addr_t params);
void __noreturn x86_start(u32 protocol, phys_addr_t params);
void __noreturn x86_secondary_start(unsigned int cpu);
struct task *__switch_stacks(struct task *prev, unsigned long *save_sp, unsigned long load_sp);
void ret_from_fork(void);
