// SPDX-License-Identifier: MIT
/* Calls relative to a directory, and openat2's limits. proves: openat2 faccessat faccessat2
 * fchmodat fchmodat2 fchownat newfstatat access name_to_handle_at open_by_handle_at */
#include "t.h"
#include <linux/openat2.h>
#include <sys/stat.h>

static long openat2(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };

	return syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static int setup(const char *name)
{
	char cmd[200];

	snprintf(
		cmd, sizeof(cmd),
		"rm -rf /tmp/%s; mkdir -p /tmp/%s/sub/deep; echo x > /tmp/%s/sub/f; ln -s f /tmp/%s/sub/link; "
		"ln -s /tmp/%s/sub/f /tmp/%s/sub/abs; ln -s ../up /tmp/%s/sub/esc; echo y > /tmp/%s/up",
		name, name, name, name, name, name, name, name);
	EQ(system(cmd), 0);
	snprintf(cmd, sizeof(cmd), "/tmp/%s/sub", name);
	return OK(open(cmd, O_RDONLY | O_DIRECTORY));
}

TEST(relative_to_directory)
{
	int d = setup("at1"), fd;
	struct stat st, st2;

	fd = OK(openat(d, "f", O_RDONLY));
	OK(fstat(fd, &st));
	OK(fstatat(d, "link", &st2, 0));
	EQ(st.st_ino, st2.st_ino);
	OK(fstatat(d, "link", &st2, AT_SYMLINK_NOFOLLOW));
	CHECK(S_ISLNK(st2.st_mode));
	OK(fstatat(fd, "", &st2, AT_EMPTY_PATH));
	EQ(st.st_ino, st2.st_ino);
	ERR(fstatat(fd, "", &st2, 0), ENOENT);
	ERR(openat(fd, "x", O_RDONLY), ENOTDIR);
	ERR(openat(99, "x", O_RDONLY), EBADF);
	close(OK(openat(99, "/tmp", O_RDONLY)));
	OK(fchmodat(d, "f", 0640, 0));
	OK(stat("/tmp/at1/sub/f", &st));
	EQ(st.st_mode & 07777, 0640);
	ERR(syscall(SYS_fchmodat2, d, "link", 0600, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
	OK(fchownat(d, "link", 7, 8, AT_SYMLINK_NOFOLLOW));
	OK(fstatat(d, "link", &st, AT_SYMLINK_NOFOLLOW));
	EQ(st.st_uid, 7);
	OK(faccessat(d, "f", R_OK, 0));
	ERR(syscall(SYS_faccessat2, d, "f", 8, 0), EINVAL);
	ERR(faccessat(d, "none", F_OK, 0), ENOENT);
}

TEST(openat2_limits)
{
	int d = setup("at2");
	char big[200] = { 0 };

	close(OK(openat2(d, "f", O_RDONLY, 0)));
	close(OK(openat2(d, "link", O_RDONLY, RESOLVE_BENEATH)));
	ERR(openat2(d, "esc", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	ERR(openat2(d, "abs", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	ERR(openat2(d, "../up", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	ERR(openat2(d, "/tmp", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	close(OK(openat2(d, "deep/../f", O_RDONLY, RESOLVE_BENEATH)));
	ERR(openat2(d, "link", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
	close(OK(openat2(d, "/f", O_RDONLY, RESOLVE_IN_ROOT)));
	close(OK(openat2(d, "../../f", O_RDONLY, RESOLVE_IN_ROOT)));
	ERR(openat2(d, "abs", O_RDONLY, RESOLVE_IN_ROOT), ENOENT);
	ERR(openat2(AT_FDCWD, "/proc/self/status", O_RDONLY, RESOLVE_NO_XDEV), EXDEV);
	ERR(openat2(AT_FDCWD, "/proc/self/fd/0", O_RDONLY, RESOLVE_NO_MAGICLINKS), ELOOP);
	ERR(openat2(d, "f", O_RDONLY, 1 << 20), EINVAL);
	ERR(openat2(d, "f", 1ULL << 40, 0), EINVAL);
	ERR(openat2(d, "f", O_RDONLY, RESOLVE_BENEATH | RESOLVE_IN_ROOT), EINVAL);
	struct open_how how = { .flags = O_RDONLY, .mode = 0600 };

	ERR(syscall(SYS_openat2, d, "f", &how, sizeof(how)), EINVAL);	/* a mode without O_CREAT */
	how.mode = 0;
	ERR(syscall(SYS_openat2, d, "f", &how, 8), EINVAL);
	memcpy(big, &how, sizeof(how));
	close(OK((int)syscall(SYS_openat2, d, "f", big, sizeof(big))));
	big[100] = 1;
	ERR(syscall(SYS_openat2, d, "f", big, sizeof(big)), E2BIG);
}
