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
	/* reserved, not allocated: bytes that are not in the page cache read as zeroes */
	EXTENT_DELAYED,
};

#define EXTENT_SHARED	0x1	/* other files have the same blocks */
#define EXTENT_NEW	0x2	/* map_write() has just reserved it */

struct extent {
	loff_t off;		/* bytes, of the filesystem's blocks */
	u64 len;		/* bytes, not 0 */
	u64 addr;		/* bytes from the device's start */
	const void *data;
	u64 cookie;		/* changes whenever the file's map does */
	u8 type, flags;
};

struct work_struct;

/*
 * Offsets and lengths are in bytes. The caller of all but map() and cookie() has made sure that the
 * filesystem may be written. 0 or -errno.
 */
struct extent_ops {
	/*
	 * The extent in which byte OFF lies; it need not be the whole extent, but contains OFF.
	 * LEN: how much the caller is interested in. ATTR: of the extended attributes' blocks
	 * instead. May sleep and read the device; called with folio locks held: no folio lock of
	 * the file, no allocation that waits for the filesystem. 0 or -errno.
	 */
	int (*map)(struct inode *inode, loff_t off, u64 len, bool attr, struct extent *out);

	/* ---- the rest is for files that are written ---- */

	/* The cookie that map() would give now. Any context that may sleep. */
	u64 (*cookie)(struct inode *inode);
	/*
	 * As map(), for a write of LEN bytes into the page cache: the answer is no hole, as what
	 * was one is reserved (EXTENT_DELAYED, EXTENT_NEW) or allocated, though perhaps less than
	 * LEN. What other files share is made the file's own, or -EOPNOTSUPP. Called with one folio
	 * locked. -ENOSPC.
	 */
	int (*map_write)(struct inode *inode, loff_t off, u64 len, struct extent *out);
	/* Gives back whole blocks of this range that are reserved and not allocated. */
	void (*unreserve)(struct inode *inode, loff_t off, u64 len);
	/*
	 * As map(), for writing dirty folios: what is reserved is allocated and unwritten. A hole:
	 * nothing was ever reserved there. Called with one folio locked.
	 */
	int (*map_alloc)(struct inode *inode, loff_t off, u64 len, struct extent *out);
	/* As map(), for a direct write of whole blocks: no hole and nothing delayed. */
	int (*map_direct)(struct inode *inode, loff_t off, u64 len, struct extent *out);
	/* Would written() have something to do for mapped blocks before END? Never sleeps. */
	bool (*grows)(struct inode *inode, u64 end);
	/*
	 * LEN bytes at OFF are on the device: unwritten blocks become written, and the size that
	 * the device has grows to what of them lies within i_size. Sleeps, waits for log space.
	 */
	int (*written)(struct inode *inode, loff_t off, u64 len, bool unwritten);
	/* Queues W, which will call written(), where it hinders nothing that it waits for. */
	void (*later)(struct inode *inode, struct work_struct *w);
};
