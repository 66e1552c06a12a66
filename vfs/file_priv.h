// SPDX-License-Identifier: MIT
#pragma once
#include <vfs/file.h>
/* file_table.c */
void file_free(struct file *f);			/* never opened */
void file_set_path(struct file *f, const struct path *path, const struct file_operations *fops);
/* fasync.c */
void file_free_owner(struct file *f);
/* dnotify.c: OWNER, a table of descriptors, closes FILE. */
void dnotify_flush(struct file *file, fl_owner_t owner);
/* namei.c: opens @fn; the file is allocated here. */
struct open_how_k {
	int flags;		/* O_* checked and completed */
	umode_t mode;
	int acc_mode;		/* MAY_* wanted of the file */
	unsigned int intent;	/* LOOKUP_OPEN.. */
	unsigned int lookup_flags;
};
struct file *path_open_file(int dfd, struct filename *fn, const struct open_how_k *op, const struct path *root);
/* open.c */
int build_open_how(int flags, umode_t mode, u64 resolve, struct open_how_k *op);
int do_dentry_open(struct file *f, int (*open)(struct inode *, struct file *));
int file_close_and_put(struct file *f, void *id);
#include <vfs/fdtable.h>
