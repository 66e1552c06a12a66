// SPDX-License-Identifier: MIT
/*
 * Superblocks: making, finding, sharing and ending them; freezing.
 *
 * s_active counts mounts and other users; with the last one kill_sb() runs under s_umount and tears the
 * filesystem down. s_count (under sb_lock) keeps the memory for those who only iterate.
 *
 * Freezing raises s_frozen level by level. A writer enters a level by a per-CPU count, with preemption
 * off; the freezer publishes the level, waits a grace period, then for the counts to come to zero.
 */
#include <lib/types.h>
#include "mount_priv.h"
#include <alloc/slab.h>
#include <kernel/init.h>
#include <kernel/cpumask.h>
#include <kernel/percpu.h>
#include <proc/cred.h>
#include <sched/task.h>
#include <linux/capability.h>
#include <vfs/notify.h>

static DEFINE_SPINLOCK(sb_lock);
static LIST_HEAD(super_blocks);		/* sb_lock */
static DEFINE_XARRAY_ALLOC1(anon_devs);	/* numbers of superblocks without a device */

/* Anonymous device numbers: major 0. */

int get_anon_bdev(dev_t *dev)
{
	u32 minor;
	int e = xa_alloc(&anon_devs, &minor, xa_mk_value(0), XA_LIMIT(1, (1u << MINORBITS) - 1), GFP_ATOMIC);

	if (e)
		return e == -EBUSY ? -EMFILE : e;
	*dev = MKDEV(0, minor);
	return 0;
}

void free_anon_bdev(dev_t dev)
{
	xa_erase(&anon_devs, MINOR(dev));
}

int set_anon_super_fc(struct super_block *sb, struct fs_context *fc)
{
	(void)fc;
	return get_anon_bdev(&sb->s_dev);
}

/* Life. */

static void free_super_rcu(struct rcu_head *head)
{
	struct super_block *sb = container_of(head, struct super_block, s_rcu);

	free_percpu(sb->s_writers);
	kfree(sb->s_subtype);
	kfree(sb);
}

static void put_super_locked(struct super_block *sb)
{
	if (--sb->s_count)
		return;
	list_del(&sb->s_list);
	put_user_ns(sb->s_user_ns);
	call_rcu(&sb->s_rcu, free_super_rcu);
}

static void put_super(struct super_block *sb)
{
	spin_lock(&sb_lock);
	put_super_locked(sb);
	spin_unlock(&sb_lock);
}

static struct super_block *alloc_super(struct fs_context *fc)
{
	static const struct super_operations default_ops;
	struct super_block *sb = kzalloc(sizeof(*sb), GFP_KERNEL_ACCOUNT);

	if (!sb)
		return NULL;
	sb->s_writers = __alloc_percpu(sizeof(int) * SB_FREEZE_LEVELS, sizeof(int));
	if (!sb->s_writers) {
		kfree(sb);
		return NULL;
	}
	sb->s_user_ns = get_user_ns(fc->user_ns);
	init_rwsem(&sb->s_umount);
	mutex_init(&sb->s_vfs_rename_mutex);
	init_waitqueue_head(&sb->s_freeze_wait);
	spin_lock_init(&sb->s_inode_list_lock);
	spin_lock_init(&sb->s_lru_lock);
	INIT_LIST_HEAD(&sb->s_list);
	INIT_LIST_HEAD(&sb->s_inodes);
	INIT_LIST_HEAD(&sb->s_dentry_lru);
	INIT_LIST_HEAD(&sb->s_inode_lru);
	INIT_LIST_HEAD(&sb->s_mounts);
	INIT_HLIST_NODE(&sb->s_instances);
	sb->s_flags = fc->sb_flags;
	sb->s_iflags = fc->s_iflags;
	sb->s_count = 1;
	atomic_set(&sb->s_active, 1);
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_op = &default_ops;
	sb->s_time_gran = 1;
	sb->s_time_min = S64_MIN;
	sb->s_time_max = S64_MAX;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	down_write_nested(&sb->s_umount, 1);
	return sb;
}

static void destroy_unused_super(struct super_block *sb) __releases(sb->s_umount)
{
	up_write(&sb->s_umount);
	put_user_ns(sb->s_user_ns);
	free_super_rcu(&sb->s_rcu);
}

/* An active reference and s_umount. False: it was dying, and is off the list of its type now. sb_lock dropped. */
static bool grab_super(struct super_block *sb)
{
	sb->s_count++;
	spin_unlock(&sb_lock);
	down_write(&sb->s_umount);
	if (sb->s_root && sb->s_flags & SB_BORN && atomic_inc_not_zero(&sb->s_active)) {
		put_super(sb);
		return true;
	}
	up_write(&sb->s_umount);
	wait_event(sb->s_freeze_wait, hlist_unhashed(&sb->s_instances));
	put_super(sb);
	return false;
}

/* A superblock that @test accepts, or a new one for which @set ran. s_umount held for writing. */
struct super_block *sget_fc(struct fs_context *fc, int (*test)(struct super_block *, struct fs_context *),
			    int (*set)(struct super_block *, struct fs_context *))
{
	struct super_block *sb = NULL, *old;
	int err;

retry:
	spin_lock(&sb_lock);
	if (test) {
		hlist_for_each_entry(old, &fc->fs_type->fs_supers, s_instances) {
			if (!test(old, fc))
				continue;
			if (fc->user_ns != old->s_user_ns || fc->exclusive) {
				spin_unlock(&sb_lock);
				if (sb)
					destroy_unused_super(sb);
				return ERR_PTR(-EBUSY);
			}
			if (!grab_super(old))
				goto retry;
			if (sb)
				destroy_unused_super(sb);
			return old;
		}
	}
	if (!sb) {
		spin_unlock(&sb_lock);
		sb = alloc_super(fc);
		if (!sb)
			return ERR_PTR(-ENOMEM);
		goto retry;
	}
	/* Found none and is listed under one lock: nobody makes a second one in between. */
	sb->s_fs_info = fc->s_fs_info;
	err = set(sb, fc);
	if (err) {
		spin_unlock(&sb_lock);
		sb->s_fs_info = NULL;
		destroy_unused_super(sb);
		return ERR_PTR(err);
	}
	fc->s_fs_info = NULL;
	sb->s_type = fc->fs_type;
	strscpy(sb->s_id, sb->s_type->name, sizeof(sb->s_id));
	list_add_tail(&sb->s_list, &super_blocks);
	hlist_add_head(&sb->s_instances, &fc->fs_type->fs_supers);
	spin_unlock(&sb_lock);
	return sb;
}

void deactivate_locked_super(struct super_block *sb) __releases(sb->s_umount)
{
	struct file_system_type *type = sb->s_type;

	if (!atomic_dec_and_test(&sb->s_active)) {
		up_write(&sb->s_umount);
		return;
	}
	type->kill_sb(sb);
	/* Only now may another superblock take its place: its device, UUID or key is free. */
	spin_lock(&sb_lock);
	hlist_del_init(&sb->s_instances);
	spin_unlock(&sb_lock);
	wake_up_all(&sb->s_freeze_wait);
	put_super(sb);
}

void deactivate_super(struct super_block *sb)
{
	if (atomic_add_unless(&sb->s_active, -1, 1))
		return;
	down_write(&sb->s_umount);
	deactivate_locked_super(sb);
}

/* Common end: s_umount held, dropped here. */
void generic_shutdown_super(struct super_block *sb) __releases(sb->s_umount)
{
	if (sb->s_root) {
		shrink_dcache_for_umount(sb);
		sync_filesystem(sb);
		sb->s_flags &= ~SB_ACTIVE;
		notify_unmount(sb);
		evict_inodes(sb);
		if (sb->s_op->put_super)
			sb->s_op->put_super(sb);
		if (!list_empty(&sb->s_inodes))
			pr_err("vfs: %s: inodes are still in use as it goes away\n", sb->s_id);
	}
	up_write(&sb->s_umount);
}

void kill_anon_super(struct super_block *sb) __releases(sb->s_umount)
{
	dev_t dev = sb->s_dev;

	generic_shutdown_super(sb);
	free_anon_bdev(dev);
}

void kill_litter_super(struct super_block *sb) __releases(sb->s_umount)
{
	if (sb->s_root)
		d_genocide(sb->s_root);
	kill_anon_super(sb);
}

static int get_tree_with(struct fs_context *fc, int (*test)(struct super_block *, struct fs_context *),
			 int (*fill)(struct super_block *, struct fs_context *))
{
	struct super_block *sb = sget_fc(fc, test, set_anon_super_fc);
	int err;

	if (IS_ERR(sb))
		return (int)PTR_ERR(sb);
	if (!sb->s_root) {
		err = fill(sb, fc);
		if (err) {
			deactivate_locked_super(sb);
			return err;
		}
		sb->s_flags |= SB_ACTIVE;
	}
	fc->root = dget(sb->s_root);
	return 0;
}

int get_tree_nodev(struct fs_context *fc, int (*fill)(struct super_block *, struct fs_context *))
{
	return get_tree_with(fc, NULL, fill);
}

static int test_any(struct super_block *sb, struct fs_context *fc)
{
	(void)sb;
	(void)fc;
	return 1;
}

int get_tree_single(struct fs_context *fc, int (*fill)(struct super_block *, struct fs_context *))
{
	return get_tree_with(fc, test_any, fill);
}

static int test_key(struct super_block *sb, struct fs_context *fc)
{
	return sb->s_fs_info == fc->s_fs_info;
}

int get_tree_keyed(struct fs_context *fc, int (*fill)(struct super_block *, struct fs_context *), void *key)
{
	fc->s_fs_info = key;
	return get_tree_with(fc, test_key, fill);
}

void iterate_supers(void (*fn)(struct super_block *, void *), void *arg, bool try)
{
	struct super_block *sb, *prev = NULL;

	spin_lock(&sb_lock);
	list_for_each_entry(sb, &super_blocks, s_list) {
		sb->s_count++;
		spin_unlock(&sb_lock);
		if (!try)
			down_read(&sb->s_umount);
		if (!try || down_read_trylock(&sb->s_umount)) {
			if (sb->s_root && sb->s_flags & SB_BORN)
				fn(sb, arg);
			up_read(&sb->s_umount);
		}
		spin_lock(&sb_lock);
		if (prev)
			put_super_locked(prev);
		prev = sb;
	}
	if (prev)
		put_super_locked(prev);
	spin_unlock(&sb_lock);
}

struct super_block *user_get_super(dev_t dev)
{
	struct super_block *sb;

	spin_lock(&sb_lock);
	list_for_each_entry(sb, &super_blocks, s_list) {
		if (sb->s_dev == dev && sb->s_flags & SB_BORN && atomic_inc_not_zero(&sb->s_active)) {
			spin_unlock(&sb_lock);
			return sb;
		}
	}
	spin_unlock(&sb_lock);
	return NULL;
}

static void hold_new_writers(struct super_block *sb, bool on)
{
	lock_mount_hash();
	sb->s_hold_writers = on;
	unlock_mount_hash();
}

static int hold_writers(struct mount *m)
{
	m->mnt.mnt_flags |= MNT_SB_HOLD;
	return 0;
}

static int let_writers(struct mount *m)
{
	m->mnt.mnt_flags &= ~MNT_SB_HOLD;
	return 0;
}

static int no_writers(struct mount *m)
{
	return !(m->mnt.mnt_flags & MNT_READONLY) && mnt_get_writers(m) > 0 ? -EBUSY : 0;
}

/* FN under mount_lock, which is given back now and then, for each mount of @sb until it fails. s_umount held: one at a time. */
static int for_each_mount_of(struct super_block *sb, int (*fn)(struct mount *m))
{
	struct list_head at;		/* between those that were visited and the others */
	int err = 0, n = 0;

	lock_mount_hash();
	list_add(&at, &sb->s_mounts);
	while (!err && at.next != &sb->s_mounts) {
		err = fn(list_entry(at.next, struct mount, mnt_instance));
		list_move(&at, at.next);
		if (++n % MNT_PIECE == 0) {
			unlock_mount_hash();
			cond_resched();
			lock_mount_hash();
		}
	}
	list_del(&at);
	unlock_mount_hash();
	return err;
}

/* s_umount held for writing. */
int reconfigure_super(struct fs_context *fc)
{
	struct super_block *sb = fc->root->d_sb;
	unsigned long flags = (sb->s_flags & ~fc->sb_flags_mask) | (fc->sb_flags & fc->sb_flags_mask);
	bool to_ro = flags & SB_RDONLY && !sb_rdonly(sb);
	int err = 0;

	if (sb->s_frozen != SB_UNFROZEN)
		return -EBUSY;
	if (to_ro) {
		/* No mount may have writers; new ones wait until we are done. */
		hold_new_writers(sb, true);
		for_each_mount_of(sb, hold_writers);
		synchronize_rcu();
		err = for_each_mount_of(sb, no_writers);
		if (!err && sb_has_nameless(sb))
			err = -EBUSY;
		if (!err)
			sync_filesystem(sb);
	}
	if (!err && fc->ops && fc->ops->reconfigure)
		err = fc->ops->reconfigure(fc);
	if (!err)
		WRITE_ONCE(sb->s_flags, flags);
	if (to_ro) {
		hold_new_writers(sb, false);
		for_each_mount_of(sb, let_writers);
		mnt_wake_writers();
	}
	return err;
}

/* Freezing. */

void __sb_start_write(struct super_block *sb, int level)
{
	might_sleep();
	for (;;) {
		preempt_disable();
		if (likely(READ_ONCE(sb->s_frozen) < level)) {
			this_cpu_inc(sb->s_writers[level - 1]);
			preempt_enable();
			return;
		}
		preempt_enable();
		wait_event(sb->s_freeze_wait, READ_ONCE(sb->s_frozen) < level);
	}
}

bool __sb_start_write_trylock(struct super_block *sb, int level)
{
	bool ok;

	preempt_disable();
	ok = READ_ONCE(sb->s_frozen) < level;
	if (ok)
		this_cpu_inc(sb->s_writers[level - 1]);
	preempt_enable();
	return ok;
}

void __sb_end_write(struct super_block *sb, int level)
{
	preempt_disable();
	this_cpu_dec(sb->s_writers[level - 1]);
	if (unlikely(READ_ONCE(sb->s_frozen)))
		wake_up(&sb->s_freeze_wait);
	preempt_enable();
}

static int sum_writers(struct super_block *sb, int level)
{
	int cpu, sum = 0;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(sb->s_writers, cpu)[level - 1];
	return sum;
}

static void raise_freeze(struct super_block *sb, int level)
{
	WRITE_ONCE(sb->s_frozen, level);
	synchronize_rcu();	/* pairs with the preempt-off section of __sb_start_write() */
	wait_event(sb->s_freeze_wait, sum_writers(sb, level) <= 0);
}

/* From a level at which no one writes any more to the last one. s_umount is held. */
static int freeze_rest(struct super_block *sb)
{
	int err;

	raise_freeze(sb, SB_FREEZE_PAGEFAULT);
	/* A frozen file system has all its data on the disk. */
	err = sync_filesystem(sb);
	if (!err)
		raise_freeze(sb, SB_FREEZE_FS);
	if (!err && sb->s_op->freeze_fs)
		err = sb->s_op->freeze_fs(sb);
	return err;
}

int freeze_super(struct super_block *sb, enum freeze_holder who)
{
	int err = 0;

	atomic_inc(&sb->s_active);
	down_write(&sb->s_umount);
	if (sb->s_frozen == SB_FREEZE_COMPLETE && !(sb->s_freeze_holders & (u32)who)) {
		sb->s_freeze_holders |= (u32)who;
		up_write(&sb->s_umount);
		return 0;
	}
	if (sb->s_frozen != SB_UNFROZEN) {
		deactivate_locked_super(sb);
		return -EBUSY;
	}
	if (!sb_rdonly(sb)) {
		/* Writers hold s_umount nowhere; let umount and remount wait on the level instead, and another freezer see it. */
		WRITE_ONCE(sb->s_frozen, SB_FREEZE_WRITE);
		up_write(&sb->s_umount);
		raise_freeze(sb, SB_FREEZE_WRITE);
		down_write(&sb->s_umount);
		err = freeze_rest(sb);
	}
	WRITE_ONCE(sb->s_frozen, err ? SB_UNFROZEN : SB_FREEZE_COMPLETE);
	if (err) {
		wake_up_all(&sb->s_freeze_wait);
		deactivate_locked_super(sb);
		return err;
	}
	sb->s_freeze_holders = who;
	up_write(&sb->s_umount);
	return 0;
}

/* s_umount is held, or @sb is at a level below that of a whole freeze, which none but the caller ends. */
static void unfreeze(struct super_block *sb)
{
	WRITE_ONCE(sb->s_frozen, SB_UNFROZEN);
	wake_up_all(&sb->s_freeze_wait);
}

int call_frozen(struct super_block *sb, int (*fn)(void *ctx), void *ctx)
{
	int err;

	if (!down_write_trylock(&sb->s_umount))
		return -EBUSY;
	if (sb->s_frozen != SB_UNFROZEN || sb_rdonly(sb)) {
		up_write(&sb->s_umount);
		return -EBUSY;
	}
	/* As in freeze_super(): writers may wait for writeback, which takes s_umount. */
	WRITE_ONCE(sb->s_frozen, SB_FREEZE_WRITE);
	up_write(&sb->s_umount);
	raise_freeze(sb, SB_FREEZE_WRITE);
	/* Whoever has it now may wait for the caller. */
	if (!down_write_trylock(&sb->s_umount)) {
		unfreeze(sb);
		return -EBUSY;
	}
	err = freeze_rest(sb);
	if (!err) {
		err = fn(ctx);
		/* s_umount is held, and nobody else can thaw. */
		if (sb->s_op->unfreeze_fs)
			(void)sb->s_op->unfreeze_fs(sb);
	}
	unfreeze(sb);
	up_write(&sb->s_umount);
	return err;
}

int thaw_super(struct super_block *sb, enum freeze_holder who)
{
	int err = 0;

	down_write(&sb->s_umount);
	if (sb->s_frozen != SB_FREEZE_COMPLETE || !(sb->s_freeze_holders & (u32)who)) {
		up_write(&sb->s_umount);
		return -EINVAL;
	}
	if (sb->s_freeze_holders != (u32)who) {
		sb->s_freeze_holders &= ~(u32)who;
		deactivate_locked_super(sb);
		return 0;
	}
	if (!sb_rdonly(sb) && sb->s_op->unfreeze_fs)
		err = sb->s_op->unfreeze_fs(sb);
	if (err) {
		up_write(&sb->s_umount);
		return err;
	}
	sb->s_freeze_holders = 0;
	WRITE_ONCE(sb->s_frozen, SB_UNFROZEN);
	wake_up_all(&sb->s_freeze_wait);
	deactivate_locked_super(sb);
	return 0;
}
