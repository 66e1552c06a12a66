// SPDX-License-Identifier: MIT
/*
 * Opening: the last component of a path, with creation, exclusion, O_TMPFILE and O_PATH; then rights,
 * truncation and the file's own open operation. An existing file is opened from RCU-walk; only creation
 * takes the directory's lock.
 */
#include <lib/types.h>
#include "namei_priv.h"
#include <alloc/slab.h>
#include <sched/task.h>
#include <proc/cred.h>
#include <kernel/show.h>
#include <kernel/init.h>
#include <linux/capability.h>
#include <vfs/notify.h>

int sysctl_protected_fifos, sysctl_protected_regular;

static bool may_open_dev(const struct path *path)
{
	return !(path->mnt->mnt_flags & MNT_NODEV) && !(path->mnt->mnt_sb->s_iflags & SB_I_NODEV);
}

int may_open_mode(struct mnt_idmap *idmap, const struct path *path, int acc_mode, int flag)
{
	struct inode *inode = path->dentry->d_inode;
	int err;

	if (!inode)
		return -ENOENT;
	switch (inode->i_mode & S_IFMT) {
	case S_IFLNK:
		return -ELOOP;
	case S_IFDIR:
		if (acc_mode & MAY_WRITE)
			return -EISDIR;
		if (acc_mode & MAY_EXEC)
			return -EACCES;
		break;
	case S_IFBLK:
	case S_IFCHR:
		if (!may_open_dev(path))
			return -EACCES;
		fallthrough;
	case S_IFIFO:
	case S_IFSOCK:
		if (acc_mode & MAY_EXEC)
			return -EACCES;
		flag &= ~O_TRUNC;
		break;
	case S_IFREG:
		if (acc_mode & MAY_EXEC && path_noexec(path))
			return -EACCES;
		break;
	}
	err = inode_permission(idmap, inode, MAY_OPEN | acc_mode);
	if (err)
		return err;
	if (IS_APPEND(inode)) {
		if ((flag & O_ACCMODE) != O_RDONLY && !(flag & O_APPEND))
			return -EPERM;
		if (flag & O_TRUNC)
			return -EPERM;
	}
	if (flag & O_NOATIME && !inode_owner_or_capable(idmap, inode))
		return -EPERM;
	return 0;
}

/* fs.protected_fifos, protected_regular: O_CREAT of somebody else's file in a sticky directory. */
static int may_create_in_sticky(struct nameidata *nd, const struct inode *inode)
{
	umode_t dir_mode = nd->dir_mode;
	int level = S_ISFIFO(inode->i_mode) ? sysctl_protected_fifos :
		    S_ISREG(inode->i_mode) ? sysctl_protected_regular : 0;

	if (likely(!(dir_mode & S_ISVTX)) || !level || uid_eq(inode->i_uid, nd->dir_uid) ||
	    uid_eq(current_fsuid(), inode->i_uid))
		return 0;
	if (dir_mode & S_IWOTH || (dir_mode & S_IWGRP && level >= 2))
		return -EACCES;
	return 0;
}

static int may_o_create(const struct path *dir, struct dentry *d, umode_t mode)
{
	struct inode *inode = dir->dentry->d_inode;

	(void)mode;
	(void)d;
	/* The creator's ids must have a number in the filesystem's namespace. */
	if (from_kuid(inode->i_sb->s_user_ns, current_fsuid()) == (uid_t)-1 ||
	    from_kgid(inode->i_sb->s_user_ns, current_fsgid()) == (gid_t)-1)
		return -EOVERFLOW;
	return inode_permission(mnt_idmap(dir->mnt), inode, MAY_WRITE | MAY_EXEC);
}

static umode_t prepare_mode(struct mnt_idmap *idmap, const struct inode *dir, umode_t mode)
{
	return mode_strip_umask(dir, mode_strip_sgid(idmap, dir, mode));
}

/* The directory is locked (exclusively with O_CREAT). A positive, negative or just created dentry. */
static struct dentry *lookup_open(struct nameidata *nd, struct file *file, const struct open_how_k *op,
				  bool got_write)
{
	DECLARE_WAIT_QUEUE_HEAD(wq);
	struct mnt_idmap *idmap = mnt_idmap(nd->path.mnt);
	struct dentry *dir = nd->path.dentry, *d, *res;
	struct inode *dir_inode = dir->d_inode;
	int open_flag = op->flags, err, create_error = 0;
	umode_t mode = op->mode;

	if (unlikely(IS_DEADDIR(dir_inode)))
		return ERR_PTR(-ENOENT);
	file->f_mode &= ~FMODE_CREATED;
	d = d_lookup(dir, &nd->last);
	for (;;) {
		if (!d) {
			d = d_alloc_parallel(dir, &nd->last, &wq);
			if (IS_ERR(d))
				return d;
		}
		if (d_in_lookup(d))
			break;
		err = 1;
		if (d->d_flags & DCACHE_OP_REVALIDATE)
			err = d->d_op->d_revalidate(dir_inode, &nd->last, d, nd->flags);
		if (likely(err > 0))
			break;
		if (err)
			goto fail;
		d_invalidate(d);
		dput(d);
		d = NULL;
	}
	if (d->d_inode)
		return d;
	if (open_flag & O_CREAT) {
		if (open_flag & O_EXCL)
			open_flag &= ~O_TRUNC;
		mode = prepare_mode(idmap, dir_inode, mode);
		create_error = got_write ? may_o_create(&nd->path, d, mode) : -EROFS;
	}
	if (d_in_lookup(d)) {
		res = dir_inode->i_op->lookup(dir_inode, d, nd->flags);
		d_lookup_done(d);
		if (unlikely(res)) {
			if (IS_ERR(res)) {
				err = (int)PTR_ERR(res);
				goto fail;
			}
			dput(d);
			d = res;
		}
	}
	if (!d->d_inode && open_flag & O_CREAT) {
		err = create_error;
		if (err)
			goto fail;
		file->f_mode |= FMODE_CREATED;
		err = -EACCES;
		if (!dir_inode->i_op->create)
			goto fail;
		err = dir_inode->i_op->create(idmap, dir_inode, d, (mode & S_IALLUGO) | S_IFREG,
					      open_flag & O_EXCL);
		if (err)
			goto fail;
		notify_create(dir_inode, d);
	}
	return d;
fail:
	d_lookup_done(d);
	dput(d);
	return ERR_PTR(err);
}

static bool trailing_slash(struct nameidata *nd)
{
	return nd->last_type == LAST_NORM && nd->last.name[nd->last.len];
}

/* From the parent to what is to be opened. More text to walk (a symlink), NULL: nd->path is it. */
static const char *open_last(struct nameidata *nd, struct file *file, const struct open_how_k *op)
{
	struct dentry *dir = nd->path.dentry, *d;
	int open_flag = op->flags;
	bool got_write = false;
	const char *res;

	nd->flags |= op->intent;
	if (nd->last_type != LAST_NORM) {
		if (nd->depth)
			put_link_top(nd);
		return handle_dots(nd, nd->last_type);
	}
	if (!(open_flag & O_CREAT)) {
		if (trailing_slash(nd))
			nd->flags |= LOOKUP_FOLLOW | LOOKUP_DIRECTORY;
		if (likely(step_last_cached(nd)))
			return NULL;
		d = lookup_fast(nd);
		if (IS_ERR(d))
			return ERR_CAST(d);
		if (likely(d))
			goto finish;
	} else {
		/* Without O_EXCL an existing file needs no lock. */
		if (trailing_slash(nd)) {
			if (nd->flags & LOOKUP_RCU && !try_to_unlazy(nd))
				return ERR_PTR(-ECHILD);
			return ERR_PTR(-EISDIR);
		}
		if (!(open_flag & O_EXCL)) {
			if (likely(step_last_cached(nd)))
				return NULL;
			d = lookup_fast(nd);
			if (IS_ERR(d))
				return ERR_CAST(d);
			if (d && likely(d_is_positive(d)))
				goto finish;
			if (d && !(nd->flags & LOOKUP_RCU))
				dput(d);
		}
		if (nd->flags & LOOKUP_RCU && !try_to_unlazy(nd))
			return ERR_PTR(-ECHILD);
	}
	if (open_flag & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR))
		got_write = !mnt_want_write(nd->path.mnt);
	if (open_flag & O_CREAT)
		inode_lock(dir->d_inode);
	else
		inode_lock_shared(dir->d_inode);
	d = lookup_open(nd, file, op, got_write);
	if (open_flag & O_CREAT)
		inode_unlock(dir->d_inode);
	else
		inode_unlock_shared(dir->d_inode);
	if (got_write)
		mnt_drop_write(nd->path.mnt);
	if (IS_ERR(d))
		return ERR_CAST(d);
	if (file->f_mode & FMODE_CREATED) {
		dput(nd->path.dentry);
		nd->path.dentry = d;
		nd->inode = d->d_inode;
		if (nd->depth)
			put_link_top(nd);
		return NULL;
	}
finish:
	if (unlikely(d_is_negative(d))) {
		if (nd->flags & LOOKUP_RCU) {
			if (read_seqcount_retry(&d->d_seq, nd->next_seq))
				return ERR_PTR(-ECHILD);
			return ERR_PTR(-ENOENT);
		}
		dput(d);
		return ERR_PTR(-ENOENT);
	}
	if (nd->depth)
		put_link_top(nd);
	res = step_into(nd, WALK_TRAILING, d);
	if (unlikely(res))
		nd->flags &= ~(LOOKUP_OPEN | LOOKUP_CREATE | LOOKUP_EXCL);
	return res;
}

static int handle_truncate(struct mnt_idmap *idmap, struct file *file)
{
	struct inode *inode = file_inode(file);
	int err = get_write_access(inode);

	if (err)
		return err;
	err = do_truncate(idmap, file->f_path.dentry, 0, ATTR_MTIME | ATTR_CTIME | ATTR_OPEN, file);
	put_write_access(inode);
	return err;
}

/* nd->path is what is to be opened: rights, then open it into @file. */
static int do_open(struct nameidata *nd, struct file *file, const struct open_how_k *op)
{
	struct mnt_idmap *idmap;
	int open_flag = op->flags, acc_mode = op->acc_mode, err;
	bool created = file->f_mode & FMODE_CREATED, truncate = false;

	err = complete_walk(nd);
	if (err)
		return err;
	idmap = mnt_idmap(nd->path.mnt);
	if (open_flag & O_CREAT) {
		if (open_flag & O_EXCL && !created)
			return -EEXIST;
		if (!created) {
			if (d_is_dir(nd->path.dentry))
				return -EISDIR;
			err = may_create_in_sticky(nd, nd->path.dentry->d_inode);
			if (unlikely(err))
				return err;
		}
	}
	if (nd->flags & LOOKUP_DIRECTORY && !d_can_lookup(nd->path.dentry))
		return -ENOTDIR;
	if (created) {
		/* The creator may write what its mode says nobody may. */
		open_flag &= ~O_TRUNC;
		acc_mode = 0;
	} else if (d_is_reg(nd->path.dentry) && open_flag & O_TRUNC) {
		err = mnt_want_write(nd->path.mnt);
		if (err)
			return err;
		truncate = true;
	}
	err = may_open_mode(idmap, &nd->path, acc_mode, open_flag);
	if (unlikely(nd->flags & LOOKUP_AT_ONCE) && !err && !d_is_reg(nd->path.dentry) &&
	    !d_is_dir(nd->path.dentry))
		err = -EAGAIN;
	if (!err && !(file->f_mode & FMODE_OPENED))
		err = vfs_open(&nd->path, file);
	if (!err && truncate)
		err = handle_truncate(idmap, file);
	if (truncate)
		mnt_drop_write(nd->path.mnt);
	return err;
}

/* O_TMPFILE: an unnamed file in the directory. */
static int do_tmpfile(struct nameidata *nd, unsigned int flags, const struct open_how_k *op, struct file *file)
{
	struct mnt_idmap *idmap;
	struct dentry *child;
	struct inode *dir;
	struct qstr slash = QSTR_INIT("/", 1);
	struct path path;
	umode_t mode;
	int err;

	err = path_lookupat(nd, flags | LOOKUP_DIRECTORY, &path);
	if (unlikely(err))
		return err;
	err = mnt_want_write(path.mnt);
	if (err)
		goto put;
	dir = path.dentry->d_inode;
	idmap = mnt_idmap(path.mnt);
	err = inode_permission(idmap, dir, MAY_WRITE | MAY_EXEC);
	if (err)
		goto drop;
	err = -EOPNOTSUPP;
	if (!dir->i_op->tmpfile)
		goto drop;
	err = -ENOMEM;
	child = d_alloc(path.dentry, &slash);
	if (!child)
		goto drop;
	file->f_path.mnt = path.mnt;
	file->f_path.dentry = child;
	mode = prepare_mode(idmap, dir, op->mode);
	err = dir->i_op->tmpfile(idmap, dir, file, (mode & S_IALLUGO) | S_IFREG);
	if (file->f_mode & FMODE_OPENED) {
		/* It holds its own references. */
	} else {
		file->f_path.mnt = NULL;
		file->f_path.dentry = NULL;
	}
	if (!err && !(op->flags & O_EXCL)) {
		spin_lock(&child->d_inode->i_lock);
		child->d_inode->i_state |= I_LINKABLE;
		spin_unlock(&child->d_inode->i_lock);
	}
	dput(child);
drop:
	mnt_drop_write(path.mnt);
put:
	path_put(&path);
	return err;
}

static int do_o_path(struct nameidata *nd, unsigned int flags, struct file *file)
{
	struct path path;
	int err = path_lookupat(nd, flags, &path);

	if (!err) {
		err = vfs_open(&path, file);
		path_put(&path);
	}
	return err;
}

static struct file *path_openat(struct nameidata *nd, const struct open_how_k *op, unsigned int flags,
				struct file **spare)
{
	struct file *file = *spare;
	const char *s;
	int err;

	if (unlikely(op->flags & __O_TMPFILE)) {
		err = do_tmpfile(nd, flags, op, file);
	} else if (unlikely(op->flags & O_PATH)) {
		err = do_o_path(nd, flags, file);
	} else {
		s = path_init(nd, flags);
		while (!(err = link_path_walk(s, nd)) && (s = open_last(nd, file, op)) != NULL)
			;
		if (!err)
			err = do_open(nd, file, op);
		terminate_walk(nd);
	}
	if (likely(!err)) {
		if (likely(file->f_mode & FMODE_OPENED)) {
			*spare = NULL;
			return file;
		}
		err = -EINVAL;
	}
	if (file->f_mode & FMODE_OPENED) {
		/* Opened, then failed (truncation): the next try needs a new one. */
		*spare = NULL;
		fput(file);
	}
	if (err == -EOPENSTALE)
		err = flags & LOOKUP_RCU ? -ECHILD : -ESTALE;
	return ERR_PTR(err);
}

struct file *path_open_file(int dfd, struct filename *fn, const struct open_how_k *op, const struct path *root)
{
	struct file *spare = NULL, *f = ERR_PTR(-ECHILD);
	static const unsigned int tries[] = { LOOKUP_RCU, 0, LOOKUP_REVAL };
	struct nameidata nd;

	if (unlikely(fn->len < 0))
		return ERR_PTR(fn->len);
	set_nameidata(&nd, dfd, fn, root);
	for (unsigned int i = 0; i < ARRAY_SIZE(tries); i++) {
		if (i == 1 && f != ERR_PTR(-ECHILD))
			break;
		if (i == 2 && f != ERR_PTR(-ESTALE))
			break;
		if (!spare) {
			spare = alloc_empty_file(op->flags, current_cred());
			if (IS_ERR(spare)) {
				f = spare;
				spare = NULL;
				break;
			}
		}
		f = path_openat(&nd, op, op->lookup_flags | tries[i], &spare);
		if (!i && f == ERR_PTR(-ESTALE))
			i = 1;	/* straight to revalidation */
	}
	restore_nameidata(&nd);
	if (spare)
		file_free(spare);
	return f;
}

static int open_sysctls(void)
{
	sysctl_int("fs/protected_fifos", 0644, &sysctl_protected_fifos, 0, 2);
	sysctl_int("fs/protected_regular", 0644, &sysctl_protected_regular, 0, 2);
	return 0;
}
INITCALL(fs, open_sysctls);
