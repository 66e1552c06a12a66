// SPDX-License-Identifier: MIT
/* Extended attributes. proves: setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr
 * llistxattr flistxattr removexattr lremovexattr fremovexattr */
#include "t.h"
#include <sys/stat.h>
#include <sys/xattr.h>

TEST(set_get_list_remove)
{
	char b[300], big[70000];
	int fd, n, seen = 0;

	unlink("/tmp/xa");
	fd = OK(open("/tmp/xa", O_CREAT | O_RDWR, 0644));
	ERR(getxattr("/tmp/xa", "user.a", b, sizeof(b)), ENODATA);
	OK(setxattr("/tmp/xa", "user.a", "value", 5, 0));
	EQ(getxattr("/tmp/xa", "user.a", b, sizeof(b)), 5);
	CHECK(!memcmp(b, "value", 5));
	EQ(getxattr("/tmp/xa", "user.a", NULL, 0), 5);
	ERR(getxattr("/tmp/xa", "user.a", b, 3), ERANGE);
	ERR(setxattr("/tmp/xa", "user.a", "x", 1, XATTR_CREATE), EEXIST);
	ERR(setxattr("/tmp/xa", "user.b", "x", 1, XATTR_REPLACE), ENODATA);
	OK(fsetxattr(fd, "user.b", "", 0, XATTR_CREATE));
	EQ(fgetxattr(fd, "user.b", b, sizeof(b)), 0);
	OK(setxattr("/tmp/xa", "trusted.t", "tt", 2, 0));
	n = OK((int)listxattr("/tmp/xa", b, sizeof(b)));
	for (char *p = b; p < b + n; p += strlen(p) + 1)
		seen += !strcmp(p, "user.a") + !strcmp(p, "user.b") * 10 +
			!strcmp(p, "trusted.t") * 100;
	EQ(seen, 111);
	EQ(listxattr("/tmp/xa", NULL, 0), n);
	ERR(listxattr("/tmp/xa", b, n - 1), ERANGE);
	OK(removexattr("/tmp/xa", "user.a"));
	ERR(removexattr("/tmp/xa", "user.a"), ENODATA);
	ERR(setxattr("/tmp/xa", "nonamespace", "x", 1, 0), EOPNOTSUPP);
	ERR(setxattr("/tmp/xa", "", "x", 1, 0), ERANGE);
	ERR(setxattr("/tmp/xa", "user.c", big, sizeof(big), 0), E2BIG);
	memset(b, 'n', sizeof(b));
	memcpy(b, "user.", 5);
	b[299] = 0;
	ERR(setxattr("/tmp/xa", b, "x", 1, 0), ERANGE);
	ERR(setxattr("/tmp/none", "user.a", "x", 1, 0), ENOENT);
	unlink("/tmp/ln");
	OK(symlink("xa", "/tmp/ln"));
	ERR(lsetxattr("/tmp/ln", "user.a", "x", 1, 0), EPERM);
	OK(lsetxattr("/tmp/ln", "trusted.l", "x", 1, 0));
	ERR(getxattr("/tmp/ln", "trusted.l", b, 10), ENODATA);
	unlink("/tmp/ln");
	unlink("/tmp/xa");
}

TEST(rights)
{
	char b[20];
	pid_t pid;

	unlink("/tmp/xr");
	OK(mknod("/tmp/xr", S_IFSOCK | 0644, 0));
	OK(setxattr("/tmp/xr", "user.a", "v", 1, 0));
	EQ(getxattr("/tmp/xr", "user.a", b, 20), 1);
	unlink("/tmp/xr");
	OK(mknod("/tmp/xr", S_IFIFO | 0644, 0));
	ERR(setxattr("/tmp/xr", "user.a", "v", 1, 0), EPERM);
	ERR(getxattr("/tmp/xr", "user.a", b, 20), ENODATA);
	unlink("/tmp/xr");
	close(OK(open("/tmp/xr", O_CREAT | O_RDWR, 0644)));
	OK(setxattr("/tmp/xr", "user.a", "v", 1, 0));
	OK(setxattr("/tmp/xr", "trusted.a", "v", 1, 0));
	pid = OK(fork());
	if (pid == 0) {
		OK(setuid(1000));
		EQ(getxattr("/tmp/xr", "user.a", b, 20), 1);
		ERR(setxattr("/tmp/xr", "user.a", "w", 1, 0), EACCES);
		ERR(getxattr("/tmp/xr", "trusted.a", b, 20), ENODATA);
		ERR(setxattr("/tmp/xr", "trusted.a", "w", 1, 0), EPERM);
		EQ(listxattr("/tmp/xr", NULL, 0), 7);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	unlink("/tmp/xr");
}
