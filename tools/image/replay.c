// SPDX-License-Identifier: MIT
/* replay: brings what an image's log has to its blocks, with the kernel's own code (fs/xfs/log). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fs/xfs/log/replay.h"
#include "tools/image/image.h"

struct target {
	struct image *im;
	long writes;		/* how many are left; below 0: no end */
};

static void *replay_alloc(void *ctx, size_t n)
{
	(void)ctx;
	return calloc(1, n);
}

static void replay_free(void *ctx, void *p, size_t n)
{
	(void)ctx;
	(void)n;
	free(p);
}

static int replay_read(void *ctx, u64 daddr, void *buf, u32 len)
{
	return image_read(((struct target *)ctx)->im, daddr << 9, buf, len);
}

/* The last write before the end is torn: half of it is there. */
static int replay_write(void *ctx, u64 daddr, const void *buf, u32 len)
{
	struct target *t = ctx;
	ssize_t n;

	if (!t->writes)
		return -EIO;
	if (t->writes > 0 && !--t->writes && len > 512)
		len = len / 2 & ~511u;
	n = pwrite(t->im->fd, buf, len, (off_t)(daddr << 9));
	return n == (ssize_t)len ? 0 : n < 0 ? -errno : -EIO;
}

static int replay_flush(void *ctx)
{
	struct target *t = ctx;

	return !t->writes ? -EIO : fsync(t->im->fd) ? -errno : 0;
}

static bool replay_stop(void *ctx)
{
	(void)ctx;
	return false;
}

int cmd_replay(struct image *im, const char *writes)
{
	struct target t = { im, writes ? atol(writes) : -1 };
	struct xfs_replay_env env = { .ctx = &t,
				      .alloc = replay_alloc,
				      .free = replay_free,
				      .read = replay_read,
				      .write = replay_write,
				      .flush = replay_flush,
				      .stop = replay_stop,
				      .most = 1u << 30,
				      .sectors = im->bytes >> 9 };
	struct xfs_replay_result res;
	struct xfs_fault f = { 0 };
	int e;

	close(im->fd);
	im->fd = open(im->path, O_RDWR | O_CLOEXEC);
	if (im->fd < 0) {
		fprintf(stderr, "ochre: %s: %s\n", im->path, strerror(errno));
		return 1;
	}
	e = xfs_replay(&im->vol.sb, &env, true, &res, &f);
	if (!e && res.clean)
		printf("the log is clean\n");
	else if (!e)
		printf("%llu transactions from block %llu to %llu: %llu sectors written%s\n",
		       res.transactions, res.tail, res.head, res.blocks,
		       res.left ? "; it stays dirty" : "");
	else if (res.why)
		printf("the log cannot be replayed: %s (%#x)\n", res.why, res.bits);
	else if (f.what)
		printf("the log cannot be replayed: %s %llu: %s is wrong (%llu)\n", f.what, f.place,
		       f.field, f.value);
	else
		printf("the log cannot be replayed: %s\n", strerror(-e));
	return e ? 1 : 0;
}
