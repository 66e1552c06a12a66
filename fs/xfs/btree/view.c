// SPDX-License-Identifier: MIT
/*
 * What is in a block. Records of a leaf lie behind its header; keys of a node too, and behind the
 * room of all keys its pointers. The root in an inode is a node with a header of four bytes.
 */
#include "fs/xfs/btree/priv.h"

#define HEAD_SHORT ((u32)sizeof(struct xfs_dbt_short))
#define HEAD_LONG  ((u32)sizeof(struct xfs_dbt_long))

static u32 head_of(const struct xfs_bt_shape *s)
{
	return s->wide ? HEAD_LONG : HEAD_SHORT;
}

static u32 entry_of(const struct xfs_bt_shape *s, u32 level)
{
	return !level ? s->rec : s->overlap ? s->key * 2u : s->key;
}

u32 xfs_bt_max(const struct xfs_sb *sb, const struct xfs_bt_shape *s, u32 level)
{
	return (sb->blocksize - head_of(s)) / (entry_of(s, level) + (level ? s->wide ? 8 : 4 : 0));
}

bool xfs_bt_in_inode(const struct xfs_bt_cur *c, u32 level)
{
	return c->shape->wide && level + 1 == c->levels;
}

void xfs_bt_view(struct xfs_bt_cur *c, u32 level, struct xfs_txbuf *b, struct xfs_bt_view *v)
{
	u32 size;

	*v = (struct xfs_bt_view){ .c = c,
				   .b = b,
				   .level = level,
				   .entry = entry_of(c->shape, level),
				   .ptr = c->shape->wide ? 8 : 4 };
	if (b) {
		v->p = b->data;
		v->head = head_of(c->shape);
		v->max = xfs_bt_max(&c->tx->fs->vol.sb, c->shape, level);
	} else {
		v->p = c->ops->iroot(c, &size);
		v->head = sizeof(struct xfs_dbmdr);
		v->max = (size - v->head) / (v->entry + v->ptr);
	}
}

/* The level and the count are the same two fields in all three headers. */
static u8 *count_at(const struct xfs_bt_view *v)
{
	return v->p + (v->b ? offsetof(struct xfs_dbt_short, numrecs) :
			      offsetof(struct xfs_dbmdr, numrecs));
}

u32 xfs_bt_count(const struct xfs_bt_view *v)
{
	const u8 *p = count_at(v);

	return (u32)p[0] << 8 | p[1];
}

void xfs_bt_set_count(const struct xfs_bt_view *v, u32 n)
{
	u8 *p = count_at(v);

	n = min(n, v->max);
	p[0] = (u8)(n >> 8);
	p[1] = (u8)n;
}

static u8 *ptr_at(const struct xfs_bt_view *v, u32 i)
{
	return v->p + v->head + (size_t)v->max * v->entry + (size_t)i * v->ptr;
}

u64 xfs_bt_ptr(const struct xfs_bt_view *v, u32 i)
{
	return v->ptr == 8 ? xfs_get64(ptr_at(v, i)) : xfs_get32(ptr_at(v, i));
}

void xfs_bt_set_ptr(const struct xfs_bt_view *v, u32 i, u64 ptr)
{
	if (v->ptr == 8)
		xfs_put64(ptr_at(v, i), ptr);
	else
		xfs_put32(ptr_at(v, i), (u32)ptr);
}

u64 xfs_bt_null(const struct xfs_bt_cur *c)
{
	return c->shape->wide ? XFS_NULL64 : XFS_NULL32;
}

bool xfs_bt_is_null(const struct xfs_bt_cur *c, u64 ptr)
{
	return ptr == xfs_bt_null(c);
}

/* Siblings follow the first 8 bytes. */
u64 xfs_bt_sibling(const struct xfs_bt_view *v, bool right)
{
	return v->ptr == 8 ? xfs_get64(v->p + 8 + (right ? 8 : 0)) :
			     xfs_get32(v->p + 8 + (right ? 4 : 0));
}

void xfs_bt_set_sibling(const struct xfs_bt_view *v, bool right, u64 ptr)
{
	if (v->ptr == 8)
		xfs_put64(v->p + 8 + (right ? 8 : 0), ptr);
	else
		xfs_put32(v->p + 8 + (right ? 4 : 0), (u32)ptr);
}

void xfs_bt_key(const struct xfs_bt_view *v, u32 i, struct xfs_bt_key *k)
{
	if (v->level)
		memcpy(k->b, xfs_bt_entry(v, i), v->c->shape->key);
	else
		v->c->shape->key_of(xfs_bt_entry(v, i), k);
}

void xfs_bt_high_key(const struct xfs_bt_view *v, u32 i, struct xfs_bt_key *k)
{
	const struct xfs_bt_shape *s = v->c->shape;

	if (v->level)
		memcpy(k->b, xfs_bt_entry(v, i) + s->key, s->key);
	else
		s->high_of(xfs_bt_entry(v, i), k);
}

void xfs_bt_node_key(const struct xfs_bt_view *v, u8 *out)
{
	const struct xfs_bt_shape *s = v->c->shape;
	struct xfs_bt_key k, high;

	xfs_bt_key(v, 0, &k);
	memcpy(out, k.b, s->key);
	if (!s->overlap)
		return;
	xfs_bt_high_key(v, 0, &high);
	for (u32 i = 1; i < xfs_bt_count(v); i++) {
		xfs_bt_high_key(v, i, &k);
		if (s->cmp(k.b, high.b) > 0)
			high = k;
	}
	memcpy(out + s->key, high.b, s->key);
}

void xfs_bt_log_head(const struct xfs_bt_view *v)
{
	if (v->b)
		xfs_tx_log(v->c->tx, v->b, 0, v->head);
	else
		v->c->ops->log_iroot(v->c);
}

void xfs_bt_log(const struct xfs_bt_view *v, u32 first, u32 count)
{
	xfs_bt_log_head(v);
	count = min(count, v->max);
	if (!v->b || first >= count)
		return;
	xfs_tx_log(v->c->tx, v->b, v->head + first * v->entry, (count - first) * v->entry);
	if (v->level)
		xfs_tx_log(v->c->tx, v->b, (u32)(ptr_at(v, first) - v->p),
			   (count - first) * v->ptr);
}

void xfs_bt_move(const struct xfs_bt_view *a, u32 from, const struct xfs_bt_view *b, u32 to, u32 n)
{
	/* Damage: a block of the path was also on the free list, and was changed as another one. */
	if (n > a->max || from > a->max - n || n > b->max || to > b->max - n) {
		xfs_bt_bad_at(a->c, "count", b->b ? b->b->daddr : 0, n);
		return;
	}
	memmove(xfs_bt_entry(b, to), xfs_bt_entry(a, from), (size_t)n * a->entry);
	if (a->level)
		memmove(ptr_at(b, to), ptr_at(a, from), (size_t)n * a->ptr);
}

void xfs_bt_set(const struct xfs_bt_view *v, u32 i, const u8 *entry, u64 ptr)
{
	if (i >= v->max)	/* see xfs_bt_move() */
		return;
	memcpy(xfs_bt_entry(v, i), entry, v->entry);
	if (v->level)
		xfs_bt_set_ptr(v, i, ptr);
}
