/* SPDX-License-Identifier: MIT */
/*
 * TCP over loopback needs no other thread: what a call sends has arrived when it returns, so that a
 * task that has both ends never waits. proves: socket connect accept4 shutdown read write
 */
#include "tcp.h"
#include <sys/resource.h>

#define ROUNDS 500
#define LARGE (256 << 10)

/* How often this task has waited; where it is slow, others take its place all the same. */
static long switches(void)
{
	struct rusage u;

	OK(getrusage(RUSAGE_THREAD, &u));
	return u.ru_nvcsw;
}

/* While the thread for timers delivers, what is sent goes through it. */
static void few_since(long before, long rounds)
{
	long n = switches() - before;

	if (n > rounds / 5)
		FAIL("%ld switches in %ld rounds", n, rounds);
}

TEST(ping_pong)
{
	long before;
	char c = 0;
	int s[2];

	pair(s);
	before = switches();
	for (int i = 0; i < ROUNDS; i++) {
		EQ(write(s[0], &c, 1), 1);
		EQ(read(s[1], &c, 1), 1);
		EQ(write(s[1], &c, 1), 1);
		EQ(read(s[0], &c, 1), 1);
	}
	few_since(before, ROUNDS);
}

/* More than a send buffer has at first: it goes on as answers come. */
TEST(large_writes)
{
	static char data[LARGE];
	long before;
	int s[2];

	pair(s);
	before = switches();
	for (int i = 0; i < ROUNDS / 5; i++)
		for (ssize_t n, left = LARGE; left; left -= n) {
			n = OK(send(s[0], data, (size_t)left, MSG_DONTWAIT));
			EQ(recv(s[1], data, (size_t)n, MSG_WAITALL), n);
		}
	few_since(before, ROUNDS);
}

/* Opening, a corked byte that is let go, and both ends: all seen at once. */
TEST(whole_lives)
{
	int one = 1, none = 0, l = listener(4), s[2];
	long before;
	char c = 0;

	before = switches();
	for (int i = 0; i < ROUNDS; i++) {
		s[0] = client(port_of(l));
		s[1] = OK(accept(l, NULL, NULL));
		OK(setsockopt(s[0], IPPROTO_TCP, TCP_CORK, &one, sizeof(one)));
		EQ(write(s[0], &c, 1), 1);
		OK(setsockopt(s[0], IPPROTO_TCP, TCP_CORK, &none, sizeof(none)));
		EQ(read(s[1], &c, 1), 1);
		OK(shutdown(s[0], SHUT_WR));
		EQ(read(s[1], &c, 1), 0);
		OK(close(s[1]));
		EQ(read(s[0], &c, 1), 0);
		OK(close(s[0]));
	}
	few_since(before, ROUNDS);
}
