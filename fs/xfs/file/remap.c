// SPDX-License-Identifier: MIT
/*
 * Files that share blocks: clone and dedupe (vfs/remap.h), and fallocate(2) with UNSHARE_RANGE,
 * which ends it.
 *
 * Both files are locked against writes, faults that would make a page writable, and direct reads,
 * and what their caches have of the ranges is on the device (remap_prepare()). The target's pages
 * are dropped; then its extents are replaced, one a transaction, by what the source has written
 * (bmap/reflink.c). From the first on both inodes say that they may share blocks, so that all that
 * is changed afterwards asks first (inode/copies.h).
 *
 * Locks: both inodes' i_rwsem > both invalidate_lock > transactions > li->lock of both.
 */
#include "fs/xfs/file/priv.h"
#include "fs/xfs/ag/ag.h"
#include "fs/xfs/bmap/reflink.h"
#include <lib/minmax.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/remap.h>

/* What is shared, in blocks, and the size that the target gets. */
struct share {
	struct inode *from, *to;
	u64 foff, toff, left;
	loff_t size;			/* 0: it stays */
};

/* ---- before ---- */

static int mark_shared(struct inode *inode)
{
	struct xfs_lino *li = XFS_I(inode)->li;
	struct xfs_tx *tx;
	int e;

	if (xfs_shares(inode))
		return 0;
	e = xfs_begin(XFS_M(inode->i_sb), XFS_RES_CHANGE, 0, 0, 0, &tx);
	if (e)
		return e;
	down_write(&li->lock);
	xfs_bmap_mark_shared(tx, &li->ip);
	xfs_map_changed(inode);
	e = xfs_end(tx, 0);
	up_write(&li->lock);
	return e;
}

/* ---- sharing ---- */

/*
 * What there is at the offsets. *SKIP blocks are nothing that is written in the source, and a hole
 * in the target. -ENOSPC: the source's AG cannot note another owner of its blocks.
 */
static int look(const struct share *s, u64 *skip)
{
	struct xfs_mount *mp = XFS_M(s->from->i_sb);
	struct xfs_map m, t;
	int e;

	*skip = 0;
	xfs_read_lock(s->from);
	e = xfs_bmap(&mp->fs.vol, xfs_node_of(s->from), false, s->foff, &m);
	xfs_read_unlock(s->from);
	if (e)
		return e;
	if (m.type == XFS_MAP_DATA)
		return xfs_ag_is_tight(&mp->fs, xfs_fsb_ag(&mp->fs.vol.sb, m.fsb)) ? -ENOSPC : 0;
	xfs_read_lock(s->to);
	e = xfs_bmap(&mp->fs.vol, xfs_node_of(s->to), false, s->toff, &t);
	xfs_read_unlock(s->to);
	if (!e && t.type == XFS_MAP_HOLE)
		*skip = min3(m.off + m.count - s->foff, t.off + t.count - s->toff, s->left);
	return e;
}

/* The target ends behind the N blocks that were just done, as far as it shall. */
static void grow(struct xfs_tx *tx, const struct share *s, u64 n)
{
	struct xfs_ino *ip = xfs_ino_of(s->to);
	u64 size = min((s->toff + n) << s->to->i_blkbits, (u64)s->size);

	if (size > (u64)i_size_read(s->to))
		i_size_write(s->to, (loff_t)size);
	if (size > ip->node.core.size) {
		ip->node.core.size = size;
		xfs_tx_inode(tx, ip, XFS_LI_CORE);
	}
}

static void advance(struct share *s, u64 n)
{
	s->foff += n;
	s->toff += n;
	s->left -= n;
}

/* One change of the target's extents, or none where both have nothing. */
static int share_some(struct share *s)
{
	struct xfs_mount *mp = XFS_M(s->to->i_sb);
	struct inode *both[] = { s->from, s->to };
	struct xfs_locked l;
	struct xfs_tx *tx;
	u64 n;
	int e = look(s, &n);

	if (e || n) {
		advance(s, n);
		return e;
	}
	e = xfs_begin(mp, XFS_RES_WRITE, 0, xfs_bmap_remap_room(&mp->fs.vol.sb), 0, &tx);
	if (e)
		return e;
	xfs_lock_inodes(&l, both, 2);
	e = xfs_bmap_share(tx, xfs_ino_of(s->from), s->foff, xfs_ino_of(s->to), s->toff, s->left,
			   &n);
	if (!e)
		grow(tx, s, n);
	xfs_map_changed(s->to);
	s->to->i_blocks = xfs_node_of(s->to)->core.nblocks << (s->to->i_blkbits - 9);
	e = xfs_end(tx, e);
	xfs_unlock_inodes(&l);
	if (!e)
		advance(s, n);
	return e;
}

/* A hole that was skipped at the end is part of the file too. */
static int grow_alone(const struct share *s)
{
	struct xfs_lino *li = XFS_I(s->to)->li;
	struct xfs_tx *tx;
	int e;

	if ((u64)s->size <= READ_ONCE(li->ip.node.core.size))
		return 0;
	e = xfs_begin(XFS_M(s->to->i_sb), XFS_RES_CHANGE, 0, 0, 0, &tx);
	if (e)
		return e;
	down_write(&li->lock);
	grow(tx, s, 0);
	e = xfs_end(tx, 0);
	up_write(&li->lock);
	return e;
}

/*
 * As on Linux the hint for the size of copies goes with a file that is cloned as a whole, where the
 * target has none.
 */
static int clone_hint(struct inode *from, struct inode *to)
{
	struct xfs_core *a = &xfs_node_of(from)->core, *b = &xfs_node_of(to)->core;
	struct inode *both[] = { from, to };
	struct xfs_locked l;
	struct xfs_tx *tx;
	int e;

	if (!(READ_ONCE(a->flags2) & XFS_DIFLAG2_COWEXTSIZE) ||
	    READ_ONCE(b->flags2) & XFS_DIFLAG2_COWEXTSIZE)
		return 0;
	e = xfs_begin(XFS_M(to->i_sb), XFS_RES_CHANGE, 0, 0, 0, &tx);
	if (e)
		return e;
	xfs_lock_inodes(&l, both, 2);
	b->cowextsize = a->cowextsize;
	b->flags2 |= XFS_DIFLAG2_COWEXTSIZE;
	xfs_log_vfs(tx, to);
	e = xfs_end(tx, 0);
	xfs_unlock_inodes(&l);
	return e;
}

/* LEN bytes, as remap_prepare() left them; *DONE: so many were shared, also where it failed. */
static int share(struct inode *from, loff_t pos_in, struct inode *to, loff_t pos_out, loff_t len,
		 bool dedupe, loff_t *done)
{
	u8 bits = to->i_blkbits;
	struct share s = { from,
			   to,
			   (u64)pos_in >> bits,
			   (u64)pos_out >> bits,
			   (((u64)len - 1) >> bits) + 1,
			   dedupe ? 0 : pos_out + len };
	bool whole = !pos_in && !pos_out && len == i_size_read(from) && len >= i_size_read(to);
	u64 blocks = s.left;
	int e = xfs_settle(to, pos_out, pos_out + len);

	e = e ?: mark_shared(from);
	e = e ?: mark_shared(to);
	while (!e && s.left) {
		e = fatal_signal_pending(current) ? -EINTR : share_some(&s);
		cond_resched();
	}
	*done = (loff_t)min((blocks - s.left) << bits, (u64)len);
	e = e ?: grow_alone(&s);
	return e ?: whole && !dedupe ? clone_hint(from, to) : 0;
}

loff_t xfs_remap_range(struct file *in, loff_t pos_in, struct file *out, loff_t pos_out, loff_t len,
		       unsigned int flags)
{
	struct inode *from = file_inode(in), *to = file_inode(out);
	struct xfs_mount *mp = XFS_M(to->i_sb);
	loff_t done = 0;
	int e;

	if (!(mp->fs.vol.sb.ro_compat & XFS_RO_REFLINK))
		return -EOPNOTSUPP;
	if (!mp->live)
		return -EROFS;
	if (xfs_is_down(mp))
		return -EIO;
	remap_lock(from, to);
	e = remap_prepare(in, pos_in, out, pos_out, &len, flags);
	if (!e && len)
		e = share(from, pos_in, to, pos_out, len, flags & REMAP_DEDUPE, &done);
	remap_unlock(from, to);
	if (!e && ((in->f_flags | out->f_flags) & O_DSYNC || xfs_sync_of(from) || xfs_sync_of(to)))
		e = xfs_fsync(out, 0, LLONG_MAX, 0);
	if (e && (!done || (done < len && !(flags & REMAP_SHORTEN))))
		return e;
	return done;
}

/* ---- unsharing ---- */

/* The first of blocks *B to LAST, of which the file has the bytes up to END; *B: those behind. */
static int unshare_some(struct inode *inode, u64 *b, u64 last, loff_t end)
{
	u8 bits = inode->i_blkbits;
	struct xfs_map m;
	struct xfs_ext x;
	u64 n = 1, at = *b;
	bool new, copied;
	int e;

	xfs_read_lock(inode);
	e = xfs_bmap(&XFS_M(inode->i_sb)->fs.vol, xfs_node_of(inode), false, at, &m);
	xfs_read_unlock(inode);
	if (e || m.type != XFS_MAP_DATA) {
		*b = e ? at : m.off + m.count;
		return e;
	}
	e = xfs_copy_stage(inode, at, last + 1 - at, &n, &new);
	if (e)
		return e;
	xfs_read_lock(inode);
	copied = xfs_copy_find(inode, at, &x) && x.off <= at;
	xfs_read_unlock(inode);
	*b = at + n;
	return copied ? extent_rewrite(&XFS_I(inode)->file, (loff_t)(at << bits),
				       (loff_t)min(*b << bits, (u64)end)) :
			0;
}

int xfs_unshare(struct inode *inode, loff_t off, loff_t end)
{
	u8 bits = inode->i_blkbits;
	u64 b, last;
	int e = 0;

	end = min(end, i_size_read(inode));
	if (off >= end || !xfs_shares(inode))
		return 0;
	b = (u64)off >> bits;
	last = ((u64)end - 1) >> bits;
	while (!e && b <= last) {
		e = fatal_signal_pending(current) ? -EINTR : unshare_some(inode, &b, last, end);
		cond_resched();
	}
	return e ?: filemap_write_and_wait_range(&inode->i_data, off, end - 1);
}
