// SPDX-License-Identifier: MIT
/*
 * io_uring(7): workers, and what a task does beside its requests: its ends, its stops, its signals.
 * proves: io_uring_enter io_uring_register
 */
#include "uring.h"
#include <dirent.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int reg(struct ring *r, unsigned int op, void *arg, unsigned int nr)
{
	return (int)syscall(SYS_io_uring_register, r->fd, op, arg, nr);
}

/* Threads of this process whose name begins with "iou-wrk-". */
static int workers(void)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;
	int n = 0;

	CHECK(d);
	while ((e = readdir(d))) {
		char path[300], name[32] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", e->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;	/* "..", or it has ended */
		if (read(fd, name, sizeof(name) - 1) > 0 && !strncmp(name, "iou-wrk-", 8))
			n++;
		close(fd);
	}
	closedir(d);
	return n;
}

static void await_workers(int n)
{
	while (workers() != n)
		sched_yield();
}

/* A splice from an empty pipe: only a worker can do that. */
static void splice_from(struct ring *r, int from, int to, unsigned long long data)
{
	struct io_uring_sqe *s = sqe(r, IORING_OP_SPLICE, to, data);

	s->splice_fd_in = from;
	s->splice_off_in = (unsigned long long)-1;
	s->off = (unsigned long long)-1;
	s->len = 1;
	EQ(submit(r, 1), 1);
}

struct pipes {
	int in[2], out[2];
};

static struct pipes pipes(void)
{
	struct pipes p;

	OK(pipe(p.in));
	OK(pipe(p.out));
	return p;
}

static void close_pipes(const struct pipes *p)
{
	close(p->in[0]);
	close(p->in[1]);
	close(p->out[0]);
	close(p->out[1]);
}

/* Interrupted: Linux says what it says to itself. */
static int is_interrupted(int res)
{
	return res == -EINTR ||
	       (res == -512 && access("/proc/sys/vm/user_lasting_kbytes", F_OK) < 0);
}

TEST(a_worker_waits)
{
	struct ring r = ring(8);
	struct pipes p = pipes();
	char b = 0;

	EQ(workers(), 0);
	splice_from(&r, p.in[0], p.out[1], 1);
	await_workers(1);
	EQ(there(&r), 0);
	sqe(&r, IORING_OP_NOP, -1, 2);
	EQ(submit(&r, 1), 1);
	is(&r, 2, 0);
	EQ(write(p.in[1], "x", 1), 1);
	wait_for(&r, 1);
	is(&r, 1, 1);
	EQ(read(p.out[0], &b, 1), 1);
	close_pipes(&p);
	end(&r);
}

/*
 * Once their task is in no ring, workers do not wait for more: for that they would wait 5 s each
 * time.
 */
TEST(workers_without_a_ring)
{
	struct timespec from, to;

	OK(clock_gettime(CLOCK_MONOTONIC, &from));
	for (int i = 0; i < 8; i++) {
		struct pipes p = pipes();
		struct ring r = ring(8);

		EQ(write(p.in[1], "x", 1), 1);
		splice_from(&r, p.in[0], p.out[1], 1);
		wait_for(&r, 1);
		is(&r, 1, 1);
		EQ(workers(), 1);
		end(&r);
		await_workers(0);
		close_pipes(&p);
	}
	OK(clock_gettime(CLOCK_MONOTONIC, &to));
	CHECK(to.tv_sec - from.tv_sec < 20);
}

/* What is told to be done by a worker is, and its result is that of any other. */
TEST(by_workers)
{
	static const int res[] = { 5, 0, 5, -EBADF, -ENOENT, 5 };
	struct ring r = ring(8);
	struct pipes p = pipes();
	char a[8], b[8];
	int f = file();

	for (int i = 0; i < 20; i++) {
		rw(&r, IORING_OP_WRITE, f, "hello", 5, 0, 0)->flags = IOSQE_ASYNC;
		sqe(&r, IORING_OP_FSYNC, f, 1)->flags = IOSQE_ASYNC;
		rw(&r, IORING_OP_WRITE, p.in[1], "world", 5, 0, 2)->flags = IOSQE_ASYNC;
		rw(&r, IORING_OP_READ, -1, a, 5, 0, 3)->flags = IOSQE_ASYNC;
		*sqe(&r, IORING_OP_OPENAT, AT_FDCWD, 4) =
			(struct io_uring_sqe){ .opcode = IORING_OP_OPENAT,
					       .flags = IOSQE_ASYNC,
					       .fd = AT_FDCWD,
					       .addr = (uintptr_t)"/tmp/none at all",
					       .user_data = 4 };
		/* It waits for the write, which may come later. */
		rw(&r, IORING_OP_READ, p.in[0], b, 5, 0, 5)->flags = IOSQE_ASYNC;
		EQ(enter(&r, 6, 6, IORING_ENTER_GETEVENTS), 6);
		are(&r, 0, 6, res);
		EQ(memcmp(b, "world", 5), 0);
		EQ(pread(f, a, 5, 0), 5);
		EQ(memcmp(a, "hello", 5), 0);
	}
	close(f);
	close_pipes(&p);
	end(&r);
}

TEST(limits)
{
	unsigned int n[2] = { 0, 0 };
	struct ring r = ring(2);
	struct pipes p = pipes();
	char b[3];

	OK(reg(&r, IORING_REGISTER_IOWQ_MAX_WORKERS, n, 2));
	CHECK(n[0] && n[0] <= 2);
	CHECK(n[1]);
	n[0] = n[1] = 1;
	OK(reg(&r, IORING_REGISTER_IOWQ_MAX_WORKERS, n, 2));
	n[0] = n[1] = 0;
	OK(reg(&r, IORING_REGISTER_IOWQ_MAX_WORKERS, n, 2));
	EQ(n[0], 1);
	EQ(n[1], 1);
	for (unsigned int i = 0; i < 3; i++)
		splice_from(&r, p.in[0], p.out[1], i);
	await_workers(1);
	/* The bounded one is not kept from its work by those that wait. */
	sqe(&r, IORING_OP_FSYNC, p.in[0], 9);
	EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	is(&r, 9, -EINVAL);
	for (unsigned int i = 0; i < 3; i++) {
		EQ(write(p.in[1], "x", 1), 1);
		wait_for(&r, 1);
		is(&r, i, 1);
	}
	EQ(read(p.out[0], b, 3), 3);
	n[0] = 1u << 31;
	ERR(reg(&r, IORING_REGISTER_IOWQ_MAX_WORKERS, n, 2), EINVAL);
	ERR(reg(&r, IORING_REGISTER_IOWQ_MAX_WORKERS, n, 1), EINVAL);
	ERR(reg(&r, IORING_REGISTER_IOWQ_MAX_WORKERS, NULL, 2), EINVAL);
	close_pipes(&p);
	end(&r);
}

/* Where no process may be made, one that may all the same has a worker; nobody waits for none. */
TEST(a_limit_of_nothing)
{
	struct pipes p = pipes();
	char version[256] = "";
	struct ring r;
	struct cqe c;
	int f = OK(open("/proc/version", O_RDONLY));

	OK(read(f, version, sizeof(version) - 1));
	close(f);
	if (!strcasestr(version, "ochre"))
		SKIP("Linux leaves such a request waiting");
	OK(setrlimit(RLIMIT_NPROC, &(struct rlimit){ 0, 0 }));
	r = ring(8);
	EQ(write(p.in[1], "x", 1), 1);
	splice_from(&r, p.in[0], p.out[1], 1);
	wait_for(&r, 1);
	c = next(&r);
	CHECK(c.res == 1 || c.res == -ECANCELED);
	close_pipes(&p);
	end(&r);
}

TEST(where_workers_run)
{
	struct ring r = ring(8);
	struct pipes p = pipes();
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	OK(reg(&r, IORING_REGISTER_IOWQ_AFF, &set, sizeof(set)));
	splice_from(&r, p.in[0], p.out[1], 1);
	EQ(write(p.in[1], "x", 1), 1);
	wait_for(&r, 1);
	is(&r, 1, 1);
	CPU_ZERO(&set);
	ERR(reg(&r, IORING_REGISTER_IOWQ_AFF, NULL, sizeof(set)), EINVAL);
	ERR(reg(&r, IORING_REGISTER_IOWQ_AFF, &set, 0), EINVAL);
	ERR(reg(&r, IORING_REGISTER_IOWQ_AFF, (void *)8, sizeof(set)), EFAULT);
	ERR(reg(&r, IORING_UNREGISTER_IOWQ_AFF, &set, 0), EINVAL);
	OK(reg(&r, IORING_UNREGISTER_IOWQ_AFF, NULL, 0));
	close_pipes(&p);
	end(&r);
}

/* ---- stopping ---- */

static int sync_cancel(struct ring *r, struct io_uring_sync_cancel_reg c)
{
	if (!c.timeout.tv_sec)
		c.timeout = (struct __kernel_timespec){ -1, -1 };
	return reg(r, IORING_REGISTER_SYNC_CANCEL, &c, 1);
}

TEST(a_worker_that_is_cancelled)
{
	struct ring r = ring(8);
	struct pipes p = pipes();
	struct io_uring_sqe *s;
	struct cqe c[2];

	splice_from(&r, p.in[0], p.out[1], 1);
	usleep(1000);
	s = sqe(&r, IORING_OP_ASYNC_CANCEL, -1, 2);
	s->addr = 1;
	EQ(enter(&r, 1, 2, IORING_ENTER_GETEVENTS), 1);
	for (int i = 0; i < 2; i++) {
		struct cqe n = next(&r);

		c[n.user_data - 1] = n;
	}
	/* It had it, or had not begun. */
	if (c[1].res == 0) {
		EQ(c[0].res, -ECANCELED);
	} else {
		EQ(c[1].res, -EALREADY);
		CHECK(c[0].res == -ECANCELED || is_interrupted(c[0].res));
	}
	/* The worker is fit for the next one. */
	splice_from(&r, p.in[0], p.out[1], 3);
	usleep(1000);
	EQ(write(p.in[1], "x", 1), 1);
	wait_for(&r, 1);
	is(&r, 3, 1);
	close_pipes(&p);
	end(&r);
}

/* An operation that only system calls ended before: what is for their restart is told to nobody. */
TEST(an_open_is_cancelled)
{
	char name[] = "/tmp/uring_work.XXXXXX", fifo[64];
	struct ring r = ring(8);

	CHECK(mkdtemp(name));
	snprintf(fifo, sizeof(fifo), "%s/fifo", name);
	OK(mkfifo(fifo, 0600));
	for (int i = 0; i < 20; i++) {
		struct io_uring_sqe *s = sqe(&r, IORING_OP_OPENAT, AT_FDCWD, 1);
		struct cqe c;

		s->addr = (unsigned long)fifo;
		s->open_flags = O_RDONLY;
		s->flags = IOSQE_ASYNC;
		EQ(submit(&r, 1), 1);
		if (i & 1)
			usleep(1000);
		while (sync_cancel(&r, (struct io_uring_sync_cancel_reg){ .addr = 1 })) {
			EQ(errno, ENOENT);
			sched_yield();
		}
		wait_for(&r, 1);
		c = next(&r);
		CHECK(c.res == -ECANCELED || is_interrupted(c.res));
	}
	end(&r);
	OK(unlink(fifo));
	OK(rmdir(name));
}

TEST(cancelled_and_waited_for)
{
	struct ring r = ring(8);
	struct pipes p = pipes();
	struct io_uring_sqe *s;
	char b = 0;

	ERR(sync_cancel(&r, (struct io_uring_sync_cancel_reg){ .flags = 1u << 30 }), EINVAL);
	ERR(sync_cancel(&r, (struct io_uring_sync_cancel_reg){ .pad = { 1 } }), EINVAL);
	ERR(sync_cancel(&r, (struct io_uring_sync_cancel_reg){ .flags = IORING_ASYNC_CANCEL_FD,
							       .fd = -1 }),
	    EBADF);
	ERR(reg(&r, IORING_REGISTER_SYNC_CANCEL, NULL, 1), EINVAL);
	ERR(sync_cancel(&r, (struct io_uring_sync_cancel_reg){ .addr = 1 }), ENOENT);
	rw(&r, IORING_OP_READ, p.in[0], &b, 1, 0, 1);
	EQ(submit(&r, 1), 1);
	OK(sync_cancel(&r, (struct io_uring_sync_cancel_reg){ .addr = 1 }));
	wait_for(&r, 1);
	is(&r, 1, -ECANCELED);
	for (int i = 0; i < 20; i++) {
		struct io_uring_sync_cancel_reg it = { .flags = IORING_ASYNC_CANCEL_FD,
						       .fd = p.out[1] };
		struct cqe c;

		splice_from(&r, p.in[0], p.out[1], 2);
		if (i & 1)
			usleep(1000);
		/* Between queue and worker Linux finds none at times. */
		while (sync_cancel(&r, it)) {
			EQ(errno, ENOENT);
			sched_yield();
		}
		wait_for(&r, 1);
		c = next(&r);
		EQ(c.user_data, 2);
		CHECK(c.res == -ECANCELED || is_interrupted(c.res));
	}
	/* All of them: how many. */
	for (int i = 0; i < 3; i++)
		rw(&r, IORING_OP_READ, p.in[0], &b, 1, 0, 4);
	EQ(submit(&r, 3), 3);
	for (int i = 3; i >= 0; i -= 3)
		EQ(sync_cancel(&r,
			       (struct io_uring_sync_cancel_reg){
				       .addr = 4, .flags = IORING_ASYNC_CANCEL_ALL }),
		   i);
	wait_for(&r, 3);
	for (int i = 0; i < 3; i++)
		is(&r, 4, -ECANCELED);
	s = sqe(&r, IORING_OP_NOP, -1, 3);
	s->len = 0;
	EQ(submit(&r, 1), 1);
	is(&r, 3, 0);
	close_pipes(&p);
	end(&r);
}

/* Who waits for the end of a request is told, where that is no completion. */
TEST(a_quiet_one_is_waited_for)
{
	static char big[16 << 20];
	struct ring r = ring(8);
	int waited = 0;

	while (!waited) {
		struct io_uring_sync_cancel_reg it = { .addr = 1, .timeout = { .tv_sec = 20 } };
		struct stat s = { 0 };
		int f = file();

		rw(&r, IORING_OP_WRITE, f, big, sizeof(big), 0, 1)->flags = IOSQE_ASYNC |
									    IOSQE_CQE_SKIP_SUCCESS;
		EQ(submit(&r, 1), 1);
		while (!s.st_size)	/* a worker has it */
			OK(fstat(f, &s));
		waited = !sync_cancel(&r, it);
		CHECK(waited || errno == ENOENT);
		EQ(there(&r), 0);
		OK(fstat(f, &s));
		EQ(s.st_size, sizeof(big));
		close(f);
	}
	end(&r);
}

/* ---- ends ---- */

static void begin_two(struct ring *r, const struct pipes *p, char *b)
{
	splice_from(r, p->in[0], p->out[1], 1);
	rw(r, IORING_OP_READ, p->in[0], b, 1, 0, 2)->flags = IOSQE_ASYNC;
	EQ(submit(r, 1), 1);
}

struct begun {
	struct ring r;
	struct pipes p;
	char b;
};

static void *end_thread(void *arg)
{
	struct begun *b = arg;

	begin_two(&b->r, &b->p, &b->b);
	usleep(1000);
	return NULL;
}

TEST(a_task_ends_with_workers)
{
	struct pipes p = pipes();
	int status;
	pid_t pid;

	for (int how = 0; how < 4; how++) {
		pid = OK(fork());
		if (!pid) {
			struct ring r = ring(8);
			char b;

			begin_two(&r, &p, &b);
			if (how & 1)
				usleep(1000);
			if (how == 2)
				kill(getpid(), SIGKILL);
			if (how == 3)
				execl("/proc/self/exe", "uring_work", "none", (char *)NULL);
			_exit(7);
		}
		EQ(waitpid(pid, &status, 0), pid);
		if (how == 2)
			EQ(WTERMSIG(status), SIGKILL);
		if (how < 2)
			EQ(WEXITSTATUS(status), 7);
	}
	close_pipes(&p);
}

TEST(a_thread_ends_with_workers)
{
	for (int i = 0; i < 20; i++) {
		struct begun b = { ring(8), pipes(), 0 };
		pthread_t t;

		EQ(pthread_create(&t, NULL, end_thread, &b), 0);
		EQ(pthread_join(t, NULL), 0);
		/* What waits for an event may end no sooner. */
		EQ(write(b.p.in[1], "x", 1), 1);
		wait_for(&b.r, 2);
		for (int j = 0; j < 2; j++) {
			int res = next(&b.r).res;

			CHECK(res == -ECANCELED || is_interrupted(res));
		}
		close_pipes(&b.p);
		end(&b.r);
	}
}

/* All threads of a process stop, a worker too, and go on. */
TEST(a_stop_with_a_worker)
{
	struct pipes p = pipes();
	int status;
	pid_t pid = OK(fork());

	if (!pid) {
		struct ring r = ring(8);
		struct cqe c;

		splice_from(&r, p.in[0], p.out[1], 1);
		usleep(1000);
		raise(SIGSTOP);
		wait_for(&r, 1);
		c = next(&r);
		_exit(c.res == 1 || is_interrupted(c.res) ? 7 : 1);
	}
	EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status));
	OK(kill(pid, SIGCONT));
	EQ(write(p.in[1], "x", 1), 1);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(WEXITSTATUS(status), 7);
	close_pipes(&p);
}

/* ---- work that comes while work is done ---- */

struct fire {
	int fd, turns;
};

static void *fire(void *arg)
{
	struct fire *f = arg;
	uint64_t one = 1;

	for (int i = 0; i < f->turns; i++) {
		EQ(write(f->fd, &one, 8), 8);
		if (!(i & 7))
			sched_yield();
	}
	return NULL;
}

/* Others' events and one's own, of two rings, one of them with IORING_SETUP_DEFER_TASKRUN. */
TEST(events_from_everywhere)
{
	struct ring a = ring(8),
		    b = ring_of(8, (struct io_uring_params){ .flags = IORING_SETUP_DEFER_TASKRUN |
								      IORING_SETUP_SINGLE_ISSUER });
	struct fire f = { eventfd(0, 0), 4000 };
	int mine = eventfd(0, 0);
	uint64_t seen = 0, got, one = 1;
	pthread_t t;

	EQ(pthread_create(&t, NULL, fire, &f), 0);
	for (int i = 0; seen < 4000; i++) {
		/* B waits for the other thread, A for what this one does. */
		rw(&b, IORING_OP_READ, f.fd, &got, 8, 0, 1);
		EQ(submit(&b, 1), 1);
		sqe(&a, IORING_OP_POLL_ADD, mine, 2)->poll32_events = 1;
		EQ(submit(&a, 1), 1);
		EQ(write(mine, &one, 8), 8);
		wait_for(&b, 1);
		is(&b, 1, 8);
		seen += got;
		wait_for(&a, 1);
		is(&a, 2, 1);
		EQ(read(mine, &got, 8), 8);
	}
	EQ(seen, 4000);
	EQ(pthread_join(t, NULL), 0);
	close(f.fd);
	close(mine);
	end(&a);
	end(&b);
}

static void nothing(int sig)
{
	(void)sig;
}

/* A signal and a completion at once: the wait ends, it does not turn around itself. */
TEST(signals_and_events_at_once)
{
	struct ring r = ring(8);
	struct fire f = { eventfd(0, 0), 300 };
	uint64_t got = 0, seen = 0;
	pthread_t t;
	pid_t pid, me = getpid();

	signal(SIGUSR1, nothing);
	pid = OK(fork());
	if (!pid) {
		for (;;)
			if (kill(me, SIGUSR1) || sched_yield())
				_exit(0);
	}
	EQ(pthread_create(&t, NULL, fire, &f), 0);
	while (seen < 300) {
		rw(&r, IORING_OP_READ, f.fd, &got, 8, 0, 1);
		EQ(submit(&r, 1), 1);
		while (!there(&r)) {
			int e = enter(&r, 0, 1, IORING_ENTER_GETEVENTS);

			CHECK(!e || errno == EINTR);
		}
		is(&r, 1, 8);
		seen += got;
	}
	OK(kill(pid, SIGKILL));
	EQ(waitpid(pid, NULL, 0), pid);
	EQ(pthread_join(t, NULL), 0);
	close(f.fd);
	end(&r);
}

/* The only worker that there may be ends, as its task is in no ring, and is wanted again. */
TEST(one_worker_comes_and_goes)
{
	unsigned int n[2] = { 1, 1 };
	struct pipes p = pipes();
	struct ring r = ring(1), next_one;
	char b;

	OK(reg(&r, IORING_REGISTER_IOWQ_MAX_WORKERS, n, 2));
	for (int i = 0; i < 200; i++) {
		EQ(write(p.in[1], "x", 1), 1);
		splice_from(&r, p.in[0], p.out[1], 1);
		wait_for(&r, 1);
		is(&r, 1, 1);
		EQ(read(p.out[0], &b, 1), 1);
		next_one = ring(1);
		end(&r);
		for (volatile int j = 0; j < i % 50 * 20; j++)
			;
		r = next_one;
	}
	end(&r);
	close_pipes(&p);
}
