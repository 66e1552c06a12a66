/* SPDX-License-Identifier: MIT */
/*
 * Where a file's bytes are: what a filesystem answers to the room between it and the page cache.
 */
#pragma once

#include <lib/types.h>

struct inode;

enum extent_type {
	EXTENT_HOLE,		/* nothing is stored: reads as zeroes */
	EXTENT_MAPPED,		/* at ADDR on the device */
	EXTENT_UNWRITTEN,	/* allocated, never written: reads as zeroes */
	EXTENT_INLINE,		/* at DATA, in memory that lives as long as the inode */
};

#define EXTENT_SHARED	0x1	/* other files have the same blocks */

struct extent {
	loff_t off;		/* bytes, of the filesystem's blocks */
	u64 len;		/* bytes, not 0 */
	u64 addr;		/* bytes from the device's start */
	const void *data;
	u64 cookie;		/* changes whenever the file's map does */
	u8 type, flags;
};

struct extent_ops {
	/*
	 * The extent in which byte OFF lies; it need not be the whole extent, but contains OFF.
	 * LEN: how much the caller is interested in. ATTR: of the extended attributes' blocks
	 * instead. May sleep and read the device; called with folio locks held: no folio lock of
	 * the file, no allocation that waits for the filesystem. 0 or -errno.
	 */
	int (*map)(struct inode *inode, loff_t off, u64 len, bool attr, struct extent *out);
};
