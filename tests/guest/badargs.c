// SPDX-License-Identifier: MIT
// slow: every system call with every bad argument
/*
 * Every system call of the table with arguments that nobody should give: pointers to nothing, to
 * the kernel, to no address at all, to the last bytes of a page; lengths of nothing, of everything,
 * of more; descriptors that are closed, and numbers at the edges. Whatever it answers must be an
 * errno that programs know, and the machine must go on.
 */
#define TEST_LIMIT 110
#include "t.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <abi/fuzz.h>

enum { ROUNDS = 40 };

static char *edge;		/* the end of a mapped page with nothing behind it */

/* What would end the test itself, or rightly wait for ever. */
static bool excepted(const char *name)
{
	static const char *const no[] = { "exit",
					  "exit_group",
					  "fork",
					  "vfork",
					  "clone",
					  "clone3",
					  "pause",
					  "rt_sigreturn",
					  "rt_sigsuspend",
					  "restart_syscall",
					  "reboot",
					  "seccomp",
					  "landlock_restrict_self",
					  "setrlimit",
					  "prlimit64" };

	for (unsigned int i = 0; i < sizeof(no) / sizeof(*no); i++)
		if (!strcmp(name, no[i]))
			return true;
	return false;
}

static unsigned long pick(char kind, unsigned int *seed)
{
	static const unsigned long pointers[] = { 0,
						  1,
						  8,
						  0x1000,
						  0x7ffffffff000,
						  0x7fffffffffff,
						  0x800000000000,
						  0x8000000000000000,
						  0xffff888000000000,
						  0xffffffff80100000,
						  0xffffffffff600000,
						  ~0UL,
						  ~0UL - 7 };
	static const unsigned long numbers[] = { 0,	     1,		 2,	    3,
						 7,	     8,		 64,	    100,
						 4095,	     4096,	 65536,	    0x7fffffff,
						 0x80000000, 0xffffffff, ~0UL,	    ~0UL - 1,
						 1UL << 32,  1UL << 47,	 1UL << 62, 1UL << 63 };
	static const unsigned long files[] = { 0,  1,	 2,	     3,		 4,	 5,
					       99, 1023, 0x7fffffff, 0xffffffff, -100UL, ~0UL };
	unsigned int r = rand_r(seed);

	if (kind == 'f' && r % 4)
		return files[r / 8 % (sizeof(files) / sizeof(*files))];
	if (kind == 'p') {
		if (r % 3 == 0)
			return (unsigned long)edge - r / 4 % 9;
		if (r % 3 == 1)
			return (unsigned long)edge - PAGE + r / 4 % 64;
		return pointers[r / 4 % (sizeof(pointers) / sizeof(*pointers))];
	}
	return numbers[r / 4 % (sizeof(numbers) / sizeof(*numbers))];
}

static void throw_at(unsigned int i, unsigned int round)
{
	unsigned int seed = i * 1000 + round;
	unsigned long a[6] = { 0 };
	long ret;

	for (int k = 0; k < calls[i].nargs; k++)
		a[k] = pick(calls[i].kind[k], &seed);
	if (!strcmp(calls[i].name, "alarm") || !strcmp(calls[i].name, "setitimer"))
		return;
#ifdef __x86_64__
	register unsigned long r10 __asm__("r10") = a[3];
	register unsigned long r8 __asm__("r8") = a[4];
	register unsigned long r9 __asm__("r9") = a[5];

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"((long)calls[i].nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10),
			   "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
#else
	ret = syscall(calls[i].nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (ret == -1)
		ret = -errno;
#endif
	/* Nothing above EHWPOISON is told to a program. */
	if (ret < -133 && ret >= -4095)
		_exit(3);
}

static void prepare(void)
{
	struct rlimit rl = { 1 << 20, 1 << 20 };
	int p[2];

	setrlimit(RLIMIT_FSIZE, &rl);
	rl.rlim_cur = rl.rlim_max = 100;
	setrlimit(RLIMIT_NPROC, &rl);
	rl.rlim_cur = rl.rlim_max = 512 << 20;
	setrlimit(RLIMIT_AS, &rl);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	close(0);
	open("/dev/null", O_RDWR);
	if (pipe(p))
		_exit(1);
	open("/dev/zero", O_RDWR);
}

TEST(every_call_with_wrong_arguments)
{
	char *m = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int waited = 0;

	CHECK(m != MAP_FAILED);
	OK(mprotect(m, PAGE * 2, PROT_READ | PROT_WRITE));
	memset(m, 'x', PAGE * 2);
	edge = m + PAGE * 2;
	unshare(CLONE_NEWIPC);		/* what stays of its queues and segments goes with it */
	mkdir("/tmp/badargs", 0777);
	chmod("/tmp/badargs", 0777);
	OK(chdir("/tmp/badargs"));
	for (unsigned int i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (excepted(calls[i].name))
			continue;
		/*
		 * One that waits is ended and the next round begins in another process, twice at
		 * most.
		 */
		for (unsigned int tries = 0, from = 0; tries < 3 && from < ROUNDS;
		     tries++, from += 13) {
			int status;
			pid_t pid = OK(fork());

			if (pid == 0) {
				prepare();
				if (setgid(65534) || setuid(65534))
					_exit(1);
				signal(SIGALRM, SIG_DFL);
				alarm(1);
				for (unsigned int r = from; r < ROUNDS; r++)
					throw_at(i, r);
				_exit(0);
			}
			status = t_wait(pid);
			if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
				FAIL("%s answers with an errno that is none", calls[i].name);
			if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGALRM)
				break;
			waited++;
		}
	}
	CHECK(waited < 60);
	OK(chdir("/"));
	system("rm -rf /tmp/badargs");
}

/*
 * The half of a structure that is mapped is not written when the other half is not there, or else
 * the call says so: EFAULT.
 */
TEST(structures_over_the_edge)
{
	static const struct {
		const char *name;
		int nr;
		unsigned long a0;
		int which;
	} t[] = {
#ifdef SYS_fstat
		{ "newfstat", SYS_fstat, 0, 1 },
#endif
#ifdef SYS_getrlimit
		{ "getrlimit", SYS_getrlimit, 1, 1 },
#endif
		{ "uname", SYS_uname, 0, 0 },
		{ "getrusage", SYS_getrusage, 0, 1 },
		{ "times", SYS_times, 0, 0 },
		{ "clock_gettime", SYS_clock_gettime, 1, 1 },
		{ "sysinfo", SYS_sysinfo, 0, 0 },
#ifdef SYS_pipe
		{ "pipe", SYS_pipe, 0, 0 },
#endif
		{ "gettimeofday", SYS_gettimeofday, 0, 0 },
		{ "pipe2", SYS_pipe2, 0, 0 },
		{ "getitimer", SYS_getitimer, 0, 1 },
		{ "sched_getparam", SYS_sched_getparam, 0, 1 },
		{ "rt_sigpending", SYS_rt_sigpending, 0, 0 },
		{ "fstatfs", SYS_fstatfs, 0, 1 },
	};
	char *m = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	OK(mprotect(m + PAGE, PAGE, PROT_NONE));
	close(0);
	OK(open("/dev/null", O_RDWR));
	for (unsigned int i = 0; i < sizeof(t) / sizeof(*t); i++) {
		unsigned long a[3] = { t[i].a0, 0, 0 };

		a[t[i].which] = (unsigned long)m + PAGE - 2;
		if (t[i].nr == SYS_rt_sigpending)
			a[1] = 8;
		errno = 0;
		long r = syscall(t[i].nr, a[0], a[1], a[2]);

		if (r != -1 || errno != EFAULT)
			FAIL("%s: %ld, errno %d", t[i].name, r, errno);
		a[t[i].which] = 0xffff888000001000;
		errno = 0;
		r = syscall(t[i].nr, a[0], a[1], a[2]);
		if (r != -1 || errno != EFAULT)
			FAIL("%s with a kernel address: %ld, errno %d", t[i].name, r, errno);
	}
}

/* Data up to the end of the page count; a transfer that gets nowhere is EFAULT. */
TEST(half_a_buffer)
{
	char *m = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int p[2], fd;

	OK(mprotect(m + PAGE, PAGE, PROT_NONE));
	memset(m, 'y', PAGE);
	unlink("/tmp/half");
	fd = OK(open("/tmp/half", O_CREAT | O_RDWR, 0600));
	EQ(write(fd, m + PAGE - 96, 200), 96);
	ERR(write(fd, m + PAGE, 1), EFAULT);
	EQ(pwrite(fd, m, PAGE, 0), PAGE);
	EQ(pread(fd, m + PAGE - 96, 200, 0), 96);
	ERR(pread(fd, m + PAGE, 1, 0), EFAULT);
	OK(pipe(p));
	EQ(write(p[1], m, 100), 100);
	ERR(read(p[0], m + PAGE, 1), EFAULT);
	ERR(open(m + PAGE - 6, O_RDONLY), EFAULT);	/* a path without an end */
	memcpy(m + PAGE - 6, "/tmp\0", 5);
	close(OK(open(m + PAGE - 6, O_RDONLY)));
	EQ(read(fd, NULL, 0), 0);
	ERR(write(fd, (void *)0xffff888000000000, 10), EFAULT);
	unlink("/tmp/half");
}
