/* SPDX-License-Identifier: MIT */
/*
 * Nested page tables: from a guest's frames to the machine's (AMD APM vol. 2, 15.25). As many
 * levels as the host's own paging has, which the CPU walks with; level 0 holds 4 KiB entries, 1
 * those of 2 MiB, 2 those of 1 GiB.
 *
 * Faults map under LOCK for reading, each entry by compare-and-swap; what takes entries or rights
 * away has it for writing. Who maps has compared by mm_notify_retry() under the same hold of LOCK.
 * LOCK is inside the locks of the host's page tables; nothing is allocated under it.
 */
#pragma once

#include <kernel/spinlock.h>
#include <lib/atomic.h>
#include <lib/types.h>

#define NPT_LEVELS_MAX 5

struct npt {
	rwlock_t lock;
	u64 *root;			/* c */
	unsigned int levels;		/* c */
	atomic64_t tables;		/* pages of tables, the root among them */
};

/* Tables that a fault may need, allocated before LOCK is taken. */
struct npt_cache {
	unsigned int n;
	u64 *table[NPT_LEVELS_MAX - 1];
};

#define NPT_WRITE 1U
#define NPT_EXEC 2U

/* 0 or -ENOMEM; the tables are charged to the caller's group. */
int npt_init(struct npt *t);
/* No CPU uses T, and nothing else does. */
void npt_destroy(struct npt *t);
/* 0 or -ENOMEM (and C can be dropped). Sleeps. */
int npt_cache_fill(struct npt_cache *c, const struct npt *t);
void npt_cache_drop(struct npt_cache *c);

/*
 * Frame GFN leads to PFN with RIGHTS, by an entry of LEVEL if no smaller ones are there yet: then
 * by one of level 0. For an entry of LEVEL the frames around both that it covers belong together.
 * LOCK is held for reading, C was filled. 0: it does, now or by somebody else; rights are added to
 * an entry that has fewer. -EAGAIN: an entry that leads elsewhere is there, which an invalidation
 * has not come to yet.
 */
int npt_map(struct npt *t, u64 gfn, u64 pfn, unsigned int level, unsigned int rights,
	    struct npt_cache *c);

struct npt_zap_ops {
	/*
	 * Returns when no CPU uses what it may remember of the tables. May sleep; LOCK is not held.
	 */
	void (*flush)(void *arg);
	/*
	 * The guest wrote through ENTRY, of LEVEL, whose first frame is GFN. After the flush, LOCK
	 * is not held. NULL: nobody asks.
	 */
	void (*written)(void *arg, u64 gfn, unsigned int level, u64 entry);
};

/*
 * Takes all entries away that lead from [GFN, GFN + PAGES), larger ones that reach out of it too.
 * LOCK is taken for writing, for a bounded number of entries at a time: that nothing new comes
 * there meanwhile is up to the caller. True: there were some.
 */
bool npt_zap(struct npt *t, u64 gfn, u64 pages, const struct npt_zap_ops *ops, void *arg);
/*
 * As npt_zap(), but entries of level 0 stay, and are not writable when it returns. True: an entry
 * changed.
 */
bool npt_protect(struct npt *t, u64 gfn, u64 pages, const struct npt_zap_ops *ops, void *arg);
/*
 * Whether the guest used [GFN, GFN + PAGES) since the marks were cleared; with CLEAR they are. Does
 * not sleep.
 */
bool npt_young(struct npt *t, u64 gfn, u64 pages, bool clear);
/* The entry that GFN is reached by, and its level; 0: none. LOCK is held. */
u64 npt_entry(const struct npt *t, u64 gfn, unsigned int *level);
