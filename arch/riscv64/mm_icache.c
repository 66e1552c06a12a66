// SPDX-License-Identifier: MIT
/* Instructions that were written, on the CPUs that may have fetched what was there before. */
#include <arch/mmu.h>
#include <arch/barrier.h>
#include <kernel/cpumask.h>
#include <kernel/preempt.h>
#include <arch_cpu/tlb.h>
#include "arch/shared/tlb.h"

/* Raised when a program says that it wrote instructions, or a fault found a page executable; a CPU that loads a space and lags behind fetches anew. */
static u32 code_gen;		/* atomic */
static DEFINE_PER_CPU(u32, seen_code_gen);

void tlb_switched(void)
{
	u32 now = __atomic_load_n(&code_gen, __ATOMIC_ACQUIRE);

	if (this_cpu_read(seen_code_gen) != now) {
		__this_cpu_write(seen_code_gen, now);
		__asm__ volatile("fence.i" : : : "memory");
	}
}

void rv_sync_icache(void)
{
	struct cpumask others;
	struct arch_mm *mm;

	preempt_disable();
	mm = tlb_loaded();
	cpumask_clear(&others);
	if (mm) {
		__atomic_add_fetch(&code_gen, 1, __ATOMIC_SEQ_CST);
		for (unsigned int w = 0; w < nr_cpu_words; w++)
			others.bits[w] = __atomic_load_n(&mm->cpus[w], __ATOMIC_SEQ_CST);
		__cpumask_clear_cpu(arch_cpu_number(), &others);
		if (!cpumask_empty(&others)) {
			__asm__ volatile("fence rw, rw" : : : "memory");	/* what was written, before others are told */
			rv_sbi_fence_i(&others);
		}
	}
	tlb_switched();
	preempt_enable();
}
