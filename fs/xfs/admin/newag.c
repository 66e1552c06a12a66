// SPDX-License-Identifier: MIT
/*
 * The first blocks of an AG that is new: headers in the first four sectors, and a root for each
 * tree in the blocks behind them, in mkfs.xfs's order. They are written past the log, before the
 * superblock says that the AG is there.
 */
#include "fs/xfs/admin/admin.h"
#include "fs/xfs/btree/owner.h"
#include "fs/xfs/format/btree.h"
#include "fs/xfs/format/stamp.h"
#include "fs/xfs/btree/btree.h"
#include <alloc/slab.h>

struct new_ag {
	const struct xfs_sb *sb;	/* as it will be */
	u32 agno, length;
	u32 roots[XFS_BT_KINDS];	/* blocks; 0: there is no such tree */
	u32 used;			/* blocks before the free ones */
	u8 *p;				/* of the used blocks */
};

static const u32 magics[XFS_BT_KINDS] = {
	XFS_BNO_MAGIC, XFS_CNT_MAGIC, XFS_INO_MAGIC, XFS_FINO_MAGIC, XFS_RMAP_MAGIC, XFS_REFC_MAGIC,
};

static void lay_out(struct new_ag *a)
{
	static const u32 needs[XFS_BT_KINDS] = {
		[XFS_BT_FINO] = XFS_RO_FINOBT, [XFS_BT_RMAP] = XFS_RO_RMAPBT, [XFS_BT_REFC] = XFS_RO_REFLINK
	};

	a->used = (4u * a->sb->sectsize + a->sb->blocksize - 1) >> a->sb->blocklog;
	for (u32 i = 0; i < XFS_BT_KINDS; i++)
		if ((a->sb->ro_compat & needs[i]) == needs[i])
			a->roots[i] = a->used++;
}

static be32 root_of(const struct new_ag *a, enum xfs_bt kind)
{
	return be32_make(a->roots[kind]);
}

static be32 one_if(const struct new_ag *a, enum xfs_bt kind)
{
	return be32_make(a->roots[kind] ? 1 : 0);
}

static void make_agf(const struct new_ag *a, struct xfs_dagf *d)
{
	*d = (struct xfs_dagf){
		.magic = be32_make(XFS_AGF_MAGIC),
		.version = be32_make(1),
		.seqno = be32_make(a->agno),
		.length = be32_make(a->length),
		.bno_root = root_of(a, XFS_BT_BNO),
		.cnt_root = root_of(a, XFS_BT_CNT),
		.rmap_root = root_of(a, XFS_BT_RMAP),
		.bno_level = be32_make(1),
		.cnt_level = be32_make(1),
		.rmap_level = one_if(a, XFS_BT_RMAP),
		.flfirst = be32_make(1),	/* the ring is empty */
		.freeblks = be32_make(a->length - a->used),
		.longest = be32_make(a->length - a->used),
		.rmap_blocks = one_if(a, XFS_BT_RMAP),
		.refc_blocks = one_if(a, XFS_BT_REFC),
		.refc_root = root_of(a, XFS_BT_REFC),
		.refc_level = one_if(a, XFS_BT_REFC),
	};
	memcpy(d->uuid, a->sb->meta_uuid, sizeof(d->uuid));
}

static void make_agi(const struct new_ag *a, struct xfs_dagi *d)
{
	bool counted = a->sb->ro_compat & XFS_RO_INOBTCNT;

	*d = (struct xfs_dagi){
		.magic = be32_make(XFS_AGI_MAGIC),
		.version = be32_make(1),
		.seqno = be32_make(a->agno),
		.length = be32_make(a->length),
		.root = root_of(a, XFS_BT_INO),
		.level = be32_make(1),
		.newino = be32_make(XFS_NULL32),
		.dirino = be32_make(XFS_NULL32),
		.free_root = root_of(a, XFS_BT_FINO),
		.free_level = one_if(a, XFS_BT_FINO),
		.iblocks = be32_make(counted),
		.fblocks = counted ? one_if(a, XFS_BT_FINO) : be32_make(0),
	};
	memset(d->unlinked, 0xff, sizeof(d->unlinked));
	memcpy(d->uuid, a->sb->meta_uuid, sizeof(d->uuid));
}

static void make_agfl(const struct new_ag *a, u8 *p)
{
	struct xfs_dagfl d = { .magic = be32_make(XFS_AGFL_MAGIC), .seqno = be32_make(a->agno) };

	memcpy(d.uuid, a->sb->meta_uuid, sizeof(d.uuid));
	memset(p, 0xff, a->sb->sectsize);
	memcpy(p, &d, sizeof(d));
}

/* An owner of LEN blocks from AGB on, as the N-th record of the root at P. */
static void put_owner(u8 *p, u32 n, u32 agb, u32 len, u64 owner)
{
	u8 *r = p + sizeof(struct xfs_dbt_short) + (size_t)n * 24;

	xfs_put32(r, agb);
	xfs_put32(r + 4, len);
	xfs_put64(r + 8, owner);
	xfs_put64(r + 16, 0);
}

static u32 put_owners(const struct new_ag *a, u8 *p)
{
	u32 n = 0, ino = a->roots[XFS_BT_INO], rmap = a->roots[XFS_BT_RMAP];

	put_owner(p, n++, 0, a->roots[XFS_BT_BNO], XFS_OWN_FS);
	put_owner(p, n++, a->roots[XFS_BT_BNO], 2, XFS_OWN_AG);
	put_owner(p, n++, ino, rmap - ino, XFS_OWN_INOBT);
	put_owner(p, n++, rmap, 1, XFS_OWN_AG);
	if (a->roots[XFS_BT_REFC])
		put_owner(p, n++, a->roots[XFS_BT_REFC], 1, XFS_OWN_REFC);
	return n;
}

static void make_root(const struct new_ag *a, enum xfs_bt kind)
{
	u8 *p = a->p + ((size_t)a->roots[kind] << a->sb->blocklog);
	struct xfs_dbt_short d = {
		.magic = be32_make(magics[kind]),
		.left = be32_make(XFS_NULL32),
		.right = be32_make(XFS_NULL32),
		.blkno = be64_make(xfs_agb_daddr(a->sb, a->agno, a->roots[kind])),
		.owner = be32_make(a->agno),
	};
	u32 n = 0;

	if (kind == XFS_BT_BNO || kind == XFS_BT_CNT) {
		xfs_put32(p + sizeof(d), a->used);
		xfs_put32(p + sizeof(d) + 4, a->length - a->used);
		n = 1;
	} else if (kind == XFS_BT_RMAP) {
		n = put_owners(a, p);
	}
	d.numrecs = be16_make((u16)n);
	memcpy(d.uuid, a->sb->meta_uuid, sizeof(d.uuid));
	memcpy(p, &d, sizeof(d));
	xfs_block_stamp(a->sb, (enum xfs_kind)(XFS_BLK_BT + kind), p, a->sb->blocksize, 0);
}

static void make_all(const struct new_ag *a, const struct xfs_dsb *copy)
{
	static const enum xfs_kind kinds[] = { XFS_BLK_SB, XFS_BLK_AGF, XFS_BLK_AGI, XFS_BLK_AGFL };
	u32 size = a->sb->sectsize;
	struct xfs_dagf agf;
	struct xfs_dagi agi;

	make_agf(a, &agf);
	make_agi(a, &agi);
	memcpy(a->p, copy, sizeof(*copy));
	memcpy(a->p + size, &agf, sizeof(agf));
	memcpy(a->p + 2 * size, &agi, sizeof(agi));
	make_agfl(a, a->p + 3 * size);
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		xfs_block_stamp(a->sb, kinds[i], a->p + (size_t)i * size, size, 0);
	for (u32 i = 0; i < XFS_BT_KINDS; i++)
		if (a->roots[i])
			make_root(a, (enum xfs_bt)i);
}

int xfs_new_ag(struct xfs_mount *mp, const struct xfs_sb *sb, const struct xfs_dsb *copy, u32 agno,
	       u32 *free)
{
	struct new_ag a = { .sb = sb, .agno = agno, .length = xfs_ag_blocks(sb, agno) };
	u32 len;
	int e;

	lay_out(&a);
	*free = a.length - a.used;
	len = a.used << sb->blocklog;
	a.p = kzalloc(len, GFP_KERNEL);
	if (!a.p)
		return -ENOMEM;
	make_all(&a, copy);
	e = xfs_write_raw(mp->sb->s_bdev, xfs_agb_daddr(sb, agno, 0), a.p, len);
	kfree(a.p);
	return e;
}
