// SPDX-License-Identifier: MIT
/*
 * Commands that a program gives a generic SCSI device by write(2) and gets back by read(2), line by
 * line: sg_queue DEVICE WHAT..., where WHAT is "one" (a command at a time), "old" (headers of
 * version 2), "many" (several in flight; the device takes its time to read), "who" (who may),
 * "wait" (poll, epoll, signals), "orphan" (SG_IO that a signal ends), "leave" (close with commands
 * in flight), "gone" (the unit is deleted: the path of the file "delete" follows).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <scsi/sg.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define INQUIRY "\x12\0\0\0\x24"
#define READ "\x28\0\0\0\0\0\0\0\1"	/* one block; READ(10) is slow */

struct old {
	int pack_len, reply_len, pack_id, result;
	unsigned int bits;
	unsigned char sense[16], bytes[96];
};

/* As the kernel has it. */
struct info {
	char state, orphan, owned, problem;
	int pack_id;
	void *usr_ptr;
	unsigned int duration;
	int unused;
};

static const char *device;
static unsigned char sense[64], data[20][512], cdb[16];
static volatile sig_atomic_t signals;

static void say(const char *what, long r)
{
	printf("%s: %ld%s%s\n", what, r, r < 0 ? " " : "", r < 0 ? strerror(errno) : "");
	fflush(stdout);
}

static int get(int fd, unsigned long cmd)
{
	int v = -77;

	return ioctl(fd, cmd, &v) ? -errno : v;
}

static void set(int fd, unsigned long cmd, int v)
{
	if (ioctl(fd, cmd, &v))
		say("set", -1);
}

static struct sg_io_hdr header(const char *bytes, size_t n, int id, unsigned int len)
{
	struct sg_io_hdr h = { .interface_id = 'S',
			       .dxfer_direction = len ? SG_DXFER_FROM_DEV : SG_DXFER_NONE };

	memcpy(cdb, bytes, n);
	h.cmd_len = (unsigned char)n;
	h.cmdp = cdb;
	h.mx_sb_len = sizeof(sense);
	h.sbp = sense;
	h.dxferp = len ? data[(unsigned int)id % 20] : NULL;
	h.dxfer_len = len;
	h.timeout = 20000;
	h.pack_id = id;
	h.usr_ptr = data[1];
	return h;
}

static long give(int fd, const char *bytes, size_t n, int id, unsigned int len)
{
	struct sg_io_hdr h = header(bytes, n, id, len);

	return write(fd, &h, sizeof(h));
}

static long give_read(int fd, int id)
{
	return give(fd, READ, 10, id, 512);
}

/* The next that has ended, or that with id `id` where the file asks for one. */
static long take(int fd, int id, struct sg_io_hdr *h)
{
	memset(h, 0, sizeof(*h));
	h->interface_id = 'S';
	h->dxfer_direction = SG_DXFER_NONE;
	h->pack_id = id;
	return read(fd, h, sizeof(*h));
}

static void taken(int fd, const char *what, int id)
{
	struct sg_io_hdr h;
	long r = take(fd, id, &h);

	say(what, r);
	if (r > 0)
		printf("id %d, status %d %d host %d driver %d sense %d left %d info %d, ptr %d\n",
		       h.pack_id, h.status, h.masked_status, h.host_status, h.driver_status,
		       h.sb_len_wr, h.resid, h.info, h.usr_ptr == data[1]);
	fflush(stdout);
}

static int events(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM };

	poll(&p, 1, 0);
	return p.revents;
}

static void table(int fd, const char *what)
{
	struct info t[SG_MAX_QUEUE];
	long r;

	memset(t, 7, sizeof(t));
	r = ioctl(fd, SG_GET_REQUEST_TABLE, t);
	say(what, r);
	for (int i = 0; !r && i < SG_MAX_QUEUE && t[i].state; i++)
		printf(" %d:%d%d%d%d%d", t[i].pack_id, t[i].state, t[i].orphan, t[i].owned,
		       t[i].problem, t[i].usr_ptr == data[1]);
	printf(" last %d %d\n", t[SG_MAX_QUEUE - 1].pack_id, t[SG_MAX_QUEUE - 1].unused);
	fflush(stdout);
}

static void wait_for(int fd, int n)
{
	while (get(fd, SG_GET_NUM_WAITING) < n)
		usleep(1000);
}

static int file(int flags)
{
	int fd = open(device, flags);

	if (fd < 0)
		say("open", fd);
	return fd;
}

static void refused(int fd)
{
	struct sg_io_hdr h = header(INQUIRY, 6, 1, 36), good = h;
	char page[256] = { 0 };

	memcpy(page, &h, sizeof(h));
	say("nothing", write(fd, &h, 0));
	say("35 bytes", write(fd, &h, 35));
	say("36 bytes", write(fd, &h, 36));
	say("87 bytes", write(fd, &h, 87));
	say("from nowhere", write(fd, (void *)8, 88));
	h.interface_id = 'Q';
	say("another interface", write(fd, &h, sizeof(h)));
	h = good;
	h.cmd_len = 5;
	say("a short command", write(fd, &h, sizeof(h)));
	h.cmd_len = 253;
	say("a long one", write(fd, &h, sizeof(h)));
	h = good;
	h.cmdp = NULL;
	say("none", write(fd, &h, sizeof(h)));
	h.cmdp = (void *)8;
	say("one that is nowhere", write(fd, &h, sizeof(h)));
	h = good;
	h.dxfer_len = 1u << 28;
	say("256 MiB", write(fd, &h, sizeof(h)));
	h = good;
	h.dxfer_direction = -9;
	say("another way", write(fd, &h, sizeof(h)));
	h = good;
	h.dxfer_direction = SG_DXFER_NONE;
	say("no way, but data", write(fd, &h, sizeof(h)));
	h = good;
	h.dxfer_direction = SG_DXFER_TO_DEV;
	h.dxferp = (void *)8;
	say("data from nowhere", write(fd, &h, sizeof(h)));
	say("more bytes than a header", write(fd, page, sizeof(page)));
	wait_for(fd, 3);
	table(fd, "those that were not refused");
	taken(fd, "another way", 0);
	taken(fd, "no way", 0);
	taken(fd, "more bytes", 0);
	say("pwrite", pwrite(fd, &good, sizeof(good), 0));
	say("lseek", lseek(fd, 0, SEEK_SET));
}

static void one(void)
{
	int fd = file(O_RDWR | O_NONBLOCK);
	struct sg_io_hdr h;
	struct iovec v[2] = { { data[2], 10 }, { data[3], 26 } };
	int ro;

	printf("events %x, queues %d\n", (unsigned int)events(fd), get(fd, SG_GET_COMMAND_Q));
	taken(fd, "nothing to take", 0);
	refused(fd);
	printf("queues %d\n", get(fd, SG_GET_COMMAND_Q));
	say("INQUIRY", give(fd, INQUIRY, 6, 5, 36));
	wait_for(fd, 1);
	printf("events %x, waiting %d, next %d\n", (unsigned int)events(fd),
	       get(fd, SG_GET_NUM_WAITING), get(fd, SG_GET_PACK_ID));
	table(fd, "table");
	taken(fd, "taken", 0);
	printf("%.16s, %d waiting, next %d\n", data[5] + 16, get(fd, SG_GET_NUM_WAITING),
	       get(fd, SG_GET_PACK_ID));
	say("no such page", give(fd, "\x12\1\xee\0\x24", 6, 6, 36));
	wait_for(fd, 1);
	memset(sense, 0, sizeof(sense));
	table(fd, "table");
	taken(fd, "taken", 0);
	printf("sense %x %x %x\n", sense[0], sense[2], sense[12]);
	h = header(INQUIRY, 6, 7, 36);
	h.iovec_count = 2;
	h.dxferp = v;
	say("in pieces", write(fd, &h, sizeof(h)));
	wait_for(fd, 1);
	taken(fd, "taken", 0);
	printf("%.2s%.14s\n", data[2] + 8, data[3]);
	say("INQUIRY", give(fd, INQUIRY, 6, 8, 36));
	wait_for(fd, 1);
	say("into a small buffer", read(fd, &h, 87));
	printf("waiting %d\n", get(fd, SG_GET_NUM_WAITING));
	say("INQUIRY", give(fd, INQUIRY, 6, 9, 36));
	wait_for(fd, 1);
	say("to nowhere", read(fd, (void *)8, 88));
	printf("waiting %d\n", get(fd, SG_GET_NUM_WAITING));
	h = header(INQUIRY, 6, 9, 36);
	h.sbp = (void *)8;
	h.timeout = 0;
	say("with no place for sense data", write(fd, &h, sizeof(h)));
	wait_for(fd, 1);
	taken(fd, "taken", 0);
	ro = file(O_RDONLY | O_NONBLOCK);
	say("write of a file for reading", give(ro, INQUIRY, 6, 1, 36));
	taken(ro, "read of it", 0);
	close(ro);
	ro = file(O_WRONLY | O_NONBLOCK);
	say("MODE SELECT of a file for writing", give(ro, "\x15\x10\0\0\0", 6, 1, 0));
	close(ro);
	close(fd);
}

static long old_write(int fd, const char *bytes, size_t n, size_t count, int reply, int id)
{
	struct old o;

	memset(&o, 0, sizeof(o));
	o.reply_len = reply;
	o.pack_id = id;
	memcpy(o.bytes, bytes, n);
	return write(fd, &o, count);
}

static void old_read(int fd, size_t n)
{
	struct old o;
	long r;

	wait_for(fd, 1);
	memset(&o, 0x55, sizeof(o));
	r = read(fd, &o, n);
	say("read", r);
	if (r >= 36)
		printf("%d %d id %d result %d bits %x sense %x %x %x, %.8s\n", o.pack_len,
		       o.reply_len, o.pack_id, o.result, o.bits, o.sense[0], o.sense[2],
		       o.sense[12], r > 36 && !o.bits ? (char *)o.bytes + 8 : "");
	fflush(stdout);
}

static void old(void)
{
	int fd = file(O_RDWR | O_NONBLOCK);

	say("41 bytes", old_write(fd, INQUIRY, 6, 41, 72, 3));
	say("INQUIRY", old_write(fd, INQUIRY, 6, 42, 72, 3));
	printf("queues %d\n", get(fd, SG_GET_COMMAND_Q));
	say("another, not queued", old_write(fd, INQUIRY, 6, 42, 72, 4));
	wait_for(fd, 1);
	printf("events %x\n", (unsigned int)events(fd));
	old_read(fd, 72);
	printf("events %x\n", (unsigned int)events(fd));
	say("INQUIRY", old_write(fd, INQUIRY, 6, 42, 72, 5));
	old_read(fd, 36);
	say("INQUIRY", old_write(fd, INQUIRY, 6, 42, 72, 5));
	old_read(fd, 20);
	say("INQUIRY", old_write(fd, INQUIRY, 6, 42, 72, 5));
	old_read(fd, 132);
	say("no such page", old_write(fd, "\x12\1\xee\0\x24", 6, 42, 72, 6));
	old_read(fd, 72);
	say("TEST UNIT READY", old_write(fd, "\0\0\0\0\0", 6, 42, 0, 7));
	old_read(fd, 36);
	say("TEST UNIT READY", old_write(fd, "\0\0\0\0\0", 6, 42, 36, 8));
	old_read(fd, 36);
	say("READ CAPACITY(10) without all its bytes",
	    old_write(fd, "\x25\0\0\0\0\0\0\0\0", 10, 42, 44, 9));
	say("READ CAPACITY(10)", old_write(fd, "\x25\0\0\0\0\0\0\0\0", 10, 46, 44, 9));
	old_read(fd, 44);
	set(fd, SG_NEXT_CMD_LEN, 10);
	say("INQUIRY of ten bytes", old_write(fd, INQUIRY, 6, 46, 72, 10));
	old_read(fd, 72);
	set(fd, SG_SET_COMMAND_Q, 1);
	for (int i = 0; i < 16; i++)
		if (old_write(fd, INQUIRY, 6, 42, 72, i) != 42)
			say("one of sixteen", -1);
	say("one more", old_write(fd, INQUIRY, 6, 42, 72, 16));
	printf("events %x\n", (unsigned int)events(fd) & ~(unsigned int)(POLLIN | POLLRDNORM));
	wait_for(fd, 16);
	printf("events %x\n", (unsigned int)events(fd));
	old_read(fd, 72);
	close(fd);
}

static void many(void)
{
	int fd = file(O_RDWR | O_NONBLOCK), bad = 0, slow;
	struct sg_io_hdr h = { 0 };

	for (int i = 0; i < 16; i++)
		bad += give_read(fd, 100 + i) != 88;
	slow = get(fd, SG_GET_NUM_WAITING) < 16;
	say("one more", give_read(fd, 116));
	h = header(INQUIRY, 6, 5, 36);
	say("SG_IO", ioctl(fd, SG_IO, &h));
	printf("bad %d, in flight %d, events %x\n", bad, slow,
	       (unsigned int)events(fd) & ~(unsigned int)(POLLIN | POLLRDNORM));
	wait_for(fd, 16);
	table(fd, "table");
	printf("next %d\n", get(fd, SG_GET_PACK_ID));
	taken(fd, "the first", 0);
	set(fd, SG_SET_FORCE_PACK_ID, 1);
	taken(fd, "a certain one", 107);
	taken(fd, "again", 107);
	taken(fd, "any", -1);
	say("short, of any", read(fd, &h, 8));
	printf("waiting %d, next %d, events %x\n", get(fd, SG_GET_NUM_WAITING),
	       get(fd, SG_GET_PACK_ID), (unsigned int)events(fd));
	table(fd, "table");
	say("from nowhere", read(fd, (void *)8, 88));
	set(fd, SG_SET_FORCE_PACK_ID, 0);
	taken(fd, "the next", 115);
	set(fd, SG_SET_COMMAND_Q, 0);
	say("one at a time, old", old_write(fd, INQUIRY, 6, 42, 72, 4));
	say("one at a time", give_read(fd, 117));
	close(fd);
	fd = file(O_RDWR | O_NONBLOCK);
	say("slow", give_read(fd, 1));
	say("quick", give(fd, INQUIRY, 6, 2, 36));
	wait_for(fd, 1);
	taken(fd, "the quick one first", 0);
	taken(fd, "the other is not there", 0);
	table(fd, "table");
	fcntl(fd, F_SETFL, 0);
	taken(fd, "until it is", 0);
	close(fd);
}

static void who(void)
{
	int fd = file(O_RDWR | O_NONBLOCK), st;
	pid_t pid;

	say("INQUIRY", give(fd, INQUIRY, 6, 1, 36));
	wait_for(fd, 1);
	pid = fork();
	if (!pid) {
		say("write of a child", give(fd, INQUIRY, 6, 1, 36));
		taken(fd, "read of a child", 0);
		printf("its events %x, waiting %d\n", (unsigned int)events(fd),
		       get(fd, SG_GET_NUM_WAITING));
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &st, 0);
	if (setresgid(0, 0, 0) || setresuid(0, 1, 0))
		say("setresuid", -1);
	say("write of another user", give(fd, INQUIRY, 6, 1, 36));
	taken(fd, "read of another user", 0);
	if (setresuid(0, 0, 0))
		say("setresuid", -1);
	say("write of the first again", give(fd, INQUIRY, 6, 1, 36));
	taken(fd, "read of it", 0);
	close(fd);
}

static void on_signal(int n)
{
	(void)n;
	signals = signals + 1;
}

static void handle(int sig)
{
	struct sigaction a = { .sa_handler = on_signal };

	sigaction(sig, &a, NULL);
}

/*
 * One signal after another until the caller stops them: whichever comes before it sleeps is lost.
 */
static void alarms(int on)
{
	struct itimerval v = { { 0, on * 50000 }, { 0, on * 50000 } };

	setitimer(ITIMER_REAL, &v, NULL);
}

static void waits(void)
{
	int fd = file(O_RDWR), ep = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	sigset_t io, old_mask;
	fd_set in, out;

	handle(SIGALRM);
	handle(SIGIO);
	alarms(1);
	taken(fd, "read until a signal comes", 0);
	alarms(0);
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
	printf("epoll %d\n", epoll_wait(ep, &e, 1, 0));
	say("slow", give_read(fd, 1));
	printf("epoll %d\n", epoll_wait(ep, &e, 1, 20000));
	printf("again %d\n", epoll_wait(ep, &e, 1, 0));
	taken(fd, "taken", 0);
	say("slow", give_read(fd, 2));
	printf("poll %d", poll(&p, 1, 20000));
	printf(" %x\n", (unsigned int)p.revents);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fd, &in);
	FD_SET(fd, &out);
	printf("select %d\n", select(fd + 1, &in, &out, NULL, NULL));
	taken(fd, "taken", 0);
	signals = 0;
	sigemptyset(&io);
	sigaddset(&io, SIGIO);
	sigprocmask(SIG_BLOCK, &io, &old_mask);
	fcntl(fd, F_SETOWN, getpid());
	say("O_ASYNC", fcntl(fd, F_SETFL, O_ASYNC));
	say("slow", give_read(fd, 3));
	while (!signals)
		sigsuspend(&old_mask);
	printf("signals %d, waiting %d\n", signals, get(fd, SG_GET_NUM_WAITING));
	sigprocmask(SIG_SETMASK, &old_mask, NULL);
	fcntl(fd, F_SETFL, 0);
	say("slow", give_read(fd, 4));
	taken(fd, "the one of the signal", 0);
	taken(fd, "one that is waited for", 0);
	printf("signals %d\n", signals);
	close(ep);
	close(fd);
}

static void orphan(int keep)
{
	int fd = file(O_RDWR | O_NONBLOCK);
	struct sg_io_hdr h = header(READ, 10, 50, 512);
	struct itimerval v = { { 0, 0 }, { 0, 100000 } };
	long r;

	handle(SIGALRM);
	set(fd, SG_SET_KEEP_ORPHAN, keep);
	setitimer(ITIMER_REAL, &v, NULL);
	r = ioctl(fd, SG_IO, &h);
	say("SG_IO until a signal comes", r);
	table(fd, "table");
	if (keep) {
		wait_for(fd, 1);
		table(fd, "later");
		taken(fd, "taken", 0);
	} else {
		struct info t[SG_MAX_QUEUE];

		do
			ioctl(fd, SG_GET_REQUEST_TABLE, t);
		while (t[0].state);
		say("it went", 0);
		taken(fd, "nothing to take", 0);
	}
	close(fd);
}

static void leave(void)
{
	int fd = file(O_RDWR | O_NONBLOCK), bad = 0;

	for (int i = 0; i < 16; i++)
		bad += give_read(fd, i) != 88;
	close(fd);
	fd = file(O_RDWR | O_EXCL | O_NONBLOCK);
	printf("bad %d, another %d\n", bad, get(fd, SG_GET_NUM_WAITING));
	say("slow", give_read(fd, 1));
	fcntl(fd, F_SETFL, 0);
	taken(fd, "taken", 0);
	say("slow", give_read(fd, 2));
	fflush(stdout);
	_exit(0);
}

static void gone(const char *delete)
{
	int fd = file(O_RDWR | O_NONBLOCK), ep = epoll_create1(0), d = open(delete, O_WRONLY);
	struct epoll_event e = { .events = EPOLLIN };
	pid_t pid;

	say("INQUIRY", give(fd, INQUIRY, 6, 1, 36));
	wait_for(fd, 1);
	say("slow", give_read(fd, 2));
	pid = fork();
	if (!pid) {
		epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
		do
			epoll_wait(ep, &e, 1, -1);
		while (!(e.events & EPOLLHUP));
		_exit(e.events & EPOLLHUP ? 5 : 1);
	}
	say("delete", write(d, "1", 1));
	waitpid(pid, &d, 0);
	printf("hangup %d, events %x\n", WEXITSTATUS(d), (unsigned int)events(fd));
	say("write", give(fd, INQUIRY, 6, 1, 36));
	taken(fd, "what had ended", 0);
	taken(fd, "what was in flight", 0);
	taken(fd, "nothing", 0);
	fcntl(fd, F_SETFL, 0);
	taken(fd, "nothing, to wait for", 0);
	table(fd, "table");
	close(fd);
}

int main(int argc, char **argv)
{
	device = argv[1];
	for (int i = 2; i < argc; i++) {
		const char *w = argv[i];

		printf("== %s\n", w);
		if (!strcmp(w, "one"))
			one();
		else if (!strcmp(w, "old"))
			old();
		else if (!strcmp(w, "many"))
			many();
		else if (!strcmp(w, "who"))
			who();
		else if (!strcmp(w, "wait"))
			waits();
		else if (!strcmp(w, "orphan"))
			orphan(0), orphan(1);
		else if (!strcmp(w, "leave"))
			leave();
		else if (!strcmp(w, "gone"))
			gone(argv[++i]);
		fflush(stdout);
	}
	return 0;
}
