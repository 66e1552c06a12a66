// SPDX-License-Identifier: MIT
/* Id maps of a user namespace, written by its unprivileged creator. */
#include "t.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static int put(const char *name, const char *text)
{
	int fd = OK(open(name, O_WRONLY)), r, e;

	r = write(fd, text, strlen(text));
	e = errno;
	close(fd);
	errno = e;
	return r < 0 ? -1 : 0;
}

TEST(own_id_becomes_root)
{
	char b[100] = "";
	struct stat st;
	int fd;

	OK(setgid(1000));
	OK(setuid(1000));
	OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	OK(unshare(CLONE_NEWUSER));
	EQ(getuid(), 65534);
	ERR(put("/proc/self/gid_map", "0 1000 1"), EPERM);	/* setgroups first */
	OK(put("/proc/self/setgroups", "deny"));
	OK(put("/proc/self/gid_map", "0 1000 1"));
	ERR(put("/proc/self/uid_map", "0 0 10"), EPERM);
	ERR(put("/proc/self/uid_map", "0 1000"), EINVAL);
	ERR(put("/proc/self/uid_map", "0 1000 0"), EINVAL);
	ERR(put("/proc/self/uid_map", "0 1000 1\n0 1001 1\n"), EINVAL);
	OK(put("/proc/self/uid_map", "0 1000 1\n"));
	EQ(getuid(), 0);
	EQ(getgid(), 0);
	ERR(put("/proc/self/uid_map", "0 1000 1"), EPERM);	/* once */
	ERR(put("/proc/self/setgroups", "allow"), EPERM);
	fd = OK(open("/proc/self/uid_map", O_RDONLY));
	OK(read(fd, b, sizeof(b) - 1));
	CHECK(!strcmp(b, "         0       1000          1\n"));
	close(fd);
	/* Root here, over mounts of one's own, and nobody towards files of others. */
	OK(stat("/", &st));
	EQ(st.st_uid, 65534);
	ERR(chmod("/bin", 0777), EPERM);
	OK(unshare(CLONE_NEWNS));
	OK(mount("t", "/tmp", "tmpfs", 0, NULL));
	close(OK(open("/tmp/mine", O_CREAT | O_WRONLY, 0600)));
	OK(stat("/tmp/mine", &st));
	EQ(st.st_uid, 0);
	ERR(umount("/proc"), EINVAL);				/* locked: came from outside */
	ERR(mknod("/tmp/dev", S_IFCHR | 0600, 0x103), EPERM);
}
