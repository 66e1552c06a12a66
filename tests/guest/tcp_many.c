/* SPDX-License-Identifier: MIT */
/*
 * TCP: many connections at once, and many one after another. What they took comes back: TIME-WAIT's
 * entries with their time or their network, everything else at once. The normal run takes a few;
 * TCP_IDLE=10000 and TCP_CYCLES=100000 in the environment take as many as net/README.md has figures
 * of, and print theirs. proves: socket connect accept4 listen close
 */
#define TEST_LIMIT 900
#include "tcp.h"
#include <sys/resource.h>

/* A number of the environment, or N. */
static long wanted(const char *name, long n)
{
	const char *s = getenv(name);

	return s ? atol(s) : n;
}

/* KiB, as /proc/meminfo has it. */
static long meminfo(const char *name)
{
	char line[200];
	long v = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			v = atol(line + strlen(name) + 1);
	fclose(f);
	CHECK(v >= 0);
	return v;
}

/* The number behind NAME in the line of /proc/net/sockstat about TCP. */
static long sockstat(const char *name)
{
	char line[200], *at;
	long v = -1;
	FILE *f = fopen("/proc/net/sockstat", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, name);
		if (!strncmp(line, "TCP:", 4) && at)
			v = atol(at + strlen(name));
	}
	fclose(f);
	CHECK(v >= 0);
	return v;
}

static void may_open(long n)
{
	struct rlimit r = { (rlim_t)n, (rlim_t)n };

	OK(setrlimit(RLIMIT_NOFILE, &r));
}

static void exchange(int from, int to, char byte)
{
	char got = 0;

	EQ(write(from, &byte, 1), 1);
	EQ(read(to, &got, 1), 1);
	EQ(got, byte);
}

/* All of them stay, and each still carries a byte either way. */
TEST(idle)
{
	long n = wanted("TCP_IDLE", 500), before, with;
	int(*s)[2] = malloc((size_t)n * sizeof(*s));
	int l;

	CHECK(s);
	memset(s, 0, (size_t)n * sizeof(*s));
	may_open(2 * n + 50);
	l = listener(16);
	before = meminfo("MemFree");
	for (long i = 0; i < n; i++) {
		s[i][0] = client(port_of(l));
		s[i][1] = OK(accept(l, NULL, NULL));
	}
	with = meminfo("MemFree");
	CHECK(sockstat(" inuse ") >= 2 * n);
	CHECK(sockstat(" mem ") < 100);	/* pages: their queues are empty */
	for (long i = 0; i < n; i++) {
		exchange(s[i][0], s[i][1], (char)i);
		exchange(s[i][1], s[i][0], (char)~i);
	}
	if (getenv("TCP_IDLE"))
		printf("%ld connections: %ld KiB, %ld bytes each with both ends; MemFree %ld KiB\n",
		       n, before - with, (before - with) * 1024 / n, with);
	for (long i = 0; i < n; i++) {
		OK(close(s[i][i & 1]));
		OK(close(s[i][~i & 1]));
	}
	EQ(sockstat(" inuse "), 1);
}

static void cycle(int l, int port, long i)
{
	int c = client(port), a = OK(accept(l, NULL, NULL)), first = i & 1 ? c : a;

	OK(close(first));
	OK(close(first == a ? c : a));
}

static void print_slabs(const char *when)
{
	char line[300], name[64];
	long active, all, size;
	FILE *f = fopen("/proc/slabinfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %ld %ld %ld", name, &active, &all, &size) == 4 &&
		    active * size > 65536)
			printf("%s: %s %ld objects of %ld\n", when, name, active, size);
	if (f)
		fclose(f);
}

static void cycles(void)
{
	long n = wanted("TCP_CYCLES", 1000), free[3], slab[3], tw;
	int l = listener(16), port = port_of(l);
	bool all = getenv("TCP_CYCLES");
	long long start;

	for (int i = 0; i < 100; i++)
		cycle(l, port, i);
	if (all) {
		while (sockstat(" tw ") > 0)
			t_sleep_ms(1000);
		print_slabs("before");
	}
	free[0] = meminfo("MemFree");
	slab[0] = meminfo("Slab");
	for (long i = 0; i < n; i++)
		cycle(l, port, i);
	free[1] = meminfo("MemFree");
	slab[1] = meminfo("Slab");
	tw = sockstat(" tw ");
	start = t_now_ns();
	CHECK(tw > 0);
	EQ(sockstat(" inuse "), 1);
	if (!all)
		_exit(0);
	while (sockstat(" tw ") > 0)
		t_sleep_ms(1000);
	free[2] = meminfo("MemFree");
	slab[2] = meminfo("Slab");
	print_slabs("later");
	printf("%ld cycles: MemFree %ld KiB, then %ld with %ld in TIME-WAIT, after %ld s %ld; Slab %ld, %ld, %ld\n",
	       n, free[0], free[1], tw, (long)((t_now_ns() - start) / 1000000000), free[2], slab[0],
	       slab[1], slab[2]);
	CHECK(free[0] - free[2] < 1024);
	exit(0);
}

/*
 * Each round in a network of its own, whose end takes the entries in TIME-WAIT along. That end lies
 * behind the round's exit, in a thread of the kernel: its memory is waited for. A leak never comes.
 */
TEST(one_after_another)
{
	long first = 0;

	for (int i = 0; i < (getenv("TCP_CYCLES") ? 1 : 4); i++) {
		EQ(t_call(cycles), 0);
		if (i == 1)
			first = meminfo("MemFree");
	}
	for (int i = 0; first - meminfo("MemFree") >= 1024; i++) {
		CHECK(i < 600);
		t_sleep_ms(100);
	}
}
