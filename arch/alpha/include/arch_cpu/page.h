/* SPDX-License-Identifier: MIT */
/*
 * alpha address space (8 KiB pages, three levels: 43 bits, sign extended). The upper half's first part is the superpage (KSEG): all physical
 * addresses, without tables, for the kernel alone and with all rights. The image runs in it.
 *   0xfffffc0000000000                direct map of all RAM; the image at +0x310000
 *   0xfffffd0000000000                devices (bit 40 of the physical address)
 *   0xfffffe0000000000 .. +64 GiB     vmalloc, stacks
 *   0xffffff0000000000 .. +8 GiB      struct page array
 */
#pragma once

#define PAGE_SHIFT 13
#ifdef CONFIG_DEBUG
#define THREAD_SHIFT 15
#else
#define THREAD_SHIFT 14
#endif
#define THREAD_SIZE (1 << THREAD_SHIFT)
#define STACK_TOP_WORDS 16	/* bytes: each kernel stack ends in its task and the distance to its CPU's variables */

#ifdef __ASSEMBLY__
#define PAGE_SIZE (1 << PAGE_SHIFT)
#define KERNEL_IMAGE_VA 0xfffffc0000310000
#else
#include <lib/types.h>

#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define TASK_SIZE_MAX (1UL << 42)
#define DIRECT_MAP_START 0xfffffc0000000000UL
#define DIRECT_MAP_SIZE (1UL << 40)
#define DEVICE_MAP_START 0xfffffd0000000000UL
#define VMALLOC_START 0xfffffe0000000000UL
#define VMALLOC_END 0xfffffe1000000000UL
#define VMEMMAP_START 0xffffff0000000000UL
#define VMEMMAP_END 0xffffff0200000000UL
#define MODULES_START VMALLOC_START
#define MODULES_END VMALLOC_END

static inline void *phys_to_virt(phys_addr_t pa)
{
	return (void *)(pa + DIRECT_MAP_START);
}

static inline phys_addr_t virt_to_phys(const volatile void *p)
{
	return (unsigned long)p - DIRECT_MAP_START;
}

/* The image lies in the direct map. */
static inline phys_addr_t image_to_phys(const volatile void *p)
{
	return virt_to_phys(p);
}

static inline phys_addr_t kaddr_to_phys(const volatile void *p)
{
	return virt_to_phys(p);
}

static inline bool arch_is_canonical(unsigned long a)
{
	return a < TASK_SIZE_MAX || a >= DIRECT_MAP_START;
}
#endif
