// SPDX-License-Identifier: MIT
/*
 * How the cost of an object grows with how many there are, for any kernel of Linux's ABI: process 1 of a machine that counts instructions as nanoseconds.
 *
 * For each kind of object a child of uid 1000 makes them up to LIMIT. The cost of one is read between STEP objects when there are few and when there are many.
 * Then the child is killed, and the time until it is reaped is read. Meanwhile a process of SCHED_FIFO wakes up each PERIOD: how late it was at the worst is how
 * long interrupts or preemption were off.
 *
 * Says "scale KIND COUNT AT100 AT10000 ATMANY GROWING KILLED DYING ERROR" for each kind and "end": instructions for one object at 100, at 10,000 (0: there were not so
 * many) and at COUNT; the longest section while they were made; from SIGKILL to the child's end; the longest section in that; the errno of the first that there was not. Powers off. A word of its
 * command line that begins with kinds= names the kinds (commas between); most=N is another LIMIT.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <netinet/in.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#define PERIOD 100000		/* instructions from one wake-up of the watcher to the next */
#define STEP 400
#define ENOUGH 20000000000LL	/* instructions for one kind: what is dearer stops there, and is measured where it got to */
#define PAGE 4096L
#define STACK 2048

/* What the processes share. */
static struct shared {
	volatile int64_t late;			/* the watcher's worst */
	volatile int64_t cost[3];
	volatile long made;
	volatile int error, ready;
} *shared;

static long limit = 100000;
static int fd = -1, fd2 = -1;
static char *area;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* --- the kinds: start prepares, make makes the object number I and says whether there is one --- */

static int from_errno(int r) { return r >= 0; }

/* A descriptor table that two share. */
static int sharer(void *arg)
{
	for (;;)
		pause();
	return 0;
}

static int shared_start(void)
{
	static char stack[4096];

	return clone(sharer, stack + sizeof(stack), CLONE_VM | CLONE_FILES, NULL) > 0;
}

static int dup_one(long i) { return from_errno(dup(0)); }
static int file_one(long i) { return from_errno(open("/dev/null", O_RDONLY)); }
static int epoll_one(long i) { return from_errno(epoll_create1(0)); }
static int eventfd_one(long i) { return from_errno(eventfd(0, 0)); }
static int memfd_one(long i) { return from_errno(memfd_create("scale", 0)); }
static int pidfd_one(long i) { return from_errno((int)syscall(SYS_pidfd_open, getpid(), 0)); }
static int pipe_one(long i) { int p[2]; return from_errno(pipe(p)); }
static int pair_one(long i) { int p[2]; return from_errno(socketpair(AF_UNIX, SOCK_STREAM, 0, p)); }

static int watch_start(void) { fd = epoll_create1(0); return fd >= 0; }

static int watch_one(long i)
{
	struct epoll_event e = { .events = EPOLLIN };
	int f = eventfd(0, 0);

	return f >= 0 && !epoll_ctl(fd, EPOLL_CTL_ADD, f, &e);
}

/* Now and then what all of them see, between those whose cost is read: it is as long as they are many, its sections are not. */
static int time_for_all(long i) { return i % 5000 == 2500; }

/* Many that wait for one file; now and then there is something for all. */
static int crowd_start(void) { fd = eventfd(0, EFD_NONBLOCK); return fd >= 0; }

static int first_watcher = -1, last_watcher;

static int watches_it(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int f = epoll_create1(0);

	last_watcher = f;
	if (first_watcher < 0)
		first_watcher = f;
	return f >= 0 && !epoll_ctl(f, EPOLL_CTL_ADD, fd, &e);
}

/* Until those at both ends have heard of it, if a thread of the kernel tells them: it would go on at the cost of the next objects. */
static int all_told(void)
{
	struct epoll_event e;

	return epoll_wait(first_watcher, &e, 1, -1) == 1 && epoll_wait(last_watcher, &e, 1, -1) == 1;
}

/* The first one has to hear it again the next time. */
static int none_left(void)
{
	struct epoll_event e;

	return epoll_wait(first_watcher, &e, 1, 0) == 0;
}

static int crowd_one(long i)
{
	uint64_t one = 1;

	return watches_it() && (!time_for_all(i) || (write(fd, &one, 8) == 8 && read(fd, &one, 8) == 8));
}

static int pipe_crowd_start(void)
{
	int p[2];

	if (pipe(p))
		return 0;
	fd = p[0];
	fd2 = p[1];
	return 1;
}

static int pipe_crowd_one(long i)
{
	char c = 0;

	return watches_it() && (!time_for_all(i) || (write(fd2, &c, 1) == 1 && read(fd, &c, 1) == 1));
}

static int unix_crowd_start(void)
{
	int p[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, p))
		return 0;
	fd = p[0];
	fd2 = p[1];
	return 1;
}

static int timerfd_crowd_start(void) { fd = timerfd_create(CLOCK_MONOTONIC, 0); return fd >= 0; }

static int timerfd_crowd_one(long i)
{
	struct itimerspec s = { .it_value = { 0, 1000 } };
	uint64_t n;

	return watches_it() && (!time_for_all(i) || (!timerfd_settime(fd, 0, &s, NULL) && all_told() && read(fd, &n, 8) == 8 && none_left()));
}

static int signalfd_crowd_start(void)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	sigprocmask(SIG_BLOCK, &one, NULL);
	fd = signalfd(-1, &one, 0);
	return fd >= 0;
}

static int signalfd_crowd_one(long i)
{
	struct signalfd_siginfo s;

	return watches_it() && (!time_for_all(i) || (!kill(getpid(), SIGUSR1) && all_told() && read(fd, &s, sizeof(s)) == sizeof(s) && none_left()));
}

static pid_t watched;

static int pidfd_crowd_start(void)
{
	watched = fork();
	if (!watched) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	first_watcher = -1;
	fd = watched > 0 ? (int)syscall(SYS_pidfd_open, watched, 0) : -1;
	return fd >= 0;
}

/* A process ends that many watch; the next one is watched by those to come. */
static int pidfd_crowd_one(long i)
{
	return watches_it() && (!time_for_all(i) || (!kill(watched, SIGKILL) && all_told() && waitpid(watched, NULL, 0) == watched && pidfd_crowd_start()));
}

static int timerfd_one(long i)
{
	struct itimerspec s = { .it_value = { 100000 + i * 7919 % 1000, 0 } };
	int f = timerfd_create(CLOCK_MONOTONIC, 0);

	return f >= 0 && !timerfd_settime(f, 0, &s, NULL);
}

static int timer_of(clockid_t clock, long i)
{
	struct itimerspec s = { .it_value = { 100000 + i * 7919 % 1000, 0 } };
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	int id;

	return !syscall(SYS_timer_create, clock, &e, &id) && !syscall(SYS_timer_settime, id, 0, &s, NULL);
}

static int timer_one(long i) { return timer_of(CLOCK_MONOTONIC, i); }
static int cpu_timer_one(long i) { return timer_of(CLOCK_PROCESS_CPUTIME_ID, i); }

static int vma_one(long i)
{
	return mmap(NULL, (size_t)PAGE, i & 1 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

/* Holes of a page: what wants two finds its place behind them all. */
static int hole_start(void)
{
	area = mmap(NULL, (size_t)(2 * limit + 2 * STEP) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return area != MAP_FAILED;
}

static int hole_one(long i)
{
	char *p;

	if (munmap(area + (2 * (limit + STEP - 1 - i) + 1) * PAGE, (size_t)PAGE))
		return 0;
	p = mmap(NULL, (size_t)(2 * PAGE), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p != MAP_FAILED && !munmap(p, (size_t)(2 * PAGE));
}

/* Areas of a page with holes of a page between. Each new hole lies above the others: a search from there down passes over them all. */
static int vma_holes_one(long i)
{
	char *p;

	if (munmap(area + (2 * i + 1) * PAGE, (size_t)PAGE))
		return 0;
	p = mmap(NULL, (size_t)(2 * PAGE), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p != MAP_FAILED && !munmap(p, (size_t)(2 * PAGE));
}

static int vma_holes_32_start(void)
{
	area = mmap((void *)(1l << 30), (size_t)(2 * limit + 2 * STEP) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	return area != MAP_FAILED;
}

/* The lowest room is wanted, which lies behind them all. */
static int vma_holes_32_one(long i)
{
	char *p;

	if (munmap(area + (2 * i + 1) * PAGE, (size_t)PAGE))
		return 0;
	p = mmap(NULL, (size_t)(2 * PAGE), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	return p != MAP_FAILED && !munmap(p, (size_t)(2 * PAGE));
}

static volatile int word;

static int thread_main(void *arg)
{
	for (;;)
		syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 2);
	return 0;
}

static int thread_start(void)
{
	area = mmap(NULL, (size_t)(limit + 2 * STEP) * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return area != MAP_FAILED;
}

static int thread_one(long i)
{
	if (clone(thread_main, area + (i + 1) * STACK, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, NULL) < 0)
		return 0;
	sched_yield();		/* it comes to its wait */
	return 1;
}

static void become_busy(long i);

/* The last object is an exec, and SIGKILL comes meanwhile. */
static int thread_exec_one(long i)
{
	if (i == limit - 1) {
		become_busy(i);
		execl("/proc/self/exe", "grow", "pause", NULL);
	}
	return thread_one(i);
}

/* --- threads, and now and then what looks at all of them --- */

static int read_all(const char *path);

static int usage_start(void) { return thread_start() && !prctl(PR_SET_DUMPABLE, 1); }

static int usage_one(long i)
{
	struct timespec t;
	struct rusage r;

	return thread_one(i) && (!time_for_all(i) || (!getrusage(RUSAGE_SELF, &r) && !clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) &&
						      read_all("/proc/self/stat") && read_all("/proc/self/io")));
}

/* All get the filters of one; a signal that may be queued for any of them is ignored from now on. */
static int tsync_one(long i)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog p = { 1, &allow };

	return thread_one(i) && (!time_for_all(i) || (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && signal(SIGUSR1, SIG_DFL) != SIG_ERR &&
						      signal(SIGUSR1, SIG_IGN) != SIG_ERR &&
						      !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &p)));
}

/* A directory is read to its end: how many names. */
static long count_names(const char *path)
{
	static char buf[65536];
	int f = open(path, O_RDONLY | O_DIRECTORY);
	long n, names = 0;

	while (f >= 0 && (n = syscall(SYS_getdents64, f, buf, sizeof(buf))) > 0)
		for (long at = 0; at < n; at += *(unsigned short *)(buf + at + 16))
			names++;
	return f < 0 || close(f) ? -1 : names;
}

static int task_dir_one(long i) { return thread_one(i) && (!time_for_all(i) || count_names("/proc/self/task") == i + 4); }

/* The numbers of threads are no processes: /proc lists none of them. */
static int proc_dir_one(long i) { return thread_one(i) && (!time_for_all(i) || count_names("/proc") > 10); }

/* The threads block a signal that the process gets, all but the newest. */
static volatile int taken;

static void on_usr1(int sig)
{
	taken++;
}

static int blocks_it(void *arg)
{
	uint64_t set = 1 << (SIGUSR1 - 1);

	syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, 8);
	while (taken == (int)(long)arg)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
	return thread_main(arg);
}

static int blocked_start(void)
{
	struct sigaction a = { .sa_handler = on_usr1 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return thread_start() && !sigaction(SIGUSR1, &a, NULL) && !sigprocmask(SIG_BLOCK, &set, NULL);
}

static int blocked_one(long i)
{
	int before = taken;

	if (!time_for_all(i))
		return thread_one(i);
	if (clone(blocks_it, area + (i + 1) * STACK, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, (void *)(long)before) < 0)
		return 0;
	sched_yield();
	if (kill(getpid(), SIGUSR1))
		return 0;
	while (taken == before)
		sched_yield();
	return 1;
}

/* They stop, and go on: a child says so. */
static int stop_one(long i)
{
	pid_t p, me = getpid();
	int status;

	if (!thread_one(i))
		return 0;
	if (i % 20000 != 12500)
		return 1;
	p = fork();
	if (!p) {
		char path[64], buf[512], *at;

		sprintf(path, "/proc/%d/stat", me);
		kill(me, SIGSTOP);
		do {
			int f = open(path, O_RDONLY);
			ssize_t n = read(f, buf, sizeof(buf) - 1);

			close(f);
			buf[n > 0 ? n : 0] = 0;
			at = strrchr(buf, ')');
			sched_yield();
		} while (!at || at[2] != 'T');
		kill(me, SIGCONT);
		kill(me, SIGTSTP);
		kill(me, SIGCONT);
		_exit(0);
	}
	return p > 0 && waitpid(p, &status, 0) == p && !status;
}

static volatile int other_word;

/* Now and then all go from one word to another and back, and are passed over by who wakes others of the word; seldom all are woken. */
static int futex_crowd_one(long i)
{
	if (!thread_one(i))
		return 0;
	if (i % 20000 == 10500)
		return syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1 << 30, NULL, NULL, 0) == i + 1;
	return !time_for_all(i) || (syscall(SYS_futex, &word, FUTEX_REQUEUE_PRIVATE, 0, 1L << 30, &other_word, 0) == i + 1 &&
				    !syscall(SYS_futex, &other_word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 1) &&
				    syscall(SYS_futex, &other_word, FUTEX_REQUEUE_PRIVATE, 0, 1L << 30, &word, 0) == i + 1);
}

static int word_waiter(void *arg)
{
	for (;;)
		syscall(SYS_futex, arg, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	return 0;
}

/* Each waits at a word of its own; one of those before is woken. */
static int futex_words_one(long i)
{
	int *mine = (int *)(area + i * STACK), *other = (int *)(area + i * 7919 % (i + 1) * STACK);

	if (clone(word_waiter, area + (i + 1) * STACK, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, mine) < 0)
		return 0;
	sched_yield();
	return syscall(SYS_futex, other, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 1;
}

static int zombie_one(long i)
{
	pid_t p = (pid_t)syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);

	if (!p)
		_exit(0);
	return p > 0;
}

static int user_ns(int more);

static int in_tmp(void) { return !mkdir("/tmp/scale", 0700) && !chdir("/tmp/scale"); }

static int name_one(long i)
{
	char name[32];
	int f;

	sprintf(name, "%ld", i);
	f = open(name, O_CREAT | O_WRONLY, 0600);
	return f >= 0 && !close(f);
}

static int absent_one(long i)
{
	struct stat s;
	char name[32];

	sprintf(name, "absent%ld", i);
	return stat(name, &s) < 0 && errno == ENOENT;
}

static int inotify_start(void) { fd = inotify_init1(0); return fd >= 0 && in_tmp(); }

static int inotify_one(long i)
{
	char name[32];

	sprintf(name, "%ld", i);
	return name_one(i) && inotify_add_watch(fd, name, IN_ALL_EVENTS) >= 0;
}

static int event_start(void) { return inotify_start() && inotify_add_watch(fd, ".", IN_CREATE) >= 0; }

static int lock_start(void) { return in_tmp() && (fd = open("locked", O_CREAT | O_RDWR, 0600)) >= 0; }

static int lock_of(int how, long i)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2 * i, .l_len = 1 };

	return !fcntl(fd, how, &l);
}

static int posix_lock_one(long i) { return lock_of(F_SETLK, i); }
static int ofd_lock_one(long i) { return lock_of(F_OFD_SETLK, i); }

static int flock_one(long i)
{
	int f = open("locked", O_RDWR);

	return f >= 0 && !flock(f, LOCK_SH | LOCK_NB);
}

static int xattr_one(long i)
{
	char name[32];

	sprintf(name, "user.%ld", i);
	return !fsetxattr(fd, name, "", 0, 0);
}

/* All of them are listed: for their size, and into a buffer that is too small. */
static int xattr_listed_one(long i)
{
	static char buf[65536];

	return xattr_one(i) && (!time_for_all(i) || (flistxattr(fd, NULL, 0) > 0 && flistxattr(fd, buf, sizeof(buf)) != 0));
}

static int signal_start(void)
{
	sigset_t all;

	sigfillset(&all);
	return !sigprocmask(SIG_BLOCK, &all, NULL);
}

static int signal_one(long i) { return !sigqueue(getpid(), SIGRTMIN + (int)(i % 4), (union sigval){ 0 }); }

/* Behind all of a number, one of another is queued and taken. Seldom they are ignored, and none is there any more. */
static int signal_take_one(long i)
{
	sigset_t set;

	if (sigqueue(getpid(), SIGRTMIN, (union sigval){ 0 }))
		return 0;
	if (!time_for_all(i))
		return 1;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	return !sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ 0 }) && sigwaitinfo(&set, NULL) == SIGRTMIN + 1 &&
	       (i % 50000 != 47500 || (signal(SIGRTMIN, SIG_IGN) != SIG_ERR && signal(SIGRTMIN, SIG_DFL) != SIG_ERR));
}

static int flight_start(void)
{
	int p[2], big = 1 << 30;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, p))
		return 0;
	setsockopt(p[0], SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
	fd = p[0];
	fd2 = p[1];
	return 1;
}

/* Socket pairs, an end of each in the queue of the one before. */
static int flight_one(long i)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int p[2], ok;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, p))
		return 0;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &p[1], sizeof(int));
	ok = sendmsg(fd, &m, MSG_DONTWAIT) == 1;
	close(fd);
	close(p[1]);
	fd = p[0];
	return ok;
}

static int unix_name_one(long i)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int f = socket(AF_UNIX, SOCK_DGRAM, 0);

	sprintf(a.sun_path + 1, "scale%ld", i);
	return f >= 0 && !bind(f, (struct sockaddr *)&a, sizeof(a));
}

static int udp_one(long i)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)(1024 + i)) };
	int f = socket(AF_INET, SOCK_DGRAM, 0);

	return 1024 + i < 65536 && f >= 0 && !bind(f, (struct sockaddr *)&a, sizeof(a));
}

/* All locked, then every other byte not. */
static int split_start(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return lock_start() && !fcntl(fd, F_SETLK, &l);
}

static int split_one(long i)
{
	struct flock l = { .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 2 * i, .l_len = 1 };

	if (fcntl(fd, F_SETLK, &l))
		return 0;
	l.l_type = F_WRLCK;
	return !time_for_all(i) || !fcntl(fd, F_GETLK, &l);
}

/* Each of another open file, over the same bytes; what one who writes waits for. */
static int readers_one(long i)
{
	struct flock l = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = i % 7, .l_len = 100 }, w = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int f = open("locked", O_RDWR);

	return f >= 0 && !fcntl(f, F_OFD_SETLK, &l) && fcntl(fd, F_OFD_SETLK, &w) < 0 && errno == EAGAIN;
}

/* Those who wait for a lock, each a process that shares all but its files. */
static int wait_start(void)
{
	return thread_start() && lock_start() && !flock(fd, LOCK_EX);
}

static int lock_waiter(void *arg)
{
	int f = open("locked", O_RDWR);

	word = 1;
	flock(f, LOCK_SH);
	for (;;)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
	return 0;
}

static int waiter_of(int (*fn)(void *), long i)
{
	if (clone(fn, area + (i + 1) * STACK, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, NULL) < 0)
		return 0;
	sched_yield();
	return 1;
}

static int lock_wait_one(long i)
{
	return waiter_of(lock_waiter, i) && (!time_for_all(i) || (!flock(fd, LOCK_UN) && !flock(fd, LOCK_EX)));
}

static int pipe_waiter(void *arg)
{
	char c;

	for (;;)
		if (read(fd, &c, 1) != 1)
			pause();
	return 0;
}

static int pipe_wait_start(void) { return thread_start() && pipe_crowd_start(); }

static int pipe_wait_one(long i)
{
	return waiter_of(pipe_waiter, i) && (!time_for_all(i) || write(fd2, "12345678", 8) == 8);
}

static int sem_waiter(void *arg)
{
	struct sembuf b = { .sem_num = 0, .sem_op = -2 };

	for (;;)
		semop(fd, &b, 1);
	return 0;
}

static int sem_wait_start(void) { return thread_start() && (fd = semget(IPC_PRIVATE, 2, 0600)) >= 0; }

/* What is given is too little for any of them. */
static int sem_wait_one(long i)
{
	struct sembuf up = { .sem_num = 0, .sem_op = 1 }, down = { .sem_num = 0, .sem_op = -1 };

	return waiter_of(sem_waiter, i) && (!time_for_all(i) || (!semop(fd, &up, 1) && !semop(fd, &down, 1)));
}

static int msg_waiter(void *arg)
{
	struct { long type; char text[8]; } m;

	for (;;)
		if (msgrcv(fd, &m, 8, (long)arg, 0) < 0)
			pause();
	return 0;
}

static int msg_wait_start(void) { return thread_start() && (fd = msgget(IPC_PRIVATE, 0600)) >= 0; }

static int msg_wait_one(long i)
{
	struct { long type; char text[8]; } m = { 1 << 30, "" };

	if (clone(msg_waiter, area + (i + 1) * STACK, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, (void *)(i + 1)) < 0)
		return 0;
	sched_yield();
	return !time_for_all(i) || (!msgsnd(fd, &m, 1, IPC_NOWAIT) && msgrcv(fd, &m, 8, 1 << 30, IPC_NOWAIT) == 1);
}

static int queue_one(long i)
{
	char name[32];

	sprintf(name, "scale%ld", i);
	return from_errno((int)syscall(SYS_mq_open, name, O_CREAT | O_RDWR, 0600, NULL));
}

static int note_start(void)
{
	struct { long maxmsg_flags, maxmsg, msgsize, cur, pad[4]; } a = { 0, 60000, 8, 0, { 0 } };

	fd = (int)syscall(SYS_mq_open, "scale", O_CREAT | O_RDWR | O_NONBLOCK, 0600, &a);
	return fd >= 0;
}

static int note_one(long i) { return !syscall(SYS_mq_timedsend, fd, "", 1, (unsigned int)(i * 7919 % 32768), NULL); }

static int rename_one(long i)
{
	char from[32], to[32];

	sprintf(from, "%ld", i);
	sprintf(to, "other%ld", i);
	return name_one(i) && !rename(from, to);
}

static int link_start(void) { return in_tmp() && name_one(0); }

static int link_one(long i)
{
	char name[32];

	sprintf(name, "%ld", i + 1);
	return !link("0", name);
}

static int symlink_one(long i)
{
	char name[32];

	sprintf(name, "%ld", i);
	return !symlink("nowhere", name);
}

/* Each in the one before. */
static int deep_one(long i) { return !mkdir("d", 0700) && !chdir("d"); }
/* In a mount of a directory that is not its file system's root, with ways up from as deep as it is, one of which goes on to the top; and getcwd(2). */
static int deep_path_start(void)
{
	return user_ns(CLONE_NEWNS) && in_tmp() && !mkdir("b", 0700) && !mount("b", "b", NULL, MS_BIND, NULL) && !chdir("b");
}

static int deep_path_one(long i)
{
	static char up[PATH_MAX], path[PATH_MAX];
	struct stat s;

	if (!deep_one(i) || i % 20000 != 12500)
		return i % 20000 != 12500;
	for (size_t n = 0; n + 4 < sizeof(up); n += 3)
		memcpy(up + n, "../", 4);
	return !stat(up, &s) && syscall(SYS_getcwd, path, sizeof(path)) < 0 && errno == ENAMETOOLONG;
}

static int dir_one(long i) { char name[32]; sprintf(name, "%ld", i); return !mkdir(name, 0700); }

/* An entry read for each that is made. */
static int read_dir_start(void) { return in_tmp() && (fd = open(".", O_RDONLY | O_DIRECTORY)) >= 0; }

static int read_dir_one(long i)
{
	char entry[32];

	return name_one(i) && syscall(SYS_getdents64, fd, entry, sizeof(entry)) >= 0;
}

/* A file system of its own that goes with its namespace. */
static int own_fs_start(void)
{
	return user_ns(CLONE_NEWNS) && in_tmp() && !mount("scale", "/tmp/scale", "tmpfs", 0, "nr_inodes=1000000") && !chdir("/tmp/scale");
}

/* Names that are not there, and then the directory neither. */
static int absent_dir_start(void) { return in_tmp() && !mkdir("d", 0700); }

static int absent_dir_one(long i)
{
	struct stat s;
	char name[32];

	if (time_for_all(i) && (rmdir("d") || mkdir("d", 0700)))
		return 0;
	sprintf(name, "d/absent%ld", i);
	return stat(name, &s) < 0 && errno == ENOENT;
}

static int inotify_instance_one(long i) { return from_errno(inotify_init1(0)); }

/* Many that watch one directory. */
static int watchers_one(long i)
{
	int f = inotify_init1(0);

	return f >= 0 && inotify_add_watch(f, ".", IN_CREATE) >= 0 && (!time_for_all(i) || name_one(0));
}

static int dnotify_start(void) { return signal(SIGIO, SIG_IGN) != SIG_ERR && in_tmp(); }

static int dnotify_one(long i)
{
	int f = open(".", O_RDONLY | O_DIRECTORY);

	return f >= 0 && !fcntl(f, F_NOTIFY, DN_CREATE) && (!time_for_all(i) || name_one(i));
}

/* Many that are sent SIGIO by one pipe. */
static int sigio_start(void) { return signal(SIGIO, SIG_IGN) != SIG_ERR && pipe_crowd_start(); }

static int sigio_one(long i)
{
	char path[32], c = 0;
	int f;

	sprintf(path, "/proc/self/fd/%d", fd);
	f = open(path, O_RDONLY | O_NONBLOCK);
	if (f < 0 || fcntl(f, F_SETOWN, getpid()) || fcntl(f, F_SETFL, O_ASYNC | O_NONBLOCK))
		return 0;
	return !time_for_all(i) || (write(fd2, &c, 1) == 1 && read(fd, &c, 1) == 1);
}

static int page_start(void) { return in_tmp() && (fd = open("pages", O_CREAT | O_RDWR, 0600)) >= 0; }
static int page_one(long i) { return pwrite(fd, "x", 1, i * PAGE) == 1; }

static int msg_start(void)
{
	fd = msgget(IPC_PRIVATE, 0600);
	return fd >= 0;
}

static int msg_one(long i)
{
	struct { long type; char text[1]; } m = { 1 + i, "" };

	return !msgsnd(fd, &m, 1, IPC_NOWAIT);
}

static int undo_one(long i)
{
	struct sembuf b = { .sem_num = 0, .sem_op = 1, .sem_flg = SEM_UNDO };
	int id = semget(IPC_PRIVATE, 1, 0600);

	return id >= 0 && !semop(id, &b, 1);
}

static int shm_one(long i)
{
	int id = shmget(IPC_PRIVATE, (size_t)PAGE, 0600);

	return id >= 0 && shmat(id, NULL, 0) != (void *)-1 && !shmctl(id, IPC_RMID, NULL);
}

static void write_to(const char *path, const char *text)
{
	int f = open(path, O_WRONLY);

	if (f >= 0) {
		if (write(f, text, strlen(text)) < 0)
			f = f;
		close(f);
	}
}

static int user_ns(int more)
{
	if (prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER | more))
		return 0;
	write_to("/proc/self/setgroups", "deny");
	write_to("/proc/self/uid_map", "0 1000 1");
	write_to("/proc/self/gid_map", "0 1000 1");
	return 1;
}

static int mount_start(void)
{
	return user_ns(CLONE_NEWNS) && in_tmp() && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) && !mkdir("m", 0700);
}

static int mount_one(long i)
{
	char name[32];

	sprintf(name, "%ld", i);
	return !mkdir(name, 0700) && !mount("m", name, NULL, MS_BIND, NULL);
}

/* One on top of the other. */
static int stack_one(long i) { return !mount("/tmp", "m", NULL, MS_BIND, NULL); }

static int to_other[2], from_other[2];

/* The tree at "copy" goes, and it alone: what it is a copy of would go with it, as its peer. */
static int drop_copy(void) { return !mount(NULL, "copy", NULL, MS_REC | MS_SLAVE, NULL) && !umount2("copy", MNT_DETACH); }

/* In a second namespace. */
static void other_namespace(void)
{
	char done = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	done = !unshare(CLONE_NEWNS);
	do {
		if (write(from_other[1], &done, 1) != 1)
			_exit(1);
	} while (read(to_other[0], &done, 1) == 1 && (done = (char)drop_copy(), 1));
	_exit(0);
}

static int other_is_done(void)
{
	char done = 0;

	return read(from_other[0], &done, 1) == 1 && done;
}

/* In a mount that a second namespace has, too. */
static int mount_tree_start(void)
{
	if (!mount_start() || mount(".", ".", NULL, MS_BIND, NULL) || chdir("/tmp/scale") || mount(NULL, ".", NULL, MS_SHARED, NULL) ||
	    mount("m", "m", NULL, MS_BIND, NULL) || mount(NULL, "m", NULL, MS_PRIVATE, NULL) || mkdir("t", 0700) || mkdir("copy", 0700) ||
	    pipe(to_other) || pipe(from_other))
		return 0;
	if (!fork())
		other_namespace();
	return other_is_done();
}

/* A third namespace, a copy of the caller's, comes and goes. */
static int namespace_comes_and_goes(void)
{
	pid_t p = fork();
	int status;

	if (!p)
		_exit(unshare(CLONE_NEWNS) ? 1 : 0);
	return p > 0 && waitpid(p, &status, 0) == p && !status;
}

/* Now and then a copy of the whole tree, and that of it in the other namespace. None is left, so that an object stays two mounts. */
static int mount_tree_one(long i)
{
	char name[32];

	sprintf(name, "t/%ld", i);
	if (mkdir(name, 0700) || mount("m", name, NULL, MS_BIND, NULL))
		return 0;
	return i % 20000 != 12500 || (!mount("t", "copy", NULL, MS_BIND | MS_REC, NULL) && drop_copy() && write(to_other[1], "", 1) == 1 &&
				      other_is_done() && namespace_comes_and_goes());
}

/* A file system of the caller's own, of which all are peers. */
static int mount_peers_start(void)
{
	return mount_start() && !mount("scale", "m", "tmpfs", 0, NULL) && !mount(NULL, "m", NULL, MS_SHARED, NULL) && !mkdir("m/in", 0700);
}

/* Now and then something is mounted in one, and with it in all; it goes from all; and they become read-only. */
static int mount_peers_one(long i)
{
	return mount_one(i) && (i % 20000 != 12500 || (!mount("m", "m/in", NULL, MS_BIND, NULL) && !umount2("m/in", 0) &&
			       !mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL) && !mount(NULL, "m", NULL, MS_REMOUNT, NULL)));
}

static int ns_start(void) { return user_ns(0); }
static int ns_one(long i) { return !unshare(CLONE_NEWUTS) && open("/proc/self/ns/uts", O_RDONLY) >= 0; }

/* The caller's child makes them: the init of a pid namespace, with which they end. */
static int pid_ns_start(void)
{
	pid_t p;

	if (!thread_start() || !user_ns(CLONE_NEWPID))
		return 0;
	p = fork();
	while (p > 0)
		pause();
	return !p && !prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int process_one(long i)
{
	if (clone(thread_main, area + (i + 1) * STACK, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD, NULL) < 0)
		return 0;
	sched_yield();
	return i % 20000 != 12500 || (getpriority(PRIO_USER, 0) == 0 && !setpriority(PRIO_USER, 0, 0));
}

/* All in one group; now and then all of it gets a signal that does nothing, or a priority. */
static int group_start(void) { return setsid() > 0 && pid_ns_start(); }
static int group_one(long i) { return process_one(i) && (!time_for_all(i) || (!kill(0, SIGURG) && !setpriority(PRIO_PGRP, 0, 0))); }

/* Everybody gets a signal, and looks for a new parent. */
static int everybody_one(long i) { return process_one(i) && (!time_for_all(i) || (!kill(-1, SIGURG) && !prctl(PR_SET_CHILD_SUBREAPER, 1))); }

/* A member that keeps the group from being an orphan ends, when there is no other. */
static int orphan_one(long i)
{
	pid_t p, group = getpgrp();
	int status;

	if (!process_one(i))
		return 0;
	if (!time_for_all(i))
		return 1;
	p = fork();
	if (!p) {
		setpgid(0, 0);
		p = fork();
		if (!p)
			_exit(setpgid(0, group) != 0);
		_exit(waitpid(p, &status, 0) != p || status);
	}
	return waitpid(p, &status, 0) == p && !status;
}

/* Each process is the child of the one before, and the caller wants to be told of orphans. At its word the last one makes the next, or an orphan. */
enum { CHAIN_WAIT, CHAIN_NEXT, CHAIN_ORPHAN };
#define LIKE_A_THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD)

static void wait_while(volatile int *p, int value)
{
	while (*p == value)
		syscall(SYS_futex, p, FUTEX_WAIT, value, NULL, NULL, 0);
}

static void tell(volatile int *p, int value)
{
	*p = value;
	syscall(SYS_futex, p, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static int ends_at_once(void *stack) { return 0; }
static int makes_orphan(void *stack) { return clone(ends_at_once, (char *)stack - STACK / 4, LIKE_A_THREAD, NULL) < 0; }
static volatile int *chain_word(long i) { return (volatile int *)(area + i * STACK); }

static int chain_main(void *arg)
{
	long i = (long)arg;

	tell(&other_word, 1);
	for (;;) {
		wait_while(chain_word(i), CHAIN_WAIT);
		if (*chain_word(i) == CHAIN_NEXT && clone(chain_main, area + (i + 2) * STACK, LIKE_A_THREAD, (void *)(i + 1)) < 0)
			tell(&other_word, 2);
		if (*chain_word(i) == CHAIN_ORPHAN)
			tell(&other_word, clone(makes_orphan, area + (i + 1) * STACK - STACK / 4, LIKE_A_THREAD, area + (i + 1) * STACK - STACK / 2) > 0 ? 1 : 2);
		*chain_word(i) = CHAIN_WAIT;
	}
	return 0;
}

static int chain_does(long i, int what)
{
	other_word = 0;
	tell(chain_word(i), what);
	wait_while(&other_word, 0);
	return other_word == 1;
}

static int chain_start(void)
{
	if (!pid_ns_start() || prctl(PR_SET_CHILD_SUBREAPER, 1))
		return 0;
	other_word = 0;
	if (clone(chain_main, area + STACK, LIKE_A_THREAD, NULL) < 0)
		return 0;
	wait_while(&other_word, 0);
	return 1;
}

static int chain_one(long i)
{
	return chain_does(i, CHAIN_NEXT) && (!time_for_all(i) || chain_does(i, CHAIN_ORPHAN));
}

/* A group that a pipe sends SIGIO. */
static int sigio_group_start(void)
{
	return group_start() && signal(SIGIO, SIG_IGN) != SIG_ERR && pipe_crowd_start() && !fcntl(fd, F_SETOWN, -getpgrp()) &&
	       !fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK);
}

static int sigio_group_one(long i)
{
	char c = 0;

	return process_one(i) && (!time_for_all(i) || (write(fd2, &c, 1) == 1 && read(fd, &c, 1) == 1));
}

static int nothing(void) { return 1; }

/* A list of all of a kind is read in one go. */
static int read_all(const char *path)
{
	static char buf[65536];
	int f = open(path, O_RDONLY);
	long n = 1;

	while (f >= 0 && n > 0)
		n = read(f, buf, sizeof(buf));
	return f >= 0 && !n && !close(f);
}

static int locks_shown_one(long i) { return posix_lock_one(i) && (i % 20000 != 12500 || read_all("/proc/locks")); }
static int mounts_shown_one(long i) { return mount_one(i) && (i % 20000 != 12500 || read_all("/proc/self/mountinfo")); }
static int sockets_shown_one(long i) { return unix_name_one(i) && (i % 20000 != 12500 || read_all("/proc/net/unix")); }

static const struct kind {
	const char *name;
	int (*start)(void);
	int (*make)(long i);
} kinds[] = {
	{ "dup", nothing, dup_one },
	{ "file", nothing, file_one },
	{ "epoll", nothing, epoll_one },
	{ "epoll_watch", watch_start, watch_one },
	{ "epoll_crowd", crowd_start, crowd_one },
	{ "eventfd", nothing, eventfd_one },
	{ "timerfd", nothing, timerfd_one },
	{ "memfd", nothing, memfd_one },
	{ "pidfd", nothing, pidfd_one },
	{ "pipe", nothing, pipe_one },
	{ "timer", nothing, timer_one },
	{ "cpu_timer", nothing, cpu_timer_one },
	{ "vma", nothing, vma_one },
	{ "hole", hole_start, hole_one },
	{ "vma_holes", hole_start, vma_holes_one },
	{ "vma_holes_32", vma_holes_32_start, vma_holes_32_one },
	{ "thread", thread_start, thread_one },
	{ "thread_exec", thread_start, thread_exec_one },
	{ "blocked_signal", blocked_start, blocked_one },
	{ "stop", usage_start, stop_one },
	{ "usage", usage_start, usage_one },
	{ "tsync", thread_start, tsync_one },
	{ "task_dir", thread_start, task_dir_one },
	{ "proc_dir", thread_start, proc_dir_one },
	{ "pid_ns_process", pid_ns_start, process_one },
	{ "group", group_start, group_one },
	{ "everybody", pid_ns_start, everybody_one },
	{ "orphan", group_start, orphan_one },
	{ "reaper_chain", chain_start, chain_one },
	{ "sigio_group", sigio_group_start, sigio_group_one },
	{ "futex_crowd", thread_start, futex_crowd_one },
	{ "futex_words", thread_start, futex_words_one },
	{ "zombie", nothing, zombie_one },
	{ "name", in_tmp, name_one },
	{ "absent", in_tmp, absent_one },
	{ "inotify", inotify_start, inotify_one },
	{ "inotify_event", event_start, name_one },
	{ "posix_lock", lock_start, posix_lock_one },
	{ "ofd_lock", lock_start, ofd_lock_one },
	{ "flock", lock_start, flock_one },
	{ "xattr", lock_start, xattr_one },
	{ "xattr_listed", lock_start, xattr_listed_one },
	{ "signal", signal_start, signal_one },
	{ "signal_take", signal_start, signal_take_one },
	{ "unix_pair", nothing, pair_one },
	{ "unix_flight", flight_start, flight_one },
	{ "unix_name", nothing, unix_name_one },
	{ "udp", nothing, udp_one },
	{ "msg", msg_start, msg_one },
	{ "sem_undo", nothing, undo_one },
	{ "shm", nothing, shm_one },
	{ "mount", mount_start, mount_one },
	{ "mount_stack", mount_start, stack_one },
	{ "mount_tree", mount_tree_start, mount_tree_one },
	{ "mount_peers", mount_peers_start, mount_peers_one },
	{ "uts_ns", ns_start, ns_one },
	{ "shared_dup", shared_start, dup_one },
	{ "pipe_crowd", pipe_crowd_start, pipe_crowd_one },
	{ "unix_crowd", unix_crowd_start, pipe_crowd_one },
	{ "timerfd_crowd", timerfd_crowd_start, timerfd_crowd_one },
	{ "signalfd_crowd", signalfd_crowd_start, signalfd_crowd_one },
	{ "pidfd_crowd", pidfd_crowd_start, pidfd_crowd_one },
	{ "lock_split", split_start, split_one },
	{ "lock_readers", lock_start, readers_one },
	{ "lock_wait", wait_start, lock_wait_one },
	{ "pipe_wait", pipe_wait_start, pipe_wait_one },
	{ "sem_wait", sem_wait_start, sem_wait_one },
	{ "msg_wait", msg_wait_start, msg_wait_one },
	{ "mqueue", nothing, queue_one },
	{ "mq_message", note_start, note_one },
	{ "rename", in_tmp, rename_one },
	{ "link", link_start, link_one },
	{ "symlink", in_tmp, symlink_one },
	{ "dir", in_tmp, dir_one },
	{ "deep_dir", in_tmp, deep_one },
	{ "deep_path", deep_path_start, deep_path_one },
	{ "read_dir", read_dir_start, read_dir_one },
	{ "own_fs", own_fs_start, name_one },
	{ "absent_dir", absent_dir_start, absent_dir_one },
	{ "inotify_fd", nothing, inotify_instance_one },
	{ "watchers", in_tmp, watchers_one },
	{ "dnotify", dnotify_start, dnotify_one },
	{ "sigio", sigio_start, sigio_one },
	{ "page", page_start, page_one },
	{ "locks_shown", lock_start, locks_shown_one },
	{ "mounts_shown", mount_start, mounts_shown_one },
	{ "sockets_shown", nothing, sockets_shown_one },
};

/* --- a child of uid 1000 --- */

/* Makes objects until there are TO, or no more. Instructions for one. */
static int64_t grow(const struct kind *k, long *made, long to)
{
	int64_t begin = now();
	long first = *made;

	while (*made < to && k->make(*made))
		++*made;
	shared->error = *made < to ? errno : 0;
	return *made > first ? (now() - begin) / (*made - first) : 0;
}

/* There are I objects: from here on process 1 looks at what goes on, and kills the caller. */
static void become_busy(long i)
{
	shared->made = i;
	shared->ready = 1;
}

static void child(const struct kind *k)
{
	int64_t begin = now();
	long made = 0;

	if (setgroups(0, NULL) || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) || !k->start()) {
		shared->error = errno;
		shared->ready = 1;
		for (;;)
			pause();
	}
	grow(k, &made, 100);
	shared->cost[0] = grow(k, &made, 100 + STEP);
	if (!shared->error)
		grow(k, &made, 10000);
	if (!shared->error)
		shared->cost[1] = grow(k, &made, 10000 + STEP);
	while (!shared->error) {
		int64_t cost = grow(k, &made, made + STEP);

		if (cost)
			shared->cost[2] = cost;
		if (made >= limit || now() - begin > ENOUGH)
			break;
	}
	become_busy(made);
	for (;;)
		pause();
}

/* --- process 1 --- */

static void must(int ok, const char *what)
{
	if (!ok) {
		printf("fatal %s: %s\n", what, strerror(errno));
		fflush(stdout);
		reboot(RB_POWER_OFF);
	}
}

static void watcher(void)
{
	struct sched_param p = { .sched_priority = 50 };
	int64_t next = now();

	must(!syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p), "SCHED_FIFO");
	for (;;) {
		int64_t late;

		next += PERIOD;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){ next / 1000000000, next % 1000000000 }, NULL);
		late = now() - next;
		if (late > shared->late)
			shared->late = late;
		if (late > PERIOD)
			next += late;
	}
}

/* Whatever a user may be given. */
static void raise_limits(void)
{
	static const int which[] = { RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_SIGPENDING, RLIMIT_MEMLOCK };
	static const char *const files[] = {
		"fs/nr_open", "fs/file-max", "fs/inotify/max_user_watches", "fs/inotify/max_user_instances", "fs/inotify/max_queued_events",
		"fs/epoll/max_user_watches", "fs/mount-max", "vm/max_map_count", "kernel/msgmnb", "fs/mqueue/queues_max", "user/max_uts_namespaces", "user/max_mnt_namespaces",
	};
	char path[80];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		sprintf(path, "/proc/sys/%s", files[i]);
		write_to(path, "1000000");
	}
	write_to("/proc/sys/kernel/pid_max", "200000");
	write_to("/proc/sys/fs/mqueue/msg_max", "65536");
	write_to("/proc/sys/kernel/threads-max", "200000");
	write_to("/proc/sys/kernel/shmmni", "32768");
	write_to("/proc/sys/kernel/sem", "32000 1024000000 500 32000");
	for (size_t i = 0; i < sizeof(which) / sizeof(*which); i++)
		setrlimit(which[i], &(struct rlimit){ 1000000, 1000000 });
	setrlimit(RLIMIT_MSGQUEUE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
}

/* What a kind left behind in the file system. Its System V objects go with their namespace. */
static void clean(void)
{
	if (!fork())
		_exit(0);
	wait(NULL);
	umount2("/tmp", MNT_DETACH);
	must(!mount("scale", "/tmp", "tmpfs", 0, "mode=1777,nr_inodes=1000000"), "tmpfs");
	must(!unshare(CLONE_NEWIPC), "IPC namespace");
	raise_limits();
}

static void run(const struct kind *k)
{
	int64_t growing, begin;
	pid_t p;

	clean();
	memset(shared, 0, sizeof(*shared));
	p = fork();
	must(p >= 0, "fork");
	if (!p)
		child(k);
	while (!shared->ready)
		usleep(10000);
	growing = shared->late;
	shared->late = 0;
	begin = now();
	kill(p, SIGKILL);
	waitpid(p, NULL, 0);
	begin = now() - begin;
	usleep(20000);		/* what was put off */
	printf("scale %s %ld %ld %ld %ld %ld %ld %ld %d\n", k->name, shared->made, (long)shared->cost[0], (long)shared->cost[1], (long)shared->cost[2],
	       (long)growing, (long)begin, (long)shared->late, shared->error);
	fflush(stdout);
}

static int wanted(const char *list, const char *name)
{
	size_t n = strlen(name);

	if (!list)
		return 1;
	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (!strncmp(list, name, n) && (!list[n] || list[n] == ','))
			return 1;
	return 0;
}

static const char *list;

static void read_words(char **v)
{
	for (; *v; v++) {
		if (!strncmp(*v, "kinds=", 6))
			list = *v + 6;
		if (!strncmp(*v, "most=", 5))
			limit = atol(*v + 5);
	}
}

int main(int argc, char **argv, char **envp)
{
	while (argc == 2 && !strcmp(argv[1], "pause"))
		pause();
	read_words(argv);
	read_words(envp);
	mkdir("/proc", 0755);
	mkdir("/tmp", 0755);
	must(!mount("proc", "/proc", "proc", 0, NULL), "proc");
	shared = mmap(NULL, (size_t)PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED, "mmap");
	if (!fork())
		watcher();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (wanted(list, kinds[i].name))
			run(&kinds[i]);
	puts("end");
	fflush(stdout);
	reboot(RB_POWER_OFF);
}
