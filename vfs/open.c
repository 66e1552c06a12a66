// SPDX-License-Identifier: MIT
/* Opening and closing files: flags, rights to write, the filesystem's open operation. */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/notify.h>
#include <vfs/namei.h>
#include <vfs/locks.h>
#include <sched/task.h>
#include <proc/cred.h>
#include <linux/openat2.h>
#include <linux/fcntl.h>
#include "file_priv.h"
#include "mount_priv.h"

#define PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)

/* From the user's flags, mode and RESOLVE_* to what the walk needs; EINVAL for what makes no sense. */
int build_open_how(int flags, umode_t mode, u64 resolve, struct open_how_k *op)
{
	unsigned int lookup = 0;
	int acc = ACC_MODE(flags);

	if (flags & (O_CREAT | __O_TMPFILE)) {
		if (mode & ~S_IALLUGO)
			return -EINVAL;
		op->mode = mode | S_IFREG;
	} else {
		op->mode = 0;
	}
	/* O_CREAT | O_DIRECTORY never meant anything good. */
	if ((flags & (O_DIRECTORY | O_CREAT)) == (O_DIRECTORY | O_CREAT))
		return -EINVAL;
	if (flags & __O_TMPFILE) {
		if (!(flags & O_DIRECTORY) || !(acc & MAY_WRITE))
			return -EINVAL;
	}
	if (flags & O_PATH) {
		if (flags & ~PATH_FLAGS)
			return -EINVAL;
		acc = 0;
	}
	/* O_SYNC is both bits; __O_SYNC alone means the same. */
	if (flags & __O_SYNC)
		flags |= O_DSYNC;
	op->flags = flags;
	if (flags & O_TRUNC)
		acc |= MAY_WRITE;
	if (flags & O_APPEND)
		acc |= MAY_APPEND;
	op->acc_mode = acc;
	op->intent = flags & O_PATH ? 0 : LOOKUP_OPEN;
	if (flags & O_CREAT) {
		op->intent |= LOOKUP_CREATE;
		if (flags & O_EXCL) {
			op->intent |= LOOKUP_EXCL;
			flags |= O_NOFOLLOW;
		}
	}
	if (flags & O_DIRECTORY)
		lookup |= LOOKUP_DIRECTORY;
	if (!(flags & O_NOFOLLOW))
		lookup |= LOOKUP_FOLLOW;
	if (resolve & RESOLVE_NO_XDEV)
		lookup |= LOOKUP_NO_XDEV;
	if (resolve & RESOLVE_NO_MAGICLINKS)
		lookup |= LOOKUP_NO_MAGICLINKS;
	if (resolve & RESOLVE_NO_SYMLINKS)
		lookup |= LOOKUP_NO_SYMLINKS;
	if (resolve & RESOLVE_BENEATH)
		lookup |= LOOKUP_BENEATH;
	if (resolve & RESOLVE_IN_ROOT)
		lookup |= LOOKUP_IN_ROOT;
	if (resolve & RESOLVE_CACHED) {
		if (flags & (O_TRUNC | O_CREAT | __O_TMPFILE))
			return -EAGAIN;
		lookup |= LOOKUP_CACHED;
		if ((resolve & RESOLVE_AT_ONCE) == RESOLVE_AT_ONCE)
			lookup |= LOOKUP_AT_ONCE;
	}
	op->lookup_flags = lookup;
	return 0;
}

static const struct file_operations path_only_fops;

/* Write access of inode and mount, for as long as the file is open. */
static int get_file_write_access(struct file *f)
{
	struct inode *inode = f->f_inode;
	int err = get_write_access(inode);

	if (unlikely(err))
		return err;
	err = mnt_get_write_access(f->f_path.mnt);
	if (unlikely(err)) {
		put_write_access(inode);
		return err;
	}
	f->f_mode |= FMODE_WRITER;
	return 0;
}

/* f_path is set and its references are the file's, on failure too (they are dropped here then). */
int do_dentry_open(struct file *f, int (*open)(struct inode *, struct file *))
{
	struct inode *inode = f->f_path.dentry->d_inode;
	int err;

	path_get(&f->f_path);
	f->f_inode = inode;
	f->f_mapping = inode->i_mapping;
	f->f_wb_err = errseq_sample(&f->f_mapping->wb_err);
	f->f_sb_err = errseq_sample(&inode->i_sb->s_wb_err);
	if (unlikely(f->f_flags & O_PATH)) {
		f->f_mode = FMODE_PATH | FMODE_OPENED;
		f->f_op = &path_only_fops;
		return 0;
	}
	if (f->f_mode & FMODE_WRITE && !(S_ISCHR(inode->i_mode) || S_ISBLK(inode->i_mode) ||
					 S_ISFIFO(inode->i_mode) || S_ISSOCK(inode->i_mode))) {
		err = get_file_write_access(f);
		if (unlikely(err))
			goto fail;
	}
	if (S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode))
		f->f_mode |= FMODE_ATOMIC_POS;
	f->f_op = inode->i_fop;
	err = -ENODEV;
	if (WARN_ON(!f->f_op))
		goto fail;
	f->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	if (!open)
		open = f->f_op->open;
	if (open) {
		err = open(inode, f);
		if (err)
			goto fail;
	}
	f->f_mode |= FMODE_OPENED | (f->f_op->fop_flags & FOP_NOWAIT);
	if (f->f_mode & FMODE_READ && likely(f->f_op->read_iter))
		f->f_mode |= FMODE_CAN_READ;
	if (f->f_mode & FMODE_WRITE && likely(f->f_op->write_iter))
		f->f_mode |= FMODE_CAN_WRITE;
	if (f->f_mode & FMODE_LSEEK && !f->f_op->llseek)
		f->f_mode &= ~FMODE_LSEEK;
	if (f->f_mapping->ops && f->f_mapping->ops->direct_IO)
		f->f_mode |= FMODE_CAN_ODIRECT;
	f->f_flags &= ~(unsigned int)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC);
	f->f_iocb_flags = (unsigned int)iocb_flags(f);
	file_ra_state_init(&f->f_ra, f->f_mapping);
	if (unlikely(f->f_flags & O_DIRECT && !(f->f_mode & FMODE_CAN_ODIRECT)))
		return -EINVAL;
	return 0;
fail:
	if (f->f_mode & FMODE_WRITER) {
		put_write_access(inode);
		mnt_put_write_access(f->f_path.mnt);
		f->f_mode &= ~FMODE_WRITER;
	}
	path_put(&f->f_path);
	f->f_path.mnt = NULL;
	f->f_path.dentry = NULL;
	f->f_inode = NULL;
	return err;
}

int vfs_open(const struct path *path, struct file *file)
{
	int err;

	file->f_path = *path;
	err = do_dentry_open(file, NULL);
	if (!err && !(file->f_mode & FMODE_PATH))
		notify_file(file, IN_OPEN);
	return err;
}

/* For atomic_open and tmpfile operations: @dentry is positive now; opens it into @file. */
int finish_open(struct file *file, struct dentry *dentry, int (*open)(struct inode *, struct file *))
{
	int err;

	BUG_ON(file->f_mode & FMODE_OPENED);
	file->f_path.dentry = dentry;
	err = do_dentry_open(file, open);
	if (!err)
		notify_file(file, IN_OPEN);
	return err;
}

int finish_no_open(struct file *file, struct dentry *dentry)
{
	if (IS_ERR(dentry))
		return (int)PTR_ERR(dentry);
	file->f_path.dentry = dentry;
	return 0;
}

void replace_fops(struct file *f, const struct file_operations *fops)
{
	f->f_op = fops;
}

struct file *dentry_open(const struct path *path, int flags, const struct cred *cred)
{
	struct file *f = alloc_empty_file(flags, cred);
	int err;

	if (IS_ERR(f))
		return f;
	err = vfs_open(path, f);
	if (err) {
		fput(f);
		return ERR_PTR(err);
	}
	return f;
}

int do_open_filename(int dfd, struct filename *fn, int flags, umode_t mode, u64 resolve, struct file **out)
{
	struct open_how_k op;
	struct file *f;
	int err = build_open_how(flags, mode, resolve, &op);

	if (err)
		return err;
	f = path_open_file(dfd, fn, &op, NULL);
	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	*out = f;
	return 0;
}

struct file *filp_open(const char *name, int flags, umode_t mode)
{
	struct filename fn;
	struct file *f;
	int err;

	getname_kernel(&fn, name);
	err = do_open_filename(AT_FDCWD, &fn, flags, flags & (O_CREAT | __O_TMPFILE) ? mode & S_IALLUGO : 0,
			       0, &f);
	return err ? ERR_PTR(err) : f;
}

struct file *file_open_root(const struct path *root, const char *name, int flags, umode_t mode)
{
	struct open_how_k op;
	struct filename fn;
	int err;

	flags &= VALID_OPEN_FLAGS;
	if (flags & O_PATH)
		flags &= PATH_FLAGS;
	err = build_open_how(flags, flags & (O_CREAT | __O_TMPFILE) ? mode & S_IALLUGO : 0, 0, &op);
	if (err)
		return ERR_PTR(err);
	getname_kernel(&fn, name);
	return path_open_file(AT_FDCWD, &fn, &op, root);
}

/* For execve: readable or not, executable; regular; nobody may write to it while the file is held. */
struct file *do_open_execat(int dfd, struct filename *fn, int flags)
{
	struct open_how_k op = {
		.flags = O_LARGEFILE | O_RDONLY,
		.acc_mode = MAY_EXEC,
		.intent = LOOKUP_OPEN,
		.lookup_flags = LOOKUP_FOLLOW,
	};
	struct file *f;
	int err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_EXECVE_CHECK))
		return ERR_PTR(-EINVAL);
	if (flags & AT_SYMLINK_NOFOLLOW)
		op.lookup_flags &= ~(unsigned int)LOOKUP_FOLLOW;
	if (flags & AT_EMPTY_PATH)
		op.lookup_flags |= LOOKUP_EMPTY;
	f = path_open_file(dfd, fn, &op, NULL);
	if (IS_ERR(f))
		return f;
	err = -EACCES;
	if (!S_ISREG(file_inode(f)->i_mode) || path_noexec(&f->f_path))
		goto fail;
	err = deny_write_access(f);
	if (err)
		goto fail;
	f->f_mode |= FMODE_EXEC;
	return f;
fail:
	fput(f);
	return ERR_PTR(err);
}

struct file *open_exec(const char *name)
{
	struct filename fn;

	getname_kernel(&fn, name);
	return do_open_execat(AT_FDCWD, &fn, 0);
}

int deny_write_access(struct file *file)
{
	return deny_write_access_inode(file_inode(file));
}

void allow_write_access(struct file *file)
{
	if (file)
		allow_write_access_inode(file_inode(file));
}

int exe_file_deny_write_access(struct file *file)
{
	return deny_write_access(file);
}

void exe_file_allow_write_access(struct file *file)
{
	allow_write_access(file);
}

/* Closing a descriptor: the owner's locks go, the file says if data was lost. */
static int filp_flush(struct file *f, fl_owner_t id)
{
	int err = 0;

	if (WARN(!file_count(f), "vfs: close of a file without references\n"))
		return 0;
	if (f->f_op->flush)
		err = f->f_op->flush(f, id);
	if (unlikely(f->f_mode & FMODE_DNOTIFY))
		dnotify_flush(f, id);
	if (likely(!(f->f_mode & FMODE_PATH)) && unlikely(f->f_inode->i_flctx))
		locks_remove_posix(f, id);
	return err;
}

int filp_close(struct file *f, fl_owner_t id)
{
	int err = filp_flush(f, id);

	fput(f);
	return err;
}

/* From close(2): nothing is locked, so the last reference ends here and now. */
int file_close_and_put(struct file *f, void *id)
{
	int err = filp_flush(f, id);

	__fput_sync(f);
	return err;
}

int generic_file_open(struct inode *inode, struct file *file)
{
	(void)inode;
	(void)file;
	return 0;
}

int nonseekable_open(struct inode *inode, struct file *file)
{
	(void)inode;
	file->f_mode &= ~(FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE);
	return 0;
}

int stream_open(struct inode *inode, struct file *file)
{
	(void)inode;
	file->f_mode &= ~(FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE | FMODE_ATOMIC_POS);
	file->f_mode |= FMODE_STREAM;
	return 0;
}
