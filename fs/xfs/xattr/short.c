// SPDX-License-Identifier: MIT
/*
 * Attributes in the inode. The fork begins where it has just the room it needs when it is made or
 * grows; the data fork keeps what it has, and room for a btree's root.
 */
#include "fs/xfs/xattr/xattr_priv.h"
#include "fs/xfs/dirent/dirent.h"

#define HEAD ((u32)sizeof(struct xfs_dattr_sf))
#define ROOT 52u		/* a root with three pointers */

/* Bytes that the data fork has in use. */
static u32 data_used(const struct xfs_xop *o)
{
	const struct xfs_core *c = &o->ip->node.core;
	u32 level, n;
	struct xfs_fork k;

	switch (c->format) {
	case XFS_FMT_LOCAL:
		return (u32)c->size;
	case XFS_FMT_EXTENTS:
		return (u32)c->nextents * 16;
	case XFS_FMT_BTREE:
		xfs_fork_of(o->sb, c, o->ip->node.literal, false, &k);
		xfs_bmdr_head(&k, &level, &n);
		return 4 + 16 * n;
	}
	return 8;
}

u32 xfs_xshort_fit(const struct xfs_xop *o, u32 bytes)
{
	const struct xfs_core *c = &o->ip->node.core;
	u32 all = xfs_literal_size(o->sb), low, off;

	if (c->forkoff && bytes <= all - c->forkoff)
		return c->forkoff;
	if (bytes > all || (c->format == XFS_FMT_BTREE && c->forkoff))
		return 0;
	off = (all - bytes) & ~7u;
	if (c->format == XFS_FMT_DEV)
		return off >= 8 ? 8 : 0;
	low = round_up(max(data_used(o), ROOT), 8u);
	off = min(off, (all - ROOT) & ~7u);
	return off >= low ? off : 0;
}

/* The fork, empty or about to be filled, begins at FORKOFF. */
void xfs_xshort_move(struct xfs_xop *o, u32 forkoff)
{
	struct xfs_core *c = &o->ip->node.core;
	u32 all = xfs_literal_size(o->sb), old = c->forkoff ?: all, size = forkoff ?: all;
	u8 *p = xfs_ino_literal(o->ip);

	if (c->format == XFS_FMT_BTREE && old != size) {
		u32 n = (data_used(o) - 4) / 16;

		memmove(p + 4 + (size - 4) / 16 * 8, p + 4 + (old - 4) / 16 * 8, n * 8);
	}
	if (size > old)
		memset(p + old, 0, size - old);
	if (forkoff)
		memset(p + forkoff, 0, all - forkoff);
	c->forkoff = forkoff;
	xfs_tx_inode(o->tx, o->ip,
		     XFS_LI_CORE | (c->format == XFS_FMT_BTREE	 ? XFS_LI_DBROOT :
				    c->format == XFS_FMT_EXTENTS ? XFS_LI_DEXT :
				    c->format == XFS_FMT_LOCAL	 ? XFS_LI_DDATA :
								   XFS_LI_DEV));
}

static const u8 *short_of(const struct xfs_xop *o)
{
	static const u8 none[4] = { 0, 4, 0, 0 };
	const struct xfs_core *c = &o->ip->node.core;

	return c->forkoff && c->aformat == XFS_FMT_LOCAL ? o->ip->node.literal + c->forkoff : none;
}

static u32 entry_put(u8 *to, const u8 *name, u32 len, const u8 *value, u32 valuelen, u8 flags)
{
	to[0] = (u8)len;
	to[1] = (u8)valuelen;
	to[2] = flags & (u8)~XFS_ATTR_LOCAL;
	memcpy(to + 3, name, len);
	if (valuelen)
		memcpy(to + 3 + len, value, valuelen);
	return 3 + len + valuelen;
}

/* The fork has the TOTAL bytes at SF, at FORKOFF; or nothing. */
static void store(struct xfs_xop *o, const u8 *sf, u32 total, u32 forkoff)
{
	struct xfs_core *c = &o->ip->node.core;

	if (total == HEAD && c->format != XFS_FMT_BTREE && !(o->sb->incompat & XFS_IN_PARENT)) {
		xfs_xshort_move(o, 0);
		c->aformat = XFS_FMT_EXTENTS;
		return;
	}
	xfs_xshort_move(o, forkoff);
	c->aformat = XFS_FMT_LOCAL;
	memcpy(xfs_ino_literal(o->ip) + forkoff, sf, total);
	xfs_tx_inode(o->tx, o->ip, XFS_LI_CORE | XFS_LI_ADATA);
}

int xfs_xshort_change(struct xfs_xop *o, bool remove)
{
	const struct xfs_xattr *x = o->x;
	u32 total = HEAD, forkoff, n = 0;
	const u8 *old = short_of(o);
	struct xfs_attr a;
	u8 *sf;

	if (!remove && (x->valuelen > 255 || x->len > 255))
		return -EFBIG;
	for (u32 i = 0; xfs_attrsf_next(old, &i, &a);)
		total += xfs_xop_is(o, &a) ? 0 : 3u + a.namelen + a.valuelen;
	if (!remove)
		total += 3 + x->len + x->valuelen;
	forkoff = xfs_xshort_fit(o, total);
	if (!forkoff)
		return -EFBIG;
	sf = xfs_mem(total);
	if (!sf)
		return -ENOMEM;
	sf[0] = (u8)(total >> 8);
	sf[1] = (u8)total;
	total = HEAD;
	for (u32 i = 0; xfs_attrsf_next(old, &i, &a); n++) {
		if (xfs_xop_is(o, &a))
			n--;
		else
			total += entry_put(sf + total, a.name, a.namelen, a.value, a.valuelen,
					   a.flags);
	}
	if (!remove && n < 255) {
		total += entry_put(sf + total, x->name, x->len, x->value, x->valuelen, x->space);
		n++;
	} else if (!remove) {
		xfs_mem_free(sf);
		return -EFBIG;
	}
	sf[2] = (u8)n;
	store(o, sf, total, forkoff);
	xfs_mem_free(sf);
	return 0;
}

/* A place for the fork, where there is none yet. */
static int make_fork(struct xfs_xop *o)
{
	struct xfs_core *c = &o->ip->node.core;
	u32 off = xfs_xshort_fit(o, HEAD), all = xfs_literal_size(o->sb);
	int e = 0;

	if (!off) {
		off = min(288u, (all - ROOT) & ~7u);
		if (c->format == XFS_FMT_LOCAL && (c->mode & 0170000) == 0040000)
			e = xfs_dirent_unshort(o->tx, o->ip);
		else if (c->format != XFS_FMT_LOCAL)
			e = xfs_bmap_fit(o->tx, o->ip, off);
		else
			e = -ENOSPC;
	}
	if (!e)
		xfs_xshort_move(o, off);
	return e;
}

int xfs_xshort_to_leaf(struct xfs_xop *o)
{
	struct xfs_core *c = &o->ip->node.core;
	const u8 *now = short_of(o);
	u32 size = (u32)now[0] << 8 | now[1];
	struct xfs_attr a;
	struct xfs_txbuf *b;
	u8 *old;
	int e = c->forkoff ? 0 : make_fork(o);

	if (e)
		return e;
	old = xfs_mem(size);
	if (!old)
		return -ENOMEM;
	memcpy(old, now, size);
	memset(xfs_ino_literal(o->ip) + c->forkoff, 0, xfs_literal_size(o->sb) - c->forkoff);
	c->aformat = XFS_FMT_EXTENTS;
	c->anextents = 0;
	xfs_tx_inode(o->tx, o->ip, XFS_LI_CORE | XFS_LI_AEXT);
	e = xfs_fork_new(o->tx, o->ip, true, 0, XFS_BLK_ATTR, &b);
	if (!e)
		xfs_xleaf_init(o, b);
	for (u32 i = 0; !e && xfs_attrsf_next(old, &i, &a);) {
		struct xfs_xattr x = { a.name, a.value, a.namelen, a.valuelen,
				       a.flags & XFS_ATTR_SPACE };

		a.hash = xfs_xattr_hash(&x);
		if (!xfs_xleaf_put(o->tx, b, xfs_attr_leaf_find(b->data, a.hash), &a))
			e = xfs_xop_bad(o, "totsize", size);
	}
	xfs_mem_free(old);
	return e;
}

int xfs_xleaf_to_short(struct xfs_xop *o, struct xfs_txbuf *b)
{
	u32 n = xfs_attr_leaf_count(b->data), total = HEAD, forkoff;
	struct xfs_core *c = &o->ip->node.core;
	u8 *sf;
	int e;

	for (u32 i = 0; i < n; i++) {
		struct xfs_attr a;

		xfs_attr_leaf_at(b->data, i, &a);
		if (!a.value || a.valuelen > 255 || (a.flags & XFS_ATTR_INCOMPLETE))
			return 0;
		total += 3u + a.namelen + a.valuelen;
	}
	forkoff = xfs_xshort_fit(o, total);
	if (!forkoff || n > 255 || !xfs_fork_may_free(o->tx, true, 1))
		return 0;
	sf = xfs_mem(total);
	if (!sf)
		return -ENOMEM;
	sf[0] = (u8)(total >> 8);
	sf[1] = (u8)total;
	sf[2] = (u8)n;
	total = HEAD;
	for (u32 i = 0; i < n; i++) {
		struct xfs_attr a;

		xfs_attr_leaf_at(b->data, i, &a);
		total += entry_put(sf + total, a.name, a.namelen, a.value, a.valuelen, a.flags);
	}
	e = xfs_fork_shrink(o->tx, o->ip, true, 0, b);
	if (!e && c->anextents)
		e = xfs_xop_bad(o, "anextents", c->anextents);
	if (!e)
		store(o, sf, total, forkoff);
	xfs_mem_free(sf);
	return e;
}
