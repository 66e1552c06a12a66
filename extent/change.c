// SPDX-License-Identifier: MIT
/*
 * One folio that is changed: by a write, by zeroing, through a mapping.
 *
 * The folio is locked first; then the filesystem is asked where the bytes are, and reserves what is
 * a hole. So nothing can change between the answer and the lock: truncation and punching take the
 * folio out before they take its blocks. An answer is used for the following folios as long as its
 * cookie is the file's.
 *
 * A unit that is overwritten as a whole is not read. If its copy then ends early, it does not
 * count, and the caller tries a shorter one, for which the unit is read.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <block/blk.h>
#include <kernel/bug.h>
#include <vfs/inode.h>
#include <abi/errno.h>
#include "extent/extent_priv.h"

/* POS's folio is locked. Reserved after this. */
static int reserve(struct extent_change *c, loff_t pos, u64 want)
{
	struct inode *inode = c->x->inode;
	int e;

	if (extent_covers(&c->at, pos) && c->at.cookie == c->x->ops->cookie(inode))
		return 0;
	c->at.len = 0;
	e = c->x->ops->map_write(inode, pos, want, &c->at);
	if (!e && (!extent_covers(&c->at, pos) || c->at.type == EXTENT_HOLE))
		e = WARN_ON(1) ? -EIO : 0;
	if (e)
		c->at.len = 0;
	else if (c->at.flags & EXTENT_NEW)
		c->reserved = true;
	return e;
}

static int read_now(struct extent_file *x, struct folio *folio, size_t off, size_t len, u64 addr)
{
	struct bio *b;
	int e = 0;

	for (size_t n; !e && len; off += n, addr += n, len -= n) {
		n = min(len, PAGE_SIZE - (off & (PAGE_SIZE - 1)));
		b = bio_alloc(x->bdev, REQ_READ, 0, GFP_NOIO);
		b->sector = addr >> SECTOR_SHIFT;
		bio_add_page(b, folio_page(folio, off >> PAGE_SHIFT), (unsigned int)n,
			     (unsigned int)(off & (PAGE_SIZE - 1)));
		e = submit_bio_wait(b);
	}
	return e;
}

/*
 * The unit of LEN bytes at OFF of FOLIO, which c->at has, becomes valid but for the bytes from
 * FROM to TO.
 */
static int fill(struct extent_change *c, struct folio *folio, size_t off, size_t len, size_t from,
		size_t to)
{
	loff_t pos = folio_pos(folio) + (loff_t)off, size = i_size_read(c->x->inode);
	size_t in = size > pos ? (size_t)min((u64)(size - pos), (u64)len) : 0;
	int e;

	if (c->at.type == EXTENT_INLINE)
		return -EOPNOTSUPP;
	if (c->at.type == EXTENT_MAPPED && in) {
		e = read_now(c->x, folio, off, len, c->at.addr + (u64)(pos - c->at.off));
		if (!e)
			folio_zero_range(folio, off + in, len - in);
		return e;
	}
	folio_zero_range(folio, off, from - off);
	folio_zero_range(folio, to, off + len - to);
	return 0;
}

/*
 * Each unit that OFF to *END of FOLIO touches. Where one cannot be had, *END becomes its page's
 * beginning. 0 or -errno.
 */
static int prepare(struct extent_change *c, struct folio *folio, struct extent_state *s, size_t off,
		   size_t *end, u64 want)
{
	size_t unit = s ? (size_t)1 << extent_unit_bits(c->x) : folio_size(folio);
	bool valid = folio_test_uptodate(folio);
	size_t u;
	int e;

	for (u = round_down(off, unit); u < *end; u += unit) {
		size_t from = max(u, off), to = min(u + unit, *end);

		e = reserve(c, folio_pos(folio) + (loff_t)u, want + off - min(u, off));
		if (e)
			goto out;
		want -= min(want - 1, (u64)(to - from));
		if (valid || (from == u && to == u + unit) ||
		    (s && extent_state_valid(s, (unsigned int)(u / unit))))
			continue;
		e = fill(c, folio, u, unit, from, to);
		if (e)
			goto out;
		/* fill() has read the whole unit. */
		if (s && c->at.type == EXTENT_MAPPED &&
		    folio_pos(folio) + (loff_t)u < i_size_read(c->x->inode))
			extent_state_set(s, (unsigned int)(u / unit), 1, false);
	}
	return 0;
out:
	u = round_down(u, PAGE_SIZE);
	if (u <= off)
		return e;
	*end = u;
	return 0;
}

/* Of a new folio for WANT bytes at POS: no more than they fill. */
static unsigned int order_for(loff_t pos, u64 want)
{
	u64 pages = (((u64)pos & (PAGE_SIZE - 1)) + want) >> PAGE_SHIFT;

	return pages ? 63 - (unsigned int)__builtin_clzll(pages) : 0;
}

int extent_change_begin(struct extent_change *c, loff_t pos, size_t *len, u64 want,
			struct folio **out)
{
	struct address_space *m = &c->x->inode->i_data;
	struct folio *folio = filemap_get_folio_order(
		m, (pgoff_t)(pos >> PAGE_SHIFT), FGP_WRITEBEGIN, m->gfp_mask, order_for(pos, want));
	struct extent_state *s;
	size_t off, end;
	int e;

	if (IS_ERR(folio))
		return (int)PTR_ERR(folio);
	off = (size_t)(pos - folio_pos(folio));
	end = off + min(*len, folio_size(folio) - off);
	e = extent_state_get(c->x, folio, &s);
	if (!e)
		e = prepare(c, folio, s, off, &end, want);
	*len = end - off;
	if (e) {
		folio_unlock(folio);
		folio_put(folio);
		return e;
	}
	*out = folio;
	return 0;
}

/* How much of COPIED counts: no unit that is neither valid nor complete. */
static size_t complete(struct extent_file *x, struct folio *folio, struct extent_state *s,
		       size_t off, size_t len, size_t copied)
{
	size_t unit = (size_t)1 << extent_unit_bits(x), last;

	if (copied == len || folio_test_uptodate(folio))
		return copied;
	if (!s)
		return 0;
	last = round_down(off + copied, unit);
	if (extent_state_valid(s, (unsigned int)(last / unit)))
		return copied;
	return last > off ? last - off : 0;
}

/* The file ends at END at least. */
static void reach(struct extent_change *c, loff_t end)
{
	struct inode *inode = c->x->inode;
	loff_t unit = 1ll << extent_unit_bits(c->x), size = i_size_read(inode);

	if (c->zeroes)
		size = (size + unit - 1) & -unit;
	if (end > size)
		i_size_write(inode, end);
}

size_t extent_change_end(struct extent_change *c, struct folio *folio, loff_t pos, size_t len,
			 size_t copied)
{
	struct extent_file *x = c->x;
	unsigned int bits = extent_unit_bits(x);
	struct extent_state *s = extent_state_of(x, folio);
	size_t off = (size_t)(pos - folio_pos(folio)), first = off >> bits;

	copied = complete(x, folio, s, off, len, copied);
	if (copied) {
		if (s)
			extent_state_set(s, (unsigned int)first,
					 (unsigned int)(((off + copied - 1) >> bits) - first + 1),
					 true);
		if (!folio_test_uptodate(folio) && (!s || extent_state_full(s)))
			folio_mark_uptodate(folio);
		filemap_dirty_folio(&x->inode->i_data, folio);
		reach(c, pos + (loff_t)copied);
	}
	folio_unlock(folio);
	folio_put(folio);
	return copied;
}

void extent_change_undo(struct extent_file *x, struct folio *folio, loff_t from)
{
	struct extent_state *s = extent_state_of(x, folio);
	u64 pos = (u64)folio_pos(folio), unit = s ? 1ull << extent_unit_bits(x) : folio_size(folio);
	bool dirty = folio_test_dirty(folio);

	/* Units that are being written cannot be told from others, and without a state all are. */
	if (folio_test_writeback(folio) || (dirty && !s))
		return;
	for (u64 at = pos; at < folio_end(folio); at += unit)
		if (at >= (u64)from &&
		    !(dirty && extent_state_dirty(s, (unsigned int)((at - pos) / unit))))
			x->ops->unreserve(x->inode, (loff_t)at, unit);
}

int extent_change_pages(struct extent_change *c, struct folio *folio, size_t off, size_t end)
{
	size_t unit = (size_t)1 << extent_unit_bits(c->x);
	int e = 0;

	for (; !e && off < end; off += unit)
		e = reserve(c, folio_pos(folio) + (loff_t)off, end - off);
	if (e && c->reserved)
		extent_change_undo(c->x, folio, folio_pos(folio));
	return e;
}
