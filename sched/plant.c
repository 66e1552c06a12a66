// SPDX-License-Identifier: MIT
/*
 * Planted bugs, by which each detector of the debug build is proved: plant=NAME on the command line makes one happen once,
 * late in boot (tests/command/planted.py says what must be reported).
 */
#include <lib/types.h>

#ifdef CONFIG_DEBUG
#include <alloc/page.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/refcount.h>
#include <kernel/spinlock.h>
#include <kernel/time.h>
#include <lib/list.h>
#include <lib/string.h>
#include <sched/kthread.h>
#include <sched/mutex.h>
#include <sched/sched.h>

static volatile int zero, forty = 40;
static char array[10];
static DEFINE_SPINLOCK(lock_a);
static DEFINE_SPINLOCK(lock_b);
static DEFINE_SPINLOCK(lock_irq);
static DEFINE_MUTEX(mutex_a);
static struct hrtimer timer;

static void plant_heap_overflow(void)
{
	volatile char *p = kmalloc(40, GFP_KERNEL);

	p[48 + zero] = 1;
	kfree((void *)p);
}

static void plant_use_after_free(void)
{
	volatile char *p = kmalloc(64, GFP_KERNEL);

	kfree((void *)p);
	p[8] = 1;
}

static void plant_page_after_free(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	volatile char *p = page_address(page);

	__free_page(page);
	p[100] = 1;
}

static void plant_global_overflow(void)
{
	((volatile char *)array)[zero + 10 + (zero ? 1 : 0)] = 1;
}

static void plant_vmalloc_after_free(void)
{
	volatile char *p = vmalloc(PAGE_SIZE);

	vfree((void *)p);
	p[1] = 1;
}

static void plant_shift(void)
{
	zero = 1 << forty;
	zero = 0;
}

static void plant_index(void)
{
	static volatile int table[4];

	zero = table[forty] * 0;
}

static void plant_lock_order(void)
{
	spin_lock(&lock_a);
	spin_lock(&lock_b);
	spin_unlock(&lock_b);
	spin_unlock(&lock_a);
	spin_lock(&lock_b);
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
	spin_unlock(&lock_b);
}

static void plant_lock_recursion(void)
{
	static spinlock_t pair[2];

	for (int i = 0; i < 2; i++)
		spin_lock_init(&pair[i]);
	spin_lock(&pair[0]);
	spin_lock(&pair[1]);
	spin_unlock(&pair[1]);
	spin_unlock(&pair[0]);
}

static enum hrtimer_restart in_interrupt_fn(struct hrtimer *t)
{
	spin_lock(&lock_irq);
	spin_unlock(&lock_irq);
	return HRTIMER_NORESTART;
}

static void plant_lock_irq(void)
{
	hrtimer_init(&timer, 1, in_interrupt_fn);
	hrtimer_start(&timer, 1000, HRTIMER_MODE_REL);
	schedule_timeout_uninterruptible(2);
	spin_lock(&lock_irq);		/* interrupts are on */
	spin_unlock(&lock_irq);
}

static void plant_sleeping_lock(void)
{
	spin_lock(&lock_a);
	mutex_lock(&mutex_a);
	mutex_unlock(&mutex_a);
	spin_unlock(&lock_a);
}

static void plant_atomic_sleep(void)
{
	preempt_disable();
	might_sleep();
	preempt_enable();
}

static void plant_list(void)
{
	static LIST_HEAD(head);
	struct list_head e;

	list_add(&e, &head);
	list_del(&e);
	list_del(&e);
}

static void plant_refcount(void)
{
	refcount_t r = REFCOUNT_INIT(0);

	refcount_inc(&r);
}

static void plant_null(void)
{
	struct task *volatile t = NULL;

	t->nice = zero;
}

static const struct {
	const char *name;
	void (*fn)(void);
} plants[] = {
	{ "heap_overflow", plant_heap_overflow }, { "use_after_free", plant_use_after_free },
	{ "page_after_free", plant_page_after_free }, { "global_overflow", plant_global_overflow },
	{ "vmalloc_after_free", plant_vmalloc_after_free }, { "shift", plant_shift }, { "index", plant_index },
	{ "lock_order", plant_lock_order }, { "lock_recursion", plant_lock_recursion }, { "lock_irq", plant_lock_irq },
	{ "sleeping_lock", plant_sleeping_lock }, { "atomic_sleep", plant_atomic_sleep }, { "list", plant_list },
	{ "refcount", plant_refcount }, { "null", plant_null },
};

static int plant_init(void)
{
	const char *want = command_line_get("plant");

	for (size_t i = 0; want && i < ARRAY_SIZE(plants); i++)
		if (!strcmp(want, plants[i].name)) {
			pr_info("plant: %s\n", want);
			plants[i].fn();
			pr_info("plant: done\n");
			console_settle();
			panic("plant: over");
		}
	return 0;
}
INITCALL(late, plant_init);
#endif
