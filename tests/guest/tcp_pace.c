/* SPDX-License-Identifier: MIT */
/*
 * What holds a sender back beside windows: SO_MAX_PACING_RATE (socket(7)); and what a route says of
 * windows and round trips (RTF_WINDOW, RTF_IRTT: route(8)). proves: setsockopt ioctl
 */
#include "tcp.h"
#include <net/route.h>
#include <pthread.h>
#include <time.h>

#define ALL (256 << 10)
#define RATE (512 << 10)
#define RCV_WND 58	/* tcpi_rcv_wnd, as a word of struct tcp_info */

static void *send_all(void *arg)
{
	static char data[ALL];

	return (void *)(long)(write(*(int *)arg, data, ALL) != ALL);
}

static double seconds(void)
{
	struct timespec t;

	OK(clock_gettime(CLOCK_MONOTONIC, &t));
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double transfer(int s[2])
{
	static char in[ALL];
	double begin = seconds();
	pthread_t t;
	void *bad;

	EQ(pthread_create(&t, NULL, send_all, &s[0]), 0);
	EQ(recv(s[1], in, ALL, MSG_WAITALL), ALL);
	EQ(pthread_join(t, &bad), 0);
	CHECK(!bad);
	return seconds() - begin;
}

/*
 * Never faster than the rate, whatever the machine does. Some segments go at once on Linux: half of
 * the time is enough to tell.
 */
TEST(paced)
{
	unsigned int rate = RATE;
	int s[2];

	own_net_of_short();
	pair(s);
	OK(setsockopt(s[0], SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)));
	CHECK(transfer(s) > 0.5 * ALL / RATE);
	rate = ~0u;
	OK(setsockopt(s[0], SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)));
	transfer(s);
}

static void route(const char *to, unsigned short flags, unsigned long window, unsigned short irtt)
{
	struct rtentry r = { .rt_flags = (unsigned short)(RTF_UP | RTF_HOST | flags),
			     .rt_window = window,
			     .rt_irtt = irtt,
			     .rt_dev = (char *)"lo" };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(to) };
	int s = OK(socket(AF_INET, SOCK_DGRAM, 0));

	memcpy(&r.rt_dst, &a, sizeof(a));
	OK(ioctl(s, SIOCADDRT, &r));
	OK(close(s));
}

static void in_route(char *line, size_t size)
{
	FILE *f = fopen("/proc/net/route", "r");

	CHECK(f);
	while (fgets(line, (int)size, f))
		if (strstr(line, "0100090A"))
			break;
	fclose(f);
}

/* The route's round trip is told as it was given. */
TEST(shown)
{
	char line[300] = "";
	unsigned int window, irtt;

	own_net_of_short();
	route("10.9.0.1", RTF_WINDOW | RTF_IRTT, 3000, 400);
	in_route(line, sizeof(line));
	EQ(sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %u %u", &window, &irtt), 2);
	EQ(window, 3000);
	EQ(irtt, 400);
}

/* The window that a SYN to ADDR, where nobody answers, tells of. */
static unsigned int first_window(const char *addr)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(9),
				 .sin_addr.s_addr = inet_addr(addr) };
	unsigned int i[64] = {};	/* struct tcp_info, longer than libc's */
	socklen_t len = sizeof(i);
	int s = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));

	EQ(connect(s, (struct sockaddr *)&a, sizeof(a)), -1);
	EQ(errno, EINPROGRESS);
	OK(getsockopt(s, IPPROTO_TCP, TCP_INFO, i, &len));
	OK(close(s));
	return i[RCV_WND];
}

TEST(window)
{
	own_net_of_short();
	route("10.9.0.1", RTF_WINDOW, 3000, 0);
	route("10.9.0.2", 0, 0, 0);
	CHECK(first_window("10.9.0.2") > 10000);
	CHECK(first_window("10.9.0.1") >= 1000);
	CHECK(first_window("10.9.0.1") <= 3000);
}
