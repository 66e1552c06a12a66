// SPDX-License-Identifier: MIT
/* One check from its request to its flags: what is asked for, locks, marks. */
#include "fs/xfs/scrub/scrub.h"
#include <mm/uaccess.h>
#include <sched/task.h>
#include <vfs/mount.h>
#include <linux/capability.h>

enum scope { FS, AG, INO, ANY, GROUP };	/* what the numbers of a request say */

static const struct type {
	enum scope scope;
	u32 mask;			/* of the object's marks */
	int (*check)(struct xfs_scrub *sc);	/* NULL: none is built */
	bool agi, agf;			/* which headers it cannot do without */
} types[XFS_SCRUB_TYPES] = {
	[XFS_SCRUB_PROBE] = { .scope = FS },
	[XFS_SCRUB_SB] = { AG, XFS_SICK_AG_SB, xfs_scrub_sb, false, false },
	[XFS_SCRUB_AGF] = { AG, XFS_SICK_AG_AGF, xfs_scrub_check_agf, false, true },
	[XFS_SCRUB_AGFL] = { AG, XFS_SICK_AG_AGFL, xfs_scrub_check_agfl, false, false },
	[XFS_SCRUB_AGI] = { AG, XFS_SICK_AG_AGI, xfs_scrub_check_agi, true, false },
	[XFS_SCRUB_BNOBT] = { AG, XFS_SICK_AG_BNOBT, xfs_scrub_alloc, true, true },
	[XFS_SCRUB_CNTBT] = { AG, XFS_SICK_AG_CNTBT, xfs_scrub_alloc, true, true },
	[XFS_SCRUB_INOBT] = { AG, XFS_SICK_AG_INOBT, xfs_scrub_ialloc, true, true },
	[XFS_SCRUB_FINOBT] = { AG, XFS_SICK_AG_FINOBT, xfs_scrub_ialloc, true, true },
	[XFS_SCRUB_RMAPBT] = { AG, XFS_SICK_AG_RMAPBT, xfs_scrub_rmap, true, true },
	[XFS_SCRUB_REFCNTBT] = { AG, XFS_SICK_AG_REFCNTBT, xfs_scrub_refcount, true, true },
	[XFS_SCRUB_INODE] = { INO, XFS_SICK_INO_CORE, xfs_scrub_inode, true, true },
	[XFS_SCRUB_BMBTD] = { INO, XFS_SICK_INO_BMBTD, xfs_scrub_bmap, true, true },
	[XFS_SCRUB_BMBTA] = { INO, XFS_SICK_INO_BMBTA, xfs_scrub_bmap, true, true },
	[XFS_SCRUB_BMBTC] = { INO, XFS_SICK_INO_BMBTC, xfs_scrub_bmap, true, true },
	[XFS_SCRUB_DIR] = { INO, XFS_SICK_INO_DIR, xfs_scrub_dir, false, false },
	[XFS_SCRUB_XATTR] = { INO, XFS_SICK_INO_XATTR, xfs_scrub_xattr, false, false },
	[XFS_SCRUB_SYMLINK] = { INO, XFS_SICK_INO_SYMLINK, xfs_scrub_symlink, false, false },
	[XFS_SCRUB_PARENT] = { INO, XFS_SICK_INO_PARENT, xfs_scrub_parent, false, false },
	[XFS_SCRUB_RTBITMAP... XFS_SCRUB_RTSUM] = { .scope = FS, .check = xfs_scrub_rt_file },
	[XFS_SCRUB_UQUOTA... XFS_SCRUB_PQUOTA] = { .scope = FS },
	[XFS_SCRUB_FSCOUNTERS] = { FS, XFS_SICK_COUNTERS, xfs_scrub_fscounters, false, false },
	[XFS_SCRUB_QUOTACHECK] = { .scope = FS },
	[XFS_SCRUB_NLINKS] = { FS, XFS_SICK_NLINKS, xfs_scrub_nlinks, false, false },
	[XFS_SCRUB_HEALTHY] = { .scope = FS, .check = xfs_scrub_healthy },
	[XFS_SCRUB_DIRTREE] = { INO, XFS_SICK_INO_DIRTREE, xfs_scrub_dirtree, false, false },
	[XFS_SCRUB_METAPATH] = { .scope = ANY },
	[XFS_SCRUB_RGSUPER... XFS_SCRUB_RTREFCBT] = { .scope = GROUP },
};

/* ---- what is asked for ---- */

/* Are there structures of that type? Nothing here is realtime. */
static bool exists(const struct xfs_scrub *sc, u32 type)
{
	switch (type) {
	case XFS_SCRUB_FINOBT:
		return xfs_scrub_has(sc, XFS_BT_FINO);
	case XFS_SCRUB_RMAPBT:
		return xfs_scrub_has(sc, XFS_BT_RMAP);
	case XFS_SCRUB_REFCNTBT:
		return xfs_scrub_has(sc, XFS_BT_REFC);
	case XFS_SCRUB_DIRTREE:
		return sc->mp->fs.vol.sb.incompat & XFS_IN_PARENT;
	case XFS_SCRUB_METAPATH:
		return sc->mp->fs.vol.sb.incompat & XFS_IN_METADIR;
	case XFS_SCRUB_RGSUPER:
	case XFS_SCRUB_RTRMAPBT:
	case XFS_SCRUB_RTREFCBT:
		return false;
	}
	return type < XFS_SCRUB_TYPES;
}

static bool is_quota(u32 type)
{
	return (type >= XFS_SCRUB_UQUOTA && type <= XFS_SCRUB_PQUOTA) ||
	       type == XFS_SCRUB_QUOTACHECK;
}

static bool numbers_ok(const struct xfs_scrub *sc, const struct xfs_scrub_req *r)
{
	switch (types[r->type].scope) {
	case FS:
		return !r->ino && !r->gen && !r->agno;
	case AG:
		return !r->ino && !r->gen && r->agno < smp_load_acquire(&sc->mp->fs.vol.sb.agcount);
	case INO:
		return !r->agno && (!r->gen || r->ino);
	default:
		return true;
	}
}

static int judge(const struct xfs_scrub *sc)
{
	struct xfs_scrub_req *r = sc->req;

	if (xfs_is_down(sc->mp))
		return -ESHUTDOWN;
	if (sc->mp->norecovery)
		return -ENOTRECOVERABLE;
	r->flags &= ~XFS_SCRUB_OUT;
	if (r->flags & ~XFS_SCRUB_IN || memchr_inv(r->reserved, 0, sizeof(r->reserved)))
		return -EINVAL;
	if (!exists(sc, r->type))
		return -ENOENT;
	if (!numbers_ok(sc, r) ||
	    (r->flags & (XFS_SCRUB_REPAIR | XFS_SCRUB_REBUILD)) == XFS_SCRUB_REBUILD)
		return -EINVAL;
	if (r->flags & XFS_SCRUB_REPAIR && sb_rdonly(sc->mp->sb))
		return -EROFS;
	if (is_quota(r->type))
		return -ENOENT;
	return r->type && !types[r->type].check ? -EOPNOTSUPP : 0;
}

/* ---- the AG ---- */

static void let_go(struct xfs_buf **b)
{
	if (*b) {
		xfs_buf_unlock(*b);
		xfs_buf_rele(*b);
	}
	*b = NULL;
}

static void unlock(struct xfs_scrub *sc)
{
	let_go(&sc->agf);
	let_go(&sc->agi);
}

/* A header, locked; damage is no error where the check goes without it. */
static int lock_header(struct xfs_scrub *sc, enum xfs_kind kind, u32 sector, bool need,
		       struct xfs_buf **out)
{
	const struct xfs_sb *sb = &sc->mp->fs.vol.sb;
	u32 bbs = sb->sectsize / XFS_SECTOR;
	struct xfs_run run = { xfs_agb_daddr(sb, sc->agno, 0) + sector * bbs, bbs };
	struct xfs_fault f;
	int e = xfs_errno(xfs_buf_take(&sc->mp->cache, sb, kind, &run, 1, 0, out, &f));

	if (!e)
		return 0;
	*out = NULL;
	/* That a header is damaged says nothing of a tree. */
	if (sc->req->type >= XFS_SCRUB_BNOBT && !sc->li)
		sc->mask = 0;
	return e == -XFS_CORRUPT && !need ? 0 : e;
}

/* The headers, when nothing is pending for the AG. */
static int lock(struct xfs_scrub *sc)
{
	const struct type *t = &types[sc->req->type];
	const struct xfs_ag *ag = xfs_ag_of(&sc->mp->fs, sc->agno);

	for (;;) {
		int e = lock_header(sc, XFS_BLK_AGI, 2, t->agi, &sc->agi);

		e = e ?: lock_header(sc, XFS_BLK_AGF, 1, t->agf, &sc->agf);
		if (e || xfs_ag_drained(ag))
			return e;
		unlock(sc);
		if (wait_event_killable(sc->mp->drained, xfs_ag_drained(ag)))
			return -EINTR;
	}
}

/* ---- the AG of an inode's blocks ---- */

#define WAIT 100u		/* jiffies until all is let go */

/*
 * Who has pending work may wait for space in the log, which only becomes free when the inode, which
 * is locked, is written to its place: so there is no waiting for long.
 */
int xfs_scrub_lock_ag(struct xfs_scrub *sc, u32 agno)
{
	const struct xfs_ag *ag = xfs_ag_of(&sc->mp->fs, agno);

	sc->agno = agno;
	memset(sc->no, 0, sizeof(sc->no));
	sc->xref = false;
	for (u32 i = 0; i < WAIT; i++) {
		int e = lock_header(sc, XFS_BLK_AGI, 2, true, &sc->agi);

		e = e ?: lock_header(sc, XFS_BLK_AGF, 1, true, &sc->agf);
		if (e)
			return e;
		if (xfs_ag_drained(ag)) {
			xfs_scrub_xref_begin(sc);
			return 0;
		}
		unlock(sc);
		if (fatal_signal_pending(current))
			return -EINTR;
		schedule_timeout_uninterruptible(1);
	}
	return -EDEADLK;
}

int xfs_scrub_lock_agi(struct xfs_scrub *sc, u32 agno)
{
	sc->agno = agno;
	return lock_header(sc, XFS_BLK_AGI, 2, true, &sc->agi);
}

void xfs_scrub_unlock_ag(struct xfs_scrub *sc)
{
	unlock(sc);
}

static int check_locked(struct xfs_scrub *sc)
{
	int e = lock(sc);

	e = e ?: types[sc->req->type].check(sc);
	unlock(sc);
	return e ?: sc->error;
}

/* The copy is compared while nobody changes copies, then what the AG says of its block. */
static int check_sb(struct xfs_scrub *sc)
{
	int e;

	if (mutex_lock_killable(&sc->mp->admin))
		return -EINTR;
	e = xfs_scrub_sb(sc);
	mutex_unlock(&sc->mp->admin);
	if (e || !sc->agno || xfs_scrub_is_bad(sc))
		return e;
	e = lock(sc);
	if (!e)
		xfs_scrub_sb_refer(sc);
	unlock(sc);
	return e ?: sc->error;
}

static int check_inode(struct xfs_scrub *sc)
{
	struct xfs_lino *li = sc->li;
	int e;

	if (down_read_killable(&li->lock))
		return -EINTR;
	/* Linux reads no such inode: no check of it has anything to say. */
	if (!xfs_scrub_core_ok(&sc->mp->fs.vol.sb, &li->ip.node.core)) {
		sc->mask &= XFS_SICK_INO_CORE;
		e = -XFS_CORRUPT;
	} else {
		e = types[sc->req->type].check(sc);
	}
	unlock(sc);
	up_read(&li->lock);
	return e ?: sc->error;
}

/* The same of a directory that the VFS has: no name comes or goes. */
static int check_names(struct xfs_scrub *sc)
{
	int e;

	if (down_read_killable(&sc->inode->i_rwsem))
		return -EINTR;
	e = check_inode(sc);
	up_read(&sc->inode->i_rwsem);
	return e;
}

#define TRIES 10		/* while blocks are locked by others */

int xfs_scrub_check_all(struct xfs_scrub *sc)
{
	u32 in = sc->req->flags;
	int e = -EDEADLK;

	for (u32 i = 0; e == -EDEADLK && i < TRIES; i++) {
		unsigned int nofs = memalloc_nofs_save();

		memset(sc->no, 0, sizeof(sc->no));
		sc->xref = false;
		sc->error = 0;
		sc->req->flags = in;
		if (sc->li)
			e = sc->req->type == XFS_SCRUB_DIR && sc->inode ? check_names(sc) :
									  check_inode(sc);
		else
			e = sc->req->type == XFS_SCRUB_SB ? check_sb(sc) : check_locked(sc);
		memalloc_nofs_restore(nofs);
	}
	return e == -EDEADLK ? -EBUSY : xfs_errno(e);
}

/* What was found is marked; what was not is no more, if all was looked at. */
static void mark(struct xfs_scrub *sc)
{
	u32 out = sc->req->flags;
	u64 ino = sc->li ? xfs_scrub_node(sc)->core.ino : sc->req->ino;
	bool of_ino = types[sc->req->type].scope == INO;
	struct xfs_ag_marks ag;
	enum xfs_mark what;

	if (out & (XFS_SCRUB_CORRUPT | XFS_SCRUB_XCORRUPT))
		what = XFS_MARK_CORRUPT;
	else if (!(out & (XFS_SCRUB_INCOMPLETE | XFS_SCRUB_XFAIL)))
		what = XFS_MARK_HEALTHY;
	else
		return;
	if (types[sc->req->type].scope == FS) {
		if (sc->mask)
			xfs_mark_fs(&sc->mp->health, what, sc->mask);
		return;
	}
	if (of_ino)
		sc->agno = xfs_ino_ag(&sc->mp->fs.vol.sb, ino);
	if (!sc->mask || !xfs_ag_marks(sc->mp, sc->agno, &ag))
		return;
	if (of_ino)
		xfs_mark_ino(&sc->mp->health, &ag, ino,
			     sc->li ? xfs_scrub_node(sc)->core.gen : sc->req->gen, what, sc->mask);
	else
		xfs_mark_ag(&sc->mp->health, &ag, what, sc->mask);
}

static int check(struct xfs_scrub *sc, struct file *file)
{
	int e;

	if (types[sc->req->type].scope == FS)
		return types[sc->req->type].check(sc);
	if (types[sc->req->type].scope != INO)
		return xfs_scrub_check_all(sc);
	/* After a repair it is sought again. */
	xfs_scrub_put_inode(sc);
	e = xfs_scrub_get_inode(sc, file);
	if (!e && sc->req->type == XFS_SCRUB_DIRTREE)
		return xfs_errno(xfs_scrub_dirtree(sc));
	return e ?: xfs_scrub_check_all(sc);
}

/* A check, and what is said and marked of it. */
static int look(struct xfs_scrub *sc, struct file *file)
{
	int e;

	sc->mask = types[sc->req->type].mask;
	e = check(sc, file);
	if (e == -XFS_CORRUPT) {
		xfs_scrub_bad(sc);
		e = 0;
	}
	if (!e)
		mark(sc);
	return e;
}

/* ---- repair ---- */

#define TO_REPAIR (XFS_SCRUB_CORRUPT | XFS_SCRUB_XCORRUPT | XFS_SCRUB_PREEN)

/* The structure that is made anew together with one of TYPE; TYPE: none is. */
static u32 twin_of(u32 type)
{
	switch (type) {
	case XFS_SCRUB_BNOBT:
		return XFS_SCRUB_CNTBT;
	case XFS_SCRUB_CNTBT:
		return XFS_SCRUB_BNOBT;
	case XFS_SCRUB_INOBT:
		return XFS_SCRUB_FINOBT;
	case XFS_SCRUB_FINOBT:
		return XFS_SCRUB_INOBT;
	}
	return type;
}

/* What was repaired is checked as before, and its twin with it: both lose their marks, or none. */
static int look_again(struct xfs_scrub *sc, struct file *file)
{
	struct xfs_scrub_req *req = sc->req;
	u32 type = req->type, flags;
	int e;

	req->flags &= ~XFS_SCRUB_OUT;
	e = look(sc, file);
	flags = req->flags;
	req->type = twin_of(type);
	if (!e && req->type != type && exists(sc, req->type)) {
		req->flags &= ~XFS_SCRUB_OUT;
		e = look(sc, file);
		flags |= req->flags;
	}
	req->type = type;
	req->flags = flags;
	return e;
}

/* SC's object, which was checked, is repaired where that is asked for. */
static int mend(struct xfs_scrub *sc, struct file *file, xfs_repair_fn repair)
{
	struct xfs_scrub_req *req = sc->req;
	int e;

	if (!(req->flags & (TO_REPAIR | XFS_SCRUB_REBUILD))) {
		req->flags |= XFS_SCRUB_NO_NEED;
		return 0;
	}
	e = repair(sc);
	if (!e)
		e = look_again(sc, file);
	if (e == -XFS_CORRUPT) {
		xfs_scrub_bad(sc);
		e = 0;
	}
	if (req->flags & (XFS_SCRUB_CORRUPT | XFS_SCRUB_XCORRUPT))
		printk_ratelimited(KERN_ALERT
				   "xfs: %s: online repair left damage: unmount, run xfs_repair\n",
				   sc->mp->sb->s_id);
	return e;
}

static int look_then_mend(struct xfs_scrub *sc, struct file *file, xfs_repair_fn repair)
{
	int e = look(sc, file);

	return e ?: mend(sc, file, repair);
}

static int look_writing(struct xfs_scrub *sc, struct file *file, xfs_repair_fn repair)
{
	bool freezes = sc->req->type == XFS_SCRUB_FSCOUNTERS;
	int e = mnt_want_write_file(file);

	if (e)
		return e;
	if (freezes)
		mnt_drop_write_file(file);
	e = look_then_mend(sc, file, repair);
	if (!freezes)
		mnt_drop_write_file(file);
	return e;
}

/*
 * Repairs are made one after another, and none while the file system is, or becomes, read-only. One
 * that freezes it cannot count as a writer, for whom the freeze would wait, and nobody counts as
 * one who waits for his turn.
 */
static int look_and_mend(struct xfs_scrub *sc, struct file *file, xfs_repair_fn repair)
{
	int e;

	if (mutex_lock_killable(&sc->mp->repairs))
		return -EINTR;
	e = look_writing(sc, file, repair);
	mutex_unlock(&sc->mp->repairs);
	return e;
}

/* It becomes read-only only when the thread has ended, so that no mount counts a writer. */
static int look_writing_own(struct xfs_scrub *sc, xfs_repair_fn repair)
{
	bool freezes = sc->req->type == XFS_SCRUB_FSCOUNTERS;
	int e;

	if (freezes)
		return look_then_mend(sc, NULL, repair);
	if (!sb_start_write_trylock(sc->mp->sb))
		return -EBUSY;
	e = look_then_mend(sc, NULL, repair);
	sb_end_write(sc->mp->sb);
	return e;
}

int xfs_scrub_own(struct xfs_mount *mp, struct xfs_scrub_req *req, xfs_repair_fn repair)
{
	struct xfs_scrub sc = { .mp = mp, .req = req, .agno = req->agno, .own = true };
	int e = judge(&sc);

	if (e)
		return e;
	/* Whose turn it is may wait for a remount, which waits for this thread. */
	if (!mutex_trylock(&mp->repairs))
		return -EBUSY;
	e = look_writing_own(&sc, repair);
	mutex_unlock(&mp->repairs);
	xfs_scrub_put_inode(&sc);
	return e;
}

int xfs_scrub_one(struct file *file, struct xfs_scrub_req *req, xfs_repair_fn repair)
{
	struct xfs_mount *mp = XFS_M(file_inode(file)->i_sb);
	struct xfs_scrub sc = { .mp = mp, .req = req, .agno = req->agno };
	int e = judge(&sc);

	/* That something could be asked is the answer. */
	if (e || req->type == XFS_SCRUB_PROBE)
		return e;
	e = req->flags & XFS_SCRUB_REPAIR ? look_and_mend(&sc, file, repair) : look(&sc, file);
	xfs_scrub_put_inode(&sc);
	return e;
}

/* ---- the ioctl ---- */

#define IOC_SCRUB  _IOWR('X', 60, struct xfs_scrub_req)
#define IOC_SCRUBV _IOWR('X', 64, u8[40])

static long scrub(struct file *file, struct uptr arg, xfs_repair_fn repair)
{
	struct xfs_scrub_req req;
	int e;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	e = xfs_scrub_one(file, &req, repair);
	if (e)
		return e;
	return copy_to_user(arg, &req, sizeof(req)) ? -EFAULT : 0;
}

long xfs_scrub_ioctl(struct file *file, unsigned int cmd, unsigned long arg, xfs_repair_fn repair)
{
	if (cmd == IOC_SCRUB)
		return scrub(file, UPTR(arg), repair);
	if (cmd == IOC_SCRUBV)
		return xfs_scrub_vector(file, UPTR(arg), repair);
	return -ENOTTY;
}
