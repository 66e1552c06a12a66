/* SPDX-License-Identifier: MIT */
/*
 * XFS V5 as it lies on the disk (the XFS Algorithms & Data Structures document, 3rd edition). All
 * integers are big-endian except checksums, which are little-endian. Only this folder and the rooms
 * that change a file system (tx to xattr) use these structures; all others have the decoders beside
 * this file, which turn them into checked values.
 */
#pragma once

#include <lib/byteorder.h>
#include <lib/types.h>

#define XFS_SECTOR		512u	/* the unit of device addresses ("daddr", "bb") */
#define XFS_UUID_SIZE		16
#define XFS_NULL32		0xffffffffu
#define XFS_NULL64		(~0ull)

/* ---- superblock (sector 0 of each allocation group) ---- */

#define XFS_SB_MAGIC		0x58465342u	/* "XFSB" */
#define XFS_SB_VERSION_MASK	0x000f
#define XFS_SB_VERSION_BORG	0x4000		/* names without regard to case */
#define XFS_SB_VERSION2_FTYPE	0x0200

struct xfs_dsb {
	be32 magic, blocksize;
	be64 dblocks, rblocks, rextents;
	u8 uuid[XFS_UUID_SIZE];
	be64 logstart, rootino, rbmino, rsumino;
	be32 rextsize, agblocks, agcount, rbmblocks, logblocks;
	be16 versionnum, sectsize, inodesize, inopblock;
	char fname[12];
	u8 blocklog, sectlog, inodelog, inopblog, agblklog, rextslog, inprogress, imax_pct;
	be64 icount, ifree, fdblocks, frextents, uquotino, gquotino;
	be16 qflags;
	u8 flags, shared_vn;
	be32 inoalignmt, unit, width;
	u8 dirblklog, logsectlog;
	be16 logsectsize;
	be32 logsunit, features2, bad_features2;
	be32 compat, ro_compat, incompat, log_incompat;
	le32 crc;
	be32 spino_align;
	be64 pquotino, lsn;
	u8 meta_uuid[XFS_UUID_SIZE];
	be64 metadirino;
	be32 rgcount, rgextents;
	u8 rgblklog, pad[7];
	be64 rtstart, rtreserved;
};
_Static_assert(offsetof(struct xfs_dsb, crc) == 224 && sizeof(struct xfs_dsb) == 304, "superblock");

#define XFS_RO_FINOBT		0x01
#define XFS_RO_RMAPBT		0x02
#define XFS_RO_REFLINK		0x04
#define XFS_RO_INOBTCNT		0x08
#define XFS_RO_KNOWN		0x0f
#define XFS_IN_FTYPE		0x001
#define XFS_IN_SPINODES		0x002
#define XFS_IN_META_UUID	0x004
#define XFS_IN_BIGTIME		0x008
#define XFS_IN_NEEDSREPAIR	0x010
#define XFS_IN_NREXT64		0x020
#define XFS_IN_EXCHRANGE	0x040
#define XFS_IN_PARENT		0x080
#define XFS_IN_METADIR		0x100
#define XFS_IN_ZONED		0x200
#define XFS_IN_ZONE_GAPS	0x400
/* What this code reads. */
#define XFS_IN_KNOWN		(XFS_IN_FTYPE | XFS_IN_SPINODES | XFS_IN_META_UUID | XFS_IN_BIGTIME | XFS_IN_NREXT64 | \
				 XFS_IN_EXCHRANGE | XFS_IN_PARENT | XFS_IN_METADIR)

/* ---- headers of an allocation group: sectors 1, 2 and 3 ---- */

#define XFS_AGF_MAGIC		0x58414746u	/* "XAGF" */
#define XFS_AGI_MAGIC		0x58414749u	/* "XAGI" */
#define XFS_AGFL_MAGIC		0x5841464cu	/* "XAFL" */
#define XFS_AGI_BUCKETS		64

struct xfs_dagf {
	be32 magic, version, seqno, length;
	be32 bno_root, cnt_root, rmap_root, bno_level, cnt_level, rmap_level;
	be32 flfirst, fllast, flcount, freeblks, longest, btreeblks;
	u8 uuid[XFS_UUID_SIZE];
	be32 rmap_blocks, refc_blocks, refc_root, refc_level;
	be64 spare[14], lsn;
	le32 crc;
	be32 spare2;
};
_Static_assert(offsetof(struct xfs_dagf, crc) == 216 && sizeof(struct xfs_dagf) == 224, "AGF");

struct xfs_dagi {
	be32 magic, version, seqno, length, count, root, level, freecount, newino, dirino;
	be32 unlinked[XFS_AGI_BUCKETS];
	u8 uuid[XFS_UUID_SIZE];
	le32 crc;
	be32 pad;
	be64 lsn;
	be32 free_root, free_level, iblocks, fblocks;
};
_Static_assert(offsetof(struct xfs_dagi, crc) == 312 && sizeof(struct xfs_dagi) == 344, "AGI");

struct xfs_dagfl {
	be32 magic, seqno;
	u8 uuid[XFS_UUID_SIZE];
	be64 lsn;
	le32 crc;
	be32 bno[];
} __packed;
_Static_assert(offsetof(struct xfs_dagfl, crc) == 32 && sizeof(struct xfs_dagfl) == 36, "AGFL");

/* ---- btrees ---- */

#define XFS_BNO_MAGIC		0x41423342u	/* "AB3B": free space by block */
#define XFS_CNT_MAGIC		0x41423343u	/* "AB3C": by length */
#define XFS_INO_MAGIC		0x49414233u	/* "IAB3": inode chunks */
#define XFS_FINO_MAGIC		0x46494233u	/* "FIB3": those with a free inode */
#define XFS_RMAP_MAGIC		0x524d4233u	/* "RMB3": owners of blocks */
#define XFS_REFC_MAGIC		0x52334643u	/* "R3FC": blocks shared by files */
#define XFS_BMAP_MAGIC		0x424d4133u	/* "BMA3": extents of a file */

struct xfs_dbt_short {
	be32 magic;
	be16 level, numrecs;
	be32 left, right;
	be64 blkno, lsn;
	u8 uuid[XFS_UUID_SIZE];
	be32 owner;
	le32 crc;
};
_Static_assert(offsetof(struct xfs_dbt_short, crc) == 52 && sizeof(struct xfs_dbt_short) == 56,
	       "block of an AG's btree");

struct xfs_dbt_long {
	be32 magic;
	be16 level, numrecs;
	be64 left, right, blkno, lsn;
	u8 uuid[XFS_UUID_SIZE];
	be64 owner;
	le32 crc;
	be32 pad;
};
_Static_assert(offsetof(struct xfs_dbt_long, crc) == 64 && sizeof(struct xfs_dbt_long) == 72,
	       "block of a file's btree");

struct xfs_dalloc {
	be32 start, count;
};
struct xfs_dinobt {
	be32 start;
	be16 holemask;		/* with sparse inodes; else the high half of freecount */
	u8 count, freecount;
	be64 free;
};
struct xfs_drmap {
	be32 start, count;
	be64 owner, offset;
};
struct xfs_drefc {
	be32 start, count, refs;
};
struct xfs_dext {
	be64 hi, lo;
};
_Static_assert(sizeof(struct xfs_dinobt) == 16 && sizeof(struct xfs_drmap) == 24 &&
		       sizeof(struct xfs_drefc) == 12 && sizeof(struct xfs_dext) == 16,
	       "btree records");

/* The root of a file's btree, in the inode. */
struct xfs_dbmdr {
	be16 level, numrecs;
};

/* ---- inode ---- */

#define XFS_DI_MAGIC		0x494e		/* "IN" */
struct xfs_dinode {
	be16 magic, mode;
	u8 version, format;
	be16 onlink;
	be32 uid, gid, nlink;
	be16 projid_lo, projid_hi;
	be64 big_nextents;	/* NREXT64; else flushiter and padding */
	be64 atime, mtime, ctime, size, nblocks;
	be32 extsize;
	be32 nextents;		/* NREXT64: extents of the attribute fork */
	be16 anextents;
	u8 forkoff;
	u8 aformat;
	be32 dmevmask;
	be16 dmstate, flags;
	be32 gen, next_unlinked;
	le32 crc;
	be64 changecount, lsn, flags2;
	be32 cowextsize;
	u8 pad2[12];
	be64 crtime, ino;
	u8 uuid[XFS_UUID_SIZE];
};
_Static_assert(offsetof(struct xfs_dinode, crc) == 100 &&
		       offsetof(struct xfs_dinode, forkoff) == 82 &&
		       sizeof(struct xfs_dinode) == 176,
	       "inode");

/* ---- directories and attributes ---- */

#define XFS_DIR_BLOCK_MAGIC	0x58444233u	/* "XDB3" */
#define XFS_DIR_DATA_MAGIC	0x58444433u	/* "XDD3" */
#define XFS_DIR_FREE_MAGIC	0x58444633u	/* "XDF3" */
#define XFS_DIR_LEAF1_MAGIC	0x3df1
#define XFS_DIR_LEAFN_MAGIC	0x3dff
#define XFS_DA_NODE_MAGIC	0x3ebe
#define XFS_ATTR_LEAF_MAGIC	0x3bee
#define XFS_ATTR_RMT_MAGIC	0x5841524du	/* "XARM" */
#define XFS_SYMLINK_MAGIC	0x58534c4du	/* "XSLM" */

#define XFS_DIR_FREE_TAG	0xffff
#define XFS_DIR_LEAF_START	(1ull << 35)	/* bytes */
#define XFS_DIR_FREE_START	(2ull << 35)

struct xfs_ddir_blk {
	be32 magic;
	le32 crc;
	be64 blkno, lsn;
	u8 uuid[XFS_UUID_SIZE];
	be64 owner;
};
struct xfs_ddir_data {
	struct xfs_ddir_blk h;
	struct {
		be16 offset, length;
	} best[3];
	be32 pad;
};
struct xfs_ddir_free {
	struct xfs_ddir_blk h;
	be32 firstdb, nvalid, nused, pad;
	be16 best[];
} __packed;
struct xfs_ddir_tail {
	be32 count, stale;
};
struct xfs_ddir_ent {
	be32 hash, addr;
};  /* in a leaf */
_Static_assert(sizeof(struct xfs_ddir_blk) == 48 && sizeof(struct xfs_ddir_data) == 64 &&
		       sizeof(struct xfs_ddir_free) == 64,
	       "directory blocks");

struct xfs_dda {
	be32 forw, back;
	be16 magic, pad;
	le32 crc;
	be64 blkno, lsn;
	u8 uuid[XFS_UUID_SIZE];
	be64 owner;
};
struct xfs_dda_node {
	struct xfs_dda h;
	be16 count, level;
	be32 pad;
};
struct xfs_dda_ent {
	be32 hash, before;
};
struct xfs_ddir_leaf {
	struct xfs_dda h;
	be16 count, stale;
	be32 pad;
};
struct xfs_dattr_leaf {
	struct xfs_dda h;
	be16 count, usedbytes, firstused;
	u8 holes, pad1;
	struct {
		be16 base, size;
	} freemap[3];
	be32 pad2;
};
_Static_assert(sizeof(struct xfs_dda) == 56 && sizeof(struct xfs_dda_node) == 64 &&
		       sizeof(struct xfs_ddir_leaf) == 64 && sizeof(struct xfs_dattr_leaf) == 80,
	       "blocks with hashes");
struct xfs_dattr_ent {
	be32 hash;
	be16 nameidx;
	u8 flags, pad;
};
struct xfs_dattr_local {
	be16 valuelen;
	u8 namelen;
	u8 name[];
} __packed;
struct xfs_dattr_remote {
	be32 block, valuelen;
	u8 namelen;
	u8 name[];
} __packed;
struct xfs_dattr_sf {
	be16 totsize;
	u8 count, pad;
};
struct xfs_dattr_sfe {
	u8 namelen, valuelen, flags;
	u8 name[];
};

/* Before each block of an attribute's value, and before each extent of a symlink's target. */
struct xfs_drmt {
	be32 magic, offset, bytes;
	le32 crc;
	u8 uuid[XFS_UUID_SIZE];
	be64 owner, blkno, lsn;
};
_Static_assert(sizeof(struct xfs_drmt) == 56, "remote value");

/* ---- quota ---- */

#define XFS_DQ_MAGIC		0x4451		/* "DQ" */
struct xfs_ddquot {
	be16 magic;
	u8 version, type;
	be32 id;
	u8 limits[96];
};
/* As it lies in a block; the log has the first 104 bytes. */
struct xfs_ddqblk {
	struct xfs_ddquot d;
	be32 fill;
	le32 crc;
	be64 lsn;
	u8 uuid[XFS_UUID_SIZE];
};
_Static_assert(sizeof(struct xfs_ddquot) == 104 && offsetof(struct xfs_ddqblk, crc) == 108 &&
		       sizeof(struct xfs_ddqblk) == 136,
	       "quota");

/* ---- log ---- */

#define XFS_LOG_MAGIC		0xfeedbabeu
#define XFS_LOG_HEADER_DATA	32768u	/* a header has the cycles of so much of its record */
#define XFS_LOG_HEADER_CYCLES	64u
#define XFS_LOG_MAX_RECORD	(256u << 10)	/* with its headers */
#define XFS_LOG_MAX_HEADERS	8u
#define XFS_LOG_IN_FLIGHT	8u		/* records that are written at one time */
struct xfs_dlog_rec {
	be32 magic, cycle, version, len;
	be64 lsn, tail_lsn;
	le32 crc;
	be32 prev_block, num_logops, cycle_data[XFS_LOG_HEADER_CYCLES], fmt;
	u8 uuid[XFS_UUID_SIZE];
	be32 size;
	be32 pad;
} __packed;
/* The further blocks of a record's header. */
struct xfs_dlog_ext {
	be32 cycle, cycle_data[XFS_LOG_HEADER_CYCLES];
};

#define XFS_OP_START		0x01	/* of a transaction */
#define XFS_OP_COMMIT		0x02
#define XFS_OP_CONTINUE		0x04	/* the region goes on in the next record */
#define XFS_OP_WAS_CONT		0x08	/* this is more of the last region */
#define XFS_OP_END		0x10	/* and the last of it */
#define XFS_OP_UNMOUNT		0x20
#define XFS_OP_CLIENT_TRANS	0x69
#define XFS_OP_CLIENT_LOG	0xaa
struct xfs_dlog_op {
	be32 tid, len;
	u8 client, flags;
	be16 res;
};
_Static_assert(offsetof(struct xfs_dlog_rec, fmt) == 300 && sizeof(struct xfs_dlog_rec) == 328 &&
		       sizeof(struct xfs_dlog_ext) == 260 && sizeof(struct xfs_dlog_op) == 12,
	       "log record");
