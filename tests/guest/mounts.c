// SPDX-License-Identifier: MIT
/* Mounts, namespaces of them, and the root. proves: mount umount2 pivot_root unshare setns
 * open_tree move_mount fsopen fsconfig fsmount statmount listmount mount_setattr */
#include "t.h"
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

/* Each test in a mount namespace of its own, so that nothing stays behind. */
static void own(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	mkdir("/tmp/mnt", 0755);
	OK(mount("t", "/tmp/mnt", "tmpfs", 0, "size=1m,mode=755"));
	OK(chdir("/tmp/mnt"));
}

static int mounted(const char *where)
{
	char line[500];
	FILE *f = fopen("/proc/self/mounts", "r");
	int n = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		char dir[200];

		if (sscanf(line, "%*s %199s", dir) == 1 && !strcmp(dir, where))
			n++;
	}
	fclose(f);
	return n;
}

static void make(const char *name)
{
	close(OK(open(name, O_CREAT | O_WRONLY, 0644)));
}

TEST(mount_and_unmount)
{
	struct stat a, b;
	int fd;

	own();
	EQ(mounted("/tmp/mnt"), 1);
	OK(stat("/tmp", &a));
	OK(stat("/tmp/mnt", &b));
	CHECK(a.st_dev != b.st_dev);
	OK(stat("/tmp/mnt/..", &b));
	EQ(a.st_ino, b.st_ino);
	make("file");
	fd = OK(open("file", O_RDONLY));
	OK(chdir("/"));
	ERR(umount2("/tmp/mnt", 0), EBUSY);
	close(fd);
	OK(umount2("/tmp/mnt", 0));
	ERR(access("/tmp/mnt/file", F_OK), ENOENT);
	ERR(umount2("/tmp/mnt", 0), EINVAL);
	ERR(umount2("/nothere", 0), ENOENT);
	ERR(mount("x", "/tmp/mnt", "nosuchfs", 0, NULL), ENODEV);
	ERR(mount("x", "/nothere", "tmpfs", 0, NULL), ENOENT);
	ERR(mount("x", "/tmp/mnt", "tmpfs", 0, "nonsense=1"), EINVAL);
	make("/tmp/plain");
	ERR(mount("x", "/tmp/plain", "tmpfs", 0, NULL), ENOTDIR);
	unlink("/tmp/plain");
}

TEST(bind)
{
	struct stat a, b;

	own();
	OK(mkdir("from", 0755));
	OK(mkdir("to", 0755));
	make("from/x");
	OK(mount("from", "to", NULL, MS_BIND, NULL));
	OK(stat("from/x", &a));
	OK(stat("to/x", &b));
	EQ(a.st_ino, b.st_ino);
	make("to/y");
	OK(access("from/y", F_OK));
	ERR(rename("to/y", "from/z"), EXDEV);
	ERR(link("to/y", "from/z"), EXDEV);
	OK(mount(NULL, "to", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	ERR(open("to/new", O_CREAT | O_WRONLY, 0600), EROFS);
	make("from/new");
	make("one");
	make("two");
	OK(mount("from/x", "one", NULL, MS_BIND, NULL));	/* a file on a file */
	ERR(mount("from", "two", NULL, MS_BIND, NULL), ENOTDIR);
	ERR(unlink("one"), EBUSY);
	ERR(rmdir("to"), EBUSY);
	OK(umount2("one", 0));
}

TEST(read_only_and_flags)
{
	int fd;

	own();
	fd = OK(open("f", O_CREAT | O_RDWR, 0755));
	/* open for writing */
	ERR(mount(NULL, "/tmp/mnt", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	close(fd);
	OK(mount(NULL, "/tmp/mnt", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	ERR(open("f", O_WRONLY), EROFS);
	ERR(mkdir("d", 0755), EROFS);
	ERR(chmod("f", 0600), EROFS);
	OK(mount(NULL, "/tmp/mnt", NULL, MS_REMOUNT | MS_NOEXEC | MS_NODEV, NULL));
	ERR(access("f", X_OK), EACCES);
	OK(mknod("null", S_IFCHR | 0666, 0x103));
	ERR(open("null", O_RDWR), EACCES);
}

static int copy_of(const char *where)
{
	return OK((int)syscall(SYS_open_tree, AT_FDCWD, where,
			       1 /* OPEN_TREE_CLONE */ | 0x8000 /* AT_RECURSIVE */));
}

/*
 * What is mounted in a detached tree that was closed does not hold it: nor is it let go of twice
 * when its place is removed.
 */
TEST(place_in_a_detached_tree_removed)
{
	struct stat a, b;
	int tree, fd;

	own();
	OK(mkdir("d", 0755));
	OK(mount("u", "d", "tmpfs", 0, NULL));
	tree = copy_of(".");
	OK(umount("d"));
	OK(fchdir(tree));
	close(tree);
	OK(stat(".", &a));
	/*
	 * Linux 7.3 shows an empty directory at the places of such a tree; before, and here, it is
	 * what was mounted there.
	 */
	fd = open("d/x", O_CREAT | O_WRONLY, 0600);
	if (fd < 0)
		EQ(errno, ENOENT);
	for (int i = 0; i < 100 && fd >= 0; i++)
		close(OK(open("d/x", O_RDONLY)));
	close(fd);
	OK(rmdir("d"));
	for (int i = 0; i < 100; i++)
		close(OK(open("y", O_CREAT | O_WRONLY, 0600)));
	OK(stat(".", &b));
	EQ(a.st_dev, b.st_dev);
	OK(chdir("/"));
}

TEST(size_limit)
{
	static char b[65536];
	struct statfs st;
	long n = 0;
	int fd;

	own();
	OK(statfs(".", &st));
	EQ(st.f_blocks * st.f_bsize, 1 << 20);
	fd = OK(open("big", O_CREAT | O_WRONLY, 0600));
	for (;;) {
		ssize_t r = write(fd, b, sizeof(b));

		if (r < 0)
			break;
		n += r;
	}
	EQ(errno, ENOSPC);
	CHECK(n <= 1 << 20 && n > 900000);
	OK(ftruncate(fd, 0));
	EQ(write(fd, b, sizeof(b)), sizeof(b));
}

TEST(namespaces_are_apart)
{
	pid_t pid;
	int p[2];
	char c;

	own();
	OK(pipe(p));
	pid = OK(fork());
	if (pid == 0) {
		OK(unshare(CLONE_NEWNS));
		OK(mkdir("/tmp/mnt/in", 0755));
		OK(mount("x", "/tmp/mnt/in", "tmpfs", 0, NULL));
		make("/tmp/mnt/in/hidden");
		EQ(write(p[1], "x", 1), 1);
		pause();
	}
	EQ(read(p[0], &c, 1), 1);
	ERR(access("/tmp/mnt/in/hidden", F_OK), ENOENT);
	char path[60];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	int ns = OK(open(path, O_RDONLY));
	pid_t inside = OK(fork());

	if (inside == 0) {
		OK(setns(ns, CLONE_NEWNS));
		OK(access("/tmp/mnt/in/hidden", F_OK));
		_exit(0);
	}
	CHECK(t_child_ok(inside));
	kill(pid, SIGKILL);
	t_wait(pid);
}

TEST(sharing)
{
	pid_t pid;

	own();
	OK(mount(NULL, "/tmp/mnt", NULL, MS_SHARED, NULL));
	OK(mkdir("sub", 0755));
	pid = OK(fork());
	if (pid == 0) {
		OK(unshare(CLONE_NEWNS));
		OK(mount("x", "/tmp/mnt/sub", "tmpfs", 0, NULL));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	EQ(mounted("/tmp/mnt/sub"), 1);		/* came over */
	OK(umount2("sub", 0));
	OK(mount(NULL, "/tmp/mnt", NULL, MS_PRIVATE, NULL));
	pid = OK(fork());
	if (pid == 0) {
		OK(unshare(CLONE_NEWNS));
		OK(mount("x", "/tmp/mnt/sub", "tmpfs", 0, NULL));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	EQ(mounted("/tmp/mnt/sub"), 0);
}

TEST(moving)
{
	own();
	OK(mkdir("a", 0755));
	OK(mkdir("b", 0755));
	OK(mount("x", "a", "tmpfs", 0, NULL));
	make("a/x");
	OK(mount("a", "b", NULL, MS_MOVE, NULL));
	OK(access("b/x", F_OK));
	ERR(access("a/x", F_OK), ENOENT);
	ERR(mount("a", "b", NULL, MS_MOVE, NULL), EINVAL);
}

TEST(lazy_unmount)
{
	int fd;

	own();
	make("kept");
	fd = OK(open("kept", O_RDWR));
	OK(chdir("/"));
	OK(umount2("/tmp/mnt", MNT_DETACH));
	ERR(access("/tmp/mnt/kept", F_OK), ENOENT);
	EQ(write(fd, "x", 1), 1);
}

TEST(new_root)
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		own();
		OK(mkdir("old", 0755));
		make("iamnew");
		OK((int)syscall(SYS_pivot_root, ".", "old"));
		OK(chdir("/"));
		OK(access("/iamnew", F_OK));
		OK(access("/old/tmp", F_OK));
		OK(umount2("/old", MNT_DETACH));
		ERR(access("/old/tmp", F_OK), ENOENT);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	pid = OK(fork());
	if (pid == 0) {				/* with the same directory twice */
		own();
		make("iamnew");
		OK((int)syscall(SYS_pivot_root, ".", "."));
		OK(umount2(".", MNT_DETACH));
		OK(access("/iamnew", F_OK));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	own();
	OK(mkdir("plain", 0755));
	ERR(syscall(SYS_pivot_root, "plain", "plain"), EINVAL);	/* not a mount point */
}

/* Linux 7: the true root is nullfs, so that the initramfs itself can be pivoted away. */
TEST(initramfs_can_be_left)
{
	pid_t pid = OK(fork());

	if (pid == 0) {
		OK(unshare(CLONE_NEWNS));
		OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		mkdir("/tmp/mnt", 0755);
		OK(mount("t", "/tmp/mnt", "tmpfs", 0, NULL));
		OK(chdir("/tmp/mnt"));
		OK((int)syscall(SYS_pivot_root, ".", "."));
		OK(umount2(".", MNT_DETACH));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	ERR(mount("x", "/tmp", "nullfs", 0, NULL) ? -1 : 0, errno);
}

TEST(by_descriptor)
{
	int fs, m, tree;

	own();
	fs = (int)syscall(SYS_fsopen, "tmpfs", 1);
	if (fs < 0 && errno == ENOSYS)
		SKIP("no fsopen");
	OK(fs);
	OK((int)syscall(SYS_fsconfig, fs, 1, "size", "2m", 0));
	OK((int)syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0));
	m = OK((int)syscall(SYS_fsmount, fs, 1, 0));
	OK(mkdir("at", 0755));
	OK((int)syscall(SYS_move_mount, m, "", AT_FDCWD, "at", 4 /* F_EMPTY_PATH */));
	EQ(mounted("/tmp/mnt/at"), 1);
	tree = OK((int)syscall(SYS_open_tree, AT_FDCWD, "at", 1 /* CLONE */ | O_CLOEXEC));
	OK(mkdir("at2", 0755));
	OK((int)syscall(SYS_move_mount, tree, "", AT_FDCWD, "at2", 4));
	make("at/x");
	OK(access("at2/x", F_OK));
}

/* A descriptor's name in /proc may be another's a moment later. */
TEST(not_on_a_descriptor)
{
	char path[64];
	int fd, link;

	own();
	make("f");
	make("g");
	fd = OK(open("f", O_RDONLY));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	link = OK(open(path, O_PATH | O_NOFOLLOW));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", link);
	ERR(mount("g", path, "", MS_BIND, NULL), ENOENT);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	ERR(mount("g", path, "", MS_BIND, NULL), ENOENT);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	OK(mount("g", path, "", MS_BIND, NULL));	/* on the file itself */
}

TEST(needs_rights)
{
	own();
	OK(setuid(1000));
	ERR(mount("x", "/tmp/mnt", "tmpfs", 0, NULL), EPERM);
	ERR(umount2("/tmp/mnt", 0), EPERM);
	ERR(unshare(CLONE_NEWNS), EPERM);
	ERR(unshare(CLONE_NEWCGROUP), EPERM);
	ERR(unshare(CLONE_NEWNET), EPERM);
}

/* The last thing asked for fails: nothing has changed, the root is still in this namespace. */
TEST(unshare_all_or_nothing)
{
	own();
	OK(unshare(CLONE_NEWPID));
	ERR(unshare(CLONE_NEWNS | CLONE_NEWPID), EINVAL); /* nobody lives in the first one yet */
	OK(mkdir("/tmp/mnt/d", 0755));
	OK(mount("t", "/tmp/mnt/d", "tmpfs", 0, NULL));
	EQ(mounted("/tmp/mnt/d"), 1);
}

/* Walks that cross a mount while others come and go leave no reference behind. */
TEST(walks_hold_nothing)
{
	pid_t pid[2];

	own();
	OK(mkdir("a", 0755));
	OK(mkdir("b", 0755));
	OK(mount("t", "a", "tmpfs", 0, NULL));
	make("a/f");
	for (int k = 0; k < 2; k++) {
		pid[k] = OK(fork());
		if (pid[k])
			continue;
		for (int i = 0; i < (k ? 30 : 400); i++) {
			if (k) {
				OK(mount("t", "b", "tmpfs", 0, NULL));
				OK(umount("b"));
			} else {
				/* Behind a magic link the walk holds references. */
				OK(access("/proc/self/cwd/a/f", R_OK));
			}
		}
		_exit(0);
	}
	for (int k = 0; k < 2; k++)
		CHECK(t_child_ok(pid[k]));
	OK(umount("a"));
}

/* umount2(2), MNT_EXPIRE: the mark lasts until somebody has used the mount. */
TEST(expiry)
{
	int fd;

	own();
	OK(mkdir("/tmp/mnt/e", 0755));
	OK(mount("t", "/tmp/mnt/e", "tmpfs", 0, NULL));
	ERR(umount2("/tmp/mnt/e", MNT_EXPIRE | MNT_DETACH), EINVAL);
	ERR(umount2("/tmp/mnt/e", MNT_EXPIRE | MNT_FORCE), EINVAL);
	ERR(umount2("/tmp/mnt/e", MNT_EXPIRE), EAGAIN);
	OK(umount2("/tmp/mnt/e", MNT_EXPIRE));
	OK(mount("t", "/tmp/mnt/e", "tmpfs", 0, NULL));
	ERR(umount2("/tmp/mnt/e", MNT_EXPIRE), EAGAIN);
	fd = OK(open("/tmp/mnt/e/file", O_CREAT | O_RDWR, 0600));
	ERR(umount2("/tmp/mnt/e", MNT_EXPIRE), EBUSY);
	close(fd);
	ERR(umount2("/tmp/mnt/e", MNT_EXPIRE), EAGAIN);
	OK(access("/tmp/mnt/e/file", F_OK));
	ERR(umount2("/tmp/mnt/e", MNT_EXPIRE), EAGAIN);
	OK(umount2("/tmp/mnt/e", MNT_EXPIRE));
	ERR(access("/tmp/mnt/e/file", F_OK), ENOENT);
}

/* What comes from a more privileged namespace can be taken away whole there, not in parts. */
TEST(what_propagates_to_the_less_privileged)
{
	int up[2], down[2];
	char c;
	pid_t pid;

	own();
	OK(mkdir("/tmp/mnt/p", 0755));
	OK(mkdir("/tmp/mnt/q", 0755));
	OK(mount("t", "/tmp/mnt/p", "tmpfs", 0, NULL));
	OK(mount(NULL, "/tmp/mnt/p", NULL, MS_SHARED, NULL));
	OK(mkdir("/tmp/mnt/p/m", 0755));
	OK(mount("t", "/tmp/mnt/q", "tmpfs", 0, NULL));
	OK(mkdir("/tmp/mnt/q/sub", 0755));
	OK(mount("t", "/tmp/mnt/q/sub", "tmpfs", 0, NULL));
	OK(pipe(up));
	OK(pipe(down));
	pid = OK(fork());
	if (!pid) {
		OK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
		EQ(write(up[1], "u", 1), 1);
		EQ(read(down[0], &c, 1), 1);
		EQ(mounted("/tmp/mnt/p/m"), 1);
		EQ(mounted("/tmp/mnt/p/m/sub"), 1);
		ERR(umount2("/tmp/mnt/p/m/sub", MNT_DETACH), EINVAL);
		ERR(umount2("/tmp/mnt/p", MNT_DETACH), EINVAL);
		OK(umount2("/tmp/mnt/p/m", MNT_DETACH));
		EQ(mounted("/tmp/mnt/p/m"), 0);
		_exit(0);
	}
	EQ(read(up[0], &c, 1), 1);
	OK(mount("/tmp/mnt/q", "/tmp/mnt/p/m", NULL, MS_BIND | MS_REC, NULL));
	EQ(write(down[1], "d", 1), 1);
	CHECK(t_child_ok(pid));
	EQ(mounted("/tmp/mnt/p/m/sub"), 1);
}

static int group_of(const char *where)
{
	char line[1024], at[256];
	FILE *f = fopen("/proc/self/mountinfo", "r");
	int id = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		char *s = strstr(line, " shared:");

		if (sscanf(line, "%*d %*d %*s %*s %255s", at) == 1 && !strcmp(at, where))
			id = s ? atoi(s + 8) : 0;
	}
	fclose(f);
	return id;
}

/* Numbers of peer groups are given again when the last of the group has gone. */
TEST(numbers_of_groups)
{
	int first;

	own();
	OK(mkdir("/tmp/mnt/g", 0755));
	OK(mount("t", "/tmp/mnt/g", "tmpfs", 0, NULL));
	OK(mount(NULL, "/tmp/mnt/g", NULL, MS_SHARED, NULL));
	first = group_of("/tmp/mnt/g");
	CHECK(first > 0);
	for (int i = 0; i < 3; i++) {
		OK(mount(NULL, "/tmp/mnt/g", NULL, MS_PRIVATE, NULL));
		EQ(group_of("/tmp/mnt/g"), 0);
		OK(mount(NULL, "/tmp/mnt/g", NULL, MS_SHARED, NULL));
		EQ(group_of("/tmp/mnt/g"), first);
		OK(umount("/tmp/mnt/g"));
		OK(mount("t", "/tmp/mnt/g", "tmpfs", 0, NULL));
		OK(mount(NULL, "/tmp/mnt/g", NULL, MS_SHARED, NULL));
		EQ(group_of("/tmp/mnt/g"), first);
	}
}

static int child_fd = -1, up_stop;

static void *go_up(void *arg)
{
	struct stat s;

	while (!__atomic_load_n(&up_stop, __ATOMIC_ACQUIRE)) {
		int f = openat(__atomic_load_n(&child_fd, __ATOMIC_ACQUIRE), "..",
			       O_PATH | O_DIRECTORY);

		if (f >= 0) {
			OK(fstat(f, &s));
			close(f);
		}
	}
	return NULL;
}

/* The top of a detached tree ends while others go up to it from what is mounted on it. */
TEST(up_to_what_ends)
{
	pthread_t t;

	own();
	OK(mkdir("d", 0755));
	OK(mkdir("d/sub", 0755));
	OK(mkdir("a", 0755));
	EQ(pthread_create(&t, NULL, go_up, NULL), 0);
	for (int i = 0; i < 60; i++) {
		int top;

		OK(mount("d", "a", NULL, MS_BIND, NULL));
		OK(mount("d", "a/sub", NULL, MS_BIND, NULL));
		top = copy_of("a");
		OK(umount2("a", MNT_DETACH));
		__atomic_store_n(&child_fd, OK(openat(top, "sub", O_PATH | O_DIRECTORY)),
				 __ATOMIC_RELEASE);
		close(top);
		close(child_fd);
	}
	__atomic_store_n(&up_stop, 1, __ATOMIC_RELEASE);
	EQ(pthread_join(t, NULL), 0);
}

/* How many mounts there are whose place begins with WHERE. */
static int mounted_from(const char *where)
{
	char line[500];
	FILE *f = fopen("/proc/self/mounts", "r");
	int n = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		char dir[200];

		n += sscanf(line, "%*s %199s", dir) == 1 && !strncmp(dir, where, strlen(where));
	}
	fclose(f);
	return n;
}

/* Many peers get a mount and lose it, all or none, however many there are. */
TEST(many_peers)
{
	enum { N = 100 };
	char name[40];
	int fd;

	own();
	OK(mkdir("d", 0755));
	OK(mount("t", "d", "tmpfs", 0, NULL));
	OK(mount(NULL, "d", NULL, MS_SHARED, NULL));
	OK(mkdir("d/in", 0755));
	for (int i = 0; i < N; i++) {
		sprintf(name, "p%d", i);
		OK(mkdir(name, 0755));
		OK(mount("d", name, NULL, MS_BIND, NULL));
	}
	for (int used = 0; used < N; used += N - 1) {
		OK(mount("i", "d/in", "tmpfs", 0, NULL));
		EQ(mounted_from("/tmp/mnt/p"), 2 * N);
		EQ(mounted("/tmp/mnt/d/in"), 1);
		sprintf(name, "p%d/in", used);
		fd = OK(open(name, O_RDONLY | O_DIRECTORY));
		ERR(umount2("d/in", 0), EBUSY);
		EQ(mounted_from("/tmp/mnt/p"), 2 * N);
		EQ(mounted("/tmp/mnt/d/in"), 1);
		close(fd);
		OK(umount2("d/in", 0));
		EQ(mounted_from("/tmp/mnt/p"), N);
		EQ(mounted("/tmp/mnt/d/in"), 0);
	}
	/* Read-only, all of them or none. */
	make("p70/file");
	fd = OK(open("p70/file", O_WRONLY));
	ERR(mount(NULL, "d", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	make("p99/file2");
	close(fd);
	OK(mount(NULL, "d", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	ERR(open("p99/file", O_WRONLY), EROFS);
	OK(mount(NULL, "d", NULL, MS_REMOUNT, NULL));
	make("p0/file3");
}

/*
 * Masters that go together leave their slaves to a peer that stays, and, if none does, to their own
 * master.
 */
TEST(slaves_of_masters_that_go)
{
	static const char *const dirs[] = { "g", "tree", "c", "s", "s2" };

	own();
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		OK(mkdir(dirs[i], 0755));
	OK(mount("t", "g", "tmpfs", 0, NULL));
	OK(mount(NULL, "g", NULL, MS_SHARED, NULL));
	OK(mkdir("g/in", 0755));
	OK(mount("t", "tree", "tmpfs", 0, NULL));
	OK(mkdir("tree/a", 0755));
	OK(mkdir("tree/b", 0755));
	OK(mkdir("tree/m", 0755));
	OK(mount("g", "tree/a", NULL, MS_BIND, NULL));
	OK(mount("g", "tree/b", NULL, MS_BIND, NULL));
	OK(mount("tree/a", "s", NULL, MS_BIND, NULL));
	OK(mount(NULL, "s", NULL, MS_SLAVE, NULL));
	/* A slave and master in the tree, and its slave outside. */
	OK(mount("tree/b", "tree/m", NULL, MS_BIND, NULL));
	OK(mount(NULL, "tree/m", NULL, MS_SLAVE, NULL));
	OK(mount(NULL, "tree/m", NULL, MS_SHARED, NULL));
	OK(mount("tree/m", "s2", NULL, MS_BIND, NULL));
	OK(mount(NULL, "s2", NULL, MS_SLAVE, NULL));
	OK(umount2("tree", MNT_DETACH));
	OK(mount("i", "g/in", "tmpfs", 0, NULL));
	EQ(mounted("/tmp/mnt/s/in"), 1);
	EQ(mounted("/tmp/mnt/s2/in"), 1);
	OK(umount("g/in"));
	EQ(mounted("/tmp/mnt/s/in"), 0);
	EQ(mounted("/tmp/mnt/s2/in"), 0);
	OK(umount("g"));
	OK(umount("s"));
	OK(umount("s2"));
}

static int tree_round, trees_seen;

enum { ROUNDS = 20, TREE = 100 };

static void *look_for_tree(void *arg)
{
	struct stat s;

	for (int i = 1; i <= ROUNDS; i++) {
		int f = -1;

		while (__atomic_load_n(&tree_round, __ATOMIC_ACQUIRE) != i)
			sched_yield();
		do {
			if (f >= 0)
				close(f);
			f = OK(open("copy", O_PATH | O_DIRECTORY));
		} while (fstatat(f, "99", &s, 0));
		OK(fstatat(f, "99/x", &s, 0));
		OK(fstatat(f, "0/x", &s, 0));
		OK(stat("copy/50/x", &s));
		close(f);
		__atomic_store_n(&trees_seen, i, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Who sees the top of a tree that comes sees all of it. */
TEST(trees_are_whole)
{
	char name[40];
	pthread_t t;

	own();
	OK(mount(NULL, "/tmp/mnt", NULL, MS_SHARED, NULL));
	OK(mkdir("d", 0755));
	OK(mkdir("t", 0755));
	OK(mkdir("copy", 0755));
	make("d/x");
	OK(mount("d", "d", NULL, MS_BIND, NULL));
	OK(mount(NULL, "d", NULL, MS_PRIVATE, NULL));
	for (int i = 0; i < TREE; i++) {
		sprintf(name, "t/%d", i);
		OK(mkdir(name, 0755));
		OK(mount("d", name, NULL, MS_BIND, NULL));
	}
	EQ(pthread_create(&t, NULL, look_for_tree, NULL), 0);
	for (int i = 1; i <= ROUNDS; i++) {
		__atomic_store_n(&tree_round, i, __ATOMIC_RELEASE);
		OK(mount("t", "copy", NULL, MS_BIND | MS_REC, NULL));
		EQ(mounted_from("/tmp/mnt/copy"), TREE + 1);
		while (__atomic_load_n(&trees_seen, __ATOMIC_ACQUIRE) != i)
			sched_yield();
		/* A peer of what it is a copy of: what it loses would be lost there, too. */
		OK(mount(NULL, "copy", NULL, MS_REC | MS_SLAVE, NULL));
		OK(umount2("copy", MNT_DETACH));
		EQ(mounted_from("/tmp/mnt/copy"), 0);
	}
	EQ(pthread_join(t, NULL), 0);
}

/* What is unmounted lazily is taken apart (umount2(2)). */
TEST(lazy_unmount_takes_apart)
{
	struct stat s;
	int top;

	own();
	OK(mkdir("d", 0755));
	make("d/x");
	OK(mkdir("t", 0755));
	OK(mkdir("t/sub", 0755));
	OK(mkdir("copy", 0755));
	OK(mount("d", "t/sub", NULL, MS_BIND, NULL));
	OK(mount("t", "copy", NULL, MS_BIND | MS_REC, NULL));
	top = OK(open("copy", O_PATH | O_DIRECTORY));
	OK(fstatat(top, "sub/x", &s, 0));
	OK(umount2("copy", MNT_DETACH));
	OK(fstatat(top, "sub", &s, 0));
	ERR(fstatat(top, "sub/x", &s, 0), ENOENT);
	OK(stat("t/sub/x", &s));
}

/* N mounts of d on e, one on the other. */
static void make_stack(int n)
{
	own();
	OK(mkdir("d", 0755));
	OK(mkdir("e", 0755));
	OK(mkdir("d/in", 0755));
	for (int i = 0; i < n; i++)
		OK(mount("d", "e", NULL, MS_BIND, NULL));
}

/* A stack of mounts that is climbed up and down, whose names are asked for. */
TEST(high_stack)
{
	char buf[200];
	struct stat a, b;
	int fd;

	make_stack(270);
	OK(stat("/tmp/mnt", &a));
	OK(stat("e/..", &b));
	CHECK(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
	OK(chdir("e/in"));
	CHECK(getcwd(buf, sizeof(buf)) && !strcmp(buf, "/tmp/mnt/e/in"));
	OK(stat("../..", &b));
	CHECK(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
	fd = OK(open("../../e/in", O_PATH | O_DIRECTORY));
	OK(fstatat(fd, "../../e/in/../..", &b, 0));
	CHECK(a.st_ino == b.st_ino);
	close(fd);
	OK(chdir("/tmp/mnt"));
	OK(umount("e"));
	OK(stat("e/in", &b));
}

static int mounting_stop;

/*
 * Mounts and unmounts until it is told to stop: each change makes the others' lookups of mounts
 * void.
 */
static void *mount_elsewhere(void *where)
{
	while (!__atomic_load_n(&mounting_stop, __ATOMIC_ACQUIRE)) {
		OK(mount("d", where, NULL, MS_BIND, NULL));
		OK(umount(where));
	}
	return NULL;
}

/*
 * The most branches in one section with preemption off that the function WHERE opened; 0: it is
 * not among the longest, which have room in the file, after many other tests.
 */
static int worst_section(const char *where)
{
	FILE *f = fopen("debug/sections", "r");
	char line[500];
	int n = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, where) && atoi(line) > n)
			n = atoi(line);
	fclose(f);
	return n;
}

#define STACK 250
/*
 * Branches. One way up takes 1800 (more where the hash table is full) and one down 767, always;
 * tries that add up, 15,000 and 3700.
 */
#define WAY_UP 8000
#define WAY_DOWN 1500

/* Each try to climb a high stack is a section of its own, up and down. */
TEST(high_stack_beside_mounts)
{
	struct stat top, below, s;
	pthread_t t[3];
	const char *names[] = { "one", "two", "three" };
	int fd, worst;

	make_stack(STACK);
	for (int i = 0; i < 3; i++)
		OK(mkdir(names[i], 0755));
	OK(stat("/tmp/mnt", &below));
	OK(stat("d/in", &top));
	fd = OK(open("e/in", O_PATH | O_DIRECTORY));
	for (int i = 0; i < 3; i++)
		EQ(pthread_create(&t[i], NULL, mount_elsewhere, (void *)names[i]), 0);
	for (int i = 0; i < 1000; i++) {
		OK(stat("e/in", &s));
		EQ(s.st_ino, top.st_ino);
		OK(fstatat(fd, "../..", &s, 0));
		EQ(s.st_ino, below.st_ino);
	}
	__atomic_store_n(&mounting_stop, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < 3; i++)
		EQ(pthread_join(t[i], NULL), 0);
	close(fd);
	OK(mkdir("debug", 0755));
	OK(mount("debugfs", "debug", "debugfs", 0, NULL));
	if (access("debug/sections", F_OK))	/* the debug build counts */
		return;
	worst = worst_section("lookup_mnt+");
	CHECK(!worst || (worst > STACK && worst < WAY_UP));
	worst = worst_section("choose_mountpoint+");
	CHECK(!worst || (worst > STACK && worst < WAY_DOWN));
}

/*
 * What a namespace takes away goes in less privileged ones, too, though it is locked there; nothing
 * that was covered comes to light.
 */
TEST(locked_copies_go_with_what_they_copy)
{
	int up[2], down[2];
	char c;
	pid_t pid;

	own();
	OK(mkdir("p", 0755));
	OK(mount("t", "p", "tmpfs", 0, NULL));
	OK(mount(NULL, "p", NULL, MS_SHARED, NULL));
	OK(mkdir("p/m", 0755));
	OK(mkdir("p/m2", 0755));
	OK(mount("t", "p/m", "tmpfs", 0, NULL));
	OK(mkdir("p/m/sub", 0755));
	OK(mkdir("p/m/sub/covered", 0755));
	OK(mkdir("p/m/own", 0755));
	OK(mount("t", "p/m/sub", "tmpfs", 0, NULL));
	OK(mount("t", "p/m2", "tmpfs", 0, NULL));
	OK(mkdir("p/m2/sub", 0755));
	OK(mount("t", "p/m2/sub", "tmpfs", 0, NULL));
	OK(pipe(up));
	OK(pipe(down));
	pid = OK(fork());
	if (!pid) {
		OK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
		OK(mount("mine", "/tmp/mnt/p/m/own", "tmpfs", 0, NULL));
		ERR(umount2("/tmp/mnt/p/m/sub", MNT_DETACH), EINVAL);
		EQ(write(up[1], "u", 1), 1);
		EQ(read(down[0], &c, 1), 1);
		EQ(mounted("/tmp/mnt/p/m2"), 0);
		EQ(mounted("/tmp/mnt/p/m2/sub"), 0);
		/* Held by what was mounted here; then what is mounted in it stays as well. */
		EQ(mounted("/tmp/mnt/p/m"), 1);
		EQ(mounted("/tmp/mnt/p/m/sub"), 1);
		ERR(access("/tmp/mnt/p/m/sub/covered", F_OK), ENOENT);
		_exit(0);
	}
	EQ(read(up[0], &c, 1), 1);
	OK(umount2("p/m", MNT_DETACH));
	OK(umount2("p/m2", MNT_DETACH));
	EQ(write(down[1], "d", 1), 1);
	CHECK(t_child_ok(pid));
}

/* mount_setattr(2): one of the tree is written to, so nothing has changed. */
TEST(attributes_of_all_or_none)
{
	/* struct mount_attr: MOUNT_ATTR_RDONLY and NOEXEC set, none cleared, propagation */
	uint64_t ro[4] = { 1 | 8, 0, MS_SHARED, 0 };
	struct statfs st;
	char name[40];
	int fd;

	own();
	for (int i = 0; i < 10; i++) {
		sprintf(name, "d%d", i);
		OK(mkdir(name, 0755));
		OK(mount("t", name, "tmpfs", 0, NULL));
	}
	fd = OK(open("d7/f", O_CREAT | O_WRONLY, 0600));
	ERR(syscall(SYS_mount_setattr, AT_FDCWD, "/tmp/mnt", 0x8000 /* AT_RECURSIVE */, ro,
		    sizeof(ro)),
	    EBUSY);
	for (int i = 0; i < 10; i++) {
		sprintf(name, "d%d", i);
		OK(statfs(name, &st));
		EQ(st.f_flags & (1 /* ST_RDONLY */ | 8 /* ST_NOEXEC */), 0);
		sprintf(name, "/tmp/mnt/d%d", i);
		EQ(group_of(name), 0);
		sprintf(name, "d%d/g", i);
		make(name);
	}
	close(fd);
	OK((int)syscall(SYS_mount_setattr, AT_FDCWD, "/tmp/mnt", 0x8000, ro, sizeof(ro)));
	for (int i = 0; i < 10; i++) {
		sprintf(name, "d%d/h", i);
		ERR(open(name, O_CREAT | O_WRONLY, 0600), EROFS);
		sprintf(name, "/tmp/mnt/d%d", i);
		CHECK(group_of(name) > 0);
	}
}

/* The largest number of mounts; -1: only what it is. */
static int mount_max(int n)
{
	FILE *f = fopen("/proc/sys/fs/mount-max", "r+");
	int old = -1;

	CHECK(f);
	EQ(fscanf(f, "%d", &old), 1);
	if (n >= 0) {
		rewind(f);
		CHECK(fprintf(f, "%d", n) > 0);
	}
	fclose(f);
	return old;
}

/* A move that fails leaves the mount in the group in which it was, alone. */
TEST(failed_move_keeps_the_group)
{
	int group, max, e;

	own();
	OK(mkdir("from", 0755));
	OK(mkdir("to", 0755));
	OK(mkdir("peer", 0755));
	OK(mount("t", "to", "tmpfs", 0, NULL));
	OK(mount(NULL, "to", NULL, MS_SHARED, NULL));
	OK(mkdir("to/in", 0755));
	OK(mount("to", "peer", NULL, MS_BIND, NULL));
	OK(mount("t", "from", "tmpfs", 0, NULL));
	OK(mount(NULL, "from", NULL, MS_SHARED, NULL));
	group = group_of("/tmp/mnt/from");
	CHECK(group > 0);
	max = mount_max(1);
	errno = 0;
	mount("from", "to/in", NULL, MS_MOVE, NULL);
	e = errno;
	mount_max(max);
	EQ(e, ENOSPC);
	EQ(group_of("/tmp/mnt/from"), group);
}

/* There are more numbers for file systems in memory than a few. */
TEST(more_than_a_thousand)
{
	enum { N = 1100 };
	char p[48];

	OK(mkdir("/tmp/many", 0700));
	for (int i = 0; i < N; i++) {
		snprintf(p, sizeof(p), "/tmp/many/%d", i);
		OK(mkdir(p, 0700));
		OK(mount("t", p, "tmpfs", 0, "size=4k"));
	}
	for (int i = 0; i < N; i++) {
		snprintf(p, sizeof(p), "/tmp/many/%d", i);
		OK(umount(p));
		OK(rmdir(p));
	}
	OK(rmdir("/tmp/many"));
}

/* A walk that ends with ELOOP behind a magic link drops its references. */
TEST(too_many_links_hold_nothing)
{
	own();
	OK(mkdir("a", 0755));
	OK(mount("t", "a", "tmpfs", 0, NULL));
	OK(symlink("loop", "a/loop"));
	OK(chdir("a"));
	for (int i = 0; i < 50; i++)
		ERR(access("/proc/self/cwd/loop", F_OK), ELOOP);
	OK(chdir(".."));
	OK(umount("a"));
}

/* A file in use without a name is written once more, when its last user closes it. */
TEST(nameless_files_keep_it_writable)
{
	char path[40];
	int fd;

	own();
	make("f");
	fd = OK(open("f", O_RDONLY));
	OK(mount(NULL, "/tmp/mnt", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	OK(mount(NULL, "/tmp/mnt", NULL, MS_REMOUNT, NULL));
	OK(unlink("f"));
	ERR(mount(NULL, "/tmp/mnt", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	close(fd);
	OK(mkdir("d", 0755));
	fd = OK(open("d", O_RDONLY));
	OK(rmdir("d"));
	ERR(mount(NULL, "/tmp/mnt", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	close(fd);
	/* Without a name from the start, until it gets one. */
	fd = OK(open(".", O_TMPFILE | O_RDWR, 0600));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	OK(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	close(fd);
	OK(mount(NULL, "/tmp/mnt", NULL, MS_REMOUNT | MS_RDONLY, NULL));
}
