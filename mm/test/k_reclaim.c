// SPDX-License-Identifier: MIT
/* Allocations that wait until memory is free again; counts of dirty pages. */
#include <alloc/page.h>
#include <kernel/ktest.h>
#include <mm/backing.h>
#include <mm/filemap.h>
#include <sched/kthread.h>
#include "mm/mm_priv.h"

static void *all;		/* every page that was free, each with a pointer to the next */

static unsigned long take_all(void)
{
	unsigned long n = 0;
	void **p;

	while ((p = (void **)__get_free_page(GFP_NOWAIT | __GFP_NOWARN))) {
		*p = all;
		all = p;
		n++;
	}
	return n;
}

static void give_all(void)
{
	while (all) {
		void **p = all;

		all = *p;
		free_page((unsigned long)p);
	}
}

/* Gives the pages back once somebody has looked for memory in vain for a while. */
static int giver(void *arg)
{
	unsigned long since = vm_event_sum(ALLOCSTALL);

	(void)arg;
	while (vm_event_sum(ALLOCSTALL) - since < 200 && !kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	give_all();
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

/* A loop device's worker allocates like this: if it fails, a write is lost. */
KTEST(reclaim_noio_does_not_fail)
{
	struct task *t = kthread_run(giver, NULL, "k-giver");
	struct page *page;

	KT_ASSERT(!IS_ERR(t));
	KT_ASSERT(take_all() > 0);
	page = alloc_pages(GFP_NOIO, 0);
	KT_EQ(!page, 0);
	kthread_stop(t);
	give_all();
	if (page)
		__free_pages(page, 0);
}

/*
 * Pages that are counted clean before they are counted dirty: the device counts as busy while it
 * has any, and not once more or less. Other devices may come and go meanwhile, a few.
 */
KTEST(reclaim_busy_devices)
{
	static struct backing b;
	struct address_space m = { .backing = &b };
	int before, with;

	backing_init(&b);
	before = backings_busy();
	for (int i = 0; i < 100; i++) {
		backing_cleaned(&m, 1);
		backing_dirtied(&m, 5);
		backing_dirtied(&m, 1);
		backing_cleaned(&m, 5);
	}
	with = backings_busy();
	KT_EQ(atomic64_read(&b.pages), 0);
	KT_EQ(with > before - 50 && with < before + 50, 1);
	backing_destroy(&b);
}
