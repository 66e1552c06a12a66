// SPDX-License-Identifier: MIT
/*
 * Requests that a task holds back (sched/plug.h): sorted by disk, operation and place, so that a
 * bio finds its neighbours and joins them. A place is looked for from the end, which is where
 * nearly all belong; at most PLUG_MOST are passed. Bios that flush, or that discard, are never
 * held: what was held goes before them.
 *
 * Lifetime: a held bio is its task's alone until the plug is emptied, which hands it to a queue.
 * Reading a plug needs no lock: it is only the running task's, never an interrupt's.
 */
#include <lib/types.h>
#include <alloc/page.h>
#include <block/blk.h>
#include <kernel/bug.h>
#include <kernel/preempt.h>
#include <sched/plug.h>
#include "block/blk_priv.h"

#define PLUG_MOST 32U			/* requests */
#define PLUG_LARGE (128U << 10)		/* bytes: a request that need not wait for a neighbour elsewhere */

static struct disk *disk_of(const struct bio *b)
{
	return b->bdev->disk;
}

static u64 end_of(const struct bio *b)
{
	return b->disk_sector + (b->req_bytes >> SECTOR_SHIFT);
}

/*
 * A goes behind B. Which disk comes first does not matter, but that its requests are together does.
 */
static bool is_behind(const struct bio *a, const struct bio *b)
{
	if (a->bdev != b->bdev)
		return (uintptr_t)a->bdev > (uintptr_t)b->bdev;
	if (a->op != b->op)
		return a->op > b->op;
	return a->disk_sector >= b->disk_sector;
}

/* The memory of A ends where that of B begins: one piece for a device that takes any length. */
static bool touches(const struct bio *a, const struct bio *b)
{
	const struct bio_vec *v = &a->vecs[a->nvecs - 1], *w = &b->vecs[0];

	return disk_of(a)->max_segment == U32_MAX &&
	       page_to_phys(v->bv_page) + v->bv_offset + v->bv_len ==
		       page_to_phys(w->bv_page) + w->bv_offset;
}

/* Pieces of memory of a bio that do not touch. */
static u16 count_segments(struct bio *b)
{
	unsigned int i = 0;
	u64 phys;
	u32 len;
	u16 n = 0;

	while (bio_next_segment(&b, &i, &phys, &len))
		n++;
	return n;
}

/* Request B becomes A's end, if they follow each other and the device takes so much at once. */
static bool join(struct bio *a, struct bio *b)
{
	const struct disk *d = disk_of(a);
	unsigned int segs;

	if (a->bdev != b->bdev || a->op != b->op || end_of(a) != b->disk_sector ||
	    b->req_bytes > d->max_request - a->req_bytes)
		return false;
	segs = (unsigned int)a->req_segs + b->req_segs - touches(a->last, b);
	if (segs > d->max_segments)
		return false;
	a->last->next = b;
	a->last = b->last;
	a->req_bytes += b->req_bytes;
	a->req_segs = (u16)segs;
	a->req_bios = (u16)(a->req_bios + b->req_bios);
	if (b->start_ns < a->start_ns)
		a->start_ns = b->start_ns;
	return true;
}

/* Finds B's place. Returns whether B joined no request and the one before it is large. */
static bool insert(struct plug *p, struct bio *b)
{
	struct list_head *at = p->held.prev, *after;
	struct bio *prev = NULL;

	while (at != &p->held && !is_behind(b, list_entry(at, struct bio, list)))
		at = at->prev;
	after = at->next;
	if (at != &p->held)
		prev = list_entry(at, struct bio, list);
	if (prev && join(prev, b)) {
		if (after != &p->held && join(prev, list_entry(after, struct bio, list))) {
			list_del_init(after);
			p->count--;
		}
		return false;
	}
	if (after != &p->held && join(b, list_entry(after, struct bio, list))) {
		list_replace(after, &b->list);
		INIT_LIST_HEAD(after);
		return false;
	}
	list_add(&b->list, at);
	p->count++;
	return prev && prev->req_bytes >= PLUG_LARGE;
}

bool plug_hold(struct bio *b)
{
	struct plug *p = current->plug;
	bool large;

	if (likely(!p))
		return false;
	WARN_ON_ONCE(!in_task());
	if (!disk_of(b)->max_segments || b->op > REQ_WRITE || b->flags || !b->nvecs) {
		if (p->count)
			block_unplug(p);
		return false;
	}
	b->req_segs = count_segments(b);
	large = insert(p, b);
	if (large || p->count >= PLUG_MOST)
		block_unplug(p);
	return true;
}

void block_unplug(struct plug *p)
{
	LIST_HEAD(all);

	/* First of all: sending may come back here. */
	list_splice_init(&p->held, &all);
	p->count = 0;
	while (!list_empty(&all)) {
		struct bio *b = list_first_entry(&all, struct bio, list);
		struct disk *d = disk_of(b);
		LIST_HEAD(batch);

		do {
			list_move_tail(&b->list, &batch);
			b = list_first_entry_or_null(&all, struct bio, list);
		} while (b && disk_of(b) == d);
		bio_queue(d, &batch);
	}
}
