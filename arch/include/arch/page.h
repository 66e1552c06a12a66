/* SPDX-License-Identifier: MIT */
/*
 * Pages and the kernel's address space.
 *
 * A CPU gives, in <arch_cpu/page.h>:
 *   PAGE_SHIFT PAGE_SIZE PAGE_MASK   the base page
 *   THREAD_SIZE                      a kernel stack (power of two, aligned to itself)
 *   TASK_SIZE_MAX                    first address no user mapping may reach
 *   VMALLOC_START VMALLOC_END        room for vmalloc, stacks, ioremap (vmap)
 *   MODULES_START MODULES_END        room for modules; what lies next to the end reaches the image best
 *   VMEMMAP_START                    where the struct page array is mapped
 *   phys_to_virt virt_to_phys        the direct map of all RAM (its base may move: KASLR)
 *   kaddr_to_phys                    also takes an address inside the kernel image
 */
#pragma once

#include <lib/types.h>
#include <arch_cpu/page.h>

#ifndef __ASSEMBLY__
#define PAGE_ALIGN(x) (((x) + PAGE_SIZE - 1) & PAGE_MASK)
#define PAGE_ALIGNED(x) (((unsigned long)(x) & ~PAGE_MASK) == 0)
#define offset_in_page(x) ((unsigned long)(x) & ~PAGE_MASK)
#define PFN_UP(x) (((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x) ((x) >> PAGE_SHIFT)
#define PFN_PHYS(x) ((phys_addr_t)(x) << PAGE_SHIFT)

#define pfn_to_virt(pfn) phys_to_virt(PFN_PHYS(pfn))
#define virt_to_pfn(p) PFN_DOWN(virt_to_phys(p))

/* The image, as the linker script lays it out. */
extern char _text[], _etext[];			/* executable, read-only */
extern char __start_sched_text[], __stop_sched_text[];	/* of it: what tasks sleep in for others */
extern char __start_rodata[], __end_rodata[];
extern char _data[], _edata[], __bss_start[], __bss_stop[], _end[];
extern char __init_begin[], __init_end[];	/* given back before init runs */

static inline bool kernel_text_address(unsigned long a)
{
	return a >= (unsigned long)_text && a < (unsigned long)_etext;
}

/* Zero or copy one page of the direct map. */
void arch_clear_page(void *page);
void arch_copy_page(void *dst, const void *src);
#endif
