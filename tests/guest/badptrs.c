// SPDX-License-Identifier: MIT
// slow: every pointer of every system call
/*
 * Every pointer of every system call, one wrong at a time. For each call arguments are tried until
 * it succeeds, as the types in the table suggest; then the same again with one pointer to nothing,
 * into the kernel, to the last byte of a page, to a page that may only be read. That must fail (or
 * move no more than what is there), leave no descriptor behind, and write nothing where it must
 * not. Each call has a process of its own, root of a user namespace of its own.
 */
#define TEST_LIMIT 200
#define FUZZ_TYPED
#include "t.h"
#include <limits.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <abi/fuzz.h>

enum { TRIES = 160, SLOT = 2 * PAGE, MAX_FD = 48 };
#define KERNEL 0xffff888000001000UL

static char *good;		/* a slot an argument */
static char *edge;		/* the end of a page with nothing behind it */
static char *readonly;
static unsigned int seed;

/* What would end the process, replace it, or belongs to no process of this test. */
static const char *const never[] = { "exit",
				     "exit_group",
				     "fork",
				     "vfork",
				     "clone",
				     "clone3",
				     "execve",
				     "execveat",
				     "rt_sigreturn",
				     "restart_syscall",
				     "reboot",
				     "seccomp",
				     "landlock_restrict_self",
				     "ptrace",
				     "vhangup" };

/*
 * Pointers that a call may rightly not look at although it succeeds: kept for later (k), needed
 * only by some commands (c) or when there is something to say (n), of another's address space (r),
 * or only a hint.
 */
static const struct {
	const char *call;
	int arg;
} unread[] = {
	{ "set_tid_address", 0 },
	{ "set_robust_list", 0 },
	{ "rseq", 0 },      /* k */
	{ "futex", 0 },
	{ "futex", 3 },
	{ "futex", 4 },
	{ "mount", 0 },
	{ "mount", 2 },
	{ "mount", 4 },
	{ "fsconfig", 2 },
	{ "fsconfig", 3 },
	{ "epoll_ctl", 3 },
	{ "syslog", 1 },
	{ "quotactl", 1 },
	{ "quotactl", 3 },
	{ "keyctl", 1 },
	{ "landlock_create_ruleset", 0 },
	{ "reboot", 3 },
	{ "io_uring_register", 2 },
	{ "bpf", 1 },
	{ "mq_notify", 1 },
	{ "timer_create", 1 },
	{ "set_mempolicy", 1 },
	{ "mbind", 3 },
	{ "get_mempolicy", 1 },
	{ "futex_wait", 4 },
	{ "futex_wake", 0 },
	{ "futex_waitv", 3 },	      /* c */
	{ "epoll_wait", 1 },
	{ "epoll_pwait", 1 },
	{ "epoll_pwait2", 1 },
	{ "recvfrom", 4 },
	{ "recvfrom", 5 },
	{ "wait4", 1 },
	{ "wait4", 3 },
	{ "nanosleep", 1 },
	{ "clock_nanosleep", 3 },
	{ "io_getevents", 3 },
	{ "process_madvise", 1 },
	{ "recvmmsg", 4 },
	{ "accept", 2 },
	{ "accept4", 2 },
	{ "getgroups", 1 },
	{ "setgroups", 1 },
	{ "listxattr", 1 },
	{ "select", 1 },
	{ "select", 2 },
	{ "select", 3 },
	{ "pselect6", 1 },
	{ "pselect6", 2 },
	{ "pselect6", 3 },
	{ "accept", 1 },
	{ "accept4", 1 },
	{ "getsockname", 1 },
	{ "getpeername", 1 },
	{ "getsockopt", 3 },
	{ "modify_ldt", 1 },
	/* n */
	{ "mount_setattr", 1 },
	{ "llistxattr", 1 },
	{ "flistxattr", 1 },
	{ "listxattrat", 3 },
	{ "rt_sigtimedwait", 1 },
	{ "process_vm_readv", 3 },
	{ "process_vm_writev", 3 },	    /* r */
	{ "capget", 1 },		/* none: asks for the version */
	{ "getcpu", 2 },
	{ "sched_getaffinity", 2 },
};

static bool listed(const char *name)
{
	for (unsigned int i = 0; i < sizeof(never) / sizeof(*never); i++)
		if (!strcmp(name, never[i]))
			return true;
	return false;
}

static bool may_be_unread(const char *name, int arg)
{
	for (unsigned int i = 0; i < sizeof(unread) / sizeof(*unread); i++)
		if (!strcmp(name, unread[i].call) && unread[i].arg == arg)
			return true;
	return false;
}

static unsigned int rnd(unsigned int n)
{
	return (unsigned int)rand_r(&seed) / 7 % n;
}

static bool is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static bool is_pointer(const struct typed_arg *a)
{
	return is(a->kind, "in") || is(a->kind, "out") || is(a->kind, "inout");
}

/* ---- arguments that may do ---- */

static void fill(const struct typed_arg *a, char *p)
{
	static const char *const paths[] = { "/tmp/badptrs/file", "/tmp/badptrs/dir",
					     "/tmp/badptrs/link", "/tmp/badptrs",
					     "/tmp/badptrs/new" };
	static const char *const strings[] = { "user.test", "tmpfs", "name", "/tmp/badptrs/file",
					       "user.other" };
	unsigned long *w = (unsigned long *)p;
	unsigned int *u = (unsigned int *)p;

	memset(p, 0, SLOT);
	if (is(a->what, "path")) {
		strcpy(p, paths[rnd(5)]);
		if (rnd(3) == 0 && is(p, paths[4]))
			sprintf(p + strlen(p), "%u", rnd(1000000));
	} else if (is(a->what, "str")) {
		strcpy(p, strings[rnd(5)]);
	} else if (is(a->what, "iovec")) {
		for (int i = 0; i < 64; i += 2) {
			w[i] = (unsigned long)p + PAGE;
			w[i + 1] = 16;
		}
	} else if (is(a->what, "msghdr") || is(a->what, "mmsghdr")) {
		w[2] = (unsigned long)p + 1024;
		w[3] = 1;
		w[128] = (unsigned long)p + PAGE;
		w[129] = 16;
	} else if (is(a->what, "sockaddr")) {
		p[0] = 1;
		sprintf(p + 2, rnd(2) ? "/tmp/badptrs/sock" : "/tmp/badptrs/s%u", rnd(1000000));
	} else if (is(a->what, "argv")) {
		w[0] = (unsigned long)strcpy(p + 1024, "x");
	} else if (is(a->what, "cap_header")) {
		u[0] = 0x20080522;
	} else if (is(a->what, "sched_attr")) {
		u[0] = 48;
	} else if (is(a->what, "rlimit") || is(a->what, "rlimit64")) {
		memset(p, 0xff, 16);
	} else if (is(a->what, "pollfd")) {
		u[0] = 3 + rnd(8);
		u[1] = 0x0005;
	} else if (is(a->what, "sigset_arg")) {
		w[0] = (unsigned long)p + 64;
		w[1] = 8;
	} else if (is(a->what, "epoll_event")) {
		u[0] = 1;
	} else if (is(a->what, "xattr_args")) {
		w[0] = (unsigned long)p + 64;
		u[2] = 4;
	} else if (is(a->what, "sigevent")) {
		u[3] = 1;			/* SIGEV_NONE */
	} else if (is(a->what, "mnt_id_req")) {
		u[0] = 24;
		w[1] = ~0UL;
		w[2] = 1;
	} else if (is(a->what, "timespec") || is(a->what, "timeval") || is(a->what, "itimerspec") ||
		   is(a->what, "itimerval")) {
		w[1] = rnd(2) * 1000;
	} else if (is(a->what, "int") || is(a->what, "u32")) {
		u[0] = rnd(3) * 16;		/* often a length */
	} else if (is(a->what, "siginfo")) {
		u[2] = (unsigned int)-1;	/* SI_QUEUE */
	} else if (is(a->what, "sched_param")) {
		u[0] = 0;
	} else if (rnd(4) == 0) {
		memset(p, 1, 64);
	}
}

static unsigned long scalar(const struct typed_call *c, int i)
{
	static const unsigned long sizes[] = { 8, 16, 24, 32, 48, 56, 64, 128, 256 };
	static const unsigned long small[] = { 0, 0, 0, 1, 1, 2, 3, 4, 8, 10, 16 };
	const struct typed_arg *a = &c->arg[i];

	if (is(a->kind, "fd"))
		return rnd(9) ? 3 + rnd(14) : rnd(3);
	if (is(a->kind, "at"))
		return rnd(3) ? -100UL : 4;
	if (is(a->kind, "mode"))
		return 0755;
	if (is(a->kind, "sig"))
		return rnd(2) ? SIGWINCH : SIGUSR1;
	if (is(a->type, "pid_t") || strstr(a->name, "pid"))
		return rnd(2) ? (unsigned long)getpid() : 0;
	if (is(a->type, "uid_t") || is(a->type, "gid_t"))
		return rnd(2) ? 0 : ~0UL;
	if (is(a->name, "sigsetsize") || is(a->name, "sizemask"))
		return 8;
	if (is(a->kind, "flags"))
		return rnd(3) ? 0 : 1UL << rnd(13);
	if (is(a->kind, "cmd"))
		return rnd(24);
	if (strstr(a->name, "timeout"))
		return rnd(2);
	for (int k = 0; k < c->nargs; k++)
		if (is_pointer(&c->arg[k]) && c->arg[k].bounded_by == i)
			return is(c->arg[k].what, "iovec") || is(c->arg[k].what, "pollfd") ||
					       is(c->arg[k].what, "mmsghdr") ?
				       1 + rnd(3) :
			       is(c->arg[k].what, "sigset") ? 8 :
							      sizes[rnd(9)];
	if (is(a->type, "size_t") || strstr(a->name, "size"))
		return sizes[rnd(9)];
	return small[rnd(11)];
}

static long raw(const struct typed_call *c, const unsigned long *a)
{
	errno = 0;
	long r = syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);

	return r == -1 && errno ? -errno : r;
}

/* ---- the process of one call ---- */

static void tick(int sig)
{
	(void)sig;
}

static unsigned long open_files(void)
{
	unsigned long m = 0;

	for (int i = 0; i < MAX_FD; i++)
		if (fcntl(i, F_GETFD) >= 0)
			m |= 1UL << i;
	return m;
}

static void put_back(void)
{
	static const struct itimerval often = { { 0, 5000 }, { 0, 5000 } };
	struct sigaction sa = { .sa_handler = tick };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGWINCH, SIG_IGN);
}

static void open_all(void)
{
	struct sockaddr_un un = { AF_UNIX, "/tmp/badptrs/sock" };
	struct itimerspec soon = { { 0, 1000000 }, { 0, 1000 } };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT };
	sigset_t usr2;
	int s[2], l;

	for (int i = 3; i < MAX_FD; i++)
		close(i);
	open("/tmp/badptrs/file", O_CREAT | O_RDWR, 0666);		/* 3 */
	open("/tmp/badptrs/dir", O_RDONLY | O_DIRECTORY);		/* 4 */
	/* 5 .. 10 */
	if (pipe(s) || socketpair(AF_UNIX, SOCK_STREAM, 0, s) ||
	    socketpair(AF_UNIX, SOCK_DGRAM, 0, s))
		_exit(2);
	for (int i = 6; i <= 10; i++)
		(void)!write(i, "some data to be read by somebody", 32);
	(void)!pwrite(3, "contents of the file", 20, 0);
	eventfd(1, 0);							/* 11 */
	l = epoll_create1(0);						/* 12 */
	epoll_ctl(l, EPOLL_CTL_ADD, 11, &ev);
	timerfd_settime(timerfd_create(CLOCK_MONOTONIC, 0), 0, &soon, NULL);	/* 13 */
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	signalfd(-1, &usr2, 0);						/* 14 */
	l = socket(AF_UNIX, SOCK_STREAM, 0);				/* 15 */
	unlink(un.sun_path);
	bind(l, (struct sockaddr *)&un, sizeof(un));
	listen(l, 50);
	s[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);		/* 16 */
	connect(s[0], (struct sockaddr *)&un, sizeof(un));
	for (int i = 3; i <= 16; i++)
		fcntl(i, F_SETFL, fcntl(i, F_GETFL) | O_NONBLOCK);
}

static void prepare(void)
{
	struct rlimit rl = { 1 << 20, 1 << 20 };

	if (setgid(65534) || setuid(65534))
		_exit(2);
	/* Not everywhere may everybody make a namespace: without it less can be reached. */
	if (!unshare(CLONE_NEWUSER))
		unshare(CLONE_NEWNS | CLONE_NEWUTS);
	setrlimit(RLIMIT_FSIZE, &rl);
	(void)!chdir("/tmp/badptrs");
	if (open("/tmp/badptrs/out", O_CREAT | O_RDWR, 0666) >= 0)
		for (int i = 0; i < 3; i++)
			dup2(3, i);
	mkdir("dir", 0777);
	(void)!symlink("file", "link");
	open_all();
	put_back();
}

/* What went wrong is told through the exit status: 10 + argument * 8 + which. */
enum { SUCCEEDED, LEFT_A_FILE, WROTE_READ_ONLY, TOO_MUCH };

static bool is_bulk(const struct typed_arg *a)
{
	return is(a->what, "data") || is(a->what, "path") || is(a->what, "str") ||
	       is(a->what, "dirents64") || is(a->what, "statmount") || a->bounded_by >= 0;
}

static int wrong_pointer(const struct typed_call *c, const unsigned long *args, int i, int which)
{
	const struct typed_arg *a = &c->arg[i];
	unsigned long v[6], files;
	bool out = !is(a->kind, "in");
	long r;

	memcpy(v, args, sizeof(v));
	for (int k = 0; k < c->nargs; k++)
		if (is_pointer(&c->arg[k]))
			fill(&c->arg[k], good + k * SLOT);
	put_back();
	switch (which) {
	case 0:
		v[i] = (unsigned long)edge;
		break;
	case 1:
		v[i] = KERNEL;
		break;
	case 2:
		v[i] = (unsigned long)edge - 1;
		edge[-1] = good[i * SLOT];
		break;
	case 3:
		if (!out)
			return 0;
		v[i] = (unsigned long)readonly;
		break;
	}
	files = open_files();
	r = raw(c, v);
	if (which == 3 && memcmp(readonly, "read only", 10))
		return 10 + i * 8 + WROTE_READ_ONLY;
	if (r < 0)
		return open_files() != files ? 10 + i * 8 + LEFT_A_FILE : r == -EFAULT ? 1 : 0;
	if (may_be_unread(c->name, i) || which == 3)	/* an inout that is not written this time */
		return 0;
	if (which == 2 && is_bulk(a))
		return r > 1 && a->bounded_by >= 0 && is(a->what, "data") ? 10 + i * 8 + TOO_MUCH :
									    0;
	if (which == 2 && (is(a->what, "int") || is(a->what, "fdset")))
		return 0;
	return 10 + i * 8 + SUCCEEDED;
}

static void one_call(const struct typed_call *c)
{
	unsigned long args[6];
	int proved = 0, found = 0;

	seed = (unsigned int)c->nr * 7919 + 1;
	for (int t = 0; t < TRIES && found < 4; t++) {
		long r;

		memset(args, 0, sizeof(args));
		for (int k = 0; k < c->nargs; k++) {
			if (is_pointer(&c->arg[k])) {
				fill(&c->arg[k], good + k * SLOT);
				args[k] = rnd(5) || is(c->arg[k].what, "path") ?
						  (unsigned long)good + (unsigned long)k * SLOT :
						  0;
			} else {
				args[k] = is(c->arg[k].kind, "hex") ? 0 : scalar(c, k);
			}
		}
		if (t % 16 == 0)
			open_all();
		r = raw(c, args);
		if (r < 0)
			continue;
		found++;
		for (int k = 0; k < c->nargs; k++) {
			const struct typed_arg *a = &c->arg[k];

			/* Nothing to move: the pointer is nobody's business. */
			if (!is_pointer(a) || !args[k] ||
			    (a->bounded_by >= 0 &&
			     (!args[a->bounded_by] || (is_bulk(a) && r == 0))))
				continue;
			open_all();
			for (int which = 0; which < 4; which++) {
				int w = wrong_pointer(c, args, k, which);

				if (w >= 10)
					_exit(w);
				proved += w;
			}
		}
	}
	_exit(proved ? 1 : 0);
}

/* A call that goes on although its timer ticks is ended. */
static int end_of(pid_t pid)
{
	struct timespec limit = { 2, 0 };
	sigset_t chld;
	int status;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (sigtimedwait(&chld, NULL, &limit) < 0 && errno == EAGAIN) {
			kill(pid, SIGKILL);
			t_wait(pid);
			return 0;
		}
	}
	return status;
}

static void clean_up(void)
{
	if (system("rm -rf /tmp/badptrs"))
		FAIL("cannot remove what the calls left");
}

TEST(every_pointer)
{
	static const char *const what[] = { "succeeds", "leaves a descriptor",
					    "writes to a read-only page",
					    "moves more than there is" };
	unsigned int proved = 0, bad = 0;
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	good = mmap(NULL, 6 * SLOT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	readonly = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(good != MAP_FAILED && edge != MAP_FAILED && readonly != MAP_FAILED);
	edge += PAGE;
	OK(mprotect(edge, PAGE, PROT_NONE));
	strcpy(readonly, "read only");
	OK(mprotect(readonly, PAGE, PROT_READ));
	unshare(CLONE_NEWIPC);		/* what stays of its queues and segments goes with it */
	system("rm -rf /tmp/badptrs");
	OK(mkdir("/tmp/badptrs", 0777));
	OK(chmod("/tmp/badptrs", 0777));
	for (unsigned int i = 0; i < sizeof(typed) / sizeof(*typed); i++) {
		const struct typed_call *c = &typed[i];
		bool pointers = false;
		int status, e;
		pid_t pid;

		for (int k = 0; k < c->nargs; k++)
			pointers |= is_pointer(&c->arg[k]);
		if (!pointers || listed(c->name))
			continue;
		pid = OK(fork());
		if (pid == 0) {
			setpgid(0, 0);
			prepare();
			one_call(c);
		}
		status = end_of(pid);
		if (WIFSIGNALED(status)) {
			fprintf(stderr, "%s: its caller died of signal %d\n", c->name,
				WTERMSIG(status));
			bad++;
			continue;
		}
		e = WEXITSTATUS(status);
		if (e >= 10) {
			fprintf(stderr, "%s: with a bad %s it %s\n", c->name,
				c->arg[(e - 10) / 8].name, what[(e - 10) % 8]);
			bad++;
		}
		proved += e == 1;
	}
	clean_up();
	EQ(bad, 0);
	/* The search for good arguments is worth something. */
	if (proved < 120)
		FAIL("only %u calls were seen to say EFAULT", proved);
}
