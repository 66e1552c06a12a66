// SPDX-License-Identifier: MIT
#pragma once
/*
 * The name cache. A dentry binds (parent, name) to an inode, or says that there is none (negative).
 *
 * Life: d_alloc* (one reference) -> hashed by d_add/d_splice_alias -> references come and go; at zero
 * a hashed dentry rests on its superblock's LRU and stays findable -> killed by the shrinker, by
 * unlink of an unused name, or with its superblock -> freed after a grace period.
 *
 * d_count >= 0 is the number of references; negative means dead, or that its inode is
 * going and its one user has d_lock (d_delete()). Whoever has a reference may take another with one increment; whoever has none may only do so through dget_not_dead().
 *
 * Locks: [D] d_lock  [R] rename_lock + d_lock of the dentry and both parents, d_seq raised
 *        [B] hash bucket  [L] s_dentry_lru lock  [I] inode->i_lock  [P] the parent's d_lock
 *        [c] constant after allocation. RCU readers check d_seq.
 * Order: i_lock > parent d_lock > d_lock > LRU lock > bucket.
 */
#include <lib/byteorder.h>
#include <lib/types.h>
#include <lib/list.h>
#include <lib/atomic.h>
#include <kernel/spinlock.h>
#include <kernel/seqlock.h>
#include <kernel/rcu.h>
#include <sched/wait.h>

struct inode;
struct super_block;
struct path;
struct vfsmount;
struct dentry;
struct mnt_idmap;

/* A name, its length and its hash: hash_len compares both at once. */
struct qstr {
	union {
		struct {
			LOW_HALF_FIRST(u32 hash;, u32 len;)
		};
		u64		hash_len;		/* the hash is the low half */
	};
	const char		*name;
};
#define QSTR_INIT(n, l)	{ { { .hash = 0, .len = (l) } }, .name = (n) }
#define QSTR_LEN(n, l)	((struct qstr)QSTR_INIT(n, l))
#define QSTR(n)		QSTR_LEN(n, strlen(n))

#define hashlen_hash(hl)	((u32)(hl))
#define hashlen_len(hl)		((u32)((hl) >> 32))
#define hashlen_create(h, l)	((u64)(u32)(l) << 32 | (u32)(h))

struct dentry_operations {
	int (*d_revalidate)(struct inode *dir, const struct qstr *name, struct dentry *dentry,
			    unsigned int flags);
	int (*d_weak_revalidate)(struct dentry *dentry, unsigned int flags);
	int (*d_hash)(const struct dentry *dir, struct qstr *name);
	int (*d_compare)(const struct dentry *dentry, unsigned int len, const char *str,
			 const struct qstr *name);
	int (*d_delete)(const struct dentry *dentry);	/* 1: do not cache at zero references */
	int (*d_init)(struct dentry *dentry);
	void (*d_release)(struct dentry *dentry);
	void (*d_prune)(struct dentry *dentry);
	void (*d_iput)(struct dentry *dentry, struct inode *inode);
	char *(*d_dname)(struct dentry *dentry, char *buf, int buflen);
	struct vfsmount *(*d_automount)(struct path *path);
	int (*d_manage)(const struct path *path, bool rcu_walk);
};

#define DNAME_INLINE_LEN 40

struct dentry {
	/* Read by RCU-walk; one or two cache lines. */
	unsigned int		d_flags;	/* [D] DCACHE_* */
	seqcount_t		d_seq;		/* written under [D] */
	struct dentry __rcu	*d_hnext;	/* [B] next in the bucket */
	unsigned long		*d_hpprev;	/* [B] NULL: not hashed */
	struct dentry		*d_parent;	/* [R] self: a root */
	struct qstr		d_name;		/* [R] */
	struct inode		*d_inode;	/* [D] NULL: negative */
	char			d_iname[DNAME_INLINE_LEN];

	const struct dentry_operations *d_op;	/* [c] */
	struct super_block	*d_sb;		/* [c] */
	atomic_t		d_count;
	spinlock_t		d_lock;
	union {
		unsigned long		d_time;		/* d_revalidate's */
		struct dir_place	*d_place;	/* [P] DCACHE_DIR_PLACE (libfs) */
	};
	void			*d_fsdata;	/* the filesystem's */
	union {
		struct list_head	d_lru;	/* [L] */
		wait_queue_head_t	*d_wait; /* in-lookup only */
	};
	struct hlist_node	d_sib;		/* [P] */
	struct hlist_head	d_children;	/* [D] */
	union {
		struct hlist_node	d_alias;	/* [I] */
		struct hlist_node	d_in_lookup;	/* in-lookup bucket lock */
		struct rcu_head		d_rcu;
	};
};

/* d_flags */
#define DCACHE_OP_HASH		0x00000001
#define DCACHE_OP_COMPARE	0x00000002
#define DCACHE_OP_REVALIDATE	0x00000004
#define DCACHE_OP_DELETE	0x00000008
#define DCACHE_OP_WEAK_REVALIDATE 0x00000010
#define DCACHE_OP_PRUNE		0x00000020
#define DCACHE_DISCONNECTED	0x00000040	/* it, or one above it, has no place (vfs/export.h) */
#define DCACHE_REFERENCED	0x00000080	/* used since it was put on the LRU */
#define DCACHE_DONTCACHE	0x00000100	/* forget at zero references */
#define DCACHE_CANT_MOUNT	0x00000200
#define DCACHE_SHRINK_LIST	0x00000400	/* d_lru belongs to a shrinker's private list */
#define DCACHE_LRU_LIST		0x00000800
#define DCACHE_MOUNTED		0x00001000	/* something is mounted here in some namespace */
#define DCACHE_NEED_AUTOMOUNT	0x00002000
#define DCACHE_MANAGE_TRANSIT	0x00004000
#define DCACHE_MANAGED_DENTRY	(DCACHE_MOUNTED | DCACHE_NEED_AUTOMOUNT | DCACHE_MANAGE_TRANSIT)
#define DCACHE_PAR_LOOKUP	0x00008000	/* being looked up; d_wait is valid */
#define DCACHE_DENTRY_KILLED	0x00010000	/* dead, and off its parent's list */
#define DCACHE_PERSISTENT	0x00020000	/* pinned by a memory filesystem's tree */
#define DCACHE_NORCU		0x00040000	/* never seen by RCU-walk: freed at once */
#define DCACHE_DIR_PLACE	0x00080000	/* d_place is valid: readers of its directory begin here */
#define DCACHE_ENTRY_TYPE	0x00700000
#define DCACHE_MISS_TYPE	0x00000000	/* negative */
#define DCACHE_WHITEOUT_TYPE	0x00100000
#define DCACHE_DIRECTORY_TYPE	0x00200000
#define DCACHE_AUTODIR_TYPE	0x00300000	/* directory without lookup */
#define DCACHE_REGULAR_TYPE	0x00400000
#define DCACHE_SPECIAL_TYPE	0x00500000
#define DCACHE_SYMLINK_TYPE	0x00600000
#define DCACHE_KILLER_DONE	0x00800000	/* its killer will not touch it again */

#define D_COUNT_DEAD		(-128)

static inline unsigned int d_entry_type(const struct dentry *d)
{
	return READ_ONCE(d->d_flags) & DCACHE_ENTRY_TYPE;
}
static inline bool d_is_negative(const struct dentry *d) { return !d_entry_type(d); }
static inline bool d_is_positive(const struct dentry *d) { return d_entry_type(d); }
static inline bool d_is_symlink(const struct dentry *d)
{
	return d_entry_type(d) == DCACHE_SYMLINK_TYPE;
}
static inline bool d_can_lookup(const struct dentry *d)
{
	return d_entry_type(d) == DCACHE_DIRECTORY_TYPE;
}
static inline bool d_is_dir(const struct dentry *d)
{
	return d_can_lookup(d) || d_entry_type(d) == DCACHE_AUTODIR_TYPE;
}
static inline bool d_is_reg(const struct dentry *d)
{
	return d_entry_type(d) == DCACHE_REGULAR_TYPE;
}
static inline struct inode *d_inode(const struct dentry *d) { return d->d_inode; }
static inline struct inode *d_inode_rcu(const struct dentry *d) { return READ_ONCE(d->d_inode); }
static inline struct inode *d_backing_inode(const struct dentry *d) { return d->d_inode; }
static inline bool d_really_is_negative(const struct dentry *d) { return !d->d_inode; }
static inline bool d_really_is_positive(const struct dentry *d) { return d->d_inode; }
static inline bool d_unhashed(const struct dentry *d) { return !READ_ONCE(d->d_hpprev); }
static inline bool IS_ROOT(const struct dentry *d) { return d == d->d_parent; }
static inline bool d_unlinked(const struct dentry *d) { return d_unhashed(d) && !IS_ROOT(d); }
static inline bool d_mountpoint(const struct dentry *d)
{
	return READ_ONCE(d->d_flags) & DCACHE_MOUNTED;
}
static inline bool d_managed(const struct dentry *d)
{
	return READ_ONCE(d->d_flags) & DCACHE_MANAGED_DENTRY;
}
static inline bool d_in_lookup(const struct dentry *d)
{
	return READ_ONCE(d->d_flags) & DCACHE_PAR_LOOKUP;
}
/* Nothing can be mounted here from now on. */
static inline void d_dont_mount(struct dentry *d)
{
	spin_lock(&d->d_lock);
	d->d_flags |= DCACHE_CANT_MOUNT;
	spin_unlock(&d->d_lock);
}

static inline bool cant_mount(const struct dentry *d)
{
	return READ_ONCE(d->d_flags) & DCACHE_CANT_MOUNT;
}
static inline int d_count(const struct dentry *d) { return atomic_read(&d->d_count); }

extern seqlock_t rename_lock;

/* References. dput() may sleep. */
static inline struct dentry *dget(struct dentry *d)
{
	if (d)
		atomic_inc(&d->d_count);
	return d;
}
/* False: dying; the caller must hold off freeing by RCU. */
static inline bool dget_not_dead(struct dentry *d)
{
	int c = atomic_read(&d->d_count);

	do {
		if (unlikely(c < 0))
			return false;
	} while (!atomic_try_cmpxchg_acquire(&d->d_count, &c, c + 1));
	return true;
}
void dput(struct dentry *d);
struct dentry *dget_parent(struct dentry *d);

/* Making and binding. ERR_PTR or NULL conventions are Linux's. */
struct dentry *d_alloc(struct dentry *parent, const struct qstr *name);	/* NULL: no memory */
struct dentry *d_alloc_name(struct dentry *parent, const char *name);
struct dentry *d_alloc_anon(struct super_block *sb);
struct dentry *d_alloc_pseudo(struct super_block *sb, const struct qstr *name);
struct dentry *d_alloc_parallel(struct dentry *parent, const struct qstr *name, wait_queue_head_t *wq);
void d_lookup_done(struct dentry *d);
struct dentry *d_make_root(struct inode *inode);	/* eats the inode reference, also on failure */
/*
 * A dentry of INODE, which was found by its number: one that it has, or a new one without a name and a place (DCACHE_DISCONNECTED).
 * Eats the inode reference; of NULL it is ERR_PTR(-ESTALE), of an ERR_PTR that error. Sleeps.
 */
struct dentry *d_obtain_alias(struct inode *inode);
struct dentry *d_splice_alias(struct inode *inode, struct dentry *dentry);
struct dentry *d_find_alias(struct inode *inode);	/* one with a name, or a directory's; NULL */
struct dentry *d_find_any_alias(struct inode *inode);
void d_instantiate(struct dentry *d, struct inode *inode);
void d_instantiate_new(struct dentry *d, struct inode *inode);
void d_add(struct dentry *d, struct inode *inode);
void d_rehash(struct dentry *d);
void d_drop(struct dentry *d);
void d_delete(struct dentry *d);
void d_move(struct dentry *from, struct dentry *to);
void d_exchange(struct dentry *a, struct dentry *b);
void d_mark_dontcache(struct inode *inode);
void d_tmpfile(struct dentry *d, struct inode *inode);
void d_set_d_op(struct dentry *d, const struct dentry_operations *op);
/* Memory filesystems: hash and pin (one extra reference) a new entry; drop pin and unhash. */
void d_make_persistent(struct dentry *d, struct inode *inode);
void d_make_discardable(struct dentry *d);

/* Looking. d_lookup takes a reference; the RCU variant gives the dentry's sequence instead. */
struct dentry *d_lookup(const struct dentry *parent, const struct qstr *name);
struct dentry *d_hash_and_lookup(struct dentry *parent, struct qstr *name);
struct dentry *d_lookup_rcu(const struct dentry *parent, const struct qstr *name, unsigned int *seq);
u32 full_name_hash(const void *salt, const char *name, unsigned int len);
/* Hash up to '/' or NUL; returns hash and length. */
u64 hashlen_string(const void *salt, const char *name);

/* Trees. */
bool is_subdir(const struct dentry *d, const struct dentry *ancestor);	/* @d is referenced */
struct dentry *d_ancestor(struct dentry *maybe_ancestor, struct dentry *d);
void d_invalidate(struct dentry *d);
void d_prune_aliases(struct inode *inode);
void shrink_dcache_parent(struct dentry *d);
void shrink_dcache_sb(struct super_block *sb);
void shrink_dcache_for_umount(struct super_block *sb);
unsigned long prune_dcache_sb(struct super_block *sb, unsigned long nr);
void d_genocide(struct dentry *d);

/* Text. All return a pointer into @buf or ERR_PTR(-ENAMETOOLONG); d_path appends " (deleted)". */
char *d_path(const struct path *path, char *buf, int buflen);
char *d_absolute_path(const struct path *path, char *buf, int buflen);
char *__d_path(const struct path *path, const struct path *root, char *buf, int buflen);
char *dentry_path(const struct dentry *d, char *buf, int buflen);
char *dynamic_dname(char *buf, int buflen, const char *fmt, ...) __printf(3, 4);
char *simple_dname(struct dentry *d, char *buf, int buflen);

struct dentry_stat {
	long nr_dentry;
	long nr_unused;
	long nr_negative;
};
void dentry_get_stat(struct dentry_stat *st);
