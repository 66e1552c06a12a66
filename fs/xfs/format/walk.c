// SPDX-License-Identifier: MIT
#include "fs/xfs/format/walk_priv.h"
#include <lib/string.h>

static int verify_header(const struct xfs_sb *sb, enum xfs_kind kind, u64 daddr, const void *p,
			 struct xfs_fault *f)
{
	u32 agno = (u32)((daddr >> (sb->blocklog - 9)) / sb->agblocks);
	struct xfs_agf agf;
	struct xfs_agi agi;
	struct xfs_sb other;

	if (kind == XFS_BLK_SB)
		return xfs_sb_decode(p, sb->sectsize, &other, f);
	if (kind == XFS_BLK_AGF)
		return xfs_agf_decode(sb, agno, p, daddr, &agf, f);
	if (kind == XFS_BLK_AGI)
		return xfs_agi_decode(sb, agno, p, daddr, &agi, f);
	return xfs_agfl_check(sb, agno, p, daddr, f);
}

int xfs_verify(const struct xfs_sb *sb, enum xfs_kind kind, u64 daddr, const void *p, u32 len,
	       struct xfs_fault *f)
{
	switch (kind) {
	case XFS_BLK_BMBT:
		return xfs_bmbt_verify(sb, daddr, p, f);
	case XFS_BLK_DIR_DATA:
		return xfs_dir_data_verify(sb, daddr, p, f);
	case XFS_BLK_DIR_HASH:
		return xfs_da_dir_verify(sb, daddr, p, f);
	case XFS_BLK_DIR_FREE:
		return xfs_dir_free_verify(sb, daddr, p, f);
	case XFS_BLK_ATTR:
		return xfs_da_attr_verify(sb, daddr, p, f);
	case XFS_BLK_ATTR_RMT:
		return xfs_attr_rmt_verify(sb, daddr, p, f);
	case XFS_BLK_SYMLINK:
		return xfs_symlink_verify(sb, daddr, p, len, f);
	case XFS_BLK_INODES:
		return 0;
	case XFS_BLK_AGF:
	case XFS_BLK_AGI:
	case XFS_BLK_AGFL:
	case XFS_BLK_SB:
		return verify_header(sb, kind, daddr, p, f);
	default:
		return xfs_bt_verify(sb, (enum xfs_bt)(kind - XFS_BLK_BT), daddr, p, f);
	}
}

u32 xfs_sick_of_kind(enum xfs_kind kind)
{
	static const u16 bits[] = {
		[XFS_BLK_BT + XFS_BT_BNO] = XFS_SICK_AG_BNOBT,
		[XFS_BLK_BT + XFS_BT_CNT] = XFS_SICK_AG_CNTBT,
		[XFS_BLK_BT + XFS_BT_INO] = XFS_SICK_AG_INOBT,
		[XFS_BLK_BT + XFS_BT_FINO] = XFS_SICK_AG_FINOBT,
		[XFS_BLK_BT + XFS_BT_RMAP] = XFS_SICK_AG_RMAPBT,
		[XFS_BLK_BT + XFS_BT_REFC] = XFS_SICK_AG_REFCNTBT,
		[XFS_BLK_INODES] = XFS_SICK_AG_INODES,
		[XFS_BLK_AGF] = XFS_SICK_AG_AGF,
		[XFS_BLK_AGI] = XFS_SICK_AG_AGI,
		[XFS_BLK_AGFL] = XFS_SICK_AG_AGFL,
		[XFS_BLK_SB] = XFS_SICK_AG_SB,
	};

	return bits[kind];
}

void xfs_sick_block(struct xfs_vol *v, enum xfs_kind kind, u64 daddr)
{
	u32 mask = xfs_sick_of_kind(kind);

	if (mask)
		xfs_sick_ag(v, (u32)((daddr >> (v->sb.blocklog - 9)) / v->sb.agblocks), mask);
}

int xfs_get_fsb(struct xfs_vol *v, enum xfs_kind kind, u64 fsb, u32 count, struct xfs_blk *out)
{
	struct xfs_run run = { xfs_fsb_daddr(&v->sb, fsb), count << (v->sb.blocklog - 9) };

	return v->get(v, kind, &run, 1, out);
}

/* ---- inodes ---- */

int xfs_node_read(struct xfs_vol *v, u64 ino, u8 *literal, struct xfs_node *n)
{
	const struct xfs_sb *sb = &v->sb;
	struct xfs_fault f = { 0 };
	struct xfs_blk b;
	u32 blocks, off;
	const u8 *p;
	u64 fsb;
	int e;

	if (!xfs_ino_ok(sb, ino))
		return -EINVAL;
	fsb = xfs_cluster_of(sb, ino, &blocks, &off);
	if (!xfs_fsb_ok(sb, fsb, blocks))
		return -EINVAL;
	e = xfs_get_fsb(v, XFS_BLK_INODES, fsb, blocks, &b);
	if (e)
		return e;
	p = (const u8 *)b.data + off;
	e = xfs_inode_decode(sb, ino, p, &n->core, &f);
	if (e && e != -ESTALE)
		xfs_vol_sick(v, XFS_DOMAIN_INO, ino, xfs_inode_gen(p), XFS_SICK_INO_CORE);
	if (!e)
		memcpy(literal, p + sizeof(struct xfs_dinode), xfs_literal_size(sb));
	v->put(v, &b);
	n->literal = literal;
	if (e && e != -ESTALE)
		v->report(v, &f);
	return e;
}

/* ---- extents ---- */

static void map_ext(const struct xfs_ext *x, struct xfs_map *out)
{
	*out = (struct xfs_map){ x->unwritten ? XFS_MAP_UNWRITTEN : XFS_MAP_DATA, x->off, x->count,
				 x->fsb };
}

static void map_hole(u64 off, u64 end, struct xfs_map *out)
{
	*out = (struct xfs_map){ XFS_MAP_HOLE, off, end - off, 0 };
}

/* The extent that has OFF, or the hole up to the next of N sorted ones, at most to LIMIT. */
static void find_ext(const u8 *recs, u64 n, u64 off, u64 limit, struct xfs_map *out)
{
	u64 lo = 0, hi = n;
	struct xfs_ext x;

	while (lo < hi) {	/* the first that ends behind OFF */
		u64 mid = (lo + hi) / 2;

		xfs_ext_get(recs + mid * 16, &x);
		if (x.off + x.count <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == n) {
		map_hole(off, limit, out);
		return;
	}
	xfs_ext_get(recs + lo * 16, &x);
	if (x.off <= off)
		map_ext(&x, out);
	else
		map_hole(off, min(x.off, limit), out);
}

/*
 * Of N ascending keys, the last that is not above OFF (0 where all are); *LIMIT: the next one, if
 * it is nearer.
 */
static u32 find_key(u64 (*key)(const void *, u32), const void *p, u32 n, u64 off, u64 *limit)
{
	u32 lo = 0, hi = n;

	while (hi - lo > 1) {
		u32 mid = (lo + hi) / 2;

		if (key(p, mid) <= off)
			lo = mid;
		else
			hi = mid;
	}
	if (hi < n && key(p, hi) > off)
		*limit = min(*limit, key(p, hi));
	return lo;
}

static u64 root_key(const void *k, u32 i)
{
	return xfs_bmdr_key_at(k, i);
}

static int bmap_btree(struct xfs_vol *v, const struct xfs_node *n, const struct xfs_fork *k,
		      u64 off, struct xfs_map *out)
{
	u64 limit = XFS_OFF_MAX, fsb;
	struct xfs_bt_block h;
	u32 level, count;

	xfs_bmdr_head(k, &level, &count);
	fsb = xfs_bmdr_ptr_at(k, find_key(root_key, k, count, off, &limit));
	for (;;) {
		struct xfs_blk b;
		int e = xfs_get_fsb(v, XFS_BLK_BMBT, fsb, 1, &b);

		if (e)
			return xfs_sick_if(v, e, &n->core, xfs_sick_bmbt(k->attr));
		xfs_bmbt_head(b.data, &h);
		if (h.level != --level || h.owner != n->core.ino) {
			v->put(v, &b);
			xfs_sick_ino(v, &n->core, xfs_sick_bmbt(k->attr));
			return xfs_walk_bad(v, "bmbt", h.level != level ? "level" : "owner",
					    xfs_fsb_daddr(&v->sb, fsb), h.level);
		}
		if (!level) {
			find_ext((const u8 *)b.data + sizeof(struct xfs_dbt_long), h.numrecs, off,
				 limit, out);
			v->put(v, &b);
			return 0;
		}
		fsb = xfs_bmbt_ptr_at(&v->sb, b.data,
				      find_key(xfs_bmbt_key_at, b.data, h.numrecs, off, &limit));
		v->put(v, &b);
	}
}

int xfs_bmap(struct xfs_vol *v, const struct xfs_node *n, bool attr, u64 off, struct xfs_map *out)
{
	struct xfs_fork k;

	if (off >= XFS_OFF_MAX || !xfs_fork_of(&v->sb, &n->core, n->literal, attr, &k)) {
		*out = (struct xfs_map){ XFS_MAP_HOLE, off, XFS_OFF_MAX, 0 };
		return 0;
	}
	if (k.format == XFS_FMT_BTREE)
		return bmap_btree(v, n, &k, off, out);
	find_ext(k.data, k.format == XFS_FMT_EXTENTS ? k.nextents : 0, off, XFS_OFF_MAX, out);
	return 0;
}

int xfs_get_mapped(struct xfs_vol *v, const struct xfs_node *n, bool attr, enum xfs_kind kind,
		   u64 off, u32 count, struct xfs_blk *out)
{
	struct xfs_run runs[XFS_MAX_RUNS];
	u32 nr = 0, done = 0;

	while (done < count) {
		struct xfs_map m;
		u64 in;
		int e = xfs_bmap(v, n, attr, off + done, &m);

		if (e)
			return e;
		if (m.type == XFS_MAP_HOLE && !done)
			return -ENOENT;
		if (m.type != XFS_MAP_DATA)
			return xfs_walk_bad_ino(v, &n->core, xfs_sick_fork(attr), "inode",
						"extent of metadata", off + done);
		in = off + done - m.off;
		runs[nr].daddr = xfs_fsb_daddr(&v->sb, m.fsb + in);
		m.count = min(m.count - in, (u64)(count - done));
		runs[nr++].bbs = (u32)m.count << (v->sb.blocklog - 9);
		done += (u32)m.count;
	}
	return xfs_sick_if(v, v->get(v, kind, runs, nr, out), &n->core, xfs_sick_fork(attr));
}

/* ---- symlinks ---- */

static int link_bad(struct xfs_vol *v, const struct xfs_node *n, const char *field, u64 value)
{
	return xfs_walk_bad_ino(v, &n->core, XFS_SICK_INO_SYMLINK, "symlink", field, value);
}

static int read_remote(struct xfs_vol *v, const struct xfs_node *n, char *buf)
{
	u32 size = (u32)n->core.size, got = 0, blocks = DIV_ROUND_UP(size, xfs_rmt_room(&v->sb));

	for (u32 off = 0; got < size;) {
		struct xfs_map m;
		struct xfs_blk b;
		const u8 *data;
		u32 part;
		int e = xfs_bmap(v, n, false, off, &m);

		if (e)
			return e;
		if (m.type != XFS_MAP_DATA || off >= blocks)
			return link_bad(v, n, "extent", off);
		m.fsb += off - m.off;
		m.count = min(m.count - (off - m.off), (u64)(blocks - off));
		e = xfs_get_fsb(v, XFS_BLK_SYMLINK, m.fsb, (u32)m.count, &b);
		if (e)
			return xfs_sick_if(v, e, &n->core, XFS_SICK_INO_SYMLINK);
		part = min(xfs_rmt_data(&v->sb, b.data, n->core.ino, got, &data), size - got);
		memcpy(buf + got, data, part);
		v->put(v, &b);
		if (!part)
			return link_bad(v, n, "owner", off);
		got += part;
		off += (u32)m.count;
	}
	return 0;
}

int xfs_symlink_read(struct xfs_vol *v, const struct xfs_node *n, char *buf)
{
	u32 size = (u32)n->core.size;
	int e = 0;

	if (n->core.format == XFS_FMT_LOCAL)
		memcpy(buf, n->literal, size);
	else
		e = read_remote(v, n, buf);
	if (!e && memchr(buf, 0, size))
		return link_bad(v, n, "target", size);
	return e;
}
