// SPDX-License-Identifier: MIT
/*
 * What SG_IO and its relatives say, line by line: sgio DISK PARTITION. The disk is one of QEMU with
 * blocks of 512 bytes, 8 MiB at least; its second MiB is overwritten. Commands that are only looked
 * at, whether a program may give them, have a buffer that is none: EPERM comes before EFAULT.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <scsi/sg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SG_DXFER_UNKNOWN
#define SG_DXFER_UNKNOWN (-5)
#endif
#define NOWHERE ((void *)0xffff888000000000UL)
#ifndef SCSI_IOCTL_GET_IDLUN
#define SCSI_IOCTL_GET_IDLUN 0x5382
#define SCSI_IOCTL_PROBE_HOST 0x5385
#define SCSI_IOCTL_GET_BUS_NUMBER 0x5386
#endif

static const char *name_of(int e)
{
	static const struct {
		int e;
		const char *name;
	} names[] = { { EIO, "EIO" },	    { ENXIO, "ENXIO" },	  { ENODEV, "ENODEV" },
		      { EPERM, "EPERM" },   { EINVAL, "EINVAL" }, { EMSGSIZE, "EMSGSIZE" },
		      { EFAULT, "EFAULT" }, { ENOTTY, "ENOTTY" }, { EACCES, "EACCES" },
		      { ENOMEM, "ENOMEM" }, { ENOSYS, "ENOSYS" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].e == e)
			return names[i].name;
	return strerror(e);
}

static void say(const char *what, long r)
{
	printf("%s: %ld%s%s\n", what, r, r < 0 ? " " : "", r < 0 ? name_of(errno) : "");
	fflush(stdout);
}

static unsigned char sense[128], cdb[64], data[1 << 20] __attribute__((aligned(4096)));

static struct sg_io_hdr header(const char *command, size_t n, int way, void *p, unsigned int len)
{
	memcpy(cdb, command, n);
	memset(sense, 0xee, sizeof(sense));
	return (struct sg_io_hdr){ .interface_id = 'S',
				   .dxfer_direction = way,
				   .cmd_len = n,
				   .mx_sb_len = 32,
				   .dxfer_len = len,
				   .dxferp = p,
				   .cmdp = cdb,
				   .sbp = sense,
				   .timeout = 20000,
				   .pack_id = 7,
				   .status = 0x55,
				   .masked_status = 0x55,
				   .sb_len_wr = 0x55,
				   .resid = 0x5555,
				   .info = 0x5555 };
}

#define INQUIRY(len) header("\x12\0\0\0\x24\0", 6, SG_DXFER_FROM_DEV, data, len)
#define READ(blocks, p) header("\x28\0\0\0\x08\0\0\0" blocks "\0", 10, SG_DXFER_FROM_DEV, p, (blocks)[0] * 512)
#define WRITE(blocks, p) header("\x2a\0\0\0\x08\0\0\0" blocks "\0", 10, SG_DXFER_TO_DEV, p, (blocks)[0] * 512)

static void go(int fd, const char *what, struct sg_io_hdr *h)
{
	long r = ioctl(fd, SG_IO, h);

	if (r < 0) {
		say(what, r);
		return;
	}
	printf("%s: %ld status %x %x %x host %x driver %x sense %u resid %d info %x\n", what, r,
	       h->status, h->masked_status, h->msg_status, h->host_status, h->driver_status,
	       h->sb_len_wr, h->resid, h->info);
	if (h->duration > 20000 || h->pack_id != 7)
		printf("%s: duration %u, pack_id %d\n", what, h->duration, h->pack_id);
	fflush(stdout);
}

static void numbers(int fd)
{
	int n = -1, idlun[2] = { -1, -1 };
	unsigned char name[64];

	say("version", ioctl(fd, SG_GET_VERSION_NUM, &n));
	printf("%d\n", n);
	say("version nowhere", ioctl(fd, SG_GET_VERSION_NUM, NOWHERE));
	say("emulated", ioctl(fd, SG_EMULATED_HOST, &n));
	printf("%d\n", n);
	say("timeout", ioctl(fd, SG_GET_TIMEOUT, 0));
	n = 1234;
	say("set timeout", ioctl(fd, SG_SET_TIMEOUT, &n));
	say("timeout", ioctl(fd, SG_GET_TIMEOUT, 0));
	n = 0;
	say("set timeout", ioctl(fd, SG_SET_TIMEOUT, &n));
	say("set timeout nowhere", ioctl(fd, SG_SET_TIMEOUT, NOWHERE));
	n = 70000;
	say("set reserved", ioctl(fd, SG_SET_RESERVED_SIZE, &n));
	say("reserved", ioctl(fd, SG_GET_RESERVED_SIZE, &n));
	printf("%d\n", n);
	n = -1;
	say("set reserved", ioctl(fd, SG_SET_RESERVED_SIZE, &n));
	n = 1 << 30;
	say("set reserved", ioctl(fd, SG_SET_RESERVED_SIZE, &n));
	say("reserved", ioctl(fd, SG_GET_RESERVED_SIZE, &n));
	printf("%s\n", n >= 65536 && n < 1 << 30 ? "less" : "as it was");
	say("idlun", ioctl(fd, SCSI_IOCTL_GET_IDLUN, idlun));
	printf("%x %d\n", idlun[0] & 0xffffff, idlun[1]);
	say("idlun nowhere", ioctl(fd, SCSI_IOCTL_GET_IDLUN, NOWHERE));
	say("bus", ioctl(fd, SCSI_IOCTL_GET_BUS_NUMBER, &n));
	printf("%s\n", n == idlun[0] >> 24 ? "equal" : "not equal");
	memset(name, '-', sizeof(name));
	*(int *)name = sizeof(name) - 1;
	say("host", ioctl(fd, SCSI_IOCTL_PROBE_HOST, name));
	printf("%.20s\n", name);
	memset(name, '-', sizeof(name));
	*(int *)name = 6;
	say("host", ioctl(fd, SCSI_IOCTL_PROBE_HOST, name));
	printf("%.12s\n", name);
	say("host", ioctl(fd, SCSI_IOCTL_PROBE_HOST, NULL));
	say("host nowhere", ioctl(fd, SCSI_IOCTL_PROBE_HOST, NOWHERE));
	say("another", ioctl(fd, 0x53ff, &n));
}

static void fields(int fd)
{
	struct sg_io_hdr h = INQUIRY(36);
	struct iovec v[3] = { { data, 12 }, { data + 100, 12 }, { data + 200, 1000 } };
	static struct iovec many[1025];

	say("nowhere", ioctl(fd, SG_IO, NOWHERE));
#define WITH(what, change) do { h = INQUIRY(36); change; go(fd, what, &h); } while (0)
	WITH("interface", h.interface_id = 'Q');
	WITH("none with data", h.dxfer_direction = SG_DXFER_NONE);
	WITH("unknown with data", h.dxfer_direction = SG_DXFER_UNKNOWN);
	WITH("way", h.dxfer_direction = 3);
	WITH("way -6", h.dxfer_direction = -6);
	WITH("short command", h.cmd_len = 5);
	WITH("long command", h.cmd_len = 33);
	WITH("command of 32", h.cmd_len = 32);
	WITH("command nowhere", h.cmdp = NOWHERE);
	WITH("no command", h.cmdp = NULL);
	WITH("data nowhere", h.dxferp = NOWHERE);
	WITH("no data", h.dxferp = (void *)64);
	WITH("too much", h.dxfer_len = 1U << 30);
	WITH("len -1", h.dxfer_len = ~0U);
	WITH("sense nowhere", (h.sbp = NOWHERE, h.cmdp = cdb, memcpy(cdb, "\xff\0\0\0\0\0", 6)));
	WITH("flags", h.flags = ~0x2U & ~1U);
	WITH("both ways", h.dxfer_direction = SG_DXFER_TO_FROM_DEV);
	WITH("no data at all", (h.dxfer_len = 0, h.dxfer_direction = 77, h.dxferp = NOWHERE,
				memcpy(cdb, "\0\0\0\0\0\0", 6)));
	WITH("pieces", (h.iovec_count = 3, h.dxferp = v));
	WITH("fewer pieces than bytes", (h.iovec_count = 2, h.dxferp = v));
	v[1].iov_len = (size_t)-1;
	WITH("piece -1", (h.iovec_count = 3, h.dxferp = v));
	v[1].iov_len = 12;
	v[1].iov_base = NOWHERE;
	WITH("piece nowhere", (h.iovec_count = 3, h.dxferp = v));
	v[0].iov_len = v[1].iov_len = v[2].iov_len = 0;
	WITH("empty pieces", (h.iovec_count = 3, h.dxferp = v));
	WITH("list nowhere", (h.iovec_count = 3, h.dxferp = NOWHERE));
	WITH("1025 pieces", (h.iovec_count = 1025, h.dxferp = many));
	WITH("pieces of nothing", (h.iovec_count = 3, h.dxferp = NOWHERE, h.dxfer_len = 0,
				   memcpy(cdb, "\0\0\0\0\0\0", 6)));
	{
		void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		WITH("data that cannot be written", h.dxferp = p);
		munmap(p, 4096);
	}
}

static void answers(int fd)
{
	struct sg_io_hdr h = INQUIRY(36);
	static const int rooms[] = { 0, 4, 8, 18, 96, 255 };
	struct iovec v[3] = { { data + 1, 1001 }, { data + 5000, 0 }, { data + 9000, 3095 } };
	static unsigned char was[1 << 20];
	unsigned int sum = 0;

	memset(data, 0xee, 512);
	h = INQUIRY(512);
	go(fd, "inquiry", &h);
	printf("%.28s %x\n", data + 8, data[36]);
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		h = header("\xff\0\0\0\0\0", 6, SG_DXFER_NONE, NULL, 0);
		h.mx_sb_len = rooms[i];
		go(fd, "no such command", &h);
		for (int j = 0; j < 20; j++)
			printf("%02x", sense[j]);
		puts("");
	}
	h = header("\xff\0\0\0\0\0", 6, SG_DXFER_NONE, NULL, 0);
	h.sbp = NULL;
	go(fd, "no room for sense", &h);
	memset(data, 0xee, 512);
	h = header("\xff\0\0\0\0\0", 6, SG_DXFER_FROM_DEV, data, 512);
	go(fd, "no data came", &h);
	printf("%x %x\n", data[0], data[511]);
	h = header("\x28\0\x7f\xff\xff\xff\0\0\x01\0", 10, SG_DXFER_FROM_DEV, data, 512);
	go(fd, "behind the end", &h);
	for (int i = 0; i < 4096; i++)
		was[i] = data[i] = i * 7 + i / 256;
	h = WRITE("\x08", data);
	go(fd, "write", &h);
	memset(data, 0xee, 16384);
	h = READ("\x08", v);
	h.iovec_count = 3;
	go(fd, "read into pieces", &h);
	printf("%d %d %x %x\n", memcmp(was, data + 1, 1001), memcmp(was + 1001, data + 9000, 3095),
	       data[0], data[9000 + 3095]);
	memset(data, 0xee, 16384);
	h = READ("\x08", data + 3);
	h.dxfer_len = 1000;
	go(fd, "less room than data", &h);
	printf("%x %x\n", data[2], data[3 + 1000]);
	h = header("\x28\0\0\0\x08\0\0\x04\0\0", 10, SG_DXFER_FROM_DEV, data, 1024 * 512);
	go(fd, "512 KiB less a page", (h.dxfer_len -= 65536, cdb[7] = 3, cdb[8] = 0x80, &h));
	for (size_t i = 0; i < 4096; i++)
		sum += data[i] != was[i];
	printf("%u\n", sum);
}

/* Which commands may be given through FD: ranges of first bytes. */
static void may(int fd, const char *what)
{
	int first = -1;

	printf("%s:", what);
	for (int i = 0; i <= 256; i++) {
		struct sg_io_hdr h = header("\0\0\0\0\0\0", 6, SG_DXFER_FROM_DEV, NOWHERE, 8);
		int yes = 0;

		cdb[0] = i;
		if (i < 256) {
			yes = ioctl(fd, SG_IO, &h) < 0 && errno == EFAULT;
			if (!yes && errno != EPERM)
				printf(" %x %s", i, name_of(errno));
		}
		if (yes && first < 0)
			first = i;
		if (!yes && first >= 0) {
			if (first == i - 1)
				printf(" %x", first);
			else
				printf(" %x-%x", first, i - 1);
			first = -1;
		}
	}
	puts("");
	fflush(stdout);
}

static void in_child(void (*f)(int, int, int), int a, int b, int c)
{
	pid_t p = fork();

	if (!p) {
		f(a, b, c);
		exit(0);
	}
	waitpid(p, NULL, 0);
}

static void as_user(int read_only, int both, int part)
{
	struct sg_io_hdr h = INQUIRY(36);

	if (setgid(1000) || setuid(1000))
		exit(1);
	may(read_only, "user, read-only");
	may(both, "user, both");
	go(part, "user, partition", &h);
	h = INQUIRY(36);
	go(read_only, "user, inquiry", &h);
}

static void in_namespace(int read_only, int both, int part)
{
	(void)part;
	if (setgid(1000) || setuid(1000) || unshare(CLONE_NEWUSER)) {
		puts("no namespace");
		exit(1);
	}
	may(read_only, "a namespace's root, read-only");
	may(both, "a namespace's root, both");
}

/* Many at once: 8 processes, more than there are places in a queue together. */
static void many(int fd)
{
	int bad = 0, status;

	for (int i = 0; i < 40; i++)
		if (!fork()) {
			for (int n = 0; n < 25; n++) {
				struct sg_io_hdr h = READ("\x10", data);

				if (ioctl(fd, SG_IO, &h) || h.status || h.host_status || h.resid)
					_exit(1);
			}
			_exit(0);
		}
	while (wait(&status) > 0)
		bad += status != 0;
	printf("many at once: %d\n", bad);
}

int main(int argc, char **argv)
{
	int both = open(argv[1], O_RDWR), read_only = open(argv[1], O_RDONLY),
	    part = argc > 2 ? open(argv[2], O_RDWR) : -1;
	struct sg_io_hdr h = INQUIRY(36);

	if (both < 0 || read_only < 0)
		return 1;
	numbers(read_only);
	fields(read_only);
	answers(both);
	may(read_only, "root, read-only");
	if (argc > 2) {
		go(part, "partition", &h);
		in_child(as_user, read_only, both, part);
		in_child(in_namespace, read_only, both, part);
	}
	many(both);
	puts("end");
	return 0;
}
