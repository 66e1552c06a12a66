// SPDX-License-Identifier: MIT
/*
 * Register windows of programs. The CPU has eight in a ring; what a program's calls left there when it entered the kernel stays until the kernel
 * needs the place, then goes to the task (entry.S), never to the program's stack, which may not be there. On the way out, and when somebody
 * looks at that stack (signals, fork, ptrace), it is written there. A window's place is its own stack pointer plus the bias.
 */
#include <arch/uaccess.h>
#include <arch/irqflags.h>
#include <sched/task.h>
#include "arch/sparc64/sparc_priv.h"

bool sparc_windows_kept(void)
{
	return trap_block.next_spilled != current->thread.spilled;
}

/* Interrupts may come and tasks may be switched meanwhile: both only add windows, and none does while this is the running task's last. */
bool sparc_windows_to_user(void)
{
	struct arch_spilled *s = current->thread.spilled;
	unsigned int n;
	bool ok = true;

	__asm__ volatile("flushw" : : : "memory");
	n = (unsigned int)(trap_block.next_spilled - s);
	for (unsigned int i = 0; i < n; i++)
		if ((s[i].sp & 15) != 1 || arch_copy_to_user(UPTR(s[i].sp + STACK_BIAS), &s[i].w, sizeof(s[i].w)))
			ok = false;
	trap_block.next_spilled = s;
	return ok;
}

void sparc_forget_windows(void)
{
	__asm__ volatile("flushw" : : : "memory");
	trap_block.next_spilled = current->thread.spilled;
}

bool sparc_window_from_user(const struct pt_regs *regs)
{
	u64 sp = regs->u_regs[REG_SP];

	return (sp & 15) == 1 && !arch_copy_from_user(&current->thread.window, UPTR(sp + STACK_BIAS), sizeof(current->thread.window));
}
