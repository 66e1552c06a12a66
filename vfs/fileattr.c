// SPDX-License-Identifier: MIT
/* Flags of files: chattr(1), lsattr(1). What they forbid is asked where it is done (IS_IMMUTABLE, IS_APPEND). */
#include <vfs/fileattr.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/mount.h>
#include <vfs/notify.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <sched/task.h>
#include <linux/capability.h>
#include <linux/fs.h>

/* What both ways can say. */
static const struct {
	u32 flag, xflag;
} common[] = {
	{ FS_SYNC_FL, FS_XFLAG_SYNC },
	{ FS_IMMUTABLE_FL, FS_XFLAG_IMMUTABLE },
	{ FS_APPEND_FL, FS_XFLAG_APPEND },
	{ FS_NODUMP_FL, FS_XFLAG_NODUMP },
	{ FS_NOATIME_FL, FS_XFLAG_NOATIME },
	{ FS_DAX_FL, FS_XFLAG_DAX },
	{ FS_PROJINHERIT_FL, FS_XFLAG_PROJINHERIT },
	{ FS_VERITY_FL, FS_XFLAG_VERITY },
};
#define COMMON_FLAGS (FS_SYNC_FL | FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL | FS_DAX_FL | FS_PROJINHERIT_FL | \
		      FS_VERITY_FL)
#define COMMON_XFLAGS (FS_XFLAG_SYNC | FS_XFLAG_IMMUTABLE | FS_XFLAG_APPEND | FS_XFLAG_NODUMP | FS_XFLAG_NOATIME | FS_XFLAG_DAX | \
		       FS_XFLAG_PROJINHERIT | FS_XFLAG_VERITY)

struct fileattr fileattr_of_flags(u32 flags)
{
	struct fileattr fa = { .flags = flags, .by_flags = true };

	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		if (flags & common[i].flag)
			fa.xflags |= common[i].xflag;
	return fa;
}

struct fileattr fileattr_of_xflags(u32 xflags)
{
	struct fileattr fa = { .xflags = xflags };

	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		if (xflags & common[i].xflag)
			fa.flags |= common[i].flag;
	return fa;
}

bool fileattr_has_more(const struct fileattr *fa)
{
	return !fa->by_flags && (fa->xflags & ~(u32)COMMON_XFLAGS || fa->extsize || fa->projid || fa->cowextsize);
}

int vfs_fileattr_get(struct dentry *d, struct fileattr *fa)
{
	struct inode *inode = d->d_inode;

	return inode->i_op->fileattr_get ? inode->i_op->fileattr_get(d, fa) : -EOPNOTSUPP;
}

/* Whether @fa may follow @old; what its way of saying it leaves out stays as it was. */
static int prepare(const struct inode *inode, const struct fileattr *old, struct fileattr *fa)
{
	umode_t type = inode->i_mode & S_IFMT;

	if (fa->by_flags) {
		fa->xflags |= old->xflags & ~(u32)COMMON_XFLAGS;
		fa->extsize = old->extsize;
		fa->nextents = old->nextents;
		fa->projid = old->projid;
		fa->cowextsize = old->cowextsize;
	} else {
		fa->flags |= old->flags & ~(u32)COMMON_FLAGS;
	}
	if ((fa->flags ^ old->flags) & (FS_APPEND_FL | FS_IMMUTABLE_FL) && !capable(CAP_LINUX_IMMUTABLE))
		return -EPERM;
	if (current_user_ns() != &init_user_ns && (old->projid != fa->projid || (old->xflags ^ fa->xflags) & FS_XFLAG_PROJINHERIT))
		return -EINVAL;
	if (fa->projid == (u32)-1)
		return -EINVAL;
	if ((fa->xflags & FS_XFLAG_EXTSIZE && type != S_IFREG) || (fa->xflags & FS_XFLAG_EXTSZINHERIT && type != S_IFDIR) ||
	    (fa->xflags & (FS_XFLAG_COWEXTSIZE | FS_XFLAG_DAX) && type != S_IFREG && type != S_IFDIR))
		return -EINVAL;
	if (!fa->extsize)
		fa->xflags &= ~(u32)(FS_XFLAG_EXTSIZE | FS_XFLAG_EXTSZINHERIT);
	if (!fa->cowextsize)
		fa->xflags &= ~(u32)FS_XFLAG_COWEXTSIZE;
	return 0;
}

int vfs_fileattr_set(struct mnt_idmap *idmap, struct dentry *d, struct fileattr *fa)
{
	struct inode *inode = d->d_inode;
	struct fileattr old;
	int err;

	if (!inode->i_op->fileattr_set)
		return -EOPNOTSUPP;
	if (!inode_owner_or_capable(idmap, inode))
		return -EPERM;
	inode_lock(inode);
	err = vfs_fileattr_get(d, &old);
	if (!err)
		err = prepare(inode, &old, fa);
	if (!err)
		err = inode->i_op->fileattr_set(idmap, d, fa);
	if (!err)
		notify_dentry(d, IN_ATTRIB);
	inode_unlock(inode);
	return err;
}

static long set_on(struct file *file, struct fileattr *fa)
{
	long err = mnt_want_write_file(file);

	if (err)
		return err;
	err = vfs_fileattr_set(mnt_idmap(file->f_path.mnt), file->f_path.dentry, fa);
	mnt_drop_write_file(file);
	return err == -EOPNOTSUPP && !file_inode(file)->i_op->fileattr_set ? -ENOIOCTLCMD : err;
}

static long put_xattr(const struct fileattr *fa, struct uptr arg)
{
	struct fsxattr x = {
		.fsx_xflags = fa->xflags,
		.fsx_extsize = fa->extsize,
		.fsx_nextents = fa->nextents,
		.fsx_projid = fa->projid,
		.fsx_cowextsize = fa->cowextsize,
	};

	return copy_to_user(arg, &x, sizeof(x)) ? -EFAULT : 0;
}

long fileattr_ioctl(struct file *file, unsigned int cmd, struct uptr arg)
{
	struct fileattr fa;
	struct fsxattr x;
	u32 flags;
	int err;

	switch (cmd) {
	case FS_IOC_SETFLAGS:
		if (get_user(flags, arg))
			return -EFAULT;
		fa = fileattr_of_flags(flags);
		return set_on(file, &fa);
	case FS_IOC_FSSETXATTR:
		if (copy_from_user(&x, arg, sizeof(x)))
			return -EFAULT;
		fa = fileattr_of_xflags(x.fsx_xflags);
		fa.extsize = x.fsx_extsize;
		fa.nextents = x.fsx_nextents;
		fa.projid = x.fsx_projid;
		fa.cowextsize = x.fsx_cowextsize;
		return set_on(file, &fa);
	}
	err = vfs_fileattr_get(file->f_path.dentry, &fa);
	if (err)
		return err == -EOPNOTSUPP ? -ENOIOCTLCMD : err;
	if (cmd == FS_IOC_FSGETXATTR)
		return put_xattr(&fa, arg);
	return put_user(fa.flags, arg) ? -EFAULT : 0;
}
