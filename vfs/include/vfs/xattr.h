// SPDX-License-Identifier: MIT
#pragma once
/*
 * Extended attributes. A superblock lists one handler a name prefix; simple_xattrs keeps them in memory
 * for filesystems that have no other place.
 */
#include <lib/types.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <kernel/spinlock.h>
#include <linux/xattr.h>
#include <linux/limits.h>

struct inode;
struct dentry;
struct mnt_idmap;

struct xattr_handler {
	const char *name;	/* exactly this, or */
	const char *prefix;	/* anything that starts with this */
	int flags;
	bool (*list)(struct dentry *dentry);
	int (*get)(const struct xattr_handler *, struct dentry *, struct inode *, const char *name,
		   void *buf, size_t size);
	int (*set)(const struct xattr_handler *, struct mnt_idmap *, struct dentry *, struct inode *,
		   const char *name, const void *value, size_t size, int flags);
};
const char *xattr_full_name(const struct xattr_handler *h, const char *name);

ssize_t vfs_getxattr(struct mnt_idmap *, struct dentry *, const char *name, void *value, size_t size);
int vfs_setxattr(struct mnt_idmap *, struct dentry *, const char *name, const void *value, size_t size,
		 int flags);
int vfs_removexattr(struct mnt_idmap *, struct dentry *, const char *name);
ssize_t vfs_listxattr(struct dentry *, char *list, size_t size);
/* Without permission checks, for the kernel itself (file capabilities). */
ssize_t __vfs_getxattr(struct dentry *, struct inode *, const char *name, void *value, size_t size);
int __vfs_removexattr(struct mnt_idmap *, struct dentry *, const char *name);

struct simple_xattrs {
	struct rb_root	root;	/* lock */
	rwlock_t	lock;
};
void simple_xattrs_init(struct simple_xattrs *x);
size_t simple_xattr_space(const char *name, size_t size);	/* bytes that it takes in memory */
size_t simple_xattrs_free(struct simple_xattrs *x);	/* bytes given back */
ssize_t simple_xattr_get(struct simple_xattrs *x, const char *name, void *buf, size_t size);
int simple_xattr_set(struct simple_xattrs *x, const char *name, const void *value, size_t size,
		     int flags, ssize_t *removed);
ssize_t simple_xattr_list(struct simple_xattrs *x, char *buf, size_t size);

/*
 * security.capability (filecaps.c). A program's file's capabilities as they count for the running task, whose namespace must descend from the one they are for:
 * 0, -ENODATA, -EINVAL (the attribute makes no sense).
 */
struct fcaps;
int vfs_file_caps(struct dentry *, struct fcaps *out);
/* What is stored for VALUE, in OUT where it differs: its length, -EPERM, -EINVAL. */
ssize_t filecaps_to_store(struct mnt_idmap *, const struct inode *, const void **value, size_t size, u8 *out);
/* What the running task is told of it: getxattr(2). */
ssize_t filecaps_get(struct dentry *, void *value, size_t size);
