// SPDX-License-Identifier: MIT
/*
 * Three processes run a program: the fuzzer itself, which waits; the first process of a new pid namespace, with mounts, IPC and names of
 * its own, whose death ends whatever the program left; and in it the one that makes the calls. That has a thread for each that the
 * program names: a call that does not come back within CALL_MS is left to its thread, and the next one is made by others meanwhile.
 */
#define _GNU_SOURCE
#include "exec.h"
#include "desc.h"
#include "mutate.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/kcov.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALL_MS		15
#define PROG_MS		1000
#define OUTER_UID	60000
#define UIDS		1000
#define ARENA		((uint8_t *)0x10000000)
#define ARENA_SIZE	(2ul * PROG_MEMORY)
#define AREA		0x20000000ul
#define AREA_SIZE	(1ul << 21)
#define KCOV_WORDS	(1ul << 16)
/* Every place in the kernel's text, a bit for each possible address in its first 32 MiB. */
#define TEXT_BASE	0xffffffff80000000ul
#define TEXT_SIZE	(32ul << 20)

static struct exec_stats stats;
static uint8_t *counters;
static unsigned int counter_bits;
static struct { int fd; uint64_t *area; } kcov[PROG_THREADS];
static bool have_kcov;
static uint8_t *seen, *told;
static uint64_t nseen;

/* ---- the one that makes the calls ---- */

struct result {
	long value;
	uint8_t *memory;	/* of its first pointer */
	bool done;
};

static struct worker {
	pthread_t id;
	bool started;
	uint32_t job, next;	/* futexes: a call's number + 1; 0 when there is none */
} worker[PROG_THREADS];

static struct {
	const struct prog *p;
	struct result result[PROG_CALLS];
	size_t used;
	bool trace;
	unsigned long kcov_mode;
	uint64_t *calls;	/* shared: how many were made */
} run;

static void handler(int sig)
{
	(void)sig;
}

__asm__(".text\nfuzz_restorer:\n\tmov $15, %eax\n\tsyscall\n");
void fuzz_restorer(void);

static long raw(long nr, const uint64_t *a, long forks)
{
	register long r10 __asm__("r10") = (long)a[3];
	register long r8 __asm__("r8") = (long)a[4];
	register long r9 __asm__("r9") = (long)a[5];
	register long f __asm__("r12") = forks;
	long r;

	/* A child that shares this memory ends at once, without touching the stack: it may be the parent's. */
	__asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\tcmp $2, %%r12\n\tjne 1f\n\txor %%edi, %%edi\n\tmov $60, %%eax\n\tsyscall\n1:"
			 : "=a"(r), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "0"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(f)
			 : "rcx", "r11", "memory");
	return r;
}

/* 0: makes no child; 1: one with a copy of memory; 2: one that shares it. */
static int forks(const struct call *c, const uint64_t *a)
{
	const char *n = c->desc->name;

	if (!strcmp(n, "fork"))
		return 1;
	if (!strcmp(n, "vfork"))
		return 2;
	if (!strcmp(n, "clone"))
		return a[0] & (CLONE_VM | CLONE_VFORK) ? 2 : 1;
	if (!strcmp(n, "clone3"))
		return 2;	/* its flags may change under the look at them */
	return 0;
}

static uint64_t number(const struct val *v);

static uint64_t memory(const struct val *ptr)
{
	size_t n = val_memory(ptr), off = run.used;
	uint8_t *at = ARENA + off;

	if (n > ARENA_SIZE - off)
		return 0;
	run.used = (off + n + 63) & ~63ul;
	for (uint32_t i = 0; i < ptr->len; i++) {
		const struct val *v = &ptr->piece[i];
		uint64_t x;

		switch (v->kind) {
		case VAL_BYTES:
			memcpy(at, v->bytes, v->len);
			break;
		case VAL_FILL:
			memset(at, v->fill, v->num);
			break;
		case VAL_OUT:
			break;
		default:
			x = number(v);
			memcpy(at, &x, v->size);
		}
		at += val_size(v);
	}
	return (uint64_t)(ARENA + off);
}

static uint64_t number(const struct val *v)
{
	switch (v->kind) {
	case VAL_INT:
		return v->num;
	case VAL_HANDLER:
		return (uint64_t)handler;
	case VAL_PTR:
		return memory(v);
	case VAL_REF: {
		const struct result *r = &run.result[v->call];

		return r->done ? (uint64_t)r->value : UINT64_MAX;
	}
	case VAL_REFMEM: {
		const struct result *r = &run.result[v->call];
		int32_t x = -1;

		if (r->done && r->memory && r->value >= 0 && r->memory + v->off + 4 <= ARENA + ARENA_SIZE)
			memcpy(&x, r->memory + v->off, 4);
		return (uint64_t)(int64_t)x;
	}
	default:
		return 0;
	}
}

static void fail_nth(unsigned int n)
{
	int fd = open("/proc/thread-self/fail-nth", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		dprintf(fd, "%u", n);
		close(fd);
	}
}

static void run_calls_alone(uint32_t from);

static void make_call(uint32_t i)
{
	const struct call *c = &run.p->call[i];
	struct result *r = &run.result[i];
	uint64_t a[6] = { 0 };
	int f;

	for (int k = 0; k < c->nargs; k++) {
		a[k] = number(&c->arg[k]);
		if (c->arg[k].kind == VAL_PTR && !r->memory)
			r->memory = (uint8_t *)a[k];
	}
	if (!strcmp(c->desc->name, "rt_sigaction") && r->memory) {
		uint64_t act[4];

		memcpy(act, r->memory, sizeof(act));
		if (act[0] > 1) {	/* a handler that can come back */
			act[1] |= 0x04000000;
			act[2] = (uint64_t)fuzz_restorer;
			memcpy(r->memory, act, sizeof(act));
		}
	}
	f = forks(c, a);
	if (c->fail)
		fail_nth(c->fail);
	r->value = raw(c->desc->nr, a, f);
	if (!r->value && f == 1) {
		run_calls_alone(i + 1);
		_exit(0);
	}
	if (c->fail)
		fail_nth(0);
	__atomic_add_fetch(run.calls, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
	if (run.trace)
		dprintf(3, "%2u %s = %ld\n", i, c->desc->name, r->value);
}

/* A forked child makes the calls that are left, one after another. */
static void run_calls_alone(uint32_t from)
{
	for (uint32_t i = from; i < run.p->n; i++)
		if (!run.p->call[i].nowait)
			make_call(i);
}

static void futex_wait(uint32_t *at, uint32_t is, unsigned int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, is, ms ? &t : NULL, NULL, 0);
}

static void futex_set(uint32_t *at, uint32_t to)
{
	__atomic_store_n(at, to, __ATOMIC_RELEASE);
	syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	int fd = kcov[w - worker].fd;

	if (have_kcov)
		ioctl(fd, KCOV_ENABLE, run.kcov_mode);
	for (;;) {
		uint32_t job = __atomic_load_n(&w->job, __ATOMIC_ACQUIRE);

		if (!job) {
			futex_wait(&w->job, 0, 0);
			continue;
		}
		make_call(job - 1);
		futex_set(&w->job, 0);
	}
	return NULL;
}

/* True when W has nothing to do, at the latest after MS. */
static bool is_free(struct worker *w, unsigned int ms)
{
	uint32_t job = __atomic_load_n(&w->job, __ATOMIC_ACQUIRE);

	if (job)
		futex_wait(&w->job, job, ms);
	return !__atomic_load_n(&w->job, __ATOMIC_ACQUIRE);
}

static void make_calls(void)
{
	for (uint32_t i = 0; i < run.p->n; i++) {
		const struct call *c = &run.p->call[i];
		struct worker *w = &worker[c->thread];

		if (!w->started && pthread_create(&w->id, NULL, work, w))
			continue;
		w->started = true;
		if (!is_free(w, CALL_MS))
			continue;	/* it waits in an earlier call */
		futex_set(&w->job, i + 1);
		if (!c->nowait)
			is_free(w, CALL_MS);
	}
	for (int i = 0; i < PROG_THREADS; i++)
		if (worker[i].started)
			is_free(&worker[i], CALL_MS);
}

static void limit(int what, rlim_t n)
{
	setrlimit(what, &(struct rlimit){ n, n });
}

static void caller(void)
{
	mmap(ARENA, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	mmap((void *)AREA, AREA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	limit(RLIMIT_AS, 512ul << 20);
	limit(RLIMIT_FSIZE, 64ul << 20);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NPROC, 100);
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!run.p->root) {
		struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
		struct __user_cap_data_struct none[2] = { 0 };

		if (setresgid(100, 100, 100) || setresuid(100, 100, 100))
			_exit(9);
		syscall(SYS_capset, &h, none);
		prctl(PR_SET_DUMPABLE, 1);
	}
	make_calls();
	_exit(0);
}

/* ---- the first process of the namespaces ---- */

static void keeper(void)
{
	int status, null;
	pid_t pid;

	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("none", "/w", "tmpfs", 0, "size=16m,mode=0777") || chdir("/w"))
		_exit(8);
	mount("none", "/proc", "proc", 0, NULL);
	null = open("/dev/null", O_RDWR);
	if (run.trace)
		dup2(1, 3);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	if (null > 3)
		close(null);
	/* What the fuzzer has open is not the program's: only the coverage devices stay, far away. */
	close_range(run.trace ? 4 : 3, 899, 0);
	close_range(900 + PROG_THREADS, ~0u, 0);
	pid = fork();
	if (!pid)
		caller();
	while (pid > 0 && waitpid(-1, &status, 0) != pid)
		;
	_exit(WIFSIGNALED(status) ? 7 : 0);
}

/* ---- the fuzzer ---- */

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

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

bool exec_init(uint8_t *cover, unsigned int bits)
{
	counters = cover;
	counter_bits = bits;
	have_kcov = true;
	for (int i = 0; i < PROG_THREADS; i++) {
		int fd = open("/sys/kernel/debug/kcov", O_RDWR);

		kcov[i].fd = 900 + i;
		if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, KCOV_WORDS) || dup2(fd, kcov[i].fd) < 0) {
			have_kcov = false;
			break;
		}
		close(fd);
		kcov[i].area = mmap(NULL, KCOV_WORDS * 8, PROT_READ | PROT_WRITE, MAP_SHARED, kcov[i].fd, 0);
		if (kcov[i].area == MAP_FAILED) {
			perror("fuzz: mmap of kcov");
			return false;
		}
	}
	seen = shared(TEXT_SIZE / 8);
	told = calloc(1, TEXT_SIZE / 8);
	run.calls = shared(4096);
	mkdir("/w", 0777);
	if (!seen || !told || !run.calls || !become_ordinary()) {
		perror("fuzz: user namespace");
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
	stats.calls = *run.calls;
	return &stats;
}

static void place(uint64_t pc)
{
	uint64_t off = pc - TEXT_BASE;
	uint8_t *c = &counters[(pc * 0x9e3779b97f4a7c15) >> (64 - counter_bits)];

	if (*c < 255)
		++*c;
	if (off < TEXT_SIZE && !(seen[off / 8] & 1u << off % 8)) {
		seen[off / 8] |= (uint8_t)(1u << off % 8);
		nseen++;
	}
}

static void collect(bool compare)
{
	for (int t = 0; t < PROG_THREADS; t++) {
		uint64_t *area = kcov[t].area, n = area[0];

		area[0] = 0;
		if (!compare) {
			if (n > KCOV_WORDS - 1)
				n = KCOV_WORDS - 1;
			for (uint64_t i = 0; i < n; i++)
				place(area[1 + i]);
			continue;
		}
		if (n > (KCOV_WORDS - 1) / 4)
			n = (KCOV_WORDS - 1) / 4;
		for (uint64_t i = 0; i < n; i++)
			if (area[1 + i * 4] & KCOV_CMP_CONST && area[2 + i * 4] > 8)
				mutate_hint(area[2 + i * 4]);
	}
}

void exec_prog(const struct prog *p, bool trace, bool compare)
{
	struct clone_args { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; } a = { 0 };
	int pidfd = -1, status = 0;
	pid_t pid;

	run.p = p;
	run.used = 0;
	run.trace = trace;
	run.kcov_mode = compare ? KCOV_TRACE_CMP : KCOV_TRACE_PC;
	a.flags = CLONE_PIDFD | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
	a.pidfd = (uint64_t)&pidfd;
	a.exit_signal = SIGCHLD;
	pid = (pid_t)syscall(SYS_clone3, &a, sizeof(a));
	if (!pid)
		keeper();
	if (pid < 0) {
		perror("fuzz: clone3");
		exit(2);
	}
	if (poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, PROG_MS) <= 0) {
		stats.timeouts++;
		kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	close(pidfd);
	stats.programs++;
	if (WIFEXITED(status) && WEXITSTATUS(status) >= 8) {
		fprintf(stderr, "fuzz: a program's surroundings failed: %d\n", WEXITSTATUS(status));
		exit(2);
	}
	stats.killed += WIFEXITED(status) && WEXITSTATUS(status) == 7;
	if (have_kcov)
		collect(compare);
}

uint64_t exec_new_places(void (*fn)(uint64_t pc, void *arg), void *arg)
{
	static uint64_t last;
	const uint64_t *now = (const uint64_t *)seen;
	uint64_t *before = (uint64_t *)told;

	for (uint64_t i = 0; nseen != last && i < TEXT_SIZE / 64; i++)
		for (uint64_t fresh = now[i] & ~before[i]; fresh; fresh &= fresh - 1)
			fn(TEXT_BASE + i * 64 + (uint64_t)__builtin_ctzll(fresh), arg);
	if (nseen != last)
		memcpy(told, seen, TEXT_SIZE / 8);
	last = nseen;
	return nseen;
}
