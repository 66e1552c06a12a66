// SPDX-License-Identifier: MIT
/*
 * How large new folios of the page cache are. A caller says what it would use; less is made where
 * the index is not a multiple of it, where pages are there already, and where memory is short:
 * large ones come only from what is free above the low watermark, without reclaim.
 */
#include "mm_priv.h"
#include "filemap_priv.h"
#include <kernel/init.h>
#include <kernel/random.h>

/* By default folios are as large as callers ask for. */
enum folio_orders filemap_orders = FOLIO_ORDERS_USE;

static int set_orders(const char *value)
{
	if (!strcmp(value, "random"))
		filemap_orders = FOLIO_ORDERS_RANDOM;
	else if (!strcmp(value, "large"))
		filemap_orders = FOLIO_ORDERS_USE;
	else if (!strcmp(value, "0"))
		filemap_orders = FOLIO_ORDERS_ZERO;
	else
		return -EINVAL;
	return 0;
}
KERNEL_PARAM("folio_orders", set_orders);

static unsigned int order_at(const struct address_space *mapping, pgoff_t index, unsigned int most)
{
	if (!(mapping->flags & 1ul << AS_LARGE_FOLIO) || filemap_orders == FOLIO_ORDERS_ZERO)
		return 0;
	if (filemap_orders == FOLIO_ORDERS_RANDOM)
		return get_random_u32_below(FOLIO_MAX_ORDER + 1);
	if (index)
		most = min(most, (unsigned int)__builtin_ctzl(index));
	return min(most, FOLIO_MAX_ORDER);
}

struct folio *filemap_new_folio(struct address_space *mapping, pgoff_t index, unsigned int order,
				gfp_t gfp)
{
	struct folio *folio;
	int err;

	for (order = order_at(mapping, index, order); order; order--) {
		folio = (struct folio *)alloc_pages_spare(gfp, order);
		if (!folio)
			continue;
		err = filemap_add_folio(mapping, folio, round_down(index, 1ul << order), gfp);
		if (!err)
			return folio;
		folio_put(folio);
	}
	folio = folio_alloc(gfp, 0);
	if (!folio)
		return ERR_PTR(-ENOMEM);
	err = filemap_add_folio(mapping, folio, index, gfp);
	if (!err)
		return folio;
	folio_put(folio);
	return ERR_PTR(err);
}
