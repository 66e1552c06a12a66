// SPDX-License-Identifier: MIT
/* Namespaces by number. proves: listns */
#include "t.h"
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#define MOST 4096

static uint64_t ids[MOST];

static long list_behind(uint64_t last, uint32_t types, uint64_t owner)
{
	struct ns_id_req r = {
		.size = sizeof(r), .ns_id = last, .ns_type = types, .user_ns_id = owner
	};
	long n = syscall(SYS_listns, &r, ids, MOST, 0);

	for (long i = 1; i < n; i++)
		CHECK(ids[i] > ids[i - 1]);
	return n;
}

static long list(uint32_t types, uint64_t owner)
{
	long n = list_behind(0, types, owner);

	if (n < 0 && errno == ENOSYS)
		SKIP("not in this kernel");
	return OK(n);
}

static bool listed(uint64_t id, long n)
{
	for (long i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static uint64_t id_of(const char *kind)
{
	char name[64];
	uint64_t id;
	int fd;

	snprintf(name, sizeof(name), "/proc/self/ns/%s", kind);
	fd = OK(open(name, O_RDONLY));
	OK(ioctl(fd, NS_GET_ID, &id));
	close(fd);
	return id;
}

static void in_child(void (*fn)(void))
{
	pid_t pid = OK(fork());

	if (!pid) {
		fn();
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

TEST(the_first_of_each_kind)
{
	static const struct {
		uint32_t type;
		uint64_t id;
	} first[] = {
		{ CLONE_NEWIPC, IPC_NS_INIT_ID },
		{ CLONE_NEWUTS, UTS_NS_INIT_ID },
		{ CLONE_NEWUSER, USER_NS_INIT_ID },
		{ CLONE_NEWPID, PID_NS_INIT_ID },
		{ CLONE_NEWCGROUP, CGROUP_NS_INIT_ID },
		{ 0x80 /* CLONE_NEWTIME */, TIME_NS_INIT_ID },
		{ CLONE_NEWNET, NET_NS_INIT_ID },
		{ CLONE_NEWNS, MNT_NS_INIT_ID },
	};
	long all = list(0, 0);

	CHECK(all >= 8);
	for (unsigned int i = 0; i < 8; i++)
		EQ(ids[i], i + 1);
	for (unsigned int i = 0; i < 8; i++) {
		CHECK(list(first[i].type, 0) >= 1);
		EQ(ids[0], first[i].id);
	}
	CHECK(!listed(USER_NS_INIT_ID, list(0, USER_NS_INIT_ID)));	/* it owns the others */
	CHECK(listed(UTS_NS_INIT_ID, list(0, LISTNS_CURRENT_USER)));
	EQ(id_of("uts"), UTS_NS_INIT_ID);
	EQ(id_of("net"), NET_NS_INIT_ID);
}

TEST(they_come_and_go)
{
	uint64_t was = id_of("uts"), id;
	int fd;

	list(0, 0);
	OK(unshare(CLONE_NEWUTS | CLONE_NEWIPC));
	id = id_of("uts");
	CHECK(id > was);
	CHECK(listed(id, list(CLONE_NEWUTS, 0)));
	CHECK(listed(id, list(CLONE_NEWUTS | CLONE_NEWNET, 0)));
	CHECK(!listed(id, list(CLONE_NEWIPC, 0)));
	CHECK(listed(id_of("ipc"), list(CLONE_NEWIPC, 0)));
	EQ(list_behind(id - 1, CLONE_NEWUTS, 0), 1);
	EQ(ids[0], id);
	ERR(list_behind(id, CLONE_NEWUTS, 0), ENOENT);
	ERR(list_behind(1ULL << 60, 0, 0), ENOENT);
	fd = OK(open("/proc/self/ns/uts", O_RDONLY));
	OK(unshare(CLONE_NEWUTS));
	CHECK(listed(id, list(CLONE_NEWUTS, 0)));		/* kept by a descriptor */
	close(fd);
	while (listed(id, list(CLONE_NEWUTS, 0)))
		;
	CHECK(id_of("uts") > id);				/* no number comes twice */
}

static int other[2];

static void user_looks(void)
{
	uint64_t seen;

	OK(setgid(1000));
	OK(setuid(1000));
	EQ(read(other[0], &seen, sizeof(seen)), sizeof(seen));
	CHECK(!listed(seen, list(0, 0)));
	CHECK(listed(id_of("uts"), list(0, 0)));
	OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	OK(unshare(CLONE_NEWUSER | CLONE_NEWUTS));
	EQ(list(CLONE_NEWUSER, 0), 1);
	EQ(ids[0], id_of("user"));
	EQ(list(0, LISTNS_CURRENT_USER), 1);			/* what it owns */
	EQ(ids[0], id_of("uts"));
	CHECK(!listed(id_of("uts"), list(0, USER_NS_INIT_ID)));
	CHECK(!listed(seen, list(0, 0)));
}

static void root_of_a_pid_namespace_looks(void)
{
	uint64_t seen;

	EQ(read(other[0], &seen, sizeof(seen)), sizeof(seen));
	OK(unshare(CLONE_NEWPID));
	if (!OK(fork()))
		_exit(listed(seen, list(0, 0)) || listed(PID_NS_INIT_ID, list(0, 0)));
	CHECK(t_child_ok(-1));
}

/* Others' namespaces are for who has the machine. */
TEST(networks)
{
	uint64_t id;

	OK(unshare(CLONE_NEWNET));
	id = id_of("net");
	CHECK(id > NET_NS_INIT_ID);
	CHECK(listed(id, list(CLONE_NEWNET, 0)));
	CHECK(listed(NET_NS_INIT_ID, list(CLONE_NEWNET, 0)));
	CHECK(!listed(id, list(CLONE_NEWUTS, 0)));
	OK(unshare(CLONE_NEWNET));
	CHECK(id_of("net") > id);
	while (listed(id, list(CLONE_NEWNET, 0)))	/* it ends in a worker */
		sched_yield();
}

TEST(whose_are_shown)
{
	uint64_t id;

	list(0, 0);
	OK(pipe(other));
	OK(unshare(CLONE_NEWUTS));
	id = id_of("uts");
	EQ(write(other[1], &id, sizeof(id)), sizeof(id));
	EQ(write(other[1], &id, sizeof(id)), sizeof(id));
	int fd = OK(open("/proc/self/ns/uts", O_RDONLY));

	OK(unshare(CLONE_NEWUTS));
	CHECK(listed(id, list(0, 0)));
	in_child(user_looks);
	in_child(root_of_a_pid_namespace_looks);
	close(fd);
}

TEST(errors)
{
	struct ns_id_req r = { .size = sizeof(r) };
	struct {
		struct ns_id_req r;
		uint64_t more;
	} longer = { { .size = sizeof(longer) }, 0 };

	list(0, 0);
	ERR(syscall(SYS_listns, &r, ids, 10, 1), EINVAL);
	ERR(syscall(SYS_listns, &r, ids, 1000001, 0), EOVERFLOW);
	ERR(syscall(SYS_listns, &r, NULL, 10, 0), EFAULT);
	ERR(syscall(SYS_listns, 8, ids, 10, 0), EFAULT);
	EQ(syscall(SYS_listns, &r, ids, 0, 0), 0);
	EQ(syscall(SYS_listns, &r, ids, 2, 0), 2);
	EQ(syscall(SYS_listns, &longer, ids, 2, 0), 2);
	longer.more = 1;
	ERR(syscall(SYS_listns, &longer, ids, 2, 0), E2BIG);
	r.size = 31;
	ERR(syscall(SYS_listns, &r, ids, 10, 0), EINVAL);
	r = (struct ns_id_req){ .size = sizeof(r), .spare = 1 };
	ERR(syscall(SYS_listns, &r, ids, 10, 0), EINVAL);
	ERR(list_behind(0, 1, 0), EOPNOTSUPP);
	ERR(list_behind(0, 0, UTS_NS_INIT_ID), EINVAL);
	ERR(list_behind(0, 0, 1ULL << 60), EINVAL);
}

/*
 * From within a PID namespace a child of its own is seen, but not the parent of one that lies
 * beside it.
 */
TEST(parents_in_the_callers_namespace)
{
	int p[2], self, beside, below;
	pid_t pid;
	char c;

	OK(pipe(p));
	self = OK(open("/proc/self/ns/pid", O_RDONLY));
	OK(unshare(CLONE_NEWPID));
	pid = OK(fork());
	if (!pid) {
		/* One below ours: it comes with its first process. */
		OK(unshare(CLONE_NEWPID));
		pid = OK(fork());
		if (pid) {
			t_wait(pid);
			_exit(0);
		}
		EQ(write(p[1], "x", 1), 1);
		pause();
	}
	EQ(read(p[0], &c, 1), 1);
	char name[60];

	snprintf(name, sizeof(name), "/proc/%d/ns/pid", pid);
	beside = OK(open(name, O_RDONLY));
	snprintf(name, sizeof(name), "/proc/%d/ns/pid_for_children", pid);
	below = OK(open(name, O_RDONLY));
	close(OK(ioctl(below, NS_GET_PARENT)));
	close(OK(ioctl(beside, NS_GET_PARENT)));
	ERR(ioctl(self, NS_GET_PARENT), EPERM);
	ERR(ioctl(OK(open("/proc/self/ns/uts", O_RDONLY)), NS_GET_PARENT), EINVAL);
	OK(setns(self, CLONE_NEWPID));
	OK(unshare(CLONE_NEWPID));
	pid_t other = OK(fork());

	if (!other) {
		/* As deep as `beside`, but another. */
		ERR(ioctl(below, NS_GET_PARENT), EPERM);
		ERR(ioctl(beside, NS_GET_PARENT), EPERM);
		_exit(0);
	}
	CHECK(t_child_ok(other));
	kill(pid, SIGKILL);
	t_wait(pid);
}
