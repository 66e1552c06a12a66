// SPDX-License-Identifier: MIT
/*
 * Run in the guest, on a kernel that can make requests fail: faults DEVICE DIR OPTIONS WHAT OPS
 * FIRST STEP. Round N: the disk's N-th request fails, of the kinds OPS (bits: 1 reads, 2 writes, 4
 * discards, 8 flushes; 0 all), for N = FIRST, FIRST + STEP and so on until a round has fewer than
 * N. WHAT: "once", or "ever": all that follow fail too. In a round the file system is mounted,
 * several tasks work on it (faults_work.c) and it is unmounted; of "recovery-once" and
 * "recovery-ever" the disk is well until it is mounted again, with a dirty log, that is while it is
 * recovered. Mounting and working may fail with EIO; all tasks end, unmounting works, and when the
 * disk is well again all that was promised is there.
 */
#define _GNU_SOURCE
#include "faults.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHUTDOWN _IOR('X', 125, unsigned int)
#define LIMIT 100			/* seconds for a round's tasks */
#define FAIL "/sys/kernel/debug/fail_make_request/"

static const char *device, *dir, *options;
static char old[200];
static struct promises *promised;	/* [TASKS], shared */

static long number(const char *path, long value)
{
	char text[32];
	int fd = open(path, value < 0 ? O_RDONLY : O_WRONLY);
	ssize_t n = snprintf(text, sizeof(text), "%ld", value);

	if (value < 0)
		n = read(fd, text, sizeof(text) - 1);
	else if (write(fd, text, (size_t)n) != n)
		n = -1;
	if (fd < 0 || n <= 0)
		die("%s", path);
	close(fd);
	text[n] = '\0';
	return atol(text);
}

static void set_times(int ever)
{
	int fd = open(FAIL "times", O_WRONLY);

	if (write(fd, ever ? "-1" : "1", ever ? 2 : 1) < 0)
		die("times");
	close(fd);
}

/* The Nth request from now on fails. */
static void plant(long n, int ever, long ops)
{
	number(FAIL "probability", 0);
	set_times(ever);
	number(FAIL "ops", ops);
	number(FAIL "after", n - 1);
	number(FAIL "probability", 100);
}

/* Was it reached? */
static int pull(void)
{
	number(FAIL "probability", 0);
	return number(FAIL "after", -1) == 0;
}

static void must(int r, const char *what)
{
	if (r)
		die("%s", what);
}

static int mounted(void)
{
	if (!mount(device, dir, "xfs", 0, options))
		return 1;
	if (errno != EIO)
		die("mount fails");
	return 0;
}

static void mount_well(void)
{
	must(mount(device, dir, "xfs", 0, options), "a mount of a disk that is well");
}

/* What the tasks sleep in, for one that does not end. */
static void where_are(const pid_t *pid)
{
	char path[64], text[4096];

	for (int i = 0; i < TASKS; i++) {
		int fd;
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/stack", pid[i]);
		fd = open(path, O_RDONLY);
		n = fd < 0 ? -1 : read(fd, text, sizeof(text));
		if (n > 0)
			fprintf(stderr, "task %d:\n%.*s", i, (int)n, text);
		if (fd >= 0)
			close(fd);
	}
}

static pid_t pids[TASKS];

static void too_long(int sig)
{
	(void)sig;
	where_are(pids);
	die("a task does not end");
}

static void work_all(const char *where)
{
	int bad = 0, status;

	for (unsigned int t = 0; t < TASKS; t++) {
		promised[t].n = promised[t].failed = promised[t].done = 0;
		pids[t] = fork();
		if (!pids[t]) {
			work(where, old, t, &promised[t]);
			_exit(0);
		}
	}
	signal(SIGALRM, too_long);
	alarm(LIMIT);
	for (unsigned int t = 0; t < TASKS; t++)
		bad |= waitpid(pids[t], &status, 0) != pids[t] || status;
	alarm(0);
	if (bad)
		die("a task failed");
}

static void shut_down(void)
{
	unsigned int how = 1;			/* the log is written */
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	must(ioctl(fd, SHUTDOWN, &how), "shutdown");
	close(fd);
}

/* Into the kernel's log, so that its messages can be told apart. */
static void say(long n)
{
	FILE *f = fopen("/dev/kmsg", "w");

	if (f) {
		fprintf(f, "faults: request %ld\n", n);
		fclose(f);
	}
}

static unsigned long total_failed, total_promised, mounts_failed, rounds;

/* A round with the disk's Nth request failing. 0: there were fewer. */
static int round_of(long n, int ever, long ops, int recovery)
{
	char where[300];
	int hit;

	snprintf(where, sizeof(where), "%s/r", dir);
	mount_well();
	must(mkdir(where, 0755), where);
	if (recovery) {
		work_all(where);
		shut_down();
	}
	must(umount(dir), "umount");
	for (unsigned int t = 0; !recovery && t < TASKS; t++)
		promised[t].n = 0;
	say(n);
	plant(n, ever, ops);
	if (mounted()) {
		if (!recovery)
			work_all(where);
		must(umount(dir), "umount of a disk that fails");
	} else {
		mounts_failed++;
	}
	hit = pull();
	mount_well();
	for (unsigned int t = 0; t < TASKS; t++) {
		judge(where, t, &promised[t]);
		total_failed += promised[t].failed;
		total_promised += promised[t].n;
	}
	if (n % 16 == 1)
		judge_old(old);
	remove_all(where);
	must(umount(dir), "umount");
	rounds++;
	return hit;
}

int main(int argc, char **argv)
{
	int ever, recovery;
	char path[200];
	long n;

	if (argc != 8)
		return 2;
	device = argv[1];
	dir = argv[2];
	options = argv[3];
	ever = !!strstr(argv[4], "ever");
	recovery = !!strstr(argv[4], "recovery");
	snprintf(old, sizeof(old), "%s/old", dir);
	promised = mmap(NULL, TASKS * sizeof(*promised), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	number(FAIL "verbose", 0);
	snprintf(path, sizeof(path), "/sys/block/%s/make-it-fail", strrchr(device, '/') + 1);
	number(path, 1);
	mount_well();
	if (access(old, F_OK))
		make_old(old);
	must(umount(dir), "umount");
	for (n = atol(argv[6]); round_of(n, ever, atol(argv[5]), recovery); n += atol(argv[7]))
		;
	number(path, 0);
	printf("faults %s %s: ok: %lu rounds, up to request %ld; %lu calls failed, %lu mounts, %lu things promised\n",
	       argv[4], argv[5], rounds, n, total_failed, mounts_failed, total_promised);
	return 0;
}
