/* SPDX-License-Identifier: MIT */
/* A mounted XFS: the volume that the walks see, its buffers, and what it was mounted with. */
#pragma once

#include "fs/xfs/buf/buf.h"
#include "fs/xfs/health/health.h"
#include "fs/xfs/tx/reserve.h"
#include "fs/xfs/tx/tx.h"
#include <sched/mutex.h>
#include <vfs/fs.h>

struct xfs_heal;
struct xfs_inode;
struct xfs_monitor;
struct xfs_show;

struct xfs_mount {
	struct xfs_fs fs;		/* first, and its volume: the walks hand it back */
	struct xfs_cache cache;
	struct xfs_health health;
	struct xfs_monitor __rcu *monitor; /* monitors_lock (monitor/); NULL: nobody reads */
	struct xfs_heal *heal;		/* s_umount to set; RCU: heal/; NULL: not yet, or no more */
	struct xfs_show *show;		/* s_umount: super/; NULL: it is not shown */
	struct super_block *sb;		/* c */
	bool norecovery, nouuid;	/* c */
	bool wsync;			/* c: changes are durable when the call returns */
	bool discard;			/* s_umount: it was asked for */
	struct list_head uuids;		/* uuid_lock (super/) */
	u64 pool;  /* atomic: blocks for freeing alone; XFS_POOL_DEFAULT: trans/trans.h */
	struct xfs_live *live;  /* c, once set; what writing takes (trans/); NULL: only read */
	/* Gives an inode that was read its operations and what else its kind needs: 0 or -errno. */
	int (*setup)(struct xfs_mount *mp, struct xfs_inode *xi);
	/*
	 * c: what file_operations.ioctl does not know in inode/ (super/): -ENOTTY, or as it says.
	 */
	long (*ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	/*
	 * c: the root's attribute trusted.xfs:autofsck became VALUE (SIZE bytes), or went (NULL);
	 * its i_rwsem is held (super/).
	 */
	void (*autofsck)(struct xfs_mount *mp, const void *value, size_t size);
	wait_queue_head_t drained;	/* scrub: for an AG's deferred work to be done */
	spinlock_t names_lock;		/* trans/hook.h, and all that its watchers have */
	struct list_head names_watchers; /* names_lock */
	u32 names_watched;		/* names_lock; read without: how many there are */
	struct mutex admin;		/* label, share for inodes and size; vol.sb has them */
	atomic_t linos, parked; /* inodes in memory; those of them that are parked (inode/) */
	struct mutex repairs;		/* scrub: one repair at a time; above ADMIN */
	struct xfs_reserve res[XFS_RES_KINDS];	/* c */
};

static inline struct xfs_mount *XFS_M(const struct super_block *sb)
{
	return sb->s_fs_info;
}

/* What users are told: a wrong checksum is damage like any other. */
static inline int xfs_errno(int e)
{
	return e == -XFS_BAD_CRC ? -XFS_CORRUPT : e;
}

/*
 * The words of AG AGNO: false: it is not in memory (the mount has not come so far, or AGNO is
 * none).
 */
bool xfs_ag_marks(struct xfs_mount *mp, u32 agno, struct xfs_ag_marks *out);

/* The volume over the cache; mp->fs.vol.sb is set. */
void xfs_vol_init(struct xfs_mount *mp, struct super_block *sb);
