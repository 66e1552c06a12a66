// SPDX-License-Identifier: MIT
/*
 * Planted bugs, by which each detector of the debug build is proved: plant=NAME on the command line makes one happen once,
 * late in boot; NAME written to /sys/kernel/debug/plant makes it happen in the writing task, plant=open lets any
 * user do so by /proc/sys/plant (tests/command/planted.py says what must be
 * reported, and that it names a line of the plant).
 */
#include <lib/types.h>

#ifdef CONFIG_DEBUG
#include <abi/errno.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <arch/ptrace.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/rcu.h>
#include <kernel/refcount.h>
#include <kernel/show.h>
#include <kernel/spinlock.h>
#include <kernel/time.h>
#include <kernel/upcalls.h>
#include <lib/list.h>
#include <lib/string.h>
#include <sched/nowait.h>
#include <sched/kthread.h>
#include <sched/mutex.h>
#include <sched/plant.h>
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

/* Its first 64 bytes are good, and looked at together. */
static void plant_fill_overflow(void)
{
	size_t n = 100;
	char *p = kmalloc(72, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(n);
	memset(p, 0, n);
	kfree(p);
}

static void plant_use_after_free(void)
{
	volatile char *p = kmalloc(64, GFP_KERNEL);

	kfree((void *)p);
	p[8] = 1;
}

/* What a CPU does in one instruction is looked at too. */
static void plant_atomic_after_free(void)
{
	atomic_t *volatile p = kmalloc(64, GFP_KERNEL);

	kfree(p);
	atomic_inc(p);
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

static void plant_nowait_sleep(void)
{
	bool was = nowait_begin(true);

	schedule_timeout_uninterruptible(1);
	nowait_end(was);
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

static noinline void fill(volatile char *p, int n)
{
	for (int i = 0; i < n; i++)
		p[i] = 1;
}

static void plant_stack_overflow_by_one(void)
{
	char on_stack[20];

	fill(on_stack, 21 + zero);
}

static volatile char *left_scope;

static void plant_use_after_scope(void)
{
	{
		char inner[16];

		fill(inner, 16);
		left_scope = inner;
	}
	*left_scope = 1;
}

static noinline int deeper(int n)
{
	volatile char frame[512];

	frame[n & 511] = 1;
	return n > 1000000 ? 0 : deeper(n + 1) + frame[(n + 1) & 511];
}

static void plant_stack_end(void)
{
	zero = deeper(0) * 0;
}

static void plant_write_code(void)
{
	*(volatile char *)plant_write_code = 0;
}

static void plant_run_data(void)
{
	static char code[16] = { (char)0xc3 };
	void (*volatile fn)(void) = (void (*)(void))(void *)code;

	fn();
}

static void plant_poisoned(void)
{
	struct list_head *e = kmalloc(64, GFP_KERNEL);

	INIT_LIST_HEAD(e);
	kfree(e);
	e = *(struct list_head *volatile *)&e->next;	/* KASAN says so; what is read is poison */
	*(volatile long *)e = 1;
}

static void plant_rcu_pointer(void)
{
	static int __rcu *published = RCU_INITIALIZER((int *)&forty);

	zero = *rcu_dereference(published) * 0;
}

static void plant_rcu_sleep(void)
{
	rcu_read_lock();
	schedule_timeout_uninterruptible(1);
	rcu_read_unlock();
}

static void plant_irq_sleep(void)
{
	unsigned long flags;

	local_irq_save(flags);
	schedule_timeout_uninterruptible(1);
	local_irq_restore(flags);
}

static void plant_rcu_unlock(void)
{
	preempt_disable();
	rcu_read_unlock();
}

static void plant_unlock(void)
{
	preempt_disable();
	spin_unlock(&lock_a);
}

static void plant_lock_freed(void)
{
	struct mutex *m = kmalloc(sizeof(*m), GFP_KERNEL);

	mutex_init(m);
	mutex_lock(m);
	kfree(m);
}

static void plant_lock_uninitialised(void)
{
	struct mutex *m = kzalloc(sizeof(*m), GFP_KERNEL);

	mutex_lock(m);
}

static enum hrtimer_restart takes_irq_lock(struct hrtimer *t)
{
	return in_interrupt_fn(t);
}

/* lock_irq, taken in interrupts, waits for lock_b, held with interrupts on: seen though no CPU hangs. */
static void plant_lock_irq_way(void)
{
	unsigned long flags;

	hrtimer_init(&timer, 1, takes_irq_lock);
	hrtimer_start(&timer, 1000, HRTIMER_MODE_REL);
	schedule_timeout_uninterruptible(2);
	spin_lock(&lock_b);
	spin_unlock(&lock_b);
	spin_lock_irqsave(&lock_irq, flags);
	spin_lock(&lock_b);
	spin_unlock(&lock_b);
	spin_unlock_irqrestore(&lock_irq, flags);
}

/* Only as a task that goes back to user mode. */
static void plant_lock_kept(void)
{
	mutex_lock(&mutex_a);
}

static void plant_null_locked(void)
{
	mutex_lock(&mutex_a);
	plant_null();
}

/* What the task is said to hold is damaged: reading it while that is told faults. */
static void plant_oops_in_oops(void)
{
#ifdef CONFIG_LOCKDEP
	struct lockdep_stack *s = current_lockdep();

	s->h[0].class_idx = 0xffff;
	s->depth = 1;
#endif
	plant_null();
}

/* What of user memory is not fetched through uaccess: the kernel must not, though the address is mapped. */
static __no_sanitize_address void plant_user_read(void)
{
	zero = *(volatile char *)regs_sp(task_pt_regs(current)) * 0;
}

static __no_sanitize_address void plant_user_call(void)
{
	void (*volatile fn)(void) = (void (*)(void))regs_ip(task_pt_regs(current));

	fn();
}

/* A loop whose length no lock should have to wait for. */
static noinline void long_loop(void)
{
	for (int i = 0; i < 1000000; i++)
		if (zero)
			zero = 0;
}

static void plant_long_lock(void)
{
	spin_lock(&lock_a);
	long_loop();
	spin_unlock(&lock_a);
}

static void plant_long_rcu(void)
{
	rcu_read_lock();
	long_loop();
	rcu_read_unlock();
}

static void plant_hang(void)
{
	DECLARE_WAIT_QUEUE_HEAD(nobody_wakes);

	wait_event_timeout(nobody_wakes, zero, 4 * HZ);
}

/* The CPU is kept for 4 s although another task wants it. */
static int wants_the_cpu(void *unused)
{
	return 0;
}

static void plant_soft_lockup(void)
{
	struct task *t;
	u64 end;

	preempt_disable();
	t = kthread_create(wants_the_cpu, NULL, "wants_the_cpu");
	preempt_enable();
	if (IS_ERR(t))
		return;
	preempt_disable();
	kthread_bind(t, (int)raw_smp_processor_id());
	wake_up_process(t);
	for (end = ktime_get_ns() + 4 * NSEC_PER_SEC; ktime_get_ns() < end; )
		;
	preempt_enable();
}

/* Not a bug: a branch and a comparison that tests/guest/kcov.c must find in its trace. */
static void plant_covered(void)
{
	if (forty == 0x0c0ffee)
		zero = 0;
}

/* What nobody points to: an object that points to itself, and one, a large one and an area that only it points to. */
static noinline void leak_one_set(unsigned long hidden[4])
{
	void **p = kmalloc(72, GFP_KERNEL);

	if (!p)
		return;
	p[0] = p;
	p[1] = kzalloc(40, GFP_KERNEL);
	p[2] = kzalloc(3 * PAGE_SIZE, GFP_KERNEL);
	p[3] = vzalloc(2 * PAGE_SIZE);
	for (int i = 0; i < 4; i++)
		hidden[i] = p[i] ? ~(unsigned long)p[i] : 0;
}

/* Some sets, since a stale word may point where one lies by chance; as complements, which are no pointers. */
static unsigned long leaked[8][4];

static void plant_no_leak(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(leaked); i++)
		for (int k = 0; k < 4; k++)
			if (leaked[i][k])
				kvfree((void *)~leaked[i][k]);
	memset(leaked, 0, sizeof(leaked));
}

static void plant_leak(void)
{
	plant_no_leak();
	for (size_t i = 0; i < ARRAY_SIZE(leaked); i++)
		leak_one_set(leaked[i]);
}

static const struct {
	const char *name;
	void (*fn)(void);
} plants[] = {
	{ "heap_overflow", plant_heap_overflow }, { "fill_overflow", plant_fill_overflow },
	{ "use_after_free", plant_use_after_free }, { "atomic_after_free", plant_atomic_after_free },
	{ "page_after_free", plant_page_after_free }, { "global_overflow", plant_global_overflow },
	{ "vmalloc_after_free", plant_vmalloc_after_free }, { "shift", plant_shift }, { "index", plant_index },
	{ "lock_order", plant_lock_order }, { "lock_recursion", plant_lock_recursion }, { "lock_irq", plant_lock_irq },
	{ "sleeping_lock", plant_sleeping_lock }, { "atomic_sleep", plant_atomic_sleep },
	{ "nowait_sleep", plant_nowait_sleep }, { "list", plant_list },
	{ "refcount", plant_refcount }, { "null", plant_null },
	{ "stack_overflow_by_one", plant_stack_overflow_by_one }, { "use_after_scope", plant_use_after_scope },
	{ "stack_end", plant_stack_end }, { "write_code", plant_write_code }, { "run_data", plant_run_data },
	{ "poisoned", plant_poisoned }, { "rcu_pointer", plant_rcu_pointer }, { "rcu_sleep", plant_rcu_sleep },
	{ "irq_sleep", plant_irq_sleep },
	{ "rcu_unlock", plant_rcu_unlock }, { "unlock", plant_unlock }, { "lock_freed", plant_lock_freed },
	{ "lock_uninitialised", plant_lock_uninitialised }, { "lock_irq_way", plant_lock_irq_way },
	{ "lock_kept", plant_lock_kept }, { "null_locked", plant_null_locked }, { "oops_in_oops", plant_oops_in_oops }, { "hang", plant_hang },
	{ "soft_lockup", plant_soft_lockup }, { "long_lock", plant_long_lock }, { "long_rcu", plant_long_rcu },
	 { "user_read", plant_user_read }, { "user_call", plant_user_call },
	{ "covered", plant_covered }, { "leak", plant_leak }, { "no_leak", plant_no_leak },
};

static struct plant *registered;

void plant_register(struct plant *p)
{
	p->next = registered;
	registered = p;
}

static void (*find_plant(const char *name))(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(plants); i++)
		if (!strcmp(name, plants[i].name))
			return plants[i].fn;
	for (struct plant *p = registered; p; p = p->next)
		if (!strcmp(name, p->name))
			return p->fn;
	return NULL;
}

static bool plant(const char *name)
{
	void (*fn)(void) = find_plant(name);

	if (!fn)
		return false;
	pr_info("plant: %s\n", name);
	fn();
	pr_info("plant: done\n");
	return true;
}

static ssize_t store_plant(struct show_node *n, const char *text, size_t len)
{
	char name[32];

	if (strscpy(name, text, sizeof(name)) < 0)
		return -EINVAL;
	name[strcspn(name, "\n")] = 0;
	return plant(name) ? (ssize_t)len : -EINVAL;
}

static int plant_init(void)
{
	const char *want = command_line_get("plant");

	show_attr(show_root_node(SHOW_DEBUG), "plant", 0200, NULL, store_plant, NULL);
	if (want && !strcmp(want, "open"))
		show_attr(show_root_node(SHOW_SYSCTL), "plant", 0222, NULL, store_plant, NULL);
	else if (want && plant(want)) {
		console_settle();
		panic("plant: over");
	}
	return 0;
}
INITCALL(late, plant_init);
#endif
