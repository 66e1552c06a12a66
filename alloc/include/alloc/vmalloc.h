// SPDX-License-Identifier: MIT
#pragma once
/*
 * Kernel virtual space: vmalloc, vmap, ioremap and kernel stacks. Every area is followed by an
 * unmapped guard page; freed areas are reused only after their translations left all TLBs.
 * All of these may sleep except where noted.
 */
#include <lib/types.h>
#include <arch/page.h>
#include <alloc/gfp.h>

struct page;

void *vmalloc(size_t size) __malloc __alloc_size(1) __must_check;
void *vzalloc(size_t size) __malloc __alloc_size(1) __must_check;
void *__vmalloc(size_t size, gfp_t gfp);
/* addr from vmalloc/vmap or NULL; vfree may be called under RCU callbacks (it defers if atomic). */
void vfree(const void *addr);

#define VM_MAP_RO	1u
#define VM_MAP_EXEC	2u
/* Map count pages contiguously. flags: VM_MAP_*. */
void *vmap(struct page **pages, unsigned int count, unsigned int flags);
void vunmap(const void *addr);
/* Executable memory for code that the kernel generates; made of VM_MAP_EXEC after the caller is done. */
void *vmalloc_exec(size_t size);
int set_memory_rox(void *addr, unsigned int pages);

static inline bool is_vmalloc_addr(const void *p)
{
	unsigned long a = (unsigned long)p;

	return a >= VMALLOC_START && a < VMALLOC_END;
}
struct page *vmalloc_to_page(const void *addr);

/* Device memory. NULL on failure. */
/* NULL: no memory, or a part of it is RAM. */
void __iomem *ioremap(phys_addr_t pa, size_t size) __must_check;		/* uncached */
void __iomem *ioremap_wc(phys_addr_t pa, size_t size) __must_check;
void *memremap_wb(phys_addr_t pa, size_t size) __must_check;		/* normal memory outside the linear map */
void iounmap(void __iomem *addr);

/* Kernel stacks: THREAD_SIZE bytes, a guard page below. Lowest address or NULL. Cached per CPU. */
void *kstack_alloc(gfp_t gfp) __must_check;
void kstack_free(void *stack);
/* True if addr lies in a guard page of some vmalloc area (for the oops text). */
bool vmalloc_is_guard(unsigned long addr);
/* Start of the area that holds addr, or NULL. */
void *vmalloc_area_start(const void *addr, size_t *size);

void vmalloc_init(void);
unsigned long vmalloc_nr_pages(void);
unsigned long kstack_nr_pages(void);

/* Pages of the page tables of kernel addresses, and of the sanitizer's shadow of them. They stay: as many as were ever needed at once. */
unsigned long kernel_table_pages(void);
/* Areas in address order, for /proc/vmallocinfo. */
int vmalloc_for_each(int (*fn)(unsigned long start, size_t size, const char *what, void *), void *arg);
