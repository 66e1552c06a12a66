/* SPDX-License-Identifier: MIT */
/*
 * Changing directories. All forms (format/dir.h) are written, each is left for the next larger one
 * when it is full and for the smaller one when that suffices. An entry keeps its address, and so
 * its cookie, until it is removed, whatever becomes of others and of the form.
 *
 * The directory's metadata lock is held for writing. Times, counts of links and the change counter
 * are the caller's; its size, form and blocks are kept right here, and the inode is logged with the
 * fields that changed here.
 *
 * Errors: -ENOSPC comes before anything was logged where TX has not the blocks that
 * xfs_dirent_room() says; a removal needs none, but leaves empty blocks behind where it has none.
 */
#pragma once

#include "fs/xfs/tx/tx.h"

/* DP, an inode of a directory without anything in it yet, gets "." and "..", in short form. */
void xfs_dirent_init(struct xfs_tx *tx, struct xfs_ino *dp, u64 parent);
/* -EEXIST, -ENOSPC. FTYPE: the format's type of file. */
int __must_check xfs_dirent_add(struct xfs_tx *tx, struct xfs_ino *dp, const u8 *name, u32 len,
				u64 ino, u8 ftype);
/* -ENOENT; also where the name is another inode's than INO. */
int __must_check xfs_dirent_remove(struct xfs_tx *tx, struct xfs_ino *dp, const u8 *name, u32 len,
				   u64 ino);
/* The name, ".." perhaps, becomes INO's. -ENOENT, -ENOSPC. */
int __must_check xfs_dirent_replace(struct xfs_tx *tx, struct xfs_ino *dp, const u8 *name, u32 len,
				    u64 ino, u8 ftype);
/* Blocks to reserve for adding, replacing or removing one name of LEN bytes. */
u32 xfs_dirent_room(struct xfs_tx *tx, const struct xfs_ino *dp, u32 len);
/* 1: there is nothing but "." and ".."; 0; -errno. */
int __must_check xfs_dirent_empty(struct xfs_ino *dp);
/*
 * A directory in short form becomes one in a block (its literal area is needed for other things).
 * 0 where it is one already; -ENOSPC.
 */
int __must_check xfs_dirent_unshort(struct xfs_tx *tx, struct xfs_ino *dp);
