// SPDX-License-Identifier: MIT
/* What a crash shows of the CPU. */
#include <arch/ptrace.h>
#include <kernel/printk.h>
#include <arch_cpu/stacktrace.h>
#include "arch/aarch64/a64_priv.h"

void show_cpu_regs(const struct pt_regs *r)
{
	pr_emerg("pc : %016llx lr : %016llx sp : %016llx pstate: %08llx\n", r->pc, r->regs[30], r->sp, r->pstate);
	for (int i = 29; i >= 0; i -= 3)
		pr_emerg("x%-2d: %016llx x%-2d: %016llx x%-2d: %016llx\n", i, r->regs[i], i - 1, r->regs[i - 1], i - 2,
			 r->regs[i - 2]);
	pr_emerg("ESR: %08llx FAR: %016llx TTBR0: %016llx\n", read_sysreg(esr_el1), read_sysreg(far_el1), read_sysreg(ttbr0_el1));
}
