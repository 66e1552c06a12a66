/* SPDX-License-Identifier: MIT */
/* The doors between user and kernel mode; what they call is in <arch/upcalls.h>. */
#pragma once

#include <arch/upcalls.h>
#include <arch/ptrace.h>

/* The last steps to user mode of a task whose registers are ready (used once, to start the first program). */
void __noreturn arch_return_to_user(struct pt_regs *regs);
