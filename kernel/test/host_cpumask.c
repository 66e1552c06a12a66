// SPDX-License-Identifier: MIT
/* sources: lib/bitmap.c lib/string.c */
/* Sets of CPUs of more than one word: what counts is handled, in every word, and what does not count is not touched. */
#include <assert.h>
#include <kernel/cpumask.h>

unsigned int nr_cpu_ids, nr_cpu_words;
struct cpumask cpu_possible_mask_, cpu_present_mask_, cpu_online_mask_, cpu_active_mask_;

#define ALL (NR_CPUS / 64)

static void have(unsigned int cpus)
{
	nr_cpu_ids = cpus;
	nr_cpu_words = (unsigned int)BITS_TO_LONGS(cpus);
}

static void fill(struct cpumask *m)
{
	for (unsigned int i = 0; i < ALL; i++)
		m->bits[i] = 0xdeadUL;
}

static void rest_untouched(const struct cpumask *m)
{
	for (unsigned int i = nr_cpu_words; i < ALL; i++)
		assert(m->bits[i] == 0xdeadUL);
}

static void check(unsigned int cpus)
{
	struct cpumask a, b, d;
	unsigned int cpu, n = 0;

	have(cpus);
	assert(cpumask_size() == (cpus + 63) / 64 * 8);
	fill(&a);
	fill(&b);
	fill(&d);
	cpumask_clear(&a);
	assert(cpumask_empty(&a) && cpumask_first(&a) == cpus && !cpumask_weight(&a));
	for_each_cpu(cpu, &a)
		assert(0);
	__cpumask_set_cpu(cpus - 1, &a);
	assert(!cpumask_empty(&a) && cpumask_first(&a) == cpus - 1 && cpumask_next(cpus - 1, &a) == cpus && cpumask_test_cpu(cpus - 1, &a));
	cpumask_setall(&b);
	assert(cpumask_weight(&b) == cpus && cpumask_subset(&a, &b) && (cpus == 1 || !cpumask_subset(&b, &a)) && cpumask_intersects(&a, &b));
	for_each_cpu(cpu, &b)
		assert(cpu == n++);
	assert(n == cpus);
	assert(cpumask_and(&d, &a, &b) && cpumask_equal(&d, &a));
	rest_untouched(&d);
	assert(cpumask_andnot(&d, &b, &a) == (cpus > 1) && cpumask_weight(&d) == cpus - 1);
	cpumask_or(&d, &d, &a);
	assert(cpumask_equal(&d, &b));
	cpumask_copy(&d, &a);
	assert(cpumask_equal(&d, &a));
	rest_untouched(&a);
	rest_untouched(&d);
	cpumask_clear(&b);
	assert(!cpumask_and(&d, &a, &b) && cpumask_empty(&d) && !cpumask_intersects(&a, &b));
}

int main(void)
{
	for (unsigned int cpus = 1; cpus <= NR_CPUS; cpus++)
		check(cpus);
	return 0;
}
