// SPDX-License-Identifier: MIT
/*
 * Kernel virtual space.
 *
 * Areas are kept in a red-black tree by address, each knowing the gap in front of it and the
 * largest gap below it in the tree, so the lowest fitting hole is found in one descent. Low
 * addresses are used again first, which keeps the page tables (never freed) few. An area ends with
 * an unmapped guard page; translations are flushed before an area's addresses return to the tree.
 *
 * Freeing needs TLB shoot-down, so where interrupts are off it is put off to the next allocation.
 *
 * Locks: area_lock guards the tree (a leaf; never taken in interrupts).
 */
#include <alloc/upcalls.h>
#include <alloc/vmalloc.h>
#include <alloc/kasan.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <arch/mmu.h>
#include <arch/pgtable.h>
#include <kernel/bug.h>
#include <kernel/printk.h>
#include <kernel/spinlock.h>
#include <lib/list.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <lib/rbtree.h>
#include <lib/string.h>
#include "vmalloc_priv.h"

static DEFINE_SPINLOCK(area_lock);
static struct rb_root areas;			/* (area_lock) */
static struct llist_head deferred;		/* addresses to vfree later */
static atomic64_t mapped_pages;
static struct kmem_cache *area_cache;

static struct varea *to_area(struct rb_node *n)
{
	return rb_entry(n, struct varea, rb);
}

static bool area_augment(struct rb_node *n)
{
	struct varea *a = to_area(n);
	unsigned long best = a->gap;

	if (n->left)
		best = max(best, to_area(n->left)->max_gap);
	if (n->right)
		best = max(best, to_area(n->right)->max_gap);
	if (best == a->max_gap)
		return false;
	a->max_gap = best;
	return true;
}

/* Start of the lowest hole of at least size bytes. (area_lock) */
static unsigned long find_hole(unsigned long size)
{
	struct rb_node *n = areas.node;
	struct rb_node *last;
	unsigned long end;

	if (n && to_area(n)->max_gap >= size) {
		for (;;) {
			struct varea *a = to_area(n);

			if (n->left && to_area(n->left)->max_gap >= size)
				n = n->left;
			else if (a->gap >= size)
				return a->start - a->gap;
			else
				n = n->right;
		}
	}
	last = rb_last(&areas);
	end = last ? to_area(last)->start + to_area(last)->size : VMALLOC_START;
	return VMALLOC_END - end >= size ? end : 0;
}

static void area_insert(struct varea *a)
{
	struct rb_node **link = &areas.node, *parent = NULL, *next, *prev;

	while (*link) {
		parent = *link;
		link = a->start < to_area(parent)->start ? &parent->left : &parent->right;
	}
	rb_link_node(&a->rb, parent, link);
	a->gap = a->max_gap = 0;
	rb_insert_augmented(&a->rb, &areas, area_augment);
	prev = rb_prev(&a->rb);
	next = rb_next(&a->rb);
	a->gap = a->start - (prev ? to_area(prev)->start + to_area(prev)->size : VMALLOC_START);
	rb_augment_propagate(&a->rb, area_augment);
	if (next) {
		to_area(next)->gap = to_area(next)->start - (a->start + a->size);
		rb_augment_propagate(next, area_augment);
	}
}

static void area_remove(struct varea *a)
{
	struct rb_node *next = rb_next(&a->rb);

	rb_erase_augmented(&a->rb, &areas, area_augment);
	if (next) {
		to_area(next)->gap += a->gap + a->size;
		rb_augment_propagate(next, area_augment);
	}
}

#ifdef CONFIG_KMEMLEAK
unsigned long varea_next(unsigned long addr)
{
	unsigned long found = 0;

	spin_lock(&area_lock);
	for (struct rb_node *n = areas.node; n;) {
		struct varea *a = to_area(n);

		if (a->start >= addr) {
			found = a->start;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	spin_unlock(&area_lock);
	return found;
}
#endif

/* The area that holds addr. (area_lock) */
static struct varea *area_find(unsigned long addr)
{
	struct rb_node *n = areas.node;

	while (n) {
		struct varea *a = to_area(n);

		if (addr < a->start)
			n = n->left;
		else if (addr >= a->start + a->size)
			n = n->right;
		else
			return a;
	}
	return NULL;
}

struct varea *varea_alloc(unsigned long size, unsigned long align, gfp_t gfp, const char *what)
{
	struct varea *a;
	unsigned long hole;

	vmalloc_run_deferred();
	a = kmem_cache_zalloc(area_cache, gfp & ~(__GFP_DMA | __GFP_DMA32));
	if (!a)
		return NULL;
#ifdef CONFIG_KMEMLEAK
	kmemleak_no_scan(a);		/* its start is no pointer to the area */
	kmemleak_alloc(&a->leak, size - PAGE_SIZE, _RET_IP_);
#endif
	spin_lock(&area_lock);
	hole = find_hole(size + align - PAGE_SIZE);
	if (hole) {
		a->start = ALIGN(hole, align);
		a->size = size;
		a->what = what;
		area_insert(a);
	}
	spin_unlock(&area_lock);
	if (hole && kasan_populate_vmalloc(a->start, size)) {
		varea_free(a);
		return NULL;
	}
	if (!hole) {
		kmem_cache_free(area_cache, a);
		return NULL;
	}
	return a;
}

#ifdef CONFIG_KMEMLEAK
void varea_with(unsigned long addr, void (*fn)(struct varea *a, void *arg), void *arg)
{
	struct varea *a;

	spin_lock(&area_lock);
	a = area_find(addr);
	if (a)
		fn(a, arg);
	spin_unlock(&area_lock);
}

void varea_dying(struct varea *a)
{
	spin_lock(&area_lock);
	kmemleak_free(&a->leak);
	spin_unlock(&area_lock);
}
#endif

void varea_free(struct varea *a)
{
	varea_dying(a);
	spin_lock(&area_lock);
	area_remove(a);
	spin_unlock(&area_lock);
	kmem_cache_free(area_cache, a);
}

/* Map single pages one after the other, joining runs that are contiguous. */
static int map_pages(unsigned long va, struct page **pages, unsigned int n, unsigned int prot)
{
	unsigned int i = 0;

	while (i < n) {
		unsigned int run = 1;
		int err;

		while (i + run < n && page_to_pfn(pages[i + run]) == page_to_pfn(pages[i]) + run)
			run++;
		err = arch_map_kernel(va + ((unsigned long)i << PAGE_SHIFT), page_to_phys(pages[i]),
				      (size_t)run << PAGE_SHIFT, prot);
		if (err) {
			if (i)
				arch_unmap_kernel(va, (size_t)i << PAGE_SHIFT);
			return err;
		}
		i += run;
	}
	return 0;
}

static void free_page_array(struct page **pages, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		__free_page(pages[i]);
	kvfree(pages);
}

static void *vmalloc_prot(size_t size, gfp_t gfp, unsigned int prot, const char *what)
{
	unsigned long n = PFN_UP(size);
	struct page **pages;
	struct varea *a;
	unsigned int got;

	if (!size || n > totalram_pages())
		return NULL;
	pages = kvmalloc_array(n, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	got = alloc_pages_bulk(gfp, (unsigned int)n, pages);
	if (got < n) {
		free_page_array(pages, got);
		return NULL;
	}
	a = varea_alloc((n + 1) << PAGE_SHIFT, PAGE_SIZE, GFP_KERNEL, what);
	if (!a) {
		free_page_array(pages, got);
		return NULL;
	}
	a->pages = pages;
	a->nr_pages = (unsigned int)n;
	if (map_pages(a->start, pages, a->nr_pages, prot)) {
		varea_free(a);
		free_page_array(pages, got);
		return NULL;
	}
	atomic64_add((s64)n, &mapped_pages);
	kasan_unpoison((void *)a->start, size);
	return (void *)a->start;
}

void *__vmalloc(size_t size, gfp_t gfp)
{
	void *p = vmalloc_prot(size, gfp, PTE_P_KERNEL, "vmalloc");

	/* What describes the area, and page tables, may have been short, whatever GFP says. */
	while (!p && gfp & __GFP_NOFAIL && size && PFN_UP(size) <= totalram_pages()) {
		alloc_backoff();
		p = vmalloc_prot(size, gfp, PTE_P_KERNEL, "vmalloc");
	}
	return p;
}

void *vmalloc(size_t size)
{
	return __vmalloc(size, GFP_KERNEL);
}

void *vzalloc(size_t size)
{
	return __vmalloc(size, GFP_KERNEL | __GFP_ZERO);
}

void *vmalloc_exec(size_t size)
{
	return vmalloc_prot(size, GFP_KERNEL, PTE_P_KERNEL, "exec");
}

int set_memory_rox(void *addr, unsigned int pages)
{
	return arch_set_kernel_prot((unsigned long)addr, (size_t)pages << PAGE_SHIFT,
				    PTE_P_KERNEL_RX);
}

static struct varea *area_at(const void *addr)
{
	struct varea *a;

	spin_lock(&area_lock);
	a = area_find((unsigned long)addr);
	spin_unlock(&area_lock);
	return a && a->start == (unsigned long)addr ? a : NULL;
}

struct varea *varea_at(unsigned long addr)
{
	struct varea *a;

	spin_lock(&area_lock);
	a = area_find(addr);
	spin_unlock(&area_lock);
	return a;
}

static void vfree_now(const void *addr)
{
	struct varea *a = area_at(addr);

	if (WARN_ON(!a))
		return;
	varea_dying(a);
	kasan_poison((void *)a->start, a->size, KASAN_VMALLOC_INVALID);
	arch_unmap_kernel(a->start, a->size - PAGE_SIZE);
	if (a->pages) {
		atomic64_sub(a->nr_pages, &mapped_pages);
		free_page_array(a->pages, a->nr_pages);
	}
	varea_free(a);
}

void vmalloc_run_deferred(void)
{
	struct llist_node *n;

	if (likely(!READ_ONCE(deferred.first)) || irqs_disabled() || in_interrupt())
		return;
	n = llist_del_all(&deferred);
	while (n) {
		struct llist_node *next = n->next;

		vfree_now(n);
		n = next;
	}
}

void vfree(const void *addr)
{
	if (!addr)
		return;
	if (irqs_disabled() || in_interrupt()) {
		llist_add((struct llist_node *)addr, &deferred);
		return;
	}
	vfree_now(addr);
}

void *vmap(struct page **pages, unsigned int count, unsigned int flags)
{
	unsigned int prot = flags & VM_MAP_RO ? PTE_P_KERNEL_RO : PTE_P_KERNEL;
	struct varea *a;

	if (flags & VM_MAP_EXEC)
		prot = PTE_P_KERNEL_RX;
	a = varea_alloc(((unsigned long)count + 1) << PAGE_SHIFT, PAGE_SIZE, GFP_KERNEL, "vmap");
	if (!a)
		return NULL;
	if (map_pages(a->start, pages, count, prot)) {
		varea_free(a);
		return NULL;
	}
	kasan_unpoison((void *)a->start, (size_t)count << PAGE_SHIFT);
	return (void *)a->start;
}

void vunmap(const void *addr)
{
	if (addr)
		vfree_now(addr);
}

/*
 * RAM is no device: a second mapping of it would be a way round its owner. Holes between pieces of
 * RAM may be devices.
 */
static bool overlaps_ram(phys_addr_t start, phys_addr_t end)
{
	const struct memblock_list *ram = &memblock.memory;

	for (unsigned int i = 0; i < ram->nr; i++)
		if (start < ram->r[i].end && ram->r[i].start < end)
			return true;
	return false;
}

static void *ioremap_prot(phys_addr_t pa, size_t size, unsigned int prot, const char *what)
{
	unsigned long off = offset_in_page(pa);
	struct varea *a;

	if (!size || size > VMALLOC_END - VMALLOC_START || pa + size < pa)
		return NULL;
	pa -= off;
	size = PAGE_ALIGN(size + off);
	if (pa + size < pa)
		return NULL;
	if (overlaps_ram(pa, pa + size)) {
		pr_warn("%s: %#llx is RAM\n", what, (unsigned long long)pa);
		return NULL;
	}
	a = varea_alloc(size + PAGE_SIZE, PAGE_SIZE, GFP_KERNEL, what);
	if (!a)
		return NULL;
	if (arch_map_kernel(a->start, pa, size, prot)) {
		varea_free(a);
		return NULL;
	}
	kasan_unpoison((void *)a->start, size);
	return (void *)(a->start + off);
}

void __iomem *ioremap(phys_addr_t pa, size_t size)
{
	return (void __iomem *)ioremap_prot(pa, size, PTE_P_KERNEL_IO, "ioremap");
}

void __iomem *ioremap_wc(phys_addr_t pa, size_t size)
{
	return (void __iomem *)ioremap_prot(pa, size, PTE_P_KERNEL | PTE_P_WC, "ioremap_wc");
}

void *memremap_wb(phys_addr_t pa, size_t size)
{
	return ioremap_prot(pa, size, PTE_P_KERNEL, "memremap");
}

void iounmap(void __iomem *addr)
{
	if (addr)
		vfree_now((void *)((unsigned long)addr & PAGE_MASK));
}

struct page *vmalloc_to_page(const void *addr)
{
	int level;
	pte_t *p = arch_kernel_pte((unsigned long)addr, &level);
	unsigned long pfn;

	if (!p || !pte_present(ptep_read(p)))
		return NULL;
	pfn = pte_pfn(ptep_read(p)) + (((unsigned long)addr & (pt_span(level) - 1)) >> PAGE_SHIFT);
	return pfn_valid(pfn) ? pfn_to_page(pfn) : NULL;
}

void *vmalloc_area_start(const void *addr, size_t *size)
{
	struct varea *a;

	spin_lock(&area_lock);
	a = area_find((unsigned long)addr);
	if (a && size)
		*size = a->size;
	spin_unlock(&area_lock);
	return a ? (void *)a->start : NULL;
}

bool vmalloc_is_guard(unsigned long addr)
{
	bool guard = false;
	struct varea *a;
	int level;

	/* From the oops path: do not wait for a lock that the dead task may hold. */
	if (addr < VMALLOC_START || addr >= VMALLOC_END || !spin_trylock(&area_lock))
		return false;
	a = area_find(addr);
	if (a) {
		pte_t *p = arch_kernel_pte(addr, &level);

		guard = !p || !pte_present(ptep_read(p));
	}
	spin_unlock(&area_lock);
	return guard;
}

int vmalloc_for_each(int (*fn)(unsigned long, size_t, const char *, void *), void *arg)
{
	unsigned long addr = VMALLOC_START;
	int r = 0;

	while (!r) {
		struct rb_node *n;
		struct varea *best = NULL;
		unsigned long start = 0;
		size_t size = 0;
		const char *what = NULL;

		spin_lock(&area_lock);
		for (n = areas.node; n;) {
			struct varea *a = to_area(n);

			if (a->start >= addr) {
				best = a;
				n = n->left;
			} else {
				n = n->right;
			}
		}
		if (best) {
			start = best->start;
			size = best->size;
			what = best->what;
		}
		spin_unlock(&area_lock);
		if (!best)
			break;
		r = fn(start, size, what, arg);
		addr = start + size;
	}
	return r;
}

unsigned long vmalloc_nr_pages(void)
{
	return (unsigned long)atomic64_read(&mapped_pages);
}

void vmalloc_init(void)
{
	area_cache = KMEM_CACHE(varea, SLAB_PANIC);
}
