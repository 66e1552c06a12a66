// SPDX-License-Identifier: MIT
/* The name of an inode in the log, by its first parent pointer and those of its parents. */
#include "fs/xfs/heal/policy.h"
#include "fs/xfs/heal/priv.h"
#include "fs/xfs/xattr/xattr.h"
#include <alloc/slab.h>
#include <lib/string.h>

#define DEPTH 64u			/* of a path, in names */

struct first {
	bool found;
	u64 ino;
	u32 gen, len;
	u8 name[XFS_ATTR_MAX_NAME];
};

static bool take(void *ctx, const struct xfs_attr *a)
{
	struct first *f = ctx;
	struct xfs_parent p;

	if (!(a->flags & XFS_ATTR_PARENT))
		return true;
	if (!xfs_parent_of(a, &p) || p.len > sizeof(f->name))
		return false;
	f->found = true;
	f->ino = p.ino;
	f->gen = p.gen;
	f->len = p.len;
	memcpy(f->name, p.name, p.len);
	return false;
}

/* The first parent of INO, whose generation is GEN or, where that is NULL, any. */
static bool parent_of(struct xfs_scrub *sc, u64 ino, const u32 *gen, struct first *f)
{
	struct xfs_lino *li = xfs_lino_get_outside(sc->mp, ino);
	const struct xfs_core *c;

	f->found = false;
	if (IS_ERR(li))
		return false;
	down_read(&li->lock);
	c = &li->ip.node.core;
	if (c->mode && (!gen || c->gen == *gen) && !smp_load_acquire(&li->making))
		(void)xfs_attr_walk(sc->vol, &li->ip.node, take, f);
	up_read(&li->lock);
	xfs_lino_put(li);
	return f->found;
}

static const char *path(struct xfs_scrub *sc, u64 ino, char *buf, struct first *f)
{
	u64 root = sc->mp->fs.vol.sb.rootino;
	int at = XFS_HEAL_PATH - 1;
	u32 gen;

	buf[at] = '\0';
	if (ino == root)
		return "/";
	for (u32 i = 0; i < DEPTH && at >= 0; i++) {
		if (!parent_of(sc, ino, i ? &gen : NULL, f))
			return NULL;
		at = xfs_heal_prepend(buf, at, f->name, f->len);
		if (at >= 0 && f->ino == root)
			return buf + at;
		ino = f->ino;
		gen = f->gen;
	}
	return NULL;
}

const char *xfs_heal_path(struct xfs_mount *mp, u64 ino, char *buf)
{
	struct xfs_scrub sc = { .mp = mp, .own = true };
	const char *found = NULL;
	struct first *f;

	if (!(mp->fs.vol.sb.incompat & XFS_IN_PARENT) || xfs_scrub_make_volume(&sc))
		return NULL;
	f = kmalloc(sizeof(*f), GFP_KERNEL);
	if (f)
		found = path(&sc, ino, buf, f);
	kfree(f);
	xfs_scrub_put_inode(&sc);
	return found;
}
