// SPDX-License-Identifier: MIT
/*
 * The leak scanner's records (debug build).
 *
 * Of each object of a slab, each large kmalloc and each area of kernel addresses is known who allocated it, when, and by which way. A scan
 * (kmemleak_scan.c) marks what can be reached by following words that look like pointers to the inside of an object; what cannot be, twice
 * and unchanged in between, is a suspect. Nobody is stopped for it: objects come and go while it goes on.
 *
 * So that a word found anywhere may be followed, kmemleak_with() goes from an address to its object by what the allocators' own structures
 * say, believes none of it, and calls back under the lock without which that object's memory cannot become something else: a slab with objects out
 * stays one under its cache's lock, a large kmalloc under large_lock, an area under area_lock. Who allocates and frees takes none of these for
 * the record, but changes its state in one store; the scanner changes it by compare-and-swap.
 *
 * Records of a slab lie behind its last object. Backtraces are kept once each, for ever: there are as many as ways through the code.
 *
 * Not instrumented, like the sanitizer: memory is read here whatever its shadow says.
 */
#include <lib/types.h>

#ifdef CONFIG_KMEMLEAK
#include <abi/errno.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <arch/stacktrace.h>
#include <kernel/init.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <kernel/time.h>
#include <kernel/upcalls.h>
#include <lib/hash.h>
#include <lib/string.h>
#include "kmemleak_priv.h"
#include "slab_priv.h"
#include "vmalloc_priv.h"

u32 kmemleak_scan_now;
atomic_t kmemleak_nr_roots;
static bool disabled;

bool kmemleak_enabled(void)
{
	return !READ_ONCE(disabled);
}

void kmemleak_disable(void)
{
	WRITE_ONCE(disabled, true);
}

/* ---- backtraces ---- */

struct kmemleak_trace {
	struct kmemleak_trace *next;	/* constant once it is in its chain */
	u32 hash;
	u32 nr;
	u32 frame[];			/* from the start of the kernel's code; 0: code that lies elsewhere */
};

#define TRACE_BITS 14
static struct kmemleak_trace *traces[1 << TRACE_BITS];	/* trace_lock; read without */
static char *trace_mem;					/* trace_lock: of pages that are never given back */
static size_t trace_left;				/* trace_lock */
static spinlock_t trace_lock = __SPIN_LOCK_UNLOCKED(trace_lock);	/* raw: allocation is inside all other locks */

struct walk {
	unsigned long from;
	bool begun;
	u32 skipped, nr, hash;
	u32 frame[KMEMLEAK_FRAMES];
};

static bool note_frame(void *arg, unsigned long addr)
{
	struct walk *w = arg;
	u32 f = kernel_text_address(addr) || addr - (unsigned long)__init_begin < (unsigned long)(__init_end - __init_begin)
		? (u32)(addr - (unsigned long)_text) : 0;

	/* The allocator's own frames are left out; should its caller not come, its caller's callers do. */
	if (!w->begun && addr != w->from && ++w->skipped < 8)
		return true;
	w->begun = true;
	w->frame[w->nr++] = f;
	w->hash = (w->hash ^ f) * 0x9e3779b1U;
	w->hash ^= w->hash >> 15;
	return w->nr < KMEMLEAK_FRAMES;
}

static struct kmemleak_trace *trace_find(const struct walk *w)
{
	struct kmemleak_trace *t = smp_load_acquire(&traces[hash_32(w->hash, TRACE_BITS)]);

	while (t && (t->hash != w->hash || t->nr != w->nr || memcmp(t->frame, w->frame, w->nr * sizeof(u32))))
		t = t->next;
	return t;
}

/* trace_lock held. PAGE, where it is used, is taken. */
static struct kmemleak_trace *trace_add(const struct walk *w, struct page **page)
{
	size_t size = (sizeof(struct kmemleak_trace) + w->nr * sizeof(u32) + 7) & ~7ul;
	struct kmemleak_trace **bucket = &traces[hash_32(w->hash, TRACE_BITS)], *t;

	if (trace_left < size) {
		if (!*page)
			return NULL;
		trace_mem = page_address(*page);
		trace_left = PAGE_SIZE;
		slab_count_page();
		*page = NULL;
	}
	t = (struct kmemleak_trace *)trace_mem;
	trace_mem += size;
	trace_left -= size;
	t->hash = w->hash;
	t->nr = w->nr;
	memcpy(t->frame, w->frame, w->nr * sizeof(u32));
	t->next = *bucket;
	smp_store_release(bucket, t);		/* pairs with trace_find() */
	return t;
}

/* The way here from IP on; NULL when there is no memory for a new one. */
static const struct kmemleak_trace *trace_here(unsigned long ip)
{
	struct walk w = { .from = ip };
	struct page *page = NULL;
	struct kmemleak_trace *t;
	unsigned long flags;

	arch_stack_walk(NULL, note_frame, &w);
	t = trace_find(&w);
	if (likely(t))
		return t;
	if (READ_ONCE(trace_left) < sizeof(*t) + sizeof(w.frame)) {
		/* Not to be injected a fault into, nor to wait or wake anybody: whoever allocates here may hold any lock. */
		page = alloc_pages(__GFP_HIGH | __GFP_NOWARN | __GFP_NOFAIL, 0);
		if (page)
			kmemleak_no_scan_page(page);
	}
	flags = arch_irq_save();
	__raw_spin_lock(&trace_lock);
	t = trace_find(&w);
	if (!t)
		t = trace_add(&w, &page);
	__raw_spin_unlock(&trace_lock);
	arch_irq_restore(flags);
	if (page)
		__free_page(page);
	return t;
}

unsigned int kmemleak_frames(const struct kmemleak_object *o, unsigned long *out)
{
	const struct kmemleak_trace *t = o->trace;

	for (unsigned int i = 0; t && i < t->nr; i++)
		out[i] = t->frame[i] ? (unsigned long)_text + t->frame[i] : 0;
	return t ? t->nr : 0;
}

/* ---- what allocators say ---- */

void kmemleak_alloc(struct kmemleak_object *o, size_t size, unsigned long ip)
{
	const char *comm = in_interrupt() ? "hardirq" : current_task_name();

	if (unlikely(READ_ONCE(disabled)))
		return;
	o->mark = READ_ONCE(kmemleak_scan_now);
	o->size = (u32)size;
	o->pid = in_interrupt() ? 0 : current_task_pid();
	o->born = jiffies;
	memcpy(o->comm, comm, strnlen(comm, sizeof(o->comm) - 1) + 1);
	o->trace = trace_here(ip);
	/* Complete before it is live; pairs with kmemleak_with(). */
	smp_store_release(&o->state, (o->state & ~(u32)KL_FLAGS) + KL_NUMBER + KL_LIVE);
}

void kmemleak_free(struct kmemleak_object *o)
{
	u32 old = READ_ONCE(o->state);

	while (!try_cmpxchg(&o->state, &old, old & ~(u32)KL_FLAGS))
		;
	if (unlikely(old & KL_NOT_LEAK))
		atomic_dec(&kmemleak_nr_roots);
}

void kmemleak_no_scan_page(struct page *page)
{
	page->mapping = 1;		/* whose pages have an owner there are no roots; the allocator clears it */
}

/* ---- slabs ---- */

/* The caches that there are, by address: a word in a struct page is one of them or is not followed. Allocators make SLAB_MAX_CACHES at most, ever. */
#define CACHE_BITS 9
_Static_assert((1 << CACHE_BITS) > 2 * SLAB_MAX_CACHES, "the table never fills");
static struct kmem_cache *caches[1 << CACHE_BITS];	/* slab_list_lock; read under RCU */
#define GONE ((struct kmem_cache *)1)

static struct kmem_cache **cache_slot(const struct kmem_cache *c)
{
	u32 i = hash_ptr(c, CACHE_BITS);

	while (READ_ONCE(caches[i]) && READ_ONCE(caches[i]) != c)
		i = (i + 1) & ((1 << CACHE_BITS) - 1);
	return &caches[i];
}

void kmemleak_cache_made(struct kmem_cache *c)
{
	rcu_assign_pointer(*cache_slot(c), c);
}

void kmemleak_cache_gone(struct kmem_cache *c)
{
	struct kmem_cache **slot = cache_slot(c);

	if (*slot == c)
		WRITE_ONCE(*slot, GONE);
	synchronize_rcu();
}

struct page *kmemleak_head(struct page *page)
{
	struct page *head = page;

	if (page_type(page) == PAGE_TYPE_TAIL) {
		unsigned long off;

		head = (struct page *)(uintptr_t)READ_ONCE(page->mapping);
		off = (unsigned long)page - (unsigned long)head;
		if (off >= sizeof(*page) << MAX_PAGE_ORDER || off % sizeof(*page) || (page_to_pfn(head) ^ page_to_pfn(page)) >> MAX_PAGE_ORDER)
			return NULL;
	}
	return head;
}

static struct page *page_at(unsigned long addr)
{
	unsigned long pfn = virt_to_pfn((void *)addr);

	return addr >= (unsigned long)phys_to_virt(0) && pfn < max_pfn && pfn_valid(pfn) ? pfn_to_page(pfn) : NULL;
}

static struct kmemleak_object *slab_object(struct page *head, unsigned long addr, struct kmemleak_place *p)
{
	struct kmem_cache *c = (struct kmem_cache *)(uintptr_t)READ_ONCE(head->mapping);
	unsigned long base = (unsigned long)page_address(head), i;

	if (!c || c == GONE || READ_ONCE(*cache_slot(c)) != c)
		return NULL;
	i = (u64)(addr - base) * c->recip >> 32;
	if (i >= c->objs_per_slab)
		return NULL;
	*p = (struct kmemleak_place){ .start = base + i * c->slot_size, .size = c->object_size, .cache = c };
	return addr - p->start < p->size ? slab_record(c, (void *)base, (unsigned int)i) : NULL;
}

struct kmemleak_object *kmemleak_peek(unsigned long addr, struct kmemleak_place *p)
{
	struct page *page = page_at(addr), *head = page ? kmemleak_head(page) : NULL;

	return head && PageSlab(head) ? slab_object(head, addr, p) : NULL;
}

static bool with_slab(struct page *head, unsigned long addr, kmemleak_fn fn, void *arg)
{
	struct kmemleak_place p;
	struct kmemleak_object *o;
	bool found = false;

	preempt_disable();		/* caches go after a grace period */
	o = slab_object(head, addr, &p);
	if (o) {
		struct kmem_cache *c = (struct kmem_cache *)p.cache;
		unsigned long flags;

		spin_lock_irqsave(&c->lock, flags);
		if (PageSlab(head) && head->mapping == (uintptr_t)c && ((struct slab *)head)->inuse && smp_load_acquire(&o->state) & KL_LIVE) {
			fn(o, &p, arg);
			found = true;
		}
		spin_unlock_irqrestore(&c->lock, flags);
	}
	preempt_enable();
	return found;
}

static struct kmemleak_object *record_of(const void *obj)
{
	struct page *head = compound_head(virt_to_page(obj));
	struct kmem_cache *c = (struct kmem_cache *)(uintptr_t)head->mapping;
	char *base = page_address(head);

	return slab_record(c, base, (unsigned int)((u64)((const char *)obj - base) * c->recip >> 32));
}

void kmemleak_alloc_slab(void *obj, size_t size, unsigned long ip)
{
	kmemleak_alloc(record_of(obj), size, ip);
}

void kmemleak_free_slab(void *obj)
{
	kmemleak_free(record_of(obj));
}

void kmemleak_set_size(const void *obj, size_t size)
{
	record_of(obj)->size = (u32)size;
}

/* ---- large kmallocs: the first page's struct page has room for a pointer ---- */

struct large {
	struct kmemleak_object o;
};
static struct kmem_cache *large_cache;
static DEFINE_SPINLOCK(large_lock);	/* held by who frees one: under it a page of that type stays one */

void kmemleak_alloc_pages(struct page *page, size_t size, unsigned long ip)
{
	struct large *l = large_cache ? kmem_cache_zalloc(large_cache, __GFP_HIGH | __GFP_NOWARN | __GFP_NOFAIL) : NULL;

	if (!l)
		return;		/* not known, never suspected */
	kmemleak_alloc(&l->o, size, ip);
	smp_store_release(&page->mapping, (uintptr_t)l);
}

void kmemleak_free_pages(struct page *page)
{
	struct large *l;
	unsigned long flags;

	spin_lock_irqsave(&large_lock, flags);
	l = (struct large *)(uintptr_t)page->mapping;
	page->mapping = 0;
	page->mapcount.counter = 0;
	spin_unlock_irqrestore(&large_lock, flags);
	if (l)
		kmemleak_free(&l->o);
	kmem_cache_free(large_cache, l);
}

static bool with_large(struct page *head, kmemleak_fn fn, void *arg)
{
	struct large *l = NULL;
	unsigned long flags;
	bool found = false;

	spin_lock_irqsave(&large_lock, flags);
	if (page_type(head) == PAGE_TYPE_KMALLOC)
		l = (struct large *)(uintptr_t)READ_ONCE(head->mapping);
	if (l && l->o.state & KL_LIVE) {
		struct kmemleak_place p = { .start = (unsigned long)page_address(head), .size = PAGE_SIZE << compound_order(head) };

		fn(&l->o, &p, arg);
		found = true;
	}
	spin_unlock_irqrestore(&large_lock, flags);
	return found;
}

/* ---- any ---- */

struct area_call {
	kmemleak_fn fn;
	void *arg;
	bool found;
};

static void call_area(struct varea *a, void *arg)
{
	struct kmemleak_place p = { .start = a->start, .size = a->size, .area = a };
	struct area_call *c = arg;

	c->found = a->leak.state & KL_LIVE;
	if (c->found)
		c->fn(&a->leak, &p, c->arg);
}

bool kmemleak_with(unsigned long addr, kmemleak_fn fn, void *arg)
{
	struct area_call c = { .fn = fn, .arg = arg };
	struct page *page, *head;

	if (is_vmalloc_addr((void *)addr)) {
		varea_with(addr, call_area, &c);
		return c.found;
	}
	page = page_at(addr);
	head = page ? kmemleak_head(page) : NULL;
	if (!head)
		return false;
	if (PageSlab(head))
		return with_slab(head, addr, fn, arg);
	return page_type(head) == PAGE_TYPE_KMALLOC && with_large(head, fn, arg);
}

bool kmemleak_change(struct kmemleak_object *o, u32 clear, u32 set)
{
	u32 old = READ_ONCE(o->state), number = old & ~(u32)KL_FLAGS;

	do {
		if (!(old & KL_LIVE) || (old & ~(u32)KL_FLAGS) != number)
			return false;
	} while (!try_cmpxchg(&o->state, &old, (old & ~clear) | set));
	if (set & ~old & KL_NOT_LEAK)
		atomic_inc(&kmemleak_nr_roots);
	return true;
}

static void set_no_scan(struct kmemleak_object *o, const struct kmemleak_place *p, void *arg)
{
	kmemleak_change(o, 0, KL_NO_SCAN);
}

void kmemleak_no_scan(const void *ptr)
{
	kmemleak_with((unsigned long)ptr, set_no_scan, NULL);
}

/* kmemleak=off costs no more than the room. */
static int set_kmemleak(const char *v)
{
	if (!v || (strcmp(v, "off") && strcmp(v, "on")))
		return -EINVAL;
	disabled = !strcmp(v, "off");
	return 0;
}
KERNEL_PARAM("kmemleak", set_kmemleak);

static int kmemleak_init(void)
{
	large_cache = kmem_cache_create("kmemleak_large", sizeof(struct large), 8, 0, NULL);
	return large_cache ? 0 : -ENOMEM;
}
INITCALL(early, kmemleak_init);
#endif
