/*
 * RWF_NOWAIT of each kind of file: what would wait says EAGAIN, and what does not know the flag
 * EOPNOTSUPP.
 */
#include "t.h"
#include <pty.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#define NOWAIT 8	/* RWF_NOWAIT */

static char bytes[65536];

static int get(int fd, size_t n)
{
	struct iovec v = { bytes, n };
	long r = syscall(SYS_preadv2, fd, &v, 1, -1L, -1L, NOWAIT);

	return r < 0 ? -errno : (int)r;
}

static int put(int fd, size_t n)
{
	struct iovec v = { bytes, n };
	long r = syscall(SYS_pwritev2, fd, &v, 1, -1L, -1L, NOWAIT);

	return r < 0 ? -errno : (int)r;
}

/* What FD, which is empty, says. */
#define ANSWERS(fd, reads, writes) do {			\
	int f_ = OK(fd);				\
							\
	EQ(get(f_, 8), reads);				\
	EQ(put(f_, 8), writes);				\
	OK(close(f_));					\
} while (0)

TEST(pipes)
{
	int p[2];

	OK(pipe(p));
	EQ(get(p[0], 8), -EAGAIN);
	EQ(put(p[0], 8), -EBADF);
	EQ(put(p[1], sizeof(bytes)), (int)sizeof(bytes));
	EQ(put(p[1], 1), -EAGAIN);
	EQ(get(p[0], sizeof(bytes)), (int)sizeof(bytes));
	EQ(get(p[0], 8), -EAGAIN);
	OK(close(p[1]));
	EQ(get(p[0], 8), 0);
}

TEST(sockets)
{
	int s[2];

	signal(SIGPIPE, SIG_IGN);
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	EQ(get(s[0], 8), -EAGAIN);
	EQ(put(s[0], 8), 8);
	EQ(get(s[1], 9), 8);
	while (put(s[0], sizeof(bytes)) > 0)
		;
	EQ(put(s[0], 1), -EAGAIN);
	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	EQ(get(s[0], 8), -EAGAIN);
	EQ(put(s[0], 8), 8);
	EQ(get(s[1], 9), 8);
	ANSWERS(socket(AF_INET, SOCK_DGRAM, 0), -EAGAIN, -EDESTADDRREQ);
	ANSWERS(socket(AF_INET, SOCK_STREAM, 0), -ENOTCONN, -EPIPE);
	ANSWERS(socket(AF_NETLINK, SOCK_RAW, 0), -EAGAIN, 8);
	ANSWERS(socket(AF_PACKET, SOCK_RAW, 0x0300), -EAGAIN, -ENXIO);
}

TEST(descriptors_of_events)
{
	sigset_t set;
	int f;

	f = OK(eventfd(3, 0));
	EQ(get(f, 8), 8);
	EQ(bytes[0], 3);
	EQ(get(f, 8), -EAGAIN);
	ANSWERS(timerfd_create(CLOCK_MONOTONIC, 0), -EAGAIN, -EINVAL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	OK(sigprocmask(SIG_BLOCK, &set, NULL));
	f = OK(signalfd(-1, &set, 0));
	EQ(get(f, 8), -EINVAL);
	EQ(get(f, 128), -EAGAIN);
	OK(raise(SIGUSR1));
	EQ(get(f, 256), 128);
	EQ(put(f, 8), -EINVAL);
	ANSWERS(inotify_init(), -EOPNOTSUPP, -EBADF);
}

TEST(devices)
{
	int m, s;

	ANSWERS(open("/dev/null", O_RDWR), 0, 8);
	ANSWERS(open("/dev/zero", O_RDWR), 8, 8);
	ANSWERS(open("/dev/full", O_RDWR), -EOPNOTSUPP, -EOPNOTSUPP);
	ANSWERS(open("/dev/random", O_RDWR), 8, 8);
	ANSWERS(open("/dev/urandom", O_RDWR), 8, 8);
	ANSWERS(open("/dev/kmsg", O_RDONLY), -EOPNOTSUPP, -EBADF);
	ANSWERS(open("/dev/net/tun", O_RDWR), -EBADFD, -EBADFD);
	OK(openpty(&m, &s, NULL, NULL, NULL));
	ANSWERS(m, -EOPNOTSUPP, -EOPNOTSUPP);
	ANSWERS(s, -EOPNOTSUPP, -EOPNOTSUPP);
}

TEST(files_in_memory)
{
	ANSWERS(memfd_create("x", 0), -EOPNOTSUPP, -EOPNOTSUPP);
	ANSWERS(open("/proc/self/status", O_RDONLY), -EOPNOTSUPP, -EBADF);
	ANSWERS(open("/proc/self/mem", O_RDWR), -EOPNOTSUPP, -EOPNOTSUPP);
	ANSWERS(open("/sys/kernel/uevent_seqnum", O_RDONLY), -EOPNOTSUPP, -EBADF);
}
