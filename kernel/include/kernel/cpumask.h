/* SPDX-License-Identifier: MIT */
/*
 * Sets of CPUs. NR_CPUS bounds what this build can name; nr_cpu_ids is what the machine has, sized at boot.
 *
 * Only the first nr_cpu_words words of a mask count: no function here reads or writes the others, so that a machine of up to 64 CPUs handles
 * one word, and a mask at the end of an object may be cut after those words (cpumask_size()).
 */
#pragma once

#include <lib/bitmap.h>

#include <arch/nr_cpus.h>

struct cpumask {
	unsigned long bits[BITS_TO_LONGS(NR_CPUS)];
};

typedef struct cpumask cpumask_t;

extern unsigned int nr_cpu_ids, nr_cpu_words;	/* constant since start_kernel's first step */
extern struct cpumask cpu_possible_mask_, cpu_present_mask_, cpu_online_mask_, cpu_active_mask_;
#define cpu_possible_mask ((const struct cpumask *)&cpu_possible_mask_)
#define cpu_present_mask ((const struct cpumask *)&cpu_present_mask_)
#define cpu_online_mask ((const struct cpumask *)&cpu_online_mask_)
#define cpu_active_mask ((const struct cpumask *)&cpu_active_mask_)

#define cpumask_bits(m) ((m)->bits)
#define cpumask_set_cpu(c, m) set_bit((c), (m)->bits)
#define __cpumask_set_cpu(c, m) __set_bit((c), (m)->bits)
#define cpumask_clear_cpu(c, m) clear_bit((c), (m)->bits)
#define __cpumask_clear_cpu(c, m) __clear_bit((c), (m)->bits)
#define cpumask_test_cpu(c, m) test_bit((c), (m)->bits)
#define cpumask_test_and_set_cpu(c, m) test_and_set_bit((c), (m)->bits)
#define cpumask_test_and_clear_cpu(c, m) test_and_clear_bit((c), (m)->bits)
#define cpumask_weight(m) bitmap_weight((m)->bits, nr_cpu_ids)
/* nr_cpu_ids where there is none. */
#define cpumask_first(m) ((unsigned int)find_first_bit((m)->bits, nr_cpu_ids))
#define cpumask_next(c, m) ((unsigned int)find_next_bit((m)->bits, nr_cpu_ids, (unsigned long)(c) + 1))
#define for_each_cpu(c, m) \
	for ((c) = cpumask_first(m); (unsigned int)(c) < nr_cpu_ids; (c) = cpumask_next(c, m))
#define for_each_possible_cpu(c) for_each_cpu(c, cpu_possible_mask)
#define for_each_online_cpu(c) for_each_cpu(c, cpu_online_mask)
#define cpu_online(c) cpumask_test_cpu(c, cpu_online_mask)
#define cpu_possible(c) cpumask_test_cpu(c, cpu_possible_mask)
#define num_online_cpus() cpumask_weight(cpu_online_mask)
#define num_possible_cpus() cpumask_weight(cpu_possible_mask)

/* The bytes of a mask that count; what sched_getaffinity(2) returns. */
static inline size_t cpumask_size(void)
{
	return nr_cpu_words * sizeof(unsigned long);
}

/* The first word always counts: the loops test after it. */

static inline void cpumask_clear(struct cpumask *m)
{
	unsigned int i = 0;

	do
		m->bits[i] = 0;
	while (unlikely(++i < nr_cpu_words));
}

static inline void cpumask_copy(struct cpumask *d, const struct cpumask *s)
{
	unsigned int i = 0;

	do
		d->bits[i] = s->bits[i];
	while (unlikely(++i < nr_cpu_words));
}

static inline void cpumask_setall(struct cpumask *m)
{
	bitmap_fill(m->bits, nr_cpu_ids);
}

static inline bool cpumask_empty(const struct cpumask *m)
{
	unsigned int i = 0;

	do
		if (m->bits[i])
			return false;
	while (unlikely(++i < nr_cpu_words));
	return true;
}

/* D = A op B; true when D is not empty. */
static inline bool cpumask_and(struct cpumask *d, const struct cpumask *a, const struct cpumask *b)
{
	unsigned long any = 0;
	unsigned int i = 0;

	do
		any |= d->bits[i] = a->bits[i] & b->bits[i];
	while (unlikely(++i < nr_cpu_words));
	return any;
}

static inline bool cpumask_andnot(struct cpumask *d, const struct cpumask *a, const struct cpumask *b)
{
	unsigned long any = 0;
	unsigned int i = 0;

	do
		any |= d->bits[i] = a->bits[i] & ~b->bits[i];
	while (unlikely(++i < nr_cpu_words));
	return any;
}

static inline void cpumask_or(struct cpumask *d, const struct cpumask *a, const struct cpumask *b)
{
	unsigned int i = 0;

	do
		d->bits[i] = a->bits[i] | b->bits[i];
	while (unlikely(++i < nr_cpu_words));
}

static inline bool cpumask_intersects(const struct cpumask *a, const struct cpumask *b)
{
	struct cpumask t;

	return cpumask_and(&t, a, b);
}

static inline bool cpumask_subset(const struct cpumask *a, const struct cpumask *b)
{
	struct cpumask t;

	return !cpumask_andnot(&t, a, b);
}

static inline bool cpumask_equal(const struct cpumask *a, const struct cpumask *b)
{
	return cpumask_subset(a, b) && cpumask_subset(b, a);
}
