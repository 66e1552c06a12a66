// SPDX-License-Identifier: MIT
/*
 * Boot-time memory: two sorted lists of ranges, RAM and reserved; free is the difference. Lists merge what touches.
 * Allocation goes from the top down, so that low memory (DMA, start-up code) stays free.
 */
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <lib/string.h>

#ifdef __KERNEL_OCHRE__
#include <abi/errno.h>
#else
#include <errno.h>
#endif

struct memblock memblock = { .limit = ~0ULL };

static void list_cut(struct memblock_list *l, unsigned int i)
{
	memmove(&l->r[i], &l->r[i + 1], (l->nr - i - 1) * sizeof(l->r[0]));
	l->nr--;
}

static int list_insert(struct memblock_list *l, unsigned int i, phys_addr_t s, phys_addr_t e)
{
	if (l->nr == MEMBLOCK_MAX)
		return -ENOSPC;
	memmove(&l->r[i + 1], &l->r[i], (l->nr - i) * sizeof(l->r[0]));
	l->r[i] = (struct memblock_range){ s, e };
	l->nr++;
	return 0;
}

static int list_add(struct memblock_list *l, phys_addr_t s, phys_addr_t e)
{
	unsigned int i = 0;

	if (s >= e)
		return 0;
	while (i < l->nr && l->r[i].end < s)
		i++;
	if (i == l->nr || l->r[i].start > e)
		return list_insert(l, i, s, e);
	l->r[i].start = min(l->r[i].start, s);
	l->r[i].end = max(l->r[i].end, e);
	while (i + 1 < l->nr && l->r[i + 1].start <= l->r[i].end) {
		l->r[i].end = max(l->r[i].end, l->r[i + 1].end);
		list_cut(l, i + 1);
	}
	return 0;
}

static int list_remove(struct memblock_list *l, phys_addr_t s, phys_addr_t e)
{
	for (unsigned int i = 0; i < l->nr && l->r[i].start < e; ) {
		struct memblock_range *r = &l->r[i];

		if (r->end <= s) {
			i++;
		} else if (r->start >= s && r->end <= e) {
			list_cut(l, i);
		} else if (r->start < s && r->end > e) {
			phys_addr_t end = r->end;
			int err = list_insert(l, i + 1, e, end);

			if (err)
				return err;
			l->r[i].end = s;
			return 0;
		} else if (r->start < s) {
			r->end = s;
			i++;
		} else {
			r->start = e;
			i++;
		}
	}
	return 0;
}

/* End of the range, not past the top of the address space. */
static phys_addr_t range_end(phys_addr_t start, u64 size)
{
	phys_addr_t end;

	return check_add_overflow(start, size, &end) ? ~0ULL : end;
}

int memblock_add(phys_addr_t start, u64 size)
{
	return list_add(&memblock.memory, start, range_end(start, size));
}

int memblock_remove(phys_addr_t start, u64 size)
{
	return list_remove(&memblock.memory, start, range_end(start, size));
}

int memblock_reserve(phys_addr_t start, u64 size)
{
	return list_add(&memblock.reserved, start, range_end(start, size));
}

int memblock_free(phys_addr_t start, u64 size)
{
	return list_remove(&memblock.reserved, start, range_end(start, size));
}

void memblock_set_limit(phys_addr_t limit)
{
	memblock.limit = limit;
}

/* The highest place for SIZE bytes in [lo, hi) that no reservation touches, or ~0. */
static phys_addr_t fit_in(phys_addr_t lo, phys_addr_t hi, u64 size, u64 align)
{
	const struct memblock_list *res = &memblock.reserved;
	unsigned int i = res->nr;

	while (hi >= size && hi - size >= lo) {
		phys_addr_t at = ALIGN_DOWN(hi - size, align);

		if (at < lo)
			return ~0ULL;
		while (i && res->r[i - 1].start >= at + size)
			i--;
		if (!i || res->r[i - 1].end <= at)
			return at;
		hi = res->r[i - 1].start;
	}
	return ~0ULL;
}

phys_addr_t memblock_alloc_range(u64 size, u64 align, phys_addr_t lo, phys_addr_t hi)
{
	lo = max(lo, (phys_addr_t)1);		/* 0 means failure */
	for (unsigned int i = memblock.memory.nr; size && i--; ) {
		const struct memblock_range *r = &memblock.memory.r[i];
		phys_addr_t at = fit_in(max(lo, r->start), min(hi, r->end), size, align);

		if (at != ~0ULL)
			return memblock_reserve(at, size) ? 0 : at;
	}
	return 0;
}

phys_addr_t memblock_alloc_phys(u64 size, u64 align)
{
	return memblock_alloc_range(size, align, 0, memblock.limit);
}

void memblock_cap_memory(u64 bytes)
{
	for (unsigned int i = 0; i < memblock.memory.nr; i++) {
		struct memblock_range *r = &memblock.memory.r[i];

		if (r->end - r->start > bytes) {
			r->end = r->start + bytes;
			memblock.memory.nr = r->end > r->start ? i + 1 : i;
			return;
		}
		bytes -= r->end - r->start;
	}
}

phys_addr_t memblock_start(void)
{
	return memblock.memory.nr ? memblock.memory.r[0].start : 0;
}

phys_addr_t memblock_end(void)
{
	return memblock.memory.nr ? memblock.memory.r[memblock.memory.nr - 1].end : 0;
}

u64 memblock_total(void)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < memblock.memory.nr; i++)
		sum += memblock.memory.r[i].end - memblock.memory.r[i].start;
	return sum;
}

bool memblock_is_memory(phys_addr_t pa)
{
	for (unsigned int i = 0; i < memblock.memory.nr; i++)
		if (pa >= memblock.memory.r[i].start && pa < memblock.memory.r[i].end)
			return true;
	return false;
}

bool memblock_is_reserved(phys_addr_t start, u64 size)
{
	phys_addr_t end = range_end(start, size);

	for (unsigned int i = 0; i < memblock.reserved.nr; i++)
		if (start < memblock.reserved.r[i].end && end > memblock.reserved.r[i].start)
			return true;
	return false;
}

bool memblock_next_free(phys_addr_t *start, phys_addr_t *end)
{
	const struct memblock_list *res = &memblock.reserved;
	phys_addr_t at = *start;

	for (unsigned int i = 0; i < memblock.memory.nr; i++) {
		phys_addr_t lo = max(at, memblock.memory.r[i].start), hi = memblock.memory.r[i].end;

		for (unsigned int j = 0; j < res->nr && lo < hi; j++) {
			if (res->r[j].end <= lo)
				continue;
			if (res->r[j].start > lo) {
				hi = min(hi, res->r[j].start);
				break;
			}
			lo = res->r[j].end;
		}
		if (lo < hi) {
			*start = lo;
			*end = hi;
			return true;
		}
	}
	return false;
}
