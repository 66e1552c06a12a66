// SPDX-License-Identifier: MIT
/* Blocks by their kind: where the LSN and the checksum are, what verifies them. */
#include "fs/xfs/log/replay_priv.h"
#include "fs/xfs/format/attr.h"
#include "fs/xfs/format/da.h"
#include "fs/xfs/format/dir.h"
#include <lib/string.h>
#include <abi/errno.h>

#define NO_LSN (~0ull)
#define AT(type, field) ((u16)offsetof(struct type, field))

/* Of a magic number: where things are in that structure. */
static const struct layout {
	u32 magic;
	u16 lsn, uuid, crc;
	bool da;		/* the number is the 16-bit one behind two pointers */
	u8 bt;			/* enum xfs_bt plus 1 */
} layouts[] = {
#define BT(m, kind) \
	{ m, AT(xfs_dbt_short, lsn), AT(xfs_dbt_short, uuid), AT(xfs_dbt_short, crc), false, (kind) + 1 }
#define DIR(m) { m, AT(xfs_ddir_blk, lsn), AT(xfs_ddir_blk, uuid), AT(xfs_ddir_blk, crc), false, 0 }
#define DA(m) { m, AT(xfs_dda, lsn), AT(xfs_dda, uuid), AT(xfs_dda, crc), true, 0 }
	BT(XFS_BNO_MAGIC, XFS_BT_BNO),
	BT(XFS_CNT_MAGIC, XFS_BT_CNT),
	BT(XFS_INO_MAGIC, XFS_BT_INO),
	BT(XFS_FINO_MAGIC, XFS_BT_FINO),
	BT(XFS_RMAP_MAGIC, XFS_BT_RMAP),
	BT(XFS_REFC_MAGIC, XFS_BT_REFC),
	{ XFS_BMAP_MAGIC, AT(xfs_dbt_long, lsn), AT(xfs_dbt_long, uuid), AT(xfs_dbt_long, crc),
	  false, 0 },
	{ XFS_AGF_MAGIC, AT(xfs_dagf, lsn), AT(xfs_dagf, uuid), AT(xfs_dagf, crc), false, 0 },
	{ XFS_AGI_MAGIC, AT(xfs_dagi, lsn), AT(xfs_dagi, uuid), AT(xfs_dagi, crc), false, 0 },
	{ XFS_AGFL_MAGIC, AT(xfs_dagfl, lsn), AT(xfs_dagfl, uuid), AT(xfs_dagfl, crc), false, 0 },
	{ XFS_SYMLINK_MAGIC, AT(xfs_drmt, lsn), AT(xfs_drmt, uuid), AT(xfs_drmt, crc), false, 0 },
	{ XFS_SB_MAGIC, AT(xfs_dsb, lsn), AT(xfs_dsb, uuid), AT(xfs_dsb, crc), false, 0 },
	DIR(XFS_DIR_BLOCK_MAGIC),
	DIR(XFS_DIR_DATA_MAGIC),
	DIR(XFS_DIR_FREE_MAGIC),
	DA(XFS_DIR_LEAF1_MAGIC),
	DA(XFS_DIR_LEAFN_MAGIC),
	DA(XFS_DA_NODE_MAGIC),
	DA(XFS_ATTR_LEAF_MAGIC),
};

static u32 magic_of(const u8 *p)
{
	be32 v;

	memcpy(&v, p, sizeof(v));
	return be32_get(v);
}

static const struct layout *layout_of(const u8 *p)
{
	u32 magic = magic_of(p), da = xfs_da_magic(p);

	for (u32 i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].magic == (layouts[i].da ? da : magic))
			return &layouts[i];
	return NULL;
}

u64 xfs_block_lsn(const struct xfs_sb *sb, const u8 *p, u32 bbs)
{
	const struct layout *l = layout_of(p);
	u16 uuid;
	be64 lsn;

	if (!l)
		return NO_LSN;
	uuid = l->uuid;
	if (l->magic == XFS_SB_MAGIC && sb->incompat & XFS_IN_META_UUID)
		uuid = AT(xfs_dsb, meta_uuid);
	if (memcmp(p + uuid, sb->meta_uuid, XFS_UUID_SIZE) ||
	    !xfs_crc_ok(p, bbs * XFS_SECTOR, l->crc))
		return NO_LSN;
	memcpy(&lsn, p + l->lsn, sizeof(lsn));
	return be64_get(lsn);
}

/* The magic number that a kind of block must have; 0: one of several. */
static const u32 magics[XFS_LK_KINDS] = {
	[XFS_LK_AGF] = XFS_AGF_MAGIC,
	[XFS_LK_AGFL] = XFS_AGFL_MAGIC,
	[XFS_LK_AGI] = XFS_AGI_MAGIC,
	[XFS_LK_SYMLINK] = XFS_SYMLINK_MAGIC,
	[XFS_LK_DIR_BLOCK] = XFS_DIR_BLOCK_MAGIC,
	[XFS_LK_DIR_DATA] = XFS_DIR_DATA_MAGIC,
	[XFS_LK_DIR_FREE] = XFS_DIR_FREE_MAGIC,
	[XFS_LK_DIR_LEAF1] = XFS_DIR_LEAF1_MAGIC,
	[XFS_LK_DIR_LEAFN] = XFS_DIR_LEAFN_MAGIC,
	[XFS_LK_DA_NODE] = XFS_DA_NODE_MAGIC,
	[XFS_LK_ATTR_LEAF] = XFS_ATTR_LEAF_MAGIC,
	[XFS_LK_ATTR_RMT] = XFS_ATTR_RMT_MAGIC,
	[XFS_LK_SB] = XFS_SB_MAGIC,
};

static bool length_fits(const struct xfs_sb *sb, u8 kind, u32 len)
{
	switch (kind) {
	case XFS_LK_AGF:
	case XFS_LK_AGFL:
	case XFS_LK_AGI:
	case XFS_LK_SB:
		return len == sb->sectsize;
	case XFS_LK_DIR_BLOCK:
	case XFS_LK_DIR_DATA:
	case XFS_LK_DIR_FREE:
	case XFS_LK_DIR_LEAF1:
	case XFS_LK_DIR_LEAFN:
		return len == sb->dirblksize;
	case XFS_LK_DA_NODE:
		return len == sb->dirblksize || len == sb->blocksize;
	default:
		return len % sb->blocksize == 0;
	}
}

bool xfs_block_fits(const struct xfs_sb *sb, u8 kind, const u8 *p, u32 bbs)
{
	const struct layout *l = layout_of(p);
	u32 len = bbs * XFS_SECTOR;
	be16 dq;

	if (!length_fits(sb, kind, len))
		return false;
	memcpy(&dq, p, sizeof(dq));
	switch (kind) {
	case XFS_LK_UDQUOT:
	case XFS_LK_PDQUOT:
	case XFS_LK_GDQUOT:
		return be16_get(dq) == XFS_DQ_MAGIC && len == sb->blocksize;
	case XFS_LK_INODES:
		return be16_get(dq) == XFS_DI_MAGIC;
	case XFS_LK_BTREE:
		return l && (l->bt || l->magic == XFS_BMAP_MAGIC) && len == sb->blocksize;
	case XFS_LK_ATTR_RMT:
		return magic_of(p) == XFS_ATTR_RMT_MAGIC;
	default:
		return l && kind < XFS_LK_KINDS && l->magic == magics[kind];
	}
}

static void put_crc(u8 *p, u32 len, u32 at)
{
	le32 crc = le32_make(xfs_crc(p, len, at));

	memcpy(p + at, &crc, sizeof(crc));
}

/* ---- verifying ---- */

static u32 ag_of(const struct xfs_sb *sb, u64 daddr)
{
	return (u32)((daddr >> (sb->blocklog - 9)) / sb->agblocks);
}

/* One of the four sectors that an AG begins with. */
static int check_ag_header(const struct xfs_sb *sb, const struct xfs_object *o, const u8 *p,
			   struct xfs_fault *f)
{
	u32 agno = ag_of(sb, o->daddr);
	u64 in_ag = o->daddr - xfs_agb_daddr(sb, agno, 0), per = sb->sectsize / XFS_SECTOR;
	struct xfs_agf agf;
	struct xfs_agi agi;
	struct xfs_sb other;

	switch (o->kind) {
	case XFS_LK_SB:
		return in_ag ? xfs_bad(f, "superblock", "address", o->daddr, in_ag) :
			       xfs_sb_decode(p, sb->sectsize, &other, f);
	case XFS_LK_AGF:
		return in_ag != per ? xfs_bad(f, "AGF", "address", o->daddr, in_ag) :
				      xfs_agf_decode(sb, agno, p, o->daddr, &agf, f);
	case XFS_LK_AGI:
		return in_ag != 2 * per ? xfs_bad(f, "AGI", "address", o->daddr, in_ag) :
					  xfs_agi_decode(sb, agno, p, o->daddr, &agi, f);
	default:
		return in_ag != 3 * per ? xfs_bad(f, "AGFL", "address", o->daddr, in_ag) :
					  xfs_agfl_check(sb, agno, p, o->daddr, f);
	}
}

static int check_dquots(const struct xfs_sb *sb, const struct xfs_object *o, const u8 *p,
			struct xfs_fault *f)
{
	u32 size = (u32)sizeof(struct xfs_ddqblk);

	for (u32 i = 0; i < sb->blocksize / size; i++) {
		const u8 *q = p + (size_t)i * size;
		struct xfs_ddqblk d;

		memcpy(&d, q, sizeof(d));
		if (be16_get(d.d.magic) != XFS_DQ_MAGIC || d.d.version != 1)
			return xfs_bad(f, "dquot", "magic", o->daddr, i);
		if (memcmp(d.uuid, sb->meta_uuid, XFS_UUID_SIZE))
			return xfs_bad(f, "dquot", "uuid", o->daddr, i);
		if (!xfs_crc_ok(q, size, offsetof(struct xfs_ddqblk, crc)))
			return xfs_bad(f, "dquot", "crc", o->daddr, i);
	}
	return 0;
}

static int check_inode(const struct xfs_sb *sb, const struct xfs_object *o, const u8 *p,
		       struct xfs_fault *f)
{
	u32 agno = ag_of(sb, o->daddr);
	u64 in_ag = o->daddr - xfs_agb_daddr(sb, agno, 0);
	struct xfs_core c;
	int e = xfs_inode_decode(sb, xfs_ino_make(sb, agno, (u32)(in_ag >> (sb->inodelog - 9))), p,
				 &c, f);

	return e == -ESTALE ? 0 : e;
}

static int check(const struct xfs_sb *sb, const struct xfs_object *o, const u8 *p,
		 struct xfs_fault *f)
{
	const struct layout *l = layout_of(p);
	u32 len = o->bbs * XFS_SECTOR;

	switch (o->kind) {
	case XFS_LK_BTREE:
		return l->bt ? xfs_bt_verify(sb, (enum xfs_bt)(l->bt - 1), o->daddr, p, f) :
			       xfs_bmbt_verify(sb, o->daddr, p, f);
	case XFS_LK_INODES:
		return check_inode(sb, o, p, f);
	case XFS_LK_SYMLINK:
		return xfs_symlink_verify(sb, o->daddr, p, len, f);
	case XFS_LK_DIR_BLOCK:
	case XFS_LK_DIR_DATA:
		return xfs_dir_data_verify(sb, o->daddr, p, f);
	case XFS_LK_DIR_FREE:
		return xfs_dir_free_verify(sb, o->daddr, p, f);
	case XFS_LK_DIR_LEAF1:
	case XFS_LK_DIR_LEAFN:
		return xfs_da_dir_verify(sb, o->daddr, p, f);
	case XFS_LK_DA_NODE:
		return len == sb->dirblksize ? xfs_da_dir_verify(sb, o->daddr, p, f) :
					       xfs_da_attr_verify(sb, o->daddr, p, f);
	case XFS_LK_ATTR_LEAF:
		return xfs_da_attr_verify(sb, o->daddr, p, f);
	case XFS_LK_ATTR_RMT:
		return xfs_attr_rmt_verify(sb, o->daddr, p, f);
	case XFS_LK_UDQUOT:
	case XFS_LK_PDQUOT:
	case XFS_LK_GDQUOT:
		return check_dquots(sb, o, p, f);
	default:
		return check_ag_header(sb, o, p, f);
	}
}

int xfs_block_finish(const struct xfs_sb *sb, const struct xfs_object *o, u8 *p,
		     struct xfs_fault *f)
{
	const struct layout *l = layout_of(p);
	be64 lsn = be64_make(o->lsn);

	/* Inodes and dquots were given their LSN one by one; values of attributes have none. */
	if (o->kind == XFS_LK_INODES)
		put_crc(p, sb->inodesize, offsetof(struct xfs_dinode, crc));
	else if (o->kind == XFS_LK_ATTR_RMT)
		put_crc(p, sb->blocksize, offsetof(struct xfs_drmt, crc));
	else if (o->kind > XFS_LK_GDQUOT) {
		if (!xfs_block_fits(sb, o->kind, p, o->bbs))
			return xfs_bad(f, "block", "magic", o->daddr, magic_of(p));
		if (o->lsn)
			memcpy(p + l->lsn, &lsn, sizeof(lsn));
		put_crc(p, o->bbs * XFS_SECTOR, l->crc);
	}
	return check(sb, o, p, f);
}
