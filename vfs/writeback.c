// SPDX-License-Identifier: MIT
/*
 * Dirty inodes and their way to disk. Each device has a list of them in order of dirtying (mm/backing.h);
 * its flush work writes what is old, or everything where memory is short; sync(2) what was on the list
 * when it began. Inodes of filesystems in memory never come here.
 *
 * Locks: [d] a backing's lock guards its list and the i_io_list of its inodes, and is taken inside i_lock.
 * walk_lock keeps walks of a list apart: one puts aside what it is about to see, and sync(2) must not
 * take that for written.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <mm/backing.h>
#include <mm/mm.h>
#include <mm/upcalls.h>
#include <kernel/time.h>
#include <sched/plug.h>
#include <sched/task.h>
#include "writeback_priv.h"


static DECLARE_WAIT_QUEUE_HEAD(sync_wait);

#define CHUNK	128		/* pages of one file between two looks at what the device has to do */
#define TURNS	64		/* chunks before the next file has its turn */

static u32 now_ms(void)
{
	return (u32)(ktime_get_coarse_ns() / NSEC_PER_MSEC);
}

static bool has_backing(const struct inode *inode)
{
	return inode->i_sb->s_op->write_inode || inode->i_sb->s_op->dirty_inode ||
	       (inode->i_mapping->ops && inode->i_mapping->ops->writepages);
}

void mark_inode_dirty_flags(struct inode *inode, int flags)
{
	struct backing *b = inode->i_mapping->backing;
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
	spin_lock(&b->lock);
	first = list_empty(&b->dirty);
	if (list_empty(&inode->i_io_list)) {
		inode->i_dirtied_ms = now_ms();
		list_add_tail(&inode->i_io_list, &b->dirty);
	}
	spin_unlock(&b->lock);
	spin_unlock(&inode->i_lock);
	if (first)
		backing_flush_later(b);
}

void mm_mark_inode_dirty_pages(struct inode *inode)
{
	mark_inode_dirty_flags(inode, I_DIRTY_PAGES);
}

/* Writes one inode; a reference is held. I_SYNC keeps two writers of the same inode apart. */
static int write_one(struct inode *inode, bool wait, long nr)
{
	struct writeback_control wbc = { .nr_to_write = nr, .range_end = LLONG_MAX, .sync_all = wait };
	struct backing *b = inode->i_mapping->backing;
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
	spin_lock(&b->lock);
	if (inode->i_state & I_DIRTY_ALL) {
		if (list_empty(&inode->i_io_list))
			list_add_tail(&inode->i_io_list, &b->dirty);
	} else if (wbc.nr_to_write > 0) {
		list_del_init(&inode->i_io_list);
	}
	spin_unlock(&b->lock);
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
	struct backing *b = inode->i_mapping->backing;

	if (unlikely(READ_ONCE(inode->i_state) & I_SYNC))
		wait_event(sync_wait, !(READ_ONCE(inode->i_state) & I_SYNC));
	if (list_empty(&inode->i_io_list))
		return;
	spin_lock(&b->lock);
	list_del_init(&inode->i_io_list);
	spin_unlock(&b->lock);
}

/* One inode for the flush work: a device gets no more at a time than it can do in a second. */
static void write_in_turns(struct backing *b, struct inode *inode)
{
	for (int turn = 0; turn < TURNS; turn++) {
		s64 before;

		backing_wait_for_room(b);
		before = atomic64_read(&b->started);
		write_one(inode, false, CHUNK);
		if (atomic64_read(&b->started) == before || !xa_marked(&inode->i_mapping->i_pages, CACHE_MARK_DIRTY))
			break;
	}
}

/* What is still dirty was dirtied while it was written, as far as the age of its data matters. A walk has it. */
static void start_anew(struct backing *b, struct inode *inode)
{
	spin_lock(&b->lock);
	if (!list_empty(&inode->i_io_list)) {
		inode->i_dirtied_ms = now_ms();
		list_move_tail(&inode->i_io_list, &b->dirty);
	}
	spin_unlock(&b->lock);
}

/* What a walk did with an inode. */
enum walked { WALK_STOP, WALK_PASSED, WALK_WRITTEN };

/*
 * FN for each inode of B that was dirty when this began; stops where it says so. What is dirtied meanwhile comes
 * behind them on the list, so that this ends.
 */
static void walk(struct backing *b, enum walked (*fn)(struct backing *b, struct inode *inode, void *arg), void *arg)
{
	enum walked did = WALK_PASSED;
	LIST_HEAD(todo);
	LIST_HEAD(done);
	struct plug plug;
	bool left;

	mutex_lock(&b->walk_lock);
	plug_start(&plug);	/* small files next to each other are one request */
	spin_lock(&b->lock);
	list_splice_init(&b->dirty, &todo);
	while (did != WALK_STOP && !list_empty(&todo)) {
		struct inode *inode = list_first_entry(&todo, struct inode, i_io_list);

		list_move_tail(&inode->i_io_list, &done);
		/* The list holds no reference: igrab fails for one that is going; RCU keeps its memory. */
		rcu_read_lock();
		spin_unlock(&b->lock);
		inode = igrab(inode);
		rcu_read_unlock();
		if (inode) {
			did = fn(b, inode, arg);
			if (did == WALK_WRITTEN)
				start_anew(b, inode);
			iput(inode);
		}
		cond_resched();
		spin_lock(&b->lock);
	}
	/* In order, what is still dirty or was not looked at. */
	list_splice(&todo, &b->dirty);
	list_splice(&done, &b->dirty);
	left = !list_empty(&b->dirty);
	spin_unlock(&b->lock);
	plug_finish(&plug);
	mutex_unlock(&b->walk_lock);
	if (left)
		backing_flush_later(b);
}

struct sync {
	struct super_block *sb;
	bool wait;
	int err;
};

static enum walked sync_inode(struct backing *b, struct inode *inode, void *arg)
{
	struct sync *s = arg;
	int e;

	if (inode->i_sb != s->sb)
		return WALK_PASSED;
	e = write_one(inode, s->wait, LONG_MAX);
	s->err = s->err ?: e;
	return WALK_WRITTEN;
}

int writeback_sync(struct backing *b, struct super_block *sb, bool wait)
{
	struct sync s = { sb, wait, 0 };

	walk(b, sync_inode, &s);
	return s.err;
}

int writeback_sync_sb(struct super_block *sb, bool wait)
{
	return sb->s_backing ? writeback_sync(sb->s_backing, sb, wait) : 0;
}

struct old {
	bool all;
	u32 before_ms;
};

static enum walked flush_inode(struct backing *b, struct inode *inode, void *arg)
{
	const struct old *o = arg;

	/* Its age first: the list is in the order of that. */
	if (!o->all && (s32)(o->before_ms - inode->i_dirtied_ms) < 0)
		return WALK_STOP;
	write_in_turns(b, inode);
	return WALK_WRITTEN;
}

void mm_flush_backing(struct backing *b, bool all)
{
	struct old o = { all, now_ms() - (u32)READ_ONCE(sysctl_dirty_expire_centisecs) * 10 };

	walk(b, flush_inode, &o);
}

/* s_umount held. */
int sync_filesystem(struct super_block *sb)
{
	u32 errors = smp_load_acquire(&sb->s_wb_errors);
	int err, e;

	if (sb_rdonly(sb))
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

static void sync_one(struct super_block *sb, void *arg)
{
	(void)arg;
	sync_filesystem(sb);
}

void sync_everything(void)
{
	iterate_supers(sync_one, NULL, false);
}
