// SPDX-License-Identifier: MIT
/*
 * Run in the guest, in a directory of a mounted XFS: rights DIR write|read|clean. What the random
 * test (names.c) does not ask: ACLs, groups, flags, projects, limits. The second run, after the
 * file system was mounted again, finds what the first one left.
 */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/falloc.h>
#include <linux/fs.h>

struct acl {
	unsigned version;
	struct {
		unsigned short tag, perm;
		unsigned id;
	} e[5];
};

/* rwx for the owner, PERM for user 1001, rwx for the group, the mask MASK, nothing for others. */
static struct acl acl_of(unsigned short perm, unsigned short mask)
{
	return (struct acl){ 2,
			     { { 1, 7, ~0u },
			       { 2, perm, 1001 },
			       { 4, 7, ~0u },
			       { 16, mask, ~0u },
			       { 32, 0, ~0u } } };
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	CHECK(!lstat(path, &st));
	return st.st_mode & 07777;
}

static void has_acl(const char *path, const char *type, unsigned short perm, unsigned short mask)
{
	/* A file was not to be executed by its owner either. */
	struct acl want = acl_of(perm, mask), got;
	char name[64];

	if (!(mask & 1))
		want.e[0].perm = 6;
	snprintf(name, sizeof(name), "system.posix_acl_%s", type);
	CHECK(getxattr(path, name, &got, sizeof(got)) == sizeof(got));
	for (int i = 0; i < 5; i++)
		if (memcmp(&got.e[i], &want.e[i], sizeof(got.e[i])))
			printf("%s: entry %d: %d %d %d\n", path, i, got.e[i].tag, got.e[i].perm,
			       got.e[i].id);
	CHECK(!memcmp(&got, &want, sizeof(got)));
}

static void write_acls(void)
{
	struct acl a = acl_of(5, 7);
	int fd;

	CHECK(!mkdir("acl", 0770));
	CHECK(!setxattr("acl", "system.posix_acl_default", &a, sizeof(a), 0));
	CHECK(!setxattr("acl", "system.posix_acl_access", &a, sizeof(a), 0));
	fd = open("acl/file", O_CREAT | O_RDWR, 0666);
	CHECK(fd >= 0);
	close(fd);
	CHECK(!mkdir("acl/dir", 0777));
	CHECK(!chmod("acl/dir", 0750));
	/* One that says what a mode says is kept as the mode. */
	CHECK(!mkdir("plain", 0700));
	CHECK(!setxattr("plain", "system.posix_acl_access", &a, sizeof(a), 0));
	CHECK(!removexattr("plain", "system.posix_acl_access"));
	FAILS(getxattr("plain", "system.posix_acl_access", &a, sizeof(a)), ENODATA);
}

static void read_acls(void)
{
	has_acl("acl", "default", 5, 7);
	has_acl("acl", "access", 5, 7);
	CHECK(mode_of("acl/file") == 0660);
	has_acl("acl/file", "access", 5, 6);
	CHECK(mode_of("acl/dir") == 0750);
	has_acl("acl/dir", "access", 5, 5);
	has_acl("acl/dir", "default", 5, 7);
	CHECK(getxattr("plain", "system.posix_acl_access", NULL, 0) == -1 && errno == ENODATA);
}

static void set_flags(const char *path, unsigned xflags, unsigned project)
{
	int fd = open(path, O_RDONLY);
	struct fsxattr x;

	CHECK(fd >= 0 && !ioctl(fd, FS_IOC_FSGETXATTR, &x));
	x.fsx_xflags = xflags;
	x.fsx_projid = project;
	CHECK(!ioctl(fd, FS_IOC_FSSETXATTR, &x));
	close(fd);
}

static unsigned flags_of(const char *path, unsigned *project)
{
	int fd = open(path, O_RDONLY);
	struct fsxattr x;

	CHECK(fd >= 0 && !ioctl(fd, FS_IOC_FSGETXATTR, &x));
	close(fd);
	*project = x.fsx_projid;
	return x.fsx_xflags;
}

/* FS_IOC_FSSETXATTR by the owner takes set-id bits away; FS_IOC_SETFLAGS and root leave them. */
static void set_id_bits(void)
{
	int fd = open("setid", O_CREAT | O_RDWR, 0755), status, flags = FS_NODUMP_FL;
	pid_t child;

	CHECK(fd >= 0 && !fchown(fd, 1001, 1001) && !fchmod(fd, 06755));
	set_flags("setid", 0, 0);
	CHECK(mode_of("setid") == 06755);
	child = fork();
	if (!child) {
		CHECK(!setgid(1001) && !setuid(1001));
		CHECK(!ioctl(fd, FS_IOC_SETFLAGS, &flags));
		CHECK(mode_of("setid") == 06755);
		set_flags("setid", FS_XFLAG_NODUMP, 0);
		CHECK(mode_of("setid") == 0755);
		exit(0);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child && !status);
	CHECK(!fchmod(fd, 06711) && !close(fd));
}

static void write_flags(void)
{
	int fd;

	CHECK(!mkdir("project", 0755) && !mkdir("other", 0755));
	set_flags("project", FS_XFLAG_PROJINHERIT | FS_XFLAG_NOSYMLINKS, 42);
	fd = open("project/in", O_CREAT | O_RDWR, 0644);
	CHECK(fd >= 0);
	close(fd);
	CHECK(!mkdir("project/sub", 0755));
	fd = open("other/out", O_CREAT | O_RDWR, 0644);
	CHECK(fd >= 0);
	close(fd);
	FAILS(link("other/out", "project/out"), EXDEV);
	FAILS(rename("other/out", "project/out"), EXDEV);
	CHECK(!link("project/in", "other/in"));
	CHECK(!mkdir("fixed", 0755));
	fd = open("fixed/file", O_CREAT | O_RDWR, 0644);
	CHECK(fd >= 0);
	close(fd);
	set_flags("fixed/file", FS_XFLAG_IMMUTABLE | FS_XFLAG_NODUMP, 0);
	FAILS(chmod("fixed/file", 0600), EPERM);
	FAILS(unlink("fixed/file"), EPERM);
	fd = open("promised", O_CREAT | O_RDWR, 0644);
	CHECK(fd >= 0 && !fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 65536) && !close(fd));
	CHECK(!mkdir("group", 0755) && !chown("group", 0, 77) && !chmod("group", 02755));
	CHECK(!mkdir("group/sub", 0755));
}

static void read_flags(void)
{
	struct stat st;
	unsigned p;

	CHECK(flags_of("project", &p) & FS_XFLAG_PROJINHERIT && p == 42);
	/* A file does not inherit the flags of directories; nothing inherits NOSYMLINKS. */
	CHECK(!(flags_of("project/in", &p) & (FS_XFLAG_PROJINHERIT | FS_XFLAG_NOSYMLINKS)));
	CHECK(p == 42);
	CHECK((flags_of("project/sub", &p) & (FS_XFLAG_PROJINHERIT | FS_XFLAG_NOSYMLINKS)) ==
		      FS_XFLAG_PROJINHERIT &&
	      p == 42);
	CHECK(flags_of("promised", &p) & FS_XFLAG_PREALLOC);
	CHECK((flags_of("fixed/file", &p) & (FS_XFLAG_IMMUTABLE | FS_XFLAG_NODUMP)) ==
	      (FS_XFLAG_IMMUTABLE | FS_XFLAG_NODUMP));
	CHECK(!stat("group/sub", &st) && st.st_gid == 77 && (st.st_mode & 07777) == 02755);
}

static void write_limits(void)
{
	char name[300], target[1100];

	memset(name, 'n', sizeof(name));
	name[256] = 0;
	FAILS(mkdir(name, 0755), ENAMETOOLONG);
	name[255] = 0;
	CHECK(!mkdir(name, 0755));
	memset(target, 't', sizeof(target));
	target[1024] = 0;
	FAILS(symlink(target, "target"), ENAMETOOLONG);
	target[1023] = 0;
	CHECK(!symlink(target, "target"));
	CHECK(readlink("target", target, sizeof(target)) == 1023);
	/* Attributes of a link whose target lies in the inode. */
	target[280] = 0;
	CHECK(!symlink(target, "short"));
	CHECK(!lsetxattr("short", "trusted.one", target, 250, 0));
	FAILS(rmdir("acl"), ENOTEMPTY);
	FAILS(setxattr("plain", "trusted.SGI_ACL_FILE", "nonsense", 8, 0), EINVAL);
}

/* Attribute "user.value" of FILE gets N bytes that C tells, as FLAGS say, and has them. */
static void set_value(const char *file, size_t n, int c, int flags)
{
	static char value[65536], got[65536];

	for (size_t i = 0; i < n; i++)
		value[i] = (char)(c + (int)(i * 7 / 4096));
	CHECK(!setxattr(file, "user.value", value, n, flags));
	CHECK(getxattr(file, "user.value", got, sizeof(got)) == (ssize_t)n);
	CHECK(!memcmp(value, got, n));
}

/* Long values go where others were that have been read and freed. */
static void write_values(void)
{
	static const size_t sizes[] = { 65536, 5000, 65535, 9000, 17000 };

	for (int i = 0; i < 30; i++) {
		size_t n = sizes[i % 5];
		int fd = open("values", O_RDWR | O_CREAT | O_EXCL, 0644);

		CHECK(fd >= 0);
		set_value("values", n, i, XATTR_CREATE);
		set_value("values", n, i + 1, XATTR_REPLACE);
		CHECK(!removexattr("values", "user.value") && !fsync(fd));
		set_value("values", n, i + 2, XATTR_CREATE);
		CHECK(!unlink("values") && !close(fd));
		sync();
	}
}

int main(int argc, char **argv)
{
	umask(0);
	CHECK(argc == 3 && !chdir(argv[1]));
	if (!strcmp(argv[2], "write")) {
		write_acls();
		write_flags();
		set_id_bits();
		write_limits();
		write_values();
	}
	if (!strcmp(argv[2], "clean")) {
		set_flags("fixed/file", 0, 0);
		return 0;
	}
	read_acls();
	read_flags();
	printf("rights: ok\n");
	return 0;
}
