/* SPDX-License-Identifier: MIT */
/*
 * Copies of a file's blocks that other files have too: blocks that are staged (bmap/reflink.h) and
 * will take the place of the file's when they are written. Ranges in memory, by their offset in the
 * file; li->lock, for writing where they change.
 */
#pragma once

#include <lib/rbtree.h>
#include <lib/types.h>

struct inode;
struct xfs_ext;

/* The copy that has block OFF, or else the next one: *X. False: there is none. */
bool xfs_copy_find(const struct inode *inode, u64 off, struct xfs_ext *x);

/* The functions below begin transactions: li->lock is not held. */

/*
 * Blocks from OFF on, at most COUNT, may be changed in the page cache: *OK of them, 1 at least, are
 * no other file's or have a copy. *NEW: one was staged now. -ENOSPC.
 */
int __must_check xfs_copy_stage(struct inode *inode, u64 off, u64 count, u64 *ok, bool *new);
/* Copies of COUNT blocks from OFF on are written: they become the file's blocks. */
int __must_check xfs_copy_finish(struct inode *inode, u64 off, u64 count);
/* Copies of COUNT blocks from OFF on are not wanted: their blocks are freed. */
int __must_check xfs_copy_drop(struct inode *inode, u64 off, u64 count);
/* The inode goes, and can change nothing on the disk: recovery frees what is staged. */
void xfs_copies_forget(struct inode *inode);
