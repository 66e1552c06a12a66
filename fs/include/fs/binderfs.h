/* SPDX-License-Identifier: MIT */
/*
 * binderfs: a filesystem whose files are Binder's devices. What a device does is its driver's,
 * which lies above and registers itself.
 */
#pragma once

#include <lib/types.h>

struct file_operations;
struct inode;

/* Constant, and lives for ever. */
struct binderfs_driver {
	const struct file_operations *fops;	/* of each device's files */
	void *(*make)(void);   /* what a new device keeps; NULL: no memory. May sleep */
	/* the device has no name and no open file any more. May sleep */
	void (*drop)(void *device);
};

/* Makes the filesystem known. Once. -EBUSY, or what kept numbers from being reserved. */
int binderfs_register(const struct binderfs_driver *d);

/*
 * What make() returned for the device behind INODE, one whose i_fop is the driver's. It lives as
 * long as the inode.
 */
void *binderfs_device(const struct inode *inode);
