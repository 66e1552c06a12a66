// SPDX-License-Identifier: MIT
/*
 * Life and death of dentries.
 *
 * A dentry with references is somebody's; one without is either kept on its superblock's LRU because
 * it may be asked for again, or killed. Killing takes the inode's i_lock, the parent's d_lock and the
 * dentry's, and then turns the count from 0 to dead in one step: whoever comes without a reference
 * (RCU-walk, the hash) sees either a count it can raise or a corpse, never something between.
 *
 * The last reference usually goes without any lock: a hashed dentry that is on the LRU already just
 * drops to zero there.
 */
#include <lib/types.h>
#include "dcache_priv.h"
#include <alloc/slab.h>
#include <kernel/init.h>
#include <kernel/percpu.h>
#include <kernel/cpumask.h>
#include <kernel/printk.h>
#include <mm/mm.h>
#include <vfs/notify.h>

static struct kmem_cache *dentry_cache __ro_after_init;
static DEFINE_PER_CPU(long, nr_dentry);
static DEFINE_PER_CPU(long, nr_dentry_unused);
static DEFINE_PER_CPU(long, nr_dentry_negative);

static long sum_percpu(long *counter)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += *per_cpu_ptr(counter, cpu);
	return sum < 0 ? 0 : sum;
}

void dentry_get_stat(struct dentry_stat *st)
{
	st->nr_dentry = sum_percpu(&nr_dentry);
	st->nr_unused = sum_percpu(&nr_dentry_unused);
	st->nr_negative = sum_percpu(&nr_dentry_negative);
}

/* Freeing. */

static void dentry_free_rcu(struct rcu_head *head)
{
	struct dentry *d = container_of(head, struct dentry, d_rcu);

	if (unlikely(dname_external(d)) && atomic_dec_and_test(&dname_ext(d)->refs))
		kfree(dname_ext(d));
	kmem_cache_free(dentry_cache, d);
}

void dentry_free(struct dentry *d)
{
	if (d->d_flags & DCACHE_NORCU)
		dentry_free_rcu(&d->d_rcu);
	else
		call_rcu(&d->d_rcu, dentry_free_rcu);
}

/* The LRU. d_lock is held in all of these. */

static void d_lru_add(struct dentry *d)
{
	struct super_block *sb = d->d_sb;

	d->d_flags |= DCACHE_LRU_LIST;
	this_cpu_inc(nr_dentry_unused);
	if (d_is_negative(d))
		this_cpu_inc(nr_dentry_negative);
	spin_lock(&sb->s_lru_lock);
	list_add_tail(&d->d_lru, &sb->s_dentry_lru);
	sb->s_nr_dentry_lru++;
	spin_unlock(&sb->s_lru_lock);
}

void d_lru_del(struct dentry *d)
{
	struct super_block *sb = d->d_sb;

	d->d_flags &= ~DCACHE_LRU_LIST;
	this_cpu_dec(nr_dentry_unused);
	if (d_is_negative(d))
		this_cpu_dec(nr_dentry_negative);
	spin_lock(&sb->s_lru_lock);
	list_del_init(&d->d_lru);
	sb->s_nr_dentry_lru--;
	spin_unlock(&sb->s_lru_lock);
}

void d_shrink_del(struct dentry *d)
{
	list_del_init(&d->d_lru);
	d->d_flags &= ~(DCACHE_SHRINK_LIST | DCACHE_LRU_LIST);
	this_cpu_dec(nr_dentry_unused);
}

void d_shrink_add(struct dentry *d, struct list_head *list)
{
	list_add(&d->d_lru, list);
	d->d_flags |= DCACHE_SHRINK_LIST | DCACHE_LRU_LIST;
	this_cpu_inc(nr_dentry_unused);
}

/* s_lru_lock held as well. */
void d_lru_to_shrink(struct dentry *d, struct list_head *list)
{
	d->d_flags |= DCACHE_SHRINK_LIST;
	if (d_is_negative(d))
		this_cpu_dec(nr_dentry_negative);
	list_move_tail(&d->d_lru, list);
	d->d_sb->s_nr_dentry_lru--;
}

void d_to_shrink_list(struct dentry *d, struct list_head *list)
{
	if (d->d_flags & DCACHE_SHRINK_LIST)
		return;
	if (d->d_flags & DCACHE_LRU_LIST)
		d_lru_del(d);
	d_shrink_add(d, list);
}

void __d_drop(struct dentry *d)
{
	if (d_unhashed(d))
		return;
	d_hash_remove(d);
	d->d_hpprev = NULL;
	write_seqcount_invalidate(&d->d_seq);
}

void d_drop(struct dentry *d)
{
	spin_lock(&d->d_lock);
	__d_drop(d);
	spin_unlock(&d->d_lock);
}

/* Takes the inode away; i_lock and d_lock held, both dropped. The count is that of a dead dentry; a LIVING one has its one reference again. */
static void dentry_unlink_inode(struct dentry *d, bool living) __releases(d->d_lock) __releases(d->d_inode->i_lock)
{
	struct inode *inode = d->d_inode;

	raw_write_seqcount_begin(&d->d_seq);
	WRITE_ONCE(d->d_flags, d->d_flags & ~DCACHE_ENTRY_TYPE);
	d->d_inode = NULL;
	if (d->d_flags & DCACHE_LRU_LIST && !(d->d_flags & DCACHE_SHRINK_LIST))
		this_cpu_inc(nr_dentry_negative);
	hlist_del_init(&d->d_alias);
	raw_write_seqcount_end(&d->d_seq);
	if (living)
		atomic_set_release(&d->d_count, 1);
	spin_unlock(&d->d_lock);
	spin_unlock(&inode->i_lock);
	if (!inode->i_nlink)
		notify_deleted(inode);
	if (d->d_op && d->d_op->d_iput)
		d->d_op->d_iput(d, inode);
	else
		iput(inode);
}

/* All three locks held and the count turned dead. Returns the parent, whose reference is now ours. */
static struct dentry *__dentry_kill(struct dentry *d)
{
	struct dentry *parent = IS_ROOT(d) ? NULL : d->d_parent;
	bool can_free = true;

	if (d->d_flags & DCACHE_OP_PRUNE)
		d->d_op->d_prune(d);
	if (d->d_flags & DCACHE_LRU_LIST) {
		if (!(d->d_flags & DCACHE_SHRINK_LIST))
			d_lru_del(d);
	}
	__d_drop(d);
	d->d_flags |= DCACHE_DENTRY_KILLED;
	if (parent) {
		/* d_sib.next stays: a walker standing here finds its way on. */
		if (!hlist_unhashed(&d->d_sib)) {
			dir_place_forget(d);
			__hlist_del(&d->d_sib);
			d->d_sib.pprev = NULL;
		}
		spin_unlock(&parent->d_lock);
	}
	if (d->d_inode)
		dentry_unlink_inode(d, false);
	else
		spin_unlock(&d->d_lock);
	this_cpu_dec(nr_dentry);
	if (d->d_op && d->d_op->d_release)
		d->d_op->d_release(d);

	/* One of us frees it: a shrinker that has it on its list still and will find us done, or we. */
	spin_lock(&d->d_lock);
	d->d_flags |= DCACHE_KILLER_DONE;
	if (d->d_flags & DCACHE_SHRINK_LIST)
		can_free = false;
	spin_unlock(&d->d_lock);
	if (can_free)
		dentry_free(d);
	return parent;
}

/*
 * From d_lock to i_lock, the parent's d_lock and d_lock. False when the dentry got a reference or died
 * meanwhile; then only d_lock is held. RCU read section held by the caller.
 */
bool lock_for_kill(struct dentry *d)
{
	struct inode *inode = d->d_inode;
	struct dentry *parent = d->d_parent;

	if (unlikely(atomic_read(&d->d_count)))
		return false;
	if (!inode || spin_trylock(&inode->i_lock)) {
		if (IS_ROOT(d) || spin_trylock(&parent->d_lock))
			return true;
		if (inode)
			spin_unlock(&inode->i_lock);
	}
	spin_unlock(&d->d_lock);
	for (;;) {
		inode = READ_ONCE(d->d_inode);
		parent = READ_ONCE(d->d_parent);
		if (inode)
			spin_lock(&inode->i_lock);
		if (parent != d)
			spin_lock(&parent->d_lock);
		spin_lock_nested(&d->d_lock, 1);
		if (likely(inode == d->d_inode && parent == d->d_parent))
			break;
		spin_unlock(&d->d_lock);
		if (parent != d)
			spin_unlock(&parent->d_lock);
		if (inode)
			spin_unlock(&inode->i_lock);
	}
	if (likely(!atomic_read(&d->d_count)))
		return true;
	if (parent != d)
		spin_unlock(&parent->d_lock);
	if (inode)
		spin_unlock(&inode->i_lock);
	return false;
}

static void unlock_for_kill(struct dentry *d)
{
	if (!IS_ROOT(d))
		spin_unlock(&d->d_parent->d_lock);
	if (d->d_inode)
		spin_unlock(&d->d_inode->i_lock);
	spin_unlock(&d->d_lock);
}

/* All locks held by lock_for_kill(); drops them. The parent to put, or NULL. */
struct dentry *dentry_kill_locked(struct dentry *d)
{
	if (atomic_cmpxchg(&d->d_count, 0, D_COUNT_DEAD) != 0) {
		unlock_for_kill(d);
		return NULL;
	}
	return __dentry_kill(d);
}

/* d_lock held, count 0 (or raised since by somebody). Drops the lock. */
struct dentry *dentry_kill(struct dentry *d)
{
	struct dentry *parent;

	rcu_read_lock();
	if (!lock_for_kill(d)) {
		spin_unlock(&d->d_lock);
		rcu_read_unlock();
		return NULL;
	}
	/* With the count dead the memory is ours until freed. */
	if (atomic_cmpxchg(&d->d_count, 0, D_COUNT_DEAD) != 0) {
		unlock_for_kill(d);
		rcu_read_unlock();
		return NULL;
	}
	rcu_read_unlock();
	parent = __dentry_kill(d);
	return parent;
}

/* At zero references: keep it for later? d_lock held. */
static bool retain_dentry(struct dentry *d)
{
	unsigned int flags = d->d_flags;

	if (d_unhashed(d) || flags & (DCACHE_DISCONNECTED | DCACHE_DONTCACHE))
		return false;
	/* Nor what lies in a directory without a place: no walk comes there, nor the end of the superblock. */
	if (unlikely(READ_ONCE(d->d_parent->d_flags) & DCACHE_DISCONNECTED))
		return false;
	if (flags & DCACHE_OP_DELETE && d->d_op->d_delete(d))
		return false;
	if (!(flags & DCACHE_LRU_LIST))
		d_lru_add(d);
	else if (!(flags & DCACHE_REFERENCED))
		d->d_flags |= DCACHE_REFERENCED;
	return true;
}

#define FAST_FLAGS (DCACHE_REFERENCED | DCACHE_LRU_LIST | DCACHE_OP_DELETE | DCACHE_DISCONNECTED | \
		    DCACHE_DONTCACHE)

/* True: done. False: d_lock is held, the reference is gone and somebody has to decide. */
static bool fast_dput(struct dentry *d)
{
	int c = atomic_read(&d->d_count);

	while (c > 1) {
		if (likely(atomic_try_cmpxchg(&d->d_count, &c, c - 1)))
			return true;
	}
	if ((READ_ONCE(d->d_flags) & FAST_FLAGS) == (DCACHE_REFERENCED | DCACHE_LRU_LIST) &&
	    !d_unhashed(d) && atomic_cmpxchg(&d->d_count, 1, 0) == 1) {
		/* Unhashed in between? Then it must not linger. */
		if (likely(!d_unhashed(d) && !(READ_ONCE(d->d_flags) & DCACHE_DONTCACHE)))
			return true;
		spin_lock(&d->d_lock);
		if (atomic_read(&d->d_count)) {
			spin_unlock(&d->d_lock);
			return true;
		}
		return false;
	}
	spin_lock(&d->d_lock);
	if (atomic_dec_return(&d->d_count) > 0) {
		spin_unlock(&d->d_lock);
		return true;
	}
	return false;
}

static noinline void dput_last(struct dentry *d)
{
	while (d) {
		/* The dentry may die under us once our reference is gone: hold off its freeing. */
		rcu_read_lock();
		if (likely(fast_dput(d))) {
			rcu_read_unlock();
			return;
		}
		rcu_read_unlock();
		if (atomic_read(&d->d_count) || retain_dentry(d)) {
			spin_unlock(&d->d_lock);
			return;
		}
		d = dentry_kill(d);
	}
}

void dput(struct dentry *d)
{
	int c;

	if (!d)
		return;
	/* Not the last: nothing is touched after our reference is gone. */
	c = atomic_read(&d->d_count);
	while (likely(c > 1)) {
		if (likely(atomic_try_cmpxchg(&d->d_count, &c, c - 1)))
			return;
	}
	dput_last(d);
}

struct dentry *dget_parent(struct dentry *d)
{
	struct dentry *parent;

	rcu_read_lock();
	for (;;) {
		parent = READ_ONCE(d->d_parent);
		if (dget_not_dead(parent)) {
			if (likely(parent == READ_ONCE(d->d_parent)))
				break;
			rcu_read_unlock();
			dput(parent);
			rcu_read_lock();
		}
	}
	rcu_read_unlock();
	return parent;
}

/* Making. */

static struct dentry *__d_alloc(struct super_block *sb, const struct qstr *name)
{
	struct dentry *d = kmem_cache_alloc(dentry_cache, GFP_KERNEL_ACCOUNT);
	char *dname;

	if (unlikely(!d))
		return NULL;
	if (unlikely(!name)) {
		static const struct qstr slash = QSTR_INIT("/", 1);

		name = &slash;
		dname = d->d_iname;
	} else if (name->len > DNAME_INLINE_LEN - 1) {
		size_t size = sizeof(struct external_name) + ((name->len + 1 + 7) & ~7u);
		struct external_name *p = kmalloc(size, GFP_KERNEL_ACCOUNT);

		if (!p) {
			kmem_cache_free(dentry_cache, d);
			return NULL;
		}
		atomic_set(&p->refs, 1);
		dname = p->name;
	} else {
		dname = d->d_iname;
	}
	d->d_name.hash_len = name->hash_len;
	((u64 *)dname)[name->len / 8] = 0;	/* zero-padded: compared a word at a time */
	memcpy(dname, name->name, name->len);
	smp_store_release(&d->d_name.name, dname);	/* pairs with the reads of RCU-walk */

	atomic_set(&d->d_count, 1);
	d->d_flags = 0;
	spin_lock_init(&d->d_lock);
	seqcount_init(&d->d_seq);
	d->d_inode = NULL;
	d->d_parent = d;
	d->d_sb = sb;
	d->d_op = NULL;
	d->d_fsdata = NULL;
	d->d_time = 0;
	d->d_hnext = NULL;
	d->d_hpprev = NULL;
	INIT_LIST_HEAD(&d->d_lru);
	d->d_children.first = NULL;
	INIT_HLIST_NODE(&d->d_alias);
	INIT_HLIST_NODE(&d->d_sib);
	d_set_d_op(d, sb->s_d_op);
	if (d->d_op && d->d_op->d_init && d->d_op->d_init(d)) {
		dentry_free_rcu(&d->d_rcu);
		return NULL;
	}
	this_cpu_inc(nr_dentry);
	return d;
}

struct dentry *d_alloc(struct dentry *parent, const struct qstr *name)
{
	struct dentry *d;

	d_hash_grow_if_long();
	d = __d_alloc(parent->d_sb, name);
	if (!d)
		return NULL;
	spin_lock(&parent->d_lock);
	dget(parent);
	d->d_parent = parent;
	hlist_add_head(&d->d_sib, &parent->d_children);
	spin_unlock(&parent->d_lock);
	return d;
}

struct dentry *d_alloc_name(struct dentry *parent, const char *name)
{
	struct qstr q = QSTR(name);

	q.hash = full_name_hash(parent, name, q.len);
	return d_alloc(parent, &q);
}

struct dentry *d_alloc_anon(struct super_block *sb)
{
	return __d_alloc(sb, NULL);
}

/* For files that no path leads to: never hashed, freed without a grace period. */
struct dentry *d_alloc_pseudo(struct super_block *sb, const struct qstr *name)
{
	struct dentry *d = __d_alloc(sb, name);

	if (d)
		d->d_flags |= DCACHE_NORCU;
	return d;
}

void d_set_d_op(struct dentry *d, const struct dentry_operations *op)
{
	d->d_op = op;
	if (!op)
		return;
	if (op->d_hash)
		d->d_flags |= DCACHE_OP_HASH;
	if (op->d_compare)
		d->d_flags |= DCACHE_OP_COMPARE;
	if (op->d_revalidate)
		d->d_flags |= DCACHE_OP_REVALIDATE;
	if (op->d_weak_revalidate)
		d->d_flags |= DCACHE_OP_WEAK_REVALIDATE;
	if (op->d_delete)
		d->d_flags |= DCACHE_OP_DELETE;
	if (op->d_prune)
		d->d_flags |= DCACHE_OP_PRUNE;
}

/* Binding to inodes. */

unsigned int d_flags_for_inode(struct inode *inode)
{
	unsigned int add = DCACHE_REGULAR_TYPE;

	if (!inode)
		return DCACHE_MISS_TYPE;
	if (S_ISDIR(inode->i_mode)) {
		add = inode->i_opflags & IOP_LOOKUP ? DCACHE_DIRECTORY_TYPE : DCACHE_AUTODIR_TYPE;
	} else if (!(inode->i_opflags & IOP_NOFOLLOW)) {
		add = DCACHE_SYMLINK_TYPE;
	} else if (!S_ISREG(inode->i_mode)) {
		add = DCACHE_SPECIAL_TYPE;
	}
	if (inode->i_flags & S_AUTOMOUNT)
		add |= DCACHE_NEED_AUTOMOUNT;
	return add;
}

/* d_lock held, d_seq raised by the caller or the dentry not yet visible. */
void __d_set_inode_and_type(struct dentry *d, struct inode *inode, unsigned int type)
{
	unsigned int flags = d->d_flags & ~DCACHE_ENTRY_TYPE;

	d->d_inode = inode;
	smp_store_release(&d->d_flags, flags | type);
}

/* i_lock held. */
static void __d_instantiate(struct dentry *d, struct inode *inode)
{
	unsigned int add = d_flags_for_inode(inode);

	spin_lock(&d->d_lock);
	if (d->d_flags & DCACHE_LRU_LIST && !(d->d_flags & DCACHE_SHRINK_LIST))
		this_cpu_dec(nr_dentry_negative);
	hlist_add_head(&d->d_alias, &inode->i_dentry);
	raw_write_seqcount_begin(&d->d_seq);
	__d_set_inode_and_type(d, inode, add);
	raw_write_seqcount_end(&d->d_seq);
	spin_unlock(&d->d_lock);
}

void d_instantiate(struct dentry *d, struct inode *inode)
{
	BUG_ON(!hlist_unhashed(&d->d_alias));
	if (!inode)
		return;
	spin_lock(&inode->i_lock);
	__d_instantiate(d, inode);
	spin_unlock(&inode->i_lock);
}

void d_instantiate_new(struct dentry *d, struct inode *inode)
{
	d_instantiate(d, inode);
	unlock_new_inode(inode);
}

/*
 * Memory filesystems: the tree holds the name, at the front of its directory (see dcache_readdir). The
 * directory is locked. The caller keeps its own reference.
 */
void d_make_persistent(struct dentry *d, struct inode *inode)
{
	struct dentry *parent = d->d_parent;

	spin_lock(&inode->i_lock);
	spin_lock(&parent->d_lock);
	spin_lock_nested(&d->d_lock, 1);
	if (d->d_flags & DCACHE_LRU_LIST && !(d->d_flags & DCACHE_SHRINK_LIST))
		this_cpu_dec(nr_dentry_negative);
	hlist_add_head(&d->d_alias, &inode->i_dentry);
	raw_write_seqcount_begin(&d->d_seq);
	__d_set_inode_and_type(d, inode, d_flags_for_inode(inode) | DCACHE_PERSISTENT);
	raw_write_seqcount_end(&d->d_seq);
	d->d_fsdata = (void *)simple_next_offset(parent->d_inode);
	dir_place_forget(d);
	__hlist_del(&d->d_sib);
	hlist_add_head(&d->d_sib, &parent->d_children);
	if (d_unhashed(d))
		d_hash_insert(d);
	atomic_inc(&d->d_count);
	spin_unlock(&d->d_lock);
	spin_unlock(&parent->d_lock);
	spin_unlock(&inode->i_lock);
}

void d_make_discardable(struct dentry *d)
{
	spin_lock(&d->d_lock);
	d->d_flags &= ~DCACHE_PERSISTENT;
	spin_unlock(&d->d_lock);
	dput(d);
}

struct dentry *d_make_root(struct inode *root_inode)
{
	struct dentry *d;

	if (!root_inode)
		return NULL;
	d = d_alloc_anon(root_inode->i_sb);
	if (!d) {
		iput(root_inode);
		return NULL;
	}
	d_instantiate(d, root_inode);
	return d;
}

static struct dentry *__d_find_alias(struct inode *inode)
{
	struct dentry *d;

	hlist_for_each_entry(d, &inode->i_dentry, d_alias) {
		if ((S_ISDIR(inode->i_mode) || !d_unhashed(d)) && dget_not_dead(d))
			return d;
	}
	return NULL;
}

struct dentry *d_find_alias(struct inode *inode)
{
	struct dentry *d;

	spin_lock(&inode->i_lock);
	d = __d_find_alias(inode);
	spin_unlock(&inode->i_lock);
	return d;
}

static struct dentry *__d_find_any_alias(struct inode *inode)
{
	struct dentry *d;

	hlist_for_each_entry(d, &inode->i_dentry, d_alias) {
		if (dget_not_dead(d))
			return d;
	}
	return NULL;
}

struct dentry *d_find_any_alias(struct inode *inode)
{
	struct dentry *d;

	spin_lock(&inode->i_lock);
	d = __d_find_any_alias(inode);
	spin_unlock(&inode->i_lock);
	return d;
}

struct dentry *d_obtain_alias(struct inode *inode)
{
	struct dentry *d, *new;

	if (!inode)
		return ERR_PTR(-ESTALE);
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	d = d_find_any_alias(inode);
	if (d)
		goto out;
	new = d_alloc_anon(inode->i_sb);
	if (!new) {
		iput(inode);
		return ERR_PTR(-ENOMEM);
	}
	spin_lock(&inode->i_lock);
	d = __d_find_any_alias(inode);
	if (d) {
		spin_unlock(&inode->i_lock);
		dput(new);
		goto out;
	}
	spin_lock(&new->d_lock);
	new->d_flags |= DCACHE_DISCONNECTED;
	__d_set_inode_and_type(new, inode, d_flags_for_inode(inode));
	hlist_add_head(&new->d_alias, &inode->i_dentry);
	spin_unlock(&new->d_lock);
	spin_unlock(&inode->i_lock);
	return new;
out:
	iput(inode);
	return d;
}

void d_tmpfile(struct dentry *d, struct inode *inode)
{
	drop_nlink(inode);
	BUG_ON(dname_external(d) || !hlist_unhashed(&d->d_alias));
	spin_lock(&d->d_parent->d_lock);
	spin_lock_nested(&d->d_lock, 1);
	/* "#" and the inode number, as links to deleted files show it. */
	memset(d->d_iname, 0, DNAME_INLINE_LEN);
	d->d_name.len = snprintf(d->d_iname, DNAME_INLINE_LEN, "#%llu", (u64)inode->i_ino);
	spin_unlock(&d->d_lock);
	spin_unlock(&d->d_parent->d_lock);
	d_instantiate(d, inode);
}

/*
 * The name was removed from its directory. If nobody else uses the dentry it becomes a negative entry,
 * which answers the next look-up; else it is unhashed and lives on as long as its users.
 */
void d_delete(struct dentry *d)
{
	struct inode *inode = d->d_inode;

	spin_lock(&inode->i_lock);
	spin_lock(&d->d_lock);
	/* An RCU-walk takes its reference without d_lock: not while the inode goes, and afterwards it sees another sequence. */
	if (atomic_cmpxchg(&d->d_count, 1, D_COUNT_DEAD) == 1) {
		d->d_flags &= ~DCACHE_CANT_MOUNT;
		dentry_unlink_inode(d, true);
	} else {
		__d_drop(d);
		spin_unlock(&d->d_lock);
		spin_unlock(&inode->i_lock);
	}
}

unsigned long start_dir_add(struct inode *dir)
{
	for (;;) {
		unsigned long n = READ_ONCE(dir->i_dir_seq);

		if (!(n & 1) && cmpxchg(&dir->i_dir_seq, n, n + 1) == n)
			return n;
		bit_spin_wait(0, &dir->i_dir_seq);
	}
}

void end_dir_add(struct inode *dir, unsigned long n)
{
	smp_store_release(&dir->i_dir_seq, n + 2);
}

/* inode may be NULL; its i_lock is held if not; dropped. */
static void __d_add(struct dentry *d, struct inode *inode)
{
	struct inode *dir = NULL;
	unsigned long n = 0;

	spin_lock(&d->d_lock);
	if (unlikely(d_in_lookup(d))) {
		dir = d->d_parent->d_inode;
		n = start_dir_add(dir);
		d_unhash_in_lookup(d);
	}
	if (inode) {
		unsigned int add = d_flags_for_inode(inode);

		hlist_add_head(&d->d_alias, &inode->i_dentry);
		raw_write_seqcount_begin(&d->d_seq);
		__d_set_inode_and_type(d, inode, add);
		raw_write_seqcount_end(&d->d_seq);
	}
	d_hash_insert(d);
	if (dir)
		end_dir_add(dir, n);
	spin_unlock(&d->d_lock);
	if (inode)
		spin_unlock(&inode->i_lock);
}

void d_add(struct dentry *d, struct inode *inode)
{
	if (inode)
		spin_lock(&inode->i_lock);
	__d_add(d, inode);
}

void d_rehash(struct dentry *d)
{
	spin_lock(&d->d_lock);
	if (d_unhashed(d))
		d_hash_insert(d);
	spin_unlock(&d->d_lock);
}

/* To D's place, unless that lies below ALIAS itself. The tree's shape is locked. */
static int move_below(struct dentry *alias, struct dentry *d)
{
	if (d_ancestor(alias, d))
		return -ELOOP;
	d_move(alias, d);
	return 0;
}

/*
 * A directory goes from where it was known to D's place, whose parent is locked. To another parent it goes as a rename would, with
 * what keeps the tree's shape and the other parent locked; since that order is the other way round, only if both are free. One that
 * was found by handle, and has no place yet, is in nobody's way. 0, -ELOOP, -ESTALE: look again.
 */
static int move_alias(struct dentry *alias, struct dentry *d)
{
	struct mutex *shape = &d->d_sb->s_vfs_rename_mutex;
	struct inode *from;
	int err = -ESTALE;

	if (IS_ROOT(alias)) {
		err = d_attach(alias, d);
		if (err != -EAGAIN)
			return err;
		err = -ESTALE;
	}
	/* What has a place keeps one (see export.c). */
	if (READ_ONCE(d->d_parent->d_flags) & DCACHE_DISCONNECTED && !(READ_ONCE(alias->d_flags) & DCACHE_DISCONNECTED))
		return -ESTALE;
	if (alias->d_parent == d->d_parent) {
		d_move(alias, d);
		return 0;
	}
	if (!mutex_trylock(shape))
		return -ESTALE;
	from = alias->d_parent->d_inode;
	if (inode_trylock_shared(from)) {
		err = move_below(alias, d);
		inode_unlock_shared(from);
	}
	mutex_unlock(shape);
	return err;
}

/*
 * The answer of a look-up. A directory has one dentry at most: if it is known under another name
 * (renamed behind our back, or found by handle) that one moves here and is returned with a reference.
 */
struct dentry *d_splice_alias(struct inode *inode, struct dentry *d)
{
	struct dentry *alias;
	int err;

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	if (!inode || !S_ISDIR(inode->i_mode)) {
		d_add(d, inode);
		return NULL;
	}
	spin_lock(&inode->i_lock);
	alias = __d_find_any_alias(inode);
	if (likely(!alias)) {
		__d_add(d, inode);
		return NULL;
	}
	spin_unlock(&inode->i_lock);
	err = move_alias(alias, d);
	iput(inode);
	if (!err)
		return alias;
	dput(alias);
	return ERR_PTR(err);
}

void d_mark_dontcache(struct inode *inode)
{
	struct dentry *d;

	spin_lock(&inode->i_lock);
	hlist_for_each_entry(d, &inode->i_dentry, d_alias) {
		spin_lock(&d->d_lock);
		d->d_flags |= DCACHE_DONTCACHE;
		spin_unlock(&d->d_lock);
	}
	inode->i_state |= I_DONTCACHE;
	spin_unlock(&inode->i_lock);
}

int sysctl_vfs_cache_pressure = 100;	/* per cent of what reclaim takes from others */

static unsigned long dcache_count(struct shrinker *s, struct shrink_control *sc)
{
	/* Inodes whose dentries are gone are unused, too. */
	long n = (sum_percpu(&nr_dentry_unused) + inodes_unused()) * READ_ONCE(sysctl_vfs_cache_pressure) / 100;

	(void)s;
	(void)sc;
	return n ? (unsigned long)n : SHRINK_EMPTY;
}

struct scan_arg {
	unsigned long left, freed;
};

static void scan_super(struct super_block *sb, void *arg)
{
	struct scan_arg *a = arg;
	unsigned long n;

	if (!a->left)
		return;
	n = prune_dcache_sb(sb, a->left);
	n += prune_icache_sb(sb, a->left);
	a->freed += n;
	a->left -= min(a->left, n);
}

static unsigned long dcache_scan(struct shrinker *s, struct shrink_control *sc)
{
	struct scan_arg a = { .left = sc->nr_to_scan };

	(void)s;
	if (!(sc->gfp_mask & __GFP_FS))
		return SHRINK_STOP;
	iterate_supers(scan_super, &a, true);
	sc->nr_scanned = sc->nr_to_scan;
	return a.freed;
}

static struct shrinker dcache_shrinker = {
	.count_objects = dcache_count,
	.scan_objects = dcache_scan,
};

static int dcache_init(void)
{
	dentry_cache = KMEM_CACHE(dentry, SLAB_PANIC | SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT);
	d_hash_init();
	return 0;
}
INITCALL(core, dcache_init);

#pragma weak register_shrinker
static int dcache_shrinker_init(void)
{
	if (&register_shrinker != NULL)
		register_shrinker(&dcache_shrinker, "dentry");
	return 0;
}
INITCALL(fs, dcache_shrinker_init);
