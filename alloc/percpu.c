// SPDX-License-Identifier: MIT
/*
 * Dynamic per-CPU memory. The CPUs' static areas lie at a constant distance from each other; a chunk is one vmalloc range of
 * CPUs * distance bytes, so that the same arithmetic reaches it: allocation a of chunk c is known by the address that
 * becomes CPU 0's copy once CPU 0's offset is added. Chunks are made as they fill and live for ever; free space is a bitmap of
 * 8-byte units.
 */
#include <lib/types.h>
#include <lib/bitmap.h>
#include <lib/list.h>
#include <lib/minmax.h>
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

struct chunk {
	struct list_head list;		/* chunk_lock */
	char *base;			/* CPU 0's copy */
	unsigned long units, used, hint;	/* chunk_lock */
	unsigned long *map;		/* chunk_lock: units in use */
	u16 *len;			/* chunk_lock: units of the allocation that starts here */
};

static LIST_HEAD(chunks);
static DEFINE_SPINLOCK(chunk_lock);

static size_t cpu_distance(void)
{
	size_t d = nr_cpu_ids > 1 ? __per_cpu_offset[1] - __per_cpu_offset[0] : 8 * PAGE_SIZE;

	for (unsigned int cpu = 1; cpu < nr_cpu_ids; cpu++)
		BUG_ON(__per_cpu_offset[cpu] != __per_cpu_offset[0] + cpu * d);
	return d;
}

static struct chunk *chunk_new(void)
{
	size_t d = cpu_distance();
	struct chunk *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return NULL;
	c->units = d / UNIT;
	c->map = kcalloc(BITS_TO_LONGS(c->units), sizeof(long), GFP_KERNEL);
	c->len = kcalloc(c->units, sizeof(u16), GFP_KERNEL);
	c->base = vmalloc(d * nr_cpu_ids);
	if (!c->map || !c->len || !c->base) {
		kfree(c->map);
		kfree(c->len);
		vfree(c->base);
		kfree(c);
		return NULL;
	}
	return c;
}

/* chunk_lock held. The first unit, or -1. */
static long chunk_take(struct chunk *c, unsigned long n, unsigned long align_units)
{
	unsigned long i;

	if (c->units - c->used < n)
		return -1;
	i = bitmap_find_next_zero_area(c->map, c->units, c->hint, n, align_units - 1);
	if (i >= c->units)
		i = bitmap_find_next_zero_area(c->map, c->units, 0, n, align_units - 1);
	if (i >= c->units)
		return -1;
	bitmap_set(c->map, i, n);
	c->len[i] = (u16)n;
	c->used += n;
	c->hint = i + n;
	return (long)i;
}

void *__alloc_percpu(size_t size, size_t align)
{
	unsigned long n = DIV_ROUND_UP(size, UNIT), au = max(align / UNIT, 1UL);
	struct chunk *c, *fresh = NULL;
	long i = -1;

	if (!n || n > cpu_distance() / UNIT || n > U16_MAX || align > PAGE_SIZE)
		return NULL;
	for (;;) {
		spin_lock(&chunk_lock);
		if (fresh)
			list_add(&fresh->list, &chunks);
		list_for_each_entry(c, &chunks, list) {
			i = chunk_take(c, n, au);
			if (i >= 0)
				break;
		}
		spin_unlock(&chunk_lock);
		if (i >= 0)
			break;
		if (fresh)
			return NULL;
		fresh = chunk_new();
		if (!fresh)
			return NULL;
	}
	for (unsigned int cpu = 0; cpu < nr_cpu_ids; cpu++)
		memset(c->base + (size_t)i * UNIT + cpu * cpu_distance(), 0, n * UNIT);
	return c->base + (size_t)i * UNIT - __per_cpu_offset[0];
}

void free_percpu(void *p)
{
	char *a;
	struct chunk *c;

	if (!p)
		return;
	a = (char *)p + __per_cpu_offset[0];
	spin_lock(&chunk_lock);
	list_for_each_entry(c, &chunks, list) {
		unsigned long i = (unsigned long)(a - c->base) / UNIT;

		if (a < c->base || i >= c->units)
			continue;
		bitmap_clear(c->map, i, c->len[i]);
		c->used -= c->len[i];
		c->hint = min(c->hint, i);
		spin_unlock(&chunk_lock);
		return;
	}
	spin_unlock(&chunk_lock);
	WARN(1, "free_percpu(%p): not an allocation", p);
}

void *kernel_zalloc(size_t size)
{
	return kzalloc(size, GFP_KERNEL);
}

void kernel_free(const void *p)
{
	kfree(p);
}
