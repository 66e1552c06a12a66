/* SPDX-License-Identifier: MIT */
/* Between the files of this part. */
#pragma once

#include "fs/xfs/ag/ialloc.h"
#include "fs/xfs/dir/dir.h"
#include "fs/xfs/dirent/dirent.h"
#include "fs/xfs/trans/hook.h"
#include "fs/xfs/xattr/xattr.h"

/* A name that a transaction adds, removes, or gives another inode. */
struct xfs_name {
	struct inode *dir;
	const u8 *name;
	u32 len;
};

static inline struct xfs_name xfs_name_of(struct inode *dir, const struct qstr *q)
{
	return (struct xfs_name){ dir, (const u8 *)q->name, q->len };
}

static inline bool xfs_has_parents(const struct xfs_mount *mp)
{
	return mp->fs.vol.sb.incompat & XFS_IN_PARENT;
}

/* Blocks that N changes of a name may take, and those of a pointer to a parent. */
u32 xfs_name_room(struct xfs_mount *mp, u32 n);
u32 xfs_parent_room(struct xfs_mount *mp, u32 n);
/* The format's type of file. */
u8 xfs_ftype_of(umode_t mode);
/* 64 bits of a name. Two names of one directory that share them would only be taken for one. */
u64 xfs_name_key(const struct qstr *name);

/*
 * The name becomes IP's; is taken from IP; goes from FROM to IP; with the pointer to the parent
 * where there are such. All inodes are locked.
 */
int __must_check xfs_name_add(struct xfs_tx *tx, const struct xfs_name *n, struct xfs_ino *ip);
int __must_check xfs_name_remove(struct xfs_tx *tx, const struct xfs_name *n, struct xfs_ino *ip);
int __must_check xfs_name_give(struct xfs_tx *tx, const struct xfs_name *n, struct xfs_ino *from,
			       struct xfs_ino *ip);
/* ".." of the directory INODE becomes PARENT. */
int __must_check xfs_set_dotdot(struct xfs_tx *tx, struct inode *inode, const struct inode *parent);
/* An entry of DIR for INODE came (BY 1) or went (-1): committed, both are locked. */
static inline void xfs_tell_name(const struct inode *dir, const struct inode *inode, int by)
{
	xfs_name_changed(XFS_M(dir->i_sb), dir->i_ino, inode->i_ino, S_ISDIR(inode->i_mode), by);
}

/* Names of DIR were changed: its times. It is logged by the caller. */
void xfs_dir_changed(struct inode *dir);
/* A project's tree is not left by links (EXDEV): INODE may get a name in DIR. */
bool xfs_same_project(const struct inode *dir, const struct inode *inode);
/*
 * The AGIs of those inodes, locked, in the order of AGs: before any other block of an AG is. NULLs
 * are passed over.
 */
int __must_check xfs_lock_agis(struct xfs_tx *tx, struct inode *const *inodes, u32 n);
/* A new inode without a name, in its unlinked list: ERR_PTR. TYPE and rights: MODE. */
struct inode *xfs_make_nameless(struct mnt_idmap *idmap, struct inode *dir, umode_t mode,
				dev_t dev);
