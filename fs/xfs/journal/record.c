// SPDX-License-Identifier: MIT
/*
 * Checkpoints become records (journal.h). One writer at a time: the worker that closes checkpoints.
 * Eight buffers go round; a record that has ended gives its own back. Records end in an ordered
 * worker, which therefore tells the items of finished checkpoints in the log's order.
 */
#include "fs/xfs/journal/priv.h"
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <kernel/bug.h>
#include <kernel/random.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <sched/task.h>
#include <abi/errno.h>

#define TRANS_MAGIC 0x5452414eu
#define TRANS_CHECKPOINT 40u
#define HEAD(j) ((j)->headers * XFS_SECTOR)

/* ---- ends ---- */

static void give_record(struct xfs_record *rec)
{
	struct xfs_journal *j = rec->j;

	spin_lock(&j->lock);
	list_add_tail(&rec->node, &j->free_recs);
	spin_unlock(&j->lock);
	wake_up_all(&j->rec_wait);
}

static void finish_checkpoints(struct xfs_journal *j)
{
	for (;;) {
		struct xfs_ckpt *ck;

		spin_lock(&j->lock);
		ck = list_first_entry_or_null(&j->committing, struct xfs_ckpt, node);
		if (ck && !ck->written)
			ck = NULL;
		spin_unlock(&j->lock);
		if (!ck)
			return;
		xfs_ckpt_done(j, ck);
	}
}

static void record_ended(struct work_struct *w)
{
	struct xfs_record *rec = container_of(w, struct xfs_record, work);
	struct xfs_journal *j = rec->j;
	struct xfs_ckpt *ck = rec->ck;
	unsigned int nofs = memalloc_nofs_save();
	bool commit = rec->commit;

	if (READ_ONCE(rec->status))
		xfs_journal_kill(j, XFS_WHY_LOG_IO, "the log cannot be written");
	if (commit) {
		spin_lock(&j->lock);
		ck->written = true;
		spin_unlock(&j->lock);
	} else {
		atomic_dec(&ck->pending);
	}
	give_record(rec);
	if (commit)
		finish_checkpoints(j);
	memalloc_nofs_restore(nofs);
}

static void one_less(struct xfs_record *rec)
{
	if (atomic_dec_and_test(&rec->left))
		queue_work(rec->j->io_wq, &rec->work);
}

static void end_io(struct bio *b)
{
	struct xfs_record *rec = b->private;

	if (b->status)
		(void)cmpxchg(&rec->status, 0, b->status);
	bio_free(b);
	one_less(rec);
}

/* ---- one record ---- */

static struct xfs_record *take_record(struct xfs_journal *j)
{
	struct xfs_record *rec;

	spin_lock(&j->lock);
	rec = list_first_entry_or_null(&j->free_recs, struct xfs_record, node);
	if (rec)
		list_del_init(&rec->node);
	spin_unlock(&j->lock);
	return rec;
}

static void begin_record(struct xfs_journal *j, struct xfs_ckpt *ck, struct xfs_record **out)
{
	struct xfs_record *rec;

	wait_event(j->rec_wait, (rec = take_record(j)));
	rec->ck = ck;
	rec->used = rec->ops = 0;
	rec->status = 0;
	rec->commit = false;
	*out = rec;
}

/* LEN bytes of REC at AT to block BB of the log, FLAGS: REQ_*. */
static void send(struct xfs_record *rec, u32 at, u64 bb, u32 len, unsigned int flags)
{
	struct xfs_journal *j = rec->j;

	while (len) {
		struct bio *b = bio_alloc(j->bdev, REQ_WRITE, flags, GFP_NOIO);

		b->sector = j->place + bb;
		b->private = rec;
		b->end_io = end_io;
		while (len) {
			u8 *p = rec->mem + at;
			u32 off = (u32)((uintptr_t)p & (PAGE_SIZE - 1)),
			    n = min(len, (u32)PAGE_SIZE - off);

			if (!bio_add_page(b, vmalloc_to_page(p), n, off))
				break;
			at += n;
			len -= n;
			bb += n / XFS_SECTOR;
		}
		atomic_inc(&rec->left);
		submit_bio(b);
	}
}

static u32 record_sum(const struct xfs_journal *j, const u8 *p, u32 len)
{
	return xfs_log_checksum(p, sizeof(struct xfs_dlog_rec), j->headers, len);
}

/* Cycles into the first words, which the headers keep; N blocks at block BB. */
static void stamp(struct xfs_journal *j, u8 *p, u32 n, u64 bb, u32 cycle)
{
	struct xfs_dlog_rec *h = (void *)p;

	for (u32 i = 0; i < n - j->headers; i++) {
		u32 k = i / XFS_LOG_HEADER_CYCLES, at = i % XFS_LOG_HEADER_CYCLES;
		struct xfs_dlog_ext *x = (void *)(p + (size_t)k * XFS_SECTOR);
		be32 *keep = k ? &x->cycle_data[at] : &h->cycle_data[at];

		memcpy(keep, p + (size_t)(j->headers + i) * XFS_SECTOR, sizeof(*keep));
	}
	for (u32 i = 1; i < n; i++) {
		be32 v = be32_make(cycle + (bb + i >= j->blocks));

		memcpy(p + (size_t)i * XFS_SECTOR, &v, sizeof(v));
	}
}

static void fill_header(struct xfs_record *rec, u64 bb, u32 cycle, u64 tail, u32 len)
{
	struct xfs_journal *j = rec->j;
	struct xfs_dlog_rec *h = (void *)rec->mem;

	memset(rec->mem, 0, HEAD(j));
	h->magic = be32_make(XFS_LOG_MAGIC);
	h->cycle = be32_make(cycle);
	h->version = be32_make(2);
	h->len = be32_make(len);
	h->lsn = be64_make(xfs_lsn_make(cycle, bb));
	h->tail_lsn = be64_make(tail);
	h->prev_block = be32_make(j->prev_block);
	h->num_logops = be32_make(rec->ops);
	h->fmt = be32_make(XFS_LOG_FMT);
	h->size = be32_make(j->rec_bytes);
	memcpy(h->uuid, j->sb->uuid, XFS_UUID_SIZE);
}

/* N blocks of the log for a record: where. False: there is no room, which is a bug here. */
static bool place_record(struct xfs_journal *j, u32 n, u64 *bb, u32 *cycle)
{
	bool ok;

	spin_lock(&j->lock);
	*bb = j->head;
	*cycle = j->cycle;
	ok = xfs_lsn_bytes(j, j->flushed_tail, xfs_lsn_make(*cycle, *bb)) + (u64)n * XFS_SECTOR <
	     j->bytes;
	if (ok) {
		j->head += n;
		if (j->head >= j->blocks) {
			j->head -= j->blocks;
			/* A cycle that looks like a record's magic number is left out. */
			j->cycle += j->cycle + 1 == XFS_LOG_MAGIC ? 2 : 1;
		}
	}
	spin_unlock(&j->lock);
	return ok;
}

/* REC goes to the disk. */
static void send_record(struct xfs_record *rec, unsigned int flags)
{
	struct xfs_journal *j = rec->j;
	struct xfs_ckpt *ck = rec->ck;
	struct xfs_dlog_rec *h = (void *)rec->mem;
	u32 all = (HEAD(j) + rec->used + j->unit - 1) / j->unit * j->unit, len, n, first, cycle;
	u64 bb;

	/* What is behind the last operation belongs to the record only where it is padded. */
	len = j->unit > XFS_SECTOR ? all - HEAD(j) : rec->used;
	n = all / XFS_SECTOR;
	memset(rec->mem + HEAD(j) + rec->used, 0, all - HEAD(j) - rec->used);
	atomic_set(&rec->left, 1);
	if (!rec->commit)
		atomic_inc(&ck->pending);
	if (xfs_journal_dead(j) || !place_record(j, n, &bb, &cycle)) {
		rec->status = -EIO;
		one_less(rec);
		return;
	}
	if (!ck->records++)
		ck->start_lsn = xfs_lsn_make(cycle, bb);
	ck->commit_lsn = xfs_lsn_make(cycle, bb);
	fill_header(rec, bb, cycle, j->flushed_tail, len);
	stamp(j, rec->mem, n, bb, cycle);
	h->crc = le32_make(record_sum(j, rec->mem, len));
	j->prev_block = (u32)bb;
	first = (u32)min((u64)n, j->blocks - bb);
	send(rec, 0, bb, first * XFS_SECTOR, flags);
	if (first < n)
		send(rec, first * XFS_SECTOR, 0, (n - first) * XFS_SECTOR, flags);
	one_less(rec);
}

/* ---- a checkpoint ---- */

struct writer {
	struct xfs_journal *j;
	struct xfs_ckpt *ck;
	struct xfs_record *rec;
	u32 tid;
	bool flush;			/* the tail that the records will say needs a flush */
};

static u32 room_in(const struct writer *w)
{
	return w->j->rec_bytes - HEAD(w->j) - w->rec->used;
}

/* Another record follows. */
static void next_record(struct writer *w)
{
	if (w->flush) {
		if (!xfs_journal_dead(w->j) && bdev_flush(w->j->bdev))
			xfs_journal_kill(w->j, XFS_WHY_LOG_IO, "the device cannot be flushed");
		w->flush = false;
	}
	send_record(w->rec, 0);
	begin_record(w->j, w->ck, &w->rec);
}

static void put_op(struct writer *w, u8 flags, const void *data, u32 len)
{
	struct xfs_dlog_op op = { .tid = be32_make(w->tid),
				  .len = be32_make(len),
				  .client = XFS_OP_CLIENT_TRANS,
				  .flags = flags };
	u8 *p = w->rec->mem + HEAD(w->j) + w->rec->used;

	memcpy(p, &op, sizeof(op));
	if (len)
		memcpy(p + sizeof(op), data, len);
	w->rec->used += (u32)sizeof(op) + len;
	w->rec->ops++;
}

/* A region, in as many records as it takes; LEN is a multiple of 4. */
static void put_region(struct writer *w, const u8 *p, u32 len)
{
	const u32 head = (u32)sizeof(struct xfs_dlog_op);
	bool more = false;

	while (len) {
		u32 n;
		u8 flags = more ? XFS_OP_WAS_CONT : 0;

		if (room_in(w) < head + 4)
			next_record(w);
		n = min(len, (room_in(w) - head) & ~3u);
		if (n < len)
			flags |= XFS_OP_CONTINUE;
		else if (more)
			flags |= XFS_OP_END;
		put_op(w, flags, p, n);
		p += n;
		len -= n;
		more = true;
	}
}

static void put_mark(struct writer *w, u8 flags)
{
	if (room_in(w) < sizeof(struct xfs_dlog_op))
		next_record(w);
	put_op(w, flags, NULL, 0);
}

/* The tail that all its records will say. */
static void choose_tail(struct writer *w)
{
	struct xfs_journal *j = w->j;

	spin_lock(&j->lock);
	w->flush = j->tail_lsn != j->flushed_tail;
	j->flushed_tail = j->tail_lsn;
	spin_unlock(&j->lock);
}

/* What was reserved (RES) for a checkpoint that began at FROM, and is not in the log. */
static void give_rest(struct xfs_journal *j, u64 res, u64 from)
{
	u64 now, used;

	spin_lock(&j->lock);
	now = xfs_lsn_make(j->cycle, j->head);
	spin_unlock(&j->lock);
	used = xfs_lsn_bytes(j, from, now);
	WARN_ON_ONCE(used > res);
	xfs_grant_give(j, (s64)res - (s64)used);
}

void xfs_ckpt_write(struct xfs_journal *j, struct xfs_ckpt *ck)
{
	struct writer w = { .j = j, .ck = ck, .tid = get_random_u32() };
	struct {
		u32 magic, type, tid, n;
	} head = { TRANS_MAGIC, TRANS_CHECKPOINT, w.tid, ck->regions };
	struct xfs_lvec *lv;
	u64 from, res = ck->res;

	choose_tail(&w);
	spin_lock(&j->lock);
	from = xfs_lsn_make(j->cycle, j->head);
	spin_unlock(&j->lock);
	begin_record(j, ck, &w.rec);
	put_mark(&w, XFS_OP_START);
	put_region(&w, (const u8 *)&head, sizeof(head));
	list_for_each_entry(lv, &ck->lvs, node) {
		for (u32 i = 0; i < lv->n; i++)
			put_region(&w, lv->data + lv->r[i].off, lv->r[i].len);
		cond_resched();
	}
	put_mark(&w, XFS_OP_COMMIT);
	/* The others are complete before it; their buffers come back in any order. */
	wait_event(j->rec_wait, !atomic_read(&ck->pending));
	w.rec->commit = true;
	send_record(w.rec, REQ_PREFLUSH | REQ_FUA);	/* from here on CK may be gone */
	give_rest(j, res, from);
}

/* ---- the end ---- */

static int write_now(struct xfs_journal *j, u64 bb, const u8 *p, u32 n)
{
	struct xfs_record *rec = take_record(j);
	struct bio *b;
	u32 bytes = n * XFS_SECTOR;
	int e;

	if (WARN_ON(!rec || bytes > j->rec_bytes))
		return -EIO;
	memcpy(rec->mem, p, bytes);
	b = bio_alloc(j->bdev, REQ_WRITE, REQ_PREFLUSH | REQ_FUA, GFP_NOIO);
	b->sector = j->place + bb;
	for (u32 at = 0; at < bytes;) {
		u32 part = min(bytes - at, (u32)PAGE_SIZE);

		if (!bio_add_page(b, vmalloc_to_page(rec->mem + at), part, 0)) {
			bio_free(b);
			give_record(rec);
			return -EIO;
		}
		at += part;
	}
	e = submit_bio_wait(b);
	give_record(rec);
	return e;
}

int xfs_unmount_write(struct xfs_journal *j)
{
	struct xfs_log_work *work = kvzalloc(sizeof(*work), GFP_KERNEL);
	struct xfs_log_state s = { .cycle = j->cycle, .head = j->head };
	struct xfs_log l = { .sb = j->sb, .w = work, .blocks = j->blocks, .place = j->place };
	u32 n = xfs_log_unmount_size(j->sb), first;
	int e;

	if (!work)
		return -ENOMEM;
	xfs_log_unmount_make(&l, &s);
	first = (u32)min((u64)n, j->blocks - s.head);
	e = write_now(j, s.head, work->record, first);
	if (!e && first < n)
		e = write_now(j, 0, work->record + (size_t)first * XFS_SECTOR, n - first);
	kvfree(work);
	return e;
}

int xfs_records_init(struct xfs_journal *j)
{
	j->recs = kcalloc(XFS_RECORDS, sizeof(*j->recs), GFP_KERNEL);
	if (!j->recs)
		return -ENOMEM;
	for (u32 i = 0; i < XFS_RECORDS; i++) {
		struct xfs_record *rec = &j->recs[i];

		rec->j = j;
		INIT_WORK(&rec->work, record_ended);
		rec->mem = vmalloc(j->rec_bytes);
		if (!rec->mem)
			return -ENOMEM;
		list_add_tail(&rec->node, &j->free_recs);
	}
	return 0;
}

void xfs_records_destroy(struct xfs_journal *j)
{
	for (u32 i = 0; j->recs && i < XFS_RECORDS; i++)
		vfree(j->recs[i].mem);
	kfree(j->recs);
}
