/* SPDX-License-Identifier: MIT */
/* Between the walks. */
#pragma once

#include "fs/xfs/format/da.h"
#include "fs/xfs/format/walk.h"
#include <lib/minmax.h>
#include <abi/errno.h>

/* Reports; -EUCLEAN. */
static inline int xfs_walk_bad(struct xfs_vol *v, const char *what, const char *field, u64 place,
			       u64 value)
{
	struct xfs_fault f = { what, field, place, value };

	v->report(v, &f);
	return -XFS_CORRUPT;
}

/* The same, and parts MASK of the inode are sick; PLACE is its number. */
static inline int xfs_walk_bad_ino(struct xfs_vol *v, const struct xfs_core *c, u32 mask,
				   const char *what, const char *field, u64 value)
{
	xfs_sick_ino(v, c, mask);
	return xfs_walk_bad(v, what, field, c->ino, value);
}

int xfs_get_fsb(struct xfs_vol *v, enum xfs_kind kind, u64 fsb, u32 count, struct xfs_blk *out);

/* Watches a chain of block numbers for a loop (Brent): true when one comes again. */
struct xfs_chain {
	u32 mark, steps, limit;
};
static inline bool xfs_chain_loops(struct xfs_chain *c, u32 block)
{
	if (c->steps && block == c->mark)
		return true;
	if (++c->steps >= c->limit) {
		c->mark = block;
		c->limit = c->limit ? c->limit * 2 : 1;
		c->steps = 1;
	}
	return false;
}
