/* SPDX-License-Identifier: MIT */
/*
 * Listeners that end, connections that end before accept(2), and sockets whose peer is taken away.
 * proves: accept shutdown connect
 */
#include "tcp.h"

/* A client that connects to PORT, says TEXT and resets. */
static void resets(int port, const char *text)
{
	struct linger now = { .l_onoff = 1 };
	int c = client(port);

	OK(setsockopt(c, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	EQ(send(c, text, strlen(text), 0), strlen(text));
	OK(close(c));
}

/* The next connection of L, whose peer is no more, but known. */
static int accepts_known(int l)
{
	struct sockaddr_in a = { .sin_family = AF_UNSPEC }, b;
	socklen_t len = sizeof(a);
	int s = OK(accept(l, (struct sockaddr *)&a, &len));

	EQ(len, sizeof(a));
	EQ(a.sin_family, AF_INET);
	EQ(a.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	CHECK(a.sin_port);
	ERR(getpeername(s, (struct sockaddr *)&b, &len), ENOTCONN);
	len = sizeof(b);
	OK(getsockopt(s, SOL_SOCKET, SO_PEERNAME, &b, &len));
	EQ(memcmp(&a, &b, sizeof(a)), 0);
	return s;
}

TEST(reset_before_accept)
{
	int l = listener(5), s;
	char b[4];

	resets(port_of(l), "");
	resets(port_of(l), "abc");
	s = accepts_known(l);
	EQ(revents(s, POLLIN | POLLOUT | POLLRDHUP),
	   POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
	EQ(option(s, SOL_SOCKET, SO_ERROR), ECONNRESET);
	EQ(recv(s, b, sizeof(b), 0), 0);
	OK(close(s));
	s = accepts_known(l);
	EQ(recv(s, b, sizeof(b), 0), 3);
	ERR(recv(s, b, sizeof(b), 0), ECONNRESET);
	EQ(recv(s, b, sizeof(b), 0), 0);
	ERR(send(s, b, 1, MSG_NOSIGNAL), EPIPE);
	OK(close(s));
	OK(fcntl(l, F_SETFL, O_NONBLOCK));
	ERR(accept(l, NULL, NULL), EAGAIN);
}

TEST(reset_before_accept_of_ipv6)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct linger now = { .l_onoff = 1 };
	socklen_t len = sizeof(a);
	int l, c, s;

	own_net();
	l = OK(socket(AF_INET6, SOCK_STREAM, 0));
	c = OK(socket(AF_INET6, SOCK_STREAM, 0));
	OK(bind(l, (struct sockaddr *)&a, sizeof(a)));
	OK(listen(l, 1));
	OK(getsockname(l, (struct sockaddr *)&a, &len));
	OK(connect(c, (struct sockaddr *)&a, sizeof(a)));
	OK(setsockopt(c, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	OK(close(c));
	memset(&a, 0, sizeof(a));
	s = OK(accept(l, (struct sockaddr *)&a, &len));
	EQ(len, sizeof(a));
	EQ(a.sin6_family, AF_INET6);
	CHECK(IN6_IS_ADDR_LOOPBACK(&a.sin6_addr));
	ERR(getpeername(s, (struct sockaddr *)&a, &len), ENOTCONN);
}

/* All events that a waiter of both directions would see. */
static int all_of(int s)
{
	return revents(s, POLLIN | POLLOUT | POLLRDHUP | POLLPRI);
}

TEST(shutdown_of_a_listener)
{
	const int port = 4001;
	struct sockaddr_in a = lo(port);
	int l = OK(socket(AF_INET, SOCK_STREAM, 0)), c, s;
	char b;

	OK(bind(l, (struct sockaddr *)&a, sizeof(a)));
	OK(listen(l, 5));
	c = client(port);
	OK(shutdown(l, SHUT_WR));
	EQ(all_of(l), POLLIN);
	OK(shutdown(l, SHUT_RD));
	EQ(all_of(l), POLLOUT | POLLHUP);
	EQ(option(l, SOL_SOCKET, SO_ERROR), 0);
	ERR(recv(c, &b, 1, 0), ECONNRESET);
	ERR(accept(l, NULL, NULL), EINVAL);
	ERR(shutdown(l, SHUT_RD), ENOTCONN);
	EQ(all_of(l), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
	EQ(recv(l, &b, 1, 0), 0);
	ERR(send(l, &b, 1, MSG_NOSIGNAL), EPIPE);
	EQ(port_of(l), port);
	s = OK(socket(AF_INET, SOCK_STREAM, 0));
	ERR(connect(s, (struct sockaddr *)&a, sizeof(a)), ECONNREFUSED);
	OK(listen(l, 1));
	EQ(all_of(l), 0);
	OK(connect(s, (struct sockaddr *)&a, sizeof(a)));
	OK(accept(l, NULL, NULL));
}

/* A nonblocking client of PORT, whose backlog is full. */
static int asks(int port)
{
	struct sockaddr_in a = lo(port);
	int c = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));

	ERR(connect(c, (struct sockaddr *)&a, sizeof(a)), EINPROGRESS);
	return c;
}

/* Each way of shutdown(2) ends an attempt to connect, and the socket may try again. */
TEST(shutdown_of_an_attempt)
{
	int l = listener(0), other = listener(5), c;
	struct sockaddr_in a = lo(port_of(other));

	client(port_of(l));
	for (int how = SHUT_RD; how <= SHUT_RDWR; how++) {
		c = asks(port_of(l));
		OK(shutdown(c, how));
		EQ(all_of(c), POLLOUT | POLLERR | POLLHUP);
		if (how != SHUT_RD) {
			EQ(option(c, SOL_SOCKET, SO_ERROR), ECONNRESET);
			EQ(all_of(c), POLLOUT | POLLHUP);
			ERR(shutdown(c, how), ENOTCONN);
			EQ(all_of(c),
			   POLLOUT | POLLHUP | (how == SHUT_RDWR ? POLLIN | POLLRDHUP : 0));
		}
		OK(fcntl(c, F_SETFL, 0));
		OK(connect(c, (struct sockaddr *)&a, sizeof(a)));
		EQ(option(c, SOL_SOCKET, SO_ERROR), 0);
		OK(close(c));
	}
}

/* connect(2) to AF_UNSPEC: what the program hears of it later. */
static int error_after_dissolving(int s)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	OK(connect(s, &none, sizeof(none)));
	return option(s, SOL_SOCKET, SO_ERROR);
}

TEST(dissolved)
{
	int s[2], l = listener(0);

	pair(s);
	EQ(error_after_dissolving(s[0]), ECONNRESET);
	EQ(all_of(s[0]), POLLOUT | POLLHUP);
	CHECK(port_of(s[0]));
	CHECK(wait_for(s[1], POLLIN) & POLLERR);
	pair(s);
	OK(shutdown(s[0], SHUT_WR));
	EQ(error_after_dissolving(s[0]), ECONNRESET);
	client(port_of(l));
	EQ(error_after_dissolving(asks(port_of(l))), ECONNRESET);
	EQ(error_after_dissolving(l), 0);
	EQ(error_after_dissolving(OK(socket(AF_INET, SOCK_STREAM, 0))), 0);
}
