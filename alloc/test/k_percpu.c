// SPDX-License-Identifier: MIT
/* Dynamic per-CPU memory: sizes, alignment, places that come back. */
#include <alloc/vmalloc.h>
#include <kernel/cpumask.h>
#include <kernel/ktest.h>
#include <kernel/percpu.h>
#include <lib/string.h>

#define MANY 3000

static u8 *places[MANY];		/* the tests run one after the other */

static bool all_bytes(const u8 *b, size_t n, u8 v)
{
	for (size_t i = 0; i < n; i++)
		if (b[i] != v)
			return false;
	return true;
}

static size_t size_of(unsigned int i)
{
	return 1 + i * 37 % 512;
}

/* Zeroed, and apart from each other on all CPUs. */
KTEST(percpu_places_are_apart)
{
	unsigned int cpu;

	for (unsigned int i = 0; i < MANY; i++) {
		places[i] = __alloc_percpu(size_of(i), 8);
		KT_ASSERT(places[i]);
		for_each_possible_cpu(cpu) {
			KT_ASSERT(all_bytes(per_cpu_ptr(places[i], cpu), size_of(i), 0));
			memset(per_cpu_ptr(places[i], cpu), (int)(i + cpu), size_of(i));
		}
	}
	for (unsigned int i = 0; i < MANY; i++) {
		for_each_possible_cpu(cpu)
			KT_ASSERT(all_bytes(per_cpu_ptr(places[i], cpu), size_of(i), (u8)(i + cpu)));
		free_percpu(places[i]);
	}
}

KTEST(percpu_alignment)
{
	unsigned int cpu;

	for (size_t align = 1; align <= 512; align *= 2) {
		char *p = __alloc_percpu(1, align);

		KT_ASSERT(p);
		for_each_possible_cpu(cpu)
			KT_EQ((unsigned long)per_cpu_ptr(p, cpu) & (align - 1), 0);
		free_percpu(p);
	}
	KT_ASSERT(!__alloc_percpu(0, 1));
	KT_ASSERT(!__alloc_percpu(513, 1));
}

/* What was free for one size serves another one: no round takes more memory than the first, at whose size a slab holds one. */
KTEST(percpu_places_come_back)
{
	unsigned long after_first = 0;

	for (unsigned int round = 0; round < 6; round++) {
		for (unsigned int i = 0; i < MANY; i++) {
			places[i] = __alloc_percpu(512u >> round, 8);
			KT_ASSERT(places[i]);
		}
		if (!round)
			after_first = vmalloc_nr_pages();
		KT_ASSERT(vmalloc_nr_pages() <= after_first + 64);	/* others use it, too */
		for (unsigned int i = 0; i < MANY; i++)
			free_percpu(places[i]);
	}
}
