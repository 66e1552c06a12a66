// SPDX-License-Identifier: MIT
/*
 * Planted bugs that only a failure brings about, by which fault injection is proved: each makes one thing that may fail, of one of the four
 * kinds, and is wrong where it did (tests/command/planted.py). The task is marked for that one call alone, so that task-filter spares all others.
 */
#include <lib/types.h>

#if defined(CONFIG_DEBUG) && defined(CONFIG_FAULT_INJECTION)
#include <alloc/page.h>
#include <alloc/slab.h>
#include <arch/ptrace.h>
#include <block/blk.h>
#include <kernel/init.h>
#include <kernel/preempt.h>
#include <mm/uaccess.h>
#include <sched/mutex.h>
#include <sched/plant.h>
#include <sched/task.h>

static DEFINE_MUTEX(kept);

static void may_fail(bool on)
{
	WRITE_ONCE(current->make_it_fail, on);
}

/* Nobody asks whether there was memory. */
static void plant_fail_slab(void)
{
	int *volatile p;

	may_fail(true);
	p = kmalloc(64, GFP_ATOMIC);
	may_fail(false);
	*p = 0;
	kfree(p);
}

/* The page that there was is given back, and written to. */
static void plant_fail_page(void)
{
	struct page *had = alloc_page(GFP_KERNEL), *more;

	if (!had)
		return;
	may_fail(true);
	more = alloc_pages(GFP_ATOMIC, 1);
	may_fail(false);
	preempt_disable();		/* or somebody else has it before it is written to */
	if (!more)
		__free_page(had);
	*(volatile char *)page_address(had) = 1;
	preempt_enable();
	if (more) {
		__free_pages(more, 1);
		__free_page(had);
	}
}

/* The lock is kept on one way out. */
static void plant_fail_copy(void)
{
	unsigned long left;
	char c;

	mutex_lock(&kept);
	may_fail(true);
	left = copy_from_user(&c, UPTR(regs_sp(task_pt_regs(current))), 1);
	may_fail(false);
	if (left)
		return;
	mutex_unlock(&kept);
}

/* What was not read is a number of something. */
static void plant_fail_request(void)
{
	static volatile int table[4];
	struct bdev *b = bdev_get_by_name("loop0");
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	struct bio *bio = b && page ? bio_alloc(b, REQ_READ, 0, GFP_KERNEL) : NULL;
	int *at = page ? page_address(page) : NULL;

	if (bio && bio_add_page(bio, page, SECTOR_SIZE, 0)) {
		may_fail(true);
		*at = submit_bio_wait(bio) * 10;
		may_fail(false);
		table[*at] = 1;
	}
	if (page)
		__free_page(page);
	if (b)
		bdev_put(b);
}

static struct plant plants[] = {
	{ "fail_slab", plant_fail_slab, NULL }, { "fail_page", plant_fail_page, NULL }, { "fail_copy", plant_fail_copy, NULL },
	{ "fail_request", plant_fail_request, NULL },
};

static int plants_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(plants); i++)
		plant_register(&plants[i]);
	return 0;
}
INITCALL(late, plants_init);
#endif
