/* SPDX-License-Identifier: MIT */
/*
 * Memory for modules, in reach of the image: MODULES_START to MODULES_END. A region is whole pages
 * with one set of rights, followed by an unmapped guard page. It begins writable, and is never
 * writable and executable. All of these sleep.
 */
#pragma once

#include <lib/types.h>

enum modmem_rights { MODMEM_TEXT, MODMEM_RODATA };

/* SIZE bytes of zeros, at a page's beginning; NULL: no memory, or no room. */
void *modmem_alloc(size_t size) __malloc __must_check;
/* The region that begins at P gets its final rights, which cannot be written. 0, -ENOMEM. */
int modmem_protect(void *p, enum modmem_rights rights) __must_check;
/* NULL is fine. Nobody executes or reads the region any more. */
void modmem_free(void *p);
/* Pages that regions have now. */
unsigned long modmem_nr_pages(void);
