// SPDX-License-Identifier: MIT
/*
 * Drivers, and their directories with the files bind and unbind. A file of a driver may be written
 * while the driver goes: the file's node has a reference of the driver, and a driver that is not
 * live gets no device any more (claim() in bind.c looks with the bus's lock).
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kernel/show.h>
#include <lib/err.h>
#include <lib/string.h>
#include "dev/core/core_priv.h"

void driver_get(struct driver *drv)
{
	refcount_inc(&drv->refs);
}

void driver_put(struct driver *drv)
{
	if (!drv || !refcount_dec_and_test(&drv->refs))
		return;
	show_put(drv->dir);
	kfree(drv->name);
	kfree(drv);
}

void driver_unpin(void *drv)
{
	driver_put(drv);
}

const void *driver_data(const struct driver *drv)
{
	return drv->data;
}

struct show_node *driver_dir(const struct driver *drv)
{
	return drv->dir;
}

static ssize_t bind_store(struct show_node *n, const char *text, size_t len)
{
	struct driver *drv = n->data;
	struct device *d = bus_find(drv->bus, text, name_len(text, len));
	int err = d ? device_bind(d, drv) : -ENODEV;

	if (d)
		device_put(d);
	return err ?: (ssize_t)len;
}

static ssize_t unbind_store(struct show_node *n, const char *text, size_t len)
{
	struct driver *drv = n->data;
	struct device *d = bus_find(drv->bus, text, name_len(text, len));
	int err = d ? device_unbind(d, drv, false) : -ENODEV;

	if (d)
		device_put(d);
	return err ?: (ssize_t)len;
}

static ssize_t uevent_of_driver(struct show_node *n, const char *text, size_t len)
{
	return core_uevent_store(n, "drivers", text, len);
}

/* A file of DRV that is only written. */
static bool command(struct driver *drv, const char *name, store_fn store)
{
	driver_get(drv);
	return show_attr_pinned(drv->dir, name, 0200, NULL, store, drv, driver_unpin);
}

static bool publish(struct driver *drv, bool fixed)
{
	drv->dir = show_dir_pinned(drv->bus->drivers_dir, drv->name);
	return drv->dir && module_links_add(drv) && command(drv, "uevent", uevent_of_driver) &&
	       (fixed ||
		(command(drv, "bind", bind_store) && command(drv, "unbind", unbind_store)));
}

/* Puts it on its bus, where it gets no device yet. false: the name is taken. */
static bool enlist(struct driver *drv)
{
	struct bus *bus = drv->bus;
	struct driver *other;
	bool taken = false;

	mutex_lock(&bus->lock);
	list_for_each_entry(other, &bus->drivers, in_bus)
		taken |= !strcmp(other->name, drv->name);
	if (!taken) {
		drv->serial = ++bus->serial;
		list_add_tail(&drv->in_bus, &bus->drivers);
	}
	mutex_unlock(&bus->lock);
	return !taken;
}

void driver_attach(struct driver *drv)
{
	struct bus *bus = drv->bus;
	struct device *d;

	for (u64 at = 0; (d = bus_next(bus, &at)); device_put(d)) {
		bool is;

		mutex_lock(&bus->lock);
		is = !d->driver && is_for_locked(d, drv);
		mutex_unlock(&bus->lock);
		if (is && device_bind(d, drv))
			continue;	/* it was said, and the next is tried */
	}
}

struct driver *driver_register(struct bus *bus, const char *name, const struct driver_ops *ops,
			       const void *data, bool fixed)
{
	struct driver *drv = kzalloc(sizeof(*drv), GFP_KERNEL);

	if (!drv)
		return ERR_PTR(-ENOMEM);
	*drv = (struct driver){ .bus = bus, .ops = ops, .data = data };
	refcount_set(&drv->refs, 1);
	INIT_LIST_HEAD(&drv->devices);
	drv->name = kstrdup(name, GFP_KERNEL);
	if (!drv->name) {
		kfree(drv);
		return ERR_PTR(-ENOMEM);
	}
	/* The name first: the directory of another driver is not touched. */
	if (!enlist(drv)) {
		driver_put(drv);
		return ERR_PTR(-EBUSY);
	}
	if (!publish(drv, fixed)) {
		driver_unregister(drv);
		return ERR_PTR(-ENOMEM);
	}
	/* Its directory is there for the links of devices: from here on those that come get it. */
	mutex_lock(&bus->lock);
	drv->live = true;
	mutex_unlock(&bus->lock);
	if (READ_ONCE(bus->autoprobe))
		driver_attach(drv);
	return drv;
}

/* A device that DRV has or probes, with a reference; NULL: none. */
static struct device *device_of(struct driver *drv)
{
	struct device *d;

	mutex_lock(&drv->bus->lock);
	d = list_first_entry_or_null(&drv->devices, struct device, in_driver);
	if (d)
		device_get(d);
	mutex_unlock(&drv->bus->lock);
	return d;
}

void driver_unregister(struct driver *drv)
{
	struct device *d;

	mutex_lock(&drv->bus->lock);
	drv->live = false;
	mutex_unlock(&drv->bus->lock);
	/* None comes any more, so this ends. */
	while ((d = device_of(drv))) {
		device_lock(d);
		if (d->driver == drv)
			device_detach(d, false);
		device_unlock(d);
		device_put(d);
	}
	module_links_remove(drv);
	if (drv->dir)
		show_remove(drv->dir);
	/* From here on the name is free. */
	mutex_lock(&drv->bus->lock);
	list_del(&drv->in_bus);
	mutex_unlock(&drv->bus->lock);
	driver_put(drv);
}
