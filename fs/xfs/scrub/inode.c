// SPDX-License-Identifier: MIT
/* An inode's core: what it says alone, and what its forks and the trees of its AG say. */
#include "fs/xfs/scrub/scrub.h"

#define EXT_MOST 0x1fffffu		/* blocks of one extent on the disk */
#define FLAG_NEWRTBM	0x0004u
#define FLAGS_KNOWN	0x7fffu
#define FLAGS2_KNOWN	0x3full

bool xfs_scrub_hint_ok(const struct xfs_sb *sb, u32 hint, bool flag)
{
	return flag ? hint && hint <= EXT_MOST && hint <= sb->agblocks / 2 : !hint;
}

static bool data_ok(const struct xfs_sb *sb, const struct xfs_core *c)
{
	u32 room = c->forkoff ?: xfs_literal_size(sb);

	if (c->format == XFS_FMT_DEV)
		return !c->forkoff || c->forkoff == 8;
	if (S_ISDIR(c->mode) && c->size <= room && c->format != XFS_FMT_LOCAL)
		return false;
	if (c->format == XFS_FMT_LOCAL)
		return c->size <= room && !c->nextents && !S_ISREG(c->mode);
	return c->format == XFS_FMT_BTREE ? c->nextents > room / 16 : c->nextents <= room / 16;
}

static bool attr_ok(const struct xfs_sb *sb, const struct xfs_core *c)
{
	u32 room = xfs_literal_size(sb) - c->forkoff;

	if (!c->forkoff)
		return !c->anextents && c->aformat == XFS_FMT_EXTENTS;
	if (c->aformat == XFS_FMT_LOCAL)
		return !c->anextents;
	return c->aformat == XFS_FMT_BTREE ? c->anextents > room / 16 : c->anextents <= room / 16;
}

static bool flags_ok(const struct xfs_sb *sb, const struct xfs_core *c)
{
	u32 of_dirs = XFS_DIFLAG_RTINHERIT | XFS_DIFLAG_EXTSZINHERIT | XFS_DIFLAG_PROJINHERIT |
		      XFS_DIFLAG_NOSYMLINKS;
	bool dir = S_ISDIR(c->mode), reg = S_ISREG(c->mode);
	bool reflink = c->flags2 & XFS_DIFLAG2_REFLINK, cow = c->flags2 & XFS_DIFLAG2_COWEXTSIZE;

	if (c->flags & ~FLAGS_KNOWN || c->flags & XFS_DIFLAG_REALTIME ||
	    (c->flags & FLAG_NEWRTBM && c->ino != sb->rbmino) || (c->flags & of_dirs && !dir) ||
	    (c->flags & XFS_DIFLAG_EXTSIZE && !reg))
		return false;
	if ((c->flags2 & XFS_DIFLAG2_DAX && !reg && !dir) ||
	    (reflink && (!(sb->ro_compat & XFS_RO_REFLINK) || !reg)))
		return false;
	if (cow && (!(sb->ro_compat & XFS_RO_REFLINK) || (!reg && !dir)))
		return false;
	return xfs_scrub_hint_ok(sb, c->extsize,
				 c->flags & (XFS_DIFLAG_EXTSIZE | XFS_DIFLAG_EXTSZINHERIT)) &&
	       xfs_scrub_hint_ok(sb, c->cowextsize, cow);
}

bool xfs_scrub_core_ok(const struct xfs_sb *sb, const struct xfs_core *c)
{
	u64 exts = c->nextents + c->anextents;

	return exts <= c->nblocks && (exts || !c->nblocks) && data_ok(sb, c) && attr_ok(sb, c) &&
	       flags_ok(sb, c);
}

static void check_core(struct xfs_scrub *sc, const struct xfs_core *c)
{
	if (S_ISLNK(c->mode) && c->size >= 1024)
		xfs_scrub_bad(sc);
	if (!(c->flags2 & XFS_DIFLAG2_REFLINK) && c->nblocks >= sc->mp->fs.vol.sb.dblocks)
		xfs_scrub_bad(sc);
	if (c->uid == U32_MAX || c->gid == U32_MAX || c->projid == U32_MAX ||
	    c->size > (u64)sc->mp->sb->s_maxbytes || c->flags2 & ~FLAGS2_KNOWN)
		sc->req->flags |= XFS_SCRUB_WARNING;
}

/* ---- what others say ---- */

struct sharing {
	bool some;
};

static int find_shared(struct xfs_scrub *sc, const struct xfs_ext *x, void *ctx)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	struct sharing *s = ctx;
	bool known = true;
	int e = xfs_scrub_lock_ag(sc, xfs_fsb_ag(sb, x->fsb));

	if (!e)
		s->some = xfs_scrub_shared(sc, xfs_fsb_agb(sb, x->fsb), x->count, &known);
	xfs_scrub_unlock_ag(sc);
	return e ?: sc->error ?: s->some || !known;
}

/* The flag says whether blocks are shared. */
static int check_flag(struct xfs_scrub *sc, const struct xfs_core *c)
{
	struct sharing s = { false };
	struct xfs_scrub_fork f = { .ext = find_shared, .ctx = &s };
	int e;

	if (!S_ISREG(c->mode) || !xfs_scrub_has(sc, XFS_BT_REFC))
		return 0;
	e = xfs_scrub_walk_fork(sc, &f);
	if (e == -XFS_CORRUPT)
		sc->req->flags |= XFS_SCRUB_XFAIL;
	else if (e < 0)
		return e;
	else if (e && !s.some)
		return 0;
	else if (c->flags2 & XFS_DIFLAG2_REFLINK && !s.some)
		sc->req->flags |= XFS_SCRUB_PREEN;
	else if (!(c->flags2 & XFS_DIFLAG2_REFLINK) && s.some)
		xfs_scrub_bad(sc);
	return 0;
}

static int check_forks(struct xfs_scrub *sc, const struct xfs_core *c)
{
	struct xfs_scrub_fork data = { 0 }, attr = { .attr = true };
	int e = xfs_scrub_walk_fork(sc, &data);

	e = e ?: xfs_scrub_walk_fork(sc, &attr);
	if (!e && data.blocks + attr.blocks != c->nblocks)
		xfs_scrub_differs(sc);
	return e;
}

static int refer(struct xfs_scrub *sc, const struct xfs_core *c)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	u32 agino = xfs_ino_agino(sb, c->ino), agb = agino >> sb->inopblog;
	int e = xfs_scrub_lock_ag(sc, xfs_ino_ag(sb, c->ino));

	if (!e) {
		xfs_scrub_used(sc, agb, 1);
		xfs_scrub_not_free(sc, agino);
		xfs_scrub_owned(sc, agb, 1, XFS_OWN_INODES, true);
		xfs_scrub_not_shared(sc, agb, 1);
		xfs_scrub_not_staged(sc, agb, 1);
	}
	xfs_scrub_unlock_ag(sc);
	e = e ?: sc->error;
	if (!e && !(sc->req->flags & XFS_SCRUB_XCORRUPT))
		e = check_forks(sc, c);
	return e;
}

int xfs_scrub_inode(struct xfs_scrub *sc)
{
	const struct xfs_core *c = &xfs_scrub_node(sc)->core;
	int e;

	check_core(sc, c);
	if (xfs_scrub_is_bad(sc))
		return 0;
	e = check_flag(sc, c);
	if (e)
		return e;
	if (!c->nlink && !READ_ONCE(sc->li->listed))
		xfs_scrub_bad(sc);
	if (xfs_scrub_is_bad(sc))
		return 0;
	e = refer(sc, c);
	/* Other structures are damaged. */
	if (e == -XFS_CORRUPT) {
		sc->req->flags |= XFS_SCRUB_XFAIL;
		e = 0;
	}
	return e;
}
