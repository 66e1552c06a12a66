// SPDX-License-Identifier: MIT
/*
 * Sharing. A file's extents change in the transaction that is asked for it, its inode being locked:
 * what was there is cut out and the shared or copied blocks are mapped, at one time. Owners and
 * counts of references follow as deferred work, whose intents are in the log with that change. So
 * after a crash a file has either what it had or what it gets, never a hole; no intents about
 * mappings (BUI) are needed for that.
 *
 * Copying on write: blocks for the copy are allocated and staged, that is, noted in the tree of
 * references and owned by no file, so that after a crash recovery finds and frees them. When
 * they were written they take the place of the file's blocks, which lose a reference.
 */
#include "fs/xfs/bmap/reflink.h"
#include "fs/xfs/bmap/bmap_priv.h"
#include "fs/xfs/ag/intents.h"

u32 xfs_bmap_remap_room(const struct xfs_sb *sb)
{
	return 2 * xfs_bmap_tree_room(sb, false);	/* a cut that makes two, and a new one */
}

void xfs_bmap_mark_shared(struct xfs_tx *tx, struct xfs_ino *ip)
{
	if (xfs_fork_shares(ip, false))
		return;
	ip->node.core.flags2 |= XFS_DIFLAG2_REFLINK;
	xfs_tx_inode(tx, ip, XFS_LI_CORE);
}

/* The written blocks of IP from OFF on, at most COUNT: *X, whose fsb is 0 where there are none. */
static int written_at(struct xfs_tx *tx, struct xfs_ino *ip, u64 off, u64 count, struct xfs_ext *x)
{
	struct xfs_exts l;
	int e;

	xfs_exts_open(&l, tx, ip, false);
	e = xfs_exts_seek(&l, off);
	if (!e && l.have && l.x.off + l.x.count <= off)
		e = xfs_exts_next(&l);
	*x = (struct xfs_ext){ off, 0, (u32)min(count, (u64)XFS_EXT_MOST), false };
	if (!e && l.have && l.x.off <= off) {
		u64 skip = off - l.x.off;

		x->fsb = l.x.unwritten ? 0 : l.x.fsb + skip;
		x->count = (u32)min((u64)x->count, l.x.count - skip);
	} else if (!e && l.have) {
		x->count = (u32)min((u64)x->count, l.x.off - off);
	}
	xfs_exts_close(&l);
	return e;
}

/*
 * The first extent in the place of X goes, and X (unless its fsb is 0: a hole) takes its place; X
 * becomes as short as that asks for.
 */
static int replace(struct xfs_tx *tx, struct xfs_ino *ip, struct xfs_ext *x)
{
	struct xfs_exts l;
	struct xfs_ext old;
	int e;

	xfs_exts_open(&l, tx, ip, false);
	e = xfs_exts_cut(&l, x->off, x->count, &old);
	if (!e && old.count) {
		x->count = (u32)(old.off + old.count - x->off);
		e = xfs_bmap_let_go(tx, ip, false, &old);
	}
	if (!e && x->fsb)
		e = xfs_exts_add(&l, x);
	xfs_exts_close(&l);
	return e || !x->fsb ? e : xfs_bmap_count(tx, ip, x->count);
}

/* Two more extents than IP has are not too many. */
static bool room_for_extents(const struct xfs_ino *ip)
{
	return ip->node.core.nextents + 2 <= xfs_most_extents(ip, false);
}

int xfs_bmap_share(struct xfs_tx *tx, struct xfs_ino *from, u64 foff, struct xfs_ino *to, u64 toff,
		   u64 count, u64 *done)
{
	struct xfs_ext x, there;
	int e = written_at(tx, from, foff, count, &x);

	*done = 0;
	if (e)
		return e;
	x.off = toff;
	e = written_at(tx, to, toff, x.count, &there);
	if (e)
		return e;
	if (x.fsb && there.fsb == x.fsb) {
		*done = there.count;
		return 0;
	}
	if (!room_for_extents(to))
		return -EFBIG;
	if (x.fsb) {
		xfs_bmap_mark_shared(tx, from);
		xfs_bmap_mark_shared(tx, to);
	}
	e = replace(tx, to, &x);
	*done = x.count;
	if (e || !x.fsb)
		return e;
	e = xfs_refcount_later(tx, XFS_REFC_UP, x.fsb, x.count);
	return e ?: xfs_rmap_later(tx, XFS_RMAP_MAP, x.fsb, x.count, to->node.core.ino, toff, true);
}

/* ---- the AG's trees ---- */

struct refs {
	struct xfs_agop op;
	struct xfs_bt_cur c;
	struct xfs_txbuf *agf;
};

static int open_refs(struct xfs_tx *tx, u32 agno, struct refs *r)
{
	int e = xfs_ag_agf(tx, agno, 0, &r->agf);

	if (e)
		return e;
	xfs_agop_open(&r->op, tx, agno, r->agf);
	xfs_refc_open(&r->c, &r->op);
	return 0;
}

static void close_refs(struct refs *r)
{
	xfs_bt_close(&r->c);
	xfs_agop_close(&r->op);
}

int xfs_bmap_shared(struct xfs_tx *tx, const struct xfs_ext *x, u32 *skip, u32 *n)
{
	const struct xfs_sb *sb = &tx->fs->vol.sb;
	u32 agb = xfs_fsb_agb(sb, x->fsb), first = agb;
	struct refs r;
	int e;

	*skip = *n = 0;
	if (!(sb->ro_compat & XFS_RO_REFLINK))
		return 0;
	if (!xfs_fsb_ok(sb, x->fsb, x->count))
		return xfs_tx_bad(tx, "extent", "shared", x->fsb, x->count);
	e = open_refs(tx, xfs_fsb_ag(sb, x->fsb), &r);
	if (e)
		return e;
	e = xfs_refcount_shared(&r.c, agb, x->count, &first, n);
	close_refs(&r);
	*skip = first - agb;
	return e;
}

/* ---- copying on write ---- */

int xfs_cow_stage(struct xfs_tx *tx, struct xfs_ino *ip, u64 off, u32 least, u32 count, u64 near,
		  struct xfs_ext *got)
{
	struct xfs_alloc a = { .near = near ? near : xfs_beside_inode(ip),
			       .minlen = least,
			       .maxlen = min(count, XFS_EXT_MOST),
			       .where = XFS_ALLOC_NEAR,
			       .owner = { .owner = XFS_OWN_NULL } };
	int e = xfs_alloc(tx, &a);

	if (e)
		return e;
	*got = (struct xfs_ext){ off, a.fsb, a.len, false };
	return xfs_refcount_later(tx, XFS_REFC_STAGE, a.fsb, a.len);
}

int xfs_cow_finish(struct xfs_tx *tx, struct xfs_ino *ip, const struct xfs_ext *x, u32 *done)
{
	struct xfs_ext part = *x;
	int e;

	*done = 0;
	if (!room_for_extents(ip))
		return -EFBIG;
	e = replace(tx, ip, &part);
	/* Its owner is the file, when the staged ones are none any more. */
	e = e ?: xfs_refcount_later(tx, XFS_REFC_UNSTAGE, part.fsb, part.count);
	e = e	  ?:
		    xfs_rmap_later(tx, XFS_RMAP_MAP, part.fsb, part.count, ip->node.core.ino,
				   part.off, xfs_fork_shares(ip, false));
	*done = part.count;
	return e;
}

int xfs_cow_cancel(struct xfs_tx *tx, u64 fsb, u32 len)
{
	static const struct xfs_owner nobody = { XFS_OWN_NULL, 0, false };
	int e = xfs_refcount_later(tx, XFS_REFC_UNSTAGE, fsb, len);

	return e ?: xfs_free_later(tx, fsb, len, &nobody, false);
}

int xfs_cow_cancel_some(struct xfs_tx *tx, u32 agno, bool *more)
{
	u32 agb = 0, len = 0;
	struct refs r;
	int e;

	*more = false;
	if (!(tx->fs->vol.sb.ro_compat & XFS_RO_REFLINK))
		return 0;
	e = open_refs(tx, agno, &r);
	if (e)
		return e;
	e = xfs_refcount_staged(&r.c, &agb, &len);
	close_refs(&r);
	*more = !e && len;
	return *more ? xfs_cow_cancel(tx, xfs_fsb_make(&tx->fs->vol.sb, agno, agb), len) : e;
}
