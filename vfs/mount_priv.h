// SPDX-License-Identifier: MIT
#pragma once
/*
 * The tree of mounts.
 *
 * A struct mount sits on (mnt_parent, mnt_mountpoint); the pair is the key of the mount hash. References
 * and writers are per-CPU counts. While mnt_ns is set the namespace itself holds a reference, so putting
 * one can never be the last and costs one local decrement. After unmounting (mnt_ns NULL, a grace period
 * later) every put adds the counts up under mount_lock.
 *
 * Locks: [N] namespace_sem  [M] mount_lock, a seqlock: RCU-walk reads and checks  [S] the superblock's
 * list under mount_lock. Changing the tree takes both, N first.
 *
 * How many mounts come or go in one call is the user's choice. Where they are many, mount_lock is given back every MNT_PIECE
 * mounts. That is only seen by walks under RCU: everybody else who reads the tree holds namespace_sem, which is held over all of it.
 */
#include <vfs/fs.h>
#include <vfs/mount.h>
#include <vfs/mount_calls.h>
#include <vfs/path_text.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <alloc/ghash.h>
#include <kernel/seqlock.h>
#include <kernel/percpu.h>

struct mountpoint {
	struct ghash_node	m_hash;	/* [M] */
	struct hlist_node	m_dead;	/* on the list of who freed it */
	struct mount		*m_lent;	/* there: keeps the dentry's superblock until the dentry is put, NULL: another does */
	struct dentry		*m_dentry;	/* referenced */
	struct hlist_head	m_list;		/* mounts on it [M] */
	int			m_count;	/* [M] list members and holders */
};

struct mnt_pcp {
	int	count;
	int	writers;
};

struct mount {
	struct ghash_node	mnt_hash;	/* [M] RCU */
	struct mount		*mnt_parent;	/* [M] RCU; self: not mounted on anything */
	struct dentry		*mnt_mountpoint;	/* [M] RCU */
	struct vfsmount		mnt;
	struct mnt_pcp		*pcp;
	struct mnt_namespace	*mnt_ns;	/* [M] RCU; NULL: unmounted */
	struct list_head	mnt_mounts;	/* [M] children */
	struct list_head	mnt_child;	/* [M] */
	struct list_head	mnt_instance;	/* [S] */
	struct rb_node		mnt_node;	/* [N] in its namespace's tree */
	struct list_head	mnt_share;	/* [N] ring of peers */
	struct list_head	mnt_slave_list;	/* [N] */
	struct list_head	mnt_slave;	/* [N] */
	struct mount		*mnt_master;	/* [N] */
	struct mountpoint	*mnt_mp;	/* [M] */
	struct hlist_node	mnt_mp_list;	/* [M] */
	const char		*mnt_devname;
	int			mnt_id;		/* what mountinfo shows */
	int			mnt_group_id;	/* [N] peer group, 0: not shared */
	int			mnt_expiry_mark;
	bool			unbindable;	/* [N] */
	bool			group_is_new;	/* [N] by the last invent_group_ids() */
	unsigned int		nr_locked;	/* [M] children with MNT_LOCKED */
	bool			slides;		/* [N] goes, and what is on its root stays: that takes its place */
	bool			marked;		/* [N] an event that propagates was here */
	struct list_head	prop_link;	/* [N] of groups that the event has reached */
	void			*prop_from;	/* [N] what it brought there */
	u64			mnt_id_unique;
	union {
		struct task_work mnt_work;	/* its end, until it begins */
		struct rcu_head	mnt_rcu;
	};
	struct list_head	mnt_unmounted;	/* on its way out */
};

struct mnt_namespace {
	atomic_t		refs;
	atomic_t		passive;
	struct mount		*root;		/* [N] */
	struct rb_root		mounts;		/* [N] all, by mnt_id_unique */
	struct user_namespace	*user_ns;	/* c */
	struct ns_count		*made;		/* c */
	struct ns_id		nsid;		/* not of an anonymous one */
	u64			seq;		/* c: nsid's number, which is creation order; 0: anonymous */
	u64			origin;		/* c: anonymous: seq of the namespace that it was copied from, 0: made of new mounts */
	unsigned int		ino;		/* c */
	unsigned int		nr_mounts;	/* [N] */
	unsigned int		nr_pending;	/* [N] made for it and not attached yet */
	u64			event;		/* [N]: for poll */
	wait_queue_head_t	poll;
	struct rcu_head		rcu;
};
struct mnt_namespace *mnt_ns_by_seq(u64 seq);	/* referenced; NULL */
void show_mount_options(struct seq_file *m, struct mount *r);	/* the filesystem's, each after a comma */

#define MNT_PIECE 32		/* mounts in one section of mount_lock */
#define MNT_NS_INTERNAL ((struct mnt_namespace *)-22l)

extern struct rw_semaphore namespace_sem;
extern seqlock_t mount_lock;

static inline struct mount *real_mount(const struct vfsmount *mnt)
{
	return container_of((struct vfsmount *)mnt, struct mount, mnt);
}
static inline bool mnt_has_parent(const struct mount *m) { return m != m->mnt_parent; }
/*
 * RCU held. What @m is mounted on, for a way up that ends in a reference; NULL: nothing, or a mount at its end, which is about to cut its
 * children off. Going up to it would be a reference to what is freed: its sequence count is no help to who comes after it was changed.
 */
static inline struct mount *mnt_up(const struct mount *m)
{
	struct mount *up = READ_ONCE(m->mnt_parent);

	return up == m || READ_ONCE(up->mnt.mnt_flags) & MNT_DOOMED ? NULL : up;
}
#define MNT_STEPS 256		/* in one read section */
/*
 * A way over mounts under RCU that may be long: lets go of RCU every MNT_STEPS steps. False: the tree has changed since @seq, and what was
 * found may be gone; else it is still there, since nothing is freed before the sequence has changed and a grace period has passed.
 */
bool mnt_breathe_rcu(u32 seq);
static __always_inline bool mnt_step_rcu(unsigned int *steps, u32 seq)
{
	return likely(++*steps % MNT_STEPS) || mnt_breathe_rcu(seq);
}
static inline bool is_mounted_ns(const struct mnt_namespace *ns)
{
	return ns && ns != MNT_NS_INTERNAL;
}
static inline bool is_mounted(const struct vfsmount *mnt)
{
	return is_mounted_ns(real_mount(mnt)->mnt_ns);
}
static inline bool is_anon_ns(const struct mnt_namespace *ns) { return ns == MNT_NS_INTERNAL || !ns->seq; }
static inline bool is_mnt_shared(const struct mount *m) { return m->mnt_group_id; }
static inline bool is_mnt_slave(const struct mount *m) { return m->mnt_master; }
static inline void lock_mount_hash(void) { write_seqlock(&mount_lock); }
static inline void unlock_mount_hash(void) { write_sequnlock(&mount_lock); }

/* A flag that others look at under namespace_sem. mount_lock not held. */
static inline void mnt_mark(struct mount *m, int flag)
{
	read_seqlock_excl(&mount_lock);
	m->mnt.mnt_flags |= flag;
	read_sequnlock_excl(&mount_lock);
}
static inline void mnt_unmark(struct mount *m, int flag)
{
	read_seqlock_excl(&mount_lock);
	m->mnt.mnt_flags &= ~flag;
	read_sequnlock_excl(&mount_lock);
}

/* mount.c */
struct mount *alloc_vfsmnt(const char *name);
void free_vfsmnt_unused(struct mount *m);
struct mount *__lookup_mnt(const struct vfsmount *mnt, const struct dentry *d);	/* RCU or mount_lock */
/* Referenced; NULL: nothing is mounted there. Of a stack one above the lowest: on the topmost there is nothing. */
struct vfsmount *lookup_mnt(const struct path *path);
struct mount *topmost_on(struct mount *m);
int legitimize_mnt_slow(struct mount *m);
void mnt_wake_writers(void);
static inline void mnt_add_count(struct mount *m, int n)
{
	this_cpu_add(m->pcp->count, n);
}
/*
 * RCU held. A reference to a mount found without one, valid only if nothing was mounted since @seq: 0; 1 no, -1 no and mntput later. Of no
 * mount (NULL) it says only whether that is valid: 0 or 1.
 */
static __always_inline int legitimize_mnt(struct vfsmount *mnt, u32 seq)
{
	if (unlikely(read_seqretry(&mount_lock, seq)))
		return 1;
	if (unlikely(!mnt))
		return 0;
	mnt_add_count(real_mount(mnt), 1);
	smp_mb();	/* pairs with the one in mntput(): the count before the sequence */
	if (likely(!read_seqretry(&mount_lock, seq)))
		return 0;
	return legitimize_mnt_slow(real_mount(mnt));
}
int mnt_get_count(struct mount *m);
int mnt_get_writers(struct mount *m);
struct mountpoint *find_mountpoint(const struct dentry *d);	/* mount_lock held; with a reference, NULL: nothing is mounted on it */
struct mountpoint *get_mountpoint(struct dentry *d);	/* ERR_PTR; sleeps */
void put_mountpoint(struct mountpoint *mp);
void put_mountpoint_locked(struct mountpoint *mp, struct mount *lent, struct hlist_head *dead);
void free_mountpoints(struct hlist_head *dead);
void mount_hash_reserve(void);		/* sleeps */
int mnt_assign_id(struct mount *m);
void mnt_set_mountpoint(struct mount *parent, struct mountpoint *mp, struct mount *child);
void mnt_attach(struct mount *m);			/* hash and parent's list */
void mnt_unhook(struct mount *m, struct hlist_head *dead);	/* without the parent's count */
void mnt_detach_locked(struct mount *m, struct hlist_head *dead);
struct mount *clone_mnt(struct mount *old, struct dentry *root, int flag);
struct mount *copy_tree(struct mount *mnt, struct dentry *dentry, int flag);
struct mount *next_mnt(struct mount *p, struct mount *root);
struct mount *skip_mnt_tree(struct mount *p);
#define CL_EXPIRE		0x01
#define CL_SLAVE		0x02
#define CL_COPY_UNBINDABLE	0x04
#define CL_MAKE_SHARED		0x08
#define CL_PRIVATE		0x10
#define CL_SHARED_TO_SLAVE	0x20
#define CL_COPY_MNT_NS_FILE	0x40

/* namespace.c */
void namespace_lock(void) __acquires(namespace_sem);
void namespace_unlock(void) __releases(namespace_sem);
enum umount_tree_flags { UMOUNT_SYNC = 1, UMOUNT_PROPAGATE = 2, UMOUNT_CONNECTED = 4 };
void umount_tree(struct mount *m, int how);
void touch_mnt_namespace(struct mnt_namespace *ns);
void detach_mounts(struct dentry *dentry);
int graft_tree(struct mount *source, struct mount *parent, struct mountpoint *mp);
int lock_mount_point(const struct path *path, struct path *at, struct mountpoint **mp);
void unlock_mount_point(struct path *at, struct mountpoint *mp);
bool check_mnt(const struct mount *m);
/* Is anything mounted below DIR that the mount's owner may not look under? Sleeps. */
bool has_locked_children(const struct path *dir);
bool is_path_reachable(struct mount *m, struct dentry *d, const struct path *root);	/* namespace_sem held */
void namespace_free_tree(struct mount *m);	/* a tree that was never attached; namespace_sem held */
struct mnt_namespace *alloc_mnt_ns(struct user_namespace *user_ns, bool anon);	/* ERR_PTR(-ENOSPC): max_mnt_namespaces */
void free_mnt_ns(struct mnt_namespace *ns);
void mnt_add_to_ns(struct mnt_namespace *ns, struct mount *m);
void mnt_tree_join_ns(struct mount *tree, struct mnt_namespace *ns);
struct mount *mnt_find_id_at(struct mnt_namespace *ns, u64 id);	/* the first with that unique id or a larger one; namespace_sem held */
/* Small numbers, taken and given back in constant time: those that were given back form a list, each in its own place. */
struct id_pool {
	struct xarray ids;		/* of what was ever given: the next free one, while it is free */
	u32 free;			/* [M] the one given back last, 0: none */
	u32 last;			/* [N] the largest ever given */
};
#define ID_POOL_INIT(name) { .ids = XARRAY_INIT(name.ids, 0) }
int id_pool_get(struct id_pool *p);	/* > 0, or -ENOSPC, -ENOMEM; namespace_sem write-held, mount_lock not */
void id_pool_put(struct id_pool *p, u32 id);	/* mount_lock held */
/* From here on whoever lets go of a mount takes its mark of expiry away. */
void mnt_watch_expiry(void);
void mntput_no_expire(struct vfsmount *mnt);	/* but the one who set it */
/* namespace_sem held. May the caller build on M, or copy it: his namespace's, or detached and from there? */
bool may_use_mount(const struct mount *m);
bool is_detached_root(const struct mount *m);	/* of a tree that is held by a descriptor alone */
void lock_mnt_tree(struct mount *m);
unsigned int count_mnt_tree(struct mount *m);
bool mount_room(const struct mnt_namespace *ns, struct mount *tree);	/* would fs.mount-max allow the tree in there, too? */
void set_new_mount_flags(struct mount *m, int flags);
int mount_not_revealing(const struct super_block *sb, unsigned int *flags);	/* before it is mounted; sleeps */
int do_add_mount(struct mount *m, const struct path *path, int mnt_flags);
int do_move_mount(struct path *from, struct path *to, bool beneath);
int do_set_group(const struct path *from, const struct path *to);
struct mount *do_loopback_copy(const struct path *old, bool recurse, bool new_ns, bool foreign);
struct path *fs_root_path(void);
unsigned int mnt_flags_from_ms(unsigned long flags);
struct vfsmount *vfs_create_mount(struct fs_context *fc);	/* fc->root's references become the mount's */
int prepare_tree_flags(struct mount *top, bool recurse, unsigned int set, unsigned int clear);
void commit_tree_flags(struct mount *top, bool recurse, unsigned int set, unsigned int clear, bool change);
void dissolve_on_fput(struct vfsmount *mnt);	/* newmount.c */
extern struct mnt_namespace *init_mnt_ns;

/* pnode.c */
int change_mnt_propagation(struct mount *m, int type);	/* MS_SHARED.. ; namespace locked */
void change_tree_propagation(struct mount *tree, bool recurse, int type);
int invent_group_ids(struct mount *m, bool recurse);
void cleanup_group_ids(struct mount *m, struct mount *end);
int propagate_mnt(struct mount *dest, struct mountpoint *mp, struct mount *source,
		  struct list_head *tree_list);
void propagate_umount_mark(struct mount *top, struct list_head *going);
bool propagate_mount_busy(struct mount *m, int refcnt);
int get_dominating_id(struct mount *m, const struct path *root);
struct mount *next_peer(struct mount *p);

