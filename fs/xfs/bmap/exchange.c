// SPDX-License-Identifier: MIT
/*
 * An exchange is one piece of deferred work, whose intent (XMI) says what is left of it. A step
 * takes the extents that both forks have at its offsets, cut to the shorter one, queues that both
 * are unmapped and mapped in the other fork (later.h), and ends the intent: a new one, in the same
 * transaction, has the rest. So recovery finishes an exchange from where it was; it is never undone.
 *
 * What only one has written may be skipped, and what both have in common. Sizes grow with the
 * extents, so that none lies behind the end of its file, and are what they shall be with the last
 * step.
 *
 * Room: a step changes each fork at one place, where a record or two more come into a leaf. A leaf
 * that was split has room for half a leaf of records, and blocks of trees that shrink are used
 * again. So each half leaf of steps can take as many blocks as a change of one extent, in each fork.
 */
#include "fs/xfs/bmap/exchange.h"
#include "fs/xfs/bmap/bmap_priv.h"
#include "fs/xfs/bmap/later.h"
#include "fs/xfs/tx/defer.h"

#define LOOKS 512u			/* pairs that a step goes over */

struct piece {
	struct xfs_work work;		/* first */
	struct xfs_ino *ip[2];
	struct xfs_lexch x;
};

/* ---- what is to be exchanged ---- */

static void advance(struct xfs_lexch *x, u64 n)
{
	x->off[0] += n;
	x->off[1] += n;
	x->count -= n;
}

/* What IP has at OFF, of COUNT blocks at most. */
static int look(struct xfs_ino *ip, u64 off, u64 count, struct xfs_ext *x)
{
	struct xfs_map m;
	u64 skip;
	int e = xfs_bmap(&ip->fs->vol, &ip->node, false, off, &m);

	if (e)
		return e;
	skip = off - m.off;
	*x = (struct xfs_ext){ .off = off,
			       .fsb = m.type == XFS_MAP_HOLE ? 0 : m.fsb + skip,
			       .count = (u32)min3(m.count - skip, count, (u64)XFS_EXT_MOST),
			       .unwritten = m.type == XFS_MAP_UNWRITTEN };
	return 0;
}

static int bad_pair(struct xfs_ino *ip, u64 off)
{
	struct xfs_fault f = { "inode", "state of an extent that two have", ip->node.core.ino,
			       off };

	xfs_sick_ino(&ip->fs->vol, &ip->node.core, XFS_SICK_INO_BMBTD);
	ip->fs->vol.report(&ip->fs->vol, &f);
	return -XFS_CORRUPT;
}

/*
 * Goes over MOST pairs of extents at most that need not be exchanged. 0: X->count is 0, or PAIR is
 * what both have at X's offsets, of equal lengths; fsb 0: a hole. -EAGAIN: X is what is left.
 */
static int next_pair(struct xfs_ino *const ip[2], struct xfs_lexch *x, u32 most,
		     struct xfs_ext pair[2])
{
	while (x->count) {
		int e = look(ip[0], x->off[0], x->count, &pair[0]);

		if (e)
			return e;
		if (!most--)
			return -EAGAIN;
		if (x->flags & XFS_LEXCH_WRITTEN && (!pair[0].fsb || pair[0].unwritten)) {
			advance(x, pair[0].count);
			continue;
		}
		e = look(ip[1], x->off[1], pair[0].count, &pair[1]);
		if (e)
			return e;
		pair[0].count = pair[1].count;
		if (pair[0].fsb != pair[1].fsb)
			return 0;
		if (pair[0].unwritten != pair[1].unwritten)
			return bad_pair(ip[0], x->off[0]);
		advance(x, pair[0].count);
	}
	return 0;
}

/* The number of steps. */
static int count_steps(struct xfs_ino *const ip[2], struct xfs_lexch x, u64 *steps)
{
	struct xfs_vol *v = &ip[0]->fs->vol;
	struct xfs_ext pair[2];
	int e;

	*steps = 0;
	while (x.count) {
		if (v->stop(v))
			return -EINTR;
		e = next_pair(ip, &x, LOOKS, pair);
		if (e && e != -EAGAIN)
			return e;
		if (e || !x.count)
			continue;
		advance(&x, pair[0].count);
		++*steps;
	}
	return 0;
}

int xfs_exchange_room(struct xfs_ino *const ip[2], const struct xfs_lexch *x, u32 *blocks)
{
	const struct xfs_sb *sb = &ip[0]->fs->vol.sb;
	u64 half = xfs_bt_max(sb, &xfs_bmbt_shape, 0) / 2, steps, most, all;
	int e = count_steps(ip, *x, &steps);

	for (u32 i = 0; !e && i < 2; i++) {
		most = sb->incompat & XFS_IN_NREXT64 ? (1ull << 48) - 1 :
						       xfs_most_extents(ip[i], false);
		/* Where it is one inode the steps make twice as many. */
		if (ip[i]->node.core.nextents + 2 * steps + 6 > most)
			return -EFBIG;
	}
	if (e)
		return e;
	all = 2 * ((steps + 3) / half + 2) * xfs_bmap_tree_room(sb, false);
	if (all > U32_MAX)
		return -ENOSPC;
	*blocks = (u32)all;
	return 0;
}

/* ---- a step ---- */

/* FROM's extent X goes to offset OFF of TO. */
static int give(struct xfs_tx *tx, struct xfs_ino *to, const struct xfs_ext *x, u64 off)
{
	struct xfs_ext there = *x;

	there.off = off;
	return x->fsb ? xfs_bmap_map_later(tx, to, &there) : 0;
}

static void set_size(struct xfs_tx *tx, struct xfs_ino *ip, u64 size)
{
	ip->node.core.size = size;
	xfs_tx_inode(tx, ip, XFS_LI_CORE);
}

/* IP, which shall have SIZE bytes, gets an extent that ends at block END. */
static void grow(struct xfs_tx *tx, struct xfs_ino *ip, u64 size, u64 end)
{
	u8 bits = tx->fs->vol.sb.blocklog;

	if (end < S64_MAX >> bits)
		size = min(size, end << bits);
	if (size > ip->node.core.size)
		set_size(tx, ip, size);
}

static int exchange(struct xfs_tx *tx, struct piece *p, const struct xfs_ext pair[2])
{
	int e = 0;

	tx->moved = p->ip[0]->moved = p->ip[1]->moved = true;
	for (u32 i = 0; !e && i < 2; i++)
		if (pair[i].fsb)
			e = xfs_bmap_forget_later(tx, p->ip[i], &pair[i]);
	for (u32 i = 0; !e && i < 2; i++) {
		const struct xfs_ext *x = &pair[!i];

		e = give(tx, p->ip[i], x, pair[i].off);
		if (!e && x->fsb && p->x.flags & XFS_LEXCH_SIZES)
			grow(tx, p->ip[i], p->x.size[i], pair[i].off + x->count);
	}
	return e;
}

static struct piece *piece_of(struct xfs_work *w)
{
	return container_of(w, struct piece, work);
}

static struct xfs_intent *exchange_begin(struct xfs_tx *tx, const struct list_head *list, int *e)
{
	struct piece *p = piece_of(list_first_entry(list, struct xfs_work, node));
	u8 item[XFS_LEXCH_LEN] __attribute__((aligned(8)));
	struct xfs_lpart part = { item, sizeof(item) };
	struct xfs_intent *i;

	xfs_lexch_put(&p->x, item);
	i = xfs_tx_intent(tx, &part, 1);
	*e = i ? 0 : -ENOMEM;
	return i;
}

static void exchange_end(struct xfs_tx *tx, struct xfs_intent *i, const struct list_head *list)
{
	struct {
		u16 type, regions;
		u32 pad;
		u64 id;
	} d = { XFS_LI_XMD, 1, 0, 0 };

	(void)list;
	xfs_tx_done(tx, i, &d, sizeof(d));
}

static int exchange_finish(struct xfs_tx *tx, struct xfs_work *w)
{
	struct piece *p = piece_of(w);
	struct xfs_ext pair[2];
	int e = next_pair(p->ip, &p->x, LOOKS, pair);

	if (e)
		return e;
	if (p->x.count) {
		e = exchange(tx, p, pair);
		advance(&p->x, pair[0].count);
	}
	if (e || p->x.count)
		return e ?: -EAGAIN;
	if (p->x.flags & XFS_LEXCH_SIZES)
		for (u32 i = 0; i < 2; i++)
			set_size(tx, p->ip[i], p->x.size[i]);
	return 0;
}

static void exchange_free(struct xfs_work *w)
{
	xfs_mem_free(piece_of(w));
}

/* Recovery finds the inodes first, and then calls xfs_exchange_later(). */
static const struct xfs_work_ops exchange_ops = { .most = 1,
						  .begin = exchange_begin,
						  .end = exchange_end,
						  .finish = exchange_finish,
						  .free = exchange_free };

/* ---- beginning ---- */

int xfs_exchange_later(struct xfs_tx *tx, struct xfs_ino *const ip[2], const struct xfs_lexch *x)
{
	u64 flags = (ip[0]->node.core.flags2 | ip[1]->node.core.flags2) & XFS_DIFLAG2_REFLINK;
	struct piece *p = xfs_mem(sizeof(*p));

	if (!p)
		return -ENOMEM;
	if (tx->fs->vol.sb.incompat & XFS_IN_NREXT64)
		flags |= XFS_DIFLAG2_NREXT64;
	for (u32 i = 0; i < 2; i++) {
		p->ip[i] = ip[i];
		ip[i]->node.core.flags2 |= flags;
		xfs_tx_inode(tx, ip[i], XFS_LI_CORE);
	}
	p->x = *x;
	tx->refill = true;
	xfs_defer(tx, &p->work, &exchange_ops);
	return 0;
}

int xfs_exchange_check(struct xfs_tx *tx, struct xfs_ino *const ip[2], const struct xfs_lexch *x)
{
	for (u32 i = 0; i < 2; i++) {
		const struct xfs_core *c = &ip[i]->node.core;

		if (c->ino != x->ino[i] || c->gen != x->gen[i])
			return xfs_tx_bad(tx, "XMI", "inode", x->ino[i], x->gen[i]);
		if (!xfs_fork_has_extents(ip[i], false))
			return xfs_tx_bad(tx, "XMI", "format of its inode", c->ino, c->format);
	}
	return 0;
}
