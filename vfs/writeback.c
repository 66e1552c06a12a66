// SPDX-License-Identifier: MIT
/*
 * Dirty inodes and their way to disk. One list in order of dirtying; a thread wakes every five seconds
 * while it is not empty and writes what is older than thirty, sync(2) writes everything. Inodes of
 * filesystems in memory never come here.
 *
 * Locks: [d] dirty_lock guards the list, i_io_list, and is taken inside i_lock. walk_lock keeps walks of the list
 * apart: one puts aside what it has seen, and sync(2) must not take that for written.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <mm/mm.h>
#include <mm/upcalls.h>
#include <kernel/init.h>
#include <kernel/time.h>
#include <sched/work.h>
#include <sched/task.h>
#include "writeback_priv.h"


static DEFINE_SPINLOCK(dirty_lock);
static LIST_HEAD(dirty_inodes);		/* [d] oldest first */
static DEFINE_MUTEX(walk_lock);
static DECLARE_WAIT_QUEUE_HEAD(sync_wait);
static void periodic(struct work_struct *w);
static struct delayed_work flush_work_item;

/* When the next look for old data is due; without vm.dirty_writeback_centisecs only who needs memory or syncs writes. */
static void look_later(void)
{
	int cs = READ_ONCE(sysctl_dirty_writeback_centisecs);

	if (cs)
		schedule_delayed_work(&flush_work_item, msecs_to_jiffies((unsigned int)cs * 10));
}

static bool has_backing(const struct inode *inode)
{
	return inode->i_sb->s_op->write_inode || inode->i_sb->s_op->dirty_inode ||
	       (inode->i_mapping->ops && inode->i_mapping->ops->writepages);
}

void mark_inode_dirty_flags(struct inode *inode, int flags)
{
	bool first;

	if (flags & (I_DIRTY_INODE | I_DIRTY_TIME) && inode->i_sb->s_op->dirty_inode)
		inode->i_sb->s_op->dirty_inode(inode, flags & I_DIRTY_ALL);
	if (!has_backing(inode))
		return;
	smp_mb();	/* the page's mark before the look at the state; pairs with the one in write_one() */
	if ((READ_ONCE(inode->i_state) & (unsigned int)flags) == (unsigned int)flags)
		return;
	spin_lock(&inode->i_lock);
	inode->i_state |= (unsigned int)flags;
	if (inode->i_state & (I_FREEING | I_WILL_FREE)) {
		spin_unlock(&inode->i_lock);
		return;
	}
	spin_lock(&dirty_lock);
	first = list_empty(&dirty_inodes);
	if (list_empty(&inode->i_io_list)) {
		inode->i_dirtied_ms = (u32)(ktime_get_coarse_ns() / NSEC_PER_MSEC);
		list_add_tail(&inode->i_io_list, &dirty_inodes);
	}
	spin_unlock(&dirty_lock);
	spin_unlock(&inode->i_lock);
	if (first)
		look_later();
}

void mm_mark_inode_dirty_pages(struct inode *inode)
{
	mark_inode_dirty_flags(inode, I_DIRTY_PAGES);
}

/* Writes one inode; a reference is held. I_SYNC keeps two writers of the same inode apart. */
static int write_one(struct inode *inode, bool wait, long nr)
{
	struct writeback_control wbc = { .nr_to_write = nr, .range_end = LLONG_MAX, .sync_all = wait };
	unsigned int dirty;
	int err = 0, e;

	spin_lock(&inode->i_lock);
	while (inode->i_state & I_SYNC) {
		spin_unlock(&inode->i_lock);
		if (!wait)
			return 0;
		wait_event(sync_wait, !(READ_ONCE(inode->i_state) & I_SYNC));
		spin_lock(&inode->i_lock);
	}
	inode->i_state |= I_SYNC;
	spin_unlock(&inode->i_lock);

	if (inode->i_mapping->ops && inode->i_mapping->ops->writepages)
		err = do_writepages(inode->i_mapping, &wbc);
	if (wait)
		filemap_fdatawait_range(inode->i_mapping, 0, LLONG_MAX);
	spin_lock(&inode->i_lock);
	dirty = inode->i_state & I_DIRTY_INODE;
	inode->i_state &= ~(unsigned int)I_DIRTY_ALL;
	/*
	 * Who dirtied a page behind us either finds the state clear and sets it, or has marked the page already. What is
	 * on its way only counts as dirty too: sync(2) has to find the inode and wait.
	 */
	smp_mb();
	if (xa_marked(&inode->i_mapping->i_pages, CACHE_MARK_DIRTY) ||
	    xa_marked(&inode->i_mapping->i_pages, CACHE_MARK_WRITEBACK))
		inode->i_state |= I_DIRTY_PAGES;
	spin_unlock(&inode->i_lock);
	if (dirty && inode->i_sb->s_op->write_inode) {
		e = inode->i_sb->s_op->write_inode(inode, &wbc);
		err = err ? err : e;
	}
	spin_lock(&inode->i_lock);
	inode->i_state &= ~I_SYNC;
	spin_lock(&dirty_lock);
	if (inode->i_state & I_DIRTY_ALL) {
		if (list_empty(&inode->i_io_list))
			list_add_tail(&inode->i_io_list, &dirty_inodes);
	} else if (wbc.nr_to_write > 0) {
		list_del_init(&inode->i_io_list);
	}
	spin_unlock(&dirty_lock);
	spin_unlock(&inode->i_lock);
	wake_up_all(&sync_wait);
	return err;
}

int write_inode_now(struct inode *inode, int sync)
{
	return has_backing(inode) ? write_one(inode, sync, LONG_MAX) : 0;
}

void writeback_forget_inode(struct inode *inode)
{
	if (unlikely(READ_ONCE(inode->i_state) & I_SYNC))
		wait_event(sync_wait, !(READ_ONCE(inode->i_state) & I_SYNC));
	if (list_empty(&inode->i_io_list))
		return;
	spin_lock(&dirty_lock);
	list_del_init(&inode->i_io_list);
	spin_unlock(&dirty_lock);
}

/* Inodes dirtied before @before_ms, at most @nr pages; each once. Not @all: nothing if somebody is at it. */
static int write_some(struct super_block *sb, bool wait, long nr, bool all, u32 before_ms)
{
	int err = 0, e;
	LIST_HEAD(done);
	bool left;

	/* Whoever comes here for want of memory, or out of a device that the walk may be waiting for, must not wait. */
	if (all)
		mutex_lock(&walk_lock);
	else if (!mutex_trylock(&walk_lock))
		return 0;
	spin_lock(&dirty_lock);
	while (!list_empty(&dirty_inodes) && nr > 0) {
		struct inode *inode = list_first_entry(&dirty_inodes, struct inode, i_io_list);

		if (!all && (s32)(before_ms - inode->i_dirtied_ms) < 0)
			break;
		list_move_tail(&inode->i_io_list, &done);
		if (sb && inode->i_sb != sb)
			continue;
		/* The list holds no reference: igrab fails for one that is going; RCU keeps its memory. */
		rcu_read_lock();
		spin_unlock(&dirty_lock);
		inode = igrab(inode);
		rcu_read_unlock();
		if (inode) {
			long pages = (long)inode->i_mapping->nrpages;

			e = write_one(inode, wait, all ? LONG_MAX : nr);
			err = err ? err : e;
			nr -= all ? 0 : pages;
			iput(inode);
		}
		cond_resched();
		spin_lock(&dirty_lock);
	}
	/* Put back, in order, what is still dirty or not ours. */
	list_splice_tail_init(&done, &dirty_inodes);
	left = !list_empty(&dirty_inodes);
	spin_unlock(&dirty_lock);
	mutex_unlock(&walk_lock);
	if (left)
		look_later();
	return err;
}

int writeback_sync_sb(struct super_block *sb, bool wait)
{
	return write_some(sb, wait, LONG_MAX, true, 0);
}

void mm_writeback_inodes(unsigned long nr)
{
	write_some(NULL, false, (long)nr, false, (u32)(ktime_get_coarse_ns() / NSEC_PER_MSEC));
}

static void periodic(struct work_struct *w)
{
	(void)w;
	write_some(NULL, false, LONG_MAX / 2, false,
		   (u32)(ktime_get_coarse_ns() / NSEC_PER_MSEC) - (u32)READ_ONCE(sysctl_dirty_expire_centisecs) * 10);
}

/* s_umount held. */
int sync_filesystem(struct super_block *sb)
{
	u32 errors = smp_load_acquire(&sb->s_wb_errors);
	int err, e;

	if (sb_rdonly(sb) || !sb->s_root)
		return 0;
	writeback_sync_sb(sb, false);
	if (sb->s_op->sync_fs)
		sb->s_op->sync_fs(sb, 0);
	err = writeback_sync_sb(sb, true);
	if (sb->s_op->sync_fs) {
		e = sb->s_op->sync_fs(sb, 1);
		err = err ? err : e;
	}
	if (!err && smp_load_acquire(&sb->s_wb_errors) != errors)
		err = errseq_error(READ_ONCE(sb->s_wb_err));
	return err;
}

static int writeback_init(void)
{
	INIT_DELAYED_WORK(&flush_work_item, periodic);
	return 0;
}
INITCALL(sched, writeback_init);
