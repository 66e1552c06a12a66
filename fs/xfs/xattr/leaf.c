// SPDX-License-Identifier: MIT
/*
 * A leaf of attributes: sorted hashes from the beginning, names and values from the end. Between
 * them is one free piece, the only one of which the header's map tells; holes that removed names
 * left are closed when that one is too small.
 */
#include "fs/xfs/xattr/xattr_priv.h"

#define HEAD ((u32)sizeof(struct xfs_dattr_leaf))
#define ENT ((u32)sizeof(struct xfs_dattr_ent))

static struct xfs_dattr_leaf *head_of(struct xfs_txbuf *b)
{
	return (void *)b->data;
}

static struct xfs_dattr_ent *ents_of(const void *p)
{
	return (void *)((u8 *)(uintptr_t)p + HEAD);
}

/* A name with a long value has two bytes that are not used: the format's. */
u32 xfs_xleaf_size(const struct xfs_attr *a)
{
	return a->flags & XFS_ATTR_LOCAL ? round_up(3u + a->namelen + a->valuelen, 4u) :
					   round_up(11u + a->namelen, 4u);
}

static u32 size_at(const void *p, u32 i)
{
	struct xfs_attr a;

	xfs_attr_leaf_at(p, i, &a);
	return xfs_xleaf_size(&a);
}

u32 xfs_xleaf_bytes(const void *p, u32 from, u32 to)
{
	u32 bytes = 0;

	for (u32 i = from; i < to; i++)
		bytes += ENT + size_at(p, i);
	return bytes;
}

u32 xfs_xleaf_room(const struct xfs_txbuf *b)
{
	return b->len - HEAD;
}

/* The header says what is there. */
static void settle(struct xfs_tx *tx, struct xfs_txbuf *b, u32 n)
{
	struct xfs_dattr_leaf *h = head_of(b);
	u32 first = b->len, used = 0, end = HEAD + n * ENT;

	for (u32 i = 0; i < n; i++) {
		first = min(first, (u32)be16_get(ents_of(h)[i].nameidx));
		used += size_at(h, i);
	}
	h->count = be16_make((u16)n);
	h->usedbytes = be16_make((u16)used);
	h->firstused = be16_make((u16)first);
	h->holes = used != b->len - first;
	memset(h->freemap, 0, sizeof(h->freemap));
	h->freemap[0].base = be16_make((u16)end);
	h->freemap[0].size = be16_make((u16)(first - end));
	xfs_tx_log(tx, b, 0, HEAD);
}

/* Entries FROM to TO were changed. */
static void log_ents(struct xfs_tx *tx, struct xfs_txbuf *b, u32 from, u32 to)
{
	if (from < to)
		xfs_tx_log(tx, b, HEAD + from * ENT, (to - from) * ENT);
}

void xfs_xleaf_init(struct xfs_xop *o, struct xfs_txbuf *b)
{
	struct xfs_da d = { .tx = o->tx, .ip = o->ip, .attr = true };

	xfs_da_init(&d, b, XFS_ATTR_LEAF_MAGIC);
	settle(o->tx, b, 0);
	xfs_tx_log_all(o->tx, b);	/* what lay there before must not come back */
}

static void name_put(u8 *to, const struct xfs_attr *a)
{
	if (a->flags & XFS_ATTR_LOCAL) {
		struct xfs_dattr_local *l = (void *)to;

		l->valuelen = be16_make((u16)a->valuelen);
		l->namelen = a->namelen;
		memcpy(l->name, a->name, a->namelen);
		if (a->valuelen)
			memcpy(l->name + a->namelen, a->value, a->valuelen);
	} else {
		struct xfs_dattr_remote *r = (void *)to;

		r->block = be32_make(a->block);
		r->valuelen = be32_make(a->valuelen);
		r->namelen = a->namelen;
		memcpy(r->name, a->name, a->namelen);
	}
}

/* All names go to the end, without holes. */
static bool pack(struct xfs_tx *tx, struct xfs_txbuf *b)
{
	u32 n = xfs_attr_leaf_count(b->data), at = b->len;
	u8 *copy = xfs_mem(b->len);

	if (!copy)
		return false;
	memcpy(copy, b->data, b->len);
	memset(b->data + HEAD + n * ENT, 0, b->len - HEAD - n * ENT);
	for (u32 i = 0; i < n; i++) {
		u32 size = size_at(copy, i);

		if (size > at - HEAD - n * ENT)
			break;	/* names that overlap: the block is damaged */
		at -= size;
		memcpy(b->data + at, copy + be16_get(ents_of(copy)[i].nameidx),
		       min(size, b->len - be16_get(ents_of(copy)[i].nameidx)));
		ents_of(b->data)[i].nameidx = be16_make((u16)at);
	}
	xfs_mem_free(copy);
	settle(tx, b, n);
	xfs_tx_log_all(tx, b);
	return true;
}

bool xfs_xleaf_put(struct xfs_tx *tx, struct xfs_txbuf *b, u32 i, const struct xfs_attr *a)
{
	struct xfs_dattr_leaf *h = head_of(b);
	u32 n = be16_get(h->count), size = xfs_xleaf_size(a), first = be16_get(h->firstused);

	first = first ?: b->len;
	if (xfs_xleaf_bytes(h, 0, n) + size + ENT > xfs_xleaf_room(b))
		return false;
	if (first - HEAD - n * ENT < size + ENT) {
		if (!pack(tx, b))
			return false;
		first = be16_get(h->firstused);
		if (first - HEAD - n * ENT < size + ENT)
			return false;
	}
	memmove(ents_of(h) + i + 1, ents_of(h) + i, (n - i) * ENT);
	ents_of(h)[i] = (struct xfs_dattr_ent){ be32_make(a->hash), be16_make((u16)(first - size)),
						a->flags, 0 };
	memset(b->data + first - size, 0, size);
	name_put(b->data + first - size, a);
	xfs_tx_log(tx, b, first - size, size);
	log_ents(tx, b, i, n + 1);
	settle(tx, b, n + 1);
	return true;
}

void xfs_xleaf_del(struct xfs_tx *tx, struct xfs_txbuf *b, u32 i)
{
	u32 n = xfs_attr_leaf_count(b->data);

	memmove(ents_of(b->data) + i, ents_of(b->data) + i + 1, (n - i - 1) * ENT);
	memset(ents_of(b->data) + n - 1, 0, ENT);
	log_ents(tx, b, i, n);
	settle(tx, b, n - 1);
}

void xfs_xleaf_split(struct xfs_tx *tx, struct xfs_txbuf *left, struct xfs_txbuf *right, u32 from)
{
	u32 n = xfs_attr_leaf_count(left->data);

	settle(tx, right, 0);
	for (u32 i = from; i < n; i++) {
		struct xfs_attr a;

		xfs_attr_leaf_at(left->data, i, &a);
		if (!xfs_xleaf_put(tx, right, i - from, &a))
			break;
	}
	memset(ents_of(left->data) + from, 0, (n - from) * ENT);
	log_ents(tx, left, from, n);
	settle(tx, left, from);
}

/* ---- what the tree asks ---- */

static bool leaf_empty(struct xfs_da *d, const void *p)
{
	(void)d;
	return !xfs_attr_leaf_count(p);
}

static bool leaf_small(struct xfs_da *d, const void *p)
{
	return xfs_xleaf_bytes(p, 0, xfs_attr_leaf_count(p)) <=
	       (d->tx->fs->vol.sb.blocksize - HEAD) / 2;
}

static u32 leaf_last(const void *p)
{
	u32 n = xfs_attr_leaf_count(p);

	return n ? be32_get(ents_of(p)[n - 1].hash) : 0;
}

static bool leaf_join(struct xfs_da *d, struct xfs_txbuf *left, struct xfs_txbuf *right)
{
	u32 l = xfs_attr_leaf_count(left->data), r = xfs_attr_leaf_count(right->data);
	u32 room = xfs_xleaf_room(left);

	if (xfs_xleaf_bytes(left->data, 0, l) + xfs_xleaf_bytes(right->data, 0, r) >
		    room - room / 4 ||
	    !pack(d->tx, left))
		return false;
	for (u32 i = 0; i < r; i++) {
		struct xfs_attr a;

		xfs_attr_leaf_at(right->data, i, &a);
		if (!xfs_xleaf_put(d->tx, left, l + i, &a))
			break;
	}
	return true;
}

const struct xfs_da_leaf xfs_xleaf = {
	.magic = XFS_ATTR_LEAF_MAGIC,
	.empty = leaf_empty,
	.small = leaf_small,
	.join = leaf_join,
	.last = leaf_last,
};
