// SPDX-License-Identifier: MIT
/*
 * The tree of dentries: moving names, walking below a dentry, shrinking, and the invalidation of
 * subtrees. rename_lock is held for writing while a dentry changes its name or parent, so whoever holds
 * it (in either way) sees a tree that does not change its shape above him.
 */
#include <lib/types.h>
#include "dcache_priv.h"
#include "mount_priv.h"
#include <alloc/slab.h>
#include <sched/task.h>

/* Moving. */

static void free_name_rcu(struct rcu_head *head)
{
	kfree(container_of(head, struct external_name, rcu));
}

/* @d gets @target's name; both d_locks and rename_lock held, sequences raised. */
static void copy_name(struct dentry *d, struct dentry *target)
{
	struct external_name *old = dname_external(d) ? dname_ext(d) : NULL;

	if (unlikely(dname_external(target))) {
		atomic_inc(&dname_ext(target)->refs);
		d->d_name = target->d_name;
	} else {
		memcpy(d->d_iname, target->d_iname, DNAME_INLINE_LEN);
		d->d_name.name = d->d_iname;
		d->d_name.hash_len = target->d_name.hash_len;
	}
	if (old && atomic_dec_and_test(&old->refs))
		call_rcu(&old->rcu, free_name_rcu);
}

static void swap_names(struct dentry *a, struct dentry *b)
{
	bool ea = dname_external(a), eb = dname_external(b);
	struct qstr na = a->d_name, nb = b->d_name;
	char tmp[DNAME_INLINE_LEN];

	memcpy(tmp, a->d_iname, DNAME_INLINE_LEN);
	memcpy(a->d_iname, b->d_iname, DNAME_INLINE_LEN);
	memcpy(b->d_iname, tmp, DNAME_INLINE_LEN);
	a->d_name = nb;
	b->d_name = na;
	if (!eb)
		a->d_name.name = a->d_iname;
	if (!ea)
		b->d_name.name = b->d_iname;
}

/* d_lock of both and of both parents, parents first, ancestors before descendants. */
static void lock_for_move(struct dentry *d, struct dentry *target)
{
	struct dentry *a = d->d_parent, *b = target->d_parent;

	if (IS_ROOT(d) || a == b) {
		spin_lock(&b->d_lock);
	} else if (d_ancestor(a, b)) {
		spin_lock(&a->d_lock);
		spin_lock_nested(&b->d_lock, 1);
	} else {
		spin_lock(&b->d_lock);
		spin_lock_nested(&a->d_lock, 1);
	}
	if ((unsigned long)target < (unsigned long)d) {
		spin_lock_nested(&target->d_lock, 2);
		spin_lock_nested(&d->d_lock, 3);
	} else {
		spin_lock_nested(&d->d_lock, 2);
		spin_lock_nested(&target->d_lock, 3);
	}
}

/* rename_lock held for writing; target's parent is locked (i_rwsem) or target is nobody else's. */
static void __d_move(struct dentry *d, struct dentry *target, bool exchange)
{
	struct dentry *old_parent = d->d_parent, *new_parent = target->d_parent;
	bool d_was_root = IS_ROOT(d);
	struct inode *dir = NULL;
	unsigned long n = 0;

	BUG_ON(d == target || d_ancestor(d, target));
	lock_for_move(d, target);
	if (unlikely(d_in_lookup(target))) {
		dir = target->d_parent->d_inode;
		n = start_dir_add(dir);
		d_unhash_in_lookup(target);
	}
	raw_write_seqcount_begin(&d->d_seq);
	raw_write_seqcount_begin(&target->d_seq);
	if (!d_unhashed(d)) {
		d_hash_remove(d);
		d->d_hpprev = NULL;
	}
	if (!d_unhashed(target)) {
		d_hash_remove(target);
		target->d_hpprev = NULL;
	}
	if (!d_was_root) {
		dir_place_forget(d);
		__hlist_del(&d->d_sib);
	}
	d->d_parent = new_parent;
	if (exchange) {
		swap_names(d, target);
		if (!hlist_unhashed(&target->d_sib)) {
			dir_place_forget(target);
			__hlist_del(&target->d_sib);
		}
		target->d_parent = old_parent;
		hlist_add_head(&target->d_sib, &old_parent->d_children);
		d_hash_insert(target);
	} else {
		copy_name(d, target);
		target->d_hpprev = NULL;
		if (d_was_root)
			dget(new_parent);
		else if (old_parent != new_parent)
			dget(new_parent);
	}
	hlist_add_head(&d->d_sib, &new_parent->d_children);
	if (!(new_parent->d_flags & DCACHE_DISCONNECTED))
		d->d_flags &= ~DCACHE_DISCONNECTED;
	d_hash_insert(d);
	raw_write_seqcount_end(&target->d_seq);
	raw_write_seqcount_end(&d->d_seq);
	if (dir)
		end_dir_add(dir, n);
	spin_unlock(&d->d_lock);
	spin_unlock(&target->d_lock);
	if (!d_was_root && old_parent != new_parent)
		spin_unlock(&old_parent->d_lock);
	spin_unlock(&new_parent->d_lock);
}

/* Reference left over on a parent by a move: dropped outside of all locks. */
void d_move(struct dentry *d, struct dentry *target)
{
	struct dentry *old_parent;

	write_seqlock(&rename_lock);
	old_parent = IS_ROOT(d) || d->d_parent == target->d_parent ? NULL : d->d_parent;
	__d_move(d, target, false);
	write_sequnlock(&rename_lock);
	dput(old_parent);
}

int d_attach(struct dentry *alias, struct dentry *d)
{
	int err = 0;

	write_seqlock(&rename_lock);
	if (!IS_ROOT(alias))
		err = -EAGAIN;
	else if (d_ancestor(alias, d) || !(alias->d_flags & DCACHE_DISCONNECTED))
		err = -ELOOP;
	else
		__d_move(alias, d, false);
	write_sequnlock(&rename_lock);
	return err;
}

void d_exchange(struct dentry *a, struct dentry *b)
{
	write_seqlock(&rename_lock);
	WARN_ON(d_is_negative(a) || d_is_negative(b) || IS_ROOT(a) || IS_ROOT(b));
	__d_move(a, b, true);
	write_sequnlock(&rename_lock);
}

/* The child of @anc on the way to @d, or NULL if @anc is no (proper) ancestor. */
struct dentry *d_ancestor(struct dentry *anc, struct dentry *d)
{
	struct dentry *p;

	for (p = d; !IS_ROOT(p); p = p->d_parent) {
		if (p->d_parent == anc)
			return p;
	}
	return NULL;
}

#define UP_STEPS 1024		/* in one read section */

/* RCU held, @d referenced: it keeps all above it as long as @seq of rename_lock stays, so that RCU may be let go of on a long way. */
static bool is_below_rcu(const struct dentry *d, const struct dentry *ancestor, u32 seq) __must_hold(RCU)
{
	unsigned int steps = 0;

	while (d != ancestor && !IS_ROOT(d)) {
		d = READ_ONCE(d->d_parent);
		if (likely(++steps % UP_STEPS))
			continue;
		rcu_read_unlock();
		rcu_read_lock();
		if (read_seqretry(&rename_lock, seq))
			return false;
	}
	return d == ancestor;
}

/* @d is referenced. Renames elsewhere make it begin again; a task that is being killed gives up, with false. */
bool is_subdir(const struct dentry *d, const struct dentry *ancestor)
{
	bool sub;
	u32 seq;

	if (d == ancestor)
		return true;
	do {
		seq = read_seqbegin(&rename_lock);
		rcu_read_lock();
		sub = is_below_rcu(d, ancestor, seq);
		rcu_read_unlock();
	} while (read_seqretry(&rename_lock, seq) && !fatal_signal_pending(current));
	return sub;
}

/* Walking. */

enum walk { WALK_CONTINUE, WALK_QUIT, WALK_SKIP };

static struct dentry *next_sibling(struct dentry *parent, struct dentry *child)
{
	struct hlist_node *n = child ? child->d_sib.next : parent->d_children.first;

	while (n) {
		struct dentry *d = hlist_entry(n, struct dentry, d_sib);

		if (!(d->d_flags & DCACHE_DENTRY_KILLED))
			return d;
		n = d->d_sib.next;
	}
	return NULL;
}

/*
 * Calls @enter with d_lock held for @top and all below, parents first. What keeps the shape is the caller's: rename_lock, or
 * that nobody else uses the tree any more (@alone); then others on this CPU have their turn now and then.
 */
static void walk_shape(struct dentry *top, void *data, enum walk (*enter)(void *, struct dentry *), bool alone)
{
	struct dentry *this = top, *child = NULL;
	unsigned int steps = 0;
	enum walk ret;

	spin_lock(&this->d_lock);
	ret = enter(data, this);
	if (ret != WALK_CONTINUE)
		goto out;
	for (;;) {
		if (alone && !(++steps % 256)) {
			spin_unlock(&this->d_lock);
			cond_resched();
			spin_lock(&this->d_lock);
		}
		child = next_sibling(this, child);
		if (child) {
			spin_lock_nested(&child->d_lock, 1);
			ret = enter(data, child);
			if (ret == WALK_QUIT) {
				spin_unlock(&child->d_lock);
				break;
			}
			if (ret == WALK_CONTINUE && !hlist_empty(&child->d_children)) {
				spin_unlock(&this->d_lock);
				this = child;
				child = NULL;
				continue;
			}
			spin_unlock(&child->d_lock);
			continue;
		}
		if (this == top)
			break;
		/* Up. The one we leave may be killed meanwhile; its d_sib.next still leads on. */
		child = this;
		rcu_read_lock();
		this = child->d_parent;
		spin_unlock(&child->d_lock);
		spin_lock(&this->d_lock);
		rcu_read_unlock();
	}
out:
	spin_unlock(&this->d_lock);
}

static void d_walk(struct dentry *top, void *data, enum walk (*enter)(void *, struct dentry *))
{
	read_seqlock_excl(&rename_lock);
	walk_shape(top, data, enter, false);
	read_sequnlock_excl(&rename_lock);
}

/* Shrinking. */

/* Kill what is on a private list; what has got references meanwhile is taken off. */
void shrink_dentry_list(struct list_head *list)
{
	while (!list_empty(list)) {
		struct dentry *d = list_last_entry(list, struct dentry, d_lru), *parent;

		spin_lock(&d->d_lock);
		rcu_read_lock();
		if (!lock_for_kill(d)) {
			bool mine = d->d_flags & DCACHE_KILLER_DONE;

			rcu_read_unlock();
			d_shrink_del(d);
			spin_unlock(&d->d_lock);
			if (mine)
				dentry_free(d);
			continue;
		}
		/* Its locks hold it from here on; what follows may sleep. */
		rcu_read_unlock();
		d_shrink_del(d);
		parent = dentry_kill_locked(d);
		dput(parent);
	}
}

unsigned long prune_dcache_sb(struct super_block *sb, unsigned long nr)
{
	unsigned long freed = 0;
	LIST_HEAD(dispose);

	spin_lock(&sb->s_lru_lock);
	while (nr-- && !list_empty(&sb->s_dentry_lru)) {
		struct dentry *d = list_first_entry(&sb->s_dentry_lru, struct dentry, d_lru);

		/* Against the order of locks: only try. */
		if (!spin_trylock(&d->d_lock)) {
			list_move_tail(&d->d_lru, &sb->s_dentry_lru);
			continue;
		}
		if (atomic_read(&d->d_count) > 0 || d->d_flags & DCACHE_REFERENCED) {
			d->d_flags &= ~DCACHE_REFERENCED;
			list_move_tail(&d->d_lru, &sb->s_dentry_lru);
		} else {
			d_lru_to_shrink(d, &dispose);
			freed++;
		}
		spin_unlock(&d->d_lock);
	}
	spin_unlock(&sb->s_lru_lock);
	shrink_dentry_list(&dispose);
	return freed;
}

void shrink_dcache_sb(struct super_block *sb)
{
	while (READ_ONCE(sb->s_nr_dentry_lru)) {
		if (!prune_dcache_sb(sb, 1024))
			break;
		cond_resched();
	}
}

struct select_data {
	struct dentry *start;
	struct list_head dispose;
	int found;
};

static enum walk select_collect(void *arg, struct dentry *d)
{
	struct select_data *s = arg;

	if (d == s->start)
		return WALK_CONTINUE;
	if (d->d_flags & DCACHE_SHRINK_LIST) {
		s->found++;
	} else if (!atomic_read(&d->d_count)) {
		d_to_shrink_list(d, &s->dispose);
		s->found++;
	}
	if (!list_empty(&s->dispose) && need_resched())
		return WALK_QUIT;
	return WALK_CONTINUE;
}

void shrink_dcache_parent(struct dentry *parent)
{
	for (;;) {
		struct select_data s = { .start = parent };

		INIT_LIST_HEAD(&s.dispose);
		d_walk(parent, &s, select_collect);
		if (!s.found)
			return;
		if (list_empty(&s.dispose)) {
			/* Somebody else is killing them. */
			cond_resched();
			cpu_relax();
			continue;
		}
		shrink_dentry_list(&s.dispose);
		cond_resched();
	}
}

static enum walk umount_check(void *arg, struct dentry *d)
{
	(void)arg;
	if (!hlist_empty(&d->d_children))
		return WALK_CONTINUE;
	if (d == arg && atomic_read(&d->d_count) == 1)
		return WALK_CONTINUE;
	WARN(1, "vfs: dentry '%s' still has %d users as %s goes away\n", d->d_name.name,
	     atomic_read(&d->d_count), d->d_sb->s_id);
	return WALK_CONTINUE;
}

static void kill_tree(struct dentry *root)
{
	shrink_dcache_parent(root);
	walk_shape(root, root, umount_check, true);
	d_drop(root);
	dput(root);
}

/* The superblock has no users left: nothing of its tree may stay. */
void shrink_dcache_for_umount(struct super_block *sb)
{
	struct dentry *root = sb->s_root;

	if (root) {
		sb->s_root = NULL;
		kill_tree(root);
	}
}

static enum walk d_genocide_one(void *arg, struct dentry *d)
{
	if (d != arg) {
		if (d_unhashed(d) || !d->d_inode)
			return WALK_SKIP;
		if (d->d_flags & DCACHE_PERSISTENT) {
			d->d_flags &= ~DCACHE_PERSISTENT;
			atomic_dec(&d->d_count);
		}
	}
	return WALK_CONTINUE;
}

/* Memory filesystems that end: let go of every name the tree pins. */
void d_genocide(struct dentry *parent)
{
	walk_shape(parent, parent, d_genocide_one, true);
}

static enum walk find_submount(void *arg, struct dentry *d)
{
	struct dentry **found = arg;

	if (d_mountpoint(d)) {
		dget(d);
		*found = d;
		return WALK_QUIT;
	}
	return WALK_CONTINUE;
}

/* The name is no longer true: unhash it, detach what is mounted below, drop the unused. */
void d_invalidate(struct dentry *d)
{
	bool had_submounts = false;

	spin_lock(&d->d_lock);
	if (d_unhashed(d)) {
		spin_unlock(&d->d_lock);
		return;
	}
	__d_drop(d);
	spin_unlock(&d->d_lock);
	if (!d->d_inode)
		return;
	shrink_dcache_parent(d);
	for (;;) {
		struct dentry *victim = NULL;

		d_walk(d, &victim, find_submount);
		if (!victim) {
			if (had_submounts)
				shrink_dcache_parent(d);
			return;
		}
		had_submounts = true;
		detach_mounts(victim);
		dput(victim);
	}
}

void d_prune_aliases(struct inode *inode)
{
	LIST_HEAD(dispose);
	struct dentry *d;

	spin_lock(&inode->i_lock);
	hlist_for_each_entry(d, &inode->i_dentry, d_alias) {
		spin_lock(&d->d_lock);
		if (!atomic_read(&d->d_count))
			d_to_shrink_list(d, &dispose);
		spin_unlock(&d->d_lock);
	}
	spin_unlock(&inode->i_lock);
	shrink_dentry_list(&dispose);
}
