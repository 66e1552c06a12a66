/* SPDX-License-Identifier: MIT */
/*
 * Inodes in memory: the VFS's, and what XFS has of it (struct xfs_lino, trans/trans.h: core,
 * literal area, metadata lock, item of the log), which is the truth and an object of its own. It is
 * found by its number in a table (lino.c), and stays there while anything refers to it: the VFS's
 * inode, the open checkpoint, the AIL, a transfer. So the VFS may evict an inode at any time
 * without waiting for the log, and an inode that is looked up again meanwhile is attached to what
 * is there.
 *
 * What the VFS's inode has of the core (mode, owner, times, links, version) is changed under
 * i_rwsem or by the operation that changes the core, and is taken into the core by xfs_log_vfs().
 * Readers of core and literal area hold li->lock for reading, for as long as they go through blocks
 * of the inode; nothing that may fault or begin a transaction is done with it held.
 */
#pragma once

#include "fs/xfs/inode/copies.h"
#include "fs/xfs/inode/delay.h"
#include "fs/xfs/trans/trans.h"
#include <extent/file.h>

struct xfs_inode {
	struct inode vfs;
	struct xfs_lino *li;		/* c, until it is evicted */
	struct extent_file file;	/* regular files */
	struct xfs_delays delays;	/* li->lock: the same */
	struct rb_root copies;		/* li->lock: the same, see copies.h */
	/* vfs.i_lock; directories: where it was found; parent 0: nowhere yet */
	u64 parent, name_key;
};

static inline struct xfs_inode *XFS_I(const struct inode *inode)
{
	return container_of(inode, struct xfs_inode, vfs);
}

/* Its core and literal area: li->lock. */
static inline struct xfs_node *xfs_node_of(const struct inode *inode)
{
	return &XFS_I(inode)->li->ip.node;
}

static inline void xfs_read_lock(const struct inode *inode) __acquires(XFS_I(inode) -> li->lock)
{
	down_read(&XFS_I(inode)->li->lock);
}

static inline void xfs_read_unlock(const struct inode *inode) __releases(XFS_I(inode) -> li->lock)
{
	up_read(&XFS_I(inode)->li->lock);
}

/* super_operations. */
struct inode *xfs_alloc_inode(struct super_block *sb);
void xfs_free_inode(struct inode *inode);
void xfs_evict_inode(struct inode *inode);

/*
 * The inode with this number, referenced; ERR_PTR(-EUCLEAN, -EBADMSG, -EIO, -ENOMEM); -ESTALE: it
 * is free. No lock of metadata is held.
 */
struct inode *xfs_iget(struct xfs_mount *mp, u64 ino);
/*
 * The same of a number that nothing says is an inode's, and of its generation *GEN (NULL: any);
 * -ESTALE too where there is none, it has no name and is not in use, or it is the file system's
 * own. Begins a transaction.
 */
struct inode *xfs_iget_outside(struct xfs_mount *mp, u64 ino, const u32 *gen);
/*
 * A directory was found in directory PARENT under a name with this key: false where it was found in
 * another place before. Only a damaged file system has a directory twice, and the VFS would move it
 * to and fro.
 */
bool xfs_dir_found(struct xfs_inode *xi, u64 parent, u64 name_key);
/* It is there now. */
void xfs_dir_moved(struct xfs_inode *xi, u64 parent, u64 name_key);
int xfs_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat, u32 mask,
		unsigned int flags);
int xfs_inode_cache_init(void);
/* i_flags as the flags of the core C say, whose lock is held. */
void xfs_set_vfs_flags(struct inode *inode, const struct xfs_core *c);

/* ---- in the table (lino.c) ---- */

/* The inode INO as it is in memory or on the disk, referenced. -ESTALE: free. */
struct xfs_lino *xfs_lino_get(struct xfs_mount *mp, u64 ino);
/*
 * The same of a free inode that a transaction has allocated. It is locked (XFS_LOCK_NEW) below the
 * AGI's lock: no task that has a free inode's lock waits for that.
 */
struct xfs_lino *xfs_lino_get_free(struct xfs_mount *mp, u64 ino);
/*
 * Inode INO, any number, as the tree of its AG has it, in use; -ESTALE. The inode itself may be
 * free, or new, without a name, or the file system's own. No lock of metadata is held; begins a
 * transaction.
 */
struct xfs_lino *xfs_lino_get_outside(struct xfs_mount *mp, u64 ino);
/*
 * A new one of core C and LITERAL, locked for writing and referenced; what the disk has of it
 * nobody can read. It is found from now on. The caller logs all of it, or makes its mode 0 before
 * it unlocks it. -ENOMEM; -EDEADLK: there is one.
 */
struct xfs_lino *xfs_lino_adopt(struct xfs_mount *mp, const struct xfs_core *c, const u8 *literal);
/*
 * Is inode INO in memory, which then knows *MODE (0: it is free) better than the disk? Its AGI is
 * locked, so that none is made or freed.
 */
bool xfs_ino_mode_in_memory(struct xfs_fs *fs, u64 ino, u16 *mode);
/* LI is locked: 0; -EUCLEAN: it is in use. */
int xfs_lino_check_free(const struct xfs_lino *li);
/* Subclass of li->lock for the lock checker: after XFS_LOCK_MOST by number, a new one. */
#define XFS_LOCK_NEW 6
/* MP has its superblock: reservations, no inode in memory. */
void xfs_inodes_begin(struct xfs_mount *mp);
/*
 * No inode of the VFS is left, and the journal ended (or there was none): waits until the last one
 * is gone.
 */
void xfs_inodes_end(struct xfs_mount *mp);

/* ---- changing (change.c) ---- */

/*
 * A transaction for an operation of KIND that also sets or removes ATTRS attributes, and allocates
 * at most BLOCKS. Nothing is locked yet. FLAGS: XFS_TX_*. -EROFS: the mount is read-only.
 */
int __must_check xfs_begin(struct xfs_mount *mp, enum xfs_res kind, u32 attrs, u32 blocks,
			   u32 flags, struct xfs_tx **out);
/*
 * One that changes nothing, for its locks. A file system that is frozen, or mounted read-only, is
 * looked at, too.
 */
int __must_check xfs_begin_look(struct xfs_mount *mp, struct xfs_tx **out);
/* The same for freeing: where there are not so many blocks it begins without any. */
int __must_check xfs_begin_freeing(struct xfs_mount *mp, enum xfs_res kind, u32 attrs, u32 blocks,
				   u32 flags, struct xfs_tx **out);
/* Commits TX, or cancels it where E is an error: 0 or -errno. */
int xfs_end(struct xfs_tx *tx, int e);
/* XFS_TX_SYNC where changes of INODE are to be durable when the call returns. */
static inline u32 xfs_sync_of(const struct inode *inode)
{
	return IS_SYNC(inode) || XFS_M(inode->i_sb)->wsync ||
			       (S_ISDIR(inode->i_mode) && IS_DIRSYNC(inode)) ?
		       XFS_TX_SYNC :
		       0;
}

/* Up to XFS_LOCK_MOST inodes, locked for writing in the order of their numbers. */
#define XFS_LOCK_MOST 5
struct xfs_locked {
	struct xfs_lino *li[XFS_LOCK_MOST];
	u32 n;
};
/* N of INODES, of which some may be NULL or the same. */
void xfs_lock_inodes(struct xfs_locked *l, struct inode *const *inodes, u32 n)
	__acquires(inode_metadata);
/* The same of inodes that need not be in the VFS. */
void xfs_lock_linos(struct xfs_locked *l, struct xfs_lino *const *linos, u32 n)
	__acquires(inode_metadata);
void xfs_unlock_inodes(struct xfs_locked *l) __releases(inode_metadata);

static inline struct xfs_ino *xfs_ino_of(const struct inode *inode)
{
	return &XFS_I(inode)->li->ip;
}

static inline struct xfs_time xfs_time_of(struct timespec64 t)
{
	return (struct xfs_time){ t.tv_sec, (u32)t.tv_nsec };
}

/*
 * Owner, mode, times, count of links and version of INODE, locked for writing, are logged in TX.
 * What XFS decides goes the other way: blocks, and the sizes of directories.
 */
void xfs_log_vfs(struct xfs_tx *tx, struct inode *inode);
/* The core's number of links, which becomes the VFS's too. */
void xfs_set_links(struct inode *inode, u32 nlink);
/* INODE comes to the unlinked list of its AG, whose AGI TX has; leaves it. */
int __must_check xfs_list_unlinked(struct xfs_tx *tx, struct inode *inode);
int __must_check xfs_unlist(struct xfs_tx *tx, struct inode *inode);
/* The VFS's part of a new inode from its core: all but operations and ACLs. */
void xfs_fill_vfs(struct xfs_mount *mp, struct inode *inode, const struct xfs_core *c);

/* inode_operations. */
int xfs_update_time(struct inode *inode, int flags);
/* FS_XFLAG_* of C. */
u32 xfs_xflags_of(const struct xfs_core *c);
int xfs_fileattr_get(struct dentry *dentry, struct fileattr *fa);
int xfs_fileattr_set(struct mnt_idmap *idmap, struct dentry *dentry, const struct fileattr *fa);
/* Logs what xfs_log_vfs() does, in a transaction of its own. */
int xfs_log_inode(struct inode *inode);

/*
 * The size of a regular file, whose i_rwsem is held: what of its page cache and its blocks lies
 * behind it goes (size.c). Times are the caller's.
 */
int xfs_setsize(struct inode *inode, loff_t size);
/* The same with its invalidate_lock held for writing, on a mount that writes. */
int __must_check xfs_setsize_locked(struct inode *inode, loff_t size);
/*
 * The size on the disk becomes SIZE; with CUT, all blocks behind it are unmapped and freed,
 * in as many transactions as it takes. The page cache is the caller's.
 */
int __must_check xfs_truncate_blocks(struct inode *inode, u64 size, bool cut);
/* file_operations.fsync of files and directories. */
int xfs_fsync(struct file *file, loff_t start, loff_t end, int datasync);
/* file_operations.ioctl of the same (ioctl.c). */
long xfs_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
/*
 * INODE, without names and in an unlinked list, gives back all that it has, and itself. -errno: the
 * file system is shut down, and it is left in its list.
 */
int xfs_inactivate(struct inode *inode);
