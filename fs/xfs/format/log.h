/* SPDX-License-Identifier: MIT */
/*
 * The log: a ring of 512-byte blocks ("bb"), into which records are written one behind the other.
 * The first word of each block says in which round ("cycle") it was written, in a record's header
 * the second one; what stood there is kept in the header. The head is where the cycles step down,
 * the tail where the first record begins whose changes need not be on the disk yet: the last record
 * says where. A clean log's last record is a single operation that says "unmounted", and ends at
 * the head.
 *
 * After a power cut the last records may be torn: up to eight are written at one time. The first
 * with a wrong checksum ends the log; one farther back is damage.
 */
#pragma once

#include "fs/xfs/format/sb.h"

struct xfs_log_reader {
	/* N blocks of the log from BB on, which do not go round its end, into BUF: 0 or -errno. */
	int (*read)(void *ctx, u64 bb, u32 n, void *buf);
	void *ctx;
};

#define XFS_LOG_WINDOW 256u	/* blocks */
/* Memory that a log is read with: the caller's. */
struct xfs_log_work {
	u8 window[XFS_LOG_WINDOW * XFS_SECTOR];
	u8 record[(XFS_LOG_MAX_HEADERS + XFS_LOG_MAX_RECORD / XFS_SECTOR) * XFS_SECTOR];
};

struct xfs_log {
	const struct xfs_sb *sb;
	const struct xfs_log_reader *r;
	struct xfs_log_work *w;
	u64 blocks, place;		/* its length; its device address, for faults */
	u64 window, window_n;		/* what the window has */
};

struct xfs_log_state {
	bool clean;
	bool foreign;		/* the last record was written by a CPU of the other byte order */
	u32 cycle;		/* of the head: of what is written next */
	u64 head, tail;		/* equal: the log is clean, or holds nothing */
};

/* A record, read: its data with the words that stood there, DATA in the work's memory. */
struct xfs_log_rec {
	u64 bb, next;		/* where it begins, where the next one does */
	u64 lsn;
	u32 ops, len;		/* operations; bytes at DATA */
	const u8 *data;
};

/* -EUCLEAN: it is too small. */
int xfs_log_open(struct xfs_log *l, const struct xfs_sb *sb, const struct xfs_log_reader *r,
		 struct xfs_log_work *w, struct xfs_fault *f);
/* Where it begins and ends. 0, -EUCLEAN, -errno of reading. */
int xfs_log_find(struct xfs_log *l, struct xfs_log_state *out, struct xfs_fault *f);
/* The record at BB. -EUCLEAN, -EBADMSG: it is damaged or none; -errno of reading. */
int xfs_log_read(struct xfs_log *l, u64 bb, struct xfs_log_rec *out, struct xfs_fault *f);

/* From A forward to B. */
static inline u64 xfs_log_distance(const struct xfs_log *l, u64 a, u64 b)
{
	return b >= a ? b - a : b + l->blocks - a;
}

static inline u64 xfs_lsn_make(u32 cycle, u64 bb)
{
	return (u64)cycle << 32 | bb;
}

/* How many blocks the record that marks the log clean takes. */
u32 xfs_log_unmount_size(const struct xfs_sb *sb);
/* That record for the head of S into the work's record, LSNs and checksum included. */
void xfs_log_unmount_make(struct xfs_log *l, const struct xfs_log_state *s);
/* An empty record for block BB of CYCLE, which hides what stood there: 512 bytes at P. */
void xfs_log_blank_make(const struct xfs_log *l, u32 cycle, u64 bb, u64 tail_lsn, u8 *p);

/* ---- what is inside a record ---- */

struct xfs_log_op {
	u32 tid, len;
	u8 flags;		/* XFS_OP_* */
	const u8 *data;
};
/* The operation at *AT, which moves behind it. -EUCLEAN: it does not lie in the record. */
int xfs_log_op_next(const struct xfs_log *l, const struct xfs_log_rec *rec, u32 *at,
		    struct xfs_log_op *out, struct xfs_fault *f);
