// SPDX-License-Identifier: MIT
/*
 * Superblocks by block device. A device has at most one superblock of a type; mounting it again
 * shares that. The superblock holds the device (bdev_claim), so that mkfs and another type's mount
 * are refused, and writes back and drops what the device's own cache has of it at both ends: from
 * then on programs that read the device and the file system see the same bytes.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/filemap.h>
#include <vfs/fs.h>
#include <vfs/mount.h>
#include <vfs/namei.h>
#include <abi/errno.h>
#include "block/blk_priv.h"

/* fc->source as a device, opened. */
static struct bdev *open_source(struct fs_context *fc)
{
	struct path path;
	struct bdev *b;
	int e = kern_path(fc->source, LOOKUP_FOLLOW, &path);

	if (e)
		return ERR_PTR(e);
	if (!S_ISBLK(path.dentry->d_inode->i_mode))
		b = ERR_PTR(-ENOTBLK);
	else if (path.mnt->mnt_flags & MNT_NODEV || path.dentry->d_sb->s_iflags & SB_I_NODEV)
		b = ERR_PTR(-EACCES);
	else
		b = bdev_open_by_dev(path.dentry->d_inode->i_rdev);
	path_put(&path);
	if (!IS_ERR(b) && !(fc->sb_flags & SB_RDONLY) && (b->disk->read_only || b->read_only)) {
		bdev_close(b);
		b = ERR_PTR(-EACCES);
	}
	return b;
}

static int same_device(struct super_block *sb, struct fs_context *fc)
{
	return sb->s_dev == *(const dev_t *)fc->s_fs_info;
}

static int set_device(struct super_block *sb, struct fs_context *fc)
{
	sb->s_dev = *(const dev_t *)fc->s_fs_info;
	sb->s_fs_info = NULL;
	return 0;
}

/* SB is new: it takes over B, and has it from then on even where this fails. */
static int fill_new(struct super_block *sb, struct fs_context *fc, struct bdev *b,
		    int (*fill)(struct super_block *, struct fs_context *))
{
	int e = bdev_claim(b, sb);

	if (e) {
		bdev_close(b);
		return e;
	}
	sb->s_bdev = b;
	sb->s_backing = &b->disk->backing;
	strscpy(sb->s_id, b->name, sizeof(sb->s_id));
	e = filemap_write_and_wait(b->inode->i_mapping);
	invalidate_mapping_pages(b->inode->i_mapping, 0, (pgoff_t)-1);
	return e ?: fill(sb, fc);
}

int get_tree_bdev(struct fs_context *fc, int (*fill)(struct super_block *sb, struct fs_context *fc))
{
	struct super_block *sb;
	struct bdev *b;
	dev_t dev;
	int e = 0;

	if (!fc->source || !*fc->source)
		return -EINVAL;
	b = open_source(fc);
	if (IS_ERR(b))
		return (int)PTR_ERR(b);
	dev = b->dev;
	fc->s_fs_info = &dev;
	sb = sget_fc(fc, same_device, set_device);
	fc->s_fs_info = NULL;
	if (IS_ERR(sb)) {
		bdev_close(b);
		return (int)PTR_ERR(sb);
	}
	if (sb->s_root) {
		if ((fc->sb_flags ^ sb->s_flags) & SB_RDONLY)
			e = -EBUSY;
		bdev_close(b);
	} else {
		e = fill_new(sb, fc, b, fill);
		if (!e)
			sb->s_flags |= SB_ACTIVE;
	}
	if (e) {
		deactivate_locked_super(sb);
		return e;
	}
	fc->root = dget(sb->s_root);
	return 0;
}

void block_tell_super(struct bdev *b, bool surprise)
{
	struct super_block *sb = user_get_super(b->dev);

	if (!sb)
		return;
	if (!surprise) {
		down_read(&sb->s_umount);
		sync_filesystem(sb);
		up_read(&sb->s_umount);
	}
	if (sb->s_op->shutdown)
		sb->s_op->shutdown(sb);
	deactivate_super(sb);
}

void kill_block_super(struct super_block *sb) __releases(sb -> s_umount)
{
	struct bdev *b = sb->s_bdev;

	generic_shutdown_super(sb);
	if (!b)
		return;
	/*
	 * Data that programs wrote to the device node must not reach the device after the next
	 * mount.
	 */
	filemap_write_and_wait(b->inode->i_mapping);
	invalidate_mapping_pages(b->inode->i_mapping, 0, (pgoff_t)-1);
	bdev_unclaim(b, sb);
	bdev_close(b);
}
