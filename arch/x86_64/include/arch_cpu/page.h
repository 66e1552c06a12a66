/* SPDX-License-Identifier: MIT */
/*
 * x86_64 address space (4-level):
 *   0x0000000000000000 .. 0x00007ffffffff000  user (the last page stays empty: SYSRET and the canonical hole)
 *   0xffff888000000000 + slide                direct map of all RAM
 *   0xffffc90000000000 .. +512 GiB            vmalloc, stacks, device windows
 *   0xffffea0000000000 .. +512 GiB            struct page array
 *   0xffffffff80000000 + slide                kernel image
 *   0xffffffffc0000000 .. 0xfffffffffc000000  modules, then early device windows
 */
#pragma once

#define PAGE_SHIFT 12
#ifdef CONFIG_DEBUG
#define THREAD_SHIFT 15
#else
#define THREAD_SHIFT 14
#endif
#define THREAD_SIZE (1 << THREAD_SHIFT)
#define KERNEL_LOAD_PA 0x100000

#ifdef __ASSEMBLY__
#define PAGE_SIZE (1 << PAGE_SHIFT)
#define KERNEL_IMAGE_VA 0xffffffff80000000
#else
#include <lib/types.h>

#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define TASK_SIZE_MAX ((1UL << 47) - PAGE_SIZE)
#define KERNEL_IMAGE_VA 0xffffffff80000000UL
#define DIRECT_MAP_DEFAULT 0xffff888000000000UL
#define VMALLOC_START 0xffffc90000000000UL
#define VMALLOC_END 0xffffc98000000000UL
#define VMEMMAP_START 0xffffea0000000000UL
#define VMEMMAP_END 0xffffea8000000000UL
#define MODULES_START 0xffffffffc0000000UL
#define MODULES_END 0xfffffffffc000000UL
#define FIXMAP_START 0xfffffffffc000000UL
#define FIXMAP_END 0xffffffffffe00000UL

extern unsigned long page_offset_base;		/* start of the direct map; set once, before C code above arch */
extern unsigned long kernel_image_slide;	/* how far KASLR moved the image from KERNEL_IMAGE_VA */
extern unsigned long kernel_image_delta;	/* from the image's physical addresses to its virtual ones */

static inline void *phys_to_virt(phys_addr_t pa)
{
	return (void *)(pa + page_offset_base);
}

static inline phys_addr_t virt_to_phys(const volatile void *p)
{
	return (unsigned long)p - page_offset_base;
}

/* Of an object in the kernel image. */
static inline phys_addr_t image_to_phys(const volatile void *p)
{
	unsigned long a = (unsigned long)p;

	/* Folded into the symbol's relocation the difference would look like no address, and not be slid. */
	__asm__("" : "+r"(a));
	return a - kernel_image_delta;
}

static inline phys_addr_t kaddr_to_phys(const volatile void *p)
{
	return (unsigned long)p >= KERNEL_IMAGE_VA ? image_to_phys(p) : virt_to_phys(p);
}

static inline bool arch_is_canonical(unsigned long a)
{
	return (unsigned long)((long)(a << 16) >> 16) == a;
}
#endif
