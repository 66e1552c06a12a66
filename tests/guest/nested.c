// SPDX-License-Identifier: MIT
// slow: a hundred thousand of each
/*
 * What holds on to what holds on to more: the last reference goes, and no stack is long enough for
 * all of it at once. proves: unshare mount umount2 setns open_tree move_mount
 */
#include "t.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/stat.h>

#define DEEP 300

/*
 * Mount namespaces, each alive only by a bind mount of its file in the one before it. With COVERED
 * there is another mount on top of that file, whose mountpoint it is then.
 */
static void chain_of_namespaces(int covered)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	mkdir("/tmp/nested", 0755);
	OK(mount("t", "/tmp/nested", "tmpfs", 0, "size=1m,mode=755"));
	close(OK(open("/tmp/nested/cover", O_CREAT | O_WRONLY, 0644)));
	close(OK(open("/tmp/nested/pin", O_CREAT | O_WRONLY, 0644)));
	for (int i = 0; i < DEEP; i++) {
		int up[2], down[2];
		char path[40], c = 0;
		pid_t next;

		OK(pipe(up));
		OK(pipe(down));
		next = OK(fork());
		if (!next) {
			OK(unshare(CLONE_NEWNS));
			EQ(write(up[1], &c, 1), 1);
			EQ(read(down[0], &c, 1), 1);
			close(up[0]), close(up[1]), close(down[0]), close(down[1]);
			continue;
		}
		EQ(read(up[0], &c, 1), 1);
		snprintf(path, sizeof(path), "/proc/%d/ns/mnt", next);
		OK(mount(path, "/tmp/nested/pin", NULL, MS_BIND, NULL));
		if (covered)
			OK(mount("/tmp/nested/cover", "/tmp/nested/pin", NULL, MS_BIND, NULL));
		EQ(write(down[1], &c, 1), 1);
		close(up[0]), close(up[1]), close(down[0]), close(down[1]);
		EQ(waitpid(next, NULL, 0), next);
		if (i)
			_exit(0);
		/* All processes but this one are gone; the namespaces go now. */
		OK(umount2("/tmp/nested/pin", MNT_DETACH));
		if (covered)
			umount2("/tmp/nested/pin", MNT_DETACH);
		return;
	}
	_exit(0);
}

TEST(mount_namespaces_in_each_other)
{
	chain_of_namespaces(0);
}

TEST(mount_namespaces_under_mounts)
{
	chain_of_namespaces(1);
}

/* What mountinfo says of the mount at PATH: the root within its filesystem. */
static void root_of(const char *path, char *root)
{
	char line[500], where[200];
	FILE *f = fopen("/proc/self/mountinfo", "r");

	CHECK(f);
	strcpy(root, "not mounted");
	while (fgets(line, sizeof(line), f)) {
		char r[200];

		if (sscanf(line, "%*d %*d %*s %199s %199s", r, where) == 2 && !strcmp(where, path))
			strcpy(root, r);
	}
	fclose(f);
}

static void own_place(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	mkdir("/tmp/nested", 0755);
	OK(mount("t", "/tmp/nested", "tmpfs", 0, "size=1m,mode=755"));
	OK(chdir("/tmp/nested"));
	close(OK(open("pin", O_CREAT | O_WRONLY, 0644)));
}

/* A process in a mount namespace of its own, which waits to be ended. */
static pid_t elsewhere(void)
{
	int up[2];
	char c;
	pid_t p;

	OK(pipe(up));
	p = OK(fork());
	if (!p) {
		OK(unshare(CLONE_NEWNS));
		OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		OK(mkdir("/tmp/nested/inside", 0755));
		OK(mount("t", "/tmp/nested/inside", "tmpfs", 0, NULL));
		OK(mkdir("/tmp/nested/inside/it", 0755));
		EQ(write(up[1], "", 1), 1);
		pause();
		_exit(0);
	}
	EQ(read(up[0], &c, 1), 1);
	close(up[0]), close(up[1]);
	return p;
}

/* The namespace lives on in the mount when nobody is in it any more, and setns(2) leads there. */
TEST(file_of_a_namespace_is_mounted)
{
	char path[40], name[60], root[200];
	struct stat a, b;
	pid_t p;
	int fd, tree, status;

	own_place();
	p = elsewhere();
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", p);
	OK(stat(path, &a));
	OK(mount(path, "pin", NULL, MS_BIND, NULL));
	OK(stat("pin", &b));
	EQ(a.st_ino, b.st_ino);
	snprintf(name, sizeof(name), "mnt:[%lu]", (unsigned long)a.st_ino);
	root_of("/tmp/nested/pin", root);
	CHECK(!strcmp(root, name));
	OK(kill(p, SIGKILL));
	EQ(waitpid(p, &status, 0), p);
	ERR(access("/tmp/nested/inside/it", F_OK), ENOENT);
	p = OK(fork());
	if (!p) {
		fd = OK(open("/tmp/nested/pin", O_RDONLY));
		OK(setns(fd, CLONE_NEWNS));
		OK(access("/tmp/nested/inside/it", F_OK));
		_exit(0);
	}
	EQ(waitpid(p, &status, 0), p);
	EQ(status, 0);
	OK(umount2("pin", 0));
	ERR(umount2("pin", 0), EINVAL);
	OK(mount("/proc/self/ns/uts", "pin", NULL, MS_BIND, NULL));
	OK(umount2("pin", 0));
	OK(mount("/proc/self/ns/uts", "pin", NULL, MS_BIND | MS_REC, NULL));
	OK(umount2("pin", 0));
	/* A copy of the kernel's own mount of it, and one of that copy. */
	tree = OK((int)syscall(SYS_open_tree, AT_FDCWD, "/proc/self/ns/uts", 1 | O_CLOEXEC));
	OK(close((int)OK(syscall(SYS_open_tree, tree, "", 1 | AT_EMPTY_PATH | O_CLOEXEC))));
	OK(syscall(SYS_move_mount, tree, "", AT_FDCWD, "pin", 4));
	root_of("/tmp/nested/pin", root);
	CHECK(!strncmp(root, "uts:[", 5));
}

/*
 * A namespace holds only younger ones: not itself, not the one that it came from. Nor does a copy,
 * or what others would see of the mount.
 */
TEST(no_circles_of_namespaces)
{
	char path[40], root[200];
	int first, tree, status;
	pid_t p, copy;

	own_place();
	first = OK(open("/proc/self/ns/mnt", O_RDONLY));
	ERR(mount("/proc/self/ns/mnt", "pin", NULL, MS_BIND, NULL), EINVAL);
	p = elsewhere();
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", p);
	OK(mount(path, "pin", NULL, MS_BIND, NULL));
	tree = OK(
		(int)syscall(SYS_open_tree, AT_FDCWD, "/tmp/nested", 1 | AT_RECURSIVE | O_CLOEXEC));
	copy = OK(fork());
	if (!copy) {
		OK(unshare(CLONE_NEWNS));
		root_of("/tmp/nested/pin", root);
		CHECK(!strcmp(root, "not mounted"));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", first);
		close(OK(open("other", O_CREAT | O_WRONLY, 0644)));
		ERR(mount(path, "other", NULL, MS_BIND, NULL), EINVAL);
		mkdir("place", 0755);
		/* Its copy of the mount is of a namespace that is older than this one. */
		ERR((int)syscall(SYS_move_mount, tree, "", AT_FDCWD, "place", 4), ELOOP);
		_exit(0);
	}
	EQ(waitpid(copy, &status, 0), copy);
	EQ(status, 0);
	OK(umount2("pin", 0));
	OK(mkdir("peers", 0755));
	OK(mount("t", "peers", "tmpfs", 0, NULL));
	OK(mount(NULL, "peers", NULL, MS_SHARED, NULL));
	close(OK(open("peers/pin", O_CREAT | O_WRONLY, 0644)));
	OK(mkdir("peer", 0755));
	OK(mount("peers", "peer", NULL, MS_BIND, NULL));
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", p);
	ERR(mount(path, "peers/pin", NULL, MS_BIND, NULL), EINVAL);
	OK(mount("/proc/self/ns/uts", "peers/pin", NULL, MS_BIND, NULL));
	root_of("/tmp/nested/peer/pin", root);
	CHECK(!strncmp(root, "uts:[", 5));
	kill(p, SIGKILL);
}
