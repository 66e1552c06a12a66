// SPDX-License-Identifier: MIT
/*
 * kmalloc, kvmalloc and their relatives on top of the caches, the page allocator and vmalloc. A pointer
 * says itself where it came from: vmalloc space by its address, else by the type of its head page.
 */
#include <alloc/slab.h>
#include <alloc/kasan.h>
#include <alloc/kmemleak.h>
#include <alloc/vmalloc.h>
#include <kernel/export.h>
#include <kernel/bug.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "slab_priv.h"

static void *kmalloc_large(size_t size, gfp_t gfp)
{
	unsigned int order = get_order(size);
	struct page *page;

	if (order > MAX_PAGE_ORDER)
		return NULL;
	page = alloc_pages(gfp | __GFP_COMP, order);
	if (!page)
		return NULL;
	page->mapcount.counter = PAGE_TYPE_KMALLOC;
	kmemleak_alloc_pages(page, size, _RET_IP_);
	return page_address(page);
}

void *__kmalloc(size_t size, gfp_t gfp)
{
	if (unlikely(size > KMALLOC_MAX_CACHE_SIZE))
		return kmalloc_large(size, gfp);
#ifdef CONFIG_DEBUG
	struct kmem_cache *c = kmalloc_caches[kmalloc_index(size)];
	void *p = kmem_cache_alloc(c, gfp);

	if (p) {	/* what was not asked for may not be touched */
		kasan_slab_alloc(c, p, size, c->object_size);
		kmemleak_set_size(p, size);
	}
	return p;
#else
	return kmem_cache_alloc(kmalloc_caches[kmalloc_index(size)], gfp);
#endif
}

static inline struct page *head_page(const void *p)
{
	return compound_head(virt_to_page(p));
}

void kfree(const void *p)
{
	struct page *page;

	if (!p)
		return;
	page = head_page(p);
	if (likely(PageSlab(page))) {
		kmem_cache_free((struct kmem_cache *)(uintptr_t)page->mapping, (void *)p);
		return;
	}
	if (WARN_ON(page_type(page) != PAGE_TYPE_KMALLOC))
		return;
	kmemleak_free_pages(page);
	page->mapcount.counter = 0;
	__free_pages(page, compound_order(page));
}

size_t ksize(const void *p)
{
	struct page *page;

	if (!p)
		return 0;
	page = head_page(p);
	if (PageSlab(page)) {
		size_t size = ((struct kmem_cache *)(uintptr_t)page->mapping)->object_size;

		kasan_unpoison(p, size);	/* who asks may use it all */
		return size;
	}
	return PAGE_SIZE << compound_order(page);
}

void kfree_sensitive(const void *p)
{
	if (p) {
		memset((void *)p, 0, ksize(p));
		barrier();
		kfree(p);
	}
}

void *krealloc(const void *p, size_t size, gfp_t gfp)
{
	size_t old;
	void *n;

	if (!size) {
		kfree(p);
		return NULL;
	}
	if (!p)
		return kmalloc(size, gfp);
	old = ksize(p);
	if (size <= old)
		return (void *)p;
	n = kmalloc(size, gfp);
	if (n) {
		memcpy(n, p, old);
		kfree(p);
	}
	return n;
}

void *kmemdup(const void *src, size_t len, gfp_t gfp)
{
	void *p = kmalloc(len, gfp);

	if (p)
		memcpy(p, src, len);
	return p;
}

char *kmemdup_nul(const char *s, size_t len, gfp_t gfp)
{
	char *p = kmalloc(len + 1, gfp);

	if (p) {
		memcpy(p, s, len);
		p[len] = 0;
	}
	return p;
}

char *kstrdup(const char *s, gfp_t gfp)
{
	return s ? kmemdup_nul(s, strlen(s), gfp) : NULL;
}

char *kstrndup(const char *s, size_t max, gfp_t gfp)
{
	return s ? kmemdup_nul(s, strnlen(s, max), gfp) : NULL;
}

void *kvmalloc(size_t size, gfp_t gfp)
{
	void *p;

	if (size <= PAGE_SIZE)
		return kmalloc(size, gfp);
	if (size <= (PAGE_SIZE << 3)) {
		p = kmalloc(size, gfp | __GFP_NOWARN | __GFP_NORETRY);
		if (p)
			return p;
	}
	if (!gfpflags_allow_blocking(gfp))
		return NULL;
	return __vmalloc(size, gfp);
}

void kvfree(const void *p)
{
	if (is_vmalloc_addr(p))
		vfree(p);
	else
		kfree(p);
}

/* The object is the one around its rcu_head. */
void kfree_rcu_callback(struct rcu_head *head)
{
	struct page *page;
	char *base;

	if (is_vmalloc_addr(head)) {
		vfree(vmalloc_area_start(head, NULL));
		return;
	}
	page = head_page(head);
	base = page_address(page);
	if (PageSlab(page)) {
		struct kmem_cache *c = (struct kmem_cache *)(uintptr_t)page->mapping;
		size_t slot = (size_t)((u64)((char *)head - base) * c->recip >> 32);

		kmem_cache_free(c, base + slot * c->slot_size);
		return;
	}
	kfree(base);
}
EXPORT(kfree_rcu_callback);

EXPORT(__kmalloc);
EXPORT(kmalloc_caches);
EXPORT(kmem_cache_alloc);
EXPORT(kfree);
EXPORT(kvfree);
EXPORT(kvmalloc);
