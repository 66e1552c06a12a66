// SPDX-License-Identifier: MIT
/*
 * FS_IOC_GETFSMAP: what every block of the device belongs to, in the order of the device.
 *
 * A caller who administers the system learns the owners from the tree of owners; others, and those
 * of file systems without that tree, learn only what is free. What no record covers is a gap, which
 * is a record of its own: free space, or of an owner that nobody knows.
 *
 * The records of an AG are read some at a time with its AGF locked, into memory of the kernel, and
 * copied to the caller with nothing locked: his memory may be a file of this file system. The next
 * part begins behind the last record's key. The first AG begins with the records that lie before
 * the first block and reach beyond it.
 */
#include "fs/xfs/admin/admin.h"
#include "fs/xfs/ag/refcount.h"
#include <alloc/slab.h>
#include <lib/kdev.h>
#include <lib/minmax.h>
#include <mm/uaccess.h>
#include <linux/capability.h>
#include <linux/fsmap.h>

#define ROOM_MOST   512u		/* records in the kernel's memory */
#define LOOKED_MOST 2048u		/* records looked at with the AGF locked */
#define OWNER_XFS(n) ((u64)'X' << 32 | (n))

struct rec {
	u32 start, len;
	u64 owner, offset;		/* XFS_OWN_*, NULL: free; with XFS_RMAP_* */
};
struct walk {
	struct xfs_mount *mp;
	const struct xfs_bt_shape *shape;
	bool owners;
	bool spans;			/* records before the first key come first */
	bool behind;			/* what is before LOW was told */
	u32 dev, agno, last_agno;
	struct xfs_bt_key low, first, end;	/* of the first AG; of this one; of the last */
	struct xfs_bt_key at;		/* of the last record that was looked at */
	bool begun;			/* AT is one */
	u64 next, over;			/* sectors: where the next record may begin; the end */
	struct fsmap *recs;		/* NULL: they are counted */
	u32 nr, room, looked;
	bool full;
	struct xfs_agop *op;
	int error;
};

/* ---- owners ---- */

static const u32 told_as[] = { 1, 2, 3, 4, 5, 6, 7 };	/* XFS_OWN_FS and those below it */

/* As fmr_owner; false: there is no such one. */
static bool tell_owner(u64 owner, __u64 *out)
{
	u64 i = XFS_OWN_FS - owner;

	if (owner == XFS_OWN_NULL)
		*out = FMR_OWN_FREE;
	else if (i < ARRAY_SIZE(told_as))
		*out = OWNER_XFS(told_as[i]);
	else
		return false;
	return true;
}

/* The owner of a key. 0, -EINVAL. */
static int read_owner(const struct fsmap *f, u64 *owner)
{
	*owner = f->fmr_owner;
	if (!(f->fmr_flags & FMR_OF_SPECIAL_OWNER) || !f->fmr_owner || f->fmr_owner == ~0ull)
		return 0;
	if (f->fmr_owner == FMR_OWN_FREE || f->fmr_owner == FMR_OWN_UNKNOWN) {
		*owner = f->fmr_owner == FMR_OWN_FREE ? XFS_OWN_NULL : XFS_OWN_UNKNOWN;
		return 0;
	}
	for (u32 i = 0; i < ARRAY_SIZE(told_as); i++)
		if (f->fmr_owner == OWNER_XFS(told_as[i])) {
			*owner = XFS_OWN_FS - i;
			return 0;
		}
	return -EINVAL;
}

static u64 offset_of(const struct fsmap *f, u64 blocks)
{
	return (blocks & XFS_RMAP_OFF) | (f->fmr_flags & FMR_OF_ATTR_FORK ? XFS_RMAP_ATTR : 0) |
	       (f->fmr_flags & FMR_OF_EXTENT_MAP ? XFS_RMAP_BMBT : 0) |
	       (f->fmr_flags & FMR_OF_PREALLOC ? XFS_RMAP_UNWRITTEN : 0);
}

static void put_key(struct xfs_bt_key *k, u32 start, u64 owner, u64 offset)
{
	*k = (struct xfs_bt_key){ { 0 } };
	xfs_put32(k->b, start);
	xfs_put64(k->b + 4, owner);
	xfs_put64(k->b + 12, offset);
}

/* ---- records for the caller, with the AGF locked ---- */

static bool add(struct walk *w, const struct fsmap *f)
{
	if (w->nr == w->room) {
		w->full = true;
		return false;
	}
	if (w->recs) {
		w->recs[w->nr] = *f;
		w->recs[w->nr].fmr_physical <<= SECTOR_SHIFT;
		w->recs[w->nr].fmr_offset <<= SECTOR_SHIFT;
		w->recs[w->nr].fmr_length <<= SECTOR_SHIFT;
	}
	w->nr++;
	return true;
}

/* What lies before sector UP_TO and was not told. False: no room. */
static bool add_gap(struct walk *w, u64 up_to)
{
	struct fsmap f = { .fmr_device = w->dev,
			   .fmr_flags = FMR_OF_SPECIAL_OWNER,
			   .fmr_physical = w->next,
			   .fmr_length = up_to - w->next,
			   .fmr_owner = w->owners ? FMR_OWN_FREE : FMR_OWN_UNKNOWN };

	if (up_to <= w->next)
		return true;
	if (!add(w, &f))
		return false;
	w->next = up_to;
	return true;
}

static int is_shared(struct walk *w, const struct rec *r, bool *yes)
{
	struct xfs_bt_cur c;
	u32 first, n = 0;
	int e = 0;

	if (w->mp->fs.vol.sb.ro_compat & XFS_RO_REFLINK) {
		xfs_refc_open(&c, w->op);
		e = xfs_refcount_shared(&c, r->start, r->len, &first, &n);
		xfs_bt_close(&c);
	}
	*yes = n;
	return e;
}

/* The record at K, which is not told if it lies before what is wanted. False: no room, an error. */
static bool take(struct walk *w, const struct rec *r, const struct xfs_bt_key *k)
{
	const struct xfs_sb *sb = &w->mp->fs.vol.sb;
	u32 bits = sb->blocklog - SECTOR_SHIFT;
	u64 at = xfs_agb_daddr(sb, w->agno, r->start), end = at + ((u64)r->len << bits);
	struct fsmap f = { .fmr_device = w->dev, .fmr_physical = at, .fmr_length = end - at };
	bool shared = false;

	if (w->behind && w->shape->cmp(k->b, w->low.b) < 0)
		goto done;
	if (!add_gap(w, at))
		return false;
	if (!(r->owner >> 63)) {
		f.fmr_owner = r->owner;
	} else if (tell_owner(r->owner, &f.fmr_owner)) {
		f.fmr_flags |= FMR_OF_SPECIAL_OWNER;
	} else {
		w->error = xfs_tx_bad_ag(w->op->tx, w->agno, XFS_SICK_AG_RMAPBT, "rmapbt", "owner",
					 at, r->owner);
		return false;
	}
	f.fmr_offset = (r->offset & XFS_RMAP_OFF) << bits;
	f.fmr_flags |= (r->offset & XFS_RMAP_UNWRITTEN ? FMR_OF_PREALLOC : 0) |
		       (r->offset & XFS_RMAP_ATTR ? FMR_OF_ATTR_FORK : 0) |
		       (r->offset & XFS_RMAP_BMBT ? FMR_OF_EXTENT_MAP : 0);
	if (!f.fmr_flags)
		w->error = is_shared(w, r, &shared);
	if (shared)
		f.fmr_flags |= FMR_OF_SHARED;
	if (w->error || !add(w, &f))
		return false;
done:
	w->next = max(w->next, end);
	return true;
}

/* A record of the tree. False: this part ends, before it or, where it was looked at, behind it. */
static bool look_at(struct walk *w, const u8 *p)
{
	const struct xfs_ag *ag = w->op->ag;
	struct rec r = { .start = xfs_get32(p), .len = xfs_get32(p + 4), .owner = XFS_OWN_NULL };
	struct xfs_bt_key k = { { 0 } };

	if (w->owners) {
		r.owner = xfs_get64(p + 8);
		r.offset = xfs_get64(p + 16);
	}
	if (!r.len || r.start >= ag->length || r.len > ag->length - r.start) {
		w->error = xfs_tx_bad_ag(w->op->tx, w->agno,
					 w->owners ? XFS_SICK_AG_RMAPBT : XFS_SICK_AG_BNOBT,
					 w->shape->name, "extent", r.start, r.len);
		return false;
	}
	w->shape->key_of(p, &k);
	if (!take(w, &r, &k))
		return false;
	w->at = k;
	w->begun = true;
	return ++w->looked < LOOKED_MOST;
}

/* For the records that reach beyond the first key: none fits, until this part ends. */
static bool spans(const u8 *p, const void *what)
{
	struct walk *w = (struct walk *)(uintptr_t)what;
	struct xfs_bt_key k = { { 0 } };

	w->shape->key_of(p, &k);
	if (w->begun && w->shape->cmp(k.b, w->at.b) <= 0)
		return false;
	return !look_at(w, p);
}

/* *MORE: the AG has records that are wanted and were not looked at. */
static int look(struct walk *w, bool *more)
{
	struct xfs_bt_cur *c = w->owners ? &w->op->rmap : &w->op->bno;
	bool found;
	int e;

	*more = true;
	if (w->spans) {
		e = xfs_bt_find_span(c, &w->first, spans, w, &found);
		if (e || w->error || found)
			return e ?: w->error;
		w->spans = false;
		w->at = w->first;
		w->begun = true;
	}
	e = xfs_bt_lookup(c, w->begun ? &w->at : &w->first, XFS_BT_GE, &found);
	if (!e && found && w->begun) {
		struct xfs_bt_key k = { { 0 } };

		w->shape->key_of(xfs_bt_rec(c), &k);
		if (!w->shape->cmp(k.b, w->at.b))
			e = xfs_bt_next(c, &found);
	}
	while (!e && found) {
		struct xfs_bt_key k = { { 0 } };

		w->shape->key_of(xfs_bt_rec(c), &k);
		if (w->agno == w->last_agno && w->shape->cmp(k.b, w->end.b) > 0)
			break;
		if (!look_at(w, xfs_bt_rec(c)))
			return w->error;
		e = xfs_bt_next(c, &found);
	}
	*more = false;
	return e;
}

/* Where extents do not overlap, the one that reaches beyond the first block is the one before. */
static int look_before(struct walk *w)
{
	u32 want = xfs_get32(w->first.b), start, len;
	bool found;
	int e = xfs_bt_lookup(&w->op->bno, &w->first, XFS_BT_LE, &found);

	w->spans = false;
	if (e || !found)
		return e;
	xfs_space_rec(&w->op->bno, &start, &len);
	if (start < want && len > want - start)
		xfs_put32(w->first.b, start);
	return 0;
}

static int look_locked(struct walk *w, bool *more)
{
	struct xfs_txbuf *agf;
	struct xfs_agop op;
	struct xfs_tx *tx;
	int e = xfs_begin_look(w->mp, &tx);

	if (e)
		return e;
	e = xfs_ag_agf(tx, w->agno, 0, &agf);
	if (!e) {
		xfs_agop_open(&op, tx, w->agno, agf);
		w->op = &op;
		if (w->spans && !w->owners)
			e = look_before(w);
		e = e ?: look(w, more);
		xfs_agop_close(&op);
	}
	xfs_trans_cancel(tx);
	return e;
}

/* ---- without locks ---- */

static bool is_over(const struct walk *w)
{
	return w->agno > w->last_agno;
}

/* Records until there is no room, or LOOKED_MOST were looked at, or the end. */
static int some(struct walk *w)
{
	bool more;
	int e;

	w->nr = w->looked = 0;
	w->full = false;
	if (w->mp->fs.vol.stop(&w->mp->fs.vol))
		return -EINTR;
	e = look_locked(w, &more);
	if (e || more)
		return e;
	if (w->agno == w->last_agno && !add_gap(w, w->over))
		return 0;
	w->agno++;
	w->first = (struct xfs_bt_key){ { 0 } };
	w->begun = w->behind = w->spans = false;
	return 0;
}

static bool is_device(const struct walk *w, u32 dev)
{
	return !dev || dev == ~0u || dev == w->dev;
}

/* Is A below B? */
static bool ascend(const struct fsmap *a, const struct fsmap *b)
{
	const u32 no_offset = FMR_OF_SPECIAL_OWNER | FMR_OF_EXTENT_MAP;

	if (a->fmr_flags & no_offset && a->fmr_offset)
		return false;
	if (b->fmr_flags != ~0u && b->fmr_flags & no_offset && b->fmr_offset)
		return false;
	if (b->fmr_length)
		return false;
	if (a->fmr_device != b->fmr_device)
		return a->fmr_device < b->fmr_device;
	if (a->fmr_physical != b->fmr_physical)
		return a->fmr_physical < b->fmr_physical;
	if (a->fmr_owner != b->fmr_owner)
		return a->fmr_owner < b->fmr_owner;
	return a->fmr_offset < b->fmr_offset;
}

/* Blocks of files' data, of which there may be several records for one block. */
static bool is_shareable(const struct walk *w, u64 owner, u32 flags)
{
	return w->mp->fs.vol.sb.ro_compat & XFS_RO_REFLINK && !(owner >> 63) &&
	       !(flags & (FMR_OF_ATTR_FORK | FMR_OF_EXTENT_MAP | FMR_OF_PREALLOC));
}

/* Goes to the place that key LOW names, in sectors, up to HIGH. 0, -EINVAL. */
static int go_to(struct walk *w, struct fsmap low, struct fsmap high)
{
	const struct xfs_sb *sb = &w->mp->fs.vol.sb;
	u32 bits = sb->blocklog - SECTOR_SHIFT;
	u64 size = sb->dblocks << bits, len, block, last, owner, offset;
	int e;

	w->next = low.fmr_physical + low.fmr_length;
	w->agno = 1;				/* nothing, as yet */
	w->last_agno = 0;
	if (low.fmr_device > w->dev || high.fmr_device < w->dev)
		return 0;
	if (low.fmr_device < w->dev)
		low = (struct fsmap){ 0 };
	if (high.fmr_device > w->dev)
		memset(&high, 0xff, sizeof(high));
	if (low.fmr_physical >= size)
		return 0;
	last = min(size - 1, high.fmr_physical);
	w->over = last + 1;
	e = read_owner(&low, &owner);
	if (e)
		return e;
	block = low.fmr_physical >> bits;
	len = low.fmr_length >> bits;
	offset = low.fmr_offset >> bits;
	if (len && !is_shareable(w, owner, low.fmr_flags)) {
		owner = offset = 0;
		if (len >= sb->dblocks - block)
			return 0;
		block += len;
	}
	offset = offset_of(&low, offset + (owner ? len : 0));
	w->behind = len;
	w->agno = (u32)(block / sb->agblocks);
	put_key(&w->low, (u32)(block % sb->agblocks), owner, offset);
	w->first = w->low;
	w->spans = true;
	e = read_owner(&high, &owner);
	block = last >> bits;
	w->last_agno = (u32)(block / sb->agblocks);
	put_key(&w->end, (u32)(block % sb->agblocks), owner,
		offset_of(&high, high.fmr_offset >> bits));
	if (!e && w->agno == w->last_agno && w->shape->cmp(w->low.b, w->end.b) > 0)
		e = -EINVAL;
	return e;
}

/* ---- the call ---- */

/* Records for H behind it, at TO. *DONE: that is all. */
static int tell(struct walk *w, struct fsmap_head *h, struct uptr to)
{
	u32 flags = 0;

	while (!is_over(w)) {
		bool count = !h->fmh_count;
		u32 left = count ? U32_MAX - h->fmh_entries : h->fmh_count - h->fmh_entries;
		int e;

		w->room = count ? left : min(left, ROOM_MOST);
		e = some(w);
		if (e)
			return e;
		if (!count && w->nr) {
			if (copy_to_user(uptr_add(to,
						  (size_t)h->fmh_entries * sizeof(struct fsmap)),
					 w->recs, w->nr * sizeof(struct fsmap)))
				return -EFAULT;
			flags = w->recs[w->nr - 1].fmr_flags;
		}
		h->fmh_entries += w->nr;
		if (w->full && w->nr == left)
			return 0;
	}
	if (!h->fmh_count || !h->fmh_entries)
		return 0;
	flags |= FMR_OF_LAST;
	to = uptr_add(to, (size_t)(h->fmh_entries - 1) * sizeof(struct fsmap) +
				  offsetof(struct fsmap, fmr_flags));
	return copy_to_user(to, &flags, sizeof(flags)) ? -EFAULT : 0;
}

/* The keys, in sectors from here on, as Linux compares them. 0, -EINVAL. */
static int check(const struct walk *w, struct fsmap_head *h)
{
	struct fsmap *k = h->fmh_keys;

	if (memchr_inv(h->fmh_reserved, 0, sizeof(h->fmh_reserved)) ||
	    memchr_inv(k[0].fmr_reserved, 0, sizeof(k[0].fmr_reserved)) ||
	    memchr_inv(k[1].fmr_reserved, 0, sizeof(k[1].fmr_reserved)) || h->fmh_iflags)
		return -EINVAL;
	for (u32 i = 0; i < 2; i++) {
		k[i].fmr_physical >>= SECTOR_SHIFT;
		k[i].fmr_offset >>= SECTOR_SHIFT;
		k[i].fmr_length >>= SECTOR_SHIFT;
	}
	if (!is_device(w, k[0].fmr_device) || !is_device(w, k[1].fmr_device))
		return -EINVAL;
	return ascend(&k[0], &k[1]) ? 0 : -EINVAL;
}

long xfs_getfsmap(struct xfs_mount *mp, struct uptr arg)
{
	struct walk w = { .mp = mp, .dev = new_encode_dev(mp->sb->s_dev) };
	struct fsmap_head h, asked;
	int e;

	if (copy_from_user(&h, arg, sizeof(h)))
		return -EFAULT;
	asked = h;
	e = check(&w, &asked);
	if (e)
		return e;
	w.owners = mp->fs.vol.sb.ro_compat & XFS_RO_RMAPBT && capable(CAP_SYS_ADMIN);
	w.shape = &xfs_bt_shapes[w.owners ? XFS_BT_RMAP : XFS_BT_BNO];
	e = go_to(&w, asked.fmh_keys[0], asked.fmh_keys[1]);
	if (e)
		return e;
	if (h.fmh_count) {
		w.recs = kvcalloc(min(h.fmh_count, ROOM_MOST), sizeof(*w.recs), GFP_KERNEL);
		if (!w.recs)
			return -ENOMEM;
	}
	h.fmh_entries = 0;
	e = tell(&w, &h, uptr_add(arg, sizeof(h)));
	kvfree(w.recs);
	h.fmh_oflags = FMH_OF_DEV_T;
	if (!e && copy_to_user(arg, &h, sizeof(h)))
		e = -EFAULT;
	return e;
}
