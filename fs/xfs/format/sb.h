/* SPDX-License-Identifier: MIT */
/*
 * The superblock, decoded: geometry that the other decoders count on. Every number was checked
 * against the others, so that block and inode numbers that xfs_fsb_ok() and xfs_ino_ok() accept lie
 * on the device.
 *
 * Block numbers of a file system are "fsb": AG number << agblklog | block in the AG. Inode numbers
 * add inopblog bits below.
 */
#pragma once

#include "fs/xfs/format/disk.h"
#include "fs/xfs/format/fault.h"

struct xfs_sb {
	u32 blocksize, sectsize, inodesize, dirblksize;
	u8 blocklog, sectlog, inodelog, inopblog, agblklog, dirblklog;
	u32 agblocks, agcount, logblocks, inoalignmt, spino_align;
	u32 logsectsize, logsunit, unit, width;
	u64 dblocks, rblocks, logstart, rootino, metadirino, rbmino, rsumino;
	u64 icount, ifree, fdblocks;
	u64 uquotino, gquotino, pquotino;
	u32 qflags, imax_pct;
	u32 compat, ro_compat, incompat, log_incompat, versionnum, features2;
	u8 uuid[XFS_UUID_SIZE];		/* what users see */
	u8 meta_uuid[XFS_UUID_SIZE];	/* what is in the metadata */
	char label[13];
	bool inprogress;
};

/*
 * Decodes the first sector of an AG (LEN bytes at P, at least 512, and for the checksum the
 * sector's size). 0; -EINVAL: this is no XFS V5; -EUCLEAN, -EBADMSG: damaged. Features are not
 * judged: xfs_sb_unsupported().
 */
int xfs_sb_decode(const void *p, u32 len, struct xfs_sb *out, struct xfs_fault *f);
/*
 * Why it cannot be read, as a sentence's end ("unknown incompatible features"), *BITS: which; NULL:
 * it can.
 */
const char *xfs_sb_unsupported(const struct xfs_sb *sb, u32 *bits);
/* Bits that allow reading alone. */
static inline u32 xfs_sb_unknown_ro(const struct xfs_sb *sb)
{
	return sb->ro_compat & ~(u32)XFS_RO_KNOWN;
}

static inline u32 xfs_ag_blocks(const struct xfs_sb *sb, u32 agno)
{
	/* By one number alone, which may rise at any time; no AG of that number: 0. */
	u64 first = (u64)agno * sb->agblocks, all = READ_ONCE(sb->dblocks);
	u64 n = all > first ? all - first : 0;

	return n < sb->agblocks ? (u32)n : sb->agblocks;
}

static inline u32 xfs_fsb_ag(const struct xfs_sb *sb, u64 fsb)
{
	return (u32)(fsb >> sb->agblklog);
}

static inline u32 xfs_fsb_agb(const struct xfs_sb *sb, u64 fsb)
{
	return (u32)(fsb & ((1ull << sb->agblklog) - 1));
}

static inline u64 xfs_fsb_make(const struct xfs_sb *sb, u32 agno, u32 agb)
{
	return (u64)agno << sb->agblklog | agb;
}

static inline u64 xfs_agb_daddr(const struct xfs_sb *sb, u32 agno, u32 agb)
{
	return ((u64)agno * sb->agblocks + agb) << (sb->blocklog - 9);
}

static inline u64 xfs_fsb_daddr(const struct xfs_sb *sb, u64 fsb)
{
	return xfs_agb_daddr(sb, xfs_fsb_ag(sb, fsb), xfs_fsb_agb(sb, fsb));
}

/* COUNT blocks from FSB on lie inside one AG, behind its headers. */
bool xfs_fsb_ok(const struct xfs_sb *sb, u64 fsb, u64 count);
static inline u32 xfs_ino_ag(const struct xfs_sb *sb, u64 ino)
{
	return (u32)(ino >> (sb->agblklog + sb->inopblog));
}

static inline u32 xfs_ino_agino(const struct xfs_sb *sb, u64 ino)
{
	return (u32)(ino & ((1ull << (sb->agblklog + sb->inopblog)) - 1));
}

static inline u64 xfs_ino_make(const struct xfs_sb *sb, u32 agno, u32 agino)
{
	return (u64)agno << (sb->agblklog + sb->inopblog) | agino;
}

bool xfs_ino_ok(const struct xfs_sb *sb, u64 ino);
/* How many blocks of inodes are read, written and freed as one. */
u32 xfs_cluster_blocks(const struct xfs_sb *sb);
/* The blocks that INO is read and written with: the first, how many, and INO's bytes in them. */
u64 xfs_cluster_of(const struct xfs_sb *sb, u64 ino, u32 *blocks, u32 *off);
/* The same of a block and an inode of an AG, whose number may be anything. */
static inline bool xfs_agb_ok(const struct xfs_sb *sb, u32 agno, u32 agb)
{
	return !(agb >> sb->agblklog) && xfs_fsb_ok(sb, xfs_fsb_make(sb, agno, agb), 1);
}

static inline bool xfs_agino_ok(const struct xfs_sb *sb, u32 agno, u32 agino)
{
	return xfs_agb_ok(sb, agno, agino >> sb->inopblog);
}
