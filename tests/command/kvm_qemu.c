// SPDX-License-Identifier: MIT
/*
 * Init of a guest of a guest (tests/command/kvm_qemu.py): says that it came so far, that all its
 * CPUs and their timers work, what its first disk and its network are, and switches the power off.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define NAPS 20
#define CHILDREN 30
#define SECTORS 2048
#define ECHOES 20
#define SECTOR 512
#define OURS "10.0.2.15"
#define GATEWAY "10.0.2.2"

/* Not before the last word is on the line: the kernel's come in between. */
static void power_off(void)
{
	fflush(stdout);
	tcdrain(1);
	reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT);	/* a machine whose power nobody switches */
	exit(1);
}

static void die(const char *what)
{
	printf("inner: %s: %s\n", what, strerror(errno));
	power_off();
}

/* Linux's drivers, in the order of their names. */
static void modules(void)
{
	struct dirent **e;
	int n = scandir("/modules", &e, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char path[300];
		int fd;

		if (e[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/modules/%s", e[i]->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
			die(path);
		close(fd);
	}
}

/* On each CPU: its timer wakes it, and processes begin and end there. */
static long cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	struct timespec nap = { 0, 1000000 };

	for (long i = 0; i < n; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(i, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			die("affinity");
		for (int k = 0; k < NAPS; k++)
			if (nanosleep(&nap, NULL))
				die("sleep");
		for (int k = 0; k < CHILDREN; k++) {
			int status;
			pid_t pid = fork();

			if (!pid)
				_exit(k);
			if (pid < 0 || waitpid(pid, &status, 0) != pid || status != k << 8)
				die("child");
		}
		if (sched_getcpu() != i)
			die("CPU");
	}
	return n;
}

/*
 * The first disk: each sector begins with its number; all are read, and written the other way
 * round.
 */
static void disk(void)
{
	static uint64_t b[SECTORS * SECTOR / 8], back[SECTORS * SECTOR / 8];
	int fd;

	fd = open("/dev/vda", O_RDWR | O_SYNC);
	if (fd < 0)
		return;
	if (pread(fd, b, sizeof(b), 0) != sizeof(b))
		die("read");
	for (uint64_t i = 0; i < SECTORS; i++) {
		if (b[i * SECTOR / 8] != i)
			die("sector");
		b[i * SECTOR / 8] = ~i;
	}
	for (int i = 0; i < SECTORS; i += SECTORS / 16)
		if (pwrite(fd, b + i * SECTOR / 8, sizeof(b) / 16, (off_t)i * SECTOR) !=
		    sizeof(b) / 16)
			die("write");
	if (fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) ||
	    pread(fd, back, sizeof(back), 0) != sizeof(back) || memcmp(b, back, sizeof(b)))
		die("read again");
	printf("inner: disk of %d sectors\n", SECTORS);
}

static uint16_t checksum(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i += 2)
		sum += (uint32_t)(b[i] << 8 | b[i + 1]);
	sum = (sum >> 16) + (sum & 0xffff);
	return htons((uint16_t)~(sum + (sum >> 16)));
}

static void up(const char *name, int fd)
{
	struct ifreq r = { 0 };
	struct sockaddr_in *a = (void *)&r.ifr_addr;

	strcpy(r.ifr_name, name);
	a->sin_family = AF_INET;
	a->sin_addr.s_addr = inet_addr(OURS);
	if (ioctl(fd, SIOCSIFADDR, &r))
		die("address");
	a->sin_addr.s_addr = inet_addr("255.255.255.0");
	if (ioctl(fd, SIOCSIFNETMASK, &r))
		die("netmask");
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &r))
		die("up");
}

/* Echoes of QEMU's own network, one after the other. */
static void network(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(GATEWAY) };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), n = 0;

	if (fd < 0 || !if_nametoindex("eth0"))
		return;
	up("eth0", fd);
	while (n < ECHOES) {
		struct {
			struct icmphdr h;
			char data[1000];
		} m = { { .type = ICMP_ECHO, .un.echo = { 7, (uint16_t)n } }, { 0 } };
		struct {
			struct iphdr ip;
			char rest[1400];
		} got;
		struct icmphdr *h = (void *)got.rest;

		memset(m.data, n, sizeof(m.data));
		m.h.checksum = checksum(&m, sizeof(m));
		if (sendto(fd, &m, sizeof(m), 0, (void *)&to, sizeof(to)) != sizeof(m))
			die("send");
		do {
			if (recv(fd, &got, sizeof(got), 0) != sizeof(got.ip) + sizeof(m))
				die("receive");
		} while (h->type != ICMP_ECHOREPLY);
		if (h->un.echo.sequence != n++ || memcmp(h + 1, m.data, sizeof(m.data)))
			die("echo");
	}
	printf("inner: %d echoes\n", n);
}

int main(void)
{
	long n;

	if (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL))
		die("/dev");
	modules();
	n = cpus();
	disk();
	network();
	printf("inner: %ld CPUs\n", n);
	power_off();
}
