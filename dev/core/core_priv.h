/* SPDX-License-Identifier: MIT */
/*
 * What the files of dev/core share. Letters: c constant, b the bus's lock, d the device's lock, p
 * the lock of the parent's bus.
 */
#pragma once

#include <dev/device.h>
#include <kernel/refcount.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <sched/mutex.h>

/* Classes of a bus's devices' locks for the lock checker: by how many devices of it stand above. */
#define LOCK_LEVELS 8

struct bus {
	const char *name;		/* c */
	const char *lock_name;		/* c */
	const struct bus_ops *ops;	/* c */
	struct mutex lock;
	struct rb_root by_name;		/* b: devices, from device_new() to device_remove() */
	/* b: devices that are listed, in the order in which they were added */
	struct rb_root by_serial;
	u64 serial;			/* b: the last one given, to a device or a driver */
	struct list_head drivers;	/* b: by their serials */
	bool autoprobe;			/* b: devices and drivers that come are tried */
	struct show_node *dir;		/* c */
	struct show_node *devices_dir, *drivers_dir;	/* c */
	struct lock_class_key levels[LOCK_LEVELS];
};

struct driver {
	struct bus *bus;		/* c */
	char *name;			/* c */
	const struct driver_ops *ops;	/* c: of use while it is live */
	const void *data;		/* c: the same */
	refcount_t refs;
	bool live;			/* b: on the bus */
	u64 serial;			/* c */
	struct list_head in_bus;	/* b */
	struct list_head devices;	/* b: that it has, or probes */
	struct show_node *dir;		/* c, pinned */
	/* who registers and unregisters it: the directory "drivers" of its module, pinned; NULL */
	struct show_node *in_module;
};

struct device {
	struct bus *bus;		/* c */
	char *name;			/* c */
	void *data;			/* c */
	struct device *parent;		/* c: or NULL; a reference */
	unsigned int level;		/* c: how many of its bus stand above it */
	refcount_t refs;
	struct mutex lock;
	enum device_state state;	/* d */
	bool named;			/* b: in by_name */
	/* d and b: in by_serial, with a reference; either lock to read */
	bool listed;
	bool closed;			/* b: gets no children any more */
	struct list_head children;	/* b: in the order in which they were made */
	struct list_head in_parent;	/* p: or empty */
	bool removed;			/* d: for ever */
	struct driver *driver;		/* d and b: either to read; holds a reference */
	void *bound;			/* d */
	char *override;			/* b: or NULL */
	u64 serial;			/* b */
	struct rb_node by_name, by_serial;	/* b */
	struct list_head in_driver;	/* b */
	struct show_node *dir;		/* c, pinned */
};

/*
 * The length of the name that TEXT (LEN bytes) holds: up to a NUL, without one newline at its end.
 */
size_t name_len(const char *text, size_t len);
/* Reserves D's name: false: another device has it. */
bool bus_reserve(struct device *d);
/* The name is free again; nothing, if D has not reserved it. */
void bus_give_up(struct device *d);
/*
 * Puts D, with its lock, among the devices that have a driver or may get one; or takes it from
 * there, if it is.
 */
void bus_list(struct device *d);
void bus_unlist(struct device *d);
/* With the bus's lock: whether DRV is for D. */
bool is_for_locked(const struct device *d, const struct driver *drv);
/* Tries all drivers that are for D, with D's lock, until one takes it. */
void device_try_drivers(struct device *d);
/* Takes D's driver away, if it has one, with D's lock. */
void device_detach(struct device *d, bool gone);
/* Makes D the child of its parent. False: that gets none any more. */
bool child_join(struct device *d);
/* D is no child any more, if it was one. */
void child_leave(struct device *d);
/* Removes all below D, which from now on gets no children. Without D's lock. */
void children_remove(struct device *d, bool gone);
/* Removes the children that D's driver made, with D's lock. */
void children_remove_made(struct device *d, bool gone);
/* DRV's directory and its module's, if it has one, lead to each other. False: no memory. */
bool module_links_add(struct driver *drv);
/* The module's link goes; nothing, if there is none. The other one goes with DRV's directory. */
void module_links_remove(struct driver *drv);
void driver_get(struct driver *drv);
void driver_put(struct driver *drv);
/* unpin() of nodes. */
void device_unpin(void *d);
void driver_unpin(void *drv);
/* store() of a file "uevent" of what is no device: N's directory belongs to SUBSYSTEM. */
ssize_t core_uevent_store(struct show_node *n, const char *subsystem, const char *text, size_t len);
