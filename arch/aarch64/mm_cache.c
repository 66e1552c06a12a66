// SPDX-License-Identifier: MIT
/*
 * Instruction caches. What was written is fetched as code only after it reached the point where data and instruction caches meet,
 * and old copies of it left the latter (Arm ARM, B2.7.4.2); CTR_EL0 says which of the two steps a CPU does itself. User pages: an
 * entry that may execute is born without the right (UXN) where a step is left to us, and the first fetch from it faults, cleans
 * the page and gives the right (mm_fault.c), so data that nobody executes costs nothing. Programs that write
 * code themselves do these steps, which EL0 may (SCTLR_EL1.UCI, UCT).
 */
#include <arch/mmu.h>
#include <arch/patch.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include "arch/aarch64/a64_priv.h"

#define CTR_IDC (1UL << 28)	/* data caches need no cleaning */
#define CTR_DIC (1UL << 29)	/* instruction caches need no invalidation */
#define CTR_L1IP_PIPT 3		/* a line is found at each of its addresses */

bool a64_fetch_coherent __ro_after_init;
static u64 ctr __ro_after_init;

void __init a64_detect_caches(void)
{
	ctr = read_sysreg(ctr_el0);
	a64_fetch_coherent = (ctr & CTR_IDC) && (ctr & CTR_DIC);
}

/* Another CPU that does less itself, or has shorter lines, would not be served by what the first one decided. */
void a64_check_caches(void)
{
	u64 mine = read_sysreg(ctr_el0);

	if ((ctr & ~mine & (CTR_IDC | CTR_DIC)) || (mine & 15) < (ctr & 15) || (mine >> 16 & 15) < (ctr >> 16 & 15))
		pr_warn("cpu: CPU %u's caches are not like the first one's (CTR_EL0 %#llx, %#llx)\n", arch_cpu_number(), mine, ctr);
}

void a64_sync_code(unsigned long start, size_t n)
{
	unsigned long dline = 4UL << (ctr >> 16 & 15), iline = 4UL << (ctr & 15), end = start + n;

	if (!(ctr & CTR_IDC))
		for (unsigned long a = start & ~(dline - 1); a < end; a += dline)
			__asm__ volatile("dc cvau, %0" : : "r"(a) : "memory");
	__asm__ volatile("dsb ish" : : : "memory");
	if (!(ctr & CTR_DIC)) {
		if ((ctr >> 14 & 3) == CTR_L1IP_PIPT)
			for (unsigned long a = start & ~(iline - 1); a < end; a += iline)
				__asm__ volatile("ic ivau, %0" : : "r"(a) : "memory");
		else
			__asm__ volatile("ic ialluis" : : : "memory");
		__asm__ volatile("dsb ish" : : : "memory");
	}
	__asm__ volatile("isb" : : : "memory");
}

void arch_code_written(const void *p, size_t n)
{
	if (!a64_fetch_coherent)
		a64_sync_code((unsigned long)p, n);
}
