// SPDX-License-Identifier: MIT
/*
 * Processes by descriptor. proves: pidfd_open pidfd_send_signal pidfd_getfd clone3 waitid setns
 * process_madvise process_mrelease
 */
#include "t.h"
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define P_PIDFD_ 3
#define PIDFD_THREAD O_EXCL

static int pidfd_open(pid_t pid, unsigned int flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int pidfd_kill(int fd, int sig, siginfo_t *i, unsigned int flags)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, sig, i, flags);
}

static pid_t waiting_child(void)
{
	pid_t pid = OK(fork());

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static short readiness(int fd, int ms)
{
	struct pollfd p = { fd, POLLIN, 0 };

	OK(poll(&p, 1, ms));
	return p.revents;
}

TEST(open_and_poll)
{
	pid_t pid = waiting_child();
	struct epoll_event ev = { .events = EPOLLIN }, got;
	int fd = OK(pidfd_open(pid, 0)), ep = OK(epoll_create1(0)), status;

	EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EQ(readiness(fd, 0), 0);
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	EQ(epoll_wait(ep, &got, 1, 0), 0);
	OK(kill(pid, SIGKILL));
	EQ(epoll_wait(ep, &got, 1, -1), 1);
	CHECK(got.events & EPOLLIN);
	CHECK(readiness(fd, -1) & POLLIN);		/* a zombie: still there to be waited for */
	EQ(pidfd_kill(fd, 0, NULL, 0), 0);
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(readiness(fd, -1) & POLLIN);
	ERR(pidfd_kill(fd, 0, NULL, 0), ESRCH);
	ERR(read(fd, &status, 4), EINVAL);
	close(ep);
	close(fd);
}

/* A process's directory in /proc serves as well, to send signals only. */
TEST(directory_as_pidfd)
{
	pid_t pid = waiting_child();
	char path[64];
	int fd, thread, status;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = OK(open(path, O_DIRECTORY));
	snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, pid);
	thread = OK(open(path, O_DIRECTORY));
	EQ(pidfd_kill(fd, 0, NULL, 0), 0);
	ERR(pidfd_kill(thread, 0, NULL, 0), EBADF);
	ERR(pidfd_kill(OK(open("/proc", O_DIRECTORY)), 0, NULL, 0), EBADF);
	ERR(pidfd_kill(OK(open("/proc/self/stat", O_RDONLY)), 0, NULL, 0), EBADF);
	ERR(syscall(SYS_pidfd_getfd, fd, 0, 0), EBADF);
	EQ(pidfd_kill(fd, SIGTERM, NULL, 0), 0);
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	ERR(pidfd_kill(fd, 0, NULL, 0), ESRCH);
}

TEST(open_errors)
{
	pid_t pid = OK(fork());

	if (pid == 0)
		_exit(0);
	t_wait(pid);
	ERR(pidfd_open(pid, 0), ESRCH);
	ERR(pidfd_open(0, 0), EINVAL);
	ERR(pidfd_open(-1, 0), EINVAL);
	ERR(pidfd_open(getpid(), 1), EINVAL);
	ERR(pidfd_open(getpid(), ~0U), EINVAL);
}

/* The same process is the same inode, another one never. */
TEST(identity)
{
	pid_t pid = waiting_child();
	int a = OK(pidfd_open(pid, 0)), b = OK(pidfd_open(pid, 0)), c = OK(pidfd_open(getpid(), 0));
	char link[64], path[40], info[600];
	struct stat sa, sb, sc;
	ssize_t n;
	int fd;

	OK(fstat(a, &sa));
	OK(fstat(b, &sb));
	OK(fstat(c, &sc));
	EQ(sa.st_ino, sb.st_ino);
	EQ(sa.st_dev, sb.st_dev);
	if (S_ISREG(sa.st_mode))			/* since Linux 6.9 */
		CHECK(sa.st_ino != sc.st_ino);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", a);
	n = OK(readlink(path, link, sizeof(link) - 1));
	link[n] = 0;
	CHECK(strstr(link, "pidfd"));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", a);
	fd = OK(open(path, O_RDONLY));
	n = OK(read(fd, info, sizeof(info) - 1));
	info[n] = 0;
	snprintf(path, sizeof(path), "Pid:\t%d\nNSpid:\t%d\n", pid, pid);
	CHECK(strstr(info, path));
	OK(kill(pid, SIGKILL));
	t_wait(pid);
	n = OK(pread(fd, info, sizeof(info) - 1, 0));
	info[n] = 0;
	CHECK(strstr(info, "Pid:\t-1"));
}

static volatile siginfo_t seen;

static void note(int sig, siginfo_t *i, void *ctx)
{
	(void)sig;
	(void)ctx;
	memcpy((void *)&seen, i, sizeof(*i));
}

TEST(send_signal)
{
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	int fd = OK(pidfd_open(getpid(), 0)), p[2], status;
	siginfo_t i = { 0 };
	pid_t pid;

	OK(sigaction(SIGUSR1, &sa, NULL));
	OK(pidfd_kill(fd, SIGUSR1, NULL, 0));
	EQ(seen.si_signo, SIGUSR1);
	EQ(seen.si_code, SI_USER);
	EQ(seen.si_pid, getpid());
	i.si_signo = SIGUSR1;
	i.si_code = SI_QUEUE;
	i.si_value.sival_int = 4711;
	OK(pidfd_kill(fd, SIGUSR1, &i, 0));
	EQ(seen.si_value.sival_int, 4711);
	ERR(pidfd_kill(fd, SIGUSR2, &i, 0), EINVAL);		/* not what the info says */
	ERR(pidfd_kill(fd, 99, NULL, 0), EINVAL);
	ERR(pidfd_kill(fd, 0, NULL, 64), EINVAL);
	ERR(pidfd_kill(fd, SIGUSR1, (siginfo_t *)8, 0), EFAULT);
	ERR(pidfd_kill(99, 0, NULL, 0), EBADF);
	OK(pipe(p));
	ERR(pidfd_kill(p[0], 0, NULL, 0), EBADF);
	/* the older kind of descriptor for a process */
	int proc = OK(open("/proc/self", O_RDONLY | O_DIRECTORY));

	memset((void *)&seen, 0, sizeof(seen));
	OK(pidfd_kill(proc, SIGUSR1, NULL, 0));
	EQ(seen.si_signo, SIGUSR1);
	ERR(pidfd_kill(OK(open("/proc", O_RDONLY | O_DIRECTORY)), 0, NULL, 0), EBADF);
	ERR(pidfd_kill(OK(open("/proc/thread-self", O_RDONLY | O_DIRECTORY)), 0, NULL, 0), EBADF);
	pid = waiting_child();
	close(fd);
	fd = OK(pidfd_open(pid, 0));
	i.si_code = SI_USER;
	ERR(pidfd_kill(fd, SIGUSR1, &i, 0), EPERM);		/* to pretend to be somebody else */
	if (fork() == 0) {
		if (setgid(1234) || setuid(1234))
			_exit(1);
		ERR(pidfd_kill(fd, SIGKILL, NULL, 0), EPERM);
		_exit(0);
	}
	wait(&status);
	EQ(status, 0);
	OK(pidfd_kill(fd, SIGTERM, NULL, 0));
	EQ(waitpid(pid, &status, 0), pid);
	EQ(WTERMSIG(status), SIGTERM);
}

static pid_t tid;
static int ready[2];

static void *thread(void *arg)
{
	sigset_t none;

	sigemptyset(&none);
	tid = (pid_t)syscall(SYS_gettid);
	CHECK(write(ready[1], "x", 1) == 1);
	(void)arg;
	while (seen.si_signo != SIGUSR2)
		sigsuspend(&none);
	return (void *)(long)syscall(SYS_gettid);
}

/*
 * Of a thread that leads nothing there is a descriptor with PIDFD_THREAD only; it sees the thread's
 * end, the process going on.
 */
TEST(threads)
{
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	sigset_t usr2;
	pthread_t t;
	void *ret;
	char c;
	int fd;

	OK(pipe(ready));
	OK(sigaction(SIGUSR2, &sa, NULL));
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &usr2, NULL);
	EQ(pthread_create(&t, NULL, thread, NULL), 0);
	EQ(read(ready[0], &c, 1), 1);
	errno = 0;
	EQ(pidfd_open(tid, 0), -1);
	CHECK(errno == ENOENT || errno == EINVAL);		/* EINVAL until Linux 6.14 */
	fd = pidfd_open(tid, PIDFD_THREAD);
	if (fd < 0 && errno == EINVAL)
		SKIP("older than descriptors of threads");
	EQ(readiness(fd, 0), 0);
	OK(pidfd_kill(fd, SIGUSR2, NULL, 0));
	CHECK(readiness(fd, -1) & POLLIN);
	EQ(pthread_join(t, &ret), 0);
	EQ((long)ret, tid);
	EQ(seen.si_code, SI_TKILL);
}

static pid_t clone_pidfd(int *fd, unsigned long long more)
{
	struct clone_args a = { .flags = CLONE_PIDFD | more,
				.pidfd = (unsigned long)fd,
				.exit_signal = SIGCHLD };

	return (pid_t)syscall(SYS_clone3, &a, sizeof(a));
}

TEST(clone_gives_one)
{
	int fd = -1, status, before, after;
	pid_t pid = OK(clone_pidfd(&fd, 0));
	siginfo_t i;

	if (pid == 0)
		_exit(fcntl(fd, F_GETFD) < 0 ? 33 : 1);		/* the child has none */
	CHECK(fd >= 0);
	EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK(readiness(fd, -1) & POLLIN);
	memset(&i, 0, sizeof(i));
	OK(waitid(P_PIDFD_, (id_t)fd, &i, WEXITED | WNOWAIT));
	EQ(i.si_pid, pid);
	OK(waitid(P_PIDFD_, (id_t)fd, &i, WEXITED));
	EQ(i.si_status, 33);
	ERR(waitid(P_PIDFD_, (id_t)fd, &i, WEXITED), ECHILD);
	ERR(waitid(P_PIDFD_, 99, &i, WEXITED), EBADF);
	/* A bad place for the number: no child, no descriptor. */
	before = dup(0);
	close(before);
	ERR(clone_pidfd((int *)8, 0), EFAULT);
	after = dup(0);
	close(after);
	EQ(before, after);
	ERR(wait(&status), ECHILD);
}

TEST(clone_old_way)
{
	int fd = -1;
	pid_t pid = (pid_t)OK(syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, NULL));

	if (pid == 0)
		_exit(0);
	CHECK(fd >= 0);
	OK(waitid(P_PIDFD_, (id_t)fd, NULL, WEXITED));
	ERR(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, NULL, &fd, NULL, NULL),
	    EINVAL);
}

TEST(waiting_without_blocking)
{
	pid_t pid = waiting_child();
	int fd = OK(pidfd_open(pid, O_NONBLOCK));
	siginfo_t i = { 0 };

	ERR(waitid(P_PIDFD_, (id_t)fd, &i, WEXITED), EAGAIN);
	EQ(waitid(P_PIDFD_, (id_t)fd, &i, WEXITED | WNOHANG), 0);
	EQ(i.si_pid, 0);
	OK(kill(pid, SIGKILL));
	CHECK(readiness(fd, -1) & POLLIN);
	OK(waitid(P_PIDFD_, (id_t)fd, &i, WEXITED));
	EQ(i.si_pid, pid);
	/* no child of ours */
	ERR(waitid(P_PIDFD_, (id_t)OK(pidfd_open(getppid(), 0)), &i, WEXITED), ECHILD);
}

TEST(getfd)
{
	int p[2], status, fd, copy;
	pid_t pid;
	char c;

	OK(pipe(p));
	pid = OK(fork());
	if (pid == 0) {
		OK(dup2(p[1], 50));
		CHECK(write(p[1], "r", 1) == 1);
		for (;;)
			pause();
	}
	close(p[1]);
	EQ(read(p[0], &c, 1), 1);
	fd = OK(pidfd_open(pid, 0));
	copy = OK((int)syscall(SYS_pidfd_getfd, fd, 50, 0));
	EQ(fcntl(copy, F_GETFD), FD_CLOEXEC);
	EQ(write(copy, "!", 1), 1);    /* it is the child's end of the pipe */
	EQ(read(p[0], &c, 1), 1);
	EQ(c, '!');
	ERR(syscall(SYS_pidfd_getfd, fd, 51, 0), EBADF);
	ERR(syscall(SYS_pidfd_getfd, fd, 50, 1), EINVAL);
	ERR(syscall(SYS_pidfd_getfd, 99, 50, 0), EBADF);
	if (fork() == 0) {
		if (setgid(1234) || setuid(1234))
			_exit(1);
		ERR(syscall(SYS_pidfd_getfd, fd, 50, 0), EPERM);
		_exit(0);
	}
	wait(&status);
	EQ(status, 0);
	OK(kill(pid, SIGKILL));
	t_wait(pid);
	ERR(syscall(SYS_pidfd_getfd, fd, 50, 0), ESRCH);
}

/* Several namespaces of a process at once. */
TEST(setns_by_process)
{
	char mine[64], theirs[64], path[40], c;
	pid_t pid, in;
	ssize_t n;
	int fd, p[2], status;

	OK(pipe(p));
	pid = OK(fork());
	if (pid == 0) {
		OK(unshare(CLONE_NEWUTS | CLONE_NEWNS));
		OK(sethostname("other", 5));
		CHECK(write(p[1], "x", 1) == 1);
		for (;;)
			pause();
	}
	EQ(read(p[0], &c, 1), 1);
	fd = OK(pidfd_open(pid, 0));
	in = OK(fork());
	if (in == 0) {
		ERR(syscall(SYS_setns, fd, 0), EINVAL);
		ERR(syscall(SYS_setns, fd, 1), EINVAL);
		OK(syscall(SYS_setns, fd, CLONE_NEWUTS | CLONE_NEWNS));
		OK(gethostname(mine, sizeof(mine)));
		CHECK(!strcmp(mine, "other"));
		snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
		n = OK(readlink(path, theirs, sizeof(theirs) - 1));
		theirs[n] = 0;
		n = OK(readlink("/proc/self/ns/mnt", mine, sizeof(mine) - 1));
		mine[n] = 0;
		CHECK(!strcmp(mine, theirs));
		_exit(0);
	}
	EQ(waitpid(in, &status, 0), in);
	EQ(status, 0);
	OK(kill(pid, SIGKILL));
	t_wait(pid);
}

static void own_uts(char *link)
{
	ssize_t n = OK(readlink("/proc/self/ns/uts", link, 63));

	link[n] = 0;
}

/* All of them, or none: neither rights nor names nor the root are changed by a call that fails. */
TEST(setns_all_or_nothing)
{
	char before[64], after[64], c;
	struct stat root, now;
	int fd, p[2], status;
	pid_t pid, in;

	OK(pipe(p));
	pid = OK(fork());
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWIPC))
			_exit(1);
		CHECK(write(p[1], "x", 1) == 1);
		for (;;)
			pause();
	}
	close(p[1]);
	if (read(p[0], &c, 1) != 1)
		SKIP("no user namespaces");
	fd = OK(pidfd_open(pid, 0));
	in = OK(fork());
	if (in == 0) {
		OK(setresgid(1234, 1234, 1234));
		OK(setresuid(1234, 1234, 1234));	/* and no rights over it */
		ERR(syscall(SYS_setns, fd, CLONE_NEWUTS | CLONE_NEWNS), EPERM);
		_exit(0);
	}
	EQ(waitpid(in, &status, 0), in);
	EQ(status, 0);
	in = OK(fork());
	if (in == 0) {
		/*
		 * The namespace of processes is not below that of this one any more: the last one
		 * fails.
		 */
		OK(unshare(CLONE_NEWPID | CLONE_NEWUTS));
		own_uts(before);
		OK(stat("/", &root));
		if (fork() == 0) {
			CHECK(getpid() == 1);
			ERR(syscall(SYS_setns, fd,
				    CLONE_NEWUSER | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWIPC |
					    CLONE_NEWPID),
			    EINVAL);
			own_uts(after);
			CHECK(!strcmp(before, after));
			OK(stat("/", &now));
			CHECK(root.st_dev == now.st_dev && root.st_ino == now.st_ino);
			OK(sethostname("mine", 4));	/* of the first user namespace still */
			OK(syscall(SYS_setns, fd,
				   CLONE_NEWUSER | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWIPC));
			own_uts(after);
			CHECK(strcmp(before, after));
			_exit(0);
		}
		wait(&status);
		_exit(status != 0);
	}
	EQ(waitpid(in, &status, 0), in);
	EQ(status, 0);
	OK(kill(pid, SIGKILL));
	t_wait(pid);
}

struct info {
	unsigned long long mask, cgroup;
	unsigned int pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int exit_code;
};
#define GET_INFO _IOWR(0xff, 11, struct info)
#define GET_UTS _IO(0xff, 10)

TEST(ioctls)
{
	pid_t pid = waiting_child();
	int fd = OK(pidfd_open(pid, 0)), ns, status;
	struct info i = { .mask = 3 };
	struct stat a, b;

	if (ioctl(fd, GET_INFO, &i) < 0 && (errno == EINVAL || errno == ENOTTY))
		SKIP("older than these");
	CHECK((i.mask & 3) == 3);
	EQ(i.pid, pid);
	EQ(i.tgid, pid);
	EQ(i.ppid, getpid());
	EQ(i.euid, 0);
	ns = OK(ioctl(fd, GET_UTS, 0));
	OK(fstat(ns, &a));
	OK(stat("/proc/self/ns/uts", &b));
	EQ(a.st_ino, b.st_ino);
	ERR(ioctl(fd, 12345, 0), ENOTTY);
	ERR(ioctl(fd, GET_INFO, 8), EFAULT);
	if (OK(fork()) == 0) {
		OK(unshare(CLONE_NEWPID));
		pid_t in = OK(fork());

		if (in == 0) {			/* where that process has no number */
			ERR(ioctl(fd, GET_INFO, &i), EREMOTE);
			_exit(0);
		}
		_exit(!t_child_ok(in));
	}
	wait(&status);
	EQ(status, 0);
	OK(kill(pid, SIGTERM));
	EQ(waitpid(pid, &status, 0), pid);
	i.mask = 3;
	ERR(ioctl(fd, GET_INFO, &i), ESRCH);
	i.mask = 8;
	if (ioctl(fd, GET_INFO, &i) < 0)
		SKIP("older than exit codes");
	CHECK(i.mask & 8);
	EQ(i.exit_code, SIGTERM);
}

TEST(advice_for_another)
{
	char *m = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec v[2] = { { m, PAGE }, { m + PAGE, PAGE } }, hole = { (void *)PAGE, PAGE };
	int self, fd;
	pid_t pid;

	m[0] = m[PAGE] = 1;
	pid = waiting_child();
	fd = OK(pidfd_open(pid, 0));
	self = OK(pidfd_open(getpid(), 0));
	EQ(syscall(SYS_process_madvise, fd, v, 2, 20 /* COLD */, 0), 2 * PAGE);
	/* not to somebody else */
	ERR(syscall(SYS_process_madvise, fd, v, 2, MADV_DONTNEED, 0), EINVAL);
	ERR(syscall(SYS_process_madvise, fd, v, 2, 20, 1), EINVAL);
	ERR(syscall(SYS_process_madvise, fd, &hole, 1, 20, 0), ENOMEM);
	ERR(syscall(SYS_process_madvise, 99, v, 2, 20, 0), EBADF);
	EQ(syscall(SYS_process_madvise, self, v, 1, 20, 0), PAGE);
	EQ(m[0], 1);
	OK(kill(pid, SIGKILL));
	t_wait(pid);
	ERR(syscall(SYS_process_madvise, fd, v, 2, 20, 0), ESRCH);
}

/*
 * Forks into a namespace whose init is just dying: none outlives it, or it would wait for that one
 * for ever.
 */
TEST(fork_as_init_dies)
{
	for (int i = 0; i < 20; i++) {
		pid_t outer = OK(fork()), init, p;

		if (outer) {
			CHECK(t_child_ok(outer));
			continue;
		}
		OK(unshare(CLONE_NEWPID));
		init = waiting_child();
		OK(kill(init, SIGKILL));
		for (int n = 0; (p = fork()) >= 0; n++) {
			if (!p)
				for (;;)
					pause();
			if (n > 10)		/* let it come to its end */
				t_sleep_ms(1);
		}
		EQ(errno, ENOMEM);
		while (wait(NULL) > 0)
			;
		EQ(errno, ECHILD);
		ERR(fork(), ENOMEM);
		_exit(0);
	}
}

static void *end_init(void *arg)
{
	t_sleep_ms(20);
	exit(3);
}

/* The init of a namespace has threads, and its leader ends first. */
TEST(init_with_threads)
{
	pid_t outer = OK(fork()), init;
	pthread_t t;
	int status;

	if (outer == 0) {
		OK(unshare(CLONE_NEWPID));
		init = OK(fork());
		if (init == 0) {
			waiting_child();
			pthread_create(&t, NULL, end_init, NULL);
			syscall(SYS_exit, 0);
		}
		EQ(waitpid(init, &status, 0), init);
		CHECK(WIFEXITED(status));
		EQ(WEXITSTATUS(status), 3);
		_exit(0);
	}
	CHECK(t_child_ok(outer));
}

static void *exec_from_thread(void *arg)
{
	char n[12];

	snprintf(n, sizeof(n), "%d", atoi(getenv("EXECS")) - 1);
	setenv("EXECS", n, 1);
	execl("/proc/self/exe", "pidfd", "none", NULL);
	_exit(1);
}

/*
 * This program run again by the test below: a thread that is not the leader runs it once more,
 * until it was enough.
 */
__attribute__((constructor)) static void exec_again(void)
{
	const char *n = getenv("EXECS");
	pthread_t t;

	if (!n)
		return;
	if (!atoi(n))
		_exit(0);
	pthread_create(&t, NULL, exec_from_thread, NULL);
	for (;;)
		pause();
}

TEST(exec_by_a_thread_is_no_gap)
{
	pid_t pid = OK(fork()), p = 0;
	int status;

	if (pid == 0) {
		setenv("EXECS", "40", 1);
		execl("/proc/self/exe", "pidfd", "none", NULL);
		_exit(1);
	}
	while (!p) {
		for (int i = 0; i < 200; i++)
			OK(kill(pid, 0));
		p = OK(waitpid(pid, &status, WNOHANG));
	}
	CHECK(WIFEXITED(status));
	EQ(WEXITSTATUS(status), 0);
}

static long mrelease(int fd, unsigned int flags)
{
	return syscall(SYS_process_mrelease, fd, flags);
}

static unsigned long resident(pid_t pid)
{
	char path[40], b[64] = "";
	unsigned long size = 0, rss = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	fd = OK(open(path, O_RDONLY));
	CHECK(read(fd, b, sizeof(b) - 1) > 0);
	close(fd);
	EQ(sscanf(b, "%lu %lu", &size, &rss), 2);
	return rss;
}

static int with_memory(void *arg)
{
	memset(arg, 1, 64 * PAGE);
	syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
	syscall(SYS_kill, syscall(SYS_getpid), SIGSTOP);
	syscall(SYS_exit_group, 0);
	return 0;
}

/* A child with memory, to be stopped in its exit; FLAGS: of clone(2). */
static pid_t stops_in_exit(int *fd, int flags)
{
	char *p = mmap(NULL, 80 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid = OK(clone(with_memory, p + 80 * PAGE, flags | SIGCHLD, p));

	EQ(waitpid(pid, NULL, 0), pid);
	OK(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT));
	*fd = OK(pidfd_open(pid, 0));
	return pid;
}

static void go_on_to_exit(pid_t pid)
{
	int status;

	OK(ptrace(PTRACE_CONT, pid, 0, 0));
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status >> 8, SIGTRAP | PTRACE_EVENT_EXIT << 8);
}

TEST(memory_of_the_dying)
{
	int fd, status;
	pid_t pid = stops_in_exit(&fd, 0);

	ERR(mrelease(fd, 1), EINVAL);
	ERR(mrelease(-1, 0), EBADF);
	ERR(mrelease(0, 0), EBADF);
	ERR(mrelease(fd, 0), EINVAL);		/* it lives */
	CHECK(resident(pid) >= 64);
	go_on_to_exit(pid);
	OK(mrelease(fd, 0));
	CHECK(resident(pid) < 64);
	OK(ptrace(PTRACE_CONT, pid, 0, 0));
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	ERR(mrelease(fd, 0), ESRCH);
}

/* Who lives in the same memory keeps it. */
TEST(memory_of_the_dying_and_the_living)
{
	int fd, own = OK(pidfd_open(getpid(), 0));
	pid_t pid;

	ERR(mrelease(own, 0), EINVAL);
	pid = stops_in_exit(&fd, CLONE_VM);
	go_on_to_exit(pid);
	ERR(mrelease(fd, 0), EINVAL);
	OK(ptrace(PTRACE_CONT, pid, 0, 0));
	EQ(waitpid(pid, NULL, 0), pid);
}

static pid_t clone_as(pid_t number)
{
	struct clone_args a = { .exit_signal = SIGCHLD,
				.set_tid = (unsigned long)&number,
				.set_tid_size = 1 };

	return (pid_t)syscall(SYS_clone3, &a, sizeof(a));
}

/* The first process of a namespace is its init, after failed forks too. */
TEST(first_of_a_namespace_fails)
{
	pid_t outer = OK(fork()), init, p;
	int status;

	if (outer) {
		CHECK(t_child_ok(outer));
		return;
	}
	OK(unshare(CLONE_NEWPID));
	for (int i = 0; i < 3; i++)
		ERR(clone_pidfd((int *)8, 0), EFAULT);
	ERR(clone_as(2), EINVAL);
	init = OK(fork());
	if (init == 0) {
		EQ(getpid(), 1);
		p = OK(fork());
		if (p == 0) {
			EQ(getpid(), 2);
			OK(fork());		/* an orphan */
			_exit(0);
		}
		while ((p = wait(&status)) > 0)
			EQ(status, 0);
		EQ(errno, ECHILD);
		_exit(0);
	}
	CHECK(t_child_ok(init));
	ERR(clone_as(1), ENOMEM);
	_exit(0);
}

static void *pretends(void *arg)
{
	siginfo_t i;

	memset(&i, 0, sizeof(i));
	i.si_signo = SIGUSR1;
	i.si_code = SI_USER;
	ERR(pidfd_kill(*(int *)arg, SIGUSR1, &i, 0), EPERM);
	i.si_code = SI_QUEUE;
	OK(pidfd_kill(*(int *)arg, SIGUSR1, &i, 0));
	return NULL;
}

/* A signal with the kernel's si_code goes from a thread to itself alone. */
TEST(only_oneself_is_told_anything)
{
	int fd = OK(pidfd_open(getpid(), 0));
	pthread_t t;
	siginfo_t i;

	signal(SIGUSR1, SIG_IGN);
	memset(&i, 0, sizeof(i));
	i.si_signo = SIGUSR1;
	i.si_code = SI_USER;
	OK(pidfd_kill(fd, SIGUSR1, &i, 0));
	EQ(pthread_create(&t, NULL, pretends, &fd), 0);
	EQ(pthread_join(t, NULL), 0);
}
