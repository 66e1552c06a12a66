/* SPDX-License-Identifier: MIT */
/*
 * TCP over the loopback device (tcp(7)). proves: socket connect accept4 listen shutdown sendto
 * recvfrom getsockopt setsockopt
 */
#include "tcp.h"

TEST(client_and_server)
{
	struct sockaddr_in a, b;
	socklen_t len = sizeof(a);
	int l = listener(5), c = client(port_of(l)), s;
	char text[16];

	s = OK(accept4(l, (struct sockaddr *)&a, &len, SOCK_CLOEXEC));
	EQ(fcntl(s, F_GETFD), FD_CLOEXEC);
	EQ(len, sizeof(a));
	EQ(ntohs(a.sin_port), port_of(c));
	len = sizeof(b);
	OK(getpeername(c, (struct sockaddr *)&b, &len));
	EQ(ntohs(b.sin_port), port_of(l));
	EQ(port_of(s), port_of(l));
	EQ(b.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	EQ(write(c, "hello", 5), 5);
	EQ(read(s, text, sizeof(text)), 5);
	CHECK(!memcmp(text, "hello", 5));
	EQ(send(s, "back", 4, 0), 4);
	EQ(recv(c, text, 2, 0), 2);
	EQ(recv(c, text, sizeof(text), 0), 2);
	OK(shutdown(c, SHUT_WR));
	EQ(read(s, text, sizeof(text)), 0);
	EQ(write(s, "still", 5), 5);
	OK(close(s));
	EQ(recv(c, text, 5, MSG_WAITALL), 5);
	EQ(read(c, text, sizeof(text)), 0);
	signal(SIGPIPE, SIG_IGN);
	ERR(write(c, "x", 1), EPIPE);
}

TEST(refused)
{
	int l = listener(1), port = port_of(l), c = OK(socket(AF_INET, SOCK_STREAM, 0));
	struct sockaddr_in a = lo(port);

	OK(close(l));
	ERR(connect(c, (struct sockaddr *)&a, sizeof(a)), ECONNREFUSED);
	EQ(option(c, SOL_SOCKET, SO_ERROR), 0);
	l = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(bind(l, (struct sockaddr *)&a, sizeof(a)));
	OK(listen(l, 1));
	OK(connect(c, (struct sockaddr *)&a, sizeof(a)));
	ERR(connect(c, (struct sockaddr *)&a, sizeof(a)), EISCONN);
}

TEST(errors)
{
	struct sockaddr_in a = lo(1), any = { .sin_family = AF_INET };
	struct sockaddr_in elsewhere = a;
	int s = OK(socket(AF_INET, SOCK_STREAM, 0)), v = 1;
	socklen_t len = sizeof(a);
	char c;

	ERR(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
	ERR(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
	ERR(getpeername(s, (struct sockaddr *)&a, &len), ENOTCONN);
	ERR(recv(s, &c, 1, 0), ENOTCONN);
	ERR(send(s, "x", 1, MSG_NOSIGNAL), EPIPE);
	ERR(shutdown(s, SHUT_RDWR), ENOTCONN);
	ERR(accept(s, NULL, NULL), EINVAL);
	ERR(connect(s, (struct sockaddr *)&a, 4), EINVAL);
	elsewhere.sin_addr.s_addr = inet_addr("192.0.2.77");
	ERR(bind(s, (struct sockaddr *)&elsewhere, sizeof(elsewhere)), EADDRNOTAVAIL);
	OK(bind(s, (struct sockaddr *)&any, sizeof(any)));
	CHECK(port_of(s));
	ERR(bind(s, (struct sockaddr *)&any, sizeof(any)), EINVAL);
	OK(listen(s, 1));
	ERR(connect(s, (struct sockaddr *)&a, sizeof(a)), EISCONN);
	ERR(recv(s, &c, 1, 0), ENOTCONN);
	v = socket(AF_INET, SOCK_STREAM, 0);
	a = lo(port_of(s));
	ERR(bind(v, (struct sockaddr *)&a, sizeof(a)), EADDRINUSE);
	a.sin_family = AF_UNIX;
	ERR(connect(v, (struct sockaddr *)&a, sizeof(a)), EAFNOSUPPORT);
	ERR(setsockopt(v, IPPROTO_TCP, TCP_ULP, "tls", 4), ENOENT);
	ERR(setsockopt(v, IPPROTO_TCP, TCP_CONGESTION, "nonesuch", 8), ENOENT);
	ERR(setsockopt(v, IPPROTO_TCP, 9999, &v, sizeof(v)), ENOPROTOOPT);
	ERR(send(v, "x", 1, MSG_OOB | MSG_NOSIGNAL), EPIPE);
}

TEST(does_not_block)
{
	int l = listener(1), c = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), s;
	struct sockaddr_in a = lo(port_of(l));
	char text[8];

	OK(fcntl(l, F_SETFL, O_NONBLOCK));
	ERR(accept(l, NULL, NULL), EAGAIN);
	EQ(revents(l, POLLIN), 0);
	if (connect(c, (struct sockaddr *)&a, sizeof(a)))
		EQ(errno, EINPROGRESS);
	EQ(wait_for(c, POLLOUT), POLLOUT);
	EQ(option(c, SOL_SOCKET, SO_ERROR), 0);
	OK(connect(c, (struct sockaddr *)&a, sizeof(a)) && errno == EISCONN ? 0 : 0);
	EQ(wait_for(l, POLLIN), POLLIN);
	s = OK(accept(l, NULL, NULL));
	ERR(read(c, text, sizeof(text)), EAGAIN);
	EQ(revents(c, POLLIN | POLLOUT), POLLOUT);
	EQ(write(s, "now", 3), 3);
	EQ(wait_for(c, POLLIN), POLLIN);
	EQ(read(c, text, sizeof(text)), 3);
	OK(close(s));
	EQ(wait_for(c, POLLIN | POLLRDHUP), POLLIN | POLLRDHUP);
	OK(shutdown(c, SHUT_WR));
	EQ(revents(c, POLLIN | POLLHUP) & POLLHUP, POLLHUP);
}

/* Both ends send and receive much at once, so that windows close and open. */
static void much(int s, unsigned char first, size_t size)
{
	static unsigned char out[65536], in[65536];
	size_t sent = 0, got = 0;

	OK(fcntl(s, F_SETFL, O_NONBLOCK));
	while (sent < size || got < size) {
		struct pollfd p = { s, (sent < size ? POLLOUT : 0) | (got < size ? POLLIN : 0), 0 };

		EQ(poll(&p, 1, 15000), 1);
		if (p.revents & POLLOUT && sent < size) {
			size_t n = size - sent < sizeof(out) ? size - sent : sizeof(out);
			ssize_t r;

			for (size_t i = 0; i < n; i++)
				out[i] = (unsigned char)(first + (sent + i) * 7 % 251);
			r = write(s, out, n);
			if (r < 0)
				EQ(errno, EAGAIN);
			else
				sent += (size_t)r;
		}
		if (p.revents & POLLIN) {
			ssize_t r = read(s, in, sizeof(in));

			if (r < 0) {
				EQ(errno, EAGAIN);
				continue;
			}
			CHECK(r > 0);
			for (ssize_t i = 0; i < r; i++)
				EQ(in[i], (unsigned char)((unsigned char)(first ^ 0x55) +
							  (got + (size_t)i) * 7 % 251));
			got += (size_t)r;
		}
	}
}

TEST(much_data_both_ways)
{
	int s[2];
	pid_t pid;

	pair(s);
	pid = OK(fork());
	if (!pid) {
		close(s[0]);
		much(s[1], 0x55 ^ 3, 3 << 20);
		_exit(0);
	}
	close(s[1]);
	much(s[0], 3, 3 << 20);
	EQ(t_wait(pid), 0);
}

TEST(small_buffers)
{
	int s[2], size = 1;
	char b[1000];
	size_t got = 0, sent = 0;

	pair(s);
	OK(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	OK(setsockopt(s[1], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	memset(b, 'x', sizeof(b));
	OK(fcntl(s[0], F_SETFL, O_NONBLOCK));
	OK(fcntl(s[1], F_SETFL, O_NONBLOCK));
	while (got < 100000) {
		ssize_t n = write(s[0], b, sizeof(b));

		if (n > 0)
			sent += (size_t)n;
		n = read(s[1], b, sizeof(b));
		if (n > 0)
			got += (size_t)n;
		else
			EQ(poll((struct pollfd[]){ { s[0], POLLOUT, 0 }, { s[1], POLLIN, 0 } }, 2,
				10000) > 0,
			   1);
	}
	CHECK(sent >= got);
}

TEST(peeking_and_waiting_for_all)
{
	int s[2], n;
	char b[16];
	struct iovec v[2] = { { b, 2 }, { b + 2, 3 } };

	pair(s);
	EQ(write(s[0], "abcdef", 6), 6);
	EQ(recv(s[1], b, 3, MSG_PEEK), 3);
	CHECK(!memcmp(b, "abc", 3));
	OK(ioctl(s[1], FIONREAD, &n));
	EQ(n, 6);
	EQ(readv(s[1], v, 2), 5);
	CHECK(!memcmp(b, "abcde", 5));
	EQ(recv(s[1], NULL, 1, MSG_TRUNC), 1);
	ERR(recv(s[1], b, 1, MSG_DONTWAIT), EAGAIN);
	if (!fork()) {
		EQ(write(s[0], "12", 2), 2);
		usleep(10000);
		EQ(write(s[0], "345", 3), 3);
		_exit(0);
	}
	EQ(recv(s[1], b, 5, MSG_WAITALL), 5);
	CHECK(!memcmp(b, "12345", 5));
}

TEST(reset_where_data_was_unread)
{
	int s[2];
	char b[4];

	pair(s);
	EQ(write(s[0], "unread", 6), 6);
	CHECK(wait_for(s[1], POLLIN));
	OK(close(s[1]));
	wait_for(s[0], POLLIN);
	EQ(revents(s[0], POLLIN) & (POLLERR | POLLHUP), POLLERR | POLLHUP);
	ERR(read(s[0], b, 4), ECONNRESET);
	EQ(read(s[0], b, 4), 0);
}

TEST(linger_of_zero_resets)
{
	struct linger l = { 1, 0 };
	int s[2];
	char b[4];

	pair(s);
	OK(setsockopt(s[1], SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	OK(close(s[1]));
	wait_for(s[0], POLLIN);
	ERR(read(s[0], b, 4), ECONNRESET);
}

TEST(options)
{
	int s[2], v = 1;
	struct tcp_info i;
	socklen_t len = sizeof(i);
	char cc[16];

	pair(s);
	OK(setsockopt(s[0], IPPROTO_TCP, TCP_NODELAY, &v, sizeof(v)));
	EQ(option(s[0], IPPROTO_TCP, TCP_NODELAY), 1);
	EQ(option(s[1], IPPROTO_TCP, TCP_NODELAY), 0);
	EQ(option(s[0], SOL_SOCKET, SO_DOMAIN), AF_INET);
	EQ(option(s[0], SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	EQ(option(s[0], SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
	EQ(option(s[0], SOL_SOCKET, SO_ACCEPTCONN), 0);
	v = 30;
	OK(setsockopt(s[0], IPPROTO_TCP, TCP_KEEPIDLE, &v, sizeof(v)));
	EQ(option(s[0], IPPROTO_TCP, TCP_KEEPIDLE), 30);
	EQ(option(s[0], IPPROTO_TCP, TCP_KEEPINTVL), 75);
	EQ(option(s[0], IPPROTO_TCP, TCP_KEEPCNT), 9);
	v = 0;
	ERR(setsockopt(s[0], IPPROTO_TCP, TCP_KEEPIDLE, &v, sizeof(v)), EINVAL);
	OK(setsockopt(s[0], IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
	len = sizeof(cc);
	OK(getsockopt(s[0], IPPROTO_TCP, TCP_CONGESTION, cc, &len));
	CHECK(!strcmp(cc, "reno"));
	len = sizeof(cc);
	OK(getsockopt(s[0], IPPROTO_TCP, TCP_CC_INFO, cc, &len));
	EQ(len, 0);
	EQ(write(s[0], "12345", 5), 5);
	EQ(read(s[1], cc, 5), 5);
	len = sizeof(i);
	OK(getsockopt(s[1], IPPROTO_TCP, TCP_INFO, &i, &len));
	EQ(i.tcpi_state, TCP_ESTABLISHED);
	CHECK(i.tcpi_options & TCPI_OPT_SACK && i.tcpi_options & TCPI_OPT_TIMESTAMPS &&
	      i.tcpi_options & TCPI_OPT_WSCALE);
	CHECK(i.tcpi_snd_mss > 1000 && i.tcpi_snd_cwnd >= 10);
}

TEST(corked)
{
	int s[2], on = 1, n;
	char b[8];

	pair(s);
	OK(setsockopt(s[0], IPPROTO_TCP, TCP_CORK, &on, sizeof(on)));
	EQ(write(s[0], "ab", 2), 2);
	EQ(write(s[0], "cd", 2), 2);
	ERR(recv(s[1], b, 8, MSG_DONTWAIT), EAGAIN);
	OK(ioctl(s[0], TIOCOUTQ, &n));
	EQ(n, 4);
	on = 0;
	OK(setsockopt(s[0], IPPROTO_TCP, TCP_CORK, &on, sizeof(on)));
	CHECK(wait_for(s[1], POLLIN));
	EQ(read(s[1], b, 8), 4);
	do
		OK(ioctl(s[0], TIOCOUTQ, &n));
	while (n);			/* what waits goes with the next acknowledgement */
	EQ(send(s[0], "ef", 2, MSG_MORE), 2);
	EQ(send(s[0], "g", 1, 0), 1);
	CHECK(wait_for(s[1], POLLIN));
	EQ(read(s[1], b, 8), 3);
}

TEST(urgent_byte)
{
	int s[2], on = 1, mark;
	char b[8];

	pair(s);
	EQ(send(s[0], "ab!", 3, MSG_OOB), 3);
	EQ(send(s[0], "cd", 2, 0), 2);
	CHECK(wait_for(s[1], POLLPRI) & POLLPRI);
	EQ(recv(s[1], b, 8, MSG_OOB), 1);
	EQ(b[0], '!');
	EQ(recv(s[1], b, 8, 0), 2);
	OK(ioctl(s[1], SIOCATMARK, &mark));
	EQ(mark, 1);
	CHECK(wait_for(s[1], POLLIN));
	EQ(recv(s[1], b, 2, MSG_WAITALL), 2);
	CHECK(!memcmp(b, "cd", 2));
	OK(setsockopt(s[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)));
	EQ(send(s[0], "x", 1, MSG_OOB), 1);
	CHECK(wait_for(s[1], POLLIN));
	EQ(read(s[1], b, 8), 1);
	EQ(b[0], 'x');
}

TEST(many_connections)
{
	int l = listener(64), port = port_of(l), c[50];
	char b;

	for (int i = 0; i < 50; i++)
		c[i] = client(port);
	for (int i = 0; i < 50; i++) {
		int s = OK(accept(l, NULL, NULL));

		EQ(write(s, "k", 1), 1);
		OK(close(s));
	}
	for (int i = 0; i < 50; i++) {
		EQ(read(c[i], &b, 1), 1);
		EQ(read(c[i], &b, 1), 0);
		OK(close(c[i]));
	}
}

TEST(listener_goes_with_connections_that_wait)
{
	int l = listener(5), c = client(port_of(l));
	char b;

	OK(close(l));
	wait_for(c, POLLIN);
	ERR(read(c, &b, 1), ECONNRESET);
}

TEST(shut_listener)
{
	int l = listener(1), port = port_of(l), c;
	struct sockaddr_in a = lo(port);
	struct timeval t = { 0, 50000 };

	OK(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	ERR(accept(l, NULL, NULL), EAGAIN);
	OK(shutdown(l, SHUT_RDWR));
	ERR(accept(l, NULL, NULL), EINVAL);
	c = OK(socket(AF_INET, SOCK_STREAM, 0));
	ERR(connect(c, (struct sockaddr *)&a, sizeof(a)), ECONNREFUSED);
	OK(listen(l, 1));	/* the port was not asked for: it may be another now */
	a = lo(port_of(l));
	OK(connect(c, (struct sockaddr *)&a, sizeof(a)));
	OK(accept(l, NULL, NULL));
}

TEST(disconnected)
{
	struct sockaddr_in none = { .sin_family = AF_UNSPEC }, a;
	int l = listener(1), c = client(port_of(l));

	OK(connect(c, (struct sockaddr *)&none, sizeof(none)));
	a = lo(port_of(l));
	OK(connect(c, (struct sockaddr *)&a, sizeof(a)));
	EQ(write(c, "x", 1), 1);
}

TEST(with_itself)
{
	struct sockaddr_in a = lo(0);
	int s = OK(socket(AF_INET, SOCK_STREAM, 0));
	char b[2];

	OK(bind(s, (struct sockaddr *)&a, sizeof(a)));
	a = lo(port_of(s));
	OK(connect(s, (struct sockaddr *)&a, sizeof(a)));
	EQ(write(s, "me", 2), 2);
	EQ(read(s, b, 2), 2);
}

TEST(marks_leave_nothing_behind)
{
	int s[2];
	char b[4];

	pair(s);
	for (int i = 0; i < 1000; i++) {
		EQ(send(s[0], "ab", 2, MSG_OOB), 2);
		CHECK(wait_for(s[1], POLLPRI) & POLLPRI);
		EQ(recv(s[1], b, 4, 0), 1);
		EQ(recv(s[1], b, 1, MSG_OOB), 1);
		EQ(b[0], 'b');
	}
	EQ(send(s[0], "c", 1, 0), 1);
	EQ(recv(s[1], b, 4, 0), 1);
	EQ(b[0], 'c');
	ERR(recv(s[1], b, 1, MSG_OOB), EINVAL);
}

TEST(one_listens_at_a_port)
{
	struct sockaddr_in a = lo(0);
	int l[2], on = 1;

	for (int i = 0; i < 2; i++) {
		l[i] = OK(socket(AF_INET, SOCK_STREAM, 0));
		OK(setsockopt(l[i], SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
		OK(bind(l[i], (struct sockaddr *)&a, sizeof(a)));
		a = lo(port_of(l[i]));
	}
	OK(listen(l[0], 1));
	ERR(listen(l[1], 1), EADDRINUSE);
	EQ(option(l[1], SOL_SOCKET, SO_ACCEPTCONN), 0);
	OK(close(l[0]));
	OK(listen(l[1], 1));
	EQ(option(l[1], SOL_SOCKET, SO_ACCEPTCONN), 1);
}

TEST(error_outlives_a_part)
{
	struct linger l = { 1, 0 };
	int s[2];
	char b[8];

	pair(s);
	EQ(write(s[1], "abc", 3), 3);
	OK(setsockopt(s[1], SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	CHECK(wait_for(s[0], POLLIN));
	OK(close(s[1]));
	while (!(revents(s[0], POLLIN) & POLLERR))
		sched_yield();
	EQ(recv(s[0], b, 8, MSG_WAITALL), 3);
	ERR(recv(s[0], b, 8, MSG_WAITALL), ECONNRESET);
	EQ(recv(s[0], b, 8, 0), 0);
}

TEST(more_wanted_than_fits)
{
	int s[2], size = 4096, low = 1 << 20;
	char b[512] = "";

	pair(s);
	OK(setsockopt(s[1], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	OK(setsockopt(s[1], SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low)));
	OK(fcntl(s[0], F_SETFL, O_NONBLOCK));
	while (write(s[0], b, sizeof(b)) > 0)
		;
	EQ(errno, EAGAIN);
	CHECK(wait_for(s[1], POLLIN) & POLLIN);
}

TEST(peeking_further)
{
	int s[2], off = 0;
	char b[8];

	pair(s);
	OK(setsockopt(s[1], SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)));
	EQ(write(s[0], "abcdef", 6), 6);
	CHECK(wait_for(s[1], POLLIN));
	EQ(recv(s[1], b, 2, MSG_PEEK), 2);
	EQ(recv(s[1], b, 2, MSG_PEEK), 2);
	CHECK(!memcmp(b, "cd", 2));
	EQ(recv(s[1], b, 3, 0), 3);
	EQ(recv(s[1], b, 8, MSG_PEEK), 2);
	CHECK(!memcmp(b, "ef", 2));
}

TEST(unread_is_counted_without_the_end)
{
	int s[2], n;

	pair(s);
	EQ(write(s[0], "abc", 3), 3);
	OK(close(s[0]));
	CHECK(wait_for(s[1], POLLRDHUP) & POLLRDHUP);
	OK(ioctl(s[1], FIONREAD, &n));
	EQ(n, 3);
}

static int connect_to(int s, unsigned int address, int port)
{
	struct sockaddr_in a = lo(port);

	a.sin_addr.s_addr = htonl(address);
	return connect(s, (struct sockaddr *)&a, sizeof(a));
}

static unsigned int address_of(int s)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	OK(getsockname(s, (struct sockaddr *)&a, &len));
	return ntohl(a.sin_addr.s_addr);
}

static int bound_to(unsigned int address)
{
	struct sockaddr_in a = lo(0);
	int s = OK(socket(AF_INET, SOCK_STREAM, 0));

	a.sin_addr.s_addr = htonl(address);
	OK(bind(s, (struct sockaddr *)&a, sizeof(a)));
	return s;
}

#define NOWHERE 0x0a010101u

/* Of what a connect that fails chose, the address goes; what bind(2) gave stays. */
TEST(failed_connect)
{
	int s, l, port;

	own_net();
	s = OK(socket(AF_INET, SOCK_STREAM, 0));
	ERR(connect_to(s, NOWHERE, 9), ENETUNREACH);
	EQ(address_of(s), INADDR_ANY);
	EQ(port_of(s), 0);
	ERR(connect_to(s, INADDR_LOOPBACK, 9), ECONNREFUSED);
	EQ(address_of(s), INADDR_ANY);
	ERR(connect_to(s, INADDR_LOOPBACK, 0), ECONNREFUSED);
	s = bound_to(INADDR_LOOPBACK + 6);
	port = port_of(s);
	ERR(connect_to(s, NOWHERE, 9), ENETUNREACH);
	EQ(address_of(s), INADDR_LOOPBACK + 6);
	EQ(port_of(s), port);
	l = listener(1);
	OK(connect_to(s, INADDR_LOOPBACK, port_of(l)));
	EQ(address_of(s), INADDR_LOOPBACK + 6);
}

/* How a connect ended that nobody waited for is told by the next one, once. */
TEST(connect_tells_once)
{
	int l = listener(1), s = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));

	ERR(connect_to(s, INADDR_LOOPBACK, 9), EINPROGRESS);
	wait_for(s, POLLOUT);
	EQ(address_of(s), INADDR_LOOPBACK);
	ERR(connect_to(s, INADDR_LOOPBACK, port_of(l)), ECONNREFUSED);
	EQ(address_of(s), INADDR_ANY);
	ERR(connect_to(s, INADDR_LOOPBACK, 9), EINPROGRESS);
	wait_for(s, POLLOUT);
	EQ(option(s, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	ERR(connect_to(s, INADDR_LOOPBACK, port_of(l)), ECONNABORTED);
	ERR(connect_to(s, INADDR_LOOPBACK, port_of(l)), EINPROGRESS);
	wait_for(s, POLLOUT);
	OK(connect_to(s, INADDR_LOOPBACK, port_of(l)));
	ERR(connect_to(s, INADDR_LOOPBACK, port_of(l)), EISCONN);
}
