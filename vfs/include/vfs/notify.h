/* SPDX-License-Identifier: MIT */
/*
 * What happens to files, for those who watch them (inotify(7)). The calls below say what has happened; they cost a patched-out branch
 * while nobody watches anything, never sleep and never fail: who cannot be told finds IN_Q_OVERFLOW in his queue.
 */
#pragma once

#include <kernel/static_key.h>
#include <vfs/fs.h>
#include <linux/inotify.h>

DECLARE_STATIC_KEY(notify_key);		/* somebody watches */

void __notify_dentry(const struct dentry *d, u32 mask);
void __notify_inode(struct inode *inode, u32 mask);
void __notify_name(struct inode *dir, const struct qstr *name, u32 mask, u32 cookie);
void __notify_gone(struct inode *inode, u32 last);
void __notify_setattr(const struct dentry *d, unsigned int ia_valid);
void __notify_super_gone(struct super_block *sb);

/* To the watches of what D names and, with its name, of the directory it is in. */
static __always_inline void notify_dentry(const struct dentry *d, u32 mask)
{
	if (static_branch_unlikely(&notify_key))
		__notify_dentry(d, mask);
}

static __always_inline void notify_file(const struct file *f, u32 mask)
{
	if (static_branch_unlikely(&notify_key))
		__notify_dentry(f->f_path.dentry, mask);
}

/* To those of the inode alone. */
static __always_inline void notify_inode(struct inode *inode, u32 mask)
{
	if (static_branch_unlikely(&notify_key))
		__notify_inode(inode, mask);
}

/* To those of a directory, about the entry NAME. */
static __always_inline void notify_name(struct inode *dir, const struct qstr *name, u32 mask)
{
	if (static_branch_unlikely(&notify_key))
		__notify_name(dir, name, mask, 0);
}

static __always_inline void notify_create(struct inode *dir, const struct dentry *d)
{
	if (static_branch_unlikely(&notify_key))
		__notify_name(dir, &d->d_name, IN_CREATE | (d_is_dir(d) ? IN_ISDIR : 0), 0);
}

/* The attributes of IA_VALID were changed. */
static __always_inline void notify_setattr(const struct dentry *d, unsigned int ia_valid)
{
	if (static_branch_unlikely(&notify_key))
		__notify_setattr(d, ia_valid);
}

/* The last name and the last user of it are gone: its watches end. */
static __always_inline void notify_deleted(struct inode *inode)
{
	if (static_branch_unlikely(&notify_key))
		__notify_gone(inode, IN_DELETE_SELF);
}

/* The filesystem is about to go: all watches in it end. May sleep. */
static __always_inline void notify_unmount(struct super_block *sb)
{
	if (static_branch_unlikely(&notify_key))
		__notify_super_gone(sb);
}

/* A name of a dentry, kept over a rename. */
struct kept_name {
	struct qstr name;
	char text[NAME_MAX + 1];
};
void notify_keep_name(struct kept_name *k, const struct dentry *d);
/* D was OLD in OLD_DIR; TARGET is what it replaced. */
void notify_move(struct inode *old_dir, const struct qstr *old, struct inode *new_dir, struct inode *target, struct dentry *d);

/* The calls themselves. */
int inotify_create_fd(int flags);
int inotify_add(int fd, struct uptr path, u32 mask);
int inotify_remove(int fd, int wd);
