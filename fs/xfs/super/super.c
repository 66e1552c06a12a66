// SPDX-License-Identifier: MIT
/*
 * Mounting: the superblock is read and judged, a dirty log is replayed (recover.c), the root
 * directory is looked up. Everything after that is read-only: a mount that asks to write is refused
 * with EROFS, after which mount(8) tries again read-only.
 */
#include "fs/xfs/attr/attr.h"
#include "fs/xfs/super/super.h"
#include <alloc/slab.h>
#include <kernel/init.h>
#include <linux/magic.h>

static DEFINE_MUTEX(uuid_lock);
static LIST_HEAD(uuids);		/* uuid_lock: mounts whose UUID nobody else may have */

/* ---- options ---- */

struct options {
	bool norecovery, nouuid;
};

/* What changes nothing of a filesystem that is only read. */
static bool for_writers(const char *key)
{
	static const char *const names[] = {
		"attr2",     "noattr2",	  "inode32", "inode64",	 "ikeep",     "noikeep",
		"largeio",   "nolargeio", "swalloc", "wsync",	 "noalign",   "discard",
		"nodiscard", "noquota",	  "logbufs", "logbsize", "allocsize", "filestreams",
	};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(key, names[i]))
			return true;
	return false;
}

static int parse_param(struct fs_context *fc, const char *key, const char *value)
{
	struct options *o = fc->fs_private;

	(void)value;
	if (!strcmp(key, "norecovery"))
		o->norecovery = true;
	else if (!strcmp(key, "nouuid"))
		o->nouuid = true;
	else if (!for_writers(key))
		return -ENOPARAM;
	return 0;
}

static int show_options(struct seq_file *m, struct dentry *root)
{
	struct xfs_mount *mp = XFS_M(root->d_sb);

	seq_puts(m, ",attr2,inode64");
	if (mp->norecovery)
		seq_puts(m, ",norecovery");
	if (mp->nouuid)
		seq_puts(m, ",nouuid");
	seq_puts(m, ",noquota");
	return 0;
}

/* ---- making ---- */

/*
 * Into mp->vol.sb. The sector's size is known only when it was read: twice where it is not 512
 * bytes.
 */
static int read_sb(struct xfs_mount *mp, struct bdev *bdev, struct xfs_fault *f)
{
	u32 len = max((u32)XFS_SECTOR, bdev->disk->block_size);
	int e;

	for (;;) {
		u8 *p = kmalloc(len, GFP_KERNEL);

		if (!p)
			return -ENOMEM;
		e = xfs_read_raw(bdev, 0, p, len);
		if (!e)
			e = xfs_sb_decode(p, len, &mp->vol.sb, f);
		kfree(p);
		if (e != -ERANGE || mp->vol.sb.sectsize <= len)
			return e;
		len = mp->vol.sb.sectsize;
	}
}

/* Why it is not for us, in one line: 0 or -errno. */
static int judge(const struct xfs_sb *sb, struct super_block *s, struct fs_context *fc)
{
	const char *why;
	u32 bits;

	why = xfs_sb_unsupported(sb, &bits);
	if (why) {
		pr_err("xfs: %s: %s (%#x)\n", s->s_id, why, bits);
		return sb->incompat & XFS_IN_NEEDSREPAIR &&
				       !(sb->incompat & ~(u32)(XFS_IN_KNOWN | XFS_IN_NEEDSREPAIR)) ?
			       -XFS_CORRUPT :
			       -EINVAL;
	}
	if (sb->blocksize > PAGE_SIZE) {
		pr_err("xfs: %s: blocks of %u bytes are larger than a page, which is not supported\n",
		       s->s_id, sb->blocksize);
		return -ENOSYS;
	}
	if (sb->sectsize < s->s_bdev->disk->block_size) {
		pr_err("xfs: %s: the device's blocks of %u bytes are larger than its sectors of %u\n",
		       s->s_id, s->s_bdev->disk->block_size, sb->sectsize);
		return -ENOSYS;
	}
	if (sb->dblocks << sb->blocklog > s->s_bdev->sectors << SECTOR_SHIFT) {
		pr_err("xfs: %s: it has %llu blocks, more than its device\n", s->s_id, sb->dblocks);
		return -EIO;
	}
	if (!(fc->sb_flags & SB_RDONLY)) {
		pr_notice("xfs: %s: writing is not there yet: mount it read-only\n", s->s_id);
		return -EROFS;
	}
	if (xfs_sb_unknown_ro(sb))
		pr_warn("xfs: %s: it has unknown features %#x that allow reading\n", s->s_id,
			xfs_sb_unknown_ro(sb));
	return 0;
}

/* A copy of a mounted disk is most often a mistake: the second of a UUID needs nouuid. */
static int take_uuid(struct xfs_mount *mp)
{
	struct xfs_mount *other;
	int e = 0;

	INIT_LIST_HEAD(&mp->uuids);
	if (mp->nouuid)
		return 0;
	mutex_lock(&uuid_lock);
	list_for_each_entry(other, &uuids, uuids)
		if (!memcmp(other->vol.sb.uuid, mp->vol.sb.uuid, XFS_UUID_SIZE))
			e = -EINVAL;
	if (!e)
		list_add(&mp->uuids, &uuids);
	mutex_unlock(&uuid_lock);
	if (e)
		pr_err("xfs: %s: another mounted file system has this UUID: mount it with nouuid\n",
		       mp->sb->s_id);
	return e;
}

static void give_uuid(struct xfs_mount *mp)
{
	mutex_lock(&uuid_lock);
	list_del_init(&mp->uuids);
	mutex_unlock(&uuid_lock);
}

static const struct super_operations xfs_sops;

static void set_limits(struct super_block *s, const struct xfs_sb *sb)
{
	bool bigtime = sb->incompat & XFS_IN_BIGTIME;

	s->s_magic = XFS_SUPER_MAGIC;
	s->s_blocksize = sb->blocksize;
	s->s_blocksize_bits = sb->blocklog;
	s->s_maxbytes = MAX_LFS_FILESIZE;
	s->s_time_gran = 1;
	s->s_time_min = S32_MIN;
	s->s_time_max = bigtime ? (time64_t)(U64_MAX / NSEC_PER_SEC) - (1ll << 31) : S32_MAX;
	s->s_max_links = S32_MAX;
	memcpy(s->s_uuid, sb->uuid, sizeof(s->s_uuid));
	s->s_op = &xfs_sops;
	s->s_xattr = xfs_xattr_handlers;
	s->s_flags |= SB_POSIXACL;
}

static int start(struct xfs_mount *mp, struct super_block *s, struct fs_context *fc)
{
	struct xfs_fault f = { 0 };
	struct inode *root;
	int e = read_sb(mp, s->s_bdev, &f);

	/* "no XFS" is what a search for the type expects */
	if (e && f.what && !(e == -EINVAL && fc->sb_flags & SB_SILENT))
		mp->vol.report(&mp->vol, &f);
	e = xfs_errno(e) ?: judge(&mp->vol.sb, s, fc);
	/* Before anything is written: the log of a copy of a mounted disk is left alone. */
	e = e ?: take_uuid(mp);
	e = e ?: xfs_recover(mp);
	if (e)
		return e;
	set_limits(s, &mp->vol.sb);
	root = xfs_iget(mp, mp->vol.sb.rootino);
	if (!IS_ERR(root) && !S_ISDIR(root->i_mode)) {
		iput(root);
		root = ERR_PTR(-XFS_CORRUPT);
	}
	if (IS_ERR(root)) {
		pr_err("xfs: %s: the root directory cannot be read\n", s->s_id);
		return PTR_ERR(root) == -ESTALE || PTR_ERR(root) == -EINVAL ? -XFS_CORRUPT :
									      (int)PTR_ERR(root);
	}
	xfs_dir_found(XFS_I(root), mp->vol.sb.rootino, 0);
	s->s_root = d_make_root(root);
	return s->s_root ? 0 : -ENOMEM;
}

/* What fails is undone by kill_sb. */
static int fill(struct super_block *s, struct fs_context *fc)
{
	const struct options *o = fc->fs_private;
	struct xfs_mount *mp;

	if (o->norecovery && !(fc->sb_flags & SB_RDONLY)) {
		pr_err("xfs: %s: mounts without recovery must be read-only\n", s->s_id);
		return -EINVAL;
	}
	mp = kzalloc(sizeof(*mp), GFP_KERNEL_ACCOUNT);
	if (!mp)
		return -ENOMEM;
	INIT_LIST_HEAD(&mp->uuids);
	mp->norecovery = o->norecovery;
	mp->nouuid = o->nouuid;
	mp->setup = xfs_setup_inode;
	xfs_vol_init(mp, s);
	xfs_cache_init(&mp->cache, s->s_bdev, s->s_id);
	s->s_fs_info = mp;
	return start(mp, s, fc);
}

static void kill_sb(struct super_block *s) __releases(s -> s_umount)
{
	struct xfs_mount *mp = XFS_M(s);

	/* Before the device: the next mount of it has the same UUID. */
	if (mp)
		give_uuid(mp);
	kill_block_super(s);
	if (!mp)
		return;
	xfs_cache_destroy(&mp->cache);
	kfree(mp);
}

/*
 * As Linux: what the log has is no room, some blocks are kept for the trees of free space; inodes
 * are as many as free blocks could become.
 */
static int statfs(struct dentry *d, struct kstatfs *st)
{
	const struct xfs_sb *sb = &XFS_M(d->d_sb)->vol.sb;
	u64 kept = (u64)sb->agcount * 8, chunk = max(64u >> sb->inopblog, 1u);	/* blocks */
	u64 most = sb->dblocks * sb->imax_pct / 100 / chunk * chunk << sb->inopblog;

	st->f_type = XFS_SUPER_MAGIC;
	st->f_bsize = (long)sb->blocksize;
	st->f_blocks = sb->dblocks - sb->logblocks;
	st->f_bfree = st->f_bavail = sb->fdblocks > kept ? sb->fdblocks - kept : 0;
	st->f_files = sb->icount + (st->f_bfree << sb->inopblog);
	if (most && st->f_files > most)
		st->f_files = max(most, sb->icount);
	st->f_ffree = st->f_files - min(st->f_files, sb->icount - min(sb->icount, sb->ifree));
	st->f_fsid = d->d_sb->s_dev;
	st->f_namelen = NAME_MAX;
	return 0;
}

static const struct super_operations xfs_sops = {
	.alloc_inode = xfs_alloc_inode,
	.free_inode = xfs_free_inode,
	.evict_inode = xfs_evict_inode,
	.statfs = statfs,
	.show_options = show_options,
};

/* ---- the type ---- */

static int get_tree(struct fs_context *fc)
{
	return get_tree_bdev(fc, fill);
}

static int reconfigure(struct fs_context *fc)
{
	if (!(fc->sb_flags & SB_RDONLY) && fc->sb_flags_mask & SB_RDONLY)
		return -EROFS;
	return 0;
}

static void free_context(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static const struct fs_context_operations context_ops = {
	.free = free_context,
	.parse_param = parse_param,
	.get_tree = get_tree,
	.reconfigure = reconfigure,
};

static int init_context(struct fs_context *fc)
{
	fc->fs_private = kzalloc(sizeof(struct options), GFP_KERNEL_ACCOUNT);
	if (!fc->fs_private)
		return -ENOMEM;
	fc->ops = &context_ops;
	return 0;
}

static struct file_system_type xfs_type = {
	.name = "xfs",
	.fs_flags = FS_REQUIRES_DEV | FS_ALLOW_IDMAP,
	.init_fs_context = init_context,
	.kill_sb = kill_sb,
};

static int xfs_init(void)
{
	int e = xfs_inode_cache_init();

	return e ?: register_filesystem(&xfs_type);
}
INITCALL(fs, xfs_init);
