/* SPDX-License-Identifier: MIT */
/* FS_IOC_FIEMAP (<linux/fiemap.h>): a file's extents, told by inode_operations.fiemap. */
#pragma once

#include <lib/types.h>

struct fiemap_extent_info {
	u32 flags;		/* FIEMAP_FLAG_* that were asked for */
	u32 mapped;		/* extents so far */
	u32 max;		/* how many the caller has room for; 0: they are counted */
	struct uptr to;
};

/* Tells one: 0; 1: there is room for no more, or it was the last; -EFAULT. */
int fiemap_add(struct fiemap_extent_info *info, u64 logical, u64 physical, u64 len, u32 flags);
struct file;
long fiemap_ioctl(struct file *file, struct uptr arg);
