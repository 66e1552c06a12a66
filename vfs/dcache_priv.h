// SPDX-License-Identifier: MIT
#pragma once
/* Between dcache.c (life), dhash.c (finding) and dtree.c (moving, walking, shrinking). */
#include <vfs/fs.h>
#include <vfs/dentry.h>
#include <lib/string.h>

struct external_name {
	atomic_t	refs;
	struct rcu_head	rcu;
	char		name[];
};
static inline bool dname_external(const struct dentry *d)
{
	return d->d_name.name != d->d_iname;
}
static inline struct external_name *dname_ext(const struct dentry *d)
{
	return container_of((const char (*)[])d->d_name.name, struct external_name, name);
}

/* dhash.c */
void d_hash_init(void);
void d_hash_insert(struct dentry *d);		/* d_lock held */
void d_hash_remove(struct dentry *d);		/* d_lock held */
void d_hash_grow_if_long(void);
void d_unhash_in_lookup(struct dentry *d);	/* d_lock held; wakes who waits */

/* dcache.c */
void __d_drop(struct dentry *d);		/* d_lock held */
struct dentry *dentry_kill(struct dentry *d);	/* d_lock held, consumed */
bool lock_for_kill(struct dentry *d);
struct dentry *dentry_kill_locked(struct dentry *d);
void d_lru_del(struct dentry *d);
void d_shrink_del(struct dentry *d);
void d_lru_to_shrink(struct dentry *d, struct list_head *list);
void d_shrink_add(struct dentry *d, struct list_head *list);
void d_to_shrink_list(struct dentry *d, struct list_head *list);
void shrink_dentry_list(struct list_head *list);
void dentry_free(struct dentry *d);
unsigned int d_flags_for_inode(struct inode *inode);
void __d_set_inode_and_type(struct dentry *d, struct inode *inode, unsigned int type);

/* Directory i_dir_seq: odd while a name appears; d_lock held. */
unsigned long start_dir_add(struct inode *dir);
void end_dir_add(struct inode *dir, unsigned long n);
