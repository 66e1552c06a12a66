// SPDX-License-Identifier: MIT
/*
 * Young and dirty, which the contract says the CPU writes: the access-flag fault marks young, the permission fault of a writable
 * clean entry marks dirty and lets the write through, that of a fetch cleans caches and lets it through. The walk needs no lock: tables are freed after a grace period, which
 * preemption off holds up, and an entry is changed by compare-and-swap only.
 */
#include <arch/pgtable.h>
#include <kernel/preempt.h>
#include "arch/aarch64/a64_priv.h"

/* The page is clean for fetching; device memory, which the direct map does not hold, is as it is. */
static void make_coherent(pte_t e, int level)
{
	void *p = phys_to_virt(PFN_PHYS(pte_pfn(e)));

	if (arch_kernel_pte((unsigned long)p, NULL))
		a64_sync_code((unsigned long)p, pt_span(level));
}

static bool mark(pte_t *e, pte_t old, int level, bool write, bool fetch)
{
	pte_t new = pte_mkyoung(old);

	if (!pte_user(old) || !(old.v & A64_PTE_VALID) || (write && !pte_write(old)) || (fetch && !pte_exec(old)))
		return false;
	if (write)
		new = pte_mkdirty(new);
	if (fetch && (new.v & A64_PTE_UXN)) {
		make_coherent(old, level);
		new.v &= ~A64_PTE_UXN;
	}
	return new.v != old.v && ptep_cmpxchg(e, old, new);
}

bool a64_mark_access(unsigned long addr, bool write, bool fetch)
{
	pte_t *t = phys_to_virt(read_sysreg(ttbr0_el1) & A64_PTE_FRAME);
	bool done = false;

	preempt_disable();
	for (int level = ARCH_PT_LEVELS - 1; ; level--) {
		pte_t *e = &t[pt_index(addr, level)], v = ptep_read(e);

		if (!(v.v & A64_PTE_VALID))
			break;
		if (pte_leaf(v, level)) {
			done = mark(e, v, level, write, fetch);
			break;
		}
		t = pte_table(v);
	}
	if (done)		/* the entry without the right may be in TLBs; others fault and find it good */
		__asm__ volatile("dsb nshst; tlbi vaale1, %0; dsb nsh; isb" : : "r"((addr >> 12) & ((1ULL << 44) - 1)) : "memory"); /* not a page */
	preempt_enable();
	return done;
}
