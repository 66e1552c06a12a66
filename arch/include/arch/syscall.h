/* SPDX-License-Identifier: MIT */
/*
 * A system call in the saved registers. A CPU gives, in <arch_cpu/syscall.h>:
 *   long arch_syscall_nr(regs)                     -1: not in a call
 *   void arch_syscall_set_nr(regs, nr)
 *   unsigned long arch_syscall_arg(regs, i)        i = 0..5
 *   void arch_syscall_set_arg(regs, i, v)
 *   long arch_syscall_ret(regs), void arch_syscall_set_ret(regs, v)
 *   void arch_syscall_restart(regs)                the call runs again with the same arguments
 *   void arch_syscall_restart_block(regs)          restart_syscall runs instead
 *   void arch_syscall_forget(regs)                 no restart any more (sigreturn)
 *   ARCH_NO_SHADOW_STACK                           errno of map_shadow_stack(2), where ENOSYS is not what Linux answers on a CPU without them
 *   ARCH_HAS_RET2, void arch_syscall_set_ret2(regs, v)   where some calls have a second result in a register of its own
 */
#pragma once

#include <arch/ptrace.h>
#include <arch_cpu/syscall.h>

#ifndef ARCH_NO_SHADOW_STACK
#define ARCH_NO_SHADOW_STACK ENOSYS
#endif
