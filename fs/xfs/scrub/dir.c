// SPDX-License-Identifier: MIT
/*
 * Directories: the tree of hashes, what is free in the blocks, and each entry: it is found by its
 * name, and leads to an inode of its type, which knows this name where there are parent pointers.
 *
 * The VFS's lock of the directory is held for reading all the time, so that no name comes or goes.
 * An inode that an entry leads to is looked at without the directory's li->lock: inodes are locked
 * in the order of their numbers.
 */
#include "fs/xfs/scrub/scrub.h"
#include "fs/xfs/format/da.h"
#include "fs/xfs/xattr/xattr.h"
#include <alloc/slab.h>
#include <sched/task.h>

#define BATCH 16u

struct entry {
	u64 ino;
	u8 ftype, len, name[255];
};

struct batch {
	struct xfs_scrub *sc;
	u32 n;
	int error;
	struct entry e[BATCH];
};

/* ---- hashes ---- */

/* Entry E of a leaf leads to a name with its hash. */
static int check_hash(struct xfs_scrub *sc, const struct xfs_ddir_ent *e)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	u64 byte = (u64)be32_get(e->addr) << 3;
	u32 db = (u32)(byte / sb->dirblksize);
	struct xfs_dirent d;
	struct xfs_blk b;
	bool ok;
	int err;

	if (!byte)
		return 0;
	if (byte >= XFS_DIR_LEAF_START)
		return -XFS_CORRUPT;
	err = xfs_scrub_dir_data(sc, db, &b);
	if (err)
		return err == -ENOENT ? -XFS_CORRUPT : err;
	ok = xfs_dir_data_entry(sb, b.data, db, (u32)(byte % sb->dirblksize), &d) &&
	     xfs_da_hash(d.name, d.len) == be32_get(e->hash);
	sc->vol->put(sc->vol, &b);
	return ok ? 0 : -XFS_CORRUPT;
}

static int check_leaf(struct xfs_scrub *sc, const void *p, const u32 *limit, void *ctx)
{
	const struct xfs_ddir_ent *e = xfs_dir_leaf_ents(p);
	u32 n = xfs_dir_leaf_count(p);
	int err = 0;

	(void)ctx;
	if (n && limit && be32_get(e[n - 1].hash) != *limit)
		return -XFS_CORRUPT;
	for (u32 i = 0; !err && i < n; i++)
		err = check_hash(sc, &e[i]);
	return err;
}

/* ---- entries ---- */

static bool is(const struct entry *e, const char *name)
{
	return e->len == strlen(name) && !memcmp(e->name, name, e->len);
}

/* What the directory itself says of E: li->lock is held. */
static int check_entry(struct xfs_scrub *sc, const struct entry *e)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	u64 own = xfs_scrub_node(sc)->core.ino, ino;
	bool own_it = is(e, ".") || (is(e, "..") && own == sb->rootino);
	u8 ftype;
	int err;

	if (!xfs_ino_ok(sb, e->ino) || xfs_scrub_is_internal(sb, e->ino) ||
	    (own_it && e->ino != own))
		return -XFS_CORRUPT;
	/* In the inode there is no entry of that name. */
	if (xfs_scrub_node(sc)->core.format == XFS_FMT_LOCAL && is(e, "."))
		return 0;
	err = xfs_dir_lookup(sc->vol, xfs_scrub_node(sc), e->name, e->len, &ino, &ftype);
	if (err == -ENOENT || (!err && ino != e->ino))
		return -XFS_CORRUPT;
	return xfs_errno(err);
}

static bool emit(void *ctx, const struct xfs_dirent *d)
{
	struct batch *b = ctx;
	struct entry *e = &b->e[b->n];

	if (b->n == BATCH)
		return false;
	e->ino = d->ino;
	e->ftype = d->ftype;
	e->len = d->len;
	memcpy(e->name, d->name, d->len);
	b->error = check_entry(b->sc, e);
	b->n++;
	return !b->error;
}

static u8 type_of(u16 mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return 1;
	case S_IFDIR:
		return 2;
	case S_IFCHR:
		return 3;
	case S_IFBLK:
		return 4;
	case S_IFIFO:
		return 5;
	case S_IFSOCK:
		return 6;
	}
	return 7;
}

struct sought {
	u64 ino;
	u32 gen;
	const struct entry *e;
	bool found;
};

static bool same(void *ctx, const struct xfs_attr *a)
{
	struct sought *s = ctx;
	struct xfs_parent p;

	s->found = (a->flags & XFS_ATTR_PARENT) && xfs_parent_of(a, &p) && p.ino == s->ino &&
		   p.gen == s->gen && p.len == s->e->len && !memcmp(p.name, s->e->name, p.len);
	return !s->found;
}

/* The inode that E leads to: its lock is held. */
static int check_target(struct xfs_scrub *sc, const struct entry *e, const struct xfs_node *n)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	struct sought s = { .ino = sc->dir_ino, .gen = sc->dir_gen, .e = e };
	int err;

	if (!n->core.mode || (sb->incompat & XFS_IN_FTYPE && type_of(n->core.mode) != e->ftype))
		return -XFS_CORRUPT;
	if (!(sb->incompat & XFS_IN_PARENT) || is(e, ".") || is(e, ".."))
		return 0;
	err = xfs_attr_walk_from(sc->vol, n,
				 xfs_da_hash(e->name, e->len) ^ (u32)(s.ino >> 32) ^ (u32)s.ino,
				 same, &s);
	if (err == -EINTR || err == -EDEADLK || err == -ENOMEM)
		return err;
	if (err)
		sc->req->flags |= XFS_SCRUB_XFAIL;
	else if (!s.found)
		xfs_scrub_differs(sc);
	return 0;
}

static int check_inode(struct xfs_scrub *sc, const struct entry *e)
{
	struct xfs_lino *li;
	int err;

	if (fatal_signal_pending(current))
		return -EINTR;
	li = xfs_lino_get_outside(sc->mp, e->ino);
	if (IS_ERR(li)) {
		err = (int)PTR_ERR(li);
		if (err == -ESTALE)
			return -XFS_CORRUPT;
		/* It is damaged itself. */
		if (err != -XFS_CORRUPT)
			return err;
		sc->req->flags |= XFS_SCRUB_XFAIL;
		return 0;
	}
	down_read(&li->lock);
	err = check_target(sc, e, &li->ip.node);
	up_read(&li->lock);
	xfs_lino_put(li);
	return err;
}

/* li->lock is held, but for the time in between. */
static int check_entries(struct xfs_scrub *sc, struct batch *b) __must_hold(sc -> li->lock)
{
	u32 cookie = 0;
	int e;

	sc->dir_ino = xfs_scrub_node(sc)->core.ino;
	sc->dir_gen = xfs_scrub_node(sc)->core.gen;
	do {
		b->n = 0;
		e = xfs_dir_walk(sc->vol, xfs_scrub_node(sc), &cookie, emit, b);
		e = xfs_errno(e ?: b->error);
		up_read(&sc->li->lock);
		for (u32 i = 0; !e && i < b->n; i++)
			e = check_inode(sc, &b->e[i]);
		cond_resched();
		down_read(&sc->li->lock);
	} while (!e && b->n == BATCH);
	return e;
}

int xfs_scrub_dir(struct xfs_scrub *sc)
{
	struct xfs_scrub_da d = { .leaf = check_leaf };
	struct batch *b;
	int e = 0;

	if (!S_ISDIR(xfs_scrub_node(sc)->core.mode))
		return -ENOENT;
	if (xfs_scrub_node(sc)->core.format != XFS_FMT_LOCAL) {
		e = xfs_scrub_walk_da(sc, &d);
		e = e && e != -ENOENT ? e : xfs_scrub_dir_blocks(sc);
	}
	if (e)
		return e == -ENOENT ? -XFS_CORRUPT : e;
	b = kmalloc(sizeof(*b), GFP_NOFS);
	if (!b)
		return -ENOMEM;
	b->sc = sc;
	b->error = 0;
	e = check_entries(sc, b);
	kfree(b);
	return e;
}
