/* SPDX-License-Identifier: MIT */
/*
 * riscv64 address space. The CPU's best of Sv57, Sv48 and Sv39 is chosen at boot; what lies in the top 256 GiB is the same in all:
 *   0xffffffc000000000 .. +128 GiB    Sv39 alone: direct map of RAM, at its physical address
 *   0xffffffd800000000 .. +32 GiB     the sanitizer's shadow (debug build, where Sv39's direct map has the 96 GiB before it)
 *   0xffffffe000000000 .. +32 GiB     vmalloc, stacks
 *   0xfffffff000000000 .. +4 GiB      Sv39 alone: struct page array
 *   0xfffffff800000000 .. +1 GiB      device windows, the alias that patches code
 *   0xffffffff80000000 .. +2 GiB      kernel image, somewhere in it; modules: the GiB below where it lies
 * Sv48 and Sv57 have more room:
 *   0xffff800000000000 .. +32 TiB     direct map
 *   0xffffc00000000000 .. +512 GiB    struct page array
 *   0xffffefe000000000 .. +16 TiB     the sanitizer's shadow (debug build); it ends where Sv39's does
 * User addresses have 38 bits with Sv39, else 47.
 */
#pragma once

#define PAGE_SHIFT 12
#ifdef CONFIG_DEBUG
#define THREAD_SHIFT 15
#else
#define THREAD_SHIFT 14
#endif
#define THREAD_SIZE (1 << THREAD_SHIFT)

#ifdef __ASSEMBLY__
#define PAGE_SIZE (1 << PAGE_SHIFT)
#define KERNEL_IMAGE_VA 0xffffffff80000000
#else
#include <lib/types.h>

#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define KERNEL_IMAGE_VA 0xffffffff80000000UL
#define VMALLOC_START 0xffffffe000000000UL
#define VMALLOC_END 0xffffffe800000000UL
#define FIXMAP_START 0xfffffff800000000UL
#define FIXMAP_END 0xfffffff840000000UL
#define MODULES_END ((unsigned long)_text & ~((1UL << 21) - 1))
#define MODULES_START (MODULES_END - (1UL << 30))

/* What the choice of the tables' depth decided; set before the MMU is on, constant after. */
extern unsigned int rv_pt_levels;		/* 3, 4, 5 */
extern unsigned long rv_task_size, rv_direct_map, rv_direct_size, rv_vmemmap;

/* Where KERNEL_IMAGE_VA would lie: the image may have moved up (boot_kaslr.c). May wrap. */
extern u64 kernel_image_pa;

#define TASK_SIZE_MAX rv_task_size
#define VMEMMAP_START rv_vmemmap

static inline void *phys_to_virt(phys_addr_t pa)
{
	return (void *)(pa + rv_direct_map);
}

static inline phys_addr_t virt_to_phys(const volatile void *p)
{
	return (unsigned long)p - rv_direct_map;
}

/* Of an object in the kernel image. */
static inline phys_addr_t image_to_phys(const volatile void *p)
{
	return (unsigned long)p - KERNEL_IMAGE_VA + kernel_image_pa;
}

static inline phys_addr_t kaddr_to_phys(const volatile void *p)
{
	return (unsigned long)p >= KERNEL_IMAGE_VA ? image_to_phys(p) : virt_to_phys(p);
}

static inline bool arch_is_canonical(unsigned long a)
{
	return a < TASK_SIZE_MAX || a >= rv_direct_map;
}
#endif
