// SPDX-License-Identifier: MIT
/*
 * States of large folios of which a part goes (mm/split.c): the part is forgotten, or each page
 * gets its share of what is valid and dirty.
 *
 * Where a page is one unit its folio's flags say all. Where it has several, states of its own are
 * made and entered into the index before, for places that no folio begins at yet; afterwards those
 * that say no more than the flags do are freed.
 */
#include <lib/bitmap.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <vfs/inode.h>
#include <abi/errno.h>
#include "extent/extent_priv.h"

int extent_forget_part(struct folio *folio, size_t off, size_t len, bool clean)
{
	struct extent_file *x = extent_file_of(folio);
	unsigned int bits = extent_unit_bits(x);
	struct extent_state *s;
	int e = extent_state_get(x, folio, &s);

	if (e)
		return e;
	return extent_state_forget(s, (unsigned int)(off >> bits), (unsigned int)(len >> bits),
				   clean);
}

static unsigned int units_a_page(const struct extent_file *x)
{
	return 1u << (PAGE_SHIFT - extent_unit_bits(x));
}

/*
 * The states NEW of the pages of the folio at INDEX are not needed; the first is not in the index.
 */
static void drop_new(struct extent_file *x, struct extent_state **new, pgoff_t index,
		     unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (i && new[i])
			xa_erase(&x->states, index + i);
		kfree(new[i]);
	}
	kfree(new);
}

static int begin(struct extent_file *x, struct folio_parts *p)
{
	pgoff_t index = folio_index(p->folio);
	unsigned int n = 1u << p->order;
	struct extent_state **new;
	void *old = NULL;

	p->private = NULL;
	if (units_a_page(x) == 1 || !extent_state_of(x, p->folio))
		return 0;
	new = kcalloc(n, sizeof(*new), GFP_NOFS);
	if (!new)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		new[i] = extent_state_new(units_a_page(x));
		if (new[i] && i)
			old = xa_store(&x->states, index + i, new[i], GFP_NOFS);
		if (!new[i] || xa_is_err(old)) {
			kfree(new[i]);
			new[i] = NULL;
			drop_new(x, new, index, n);
			return -ENOMEM;
		}
	}
	p->private = new;
	return 0;
}

/* No one else has the folio or its state. */
static void now(struct extent_file *x, struct folio_parts *p)
{
	struct extent_state *s = extent_state_of(x, p->folio), **new = p->private;
	unsigned int per = units_a_page(x);

	if (!s)
		return;
	p->valid = ~0ull;
	p->dirty = 0;
	for (unsigned int u = 0; u < s->units; u++) {
		unsigned int i = u / per;
		bool valid = test_bit(u, s->valid), dirty = test_bit(u, s->dirty);

		if (!valid)
			p->valid &= ~(1ull << i);
		if (dirty)
			p->dirty |= 1ull << i;
		if (new && valid)
			bitmap_set(new[i]->valid, u % per, 1);
		if (new && dirty)
			bitmap_set(new[i]->dirty, u % per, 1);
	}
}

/* The flags of its folio say as much: nothing is dirty, and all is valid, or nothing. */
static bool is_plain(const struct extent_state *s)
{
	return bitmap_empty(s->dirty, s->units) &&
	       (bitmap_full(s->valid, s->units) || bitmap_empty(s->valid, s->units));
}

static void done(struct extent_file *x, struct folio_parts *p)
{
	struct extent_state **new = p->private;

	if (!new) {
		extent_state_free(x, p->folio);
		return;
	}
	/* The place is taken: this cannot fail. */
	kfree(xa_store(&x->states, folio_index(p->folio), new[0], GFP_NOFS));
	for (unsigned int i = 0; i < 1u << p->order; i++)
		if (is_plain(new[i]))
			extent_state_free(x, (struct folio *)folio_page(p->folio, i));
	kfree(new);
}

int extent_split_folio(struct folio_parts *p, enum folio_split_phase phase)
{
	struct extent_file *x = extent_file_of(p->folio);

	switch (phase) {
	case FOLIO_SPLIT_BEGIN:
		return begin(x, p);
	case FOLIO_SPLIT_NOW:
		now(x, p);
		break;
	case FOLIO_SPLIT_DONE:
		done(x, p);
		break;
	case FOLIO_SPLIT_FAILED:
		if (p->private)
			drop_new(x, p->private, folio_index(p->folio), 1u << p->order);
		break;
	}
	return 0;
}
