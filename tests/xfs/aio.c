// SPDX-License-Identifier: MIT
/*
 * Run in the guest: aio DEVICE DIR OPTIONS SEED COUNT. Direct reads and writes of a file by Linux
 * AIO, up to 32 under way at once, beside a model in memory; in between, while they are under way,
 * the file is cut, grows, gets holes and zeroes, is cloned to and from, where they are and where
 * they are not. What was handed over before such a call happens before it. Then the file is read
 * after an unmount, mounted read-only.
 */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BLOCK 4096u
#define BLOCKS 2048u			/* of the file, at most */
#define MOST 32				/* requests under way */
#define LONGEST 16u			/* blocks of a request */

struct request {
	struct iocb io;
	unsigned int at, n;		/* blocks; N 0: none */
	int write;
	unsigned char *bytes, *expected;
};

static struct request req[MOST];
static unsigned char *model, *other;	/* the bytes of the file, and of a clone of it */
static unsigned int size = BLOCKS;	/* blocks */
static unsigned long state;
static aio_context_t ctx;
static int fd, fd2, stamp;

static unsigned int rnd(unsigned int n)
{
	state = state * 6364136223846793005ul + 1442695040888963407ul;
	return (unsigned int)((state >> 33) % n);
}

static int busy(unsigned int at, unsigned int n)
{
	for (int i = 0; i < MOST; i++)
		if (req[i].n && at < req[i].at + req[i].n && req[i].at < at + n)
			return 1;
	return 0;
}

static int under_way(void)
{
	int n = 0;

	for (int i = 0; i < MOST; i++)
		n += !!req[i].n;
	return n;
}

/* Takes at least MIN events. */
static void take(long min)
{
	struct io_event e[MOST];
	long n = syscall(SYS_io_getevents, ctx, min, (long)MOST, e, NULL);

	CHECK(n >= min);
	while (n--) {
		struct request *r = (struct request *)(uintptr_t)e[n].data;

		if (e[n].res != (long)r->n * BLOCK)
			printf("%s of blocks %u, %u: %lld\n", r->write ? "write" : "read", r->at,
			       r->n, (long long)e[n].res);
		CHECK(e[n].res == (long)r->n * BLOCK);
		CHECK(r->write || !memcmp(r->bytes, r->expected, (size_t)r->n * BLOCK));
		r->n = 0;
	}
}

/* Hands over up to MANY requests that touch none of those under way, at once. */
static void hand_over(unsigned int many)
{
	struct iocb *list[MOST];
	long n = 0;

	for (int i = 0; i < MOST && n < (long)many; i++) {
		struct request *r = &req[i];
		unsigned int len = 1 + rnd(LONGEST), at;

		if (r->n || len > size)
			continue;
		at = rnd(size - len + 1);
		if (busy(at, len))
			continue;
		r->at = at;
		r->n = len;
		r->write = rnd(3) != 0;
		if (r->write) {
			memset(r->bytes, ++stamp, (size_t)len * BLOCK);
			memset(model + (size_t)at * BLOCK, stamp, (size_t)len * BLOCK);
		} else {
			memcpy(r->expected, model + (size_t)at * BLOCK, (size_t)len * BLOCK);
		}
		r->io = (struct iocb){ .aio_data = (uintptr_t)r,
				       .aio_lio_opcode = r->write ? IOCB_CMD_PWRITE :
								    IOCB_CMD_PREAD,
				       .aio_fildes = (uint32_t)fd,
				       .aio_buf = (uintptr_t)r->bytes,
				       .aio_nbytes = (uint64_t)len * BLOCK,
				       .aio_offset = (int64_t)at * BLOCK,
				       .aio_rw_flags = r->write && !rnd(8) ? RWF_DSYNC : 0 };
		list[n++] = &r->io;
	}
	CHECK(syscall(SYS_io_submit, ctx, n, list) == n);
}

/* Something that changes where the file's bytes are, with what was handed over still under way. */
static void change(int share)
{
	unsigned int n = 1 + rnd(64), at = rnd(size), new;
	size_t off, len;

	if (n > size - at)
		n = size - at;
	off = (size_t)at * BLOCK;
	len = (size_t)n * BLOCK;
	switch (rnd(share ? 6 : 4)) {
	case 0:
		/* Other blocks in the place of those that are written to. */
		CHECK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off,
				 (off_t)len));
		CHECK(rnd(2) || !fallocate(fd, 0, (off_t)off, (off_t)len));
		memset(model + off, 0, len);
		break;
	case 1:
		CHECK(!fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, (off_t)off,
				 (off_t)len));
		memset(model + off, 0, len);
		break;
	case 2:
		/* Reads and writes behind the new end would be short: those go first. */
		new = BLOCKS / 2 + rnd(BLOCKS / 2) + 1;
		if (new < size)
			take(under_way());
		CHECK(!ftruncate(fd, (off_t) new *BLOCK));
		if (new < size)
			memset(model + (size_t)new *BLOCK, 0, (size_t)(size - new) * BLOCK);
		size = new;
		break;
	case 3:
		CHECK(!fallocate(fd, 0, (off_t)off, (off_t)len));
		break;
	case 4: {
		struct file_clone_range r = {
			.src_fd = fd, .src_offset = off, .src_length = len, .dest_offset = off
		};

		if (ioctl(fd2, FICLONERANGE, &r))
			CHECK(errno == EOPNOTSUPP);
		else
			memcpy(other + off, model + off, len);
		break;
	}
	case 5: {
		struct file_clone_range r = {
			.src_fd = fd2, .src_offset = off, .src_length = len, .dest_offset = off
		};

		if (ioctl(fd, FICLONERANGE, &r))
			CHECK(errno == EOPNOTSUPP);
		else
			memcpy(model + off, other + off, len);
		break;
	}
	}
}

static void compare(int f, const unsigned char *m, unsigned int blocks)
{
	static unsigned char b[BLOCK];

	for (unsigned int i = 0; i < blocks; i++) {
		CHECK(pread(f, b, BLOCK, (off_t)i * BLOCK) == BLOCK);
		if (memcmp(b, m + (size_t)i * BLOCK, BLOCK))
			printf("block %u has %d, not %d\n", i, b[0], m[(size_t)i * BLOCK]);
		CHECK(!memcmp(b, m + (size_t)i * BLOCK, BLOCK));
	}
}

static void *room(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

int main(int argc, char **argv)
{
	unsigned long changes = 0;
	long count;
	char path[99];
	int dir;

	CHECK(argc == 6);
	state = strtoul(argv[4], NULL, 10);
	count = atol(argv[5]);
	CHECK(!mount(argv[1], argv[2], "xfs", 0, argv[3]));
	model = room((size_t)BLOCKS * BLOCK);
	other = room((size_t)BLOCKS * BLOCK);
	for (int i = 0; i < MOST; i++) {
		req[i].bytes = room(LONGEST * BLOCK);
		req[i].expected = room(LONGEST * BLOCK);
	}
	snprintf(path, sizeof(path), "%s/aio", argv[2]);
	fd = open(path, O_RDWR | O_CREAT | O_DIRECT, 0600);
	CHECK(fd >= 0 && !ftruncate(fd, (off_t)BLOCKS * BLOCK));
	CHECK(!fallocate(fd, 0, 0, (off_t)BLOCKS / 2 * BLOCK));
	snprintf(path, sizeof(path), "%s/other", argv[2]);
	fd2 = open(path, O_RDWR | O_CREAT, 0600);
	CHECK(fd2 >= 0 && !ftruncate(fd2, (off_t)BLOCKS * BLOCK));
	CHECK(!syscall(SYS_io_setup, (unsigned int)MOST, &ctx));
	for (long i = 0; i < count; i++) {
		hand_over(1 + rnd(12));
		if (!rnd(4)) {
			change(i > count / 2);
			changes++;
		}
		take(rnd((unsigned int)under_way() + 1));
	}
	take(under_way());
	compare(fd2, other, BLOCKS);
	/* The descriptor is closed and the context ended with requests under way. */
	hand_over(MOST);
	close(fd);
	CHECK(!syscall(SYS_io_destroy, ctx));
	close(fd2);
	CHECK(!umount(argv[2]));
	CHECK(!mount(argv[1], argv[2], "xfs", MS_RDONLY, argv[3]));
	dir = open(argv[2], O_RDONLY | O_DIRECTORY);
	fd = openat(dir, "aio", O_RDONLY);
	fd2 = openat(dir, "other", O_RDONLY);
	CHECK(fd >= 0 && fd2 >= 0);
	compare(fd, model, size);
	compare(fd2, other, BLOCKS);
	close(fd);
	close(fd2);
	close(dir);
	CHECK(!umount(argv[2]));
	printf("aio: ok, %ld turns, %lu changes\n", count, changes);
	return 0;
}
