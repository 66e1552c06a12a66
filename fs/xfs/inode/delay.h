/* SPDX-License-Identifier: MIT */
/*
 * Blocks of a file that are promised and not allocated: ranges in memory, whose blocks are taken
 * from the free ones when data come into the page cache, so that writing them back cannot fail for
 * want of space. Each range also has what one change of the fork's tree can take.
 *
 * All of it is guarded by li->lock, for writing where it changes; then the cookie changes too, as
 * it does with each other change of the file's map.
 */
#pragma once

#include <lib/rbtree.h>
#include <lib/types.h>

struct inode;
struct xfs_tx;

struct xfs_delays {
	struct rb_root root;
	u64 cookie;	/* rises with each change of the map; read without the lock, too */
	u64 blocks;			/* of all ranges, without those for trees */
};

/* Before the inode is seen. */
void xfs_delays_init(struct xfs_delays *d);
/* The range that has OFF, or else the next one: its first block and length. False: none. */
bool xfs_delay_find(const struct xfs_delays *d, u64 off, u64 *first, u64 *count);
/* COUNT blocks from OFF on, where nothing is mapped or promised. -ENOSPC, -ENOMEM. */
int __must_check xfs_delay_add(struct inode *inode, u64 off, u64 count);
/* Gives back those of COUNT blocks from OFF on that are promised. */
void xfs_delay_drop(struct inode *inode, u64 off, u64 count);
/*
 * TX gets the blocks of the COUNT promised ones from OFF on, and those for the tree; they are no
 * longer promised.
 */
void xfs_delay_to_tx(struct inode *inode, struct xfs_tx *tx, u64 off, u64 count);
/* The map has changed. */
void xfs_map_changed(struct inode *inode);
/* The first that TX has left of the COUNT blocks that it got are promised again, from OFF on. */
void xfs_delay_from_tx(struct inode *inode, struct xfs_tx *tx, u64 off, u64 count);
