// SPDX-License-Identifier: MIT
/*
 * Memory for devices, which do not all reach every address. Memory of their own is taken where they
 * reach it: from the zone that lies below, or, where none begins there, by a look at what came.
 * Requests with memory beyond are copied (rust/block.rs).
 */
#include <alloc/page.h>
#include <block/blk.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <rust/helpers.h>

u64 rust_dma_top(void)
{
	return ((u64)max_pfn << PAGE_SHIFT) - 1;
}

void *rust_dma_alloc(size_t len, u64 reach, u64 *phys, u32 *order)
{
	static const gfp_t where[] = { 0, __GFP_DMA32, __GFP_DMA };
	unsigned int i = reach >= rust_dma_top() ? 0 : 1;

	*order = 0;
	while ((PAGE_SIZE << *order) < len)
		if (++*order > 10)
			return NULL;
	/* Memory of all is given out from the top, so that a look there is of no use. */
	do {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO | where[i], *order);

		if (!page)
			continue;
		*phys = page_to_phys(page);
		if (*phys + (PAGE_SIZE << *order) - 1 <= reach)
			return page_address(page);
		__free_pages(page, *order);
	} while (i && ++i < ARRAY_SIZE(where));
	return NULL;
}

void rust_dma_free(void *p, u32 order)
{
	free_pages((unsigned long)p, order);
}

static u64 last_of(const struct bio_vec *v)
{
	return page_to_phys(v->bv_page) + v->bv_offset + v->bv_len - 1;
}

bool rust_bio_beyond(const struct bio *b, u64 reach)
{
	for (; b; b = b->next)
		for (unsigned int i = 0; i < b->nvecs; i++)
			if (last_of(&b->vecs[i]) > reach)
				return true;
	return false;
}

u32 rust_bio_copy(struct bio *b, void *buf, u32 len, bool to_bio)
{
	u32 done = 0;

	for (; b; b = b->next)
		for (unsigned int i = 0; i < b->nvecs && done < len; i++) {
			const struct bio_vec *v = &b->vecs[i];
			char *theirs = (char *)page_address(v->bv_page) + v->bv_offset;
			u32 n = min(v->bv_len, len - done);

			memcpy(to_bio ? theirs : (char *)buf + done,
			       to_bio ? (char *)buf + done : theirs, n);
			done += n;
		}
	return done;
}

u32 rust_bio_max_segment(const struct bio *b)
{
	return b->bdev->disk->max_segment;
}
