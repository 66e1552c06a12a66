// SPDX-License-Identifier: MIT
/*
 * What programs ask a file or a directory of XFS: flags and sizes that XFS alone has
 * (ioctl_xfs_fsgetxattr(2)), the filesystem's geometry (ioctl_xfs_fsgeometry(2)). The
 * structures are those manual pages': no packaged header of the kernel has them.
 */
#include "fs/xfs/inode/inode.h"
#include <mm/uaccess.h>
#include <vfs/fileattr.h>
#include <linux/capability.h>
#include <linux/fs.h>

struct geometry {
	u32 blocksize, rtextsize, agblocks, agcount, logblocks, sectsize, inodesize, imaxpct;
	u64 datablocks, rtblocks, rtextents, logstart;
	u8 uuid[16];
	u32 sunit, swidth;
	s32 version;
	u32 flags, logsectsize, rtsectsize, dirblocksize, logsunit, sick, checked, rgextents,
		rgcount;
	u64 rtstart, rtreserved, reserved[14];
};
#define GEOMETRY_OLD 112		/* bytes of the first and the fourth version */
_Static_assert(offsetof(struct geometry, sick) == GEOMETRY_OLD && sizeof(struct geometry) == 256,
	       "XFS_IOC_FSGEOMETRY");

#define IOC_GEOMETRY_V1 _IOR('X', 100, u8[GEOMETRY_OLD])
#define IOC_GEOMETRY_V4 _IOR('X', 124, u8[GEOMETRY_OLD])
#define IOC_GEOMETRY _IOR('X', 126, struct geometry)
#define IOC_DIOINFO _IOR('X', 30, u32[3])
#define IOC_GETXATTRA _IOR('X', 45, struct fsxattr)
#define IOC_SHUTDOWN _IOR('X', 125, u32)

enum {
	GEOM_ATTR = 1 << 0,
	GEOM_NLINK = 1 << 1,
	GEOM_IALIGN = 1 << 3,
	GEOM_DALIGN = 1 << 4,
	GEOM_EXTFLG = 1 << 6,
	GEOM_DIRV2 = 1 << 7,
	GEOM_LOGV2 = 1 << 8,
	GEOM_SECTOR = 1 << 9,
	GEOM_ATTR2 = 1 << 10,
	GEOM_PROJID32 = 1 << 11,
	GEOM_LAZYSB = 1 << 14,
	GEOM_V5SB = 1 << 15,
	GEOM_FTYPE = 1 << 16,
	GEOM_FINOBT = 1 << 17,
	GEOM_SPINODES = 1 << 18,
	GEOM_RMAPBT = 1 << 19,
	GEOM_REFLINK = 1 << 20,
	GEOM_BIGTIME = 1 << 21,
	GEOM_INOBTCNT = 1 << 22,
	GEOM_NREXT64 = 1 << 23,
	GEOM_EXCHANGE = 1 << 24,
	GEOM_PARENT = 1 << 25,
	GEOM_METADIR = 1 << 26,
};

static u32 geometry_flags(const struct xfs_sb *sb)
{
	static const struct {
		u32 bit, flag;
	} ro[] = {
		{ XFS_RO_FINOBT, GEOM_FINOBT }, { XFS_RO_RMAPBT, GEOM_RMAPBT }, { XFS_RO_REFLINK, GEOM_REFLINK }, { XFS_RO_INOBTCNT, GEOM_INOBTCNT },
	}, in[] = {
		{ XFS_IN_SPINODES, GEOM_SPINODES }, { XFS_IN_BIGTIME, GEOM_BIGTIME }, { XFS_IN_NREXT64, GEOM_NREXT64 },
		{ XFS_IN_EXCHRANGE, GEOM_EXCHANGE }, { XFS_IN_PARENT, GEOM_PARENT }, { XFS_IN_METADIR, GEOM_METADIR },
	};
	/* What every V5 has. */
	u32 f = GEOM_NLINK | GEOM_IALIGN | GEOM_EXTFLG | GEOM_DIRV2 | GEOM_LOGV2 | GEOM_ATTR |
		GEOM_ATTR2 | GEOM_PROJID32 | GEOM_LAZYSB | GEOM_V5SB | GEOM_FTYPE;

	for (u32 i = 0; i < ARRAY_SIZE(ro); i++)
		if (sb->ro_compat & ro[i].bit)
			f |= ro[i].flag;
	for (u32 i = 0; i < ARRAY_SIZE(in); i++)
		if (sb->incompat & in[i].bit)
			f |= in[i].flag;
	if (sb->unit)
		f |= GEOM_DALIGN;
	if (sb->sectsize > XFS_SECTOR)
		f |= GEOM_SECTOR;
	return f;
}

static long geometry(struct super_block *s, struct uptr to, int version)
{
	const struct xfs_sb *sb = &XFS_M(s)->fs.vol.sb;
	struct xfs_health *h = &XFS_M(s)->health;
	struct xfs_marks marks = xfs_health_of(h, &h->fs);
	struct geometry g = {
		.blocksize = sb->blocksize,
		.rtextsize = 1,
		.agblocks = sb->agblocks,
		.agcount = sb->agcount,
		.logblocks = sb->logblocks,
		.sectsize = sb->sectsize,
		.inodesize = sb->inodesize,
		.imaxpct = sb->imax_pct,
		.datablocks = sb->dblocks,
		.logstart = sb->logstart,
		.sunit = sb->unit,
		.swidth = sb->width,
		.version = version == 5 ? 5 : 0,
		.flags = geometry_flags(sb),
		.logsectsize = sb->logsectsize ?: XFS_SECTOR,
		.rtsectsize = sb->blocksize,
		.dirblocksize = sb->dirblksize,
		.sick = marks.sick,
		.checked = marks.checked,
	};

	memcpy(g.uuid, sb->uuid, sizeof(g.uuid));
	if (version >= 4)
		g.logsunit = sb->logsunit;
	return copy_to_user(to, &g, version == 5 ? sizeof(g) : GEOMETRY_OLD) ? -EFAULT : 0;
}

static long shutdown(struct super_block *s, struct uptr from)
{
	u32 how;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (get_user(how, from))
		return -EFAULT;
	return xfs_shutdown(XFS_M(s), how);
}

/* As FS_IOC_FSGETXATTR says it, but for the extents: those of the attributes. */
static long attr_fork(struct file *file, struct uptr to)
{
	struct inode *inode = file_inode(file);
	struct fileattr fa;
	struct fsxattr x;
	int e = xfs_fileattr_get(file->f_path.dentry, &fa);

	if (e)
		return e;
	x = (struct fsxattr){
		.fsx_xflags = fa.xflags,
		.fsx_extsize = fa.extsize,
		.fsx_projid = fa.projid,
		.fsx_cowextsize = fa.cowextsize,
	};
	xfs_read_lock(inode);
	x.fsx_nextents = (u32)xfs_node_of(inode)->core.anextents;
	xfs_read_unlock(inode);
	return copy_to_user(to, &x, sizeof(x)) ? -EFAULT : 0;
}

/* What direct I/O must be aligned to, in memory and in the file, and its largest size. */
static long dio_info(struct super_block *s, struct uptr to)
{
	u32 unit = s->s_bdev->disk->block_size;
	u32 info[3] = { unit, unit, S32_MAX & ~(unit - 1) };

	return copy_to_user(to, info, sizeof(info)) ? -EFAULT : 0;
}

long xfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct inode *inode = file_inode(file);

	switch (cmd) {
	case IOC_GEOMETRY:
		return geometry(inode->i_sb, UPTR(arg), 5);
	case IOC_GEOMETRY_V4:
		return geometry(inode->i_sb, UPTR(arg), 4);
	case IOC_GEOMETRY_V1:
		return geometry(inode->i_sb, UPTR(arg), 1);
	case IOC_DIOINFO:
		return dio_info(inode->i_sb, UPTR(arg));
	case IOC_GETXATTRA:
		return attr_fork(file, UPTR(arg));
	case IOC_SHUTDOWN:
		return shutdown(inode->i_sb, UPTR(arg));
	case FS_IOC_GETVERSION:
		return put_user((int)inode->i_generation, UPTR(arg)) ? -EFAULT : 0;
	}
	return XFS_M(inode->i_sb)->ioctl(file, cmd, arg);
}

/* Bits of the inode are those of FS_XFLAG_*, but for one. */
#define DIFLAGS (FS_XFLAG_PREALLOC | FS_XFLAG_IMMUTABLE | FS_XFLAG_APPEND | FS_XFLAG_SYNC | FS_XFLAG_NOATIME | FS_XFLAG_NODUMP | FS_XFLAG_RTINHERIT | \
		 FS_XFLAG_PROJINHERIT | FS_XFLAG_NOSYMLINKS | FS_XFLAG_EXTSIZE | FS_XFLAG_EXTSZINHERIT | FS_XFLAG_NODEFRAG | FS_XFLAG_FILESTREAM)
_Static_assert(FS_XFLAG_IMMUTABLE == XFS_DIFLAG_IMMUTABLE &&
		       FS_XFLAG_FILESTREAM == XFS_DIFLAG_FILESTREAM,
	       "flags of inodes");

u32 xfs_xflags_of(const struct xfs_core *c)
{
	u32 x = c->flags & DIFLAGS;

	if (c->flags2 & XFS_DIFLAG2_DAX)
		x |= FS_XFLAG_DAX;
	if (c->flags2 & XFS_DIFLAG2_COWEXTSIZE)
		x |= FS_XFLAG_COWEXTSIZE;
	return c->forkoff ? x | FS_XFLAG_HASATTR : x;
}

int xfs_fileattr_get(struct dentry *dentry, struct fileattr *fa)
{
	struct xfs_mount *mp = XFS_M(dentry->d_sb);
	const struct xfs_core *c = &xfs_node_of(dentry->d_inode)->core;

	xfs_read_lock(dentry->d_inode);
	*fa = fileattr_of_xflags(xfs_xflags_of(c));
	if (c->flags & (XFS_DIFLAG_EXTSIZE | XFS_DIFLAG_EXTSZINHERIT))
		fa->extsize = c->extsize << mp->fs.vol.sb.blocklog;
	if (c->flags2 & XFS_DIFLAG2_COWEXTSIZE)
		fa->cowextsize = c->cowextsize << mp->fs.vol.sb.blocklog;
	fa->nextents = (u32)min_t(u64, c->nextents, U32_MAX);
	fa->projid = c->projid;
	xfs_read_unlock(dentry->d_inode);
	return 0;
}
