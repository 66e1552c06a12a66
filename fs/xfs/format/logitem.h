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

/* A copy of IT, for which there are xfs_litem_size() bytes at P, aligned to 8. */
size_t xfs_litem_size(const struct xfs_litem *it);
void xfs_litem_copy(const struct xfs_litem *it, void *p, struct xfs_litem *out);

/* ---- attributes that are to be changed (logattr.c) ---- */

enum xfs_lattr_op {
	XFS_LATTR_SET = 1,
	XFS_LATTR_REMOVE,
	XFS_LATTR_REPLACE,
	XFS_LATTR_PARENT_SET,		/* parent pointers */
	XFS_LATTR_PARENT_REMOVE,
	XFS_LATTR_PARENT_REPLACE,
};
struct xfs_lattr {
	u64 ino;
	u32 gen;			/* the inode's, for parent pointers */
	u8 op, space;			/* enum xfs_lattr_op; XFS_ATTR_SPACE bits */
	u32 len, new_len, valuelen;	/* of both values */
	const u8 *name, *value;		/* value NULL: it has no bytes */
	const u8 *new_name, *new_value;	/* what a parent pointer is replaced by; else NULL */
};
/*
 * Of an ATTRI. Whether there are inodes of these numbers is for the caller to find out. -EUCLEAN.
 */
int xfs_lattr_get(const struct xfs_sb *sb, const struct xfs_litem *it, u64 place,
		  struct xfs_lattr *out, struct xfs_fault *f);

/* ---- extents of two inodes that are to be exchanged (logexch.c) ---- */

enum {
	XFS_LEXCH_ATTR = 1,		/* of their attribute forks */
	XFS_LEXCH_SIZES = 2,		/* they get SIZE when all is done */
	XFS_LEXCH_WRITTEN = 4,		/* only what the first has written */
	XFS_LEXCH_CLEAR = 8 | 16,	/* one no longer shares blocks: kept up by no system */
};
/* What is left to be done. */
struct xfs_lexch {
	u64 ino[2];
	u32 gen[2], flags;		/* XFS_LEXCH_* */
	u64 off[2], count;		/* blocks */
	u64 size[2];			/* bytes; valid with XFS_LEXCH_SIZES */
};
#define XFS_LEXCH_END	(1ull << 54)	/* blocks: no range goes behind it */
#define XFS_LEXCH_LEN	88u
/*
 * Of an XMI. Both ranges lie before XFS_LEXCH_END, and apart where it is one inode. Whether there
 * are inodes of these numbers is for the caller to find out. -EUCLEAN.
 */
int xfs_lexch_get(const struct xfs_sb *sb, const struct xfs_litem *it, u64 place,
		  struct xfs_lexch *out, struct xfs_fault *f);
/* The item, XFS_LEXCH_LEN bytes, without an identity. */
void xfs_lexch_put(const struct xfs_lexch *x, u8 *p);

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

/*
 * Writing: the first region of a block of BBS units with changes in the chunks of MAP (a bit each),
 * into P (NULL: none); its length. WHAT: XFS_LB_*.
 */
#define XFS_LB_UNLINKED	1u	/* inodes, of which only the unlinked lists count */
#define XFS_LB_CANCEL	2u
u32 xfs_lbuf_head(u64 daddr, u32 bbs, u8 kind, u8 what, const u32 *map, u32 regions, u8 *p);

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

/* Writing: D as the log has it, sizeof(*D) bytes; the first region, of XFS_LINODE_HEAD bytes. */
#define XFS_LINODE_HEAD 56u
void xfs_linode_core(const struct xfs_dinode *d, u8 *core);
void xfs_linode_head(const struct xfs_linode *li, u16 regions, void *p);
/* The root of a btree in the ROOM bytes of a fork, with a block's header, into P; its length. */
u32 xfs_linode_root(const struct xfs_sb *sb, u64 ino, const u8 *fork, u32 room, u8 *p);

/* ---- others ---- */

struct xfs_licreate {	/* inodes made, all free */
	u32 agno, agb, count, isize, blocks, gen;
};
int xfs_licreate_get(const struct xfs_litem *it, u64 place, struct xfs_licreate *out,
		     struct xfs_fault *f);

#define XFS_LICREATE_LEN 28u
void xfs_licreate_put(const struct xfs_licreate *c, u8 *p);

struct xfs_ldquot {
	u64 daddr;		/* of a block of the file system */
	u32 offset, id;
	const u8 *dquot;	/* sizeof(struct xfs_ddquot) bytes as on the disk */
};
int xfs_ldquot_get(const struct xfs_litem *it, u64 place, struct xfs_ldquot *out,
		   struct xfs_fault *f);
/* Bits of a superblock's qflags: of which kinds quota was switched off. */
u32 xfs_lquotaoff_get(const struct xfs_litem *it);
