// SPDX-License-Identifier: MIT
/*
 * The rest of the file calls, each by its effect.
 * proves: close close_range readv writev preadv pwritev preadv2 pwritev2 dup dup2 dup3 fcntl fsync
 * fdatasync sync syncfs proves: sync_file_range truncate ftruncate fallocate fadvise64 readahead
 * cachestat getdents getdents64 getcwd chdir fchdir proves: chroot creat mknod mknodat readlinkat
 * name_to_handle_at open_by_handle_at ustat sysfs fremovexattr proves: setxattrat getxattrat
 * listxattrat removexattrat fspick mount_setattr listmount
 */
#include "t.h"
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <dirent.h>

#define GETFSUUID _IOR(0x15, 0, unsigned char[17])	/* FS_IOC_GETFSUUID */

static int file(const char *text)
{
	static int n;
	char name[40];
	int fd;

	snprintf(name, sizeof(name), "/tmp/fscalls-%d", n++);
	fd = OK(open(name, O_CREAT | O_RDWR | O_TRUNC, 0644));
	OK(unlink(name));
	EQ(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

TEST(vectors)
{
	char a[3], b[4], c[10];
	struct iovec v[3] = { { a, 3 }, { b, 4 }, { c, 10 } };
	int fd = file("0123456789");

	OK(lseek(fd, 0, SEEK_SET));
	EQ(readv(fd, v, 3), 10);
	CHECK(!memcmp(a, "012", 3) && !memcmp(b, "3456", 4) && !memcmp(c, "789", 3));
	EQ(preadv(fd, v, 2, 2), 7);
	CHECK(!memcmp(a, "234", 3) && !memcmp(b, "5678", 4));
	EQ(lseek(fd, 0, SEEK_CUR), 10);
	memcpy(a, "abc", 3);
	memcpy(b, "defg", 4);
	EQ(writev(fd, v, 2), 7);
	EQ(pwritev(fd, v, 2, 1), 7);
	EQ(pread(fd, c, 10, 0), 10);
	CHECK(!memcmp(c, "0abcdefg89", 10));
	EQ(syscall(SYS_preadv2, fd, v, 1, 0, 0, 0), 3);
	CHECK(!memcmp(a, "0ab", 3));
	EQ(syscall(SYS_pwritev2, fd, v, 1, 5, 0, 0x10 /* RWF_APPEND */), 3);
	EQ(lseek(fd, 0, SEEK_END), 20);
	ERR(syscall(SYS_preadv2, fd, v, 1, 0, 0, 0x40000000), EOPNOTSUPP);
	ERR(readv(fd, v, -1), EINVAL);
	ERR(readv(fd, v, 2000), EINVAL);
	v[0].iov_len = -1;
	ERR(readv(fd, v, 1), EINVAL);
	v[0] = (struct iovec){ (void *)8, 4 };
	ERR(preadv(fd, v, 1, 0), EFAULT);
	ERR(preadv(fd, v, 1, -1), EINVAL);
	close(fd);
}

TEST(duplicates)
{
	int fd = file("x"), d;

	d = OK(dup(fd));
	CHECK(d != fd);
	OK(lseek(fd, 1, SEEK_SET));
	EQ(lseek(d, 0, SEEK_CUR), 1);		/* one position */
	EQ(dup2(fd, 50), 50);
	EQ(dup2(fd, fd), fd);
	EQ(fcntl(50, F_GETFD), 0);
	EQ(syscall(SYS_dup3, fd, 51, O_CLOEXEC), 51);
	EQ(fcntl(51, F_GETFD), FD_CLOEXEC);
	ERR(syscall(SYS_dup3, fd, fd, 0), EINVAL);
	ERR(syscall(SYS_dup3, fd, 52, O_APPEND), EINVAL);
	ERR(dup(99), EBADF);
	ERR(dup2(99, 50), EBADF);
	EQ(fcntl(fd, F_DUPFD, 60), 60);
	EQ(fcntl(fd, F_DUPFD_CLOEXEC, 60), 61);
	EQ(fcntl(61, F_GETFD), FD_CLOEXEC);
	OK((int)syscall(SYS_close_range, 50, 60, 0));
	ERR(fcntl(51, F_GETFD), EBADF);
	ERR(fcntl(60, F_GETFD), EBADF);
	OK((int)syscall(SYS_close_range, 0, ~0u, 4 /* CLOEXEC */));
	EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ERR(syscall(SYS_close_range, 5, 4, 0), EINVAL);
	OK(close(d));
	ERR(close(d), EBADF);
	ERR(close(-1), EBADF);
	OK(close(fd));
}

TEST(descriptor_limit)
{
	struct rlimit r = { 20, 20 };
	int fd = -1, n = 0;

	OK(setrlimit(RLIMIT_NOFILE, &r));
	while ((fd = dup(0)) >= 0)
		n = fd;
	EQ(errno, EMFILE);
	EQ(n, 19);
	ERR(dup2(0, 20), EBADF);
	ERR(fcntl(0, F_DUPFD, 20), EINVAL);
}

TEST(flags)
{
	int fd = file("");

	EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	OK(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
	EQ(fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK), O_APPEND | O_NONBLOCK);
	EQ(write(fd, "aa", 2), 2);
	OK(lseek(fd, 0, SEEK_SET));
	EQ(write(fd, "bb", 2), 2);
	EQ(lseek(fd, 0, SEEK_END), 4);
	ERR(fcntl(fd, 12345), EINVAL);
	ERR(fcntl(99, F_GETFL), EBADF);
	OK(fcntl(fd, F_SETOWN, getpid()));
	EQ(fcntl(fd, F_GETOWN), getpid());
	OK(fcntl(fd, F_SETSIG, SIGUSR1));
	EQ(fcntl(fd, F_GETSIG), SIGUSR1);
	close(fd);
	fd = OK(open("/tmp", O_PATH));
	ERR(fcntl(fd, F_SETFL, 0), EBADF);
	OK(fcntl(fd, F_GETFD));
	ERR(read(fd, &fd, 1), EBADF);
	close(fd);
}

TEST(sizes)
{
	struct stat st;
	char c = 1;
	int fd = OK(creat("/tmp/fscalls-size", 0600));

	EQ(write(fd, "hello", 5), 5);
	ERR(read(fd, &c, 1), EBADF);
	OK(ftruncate(fd, 2));
	OK(fstat(fd, &st));
	EQ(st.st_size, 2);
	OK(truncate("/tmp/fscalls-size", 8192));
	OK(fstat(fd, &st));
	EQ(st.st_size, 8192);
	ERR(ftruncate(fd, -1), EINVAL);
	ERR(truncate("/tmp", 0), EISDIR);
	ERR(truncate("/tmp/none", 0), ENOENT);
	OK(fallocate(fd, 0, 8192, 4096));
	OK(fstat(fd, &st));
	EQ(st.st_size, 12288);
	OK(fallocate(fd, 1 /* KEEP_SIZE */, 20000, 4096));
	OK(fstat(fd, &st));
	EQ(st.st_size, 12288);
	CHECK(st.st_blocks >= 16);
	OK(fallocate(fd, 3 /* PUNCH_HOLE | KEEP_SIZE */, 0, 4096));
	ERR(fallocate(fd, 2, 0, 4096), EOPNOTSUPP);
	ERR(fallocate(fd, 0, 0, 0), EINVAL);
	ERR(fallocate(fd, 0, -1, 5), EINVAL);
	close(fd);
	fd = OK(open("/tmp/fscalls-size", O_RDONLY));
	EQ(pread(fd, &c, 1, 0), 1);
	EQ(c, 0);
	ERR(ftruncate(fd, 0), EINVAL);
	ERR(fallocate(fd, 0, 0, 1), EBADF);
	close(fd);
	OK(unlink("/tmp/fscalls-size"));
}

TEST(syncing)
{
	int fd = file("data"), p[2];

	OK(fsync(fd));
	OK(fdatasync(fd));
	OK(syncfs(fd));
	sync();
	OK(sync_file_range(fd, 0, 0, 7));
	ERR(sync_file_range(fd, 0, 0, 8), EINVAL);
	ERR(sync_file_range(fd, -1, 0, 0), EINVAL);
	EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED), 0);
	EQ(posix_fadvise(fd, 0, 0, 77), EINVAL);
	OK(pipe(p));
	EQ(posix_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
	ERR(fsync(p[0]), EINVAL);
	ERR(sync_file_range(p[0], 0, 0, 0), ESPIPE);
	ERR(readahead(p[0], 0, 10), EINVAL);
	ERR(readahead(99, 0, 10), EBADF);
	ERR(fsync(99), EBADF);
	struct {
		unsigned long long off, len;
	} range = { 0, 0 };
	unsigned long long cs[5];

	OK((int)syscall(451, fd, &range, cs, 0));
	EQ(cs[0], 1);
	ERR(syscall(451, fd, &range, cs, 1), EINVAL);
	close(fd);
}

/* Pages of a range that are in memory. */
static long cached(int fd, unsigned long long off, unsigned long long len)
{
	unsigned long long range[2] = { off, len }, cs[5];

	OK((int)syscall(SYS_cachestat, fd, range, cs, 0));
	return (long)cs[0];
}

/* Which pages others read is told only to a file's owner, and to tasks that may write it. */
TEST(pages_of_others)
{
	unsigned long long range[2] = { 0, 0 }, cs[5];
	int fd = OK(open("/tmp/fscalls-seen", O_CREAT | O_RDWR | O_TRUNC, 0644)), status;
	unsigned char there[4];
	pid_t pid;
	char *p;

	OK(ftruncate(fd, 4 * PAGE));
	pid = OK(fork());
	if (!pid) {
		OK(setresuid(1000, 1000, 1000));
		fd = OK(open("/tmp/fscalls-seen", O_RDONLY));
		ERR(syscall(SYS_cachestat, fd, range, cs, 0), EPERM);
		p = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
		CHECK(p != MAP_FAILED);
		OK(mincore(p, 4 * PAGE, there));	/* nothing is, all seems to be */
		CHECK(!memcmp(there, "\1\1\1\1", 4));
		_exit(0);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	EQ(cached(fd, 0, 0), 0);
	OK(unlink("/tmp/fscalls-seen"));
	close(fd);
}

/* A file system's UUID; of one that has none ENOTTY. */
TEST(uuid_of_a_file_system)
{
	struct {
		unsigned char len, uuid[16];
	} a = { 0 }, b = { 0 };
	int fd;

	OK(mkdir("/tmp/fscalls-fs", 0755));
	OK(mount("none", "/tmp/fscalls-fs", "tmpfs", 0, NULL));
	fd = OK(open("/tmp/fscalls-fs", O_RDONLY));
	OK(ioctl(fd, GETFSUUID, &a));
	OK(ioctl(fd, GETFSUUID, &b));
	EQ(a.len, 16);
	CHECK(!memcmp(&a, &b, sizeof(a)));
	ERR(ioctl(fd, GETFSUUID, 8), EFAULT);
	close(fd);
	OK(umount("/tmp/fscalls-fs"));
	OK(rmdir("/tmp/fscalls-fs"));
	fd = OK(open("/proc", O_RDONLY));
	ERR(ioctl(fd, GETFSUUID, &b), ENOTTY);
	close(fd);
}

TEST(pages_in_memory)
{
	static const char page[PAGE];
	enum { PAGES = 40 };
	int fd = file("");

	for (int i = 0; i < PAGES; i++)
		EQ(write(fd, page, sizeof(page)), sizeof(page));
	for (int first = 0; first < PAGES; first += 3)
		for (int n = 1; n <= PAGES; n++)
			EQ(cached(fd, first * PAGE, n * PAGE),
			   n < PAGES - first ? n : PAGES - first);
	EQ(cached(fd, PAGE * PAGES - 1, 1), 1);
	EQ(cached(fd, PAGE * PAGES, PAGE), 0);
	EQ(cached(fd, 100, 0), PAGES);
	EQ(cached(fd, PAGE, 0), PAGES - 1);
	EQ(cached(fd, PAGE - 1, 2), 2);
	/* Of one large page, too. */
	OK(ftruncate(fd, 1024 * PAGE));
	OK(fallocate(fd, 0, 0, 1024 * PAGE));
	EQ(cached(fd, PAGE * 300, PAGE * 3), 3);
	EQ(cached(fd, PAGE * 500, PAGE * 100), 100);
	EQ(cached(fd, 0, 0), 1024);
	close(fd);
}

struct old_dirent {
	unsigned long ino, off;
	unsigned short reclen;
	char name[];
};

TEST(listing)
{
	char buf[4096], small[16];
	int fd, names = 0;
	long n;

	OK(mkdir("/tmp/fscalls-dir", 0755));
	for (int i = 0; i < 300; i++) {
		char name[60];

		snprintf(name, sizeof(name), "/tmp/fscalls-dir/a-name-that-is-%d-long", i);
		close(OK(open(name, O_CREAT | O_WRONLY, 0600)));
	}
	fd = OK(open("/tmp/fscalls-dir", O_RDONLY | O_DIRECTORY));
	ERR(syscall(SYS_getdents64, fd, small, sizeof(small)), EINVAL);
	/* Removing what was listed does not disturb the rest. */
	while ((n = OK(syscall(SYS_getdents64, fd, buf, sizeof(buf)))) > 0) {
		for (long at = 0; at < n;) {
			struct dirent *d = (struct dirent *)(buf + at);

			if (d->d_name[0] != '.') {
				EQ(d->d_type, DT_REG);
				OK(unlinkat(fd, d->d_name, 0));
				names++;
			}
			at += d->d_reclen;
		}
	}
	EQ(names, 300);
	OK(lseek(fd, 0, SEEK_SET));
#ifdef SYS_getdents
	n = OK(syscall(SYS_getdents, fd, buf, sizeof(buf)));
	names = 0;
	for (long at = 0; at < n; names++) {
		struct old_dirent *d = (struct old_dirent *)(buf + at);

		EQ(buf[at + d->reclen - 1], DT_DIR);
		at += d->reclen;
	}
	EQ(names, 2);
#endif
	ERR(syscall(SYS_getdents64, 0x7fff, buf, sizeof(buf)), EBADF);
	close(fd);
	fd = file("");
	ERR(syscall(SYS_getdents64, fd, buf, sizeof(buf)), ENOTDIR);
	close(fd);
	OK(rmdir("/tmp/fscalls-dir"));
}

TEST(places)
{
	char buf[200], tiny[3];
	pid_t pid;
	int fd;

	OK(mkdir("/tmp/fscalls-place", 0755));
	OK(chdir("/tmp/fscalls-place"));
	CHECK(getcwd(buf, sizeof(buf)) && !strcmp(buf, "/tmp/fscalls-place"));
	ERR(syscall(SYS_getcwd, tiny, sizeof(tiny)), ERANGE);
	EQ(syscall(SYS_getcwd, buf, sizeof(buf)), strlen(buf) + 1);
	fd = OK(open(".", O_RDONLY));
	OK(chdir("/"));
	OK(fchdir(fd));
	CHECK(getcwd(buf, sizeof(buf)) && !strcmp(buf, "/tmp/fscalls-place"));
	ERR(fchdir(99), EBADF);
	ERR(chdir("/etc/none"), ENOENT);
	OK(rmdir("/tmp/fscalls-place"));
	ERR(syscall(SYS_getcwd, buf, sizeof(buf)), ENOENT);
	ERR(open("x", O_CREAT | O_WRONLY, 0600), ENOENT);
	OK(mkdir("/tmp/fscalls-jail", 0755));
	pid = OK(fork());
	if (!pid) {
		OK(chroot("/tmp/fscalls-jail"));
		OK(chdir("/"));
		OK(chdir("../../.."));
		CHECK(getcwd(buf, sizeof(buf)) && !strcmp(buf, "/"));
		ERR(access("/tmp", F_OK), ENOENT);
		OK(setuid(1));
		ERR(chroot("/"), EPERM);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	OK(rmdir("/tmp/fscalls-jail"));
}

TEST(nodes)
{
	struct stat st;
	char buf[64];
	int fd, d = OK(open("/tmp", O_RDONLY));

	OK(mknod("/tmp/fscalls-reg", 0600, 0));		/* no type: a regular file */
	OK(stat("/tmp/fscalls-reg", &st));
	CHECK(S_ISREG(st.st_mode));
	OK(mknod("/fscalls-chr", S_IFCHR | 0600, makedev(1, 3)));	/* /tmp is nodev */
	fd = OK(open("/fscalls-chr", O_RDWR));
	EQ(read(fd, buf, 9), 0);
	close(fd);
	OK(mknodat(d, "fscalls-fifo", S_IFIFO | 0600, 0));
	ERR(open("/tmp/fscalls-fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	ERR(mknodat(d, "fscalls-fifo", S_IFIFO | 0600, 0), EEXIST);
	ERR(mknodat(d, "fscalls-dir", S_IFDIR | 0600, 0), EPERM);
	ERR(mknodat(d, "fscalls-lnk", S_IFLNK | 0600, 0), EINVAL);
	OK(symlink("some/where", "/tmp/fscalls-link"));
	EQ(readlinkat(d, "fscalls-link", buf, sizeof(buf)), 10);
	EQ(readlinkat(d, "fscalls-link", buf, 4), 4);
	ERR(readlinkat(d, "fscalls-reg", buf, 4), EINVAL);
	ERR(syscall(SYS_readlinkat, d, "fscalls-link", buf, 0), EINVAL);
	fd = OK(openat(d, "fscalls-link", O_PATH | O_NOFOLLOW));
	EQ(readlinkat(fd, "", buf, sizeof(buf)), 10);
	close(fd);
	OK(unlinkat(d, "fscalls-reg", 0));
	OK(unlink("/fscalls-chr"));
	OK(unlinkat(d, "fscalls-fifo", 0));
	OK(unlinkat(d, "fscalls-link", 0));
	close(d);
}

TEST(old_calls)
{
#if defined(SYS_ustat) && defined(SYS_sysfs)
	struct {
		int free;
		unsigned long inodes;
		char name[6], pack[6];
		long pad[4];
	} u;
	struct stat st;

	OK(stat("/tmp", &st));
	OK((int)syscall(SYS_ustat, (unsigned int)st.st_dev, &u));
	ERR(syscall(SYS_ustat, 0xfffff, &u), EINVAL);
	OK((int)syscall(SYS_sysfs, 1, "tmpfs", 0));
	ERR(syscall(SYS_sysfs, 1, "nosuchfs", 0), EINVAL);
	int types = OK((int)syscall(SYS_sysfs, 3, 0, 0)),
	    n = OK((int)syscall(SYS_sysfs, 1, "tmpfs", 0));
	char name[64];

	CHECK(n < types);
	OK((int)syscall(SYS_sysfs, 2, n, name));
	CHECK(!strcmp(name, "tmpfs"));
	ERR(syscall(SYS_sysfs, 2, types, name), EINVAL);
	ERR(syscall(SYS_sysfs, 2, n, 8), EFAULT);
	ERR(syscall(SYS_sysfs, 77, 0, 0), EINVAL);
#else
	SKIP("this CPU has none of them");
#endif
}

TEST(attributes_at)
{
	struct {
		unsigned long long value;
		unsigned int size, flags;
	} a = { (unsigned long)"abc", 3, 0 };
	char buf[64];
	int fd = file("");

	if (syscall(463, fd, "", AT_EMPTY_PATH, "user.x", &a, sizeof(a)) < 0 && errno == ENOSYS)
		SKIP("no setxattrat");
	a.value = (unsigned long)buf;
	a.size = sizeof(buf);
	EQ(syscall(464, fd, "", AT_EMPTY_PATH, "user.x", &a, sizeof(a)), 3);
	CHECK(!memcmp(buf, "abc", 3));
	EQ(syscall(465, fd, "", AT_EMPTY_PATH, buf, sizeof(buf)), 7);
	OK((int)syscall(466, fd, "", AT_EMPTY_PATH, "user.x"));
	EQ(syscall(465, fd, "", AT_EMPTY_PATH, buf, sizeof(buf)), 0);
	OK(fsetxattr(fd, "user.y", "1", 1, 0));
	OK(fremovexattr(fd, "user.y"));
	ERR(fremovexattr(fd, "user.y"), ENODATA);
	ERR(syscall(466, fd, "", 0x40, "user.x"), EINVAL);
	close(fd);
}

TEST(handles)
{
	struct {
		unsigned int bytes;
		int type;
		char f[128];
	} h = { 128, 0, "" };
	int mnt;

	/* guest/handles has the rest. */
	if (syscall(SYS_name_to_handle_at, AT_FDCWD, "/tmp", &h, &mnt, 0) < 0)
		EQ(errno, EOPNOTSUPP);
	ERR(syscall(SYS_name_to_handle_at, AT_FDCWD, "/none", &h, &mnt, 0), ENOENT);
	ERR(syscall(SYS_name_to_handle_at, AT_FDCWD, "/tmp", &h, &mnt, 0x40000000), EINVAL);
	OK(setuid(1000));
	ERR(syscall(SYS_open_by_handle_at, AT_FDCWD, &h, O_RDONLY), EPERM);
}

#define AT_RECURSIVE_ 0x8000
struct mount_attr_ {
	unsigned long long set, clr, prop, userns;
};

TEST(mount_attributes)
{
	struct mount_attr_ a = { 1 /* RDONLY */, 0, 0, 0 };
	struct {
		unsigned int size, fd;
		unsigned long long id, param;
	} req = { 24, 0, ~0ull, 0 };
	unsigned long long ids[64];
	int fd;

	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	mkdir("/tmp/fscalls-m", 0755);
	OK(mount("t", "/tmp/fscalls-m", "tmpfs", 0, NULL));
	OK((int)syscall(442, AT_FDCWD, "/tmp/fscalls-m", 0, &a, sizeof(a)));
	ERR(mkdir("/tmp/fscalls-m/x", 0755), EROFS);
	a = (struct mount_attr_){ 8 /* NOEXEC */, 1, 0, 0 };
	OK((int)syscall(442, AT_FDCWD, "/tmp/fscalls-m", 0, &a, sizeof(a)));
	OK(mkdir("/tmp/fscalls-m/x", 0755));
	close(OK(open("/tmp/fscalls-m/f", O_CREAT | O_WRONLY, 0755)));
	ERR(access("/tmp/fscalls-m/f", X_OK), EACCES);
	a.set = 1ull << 40;
	ERR(syscall(442, AT_FDCWD, "/tmp/fscalls-m", 0, &a, sizeof(a)), EINVAL);
	CHECK(OK(syscall(458, &req, ids, 64, 0)) >= 1);
	fd = OK((int)syscall(433, AT_FDCWD, "/tmp/fscalls-m", 0));
	OK((int)syscall(431, fd, 0, "ro", NULL, 0));
	OK((int)syscall(431, fd, 7, NULL, NULL, 0));
	ERR(mkdir("/tmp/fscalls-m/y", 0755), EROFS);
	close(fd);
	OK(umount("/tmp/fscalls-m"));
}

TEST(tree_as_namespace)
{
	char line[200];
	int fd, n = 0;
	pid_t pid;
	FILE *f;

	fd = (int)syscall(428, AT_FDCWD, "/tmp", 2 /* OPEN_TREE_NAMESPACE */ | O_CLOEXEC);
	if (fd < 0 && errno == EINVAL)
		SKIP("older than Linux 7.0");
	OK(fd);
	ERR(syscall(428, AT_FDCWD, "/tmp", AT_RECURSIVE_), EINVAL);
	close(OK(open("/tmp/fscalls-seen", O_CREAT | O_WRONLY, 0600)));
	pid = OK(fork());
	if (!pid) {
		OK(setns(fd, CLONE_NEWNS));
		OK(access("/fscalls-seen", F_OK));
		ERR(access("/tmp", F_OK), ENOENT);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	close(fd);
	OK(unlink("/tmp/fscalls-seen"));
	f = fopen("/proc/self/mountinfo", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		n++;
	CHECK(n > 1);
	fclose(f);
}
