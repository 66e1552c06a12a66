// SPDX-License-Identifier: MIT
/* Blocks by their kind: how old those on the disk are, and verifying those that are written. */
#include "fs/xfs/log/replay_priv.h"
#include "fs/xfs/format/stamp.h"
#include <lib/string.h>
#include <abi/errno.h>

#define NO_LSN (~0ull)

u64 xfs_block_lsn(const struct xfs_sb *sb, const u8 *p, u32 bbs)
{
	const struct xfs_layout *l = xfs_layout_of(p);
	u16 uuid;
	be64 lsn;

	if (!l)
		return NO_LSN;
	uuid = l->uuid;
	if (l->magic == XFS_SB_MAGIC && sb->incompat & XFS_IN_META_UUID)
		uuid = (u16)offsetof(struct xfs_dsb, meta_uuid);
	if (memcmp(p + uuid, sb->meta_uuid, XFS_UUID_SIZE) ||
	    !xfs_crc_ok(p, bbs * XFS_SECTOR, l->crc))
		return NO_LSN;
	memcpy(&lsn, p + l->lsn, sizeof(lsn));
	return be64_get(lsn);
}

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
	case XFS_LK_BTREE:
		return len == sb->blocksize;
	default:
		return len % sb->blocksize == 0;
	}
}

bool xfs_block_fits(const struct xfs_sb *sb, u8 kind, const u8 *p, u32 bbs)
{
	const struct xfs_layout *l = xfs_layout_of(p);
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
	case XFS_LK_ATTR_RMT:
		return xfs_magic_of(p) == XFS_ATTR_RMT_MAGIC;
	default:
		return l && l->lkind == kind;
	}
}

/* ---- verifying ---- */

static u32 ag_of(const struct xfs_sb *sb, u64 daddr)
{
	return (u32)((daddr >> (sb->blocklog - 9)) / sb->agblocks);
}

/* One of the four sectors that an AG begins with lies where its kind has its place. */
static int check_place(const struct xfs_sb *sb, const struct xfs_object *o, struct xfs_fault *f)
{
	static const u8 sectors[XFS_LK_KINDS] = {
		[XFS_LK_SB] = 0, [XFS_LK_AGF] = 1, [XFS_LK_AGI] = 2, [XFS_LK_AGFL] = 3
	};
	u64 in_ag = o->daddr - xfs_agb_daddr(sb, ag_of(sb, o->daddr), 0);

	if (in_ag != sectors[o->kind] * (sb->sectsize / XFS_SECTOR))
		return xfs_bad(f, "AG header", "address", o->daddr, in_ag);
	return 0;
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

/* What verifies a block of a kind that xfs_block_fits(). */
static enum xfs_kind kind_of(const struct xfs_sb *sb, const struct xfs_object *o, const u8 *p)
{
	u32 bt;

	switch (o->kind) {
	case XFS_LK_AGF:
		return XFS_BLK_AGF;
	case XFS_LK_AGFL:
		return XFS_BLK_AGFL;
	case XFS_LK_AGI:
		return XFS_BLK_AGI;
	case XFS_LK_SB:
		return XFS_BLK_SB;
	case XFS_LK_SYMLINK:
		return XFS_BLK_SYMLINK;
	case XFS_LK_DIR_BLOCK:
	case XFS_LK_DIR_DATA:
		return XFS_BLK_DIR_DATA;
	case XFS_LK_DIR_FREE:
		return XFS_BLK_DIR_FREE;
	case XFS_LK_DIR_LEAF1:
	case XFS_LK_DIR_LEAFN:
		return XFS_BLK_DIR_HASH;
	case XFS_LK_DA_NODE:
		return o->bbs * XFS_SECTOR == sb->dirblksize ? XFS_BLK_DIR_HASH : XFS_BLK_ATTR;
	case XFS_LK_ATTR_LEAF:
		return XFS_BLK_ATTR;
	case XFS_LK_ATTR_RMT:
		return XFS_BLK_ATTR_RMT;
	default:
		bt = xfs_layout_of(p)->bt;
		return bt ? (enum xfs_kind)(XFS_BLK_BT + bt - 1) : XFS_BLK_BMBT;
	}
}

int xfs_block_finish(const struct xfs_sb *sb, const struct xfs_object *o, u8 *p,
		     struct xfs_fault *f)
{
	u32 len = o->bbs * XFS_SECTOR;
	enum xfs_kind kind;
	int e = 0;

	/* Inodes and dquots were given their LSN one by one. */
	if (o->kind == XFS_LK_INODES) {
		xfs_inode_stamp(sb, p);
		return check_inode(sb, o, p, f);
	}
	if (o->kind == XFS_LK_UDQUOT || o->kind == XFS_LK_PDQUOT || o->kind == XFS_LK_GDQUOT)
		return check_dquots(sb, o, p, f);
	if (!xfs_block_fits(sb, o->kind, p, o->bbs))
		return xfs_bad(f, "block", "magic", o->daddr, xfs_magic_of(p));
	kind = kind_of(sb, o, p);
	xfs_block_stamp(sb, kind, p, len, o->lsn);
	if (kind == XFS_BLK_SB || kind == XFS_BLK_AGF || kind == XFS_BLK_AGI ||
	    kind == XFS_BLK_AGFL)
		e = check_place(sb, o, f);
	return e ?: xfs_verify(sb, kind, o->daddr, p, len, f);
}
