/* SPDX-License-Identifier: MIT */
/* What an inode has, by the trees of owners, and forks made of it (fork.c). */
#pragma once

#include "fs/xfs/inode/inode.h"
#include "fs/xfs/repair/repair.h"

struct xfs_owned_fork {
	struct xfs_list exts;		/* two numbers each: a record of the disk, in host order */
	struct xfs_list tree;		/* blocks (fsb) of its old tree */
	struct xfs_list pieces;		/* of its new tree */
	u32 new_blocks, gone;		/* GONE: of TREE, that are freed */
	bool made;			/* anew */
};
struct xfs_owned {			/* zeroes but for INO; to be given to xfs_owned_end() */
	u64 ino;
	u64 blocks;			/* all that it has */
	bool shared;			/* some of its data are another's too, or may be */
	struct xfs_owned_fork fork[2];	/* data, attributes */
};

/*
 * What O->ino has; DIR: its data are names. -EUCLEAN: a tree of owners is damaged, or what they say
 * is no fork; -EDEADLK: work is pending, try again; -EINTR. The inode is locked for writing, no
 * header is.
 */
int __must_check xfs_gather_inode(struct xfs_repair *r, struct xfs_owned *o, bool dir);
void xfs_owned_end(struct xfs_owned *o);
/*
 * A fork of core C and LITERAL, which are nobody else's, becomes what O says; nothing is logged.
 * Errors of xfs_pick_blocks(), xfs_lock_space().
 */
int __must_check xfs_make_fork(struct xfs_repair *r, struct xfs_owned *o, bool attr,
			       struct xfs_core *c, u8 *literal);
/* Blocks that the inode will have. */
u64 xfs_blocks_of(const struct xfs_owned *o);
/* Blocks of new trees become the inode's; those of the old ones are freed, as far as R takes. */
int __must_check xfs_own_forks(struct xfs_repair *r, struct xfs_owned *o);
int __must_check xfs_reap_forks(struct xfs_repair *r, struct xfs_owned *o);
bool xfs_forks_left(const struct xfs_owned *o);
