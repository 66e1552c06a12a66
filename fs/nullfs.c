// SPDX-License-Identifier: MIT
/*
 * nullfs: the true root of every mount tree. One instance for all, an empty directory that cannot change,
 * on which rootfs is mounted. Nobody mounts it by name.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <kernel/init.h>

#define NULLFS_MAGIC 0x4e554c4c

static const struct super_operations nullfs_ops = { .statfs = simple_statfs };

static int nullfs_fill(struct super_block *sb, struct fs_context *fc)
{
	struct inode *root;

	(void)fc;
	sb->s_magic = NULLFS_MAGIC;
	sb->s_op = &nullfs_ops;
	sb->s_flags |= SB_NOUSER;
	sb->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	sb->s_time_gran = 1;
	root = new_inode(sb);
	if (!root)
		return -ENOMEM;
	root->i_ino = 1;
	simple_inode_init_ts(root);
	make_empty_dir_inode(root);
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static int nullfs_get_tree(struct fs_context *fc)
{
	return get_tree_single(fc, nullfs_fill);
}

static const struct fs_context_operations nullfs_context_ops = { .get_tree = nullfs_get_tree };

static int nullfs_init_fs_context(struct fs_context *fc)
{
	/* Only the kernel: SB_NOUSER alone would make user mounts fail later and less clearly. */
	if (current->mm)
		return -EINVAL;
	fc->ops = &nullfs_context_ops;
	fc->global = true;
	return 0;
}

static struct file_system_type nullfs_type = {
	.name = "nullfs",
	.init_fs_context = nullfs_init_fs_context,
	.kill_sb = kill_anon_super,
};

static int nullfs_init(void)
{
	return register_filesystem(&nullfs_type);
}
INITCALL(fs, nullfs_init);
