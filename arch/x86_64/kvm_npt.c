// SPDX-License-Identifier: MIT
/*
 * Nested page tables (kvm_npt.h).
 *
 * A table that lies whole in what is zapped is taken out by one store; CPUs may still walk it, so
 * that it is looked through and freed after the flush. A single entry is exchanged for nothing:
 * whether the guest had written is in what comes back, for a CPU that would write only now looks at
 * the entry again and finds none. One hold of the lock takes out a bounded number of both, then the
 * lock is let go and the CPUs are told.
 *
 * Faults need no lock against one another: an entry is empty, a table, or leads to a frame, and
 * only zapping makes it anything else.
 */
#include <abi/errno.h>
#include <alloc/page.h>
#include <arch/cpu.h>
#include <arch/pgtable.h>
#include <kernel/bug.h>
#include <kernel/preempt.h>
#include <lib/minmax.h>
#include <mm/mm.h>
#include <sched/sched.h>
#include "arch/x86_64/kvm_npt.h"
#include "arch/x86_64/x86_priv.h"

#define NPT_TABLE (X86_PTE_P | X86_PTE_W | X86_PTE_U)

static u64 span(unsigned int level)
{
	return 1ULL << PT_ENTRY_BITS * level;
}

static unsigned int index_of(u64 gfn, unsigned int level)
{
	return gfn >> PT_ENTRY_BITS * level & (PT_ENTRIES - 1);
}

static bool is_leaf(u64 entry, unsigned int level)
{
	return !level || entry & X86_PTE_PS;
}

static u64 *table_of(u64 entry)
{
	return phys_to_virt(entry & X86_PTE_FRAME);
}

static u64 *alloc_table(void)
{
	u64 *table = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

	if (table)
		mm_count_secondary_tables(1);
	return table;
}

static void drop_table(u64 *table)
{
	free_page((unsigned long)table);
	mm_count_secondary_tables(-1);
}

static void free_table(struct npt *t, u64 *table)
{
	drop_table(table);
	atomic64_dec(&t->tables);
}

int npt_init(struct npt *t)
{
	rwlock_init(&t->lock);
	t->levels = read_cr4() & CR4_LA57 ? 5 : 4;
	t->root = alloc_table();
	atomic64_set(&t->tables, 1);
	return t->root ? 0 : -ENOMEM;
}

int npt_cache_fill(struct npt_cache *c, const struct npt *t)
{
	while (c->n < t->levels - 1) {
		c->table[c->n] = alloc_table();
		if (!c->table[c->n])
			return -ENOMEM;
		c->n++;
	}
	return 0;
}

void npt_cache_drop(struct npt_cache *c)
{
	while (c->n)
		drop_table(c->table[--c->n]);
}

/* ---- mapping ---- */

static u64 leaf_of(u64 pfn, unsigned int level, unsigned int rights)
{
	return pfn << PAGE_SHIFT | X86_PTE_P | X86_PTE_U | (level ? X86_PTE_PS : 0) |
	       (rights & NPT_WRITE ? X86_PTE_W : 0) | (rights & NPT_EXEC ? 0 : pte_nx_bit);
}

/* ENTRY, of LEVEL, is to lead from GFN to PFN. */
static int map_leaf(u64 *entry, unsigned int level, u64 gfn, u64 pfn, unsigned int rights)
{
	u64 first = pfn - (gfn & (span(level) - 1)), old = READ_ONCE(*entry), wanted;

	do {
		if (!old)
			wanted = leaf_of(first, level, rights);
		else if ((old & X86_PTE_FRAME) >> PAGE_SHIFT != first)
			return -EAGAIN;
		else
			wanted = (old | (rights & NPT_WRITE ? X86_PTE_W : 0)) &
				 ~(rights & NPT_EXEC ? pte_nx_bit : 0);
		if (wanted == old)
			return 0;
	} while (!try_cmpxchg(entry, &old, wanted));
	return 0;
}

/* ENTRY, which was empty, leads to a table now: C's, or one that another fault was first with. */
static void map_table(struct npt *t, u64 *entry, struct npt_cache *c)
{
	u64 *table = c->table[c->n - 1], old = 0;

	if (!try_cmpxchg(entry, &old, virt_to_phys(table) | NPT_TABLE))
		return;
	c->n--;
	atomic64_inc(&t->tables);
}

int npt_map(struct npt *t, u64 gfn, u64 pfn, unsigned int level, unsigned int rights,
	    struct npt_cache *c)
{
	unsigned int at = t->levels - 1;
	u64 *table = t->root;

	DEBUG_ON(gfn >= span(t->levels));
	DEBUG_ON((gfn ^ pfn) & (span(level) - 1) && level);
	for (;;) {
		u64 *entry = &table[index_of(gfn, at)], e = smp_load_acquire(entry);

		if (!at || (e ? is_leaf(e, at) : at == level))
			return map_leaf(entry, at, gfn, pfn, rights);
		if (!e) {
			map_table(t, entry, c);
			continue;
		}
		table = table_of(e);
		at--;
	}
}

/* ---- taking away ---- */

#define ZAP_TABLES 8
#define ZAP_WRITTEN 24
#define ZAP_ENTRIES 512			/* looked at under one hold of the lock */

struct zap {
	const struct npt_zap_ops *ops;
	void *arg;
	u64 next, last;			/* frames still to go through */
	bool protect, any;
	unsigned int left, tables, written;
	struct {
		u64 *table, gfn;
		unsigned int level;
	} table[ZAP_TABLES];
	struct {
		u64 entry, gfn;
		unsigned int level;
	} leaf[ZAP_WRITTEN];
};

/* False: there is no room to note it. */
static bool zap_leaf(u64 *entry, unsigned int level, u64 gfn, struct zap *z)
{
	u64 old;

	if (z->protect && !level) {
		old = __atomic_fetch_and(entry, ~X86_PTE_W, __ATOMIC_RELAXED);
		z->any |= !!(old & X86_PTE_W);
		return true;
	}
	if (z->written == ZAP_WRITTEN)
		return false;
	old = xchg(entry, 0);
	z->any = true;
	if (old & X86_PTE_D) {
		z->leaf[z->written].entry = old;
		z->leaf[z->written].gfn = gfn;
		z->leaf[z->written++].level = level;
	}
	return true;
}

static bool zap_table(u64 *entry, unsigned int level, u64 gfn, struct zap *z)
{
	if (z->tables == ZAP_TABLES)
		return false;
	z->table[z->tables].table = table_of(*entry);
	z->table[z->tables].gfn = gfn;
	z->table[z->tables++].level = level;
	WRITE_ONCE(*entry, 0);
	z->any = true;
	return true;
}

/*
 * Through TABLE, whose entries are of LEVEL, from z->next on. False: the lock has been held for
 * long enough. LOCK held for writing.
 */
static bool zap_level(u64 *table, unsigned int level, struct zap *z)
{
	for (unsigned int i = index_of(z->next, level); i < PT_ENTRIES && z->next <= z->last; i++) {
		u64 e = table[i], gfn = z->next & ~(span(level) - 1);

		if (!z->left)
			return false;
		z->left--;
		if (e && is_leaf(e, level)) {
			if (!zap_leaf(&table[i], level, gfn, z))
				return false;
		} else if (e && !z->protect && gfn == z->next && z->last - gfn >= span(level) - 1) {
			if (!zap_table(&table[i], level - 1, gfn, z))
				return false;
		} else if (e) {
			if (!zap_level(table_of(e), level - 1, z))
				return false;
			continue; /* z->next is behind what the entry covers, or behind the end */
		}
		z->next = gfn + span(level);
	}
	return true;
}

/* TABLE, its entries of LEVEL, and all below it: no CPU knows them any more. */
static void free_below(struct npt *t, u64 *table, unsigned int level, u64 gfn, struct zap *z)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++, gfn += span(level)) {
		if (!table[i])
			continue;
		if (!is_leaf(table[i], level))
			free_below(t, table_of(table[i]), level - 1, gfn, z);
		else if (z && table[i] & X86_PTE_D && z->ops->written)
			z->ops->written(z->arg, gfn, level, table[i]);
	}
	free_table(t, table);
	cond_resched();
}

/*
 * What was taken out under the lock ends: the CPUs forget it, the writes are told, the tables go.
 */
static void zap_end(struct npt *t, struct zap *z)
{
	z->ops->flush(z->arg);
	for (unsigned int i = 0; i < z->written; i++)
		if (z->ops->written)
			z->ops->written(z->arg, z->leaf[i].gfn, z->leaf[i].level, z->leaf[i].entry);
	for (unsigned int i = 0; i < z->tables; i++)
		free_below(t, z->table[i].table, z->table[i].level, z->table[i].gfn, z);
}

static bool zap_range(struct npt *t, struct zap *z)
{
	bool done, any = false;

	do {
		z->any = false;
		z->tables = z->written = 0;
		z->left = ZAP_ENTRIES;
		write_lock(&t->lock);
		done = zap_level(t->root, t->levels - 1, z);
		write_unlock(&t->lock);
		if (z->any)
			zap_end(t, z);
		any |= z->any;
	} while (!done);
	return any;
}

bool npt_zap(struct npt *t, u64 gfn, u64 pages, const struct npt_zap_ops *ops, void *arg)
{
	struct zap z = {
		.ops = ops, .arg = arg, .next = gfn, .last = min(gfn + pages, span(t->levels)) - 1
	};

	return pages && zap_range(t, &z);
}

bool npt_protect(struct npt *t, u64 gfn, u64 pages, const struct npt_zap_ops *ops, void *arg)
{
	struct zap z = { .ops = ops,
			 .arg = arg,
			 .next = gfn,
			 .last = min(gfn + pages, span(t->levels)) - 1,
			 .protect = true };

	return pages && zap_range(t, &z);
}

void npt_destroy(struct npt *t)
{
	free_below(t, t->root, t->levels - 1, 0, NULL);
	DEBUG_ON(atomic64_read(&t->tables));
}

/* ---- looking ---- */

u64 npt_entry(const struct npt *t, u64 gfn, unsigned int *level)
{
	u64 *table = t->root;

	for (unsigned int at = t->levels - 1;; at--) {
		u64 e = smp_load_acquire(&table[index_of(gfn, at)]);

		if (!e || is_leaf(e, at)) {
			*level = at;
			return e;
		}
		table = table_of(e);
	}
}

bool npt_young(struct npt *t, u64 gfn, u64 pages, bool clear)
{
	u64 end = min(gfn + pages, span(t->levels));
	bool young = false;

	read_lock(&t->lock);
	while (gfn < end && (clear || !young)) {
		unsigned int level, at = t->levels - 1;
		u64 *table = t->root, *entry, e;

		for (;;) {
			entry = &table[index_of(gfn, at)];
			e = smp_load_acquire(entry);
			if (!e || is_leaf(e, at))
				break;
			table = table_of(e);
			at--;
		}
		level = at;
		if (e & X86_PTE_A) {
			young = true;
			if (clear)
				__atomic_fetch_and(entry, ~X86_PTE_A, __ATOMIC_RELAXED);
		}
		gfn = (gfn & ~(span(level) - 1)) + span(level);
	}
	read_unlock(&t->lock);
	return young;
}
