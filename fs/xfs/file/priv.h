/* SPDX-License-Identifier: MIT */
/* Between the files of this part. */
#pragma once

#include "fs/xfs/file/file.h"

/* The inode may share blocks with others. */
bool xfs_shares(const struct inode *inode);
/*
 * At most MOST blocks from block OFF on become unwritten ones, where they are promised, or, with
 * HOLES, are a hole. *OUT: what is there then. -ENOSPC. No metadata lock is held.
 */
int __must_check xfs_fill(struct inode *inode, u64 off, u64 most, bool holes, struct extent *out);
/* The same map, which also says what other files share (map.c). */
extern const struct extent_ops xfs_fiemap_ops;
/* file_operations.fallocate. */
long xfs_fallocate(struct file *file, int mode, loff_t off, loff_t len);
/* Blocks FIRST to END are a hole afterwards, however many transactions that takes. */
int __must_check xfs_unmap(struct inode *inode, u64 first, u64 end);

/*
 * The functions below are called with the inode and its invalidate_lock locked for writing.
 *
 * LEN bytes at OFF go, or become a hole that is new, and what is behind them comes nearer or goes
 * away (shift.c). -EINVAL: not whole blocks, or the range reaches the end of the file; -EFBIG.
 */
int __must_check xfs_collapse(struct inode *inode, loff_t off, loff_t len);
int __must_check xfs_insert(struct inode *inode, loff_t off, loff_t len);
/* No block of bytes OFF to END is another file's too (remap.c). -ENOSPC, -EINTR, -EIO. */
int __must_check xfs_unshare(struct inode *inode, loff_t off, loff_t end);
/* file_operations.remap_range. */
loff_t xfs_remap_range(struct file *in, loff_t pos_in, struct file *out, loff_t pos_out, loff_t len,
		       unsigned int flags);
/*
 * Nothing of bytes POS to END is in memory alone any more, or in the cache: data are on the device,
 * promises and copies are given up (exchange.c). What there is below POS and the size on the disk
 * does not cover is written, as that size will. The file reaches POS at least.
 */
int __must_check xfs_settle(struct inode *inode, loff_t pos, loff_t end);
