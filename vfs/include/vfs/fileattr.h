// SPDX-License-Identifier: MIT
#pragma once
/*
 * What chattr(1) sets: flags of a file that are no permissions. User programs say them in two ways, as FS_*_FL or as FS_XFLAG_*;
 * a struct fileattr holds both, and by_flags says which of them a change was given in.
 */
#include <lib/types.h>

struct dentry;
struct file;
struct mnt_idmap;

struct fileattr {
	u32	flags;		/* FS_*_FL */
	u32	xflags;		/* FS_XFLAG_* */
	u32	extsize;
	u32	nextents;
	u32	projid;
	u32	cowextsize;
	bool	by_flags;
};

struct fileattr fileattr_of_flags(u32 flags);
struct fileattr fileattr_of_xflags(u32 xflags);
/* Something that only struct fsxattr can say. */
bool fileattr_has_more(const struct fileattr *fa);

/* -EOPNOTSUPP where the filesystem keeps none. The mount is writable for a change. */
int vfs_fileattr_get(struct dentry *d, struct fileattr *fa);
int vfs_fileattr_set(struct mnt_idmap *idmap, struct dentry *d, struct fileattr *fa);
/* FS_IOC_GETFLAGS and its like; -ENOIOCTLCMD where it is for the file itself. */
long fileattr_ioctl(struct file *file, unsigned int cmd, struct uptr arg);
