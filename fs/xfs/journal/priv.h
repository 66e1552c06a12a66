/* SPDX-License-Identifier: MIT */
/* Between the files of the log's writer. */
#pragma once

#include "fs/xfs/journal/journal.h"
#include "fs/xfs/format/log_priv.h"

#define XFS_RECORDS XFS_LOG_IN_FLIGHT

struct xfs_record {
	struct list_head node;		/* j->lock: free */
	struct xfs_journal *j;
	struct xfs_ckpt *ck;
	u8 *mem;			/* j->rec_bytes */
	u32 used, ops;			/* of its data */
	atomic_t left;			/* bios */
	int status;			/* atomic */
	bool commit;
	struct work_struct work;
};

/* grant.c */
void xfs_grant_init(struct xfs_journal *j);
/* BYTES are free again. */
void xfs_grant_give(struct xfs_journal *j, s64 bytes);
void xfs_grant_wake_all(struct xfs_journal *j);
bool xfs_grant_wanted(struct xfs_journal *j);
/* Bytes that a checkpoint of SPACE bytes takes at most. */
u64 xfs_ckpt_bytes(const struct xfs_journal *j, u64 space);

/* cil.c */
struct xfs_ckpt *xfs_ckpt_new(u64 seq);
void xfs_ckpt_free(struct xfs_ckpt *ck);
void xfs_cil_push(struct work_struct *w);
/* All that was written before CK is done with: its items are told. Ordered. */
void xfs_ckpt_done(struct xfs_journal *j, struct xfs_ckpt *ck);

/* record.c */
int xfs_records_init(struct xfs_journal *j);
void xfs_records_destroy(struct xfs_journal *j);
void xfs_ckpt_write(struct xfs_journal *j, struct xfs_ckpt *ck);
int xfs_unmount_write(struct xfs_journal *j);

/* ail.c */
/* CK's items are in: an empty AIL's tail is its commit. */
void xfs_ail_done(struct xfs_journal *j, u64 commit_lsn);
int xfs_ail_thread(void *arg);
/* Push what is in the way of NEED more bytes. */
void xfs_ail_want(struct xfs_journal *j, u64 need);
void xfs_ail_wake(struct xfs_journal *j);
/* From lsn A to B, in bytes. */
u64 xfs_lsn_bytes(const struct xfs_journal *j, u64 a, u64 b);
