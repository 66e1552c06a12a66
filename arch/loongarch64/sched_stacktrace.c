// SPDX-License-Identifier: MIT
/* What a crash shows of the CPU. */
#include <arch/ptrace.h>
#include <kernel/printk.h>
#include <arch_cpu/stacktrace.h>
#include "arch/loongarch64/la64_priv.h"

#ifdef CONFIG_KASAN
/* By pages, unlike the CPUs' areas: <arch_cpu/kasan.h>. The others' are made when they are started. */
static char boot_overflow_stack[OVERFLOW_STACK_SIZE] __aligned(16);
char *overflow_stacks[NR_CPUS] __ro_after_init = { boot_overflow_stack };
#else
DEFINE_PER_CPU_ALIGNED(char, overflow_stack[OVERFLOW_STACK_SIZE]);
#endif

void show_cpu_regs(const struct pt_regs *r)
{
	static const char *const names[] = {
		"zero", "ra", "tp", "sp", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "t0", "t1", "t2", "t3",
		"t4", "t5", "t6", "t7", "t8", "u0", "fp", "s9", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7",
	};

	pr_emerg("pc : %016llx ra : %016llx sp : %016llx prmd: %llx\n", r->era, r->regs[REG_RA], r->regs[REG_SP], r->prmd);
	for (int i = 0; i < 32; i += 4)
		pr_emerg("%-4s: %016llx %-3s: %016llx %-3s: %016llx %-3s: %016llx\n", names[i], r->regs[i], names[i + 1], r->regs[i + 1],
			 names[i + 2], r->regs[i + 2], names[i + 3], r->regs[i + 3]);
	pr_emerg("ESTAT: %08llx BADV: %016llx PGDL: %016llx ASID: %llx\n", r->estat, r->badv, csr_read(CSR_PGDL), csr_read(CSR_ASID) & 0x3ff);
}
