// SPDX-License-Identifier: MIT
/* What is known of a file. proves: stat fstat lstat statx chmod fchmod chown fchown lchown umask
 * utimensat utimes utime futimesat statfs fstatfs ustat */
#include "t.h"
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <utime.h>
#include <linux/stat.h>

TEST(modes)
{
	struct stat st;
	int fd;

	unlink("m");
	umask(027);
	fd = OK(open("m", O_CREAT | O_WRONLY, 0666));
	OK(fstat(fd, &st));
	EQ(st.st_mode, S_IFREG | 0640);
	EQ(umask(022), 027);
	OK(fchmod(fd, 04755));
	OK(fstat(fd, &st));
	EQ(st.st_mode & 07777, 04755);
	OK(chmod("m", 0600));
	ERR(chmod("none", 0600), ENOENT);
	OK(chown("m", 1000, 1001));
	OK(stat("m", &st));
	EQ(st.st_uid, 1000);
	EQ(st.st_gid, 1001);
	OK(chown("m", -1, 5));
	OK(stat("m", &st));
	EQ(st.st_uid, 1000);
	EQ(st.st_gid, 5);
	OK(chmod("m", 06755));
	OK(chown("m", 7, -1));		/* takes set-user-ID away, as the owner changes */
	OK(stat("m", &st));
	EQ(st.st_mode & 07000, 0);
	EQ(write(fd, "0123456789", 10), 10);
	OK(stat("m", &st));
	EQ(st.st_size, 10);
	EQ(st.st_nlink, 1);
	unlink("m");
}

/* THEN is not before FROM nor after now. */
static bool between(const struct timespec *from, const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (then->tv_sec > from->tv_sec ||
		(then->tv_sec == from->tv_sec && then->tv_nsec >= from->tv_nsec)) &&
	       (then->tv_sec < now.tv_sec ||
		(then->tv_sec == now.tv_sec && then->tv_nsec <= now.tv_nsec));
}

TEST(times)
{
	struct timespec ts[2] = { { 1000, 5 }, { 2000000000, 999999999 } };
	struct timespec now;
	struct stat st;

	unlink("t");
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	close(OK(open("t", O_CREAT | O_WRONLY, 0644)));
	OK(stat("t", &st));
	CHECK(between(&now, &st.st_mtim));
	OK(utimensat(AT_FDCWD, "t", ts, 0));
	OK(stat("t", &st));
	EQ(st.st_atim.tv_sec, 1000);
	EQ(st.st_atim.tv_nsec, 5);
	EQ(st.st_mtim.tv_sec, 2000000000);
	EQ(st.st_mtim.tv_nsec, 999999999);
	CHECK(between(&now, &st.st_ctim));
	ts[0].tv_nsec = UTIME_OMIT;
	ts[1].tv_nsec = UTIME_NOW;
	OK(utimensat(AT_FDCWD, "t", ts, 0));
	OK(stat("t", &st));
	EQ(st.st_atim.tv_sec, 1000);
	CHECK(between(&now, &st.st_mtim));
	ts[0].tv_nsec = 1000000000;
	ERR(utimensat(AT_FDCWD, "t", ts, 0), EINVAL);
	struct utimbuf ub = { 11, 22 };

	OK(utime("t", &ub));
	OK(stat("t", &st));
	EQ(st.st_atim.tv_sec, 11);
	EQ(st.st_mtim.tv_sec, 22);
	struct timeval tv[2] = { { 33, 4 }, { 55, 6 } };

	OK(utimes("t", tv));
	OK(stat("t", &st));
	EQ(st.st_mtim.tv_nsec, 6000);
	/* A write changes mtime and ctime. */
	int fd = OK(open("t", O_WRONLY));

	EQ(write(fd, "x", 1), 1);
	OK(stat("t", &st));
	CHECK(st.st_mtim.tv_sec > 1000000);
	unlink("t");
}

TEST(directory_times_change)
{
	struct stat a, b;

	system("rm -rf dt");
	OK(mkdir("dt", 0755));
	OK(stat("dt", &a));
	t_sleep_ms(30);
	close(OK(open("dt/x", O_CREAT | O_WRONLY, 0644)));
	OK(stat("dt", &b));
	CHECK(b.st_mtim.tv_sec > a.st_mtim.tv_sec || b.st_mtim.tv_nsec > a.st_mtim.tv_nsec);
	system("rm -rf dt");
}

TEST(statx_fields)
{
	struct statx x;
	struct stat st;

	unlink("x");
	close(OK(open("x", O_CREAT | O_WRONLY, 0604)));
	memset(&x, 0xee, sizeof(x));
	OK((int)syscall(SYS_statx, AT_FDCWD, "x", 0, STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID,
			&x));
	OK(stat("x", &st));
	EQ(x.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
	EQ(x.stx_mode, st.st_mode);
	EQ(x.stx_ino, st.st_ino);
	EQ(x.stx_dev_major, major(st.st_dev));
	EQ(x.stx_dev_minor, minor(st.st_dev));
	EQ(x.stx_mtime.tv_sec, st.st_mtim.tv_sec);
	CHECK(x.stx_mask & STATX_MNT_ID);
	EQ(x.__spare3[0], 0);
	/* By descriptor as by name. */
	struct statx y;
	int fd = OK(open("/proc", O_RDONLY));

	for (unsigned int mask = STATX_MNT_ID; mask;
	     mask = mask == STATX_MNT_ID ? 0x4000 /* STATX_MNT_ID_UNIQUE */ : 0) {
		OK((int)syscall(SYS_statx, AT_FDCWD, "/proc", 0, mask, &x));
		OK((int)syscall(SYS_statx, fd, "", AT_EMPTY_PATH, mask, &y));
		EQ(x.stx_mnt_id, y.stx_mnt_id);
		CHECK(x.stx_mask & mask && y.stx_mask & mask);
		/* STATX_ATTR_MOUNT_ROOT */
		CHECK(x.stx_attributes & 0x2000 && y.stx_attributes & 0x2000);
	}
	ERR(syscall(SYS_statx, AT_FDCWD, "x", 0, 0x80000000u, &x), EINVAL);
	ERR(syscall(SYS_statx, AT_FDCWD, "x", 0x8000000, STATX_MODE, &x), EINVAL);
	ERR(syscall(SYS_statx, AT_FDCWD, "x", 0, STATX_MODE, NULL), EFAULT);
	unlink("x");
}

/* The room that a filesystem says it has goes down by what is written, and comes back. */
TEST(statfs_counts)
{
	static char buf[65536];
	struct statfs a, b, c;
	int fd;

	unlink("big");
	memset(buf, 1, sizeof(buf));
	OK(statfs("/tmp", &a));
	EQ(a.f_type, 0x01021994);
	CHECK(a.f_blocks > 0 && a.f_bfree <= a.f_blocks && a.f_namelen == 255);
	fd = OK(open("/tmp/big", O_CREAT | O_RDWR, 0600));
	for (int i = 0; i < 64; i++)
		EQ(write(fd, buf, sizeof(buf)), sizeof(buf));
	OK(fstatfs(fd, &b));
	CHECK((long)(a.f_bfree - b.f_bfree) * (long)a.f_bsize >= 4 << 20);
	CHECK(a.f_ffree - b.f_ffree >= 1 || a.f_files == 0);
	close(fd);
	OK(unlink("/tmp/big"));
	for (int i = 0; i < 100; i++) {
		OK(statfs("/tmp", &c));
		if (c.f_bfree + 16 >= a.f_bfree)
			break;
		t_sleep_ms(10);
	}
	CHECK(c.f_bfree + 16 >= a.f_bfree);
	OK(statfs("/proc", &a));
	EQ(a.f_type, 0x9fa0);
	ERR(statfs("/none", &a), ENOENT);
	ERR(fstatfs(99, &a), EBADF);
}
