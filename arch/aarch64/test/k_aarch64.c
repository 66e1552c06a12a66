// SPDX-License-Identifier: MIT
#include <arch/patch.h>
#include <arch/pgtable.h>
#include <kernel/ktest.h>
#include "arch/aarch64/a64_priv.h"

/* A user's entry lets nothing be fetched before its page was made coherent, where the CPU does not do that itself. */
KTEST(aarch64_code_entries)
{
	pte_t e = pte_make(5, PTE_P_READ | PTE_P_EXEC | PTE_P_USER, 0), data = pte_make(5, PTE_P_READ | PTE_P_WRITE | PTE_P_USER, 0);

	KT_ASSERT(pte_exec(e) && !pte_exec(data) && (data.v & A64_PTE_UXN) && (e.v & A64_PTE_PXN));
	KT_EQ(!(e.v & A64_PTE_UXN), a64_fetch_coherent);
	/* Whoever made it writable may have written: once more. */
	e.v &= ~A64_PTE_UXN;
	e = pte_modify(pte_modify(e, PTE_P_READ | PTE_P_WRITE | PTE_P_USER, 0), PTE_P_READ | PTE_P_EXEC | PTE_P_USER, 0);
	KT_EQ(!(e.v & A64_PTE_UXN), a64_fetch_coherent);
	e = pte_make(5, PTE_P_KERNEL_RX, 0);
	KT_ASSERT(pte_exec(e) && (e.v & A64_PTE_UXN) && !(e.v & A64_PTE_PXN));
	a64_sync_code((unsigned long)_text, PAGE_SIZE);
	arch_code_written(_text + 3, 1);
}
