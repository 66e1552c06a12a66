// SPDX-License-Identifier: MIT
#pragma once
/*
 * Object caches and kmalloc. Each CPU allocates from and frees to a sheaf (an array of objects);
 * full and empty sheaves are exchanged at a barn shared by all CPUs.
 *
 * kfree() takes any pointer of kmalloc or of a kmem_cache, or NULL. kvfree() also takes vmalloc's.
 */
#include <lib/types.h>
#include <lib/compiler.h>
#include <lib/string.h>
#include <kernel/rcu.h>
#include <alloc/gfp.h>

struct kmem_cache;

#define SLAB_HWCACHE_ALIGN	0x01u	/* objects start on cache lines */
#define SLAB_PANIC		0x02u	/* creation cannot fail */
#define SLAB_TYPESAFE_BY_RCU	0x04u	/* memory of freed objects stays of this type for a grace period */
#define SLAB_ACCOUNT		0x08u	/* charge objects to control groups */
#define SLAB_RECLAIM_ACCOUNT	0x10u	/* a shrinker can free them (SReclaimable) */
#define SLAB_POISON		0x20u
#define SLAB_RED_ZONE		0x40u
#define SLAB_NO_MERGE		0x80u
#define SLAB_TEMPORARY		0

/* ctor runs once per object when its slab is made; objects are freed in constructed state. */
struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     unsigned int flags, void (*ctor)(void *));
/* All objects must be free; complains and leaks the cache otherwise. */
void kmem_cache_destroy(struct kmem_cache *cache);
#define KMEM_CACHE(type, flags) \
	kmem_cache_create(#type, sizeof(struct type), __alignof__(struct type), (flags), NULL)

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp) __malloc __must_check;
static inline void *__must_check kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
{
	return kmem_cache_alloc(cache, gfp | __GFP_ZERO);
}
void kmem_cache_free(struct kmem_cache *cache, void *obj) __frees(2);
/* All nr or nothing; returns nr or 0. */
unsigned int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, unsigned int nr, void **out);
void kmem_cache_free_bulk(struct kmem_cache *cache, unsigned int nr, void **objs);
/* Give empty slabs back. */
int kmem_cache_shrink(struct kmem_cache *cache);
unsigned int kmem_cache_size(struct kmem_cache *cache);
const char *kmem_cache_name(struct kmem_cache *cache);
/* Live objects, exact when the cache is idle. */
unsigned long kmem_cache_live(struct kmem_cache *cache);

#define KMALLOC_MIN_SIZE	8
#define KMALLOC_MAX_CACHE_SIZE	8192	/* above: whole pages */
#define ARCH_KMALLOC_MINALIGN	8

void *__kmalloc(size_t size, gfp_t gfp) __malloc __alloc_size(1) __must_check __gives;
extern struct kmem_cache *kmalloc_caches[];
/* Index of the smallest class that holds size (1..KMALLOC_MAX_CACHE_SIZE). */
static __always_inline unsigned int kmalloc_index(size_t size)
{
	if (size <= 8)
		return 0;
	if (size > 64 && size <= 96)
		return 11;
	if (size > 128 && size <= 192)
		return 12;
	return 64 - 3 - (unsigned int)__builtin_clzl(size - 1);
}
static __always_inline void *__must_check kmalloc(size_t size, gfp_t gfp)
{
#ifndef CONFIG_KASAN
	if (__builtin_constant_p(size) && size && size <= KMALLOC_MAX_CACHE_SIZE)
		return kmem_cache_alloc(kmalloc_caches[kmalloc_index(size)], gfp);
#endif
	return __kmalloc(size, gfp);
}
static __always_inline void *__must_check kzalloc(size_t size, gfp_t gfp)
{
#ifdef __clang_analyzer__	/* which does not know our flags */
	void *p = __kmalloc(size, gfp);

	if (p)
		memset(p, 0, size);
	return p;
#else
	return kmalloc(size, gfp | __GFP_ZERO);
#endif
}
static inline void *__must_check kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return kmalloc(bytes, gfp);
}
static inline void *__must_check kcalloc(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return kzalloc(bytes, gfp);
}
void *krealloc(const void *p, size_t new_size, gfp_t gfp) __alloc_size(2) __must_check;
void kfree(const void *p) __frees(1);
void kfree_sensitive(const void *p) __frees(1);
/* Usable bytes at p. */
size_t ksize(const void *p);
char *kstrdup(const char *s, gfp_t gfp) __malloc __must_check __gives;
char *kstrndup(const char *s, size_t max, gfp_t gfp) __malloc __must_check __gives;
void *kmemdup(const void *src, size_t len, gfp_t gfp) __malloc __alloc_size(2) __must_check __gives;
char *kmemdup_nul(const char *s, size_t len, gfp_t gfp) __malloc __must_check __gives;
#define kmalloc_obj(p, gfp)	((__typeof__(p))kmalloc(sizeof(*(p)), gfp))

/* kmalloc if it is easy, vmalloc else. */
void *kvmalloc(size_t size, gfp_t gfp) __malloc __alloc_size(1) __must_check __gives;
static inline void *__must_check kvzalloc(size_t size, gfp_t gfp)
{
	void *p = kvmalloc(size, gfp | __GFP_ZERO);

#ifdef __clang_analyzer__
	if (p)
		memset(p, 0, size);
#endif
	return p;
}
static inline void *__must_check kvmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return kvmalloc(bytes, gfp);
}
#define kvcalloc(n, size, gfp)	kvmalloc_array(n, size, (gfp) | __GFP_ZERO)
void kvfree(const void *p) __frees(1);

/* Free after a grace period; member is the struct rcu_head inside *ptr. */
void kfree_rcu_callback(struct rcu_head *head);
#define kfree_rcu(ptr, member)						\
do {									\
	__typeof__(ptr) kfree_rcu_p_ = (ptr);				\
	if (kfree_rcu_p_)						\
		call_rcu(&kfree_rcu_p_->member, kfree_rcu_callback);	\
} while (0)
#define kvfree_rcu(ptr, member)	kfree_rcu(ptr, member)

/* Early boot: after page_alloc_init(). */
void kmem_cache_init(void);

/* Iterate over all caches (for /proc/slabinfo and leak checks); fn != 0 stops. */
struct slab_stat {
	const char *name;
	unsigned long active_objs, num_objs, active_slabs, num_slabs;
	unsigned int object_size, slot_size, objs_per_slab, pages_per_slab;
	bool reclaimable;
};
int slab_for_each(int (*fn)(const struct slab_stat *, void *), void *arg);
unsigned long slab_pages_reclaimable(void);
unsigned long slab_pages_unreclaimable(void);
/* Live objects over all caches. */
unsigned long slab_total_live(void);
