// SPDX-License-Identifier: MIT
/*
 * Regions for modules. They are few and change seldom: a list by address, searched for the highest
 * hole that fits.
 *
 * Locks: modmem_lock, a leaf, guards the list. Who changes a region's rights or frees it owns it.
 */
#include <alloc/modmem.h>
#include <alloc/kasan.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <abi/errno.h>
#include <arch/mmu.h>
#include <arch/pgtable.h>
#include <kernel/bug.h>
#include <kernel/spinlock.h>
#include <lib/list.h>
#include <lib/memblock.h>

struct region {
	struct list_head list;		/* modmem_lock; by address, the highest first */
	unsigned long start, size;	/* c; without the guard page */
	unsigned int nr_pages;		/* c */
	struct page *pages[];		/* c */
};

static DEFINE_SPINLOCK(modmem_lock);
static LIST_HEAD(regions);
static unsigned long nr_pages;		/* modmem_lock */

/*
 * Puts R into the highest hole: most CPUs have the image above, and the nearer it is the shorter
 * are the ways to it. False: none is large enough.
 */
static bool reserve(struct region *r)
{
	unsigned long top = MODULES_END;
	struct list_head *before = &regions;
	struct region *n;

	spin_lock(&modmem_lock);
	list_for_each_entry(n, &regions, list) {
		if (top - (n->start + n->size + PAGE_SIZE) >= r->size + PAGE_SIZE)
			break;
		top = n->start;
		before = &n->list;
	}
	if (top - MODULES_START < r->size + PAGE_SIZE) {
		spin_unlock(&modmem_lock);
		return false;
	}
	r->start = top - PAGE_SIZE - r->size;
	list_add(&r->list, before);
	nr_pages += r->nr_pages;
	spin_unlock(&modmem_lock);
	return true;
}

static void release(struct region *r)
{
	spin_lock(&modmem_lock);
	list_del(&r->list);
	nr_pages -= r->nr_pages;
	spin_unlock(&modmem_lock);
}

static void free_pages_of(struct region *r, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		__free_page(r->pages[i]);
	kvfree(r);
}

static int map(struct region *r)
{
	if (kasan_populate_vmalloc(r->start, r->size + PAGE_SIZE))
		return -ENOMEM;
	for (unsigned int i = 0; i < r->nr_pages; i++) {
		int err = arch_map_kernel(r->start + i * PAGE_SIZE, page_to_phys(r->pages[i]),
					  PAGE_SIZE, PTE_P_KERNEL);

		if (err) {
			if (i)
				arch_unmap_kernel(r->start, i * PAGE_SIZE);
			return err;
		}
	}
	return 0;
}

void *modmem_alloc(size_t size)
{
	unsigned long n = PFN_UP(size);
	struct region *r;
	unsigned int got;

	if (!n || n > totalram_pages() || n >= (MODULES_END - MODULES_START) >> PAGE_SHIFT)
		return NULL;
	r = kvmalloc(sizeof(*r) + n * sizeof(r->pages[0]), GFP_KERNEL);
	if (!r)
		return NULL;
	*r = (struct region){ .size = n << PAGE_SHIFT, .nr_pages = (unsigned int)n };
	got = alloc_pages_bulk(GFP_KERNEL | __GFP_ZERO, r->nr_pages, r->pages);
	if (got < n || !reserve(r)) {
		free_pages_of(r, got);
		return NULL;
	}
	if (map(r)) {
		release(r);
		free_pages_of(r, r->nr_pages);
		return NULL;
	}
	kasan_poison((void *)r->start, r->size + PAGE_SIZE, KASAN_VMALLOC_INVALID);
	kasan_unpoison((void *)r->start, size);
	return (void *)r->start;
}

static struct region *find(const void *p)
{
	struct region *r, *found = NULL;

	spin_lock(&modmem_lock);
	list_for_each_entry(r, &regions, list)
		if (r->start == (unsigned long)p)
			found = r;
	spin_unlock(&modmem_lock);
	return found;
}

int modmem_protect(void *p, enum modmem_rights rights)
{
	struct region *r = find(p);

	if (WARN_ON(!r))
		return -EINVAL;
	return arch_set_kernel_prot(r->start, r->size,
				    rights == MODMEM_TEXT ? PTE_P_KERNEL_RX : PTE_P_KERNEL_RO);
}

void modmem_free(void *p)
{
	struct region *r = p ? find(p) : NULL;

	if (!p || WARN_ON(!r))
		return;
	kasan_poison((void *)r->start, r->size, KASAN_VMALLOC_INVALID);
	arch_unmap_kernel(r->start, r->size);	/* no TLB has it when this returns */
	release(r);
	free_pages_of(r, r->nr_pages);
}

unsigned long modmem_nr_pages(void)
{
	return READ_ONCE(nr_pages);
}
