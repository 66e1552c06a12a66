// SPDX-License-Identifier: MIT
/*
 * Deferred changes of owners and of counts (intents.h). Their intents look alike: a head, and one
 * record for each piece; so do their ends.
 */
#include "fs/xfs/ag/intents.h"
#include "fs/xfs/ag/drain.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

#define MOST 16u			/* pieces of an intent */
#define SHARED 1u			/* added to an operation's number */

struct piece {
	struct xfs_work work;		/* first */
	u64 fsb, owner, offset;
	u32 len, op;			/* OP: with SHARED */
	struct xfs_pending pending;
};

/* ---- items in the log, in the CPU's byte order ---- */

struct intent_head {
	u16 type, regions;
	u32 n;
	u64 id;
};
struct done_head {
	u16 type, regions;
	u32 pad;
	u64 id;
};
struct rmap_record {
	u64 owner, fsb, offset;
	u32 len, flags;
};
struct refc_record {
	u64 fsb;
	u32 len, flags;
};
_Static_assert(sizeof(struct intent_head) == 16 && sizeof(struct rmap_record) == 32 &&
		       sizeof(struct refc_record) == 16,
	       "intents");

#define REC_ATTR	(1u << 31)
#define REC_BMBT	(1u << 30)
#define REC_UNWRITTEN	(1u << 29)
#define REC_OP		0xffu

/* One of the two kinds of intents. */
struct format {
	u16 intent, done;
	u32 size;			/* of a record */
	void (*put)(const struct piece *p, void *rec);
	void (*get)(const void *rec, struct piece *p);
};

static struct piece *piece_of(struct xfs_work *w)
{
	return container_of(w, struct piece, work);
}

static int add(struct xfs_tx *tx, const struct xfs_work_ops *ops, const struct piece *p)
{
	struct piece *new = xfs_mem(sizeof(*new));

	if (!new)
		return -ENOMEM;
	*new = *p;
	xfs_pending_begin(&new->pending, tx->fs, p->fsb);
	xfs_defer(tx, &new->work, ops);
	return 0;
}

static void drop(struct xfs_work *w)
{
	xfs_pending_end(&piece_of(w)->pending);
	xfs_mem_free(w);
}

static struct xfs_intent *begin(struct xfs_tx *tx, const struct list_head *list,
				const struct format *f, int *e)
{
	struct {
		struct intent_head h;
		struct rmap_record r[MOST];	/* the longer ones */
	} it = { .h = { f->intent, 1, 0, 0 } };
	struct xfs_lpart part = { &it, sizeof(it.h) };
	struct xfs_intent *i;
	struct xfs_work *w;

	list_for_each_entry(w, list, node) {
		f->put(piece_of(w), (u8 *)&it + part.len);
		part.len += f->size;
		it.h.n++;
	}
	i = xfs_tx_intent(tx, &part, 1);
	*e = i ? 0 : -ENOMEM;
	return i;
}

static void end(struct xfs_tx *tx, struct xfs_intent *i, const struct format *f)
{
	struct done_head h = { f->done, 1, 0, 0 };

	xfs_tx_done(tx, i, &h, sizeof(h));
}

static int recover(struct xfs_tx *tx, const struct xfs_litem *it, const struct format *f,
		   const struct xfs_work_ops *ops)
{
	const u8 *rec = xfs_lregion_at(it, 0);
	struct intent_head h;
	int e = 0;

	memcpy(&h, rec, sizeof(h));
	rec += sizeof(h);
	for (u32 i = 0; !e && i < h.n; i++, rec += f->size) {
		struct piece p = { .op = 0 };

		f->get(rec, &p);
		e = add(tx, ops, &p);
	}
	return e;
}

/* The AG of P, whose free list was filled. */
static int open_ag(struct xfs_tx *tx, const struct piece *p, struct xfs_agop *op)
{
	u32 agno = xfs_fsb_ag(&tx->fs->vol.sb, p->fsb);
	struct xfs_txbuf *agf;
	int e;

	if (!xfs_fsb_ok(&tx->fs->vol.sb, p->fsb, p->len))
		return xfs_tx_bad(tx, "deferred work", "block", agno, p->fsb);
	if (agno < tx->lowest)
		return -EAGAIN;		/* its lock may not be waited for: after a roll */
	e = xfs_ag_agf(tx, agno, 0, &agf);
	if (e)
		return e;
	xfs_agop_open(op, tx, agno, agf);
	e = xfs_agop_fill(op);
	if (e)
		xfs_agop_close(op);
	return e;
}

/* ---- owners ---- */

int xfs_rmap_later(struct xfs_tx *tx, enum xfs_rmap_op op, u64 fsb, u32 len, u64 owner, u64 offset,
		   bool shared)
{
	struct piece p = { .fsb = fsb,
			   .owner = owner,
			   .offset = offset,
			   .len = len,
			   .op = op + (shared && op < XFS_RMAP_ALLOC ? SHARED : 0) };

	if (!(tx->fs->vol.sb.ro_compat & XFS_RO_RMAPBT))
		return 0;
	return add(tx, &xfs_rmap_ops, &p);
}

static void rmap_put(const struct piece *p, void *rec)
{
	struct rmap_record r = { p->owner, p->fsb, p->offset & XFS_RMAP_OFF, p->len,
				 p->op | (p->offset & XFS_RMAP_ATTR ? REC_ATTR : 0) |
					 (p->offset & XFS_RMAP_BMBT ? REC_BMBT : 0) |
					 (p->offset & XFS_RMAP_UNWRITTEN ? REC_UNWRITTEN : 0) };

	memcpy(rec, &r, sizeof(r));
}

static void rmap_get(const void *rec, struct piece *p)
{
	struct rmap_record r;

	memcpy(&r, rec, sizeof(r));
	*p = (struct piece){ .fsb = r.fsb,
			     .owner = r.owner,
			     .offset = (r.offset & XFS_RMAP_OFF) |
				       (r.flags & REC_ATTR ? XFS_RMAP_ATTR : 0) |
				       (r.flags & REC_BMBT ? XFS_RMAP_BMBT : 0) |
				       (r.flags & REC_UNWRITTEN ? XFS_RMAP_UNWRITTEN : 0),
			     .len = r.len,
			     .op = r.flags & REC_OP };
}

static const struct format rmap_format = { XFS_LI_RUI, XFS_LI_RUD, sizeof(struct rmap_record),
					   rmap_put, rmap_get };

static struct xfs_intent *rmap_begin(struct xfs_tx *tx, const struct list_head *list, int *e)
{
	return begin(tx, list, &rmap_format, e);
}

static void rmap_end(struct xfs_tx *tx, struct xfs_intent *i, const struct list_head *list)
{
	(void)list;
	end(tx, i, &rmap_format);
}

static int rmap_finish(struct xfs_tx *tx, struct xfs_work *w)
{
	struct piece *p = piece_of(w);
	u32 agb = xfs_fsb_agb(&tx->fs->vol.sb, p->fsb), op = p->op;
	bool shared = op < XFS_RMAP_ALLOC && !(op & 1);
	struct xfs_owner o = { p->owner, p->offset, shared };
	struct xfs_agop ag;
	int e = open_ag(tx, p, &ag);

	if (e)
		return e;
	switch (shared ? op - SHARED : op) {
	case XFS_RMAP_MAP:
	case XFS_RMAP_ALLOC:
		e = xfs_rmap_map(&ag, agb, p->len, &o);
		break;
	case XFS_RMAP_UNMAP:
	case XFS_RMAP_FREE:
		e = xfs_rmap_unmap(&ag, agb, p->len, &o);
		break;
	case XFS_RMAP_MARK:	/* the record has the other mark yet */
		o.offset ^= XFS_RMAP_UNWRITTEN;
		e = xfs_rmap_convert(&ag, agb, p->len, &o);
		break;
	default:
		e = xfs_tx_bad(tx, "RUI", "operation", p->fsb, op);
	}
	xfs_agop_close(&ag);
	return e;
}

static int rmap_recover(struct xfs_tx *tx, const struct xfs_litem *it)
{
	return recover(tx, it, &rmap_format, &xfs_rmap_ops);
}

const struct xfs_work_ops xfs_rmap_ops = { .most = MOST,
					   .begin = rmap_begin,
					   .end = rmap_end,
					   .finish = rmap_finish,
					   .free = drop,
					   .recover = rmap_recover };

/* ---- counts ---- */

#define STEPS 8u			/* runs that are changed in one transaction */

int xfs_refcount_later(struct xfs_tx *tx, enum xfs_refc_op op, u64 fsb, u32 len)
{
	struct piece p = { .fsb = fsb, .len = len, .op = op };

	return add(tx, &xfs_refcount_ops, &p);
}

static void refc_put(const struct piece *p, void *rec)
{
	struct refc_record r = { p->fsb, p->len, p->op };

	memcpy(rec, &r, sizeof(r));
}

static void refc_get(const void *rec, struct piece *p)
{
	struct refc_record r;

	memcpy(&r, rec, sizeof(r));
	*p = (struct piece){ .fsb = r.fsb, .len = r.len, .op = r.flags & REC_OP };
}

static const struct format refc_format = { XFS_LI_CUI, XFS_LI_CUD, sizeof(struct refc_record),
					   refc_put, refc_get };

static struct xfs_intent *refc_begin(struct xfs_tx *tx, const struct list_head *list, int *e)
{
	return begin(tx, list, &refc_format, e);
}

static void refc_end(struct xfs_tx *tx, struct xfs_intent *i, const struct list_head *list)
{
	(void)list;
	end(tx, i, &refc_format);
}

static int refc_finish(struct xfs_tx *tx, struct xfs_work *w)
{
	struct piece *p = piece_of(w);
	u32 agb = xfs_fsb_agb(&tx->fs->vol.sb, p->fsb), done = p->len;
	struct xfs_bt_cur c;
	struct xfs_agop ag;
	int e = open_ag(tx, p, &ag);

	if (e)
		return e;
	xfs_refc_open(&c, &ag);
	switch (p->op) {
	case XFS_REFC_UP:
	case XFS_REFC_DOWN:
		e = xfs_refcount_adjust(&c, agb, p->len, p->op == XFS_REFC_UP, STEPS, &done);
		break;
	case XFS_REFC_STAGE:
	case XFS_REFC_UNSTAGE:
		e = xfs_refcount_stage(&c, agb, p->len, p->op == XFS_REFC_STAGE);
		break;
	default:
		e = xfs_tx_bad(tx, "CUI", "operation", p->fsb, p->op);
	}
	xfs_bt_close(&c);
	xfs_agop_close(&ag);
	p->fsb += done;
	p->len -= done;
	return e ?: p->len ? -EAGAIN : 0;
}

static int refc_recover(struct xfs_tx *tx, const struct xfs_litem *it)
{
	return recover(tx, it, &refc_format, &xfs_refcount_ops);
}

const struct xfs_work_ops xfs_refcount_ops = { .most = MOST,
					       .begin = refc_begin,
					       .end = refc_end,
					       .finish = refc_finish,
					       .free = drop,
					       .recover = refc_recover };
