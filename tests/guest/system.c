// SPDX-License-Identifier: MIT
/*
 * The system's names, its log, its end, its security modules, and what personality(2) changes.
 * proves: uname sethostname setdomainname syslog personality reboot lsm_list_modules
 * lsm_get_self_attr lsm_set_self_attr
 */
#include "t.h"
#include <linux/lsm.h>
#include <linux/reboot.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/utsname.h>

static char text[1 << 16];

static char *slurp(const char *name)
{
	int fd = OK(open(name, O_RDONLY));
	ssize_t n = OK(read(fd, text, sizeof(text) - 1));

	text[n] = 0;
	close(fd);
	return text;
}

TEST(uname_says_what_proc_says)
{
	struct utsname u;

	memset(&u, 'z', sizeof(u));
	OK(uname(&u));
	CHECK(!strcmp(u.sysname, "Linux"));
	CHECK(strncmp(slurp("/proc/sys/kernel/osrelease"), u.release, strlen(u.release)) == 0);
	CHECK(strncmp(slurp("/proc/sys/kernel/version"), u.version, strlen(u.version)) == 0);
	CHECK(strncmp(slurp("/proc/sys/kernel/hostname"), u.nodename, strlen(u.nodename)) == 0);
	CHECK(strstr(slurp("/proc/version"), u.release) != NULL);
#ifdef __x86_64__
	CHECK(!strcmp(u.machine, "x86_64"));
#endif
	ERR(syscall(SYS_uname, NULL), EFAULT);
	ERR(syscall(SYS_uname, 8), EFAULT);
}

/* In a namespace of its own, so that the machine keeps its name. */
TEST(names_change)
{
	struct utsname u;
	char big[80];
	pid_t pid;

	memset(big, 'h', sizeof(big));
	pid = OK(fork());
	if (pid == 0) {
		OK(unshare(CLONE_NEWUTS));
		OK(sethostname("inside.example", 14));
		OK(setdomainname("dom", 3));
		OK(uname(&u));
		CHECK(!strcmp(u.nodename, "inside.example"));
		CHECK(!strcmp(u.domainname, "dom"));
		CHECK(!strcmp(slurp("/proc/sys/kernel/hostname"), "inside.example\n"));
		CHECK(!strcmp(slurp("/proc/sys/kernel/domainname"), "dom\n"));
		OK(sethostname(big, 64));
		OK(uname(&u));
		EQ(strlen(u.nodename), 64);
		OK(sethostname("x", 1));	 /* the rest of the longer one is gone */
		OK(uname(&u));
		CHECK(!strcmp(u.nodename, "x"));
		OK(sethostname("", 0));
		OK(uname(&u));
		EQ(u.nodename[0], 0);
		ERR(sethostname(big, 65), EINVAL);
		ERR(setdomainname(big, 65), EINVAL);
		ERR(syscall(SYS_sethostname, big, -1), EINVAL);
		ERR(syscall(SYS_sethostname, 8, 3), EFAULT);
		ERR(syscall(SYS_setdomainname, 8, 3), EFAULT);
		OK(uname(&u));
		EQ(u.nodename[0], 0);				/* a failed call changed nothing */
		OK(setuid(1234));
		ERR(sethostname("y", 1), EPERM);
		ERR(setdomainname("y", 1), EPERM);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	OK(uname(&u));
	CHECK(strcmp(u.nodename, "x") && u.nodename[0]);
}

static void say(const char *what)
{
	int fd = OK(open("/dev/kmsg", O_WRONLY));

	EQ(write(fd, what, strlen(what)), (ssize_t)strlen(what));
	close(fd);
}

#define READ_ALL 3

TEST(log_holds_what_was_said)
{
	int size = OK((int)syscall(SYS_syslog, 10, NULL, 0)), n;
	char mark[60], *b = malloc((size_t)size + 1);

	CHECK(size >= 4096);
	snprintf(mark, sizeof(mark), "a mark of %d %lld\n", getpid(), t_now_ns());
	say(mark);
	n = OK((int)syscall(SYS_syslog, READ_ALL, b, size));
	b[n] = 0;
	CHECK(strstr(b, mark) != NULL);
	CHECK(b[0] == '<');
	/* What does not fit is the old part. */
	n = OK((int)syscall(SYS_syslog, READ_ALL, b, 200));
	CHECK(n <= 200);
	EQ(syscall(SYS_syslog, READ_ALL, b, 0), 0);
	ERR(syscall(SYS_syslog, READ_ALL, NULL, 10), EINVAL);
	ERR(syscall(SYS_syslog, READ_ALL, b, -1), EINVAL);
	ERR(syscall(SYS_syslog, READ_ALL, 8, size), EFAULT);
	ERR(syscall(SYS_syslog, 99, b, 1), EINVAL);
	ERR(syscall(SYS_syslog, 8, NULL, 0), EINVAL);
	ERR(syscall(SYS_syslog, 8, NULL, 9), EINVAL);
	OK(syscall(SYS_syslog, 0, NULL, 0));
	OK(syscall(SYS_syslog, 1, NULL, 0));
}

static void drain(void)
{
	static char b[8192];

	while (OK((int)syscall(SYS_syslog, 9, NULL, 0)) > 0)
		OK((int)syscall(SYS_syslog, 2, b, sizeof(b)));
}

/* Reading takes each record once, and waits for the next; a signal ends the wait. */
static void nothing(int sig)
{
	(void)sig;
}

TEST(reading_waits)
{
	struct sigaction sa = { .sa_handler = nothing };
	char b[4096], small[8];
	pid_t pid;
	int n, p[2];

	drain();
	OK(pipe(p));
	pid = OK(fork());
	if (pid == 0) {
		CHECK(write(p[1], "x", 1) == 1);
		n = OK((int)syscall(SYS_syslog, 2, b, sizeof(b)));
		b[n] = 0;
		/* the kernel may have said something in between */
		while (!strstr(b, "for the reader")) {
			n = OK((int)syscall(SYS_syslog, 2, b, sizeof(b) - 1));
			b[n] = 0;
		}
		_exit(0);
	}
	EQ(read(p[0], b, 1), 1);
	say("one line for the reader\n");
	CHECK(t_child_ok(pid));
	drain();
	say("a line that is read in parts\n");
	n = 0;
	do {
		int k = OK((int)syscall(SYS_syslog, 2, small, sizeof(small)));

		CHECK(k > 0 && n + k < (int)sizeof(b));
		memcpy(b + n, small, (size_t)k);
		n += k;
	} while (b[n - 1] != '\n');
	b[n] = 0;
	CHECK(strstr(b, "a line that is read in parts\n") != NULL);
	drain();
	ERR(syscall(SYS_syslog, 2, NULL, 10), EINVAL);
	EQ(syscall(SYS_syslog, 2, b, 0), 0);
	OK(sigaction(SIGUSR1, &sa, NULL));
	pid = OK(fork());
	if (pid == 0) {
		/* Interrupted, it says so; records of the kernel's own may come first. */
		while ((n = (int)syscall(SYS_syslog, 2, b, sizeof(b))) > 0)
			;
		_exit(n < 0 && errno == EINTR ? 0 : 1);
	}
	for (n = -1; n != pid; n = waitpid(pid, p, WNOHANG)) {
		kill(pid, SIGUSR1);
		sched_yield();
	}
	CHECK(WIFEXITED(p[0]) && !WEXITSTATUS(p[0]));
}

TEST(log_rights)
{
	char b[100];

	OK(setuid(1234));
	ERR(syscall(SYS_syslog, 2, b, sizeof(b)), EPERM);
	ERR(syscall(SYS_syslog, 5, NULL, 0), EPERM);
	ERR(syscall(SYS_syslog, 8, NULL, 3), EPERM);
	ERR(syscall(SYS_syslog, 9, NULL, 0), EPERM);
}

/* Without randomisation every program has its stack and its mappings at the same place. */
TEST(security_modules)
{
	uint64_t ids[32] = { 0 };
	struct lsm_ctx c = { .id = LSM_ID_SELINUX, .len = sizeof(c) };
	uint32_t size = sizeof(ids), needed = 4;
	int n = syscall(SYS_lsm_list_modules, ids, &size, 0), found = 0;

	CHECK(n > 0);
	EQ(size, n * sizeof(ids[0]));
	for (int i = 0; i < n; i++)
		found += ids[i] == LSM_ID_CAPABILITY;
	EQ(found, 1);
	ERR(syscall(SYS_lsm_list_modules, ids, &needed, 0), E2BIG);
	EQ(needed, size);
	ERR(syscall(SYS_lsm_list_modules, ids, &size, 1), EINVAL);
	ERR(syscall(SYS_lsm_list_modules, ids, NULL, 0), EFAULT);
	ERR(syscall(SYS_lsm_list_modules, NULL, &size, 0), EFAULT);

	/* None that knows this module's attribute. */
	ERR(syscall(SYS_lsm_get_self_attr, LSM_ATTR_SOCKCREATE, &c, &size, LSM_FLAG_SINGLE),
	    EOPNOTSUPP);
	ERR(syscall(SYS_lsm_get_self_attr, LSM_ATTR_UNDEF, NULL, &size, 0), EINVAL);
	ERR(syscall(SYS_lsm_get_self_attr, LSM_ATTR_CURRENT, NULL, NULL, 0), EINVAL);
	ERR(syscall(SYS_lsm_get_self_attr, LSM_ATTR_CURRENT, NULL, 8, 0), EFAULT);
	ERR(syscall(SYS_lsm_get_self_attr, LSM_ATTR_CURRENT, NULL, &size, LSM_FLAG_SINGLE), EINVAL);
	ERR(syscall(SYS_lsm_get_self_attr, LSM_ATTR_CURRENT, &c, &size, 2), EINVAL);
	c.id = LSM_ID_UNDEF;
	ERR(syscall(SYS_lsm_get_self_attr, LSM_ATTR_CURRENT, &c, &size, LSM_FLAG_SINGLE), EINVAL);
	c.id = LSM_ID_SELINUX;
	ERR(syscall(SYS_lsm_set_self_attr, LSM_ATTR_CURRENT, &c, sizeof(c), 0), EOPNOTSUPP);
	ERR(syscall(SYS_lsm_set_self_attr, LSM_ATTR_CURRENT, &c, sizeof(c), 1), EINVAL);
	ERR(syscall(SYS_lsm_set_self_attr, LSM_ATTR_CURRENT, &c, sizeof(c) - 1, 0), EINVAL);
	ERR(syscall(SYS_lsm_set_self_attr, LSM_ATTR_CURRENT, &c, PAGE + 1, 0), E2BIG);
	ERR(syscall(SYS_lsm_set_self_attr, LSM_ATTR_CURRENT, 8, sizeof(c), 0), EFAULT);
	c.ctx_len = 1;
	ERR(syscall(SYS_lsm_set_self_attr, LSM_ATTR_CURRENT, &c, sizeof(c), 0), EINVAL);
	c.ctx_len = ~0ULL;
	ERR(syscall(SYS_lsm_set_self_attr, LSM_ATTR_CURRENT, &c, sizeof(c), 0), EINVAL);
	c.ctx_len = 0;
	c.len = sizeof(c) + 1;
	ERR(syscall(SYS_lsm_set_self_attr, LSM_ATTR_CURRENT, &c, sizeof(c), 0), EINVAL);
}

TEST(personality_addresses)
{
	char self[200], *argv[] = { self, "personality_addresses", NULL },
			*env[] = { "REPORT=1", NULL };
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	unsigned long seen[4][2];

	self[n > 0 ? n : 0] = 0;
	if (getenv("REPORT")) {
		unsigned long a[2] = { (unsigned long)__builtin_frame_address(0),
				       (unsigned long)mmap(NULL, 4096, PROT_READ,
							   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) };

		CHECK(write(9, a, sizeof(a)) == sizeof(a));
		return;
	}
	EQ(personality(0xffffffff), 0);
	for (int i = 0; i < 4; i++) {
		int p[2];
		pid_t pid;

		OK(pipe(p));
		pid = OK(fork());
		if (pid == 0) {
			if (i >= 2) {
				EQ(personality(ADDR_NO_RANDOMIZE), 0);
				EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
				CHECK(strtoul(slurp("/proc/self/personality"), NULL, 16) ==
				      ADDR_NO_RANDOMIZE);
			}
			OK(dup2(p[1], 9));
			execve(self, argv, env);
			_exit(1);
		}
		close(p[1]);
		EQ(read(p[0], seen[i], sizeof(seen[i])), sizeof(seen[i]));
		close(p[0]);
		CHECK(t_child_ok(pid));
	}
	CHECK(seen[0][0] != seen[1][0] || seen[0][1] != seen[1][1]);
	EQ(seen[2][0], seen[3][0]);
	EQ(seen[2][1], seen[3][1]);
}

/* setarch(8): 32-bit machines, and versions that old programs can bear. */
TEST(personality_names)
{
	struct utsname plain, u;
	int ret = personality(PER_LINUX32);

	OK(uname(&plain));
#ifdef __aarch64__
	/* lscpu(1) asks so whether 32-bit programs run. */
	EQ(ret, -1);
	EQ(errno, EINVAL);
	ERR(personality(PER_LINUX32 | ADDR_NO_RANDOMIZE), EINVAL);
	EQ(personality(0xffffffff), 0);
#else
	EQ(ret, 0);
	EQ(personality(0xffffffff), PER_LINUX32);
#ifdef __x86_64__
	CHECK(!strcmp(plain.machine, "i686"));
#elif defined(__riscv)
	CHECK(!strcmp(plain.machine, "riscv"));
#endif
#endif
	personality(0);
	OK(uname(&plain));
	personality(UNAME26);
	OK(uname(&u));
	CHECK(!strncmp(u.release, "2.6.6", 5));
	CHECK(!strcmp(u.machine, plain.machine));
	if (strchr(plain.release, '-'))
		CHECK(!strcmp(strchr(u.release, '-'), strchr(plain.release, '-')));
	ERR(uname((void *)8), EFAULT);
	personality(0);
	OK(uname(&u));
	CHECK(!memcmp(&u, &plain, sizeof(u)));
}

TEST(personality_read_implies_exec)
{
	char *m, line[64];

	EQ(personality(READ_IMPLIES_EXEC), 0);
	m = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m != MAP_FAILED);
	snprintf(line, sizeof(line), "%lx-", (unsigned long)m);
	slurp("/proc/self/maps");
	m = strstr(text, line);
	CHECK(m && !strncmp(strchr(m, ' ') + 1, "r-xp", 4));
	EQ(personality(0), READ_IMPLIES_EXEC);
}

static int in_namespace(void *cmd)
{
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, (unsigned int)(long)cmd,
		NULL);
	return 9;
}

static int status_of_reboot(unsigned int cmd)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t pid = OK(clone(in_namespace, stack + sizeof(stack), CLONE_NEWPID | SIGCHLD,
			     (void *)(long)cmd));

	return t_wait(pid);
}

/* In a pid namespace it ends the namespace's init, which looks as if killed by SIGHUP or SIGINT. */
TEST(reboot_of_a_namespace)
{
	int status;

	ERR(syscall(SYS_reboot, 1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_OFF, NULL), EINVAL);
	ERR(syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, 1, LINUX_REBOOT_CMD_CAD_OFF, NULL), EINVAL);
	ERR(syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, 0x77777777, NULL),
	    EINVAL);
	OK(syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2C, LINUX_REBOOT_CMD_CAD_OFF,
		   NULL));
	status = status_of_reboot(LINUX_REBOOT_CMD_RESTART);
	CHECK(WIFSIGNALED(status));
	EQ(WTERMSIG(status), SIGHUP);
	status = status_of_reboot(LINUX_REBOOT_CMD_POWER_OFF);
	CHECK(WIFSIGNALED(status));
	EQ(WTERMSIG(status), SIGINT);
	status = status_of_reboot(0x77777777);
	CHECK(WIFEXITED(status));
	EQ(WEXITSTATUS(status), 9);
	OK(setuid(1234));
	ERR(syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_OFF,
		    NULL),
	    EPERM);
}

/* SEEK_DATA: the first record that is not cleared; other offsets are refused. */
TEST(seeking_in_the_log)
{
	int fd = OK(open("/dev/kmsg", O_RDONLY | O_NONBLOCK));
	char b[4096];
	ssize_t n;

	say("said before the log was cleared\n");
	OK(syscall(SYS_syslog, 5, NULL, 0));
	say("said after the log was cleared\n");
	EQ(lseek(fd, 0, SEEK_DATA), 0);
	do {
		n = OK(read(fd, b, sizeof(b) - 1));
		b[n] = 0;
		CHECK(!strstr(b, "said before"));
	} while (!strstr(b, "said after"));
	EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK(read(fd, b, sizeof(b)) > 0 || errno == EPIPE);
	EQ(lseek(fd, 0, SEEK_END), 0);
	ERR(lseek(fd, 1, SEEK_DATA), ESPIPE);
	ERR(lseek(fd, 1, SEEK_SET), ESPIPE);
	ERR(lseek(fd, 0, SEEK_CUR), EINVAL);
	ERR(lseek(fd, 0, SEEK_HOLE), EINVAL);
	close(fd);
}
