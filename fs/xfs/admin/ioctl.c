// SPDX-License-Identifier: MIT
/* Calls that concern the whole file system (admin.h). */
#include "fs/xfs/admin/admin.h"
#include "fs/xfs/ag/ag.h"
#include "fs/xfs/ag/ialloc.h"
#include "fs/xfs/format/agheader.h"
#include <mm/filemap.h>
#include <mm/uaccess.h>
#include <vfs/mount.h>
#include <lib/minmax.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/fsmap.h>

struct counts {
	u64 freedata, freertx, freeino, allocino;
};
struct resblks {
	u64 blocks, available;
};
struct ag_geometry {
	u32 number, length, freeblks, icount, ifree, sick, checked, flags;
	u64 reserved[12];
};
_Static_assert(sizeof(struct ag_geometry) == 128, "XFS_IOC_AG_GEOMETRY");

#define IOC_AG_GEOMETRY _IOWR('X', 61, struct ag_geometry)
#define IOC_GROWFS _IOW('X', 110, struct xfs_growfs)
#define IOC_BULKSTAT _IOR('X', 127, struct xfs_bulk)
#define IOC_INUMBERS _IOR('X', 128, struct xfs_bulk)
#define IOC_GETPARENTS _IOWR('X', 62, struct xfs_getparents)
#define IOC_GETPARENTS_BY_HANDLE _IOWR('X', 63, struct xfs_getparents_by)
#define IOC_FSBULKSTAT _IOWR('X', 101, u64[4])
#define IOC_FSBULKSTAT_SINGLE _IOWR('X', 102, u64[4])
#define IOC_FSINUMBERS _IOWR('X', 103, u64[4])
#define IOC_COUNTS _IOR('X', 113, struct counts)
#define IOC_SET_RESBLKS _IOWR('X', 114, struct resblks)
#define IOC_GET_RESBLKS _IOR('X', 115, struct resblks)

/* ---- the label ---- */

static long get_label(struct xfs_mount *mp, struct uptr to)
{
	char text[FSLABEL_MAX] = "";

	/* A growth may hold it for long. */
	if (mutex_lock_killable(&mp->admin))
		return -EINTR;
	memcpy(text, mp->fs.vol.sb.label, sizeof(mp->fs.vol.sb.label));
	mutex_unlock(&mp->admin);
	return copy_to_user(to, text, sizeof(text)) ? -EFAULT : 0;
}

static void put_label(struct xfs_dsb *d, const void *arg)
{
	memcpy(d->fname, arg, sizeof(d->fname));
}

static int change_label(struct xfs_mount *mp, const char *text)
{
	struct xfs_dsb d;
	int e;

	if (!mp->live)
		return -EROFS;
	if (mutex_lock_killable(&mp->admin))
		return -EINTR;
	e = xfs_change_sb(mp, put_label, text, &d);
	if (!e) {
		memcpy(mp->fs.vol.sb.label, text, sizeof(mp->fs.vol.sb.label));
		e = xfs_copy_sb(mp, &d);
	}
	/* blkid and others that read the device see it at once. */
	e = e ?: xfs_settle_sb(mp);
	if (!e)
		invalidate_mapping_pages(mp->sb->s_bdev->inode->i_mapping, 0, (pgoff_t)-1);
	mutex_unlock(&mp->admin);
	return e;
}

static long set_label(struct file *file, struct uptr from)
{
	struct xfs_mount *mp = XFS_M(file_inode(file)->i_sb);
	char text[sizeof(mp->fs.vol.sb.label)] = "";
	size_t len;
	int e;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(text, from, sizeof(text)))
		return -EFAULT;
	len = strnlen(text, sizeof(text));
	if (len >= sizeof(text))
		return -EINVAL;
	memset(text + len, 0, sizeof(text) - len);
	e = mnt_want_write_file(file);
	if (e)
		return e;
	e = change_label(mp, text);
	mnt_drop_write_file(file);
	return e;
}

/* ---- counters ---- */

static long counts(struct xfs_mount *mp, struct uptr to)
{
	struct xfs_counts now = xfs_counts_of(mp);
	u64 kept = xfs_set_aside(&mp->fs.vol.sb);
	struct counts c = {
		.freedata = now.fdblocks - min(now.fdblocks, kept),
		.freeino = now.ifree,
		.allocino = now.icount,
	};

	return copy_to_user(to, &c, sizeof(c)) ? -EFAULT : 0;
}

/* Blocks that only transactions that free space may take. */
static long get_resblks(struct xfs_mount *mp, struct uptr to)
{
	struct resblks r = { 0 };

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (READ_ONCE(mp->live)) {
		r.blocks = xfs_pool_blocks(mp);
		r.available = min(r.blocks, xfs_counts_of(mp).fdblocks);
	}
	return copy_to_user(to, &r, sizeof(r)) ? -EFAULT : 0;
}

/* It is forgotten with the mount, as on Linux. */
static long set_resblks(struct file *file, struct uptr arg)
{
	struct xfs_mount *mp = XFS_M(file_inode(file)->i_sb);
	struct resblks r;
	int e;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	e = mnt_want_write_file(file);
	if (e)
		return e;
	if (copy_from_user(&r, arg, sizeof(r)))
		e = -EFAULT;
	else
		WRITE_ONCE(mp->pool, min(r.blocks, (u64)LLONG_MAX));
	mnt_drop_write_file(file);
	return e ?: get_resblks(mp, arg);
}

/* ---- AGs ---- */

/* G's numbers from the headers of its AG. */
static int ask_headers(struct xfs_mount *mp, struct ag_geometry *g)
{
	struct xfs_txbuf *agi, *agf;
	const struct xfs_ag *ag;
	struct xfs_tx *tx;
	int e = xfs_begin_look(mp, &tx);

	if (e)
		return e;
	e = xfs_ag_agi(tx, g->number, 0, &agi);
	e = e ?: xfs_ag_agf(tx, g->number, 0, &agf);
	if (!e) {
		ag = xfs_ag_of(&mp->fs, g->number);
		g->length = ag->length;
		g->freeblks = ag->freeblks + ag->flcount + ag->btreeblks;
		g->freeblks -= min(g->freeblks, xfs_ag_kept_left(ag));
		g->icount = ag->inodes;
		g->ifree = ag->freeinodes;
	}
	xfs_trans_cancel(tx);
	return e;
}

/* The same where nothing was ever written: no transactions, and nobody changes the headers. */
static int read_headers(struct xfs_mount *mp, struct ag_geometry *g)
{
	struct xfs_vol *v = &mp->fs.vol;
	u32 bbs = v->sb.sectsize / XFS_SECTOR;
	struct xfs_run run = { xfs_agb_daddr(&v->sb, g->number, 0) + 2 * bbs, bbs };
	struct xfs_fault f = { 0 };
	struct xfs_agf agf = { 0 };
	struct xfs_agi agi;
	struct xfs_blk b;
	int e = v->get(v, XFS_BLK_AGI, &run, 1, &b);

	if (e)
		return e;
	e = xfs_agi_decode(&v->sb, g->number, b.data, run.daddr, &agi, &f);
	v->put(v, &b);
	run.daddr -= bbs;
	e = e ?: v->get(v, XFS_BLK_AGF, &run, 1, &b);
	if (e)
		return xfs_errno(e);
	e = xfs_agf_decode(&v->sb, g->number, b.data, run.daddr, &agf, &f);
	v->put(v, &b);
	g->length = xfs_ag_blocks(&v->sb, g->number);
	g->freeblks = agf.freeblks + agf.flcount + agf.btreeblks;
	g->icount = agi.count;
	g->ifree = agi.freecount;
	return xfs_errno(e);
}

static long ag_geometry(struct xfs_mount *mp, struct uptr arg)
{
	struct xfs_ag_marks ag;
	struct ag_geometry g;
	int e;

	if (copy_from_user(&g, arg, sizeof(g)))
		return -EFAULT;
	if (g.flags || memchr_inv(g.reserved, 0, sizeof(g.reserved)) ||
	    g.number >= mp->fs.vol.sb.agcount)
		return -EINVAL;
	g = (struct ag_geometry){ .number = g.number };
	e = READ_ONCE(mp->live) ? ask_headers(mp, &g) : read_headers(mp, &g);
	if (e)
		return e;
	if (xfs_ag_marks(mp, g.number, &ag)) {
		struct xfs_marks m = xfs_health_of(&mp->health, ag.marks);

		g.sick = m.sick;
		g.checked = m.checked;
	}
	return copy_to_user(arg, &g, sizeof(g)) ? -EFAULT : 0;
}

long xfs_admin_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct super_block *s = file_inode(file)->i_sb;
	struct xfs_mount *mp = XFS_M(s);
	long e;

	switch (cmd) {
	case FS_IOC_GETFSLABEL:
		return get_label(mp, UPTR(arg));
	case FS_IOC_SETFSLABEL:
		return set_label(file, UPTR(arg));
	case IOC_COUNTS:
		return counts(mp, UPTR(arg));
	case IOC_SET_RESBLKS:
		return set_resblks(file, UPTR(arg));
	case IOC_GET_RESBLKS:
		return get_resblks(mp, UPTR(arg));
	case IOC_AG_GEOMETRY:
		return ag_geometry(mp, UPTR(arg));
	case IOC_GROWFS:
		return xfs_growfs(file, UPTR(arg));
	case IOC_BULKSTAT:
		return xfs_bulk(mp, UPTR(arg), false);
	case IOC_INUMBERS:
		return xfs_bulk(mp, UPTR(arg), true);
	case IOC_FSBULKSTAT:
		return xfs_bulk_old(mp, UPTR(arg), XFS_OLD_STAT);
	case IOC_FSBULKSTAT_SINGLE:
		return xfs_bulk_old(mp, UPTR(arg), XFS_OLD_STAT_ONE);
	case IOC_FSINUMBERS:
		return xfs_bulk_old(mp, UPTR(arg), XFS_OLD_INUMBERS);
	case IOC_GETPARENTS:
		return xfs_getparents(file, UPTR(arg), false);
	case IOC_GETPARENTS_BY_HANDLE:
		return xfs_getparents(file, UPTR(arg), true);
	case FS_IOC_GETFSMAP:
		return xfs_getfsmap(mp, UPTR(arg));
	case FITRIM:
		return xfs_trim(s, UPTR(arg));
	}
	e = xfs_handle_ioctl(file, cmd, arg);
	if (e == -ENOTTY)
		e = xfs_exchange_ioctl(file, cmd, UPTR(arg));
	return e == -ENOTTY ? xfs_getbmap(file, cmd, UPTR(arg)) : e;
}
