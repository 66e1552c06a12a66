/* SPDX-License-Identifier: MIT */
/*
 * A program's end of Binder, for guest tests: commands that are written, answers that are read one
 * by one.
 */
#pragma once

#include "t.h"
#include <fcntl.h>
#include <linux/android/binder.h>
#include <linux/android/binderfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#define AREA (64 * 1024)

struct b {
	int fd;
	char *area;
	unsigned char in[1024];
	size_t at, len;				/* what was read and not looked at */
	int incs, acquires, releases, decs;	/* what the driver said of our objects */
	bool hold;				/* do not confirm that we hold them */
	int ready;				/* a child's: where it says that it is */
};

/*
 * binderfs on /tmp/binder with the device NAME; false: the kernel has none. A Linux without
 * binderfs may have made the device as it loaded the module (devices=).
 */
static bool b_mount(const char *name)
{
	struct binderfs_device d = { 0 };
	char path[64];
	int fd;

	/* In a mount namespace of our own: it goes with us. */
	OK(unshare(CLONE_NEWNS));
	OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	OK(mount("none", "/tmp", "tmpfs", 0, NULL));
	OK(mkdir("/tmp/binder", 0755));
	if (mount("binder", "/tmp/binder", "binder", 0, NULL)) {
		EQ(errno, ENODEV);
		snprintf(path, sizeof(path), "/dev/%s", name);
		if (access(path, F_OK))
			return false;
		OK(mount("/dev", "/tmp/binder", NULL, MS_BIND, NULL));
		return true;
	}
	fd = OK(open("/tmp/binder/binder-control", O_RDONLY | O_CLOEXEC));
	strcpy(d.name, name);
	if (ioctl(fd, BINDER_CTL_ADD, &d))
		EQ(errno, EEXIST);
	close(fd);
	return true;
}

static void b_open(struct b *b, const char *name)
{
	char path[64];

	memset(b, 0, sizeof(*b));
	snprintf(path, sizeof(path), "/tmp/binder/%s", name);
	b->fd = OK(open(path, O_RDWR | O_CLOEXEC));
	b->area = mmap(NULL, AREA, PROT_READ, MAP_PRIVATE, b->fd, 0);
	CHECK(b->area != MAP_FAILED);
}

/* Writes commands; how many bytes were taken. -1: errno. */
static long b_write(struct b *b, const void *p, size_t n)
{
	struct binder_write_read bwr = { .write_size = n, .write_buffer = (uintptr_t)p };

	return ioctl(b->fd, BINDER_WRITE_READ, &bwr) ? -1 : (long)bwr.write_consumed;
}

static void b_code(struct b *b, uint32_t code)
{
	EQ(b_write(b, &code, 4), 4);
}

struct b_u32 {
	uint32_t cmd, v;
};
struct b_u64 {
	uint32_t cmd;
	uint64_t v;
} __attribute__((packed));
struct b_pair {
	uint32_t cmd;
	uint64_t a, b;
} __attribute__((packed));
struct b_death {
	uint32_t cmd, handle;
	uint64_t cookie;
} __attribute__((packed));
struct b_call {
	uint32_t cmd;
	struct binder_transaction_data t;
} __attribute__((packed));

static void b_put32(struct b *b, uint32_t cmd, uint32_t v)
{
	struct b_u32 c = { cmd, v };

	EQ(b_write(b, &c, sizeof(c)), sizeof(c));
}

static void b_put64(struct b *b, uint32_t cmd, uint64_t v)
{
	struct b_u64 c = { cmd, v };

	EQ(b_write(b, &c, sizeof(c)), sizeof(c));
}

static void b_free(struct b *b, const struct binder_transaction_data *t)
{
	b_put64(b, BC_FREE_BUFFER, t->data.ptr.buffer);
}

/*
 * The next answer that is no BR_NOOP and not about our objects; what it brings, at most 64 bytes,
 * goes to ARG. -1: errno.
 */
static long b_next_of(struct b *b, void *arg, bool wait)
{
	for (;;) {
		uint32_t cmd;
		size_t n;
		struct b_pair done;

		if (b->at == b->len) {
			struct binder_write_read bwr = { .read_size = sizeof(b->in),
							 .read_buffer = (uintptr_t)b->in };

			b->at = b->len = 0;
			if (ioctl(b->fd, BINDER_WRITE_READ, &bwr))
				return -1;
			b->len = bwr.read_consumed;
			if (b->len == 4 && !wait)
				return BR_NOOP;
		}
		memcpy(&cmd, b->in + b->at, 4);
		n = _IOC_SIZE(cmd);
		CHECK(b->at + 4 + n <= b->len);
		if (arg && n <= 64)
			memcpy(arg, b->in + b->at + 4, n);
		memcpy(&done.a, b->in + b->at + 4, n == 16 ? 16 : 0);
		b->at += 4 + n;
		switch (cmd) {
		case BR_NOOP:
			continue;
		case BR_INCREFS:
		case BR_ACQUIRE:
			b->incs += cmd == BR_INCREFS;
			b->acquires += cmd == BR_ACQUIRE;
			done.cmd = cmd == BR_INCREFS ? BC_INCREFS_DONE : BC_ACQUIRE_DONE;
			if (!b->hold)
				EQ(b_write(b, &done, sizeof(done)), sizeof(done));
			continue;
		case BR_RELEASE:
			b->releases++;
			continue;
		case BR_DECREFS:
			b->decs++;
			continue;
		}
		return (long)cmd;
	}
}

static uint32_t b_next(struct b *b, void *arg)
{
	return (uint32_t)OK(b_next_of(b, arg, true));
}

static void b_send(struct b *b, uint32_t cmd, uint32_t handle, uint32_t code, uint32_t flags,
		   const void *data, size_t len, const uint64_t *offsets, size_t count)
{
	struct b_call c = { .cmd = cmd,
			    .t = { .target.handle = handle,
				   .code = code,
				   .flags = flags,
				   .data_size = len,
				   .offsets_size = count * 8,
				   .data.ptr = { .buffer = (uintptr_t)data,
						 .offsets = (uintptr_t)offsets } } };

	EQ(b_write(b, &c, sizeof(c)), sizeof(c));
}

/* A call and its end: BR_REPLY with *T, or what else comes. */
static uint32_t b_call(struct b *b, uint32_t handle, uint32_t code, const void *data, size_t len,
		       const uint64_t *offsets, size_t count, struct binder_transaction_data *t)
{
	uint32_t end;

	b_send(b, BC_TRANSACTION, handle, code, 0, data, len, offsets, count);
	end = b_next(b, t);
	return end == BR_TRANSACTION_COMPLETE ? b_next(b, t) : end;
}

static void b_reply(struct b *b, const void *data, size_t len, const uint64_t *offsets,
		    size_t count)
{
	b_send(b, BC_REPLY, 0, 0, 0, data, len, offsets, count);
	EQ(b_next(b, NULL), BR_TRANSACTION_COMPLETE);
}

static const void *b_data(const struct binder_transaction_data *t)
{
	return (const void *)(uintptr_t)t->data.ptr.buffer;
}

/* Reads all that is there. True where that was nothing but of objects. */
static bool b_rest(struct b *b)
{
	bool none = true;

	OK(fcntl(b->fd, F_SETFL, O_NONBLOCK));
	while (b_next_of(b, NULL, true) >= 0)
		none = false;
	EQ(errno, EAGAIN);
	OK(fcntl(b->fd, F_SETFL, 0));
	return none;
}

/*
 * Until the driver has said so many times that nobody holds an object of ours; it says nothing
 * else.
 */
static void b_let_go(struct b *b, int times)
{
	struct pollfd p = { .fd = b->fd, .events = POLLIN };

	while (b->releases < times || b->decs < times) {
		EQ(poll(&p, 1, -1), 1);
		CHECK(b_rest(b));
	}
	EQ(b->acquires, times);
	EQ(b->incs, times);
	EQ(b->releases, times);
	EQ(b->decs, times);
}

/*
 * Runs RUN, which does not return, in a child that has NAME open and ends with us. The child is
 * ready (b_ready) as this returns.
 */
static pid_t b_child(const char *name, void (*run)(struct b *b))
{
	int ready[2];
	pid_t pid;
	char c;

	OK(pipe(ready));
	pid = OK(fork());
	if (!pid) {
		struct b b;

		OK(prctl(PR_SET_PDEATHSIG, SIGKILL));
		close(ready[0]);
		b_open(&b, name);
		b.ready = ready[1];
		run(&b);
	}
	close(ready[1]);
	EQ(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static void b_ready(struct b *b)
{
	EQ(write(b->ready, "", 1), 1);
	close(b->ready);
}

/* Makes the caller the manager of its device. */
static void b_rule(struct b *b)
{
	while (ioctl(b->fd, BINDER_SET_CONTEXT_MGR, 0))
		EQ(errno, EBUSY);	/* a kernel may undo a killed one behind its end */
}
