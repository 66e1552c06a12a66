// SPDX-License-Identifier: MIT
/* Files by handle, on a tmpfs of one's own. proves: name_to_handle_at open_by_handle_at */
#include "t.h"
#include <linux/capability.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define FID 0x200
#define MNT_ID_UNIQUE 0x001
#define CONNECTABLE 0x002
#define IS_CONNECTABLE 0x10000

struct handle {
	unsigned int bytes;
	int type;
	unsigned char f[128];
};

static void own(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	mkdir("/tmp/mnt", 0755);
	OK(mount("t", "/tmp/mnt", "tmpfs", 0, "size=1m,mode=755"));
	OK(chdir("/tmp/mnt"));
}

static long to_handle(int dfd, const char *name, struct handle *h, void *mnt, int flags)
{
	return syscall(SYS_name_to_handle_at, dfd, name, h, mnt, flags);
}

static long by_handle(int mfd, const struct handle *h, int flags)
{
	return syscall(SYS_open_by_handle_at, mfd, h, flags);
}

static struct handle handle_of(const char *name)
{
	struct handle h = { sizeof(h.f), 0, { 0 } };
	unsigned long long id = 0;

	OK(to_handle(AT_FDCWD, name, &h, &id, 0));
	return h;
}

static int same_file(int fd, const char *name)
{
	struct stat a, b;

	OK(fstat(fd, &a));
	OK(lstat(name, &b));
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void make(const char *name, const char *text)
{
	int fd = OK(open(name, O_CREAT | O_WRONLY, 0644));

	EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void drop_caches(void)
{
	int fd = OK(open("/proc/sys/vm/drop_caches", O_WRONLY));

	OK(write(fd, "3", 1));
	close(fd);
}

TEST(sizes)
{
	struct handle h = { 0, 0, { 0 } }, again;
	int mnt = -1;

	own();
	make("f", "text");
	memset(h.f, 0x5a, sizeof(h.f));
	ERR(to_handle(AT_FDCWD, "f", &h, &mnt, 0), EOVERFLOW);
	EQ(h.bytes, 12);
	EQ(h.f[0], 0x5a);
	CHECK(mnt > 0);
	h.bytes = 11;
	ERR(to_handle(AT_FDCWD, "f", &h, &mnt, 0), EOVERFLOW);
	EQ(h.bytes, 12);
	OK(to_handle(AT_FDCWD, "f", &h, &mnt, 0));
	EQ(h.bytes, 12);
	EQ(h.type, 1);
	EQ(h.f[12], 0x5a);
	again = handle_of("f");
	EQ(again.bytes, 12);
	CHECK(!memcmp(again.f, h.f, 12));
	h.bytes = sizeof(h.f) + 1;
	ERR(to_handle(AT_FDCWD, "f", &h, &mnt, 0), EINVAL);
	ERR(to_handle(AT_FDCWD, "f", (void *)1, &mnt, 0), EFAULT);
	h.bytes = sizeof(h.f);
	ERR(to_handle(AT_FDCWD, "f", &h, (void *)1, 0), EFAULT);
	ERR(to_handle(AT_FDCWD, "none", &h, &mnt, 0), ENOENT);
	ERR(to_handle(99, "f", &h, &mnt, 0), EBADF);
	ERR(to_handle(AT_FDCWD, "f", &h, &mnt, 0x40000000), EINVAL);
	ERR(to_handle(AT_FDCWD, "", &h, &mnt, 0), ENOENT);
}

TEST(bad_handles)
{
	struct handle h, bad;

	own();
	make("f", "text");
	h = handle_of("f");
	bad = h;
	bad.bytes = 0;
	ERR(by_handle(AT_FDCWD, &bad, O_RDONLY), EINVAL);
	bad.bytes = 129;
	ERR(by_handle(AT_FDCWD, &bad, O_RDONLY), EINVAL);
	bad = h;
	bad.type = -1;
	ERR(by_handle(AT_FDCWD, &bad, O_RDONLY), EINVAL);
	bad.type = h.type | 0x40000;
	ERR(by_handle(AT_FDCWD, &bad, O_RDONLY), EINVAL);
	bad = h;
	bad.bytes = 8;
	ERR(by_handle(AT_FDCWD, &bad, O_RDONLY), ESTALE);
	for (int i = 0; i < 12; i++) {
		bad = h;
		bad.f[i] ^= 1;
		ERR(by_handle(AT_FDCWD, &bad, O_RDONLY), ESTALE);
	}
	ERR(by_handle(AT_FDCWD, (void *)1, O_RDONLY), EFAULT);
	ERR(by_handle(99, &h, O_RDONLY), EBADF);
	ERR(by_handle(-77, &h, O_RDONLY), EBADF);
	/* Words are whole. */
	bad = h;
	bad.bytes = 15;
	close(OK((int)by_handle(AT_FDCWD, &bad, O_RDONLY)));
}

TEST(outlives_its_name)
{
	struct handle f, d;
	char b[10], cwd[100];
	int fd;

	own();
	OK(mkdir("dir", 0755));
	make("dir/f", "text");
	f = handle_of("dir/f");
	d = handle_of("dir");
	OK(rename("dir", "moved"));
	OK(rename("moved/f", "g"));
	drop_caches();
	fd = OK((int)by_handle(AT_FDCWD, &f, O_RDWR));
	CHECK(same_file(fd, "g"));
	EQ(read(fd, b, sizeof(b)), 4);
	CHECK(!memcmp(b, "text", 4));
	/* Open, it is found without a name. */
	OK(unlink("g"));
	close(OK((int)by_handle(AT_FDCWD, &f, O_RDONLY)));
	close(fd);
	ERR(by_handle(AT_FDCWD, &f, O_RDONLY), ESTALE);
	fd = OK((int)by_handle(AT_FDCWD, &d, O_RDONLY | O_DIRECTORY));
	OK(fchdir(fd));
	CHECK(getcwd(cwd, sizeof(cwd)));
	CHECK(!strcmp(cwd, "/tmp/mnt/moved"));
	OK(chdir(".."));
	OK(rmdir("moved"));
	close(fd);
	ERR(by_handle(AT_FDCWD, &d, O_RDONLY), ESTALE);
}

TEST(kinds_and_flags)
{
	struct handle h, l;
	int fd, mnt;
	char b[10];

	own();
	make("f", "text");
	OK(symlink("f", "l"));
	OK(mkdir("d", 0755));
	OK(mkfifo("p", 0644));
	l = handle_of("l");
	ERR(by_handle(AT_FDCWD, &l, O_RDONLY), ELOOP);
	fd = OK((int)by_handle(AT_FDCWD, &l, O_PATH | O_RDWR));
	CHECK(same_file(fd, "l"));
	EQ(readlinkat(fd, "", b, sizeof(b)), 1);
	close(fd);
	/* The link's target on demand. */
	h.bytes = sizeof(h.f);
	OK(to_handle(AT_FDCWD, "l", &h, &mnt, AT_SYMLINK_FOLLOW));
	fd = OK((int)by_handle(AT_FDCWD, &h, O_RDONLY));
	CHECK(same_file(fd, "f"));
	/* Of an open file. */
	l.bytes = sizeof(l.f);
	OK(to_handle(fd, "", &l, &mnt, AT_EMPTY_PATH));
	EQ(l.bytes, h.bytes);
	CHECK(!memcmp(l.f, h.f, h.bytes));
	close(fd);
	h = handle_of("d");
	ERR(by_handle(AT_FDCWD, &h, O_RDWR), EISDIR);
	fd = OK((int)by_handle(AT_FDCWD, &h, O_RDONLY));
	CHECK(same_file(fd, "d"));
	close(fd);
	h = handle_of("f");
	ERR(by_handle(AT_FDCWD, &h, O_RDONLY | O_DIRECTORY), ENOTDIR);
	fd = OK((int)by_handle(AT_FDCWD, &h, O_RDWR | O_TRUNC | O_CLOEXEC));
	EQ(lseek(fd, 0, SEEK_END), 0);
	EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	h = handle_of("p");
	close(OK((int)by_handle(AT_FDCWD, &h, O_RDONLY | O_NONBLOCK)));
	OK(mount(NULL, "/tmp/mnt", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	h = handle_of("f");
	ERR(by_handle(AT_FDCWD, &h, O_RDWR), EROFS);
}

TEST(mounts_are_known)
{
	struct handle h = { sizeof(h.f), 0, { 0 } };
	unsigned long long unique[2] = { 0, 77 };
	int small[2] = { 0, 77 }, n, fd, other;
	char line[200], dir[100];
	FILE *f;

	own();
	make("f", "x");
	OK(to_handle(AT_FDCWD, "f", &h, small, 0));
	EQ(small[1], 77);
	h.bytes = sizeof(h.f);
	OK(to_handle(AT_FDCWD, "f", &h, unique, MNT_ID_UNIQUE));
	EQ(unique[1], 77);
	CHECK(unique[0] > (1ull << 31));
	f = fopen("/proc/self/mountinfo", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%d %*d %*s %*s %99s", &n, dir) == 2 && !strcmp(dir, "/tmp/mnt"))
			break;
	fclose(f);
	EQ(n, small[0]);
	/* Another filesystem does not have it. */
	OK(mkdir("o", 0755));
	OK(mount("t", "o", "tmpfs", 0, NULL));
	other = OK(open("o", O_RDONLY | O_DIRECTORY));
	ERR(by_handle(other, &h, O_RDONLY), ESTALE);
	/* Nor can a file that is open for its path alone say where to look. */
	fd = OK(open("/tmp/mnt/f", O_PATH));
	ERR(by_handle(fd, &h, O_RDONLY), EBADF);
	close(fd);
	/* Any file of the mount can. */
	fd = OK(open("/tmp/mnt/f", O_RDONLY));
	n = OK((int)by_handle(fd, &h, O_RDONLY));
	CHECK(same_file(n, "f"));
}

TEST(ids_without_a_way_back)
{
	struct handle h = { sizeof(h.f), 0, { 0 } };
	unsigned long long ino;
	struct stat st;
	int mnt, p;

	own();
	OK(mkdir("d", 0755));
	/* No connectable ones here, and none at all in /proc. */
	ERR(to_handle(AT_FDCWD, "d", &h, &mnt, CONNECTABLE), EOPNOTSUPP);
	ERR(to_handle(AT_FDCWD, "", &h, &mnt, CONNECTABLE | AT_EMPTY_PATH), EINVAL);
	ERR(to_handle(AT_FDCWD, "d", &h, &mnt, CONNECTABLE | FID), EINVAL);
	ERR(to_handle(AT_FDCWD, "/proc/self/status", &h, &mnt, 0), EOPNOTSUPP);
	OK(to_handle(AT_FDCWD, "/proc/self/status", &h, &mnt, FID));
	EQ(h.type, 0x81);
	EQ(h.bytes, 12);
	OK(stat("/proc/self/status", &st));
	memcpy(&ino, h.f, 8);
	EQ(ino, st.st_ino);
	h.bytes = 8;
	ERR(to_handle(AT_FDCWD, "/proc/self/status", &h, &mnt, FID), EOVERFLOW);
	EQ(h.bytes, 12);
	p = OK(open("/proc", O_RDONLY | O_DIRECTORY));
	OK(to_handle(AT_FDCWD, "/proc/self/status", &h, &mnt, FID));
	ERR(by_handle(p, &h, O_RDONLY), ESTALE);
	h.bytes = sizeof(h.f);
	OK(to_handle(AT_FDCWD, "d", &h, &mnt, FID));
	EQ(h.type, 1);
	/* A flag that says what the handle is must be true. */
	h.type |= IS_CONNECTABLE;
	close(OK((int)by_handle(AT_FDCWD, &h, O_RDONLY)));
	make("f", "x");
	h = handle_of("f");
	h.type |= 0x20000;
	ERR(by_handle(AT_FDCWD, &h, O_RDONLY), ESTALE);
}

TEST(below_the_given_directory)
{
	struct handle in, out;
	int d;

	own();
	OK(mkdir("d", 0755));
	OK(mkdir("e", 0755));
	make("d/in", "x");
	make("out", "x");
	in = handle_of("d/in");
	out = handle_of("out");
	in.type |= IS_CONNECTABLE;
	out.type |= IS_CONNECTABLE;
	d = OK(open("d", O_RDONLY | O_DIRECTORY));
	close(OK((int)by_handle(d, &in, O_RDONLY)));
	ERR(by_handle(d, &out, O_RDONLY), ESTALE);
	OK(rename("d/in", "e/in"));
	ERR(by_handle(d, &in, O_RDONLY), ESTALE);
	/* A second name will do. */
	OK(link("out", "d/out"));
	close(OK((int)by_handle(d, &out, O_RDONLY)));
}

TEST(unnamed)
{
	struct handle h = { sizeof(h.f), 0, { 0 } };
	int fd, mnt;

	own();
	fd = OK(open(".", O_TMPFILE | O_RDWR, 0600));
	OK(to_handle(fd, "", &h, &mnt, AT_EMPTY_PATH));
	close(OK((int)by_handle(AT_FDCWD, &h, O_RDONLY)));
	close(fd);
	ERR(by_handle(AT_FDCWD, &h, O_RDONLY), ESTALE);
	fd = OK(memfd_create("m", 0));
	h.bytes = sizeof(h.f);
	OK(to_handle(fd, "", &h, &mnt, AT_EMPTY_PATH));
	close(OK((int)by_handle(fd, &h, O_RDONLY)));
	close(fd);
}

static void put(const char *name, const char *text)
{
	int fd = OK(open(name, O_WRONLY));

	OK(write(fd, text, strlen(text)));
	close(fd);
}

static void become_root_of_own(bool mounts)
{
	OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	OK(unshare(CLONE_NEWUSER | (mounts ? CLONE_NEWNS : 0)));
	put("/proc/self/setgroups", "deny");
	put("/proc/self/gid_map", "0 1000 1");
	put("/proc/self/uid_map", "0 1000 1");
}

TEST(without_capability)
{
	struct handle h;

	own();
	OK(mkdir("d", 0777));
	h = handle_of("d");
	OK(setgid(1000));
	OK(setuid(1000));
	ERR(by_handle(AT_FDCWD, &h, O_RDONLY), EPERM);
	ERR(by_handle(AT_FDCWD, &h, O_RDONLY | O_DIRECTORY), EPERM);
	/* To make one needs no right. */
	h = handle_of("d");
}

TEST(ruler_of_the_filesystem)
{
	struct handle f, d, priv;
	int fd;

	own();
	OK(setgid(1000));
	OK(setuid(1000));
	become_root_of_own(true);
	OK(mount("t", "/tmp", "tmpfs", 0, NULL));
	OK(chdir("/tmp"));
	OK(mkdir("d", 0755));
	OK(mkdir("d/priv", 0));
	make("d/f", "x");
	f = handle_of("d/f");
	d = handle_of("d");
	priv = handle_of("d/priv");
	/* Directories, if one says so. */
	ERR(by_handle(AT_FDCWD, &f, O_RDONLY), EPERM);
	ERR(by_handle(AT_FDCWD, &d, O_RDONLY), EPERM);
	ERR(by_handle(AT_FDCWD, &f, O_RDONLY | O_DIRECTORY), ESTALE);
	fd = OK((int)by_handle(AT_FDCWD, &d, O_RDONLY | O_DIRECTORY));
	CHECK(same_file(fd, "d"));
	close(OK((int)by_handle(fd, &priv, O_RDONLY | O_DIRECTORY)));
	/* Not below the given one: he could mount it all. */
	fd = OK(open("d/priv", O_RDONLY | O_DIRECTORY));
	close(OK((int)by_handle(fd, &d, O_RDONLY | O_DIRECTORY)));
}

/* The caller rules a copy of the mount, not the filesystem. */
TEST(ruler_of_the_mount)
{
	struct handle mine, foreign, above, below_foreign;
	int dir;

	own();
	OK(mkdir("mine", 0755));
	OK(mkdir("mine/deep", 0755));
	OK(mkdir("foreign", 0777));
	OK(mkdir("foreign/mine", 0777));
	OK(chown("/tmp/mnt/mine", 1000, 1000));
	OK(chown("/tmp/mnt/mine/deep", 1000, 1000));
	OK(chown("/tmp/mnt/foreign/mine", 1000, 1000));
	mine = handle_of("mine/deep");
	foreign = handle_of("foreign");
	below_foreign = handle_of("foreign/mine");
	above = handle_of("/tmp/mnt");
	OK(setgid(1000));
	OK(setuid(1000));
	become_root_of_own(true);
	OK(chdir("/tmp/mnt/mine"));
	close(OK((int)by_handle(AT_FDCWD, &mine, O_RDONLY | O_DIRECTORY)));
	ERR(by_handle(AT_FDCWD, &mine, O_RDONLY), EPERM);
	/* Outside of the directory, and owned by ids that are none here. */
	ERR(by_handle(AT_FDCWD, &above, O_RDONLY | O_DIRECTORY), ESTALE);
	ERR(by_handle(AT_FDCWD, &foreign, O_RDONLY | O_DIRECTORY), ESTALE);
	dir = OK(open("/tmp/mnt/foreign", O_RDONLY | O_DIRECTORY));
	ERR(by_handle(dir, &below_foreign, O_RDONLY | O_DIRECTORY), ESTALE);
}

TEST(locked_mounts_hide)
{
	struct handle h;

	own();
	OK(mkdir("mine", 0755));
	OK(mkdir("mine/deep", 0755));
	OK(mkdir("mine/cover", 0755));
	OK(chown("/tmp/mnt/mine", 1000, 1000));
	OK(chown("/tmp/mnt/mine/deep", 1000, 1000));
	OK(mount("t", "mine/cover", "tmpfs", 0, NULL));
	h = handle_of("mine/deep");
	OK(setgid(1000));
	OK(setuid(1000));
	become_root_of_own(true);
	OK(chdir("/tmp/mnt/mine"));
	ERR(by_handle(AT_FDCWD, &h, O_RDONLY | O_DIRECTORY), EPERM);
}

TEST(not_the_mounts_ruler)
{
	struct handle h;

	own();
	OK(mkdir("mine", 0755));
	OK(chown("/tmp/mnt/mine", 1000, 1000));
	h = handle_of("mine");
	OK(setgid(1000));
	OK(setuid(1000));
	become_root_of_own(false);
	ERR(by_handle(AT_FDCWD, &h, O_RDONLY | O_DIRECTORY), EPERM);
}
