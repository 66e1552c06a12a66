// SPDX-License-Identifier: MIT
/*
 * Writeback: dirty units of folios, mapped and put into as few bios as possible.
 *
 * A run of the file that lies in blocks of one kind is one struct ioend, whatever bios it takes.
 * Its folios stay under writeback until its last bio has ended and the filesystem has recorded what
 * follows from it (unwritten blocks that are written now, a size on the device that grows). The
 * recording waits for log space, so a work queue of the filesystem does it; end_io never waits.
 *
 * A mapping that was looked up for one folio is used for the next only while the file's cookie is
 * the same, under that folio's lock. A folio whose blocks cannot be had is clean afterwards, its
 * reservation is given back, and the error is in the mapping's sequence.
 */
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <block/blk.h>
#include <kernel/bug.h>
#include <sched/plug.h>
#include <sched/task.h>
#include <sched/work.h>
#include <vfs/inode.h>
#include <abi/errno.h>
#include "extent/extent_priv.h"

#define IOEND_MOST	(32u << 20)	/* bytes: then another begins */

struct ioend {
	struct extent_file *x;
	loff_t off;			/* c once it is submitted */
	u64 len;			/* c once it is submitted; whole units */
	bool unwritten;			/* c */
	atomic_t bios;			/* under way, and 1 while more may come */
	int error;			/* of any bio */
	struct work_struct work;
};

struct writer {
	struct extent_file *x;
	struct extent at;		/* len 0: none yet */
	struct ioend *io;		/* NULL: none; still grows */
	struct bio *bio;		/* NULL: none; not yet submitted */
};

/* IO is on the device, or failed. Its last folio lets the inode go. */
static void finish(struct ioend *io)
{
	struct extent_file *x = io->x;
	struct address_space *m = &x->inode->i_data;
	unsigned int bits = extent_unit_bits(x);
	u64 end = (u64)io->off + io->len, pos = (u64)io->off;

	mapping_set_error(m, io->error);
	while (pos < end) {
		/* Under writeback: it cannot leave the cache. */
		struct folio *f = filemap_get_entry(m, (pgoff_t)(pos >> PAGE_SHIFT));
		u64 to = min(end, folio_end(f));

		extent_state_written(x, f, (unsigned int)((to - pos) >> bits));
		folio_put(f);
		pos = to;
		cond_resched();
	}
	kfree(io);
}

static bool needs_work(const struct ioend *io)
{
	return io->unwritten || io->x->ops->grows(io->x->inode, (u64)io->off + io->len);
}

static void work(struct work_struct *w)
{
	struct ioend *io = container_of(w, struct ioend, work);

	io->error = io->x->ops->written(io->x->inode, io->off, io->len, io->unwritten);
	finish(io);
}

static void put(struct ioend *io)
{
	if (!atomic_dec_and_test(&io->bios))
		return;
	if (!READ_ONCE(io->error) && needs_work(io))
		io->x->ops->later(io->x->inode, &io->work);
	else
		finish(io);
}

static void bio_end(struct bio *b)
{
	struct ioend *io = b->private;

	if (b->status)
		WRITE_ONCE(io->error, b->status);
	bio_free(b);
	put(io);
}

static void submit_bio_of(struct writer *w)
{
	if (w->bio)
		submit_bio(w->bio);
	w->bio = NULL;
}

static void submit(struct writer *w)
{
	submit_bio_of(w);
	if (w->io)
		put(w->io);
	w->io = NULL;
}

/* An ioend to which LEN bytes at POS, as w->at has them, can be added. -ENOMEM. */
static int ioend_for(struct writer *w, loff_t pos)
{
	bool unwritten = w->at.type == EXTENT_UNWRITTEN;
	struct ioend *io = w->io;

	if (io && io->off + (loff_t)io->len == pos && io->unwritten == unwritten &&
	    io->len < IOEND_MOST)
		return 0;
	submit(w);
	io = kzalloc(sizeof(*io), GFP_NOIO);
	if (!io)
		return -ENOMEM;
	io->x = w->x;
	io->off = pos;
	io->unwritten = unwritten;
	atomic_set(&io->bios, 1);
	INIT_WORK(&io->work, work);
	w->io = io;
	return 0;
}

/* LEN bytes at OFF of FOLIO, in one page. */
static void add_piece(struct writer *w, struct folio *folio, size_t off, unsigned int len)
{
	loff_t pos = folio_pos(folio) + (loff_t)off;
	u64 addr = w->at.addr + (u64)(pos - w->at.off);
	struct bio *b;

	w->io->len += len;
	if (extent_bio_add(w->bio, folio, off, len, addr))
		return;
	submit_bio_of(w);
	b = bio_alloc(w->x->bdev, REQ_WRITE, 0, GFP_NOIO);
	b->sector = addr >> SECTOR_SHIFT;
	b->end_io = bio_end;
	b->private = w->io;
	atomic_inc(&w->io->bios);
	w->bio = b;
	if (!extent_bio_add(b, folio, off, len, addr)) { /* less than a page: every disk takes it */
		WARN_ON(1);
		b->status = -EIO;
	}
}

static int look_up(struct writer *w, loff_t pos, u64 want)
{
	struct extent *at = &w->at;
	struct inode *inode = w->x->inode;
	int e;

	if (extent_covers(at, pos) && at->cookie == w->x->ops->cookie(inode))
		return 0;
	/* Allocating may wait for log space: the data collected so far go to the device first. */
	submit(w);
	at->len = 0;
	e = w->x->ops->map_alloc(inode, pos, want, at);
	if (!e && (!extent_covers(at, pos) || at->type == EXTENT_DELAYED))
		e = WARN_ON(1) ? -EIO : 0;
	if (e)
		at->len = 0;
	return e;
}

/*
 * Dirty bytes of FOLIO from OFF to END, which are clean from now on. S: its state, in which what is
 * begun is counted.
 */
static int write_run(struct writer *w, struct folio *folio, struct extent_state *s, size_t off,
		     size_t end)
{
	unsigned int bits = extent_unit_bits(w->x);
	int e = 0;

	while (!e && off < end) {
		loff_t pos = folio_pos(folio) + (loff_t)off;
		u64 n;

		e = look_up(w, pos, end - off);
		if (e)
			break;
		n = min3((u64)(end - off), w->at.len - (u64)(pos - w->at.off),
			 (u64)(PAGE_SIZE - (off & (PAGE_SIZE - 1))));
		/*
		 * Nothing was reserved in a hole: its bytes are zeroes, or behind the file's end.
		 */
		if (w->at.type != EXTENT_HOLE) {
			e = ioend_for(w, pos);
			if (e)
				break;
			if (s)
				extent_state_writing(s, (unsigned int)(n >> bits));
			add_piece(w, folio, off, (unsigned int)n);
		}
		off += (size_t)n;
	}
	if (e)
		w->x->ops->unreserve(w->x->inode, folio_pos(folio) + (loff_t)off, end - off);
	return e;
}

/*
 * FOLIO is locked and no longer dirty; what lies behind the file's end is not written. *BEGUN: the
 * last ioend ends it; else nothing of it is under way.
 */
static int write_units(struct writer *w, struct folio *folio, struct extent_state *s, size_t end,
		       bool *begun)
{
	unsigned int bits = extent_unit_bits(w->x), first = 0, n;
	int e = 0;

	if (!s) {
		e = write_run(w, folio, NULL, 0, folio_size(folio));
		*begun = !e && w->at.type != EXTENT_HOLE;
		return e;
	}
	*begun = true;
	while ((n = extent_state_clean(s, &first))) {
		size_t from = (size_t)first << bits, to = min(from + ((size_t)n << bits), end);
		int e2 = from < to ? write_run(w, folio, s, from, to) : 0;

		e = e ?: e2;
		first += n;
	}
	return e;
}

/* S is NULL where FOLIO has one unit. */
static int state_for_write(struct writer *w, struct folio *folio, struct extent_state **s)
{
	bool had = extent_state_of(w->x, folio);
	int e = extent_state_get(w->x, folio, s);

	/* Without one it was dirty as a whole. */
	if (!e && *s && !had)
		extent_state_set(*s, 0, (*s)->units, true);
	return e;
}

static int write_folio(struct folio *folio, struct writeback_control *wbc, void *arg)
{
	struct writer *w = arg;
	loff_t size = i_size_read(w->x->inode), pos = folio_pos(folio);
	bool begun = false, inside = pos < size;
	struct extent_state *s = NULL;
	size_t end = folio_size(folio);
	int e = inside ? state_for_write(w, folio, &s) : 0;

	(void)wbc;
	if (e) {
		folio_mark_dirty(folio);
		folio_unlock(folio);
		return e;
	}
	folio_start_writeback(folio);
	if (inside && (u64)(size - pos) < end) {
		size_t in = (size_t)(size - pos);

		folio_zero_range(folio, in, end - in);
		end = round_up(in, (size_t)1 << extent_unit_bits(w->x));
	}
	if (s)
		extent_state_writing(s, 1);
	if (inside)
		e = write_units(w, folio, s, end, &begun);
	if (e)
		mapping_set_error(&w->x->inode->i_data, e);
	folio_unlock(folio);
	if (!begun)
		folio_end_writeback(folio);
	else if (s)
		extent_state_written(w->x, folio, 1);
	return e;
}

int extent_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	struct writer w = { .x = mapping->private_data };
	struct plug plug;
	int e;

	plug_start(&plug);
	e = filemap_for_each_dirty(mapping, wbc, write_folio, &w);
	submit(&w);
	plug_finish(&plug);
	return e;
}
