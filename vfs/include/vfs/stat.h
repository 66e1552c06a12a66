// SPDX-License-Identifier: MIT
#pragma once
/*
 * struct kstat: what a filesystem says about one inode. The edge turns it into struct stat and
 * struct statx; filesystems fill it through inode_operations.getattr or generic_fillattr().
 */
#include <lib/types.h>
#include <lib/kdev.h>
#include <kernel/time.h>
#include <proc/cred.h>

struct kstat {
	u32		result_mask;		/* STATX_* that are valid */
	umode_t		mode;
	unsigned int	nlink;
	u32		blksize;		/* preferred I/O size, bytes */
	u64		attributes;		/* STATX_ATTR_* that are set */
	u64		attributes_mask;	/* STATX_ATTR_* the filesystem knows */
	u64		ino;
	dev_t		dev;
	dev_t		rdev;
	kuid_t		uid;
	kgid_t		gid;
	loff_t		size;
	struct timespec64 atime;
	struct timespec64 mtime;
	struct timespec64 ctime;
	struct timespec64 btime;
	u64		blocks;			/* 512-byte units */
	u64		mnt_id;
	u64		change_cookie;
	u64		subvol;
	u32		dio_mem_align;
	u32		dio_offset_align;
};

/* What statfs(2) reports, CPU-neutral. */
struct kstatfs {
	long		f_type;
	long		f_bsize;
	u64		f_blocks;
	u64		f_bfree;
	u64		f_bavail;
	u64		f_files;
	u64		f_ffree;
	u64		f_fsid;
	long		f_namelen;
	long		f_frsize;
	long		f_flags;
};
