// SPDX-License-Identifier: MIT
/*
 * Four processes run programs: the fuzzer itself, which waits; the starter, which is small, so that its children are; the keeper, first
 * process of a pid namespace with mounts of its own, which serves KEPT programs and ends whatever one left behind; and a child of the keeper's
 * for each program, which makes the calls (exec_calls.c). A program begins with an empty directory, as process 2, with IPC objects,
 * names and a network of its own, where loopback is up; one with root's rights has its own mounts, too. After one that did not end there is a new keeper.
 */
#define _GNU_SOURCE
#include "exec.h"
#include "exec_in.h"
#include "mutate.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/android/binderfs.h>
#include <linux/kcov.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS		8
#define STUCK_TICKS	8	/* with the same call, which no signal ends */
#define PROG_TICKS	60
#define KEPT		64
#define OUTER_UID	60000
#define UIDS		1000
#define KCOV_WORDS	(1ul << 16)
/* Every place in the kernel's text, a bit for each possible address in its first 32 MiB. */
#define TEXT_BASE	0xffffffff80000000ul
#define TEXT_SIZE	(32ul << 20)

static struct exec_stats stats;
static uint8_t *counters;
static uint32_t *counted;	/* the place that each counter was last for, the lower half of its address: it is in SEEN */
static unsigned int counter_bits;
static uint64_t *kcov_area[EXEC_KCOVS];
static bool have_kcov;
static uint8_t *seen;
static uint32_t *fresh;		/* what nobody was told of yet: distances from TEXT_BASE */
static size_t nfresh, fresh_room;
static uint64_t nseen;
static struct exec_page *page;
static uint64_t *calls;		/* two words, of the program that runs: how many calls it made, and how many forks */

/* ---- the keeper ---- */

static void give_up(int error)
{
	page->end = EXEC_FAILED;
	page->error = error;
	futex_set(&page->state, EXEC_DONE);
	_exit(1);
}

/* A network of the program's own, whose loopback is up. */
static bool new_network(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int s = unshare(CLONE_NEWNET) ? -1 : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = s >= 0 && !ioctl(s, SIOCSIFFLAGS, &r);

	if (s >= 0)
		close(s);
	return ok;
}

/* Puts an empty directory where the last program's was. */
static bool new_directory(void)
{
	return !chdir("/") && (!umount2("/w", MNT_DETACH) || errno == EINVAL) && !mount("none", "/w", "tmpfs", 0, "size=16m,mode=0777") && !chdir("/w");
}

/* A binderfs with a device for anybody in the directory of a program that means it; none where the kernel has no Binder. */
static void new_binder(const char *text, size_t len)
{
	struct binderfs_device d = { .name = "d" };
	int fd;

	if (!memmem(text, len, "binder/", 7) || mkdir("/w/binder", 0777) || mount("binder", "/w/binder", "binder", 0, NULL))
		return;
	fd = open("/w/binder/binder-control", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (ioctl(fd, BINDER_CTL_ADD, &d) || chmod("/w/binder/d", 0666) || chmod("/w/binder/binder-control", 0666))
		give_up(errno);
	close(fd);
}

bool caller_wait(pid_t pid, uint64_t *made, unsigned int programs, int *status)
{
	uint64_t before = 0, now;
	unsigned int stuck = 0, ticks = 0;
	sigset_t set;
	pid_t got;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while ((got = waitpid(-1, status, WNOHANG)) != pid) {
		if (got > 0)
			continue;
		if (sigtimedwait(&set, NULL, &(struct timespec){ 0, TICK_MS * 1000000l }) == SIGCHLD)
			continue;
		now = __atomic_load_n(made, __ATOMIC_RELAXED);
		stuck = now == before ? stuck + 1 : 0;
		before = now;
		if (stuck > STUCK_TICKS || ++ticks > PROG_TICKS * programs) {
			kill(pid, SIGKILL);
			/* Not for PID alone: it does not end before its threads do, and one that asked to be traced by us waits for us. */
			while ((got = waitpid(-1, status, __WALL)) != pid && (got > 0 || errno == EINTR))
				;
			return false;
		}
		if (stuck)
			syscall(SYS_tgkill, pid, pid, EXEC_TICK);
	}
	return true;
}

/* Waits for PID and for all that it left. True where it ended in time. */
static bool wait_for(pid_t pid, int *status)
{
	bool in_time = caller_wait(pid, calls, 1, status);

	do
		kill(-1, SIGKILL);
	while (waitpid(-1, NULL, __WALL) > 0);
	return in_time;
}

bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Runs the one program that was asked for. How much of KEPT it takes: root of the namespaces can do things to its keeper too. */
static int keep_one(int last_pid)
{
	const struct exec_order order = {
		.have_kcov = have_kcov, .trace = page->trace, .kcov_mode = page->kcov_mode, .calls = &calls[0], .forks = &calls[1], .become = caller_become
	};
	int status = 0;
	struct prog p;
	pid_t pid;
	bool in_time, root;

	if (!prog_parse(&p, page->text, page->len, NULL)) {
		page->end = EXEC_REFUSED;
		return 0;
	}
	new_binder(page->text, page->len);
	if (pwrite(last_pid, "1", 1, 0) != 1)
		give_up(errno);
	calls[0] = calls[1] = 0;
	pid = fork();
	if (!pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		close(last_pid);
		write_file("/proc/self/oom_score_adj", "0");
		caller_run(&p, &order);
	}
	if (pid < 0)
		give_up(errno);
	in_time = wait_for(pid, &status);
	page->calls += *calls;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 9)
		give_up(EPERM);
	if (!kill(-1, 0))
		give_up(EBUSY);		/* a process that is nobody's child */
	root = p.root;
	prog_free(&p);
	page->end = !in_time ? EXEC_TIMED_OUT : WIFSIGNALED(status) ? EXEC_KILLED : EXEC_ENDED;
	return !in_time ? KEPT : root ? KEPT / 8 : 1;
}

static _Noreturn void keeper(void)
{
	sigset_t set;
	int last_pid;

	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || !new_directory() || !new_network() || mount("none", "/proc", "proc", 0, NULL))
		give_up(errno);
	last_pid = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	if (last_pid < 0)
		give_up(errno);
	if (madvise(page, sizeof(*page), MADV_DONTFORK))	/* what a program does to its memory is its own affair */
		give_up(errno);
	caller_prepare();
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int n = 0; n < KEPT;) {
		if (n && (!new_directory() || !new_network() || unshare(CLONE_NEWIPC | CLONE_NEWUTS)))
			give_up(errno);
		for (uint32_t s; (s = __atomic_load_n(&page->state, __ATOMIC_ACQUIRE)) != EXEC_ASKED;)
			futex_wait(&page->state, s, 0);
		page->state = EXEC_RUNS;
		n += keep_one(last_pid);
		futex_set(&page->state, EXEC_DONE);
	}
	_exit(0);
}

/* ---- the starter ---- */

static _Noreturn void starter(bool trace)
{
	struct clone_args { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; } a = { 0 };
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	write_file("/proc/self/oom_score_adj", "-950");	/* what runs out of memory is a program, not the fuzzer */
	if (trace)
		dup2(1, EXEC_TRACE_FD);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	/* What the fuzzer has open is not the program's: only the coverage devices stay, far away. */
	close_range(trace ? EXEC_TRACE_FD + 1 : EXEC_TRACE_FD, EXEC_KCOV_FD - 1, 0);
	close_range(EXEC_KCOV_FD + EXEC_KCOVS, ~0u, 0);
	a.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
	a.exit_signal = SIGCHLD;
	for (;;) {
		pid_t pid = (pid_t)syscall(SYS_clone3, &a, sizeof(a));

		if (!pid)
			keeper();
		if (pid < 0)
			give_up(errno);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		if (__atomic_load_n(&page->state, __ATOMIC_ACQUIRE) == EXEC_RUNS) {
			page->end = EXEC_KILLED;
			futex_set(&page->state, EXEC_DONE);
		}
	}
}

/* ---- the fuzzer ---- */

/* Root of a user namespace whose ids are ordinary ones outside: only who is outside may write a map of many. */
static bool become_ordinary(void)
{
	int ready[2], status = 1;
	char path[64], map[64], go;
	pid_t pid, me = getpid();

	if (pipe(ready))
		return false;
	pid = fork();
	if (!pid) {
		bool ok;

		close(ready[1]);
		if (read(ready[0], &go, 1) != 1)
			_exit(1);
		snprintf(map, sizeof(map), "0 %u %u", OUTER_UID, UIDS);
		snprintf(path, sizeof(path), "/proc/%d/uid_map", me);
		ok = write_file(path, map);
		snprintf(path, sizeof(path), "/proc/%d/gid_map", me);
		_exit(ok && write_file(path, map) ? 0 : 1);
	}
	if (unshare(CLONE_NEWUSER) || write(ready[1], "", 1) != 1 || waitpid(pid, &status, 0) != pid || status)
		return false;
	close(ready[0]);
	close(ready[1]);
	return !setresgid(0, 0, 0) && !setresuid(0, 0, 0) && !prctl(PR_SET_DUMPABLE, 1);
}

static void *shared(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static bool open_kcov(void)
{
	for (int i = 0; i < EXEC_KCOVS; i++) {
		int fd = open("/sys/kernel/debug/kcov", O_RDWR);

		if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, KCOV_WORDS) || dup2(fd, EXEC_KCOV_FD + i) < 0)
			return false;
		close(fd);
	}
	return true;
}

static bool map_kcov(void)
{
	for (int i = 0; have_kcov && i < EXEC_KCOVS; i++) {
		kcov_area[i] = mmap(NULL, KCOV_WORDS * 8, PROT_READ | PROT_WRITE, MAP_SHARED, EXEC_KCOV_FD + i, 0);
		if (kcov_area[i] == MAP_FAILED)
			return false;
	}
	return true;
}

bool exec_init(uint8_t *cover, unsigned int bits, bool trace)
{
	pid_t pid;

	counters = cover;
	counter_bits = bits;
	have_kcov = open_kcov();
	page = shared(sizeof(*page));
	calls = shared(2 * sizeof(*calls));
	mkdir("/w", 0777);
	if (!page || !calls || !become_ordinary()) {
		perror("fuzz: user namespace");
		return false;
	}
	/* What is mapped from here on is not in its children. */
	pid = fork();
	if (!pid)
		starter(trace);
	seen = calloc(1, TEXT_SIZE / 8);
	counted = calloc(1ul << bits, sizeof(*counted));
	if (pid < 0 || !map_kcov() || !seen || !counted) {
		perror("fuzz: starter");
		return false;
	}
	return true;
}

bool exec_has_cover(void)
{
	return have_kcov;
}

const struct exec_stats *exec_stats(void)
{
	stats.calls = page->calls;
	return &stats;
}

/* Not the place that its counter was last for. */
static __attribute__((noinline)) void maybe_new(uint64_t pc)
{
	uint64_t off = pc - TEXT_BASE;
	uint8_t bit = (uint8_t)(1u << off % 8);

	if (off >= TEXT_SIZE || seen[off / 8] & bit)
		return;
	if (nfresh == fresh_room) {
		fresh = realloc(fresh, (fresh_room = fresh_room * 2 + 4096) * sizeof(*fresh));
		if (!fresh) {
			perror("fuzz: places");
			exit(2);
		}
	}
	seen[off / 8] |= bit;
	fresh[nfresh++] = (uint32_t)off;
	nseen++;
}

/* What kcov wrote down, tens of thousands of a program. */
static void places(const uint64_t *pc, uint64_t n)
{
	uint8_t *const hits = counters;
	uint32_t *const last = counted;
	const unsigned int shift = 64 - counter_bits;

	for (const uint64_t *end = pc + n; pc < end; pc++) {
		uint64_t i = (*pc * 0x9e3779b97f4a7c15) >> shift;
		unsigned int now = hits[i] + 1u;

		hits[i] = (uint8_t)(now - (now >> 8));
		if (last[i] != (uint32_t)*pc) {
			last[i] = (uint32_t)*pc;
			maybe_new(*pc);
		}
	}
}

static void collect(bool compare)
{
	for (int t = 0; t < EXEC_KCOVS; t++) {
		uint64_t *area = kcov_area[t], n = area[0];

		area[0] = 0;
		if (!compare) {
			if (n > KCOV_WORDS - 1)
				n = KCOV_WORDS - 1;
			places(area + 1, n);
			continue;
		}
		if (n > (KCOV_WORDS - 1) / 4)
			n = (KCOV_WORDS - 1) / 4;
		for (uint64_t i = 0; i < n; i++)
			if (area[1 + i * 4] & KCOV_CMP_CONST && area[2 + i * 4] > 8)
				mutate_hint(area[2 + i * 4]);
	}
}

bool exec_prog(const char *text, size_t len, bool trace, bool compare)
{
	bool in_time;

	memcpy(page->text, text, len);
	page->len = (uint32_t)len;
	page->trace = trace;
	page->kcov_mode = compare ? KCOV_TRACE_CMP : KCOV_TRACE_PC;
	futex_set(&page->state, EXEC_ASKED);
	for (uint32_t s; (s = __atomic_load_n(&page->state, __ATOMIC_ACQUIRE)) != EXEC_DONE;)
		futex_wait(&page->state, s, 0);
	if (page->end == EXEC_REFUSED)
		return false;
	in_time = page->end != EXEC_TIMED_OUT;
	stats.programs++;
	stats.timeouts += page->end == EXEC_TIMED_OUT;
	stats.killed += page->end == EXEC_KILLED;
	if (page->end == EXEC_FAILED) {
		fprintf(stderr, "fuzz: a program's surroundings failed: %s\n", strerror(page->error));
		exit(2);
	}
	if (have_kcov)
		collect(compare);
	return in_time;
}

static int by_address(const void *a, const void *b)
{
	return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

uint64_t exec_new_places(void (*fn)(uint64_t pc, void *arg), void *arg)
{
	qsort(fresh, nfresh, sizeof(*fresh), by_address);
	for (size_t i = 0; i < nfresh; i++)
		fn(TEXT_BASE + fresh[i], arg);
	nfresh = 0;
	return nseen;
}

void exec_forget(void)
{
	memset(seen, 0, TEXT_SIZE / 8);
	memset(counted, 0, sizeof(*counted) << counter_bits);
	nfresh = 0;
	nseen = 0;
}
