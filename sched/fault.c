// SPDX-License-Identifier: MIT
/*
 * Fault injection, as Linux has it: each kind of failure has a directory in debugfs that says how often it happens and to whom. A task
 * with a fail-nth of N has its N-th chance to fail taken, of whatever kind, and no other.
 */
#include <lib/types.h>

#ifdef CONFIG_FAULT_INJECTION
#include <abi/errno.h>
#include <alloc/gfp.h>
#include <alloc/upcalls.h>
#include <kernel/init.h>
#include <kernel/ksyms.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <kernel/random.h>
#include <kernel/show.h>
#include <lib/atomic.h>
#include <lib/format.h>
#include <lib/string.h>
#include <sched/fault.h>
#include <sched/task.h>

/* Each value is one word, read and written without a lock: whoever writes them takes care not to do so amid a run. */
struct fault {
	const char *name;
	unsigned long probability;	/* percent */
	unsigned long interval;		/* of that many chances one is looked at */
	atomic_t times;			/* that many are left; -1: no end */
	atomic_t space;			/* bytes that are free before the first fails */
	atomic_t after;			/* that many chances are let pass first; Linux has no such file */
	u32 ops;			/* kinds that may fail, a bit each; 0: all. The same */
	unsigned long verbose;		/* 0: silent, 1: a line, 2: with the way there */
	bool task_filter;		/* only of tasks whose make-it-fail is 1 */
	bool ignore_blocking;		/* nothing of who may wait for memory */
	unsigned long min_order;	/* of pages: the smallest block that fails */
	atomic_t count;
	struct ratelimit limit;
};

#define FAULT(n, ...) { .name = n, .interval = 1, .times = ATOMIC_INIT(1), .verbose = 2, .limit = { .burst = 10 }, ##__VA_ARGS__ }

static struct fault slab = FAULT("failslab", .ignore_blocking = true);
static struct fault pages = FAULT("fail_page_alloc", .ignore_blocking = true, .min_order = 1);
static struct fault usercopy = FAULT("fail_usercopy");
static struct fault make_request = FAULT("fail_make_request");

static void tell(struct fault *f)
{
	if (!f->verbose || (f->limit.interval_ms && !ratelimit_ok(&f->limit)))
		return;
	pr_notice("FAULT_INJECTION: forcing a failure.\nname %s, interval %lu, probability %lu, space %d, times %d\n", f->name, f->interval,
		  f->probability, atomic_read(&f->space), atomic_read(&f->times));
	if (f->verbose > 1)
		dump_stack();
}

static bool fail_now(struct fault *f)
{
	int left = atomic_read(&f->times);

	tell(f);
	while (left > 0 && !atomic_try_cmpxchg(&f->times, &left, left - 1))
		;
	return true;
}

static bool should_fail(struct fault *f, size_t size)
{
	struct task *t = current;
	unsigned int nth = in_task() ? READ_ONCE(t->fail_nth) : 0;

	if (unlikely(nth)) {
		WRITE_ONCE(t->fail_nth, nth - 1);
		return nth == 1 && fail_now(f);
	}
	if (likely(!READ_ONCE(f->probability)))
		return false;
	if (f->task_filter && !(in_task() && t->make_it_fail))
		return false;
	if (!atomic_read(&f->times))
		return false;
	if (atomic_read(&f->after) > 0 && atomic_dec_return(&f->after) >= 0)
		return false;
	if (atomic_read(&f->space) > (int)size) {
		atomic_sub((int)size, &f->space);
		return false;
	}
	if (f->interval > 1 && (unsigned int)atomic_inc_return(&f->count) % f->interval)
		return false;
	return f->probability > get_random_u32_below(100) && fail_now(f);
}

bool fault_slab(gfp_t gfp, size_t size)
{
	if (gfp & __GFP_NOFAIL || (slab.ignore_blocking && gfp & __GFP_DIRECT_RECLAIM))
		return false;
	return should_fail(&slab, size);
}

bool fault_pages(gfp_t gfp, unsigned int order)
{
	if (gfp & __GFP_NOFAIL || order < pages.min_order || (pages.ignore_blocking && gfp & __GFP_DIRECT_RECLAIM))
		return false;
	return should_fail(&pages, 1ul << order);
}

bool fault_usercopy(void)
{
	return should_fail(&usercopy, 1);
}

bool fault_make_request(size_t bytes, unsigned int op)
{
	u32 ops = READ_ONCE(make_request.ops);

	return (!ops || ops >> op & 1) && should_fail(&make_request, bytes);
}

/* ---- the files ---- */

static ssize_t show_number(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%lu\n", READ_ONCE(*(unsigned long *)n->data));
}

static ssize_t store_number(struct show_node *n, const char *text, size_t len)
{
	unsigned long v;
	int err = kstrtoul(skip_spaces(text), 0, &v);

	if (!err)
		WRITE_ONCE(*(unsigned long *)n->data, v);
	return err ? err : (ssize_t)len;
}

static ssize_t show_count(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%d\n", atomic_read(n->data));
}

static ssize_t store_count(struct show_node *n, const char *text, size_t len)
{
	int v, err = kstrtoint(skip_spaces(text), 0, &v);

	if (!err)
		atomic_set(n->data, v);
	return err ? err : (ssize_t)len;
}

static ssize_t show_bool(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%c\n", READ_ONCE(*(bool *)n->data) ? 'Y' : 'N');
}

static ssize_t store_bool(struct show_node *n, const char *text, size_t len)
{
	switch (text[0]) {
	case 'y': case 'Y': case '1':
		WRITE_ONCE(*(bool *)n->data, true);
		return (ssize_t)len;
	case 'n': case 'N': case '0':
		WRITE_ONCE(*(bool *)n->data, false);
		return (ssize_t)len;
	}
	return -EINVAL;
}

static ssize_t show_u32(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%u\n", READ_ONCE(*(u32 *)n->data));
}

static ssize_t store_u32(struct show_node *n, const char *text, size_t len)
{
	unsigned int v;
	int err = kstrtouint(skip_spaces(text), 0, &v);

	if (!err)
		WRITE_ONCE(*(u32 *)n->data, v);
	return err ? err : (ssize_t)len;
}

static struct show_node *publish(struct fault *f)
{
	struct show_node *d = show_dir(SHOW_DEBUG, NULL, f->name);

	show_attr(d, "probability", 0600, show_number, store_number, &f->probability);
	show_attr(d, "interval", 0600, show_number, store_number, &f->interval);
	show_attr(d, "times", 0600, show_count, store_count, &f->times);
	show_attr(d, "space", 0600, show_count, store_count, &f->space);
	show_attr(d, "after", 0600, show_count, store_count, &f->after);
	show_attr(d, "verbose", 0600, show_number, store_number, &f->verbose);
	show_attr(d, "verbose_ratelimit_interval_ms", 0600, show_u32, store_u32, &f->limit.interval_ms);
	show_attr(d, "verbose_ratelimit_burst", 0600, show_u32, store_u32, &f->limit.burst);
	show_attr(d, "task-filter", 0600, show_bool, store_bool, &f->task_filter);
	return d;
}

static int fault_init(void)
{
	struct show_node *d = publish(&slab);

	show_attr(d, "ignore-gfp-wait", 0600, show_bool, store_bool, &slab.ignore_blocking);
	d = publish(&pages);
	show_attr(d, "ignore-gfp-wait", 0600, show_bool, store_bool, &pages.ignore_blocking);
	show_attr(d, "min-order", 0600, show_number, store_number, &pages.min_order);
	publish(&usercopy);
	d = publish(&make_request);
	show_attr(d, "ops", 0600, show_u32, store_u32, &make_request.ops);
	return 0;
}
INITCALL(late, fault_init);

/* ---- failslab=INTERVAL,PROBABILITY,SPACE,TIMES on the command line ---- */

static int from_command_line(struct fault *f, const char *value)
{
	long v[4];

	for (int i = 0; i < 4; i++) {
		size_t len = value ? strcspn(value, ",") : 0;
		char word[24] = "";

		if (!len || len >= sizeof(word) || (i < 3 && value[len] != ','))
			return -EINVAL;
		memcpy(word, value, len);
		if (kstrtol(word, 0, &v[i]))
			return -EINVAL;
		value += len + (i < 3);
	}
	f->interval = (unsigned long)v[0];
	f->probability = (unsigned long)v[1];
	atomic_set(&f->space, (int)v[2]);
	atomic_set(&f->times, (int)v[3]);
	return 0;
}

static int failslab_param(const char *v) { return from_command_line(&slab, v); }
static int fail_page_alloc_param(const char *v) { return from_command_line(&pages, v); }
static int fail_usercopy_param(const char *v) { return from_command_line(&usercopy, v); }
static int fail_make_request_param(const char *v) { return from_command_line(&make_request, v); }
KERNEL_PARAM("failslab", failslab_param);
KERNEL_PARAM("fail_page_alloc", fail_page_alloc_param);
KERNEL_PARAM("fail_usercopy", fail_usercopy_param);
KERNEL_PARAM("fail_make_request", fail_make_request_param);
#endif
