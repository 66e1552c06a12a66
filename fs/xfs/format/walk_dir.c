// SPDX-License-Identifier: MIT
/* Names of directories: looking one up by its hash, and going over all. */
#include "fs/xfs/format/walk_priv.h"
#include <lib/string.h>

static u32 blocks_of(const struct xfs_sb *sb)
{
	return 1u << sb->dirblklog;
}

static int dir_bad(struct xfs_vol *v, const struct xfs_node *dir, const char *what,
		   const char *field, u64 value)
{
	return xfs_walk_bad_ino(v, &dir->core, XFS_SICK_INO_DIR, what, field, value);
}

/* A block of names or of hashes at block OFF; -ENOENT: a hole. */
static int dir_get(struct xfs_vol *v, const struct xfs_node *dir, enum xfs_kind kind, u64 off,
		   struct xfs_blk *b)
{
	u64 owner;
	int e = xfs_get_mapped(v, dir, false, kind, off, blocks_of(&v->sb), b);

	if (e)
		return e;
	owner = kind == XFS_BLK_DIR_HASH ? xfs_da_owner(b->data) : xfs_dir_blk_owner(b->data);
	if (owner == dir->core.ino)
		return 0;
	v->put(v, b);
	return dir_bad(v, dir, "directory block", "owner", owner);
}

struct wanted {
	const u8 *name;
	u32 len, hash;
	u64 ino;
	u8 ftype;
};

static bool take_if(struct wanted *w, const struct xfs_dirent *d)
{
	if (d->len != w->len || memcmp(d->name, w->name, w->len))
		return false;
	w->ino = d->ino;
	w->ftype = d->ftype;
	return true;
}

static int lookup_short(const struct xfs_node *dir, struct wanted *w)
{
	struct xfs_dirent d;

	for (u32 at = 0; xfs_dirsf_next(dir->literal, &at, &d);)
		if (take_if(w, &d))
			return 0;
	return -ENOENT;
}

/*
 * The name at ADDR (in units of 8 bytes): 0, or 1 where it is another. NULL NAMES: the block is
 * read.
 */
static int try_addr(struct xfs_vol *v, const struct xfs_node *dir, const void *names, u32 addr,
		    struct wanted *w)
{
	u64 byte = (u64)addr << 3;
	u32 db = (u32)(byte / v->sb.dirblksize), at = (u32)(byte % v->sb.dirblksize);
	struct xfs_blk b = { 0 };
	struct xfs_dirent d;
	int ret;

	if (names ? db != 0 : byte >= XFS_DIR_LEAF_START)
		return dir_bad(v, dir, "directory leaf", "address", addr);
	if (!names) {
		ret = dir_get(v, dir, XFS_BLK_DIR_DATA, (u64)db << v->sb.dirblklog, &b);
		if (ret == -ENOENT)
			return dir_bad(v, dir, "directory leaf", "address", addr);
		if (ret)
			return ret;
	}
	if (!xfs_dir_data_entry(&v->sb, names ?: b.data, db, at, &d))
		ret = dir_bad(v, dir, "directory leaf", "address", addr);
	else
		ret = take_if(w, &d) ? 0 : 1;
	if (!names)
		v->put(v, &b);
	return ret;
}

/*
 * Among sorted entries: 0, -errno, or 1: not here, but the next leaf may have it (all from some
 * point on have this hash).
 */
static int scan_ents(struct xfs_vol *v, const struct xfs_node *dir, const struct xfs_ddir_ent *e,
		     u32 n, const void *names, struct wanted *w)
{
	for (u32 i = xfs_dir_hash_find(e, n, w->hash); i < n; i++) {
		int ret;

		if (be32_get(e[i].hash) != w->hash)
			return -ENOENT;
		if (!be32_get(e[i].addr))
			continue;	/* stale */
		if (v->stop(v))
			return -EINTR;
		ret = try_addr(v, dir, names, be32_get(e[i].addr), w);
		if (ret <= 0)
			return ret;
	}
	return 1;
}

static int lookup_block(struct xfs_vol *v, const struct xfs_node *dir, struct wanted *w)
{
	struct xfs_blk b;
	int ret = dir_get(v, dir, XFS_BLK_DIR_DATA, 0, &b);

	if (ret == -ENOENT || (!ret && !xfs_dir_data_is_block(b.data))) {
		if (!ret)
			v->put(v, &b);
		return dir_bad(v, dir, "directory", "form", dir->core.size);
	}
	if (ret)
		return ret;
	ret = scan_ents(v, dir, xfs_dir_block_ents(&v->sb, b.data),
			xfs_dir_block_count(&v->sb, b.data), b.data, w);
	v->put(v, &b);
	return ret > 0 ? -ENOENT : ret;
}

/* Down from the root of hashes, in B, to the leaf of HASH. */
static int descend(struct xfs_vol *v, const struct xfs_node *dir, struct xfs_blk *b, u32 hash)
{
	u32 level = XFS_DA_MAXLEVELS + 1;

	while (xfs_da_magic(b->data) == XFS_DA_NODE_MAGIC) {
		u32 is = xfs_da_level(b->data), child = xfs_da_child(b->data, hash);
		int e;

		v->put(v, b);
		if (is >= level || child < XFS_DIR_LEAF_START >> v->sb.blocklog ||
		    child >= XFS_DIR_FREE_START >> v->sb.blocklog)
			return dir_bad(v, dir, "hash node", is >= level ? "level" : "before",
				       child);
		level = is;
		e = dir_get(v, dir, XFS_BLK_DIR_HASH, child, b);
		if (e)
			return e == -ENOENT ? dir_bad(v, dir, "hash node", "before", child) : e;
	}
	if (level != 1 && level <= XFS_DA_MAXLEVELS) {
		v->put(v, b);
		return dir_bad(v, dir, "hash node", "level", level);
	}
	return 0;
}

static int lookup_hashed(struct xfs_vol *v, const struct xfs_node *dir, struct xfs_blk *b,
			 struct wanted *w)
{
	struct xfs_chain chain = { 0 };
	int ret = descend(v, dir, b, w->hash);

	if (ret)
		return ret;
	for (;;) {
		u32 next = xfs_da_forw(b->data);

		ret = v->stop(v) ? -EINTR :
				   scan_ents(v, dir, xfs_dir_leaf_ents(b->data),
					     xfs_dir_leaf_count(b->data), NULL, w);
		v->put(v, b);
		if (ret <= 0)
			return ret;
		if (!next)
			return -ENOENT;
		if (xfs_chain_loops(&chain, next))
			return dir_bad(v, dir, "directory leaf", "forw", next);
		ret = dir_get(v, dir, XFS_BLK_DIR_HASH, next, b);
		if (ret == -ENOENT)
			return dir_bad(v, dir, "directory leaf", "forw", next);
		if (ret)
			return ret;
		if (xfs_da_magic(b->data) == XFS_DA_NODE_MAGIC) {
			v->put(v, b);
			return dir_bad(v, dir, "directory leaf", "forw", next);
		}
	}
}

int xfs_dir_lookup(struct xfs_vol *v, const struct xfs_node *dir, const u8 *name, u32 len, u64 *ino,
		   u8 *ftype)
{
	struct wanted w = { .name = name, .len = len, .hash = xfs_da_hash(name, len) };
	struct xfs_blk b;
	int e;

	if (dir->core.format == XFS_FMT_LOCAL) {
		if (len == 2 && !memcmp(name, "..", 2)) {
			*ino = xfs_dirsf_parent(dir->literal);
			*ftype = 2;
			return 0;
		}
		e = lookup_short(dir, &w);
	} else {
		e = dir_get(v, dir, XFS_BLK_DIR_HASH, XFS_DIR_LEAF_START >> v->sb.blocklog, &b);
		if (e == -ENOENT)
			e = lookup_block(v, dir, &w);
		else if (!e)
			e = lookup_hashed(v, dir, &b, &w);
	}
	*ino = w.ino;
	*ftype = w.ftype;
	return e;
}

/* ---- going over all ---- */

struct walk {
	u32 *cookie;
	xfs_dir_emit emit;
	void *ctx;
};

/* False: enough. */
static bool give(struct walk *w, const struct xfs_dirent *d)
{
	if (d->cookie < *w->cookie)
		return true;
	*w->cookie = d->cookie;
	if (!w->emit(w->ctx, d))
		return false;
	*w->cookie = d->cookie + 1;
	return true;
}

static int walk_short(struct xfs_vol *v, const struct xfs_node *dir, struct walk *w)
{
	struct xfs_dirent dot = { .ino = dir->core.ino,
				  .name = (const u8 *)"..",
				  .cookie = XFS_COOKIE_DOT(&v->sb),
				  .len = 1,
				  .ftype = 2 };
	struct xfs_dirent dotdot = dot, d;

	dotdot.ino = xfs_dirsf_parent(dir->literal);
	dotdot.len = 2;
	dotdot.cookie = XFS_COOKIE_DOTDOT(&v->sb);
	if (!give(w, &dot) || !give(w, &dotdot))
		return 0;
	for (u32 at = 0; xfs_dirsf_next(dir->literal, &at, &d);)
		if (!give(w, &d))
			return 0;
	return 0;
}

/* The entries of one block; 1: enough. */
static int walk_block(struct xfs_vol *v, const void *p, u32 db, struct walk *w)
{
	struct xfs_dirent d;

	for (u32 at = sizeof(struct xfs_ddir_data); xfs_dir_data_next(&v->sb, p, db, &at, &d);)
		if (!give(w, &d))
			return 1;
	return 0;
}

int xfs_dir_walk(struct xfs_vol *v, const struct xfs_node *dir, u32 *cookie, xfs_dir_emit emit,
		 void *ctx)
{
	struct walk w = { cookie, emit, ctx };
	const struct xfs_sb *sb = &v->sb;
	u64 end = XFS_DIR_LEAF_START >> sb->blocklog, off;

	if (dir->core.format == XFS_FMT_LOCAL)
		return walk_short(v, dir, &w);
	off = ((u64)*cookie << 3) / sb->dirblksize << sb->dirblklog;
	while (off < end) {
		struct xfs_map m;
		struct xfs_blk b;
		int e = v->stop(v) ? -EINTR : xfs_bmap(v, dir, false, off, &m);

		if (e)
			return e;
		if (m.type == XFS_MAP_HOLE) {
			off = round_up(m.off + m.count, (u64)blocks_of(sb));
			continue;
		}
		e = dir_get(v, dir, XFS_BLK_DIR_DATA, off, &b);
		if (e)
			return e;
		e = walk_block(v, b.data, (u32)(off >> sb->dirblklog), &w);
		v->put(v, &b);
		if (e)
			return 0;
		off += blocks_of(sb);
	}
	return 0;
}
