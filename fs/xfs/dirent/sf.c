// SPDX-License-Identifier: MIT
/*
 * Short form: the names in the inode, in ascending order of the addresses that they would have in a
 * block. A new name gets the first hole among these that is large enough. Numbers of inodes have 4
 * bytes as long as that is enough for all, else 8.
 */
#include "fs/xfs/dirent/dirent_priv.h"

#define FIRST (XFS_DD_HEAD + 16 + 16)	/* behind "." and ".." */

static u8 *sf_of(struct xfs_dop *o)
{
	return xfs_ino_literal(o->dp);
}

static u32 sf_room(const struct xfs_dop *o)
{
	return o->dp->node.core.forkoff ?: xfs_literal_size(o->sb);
}

static void num_put(u8 *p, u32 w, u64 ino)
{
	while (w--) {
		p[w] = (u8)ino;
		ino >>= 8;
	}
}

static u32 width_of(const u8 *p)
{
	return p[1] ? 8 : 4;
}

static bool is_wide(u64 ino)
{
	return ino >> 32;
}

static void sf_log(struct xfs_dop *o)
{
	xfs_tx_inode(o->tx, o->dp, XFS_LI_CORE | XFS_LI_DDATA);
}

void xfs_dirent_init(struct xfs_tx *tx, struct xfs_ino *dp, u64 parent)
{
	struct xfs_core *c = &dp->node.core;
	u8 *p = xfs_ino_literal(dp);
	u32 w = is_wide(parent) ? 8 : 4;

	c->format = XFS_FMT_LOCAL;
	c->size = 2 + w;
	c->nextents = 0;
	p[0] = 0;
	p[1] = w == 8;
	num_put(p + 2, w, parent);
	xfs_tx_inode(tx, dp, XFS_LI_CORE | XFS_LI_DDATA);
}

/* An entry at AT; its length. */
static u32 entry_put(u8 *at, u32 w, u32 off, const u8 *name, u32 len, u64 ino, u8 ftype)
{
	at[0] = (u8)len;
	at[1] = (u8)(off >> 8);
	at[2] = (u8)off;
	memcpy(at + 3, name, len);
	at[3 + len] = ftype;
	num_put(at + 4 + len, w, ino);
	return 4 + len + w;
}

/* The same names with numbers of W bytes, in place; the room suffices. */
static int set_width(struct xfs_dop *o, u32 w)
{
	u8 *p = sf_of(o), *old;
	u32 size = (u32)o->dp->node.core.size, at = 2 + w;
	struct xfs_dirent d;

	if (width_of(p) == w)
		return 0;
	old = xfs_mem(size);
	if (!old)
		return -ENOMEM;
	memcpy(old, p, size);
	p[1] = w == 8;
	num_put(p + 2, w, xfs_dirsf_parent(old));
	for (u32 i = 0; xfs_dirsf_next(old, &i, &d);)
		at += entry_put(p + at, w, d.cookie << 3, d.name, d.len, d.ino, d.ftype);
	o->dp->node.core.size = at;
	xfs_mem_free(old);
	return 0;
}

/* Numbers that do not fit into 4 bytes, the parent's among them. */
static u32 count_wide(const u8 *p)
{
	u32 n = is_wide(xfs_dirsf_parent(p));
	struct xfs_dirent d;

	if (!p[1])
		return 0;
	for (u32 i = 0; xfs_dirsf_next(p, &i, &d);)
		n += is_wide(d.ino);
	return n;
}

/* Where O's name is: its place and the entry; -ENOENT. */
static int sf_find(struct xfs_dop *o, u32 *pos, struct xfs_dirent *d)
{
	u8 *p = sf_of(o);

	for (u32 i = 0; xfs_dirsf_next(p, &i, d);)
		if (d->len == o->len && !memcmp(d->name, o->name, o->len)) {
			*pos = (u32)(d->name - 3 - p);
			return 0;
		}
	return -ENOENT;
}

/*
 * The first address with room for O's name, and where its entry goes. -EFBIG: a block would not
 * have room for all.
 */
static int pick(struct xfs_dop *o, u32 *pos, u32 *off)
{
	const u8 *p = sf_of(o);
	u32 need = xfs_dd_size(o->len), cur = FIRST, end = (u32)o->dp->node.core.size;
	struct xfs_dirent d;

	*pos = end;
	for (u32 i = 0; xfs_dirsf_next(p, &i, &d);) {
		if (*pos == end && (d.cookie << 3) >= cur + need) {
			*pos = (u32)(d.name - 3 - p);
			*off = cur;
		}
		cur = (d.cookie << 3) + xfs_dd_size(d.len);
	}
	if (*pos == end) {
		*off = cur;
		cur += need;
	}
	cur += (p[0] + 3u) * (u32)sizeof(struct xfs_ddir_ent) + (u32)sizeof(struct xfs_ddir_tail);
	return cur > o->sb->dirblksize ? -EFBIG : 0;
}

int xfs_dirsf_add(struct xfs_dop *o)
{
	u8 *p = sf_of(o);
	u32 w = p[1] || is_wide(o->ino) ? 8 : 4, size = (u32)o->dp->node.core.size, pos, off;
	u32 grown = size + (width_of(p) != w ? (p[0] + 1u) * 4 : 0) + 4 + o->len + w;
	struct xfs_dirent d;
	int e;

	if (!sf_find(o, &pos, &d))
		return -EEXIST;
	if (grown > sf_room(o) || p[0] == 255)
		return -EFBIG;
	e = pick(o, &pos, &off);
	if (!e && width_of(p) != w) {
		e = set_width(o, w);
		e = e ?: pick(o, &pos, &off);
	}
	if (e)
		return e;
	size = (u32)o->dp->node.core.size;
	memmove(p + pos + 4 + o->len + w, p + pos, size - pos);
	entry_put(p + pos, w, off, o->name, o->len, o->ino, o->ftype);
	o->dp->node.core.size = size + 4 + o->len + w;
	p[0]++;
	if (w == 8)
		p[1] = (u8)min(count_wide(p), 255u);
	sf_log(o);
	return 0;
}

/* After a change: the count of large numbers, and their width, made right. */
static int narrow(struct xfs_dop *o)
{
	u8 *p = sf_of(o);
	u32 wide = count_wide(p);
	int e = p[1] && !wide ? set_width(o, 4) : 0;

	if (!e && p[1])
		p[1] = (u8)min(wide, 255u);
	sf_log(o);
	return e;
}

int xfs_dirsf_remove(struct xfs_dop *o)
{
	u8 *p = sf_of(o);
	u32 size = (u32)o->dp->node.core.size, pos, len;
	struct xfs_dirent d;
	int e = sf_find(o, &pos, &d);

	if (e || d.ino != o->ino)
		return -ENOENT;
	len = 4 + d.len + width_of(p);
	memmove(p + pos, p + pos + len, size - pos - len);
	o->dp->node.core.size = size - len;
	p[0]--;
	return narrow(o);
}

int xfs_dirsf_replace(struct xfs_dop *o)
{
	u8 *p = sf_of(o);
	bool up = o->len == 2 && !memcmp(o->name, "..", 2);
	u32 pos;
	struct xfs_dirent d;
	int e = up ? 0 : sf_find(o, &pos, &d);

	if (e)
		return e;
	if (is_wide(o->ino) && !p[1]) {
		if (o->dp->node.core.size + (p[0] + 1u) * 4 > sf_room(o))
			return -EFBIG;
		e = set_width(o, 8);
		if (!e && !up)
			e = sf_find(o, &pos, &d);
		if (e)
			return e;
	}
	if (up) {
		num_put(p + 2, width_of(p), o->ino);
	} else {
		p[pos + 3 + o->len] = o->ftype;
		num_put(p + pos + 4 + o->len, width_of(p), o->ino);
	}
	return narrow(o);
}

/* ---- to and from a block ---- */

/* The names of the short form at SF go into block B. */
static void fill_block(struct xfs_dop *o, struct xfs_txbuf *b, const u8 *sf)
{
	struct xfs_ents s = { .n = 0 };
	u32 at = FIRST, end, n = sf[0] + 2u;
	struct xfs_dirent d;

	((struct xfs_ddir_blk *)b->data)->magic = be32_make(XFS_DIR_BLOCK_MAGIC);
	end = o->sb->dirblksize - (u32)(sizeof(struct xfs_ddir_tail) + n * sizeof(*s.e));
	s.e = (void *)(b->data + end);
	xfs_dd_put(o, b, XFS_DD_HEAD, (const u8 *)".", 1, o->dp->node.core.ino, XFS_FT_DIR);
	xfs_dd_put(o, b, XFS_DD_HEAD + 16, (const u8 *)"..", 2, xfs_dirsf_parent(sf), XFS_FT_DIR);
	xfs_ents_put(&s, xfs_da_hash((const u8 *)".", 1), XFS_DD_HEAD >> 3);
	xfs_ents_put(&s, xfs_da_hash((const u8 *)"..", 2), (XFS_DD_HEAD + 16) >> 3);
	for (u32 i = 0; xfs_dirsf_next(sf, &i, &d);) {
		u32 off = d.cookie << 3;

		if (off > at)
			xfs_dd_mark_free(o, b, at, off - at);
		xfs_dd_put(o, b, off, d.name, d.len, d.ino, d.ftype);
		xfs_ents_put(&s, xfs_da_hash(d.name, d.len), d.cookie);
		at = off + xfs_dd_size(d.len);
	}
	if (end > at)
		xfs_dd_mark_free(o, b, at, end - at);
	xfs_dirblk_set(o, b, &s);
	xfs_dd_rescan(o, b);
	xfs_tx_log_all(o->tx, b);
}

/* All names have their addresses one behind the other, and leave room for their hashes. */
static bool addresses_ok(struct xfs_dop *o)
{
	const u8 *p = sf_of(o);
	u32 at = FIRST, tail = (p[0] + 2u) * 8 + 8;
	struct xfs_dirent d;

	for (u32 i = 0; xfs_dirsf_next(p, &i, &d);) {
		if ((d.cookie << 3) < at)
			return false;
		at = (d.cookie << 3) + xfs_dd_size(d.len);
	}
	return at + tail <= o->sb->dirblksize;
}

int xfs_dirsf_to_block(struct xfs_dop *o)
{
	struct xfs_core *c = &o->dp->node.core;
	u32 size = (u32)c->size;
	struct xfs_txbuf *b;
	u8 *old;
	int e;

	if (!addresses_ok(o))
		return xfs_dop_bad(o, "offset", size);
	e = xfs_dop_grow(o);
	if (e)
		return e;
	old = xfs_mem(size);
	if (!old)
		return -ENOMEM;
	memcpy(old, sf_of(o), size);
	memset(sf_of(o), 0, sf_room(o));
	c->format = XFS_FMT_EXTENTS;
	c->nextents = 0;
	c->size = 0;
	xfs_tx_inode(o->tx, o->dp, XFS_LI_CORE | XFS_LI_DEXT);
	e = xfs_dd_new(o, 0, &b);
	if (!e)
		fill_block(o, b, old);
	xfs_mem_free(old);
	return e;
}

/* The size of the names of B in short form; 0: it cannot have them. */
static u32 short_size(struct xfs_dop *o, struct xfs_txbuf *b, u32 *width)
{
	u32 n = 0, bytes = 0, wide = 0;
	struct xfs_dirent d;

	for (u32 at = XFS_DD_HEAD; xfs_dir_data_next(o->sb, b->data, 0, &at, &d);) {
		if (at <= FIRST) {
			wide += at == FIRST && is_wide(d.ino);
			continue;
		}
		n++;
		bytes += 4 + d.len;
		wide += is_wide(d.ino);
	}
	*width = wide ? 8 : 4;
	bytes += 2 + *width * (n + 1);
	return n > 255 || bytes > sf_room(o) ? 0 : bytes;
}

int xfs_dirblk_to_short(struct xfs_dop *o, struct xfs_txbuf *b)
{
	struct xfs_core *c = &o->dp->node.core;
	u32 w, size = short_size(o, b, &w), at = 2 + w;
	struct xfs_dirent d;
	u8 *sf;
	int e;

	if (!size || !xfs_fork_may_free(o->tx, false, c->format == XFS_FMT_BTREE))
		return 0;
	sf = xfs_mem(size);
	if (!sf)
		return -ENOMEM;
	for (u32 i = XFS_DD_HEAD; xfs_dir_data_next(o->sb, b->data, 0, &i, &d);) {
		if (i == FIRST)
			num_put(sf + 2, w, d.ino);
		if (i <= FIRST)
			continue;
		at += entry_put(sf + at, w, d.cookie << 3, d.name, d.len, d.ino, d.ftype);
		sf[0]++;
	}
	sf[1] = w == 8;
	e = xfs_dd_drop(o, 0, b);
	if (!e && (c->nextents || c->format != XFS_FMT_EXTENTS))
		e = xfs_dop_bad(o, "nextents", c->nextents);
	if (!e) {
		c->format = XFS_FMT_LOCAL;
		c->size = size;
		memset(sf_of(o), 0, sf_room(o));
		memcpy(sf_of(o), sf, size);
		if (w == 8)
			sf_of(o)[1] = (u8)min(count_wide(sf_of(o)), 255u);
		sf_log(o);
	}
	xfs_mem_free(sf);
	return e;
}
