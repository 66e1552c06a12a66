// SPDX-License-Identifier: MIT
/* ioctl(2): what every file knows; the rest is the file's own. */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/fiemap.h>
#include <vfs/fileattr.h>
#include <vfs/remap.h>
#include <mm/uaccess.h>
#include <sched/task.h>
#include <proc/cred.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/fiemap.h>
#include <asm/ioctls.h>

static long set_fasync(int fd, struct file *file, unsigned int on)
{
	unsigned int flag = on ? FASYNC : 0;
	int err = 0;

	if ((flag ^ file->f_flags) & FASYNC)
		err = file->f_op->fasync ? file->f_op->fasync(fd, file, on != 0) : -ENOTTY;
	return err < 0 ? err : 0;
}

static long bytes_left(struct file *file)
{
	return (long)(i_size_read(file_inode(file)) - file->f_pos);
}

/* FIBMAP: no filesystem here has blocks that a boot loader could read by number. */
static long no_block_numbers(struct uptr p)
{
	int block;

	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	return get_user(block, p) || (block >= 0 && put_user(0, p)) ? -EFAULT : -EINVAL;
}

static long owns_sb(struct super_block *sb)
{
	return ns_capable(sb->s_user_ns, CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static long get_uuid(const struct super_block *sb, struct uptr to)
{
	struct fsuuid2 u = { .len = sizeof(u.uuid) };

	if (!memchr_inv(sb->s_uuid, 0, sizeof(sb->s_uuid)))
		return -ENOTTY;
	memcpy(u.uuid, sb->s_uuid, sizeof(u.uuid));
	return copy_to_user(to, &u, sizeof(u)) ? -EFAULT : 0;
}

long vfs_ioctl(int fd, struct file *file, unsigned int cmd, unsigned long arg)
{
	struct inode *inode = file_inode(file);
	int on;
	long ret;

	switch (cmd) {
	case FIOCLEX:
	case FIONCLEX:
		return -ENOTTY;	/* by descriptor: sys_ioctl */
	case FIONBIO:
		if (get_user(on, UPTR(arg)))
			return -EFAULT;
		spin_lock(&file->f_lock);
		if (on)
			file->f_flags |= O_NONBLOCK;
		else
			file->f_flags &= ~(unsigned int)O_NONBLOCK;
		spin_unlock(&file->f_lock);
		return 0;
	case FIOASYNC:
		if (get_user(on, UPTR(arg)))
			return -EFAULT;
		return set_fasync(fd, file, (unsigned int)on);
	case FIFREEZE:
		ret = owns_sb(inode->i_sb);
		if (ret)
			return ret;
		return inode->i_sb->s_op->freeze_fs ? freeze_super(inode->i_sb, FREEZE_USER) : -EOPNOTSUPP;
	case FITHAW:
		ret = owns_sb(inode->i_sb);
		return ret ? ret : thaw_super(inode->i_sb, FREEZE_USER);
	case FIGETBSZ:
		if (!inode->i_sb->s_blocksize)
			return -EINVAL;
		return put_user((int)inode->i_sb->s_blocksize, UPTR(arg)) ? -EFAULT : 0;
	case FIONREAD:
		if (!S_ISREG(inode->i_mode))
			break;
		return put_user((int)bytes_left(file), UPTR(arg)) ? -EFAULT : 0;
	case FIBMAP:
		if (!S_ISREG(inode->i_mode))
			break;
		return no_block_numbers(UPTR(arg));
	case FIOQSIZE:
		if (S_ISDIR(inode->i_mode) || S_ISREG(inode->i_mode) || S_ISLNK(inode->i_mode))
			return put_user(i_size_read(inode), UPTR(arg)) ? -EFAULT : 0;
		return -ENOTTY;
	case FICLONE:
	case FICLONERANGE:
	case FIDEDUPERANGE:
		return remap_ioctl(file, cmd, arg);
	case FS_IOC_GETFLAGS:
	case FS_IOC_SETFLAGS:
	case FS_IOC_FSGETXATTR:
	case FS_IOC_FSSETXATTR:
		ret = fileattr_ioctl(file, cmd, UPTR(arg));
		if (ret != -ENOIOCTLCMD)
			return ret;
		break;
	case FS_IOC_GETFSUUID:
		return get_uuid(inode->i_sb, UPTR(arg));
	case FS_IOC_FIEMAP:
		if (S_ISREG(inode->i_mode) || inode->i_op->fiemap)
			return fiemap_ioctl(file, UPTR(arg));
		break;
	}
	if (!file->f_op->ioctl)
		return -ENOTTY;
	ret = file->f_op->ioctl(file, cmd, arg);
	return ret == -ENOIOCTLCMD ? -ENOTTY : ret;
}
