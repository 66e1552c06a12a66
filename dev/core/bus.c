// SPDX-License-Identifier: MIT
/*
 * A bus: its devices by name and in the order in which they came, its drivers, and its directory.
 * A walk over devices goes by serial numbers and holds no lock between two of them.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kernel/show.h>
#include <kernel/uevent.h>
#include <lib/err.h>
#include <lib/format.h>
#include <lib/string.h>
#include "dev/core/core_priv.h"

size_t name_len(const char *text, size_t len)
{
	len = strnlen(text, len);
	return len && text[len - 1] == '\n' ? len - 1 : len;
}

static struct device *by_name(struct rb_node *n)
{
	return rb_entry(n, struct device, by_name);
}

static struct device *by_serial(struct rb_node *n)
{
	return rb_entry(n, struct device, by_serial);
}

/* How the name (LEN bytes) stands to D's: as strcmp() says. */
static int compare(const char *name, size_t len, const struct device *d)
{
	return strncmp(name, d->name, len) ?: d->name[len] ? -1 : 0;
}

bool bus_reserve(struct device *d)
{
	struct bus *bus = d->bus;
	struct rb_node **link = &bus->by_name.node, *parent = NULL;
	int way = 1;

	mutex_lock(&bus->lock);
	while (*link && way) {
		parent = *link;
		way = strcmp(d->name, by_name(parent)->name);
		link = way < 0 ? &parent->left : &parent->right;
	}
	if (way) {
		rb_link_node(&d->by_name, parent, link);
		rb_insert_color(&d->by_name, &bus->by_name);
		d->named = true;
	}
	mutex_unlock(&bus->lock);
	return way;
}

void bus_list(struct device *d)
{
	struct bus *bus = d->bus;
	struct rb_node **link, *parent = NULL;

	mutex_lock(&bus->lock);
	/* The newest is the rightmost. */
	d->serial = ++bus->serial;
	for (link = &bus->by_serial.node; *link; link = &parent->right)
		parent = *link;
	rb_link_node(&d->by_serial, parent, link);
	rb_insert_color(&d->by_serial, &bus->by_serial);
	d->listed = true;
	device_get(d);
	mutex_unlock(&bus->lock);
}

void bus_unlist(struct device *d)
{
	bool was;

	mutex_lock(&d->bus->lock);
	was = d->listed;
	if (was)
		rb_erase(&d->by_serial, &d->bus->by_serial);
	d->listed = false;
	mutex_unlock(&d->bus->lock);
	if (was)
		device_put(d);	/* the caller has one too */
}

void bus_give_up(struct device *d)
{
	mutex_lock(&d->bus->lock);
	if (d->named)
		rb_erase(&d->by_name, &d->bus->by_name);
	d->named = false;
	mutex_unlock(&d->bus->lock);
}

struct device *bus_find(struct bus *bus, const char *name, size_t len)
{
	struct device *found = NULL;

	mutex_lock(&bus->lock);
	for (struct rb_node *n = bus->by_name.node; n && !found;) {
		int way = compare(name, len, by_name(n));

		if (!way)
			found = by_name(n);
		n = way < 0 ? n->left : n->right;
	}
	if (found && !found->listed)
		found = NULL;
	if (found)
		device_get(found);
	mutex_unlock(&bus->lock);
	return found;
}

struct device *bus_next(struct bus *bus, u64 *at)
{
	struct device *next = NULL;
	struct rb_node *n;

	mutex_lock(&bus->lock);
	n = bus->by_serial.node;
	while (n) {
		if (by_serial(n)->serial > *at) {
			next = by_serial(n);
			n = n->left;
		} else {
			n = n->right;
		}
	}
	if (next) {
		device_get(next);
		*at = next->serial;
	}
	mutex_unlock(&bus->lock);
	return next;
}

/* ---- files ---- */

ssize_t core_uevent_store(struct show_node *n, const char *subsystem, const char *text, size_t len)
{
	char *extra = kzalloc(UEVENT_MOST, GFP_KERNEL);
	enum uevent_action action;
	char way[256];
	int err;

	if (!extra)
		return -ENOMEM;
	err = uevent_parse(text, len, &action, extra);
	if (!err && show_way(n->parent, way, sizeof(way)) >= 0)
		uevent_send_net(NULL, way, subsystem, action, extra, NULL);
	kfree(extra);
	return err ?: (ssize_t)len;
}

static ssize_t uevent_of_bus(struct show_node *n, const char *text, size_t len)
{
	return core_uevent_store(n, "bus", text, len);
}

static ssize_t probe_store(struct show_node *n, const char *text, size_t len)
{
	struct device *d = bus_find(n->data, text, name_len(text, len));

	if (!d)
		return -ENODEV;
	device_lock(d);
	if (!d->driver)
		device_try_drivers(d);
	device_unlock(d);
	device_put(d);
	return (ssize_t)len;
}

static ssize_t autoprobe_show(struct show_node *n, char *buf, size_t size)
{
	struct bus *bus = n->data;

	return scnprintf(buf, size, "%d\n", READ_ONCE(bus->autoprobe));
}

static ssize_t autoprobe_store(struct show_node *n, const char *text, size_t len)
{
	struct bus *bus = n->data;

	mutex_lock(&bus->lock);
	WRITE_ONCE(bus->autoprobe, text[0] != '0');
	mutex_unlock(&bus->lock);
	return (ssize_t)len;
}

struct bus *bus_register(const char *name, const char *lock_name, const struct bus_ops *ops)
{
	struct bus *bus = kzalloc(sizeof(*bus), GFP_KERNEL);

	if (!bus)
		return ERR_PTR(-ENOMEM);
	bus->name = name;
	bus->lock_name = lock_name;
	bus->ops = ops;
	bus->autoprobe = true;
	mutex_init(&bus->lock);
	INIT_LIST_HEAD(&bus->drivers);
	bus->dir = show_dir(SHOW_SYS, show_path(SHOW_SYS, "bus"), name);
	bus->devices_dir = bus->dir ? show_dir(SHOW_SYS, bus->dir, "devices") : NULL;
	bus->drivers_dir = bus->dir ? show_dir(SHOW_SYS, bus->dir, "drivers") : NULL;
	/*
	 * The directories stay as they are: another attempt, and links to the bus, find them there.
	 */
	if (!bus->devices_dir || !bus->drivers_dir ||
	    !show_attr(bus->dir, "drivers_autoprobe", 0644, autoprobe_show, autoprobe_store, bus))
		goto no_memory;
	if (!show_attr(bus->dir, "drivers_probe", 0200, NULL, probe_store, bus) ||
	    !show_attr(bus->dir, "uevent", 0200, NULL, uevent_of_bus, bus))
		return ERR_PTR(-ENOMEM);	/* a file has it already: it stays */
	return bus;
no_memory:
	kfree(bus);
	return ERR_PTR(-ENOMEM);
}
