/* SPDX-License-Identifier: MIT */
/*
 * net.ipv4.tcp_mem: the memory of all TCP sockets together has a bound (tcp(7)), and connections go
 * on within it. proves: socket connect accept4 listen
 */
#include "t.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define PAIRS 16
#define EACH (512 << 10)
#define SETTING "/proc/sys/net/ipv4/tcp_mem"

static void own_net(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int s;

	OK(unshare(CLONE_NEWNET));
	s = OK(socket(AF_INET, SOCK_DGRAM, 0));
	OK(ioctl(s, SIOCSIFFLAGS, &r));
	r.ifr_mtu = 1500;
	OK(ioctl(s, SIOCSIFMTU, &r));
	OK(close(s));
}

static int setting_fd = -1;

static void set(const char *text)
{
	EQ(pwrite(setting_fd, text, strlen(text), 0), strlen(text));
}

static void get(char *text, size_t size)
{
	ssize_t n;

	if (setting_fd < 0)	/* on Linux the first network alone has it */
		setting_fd = OK(open(SETTING, O_RDWR));
	n = pread(setting_fd, text, size - 1, 0);
	CHECK(n > 0);
	text[n] = 0;
}

/* Pages, as sockstat tells. */
static long in_use(void)
{
	char line[200];
	long mem = -1;
	FILE *f = fopen("/proc/net/sockstat", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "TCP: inuse %*d orphan %*d tw %*d alloc %*d mem %ld", &mem) == 1)
			break;
	fclose(f);
	return mem;
}

static void pair(int s[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int l = OK(socket(AF_INET, SOCK_STREAM, 0));

	OK(bind(l, (struct sockaddr *)&a, len));
	OK(listen(l, 1));
	OK(getsockname(l, (struct sockaddr *)&a, &len));
	s[0] = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(connect(s[0], (struct sockaddr *)&a, len));
	s[1] = OK(accept(l, NULL, NULL));
	OK(close(l));
}

TEST(setting)
{
	char was[100], now[100];
	long low, mid, high;

	get(was, sizeof(was));
	EQ(sscanf(was, "%ld\t%ld\t%ld\n", &low, &mid, &high), 3);
	CHECK(0 < low && low < mid && mid < high);
	set("100 200 300\n");
	get(now, sizeof(now));
	EQ(strcmp(now, "100\t200\t300\n"), 0);
	set(was);
}

/* What lies unread is counted, and goes again (Linux leaves 256 pages of each CPU out). */
TEST(counted)
{
	static char data[65536];
	long before, full;
	int s[2];

	own_net();
	pair(s);
	before = in_use();
	EQ(write(s[0], data, sizeof(data)), sizeof(data));
	CHECK(poll(&(struct pollfd){ .fd = s[1], .events = POLLIN }, 1, -1) == 1);
	full = in_use();
	CHECK(full >= before + 15);
	for (size_t n = 0; n < sizeof(data);)
		n += (size_t)OK(read(s[1], data, sizeof(data)));
	OK(close(s[0]));
	OK(close(s[1]));
	while (in_use() > before + 2)
		sched_yield();
}

static int ends[PAIRS][2];

static void *send_all(void *arg)
{
	static const char data[8192];
	int fd = *(int *)arg;

	for (size_t n = 0; n < EACH; n += sizeof(data))
		if (write(fd, data, sizeof(data)) != sizeof(data))
			return (void *)1;
	return NULL;
}

/* What comes, wherever it does, until all has. */
static void read_all(void)
{
	static char in[65536];
	struct pollfd p[PAIRS];
	size_t left = (size_t)PAIRS * EACH;

	for (int i = 0; i < PAIRS; i++)
		p[i] = (struct pollfd){ .fd = ends[i][1], .events = POLLIN };
	while (left) {
		CHECK(poll(p, PAIRS, -1) > 0);
		for (int i = 0; i < PAIRS; i++)
			if (p[i].revents)
				left -= (size_t)OK(read(p[i].fd, in, sizeof(in)));
	}
}

/*
 * Many connections that nobody reads: together they hold what the limit says and one packet each
 * way beyond; all of it arrives, once it is read.
 */
TEST(bounded)
{
	pthread_t t[PAIRS];
	char was[100];
	long before, last = -1, now;
	int same = 0;
	void *bad;

	get(was, sizeof(was));
	own_net();
	for (int i = 0; i < PAIRS; i++)
		pair(ends[i]);
	before = in_use();
	set("384 512 768\n");
	for (int i = 0; i < PAIRS; i++)
		EQ(pthread_create(&t[i], NULL, send_all, &ends[i][0]), 0);
	/* as much as ever will be: it does not grow any more */
	while (same < 50) {
		now = in_use();
		same = now == last ? same + 1 : 0;
		last = now;
		CHECK(now - before < 768 + PAIRS * 2 * 8);
		poll(NULL, 0, 5);
	}
	CHECK(last - before > 300);
	read_all();
	for (int i = 0; i < PAIRS; i++) {
		EQ(pthread_join(t[i], &bad), 0);
		CHECK(!bad);
	}
	set(was);
}
