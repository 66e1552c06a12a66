// SPDX-License-Identifier: MIT
/* Which parts of a folio are valid and dirty (extent_priv.h), and the end of its read. */
#include <lib/bitmap.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <vfs/inode.h>
#include <abi/errno.h>
#include "extent/extent_priv.h"

unsigned int extent_unit_bits(const struct extent_file *x)
{
	return min((unsigned int)x->inode->i_blkbits, (unsigned int)PAGE_SHIFT);
}

struct extent_state *extent_state_of(struct extent_file *x, struct folio *folio)
{
	return xa_load(&x->states, folio_index(folio));
}

struct extent_state *extent_state_new(unsigned int units)
{
	struct extent_state *s =
		kzalloc(sizeof(*s) + 2 * BITS_TO_LONGS(units) * sizeof(long), GFP_NOFS);

	if (!s)
		return NULL;
	spin_lock_init(&s->lock);
	s->units = units;
	s->dirty = s->valid + BITS_TO_LONGS(units);
	return s;
}

static int state_of(struct extent_file *x, struct folio *folio, unsigned int units,
		    struct extent_state **out)
{
	struct extent_state *s = extent_state_of(x, folio);
	void *old;

	if (!s) {
		s = extent_state_new(units);
		if (!s)
			return -ENOMEM;
		if (folio_test_uptodate(folio))
			bitmap_fill(s->valid, units);
		old = xa_store(&x->states, folio_index(folio), s, GFP_NOFS);
		if (xa_is_err(old)) {
			kfree(s);
			return xa_err(old);
		}
		/* Pairs with the one in extent_dirty_folio(): one sees the other. */
		smp_mb();
		if (folio_test_dirty(folio))
			extent_state_set(s, 0, units, true);
	}
	*out = s;
	return 0;
}

static unsigned int units_of(struct extent_file *x, struct folio *folio)
{
	return (unsigned int)(folio_size(folio) >> extent_unit_bits(x));
}

int extent_state_begin(struct extent_file *x, struct folio *folio, struct extent_state **out)
{
	unsigned int units = units_of(x, folio);
	int e;

	*out = NULL;
	if (units == 1)
		return 0;
	e = state_of(x, folio, units, out);
	if (e)
		return e;
	WARN_ON((*out)->reading);
	(*out)->reading = 1;
	(*out)->failed = false;
	return 0;
}

int extent_state_get(struct extent_file *x, struct folio *folio, struct extent_state **out)
{
	unsigned int units = units_of(x, folio);

	*out = NULL;
	return units == 1 ? 0 : state_of(x, folio, units, out);
}

void extent_state_set(struct extent_state *s, unsigned int first, unsigned int n, bool dirty)
{
	spin_lock(&s->lock);
	bitmap_set(s->valid, first, n);
	if (dirty)
		bitmap_set(s->dirty, first, n);
	spin_unlock(&s->lock);
}

int extent_state_forget(struct extent_state *s, unsigned int first, unsigned int n, bool clean)
{
	bool busy;

	spin_lock(&s->lock);
	busy = clean && find_next_bit(s->dirty, first + n, first) < first + n;
	if (!busy) {
		bitmap_clear(s->valid, first, n);
		bitmap_clear(s->dirty, first, n);
	}
	spin_unlock(&s->lock);
	return busy ? -EBUSY : 0;
}

void extent_state_redirty(struct extent_state *s, unsigned int first, unsigned int last)
{
	spin_lock(&s->lock);
	for (unsigned int i = first; i <= last; i++)
		if (test_bit(i, s->valid))
			bitmap_set(s->dirty, i, 1);
	spin_unlock(&s->lock);
}

bool extent_state_full(struct extent_state *s)
{
	bool full;

	spin_lock(&s->lock);
	full = bitmap_full(s->valid, s->units);
	spin_unlock(&s->lock);
	return full;
}

unsigned int extent_state_clean(struct extent_state *s, unsigned int *first)
{
	unsigned int n = 0;

	spin_lock(&s->lock);
	*first = (unsigned int)find_next_bit(s->dirty, s->units, *first);
	if (*first < s->units) {
		n = (unsigned int)find_next_zero_bit(s->dirty, s->units, *first) - *first;
		bitmap_clear(s->dirty, *first, n);
	}
	spin_unlock(&s->lock);
	return n;
}

void extent_state_writing(struct extent_state *s, unsigned int n)
{
	spin_lock(&s->lock);
	s->writing += n;
	spin_unlock(&s->lock);
}

void extent_state_written(struct extent_file *x, struct folio *folio, unsigned int n)
{
	struct extent_state *s = extent_state_of(x, folio);
	bool last = true;

	if (s) {
		spin_lock(&s->lock);
		s->writing -= n;
		last = !s->writing;
		spin_unlock(&s->lock);
	}
	if (last)
		folio_end_writeback(folio);
}

static bool dirty_units(struct address_space *mapping, struct folio *folio, size_t off, size_t len)
{
	struct extent_file *x = mapping->private_data;
	unsigned int bits = extent_unit_bits(x);
	bool was_clean = filemap_dirty_folio(mapping, folio);
	struct extent_state *s;

	/* Pairs with the one in state_of(). The lock keeps the state, as S may not be ours. */
	smp_mb();
	xa_lock(&x->states);
	s = extent_state_of(x, folio);
	if (s)
		extent_state_redirty(s, (unsigned int)(off >> bits),
				     (unsigned int)((off + len - 1) >> bits));
	xa_unlock(&x->states);
	return was_clean;
}

bool extent_dirty_folio(struct address_space *mapping, struct folio *folio)
{
	return dirty_units(mapping, folio, 0, folio_size(folio));
}

void extent_dirty_part(struct address_space *mapping, struct folio *folio, size_t off, size_t len)
{
	dirty_units(mapping, folio, off, len);
}

void extent_state_free(struct extent_file *x, struct folio *folio)
{
	kfree(xa_erase(&x->states, folio_index(folio)));
}

static bool is_set(struct extent_state *s, const unsigned long *bits, unsigned int unit)
{
	bool v;

	spin_lock(&s->lock);
	v = test_bit(unit, bits);
	spin_unlock(&s->lock);
	return v;
}

bool extent_state_valid(struct extent_state *s, unsigned int unit)
{
	return is_set(s, s->valid, unit);
}

bool extent_state_dirty(struct extent_state *s, unsigned int unit)
{
	return is_set(s, s->dirty, unit);
}

bool extent_state_has(struct extent_file *x, struct folio *folio, unsigned int unit)
{
	struct extent_state *s;
	bool has;

	/* The lock keeps the state. */
	xa_lock(&x->states);
	s = extent_state_of(x, folio);
	has = s && unit < s->units && extent_state_valid(s, unit);
	xa_unlock(&x->states);
	return has;
}

void extent_state_start(struct extent_state *s, unsigned int n)
{
	spin_lock(&s->lock);
	s->reading += n;
	spin_unlock(&s->lock);
}

/* The read of FOLIO has ended: what lies behind the file's end is zero, whatever the disk says. */
static void end_read(struct extent_file *x, struct folio *folio, bool ok)
{
	loff_t size = i_size_read(x->inode), pos = folio_pos(folio);

	if (ok && folio_end(folio) > (u64)size) {
		size_t in = size > pos ? (size_t)(size - pos) : 0;

		folio_zero_range(folio, in, folio_size(folio) - in);
	}
	folio_end_read(folio, ok);
}

/* N of S's units are no longer in flight; the caller that takes the last one ends the read. */
static void done(struct extent_file *x, struct folio *folio, struct extent_state *s, unsigned int n,
		 bool ok)
{
	bool last, all, idle;

	spin_lock(&s->lock);
	s->failed |= !ok;
	s->reading -= n;
	last = !s->reading;
	all = last && !s->failed && bitmap_full(s->valid, s->units);
	idle = all && bitmap_empty(s->dirty, s->units) && !s->writing;
	spin_unlock(&s->lock);
	if (!last)
		return;
	if (idle)
		extent_state_free(x, folio);
	end_read(x, folio, all);
}

void extent_state_end(struct extent_file *x, struct folio *folio, unsigned int first,
		      unsigned int n, bool ok)
{
	struct extent_state *s = extent_state_of(x, folio);

	if (!s) {
		end_read(x, folio, ok);
		return;
	}
	if (ok) {
		spin_lock(&s->lock);
		bitmap_set(s->valid, first, n);
		spin_unlock(&s->lock);
	}
	done(x, folio, s, n, ok);
}

void extent_state_close(struct extent_file *x, struct folio *folio, bool ok)
{
	done(x, folio, extent_state_of(x, folio), 1, ok);
}

void extent_invalidate_folio(struct folio *folio, size_t offset, size_t len)
{
	if (!offset && len == folio_size(folio))
		extent_state_free(extent_file_of(folio), folio);
}

bool extent_release_folio(struct folio *folio)
{
	extent_state_free(extent_file_of(folio), folio);
	return true;
}

void extent_file_init(struct extent_file *x, struct inode *inode, struct bdev *bdev,
		      const struct extent_ops *ops)
{
	x->ops = ops;
	x->bdev = bdev;
	x->inode = inode;
	xa_init(&x->states);
	inode->i_data.private_data = x;
	inode->i_data.flags |= 1ul << AS_ZEROES_PARTS;
	mapping_set_large_folios(&inode->i_data);
}

void extent_file_destroy(struct extent_file *x)
{
	unsigned long index;
	struct extent_state *s;

	xa_for_each(&x->states, index, s)
		kfree(s);
	xa_destroy(&x->states);
}
