// SPDX-License-Identifier: MIT
/* Superblocks: sync, freeze, unused inodes; names that move. */
#include <lib/err.h>
#include <kernel/ktest.h>
#include <mm/backing.h>
#include <mm/mm.h>
#include <mm/upcalls.h>
#include <sched/kthread.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/mount.h>
#include <vfs/namei.h>
#include <vfs/names.h>
#include "../dcache_priv.h"

static int sync_error, syncs, evictions, inode_writes;

static int fake_sync(struct super_block *sb, int wait)
{
	(void)sb;
	__atomic_fetch_add(&syncs, 1, __ATOMIC_RELAXED);
	return wait ? sync_error : 0;
}

static int fake_freeze(struct super_block *sb)
{
	(void)sb;
	return 0;
}

/* inodes that were on their way out at the first eviction since it was set to 0 */
static int going;

static void fake_evict(struct inode *inode)
{
	struct inode *i;

	evictions++;
	if (!going) {
		spin_lock(&inode->i_sb->s_inode_list_lock);
		list_for_each_entry(i, &inode->i_sb->s_inodes, i_sb_list)
			going += !!(READ_ONCE(i->i_state) & I_FREEING);
		spin_unlock(&inode->i_sb->s_inode_list_lock);
		going++;	/* INODE itself is off the list */
	}
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
}

static int fake_write_inode(struct inode *inode, struct writeback_control *wbc)
{
	(void)inode;
	(void)wbc;
	__atomic_fetch_add(&inode_writes, 1, __ATOMIC_RELAXED);
	return 0;
}

static const struct super_operations fake_sops = {
	.statfs = simple_statfs,
	.sync_fs = fake_sync,
	.freeze_fs = fake_freeze,
	.evict_inode = fake_evict,
	.write_inode = fake_write_inode,
};
static const struct pseudo_fs fake_pseudo = { .name = "ktestfs",
					      .magic = 0x6b74,
					      .ops = &fake_sops };

static int fake_context(struct fs_context *fc)
{
	return pseudo_init_fs_context(fc, &fake_pseudo);
}

static struct file_system_type fake_type = {
	.name = "ktestfs",
	.init_fs_context = fake_context,
	.kill_sb = kill_anon_super,
};

/* One for all tests: a kernel mount stays. */
static struct super_block *fake_super(void)
{
	static struct vfsmount *mnt;

	if (!mnt)
		mnt = kern_mount(&fake_type);
	return IS_ERR(mnt) ? NULL : mnt->mnt_sb;
}

static int sync_all(void *arg)
{
	(void)arg;
	sync_everything();
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

/* sync(2) waits for a superblock that is busy. */
KTEST(super_sync_waits)
{
	struct super_block *sb = fake_super();
	struct task *t;
	int before = syncs;

	KT_ASSERT(sb);
	down_write(&sb->s_umount);
	t = kthread_run(sync_all, NULL, "k-sync");
	for (int i = 0; i < 20; i++)
		schedule_timeout_uninterruptible(1);	/* it may come by meanwhile, or later */
	KT_EQ(syncs, before);
	up_write(&sb->s_umount);
	KT_ASSERT(!IS_ERR(t));
	kthread_stop(t);
	KT_EQ(syncs > before, 1);
}

/* A file system whose data cannot be written is not frozen. */
KTEST(super_freeze_fails_with_its_sync)
{
	struct super_block *sb = fake_super();

	KT_ASSERT(sb);
	sync_error = -EIO;
	KT_EQ(freeze_super(sb, FREEZE_USER), -EIO);
	KT_EQ(sb->s_frozen, SB_UNFROZEN);
	KT_EQ(thaw_super(sb, FREEZE_USER), -EINVAL);
	sync_error = 0;
	KT_EQ(freeze_super(sb, FREEZE_USER), 0);
	KT_EQ(freeze_super(sb, FREEZE_USER), -EBUSY);
	/* The kernel's own freeze outlasts the user's, and the other way round. */
	KT_EQ(thaw_super(sb, FREEZE_KERNEL), -EINVAL);
	KT_EQ(freeze_super(sb, FREEZE_KERNEL), 0);
	KT_EQ(freeze_super(sb, FREEZE_KERNEL), -EBUSY);
	KT_EQ(thaw_super(sb, FREEZE_USER), 0);
	KT_EQ(thaw_super(sb, FREEZE_USER), -EINVAL);
	KT_EQ(sb->s_frozen, SB_FREEZE_COMPLETE);
	KT_EQ(freeze_super(sb, FREEZE_USER), 0);
	KT_EQ(thaw_super(sb, FREEZE_KERNEL), 0);
	KT_EQ(sb->s_frozen, SB_FREEZE_COMPLETE);
	KT_EQ(thaw_super(sb, FREEZE_USER), 0);
	KT_EQ(sb->s_frozen, SB_UNFROZEN);
}

/* Inodes whose dentries are gone, or that never had one, are counted and go. */
KTEST(super_unused_inodes_go)
{
	struct super_block *sb = fake_super();
	long before = inodes_unused();
	struct inode *inode;

	KT_ASSERT(sb);
	sb->s_flags |= SB_ACTIVE;
	inode = iget_locked(sb, 5);
	KT_ASSERT(inode);
	set_nlink(inode, 1);
	unlock_new_inode(inode);
	evictions = 0;
	iput(inode);
	KT_EQ(evictions, 0);
	KT_EQ(inodes_unused() > before, 1);
	drop_caches(2);
	KT_EQ(evictions, 1);
}

/* An unmount with many inodes does not take all of them at once, with the list locked. */
KTEST(super_evicts_in_parts)
{
	struct super_block *sb = fake_super();
	int before = evictions, many = 1000;

	KT_ASSERT(sb);
	sb->s_flags |= SB_ACTIVE;
	for (int i = 0; i < many; i++) {
		struct inode *inode = iget_locked(sb, 70000 + (u64)i);

		KT_ASSERT(inode && inode->i_state & I_NEW);
		set_nlink(inode, 1);
		unlock_new_inode(inode);
		iput(inode);
	}
	KT_EQ(evictions, before);
	going = 0;
	evict_inodes(sb);
	KT_EQ(evictions - before >= many, 1);
	KT_EQ(going < many / 2, 1);
}

/*
 * A sync of another superblock of the same device writes nothing of this one's, and does not make
 * its data younger: the flush work writes it when it is old.
 */
KTEST(super_sync_of_another_keeps_age)
{
	struct super_block *sb = fake_super();
	struct inode *inode;
	struct path root;

	KT_ASSERT(sb);
	KT_EQ(kern_path("/", 0, &root), 0);
	KT_EQ(root.dentry->d_sb != sb, 1);
	sb->s_flags |= SB_ACTIVE;
	inode = iget_locked(sb, 6);
	KT_ASSERT(inode);
	set_nlink(inode, 1);
	unlock_new_inode(inode);
	inode_writes = 0;
	mark_inode_dirty_flags(inode, I_DIRTY_SYNC);
	inode->i_dirtied_ms -= 2 * 10 * (u32)sysctl_dirty_expire_centisecs;
	KT_EQ(writeback_sync(&default_backing, root.dentry->d_sb, true), 0);
	mm_flush_backing(&default_backing, false);
	KT_EQ(inode_writes, 1);
	iput(inode);
	path_put(&root);
	drop_caches(2);
}

static int fsyncs;

static int fake_fsync(struct file *f, loff_t start, loff_t end, int datasync)
{
	(void)f;
	(void)start;
	(void)end;
	(void)datasync;
	fsyncs++;
	return 0;
}

/* chattr +S: each write is as with O_SYNC. */
KTEST(super_sync_flag_of_a_file)
{
	struct file *f = filp_open("/ktest-sync", O_CREAT | O_EXCL | O_RDWR, 0640);
	const struct file_operations *had;
	struct file_operations ops;
	struct kiocb k;

	KT_ASSERT(!IS_ERR(f));
	had = f->f_op;
	ops = *had;
	ops.fsync = fake_fsync;
	f->f_op = &ops;
	init_sync_kiocb(&k, f);
	fsyncs = 0;
	KT_EQ(generic_write_sync(&k, 1), 1);
	KT_EQ(fsyncs, 0);
	file_inode(f)->i_flags |= S_SYNC;
	KT_EQ(generic_write_sync(&k, 1), 1);
	KT_EQ(fsyncs, 1);
	f->f_op = had;
	fput(f);
	KT_EQ(init_unlink("/ktest-sync"), 0);
}

/*
 * A look-up that finds a directory under another name moves it as a rename does, or says: look
 * again.
 */
KTEST(super_splice_takes_rename_mutex)
{
	struct path x, b;
	struct dentry *d, *got;
	struct mutex *shape;

	KT_EQ(init_mkdir("/ktest-s", 0755), 0);
	KT_EQ(init_mkdir("/ktest-s/a", 0755), 0);
	KT_EQ(init_mkdir("/ktest-s/b", 0755), 0);
	KT_EQ(init_mkdir("/ktest-s/a/x", 0755), 0);
	KT_EQ(kern_path("/ktest-s/a/x", 0, &x), 0);
	KT_EQ(kern_path("/ktest-s/b", 0, &b), 0);
	shape = &b.dentry->d_sb->s_vfs_rename_mutex;
	inode_lock(b.dentry->d_inode);
	d = d_alloc_name(b.dentry, "y");
	KT_ASSERT(d);
	KT_ASSERT(mutex_trylock(shape)); /* the order is the other way round, as in a look-up */
	got = d_splice_alias(igrab(x.dentry->d_inode), d);
	mutex_unlock(shape);
	KT_EQ(PTR_ERR(got), -ESTALE);
	KT_EQ(x.dentry->d_parent != b.dentry, 1);
	got = d_splice_alias(igrab(x.dentry->d_inode), d);
	KT_EQ(got == x.dentry && got->d_parent == b.dentry, 1);
	if (!IS_ERR_OR_NULL(got))
		dput(got);
	dput(d);
	inode_unlock(b.dentry->d_inode);
	path_put(&x);
	path_put(&b);
	KT_EQ(init_rmdir("/ktest-s/b/y"), 0);
	KT_EQ(init_rmdir("/ktest-s/a"), 0);
	KT_EQ(init_rmdir("/ktest-s/b"), 0);
	KT_EQ(init_rmdir("/ktest-s"), 0);
}
