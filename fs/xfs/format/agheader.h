/* SPDX-License-Identifier: MIT */
/*
 * The headers of an allocation group, decoded. Roots lie in the AG and levels are possible; whether
 * the trees are sound is their blocks' business.
 */
#pragma once

#include "fs/xfs/format/sb.h"

#define XFS_BT_MAXLEVELS 9

struct xfs_btroot {
	u32 block;
	u32 levels;
};

struct xfs_agf {
	u32 length, flfirst, fllast, flcount, freeblks, longest, btreeblks, rmap_blocks,
		refc_blocks;
	struct xfs_btroot bno, cnt, rmap, refc;
};

struct xfs_agi {
	u32 length, count, freecount, newino, iblocks, fblocks;
	struct xfs_btroot ino, fino;
	u32 unlinked[XFS_AGI_BUCKETS];
};

/* P: a sector. PLACE: its device address, for the fault. -EUCLEAN, -EBADMSG. */
int xfs_agf_decode(const struct xfs_sb *sb, u32 agno, const void *p, u64 place, struct xfs_agf *out,
		   struct xfs_fault *f);
int xfs_agi_decode(const struct xfs_sb *sb, u32 agno, const void *p, u64 place, struct xfs_agi *out,
		   struct xfs_fault *f);
/* Entries of the free list: how many there is room for, and the I-th (checked by the caller). */
int xfs_agfl_check(const struct xfs_sb *sb, u32 agno, const void *p, u64 place,
		   struct xfs_fault *f);
static inline u32 xfs_agfl_size(const struct xfs_sb *sb)
{
	return (sb->sectsize - (u32)sizeof(struct xfs_dagfl)) / 4;
}

static inline u32 xfs_agfl_at(const void *p, u32 i)
{
	return be32_get(((const struct xfs_dagfl *)p)->bno[i]);
}
