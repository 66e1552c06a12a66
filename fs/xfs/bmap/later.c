// SPDX-License-Identifier: MIT
/*
 * Deferred changes of mappings: BUI and BUD, of one mapping each. The blocks stay what they are:
 * other work frees them, or maps them elsewhere. The inode's metadata lock is held until all is
 * done.
 */
#include "fs/xfs/bmap/later.h"
#include "fs/xfs/bmap/bmap_priv.h"
#include "fs/xfs/ag/drain.h"
#include "fs/xfs/ag/intents.h"

struct bui {				/* in the log, in the CPU's byte order */
	u16 type, regions;
	u32 n;
	u64 id;
	u64 ino, fsb, off;
	u32 len, flags;
};
struct bud {
	u16 type, regions;
	u32 pad;
	u64 id;
};
_Static_assert(sizeof(struct bui) == 48 && sizeof(struct bud) == 16, "BUI");

enum { BUI_MAP = 1, BUI_UNMAP = 2 };
#define BUI_OP		0xffu
#define BUI_ATTR	(1u << 31)
#define BUI_UNWRITTEN	(1u << 30)
#define BUI_KNOWN	(BUI_OP | BUI_ATTR | BUI_UNWRITTEN)

struct piece {
	struct xfs_work work;		/* first */
	struct xfs_ino *ip;
	struct bui b;
	struct xfs_pending pending;
};

/* ---- doing it ---- */

/* X's blocks stay: another intent says whether they are freed. */
static int forget(struct xfs_exts *l, struct xfs_ext *x)
{
	int e = xfs_bmap_count(l->tx, l->ip, -(s64)x->count);

	return e ? e :
		   xfs_rmap_later(l->tx, XFS_RMAP_UNMAP, x->fsb, x->count, l->ip->node.core.ino,
				  xfs_owner_offset(l->attr, x), xfs_fork_shares(l->ip, l->attr));
}

bool xfs_fork_has_extents(struct xfs_ino *ip, bool attr)
{
	u8 format = *xfs_fork_format(ip, attr);

	return (format == XFS_FMT_EXTENTS || format == XFS_FMT_BTREE) &&
	       (!attr || ip->node.core.forkoff);
}

/* What one intent unmaps was one extent, which may have become two where it was too long. */
#define UNMAP_MOST 2u

static int change(struct xfs_tx *tx, struct xfs_ino *ip, const struct bui *b)
{
	u64 ino = ip->node.core.ino, left;
	struct xfs_ext x;
	bool attr;
	int e;

	if (b->ino != ino || b->flags & ~BUI_KNOWN || !b->len)
		return xfs_tx_bad(tx, "BUI", "mapping", ino, b->len);
	attr = b->flags & BUI_ATTR;
	x = (struct xfs_ext){ b->off, b->fsb, b->len, b->flags & BUI_UNWRITTEN };
	if (!xfs_ext_ok(&tx->fs->vol.sb, &x) || b->len > XFS_EXT_MOST)
		return xfs_tx_bad(tx, "BUI", "extent", b->fsb, b->len);
	if (!xfs_fork_has_extents(ip, attr))
		return xfs_tx_bad(tx, "BUI", "format of its inode", ino, b->flags);
	if ((b->flags & BUI_OP) == BUI_UNMAP) {
		e = xfs_bmap_each_cut(tx, ip, attr, b->off, b->len, UNMAP_MOST, &left, forget);
		return e ?: left ? xfs_tx_bad(tx, "BUI", "extents", ino, left) : 0;
	}
	if ((b->flags & BUI_OP) != BUI_MAP || attr)
		return xfs_tx_bad(tx, "BUI", "operation", ino, b->flags);
	return xfs_bmap_map(tx, ip, &x);
}

/* ---- as deferred work ---- */

static struct piece *piece_of(struct xfs_work *w)
{
	return container_of(w, struct piece, work);
}

static struct xfs_intent *bmap_begin(struct xfs_tx *tx, const struct list_head *list, int *e)
{
	struct piece *p = piece_of(list_first_entry(list, struct xfs_work, node));
	struct xfs_lpart part = { &p->b, sizeof(p->b) };
	struct xfs_intent *i = xfs_tx_intent(tx, &part, 1);

	*e = i ? 0 : -ENOMEM;
	return i;
}

static void bmap_end(struct xfs_tx *tx, struct xfs_intent *i, const struct list_head *list)
{
	struct bud d = { XFS_LI_BUD, 1, 0, 0 };

	(void)list;
	xfs_tx_done(tx, i, &d, sizeof(d));
}

static int bmap_finish(struct xfs_tx *tx, struct xfs_work *w)
{
	return change(tx, piece_of(w)->ip, &piece_of(w)->b);
}

static void bmap_free(struct xfs_work *w)
{
	xfs_pending_end(&piece_of(w)->pending);
	xfs_mem_free(piece_of(w));
}

/* Recovery finds the inode first: xfs_bmap_recover(). */
static const struct xfs_work_ops bmap_ops = {
	.most = 1, .begin = bmap_begin, .end = bmap_end, .finish = bmap_finish, .free = bmap_free
};

static int add(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_ext *x, u32 op)
{
	struct piece *p = xfs_mem(sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->ip = ip;
	p->b = (struct bui){ .type = XFS_LI_BUI,
			     .regions = 1,
			     .n = 1,
			     .ino = ip->node.core.ino,
			     .fsb = x->fsb,
			     .off = x->off,
			     .len = x->count,
			     .flags = op | (x->unwritten ? BUI_UNWRITTEN : 0) };
	xfs_pending_begin(&p->pending, tx->fs, x->fsb);
	xfs_defer(tx, &p->work, &bmap_ops);
	return 0;
}

int xfs_bmap_map_later(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_ext *x)
{
	return add(tx, ip, x, BUI_MAP);
}

int xfs_bmap_forget_later(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_ext *x)
{
	return add(tx, ip, x, BUI_UNMAP);
}

/* ---- recovery ---- */

static bool get_bui(const struct xfs_litem *it, struct bui *b)
{
	if (it->type != XFS_LI_BUI || it->r[0].len < sizeof(*b))
		return false;
	memcpy(b, xfs_lregion_at(it, 0), sizeof(*b));
	return b->n == 1;
}

u64 xfs_bmap_intent_ino(const struct xfs_litem *it)
{
	struct bui b;

	return get_bui(it, &b) ? b.ino : 0;
}

int xfs_bmap_recover(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_litem *it)
{
	struct bui b;

	if (!get_bui(it, &b))
		return xfs_tx_bad(tx, "BUI", "mapping", ip->node.core.ino, it->r[0].len);
	return change(tx, ip, &b);
}
