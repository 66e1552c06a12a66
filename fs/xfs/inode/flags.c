// SPDX-License-Identifier: MIT
/* Flags, hints and the project of an inode (ioctl_xfs_fsgetxattr(2)); reading them is file/'s. */
#include "fs/xfs/inode/priv.h"
#include <vfs/fileattr.h>
#include <linux/capability.h>
#include <linux/fs.h>

/* Bits of the inode are those of FS_XFLAG_*. */
#define MAY_CHANGE (FS_XFLAG_IMMUTABLE | FS_XFLAG_APPEND | FS_XFLAG_SYNC | FS_XFLAG_NOATIME | FS_XFLAG_NODUMP | FS_XFLAG_NODEFRAG | FS_XFLAG_FILESTREAM)
#define OF_DIRS (FS_XFLAG_PROJINHERIT | FS_XFLAG_NOSYMLINKS | FS_XFLAG_EXTSZINHERIT | FS_XFLAG_RTINHERIT)
#define BY_FLAGS (FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NOATIME_FL | FS_NODUMP_FL | FS_SYNC_FL | FS_DAX_FL | FS_PROJINHERIT_FL)

/* A size of extents, in bytes: does it make sense? */
static bool size_ok(const struct xfs_sb *sb, u32 size)
{
	return !(size & (sb->blocksize - 1)) && (size >> sb->blocklog) <= sb->agblocks / 2;
}

static int check(const struct xfs_sb *sb, const struct inode *inode, const struct xfs_core *c,
		 const struct fileattr *fa)
{
	bool file = S_ISREG(inode->i_mode);

	if (fa->by_flags && fa->flags & ~(u32)BY_FLAGS)
		return -EOPNOTSUPP;
	if (fa->xflags & (FS_XFLAG_REALTIME | FS_XFLAG_RTINHERIT))
		return -EINVAL;
	if (fa->xflags & (FS_XFLAG_EXTSIZE | FS_XFLAG_EXTSZINHERIT) && !size_ok(sb, fa->extsize))
		return -EINVAL;
	if (file && c->nextents && !fa->by_flags && c->extsize << sb->blocklog != fa->extsize &&
	    (c->flags | fa->xflags) & FS_XFLAG_EXTSIZE)
		return -EINVAL;
	if (fa->xflags & FS_XFLAG_COWEXTSIZE &&
	    (!(sb->ro_compat & XFS_RO_REFLINK) || !size_ok(sb, fa->cowextsize)))
		return -EINVAL;
	return 0;
}

/* C is locked for writing. */
static void apply(const struct xfs_sb *sb, const struct inode *inode, struct xfs_core *c,
		  const struct fileattr *fa)
{
	u32 may = MAY_CHANGE | (S_ISDIR(inode->i_mode) ? OF_DIRS : 0) |
		  (S_ISREG(inode->i_mode) ? FS_XFLAG_EXTSIZE : 0);

	c->flags = (u16)((c->flags & ~may) | (fa->xflags & may));
	c->flags2 &= ~(u64)(XFS_DIFLAG2_DAX | XFS_DIFLAG2_COWEXTSIZE);
	if (fa->xflags & FS_XFLAG_DAX)
		c->flags2 |= XFS_DIFLAG2_DAX;
	if (fa->xflags & FS_XFLAG_COWEXTSIZE)
		c->flags2 |= XFS_DIFLAG2_COWEXTSIZE;
	c->extsize = c->flags & (XFS_DIFLAG_EXTSIZE | XFS_DIFLAG_EXTSZINHERIT) ?
			     fa->extsize >> sb->blocklog :
			     0;
	c->cowextsize = c->flags2 & XFS_DIFLAG2_COWEXTSIZE ? fa->cowextsize >> sb->blocklog : 0;
	c->projid = fa->projid;
}

int xfs_fileattr_set(struct mnt_idmap *idmap, struct dentry *dentry, const struct fileattr *fa)
{
	struct inode *inode = dentry->d_inode;
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	struct xfs_core *c = &xfs_node_of(inode)->core;
	struct xfs_locked l;
	struct xfs_tx *tx;
	int e = xfs_begin(mp, XFS_RES_CHANGE, 0, 0, xfs_sync_of(inode), &tx);

	if (e)
		return e;
	xfs_lock_inodes(&l, &inode, 1);
	e = check(&mp->fs.vol.sb, inode, c, fa);
	if (!e) {
		/* As on Linux, FS_IOC_FSSETXATTR does this even if the project stays the same. */
		if (!fa->by_flags && inode->i_mode & (S_ISUID | S_ISGID) &&
		    !capable_wrt_inode_uidgid(idmap, inode, CAP_FSETID))
			inode->i_mode &= (umode_t) ~(S_ISUID | S_ISGID);
		apply(&mp->fs.vol.sb, inode, c, fa);
		xfs_set_vfs_flags(inode, c);
		inode_set_ctime_current(inode);
		xfs_log_vfs(tx, inode);
	}
	e = xfs_end(tx, e);
	xfs_unlock_inodes(&l);
	return e;
}
