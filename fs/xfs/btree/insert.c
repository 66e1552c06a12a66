// SPDX-License-Identifier: MIT
/*
 * Changing and inserting records. A block that is full gives entries to a neighbour under the same
 * block, or is split; the new block's entry is then inserted one level above. A root is split below
 * a new one; a root in an inode moves into a block of its own.
 */
#include "fs/xfs/btree/priv.h"

/* Writes KEY into entry AT of UP. */
static void set_key(const struct xfs_bt_view *up, u32 at, const u8 *key)
{
	memcpy(xfs_bt_entry(up, at), key, up->entry);
	if (up->b)
		xfs_tx_log(up->c->tx, up->b, (u32)(xfs_bt_entry(up, at) - up->p), up->entry);
	else
		up->c->ops->log_iroot(up->c);
}

void xfs_bt_put_key(const struct xfs_bt_view *up, u32 at, const struct xfs_bt_view *v)
{
	u8 key[XFS_BT_ENTRY_MAX];

	xfs_bt_node_key(v, key);
	set_key(up, at, key);
}

void xfs_bt_fix_keys(struct xfs_bt_cur *c, u32 level)
{
	for (u32 l = level; l + 1 < c->levels; l++) {
		u8 key[XFS_BT_ENTRY_MAX];
		struct xfs_bt_view v, up;

		xfs_bt_view_at(c, l, &v);
		xfs_bt_view_at(c, l + 1, &up);
		xfs_bt_node_key(&v, key);
		if (!memcmp(key, xfs_bt_entry(&up, c->lv[l + 1].at), up.entry))
			return;
		set_key(&up, c->lv[l + 1].at, key);
	}
}

/*
 * The key of V's entry above, whose high key is WAS. All entries of V are looked at only if the one
 * with the highest key may have gone.
 */
static void changed_key(const struct xfs_bt_view *v, const struct xfs_bt_key *was,
			const struct xfs_bt_key *gone, const struct xfs_bt_key *come, u8 *out)
{
	const struct xfs_bt_shape *s = v->c->shape;
	bool higher = come && s->cmp(come->b, was->b) >= 0;
	struct xfs_bt_key low;

	if (gone && !higher && s->cmp(gone->b, was->b) >= 0) {
		xfs_bt_node_key(v, out);
		return;
	}
	xfs_bt_key(v, 0, &low);
	memcpy(out, low.b, s->key);
	memcpy(out + s->key, higher ? come->b : was->b, s->key);
}

void xfs_bt_fix_entry(struct xfs_bt_cur *c, u32 level, const struct xfs_bt_key *gone,
		      const struct xfs_bt_key *come)
{
	struct xfs_bt_key was[2], is;

	if (!c->shape->overlap) {
		xfs_bt_fix_keys(c, level);
		return;
	}
	for (u32 l = level; l + 1 < c->levels; l++) {
		struct xfs_bt_key *old = &was[l % 2];
		struct xfs_bt_view v, up;
		u32 at = c->lv[l + 1].at;
		u8 key[XFS_BT_ENTRY_MAX];

		xfs_bt_view_at(c, l, &v);
		xfs_bt_view_at(c, l + 1, &up);
		xfs_bt_high_key(&up, at, old);
		changed_key(&v, old, gone, come, key);
		if (!memcmp(key, xfs_bt_entry(&up, at), up.entry))
			return;
		set_key(&up, at, key);
		memcpy(is.b, key + c->shape->key, c->shape->key);
		gone = old;
		come = &is;
	}
}

int xfs_bt_update(struct xfs_bt_cur *c, const u8 *rec)
{
	struct xfs_bt_key gone, come;
	struct xfs_bt_view v;
	u32 at = c->lv[0].at;
	u8 *p;

	xfs_bt_view_at(c, 0, &v);
	p = xfs_bt_entry(&v, at);
	if (c->shape->overlap)
		xfs_bt_high_key(&v, at, &gone);
	memcpy(p, rec, v.entry);
	if (c->shape->overlap)
		xfs_bt_high_key(&v, at, &come);
	xfs_tx_log(c->tx, v.b, (u32)(p - v.p), v.entry);
	xfs_bt_fix_entry(c, 0, &gone, &come);
	return 0;
}

void xfs_bt_shift(const struct xfs_bt_view *a, const struct xfs_bt_view *b, u32 n, bool right)
{
	u32 na = xfs_bt_count(a), nb = xfs_bt_count(b);

	if (right) {
		xfs_bt_move(b, 0, b, n, nb);
		xfs_bt_move(a, na - n, b, 0, n);
		xfs_bt_set_count(a, na - n);
		xfs_bt_set_count(b, nb + n);
		xfs_bt_log_head(a);
	} else {
		xfs_bt_move(b, 0, a, na, n);
		xfs_bt_move(b, n, b, 0, nb - n);
		xfs_bt_set_count(a, na + n);
		xfs_bt_set_count(b, nb - n);
		xfs_bt_log(a, na, na + n);
	}
	xfs_bt_log(b, 0, xfs_bt_count(b));
}

/* Entries behind *POS, or before it, go to a neighbour. *DONE: there is room now. */
static int give_away(struct xfs_bt_cur *c, u32 level, bool right, u32 *pos, bool *done)
{
	struct xfs_bt_view v, up, beside;
	u32 n, most;
	u64 ptr;
	bool ok;
	int e;

	xfs_bt_view_at(c, level, &v);
	most = right ? xfs_bt_count(&v) - *pos : *pos;
	if (!most)
		return 0;
	e = xfs_bt_beside(c, level, right, &beside, &ptr, &ok);
	if (e || !ok)
		return e;
	n = min((beside.max - xfs_bt_count(&beside) + 1) / 2, most);
	if (!n) {
		xfs_tx_put(c->tx, beside.b);
		return 0;
	}
	if (right)
		xfs_bt_shift(&v, &beside, n, true);
	else
		xfs_bt_shift(&beside, &v, n, false);
	xfs_bt_view_at(c, level + 1, &up);
	xfs_bt_put_key(&up, c->lv[level + 1].at + (right ? 1 : -1u), &beside);
	xfs_bt_fix_keys(c, level);
	*pos -= right ? 0 : n;
	*done = true;
	return 0;
}

void xfs_bt_set_iroot_level(const struct xfs_bt_view *v, u32 level)
{
	v->p[0] = (u8)(level >> 8);
	v->p[1] = (u8)level;
}

/* The entries of the root in the inode move to a block, which becomes its only child. */
int xfs_bt_grow_iroot(struct xfs_bt_cur *c)
{
	u32 level = c->levels - 1, n;
	struct xfs_bt_view root, v;
	u64 ptr;
	int e;

	xfs_bt_view_at(c, level, &root);
	if (c->levels == XFS_BT_MAXLEVELS)
		return xfs_tx_bad_ino(c->tx, c->ip, xfs_sick_bmbt(c->attr), "inode", "bmdr level",
				      level);
	e = c->ops->alloc(c, xfs_bt_ptr(&root, 0), &ptr);
	e = e ?: xfs_bt_new_block(c, level, ptr, &c->lv[level].b);
	if (e)
		return e;
	n = xfs_bt_count(&root);
	c->lv[level].ptr = ptr;
	xfs_bt_view_at(c, level, &v);
	xfs_bt_move(&root, 0, &v, 0, n);
	xfs_bt_set_count(&v, n);
	xfs_bt_log(&v, 0, n);
	c->levels++;
	c->lv[level + 1].b = NULL;
	c->lv[level + 1].at = 0;
	xfs_bt_set_iroot_level(&root, level + 1);
	xfs_bt_set_count(&root, 1);
	xfs_bt_set_ptr(&root, 0, ptr);
	xfs_bt_put_key(&root, 0, &v);
	return 0;
}

/* A new root above the block of the path and RIGHT, at PTR. */
static int grow_root(struct xfs_bt_cur *c, const struct xfs_bt_view *right, u64 ptr)
{
	u32 level = c->levels;
	struct xfs_bt_view v, up;
	struct xfs_txbuf *b;
	u64 root;
	int e;

	if (level == XFS_BT_MAXLEVELS)
		return xfs_bt_bad(c, "levels", ptr, level);
	e = c->ops->alloc(c, ptr, &root);
	e = e ?: xfs_bt_new_block(c, level, root, &b);
	if (e)
		return e;
	xfs_bt_view_at(c, level - 1, &v);
	xfs_bt_view(c, level, b, &up);
	xfs_bt_node_key(&v, xfs_bt_entry(&up, 0));
	xfs_bt_set_ptr(&up, 0, c->lv[level - 1].ptr);
	xfs_bt_node_key(right, xfs_bt_entry(&up, 1));
	xfs_bt_set_ptr(&up, 1, ptr);
	xfs_bt_set_count(&up, 2);
	xfs_bt_log(&up, 0, 2);
	c->ops->set_root(c, root, level + 1);
	return 0;
}

/* The upper half of the path's block goes into a new one, *V at *PTR. */
static int split(struct xfs_bt_cur *c, u32 level, struct xfs_bt_view *v, u64 *ptr)
{
	u64 left = c->lv[level].ptr, right;
	struct xfs_bt_view old;
	struct xfs_txbuf *b;
	u32 n, keep;
	int e;

	xfs_bt_view_at(c, level, &old);
	right = xfs_bt_sibling(&old, true);
	e = c->ops->alloc(c, left, ptr);
	e = e ?: xfs_bt_new_block(c, level, *ptr, &b);
	e = e ?: xfs_bt_relink(c, level, right, left, *ptr);
	if (e)
		return e;
	xfs_bt_view(c, level, b, v);
	n = xfs_bt_count(&old);
	keep = n - n / 2;
	xfs_bt_move(&old, keep, v, 0, n - keep);
	xfs_bt_set_count(&old, keep);
	xfs_bt_set_count(v, n - keep);
	xfs_bt_set_sibling(&old, true, *ptr);
	xfs_bt_set_sibling(v, false, left);
	xfs_bt_set_sibling(v, true, right);
	xfs_bt_log_head(&old);
	xfs_bt_log(v, 0, n - keep);
	return 0;
}

static void put_entry(const struct xfs_bt_view *v, u32 pos, const u8 *entry, u64 ptr)
{
	u32 n = xfs_bt_count(v);

	xfs_bt_move(v, pos, v, pos + 1, n - pos);
	xfs_bt_set(v, pos, entry, ptr);
	xfs_bt_set_count(v, n + 1);
	xfs_bt_log(v, pos, n + 1);
}

static int make_room(struct xfs_bt_cur *c, u32 level, u32 *pos, bool *done)
{
	int e = 0;

	if (xfs_bt_in_inode(c, level)) {
		e = xfs_bt_grow_iroot(c);
		*done = !e;
		return e;
	}
	if (level + 1 == c->levels)
		return 0;
	e = give_away(c, level, true, pos, done);
	if (!e && !*done)
		e = give_away(c, level, false, pos, done);
	return e;
}

/*
 * One entry at POS of LEVEL. *MORE: the block was split, and ENTRY and *PTR are the new one's, for
 * the level above.
 */
static int insert_at(struct xfs_bt_cur *c, u32 level, u32 pos, u8 *entry, u64 *ptr, bool *more)
{
	struct xfs_bt_view v, fresh;
	bool room;
	u64 at;
	u32 n;
	int e;

	xfs_bt_view_at(c, level, &v);
	room = xfs_bt_count(&v) < v.max;
	*more = false;
	if (!room) {
		e = make_room(c, level, &pos, &room);
		if (e)
			return e;
		xfs_bt_view_at(c, level, &v);
	}
	if (room) {
		struct xfs_bt_key come;

		put_entry(&v, pos, entry, *ptr);
		if (c->shape->overlap)
			xfs_bt_high_key(&v, pos, &come);
		xfs_bt_fix_entry(c, level, NULL, &come);
		return 0;
	}
	e = split(c, level, &fresh, &at);
	if (e)
		return e;
	n = xfs_bt_count(&v);
	if (pos <= n)
		put_entry(&v, pos, entry, *ptr);
	else
		put_entry(&fresh, pos - n, entry, *ptr);
	xfs_bt_fix_keys(c, level);
	if (level + 1 == c->levels)
		return grow_root(c, &fresh, at);
	xfs_bt_node_key(&fresh, entry);
	*ptr = at;
	*more = true;
	return 0;
}

int xfs_bt_insert(struct xfs_bt_cur *c, const u8 *rec)
{
	u8 entry[XFS_BT_ENTRY_MAX];
	struct xfs_bt_key key;
	bool more = false;
	u64 ptr = 0;
	u32 pos;
	int e;

	c->shape->key_of(rec, &key);
	e = xfs_bt_descend(c, &key, &pos, &more);
	if (e)
		return e;
	if (more)
		return xfs_bt_bad(c, "record that is there", c->lv[0].ptr, pos);
	memcpy(entry, rec, c->shape->rec);
	e = insert_at(c, 0, pos, entry, &ptr, &more);
	for (u32 l = 1; !e && more; l++)
		e = insert_at(c, l, c->lv[l].at + 1, entry, &ptr, &more);
	xfs_bt_close(c);
	return e;
}
