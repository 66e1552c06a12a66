// SPDX-License-Identifier: MIT
/*
 * io_uring(7): timeouts, cancellation, who runs and who waits, the ends of tasks.
 * proves: io_uring_enter io_uring_register
 */
#include "uring.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

static struct __kernel_timespec ms(long n)
{
	return (struct __kernel_timespec){ n / 1000, n % 1000 * 1000000 };
}

static struct io_uring_sqe *timeout(struct ring *r, int op, const struct __kernel_timespec *t,
				    unsigned int off, unsigned int flags, unsigned long long data)
{
	struct io_uring_sqe *s = sqe(r, op, -1, data);

	s->addr = (uintptr_t)t;
	s->len = 1;
	s->off = off;
	s->timeout_flags = flags;
	return s;
}

static struct io_uring_sqe *cancel(struct ring *r, unsigned long long what, unsigned int flags,
				   unsigned long long data)
{
	struct io_uring_sqe *s = sqe(r, IORING_OP_ASYNC_CANCEL, -1, data);

	s->addr = what;
	s->cancel_flags = flags;
	return s;
}

TEST(timeouts)
{
	struct __kernel_timespec soon = ms(1), late = ms(100000), wrong = { -1, 0 };
	struct ring r = ring(8);

	timeout(&r, IORING_OP_TIMEOUT, &late, 1, 0, 2);
	timeout(&r, IORING_OP_TIMEOUT, &soon, 0, 0, 1);
	EQ(submit(&r, 2), 2);
	wait_for(&r, 1);
	is(&r, 1, -ETIME);
	EQ(there(&r), 0);
	/* One completion that is no timeout's ends the other. */
	sqe(&r, IORING_OP_NOP, -1, 3);
	EQ(enter(&r, 1, 2, IORING_ENTER_GETEVENTS), 1);
	is(&r, 3, 0);
	is(&r, 2, 0);
	timeout(&r, IORING_OP_TIMEOUT, &wrong, 0, 0, 4);
	EQ(submit(&r, 1), 1);
	is(&r, 4, -EINVAL);
	timeout(&r, IORING_OP_TIMEOUT, (void *)8, 0, 0, 5);
	EQ(submit(&r, 1), 1);
	is(&r, 5, -EFAULT);
	timeout(&r, IORING_OP_TIMEOUT, &late, 0, 0, 6);
	sqe(&r, IORING_OP_TIMEOUT_REMOVE, -1, 7)->addr = 6;
	EQ(enter(&r, 2, 2, IORING_ENTER_GETEVENTS), 2);
	/* Who removes one is told before it is. */
	is(&r, 7, 0);
	is(&r, 6, -ECANCELED);
	sqe(&r, IORING_OP_TIMEOUT_REMOVE, -1, 8)->addr = 6;
	EQ(submit(&r, 1), 1);
	is(&r, 8, -ENOENT);
	end(&r);
}

/* One fires wherever its task is: it submits, it is about to sleep, it sleeps. */
TEST(a_timeout_of_any_length)
{
	struct ring r = ring(8);

	for (int i = 0; i < 500; i++) {
		struct __kernel_timespec t = { 0, i * 7919 % 400000 };

		timeout(&r, IORING_OP_TIMEOUT, &t, 0, 0, (unsigned int)i);
		EQ(submit(&r, 1), 1);
		wait_for(&r, 1);
		is(&r, (unsigned int)i, -ETIME);
	}
	end(&r);
}

TEST(a_timeout_that_is_changed)
{
	struct timespec now;
	struct __kernel_timespec soon = ms(1), late = ms(100000);
	struct ring r = ring(8);
	struct io_uring_sqe *s;

	timeout(&r, IORING_OP_TIMEOUT, &late, 0, 0, 1);
	s = sqe(&r, IORING_OP_TIMEOUT_REMOVE, -1, 2);
	s->addr = 1;
	s->addr2 = (uintptr_t)&soon;
	s->timeout_flags = IORING_TIMEOUT_UPDATE;
	EQ(enter(&r, 2, 2, IORING_ENTER_GETEVENTS), 2);
	wait_for(&r, 2);
	is(&r, 2, 0);
	is(&r, 1, -ETIME);
	/* A time of the wall clock stays one. */
	OK(clock_gettime(CLOCK_REALTIME, &now));
	late.tv_sec = now.tv_sec + 100000;
	timeout(&r, IORING_OP_TIMEOUT, &late, 0, IORING_TIMEOUT_ABS | IORING_TIMEOUT_REALTIME, 1);
	soon.tv_sec = now.tv_sec + 1;
	s = sqe(&r, IORING_OP_TIMEOUT_REMOVE, -1, 2);
	s->addr = 1;
	s->addr2 = (uintptr_t)&soon;
	s->timeout_flags = IORING_TIMEOUT_UPDATE | IORING_TIMEOUT_ABS;
	EQ(enter(&r, 2, 2, IORING_ENTER_GETEVENTS), 2);
	wait_for(&r, 2);
	is(&r, 2, 0);
	is(&r, 1, -ETIME);
	soon = ms(1);
	/* One that is changed counts no more. */
	timeout(&r, IORING_OP_TIMEOUT, &late, 1, 0, 1);
	s = sqe(&r, IORING_OP_TIMEOUT_REMOVE, -1, 2);
	s->addr = 1;
	s->addr2 = (uintptr_t)&soon;
	s->timeout_flags = IORING_TIMEOUT_UPDATE;
	EQ(enter(&r, 2, 2, IORING_ENTER_GETEVENTS), 2);
	wait_for(&r, 2);
	is(&r, 2, 0);
	is(&r, 1, -ETIME);
	end(&r);
}

/* Requests that end interrupt a sleep, as often as they like, and it goes on. */
TEST(a_sleep_with_timeouts)
{
	struct __kernel_timespec soon = ms(1);
	struct timespec t = { 0, 50000000 };
	struct ring r = ring(8);

	timeout(&r, IORING_OP_TIMEOUT, &soon, 0, IORING_TIMEOUT_MULTISHOT, 1);
	EQ(submit(&r, 1), 1);
	OK(nanosleep(&t, NULL));
	CHECK(there(&r));
	end(&r);
}

TEST(a_timeout_of_many)
{
	struct __kernel_timespec soon = ms(1);
	struct ring r = ring(8);

	timeout(&r, IORING_OP_TIMEOUT, &soon, 3, IORING_TIMEOUT_MULTISHOT, 1);
	EQ(submit(&r, 1), 1);
	for (int i = 0; i < 3; i++) {
		struct cqe c;

		while (!there(&r))
			wait_for(&r, 1);
		c = next(&r);
		EQ(c.user_data, 1);
		EQ(c.res, -ETIME);
		EQ(c.flags, i < 2 ? IORING_CQE_F_MORE : 0);
	}
	end(&r);
}

TEST(a_request_with_a_limit)
{
	struct __kernel_timespec soon = ms(1), late = ms(100000);
	struct ring r = ring(8);
	char b[8];
	int p[2];

	OK(pipe(p));
	rw(&r, IORING_OP_READ, p[0], b, 8, 0, 1)->flags = IOSQE_IO_LINK;
	timeout(&r, IORING_OP_LINK_TIMEOUT, &soon, 0, 0, 2);
	EQ(submit(&r, 2), 2);
	while (there(&r) < 2)
		wait_for(&r, 2);
	are(&r, 1, 2, (int[]){ -ECANCELED, -ETIME });
	rw(&r, IORING_OP_READ, p[0], b, 8, 0, 3)->flags = IOSQE_IO_LINK;
	timeout(&r, IORING_OP_LINK_TIMEOUT, &late, 0, 0, 4)->flags = IOSQE_IO_LINK;
	sqe(&r, IORING_OP_NOP, -1, 5);
	EQ(submit(&r, 3), 3);
	EQ(write(p[1], "12345678", 8), 8);
	while (there(&r) < 3)
		wait_for(&r, 3);
	are(&r, 3, 3, (int[]){ 8, -ECANCELED, 0 });
	sqe(&r, IORING_OP_NOP, -1, 6)->flags = IOSQE_IO_LINK;
	timeout(&r, IORING_OP_LINK_TIMEOUT, &late, 0, 0, 7);
	EQ(enter(&r, 2, 2, IORING_ENTER_GETEVENTS), 2);
	are(&r, 6, 2, (int[]){ 0, -ECANCELED });
	/* A limit that was not reached is no failure that would be told. */
	sqe(&r, IORING_OP_NOP, -1, 11)->flags = IOSQE_IO_LINK;
	timeout(&r, IORING_OP_LINK_TIMEOUT, &late, 0, 0, 12)->flags = IOSQE_CQE_SKIP_SUCCESS;
	EQ(enter(&r, 2, 1, IORING_ENTER_GETEVENTS), 2);
	is(&r, 11, 0);
	EQ(there(&r), 0);
	/* Only some operations have a priority. */
	rw(&r, IORING_OP_READ, p[0], b, 8, 0, 9)->flags = IOSQE_IO_LINK;
	timeout(&r, IORING_OP_LINK_TIMEOUT, &soon, 0, 0, 10)->ioprio = 89;
	EQ(submit(&r, 2), 2);
	while (there(&r) < 2)
		wait_for(&r, 2);
	are(&r, 9, 2, (int[]){ -ECANCELED, -EINVAL });
	timeout(&r, IORING_OP_LINK_TIMEOUT, &late, 0, 0, 8);
	EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	is(&r, 8, -EINVAL);
	close(p[0]);
	close(p[1]);
	end(&r);
}

TEST(cancellation)
{
	struct __kernel_timespec late = ms(100000);
	struct ring r = ring(16);
	struct io_uring_sqe *s;
	char b[8];
	int p[2];

	OK(pipe(p));
	rw(&r, IORING_OP_READ, p[0], b, 8, 0, 1);
	cancel(&r, 1, 0, 2);
	EQ(enter(&r, 2, 2, IORING_ENTER_GETEVENTS), 2);
	are(&r, 1, 2, (int[]){ -ECANCELED, 0 });
	cancel(&r, 1, 0, 3);
	EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	is(&r, 3, -ENOENT);
	/* By file, all of them. */
	rw(&r, IORING_OP_READ, p[0], b, 8, 0, 4);
	sqe(&r, IORING_OP_POLL_ADD, p[0], 5)->poll32_events = POLLIN;
	timeout(&r, IORING_OP_TIMEOUT, &late, 0, 0, 6);
	s = cancel(&r, 0, IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL, 7);
	s->fd = p[0];
	EQ(enter(&r, 4, 3, IORING_ENTER_GETEVENTS), 4);
	EQ(there(&r), 3);
	for (int i = 0; i < 3; i++) {
		struct cqe c = next(&r);

		EQ(c.res, c.user_data == 7 ? 2 : -ECANCELED);
		CHECK(c.user_data != 6);
	}
	cancel(&r, 0, IORING_ASYNC_CANCEL_ANY, 7);
	EQ(enter(&r, 1, 2, IORING_ENTER_GETEVENTS), 1);
	are(&r, 6, 2, (int[]){ -ECANCELED, 1 });
	/* A limit is not looked for: what it limits is, also where both have one name. */
	rw(&r, IORING_OP_READ, p[0], b, 8, 0, 9)->flags = IOSQE_IO_LINK;
	timeout(&r, IORING_OP_LINK_TIMEOUT, &late, 0, 0, 10);
	cancel(&r, 10, 0, 11);
	EQ(submit(&r, 3), 3);
	is(&r, 11, -ENOENT);
	cancel(&r, 9, 0, 11);
	EQ(enter(&r, 1, 3, IORING_ENTER_GETEVENTS), 1);
	are(&r, 9, 3, (int[]){ -ECANCELED, -ECANCELED, 0 });
	rw(&r, IORING_OP_READ, p[0], b, 8, 0, 9)->flags = IOSQE_IO_LINK;
	timeout(&r, IORING_OP_LINK_TIMEOUT, &late, 0, 0, 9);
	cancel(&r, 9, 0, 11);
	EQ(enter(&r, 3, 3, IORING_ENTER_GETEVENTS), 3);
	EQ(there(&r), 3);
	for (int i = 0; i < 3; i++) {
		struct cqe c = next(&r);

		EQ(c.res, c.user_data == 9 ? -ECANCELED : 0);
	}
	cancel(&r, 0, 1u << 30, 8);
	EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	is(&r, 8, -EINVAL);
	close(p[0]);
	close(p[1]);
	end(&r);
}

/* ---- waiting ---- */

static int enter_until(struct ring *r, unsigned int min, struct __kernel_timespec t)
{
	struct io_uring_getevents_arg a = { .ts = (uintptr_t)&t };

	__atomic_store_n(at(r, r->p.sq_off.tail), r->tail, __ATOMIC_RELEASE);
	return (int)syscall(SYS_io_uring_enter, r->fd, 0, min,
			    IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &a, sizeof(a));
}

TEST(a_wait_ends)
{
	struct ring r = ring(8);

	ERR(enter_until(&r, 1, ms(1)), ETIME);
	sqe(&r, IORING_OP_NOP, -1, 1);
	EQ(submit(&r, 1), 1);
	/* Some came: that is no error. */
	EQ(enter_until(&r, 2, ms(1)), 0);
	is(&r, 1, 0);
	end(&r);
}

static void nothing(int sig)
{
	(void)sig;
}

TEST(a_signal_ends_a_wait)
{
	struct sigaction a = { .sa_handler = nothing };
	struct itimerval t = { .it_value.tv_usec = 10000, .it_interval.tv_usec = 10000 };
	struct ring r = ring(8);

	OK(sigaction(SIGALRM, &a, NULL));
	OK(setitimer(ITIMER_REAL, &t, NULL));
	ERR(enter(&r, 0, 1, IORING_ENTER_GETEVENTS), EINTR);
	t = (struct itimerval){ 0 };
	OK(setitimer(ITIMER_REAL, &t, NULL));
	end(&r);
}

TEST(what_is_deferred)
{
	unsigned int flags = IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SINGLE_ISSUER |
			     IORING_SETUP_TASKRUN_FLAG;
	struct ring r = ring_of(8, (struct io_uring_params){ .flags = flags });
	int p[2], status;
	char b[8];
	pid_t pid;

	OK(pipe(p));
	rw(&r, IORING_OP_READ, p[0], b, 8, 0, 1);
	EQ(submit(&r, 1), 1);
	EQ(write(p[1], "12345678", 8), 8);
	CHECK(*at(&r, r.p.sq_off.flags) & IORING_SQ_TASKRUN);
	EQ(there(&r), 0);
	EQ(poll(&(struct pollfd){ .fd = r.fd, .events = POLLIN }, 1, 0), 1);
	wait_for(&r, 1);
	is(&r, 1, 8);
	CHECK(!(*at(&r, r.p.sq_off.flags) & IORING_SQ_TASKRUN));
	pid = OK(fork());
	if (!pid) {
		sqe(&r, IORING_OP_NOP, -1, 2);
		_exit(submit(&r, 1) == -1 && errno == EEXIST ? 0 : 1);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	close(p[0]);
	close(p[1]);
	end(&r);
}

/* Linux interrupts a wait when a request of the task ends; here such a wait goes on. */
static int wait_once(int ep, struct epoll_event *e)
{
	char version[200] = "";
	int fd = OK(open("/proc/version", O_RDONLY)), n;

	CHECK(read(fd, version, sizeof(version) - 1) > 0);
	close(fd);
	do
		n = epoll_wait(ep, e, 1, -1);
	while (n < 0 && errno == EINTR && !strcasestr(version, "ochre"));
	return n;
}

TEST(a_ring_that_is_polled)
{
	struct ring r = ring(8);
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = 7 };
	int p[2], ep = OK(epoll_create1(0)), ev = OK(eventfd(0, 0)), status;
	uint64_t n;
	char b[8];
	pid_t pid;

	OK(pipe(p));
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, r.fd, &e));
	OK(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_EVENTFD, &ev, 1));
	ERR(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_EVENTFD, &ev, 1), EBUSY);
	EQ(epoll_wait(ep, &e, 1, 0), 0);
	rw(&r, IORING_OP_READ, p[0], b, 8, 0, 1);
	EQ(submit(&r, 1), 1);
	pid = OK(fork());
	if (!pid)
		_exit(write(p[1], "12345678", 8) != 8);
	/* The task sleeps elsewhere, and its request ends all the same. */
	EQ(wait_once(ep, &e), 1);
	EQ(e.data.u32, 7);
	EQ(read(ev, &n, 8), 8);
	EQ(n, 1);
	is(&r, 1, 8);
	EQ(waitpid(pid, &status, 0), pid);
	OK(syscall(SYS_io_uring_register, r.fd, IORING_UNREGISTER_EVENTFD, NULL, 0));
	ERR(syscall(SYS_io_uring_register, r.fd, IORING_UNREGISTER_EVENTFD, NULL, 0), ENXIO);
	close(p[0]);
	close(p[1]);
	close(ep);
	close(ev);
	end(&r);
}

/* ---- ends ---- */

TEST(a_ring_closed_with_requests)
{
	struct __kernel_timespec late = ms(100000);
	char b[8];
	int p[2];

	OK(pipe(p));
	for (int i = 0; i < 200; i++) {
		struct ring r =
			ring_of(4, (struct io_uring_params){
					   .flags = i & 1 ? IORING_SETUP_DEFER_TASKRUN |
								    IORING_SETUP_SINGLE_ISSUER :
							    0 });

		rw(&r, IORING_OP_READ, p[0], b, 8, 0, 1)->flags = IOSQE_IO_LINK;
		timeout(&r, IORING_OP_LINK_TIMEOUT, &late, 0, 0, 2);
		timeout(&r, IORING_OP_TIMEOUT, &late, 1, 0, 3);
		EQ(submit(&r, 3), 3);
		end(&r);
	}
	/* The pipe has no reader but ours. */
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	while (write(p[1], "x", 1) == 1)
		sched_yield();		/* Linux ends them a little later */
	EQ(errno, EPIPE);
	close(p[1]);
}

TEST(a_task_that_ends)
{
	struct ring r = ring(8);
	char b[8];
	int p[2], status;
	pid_t pid;

	OK(pipe(p));
	for (int how = 0; how < 3; how++) {
		pid = OK(fork());
		if (!pid) {
			rw(&r, IORING_OP_READ, p[0], b, 8, 0, 1);
			if (submit(&r, 1) != 1)
				_exit(1);
			if (how == 1)
				kill(getpid(), SIGKILL);
			if (how == 2)
				execl("/proc/self/exe", "uring_wait", "none", (char *)NULL);
			_exit(0);
		}
		EQ(waitpid(pid, &status, 0), pid);
		EQ(how == 1 ? WTERMSIG(status) : 0, how == 1 ? SIGKILL : 0);
		r.tail++;
		/* Linux notices by the next wake-up of the file. */
		EQ(write(p[1], "x", 1), 1);
		wait_for(&r, 1);
		is(&r, 1, -ECANCELED);
		EQ(read(p[0], b, 8), 1);
	}
	close(p[0]);
	close(p[1]);
	end(&r);
}

static void *wait_thread(void *arg)
{
	return (void *)(long)enter(arg, 0, 1, IORING_ENTER_GETEVENTS);
}

TEST(another_thread_waits)
{
	struct ring r = ring(8);
	pthread_t t;
	void *res;

	EQ(pthread_create(&t, NULL, wait_thread, &r), 0);
	usleep(1000);
	sqe(&r, IORING_OP_NOP, -1, 1);
	EQ(submit(&r, 1), 1);
	EQ(pthread_join(t, &res), 0);
	EQ((long)res, 0);
	is(&r, 1, 0);
	end(&r);
}

TEST(registered_rings)
{
	struct io_uring_rsrc_update u = { .offset = ~0u };
	struct io_uring_probe *p = calloc(1, sizeof(*p) + 256 * sizeof(p->ops[0]));
	struct ring r = ring(8);

	u.data = (unsigned long long)r.fd;
	EQ(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_RING_FDS, &u, 1), 1);
	EQ(u.offset, 0);
	sqe(&r, IORING_OP_NOP, -1, 1);
	__atomic_store_n(at(&r, r.p.sq_off.tail), r.tail, __ATOMIC_RELEASE);
	EQ(syscall(SYS_io_uring_enter, 0, 1, 0, IORING_ENTER_REGISTERED_RING, NULL, 0), 1);
	is(&r, 1, 0);
	u = (struct io_uring_rsrc_update){ .offset = 0 };
	EQ(syscall(SYS_io_uring_register, r.fd, IORING_UNREGISTER_RING_FDS, &u, 1), 1);
	ERR(syscall(SYS_io_uring_enter, 0, 0, 0, IORING_ENTER_REGISTERED_RING, NULL, 0), EBADF);
	OK(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_PROBE, p, 256));
	CHECK(p->last_op >= IORING_OP_SENDMSG_ZC);
	CHECK(p->ops[IORING_OP_READ].flags & IO_URING_OP_SUPPORTED);
	EQ(p->ops[IORING_OP_READ].op, IORING_OP_READ);
	ERR(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_PROBE, p, 256), EINVAL);
	ERR(syscall(SYS_io_uring_register, r.fd, 9999, NULL, 0), EINVAL);
	free(p);
	end(&r);
}

TEST(a_ring_tells_another)
{
	struct ring r = ring(8), to = ring(8);
	struct io_uring_sqe *s = sqe(&r, IORING_OP_MSG_RING, to.fd, 1);

	s->off = 99;
	s->len = 7;
	EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	is(&r, 1, 0);
	wait_for(&to, 1);
	is(&to, 99, 7);
	sqe(&r, IORING_OP_MSG_RING, r.fd, 2);
	EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	/* One ring tells itself. */
	is(&r, 0, 0);
	is(&r, 2, 0);
	sqe(&r, IORING_OP_MSG_RING, 0, 3);
	EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	is(&r, 3, -EBADFD);
	end(&to);
	end(&r);
}

/* Whatever flags a message has, it is kept where the other ring is full. */
TEST(a_message_with_flags)
{
	struct ring r = ring(8), to = ring(1);

	EQ(to.p.cq_entries, 2);
	for (int i = 0; i < 5; i++) {
		struct io_uring_sqe *s = sqe(&r, IORING_OP_MSG_RING, to.fd, 1);

		s->off = 10 + (unsigned int)i;
		s->msg_ring_flags = IORING_MSG_RING_FLAGS_PASS;
		s->file_index = IORING_CQE_F_MORE | 64;
		EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
		is(&r, 1, 0);
	}
	for (unsigned int i = 0; i < 5; i++) {
		struct cqe c;

		if (!there(&to))
			wait_for(&to, 1);
		c = next(&to);
		EQ(c.user_data, 10 + i);
		EQ(c.flags, IORING_CQE_F_MORE | 64);
	}
	end(&to);
	end(&r);
}

/* ---- how waits measure time ---- */

static int wait_arg(struct ring *r, unsigned int min, struct io_uring_getevents_arg *a,
		    unsigned int flags)
{
	return (int)syscall(SYS_io_uring_enter, r->fd, 0, min,
			    IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | flags, a, sizeof(*a));
}

TEST(a_least_time)
{
	struct __kernel_timespec t = ms(20);
	struct io_uring_getevents_arg a = { .min_wait_usec = 1000 };
	struct ring r = ring(8);

	/* Without another limit it is the only one. */
	ERR(wait_arg(&r, 2, &a, 0), ETIME);
	a.ts = (uintptr_t)&t;
	ERR(wait_arg(&r, 2, &a, 0), ETIME);
	sqe(&r, IORING_OP_NOP, -1, 1);
	EQ(submit(&r, 1), 1);
	t = ms(1000000);
	EQ(wait_arg(&r, 2, &a, 0), 0);
	is(&r, 1, 0);
	end(&r);
}

TEST(clocks)
{
	struct io_uring_clock_register c = { .clockid = CLOCK_BOOTTIME };
	struct __kernel_timespec t = ms(5);
	struct io_uring_getevents_arg a = { .ts = (uintptr_t)&t };
	struct timespec now;
	struct ring r = ring(8);

	OK(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_CLOCK, &c, 0));
	ERR(wait_arg(&r, 1, &a, 0), ETIME);
	OK(clock_gettime(CLOCK_BOOTTIME, &now));
	t = (struct __kernel_timespec){ now.tv_sec, now.tv_nsec };
	ERR(wait_arg(&r, 1, &a, IORING_ENTER_ABS_TIMER), ETIME);
	c.clockid = CLOCK_REALTIME;
	ERR(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_CLOCK, &c, 0), EINVAL);
	c = (struct io_uring_clock_register){ .clockid = CLOCK_MONOTONIC, .__resv = { 1 } };
	ERR(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_CLOCK, &c, 0), EINVAL);
	ERR(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_CLOCK, &c, 1), EINVAL);
	ERR(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_CLOCK, NULL, 0), EINVAL);
	end(&r);
}

/* What is deferred is told to the eventfd, but where the program does not want it. */
TEST(an_eventfd_of_what_is_deferred)
{
	struct io_uring_params params = { .flags = IORING_SETUP_SINGLE_ISSUER |
						   IORING_SETUP_DEFER_TASKRUN };
	int e = OK(eventfd(0, EFD_NONBLOCK)), p[2];
	struct ring r = ring_of(8, params);
	uint64_t n;
	char b[8];

	OK(pipe(p));
	OK(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_EVENTFD, &e, 1));
	rw(&r, IORING_OP_READ, p[0], b, 8, 0, 1);
	EQ(submit(&r, 1), 1);
	EQ(write(p[1], "12345678", 8), 8);
	while (read(e, &n, 8) != 8)
		sched_yield();
	EQ(n, 1);
	wait_for(&r, 1);
	is(&r, 1, 8);
	EQ(read(e, &n, 8), 8);
	*at(&r, r.p.cq_off.flags) = IORING_CQ_EVENTFD_DISABLED;
	for (int i = 0; i < 100; i++) {
		rw(&r, IORING_OP_READ, p[0], b, 8, 0, 2);
		EQ(submit(&r, 1), 1);
		EQ(write(p[1], "12345678", 8), 8);
		sched_yield();
		wait_for(&r, 1);
		is(&r, 2, 8);
	}
	ERR(read(e, &n, 8), EAGAIN);
	close(p[0]);
	close(p[1]);
	close(e);
	end(&r);
}

/* A request that the eventfd itself wakes is no more to tell. */
TEST(an_eventfd_that_is_read)
{
	struct io_uring_params params = { .flags = IORING_SETUP_SINGLE_ISSUER |
						   IORING_SETUP_DEFER_TASKRUN };
	uint64_t n = 0;

	for (int i = 0; i < 20; i++) {
		struct ring r = ring_of(8, params);
		int e = OK(eventfd(0, 0));

		OK(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_EVENTFD, &e, 1));
		rw(&r, IORING_OP_READ, e, &n, 8, 0, 1);
		sqe(&r, IORING_OP_NOP, -1, 2);
		EQ(submit(&r, 2), 2);
		is(&r, 2, 0);
		wait_for(&r, 1);
		is(&r, 1, 8);
		EQ(n, 1);
		close(e);
		end(&r);
	}
}

/* An eventfd that hears of what workers complete alone. */
TEST(an_eventfd_of_workers)
{
	struct ring r = ring(8);
	int e = OK(eventfd(0, EFD_NONBLOCK)), f = file();
	uint64_t n;

	OK(syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_EVENTFD_ASYNC, &e, 1));
	sqe(&r, IORING_OP_NOP, -1, 1);
	EQ(submit(&r, 1), 1);
	is(&r, 1, 0);
	ERR(read(e, &n, 8), EAGAIN);
	sqe(&r, IORING_OP_FSYNC, f, 2)->flags = IOSQE_ASYNC;
	EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	is(&r, 2, 0);
	while (read(e, &n, 8) != 8)
		sched_yield();
	/* Also what need not sleep. */
	sqe(&r, IORING_OP_NOP, -1, 3)->flags = IOSQE_ASYNC;
	EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	is(&r, 3, 0);
	while (read(e, &n, 8) != 8)
		sched_yield();
	close(e);
	close(f);
	end(&r);
}
