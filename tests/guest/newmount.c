// SPDX-License-Identifier: MIT
/* Mounting by descriptors, and asking about mounts. proves: fsopen fspick fsconfig fsmount
 * move_mount open_tree open_tree_attr mount_setattr statmount listmount */
#include "t.h"
#include <pthread.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/ioctl.h>

int mkdir(const char *path, mode_t mode);

#include <linux/stat.h>

#define DIR "/tmp/nm"

#define sys_mount(a, b, c, d, e) syscall(SYS_mount, a, b, c, (long)(d), e)
#define sys_fsopen(n, f) (int)syscall(SYS_fsopen, n, f)
#define sys_fsconfig(f, c, k, v, a) (int)syscall(SYS_fsconfig, f, c, k, v, a)
#define sys_fsmount(f, g, a) (int)syscall(SYS_fsmount, f, g, a)
#define sys_move_mount(a, b, c, d, f) (int)syscall(SYS_move_mount, a, b, c, d, f)
#define sys_open_tree(d, p, f) (int)syscall(SYS_open_tree, d, p, f)

static void start(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (mkdir(DIR, 0755))
		EQ(errno, EEXIST);
	OK(sys_mount("t", DIR, "tmpfs", 0, "size=1m"));
	OK(chdir(DIR));
	OK(mkdir("a", 0755));
	OK(mkdir("b", 0755));
}

/* A detached tmpfs with a file that tells it from others. */
static int detached(const char *file)
{
	int fs = OK(sys_fsopen("tmpfs", FSOPEN_CLOEXEC)), m;

	OK(sys_fsconfig(fs, FSCONFIG_SET_STRING, "size", "64k", 0));
	OK(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	m = OK(sys_fsmount(fs, FSMOUNT_CLOEXEC, 0));
	close(fs);
	close(OK(openat(m, file, O_CREAT | O_WRONLY, 0600)));
	return m;
}

static void attach(int m, const char *where, unsigned int flags)
{
	OK(sys_move_mount(m, "", AT_FDCWD, where, MOVE_MOUNT_F_EMPTY_PATH | flags));
}

static unsigned long long id_of(const char *path)
{
	struct statx sx;

	OK((int)syscall(SYS_statx, AT_FDCWD, path, 0, 0x4000 /* STATX_MNT_ID_UNIQUE */, &sx));
	return sx.stx_mnt_id;
}

static struct statmount *about(unsigned long long id, unsigned long long ns,
			       unsigned long long mask)
{
	static char buf[8192] __attribute__((aligned(8)));
	struct mnt_id_req req = {
		.size = sizeof(req), .mnt_id = id, .param = mask, .mnt_ns_id = ns
	};

	memset(buf, 0, sizeof(buf));
	if (syscall(SYS_statmount, &req, buf, sizeof(buf), 0))
		return NULL;
	return (struct statmount *)buf;
}

TEST(values_of_every_kind)
{
	int fs, p[2];

	start();
	fs = OK(sys_fsopen("tmpfs", 0));
	OK(pipe(p));
	ERR(sys_fsconfig(fs, FSCONFIG_SET_FD, "size", NULL, p[0]), EINVAL);
	ERR(sys_fsconfig(fs, FSCONFIG_SET_FD, "size", NULL, 999), EBADF);
	ERR(sys_fsconfig(fs, FSCONFIG_SET_FD, "size", "x", p[0]), EINVAL);
	ERR(sys_fsconfig(fs, FSCONFIG_SET_PATH, "size", "/", AT_FDCWD), EINVAL);
	ERR(sys_fsconfig(fs, FSCONFIG_SET_BINARY, "size", "12", 2), EINVAL);
	ERR(sys_fsconfig(fs, FSCONFIG_SET_BINARY, "size", "12", 0), EINVAL);
	/* what every filesystem has takes no value */
	OK(sys_fsconfig(fs, FSCONFIG_SET_STRING, "sync", "whatever", 0));
	OK(sys_fsconfig(fs, FSCONFIG_SET_PATH, "sync", "/", AT_FDCWD));
	OK(sys_fsconfig(fs, FSCONFIG_SET_FD, "async", NULL, p[0]));
	ERR(sys_fsconfig(fs, 99, "size", "1", 0), EOPNOTSUPP);
	OK(sys_fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0));
	OK(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	close(fs);
}

/* The old numbers of mounts are none here. */
TEST(numbers_too_small)
{
	struct mnt_id_req req = { .size = sizeof(req) };
	char buf[4096];
	uint64_t ids[4];

	for (req.mnt_id = 0; req.mnt_id <= 1ull << 31; req.mnt_id += 1ull << 31) {
		ERR((int)syscall(SYS_listmount, &req, ids, 4, 0), EINVAL);
		ERR((int)syscall(SYS_statmount, &req, buf, sizeof(buf), 0), EINVAL);
	}
	req.mnt_id = LSMT_ROOT;
	req.param = 1;
	ERR((int)syscall(SYS_listmount, &req, ids, 4, 0), EINVAL);
}

TEST(beneath)
{
	int top, under;

	start();
	top = detached("top");
	attach(top, "a", 0);
	OK(access("a/top", F_OK));
	under = detached("under");
	attach(under, "a", MOVE_MOUNT_BENEATH);
	OK(access("a/top", F_OK));		/* nobody sees it yet */
	OK((int)syscall(SYS_umount2, "a", 2));
	OK(access("a/under", F_OK));
	OK((int)syscall(SYS_umount2, "a", 2));
	ERR(access("a/under", F_OK), ENOENT);
	under = detached("x");
	/* not a mount */
	ERR(sys_move_mount(under, "", AT_FDCWD, "b", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_BENEATH),
	    EINVAL);
	ERR(sys_move_mount(under, "", AT_FDCWD, "b",
			   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_BENEATH | MOVE_MOUNT_SET_GROUP),
	    EINVAL);
}

/* What propagates goes beneath what is mounted there already. */
TEST(propagation_beneath)
{
	start();
	OK(sys_mount(DIR, DIR, NULL, MS_BIND, NULL));
	OK(chdir(DIR));
	OK(sys_mount(NULL, DIR, NULL, MS_SHARED, NULL));
	OK(mkdir("/tmp/peer", 0755) == 0 || errno == EEXIST ? 0 : -1);
	OK(sys_mount(DIR, "/tmp/peer", NULL, MS_BIND, NULL));
	OK(sys_mount(NULL, "/tmp/peer", NULL, MS_SLAVE, NULL));
	attach(detached("own"), "/tmp/peer/a", 0);		/* the slave's alone */
	ERR(access("a/own", F_OK), ENOENT);
	attach(detached("came"), "a", 0);
	OK(access("a/came", F_OK));
	OK(access("/tmp/peer/a/own", F_OK));
	OK((int)syscall(SYS_umount2, "/tmp/peer/a", 2));
	OK(access("/tmp/peer/a/came", F_OK));
	OK((int)syscall(SYS_umount2, "/tmp/peer", 2));
}

TEST(groups)
{
	start();
	OK(sys_mount(DIR, "/tmp/nm/a", NULL, MS_BIND, NULL));
	OK(sys_mount(NULL, DIR, NULL, MS_PRIVATE, NULL));
	/* nothing to join */
	ERR(sys_move_mount(AT_FDCWD, DIR, AT_FDCWD, DIR "/a", MOVE_MOUNT_SET_GROUP), EINVAL);
	OK(sys_mount(NULL, DIR, NULL, MS_SHARED, NULL));
	OK(sys_move_mount(AT_FDCWD, DIR, AT_FDCWD, DIR "/a", MOVE_MOUNT_SET_GROUP));
	/* it is in one */
	ERR(sys_move_mount(AT_FDCWD, DIR, AT_FDCWD, DIR "/a", MOVE_MOUNT_SET_GROUP), EINVAL);
	struct statmount *s = about(id_of(DIR), 0, STATMOUNT_MNT_BASIC);
	unsigned long long group;

	CHECK(s && s->mnt_propagation == MS_SHARED);
	group = s->mnt_peer_group;
	CHECK(group);
	s = about(id_of(DIR "/a"), 0, STATMOUNT_MNT_BASIC);
	CHECK(s);
	EQ(s->mnt_peer_group, group);
	OK(sys_mount("x", DIR "/b", "tmpfs", 0, NULL));
	EQ(id_of(DIR "/b") != id_of(DIR "/a/b"), 1);		/* a copy of it came over */
	CHECK(id_of(DIR "/a/b") != id_of(DIR "/a"));
}

TEST(options_of_a_mount)
{
	struct statmount *s;
	const char *p;
	int found = 0;

	start();
	OK(sys_mount("t", "a", "tmpfs", 0, "size=64k,mode=700"));
	s = about(id_of("a"), 0,
		  STATMOUNT_MNT_OPTS | STATMOUNT_OPT_ARRAY | STATMOUNT_FS_TYPE |
			  STATMOUNT_FS_SUBTYPE | STATMOUNT_OPT_SEC_ARRAY);
	CHECK(s);
	EQ(s->mask, STATMOUNT_MNT_OPTS | STATMOUNT_OPT_ARRAY | STATMOUNT_FS_TYPE);
	CHECK(strstr(s->str + s->mnt_opts, "size=64k") && s->str[s->mnt_opts] != ',');
	CHECK(s->opt_num >= 2);
	p = s->str + s->opt_array;
	for (unsigned int i = 0; i < s->opt_num; i++) {
		found += !strcmp(p, "size=64k") || !strcmp(p, "mode=700");
		p += strlen(p) + 1;
	}
	EQ(found, 2);
}

TEST(another_namespace)
{
	unsigned long long ids[64], ns = 0, id;
	struct mnt_id_req req = { .size = sizeof(req) };
	struct statmount *s;
	int to[2], back[2], n, first;
	pid_t pid;
	char c;

	start();
	OK(pipe(to));
	OK(pipe(back));
	pid = OK(fork());
	if (!pid) {
		OK(unshare(CLONE_NEWNS));
		OK(sys_mount("x", DIR "/a", "tmpfs", 0, NULL));
		s = about(id_of(DIR "/a"), 0, STATMOUNT_MNT_NS_ID);
		CHECK(s);
		ns = s->mnt_ns_id;
		unsigned long long same = 0;

		OK(ioctl(OK(open("/proc/self/ns/mnt", O_RDONLY)), _IOR(0xb7, 5, uint64_t), &same));
		EQ(same, ns);
		ERR(ioctl(OK(open("/proc/self/ns/uts", O_RDONLY)), _IOR(0xb7, 5, uint64_t), &same),
		    EINVAL);
		id = id_of(DIR "/a");
		OK(write(back[1], &ns, 8));
		OK(write(back[1], &id, 8));
		OK(read(to[0], &c, 1));
		_exit(0);
	}
	EQ(read(back[0], &ns, 8), 8);
	EQ(read(back[0], &id, 8), 8);
	CHECK(!about(id, 0, STATMOUNT_MNT_BASIC) && errno == ENOENT);
	s = about(id, ns, STATMOUNT_MNT_BASIC | STATMOUNT_MNT_POINT | STATMOUNT_MNT_NS_ID);
	CHECK(s);
	EQ(s->mnt_id, id);
	EQ(s->mnt_ns_id, ns);
	CHECK(!strcmp(s->str + s->mnt_point, DIR "/a"));
	req.mnt_id = LSMT_ROOT;
	req.mnt_ns_id = ns;
	n = OK((int)syscall(SYS_listmount, &req, ids, 64, 0));
	CHECK(n > 0);
	EQ(ids[n - 1], id);
	/* The last first, one at a time. */
	EQ((int)syscall(SYS_listmount, &req, ids, 1, LISTMOUNT_REVERSE), 1);
	EQ(ids[0], id);
	req.mnt_ns_id = 0;
	first = OK((int)syscall(SYS_listmount, &req, ids, 64, 0));
	EQ(first, n - 1);
	pid_t other = OK(fork());

	if (!other) {
		OK(setuid(1000));
		errno = 0;
		CHECK(!about(id, ns, STATMOUNT_MNT_BASIC));
		EQ(errno, EPERM);
		req.mnt_ns_id = ns;
		ERR((int)syscall(SYS_listmount, &req, ids, 64, 0), ENOENT);
		_exit(0);
	}
	CHECK(t_child_ok(other));
	OK(write(to[1], "x", 1));
	CHECK(t_child_ok(pid));
	CHECK(!about(id, 0xffffffffffULL, STATMOUNT_MNT_BASIC) && errno == ENOENT);
}

TEST(only_what_is_below_the_root)
{
	unsigned long long ids[64], outside, inside;
	struct mnt_id_req req = { .size = sizeof(req), .mnt_id = LSMT_ROOT };
	int n;

	start();
	OK(sys_mount("x", "a", "tmpfs", 0, NULL));
	OK(mkdir("a/in", 0755));
	OK(sys_mount("y", "a/in", "tmpfs", 0, NULL));
	outside = id_of(DIR);
	inside = id_of("a/in");
	n = OK((int)syscall(SYS_listmount, &req, ids, 64, 0));
	EQ(ids[0], id_of("/"));			/* the root itself is one of them */
	for (int i = 1; i < n; i++)
		CHECK(ids[i] > ids[i - 1]);
	OK(chroot("a"));
	OK(chdir("/"));
	EQ((int)syscall(SYS_listmount, &req, ids, 64, 0), 2);
	EQ(ids[1], inside);
	req.param = ids[0];
	EQ((int)syscall(SYS_listmount, &req, ids, 64, 0), 1);
	EQ(ids[0], inside);
	req.param = inside;
	EQ((int)syscall(SYS_listmount, &req, ids, 64, 0), 0);
	EQ((int)syscall(SYS_listmount, &req, ids, 64, LISTMOUNT_REVERSE), 1);
	/* More than there are, and more than Linux takes. */
	req.param = 0;
	ERR((int)syscall(SYS_listmount, &req, ids, 1000001, 0), EOVERFLOW);
	req.mnt_id = outside;
	CHECK(about(outside, 0, STATMOUNT_MNT_BASIC));	/* CAP_SYS_ADMIN */
	CHECK((int)syscall(SYS_listmount, &req, ids, 64, 0) > 0);
	OK(setuid(1000));
	CHECK(about(inside, 0, STATMOUNT_MNT_BASIC));
	CHECK(!about(outside, 0, STATMOUNT_MNT_BASIC) && errno == EPERM);
	ERR((int)syscall(SYS_listmount, &req, ids, 64, 0), EPERM);
}

TEST(by_descriptor)
{
	struct mnt_id_req req = { .size = sizeof(req) };
	struct statmount s;
	unsigned long long id;
	int fd;

	start();
	OK(sys_mount("x", "a", "tmpfs", 0, NULL));
	id = id_of("a");
	fd = OK(open("a", O_PATH));
	req.mnt_fd = (unsigned int)fd;
	req.param = STATMOUNT_MNT_BASIC | STATMOUNT_MNT_NS_ID;
	OK((int)syscall(SYS_statmount, &req, &s, sizeof(s), STATMOUNT_BY_FD));
	EQ(s.mnt_id, id);
	EQ(s.mask, req.param);
	OK((int)syscall(SYS_umount2, "a", 2 /* MNT_DETACH */));
	OK((int)syscall(SYS_statmount, &req, &s, sizeof(s), STATMOUNT_BY_FD));
	EQ(s.mnt_id, id);
	EQ(s.mask, STATMOUNT_MNT_BASIC);	/* it is in no namespace any more */
	CHECK(!about(id, 0, STATMOUNT_MNT_BASIC) && errno == ENOENT);
	close(fd);
	ERR((int)syscall(SYS_statmount, &req, &s, sizeof(s), STATMOUNT_BY_FD), EBADF);
	req.mnt_fd = (unsigned int)-1;
	ERR((int)syscall(SYS_statmount, &req, &s, sizeof(s), STATMOUNT_BY_FD), EBADF);
}

TEST(tree_with_attributes)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC };
	int t;

	start();
	t = (int)syscall(SYS_open_tree_attr, AT_FDCWD, DIR, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, &a,
			 sizeof(a));
	if (t < 0 && errno == ENOSYS)
		SKIP("no open_tree_attr");
	OK(t);
	ERR(openat(t, "new", O_CREAT | O_WRONLY, 0600), EROFS);
	close(OK(open("new", O_CREAT | O_WRONLY, 0600)));
	close(t);
	ERR((int)syscall(SYS_open_tree_attr, AT_FDCWD, DIR, OPEN_TREE_CLONE, NULL, sizeof(a)),
	    EINVAL);
	a.attr_set = 1ull << 40;
	ERR((int)syscall(SYS_open_tree_attr, AT_FDCWD, DIR, OPEN_TREE_CLONE, &a, sizeof(a)),
	    EINVAL);
}

/* A tree that is not attached yet may be put together. */
TEST(onto_a_detached_tree)
{
	int a, b, c;

	start();
	a = detached("in_a");
	b = detached("in_b");
	c = detached("in_c");
	OK(mkdirat(a, "on", 0755));
	OK(mkdirat(b, "on", 0755));
	OK(sys_move_mount(b, "", a, "on", MOVE_MOUNT_F_EMPTY_PATH));
	OK(faccessat(a, "on/in_b", F_OK, 0));
	OK(sys_move_mount(c, "", b, "on", MOVE_MOUNT_F_EMPTY_PATH)); /* B is part of the tree now */
	OK(faccessat(a, "on/on/in_c", F_OK, 0));
	/* the tree moves as a whole */
	ERR(sys_move_mount(b, "", AT_FDCWD, "a", MOVE_MOUNT_F_EMPTY_PATH), EINVAL);
	ERR(sys_move_mount(a, "", a, "on", MOVE_MOUNT_F_EMPTY_PATH), EINVAL);
	attach(a, "a", 0);
	OK(access("a/on/on/in_c", F_OK));
	OK(access("a/in_a", F_OK));
}

/* Another namespace's detached tree is not built on. */
TEST(onto_a_tree_of_another_namespace)
{
	int a, b;

	start();
	a = OK(sys_open_tree(AT_FDCWD, ".", 1 /* OPEN_TREE_CLONE */));
	OK(unshare(CLONE_NEWNS));
	b = detached("in_b");
	ERR(sys_move_mount(b, "", a, "b", MOVE_MOUNT_F_EMPTY_PATH), EINVAL);
	ERR(sys_open_tree(a, "", 1 | AT_EMPTY_PATH), EINVAL);
}

static int lines_of(const char *where)
{
	char line[500], dir[200];
	FILE *f = fopen("/proc/self/mounts", "r");
	int n = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		n += sscanf(line, "%*s %199s", dir) == 1 && !strcmp(dir, where);
	fclose(f);
	return n;
}

static void mount_with(const char *where, const char *file)
{
	char path[100];

	OK(sys_mount("t", where, "tmpfs", 0, "mode=777"));
	snprintf(path, sizeof(path), "%s/%s", where, file);
	close(OK(open(path, O_CREAT | O_WRONLY, 0600)));
}

/* A shared mount "d" and its slave "s", with a directory "in". */
static void master_and_slave(void)
{
	start();
	OK(mkdir("d", 0755));
	OK(mkdir("s", 0755));
	OK(sys_mount("t", "d", "tmpfs", 0, NULL));
	OK(sys_mount(NULL, "d", NULL, MS_SHARED, NULL));
	OK(mkdir("d/in", 0755));
	OK(sys_mount("d", "s", NULL, MS_BIND, NULL));
	OK(sys_mount(NULL, "s", NULL, MS_SLAVE, NULL));
}

#define umount2(path, flags) (int)syscall(SYS_umount2, path, flags)

/* The copy of what is unmounted goes from beneath what lies on it alone. */
TEST(overmount_slides_down)
{
	master_and_slave();
	for (int flags = 0; flags <= 2 /* MNT_DETACH */; flags += 2) {
		mount_with("d/in", "event");
		mount_with("s/in", "own");
		mount_with("s/in", "top");
		EQ(lines_of(DIR "/s/in"), 3);
		OK(umount2("d/in", flags));
		EQ(lines_of(DIR "/s/in"), 2);
		OK(access("s/in/top", F_OK));
		OK(umount2("s/in", 0));
		OK(access("s/in/own", F_OK));
		OK(umount2("s/in", 0));
		ERR(umount2("s/in", 0), EINVAL);
	}
	/* Two of the tree that goes, one on the other, and one in them that stays. */
	mount_with("d/in", "event");
	mount_with("d/in", "event2");
	mount_with("s/in", "own");
	OK(umount2("d/in", 0));
	OK(umount2("d/in", 0));
	EQ(lines_of(DIR "/s/in"), 1);
	OK(access("s/in/own", F_OK));
	OK(umount2("s/in", 0));
	/* What is mounted elsewhere in it keeps it. */
	mount_with("d/in", "event");
	OK(mkdir("d/in/sub", 0755));
	mount_with("s/in/sub", "own");
	OK(umount2("d/in", 2));
	OK(access("s/in/event", F_OK));
	OK(access("s/in/sub/own", F_OK));
}

TEST(overmount_in_use_is_no_reason)
{
	int fd;

	master_and_slave();
	mount_with("d/in", "event");
	fd = OK(open("s/in/event", O_RDONLY));
	mount_with("s/in", "own");
	ERR(umount2("d/in", 0), EBUSY);
	close(fd);
	fd = OK(open("s/in/own", O_RDONLY));
	OK(umount2("d/in", 0));
	OK(access("s/in/own", F_OK));
	close(fd);
}

/* A copy of a stack goes beneath what is there as a whole. */
TEST(stack_goes_beneath)
{
	unsigned long long below;
	struct statmount *about_own;
	int low, tree;

	master_and_slave();
	mount_with("a", "low");
	low = OK(open("a", O_PATH));
	mount_with("a", "high");
	tree = OK(sys_open_tree(low, "",
				AT_EMPTY_PATH | OPEN_TREE_CLONE | 0x8000 /* AT_RECURSIVE */));
	mount_with("s/in", "own");
	attach(tree, "d/in", 0);
	EQ(lines_of(DIR "/s/in"), 3);
	OK(access("s/in/own", F_OK));
	about_own = about(id_of("s/in"), 0, STATMOUNT_MNT_BASIC);
	CHECK(about_own);
	below = about_own->mnt_parent_id;
	OK(umount2("s/in", 0));
	OK(access("s/in/high", F_OK));
	EQ(id_of("s/in"), below);		/* on the topmost of the stack, not beside it */
	OK(umount2("s/in", 0));
	OK(access("s/in/low", F_OK));
	OK(umount2("s/in", 0));
	ERR(umount2("s/in", 0), EINVAL);
	close(low);
}

/* A detached copy is a peer of what it is mounted on: it gets no copy of itself. */
TEST(no_copy_in_itself)
{
	start();
	OK(sys_mount("a", "b", NULL, MS_BIND, NULL));
	OK(sys_mount(NULL, "b", NULL, MS_SHARED, NULL));
	attach(OK(sys_open_tree(AT_FDCWD, "b", OPEN_TREE_CLONE)), "b", 0);
	EQ(lines_of(DIR "/b"), 2);
}

static void write_to(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY));

	OK(write(fd, text, strlen(text)));
	close(fd);
}

static void become_user_root(void)
{
	OK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	write_to("/proc/self/uid_map", "0 0 1");
	write_to("/proc/self/setgroups", "deny");
	write_to("/proc/self/gid_map", "0 0 1");
}

/* What goes beneath a locked mount hides in its stead what is there. */
TEST(beneath_takes_over_the_lock)
{
	start();
	OK(mkdir("a/covered", 0755));
	mount_with("a", "locked");
	become_user_root();
	ERR(umount2(DIR "/a", 2), EINVAL);
	attach(detached("mine"), DIR "/a", MOVE_MOUNT_BENEATH);
	OK(access(DIR "/a/locked", F_OK));
	OK(umount2(DIR "/a", 0));
	OK(access(DIR "/a/mine", F_OK));
	ERR(umount2(DIR "/a", 2), EINVAL);
	ERR(sys_move_mount(AT_FDCWD, DIR "/a", AT_FDCWD, DIR "/b", 0), EINVAL);
	ERR(sys_open_tree(AT_FDCWD, DIR, OPEN_TREE_CLONE), EINVAL);
	ERR(access(DIR "/a/covered", F_OK), ENOENT);
}

/* Mount FD by its name in /proc. */
static int change_type(int fd, unsigned long type)
{
	char path[40];

	sprintf(path, "/proc/self/fd/%d", fd);
	return sys_mount(NULL, path, NULL, type, NULL);
}

/*
 * mount(2) changes the type of propagation of whatever mount the caller has rights over: a detached
 * one, one of another namespace.
 */
TEST(type_of_mounts_elsewhere)
{
	int up[2], down[2], fd = detached("x");
	char path[60], c;
	pid_t pid, lesser;

	start();
	OK(change_type(fd, MS_SHARED));
	OK(change_type(fd, MS_PRIVATE));
	close(fd);
	OK(pipe(up));
	OK(pipe(down));
	pid = OK(fork());
	if (!pid) {
		OK(unshare(CLONE_NEWNS));
		EQ(write(up[1], "u", 1), 1);
		EQ(read(down[0], &c, 1), 1);
		_exit(0);
	}
	EQ(read(up[0], &c, 1), 1);
	sprintf(path, "/proc/%d/root" DIR, pid);
	fd = OK(open(path, O_PATH));
	OK(change_type(fd, MS_SHARED));
	OK(change_type(fd, MS_PRIVATE));
	ERR(change_type(fd, MS_REMOUNT | MS_BIND | MS_RDONLY), EINVAL);
	lesser = OK(fork());
	if (!lesser) {
		become_user_root();
		ERR(change_type(fd, MS_PRIVATE), EPERM);
		OK(sys_mount(NULL, DIR, NULL, MS_PRIVATE, NULL));
		_exit(0);
	}
	CHECK(t_child_ok(lesser));
	EQ(write(down[1], "d", 1), 1);
	CHECK(t_child_ok(pid));
	close(fd);
	/* Nor is it on one that was unmounted, which is no place for another one either. */
	fd = OK(open("a", O_PATH));
	OK(chdir("/"));
	OK(umount2(DIR, 2));
	sprintf(path, "/proc/self/fd/%d", fd);
	ERR(sys_mount("t", path, "tmpfs", 0, NULL), ENOENT);
	attach(detached("y"), "/tmp", 0);
	ERR(sys_move_mount(AT_FDCWD, "/tmp", fd, "", 0x40 /* MOVE_MOUNT_T_EMPTY_PATH */), ENOENT);
	close(fd);
}

/* OPEN_TREE_NAMESPACE by who is root in a user namespace alone: what covers the nullfs stays. */
TEST(namespace_of_a_tree_stays_covered)
{
	int ns;

	start();
	become_user_root();
	OK(chdir(DIR));
	mount_with("a", "mine");
	OK(mkdir("a/sub", 0755));
	mount_with("a/sub", "mine");
	ns = sys_open_tree(AT_FDCWD, "a", 2 /* OPEN_TREE_NAMESPACE */ | 0x8000);
	if (ns < 0 && errno == EINVAL)
		SKIP("no OPEN_TREE_NAMESPACE");
	OK(ns);
	OK(setns(ns, CLONE_NEWNS));
	OK(umount2("/sub", 0));
	ERR(umount2("/", 2), EINVAL);
	OK(access("/mine", F_OK));
}

/*
 * Who mounts in a namespace with more rights than its owner has locks nothing in those of the same
 * owner.
 */
TEST(mount_by_the_more_privileged)
{
	struct mount_attr exec = { .attr_clr = MOUNT_ATTR_NOEXEC };
	int up[2], down[2], ns;
	char path[60], c;
	pid_t pid, other;

	start();
	OK(pipe(up));
	OK(pipe(down));
	pid = OK(fork());
	if (!pid) {
		become_user_root();
		OK(chdir(DIR));
		OK(sys_mount("t", "a", "tmpfs", 0, NULL));
		OK(sys_mount(NULL, "a", NULL, MS_SHARED, NULL));
		OK(mkdir("a/in", 0755));
		other = OK(fork());
		if (!other) {
			OK(unshare(CLONE_NEWNS));
			EQ(write(up[1], "u", 1), 1);
			EQ(read(down[0], &c, 1), 1);
			OK((int)syscall(SYS_mount_setattr, AT_FDCWD, DIR "/a/in", 0, &exec,
					sizeof(exec)));
			OK(umount2(DIR "/a/in", 0));
			EQ(write(up[1], "u", 1), 1);
			_exit(0);
		}
		CHECK(t_child_ok(other));
		_exit(0);
	}
	EQ(read(up[0], &c, 1), 1);
	sprintf(path, "/proc/%d/ns/mnt", pid);
	ns = OK(open(path, O_RDONLY));
	OK(setns(ns, CLONE_NEWNS));
	OK(sys_mount("t", DIR "/a/in", "tmpfs", MS_NOEXEC, NULL));
	EQ(write(down[1], "d", 1), 1);
	CHECK(t_child_ok(pid));
}

static int racers_left;

/* Whatever comes of each call: the kernel keeps its tree. */
static void *race(void *arg)
{
	static const char *const places[] = { "d/in", "s/in", "d", "s", "a" };
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	for (int i = 0; i < 150; i++) {
		unsigned int r = (unsigned int)rand_r(&seed);
		const char *place = places[r / 8 % 5], *other = places[r / 64 % 5];
		int fd;

		switch (r % 8) {
		case 0:
			sys_mount("t", place, "tmpfs", 0, "size=64k");
			break;
		case 1:
			(void)umount2(place, r & 8 ? 2 : 0);
			break;
		case 2:
			fd = sys_open_tree(AT_FDCWD, place, OPEN_TREE_CLONE);
			(void)sys_move_mount(fd, "", AT_FDCWD, other,
					     MOVE_MOUNT_F_EMPTY_PATH |
						     (r & 16 ? MOVE_MOUNT_BENEATH : 0));
			close(fd);
			break;
		case 3:
			sys_mount(place, other, NULL, MS_MOVE, NULL);
			break;
		case 4:
			sys_mount(NULL, place, NULL,
				  r & 8	 ? MS_SHARED :
				  r & 16 ? MS_SLAVE :
					   MS_PRIVATE,
				  NULL);
			break;
		case 5:
			if (!mkdir("a/new", 0755))
				rename("a/new", "b/new");
			rmdir("b/new");
			break;
		case 6:
			lines_of(place);
			break;
		default:
			access("s/in/../../d/in/..", F_OK);
			break;
		}
	}
	__atomic_sub_fetch(&racers_left, 1, __ATOMIC_RELAXED);
	return NULL;
}

TEST(all_at_once)
{
	pthread_t t[4];

	master_and_slave();
	racers_left = 4;
	for (uintptr_t i = 0; i < 4; i++)
		EQ(pthread_create(&t[i], NULL, race, (void *)(i + 1)), 0);
	for (int i = 0; i < 4; i++)
		EQ(pthread_join(t[i], NULL), 0);
	EQ(racers_left, 0);
	for (int i = 0; i < 5000 && !umount2(DIR, 2); i++)
		;
	EQ(lines_of(DIR), 0);
}

/* ---- a mount goes while what was mounted on it does ---- */

enum { ON_IT = 200, ROUNDS = 6 };

static volatile int stop_it;

static void on_first_cpu(int policy, int priority)
{
	struct sched_param p = { .sched_priority = priority };
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	OK(sched_setaffinity(0, sizeof(first), &first));
	OK((int)syscall(SYS_sched_setscheduler, 0, policy, &p));
}

static void *busy(void *unused)
{
	on_first_cpu(SCHED_OTHER, 0);
	while (!stop_it)
		;
	return unused;
}

/* It has the processor only when nobody else wants it: it is kept from going on where it lets go of the lock. */
static void *from_above(void *how)
{
	on_first_cpu(SCHED_IDLE, 0);
	OK((int)syscall(SYS_umount2, "m/on", (long)how));
	return NULL;
}

/* The mount goes as soon as nothing is on it any more, and its superblock with it: not before the directory that something was mounted on is let go of. */
TEST(goes_with_what_was_on_it)
{
	pthread_t t[2];
	char path[32];

	start();
	OK(mkdir("m", 0755));
	on_first_cpu(SCHED_FIFO, 1);
	for (int i = 0; i < ROUNDS; i++) {
		stop_it = 0;
		OK((int)sys_mount("m", "m", "tmpfs", 0, "size=64k"));
		OK(mkdir("m/on", 0755));
		OK((int)sys_mount("on", "m/on", "tmpfs", 0, "size=64k"));
		for (int k = 0; k < ON_IT && i & 1; k++) {
			snprintf(path, sizeof(path), "m/on/%d", k);
			OK(mkdir(path, 0755));
			OK((int)sys_mount(path, path, "tmpfs", 0, "size=64k"));
		}
		EQ(pthread_create(&t[0], NULL, from_above, (void *)(i & 1 ? 2L /* MNT_DETACH */ : 0L)), 0);
		EQ(pthread_create(&t[1], NULL, busy, NULL), 0);
		while ((int)syscall(SYS_umount2, "m", 0)) {
			EQ(errno, EBUSY);
			usleep(50);
		}
		stop_it = 1;
		for (int k = 0; k < 2; k++)
			EQ(pthread_join(t[k], NULL), 0);
	}
	on_first_cpu(SCHED_OTHER, 0);
}
