// SPDX-License-Identifier: MIT
// slow: an attacker's tries at each moment of an exec
/*
 * What a program with more rights than its caller's gives away: nothing, at no moment of execve(2).
 * proves: execve ptrace process_vm_readv process_vm_writev process_madvise move_pages migrate_pages
 * pidfd_getfd kcmp get_robust_list prctl mq_notify
 *
 * The attacker is user 1000; the victim is this file, copied to a file system of its own as a
 * set-user-ID-root program, which reports what it was started with and waits until its descriptor
 * WAIT_FD is closed.
 */
#define TEST_LIMIT 100
#include "t.h"
#include <elf.h>
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/user.h>

#define VICTIM "/tmp/victim"
#define REPORT_FD 50
#define WAIT_FD 51
#ifndef PIDFD_GET_UTS_NAMESPACE	/* its header and the C library's fcntl.h do not go together */
#define PIDFD_GET_UTS_NAMESPACE _IO(0xff, 10)
#endif

static char secret[] = "what only root may know";

struct report {
	uid_t uid, euid;
	gid_t egid;
	uint64_t permitted;
	unsigned long secure, persona;
	rlim_t stack;
	int pdeath, dumpable, traceme;
	const char *where;
};

static uint64_t permitted(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	OK((int)syscall(SYS_capget, &h, d));
	return d[0].permitted | (uint64_t)d[1].permitted << 32;
}

static void only_caps(uint64_t caps)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = {
		{ (uint32_t)caps, (uint32_t)caps, 0 },
		{ (uint32_t)(caps >> 32), (uint32_t)(caps >> 32), 0 },
	};

	OK((int)syscall(SYS_capset, &h, d));
}

/* What the parent's end meant for the program before is told to the one that runs now. */
static void after_exec(void)
{
	sigset_t both;
	siginfo_t i;

	sigemptyset(&both);
	sigaddset(&both, SIGUSR1);
	sigaddset(&both, SIGCHLD);
	close(WAIT_FD);			/* the child, or the sender, goes on */
	_exit(sigwaitinfo(&both, &i) == SIGCHLD ? 0 : 1);
}

static void execute_again(void)
{
	char *argv[] = { "again", NULL }, *envp[] = { "VICTIM=again", NULL };

	execve("/proc/self/exe", argv, envp);
	_exit(99);
}

/* The victim, before main(). */
__attribute__((constructor)) static void be_victim(void)
{
	const char *mode = getenv("VICTIM");
	struct report r = { .where = secret, .traceme = -1 };
	struct rlimit stack;
	char c;

	if (!mode)
		return;
	if (!strcmp(mode, "signals"))
		after_exec();
	if (!strcmp(mode, "again")) {
		if (write(REPORT_FD, "x", 1) != 1)
			_exit(98);
		execute_again();
	}
	r.uid = getuid();
	r.euid = geteuid();
	r.egid = getegid();
	r.permitted = permitted();
	r.secure = getauxval(AT_SECURE);
	r.persona = (unsigned long)personality(0xffffffff);
	getrlimit(RLIMIT_STACK, &stack);
	r.stack = stack.rlim_cur;
	prctl(PR_GET_PDEATHSIG, &r.pdeath);
	r.dumpable = prctl(PR_GET_DUMPABLE);
	if (!strcmp(mode, "traceme"))
		r.traceme = ptrace(PTRACE_TRACEME, 0, 0, 0) ? errno : 0;
	if (!strcmp(mode, "gives up") && setresuid(r.uid, r.uid, r.uid))
		_exit(96);
	if (write(REPORT_FD, &r, sizeof(r)) != sizeof(r))
		_exit(98);
	if (read(WAIT_FD, &c, 1) < 0)
		_exit(97);
	_exit(0);
}

static void copy_self(const char *path, mode_t mode)
{
	int from = OK(open("/proc/self/exe", O_RDONLY | O_CLOEXEC)),
	    to = OK(open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0755));

	while (OK(sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	close(from);
	close(to);
	OK(chmod(path, mode));
}

static int report[2], hold[2];		/* victim's words; while hold[1] is open it stays */

static void pipes(void)
{
	OK(pipe2(report, O_CLOEXEC));
	OK(pipe2(hold, O_CLOEXEC));
}

/* A file system where set-user-ID bits count, for this test alone. */
static void stage(void)
{
	OK(unshare(CLONE_NEWNS));
	OK(mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777"));
	copy_self(VICTIM, 04755);
	pipes();
}

static void become_user(void)
{
	OK(setgid(1000));
	OK(setuid(1000));
	OK(prctl(PR_SET_DUMPABLE, 1));  /* an ordinary user's process, for who started as root */
}

static void exec_victim(const char *path, const char *mode)
{
	char env[40], *argv[] = { "victim", NULL }, *envp[] = { env, NULL };

	snprintf(env, sizeof(env), "VICTIM=%s", mode);
	OK(dup2(report[1], REPORT_FD));
	OK(dup2(hold[0], WAIT_FD));
	execve(path, argv, envp);
	_exit(99);
}

static struct report get_report(void)
{
	struct report r;

	EQ(read(report[0], &r, sizeof(r)), sizeof(r));
	return r;
}

static void end_victim(pid_t pid)
{
	close(hold[1]);
	CHECK(t_child_ok(pid));
	close(hold[0]);
	close(report[0]);
	close(report[1]);
	pipes();
}

/* What the victim says that PREPARE's process, user 1000 by then, executed. */
static struct report run_victim(void (*prepare)(void))
{
	pid_t pid = OK(fork());
	struct report r;

	if (!pid) {
		become_user();
		if (prepare)
			prepare();
		exec_victim(VICTIM, "report");
	}
	r = get_report();
	end_victim(pid);
	return r;
}

/* ---- the moment of exec ---- */

#define ROUNDS 150
#define FILES 3

static const char *const private_files[FILES] = { "mem", "maps", "environ" };

struct attack {
	pthread_t thread;
	int path;  /* O_PATH of the file: a name that asks nobody for permission again */
	int last;		/* the newest that could be opened */
	bool mem;
	volatile bool *over;
};

static void *keep_opening(void *arg)
{
	struct attack *a = arg;
	char name[40];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", a->path);
	while (!*a->over) {
		int fd = open(name, a->mem ? O_RDWR : O_RDONLY);

		if (fd < 0)
			continue;
		if (a->last >= 0)
			close(a->last);
		a->last = fd;
	}
	return NULL;
}

static void race_once(void)
{
	struct attack a[FILES];
	volatile bool over = false;
	struct report r;
	char buf[64];
	int go[2];
	pid_t pid;

	OK(pipe2(go, O_CLOEXEC));
	pid = OK(fork());
	if (!pid) {
		EQ(read(go[0], buf, 1), 1);
		exec_victim(VICTIM, "report");
	}
	for (int i = 0; i < FILES; i++) {
		snprintf(buf, sizeof(buf), "/proc/%d/%s", pid, private_files[i]);
		a[i] = (struct attack){ .path = OK(open(buf, O_PATH | O_CLOEXEC)),
					.last = -1,
					.mem = !i,
					.over = &over };
		EQ(pthread_create(&a[i].thread, NULL, keep_opening, &a[i]), 0);
	}
	EQ(write(go[1], "x", 1), 1);
	r = get_report();
	EQ(r.euid, 0);
	over = true;
	/*
	 * All of them first: an open in flight keeps the memory of the program before for its time.
	 */
	for (int i = 0; i < FILES; i++)
		EQ(pthread_join(a[i].thread, NULL), 0);
	for (int i = 0; i < FILES; i++) {
		if (a[i].last >= 0) {
			/* It is the memory of the program before, which is gone. */
			ssize_t n = a[i].mem ? pread(a[i].last, buf, sizeof(secret),
						     (off_t)(uintptr_t)r.where) :
					       read(a[i].last, buf, sizeof(buf));

			if (n > 0)
				FAIL("user 1000 reads %s of a set-user-ID program",
				     private_files[i]);
			if (a[i].mem && pwrite(a[i].last, "x", 1, (off_t)(uintptr_t)r.where) > 0)
				FAIL("user 1000 writes to a set-user-ID program");
			close(a[i].last);
		}
		close(a[i].path);
	}
	close(go[0]);
	close(go[1]);
	end_victim(pid);
}

TEST(files_opened_while_it_executes)
{
	stage();
	become_user();
	for (int i = 0; i < ROUNDS; i++)
		race_once();
}

/* Names and descriptors that were come by before the exec give nothing after it. */
TEST(files_opened_after_it)
{
	static const char *const names[] = {
		"mem",	   "maps", "smaps",   "smaps_rollup", "environ",     "auxv",
		"pagemap", "io",   "syscall", "stack",	      "personality", "fdinfo",
	};
	int dir, paths[sizeof(names) / sizeof(names[0])];
	char buf[200], c;
	int go[2];
	pid_t pid;

	stage();
	become_user();
	OK(pipe2(go, O_CLOEXEC));
	pid = OK(fork());
	if (!pid) {
		EQ(read(go[0], &c, 1), 1);
		exec_victim(VICTIM, "report");
	}
	snprintf(buf, sizeof(buf), "/proc/%d", pid);
	dir = OK(open(buf, O_DIRECTORY | O_RDONLY));
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		paths[i] = OK(openat(dir, names[i], O_PATH));
	EQ(write(go[1], "x", 1), 1);
	EQ(get_report().euid, 0);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd;

		snprintf(buf, sizeof(buf), "/proc/self/fd/%d", paths[i]);
		fd = open(buf, O_RDONLY);
		if (fd < 0 && errno == EACCES)
			continue;
		/* Some are opened by everybody, and refuse to be read. */
		if (fd < 0 || read(fd, buf, sizeof(buf)) != -1 ||
		    (errno != EACCES && errno != EPERM))
			FAIL("%s is open to user 1000", names[i]);
		close(fd);
	}
	ERR(readlinkat(dir, "exe", buf, sizeof(buf)), EACCES);
	ERR(readlinkat(dir, "cwd", buf, sizeof(buf)), EACCES);
	ERR(readlinkat(dir, "ns/mnt", buf, sizeof(buf)), EACCES);
	ERR(readlinkat(dir, "fd/0", buf, sizeof(buf)), EACCES);
	ERR(openat(dir, "fdinfo/0", O_RDONLY), EACCES);
	end_victim(pid);
}

/* ---- one rule ---- */

/* Every way into PID refuses. */
static void refused(pid_t pid)
{
	int pidfd = OK((int)syscall(SYS_pidfd_open, pid, 0));
	struct iovec v = { secret, 1 }, l = { (char[1]){ 0 }, 1 };
	char buf[64], path[64];
	void *head;
	size_t len;

	ERR(ptrace(PTRACE_ATTACH, pid, 0, 0), EPERM);
	ERR(ptrace(PTRACE_SEIZE, pid, 0, 0), EPERM);
	ERR(syscall(SYS_process_vm_readv, pid, &l, 1UL, &v, 1UL, 0UL), EPERM);
	ERR(syscall(SYS_process_vm_writev, pid, &l, 1UL, &v, 1UL, 0UL), EPERM);
	ERR(syscall(SYS_pidfd_getfd, pidfd, 0, 0), EPERM);
	ERR(syscall(SYS_process_madvise, pidfd, &v, 1UL, MADV_COLD, 0), EACCES);
	ERR(syscall(SYS_move_pages, pid, 1UL, &v.iov_base, NULL, (int[1]){ 0 }, 0), EPERM);
	ERR(syscall(SYS_migrate_pages, pid, 2UL, (unsigned long[1]){ 1 }, (unsigned long[1]){ 1 }),
	    EPERM);
	ERR(ioctl(pidfd, PIDFD_GET_UTS_NAMESPACE, 0), EACCES);
	ERR(syscall(SYS_kcmp, getpid(), pid, KCMP_FILES, 0, 0), EPERM);
	ERR(syscall(SYS_kcmp, pid, getpid(), KCMP_FILES, 0, 0), EPERM);
	ERR(syscall(SYS_get_robust_list, pid, &head, &len), EPERM);
	ERR(setns(pidfd, CLONE_NEWUTS), EPERM);
	close(pidfd);
	for (int i = 0; i < FILES; i++) {
		snprintf(buf, sizeof(buf), "/proc/%d/%s", pid, private_files[i]);
		ERR(open(buf, O_RDONLY), EACCES);
	}
	snprintf(buf, sizeof(buf), "/proc/%d/cwd", pid);
	ERR(readlink(buf, path, sizeof(path)), EACCES);
	snprintf(buf, sizeof(buf), "/proc/%d/fdinfo", pid);
	ERR(open(buf, O_RDONLY | O_DIRECTORY), EACCES);
	snprintf(buf, sizeof(buf), "/proc/%d/fdinfo/0", pid);
	ERR(open(buf, O_RDONLY), EACCES);
}

/* A process that did PREPARE and says so, then waits. */
static pid_t target(void (*prepare)(void))
{
	int said[2];
	char c;
	pid_t pid;

	OK(pipe(said));
	pid = OK(fork());
	if (!pid) {
		OK(prctl(PR_SET_PDEATHSIG, SIGKILL));
		prepare();
		OK(prctl(PR_SET_PDEATHSIG, SIGKILL));
		EQ(write(said[1], "x", 1), 1);
		for (;;)
			pause();
	}
	EQ(read(said[0], &c, 1), 1);
	close(said[0]);
	close(said[1]);
	return pid;
}

static void attack(pid_t pid, void (*prepare)(void))
{
	pid_t me = OK(fork());

	if (!me) {
		if (prepare)
			prepare();
		refused(pid);
		_exit(0);
	}
	CHECK(t_child_ok(me));
	OK(kill(pid, SIGKILL));
	t_wait(pid);
}

/* User 1000 with a capability, and dumpable. */
static void user_with_capability(void)
{
	OK(prctl(PR_SET_KEEPCAPS, 1));
	become_user();
	only_caps(1ULL << CAP_NET_ADMIN);
	OK(prctl(PR_SET_DUMPABLE, 1));
}

TEST(capabilities_of_the_target)
{
	attack(target(user_with_capability), become_user);
}

static void undumpable_user(void)
{
	become_user();
	OK(prctl(PR_SET_DUMPABLE, 0));
}

TEST(undumpable_target)
{
	attack(target(undumpable_user), become_user);
}

/* All capabilities, over a namespace that the target is not in. */
static void user_in_namespace(void)
{
	become_user();
	OK(unshare(CLONE_NEWUSER));
}

TEST(from_a_user_namespace)
{
	attack(target(undumpable_user), user_in_namespace);
}

TEST(dumpable_target_in_the_parent_namespace)
{
	attack(target(become_user), user_in_namespace);
}

/* With equal rights nothing refuses: what the tests above saw was the rule. */
TEST(equals)
{
	pid_t pid = target(become_user), me = OK(fork());

	if (!me) {
		int pidfd = OK((int)syscall(SYS_pidfd_open, pid, 0));
		char in[sizeof(secret)] = "", path[40];
		struct iovec v = { secret, sizeof(secret) }, l = { in, sizeof(in) };

		become_user();
		EQ(syscall(SYS_process_vm_readv, pid, &l, 1UL, &v, 1UL, 0UL), (long)sizeof(secret));
		CHECK(!strcmp(in, secret));
		OK((int)syscall(SYS_pidfd_getfd, pidfd, 0, 0));
		OK(syscall(SYS_kcmp, getpid(), pid, KCMP_FILES, 0, 0));
		EQ(syscall(SYS_kcmp, pid, pid, KCMP_FILES, 0, 0), 0);
		/* CAP_SYS_NICE */
		ERR(syscall(SYS_process_madvise, pidfd, &v, 1UL, MADV_COLD, 0), EPERM);
		ERR(syscall(SYS_process_madvise, pidfd, &v, 1UL, MADV_DONTNEED, 0), EINVAL);
		OK(syscall(SYS_move_pages, pid, 1UL, &v.iov_base, NULL, (int[1]){ 0 }, 0));
		OK(syscall(SYS_migrate_pages, pid, 2UL, (unsigned long[1]){ 1 },
			   (unsigned long[1]){ 1 }));
		close(OK(ioctl(pidfd, PIDFD_GET_UTS_NAMESPACE, 0)));
		snprintf(path, sizeof(path), "/proc/%d/mem", pid);
		OK(open(path, O_RDWR));
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/0", pid);
		OK(open(path, O_RDONLY));
		OK(ptrace(PTRACE_ATTACH, pid, 0, 0));
		_exit(0);
	}
	CHECK(t_child_ok(me));
	OK(kill(pid, SIGKILL));
	t_wait(pid);
}

/* kcmp(2) asks about two at once, in either order, while both execute: nobody waits for ever. */
struct comparison {
	pid_t a, b;
	volatile bool *over;
};

static void *keep_comparing(void *arg)
{
	struct comparison *c = arg;

	while (!*c->over)
		if (syscall(SYS_kcmp, c->a, c->b, KCMP_VM, 0, 0) < 0 && errno != EPERM &&
		    errno != ESRCH)
			return (void *)1;
	return NULL;
}

TEST(comparing_two_that_execute)
{
	volatile bool over = false;
	struct comparison c[2] = { { .over = &over }, { .over = &over } };
	pthread_t t[2];
	pid_t pid[2];
	void *bad;
	int said[2];
	char b[64];

	OK(pipe(said));
	for (int i = 0; i < 2; i++) {
		pid[i] = OK(fork());
		if (!pid[i]) {
			OK(prctl(PR_SET_PDEATHSIG, SIGKILL));
			OK(dup2(said[1], REPORT_FD));
			execute_again();
		}
	}
	c[0].a = c[1].b = pid[0];
	c[0].b = c[1].a = pid[1];
	for (int i = 0; i < 2; i++)
		EQ(pthread_create(&t[i], NULL, keep_comparing, &c[i]), 0);
	for (int n = 0; n < 60;)		/* execs */
		n += (int)OK(read(said[0], b, sizeof(b)));
	over = true;
	for (int i = 0; i < 2; i++) {
		EQ(pthread_join(t[i], &bad), 0);
		EQ(bad, NULL);
		OK(kill(pid[i], SIGKILL));
		t_wait(pid[i]);
	}
}

/* ---- the end of a process ---- */

/* What a zombie says to who may not look into it. */
static void refused_at_the_end(pid_t pid, int pidfd)
{
	struct iovec v = { secret, 1 }, l = { (char[1]){ 0 }, 1 };

	ERR(syscall(SYS_pidfd_getfd, pidfd, WAIT_FD, 0), EPERM);
	ERR(syscall(SYS_kcmp, getpid(), pid, KCMP_FILES, 0, 0), EPERM);
	ERR(syscall(SYS_move_pages, pid, 1UL, &v.iov_base, NULL, (int[1]){ 0 }, 0), EPERM);
	ERR(syscall(SYS_migrate_pages, pid, 2UL, (unsigned long[1]){ 1 }, (unsigned long[1]){ 1 }),
	    EPERM);
	ERR(setns(pidfd, CLONE_NEWUTS), EPERM);
	/* That it has no namespaces and no memory any more is told first. */
	ERR(ioctl(pidfd, PIDFD_GET_UTS_NAMESPACE, 0), ESRCH);
	ERR(syscall(SYS_process_vm_readv, pid, &l, 1UL, &v, 1UL, 0UL), ESRCH);
	ERR(syscall(SYS_process_madvise, pidfd, &v, 1UL, MADV_COLD, 0), ESRCH);
}

struct theft {
	int pidfd;
	volatile bool *over;
	int stolen;
};

static void *keep_stealing(void *arg)
{
	struct theft *t = arg;

	while (!*t->over) {
		t->stolen = (int)syscall(SYS_pidfd_getfd, t->pidfd, WAIT_FD, 0);
		if (t->stolen >= 0 || errno != EPERM)
			break;
	}
	return NULL;
}

/*
 * It has its caller's ids again, but still what root had opened. Its memory goes before its
 * descriptors; that it was not dumpable is remembered.
 */
TEST(set_user_id_program_that_ends)
{
	stage();
	become_user();
	for (int i = 0; i < 60; i++) {
		volatile bool over = false;
		struct theft t = { .over = &over, .stolen = -1 };
		pthread_t thread;
		siginfo_t info;
		pid_t pid = OK(fork());

		if (!pid)
			exec_victim(VICTIM, "gives up");
		t.pidfd = OK((int)syscall(SYS_pidfd_open, pid, 0));
		EQ(get_report().euid, 0);
		EQ(pthread_create(&thread, NULL, keep_stealing, &t), 0);
		close(hold[1]);
		EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
		over = true;
		EQ(pthread_join(thread, NULL), 0);
		if (t.stolen >= 0)
			FAIL("user 1000 takes a descriptor of a set-user-ID program that ends");
		refused_at_the_end(pid, t.pidfd);
		close(t.pidfd);
		hold[1] = -1;
		end_victim(pid);
	}
}

/*
 * A program that may be executed and not read is not read in memory either, by whoever executed it.
 */
TEST(execute_only)
{
	struct report r;
	char path[40];
	int status;
	pid_t pid;

	stage();
	copy_self("/tmp/xonly", 0711);
	become_user();
	pid = OK(fork());
	if (!pid) {
		OK(ptrace(PTRACE_TRACEME, 0, 0, 0));
		exec_victim("/tmp/xonly", "report");
	}
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	OK(ptrace(PTRACE_CONT, pid, 0, 0));
	r = get_report();
	EQ(r.euid, 1000);
	EQ(r.secure, 0);
	EQ(r.dumpable, 0);
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	ERR(open(path, O_RDONLY), EACCES);
	OK(kill(pid, SIGSTOP));
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	ERR(ptrace(PTRACE_PEEKDATA, pid, r.where, 0), EIO);
	ERR(ptrace(PTRACE_POKEDATA, pid, r.where, 0), EIO);
	OK(ptrace(PTRACE_CONT, pid, 0, 0));
	end_victim(pid);
}

/* Nor by who has every capability in his own namespace, where nobody is the file's owner. */
static int read_by_the_parent(const char *path)
{
	pid_t pid = OK(fork());
	struct report r;
	char b[8];
	ssize_t n;
	int e;

	if (!pid)
		exec_victim(path, "report");
	r = get_report();
	n = syscall(SYS_process_vm_readv, pid, &(struct iovec){ b, 8 }, 1UL,
		    &(struct iovec){ (void *)(uintptr_t)r.where, 8 }, 1UL, 0UL);
	e = errno;
	end_victim(pid);
	return n == 8 ? 0 : e;
}

TEST(execute_only_in_a_user_namespace)
{
	stage();
	copy_self("/tmp/xonly", 0711);
	copy_self("/tmp/readable", 0755);
	user_in_namespace();
	EQ(read_by_the_parent("/tmp/readable"), 0);
	EQ(read_by_the_parent("/tmp/xonly"), EPERM);
}

/* ---- an interpreter ---- */

#if defined(__x86_64__)
static const unsigned char for_ever[] = { 0xeb, 0xfe };
#elif defined(__aarch64__)
static const unsigned int for_ever[] = { 0x14000000 };
#elif defined(__riscv)
static const unsigned int for_ever[] = { 0x0000006f };
#elif defined(__loongarch__)
static const unsigned int for_ever[] = { 0x50000000 };
#endif

#define INTERP "/tmp/interp"

/* A program that loops, started by an interpreter that loops. */
static void small_elf(const char *path, mode_t mode, unsigned long at, bool interp)
{
	struct {
		Elf64_Ehdr e;
		Elf64_Phdr p[2];
		char name[32];
		unsigned char code[16];
	} f = { 0 };
	int fd, self = OK(open("/proc/self/exe", O_RDONLY));

	EQ(pread(self, &f.e, sizeof(f.e), 0), sizeof(f.e));	/* the machine and its flags */
	close(self);
	f.e.e_type = ET_EXEC;
	f.e.e_entry = at + (unsigned long)((char *)f.code - (char *)&f);
	f.e.e_phoff = sizeof(f.e);
	f.e.e_phnum = interp ? 2 : 1;
	f.e.e_phentsize = sizeof(f.p[0]);
	f.e.e_shnum = 0;
	f.e.e_shoff = 0;
	strcpy(f.name, INTERP);
	memcpy(f.code, for_ever, sizeof(for_ever));
	f.p[interp] =
		(Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0, at, at, sizeof(f), sizeof(f), 0x10000 };
	if (interp)
		f.p[0] = (Elf64_Phdr){ PT_INTERP,
				       PF_R,
				       (unsigned long)(f.name - (char *)&f),
				       0,
				       0,
				       sizeof(INTERP),
				       sizeof(INTERP),
				       1 };
	fd = OK(open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0755));
	EQ(write(fd, &f, sizeof(f)), sizeof(f));
	close(fd);
	OK(chmod(path, mode));
}

/* open(2) of the memory of a program of ours: 0 or errno. */
static int mem_of_small(void)
{
	char *argv[] = { "small", NULL }, *envp[] = { NULL }, name[40], c;
	int gone[2], fd, e;
	pid_t pid;

	OK(pipe2(gone, O_CLOEXEC));
	pid = OK(fork());
	if (!pid) {
		execve("/tmp/small", argv, envp);
		_exit(99);
	}
	close(gone[1]);
	EQ(read(gone[0], &c, 1), 0);		/* it has executed */
	close(gone[0]);
	snprintf(name, sizeof(name), "/proc/%d/mem", pid);
	fd = open(name, O_RDONLY);
	e = errno;
	if (fd >= 0)
		close(fd);
	OK(kill(pid, SIGKILL));
	EQ(t_wait(pid), SIGKILL);
	return fd >= 0 ? 0 : e;
}

/* What the interpreter brings into memory is not for who may not read it. */
static void interpreter(mode_t mode, int want)
{
	pid_t pid;

	small_elf("/tmp/small", 0755, 0x10000000, true);
	small_elf(INTERP, mode, 0x20000000, false);
	pid = OK(fork());
	if (!pid) {
		become_user();
		EQ(mem_of_small(), want);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

TEST(interpreter_that_cannot_be_read)
{
	stage();
	interpreter(0755, 0);
	interpreter(0711, EACCES);
}

/* ---- tracers ---- */

/* Root is the parent, but it is the child who asked: his rights count (CVE-2019-13272). */
TEST(traceme_takes_no_rights_from_the_parent)
{
	struct report r;
	int status;
	pid_t pid;

	stage();
	pid = OK(fork());
	if (!pid) {
		become_user();
		OK(ptrace(PTRACE_TRACEME, 0, 0, 0));
		exec_victim(VICTIM, "report");
	}
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	OK(ptrace(PTRACE_CONT, pid, 0, 0));
	r = get_report();
	EQ(r.uid, 1000);
	EQ(r.euid, 1000);
	EQ(r.permitted, 0);
	end_victim(pid);
}

TEST(traceme_by_a_less_privileged_parent)
{
	struct report r;
	pid_t pid;

	stage();
	become_user();
	pid = OK(fork());
	if (!pid)
		exec_victim(VICTIM, "traceme");
	r = get_report();
	EQ(r.euid, 0);
	EQ(r.traceme, EPERM);
	end_victim(pid);
}

/* User 1000 executes the victim while we trace him. */
static void traced(uid_t want)
{
	int go[2];
	pid_t pid;
	char c;

	OK(pipe2(go, O_CLOEXEC));
	pid = OK(fork());
	if (!pid) {
		become_user();
		OK(write(go[1], "x", 1));
		EQ(read(hold[0], &c, 1), 1);
		exec_victim(VICTIM, "report");
	}
	EQ(read(go[0], &c, 1), 1);
	OK(ptrace(PTRACE_SEIZE, pid, 0, 0));
	EQ(write(hold[1], "x", 1), 1);
	EQ(get_report().euid, want);
	close(go[0]);
	close(go[1]);
	end_victim(pid);
}

static void trace_as_user(void)
{
	pipes();			/* of which the other process has no end */
	become_user();
	traced(1000);
	_exit(0);
}

TEST(tracer_who_may_and_who_may_not)
{
	pid_t pid;

	stage();
	traced(0);
	pid = OK(fork());
	if (!pid)
		trace_as_user();
	CHECK(t_child_ok(pid));
}

/* ---- what exec may raise ---- */

static void ask_for_much(void)
{
	OK(personality(ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT) == -1 ? -1 : 0);
	OK(setrlimit(RLIMIT_STACK, &(struct rlimit){ 64 << 20, RLIM_INFINITY }));
	OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
}

TEST(what_a_set_user_id_program_inherits)
{
	struct report r;

	stage();
	r = run_victim(ask_for_much);
	EQ(r.uid, 1000);
	EQ(r.euid, 0);
	EQ(r.secure, 1);
	EQ(r.persona & (ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT), 0);
	EQ(r.stack, 8 << 20);
	EQ(r.pdeath, 0);
	EQ(r.dumpable, 0);
	/* One without the bit inherits all. */
	OK(chmod(VICTIM, 0755));
	r = run_victim(ask_for_much);
	EQ(r.euid, 1000);
	EQ(r.secure, 0);
	EQ(r.persona & (ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT),
	   ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT);
	EQ(r.stack, 64 << 20);
	EQ(r.pdeath, SIGUSR1);
	EQ(r.dumpable, 1);
}

static void no_new_privileges(void)
{
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

TEST(no_new_privs)
{
	struct report r;
	pid_t pid;

	stage();
	r = run_victim(no_new_privileges);
	EQ(r.euid, 1000);
	EQ(r.permitted, 0);
	EQ(r.secure, 0);
	/* User 0 without capabilities gets them back by an exec, but not then. */
	for (int nnp = 0; nnp < 2; nnp++) {
		pid = OK(fork());
		if (!pid) {
			if (nnp)
				no_new_privileges();
			only_caps(1ULL << CAP_NET_ADMIN);
			exec_victim(VICTIM, "report");
		}
		r = get_report();
		EQ(r.euid, 0);
		if (nnp)
			EQ(r.permitted, 1ULL << CAP_NET_ADMIN);
		else
			CHECK(r.permitted & 1ULL << CAP_SYS_ADMIN);
		end_victim(pid);
	}
}

static void write_text(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY | O_CLOEXEC));

	EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/*
 * A descriptor, in the table that is shared with the caller's parent, of a file system of a user
 * namespace that user 1000 made.
 */
static int own_file_system(void)
{
	int fs, fd;

	become_user();
	OK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	write_text("/proc/self/setgroups", "deny");
	write_text("/proc/self/uid_map", "0 1000 1");
	write_text("/proc/self/gid_map", "0 1000 1");
	fs = OK((int)syscall(SYS_fsopen, "tmpfs", 1));
	OK((int)syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0));
	fd = OK((int)syscall(SYS_fsmount, fs, 0, 0));
	OK(fchdir(fd));
	copy_self("victim", 06755);
	return fd;
}

/*
 * Who made the namespace is user 0 there; whoever executes such a program outside of it becomes
 * nobody else, and user 1000 least of all.
 */
TEST(file_system_of_a_user_namespace)
{
	struct report r;
	int status, fd;
	pid_t pid;

	stage();
	pid = (pid_t)OK(syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL));
	if (!pid)
		_exit(own_file_system());
	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	fd = WEXITSTATUS(status);
	OK(mkdir("/tmp/place", 0755));
	OK((int)syscall(SYS_move_mount, fd, "", AT_FDCWD, "/tmp/place", 4));
	pid = OK(fork());
	if (!pid) {
		OK(setgid(2000));
		OK(setuid(2000));
		exec_victim("/tmp/place/victim", "report");
	}
	r = get_report();
	EQ(r.euid, 2000);
	EQ(r.egid, 2000);
	EQ(r.secure, 0);
	end_victim(pid);
}

/*
 * A shared root and working directory would lead a program with rights by its relative names. A
 * shared table is copied.
 */
static uid_t sharing(unsigned long flags)
{
	struct report r;
	pid_t sharer, pid = OK(fork());

	if (!pid) {
		become_user();
		close(hold[1]);
		pid = getpid();
		sharer = (pid_t)OK(syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL));
		if (!sharer) {		/* until the victim ends */
			OK(prctl(PR_SET_PDEATHSIG, SIGKILL));
			while (getppid() == pid)
				pause();
			_exit(0);
		}
		exec_victim(VICTIM, "report");
	}
	r = get_report();
	end_victim(pid);
	return r.euid;
}

TEST(what_is_shared)
{
	stage();
	EQ(sharing(0), 0);
	EQ(sharing(CLONE_FS), 1000);
	EQ(sharing(CLONE_FILES), 0);
}

/* The rights that a program had do not make a dumpable one of the next. */
TEST(set_id_program_gives_up_and_executes)
{
	struct report r;
	pid_t pid;

	stage();
	OK(chmod(VICTIM, 0755));
	pid = OK(fork());
	if (!pid) {
		OK(setresgid(1000, 1000, 1000));
		OK(setresuid(1000, 0, 0));
		exec_victim(VICTIM, "report");
	}
	r = get_report();
	EQ(r.uid, 1000);
	EQ(r.euid, 0);
	EQ(r.secure, 1);
	EQ(r.dumpable, 0);
	end_victim(pid);
}

/* ---- signals that were meant for the program before ---- */

static void block_both(void)
{
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGUSR1);
	sigaddset(&both, SIGCHLD);
	OK(sigprocmask(SIG_BLOCK, &both, NULL));
}

TEST(exit_signal_of_a_child)
{
	pid_t pid;

	stage();
	pid = OK(fork());
	if (!pid) {
		int gone[2];
		char c;

		block_both();
		OK(pipe(gone));
		pid = (pid_t)OK(syscall(SYS_clone, (unsigned long)SIGUSR1, NULL, NULL, NULL, NULL));
		if (!pid) {
			close(gone[1]);
			EQ(read(gone[0], &c, 1), 0);
			_exit(0);
		}
		close(gone[0]);
		OK(dup2(gone[1], WAIT_FD));
		close(gone[1]);
		char *argv[] = { "victim", NULL }, *envp[] = { "VICTIM=signals", NULL };

		execve(VICTIM, argv, envp);
		_exit(99);
	}
	CHECK(t_child_ok(pid));
}

TEST(message_queue_tells_nobody_else)
{
	struct sigevent se = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	pid_t pid;

	stage();
	pid = OK(fork());
	if (!pid) {
		struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
		int gone[2];
		mqd_t q;
		char c;

		block_both();
		OK(pipe(gone));
		q = OK((mqd_t)mq_open("/exec_rights", O_CREAT | O_RDWR, 0600, &attr));
		OK(mq_unlink("/exec_rights"));
		OK(fcntl((int)q, F_SETFD, 0));
		pid = OK(fork());
		/* it sends to the next program, and its end is what that one hears of */
		if (!pid) {
			close(gone[1]);
			EQ(read(gone[0], &c, 1), 0);
			OK(mq_send(q, "x", 1, 0));
			_exit(0);
		}
		OK(mq_notify(q, &se));
		close(gone[0]);
		OK(dup2(gone[1], WAIT_FD));
		close(gone[1]);
		char *argv[] = { "victim", NULL }, *envp[] = { "VICTIM=signals", NULL };

		execve(VICTIM, argv, envp);
		_exit(99);
	}
	CHECK(t_child_ok(pid));
}
