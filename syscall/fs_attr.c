// SPDX-License-Identifier: MIT
/* What files are: stat, statx, statfs; who may do what: access, chmod, chown; when: utimensat. */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <arch/syscall.h>
#include <vfs/calls.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/namei.h>
#include <mm/uaccess.h>
#include <sched/task.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <vfs/mount_calls.h>

/* stat. */

#ifndef ARCH_STAT_SECONDS
#define NSEC(field, t) field = (unsigned long)(t).tv_nsec,
#else
#define NSEC(field, t)		/* the older structures have none */
#endif

static int put_stat(const struct kstat *k, struct uptr ubuf)
{
	struct user_namespace *ns = current_user_ns();
	struct stat s = {
		.st_dev = new_encode_dev(k->dev),
		.st_ino = k->ino,
		.st_mode = k->mode,
		.st_nlink = k->nlink,
		.st_uid = from_kuid_munged(ns, k->uid),
		.st_gid = from_kgid_munged(ns, k->gid),
		.st_rdev = new_encode_dev(k->rdev),
		.st_size = k->size,
		.st_atime = k->atime.tv_sec,
		NSEC(.st_atime_nsec, k->atime)
		.st_mtime = k->mtime.tv_sec,
		NSEC(.st_mtime_nsec, k->mtime)
		.st_ctime = k->ctime.tv_sec,
		NSEC(.st_ctime_nsec, k->ctime)
		.st_blksize = k->blksize,
		.st_blocks = (__typeof__(((struct stat *)0)->st_blocks))k->blocks,
	};

	/* Some ABIs have 32 bits for them. */
	if ((sizeof(s.st_ino) < sizeof(k->ino) && (u64)s.st_ino != k->ino) || (sizeof(s.st_nlink) < sizeof(k->nlink) && (u64)s.st_nlink != k->nlink))
		return -EOVERFLOW;
	return copy_to_user(ubuf, &s, sizeof(s)) ? -EFAULT : 0;
}

/* By name, or with AT_EMPTY_PATH and no name (or a null pointer) by descriptor. */
static int stat_at(int dfd, struct uptr name, int at_flags, struct kstat *k, u32 mask)
{
	struct filename fn;
	int err;

	if (at_flags & AT_EMPTY_PATH && dfd >= 0 && uptr_is_null(name))
		return vfs_stat_fd(dfd, k, mask, 0);
	err = getname_flags(&fn, name, at_flags);
	if (err)
		return err;
	err = vfs_stat_filename(dfd, &fn, at_flags, k, mask);
	putname(&fn);
	return err;
}

long sys_newfstatat(int dfd, struct uptr filename, struct uptr statbuf, int flag)
{
	struct kstat k;
	int err;

	if (flag & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	err = stat_at(dfd, filename, flag, &k, STATX_BASIC_STATS);
	return err ? err : put_stat(&k, statbuf);
}

long sys_stat(struct uptr filename, struct uptr statbuf)
{
	return sys_newfstatat(AT_FDCWD, filename, statbuf, 0);
}

long sys_lstat(struct uptr filename, struct uptr statbuf)
{
	return sys_newfstatat(AT_FDCWD, filename, statbuf, AT_SYMLINK_NOFOLLOW);
}

long sys_fstat(unsigned int fd, struct uptr statbuf)
{
	struct kstat k;
	int err = vfs_fstat((int)fd, &k, STATX_BASIC_STATS, 0);

	return err ? err : put_stat(&k, statbuf);
}

#ifdef __NR_fstatat64		/* where struct stat has no room for all, there is a second one */
static int put_stat64(const struct kstat *k, struct uptr ubuf)
{
	struct user_namespace *ns = current_user_ns();
	struct stat64 s = {
		.st_dev = new_encode_dev(k->dev),
		.st_ino = k->ino,
		.st_mode = k->mode,
		.st_nlink = k->nlink,
		.st_uid = from_kuid_munged(ns, k->uid),
		.st_gid = from_kgid_munged(ns, k->gid),
		.st_rdev = new_encode_dev(k->rdev),
		.st_size = k->size,
		.st_atime = (unsigned long)k->atime.tv_sec,
		.st_mtime = (unsigned long)k->mtime.tv_sec,
		.st_ctime = (unsigned long)k->ctime.tv_sec,
		.st_atime_nsec = (unsigned long)k->atime.tv_nsec,
		.st_mtime_nsec = (unsigned long)k->mtime.tv_nsec,
		.st_ctime_nsec = (unsigned long)k->ctime.tv_nsec,
		.st_blksize = k->blksize,
		.st_blocks = (__typeof__(((struct stat64 *)0)->st_blocks))k->blocks,
	};

	return copy_to_user(ubuf, &s, sizeof(s)) ? -EFAULT : 0;
}

long sys_fstatat64(int dfd, struct uptr filename, struct uptr statbuf, int flag)
{
	struct kstat k;
	int err;

	if (flag & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	err = stat_at(dfd, filename, flag, &k, STATX_BASIC_STATS);
	return err ? err : put_stat64(&k, statbuf);
}

long sys_stat64(struct uptr filename, struct uptr statbuf)
{
	return sys_fstatat64(AT_FDCWD, filename, statbuf, 0);
}

long sys_lstat64(struct uptr filename, struct uptr statbuf)
{
	return sys_fstatat64(AT_FDCWD, filename, statbuf, AT_SYMLINK_NOFOLLOW);
}

long sys_fstat64(unsigned long fd, struct uptr statbuf)
{
	struct kstat k;
	int err = vfs_fstat((int)fd, &k, STATX_BASIC_STATS, 0);

	return err ? err : put_stat64(&k, statbuf);
}
#endif

long sys_statx(int dfd, struct uptr name, unsigned int flags, unsigned int mask, struct uptr buffer)
{
	struct kstat k;
	int err = statx_check(flags, mask);

	err = err ? err : stat_at(dfd, name, (int)flags, &k, mask);
	return err ? err : put_statx(&k, buffer);
}

/* statfs. */

static int put_statfs(const struct kstatfs *k, struct uptr ubuf)
{
	struct statfs s;

	memset(&s, 0, sizeof(s));
	s.f_type = (__typeof__(s.f_type))k->f_type;
	s.f_bsize = (__typeof__(s.f_bsize))k->f_bsize;
	s.f_blocks = (__typeof__(s.f_blocks))k->f_blocks;
	s.f_bfree = (__typeof__(s.f_bfree))k->f_bfree;
	s.f_bavail = (__typeof__(s.f_bavail))k->f_bavail;
	s.f_files = (__typeof__(s.f_files))k->f_files;
	s.f_ffree = (__typeof__(s.f_ffree))k->f_ffree;
	s.f_fsid.val[0] = (int)k->f_fsid;
	s.f_fsid.val[1] = (int)(k->f_fsid >> 32);
	s.f_namelen = (__typeof__(s.f_namelen))k->f_namelen;
	s.f_frsize = (__typeof__(s.f_frsize))k->f_frsize;
	s.f_flags = (__typeof__(s.f_flags))k->f_flags;
	return copy_to_user(ubuf, &s, sizeof(s)) ? -EFAULT : 0;
}

long sys_statfs(struct uptr name, struct uptr buf)
{
	struct kstatfs k;
	struct path path;
	int err = user_path_at(AT_FDCWD, name, LOOKUP_FOLLOW | LOOKUP_AUTOMOUNT, &path);

	if (err)
		return err;
	err = vfs_statfs(&path, &k);
	path_put(&path);
	return err ? err : put_statfs(&k, buf);
}

long sys_fstatfs(unsigned int fd, struct uptr buf)
{
	struct fd f = fdget_raw(fd);
	struct kstatfs k;
	int err;

	if (fd_empty(f))
		return -EBADF;
	err = vfs_statfs(&fd_file(f)->f_path, &k);
	fdput(f);
	return err ? err : put_statfs(&k, buf);
}

struct user_ustat {
	int		f_tfree;
	unsigned long	f_tinode;
	char		f_fname[6], f_fpack[6];
};

long sys_ustat(unsigned int dev, struct uptr ubuf)
{
	struct super_block *sb = user_get_super(new_decode_dev(dev));
	struct user_ustat u;
	struct kstatfs k;
	int err;

	if (!sb)
		return -EINVAL;
	memset(&k, 0, sizeof(k));
	err = sb->s_op->statfs ? sb->s_op->statfs(sb->s_root, &k) : -ENOSYS;
	deactivate_super(sb);
	if (err)
		return err;
	memset(&u, 0, sizeof(u));
	u.f_tfree = (int)k.f_bfree;
	u.f_tinode = k.f_ffree;
	return copy_to_user(ubuf, &u, sizeof(u)) ? -EFAULT : 0;
}

long sys_sysfs(int option, unsigned long arg1, unsigned long arg2)
{
	char name[32];
	long len;

	if (option == 3)
		return fs_type_count();
	if (option == 2) {
		len = fs_type_name(arg1, name, sizeof(name));
		return len ? len : copy_to_user(UPTR(arg2), name, strlen(name) + 1) ? -EFAULT : 0;
	}
	if (option != 1)
		return -EINVAL;
	len = strncpy_from_user(name, UPTR(arg1), sizeof(name));
	if (len < 0)
		return len;
	return len == sizeof(name) ? -EINVAL : fs_type_index(name);
}

/* access: as the real user, unless AT_EACCESS. */

static bool real_is_effective(const struct cred *c)
{
	if (!uid_eq(c->fsuid, c->uid) || !gid_eq(c->fsgid, c->gid))
		return false;
	if (issecure(SECURE_NO_SETUID_FIXUP))
		return true;
	/* root has what it is permitted, others have nothing effective that they would lose. */
	if (uid_eq(c->uid, make_kuid(c->user_ns, 0)))
		return c->cap_effective.val == c->cap_permitted.val;
	return !c->cap_effective.val;
}

static struct cred *real_creds(void)
{
	struct cred *c = prepare_creds();

	if (!c)
		return NULL;
	c->fsuid = c->uid;
	c->fsgid = c->gid;
	if (!issecure(SECURE_NO_SETUID_FIXUP)) {
		if (uid_eq(c->uid, make_kuid(c->user_ns, 0)))
			c->cap_effective = c->cap_permitted;
		else
			c->cap_effective = CAP_EMPTY_SET;
	}
	return c;
}

static int check_access(const struct path *path, int mode)
{
	struct inode *inode = path->dentry->d_inode;
	int err;

	if (mode & MAY_EXEC && S_ISREG(inode->i_mode) && path_noexec(path))
		return -EACCES;
	err = inode_permission(mnt_idmap(path->mnt), inode, mode | MAY_ACCESS);
	/* Special files can be written on a read-only mount. */
	if (err || !(mode & MAY_WRITE) || S_ISCHR(inode->i_mode) || S_ISBLK(inode->i_mode) ||
	    S_ISFIFO(inode->i_mode) || S_ISSOCK(inode->i_mode))
		return err;
	return mnt_is_readonly(path->mnt) ? -EROFS : 0;
}

/* With the credentials of now. */
static long access_at(int dfd, struct uptr name, int mode, unsigned int lookup)
{
	struct path path;
	int err = user_path_at(dfd, name, lookup, &path);

	if (unlikely(err))
		return err;
	err = check_access(&path, mode);
	path_put(&path);
	return err;
}

static noinline long access_as_real(int dfd, struct uptr name, int mode, unsigned int lookup)
{
	struct cred *c = real_creds();
	const struct cred *old;
	long err;

	if (!c)
		return -ENOMEM;
	old = override_creds(c);
	err = access_at(dfd, name, mode, lookup);
	revert_creds(old);
	abort_creds(c);
	return err;
}

static long do_faccessat(int dfd, struct uptr name, int mode, int flags)
{
	unsigned int lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;

	if (mode & ~7)
		return -EINVAL;
	if (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	if (!(flags & AT_EACCESS) && unlikely(!real_is_effective(current_cred())))
		return access_as_real(dfd, name, mode, lookup);
	return access_at(dfd, name, mode, lookup);
}

long sys_faccessat(int dfd, struct uptr filename, int mode)
{
	return do_faccessat(dfd, filename, mode, 0);
}

long sys_faccessat2(int dfd, struct uptr filename, int mode, int flags)
{
	return do_faccessat(dfd, filename, mode, flags);
}

long sys_access(struct uptr filename, int mode)
{
	return do_faccessat(AT_FDCWD, filename, mode, 0);
}

/* chmod, chown. */

static long do_fchmodat(int dfd, struct uptr name, umode_t mode, unsigned int flags)
{
	unsigned int lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct path path;
	int err;

	if (flags & ~(unsigned int)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	err = user_path_at(dfd, name, lookup, &path);
	if (err)
		return err;
	err = chmod_common(&path, mode);
	path_put(&path);
	return err;
}

long sys_fchmodat2(int dfd, struct uptr filename, umode_t mode, unsigned int flags)
{
	return do_fchmodat(dfd, filename, mode, flags);
}

long sys_fchmodat(int dfd, struct uptr filename, umode_t mode)
{
	return do_fchmodat(dfd, filename, mode, 0);
}

long sys_chmod(struct uptr filename, umode_t mode)
{
	return do_fchmodat(AT_FDCWD, filename, mode, 0);
}

long sys_fchmod(unsigned int fd, umode_t mode)
{
	struct fd f = fdget(fd);
	int err;

	if (fd_empty(f))
		return -EBADF;
	err = chmod_common(&fd_file(f)->f_path, mode);
	fdput(f);
	return err;
}

long sys_fchownat(int dfd, struct uptr filename, uid_t user, gid_t group, int flag)
{
	unsigned int lookup = flag & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct path path;
	int err;

	if (flag & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flag & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	err = user_path_at(dfd, filename, lookup, &path);
	if (err)
		return err;
	err = chown_common(&path, user, group);
	path_put(&path);
	return err;
}

long sys_chown(struct uptr filename, uid_t user, gid_t group)
{
	return sys_fchownat(AT_FDCWD, filename, user, group, 0);
}

long sys_lchown(struct uptr filename, uid_t user, gid_t group)
{
	return sys_fchownat(AT_FDCWD, filename, user, group, AT_SYMLINK_NOFOLLOW);
}

long sys_fchown(unsigned int fd, uid_t user, gid_t group)
{
	struct fd f = fdget(fd);
	int err;

	if (fd_empty(f))
		return -EBADF;
	err = chown_common(&fd_file(f)->f_path, user, group);
	fdput(f);
	return err;
}

/* Times. */

static long do_utimes(int dfd, struct uptr name, const struct timespec64 *times, int flags)
{
	unsigned int lookup = flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct path path;
	int err;

	if (uptr_is_null(name) && dfd != AT_FDCWD) {
		struct fd f;

		if (flags)
			return -EINVAL;
		f = fdget((unsigned int)dfd);
		if (fd_empty(f))
			return -EBADF;
		err = vfs_utimes(&fd_file(f)->f_path, times);
		fdput(f);
		return err;
	}
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	err = user_path_at(dfd, name, lookup, &path);
	if (err)
		return err;
	err = vfs_utimes(&path, times);
	path_put(&path);
	return err;
}

long sys_utimensat(int dfd, struct uptr filename, struct uptr utimes, int flags)
{
	struct { s64 sec; s64 nsec; } u[2];
	struct timespec64 t[2];

	if (uptr_is_null(utimes))
		return do_utimes(dfd, filename, NULL, flags);
	if (copy_from_user(u, utimes, sizeof(u)))
		return -EFAULT;
	for (int i = 0; i < 2; i++)
		t[i] = (struct timespec64){ u[i].sec, (long)u[i].nsec };
	if (t[0].tv_nsec == UTIME_OMIT && t[1].tv_nsec == UTIME_OMIT)
		return 0;
	return do_utimes(dfd, filename, t, flags);
}

static long utimes_tv(int dfd, struct uptr filename, struct uptr utimes)
{
	struct { s64 sec; s64 usec; } u[2];
	struct timespec64 t[2];

	if (uptr_is_null(utimes))
		return do_utimes(dfd, filename, NULL, 0);
	if (copy_from_user(u, utimes, sizeof(u)))
		return -EFAULT;
	for (int i = 0; i < 2; i++) {
		if (u[i].usec < 0 || u[i].usec >= USEC_PER_SEC)
			return -EINVAL;
		t[i] = (struct timespec64){ u[i].sec, (long)(u[i].usec * NSEC_PER_USEC) };
	}
	return do_utimes(dfd, filename, t, 0);
}

long sys_futimesat(int dfd, struct uptr filename, struct uptr utimes)
{
	return utimes_tv(dfd, filename, utimes);
}

long sys_utimes(struct uptr filename, struct uptr utimes)
{
	return utimes_tv(AT_FDCWD, filename, utimes);
}

long sys_utime(struct uptr filename, struct uptr times)
{
	s64 u[2];
	struct timespec64 t[2];

	if (uptr_is_null(times))
		return do_utimes(AT_FDCWD, filename, NULL, 0);
	if (copy_from_user(u, times, sizeof(u)))
		return -EFAULT;
	t[0] = (struct timespec64){ u[0], 0 };
	t[1] = (struct timespec64){ u[1], 0 };
	return do_utimes(AT_FDCWD, filename, t, 0);
}
