// SPDX-License-Identifier: MIT
/* Runs of a device and memory. */
#include "fs/xfs/buf/buf_priv.h"
#include <lib/minmax.h>
#include <alloc/page.h>
#include <alloc/vmalloc.h>
#include <abi/errno.h>

static struct page *page_of(const void *p)
{
	return is_vmalloc_addr(p) ? vmalloc_to_page(p) : virt_to_page(p);
}

/* One run and the bytes at P, read or written (OP): bios one after the other. */
static int do_run(struct bdev *bdev, unsigned int op, const struct xfs_run *run, const u8 *p)
{
	u32 len = run->bbs << SECTOR_SHIFT, done = 0;

	while (done < len) {
		struct bio *b = bio_alloc(bdev, op, 0, GFP_NOIO);
		int e;

		if (!b)
			return -ENOMEM;
		b->sector = run->daddr + (done >> SECTOR_SHIFT);
		while (done < len) {
			unsigned int off = (unsigned int)((uintptr_t)(p + done) & (PAGE_SIZE - 1)),
				     n = min(len - done, (unsigned int)PAGE_SIZE - off);

			if (!bio_add_page(b, page_of(p + done), n, off))
				break;
			done += n;
		}
		e = submit_bio_wait(b);
		if (e)
			return e;
	}
	return 0;
}

int xfs_read_runs(struct bdev *bdev, const struct xfs_run *runs, u32 n, void *buf)
{
	u8 *p = buf;

	for (u32 i = 0; i < n; i++) {
		int e = do_run(bdev, REQ_READ, &runs[i], p);

		if (e)
			return e;
		p += (size_t)runs[i].bbs << SECTOR_SHIFT;
	}
	return 0;
}

int xfs_read_raw(struct bdev *bdev, u64 daddr, void *buf, u32 len)
{
	struct xfs_run run = { daddr, len >> SECTOR_SHIFT };

	return xfs_read_runs(bdev, &run, 1, buf);
}

int xfs_write_raw(struct bdev *bdev, u64 daddr, const void *buf, u32 len)
{
	struct xfs_run run = { daddr, len >> SECTOR_SHIFT };

	return do_run(bdev, REQ_WRITE, &run, buf);
}
