/* SPDX-License-Identifier: MIT */
/* Between the files of this part. */
#pragma once

#include "fs/xfs/inode/inode.h"
#include "fs/xfs/log/replay.h"
#include "fs/xfs/trans/trans.h"

int xfs_setup_inode(struct xfs_mount *mp, struct xfs_inode *xi);

/* ---- recover.c ---- */

struct xfs_recovery {
	struct xfs_replay_result res;
	struct list_head begun;		/* work without its end (begun.c) */
};
/*
 * Replays a dirty log, where `norecovery` was not asked for; mp->fs.vol.sb is what the superblock
 * says afterwards. Nothing of the device is cached yet, or what is cached did not change since it
 * was read. Says in one line what it did, or why not. -EROFS: the device is read-only; -EUCLEAN,
 * -EINVAL, -ENOMEM, -EINTR, -errno of the device. R is to be given to xfs_recovery_free() in any
 * case; if r->res.left is set, xfs_write_begin() must finish it.
 */
int xfs_recover(struct xfs_mount *mp, struct xfs_recovery *r);

/* ---- begun.c ---- */

/* Begun work for R: 0, -EOPNOTSUPP, -ENOMEM. */
int xfs_recovery_add(struct xfs_mount *mp, struct xfs_recovery *r, u64 lsn,
		     const struct xfs_litem *it);
void xfs_recovery_free(struct xfs_recovery *r);
/* The journal was just opened: R's work keeps its tail. -ENOMEM. */
int xfs_recovery_begin(struct xfs_mount *mp, struct xfs_recovery *r);
/* Finishes R's work, *WORK pieces. -errno: what is left is in the log. */
int xfs_finish_begun(struct xfs_mount *mp, struct xfs_recovery *r, u64 *work);

/* ---- finish.c ---- */

/* Finishes R's work, and frees what no file has, in transactions. */
int xfs_recovery_finish(struct xfs_mount *mp, struct xfs_recovery *r);

/* ---- redo.c ---- */

/* Finishes an attribute's change, IT, whose end for INTENT is logged with it. -errno. */
int xfs_redo_attr(struct xfs_mount *mp, const struct xfs_litem *it, struct xfs_intent *intent);

/* ---- show.c ---- */

/* MP, which is mounted, appears in /sys/fs/xfs, if there is memory; and goes. Both may sleep. */
void xfs_show_begin(struct xfs_mount *mp);
void xfs_show_end(struct xfs_mount *mp);

/* ---- write.c ---- */

/* 0; -EROFS, -EACCES: why it cannot be mounted for writing, said in one line. */
int xfs_judge_writing(const struct xfs_mount *mp);
/*
 * After recovery: writing begins, and what recovery left is finished. On failure xfs_write_end() is
 * due all the same, if mp->live is set.
 */
int xfs_write_begin(struct xfs_mount *mp, struct xfs_recovery *r);
/* All is on the disk, and the log is clean; without effect where writing did not begin. */
void xfs_write_end(struct xfs_mount *mp);
/* To read-only, or back. s_umount is held for writing. */
int xfs_remount(struct xfs_mount *mp, bool ro);
