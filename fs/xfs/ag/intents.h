/* SPDX-License-Identifier: MIT */
/*
 * Deferred changes of owners and of counts of references (defer.h), whose intents are RUI and CUI.
 */
#pragma once

#include "fs/xfs/ag/ag.h"
#include "fs/xfs/ag/refcount.h"

/*
 * The log's numbers; where the file may share blocks with others, one more is logged for MAP to
 * MARK.
 */
enum xfs_rmap_op {
	XFS_RMAP_MAP = 1,
	XFS_RMAP_UNMAP = 3,
	XFS_RMAP_MARK = 5,	/* as written or unwritten, which OFFSET says */
	XFS_RMAP_ALLOC = 7,	/* for an owner that is not a file */
	XFS_RMAP_FREE = 8,
};

/* LEN blocks at FSB, inside an AG. Without a tree of owners nothing happens. -ENOMEM. */
int __must_check xfs_rmap_later(struct xfs_tx *tx, enum xfs_rmap_op op, u64 fsb, u32 len, u64 owner,
				u64 offset, bool shared);
extern const struct xfs_work_ops xfs_rmap_ops;

enum xfs_refc_op {
	XFS_REFC_UP = 1,
	XFS_REFC_DOWN = 2,	/* blocks without another reference are freed */
	XFS_REFC_STAGE = 3,	/* they are staged for copying on write */
	XFS_REFC_UNSTAGE = 4,
};
int __must_check xfs_refcount_later(struct xfs_tx *tx, enum xfs_refc_op op, u64 fsb, u32 len);
extern const struct xfs_work_ops xfs_refcount_ops;
