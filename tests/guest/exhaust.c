// SPDX-License-Identifier: MIT
// slow: uses up all there is
/* Everything used up: an errno each time, and all of it comes back. */
#define TEST_LIMIT 90
#include "t.h"
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

TEST(descriptors)
{
	struct rlimit rl = { 4096, 4096 };
	int n = 0, fd;

	setrlimit(RLIMIT_NOFILE, &rl);
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		n++;
	EQ(errno, EMFILE);
	CHECK(n > 500);
	ERR(socket(AF_UNIX, SOCK_STREAM, 0), EMFILE);
	syscall(SYS_close_range, 3, ~0u, 0);
	close(OK(open("/dev/null", O_RDONLY)));
}

TEST(fork_bomb)
{
	struct rlimit rl = { 100, 100 };
	pid_t pid = OK(fork());

	if (pid == 0) {
		OK(setrlimit(RLIMIT_NPROC, &rl));
		OK(setuid(5555));
		setsid();
		for (int i = 0; i < 300; i++)
			if (fork() < 0)
				t_sleep_ms(1);
		t_sleep_ms(200);
		kill(0, SIGKILL);
	}
	t_wait(pid);
	for (int i = 0; i < 200; i++) {
		pid = OK(fork());
		if (pid == 0)
			_exit(0);
		CHECK(t_child_ok(pid));
	}
}

TEST(many_processes_at_once)
{
	enum { N = 300 };
	static pid_t pid[N];
	int p[2], n;
	char c;

	OK(pipe(p));
	for (n = 0; n < N; n++) {
		pid[n] = fork();
		if (pid[n] < 0)
			break;
		if (pid[n] == 0) {
			close(p[1]);
			read(p[0], &c, 1);
			_exit(n & 127);
		}
	}
	CHECK(n > 200);
	close(p[1]);
	for (int i = 0; i < n; i++)
		EQ(WEXITSTATUS(t_wait(pid[i])), i & 127);
}

TEST(deep_directories)
{
	char cwd[20] = "/tmp/deep";
	int depth = 0;

	mkdir(cwd, 0755);
	OK(chdir(cwd));
	while (depth < 2000 && mkdir("directory-of-some-length", 0755) == 0 &&
	       chdir("directory-of-some-length") == 0)
		depth++;
	EQ(depth, 2000);
	char b[100];

	ERR(getcwd(b, sizeof(b)) ? 0 : -1, ENAMETOOLONG);	/* longer than PATH_MAX */
	for (int i = 0; i < depth; i++) {
		OK(chdir(".."));
		OK(rmdir("directory-of-some-length"));
	}
	OK(chdir("/tmp"));
	OK(rmdir(cwd));
}

TEST(many_files)
{
	char name[40];

	OK(mkdir("/tmp/many", 0755));
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "/tmp/many/%d", i);
		int fd = OK(open(name, O_CREAT | O_WRONLY, 0600));

		EQ(write(fd, name, 10), 10);
		close(fd);
	}
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "/tmp/many/%d", i);
		OK(unlink(name));
	}
	OK(rmdir("/tmp/many"));
}

TEST(many_pipes_full)
{
	static char b[65536];
	int n = 0, p[2];

	while (n < 200 && pipe(p) == 0) {
		EQ(write(p[1], b, sizeof(b)), sizeof(b));
		n++;
	}
	CHECK(n >= 100);
}

static void set_score(const char *adj)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd < 0 || write(fd, adj, strlen(adj)) < 0)
		_exit(9);
	close(fd);
}

static long available(void)
{
	long kb = 0;
	char line[200];
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f) && sscanf(line, "MemAvailable: %ld kB", &kb) != 1)
		;
	CHECK(f && kb);
	fclose(f);
	return kb << 10;
}

static void use(long bytes)
{
	char *p = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		_exit(8);
	for (long i = 0; i < bytes; i += 4096)
		p[i] = 1;
}

/* Of SIZE, on its way out, but held there by its tracer. */
static pid_t held_at_exit(long size)
{
	int go[2], st;
	pid_t pid;
	char c;

	OK(pipe(go));
	pid = OK(fork());
	if (!pid) {
		set_score("900");
		use(size);
		read(go[0], &c, 1);
		_exit(0);
	}
	OK(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXIT));
	EQ(write(go[1], "", 1), 1);
	EQ(waitpid(pid, &st, 0), pid);
	CHECK(WIFSTOPPED(st));
	EQ(st >> 16, PTRACE_EVENT_EXIT);
	close(go[0]);
	close(go[1]);
	return pid;
}

static void let_go(pid_t pid)
{
	int st;

	ptrace(PTRACE_CONT, pid, 0, 0);		/* a victim may have gone already */
	do {
		EQ(waitpid(pid, &st, 0), pid);
	} while (WIFSTOPPED(st) && ptrace(PTRACE_CONT, pid, 0, 0) >= 0);
	CHECK(!WIFSTOPPED(st));
}

/* A dying process that does not get on: another one is killed, or its memory is taken. */
TEST(memory_of_a_process_that_cannot_end)
{
	long all = available();
	pid_t dying = held_at_exit(4 << 20), hog = OK(fork());
	int st;

	if (!hog) {
		alarm(0);
		set_score("1000");
		for (;;)
			use(4 << 20);
	}
	st = t_wait(hog);
	CHECK(WIFSIGNALED(st));
	EQ(WTERMSIG(st), SIGKILL);
	let_go(dying);

	dying = held_at_exit(all / 2);
	hog = OK(fork());
	if (!hog) {
		alarm(0);
		set_score("-900");
		use(all / 4 * 3);
		_exit(0);
	}
	st = t_wait(hog);
	CHECK(WIFEXITED(st));
	EQ(WEXITSTATUS(st), 0);
	let_go(dying);
}

/*
 * One that eats all memory dies, and it alone: this one has told the kernel that it does not
 * matter.
 */
TEST(memory_hog_is_killed)
{
	pid_t pid = OK(fork());
	int st;

	if (pid == 0) {
		int fd = open("/proc/self/oom_score_adj", O_WRONLY);

		if (fd >= 0)
			write(fd, "1000", 4);
		alarm(0);
		for (;;) {
			char *p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

			if (p == MAP_FAILED)
				_exit(1);
			for (int i = 0; i < 4 << 20; i += 4096)
				p[i] = 1;
		}
	}
	st = t_wait(pid);
	CHECK(WIFSIGNALED(st));
	EQ(WTERMSIG(st), SIGKILL);
	char *p = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 1, 64 << 20);
}
