// SPDX-License-Identifier: MIT
#pragma once
/* Shared by the page-cache files of this room. */
#include <mm/filemap.h>
#include <mm/fault.h>

#define AOP_RETRY	1	/* the folio left the cache under us: look again */

loff_t mapping_size(struct address_space *mapping);
int filemap_make_uptodate(struct address_space *mapping, struct file *file, struct folio *folio);
bool folio_drop_clean(struct address_space *mapping, struct folio *folio);
void folio_remove_and_unmap(struct address_space *mapping, struct folio *folio);
vm_fault_t filemap_map_pages(struct vm_fault *vmf, pgoff_t start, pgoff_t end);
