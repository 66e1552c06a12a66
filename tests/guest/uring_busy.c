// SPDX-License-Identifier: MIT
/*
 * io_uring(7): rings that are used by two at once.
 * proves: io_uring_enter
 */
#include "uring.h"
#include <dirent.h>
#include <pthread.h>
#include <sys/uio.h>

/* What is known of a ring can be read by the ring itself, and by another while it is used. */
TEST(a_ring_reads_of_itself)
{
	struct ring r = ring(8), o = ring(8);
	char name[64], b[1024] = "";
	int f[2];

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", r.fd);
	f[0] = OK(open(name, O_RDONLY));
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", o.fd);
	f[1] = OK(open(name, O_RDONLY));
	for (int i = 0; i < 2; i++) {
		memset(b, 0, sizeof(b));
		rw(&r, IORING_OP_READ, f[i], b, sizeof(b) - 1, 0, 1);
		EQ(enter(&r, 1, 1, IORING_ENTER_GETEVENTS), 1);
		CHECK(next(&r).res > 0);
		CHECK(!memcmp(b, "pos:", 4));
		CHECK(strstr(b, i ? "CqMask:\t0xf\n" : "pos:"));
	}
	close(f[0]);
	close(f[1]);
	end(&r);
	end(&o);
}

#define ROUNDS 3
#define MESSAGES 300

static int kernel_workers(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int n = 0;

	CHECK(d);
	while ((e = readdir(d))) {
		char path[300], name[32] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		if (read(fd, name, sizeof(name) - 1) > 0 && !strncmp(name, "kworker/", 8))
			n++;
		close(fd);
	}
	closedir(d);
	return n;
}

struct busy {
	struct ring r;
	int stop;
};

/* Its ring is locked while it reads. */
static void *read_long(void *arg)
{
	static char b[4 << 20];
	struct iovec v[256];
	struct busy *u = arg;
	int f = file();

	OK(ftruncate(f, 1 << 30));
	for (int i = 0; i < 256; i++)
		v[i] = (struct iovec){ b, sizeof(b) };
	while (!__atomic_load_n(&u->stop, __ATOMIC_ACQUIRE)) {
		rw(&u->r, IORING_OP_READV, f, v, 256, 0, 1)->flags = IOSQE_CQE_SKIP_SUCCESS;
		EQ(submit(&u->r, 1), 1);
	}
	close(f);
	return NULL;
}

/* How many completions there were; they are well. */
static unsigned int take_all(struct ring *r)
{
	unsigned int n;

	for (n = 0; there(r); n++)
		EQ(next(r).res, 0);
	return n;
}

/* However many messages wait for a ring, few of the kernel's workers do. */
TEST(messages_to_a_busy_ring)
{
	struct busy u = { .r = ring(1024) };
	struct ring r = ring(1024);
	unsigned int sent = 0, got = 0;
	int before = kernel_workers(), most = 0;
	pthread_t t;

	EQ(pthread_create(&t, NULL, read_long, &u), 0);
	for (int i = 0; i < ROUNDS; i++) {
		/* Until one is not taken at once. */
		do {
			got += take_all(&r);
			take_all(&u.r);
			sqe(&r, IORING_OP_MSG_RING, u.r.fd, sent++);
			EQ(submit(&r, 1), 1);
		} while (there(&r));
		for (int k = 0; k < MESSAGES; k++) {
			sqe(&r, IORING_OP_MSG_RING, u.r.fd, sent++);
			EQ(submit(&r, 1), 1);
		}
		do {
			int n = kernel_workers() - before;

			most = n > most ? n : most;
			sched_yield();
		} while (!there(&r));
	}
	__atomic_store_n(&u.stop, 1, __ATOMIC_RELEASE);
	EQ(pthread_join(t, NULL), 0);
	while (got < sent) {
		wait_for(&r, 1);
		got += take_all(&r);
		take_all(&u.r);
	}
	CHECK(most < 30);
	end(&r);
	end(&u.r);
}
