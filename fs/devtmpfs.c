// SPDX-License-Identifier: MIT
/*
 * devtmpfs: a tmpfs with a node for every device, kept by the kernel. There is one instance; whoever
 * mounts it (usually on /dev) sees the same tree and may change it like any tmpfs. What the kernel made it
 * removes again, unless somebody has replaced it.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/notify.h>
#include <vfs/namei.h>
#include <vfs/chrdev.h>
#include <fs/devtmpfs.h>
#include <alloc/slab.h>
#include <kernel/init.h>
#include <sched/mutex.h>
#include "tmpfs/tmpfs_priv.h"

struct pending {
	struct pending	*next;
	umode_t		mode;
	dev_t		dev;
	char		name[];
};

static struct vfsmount *dev_mnt;
static DEFINE_MUTEX(dev_lock);
static struct pending *pending;		/* dev_lock: asked for before there is a tree */

/* The child @name of @dir, made if need be. The node's owner is root whoever asks. */
static struct dentry *get_child(struct dentry *dir, const char *name, int len, umode_t mode, dev_t dev)
{
	struct inode *inode = dir->d_inode;
	struct dentry *d;
	int err;

	inode_lock_nested(inode, I_MUTEX_PARENT);
	d = lookup_one_len(name, dir, len);
	if (IS_ERR(d) || d->d_inode)
		goto out;
	if (S_ISDIR(mode))
		err = inode->i_op->mkdir(&nop_mnt_idmap, inode, d, mode);
	else
		err = inode->i_op->mknod(&nop_mnt_idmap, inode, d, mode, dev);
	if (err) {
		dput(d);
		d = ERR_PTR(err);
	} else {
		d->d_inode->i_mode = (d->d_inode->i_mode & S_IFMT) | (mode & S_IALLUGO);
		d->d_inode->i_uid = GLOBAL_ROOT_UID;
		d->d_inode->i_gid = GLOBAL_ROOT_GID;
		/* Says that it is ours to remove. */
		d->d_inode->i_private = &dev_mnt;
		notify_create(inode, d);
	}
out:
	inode_unlock(inode);
	return d;
}

static int create_node(const char *name, umode_t mode, dev_t dev)
{
	struct dentry *dir = dget(dev_mnt->mnt_root), *d;
	const char *slash;

	while ((slash = strchr(name, '/'))) {
		d = get_child(dir, name, (int)(slash - name), S_IFDIR | 0755, 0);
		dput(dir);
		if (IS_ERR(d))
			return (int)PTR_ERR(d);
		dir = d;
		name = slash + 1;
		if (!d_is_dir(dir)) {
			dput(dir);
			return -ENOTDIR;
		}
	}
	d = get_child(dir, name, (int)strlen(name), mode, dev);
	dput(dir);
	if (IS_ERR(d))
		return (int)PTR_ERR(d);
	dput(d);
	return 0;
}

int devtmpfs_create_node(const char *name, umode_t mode, dev_t dev)
{
	size_t len = strlen(name) + 1;
	struct pending *p;
	int err = 0;

	mutex_lock(&dev_lock);
	if (dev_mnt) {
		err = create_node(name, mode, dev);
	} else {
		p = kmalloc(sizeof(*p) + len, GFP_KERNEL);
		if (p) {
			*p = (struct pending){ .next = pending, .mode = mode, .dev = dev };
			memcpy(p->name, name, len);
			pending = p;
		} else {
			err = -ENOMEM;
		}
	}
	mutex_unlock(&dev_lock);
	return err;
}

static int remove_node(const char *name)
{
	struct dentry *dir, *d;
	struct inode *inode;
	struct path path;
	int err = vfs_path_lookup(dev_mnt->mnt_root, dev_mnt, name, 0, &path);

	if (err)
		return err;
	dir = dget_parent(path.dentry);
	inode = dir->d_inode;
	inode_lock_nested(inode, I_MUTEX_PARENT);
	d = path.dentry;
	err = -ENOENT;
	if (d->d_parent == dir && d->d_inode && !d_unhashed(d)) {
		err = 0;
		if (d->d_inode->i_private == &dev_mnt) {
			err = inode->i_op->unlink(inode, d);
			if (!err) {
				d_delete(d);
				notify_name(inode, &d->d_name, IN_DELETE);
			}
		}
	}
	inode_unlock(inode);
	dput(dir);
	path_put(&path);
	return err;
}

int devtmpfs_delete_node(const char *name)
{
	struct pending **p, *victim;
	int err = 0;

	mutex_lock(&dev_lock);
	if (dev_mnt) {
		err = remove_node(name);
	} else {
		for (p = &pending; (victim = *p); p = &victim->next) {
			if (!strcmp(victim->name, name)) {
				*p = victim->next;
				kfree(victim);
				break;
			}
		}
	}
	mutex_unlock(&dev_lock);
	return err;
}

/* Mounting by name finds the one tree. */
static int public_get_tree(struct fs_context *fc) __acquires(sb->s_umount)
{
	struct super_block *sb = dev_mnt->mnt_sb;

	atomic_inc(&sb->s_active);
	down_write(&sb->s_umount);
	fc->root = dget(sb->s_root);
	return 0;
}

static int public_parse_param(struct fs_context *fc, const char *key, const char *value)
{
	/* size=, mode= and the like were decided at boot: accepted, without effect. */
	(void)fc;
	(void)value;
	return strcmp(key, "source") ? 0 : -ENOPARAM;
}

static const struct fs_context_operations public_ops = {
	.get_tree = public_get_tree,
	.parse_param = public_parse_param,
};

static int devtmpfs_init_fs_context(struct fs_context *fc)
{
	if (!dev_mnt)
		return tmpfs_init_fs_context(fc);
	if (fc->purpose == FS_CONTEXT_FOR_RECONFIGURE)
		return tmpfs_init_fs_context(fc);
	fc->ops = &public_ops;
	return 0;
}

static struct file_system_type devtmpfs_type = {
	.name = "devtmpfs",
	.init_fs_context = devtmpfs_init_fs_context,
	.kill_sb = kill_litter_super,
};

int devtmpfs_mount(const char *dir)
{
	return init_mount("devtmpfs", dir, "devtmpfs", MS_NOSUID, NULL);
}

static int devtmpfs_init(void)
{
	struct vfsmount *mnt;
	char opts[] = "mode=0755";
	int err = register_filesystem(&devtmpfs_type);

	if (err)
		return err;
	mnt = vfs_kern_mount(&devtmpfs_type, 0, "devtmpfs", opts);
	if (IS_ERR(mnt))
		return (int)PTR_ERR(mnt);
	mutex_lock(&dev_lock);
	dev_mnt = mnt;
	while (pending) {
		struct pending *p = pending;

		pending = p->next;
		err = create_node(p->name, p->mode, p->dev);
		if (err)
			pr_err("devtmpfs: no node %s: %d\n", p->name, err);
		kfree(p);
	}
	mutex_unlock(&dev_lock);
	return 0;
}
INITCALL(subsys, devtmpfs_init);
