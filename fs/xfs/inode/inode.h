/* SPDX-License-Identifier: MIT */
/*
 * Inodes in memory: the VFS's, the decoded core, and a copy of the bytes behind it (extents, short
 * forms), which never change while the filesystem is mounted read-only.
 */
#pragma once

#include "fs/xfs/buf/mount.h"
#include <extent/file.h>

struct xfs_inode {
	struct inode vfs;
	struct xfs_node node;		/* c; node.literal is allocated */
	struct extent_file file;	/* regular files */
	/* vfs.i_lock; directories: where it was found; parent 0: nowhere yet */
	u64 parent, name_key;
};

static inline struct xfs_inode *XFS_I(const struct inode *inode)
{
	return container_of(inode, struct xfs_inode, vfs);
}

/* super_operations. */
struct inode *xfs_alloc_inode(struct super_block *sb);
void xfs_free_inode(struct inode *inode);
void xfs_evict_inode(struct inode *inode);

/*
 * The inode with this number, referenced; ERR_PTR(-EUCLEAN, -EBADMSG, -EIO, -ENOMEM); -ESTALE: it
 * is free.
 */
struct inode *xfs_iget(struct xfs_mount *mp, u64 ino);
/*
 * A directory was found in directory PARENT under a name with this key: false where it was found in
 * another place before. Only a damaged file system has a directory twice, and the VFS would move it
 * to and fro.
 */
bool xfs_dir_found(struct xfs_inode *xi, u64 parent, u64 name_key);
int xfs_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat, u32 mask,
		unsigned int flags);
int xfs_inode_cache_init(void);
