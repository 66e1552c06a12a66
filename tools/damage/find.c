// SPDX-License-Identifier: MIT
/*
 * What there is to damage. Headers are where they are; trees are walked from their roots, each block
 * once, however blocks point at each other; inodes are those that the inode trees say are in use.
 */
#include <errno.h>
#include <stdlib.h>
#include "tools/damage/damage.h"
#include <lib/string.h>

#define OF_INODES (1u << T_INODE | 1u << T_BMAPBTD | 1u << T_BMAPBTA)

struct find {
	struct image *im;
	const struct wish *w;
	struct targets *out;
	int error;
};

/* ---- a growing list, and a set of blocks ---- */

static void add(struct find *f, const struct target *t)
{
	struct targets *o = f->out;

	if (f->error || !(f->w->types >> t->type & 1) || (f->w->one_ag && t->agno != f->w->agno) ||
	    (f->w->one_ino && (!types[t->type].of_inode || t->ino != f->w->ino)))
		return;
	if (o->n == o->room) {
		size_t room = o->room ? 2 * o->room : 64;
		struct target *v = realloc(o->v, room * sizeof(*v));

		if (!v) {
			f->error = -ENOMEM;
			return;
		}
		o->v = v;
		o->room = room;
	}
	o->v[o->n++] = *t;
}

static u64 *slot_of(u64 *set, size_t room, u64 fsb)
{
	size_t i = (size_t)((fsb * 0x9e3779b97f4a7c15ull) >> 20) & (room - 1);

	while (set[i] && set[i] != fsb)
		i = (i + 1) & (room - 1);
	return &set[i];
}

/* False: FSB was met before, or there is no memory. No block of a tree is block 0. */
static bool first_time(struct find *f, u64 fsb)
{
	struct targets *o = f->out;
	u64 *slot;

	if (2 * o->nr_seen >= o->seen_room) {
		size_t room = o->seen_room ? 2 * o->seen_room : 256;
		u64 *set = calloc(room, sizeof(*set));

		if (!set) {
			f->error = -ENOMEM;
			return false;
		}
		for (size_t i = 0; i < o->seen_room; i++)
			if (o->seen[i])
				*slot_of(set, room, o->seen[i]) = o->seen[i];
		free(o->seen);
		o->seen = set;
		o->seen_room = room;
	}
	slot = slot_of(o->seen, o->seen_room, fsb);
	if (*slot)
		return false;
	*slot = fsb;
	o->nr_seen++;
	return true;
}

static int get_block(struct find *f, enum xfs_kind kind, u64 fsb, struct xfs_blk *b)
{
	const struct xfs_sb *sb = &f->im->vol.sb;
	struct xfs_run run = { xfs_fsb_daddr(sb, fsb), sb->blocksize >> 9 };

	if (f->error || !xfs_fsb_ok(sb, fsb, 1) || !first_time(f, fsb))
		return -ENOENT;
	return f->im->vol.get(&f->im->vol, kind, &run, 1, b);
}

/* ---- inodes ---- */

static void walk_fork(struct find *f, const struct target *of, u64 fsb, u32 level)
{
	const struct xfs_sb *sb = &f->im->vol.sb;
	struct xfs_bt_block h;
	struct target t = *of;
	struct xfs_blk b;

	if (get_block(f, XFS_BLK_BMBT, fsb, &b))
		return;
	xfs_bmbt_head(b.data, &h);
	if (h.level == level && h.owner == of->ino) {
		t.at = xfs_fsb_daddr(sb, fsb) << 9;
		t.len = sb->blocksize;
		add(f, &t);
		for (u32 i = 0; level && i < h.numrecs; i++)
			walk_fork(f, of, xfs_bmbt_ptr_at(sb, b.data, i), level - 1);
	}
	f->im->vol.put(&f->im->vol, &b);
}

static void see_fork(struct find *f, const struct xfs_node *n, struct target t, bool attr)
{
	u32 level, count;
	struct xfs_fork k;

	if (!xfs_fork_of(&f->im->vol.sb, &n->core, n->literal, attr, &k) ||
	    k.format != XFS_FMT_BTREE)
		return;
	xfs_bmdr_head(&k, &level, &count);
	t.type = attr ? T_BMAPBTA : T_BMAPBTD;
	for (u32 i = 0; i < count; i++)
		walk_fork(f, &t, xfs_bmdr_ptr_at(&k, i), level - 1);
}

static void see_inode(struct find *f, u64 ino)
{
	const struct xfs_sb *sb = &f->im->vol.sb;
	struct target t = { .type = T_INODE, .ino = ino, .agno = xfs_ino_ag(sb, ino) };
	static struct file file;

	if ((f->w->one_ino && ino != f->w->ino) || !xfs_ino_ok(sb, ino) ||
	    file_read(f->im, ino, &file))
		return;
	t.at = (xfs_fsb_daddr(sb, ino >> sb->inopblog) << 9) +
	       ((ino & ((1u << sb->inopblog) - 1)) << sb->inodelog);
	t.len = sb->inodesize;
	add(f, &t);
	see_fork(f, &file.node, t, false);
	see_fork(f, &file.node, t, true);
}

static void see_chunk(struct find *f, u32 agno, const struct xfs_bt_rec *r)
{
	for (u32 i = 0; f->w->types & OF_INODES && !f->error && i < 64; i++)
		if (!(r->holemask >> (i / 4) & 1) && !(r->free >> i & 1) && r->start + i > i)
			see_inode(f, xfs_ino_make(&f->im->vol.sb, agno, r->start + i));
}

/* ---- an AG ---- */

static void walk_tree(struct find *f, const struct target *of, enum xfs_bt kind, u32 block,
		      u32 level)
{
	const struct xfs_sb *sb = &f->im->vol.sb;
	u64 fsb = xfs_fsb_make(sb, of->agno, block);
	struct xfs_bt_block h;
	struct target t = *of;
	struct xfs_blk b;

	if (!xfs_agb_ok(sb, of->agno, block) || get_block(f, XFS_BLK_BT + kind, fsb, &b))
		return;
	xfs_bt_head(b.data, &h);
	t.at = xfs_fsb_daddr(sb, fsb) << 9;
	t.len = sb->blocksize;
	if (h.level == level)
		add(f, &t);
	for (u32 i = 0; h.level == level && i < h.numrecs; i++) {
		struct xfs_bt_rec r;

		if (level) {
			walk_tree(f, of, kind, xfs_bt_ptr_at(sb, kind, b.data, i), level - 1);
		} else if (kind == XFS_BT_INO) {
			xfs_bt_rec_at(sb, kind, b.data, i, &r);
			see_chunk(f, of->agno, &r);
		} else {
			break;
		}
	}
	f->im->vol.put(&f->im->vol, &b);
}

static void see_tree(struct find *f, u32 agno, enum xfs_bt kind, struct xfs_btroot root)
{
	static const u8 type_of[] = {
		[XFS_BT_BNO] = T_BNOBT,	  [XFS_BT_CNT] = T_CNTBT,   [XFS_BT_INO] = T_INOBT,
		[XFS_BT_FINO] = T_FINOBT, [XFS_BT_RMAP] = T_RMAPBT, [XFS_BT_REFC] = T_REFCOUNTBT,
	};
	struct target t = { .type = type_of[kind], .agno = agno };
	u32 wanted = 1u << t.type;

	if (kind == XFS_BT_INO)		/* it leads to inodes, and these to their trees */
		wanted |= OF_INODES;
	if (f->w->types & wanted)
		walk_tree(f, &t, kind, root.block, root.levels - 1);
}

static void see_ag(struct find *f, u32 agno)
{
	const struct xfs_sb *sb = &f->im->vol.sb;
	static u8 sector[32768] __attribute__((aligned(8)));
	u64 daddr = xfs_agb_daddr(sb, agno, 0), bbs = sb->sectsize >> 9;
	struct target t = { .agno = agno, .len = sb->sectsize };
	struct xfs_fault fault;
	struct xfs_agf agf;
	struct xfs_agi agi;

	for (u32 i = 0; i < 4; i++) {
		static const u8 order[] = { T_SB, T_AGF, T_AGI, T_AGFL };

		t.type = order[i];
		t.at = (daddr + i * bbs) << 9;
		if (i || agno)	/* the first superblock is no copy */
			add(f, &t);
	}
	if (!image_read(f->im, (daddr + bbs) << 9, sector, sb->sectsize) &&
	    !xfs_agf_decode(sb, agno, sector, daddr + bbs, &agf, &fault)) {
		see_tree(f, agno, XFS_BT_BNO, agf.bno);
		see_tree(f, agno, XFS_BT_CNT, agf.cnt);
		if (sb->ro_compat & XFS_RO_RMAPBT)
			see_tree(f, agno, XFS_BT_RMAP, agf.rmap);
		if (sb->ro_compat & XFS_RO_REFLINK)
			see_tree(f, agno, XFS_BT_REFC, agf.refc);
	}
	if (!image_read(f->im, (daddr + 2 * bbs) << 9, sector, sb->sectsize) &&
	    !xfs_agi_decode(sb, agno, sector, daddr + 2 * bbs, &agi, &fault)) {
		see_tree(f, agno, XFS_BT_INO, agi.ino);
		if (sb->ro_compat & XFS_RO_FINOBT)
			see_tree(f, agno, XFS_BT_FINO, agi.fino);
	}
}

int find_targets(struct image *im, const struct wish *w, struct targets *out)
{
	struct find f = { .im = im, .w = w, .out = out };
	struct target first = { .type = T_COUNTERS, .len = im->vol.sb.sectsize };

	*out = (struct targets){ 0 };
	add(&f, &first);
	for (u32 agno = 0; !f.error && agno < im->vol.sb.agcount; agno++) {
		if ((!w->one_ag || agno == w->agno) &&
		    (!w->one_ino || agno == xfs_ino_ag(&im->vol.sb, w->ino)))
			see_ag(&f, agno);
	}
	return f.error;
}

void free_targets(struct targets *t)
{
	free(t->v);
	free(t->seen);
	*t = (struct targets){ 0 };
}
