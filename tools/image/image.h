/* SPDX-License-Identifier: MIT */
/*
 * ./ochre image: XFS images on this machine, read with the kernel's own decoders and walks
 * (fs/xfs/format).
 */
#pragma once

#include "fs/xfs/format/agheader.h"
#include "fs/xfs/format/log.h"
#include "fs/xfs/format/walk.h"

struct image {
	struct xfs_vol vol;		/* first: the walks hand it back */
	int fd;
	const char *path;
	u64 bytes;
	bool quiet;			/* faults are counted, not printed */
	unsigned long faults;
};

/* An inode with room for what lies behind its core. */
struct file {
	struct xfs_node node;
	u8 literal[2048];
};

/* Opens PATH and reads the superblock; ends the program where that fails. */
void image_open(struct image *im, const char *path);
/* LEN bytes at byte AT: 0 or -EIO. */
int image_read(struct image *im, u64 at, void *buf, u32 len);
int image_log_state(struct image *im, struct xfs_log_state *s);
int file_read(struct image *im, u64 ino, struct file *f);
/* The inode of PATH ("/a/b"), symlinks in the middle followed. */
int image_find(struct image *im, const char *path, struct file *f);

/*
 * A name of at most 1,024 bytes, with octal numbers for what a terminal would act on. Valid until
 * the next call.
 */
const char *printable(const u8 *name, size_t len);
int cmd_info(struct image *im, const char *path);
int cmd_check(struct image *im);
/* WRITES: a test ends it after so many, as a power cut would; NULL: never. */
int cmd_replay(struct image *im, const char *writes);
