// SPDX-License-Identifier: MIT
/*
 * io_uring(7) by system calls alone: rings, submission, chains, waiting, timeouts, cancellation.
 * proves: io_uring_setup io_uring_enter io_uring_register
 */
#include "uring.h"
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* ---- rings ---- */

TEST(what_setup_refuses)
{
	struct io_uring_params p = { 0 };

	enable();
	ERR(setup(0, &p), EINVAL);
	ERR(setup(32769, &p), EINVAL);
	ERR(setup(1, (void *)8), EFAULT);
	p.flags = 1u << 31;
	ERR(setup(1, &p), EINVAL);
	p.flags = IORING_SETUP_DEFER_TASKRUN;
	ERR(setup(1, &p), EINVAL);
	p.flags = IORING_SETUP_TASKRUN_FLAG;
	ERR(setup(1, &p), EINVAL);
	p.flags = IORING_SETUP_CQSIZE;
	ERR(setup(4, &p), EINVAL);
	p.cq_entries = 2;
	ERR(setup(4, &p), EINVAL);
	p.cq_entries = 65537;
	ERR(setup(4, &p), EINVAL);
	p = (struct io_uring_params){ .resv = { 0, 1 } };
	ERR(setup(4, &p), EINVAL);
	p = (struct io_uring_params){ .flags = IORING_SETUP_ATTACH_WQ, .wq_fd = 99 };
	ERR(setup(4, &p), ENXIO);
	p.wq_fd = 0;
	ERR(setup(4, &p), EINVAL);
}

TEST(sizes)
{
	struct io_uring_params p = { 0 };
	int fd;

	enable();
	fd = OK(setup(5, &p));
	EQ(p.sq_entries, 8);
	EQ(p.cq_entries, 16);
	CHECK(p.features & IORING_FEAT_SINGLE_MMAP && p.features & IORING_FEAT_NODROP);
	EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	p = (struct io_uring_params){ .flags = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE,
				      .cq_entries = 1u << 20 };
	fd = OK(setup(1u << 20, &p));
	EQ(p.sq_entries, 32768);
	EQ(p.cq_entries, 65536);
	close(fd);
	p = (struct io_uring_params){ .flags = IORING_SETUP_CQSIZE, .cq_entries = 33 };
	fd = OK(setup(1, &p));
	EQ(p.sq_entries, 1);
	EQ(p.cq_entries, 64);
	close(fd);
}

TEST(disabled)
{
	struct io_uring_params p = { 0 };
	int fd, status;
	pid_t pid;
	char now;

	enable();
	fd = OK(open("/proc/sys/kernel/io_uring_disabled", O_RDWR));
	EQ(pread(fd, &now, 1, 0), 1);
	EQ(now, '0');
	EQ(pwrite(fd, "2", 1, 0), 1);
	ERR(setup(1, &p), EPERM);
	EQ(pwrite(fd, "1", 1, 0), 1);
	close(OK(setup(1, &p)));
	pid = OK(fork());
	if (!pid) {
		if (setgid(1000) || setuid(1000))
			_exit(2);
		_exit(setup(1, &p) == -1 && errno == EPERM ? 0 : 1);
	}
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	ERR(pwrite(fd, "3", 1, 0), EINVAL);
	EQ(pwrite(fd, "0", 1, 0), 1);
	close(fd);
}

TEST(what_enter_refuses)
{
	struct ring r = ring(4);
	int p[2];

	ERR(enter(&r, 0, 0, 1u << 30), EINVAL);
	OK(pipe(p));
	ERR(syscall(SYS_io_uring_enter, p[0], 0, 0, 0, NULL, 0), EOPNOTSUPP);
	ERR(syscall(SYS_io_uring_enter, 99, 0, 0, 0, NULL, 0), EBADF);
	ERR(syscall(SYS_io_uring_enter, 0, 0, 0, IORING_ENTER_REGISTERED_RING, NULL, 0), EBADF);
	ERR(syscall(SYS_io_uring_enter, 16, 0, 0, IORING_ENTER_REGISTERED_RING, NULL, 0), EINVAL);
	EQ(submit(&r, 0), 0);
	EQ(submit(&r, 5), 0);
	close(p[0]);
	close(p[1]);
	end(&r);
}

TEST(nops_in_batches)
{
	struct ring r = ring(8);

	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 8; i++)
			sqe(&r, IORING_OP_NOP, -1, (unsigned)(round * 8 + i));
		EQ(enter(&r, 8, 8, IORING_ENTER_GETEVENTS), 8);
		EQ(there(&r), 8);
		for (int i = 0; i < 8; i++)
			is(&r, (unsigned)(round * 8 + i), 0);
	}
	EQ(*at(&r, r.p.sq_off.head), 800);
	EQ(*at(&r, r.p.sq_off.dropped), 0);
	end(&r);
}

TEST(wrong_sqes)
{
	struct ring r = ring(8);

	sqe(&r, 200, -1, 1);
	sqe(&r, IORING_OP_NOP, -1, 2)->flags = 1 << 7;
	sqe(&r, IORING_OP_NOP, -1, 3)->rw_flags = 1 << 30;
	sqe(&r, IORING_OP_READ, 99, 4);
	sqe(&r, IORING_OP_NOP, -1, 5);
	/* The first that is wrong ends the submission, and has a completion. */
	EQ(submit(&r, 5), 1);
	is(&r, 1, -EINVAL);
	EQ(submit(&r, 4), 1);
	is(&r, 2, -EINVAL);
	EQ(submit(&r, 3), 1);
	is(&r, 3, -EINVAL);
	/* What its operation finds wrong does not. */
	EQ(submit(&r, 2), 2);
	is(&r, 4, -EBADF);
	is(&r, 5, 0);
	at(&r, r.p.sq_off.array)[r.tail++ & 7] = 8;
	EQ(submit(&r, 1), 0);
	EQ(*at(&r, r.p.sq_off.dropped), 1);
	end(&r);
}

TEST(all_are_submitted)
{
	struct ring r = ring_of(8, (struct io_uring_params){ .flags = IORING_SETUP_SUBMIT_ALL |
								      IORING_SETUP_NO_SQARRAY });

	sqe(&r, 200, -1, 1);
	sqe(&r, IORING_OP_NOP, -1, 2);
	EQ(submit(&r, 2), 2);
	is(&r, 1, -EINVAL);
	is(&r, 2, 0);
	end(&r);
}

TEST(no_completion_is_lost)
{
	struct ring r = ring_of(4, (struct io_uring_params){ .flags = IORING_SETUP_CQSIZE,
							     .cq_entries = 4 });

	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < 4; j++)
			sqe(&r, IORING_OP_NOP, -1, (unsigned)(i * 4 + j));
		EQ(submit(&r, 4), 4);
	}
	EQ(there(&r), 4);
	CHECK(*at(&r, r.p.sq_off.flags) & IORING_SQ_CQ_OVERFLOW);
	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < 4; j++)
			is(&r, (unsigned)(i * 4 + j), 0);
		wait_for(&r, i < 2 ? 4 : 0);
	}
	EQ(there(&r), 0);
	CHECK(!(*at(&r, r.p.sq_off.flags) & IORING_SQ_CQ_OVERFLOW));
	EQ(*at(&r, r.p.cq_off.overflow), 0);
	end(&r);
}

/* ---- files ---- */

TEST(reads_and_writes)
{
	struct ring r = ring(8);
	int fd = file();
	char b[16] = "";
	struct iovec v[2] = { { (void *)"abc", 3 }, { (void *)"defg", 4 } },
		     w[2] = { { b, 2 }, { b + 8, 4 } };

	rw(&r, IORING_OP_WRITE, fd, "0123456789", 10, 5, 1);
	rw(&r, IORING_OP_READ, fd, b, 16, 7, 2);
	EQ(submit(&r, 2), 2);
	wait_for(&r, 2);
	is(&r, 1, 10);
	is(&r, 2, 8);
	CHECK(!memcmp(b, "23456789", 8));
	rw(&r, IORING_OP_WRITEV, fd, v, 2, 0, 3);
	rw(&r, IORING_OP_READV, fd, w, 2, 1, 4);
	sqe(&r, IORING_OP_FSYNC, fd, 5);
	EQ(enter(&r, 3, 3, IORING_ENTER_GETEVENTS), 3);
	is(&r, 3, 7);
	is(&r, 4, 6);
	is(&r, 5, 0);
	CHECK(!memcmp(b, "bc", 2) && !memcmp(b + 8, "defg", 4));
	EQ(lseek(fd, 0, SEEK_CUR), 0);
	rw(&r, IORING_OP_READ, fd, b, 3, -1, 6);
	rw(&r, IORING_OP_READ, fd, (void *)8, 3, 0, 7);
	EQ(enter(&r, 2, 2, IORING_ENTER_GETEVENTS), 2);
	is(&r, 6, 3);
	is(&r, 7, -EFAULT);
	EQ(lseek(fd, 0, SEEK_CUR), 3);
	sqe(&r, IORING_OP_CLOSE, fd, 8);
	sqe(&r, IORING_OP_CLOSE, fd, 9);
	sqe(&r, IORING_OP_CLOSE, r.fd, 10);
	EQ(enter(&r, 3, 3, IORING_ENTER_GETEVENTS), 3);
	is(&r, 8, 0);
	is(&r, 9, -EBADF);
	is(&r, 10, -EBADF);
	end(&r);
}

TEST(a_pipe_that_is_empty)
{
	struct ring r = ring(8);
	char b[8] = "";
	int p[2];

	OK(pipe(p));
	rw(&r, IORING_OP_READ, p[0], b, 8, 0, 1);
	EQ(submit(&r, 1), 1);
	EQ(there(&r), 0);
	EQ(write(p[1], "hello", 5), 5);
	wait_for(&r, 1);
	is(&r, 1, 5);
	CHECK(!memcmp(b, "hello", 5));
	/* In one call: a writer that comes behind the reader. */
	rw(&r, IORING_OP_READ, p[0], b, 8, 0, 2);
	rw(&r, IORING_OP_WRITE, p[1], "you", 3, 0, 3);
	EQ(enter(&r, 2, 2, IORING_ENTER_GETEVENTS), 2);
	is(&r, 3, 3);
	is(&r, 2, 3);
	rw(&r, IORING_OP_READ, p[0], b, 8, 0, 4)->rw_flags = 8 /* RWF_NOWAIT */;
	EQ(submit(&r, 1), 1);
	is(&r, 4, -EAGAIN);
	rw(&r, IORING_OP_READ, p[0], b, 8, 0, 5);
	EQ(submit(&r, 1), 1);
	close(p[1]);
	wait_for(&r, 1);
	is(&r, 5, 0);
	close(p[0]);
	end(&r);
}

/* ---- chains ---- */

/* A read of what the kernel has not said yet does not keep its submitter. */
TEST(messages_of_the_kernel)
{
	struct ring r = ring(8);
	char b[1024];
	int k, old, say;

	k = open("/proc/kmsg", O_RDONLY);
	if (k < 0)
		SKIP("not the superuser");
	old = OK(open("/proc/kmsg", O_RDONLY | O_NONBLOCK));
	say = OK(open("/dev/kmsg", O_WRONLY));
	while (read(old, b, sizeof(b)) > 0)
		;
	EQ(errno, EAGAIN);
	rw(&r, IORING_OP_READ, k, b, sizeof(b), 0, 1);
	EQ(submit(&r, 1), 1);
	OK(write(say, "hello\n", 6));
	wait_for(&r, 1);
	CHECK(next(&r).res > 0);
	close(k);
	close(old);
	close(say);
	end(&r);
}

TEST(a_chain_goes_in_order)
{
	struct ring r = ring(8);
	char b[8] = "";
	int p[2];

	OK(pipe(p));
	rw(&r, IORING_OP_READ, p[0], b, 4, 0, 1)->flags = IOSQE_IO_LINK;
	rw(&r, IORING_OP_WRITE, p[1], "next", 4, 0, 2)->flags = IOSQE_IO_LINK;
	rw(&r, IORING_OP_READ, p[0], b + 4, 4, 0, 3);
	sqe(&r, IORING_OP_NOP, -1, 4);
	EQ(submit(&r, 4), 4);
	is(&r, 4, 0);
	EQ(there(&r), 0);
	EQ(write(p[1], "frst", 4), 4);
	wait_for(&r, 3);
	is(&r, 1, 4);
	is(&r, 2, 4);
	is(&r, 3, 4);
	CHECK(!memcmp(b, "frstnext", 8));
	close(p[0]);
	close(p[1]);
	end(&r);
}

TEST(a_chain_that_breaks)
{
	struct ring r = ring(8);
	int fd = file();
	char b[8];

	rw(&r, IORING_OP_READ, 99, b, 4, 0, 1)->flags = IOSQE_IO_LINK;
	sqe(&r, IORING_OP_NOP, -1, 2)->flags = IOSQE_IO_LINK;
	sqe(&r, IORING_OP_NOP, -1, 3);
	/* Of a hard link the next one goes all the same; a short read breaks the other kind. */
	rw(&r, IORING_OP_READ, 99, b, 4, 0, 4)->flags = IOSQE_IO_HARDLINK;
	rw(&r, IORING_OP_READ, fd, b, 4, 0, 5)->flags = IOSQE_IO_LINK;
	sqe(&r, IORING_OP_NOP, -1, 6);
	EQ(enter(&r, 6, 6, IORING_ENTER_GETEVENTS), 6);
	are(&r, 1, 6, (int[]){ -EBADF, -ECANCELED, -ECANCELED, -EBADF, 0, -ECANCELED });
	/* None of a chain with an SQE that is wrong is issued. */
	sqe(&r, IORING_OP_NOP, -1, 7)->flags = IOSQE_IO_LINK;
	sqe(&r, 200, -1, 8);
	EQ(enter(&r, 2, 2, IORING_ENTER_GETEVENTS), 2);
	are(&r, 7, 2, (int[]){ -ECANCELED, -EINVAL });
	sqe(&r, IORING_OP_NOP, -1, 9)->flags = IOSQE_CQE_SKIP_SUCCESS;
	sqe(&r, IORING_OP_NOP, -1, 10);
	EQ(submit(&r, 2), 2);
	is(&r, 10, 0);
	EQ(there(&r), 0);
	close(fd);
	end(&r);
}

TEST(a_drain_waits)
{
	struct ring r = ring(8);
	char b[8];
	int p[2];

	OK(pipe(p));
	rw(&r, IORING_OP_READ, p[0], b, 4, 0, 1);
	sqe(&r, IORING_OP_NOP, -1, 2)->flags = IOSQE_IO_DRAIN;
	sqe(&r, IORING_OP_NOP, -1, 3);
	EQ(submit(&r, 3), 3);
	EQ(there(&r), 0);
	EQ(write(p[1], "1234", 4), 4);
	wait_for(&r, 3);
	is(&r, 1, 4);
	is(&r, 2, 0);
	is(&r, 3, 0);
	/* One that is live keeps off what comes after it. */
	rw(&r, IORING_OP_READ, p[0], b, 4, 0, 4)->flags = IOSQE_IO_DRAIN;
	sqe(&r, IORING_OP_NOP, -1, 5);
	EQ(submit(&r, 2), 2);
	EQ(there(&r), 0);
	EQ(write(p[1], "1234", 4), 4);
	wait_for(&r, 2);
	is(&r, 4, 4);
	is(&r, 5, 0);
	close(p[0]);
	close(p[1]);
	end(&r);
}

/* Its memory counts in its cgroup alone. */
TEST(rings_are_no_locked_memory)
{
	struct rlimit l = { 0, 0 };
	struct io_uring_params p = { 0 };

	end(&(struct ring[]){ ring(8) }[0]);
	OK(setrlimit(RLIMIT_MEMLOCK, &l));
	OK(setgid(1000));
	OK(setuid(1000));
	OK(close(OK(setup(1024, &p))));
}

/* How the call waits is read after what was submitted, which is what it says then. */
TEST(a_wait_that_is_wrong)
{
	struct io_uring_getevents_arg a = { .ts = 8 };
	unsigned int flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
	struct ring r = ring(8);

	ERR(syscall(SYS_io_uring_enter, r.fd, 0, 1, flags, &a, sizeof(a)), EFAULT);
	for (unsigned int i = 0; i < 3; i++) {
		size_t n = i == 2 ? 8 : sizeof(a);

		a.ts = i ? 0 : 8;
		a.sigmask = i ? 8 : 0;
		a.sigmask_sz = 8;
		sqe(&r, IORING_OP_NOP, -1, i);
		__atomic_store_n(at(&r, r.p.sq_off.tail), r.tail, __ATOMIC_RELEASE);
		EQ(syscall(SYS_io_uring_enter, r.fd, 1, 3, flags, &a, n), 1);
		is(&r, i, 0);
	}
	ERR(syscall(SYS_io_uring_enter, r.fd, 0, 1, flags, &a, sizeof(a)), EFAULT);
	/* No mask is needed where nothing is waited for. */
	sqe(&r, IORING_OP_NOP, -1, 4);
	EQ(submit(&r, 1), 1);
	EQ(syscall(SYS_io_uring_enter, r.fd, 0, 1, flags, &a, sizeof(a)), 0);
	is(&r, 4, 0);
	end(&r);
}

/* IOSQE_CQE_SKIP_SUCCESS */
TEST(quiet_ones)
{
	struct __kernel_timespec late = { 100, 0 };
	struct io_uring_sqe *s;
	struct ring r = ring(8);

	sqe(&r, IORING_OP_NOP, -1, 1)->flags = IOSQE_CQE_SKIP_SUCCESS;
	rw(&r, IORING_OP_READ, 99, NULL, 1, 0, 2)->flags = IOSQE_CQE_SKIP_SUCCESS;
	EQ(submit(&r, 2), 2);
	is(&r, 2, -EBADF);
	/* The limit of time is not needed: it has not failed. */
	sqe(&r, IORING_OP_NOP, -1, 3)->flags = IOSQE_IO_LINK;
	s = sqe(&r, IORING_OP_LINK_TIMEOUT, -1, 4);
	s->addr = (uintptr_t)&late;
	s->len = 1;
	s->flags = IOSQE_CQE_SKIP_SUCCESS;
	EQ(submit(&r, 2), 2);
	is(&r, 3, 0);
	EQ(there(&r), 0);
	/* What posts nothing cannot be drained. */
	sqe(&r, IORING_OP_NOP, -1, 5)->flags = IOSQE_IO_DRAIN;
	EQ(submit(&r, 1), 1);
	is(&r, 5, -EOPNOTSUPP);
	end(&r);
}
