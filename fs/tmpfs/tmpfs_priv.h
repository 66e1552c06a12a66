// SPDX-License-Identifier: MIT
#pragma once
/*
 * tmpfs: names, inodes and limits; the data is mm/shmem's.
 * Locks: [s] stat_lock of the superblock info  [w] the inode's i_rwsem
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/namei.h>
#include <vfs/xattr.h>
#include <mm/shmem.h>

#define TMPFS_MAGIC 0x01021994
#define INODE_SPACE 1024	/* what an inode counts for in bytes of attributes, as on Linux */
#define SHORT_SYMLINK 128	/* a longer text is counted as a page */
#define DIRENT_SIZE 20		/* what a name adds to its directory's size */

struct tmpfs_sb {
	struct shmem_sb	shmem;
	spinlock_t	stat_lock;
	u64		max_inodes;	/* [s] 0: no limit */
	u64		used_inodes;	/* [s] and names beyond the first */
	u64		xattr_bytes;	/* [s] of the room that max_inodes stands for */
	umode_t		mode;
	kuid_t		uid;
	kgid_t		gid;
	bool		noswap;
	struct rcu_head	rcu;
};

struct tmpfs_inode {
	struct shmem_inode	shmem;
	struct simple_xattrs	*xattrs;	/* set once; [w] */
	struct timespec64	crtime;		/* constant */
	u32			flags;		/* [w] FS_*_FL */
	struct inode		vfs_inode;
};

static inline struct tmpfs_inode *TMPFS_I(const struct inode *inode)
{
	return container_of((struct inode *)(unsigned long)inode, struct tmpfs_inode, vfs_inode);
}
static inline struct tmpfs_sb *TMPFS_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

/* super.c */
int tmpfs_init_fs_context(struct fs_context *fc);
int tmpfs_reserve_inode(struct super_block *sb);	/* -ENOSPC */
void tmpfs_release_inode(struct super_block *sb);
int tmpfs_reserve_xattr(struct super_block *sb, size_t bytes);	/* -ENOSPC */
void tmpfs_release_xattr(struct super_block *sb, size_t bytes);
extern struct vfsmount *tmpfs_kern_mnt;
/* inode.c */
struct inode *tmpfs_new_inode(struct super_block *sb, const struct inode *dir, umode_t mode, dev_t dev);
int tmpfs_setattr(struct mnt_idmap *, struct dentry *, struct iattr *);
int tmpfs_getattr(struct mnt_idmap *, const struct path *, struct kstat *, u32, unsigned int);
int tmpfs_fileattr_get(struct dentry *, struct fileattr *);
int tmpfs_fileattr_set(struct mnt_idmap *, struct dentry *, const struct fileattr *);
extern const struct file_operations tmpfs_file_operations;
/* export.c */
extern const struct export_operations tmpfs_export_ops;
/* dir.c */
extern const struct inode_operations tmpfs_dir_iops, tmpfs_special_iops, tmpfs_symlink_iops, tmpfs_file_iops;
/* xattr.c */
extern const struct xattr_handler *const tmpfs_xattr_handlers[];
ssize_t tmpfs_listxattr(struct dentry *, char *, size_t);
size_t tmpfs_free_xattrs(struct tmpfs_inode *ti);	/* bytes that were reserved */
