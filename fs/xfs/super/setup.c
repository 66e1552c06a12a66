// SPDX-License-Identifier: MIT
/* What an inode that was read becomes: operations by its kind. */
#include "fs/xfs/attr/attr.h"
#include "fs/xfs/dir/dir.h"
#include "fs/xfs/file/file.h"
#include "fs/xfs/super/super.h"
#include <alloc/slab.h>
#include <vfs/fiemap.h>

static void free_target(void *p)
{
	kfree(p);
}

/* A target that is not kept in memory: in blocks of its own. */
static const char *get_link(struct dentry *dentry, struct inode *inode, struct delayed_call *done)
{
	struct xfs_node *n = xfs_node_of(inode);
	char *target;
	int e;

	if (!dentry)
		return ERR_PTR(-ECHILD);
	/* A target is never changed. */
	target = kmalloc(n->core.size + 1, GFP_KERNEL);
	if (!target)
		return ERR_PTR(-ENOMEM);
	xfs_read_lock(inode);
	e = xfs_symlink_read(&XFS_M(inode->i_sb)->fs.vol, n, target);
	xfs_read_unlock(inode);
	if (e) {
		kfree(target);
		return ERR_PTR(e);
	}
	target[n->core.size] = '\0';
	set_delayed_call(done, free_target, target);
	return target;
}

/* A target in the inode is found without a lock or a copy. */
static int setup_symlink(struct xfs_mount *mp, struct xfs_inode *xi)
{
	struct xfs_node *node = xfs_node_of(&xi->vfs);
	size_t n = (size_t)node->core.size;
	char *target;
	int e;

	xi->vfs.i_link = NULL;
	if (node->core.format != XFS_FMT_LOCAL)
		return 0;
	target = kmalloc(n + 1, GFP_KERNEL_ACCOUNT);
	if (!target)
		return -ENOMEM;
	e = xfs_symlink_read(&mp->fs.vol, node, target);
	target[n] = '\0';
	xi->vfs.i_link = target;
	return e;
}

#define COMMON_OPS                                                                                 \
	.getattr = xfs_getattr, .setattr = xfs_setattr, .listxattr = xfs_listxattr,                \
	.update_time = xfs_update_time

static const struct inode_operations file_iops = {
	COMMON_OPS,
	.set_acl = xfs_set_acl,
	.fiemap = xfs_fiemap,
	.fileattr_get = xfs_fileattr_get,
	.fileattr_set = xfs_fileattr_set,
};
static const struct inode_operations dir_iops = {
	COMMON_OPS,
	.set_acl = xfs_set_acl,
	.lookup = xfs_lookup,
	.create = xfs_create,
	.mknod = xfs_mknod,
	.mkdir = xfs_mkdir,
	.symlink = xfs_symlink,
	.tmpfile = xfs_tmpfile,
	.link = xfs_link,
	.unlink = xfs_unlink,
	.rmdir = xfs_rmdir,
	.rename = xfs_rename,
	.fileattr_get = xfs_fileattr_get,
	.fileattr_set = xfs_fileattr_set,
};
static const struct file_operations dir_fops = {
	.llseek = xfs_dir_llseek,
	.read_iter = generic_read_dir,
	.iterate_shared = xfs_dir_iterate,
	.ioctl = xfs_ioctl,
	.fsync = xfs_fsync,
};
static const struct inode_operations link_iops = { COMMON_OPS, .get_link = get_link };
static const struct inode_operations special_iops = { COMMON_OPS, .set_acl = xfs_set_acl };

int xfs_setup_inode(struct xfs_mount *mp, struct xfs_inode *xi)
{
	struct inode *inode = &xi->vfs;
	int e = 0;

	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &file_iops;
		inode->i_fop = &xfs_file_fops;
		inode->i_data.ops = &xfs_mapping_ops;
		extent_file_init(&xi->file, inode, mp->sb->s_bdev, &xfs_extent_ops);
		break;
	case S_IFDIR:
		inode->i_op = &dir_iops;
		inode->i_fop = &dir_fops;
		break;
	case S_IFLNK:
		inode->i_op = &link_iops;
		e = setup_symlink(mp, xi);
		break;
	default:
		inode->i_op = &special_iops;
		init_special_inode(inode, inode->i_mode, xfs_node_of(inode)->core.rdev);
	}
	/* Of one without names nothing is asked any more, and its attributes may be half gone. */
	return e ?: inode->i_nlink ? xfs_acl_load(mp, xi) : 0;
}
