// SPDX-License-Identifier: MIT
/* Memory that is gone: who waits for it gets it when it comes back. */
#include <alloc/page.h>
#include <kernel/ktest.h>
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

/* The worker of a loop device allocates so: what failed here was a write that got lost. */
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
