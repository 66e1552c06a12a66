/* SPDX-License-Identifier: MIT */
/*
 * Inodes. The core is decoded; both forks stay in the bytes behind it, checked: a list of extents
 * has as many as the core says, each in the file system and in order; the root of a btree has room
 * for what it holds; short directories, short attributes and short symlinks are checked by their
 * own decoders.
 */
#pragma once

#include "fs/xfs/format/btree.h"

enum { XFS_FMT_DEV, XFS_FMT_LOCAL, XFS_FMT_EXTENTS, XFS_FMT_BTREE };

#define XFS_DIFLAG_REALTIME	0x0001
#define XFS_DIFLAG_PREALLOC	0x0002
#define XFS_DIFLAG_IMMUTABLE	0x0008
#define XFS_DIFLAG_APPEND	0x0010
#define XFS_DIFLAG_SYNC		0x0020
#define XFS_DIFLAG_NOATIME	0x0040
#define XFS_DIFLAG_NODUMP	0x0080
#define XFS_DIFLAG_RTINHERIT	0x0100
#define XFS_DIFLAG_PROJINHERIT	0x0200
#define XFS_DIFLAG_NOSYMLINKS	0x0400
#define XFS_DIFLAG_EXTSIZE	0x0800
#define XFS_DIFLAG_EXTSZINHERIT	0x1000
#define XFS_DIFLAG_NODEFRAG	0x2000
#define XFS_DIFLAG_FILESTREAM	0x4000
#define XFS_DIFLAG2_DAX		0x01
#define XFS_DIFLAG2_REFLINK	0x02
#define XFS_DIFLAG2_COWEXTSIZE	0x04
#define XFS_DIFLAG2_BIGTIME	0x08
#define XFS_DIFLAG2_NREXT64	0x10
#define XFS_DIFLAG2_METADATA	0x20

struct xfs_time {
	s64 sec;
	u32 nsec;
};

/* A fork: where its extents are. DATA is in the inode's copy. */
struct xfs_fork {
	u8 format;		/* XFS_FMT_* */
	bool attr;
	u32 size;		/* bytes at DATA */
	u64 nextents;
	const u8 *data;
};

struct xfs_core {
	u64 ino;
	u16 mode;
	u8 format, aformat;
	u32 uid, gid, nlink, projid, gen, extsize, cowextsize, rdev; /* rdev: major << 20 | minor */
	u64 size, nblocks, changecount, flags2;
	u16 flags;
	struct xfs_time atime, mtime, ctime, crtime;
	u32 forkoff;		/* bytes of the data fork; 0: there is no attribute fork */
	u64 nextents, anextents;
	u32 next_unlinked;
};

/* What the record P says is its generation, though it be damaged. */
u32 xfs_inode_gen(const void *p);
/*
 * Decodes the inode INO in the sb->inodesize bytes at P (device address DADDR). *OUT's forks are
 * found with xfs_fork_of(). 0, -EUCLEAN, -EBADMSG; -ESTALE: the inode is free (mode 0).
 */
int xfs_inode_decode(const struct xfs_sb *sb, u64 ino, const void *p, struct xfs_core *out,
		     struct xfs_fault *f);
/* The core in the record P, whatever it says: nothing is checked. */
void xfs_inode_decode_as_is(const void *p, struct xfs_core *out);
/* LITERAL: the bytes behind the core. False: the inode has no attribute fork. */
bool xfs_fork_of(const struct xfs_sb *sb, const struct xfs_core *c, const u8 *literal, bool attr,
		 struct xfs_fork *out);
static inline u32 xfs_literal_size(const struct xfs_sb *sb)
{
	return sb->inodesize - (u32)sizeof(struct xfs_dinode);
}

/* The root of a fork's btree: level (at least 1), entries, the I-th key and pointer. */
void xfs_bmdr_head(const struct xfs_fork *k, u32 *level, u32 *numrecs);
u64 xfs_bmdr_key_at(const struct xfs_fork *k, u32 i);
u64 xfs_bmdr_ptr_at(const struct xfs_fork *k, u32 i);

/*
 * Fills in *D what the core has; what it has not (LSN, checksum, the type of a metadata inode)
 * stays.
 */
void xfs_core_encode(const struct xfs_sb *sb, const struct xfs_core *c, struct xfs_dinode *d);
/* The same of sb->inodesize bytes at P, with what is behind the core, and the checksum. */
void xfs_inode_encode(const struct xfs_sb *sb, const struct xfs_core *c, const u8 *literal, u8 *p);
