// SPDX-License-Identifier: MIT
/*
 * Hashes and addresses of names, sorted by hash. One whose name is removed stays, without an
 * address ("stale"), until a new one can use its place: then only those between are moved.
 */
#include "fs/xfs/dirent/dirent_priv.h"

static bool is_stale(const struct xfs_ddir_ent *e)
{
	return !be32_get(e->addr);
}

struct xfs_ents_range xfs_ents_put(struct xfs_ents *s, u32 hash, u32 addr)
{
	struct xfs_ddir_ent new = { be32_make(hash), be32_make(addr) };
	u32 at = xfs_dir_hash_find(s->e, s->n, hash), lo, hi;

	if (!s->stale) {
		memmove(s->e + at + 1, s->e + at, (s->n - at) * sizeof(new));
		s->e[at] = new;
		s->n++;
		return (struct xfs_ents_range){ at, s->n };
	}
	/* The nearer one of the last stale before AT and the first from AT on. */
	for (lo = at; lo && !is_stale(s->e + lo - 1);)
		lo--;
	for (hi = at; hi < s->n && !is_stale(s->e + hi);)
		hi++;
	if (!lo && hi == s->n)
		return (struct xfs_ents_range){ 0, 0 };
	s->stale--;
	if (hi == s->n || (lo && at - lo < hi - at)) {
		lo--;		/* it is there: those up to AT move down */
		memmove(s->e + lo, s->e + lo + 1, (at - 1 - lo) * sizeof(new));
		s->e[at - 1] = new;
		return (struct xfs_ents_range){ lo, at };
	}
	memmove(s->e + at + 1, s->e + at, (hi - at) * sizeof(new));
	s->e[at] = new;
	return (struct xfs_ents_range){ at, hi + 1 };
}

void xfs_ents_pack(struct xfs_ents *s, u32 keep)
{
	u32 to = 0, gone = s->stale > keep ? s->stale - keep : 0;

	for (u32 i = 0; i < s->n; i++) {
		if (gone && is_stale(s->e + i)) {
			gone--;
			s->stale--;
			continue;
		}
		s->e[to++] = s->e[i];
	}
	s->n = to;
}

int xfs_ents_find(struct xfs_dop *o, const struct xfs_ents *s, struct xfs_txbuf *names, u32 *i,
		  struct xfs_txbuf **b, u32 *at)
{
	for (*i = xfs_dir_hash_find(s->e, s->n, o->hash); *i < s->n; ++*i) {
		u32 addr = be32_get(s->e[*i].addr), db = xfs_dir_addr_db(o->sb, addr);
		struct xfs_dirent d;
		int e;

		if (be32_get(s->e[*i].hash) != o->hash)
			return -ENOENT;
		if (!addr)
			continue;
		*b = names;
		if (names ? db != 0 : (u64)addr << 3 >= XFS_DIR_LEAF_START)
			return xfs_dop_bad(o, "address", addr);
		e = names ? 0 : xfs_dd_get(o, db, b);
		if (e)
			return e;
		*at = (u32)(((u64)addr << 3) % o->sb->dirblksize);
		if (!xfs_dir_data_entry(o->sb, (*b)->data, db, *at, &d))
			return xfs_dop_bad(o, "address", addr);
		if (d.len == o->len && !memcmp(d.name, o->name, d.len))
			return 0;
		if (!names)
			xfs_tx_put(o->tx, *b);
	}
	return 1;
}
