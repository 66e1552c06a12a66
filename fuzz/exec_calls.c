// SPDX-License-Identifier: MIT
/*
 * The process that makes a program's calls. Its first thread makes those that nobody else shall; a tick interrupts the ones that block.
 * The other threads take a call each: one that does not come back within CALL_MS is left to its thread, and the next one is made meanwhile.
 */
#define _GNU_SOURCE
#include "exec_in.h"
#include "desc.h"
#include "uring.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/kcov.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALL_MS		8
#define LAST_JOB	UINT32_MAX	/* of a worker: it ends */
#define MOST_FORKS	6	/* of a program and all that it forked: each makes the calls that are left, forks among them */
#define ARENA		((uint8_t *)0x10000000)
#define ARENA_SIZE	(2ul * PROG_MEMORY)
#define AREA		0x20000000ul
#define AREA_SIZE	(1ul << 21)

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
	struct exec_order order;
	struct result result[PROG_CALLS];
	size_t used;
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

static bool cover(int which)
{
	return run.order.have_kcov && !ioctl(EXEC_KCOV_FD + which, KCOV_ENABLE, run.order.kcov_mode);
}

static void run_calls_alone(uint32_t from);

/* What a call comes to that is not made, 0 where it is. */
static long not_made(const struct call *c, const uint64_t *a, int forks)
{
	if (forks == 1 && __atomic_add_fetch(run.order.forks, 1, __ATOMIC_RELAXED) > MOST_FORKS)
		return -EAGAIN;
	return run.order.skip && run.order.skip(c->desc->nr, a) ? -EPERM : 0;
}

/* What the ring of descriptor FD was made with, or another one where no call gave it; NULL: there is none. */
static const void *ring_params(uint64_t fd)
{
	const void *any = NULL;

	for (uint32_t i = 0; i < run.p->n; i++) {
		const struct result *r = &run.result[i];

		if (strcmp(run.p->call[i].desc->name, "io_uring_setup") || !__atomic_load_n(&r->done, __ATOMIC_ACQUIRE) || r->value < 0 ||
		    r->memory < ARENA || r->memory + sizeof(struct io_uring_params) > ARENA + ARENA_SIZE)
			continue;
		if (r->value == (long)fd)
			return r->memory;
		any = r->memory;
	}
	return any;
}

/* With fail_nth() for the call alone. */
static long kernel_call(long nr, const uint64_t *a, int forks, unsigned int fail)
{
	long r;

	if (fail)
		fail_nth(fail);
	r = raw(nr, a, forks);
	if (fail && (r || forks != 1))
		fail_nth(0);
	return r;
}

static long run_uring(const uint64_t *a, unsigned int fail)
{
	struct uring_run u;
	uint64_t enter[6];
	long r;

	if (uring_begin(&u, ring_params(a[0]), a, enter))
		r = run.order.skip && run.order.skip(SYS_io_uring_enter, enter) ? -EPERM : kernel_call(SYS_io_uring_enter, enter, 0, fail);
	else
		r = u.result;
	uring_end(&u, a);
	return r;
}

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
	r->value = not_made(c, a, f);
	if (r->value) {
		__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
		return;
	}
	r->value = c->desc->nr == CALL_URING_RUN ? run_uring(a, c->fail) : kernel_call(c->desc->nr, a, f, c->fail);
	if (!r->value && f == 1) {
		for (int k = PROG_THREADS; k < EXEC_KCOVS && !cover(k); k++)
			;
		run_calls_alone(i + 1);
		_exit(0);
	}
	__atomic_add_fetch(run.order.calls, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
	if (run.order.trace)
		dprintf(EXEC_TRACE_FD, "%2u %s = %ld\n", i, c->desc->name, r->value);
}

/* A forked child makes the calls that are left, one after another. */
static void run_calls_alone(uint32_t from)
{
	for (uint32_t i = from; i < run.p->n; i++)
		if (!run.p->call[i].nowait)
			make_call(i);
}

void futex_wait(uint32_t *at, uint32_t is, unsigned int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	syscall(SYS_futex, at, FUTEX_WAIT, is, ms ? &t : NULL, NULL, 0);
}

void futex_set(uint32_t *at, uint32_t to)
{
	__atomic_store_n(at, to, __ATOMIC_RELEASE);
	syscall(SYS_futex, at, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	cover((int)(w - worker));
	for (;;) {
		uint32_t job = __atomic_load_n(&w->job, __ATOMIC_ACQUIRE);

		if (!job) {
			futex_wait(&w->job, 0, 0);
			continue;
		}
		if (job == LAST_JOB)
			return NULL;
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

/* Thread 0 is this one; it cannot go on while it makes a call, so one that nobody waits for is another's. */
static int thread_of(const struct call *c)
{
	return c->thread || !c->nowait ? c->thread : PROG_THREADS - 1;
}

static void make_calls(void)
{
	for (uint32_t i = 0; i < run.p->n; i++) {
		const struct call *c = &run.p->call[i];
		struct worker *w = &worker[thread_of(c)];

		if (w == worker) {
			make_call(i);
			continue;
		}
		if (!w->started && pthread_create(&w->id, NULL, work, w))
			continue;
		w->started = true;
		if (!is_free(w, CALL_MS))
			continue;	/* it waits in an earlier call */
		futex_set(&w->job, i + 1);
		if (!c->nowait)
			is_free(w, CALL_MS);
	}
	for (int i = 1; i < PROG_THREADS; i++)
		if (worker[i].started)
			is_free(&worker[i], CALL_MS);
}

static void limit(int what, rlim_t n)
{
	setrlimit(what, &(struct rlimit){ n, n });
}

void caller_prepare(void)
{
	mmap(ARENA, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	mmap((void *)AREA, AREA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	sigaction(EXEC_TICK, &(struct sigaction){ .sa_handler = handler }, NULL);
	limit(RLIMIT_AS, 512ul << 20);
	limit(RLIMIT_FSIZE, 64ul << 20);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NPROC, 100);
}

/* A program of one thread stays on the fuzzer's processor, where its memory is; others use them all. */
static void use_all_cpus(void)
{
	uint64_t all[16];

	for (uint32_t i = 0; i < run.p->n; i++) {
		const struct call *c = &run.p->call[i];

		if (thread_of(c) || forks(c, (uint64_t[6]){ 0 })) {
			memset(all, 0xff, sizeof(all));
			syscall(SYS_sched_setaffinity, 0, sizeof(all), all);
			return;
		}
	}
}

bool caller_become(bool root)
{
	if (root)
		return !unshare(CLONE_NEWNS);
	return !setresgid(100, 100, 100) && !setresuid(100, 100, 100) && !prctl(PR_SET_DUMPABLE, 1);
}

/* All threads but the first. False where one is still in a call. */
static bool end_workers(void)
{
	for (int i = 1; i < PROG_THREADS; i++) {
		struct worker *w = &worker[i];

		if (!w->started)
			continue;
		if (__atomic_load_n(&w->job, __ATOMIC_ACQUIRE))
			return false;
		futex_set(&w->job, LAST_JOB);
		if (pthread_join(w->id, NULL))
			return false;
		*w = (struct worker){ 0 };
	}
	return true;
}

/* The children have ended, and are gone. */
static bool no_children(void)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, __WALL | WNOHANG)) > 0)
		;
	return pid < 0 && errno == ECHILD;
}

/* The next one begins as this one did: nothing of it runs, and its memory is empty. */
static const struct prog *next_program(void)
{
	if (!run.order.next || !end_workers() || !no_children())
		return NULL;
	if (madvise(ARENA, ARENA_SIZE, MADV_DONTNEED) || madvise((void *)AREA, AREA_SIZE, MADV_DONTNEED))
		return NULL;
	*run.order.forks = 0;
	memset(run.result, 0, sizeof(run.result));
	run.used = 0;
	return run.order.next();
}

void caller_run(const struct prog *p, const struct exec_order *order)
{
	int status = 0;

	run.p = p;
	run.order = *order;
	setsid();
	use_all_cpus();
	if (!order->become(p->root))
		_exit(9);
	cover(0);
	do {
		make_calls();
		if (run.order.after)
			status = run.order.after();
	} while (!status && (run.p = next_program()));
	_exit(status);
}
