// SPDX-License-Identifier: MIT
/*
 * io_uring(7): BPF filters and restrictions of rings and of tasks.
 * proves: io_uring_register
 */
#include "uring.h"
#include <linux/filter.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#ifndef IORING_REGISTER_BPF_FILTER
#define IORING_REGISTER_BPF_FILTER 37
#endif

/* The kernel's, which an older header does not have. */
struct filter {
	uint16_t cmd_type, cmd_flags;
	uint32_t resv, opcode, flags, len;
	uint8_t pdu_size, resv1[3];
	uint64_t ptr, resv2[5];
};
#define DENY_REST 1
#define SZ_STRICT 2

static long reg(int fd, unsigned int op, const void *arg, unsigned int n)
{
	return syscall(SYS_io_uring_register, fd, op, arg, n);
}

static struct filter filter(int op, const struct sock_filter *f, unsigned int n, unsigned int flags)
{
	return (struct filter){
		.cmd_type = 1, .opcode = (unsigned)op, .flags = flags, .len = n, .ptr = (uintptr_t)f
	};
}

static long add(int fd, int op, const struct sock_filter *f, unsigned int n, unsigned int flags)
{
	struct filter b = filter(op, f, n, flags);

	return reg(fd, IORING_REGISTER_BPF_FILTER, &b, 1);
}

static const struct sock_filter yes[] = { BPF_STMT(BPF_RET | BPF_K, 1) },
				no[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
/* The word at OFF is K. */
#define ONLY(off, k) { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, off), \
		       BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, 1), \
		       BPF_STMT(BPF_RET | BPF_K, 1), BPF_STMT(BPF_RET | BPF_K, 0) }

static int run(struct ring *r)
{
	struct cqe c;

	EQ(enter(r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	EQ(there(r), 1);
	c = next(r);
	EQ(c.user_data, 1);
	return c.res;
}

static int nop(struct ring *r)
{
	sqe(r, IORING_OP_NOP, -1, 1);
	return run(r);
}

static int sock(struct ring *r, int family, int type)
{
	struct io_uring_sqe *s = sqe(r, IORING_OP_SOCKET, family, 1);
	int fd;

	s->off = (unsigned)type;
	fd = run(r);
	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : fd;
}

static int opens(struct ring *r, const char *name, int flags)
{
	struct io_uring_sqe *s = sqe(r, IORING_OP_OPENAT, AT_FDCWD, 1);
	int fd;

	s->addr = (uintptr_t)name;
	s->open_flags = (unsigned)flags;
	s->len = 0600;
	fd = run(r);
	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : fd;
}

/* An old kernel has no filters. */
static struct ring ring_with_filters(void)
{
	struct ring r = ring(8);

	if (add(r.fd, IORING_OP_NOP, yes, 1, 0) < 0 && errno == EINVAL)
		SKIP("no filters");
	return r;
}

TEST(what_is_refused)
{
	struct ring r = ring_with_filters();
	struct sock_filter half[] = { BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), yes[0] },
			   odd[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), yes[0] },
			   far[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 40), yes[0] },
			   mod[] = { BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), yes[0] },
			   last[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 36), yes[0] };
	struct filter b = filter(IORING_OP_NOP, yes, 1, 0);

	ERR(reg(r.fd, IORING_REGISTER_BPF_FILTER, (void *)8, 1), EFAULT);
	ERR(reg(r.fd, IORING_REGISTER_BPF_FILTER, &b, 2), EINVAL);
	for (int i = 0; i < 7; i++) {
		b = filter(IORING_OP_NOP, yes, 1, 0);
		*(i == 0 ? &b.cmd_type : i == 1 ? &b.cmd_flags : (uint16_t *)&b.resv) += 7;
		if (i == 3)
			b = filter(60000, yes, 1, 0);
		if (i == 4)
			b = filter(IORING_OP_NOP, yes, 1, 1u << 9);
		if (i == 5)
			b = filter(IORING_OP_NOP, yes, 0, 0);
		if (i == 6)
			b = filter(IORING_OP_NOP, yes, 4097, 0);
		ERR(reg(r.fd, IORING_REGISTER_BPF_FILTER, &b, 1), EINVAL);
	}
	ERR(add(r.fd, IORING_OP_NOP, (void *)8, 1, 0), EFAULT);
	ERR(add(r.fd, IORING_OP_NOP, half, 2, 0), EINVAL);
	ERR(add(r.fd, IORING_OP_NOP, odd, 2, 0), EINVAL);
	ERR(add(r.fd, IORING_OP_NOP, far, 2, 0), EINVAL);
	ERR(add(r.fd, IORING_OP_NOP, mod, 2, 0), EINVAL);
	OK(add(r.fd, IORING_OP_NOP, last, 2, 0));
	EQ(nop(&r), 0);
	end(&r);
}

TEST(sizes_of_payloads)
{
	struct ring r = ring_with_filters();
	struct filter b = filter(IORING_OP_SOCKET, yes, 1, SZ_STRICT);

	ERR(reg(r.fd, IORING_REGISTER_BPF_FILTER, &b, 1), EMSGSIZE);
	EQ(b.pdu_size, 12);
	OK(reg(r.fd, IORING_REGISTER_BPF_FILTER, &b, 1));
	b = filter(IORING_OP_OPENAT2, yes, 1, 0);
	b.pdu_size = 25;
	ERR(reg(r.fd, IORING_REGISTER_BPF_FILTER, &b, 1), EMSGSIZE);
	EQ(b.pdu_size, 24);
	b.pdu_size = 8;
	OK(reg(r.fd, IORING_REGISTER_BPF_FILTER, &b, 1));
	EQ(b.pdu_size, 24);
	b = filter(IORING_OP_NOP, yes, 1, SZ_STRICT);
	OK(reg(r.fd, IORING_REGISTER_BPF_FILTER, &b, 1));
	EQ(b.pdu_size, 0);
	end(&r);
}

TEST(a_ring_that_denies)
{
	struct ring r = ring_with_filters(), other = ring(8);

	OK(add(r.fd, IORING_OP_NOP, no, 1, 0));
	EQ(nop(&r), -EACCES);
	EQ(nop(&other), 0);
	/* What is on top does not loosen it. */
	OK(add(r.fd, IORING_OP_NOP, yes, 1, 0));
	EQ(nop(&r), -EACCES);
	EQ(sock(&r, AF_INET, SOCK_STREAM), 0);
	end(&other);
	end(&r);
}

TEST(payloads)
{
	struct sock_filter inet[] = ONLY(16, AF_INET), stream[] = ONLY(20, SOCK_STREAM),
			   tcp[] = ONLY(24, 0), rdonly[] = ONLY(16, O_CREAT | O_LARGEFILE),
			   data[] = ONLY(0, 1);
	struct ring r = ring_with_filters();

	OK(add(r.fd, IORING_OP_SOCKET, inet, 4, 0));
	EQ(sock(&r, AF_UNIX, SOCK_STREAM), -EACCES);
	EQ(sock(&r, AF_INET, SOCK_DGRAM), 0);
	OK(add(r.fd, IORING_OP_SOCKET, stream, 4, 0));
	EQ(sock(&r, AF_INET, SOCK_DGRAM), -EACCES);
	EQ(sock(&r, AF_INET, SOCK_STREAM | SOCK_CLOEXEC), 0);
	OK(add(r.fd, IORING_OP_SOCKET, tcp, 4, 0));
	EQ(sock(&r, AF_INET, SOCK_STREAM), 0);
	OK(add(r.fd, IORING_OP_NOP, data, 4, 0));
	EQ(nop(&r), 0);
	(void)rdonly;
	end(&r);
}

TEST(opens_without_creating)
{
	/* The low half of the flags, on whatever byte order, has no O_CREAT. */
	unsigned int low = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 16 : 20;
	struct sock_filter f[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
				   BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT, 1, 0),
				   BPF_STMT(BPF_RET | BPF_K, 1), BPF_STMT(BPF_RET | BPF_K, 0) };
	struct ring r = ring_with_filters();

	OK(add(r.fd, IORING_OP_OPENAT, f, 4, 0));
	EQ(opens(&r, "/proc/version", O_RDONLY), 0);
	EQ(opens(&r, "/tmp/uring-filter", O_RDWR | O_CREAT), -EACCES);
	EQ(access("/tmp/uring-filter", F_OK), -1);
	end(&r);
}

TEST(connects_to_one_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(9),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint32_t word;
	struct ring r = ring_with_filters();
	struct io_uring_sqe *s;
	int c = OK(socket(AF_INET, SOCK_STREAM, 0));

	memcpy(&word, (uint16_t[]){ htons(9), 0 }, 4);
	{
		struct sock_filter port[] = ONLY(20, word), v4[] = ONLY(24, a.sin_addr.s_addr);
		struct filter b = filter(IORING_OP_CONNECT, port, 4, SZ_STRICT);

		b.pdu_size = 24;
		if (reg(r.fd, IORING_REGISTER_BPF_FILTER, &b, 1) < 0)
			SKIP("connect has no payload");
		OK(add(r.fd, IORING_OP_CONNECT, v4, 4, 0));
	}
	for (int i = 0; i < 2; i++) {
		a.sin_port = htons((uint16_t)(9 + i));
		s = sqe(&r, IORING_OP_CONNECT, c, 1);
		s->addr = (uintptr_t)&a;
		s->addr2 = sizeof(a);
		EQ(run(&r), i ? -EACCES : -ECONNREFUSED);
	}
	close(c);
	end(&r);
}

TEST(the_rest_is_denied)
{
	struct ring r = ring_with_filters();

	OK(add(r.fd, IORING_OP_SOCKET, yes, 1, DENY_REST));
	EQ(sock(&r, AF_INET, SOCK_STREAM), 0);
	EQ(nop(&r), 0);		/* it had one */
	EQ(opens(&r, "/proc/version", O_RDONLY), -EACCES);
	OK(add(r.fd, IORING_OP_OPENAT, yes, 1, 0));
	EQ(opens(&r, "/proc/version", O_RDONLY), -EACCES);
	end(&r);
}

TEST(a_chain_with_one_that_is_denied)
{
	struct ring r = ring_with_filters();

	OK(add(r.fd, IORING_OP_POLL_REMOVE, no, 1, 0));
	sqe(&r, IORING_OP_NOP, -1, 1)->flags = IOSQE_IO_HARDLINK;
	sqe(&r, IORING_OP_POLL_REMOVE, -1, 2)->flags = IOSQE_IO_HARDLINK;
	sqe(&r, IORING_OP_NOP, -1, 3);
	sqe(&r, IORING_OP_NOP, -1, 4);
	/* The chain is read to its end. */
	EQ(enter(&r, 4, 3, IORING_ENTER_GETEVENTS), 4);
	are(&r, 1, 4, (int[]){ -ECANCELED, -EACCES, -ECANCELED, 0 });
	sqe(&r, IORING_OP_NOP, -1, 1)->flags = IOSQE_IO_HARDLINK;
	sqe(&r, IORING_OP_POLL_REMOVE, -1, 2);
	sqe(&r, IORING_OP_NOP, -1, 3);
	/* At its end nothing more is read. */
	EQ(enter(&r, 3, 2, IORING_ENTER_GETEVENTS), 2);
	are(&r, 1, 2, (int[]){ -ECANCELED, -EACCES });
	EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	is(&r, 3, 0);
	end(&r);
}

static void in_child(void (*fn)(void))
{
	pid_t pid = OK(fork());

	if (!pid) {
		fn();
		_exit(0);
	}
	CHECK(t_child_ok(pid));
}

static void child_denies(void)
{
	struct ring r = ring(8);

	EQ(nop(&r), -EACCES);
	EQ(sock(&r, AF_INET, SOCK_STREAM), 0);
	OK(add(-1, IORING_OP_NOP, yes, 1, 0));
	OK(add(-1, IORING_OP_SOCKET, no, 1, 0));
	end(&r);
	r = ring(8);
	EQ(nop(&r), -EACCES);
	EQ(sock(&r, AF_INET, SOCK_STREAM), -EACCES);
	/* A ring's own on top of those. */
	OK(add(r.fd, IORING_OP_OPENAT, no, 1, 0));
	EQ(opens(&r, "/proc/version", O_RDONLY), -EACCES);
	end(&r);
}

TEST(a_task_that_denies)
{
	struct ring before = ring_with_filters(), r;

	OK(add(-1, IORING_OP_NOP, no, 1, 0));
	EQ(nop(&before), 0);
	r = ring(8);
	EQ(nop(&r), -EACCES);
	in_child(child_denies);
	/* The child's are its own. */
	end(&r);
	r = ring(8);
	EQ(sock(&r, AF_INET, SOCK_STREAM), 0);
	end(&r);
	end(&before);
}

TEST(who_may)
{
	struct ring r = ring_with_filters();
	struct filter b = filter(IORING_OP_NOP, yes, 1, 0);

	OK(setgid(1000));
	OK(setuid(1000));
	ERR(reg(-1, IORING_REGISTER_BPF_FILTER, &b, 2), EACCES);
	ERR(add(-1, IORING_OP_NOP, yes, 1, 0), EACCES);
	OK(add(r.fd, IORING_OP_NOP, yes, 1, 0));
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	ERR(reg(-1, IORING_REGISTER_BPF_FILTER, &b, 2), EINVAL);
	OK(add(-1, IORING_OP_NOP, yes, 1, 0));
	ERR(reg(-1, IORING_REGISTER_PROBE, NULL, 0), EINVAL);
	end(&r);
}

/* ---- restrictions ---- */

TEST(a_restricted_ring)
{
	struct io_uring_restriction x[] = {
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_NOP },
		{ .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED, .sqe_flags = IOSQE_IO_LINK },
		{ .opcode = IORING_RESTRICTION_REGISTER_OP,
		  .register_op = IORING_REGISTER_ENABLE_RINGS },
	};
	struct ring r = ring_of(8, (struct io_uring_params){ .flags = IORING_SETUP_R_DISABLED }),
		    on = ring(8);
	int ev = -1;

	ERR(reg(on.fd, IORING_REGISTER_RESTRICTIONS, x, 3), EBADFD);
	ERR(submit(&r, 0), EBADFD);
	x[0].sqe_op = 250;
	ERR(reg(r.fd, IORING_REGISTER_RESTRICTIONS, x, 3), EINVAL);
	x[0].sqe_op = IORING_OP_NOP;
	OK(reg(r.fd, IORING_REGISTER_RESTRICTIONS, x, 3));
	ERR(reg(r.fd, IORING_REGISTER_RESTRICTIONS, x, 3), EBUSY);
	OK(reg(r.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
	EQ(nop(&r), 0);
	sqe(&r, IORING_OP_POLL_REMOVE, -1, 1);
	EQ(run(&r), -EACCES);
	sqe(&r, IORING_OP_NOP, -1, 1)->flags = IOSQE_IO_DRAIN;
	EQ(run(&r), -EACCES);
	ERR(reg(r.fd, IORING_REGISTER_EVENTFD, &ev, 1), EACCES);
	end(&on);
	end(&r);
}

TEST(a_restricted_task)
{
	struct {
		uint16_t flags, nr;
		uint32_t resv[3];
		struct io_uring_restriction r[1];
	} x = { .nr = 1,
		.r = { { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_NOP } } };
	struct ring r = ring_with_filters(), s;

	x.flags = 1;
	ERR(reg(-1, IORING_REGISTER_RESTRICTIONS, &x, 1), EINVAL);
	x.flags = 0;
	ERR(reg(-1, IORING_REGISTER_RESTRICTIONS, &x, 2), EINVAL);
	ERR(reg(-1, IORING_REGISTER_RESTRICTIONS, (void *)8, 1), EFAULT);
	OK(reg(-1, IORING_REGISTER_RESTRICTIONS, &x, 1));
	ERR(reg(-1, IORING_REGISTER_RESTRICTIONS, &x, 1), EPERM);
	s = ring(8);
	EQ(nop(&s), 0);
	EQ(opens(&s, "/proc/version", O_RDONLY), -EACCES);
	EQ(opens(&r, "/proc/version", O_RDONLY), 0);
	end(&s);
	end(&r);
}
