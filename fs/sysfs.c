// SPDX-License-Identifier: MIT
/*
 * sysfs and debugfs: the show trees of those names. debugfs has one superblock, sysfs one for each network namespace, which its mounts show, whoever
 * reads them.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/xattr.h>
#include <fs/showfs.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <net/netns.h>
#include <proc/cred.h>
#include <abi/errno.h>

#define SYSFS_MAGIC 0x62656572
#define DEBUGFS_MAGIC 0x64626720

static void show_evict_inode(struct inode *inode)
{
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	showfs_evict(inode);
}

static const struct super_operations show_super_ops = {
	.statfs = simple_statfs,
	.evict_inode = show_evict_inode,
};

static int fill(struct super_block *sb, enum show_root root, unsigned long magic)
{
	struct inode *inode;

	sb->s_magic = magic;
	sb->s_op = &show_super_ops;
	sb->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	sb->s_time_gran = 1;
	inode = showfs_inode(sb, show_root_node(root), false);
	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	sb->s_root = d_make_root(inode);
	return sb->s_root ? 0 : -ENOMEM;
}

/* Attributes could be there, and none is. */
static int no_xattr(const struct xattr_handler *h, struct dentry *d, struct inode *inode, const char *name, void *buf, size_t size)
{
	return -ENODATA;
}

static const struct xattr_handler user_xattr = { .prefix = XATTR_USER_PREFIX, .get = no_xattr };
static const struct xattr_handler trusted_xattr = { .prefix = XATTR_TRUSTED_PREFIX, .get = no_xattr };
static const struct xattr_handler security_xattr = { .prefix = XATTR_SECURITY_PREFIX, .get = no_xattr };
static const struct xattr_handler *const sysfs_xattrs[] = { &user_xattr, &trusted_xattr, &security_xattr, NULL };

static int sysfs_fill(struct super_block *sb, struct fs_context *fc)
{
	(void)fc;
	sb->s_xattr = sysfs_xattrs;
	sb->s_iflags |= SB_I_USERNS_VISIBLE;
	return fill(sb, SHOW_SYS, SYSFS_MAGIC);
}

static int debugfs_fill(struct super_block *sb, struct fs_context *fc)
{
	int err = fill(sb, SHOW_DEBUG, DEBUGFS_MAGIC);

	(void)fc;
	if (!err)
		sb->s_root->d_inode->i_mode = S_IFDIR | 0700;
	return err;
}

static int sysfs_get_tree(struct fs_context *fc)
{
	struct net *net = fc->fs_private;

	/* The superblock's, where it is a new one: else it is given back with FC. */
	return get_tree_keyed(fc, sysfs_fill, net_pin(net));
}

static int debugfs_get_tree(struct fs_context *fc)
{
	return get_tree_single(fc, debugfs_fill);
}

static void sysfs_free_context(struct fs_context *fc)
{
	net_unpin(fc->fs_private);
	if (fc->s_fs_info)
		net_unpin(fc->s_fs_info);
}

static void sysfs_kill(struct super_block *sb) __releases(sb->s_umount)
{
	struct net *net = sb->s_fs_info;

	kill_anon_super(sb);
	if (net)
		net_unpin(net);
}

static const struct fs_context_operations sysfs_context_ops = { .get_tree = sysfs_get_tree, .free = sysfs_free_context };
static const struct fs_context_operations debugfs_context_ops = { .get_tree = debugfs_get_tree };

static int sysfs_init_fs_context(struct fs_context *fc)
{
	struct net *net = current_net();

	fc->ops = &sysfs_context_ops;
	fc->fs_private = net_pin(net);
	put_user_ns(fc->user_ns);
	fc->user_ns = get_user_ns(net->user_ns);
	fc->global = true;
	return 0;
}

static int debugfs_init_fs_context(struct fs_context *fc)
{
	fc->ops = &debugfs_context_ops;
	return 0;
}

static struct file_system_type sysfs_type = {
	.name = "sysfs",
	.init_fs_context = sysfs_init_fs_context,
	.kill_sb = sysfs_kill,
	.fs_flags = FS_USERNS_MOUNT,
};
static struct file_system_type debugfs_type = {
	.name = "debugfs",
	.init_fs_context = debugfs_init_fs_context,
	.kill_sb = kill_anon_super,
};

static int sysfs_init(void)
{
	int err = register_filesystem(&sysfs_type);

	if (!err)
		err = register_filesystem(&debugfs_type);
	/* The directories user space expects to mount on and to find. */
	show_path(SHOW_SYS, "fs/cgroup");
	show_path(SHOW_SYS, "fs/bpf");
	show_path(SHOW_SYS, "kernel/debug");
	show_path(SHOW_SYS, "kernel/tracing");
	show_path(SHOW_SYS, "devices/virtual");
	show_path(SHOW_SYS, "class");
	show_path(SHOW_SYS, "bus");
	show_path(SHOW_SYS, "block");
	show_path(SHOW_SYS, "module");
	show_path(SHOW_SYS, "firmware");
	show_path(SHOW_SYS, "power");
	show_path(SHOW_SYS, "dev/block");
	show_path(SHOW_SYS, "dev/char");
	return err;
}
INITCALL(fs, sysfs_init);
