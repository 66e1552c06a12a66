// SPDX-License-Identifier: MIT
/* The passes over the log (replay.h). */
#include "fs/xfs/log/replay_priv.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

#define LOG_INCOMPAT_KNOWN 0x1u	/* attributes that are set by intents */

/* KEY is counted once more in T. */
static int count(struct xfs_replay *r, struct xfs_table *t, u64 key)
{
	struct xfs_counted *c = (struct xfs_counted *)xfs_table_find(t, key);
	int e;

	if (!c) {
		c = xfs_ralloc(r, sizeof(*c));
		if (!c)
			return -ENOMEM;
		e = xfs_table_add(r, t, &c->node, key);
		if (e) {
			xfs_rfree(r, c, sizeof(*c));
			return e;
		}
	}
	c->count++;
	return 0;
}

static void free_counted(struct xfs_replay *r, struct xfs_table *t)
{
	struct xfs_tnode *n;

	while ((n = xfs_table_pop(r, t)))
		xfs_rfree(r, n, sizeof(struct xfs_counted));
}

/* ---- work that was begun ---- */

static void free_begun(struct xfs_replay *r, struct xfs_begun *b)
{
	list_del(&b->all);
	xfs_rfree(r, b, b->size);
}

/* A copy of IT, which a transaction at LSN has. */
static int add_begun(struct xfs_replay *r, const struct xfs_litem *it, u64 key, u64 lsn)
{
	size_t bytes = sizeof(struct xfs_begun) + xfs_litem_size(it);
	struct xfs_begun *b = xfs_ralloc(r, bytes);
	int e;

	if (!b)
		return -ENOMEM;
	b->size = bytes;
	b->lsn = lsn;
	xfs_litem_copy(it, b + 1, &b->it);
	list_add_tail(&b->all, &r->begun);
	e = xfs_table_add(r, &r->intents, &b->node, key);
	if (e)
		free_begun(r, b);
	return e;
}

static int note_intent(struct xfs_replay *r, const struct xfs_litem *it,
		       const struct xfs_lintent *in, u64 lsn)
{
	u64 key = in->id ^ (u64)in->type << 48;
	struct xfs_tnode *n = xfs_table_find(&r->intents, key);

	if (!in->done)
		return add_begun(r, it, key, lsn);
	/* What it ends may have begun before the tail. */
	if (n) {
		xfs_table_del(&r->intents, n);
		free_begun(r, (struct xfs_begun *)n);
	}
	return 0;
}

/* The caller, which has transactions, gets the work that has no end. */
static int hand_over(struct xfs_replay *r)
{
	struct xfs_begun *b;

	list_for_each_entry(b, &r->begun, all) {
		int e = r->env->intent(r->env->ctx, b->lsn, &b->it);

		if (e == -EOPNOTSUPP) {
			r->out->why = b->it.type == XFS_LI_XMI ?
					      "it has begun to exchange attributes of two files" :
					      "it has begun work of a kind that cannot be finished";
			r->out->bits = b->it.type;
			return -EINVAL;
		}
		if (e)
			return e;
		if (!r->out->first_intent)
			r->out->first_intent = b->lsn;
		r->out->left = true;
	}
	return 0;
}

/* Looks into every item before anything is applied. */
static int note_item(struct xfs_replay *r, const struct xfs_litem *it, u64 lsn)
{
	u64 place = r->log.place + r->record;
	struct xfs_licreate create;
	struct xfs_lintent intent;
	struct xfs_linode inode;
	struct xfs_lattr attr;
	struct xfs_lexch exch;
	struct xfs_ldquot dquot;
	struct xfs_lbuf buf;
	int e;

	switch (it->type) {
	case XFS_LI_BUF:
		e = xfs_lbuf_get(it, place, &buf, r->f);
		return e || !buf.cancel ? e :
					  count(r, &r->cancels, xfs_cancel_key(buf.daddr, buf.bbs));
	case XFS_LI_INODE:
		return xfs_linode_get(it, place, &inode, r->f);
	case XFS_LI_DQUOT:
		return xfs_ldquot_get(it, place, &dquot, r->f);
	case XFS_LI_ICREATE:
		return xfs_licreate_get(it, place, &create, r->f);
	case XFS_LI_QUOTAOFF:
		r->quotaoff |= xfs_lquotaoff_get(it);
		return 0;
	case XFS_LI_ATTRI:
		e = xfs_lattr_get(r->sb, it, place, &attr, r->f);
		if (e)
			return e;
		break;
	case XFS_LI_XMI:
		e = xfs_lexch_get(r->sb, it, place, &exch, r->f);
		if (e)
			return e;
		break;
	}
	return xfs_litem_intent(it, &intent) ? note_intent(r, it, &intent, lsn) : 0;
}

static int note_trans(struct xfs_replay *r, struct xfs_ltrans *t)
{
	struct xfs_litem it;
	u32 at = 0;
	int e = 0;

	while (xfs_trans_item(r, t, &at, &it, &e))
		e = note_item(r, &it, t->lsn);
	return e;
}

/* ---- the whole ---- */

static int read_log(void *ctx, u64 bb, u32 n, void *buf)
{
	struct xfs_replay *r = ctx;
	const u32 per = r->sb->sectsize / XFS_SECTOR;
	u8 *p = buf, *sector = r->sector;
	u64 at = r->log.place + bb;
	int e = 0;

	while (!e && n) {	/* parts of a sector at the ends, whole ones between */
		u32 skip = (u32)(at % per), part = min(n, per - skip);

		if (!skip && n >= per) {
			part = n - n % per;
			e = r->env->read(r->env->ctx, at, p, part * XFS_SECTOR);
		} else {
			e = r->env->read(r->env->ctx, at - skip, sector, per * XFS_SECTOR);
			memcpy(p, sector + (size_t)skip * XFS_SECTOR, (size_t)part * XFS_SECTOR);
		}
		p += (size_t)part * XFS_SECTOR;
		at += part;
		n -= part;
	}
	return e;
}

static int refuse(struct xfs_replay *r, int e, const char *why, u32 bits)
{
	r->out->why = why;
	r->out->bits = bits;
	return e;
}

/* May it be replayed at all? */
static int judge(struct xfs_replay *r, bool writable)
{
	const struct xfs_sb *sb = r->sb;

	if (r->state.foreign)
		return refuse(r, -XFS_CORRUPT, "it was written by a CPU of the other byte order",
			      0);
	if (!writable)
		return refuse(r, -EROFS, "the device is read-only", 0);
	if (sb->log_incompat & ~LOG_INCOMPAT_KNOWN)
		return refuse(r, -EINVAL, "it has unknown features",
			      sb->log_incompat & ~LOG_INCOMPAT_KNOWN);
	if (xfs_sb_unknown_ro(sb))
		return refuse(r, -EINVAL,
			      "the file system has unknown features that allow reading alone",
			      xfs_sb_unknown_ro(sb));
	return 0;
}

static int run(struct xfs_replay *r, bool writable)
{
	int e = xfs_log_find(&r->log, &r->state, r->f);

	r->out->head = r->state.head;
	r->out->tail = r->state.tail;
	if (e)
		return e;
	r->out->clean = r->state.clean;
	r->out->next = r->state;
	if (r->state.clean)
		return 0;
	e = judge(r, writable);
	e = e ?: xfs_replay_each(r, note_trans);
	if (!e && r->intents.count)
		e = r->env->intent ?
			    hand_over(r) :
			    refuse(r, -EINVAL, "it has work that was begun and must be finished",
				   r->intents.count);
	e = e ?: xfs_replay_each(r, xfs_apply_trans);
	return e ?: xfs_replay_finish(r);
}

static void free_all(struct xfs_replay *r)
{
	struct xfs_tnode *n;

	free_counted(r, &r->cancels);
	while ((n = xfs_table_pop(r, &r->intents)))
		free_begun(r, (struct xfs_begun *)n);
	while ((n = xfs_table_pop(r, &r->units)))
		xfs_unit_free(r, (struct xfs_unit *)n);
	while (xfs_table_pop(r, &r->objects))
		;
	while (r->all) {
		struct xfs_object *o = r->all;

		r->all = o->next;
		xfs_rfree(r, o, sizeof(*o));
	}
}

int xfs_replay(struct xfs_sb *sb, const struct xfs_replay_env *env, bool writable,
	       struct xfs_replay_result *out, struct xfs_fault *f)
{
	struct xfs_log_work *work = env->alloc(env->ctx, sizeof(*work));
	struct xfs_replay *r = env->alloc(env->ctx, sizeof(*r));
	struct xfs_log_reader reader = { read_log, r };
	struct xfs_sb was = *sb;
	int e = -ENOMEM;

	*out = (struct xfs_replay_result){ 0 };
	if (work && r) {
		r->sb = sb;
		r->env = env;
		INIT_LIST_HEAD(&r->begun);
		r->out = out;
		r->f = f;
		e = sb->sectsize > XFS_UNIT_BBS * XFS_SECTOR ?
			    refuse(r, -EINVAL, "its sectors are too large", sb->sectsize) :
			    xfs_log_open(&r->log, sb, &reader, work, f);
		e = e ?: run(r, writable);
		free_all(r);
	}
	if (e)
		*sb = was;
	if (r)
		env->free(env->ctx, r, sizeof(*r));
	if (work)
		env->free(env->ctx, work, sizeof(*work));
	return e;
}
