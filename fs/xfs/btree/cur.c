// SPDX-License-Identifier: MIT
/* Ways through a tree. */
#include "fs/xfs/btree/priv.h"

void xfs_bt_open_ag(struct xfs_bt_cur *c, struct xfs_tx *tx, enum xfs_bt kind,
		    const struct xfs_bt_ops *ops, u32 agno, struct xfs_txbuf *agbuf)
{
	*c = (struct xfs_bt_cur){
		.tx = tx, .shape = &xfs_bt_shapes[kind], .ops = ops, .agno = agno, .agbuf = agbuf
	};
}

void xfs_bt_open_ino(struct xfs_bt_cur *c, struct xfs_tx *tx, const struct xfs_bt_ops *ops,
		     struct xfs_ino *ip, bool attr)
{
	*c = (struct xfs_bt_cur){
		.tx = tx, .shape = &xfs_bmbt_shape, .ops = ops, .ip = ip, .attr = attr
	};
}

static void leave(struct xfs_bt_cur *c, u32 level)
{
	if (c->lv[level].b)
		xfs_tx_put(c->tx, c->lv[level].b);
	c->lv[level].b = NULL;
}

void xfs_bt_close(struct xfs_bt_cur *c)
{
	for (u32 i = 0; i < c->levels; i++)
		leave(c, i);
	c->levels = 0;
}

/* What C's tree is a part of is sick. */
static void tree_sick(struct xfs_bt_cur *c)
{
	struct xfs_vol *v = &c->tx->fs->vol;

	if (c->shape->wide)
		xfs_sick_ino(v, &c->ip->node.core, xfs_sick_bmbt(c->attr));
	else
		xfs_sick_ag(v, c->agno, xfs_sick_of_kind(c->shape->kind));
}

int xfs_bt_bad_at(struct xfs_bt_cur *c, const char *field, u64 place, u64 value)
{
	tree_sick(c);
	return xfs_tx_bad(c->tx, c->shape->name, field, place, value);
}

int xfs_bt_bad(struct xfs_bt_cur *c, const char *field, u64 ptr, u64 value)
{
	const struct xfs_sb *sb = &c->tx->fs->vol.sb;
	u64 place = c->shape->wide ? xfs_fsb_daddr(sb, ptr) : xfs_agb_daddr(sb, c->agno, (u32)ptr);

	return xfs_bt_bad_at(c, field, place, value);
}

/* Where the block PTR lies; false: nowhere. */
static bool place_of(struct xfs_bt_cur *c, u64 ptr, u64 *daddr)
{
	const struct xfs_sb *sb = &c->tx->fs->vol.sb;

	if (c->shape->wide ? !xfs_fsb_ok(sb, ptr, 1) :
			     ptr >> 32 || !xfs_agb_ok(sb, c->agno, (u32)ptr))
		return false;
	*daddr = c->shape->wide ? xfs_fsb_daddr(sb, ptr) : xfs_agb_daddr(sb, c->agno, (u32)ptr);
	return true;
}

int xfs_bt_block(struct xfs_bt_cur *c, u32 level, u64 ptr, struct xfs_txbuf **b)
{
	u32 bbs = c->tx->fs->vol.sb.blocksize / XFS_SECTOR;
	struct xfs_bt_block h;
	u64 daddr;
	int e;

	if (!place_of(c, ptr, &daddr))
		return xfs_bt_bad_at(c, "ptr", c->agno, ptr);
	e = xfs_tx_get(c->tx, c->shape->kind, daddr, bbs, 0, b);
	if (e == -XFS_CORRUPT && c->shape->wide)
		tree_sick(c);
	if (e)
		return e;
	if (c->shape->wide)
		xfs_bmbt_head((*b)->data, &h);
	else
		xfs_bt_head((*b)->data, &h);
	if (h.level == level && (!c->shape->wide || h.owner == c->ip->node.core.ino))
		return 0;
	xfs_tx_put(c->tx, *b);
	return xfs_bt_bad(c, h.level == level ? "owner" : "level", ptr, h.level);
}

int xfs_bt_new_block(struct xfs_bt_cur *c, u32 level, u64 ptr, struct xfs_txbuf **b)
{
	const struct xfs_sb *sb = &c->tx->fs->vol.sb;
	struct xfs_dbt_short *s;
	struct xfs_dbt_long *l;
	void *head;
	u64 daddr;
	int e;

	if (!place_of(c, ptr, &daddr))
		return xfs_bt_bad_at(c, "ptr", c->agno, ptr);
	e = xfs_tx_get(c->tx, c->shape->kind, daddr, sb->blocksize / XFS_SECTOR, XFS_GET_NEW, b);
	if (e)
		return e;
	head = (*b)->data;
	s = head;
	l = head;
	s->magic = be32_make(c->shape->magic);
	s->level = be16_make((u16)level);
	if (c->shape->wide) {
		l->left = l->right = be64_make(XFS_NULL64);
		l->blkno = be64_make(daddr);
		memcpy(l->uuid, sb->meta_uuid, XFS_UUID_SIZE);
		l->owner = be64_make(c->ip->node.core.ino);
	} else {
		s->left = s->right = be32_make(XFS_NULL32);
		s->blkno = be64_make(daddr);
		memcpy(s->uuid, sb->meta_uuid, XFS_UUID_SIZE);
		s->owner = be32_make(c->agno);
	}
	xfs_tx_log(c->tx, *b, 0, c->shape->wide ? (u32)sizeof(*l) : (u32)sizeof(*s));
	return 0;
}

int xfs_bt_new_root(struct xfs_bt_cur *c, u64 ptr)
{
	struct xfs_txbuf *b;
	int e = xfs_bt_new_block(c, 0, ptr, &b);

	if (!e)
		c->ops->set_root(c, ptr, 1);
	return e;
}

/* Is the path from the root down to LEVEL at the edge? */
static bool at_edge(struct xfs_bt_cur *c, u32 level, bool right)
{
	for (u32 l = level; l < c->levels; l++) {
		struct xfs_bt_view v;

		xfs_bt_view_at(c, l, &v);
		if (c->lv[l].at != (right ? xfs_bt_count(&v) - 1 : 0))
			return false;
	}
	return true;
}

/* Does the block above, whose entry AT leads down, have SIBLING beside that entry? */
static bool sibling_ok(struct xfs_bt_cur *c, const struct xfs_bt_view *up, u32 at, u64 sibling,
		       bool right)
{
	if (right ? at + 1 < xfs_bt_count(up) : at > 0)
		return sibling == xfs_bt_ptr(up, right ? at + 1 : at - 1);
	return xfs_bt_is_null(c, sibling) == at_edge(c, up->level + 1, right);
}

/* V, below entry AT of UP, fits there. */
static int check_child(struct xfs_bt_cur *c, const struct xfs_bt_view *up, u32 at,
		       const struct xfs_bt_view *v, u64 ptr)
{
	struct xfs_bt_key a, b;
	u32 n = xfs_bt_count(v);

	if (!n)
		return xfs_bt_bad(c, "numrecs", ptr, 0);
	if (!sibling_ok(c, up, at, xfs_bt_sibling(v, false), false))
		return xfs_bt_bad(c, "left", ptr, xfs_bt_sibling(v, false));
	if (!sibling_ok(c, up, at, xfs_bt_sibling(v, true), true))
		return xfs_bt_bad(c, "right", ptr, xfs_bt_sibling(v, true));
	xfs_bt_key(up, at, &a);
	xfs_bt_key(v, 0, &b);
	if (c->shape->cmp(a.b, b.b) > 0)
		return xfs_bt_bad(c, "first key", ptr, at);
	if (at + 1 == xfs_bt_count(up))
		return 0;
	xfs_bt_key(up, at + 1, &a);
	xfs_bt_key(v, n - 1, &b);
	return c->shape->cmp(b.b, a.b) >= 0 ? xfs_bt_bad(c, "last key", ptr, at) : 0;
}

int xfs_bt_beside(struct xfs_bt_cur *c, u32 level, bool right, struct xfs_bt_view *v, u64 *ptr,
		  bool *ok)
{
	u32 at = c->lv[level + 1].at;
	struct xfs_bt_view up;
	struct xfs_txbuf *b;
	int e;

	xfs_bt_view_at(c, level + 1, &up);
	*ok = right ? at + 1 < xfs_bt_count(&up) : at > 0;
	if (!*ok)
		return 0;
	at = right ? at + 1 : at - 1;
	*ptr = xfs_bt_ptr(&up, at);
	e = xfs_bt_block(c, level, *ptr, &b);
	if (e)
		return e;
	xfs_bt_view(c, level, b, v);
	return check_child(c, &up, at, v, *ptr);
}

int xfs_bt_relink(struct xfs_bt_cur *c, u32 level, u64 right, u64 was, u64 is)
{
	struct xfs_bt_view v;
	struct xfs_txbuf *b;
	int e;

	if (xfs_bt_is_null(c, right))
		return 0;
	e = xfs_bt_block(c, level, right, &b);
	if (e)
		return e;
	xfs_bt_view(c, level, b, &v);
	if (xfs_bt_sibling(&v, false) != was)
		return xfs_bt_bad(c, "left", right, xfs_bt_sibling(&v, false));
	xfs_bt_set_sibling(&v, false, is);
	xfs_bt_log_head(&v);
	return 0;
}

int xfs_bt_go_down(struct xfs_bt_cur *c, u32 level)
{
	struct xfs_bt_view up, v;
	struct xfs_txbuf *b;
	u64 ptr;
	int e;

	xfs_bt_view_at(c, level + 1, &up);
	ptr = xfs_bt_ptr(&up, c->lv[level + 1].at);
	if (c->lv[level].b && c->lv[level].ptr == ptr)
		return 0;
	leave(c, level);
	e = xfs_bt_block(c, level, ptr, &b);
	if (e)
		return e;
	c->lv[level].b = b;
	c->lv[level].ptr = ptr;
	xfs_bt_view_at(c, level, &v);
	return check_child(c, &up, c->lv[level + 1].at, &v, ptr);
}

static int start_in_inode(struct xfs_bt_cur *c)
{
	u32 size, level;
	const u8 *p = c->ops->iroot(c, &size);

	level = (u32)p[0] << 8 | p[1];
	if (level + 1 > XFS_BT_MAXLEVELS || !level || size < 4)
		return xfs_tx_bad_ino(c->tx, c->ip, xfs_sick_bmbt(c->attr), "inode", "bmdr level",
				      level);
	if (c->levels && c->levels != level + 1)
		xfs_bt_close(c);
	c->levels = level + 1;
	return 0;
}

int xfs_bt_start(struct xfs_bt_cur *c)
{
	struct xfs_bt_view v;
	u32 levels;
	u64 ptr;
	int e;

	if (c->shape->wide)
		return start_in_inode(c);
	c->ops->root(c, &ptr, &levels);
	if (!levels || levels > XFS_BT_MAXLEVELS)
		return xfs_bt_bad_at(c, "levels", c->agno, levels);
	if (c->levels == levels && c->lv[levels - 1].b && c->lv[levels - 1].ptr == ptr)
		return 0;
	xfs_bt_close(c);
	c->levels = levels;
	e = xfs_bt_block(c, levels - 1, ptr, &c->lv[levels - 1].b);
	if (e) {
		c->levels = 0;
		return e;
	}
	c->lv[levels - 1].ptr = ptr;
	xfs_bt_view_at(c, levels - 1, &v);
	if (!xfs_bt_is_null(c, xfs_bt_sibling(&v, false)) ||
	    !xfs_bt_is_null(c, xfs_bt_sibling(&v, true)))
		return xfs_bt_bad(c, "sibling of the root", ptr, 0);
	return 0;
}

/* How many entries are not above KEY. *SAME: the last of them is KEY. */
static u32 not_above(const struct xfs_bt_view *v, const struct xfs_bt_key *key, bool *same)
{
	u32 lo = 0, hi = xfs_bt_count(v);
	struct xfs_bt_key k;

	*same = false;
	while (lo < hi) {
		u32 mid = (lo + hi) / 2;
		int d;

		xfs_bt_key(v, mid, &k);
		d = v->c->shape->cmp(k.b, key->b);
		if (d <= 0) {
			lo = mid + 1;
			*same = !d;
		} else {
			hi = mid;
		}
	}
	return lo;
}

int xfs_bt_descend(struct xfs_bt_cur *c, const struct xfs_bt_key *key, u32 *n, bool *same)
{
	struct xfs_bt_view v;
	int e = xfs_bt_start(c);

	for (u32 l = e ? 0 : c->levels - 1; !e; l--) {
		xfs_bt_view_at(c, l, &v);
		*n = not_above(&v, key, same);
		if (!l)
			break;
		c->lv[l].at = *n ? *n - 1 : 0;
		e = xfs_bt_go_down(c, l - 1);
	}
	if (e)
		xfs_bt_close(c);
	return e;
}

int xfs_bt_lookup(struct xfs_bt_cur *c, const struct xfs_bt_key *key, enum xfs_bt_dir dir,
		  bool *found)
{
	bool same = false;
	u32 n = 0;
	int e = xfs_bt_descend(c, key, &n, &same);

	*found = false;
	if (e || (dir == XFS_BT_EQ && !same))
		return e;
	if (dir == XFS_BT_GE && !same && n) {
		c->lv[0].at = n - 1;
		return xfs_bt_next(c, found);
	}
	c->lv[0].at = n ? n - 1 : 0;
	if (dir == XFS_BT_LE && !n)
		return 0;
	if (dir == XFS_BT_GE && !n) {	/* all of this leaf are above, if it has any */
		struct xfs_bt_view v;

		xfs_bt_view_at(c, 0, &v);
		*found = xfs_bt_count(&v) > 0;
		return 0;
	}
	*found = true;
	return 0;
}

/* To the next leaf's first record, or the last of the one before. */
static int step(struct xfs_bt_cur *c, bool right, bool *found)
{
	struct xfs_bt_view v;
	u32 l = 0;
	int e = 0;

	*found = false;
	for (; l < c->levels; l++) {
		xfs_bt_view_at(c, l, &v);
		if (right ? c->lv[l].at + 1 < xfs_bt_count(&v) : c->lv[l].at > 0)
			break;
	}
	if (l == c->levels)
		return 0;
	c->lv[l].at += right ? 1 : -1u;
	while (!e && l--) {
		e = xfs_bt_go_down(c, l);
		if (!e) {
			xfs_bt_view_at(c, l, &v);
			c->lv[l].at = right ? 0 : xfs_bt_count(&v) - 1;
		}
	}
	if (e)
		xfs_bt_close(c);
	*found = !e;
	return e;
}

int xfs_bt_next(struct xfs_bt_cur *c, bool *found)
{
	return step(c, true, found);
}

int xfs_bt_prev(struct xfs_bt_cur *c, bool *found)
{
	return step(c, false, found);
}

const u8 *xfs_bt_rec(const struct xfs_bt_cur *c)
{
	struct xfs_bt_view v;

	xfs_bt_view_at((struct xfs_bt_cur *)(uintptr_t)c, 0, &v);
	return xfs_bt_entry(&v, c->lv[0].at);
}
