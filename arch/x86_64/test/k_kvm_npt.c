// SPDX-License-Identifier: MIT
/*
 * Nested page tables by themselves: against an array, with marks that the test sets in the CPU's
 * place; and changed by several tasks at once.
 */
#include <abi/errno.h>
#include <arch/pgtable.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/ktest.h>
#include <kernel/preempt.h>
#include <lib/err.h>
#include <lib/string.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include <sched/sched.h>
#include "arch/x86_64/kvm_npt.h"
#include "arch/x86_64/x86_priv.h"

static struct npt npt;
static struct npt_cache cache;

/* What npt_zap() told. */
static struct {
	unsigned int flushes, written, before_flush;
	u64 gfn, entry;
	unsigned int level;
} told;

static void on_flush(void *arg)
{
	told.flushes++;
}

static void on_written(void *arg, u64 gfn, unsigned int level, u64 entry)
{
	told.written++;
	told.before_flush += !told.flushes;
	told.gfn = gfn;
	told.level = level;
	told.entry = entry;
}

static const struct npt_zap_ops ops = { .flush = on_flush, .written = on_written };

static int map(u64 gfn, u64 pfn, unsigned int level, unsigned int rights)
{
	int e = npt_cache_fill(&cache, &npt);

	if (e)
		return e;
	read_lock(&npt.lock);
	e = npt_map(&npt, gfn, pfn, level, rights, &cache);
	read_unlock(&npt.lock);
	return e;
}

static u64 entry_at(u64 gfn, unsigned int *level)
{
	return npt_entry(&npt, gfn, level);
}

/* As the CPU does it. */
static void mark(u64 gfn, u64 bits)
{
	u64 *table = npt.root;

	for (unsigned int at = npt.levels - 1;; at--) {
		u64 *e = &table[gfn >> 9 * at & 511];

		if (!at || *e & X86_PTE_PS) {
			*e |= bits;
			return;
		}
		table = phys_to_virt(*e & X86_PTE_FRAME);
	}
}

static void begin(struct ktest_run *__kt)
{
	memset(&told, 0, sizeof(told));
	KT_EQ(npt_init(&npt), 0);
}

static void end(struct ktest_run *__kt)
{
	npt_zap(&npt, 0, 1ULL << 9 * npt.levels, &ops, NULL);
	KT_EQ(atomic64_read(&npt.tables), 1);
	npt_destroy(&npt);
	KT_EQ(atomic64_read(&npt.tables), 0);
	npt_cache_drop(&cache);
}

KTEST(kvm_npt_maps)
{
	unsigned int level;

	begin(__kt);
	KT_EQ(entry_at(5, &level), 0);
	KT_EQ(level, npt.levels - 1);
	KT_EQ(map(5, 0x1234, 0, 0), 0);
	KT_EQ(entry_at(5, &level), 0x1234000 | X86_PTE_P | X86_PTE_U | pte_nx_bit);
	KT_EQ(level, 0);
	KT_EQ(atomic64_read(&npt.tables), npt.levels);
	KT_EQ(entry_at(6, &level), 0);
	KT_EQ(map(5, 0x1234, 0, NPT_WRITE), 0);
	KT_EQ(entry_at(5, &level), 0x1234000 | X86_PTE_P | X86_PTE_U | X86_PTE_W | pte_nx_bit);
	KT_EQ(map(5, 0x1234, 0, NPT_EXEC), 0);		/* rights are added, never taken */
	KT_EQ(entry_at(5, &level), 0x1234000 | X86_PTE_P | X86_PTE_U | X86_PTE_W);
	KT_EQ(map(5, 0x1235, 0, NPT_WRITE), -EAGAIN);
	KT_EQ(entry_at(5, &level), 0x1234000 | X86_PTE_P | X86_PTE_U | X86_PTE_W);
	/* 2 MiB: one entry for all; small entries that are there already stay. */
	KT_EQ(map(0x400, 0x800, 1, NPT_WRITE | NPT_EXEC), 0);
	KT_EQ(entry_at(0x5ff, &level), 0x800000 | X86_PTE_P | X86_PTE_U | X86_PTE_W | X86_PTE_PS);
	KT_EQ(level, 1);
	KT_EQ(map(0x5ff, 0x9ff, 0, NPT_WRITE), 0);
	KT_EQ(map(0x5ff, 0x9fe, 0, NPT_WRITE), -EAGAIN);
	KT_EQ(map(7, 0x2007, 1, NPT_WRITE), 0);
	KT_EQ(entry_at(7, &level), 0x2007000 | X86_PTE_P | X86_PTE_U | X86_PTE_W | pte_nx_bit);
	KT_EQ(level, 0);
	/* 1 GiB. */
	KT_EQ(map(0x40000, 0x80000, 2, 0), 0);
	KT_EQ(entry_at(0x7ffff, &level),
	      0x80000000 | X86_PTE_P | X86_PTE_U | X86_PTE_PS | pte_nx_bit);
	KT_EQ(level, 2);
	KT_EQ(map((1ULL << 9 * npt.levels) - 1, 1, 0, 0), 0);
	end(__kt);
}

KTEST(kvm_npt_zaps)
{
	unsigned int level;

	begin(__kt);
	KT_ASSERT(!npt_zap(&npt, 0, 1000, &ops, NULL));
	KT_EQ(told.flushes, 0);
	for (u64 gfn = 0x1f0; gfn < 0x610; gfn++)
		KT_EQ(map(gfn, 0x10000 + gfn, 0, NPT_WRITE), 0);
	mark(0x1ff, X86_PTE_D);
	mark(0x300, X86_PTE_D);
	mark(0x600, X86_PTE_D);
	/* From the last entry of one table over a whole one to the first of the next. */
	KT_ASSERT(npt_zap(&npt, 0x1ff, 0x202, &ops, NULL));
	KT_EQ(told.written, 2);
	KT_EQ(told.before_flush, 0);
	/* of the table that went, looked through after the single entries */
	KT_EQ(told.gfn, 0x300);
	KT_EQ(told.level, 0);
	KT_EQ(told.entry & X86_PTE_FRAME, 0x10300000);
	for (u64 gfn = 0x1f0; gfn < 0x610; gfn++)
		KT_EQ(!entry_at(gfn, &level), gfn >= 0x1ff && gfn <= 0x400);
	KT_EQ(entry_at(0x300, &level), 0);
	KT_EQ(level, 1);			/* its table is gone */
	KT_ASSERT(npt_zap(&npt, 0x600, 1, &ops, NULL));
	KT_EQ(told.written, 3);
	/* A large entry goes whole, whichever part is meant. */
	KT_EQ(map(0x800, 0x20000, 1, NPT_WRITE), 0);
	mark(0x8ff, X86_PTE_D);
	KT_ASSERT(npt_zap(&npt, 0x9ff, 1, &ops, NULL));
	KT_EQ(entry_at(0x800, &level), 0);
	KT_EQ(told.written, 4);
	KT_EQ(told.gfn, 0x800);
	KT_EQ(told.level, 1);
	end(__kt);
}

/* More tables and more written entries than one hold of the lock takes out: none is lost. */
KTEST(kvm_npt_zaps_many)
{
	begin(__kt);
	for (u64 gfn = 0; gfn < 40 << 9; gfn += 1 << 9) {
		KT_EQ(map(gfn, 0x10000 + gfn, 0, NPT_WRITE), 0);
		mark(gfn, X86_PTE_D);
	}
	for (u64 gfn = 1; gfn < 200; gfn++) {
		KT_EQ(map(gfn, 0x10000 + gfn, 0, NPT_WRITE), 0);
		mark(gfn, X86_PTE_D);
	}
	KT_EQ(atomic64_read(&npt.tables), npt.levels - 1 + 40);
	KT_ASSERT(npt_zap(&npt, 1, 198, &ops, NULL));
	KT_EQ(told.written, 198);
	KT_ASSERT(npt_zap(&npt, 0, 40 << 9, &ops, NULL));
	KT_EQ(told.written, 198 + 41);
	KT_EQ(atomic64_read(&npt.tables), npt.levels - 1);
	end(__kt);
}

KTEST(kvm_npt_protects)
{
	unsigned int level;

	begin(__kt);
	KT_EQ(map(1, 11, 0, NPT_WRITE), 0);
	KT_EQ(map(2, 12, 0, 0), 0);
	KT_EQ(map(3, 13, 0, NPT_WRITE), 0);
	KT_EQ(map(0x200, 0x200, 1, NPT_WRITE), 0);
	mark(1, X86_PTE_D);
	mark(0x200, X86_PTE_D);
	KT_ASSERT(npt_protect(&npt, 1, 2, &ops, NULL));
	KT_EQ(told.flushes, 1);
	KT_EQ(entry_at(1, &level) & X86_PTE_W, 0);
	KT_EQ(entry_at(3, &level) & X86_PTE_W, X86_PTE_W);
	KT_ASSERT(!npt_protect(&npt, 1, 2, &ops, NULL));
	KT_EQ(told.flushes, 1);
	KT_EQ(told.written, 0);
	KT_ASSERT(npt_protect(&npt, 0x210, 1, &ops, NULL));
	KT_EQ(entry_at(0x200, &level), 0);
	KT_EQ(told.written, 1);
	KT_EQ(map(1, 11, 0, NPT_WRITE), 0);
	KT_EQ(entry_at(1, &level) & X86_PTE_W, X86_PTE_W);
	end(__kt);
}

KTEST(kvm_npt_is_young)
{
	unsigned int level;

	begin(__kt);
	KT_EQ(map(1, 11, 0, NPT_WRITE), 0);
	KT_EQ(map(700, 12, 0, NPT_WRITE), 0);
	KT_ASSERT(!npt_young(&npt, 0, 10000, true));
	mark(700, X86_PTE_A);
	KT_ASSERT(!npt_young(&npt, 0, 700, false));
	KT_ASSERT(npt_young(&npt, 0, 701, false));
	KT_ASSERT(npt_young(&npt, 700, 1, true));
	KT_ASSERT(!npt_young(&npt, 700, 1, true));
	KT_EQ(entry_at(700, &level),
	      12 << PAGE_SHIFT | X86_PTE_P | X86_PTE_U | X86_PTE_W | pte_nx_bit);
	end(__kt);
}

#define MAPPERS 3
#define FRAMES (6 << 9)
static struct completion mapped[MAPPERS];
static bool stop_mapping;
static unsigned int wrong;		/* atomic */

static int map_for_long(void *arg)
{
	struct completion *done = arg;
	struct npt_cache mine = { 0 };
	u64 gfn = (u64)(done - mapped);

	while (!READ_ONCE(stop_mapping)) {
		gfn = (gfn * 5 + 1) % FRAMES;
		if (npt_cache_fill(&mine, &npt))
			break;
		read_lock(&npt.lock);
		if (npt_map(&npt, gfn, 0x1000 + gfn, 0, gfn & 1 ? NPT_WRITE : 0, &mine))
			__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
		read_unlock(&npt.lock);
		cond_resched();
	}
	npt_cache_drop(&mine);
	complete(done);
	return 0;
}

/*
 * Tasks map the same frames while they are zapped: each entry leads where it should, and every
 * table comes back.
 */
KTEST(kvm_npt_maps_while_zapped)
{
	unsigned int level;

	begin(__kt);
	stop_mapping = false;
	wrong = 0;
	for (unsigned int i = 0; i < MAPPERS; i++) {
		struct task *t;

		init_completion(&mapped[i]);
		t = kthread_create(map_for_long, &mapped[i], "ktest/map");
		KT_ASSERT(!IS_ERR(t));
		wake_up_process(t);
	}
	for (u64 i = 0; i < 400; i++) {
		u64 first = i * 613 % FRAMES;

		if (i & 1)
			npt_zap(&npt, first, 700, &ops, NULL);
		else
			npt_protect(&npt, first, 100, &ops, NULL);
		for (u64 gfn = 0; gfn < FRAMES; gfn += 97) {
			u64 e;

			read_lock(&npt.lock);
			e = entry_at(gfn, &level);
			read_unlock(&npt.lock);
			if (e && (e & X86_PTE_FRAME) >> PAGE_SHIFT != 0x1000 + gfn)
				wrong++;
		}
		cond_resched();
	}
	WRITE_ONCE(stop_mapping, true);
	for (unsigned int i = 0; i < MAPPERS; i++)
		wait_for_completion(&mapped[i]);
	KT_EQ(wrong, 0);
	end(__kt);
}
