// SPDX-License-Identifier: MIT
#pragma once
/* Between dcache.c (life), dhash.c (finding) and dtree.c (moving, walking, shrinking). */
#include <vfs/fs.h>
#include <vfs/dentry.h>
#include <vfs/namehash.h>
#include <lib/string.h>

struct external_name {
	atomic_t	refs;
	struct rcu_head	rcu;
	char		name[];
};
/* libfs.c */
void __dir_place_forget(struct dentry *d);
/* D leaves its place in its parent's list; both locked. */
static __always_inline void dir_place_forget(struct dentry *d)
{
	if (unlikely(d->d_flags & DCACHE_DIR_PLACE))
		__dir_place_forget(d);
}

static inline bool dname_external(const struct dentry *d)
{
	return d->d_name.name != d->d_iname;
}
static inline struct external_name *dname_ext(const struct dentry *d)
{
	return container_of((const char (*)[])d->d_name.name, struct external_name, name);
}

/* dhash.c: each bucket is a chain of dentries with a lock in bit 0. */
#define CHAIN_LOCK	1ul
#define CHAIN_MOVED	2ul		/* it is in the table's future, here nothing is left */
#define CHAIN_FLAGS	3ul
struct dhash {
	u32		mask;		/* number of buckets - 1 */
	struct dhash __rcu *future;	/* set before the first chain moves there */
	struct rcu_head	rcu;
	unsigned long	bucket[];
};
extern struct dhash __rcu *dhash;
static __always_inline unsigned long *bucket_of(struct dhash *t, u32 hash)
{
	return &t->bucket[hash & t->mask];
}
static __always_inline struct dentry *chain_first(unsigned long *bucket)
{
	return (struct dentry *)(smp_load_acquire(bucket) & ~CHAIN_FLAGS);
}
static __always_inline struct dentry *chain_next(const struct dentry *d)
{
	return rcu_dereference(d->d_hnext);
}

/* Is the dentry's text @dname this name, of the same length, whose last, partial word is @tail? Stops where they differ. */
static __always_inline bool dname_equals(const char *dname, const char *name, u32 len, u64 tail)
{
	for (; len >= 8; len -= 8, dname += 8, name += 8) {
		if (nh_raw_load(dname) != nh_raw_load(name))
			return false;
	}
	return nh_raw_load(dname) == tail;	/* zero-padded, as __d_alloc() leaves it */
}

/*
 * d_lookup_rcu() to be inlined where every component of a path comes through: @parent has no d_hash nor d_compare. A miss may be
 * a name that is moving or being added, or in the table that this one grows into. An odd *seqp fails every check.
 */
static __always_inline struct dentry *d_find_rcu(const struct dentry *parent, const char *name, u64 hashlen, u64 tail, u32 *seqp)
{
	struct dentry *d = chain_first(bucket_of(rcu_dereference(dhash), hashlen_hash(hashlen)));

	for (; d; d = chain_next(d)) {
		u32 seq = raw_read_seqcount(&d->d_seq);

		if (READ_ONCE(d->d_parent) != parent || READ_ONCE(d->d_name.hash_len) != hashlen || d_unhashed(d) ||
		    !dname_equals(rcu_dereference_untyped(d->d_name.name), name, hashlen_len(hashlen), tail))
			continue;
		*seqp = seq & ~1u;
		return d;
	}
	return NULL;
}

void d_hash_init(void);
void d_hash_insert(struct dentry *d);		/* d_lock held */
void d_hash_remove(struct dentry *d);		/* d_lock held */
void d_hash_grow_if_long(void);
void d_unhash_in_lookup(struct dentry *d);	/* d_lock held; wakes who waits */

/*
 * dtree.c: ALIAS, a directory that has no place, comes to D's, whose parent is locked. 0; -EAGAIN: it has one; -ELOOP: that lies
 * below ALIAS, or ALIAS is the root.
 */
int d_attach(struct dentry *alias, struct dentry *d);

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
