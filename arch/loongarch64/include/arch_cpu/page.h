/* SPDX-License-Identifier: MIT */
/*
 * loongarch64 address space (16 KiB pages, three levels: 47 bits for each half). The first two are windows of the CPU (DMW),
 * without tables, for data alone:
 *   0x8000000000000000                device registers, at their physical address
 *   0x9000000000000000                direct map of all RAM, at its physical address
 *   0xffff800080000000 .. +62 GiB     kernel image, somewhere in it; modules: the GiB below where it lies
 *   0xffffa00000000000 .. +512 GiB    vmalloc, stacks
 *   0xffffb00000000000 .. +512 GiB    struct page array
 *   0xffffc00000000000 .. +1 GiB      device windows that want another kind of memory
 *   0xffffc80000000000 .. +48 TiB     the sanitizer's shadow (debug build): of RAM, of what is mapped by pages (arch_cpu/kasan.h)
 */
#pragma once

#define PAGE_SHIFT 14
#ifdef CONFIG_DEBUG
#define THREAD_SHIFT 15
#else
#define THREAD_SHIFT 14		/* at most two pages, which are one TLB entry: entry.S relies on it */
#endif
#define THREAD_SIZE (1 << THREAD_SHIFT)

#ifdef __ASSEMBLY__
#define PAGE_SIZE (1 << PAGE_SHIFT)
#define KERNEL_IMAGE_VA 0xffff800080000000
#define DIRECT_MAP_START 0x9000000000000000
#else
#include <lib/types.h>

#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define TASK_SIZE_MAX (1UL << 47)
#define KERNEL_IMAGE_VA 0xffff800080000000UL
#define DEVICE_MAP_START 0x8000000000000000UL
#define DIRECT_MAP_START 0x9000000000000000UL
#define VMALLOC_START 0xffffa00000000000UL
#define VMALLOC_END 0xffffa08000000000UL
#define VMEMMAP_START 0xffffb00000000000UL
#define VMEMMAP_END 0xffffb08000000000UL
#define MODULES_END ((unsigned long)_text & ~((1UL << 21) - 1))	/* no page of the sanitizer's shadow is of the image too */
#define MODULES_START (MODULES_END - (1UL << 30))
#define FIXMAP_START 0xffffc00000000000UL
#define FIXMAP_END 0xffffc00040000000UL

/* Where KERNEL_IMAGE_VA would lie: the image may have moved up (boot_kaslr.c). May wrap. Set before la64_start. */
extern u64 kernel_image_pa;

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
	return (unsigned long)p - KERNEL_IMAGE_VA + kernel_image_pa;
}

static inline phys_addr_t kaddr_to_phys(const volatile void *p)
{
	return (unsigned long)p >= KERNEL_IMAGE_VA ? image_to_phys(p) : virt_to_phys(p);
}

static inline bool arch_is_canonical(unsigned long a)
{
	return a < TASK_SIZE_MAX || a >= 0xffff800000000000UL || (a >= DIRECT_MAP_START && a - DIRECT_MAP_START < 1UL << 48);
}
#endif
