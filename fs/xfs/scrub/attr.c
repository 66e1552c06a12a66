// SPDX-License-Identifier: MIT
/*
 * Attributes: the tree of their hashes, how its leaves use their bytes, and that each attribute is
 * found by its name, with its value.
 */
#include "fs/xfs/scrub/scrub.h"
#include "fs/xfs/format/da.h"
#include "fs/xfs/xattr/xattr.h"
#include <alloc/slab.h>
#include <lib/minmax.h>
#include <sched/task.h>

#define HEAD ((u32)sizeof(struct xfs_dattr_leaf))
#define REMOTE_HEAD 11u			/* with padding that is used for nothing */
#define FLAGS (XFS_ATTR_LOCAL | XFS_ATTR_SPACE | XFS_ATTR_INCOMPLETE)

struct attrs {
	struct xfs_scrub *sc;
	u8 *used;			/* of a leaf: a byte each */
	u8 *value;
	int error;
	bool preen;			/* it could be in better order */
};

/* LEN bytes from AT on are used, and were not. */
static bool use(const struct xfs_scrub *sc, u8 *used, u32 at, u32 len)
{
	u32 size = sc->mp->fs.vol.sb.blocksize;

	if (at > size || len > size - at || memchr_inv(used + at, 0, len))
		return false;
	memset(used + at, 1, len);
	return true;
}

static u32 hash_of(const struct xfs_attr *a)
{
	u32 h = xfs_da_hash(a->name, a->namelen);
	struct xfs_parent p;

	if (xfs_parent_of(a, &p))
		h ^= (u32)(p.ino >> 32) ^ (u32)p.ino;
	return h;
}

/* Entry I of a verified leaf; *BYTES: what its name and value take. */
static bool entry_ok(struct attrs *as, const struct xfs_dattr_leaf *d, u32 i, u32 *bytes)
{
	const struct xfs_dattr_ent *e = (const struct xfs_dattr_ent *)(d + 1) + i;
	struct xfs_attr a;
	u32 len;

	xfs_attr_leaf_at(d, i, &a);
	if (a.flags & XFS_ATTR_LOCAL)
		len = (u32)sizeof(struct xfs_dattr_local) + a.namelen + a.valuelen;
	else
		len = REMOTE_HEAD + a.namelen;
	len = (len + 3) & ~3u;
	*bytes += len;
	as->preen |= a.flags & XFS_ATTR_INCOMPLETE;
	return !e->pad && !(a.flags & ~FLAGS) && (a.flags & XFS_ATTR_LOCAL || a.block) &&
	       use(as->sc, as->used, HEAD + i * (u32)sizeof(*e), sizeof(*e)) &&
	       use(as->sc, as->used, be16_get(e->nameidx), len) && hash_of(&a) == a.hash;
}

static int check_leaf(struct xfs_scrub *sc, const void *p, const u32 *limit, void *ctx)
{
	const struct xfs_dattr_leaf *d = p;
	u32 n = xfs_attr_leaf_count(p), bytes = 0;
	struct attrs *as = ctx;

	memset(as->used, 0, sc->mp->fs.vol.sb.blocksize);
	if (d->pad1 || be32_get(d->pad2) || !use(sc, as->used, 0, HEAD))
		return -XFS_CORRUPT;
	as->preen |= d->holes;
	for (u32 i = 0; i < n; i++)
		if (!entry_ok(as, d, i, &bytes))
			return -XFS_CORRUPT;
	if (n) {
		struct xfs_attr last;

		xfs_attr_leaf_at(p, n - 1, &last);
		if (limit && last.hash != *limit)
			return -XFS_CORRUPT;
	}
	for (u32 i = 0; i < 3; i++) {
		u32 base = be16_get(d->freemap[i].base), size = be16_get(d->freemap[i].size);

		if (!use(sc, as->used, base, size))
			return -XFS_CORRUPT;
		as->preen |= base && !size;
	}
	return be16_get(d->usedbytes) == bytes ? 0 : -XFS_CORRUPT;
}

/* It is found by its name. */
static bool check_one(void *ctx, const struct xfs_attr *a)
{
	struct attrs *as = ctx;
	struct xfs_scrub *sc = as->sc;
	u8 space = a->flags & XFS_ATTR_SPACE;
	struct xfs_parent p;
	long got;

	if (fatal_signal_pending(current)) {
		as->error = -EINTR;
	} else if (space == XFS_ATTR_PARENT) {
		/* One name may be in several directories: a look-up needs the value, too. */
		if (!xfs_parent_of(a, &p))
			as->error = -XFS_CORRUPT;
	} else if (memchr(a->name, 0, a->namelen)) {
		as->error = -XFS_CORRUPT;
	} else {
		got = xfs_attr_get(sc->vol, xfs_scrub_node(sc), a->name, a->namelen, space,
				   as->value, max(a->valuelen, 1u));
		if (got == -ENODATA || got == -ERANGE || (got >= 0 && got != (long)a->valuelen))
			as->error = -XFS_CORRUPT;
		else if (got < 0)
			as->error = xfs_errno((int)got);
	}
	cond_resched();
	return !as->error;
}

static int check(struct attrs *as, const struct xfs_fork *k)
{
	struct xfs_scrub_da d = { .attr = true, .leaf = check_leaf, .ctx = as };
	struct xfs_scrub *sc = as->sc;
	int e = 0;

	if (k->format != XFS_FMT_LOCAL)
		e = xfs_scrub_walk_da(sc, &d);
	if (e)
		return e == -ENOENT ? -XFS_CORRUPT : e;
	if (as->preen)
		sc->req->flags |= XFS_SCRUB_PREEN;
	e = xfs_attr_walk(sc->vol, xfs_scrub_node(sc), check_one, as);
	return e ?: as->error;
}

int xfs_scrub_xattr(struct xfs_scrub *sc)
{
	const struct xfs_node *n = xfs_scrub_node(sc);
	struct attrs as = { .sc = sc };
	struct xfs_fork k;
	int e = -ENOMEM;

	if (!xfs_fork_of(&sc->mp->fs.vol.sb, &n->core, n->literal, true, &k) ||
	    (k.format == XFS_FMT_EXTENTS && !k.nextents))
		return -ENOENT;
	as.used = kmalloc(sc->mp->fs.vol.sb.blocksize, GFP_NOFS);
	as.value = kvmalloc(XFS_ATTR_MAX_VALUE, GFP_NOFS);
	if (as.used && as.value)
		e = check(&as, &k);
	kvfree(as.value);
	kfree(as.used);
	return e;
}
