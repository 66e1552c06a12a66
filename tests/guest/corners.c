// SPDX-License-Identifier: MIT
/* Answers of system calls at the edges of what they take, as Linux gives them. proves: mmap
 * set_mempolicy futex clone waitid pread64 sendfile copy_file_range setns pidfd_open
 * clock_nanosleep ioctl capget process_vm_readv mremap fallocate prctl pwritev2 pipe2 madvise */
#include "t.h"
#include <dirent.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/mempolicy.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#ifndef MAP_32BIT
#define MAP_32BIT 0x40
#endif

/* ---- memory ---- */

#ifdef __x86_64__
TEST(below_two_gigabytes)
{
	for (int i = 0; i < 100; i++) {
		unsigned long p = (unsigned long)mmap(
			NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

		CHECK(p != (unsigned long)MAP_FAILED && p >= 0x40000000 && p < 0x80000000);
	}
	/* More than there is of it. */
	CHECK(mmap(NULL, 0x40000001, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_32BIT, -1, 0) == MAP_FAILED);
	EQ(errno, ENOMEM);
	/* A hint beyond it is no hint. */
	CHECK((unsigned long)mmap((void *)0x100000000, PAGE, PROT_READ,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0) < 0x80000000);
}

/* The thread register takes addresses of user space only. */
TEST(a_thread_register_out_of_range)
{
	static char stack[65536];

	ERR(syscall(SYS_clone, CLONE_VM | CLONE_SETTLS | SIGCHLD, stack + sizeof(stack), NULL, NULL,
		    1ul << 60),
	    EPERM);
	ERR(syscall(SYS_clone, CLONE_VM | CLONE_SETTLS | SIGCHLD, stack + sizeof(stack), NULL, NULL,
		    ~0ul),
	    EPERM);
}
#endif

static void offset_fails(int fd, unsigned long offset, size_t len)
{
	CHECK((long)syscall(SYS_mmap, NULL, len, PROT_READ, MAP_SHARED, fd, offset) == -1);
	EQ(errno, EOVERFLOW);
}

TEST(offsets_that_no_file_has)
{
	int fd = OK(open("/tmp/corners.map", O_RDWR | O_CREAT | O_TRUNC, 0600));
	const unsigned long top = 0x7fffffffffffffff & ~((unsigned long)PAGE - 1);

	offset_fails(fd, -(unsigned long)PAGE, PAGE);
	offset_fails(fd, -(unsigned long)PAGE, 2 * PAGE);
	offset_fails(fd, 1ul << 63, PAGE);
	offset_fails(fd, top, PAGE);
	offset_fails(fd, top - PAGE, 2 * PAGE);
	CHECK((long)syscall(SYS_mmap, NULL, PAGE, PROT_READ, MAP_SHARED, fd, top - PAGE) != -1);
	unlink("/tmp/corners.map");
}

static long set_policy(int mode, unsigned long *mask, unsigned long max)
{
	return syscall(SYS_set_mempolicy, mode, mask, max);
}

TEST(node_masks)
{
	static unsigned long m[1024];

	memset(m, 0, sizeof(m));
	OK(set_policy(MPOL_DEFAULT, NULL, 0));
	OK(set_policy(MPOL_DEFAULT, m, 64));
	OK(set_policy(MPOL_PREFERRED, NULL, 0));
	OK(set_policy(MPOL_PREFERRED, m, 64));
	OK(set_policy(MPOL_LOCAL, NULL, 0));
	ERR(set_policy(MPOL_BIND, m, 64), EINVAL);
	ERR(set_policy(MPOL_BIND, NULL, 0), EINVAL);
	ERR(set_policy(MPOL_INTERLEAVE, m, 64), EINVAL);
	m[0] = 1;
	OK(set_policy(MPOL_BIND, m, 64));
	OK(set_policy(MPOL_BIND, m, 2));
	ERR(set_policy(MPOL_BIND, m, 1), EINVAL);		/* a mask of no bits */
	ERR(set_policy(MPOL_DEFAULT, m, 64), EINVAL);
	ERR(set_policy(MPOL_LOCAL, m, 64), EINVAL);
	OK(set_policy(MPOL_INTERLEAVE | MPOL_F_STATIC_NODES, m, 64));
	ERR(set_policy(MPOL_INTERLEAVE | MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES, m, 64),
	    EINVAL);
	ERR(set_policy(99, m, 64), EINVAL);
	m[0] = 2;
	ERR(set_policy(MPOL_BIND, m, 64), EINVAL);		/* a node that there is not */
	m[0] = 3;
	OK(set_policy(MPOL_BIND, m, 64));			/* one of them there is */
	m[0] = 1;
	OK(set_policy(MPOL_BIND, m, 32768));			/* zeros beyond do not count */
	m[511] = 1;
	ERR(set_policy(MPOL_BIND, m, 32768), EINVAL);
	m[511] = 0;
	ERR(set_policy(MPOL_BIND, m, PAGE * 8 + 2), EINVAL);	/* more than a page of them */
	ERR(set_policy(MPOL_BIND, (void *)8, 64), EFAULT);
	OK(set_policy(MPOL_DEFAULT, NULL, 0));
}

/* ---- futexes ---- */

static uint32_t word;
static pid_t waiter;

static void *wait_on_word(void *op)
{
	__atomic_store_n(&waiter, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	return (void *)syscall(SYS_futex, &word, *(int *)op, 0, NULL, NULL, 0);
}

/*
 * A word of memory that is not shared has a name among all processes and one in its own: they are
 * not the same.
 */
static void two_names(int wait, int wrong, int right)
{
	pthread_t t;

	waiter = 0;
	EQ(pthread_create(&t, NULL, wait_on_word, &wait), 0);
	while (!__atomic_load_n(&waiter, __ATOMIC_ACQUIRE))
		sched_yield();
	t_until_asleep(waiter);
	EQ(syscall(SYS_futex, &word, wrong, 9, NULL, NULL, 0), 0);
	EQ(syscall(SYS_futex, &word, right, 9, NULL, NULL, 0), 1);
	pthread_join(t, NULL);
}

TEST(shared_and_private_names)
{
	two_names(FUTEX_WAIT, FUTEX_WAKE_PRIVATE, FUTEX_WAKE);
	two_names(FUTEX_WAIT_PRIVATE, FUTEX_WAKE, FUTEX_WAKE_PRIVATE);
}

/* ---- processes ---- */

TEST(a_zombie_is_no_stopped_child)
{
	siginfo_t si;
	pid_t pid = OK(fork());

	if (!pid)
		_exit(3);
	OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	ERR(waitid(P_PID, (id_t)pid, &si, WSTOPPED), ECHILD);
	ERR(waitid(P_PID, (id_t)pid, &si, WCONTINUED), ECHILD);
	ERR(waitid(P_PID, (id_t)pid, &si, WSTOPPED | WNOHANG), ECHILD);
	OK(waitid(P_PID, (id_t)pid, &si, WEXITED));
}

static pid_t a_zombie(void)
{
	siginfo_t si;
	pid_t pid = OK(fork());

	if (!pid)
		_exit(3);
	OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	return pid;
}

TEST(namespaces_of_a_zombie)
{
	pid_t pid = a_zombie();
	int fd = (int)OK(syscall(SYS_pidfd_open, pid, 0));

	ERR(setns(fd, CLONE_NEWUTS), ESRCH);
	ERR(setns(fd, CLONE_NEWPID), ESRCH);
	waitpid(pid, NULL, 0);
	ERR(setns(fd, CLONE_NEWUTS), ESRCH);
}

/* What a link of a process says when the process has gone. */
TEST(links_of_a_reaped_process)
{
	char path[64], b[64];
	int p[2], dir, ns, exe, fd;
	pid_t pid;

	OK(pipe(p));
	pid = OK(fork());
	if (!pid) {
		close(p[1]);
		_exit(read(p[0], b, 1) != 0);
	}
	snprintf(path, sizeof(path), "/proc/%d", pid);
	dir = OK(open(path, O_RDONLY | O_DIRECTORY));
	exe = OK(openat(dir, "exe", O_PATH | O_NOFOLLOW));
	ns = OK(openat(dir, "ns/uts", O_PATH | O_NOFOLLOW));
	snprintf(b, sizeof(b), "fd/%d", p[0]);
	fd = OK(openat(dir, b, O_PATH | O_NOFOLLOW));
	CHECK(readlinkat(exe, "", b, sizeof(b)) > 0);
	close(p[1]);
	waitpid(pid, NULL, 0);
	ERR(readlinkat(dir, "exe", b, sizeof(b)), ESRCH);
	ERR(readlinkat(exe, "", b, sizeof(b)), ENOENT);
	ERR(readlinkat(ns, "", b, sizeof(b)), EACCES);
	ERR(readlinkat(fd, "", b, sizeof(b)), ENOENT);
}

static void *sleeps(void *p)
{
	char c;

	return (void *)(read(*(int *)p, &c, 1));
}

TEST(children_by_thread)
{
	char path[64], b[256], want[64];
	pid_t a, c;
	int p[2], fd;
	ssize_t n;
	pthread_t t;

	OK(pipe(p));
	a = OK(fork());
	if (!a)
		_exit((int)read(p[0], b, 1));
	c = OK(fork());
	if (!c)
		_exit((int)read(p[0], b, 1));
	EQ(pthread_create(&t, NULL, sleeps, &p[0]), 0);
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	fd = OK(open(path, O_RDONLY));
	n = OK(read(fd, b, sizeof(b) - 1));
	b[n] = 0;
	snprintf(want, sizeof(want), "%d %d ", a, c);
	EQ(strcmp(b, want), 0);
	close(p[1]);
	kill(a, SIGKILL);
	kill(c, SIGKILL);
	EQ(waitpid(a, NULL, 0), a);
	EQ(waitpid(c, NULL, 0), c);
	EQ(pread(fd, b, sizeof(b), 0), 0);
	_exit(0);
}

TEST(sleeping_by_a_cpu_clock)
{
	struct timespec ts = { 0, 20000000 }, before, after;
	volatile unsigned long spin = 0;
	pid_t pid;

	ERR(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL), EOPNOTSUPP);
	/* Another process's time goes on while this one sleeps. */
	pid = OK(fork());
	if (!pid)
		for (;;)
			spin++;
	clockid_t clock;

	EQ(clock_getcpuclockid(pid, &clock), 0);
	OK(clock_gettime(clock, &before));
	EQ(clock_nanosleep(clock, 0, &ts, NULL), 0);
	OK(clock_gettime(clock, &after));
	CHECK((after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec >=
	      20000000);
	before.tv_nsec = 0;
	EQ(clock_nanosleep(clock, TIMER_ABSTIME, &(struct timespec){ 0, 1 }, NULL), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	EQ(clock_nanosleep(clock, 0, &ts, NULL), EINVAL);
}

/* ---- files ---- */

TEST(no_position_no_pread)
{
	int p[2], fds[6], n = 0;
	sigset_t set;
	char b[256];

	sigemptyset(&set);
	OK(pipe(p));
	fds[n++] = p[0];
	fds[n++] = OK(inotify_init1(IN_NONBLOCK));
	fds[n++] = OK(eventfd(1, EFD_NONBLOCK));
	fds[n++] = OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	fds[n++] = OK(signalfd(-1, &set, SFD_NONBLOCK));
	for (int i = 0; i < n; i++)
		ERR(pread(fds[i], b, sizeof(b), 0), ESPIPE);
	ERR(pwrite(fds[2], b, 8, 0), ESPIPE);
}

/* What an inotify instance has heard. */
static unsigned int heard(int fd)
{
	char b[4096] __attribute__((aligned(8)));
	unsigned int mask = 0;
	ssize_t n = read(fd, b, sizeof(b));

	for (ssize_t at = 0; at < n;) {
		struct inotify_event *e = (void *)(b + at);

		mask |= e->mask;
		at += (ssize_t)(sizeof(*e) + e->len);
	}
	return mask;
}

TEST(an_unlinked_child_is_left_out)
{
	int fd = OK(inotify_init1(IN_NONBLOCK)), all = OK(inotify_init1(IN_NONBLOCK)), f;

	mkdir("/tmp/corners.dir", 0700);
	f = OK(open("/tmp/corners.dir/f", O_RDWR | O_CREAT, 0600));
	OK(inotify_add_watch(fd, "/tmp/corners.dir", IN_MODIFY | IN_EXCL_UNLINK));
	OK(inotify_add_watch(all, "/tmp/corners.dir", IN_MODIFY));
	EQ(write(f, "x", 1), 1);
	EQ(heard(fd), IN_MODIFY);
	EQ(heard(all), IN_MODIFY);
	OK(unlink("/tmp/corners.dir/f"));
	EQ(write(f, "x", 1), 1);
	EQ(heard(fd), 0);
	EQ(heard(all), IN_MODIFY);
	/* So is the watched file itself, by whatever name it was reached. */
	close(f);
	f = OK(open("/tmp/corners.dir/g", O_RDWR | O_CREAT, 0600));
	OK(link("/tmp/corners.dir/g", "/tmp/corners.dir/h"));
	heard(fd);
	OK(inotify_add_watch(fd, "/tmp/corners.dir/g", IN_MODIFY | IN_EXCL_UNLINK));
	EQ(write(f, "x", 1), 1);
	EQ(heard(fd), IN_MODIFY);
	OK(unlink("/tmp/corners.dir/g"));
	EQ(write(f, "x", 1), 1);
	EQ(heard(fd), 0);
	int h = OK(open("/tmp/corners.dir/h", O_RDWR));

	EQ(write(h, "x", 1), 1);
	EQ(heard(fd), IN_MODIFY);
	unlink("/tmp/corners.dir/h");
	rmdir("/tmp/corners.dir");
}

TEST(sendfile_is_reading_and_writing)
{
	int fd = OK(inotify_init1(IN_NONBLOCK)), from, to;

	mkdir("/tmp/corners.sf", 0700);
	from = OK(open("/tmp/corners.sf/from", O_RDWR | O_CREAT, 0600));
	to = OK(open("/tmp/corners.sf/to", O_RDWR | O_CREAT, 0600));
	EQ(write(from, "hello", 5), 5);
	OK(inotify_add_watch(fd, "/tmp/corners.sf/from", IN_ALL_EVENTS));
	EQ(sendfile(to, from, &(off_t){ 0 }, 5), 5);
	EQ(heard(fd), IN_ACCESS);
	OK(inotify_add_watch(fd, "/tmp/corners.sf/to", IN_ALL_EVENTS));
	OK(inotify_rm_watch(fd, 1));
	EQ(heard(fd), IN_IGNORED);
	EQ(sendfile(to, from, &(off_t){ 0 }, 5), 5);
	EQ(heard(fd), IN_MODIFY);
}

TEST(copying_beyond_the_largest_offset)
{
	int a = OK(open("/tmp/corners.a", O_RDWR | O_CREAT | O_TRUNC, 0600)),
	    b = OK(open("/tmp/corners.b", O_RDWR | O_CREAT | O_TRUNC, 0600));
	const off_t max = 0x7fffffffffffffff;
	off_t in = 0, out = max;

	EQ(write(a, "hello", 5), 5);
	ERR(copy_file_range(a, &in, b, &out, 5, 0), EFBIG);
	out = max - 4;
	EQ(copy_file_range(a, &in, b, &out, 5, 0), 4);
	in = max - 1;
	out = 0;
	EQ(copy_file_range(a, &in, b, &out, 5, 0), 0);
	in = -1;
	ERR(copy_file_range(a, &in, b, &out, 5, 0), EOVERFLOW);
	in = -100;
	ERR(copy_file_range(a, &in, b, &out, 5, 0), EINVAL);
	in = 0;
	out = -100;
	ERR(copy_file_range(a, &in, b, &out, 5, 0), EINVAL);
	unlink("/tmp/corners.a");
	unlink("/tmp/corners.b");
}

/* chmod(2): who is not in the file's group may not leave it set-group-ID. */
TEST(removing_an_acl)
{
	static const struct {
		uint32_t version;
		struct {
			uint16_t tag, perm;
			uint32_t id;
		} e[4];
	} list = { 2, { { 1, 7, ~0u }, { 4, 5, ~0u }, { 0x10, 7, ~0u }, { 0x20, 5, ~0u } } };
	const char *f = "/tmp/corners.acl";
	struct stat st;
	pid_t pid;

	unlink(f);
	close(OK(open(f, O_RDWR | O_CREAT, 0600)));
	OK(chown(f, 1000, 2000));
	OK(chmod(f, 02775));
	pid = OK(fork());
	if (!pid) {
		OK(setgid(1000));
		OK(setuid(1000));
		_exit(removexattr(f, "system.posix_acl_access") && errno != ENODATA);
	}
	CHECK(t_child_ok(pid));
	OK(stat(f, &st));
	int without = (int)st.st_mode & 07777;

	OK(chmod(f, 02775));
	OK(setxattr(f, "system.posix_acl_access", &list, sizeof(list), 0));
	OK(stat(f, &st));
	EQ(st.st_mode & 07777, 02775);
	pid = OK(fork());
	if (!pid) {
		OK(setgid(1000));
		OK(setuid(1000));
		_exit(removexattr(f, "system.posix_acl_access") != 0);
	}
	CHECK(t_child_ok(pid));
	OK(stat(f, &st));
	EQ(st.st_mode & 07777, 0775);
	EQ(without, 0775);
	unlink(f);
}

/* ---- settings ---- */

TEST(polling_the_host_name)
{
	int fd = OK(open("/proc/sys/kernel/hostname", O_RDONLY));
	struct pollfd p = { fd, POLLIN | POLLPRI, 0 };
	char b[80];

	OK(unshare(CLONE_NEWUTS));
	close(fd);
	p.fd = fd = OK(open("/proc/sys/kernel/hostname", O_RDONLY));
	CHECK(read(fd, b, sizeof(b)) > 0);
	EQ(poll(&p, 1, 0), 1);
	EQ(p.revents, POLLIN);
	OK(sethostname("corner", 6));
	EQ(poll(&p, 1, 0), 1);
	EQ(p.revents, POLLIN | POLLPRI | POLLERR);
	EQ(poll(&p, 1, 0), 1);
	EQ(p.revents, POLLIN);
	p.events = POLLPRI;
	EQ(poll(&p, 1, 0), 0);
	OK(sethostname("corners", 7));
	EQ(poll(&p, 1, 0), 1);
	EQ(p.revents, POLLPRI | POLLERR);
}

/* ---- terminals ---- */

static int master(char *slave, size_t len)
{
	int m = OK(open("/dev/ptmx", O_RDWR | O_NOCTTY)), n, zero = 0;

	OK(ioctl(m, TIOCSPTLCK, &zero));
	OK(ioctl(m, TIOCGPTN, &n));
	snprintf(slave, len, "/dev/pts/%d", n);
	return m;
}

TEST(a_controlling_terminal_by_its_master)
{
	char name[32];
	int m = master(name, sizeof(name)), fd;
	pid_t pid = OK(fork());

	if (pid) {
		CHECK(t_child_ok(pid));
		return;
	}
	OK(setsid());
	ERR(open("/dev/tty", O_RDWR), ENXIO);
	OK(ioctl(m, TIOCSCTTY, 0));
	fd = OK(open("/dev/tty", O_RDWR | O_NOCTTY));
	EQ(write(fd, "x", 1), 1);
	EQ(tcgetpgrp(fd), getpgrp());
	_exit(0);
}

/* Its foreground group hears of it; who has the pty open goes on using it. */
TEST(a_session_ends_and_its_pty_stays)
{
	char name[32], b[16];
	int m = master(name, sizeof(name)), keep = OK(open(name, O_RDWR | O_NOCTTY)), p[2], status;
	pid_t pid, child;

	OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	OK(pipe(p));
	pid = OK(fork());
	if (!pid) {
		OK(setsid());
		OK(open(name, O_RDWR));
		child = OK(fork());
		if (!child) {
			OK(write(p[1], &(pid_t){ getpid() }, sizeof(pid_t)));
			for (;;)
				pause();
		}
		EQ(read(p[0], &child, sizeof(child)), sizeof(child));
		EQ(write(p[1], &child, sizeof(child)), sizeof(child));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	EQ(read(p[0], &child, sizeof(child)), sizeof(child));
	EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
	EQ(write(keep, "x", 1), 1);
	EQ(read(m, b, sizeof(b)), 1);
	EQ(write(m, "y\n", 2), 2);
	EQ(read(keep, b, sizeof(b)), 2);
	ERR(ioctl(m, TIOCGSID, b), ENOTTY);
	pid = OK(fork());
	if (!pid) {		/* another session may have it */
		OK(setsid());
		OK(ioctl(keep, TIOCSCTTY, 0));
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

/* ---- descriptors of processes ---- */

static int leader_pipe[2];

static void *stays(void *unused)
{
	char c;

	(void)unused;
	while (read(leader_pipe[0], &c, 1) != 0)
		;
	_exit(5);
}

static int polled(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, 0) == 1 ? p.revents : 0;
}

#define THREAD_FD O_EXCL	/* PIDFD_THREAD */

static void until_zombie(pid_t pid)
{
	char path[40], state = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	while (state != 'Z') {
		FILE *f = fopen(path, "r");

		CHECK(f && fscanf(f, "%*d (%*[^)]) %c", &state) == 1);
		fclose(f);
		sched_yield();
	}
}

/* The leader's own end, and its process's. */
TEST(the_leaders_thread_and_its_process)
{
	int whole, thread, status;
	siginfo_t si;
	pthread_t t;
	pid_t pid;

	OK(pipe(leader_pipe));
	pid = OK(fork());
	if (!pid) {
		close(leader_pipe[1]);
		EQ(pthread_create(&t, NULL, stays, NULL), 0);
		syscall(SYS_exit, 0);
	}
	whole = (int)OK(syscall(SYS_pidfd_open, pid, 0));
	thread = (int)OK(syscall(SYS_pidfd_open, pid, THREAD_FD));
	until_zombie(pid);
	EQ(polled(thread), 0);		/* as long as there are other threads */
	EQ(polled(whole), 0);
	OK(syscall(SYS_pidfd_send_signal, whole, 0, NULL, 0));
	OK(syscall(SYS_pidfd_send_signal, thread, 0, NULL, 0));
	EQ(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT), 0);
	close(leader_pipe[1]);
	while (!polled(whole))
		sched_yield();
	EQ(polled(whole), POLLIN);
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	EQ(polled(whole), POLLIN | POLLHUP);
	EQ(polled(thread), POLLIN | POLLHUP);
	ERR(syscall(SYS_pidfd_send_signal, whole, 0, NULL, 0), ESRCH);
}

static void *only_thread(void *tid)
{
	__atomic_store_n((pid_t *)tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	return stays(NULL);
}

/* A thread that leads no process has none of the second kind. */
TEST(a_thread_that_leads_nothing)
{
	static pid_t tid;
	pthread_t t;
	int fd;

	OK(pipe(leader_pipe));
	EQ(pthread_create(&t, NULL, only_thread, &tid), 0);
	while (!__atomic_load_n(&tid, __ATOMIC_ACQUIRE))
		sched_yield();
	ERR(syscall(SYS_pidfd_open, tid, 0), ENOENT);
	fd = (int)OK(syscall(SYS_pidfd_open, tid, THREAD_FD));
	EQ(polled(fd), 0);
	ERR(waitid((idtype_t)3 /* P_PIDFD */, (id_t)fd, NULL, WEXITED | WNOHANG), ECHILD);
	_exit(0);
}

/* ---- what a descriptor can do ---- */

TEST(descriptors_without_a_position)
{
	int fds[] = { OK(syscall(SYS_pidfd_open, getpid(), 0)),
		      OK(open("/proc/self/ns/user", O_RDONLY)) };
	int m = OK(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK));
	char b[8];

	for (int i = 0; i < 2; i++) {
		ERR(lseek(fds[i], 0, SEEK_SET), ESPIPE);
		ERR(lseek(fds[i], 0, SEEK_CUR), ESPIPE);
	}
	ERR(pread(m, b, 1, 0), ESPIPE);
	ERR(pwrite(m, b, 1, 0), ESPIPE);
	ERR(lseek(m, 0, SEEK_SET), ESPIPE);
}

TEST(an_eventfd_takes_eight_bytes)
{
	int fd = OK(eventfd(0, EFD_NONBLOCK));
	uint64_t n[2] = { 1, 1 };

	EQ(write(fd, n, 8), 8);
	ERR(write(fd, n, 4), EINVAL);
	ERR(write(fd, n, 16), EINVAL);
	EQ(read(fd, n, sizeof(n)), 8);
	EQ(n[0], 1);
}

TEST(counts_beyond_an_int)
{
	int fd = OK(open("/proc/self", O_RDONLY | O_DIRECTORY));
	char b[64];
	struct iovec v = { b, sizeof(b) };

	ERR(syscall(SYS_getdents64, fd, b, 0x80000000u), EINVAL);
	ERR(syscall(SYS_getdents64, fd, b, -1), EINVAL);
	/* The number of vectors is an int's. */
	fd = OK(open("/dev/zero", O_RDWR));
	EQ(syscall(SYS_readv, fd, &v, 1ul << 32), 0);
	EQ(syscall(SYS_writev, fd, &v, (1ul << 32) + 1), 64);
	ERR(syscall(SYS_readv, fd, &v, 0xffffffffu), EINVAL);
}

TEST(advice_about_no_offset)
{
	int fd = OK(open("/tmp/corners.advice", O_RDWR | O_CREAT | O_TRUNC, 0600));

	ERR(syscall(SYS_readahead, fd, -1l, 1), EINVAL);
	EQ(syscall(SYS_readahead, fd, 0, 1), 0);
	unlink("/tmp/corners.advice");
}

TEST(a_lock_of_no_kind_before_the_descriptor)
{
	ERR(syscall(SYS_flock, -1, 0), EINVAL);
	ERR(syscall(SYS_flock, -1, 1 | 2), EINVAL);
	ERR(syscall(SYS_flock, -1, 1), EBADF);
}

TEST(whose_signals_a_file_sends)
{
	int fd = OK(eventfd(0, 0));
	uid_t ids[2] = { 7, 7 };

	OK(fcntl(fd, 17 /* F_GETOWNER_UIDS */, ids));
	CHECK(!ids[0] && !ids[1]);
	OK(setresuid(5, 6, 0));
	OK(fcntl(fd, F_SETOWN, getpid()));
	OK(fcntl(fd, 17, ids));
	CHECK(ids[0] == 5 && ids[1] == 6);
	ERR(fcntl(fd, 17, NULL), EFAULT);
}

TEST(times_of_a_setting_are_its_owners)
{
	struct timespec t[2] = { { 1, 1 }, { 1, 1 } };

	OK(utimensat(AT_FDCWD, "/proc/sys/kernel/hostname", t, 0));
	OK(setgid(1000));
	OK(setuid(1000));
	ERR(utimensat(AT_FDCWD, "/proc/sys/kernel/hostname", t, 0), EPERM);
}

TEST(masks_of_no_length)
{
	unsigned long mask[2] = { 0, 7 };

	ERR(syscall(SYS_set_mempolicy, 0, mask, 0), EINVAL);
	EQ(syscall(SYS_set_mempolicy, 0, mask, 1), 0);
	EQ(syscall(SYS_set_mempolicy, 0, NULL, 0), 0);
	EQ(syscall(SYS_get_mempolicy, NULL, mask, 65, NULL, 0), 0);
	EQ(mask[1], 7);
}

TEST(limits_are_told_to_somebody)
{
#ifdef SYS_getrlimit
	ERR(syscall(SYS_getrlimit, 7, NULL), EFAULT);
#endif
	EQ(syscall(SYS_prlimit64, 0, 7, NULL, NULL), 0);
}

TEST(waitid_tells_of_nobody)
{
	siginfo_t info;

	memset(&info, 1, sizeof(info));
	ERR(waitid(P_ALL, 0, &info, 0), EINVAL);
	CHECK(!info.si_signo && !info.si_code && !info.si_pid);
	memset(&info, 1, sizeof(info));
	ERR(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
	CHECK(!info.si_signo && !info.si_code && !info.si_pid);
	ERR(syscall(SYS_waitid, P_ALL, 0, 1ul, WEXITED, NULL), EFAULT);
}

/* What asks for the version of capabilities alone reads and writes no more than that. */
TEST(the_version_of_capabilities)
{
	char *end = (char *)mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) +
		    PAGE;
	uint32_t *v = (uint32_t *)end - 1, data[6], header[2] = { 0x20080522, (uint32_t)-1 };

	OK(munmap(end, PAGE));
	*v = 0x20080522;
	OK(syscall(SYS_capget, v, NULL));
	ERR(syscall(SYS_capget, v, data), EFAULT);
	ERR(syscall(SYS_capset, v, data), EFAULT);
	*v = 1;
	OK(syscall(SYS_capget, v, NULL));
	EQ(*v, 0x20080522);
	*v = 1;
	ERR(syscall(SYS_capset, v, data), EINVAL);
	EQ(*v, 0x20080522);
	OK(syscall(SYS_capget, header, NULL));		/* whatever the process */
	ERR(syscall(SYS_capget, header, data), EINVAL);
}

/* Whose memory comes before where in it; of the count of local vectors 32 bits are looked at. */
TEST(vectors_of_others_memory)
{
	char from[10] = "123456789", to[10] = "";
	struct iovec l = { to, 10 }, r = { from, 10 }, bad = { (void *)~0ul, 10 },
		     none[9] = { { to, 0 } };
	pid_t me = getpid();

	EQ(syscall(SYS_process_vm_readv, me, &l, (1ul << 32) + 1, &r, 1, 0), 10);
	CHECK(!strcmp(from, to));
	EQ(syscall(SYS_process_vm_readv, me, &l, 1ul << 32, &r, 1, 0), 0);
	ERR(syscall(SYS_process_vm_readv, me, &l, 1, &r, (1ul << 32) + 1, 0), EINVAL);
	ERR(syscall(SYS_process_vm_readv, me, &l, 1, &bad, 1, 0), EFAULT);
	ERR(syscall(SYS_process_vm_readv, 0x3fffffff, &l, 1, &bad, 1, 0), ESRCH);
	EQ(syscall(SYS_process_vm_readv, 0x3fffffff, none, 9, &bad, 1, 0), 0);
	EQ(syscall(SYS_process_vm_readv, 0x3fffffff, &l, 1, none, 9, 0), 0);
	r.iov_len = 1ul << 33;
	EQ(syscall(SYS_process_vm_readv, me, &l, 1, &r, 1, 0), 10);
	r.iov_len = -1ul;
	ERR(syscall(SYS_process_vm_readv, me, &l, 1, &r, 1, 0), EINVAL);
}

TEST(sizes_that_no_space_has)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = OK(open("/tmp/corners.large", O_RDWR | O_CREAT, 0600));
	const off_t last = 0x7fffffffffffffff & ~((off_t)PAGE - 1);

	ERR(syscall(SYS_mremap, p, PAGE, 1ul << 62, MREMAP_MAYMOVE), EINVAL);
	ERR(syscall(SYS_mremap, p, PAGE, 1ul << 62, 0), EINVAL);
	ERR(syscall(SYS_mmap, NULL, PAGE, PROT_READ, -1, -1, 0), EINVAL);
	ERR(fallocate(fd, 0, last, PAGE - 1), EFBIG);
	ERR(fallocate(fd, FALLOC_FL_KEEP_SIZE, last, PAGE - 1), EFBIG);
	OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, last, PAGE - 1));
	close(fd);
	unlink("/tmp/corners.large");
}

TEST(advice_of_an_administrator)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	OK(setuid(1000));
	ERR(madvise(p, PAGE, MADV_HWPOISON), EPERM);
	ERR(madvise(p, PAGE, MADV_SOFT_OFFLINE), EPERM);
	ERR(madvise(p + 1, PAGE, MADV_HWPOISON), EINVAL);
	OK(madvise(p, 0, MADV_HWPOISON));
}

TEST(policy_for_failed_memory)
{
	pid_t pid;

	EQ(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_DEFAULT);
	OK(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
	EQ(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_EARLY);
	pid = OK(fork());
	if (!pid)
		_exit(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
	EQ(WEXITSTATUS(t_wait(pid)), PR_MCE_KILL_EARLY);
	OK(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 0, 0));
	EQ(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_LATE);
	OK(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_DEFAULT, 0, 0));
	EQ(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_DEFAULT);
	OK(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
	OK(prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0));
	EQ(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_DEFAULT);
	ERR(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, 3, 0, 0), EINVAL);
	ERR(prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 1, 0, 0), EINVAL);
	ERR(prctl(PR_MCE_KILL, 2, 0, 0, 0), EINVAL);
	ERR(prctl(PR_MCE_KILL, 0, 0, 1, 0), EINVAL);
	ERR(prctl(PR_MCE_KILL_GET, 1, 0, 0, 0), EINVAL);
}

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x100
#endif

TEST(writes_without_a_signal)
{
	struct iovec v = { "x", 1 };
	int p[2], s[2];
	pid_t pid;

	OK(pipe(p));
	OK(close(p[0]));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	OK(close(s[0]));
	if (syscall(SYS_pwritev2, p[1], &v, 1, -1l, 0, RWF_NOSIGNAL) < 0 && errno == EOPNOTSUPP)
		SKIP("an older kernel");
	ERR(syscall(SYS_pwritev2, p[1], &v, 1, -1l, 0, RWF_NOSIGNAL), EPIPE);
	ERR(syscall(SYS_pwritev2, s[1], &v, 1, -1l, 0, RWF_NOSIGNAL), EPIPE);
	for (int i = 0; i < 2; i++) {
		pid = OK(fork());
		if (!pid)
			_exit(syscall(SYS_pwritev2, i ? s[1] : p[1], &v, 1, -1l, 0, 0) < 0);
		EQ(WTERMSIG(t_wait(pid)), SIGPIPE);
	}
}

TEST(pipes_of_notifications)
{
	int p[2];

	ERR(syscall(SYS_pipe2, p, O_EXCL), ENOPKG);
	ERR(syscall(SYS_pipe2, p, O_EXCL | O_CREAT), EINVAL);
}

/* ---- what small calls say ---- */

TEST(ioctls_of_what_has_none)
{
	char b[100];
	int n = 0, fd = OK(open("/tmp/corner", O_CREAT | O_RDWR, 0600)), ep = OK(epoll_create1(0));

	ERR(ioctl(ep, 0x5401 /* TCGETS */, b), EINVAL);
	ERR(ioctl(ep, FIONREAD, &n), EINVAL);
	ERR(ioctl(fd, FIBMAP, &n), EINVAL);
	ERR(ioctl(fd, FIBMAP, 8), EFAULT);
	ERR(ioctl(ep, FIBMAP, &n), EINVAL);
	OK(setuid(1000));
	ERR(ioctl(fd, FIBMAP, &n), EPERM);
	unlink("/tmp/corner");
}

TEST(lists_of_attributes_that_are_empty)
{
	char b[100];
	int p[2];

	OK(pipe(p));
	EQ(listxattr("/proc", b, sizeof(b)), 0);
	EQ(listxattr("/sys", b, sizeof(b)), 0);
	EQ(listxattr("/dev/pts", b, sizeof(b)), 0);
	EQ(llistxattr("/proc/self", b, sizeof(b)), 0);
	EQ(flistxattr(p[0], b, sizeof(b)), 0);
	ERR(getxattr("/sys", "user.x", b, sizeof(b)), ENODATA);
	ERR(getxattr("/sys/kernel", "trusted.x", b, sizeof(b)), ENODATA);
	ERR(getxattr("/proc", "user.x", b, sizeof(b)), EOPNOTSUPP);
	ERR(setxattr("/sys/kernel", "user.x", b, 1, 0), EOPNOTSUPP);
}

TEST(pipes_of_absurd_sizes)
{
	int p[2];

	OK(pipe(p));
	ERR(fcntl(p[1], F_SETPIPE_SZ, 0x80000000u), ENOMEM);
	ERR(fcntl(p[1], F_SETPIPE_SZ, 1u << 30), ENOMEM);
	ERR(fcntl(p[1], F_SETPIPE_SZ, 0x80000001u), EINVAL);
	EQ(fcntl(p[1], F_GETPIPE_SZ), 16 * PAGE);
	EQ(fcntl(p[1], F_SETPIPE_SZ, 0), PAGE);
}

TEST(the_size_of_scheduling_attributes)
{
	uint32_t a[100] = { 64 };

	a[15] = 1;
	ERR(syscall(SYS_sched_setattr, 0, a, 0), E2BIG);
	EQ(a[0], 56);
	a[0] = 47;
	ERR(syscall(SYS_sched_setattr, 0, a, 0), E2BIG);
	EQ(a[0], 56);
	memset(a, 0, sizeof(a));
	a[0] = sizeof(a);
	OK(syscall(SYS_sched_setattr, 0, a, 0));
}

/* ---- memory and mounts ---- */

TEST(guards_of_locked_memory_are_removed)
{
	char *p = OK(
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	OK(madvise(p, PAGE, 102 /* MADV_GUARD_INSTALL */));
	OK(mlock(p + PAGE, PAGE));
	ERR(madvise(p + PAGE, PAGE, 102), EINVAL);
	OK(madvise(p + PAGE, PAGE, 103 /* MADV_GUARD_REMOVE */));
	OK(madvise(p, 2 * PAGE, 103));
	p[0] = 1;
}

TEST(a_heap_that_is_executed)
{
	unsigned long end, a, b;
	char line[300], rights[8];
	FILE *f;
	bool found = false;

	OK(syscall(SYS_personality, 0x400000 /* READ_IMPLIES_EXEC */));
	end = (unsigned long)syscall(SYS_brk, 0);
	EQ(syscall(SYS_brk, end + 64 * PAGE), end + 64 * PAGE);
	f = fopen("/proc/self/maps", "r");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %7s", &a, &b, rights) == 3 && a <= end + 32 * PAGE &&
		    b > end + 32 * PAGE) {
			CHECK(!strcmp(rights, "rwxp"));
			found = true;
		}
	}
	CHECK(found);
}

TEST(limits_that_come_too_late)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mount("t", "/tmp", "tmpfs", 0, "size=0,nr_inodes=0"));
	ERR(mount("t", "/tmp", "tmpfs", MS_REMOUNT, "size=12k"), EINVAL);
	ERR(mount("t", "/tmp", "tmpfs", MS_REMOUNT, "nr_inodes=5"), EINVAL);
	OK(mount("t", "/tmp", "tmpfs", MS_REMOUNT, "size=0"));
	OK(mount("t", "/mnt", "tmpfs", 0, "size=1m"));
	OK(mount("t", "/mnt", "tmpfs", MS_REMOUNT, "size=0"));
	ERR(mount("t", "/mnt", "tmpfs", MS_REMOUNT, "size=1m"), EINVAL);
}

static bool is_dirsync(void)
{
	FILE *f = fopen("/proc/self/mounts", "r");
	char line[400];
	bool is = false;

	while (fgets(line, sizeof(line), f))
		is |= strstr(line, " /mnt ") && strstr(line, "dirsync");
	fclose(f);
	return is;
}

TEST(directories_are_synchronous_from_the_start_or_never)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mount("t", "/mnt", "tmpfs", 0, NULL));
	OK(mount("t", "/mnt", "tmpfs", MS_REMOUNT | MS_DIRSYNC, NULL));
	CHECK(!is_dirsync());
	OK(umount("/mnt"));
	OK(mount("t", "/mnt", "tmpfs", MS_DIRSYNC, NULL));
	OK(mount("t", "/mnt", "tmpfs", MS_REMOUNT, NULL));
	CHECK(is_dirsync());
}

#ifdef __x86_64__
TEST(the_upper_half_of_a_number)
{
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "0"(0x100000000L + SYS_getpid)
			 : "rcx", "r11", "memory");
	EQ(r, getpid());
	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "0"((long)(0xffffffff00000000UL + SYS_getpid))
			 : "rcx", "r11", "memory");
	EQ(r, getpid());
	__asm__ volatile("syscall" : "=a"(r) : "0"(-1L) : "rcx", "r11", "memory");
	EQ(r, -ENOSYS);
}
#endif
