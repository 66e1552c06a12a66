// SPDX-License-Identifier: MIT
/*
 * Young and dirty, which the contract says the CPU writes: the fault of one that faults on all marks young, the store to one that is
 * not dirty marks dirty and lets the write through. The walk needs no lock: tables are freed after a grace period, which
 * preemption off holds up, and an entry is changed by compare-and-swap only.
 */
#include <arch/pgtable.h>
#include <kernel/preempt.h>
#include <arch_cpu/tlb.h>
#include "arch/shared/tlb.h"
#include "arch/alpha/alpha_priv.h"

static bool mark(pte_t *e, pte_t old, bool write)
{
	pte_t new = pte_mkyoung(old);

	if (!pte_user(old) || pte_protnone(old) || (write && !pte_write(old)))
		return false;
	if (write)
		new = pte_mkdirty(new);
	return new.v != old.v && ptep_cmpxchg(e, old, new);
}

bool alpha_mark_access(unsigned long addr, bool write)
{
	const struct arch_mm *mm;
	pte_t *t;
	bool done = false;

	preempt_disable();
	mm = tlb_loaded();
	t = mm ? mm->pgd : NULL;
	for (int level = ARCH_PT_LEVELS - 1; t; level--) {
		pte_t *e = &t[pt_index(addr, level)], v = ptep_read(e);

		if (!pte_present(v))
			break;
		if (pte_leaf(v, level)) {
			done = mark(e, v, write);
			break;
		}
		t = pte_table(v);
	}
	if (done)		/* the entry without the right is in this TLB; others fault and find it good */
		tlb_flush_local_page(addr);
	preempt_enable();
	return done;
}
