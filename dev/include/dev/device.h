/* SPDX-License-Identifier: MIT */
/*
 * Devices, drivers and the buses that bring them together, with their names, links, files and
 * events in /sys (Linux: Documentation/ABI/testing/sysfs-bus-*, sysfs-devices).
 *
 * A device has a state. Its lock is held for the whole of a change from one to another:
 *
 *	off ---> probing ---> bound ---> leaving ---> off
 *	  ^---------'  (the driver refused)
 *
 * All objects are counted. A device may be used as long as the caller has a reference of it; what
 * its driver keeps for it (device_bound()) may be used in a call of the driver, or with the lock
 * of the device while the state is DEVICE_BOUND.
 *
 * A device may have a parent, of the same bus or another one, which lives as long as it does and
 * whose directory has its own. It leaves before its parent: device_remove() of the parent removes
 * it, and if its bus says so (of_driver), the end of the parent's driver does.
 *
 * Locks: a device's lock stands above its children's (probe() and remove() may add and remove
 * children); a bus's lock is the innermost, and match() and uevent() are called with it. No
 * function here may be called with a bus's lock, and unless it says so, none with the device's.
 *
 * All functions sleep, but for those that return a field.
 */
#pragma once

#include <lib/types.h>

struct bus;
struct device;
struct driver;
struct show_node;

enum device_state {
	DEVICE_OFF,		/* no driver */
	DEVICE_PROBING,		/* probe() runs */
	DEVICE_BOUND,
	DEVICE_LEAVING,		/* remove() runs */
};

struct bus_ops {
	/*
	 * Whether the driver, by what driver_register() was given, is for a device of that data.
	 * Changes nothing, calls nothing of this header, and does not sleep but for a lock of its
	 * own, the innermost of all.
	 */
	bool (*match)(const void *device, const void *driver);
	/*
	 * The device's own lines of its events (KEY=VALUE, each ended by a newline) into BUF (SIZE
	 * bytes): their length, or -errno. Does not sleep. NULL: none.
	 */
	ssize_t (*uevent)(const void *device, char *buf, size_t size);
	/* Frees a device's data, with the last reference. In any context. NULL: nothing to free. */
	void (*release)(void *device);
	/*
	 * A device has the file driver_override, which names the one driver that is for it,
	 * whatever match() says.
	 */
	bool overrides;
	/*
	 * The driver of a device's parent makes it: it is removed before remove() of that driver is
	 * called, and after a probe() that failed.
	 */
	bool of_driver;
};

struct driver_ops {
	/*
	 * Takes the device, whose lock is held: 0 or -errno; -ENODEV and -ENXIO: it is not for this
	 * driver, of which nobody is told.
	 */
	int (*probe)(struct device *d);
	/*
	 * Leaves the device, whose lock is held, whoever uses it; GONE: it is not there any more.
	 * Afterwards the driver does nothing with it.
	 */
	void (*remove)(struct device *d, bool gone);
};

/* ---- buses ---- */

/*
 * /sys/bus/NAME. OPS, NAME and LOCK_NAME (the class of its devices' locks) stay for ever, and so
 * does the bus. ERR_PTR(-ENOMEM).
 */
struct bus *bus_register(const char *name, const char *lock_name, const struct bus_ops *ops);
/* The device of that name (LEN bytes), with a reference for the caller; NULL: there is none. */
struct device *bus_find(struct bus *bus, const char *name, size_t len);
/*
 * A walk over the devices of a bus, in the order in which they were added: the first one after the
 * one of serial *AT (0: the first of all), whose serial *AT becomes, with a reference for the
 * caller; NULL: there is none. Devices may come and go meanwhile; each that stays is seen once.
 */
struct device *bus_next(struct bus *bus, u64 *at);

/* ---- drivers ---- */

/*
 * A driver of BUS, named NAME (copied), in /sys/bus/BUS/drivers; it gets all devices that have none
 * and that it is for, in the order in which they were added. FIXED: programs neither bind nor
 * unbind it (no such files). OPS and DATA stay until driver_unregister() returns, which gives back
 * the caller's reference. ERR_PTR: -ENOMEM; -EBUSY: the bus has a driver of that name.
 */
struct driver *driver_register(struct bus *bus, const char *name, const struct driver_ops *ops,
			       const void *data, bool fixed);
/*
 * Takes it from all its devices, waiting for probes that are under way, and off the bus. No lock of
 * a device is held.
 */
void driver_unregister(struct driver *drv);
const void *driver_data(const struct driver *drv);
/* Its directory, to which files may be added as long as the driver is registered. */
struct show_node *driver_dir(const struct driver *drv);
/*
 * Gives it all devices without a driver that it is for, as driver_register() does: after it has
 * come to be for more of them.
 */
void driver_attach(struct driver *drv);

/* ---- devices ---- */

/*
 * A device of BUS named NAME (copied), whose directory is made below ABOVE, a directory of /sys.
 * The caller has a reference; DATA is released with the last one, or at once if this fails. Files
 * that belong to the device are added to device_dir() before device_add(). ERR_PTR: -ENOMEM;
 * -EEXIST: the bus has a device of that name. device_remove() is due, also where device_add() was
 * not called or failed.
 */
struct device *device_new(struct bus *bus, struct show_node *above, const char *name, void *data);
/*
 * The same of a child of PARENT, with PARENT's lock or without. -ENODEV: PARENT is being removed,
 * or was.
 */
struct device *device_new_below(struct bus *bus, struct device *parent, const char *name,
				void *data);
/*
 * Puts it on its bus, which has a reference of it from then on: its link, the event "add"; then it
 * gets a driver, if there is one for it, and a driver that refuses is no error. Once. -ENOMEM.
 */
int __must_check device_add(struct device *d);
/*
 * Removes its children, the newest first; takes its driver away (GONE, as for the driver), then
 * what /sys shows of it, with the event "remove", waiting for a probe that is under way. A second
 * call has no effect. The caller's reference stays. The lock of its parent may be held.
 */
void device_remove(struct device *d, bool gone);
/*
 * Of those below D, by children of D's own bus alone, the newest that has none itself, with a
 * reference for the caller; NULL: D has none. It is to be removed: from now on nothing can be made
 * below it. With D's lock or without.
 */
struct device *device_last_below(struct device *d);
/* Whether D has a child of its own bus. */
bool device_has_below(struct device *d);
void device_get(struct device *d);
void device_put(struct device *d);

/*
 * Gives DRV to the device: -ENODEV: the driver is not for it, or one of both has been taken off the
 * bus; -EBUSY: it has a driver; or what probe() says.
 */
int __must_check device_bind(struct device *d, struct driver *drv);
/* Takes its driver away. -ENODEV: it has none, or one that is not DRV. */
int __must_check device_unbind(struct device *d, struct driver *drv, bool gone);

void device_lock(struct device *d) __acquires(d);
void device_unlock(struct device *d) __releases(d);

struct show_node *device_dir(const struct device *d);
const char *device_name(const struct device *d);
void *device_data(const struct device *d);
/* Its driver, from probe() to remove(); NULL else. With its lock. */
struct driver *device_driver(const struct device *d);
/* With its lock. */
enum device_state device_state(const struct device *d);
/*
 * What its driver keeps for it: set in probe(), NULL again after remove() or a probe that failed.
 * With its lock.
 */
void *device_bound(const struct device *d);
void device_set_bound(struct device *d, void *bound);
