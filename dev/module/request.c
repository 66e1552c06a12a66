// SPDX-License-Identifier: MIT
/*
 * Modules that the kernel asks for: a program (modprobe) is run, in a worker, and who asked waits.
 *
 * At most MOST of them run at once, whoever asks. A place belongs to the program until it has
 * ended, so that callers that are killed while they wait leave none behind that is not counted.
 * Who finds no place waits for one, but not for ever: a module whose init asks for another one,
 * which asks again, comes to an end (-ETIME). Requests for one name are not joined: one that waited
 * for another of its own name, made by what the other one started, would wait for itself.
 */
#include <alloc/slab.h>
#include <dev/module.h>
#include <dev/upcalls.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/refcount.h>
#include <kernel/show.h>
#include <kernel/time.h>
#include <lib/format.h>
#include <lib/string.h>
#include <sched/completion.h>
#include <sched/mutex.h>
#include <sched/wait.h>
#include <sched/work.h>
#include "dev/module/module_priv.h"

#define MOST 50
#define PATIENCE (5 * HZ)
#define PATH_SIZE 256		/* with the NUL, as Linux's */

static DEFINE_MUTEX(modprobe_lock);
static char modprobe_path[PATH_SIZE] = "/sbin/modprobe";	/* modprobe_lock */
static struct workqueue_struct *requests;	/* c from initcalls on */
static DECLARE_WAIT_QUEUE_HEAD(place_free);
static atomic_t places = ATOMIC_INIT(MOST);

struct request {
	struct work_struct work;
	struct completion done;
	refcount_t refs;		/* the caller's, the worker's */
	int result;
	bool has_place;
	char path[PATH_SIZE];
	char name[MODULE_NAME_MAX];
};

/* A condition that is waited for, which may be asked again once it holds. */
static bool take_place(struct request *r)
{
	int n = atomic_read(&places);

	while (!r->has_place && n > 0)
		r->has_place = try_cmpxchg(&places.counter, &n, n - 1);
	return r->has_place;
}

static void request_put(struct request *r)
{
	if (refcount_dec_and_test(&r->refs))
		kfree(r);
}

static void run_modprobe(struct work_struct *w)
{
	static const char *const environment[] = { "HOME=/", "TERM=linux",
						   "PATH=/sbin:/usr/sbin:/bin:/usr/bin", NULL };
	struct request *r = container_of(w, struct request, work);
	const char *argv[] = { r->path, "-q", "--", r->name, NULL };

	r->result = helper_run(r->path, argv, environment);
	atomic_inc(&places);
	wake_up(&place_free);
	complete(&r->done);
	request_put(r);
}

/* A place is taken. */
static int ask(struct request *r)
{
	int err;

	init_completion(&r->done);
	INIT_WORK(&r->work, run_modprobe);
	refcount_set(&r->refs, 2);
	queue_work(requests, &r->work);
	err = wait_for_completion_killable(&r->done) ? -EINTR : r->result;
	request_put(r);
	return err;
}

static int check(struct request *r, int name_len)
{
	if (name_len >= MODULE_NAME_MAX)
		return -ENAMETOOLONG;
	if (module_calls_disabled())
		return -EPERM;
	mutex_lock(&modprobe_lock);
	memcpy(r->path, modprobe_path, PATH_SIZE);
	mutex_unlock(&modprobe_lock);
	if (!r->path[0])
		return -ENOENT;
	return system_state == SYSTEM_RUNNING && requests ? 0 : -EBUSY;
}

int request_module(const char *fmt, ...)
{
	struct request *r = kzalloc(sizeof(*r), GFP_KERNEL);
	va_list ap;
	long left;
	int err;

	if (!r)
		return -ENOMEM;
	va_start(ap, fmt);
	err = check(r, vsnprintf(r->name, sizeof(r->name), fmt, ap));
	va_end(ap);
	if (err) {
		kfree(r);
		return err;
	}
	left = wait_event_killable_timeout(place_free, take_place(r), PATIENCE);
	if (left > 0)
		return ask(r);
	if (!left)
		pr_warn("module: %s is not asked for: %d requests wait\n", r->name, MOST);
	kfree(r);
	return left ? -EINTR : -ETIME;
}

static ssize_t show_path_of(struct show_node *n, char *buf, size_t size)
{
	ssize_t len;

	mutex_lock(&modprobe_lock);
	len = scnprintf(buf, size, "%s\n", modprobe_path);
	mutex_unlock(&modprobe_lock);
	return len;
}

/* As other texts there: up to a line's end, and no more than has room. */
static ssize_t store_path(struct show_node *n, const char *text, size_t len)
{
	size_t used = 0;

	while (used < len && used < PATH_SIZE - 1 && text[used] && text[used] != '\n')
		used++;
	mutex_lock(&modprobe_lock);
	memcpy(modprobe_path, text, used);
	memset(modprobe_path + used, 0, PATH_SIZE - used);
	mutex_unlock(&modprobe_lock);
	return (ssize_t)len;
}

static int request_init(void)
{
	struct show_node *dir = show_path(SHOW_SYSCTL, "kernel");

	requests = alloc_workqueue("modprobe", WQ_UNBOUND, 0);
	if (!requests || !dir || !show_attr(dir, "modprobe", 0644, show_path_of, store_path, NULL))
		return -ENOMEM;
	return 0;
}
INITCALL(fs, request_init);
