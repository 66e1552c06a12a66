// SPDX-License-Identifier: MIT
/*
 * XFS_IOC_BULKSTAT and XFS_IOC_INUMBERS, version 5: all inodes of the file system, by number.
 *
 * One chunk of inodes is handled at a time. With the AGI locked, which keeps inodes of the chunk
 * from being allocated or freed, each one that is in use gets a reference. The AGI is unlocked
 * before the inodes are read, because an inode's lock comes before an AGI's; inodes that were freed
 * in between are left out. Values come from the XFS core, so times that the VFS has not logged yet
 * are not in them.
 *
 * As on Linux an error ends the walk: where records were copied out before it, the call succeeds
 * with those, and the next one fails.
 */
#include "fs/xfs/admin/admin.h"
#include "fs/xfs/ag/ialloc_priv.h"
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <lib/minmax.h>
#include <linux/capability.h>
#include <linux/fs.h>

struct bulkstat {
	u64 ino, size, blocks, xflags;
	s64 atime, mtime, ctime, btime;
	u32 gen, uid, gid, projid, atime_nsec, mtime_nsec, ctime_nsec, btime_nsec, blksize, rdev,
		cowextsize, extsize, nlink, extents, aextents;
	u16 version, forkoff, sick, checked, mode, pad2;
	u64 extents64, pad[6];
};
struct inumbers {
	u64 start, mask;
	u8 count, version, pad[6];
};
_Static_assert(sizeof(struct bulkstat) == 192 && sizeof(struct inumbers) == 24, "XFS_IOC_BULKSTAT");
_Static_assert(sizeof(struct xfs_bulk) == 64, "the head of both");

/* As they were before. */
struct bulkstat_old {
	u64 ino;
	u16 mode, nlink;
	u32 uid, gid, rdev, blksize, pad1;
	u64 size;
	struct {
		s64 sec;
		u32 nsec, pad;
	} atime, mtime, ctime;
	u64 blocks;
	u32 xflags, extsize, extents, gen;
	u16 projid_lo, forkoff, projid_hi, sick, checked, pad2;
	u32 cowextsize, dmevmask;
	u16 dmstate, aextents;
};
struct inumbers_old {
	u64 start;
	u32 count, pad;
	u64 mask;
};
struct bulk_old {
	u64 last;			/* pointers */
	u32 icount, pad;
	u64 buffer, ocount;
};
_Static_assert(sizeof(struct bulkstat_old) == 136 && sizeof(struct inumbers_old) == 24 &&
		       sizeof(struct bulk_old) == 32,
	       "XFS_IOC_FSBULKSTAT");

enum { OF_AG = 1, SPECIAL = 2, NREXT64 = 4, METADIR = 8, ALL = 15 };
#define SPECIAL_ROOT 1
#define SMALL_EXTENTS 0x7fffffffu	/* most extents without NREXT64 */

struct walk {
	struct xfs_mount *mp;
	u64 next;			/* inode */
	u32 last_ag;			/* where it ends */
	u32 nr;				/* of LI or RECS */
	bool chunks;			/* RECS are wanted */
	bool old;			/* in the older structures */
	u64 only;			/* 0, or the one inode that is wanted */
	struct xfs_lino *li[XFS_CHUNK];
	struct inumbers rec;
};

/* ---- with the AGI locked ---- */

/* The inodes of K from w->next on, which goes behind them: up to the first that cannot be read. */
static int take_inodes(struct walk *w, u32 agno, const struct xfs_chunk *k)
{
	const struct xfs_sb *sb = &w->mp->fs.vol.sb;
	u64 used = ~(k->free | xfs_chunk_hole_inodes(k->holes));

	for (u32 i = 0; i < XFS_CHUNK; i++) {
		u64 ino = xfs_ino_make(sb, agno, k->start + i);
		struct xfs_lino *li;

		if (!(used >> i & 1) || ino < w->next)
			continue;
		li = xfs_lino_get_free(w->mp, ino);
		if (IS_ERR(li)) {
			w->next = ino;
			return w->nr ? 0 : (int)PTR_ERR(li);
		}
		w->li[w->nr++] = li;
	}
	w->next = xfs_ino_make(sb, agno, 0) + k->start + XFS_CHUNK;
	return 0;
}

static void take_chunk(struct walk *w, u32 agno, const struct xfs_chunk *k)
{
	const struct xfs_sb *sb = &w->mp->fs.vol.sb;

	w->rec = (struct inumbers){ .start = xfs_ino_make(sb, agno, k->start),
				    .mask = ~k->free,
				    .count = (u8)(k->count - k->nfree),
				    .version = 5 };
	w->nr = 1;
	w->next = w->rec.start + XFS_CHUNK;
}

/* The chunk that has inode w->next, or the next of the AG; w->next goes behind it. */
static int take(struct walk *w, struct xfs_iop *op)
{
	const struct xfs_sb *sb = &w->mp->fs.vol.sb;
	u32 agno = op->ag->agno, agino = xfs_ino_agino(sb, w->next);
	struct xfs_chunk k;
	bool found;
	int e = xfs_chunk_from(&op->all, agino, &k, &found);

	if (e)
		return e;
	if (!found) {
		w->next = xfs_ino_make(sb, agno + 1, 0);
		return 0;
	}
	if (!w->chunks)
		return take_inodes(w, agno, &k);
	take_chunk(w, agno, &k);
	return 0;
}

static bool ended(const struct walk *w)
{
	return xfs_ino_ag(&w->mp->fs.vol.sb, w->next) > w->last_ag;
}

/* The next chunk with something in it. w->nr is 0 at the end. */
static int more(struct walk *w)
{
	int e = 0;

	w->nr = 0;
	while (!e && !w->nr && !ended(w)) {
		struct xfs_iop op;
		struct xfs_tx *tx;

		if (w->mp->fs.vol.stop(&w->mp->fs.vol))
			return -EINTR;
		e = xfs_begin_look(w->mp, &tx);
		if (e)
			break;
		e = xfs_iop_open(&op, tx, xfs_ino_ag(&w->mp->fs.vol.sb, w->next), 0);
		if (!e) {
			e = take(w, &op);
			xfs_iop_close(&op);
		}
		xfs_trans_cancel(tx);
	}
	return e;
}

/* ---- records for the caller ---- */

static u32 user_dev(u32 rdev)
{
	return (rdev >> 20) << 18 | (rdev & 0x3ffff);
}

/* LI's lock is held. */
static void fill(struct xfs_mount *mp, const struct xfs_core *c, u32 flags, struct bulkstat *b)
{
	/* While it is locked nobody makes another one of its number. */
	struct xfs_marks marks = xfs_health_of_ino(&mp->health, c->ino);

	*b = (struct bulkstat){
		.ino = c->ino,
		.size = c->size,
		.blocks = c->nblocks,
		.xflags = xfs_xflags_of(c),
		.atime = c->atime.sec,
		.mtime = c->mtime.sec,
		.ctime = c->ctime.sec,
		.btime = c->crtime.sec,
		.gen = c->gen,
		.uid = c->uid,
		.gid = c->gid,
		.projid = c->projid,
		.atime_nsec = c->atime.nsec,
		.mtime_nsec = c->mtime.nsec,
		.ctime_nsec = c->ctime.nsec,
		.btime_nsec = c->crtime.nsec,
		.blksize = mp->fs.vol.sb.blocksize,
		.nlink = c->nlink,
		.aextents = (u32)c->anextents,
		.version = 5,
		.forkoff = (u16)c->forkoff,
		.sick = (u16)marks.sick,
		.checked = (u16)marks.checked,
		.mode = c->mode,
	};
	if (c->flags & (XFS_DIFLAG_EXTSIZE | XFS_DIFLAG_EXTSZINHERIT))
		b->extsize = c->extsize;
	if (c->flags2 & XFS_DIFLAG2_COWEXTSIZE)
		b->cowextsize = c->cowextsize;
	if (c->format == XFS_FMT_DEV)
		b->rdev = user_dev(c->rdev);
	if (flags & NREXT64)
		b->extents64 = c->nextents;
	else
		b->extents = (u32)min(c->nextents, (u64)SMALL_EXTENTS);
}

/* False: LI is free, or an inode of the file system's own, which is not listed. */
static bool stat_one(struct xfs_mount *mp, struct xfs_lino *li, u32 flags, struct bulkstat *b)
{
	const struct xfs_sb *sb = &mp->fs.vol.sb;
	const struct xfs_core *c = &li->ip.node.core;
	u64 ino = c->ino;
	bool listed;

	if (ino == sb->rbmino || ino == sb->rsumino || ino == sb->uquotino || ino == sb->gquotino ||
	    ino == sb->pquotino)
		return false;
	down_read(&li->lock);
	listed = c->mode && (flags & METADIR || !(c->flags2 & XFS_DIFLAG2_METADATA));
	if (listed)
		fill(mp, c, flags, b);
	up_read(&li->lock);
	return listed;
}

/* The next record of SIZE bytes. */
static int give(struct xfs_bulk *h, struct uptr to, const void *rec, size_t size)
{
	if (copy_to_user(uptr_add(to, (size_t)h->ocount * size), rec, size))
		return -EFAULT;
	h->ocount++;
	return 0;
}

static int give_stat(const struct walk *w, struct xfs_bulk *h, struct uptr to,
		     const struct bulkstat *b)
{
	struct bulkstat_old o = {
		.ino = b->ino,
		.mode = b->mode,
		.nlink = (u16)b->nlink,
		.uid = b->uid,
		.gid = b->gid,
		.rdev = b->rdev,
		.blksize = b->blksize,
		.size = b->size,
		.atime = { b->atime, b->atime_nsec, 0 },
		.mtime = { b->mtime, b->mtime_nsec, 0 },
		.ctime = { b->ctime, b->ctime_nsec, 0 },
		.blocks = b->blocks,
		.xflags = (u32)b->xflags,
		.extsize = b->extsize << w->mp->fs.vol.sb.blocklog,
		.extents = b->extents,
		.gen = b->gen,
		.projid_lo = (u16)b->projid,
		.forkoff = b->forkoff,
		.projid_hi = (u16)(b->projid >> 16),
		.sick = b->sick,
		.checked = b->checked,
		.cowextsize = b->cowextsize << w->mp->fs.vol.sb.blocklog,
		.aextents = (u16)b->aextents,
	};

	return w->old ? give(h, to, &o, sizeof(o)) : give(h, to, b, sizeof(*b));
}

/* Inodes of W until there is no room left: w->next is the first that was not copied out. */
static int give_inodes(struct walk *w, struct xfs_bulk *h, struct uptr to)
{
	int e = 0;

	for (u32 i = 0; i < w->nr; i++) {
		struct bulkstat b;
		u64 ino = w->li[i]->ip.node.core.ino;

		bool room = !e && h->ocount < h->icount && (!w->only || ino == w->only);

		if (room && stat_one(w->mp, w->li[i], h->flags, &b))
			e = give_stat(w, h, to, &b);
		if (!room || e)
			w->next = min(w->next, ino);
		xfs_lino_put(w->li[i]);
	}
	return e;
}

static int give_chunk(struct walk *w, struct xfs_bulk *h, struct uptr to)
{
	struct inumbers_old o = { w->rec.start, w->rec.count, 0, w->rec.mask };
	int e = w->old ? give(h, to, &o, sizeof(o)) : give(h, to, &w->rec, sizeof(w->rec));

	if (e)
		w->next = w->rec.start;
	return e;
}

/* ---- the request ---- */

/* -ECANCELED: there is nothing behind where it begins. */
static int begin(struct walk *w, struct xfs_bulk *h)
{
	const struct xfs_sb *sb = &w->mp->fs.vol.sb;
	u32 agcount = READ_ONCE(sb->agcount);

	if (!h->icount || h->flags & ~(u32)ALL || memchr_inv(h->reserved, 0, sizeof(h->reserved)))
		return -EINVAL;
	if (h->flags & SPECIAL) {
		if (h->ino != SPECIAL_ROOT)
			return -EINVAL;
		h->ino = sb->rootino;
	}
	w->last_ag = agcount - 1;
	if (h->flags & OF_AG) {
		if (h->agno >= agcount)
			return -EINVAL;
		if (!h->ino)
			h->ino = xfs_ino_make(sb, h->agno, 0);
		else if (xfs_ino_ag(sb, h->ino) < h->agno)
			return -EINVAL;
		w->last_ag = h->agno;
	} else if (h->agno) {
		return -EINVAL;
	}
	w->next = h->ino;
	return h->ino >> (sb->agblklog + sb->inopblog) > w->last_ag ? -ECANCELED : 0;
}

static int run(struct walk *w, struct xfs_bulk *h, struct uptr to)
{
	int e = begin(w, h);

	h->ocount = 0;
	while (!e && h->ocount < h->icount) {
		e = more(w);
		if (e || !w->nr)
			break;
		e = w->chunks ? give_chunk(w, h, to) : give_inodes(w, h, to);
		if (w->only)
			break;
	}
	if (e == -ECANCELED)
		return 0;
	if (e && !h->ocount)
		return e;
	h->ino = w->next;
	return 0;
}

static int may_walk(void)
{
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/* ONLY: as in struct walk. */
static int walk_to(struct xfs_mount *mp, struct xfs_bulk *h, struct uptr to, bool chunks, bool old,
		   u64 only)
{
	struct walk *w = kzalloc(sizeof(*w), GFP_KERNEL);
	int e;

	if (!w)
		return -ENOMEM;
	w->mp = mp;
	w->chunks = chunks;
	w->old = old;
	w->only = only;
	e = run(w, h, to);
	kfree(w);
	return e;
}

long xfs_bulk(struct xfs_mount *mp, struct uptr arg, bool chunks)
{
	struct xfs_bulk h;
	int e = may_walk();

	if (e)
		return e;
	if (copy_from_user(&h, arg, sizeof(h)))
		return -EFAULT;
	e = walk_to(mp, &h, uptr_add(arg, sizeof(h)), chunks, false, 0);
	return e ?: copy_to_user(arg, &h, sizeof(h)) ? -EFAULT : 0;
}

/* ---- the older requests ---- */

/* The inode that H begins at, and no other. */
static int stat_exactly(struct xfs_mount *mp, struct xfs_bulk *h, struct uptr to)
{
	int e;

	if (!h->ino || !xfs_ino_ok(&mp->fs.vol.sb, h->ino))
		return -EINVAL;
	h->icount = 1;
	e = walk_to(mp, h, to, false, true, h->ino);
	return e ?: h->ocount ? 0 : -EINVAL;
}

/* The last one that was told of, or 0, is what the older requests begin behind. */
long xfs_bulk_old(struct xfs_mount *mp, struct uptr arg, enum xfs_bulk_old what)
{
	struct xfs_bulk h = { 0 };
	struct bulk_old o;
	int e = may_walk();
	u64 last;

	if (e)
		return e;
	if (copy_from_user(&o, arg, sizeof(o)) || copy_from_user(&last, UPTR(o.last), sizeof(last)))
		return -EFAULT;
	if ((s32)o.icount <= 0 || !o.buffer)
		return -EINVAL;
	h.icount = o.icount;
	h.ino = last && what != XFS_OLD_STAT_ONE ? last + 1 : last;
	if (what == XFS_OLD_STAT_ONE) {
		e = stat_exactly(mp, &h, UPTR(o.buffer));
	} else {
		e = walk_to(mp, &h, UPTR(o.buffer), what == XFS_OLD_INUMBERS, true, 0);
		last = h.ino - 1;
	}
	if (e)
		return e;
	if (copy_to_user(UPTR(o.last), &last, sizeof(last)) ||
	    (o.ocount && copy_to_user(UPTR(o.ocount), &h.ocount, sizeof(h.ocount))))
		return -EFAULT;
	return 0;
}
