// SPDX-License-Identifier: MIT
/* The leak scanner: what it must find, and what keeps an object from being found. */
#include <lib/types.h>

#ifdef CONFIG_KMEMLEAK
#include <alloc/kmemleak.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <alloc/xarray.h>
#include <kernel/ksyms.h>
#include <kernel/ktest.h>
#include <kernel/percpu.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <sched/kthread.h>
#include <sched/sched.h>
#include <sched/wait.h>
#include <sched/completion.h>

/* Addresses of objects are kept as complements: no word points to them. */
static noinline unsigned long hide(const void *p)
{
	return ~(unsigned long)p;
}

static noinline unsigned long hidden_alloc(size_t size)
{
	unsigned long *p = kzalloc(size, GFP_KERNEL);

	return p ? hide(p) : 0;
}

static noinline unsigned long hidden_vmalloc(size_t size)
{
	unsigned long *p = vzalloc(size);

	p[0] = (unsigned long)p;	/* its own pointers do not keep it */
	return hide(p);
}

static noinline void set_word(unsigned long hidden, unsigned int i, unsigned long hidden_value)
{
	((unsigned long *)~hidden)[i] = ~hidden_value;
}

static noinline void hidden_free(unsigned long hidden)
{
	kvfree((void *)~hidden);
}

static noinline bool suspected(unsigned long hidden)
{
	struct kmemleak_report r;

	return kmemleak_look_up(~hidden, &r) && r.flags & KL_REPORTED && !r.referenced;
}

/* Twice, since a suspect is what two scans did not find, whatever its age. */
static noinline bool scan_twice(void)
{
	unsigned int age = kmemleak_min_age_ms;
	int a, b;

	kmemleak_min_age_ms = 0;
	a = kmemleak_scan();
	b = kmemleak_scan();
	kmemleak_min_age_ms = age;
	return a >= 0 && b >= 0;
}

/*
 * The search is conservative: by chance a stale word may point to where an object lies. Each thing is done to some objects; of leaked ones
 * most must be suspected, of others none may be.
 */
#define SETS 8
#define MOST 6

static unsigned int count_suspected(const unsigned long *h, unsigned int n)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < n; i++)
		found += suspected(h[i]);
	return found;
}

static void free_all(const unsigned long *h, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		hidden_free(h[i]);
}

KTEST(kmemleak_finds_a_leak)
{
	static const size_t sizes[] = { 24, 700, 5 * PAGE_SIZE, 0 };	/* 0: an area */
	unsigned long h[4][SETS];
	struct kmemleak_report r;

	for (int k = 0; k < 4; k++) {
		for (int i = 0; i < SETS; i++)
			h[k][i] = sizes[k] ? hidden_alloc(sizes[k]) : hidden_vmalloc(3 * PAGE_SIZE);
		KT_EQ(count_suspected(h[k], SETS), 0);
	}
	KT_ASSERT(scan_twice());
	for (int k = 0; k < 4; k++)
		KT_ASSERT(count_suspected(h[k], SETS) >= MOST);
	/* What is known of it. */
	KT_ASSERT(kmemleak_look_up(~h[1][3] + 699, &r));
	KT_EQ(r.start, ~h[1][3]);
	KT_EQ(r.size, 700);
	KT_ASSERT(r.nr_frames > 2 && r.nr_bytes == 32);
	/* Freed, they are gone. */
	for (int k = 0; k < 4; k++) {
		free_all(h[k], SETS);
		KT_EQ(count_suspected(h[k], SETS), 0);
	}
	KT_ASSERT(scan_twice());
	for (int k = 0; k < 4; k++)
		KT_EQ(count_suspected(h[k], SETS), 0);
}

/* The list holds each suspect once, in the order of addresses; what is cleared is not suspected again. */
KTEST(kmemleak_lists_and_clears)
{
	unsigned long h[20], at = 0, last = 0;
	struct kmemleak_report r;
	unsigned int seen = 0;

	for (int i = 0; i < 20; i++)
		h[i] = hidden_alloc(i < 18 ? 40 : 4 * PAGE_SIZE);
	KT_ASSERT(scan_twice());
	while (kmemleak_next(&at, &r)) {
		KT_ASSERT(r.start > last && r.start < at);
		last = r.start;
		for (int i = 0; i < 20; i++)
			seen += r.start == ~h[i];
	}
	KT_EQ(seen, count_suspected(h, 20));
	KT_ASSERT(seen >= 15);
	kmemleak_clear();
	at = 0;
	KT_ASSERT(!kmemleak_next(&at, &r));
	KT_EQ(count_suspected(h, 20), 0);
	/* Nor is what it points to: it counts as in use. */
	set_word(h[0], 1, hidden_alloc(80));
	KT_ASSERT(scan_twice());
	KT_ASSERT(!suspected(~((unsigned long *)~h[0])[1]));
	kfree(((void **)~h[0])[1]);
	free_all(h, 20);
}

static unsigned long in_data[SETS] = { 1 };
static unsigned long in_bss[SETS];
static DEFINE_PER_CPU(unsigned long, in_percpu[SETS]);

static noinline void point(unsigned long *to, unsigned long hidden, unsigned long plus)
{
	WRITE_ONCE(*to, ~hidden + plus);
}

/* Each of them keeps its object alone: a static variable, a CPU's, a tagged pointer, one to the inside, an object, a page, an area. */
KTEST(kmemleak_follows_pointers)
{
	enum { WAYS = 9 };
	unsigned long (*dynamic)[SETS] = __alloc_percpu(sizeof(*dynamic), 8);
	unsigned long h[WAYS][SETS], *page = (unsigned long *)get_zeroed_page(GFP_KERNEL), *area = vzalloc(2 * PAGE_SIZE);
	unsigned int cpu = nr_cpu_ids - 1;

	KT_ASSERT(dynamic && page && area);
	for (int i = 0; i < SETS; i++) {
		for (int k = 0; k < WAYS; k++)
			h[k][i] = hidden_alloc(k == 8 ? 5 * PAGE_SIZE : 56);
		point(&in_data[i], h[0][i], 0);
		point(&in_bss[i], h[1][i], 3);
		point(&(*per_cpu_ptr(&in_percpu, cpu))[i], h[2][i], 0);
		point(&(*per_cpu_ptr(dynamic, cpu))[i], h[3][i], 55);
		set_word(h[0][i], 2, h[4][i]);
		set_word(h[4][i], 6, h[5][i] - 1);
		point(&page[511 - i], h[6][i], 0);
		point(&area[600 + i], h[7][i], 0);
		set_word(h[7][i], 0, h[8][i] - 4 * PAGE_SIZE - 8);
	}
	KT_ASSERT(scan_twice());
	for (int k = 0; k < WAYS; k++)
		if (count_suspected(h[k], SETS)) {
			pr_err("kmemleak: way %d does not keep its objects\n", k);
			__kt->failures++;
		}
	/* Without the pointers they are leaks, those at the end of a chain, too. Nobody reads these zeros, so that gcc leaves plain ones out. */
	for (int i = 0; i < SETS; i++) {
		WRITE_ONCE(in_data[i], 0);
		WRITE_ONCE(in_bss[i], 0);
		WRITE_ONCE(page[511 - i], 0);
		WRITE_ONCE(area[600 + i], 0);
		WRITE_ONCE((*per_cpu_ptr(&in_percpu, cpu))[i], 0);
		WRITE_ONCE((*per_cpu_ptr(dynamic, cpu))[i], 0);
	}
	KT_ASSERT(scan_twice());
	for (int k = 0; k < WAYS; k++) {
		if (count_suspected(h[k], SETS) < MOST) {
			pr_err("kmemleak: of way %d only %u objects are suspected\n", k, count_suspected(h[k], SETS));
			__kt->failures++;
		}
		free_all(h[k], SETS);
	}
	free_percpu(dynamic);
	free_page((unsigned long)page);
	vfree(area);
}

struct sleeper {
	unsigned long hidden;
	struct completion ready, go, done;
};

static noinline void sleep_on_it(struct sleeper *s, volatile unsigned long p)
{
	complete(&s->ready);
	wait_for_completion(&s->go);
	set_word(~p, 1, ~0ul);
}

static int sleeper(void *arg)
{
	struct sleeper *s = arg;

	sleep_on_it(s, ~s->hidden);
	complete(&s->done);
	return 0;
}

/* On the stack of a task that sleeps, and of this one. */
KTEST(kmemleak_looks_at_stacks)
{
	struct sleeper s = { .hidden = hidden_alloc(96) };
	volatile unsigned long here[SETS] __maybe_unused;
	unsigned long mine[SETS];
	struct task *t;

	init_completion(&s.ready);
	init_completion(&s.go);
	init_completion(&s.done);
	for (int i = 0; i < SETS; i++) {
		mine[i] = hidden_alloc(96);
		here[i] = ~mine[i];
	}
	t = kthread_run(sleeper, &s, "kmemleak_test");
	KT_ASSERT(!IS_ERR(t));
	wait_for_completion(&s.ready);
	KT_ASSERT(scan_twice());
	KT_ASSERT(!suspected(s.hidden));
	KT_EQ(count_suspected(mine, SETS), 0);
	complete(&s.go);
	wait_for_completion(&s.done);
	for (int i = 0; i < SETS; i++)
		here[i] = 0;
	KT_ASSERT(scan_twice());
	KT_ASSERT(count_suspected(mine, SETS) >= MOST);
	hidden_free(s.hidden);
	free_all(mine, SETS);
}

/* An object that changes is in use, somebody knows where it is. */
KTEST(kmemleak_waits_for_quiet)
{
	unsigned int age = kmemleak_min_age_ms;
	unsigned long a[SETS], b[SETS];
	int err = 0;

	for (int i = 0; i < SETS; i++) {
		a[i] = hidden_alloc(48);
		b[i] = hidden_alloc(48);
		set_word(a[i], 0, b[i]);
	}
	kmemleak_min_age_ms = 0;
	for (unsigned long n = 0; n < 3; n++) {
		for (int i = 0; i < SETS; i++)
			set_word(a[i], 1, n);
		err |= kmemleak_scan() < 0;
	}
	KT_ASSERT(!err && !count_suspected(a, SETS) && !count_suspected(b, SETS));
	err |= kmemleak_scan() < 0;
	kmemleak_min_age_ms = age;
	KT_ASSERT(!err && count_suspected(a, SETS) >= MOST && count_suspected(b, SETS) >= MOST);
	free_all(a, SETS);
	free_all(b, SETS);
}

/* An object is left alone until it is old enough. */
KTEST(kmemleak_leaves_the_young)
{
	unsigned long a = hidden_alloc(48);
	unsigned int age = kmemleak_min_age_ms;
	int err;

	kmemleak_min_age_ms = 3600000;
	err = kmemleak_scan() < 0 || kmemleak_scan() < 0;
	kmemleak_min_age_ms = age;
	KT_ASSERT(!err && !suspected(a));
	hidden_free(a);
}

/* Nothing that the kernel has at this time is a leak. */
KTEST(kmemleak_kernel_has_none)
{
	unsigned long at = 0;
	struct kmemleak_report r;
	unsigned int n = 0;

	KT_ASSERT(scan_twice());
	for (; kmemleak_next(&at, &r); n++) {
		char name[160];

		pr_err("kmemleak: object %016lx (size %zu) of %s/%d\n", r.start, r.size, r.comm, r.pid);
		for (unsigned int i = 0; i < r.nr_frames; i++)
			pr_err("  [<%016lx>] %s\n", r.frames[i], ksym_describe(r.frames[i], name, sizeof(name)));
	}
	KT_EQ(n, 0);
}
#endif
