// SPDX-License-Identifier: MIT
/*
 * Young and dirty, which the contract says the CPU writes: one without Svadu faults instead, and they are written here. The walk needs
 * no lock: tables are freed after a grace period, which preemption off holds up, and an entry is changed by compare-and-swap only.
 */
#include <arch/pgtable.h>
#include <kernel/preempt.h>
#include "arch/shared/kernel_maps.h"
#include "arch/riscv64/rv_priv.h"

static bool mark(pte_t *e, pte_t old, bool write)
{
	pte_t new = pte_mkyoung(old);

	if (!pte_user(old) || !(old.v & RV_PTE_V) || (write && !pte_write(old)))
		return false;
	if (write)
		new = pte_mkdirty(new);
	return new.v != old.v && ptep_cmpxchg(e, old, new);
}

bool rv_mark_access(unsigned long addr, bool write)
{
	pte_t *t = phys_to_virt((phys_addr_t)(csr_read(satp) & ((1UL << SATP_ASID_SHIFT) - 1)) << PAGE_SHIFT), *e;
	bool done = false;
	int level;

	preempt_disable();
	if (t != phys_to_virt(image_to_phys(kernel_root))) {
		e = kernel_maps_walk(t, addr, &level);
		done = e && mark(e, ptep_read(e), write);
		if (done)	/* the entry without the bit may be in TLBs; others fault and find it good */
			__asm__ volatile("sfence.vma %0, x0" : : "r"(addr) : "memory");
	}
	preempt_enable();
	return done;
}

/* A kernel address whose mapping is newer than what this CPU remembers of it. */
bool rv_kernel_spurious(unsigned long addr, unsigned long cause)
{
	u64 need = RV_PTE_V | (cause == CAUSE_INSN_PAGE ? RV_PTE_X : cause == CAUSE_STORE_PAGE ? RV_PTE_W : RV_PTE_R);
	pte_t *e = addr >= rv_direct_map ? arch_kernel_pte(addr, NULL) : NULL;

	if (!e || (ptep_read(e).v & need) != need)
		return false;
	__asm__ volatile("sfence.vma %0, x0" : : "r"(addr) : "memory");
	return true;
}
