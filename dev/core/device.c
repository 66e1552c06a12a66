// SPDX-License-Identifier: MIT
/*
 * The life of a device: made, given its files, added, removed, freed with the last reference. A
 * node of /sys that shows it has a reference, so that a program that reads a file while the device
 * goes finds its memory.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <arch/page.h>
#include <kernel/show.h>
#include <kernel/uevent.h>
#include <lib/err.h>
#include <lib/format.h>
#include <lib/string.h>
#include "dev/core/core_priv.h"

void device_get(struct device *d)
{
	refcount_inc(&d->refs);
}

/* Frees D, and gives back its reference of its parent: that one. */
static struct device *free_device(struct device *d)
{
	struct device *parent = d->parent;

	if (d->bus->ops->release)
		d->bus->ops->release(d->data);
	show_put(d->dir);
	kfree(d->override);
	kfree(d->name);
	kfree(d);
	return parent;
}

void device_put(struct device *d)
{
	while (d && refcount_dec_and_test(&d->refs))
		d = free_device(d);
}

void device_unpin(void *d)
{
	device_put(d);
}

void device_lock(struct device *d) __acquires(d)
{
	mutex_lock(&d->lock);
}

void device_unlock(struct device *d) __releases(d)
{
	mutex_unlock(&d->lock);
}

struct show_node *device_dir(const struct device *d)
{
	return d->dir;
}

const char *device_name(const struct device *d)
{
	return d->name;
}

void *device_data(const struct device *d)
{
	return d->data;
}

struct driver *device_driver(const struct device *d)
{
	lockdep_assert_held(&d->lock);
	return d->driver;
}

enum device_state device_state(const struct device *d)
{
	lockdep_assert_held(&d->lock);
	return d->state;
}

void *device_bound(const struct device *d)
{
	lockdep_assert_held(&d->lock);
	return d->bound;
}

void device_set_bound(struct device *d, void *bound)
{
	lockdep_assert_held(&d->lock);
	d->bound = bound;
}

/* ---- files ---- */

/*
 * An event of a bind is made with the device's lock: the bus's lock says here what the driver is.
 */
static ssize_t uevent_lines(struct show_node *n, char *buf, size_t size)
{
	struct device *d = n->data;
	ssize_t len = 0, more = 0;

	mutex_lock(&d->bus->lock);
	if (d->driver)
		len = scnprintf(buf, size, "DRIVER=%s\n", d->driver->name);
	if (d->bus->ops->uevent)
		more = d->bus->ops->uevent(d->data, buf + len, size - (size_t)len);
	mutex_unlock(&d->bus->lock);
	return more < 0 ? more : len + more;
}

static ssize_t show_override(struct show_node *n, char *buf, size_t size)
{
	struct device *d = n->data;
	ssize_t len;

	mutex_lock(&d->bus->lock);
	len = scnprintf(buf, size, "%s\n", d->override ?: "(null)");
	mutex_unlock(&d->bus->lock);
	return len;
}

/* A name, up to a newline; an empty one ends the override. The driver that the device has stays. */
static ssize_t store_override(struct show_node *n, const char *text, size_t len)
{
	struct device *d = n->data;
	size_t name = strcspn(text, "\n");
	char *now = NULL, *old;

	if (len >= PAGE_SIZE - 1)
		return -EINVAL;
	if (name) {
		now = kmemdup_nul(text, name, GFP_KERNEL_ACCOUNT);
		if (!now)
			return -ENOMEM;
	}
	mutex_lock(&d->bus->lock);
	old = d->override;
	d->override = now;
	mutex_unlock(&d->bus->lock);
	kfree(old);
	return (ssize_t)len;
}

static bool file(struct device *d, const char *name, show_fn show, store_fn store)
{
	device_get(d);
	return show_attr_pinned(d->dir, name, 0644, show, store, d, device_unpin);
}

/* ---- life ---- */

static bool publish(struct device *d, struct show_node *above)
{
	d->dir = show_dir_pinned(above, d->name);
	return d->dir && file(d, "uevent", uevent_lines, uevent_store) &&
	       (!d->bus->ops->overrides ||
		file(d, "driver_override", show_override, store_override)) &&
	       show_link_to(d->dir, "subsystem", d->bus->dir);
}

static struct device *make(struct bus *bus, struct device *parent, struct show_node *above,
			   const char *name, void *data)
{
	struct device *d = kzalloc(sizeof(*d), GFP_KERNEL);
	int err = -ENOMEM;

	if (!d) {
		if (bus->ops->release)
			bus->ops->release(data);
		return ERR_PTR(-ENOMEM);
	}
	d->bus = bus;
	d->data = data;
	refcount_set(&d->refs, 1);
	INIT_LIST_HEAD(&d->children);
	INIT_LIST_HEAD(&d->in_parent);
	if (parent) {
		device_get(parent);
		d->parent = parent;
		d->level = parent->bus == bus ? parent->level + 1 : 0;
	}
	mutex_init(&d->lock);
#ifdef CONFIG_LOCKDEP
	lockdep_init_map(&d->lock.map, bus->lock_name,
			 &bus->levels[d->level < LOCK_LEVELS ? d->level : LOCK_LEVELS - 1]);
#endif
	d->name = kstrdup(name, GFP_KERNEL);
	/* The name first: the directory of another device is not touched. */
	if (d->name && !bus_reserve(d))
		err = -EEXIST;
	else if (d->name && parent && !child_join(d))
		err = -ENODEV;
	else if (d->name && publish(d, above))
		return d;
	device_remove(d, false);
	device_put(d);
	return ERR_PTR(err);
}

struct device *device_new(struct bus *bus, struct show_node *above, const char *name, void *data)
{
	return make(bus, NULL, above, name, data);
}

struct device *device_new_below(struct bus *bus, struct device *parent, const char *name,
				void *data)
{
	return make(bus, parent, parent->dir, name, data);
}

int device_add(struct device *d)
{
	struct bus *bus = d->bus;
	int err = 0;

	device_lock(d);
	if (d->removed || d->listed)
		err = -EINVAL;
	else if (!show_link_to(bus->devices_dir, NULL, d->dir))
		err = -ENOMEM;
	if (!err) {
		bus_list(d);
		uevent_send(d->dir, UEVENT_ADD, NULL);
		if (READ_ONCE(bus->autoprobe))
			device_try_drivers(d);
	}
	device_unlock(d);
	return err;
}

void device_remove(struct device *d, bool gone)
{
	children_remove(d, gone);
	device_lock(d);
	if (d->listed) {
		device_detach(d, gone);
		show_remove_name(d->bus->devices_dir, d->name);
		uevent_send(d->dir, UEVENT_REMOVE, NULL);
		bus_unlist(d);
	}
	if (!d->removed && d->dir)
		show_remove(d->dir);
	d->removed = true;
	/* A device that comes by that name finds no directory of ours. */
	bus_give_up(d);
	child_leave(d);
	device_unlock(d);
}
