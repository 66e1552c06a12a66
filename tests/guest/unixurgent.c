// SPDX-License-Identifier: MIT
/* Urgent data of local streams. proves: sendto recvfrom ioctl poll */
#include "t.h"
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>

static int s[2];
static char b[9];

static void pair(void)
{
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
}

static void put(const char *text, int flags)
{
	EQ(send(s[0], text, strlen(text), flags), (long)strlen(text));
}

/* What one read gives. */
static const char *get(int flags)
{
	long n = recv(s[1], b, 8, flags | MSG_DONTWAIT);

	b[n < 0 ? 0 : n] = 0;
	return n >= 0	       ? b :
	       errno == EAGAIN ? "EAGAIN" :
	       errno == EINVAL ? "EINVAL" :
				 "another error";
}

#define GETS(flags, want) CHECK(!strcmp(get(flags), want))

static int at_mark(void)
{
	int n = -1;

	OK(ioctl(s[1], SIOCATMARK, &n));
	return n;
}

static int ready(int what)
{
	struct pollfd p = { s[1], (short)what, 0 };

	OK(poll(&p, 1, 0));
	return p.revents;
}

TEST(read_apart)
{
	pair();
	EQ(ready(POLLPRI), 0);
	put("ab", MSG_OOB);
	EQ(ready(POLLPRI | POLLIN), POLLPRI | POLLIN);
	EQ(at_mark(), 0);
	GETS(0, "a");
	EQ(at_mark(), 1);
	GETS(MSG_OOB | MSG_PEEK, "b");
	GETS(MSG_OOB, "b");
	EQ(ready(POLLPRI), 0);
	EQ(at_mark(), 1);
	GETS(MSG_OOB, "EINVAL");
	GETS(0, "EAGAIN");
	EQ(at_mark(), 0);
}

TEST(left_out_by_a_read)
{
	pair();
	put("ab", MSG_OOB);
	put("cd", 0);
	GETS(0, "a");
	GETS(0, "cd");
	GETS(MSG_OOB, "EINVAL");
}

TEST(inlined)
{
	int on = 1;

	pair();
	OK(setsockopt(s[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)));
	put("ab", MSG_OOB);
	put("cd", 0);
	GETS(MSG_OOB, "EINVAL");
	GETS(0, "a");
	EQ(at_mark(), 1);
	GETS(MSG_PEEK, "bcd");
	EQ(at_mark(), 1);
	GETS(0, "bcd");
	EQ(at_mark(), 0);
}

/* The last one counts, an earlier one is data like any other. */
TEST(two)
{
	pair();
	put("a", MSG_OOB);
	put("b", MSG_OOB);
	put("c", 0);
	GETS(MSG_OOB, "b");
	GETS(0, "a");
	GETS(0, "c");
}

TEST(a_mark_ends_a_read)
{
	pair();
	put("a", 0);
	put("b", MSG_OOB);
	put("c", 0);
	GETS(MSG_OOB, "b");
	GETS(MSG_PEEK, "a");
	GETS(0, "a");
	EQ(at_mark(), 1);
	GETS(0, "c");
}

TEST(peeks)
{
	pair();
	put("ab", MSG_OOB);
	put("cd", 0);
	GETS(MSG_PEEK, "a");
	EQ(recv(s[1], b, 1, 0), 1);
	GETS(MSG_PEEK, "cd");
	GETS(MSG_OOB, "b");
	GETS(0, "cd");
}

static volatile int urgent;

static void on_urgent(int sig)
{
	(void)sig;
	urgent++;
}

TEST(a_signal_to_the_owner)
{
	pair();
	signal(SIGURG, on_urgent);
	OK(fcntl(s[1], F_SETOWN, getpid()));
	put("a", 0);
	EQ(urgent, 0);
	put("b", MSG_OOB);
	EQ(urgent, 1);
}

TEST(errors)
{
	int d[2], one = OK(socket(AF_UNIX, SOCK_STREAM, 0));

	pair();
	GETS(MSG_OOB, "EINVAL");
	ERR(send(s[0], "", 0, MSG_OOB), EOPNOTSUPP);
	ERR(send(one, "a", 1, MSG_OOB), ENOTCONN);
	ERR(recv(one, b, 1, MSG_OOB), EINVAL);
	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, d));
	ERR(send(d[0], "a", 1, MSG_OOB), EOPNOTSUPP);
	ERR(recv(d[1], b, 1, MSG_OOB), EOPNOTSUPP);
}

/* A reader that waits is not woken by what it would leave out, and a peek waits too. */
TEST(waiting)
{
	pid_t p;
	int st;

	for (int flags = 0; flags <= MSG_PEEK; flags += MSG_PEEK) {
		pair();
		p = OK(fork());
		if (!p)
			_exit(recv(s[1], b, 8, flags) == 2 && !memcmp(b, "cd", 2) ? 0 : 1);
		put("b", MSG_OOB);
		put("cd", 0);
		EQ(waitpid(p, &st, 0), p);
		EQ(st, 0);
	}
}
