// SPDX-License-Identifier: MIT
/* An allocation group: its headers, its trees, and the trees of files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "tools/image/check.h"
#include <lib/minmax.h>
#include <lib/string.h>

struct tree {
	struct check *c;
	u32 agno;
	enum xfs_bt kind;
	u64 blocks, recs, sum, free, last;	/* what was seen; SUM: of lengths or inodes */
};

static void fault(struct check *c, const struct xfs_fault *f)
{
	c->im->vol.report(&c->im->vol, f);
}

static void add_chunk(struct tree *t, const struct xfs_bt_rec *r)
{
	struct check *c = t->c;
	struct ag_info *ag = &c->ags[t->agno];
	const struct xfs_sb *sb = &c->im->vol.sb;
	u32 per = max(1u, 1u << sb->inopblog), holes = 0;
	struct chunk *chunk;

	if (!(ag->nr_chunks & (ag->nr_chunks - 1))) {
		ag->chunks = realloc(ag->chunks, sizeof(*chunk) * max(2 * ag->nr_chunks, 1u));
		if (!ag->chunks)
			abort();
	}
	chunk = &ag->chunks[ag->nr_chunks++];
	memset(chunk, 0, sizeof(*chunk));
	chunk->start = r->start;
	for (u32 i = 0; i < 64; i++) {
		bool hole = r->holemask >> (i / 4) & 1;

		holes += hole;
		chunk->inodes[i].used = !hole && !(r->free >> i & 1);
		if (!hole && (r->start + i) % per == 0)
			claim(c, xfs_fsb_make(sb, t->agno, (r->start + i) >> sb->inopblog), 1, USED,
			      "inodes of group", t->agno);
	}
	if (r->inodes + holes != 64 || (u32)__builtin_popcountll(r->free) - holes != r->freecount)
		wrong(c, "inobt of group %u: the counts of chunk %u do not fit its masks", t->agno,
		      r->start);
}

static void see_rec(struct tree *t, const struct xfs_bt_rec *r)
{
	struct check *c = t->c;
	const struct xfs_sb *sb = &c->im->vol.sb;
	u32 start = r->start & 0x7fffffffu;

	t->recs++;
	t->sum += t->kind == XFS_BT_INO || t->kind == XFS_BT_FINO ? r->inodes : r->count;
	t->free += r->freecount;
	if (t->kind == XFS_BT_BNO)
		claim(c, xfs_fsb_make(sb, t->agno, r->start), r->count, FREE, "free space of group",
		      t->agno);
	if (t->kind == XFS_BT_INO)
		add_chunk(t, r);
	/* What copy-on-write staged is nobody's, until a mount frees it. */
	if (t->kind == XFS_BT_REFC)
		claim(c, xfs_fsb_make(sb, t->agno, start), r->count, SHARED,
		      "shared blocks of group", t->agno);
	if (t->kind != XFS_BT_CNT && t->kind != XFS_BT_RMAP) {
		if (t->recs > 1 && r->start < t->last)
			wrong(c, "%s of group %u: records overlap at %u", xfs_bt_name(t->kind),
			      t->agno, r->start);
		t->last = (u64)r->start +
			  (t->kind == XFS_BT_INO || t->kind == XFS_BT_FINO ? 64 : r->count);
	}
}

static void walk_tree(struct tree *t, u32 block, u32 level)
{
	struct check *c = t->c;
	const struct xfs_sb *sb = &c->im->vol.sb;
	u64 fsb = xfs_fsb_make(sb, t->agno, block);
	struct xfs_run run = { xfs_fsb_daddr(sb, fsb), sb->blocksize >> 9 };
	struct xfs_bt_block h;
	struct xfs_blk b;

	/*
	 * A block that is somebody's already is not gone down again: trees that meet would not end.
	 */
	if (!claim(c, fsb, 1, TREE, xfs_bt_name(t->kind), t->agno) ||
	    c->im->vol.get(&c->im->vol, XFS_BLK_BT + t->kind, &run, 1, &b))
		return;
	t->blocks++;
	xfs_bt_head(b.data, &h);
	if (h.level != level)
		wrong(c, "%s block %u of group %u: level %u where %u is due", xfs_bt_name(t->kind),
		      block, t->agno, h.level, level);
	for (u32 i = 0; h.level == level && i < h.numrecs; i++) {
		struct xfs_bt_rec r;

		if (level) {
			walk_tree(t, xfs_bt_ptr_at(sb, t->kind, b.data, i), level - 1);
			continue;
		}
		xfs_bt_rec_at(sb, t->kind, b.data, i, &r);
		see_rec(t, &r);
	}
	c->im->vol.put(&c->im->vol, &b);
}

static struct tree walk_root(struct check *c, u32 agno, enum xfs_bt kind, struct xfs_btroot root)
{
	struct tree t = { .c = c, .agno = agno, .kind = kind };

	walk_tree(&t, root.block, root.levels - 1);
	return t;
}

static void check_sb(struct check *c, u32 agno, u8 *sector)
{
	const struct xfs_sb *sb = &c->im->vol.sb;
	struct xfs_fault f = { 0 };
	struct xfs_sb other;

	if (image_read(c->im, xfs_agb_daddr(sb, agno, 0) << 9, sector, sb->sectsize) ||
	    xfs_sb_decode(sector, sb->sectsize, &other, &f)) {
		f.place = xfs_agb_daddr(sb, agno, 0);
		fault(c, &f);
	} else if (other.dblocks != sb->dblocks || other.agblocks != sb->agblocks ||
		   other.blocksize != sb->blocksize || memcmp(other.uuid, sb->uuid, 16)) {
		wrong(c, "superblock of group %u: it differs from the first", agno);
	}
}

static void check_agfl(struct check *c, u32 agno, u8 *sector, const struct xfs_agf *agf)
{
	const struct xfs_sb *sb = &c->im->vol.sb;
	u32 size = xfs_agfl_size(sb), i = agf->flfirst;
	u64 place = xfs_agb_daddr(sb, agno, 0) + 3 * (sb->sectsize >> 9);
	struct xfs_fault f = { "AGFL", "reading", place, 0 };

	if (image_read(c->im, place << 9, sector, sb->sectsize) ||
	    xfs_agfl_check(sb, agno, sector, place, &f)) {
		fault(c, &f);
		return;
	}
	for (u32 n = 0; n < agf->flcount; n++, i = (i + 1) % size) {
		u32 b = xfs_agfl_at(sector, i);

		if (!xfs_agb_ok(sb, agno, b))
			wrong(c, "AGFL of group %u: entry %u is block %u", agno, i, b);
		else
			claim(c, xfs_fsb_make(sb, agno, b), 1, USED, "free list of group", agno);
	}
}

static void check_space(struct check *c, u32 agno, u8 *sector, struct xfs_agf *agf)
{
	const struct xfs_sb *sb = &c->im->vol.sb;
	u64 place = xfs_agb_daddr(sb, agno, 0) + (sb->sectsize >> 9);
	struct xfs_fault f = { "AGF", "reading", place, 0 };
	struct tree bno, cnt, refc;

	if (image_read(c->im, place << 9, sector, sb->sectsize) ||
	    xfs_agf_decode(sb, agno, sector, place, agf, &f)) {
		fault(c, &f);
		return;
	}
	bno = walk_root(c, agno, XFS_BT_BNO, agf->bno);
	cnt = walk_root(c, agno, XFS_BT_CNT, agf->cnt);
	if (bno.sum != agf->freeblks || cnt.sum != agf->freeblks || bno.recs != cnt.recs)
		wrong(c, "AGF of group %u: it says %u free blocks, its trees %llu and %llu", agno,
		      agf->freeblks, bno.sum, cnt.sum);
	if (sb->ro_compat & XFS_RO_RMAPBT)
		walk_root(c, agno, XFS_BT_RMAP, agf->rmap);
	if (sb->ro_compat & XFS_RO_REFLINK) {
		refc = walk_root(c, agno, XFS_BT_REFC, agf->refc);
		if (refc.blocks != agf->refc_blocks)
			wrong(c,
			      "AGF of group %u: it says %u blocks of the refcount tree, and there are %llu",
			      agno, agf->refc_blocks, refc.blocks);
	}
	check_agfl(c, agno, sector, agf);
}

/* What was deleted while it was open: chains of inodes. */
static void check_unlinked(struct check *c, u32 agno, const struct xfs_agi *agi)
{
	static struct file f;

	for (u32 i = 0; i < XFS_AGI_BUCKETS; i++) {
		for (u32 agino = agi->unlinked[i]; agino != XFS_NULL32;
		     agino = f.node.core.next_unlinked) {
			u64 ino = xfs_ino_make(&c->im->vol.sb, agno, agino);
			struct inode_info *info = xfs_agino_ok(&c->im->vol.sb, agno, agino) ?
							  inode_info(c, ino) :
							  NULL;

			if (!info || !info->used || info->unlinked || file_read(c->im, ino, &f)) {
				wrong(c,
				      "AGI of group %u: the list of unlinked inodes %u is broken at %u",
				      agno, i, agino);
				break;
			}
			info->unlinked = true;
		}
	}
}

static void check_inodes(struct check *c, u32 agno, u8 *sector)
{
	const struct xfs_sb *sb = &c->im->vol.sb;
	u64 place = xfs_agb_daddr(sb, agno, 0) + 2 * (sb->sectsize >> 9);
	struct xfs_fault f = { "AGI", "reading", place, 0 };
	struct xfs_agi agi;
	struct tree ino, fino;

	if (image_read(c->im, place << 9, sector, sb->sectsize) ||
	    xfs_agi_decode(sb, agno, sector, place, &agi, &f)) {
		fault(c, &f);
		return;
	}
	ino = walk_root(c, agno, XFS_BT_INO, agi.ino);
	if (ino.sum != agi.count || ino.free != agi.freecount)
		wrong(c, "AGI of group %u: it says %u inodes, %u free; its tree %llu and %llu",
		      agno, agi.count, agi.freecount, ino.sum, ino.free);
	c->inodes += ino.sum;
	c->free_inodes += ino.free;
	if (sb->ro_compat & XFS_RO_FINOBT) {
		fino = walk_root(c, agno, XFS_BT_FINO, agi.fino);
		if (fino.free != ino.free)
			wrong(c,
			      "AGI of group %u: the tree of free inodes has %llu, the tree of all %llu",
			      agno, fino.free, ino.free);
	}
	check_unlinked(c, agno, &agi);
}

void check_ag(struct check *c, u32 agno)
{
	const struct xfs_sb *sb = &c->im->vol.sb;
	static u8 sector[32768] __attribute__((aligned(8)));
	struct xfs_agf agf;
	u32 heads = max(1u, (4 * sb->sectsize + sb->blocksize - 1) >> sb->blocklog);

	claim(c, xfs_fsb_make(sb, agno, 0), heads, USED, "headers of group", agno);
	check_sb(c, agno, sector);
	check_space(c, agno, sector, &agf);
	check_inodes(c, agno, sector);
}

/* ---- a file's tree ---- */

static u64 walk_bmbt(struct check *c, const struct xfs_node *n, u64 fsb, u32 level)
{
	const struct xfs_sb *sb = &c->im->vol.sb;
	struct xfs_run run = { xfs_fsb_daddr(sb, fsb), sb->blocksize >> 9 };
	struct xfs_bt_block h;
	struct xfs_blk b;
	u64 blocks = 1;

	if (!claim(c, fsb, 1, TREE, "inode", n->core.ino) ||
	    c->im->vol.get(&c->im->vol, XFS_BLK_BMBT, &run, 1, &b))
		return 0;
	xfs_bmbt_head(b.data, &h);
	for (u32 i = 0; level && h.level == level && i < h.numrecs; i++)
		blocks += walk_bmbt(c, n, xfs_bmbt_ptr_at(sb, b.data, i), level - 1);
	c->im->vol.put(&c->im->vol, &b);
	return blocks;
}

u64 check_bmbt(struct check *c, const struct xfs_node *n, const struct xfs_fork *k)
{
	u32 level, count;
	u64 blocks = 0;

	xfs_bmdr_head(k, &level, &count);
	for (u32 i = 0; i < count; i++)
		blocks += walk_bmbt(c, n, xfs_bmdr_ptr_at(k, i), level - 1);
	return blocks;
}
