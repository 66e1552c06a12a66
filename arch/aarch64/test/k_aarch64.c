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

/* The image is where relocations say, at whole pieces of 2 MiB, and nothing is left where it was linked. */
KTEST(aarch64_image_moved)
{
	static const char *const volatile pointer = _text;

	KT_EQ((unsigned long)_text, KERNEL_IMAGE_VA + kernel_image_slide);
	KT_EQ((unsigned long)pointer, (unsigned long)_text);
	KT_ASSERT(!(kernel_image_slide & ((2UL << 20) - 1)) && kernel_image_slide < 1UL << 30);
	KT_EQ(*(u32 *)phys_to_virt(image_to_phys(_text)), *(u32 *)_text);
	KT_ASSERT(!kernel_image_slide || !arch_kernel_pte(KERNEL_IMAGE_VA, NULL));
}
