// SPDX-License-Identifier: MIT
/*
 * The end of recovery: what was applied is checked, the counters of the superblock are summed up
 * from the AGs (they are logged late), all is written, and the log is marked clean. It stays dirty
 * where begun work, files without a name, or blocks staged for copying on write are left: only a
 * system that has transactions can finish and free them.
 */
#include "fs/xfs/log/replay_priv.h"
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/errno.h>

#define IN_FLIGHT_BB (XFS_LOG_IN_FLIGHT * (XFS_LOG_MAX_RECORD / XFS_SECTOR))

/* No part of it belongs to a later object. */
static bool is_whole(struct xfs_replay *r, const struct xfs_object *o)
{
	for (u32 i = 0; i < o->bbs; i++) {
		u64 bb = o->daddr + i;
		struct xfs_unit *u =
			(struct xfs_unit *)xfs_table_find(&r->units, bb / XFS_UNIT_BBS);

		if (!u || u->owner[bb % XFS_UNIT_BBS] != o->id)
			return false;
	}
	return true;
}

static int finish_objects(struct xfs_replay *r)
{
	int e = 0;

	for (struct xfs_object *o = r->all; !e && o; o = o->next) {
		if (!is_whole(r, o))
			continue;
		if (r->env->stop(r->env->ctx))
			return -EINTR;
		e = xfs_image_get(r, o->daddr, o->bbs, r->block);
		e = e ?: xfs_block_finish(r->sb, o, r->block, r->f);
		e = e ?: xfs_image_put(r, o->daddr, o->bbs, r->block, o->kind, 0);
	}
	return e;
}

/* ---- counters, and what only transactions can free ---- */

/*
 * Does the tree of references end with blocks that were staged for copying on write? Their records
 * are its last ones.
 */
static int has_staged(struct xfs_replay *r, u32 agno, struct xfs_btroot root, bool *staged)
{
	u32 agb = root.block, bbs = r->sb->blocksize / XFS_SECTOR;

	for (u32 level = root.levels; level--;) {
		u64 daddr = xfs_agb_daddr(r->sb, agno, agb);
		struct xfs_bt_block h;
		struct xfs_bt_rec rec;
		int e = xfs_image_get(r, daddr, bbs, r->block);

		e = e ?: xfs_bt_verify(r->sb, XFS_BT_REFC, daddr, r->block, r->f);
		if (e)
			return e;
		xfs_bt_head(r->block, &h);
		if (h.level != level)
			return xfs_bad(r->f, "refcountbt", "level", daddr, h.level);
		if (!h.numrecs)
			return 0;
		if (level) {
			agb = xfs_bt_ptr_at(r->sb, XFS_BT_REFC, r->block, h.numrecs - 1);
		} else {
			xfs_bt_rec_at(r->sb, XFS_BT_REFC, r->block, h.numrecs - 1, &rec);
			*staged |= rec.start >> 31;
		}
	}
	return 0;
}

static int sum_ag(struct xfs_replay *r, u32 agno, struct xfs_sb *sum)
{
	u32 per = r->sb->sectsize / XFS_SECTOR;
	u64 at = xfs_agb_daddr(r->sb, agno, 0);
	struct xfs_agf agf;
	struct xfs_agi agi;
	int e = xfs_image_get(r, at + per, per, r->block);

	e = e ?: xfs_agf_decode(r->sb, agno, r->block, at + per, &agf, r->f);
	e = e ?: xfs_image_get(r, at + 2 * per, per, r->block);
	e = e ?: xfs_agi_decode(r->sb, agno, r->block, at + 2 * per, &agi, r->f);
	if (e)
		return e;
	sum->icount += agi.count;
	sum->ifree += agi.freecount;
	sum->fdblocks += (u64)agf.freeblks + agf.flcount + agf.btreeblks;
	for (u32 i = 0; i < XFS_AGI_BUCKETS; i++)
		r->out->left |= agi.unlinked[i] != XFS_NULL32;
	return r->sb->ro_compat & XFS_RO_REFLINK ? has_staged(r, agno, agf.refc, &r->out->left) : 0;
}

static int sum_up(struct xfs_replay *r, struct xfs_sb *sum)
{
	const struct xfs_sb *sb = r->sb;
	int e = 0;

	sum->icount = sum->ifree = sum->fdblocks = 0;
	for (u32 agno = 0; !e && agno < sb->agcount; agno++)
		e = r->env->stop(r->env->ctx) ? -EINTR : sum_ag(r, agno, sum);
	if (e)
		return e;
	if (sum->fdblocks > sb->dblocks)
		return xfs_bad(r->f, "AGF", "sum of free blocks", 0, sum->fdblocks);
	return 0;
}

static int put_counters(struct xfs_replay *r)
{
	u32 per = r->sb->sectsize / XFS_SECTOR;
	struct xfs_object o = { .kind = XFS_LK_SB, .bbs = per };
	struct xfs_sb sum = *r->sb;
	struct xfs_dsb d;
	int e = sum_up(r, &sum);

	e = e ?: xfs_image_get(r, 0, per, r->block);
	if (e)
		return e;
	memcpy(&d, r->block, sizeof(d));
	d.icount = be64_make(sum.icount);
	d.ifree = be64_make(sum.ifree);
	d.fdblocks = be64_make(sum.fdblocks);
	if (!r->out->left)
		d.log_incompat = be32_make(0);	/* says what is in the log: nothing */
	memcpy(r->block, &d, sizeof(d));
	e = xfs_block_finish(r->sb, &o, r->block, r->f);
	e = e ?: xfs_image_put(r, 0, per, r->block, XFS_LK_SB, 0);
	return e ?: xfs_sb_decode(r->block, r->sb->sectsize, r->sb, r->f);
}

/* ---- the log ---- */

static u32 step_of(const struct xfs_sb *sb)
{
	return max(sb->logsectsize, sb->sectsize) / XFS_SECTOR;
}

/* Is there room for the last record, at whole sectors, before the tail? */
static int check_room(struct xfs_replay *r)
{
	u32 step = step_of(r->sb), n = xfs_log_unmount_size(r->sb);

	if (r->state.head % step || n % step || r->log.place % step || r->log.blocks % step ||
	    xfs_log_distance(&r->log, r->state.head, r->state.tail) <= n) {
		r->out->why = "its end has no room for the mark of a clean log";
		return -EINVAL;
	}
	return 0;
}

/* N units at P to block BB of the log, round its end. */
static int write_log(struct xfs_replay *r, u64 bb, const u8 *p, u32 n)
{
	u32 first = (u32)min((u64)n, r->log.blocks - bb);
	int e = r->env->write(r->env->ctx, r->log.place + bb, p, first * XFS_SECTOR);

	if (!e && first < n)
		e = r->env->write(r->env->ctx, r->log.place, p + (size_t)first * XFS_SECTOR,
				  (n - first) * XFS_SECTOR);
	return e;
}

/*
 * N blocks at P, AT blocks ahead of the head, become blanks if one of them is of the head's cycle.
 */
static int blank_stale(struct xfs_replay *r, u64 at, u8 *p, u32 n)
{
	u64 head = r->state.head, first = (head + at) % r->log.blocks;
	u32 cycle = r->state.cycle + (head + at >= r->log.blocks);
	bool stale = false;

	for (u32 i = 0; i < n; i++) {
		be32 w[2];

		memcpy(w, p + (size_t)i * XFS_SECTOR, sizeof(w));
		stale |= be32_get(w[be32_get(w[0]) == XFS_LOG_MAGIC]) == cycle;
	}
	for (u32 i = 0; stale && i < n; i++)
		xfs_log_blank_make(&r->log, cycle - 1, first + i,
				   xfs_lsn_make(r->state.cycle, head), p + (size_t)i * XFS_SECTOR);
	return stale ? write_log(r, first, p, n) : 0;
}

/*
 * Blocks ahead of the head that were written in its cycle, though what lies before them was not,
 * become blanks of the cycle before: the next search for the head must not meet them. The first
 * SKIP are written otherwise.
 */
static int blank_ahead(struct xfs_replay *r, u32 skip)
{
	const u32 most = XFS_LOG_MAX_RECORD / XFS_SECTOR;
	u32 step = step_of(r->sb), n;
	u64 head = r->state.head,
	    end = min((u64)IN_FLIGHT_BB, xfs_log_distance(&r->log, head, r->state.tail));
	int e = 0;

	end -= end % step;
	for (u64 at = skip; !e && at + step <= end; at += n) {
		u64 first = (head + at) % r->log.blocks;
		u8 *p = r->log.w->record;

		n = (u32)min3((u64)(most - most % step), end - at, r->log.blocks - first);
		n -= n % step;
		e = r->log.r->read(r->log.r->ctx, first, n, p);
		for (u32 i = 0; !e && i < n; i += step)
			e = blank_stale(r, at + i, p + (size_t)i * XFS_SECTOR, step);
	}
	return e;
}

/* Where the next record goes if N blocks at the head are taken. */
static void go_on(struct xfs_replay *r, u32 n)
{
	struct xfs_log_state *s = &r->out->next;
	u64 first = r->out->first_intent;

	*s = (struct xfs_log_state){ .clean = n,
				     .cycle = r->state.cycle,
				     .head = r->state.head + n };
	if (s->head >= r->log.blocks) {
		s->head -= r->log.blocks;
		s->cycle += s->cycle + 1 == XFS_LOG_MAGIC ? 2 : 1;
	}
	s->tail = first ? (u32)first : s->head;
}

int xfs_replay_finish(struct xfs_replay *r)
{
	const struct xfs_replay_env *env = r->env;
	u32 n = xfs_log_unmount_size(r->sb);
	int e = check_room(r);

	e = e ?: finish_objects(r);
	e = e ?: put_counters(r);
	if (e)
		return e;
	/* From here on the disk is written. */
	e = xfs_image_write(r);
	if (!e && (!r->out->left || env->intent))
		e = blank_ahead(r, r->out->left ? 0 : n);
	e = e ?: env->flush(env->ctx);
	go_on(r, r->out->left ? 0 : n);
	if (e || r->out->left)
		return e;
	xfs_log_unmount_make(&r->log, &r->state);
	e = write_log(r, r->state.head, r->log.w->record, n);
	return e ?: env->flush(env->ctx);
}
