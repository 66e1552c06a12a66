// SPDX-License-Identifier: MIT
/*
 * io_uring(7): sockets.
 * proves: io_uring_enter
 */
#include "uring.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

static int run(struct ring *r)
{
	struct cqe c;

	EQ(enter(r, 1, 1, IORING_ENTER_GETEVENTS), 1);
	EQ(there(r), 1);
	c = next(r);
	EQ(c.user_data, 1);
	return c.res;
}

static struct io_uring_sqe *move(struct ring *r, int op, int fd, const void *b, unsigned int n,
				 unsigned int flags, unsigned long long data)
{
	struct io_uring_sqe *s = rw(r, op, fd, b, n, 0, data);

	s->msg_flags = flags;
	return s;
}

static struct io_uring_sqe *with_addr(struct ring *r, int op, int fd, const void *a,
				      unsigned int len, unsigned long long data)
{
	struct io_uring_sqe *s = sqe(r, op, fd, data);

	s->addr = (uintptr_t)a;
	s->addr2 = len;
	return s;
}

static void in_pieces(struct ring *r, int to, int from)
{
	char b[8];

	/* All of it, which comes in pieces. */
	move(r, IORING_OP_RECV, to, b, 8, MSG_WAITALL, 6);
	EQ(submit(r, 1), 1);
	EQ(write(from, "1234", 4), 4);
	wait_for(r, 0);
	EQ(write(from, "5678", 4), 4);
	wait_for(r, 1);
	is(r, 6, 8);
	CHECK(!memcmp(b, "12345678", 8));
	move(r, IORING_OP_RECV, to, b, 8, MSG_DONTWAIT, 1);
	EQ(run(r), -EAGAIN);
}

TEST(a_conversation)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
			   peer = { 0 };
	socklen_t len = sizeof(a), peer_len = sizeof(peer);
	struct ring r = ring(8);
	struct io_uring_sqe *s;
	int l, c, srv;
	char b[16] = "";

	s = sqe(&r, IORING_OP_SOCKET, AF_INET, 1);
	s->off = SOCK_STREAM;
	l = run(&r);
	CHECK(l > 2);
	with_addr(&r, IORING_OP_BIND, l, &a, sizeof(a), 1);
	EQ(run(&r), 0);
	sqe(&r, IORING_OP_LISTEN, l, 1)->len = 4;
	EQ(run(&r), 0);
	OK(getsockname(l, (struct sockaddr *)&a, &len));
	c = OK(socket(AF_INET, SOCK_STREAM, 0));
	/* Nothing is to wait for a minute when it is closed. */
	OK(setsockopt(c, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger)));
	s = sqe(&r, IORING_OP_ACCEPT, l, 2);
	s->addr = (uintptr_t)&peer;
	s->addr2 = (uintptr_t)&peer_len;
	s->accept_flags = SOCK_CLOEXEC;
	with_addr(&r, IORING_OP_CONNECT, c, &a, sizeof(a), 3);
	EQ(submit(&r, 2), 2);
	while (there(&r) < 2)
		wait_for(&r, 2);
	srv = 0;
	for (int i = 0; i < 2; i++) {
		struct cqe q = next(&r);

		if (q.user_data == 2)
			srv = q.res;
		else
			EQ(q.res, 0);
	}
	CHECK(srv > 2);
	EQ(fcntl(srv, F_GETFD), FD_CLOEXEC);
	EQ(peer.sin_family, AF_INET);
	move(&r, IORING_OP_RECV, srv, b, 16, 0, 4);
	move(&r, IORING_OP_SEND, c, "hello", 5, 0, 5);
	EQ(submit(&r, 2), 2);
	while (there(&r) < 2)
		wait_for(&r, 2);
	for (int i = 0; i < 2; i++)
		EQ(next(&r).res, 5);
	CHECK(!memcmp(b, "hello", 5));
	in_pieces(&r, srv, c);
	sqe(&r, IORING_OP_SHUTDOWN, c, 1)->len = SHUT_WR;
	EQ(run(&r), 0);
	move(&r, IORING_OP_RECV, srv, b, 8, 0, 1);
	EQ(run(&r), 0);
	close(c);
	close(srv);
	close(l);
	end(&r);
}

TEST(messages)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
			   from = { 0 };
	int u = OK(socket(AF_INET, SOCK_DGRAM, 0)), v = OK(socket(AF_INET, SOCK_DGRAM, 0));
	char b[16] = "";
	struct iovec out[2] = { { (void *)"ab", 2 }, { (void *)"cde", 3 } }, in = { b, 16 };
	struct msghdr send = { .msg_name = &a,
			       .msg_namelen = sizeof(a),
			       .msg_iov = out,
			       .msg_iovlen = 2 },
		      recv = { .msg_name = &from,
			       .msg_namelen = sizeof(from),
			       .msg_iov = &in,
			       .msg_iovlen = 1 };
	socklen_t len = sizeof(a);
	struct ring r = ring(8);
	struct io_uring_sqe *s;

	OK(bind(u, (struct sockaddr *)&a, sizeof(a)));
	OK(getsockname(u, (struct sockaddr *)&a, &len));
	move(&r, IORING_OP_RECVMSG, u, &recv, 1, 0, 2);
	EQ(submit(&r, 1), 1);
	move(&r, IORING_OP_SENDMSG, v, &send, 1, 0, 3);
	EQ(submit(&r, 1), 1);
	while (there(&r) < 2)
		wait_for(&r, 2);
	for (int i = 0; i < 2; i++)
		EQ(next(&r).res, 5);
	CHECK(!memcmp(b, "abcde", 5));
	EQ(from.sin_family, AF_INET);
	EQ(recv.msg_namelen, sizeof(from));
	s = move(&r, IORING_OP_SEND, v, "xyz", 3, 0, 1);
	s->addr2 = (uintptr_t)&a;
	s->addr_len = sizeof(a);
	EQ(run(&r), 3);
	move(&r, IORING_OP_RECV, u, b, 16, 0, 1);
	EQ(run(&r), 3);
	move(&r, IORING_OP_SENDMSG, v, (void *)8, 1, 0, 1);
	EQ(run(&r), -EFAULT);
	move(&r, IORING_OP_RECV, r.fd, b, 16, 0, 1);
	EQ(run(&r), -ENOTSOCK);
	close(u);
	close(v);
	end(&r);
}

TEST(a_connect_that_is_refused)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(1) };
	int c = OK(socket(AF_INET, SOCK_STREAM, 0));
	struct ring r = ring(8);

	with_addr(&r, IORING_OP_CONNECT, c, &a, sizeof(a), 1);
	EQ(run(&r), -ECONNREFUSED);
	with_addr(&r, IORING_OP_CONNECT, c, (void *)8, sizeof(a), 1);
	EQ(run(&r), -EFAULT);
	with_addr(&r, IORING_OP_CONNECT, c, &a, 1000, 1);
	EQ(run(&r), -EINVAL);
	close(c);
	end(&r);
}

TEST(rings_are_not_passed_on)
{
	struct ring r = ring(8);
	int p[2], fd = r.fd;
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec v = { (void *)"x", 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	ERR(sendmsg(p[0], &m, 0), EINVAL);
	close(p[0]);
	close(p[1]);
	end(&r);
}

/* What came before a request was stopped is its result. */
TEST(a_part_and_the_rest)
{
	char b[16] = "";
	struct iovec in = { b, 2 };
	struct msghdr m = { .msg_iov = &in, .msg_iovlen = 1 };
	struct ring r = ring(8);
	struct cqe c;
	int s[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	move(&r, IORING_OP_RECV, s[1], b, 10, MSG_WAITALL, 2);
	EQ(submit(&r, 1), 1);
	EQ(write(s[0], "123", 3), 3);
	wait_for(&r, 0);
	EQ(there(&r), 0);
	sqe(&r, IORING_OP_ASYNC_CANCEL, -1, 3)->addr = 2;
	EQ(enter(&r, 1, 2, IORING_ENTER_GETEVENTS), 1);
	are(&r, 2, 2, (int[]){ 3, 0 });
	CHECK(!memcmp(b, "123", 4));
	/* Bytes are left for the next one. */
	EQ(write(s[0], "12345", 5), 5);
	for (unsigned int i = 0; i < 3; i++) {
		if (i == 1)
			move(&r, IORING_OP_RECVMSG, s[1], &m, 1, 0, 4);
		else
			move(&r, IORING_OP_RECV, s[1], b, 2, 0, 4);
		EQ(submit(&r, 1), 1);
		c = next(&r);
		EQ(c.res, i < 2 ? 2 : 1);
		EQ(c.flags, i < 2 ? IORING_CQE_F_SOCK_NONEMPTY : 0);
	}
	close(s[0]);
	close(s[1]);
	end(&r);
}

/* The same where it is not to wait, and where it has waited for many parts. */
TEST(a_part_is_never_lost)
{
	static char big[1 << 20];
	char b[48] = "";
	struct ring r = ring(8);
	int s[2], n;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	EQ(write(s[0], "123", 3), 3);
	move(&r, IORING_OP_RECV, s[1], b, 10, MSG_WAITALL | MSG_DONTWAIT, 1);
	EQ(run(&r), 3);
	CHECK(!memcmp(b, "123", 4));
	move(&r, IORING_OP_RECV, s[1], b, 10, MSG_WAITALL | MSG_DONTWAIT, 1);
	EQ(run(&r), -EAGAIN);
	move(&r, IORING_OP_SEND, s[0], big, sizeof(big), MSG_WAITALL | MSG_DONTWAIT, 1);
	n = run(&r);
	CHECK(n > 0 && n < (int)sizeof(big));
	for (int got; n; n -= got)
		got = OK(read(s[1], big, (size_t)n));
	/* So many times that a worker waits for what is left. */
	move(&r, IORING_OP_RECV, s[1], b, sizeof(b), MSG_WAITALL, 2);
	EQ(submit(&r, 1), 1);
	for (unsigned int i = 0; i < 40; i++) {
		EQ(write(s[0], &"abcdefgh"[i % 8], 1), 1);
		wait_for(&r, 0);
	}
	EQ(there(&r), 0);
	close(s[0]);
	wait_for(&r, 1);
	is(&r, 2, 40);
	CHECK(!memcmp(b + 32, "abcdefgh", 9));
	close(s[1]);
	end(&r);
}

/* A message that is sent in parts gives its descriptors once. */
TEST(descriptors_in_parts)
{
	static char big[1 << 20], in[1 << 20];
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(sizeof(int))];
	} c = { .h = { .cmsg_len = CMSG_LEN(sizeof(int)),
		       .cmsg_level = SOL_SOCKET,
		       .cmsg_type = SCM_RIGHTS } };
	struct iovec v = { big, sizeof(big) };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c.b)
	};
	struct ring r = ring(8);
	size_t got = 0;
	int s[2], fds = 0, fd = STDIN_FILENO;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	memcpy(CMSG_DATA(&c.h), &fd, sizeof(fd));
	move(&r, IORING_OP_SENDMSG, s[0], &m, 1, MSG_WAITALL, 2);
	EQ(submit(&r, 1), 1);
	EQ(there(&r), 0);
	while (got < sizeof(big)) {
		char control[128];
		struct iovec w = { in, sizeof(in) };
		struct msghdr n = { .msg_iov = &w,
				    .msg_iovlen = 1,
				    .msg_control = control,
				    .msg_controllen = sizeof(control) };

		got += (size_t)OK(recvmsg(s[1], &n, 0));
		fds += n.msg_controllen != 0;
		wait_for(&r, 0);
	}
	is(&r, 2, sizeof(big));
	EQ(fds, 1);
	close(s[0]);
	close(s[1]);
	end(&r);
}
