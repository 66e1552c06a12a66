// SPDX-License-Identifier: MIT
/* What a crash shows of the CPU. */
#include <arch/ptrace.h>
#include <kernel/printk.h>
#include <arch_cpu/stacktrace.h>
#include "arch/riscv64/rv_priv.h"

DEFINE_PER_CPU_ALIGNED(char, overflow_stack[OVERFLOW_STACK_SIZE]);

void show_cpu_regs(const struct pt_regs *r)
{
	static const char *const names[] = {
		"pc", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3",
		"s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
	};
	const unsigned long *v = &r->pc;

	for (unsigned int i = 0; i < 32; i += 4)
		pr_emerg("%-3s: %016lx %-3s: %016lx %-3s: %016lx %-3s: %016lx\n", names[i], v[i], names[i + 1], v[i + 1], names[i + 2],
			 v[i + 2], names[i + 3], v[i + 3]);
	pr_emerg("status: %016lx cause: %016lx badaddr: %016lx satp: %016lx\n", r->status, r->cause, r->badaddr, csr_read(satp));
}
