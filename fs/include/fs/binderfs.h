/* SPDX-License-Identifier: MIT */
/*
 * binderfs: a filesystem whose files are Binder's devices. What a device does is its driver's,
 * which lies above and registers itself.
 */
#pragma once

#include <lib/types.h>

struct file_operations;
struct inode;

/* Constant, in the image or in a module, of which mounts and open devices are uses. */
struct binderfs_driver {
	const struct file_operations *fops;	/* of each device's files */
	void *(*make)(void);   /* what a new device keeps; NULL: no memory. May sleep */
	/* the device has no name and no open file any more. May sleep */
	void (*drop)(void *device);
};

/*
 * Makes the filesystem known; D's module is held until it is unknown again. -EBUSY: there is a
 * driver already; or what kept numbers from being reserved. Sleeps.
 */
int binderfs_register(const struct binderfs_driver *d);
/* No mount is left, and none begins: D's module is going. Sleeps. */
void binderfs_unregister(void);

/*
 * What make() returned for the device behind INODE, which the driver's open() is called for. It
 * lives as long as the inode.
 */
void *binderfs_device(const struct inode *inode);
