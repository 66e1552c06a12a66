/* SPDX-License-Identifier: MIT */
/*
 * What of a file system is damaged: bits, as Linux's ABI has them (XFS_FSOP_GEOM_SICK_*,
 * XFS_AG_GEOM_SICK_* and XFS_BS_SICK_* of ioctl_xfs_fsgeometry(2), ioctl_xfs_ag_geometry(2),
 * ioctl_xfs_bulkstat(2)). Code that finds damage tells its volume (walk.h).
 */
#pragma once

#include <lib/types.h>

/* Of the whole file system. */
#define XFS_SICK_COUNTERS	(1u << 0)
#define XFS_SICK_UQUOTA		(1u << 1)
#define XFS_SICK_GQUOTA		(1u << 2)
#define XFS_SICK_PQUOTA		(1u << 3)
#define XFS_SICK_QUOTACHECK	(1u << 6)
#define XFS_SICK_NLINKS		(1u << 7)
/* Of an AG. */
#define XFS_SICK_AG_SB		(1u << 0)
#define XFS_SICK_AG_AGF		(1u << 1)
#define XFS_SICK_AG_AGFL	(1u << 2)
#define XFS_SICK_AG_AGI		(1u << 3)
#define XFS_SICK_AG_BNOBT	(1u << 4)
#define XFS_SICK_AG_CNTBT	(1u << 5)
#define XFS_SICK_AG_INOBT	(1u << 6)
#define XFS_SICK_AG_FINOBT	(1u << 7)
#define XFS_SICK_AG_RMAPBT	(1u << 8)
#define XFS_SICK_AG_REFCNTBT	(1u << 9)
#define XFS_SICK_AG_INODES	(1u << 10)	/* inodes that are not told of by number */
/* Of an inode. */
#define XFS_SICK_INO_CORE	(1u << 0)
#define XFS_SICK_INO_BMBTD	(1u << 1)	/* extents of its data */
#define XFS_SICK_INO_BMBTA	(1u << 2)	/* of its attributes */
#define XFS_SICK_INO_BMBTC	(1u << 3)	/* staged ones */
#define XFS_SICK_INO_DIR	(1u << 4)
#define XFS_SICK_INO_XATTR	(1u << 5)
#define XFS_SICK_INO_SYMLINK	(1u << 6)
#define XFS_SICK_INO_PARENT	(1u << 7)
#define XFS_SICK_INO_DIRTREE	(1u << 8)

/* The numbers are those of Linux's health monitor. */
enum xfs_domain { XFS_DOMAIN_FS = 1, XFS_DOMAIN_AG = 2, XFS_DOMAIN_INO = 3 };

/* Why a file system was shut down; the numbers are those of Linux's health monitor. */
#define XFS_WHY_META_IO		(1u << 0)	/* metadata cannot be read or written */
#define XFS_WHY_LOG_IO		(1u << 1)	/* the log cannot be written */
#define XFS_WHY_ASKED		(1u << 2)	/* a program asked for it */
#define XFS_WHY_INCORE		(1u << 3)	/* changes in memory that cannot be undone */
#define XFS_WHY_DEVICE_GONE	(1u << 5)

/* Parts MASK of an object. */
struct xfs_sick {
	enum xfs_domain domain;
	u32 mask;
	u64 who;	/* the number of the AG or the inode */
	u32 gen;	/* the inode's */
};

static inline u32 xfs_sick_bmbt(bool attr)
{
	return attr ? XFS_SICK_INO_BMBTA : XFS_SICK_INO_BMBTD;
}

/* Of names or attributes in a fork's blocks. */
static inline u32 xfs_sick_fork(bool attr)
{
	return attr ? XFS_SICK_INO_XATTR : XFS_SICK_INO_DIR;
}
