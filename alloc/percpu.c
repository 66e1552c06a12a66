// SPDX-License-Identifier: MIT
/*
 * Dynamic per-CPU memory. The CPUs' static areas lie at a constant distance from each other; a chunk is one vmalloc range of
 * CPUs * distance bytes, so that the same arithmetic reaches it: allocation a of chunk c is known by the address that
 * becomes CPU 0's copy once CPU 0's offset is added. Chunks are made as they fill and live for ever.
 *
 * CPU 0's copy of a chunk is divided into slabs of SLAB bytes. A slab serves allocations of one size, a power of two, and has a mask
 * of its free places; an empty slab may serve any size. How many a user has (each mount is one) costs nothing but the
 * search for a chunk by its address, in a tree.
 */
#include <lib/types.h>
#include <lib/bits.h>
#include <lib/list.h>
#include <lib/minmax.h>
#include <lib/rbtree.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/percpu.h>
#include <kernel/spinlock.h>
#include <kernel/upcalls.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <arch/page.h>

#define UNIT 8UL
#define SLAB 512UL
#define ORDERS 7		/* UNIT << 0 .. UNIT << 6, which is SLAB */
_Static_assert(UNIT << (ORDERS - 1) == SLAB && SLAB == PERCPU_MOST, "the largest fills a slab");

struct chunk;
struct slab {
	struct list_head list;	/* chunk_lock: of roomy[] or empty; in none: full */
	struct chunk *chunk;	/* c */
	unsigned long free;	/* chunk_lock: places */
	unsigned int order;	/* chunk_lock: places are UNIT << order */
};

struct chunk {
	struct rb_node node;	/* chunk_lock */
	char *base;		/* c: CPU 0's copy */
	struct slab slab[];
};

static DEFINE_SPINLOCK(chunk_lock);
static struct rb_root chunks;			/* chunk_lock: by base */
static LIST_HEAD(empty);			/* chunk_lock */
static struct list_head roomy[ORDERS] = {	/* chunk_lock: slabs in use with free places */
	LIST_HEAD_INIT(roomy[0]), LIST_HEAD_INIT(roomy[1]), LIST_HEAD_INIT(roomy[2]), LIST_HEAD_INIT(roomy[3]),
	LIST_HEAD_INIT(roomy[4]), LIST_HEAD_INIT(roomy[5]), LIST_HEAD_INIT(roomy[6]),
};

static size_t distance;				/* of two CPUs' copies; set before the first chunk is there */

static size_t cpu_distance(void)
{
	size_t d = nr_cpu_ids > 1 ? __per_cpu_offset[1] - __per_cpu_offset[0] : 8 * PAGE_SIZE;

	for (unsigned int cpu = 1; cpu < nr_cpu_ids; cpu++)
		BUG_ON(__per_cpu_offset[cpu] != __per_cpu_offset[0] + cpu * d);
	return d;
}

static unsigned long all_places(unsigned int order)
{
	return ~0ul >> (64 - (SLAB / UNIT >> order));
}

static struct chunk *chunk_new(void)
{
	struct chunk *c;

	distance = cpu_distance();
	c = kzalloc(sizeof(*c) + distance / SLAB * sizeof(c->slab[0]), GFP_KERNEL);
	if (!c)
		return NULL;
	c->base = vmalloc(distance * nr_cpu_ids);
	if (!c->base) {
		kfree(c);
		return NULL;
	}
	return c;
}

/* chunk_lock held. */
static void chunk_add(struct chunk *c)
{
	struct rb_node **link = &chunks.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = c->base < rb_entry(parent, struct chunk, node)->base ? &parent->left : &parent->right;
	}
	rb_link_node(&c->node, parent, link);
	rb_insert_color(&c->node, &chunks);
	for (size_t i = 0; i < distance / SLAB; i++) {
		c->slab[i].chunk = c;
		list_add_tail(&c->slab[i].list, &empty);
	}
}

/* chunk_lock held. The chunk that A, an address of CPU 0's, is in; NULL. */
static struct chunk *chunk_of(const char *a)
{
	struct rb_node *n = chunks.node;

	while (n) {
		struct chunk *c = rb_entry(n, struct chunk, node);

		if (a >= c->base && a < c->base + distance)
			return c;
		n = a < c->base ? n->left : n->right;
	}
	return NULL;
}

/* chunk_lock held. CPU 0's copy of a free place, or NULL: there is none. */
static char *take_place(unsigned int order)
{
	struct list_head *room = &roomy[order];
	struct slab *s;
	unsigned int i;

	if (list_empty(room)) {
		if (list_empty(&empty))
			return NULL;
		s = list_first_entry(&empty, struct slab, list);
		s->order = order;
		s->free = all_places(order);
		list_move(&s->list, room);
	}
	s = list_first_entry(room, struct slab, list);
	i = (unsigned int)__ffs(s->free);
	s->free &= ~(1ul << i);
	if (!s->free)
		list_del_init(&s->list);
	return s->chunk->base + (size_t)(s - s->chunk->slab) * SLAB + (i * UNIT << order);
}

/* The order of allocations of that size and alignment; ORDERS or more: too large. */
static unsigned int order_for(size_t size, size_t align)
{
	size_t n = max(size, align);
	unsigned int order = 0;

	while (UNIT << order < n && order < ORDERS)
		order++;
	return order;
}

void *__alloc_percpu(size_t size, size_t align)
{
	unsigned int order = order_for(size, align);
	struct chunk *fresh = NULL;
	char *a;

	if (!size || order >= ORDERS)
		return NULL;
	for (;;) {
		spin_lock(&chunk_lock);
		if (fresh)
			chunk_add(fresh);
		a = take_place(order);
		spin_unlock(&chunk_lock);
		if (a)
			break;
		fresh = chunk_new();
		if (!fresh)
			return NULL;
	}
	for (unsigned int cpu = 0; cpu < nr_cpu_ids; cpu++)
		memset(a + cpu * distance, 0, UNIT << order);
	return a - __per_cpu_offset[0];
}

void free_percpu(void *p)
{
	char *a = (char *)p + __per_cpu_offset[0];
	struct chunk *c;
	struct slab *s;

	if (!p)
		return;
	spin_lock(&chunk_lock);
	c = chunk_of(a);
	if (!WARN(!c, "free_percpu(%p): not an allocation", p)) {
		s = &c->slab[(size_t)(a - c->base) / SLAB];
		s->free |= 1ul << ((size_t)(a - c->base) % SLAB / UNIT >> s->order);
		list_del_init(&s->list);
		list_add(&s->list, s->free == all_places(s->order) ? &empty : &roomy[s->order]);
	}
	spin_unlock(&chunk_lock);
}

void *kernel_zalloc(size_t size)
{
	return kzalloc(size, GFP_KERNEL);
}

void kernel_free(const void *p)
{
	kfree(p);
}
