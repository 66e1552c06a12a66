// SPDX-License-Identifier: MIT
#pragma once
/*
 * From names to dentries, and the operations that change directories.
 *
 * Locking of the modifying operations is the caller's: parents' i_rwsem exclusive (lock_rename for
 * two), mount write count and freeze protection taken (mnt_want_write); start_creating_path() and
 * friends do all of it.
 */
#include <lib/types.h>
#include <vfs/dentry.h>
#include <vfs/mount.h>
#include <vfs/file.h>
#include <linux/openat2.h>

#define MAXSYMLINKS	40
#define PATH_EMPTY_OK	1

/* How a walk ends and what it may cross. */
#define LOOKUP_FOLLOW		0x0001	/* follow a final symlink */
#define LOOKUP_DIRECTORY	0x0002
#define LOOKUP_AUTOMOUNT	0x0004
#define LOOKUP_EMPTY		0x0008	/* "" means the start */
#define LOOKUP_LINKAT_EMPTY	0x0010
#define LOOKUP_REVAL		0x0020
#define LOOKUP_RCU		0x0040
#define LOOKUP_MOUNTPOINT	0x4000	/* the mount on the final place, without revalidation */
#define LOOKUP_CACHED		0x0080	/* -EAGAIN instead of anything that may block */
#define LOOKUP_PARENT		0x0100
#define LOOKUP_AT_ONCE		0x8000	/* an open of what may wait in ->open() is -EAGAIN too */
#define LOOKUP_OPEN		0x0200	/* intents, for d_revalidate and lookup */
#define LOOKUP_CREATE		0x0400
#define LOOKUP_EXCL		0x0800
#define LOOKUP_RENAME_TARGET	0x1000
#define LOOKUP_NO_SYMLINKS	0x010000
#define LOOKUP_NO_MAGICLINKS	0x020000
#define LOOKUP_NO_XDEV		0x040000
#define LOOKUP_BENEATH		0x080000
#define LOOKUP_IN_ROOT		0x100000
#define LOOKUP_IS_SCOPED	(LOOKUP_BENEATH | LOOKUP_IN_ROOT)

/* Looking up. 0 and a referenced path, or -Exxx. */
int user_path_at(int dfd, struct uptr name, unsigned int lookup_flags, struct path *path);
int filename_lookup(int dfd, struct filename *name, unsigned int flags, struct path *path,
		    const struct path *root);
int kern_path(const char *name, unsigned int flags, struct path *path);
int vfs_path_lookup(struct dentry *dentry, struct vfsmount *mnt, const char *name, unsigned int flags,
		    struct path *path);
struct dentry *lookup_one_qstr(const struct qstr *name, struct dentry *base, unsigned int flags);
struct dentry *lookup_one_len(const char *name, struct dentry *base, int len);	/* base locked */
struct dentry *lookup_noperm_unlocked(const char *name, struct dentry *base, int len);

/* The last component, parent locked exclusive, mount write count held. */
struct dentry *start_creating_path(int dfd, struct filename *name, struct path *parent,
				   unsigned int lookup_flags);
struct dentry *kern_path_create(const char *name, struct path *parent, unsigned int lookup_flags);
void end_creating_path(const struct path *parent, struct dentry *dentry);

/* Directory operations: may_* checks, then the filesystem's operation. */
int vfs_create(struct mnt_idmap *, struct inode *dir, struct dentry *, umode_t, bool excl);
/* As vfs_create(), of what MAKE adds with ARG; its parent's i_rwsem is held. */
int vfs_mkobj(struct dentry *, umode_t, int (*make)(struct dentry *, umode_t, void *), void *arg);
int vfs_mkdir(struct mnt_idmap *, struct inode *dir, struct dentry *, umode_t);
int vfs_mknod(struct mnt_idmap *, struct inode *dir, struct dentry *, umode_t, dev_t);
int vfs_symlink(struct mnt_idmap *, struct inode *dir, struct dentry *, const char *target);
int vfs_link(struct dentry *old, struct mnt_idmap *, struct inode *dir, struct dentry *new);
int vfs_unlink(struct mnt_idmap *, struct inode *dir, struct dentry *);
int vfs_rmdir(struct mnt_idmap *, struct inode *dir, struct dentry *);
struct renamedata {
	struct mnt_idmap *idmap;
	struct inode *old_dir;
	struct dentry *old_dentry;
	struct inode *new_dir;
	struct dentry *new_dentry;
	unsigned int flags;		/* RENAME_* */
};
int vfs_rename(struct renamedata *rd);
int vfs_readlink(struct dentry *, struct uptr buf, int buflen);
const char *vfs_get_link(struct dentry *, struct delayed_call *);
/* ERR_PTR(-EXDEV): not one tree. */
struct dentry *lock_rename(struct dentry *p1, struct dentry *p2) __acquires(p1->d_inode->i_rwsem);
void unlock_rename(struct dentry *p1, struct dentry *p2) __releases(p1->d_inode->i_rwsem);

/* For magic links (/proc/PID/fd/N): called from get_link, jumps the walk to @path (reference eaten). */
int nd_jump_link(const struct path *path);

int path_permission(const struct path *path, int mask);
int file_permission(struct file *file, int mask);

/* Attributes. */
int vfs_getattr(const struct path *path, struct kstat *stat, u32 mask, unsigned int query_flags);
int vfs_getattr_nosec(const struct path *path, struct kstat *stat, u32 mask, unsigned int query_flags);
int vfs_statfs(const struct path *path, struct kstatfs *buf);
/* tv_nsec of utimensat(2); the packaged headers lack them. */
#ifndef UTIME_NOW
#define UTIME_NOW	((1l << 30) - 1l)
#define UTIME_OMIT	((1l << 30) - 2l)
#endif
int vfs_utimes(const struct path *path, const struct timespec64 *times);
int chmod_common(const struct path *path, umode_t mode);
int chown_common(const struct path *path, uid_t user, gid_t group);
