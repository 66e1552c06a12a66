// SPDX-License-Identifier: MIT
/*
 * What generic SCSI devices say, line by line: sg DEVICE WHAT..., where WHAT is "ask" (ioctls of a
 * file for reading and writing), "read" (of one for reading alone), "user" (the same without
 * rights), "open" (which opens succeed), "hold" (a file that stays open while the unit is deleted:
 * the path of the file "delete" follows).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SCSI_IOCTL_GET_IDLUN
#define SCSI_IOCTL_GET_IDLUN 0x5382
#define SCSI_IOCTL_PROBE_HOST 0x5385
#define SCSI_IOCTL_GET_BUS_NUMBER 0x5386
#endif
#ifndef SG_GET_ACCESS_COUNT
#define SG_GET_ACCESS_COUNT 0x2289
#endif

static const char *device;
static unsigned char sense[64], data[4096];

static void say(const char *what, long r)
{
	printf("%s: %ld%s%s\n", what, r, r < 0 ? " " : "", r < 0 ? strerror(errno) : "");
	fflush(stdout);
}

static void get(int fd, const char *what, unsigned long cmd)
{
	int v = -77;
	long r = ioctl(fd, cmd, &v);

	if (r)
		say(what, r);
	else
		printf("%s: %d\n", what, v);
	fflush(stdout);
}

static void set(int fd, const char *what, unsigned long cmd, int v)
{
	printf("%d to ", v);
	say(what, ioctl(fd, cmd, &v));
}

static long command(int fd, const char *cdb, size_t n, int way, unsigned int len,
		    struct sg_io_hdr *h)
{
	static unsigned char bytes[32];

	memcpy(bytes, cdb, n);
	memset(sense, 0, sizeof(sense));
	memset(h, 0, sizeof(*h));
	h->interface_id = 'S';
	h->dxfer_direction = way;
	h->cmd_len = (unsigned char)n;
	h->cmdp = bytes;
	h->mx_sb_len = sizeof(sense);
	h->sbp = sense;
	h->dxferp = len ? data : NULL;
	h->dxfer_len = len;
	h->timeout = 20000;
	return ioctl(fd, SG_IO, h);
}

static void commands(int fd)
{
	struct sg_io_hdr h;
	long r = command(fd, "\x12\0\0\0\x24", 6, SG_DXFER_FROM_DEV, 36, &h);

	say("INQUIRY", r);
	if (!r)
		printf("status %d host %d left %d info %d: %d %.16s\n", h.status, h.host_status,
		       h.resid, h.info, data[0] & 31, data + 16);
	r = command(fd, "\x12\1\xee\0\x24", 6, SG_DXFER_FROM_DEV, 36, &h);
	say("INQUIRY, no such page", r);
	if (!r)
		printf("status %d host %d driver %d sense %d: %x %x\n", h.status, h.host_status,
		       h.driver_status, h.sb_len_wr, sense[2] & 15, sense[12]);
	say("MODE SELECT", command(fd, "\x15\x10\0\0\0", 6, SG_DXFER_NONE, 0, &h));
	say("an opcode that there is not", command(fd, "\xc7\0\0\0\0\0", 6, SG_DXFER_NONE, 0, &h));
	h.interface_id = 'Q';
	say("another interface", ioctl(fd, SG_IO, &h));
	h.interface_id = 'S';
	h.cmd_len = 5;
	say("a short command", ioctl(fd, SG_IO, &h));
	say("nothing", ioctl(fd, SG_IO, NULL));
}

static void ask(int flags)
{
	int fd = open(device, flags | O_NONBLOCK);
	unsigned int id[8] = { 7, 7, 7, 7, 7, 7, 7, 7 };

	say("open", fd < 0 ? -1 : 0);
	get(fd, "SG_GET_VERSION_NUM", SG_GET_VERSION_NUM);
	say("SG_GET_SCSI_ID", ioctl(fd, SG_GET_SCSI_ID, id));
	printf("%u %u %u %u %u, commands %d, %u %u\n", id[0], id[1], id[2], id[3], id[4],
	       id[5] != 0, id[6], id[7]);
	say("SCSI_IOCTL_GET_IDLUN", ioctl(fd, SCSI_IOCTL_GET_IDLUN, id));
	printf("%x %x\n", id[0], id[1]);
	get(fd, "SCSI_IOCTL_GET_BUS_NUMBER", SCSI_IOCTL_GET_BUS_NUMBER);
	say("SG_GET_TIMEOUT", ioctl(fd, SG_GET_TIMEOUT, NULL));
	set(fd, "SG_SET_TIMEOUT", SG_SET_TIMEOUT, -1);
	set(fd, "SG_SET_TIMEOUT", SG_SET_TIMEOUT, 1234);
	say("SG_GET_TIMEOUT", ioctl(fd, SG_GET_TIMEOUT, NULL));
	get(fd, "SG_EMULATED_HOST", SG_EMULATED_HOST);
	get(fd, "SG_GET_RESERVED_SIZE", SG_GET_RESERVED_SIZE);
	set(fd, "SG_SET_RESERVED_SIZE", SG_SET_RESERVED_SIZE, -1);
	set(fd, "SG_SET_RESERVED_SIZE", SG_SET_RESERVED_SIZE, 65536);
	get(fd, "SG_GET_RESERVED_SIZE", SG_GET_RESERVED_SIZE);
	set(fd, "SG_SET_FORCE_LOW_DMA", SG_SET_FORCE_LOW_DMA, 1);
	get(fd, "SG_GET_LOW_DMA", SG_GET_LOW_DMA);
	get(fd, "SG_GET_COMMAND_Q", SG_GET_COMMAND_Q);
	set(fd, "SG_SET_COMMAND_Q", SG_SET_COMMAND_Q, 7);
	get(fd, "SG_GET_COMMAND_Q", SG_GET_COMMAND_Q);
	get(fd, "SG_GET_KEEP_ORPHAN", SG_GET_KEEP_ORPHAN);
	set(fd, "SG_SET_KEEP_ORPHAN", SG_SET_KEEP_ORPHAN, 1);
	get(fd, "SG_GET_KEEP_ORPHAN", SG_GET_KEEP_ORPHAN);
	set(fd, "SG_SET_FORCE_PACK_ID", SG_SET_FORCE_PACK_ID, 1);
	get(fd, "SG_GET_PACK_ID", SG_GET_PACK_ID);
	get(fd, "SG_GET_NUM_WAITING", SG_GET_NUM_WAITING);
	get(fd, "SG_GET_ACCESS_COUNT", SG_GET_ACCESS_COUNT);
	set(fd, "SG_NEXT_CMD_LEN", SG_NEXT_CMD_LEN, 253);
	set(fd, "SG_NEXT_CMD_LEN", SG_NEXT_CMD_LEN, 12);
	set(fd, "SG_SET_DEBUG", SG_SET_DEBUG, 0);
	set(fd, "SG_SCSI_RESET of nothing", SG_SCSI_RESET, 0);
	set(fd, "SG_SCSI_RESET of the device", SG_SCSI_RESET, 1);
	set(fd, "SG_SCSI_RESET that there is not", SG_SCSI_RESET, 9);
	say("SG_SCSI_RESET from nowhere", ioctl(fd, SG_SCSI_RESET, NULL));
	say("an ioctl that there is not", ioctl(fd, 0x2299, NULL));
	say("one of another device", ioctl(fd, 0x5401, NULL));
	commands(fd);
	close(fd);
}

static void try_open(const char *what, int flags)
{
	int fd = open(device, flags);

	say(what, fd < 0 ? -1 : 0);
	if (fd >= 0)
		close(fd);
}

static void opens(void)
{
	int fd;

	try_open("O_RDONLY", O_RDONLY);
	try_open("O_WRONLY", O_WRONLY);
	try_open("O_RDONLY O_EXCL", O_RDONLY | O_EXCL);
	try_open("O_RDWR O_EXCL", O_RDWR | O_EXCL);
	fd = open(device, O_RDWR | O_EXCL);
	try_open("while one has it alone, O_NONBLOCK", O_RDWR | O_NONBLOCK);
	close(fd);
	fd = open(device, O_RDWR);
	try_open("while one has it, O_EXCL O_NONBLOCK", O_RDWR | O_EXCL | O_NONBLOCK);
	try_open("while one has it", O_RDWR | O_NONBLOCK);
	close(fd);
}

static void user(void)
{
	pid_t child = fork();
	struct sg_io_hdr h;
	int fd;

	if (child) {
		waitpid(child, NULL, 0);
		return;
	}
	fd = open(device, O_RDONLY | O_NONBLOCK);
	if (setresuid(1000, 1000, 1000))
		_exit(1);
	commands(fd);
	set(fd, "SG_SCSI_RESET by a user", SG_SCSI_RESET, 0);
	say("open by a user", open(device, O_RDONLY | O_NONBLOCK) < 0 ? -1 : 0);
	say("TEST UNIT READY", command(fd, "\0\0\0\0\0", 6, SG_DXFER_NONE, 0, &h));
	_exit(0);
}

static void hold(const char *delete)
{
	int fd = open(device, O_RDWR | O_NONBLOCK), d = open(delete, O_WRONLY);
	struct sg_io_hdr h;

	say("TEST UNIT READY", command(fd, "\0\0\0\0\0", 6, SG_DXFER_NONE, 0, &h));
	say("delete", write(d, "1", 1));
	close(d);
	try_open("open of one that went", O_RDWR | O_NONBLOCK);
	say("TEST UNIT READY", command(fd, "\0\0\0\0\0", 6, SG_DXFER_NONE, 0, &h));
	get(fd, "SG_EMULATED_HOST", SG_EMULATED_HOST);
	get(fd, "SG_GET_ACCESS_COUNT", SG_GET_ACCESS_COUNT);
	get(fd, "SG_GET_VERSION_NUM", SG_GET_VERSION_NUM);
	say("SG_GET_TIMEOUT", ioctl(fd, SG_GET_TIMEOUT, NULL));
	set(fd, "SG_SCSI_RESET", SG_SCSI_RESET, 0);
	get(fd, "SCSI_IOCTL_GET_BUS_NUMBER", SCSI_IOCTL_GET_BUS_NUMBER);
	say("SG_GET_SCSI_ID", ioctl(fd, SG_GET_SCSI_ID, data));
	close(fd);
}

int main(int argc, char **argv)
{
	device = argv[1];
	for (int i = 2; i < argc; i++) {
		const char *w = argv[i];

		if (!strcmp(w, "ask"))
			ask(O_RDWR);
		else if (!strcmp(w, "read"))
			ask(O_RDONLY);
		else if (!strcmp(w, "user"))
			user();
		else if (!strcmp(w, "open"))
			opens();
		else if (!strcmp(w, "hold"))
			hold(argv[++i]);
	}
	return 0;
}
