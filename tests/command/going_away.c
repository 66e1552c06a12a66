// SPDX-License-Identifier: MIT
/*
 * Devices that go away, on the debug build: registers that become all ones at the n-th access of a
 * probe and of requests, memory that fails at each place of a probe and of a removal, and many
 * rounds of bind and unbind. For going_away.py. POINTS: how many
 * places of a probe or a removal are tried, 0: all; ROUNDS: how many; ONLY: of one driver.
 */
#define TEST_LIMIT 4000
#include "../guest/t.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <ftw.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define DEBUG "/sys/kernel/debug"
#define VANISH DEBUG "/rust/vanish"
#define PCI "/sys/bus/pci"
#define REQUESTS 100
/* A device that answers nothing is read so often, and not for ever. */
#define MOST_READS 4000

/* A function, the driver that it has, and what is behind it. */
struct dev {
	char name[16], driver[16];	/* 0000:00:03.0, virtio-pci */
	char kind[24];			/* virtio_blk, ... */
};

static struct dev devs[16];
static int nr_devs;

static long setting(const char *name, long otherwise)
{
	const char *v = getenv(name);

	return v ? atol(v) : otherwise;
}

/* From one place that is tried to the next. */
static long step_of(long total)
{
	long points = setting("POINTS", 0);

	return points && total > points ? total / points : 1;
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), e;
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	e = errno;
	close(fd);
	errno = e;
	return n < 0 ? -1 : 0;
}

static const char *get(const char *path)
{
	static char text[8192];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

/* The name of the first entry of DIR that begins with START, and is none of our own. */
static bool entry(const char *dir, const char *start, char *name, size_t size)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	bool found = false;

	while (d && !found && (e = readdir(d)))
		if (!strncmp(e->d_name, start, strlen(start)) && e->d_name[0] != '.') {
			snprintf(name, size, "%s", e->d_name);
			found = true;
		}
	if (d)
		closedir(d);
	return found;
}

static bool path_of(const struct dev *d, const char *below, char *path, size_t size)
{
	char name[64];

	snprintf(path, size, PCI "/devices/%s", d->name);
	if (!entry(path, "virtio", name, sizeof(name)))
		return false;
	snprintf(path, size, PCI "/devices/%s/%s/%s", d->name, name, below);
	return true;
}

static void link_name(const char *path, char *name, size_t size)
{
	char text[256];
	ssize_t n = readlink(path, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	snprintf(name, size, "%s", strrchr(text, '/') ? strrchr(text, '/') + 1 : "");
}

static void find_of(const char *driver)
{
	const char *only = getenv("ONLY");
	char path[128];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), PCI "/drivers/%s", driver);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		struct dev *d = &devs[nr_devs];

		if (e->d_name[0] != '0')
			continue;
		snprintf(d->name, sizeof(d->name), "%.15s", e->d_name);
		snprintf(d->driver, sizeof(d->driver), "%s", driver);
		snprintf(d->kind, sizeof(d->kind), "%s", driver);
		if (path_of(d, "driver", path, sizeof(path)))
			link_name(path, d->kind, sizeof(d->kind));
		/* A console stays: what is said goes by it. */
		if (strcmp(d->kind, "virtio_console") && *d->kind &&
		    (!only || !strcmp(d->kind, only)))
			nr_devs++;
	}
	if (dir)
		closedir(dir);
}

static void find(void)
{
	find_of("virtio-pci");
	find_of("pcieport");
	CHECK(nr_devs >= (getenv("ONLY") ? 1 : 5));
}

static int tell(const struct dev *d, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), PCI "/drivers/%s/%s", d->driver, file);
	return put(path, d->name);
}

static bool is_bound(const struct dev *d)
{
	char path[128];

	snprintf(path, sizeof(path), PCI "/drivers/%s/%s", d->driver, d->name);
	return !access(path, F_OK);
}

static void arm(const struct dev *d, long n)
{
	char text[64];

	snprintf(text, sizeof(text), "pci %s %ld", d->name, n);
	OK(put(VANISH, text));
}

static bool has_vanished(void)
{
	return strstr(get(VANISH), "gone");
}

/* The function has left: its place is empty. Then it comes back. */
static void away_and_back(const struct dev *d)
{
	char path[128];

	snprintf(path, sizeof(path), PCI "/devices/%s/remove", d->name);
	OK(put(path, "1"));
	CHECK(access(path, F_OK));
	if (has_vanished() && atol(get(VANISH)) > MOST_READS)
		FAIL("%s: read %ld times", d->kind, atol(get(VANISH)));
	OK(put(VANISH, "\n"));
	OK(put(PCI "/rescan", "1"));
	CHECK(!access(path, F_OK));
}

/* ---- that a device works ---- */

static bool disk_of(const struct dev *d, char *path, size_t size)
{
	char at[256], name[64];

	/* A SCSI disk is found by its letter: there is one. */
	if (!strcmp(d->kind, "virtio_scsi")) {
		snprintf(path, size, "/dev/sda");
		return !access(path, F_OK);
	}
	if (!path_of(d, "block", at, sizeof(at)) || !entry(at, "vd", name, sizeof(name)))
		return false;
	snprintf(path, size, "/dev/%.32s", name);
	return true;
}

static bool is_disk(const struct dev *d)
{
	return !strcmp(d->kind, "virtio_blk") || !strcmp(d->kind, "virtio_scsi");
}

static bool is_net(const struct dev *d)
{
	return !strcmp(d->kind, "virtio_net");
}

static int open_disk(const struct dev *d)
{
	char path[64];

	return disk_of(d, path, sizeof(path)) ? open(path, O_RDONLY | O_DIRECT | O_CLOEXEC) : -1;
}

static int read_disk(int fd, int n)
{
	static char page[4096] __attribute__((aligned(4096)));

	return pread(fd, page, sizeof(page), 4096L * (n & 63)) == (ssize_t)sizeof(page) ? 0 : -1;
}

static unsigned char own[6];	/* the address that net_up() found */

static bool net_up(const struct dev *d, struct ifreq *r)
{
	char at[256];
	int fd = OK(socket(AF_INET, SOCK_DGRAM, 0)), err;

	memset(r, 0, sizeof(*r));
	if (!path_of(d, "net", at, sizeof(at)) || !entry(at, "eth", r->ifr_name, IFNAMSIZ)) {
		close(fd);
		return false;
	}
	r->ifr_flags = IFF_UP;
	err = ioctl(fd, SIOCSIFFLAGS, r) || ioctl(fd, SIOCGIFHWADDR, r);
	memcpy(own, r->ifr_hwaddr.sa_data, sizeof(own));
	close(fd);
	return !err;
}

/* A packet socket of the device; -1: it has none. */
static int open_net(const struct dev *d, int *index)
{
	struct ifreq r;
	int fd;

	if (!net_up(d, &r))
		return -1;
	*index = (int)if_nametoindex(r.ifr_name);
	fd = OK(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL)));
	if (bind(fd,
		 (struct sockaddr *)&(struct sockaddr_ll){ .sll_family = AF_PACKET,
							   .sll_protocol = htons(ETH_P_ALL),
							   .sll_ifindex = *index },
		 sizeof(struct sockaddr_ll))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A question about 10.0.2.2's address. */
static int ask(int fd, int index)
{
	unsigned char f[42] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0,  0, 8, 6,
				0,    1,    8,	  0,	6,    4,    0, 1, 0, 0, 0,  0, 0, 0,
				10,   0,    2,	  15,	0,    0,    0, 0, 0, 0, 10, 0, 2, 2 };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = index, .sll_halen = 6 };

	memcpy(f + 6, own, sizeof(own));
	memcpy(f + 22, own, sizeof(own));

	if (sendto(fd, f, sizeof(f), 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)sizeof(f))
		return 0;
	return errno == EAGAIN || errno == ENOBUFS ? 0 : -1;
}

/* The answer comes. */
static bool answers(const struct dev *d)
{
	unsigned char f[2048];
	int index, fd = open_net(d, &index);

	if (fd < 0)
		return false;
	OK(ask(fd, index));
	while (poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 20000) > 0)
		/* ARP, a reply. */
		if (read(fd, f, sizeof(f)) >= 42 && f[12] == 8 && f[13] == 6 && f[21] == 2) {
			close(fd);
			return true;
		}
	close(fd);
	return false;
}

static void works(const struct dev *d)
{
	char path[256];

	CHECK(is_bound(d));
	if (strcmp(d->driver, "virtio-pci"))
		return;
	CHECK(path_of(d, "driver", path, sizeof(path)) && !access(path, F_OK));
	if (is_disk(d)) {
		int fd = OK(open_disk(d));

		for (int n = 0; n < 8; n++)
			OK(read_disk(fd, n));
		close(fd);
	}
	if (is_net(d))
		CHECK(answers(d));
}

/* ---- all ones at the n-th access ---- */

static bool is_refusal(int e)
{
	return e == ENODEV || e == EIO || e == ENXIO || e == EINVAL || e == EOPNOTSUPP ||
	       e == ENOTTY;
}

static void probes_of(const struct dev *d)
{
	long total, step, refused = 0, tried = 0;

	OK(tell(d, "unbind"));
	arm(d, 0);
	OK(tell(d, "bind"));
	total = atol(get(VANISH));
	OK(put(VANISH, "\n"));
	works(d);
	CHECK(total > 10);
	step = step_of(total);
	for (long n = 1; n <= total + step; n += step) {
		int r;

		OK(tell(d, "unbind"));
		arm(d, n);
		r = tell(d, "bind");
		if (r && !is_refusal(errno))
			FAIL("%s: access %ld: %s", d->kind, n, strerror(errno));
		refused += r != 0;
		tried++;
		away_and_back(d);
		if (!is_bound(d))
			FAIL("%s: is not back after access %ld", d->kind, n);
	}
	works(d);
	printf("%s: %ld accesses of a probe, %ld tried, %ld refused\n", d->kind, total, tried,
	       refused);
	fflush(stdout);
}

TEST(all_ones_in_a_probe)
{
	find();
	for (int i = 0; i < nr_devs; i++)
		probes_of(&devs[i]);
}

/*
 * A task that makes requests; its status says how they ended: 0, or an errno. It has opened the
 * device when this is back.
 */
static pid_t requester(const struct dev *d)
{
	int begun[2], fd, index = 0;
	pid_t pid;
	char c;

	OK(pipe(begun));
	pid = OK(fork());
	if (pid) {
		close(begun[1]);
		EQ(read(begun[0], &c, 1), 1);
		close(begun[0]);
		return pid;
	}
	fd = is_net(d) ? open_net(d, &index) : open_disk(d);
	if (fd < 0 || write(begun[1], "", 1) != 1)
		_exit(200);
	/* Armed by now? The parent's write is what the first look waits for. */
	while (strncmp(get("/tmp/armed"), "yes", 3))
		sched_yield();
	for (int n = 0; n < REQUESTS; n++)
		if (is_net(d) ? ask(fd, index) : read_disk(fd, n))
			_exit(errno);
	_exit(0);
}

static void let_go(const char *said)
{
	int fd = OK(open("/tmp/armed", O_WRONLY | O_CREAT | O_TRUNC, 0600));

	OK(write(fd, said, strlen(said)));
	close(fd);
}

static int end_of(pid_t pid)
{
	int status;

	EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void requests_of(const struct dev *d)
{
	long total, step, failed = 0, tried = 0;
	pid_t pid;

	let_go("no");
	pid = requester(d);
	arm(d, 0);
	let_go("yes");
	EQ(end_of(pid), 0);
	total = atol(get(VANISH));
	OK(put(VANISH, "\n"));
	CHECK(total > 0);
	step = step_of(total);
	for (long n = 1; n <= total; n += step) {
		int end;

		let_go("no");
		pid = requester(d);
		arm(d, n);
		let_go("yes");
		/*
		 * Requests wait for a device that is not there, until that is noticed or it is
		 * removed.
		 */
		for (siginfo_t si = { 0 }; !has_vanished() && !si.si_pid; sched_yield())
			OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT));
		away_and_back(d);
		end = end_of(pid);
		if (end && end != EIO && end != ENODEV && end != ENXIO && end != ENETDOWN)
			FAIL("%s: access %ld: %s", d->kind, n, strerror(end));
		failed += end != 0;
		tried++;
	}
	works(d);
	printf("%s: %ld accesses of %d requests, %ld tried, %ld failed\n", d->kind, total, REQUESTS,
	       tried, failed);
	fflush(stdout);
	if (is_disk(d))
		CHECK(failed > 0);
}

TEST(all_ones_in_requests)
{
	find();
	for (int i = 0; i < nr_devs; i++)
		if (is_disk(&devs[i]) || is_net(&devs[i]))
			requests_of(&devs[i]);
}

/* ---- no memory at each place ---- */

static int nth;

/*
 * Writes with the N-th chance to fail taken: what write(2) gives. *ALL: there was no such chance.
 */
static int failing(int fd, const char *text, long n, bool *all)
{
	char count[16] = "";
	int r, e, len = snprintf(count, sizeof(count), "%ld", n);

	EQ(pwrite(nth, count, (size_t)len, 0), len);
	r = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	e = errno;
	memset(count, 0, sizeof(count));
	CHECK(pread(nth, count, sizeof(count) - 1, 0) > 0);
	EQ(pwrite(nth, "0", 1, 0), 1);
	*all = atol(count) > 0;
	errno = e;
	return r;
}

static void no_memory_of(const struct dev *d)
{
	long step = setting("POINTS", 0) ? 97 : 1, failed = 0, tried[2] = { 0 };
	char path[128];
	int fd[2];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), PCI "/drivers/%s/%s", d->driver,
			 i ? "unbind" : "bind");
		fd[i] = OK(open(path, O_WRONLY | O_CLOEXEC));
	}
	for (int i = 0; i < 2; i++)
		for (long n = 1;; n += step) {
			bool all;

			if (!i && is_bound(d))
				OK(tell(d, "unbind"));
			tried[i]++;
			if (failing(fd[i], d->name, n, &all)) {
				/* The latter: of the name's copy. */
				if (errno != ENOMEM && errno != EFAULT && errno != ENOSPC)
					FAIL("%s: %s, failure %ld: %s", d->kind,
					     i ? "unbind" : "bind", n, strerror(errno));
				failed++;
				CHECK(is_bound(d) == (i == 1));
				if (i)
					OK(tell(d, "unbind"));
			} else {
				CHECK(is_bound(d) == (i == 0));
				/*
				 * The device of the virtio bus may have found no memory for its
				 * driver.
				 */
				if (!i)
					OK(tell(d, "unbind"));
			}
			OK(tell(d, "bind"));
			if (all)
				break;
		}
	works(d);
	printf("%s: %ld places of a probe, %ld of a removal; %ld refused\n", d->kind, tried[0],
	       tried[1], failed);
	fflush(stdout);
	for (int i = 0; i < 2; i++)
		close(fd[i]);
}

static void let_memory_fail(void)
{
	OK(put(DEBUG "/failslab/ignore-gfp-wait", "N"));
	OK(put(DEBUG "/fail_page_alloc/ignore-gfp-wait", "N"));
	OK(put(DEBUG "/fail_page_alloc/min-order", "0"));
	OK(put(DEBUG "/failslab/verbose", "0"));
	OK(put(DEBUG "/fail_page_alloc/verbose", "0"));
	OK(put(DEBUG "/fail_usercopy/verbose", "0"));
	OK(put(DEBUG "/fail_make_request/verbose", "0"));
	nth = OK(open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC));
}

TEST(no_memory)
{
	find();
	let_memory_fail();
	for (int i = 0; i < nr_devs; i++)
		no_memory_of(&devs[i]);
}

/* ---- rounds ---- */

static long nodes;

static int count_node(const char *path, const struct stat *s, int kind, struct FTW *f)
{
	(void)path, (void)s, (void)kind, (void)f;
	nodes++;
	return 0;
}

struct counts {
	long nodes, vectors, devices, objects;
	char quarantine[64];
};

static long lines_of(const char *path)
{
	long n = 0;

	for (const char *t = get(path); *t; t++)
		n += *t == '\n';
	return n;
}

/* Objects of the heap that live, by /proc/slabinfo. */
static long objects(void)
{
	static char text[1 << 17];
	char *line = text;
	long sum = 0, active;
	size_t len = 0;
	ssize_t n;
	int fd;

	OK(put("/proc/sys/vm/drop_caches", "3"));
	fd = OK(open("/proc/slabinfo", O_RDONLY | O_CLOEXEC));
	while ((n = OK(read(fd, text + len, sizeof(text) - 1 - len))) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fd);
	while ((line = strchr(line, '\n')) && *++line)
		if (sscanf(line, "%*s %ld", &active) == 1)
			sum += active;
	return sum;
}

static struct counts count(void)
{
	struct counts c = { 0 };
	char name[64];

	nodes = 0;
	OK(nftw("/sys/devices", count_node, 8, FTW_PHYS));
	OK(nftw("/sys/bus", count_node, 8, FTW_PHYS));
	OK(nftw("/sys/class", count_node, 8, FTW_PHYS));
	c.nodes = nodes;
	c.vectors = lines_of("/proc/interrupts");
	c.devices = entry(PCI "/devices", "0", name, sizeof(name));
	snprintf(c.quarantine, sizeof(c.quarantine), "%.60s", get(DEBUG "/dma/quarantine"));
	c.objects = objects();
	return c;
}

static void rounds_of(const struct dev *d, long n)
{
	char driver[64], at[256], name[64], file[128];

	snprintf(driver, sizeof(driver), "/sys/bus/virtio/drivers/%s", d->kind);
	for (; n > 0; n--) {
		OK(tell(d, "unbind"));
		CHECK(!is_bound(d));
		OK(tell(d, "bind"));
		CHECK(is_bound(d));
		if (strcmp(d->driver, "virtio-pci"))
			continue;
		/* The driver of the virtio device alone. */
		snprintf(at, sizeof(at), PCI "/devices/%s", d->name);
		CHECK(entry(at, "virtio", name, sizeof(name)));
		snprintf(file, sizeof(file), "%s/unbind", driver);
		OK(put(file, name));
		snprintf(file, sizeof(file), "%s/bind", driver);
		OK(put(file, name));
	}
}

TEST(rounds)
{
	long n = setting("ROUNDS", 10);

	find();
	for (int i = 0; i < nr_devs; i++) {
		const struct dev *d = &devs[i];
		struct counts before, after;

		rounds_of(d, 6);	/* caches fill */
		before = count();
		rounds_of(d, n);
		after = count();
		works(d);
		EQ(after.nodes, before.nodes);
		EQ(after.vectors, before.vectors);
		EQ(after.devices, before.devices);
		CHECK(!strcmp(after.quarantine, before.quarantine));
		printf("%s: %ld rounds, %ld nodes, %ld interrupts, %ld objects before, %ld after\n",
		       d->kind, n, after.nodes, after.vectors, before.objects, after.objects);
		fflush(stdout);
		/* One that is lost each time would be N; other tasks have some, too. */
		if (n >= 100)
			CHECK(after.objects - before.objects < n * 9 / 10);
	}
}
