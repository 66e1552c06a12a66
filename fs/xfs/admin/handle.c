// SPDX-License-Identifier: MIT
/*
 * Handles of xfsprogs' libhandle: of a file system or of a file, made from a path or an open file,
 * and what is done with one: opening, reading a link. The structures are those of Linux's
 * xfs_fs.h; the calls are privileged, but for making handles, which tell nothing that stat(2) and
 * FS_IOC_GETVERSION do not.
 *
 * A handle's file system is not looked at, as on Linux: the directory that the call is made on says
 * which.
 */
#include "fs/xfs/admin/admin.h"
#include "fs/xfs/dir/dir.h"
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <vfs/export.h>
#include <vfs/fdtable.h>
#include <vfs/namei.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/magic.h>

#define IOC_PATH_TO_FSHANDLE _IOWR('X', 104, struct xfs_handlereq)
#define IOC_PATH_TO_HANDLE _IOWR('X', 105, struct xfs_handlereq)
#define IOC_FD_TO_HANDLE _IOWR('X', 106, struct xfs_handlereq)
#define IOC_OPEN_BY_HANDLE _IOWR('X', 107, struct xfs_handlereq)
#define IOC_READLINK_BY_HANDLE _IOWR('X', 108, struct xfs_handlereq)
#define IOC_ATTRLIST_BY_HANDLE _IOW('X', 122, struct xfs_attrlist_req)
#define IOC_ATTRMULTI_BY_HANDLE _IOW('X', 123, struct xfs_attrmulti_req)
_Static_assert(sizeof(struct xfs_handle) == 24 && sizeof(struct xfs_handlereq) == 56 &&
		       sizeof(struct xfs_attrlist_req) == 88 &&
		       sizeof(struct xfs_attrmulti_req) == 72,
	       "XFS_IOC_*_HANDLE");

#define FID_LEN 14			/* bytes of a handle behind its length */

int xfs_may_use_handles(void)
{
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/* ---- making ---- */

/* Words of the UUID, as the CPU has them. */
static void put_fsid(const struct xfs_mount *mp, struct xfs_handle *h)
{
	const u8 *u = mp->fs.vol.sb.uuid;
	u32 id[2] = { (u32)u[8] << 24 | u[9] << 16 | u[4] << 8 | u[5],
		      (u32)u[0] << 24 | u[1] << 16 | u[2] << 8 | u[3] };

	memcpy(h->fsid, id, sizeof(id));
}

void xfs_handle_make(struct xfs_mount *mp, u64 ino, u32 gen, struct xfs_handle *h)
{
	*h = (struct xfs_handle){ .fid_len = FID_LEN, .gen = gen, .ino = ino };
	put_fsid(mp, h);
}

static int get_path(const struct xfs_handlereq *r, bool by_fd, struct path *path)
{
	struct fd f;

	if (!by_fd)
		return user_path_at(AT_FDCWD, UPTR(r->path), 0, path);
	f = fdget(r->fd);
	if (fd_empty(f))
		return -EBADF;
	*path = fd_file(f)->f_path;
	path_get(path);
	fdput(f);
	return 0;
}

static int make_handle(const struct inode *inode, bool of_fs, const struct xfs_handlereq *r)
{
	u32 len = of_fs ? sizeof(((struct xfs_handle *)NULL)->fsid) : sizeof(struct xfs_handle);
	struct xfs_handle h;

	if (inode->i_sb->s_export_op != &xfs_export_ops)
		return -EINVAL;
	if (!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode) && !S_ISLNK(inode->i_mode))
		return -EBADF;
	xfs_handle_make(XFS_M(inode->i_sb), inode->i_ino, inode->i_generation, &h);
	if (copy_to_user(UPTR(r->ohandle), &h, len) ||
	    copy_to_user(UPTR(r->ohandlen), &len, sizeof(len)))
		return -EFAULT;
	return 0;
}

static long to_handle(const struct xfs_handlereq *r, bool by_fd, bool of_fs)
{
	struct path path;
	int e = get_path(r, by_fd, &path);

	if (e)
		return e;
	e = make_handle(path.dentry->d_inode, of_fs, r);
	path_put(&path);
	return e;
}

/* ---- using ---- */

int xfs_handle_check(const struct file *file, const struct xfs_handle *h)
{
	if (!S_ISDIR(file_inode(file)->i_mode))
		return -ENOTDIR;
	return h->fid_len == FID_LEN ? 0 : -EINVAL;
}

static bool any(void *ctx, struct dentry *d)
{
	(void)ctx;
	(void)d;
	return true;
}

struct dentry *xfs_handle_dentry(struct file *file, struct uptr from, u32 len)
{
	struct xfs_handle h;
	u32 fh[3];
	int e;

	if (len != sizeof(h))
		return ERR_PTR(-EINVAL);
	if (copy_from_user(&h, from, sizeof(h)))
		return ERR_PTR(-EFAULT);
	e = xfs_handle_check(file, &h);
	if (e)
		return ERR_PTR(e);
	memcpy(fh, &h.ino, sizeof(h.ino));
	fh[2] = h.gen;
	return export_decode(file->f_path.mnt, fh, 3, FILEID_INO64_GEN, 0, any, NULL);
}

/* As open(2) has it, but for rights: those of the capability are all. */
static int may_open(const struct inode *inode, u32 flags)
{
	bool write = (flags & O_ACCMODE) != O_RDONLY;

	if (!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode))
		return -EPERM;
	if (write && IS_APPEND(inode) && (!(flags & O_APPEND) || flags & O_TRUNC))
		return -EPERM;
	if (write && IS_IMMUTABLE(inode))
		return -EPERM;
	return write && S_ISDIR(inode->i_mode) ? -EISDIR : 0;
}

/* Programs that copy whole file systems leave times as they are. */
static long open_dentry(struct file *dir, struct dentry *d, u32 flags)
{
	struct path path = { dir->f_path.mnt, d };
	struct file *file;
	int fd = get_unused_fd_flags(0);

	if (fd < 0)
		return fd;
	file = dentry_open(&path, (int)(flags & VALID_OPEN_FLAGS) | O_LARGEFILE, current_cred());
	if (IS_ERR(file)) {
		put_unused_fd((unsigned int)fd);
		return PTR_ERR(file);
	}
	if (d_is_reg(d)) {
		file->f_flags |= O_NOATIME;
		file->f_mode |= FMODE_NOCMTIME;
	}
	fd_install((unsigned int)fd, file);
	return fd;
}

static long open_by(struct file *dir, const struct xfs_handlereq *r)
{
	struct dentry *d;
	long e = xfs_may_use_handles();

	if (e)
		return e;
	d = xfs_handle_dentry(dir, UPTR(r->ihandle), r->ihandlen);
	if (IS_ERR(d))
		return PTR_ERR(d);
	e = may_open(d->d_inode, r->oflags) ?: open_dentry(dir, d, r->oflags);
	dput(d);
	return e;
}

static long readlink_by(struct file *dir, const struct xfs_handlereq *r)
{
	struct dentry *d;
	long e = xfs_may_use_handles();
	u32 len;

	if (e)
		return e;
	d = xfs_handle_dentry(dir, UPTR(r->ihandle), r->ihandlen);
	if (IS_ERR(d))
		return PTR_ERR(d);
	if (!d_is_symlink(d))
		e = -EINVAL;
	else if (copy_from_user(&len, UPTR(r->ohandlen), sizeof(len)))
		e = -EFAULT;
	else
		e = len > S32_MAX ? -EINVAL : vfs_readlink(d, UPTR(r->ohandle), (int)len);
	dput(d);
	return e;
}

long xfs_handle_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct xfs_handlereq r;

	if (cmd == IOC_ATTRLIST_BY_HANDLE)
		return xfs_attrlist(file, UPTR(arg));
	if (cmd == IOC_ATTRMULTI_BY_HANDLE)
		return xfs_attrmulti(file, UPTR(arg));
	if (cmd != IOC_PATH_TO_FSHANDLE && cmd != IOC_PATH_TO_HANDLE && cmd != IOC_FD_TO_HANDLE &&
	    cmd != IOC_OPEN_BY_HANDLE && cmd != IOC_READLINK_BY_HANDLE)
		return -ENOTTY;
	if (copy_from_user(&r, UPTR(arg), sizeof(r)))
		return -EFAULT;
	switch (cmd) {
	case IOC_OPEN_BY_HANDLE:
		return open_by(file, &r);
	case IOC_READLINK_BY_HANDLE:
		return readlink_by(file, &r);
	default:
		return to_handle(&r, cmd == IOC_FD_TO_HANDLE, cmd == IOC_PATH_TO_FSHANDLE);
	}
}
