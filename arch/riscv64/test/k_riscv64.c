// SPDX-License-Identifier: MIT
#include <arch/irqflags.h>
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
