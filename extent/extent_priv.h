/* SPDX-License-Identifier: MIT */
/* Between the files of this room. */
#pragma once

#include <extent/file.h>
#include <kernel/spinlock.h>

/*
 * What of a folio is valid and what is dirty, in units: blocks of the filesystem, or pages where
 * those are smaller. It exists while a folio of several units is being read, afterwards where some
 * of it could not be, and from a write on until the folio goes. A dirty folio of several units
 * without one is dirty as a whole.
 */
struct extent_state {
	spinlock_t lock;
	unsigned int units;		/* c */
	unsigned int reading;  /* lock: units under way, and 1 while more are being started */
	unsigned int writing;		/* lock: the same */
	bool failed;			/* lock: a unit could not be read this time */
	unsigned long *dirty;	/* lock: a bit a unit; c: behind valid[] */
	unsigned long valid[];		/* lock: a bit a unit */
};

struct bio;

static inline struct extent_file *extent_file_of(const struct folio *folio)
{
	return folio_mapping(folio)->private_data;
}

/* AT was looked up and has byte POS. */
static inline bool extent_covers(const struct extent *at, loff_t pos)
{
	return at->len && pos >= at->off && (u64)(pos - at->off) < at->len;
}

/*
 * LEN bytes at OFF of FOLIO, in one page, are added to B, where they are for byte ADDR of the
 * device. False: B is NULL or full, or ends elsewhere.
 */
bool extent_bio_add(struct bio *b, struct folio *folio, size_t off, unsigned int len, u64 addr);
unsigned int extent_unit_bits(const struct extent_file *x);
/* Of so many units, none valid or dirty. NULL without memory. */
struct extent_state *extent_state_new(unsigned int units);
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
bool extent_state_dirty(struct extent_state *s, unsigned int unit);
/* FOLIO is not locked, not valid as a whole: UNIT of it is. */
bool extent_state_has(struct extent_file *x, struct folio *folio, unsigned int unit);
/* N units from FIRST on are valid, or dirty too. */
void extent_state_set(struct extent_state *s, unsigned int first, unsigned int n, bool dirty);
/* N units from FIRST on are neither valid nor dirty. CLEAN: or -EBUSY where one is dirty. */
int extent_state_forget(struct extent_state *s, unsigned int first, unsigned int n, bool clean);
/* Units from FIRST to LAST that are valid become dirty. */
void extent_state_redirty(struct extent_state *s, unsigned int first, unsigned int last);
/* FOLIO is locked and about to be written to: its state. NULL: it has one unit. -ENOMEM. */
int extent_state_get(struct extent_file *x, struct folio *folio, struct extent_state **out);
/* All units are valid. */
bool extent_state_full(struct extent_state *s);
/*
 * FOLIO is locked, and its dirty flag was cleared: the first run of dirty units at or after FIRST,
 * which are clean from now on. How many; 0: none.
 */
unsigned int extent_state_clean(struct extent_state *s, unsigned int *first);
/* N units are being written; one more while units are added; are no longer. */
void extent_state_writing(struct extent_state *s, unsigned int n);
void extent_state_written(struct extent_file *x, struct folio *folio, unsigned int n);

/* A folio that is being changed (change.c): the extent that was looked up last. */
struct extent_change {
	struct extent_file *x;
	struct extent at;		/* len 0: none yet */
	bool reserved;			/* something new was */
	/* zeroes: the file does not grow in its last block, which is written back as a whole */
	bool zeroes;
};
/*
 * *LEN bytes at POS are to be changed, of a write that goes on for WANT: *OUT is the folio of the
 * first, locked and referenced. *LEN becomes what of them is in it, or less where space ends: these
 * are reserved, and what of their units is not overwritten is valid. 0 or -errno.
 */
int extent_change_begin(struct extent_change *c, loff_t pos, size_t *len, u64 want,
			struct folio **out);
/* COPIED of them were. How many count. The folio is unlocked and put; i_size grows. */
size_t extent_change_end(struct extent_change *c, struct folio *folio, loff_t pos, size_t len,
			 size_t copied);
/*
 * Units of FOLIO from byte FROM of the file on give back what they reserved, but for dirty ones.
 * FOLIO is locked. A page of it that a mapping can write to is dirty as a whole.
 */
void extent_change_undo(struct extent_file *x, struct folio *folio, loff_t from);
/*
 * All units of FOLIO from OFF to END, whole pages, are reserved. It is locked and valid. 0 or
 * -errno.
 */
int extent_change_pages(struct extent_change *c, struct folio *folio, size_t off, size_t end);
