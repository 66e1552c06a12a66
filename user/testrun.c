// SPDX-License-Identifier: MIT
/*
 * Runs test programs in the guest, one after the other, and says how each ended.
 *
 *	testrun [-1|-f] DIR [NAME...]	all of DIR, or these, in this order; -1: each runs once, and only files and processes are counted;
 *					-f: under failnth, where what a test says of itself is no matter
 *
 * To the host, on stdout:  "test NAME start", "test NAME again" before each run after the first, then what the program prints, then
 * "test NAME ok|skipped|FAILED why".
 * A program NAME.sh is run by /bin/sh and its output compared with NAME.out. Around each program what the system counts (open files,
 * inodes, processes, objects of each slab cache, folios) must come back to where it was: a leak fails the test. At the end a debug kernel's graph of
 * lock orders follows, each line after "lock: ", and the leaks that its scanner suspects, after "leaked: ".
 *
 * Modules of another kernel that lie in /tests/modules are loaded first, in the order of their names.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS 1000000	/* for hangs; ten times what the longest takes on a host that is free */
#define LEAP_MS 10000		/* a step of the clock counts for no more: the host was suspended or moved, and the test had none of it */
#define SKIPPED 77

/* What there is of each thing that the system counts. */
struct counts {
	int nr;
	long kthreads;	/* not compared: workers end when they were idle for long */
	struct {
		char name[32];
		long n;
	} c[400];
};

static long first_number(const char *path)
{
	char buf[64] = "";
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	return n > 0 ? atol(buf) : -1;
}

/* Processes; *KTHREADS: kernel threads. */
static long count_tasks(long *kthreads)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	long n = 0;

	*kthreads = 0;
	if (!d)
		return -1;
	while ((e = readdir(d))) {
		char path[300], comm[8];
		int fd;

		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		/* Kernel threads come and go by themselves: they have no command line. */
		snprintf(path, sizeof(path), "/proc/%s/cmdline", e->d_name);
		fd = open(path, O_RDONLY);
		if (fd >= 0) {
			if (read(fd, comm, sizeof(comm)) > 0)
				n++;
			else
				++*kthreads;
			close(fd);
		}
	}
	closedir(d);
	return n;
}

static void note(struct counts *c, const char *name, long n)
{
	if (n < 0 || c->nr == (int)(sizeof(c->c) / sizeof(c->c[0])))
		return;
	snprintf(c->c[c->nr].name, sizeof(c->c[0].name), "%s", name);
	c->c[c->nr++].n = n;
}

/* Objects of each slab cache, and folios: pages that are neither free nor a slab's. Not on Linux, which keeps many of both at hand. */
static void count_memory(struct counts *c)
{
	long total = 0, free = 0, slab = 0, stacks = 0, tables = 0, n;
	char line[300], name[32];
	int folios = c->nr;
	FILE *f;

	note(c, "folios", 0);	/* counted last: reading slabinfo may free some */
	f = fopen("/proc/slabinfo", "r");
	while (f && fgets(line, sizeof(line), f))
		/* Areas of kernel stacks are kept for the next task; what else has one has pages too. */
		if (sscanf(line, "%31[^# ] %ld", name, &n) == 2 && strcmp(name, "slabinfo") && strcmp(name, "varea"))
			note(c, name, n);
	if (f)
		fclose(f);
	f = fopen("/proc/meminfo", "r");
	while (f && fgets(line, sizeof(line), f)) {
		sscanf(line, "MemTotal: %ld", &total);
		sscanf(line, "MemFree: %ld", &free);
		sscanf(line, "Slab: %ld", &slab);
		sscanf(line, "KernelStack: %ld", &stacks);
	}
	if (f)
		fclose(f);
	/* The tables of kernel addresses (and in a debug kernel their shadow) stay, as many as kernel stacks ever needed at once. */
	f = fopen("/proc/vmstat", "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "nr_kernel_page_table_pages %ld", &tables);
	if (f)
		fclose(f);
	c->c[folios].n = (total - free - slab - stacks) / 4 - tables;
}

static int ours;	/* not Linux; and more than files and processes is to be counted */
static int faults;	/* -f */
static int once;

static void count(struct counts *c)
{
	int fd;

	c->nr = 0;
	note(c, "processes", count_tasks(&c->kthreads));
	/* Linux counts files in per-CPU batches: let those pass. */
	note(c, "files", first_number("/proc/sys/fs/file-nr") / (ours ? 1 : 64));
	if (!ours)
		return;
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	if (fd >= 0) {
		if (write(fd, "3", 1) != 1)
			perror("drop_caches");
		close(fd);
	}
	note(c, "inodes", first_number("/proc/sys/fs/inode-nr"));
	count_memory(c);
}

/* Says what is in NOW more often than in WAS, of those only whose bit in SUSPECT is set if that is given; sets their bits. */
static int grown(const struct counts *was, const struct counts *now, const char *suspect, char *more)
{
	int n = 0;

	for (int i = 0; i < now->nr; i++) {
		more[i] = (!suspect || suspect[i]) && i < was->nr && !strcmp(was->c[i].name, now->c[i].name) && now->c[i].n > was->c[i].n;
		n += more[i];
	}
	return n;
}

/* Counts into NOW until nothing is more than it was: objects may be freed a little later, by RCU or a work queue. How many are, after a quarter of a second (two where each runs once). */
static int settle(const struct counts *was, struct counts *now, const char *suspect, char *more)
{
	int n = 0;

	for (int ms = 1; ms < (once ? 2048 : 256); ms *= 2) {
		count(now);
		n = grown(was, now, suspect, more);
		if (!n)
			break;
		usleep(ms * 1000);
	}
	return n;
}

/* Idle workers end after 30 s, and free a task's objects each. Waits, for a minute at most, until there are no more kernel threads than in WAS. */
static int settle_without_workers(const struct counts *was, struct counts *now, char *more)
{
	static char suspect[sizeof(was->c) / sizeof(was->c[0])];

	memcpy(suspect, more, sizeof(suspect));
	for (int s = 0; s < 60 && now->kthreads > was->kthreads; s++) {
		sleep(1);
		count(now);
	}
	return grown(was, now, suspect, more);
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* For how long all CPUs together ran programs, and the kernel. */
struct busy {
	long user_ms, kernel_ms;
};

static struct busy busy(void)
{
	unsigned long user = 0, nice = 0, system = 0, idle, iowait, irq = 0, softirq = 0;
	long tick_ms = 1000 / sysconf(_SC_CLK_TCK);
	FILE *f = fopen("/proc/stat", "r");

	if (f && fscanf(f, "cpu %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &system, &idle, &iowait, &irq, &softirq) != 7)
		user = nice = system = irq = softirq = 0;
	if (f)
		fclose(f);
	return (struct busy){ (long)(user + nice) * tick_ms, (long)(system + irq + softirq) * tick_ms };
}

/* What a program printed, and how much more there was. */
struct text {
	char buf[65536];
	size_t len;
};

/* Runs it with its output into OUT; its wait status, or -1 when the time was over. */
static int run(const char *dir, const char *name, struct text *out)
{
	long long left = LIMIT_MS * (faults ? 4 : 1), last = now_ms();
	int p[2], status = -1;
	char path[512];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out->len = 0;
	if (pipe(p))
		return -1;
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDONLY);

		setpgid(0, 0);
		dup2(null, 0);
		dup2(p[1], 1);
		dup2(p[1], 2);
		close(p[0]);
		close(p[1]);
		if (chdir("/tmp"))
			_exit(126);
		if (faults)
			execl("/tests/failnth", "failnth", path, (char *)NULL);
		if (strstr(name, ".sh") && access(path, X_OK))
			execl("/bin/sh", "sh", path, (char *)NULL);
		else
			execl(path, name, (char *)NULL);
		perror(path);
		_exit(127);
	}
	close(p[1]);
	setpgid(pid, pid);
	for (;;) {
		struct pollfd pf = { p[0], POLLIN, 0 };
		char more[4096];
		long long now;
		ssize_t n;

		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
		now = now_ms();
		left -= now - last < LEAP_MS ? now - last : LEAP_MS;
		last = now;
		if (left < 0) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			status = -1;
			break;
		}
		if (poll(&pf, 1, 20) <= 0)
			continue;
		n = read(p[0], more, sizeof(more));
		if (n <= 0) {
			usleep(1000);
			continue;
		}
		if (out->len + n < sizeof(out->buf)) {
			memcpy(out->buf + out->len, more, n);
			out->len += n;
		}
	}
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	for (;;) {
		ssize_t n = out->len < sizeof(out->buf) - 1 ? read(p[0], out->buf + out->len, sizeof(out->buf) - 1 - out->len) : 0;

		if (n <= 0)
			break;
		out->len += n;
	}
	out->buf[out->len] = 0;
	close(p[0]);
	kill(-pid, SIGKILL);
	return status;
}

/* For NAME.sh: is what it printed what NAME.out holds? */
static int same_as_expected(const char *dir, const char *name, const struct text *out)
{
	static char want[65536];
	char path[512];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%.*s.out", dir, (int)(strlen(name) - 3), name);
	f = fopen(path, "r");
	if (!f)
		return 1;
	n = fread(want, 1, sizeof(want), f);
	fclose(f);
	return n == out->len && !memcmp(want, out->buf, n);
}

static int bad_status(const char *dir, const char *name, int status, const struct text *out, char *why, size_t size)
{
	if (status == -1)
		snprintf(why, size, "out of time");
	else if (WIFSIGNALED(status))
		snprintf(why, size, "signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) && WEXITSTATUS(status) != SKIPPED)
		snprintf(why, size, "status %d", WEXITSTATUS(status));
	else if (WEXITSTATUS(status) != SKIPPED && strstr(name, ".sh") && !same_as_expected(dir, name, out))
		snprintf(why, size, "other output than expected");
	return *why != 0;
}

/*
 * After NAME ran well: is there more of anything than in WAS? What is made once and kept (a table that grew, a first mount) is no leak: what is
 * more is counted again around five runs more, and leaks if each leaves more of it. How many runs more it took.
 */
static int look_for_leaks(const char *dir, const char *name, struct counts *was, struct text *out, char *why, size_t size)
{
	static char more[2][sizeof(was->c) / sizeof(was->c[0])];
	static struct counts now;
	size_t len = 0;

	int again;

	if (!settle(was, &now, NULL, more[0]))
		return 0;
	for (again = 1; again <= 5 && !once; again++) {
		static struct counts last;

		last = now;
		printf("test %s again\n", name);	/* so that the host knows of each run's time */
		fflush(stdout);
		if (bad_status(dir, name, run(dir, name, out), out, why, size)) {
			len = strlen(why);
			snprintf(why + len, size - len, " when it ran again");
			return again;
		}
		if (!settle(&last, &now, more[(again - 1) & 1], more[again & 1]))
			return again;
	}
	if (!once && now.kthreads > was->kthreads) {
		static struct counts last;

		if (!settle_without_workers(was, &now, more[1]))
			return again;
		/* An idle worker that was ending as WAS was counted, with a part of what it has, is no measure. */
		last = now;
		printf("test %s again\n", name);
		fflush(stdout);
		if (bad_status(dir, name, run(dir, name, out), out, why, size)) {
			len = strlen(why);
			snprintf(why + len, size - len, " when it ran again");
			return again + 1;
		}
		if (!settle(&last, &now, more[1], more[0]))
			return again + 1;
		memcpy(more[1], more[0], sizeof(more[0]));
		if (now.kthreads > last.kthreads && !settle_without_workers(&last, &now, more[1]))
			return again + 1;
	}
	len = (size_t)snprintf(why, size, "leak:");
	for (int i = 0; i < now.nr && len < size; i++)
		if (more[!once][i])
			len += (size_t)snprintf(why + len, size - len, " %s %ld to %ld", now.c[i].name, was->c[i].n, now.c[i].n);
	return again;
}

static void show(const struct text *t)
{
	fwrite(t->buf, 1, t->len, stdout);
	if (t->len && t->buf[t->len - 1] != '\n')
		putchar('\n');
}

static int test_one(const char *dir, const char *name)
{
	static struct text out, again;
	static struct counts before;
	char why[400] = "";
	long long start;
	struct busy b0, b1;
	int status, runs = 1;

	printf("test %s start\n", name);
	fflush(stdout);
	count(&before);
	start = now_ms();
	b0 = busy();
	status = run(dir, name, &out);
	b1 = busy();
	if (!bad_status(dir, name, status, &out, why, sizeof(why)))
		runs += look_for_leaks(dir, name, &before, &again, why, sizeof(why));
	show(&out);
	if (runs > 1 && *why)
		show(&again);
	if (*why)
		printf("test %s FAILED %s\n", name, why);
	else
		printf("test %s %s %lld ms, busy %ld + %ld, runs %d\n", name, status != -1 && WEXITSTATUS(status) == SKIPPED ? "skipped" : "ok",
		       now_ms() - start, b1.user_ms - b0.user_ms, b1.kernel_ms - b0.kernel_ms, runs);
	fflush(stdout);
	return *why != 0;
}

static void print_file(const char *lead, const char *path)
{
	char line[512];
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		printf("%s: %s", lead, line);
	if (f)
		fclose(f);
	fflush(stdout);
}

/* What the lock checker has seen, and the longest sections without preemption; a kernel without them has no such files. */
static void print_checks(void)
{
	if (access("/sys/kernel/debug/lockdep/graph", R_OK) && mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL))
		return;
	print_file("lock", "/sys/kernel/debug/lockdep/graph");
	print_file("section", "/sys/kernel/debug/sections");
}

/* What nothing in the kernel points to any more: the second scan says, whatever its age. */
static void print_leaks(void)
{
	static const char path[] = "/sys/kernel/debug/kmemleak";
	static const char *const commands[] = { "min_age=0", "scan", "scan", "min_age=5000" };
	char line[512];
	FILE *f;

	if (access(path, R_OK))
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		int fd = open(path, O_WRONLY);

		if (fd < 0 || write(fd, commands[i], strlen(commands[i])) < 0)
			printf("leaked: %s: %s\n", commands[i], strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		printf("leaked: %s", line);
	if (f)
		fclose(f);
	printf("leaked: end\n");
	fflush(stdout);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_modules(void)
{
	struct dirent **list;
	int n = scandir("/tests/modules", &list, NULL, by_name);

	for (int i = 0; i < n; i++) {
		char path[300];
		int fd;

		snprintf(path, sizeof(path), "/tests/modules/%s", list[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (list[i]->d_name[0] != '.' &&
		    (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)))
			perror(path);
		if (fd >= 0)
			close(fd);
	}
}

int main(int argc, char **argv)
{
	struct dirent **list;
	struct utsname u;
	int failed = 0, n;

	once = argc > 1 && !strcmp(argv[1], "-1");
	faults = argc > 1 && !strcmp(argv[1], "-f");
	argc -= once + faults;
	argv += once + faults;
	if (argc < 2) {
		fprintf(stderr, "usage: testrun [-1|-f] DIR [NAME...]\n");
		return 2;
	}
	uname(&u);
	ours = !once && strstr(u.release, "ochre");
	load_modules();
	for (int i = 2; i < argc; i++)
		failed += test_one(argv[1], argv[i]);
	n = argc > 2 ? 0 : scandir(argv[1], &list, NULL, by_name);
	for (int i = 0; i < n; i++)
		if (list[i]->d_name[0] != '.' && !strstr(list[i]->d_name, ".out"))
			failed += test_one(argv[1], list[i]->d_name);
	print_checks();
	print_leaks();
	return failed != 0;
}
