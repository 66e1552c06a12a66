// SPDX-License-Identifier: MIT
/*
 * tmpfs: directories. A name is a dentry that the tree pins; what is not in the dentry cache does not
 * exist. A directory's size grows and shrinks with its names.
 */
#include "tmpfs_priv.h"
#include <alloc/slab.h>
#include <linux/fs.h>

static void name_added(struct inode *dir)
{
	dir->i_size += DIRENT_SIZE;
	inode_update_times(dir);
}

static void name_removed(struct inode *dir)
{
	dir->i_size -= DIRENT_SIZE;
	inode_update_times(dir);
}

static int tmpfs_mknod(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, umode_t mode, dev_t dev)
{
	struct inode *inode = tmpfs_new_inode(dir->i_sb, dir, mode, dev);

	(void)idmap;
	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	name_added(dir);
	d_make_persistent(d, inode);
	return 0;
}

static int tmpfs_create(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, umode_t mode, bool excl)
{
	(void)excl;
	return tmpfs_mknod(idmap, dir, d, mode | S_IFREG, 0);
}

static int tmpfs_mkdir(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, umode_t mode)
{
	int err = tmpfs_mknod(idmap, dir, d, mode | S_IFDIR, 0);

	if (!err)
		inc_nlink(dir);
	return err;
}

/* With room for its text; what is reserved is given back where the inode ends, which knows by i_size. */
static struct inode *new_symlink(struct inode *dir, size_t len)
{
	struct shmem_sb *sb = &TMPFS_SB(dir->i_sb)->shmem;
	struct inode *inode;
	int err = len >= SHORT_SYMLINK ? shmem_sb_reserve(sb, 1) : 0;

	if (err)
		return ERR_PTR(err);
	inode = tmpfs_new_inode(dir->i_sb, dir, S_IFLNK | S_IRWXUGO, 0);
	if (IS_ERR(inode) && len >= SHORT_SYMLINK)
		shmem_sb_release(sb, 1);
	return inode;
}

static int tmpfs_symlink(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, const char *target)
{
	struct inode *inode;
	size_t len = strlen(target);
	char *link;

	(void)idmap;
	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	link = kmemdup(target, len + 1, GFP_KERNEL_ACCOUNT);
	if (!link)
		return -ENOMEM;
	inode = new_symlink(dir, len);
	if (IS_ERR(inode)) {
		kfree(link);
		return (int)PTR_ERR(inode);
	}
	inode->i_size = (loff_t)len;
	inode->i_link = link;
	name_added(dir);
	d_make_persistent(d, inode);
	return 0;
}

/* Each name after the first counts like an inode. A file without any (O_TMPFILE) gets its first. */
static int tmpfs_link(struct dentry *old, struct inode *dir, struct dentry *new)
{
	struct inode *inode = old->d_inode;
	int err = inode->i_nlink ? tmpfs_reserve_inode(inode->i_sb) : 0;

	if (err)
		return err;
	name_added(dir);
	inode_set_ctime_current(inode);
	inc_nlink(inode);
	ihold(inode);
	d_make_persistent(new, inode);
	return 0;
}

static int tmpfs_unlink(struct inode *dir, struct dentry *d)
{
	struct inode *inode = d->d_inode;

	if (inode->i_nlink > 1 && !S_ISDIR(inode->i_mode))
		tmpfs_release_inode(inode->i_sb);
	name_removed(dir);
	inode_set_ctime_current(inode);
	drop_nlink(inode);
	d_make_discardable(d);
	return 0;
}

static int tmpfs_rmdir(struct inode *dir, struct dentry *d)
{
	if (!simple_empty(d))
		return -ENOTEMPTY;
	drop_nlink(d->d_inode);
	drop_nlink(dir);
	return tmpfs_unlink(dir, d);
}

static void new_place(struct dentry *d, struct inode *dir)
{
	spin_lock(&d->d_lock);
	d->d_fsdata = (void *)simple_next_offset(dir);
	spin_unlock(&d->d_lock);
}

static int tmpfs_exchange(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *new)
{
	bool old_is_dir = d_is_dir(old), new_is_dir = d_is_dir(new);

	if (old_dir != new_dir && old_is_dir != new_is_dir) {
		if (old_is_dir) {
			drop_nlink(old_dir);
			inc_nlink(new_dir);
		} else {
			drop_nlink(new_dir);
			inc_nlink(old_dir);
		}
	}
	/* In the order in which d_exchange() puts them at the front. */
	new_place(new, old_dir);
	new_place(old, new_dir);
	inode_update_times(old_dir);
	inode_update_times(new_dir);
	inode_set_ctime_current(old->d_inode);
	inode_set_ctime_current(new->d_inode);
	return 0;
}

/* The name left behind by RENAME_WHITEOUT: a character device 0:0. */
static int make_whiteout(struct inode *dir, struct dentry *d)
{
	struct dentry *w = d_alloc(d->d_parent, &d->d_name);
	int err;

	if (!w)
		return -ENOMEM;
	err = tmpfs_mknod(&nop_mnt_idmap, dir, w, S_IFCHR, WHITEOUT_DEV);
	dput(w);
	return err;
}

static int tmpfs_rename(struct mnt_idmap *idmap, struct inode *old_dir, struct dentry *old,
			struct inode *new_dir, struct dentry *new, unsigned int flags)
{
	bool is_dir = d_is_dir(old);
	int err;

	(void)idmap;
	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (flags & RENAME_EXCHANGE)
		return tmpfs_exchange(old_dir, old, new_dir, new);
	if (new->d_inode && d_is_dir(new) && !simple_empty(new))
		return -ENOTEMPTY;
	if (flags & RENAME_WHITEOUT) {
		err = make_whiteout(old_dir, old);
		if (err)
			return err;
	}
	if (new->d_inode) {
		bool target_is_dir = d_is_dir(new);

		if (target_is_dir) {
			drop_nlink(new->d_inode);
			drop_nlink(old_dir);
		}
		tmpfs_unlink(new_dir, new);
	} else if (is_dir) {
		drop_nlink(old_dir);
		inc_nlink(new_dir);
	}
	name_removed(old_dir);
	name_added(new_dir);
	new_place(old, new_dir);
	inode_set_ctime_current(old->d_inode);
	return 0;
}

static int tmpfs_tmpfile(struct mnt_idmap *idmap, struct inode *dir, struct file *file, umode_t mode)
{
	struct inode *inode = tmpfs_new_inode(dir->i_sb, dir, mode, 0);

	(void)idmap;
	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	d_tmpfile(file->f_path.dentry, inode);
	return finish_open(file, file->f_path.dentry, NULL);
}

const struct inode_operations tmpfs_dir_iops = {
	.lookup = simple_lookup,
	.create = tmpfs_create,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.symlink = tmpfs_symlink,
	.mkdir = tmpfs_mkdir,
	.rmdir = tmpfs_rmdir,
	.mknod = tmpfs_mknod,
	.rename = tmpfs_rename,
	.tmpfile = tmpfs_tmpfile,
	.getattr = tmpfs_getattr,
	.setattr = tmpfs_setattr,
	.listxattr = tmpfs_listxattr,
	.fileattr_get = tmpfs_fileattr_get,
	.fileattr_set = tmpfs_fileattr_set,
};
const struct inode_operations tmpfs_special_iops = {
	.getattr = tmpfs_getattr,
	.setattr = tmpfs_setattr,
	.listxattr = tmpfs_listxattr,
};
const struct inode_operations tmpfs_symlink_iops = {
	.get_link = simple_get_link,
	.getattr = tmpfs_getattr,
	.setattr = tmpfs_setattr,
	.listxattr = tmpfs_listxattr,
};
const struct inode_operations tmpfs_file_iops = {
	.getattr = tmpfs_getattr,
	.setattr = tmpfs_setattr,
	.listxattr = tmpfs_listxattr,
	.fileattr_get = tmpfs_fileattr_get,
	.fileattr_set = tmpfs_fileattr_set,
};
