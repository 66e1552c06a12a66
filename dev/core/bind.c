// SPDX-License-Identifier: MIT
/*
 * Brings a device and a driver together, and apart, with the device's lock held throughout.
 *
 * A claim, with the bus's lock inside, is the one point where a device gets a driver: the driver
 * must be live and be for the device then, and from then on the driver's list has the device. So a
 * driver that is unregistered finds every device that it has or probes, and waits for the latter by
 * the device's lock.
 *
 * The links are there before probe() runs: what it adds (a disk, a network device) is looked at by
 * programs that ask for the driver.
 */
#include <abi/errno.h>
#include <kernel/printk.h>
#include <kernel/show.h>
#include <kernel/uevent.h>
#include <lib/string.h>
#include "dev/core/core_priv.h"

bool is_for_locked(const struct device *d, const struct driver *drv)
{
	lockdep_assert_held(&d->bus->lock);
	if (!drv->live)
		return false;
	return d->override ? !strcmp(d->override, drv->name) :
			     d->bus->ops->match(d->data, drv->data);
}

static int claim(struct device *d, struct driver *drv)
{
	struct bus *bus = d->bus;
	int err = 0;

	lockdep_assert_held(&d->lock);
	mutex_lock(&bus->lock);
	if (!d->listed || !is_for_locked(d, drv)) {
		err = -ENODEV;
	} else if (d->driver) {
		err = -EBUSY;
	} else {
		driver_get(drv);
		d->driver = drv;
		d->state = DEVICE_PROBING;
		list_add_tail(&d->in_driver, &drv->devices);
	}
	mutex_unlock(&bus->lock);
	return err;
}

static void unclaim(struct device *d)
{
	struct driver *drv = d->driver;

	lockdep_assert_held(&d->lock);
	d->bound = NULL;
	mutex_lock(&d->bus->lock);
	list_del(&d->in_driver);
	d->driver = NULL;
	d->state = DEVICE_OFF;
	mutex_unlock(&d->bus->lock);
	driver_put(drv);
}

static void unlink_driver(struct device *d)
{
	show_remove_name(d->dir, "driver");
	show_remove_name(d->driver->dir, d->name);
}

/* Probes D with DRV, with D's lock. */
static int attach(struct device *d, struct driver *drv)
{
	int err = claim(d, drv);

	if (err)
		return err;
	err = -ENOMEM;
	if (show_link_to(d->dir, "driver", drv->dir) && show_link_to(drv->dir, d->name, d->dir))
		err = drv->ops->probe(d);
	if (err) {
		if (err != -ENODEV && err != -ENXIO)
			pr_warn("%s %s: probe with driver %s failed with error %d\n", drv->name,
				d->name, drv->name, err);
		children_remove_made(d, false);
		unlink_driver(d);
		unclaim(d);
		return err;
	}
	d->state = DEVICE_BOUND;
	uevent_send(d->dir, UEVENT_BIND, NULL);
	return 0;
}

void device_detach(struct device *d, bool gone)
{
	lockdep_assert_held(&d->lock);
	if (!d->driver)
		return;
	d->state = DEVICE_LEAVING;
	children_remove_made(d, gone);
	unlink_driver(d);
	d->driver->ops->remove(d, gone);
	unclaim(d);
	uevent_send(d->dir, UEVENT_UNBIND, NULL);
}

/* The first driver that is for D behind the one of that serial, with a reference; NULL. */
static struct driver *next_driver(struct device *d, u64 after)
{
	struct driver *drv, *found = NULL;

	mutex_lock(&d->bus->lock);
	list_for_each_entry(drv, &d->bus->drivers, in_bus)
		if (drv->serial > after && is_for_locked(d, drv)) {
			found = drv;
			driver_get(found);
			break;
		}
	mutex_unlock(&d->bus->lock);
	return found;
}

void device_try_drivers(struct device *d)
{
	struct driver *drv;

	for (u64 at = 0; !d->driver && (drv = next_driver(d, at)); driver_put(drv)) {
		at = drv->serial;
		if (attach(d, drv))
			continue;	/* the next one */
	}
}

int device_bind(struct device *d, struct driver *drv)
{
	int err;

	device_lock(d);
	err = attach(d, drv);
	device_unlock(d);
	return err;
}

int device_unbind(struct device *d, struct driver *drv, bool gone)
{
	int err = -ENODEV;

	device_lock(d);
	if (d->driver && d->driver == drv) {
		device_detach(d, gone);
		err = 0;
	}
	device_unlock(d);
	return err;
}
