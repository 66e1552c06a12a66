// SPDX-License-Identifier: MIT
/*
 * How an inode comes to its checks: the one that is open, or one by its number and generation. What
 * the VFS does not have is not brought there: nothing of it is kept, and an ACL or a target that
 * makes no sense, or a count of links that is 0, does not hinder the check. Its volume tells nobody
 * of damage.
 */
#include "fs/xfs/scrub/scrub.h"
#include <alloc/slab.h>
#include <sched/task.h>

struct quiet {
	struct xfs_vol vol;		/* first */
	struct xfs_scrub *sc;
};

static struct xfs_scrub *sc_of(struct xfs_vol *v)
{
	return container_of(v, struct quiet, vol)->sc;
}

static int get(struct xfs_vol *v, enum xfs_kind kind, const struct xfs_run *runs, u32 n,
	       struct xfs_blk *out)
{
	return xfs_scrub_get_block(sc_of(v), kind, runs, n, out);
}

static void put(struct xfs_vol *v, struct xfs_blk *b)
{
	xfs_buf_put(&sc_of(v)->mp->cache, b);
}

static void report(struct xfs_vol *v, const struct xfs_fault *f)
{
	(void)v;
	(void)f;
}

static bool stop(struct xfs_vol *v)
{
	(void)v;
	return fatal_signal_pending(current);
}

int xfs_scrub_make_volume(struct xfs_scrub *sc)
{
	struct quiet *q = kzalloc(sizeof(*q), GFP_KERNEL);

	if (!q)
		return -ENOMEM;
	q->vol.sb = sc->mp->fs.vol.sb;
	q->vol.get = get;
	q->vol.put = put;
	q->vol.report = report;
	q->vol.stop = stop;
	q->sc = sc;
	sc->vol = &q->vol;
	return 0;
}

bool xfs_scrub_is_internal(const struct xfs_sb *sb, u64 ino)
{
	return ino == sb->rbmino || ino == sb->rsumino || ino == sb->uquotino ||
	       ino == sb->gquotino || ino == sb->pquotino;
}

static bool is_it(const struct xfs_scrub *sc, struct xfs_lino *li)
{
	const struct xfs_core *c = &li->ip.node.core;
	bool is;

	down_read(&li->lock);
	is = c->mode && (xfs_scrub_any_gen(sc) || c->gen == sc->req->gen) &&
	     !smp_load_acquire(&li->making) && !(c->flags2 & XFS_DIFLAG2_METADATA);
	up_read(&li->lock);
	return is;
}

static int find(struct xfs_scrub *sc, u64 ino)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	struct xfs_lino *li;

	if (!xfs_ino_ok(sb, ino) || xfs_scrub_is_internal(sb, ino))
		return -ENOENT;
	li = xfs_lino_get_outside(sc->mp, ino);
	if (IS_ERR(li))
		return PTR_ERR(li) == -ESTALE ? -ENOENT : (int)PTR_ERR(li);
	if (!is_it(sc, li)) {
		xfs_lino_put(li);
		return -ENOENT;
	}
	sc->li = li;
	sc->inode = ilookup(sc->mp->sb, ino);
	if (!sc->inode && sc->req->type == XFS_SCRUB_DIR) {
		/* For its lock. Where the VFS cannot have it, nobody changes its names. */
		sc->inode =
			xfs_iget_outside(sc->mp, ino, xfs_scrub_any_gen(sc) ? NULL : &sc->req->gen);
		if (IS_ERR(sc->inode))
			sc->inode = NULL;
		else
			d_mark_dontcache(sc->inode);
	}
	return 0;
}

int xfs_scrub_get_inode(struct xfs_scrub *sc, struct file *file)
{
	struct inode *own = file ? file_inode(file) : NULL;
	int e;

	if (own && (!sc->req->ino || sc->req->ino == own->i_ino)) {
		sc->inode = own;
		ihold(own);
		sc->li = XFS_I(own)->li;
		return xfs_lino_try_get(sc->li) ? xfs_scrub_make_volume(sc) : -XFS_CORRUPT;
	}
	e = find(sc, sc->req->ino);
	if (!e)
		return xfs_scrub_make_volume(sc);
	/* A tree that does not lead to the inode says nothing of it. */
	if (e == -XFS_CORRUPT &&
	    !(xfs_health_of_ino(&sc->mp->health, sc->req->ino).sick & XFS_SICK_INO_CORE))
		sc->mask = 0;
	sc->mask &= XFS_SICK_INO_CORE;
	return e;
}

void xfs_scrub_put_inode(struct xfs_scrub *sc)
{
	if (sc->inode)
		iput(sc->inode);
	if (sc->li)
		xfs_lino_put(sc->li);
	if (sc->vol)
		kfree(container_of(sc->vol, struct quiet, vol));
	sc->inode = NULL;
	sc->li = NULL;
	sc->vol = NULL;
}
