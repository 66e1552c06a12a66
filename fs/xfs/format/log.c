// SPDX-License-Identifier: MIT
/* Finding the head and the tail (log.h). Records are read in logrec.c. */
#include "fs/xfs/format/log.h"
#include "fs/xfs/format/log_priv.h"
#include <lib/minmax.h>
#include <lib/string.h>

#define NONE (~0ull)
#define MAX_RECORD_BB (XFS_LOG_MAX_RECORD / XFS_SECTOR + XFS_LOG_MAX_HEADERS)
#define IN_FLIGHT_BB (XFS_LOG_IN_FLIGHT * (XFS_LOG_MAX_RECORD / XFS_SECTOR))

int xfs_log_block(struct xfs_log *l, u64 bb, const u8 **out)
{
	if (bb < l->window || bb - l->window >= l->window_n) {
		u64 first = bb / XFS_LOG_WINDOW * XFS_LOG_WINDOW,
		    n = min((u64)XFS_LOG_WINDOW, l->blocks - first);
		int e = l->r->read(l->r->ctx, first, (u32)n, l->w->window);

		l->window = first;
		l->window_n = e ? 0 : n;
		if (e)
			return e;
	}
	*out = l->w->window + (bb - l->window) * XFS_SECTOR;
	return 0;
}

static u32 word(const void *buf, u32 i)
{
	be32 v;

	memcpy(&v, (const u8 *)buf + 4 * (size_t)i, sizeof(v));
	return be32_get(v);
}

static int cycle_at(struct xfs_log *l, u64 bb, u32 *cycle)
{
	const u8 *p;
	int e = xfs_log_block(l, bb, &p);

	if (!e)
		*cycle = word(p, 0) == XFS_LOG_MAGIC ? word(p, 1) : word(p, 0);
	return e;
}

/* Between LO, which is not of CYCLE, and *HI, which is: where CYCLE begins, about. */
static int search_cycle(struct xfs_log *l, u64 lo, u64 *hi, u32 cycle)
{
	while (*hi - lo > 1) {
		u64 mid = lo + (*hi - lo) / 2;
		u32 c;
		int e = cycle_at(l, mid, &c);

		if (e)
			return e;
		if (c == cycle)
			*hi = mid;
		else
			lo = mid;
	}
	return 0;
}

/* The first block from FROM up to TO that is of CYCLE becomes *HEAD; *FOUND: there is one. */
static int first_of(struct xfs_log *l, u64 from, u64 to, u32 cycle, u64 *head, bool *found)
{
	*found = false;
	for (u64 bb = from; bb < to; bb++) {
		u32 c;
		int e = cycle_at(l, bb, &c);

		if (e)
			return e;
		if (c == cycle) {
			*head = bb;
			*found = true;
			return 0;
		}
	}
	return 0;
}

/*
 * Writes that were in flight may have left holes of an earlier cycle before *HEAD (1 to l->blocks):
 * the first hole is where the log ends. STOP: the cycle behind the head.
 */
static int back_to_hole(struct xfs_log *l, u64 *head, u32 stop)
{
	u64 scan = IN_FLIGHT_BB, at = *head;
	bool found;
	int e;

	if (at >= scan)
		return first_of(l, at - scan, at, stop, head, &found);
	/* The end of the ring has one cycle less in its holes. */
	if (scan - at < l->blocks - at) {
		e = first_of(l, l->blocks - (scan - at), l->blocks, stop - 1, head, &found);
		if (e || found)
			return e;
	}
	return first_of(l, 0, at, stop, head, &found);
}

/* The last record that begins before BB, at most LIMIT blocks back: *OUT, NONE: there is none. */
static int record_before(struct xfs_log *l, u64 bb, u64 limit, u64 *out)
{
	*out = NONE;
	for (u64 i = 1; i <= min(limit, l->blocks); i++) {
		u64 at = (bb + l->blocks - i) % l->blocks;
		const u8 *p;
		int e = xfs_log_block(l, at, &p);

		if (e)
			return e;
		if (word(p, 0) == XFS_LOG_MAGIC) {
			*out = at;
			return 0;
		}
	}
	return 0;
}

/* The record's length in blocks, by its header alone. */
static int record_size(struct xfs_log *l, u64 bb, u64 *n)
{
	const struct xfs_dlog_rec *h;
	const u8 *p;
	int e = xfs_log_block(l, bb, &p);

	if (e)
		return e;
	h = (const void *)p;
	*n = xfs_log_headers(h) + ((u64)be32_get(h->len) + XFS_SECTOR - 1) / XFS_SECTOR;
	return 0;
}

/* A head in the middle of a record moves to its beginning: the record is not whole. */
static int back_to_record(struct xfs_log *l, u64 *head, bool zeroed, struct xfs_fault *f)
{
	u64 bb, n, limit = MAX_RECORD_BB;
	int e = record_before(l, *head, zeroed ? min(limit, *head) : limit, &bb);

	if (e)
		return e;
	if (bb == NONE)
		return xfs_bad(f, "log", "record before its head", l->place, *head);
	e = record_size(l, bb, &n);
	if (!e && (bb + n) % l->blocks != *head % l->blocks)
		*head = bb;
	return e;
}

/* *HEAD below l->blocks; *EMPTY: nothing was ever written. */
static int find_head(struct xfs_log *l, u64 *head, bool *empty, struct xfs_fault *f)
{
	u32 first, last;
	int e = cycle_at(l, 0, &first);

	e = e ?: cycle_at(l, l->blocks - 1, &last);
	if (e)
		return e;
	*empty = !first;
	*head = l->blocks - 1;
	if (!first) {
		*head = 0;
		return 0;
	}
	if (!last && first != 1)
		return xfs_bad(f, "log", "cycle of its first block", l->place, first);
	if (first == last) {
		*head = l->blocks;
		e = back_to_hole(l, head, last - 1);
	} else {
		e = search_cycle(l, 0, head, last);
		if (!e && !last) {	/* never gone round: behind the head are zeroes */
			bool found;
			u64 scan = min((u64)IN_FLIGHT_BB, *head);

			e = first_of(l, *head - scan, *head, 0, head, &found);
		} else if (!e) {
			e = back_to_hole(l, head, last);
		}
	}
	e = e ?: back_to_record(l, head, !last, f);
	*head %= l->blocks;
	return e;
}

/* ---- what the last record says ---- */

/* S->head is set. *LAST: the record before it. */
static int judge_last(struct xfs_log *l, struct xfs_log_state *s, u64 *last, struct xfs_fault *f)
{
	const struct xfs_dlog_rec *h;
	struct xfs_dlog_op op;
	u64 tail, n, ops;
	const u8 *p;
	int e = record_before(l, s->head, l->blocks, last);

	if (!e && *last == NONE)
		return xfs_bad(f, "log", "last record", l->place, s->head);
	e = e ?: record_size(l, *last, &n);
	e = e ?: xfs_log_block(l, *last, &p);
	if (e)
		return e;
	h = (const void *)p;
	s->foreign = be32_get(h->fmt) != XFS_LOG_FMT;
	/* Going round the end of the ring begins a cycle. */
	s->cycle = be32_get(h->cycle) + (*last >= s->head);
	tail = be64_get(h->tail_lsn);
	ops = be32_get(h->num_logops);
	if ((u32)tail >= l->blocks)
		return xfs_bad(f, "log", "tail_lsn", l->place + *last, tail);
	s->tail = (u32)tail;
	if (ops == 1 && (*last + n) % l->blocks == s->head) {
		e = xfs_log_block(l, (*last + xfs_log_headers(h)) % l->blocks, &p);
		if (e)
			return e;
		memcpy(&op, p, sizeof(op));
		s->clean = op.flags & XFS_OP_UNMOUNT;
	}
	if (s->clean)
		s->tail = s->head;
	else if ((tail >> 32) + (s->tail >= s->head) != s->cycle)
		return xfs_bad(f, "log", "tail_lsn", l->place + *last, tail);
	return 0;
}

/* Are all records from FROM to HEAD whole? *BAD: the first that is not; NONE. */
static int check_records(struct xfs_log *l, u64 from, u64 head, u64 *bad)
{
	struct xfs_log_rec rec;
	struct xfs_fault f;

	*bad = NONE;
	while (from != head) {
		int e = xfs_log_read(l, from, &rec, &f);

		if (e && e != -XFS_CORRUPT && e != -XFS_BAD_CRC)
			return e;
		if (e || xfs_log_distance(l, from, rec.next) > xfs_log_distance(l, from, head)) {
			*bad = from;
			return 0;
		}
		from = rec.next;
	}
	return 0;
}

/* The beginning of the N-th record before HEAD, not before TAIL. */
static int records_back(struct xfs_log *l, u64 head, u64 tail, u32 n, u64 *out)
{
	u64 at = head;
	int e = 0;

	while (!e && n-- && at != tail) {
		u64 bb;

		e = record_before(l, at, xfs_log_distance(l, tail, at), &bb);
		if (bb == NONE)
			break;
		at = bb;
	}
	*out = at;
	return e;
}

/*
 * The first torn record among the last eight ends the log. S then has the head, the tail and the
 * cycle that the record before says.
 */
static int cut_torn(struct xfs_log *l, struct xfs_log_state *s, struct xfs_fault *f)
{
	u64 from, bad, last;
	int e = records_back(l, s->head, s->tail, XFS_LOG_IN_FLIGHT, &from);

	e = e ?: check_records(l, from, s->head, &bad);
	if (e || bad == NONE)
		return e;
	if (bad == s->tail)
		return xfs_bad(f, "log", "record", l->place + bad, 0);
	s->head = bad;
	s->clean = false;
	return judge_last(l, s, &last, f);
}

/*
 * The tail may lie where torn writes at the head were about to go: then it begins with the next
 * record. Anywhere else a bad record is damage.
 */
static int check_tail(struct xfs_log *l, struct xfs_log_state *s, struct xfs_fault *f)
{
	u64 bad;
	int e = check_records(l, s->tail, s->head, &bad);

	while (!e && bad != NONE) {
		u64 at = bad;
		const u8 *p;

		if (xfs_log_distance(l, s->head, bad) > IN_FLIGHT_BB)
			return xfs_bad(f, "log", "record", l->place + bad, 0);
		do {
			at = (at + 1) % l->blocks;
			e = xfs_log_block(l, at, &p);
			if (e)
				return e;
		} while (at != s->head && word(p, 0) != XFS_LOG_MAGIC);
		if (at == s->head)
			return xfs_bad(f, "log", "record", l->place + bad, 0);
		s->tail = at;
		e = check_records(l, at, s->head, &bad);
	}
	return e;
}

int xfs_log_open(struct xfs_log *l, const struct xfs_sb *sb, const struct xfs_log_reader *r,
		 struct xfs_log_work *w, struct xfs_fault *f)
{
	*l = (struct xfs_log){ .sb = sb,
			       .r = r,
			       .w = w,
			       .blocks = (u64)sb->logblocks << (sb->blocklog - 9),
			       .place = xfs_fsb_daddr(sb, sb->logstart) };
	if (l->blocks <= 2 * MAX_RECORD_BB || l->blocks > U32_MAX)
		return xfs_bad(f, "log", "logblocks", l->place, sb->logblocks);
	return 0;
}

int xfs_log_find(struct xfs_log *l, struct xfs_log_state *s, struct xfs_fault *f)
{
	bool empty;
	u64 last;
	int e;

	*s = (struct xfs_log_state){ 0 };
	e = find_head(l, &s->head, &empty, f);
	if (e)
		return e;
	if (empty) {
		s->clean = true;
		s->cycle = 1;
		return 0;
	}
	e = judge_last(l, s, &last, f);
	if (e || s->clean || s->foreign)
		return e;
	e = cut_torn(l, s, f);
	if (e || s->clean || s->foreign)
		return e;
	return check_tail(l, s, f);
}
