// SPDX-License-Identifier: MIT
/*
 * Parents: of a directory the one that its ".." names, which has one entry for it; with parent
 * pointers, of each inode all directories that it says it has a name in, under that name.
 *
 * The inode is locked, and so a parent's lock is only tried: names change with both of them locked.
 */
#include "fs/xfs/scrub/scrub.h"
#include "fs/xfs/ag/ialloc.h"
#include "fs/xfs/xattr/xattr.h"
#include <sched/task.h>

#define TRIES 100u		/* of a lock, a jiffy each */

struct parents {
	struct xfs_scrub *sc;
	u64 dotdot;
	u64 found;
	bool has_dotdot;
	int error;
};

static bool ino_ok(const struct xfs_scrub *sc, u64 ino)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;

	return xfs_ino_ok(sb, ino) && !xfs_scrub_is_internal(sb, ino);
}

/* Inode INO, referenced. -ESTALE: it is none in use; -EUCLEAN: it, or the tree, is damaged. */
static int get(struct xfs_scrub *sc, u64 ino, struct xfs_lino **out)
{
	int e = xfs_scrub_lock_agi(sc, xfs_ino_ag(&sc->mp->fs.vol.sb, ino));

	e = e ?: xfs_errno(xfs_ino_in_use(sc->vol, ino));
	if (!e) {
		*out = xfs_lino_get_free(sc->mp, ino);
		e = IS_ERR(*out) ? (int)PTR_ERR(*out) : 0;
	}
	xfs_scrub_unlock_ag(sc);
	return e;
}

/* LI's lock, for reading, where 0 is returned. */
static int lock(struct xfs_lino *li)
{
	for (u32 i = 0; i < TRIES; i++) {
		if (down_read_trylock(&li->lock)) {
			__release(li->lock);	/* of the analysis alone */
			return 0;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		schedule_timeout_uninterruptible(1);
	}
	return -EDEADLK;
}

/* What is said of parent INO, by FN, with its lock held. Errors as those of get(), and FN's. */
static int with_parent(struct xfs_scrub *sc, u64 ino,
		       int (*fn)(struct xfs_scrub *sc, const struct xfs_node *dir, void *ctx),
		       void *ctx)
{
	struct xfs_lino *li;
	int e = get(sc, ino, &li);

	if (e)
		return e;
	e = lock(li);
	if (!e) {
		__acquire(li->lock);
		e = li->ip.node.core.mode ? fn(sc, &li->ip.node, ctx) : -ESTALE;
		up_read(&li->lock);
	}
	xfs_lino_put(li);
	return e;
}

/* E came of looking at another inode: what it means for this one. */
static int judge(struct xfs_scrub *sc, int e)
{
	if (e == -ESTALE)
		return -XFS_CORRUPT;
	if (e != -XFS_CORRUPT)
		return e;
	sc->req->flags |= XFS_SCRUB_XFAIL;
	return 0;
}

/* ---- without parent pointers ---- */

struct count {
	u64 ino, n;
};

static bool count(void *ctx, const struct xfs_dirent *d)
{
	struct count *c = ctx;

	c->n += d->ino == c->ino;
	return true;
}

static int count_names(struct xfs_scrub *sc, const struct xfs_node *dir, void *ctx)
{
	const struct xfs_core *own = &xfs_scrub_node(sc)->core;
	struct count c = { .ino = own->ino };
	u32 cookie = 0;
	int e;

	(void)ctx;
	if (!S_ISDIR(dir->core.mode)) {
		xfs_scrub_bad(sc);
		return 0;
	}
	e = xfs_dir_walk(sc->vol, dir, &cookie, count, &c);
	if (!e && c.n != (own->nlink ? 1 : 0))
		xfs_scrub_bad(sc);
	return xfs_errno(e);
}

/* *INO: what ".." names, which may be a parent of SC's directory. */
static int get_dotdot(struct xfs_scrub *sc, u64 *ino)
{
	u8 ftype;
	int e = xfs_dir_lookup(sc->vol, xfs_scrub_node(sc), (const u8 *)"..", 2, ino, &ftype);

	if (e == -ENOENT)
		return -XFS_CORRUPT;
	return e ? xfs_errno(e) : ino_ok(sc, *ino) ? 0 : -XFS_CORRUPT;
}

static int check_dotdot(struct xfs_scrub *sc)
{
	u64 own = xfs_scrub_node(sc)->core.ino, ino;
	int e;

	if (!S_ISDIR(xfs_scrub_node(sc)->core.mode))
		return -ENOENT;
	e = get_dotdot(sc, &ino);
	if (e)
		return e;
	if (own == sc->mp->fs.vol.sb.rootino || ino == own)
		return own == sc->mp->fs.vol.sb.rootino && ino == own ? 0 : -XFS_CORRUPT;
	return judge(sc, with_parent(sc, ino, count_names, NULL));
}

/* ---- parent pointers ---- */

static int find_name(struct xfs_scrub *sc, const struct xfs_node *dir, void *ctx)
{
	const struct xfs_parent *p = ctx;
	u8 ftype;
	u64 ino;
	int e = 0;

	if (!S_ISDIR(dir->core.mode) || dir->core.gen != p->gen) {
		xfs_scrub_differs(sc);
		return 0;
	}
	e = xfs_dir_lookup(sc->vol, dir, p->name, p->len, &ino, &ftype);
	if (e == -ENOENT || (!e && ino != xfs_scrub_node(sc)->core.ino)) {
		xfs_scrub_differs(sc);
		return 0;
	}
	return xfs_errno(e);
}

static bool check_pointer(void *ctx, const struct xfs_attr *a)
{
	struct parents *ps = ctx;
	struct xfs_scrub *sc = ps->sc;
	struct xfs_parent p;

	if (!(a->flags & XFS_ATTR_PARENT))
		return true;
	if (!xfs_parent_of(a, &p) || !ino_ok(sc, p.ino) || p.ino == xfs_scrub_node(sc)->core.ino ||
	    memchr(p.name, 0, p.len) || memchr(p.name, '/', p.len)) {
		ps->error = -XFS_CORRUPT;
		return false;
	}
	ps->found++;
	ps->has_dotdot |= p.ino == ps->dotdot;
	ps->error = judge(sc, with_parent(sc, p.ino, find_name, &p));
	cond_resched();
	return !ps->error;
}

static bool numbers_ok(const struct xfs_core *c, const struct parents *ps, bool root)
{
	if (!S_ISDIR(c->mode))
		return c->nlink == ps->found;
	return !c->nlink ? !ps->found && !root : ps->found || root;
}

static int check_pointers(struct xfs_scrub *sc)
{
	const struct xfs_core *c = &xfs_scrub_node(sc)->core;
	bool root = c->ino == sc->mp->fs.vol.sb.rootino;
	struct parents ps = { .sc = sc };
	int dotdot = S_ISDIR(c->mode) ? get_dotdot(sc, &ps.dotdot) : 0, e;

	if (dotdot && dotdot != -XFS_CORRUPT)
		return dotdot;
	e = xfs_attr_walk(sc->vol, xfs_scrub_node(sc), check_pointer, &ps);
	e = xfs_errno(e ?: ps.error) ?: dotdot;
	if (e)
		return e;
	if (root ? ps.dotdot != c->ino : S_ISDIR(c->mode) && c->nlink && !ps.has_dotdot)
		return -XFS_CORRUPT;
	return numbers_ok(c, &ps, root) ? 0 : -XFS_CORRUPT;
}

int xfs_scrub_parent(struct xfs_scrub *sc)
{
	return sc->mp->fs.vol.sb.incompat & XFS_IN_PARENT ? check_pointers(sc) : check_dotdot(sc);
}
