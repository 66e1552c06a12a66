// SPDX-License-Identifier: MIT
/*
 * The first program of a CPU that has no other yet: it says where it runs, tries what differs most between the ABIs of CPUs, and ends with
 * the status that it is given (0). What went wrong is a line with FAILED, and status 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int failed;

void first_check(int ok, const char *what);
/* What the CPU's folder adds: arch/CPU/test/first_calls.c. */
void first_own_calls(void) __attribute__((weak));

void first_check(int ok, const char *what)
{
	if (!ok) {
		printf("first: FAILED: %s (errno %d)\n", what, errno);
		failed = 1;
	}
}

static volatile int caught;
static volatile double kept = 1.5;

static void handler(int sig, siginfo_t *info, void *context)
{
	caught = sig == SIGUSR1 && info->si_pid == getpid() ? 1 : 2;
	kept = kept * 2;
}

static void errors(void)
{
	errno = 0;
	first_check(close(-1) == -1 && errno == EBADF, "close of a bad descriptor");
	first_check(open("/not/there", O_RDONLY) == -1 && errno == ENOENT, "open of what is not there");
	first_check(syscall(5000) == -1 && errno == ENOSYS, "a call that there is not");
}

/* Calls with two results. */
static void pairs(void)
{
	int fd[2], status;
	char c = 0;
	pid_t pid;

	first_check(getppid() >= 0 && getpid() > 0 && getuid() == 0 && geteuid() == 0 && getgid() == 0 && getegid() == 0, "who we are");
	first_check(!pipe(fd) && fd[0] != fd[1], "pipe");
	pid = fork();
	if (!pid)
		_exit(write(fd[1], "x", 1) == 1 && getppid() > 0 ? 9 : 8);
	first_check(pid > 0, "fork");
	first_check(read(fd[0], &c, 1) == 1 && c == 'x', "reading from the child");
	first_check(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 9, "the child's status");
	close(fd[0]);
	close(fd[1]);
}

static void signals(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	double before = kept;

	first_check(!sigaction(SIGUSR1, &sa, NULL) && !kill(getpid(), SIGUSR1), "kill");
	first_check(caught == 1, "the handler");
	first_check(kept == before * 2, "floating point across a handler");
}

static void memory(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, (size_t)page * 64, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	first_check(p != MAP_FAILED, "mmap");
	for (int i = 0; i < 64; i++)
		p[i * page] = (char)i;
	first_check(p[63 * page] == 63, "what was written");
	first_check(!mprotect(p, (size_t)page, PROT_READ), "mprotect");
	pid = fork();
	if (!pid) {
		*(volatile char *)p = 1;
		_exit(0);
	}
	first_check(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "a write that is not allowed");
	first_check(!munmap(p, (size_t)page * 64), "munmap");
}

static void files(void)
{
	int fd = open("/tmp/first", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	struct termios t;
	struct stat st;

	first_check(fd >= 0, "creating a file");
	first_check(open("/tmp/first", O_RDWR | O_CREAT | O_EXCL, 0640) == -1 && errno == EEXIST, "creating it again");
	first_check(write(fd, "hello", 5) == 5, "write");
	first_check(!fstat(fd, &st) && st.st_size == 5 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0640 && st.st_nlink == 1, "fstat");
	first_check(fcntl(fd, F_GETFD) == FD_CLOEXEC, "close-on-exec");
	first_check(!tcgetattr(0, &t) ? t.c_cc[VINTR] == 3 || t.c_cc[VINTR] == 0 : errno == ENOTTY, "the terminal's settings");
	close(fd);
	first_check(!unlink("/tmp/first"), "unlink");
}

int main(int argc, char **argv)
{
	struct utsname u;

	if (uname(&u))
		return 1;
	printf("first: %s %s on %s, %ld CPUs, pages of %ld\n", u.sysname, u.release, u.machine, sysconf(_SC_NPROCESSORS_ONLN), sysconf(_SC_PAGESIZE));
	errors();
	pairs();
	signals();
	memory();
	files();
	if (first_own_calls)
		first_own_calls();
	printf("first: %s\n", failed ? "something FAILED" : "all is well");
	return failed ? 1 : argc > 1 ? atoi(argv[1]) : 0;
}
