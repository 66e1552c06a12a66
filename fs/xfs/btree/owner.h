/* SPDX-License-Identifier: MIT */
/* Owners of blocks, as records of the tree of owners name them: inodes, and these. */
#pragma once

#include <lib/types.h>

#define XFS_OWN_NULL	((u64)-1)	/* no record is made */
#define XFS_OWN_UNKNOWN	((u64)-2)	/* any */
#define XFS_OWN_FS	((u64)-3)	/* headers of AGs */
#define XFS_OWN_LOG	((u64)-4)
#define XFS_OWN_AG	((u64)-5)	/* trees of free space and owners, the free list */
#define XFS_OWN_INOBT	((u64)-6)
#define XFS_OWN_INODES	((u64)-7)
#define XFS_OWN_REFC	((u64)-8)
#define XFS_OWN_COW	((u64)-9)

/* In a record's offset. */
#define XFS_RMAP_ATTR	(1ull << 63)
#define XFS_RMAP_BMBT	(1ull << 62)
#define XFS_RMAP_UNWRITTEN (1ull << 61)
#define XFS_RMAP_OFF	((1ull << 54) - 1)
