// SPDX-License-Identifier: MIT
/*
 * Young and dirty, which the contract says the CPU writes, where it faults instead: on an entry that is not young, and on the store to one that
 * is not dirty. The walk needs no lock: tables are freed after a grace period, which preemption off holds up, and an entry is
 * changed by compare-and-swap only.
 */
#include <arch/mmu.h>
#include <kernel/preempt.h>
#include <arch_cpu/tlb.h>
#include "arch/shared/kernel_maps.h"
#include "arch/shared/tlb.h"
#include "arch/shared/young.h"

static bool mark(pte_t *e, pte_t old, bool write)
{
	pte_t new = pte_mkyoung(old);

	if (!pte_user(old) || pte_protnone(old) || (write && !pte_write(old)))
		return false;
	if (write)
		new = pte_mkdirty(new);
	return new.v != old.v && ptep_cmpxchg(e, old, new);
}

bool mark_access(unsigned long addr, bool write)
{
	const struct arch_mm *mm;
	bool done = false;
	pte_t *e;

	preempt_disable();
	mm = tlb_loaded();
	if (mm) {
		e = kernel_maps_walk(mm->pgd, addr, NULL);
		done = e && mark(e, ptep_read(e), write);
		if (done)	/* the entry without the right is in this TLB; others fault and find it good */
			tlb_flush_local_page(addr);
	}
	preempt_enable();
	return done;
}
