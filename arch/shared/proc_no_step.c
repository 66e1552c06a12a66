// SPDX-License-Identifier: MIT
/* The CPU cannot stop after one instruction: PTRACE_SINGLESTEP is refused. */
#include <arch/ptrace.h>

void arch_set_single_step_flag(struct task *task, bool on)
{
}

void arch_set_single_step(struct task *task, bool on)
{
}
