// SPDX-License-Identifier: MIT
/*
 * Runs a program whose system calls fail, for lack of memory or at a copy from or to user memory, at each place where they can:
 *
 *	failnth PROGRAM [ARGUMENT...]
 *
 * A traced task has fail-nth set to 1 before a call, and looked at after it. A call in which a fault was injected and that returned an error
 * is made again with 2, 3, ..., until it ends without an injection, or well in spite of one; then the program goes on, and never hears of it.
 * So each call's error paths are walked once a place, in the state in which a test made that call, and the work grows with the number of
 * places, not with its product with the program's length, as it would if the whole program were run once for each. What a call may not be
 * asked twice (it gave away what it read, and then could not store it) a program does see: its own verdict is no matter here, only that the
 * kernel lives, reports nothing and loses nothing. Behind the 64th place of one call steps grow: those are turns of a loop.
 *
 * A fault may leave a test waiting for what never comes, until a time limit made for hosts that are busy. When all tasks sleep, at each of
 * ASLEEP looks in a row, and none called the system meanwhile, all are killed but the first one, which goes on with the next test; and that
 * one too if nothing comes of it. A task other than the first is killed where it yields, or sleeps for a while, more often than SPINS times:
 * it looks again and again whether something has come. What neither ends nor sleeps so that a signal wakes it is left to the caller's limit,
 * for that is the kernel's fault.
 *
 * It has mounts, a /tmp and System V objects of its own, which go with it, and loop devices that it leaves are let go: a test that a fault
 * or its own time limit ends halfway leaves those behind, and that is no leak of the kernel.
 *
 * To stdout, last: "failnth: N faults in M calls, K tasks waited for good". Status 0, or 2 where it could not trace.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PTRACE_EVENT_STOP
#define PTRACE_EVENT_STOP 128
#endif

#define LOOK_US 50000
#define ASLEEP 40u	/* looks, each with a turn of everything else that can run before it */
#define SPINS 300u

struct tracee {
	struct tracee *next;
	pid_t tid;
	int fd;			/* its fail-nth */
	unsigned int n;		/* the place that fails next in the call at ip */
	unsigned long ip, nr;
	unsigned int waits;	/* times that it yielded or slept for a while */
	bool armed;
};

static struct tracee *table[256];
static unsigned long faults, calls, exits, killed;
static pid_t first;
static bool started;

static struct tracee *find(pid_t tid)
{
	struct tracee **p = &table[tid & 255], *t;
	char path[64];

	for (t = *p; t; t = t->next)
		if (t->tid == tid)
			return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		exit(2);
	t->tid = tid;
	snprintf(path, sizeof(path), "/proc/%d/fail-nth", tid);
	t->fd = open(path, O_RDWR | O_CLOEXEC);
	t->next = *p;
	*p = t;
	return t;
}

static void forget(pid_t tid)
{
	for (struct tracee **p = &table[tid & 255], *t; (t = *p); p = &t->next)
		if (t->tid == tid) {
			*p = t->next;
			close(t->fd);
			free(t);
			return;
		}
}

static void set(struct tracee *t, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	t->armed = pwrite(t->fd, text, (size_t)len, 0) == len && n;
}

static bool injected(struct tracee *t)
{
	char text[16] = "";

	return t->armed && pread(t->fd, text, sizeof(text) - 1, 0) > 0 && !atoi(text);
}

static void end_task(const struct tracee *t)
{
	printf("failnth: %d waits for good, in call %lu\n", t->tid, t->nr);
	syscall(SYS_tkill, t->tid, SIGKILL);
	killed++;
}

static bool is_short_wait(unsigned long nr)
{
	return nr == SYS_sched_yield || nr == SYS_nanosleep || nr == SYS_clock_nanosleep;
}

static void at_call(struct tracee *t)
{
	struct user_regs_struct r;
	struct iovec v = { &r, sizeof(r) };
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GETREGSET, t->tid, NT_PRSTATUS, &v) || ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		if (!started || r.orig_rax == SYS_rt_sigreturn)
			return;
		calls++;
		if (r.orig_rax == SYS_exit || r.orig_rax == SYS_exit_group) {
			set(t, 1 + exits++ % 24);	/* there is one time only: others end at other places */
			return;
		}
		if (!t->n || t->ip != r.rip || t->nr != r.orig_rax)
			t->n = 1;
		t->ip = r.rip;
		t->nr = r.orig_rax;
		if (is_short_wait(t->nr) && t->tid != first && ++t->waits == SPINS)
			end_task(t);
		set(t, t->n);
		return;
	}
	if (!t->armed)
		return;
	if (!injected(t)) {
		set(t, 0);
		t->n = 0;
		return;
	}
	t->armed = false;
	faults++;
	/* Neither done nor interrupted: once more. */
	if ((long)r.rax < 0 && (long)r.rax >= -511 && (long)r.rax != -EINTR) {
		t->n += 1 + t->n / 64;
		r.rip -= 2;
		r.rax = r.orig_rax;
		r.orig_rax = (unsigned long)-1;
		ptrace(PTRACE_SETREGSET, t->tid, NT_PRSTATUS, &v);
	} else {
		t->n = 0;
	}
}

static void stopped(pid_t tid, int status)
{
	struct tracee *t = find(tid);
	int sig = WSTOPSIG(status), event = status >> 16, deliver = 0;

	if (sig == (SIGTRAP | 0x80)) {
		at_call(t);
	} else if (event == PTRACE_EVENT_STOP) {
		if (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU) {
			ptrace(PTRACE_LISTEN, tid, 0, 0);
			return;
		}
	} else if (event == PTRACE_EVENT_EXEC) {
		started = true;
	} else if (!event) {
		deliver = sig;
	}
	ptrace(PTRACE_SYSCALL, tid, 0, deliver);
}

static void look(int sig)
{
	(void)sig;	/* waitpid(2) ends */
}

/* Whether it neither runs nor waits for what is to come by itself. */
static bool sleeps(pid_t tid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	f = fopen(path, "r");
	if (!f)
		return true;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(f);
	return state != 'R' && state != 'D';
}

static bool all_sleep(void)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (struct tracee *t = table[i]; t; t = t->next)
			if (!sleeps(t->tid))
				return false;
	return true;
}

/* Another look without a call since the last one: the QUIETth in a row is the result. */
static unsigned int look_at_all(unsigned int quiet)
{
	bool alone = true;

	if (!all_sleep())
		return 0;
	if (quiet < ASLEEP)
		return quiet;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (struct tracee *t = table[i]; t; t = t->next)
			if (t->tid != first) {
				end_task(t);
				alone = false;
			}
	if (alone)
		end_task(find(first));
	return 0;
}

/* Everything may fail that can, without a word. */
static void set_up(void)
{
	static const char dir[] = "/sys/kernel/debug";
	static const char *const settings[][2] = {
		{ "failslab/ignore-gfp-wait", "N" }, { "fail_page_alloc/ignore-gfp-wait", "N" }, { "fail_page_alloc/min-order", "0" },
		{ "failslab/verbose", "0" }, { "fail_page_alloc/verbose", "0" }, { "fail_usercopy/verbose", "0" },
		{ "fail_make_request/verbose", "0" },
	};

	if (access("/sys/kernel/debug/failslab", F_OK))
		mount("debugfs", dir, "debugfs", 0, NULL);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		char path[128];
		int fd;

		snprintf(path, sizeof(path), "%s/%s", dir, settings[i][0]);
		fd = open(path, O_WRONLY);
		if (fd < 0 || write(fd, settings[i][1], 1) != 1) {
			perror(path);
			exit(2);
		}
		close(fd);
	}
}

/* What the program leaves, and that has a name, ends with it. */
static int leave_nothing(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWIPC) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777"))
		return -1;
	return chdir("/tmp");
}

static void drop_loop(int control, int number)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/loop%d", number);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		ioctl(fd, LOOP_CLR_FD, 0);
		close(fd);
	}
	ioctl(control, LOOP_CTL_REMOVE, number);
}

static void drop_loops(void)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), number;
	DIR *d = control < 0 ? NULL : opendir("/sys/block");
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (sscanf(e->d_name, "loop%d", &number) == 1)
			drop_loop(control, number);
	if (d)
		closedir(d);
	if (control >= 0)
		close(control);
}

int main(int argc, char **argv)
{
	unsigned int quiet = 0;
	int go[2], status;
	pid_t pid, tid;
	char c = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: failnth PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	set_up();
	if (pipe(go))
		return 2;
	pid = fork();
	if (!pid) {
		close(go[1]);
		if (read(go[0], &c, 1) != 1)
			_exit(127);
		close(go[0]);
		if (leave_nothing()) {
			perror("namespaces");
			_exit(127);
		}
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	close(go[0]);
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			      PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) || ptrace(PTRACE_INTERRUPT, pid, 0, 0)) {
		perror("ptrace");
		return 2;
	}
	first = find(pid)->tid;
	if (write(go[1], &c, 1) != 1)
		return 2;
	close(go[1]);
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = look }, NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){ { 0, LOOK_US }, { 0, LOOK_US } }, NULL);
	/* What outlives the program ends with its tracer. */
	while ((tid = waitpid(-1, &status, __WALL)) != pid || WIFSTOPPED(status)) {
		if (tid > 0 && WIFSTOPPED(status))
			stopped(tid, status);
		else if (tid > 0)
			forget(tid);
		else if (errno != EINTR)
			break;
		quiet = tid > 0 ? 0 : look_at_all(quiet + 1);
	}
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	drop_loops();
	printf("failnth: %lu faults in %lu calls, %lu tasks waited for good\n", faults, calls, killed);
	return 0;
}
