// SPDX-License-Identifier: MIT
/* Inodes and dentries that are found by number. */
#include <kernel/ktest.h>
#include <lib/err.h>
#include <sched/kthread.h>
#include <sched/task.h>
#include <vfs/export.h>
#include <vfs/fs.h>
#include <vfs/namei.h>
#include <vfs/names.h>
#include "../dcache_priv.h"

static struct super_block *watched;	/* others end a little later than their tests */
static int syncs;

static int count_sync(struct super_block *sb, int wait)
{
	if (sb == watched)
		syncs += wait;
	return 0;
}

static const struct super_operations sops = { .statfs = simple_statfs, .sync_fs = count_sync };
static const struct pseudo_fs pseudo = { .name = "kexportfs", .magic = 0x6b65, .ops = &sops };

static int init_context(struct fs_context *fc)
{
	return pseudo_init_fs_context(fc, &pseudo);
}

static struct file_system_type type = {
	.name = "kexportfs",
	.init_fs_context = init_context,
	.kill_sb = kill_anon_super,
};

static int insert(void *arg)
{
	int err = insert_inode_locked(arg);

	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return err;
}

/*
 * A new inode comes into the hash when one who asked for its number has gone; one that is there is
 * in its way.
 */
KTEST(export_new_inode_waits_for_asker)
{
	struct vfsmount *mnt = kern_mount(&type);
	struct inode *asked, *new;
	struct task *t;

	KT_ASSERT(!IS_ERR(mnt));
	asked = iget_locked(mnt->mnt_sb, 9);
	new = new_inode(mnt->mnt_sb);
	KT_ASSERT(asked && new);
	new->i_ino = 9;
	t = kthread_run(insert, new, "k-insert");
	KT_ASSERT(!IS_ERR(t));
	for (int i = 0; i < 10; i++)
		schedule_timeout_uninterruptible(1); /* it may come meanwhile, or later */
	iget_failed(asked);
	KT_EQ(kthread_stop(t), 0);
	KT_EQ(new->i_state &I_NEW, I_NEW);
	asked = new_inode(mnt->mnt_sb);
	KT_ASSERT(asked);
	asked->i_ino = 9;
	KT_EQ(insert_inode_locked(asked), -EBUSY);
	clear_nlink(asked);
	iput(asked);
	unlock_new_inode(new);
	clear_nlink(new);
	iput(new);
	kern_unmount(mnt);
}

/* The end of a superblock syncs it, which it does when the root has gone. */
KTEST(export_end_of_superblock_syncs)
{
	struct vfsmount *mnt = kern_mount(&type);

	KT_ASSERT(!IS_ERR(mnt));
	syncs = 0;
	watched = mnt->mnt_sb;
	kern_unmount(mnt);
	/* A thread of the kernel leaves that to a work item. */
	for (int i = 0; !READ_ONCE(syncs) && i < 60 * HZ; i++)
		schedule_timeout_uninterruptible(1);
	KT_EQ(READ_ONCE(syncs), 1);
	watched = NULL;
}

static struct inode *directory(struct super_block *sb, u64 ino)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = ino;
	inode->i_mode = S_IFDIR | 0755;
	inode->i_op = &simple_dir_inode_operations;
	inode->i_fop = &simple_dir_operations;
	inode_set_op_flags(inode);
	return inode;
}

/*
 * What d_splice_alias() makes of INODE under NAME in PARENT: its error, or 0 and the dentry of the
 * inode lies there.
 */
static int splice(struct inode *inode, struct dentry *parent, const char *name)
{
	struct dentry *d = d_alloc_name(parent, name), *got;
	int err;

	if (!d)
		return -ENOMEM;
	inode_lock(parent->d_inode);
	got = d_splice_alias(igrab(inode), d);
	inode_unlock(parent->d_inode);
	err = IS_ERR(got) ? (int)PTR_ERR(got) : got && got->d_parent == parent ? 0 : -EINVAL;
	if (!IS_ERR_OR_NULL(got))
		dput(got);
	d_drop(d);
	dput(d);
	return err;
}

/*
 * A directory without a place gets one while others rename; it gets none below itself, nor is one
 * with a place moved to where there is none.
 */
KTEST(export_directory_gets_a_place)
{
	struct vfsmount *mnt = kern_mount(&type);
	struct super_block *sb;
	struct dentry *root, *up, *low;
	struct inode *u, *l;
	int below, loop, placed;
	unsigned int flags;

	KT_ASSERT(!IS_ERR(mnt));
	sb = mnt->mnt_sb;
	root = sb->s_root;
	u = directory(sb, 20);
	l = directory(sb, 21);
	KT_ASSERT(u && l);
	up = d_obtain_alias(igrab(u));
	low = d_obtain_alias(igrab(l));
	KT_ASSERT(!IS_ERR(up) && !IS_ERR(low));
	KT_EQ(up->d_flags & low->d_flags & DCACHE_DISCONNECTED, DCACHE_DISCONNECTED);
	KT_EQ(splice(u, up, "self"), -ELOOP);
	KT_EQ(splice(root->d_inode, up, "root"), -ELOOP);
	mutex_lock(&sb->s_vfs_rename_mutex);
	below = splice(l, up, "low");
	loop = splice(u, low, "up");
	/* Below one without a place it has none, either. */
	flags = low->d_flags;
	placed = splice(u, root, "up");
	mutex_unlock(&sb->s_vfs_rename_mutex);
	KT_EQ(below, 0);
	KT_EQ(loop, -ELOOP);
	KT_EQ(flags & DCACHE_DISCONNECTED, DCACHE_DISCONNECTED);
	KT_EQ(placed, 0);
	KT_EQ(up->d_flags & DCACHE_DISCONNECTED, 0);
	KT_EQ(is_subdir(low, root), 1);
	dput(low);
	/* Not kept, since its flag was not cleared. */
	low = d_obtain_alias(igrab(l));
	KT_EQ(IS_ROOT(low), 1);
	KT_EQ(splice(u, low, "up"), -ESTALE);
	KT_EQ(up->d_parent == root, 1);
	dput(low);
	dput(up);
	iput(u);
	iput(l);
	kern_unmount(mnt);
}

/* A name in a directory without a place goes with its last user, and so does the directory. */
KTEST(export_names_without_a_place_go)
{
	struct vfsmount *mnt = kern_mount(&type);
	struct dentry *up, *name;
	struct inode *u;

	KT_ASSERT(!IS_ERR(mnt));
	u = directory(mnt->mnt_sb, 30);
	KT_ASSERT(u);
	up = d_obtain_alias(igrab(u));
	KT_ASSERT(!IS_ERR(up));
	name = d_alloc_name(up, "absent");
	KT_ASSERT(name);
	d_add(name, NULL);
	dput(name);
	KT_EQ(hlist_empty(&up->d_children), 1);
	dput(up);
	KT_EQ(d_find_any_alias(u) == NULL, 1);
	iput(u);
	kern_unmount(mnt);
}
