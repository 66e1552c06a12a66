// SPDX-License-Identifier: MIT
#pragma once
/* Shared by the page-cache files of this room. */
#include <mm/filemap.h>
#include <mm/fault.h>

#define AOP_RETRY	1	/* the folio left the cache under us: look again */

loff_t mapping_size(struct address_space *mapping);
int filemap_make_uptodate(struct address_space *mapping, struct file *file, struct folio *folio);
bool folio_drop_clean(struct address_space *mapping, struct folio *folio);
/* A new folio that has INDEX: in the cache, locked, with a reference. -ENOMEM, -EEXIST. */
struct folio *filemap_new_folio(struct address_space *mapping, pgoff_t index, unsigned int order, gfp_t gfp);
/* A locked folio of this mapping, not under writeback: gone. */
void folio_truncate(struct address_space *mapping, struct folio *folio);
/* Pages START to END of it are; others stay. It may have become single pages. */
void folio_cut_pages(struct address_space *mapping, struct folio *folio, pgoff_t start, pgoff_t end);
/*
 * Pages START to END, both included, of a locked large folio that is not under writeback leave the cache, or are forgotten where it is in
 * use, but for dirty ones. It may have become single pages. 0; -EBUSY: some stay.
 */
int folio_drop_pages(struct address_space *mapping, struct folio *folio, pgoff_t start, pgoff_t end);
/*
 * A referenced, unlocked large folio, of which part could not be read, becomes single pages, or leaves the cache where it is in use: AOP_RETRY.
 * -EIO: it is in use and has data that are nowhere else.
 */
int folio_read_apart(struct folio *folio);
void folio_remove_and_unmap(struct address_space *mapping, struct folio *folio);
vm_fault_t filemap_map_pages(struct vm_fault *vmf, pgoff_t start, pgoff_t end);
