/* SPDX-License-Identifier: MIT */
/*
 * Sharing of blocks between files: ioctl_ficlonerange(2), ioctl_fideduperange(2), and
 * copy_file_range(2) where the filesystem can share.
 *
 * A filesystem has file_operations.remap_range(), called with the superblock's write access held
 * and no lock. It locks both files with remap_lock(), has the ranges checked and brought to the
 * disk by remap_prepare(), and changes its map.
 */
#pragma once

#include <lib/types.h>

struct file;
struct inode;

#define REMAP_DEDUPE	1u	/* only where the bytes are the same; sizes and times stay */
#define REMAP_SHORTEN	2u	/* the caller takes less than it asked for */

/*
 * Locks both files, which may be one: i_rwsem, then invalidate_lock of the mappings, each pair by
 * address. No write, fault for writing, truncation or direct read goes on.
 */
void remap_lock(struct inode *a, struct inode *b);
void remap_unlock(struct inode *a, struct inode *b);
/*
 * Checks the ranges as ioctl_ficlonerange(2) says and makes *LEN what is to be done: 0 at the start
 * means up to the end of IN; 0 afterwards means that nothing is to be done. Dirty data of both
 * ranges are on the device then, OUT has lost its privileges and has new times; with REMAP_DEDUPE
 * the bytes were compared. -EBADE: they differ; -EINVAL: ranges that are not aligned to blocks,
 * overlap, or lie behind the end; -EPERM, -ETXTBSY, -EISDIR, -EFBIG (also SIGXFSZ), -EINTR, -EIO.
 */
int __must_check remap_prepare(struct file *in, loff_t pos_in, struct file *out, loff_t pos_out,
			       loff_t *len, unsigned int flags);

/*
 * LEN bytes of IN (0: up to its end) become OUT's too. Bytes; -EXDEV: of another filesystem;
 * -EOPNOTSUPP: it cannot share; else as above. FLAGS: REMAP_SHORTEN.
 */
loff_t vfs_clone_range(struct file *in, loff_t pos_in, struct file *out, loff_t pos_out, loff_t len,
		       unsigned int flags);
/* FICLONE, FICLONERANGE and FIDEDUPERANGE on FILE. */
struct uptr;
long remap_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
