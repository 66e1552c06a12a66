// SPDX-License-Identifier: MIT
/*
 * Linux AIO, io_setup(2) and its relatives, by system calls alone.
 * proves: io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents eventfd2
 */
#include "t.h"
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <linux/ioprio.h>
#include <linux/loop.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct ring {
	unsigned int id, nr, head, tail, magic, compat, incompat, header_length;
	struct io_event events[];
};

static aio_context_t setup(unsigned int n)
{
	aio_context_t c = 0;

	OK(syscall(SYS_io_setup, n, &c));
	CHECK(c);
	return c;
}

static long submit(aio_context_t c, struct iocb *i)
{
	return syscall(SYS_io_submit, c, 1L, &i);
}

static long events(aio_context_t c, long min, long n, struct io_event *e, struct timespec *t)
{
	return syscall(SYS_io_getevents, c, min, n, e, t);
}

static struct iocb io(int op, int fd, const void *buf, size_t n, long long off)
{
	return (struct iocb){ .aio_lio_opcode = (uint16_t)op,
			      .aio_fildes = (uint32_t)fd,
			      .aio_buf = (uintptr_t)buf,
			      .aio_nbytes = n,
			      .aio_offset = off,
			      .aio_data = 77 };
}

/* Submits and takes its event: the result. */
static long long run(aio_context_t c, struct iocb *i)
{
	struct io_event e = { 0 };

	EQ(submit(c, i), 1);
	EQ(events(c, 1, 1, &e, NULL), 1);
	EQ(e.data, i->aio_data);
	EQ(e.obj, (uintptr_t)i);
	EQ(e.res2, 0);
	return e.res;
}

static int file(void)
{
	char name[] = "/tmp/aio-XXXXXX";
	int fd = OK(mkstemp(name));

	unlink(name);
	return fd;
}

TEST(reads_and_writes)
{
	aio_context_t c = setup(8);
	int fd = file();
	char b[16] = "";
	struct iovec v[2] = { { (void *)"abc", 3 }, { (void *)"defg", 4 } },
		     w[2] = { { b, 2 }, { b + 8, 4 } };
	struct iocb i = io(IOCB_CMD_PWRITE, fd, "0123456789", 10, 5);

	EQ(run(c, &i), 10);
	i = io(IOCB_CMD_PREAD, fd, b, 16, 7);
	EQ(run(c, &i), 8);
	CHECK(!memcmp(b, "23456789", 8));
	i = io(IOCB_CMD_PWRITEV, fd, v, 2, 0);
	EQ(run(c, &i), 7);
	i = io(IOCB_CMD_PREADV, fd, w, 2, 1);
	EQ(run(c, &i), 6);
	CHECK(!memcmp(b, "bc", 2) && !memcmp(b + 8, "defg", 4));
	i = io(IOCB_CMD_PREAD, fd, b, 16, 15);
	EQ(run(c, &i), 0);
	i = io(IOCB_CMD_PREAD, fd, b, 0, 0);
	EQ(run(c, &i), 0);
	i = io(IOCB_CMD_FSYNC, fd, NULL, 0, 0);
	EQ(run(c, &i), 0);
	i = io(IOCB_CMD_FDSYNC, fd, NULL, 0, 0);
	EQ(run(c, &i), 0);
	/* What the operation finds wrong is its event. */
	i = io(IOCB_CMD_PREAD, fd, (void *)8, 4, 0);
	EQ(run(c, &i), -EFAULT);
	EQ(lseek(fd, 0, SEEK_CUR), 0);
	i = io(IOCB_CMD_PWRITE, fd, "xy", 2, 0);
	i.aio_rw_flags = RWF_APPEND;
	EQ(run(c, &i), 2);
	EQ(pread(fd, b, 16, 15), 2);
	OK(syscall(SYS_io_destroy, c));
	ERR(syscall(SYS_io_destroy, c), EINVAL);
}

TEST(what_is_refused)
{
	aio_context_t c = setup(1), none = 0;
	int fd = file(), ro = OK(open("/proc/self/exe", O_RDONLY)), p[2];
	struct iocb i, *none_at = NULL;
	char b[4];

	none = c;
	ERR(syscall(SYS_io_setup, 1, &none), EINVAL);
	none = 0;
	ERR(syscall(SYS_io_setup, 0, &none), EINVAL);
	ERR(syscall(SYS_io_setup, 1, NULL), EFAULT);
	ERR(syscall(SYS_io_setup, 0x7fffffff, &none), EINVAL);
	ERR(syscall(SYS_io_setup, 100000, &none), EAGAIN);
	EQ(none, 0);
	ERR(syscall(SYS_io_submit, 0, 0L, NULL), EINVAL);
	ERR(syscall(SYS_io_submit, c, -1L, NULL), EINVAL);
	EQ(syscall(SYS_io_submit, c, 0L, NULL), 0);
	ERR(syscall(SYS_io_submit, c, 1L, NULL), EFAULT);
	ERR(syscall(SYS_io_submit, c, 1L, &none_at), EFAULT);
	i = io(IOCB_CMD_PREAD, 9999, b, 4, 0);
	ERR(submit(c, &i), EBADF);
	i = io(IOCB_CMD_PWRITE, ro, b, 4, 0);
	ERR(submit(c, &i), EBADF);
	i = io(4, fd, b, 4, 0);
	ERR(submit(c, &i), EINVAL);
	i = io(IOCB_CMD_PREAD, fd, b, (size_t)-1, 0);
	ERR(submit(c, &i), EINVAL);
	i = io(IOCB_CMD_PREAD, fd, b, 4, -1);
	ERR(submit(c, &i), EINVAL);
	i = io(IOCB_CMD_PREAD, fd, b, 4, 0);
	i.aio_reserved2 = 1;
	ERR(submit(c, &i), EINVAL);
	i = io(IOCB_CMD_PREAD, fd, b, 4, 0);
	i.aio_rw_flags = 0x40000000;
	ERR(submit(c, &i), EOPNOTSUPP);
	i = io(IOCB_CMD_PREADV, fd, (void *)8, 1, 0);
	ERR(submit(c, &i), EFAULT);
	i = io(IOCB_CMD_PREADV, fd, b, 2000, 0);
	ERR(submit(c, &i), EINVAL);
	i = io(IOCB_CMD_FSYNC, fd, b, 0, 0);
	ERR(submit(c, &i), EINVAL);
	OK(pipe(p));
	i = io(IOCB_CMD_FSYNC, p[0], NULL, 0, 0);
	ERR(submit(c, &i), EINVAL);
	i = io(IOCB_CMD_PREAD, fd, b, 4, 0);
	i.aio_flags = IOCB_FLAG_RESFD;
	i.aio_resfd = (uint32_t)fd;
	ERR(submit(c, &i), EINVAL);
	i.aio_resfd = 9999;
	ERR(submit(c, &i), EBADF);
	i = io(IOCB_CMD_PREAD, fd, b, 4, 0);
	i.aio_flags = IOCB_FLAG_IOPRIO;
	i.aio_reqprio = (int16_t)(7 << IOPRIO_CLASS_SHIFT);
	ERR(submit(c, &i), EINVAL);
	i = io(IOCB_CMD_POLL, fd, (void *)0x10000, 0, 0);
	ERR(submit(c, &i), EINVAL);
	i = io(IOCB_CMD_POLL, fd, (void *)POLLIN, 1, 0);
	ERR(submit(c, &i), EINVAL);
	OK(syscall(SYS_io_destroy, c));
}

TEST(what_is_refused_of_events)
{
	aio_context_t c = setup(1);
	int fd = file();
	struct io_event e[2];
	struct iocb i;
	char b[4];

	ERR(events(c, 2, 1, e, NULL), EINVAL);
	ERR(events(c, -1, 1, e, NULL), EINVAL);
	ERR(events(c + 4096, 0, 1, e, NULL), EINVAL);
	ERR(events(0, 0, 1, e, NULL), EINVAL);
	ERR(events(c, 0, 1, e, (void *)8), EFAULT);
	EQ(events(c, 0, 1, e, NULL), 0);
	i = io(IOCB_CMD_PREAD, fd, b, 4, 0);
	EQ(submit(c, &i), 1);
	ERR(events(c, 1, 1, (void *)8, NULL), EFAULT);
	EQ(events(c, 1, 2, e, NULL), 1);
	/* The second of two fails: one was handed over. */
	{
		struct iocb ok = io(IOCB_CMD_PREAD, fd, b, 4, 0),
			    bad = io(IOCB_CMD_PREAD, 9999, b, 4, 0);
		struct iocb *both[2] = { &ok, &bad };

		EQ(syscall(SYS_io_submit, c, 2L, both), 1);
		EQ(events(c, 1, 2, e, NULL), 1);
		EQ(e[0].obj, (uintptr_t)&ok);
	}
	OK(syscall(SYS_io_destroy, c));
	ERR(events(c, 0, 1, e, NULL), EINVAL);
}

/* The program may read the ring itself, and take events by moving its head. */
TEST(the_ring)
{
	aio_context_t c = setup(1);
	struct ring *r = (void *)c;
	int fd = file();
	struct iocb i = io(IOCB_CMD_PWRITE, fd, "x", 1, 0);
	struct io_event e;
	unsigned int n;

	EQ(r->magic, 0xa10a10a1);
	EQ(r->compat, 1);
	EQ(r->incompat, 0);
	EQ(r->header_length, 32);
	CHECK(r->nr > 1 && (32 + (size_t)r->nr * 32) % 4096 == 0);
	EQ(r->head, 0);
	for (n = 0; submit(c, &i) == 1; n++)
		;
	EQ(errno, EAGAIN);
	CHECK(n <= r->nr - 1 && n >= r->nr / 2);
	EQ(r->tail, n);
	CHECK(r->events[5].obj == (uintptr_t)&i && r->events[5].res == 1 &&
	      r->events[5].data == 77);
	/* All but two are taken. */
	r->head = n - 2;
	EQ(submit(c, &i), 1);
	EQ(r->tail, (n + 1) % r->nr);
	EQ(events(c, 0, 1, &e, NULL), 1);
	EQ(r->head, n - 1);
	EQ(events(c, 1, 1, &e, NULL), 1);
	EQ(events(c, 1, 1, &e, NULL), 1);
	EQ(events(c, 0, 1, &e, NULL), 0);
	for (n = 0; submit(c, &i) == 1; n++)
		;
	for (; events(c, 0, 1, &e, NULL) == 1; n--)
		EQ(e.res, 1);
	EQ(n, 0);
	/* Nonsense there harms nobody but its author. */
	r->head = r->tail = r->nr = 0xffffffff;
	EQ(submit(c, &i), 1);
	events(c, 0, 1, &e, NULL);
	OK(syscall(SYS_io_destroy, c));
}

/*
 * A ring that is moved has another name; one that is unmapped has none; a child has the memory
 * alone.
 */
TEST(the_rings_place)
{
	aio_context_t c = setup(1), d;
	struct ring *r = (void *)c;
	size_t size = 32 + (size_t)r->nr * 32;
	void *to = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = file(), st;
	struct iocb i = io(IOCB_CMD_PWRITE, fd, "x", 1, 0);
	struct io_event e;
	pid_t pid;

	CHECK(to != MAP_FAILED);
	CHECK(mremap(r, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	ERR(submit(c, &i), EINVAL);
	c = (aio_context_t)to;
	EQ(run(c, &i), 1);
	pid = OK(fork());
	if (!pid) {
		ERR(msync(to, size, MS_ASYNC), ENOMEM);
		ERR(submit(c, &i), EINVAL);
		ERR(events(c, 0, 1, &e, NULL), EINVAL);
		ERR(syscall(SYS_io_destroy, c), EINVAL);
		d = setup(1);
		EQ(run(d, &i), 1);
		_exit(0);
	}
	EQ(waitpid(pid, &st, 0), pid);
	EQ(st, 0);
	EQ(run(c, &i), 1);
	OK(munmap(to, size));
	ERR(submit(c, &i), EINVAL);
	ERR(syscall(SYS_io_destroy, c), EINVAL);
	/* Another one at the same place. */
	for (int n = 0; n < 3; n++) {
		d = setup(1);
		EQ(run(d, &i), 1);
		OK(munmap((void *)d, size));
	}
}

TEST(an_eventfd_counts)
{
	aio_context_t c = setup(8);
	int fd = file(), ev = OK(eventfd(0, EFD_NONBLOCK));
	struct iocb i = io(IOCB_CMD_PWRITE, fd, "x", 1, 0), *p[3] = { &i, &i, &i };
	struct io_event e[3];
	uint64_t n;

	i.aio_flags = IOCB_FLAG_RESFD;
	i.aio_resfd = (uint32_t)ev;
	EQ(syscall(SYS_io_submit, c, 3L, p), 3);
	EQ(events(c, 3, 3, e, NULL), 3);
	EQ(read(ev, &n, 8), 8);
	EQ(n, 3);
	i = io(IOCB_CMD_FSYNC, fd, NULL, 0, 0);
	i.aio_flags = IOCB_FLAG_RESFD;
	i.aio_resfd = (uint32_t)ev;
	EQ(run(c, &i), 0);
	OK(fcntl(ev, F_SETFL, 0));
	EQ(read(ev, &n, 8), 8);
	EQ(n, 1);
	/* It is held until the event. */
	OK(syscall(SYS_io_destroy, c));
}

TEST(poll_waits)
{
	aio_context_t c = setup(8);
	int p[2], s[2];
	struct iocb i, j;
	struct io_event e[2];
	struct timespec none = { 0, 0 };
	char b;

	OK(pipe(p));
	i = io(IOCB_CMD_POLL, p[0], (void *)POLLIN, 0, 0);
	EQ(submit(c, &i), 1);
	EQ(events(c, 1, 1, e, &none), 0);
	EQ(write(p[1], "a", 1), 1);
	EQ(events(c, 1, 1, e, NULL), 1);
	CHECK(e[0].res & POLLIN);	/* Linux says all that the waker did */
	/* It is there already; once only. */
	EQ(run(c, &i), POLLIN);
	EQ(read(p[0], &b, 1), 1);
	EQ(events(c, 0, 1, e, NULL), 0);
	j = io(IOCB_CMD_POLL, p[1], (void *)POLLOUT, 0, 0);
	EQ(run(c, &j), POLLOUT);
	/* Cancelled: its event says nothing. */
	EQ(submit(c, &i), 1);
	ERR(syscall(SYS_io_cancel, c, &i, e), EINPROGRESS);
	EQ(events(c, 1, 1, e, NULL), 1);
	EQ(e[0].res, 0);
	EQ(e[0].obj, (uintptr_t)&i);
	ERR(syscall(SYS_io_cancel, c, &i, e), EINVAL);
	ERR(syscall(SYS_io_cancel, c, &j, e), EINVAL);
	ERR(syscall(SYS_io_cancel, c, NULL, e), EFAULT);
	i.aio_key = 1;
	ERR(syscall(SYS_io_cancel, c, &i, e), EINVAL);
	/* The other end is closed. */
	EQ(submit(c, &i), 1);
	close(p[1]);
	EQ(events(c, 1, 1, e, NULL), 1);
	CHECK(e[0].res & POLLHUP);
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	i = io(IOCB_CMD_POLL, s[0], (void *)(POLLIN | POLLRDHUP), 0, 0);
	EQ(submit(c, &i), 1);
	OK(shutdown(s[1], SHUT_WR));
	EQ(events(c, 1, 1, e, NULL), 1);
	EQ(e[0].res & (POLLIN | POLLRDHUP), POLLIN | POLLRDHUP);
	/* What waits does not keep the context, nor the process, from ending. */
	i = io(IOCB_CMD_POLL, s[1], (void *)POLLIN, 0, 0);
	EQ(submit(c, &i), 1);
	EQ(submit(c, &i), 1);
	OK(syscall(SYS_io_destroy, c));
	c = setup(8);
	EQ(submit(c, &i), 1);
}

static void *late_write(void *fd)
{
	t_sleep_ms(20);
	EQ(write(*(int *)fd, "ab", 2), 2);
	return NULL;
}

static void *destroyer(void *c)
{
	t_sleep_ms(20);
	OK(syscall(SYS_io_destroy, *(aio_context_t *)c));
	return NULL;
}

static void on_alarm(int sig)
{
}

TEST(waiting_for_events)
{
	aio_context_t c = setup(8);
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct timespec t = { 0, 20000000 };
	struct {
		const void *mask;
		size_t size;
	} sig;
	unsigned long long block = 1ull << (SIGUSR1 - 1), open = 0;
	struct io_event e[4];
	struct iocb i, j;
	pthread_t th;
	int p[2];

	OK(pipe(p));
	i = io(IOCB_CMD_POLL, p[0], (void *)POLLIN, 0, 0);
	j = io(IOCB_CMD_POLL, p[0], (void *)POLLIN, 0, 0);
	EQ(submit(c, &i), 1);
	EQ(submit(c, &j), 1);
	EQ(events(c, 1, 4, e, &t), 0);
	EQ(pthread_create(&th, NULL, late_write, &p[1]), 0);
	EQ(events(c, 2, 4, e, NULL), 2);
	pthread_join(th, NULL);
	EQ(submit(c, &i), 1);
	/* Two are wanted, one comes: that one at the end of the time. */
	EQ(events(c, 2, 4, e, &t), 1);
	/* A signal ends the wait. */
	OK(sigaction(SIGUSR1, &sa, NULL));
	OK(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &block, NULL, 8));
	OK(raise(SIGUSR1));
	EQ(events(c, 1, 4, e, &t), 0);
	sig.mask = &open;
	sig.size = 8;
	ERR(syscall(SYS_io_pgetevents, c, 1L, 4L, e, NULL, &sig), EINTR);
	EQ(syscall(SYS_io_pgetevents, c, 0L, 4L, e, NULL, &sig), 0);
	sig.size = 4;
	ERR(syscall(SYS_io_pgetevents, c, 0L, 4L, e, NULL, &sig), EINVAL);
	ERR(syscall(SYS_io_pgetevents, c, 0L, 4L, e, NULL, (void *)8), EFAULT);
	/* So does the end of the context. */
	EQ(pthread_create(&th, NULL, destroyer, &c), 0);
	ERR(events(c, 1, 4, e, NULL), EINVAL);
	pthread_join(th, NULL);
}

static long long value_of(const char *path)
{
	char b[32] = "";
	int fd = OK(open(path, O_RDONLY));

	CHECK(read(fd, b, sizeof(b) - 1) > 0);
	close(fd);
	return atoll(b);
}

TEST(the_limit)
{
	long long before = value_of("/proc/sys/fs/aio-nr");
	aio_context_t c, d = 0;
	char b[32];
	int fd;

	EQ(value_of("/proc/sys/fs/aio-max-nr"), 65536);
	c = setup(100);
	EQ(value_of("/proc/sys/fs/aio-nr"), before + 100);
	fd = OK(open("/proc/sys/fs/aio-max-nr", O_WRONLY));
	snprintf(b, sizeof(b), "%lld", before + 150);
	CHECK(write(fd, b, strlen(b)) > 0);
	ERR(syscall(SYS_io_setup, 51, &d), EAGAIN);
	OK(syscall(SYS_io_setup, 50, &d));
	OK(syscall(SYS_io_destroy, d));
	EQ(pwrite(fd, "65536", 5, 0), 5);
	OK(syscall(SYS_io_destroy, c));
	EQ(value_of("/proc/sys/fs/aio-nr"), before);
}

/* ---- direct transfers of a disk, which go on while the program does something else ---- */

#define DISK (4 << 20)
#define PART 16384
#define PARTS (DISK / PART)

static int control, number, disk;
static char *memory;

static void disk_begin(void)
{
	struct loop_config lc = { .fd = (uint32_t)file() };
	char dev[32];

	control = open("/dev/loop-control", O_RDWR);
	if (control < 0 && errno == ENOENT)
		SKIP("no loop devices");
	memory = mmap(NULL, DISK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	OK(ftruncate((int)lc.fd, DISK));
	number = OK(ioctl(control, LOOP_CTL_GET_FREE));
	snprintf(dev, sizeof(dev), "/dev/loop%d", number);
	disk = OK(open(dev, O_RDWR | O_DIRECT));
	OK(ioctl(disk, LOOP_CONFIGURE, &lc));
}

static void disk_end(void)
{
	close(disk);
	/* A file goes soon after its last request. */
	while (ioctl(control, LOOP_CTL_REMOVE, number) < 0) {
		EQ(errno, EBUSY);
		sched_yield();
	}
}

/* All requests at once; each has its bytes. */
static void run_all(aio_context_t c, struct iocb *i)
{
	struct io_event e[PARTS];
	struct iocb *p[PARTS];

	for (int n = 0; n < PARTS; n++)
		p[n] = &i[n];
	EQ(syscall(SYS_io_submit, c, (long)PARTS, p), PARTS);
	EQ(events(c, PARTS, PARTS, e, NULL), PARTS);
	for (int n = 0; n < PARTS; n++)
		EQ(e[n].res, PART);
}

TEST(direct_transfers)
{
	struct iocb i[PARTS];
	aio_context_t c = setup(PARTS);
	struct io_event e;

	disk_begin();
	for (int n = 0; n < PARTS; n++) {
		char *b = memory + (size_t)n * PART;

		memset(b, n + 1, PART);
		i[n] = io(IOCB_CMD_PWRITE, disk, b, PART, (long long)n * PART);
		i[n].aio_rw_flags = n % 4 ? 0 : RWF_DSYNC;
	}
	run_all(c, i);
	memset(memory, 0, DISK);
	for (int n = 0; n < PARTS; n++)
		i[n].aio_lio_opcode = IOCB_CMD_PREAD;
	run_all(c, i);
	for (size_t n = 0; n < DISK; n++)
		CHECK(memory[n] == (char)(n / PART + 1));
	/* With the descriptor closed meanwhile. */
	i[0] = io(IOCB_CMD_PREAD, disk, memory, PART, PART);
	EQ(submit(c, &i[0]), 1);
	OK(ioctl(disk, LOOP_CLR_FD));
	close(disk);
	EQ(events(c, 1, 1, &e, NULL), 1);
	EQ(e.res, PART);
	CHECK(memory[0] == 2);
	OK(syscall(SYS_io_destroy, c));
	disk_end();
}

/* Vectors; memory that is a file's; the disk's end; what is not in its blocks. */
TEST(direct_edges)
{
	aio_context_t c = setup(1);
	struct iovec v[3];
	struct iocb i;
	char *shared;
	int f = file();

	disk_begin();
	OK(ftruncate(f, PART));
	shared = mmap(NULL, PART, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	CHECK(shared != MAP_FAILED);
	memset(memory, 7, PART);
	i = io(IOCB_CMD_PWRITE, disk, memory, PART, DISK - PART);
	EQ(run(c, &i), PART);
	v[0] = (struct iovec){ memory + 32768 + 1024, 512 };
	v[1] = (struct iovec){ shared, 8192 };
	v[2] = (struct iovec){ memory + 65536, 512 };
	i = io(IOCB_CMD_PREADV, disk, v, 3, DISK - PART);
	EQ(run(c, &i), 9216);
	CHECK(memory[32768 + 1024] == 7 && shared[0] == 7 && shared[8191] == 7 && !shared[8192] &&
	      memory[65536 + 511] == 7);
	i = io(IOCB_CMD_PREAD, disk, memory, PART, DISK - 512);
	EQ(run(c, &i), 512);
	i = io(IOCB_CMD_PREAD, disk, memory, PART, DISK);
	EQ(run(c, &i), 0);
	i = io(IOCB_CMD_PWRITE, disk, memory, PART, DISK);
	EQ(run(c, &i), -ENOSPC);
	i = io(IOCB_CMD_PREAD, disk, memory + 1, PART, 0);
	EQ(run(c, &i), -EINVAL);
	i = io(IOCB_CMD_PREAD, disk, memory, PART, 1);
	EQ(run(c, &i), -EINVAL);
	i = io(IOCB_CMD_PREAD, disk, memory, 100, 0);
	EQ(run(c, &i), -EINVAL);
	OK(ioctl(disk, LOOP_CLR_FD));
	OK(syscall(SYS_io_destroy, c));
	disk_end();
}
