// SPDX-License-Identifier: MIT
/* The allocators from inside: pages, objects, areas, the sparse array. */
#include "alloc/page_priv.h"
#include <alloc/page.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <alloc/xarray.h>
#include <abi/errno.h>
#include <arch/mmu.h>
#include <kernel/ktest.h>
#include <lib/memblock.h>
#include <lib/string.h>
#include <kernel/rcu.h>
#include <sched/completion.h>
#include <sched/kthread.h>

KTEST(alloc_pages_orders)
{
	struct page *p[NR_PAGE_ORDERS];

	for (unsigned int o = 0; o < NR_PAGE_ORDERS - 2; o++) {
		p[o] = alloc_pages(GFP_KERNEL | __GFP_COMP, o);
		KT_ASSERT(p[o]);
		KT_EQ(page_to_pfn(p[o]) & ((1ul << o) - 1), 0);
		KT_EQ(compound_order(p[o]), o);
		for (unsigned long i = 0; i < 1ul << o; i++)
			KT_ASSERT(compound_head(p[o] + i) == p[o]);
		memset(page_address(p[o]), (int)o + 1, PAGE_SIZE << o);
	}
	for (unsigned int o = 0; o < NR_PAGE_ORDERS - 2; o++) {
		u8 *b = page_address(p[o]);

		for (size_t i = 0; i < PAGE_SIZE << o; i++)
			KT_ASSERT(b[i] == o + 1);
		__free_pages(p[o], o);
	}
}

/* A machine of 512 MiB whose ordinary requests find nothing: kswapd must see that. */
KTEST(alloc_reserves_are_not_free)
{
	static struct zone z[MAX_NR_ZONES] = {
		[ZONE_DMA] = { .free = 509, .reserve = 491, .wmark_high = 29, .managed = 3294 },
		[ZONE_DMA32] = { .free = 699, .wmark_high = 1050, .managed = 125880 },
	};

	KT_EQ(zones_are_low(z), true);
	z[ZONE_DMA32].free = 1060;
	KT_EQ(zones_are_low(z), true);
	z[ZONE_DMA32].free = 1061;
	KT_EQ(zones_are_low(z), false);
	z[ZONE_DMA].free = 20;
	KT_EQ(zones_are_low(z), true);
}

KTEST(alloc_pages_no_leak)
{
	unsigned long before;
	struct page *p;

	drain_local_pages();
	before = nr_free_pages();
	for (int i = 0; i < 2000; i++) {
		p = alloc_pages(GFP_KERNEL, (unsigned int)i % 4);
		KT_ASSERT(p);
		__free_pages(p, (unsigned int)i % 4);
	}
	drain_local_pages();
	KT_ASSERT(nr_free_pages() + 64 >= before);
}

KTEST(alloc_zeroed)
{
	for (int i = 0; i < 64; i++) {
		unsigned long *w = (unsigned long *)get_zeroed_page(GFP_KERNEL);

		KT_ASSERT(w);
		for (size_t k = 0; k < PAGE_SIZE / sizeof(*w); k++)
			KT_ASSERT(w[k] == 0);
		memset(w, 0xff, PAGE_SIZE);
		free_page((unsigned long)w);
	}
}

KTEST(slab_kmalloc_classes)
{
	for (size_t size = 1; size <= 3 * KMALLOC_MAX_CACHE_SIZE; size = size * 3 / 2 + 1) {
		u8 *a = kmalloc(size, GFP_KERNEL), *b = kzalloc(size, GFP_KERNEL);

		KT_ASSERT(a && b && a != b);
		KT_ASSERT(ksize(a) >= size);
		memset(a, 0xaa, size);
		for (size_t i = 0; i < size; i++)
			KT_ASSERT(b[i] == 0);
		a = krealloc(a, size * 2, GFP_KERNEL);
		KT_ASSERT(a);
		for (size_t i = 0; i < size; i++)
			KT_ASSERT(a[i] == 0xaa);
		kfree(a);
		kfree(b);
	}
	kfree(NULL);
}

static void ctor_magic(void *p)
{
	*(u32 *)p = 0x600df00d;
}

KTEST(slab_cache_life)
{
	static void *obj[500];
	struct kmem_cache *c = kmem_cache_create("ktest", 40, 8, 0, ctor_magic);

	KT_ASSERT(c);
	for (int i = 0; i < 500; i++) {
		obj[i] = kmem_cache_alloc(c, GFP_KERNEL);
		KT_ASSERT(obj[i]);
		KT_EQ(*(u32 *)obj[i], 0x600df00d);
		for (int k = 0; k < i; k++)
			KT_ASSERT(obj[k] != obj[i]);
	}
	KT_EQ(kmem_cache_live(c), 500);
	for (int i = 0; i < 500; i++)
		kmem_cache_free(c, obj[i]);
	memset(obj, 0, sizeof(obj));	/* the next there may be leaks on purpose */
	KT_EQ(kmem_cache_live(c), 0);
	kmem_cache_destroy(c);
}

struct typesafe {
	unsigned long count;
	char more[32];
};

struct typesafe_reader {
	struct typesafe *obj;
	unsigned long sum, stop;
	struct completion started, done;
};

/* Holds no reference: of a typesafe cache it may, whoever frees and takes the object meanwhile. */
static int read_typesafe(void *arg)
{
	struct typesafe_reader *r = arg;

	complete(&r->started);
	while (!READ_ONCE(r->stop)) {
		rcu_read_lock();
		for (int i = 0; i < 1000; i++)
			r->sum += READ_ONCE(r->obj->count);
		rcu_read_unlock();
	}
	complete(&r->done);
	return 0;
}

KTEST(slab_typesafe_reader)
{
	struct kmem_cache *c = kmem_cache_create("k_typesafe", sizeof(struct typesafe), 8,
						 SLAB_TYPESAFE_BY_RCU, NULL);
	static struct typesafe_reader r;
	struct typesafe *keep, *o;

	KT_ASSERT(c);
	keep = kmem_cache_alloc(c, GFP_KERNEL);		/* its slab stays */
	r.obj = kmem_cache_alloc(c, GFP_KERNEL);
	KT_ASSERT(keep && r.obj);
	r.stop = 0;
	init_completion(&r.started);
	init_completion(&r.done);
	KT_ASSERT(!IS_ERR(kthread_run(read_typesafe, &r, "k_typesafe")));
	wait_for_completion(&r.started);
	kmem_cache_free(c, r.obj);
	for (int i = 0; i < 50000; i++) {
		o = kmem_cache_alloc(c, GFP_KERNEL);
		if (!o)
			break;
		WRITE_ONCE(o->count, 1);
		kmem_cache_free(c, o);
	}
	WRITE_ONCE(r.stop, 1);
	wait_for_completion(&r.done);
	synchronize_rcu();
	kmem_cache_free(c, keep);
	kmem_cache_destroy(c);
}

KTEST(vmalloc_areas)
{
	unsigned long before = vmalloc_nr_pages();
	u8 *a = vmalloc(5 * PAGE_SIZE), *b = vzalloc(100 * PAGE_SIZE);
	struct page *pg[2];
	u8 *m;

	KT_ASSERT(a && b && is_vmalloc_addr(a));
	memset(a, 1, 5 * PAGE_SIZE);
	for (size_t i = 0; i < 100 * PAGE_SIZE; i++)
		KT_ASSERT(b[i] == 0);
	KT_ASSERT(vmalloc_is_guard((unsigned long)a + 5 * PAGE_SIZE));
	KT_ASSERT(!vmalloc_is_guard((unsigned long)a));
	pg[0] = vmalloc_to_page(a + PAGE_SIZE);
	pg[1] = vmalloc_to_page(a);
	m = vmap(pg, 2, 0);
	KT_ASSERT(m);
	m[0] = 77;
	KT_EQ(a[PAGE_SIZE], 77);
	vunmap(m);
	vfree(a);
	vfree(b);
	KT_EQ(vmalloc_nr_pages(), before);
}

/* A flush of more pages than are flushed one by one takes nothing that the kernel itself needs. */
KTEST(vmalloc_flush_of_all)
{
	u8 *p = vmalloc(3 * PAGE_SIZE);

	KT_ASSERT(p);
	memset(p, 0x5a, 3 * PAGE_SIZE);
	arch_tlb_flush_kernel_range((unsigned long)p, (unsigned long)p + (PAGE_SIZE << 12));
	KT_EQ(p[2 * PAGE_SIZE], 0x5a);
	vfree(p);
}

/*
 * A second mapping is a way round the owner: of the kernel's image, of allocated pages, of what
 * borders on RAM.
 */
KTEST(ioremap_refuses_ram)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	phys_addr_t end = memblock.memory.r[memblock.memory.nr - 1].end;

	KT_ASSERT(page);
	KT_ASSERT(!ioremap(virt_to_phys(page), 16));
	KT_ASSERT(!ioremap_wc(virt_to_phys(page) + 8, PAGE_SIZE));
	KT_ASSERT(!ioremap(image_to_phys(_text), 1));
	KT_ASSERT(!ioremap(end - 1, PAGE_SIZE));
	KT_ASSERT(!ioremap(memblock.memory.r[0].start, (size_t)(end - memblock.memory.r[0].start)));
	KT_ASSERT(!ioremap(0, SIZE_MAX));
	KT_ASSERT(!ioremap(~(phys_addr_t)0 - 8, 8));
	free_page((unsigned long)page);
}

KTEST(xarray_store_find)
{
	static const unsigned long at[] = { 0, 1, 63, 64, 4095, 4096, 1ul << 20, 1ul << 40, ~0ul };
	DEFINE_XARRAY(xa);
	unsigned long i;
	unsigned int n = 0;
	void *e;

	for (unsigned int k = 0; k < ARRAY_SIZE(at); k++) {
		KT_ASSERT(!xa_load(&xa, at[k]));
		KT_ASSERT(!xa_store(&xa, at[k], xa_mk_value(k + 1), GFP_KERNEL));
	}
	for (unsigned int k = 0; k < ARRAY_SIZE(at); k++)
		KT_EQ(xa_to_value(xa_load(&xa, at[k])), k + 1);
	xa_for_each(&xa, i, e) {
		KT_EQ(i, at[n]);
		n++;
	}
	KT_EQ(n, ARRAY_SIZE(at));
	xa_set_mark(&xa, 4096, XA_MARK_1);
	xa_set_mark(&xa, 1ul << 40, XA_MARK_1);
	KT_ASSERT(xa_marked(&xa, XA_MARK_1) && !xa_marked(&xa, XA_MARK_0));
	i = 0;
	KT_ASSERT(xa_find(&xa, &i, ~0ul, XA_MARK_1));
	KT_EQ(i, 4096);
	KT_ASSERT(xa_find_after(&xa, &i, ~0ul, XA_MARK_1));
	KT_EQ(i, 1ul << 40);
	KT_ASSERT(!xa_find_after(&xa, &i, ~0ul, XA_MARK_1));
	xa_erase(&xa, 1ul << 40);
	xa_clear_mark(&xa, 4096, XA_MARK_1);
	KT_ASSERT(!xa_marked(&xa, XA_MARK_1));
	for (unsigned int k = 0; k < ARRAY_SIZE(at); k++)
		xa_erase(&xa, at[k]);
	KT_ASSERT(xa_empty(&xa));
}

/* What CALL answers, with XA locked for it. */
#define LOCKED(call) ({ int __r; xa_lock(&xa); __r = (call); xa_unlock(&xa); __r; })

/* An entry at many indices is found at each, has its marks at all, and gives its places to others. */
KTEST(xarray_runs)
{
	static const unsigned long at[] = { 0, 64, 8, 1ul << 30 };
	static u64 others[64];
	DEFINE_XARRAY(xa);

	for (unsigned int k = 0; k < ARRAY_SIZE(at); k++) {
		unsigned int order = at[k] == 8 ? 3 : k ? 6 : 2;
		unsigned long last = at[k] + (1ul << order) - 1;

		KT_EQ(LOCKED(__xa_insert_run(&xa, at[k], order, &xa, GFP_ATOMIC)), 0);
		KT_EQ(LOCKED(__xa_insert_run(&xa, at[k], order, &xa, GFP_ATOMIC)), -EBUSY);
		KT_EQ(LOCKED(__xa_insert(&xa, last, &xa, GFP_ATOMIC)), -EBUSY);
		KT_ASSERT(xa_load(&xa, at[k]) == &xa && xa_load(&xa, last) == &xa && !xa_load(&xa, last + 1));
		LOCKED((__xa_set_mark_run(&xa, at[k], order, XA_MARK_1), 0));
		KT_ASSERT(xa_get_mark(&xa, at[k], XA_MARK_1) && xa_get_mark(&xa, last, XA_MARK_1) && !xa_get_mark(&xa, last + 1, XA_MARK_1));
		KT_ASSERT(xa_marked(&xa, XA_MARK_1) && !xa_marked(&xa, XA_MARK_0));
		xa_clear_mark(&xa, at[k], XA_MARK_1);
		LOCKED((__xa_split_run(&xa, at[k], order, others, sizeof(others[0])), 0));
		KT_ASSERT(xa_load(&xa, at[k]) == others && xa_load(&xa, last) == others + (last - at[k]));
		KT_ASSERT(!xa_get_mark(&xa, at[k], XA_MARK_1) && xa_get_mark(&xa, last, XA_MARK_1));
		LOCKED((__xa_clear_mark_run(&xa, at[k], order, XA_MARK_1), 0));
		KT_ASSERT(!xa_marked(&xa, XA_MARK_1));
		LOCKED((__xa_set_mark_run(&xa, at[k], order, XA_MARK_2), 0));
	}
	/* A run does not go where one of its places is taken. */
	KT_EQ(LOCKED(__xa_insert_run(&xa, 0, 6, &xa, GFP_ATOMIC)), -EBUSY);
	KT_ASSERT(!xa_load(&xa, 4));
	LOCKED((__xa_erase_run(&xa, 0, 2), 0));
	LOCKED((__xa_erase_run(&xa, 8, 3), 0));
	LOCKED((__xa_erase_run(&xa, 64, 6), 0));
	KT_ASSERT(xa_marked(&xa, XA_MARK_2) && xa_load(&xa, (1ul << 30) + 63) == others + 63);
	LOCKED((__xa_erase_run(&xa, 1ul << 30, 6), 0));
	KT_ASSERT(xa_empty(&xa) && !xa_marked(&xa, XA_MARK_2));
}

/* Nobody else changes XA: what is found stays. */
static void __rcu **slots_of(struct xarray *xa, unsigned long index, unsigned int *n)
{
	void __rcu **s;

	rcu_read_lock();
	s = xa_slots(xa, index, n);
	rcu_read_unlock();
	return s;
}

/* Places that lie one behind the other: entries, empty ones, and where there is no node. */
KTEST(xarray_slots)
{
	DEFINE_XARRAY(xa);
	unsigned int n = 16;
	void __rcu **s;

	KT_ASSERT(!slots_of(&xa, 0, &n));
	KT_EQ(n, 16);
	KT_ASSERT(!xa_store(&xa, 0, xa_mk_value(1), GFP_KERNEL));
	s = slots_of(&xa, 0, &n);
	KT_ASSERT(s && xa_to_value(rcu_access_pointer(*s)) == 1);
	KT_EQ(n, 1);
	n = 100;
	KT_ASSERT(!slots_of(&xa, 60, &n));
	KT_EQ(n, 4);
	for (unsigned long i = 64; i < 70; i++)
		KT_ASSERT(!xa_store(&xa, i, xa_mk_value(i), GFP_KERNEL));
	n = 100;
	s = slots_of(&xa, 65, &n);
	KT_EQ(n, 63);
	for (unsigned long i = 0; i < n; i++)
		KT_EQ(rcu_access_pointer(s[i]) ? xa_to_value(rcu_access_pointer(s[i])) : 0,
		      i < 5 ? 65 + i : 0);
	n = 100;
	KT_ASSERT(!slots_of(&xa, 128, &n));
	KT_EQ(n, 64);
	n = 100;
	KT_ASSERT(!slots_of(&xa, 1ul << 40, &n));
	xa_destroy(&xa);
}

/* Who looks at an entry's place sees it go, whatever becomes of the nodes. */
KTEST(xarray_erased_in_its_place)
{
	DEFINE_XARRAY(xa);
	unsigned int n = 2;
	void __rcu **s;
	void *stays, *goes;

	KT_ASSERT(!xa_store(&xa, 0, xa_mk_value(1), GFP_KERNEL));
	KT_ASSERT(!xa_store(&xa, 1, xa_mk_value(2), GFP_KERNEL));
	rcu_read_lock();
	s = xa_slots(&xa, 0, &n);
	xa_erase(&xa, 1);
	stays = rcu_dereference(*s);
	xa_erase(&xa, 0);
	goes = rcu_dereference(*s);
	rcu_read_unlock();
	KT_EQ(xa_to_value(stays), 1);
	KT_ASSERT(!goes && xa_empty(&xa));
	/* And of one that has moved, where it is no longer. */
	KT_ASSERT(!xa_store(&xa, 0, xa_mk_value(1), GFP_KERNEL));
	s = slots_of(&xa, 0, &n);
	KT_ASSERT(!xa_store(&xa, 1, xa_mk_value(2), GFP_KERNEL));
	KT_ASSERT(xa_is_internal(rcu_access_pointer(*s)));
	KT_EQ(xa_to_value(xa_load(&xa, 0)), 1);
	xa_destroy(&xa);
}

/* Pages one behind the other, each freed alone. */
KTEST(alloc_adjacent_pages)
{
	struct page *p = alloc_pages_adjacent(GFP_KERNEL, 4);

	KT_ASSERT(p);
	memset(page_address(p), 0x5a, PAGE_SIZE << 4);
	for (int i = 0; i < 16; i++) {
		struct page *page = p + (i * 7 & 15);

		KT_EQ(page_ref_count(page), 1);
		KT_EQ(*((u8 *)page_address(page) + 77), 0x5a);
		__free_pages(page, 0);
	}
}

/* One far entry in an empty array, and one beside an entry at 0. */
KTEST(xarray_sparse)
{
	static const unsigned long at[] = { 63, 64, 1ul << 18, (1ul << 30) + 77, 1ul << 51, ~0ul };

	for (unsigned int k = 0; k < ARRAY_SIZE(at); k++) {
		for (int zero = 0; zero < 2; zero++) {
			DEFINE_XARRAY(xa);
			unsigned long i = 0;

			if (zero)
				KT_ASSERT(!xa_store(&xa, 0, xa_mk_value(7), GFP_KERNEL));
			KT_ASSERT(!xa_store(&xa, at[k], xa_mk_value(5), GFP_KERNEL));
			KT_EQ(xa_to_value(xa_load(&xa, at[k])), 5);
			KT_ASSERT(xa_find(&xa, &i, ~0ul, XA_PRESENT));
			KT_EQ(i, zero ? 0 : at[k]);
			xa_erase(&xa, at[k]);
			KT_EQ(xa_empty(&xa), !zero);
			KT_ASSERT(!zero || xa_to_value(xa_load(&xa, 0)) == 7);
			xa_destroy(&xa);
		}
	}
}

KTEST(xarray_dense)
{
	DEFINE_XARRAY_ALLOC(xa);
	u32 id, next = 0;

	for (unsigned long i = 0; i < 5000; i++)
		KT_ASSERT(!xa_insert(&xa, i, xa_mk_value(i), GFP_KERNEL));
	KT_EQ(xa_insert(&xa, 77, xa_mk_value(1), GFP_KERNEL), -EBUSY);
	xa_erase(&xa, 4321);
	KT_EQ(xa_alloc(&xa, &id, xa_mk_value(9), xa_limit_32b, GFP_KERNEL), 0);
	KT_EQ(id, 4321);
	for (unsigned long i = 0; i < 5000; i++)
		xa_erase(&xa, i);
	KT_ASSERT(xa_empty(&xa));
	KT_EQ(xa_alloc_cyclic(&xa, &id, xa_mk_value(1), XA_LIMIT(5, 6), &next, GFP_KERNEL), 0);
	KT_EQ(id, 5);
	KT_EQ(xa_alloc_cyclic(&xa, &id, xa_mk_value(1), XA_LIMIT(5, 6), &next, GFP_KERNEL), 0);
	KT_EQ(id, 6);
	KT_EQ(xa_alloc_cyclic(&xa, &id, xa_mk_value(1), XA_LIMIT(5, 6), &next, GFP_KERNEL), -EBUSY);
	xa_erase(&xa, 5);
	KT_EQ(xa_alloc_cyclic(&xa, &id, xa_mk_value(1), XA_LIMIT(5, 6), &next, GFP_KERNEL), 1);
	xa_destroy(&xa);
	KT_ASSERT(xa_empty(&xa));
}
