// SPDX-License-Identifier: MIT
/*
 * Reading folios by extents. A reader keeps the extent that it looked up last and the bio that it
 * fills, so that a run of folios over one extent is one lookup and as few bios as the device
 * allows. Folios of several units (state.c) may be read by several bios; holes and unwritten
 * extents become zeroes without one.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/page.h>
#include <block/blk.h>
#include <kernel/bug.h>
#include <sched/plug.h>
#include <vfs/inode.h>
#include <abi/errno.h>
#include "extent/extent_priv.h"

struct reader {
	struct extent_file *x;
	struct extent at;		/* len 0: none yet */
	struct bio *bio;		/* NULL: none; not yet submitted */
	u64 want;			/* bytes from the first folio to the last's end */
};

static void read_end(struct bio *b)
{
	/* Each piece is of one folio. */
	for (unsigned int i = 0; i < b->nvecs; i++) {
		struct bio_vec *v = &b->vecs[i];
		struct folio *folio = page_folio(v->bv_page);
		struct extent_file *x = b->private;
		unsigned int bits = extent_unit_bits(x);
		size_t off = ((size_t)(v->bv_page - &folio->page) << PAGE_SHIFT) + v->bv_offset;

		extent_state_end(x, folio, (unsigned int)(off >> bits), v->bv_len >> bits,
				 !b->status);
	}
	bio_free(b);
}

static void submit(struct reader *r)
{
	if (r->bio)
		submit_bio(r->bio);
	r->bio = NULL;
}

/* What is at OFF of FOLIO lies behind the last piece of B in memory, in the same folio. */
static bool continues(const struct bio *b, const struct folio *folio, size_t off)
{
	const struct bio_vec *v = b->nvecs ? &b->vecs[b->nvecs - 1] : NULL;

	return v && v->bv_page >= &folio->page &&
	       ((size_t)(v->bv_page - &folio->page) << PAGE_SHIFT) + v->bv_offset + v->bv_len ==
		       off;
}

bool extent_bio_add(struct bio *b, struct folio *folio, size_t off, unsigned int len, u64 addr)
{
	if (!b || (b->sector << SECTOR_SHIFT) + b->len != addr)
		return false;
	if (continues(b, folio, off) && bio_extend(b, len))
		return true;
	return bio_add_page(b, folio_page(folio, off >> PAGE_SHIFT), len,
			    (unsigned int)(off & (PAGE_SIZE - 1)));
}

/*
 * LEN bytes at OFF of FOLIO, in one page, from byte ADDR of the device. Counted as under way
 * already.
 */
static void add_piece(struct reader *r, struct folio *folio, size_t off, unsigned int len, u64 addr)
{
	struct bio *b;

	if (extent_bio_add(r->bio, folio, off, len, addr))
		return;
	submit(r);
	b = bio_alloc(r->x->bdev, REQ_READ, 0, GFP_NOIO);
	b->sector = addr >> SECTOR_SHIFT;
	b->end_io = read_end;
	b->private = r->x;
	r->bio = b;
	if (!extent_bio_add(b, folio, off, len, addr)) { /* less than a page: every disk takes it */
		WARN_ON(1);
		b->status = -EIO;
	}
}

static int look_up(struct reader *r, loff_t pos)
{
	struct extent *at = &r->at;
	int e;

	if (extent_covers(at, pos))
		return 0;
	/* A lookup may wait for a block of the device: what is collected need not. */
	submit(r);
	if (pos >= i_size_read(r->x->inode)) {
		*at = (struct extent){ .off = pos, .len = 1ull << 62, .type = EXTENT_HOLE };
		return 0;
	}
	e = r->x->ops->map(r->x->inode, pos, r->want, false, at);
	if (!e && !extent_covers(at, pos))
		e = WARN_ON(1) ? -EIO : 0;
	if (e)
		at->len = 0;
	return e;
}

static void fill(struct folio *folio, size_t off, unsigned int len, const struct extent *at)
{
	u64 in = (u64)(folio_pos(folio) + (loff_t)off - at->off);

	if (at->type == EXTENT_INLINE)
		memcpy((char *)folio_address(folio) + off, (const char *)at->data + in, len);
	else
		folio_zero_range(folio, off, len);
}

/* Pages' parts that one extent has, from OFF on: at most to the page's end. */
static unsigned int piece_at(const struct reader *r, struct folio *folio, size_t off,
			     unsigned int bits)
{
	u64 left = r->at.len - (u64)(folio_pos(folio) + (loff_t)off - r->at.off);
	unsigned int page = (unsigned int)(PAGE_SIZE - (off & (PAGE_SIZE - 1)));

	return (unsigned int)min((u64)page, round_down(left, 1ull << bits));
}

/*
 * How many of N bytes from unit FIRST on, which is not valid, come before a valid one: that may
 * have data that are not on the device.
 */
static unsigned int invalid_run(struct extent_state *s, unsigned int first, unsigned int n,
				unsigned int bits)
{
	unsigned int i = 1;

	while (i < n >> bits && !extent_state_valid(s, first + i))
		i++;
	return i << bits;
}

/* A folio with one unit: one bio's piece, or no I/O at all. */
static int read_single(struct reader *r, struct folio *folio)
{
	int e = look_up(r, folio_pos(folio));

	if (e)
		folio_end_read(folio, false);
	else if (r->at.type == EXTENT_MAPPED)
		add_piece(r, folio, 0, (unsigned int)folio_size(folio),
			  r->at.addr + (u64)(folio_pos(folio) - r->at.off));
	else
		fill(folio, 0, (unsigned int)folio_size(folio), &r->at),
			extent_state_end(r->x, folio, 0, 1, true);
	return e;
}

/* Locked, not up to date; unlocked when the last piece is there. */
static int read_one(struct reader *r, struct folio *folio)
{
	unsigned int bits = extent_unit_bits(r->x), n;
	struct extent_state *s;
	int e = extent_state_begin(r->x, folio, &s);

	if (e) {
		folio_end_read(folio, false);
		return e;
	}
	if (!s)
		return read_single(r, folio);
	for (size_t off = 0; !e && off < folio_size(folio); off += n) {
		n = 1u << bits;
		if (extent_state_valid(s, (unsigned int)(off >> bits)))
			continue;
		e = look_up(r, folio_pos(folio) + (loff_t)off);
		if (e)
			break;
		n = invalid_run(s, (unsigned int)(off >> bits), piece_at(r, folio, off, bits),
				bits);
		extent_state_start(s, n >> bits);
		if (r->at.type == EXTENT_MAPPED) {
			add_piece(r, folio, off, n,
				  r->at.addr + (u64)(folio_pos(folio) + (loff_t)off - r->at.off));
		} else {
			fill(folio, off, n, &r->at);
			extent_state_end(r->x, folio, (unsigned int)(off >> bits), n >> bits, true);
		}
	}
	extent_state_close(r->x, folio, !e);
	return e;
}

int extent_read_folio(struct file *file, struct folio *folio)
{
	struct reader r = { .x = extent_file_of(folio), .want = folio_size(folio) };
	int e;

	(void)file;
	e = read_one(&r, folio);
	submit(&r);
	return e;
}

void extent_readahead(struct readahead_control *rac)
{
	struct reader r = { .x = rac->mapping->private_data,
			    .want = (u64)rac->nr_pages << PAGE_SHIFT };
	struct folio *folio;
	struct plug plug;

	plug_start(&plug);
	while ((folio = readahead_folio(rac))) {
		read_one(&r, folio);
		folio_put(folio);
	}
	submit(&r);
	plug_finish(&plug);
}
