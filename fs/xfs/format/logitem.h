/* SPDX-License-Identifier: MIT */
/*
 * What transactions in the log are made of: items, each of one or more regions of bytes. The first
 * region says the type and how many there are. All is in the byte order of the CPU that wrote it,
 * but for copies of disk blocks.
 *
 * All types of version 5 are known here, so that a log is judged as a whole before anything of it
 * is applied. A decoded item's pointers lie in its regions; whether its addresses lie in the file
 * system is for whoever applies it.
 */
#pragma once

#include "fs/xfs/format/inode.h"

enum xfs_litem_type {
	XFS_LI_EFI = 0x1236,	/* extents to free */
	XFS_LI_EFD,
	XFS_LI_INODE = 0x123b,
	XFS_LI_BUF,
	XFS_LI_DQUOT,
	XFS_LI_QUOTAOFF,
	XFS_LI_ICREATE,
	XFS_LI_RUI,		/* owners of blocks to change */
	XFS_LI_RUD,
	XFS_LI_CUI,		/* counts of references to change */
	XFS_LI_CUD,
	XFS_LI_BUI,		/* extents of a file to change */
	XFS_LI_BUD,
	XFS_LI_ATTRI,		/* an attribute to set or remove */
	XFS_LI_ATTRD,
	XFS_LI_XMI,		/* extents of two files to exchange */
	XFS_LI_XMD,
	XFS_LI_EFI_RT,		/* of realtime devices */
	XFS_LI_CUD_RT = 0x124f,
};

struct xfs_lregion {
	u32 off, len;		/* bytes from the item's base */
};
struct xfs_litem {
	const u8 *base;
	const struct xfs_lregion *r;
	u32 n;			/* regions */
	u16 type;
};

static inline const u8 *xfs_lregion_at(const struct xfs_litem *it, u32 i)
{
	return it->base + it->r[i].off;
}

/*
 * The item that begins with the first of LEFT regions at R. -EUCLEAN: there are not so many, or a
 * region is shorter than its type asks. *WHY: it is sound, but of a kind that is refused.
 */
int xfs_litem_get(const u8 *base, const struct xfs_lregion *r, u32 left, u64 place,
		  struct xfs_litem *out, const char **why, struct xfs_fault *f);

/* Work that was begun and its end: whose identity. False: it is neither. */
struct xfs_lintent {
	u64 id;
	u16 type;		/* of the beginning */
	bool done;
};
bool xfs_litem_intent(const struct xfs_litem *it, struct xfs_lintent *out);

/* ---- blocks ---- */

/* What a block is, in the log's numbers. */
enum xfs_lkind {
	XFS_LK_UNKNOWN,
	XFS_LK_UDQUOT,
	XFS_LK_PDQUOT,
	XFS_LK_GDQUOT,
	XFS_LK_BTREE,
	XFS_LK_AGF,
	XFS_LK_AGFL,
	XFS_LK_AGI,
	XFS_LK_INODES,
	XFS_LK_SYMLINK,
	XFS_LK_DIR_BLOCK,
	XFS_LK_DIR_DATA,
	XFS_LK_DIR_FREE,
	XFS_LK_DIR_LEAF1,
	XFS_LK_DIR_LEAFN,
	XFS_LK_DA_NODE,
	XFS_LK_ATTR_LEAF,
	XFS_LK_ATTR_RMT,
	XFS_LK_SB,
	XFS_LK_KINDS
};

#define XFS_LB_CHUNK 128u
#define XFS_LB_MAX_BBS 128u
struct xfs_lbuf {
	u64 daddr;
	u32 bbs;
	u8 kind;		/* enum xfs_lkind, or above */
	bool cancel;		/* earlier changes of this block are void: it was freed */
	bool unlinked;		/* inodes, of which only the unlinked lists count */
	bool dquots;
	u32 map_bits;
	const u8 *map;
};
int xfs_lbuf_get(const struct xfs_litem *it, u64 place, struct xfs_lbuf *out, struct xfs_fault *f);
/*
 * A run of changed bytes: at byte OFF of the block LEN bytes at DATA. BIT and REGION begin at 0 and
 * 1. False: no more. All runs of a decoded item lie in the block and their regions.
 */
struct xfs_lrun {
	u32 bit, region;
	u32 off, len;
	const u8 *data;
};
bool xfs_lbuf_next(const struct xfs_litem *it, const struct xfs_lbuf *b, struct xfs_lrun *run);

/* ---- inodes ---- */

#define XFS_LI_DDATA	0x002u
#define XFS_LI_DEXT	0x004u
#define XFS_LI_DBROOT	0x008u
#define XFS_LI_DEV	0x010u
#define XFS_LI_ADATA	0x040u
#define XFS_LI_AEXT	0x080u
#define XFS_LI_ABROOT	0x100u
#define XFS_LI_OWNERS	0x600u	/* blocks of a btree get another owner */

struct xfs_linode {
	u64 ino, daddr;		/* of the block of inodes */
	u32 bbs, offset;	/* the inode's bytes in it */
	u32 fields, rdev;
	const u8 *core;		/* sizeof(struct xfs_dinode) bytes, the CPU's byte order */
	const u8 *dfork, *afork;	/* NULL: not logged */
	u32 dlen, alen;
};
int xfs_linode_get(const struct xfs_litem *it, u64 place, struct xfs_linode *out,
		   struct xfs_fault *f);
/*
 * Brings the inode at P, sb->inodesize bytes, to what the item says, written at LSN. The checksum
 * is the caller's. -EUCLEAN: a fork does not fit.
 */
int xfs_linode_apply(const struct xfs_sb *sb, const struct xfs_linode *li, u64 lsn, u8 *p,
		     struct xfs_fault *f);

/* ---- others ---- */

struct xfs_licreate {	/* inodes made, all free */
	u32 agno, agb, count, isize, blocks, gen;
};
int xfs_licreate_get(const struct xfs_litem *it, u64 place, struct xfs_licreate *out,
		     struct xfs_fault *f);

struct xfs_ldquot {
	u64 daddr;		/* of a block of the file system */
	u32 offset, id;
	const u8 *dquot;	/* sizeof(struct xfs_ddquot) bytes as on the disk */
};
int xfs_ldquot_get(const struct xfs_litem *it, u64 place, struct xfs_ldquot *out,
		   struct xfs_fault *f);
/* Bits of a superblock's qflags: of which kinds quota was switched off. */
u32 xfs_lquotaoff_get(const struct xfs_litem *it);
