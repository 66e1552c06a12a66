// SPDX-License-Identifier: MIT
/* prctl(2), each option by what it does. proves: prctl */
#include "t.h"
#include <linux/capability.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#define PR_GET_IO_FLUSHER 58
#endif
#ifndef PR_SET_THP_DISABLE
#define PR_SET_THP_DISABLE 41
#define PR_GET_THP_DISABLE 42
#endif
#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif

static char text[1 << 16];

static char *slurp(const char *name)
{
	int fd = open(name, O_RDONLY);
	ssize_t n, len = 0;

	if (fd < 0)
		return NULL;
	while ((n = read(fd, text + len, sizeof(text) - 1 - (size_t)len)) > 0)
		len += n;
	close(fd);
	text[len] = 0;
	return text;
}

static void say(int fd)
{
	CHECK(write(fd, "x", 1) == 1);
}

static void hear(int fd)
{
	char c;

	CHECK(read(fd, &c, 1) == 1);
}

TEST(unknown_options)
{
	ERR(prctl(0, 0, 0, 0, 0), EINVAL);
	ERR(prctl(9999, 0, 0, 0, 0), EINVAL);
	ERR(prctl(-1, 0, 0, 0, 0), EINVAL);
}

TEST(command_name)
{
	char b[16];

	OK(prctl(PR_SET_NAME, "a name that is far too long"));
	memset(b, 'z', sizeof(b));
	OK(prctl(PR_GET_NAME, b));
	CHECK(!strcmp(b, "a name that is "));
	CHECK(!strcmp(slurp("/proc/self/comm"), "a name that is \n"));
	OK(prctl(PR_SET_NAME, ""));
	OK(prctl(PR_GET_NAME, b));
	EQ(b[0], 0);
	ERR(prctl(PR_SET_NAME, 8), EFAULT);
	ERR(prctl(PR_GET_NAME, 8), EFAULT);
}

static volatile int got;

static void note(int sig)
{
	got = sig;
}

/*
 * The child gets its signal when the parent ends; its own child and what it runs do not have the
 * setting.
 */
TEST(parent_death_signal)
{
	int v = -1, up[2], down[2];
	pid_t middle;
	char c;

	OK(prctl(PR_GET_PDEATHSIG, &v));
	EQ(v, 0);
	ERR(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
	ERR(prctl(PR_GET_PDEATHSIG, 8), EFAULT);
	OK(pipe(up));
	OK(pipe(down));
	middle = OK(fork());
	if (middle == 0) {
		pid_t child = OK(fork());

		if (child == 0) {
			sigset_t none;

			signal(SIGUSR1, note);
			sigemptyset(&none);
			sigaddset(&none, SIGUSR1);
			sigprocmask(SIG_BLOCK, &none, NULL);
			OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
			OK(prctl(PR_GET_PDEATHSIG, &v));
			EQ(v, SIGUSR1);
			if (fork() == 0) {
				OK(prctl(PR_GET_PDEATHSIG, &v));
				_exit(v ? 1 : 0);
			}
			wait(&v);
			CHECK(v == 0);
			say(up[1]);
			sigemptyset(&none);
			while (!got)
				sigsuspend(&none);
			CHECK(got == SIGUSR1);
			c = 'd';
			CHECK(write(up[1], &c, 1) == 1);
			_exit(0);
		}
		hear(down[0]);
		_exit(0);
	}
	hear(up[0]);
	say(down[1]);
	CHECK(t_child_ok(middle));
	EQ(read(up[0], &c, 1), 1);
	EQ(c, 'd');
}

/*
 * Who is not dumpable is not looked into: its files belong to root, and others of its user may not.
 */
TEST(dumpable)
{
	struct stat st;
	int v, p[2];
	pid_t pid;
	char path[40];

	EQ(prctl(PR_GET_DUMPABLE), 1);
	ERR(prctl(PR_SET_DUMPABLE, 2), EINVAL);
	ERR(prctl(PR_SET_DUMPABLE, 9), EINVAL);
	OK(pipe(p));
	pid = OK(fork());
	if (pid == 0) {
		if (setgid(1234) || setuid(1234))
			_exit(1);
		/* Giving up root took it away; it can be had back. */
		OK(prctl(PR_SET_DUMPABLE, 1));
		EQ(prctl(PR_GET_DUMPABLE), 1);
		OK(stat("/proc/self/maps", &st));
		EQ(st.st_uid, 1234);
		OK(prctl(PR_SET_DUMPABLE, 0));
		EQ(prctl(PR_GET_DUMPABLE), 0);
		snprintf(path, sizeof(path), "/proc/%d/environ", getpid());
		OK(stat(path, &st));
		EQ(st.st_uid, 0);
		pid = OK(fork());
		if (pid == 0) {
			snprintf(path, sizeof(path), "/proc/%d/environ", getppid());
			ERR(open(path, O_RDONLY), EACCES);
			_exit(0);
		}
		wait(&v);
		_exit(v ? 1 : 0);
	}
	CHECK(t_child_ok(pid));
}

static unsigned long long cap_line(const char *key)
{
	char *s = strstr(slurp("/proc/self/status"), key);

	return s ? strtoull(s + strlen(key), NULL, 16) : ~0ULL;
}

TEST(keepcaps)
{
	EQ(prctl(PR_GET_KEEPCAPS), 0);
	ERR(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
	OK(prctl(PR_SET_KEEPCAPS, 1));
	EQ(prctl(PR_GET_KEEPCAPS), 1);
	CHECK(cap_line("CapPrm:"));
	OK(setuid(1234));
	CHECK(cap_line("CapPrm:") != 0);
	EQ(cap_line("CapEff:"), 0);
}

TEST(no_keepcaps)
{
	OK(setuid(1234));
	EQ(cap_line("CapPrm:"), 0);
}

TEST(no_new_privs)
{
	pid_t pid;

	EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	ERR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	ERR(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
	ERR(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0), EINVAL);
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	CHECK(strstr(slurp("/proc/self/status"), "NoNewPrivs:\t1\n"));
	pid = OK(fork());
	if (pid == 0)
		_exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1);
	CHECK(t_child_ok(pid));
}

/*
 * Set-user-ID has no effect any more. The program is this one: asked for TEST ids, it writes its
 * effective id.
 */
TEST(no_new_privs_by_effect)
{
	char self[200];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct stat st;
	pid_t pid;
	int in, out;
	char buf[4096];

	CHECK(n > 0);
	self[n] = 0;
	if (geteuid()) {		/* run by the copy below */
		EQ(geteuid(), getuid());
		return;
	}
	in = OK(open(self, O_RDONLY));
	unlink("/tmp/nnp");
	out = OK(open("/tmp/nnp", O_CREAT | O_WRONLY, 0755));
	while ((n = read(in, buf, sizeof(buf))) > 0)
		EQ(write(out, buf, (size_t)n), n);
	OK(fstat(out, &st));
	OK(fchown(out, 0, 0));
	OK(fchmod(out, 04755));
	close(out);
	close(in);
	pid = OK(fork());
	if (pid == 0) {
		OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		if (setgid(1234) || setuid(1234))
			_exit(1);
		execl("/tmp/nnp", "nnp", "no_new_privs_by_effect", (char *)NULL);
		_exit(2);
	}
	CHECK(t_child_ok(pid));
	unlink("/tmp/nnp");
}

/* An orphan goes to the subreaper, not to init. */
TEST(child_subreaper)
{
	int v = -1, status;
	pid_t pid, orphan;
	int p[2];

	OK(prctl(PR_GET_CHILD_SUBREAPER, &v));
	EQ(v, 0);
	OK(prctl(PR_SET_CHILD_SUBREAPER, 7));
	OK(prctl(PR_GET_CHILD_SUBREAPER, &v));
	EQ(v, 1);
	OK(pipe(p));
	pid = OK(fork());
	if (pid == 0) {
		OK(prctl(PR_GET_CHILD_SUBREAPER, &v));
		if (v)
			_exit(2);		/* not inherited */
		orphan = fork();
		if (orphan == 0) {
			hear(p[0]);
			_exit(getppid() == *(volatile pid_t *)&pid ? 1 : 42);
		}
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	say(p[1]);
	pid = OK(wait(&status));
	EQ(WEXITSTATUS(status), 42);
	OK(prctl(PR_SET_CHILD_SUBREAPER, 0));
	OK(prctl(PR_GET_CHILD_SUBREAPER, &v));
	EQ(v, 0);
	ERR(prctl(PR_GET_CHILD_SUBREAPER, 8), EFAULT);
}

#define NOROOT 1
#define NOROOT_LOCKED 2
#define NO_FIXUP 4
#define KEEP 16
#define KEEP_LOCKED 32
#define NO_AMBIENT 64

TEST(securebits)
{
	EQ(prctl(PR_GET_SECUREBITS), 0);
	OK(prctl(PR_SET_SECUREBITS, NO_FIXUP | NOROOT | NOROOT_LOCKED));
	EQ(prctl(PR_GET_SECUREBITS), NO_FIXUP | NOROOT | NOROOT_LOCKED);
	ERR(prctl(PR_SET_SECUREBITS, 0), EPERM);		/* a lock cannot be opened */
	ERR(prctl(PR_SET_SECUREBITS, NOROOT), EPERM);
	ERR(prctl(PR_SET_SECUREBITS, 1 << 30), EPERM);
	OK(prctl(PR_SET_SECUREBITS, NO_FIXUP | NOROOT | NOROOT_LOCKED | KEEP_LOCKED));
	ERR(prctl(PR_SET_KEEPCAPS, 1), EPERM);
	/* Without the fixup setuid leaves capabilities as they are. */
	OK(setresuid(1234, 1234, 1234));
	CHECK(cap_line("CapEff:") != 0);
}

TEST(bounding_set)
{
	EQ(prctl(PR_CAPBSET_READ, CAP_SYS_TIME), 1);
	ERR(prctl(PR_CAPBSET_READ, 64), EINVAL);
	ERR(prctl(PR_CAPBSET_DROP, 64), EINVAL);
	OK(prctl(PR_CAPBSET_DROP, CAP_SYS_TIME));
	EQ(prctl(PR_CAPBSET_READ, CAP_SYS_TIME), 0);
	EQ(cap_line("CapBnd:") >> CAP_SYS_TIME & 1, 0);
	CHECK(cap_line("CapEff:") >> CAP_SYS_TIME & 1);		/* until the next exec */
	OK(setuid(1234));
	ERR(prctl(PR_CAPBSET_DROP, CAP_SYS_NICE), EPERM);
}

static int capset_inheritable(unsigned int mask)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d))
		return -1;
	d[0].inheritable = mask;
	return (int)syscall(SYS_capset, &h, d);
}

TEST(ambient)
{
	EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 0);
	/* not inheritable */
	ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), EPERM);
	OK(capset_inheritable(1U << CAP_CHOWN));
	OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
	EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 1);
	EQ(cap_line("CapAmb:"), 1U << CAP_CHOWN);
	OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_CHOWN, 0, 0));
	EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 0);
	OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
	OK(capset_inheritable(0));			/* takes the ambient one along */
	EQ(cap_line("CapAmb:"), 0);
	OK(capset_inheritable(1U << CAP_CHOWN));
	OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
	OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
	EQ(cap_line("CapAmb:"), 0);
	OK(prctl(PR_SET_SECUREBITS, NO_AMBIENT));
	ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), EPERM);
	ERR(prctl(PR_CAP_AMBIENT, 99, 0, 0, 0), EINVAL);
	ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 64, 0, 0), EINVAL);
	ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0), EINVAL);
}

/* The default is the parent's value at fork; real-time tasks have none. */
TEST(timer_slack)
{
	pid_t pid;

	EQ(prctl(PR_GET_TIMERSLACK), 50000);
	OK(prctl(PR_SET_TIMERSLACK, 123456));
	EQ(prctl(PR_GET_TIMERSLACK), 123456);
	CHECK(atol(slurp("/proc/self/timerslack_ns")) == 123456);
	pid = OK(fork());
	if (pid == 0) {
		EQ(prctl(PR_GET_TIMERSLACK), 123456);
		OK(prctl(PR_SET_TIMERSLACK, 1));
		EQ(prctl(PR_GET_TIMERSLACK), 1);
		OK(prctl(PR_SET_TIMERSLACK, 0));
		EQ(prctl(PR_GET_TIMERSLACK), 123456);
		_exit(0);
	}
	CHECK(t_child_ok(pid));
	OK(prctl(PR_SET_TIMERSLACK, 0));
	EQ(prctl(PR_GET_TIMERSLACK), 50000);
}

TEST(timing)
{
	EQ(prctl(PR_GET_TIMING), PR_TIMING_STATISTICAL);
	OK(prctl(PR_SET_TIMING, PR_TIMING_STATISTICAL));
	ERR(prctl(PR_SET_TIMING, PR_TIMING_TIMESTAMP), EINVAL);
}

TEST(tid_address)
{
	static int mine;
	int *p = NULL;

	syscall(SYS_set_tid_address, &mine);
	if (prctl(PR_GET_TID_ADDRESS, &p, 0, 0, 0) && errno == EINVAL)
		SKIP("built without it");
	CHECK(p == &mine);
	ERR(prctl(PR_GET_TID_ADDRESS, 8, 0, 0, 0), EFAULT);
}

TEST(huge_pages_off)
{
	pid_t pid;

	EQ(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
	OK(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	EQ(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
	pid = OK(fork());
	if (pid == 0)
		_exit(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1 ? 0 : 1);
	CHECK(t_child_ok(pid));
	OK(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
	EQ(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
	ERR(prctl(PR_SET_THP_DISABLE, 1, 0, 1, 0), EINVAL);
	ERR(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0), EINVAL);
}

/* A name for anonymous memory: seen in maps, goes with the mapping, is checked. */
TEST(name_of_memory)
{
	char *m = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	     line[60];
	char long_name[100];
	int fd;

	CHECK(m != MAP_FAILED);
	if (prctl(PR_SET_VMA, 0, m, PAGE, "probe") && errno == EINVAL)
		SKIP("built without it");
	OK(prctl(PR_SET_VMA, 0, m + PAGE, PAGE, "second page"));
	CHECK(strstr(slurp("/proc/self/maps"), "[anon:second page]"));
	snprintf(line, sizeof(line), "%lx-%lx rw-p", (unsigned long)m + PAGE,
		 (unsigned long)m + 2 * PAGE);
	CHECK(strstr(text, line));
	OK(prctl(PR_SET_VMA, 0, m, 4 * PAGE, NULL));
	CHECK(!strstr(slurp("/proc/self/maps"), "[anon:second page]"));
	ERR(prctl(PR_SET_VMA, 0, m, PAGE, "no [brackets]"), EINVAL);
	ERR(prctl(PR_SET_VMA, 0, m, PAGE, "tab\t"), EINVAL);
	memset(long_name, 'n', sizeof(long_name));
	long_name[79] = 0;
	OK(prctl(PR_SET_VMA, 0, m, PAGE, long_name));
	long_name[79] = 'n';
	long_name[80] = 0;
	ERR(prctl(PR_SET_VMA, 0, m, PAGE, long_name), EINVAL);
	ERR(prctl(PR_SET_VMA, 0, m, PAGE, 8), EFAULT);
	ERR(prctl(PR_SET_VMA, 0, m + 1, PAGE, "x"), EINVAL);
	ERR(prctl(PR_SET_VMA, 1, m, PAGE, "x"), EINVAL);
	OK(munmap(m + 2 * PAGE, PAGE));
	ERR(prctl(PR_SET_VMA, 0, m, 4 * PAGE, "hole"), ENOMEM);
	fd = OK(open("/proc/self/exe", O_RDONLY));
	m = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(m != MAP_FAILED);
	ERR(prctl(PR_SET_VMA, 0, m, PAGE, "file"), EBADF);
}

/* Programs that set their title move the arguments: /proc/PID/cmdline shows what is there. */
TEST(memory_layout)
{
	char *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long brk_now = (unsigned long)sbrk(0);
	unsigned int size = 0;

	strcpy(m + 100, "a new title");
	/* Start and end must stay in order, so first the end or the start, as the place lies. */
	if (prctl(PR_SET_MM, PR_SET_MM_ARG_START, m + 100, 0, 0)) {
		OK(prctl(PR_SET_MM, PR_SET_MM_ARG_END, m + 112, 0, 0));
		OK(prctl(PR_SET_MM, PR_SET_MM_ARG_START, m + 100, 0, 0));
	} else {
		OK(prctl(PR_SET_MM, PR_SET_MM_ARG_END, m + 112, 0, 0));
	}
	CHECK(!memcmp(slurp("/proc/self/cmdline"), "a new title", 12));
	ERR(prctl(PR_SET_MM, PR_SET_MM_ARG_START, 16, 0, 0), EINVAL);
	ERR(prctl(PR_SET_MM, PR_SET_MM_ARG_END, 1UL << 62, 0, 0), EINVAL);
	ERR(prctl(PR_SET_MM, PR_SET_MM_ARG_END, m, 0, 0), EINVAL);  /* before its start */
	ERR(prctl(PR_SET_MM, 99, m, 0, 0), EINVAL);
	ERR(prctl(PR_SET_MM, PR_SET_MM_ARG_END, m + 112, 1, 0), EINVAL);
	OK(prctl(PR_SET_MM, PR_SET_MM_BRK, brk_now + 64, 0, 0));
	EQ((unsigned long)syscall(SYS_brk, 0), brk_now + 64);
	OK(prctl(PR_SET_MM, PR_SET_MM_BRK, brk_now, 0, 0));
	OK(prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0));
	EQ(size, sizeof(struct prctl_mm_map));
	OK(setuid(1234));
	ERR(prctl(PR_SET_MM, PR_SET_MM_ARG_START, m + 100, 0, 0), EPERM);
}

TEST(auxiliary_vector)
{
	unsigned long v[128] = { 0 };
	long n = prctl(PR_GET_AUXV, v, sizeof(v), 0, 0);
	char *file;
	bool page_size = false;

	if (n < 0 && errno == EINVAL)
		SKIP("older than this option");
	CHECK(n > 0);
	for (int i = 0; i < 126 && v[i]; i += 2)
		page_size |= v[i] == 6 /* AT_PAGESZ */ && v[i + 1] == PAGE;
	CHECK(page_size);
	file = slurp("/proc/self/auxv");
	CHECK(!memcmp(file, v, 64));
	memset(v, 0, sizeof(v));
	EQ(prctl(PR_GET_AUXV, v, 16, 0, 0), n);		/* says how much there is */
	EQ(v[2], 0);
	ERR(prctl(PR_GET_AUXV, v, 16, 1, 0), EINVAL);
	ERR(prctl(PR_GET_AUXV, 8, 16, 0, 0), EFAULT);
}

TEST(no_executable_gain)
{
	void *m, *x;
	pid_t pid;

	if (prctl(PR_GET_MDWE, 0, 0, 0, 0) < 0)
		SKIP("older than this option");
	EQ(prctl(PR_GET_MDWE, 0, 0, 0, 0), 0);
	ERR(prctl(PR_SET_MDWE, 1, 1, 0, 0), EINVAL);
	ERR(prctl(PR_SET_MDWE, 2, 0, 0, 0), EINVAL);
	ERR(prctl(PR_SET_MDWE, 8, 0, 0, 0), EINVAL);
	x = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(x != MAP_FAILED);
	OK(prctl(PR_SET_MDWE, 1, 0, 0, 0));
	EQ(prctl(PR_GET_MDWE, 0, 0, 0, 0), 1);
	ERR(prctl(PR_SET_MDWE, 0, 0, 0, 0), EPERM);
	ERR((long)mmap(NULL, PAGE, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	    EACCES);
	m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(m != MAP_FAILED);
	ERR(mprotect(m, PAGE, PROT_READ | PROT_EXEC), EACCES);
	ERR(mprotect(m, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC), EACCES);
	OK(mprotect(x, PAGE, PROT_EXEC));		/* what was executable may stay so */
	OK(mprotect(m, PAGE, PROT_READ));
	pid = OK(fork());
	if (pid == 0)
		_exit(prctl(PR_GET_MDWE, 0, 0, 0, 0) == 1 && mprotect(m, PAGE, PROT_EXEC) < 0 ? 0 :
												1);
	CHECK(t_child_ok(pid));
}

TEST(io_flusher)
{
	EQ(prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0), 0);
	OK(prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0));
	EQ(prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0), 1);
	ERR(prctl(PR_SET_IO_FLUSHER, 2, 0, 0, 0), EINVAL);
	OK(prctl(PR_SET_IO_FLUSHER, 0, 0, 0, 0));
	OK(setuid(1234));
	ERR(prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0), EPERM);
	ERR(prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0), EPERM);
}
