// SPDX-License-Identifier: MIT
/*
 * Where a file's bytes are, for extent/, and how they come there.
 *
 * A write into the page cache promises blocks (inode/delay.h). Writeback allocates them unwritten,
 * in as long runs as the promise has, and marks them written when the data are on the device. Only
 * then does the size in the inode's core grow: after recovery no file ends in blocks that were not
 * written. Transactions begin before li->lock is taken.
 *
 * Blocks that other files have too (remap.c) are copied when they are changed
 * (inode/copies.h): writeback is told of the copy's as if they were unwritten. Before data are
 * written over a block that another file, or another place, had until just now the log is forced:
 * else a power cut would bring the other one back, with these data. So a map that writeback keeps
 * is void when blocks have moved since (moves()).
 */
#include "fs/xfs/file/priv.h"
#include "fs/xfs/bmap/reflink.h"
#include <lib/minmax.h>
#include <sched/work.h>

static u8 bits_of(const struct inode *inode)
{
	return XFS_M(inode->i_sb)->fs.vol.sb.blocklog;
}

/* Attributes that lie in the inode, as fiemap tells them. */
static void map_inline(const struct xfs_sb *sb, const struct xfs_node *n, struct extent *out)
{
	u64 in = (n->core.ino & ((1u << sb->inopblog) - 1)) << sb->inodelog;

	*out = (struct extent){
		.len = xfs_literal_size(sb) - n->core.forkoff,
		.type = EXTENT_INLINE,
		.data = n->literal + n->core.forkoff,
		.addr = (xfs_fsb_daddr(sb, n->core.ino >> sb->inopblog) << 9) + in +
			sizeof(struct xfs_dinode) + n->core.forkoff,
	};
}

/* Block OFF, with li->lock held. */
static int look(struct inode *inode, u64 off, bool attr, struct xfs_map *m, bool *delayed)
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	u64 first, count;
	int e = xfs_bmap(&mp->fs.vol, xfs_node_of(inode), attr, off, m);

	*delayed = false;
	if (e)
		return e;
	m->count = min(m->count, ((u64)LLONG_MAX >> bits_of(inode)) + 1 - m->off);
	if (attr || m->type != XFS_MAP_HOLE ||
	    !xfs_delay_find(&XFS_I(inode)->delays, off, &first, &count))
		return 0;
	if (first <= off) {
		*delayed = true;
		m->off = first;
		m->count = count;
	} else if (first < m->off + m->count) {
		m->count = first - m->off;
	}
	/* A promise before OFF need not be looked for: the hole that is told begins at OFF. */
	if (!*delayed) {
		m->count -= off - m->off;
		m->off = off;
	}
	return 0;
}

bool xfs_shares(const struct inode *inode)
{
	return READ_ONCE(xfs_node_of(inode)->core.flags2) & XFS_DIFLAG2_REFLINK;
}

/* Blocks of INODE may have been those of other files or places. */
static bool moves(const struct inode *inode)
{
	return xfs_shares(inode) || READ_ONCE(XFS_I(inode)->li->ip.moved);
}

/* Both parts only rise. */
static u64 cookie(struct inode *inode)
{
	const struct xfs_live *live = READ_ONCE(XFS_M(inode->i_sb)->live);
	u64 c = READ_ONCE(XFS_I(inode)->delays.cookie);

	return live && moves(inode) ? c + READ_ONCE(live->moved_seq) : c;
}

static void tell(struct inode *inode, const struct xfs_map *m, bool delayed, struct extent *out)
{
	u8 bits = bits_of(inode);

	*out = (struct extent){
		.off = (loff_t)(m->off << bits),
		.len = m->count << bits,
		.type = delayed			? EXTENT_DELAYED :
			m->type == XFS_MAP_HOLE ? EXTENT_HOLE :
			m->type == XFS_MAP_DATA ? EXTENT_MAPPED :
						  EXTENT_UNWRITTEN,
		.cookie = cookie(inode),
	};
	if (m->type != XFS_MAP_HOLE)
		out->addr = xfs_fsb_daddr(&XFS_M(inode->i_sb)->fs.vol.sb, m->fsb) << 9;
}

static int map(struct inode *inode, loff_t off, u64 len, bool attr, struct extent *out)
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	const struct xfs_node *n = xfs_node_of(inode);
	struct xfs_map m;
	bool delayed;
	int e = 0;

	(void)len;
	xfs_read_lock(inode);
	if (attr && n->core.forkoff && n->core.aformat == XFS_FMT_LOCAL && !off) {
		map_inline(&mp->fs.vol.sb, n, out);
	} else {
		e = look(inode, (u64)off >> bits_of(inode), attr, &m, &delayed);
		if (!e)
			tell(inode, &m, delayed, out);
	}
	xfs_read_unlock(inode);
	return e;
}

/* At most: a promise is merged with its neighbours, so pieces cost nothing. */
#define PROMISE_MOST 4096u		/* blocks */

/* M becomes the part from OFF on, of COUNT blocks at most. */
static void narrow(struct xfs_map *m, u64 off, u64 count)
{
	u64 skip = off - m->off;

	m->off = off;
	m->count = min(m->count - skip, count);
	m->fsb += skip;
}

static int map_write(struct inode *inode, loff_t off, u64 len, struct extent *out)
{
	u8 bits = bits_of(inode);
	u64 first = (u64)off >> bits, end = (((u64)off + len - 1) >> bits) + 1;
	struct xfs_lino *li = XFS_I(inode)->li;
	struct xfs_map m;
	bool delayed, new = false;
	u64 most = U64_MAX;
	int e;

	if (xfs_shares(inode)) {
		e = xfs_copy_stage(inode, first, end - first, &most, &new);
		if (e)
			return e;
	}
	down_write(&li->lock);
	e = look(inode, first, false, &m, &delayed);
	if (!e && m.type == XFS_MAP_HOLE && !delayed) {
		u64 n = min3(m.count, end - first, (u64)PROMISE_MOST);

		e = xfs_delay_add(inode, first, n);
		if (e == -ENOSPC && n > 1)
			e = xfs_delay_add(inode, first, n = 1);
		new |= !e;
		m.count = n;
		delayed = true;
	}
	if (!e && most != U64_MAX && m.type != XFS_MAP_HOLE)
		narrow(&m, first, most);
	if (!e)
		tell(inode, &m, delayed, out);
	if (!e && new)
		out->flags |= EXTENT_NEW;
	up_write(&li->lock);
	return e;
}

static void unreserve(struct inode *inode, loff_t off, u64 len)
{
	u8 bits = bits_of(inode);
	u64 first = ((u64)off + (1u << bits) - 1) >> bits, end = ((u64)off + len) >> bits;
	struct xfs_lino *li = XFS_I(inode)->li;

	if (first >= end)
		return;
	down_write(&li->lock);
	xfs_delay_drop(inode, first, end - first);
	up_write(&li->lock);
	/* Copies that stay are freed with the inode, or by recovery. */
	if (xfs_shares(inode) && xfs_copy_drop(inode, first, end - first))
		pr_debug("xfs: staged blocks are left\n");
}

/* The block before OFF, to go on behind it; 0: there is none. */
static u64 near_of(struct inode *inode, u64 off)
{
	struct xfs_map m;

	if (!off || xfs_bmap(&XFS_M(inode->i_sb)->fs.vol, xfs_node_of(inode), false, off - 1, &m) ||
	    m.type == XFS_MAP_HOLE)
		return 0;
	return m.fsb + (off - 1 - m.off);
}

/*
 * At most MOST blocks from OFF on become unwritten ones, if OFF is a hole or promised; TX has the
 * blocks of the former. *M: what is there then. HOLES: holes are filled too.
 */
static int fill(struct xfs_tx *tx, struct inode *inode, u64 off, u64 most, bool holes,
		struct xfs_map *m)
{
	struct xfs_ext got;
	bool delayed;
	u64 n, near;
	int e = look(inode, off, false, m, &delayed);

	if (e || m->type != XFS_MAP_HOLE || (!delayed && !holes))
		return e;
	n = min3(m->count - (off - m->off), most, (u64)XFS_EXT_MOST);
	near = near_of(inode, off);
	if (delayed)
		xfs_delay_to_tx(inode, tx, off, n);
	e = xfs_bmap_extend(tx, xfs_ino_of(inode), false, off, 1, (u32)n, near, true, &got);
	xfs_map_changed(inode);
	if (e) {
		/* The promise is broken: the data cannot be written, and their place is a hole. */
		return e;
	}
	/* Blocks behind the piece that was found stay promised. */
	if (delayed && got.count < n)
		xfs_delay_from_tx(inode, tx, off + got.count, n - got.count);
	inode->i_blocks = xfs_node_of(inode)->core.nblocks << (bits_of(inode) - 9);
	*m = (struct xfs_map){
		.off = got.off, .count = got.count, .fsb = got.fsb, .type = XFS_MAP_UNWRITTEN
	};
	return 0;
}

int xfs_fill(struct inode *inode, u64 off, u64 most, bool holes, struct extent *out)
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	struct xfs_lino *li = XFS_I(inode)->li;
	u32 room = xfs_bmap_tree_room(&mp->fs.vol.sb, false);
	bool delayed = false;
	struct xfs_map m;
	struct xfs_tx *tx;
	int e = xfs_begin(mp, XFS_RES_WRITE, 0, holes ? room + (u32)most : room,
			  holes ? 0 : XFS_TX_RESERVE, &tx);

	/* The promise has its own. */
	if (e == -ENOSPC && !holes)
		e = xfs_begin(mp, XFS_RES_WRITE, 0, 0, XFS_TX_RESERVE, &tx);
	if (e)
		return e;
	down_write(&li->lock);
	e = fill(tx, inode, off, most, holes, &m);
	e = xfs_end(tx, e);
	if (!e && m.type == XFS_MAP_HOLE)
		e = look(inode, off, false, &m, &delayed);
	if (!e)
		tell(inode, &m, delayed, out);
	up_write(&li->lock);
	return e;
}

/* *OUT is what a copy has of block FIRST, or *OUT ends before the next copy. True: the former. */
static bool map_copy(struct inode *inode, u64 first, struct extent *out)
{
	u8 bits = bits_of(inode);
	struct xfs_ext x;
	bool found;

	xfs_read_lock(inode);
	found = xfs_copy_find(inode, first, &x);
	if (found && x.off <= first) {
		struct xfs_map m = {
			.off = x.off, .count = x.count, .fsb = x.fsb, .type = XFS_MAP_UNWRITTEN
		};

		tell(inode, &m, false, out);
	} else if (found) {
		out->len = min(out->len, (x.off << bits) - (u64)out->off);
		found = false;
	}
	xfs_read_unlock(inode);
	return found;
}

/* OUT is written over where it lies, if it is mapped. */
static int write_over(struct inode *inode, const struct extent *out)
{
	return out->type == EXTENT_MAPPED && moves(inode) ?
		       xfs_moved_settle(XFS_M(inode->i_sb)->live) :
		       0;
}

static int map_alloc(struct inode *inode, loff_t off, u64 len, struct extent *out)
{
	u8 bits = bits_of(inode);
	u64 first = (u64)off >> bits, size = (u64)i_size_read(inode), end;
	int e = map(inode, off, len, false, out);

	if (!e && xfs_shares(inode) && map_copy(inode, first, out))
		return 0;
	if (e || out->type != EXTENT_DELAYED)
		return e ?: write_over(inode, out);
	/* Promised blocks behind the file's end stay promised. */
	end = max(((u64)off + len - 1) >> bits, size ? (size - 1) >> bits : 0) + 1;
	return xfs_fill(inode, first, end - first, false, out);
}

static int map_direct(struct inode *inode, loff_t off, u64 len, struct extent *out)
{
	u8 bits = bits_of(inode);
	int e;

	e = map(inode, off, len, false, out);
	if (e || (out->type != EXTENT_HOLE && out->type != EXTENT_DELAYED))
		return e ?: write_over(inode, out);
	return xfs_fill(inode, (u64)off >> bits, min(len >> bits, (u64)PROMISE_MOST),
			out->type == EXTENT_HOLE, out);
}

static bool grows(struct inode *inode, u64 end)
{
	return READ_ONCE(xfs_node_of(inode)->core.size) < min(end, (u64)i_size_read(inode));
}

/* One piece of marking; *LEFT: blocks that are not looked at yet. */
static int mark_some(struct inode *inode, u64 end, u64 *left, u64 size)
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	struct xfs_ino *ip = xfs_ino_of(inode);
	struct xfs_lino *li = XFS_I(inode)->li;
	struct xfs_tx *tx;
	int e = xfs_begin_freeing(mp, XFS_RES_WRITE, 0, xfs_bmap_tree_room(&mp->fs.vol.sb, false),
				  0, &tx);

	if (e)
		return e;
	down_write(&li->lock);
	if (*left) {
		e = xfs_bmap_mark(tx, ip, end - *left, *left, false, 1, left);
		xfs_map_changed(inode);
	}
	size = min(size, (u64)i_size_read(inode));
	if (!e && !*left && size > ip->node.core.size) {
		ip->node.core.size = size;
		xfs_tx_inode(tx, ip, XFS_LI_CORE);
	}
	e = xfs_end(tx, e);
	up_write(&li->lock);
	return e;
}

static int written(struct inode *inode, loff_t off, u64 len, bool unwritten)
{
	u8 bits = bits_of(inode);
	u64 end = (((u64)off + len - 1) >> bits) + 1,
	    left = unwritten ? end - ((u64)off >> bits) : 0;
	int e = unwritten && xfs_shares(inode) ? xfs_copy_finish(inode, end - left, left) : 0;

	if (e)
		return e;
	do {
		e = mark_some(inode, end, &left, (u64)off + len);
	} while (!e && left);
	return e;
}

static void later(struct inode *inode, struct work_struct *w)
{
	queue_work(XFS_M(inode->i_sb)->live->written_wq, w);
}

const struct extent_ops xfs_extent_ops = {
	.map = map,
	.cookie = cookie,
	.map_write = map_write,
	.unreserve = unreserve,
	.map_alloc = map_alloc,
	.map_direct = map_direct,
	.grows = grows,
	.written = written,
	.later = later,
};

/* ---- for fiemap ---- */

/*
 * *OUT, whose blocks are at FSB, becomes its first part that is shared as a whole, or not at all.
 */
static int trim_to_shared(struct inode *inode, u64 fsb, struct extent *out)
{
	u8 bits = bits_of(inode);
	struct xfs_ext x = { .fsb = fsb, .count = (u32)(out->len >> bits) };
	struct xfs_tx *tx;
	u32 skip, n;
	int e = xfs_begin_look(XFS_M(inode->i_sb), &tx);

	if (e)
		return e;
	e = xfs_bmap_shared(tx, &x, &skip, &n);
	xfs_trans_cancel(tx);
	if (e || !n)
		return e;
	out->len = (u64)(skip ? skip : n) << bits;
	if (!skip)
		out->flags |= EXTENT_SHARED;
	return 0;
}

/* Mounts that write nothing do not say what is shared: counts are read in transactions. */
static int map_shared(struct inode *inode, loff_t off, u64 len, bool attr, struct extent *out)
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	u8 bits = bits_of(inode);
	struct xfs_map m;
	int e = map(inode, off, len, attr, out);

	if (e || attr || out->type != EXTENT_MAPPED || !mp->live || !xfs_shares(inode))
		return e;
	xfs_read_lock(inode);
	e = xfs_bmap(&mp->fs.vol, xfs_node_of(inode), false, (u64)off >> bits, &m);
	xfs_read_unlock(inode);
	if (e || m.type != XFS_MAP_DATA)
		return e;
	/* Told from OFF on: what is before it may be shared or not. */
	narrow(&m, (u64)off >> bits, XFS_EXT_MOST);
	tell(inode, &m, false, out);
	return trim_to_shared(inode, m.fsb, out);
}

const struct extent_ops xfs_fiemap_ops = { .map = map_shared };
