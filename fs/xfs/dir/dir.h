/* SPDX-License-Identifier: MIT */
/* Directories: looking names up, listing them, changing them. */
#pragma once

#include "fs/xfs/inode/inode.h"

struct dentry *xfs_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags);
/* Entries from ctx->pos on, an entry's address, which lasts. 0 or -errno. */
int xfs_dir_iterate(struct file *file, struct dir_context *ctx);
loff_t xfs_dir_llseek(struct file *file, loff_t off, int whence);

/* super_block.s_export_op (export.c). */
extern const struct export_operations xfs_export_ops;

/* inode_operations that make something (make.c). */
int xfs_create(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, umode_t mode,
	       bool excl);
int xfs_mknod(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, umode_t mode,
	      dev_t dev);
int xfs_mkdir(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, umode_t mode);
int xfs_symlink(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d, const char *target);
int xfs_tmpfile(struct mnt_idmap *idmap, struct inode *dir, struct file *file, umode_t mode);
/* That change names (names.c, rename.c). */
int xfs_link(struct dentry *old, struct inode *dir, struct dentry *new);
int xfs_unlink(struct inode *dir, struct dentry *d);
int xfs_rmdir(struct inode *dir, struct dentry *d);
int xfs_rename(struct mnt_idmap *idmap, struct inode *odir, struct dentry *old, struct inode *ndir,
	       struct dentry *new, unsigned int flags);
