// SPDX-License-Identifier: MIT
/*
 * Changing directories: create, mknod, mkdir, link, symlink, unlink, rmdir, rename. The vfs_* functions
 * want their directories locked and the mount writable; the do_* functions are whole system calls with
 * their names in kernel memory.
 */
#include <lib/types.h>
#include "namei_priv.h"
#include <sched/task.h>
#include <proc/cred.h>
#include <kernel/show.h>
#include <kernel/init.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <vfs/names.h>
#include <mm/uaccess.h>
#include <proc/ns.h>
#include <vfs/notify.h>

int sysctl_protected_hardlinks = 1;

static bool ids_representable(const struct super_block *sb)
{
	return from_kuid(sb->s_user_ns, current_fsuid()) != (uid_t)-1 &&
	       from_kgid(sb->s_user_ns, current_fsgid()) != (gid_t)-1;
}

int may_create(struct mnt_idmap *idmap, struct inode *dir, struct dentry *child)
{
	if (child->d_inode)
		return -EEXIST;
	if (IS_DEADDIR(dir))
		return -ENOENT;
	if (!ids_representable(dir->i_sb))
		return -EOVERFLOW;
	return inode_permission(idmap, dir, MAY_WRITE | MAY_EXEC);
}

/* In a sticky directory only the owner of the file or of the directory removes it. */
static bool sticky_denies(struct mnt_idmap *idmap, const struct inode *dir, const struct inode *inode)
{
	if (!(dir->i_mode & S_ISVTX) || uid_eq(inode->i_uid, current_fsuid()) ||
	    uid_eq(dir->i_uid, current_fsuid()))
		return false;
	return !capable_wrt_inode_uidgid(idmap, inode, CAP_FOWNER);
}

int may_delete(struct mnt_idmap *idmap, struct inode *dir, struct dentry *victim, bool isdir)
{
	struct inode *inode = victim->d_inode;
	int err;

	if (d_is_negative(victim))
		return -ENOENT;
	if (!uid_valid(inode->i_uid) || !gid_valid(inode->i_gid))
		return -EOVERFLOW;
	err = inode_permission(idmap, dir, MAY_WRITE | MAY_EXEC);
	if (err)
		return err;
	if (IS_APPEND(dir))
		return -EPERM;
	if (sticky_denies(idmap, dir, inode) || IS_APPEND(inode) || IS_IMMUTABLE(inode) ||
	    inode->i_flags & S_SWAPFILE)
		return -EPERM;
	if (isdir) {
		if (!d_is_dir(victim))
			return -ENOTDIR;
		if (IS_ROOT(victim))
			return -EBUSY;
	} else if (d_is_dir(victim)) {
		return -EISDIR;
	}
	if (IS_DEADDIR(dir))
		return -ENOENT;
	return 0;
}

/* A place for a new name: the parent locked and writable. */
static struct dentry *start_create(int dfd, struct filename *name, struct path *path, unsigned int flags)
{
	unsigned int want_dir = flags & LOOKUP_DIRECTORY;
	enum last_type type;
	struct dentry *d;
	struct qstr last;
	int err, err2;

	err = filename_parentat(dfd, name, flags & LOOKUP_REVAL, path, &last, &type, NULL);
	if (err)
		return ERR_PTR(err);
	/* "." and ".." and "/" exist. */
	if (unlikely(type != LAST_NORM)) {
		path_put(path);
		return ERR_PTR(-EEXIST);
	}
	err2 = mnt_want_write(path->mnt);
	inode_lock_nested(path->dentry->d_inode, I_MUTEX_PARENT);
	d = lookup_one_qstr(&last, path->dentry, LOOKUP_CREATE | LOOKUP_EXCL |
			    (flags & (LOOKUP_DIRECTORY | LOOKUP_REVAL)));
	if (IS_ERR(d))
		goto unlock;
	err = -EEXIST;
	if (d_is_positive(d))
		goto fail;
	/* "foo/" of what is not to be a directory. */
	err = -ENOENT;
	if (unlikely(last.name[last.len] && !want_dir))
		goto fail;
	err = err2;
	if (err)
		goto fail;
	__release(i_rwsem);	/* the dentry keeps it in mind */
	return d;
fail:
	dput(d);
	d = ERR_PTR(err);
unlock:
	inode_unlock(path->dentry->d_inode);
	if (!err2)
		mnt_drop_write(path->mnt);
	path_put(path);
	return d;
}

struct dentry *start_creating_path(int dfd, struct filename *name, struct path *path, unsigned int flags)
{
	return start_create(dfd, name, path, flags);
}

struct dentry *kern_path_create(const char *name, struct path *path, unsigned int flags)
{
	struct filename fn;

	getname_kernel(&fn, name);
	return start_create(AT_FDCWD, &fn, path, flags);
}

void end_creating_path(const struct path *path, struct dentry *dentry)
{
	if (!IS_ERR(dentry))
		dput(dentry);
	__acquire(i_rwsem);
	inode_unlock(path->dentry->d_inode);
	mnt_drop_write(path->mnt);
	path_put(path);
}

/* The operations. */

static umode_t masked(struct mnt_idmap *idmap, const struct inode *dir, umode_t mode)
{
	return mode_strip_umask(dir, mode_strip_sgid(idmap, dir, mode));
}

/* Says that D is new in DIR, unless it failed. */
static int made(struct inode *dir, const struct dentry *d, int err)
{
	if (!err)
		notify_create(dir, d);
	return err;
}

int vfs_create(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, umode_t mode, bool excl)
{
	int err = may_create(idmap, dir, d);

	if (err)
		return err;
	if (!dir->i_op->create)
		return -EACCES;
	return made(dir, d, dir->i_op->create(idmap, dir, d, (mode & S_IALLUGO) | S_IFREG, excl));
}

int vfs_mkobj(struct dentry *d, umode_t mode, int (*make)(struct dentry *, umode_t, void *), void *arg)
{
	struct inode *dir = d->d_parent->d_inode;
	int err = may_create(&nop_mnt_idmap, dir, d);

	return err ? err : made(dir, d, make(d, (mode & S_IALLUGO) | S_IFREG, arg));
}

int vfs_mknod(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, umode_t mode, dev_t dev)
{
	bool whiteout = S_ISCHR(mode) && dev == WHITEOUT_DEV;
	int err = may_create(idmap, dir, d);

	if (err)
		return err;
	if ((S_ISCHR(mode) || S_ISBLK(mode)) && !whiteout && !capable(CAP_MKNOD))
		return -EPERM;
	if (!dir->i_op->mknod)
		return -EPERM;
	return made(dir, d, dir->i_op->mknod(idmap, dir, d, mode, dev));
}

int vfs_mkdir(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, umode_t mode)
{
	unsigned int max_links = dir->i_sb->s_max_links;
	int err = may_create(idmap, dir, d);

	if (err)
		return err;
	if (!dir->i_op->mkdir)
		return -EPERM;
	if (max_links && dir->i_nlink >= max_links)
		return -EMLINK;
	return made(dir, d, dir->i_op->mkdir(idmap, dir, d, (mode & (S_IRWXUGO | S_ISVTX)) | S_IFDIR));
}

int vfs_symlink(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, const char *target)
{
	int err = may_create(idmap, dir, d);

	if (err)
		return err;
	if (!dir->i_op->symlink)
		return -EPERM;
	return made(dir, d, dir->i_op->symlink(idmap, dir, d, target));
}

int vfs_link(struct dentry *old, struct mnt_idmap *idmap, struct inode *dir, struct dentry *new)
{
	struct inode *inode = old->d_inode;
	unsigned int max_links = dir->i_sb->s_max_links;
	int err;

	if (!inode)
		return -ENOENT;
	err = may_create(idmap, dir, new);
	if (err)
		return err;
	if (dir->i_sb != inode->i_sb)
		return -EXDEV;
	if (IS_APPEND(inode) || IS_IMMUTABLE(inode))
		return -EPERM;
	if (!uid_valid(inode->i_uid) || !gid_valid(inode->i_gid))
		return -EPERM;
	if (!dir->i_op->link || S_ISDIR(inode->i_mode))
		return -EPERM;
	inode_lock_nested(inode, I_MUTEX_NONDIR2);
	if (!inode->i_nlink && !(inode->i_state & I_LINKABLE))
		err = -ENOENT;
	else if (max_links && inode->i_nlink >= max_links)
		err = -EMLINK;
	else
		err = dir->i_op->link(old, dir, new);
	if (!err && inode->i_state & I_LINKABLE) {
		spin_lock(&inode->i_lock);
		inode->i_state &= ~I_LINKABLE;
		spin_unlock(&inode->i_lock);
	}
	inode_unlock(inode);
	if (!err)
		notify_inode(inode, IN_ATTRIB);
	return made(dir, new, err);
}

bool is_local_mountpoint(const struct dentry *d)
{
	bool found = false;

	if (likely(!d_mountpoint(d)) || !current->nsproxy)
		return false;
	/* Other namespaces may have any number of mounts on it: the caller's own are looked at. */
	down_read(&namespace_sem);
	for (struct rb_node *n = rb_first(&current->nsproxy->mnt_ns->mounts); n && !found; n = rb_next(n)) {
		const struct mount *m = rb_entry(n, struct mount, mnt_node);

		found = mnt_has_parent(m) && m->mnt_mountpoint == d;
		cond_resched();
	}
	up_read(&namespace_sem);
	return found;
}

static void delete_and_tell(struct inode *dir, struct dentry *d, u32 flags)
{
	d_delete_if_hashed(d);
	notify_name(dir, &d->d_name, IN_DELETE | flags);
}

int vfs_unlink(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d)
{
	struct inode *target = d->d_inode;
	int err = may_delete(idmap, dir, d, false);

	if (err)
		return err;
	if (!dir->i_op->unlink)
		return -EPERM;
	inode_lock(target);
	if (is_local_mountpoint(d)) {
		err = -EBUSY;
	} else {
		err = dir->i_op->unlink(dir, d);
		if (!err) {
			d_dont_mount(d);
			detach_if_mounted(d);
		}
	}
	inode_unlock(target);
	if (!err) {
		notify_inode(target, IN_ATTRIB);
		delete_and_tell(dir, d, 0);
	}
	return err;
}

int vfs_rmdir(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d)
{
	int err = may_delete(idmap, dir, d, true);

	if (err)
		return err;
	if (!dir->i_op->rmdir)
		return -EPERM;
	dget(d);
	inode_lock(d->d_inode);
	err = -EBUSY;
	if (!is_local_mountpoint(d))
		err = dir->i_op->rmdir(dir, d);
	if (!err) {
		shrink_dcache_parent(d);
		d->d_inode->i_flags |= S_DEAD;
		d_dont_mount(d);
		detach_if_mounted(d);
	}
	inode_unlock(d->d_inode);
	dput(d);
	if (!err)
		delete_and_tell(dir, d, IN_ISDIR);
	return err;
}

void detach_if_mounted(struct dentry *d)
{
	if (unlikely(d_mountpoint(d)))
		detach_mounts(d);
}

/* The filesystem may have dropped the name itself. */
void d_delete_if_hashed(struct dentry *d)
{
	if (d->d_inode && !d_unhashed(d))
		d_delete(d);
}

/* Rename. */

/*
 * Locks both parents, ancestors first; s_vfs_rename_mutex keeps the tree's shape. Returns the child of
 * one on the way to the other if they are nested (that child must not be moved into itself).
 */
struct dentry *lock_rename(struct dentry *p1, struct dentry *p2) __acquires(p1->d_inode->i_rwsem)
{
	struct dentry *p;

	if (p1 == p2) {
		inode_lock_nested(p1->d_inode, I_MUTEX_PARENT);
		return NULL;
	}
	mutex_lock(&p1->d_sb->s_vfs_rename_mutex);
	p = d_ancestor(p2, p1);
	__release(s_vfs_rename_mutex);		/* all three count as one */
	if (p) {
		inode_lock_nested(p2->d_inode, I_MUTEX_PARENT);
		inode_lock_nested(p1->d_inode, I_MUTEX_PARENT2);
		__release(p2->d_inode->i_rwsem);
		return p;
	}
	p = d_ancestor(p1, p2);
	inode_lock_nested(p1->d_inode, I_MUTEX_PARENT);
	inode_lock_nested(p2->d_inode, I_MUTEX_PARENT2);
	__release(p2->d_inode->i_rwsem);
	return p;
}

void unlock_rename(struct dentry *p1, struct dentry *p2) __releases(p1->d_inode->i_rwsem)
{
	inode_unlock(p1->d_inode);
	if (p1 != p2) {
		__acquire(s_vfs_rename_mutex);
		__acquire(p2->d_inode->i_rwsem);
		inode_unlock(p2->d_inode);
		mutex_unlock(&p1->d_sb->s_vfs_rename_mutex);
	}
}

/* Both locked in an order that no other rename inverts. Directories before files. */
static void lock_children(struct inode *source, struct inode *target, bool lock_source)
{
	if (lock_source && target && target != source) {
		struct inode *a = source, *b = target;

		if (S_ISDIR(b->i_mode) && !S_ISDIR(a->i_mode)) {
			a = target;
			b = source;
		} else if (S_ISDIR(a->i_mode) == S_ISDIR(b->i_mode) && (unsigned long)a > (unsigned long)b) {
			a = target;
			b = source;
		}
		inode_lock_nested(a, I_MUTEX_CHILD);
		inode_lock_nested(b, I_MUTEX_NONDIR2);
	} else if (lock_source) {
		inode_lock_nested(source, I_MUTEX_CHILD);
	} else if (target) {
		inode_lock_nested(target, I_MUTEX_CHILD);
	}
}

int vfs_rename(struct renamedata *rd)
{
	struct inode *old_dir = rd->old_dir, *new_dir = rd->new_dir;
	struct dentry *old = rd->old_dentry, *new = rd->new_dentry;
	struct inode *source = old->d_inode, *target = new->d_inode;
	bool is_dir = d_is_dir(old), exchange = rd->flags & RENAME_EXCHANGE, new_is_dir = false, lock_source, notify;
	unsigned int max_links = new_dir->i_sb->s_max_links;
	struct kept_name kept;
	int err;

	if (source == target)
		return 0;
	err = may_delete(rd->idmap, old_dir, old, is_dir);
	if (err)
		return err;
	if (!target) {
		err = may_create(rd->idmap, new_dir, new);
	} else {
		new_is_dir = d_is_dir(new);
		err = may_delete(rd->idmap, new_dir, new, exchange ? new_is_dir : is_dir);
	}
	if (err)
		return err;
	if (!old_dir->i_op->rename)
		return -EPERM;
	/* A directory that changes its parent has its ".." rewritten. */
	if (new_dir != old_dir) {
		if (is_dir)
			err = inode_permission(rd->idmap, source, MAY_WRITE);
		if (!err && exchange && new_is_dir)
			err = inode_permission(rd->idmap, target, MAY_WRITE);
		if (err)
			return err;
	}
	dget(new);
	/* Asked once: an inotify watch that begins meanwhile gets no event, as no name was kept for it. */
	notify = static_branch_unlikely(&notify_key);
	if (notify)
		notify_keep_name(&kept, old);
	lock_source = !is_dir || new_dir != old_dir || exchange;
	lock_children(source, target, lock_source);
	err = -EPERM;
	if (source->i_flags & S_SWAPFILE || (target && target->i_flags & S_SWAPFILE))
		goto out;
	err = -EBUSY;
	if (is_local_mountpoint(old) || is_local_mountpoint(new))
		goto out;
	if (max_links && new_dir != old_dir) {
		err = -EMLINK;
		if (is_dir && !new_is_dir && new_dir->i_nlink >= max_links)
			goto out;
		if (exchange && !is_dir && new_is_dir && old_dir->i_nlink >= max_links)
			goto out;
	}
	err = old_dir->i_op->rename(rd->idmap, old_dir, old, new_dir, new, rd->flags);
	if (err)
		goto out;
	if (!exchange && target) {
		if (is_dir) {
			shrink_dcache_parent(new);
			target->i_flags |= S_DEAD;
		}
		d_dont_mount(new);
		detach_if_mounted(new);
	}
	if (!(old_dir->i_sb->s_type->fs_flags & FS_RENAME_DOES_D_MOVE)) {
		if (exchange)
			d_exchange(old, new);
		else
			d_move(old, new);
	}
out:
	if (lock_source)
		inode_unlock(source);
	if (target)
		inode_unlock(target);
	if (!err && notify) {
		notify_move(old_dir, &kept.name, new_dir, exchange ? NULL : target, old);
		if (exchange)
			notify_move(new_dir, &old->d_name, old_dir, NULL, new);
	}
	dput(new);
	return err;
}

int do_renameat2(int olddfd, struct filename *from, int newdfd, struct filename *to, unsigned int flags)
{
	struct path old_path, new_path;
	enum last_type old_type, new_type;
	struct qstr old_last, new_last;
	struct dentry *old, *new, *trap;
	struct renamedata rd;
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (flags & RENAME_EXCHANGE && flags & (RENAME_NOREPLACE | RENAME_WHITEOUT))
		return -EINVAL;
	err = filename_parentat(olddfd, from, 0, &old_path, &old_last, &old_type, NULL);
	if (err)
		return err;
	err = filename_parentat(newdfd, to, 0, &new_path, &new_last, &new_type, NULL);
	if (err)
		goto put_old;
	err = -EXDEV;
	if (old_path.mnt != new_path.mnt)
		goto put_new;
	err = -EBUSY;
	if (old_type != LAST_NORM)
		goto put_new;
	if (flags & RENAME_NOREPLACE)
		err = -EEXIST;
	if (new_type != LAST_NORM)
		goto put_new;
	err = mnt_want_write(old_path.mnt);
	if (err)
		goto put_new;
	trap = lock_rename(new_path.dentry, old_path.dentry);
	old = lookup_one_qstr(&old_last, old_path.dentry, 0);
	err = (int)PTR_ERR(old);
	if (IS_ERR(old))
		goto unlock;
	err = -ENOENT;
	if (d_is_negative(old))
		goto put_old_dentry;
	new = lookup_one_qstr(&new_last, new_path.dentry,
			      LOOKUP_RENAME_TARGET | (flags & RENAME_EXCHANGE ? 0 : LOOKUP_CREATE));
	err = (int)PTR_ERR(new);
	if (IS_ERR(new))
		goto put_old_dentry;
	err = -EEXIST;
	if (flags & RENAME_NOREPLACE && d_is_positive(new))
		goto put_new_dentry;
	if (flags & RENAME_EXCHANGE) {
		err = -ENOENT;
		if (d_is_negative(new))
			goto put_new_dentry;
		err = -ENOTDIR;
		if (!d_is_dir(new) && new_last.name[new_last.len])
			goto put_new_dentry;
	}
	/* Trailing slashes say "directory". */
	if (!d_is_dir(old)) {
		err = -ENOTDIR;
		if (old_last.name[old_last.len] ||
		    (!(flags & RENAME_EXCHANGE) && new_last.name[new_last.len]))
			goto put_new_dentry;
	}
	err = -EINVAL;
	if (old == trap)
		goto put_new_dentry;
	if (!(flags & RENAME_EXCHANGE))
		err = -ENOTEMPTY;
	if (new == trap)
		goto put_new_dentry;
	rd = (struct renamedata){ mnt_idmap(old_path.mnt), old_path.dentry->d_inode, old,
				  new_path.dentry->d_inode, new, flags };
	err = vfs_rename(&rd);
put_new_dentry:
	dput(new);
put_old_dentry:
	dput(old);
unlock:
	unlock_rename(new_path.dentry, old_path.dentry);
	mnt_drop_write(old_path.mnt);
put_new:
	path_put(&new_path);
put_old:
	path_put(&old_path);
	return err;
}

/* Whole system calls. */

int do_mknodat(int dfd, struct filename *name, umode_t mode, dev_t dev)
{
	struct mnt_idmap *idmap;
	struct dentry *d;
	struct path path;
	int err;

	if (!(mode & S_IFMT))
		mode |= S_IFREG;
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	d = start_create(dfd, name, &path, 0);
	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	idmap = mnt_idmap(path.mnt);
	mode = masked(idmap, path.dentry->d_inode, mode);
	if (S_ISREG(mode))
		err = vfs_create(idmap, path.dentry->d_inode, d, mode, true);
	else
		err = vfs_mknod(idmap, path.dentry->d_inode, d, mode,
				S_ISCHR(mode) || S_ISBLK(mode) ? dev : 0);
	end_creating_path(&path, d);
	return err;
}

int do_mkdirat(int dfd, struct filename *name, umode_t mode)
{
	struct mnt_idmap *idmap;
	struct dentry *d;
	struct path path;
	int err;

	d = start_create(dfd, name, &path, LOOKUP_DIRECTORY);
	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	idmap = mnt_idmap(path.mnt);
	err = vfs_mkdir(idmap, path.dentry->d_inode, d, masked(idmap, path.dentry->d_inode, mode));
	end_creating_path(&path, d);
	return err;
}

int do_symlinkat(const char *target, int dfd, struct filename *name)
{
	struct dentry *d;
	struct path path;
	int err;

	d = start_create(dfd, name, &path, 0);
	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	err = vfs_symlink(mnt_idmap(path.mnt), path.dentry->d_inode, d, target);
	end_creating_path(&path, d);
	return err;
}

/* fs.protected_hardlinks: no links to what one could neither own nor read and write. */
static int may_linkat(const struct path *link)
{
	struct inode *inode = link->dentry->d_inode;
	struct mnt_idmap *idmap = mnt_idmap(link->mnt);
	umode_t mode = inode->i_mode;

	if (!uid_valid(inode->i_uid) || !gid_valid(inode->i_gid))
		return -EOVERFLOW;
	if (!sysctl_protected_hardlinks)
		return 0;
	if (S_ISREG(mode) && !(mode & S_ISUID) && (mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP) &&
	    !inode_permission(idmap, inode, MAY_READ | MAY_WRITE))
		return 0;
	return inode_owner_or_capable(idmap, inode) ? 0 : -EPERM;
}

/* By descriptor: only for whom opened it, or who could read everything of his. An unopened one is the look-up's to refuse. */
static bool may_link_descriptor(int fd)
{
	struct fd f = fdget_raw((unsigned int)fd);
	bool ok = fd_empty(f) || fd_file(f)->f_cred == current_cred() || ns_capable(fd_file(f)->f_cred->user_ns, CAP_DAC_READ_SEARCH);

	fdput(f);
	return ok;
}

int do_linkat(int olddfd, struct filename *old, int newdfd, struct filename *new, int flags)
{
	unsigned int how = flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0;
	struct path old_path, new_path;
	struct dentry *d;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH) {
		if (!old->len && olddfd != AT_FDCWD && !may_link_descriptor(olddfd))
			return -ENOENT;
		how |= LOOKUP_EMPTY;
	}
	err = filename_lookup(olddfd, old, how, &old_path, NULL);
	if (err)
		return err;
	d = start_create(newdfd, new, &new_path, how & LOOKUP_REVAL);
	err = (int)PTR_ERR(d);
	if (IS_ERR(d))
		goto out;
	err = -EXDEV;
	if (old_path.mnt == new_path.mnt) {
		err = may_linkat(&old_path);
		if (!err)
			err = vfs_link(old_path.dentry, mnt_idmap(new_path.mnt), new_path.dentry->d_inode, d);
	}
	end_creating_path(&new_path, d);
out:
	path_put(&old_path);
	return err;
}

int do_unlinkat(int dfd, struct filename *name)
{
	struct inode *inode = NULL;
	enum last_type type;
	struct dentry *d;
	struct path path;
	struct qstr last;
	int err;

	err = filename_parentat(dfd, name, 0, &path, &last, &type, NULL);
	if (err)
		return err;
	err = -EISDIR;
	if (type != LAST_NORM)
		goto out;
	err = mnt_want_write(path.mnt);
	if (err)
		goto out;
	inode_lock_nested(path.dentry->d_inode, I_MUTEX_PARENT);
	d = lookup_one_qstr(&last, path.dentry, 0);
	err = (int)PTR_ERR(d);
	if (!IS_ERR(d)) {
		if (d_is_negative(d)) {
			err = -ENOENT;
		} else if (last.name[last.len]) {
			err = d_is_dir(d) ? -EISDIR : -ENOTDIR;
		} else {
			inode = d->d_inode;
			ihold(inode);
			err = vfs_unlink(mnt_idmap(path.mnt), path.dentry->d_inode, d);
		}
		dput(d);
	}
	inode_unlock(path.dentry->d_inode);
	/* The file's data goes here, without the directory locked. */
	iput(inode);
	mnt_drop_write(path.mnt);
out:
	path_put(&path);
	return err;
}

int do_rmdir(int dfd, struct filename *name)
{
	enum last_type type;
	struct dentry *d;
	struct path path;
	struct qstr last;
	int err;

	err = filename_parentat(dfd, name, 0, &path, &last, &type, NULL);
	if (err)
		return err;
	switch (type) {
	case LAST_DOTDOT:
		err = -ENOTEMPTY;
		goto out;
	case LAST_DOT:
		err = -EINVAL;
		goto out;
	case LAST_ROOT:
		err = -EBUSY;
		goto out;
	case LAST_NORM:
		break;
	}
	err = mnt_want_write(path.mnt);
	if (err)
		goto out;
	inode_lock_nested(path.dentry->d_inode, I_MUTEX_PARENT);
	d = lookup_one_qstr(&last, path.dentry, 0);
	err = (int)PTR_ERR(d);
	if (!IS_ERR(d)) {
		err = d_is_negative(d) ? -ENOENT : vfs_rmdir(mnt_idmap(path.mnt), path.dentry->d_inode, d);
		dput(d);
	}
	inode_unlock(path.dentry->d_inode);
	mnt_drop_write(path.mnt);
out:
	path_put(&path);
	return err;
}

/* Symlink text. */

const char *vfs_get_link(struct dentry *d, struct delayed_call *done)
{
	struct inode *inode = d->d_inode;

	if (!d_is_symlink(d))
		return ERR_PTR(-EINVAL);
	return READ_ONCE(inode->i_link) ? inode->i_link : inode->i_op->get_link(d, inode, done);
}

int vfs_readlink(struct dentry *d, struct uptr buf, int buflen)
{
	struct inode *inode = d->d_inode;
	struct delayed_call done;
	const char *link;
	size_t len;
	int res;

	if (inode->i_op->readlink)
		return inode->i_op->readlink(d, buf, buflen);
	if (!d_is_symlink(d))
		return -EINVAL;
	clear_delayed_call(&done);
	link = READ_ONCE(inode->i_link);
	if (!link)
		link = inode->i_op->get_link(d, inode, &done);
	if (IS_ERR(link))
		return (int)PTR_ERR(link);
	len = strlen(link);
	if (len > (unsigned int)buflen)
		len = (unsigned int)buflen;
	res = copy_to_user(buf, link, len) ? -EFAULT : (int)len;
	do_delayed_call(&done);
	return res;
}

static int link_sysctls(void)
{
	sysctl_int("fs/protected_hardlinks", 0644, &sysctl_protected_hardlinks, 0, 1);
	return 0;
}
INITCALL(fs, link_sysctls);
