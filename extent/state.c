// SPDX-License-Identifier: MIT
/* Which parts of a folio are valid (extent_priv.h), and the end of its read. */
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

int extent_state_begin(struct extent_file *x, struct folio *folio, struct extent_state **out)
{
	unsigned int units = (unsigned int)(folio_size(folio) >> extent_unit_bits(x));
	struct extent_state *s = NULL;
	void *old;

	*out = NULL;
	if (units == 1)
		return 0;
	s = extent_state_of(x, folio);
	if (!s) {
		s = kzalloc(sizeof(*s) + BITS_TO_LONGS(units) * sizeof(long), GFP_NOFS);
		if (!s)
			return -ENOMEM;
		spin_lock_init(&s->lock);
		s->units = units;
		old = xa_store(&x->states, folio_index(folio), s, GFP_NOFS);
		if (xa_is_err(old)) {
			kfree(s);
			return xa_err(old);
		}
	}
	WARN_ON(s->reading);
	s->reading = 1;
	s->failed = false;
	*out = s;
	return 0;
}

void extent_state_free(struct extent_file *x, struct folio *folio)
{
	kfree(xa_erase(&x->states, folio_index(folio)));
}

bool extent_state_valid(struct extent_state *s, unsigned int unit)
{
	bool v;

	spin_lock(&s->lock);
	v = test_bit(unit, s->valid);
	spin_unlock(&s->lock);
	return v;
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

	if (ok && pos + (loff_t)folio_size(folio) > size) {
		size_t in = size > pos ? (size_t)(size - pos) : 0;

		folio_zero_range(folio, in, folio_size(folio) - in);
	}
	folio_end_read(folio, ok);
}

/* N of S's units are no longer in flight; the caller that takes the last one ends the read. */
static void done(struct extent_file *x, struct folio *folio, struct extent_state *s, unsigned int n,
		 bool ok)
{
	bool last, all;

	spin_lock(&s->lock);
	s->failed |= !ok;
	s->reading -= n;
	last = !s->reading;
	all = last && !s->failed && bitmap_full(s->valid, s->units);
	spin_unlock(&s->lock);
	if (!last)
		return;
	if (all)
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

bool extent_release_folio(struct folio *folio, gfp_t gfp)
{
	(void)gfp;
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
}

void extent_file_destroy(struct extent_file *x)
{
	unsigned long index;
	struct extent_state *s;

	xa_for_each(&x->states, index, s)
		kfree(s);
	xa_destroy(&x->states);
}
