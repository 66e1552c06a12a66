/* SPDX-License-Identifier: MIT */
/* Between log.c and logrec.c. */
#pragma once

#include "fs/xfs/format/log.h"

/* Linux's name for this CPU's byte order, in which log items are written. */
#define XFS_LOG_FMT (be32_raw(1) == 1 ? 2u : 1u)

/* Block BB of the log, valid until the next call. */
int xfs_log_block(struct xfs_log *l, u64 bb, const u8 **out);

/*
 * Of a record at P, headers and LEN bytes of data. SIZE: how many bytes of the first header count;
 * CPUs disagree (their compilers pad it).
 */
u32 xfs_log_checksum(const u8 *p, u32 size, u32 headers, u32 len);

/* Blocks of a record's header. */
static inline u32 xfs_log_headers(const struct xfs_dlog_rec *h)
{
	u32 size = be32_get(h->size);

	return size > XFS_LOG_HEADER_DATA && size <= XFS_LOG_MAX_RECORD ?
		       (size + XFS_LOG_HEADER_DATA - 1) / XFS_LOG_HEADER_DATA :
		       1;
}
