// SPDX-License-Identifier: MIT
/*
 * Mounting: the superblock is read and judged, a dirty log is replayed (recover.c), writing begins
 * (write.c), what recovery left is finished (finish.c), the root directory is looked up. A mount
 * that asks to write and may not is refused with EROFS, after which mount(8) tries again read-only.
 */
#include "fs/xfs/admin/admin.h"
#include "fs/xfs/repair/repair.h"
#include "fs/xfs/attr/attr.h"
#include "fs/xfs/dir/dir.h"
#include "fs/xfs/heal/heal.h"
#include "fs/xfs/monitor/monitor.h"
#include "fs/xfs/super/super.h"
#include <alloc/slab.h>
#include <kernel/init.h>
#include <linux/magic.h>

static DEFINE_MUTEX(uuid_lock);
static LIST_HEAD(uuids);		/* uuid_lock: mounts whose UUID no other mount may have */

/* ---- options ---- */

struct options {
	bool norecovery, nouuid, wsync;
	bool discard, nodiscard;	/* the last that was given */
	enum xfs_heal_option heal;	/* the same */
};

/* Options without a value that change nothing here. */
static bool is_hint(const char *key)
{
	static const char *const names[] = {
		"attr2",   "noattr2",	"inode32", "inode64", "ikeep",	 "noikeep",
		"largeio", "nolargeio", "swalloc", "noalign", "noquota", "filestreams",
	};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(key, names[i]))
			return true;
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Sizes, xfs(5): their values are checked, and change nothing here. 0, -EINVAL, -ENOPARAM. */
static int check_size(const char *key, const char *value)
{
	static const struct {
		const char *name;
		u64 min, max;
		bool unit;		/* a power of two, which may have a suffix */
	} known[] = {
		{ "logbufs", 2, 8, false },
		{ "logbsize", 16 << 10, 256 << 10, true },
		{ "allocsize", PAGE_SIZE, 1 << 30, true },
	};

	for (u32 i = 0; i < ARRAY_SIZE(known); i++) {
		char *end = NULL;
		u64 n;

		if (strcmp(key, known[i].name))
			continue;
		if (!value || !is_digit(*value))
			return -EINVAL;
		n = memparse(value, &end);
		if (*end || n < known[i].min || n > known[i].max ||
		    (known[i].unit && n & (n - 1)) || (!known[i].unit && !is_digit(end[-1])))
			return -EINVAL;
		return 0;
	}
	return -ENOPARAM;
}

static int parse_param(struct fs_context *fc, const char *key, const char *value)
{
	struct options *o = fc->fs_private;
	bool norecovery = !strcmp(key, "norecovery"), nouuid = !strcmp(key, "nouuid");
	bool discard = !strcmp(key, "discard"), nodiscard = !strcmp(key, "nodiscard");
	bool wsync = !strcmp(key, "wsync"), heal = !strcmp(key, "heal");
	bool noheal = !strcmp(key, "noheal");

	if (!norecovery && !nouuid && !discard && !nodiscard && !wsync && !heal && !noheal &&
	    !is_hint(key))
		return check_size(key, value);
	if (value)
		return -EINVAL;
	o->norecovery |= norecovery;
	o->nouuid |= nouuid;
	o->wsync |= wsync;
	if (discard || nodiscard)
		o->nodiscard = !(o->discard = discard);
	if (heal || noheal)
		o->heal = heal ? XFS_HEAL_YES : XFS_HEAL_NO;
	return 0;
}

static int show_options(struct seq_file *m, struct dentry *root)
{
	struct xfs_mount *mp = XFS_M(root->d_sb);

	if (mp->wsync)
		seq_puts(m, ",wsync");
	if (mp->nouuid)
		seq_puts(m, ",nouuid");
	if (mp->norecovery)
		seq_puts(m, ",norecovery");
	if (mp->live && READ_ONCE(mp->live->discard))
		seq_puts(m, ",discard");
	if (xfs_heal_option_of(mp) != XFS_HEAL_BY_ATTR)
		seq_puts(m, xfs_heal_option_of(mp) == XFS_HEAL_YES ? ",heal" : ",noheal");
	seq_puts(m, ",inode64");
	if (mp->live)
		seq_puts(m, ",logbufs=8,logbsize=32k");
	seq_puts(m, ",noquota");
	return 0;
}

/* ---- making ---- */

/* The sector's size is known only when it was read: twice where it is not 512 bytes. */
static int read_sb(struct bdev *bdev, struct xfs_sb *sb, struct xfs_fault *f)
{
	u32 len = max((u32)XFS_SECTOR, bdev->disk->block_size);
	int e;

	for (;;) {
		u8 *p = kmalloc(len, GFP_KERNEL);

		if (!p)
			return -ENOMEM;
		e = xfs_read_raw(bdev, 0, p, len);
		if (!e)
			e = xfs_sb_decode(p, len, sb, f);
		kfree(p);
		if (e != -ERANGE || sb->sectsize <= len)
			return e;
		len = sb->sectsize;
	}
}

static int identify(struct bdev *b, struct fs_identity *id)
{
	struct xfs_fault f = { 0 };
	struct xfs_sb sb;
	int e = read_sb(b, &sb, &f);

	if (e)
		return xfs_errno(e);
	memcpy(id->uuid, sb.uuid, sizeof(id->uuid));
	strscpy(id->label, sb.label, sizeof(id->label));
	return 0;
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
	if (!(fc->sb_flags & SB_RDONLY))
		return xfs_judge_writing(XFS_M(s));
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
		if (!memcmp(other->fs.vol.sb.uuid, mp->fs.vol.sb.uuid, XFS_UUID_SIZE))
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
	/*
	 * With bigtime as Linux: it counts nanoseconds since 1901, whole multiples of 4 s of them.
	 */
	s->s_time_max = bigtime ? (time64_t)(U64_MAX / NSEC_PER_SEC & ~3ull) + S32_MIN : S32_MAX;
	s->s_max_links = S32_MAX;
	memcpy(s->s_uuid, sb->uuid, sizeof(s->s_uuid));
	s->s_op = &xfs_sops;
	s->s_xattr = xfs_xattr_handlers;
	s->s_export_op = &xfs_export_ops;
	s->s_flags |= SB_POSIXACL | SB_NOSEC;
}

/*
 * A mount that only reads finishes what recovery leaves too, where it may: else the log could not
 * be replayed, and a root file system could never be mounted again.
 */
static int recover(struct xfs_mount *mp, bool write)
{
	struct xfs_recovery r;
	int e = xfs_recover(mp, &r);

	set_limits(mp->sb, &mp->fs.vol.sb);
	xfs_inodes_begin(mp);
	/* Only now it is known how many there are. */
	e = e ?: xfs_ags_open(mp);
	if (!e && (write || r.res.left))
		e = xfs_write_begin(mp, &r);
	xfs_recovery_free(&r);
	if (!e && mp->live)
		e = xfs_discard_set(mp, mp->discard);
	if (!e && mp->live && !write)
		e = xfs_live_clean(mp);
	return e;
}

static int start(struct xfs_mount *mp, struct super_block *s, struct fs_context *fc)
{
	const struct options *o = fc->fs_private;
	struct xfs_fault f = { 0 };
	struct inode *root;
	int e = read_sb(s->s_bdev, &mp->fs.vol.sb, &f);

	/* "no XFS" is what a search for the type expects */
	if (e && f.what && !(e == -EINVAL && fc->sb_flags & SB_SILENT))
		mp->fs.vol.report(&mp->fs.vol, &f);
	e = xfs_errno(e) ?: judge(&mp->fs.vol.sb, s, fc);
	/* Before anything is written: the log of a copy of a mounted disk is left alone. */
	e = e ?: take_uuid(mp);
	e = e ?: recover(mp, !(fc->sb_flags & SB_RDONLY));
	if (e)
		return e;
	root = xfs_iget(mp, mp->fs.vol.sb.rootino);
	if (!IS_ERR(root) && !S_ISDIR(root->i_mode)) {
		iput(root);
		root = ERR_PTR(-XFS_CORRUPT);
	}
	if (IS_ERR(root)) {
		pr_err("xfs: %s: the root directory cannot be read\n", s->s_id);
		return PTR_ERR(root) == -ESTALE || PTR_ERR(root) == -EINVAL ? -XFS_CORRUPT :
									      (int)PTR_ERR(root);
	}
	xfs_dir_found(XFS_I(root), mp->fs.vol.sb.rootino, 0);
	s->s_root = d_make_root(root);
	if (!s->s_root)
		return -ENOMEM;
	e = xfs_heal_begin(mp, o->heal, fc->sb_flags & SB_RDONLY);
	if (!e)
		xfs_show_begin(mp);
	return e;
}

/* Of a mark that is set: who reads of it, then who repairs. */
static void tell(void *ctx, const struct xfs_mark_event *ev)
{
	xfs_monitor_tell(ctx, ev);
	xfs_heal_tell(ctx, ev);
}

/* Calls on any file, which those folders know. */
static long ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	static long (*const all[])(struct file *file, unsigned int cmd, unsigned long arg) = {
		xfs_admin_ioctl,
		xfs_monitor_ioctl,
		xfs_repair_ioctl,
	};
	long e = -ENOTTY;

	for (u32 i = 0; i < ARRAY_SIZE(all) && e == -ENOTTY; i++)
		e = all[i](file, cmd, arg);
	return e;
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
	mp->pool = XFS_POOL_DEFAULT;
	INIT_LIST_HEAD(&mp->uuids);
	mp->norecovery = o->norecovery;
	mp->nouuid = o->nouuid;
	mp->wsync = o->wsync;
	mp->discard = o->discard;
	mp->setup = xfs_setup_inode;
	mp->ioctl = ioctl;
	mp->autofsck = xfs_heal_attr;
	mutex_init(&mp->admin);
	mutex_init(&mp->repairs);
	xfs_vol_init(mp, s);
	xfs_health_init(&mp->health);
	xfs_health_watch(&mp->health, tell, mp);
	xfs_cache_init(&mp->cache, s->s_bdev, s->s_id);
	s->s_fs_info = mp;
	return start(mp, s, fc);
}

static void kill_sb(struct super_block *s) __releases(s -> s_umount)
{
	struct xfs_mount *mp = XFS_M(s);

	/* Before the device: the next mount of it has the same UUID, and the same name. */
	if (mp) {
		xfs_show_end(mp);
		xfs_heal_end(mp);
		give_uuid(mp);
		xfs_live_ending(mp);
	}
	/* Without a root it has no inodes, and put_super() is not called. */
	if (mp && !s->s_root)
		xfs_write_end(mp);
	kill_block_super(s);
	if (!mp)
		return;
	xfs_inodes_end(mp);
	xfs_cache_destroy(&mp->cache);
	xfs_ags_close(mp);
	xfs_health_destroy(&mp->health);
	kfree(mp);
}

/*
 * Sums that cannot be: damage that is met here. They change one after another, so that a check may
 * find them right.
 */
static void judge_counts(struct xfs_mount *mp, const struct xfs_counts *c)
{
	if (c->fdblocks > mp->fs.vol.sb.dblocks || c->ifree > c->icount)
		xfs_vol_sick(&mp->fs.vol, XFS_DOMAIN_FS, 0, 0, XFS_SICK_COUNTERS);
}

/* Of a mount that writes: without blocks kept for trees, or for transactions that free. */
static struct xfs_counts counts_of(struct xfs_mount *mp)
{
	struct xfs_counts c = xfs_counts_of(mp);

	if (!READ_ONCE(mp->live))
		return c;
	judge_counts(mp, &c);
	if (sb_rdonly(mp->sb))
		c.fdblocks += xfs_kept_blocks(mp);
	else
		c.fdblocks -= min(c.fdblocks, xfs_pool_blocks(mp));
	return c;
}

/*
 * As Linux: what the log has is no room, some blocks are kept for the trees of free space; inodes
 * are as many as free blocks could become.
 */
static int statfs(struct dentry *d, struct kstatfs *st)
{
	const struct xfs_sb *sb = &XFS_M(d->d_sb)->fs.vol.sb;
	u64 kept = xfs_set_aside(sb), chunk = max(64u >> sb->inopblog, 1u);	/* blocks */
	u64 most = sb->dblocks * sb->imax_pct / 100 / chunk * chunk << sb->inopblog;
	struct xfs_counts c = counts_of(XFS_M(d->d_sb));

	st->f_type = XFS_SUPER_MAGIC;
	st->f_bsize = (long)sb->blocksize;
	st->f_blocks = sb->dblocks - sb->logblocks;
	st->f_bfree = st->f_bavail = c.fdblocks - min(c.fdblocks, kept);
	st->f_files = c.icount + (st->f_bfree << sb->inopblog);
	if (most && st->f_files > most)
		st->f_files = max(most, c.icount);
	st->f_ffree = st->f_files - min(st->f_files, c.icount - min(c.icount, c.ifree));
	st->f_fsid = d->d_sb->s_dev;
	st->f_namelen = NAME_MAX;
	return 0;
}

static void put_super(struct super_block *s)
{
	xfs_write_end(XFS_M(s));
	/* The writing's end may have been the file system's, too. */
	xfs_monitor_unmount(XFS_M(s));
}

static int sync_fs(struct super_block *s, int wait)
{
	struct xfs_live *live = XFS_M(s)->live;
	int e;

	if (!live || !wait)
		return 0;
	e = xfs_journal_force(live->j, 0);
	/* Data that need no change of metadata are on the disk too. */
	return e ?: bdev_flush(s->s_bdev);
}

static int freeze_fs(struct super_block *s)
{
	return XFS_M(s)->live ? xfs_live_quiesce(XFS_M(s)) : 0;
}

static int unfreeze_fs(struct super_block *s)
{
	(void)s;
	return 0;
}

static void shutdown(struct super_block *s)
{
	xfs_device_goes(XFS_M(s));
}

static const struct super_operations xfs_sops = {
	.put_super = put_super,
	.shutdown = shutdown,
	.sync_fs = sync_fs,
	.freeze_fs = freeze_fs,
	.unfreeze_fs = unfreeze_fs,
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
	struct super_block *s = fc->root->d_sb;
	struct xfs_mount *mp = XFS_M(s);
	const struct options *o = fc->fs_private;
	bool ro = fc->sb_flags_mask & SB_RDONLY ? fc->sb_flags & SB_RDONLY : sb_rdonly(s);
	int e = 0;

	/* No repair writes while it becomes read-only. */
	xfs_heal_pause(mp);
	if (ro != sb_rdonly(s))
		e = xfs_remount(mp, ro);
	xfs_heal_go_on(mp, o->heal ?: xfs_heal_option_of(mp), e ? sb_rdonly(s) : ro);
	if (e)
		return e;
	if (o->discard || o->nodiscard)
		mp->discard = o->discard;
	return mp->live ? xfs_discard_set(mp, mp->discard) : 0;
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
	.identify = identify,
};

static int xfs_init(void)
{
	int e = xfs_inode_cache_init();

	return e ?: register_filesystem(&xfs_type);
}
INITCALL(fs, xfs_init);
