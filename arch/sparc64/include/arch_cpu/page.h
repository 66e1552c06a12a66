/* SPDX-License-Identifier: MIT */
/*
 * sparc64 address space of the kernel (context 0; users have contexts of their own and all 43 bits). 8 KiB pages, three levels of 1,024
 * entries, so 43 bits for each half:
 *   0x0000000000404000                kernel image, at its physical address (code reaches it by 32 bits)
 *   0xfffff80000000000 .. +4 TiB      direct map of all RAM, by the miss handler without tables
 *   0xfffffc0000000000 .. +512 GiB    vmalloc, stacks
 *   0xfffffd0000000000 .. +512 GiB    struct page array
 *   0xfffffe0000000000 .. +2 GiB      modules (there are none)
 */
#pragma once

#define PAGE_SHIFT 13
#define THREAD_SHIFT 15		/* each frame holds a register window */
#define THREAD_SIZE (1 << THREAD_SHIFT)

#ifdef __ASSEMBLY__
#define PAGE_SIZE (1 << PAGE_SHIFT)
#define KERNEL_IMAGE_VA 0x404000
#else
#include <lib/types.h>

#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define TASK_SIZE_MAX (1UL << 43)
#define DIRECT_MAP_START 0xfffff80000000000UL
#define DIRECT_MAP_SIZE (1UL << 42)
#define VMALLOC_START 0xfffffc0000000000UL
#define VMALLOC_END 0xfffffc8000000000UL
#define VMEMMAP_START 0xfffffd0000000000UL
#define VMEMMAP_END 0xfffffd8000000000UL
#define MODULES_START 0xfffffe0000000000UL
#define MODULES_END 0xfffffe0080000000UL

static inline void *phys_to_virt(phys_addr_t pa)
{
	return (void *)(pa + DIRECT_MAP_START);
}

static inline phys_addr_t virt_to_phys(const volatile void *p)
{
	return (unsigned long)p - DIRECT_MAP_START;
}

/* Of an object in the kernel image. */
static inline phys_addr_t image_to_phys(const volatile void *p)
{
	return (unsigned long)p;
}

static inline phys_addr_t kaddr_to_phys(const volatile void *p)
{
	return (unsigned long)p < TASK_SIZE_MAX ? image_to_phys(p) : virt_to_phys(p);
}

static inline bool arch_is_canonical(unsigned long a)
{
	return a < TASK_SIZE_MAX || a >= DIRECT_MAP_START;
}
#endif
