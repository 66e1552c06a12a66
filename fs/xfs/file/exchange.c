// SPDX-License-Identifier: MIT
/*
 * ioctl_xfs_exchange_range(2), ioctl_xfs_commit_range(2): two files exchange ranges of blocks, all
 * or, until recovery, a part of them (bmap/exchange.c). File 2 is the one that the call is made on.
 *
 * Both files are locked as for sharing (remap.c). What their caches and promises have of the ranges
 * goes to the disk, and out of memory; then one transaction, which rolls, changes both maps with
 * both metadata locks held, so that no reader sees a part.
 *
 * A commit is refused where file 2 changed since it was begun, which its times tell. They are as
 * coarse as the clock's tick, so that its begin waits until a change would have another time.
 *
 * Locks: both inodes' i_rwsem > both invalidate_lock > transactions > li->lock of both.
 */
#include "fs/xfs/file/priv.h"
#include "fs/xfs/bmap/exchange.h"
#include <lib/minmax.h>
#include <mm/uaccess.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/mount.h>
#include <vfs/notify.h>
#include <vfs/remap.h>

enum { TO_EOF = 1, DSYNC = 2, DRY_RUN = 4, FILE1_WRITTEN = 8, ALL_FLAGS = 15 };

struct args {
	s32 fd;				/* of file 1 */
	u32 pad;
	u64 off[2], length, flags;
};
struct fresh {
	u8 fsid[8];
	u64 ino;
	s64 mtime, ctime;
	s32 mtime_ns, ctime_ns;
	u32 gen, magic;
};
struct commit_args {
	struct args a;
	struct fresh fresh;
};
_Static_assert(sizeof(struct args) == 40 && sizeof(struct commit_args) == 88,
	       "XFS_IOC_EXCHANGE_RANGE");

#define IOC_EXCHANGE_RANGE _IOW('X', 129, struct args)
#define IOC_START_COMMIT _IOR('X', 130, struct commit_args)
#define IOC_COMMIT_RANGE _IOW('X', 131, struct commit_args)
#define FRESH_MAGIC 0x444f524bu

/* Files 1 and 2. */
struct request {
	struct file *file[2];
	struct inode *inode[2];
	loff_t off[2], len;
	u64 flags;
	const struct fresh *fresh;	/* NULL: whatever file 2 is like */
	loff_t size[2];			/* as they were, when they are locked */
};

/* ---- what is in memory ---- */

int xfs_settle(struct inode *inode, loff_t pos, loff_t end)
{
	struct address_space *m = &inode->i_data;
	loff_t unit = max(1ll << inode->i_blkbits, (loff_t)PAGE_SIZE), disk;
	struct xfs_lino *li = XFS_I(inode)->li;
	u64 first = (u64)pos >> inode->i_blkbits, last = ((u64)end - 1) >> inode->i_blkbits;
	int e = extent_extend(&XFS_I(inode)->file, pos);

	if (e)
		return e;
	xfs_read_lock(inode);
	disk = (loff_t)xfs_node_of(inode)->core.size;
	xfs_read_unlock(inode);
	end = (end - 1) | (unit - 1);
	e = filemap_write_and_wait_range(m, min(pos, disk) & -unit, end);
	if (e)
		return e;
	truncate_pagecache_range(m, pos & -unit, end);
	e = xfs_copy_drop(inode, first, last - first + 1);
	if (e)
		return e;
	down_write(&li->lock);
	xfs_delay_drop(inode, first, last - first + 1);
	up_write(&li->lock);
	return 0;
}

/* ---- checks ---- */

static int check_area(loff_t pos, loff_t len)
{
	loff_t end;

	return pos < 0 || len < 0 || __builtin_add_overflow(pos, len, &end) ? -EINVAL : 0;
}

/* What needs no lock. */
static int check_files(const struct request *r)
{
	const fmode_t rw = FMODE_READ | FMODE_WRITE;
	loff_t len = r->flags & TO_EOF ? 0 : r->len;
	umode_t a = r->inode[0]->i_mode, b = r->inode[1]->i_mode;

	if (r->file[0]->f_path.mnt != r->file[1]->f_path.mnt)
		return -EXDEV;
	if (S_ISDIR(a) || S_ISDIR(b))
		return -EISDIR;
	if (!S_ISREG(a) || !S_ISREG(b))
		return -EINVAL;
	if ((r->file[0]->f_mode & rw) != rw || (r->file[1]->f_mode & rw) != rw)
		return -EBADF;
	if ((r->file[0]->f_flags | r->file[1]->f_flags) & O_APPEND)
		return -EBADF;
	return check_area(r->off[0], len) ?: check_area(r->off[1], len);
}

static int check_limits(const struct request *r)
{
	size_t n = (size_t)r->len;
	int e = generic_write_limit(r->file[1], r->off[1], &n);

	e = e ?: generic_write_limit(r->file[0], r->off[0], &n);
	return e ?: n == (size_t)r->len ? 0 : -EINVAL;
}

/*
 * Ranges are whole blocks, but where both files end in their last one: what lies behind the end of
 * a file in its last block must not come into the middle of another.
 */
static int check_ends(const struct request *r)
{
	loff_t block = (loff_t)r->inode[1]->i_sb->s_blocksize, len = r->len, whole;
	bool last[2], middle = false;

	for (u32 i = 0; i < 2; i++) {
		last[i] = r->off[i] + len == r->size[i];
		middle |= r->off[i] + len < r->size[i];
	}
	if (!last[0] && !last[1] && len & (block - 1))
		return -EINVAL;
	whole = (len + block - 1) & -block;
	if (r->inode[0] == r->inode[1] && r->off[1] + whole > r->off[0] &&
	    r->off[0] + whole > r->off[1])
		return -EINVAL;
	return len & (block - 1) && middle ? -EINVAL : 0;
}

/* R->len becomes what is to be exchanged. Both are locked. */
static int check_ranges(struct request *r)
{
	loff_t block = (loff_t)r->inode[1]->i_sb->s_blocksize;
	int e = 0;

	if (IS_IMMUTABLE(r->inode[0]) || IS_IMMUTABLE(r->inode[1]))
		return -EPERM;
	if ((r->inode[0]->i_flags | r->inode[1]->i_flags) & S_SWAPFILE)
		return -ETXTBSY;
	for (u32 i = 0; i < 2; i++) {
		r->size[i] = i_size_read(r->inode[i]);
		if (r->off[i] > r->size[i])
			return -EINVAL;
	}
	if (r->flags & TO_EOF)
		r->len = max(r->size[0] - r->off[0], r->size[1] - r->off[1]);
	if ((r->off[0] | r->off[1]) & (block - 1))
		return -EINVAL;
	for (u32 i = 0; !e && i < 2; i++) {
		e = check_area(r->off[i], r->len);
		if (!e && !(r->flags & TO_EOF) && r->off[i] + r->len > r->size[i])
			e = -EINVAL;
	}
	e = e ?: check_limits(r);
	return e ?: check_ends(r);
}

static struct fresh fresh_of(const struct inode *inode)
{
	struct fresh f = { .ino = inode->i_ino,
			   .mtime = inode->i_mtime.tv_sec,
			   .ctime = inode->i_ctime.tv_sec,
			   .mtime_ns = (s32)inode->i_mtime.tv_nsec,
			   .ctime_ns = (s32)inode->i_ctime.tv_nsec,
			   .gen = inode->i_generation,
			   .magic = FRESH_MAGIC };

	memcpy(f.fsid, XFS_M(inode->i_sb)->fs.vol.sb.uuid, sizeof(f.fsid));
	return f;
}

/* ---- the exchange ---- */

/* Data of both ranges are on the device; without DRY_RUN nothing of them is in memory. */
static int prepare(struct request *r)
{
	struct fresh now = fresh_of(r->inode[1]);
	int e = check_ranges(r);

	if (e || !r->len)
		return e;
	for (u32 i = 0; !e && i < 2; i++)
		e = filemap_write_and_wait_range(&r->inode[i]->i_data, r->off[i],
						 r->off[i] + r->len - 1);
	if (!e && r->fresh && memcmp(r->fresh, &now, sizeof(now)))
		e = -EBUSY;
	for (u32 i = 0; !e && !(r->flags & DRY_RUN) && i < 2; i++)
		e = xfs_settle(r->inode[i], r->off[i], r->off[i] + r->len);
	return e;
}

static struct xfs_lexch exchange_of(const struct request *r)
{
	u8 bits = r->inode[0]->i_blkbits;
	struct xfs_lexch x = { .count = DIV_ROUND_UP((u64)r->len, 1ull << bits) };

	if (r->flags & TO_EOF)
		x.flags |= XFS_LEXCH_SIZES;
	if (r->flags & FILE1_WRITTEN)
		x.flags |= XFS_LEXCH_WRITTEN;
	for (u32 i = 0; i < 2; i++) {
		x.ino[i] = xfs_ino_of(r->inode[i])->node.core.ino;
		x.gen[i] = xfs_ino_of(r->inode[i])->node.core.gen;
		x.off[i] = (u64)r->off[i] >> bits;
		x.size[i] = (u64)(r->off[i] + (r->size[!i] - r->off[!i]));
	}
	return x;
}

/* In TX, which ends; both are locked. */
static int exchange_in(struct xfs_tx *tx, const struct request *r, struct xfs_ino *const ip[2],
		       const struct xfs_lexch *x)
{
	int e = x->count ? xfs_exchange_later(tx, ip, x) : 0;

	for (u32 i = 0; !e && i < 2; i++) {
		struct inode *inode = r->inode[i];

		xfs_map_changed(inode);
		if (r->file[i]->f_mode & FMODE_NOCMTIME || inode->i_flags & S_NOCMTIME)
			continue;
		inode->i_mtime = inode_set_ctime_current(inode);
		xfs_log_vfs(tx, inode);
	}
	e = xfs_end(tx, e);
	for (u32 i = 0; !e && i < 2; i++) {
		if (x->count && x->flags & XFS_LEXCH_SIZES)
			i_size_write(r->inode[i], (loff_t)ip[i]->node.core.size);
		r->inode[i]->i_blocks = ip[i]->node.core.nblocks << (r->inode[i]->i_blkbits - 9);
	}
	return e;
}

static int exchange(const struct request *r)
{
	struct xfs_mount *mp = XFS_M(r->inode[0]->i_sb);
	bool sync = (r->file[0]->f_flags | r->file[1]->f_flags) & O_SYNC ||
		    xfs_sync_of(r->inode[0]) || xfs_sync_of(r->inode[1]) || r->flags & DSYNC;
	struct xfs_ino *ip[2] = { xfs_ino_of(r->inode[0]), xfs_ino_of(r->inode[1]) };
	struct xfs_lexch x = exchange_of(r);
	struct xfs_locked l;
	struct xfs_tx *tx;
	u32 blocks;
	int e;

	xfs_lock_inodes(&l, r->inode, 2);
	e = xfs_exchange_room(ip, &x, &blocks);
	xfs_unlock_inodes(&l);
	e = e ?: xfs_begin(mp, XFS_RES_EXCHANGE, 0, blocks, sync ? XFS_TX_SYNC : 0, &tx);
	if (e)
		return e;
	if (r->flags & DRY_RUN) {
		xfs_trans_cancel(tx);
		return 0;
	}
	xfs_lock_inodes(&l, r->inode, 2);
	e = exchange_in(tx, r, ip, &x);
	xfs_unlock_inodes(&l);
	return e;
}

static int exchange_locked(struct request *r)
{
	int e = prepare(r);

	e = e ?: exchange(r);
	if (e || r->flags & DRY_RUN)
		return e;
	e = file_remove_privs(r->file[0]);
	return e ?: file_remove_privs(r->file[1]);
}

static long exchange_files(struct request *r)
{
	struct super_block *s;
	struct xfs_mount *mp;
	int e;

	r->inode[0] = file_inode(r->file[0]);
	r->inode[1] = file_inode(r->file[1]);
	e = check_files(r);
	if (e)
		return e;
	s = r->inode[1]->i_sb;
	mp = XFS_M(s);
	sb_start_write(s);
	if (!(mp->fs.vol.sb.incompat & XFS_IN_EXCHRANGE)) {
		e = -EOPNOTSUPP;
	} else if (!mp->live) {
		e = -EROFS;
	} else if (xfs_is_down(mp)) {
		e = -EIO;
	} else {
		remap_lock(r->inode[0], r->inode[1]);
		e = exchange_locked(r);
		remap_unlock(r->inode[0], r->inode[1]);
	}
	sb_end_write(s);
	if (e || r->flags & DRY_RUN)
		return e;
	notify_file(r->file[0], IN_MODIFY);
	if (r->file[0] != r->file[1])
		notify_file(r->file[1], IN_MODIFY);
	return 0;
}

static long exchange_args(struct file *file, const struct args *a, const struct fresh *fresh)
{
	struct request r = { .file = { fget((unsigned int)a->fd), file },
			     .off = { (loff_t)a->off[0], (loff_t)a->off[1] },
			     .len = (loff_t)a->length,
			     .flags = a->flags,
			     .fresh = fresh };
	long n;

	if (!r.file[0])
		return -EBADF;
	n = exchange_files(&r);
	fput(r.file[0]);
	return n;
}

/* ---- the calls ---- */

static long exchange_range(struct file *file, struct uptr arg)
{
	struct args a;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.pad || a.flags & ~(u64)ALL_FLAGS)
		return -EINVAL;
	return exchange_args(file, &a, NULL);
}

static long commit_range(struct file *file, struct uptr arg)
{
	const u8 *uuid = XFS_M(file_inode(file)->i_sb)->fs.vol.sb.uuid;
	struct commit_args c;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (c.a.pad || c.a.flags & ~(u64)ALL_FLAGS)
		return -EINVAL;
	if (c.fresh.magic != FRESH_MAGIC || memcmp(c.fresh.fsid, uuid, sizeof(c.fresh.fsid)))
		return -EBUSY;
	return exchange_args(file, &c.a, &c.fresh);
}

/* Nothing changes the file until the clock says another time than its last change has. */
static long start_commit(struct file *file, struct uptr arg)
{
	struct inode *inode = file_inode(file);
	struct timespec64 now;
	struct fresh f;
	int e = 0;

	inode_lock(inode);
	filemap_invalidate_lock(&inode->i_data);
	f = fresh_of(inode);
	for (;;) {
		now = current_time(inode);
		if (now.tv_sec != f.ctime || now.tv_nsec != f.ctime_ns)
			break;
		if (fatal_signal_pending(current)) {
			e = -EINTR;
			break;
		}
		schedule_timeout_uninterruptible(1);
	}
	filemap_invalidate_unlock(&inode->i_data);
	inode_unlock(inode);
	arg = uptr_add(arg, offsetof(struct commit_args, fresh));
	return e ?: copy_to_user(arg, &f, sizeof(f)) ? -EFAULT : 0;
}

long xfs_exchange_ioctl(struct file *file, unsigned int cmd, struct uptr arg)
{
	switch (cmd) {
	case IOC_EXCHANGE_RANGE:
		return exchange_range(file, arg);
	case IOC_START_COMMIT:
		return start_commit(file, arg);
	case IOC_COMMIT_RANGE:
		return commit_range(file, arg);
	}
	return -ENOTTY;
}
