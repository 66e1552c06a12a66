/* SPDX-License-Identifier: MIT */
/*
 * net.ipv4.tcp_mem: the memory of all TCP sockets together has a bound (tcp(7)), and connections go
 * on within it. proves: socket connect accept4 listen
 */
#include "tcp.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define PAIRS 16
#define EACH (512 << 10)
#define SETTING "/proc/sys/net/ipv4/tcp_mem"

static int setting_fd = -1;

static void set(const char *text)
{
	EQ(pwrite(setting_fd, text, strlen(text), 0), strlen(text));
}

static void get(char *text, size_t size)
{
	ssize_t n;

	if (setting_fd < 0)	/* the first network alone has it */
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

static bool listed(const char *name)
{
	DIR *d = opendir("/proc/sys/net/ipv4");
	struct dirent *e;
	bool found = false;

	CHECK(d);
	while ((e = readdir(d)))
		found |= !strcmp(e->d_name, name);
	closedir(d);
	return found;
}

/* It is the machine's: only the first network shows it, and what is mounted on it stays there. */
TEST(first_network_alone)
{
	int first = OK(open("/proc/self/ns/net", O_RDONLY));
	struct stat covered, now;

	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mount("/proc/version", SETTING, NULL, MS_BIND, NULL));
	OK(stat(SETTING, &covered));
	CHECK(listed("tcp_mem") && listed("tcp_max_orphans"));
	own_net_of_short();
	ERR(open(SETTING, O_RDONLY), ENOENT);
	CHECK(!listed("tcp_mem") && !listed("tcp_max_orphans") && listed("tcp_rmem"));
	OK(setns(first, CLONE_NEWNET));
	OK(stat(SETTING, &now));
	EQ(now.st_ino, covered.st_ino);
	CHECK(listed("tcp_mem"));
}

/* What lies unread is counted, and goes again (Linux leaves 256 pages of each CPU out). */
TEST(counted)
{
	static char data[65536];
	long before, full;
	int s[2];

	own_net_of_short();
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
	own_net_of_short();
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
