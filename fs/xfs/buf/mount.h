/* SPDX-License-Identifier: MIT */
/* A mounted XFS: the volume that the walks see, its buffers, and what it was mounted with. */
#pragma once

#include "fs/xfs/buf/buf.h"
#include <vfs/fs.h>

struct xfs_inode;

struct xfs_mount {
	struct xfs_vol vol;		/* first: the walks hand it back */
	struct xfs_cache cache;
	struct super_block *sb;		/* c */
	bool norecovery, nouuid;	/* c */
	struct list_head uuids;		/* uuid_lock (super/) */
	/* Gives an inode that was read its operations and what else its kind needs: 0 or -errno. */
	int (*setup)(struct xfs_mount *mp, struct xfs_inode *xi);
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

/* The volume over the cache; mp->vol.sb is set. */
void xfs_vol_init(struct xfs_mount *mp, struct super_block *sb);
