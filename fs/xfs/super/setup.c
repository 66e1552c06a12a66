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
	struct xfs_inode *xi = XFS_I(inode);
	char *target;
	int e;

	if (!dentry)
		return ERR_PTR(-ECHILD);
	target = kmalloc(xi->node.core.size + 1, GFP_KERNEL);
	if (!target)
		return ERR_PTR(-ENOMEM);
	e = xfs_symlink_read(&XFS_M(inode->i_sb)->vol, &xi->node, target);
	if (e) {
		kfree(target);
		return ERR_PTR(e);
	}
	target[xi->node.core.size] = '\0';
	set_delayed_call(done, free_target, target);
	return target;
}

/* A target in the inode is found without a lock or a copy. */
static int setup_symlink(struct xfs_mount *mp, struct xfs_inode *xi)
{
	size_t n = (size_t)xi->node.core.size;
	char *target;
	int e;

	xi->vfs.i_link = NULL;
	if (xi->node.core.format != XFS_FMT_LOCAL)
		return 0;
	target = kmalloc(n + 1, GFP_KERNEL_ACCOUNT);
	if (!target)
		return -ENOMEM;
	e = xfs_symlink_read(&mp->vol, &xi->node, target);
	target[n] = '\0';
	xi->vfs.i_link = target;
	return e;
}

static const struct inode_operations file_iops = {
	.getattr = xfs_getattr,
	.listxattr = xfs_listxattr,
	.fiemap = xfs_fiemap,
	.fileattr_get = xfs_fileattr_get,
};
static const struct inode_operations dir_iops = {
	.lookup = xfs_lookup,
	.getattr = xfs_getattr,
	.listxattr = xfs_listxattr,
	.fileattr_get = xfs_fileattr_get,
};
static const struct inode_operations link_iops = { .get_link = get_link,
						   .getattr = xfs_getattr,
						   .listxattr = xfs_listxattr };
static const struct inode_operations special_iops = { .getattr = xfs_getattr,
						      .listxattr = xfs_listxattr };

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
		inode->i_fop = &xfs_dir_fops;
		break;
	case S_IFLNK:
		inode->i_op = &link_iops;
		e = setup_symlink(mp, xi);
		break;
	default:
		inode->i_op = &special_iops;
		init_special_inode(inode, inode->i_mode, xi->node.core.rdev);
	}
	return e ?: xfs_acl_load(mp, xi);
}
