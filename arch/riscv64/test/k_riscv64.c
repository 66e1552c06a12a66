// SPDX-License-Identifier: MIT
#include <abi/syscalls.h>
#include <arch/irqflags.h>
#include <arch/mmu.h>
#include <kernel/cpumask.h>
#include <kernel/ktest.h>
#include "arch/riscv64/rv_priv.h"

/* The entropy source answers where there is one, and asking where there is none is no fault. */
KTEST(riscv64_cpu_seed)
{
	unsigned long flags = arch_irq_save(), vec = csr_read(stvec);
	u64 v = rv_read_seed();

	KT_EQ(csr_read(stvec), vec);
	arch_irq_restore(flags);
	KT_ASSERT(rv_has(RV_EXT_ZKR) || !v);
}

/* Who writes instructions stops the CPUs that run its space, and no others. */
KTEST(riscv64_icache_of_one_space)
{
	unsigned long flags;
	unsigned int before, after;
	struct arch_mm mm;
	long r;

	if (num_online_cpus() == 1)
		KT_SKIP("one CPU");
	KT_EQ(arch_mm_init(&mm), 0);
	flags = arch_irq_save();
	arch_switch_mm(NULL, &mm, NULL);
	before = this_cpu_read(rv_fences);
	r = sys_riscv_flush_icache(0, 0, 0);
	after = this_cpu_read(rv_fences);
	arch_switch_kernel_mm();
	arch_irq_restore(flags);
	arch_mm_destroy(&mm);
	KT_EQ(r, 0);
	KT_EQ(after, before);
}
