// SPDX-License-Identifier: MIT
/* System calls on names and files, below the edge: vfs/calls.h. */
#include <lib/string.h>
#include <mm/filemap.h>
#include <mm/uaccess.h>
#include <mm/upcalls.h>
#include <proc/cred.h>
#include <vfs/calls.h>
#include <vfs/fs.h>
#include <vfs/mount_calls.h>
#include <vfs/namei.h>
#include <vfs/stat.h>
#include <abi/errno.h>
#include <linux/fadvise.h>
#include <linux/fs.h>
#include <linux/stat.h>

/* ---- opening ---- */

int open_how_of(struct open_how *how, int flags, umode_t mode)
{
	flags &= VALID_OPEN_FLAGS;
	flags |= O_LARGEFILE;
	if (flags & O_PATH)
		flags &= O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;
	how->flags = (u64)(unsigned int)flags;
	how->mode = flags & (O_CREAT | __O_TMPFILE) ? mode & S_IALLUGO : 0;
	how->resolve = 0;
	/* Without O_DIRECTORY the bit means what it always did: nothing. */
	return (flags & O_TMPFILE) != O_TMPFILE && flags & __O_TMPFILE ? -EINVAL : 0;
}

int open_how_check(struct open_how *how)
{
	if (how->flags & ~(u64)(unsigned int)(VALID_OPEN_FLAGS))
		return -EINVAL;
	if (how->resolve & ~(u64)(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS |
				  RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED))
		return -EINVAL;
	if (how->resolve & RESOLVE_BENEATH && how->resolve & RESOLVE_IN_ROOT)
		return -EINVAL;
	if (how->flags & (O_CREAT | __O_TMPFILE) ? how->mode & ~(u64)S_IALLUGO : how->mode)
		return -EINVAL;
	if (how->flags & O_PATH &&
	    how->flags & ~(u64)(O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC))
		return -EINVAL;
	if (!(how->flags & O_PATH))
		how->flags |= O_LARGEFILE;
	return 0;
}

int open_filename_fd(int dfd, struct filename *fn, const struct open_how *how)
{
	int fd = get_unused_fd_flags((unsigned int)how->flags), err;
	struct file *file;

	if (unlikely(fd < 0))
		return fd;
	err = do_open_filename(dfd, fn, (int)how->flags, (umode_t)how->mode, how->resolve, &file);
	if (unlikely(err)) {
		put_unused_fd((unsigned int)fd);
		return err;
	}
	fd_install((unsigned int)fd, file);
	return fd;
}

/* ---- what files are ---- */

int vfs_stat_fd(int fd, struct kstat *k, u32 mask, unsigned int flags)
{
	return vfs_fstat(fd, k, mask, flags);
}

int vfs_stat_filename(int dfd, struct filename *fn, int at_flags, struct kstat *k, u32 mask)
{
	unsigned int lookup = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct path path;
	int err;

	if (!fn->len && dfd >= 0)
		return vfs_stat_fd(dfd, k, mask, 0);
	if (!(at_flags & AT_NO_AUTOMOUNT))
		lookup |= LOOKUP_AUTOMOUNT;
	err = filename_lookup(dfd, fn, lookup, &path, NULL);
	if (err)
		return err;
	err = vfs_stat_path(&path, k, mask, (unsigned int)at_flags & AT_STATX_SYNC_TYPE);
	path_put(&path);
	return err;
}

int statx_check(unsigned int flags, unsigned int mask)
{
	if (mask & STATX__RESERVED)
		return -EINVAL;
	if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	return flags & ~(unsigned int)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH |
				       AT_STATX_SYNC_TYPE) ?
		       -EINVAL :
		       0;
}

static struct statx_timestamp xtime(const struct timespec64 *t)
{
	return (struct statx_timestamp){ .tv_sec = t->tv_sec, .tv_nsec = (u32)t->tv_nsec };
}

int put_statx(const struct kstat *k, struct uptr to)
{
	struct user_namespace *ns = current_user_ns();
	const size_t known = offsetof(struct statx, stx_subvol) + sizeof(u64);	/* set below */
	struct statx x;

	x.stx_mask = k->result_mask;
	x.stx_blksize = k->blksize;
	x.stx_attributes = k->attributes;
	x.stx_attributes_mask = k->attributes_mask;
	x.stx_nlink = k->nlink;
	x.stx_uid = from_kuid_munged(ns, k->uid);
	x.stx_gid = from_kgid_munged(ns, k->gid);
	x.stx_mode = k->mode;
	x.__spare0[0] = 0;
	x.stx_ino = k->ino;
	x.stx_size = (u64)k->size;
	x.stx_blocks = k->blocks;
	x.stx_atime = xtime(&k->atime);
	x.stx_btime = xtime(&k->btime);
	x.stx_ctime = xtime(&k->ctime);
	x.stx_mtime = xtime(&k->mtime);
	x.stx_rdev_major = MAJOR(k->rdev);
	x.stx_rdev_minor = MINOR(k->rdev);
	x.stx_dev_major = MAJOR(k->dev);
	x.stx_dev_minor = MINOR(k->dev);
	x.stx_mnt_id = k->mnt_id;
	x.stx_dio_mem_align = k->dio_mem_align;
	x.stx_dio_offset_align = k->dio_offset_align;
	x.stx_subvol = k->subvol;
	memset((char *)&x + known, 0, sizeof(x) - known);
	return copy_to_user(to, &x, sizeof(x)) ? -EFAULT : 0;
}

/* ---- syncing and advice ---- */

/* Only all three flags together wait for a page that is being written to write it once more. */
static int sync_range(struct file *f, loff_t start, loff_t end, unsigned int flags)
{
	const unsigned int waits = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
	struct address_space *m = f->f_mapping;
	struct writeback_control wbc = {
		.nr_to_write = LONG_MAX,
		.range_start = start,
		.range_end = end,
		.sync_all = (flags & waits) == waits,
	};
	int err = 0;

	if (flags & SYNC_FILE_RANGE_WAIT_BEFORE) {
		filemap_fdatawait_range(m, start, end);
		err = filemap_check_wb_err(m, &f->f_wb_err);
	}
	if (!err && flags & SYNC_FILE_RANGE_WRITE)
		err = do_writepages(m, &wbc);
	if (!err && flags & SYNC_FILE_RANGE_WAIT_AFTER) {
		filemap_fdatawait_range(m, start, end);
		err = filemap_check_wb_err(m, &f->f_wb_err);
	}
	return err;
}

int vfs_sync_file_range(struct file *f, loff_t offset, loff_t nbytes, unsigned int flags)
{
	umode_t mode = file_inode(f)->i_mode;
	loff_t end;

	if (flags & ~(unsigned int)(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				    SYNC_FILE_RANGE_WAIT_AFTER))
		return -EINVAL;
	if (offset < 0 || nbytes < 0 || __builtin_add_overflow(offset, nbytes, &end))
		return -EINVAL;
	end = nbytes ? end - 1 : LLONG_MAX;
	if (!S_ISREG(mode) && !S_ISBLK(mode) && !S_ISDIR(mode) && !S_ISLNK(mode))
		return -ESPIPE;
	if (!f->f_mapping->ops || !f->f_mapping->ops->writepages)
		return 0;
	return sync_range(f, offset, end, flags);
}

int vfs_fadvise(struct file *f, loff_t offset, loff_t len, int advice)
{
	if (S_ISFIFO(file_inode(f)->i_mode))
		return -ESPIPE;
	if (offset < 0 || len < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE)
		return -EINVAL;
	if (f->f_op->fadvise)
		return f->f_op->fadvise(f, offset, len, advice);
	if (f->f_mapping->ops && f->f_mapping->ops->read_folio)
		return generic_fadvise(f, f->f_mapping, &f->f_ra, offset, len, advice);
	return 0;	/* Nothing is cached that could be read ahead or dropped. */
}
