/* SPDX-License-Identifier: MIT */
/*
 * Extended attributes: in the inode, in a leaf, in a tree of nodes (da.h) over leaves; long values
 * in blocks of their own. ACLs as XFS stores them.
 */
#pragma once

#include "fs/xfs/format/sb.h"

#define XFS_ATTR_LOCAL		0x01
#define XFS_ATTR_ROOT		0x02	/* trusted. */
#define XFS_ATTR_SECURE		0x04	/* security. */
#define XFS_ATTR_PARENT		0x08	/* a name of the file: not for users */
#define XFS_ATTR_INCOMPLETE	0x80	/* being written when the machine stopped */
#define XFS_ATTR_SPACE		(XFS_ATTR_ROOT | XFS_ATTR_SECURE | XFS_ATTR_PARENT)
#define XFS_ATTR_MAX_NAME	255u
#define XFS_ATTR_MAX_VALUE	65536u
#define XFS_PARENT_LEN		12u	/* a parent pointer's value: inode, generation */

struct xfs_attr {
	const u8 *name, *value;	/* value NULL: in blocks from BLOCK on */
	u32 hash, block, valuelen;
	u8 namelen, flags;
};

/* In the inode: SIZE bytes of room at P. */
int xfs_attrsf_check(const u8 *p, u32 size, u64 ino, struct xfs_fault *f);
/* *AT begins at 0; false: no more. */
bool xfs_attrsf_next(const u8 *p, u32 *at, struct xfs_attr *out);

int xfs_attr_leaf_check(const struct xfs_sb *sb, u64 daddr, const void *p, struct xfs_fault *f);
static inline u32 xfs_attr_leaf_count(const void *p)
{
	return be16_get(((const struct xfs_dattr_leaf *)p)->count);
}

/* The I-th entry of a verified leaf. */
void xfs_attr_leaf_at(const void *p, u32 i, struct xfs_attr *out);
/* The first whose hash is not below HASH. */
u32 xfs_attr_leaf_find(const void *p, u32 hash);

/*
 * A block of a long value of inode INO: how many bytes of it lie behind the header. OFFSET: which
 * byte of the value it must begin with.
 */
int xfs_attr_rmt_verify(const struct xfs_sb *sb, u64 daddr, const void *p, struct xfs_fault *f);
/* Bytes at DATA; 0: it is not this value's. */
u32 xfs_rmt_data(const struct xfs_sb *sb, const void *p, u64 ino, u32 offset, const u8 **data);
static inline u32 xfs_rmt_room(const struct xfs_sb *sb)
{
	return sb->blocksize - (u32)sizeof(struct xfs_drmt);
}

/* A symlink's target: LEN bytes at P, of one extent. */
int xfs_symlink_verify(const struct xfs_sb *sb, u64 daddr, const void *p, u32 len,
		       struct xfs_fault *f);

/*
 * ACLs: a count, then entries of tag, id and rights. As the attribute of Linux's user interface
 * into OUT (SIZE bytes): its length, -ERANGE, -EINVAL.
 */
#define XFS_ACL_FILE "SGI_ACL_FILE"
#define XFS_ACL_DEFAULT "SGI_ACL_DEFAULT"
long xfs_acl_decode(const u8 *p, u32 len, u8 *out, size_t size);
