/* SPDX-License-Identifier: MIT */
/*
 * Boot-time memory: which physical ranges are RAM and which of them are taken. Used until the page allocator takes
 * over with memblock_for_each_free; no locks (one CPU). Pure: also builds on the host.
 */
#pragma once

#include <lib/types.h>

#define MEMBLOCK_MAX 256

struct memblock_range {
	phys_addr_t start, end;
};

struct memblock_list {
	unsigned int nr;
	struct memblock_range r[MEMBLOCK_MAX];	/* sorted, apart from each other */
};

struct memblock {
	struct memblock_list memory;
	struct memblock_list reserved;
	phys_addr_t limit;			/* allocations end at or below */
};

extern struct memblock memblock;

/* 0 or -ENOSPC (too many pieces). Overlaps are fine. */
int memblock_add(phys_addr_t start, u64 size);
int memblock_remove(phys_addr_t start, u64 size);
int memblock_reserve(phys_addr_t start, u64 size);
int memblock_free(phys_addr_t start, u64 size);
/* Physical address of SIZE free bytes, reserved now; highest that fits below the limit. 0: none. ALIGN: power of two. */
phys_addr_t memblock_alloc_phys(u64 size, u64 align);
phys_addr_t memblock_alloc_range(u64 size, u64 align, phys_addr_t lo, phys_addr_t hi);
void memblock_set_limit(phys_addr_t limit);
/* Drops RAM above the first LIMIT bytes (mem=). */
void memblock_cap_memory(u64 bytes);
phys_addr_t memblock_start(void);
phys_addr_t memblock_end(void);
u64 memblock_total(void);
bool memblock_is_memory(phys_addr_t pa);
bool memblock_is_reserved(phys_addr_t start, u64 size);

/* The next free piece at or after *START: true and [*START, *END). */
bool memblock_next_free(phys_addr_t *start, phys_addr_t *end);
#define memblock_for_each_free(start, end) \
	for ((start) = 0, (end) = 0; memblock_next_free(&(start), &(end)); (start) = (end))
