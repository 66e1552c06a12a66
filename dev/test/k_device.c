// SPDX-License-Identifier: MIT
/* Devices, drivers and a bus of their own, /sys/bus/ktest. A bus stays, so all tests use one. */
#include <abi/errno.h>
#include <dev/device.h>
#include <kernel/ktest.h>
#include <kernel/show.h>
#include <lib/atomic.h>
#include <lib/err.h>
#include <lib/format.h>
#include <lib/string.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include <sched/task.h>

struct counts {
	int kind;
	int probe;			/* what probe() returns */
	struct completion *inside, *go;	/* probe() says that it runs, and waits; or NULL */
	atomic_t probes, removes, gone, now;
	char order[16];
	atomic_t len;
};

static atomic_t released;

static bool match(const void *device, const void *driver)
{
	const struct counts *c = driver;

	return *(const int *)device == c->kind;
}

static ssize_t lines(const void *device, char *buf, size_t size)
{
	return scnprintf(buf, size, "KIND=%d\n", *(const int *)device);
}

static void release(void *device)
{
	(void)device;
	atomic_inc(&released);
}

static int probe(struct device *d)
{
	struct counts *c = (void *)driver_data(device_driver(d));
	unsigned int at = (unsigned int)atomic_inc_return(&c->len) - 1;

	if (at < sizeof(c->order) - 1)
		c->order[at] = device_name(d)[0];
	atomic_inc(&c->probes);
	atomic_inc(&c->now);
	if (c->inside) {
		complete(c->inside);
		wait_for_completion(c->go);
	}
	if (device_state(d) != DEVICE_PROBING)
		return -EINVAL;
	if (!c->probe)
		device_set_bound(d, c);
	else
		atomic_dec(&c->now);
	return c->probe;
}

static void leave(struct device *d, bool gone)
{
	struct counts *c = device_bound(d);

	atomic_inc(&c->removes);
	atomic_dec(&c->now);
	if (gone)
		atomic_inc(&c->gone);
}

static const struct bus_ops bus_ops = {
	.match = match, .uevent = lines, .release = release, .overrides = true
};
static const struct driver_ops driver_ops = { .probe = probe, .remove = leave };

static struct bus *the_bus(void)
{
	static struct bus *bus;

	if (!bus)
		bus = bus_register("ktest", "test device", &bus_ops);
	return bus;
}

static struct show_node *above(void)
{
	return show_path(SHOW_SYS, "devices/ktest");
}

static struct show_node *drivers(void)
{
	return show_path(SHOW_SYS, "bus/ktest/drivers");
}

/* What a write to DIR's file NAME gives. */
static int put(struct show_node *dir, const char *name, const char *text)
{
	struct show_node *n = show_lookup(dir, name, strlen(name));
	ssize_t r = n ? n->store(n, text, strlen(text)) : -ENOENT;

	show_put(n);
	return r == (ssize_t)strlen(text) ? 0 : (int)r;
}

/* Whether DIR's file NAME reads TEXT. */
static bool reads(struct show_node *dir, const char *name, const char *text)
{
	struct show_node *n = show_lookup(dir, name, strlen(name));
	char buf[64] = "";
	ssize_t r = n ? n->show(n, buf, sizeof(buf)) : -ENOENT;

	show_put(n);
	return r == (ssize_t)strlen(text) && !strcmp(buf, text);
}

static bool has(struct show_node *dir, const char *name)
{
	struct show_node *n = show_lookup(dir, name, strlen(name));

	show_put(n);
	return n;
}

static enum device_state state_of(struct device *d)
{
	enum device_state s;

	device_lock(d);
	s = device_state(d);
	device_unlock(d);
	return s;
}

static int one = 1, two = 2;

/* A name that is taken: nothing of the device or driver that has it is touched. */
KTEST(dev_taken_names)
{
	struct counts c = { .kind = 1 };
	struct bus *bus = the_bus();
	struct driver *drv = driver_register(bus, "life", &driver_ops, &c, false);
	struct device *d = device_new(bus, above(), "alpha", &one);
	int before = atomic_read(&released);

	KT_ASSERT(!IS_ERR(drv) && !IS_ERR(d));
	KT_EQ(device_add(d), 0);
	KT_EQ(PTR_ERR(driver_register(bus, "life", &driver_ops, &c, false)), -EBUSY);
	KT_EQ(PTR_ERR(device_new(bus, above(), "alpha", &two)), -EEXIST);
	KT_EQ(PTR_ERR(device_new(bus, show_path(SHOW_SYS, "devices"), "alpha", &two)), -EEXIST);
	KT_EQ(atomic_read(&released), before + 2);
	KT_ASSERT(!has(show_path(SHOW_SYS, "devices"), "alpha") && has(above(), "alpha"));
	KT_ASSERT(reads(device_dir(d), "uevent", "DRIVER=life\nKIND=1\n"));
	KT_ASSERT(has(show_dir(SHOW_SYS, drivers(), "life"), "bind"));
	device_remove(d, false);
	device_put(d);
	driver_unregister(drv);
}

KTEST(dev_life)
{
	struct counts c = { .kind = 1 }, other = { .kind = 2 };
	struct bus *bus = the_bus();
	struct driver *drv, *drv2;
	struct device *d;
	struct show_node *files, *n;
	int before = atomic_read(&released);

	KT_ASSERT(!IS_ERR(bus));
	drv = driver_register(bus, "life", &driver_ops, &c, false);
	drv2 = driver_register(bus, "fixed", &driver_ops, &other, true);
	KT_ASSERT(!IS_ERR(drv) && !IS_ERR(drv2));
	d = device_new(bus, above(), "alpha", &one);
	KT_ASSERT(!IS_ERR(d));
	KT_ASSERT(!bus_find(bus, "alpha", 5));
	KT_EQ(device_add(d), 0);
	KT_EQ(device_add(d), -EINVAL);
	KT_EQ(atomic_read(&c.probes), 1);
	KT_EQ(state_of(d), DEVICE_BOUND);
	KT_ASSERT(has(device_dir(d), "driver") && has(device_dir(d), "subsystem"));
	KT_ASSERT(reads(device_dir(d), "uevent", "DRIVER=life\nKIND=1\n"));
	files = show_dir(SHOW_SYS, drivers(), "life");
	KT_ASSERT(has(files, "alpha") && has(show_path(SHOW_SYS, "bus/ktest/devices"), "alpha"));
	/* Names and errors of the files. */
	KT_EQ(put(files, "bind", "alpha"), -EBUSY);
	KT_EQ(put(files, "bind", "alph"), -ENODEV);
	KT_EQ(put(files, "unbind", "alphas\n"), -ENODEV);
	KT_EQ(put(files, "unbind", ""), -ENODEV);
	KT_ASSERT(!has(show_dir(SHOW_SYS, drivers(), "fixed"), "bind"));
	KT_EQ(device_unbind(d, drv2, false), -ENODEV);
	KT_EQ(put(files, "unbind", "alpha\n"), 0);
	KT_EQ(put(files, "unbind", "alpha\n"), -ENODEV);
	KT_EQ(state_of(d), DEVICE_OFF);
	KT_ASSERT(!has(files, "alpha") && !has(device_dir(d), "driver"));
	KT_ASSERT(reads(device_dir(d), "uevent", "KIND=1\n"));
	KT_EQ(device_bind(d, drv2), -ENODEV);
	KT_EQ(put(files, "bind", "alpha\n"), 0);
	KT_EQ(atomic_read(&c.probes), 2);
	KT_EQ(atomic_read(&c.removes), 1);
	KT_EQ(put(device_dir(d), "uevent", "change"), 0);
	KT_EQ(put(device_dir(d), "uevent", "chang"), -EINVAL);
	/* A node that a program reads keeps the device's memory, and nothing else of it. */
	n = show_lookup(device_dir(d), "uevent", 6);
	device_remove(d, true);
	device_remove(d, true);
	KT_EQ(atomic_read(&c.gone), 1);
	KT_EQ(atomic_read(&c.removes), 2);
	KT_ASSERT(!bus_find(bus, "alpha", 5) && !has(above(), "alpha"));
	KT_EQ(device_bind(d, drv), -ENODEV);
	device_put(d);
	KT_EQ(atomic_read(&released), before);
	show_put(n);
	KT_EQ(atomic_read(&released), before + 1);
	driver_unregister(drv);
	driver_unregister(drv2);
	KT_ASSERT(!has(drivers(), "life"));
	KT_EQ(atomic_read(&other.probes), 0);
}

KTEST(dev_probe_fails)
{
	struct counts bad = { .kind = 1, .probe = -EIO }, good = { .kind = 1 };
	struct bus *bus = the_bus();
	struct driver *first = driver_register(bus, "first", &driver_ops, &bad, false), *second;
	struct device *d = device_new(bus, above(), "beta", &one);

	KT_ASSERT(!IS_ERR(first) && !IS_ERR(d));
	KT_EQ(device_add(d), 0);
	KT_EQ(state_of(d), DEVICE_OFF);
	KT_ASSERT(!has(device_dir(d), "driver") &&
		  !has(show_dir(SHOW_SYS, drivers(), "first"), "beta"));
	KT_EQ(device_bind(d, first), -EIO);
	KT_EQ(put(show_dir(SHOW_SYS, drivers(), "first"), "bind", "beta"), -EIO);
	KT_EQ(atomic_read(&bad.probes), 3);
	KT_EQ(atomic_read(&bad.removes), 0);
	/* The next that is for it gets it; the first is asked again where a program says so. */
	second = driver_register(bus, "second", &driver_ops, &good, false);
	KT_ASSERT(!IS_ERR(second));
	KT_EQ(atomic_read(&good.probes), 1);
	KT_EQ(device_unbind(d, second, false), 0);
	KT_EQ(put(show_path(SHOW_SYS, "bus/ktest"), "drivers_probe", "beta\n"), 0);
	KT_EQ(atomic_read(&bad.probes), 4);
	KT_EQ(atomic_read(&good.probes), 2);
	KT_EQ(put(show_path(SHOW_SYS, "bus/ktest"), "drivers_probe", "none"), -ENODEV);
	device_remove(d, false);
	device_put(d);
	driver_unregister(first);
	driver_unregister(second);
	KT_EQ(atomic_read(&good.removes), 2);
}

KTEST(dev_override)
{
	struct counts a = { .kind = 1 }, b = { .kind = 2 };
	struct bus *bus = the_bus();
	struct driver *da = driver_register(bus, "a", &driver_ops, &a, false);
	struct driver *db = driver_register(bus, "b", &driver_ops, &b, false);
	struct device *d = device_new(bus, above(), "gamma", &one);
	struct show_node *dir;

	KT_ASSERT(!IS_ERR(da) && !IS_ERR(db) && !IS_ERR(d));
	dir = device_dir(d);
	KT_ASSERT(reads(dir, "driver_override", "(null)\n"));
	KT_EQ(device_add(d), 0);
	KT_EQ(put(dir, "driver_override", "b\n"), 0);
	KT_ASSERT(reads(dir, "driver_override", "b\n"));
	KT_EQ(atomic_read(&a.removes), 0);	/* it stays where it is */
	KT_EQ(device_bind(d, db), -EBUSY);
	KT_EQ(device_unbind(d, da, false), 0);
	KT_EQ(device_bind(d, da), -ENODEV);
	KT_EQ(put(show_path(SHOW_SYS, "bus/ktest"), "drivers_probe", "gamma"), 0);
	KT_EQ(atomic_read(&b.probes), 1);
	KT_EQ(put(dir, "driver_override", "\n"), 0);
	KT_ASSERT(reads(dir, "driver_override", "(null)\n"));
	KT_EQ(device_unbind(d, db, false), 0);
	KT_EQ(device_bind(d, db), -ENODEV);
	/* A bus that does not probe by itself. */
	KT_EQ(put(show_path(SHOW_SYS, "bus/ktest"), "drivers_autoprobe", "0"), 0);
	KT_ASSERT(reads(show_path(SHOW_SYS, "bus/ktest"), "drivers_autoprobe", "0\n"));
	driver_unregister(da);
	da = driver_register(bus, "a", &driver_ops, &a, false);
	KT_ASSERT(!IS_ERR(da));
	KT_EQ(atomic_read(&a.probes), 1);
	KT_EQ(put(show_path(SHOW_SYS, "bus/ktest"), "drivers_autoprobe", "1"), 0);
	device_remove(d, false);
	device_put(d);
	driver_unregister(da);
	driver_unregister(db);
}

/* ---- parents and children ---- */

/* Devices that the driver of their parent makes. */
static const struct bus_ops made_ops = { .match = match, .release = release, .of_driver = true };

static struct bus *made_bus(void)
{
	static struct bus *bus;

	if (!bus)
		bus = bus_register("ktest_made", "test device made", &made_ops);
	return bus;
}

/* Removals of all drivers of these tests, by the first letters of the devices. */
static char went[16];
static atomic_t nr_went;

static void leave_told(struct device *d, bool gone)
{
	unsigned int at = (unsigned int)atomic_inc_return(&nr_went) - 1;

	if (at < sizeof(went) - 1)
		went[at] = device_name(d)[0];
	leave(d, gone);
}

static const struct driver_ops told_ops = { .probe = probe, .remove = leave_told };

/* Makes a child, keeps a reference of it alone, and fails if it is to. */
static struct device *made;

static int probe_making(struct device *d)
{
	struct counts *c = (void *)driver_data(device_driver(d));

	made = device_new_below(made_bus(), d, "made", &two);
	if (IS_ERR(made))
		return (int)PTR_ERR(made);
	return device_add(made) ?: c->probe;
}

static void leave_making(struct device *d, bool gone)
{
	/* The child has gone before. */
	went[atomic_inc_return(&nr_went) - 1] = has(device_dir(d), "made") ? '!' :
									     device_name(d)[0];
	device_remove(made, gone);
	device_put(made);
}

static const struct driver_ops making_ops = { .probe = probe_making, .remove = leave_making };

static void no_went(void)
{
	memset(went, 0, sizeof(went));
	atomic_set(&nr_went, 0);
}

/* What a driver makes goes before it does, and only that. */
KTEST(dev_made_by_driver)
{
	struct counts maker = { .kind = 1 }, c = { .kind = 2 }, below = { .kind = 2 };
	struct driver *drv = driver_register(the_bus(), "maker", &making_ops, &maker, false);
	struct driver *user = driver_register(made_bus(), "user", &told_ops, &c, false);
	struct driver *other = driver_register(the_bus(), "other", &told_ops, &below, false);
	struct device *d = device_new(the_bus(), above(), "parent", &one), *child;

	no_went();
	KT_ASSERT(!IS_ERR(drv) && !IS_ERR(user) && !IS_ERR(other) && !IS_ERR(d));
	KT_EQ(device_add(d), 0);
	KT_EQ(atomic_read(&c.probes), 1);
	KT_ASSERT(has(device_dir(d), "made") && !device_has_below(d));
	child = device_new_below(the_bus(), d, "below", &two);
	KT_ASSERT(!IS_ERR(child));
	KT_EQ(device_add(child), 0);
	KT_ASSERT(device_has_below(d));
	KT_EQ(device_unbind(d, drv, true), 0);
	KT_EQ(strcmp(went, "mp"), 0);
	KT_EQ(atomic_read(&c.gone), 1);
	KT_ASSERT(!has(device_dir(d), "made") && !bus_find(made_bus(), "made", 4));
	KT_EQ(state_of(child), DEVICE_BOUND);
	/* A probe that fails leaves none either. */
	maker.probe = -EIO;
	no_went();
	KT_EQ(device_bind(d, drv), -EIO);
	KT_EQ(strcmp(went, "m"), 0);
	KT_ASSERT(!has(device_dir(d), "made"));
	KT_EQ(device_add(made), -EINVAL);
	device_put(made);
	/* Of a device that goes all below it goes, whoever made it. */
	maker.probe = 0;
	KT_EQ(device_bind(d, drv), 0);
	no_went();
	device_remove(d, false);
	KT_EQ(strcmp(went, "mbp"), 0);
	KT_EQ(state_of(child), DEVICE_OFF);
	device_put(child);
	device_put(d);
	driver_unregister(other);
	driver_unregister(user);
	driver_unregister(drv);
}

/* The newest leaves go first; a device that goes gets no children, and lives as long as they do. */
KTEST(dev_children)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };
	static const int parents[] = { -1, 0, 1, 0, 3 };
	struct counts c = { .kind = 1 };
	struct driver *drv = driver_register(the_bus(), "all", &told_ops, &c, false);
	struct device *all[5], *leaf;
	int before = atomic_read(&released);

	no_went();
	KT_ASSERT(!IS_ERR(drv));
	for (int i = 0; i < 5; i++) {
		all[i] = i ? device_new_below(the_bus(), all[parents[i]], names[i], &one) :
			     device_new(the_bus(), above(), names[i], &one);
		KT_ASSERT(!IS_ERR(all[i]));
		KT_EQ(device_add(all[i]), 0);
	}
	KT_ASSERT(has(device_dir(all[3]), "e") && !device_last_below(all[4]));
	leaf = device_last_below(all[1]);
	KT_ASSERT(leaf == all[2]);
	device_put(leaf);
	KT_EQ(PTR_ERR(device_new_below(the_bus(), leaf, "f", &one)), -ENODEV);
	KT_EQ(atomic_read(&released), before + 1);
	/* One that is there and has no child any more may get some. */
	device_remove(all[2], false);
	KT_ASSERT(!device_last_below(all[1]));
	device_put(all[2]);
	KT_EQ(atomic_read(&released), before + 2);
	all[2] = device_new_below(the_bus(), all[1], "c", &one);
	KT_ASSERT(!IS_ERR(all[2]));
	KT_EQ(device_add(all[2]), 0);
	no_went();
	device_remove(all[0], false);
	KT_EQ(strcmp(went, "edcba"), 0);
	KT_EQ(PTR_ERR(device_new_below(the_bus(), all[0], "f", &one)), -ENODEV);
	KT_EQ(atomic_read(&released), before + 3);
	/* The parents' references are the children's last. */
	for (int i = 0; i < 4; i++)
		device_put(all[i]);
	KT_EQ(atomic_read(&released), before + 5);	/* B and its child C */
	device_put(all[4]);
	KT_EQ(atomic_read(&released), before + 8);
	driver_unregister(drv);
}

/* A driver that comes to be for more devices. */
KTEST(dev_attach)
{
	struct counts c = { .kind = 3 };
	struct driver *drv = driver_register(the_bus(), "more", &driver_ops, &c, false);
	struct device *d = device_new(the_bus(), above(), "zeta", &one), *next;
	u64 at = 0;

	KT_ASSERT(!IS_ERR(drv) && !IS_ERR(d));
	KT_EQ(device_add(d), 0);
	driver_attach(drv);
	KT_EQ(atomic_read(&c.probes), 0);
	c.kind = 1;
	driver_attach(drv);
	driver_attach(drv);
	KT_EQ(atomic_read(&c.probes), 1);
	KT_ASSERT(has(driver_dir(drv), "zeta"));
	next = bus_next(the_bus(), &at);
	KT_ASSERT(next == d && at);
	device_put(next);
	KT_ASSERT(!bus_next(the_bus(), &at));
	/* Its maker's reference is not the bus's. */
	device_put(d);
	d = bus_find(the_bus(), "zeta", 4);
	KT_ASSERT(d);
	device_remove(d, false);
	device_put(d);
	driver_unregister(drv);
}

#define MANY 500

static int numbers[MANY];

KTEST(dev_names)
{
	static struct device *all[MANY];
	struct counts c = { .kind = 1 };
	struct bus *bus = the_bus();
	struct driver *drv;
	struct device *d;
	char name[16];

	for (int i = 0; i < MANY; i++) {
		/* Neither order of names is that of adding. */
		snprintf(name, sizeof(name), "%c%d", "qwertz"[i % 6], i * 7919 % MANY);
		numbers[i] = i < 6;
		all[i] = device_new(bus, above(), name, &numbers[i]);
		KT_ASSERT(!IS_ERR(all[i]));
		KT_EQ(device_add(all[i]), 0);
	}
	for (int i = 0; i < MANY; i++) {
		d = bus_find(bus, device_name(all[i]), strlen(device_name(all[i])));
		KT_ASSERT(d == all[i]);
		device_put(d);
	}
	drv = driver_register(bus, "many", &driver_ops, &c, false);
	KT_ASSERT(!IS_ERR(drv));
	KT_EQ(strcmp(c.order, "qwertz"), 0);
	for (int i = 0; i < MANY; i += 2) {
		device_remove(all[i], false);
		device_put(all[i]);
		all[i] = NULL;
	}
	KT_EQ(atomic_read(&c.removes), 3);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%c%d", "qwertz"[i % 6], i * 7919 % MANY);
		d = bus_find(bus, name, strlen(name));
		KT_ASSERT(d == all[i]);
		if (d) {
			device_put(d);
			device_remove(d, false);
			device_put(d);
		}
	}
	driver_unregister(drv);
	KT_EQ(atomic_read(&c.removes), 6);
}

/* ---- races ---- */

/* A thread that does one thing, and says so. */
struct job {
	struct device *add, *remove;
	struct driver *unregister;
	int err;
	struct completion done;
};

static int work(void *arg)
{
	struct job *j = arg;

	if (j->add)
		j->err = device_add(j->add);
	if (j->remove)
		device_remove(j->remove, false);
	if (j->unregister)
		driver_unregister(j->unregister);
	complete(&j->done);
	return 0;
}

static bool start(struct job *j)
{
	init_completion(&j->done);
	return !IS_ERR(kthread_run(work, j, "ktest/device"));
}

/*
 * The driver, or the device, goes while the device is probed: the probe ends first, and remove()
 * follows it.
 */
static void goes_in_probe(struct ktest_run *__kt, bool device)
{
	DECLARE_COMPLETION_ONSTACK(inside);
	DECLARE_COMPLETION_ONSTACK(go);
	struct counts c = { .kind = 1, .inside = &inside, .go = &go };
	struct bus *bus = the_bus();
	struct driver *drv = driver_register(bus, "slow", &driver_ops, &c, false);
	struct device *d = device_new(bus, above(), "delta", &one);
	struct job adds = { .add = d },
		   goes = { .remove = device ? d : NULL, .unregister = device ? NULL : drv };

	KT_ASSERT(!IS_ERR(drv) && !IS_ERR(d));
	KT_ASSERT(start(&adds));
	wait_for_completion(&inside);
	KT_ASSERT(start(&goes));
	KT_EQ(atomic_read(&c.removes), 0);
	complete(&go);
	wait_for_completion(&adds.done);
	wait_for_completion(&goes.done);
	KT_EQ(adds.err, 0);
	KT_EQ(atomic_read(&c.probes), 1);
	KT_EQ(atomic_read(&c.removes), 1);
	KT_EQ(state_of(d), DEVICE_OFF);
	KT_ASSERT(!has(device_dir(d), "driver"));
	device_remove(d, false);
	device_put(d);
	if (device)
		driver_unregister(drv);
	KT_ASSERT(!has(drivers(), "slow") && !has(above(), "delta"));
}

KTEST(dev_driver_goes_in_probe)
{
	goes_in_probe(__kt, false);
}

KTEST(dev_device_goes_in_probe)
{
	goes_in_probe(__kt, true);
}

struct racer {
	atomic_t left;
	struct completion ended[3];
	atomic_t started;
};

/* Each looks for the driver's directory anew: it comes and goes. */
static void told(const char *file)
{
	struct show_node *dir = show_lookup(drivers(), "race", 4);

	if (dir)
		(void)put(dir, file, "epsilon");
	show_put(dir);
}

static int race(void *arg)
{
	struct racer *r = arg;
	int i = atomic_inc_return(&r->started) - 1;

	while (atomic_read(&r->left) > 0) {
		told(i ? "bind" : "unbind");
		cond_resched();
	}
	complete(&r->ended[i]);
	return 0;
}

/* The device comes and goes, and its driver does, while two bind it and one unbinds it by name. */
KTEST(dev_races)
{
	struct counts c = { .kind = 1 };
	struct bus *bus = the_bus();
	struct driver *drv = driver_register(bus, "race", &driver_ops, &c, false);
	struct racer r = {};
	int before = atomic_read(&released);

	KT_ASSERT(!IS_ERR(drv));
	atomic_set(&r.left, 300);
	for (int i = 0; i < 3; i++) {
		init_completion(&r.ended[i]);
		KT_ASSERT(!IS_ERR(kthread_run(race, &r, "ktest/race%d", i)));
	}
	while (atomic_dec_return(&r.left) > 0) {
		struct device *d = device_new(bus, above(), "epsilon", &one);

		KT_ASSERT(!IS_ERR(d));
		KT_EQ(device_add(d), 0);
		cond_resched();
		if (atomic_read(&r.left) % 8 == 0) {
			driver_unregister(drv);
			drv = driver_register(bus, "race", &driver_ops, &c, false);
			KT_ASSERT(!IS_ERR(drv));
		}
		device_remove(d, false);
		KT_EQ(state_of(d), DEVICE_OFF);
		device_put(d);
	}
	for (int i = 0; i < 3; i++)
		wait_for_completion(&r.ended[i]);
	KT_EQ(atomic_read(&c.probes), atomic_read(&c.removes));
	KT_EQ(atomic_read(&c.now), 0);
	KT_EQ(atomic_read(&released), before + 299);
	driver_unregister(drv);
}
