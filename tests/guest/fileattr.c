// SPDX-License-Identifier: MIT
/*
 * Flags of files, chattr(1): what they forbid, who may change them, the two ways to say them.
 * proves: file_getattr file_setattr ioctl
 */
#include "t.h"
#include <sys/stat.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <sys/mount.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#define DIR "/tmp/fa"
#define F DIR "/f"

static int flags_of(int fd)
{
	int flags = -1;

	OK(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	return flags;
}

static int set_flags(int fd, int flags)
{
	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

/* The directory anew, whatever a test before left in it. */
static int start(void)
{
	int fd = open(F, O_RDONLY);

	if (fd >= 0) {
		OK(set_flags(fd, 0));
		close(fd);
	}
	mkdir(DIR, 0755);
	fd = OK(open(DIR, O_RDONLY));
	OK(set_flags(fd, 0));
	close(fd);
	OK(system("rm -rf " DIR));
	OK(mkdir(DIR, 0755));
	fd = OK(open(F, O_CREAT | O_RDWR, 0644));
	EQ(write(fd, "text", 4), 4);
	return fd;
}

static unsigned long long attributes(const char *path, unsigned long long *mask)
{
	struct statx x;

	OK(syscall(SYS_statx, AT_FDCWD, path, 0, STATX_BASIC_STATS, &x));
	*mask = x.stx_attributes_mask;
	return x.stx_attributes;
}

TEST(immutable)
{
	int fd = start(), dir = OK(open(DIR, O_RDONLY));
	unsigned long long mask;

	EQ(flags_of(fd), 0);
	OK(set_flags(fd, FS_IMMUTABLE_FL));
	EQ(flags_of(fd), FS_IMMUTABLE_FL);
	EQ(attributes(F, &mask), STATX_ATTR_IMMUTABLE);
	EQ(mask & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP),
	   STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP);
	ERR(open(F, O_WRONLY), EPERM);
	ERR(truncate(F, 0), EPERM);
	ERR(unlink(F), EPERM);
	ERR(rename(F, DIR "/g"), EPERM);
	ERR(link(F, DIR "/g"), EPERM);
	ERR(chmod(F, 0600), EPERM);
	ERR(chown(F, 1, 1), EPERM);
	ERR(utimensat(AT_FDCWD, F, NULL, 0), EPERM);
	ERR(setxattr(F, "user.a", "b", 1, 0), EPERM);
	OK(set_flags(fd, 0));
	close(OK(open(F, O_WRONLY)));
	/* A directory's names. */
	OK(set_flags(dir, FS_IMMUTABLE_FL));
	ERR(open(DIR "/new", O_CREAT | O_WRONLY, 0644), EPERM);
	ERR(unlink(F), EPERM);
	close(OK(open(F, O_WRONLY)));
	OK(set_flags(dir, 0));
	OK(unlink(F));
}

TEST(append_only)
{
	int fd = start(), dir = OK(open(DIR, O_RDONLY));
	struct timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } },
			then[2] = { { 5, 0 }, { 5, 0 } };
	int w;

	OK(set_flags(fd, FS_APPEND_FL));
	ERR(open(F, O_WRONLY), EPERM);
	ERR(open(F, O_WRONLY | O_APPEND | O_TRUNC), EPERM);
	ERR(truncate(F, 0), EPERM);
	ERR(unlink(F), EPERM);
	ERR(utimensat(AT_FDCWD, F, then, 0), EPERM);
	OK(utimensat(AT_FDCWD, F, now, 0));
	w = OK(open(F, O_WRONLY | O_APPEND));
	ERR(fcntl(w, F_SETFL, 0), EPERM);
	/* a newer C library asks for RWF_NOAPPEND, which is refused here */
	EQ(syscall(SYS_pwrite64, w, "more", 4, 0), 4);
	EQ(lseek(fd, 0, SEEK_END), 8);
	close(w);
	OK(set_flags(fd, 0));
	OK(set_flags(dir, FS_APPEND_FL));
	close(OK(open(DIR "/new", O_CREAT | O_WRONLY, 0644)));
	ERR(unlink(DIR "/new"), EPERM);
	ERR(rename(DIR "/new", DIR "/newer"), EPERM);
	OK(set_flags(dir, 0));
	OK(unlink(DIR "/new"));
	OK(unlink(F));
}

TEST(what_a_new_file_takes_over)
{
	int fd = start(), dir = OK(open(DIR, O_RDONLY)), n;
	struct stat a, b;
	char c;

	OK(set_flags(dir, FS_NODUMP_FL | FS_NOATIME_FL));
	n = OK(open(DIR "/n", O_CREAT | O_RDWR, 0644));
	EQ(flags_of(n), FS_NODUMP_FL | FS_NOATIME_FL);
	EQ(write(n, "x", 1), 1);
	OK(utimensat(AT_FDCWD, DIR "/n", (struct timespec[]){ { 5, 0 }, { 6, 0 } }, 0));
	OK(fstat(n, &a));
	EQ(pread(n, &c, 1, 0), 1);
	OK(fstat(n, &b));
	EQ(b.st_atime, a.st_atime);
	EQ(flags_of(fd), 0);
	OK(set_flags(n, 0));
	EQ(pread(n, &c, 1, 0), 1);
	OK(fstat(n, &b));
	CHECK(b.st_atime > a.st_atime);
	ERR(set_flags(fd, FS_COMPR_FL), EOPNOTSUPP);
	ERR(set_flags(fd, FS_NODUMP_FL | FS_JOURNAL_DATA_FL), EOPNOTSUPP);
	EQ(flags_of(fd), 0);
	ERR(ioctl(fd, FS_IOC_SETFLAGS, 8), EFAULT);
	ERR(ioctl(fd, FS_IOC_GETFLAGS, 8), EFAULT);
}

TEST(who_may)
{
	int fd = start(), null = OK(open("/dev/null", O_RDONLY)), status, flags;
	pid_t pid;

	OK(fchown(fd, 1000, 1000));
	pid = OK(fork());
	if (!pid) {
		OK(setgid(1000));
		OK(setuid(1000));
		OK(set_flags(fd, FS_NODUMP_FL));		/* the owner */
		ERR(set_flags(fd, FS_NODUMP_FL | FS_IMMUTABLE_FL), EPERM);
		ERR(set_flags(fd, FS_NODUMP_FL | FS_APPEND_FL), EPERM);
		EQ(flags_of(fd), FS_NODUMP_FL);
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	OK(fchown(fd, 2, 2));
	pid = OK(fork());
	if (!pid) {
		OK(setuid(1000));
		EQ(flags_of(fd), FS_NODUMP_FL);
		ERR(set_flags(fd, 0), EPERM);
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	ERR(ioctl(null, FS_IOC_GETFLAGS, &flags), ENOTTY);
	flags = 0;
	ERR(ioctl(null, FS_IOC_SETFLAGS, &flags), ENOTTY);
}

TEST(the_other_way_to_say_it)
{
	int fd = start();
	struct fsxattr x;
	struct {
		struct file_attr a;
		unsigned long long more;
	} l = { .more = 7 };
	struct file_attr *a = &l.a;

	OK(set_flags(fd, FS_NODUMP_FL));
	memset(&x, 0xff, sizeof(x));
	OK(ioctl(fd, FS_IOC_FSGETXATTR, &x));
	EQ(x.fsx_xflags, FS_XFLAG_NODUMP);
	EQ(x.fsx_extsize | x.fsx_nextents | x.fsx_projid | x.fsx_cowextsize, 0);
	x.fsx_xflags = FS_XFLAG_IMMUTABLE;
	OK(ioctl(fd, FS_IOC_FSSETXATTR, &x));
	EQ(flags_of(fd), FS_IMMUTABLE_FL);
	x.fsx_projid = 5;
	ERR(ioctl(fd, FS_IOC_FSSETXATTR, &x), EOPNOTSUPP);
	x.fsx_projid = 0;
	x.fsx_xflags = FS_XFLAG_EXTSZINHERIT;			/* of directories */
	ERR(ioctl(fd, FS_IOC_FSSETXATTR, &x), EINVAL);

	OK(syscall(SYS_file_getattr, AT_FDCWD, F, &l, sizeof(l), 0));
	EQ(a->fa_xflags, FS_XFLAG_IMMUTABLE);
	EQ(l.more, 0);
	a->fa_xflags = FS_XFLAG_APPEND;
	OK(syscall(SYS_file_setattr, AT_FDCWD, F, &l, sizeof(l), 0));
	EQ(flags_of(fd), FS_APPEND_FL);
	a->fa_xflags = FS_XFLAG_NOATIME;
	OK(syscall(SYS_file_setattr, fd, "", a, sizeof(*a), AT_EMPTY_PATH));
	EQ(flags_of(fd), FS_NOATIME_FL);
	memset(a, 0xff, sizeof(*a));
	OK(syscall(SYS_file_getattr, fd, NULL, a, sizeof(*a), AT_EMPTY_PATH));
	EQ(a->fa_xflags, FS_XFLAG_NOATIME);
	EQ(a->fa_projid, 0);
	ERR(syscall(SYS_file_getattr, fd, NULL, a, sizeof(*a), 0), EFAULT);
	ERR(syscall(SYS_file_getattr, AT_FDCWD, F, a, sizeof(*a) - 1, 0), EINVAL);
	ERR(syscall(SYS_file_getattr, AT_FDCWD, F, a, PAGE + 1, 0), E2BIG);
	ERR(syscall(SYS_file_getattr, AT_FDCWD, F, a, sizeof(*a), AT_REMOVEDIR), EINVAL);
	ERR(syscall(SYS_file_getattr, AT_FDCWD, F, 8, sizeof(*a), 0), EFAULT);
	ERR(syscall(SYS_file_getattr, -1, "f", a, sizeof(*a), 0), EBADF);
	ERR(syscall(SYS_file_getattr, AT_FDCWD, DIR "/none", a, sizeof(*a), 0), ENOENT);
	l.more = 1;
	ERR(syscall(SYS_file_setattr, AT_FDCWD, F, &l, sizeof(l), 0), E2BIG);
	a->fa_xflags = 1ULL << 40;
	ERR(syscall(SYS_file_setattr, AT_FDCWD, F, a, sizeof(*a), 0), EINVAL);
	a->fa_xflags = 0;
	OK(symlink("f", DIR "/l"));
	ERR(syscall(SYS_file_getattr, AT_FDCWD, DIR "/l", a, sizeof(*a), AT_SYMLINK_NOFOLLOW),
	    EOPNOTSUPP);
	ERR(syscall(SYS_file_setattr, AT_FDCWD, DIR "/l", a, sizeof(*a), AT_SYMLINK_NOFOLLOW),
	    EOPNOTSUPP);
	OK(syscall(SYS_file_setattr, AT_FDCWD, DIR "/l", a, sizeof(*a), 0));
	EQ(flags_of(fd), 0);
}

/*
 * A file that is open for writing keeps its mount writable, whatever its flags were set to
 * meanwhile.
 */
TEST(the_mount_counts_its_writers)
{
	int fd;

	close(start());
	OK(mkdir(DIR "/m", 0755));
	OK(mount("none", DIR "/m", "tmpfs", 0, NULL));
	fd = OK(open(DIR "/m/f", O_CREAT | O_RDWR, 0644));
	OK(set_flags(fd, FS_NODUMP_FL));
	ERR(mount(NULL, DIR "/m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), EBUSY);
	close(fd);
	fd = OK(open(DIR "/m/f", O_RDONLY));
	OK(set_flags(fd, 0));
	OK(mount(NULL, DIR "/m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	ERR(set_flags(fd, 0), EROFS);
	close(fd);
	OK(umount(DIR "/m"));
}
