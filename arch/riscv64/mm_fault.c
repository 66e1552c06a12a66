// SPDX-License-Identifier: MIT
/* Faults on kernel addresses whose mapping is new. */
#include <arch/pgtable.h>
#include "arch/riscv64/rv_priv.h"

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
