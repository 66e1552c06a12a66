// SPDX-License-Identifier: MIT
/*
 * What a user may make many of or nest deeply, and where it ends. proves: mount umount2 epoll_ctl
 * sendmsg link symlink setxattr
 */
#include "t.h"
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/xattr.h>

static void put(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY));

	EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* A user without rights, root in namespaces of his own, in an empty tmpfs there. */
static void own_namespaces(const char *options)
{
	OK(setgid(1000));
	OK(setuid(1000));
	OK(prctl(PR_SET_DUMPABLE, 1));		/* his files in /proc are his */
	OK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	put("/proc/self/setgroups", "deny");
	put("/proc/self/gid_map", "0 1000 1");
	put("/proc/self/uid_map", "0 1000 1");
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mount("t", "/tmp", "tmpfs", 0, options));
	OK(chdir("/tmp"));
}

static int lines(const char *path)
{
	FILE *f = fopen(path, "r");
	int n = 0, c;

	CHECK(f);
	while ((c = fgetc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

static char *numbered(const char *what, int n)
{
	static char b[2][40];
	static int turn;

	turn = !turn;
	snprintf(b[turn], sizeof(b[turn]), "%s%d", what, n);
	return b[turn];
}

TEST(deeply_nested_slaves)
{
	enum { DEPTH = 1000 };
	int before;

	own_namespaces(NULL);
	OK(mkdir("m0", 0755));
	OK(mount("t", "m0", "tmpfs", 0, NULL));
	OK(mkdir("m0/x", 0755));
	OK(mount(NULL, "m0", NULL, MS_SHARED, NULL));
	for (int i = 1; i <= DEPTH; i++) {
		OK(mkdir(numbered("m", i), 0755));
		OK(mount(numbered("m", i - 1), numbered("m", i), NULL, MS_BIND, NULL));
		OK(mount(NULL, numbered("m", i), NULL, MS_SLAVE, NULL));
		OK(mount(NULL, numbered("m", i), NULL, MS_SHARED, NULL));
	}
	before = lines("/proc/self/mountinfo");
	OK(mount("t", "m0/x", "tmpfs", 0, NULL));
	EQ(lines("/proc/self/mountinfo"), before + DEPTH + 1);
	close(OK(open("m0/x/file", O_CREAT | O_WRONLY, 0600)));
	OK(access("m1000/x/file", F_OK));
	/* From the middle only what is below. */
	OK(umount2("m600/x", 0));
	EQ(lines("/proc/self/mountinfo"), before + 600);
	OK(umount2("m0/x", 0));
	EQ(lines("/proc/self/mountinfo"), before);
	OK(mount("t", "m0/x", "tmpfs", 0, NULL));
	EQ(lines("/proc/self/mountinfo"), before + DEPTH + 1);
	OK(umount2("m0/x", MNT_DETACH));
	EQ(lines("/proc/self/mountinfo"), before);
}

static void fill_by_propagation(void)
{
	int before = 0, i;

	own_namespaces(NULL);
	OK(mkdir("a", 0755));
	OK(mount("t", "a", "tmpfs", 0, NULL));
	OK(mount(NULL, "a", NULL, MS_SHARED, NULL));
	for (i = 0; i < 100; i++) {
		OK(mkdir(numbered("peer", i), 0755));
		OK(mount("a", numbered("peer", i), NULL, MS_BIND, NULL));
	}
	for (i = 0; i < 30; i++) {
		OK(mkdir(numbered("a/", i), 0755));
		before = lines("/proc/self/mountinfo");
		if (mount("t", numbered("a/", i), "tmpfs", 0, NULL))
			break;
	}
	EQ(errno, ENOSPC);
	CHECK(before > 1899 && before <= 2000);
	EQ(lines("/proc/self/mountinfo"), before);
	/* Nothing is left of the attempt: what was there goes, and as much fits again. */
	OK(umount2("a/0", 0));
	EQ(lines("/proc/self/mountinfo"), before - 101);
	OK(mount("t", numbered("a/", i), "tmpfs", 0, NULL));
	EQ(lines("/proc/self/mountinfo"), before);
}

TEST(propagated_mounts_count)
{
	char old[20] = "";
	int fd = OK(open("/proc/sys/fs/mount-max", O_RDONLY));
	bool ok;
	pid_t p;

	OK(read(fd, old, sizeof(old) - 1));
	put("/proc/sys/fs/mount-max", "2000");
	p = OK(fork());
	if (!p) {
		fill_by_propagation();
		_exit(0);
	}
	ok = t_child_ok(p);
	put("/proc/sys/fs/mount-max", old);
	CHECK(ok);
}

static int watch(int ep, int fd)
{
	struct epoll_event e = { .events = EPOLLIN };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

TEST(epoll_paths_that_multiply)
{
	int p[2], a, i, last = -1;

	OK(setuid(1000));
	OK(pipe(p));
	a = OK(epoll_create1(0));
	OK(watch(a, p[0]));
	for (i = 0; i < 600; i++) {
		int e = OK(epoll_create1(0));

		if (watch(e, a))
			break;
		last = e;
	}
	EQ(errno, EINVAL);
	EQ(i, 500);
	/* One less, and there is room for one. */
	OK(epoll_ctl(last, EPOLL_CTL_DEL, a, NULL));
	OK(watch(last, a));
	ERR(watch(OK(epoll_create1(0)), a), EINVAL);
}

TEST(epoll_paths_of_what_is_added_last)
{
	int p[2], a;

	OK(setuid(1000));
	OK(pipe(p));
	a = OK(epoll_create1(0));
	for (int i = 0; i < 101; i++) {
		int b = OK(epoll_create1(0)), c = OK(epoll_create1(0));

		OK(watch(b, a));
		OK(watch(c, b));
	}
	ERR(watch(a, p[0]), EINVAL);
	ERR(epoll_ctl(a, EPOLL_CTL_DEL, p[0], NULL), ENOENT);
	/* Straight ones are as many as one likes. */
	for (int i = 0; i < 600; i++)
		OK(watch(OK(epoll_create1(0)), p[0]));
}

TEST(descriptors_in_flight)
{
	struct rlimit rl = { 100, 100 };
	int s[2], fds[20], sent = 0;
	char control[CMSG_SPACE(sizeof(fds))] = { 0 }, byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	OK(setrlimit(RLIMIT_NOFILE, &rl));
	OK(setuid(1000));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	for (int i = 0; i < 20; i++)
		fds[i] = s[0];
	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(fds)),
			       .cmsg_level = SOL_SOCKET,
			       .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	while (sent < 1000 && sendmsg(s[0], &m, 0) == 1)
		sent += 20;
	EQ(errno, ETOOMANYREFS);
	EQ(sent, 120);
	EQ(send(s[0], &byte, 1, 0), 1);
	/* Read without room for them, they are closed, and others may follow. */
	EQ(recv(s[1], &byte, 1, 0), 1);
	EQ(sendmsg(s[0], &m, 0), 1);
	ERR(sendmsg(s[0], &m, 0), ETOOMANYREFS);
}

TEST(tmpfs_hard_links)
{
	int i;

	own_namespaces("nr_inodes=20");
	close(OK(open("file", O_CREAT | O_WRONLY, 0600)));
	for (i = 0; i < 100 && !link("file", numbered("link", i)); i++)
		;
	EQ(errno, ENOSPC);
	EQ(i, 18);
	ERR(open("other", O_CREAT | O_WRONLY, 0600), ENOSPC);
	/* Whichever name goes, and however: there is room for one again. */
	OK(unlink("file"));
	OK(link("link0", "file"));
	ERR(link("link0", "other"), ENOSPC);
	close(OK(open("link0", O_RDONLY)));
	OK(unlink("link1"));
	close(OK(open("other", O_CREAT | O_WRONLY, 0600)));
	OK(rename("other", "link2"));
	OK(link("link0", "other"));
	ERR(link("link0", "another"), ENOSPC);
}

TEST(tmpfs_symlink_texts)
{
	char text[2001];
	int i;

	own_namespaces("size=256k");
	memset(text, 'x', 2000);
	text[2000] = 0;
	for (i = 0; i < 1000 && !symlink(text, numbered("link", i)); i++)
		;
	EQ(errno, ENOSPC);
	EQ(i, 256 * 1024 / PAGE);
	OK(symlink("short", "short"));
	OK(unlink("link0"));
	OK(symlink(text, "link0"));
	ERR(symlink(text, "another"), ENOSPC);
}

TEST(tmpfs_attributes)
{
	char value[1000] = { 0 };
	int i;

	own_namespaces("nr_inodes=12");
	close(OK(open("file", O_CREAT | O_WRONLY, 0600)));
	for (i = 0; i < 100 && !setxattr("file", numbered("user.", i), value, sizeof(value), 0);
	     i++)
		;
	EQ(errno, ENOSPC);
	CHECK(i > 5 && i <= 10);
	OK(removexattr("file", "user.0"));
	OK(setxattr("file", "user.0", value, sizeof(value), 0));
	ERR(setxattr("file", "user.another", value, sizeof(value), 0), ENOSPC);
	/* With the file its attributes go. */
	OK(unlink("file"));
	close(OK(open("file", O_CREAT | O_WRONLY, 0600)));
	for (int j = 0; j < i; j++)
		OK(setxattr("file", numbered("user.", j), value, sizeof(value), 0));
}

/* ---- namespaces ---- */

static void as_user(void)
{
	OK(setgid(1000));
	OK(setuid(1000));
}

static const struct {
	const char *name;
	int flag;
} kinds[] = {
	{ "uts", CLONE_NEWUTS },   { "ipc", CLONE_NEWIPC }, { "mnt", CLONE_NEWNS },
	{ "user", CLONE_NEWUSER }, { "pid", CLONE_NEWPID },
};

static const char *max_path(const char *kind)
{
	static char b[60];

	snprintf(b, sizeof(b), "/proc/sys/user/max_%s_namespaces", kind);
	return b;
}

static long number_in(const char *path)
{
	FILE *f = fopen(path, "r");
	long n;

	CHECK(f && fscanf(f, "%ld", &n) == 1);
	fclose(f);
	return n;
}

static long max_of(const char *kind)
{
	return number_in(max_path(kind));
}

TEST(limits_of_namespaces)
{
	long threads = number_in("/proc/sys/kernel/threads-max");

	for (int i = 0; i < 5; i++)
		EQ(max_of(kinds[i].name), threads / 2);
	own_namespaces(NULL);
	for (int i = 0; i < 5; i++)
		EQ(max_of(kinds[i].name), INT_MAX);
	/* Root of a namespace sets its own. */
	put(max_path("uts"), "1000");
	EQ(max_of("uts"), 1000);
	int fd = OK(open(max_path("uts"), O_WRONLY));
	ERR(write(fd, "-1", 2), EINVAL);
}

TEST(limits_are_not_for_users)
{
	as_user();
	ERR(open(max_path("uts"), O_WRONLY), EACCES);
	close(OK(open(max_path("uts"), O_RDONLY)));
}

/* N more of a kind, each held by a process of its own: the one after that is refused. */
static void count_kind(const char *kind, int flag, int n)
{
	int go[2];
	char c;

	OK(pipe(go));
	for (int i = 0; i <= n; i++) {
		int told[2];

		OK(pipe(told));
		if (OK(fork()) == 0) {
			int r = unshare(flag) ? errno : 0;

			OK(write(told[1], &r, sizeof(r)));
			close(go[1]);
			(void)!read(go[0], &c, 1);
			_exit(0);
		}
		int r;

		EQ(read(told[0], &r, sizeof(r)), sizeof(r));
		if (r != (i < n ? 0 : ENOSPC))
			fprintf(stderr, "%s %d of %d: %s\n", kind, i, n, strerror(r));
		EQ(r, i < n ? 0 : ENOSPC);
		close(told[0]);
		close(told[1]);
	}
	close(go[1]);
	for (int i = 0; i <= n; i++)
		CHECK(t_child_ok(-1));
}

TEST(namespaces_are_counted)
{
	own_namespaces(NULL);
	for (int i = 0; i < 4; i++) {
		/*
		 * This process's mount namespace counts, too; and what ends gives its place back,
		 * some time after.
		 */
		put(max_path(kinds[i].name), kinds[i].flag == CLONE_NEWNS ? "4" : "3");
		count_kind(kinds[i].name, kinds[i].flag, 3);
		put(max_path(kinds[i].name), "2147483647");
	}
	put(max_path("pid"), "0");
	ERR(unshare(CLONE_NEWPID), ENOSPC);
	put(max_path("pid"), "1");
	OK(unshare(CLONE_NEWPID));
}

/* What is made further in counts further out, to who made the namespace on the way. */
TEST(namespaces_count_upwards)
{
	own_namespaces(NULL);
	put(max_path("uts"), "1");
	OK(unshare(CLONE_NEWUSER));
	EQ(max_of("uts"), INT_MAX);
	OK(unshare(CLONE_NEWUTS));
	if (OK(fork()) == 0) {
		ERR(unshare(CLONE_NEWUTS), ENOSPC);
		_exit(0);
	}
	CHECK(t_child_ok(-1));
}

TEST(nested_user_namespaces)
{
	int n = 0;

	as_user();
	OK(prctl(PR_SET_DUMPABLE, 1));
	while (unshare(CLONE_NEWUSER) == 0) {
		put("/proc/self/uid_map", "1000 1000 1");
		put("/proc/self/setgroups", "deny");
		put("/proc/self/gid_map", "1000 1000 1");
		n++;
		CHECK(n < 100);
	}
	EQ(errno, ENOSPC);
	EQ(n, 33);
}

static int deeper(void *arg)
{
	static char stack[16384] __attribute__((aligned(16)));
	long n = (long)arg;
	int status;
	pid_t pid = clone(deeper, stack + sizeof(stack), CLONE_NEWPID | SIGCHLD, (void *)(n + 1));

	if (pid < 0)
		_exit(errno == ENOSPC ? (int)n : 99);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	_exit(WEXITSTATUS(status));
}

TEST(nested_pid_namespaces)
{
	if (OK(fork()) == 0)
		deeper((void *)0);
	int status;

	OK(wait(&status));
	CHECK(WIFEXITED(status));
	EQ(WEXITSTATUS(status), 32);
}

/* ---- memory that may outlive who made it ---- */

#define LASTING "/proc/sys/vm/user_lasting_kbytes"

static char lasting_before[40];

/* RUN in a process of its own went well. The limit is back whatever happened. */
static bool with_limit(const char *kbytes, void (*run)(void))
{
	int fd = open(LASTING, O_RDONLY);
	pid_t pid;
	bool ok;

	if (fd < 0)
		SKIP("Linux has no such limit");
	CHECK(read(fd, lasting_before, sizeof(lasting_before) - 1) > 1);
	close(fd);
	put(LASTING, kbytes);
	pid = fork();
	if (pid == 0) {
		run();
		_exit(0);
	}
	ok = t_child_ok(pid);
	put(LASTING, lasting_before);
	return ok;
}

static void nothing_more(void)
{
	static struct {
		long type;
		char text[8];
	} m = { .type = 1 };
	int queue = OK(msgget(IPC_PRIVATE, IPC_CREAT | 0600)), fd = OK(memfd_create("m", 0));
	char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	OK(msgctl(queue, IPC_RMID, NULL));
	queue = OK(msgget(IPC_PRIVATE, IPC_CREAT | 0666));
	CHECK(shared != MAP_FAILED);
	EQ(write(fd, "x", 1), 1);			/* root may */
	as_user();
	ERR(pwrite(fd, "x", 1, 1 << 20), ENOSPC);
	EQ(pwrite(fd, "x", 1, 1), 1);			/* in a page that is there */
	ERR(open("/tmp/new", O_CREAT | O_WRONLY, 0600), ENOSPC);
	ERR(symlink("a", "/tmp/new"), ENOSPC);
	ERR(memfd_create("m", 0), ENOSPC);
	ERR(msgget(IPC_PRIVATE, IPC_CREAT | 0600), ENOMEM);
	ERR(msgsnd(queue, &m, sizeof(m.text), IPC_NOWAIT), ENOMEM);
	ERR(semget(IPC_PRIVATE, 1, IPC_CREAT | 0600), ENOMEM);
	ERR(shmget(IPC_PRIVATE, 1, IPC_CREAT | 0600), ENOMEM);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) ==
	      MAP_FAILED);
	if (fork() == 0) {
		signal(SIGBUS, SIG_DFL);
		*(volatile char *)shared = 1;
		_exit(0);
	}
	int status;

	OK(wait(&status));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

TEST(what_stays_is_limited)
{
	OK(unshare(CLONE_NEWIPC));
	CHECK(with_limit("0", nothing_more));
}

static void a_page(void)
{
	as_user();
	_exit(write(OK(memfd_create("m", 0)), "x", 1) != 1);
}

/* Much more in all than is left, of which nothing stays. */
static void again_and_again(void)
{
	static struct {
		long type;
		char text[4000];
	} m = { .type = 1 };

	as_user();
	for (int i = 0; i < 2000; i++) {
		int fd = OK(memfd_create("m", 0)), id,
		    queue = OK(msgget(IPC_PRIVATE, IPC_CREAT | 0600));

		OK(fallocate(fd, 0, 0, 64 << 10));
		close(fd);
		OK(msgsnd(queue, &m, sizeof(m.text), 0));
		EQ(msgrcv(queue, &m, sizeof(m.text), 0, 0), sizeof(m.text));
		OK(msgsnd(queue, &m, sizeof(m.text), 0));
		OK(msgctl(queue, IPC_RMID, NULL));
		id = OK(semget(IPC_PRIVATE, 500, IPC_CREAT | 0600));
		OK(semctl(id, 0, IPC_RMID));
		id = OK(shmget(IPC_PRIVATE, 1 << 20, IPC_CREAT | 0600));
		OK(shmctl(id, IPC_RMID, NULL));
		OK(symlink(numbered("a", i), "/tmp/lasting"));
		OK(unlink("/tmp/lasting"));
	}
}

TEST(what_goes_is_given_back)
{
	unsigned long kbytes = 1 << 10;
	char b[40];

	OK(unshare(CLONE_NEWIPC));
	do {
		kbytes *= 2;
		snprintf(b, sizeof(b), "%lu", kbytes);
		CHECK(kbytes < 1ul << 40);
	} while (!with_limit(b, a_page));
	/* There may be just a page. */
	snprintf(b, sizeof(b), "%lu", kbytes + 512);
	CHECK(with_limit(b, again_and_again));
}

static unsigned int tasks(void)
{
	struct sysinfo s;

	OK(sysinfo(&s));
	return s.procs;
}

#define SPARE 40			/* what the kernel's own threads may take */

/* A process that was waited for counts no more: not later, when its memory comes back. */
TEST(dead_processes_do_not_count)
{
	static const char path[] = "/proc/sys/kernel/threads-max";
	char old[24], low[24];
	int failed = 0;

	snprintf(old, sizeof(old), "%ld", number_in(path));
	snprintf(low, sizeof(low), "%u", tasks() + SPARE);
	put(path, low);
	for (int i = 0; i < 20 * SPARE && !failed; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (pid < 0)
			failed = errno;
		else
			waitpid(pid, NULL, 0);
	}
	put(path, old);
	EQ(failed, 0);
}

#define BURST 300
#define BURSTS 12

static long kernel_stacks(void)		/* KiB */
{
	char line[100];
	long n = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	while (fgets(line, sizeof(line), f))
		sscanf(line, "KernelStack: %ld", &n);
	fclose(f);
	CHECK(n >= 0);
	return n;
}

static void *waits(void *barrier)
{
	pthread_barrier_wait(barrier);
	return NULL;
}

/* Stacks of dead threads go as fast as new ones come, or are used again. */
TEST(stacks_of_the_dead_are_not_kept)
{
	static pthread_t t[BURST];
	pthread_barrier_t barrier;
	pthread_attr_t small;
	long before = kernel_stacks();

	pthread_attr_init(&small);
	EQ(pthread_attr_setstacksize(&small, 16384), 0);
	EQ(pthread_barrier_init(&barrier, NULL, BURST), 0);
	for (int n = 0; n < BURSTS; n++) {
		for (int i = 0; i < BURST; i++)
			EQ(pthread_create(&t[i], &small, waits, &barrier), 0);
		for (int i = 0; i < BURST; i++)
			EQ(pthread_join(t[i], NULL), 0);
	}
	/* 16 KiB each */
	if (kernel_stacks() - before > 16 * BURST * BURSTS / 2)
		FAIL("KernelStack from %ld to %ld", before, kernel_stacks());
}
