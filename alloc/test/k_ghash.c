// SPDX-License-Identifier: MIT
/* The growing hash: nothing is lost or found twice while it grows, whoever looks. */
#include <alloc/ghash.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <kernel/ktest.h>
#include <lib/hash.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include <sched/sched.h>

struct item {
	struct ghash_node node;
	u32 key, seen;
};

#define ITEMS 8000
#define THREADS 4

static u32 hash_of(u32 key)
{
	/* Few values, so that chains hold strangers and twins. */
	return (key & ~1u) * 0x61c88647u;
}

static struct item *find_locked(struct ghash *h, u32 key)
{
	unsigned long *b = ghash_lock(h, hash_of(key));
	struct item *i, *found = NULL;

	ghash_for_each(i, b, hash_of(key), node)
		if (i->key == key)
			found = i;
	ghash_unlock(b);
	return found;
}

static struct item *find_rcu(struct ghash *h, u32 key)
{
	u32 seq = ghash_read_begin(h);
	struct item *i, *found = NULL;

	rcu_read_lock();
	ghash_for_each_rcu(i, h, hash_of(key), node) {
		if (i->key == key) {
			found = i;
			break;
		}
	}
	rcu_read_unlock();
	return found || !ghash_read_retry(h, seq) ? found : find_locked(h, key);
}

static void add(struct ghash *h, struct item *i, u32 key)
{
	unsigned long *b;

	i->key = key;
	ghash_reserve(h);
	b = ghash_lock(h, hash_of(key));
	ghash_add(h, b, &i->node, hash_of(key));
	ghash_unlock(b);
}

static void count_node(struct ghash_node *n, void *arg)
{
	(*(u32 *)arg)++;
	container_of(n, struct item, node)->seen++;
}

KTEST(ghash_grows)
{
	struct item *items = kvcalloc(ITEMS, sizeof(*items), GFP_KERNEL);
	u32 walked = 0, shift = 0;
	u64 pos = 0;
	int bad = 0;

	DEFINE_GHASH(table, 2);
	KT_ASSERT(items);
	for (u32 i = 0; i < ITEMS / 4; i++)
		add(&table, &items[i], i);
	shift = rcu_access_pointer(table.table)->shift;
	while (pos < GHASH_END / 2)
		ghash_walk(&table, &pos, count_node, &walked);
	for (u32 i = ITEMS / 4; i < ITEMS; i++)
		add(&table, &items[i], i);
	KT_ASSERT(rcu_access_pointer(table.table)->shift > shift);
	KT_ASSERT(1ul << rcu_access_pointer(table.table)->shift >= ITEMS / 2);
	while (pos < GHASH_END)
		ghash_walk(&table, &pos, count_node, &walked);
	KT_ASSERT(walked > ITEMS / 4 && walked < ITEMS);
	for (u32 i = 0; i < ITEMS; i++)
		bad += i < ITEMS / 4 ? items[i].seen != 1 : items[i].seen > 1;
	KT_EQ(bad, 0);
	KT_EQ(ghash_count(&table), ITEMS);
	for (u32 i = 0; i < ITEMS; i++)
		bad += find_rcu(&table, i) != &items[i];
	KT_EQ(bad, 0);
	for (u32 i = 0; i < ITEMS; i += 2)
		bad += !ghash_del(&table, &items[i].node);
	KT_EQ(bad, 0);
	KT_ASSERT(!ghash_del(&table, &items[0].node));
	for (u32 i = 0; i < ITEMS; i++)
		bad += find_rcu(&table, i) != (i & 1 ? &items[i] : NULL);
	KT_EQ(bad, 0);
	for (u32 i = 1; i < ITEMS; i += 2)
		ghash_del(&table, &items[i].node);
	KT_EQ(ghash_count(&table), 0);
	kvfree(items);
}

static struct ghash *shared;

struct worker {
	struct item *items;
	u32 first, bad;
	struct completion done;
};

/* Adds its own, and all that it has added it must find at every moment. */
static int churn(void *arg)
{
	struct worker *w = arg;

	for (u32 i = 0; i < ITEMS / THREADS; i++) {
		add(shared, &w->items[i], w->first + i);
		w->bad += find_rcu(shared, w->first + i / 2) != &w->items[i / 2];
		w->bad += find_rcu(shared, w->first + i) != &w->items[i];
		w->bad += find_rcu(shared, 0x80000000u + w->first + i) != NULL;
	}
	for (u32 i = 0; i < ITEMS / THREADS; i++)
		w->bad += !ghash_del(shared, &w->items[i].node);
	complete(&w->done);
	return 0;
}

KTEST(ghash_grows_under_readers)
{
	static struct worker w[THREADS];
	int started = 0;

	DEFINE_GHASH(table, 1);
	shared = &table;
	for (u32 i = 0; i < THREADS; i++) {
		w[i].items = kvzalloc(sizeof(struct item) * (ITEMS / THREADS), GFP_KERNEL);
		w[i].first = i * ITEMS;
		init_completion(&w[i].done);
	}
	for (u32 i = 0; i < THREADS; i++)
		if (w[i].items && !IS_ERR(kthread_run(churn, &w[i], "ghash/%u", i)))
			started++;
		else
			break;
	for (int i = 0; i < started; i++)
		wait_for_completion(&w[i].done);
	synchronize_rcu();
	for (u32 i = 0; i < THREADS; i++) {
		kvfree(w[i].items);
		w[i].items = NULL;	/* the next there may be a leak on purpose */
	}
	KT_EQ(started, THREADS);
	for (u32 i = 0; i < THREADS; i++)
		KT_EQ(w[i].bad, 0);
	KT_EQ(ghash_count(&table), 0);
}
