/* SPDX-License-Identifier: MIT */
/*
 * Counts of links that a check has seen, by inode: 64 inodes a record, made when one of them is
 * counted first. All together they may take an eighth of the memory.
 *
 * Guarded by mp->names_lock, under which no memory is waited for: a record is made of what
 * xfs_links_ready() has laid ready, or of what there is at once.
 */
#pragma once

#include <kernel/spinlock.h>
#include <lib/rbtree.h>
#include <lib/types.h>

struct xfs_link_rec;
struct xfs_link_dirs;

struct xfs_links {
	struct rb_root recs;		/* by first inode */
	struct xfs_link_rec *rec;	/* laid ready, or NULL */
	struct xfs_link_dirs *dirs;
	size_t bytes;
};

/* What was seen of an inode. */
struct xfs_link_count {
	u32 parents;			/* entries that lead to it */
	u32 back;			/* directories whose ".." it is */
	u32 children;			/* its entries that lead to directories */
};

/* For one xfs_links_add(); the lock is not held. May sleep; GFP_NOFS. -ENOMEM. */
int __must_check xfs_links_ready(struct xfs_links *l, spinlock_t *lock);
/* -ENOMEM: not counted. Counts stay between 0 and U32_MAX. */
int __must_check xfs_links_add(struct xfs_links *l, u64 ino, int parents, int back, int children);
/* INO was compared: it is not to be found by xfs_links_next(). */
struct xfs_link_count xfs_links_take(struct xfs_links *l, u64 ino);
/*
 * Looks from *INO on for an inode that was not taken and has counts: 1: *INO is one. 0: none before
 * *INO, where the caller goes on: no long way with the lock held. -ENOENT: none.
 */
int xfs_links_next(struct xfs_links *l, u64 *ino);
/* Nobody else uses L. Sleeps. */
void xfs_links_free(struct xfs_links *l);
