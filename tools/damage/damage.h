/* SPDX-License-Identifier: MIT */
/*
 * tools/damage: one damage of an XFS, chosen by a seed. The parts: what there is to damage
 * (find.c), what of it and how (choose.c), the command (main.c). A program of the host and, from
 * the same source, a static program of guests.
 *
 * All that is read of the file system goes through the kernel's decoders (fs/xfs/format): an image
 * may be damaged already, in any way. What cannot be read is nothing to damage.
 */
#pragma once

#include "tools/image/image.h"

enum {
	DERIVED = 1,		/* other metadata say the same: a repair can restore it */
	VERIFIED = 2,		/* whoever reads the block compares it, on Linux too */
};

struct field {
	const char *name;
	u16 off;
	u8 width;		/* bytes, at most 8 */
	u8 flags;
	u16 count;		/* elements from OFF on; 0: it is no array */
};

enum type_id {
	T_SB,
	T_AGF,
	T_AGFL,
	T_AGI,
	T_BNOBT,
	T_CNTBT,
	T_INOBT,
	T_FINOBT,
	T_RMAPBT,
	T_REFCOUNTBT,
	T_INODE,
	T_BMAPBTD,
	T_BMAPBTA,
	T_COUNTERS,
	TYPES
};

struct type {
	const char *name;	/* as xfs_io's scrub spells it */
	enum xfs_kind kind;	/* what the block is verified as; an inode: XFS_BLK_INODES */
	bool of_inode;
	const struct field *fields;
	u32 nr_fields;
	/* Blocks of trees: what a record and a node's key have, and how far the next one is. */
	const struct field *rec, *key;
	u32 nr_rec, nr_key, rec_size, key_size;
	u32 head, crc;		/* bytes before the records, and where the checksum lies */
};

extern const struct type types[TYPES];

/* Something that there is to damage: LEN bytes at byte AT that one checksum covers. */
struct target {
	u8 type;
	u32 agno;
	u64 ino;
	u64 at;
	u32 len;
};

struct targets {
	struct target *v;
	size_t n, room;
	u64 *seen;		/* blocks of trees that were met: open addressing, 0 is free */
	size_t nr_seen, seen_room;
};

struct wish {
	u32 types;		/* a bit each */
	bool one_ag, one_ino, curable, met;
	u32 agno;
	u64 ino;
	int crc;		/* 1: made right, 0: wrong, -1: half and half */
	u64 seed;
};

/* What is changed. */
struct damage {
	struct target t;
	char field[48];
	u32 off, width;		/* in the target */
	u64 old, new;
	bool right;		/* the checksum is made right */
	bool met;		/* a decoder rejects it, by FAULT */
	struct xfs_fault fault;
	u8 *before, *after;	/* t.len bytes each */
};

/* All that W asks for, in an order that the image alone decides. 0, -ENOMEM. */
int find_targets(struct image *im, const struct wish *w, struct targets *out);
void free_targets(struct targets *t);
/* Chooses; writes nothing. 0; -ENOENT: there is no such thing; -EIO, -ENOMEM. */
int choose_damage(struct image *im, const struct targets *t, const struct wish *w,
		  struct damage *d);
void free_damage(struct damage *d);
