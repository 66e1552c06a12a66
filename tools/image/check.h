/* SPDX-License-Identifier: MIT */
/* Between the parts of check. */
#pragma once

#include "tools/image/image.h"

/*
 * Of a block. SHARED: any number of files may have it. TREE is what a block of a tree is claimed
 * as: from then on it is USED.
 */
enum { UNKNOWN, FREE, USED, SHARED, TREE };

struct inode_info {
	u64 parent, dotdot;
	u32 links, nlink;
	u16 mode;
	bool used, unlinked, metadata;
};

struct chunk {
	u32 start;
	struct inode_info inodes[64];
};

struct ag_info {
	struct chunk *chunks;		/* ascending */
	u32 nr_chunks;
};

struct check {
	struct image *im;
	u8 *blocks;			/* one each */
	struct ag_info *ags;
	unsigned long wrong;
	u64 inodes, free_inodes;
};

void wrong(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*
 * Blocks are somebody's. False, and said so, where they are another's already or none of the disk.
 */
bool claim(struct check *c, u64 fsb, u64 count, u8 as, const char *who, u64 number);
struct inode_info *inode_info(struct check *c, u64 ino);
/* check_ag.c */
void check_ag(struct check *c, u32 agno);
/* The blocks of a fork's btree: how many. */
u64 check_bmbt(struct check *c, const struct xfs_node *n, const struct xfs_fork *k);
