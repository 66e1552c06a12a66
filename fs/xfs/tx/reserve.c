// SPDX-License-Identifier: MIT
/* Reservations (reserve.h). */
#include "fs/xfs/tx/reserve.h"
#include <lib/minmax.h>

#define SHORT_HEAD ((u32)sizeof(struct xfs_dbt_short))
#define LONG_HEAD ((u32)sizeof(struct xfs_dbt_long))
#define DA_DEPTH 5u
#define BUF_HEAD 128u			/* an operation's and a block item's head */
#define INODE_ITEM 56u

/* Levels of a tree of N records whose blocks are half full. */
static u32 height(u64 n, u32 leaf, u32 node)
{
	u32 levels = 1;

	leaf = max(leaf / 2, 1u);
	node = max(node / 2, 2u);
	n = (n + leaf - 1) / leaf;
	while (n > 1 && levels < 9) {
		n = (n + node - 1) / node;
		levels++;
	}
	return levels;
}

/* Levels of the highest tree that fits in N blocks. */
static u32 height_in(u64 n, u32 node)
{
	u64 level = 2, sum = 1;
	u32 levels = 1;

	node = max(node / 2, 2u);
	while (sum + level <= n && levels < 9) {
		sum += level;
		level *= node;
		levels++;
	}
	return levels;
}

void xfs_heights_of(const struct xfs_sb *sb, struct xfs_heights *h)
{
	u32 ag = sb->blocksize - SHORT_HEAD, file = sb->blocksize - LONG_HEAD;
	bool big = sb->incompat & XFS_IN_NREXT64;

	h->alloc = height((sb->agblocks + 1) / 2, ag / 8, ag / 12);
	h->ino = height(((u64)sb->agblocks << sb->inopblog) / 64 + 1, ag / 16, ag / 8);
	/* A block that is shared has many owners. */
	h->rmap = !(sb->ro_compat & XFS_RO_RMAPBT) ? 0 :
		  sb->ro_compat & XFS_RO_REFLINK   ? height_in(sb->agblocks, ag / 44) :
						     height(sb->agblocks, ag / 24, ag / 44);
	h->refc = sb->ro_compat & XFS_RO_REFLINK ? height(sb->agblocks, ag / 12, ag / 8) : 0;
	h->data = height(big ? (1ull << 48) - 1 : S32_MAX, file / 16, file / 16);
	h->attr = height(big ? U32_MAX : 32767, file / 16, file / 16);
}

/* What the sums are made of. */
struct parts {
	const struct xfs_sb *sb;
	struct xfs_heights h;
};

static u32 blocks(const struct parts *p, u32 n)
{
	return n * (p->sb->blocksize + BUF_HEAD);
}

static u32 sectors(const struct parts *p, u32 n)
{
	return n * (p->sb->sectsize + BUF_HEAD);
}

static u32 inodes(const struct parts *p, u32 n)
{
	return n * (4 * 12 + INODE_ITEM + p->sb->inodesize + 2 * LONG_HEAD);
}

/* N extents allocated or freed: the trees of free space and owners. */
static u32 space(const struct parts *p, u32 n)
{
	u32 each = 2 * (2 * p->h.alloc - 1);

	if (p->h.rmap)
		each += 2 * p->h.rmap - 1;
	return blocks(p, n * each);
}

/* Counts of references of an extent's blocks. */
static u32 counts(const struct parts *p, u32 n)
{
	return p->h.refc ? sectors(p, 1) + blocks(p, n * (2 * p->h.refc - 1)) + space(p, 1) : 0;
}

/* A name in a directory: its blocks and the fork's tree. */
static u32 name(const struct parts *p)
{
	u32 per = p->sb->dirblksize / p->sb->blocksize;

	return blocks(p, per * DA_DEPTH + per + 1 + p->h.data);
}

/* Both trees of inodes. */
static u32 inode_trees(const struct parts *p)
{
	u32 trees = p->sb->ro_compat & XFS_RO_FINOBT ? 2 : 1;

	return blocks(p, trees * (2 * p->h.ino - 1)) + space(p, trees);
}

/* An entry of an unlinked list: the AGI and a block of inodes each for two. */
static u32 unlinked(const struct parts *p)
{
	return sectors(p, 1) + 2 * (max(p->sb->blocksize, 16384u) / 8 + BUF_HEAD);
}

static u32 attr_blocks(const struct parts *p)
{
	return blocks(p, DA_DEPTH + p->h.attr);
}

/* With parent pointers an attribute of a child changes with its name. */
static u32 parent(const struct parts *p, u32 n)
{
	return p->sb->incompat & XFS_IN_PARENT ? n * (600 + 4 * 12 + 64) : 0;
}

static u32 write_res(const struct parts *p)
{
	u32 map = inodes(p, 1) + blocks(p, p->h.data) + sectors(p, 3) + space(p, 1);
	u32 undo = sectors(p, 5) + space(p, 2);

	return max(max(map, undo), counts(p, 2));
}

/*
 * A mapping of one of two files, which both are logged with it: what is cut out of the middle of an
 * extent makes two changes of the tree. The step itself has no more than intents and both inodes.
 */
static u32 exchange_res(const struct parts *p)
{
	u32 map = inodes(p, 2) + blocks(p, 2 * p->h.data) + sectors(p, 3) + space(p, 1);

	return max(map, write_res(p) + inodes(p, 1)) + 1024;
}

static u32 truncate_res(const struct parts *p)
{
	u32 map = inodes(p, 1) + blocks(p, p->h.data + 1);
	u32 undo = sectors(p, 9) + space(p, 4);

	return max(max(map, undo), counts(p, 2));
}

static u32 create_res(const struct parts *p)
{
	u32 chunk = sectors(p, 2) + 12 + 28 + inode_trees(p) + space(p, 1);
	u32 entry = inodes(p, 2) + sectors(p, 1) + name(p) + blocks(p, 2 * (2 * p->h.ino - 1));

	return max(chunk, entry) + parent(p, 1);
}

void xfs_reserve_of(const struct xfs_sb *sb, struct xfs_reserve out[XFS_RES_KINDS])
{
	struct parts parts = { .sb = sb }, *p = &parts;
	u32 create, undo;

	xfs_heights_of(sb, &p->h);
	create = create_res(p);
	undo = sectors(p, 7) + space(p, 3);
	out[XFS_RES_WRITE] = (struct xfs_reserve){ write_res(p), 2 };
	out[XFS_RES_TRUNCATE] = (struct xfs_reserve){ truncate_res(p), 2 };
	out[XFS_RES_RENAME] = (struct xfs_reserve){
		max(inodes(p, 5) + 2 * name(p) + unlinked(p), undo) + parent(p, 3), 2
	};
	out[XFS_RES_LINK] = (struct xfs_reserve){ max(inodes(p, 2) + name(p) + unlinked(p),
						      sectors(p, 3) + space(p, 1)) +
							  parent(p, 1),
						  2 };
	out[XFS_RES_REMOVE] = (struct xfs_reserve){ max(inodes(p, 2) + name(p) + unlinked(p),
							sectors(p, 4) + space(p, 2)) +
							    parent(p, 1),
						    2 };
	out[XFS_RES_CREATE] = (struct xfs_reserve){ create, 2 };
	out[XFS_RES_SYMLINK] = (struct xfs_reserve){ create + 1024 + BUF_HEAD, 3 };
	out[XFS_RES_TMPFILE] = (struct xfs_reserve){ create + unlinked(p), 2 };
	out[XFS_RES_FREE] =
		(struct xfs_reserve){ inodes(p, 1) + sectors(p, 3) + unlinked(p) + inode_trees(p) +
					      8 * (BUF_HEAD + 12) + space(p, 1),
				      2 };
	out[XFS_RES_CHANGE] = (struct xfs_reserve){ inodes(p, 1) + sectors(p, 1), 1 };
	out[XFS_RES_ATTR_FORK] = (struct xfs_reserve){
		inodes(p, 1) + sectors(p, 2) + blocks(p, 1 + p->h.data + 1) + space(p, 1), 1
	};
	out[XFS_RES_ATTR_SET] = (struct xfs_reserve){
		max(inodes(p, 1) + sectors(p, 1) + attr_blocks(p) + space(p, 1), undo), 3
	};
	out[XFS_RES_ATTR_REMOVE] =
		(struct xfs_reserve){ max(inodes(p, 1) + attr_blocks(p) + blocks(p, p->h.data),
					  sectors(p, 5) + space(p, 2)),
				      3 };
	out[XFS_RES_EXCHANGE] = (struct xfs_reserve){ exchange_res(p), 2 };
	out[XFS_RES_SB] = (struct xfs_reserve){ sectors(p, 1), 1 };
}
