/* SPDX-License-Identifier: MIT */
/* Between the files of this room. */
#pragma once

#include <extent/file.h>
#include <kernel/spinlock.h>

/*
 * What of a folio is valid, in units: blocks of the filesystem, or pages where those are smaller.
 * It exists while a folio of several units is being read, and afterwards only where some of it
 * could not be.
 */
struct extent_state {
	spinlock_t lock;
	unsigned int units;		/* c */
	unsigned int reading;  /* lock: units under way, and 1 while more are being started */
	bool failed;			/* lock: a unit could not be read this time */
	unsigned long valid[];		/* lock: a bit a unit */
};

static inline struct extent_file *extent_file_of(const struct folio *folio)
{
	return folio_mapping(folio)->private_data;
}

unsigned int extent_unit_bits(const struct extent_file *x);
/* FOLIO is locked. Its state; *OUT is NULL where it has one unit only. 0, -ENOMEM. */
int extent_state_begin(struct extent_file *x, struct folio *folio, struct extent_state **out);
struct extent_state *extent_state_of(struct extent_file *x, struct folio *folio);
void extent_state_free(struct extent_file *x, struct folio *folio);
/*
 * N units from FIRST on: about to be read; valid or failed. The last unit ends the folio's read and
 * unlocks it.
 */
void extent_state_start(struct extent_state *s, unsigned int n);
void extent_state_end(struct extent_file *x, struct folio *folio, unsigned int first,
		      unsigned int n, bool ok);
/* Nothing more will be started. */
void extent_state_close(struct extent_file *x, struct folio *folio, bool ok);
bool extent_state_valid(struct extent_state *s, unsigned int unit);
