// SPDX-License-Identifier: MIT
/*
 * Transactions from records. Several may be open at one time; each operation says whose it is. A
 * transaction begins with an empty operation and a header; then come the regions of its items, of
 * which one may go on in the next record; at its commit it is whole. What belongs to none that is
 * open is the rest of one that began before the tail.
 */
#include "fs/xfs/log/replay_priv.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

#define TRANS_MAGIC 0x5452414eu	/* "TRAN", in the CPU's byte order */
#define ALIGNED(n) (((n) + 7u) & ~7u)

static void free_trans(struct xfs_replay *r, struct xfs_ltrans *t)
{
	xfs_rfree(r, t->bytes, t->cap);
	xfs_rfree(r, t->regions, (size_t)t->nr_cap * sizeof(*t->regions));
	xfs_rfree(r, t, sizeof(*t));
}

/* P, of CAP things of EACH bytes, becomes one of at least WANT. */
static void *enlarge(struct xfs_replay *r, void *p, size_t each, u32 *cap, u64 want)
{
	u64 n = max(want, (u64)*cap * 2);
	void *q;

	if (n > U32_MAX / 32)
		return NULL;
	q = xfs_ralloc(r, (size_t)n * each);
	if (!q)
		return NULL;
	if (p)
		memcpy(q, p, (size_t)*cap * each);
	xfs_rfree(r, p, (size_t)*cap * each);
	*cap = (u32)n;
	return q;
}

static int add_bytes(struct xfs_replay *r, struct xfs_ltrans *t, const u8 *p, u32 len)
{
	if (!len)
		return 0;
	if (t->cap - t->used < len) {
		u8 *q = enlarge(r, t->bytes, 1, &t->cap, (u64)t->used + len + 4000);

		if (!q)
			return -ENOMEM;
		t->bytes = q;
	}
	memcpy(t->bytes + t->used, p, len);
	t->used += len;
	return 0;
}

static int add_region(struct xfs_replay *r, struct xfs_ltrans *t, const u8 *p, u32 len)
{
	static const u8 zero[8];
	int e = add_bytes(r, t, zero, ALIGNED(t->used) - t->used);

	if (!e && t->nr == t->nr_cap) {
		void *q = enlarge(r, t->regions, sizeof(*t->regions), &t->nr_cap, 64);

		if (!q)
			return -ENOMEM;
		t->regions = q;
	}
	if (e)
		return e;
	t->regions[t->nr] = (struct xfs_lregion){ t->used, len };
	e = add_bytes(r, t, p, len);
	if (!e)
		t->nr++;
	return e;
}

static int bad_op(struct xfs_replay *r, const char *field, u64 value)
{
	return xfs_bad(r->f, "log operation", field, r->log.place + r->record, value);
}

/* An operation of T that has bytes. */
static int add(struct xfs_replay *r, struct xfs_ltrans *t, const struct xfs_log_op *op)
{
	bool more = op->flags & XFS_OP_WAS_CONT;
	u32 magic;

	if (!op->len)
		return 0;
	if (t->header_len < sizeof(t->header)) {
		if (op->len > sizeof(t->header) - t->header_len || more != !!t->header_len)
			return bad_op(r, "header of a transaction", op->len);
		memcpy(t->header + t->header_len, op->data, op->len);
		t->header_len += op->len;
		memcpy(&magic, t->header, sizeof(magic));
		if (t->header_len >= sizeof(magic) && magic != TRANS_MAGIC)
			return bad_op(r, "magic of a transaction", magic);
		return 0;
	}
	if (!more)
		return add_region(r, t, op->data, op->len);
	if (!t->nr)
		return bad_op(r, "continued region", op->len);
	if (t->used != t->regions[t->nr - 1].off + t->regions[t->nr - 1].len)
		return bad_op(r, "continued region", op->len);
	t->regions[t->nr - 1].len += op->len;
	return add_bytes(r, t, op->data, op->len);
}

static int begin(struct xfs_replay *r, u32 tid, u64 lsn)
{
	struct xfs_ltrans *t;
	int e;

	t = xfs_ralloc(r, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->lsn = lsn;
	e = xfs_table_add(r, &r->open, &t->node, tid);
	if (e)
		free_trans(r, t);
	return e;
}

static int one_op(struct xfs_replay *r, const struct xfs_log_rec *rec, const struct xfs_log_op *op,
		  xfs_commit_fn fn)
{
	struct xfs_tnode *n = xfs_table_find(&r->open, op->tid);
	struct xfs_ltrans *t = n ? (struct xfs_ltrans *)n : NULL;
	int e;

	if (op->flags & XFS_OP_START) {
		if (t || op->len)
			return bad_op(r, "flags", op->flags);
		return begin(r, op->tid, rec->lsn);
	}
	if (!t)
		return 0;
	if (op->flags & XFS_OP_UNMOUNT || op->flags & XFS_OP_COMMIT) {
		xfs_table_del(&r->open, n);
		e = op->flags & XFS_OP_COMMIT ? fn(r, t) : 0;
		free_trans(r, t);
		return e;
	}
	return add(r, t, op);
}

static int one_record(struct xfs_replay *r, const struct xfs_log_rec *rec, xfs_commit_fn fn)
{
	struct xfs_log_op op;
	u32 at = 0;
	int e = 0;

	for (u32 i = 0; !e && i < rec->ops; i++) {
		e = xfs_log_op_next(&r->log, rec, &at, &op, r->f);
		e = e ?: one_op(r, rec, &op, fn);
	}
	return e;
}

int xfs_replay_each(struct xfs_replay *r, xfs_commit_fn fn)
{
	struct xfs_tnode *n;
	struct xfs_log_rec rec;
	u64 at = r->state.tail;
	int e = 0;

	while (!e && at != r->state.head) {
		r->record = at;
		if (r->env->stop(r->env->ctx))
			e = -EINTR;
		e = e ?: xfs_log_read(&r->log, at, &rec, r->f);
		e = e ?: one_record(r, &rec, fn);
		if (!e)
			at = rec.next;
	}
	while ((n = xfs_table_pop(r, &r->open)))
		free_trans(r, (struct xfs_ltrans *)n);
	return e;
}

bool xfs_trans_item(struct xfs_replay *r, const struct xfs_ltrans *t, u32 *at, struct xfs_litem *it,
		    int *e)
{
	if (*e || *at == t->nr)
		return false;
	*e = xfs_litem_get(t->bytes, t->regions + *at, t->nr - *at, r->log.place + r->record, it,
			   &r->out->why, r->f);
	if (!*e && r->out->why) {
		r->out->bits = it->type;
		*e = -EINVAL;
	}
	*at += *e ? 0 : it->n;
	return !*e;
}
