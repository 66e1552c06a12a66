// SPDX-License-Identifier: MIT
/*
 * The leak scanner's search: marks what can be reached, and suspects the rest (kmemleak.c says what objects are).
 *
 * Roots: the image's data, the CPUs' static variables, what each CPU has on its stack just now (asked by interrupt, so registers are among
 * it), each page that the kernel holds and no object is of, the owner word of each page, and objects that their owners said are no leak. From
 * there each word that points to the inside of an object marks it, and it is looked into in turn. Kernel stacks are objects like others: of
 * one whose task sleeps only what lies above its stack pointer counts. User memory, page tables and free pages are left out.
 *
 * Nobody waits meanwhile, so an object may be missed whose one pointer moved from where the scan was not yet to where it had been. Therefore
 * what was not reached is summed, and counts as reached once more if its sum is new: a suspect is what two scans did not reach, with the same
 * contents, kmemleak_min_age_ms after it was made. What is allocated during a scan passes for reached.
 *
 * Memory of the direct map can be read whatever happens to it; of kernel addresses each page is looked up first and read there.
 */
#include <lib/types.h>

#ifdef CONFIG_KMEMLEAK
#include <abi/errno.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <alloc/upcalls.h>
#include <alloc/vmalloc.h>
#include <kernel/cpumask.h>
#include <kernel/current.h>
#include <kernel/irq.h>
#include <kernel/percpu.h>
#include <kernel/printk.h>
#include <kernel/time.h>
#include <lib/bitmap.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "kmemleak_priv.h"
#include "page_priv.h"
#include "slab_priv.h"
#include "vmalloc_priv.h"

unsigned int kmemleak_min_age_ms = 5000;
bool kmemleak_stacks = true;
static u32 last_scan;		/* who scans; one that began */
static u32 complete_scan;	/* the last that came to its end */
static u32 scanning;		/* atomic */

#define BLOCK (1ul << MAX_PAGE_ORDER)

/* Objects that are marked and not looked into yet: a stack of pages of their addresses. */
struct todo {
	struct todo *below;
	unsigned int nr;
	unsigned long addr[(PAGE_SIZE - 16) / sizeof(long)];
};
_Static_assert(sizeof(struct todo) == PAGE_SIZE, "a page");

struct scan {
	u32 nr;
	int err;
	unsigned int found;
	u64 now;
	const void *me;
	unsigned long my_sp;
	struct todo *todo;
	unsigned long *of_areas;	/* pages of areas, by frame: found by way of these */
	unsigned long direct_map, direct_size;
	char *stacks;			/* THREAD_SIZE bytes for each CPU */
	unsigned long stop_at;
};

/* ---- marking ---- */

static bool push(struct scan *s, unsigned long addr)
{
	struct todo *t = s->todo;

	if (!t || t->nr == ARRAY_SIZE(t->addr)) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL, 0);

		if (!page) {
			s->err = -ENOMEM;
			return false;
		}
		kmemleak_no_scan_page(page);
		t = page_address(page);
		t->below = s->todo;
		t->nr = 0;
		s->todo = t;
	}
	t->addr[t->nr++] = addr;
	return true;
}

static unsigned long pop(struct scan *s)
{
	struct todo *t = s->todo;
	unsigned long addr;

	if (!t)
		return 0;
	addr = t->addr[--t->nr];
	if (!t->nr) {
		s->todo = t->below;
		free_page((unsigned long)t);
	}
	return addr;
}

struct marking {
	u32 nr;
	bool fresh;
	unsigned long start;
};

static void mark(struct kmemleak_object *o, const struct kmemleak_place *p, void *arg)
{
	struct marking *m = arg;

	m->fresh = o->mark != m->nr;
	o->mark = m->nr;
	m->start = p->start;
}

/* Most words that point anywhere point to what is marked already. */
static bool marked_already(struct scan *s, unsigned long v)
{
	struct kmemleak_object *o;
	struct kmemleak_place p;
	bool yes;

	preempt_disable();
	o = kmemleak_peek(v, &p);
	yes = o && READ_ONCE(o->mark) == s->nr;
	preempt_enable();
	return yes;
}

static void reach(struct scan *s, unsigned long v)
{
	struct marking m = { .nr = s->nr };

	if (v - s->direct_map >= s->direct_size) {
		if (!is_vmalloc_addr((void *)v))
			return;
	} else if (marked_already(s, v)) {
		return;
	}
	if (kmemleak_with(v, mark, &m) && m.fresh)
		push(s, m.start);
}

static void scan_words(struct scan *s, unsigned long from, unsigned long to)
{
	for (unsigned long a = ALIGN(from, sizeof(long)); a + sizeof(long) <= to && !s->err; a += sizeof(long))
		reach(s, READ_ONCE(*(unsigned long *)a));
}

/* ---- areas of kernel addresses ---- */

struct in_area {
	unsigned long addr;
	unsigned long page;	/* in the direct map; 0: none */
};

static void find_page(struct varea *a, void *arg)
{
	struct in_area *i = arg;
	struct page *page = a->leak.state & KL_LIVE ? vmalloc_to_page((void *)i->addr) : NULL;

	i->page = page ? (unsigned long)page_address(page) : 0;
}

/* Where the page at ADDR can be read for good; 0: there is no memory. */
static unsigned long area_page(unsigned long addr)
{
	struct in_area i = { .addr = addr };

	varea_with(addr, find_page, &i);
	return i.page;
}

struct stack_call {
	unsigned long owner, stack, from;
};

static void ask_owner(struct kmemleak_object *o, const struct kmemleak_place *p, void *arg)
{
	struct stack_call *c = arg;

	if (p->start == c->owner && p->cache)
		c->from = kmemleak_stack_used((void *)c->owner, p->size, c->stack);
}

static unsigned long stack_used(unsigned long stack)
{
	unsigned long low = area_page(stack);
	struct stack_call c = { .owner = low ? READ_ONCE(*(unsigned long *)low) : 0, .stack = stack, .from = stack + THREAD_SIZE };

	if (c.owner)
		kmemleak_with(c.owner, ask_owner, &c);
	return c.from;
}

static void scan_area(struct scan *s, unsigned long a, unsigned long to, bool is_stack)
{
	if (is_stack) {
		if (!kmemleak_stacks)
			return;
		a = stack_used(a + THREAD_SIZE);
	}
	while (a < to) {
		unsigned long next = min((a & PAGE_MASK) + PAGE_SIZE, to), page = area_page(a);

		if (page)
			scan_words(s, page + offset_in_page(a), page + offset_in_page(a) + (next - a));
		a = next;
	}
}

/* ---- objects ---- */

struct contents {
	unsigned long start;
	size_t size;
	u32 state, mark;		/* as it was; it is marked then, where that is asked for */
	u32 set_mark;
	const struct varea *area;	/* it may be over by now */
	unsigned long pages;
	bool stack, owned;
};

static bool is_stack(const struct varea *a)
{
	return !strcmp(a->what, "stack");
}

static void get_contents(struct kmemleak_object *o, const struct kmemleak_place *p, void *arg)
{
	struct contents *c = arg;
	u32 nr = c->set_mark;

	*c = (struct contents){
		.start = p->start, .size = p->size, .state = o->state, .mark = o->mark, .area = p->area, .stack = p->area && is_stack(p->area),
		.pages = p->area ? (unsigned long)p->area->pages : 0, .owned = p->area && (p->area->pages || is_stack(p->area)),
	};
	if (nr)
		o->mark = nr;
}

static void scan_object(struct scan *s, unsigned long addr)
{
	struct contents c = { .set_mark = s->nr };

	if (!kmemleak_with(addr, get_contents, &c) || c.state & KL_NO_SCAN)
		return;
	if (!c.area)
		scan_words(s, c.start, c.start + c.size);
	else if (c.owned)
		scan_area(s, c.start, c.start + c.size, c.stack);
}

static void scan_todo(struct scan *s)
{
	unsigned long addr;

	while (!s->err && (addr = pop(s)))
		scan_object(s, addr);
}

typedef bool (*want_fn)(u32 state, u32 mark);
typedef bool (*each_fn)(struct scan *s, unsigned long start);

/* The objects of the slab at BASE. */
static bool each_of_slab(struct scan *s, unsigned long base, unsigned long from, want_fn want, each_fn fn)
{
	for (unsigned long a = base, end = base + 1; a < end;) {
		struct kmemleak_place p;
		struct kmemleak_object *o;
		bool take;

		preempt_disable();
		o = kmemleak_peek(a, &p);
		if (!o) {
			preempt_enable();
			return true;
		}
		take = p.start == a && a >= from && want(READ_ONCE(o->state), READ_ONCE(o->mark));
		end = base + (unsigned long)p.cache->objs_per_slab * p.cache->slot_size;
		a += p.cache->slot_size;
		preempt_enable();
		if (take && !fn(s, p.start))
			return false;
	}
	return true;
}

/* Calls FN, until it returns false, with the start of each object from FROM on; of slabs' objects only what WANT takes at a look without a lock. */
static void each_object(struct scan *s, unsigned long from, want_fn want, each_fn fn)
{
	unsigned long first = from > s->direct_map ? (from - s->direct_map) >> PAGE_SHIFT : 0, start, end;

	first = is_vmalloc_addr((void *)from) ? ULONG_MAX : round_down(first, BLOCK);	/* FROM may be inside a slab */
	for (unsigned int i = 0; ram_run(i, &start, &end); i++) {
		for (unsigned long pfn = max(start, first); pfn < end; pfn++) {
			struct page *page = pfn_to_page(pfn);
			unsigned long base = (unsigned long)page_address(page);

			if (page_type(page) == PAGE_TYPE_KMALLOC && base >= from && !fn(s, base))
				return;
			if (PageSlab(page) && !each_of_slab(s, base, from, want, fn))
				return;
		}
	}
	for (unsigned long a = varea_next(from); a; a = varea_next(a + 1))
		if (!fn(s, a))
			return;
}

/* ---- roots ---- */

/* On each CPU, in an interrupt: what is on the stack that it interrupted, registers included. The boot stack is of the image's data. */
static void note_stack(void *arg)
{
	struct scan *s = arg;
	unsigned long from = current == s->me ? s->my_sp : (unsigned long)__builtin_frame_address(0), to = ALIGN(from + 1, (unsigned long)THREAD_SIZE);
	char *copy = s->stacks + (size_t)raw_smp_processor_id() * THREAD_SIZE;

	if (is_vmalloc_addr((void *)from))
		memcpy(copy, (void *)from, to - from);
}

static void scan_cpus(struct scan *s)
{
	size_t size = nr_cpu_ids * (size_t)THREAD_SIZE;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		scan_words(s, (unsigned long)per_cpu_ptr(&__per_cpu_start[0], cpu), (unsigned long)per_cpu_ptr(&__per_cpu_end[0], cpu));
	if (!kmemleak_stacks)
		return;
	s->stacks = vzalloc(size);
	if (!s->stacks) {
		s->err = -ENOMEM;
		return;
	}
	on_each_cpu(note_stack, s, true);
	scan_words(s, (unsigned long)s->stacks, (unsigned long)s->stacks + size);
	vfree(s->stacks);
}

/*
 * What is known of an area is no way to it: it is not looked into, and here all of that is marked. Frames whose contents are found by way of
 * their areas.
 */
static bool note_area(struct scan *s, unsigned long start)
{
	struct contents c = { 0 };

	if (!kmemleak_with(start, get_contents, &c))
		return true;
	reach(s, (unsigned long)c.area);
	reach(s, c.pages);
	if (!c.owned)
		return !s->err;
	for (unsigned long a = c.start; a < c.start + c.size; a += PAGE_SIZE) {
		unsigned long page = area_page(a);

		if (page)
			__set_bit(virt_to_pfn((void *)page), s->of_areas);
	}
	return !s->err;
}

/* Of a CPU's list of free pages, which is filled while the scan goes on, is PAGE_TYPE_PCP: the scanner's own lists come to lie there. */
static bool is_kernel_page(struct page *page)
{
	page = kmemleak_head(page);
	return page && !page_type(page) && !page->mapping &&
	       !((u64)atomic64_read(&page->flags) & (1ul << PG_lru | 1ul << PG_swapbacked | 1ul << PG_uptodate));
}

/* The frames in use of a block that is one zone's; those whose contents are looked into. */
static void frames_in_use(unsigned long first, unsigned long *used, unsigned long *content)
{
	struct zone *z = &zones[pfn_zone(first)];
	unsigned long flags, i = 0;

	bitmap_zero(used, BLOCK);
	bitmap_zero(content, BLOCK);
	spin_lock_irqsave(&z->lock, flags);
	while (i < BLOCK) {
		struct page *page = pfn_to_page(first + i);

		if (PageBuddy(page)) {
			i += 1ul << page_index(page);
			continue;
		}
		if (!PageReserved(page)) {
			__set_bit(i, used);
			if (is_kernel_page(page))
				__set_bit(i, content);
		}
		i++;
	}
	spin_unlock_irqrestore(&z->lock, flags);
}

static void scan_block(struct scan *s, unsigned long first)
{
	unsigned long used[BITS_TO_LONGS(BLOCK)], content[BITS_TO_LONGS(BLOCK)];

	frames_in_use(first, used, content);
	for (unsigned long i = 0; i < BLOCK && !s->err; i++) {
		unsigned long page = (unsigned long)pfn_to_virt(first + i);

		if (!test_bit(i, used))
			continue;
		reach(s, (unsigned long)READ_ONCE(pfn_to_page(first + i)->mapping));
		if (test_bit(i, content) && !test_bit(first + i, s->of_areas))
			scan_words(s, page, page + PAGE_SIZE);
	}
}

static void scan_frames(struct scan *s)
{
	unsigned long a, start, end;

	s->of_areas = kvcalloc(BITS_TO_LONGS(max_pfn + BLOCK), sizeof(long), GFP_KERNEL);
	if (!s->of_areas) {
		s->err = -ENOMEM;
		return;
	}
	drain_all_pages();
	for (a = varea_next(0); a && note_area(s, a); a = varea_next(a + 1))
		;
	for (unsigned int i = 0; ram_run(i, &start, &end); i++)
		for (unsigned long pfn = start; pfn < end && !s->err; pfn += BLOCK)
			scan_block(s, pfn);
	kvfree(s->of_areas);
}

static bool wants_root(u32 state, u32 mark)
{
	return (state & (KL_LIVE | KL_NOT_LEAK)) == (KL_LIVE | KL_NOT_LEAK);
}

static bool scan_root(struct scan *s, unsigned long start)
{
	struct contents c = { 0 };

	if (kmemleak_with(start, get_contents, &c) && wants_root(c.state, 0))
		reach(s, start);
	return !s->err;
}

/* ---- what was not reached ---- */

static bool wants_unmarked(u32 state, u32 mark)
{
	return state & KL_LIVE && (s32)(mark - last_scan) < 0 && !(state & KL_NOT_LEAK);
}

static u32 sum_words(u32 h, unsigned long from, size_t size)
{
	for (size_t i = 0; i + 4 <= size; i += 4) {
		h = (h ^ READ_ONCE(*(u32 *)(from + i))) * 0x9e3779b1U;
		h ^= h >> 15;
	}
	return h;
}

static u32 sum_object(const struct contents *c)
{
	u32 h = 1;

	if (!c->area)
		return sum_words(h, c->start, c->size);
	for (unsigned long a = c->start; c->owned && a < c->start + c->size; a += PAGE_SIZE) {
		unsigned long page = area_page(a);

		if (page)
			h = sum_words(h, page, PAGE_SIZE);
	}
	return h;
}

struct judging {
	struct scan *s;
	u32 number, sum;
	bool changed;
};

static void judge(struct kmemleak_object *o, const struct kmemleak_place *p, void *arg)
{
	struct judging *j = arg;

	if ((o->state & ~(u32)KL_FLAGS) != j->number)
		return;
	j->changed = o->crc_of != j->number || o->crc != j->sum;
	o->crc = j->sum;
	o->crc_of = j->number;
}

/* The first time, and when its contents are new, an object passes for reached, and what it points to with it. */
static bool compare_sum(struct scan *s, unsigned long start)
{
	struct judging j = { .s = s };
	struct contents c = { 0 };

	if (!kmemleak_with(start, get_contents, &c) || !wants_unmarked(c.state, c.mark))
		return true;
	j.number = c.state & ~(u32)KL_FLAGS;
	j.sum = sum_object(&c);
	if (!kmemleak_with(start, judge, &j) || !j.changed)
		return true;
	return push(s, start);
}

static void suspect(struct kmemleak_object *o, const struct kmemleak_place *p, void *arg)
{
	struct scan *s = arg;

	if (!wants_unmarked(o->state, o->mark) || o->state & KL_REPORTED || (s64)(s->now - o->born) < (s64)msecs_to_jiffies(kmemleak_min_age_ms))
		return;
	if (kmemleak_change(o, 0, KL_REPORTED))
		s->found++;
}

static bool report(struct scan *s, unsigned long start)
{
	kmemleak_with(start, suspect, s);
	return true;
}
static noinline void run(struct scan *s)
{
	s->me = current;
	s->my_sp = (unsigned long)__builtin_frame_address(0);
	s->now = jiffies;
	s->direct_map = (unsigned long)phys_to_virt(0);
	s->direct_size = max_pfn << PAGE_SHIFT;
	s->nr = ++last_scan ? last_scan : ++last_scan;
	WRITE_ONCE(kmemleak_scan_now, s->nr);
	scan_words(s, (unsigned long)_data, (unsigned long)_edata);
	scan_words(s, (unsigned long)__bss_start, (unsigned long)__bss_stop);
	scan_cpus(s);
	scan_todo(s);
	scan_frames(s);
	scan_todo(s);
	if (atomic_read(&kmemleak_nr_roots))
		each_object(s, 0, wants_root, scan_root);
	scan_todo(s);
	if (!s->err)
		each_object(s, 0, wants_unmarked, compare_sum);
	scan_todo(s);
	if (!s->err) {
		each_object(s, 0, wants_unmarked, report);
		complete_scan = s->nr;
	}
	while (pop(s))
		;
	WRITE_ONCE(kmemleak_scan_now, 0);
}

int kmemleak_scan(void)
{
	struct scan s = { 0 };

	if (!kmemleak_enabled())
		return -EPERM;
	if (xchg_acquire(&scanning, 1U))
		return -EBUSY;
	__builtin_unwind_init();	/* the caller's registers are on the stack, above what run() has there */
	run(&s);
	smp_store_release(&scanning, 0);
	if (s.found)
		pr_info("kmemleak: %u new suspected memory leaks (see /sys/kernel/debug/kmemleak)\n", s.found);
	return s.err ? s.err : (int)s.found;
}

/* ---- what was found ---- */

static bool wants_reported(u32 state, u32 mark)
{
	return (state & (KL_LIVE | KL_REPORTED | KL_NOT_LEAK)) == (KL_LIVE | KL_REPORTED) && (s32)(mark - complete_scan) < 0;
}

static void get_report(struct kmemleak_object *o, const struct kmemleak_place *p, void *arg)
{
	struct kmemleak_report *r = arg;

	*r = (struct kmemleak_report){
		.start = p->start, .size = o->size, .pid = o->pid, .born = o->born, .crc = o->crc, .flags = o->state & KL_FLAGS,
		.referenced = (s32)(o->mark - complete_scan) >= 0,
	};
	memcpy(r->comm, o->comm, sizeof(r->comm));
	r->nr_frames = kmemleak_frames(o, r->frames);
}

bool kmemleak_look_up(unsigned long addr, struct kmemleak_report *r)
{
	unsigned long at;

	if (!kmemleak_with(addr, get_report, r))
		return false;
	at = is_vmalloc_addr((void *)r->start) ? area_page(r->start) : r->start;
	r->nr_bytes = at ? (unsigned int)min(r->size, sizeof(r->bytes)) : 0;
	for (unsigned int i = 0; i < r->nr_bytes; i++)
		r->bytes[i] = READ_ONCE(((u8 *)at)[i]);
	return true;
}

static bool stop_at_reported(struct scan *s, unsigned long start)
{
	struct contents c = { 0 };

	if (!kmemleak_with(start, get_contents, &c) || !wants_reported(c.state, c.mark))
		return true;
	s->stop_at = start;
	return false;
}

bool kmemleak_next(unsigned long *addr, struct kmemleak_report *r)
{
	struct scan s = { .direct_map = (unsigned long)phys_to_virt(0) };

	do {
		s.stop_at = 0;
		each_object(&s, *addr, wants_reported, stop_at_reported);
		*addr = s.stop_at ? s.stop_at + 1 : ULONG_MAX;
	} while (s.stop_at && !kmemleak_look_up(s.stop_at, r));
	return s.stop_at;
}

static void accept(struct kmemleak_object *o, const struct kmemleak_place *p, void *arg)
{
	if (wants_reported(o->state, o->mark))
		kmemleak_change(o, KL_REPORTED, KL_NOT_LEAK);
}

static bool clear_one(struct scan *s, unsigned long start)
{
	kmemleak_with(start, accept, NULL);
	return true;
}

void kmemleak_clear(void)
{
	struct scan s = { .direct_map = (unsigned long)phys_to_virt(0) };

	each_object(&s, 0, wants_reported, clear_one);
}
#endif
