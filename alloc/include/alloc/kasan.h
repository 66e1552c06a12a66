// SPDX-License-Identifier: MIT
#pragma once
/*
 * Hooks by which the allocators tell the address sanitizer what may be touched. They vanish
 * without CONFIG_KASAN; with it kernel/kasan.c (or a room above lib) defines them.
 */
#include <lib/types.h>

enum kasan_why {
	KASAN_FREE_PAGE	= 0xff,
	KASAN_SLAB_REDZONE = 0xfc,
	KASAN_SLAB_FREE	= 0xfb,
	KASAN_PAGE_REDZONE = 0xfe,
	KASAN_VMALLOC_INVALID = 0xf6,
};

#ifdef CONFIG_KASAN
void kasan_poison(const void *addr, size_t size, u8 why);
void kasan_unpoison(const void *addr, size_t size);
/* Before populating vmalloc space: make sure its shadow exists. 0 or -ENOMEM. */
int kasan_populate_vmalloc(unsigned long start, size_t size);
/* A freed object enters the quarantine: true if kasan keeps it (it is freed later). */
bool kasan_slab_free(void *cache, void *object, size_t size);
void kasan_slab_alloc(void *cache, void *object, size_t size, size_t slot_size);
#else
static inline void kasan_poison(const void *addr, size_t size, u8 why)
{
	(void)addr; (void)size; (void)why;
}
static inline void kasan_unpoison(const void *addr, size_t size)
{
	(void)addr; (void)size;
}
static inline int kasan_populate_vmalloc(unsigned long start, size_t size)
{
	(void)start; (void)size;
	return 0;
}
static inline bool kasan_slab_free(void *cache, void *object, size_t size)
{
	(void)cache; (void)object; (void)size;
	return false;
}
static inline void kasan_slab_alloc(void *cache, void *object, size_t size, size_t slot_size)
{
	(void)cache; (void)object; (void)size; (void)slot_size;
}
#endif
