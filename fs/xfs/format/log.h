/* SPDX-License-Identifier: MIT */
/*
 * The log, as far as to know whether it is clean. It is a ring of 512-byte blocks; the first word
 * of each says in which round ("cycle") it was written, in a record's header the second one. The
 * head is where the numbers step down. A clean log's last record is a single operation that says
 * "unmounted", and ends at the head.
 */
#pragma once

#include "fs/xfs/format/sb.h"

struct xfs_log_reader {
	/* Block BB of the log, 512 bytes, into BUF: 0 or -errno. */
	int (*read)(void *ctx, u64 bb, void *buf);
	void *ctx;
};

struct xfs_log_state {
	bool clean;
	u32 cycle;		/* of the last record */
	u64 head;		/* the block that is written next */
	bool foreign;		/* the last record was written by a CPU of the other byte order */
};

/* BUF: 512 bytes of the caller's. 0; -EUCLEAN: there is no log; -errno of READ. */
int xfs_log_inspect(const struct xfs_sb *sb, const struct xfs_log_reader *r, void *buf,
		    struct xfs_log_state *out, struct xfs_fault *f);
