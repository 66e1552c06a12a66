// SPDX-License-Identifier: MIT
/* Blocks by their magic numbers, and what is set in them before they are written (stamp.h). */
#include "fs/xfs/format/stamp.h"
#include "fs/xfs/format/da.h"
#include <lib/string.h>

#define AT(type, field) ((u16)offsetof(struct type, field))
#define LAYOUT(magic, type, kind) \
	{ magic, AT(type, lsn), AT(type, uuid), AT(type, crc), false, 0, kind }
#define BT(magic, bt)                                                                     \
	{ magic, AT(xfs_dbt_short, lsn), AT(xfs_dbt_short, uuid), AT(xfs_dbt_short, crc), \
	  false, (bt) + 1,		 XFS_LK_BTREE }
#define DA(magic, kind) \
	{ magic, AT(xfs_dda, lsn), AT(xfs_dda, uuid), AT(xfs_dda, crc), true, 0, kind }

static const struct xfs_layout layouts[] = {
	BT(XFS_BNO_MAGIC, XFS_BT_BNO),
	BT(XFS_CNT_MAGIC, XFS_BT_CNT),
	BT(XFS_INO_MAGIC, XFS_BT_INO),
	BT(XFS_FINO_MAGIC, XFS_BT_FINO),
	BT(XFS_RMAP_MAGIC, XFS_BT_RMAP),
	BT(XFS_REFC_MAGIC, XFS_BT_REFC),
	LAYOUT(XFS_BMAP_MAGIC, xfs_dbt_long, XFS_LK_BTREE),
	LAYOUT(XFS_AGF_MAGIC, xfs_dagf, XFS_LK_AGF),
	LAYOUT(XFS_AGI_MAGIC, xfs_dagi, XFS_LK_AGI),
	LAYOUT(XFS_AGFL_MAGIC, xfs_dagfl, XFS_LK_AGFL),
	LAYOUT(XFS_SYMLINK_MAGIC, xfs_drmt, XFS_LK_SYMLINK),
	LAYOUT(XFS_SB_MAGIC, xfs_dsb, XFS_LK_SB),
	LAYOUT(XFS_DIR_BLOCK_MAGIC, xfs_ddir_blk, XFS_LK_DIR_BLOCK),
	LAYOUT(XFS_DIR_DATA_MAGIC, xfs_ddir_blk, XFS_LK_DIR_DATA),
	LAYOUT(XFS_DIR_FREE_MAGIC, xfs_ddir_blk, XFS_LK_DIR_FREE),
	DA(XFS_DIR_LEAF1_MAGIC, XFS_LK_DIR_LEAF1),
	DA(XFS_DIR_LEAFN_MAGIC, XFS_LK_DIR_LEAFN),
	DA(XFS_DA_NODE_MAGIC, XFS_LK_DA_NODE),
	DA(XFS_ATTR_LEAF_MAGIC, XFS_LK_ATTR_LEAF),
};

const struct xfs_layout *xfs_layout_of(const u8 *p)
{
	u32 magic = xfs_magic_of(p), da = xfs_da_magic(p);

	for (u32 i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].magic == (layouts[i].da ? da : magic))
			return &layouts[i];
	return NULL;
}

void xfs_put_crc(u8 *p, u32 len, u32 at)
{
	le32 crc = le32_make(xfs_crc(p, len, at));

	memcpy(p + at, &crc, sizeof(crc));
}

void xfs_inode_stamp(const struct xfs_sb *sb, u8 *p)
{
	xfs_put_crc(p, sb->inodesize, offsetof(struct xfs_dinode, crc));
}

bool xfs_block_stamp(const struct xfs_sb *sb, enum xfs_kind kind, u8 *p, u32 len, u64 lsn)
{
	const struct xfs_layout *l;
	be64 v = be64_make(lsn);

	if (kind == XFS_BLK_INODES)
		return true;
	if (kind == XFS_BLK_ATTR_RMT) {
		for (u32 at = 0; at + sb->blocksize <= len; at += sb->blocksize)
			xfs_put_crc(p + at, sb->blocksize, offsetof(struct xfs_drmt, crc));
		return true;
	}
	l = xfs_layout_of(p);
	if (!l)
		return false;
	if (lsn)
		memcpy(p + l->lsn, &v, sizeof(v));
	xfs_put_crc(p, len, l->crc);
	return true;
}

u8 xfs_block_lkind(enum xfs_kind kind, const u8 *p)
{
	const struct xfs_layout *l = xfs_layout_of(p);

	if (kind == XFS_BLK_INODES)
		return XFS_LK_INODES;
	if (kind == XFS_BLK_ATTR_RMT)
		return XFS_LK_ATTR_RMT;
	return l ? l->lkind : XFS_LK_UNKNOWN;
}
