// SPDX-License-Identifier: MIT
/* tmpfs: mount options, limits, life of inodes. */
#include "tmpfs_priv.h"
#include <alloc/slab.h>
#include <alloc/page.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <mm/lasting.h>
#include <proc/cred.h>
#include <sched/task.h>

static struct kmem_cache *tmpfs_inode_cache __ro_after_init;
struct vfsmount *tmpfs_kern_mnt;

static u64 space_used(const struct tmpfs_sb *ts)
{
	return ts->used_inodes * INODE_SPACE + ts->xattr_bytes;
}

static bool has_space(const struct tmpfs_sb *ts, u64 bytes)
{
	return !ts->max_inodes || space_used(ts) + bytes <= ts->max_inodes * INODE_SPACE;
}

int tmpfs_reserve_xattr(struct super_block *sb, size_t bytes)
{
	struct tmpfs_sb *ts = TMPFS_SB(sb);
	int err = -ENOSPC;

	if (lasting_charge(bytes))
		return -ENOSPC;
	spin_lock(&ts->stat_lock);
	if (has_space(ts, bytes)) {
		ts->xattr_bytes += bytes;
		err = 0;
	}
	spin_unlock(&ts->stat_lock);
	if (err)
		lasting_uncharge(bytes);
	return err;
}

void tmpfs_release_xattr(struct super_block *sb, size_t bytes)
{
	struct tmpfs_sb *ts = TMPFS_SB(sb);

	spin_lock(&ts->stat_lock);
	ts->xattr_bytes -= bytes;
	spin_unlock(&ts->stat_lock);
	lasting_uncharge(bytes);
}

/* Inodes of files, directories and all; and each further name of one, which costs memory, too. */
int tmpfs_reserve_inode(struct super_block *sb)
{
	struct tmpfs_sb *ts = TMPFS_SB(sb);
	int err = 0;

	if (lasting_charge(INODE_SPACE))
		return -ENOSPC;
	spin_lock(&ts->stat_lock);
	if (!has_space(ts, INODE_SPACE))
		err = -ENOSPC;
	else
		ts->used_inodes++;
	spin_unlock(&ts->stat_lock);
	if (err)
		lasting_uncharge(INODE_SPACE);
	return err;
}

void tmpfs_release_inode(struct super_block *sb)
{
	struct tmpfs_sb *ts = TMPFS_SB(sb);

	spin_lock(&ts->stat_lock);
	ts->used_inodes--;
	spin_unlock(&ts->stat_lock);
	lasting_uncharge(INODE_SPACE);
}

static struct inode *tmpfs_alloc_inode(struct super_block *sb)
{
	struct tmpfs_inode *ti = kmem_cache_alloc(tmpfs_inode_cache, GFP_KERNEL_ACCOUNT);

	(void)sb;
	if (!ti)
		return NULL;
	ti->xattrs = NULL;
	ti->flags = 0;
	ti->shmem.sb = NULL;
	return &ti->vfs_inode;
}

static void tmpfs_free_inode(struct inode *inode)
{
	if (S_ISLNK(inode->i_mode))
		kfree(inode->i_link);
	kmem_cache_free(tmpfs_inode_cache, TMPFS_I(inode));
}

static void tmpfs_evict_inode(struct inode *inode)
{
	struct tmpfs_inode *ti = TMPFS_I(inode);

	if (ti->shmem.sb)
		shmem_inode_evict(&ti->shmem);
	else
		truncate_inode_pages_final(&inode->i_data);
	if (S_ISLNK(inode->i_mode) && inode->i_size >= SHORT_SYMLINK)
		shmem_sb_release(&TMPFS_SB(inode->i_sb)->shmem, 1);
	tmpfs_release_xattr(inode->i_sb, tmpfs_free_xattrs(ti));
	tmpfs_release_inode(inode->i_sb);
	clear_inode(inode);
}

static int tmpfs_statfs(struct dentry *d, struct kstatfs *buf)
{
	struct tmpfs_sb *ts = TMPFS_SB(d->d_sb);
	u64 used = (u64)atomic64_read(&ts->shmem.used), max = READ_ONCE(ts->shmem.max_pages);

	buf->f_type = TMPFS_MAGIC;
	buf->f_bsize = PAGE_SIZE;
	buf->f_namelen = NAME_MAX;
	if (max) {
		buf->f_blocks = max;
		buf->f_bavail = buf->f_bfree = max > used ? max - used : 0;
	}
	spin_lock(&ts->stat_lock);
	if (ts->max_inodes) {
		buf->f_files = ts->max_inodes;
		buf->f_ffree = ts->max_inodes - DIV_ROUND_UP(space_used(ts), INODE_SPACE);
	}
	spin_unlock(&ts->stat_lock);
	return 0;
}

static u64 default_blocks(void)
{
	return totalram_pages() / 2;
}

static u64 default_inodes(void)
{
	return totalram_pages() / 2;
}

static int tmpfs_show_options(struct seq_file *m, struct dentry *root)
{
	struct tmpfs_sb *ts = TMPFS_SB(root->d_sb);

	if (ts->shmem.max_pages != default_blocks())
		seq_printf(m, ",size=%lluk", ts->shmem.max_pages << (PAGE_SHIFT - 10));
	if (ts->max_inodes != default_inodes())
		seq_printf(m, ",nr_inodes=%llu", ts->max_inodes);
	if (ts->mode != (S_IRWXUGO | S_ISVTX))
		seq_printf(m, ",mode=%03o", (unsigned int)ts->mode);
	if (!uid_eq(ts->uid, GLOBAL_ROOT_UID))
		seq_printf(m, ",uid=%u", from_kuid_munged(current_user_ns(), ts->uid));
	if (!gid_eq(ts->gid, GLOBAL_ROOT_GID))
		seq_printf(m, ",gid=%u", from_kgid_munged(current_user_ns(), ts->gid));
	if (ts->noswap)
		seq_puts(m, ",noswap");
	return 0;
}

/* Also of one that never got its root. */
static void tmpfs_kill_sb(struct super_block *sb) __releases(sb->s_umount)
{
	kill_litter_super(sb);
	/* Inodes are freed after a grace period and look at nothing here. */
	kfree(sb->s_fs_info);
	sb->s_fs_info = NULL;
}

/* Those that have handles are hashed, and yet there is no way back to one that is let go of. */
static int tmpfs_drop_inode(struct inode *inode)
{
	(void)inode;
	return 1;
}

static const struct super_operations tmpfs_super_ops = {
	.alloc_inode = tmpfs_alloc_inode,
	.free_inode = tmpfs_free_inode,
	.drop_inode = tmpfs_drop_inode,
	.evict_inode = tmpfs_evict_inode,
	.statfs = tmpfs_statfs,
	.show_options = tmpfs_show_options,
};

/* Options. */

struct tmpfs_options {
	u64 blocks, inodes;
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
	bool noswap;
	unsigned int seen;
};
#define SEEN_BLOCKS	1
#define SEEN_INODES	2

static int parse_size(const char *value, u64 *pages)
{
	char *end;
	u64 size;

	if (!value || !*value)
		return -EINVAL;
	size = memparse(value, &end);
	if (*end == '%') {
		size = size * totalram_pages() / 100 * PAGE_SIZE;
		end++;
	}
	if (*end)
		return -EINVAL;
	*pages = (size + PAGE_SIZE - 1) >> PAGE_SHIFT;
	return 0;
}

static int tmpfs_parse_param(struct fs_context *fc, const char *key, const char *value)
{
	struct tmpfs_options *o = fc->fs_private;
	u32 v;
	int err = 0;

	if (!strcmp(key, "size")) {
		err = parse_size(value, &o->blocks);
		o->seen |= SEEN_BLOCKS;
	} else if (!strcmp(key, "nr_blocks")) {
		err = fs_param_size(value, &o->blocks);
		o->seen |= SEEN_BLOCKS;
	} else if (!strcmp(key, "nr_inodes")) {
		err = fs_param_size(value, &o->inodes);
		o->seen |= SEEN_INODES;
	} else if (!strcmp(key, "mode")) {
		err = fs_param_u32(value, 8, &v);
		o->mode = v & 07777;
	} else if (!strcmp(key, "uid")) {
		err = fs_param_u32(value, 0, &v);
		if (!err)
			o->uid = make_kuid(current_user_ns(), v);
		if (!err && !uid_valid(o->uid))
			err = -EINVAL;
	} else if (!strcmp(key, "gid")) {
		err = fs_param_u32(value, 0, &v);
		if (!err)
			o->gid = make_kgid(current_user_ns(), v);
		if (!err && !gid_valid(o->gid))
			err = -EINVAL;
	} else if (!strcmp(key, "noswap")) {
		o->noswap = true;
	} else if (!strcmp(key, "inode64") || !strcmp(key, "inode32") || !strcmp(key, "huge") ||
		   !strcmp(key, "mpol")) {
		/* Numbers are 32 bits wide, folios one page, memory has one node. */
		if (!strcmp(key, "huge") && value && strcmp(value, "never"))
			err = -EINVAL;
	} else {
		return -ENOPARAM;
	}
	if (err)
		fc_errorf(fc, "Bad value for '%s'", key);
	return err;
}

static int tmpfs_fill(struct super_block *sb, struct fs_context *fc)
{
	struct tmpfs_options *o = fc->fs_private;
	struct tmpfs_sb *ts = kzalloc(sizeof(*ts), GFP_KERNEL_ACCOUNT);
	struct inode *root;

	if (!ts)
		return -ENOMEM;
	spin_lock_init(&ts->stat_lock);
	ts->shmem.max_pages = o->seen & SEEN_BLOCKS ? o->blocks : default_blocks();
	ts->max_inodes = o->seen & SEEN_INODES ? o->inodes : default_inodes();
	if (fc->sb_flags & SB_KERNMOUNT) {
		ts->shmem.max_pages = 0;
		ts->max_inodes = 0;
	}
	ts->mode = o->mode;
	ts->uid = o->uid;
	ts->gid = o->gid;
	ts->noswap = o->noswap;
	sb->s_fs_info = ts;
	sb->s_magic = TMPFS_MAGIC;
	sb->s_op = &tmpfs_super_ops;
	sb->s_xattr = tmpfs_xattr_handlers;
	sb->s_export_op = &tmpfs_export_ops;
	sb->s_time_gran = 1;
	if (!(fc->sb_flags & SB_KERNMOUNT)) {
		get_random_bytes(sb->s_uuid, sizeof(sb->s_uuid));
		sb->s_uuid[6] = (sb->s_uuid[6] & 0x0f) | 0x40;	/* RFC 9562: version 4, its variant */
		sb->s_uuid[8] = (sb->s_uuid[8] & 0x3f) | 0x80;
	}
	sb->s_flags |= SB_NOSEC | SB_POSIXACL;
	if (fc->sb_flags & SB_KERNMOUNT)
		sb->s_flags |= SB_NOUSER;
	root = tmpfs_new_inode(sb, NULL, S_IFDIR | o->mode, 0);
	if (IS_ERR(root))
		return (int)PTR_ERR(root);
	root->i_uid = o->uid;
	root->i_gid = o->gid;
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static int tmpfs_get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, tmpfs_fill);
}

/* New limits must not be below what is in use. */
static int tmpfs_reconfigure(struct fs_context *fc)
{
	struct tmpfs_options *o = fc->fs_private;
	struct tmpfs_sb *ts = TMPFS_SB(fc->root->d_sb);
	int err = 0;

	spin_lock(&ts->stat_lock);
	if (o->seen & SEEN_BLOCKS && o->blocks && (u64)atomic64_read(&ts->shmem.used) > o->blocks)
		err = -EINVAL;
	/* What was not counted cannot be limited afterwards. */
	if ((o->seen & SEEN_BLOCKS && o->blocks && !ts->shmem.max_pages) || (o->seen & SEEN_INODES && o->inodes && !ts->max_inodes))
		err = -EINVAL;
	if (o->seen & SEEN_INODES && o->inodes && DIV_ROUND_UP(space_used(ts), INODE_SPACE) > o->inodes)
		err = -EINVAL;
	if (!err) {
		if (o->seen & SEEN_BLOCKS)
			WRITE_ONCE(ts->shmem.max_pages, o->blocks);
		if (o->seen & SEEN_INODES)
			ts->max_inodes = o->inodes;
	}
	spin_unlock(&ts->stat_lock);
	return err;
}

static void tmpfs_free_fc(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static const struct fs_context_operations tmpfs_context_ops = {
	.free = tmpfs_free_fc,
	.parse_param = tmpfs_parse_param,
	.get_tree = tmpfs_get_tree,
	.reconfigure = tmpfs_reconfigure,
};

int tmpfs_init_fs_context(struct fs_context *fc)
{
	struct tmpfs_options *o = kzalloc(sizeof(*o), GFP_KERNEL_ACCOUNT);

	if (!o)
		return -ENOMEM;
	o->mode = S_IRWXUGO | S_ISVTX;
	o->uid = current_fsuid();
	o->gid = current_fsgid();
	fc->fs_private = o;
	fc->ops = &tmpfs_context_ops;
	return 0;
}

static struct file_system_type tmpfs_type = {
	.name = "tmpfs",
	.init_fs_context = tmpfs_init_fs_context,
	.kill_sb = tmpfs_kill_sb,
	.fs_flags = FS_USERNS_MOUNT | FS_ALLOW_IDMAP,
};

/* The first root: a tmpfs that says so, so that tools know it for what it is. */
static struct file_system_type rootfs_type = {
	.name = "rootfs",
	.init_fs_context = tmpfs_init_fs_context,
	.kill_sb = tmpfs_kill_sb,
};

static int tmpfs_init(void)
{
	int err;

	tmpfs_inode_cache = kmem_cache_create("shmem_inode_cache", sizeof(struct tmpfs_inode),
					      __alignof__(struct tmpfs_inode), SLAB_PANIC | SLAB_ACCOUNT, NULL);
	err = register_filesystem(&tmpfs_type);
	if (err)
		return err;
	register_filesystem(&rootfs_type);
	tmpfs_kern_mnt = kern_mount(&tmpfs_type);
	if (IS_ERR(tmpfs_kern_mnt))
		panic("tmpfs: cannot make the kernel's own mount");
	return 0;
}
INITCALL(fs, tmpfs_init);
