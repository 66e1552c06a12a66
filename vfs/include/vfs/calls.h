/* SPDX-License-Identifier: MIT */
/*
 * System calls of open(2)'s, stat(2)'s and fsync(2)'s families with names that were read and files
 * that were found: for syscall/ and io_uring/.
 */
#pragma once

#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/namei.h>
#include <vfs/mount.h>
#include <vfs/mount_calls.h>
#include <vfs/stat.h>
#include <abi/errno.h>
#include <linux/openat2.h>
#include <linux/stat.h>

/* open(2): flags that it does not know, and a mode without O_CREAT, are ignored. 0, -EINVAL. */
int open_how_of(struct open_how *how, int flags, umode_t mode);
/* openat2(2): they are not. 0, -EINVAL; adds O_LARGEFILE. */
int open_how_check(struct open_how *how);
/* A descriptor, or -errno. */
int open_filename_fd(int dfd, struct filename *fn, const struct open_how *how);

/* These two are inline for fstat(2), which is short and often called. */
static inline int vfs_stat_path(const struct path *path, struct kstat *k, u32 mask,
				unsigned int flags)
{
	int err = vfs_getattr(path, k, mask, flags);

	if (err)
		return err;
	k->mnt_id = mask & STATX_MNT_ID_UNIQUE ? mnt_unique_id_of(path->mnt) :
						 (u64)mnt_id_of(path->mnt);
	k->result_mask |= mask & STATX_MNT_ID_UNIQUE ? STATX_MNT_ID_UNIQUE : STATX_MNT_ID;
	if (path->mnt->mnt_root == path->dentry)
		k->attributes |= STATX_ATTR_MOUNT_ROOT;
	return 0;
}

static inline int vfs_fstat(int fd, struct kstat *k, u32 mask, unsigned int flags)
{
	struct fd f = fdget_raw((unsigned int)fd);
	int err;

	if (fd_empty(f))
		return -EBADF;
	err = vfs_stat_path(&fd_file(f)->f_path, k, mask, flags);
	fdput(f);
	return err;
}

int vfs_stat_fd(int fd, struct kstat *k, u32 mask, unsigned int flags);
/* FN empty: the descriptor itself (AT_EMPTY_PATH was looked at when the name was read). */
int vfs_stat_filename(int dfd, struct filename *fn, int at_flags, struct kstat *k, u32 mask);
/* Of statx(2): 0, -EINVAL. */
int statx_check(unsigned int flags, unsigned int mask);
int put_statx(const struct kstat *k, struct uptr to);

int vfs_sync_file_range(struct file *f, loff_t offset, loff_t nbytes, unsigned int flags);
int vfs_fadvise(struct file *f, loff_t offset, loff_t len, int advice);
