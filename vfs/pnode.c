// SPDX-License-Identifier: MIT
/*
 * Propagation of mounts. Mounts of one peer group (a ring through mnt_share, one group id) see each
 * other's mounts and unmounts; a slave (mnt_master) sees those of its master's group, not the reverse; a
 * mount may be both, a group of slaves. namespace_sem is held for writing in all of this file.
 */
#include <lib/types.h>
#include "mount_priv.h"
#include <vfs/file.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <sched/task.h>

static struct id_pool group_ids = ID_POOL_INIT(group_ids);

struct mount *next_peer(struct mount *p)
{
	return list_entry(p->mnt_share.next, struct mount, mnt_share);
}

static struct mount *next_mount_or_end(struct mount *m, struct mount *root, bool recurse)
{
	return recurse ? next_mnt(m, root) : NULL;
}

/* The last of its group gives the number back. */
static void leave_group(struct mount *m)
{
	if (m->mnt_group_id && list_empty(&m->mnt_share)) {
		read_seqlock_excl(&mount_lock);
		id_pool_put(&group_ids, (u32)m->mnt_group_id);
		read_sequnlock_excl(&mount_lock);
	}
	list_del_init(&m->mnt_share);
	m->mnt_group_id = 0;
}

/* Those that have no group get one each. 0, or -ENOSPC, -ENOMEM, and then none has. mount_lock not held. */
int invent_group_ids(struct mount *m, bool recurse)
{
	for (struct mount *p = m; p; p = next_mount_or_end(p, m, recurse)) {
		int id;

		p->group_is_new = !p->mnt_group_id;
		if (p->mnt_group_id)
			continue;
		id = id_pool_get(&group_ids);
		if (id < 0) {
			cleanup_group_ids(m, p);
			return id;
		}
		p->mnt_group_id = id;
		cond_resched();
	}
	return 0;
}

/* Undo, up to @end. */
void cleanup_group_ids(struct mount *m, struct mount *end)
{
	for (struct mount *p = m; p != end && p; p = next_mnt(p, m)) {
		if (p->group_is_new && p->mnt_group_id && list_empty(&p->mnt_share))
			leave_group(p);
		cond_resched();
	}
}

/* The slaves of @m become those of @master, or free. */
static void hand_over_slaves(struct mount *m, struct mount *master)
{
	struct mount *s, *n;

	list_for_each_entry_safe(s, n, &m->mnt_slave_list, mnt_slave) {
		s->mnt_master = master;
		if (master)
			list_move(&s->mnt_slave, &master->mnt_slave_list);
		else
			list_del_init(&s->mnt_slave);
		cond_resched();
	}
}

/*
 * Who follows @m as the master of its slaves: a peer that stays, one of the same root before others, or its own master. Still a slave of
 * the group's own master? The peers are, and pass it on.
 */
static struct mount *heir_of(struct mount *m)
{
	struct mount *heir = NULL;

	for (struct mount *p = next_peer(m); p != m; p = next_peer(p)) {
		if (p->mnt.mnt_flags & MNT_UMOUNT)
			continue;
		if (p->mnt.mnt_root == m->mnt.mnt_root)
			return p;
		heir = heir ?: p;
		cond_resched();
	}
	return heir ?: m->mnt_master;
}

/* The slaves of @m go to @heir, and with them those of its peers that are being unmounted: each looks for an heir no more. */
static void leave_slaves(struct mount *m, struct mount *heir)
{
	struct mount *p = m;

	hand_over_slaves(m, heir);
	if (!(m->mnt.mnt_flags & MNT_UMOUNT))
		return;
	while ((p = next_peer(p)) != m) {
		if (p->mnt.mnt_flags & MNT_UMOUNT)
			hand_over_slaves(p, heir);
		cond_resched();
	}
}

/* type: MS_SHARED (invent_group_ids() was called), MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE. mount_lock not held. */
int change_mnt_propagation(struct mount *m, int type)
{
	struct mount *master = m->mnt_master;

	m->unbindable = type == MS_UNBINDABLE;
	if (type == MS_SHARED || (type == MS_SLAVE && !m->mnt_group_id))
		return 0;
	if (type == MS_SLAVE || !list_empty(&m->mnt_slave_list)) {
		master = heir_of(m);
		leave_slaves(m, master);
	}
	leave_group(m);
	list_del_init(&m->mnt_slave);
	m->mnt_master = type == MS_SLAVE ? master : NULL;
	if (m->mnt_master)
		list_add(&m->mnt_slave, &master->mnt_slave_list);
	return 0;
}

void change_tree_propagation(struct mount *tree, bool recurse, int type)
{
	for (struct mount *p = tree; p; p = next_mount_or_end(p, tree, recurse)) {
		change_mnt_propagation(p, type);
		cond_resched();
	}
}

/* The id of the nearest master group that has a mount visible from @root. */
int get_dominating_id(struct mount *m, const struct path *root)
{
	for (m = m->mnt_master; m; m = m->mnt_master) {
		struct mount *p = m;

		do {
			if (p->mnt_ns && p->mnt_ns == real_mount(root->mnt)->mnt_ns)
				return p->mnt_group_id;
			p = next_peer(p);
		} while (p != m && !list_empty(&m->mnt_share));
	}
	return 0;
}

static void mark_group(struct mount *m, bool on)
{
	struct mount *p = m;

	do {
		p->marked = on;
		p = next_peer(p);
	} while (p != m);
}

/*
 * Calls @fn for every mount to which an event on @dest propagates, without @dest. @fn gets what it
 * returned for the mount from which the event came (@from); returns that of this one or ERR_PTR.
 */
typedef void *(*prop_fn)(struct mount *to, void *from, bool slave, void *arg);

/* The peers of @first, and then a representative of each group of slaves, which is queued. */
static int visit_group(struct mount *first, void *from, prop_fn fn, void *arg, struct list_head *groups)
{
	struct mount *p, *s;

	for (p = next_peer(first); p != first; p = next_peer(p)) {
		void *r = fn(p, from, false, arg);

		if (IS_ERR(r))
			return (int)PTR_ERR(r);
		cond_resched();
	}
	do {
		list_for_each_entry(s, &p->mnt_slave_list, mnt_slave) {
			void *r;

			cond_resched();
			if (s->marked)
				continue;
			r = fn(s, from, true, arg);
			if (IS_ERR(r))
				return (int)PTR_ERR(r);
			mark_group(s, true);
			s->prop_from = r;
			list_add_tail(&s->prop_link, groups);
		}
		p = next_peer(p);
	} while (p != first);
	return 0;
}

/* Group by group, masters first: how deep slaves are nested is the user's choice, and costs no stack. */
static int for_each_prop(struct mount *dest, void *from, prop_fn fn, void *arg)
{
	struct mount *group, *n;
	LIST_HEAD(groups);
	int err = visit_group(dest, from, fn, arg, &groups);

	/* More are queued meanwhile. */
	list_for_each_entry(group, &groups, prop_link) {
		if (err)
			break;
		err = visit_group(group, group->prop_from, fn, arg, &groups);
	}
	list_for_each_entry_safe(group, n, &groups, prop_link) {
		list_del(&group->prop_link);
		mark_group(group, false);
	}
	return err;
}

struct prop_mnt {
	struct mountpoint *mp;
	const struct mnt_namespace *own;	/* that of a detached source, which gets no copies of itself */
	struct list_head *list;
};

static void *propagate_one(struct mount *to, void *from, bool slave, void *arg)
{
	struct prop_mnt *a = arg;
	struct mount *src = from, *child;
	int type = 0;

	if (!to->mnt_ns || to->mnt_ns == a->own || !is_subdir(a->mp->m_dentry, to->mnt.mnt_root))
		return src;
	if (!mount_room(to->mnt_ns, src))
		return ERR_PTR(-ENOSPC);
	if (slave)
		type = CL_SLAVE | (is_mnt_shared(to) ? CL_MAKE_SHARED : 0);
	child = copy_tree(src, src->mnt.mnt_root, type);
	if (IS_ERR(child))
		return child;
	to->mnt_ns->nr_pending += count_mnt_tree(child);
	if (to->mnt_ns->user_ns != current->nsproxy->mnt_ns->user_ns)
		lock_mnt_tree(child);
	lock_mount_hash();
	mnt_set_mountpoint(to, a->mp, child);
	unlock_mount_hash();
	list_add_tail(&child->mnt_unmounted, a->list);
	return child;
}

/* Copies of @source for all that @dest propagates to, on @tree_list, with their place set but not hashed. */
int propagate_mnt(struct mount *dest, struct mountpoint *mp, struct mount *source,
		  struct list_head *tree_list)
{
	struct prop_mnt a = { mp, is_detached_root(source) ? source->mnt_ns : NULL, tree_list };

	return for_each_prop(dest, source, propagate_one, &a);
}

struct prop_umount {
	const struct dentry *mountpoint;
	struct list_head *list;
	int busy_above;
};

static struct mount *propagated_child(struct mount *to, const struct dentry *mountpoint)
{
	return __lookup_mnt(&to->mnt, mountpoint);
}

/* RCU or mount_lock held. What is mounted on the root of @m. */
static struct mount *mount_over(const struct mount *m)
{
	return __lookup_mnt(&m->mnt, m->mnt.mnt_root);
}

/* Does @c, mounted on what might go, stay there, or something in its place? */
static bool leaves_something(const struct mount *c)
{
	return !(c->mnt.mnt_flags & MNT_UMOUNT) || c->slides;
}

/* May @m not go because of what is mounted on it? What lies on its root is no reason: that takes its place. */
static bool has_live_children(const struct mount *m)
{
	struct mount *c;

	list_for_each_entry(c, &m->mnt_mounts, mnt_child) {
		if (c->mnt_mountpoint != m->mnt.mnt_root && leaves_something(c))
			return true;
		cond_resched();
	}
	return false;
}

/* @m goes with what it is a copy of. */
static void mark_copy(struct mount *m, struct list_head *list)
{
	const struct mount *over;

	rcu_read_lock();
	over = mount_over(m);
	m->slides = over && leaves_something(over);
	rcu_read_unlock();
	mnt_mark(m, MNT_UMOUNT);
	list_add(&m->mnt_unmounted, list);
}

static void *umount_one(struct mount *to, void *from, bool slave, void *arg)
{
	struct prop_umount *a = arg;
	struct mount *child;

	rcu_read_lock();
	child = propagated_child(to, a->mountpoint);
	rcu_read_unlock();
	if (child && !(child->mnt.mnt_flags & MNT_UMOUNT) && !has_live_children(child))
		mark_copy(child, a->list);
	return from;
}

/* What goes with @m (which is still mounted) in the peers and slaves of its parent, to the front of @list. */
static void mark_copies(struct mount *m, struct list_head *list)
{
	struct prop_umount a = { .mountpoint = m->mnt_mountpoint, .list = list };

	if (mnt_has_parent(m))
		for_each_prop(m->mnt_parent, m, umount_one, &a);
}

/* Parents before their children: a locked one goes with its parent or not at all, for what it covers would come to light. */
static void keep_locked(struct list_head *list)
{
	struct mount *m, *n;

	list_for_each_entry_safe(m, n, list, mnt_unmounted) {
		if (m->mnt.mnt_flags & MNT_LOCKED && !(m->mnt_parent->mnt.mnt_flags & MNT_UMOUNT)) {
			mnt_unmark(m, MNT_UMOUNT);
			list_del_init(&m->mnt_unmounted);
		}
		cond_resched();
	}
}

/*
 * What goes with the trees on @going, parents before their children, of which @top is the first: to its end. Copies of @top come from where
 * it is unmounted, with the right to do so: they go even where they are locked.
 */
void propagate_umount_mark(struct mount *top, struct list_head *going)
{
	struct mount *m;
	LIST_HEAD(tops);
	LIST_HEAD(more);

	list_for_each_entry_reverse(m, going, mnt_unmounted) {
		mark_copies(m, m == top ? &tops : &more);
		cond_resched();
	}
	keep_locked(&more);
	list_splice_tail_init(&tops, going);
	list_splice_tail_init(&more, going);
}

static void *busy_one(struct mount *to, void *from, bool slave, void *arg)
{
	struct prop_umount *a = arg;
	struct mount *child, *over;

	rcu_read_lock();
	child = propagated_child(to, a->mountpoint);
	over = child ? mount_over(child) : NULL;
	rcu_read_unlock();
	/* What lies on its root refers to it. Other things that are mounted on it keep it, as long as they stay. */
	if (child && (over ? list_is_singular(&child->mnt_mounts) : list_empty(&child->mnt_mounts)) && mnt_get_count(child) > 1 + !!over)
		return ERR_PTR(-EBUSY);
	return from;
}

/* May @m not be unmounted because somebody uses it, or what would go with it? */
bool propagate_mount_busy(struct mount *m, int refcnt)
{
	struct prop_umount a = { .mountpoint = m->mnt_mountpoint };

	if (!list_empty(&m->mnt_mounts) || mnt_get_count(m) > refcnt)
		return true;
	return mnt_has_parent(m) && for_each_prop(m->mnt_parent, m, busy_one, &a) != 0;
}
