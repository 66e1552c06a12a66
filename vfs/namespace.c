// SPDX-License-Identifier: MIT
/*
 * Changing the tree of mounts: mount, bind, move, remount, unmount, pivot_root.
 *
 * Order of locks: the mount point's i_rwsem, namespace_sem, mount_lock. What is unmounted is collected
 * while namespace_sem is held and let go of after a grace period (namespace_unlock), because RCU-walk may
 * still be looking at it.
 */
#include <lib/types.h>
#include "mount_priv.h"
#include <lib/string.h>
#include <alloc/slab.h>
#include <vfs/namei.h>
#include <vfs/file.h>
#include <vfs/upcalls.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <sched/task.h>
#include <mm/uaccess.h>
#include <linux/capability.h>

static LIST_HEAD(unmounted);		/* namespace_sem */
static struct hlist_head dead_points;	/* namespace_sem, mount_lock */
static u64 event;			/* namespace_sem */
unsigned int sysctl_mount_max = 100000;

void namespace_lock(void) __acquires(namespace_sem)
{
	down_write(&namespace_sem);
}

void namespace_unlock(void) __releases(namespace_sem)
{
	struct hlist_head points = dead_points;
	struct mount *m, *n;
	LIST_HEAD(list);

	if (points.first)
		points.first->pprev = &points.first;
	dead_points.first = NULL;
	list_splice_init(&unmounted, &list);
	up_write(&namespace_sem);
	free_mountpoints(&points);
	if (list_empty(&list))
		return;
	synchronize_rcu();
	list_for_each_entry_safe(m, n, &list, mnt_unmounted) {
		list_del_init(&m->mnt_unmounted);
		mntput(&m->mnt);
		cond_resched();
	}
}

/* namespace_sem held for writing: whoever is woken reads when all of it has changed. */
void touch_mnt_namespace(struct mnt_namespace *ns)
{
	if (is_mounted_ns(ns)) {
		WRITE_ONCE(ns->event, ++event);
		wake_up_interruptible(&ns->poll);
	}
}

static bool id_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct mount, mnt_node)->mnt_id_unique < rb_entry(b, struct mount, mnt_node)->mnt_id_unique;
}

void mnt_add_to_ns(struct mnt_namespace *ns, struct mount *m)
{
	rb_add(&m->mnt_node, &ns->mounts, id_less);
	m->mnt_ns = ns;
	ns->nr_mounts++;
}

static void mnt_del_from_ns(struct mount *m)
{
	if (!RB_EMPTY_NODE(&m->mnt_node)) {
		rb_erase(&m->mnt_node, &m->mnt_ns->mounts);
		RB_CLEAR_NODE(&m->mnt_node);
		m->mnt_ns->nr_mounts--;
	}
	m->mnt_ns = NULL;
}

/* namespace_sem held for writing, mount_lock not. A tree that cannot be reached yet, or what joins a namespace where it is. */
void mnt_tree_join_ns(struct mount *tree, struct mnt_namespace *ns)
{
	for (struct mount *p = tree; p; p = next_mnt(p, tree)) {
		if (p->mnt_ns == ns)
			continue;
		read_seqlock_excl(&mount_lock);
		mnt_del_from_ns(p);
		mnt_add_to_ns(ns, p);
		read_sequnlock_excl(&mount_lock);
		cond_resched();
	}
}

struct mount *mnt_find_id_at(struct mnt_namespace *ns, u64 id)
{
	struct rb_node *n = ns->mounts.node;
	struct mount *m, *found = NULL;

	while (n) {
		m = rb_entry(n, struct mount, mnt_node);
		if (m->mnt_id_unique >= id) {
			found = m;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return found;
}

bool check_mnt(const struct mount *m)
{
	return current->nsproxy && m->mnt_ns == current->nsproxy->mnt_ns;
}

bool may_mount(void)
{
	return ns_capable(current->nsproxy->mnt_ns->user_ns, CAP_SYS_ADMIN);
}

/* Unmounting. */

/* @mnt, all below it and, if asked for, what goes with them elsewhere, to @list, parents before their children. */
static void mark_going(struct mount *mnt, int how, struct list_head *list)
{
	struct mnt_namespace *told = NULL;
	struct mount *p;

	for (p = mnt; p; p = next_mnt(p, mnt)) {
		mnt_mark(p, MNT_UMOUNT);
		p->slides = false;
		list_add_tail(&p->mnt_unmounted, list);
		cond_resched();
	}
	if (how & UMOUNT_PROPAGATE)
		propagate_umount_mark(mnt, list);
	list_for_each_entry(p, list, mnt_unmounted) {
		if (p->mnt_ns != told)
			touch_mnt_namespace(p->mnt_ns);
		told = p->mnt_ns;
		cond_resched();
	}
}

/*
 * mount_lock held. What lies on the root of @p and stays takes the place of @p, which goes; so does what goes itself with something on it that
 * stays. Parents come first, so that the place is in a mount that stays (propagate_umount_mark()).
 */
static void slide_down(struct mount *p)
{
	struct mount *over = __lookup_mnt(&p->mnt, p->mnt.mnt_root);
	struct mountpoint *mp = p->mnt_mp;

	if (!over || (over->mnt.mnt_flags & MNT_UMOUNT && !over->slides))
		return;
	mnt_detach_locked(over, &dead_points);
	mnt_set_mountpoint(p->mnt_parent, mp, over);
	mnt_attach(over);
}

/* mount_lock held. True: @p keeps its place in the tree that goes, and its own reference is its parent's. */
static bool take_out(struct mount *p, const struct mount *top, int how)
{
	bool keep;

	if (p->slides)
		slide_down(p);
	keep = !(how & UMOUNT_SYNC) && p != top && mnt_has_parent(p) && p->mnt_parent->mnt.mnt_flags & MNT_UMOUNT &&
	       (how & UMOUNT_CONNECTED || p->mnt.mnt_flags & MNT_LOCKED);
	mnt_del_from_ns(p);
	if (how & UMOUNT_SYNC)
		p->mnt.mnt_flags |= MNT_SYNC_UMOUNT;
	/* A kept child no longer holds its parent: it goes with it (cleanup_mnt). */
	if (keep)
		mnt_add_count(p->mnt_parent, -1);
	else if (mnt_has_parent(p))
		mnt_detach_locked(p, &dead_points);
	return keep;
}

/* mount_lock held. The first of @list. */
static void take_out_piece(struct list_head *list, const struct mount *top, int how, struct list_head *gone, struct list_head *kept)
{
	struct mount *p;

	for (int n = 0; n < MNT_PIECE && !list_empty(list); n++) {
		p = list_first_entry(list, struct mount, mnt_unmounted);
		list_move_tail(&p->mnt_unmounted, take_out(p, top, how) ? kept : gone);
	}
}

/* What was taken out neither sends nor gets events any more. */
static void end_propagation(struct list_head *gone, struct list_head *kept)
{
	struct mount *p, *n;

	list_for_each_entry(p, gone, mnt_unmounted) {
		change_mnt_propagation(p, MS_PRIVATE);
		cond_resched();
	}
	list_splice_tail_init(gone, &unmounted);
	list_for_each_entry_safe(p, n, kept, mnt_unmounted) {
		change_mnt_propagation(p, MS_PRIVATE);
		list_del_init(&p->mnt_unmounted);
		cond_resched();
	}
}

static void take_out_all(struct list_head *list, const struct mount *top, int how)
{
	LIST_HEAD(gone);
	LIST_HEAD(kept);

	while (!list_empty(list)) {
		lock_mount_hash();
		take_out_piece(list, top, how, &gone, &kept);
		unlock_mount_hash();
		cond_resched();
	}
	end_propagation(&gone, &kept);
}

/*
 * Takes @mnt and all below it out of its namespace. A lazy unmount takes all apart (umount2(2)), but for what may not be looked under;
 * with UMOUNT_CONNECTED the tree still looks whole to those inside. namespace_sem held for writing, mount_lock not: @mnt
 * goes first, and with it the way to all the others.
 */
void umount_tree(struct mount *mnt, int how)
{
	LIST_HEAD(list);

	mark_going(mnt, how, &list);
	take_out_all(&list, mnt, how);
}

/* mount_lock held. Has somebody come to the first of those that are about to go? The caller holds one reference to the very first. */
static bool came_meanwhile(const struct list_head *list)
{
	int n = 0, allowed = 2;
	struct mount *p;

	smp_mb();	/* pairs with legitimize_mnt(): it sees the sequence or we see its count */
	list_for_each_entry(p, list, mnt_unmounted) {
		if (list_empty(&p->mnt_mounts) && mnt_get_count(p) > allowed)
			return true;
		allowed = 1;
		if (++n == MNT_PIECE)
			break;
	}
	return false;
}

/*
 * Unmounts @m, which nobody uses, and its copies. That nobody uses it is seen in the section in which it goes, with MNT_PIECE copies;
 * who comes to one of the others after it was looked at keeps what he has, as after a lazy unmount.
 */
static int umount_unused(struct mount *m)
{
	const int how = UMOUNT_PROPAGATE | UMOUNT_SYNC;
	struct mount *p, *n;
	LIST_HEAD(list);
	LIST_HEAD(gone);
	LIST_HEAD(kept);
	bool busy;

	if (propagate_mount_busy(m, 2))
		return -EBUSY;
	mark_going(m, how, &list);
	lock_mount_hash();
	busy = came_meanwhile(&list);
	if (!busy)
		take_out_piece(&list, m, how, &gone, &kept);
	unlock_mount_hash();
	if (!busy) {
		end_propagation(&gone, &kept);
		take_out_all(&list, m, how);
		return 0;
	}
	list_for_each_entry_safe(p, n, &list, mnt_unmounted) {
		mnt_unmark(p, MNT_UMOUNT);
		list_del_init(&p->mnt_unmounted);
		cond_resched();
	}
	return -EBUSY;
}

static int do_umount_root(struct super_block *sb)
{
	struct fs_context *fc;
	int err = 0;

	down_write(&sb->s_umount);
	if (!sb_rdonly(sb)) {
		fc = fs_context_for_reconfigure(sb->s_root, SB_RDONLY, SB_RDONLY);
		if (IS_ERR(fc)) {
			err = (int)PTR_ERR(fc);
		} else {
			err = reconfigure_super(fc);
			put_fs_context(fc);
		}
	}
	up_write(&sb->s_umount);
	return err;
}

static bool check_fs_root(struct mount *m)
{
	struct path root;
	bool same;

	get_fs_root(current->fs, &root);
	same = &m->mnt == root.mnt;
	path_put(&root);
	return same;
}

bool may_use_mount(const struct mount *m)
{
	const struct mnt_namespace *ns = m->mnt_ns;

	if (check_mnt(m))
		return true;
	return is_mounted_ns(ns) && is_anon_ns(ns) && (!ns->origin || ns->origin == current->nsproxy->mnt_ns->seq);
}

bool is_detached_root(const struct mount *m)
{
	return is_mounted_ns(m->mnt_ns) && is_anon_ns(m->mnt_ns) && m->mnt_ns->root == m;
}

static int do_umount(struct mount *m, int flags)
{
	struct super_block *sb = m->mnt.mnt_sb;
	int err = 0;

	if (flags & MNT_EXPIRE) {
		if (check_fs_root(m) || flags & (MNT_FORCE | MNT_DETACH))
			return -EINVAL;
		/* Somebody besides the namespace and us uses it? */
		lock_mount_hash();
		if (!list_empty(&m->mnt_mounts) || mnt_get_count(m) != 2)
			err = -EBUSY;
		unlock_mount_hash();
		if (err)
			return err;
		mnt_watch_expiry();
		if (!xchg(&m->mnt_expiry_mark, 1))
			return -EAGAIN;
	}
	if (flags & MNT_FORCE && sb->s_op->umount_begin)
		sb->s_op->umount_begin(sb);
	if (check_fs_root(m) && !(flags & MNT_DETACH)) {
		if (!ns_capable(sb->s_user_ns, CAP_SYS_ADMIN))
			return -EPERM;
		return do_umount_root(sb);
	}
	namespace_lock();
	/* The root of a namespace and what lies below all the rest stay. */
	if (m->mnt.mnt_flags & MNT_LOCKED || !check_mnt(m) || !mnt_has_parent(m))
		err = -EINVAL;
	else if (flags & MNT_DETACH)
		umount_tree(m, UMOUNT_PROPAGATE);
	else
		err = umount_unused(m);
	namespace_unlock();
	return err;
}

/*
 * One of those on @mp, which somebody holds; false: there is none. *LEFT: one that is still in its namespace, for the caller.
 * Others are those kept in a tree that was unmounted lazily.
 */
static bool detach_one(struct mountpoint *mp, struct mount **left)
{
	bool any;

	*left = NULL;
	lock_mount_hash();
	any = mp->m_list.first;
	if (any) {
		struct mount *m = hlist_entry(mp->m_list.first, struct mount, mnt_mp_list);

		if (m->mnt.mnt_flags & MNT_UMOUNT) {
			mnt_unhook(m, &dead_points);
			list_add_tail(&m->mnt_unmounted, &unmounted);
		} else {
			*left = m;
		}
	}
	unlock_mount_hash();
	return any;
}

/* Everything mounted on a directory that is gone. */
void detach_mounts(struct dentry *dentry)
{
	struct mountpoint *mp;
	struct mount *m;

	namespace_lock();
	lock_mount_hash();
	mp = find_mountpoint(dentry);
	unlock_mount_hash();
	while (mp && detach_one(mp, &m)) {
		if (m)
			umount_tree(m, UMOUNT_CONNECTED);
		cond_resched();
	}
	if (mp)
		put_mountpoint(mp);
	namespace_unlock();
}

int path_umount(struct path *path, int flags)
{
	struct mount *m = real_mount(path->mnt);
	int err = 0;

	if (!may_mount())
		err = -EPERM;
	else if (path->dentry != path->mnt->mnt_root || !check_mnt(m) || m->mnt.mnt_flags & MNT_LOCKED)
		err = -EINVAL;
	else if (flags & MNT_FORCE && !capable(CAP_SYS_ADMIN))
		err = -EPERM;
	if (!err)
		err = do_umount(m, flags);
	/* The path's dentry first: the superblock must not go before. */
	dput(path->dentry);
	mntput_no_expire(path->mnt);
	return err;
}

void namespace_free_tree(struct mount *m)
{
	umount_tree(m, 0);
}

/* Attaching. */

static int locked_flags(int flags)
{
	flags |= MNT_LOCK_ATIME;
	if (flags & MNT_READONLY)
		flags |= MNT_LOCK_READONLY;
	if (flags & MNT_NODEV)
		flags |= MNT_LOCK_NODEV;
	if (flags & MNT_NOSUID)
		flags |= MNT_LOCK_NOSUID;
	if (flags & MNT_NOEXEC)
		flags |= MNT_LOCK_NOEXEC;
	return flags;
}

/* A locked mount may not be looked under: for trees given to less privileged namespaces. */
void lock_mnt_tree(struct mount *mnt)
{
	for (struct mount *p = mnt; p; p = next_mnt(p, mnt)) {
		read_seqlock_excl(&mount_lock);	/* a remount of the superblock changes flags, too */
		p->mnt.mnt_flags = locked_flags(p->mnt.mnt_flags);
		/* The whole may be taken away: nothing comes to light that was not there before. */
		if (p != mnt && !(p->mnt.mnt_flags & MNT_LOCKED)) {
			p->mnt.mnt_flags |= MNT_LOCKED;
			p->mnt_parent->nr_locked++;
		}
		read_sequnlock_excl(&mount_lock);
		cond_resched();
	}
}

unsigned int count_mnt_tree(struct mount *mnt)
{
	unsigned int n = 0;

	for (struct mount *p = mnt; p; p = next_mnt(p, mnt))
		n++;
	return n;
}

bool mount_room(const struct mnt_namespace *ns, struct mount *tree)
{
	return (u64)ns->nr_mounts + ns->nr_pending + count_mnt_tree(tree) <= READ_ONCE(sysctl_mount_max);
}

static int assign_ids(struct mount *mnt)
{
	int err;

	for (struct mount *p = mnt; p; p = next_mnt(p, mnt)) {
		err = mnt_assign_id(p);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/* mount_lock held. What is mounted where M goes; M must not be there yet. */
static struct mount *covered_by(const struct mount *m)
{
	return __lookup_mnt(&m->mnt_parent->mnt, m->mnt_mountpoint);
}

/*
 * mount_lock held. @top, which lay where @m is now, moves onto the root of @over, the topmost of what is mounted on @m. If it was locked, it hid
 * what was there: @m does so from here on, whose namespace had it mounted there and may show it.
 */
static void tuck_beneath(struct mount *over, struct mountpoint *root_mp, struct mount *top)
{
	mnt_detach_locked(top, &dead_points);
	top->mnt.mnt_flags &= ~MNT_LOCKED;
	mnt_set_mountpoint(over, root_mp, top);
	mnt_attach(top);
}

/* mount_lock held. The mount point on the root of @over, which is that of @root_mp unless a copy lacks some of what is mounted on its source. */
static struct mountpoint *point_on(const struct mount *over, struct mountpoint *root_mp)
{
	if (over->mnt.mnt_root != root_mp->m_dentry)
		return find_mountpoint(over->mnt.mnt_root);	/* the source has something there */
	root_mp->m_count++;
	return root_mp;
}

/* @m, whose place is set, appears with its tree: beneath what is mounted there already, if anything. mount_lock not held. */
static void attach_beneath(struct mount *m, struct mountpoint *root_mp)
{
	struct mount *over = topmost_on(m), *top;
	struct mountpoint *mp;

	lock_mount_hash();
	top = covered_by(m);
	if (top && top->mnt.mnt_flags & MNT_LOCKED)
		m->mnt.mnt_flags |= MNT_LOCKED;
	mnt_attach(m);
	if (top) {
		mp = point_on(over, root_mp);
		tuck_beneath(over, mp, top);
		put_mountpoint_locked(mp, NULL, &dead_points);	/* there is @top on it */
	}
	unlock_mount_hash();
}

/* Copies of @source for all that @dest propagates to, complete but for their being seen. */
static int make_copies(struct mount *source, struct mount *dest, struct mountpoint *mp, struct list_head *copies)
{
	int err = invent_group_ids(source, true);
	struct mount *c;

	if (!err)
		err = propagate_mnt(dest, mp, source, copies);
	list_for_each_entry(c, copies, mnt_unmounted) {
		if (!err)
			err = assign_ids(c);
	}
	return err;
}

static void drop_copies(struct list_head *copies)
{
	struct mount *c, *n;

	list_for_each_entry_safe(c, n, copies, mnt_unmounted) {
		c->mnt_parent->mnt_ns->nr_pending = 0;
		list_del_init(&c->mnt_unmounted);
		umount_tree(c, 0);
	}
}

/* The trees are complete before the first appears: that is one short section for each. */
static void show_copies(struct list_head *copies, struct mountpoint *root_mp)
{
	struct mount *c, *n;

	list_for_each_entry(c, copies, mnt_unmounted) {
		c->mnt_parent->mnt_ns->nr_pending = 0;
		mnt_tree_join_ns(c, c->mnt_parent->mnt_ns);
	}
	list_for_each_entry_safe(c, n, copies, mnt_unmounted) {
		list_del_init(&c->mnt_unmounted);
		attach_beneath(c, root_mp);
		touch_mnt_namespace(c->mnt_ns);
		cond_resched();
	}
}

/*
 * Puts the tree of @source on @mp in @dest and, if @dest is shared, copies of it where that propagates.
 * @moving: it is attached somewhere else now. namespace_sem and the mount point's inode lock held.
 */
static int attach_recursive(struct mount *source, struct mount *dest, struct mountpoint *mp, bool moving)
{
	struct mnt_namespace *ns = dest->mnt_ns;
	struct mountpoint *root_mp;
	LIST_HEAD(copies);
	int err;

	if (!moving && !mount_room(ns, source))
		return -ENOSPC;
	err = assign_ids(source);
	if (err)
		return err;
	mount_hash_reserve();
	/* Copies have the same root and the same on it: what is mounted at their places goes on that. */
	root_mp = get_mountpoint(topmost_on(source)->mnt.mnt_root);
	if (IS_ERR(root_mp))
		return (int)PTR_ERR(root_mp);
	if (is_mnt_shared(dest)) {
		ns->nr_pending = moving ? 0 : count_mnt_tree(source);
		err = make_copies(source, dest, mp, &copies);
	}
	ns->nr_pending = 0;
	if (err) {
		drop_copies(&copies);
		cleanup_group_ids(source, NULL);
	} else {
		mnt_tree_join_ns(source, ns);
		lock_mount_hash();
		if (moving)
			mnt_detach_locked(source, &dead_points);
		mnt_set_mountpoint(dest, mp, source);
		unlock_mount_hash();
		attach_beneath(source, root_mp);
		touch_mnt_namespace(ns);
		show_copies(&copies, root_mp);
	}
	put_mountpoint(root_mp);
	return err;
}

/* The place of the mount at @path, to go beneath it: locked as by lock_mount_point(). -EINVAL: it is not mounted on anything. */
static int lock_place_beneath(const struct path *path, struct path *at, struct mountpoint **mp)
{
	struct mount *top = real_mount(path->mnt);

	for (;;) {
		namespace_lock();
		if (!mnt_has_parent(top) || !check_mnt(top)) {
			int err = is_mounted(&top->mnt) ? -EINVAL : -ENOENT;

			namespace_unlock();
			return err;
		}
		*at = (struct path){ &top->mnt_parent->mnt, top->mnt_mountpoint };
		path_get(at);
		namespace_unlock();
		inode_lock(at->dentry->d_inode);
		namespace_lock();
		if (&top->mnt_parent->mnt == at->mnt && top->mnt_mountpoint == at->dentry)
			break;
		namespace_unlock();
		inode_unlock(at->dentry->d_inode);
		path_put(at);
	}
	*mp = get_mountpoint(at->dentry);
	if (!IS_ERR(*mp)) {
		__release(namespace_sem);
		__release(i_rwsem);
		return 0;
	}
	namespace_unlock();
	inode_unlock(at->dentry->d_inode);
	path_put(at);
	return (int)PTR_ERR(*mp);
}

/* Would what is mounted on @mp in @parent come to lie on @m's root by propagation? */
static bool would_cover(const struct mount *parent, const struct mount *m, const struct mountpoint *mp)
{
	if (!is_mnt_shared(parent) || m->mnt.mnt_root != mp->m_dentry)
		return false;
	for (; m; m = m->mnt_master)
		if (m->mnt_group_id == parent->mnt_group_id)
			return true;
	return false;
}

/* MOVE_MOUNT_BENEATH: may @from go beneath @to, both locked? */
static int may_go_beneath(const struct path *from, const struct path *to, const struct mountpoint *mp)
{
	struct mount *m = real_mount(from->mnt), *top = real_mount(to->mnt), *p, *over;

	if (to->dentry != to->mnt->mnt_root)
		return -EINVAL;
	rcu_read_lock();
	over = __lookup_mnt(from->mnt, from->mnt->mnt_root);
	rcu_read_unlock();
	if (over)
		return -EINVAL;
	for (p = m; mnt_has_parent(p); p = p->mnt_parent)
		if (p == top)
			return -EINVAL;
	if (would_cover(top->mnt_parent, top, mp) || would_cover(top->mnt_parent, m, mp))
		return -EINVAL;
	return 0;
}

/* Is anything mounted on @m in @dir, or, @locked, anything that may not be looked under? namespace_sem held. */
static bool has_children_below(const struct mount *m, struct dentry *dir, bool locked)
{
	struct mount *c;

	if (locked && !m->nr_locked)
		return false;
	list_for_each_entry(c, &m->mnt_mounts, mnt_child) {
		if ((!locked || c->mnt.mnt_flags & MNT_LOCKED) && is_subdir(c->mnt_mountpoint, dir))
			return true;
		cond_resched();
	}
	return false;
}

bool has_locked_children(const struct path *dir)
{
	bool yes;

	down_read(&namespace_sem);
	yes = has_children_below(real_mount(dir->mnt), dir->dentry, true);
	up_read(&namespace_sem);
	return yes;
}

/* MOVE_MOUNT_SET_GROUP: @to, which is private, joins the group of @from, of the same filesystem. */
int do_set_group(const struct path *from_path, const struct path *to_path)
{
	struct mount *from = real_mount(from_path->mnt), *to = real_mount(to_path->mnt);
	int err = -EINVAL;

	namespace_lock();
	if (!is_mounted(&from->mnt) || !is_mounted(&to->mnt))
		goto out;
	err = -EPERM;
	if (!ns_capable(from->mnt_ns->user_ns, CAP_SYS_ADMIN) || !ns_capable(to->mnt_ns->user_ns, CAP_SYS_ADMIN))
		goto out;
	err = -EINVAL;
	if (from_path->dentry != from->mnt.mnt_root || to_path->dentry != to->mnt.mnt_root || from->mnt.mnt_sb != to->mnt.mnt_sb ||
	    !is_subdir(to->mnt.mnt_root, from->mnt.mnt_root))
		goto out;
	if (has_children_below(from, to->mnt.mnt_root, true))
		goto out;
	if (is_mnt_shared(to) || is_mnt_slave(to) || (!is_mnt_shared(from) && !is_mnt_slave(from)))
		goto out;
	lock_mount_hash();
	if (is_mnt_slave(from)) {
		list_add(&to->mnt_slave, &from->mnt_slave);
		to->mnt_master = from->mnt_master;
	}
	if (is_mnt_shared(from)) {
		to->mnt_group_id = from->mnt_group_id;
		list_add(&to->mnt_share, &from->mnt_share);
	}
	unlock_mount_hash();
	err = 0;
out:
	namespace_unlock();
	return err;
}

/* The topmost mount at @path: what a new mount goes on. Locks its inode and the namespace. */
int lock_mount_point(const struct path *path, struct path *at, struct mountpoint **mp)
{
	struct vfsmount *top;

	*at = *path;
	path_get(at);
	for (;;) {
		inode_lock(at->dentry->d_inode);
		if (unlikely(cant_mount(at->dentry))) {
			inode_unlock(at->dentry->d_inode);
			path_put(at);
			return -ENOENT;
		}
		namespace_lock();
		top = lookup_mnt(at);
		if (likely(!top && is_mounted(at->mnt)))
			break;
		namespace_unlock();
		inode_unlock(at->dentry->d_inode);
		path_put(at);
		if (!top)
			return -ENOENT;		/* unmounted, held by somebody */
		at->mnt = top;
		at->dentry = dget(top->mnt_root);
	}
	*mp = get_mountpoint(at->dentry);
	if (IS_ERR(*mp)) {
		int err = (int)PTR_ERR(*mp);

		namespace_unlock();
		inode_unlock(at->dentry->d_inode);
		path_put(at);
		return err;
	}
	__release(namespace_sem);	/* @mp keeps both in mind */
	__release(i_rwsem);
	return 0;
}

void unlock_mount_point(struct path *at, struct mountpoint *mp)
{
	__acquire(i_rwsem);
	__acquire(namespace_sem);
	put_mountpoint(mp);
	namespace_unlock();
	inode_unlock(at->dentry->d_inode);
	path_put(at);
}

int graft_tree(struct mount *source, struct mount *parent, struct mountpoint *mp)
{
	if (source->mnt.mnt_sb->s_flags & SB_NOUSER)
		return -EINVAL;
	if (d_is_dir(mp->m_dentry) != d_is_dir(source->mnt.mnt_root))
		return -ENOTDIR;
	return attach_recursive(source, parent, mp, false);
}

/* Of a mount that is not attached yet, but which a remount of its superblock finds already. */
void set_new_mount_flags(struct mount *m, int flags)
{
	lock_mount_hash();
	m->mnt.mnt_flags = (m->mnt.mnt_flags & MNT_HELD) | (flags & ~MNT_HELD);
	unlock_mount_hash();
}

/*
 * Would a mount of the file make a circle of mount namespaces that hold each other? Each may hold younger ones alone. A copy of a namespace has no
 * such mounts (copy_tree()), and nothing propagates them.
 */
static bool mnt_ns_loop(const struct dentry *d)
{
	const struct mnt_namespace *ns = nsfs_mnt_ns(d->d_inode);

	return ns && current->nsproxy->mnt_ns->seq >= ns->seq;
}

/* namespace_sem held. */
static bool tree_has_ns_loop(struct mount *tree)
{
	for (struct mount *p = tree; p; p = next_mnt(p, tree)) {
		if (mnt_ns_loop(p->mnt.mnt_root))
			return true;
		cond_resched();
	}
	return false;
}

/* Puts a new mount on @path. The reference to @m is the tree's on success and the caller's otherwise. */
int do_add_mount(struct mount *m, const struct path *path, int mnt_flags)
{
	struct mountpoint *mp;
	struct mount *parent;
	struct path at;
	int err = lock_mount_point(path, &at, &mp);

	if (err)
		return err;
	parent = real_mount(at.mnt);
	err = -EINVAL;
	if (!check_mnt(parent))
		goto out;
	/* The same filesystem on the same place twice. */
	err = -EBUSY;
	if (path->mnt->mnt_sb == m->mnt.mnt_sb && at.mnt->mnt_root == at.dentry &&
	    at.mnt->mnt_root == m->mnt.mnt_root)
		goto out;
	err = -EINVAL;
	if (d_is_symlink(m->mnt.mnt_root))
		goto out;
	set_new_mount_flags(m, mnt_flags);
	err = graft_tree(m, parent, mp);
out:
	unlock_mount_point(&at, mp);
	return err;
}

/*
 * A detached copy of what is at @old. @new_ns: for a new mount namespace; @foreign: of another user namespace, to which every mount of ours is locked and no event goes back.
 * namespace_sem held.
 */
struct mount *do_loopback_copy(const struct path *old, bool recurse, bool new_ns, bool foreign)
{
	int flags = (new_ns ? 0 : CL_COPY_MNT_NS_FILE) | (foreign ? CL_SHARED_TO_SLAVE : 0);
	struct mount *m = real_mount(old->mnt), *c;

	if (m->unbindable)
		return ERR_PTR(-EINVAL);
	if (!may_use_mount(m) && !nsfs_is_file(old->dentry->d_inode))
		return ERR_PTR(-EINVAL);
	if (new_ns && nsfs_mnt_ns(old->dentry->d_inode))
		return ERR_PTR(-EINVAL);
	if (!recurse) {
		/* What is hidden below locked mounts must stay hidden. */
		if (has_children_below(m, old->dentry, !foreign))
			return ERR_PTR(-EINVAL);
	}
	c = recurse ? copy_tree(m, old->dentry, flags) : clone_mnt(m, old->dentry, flags);
	if (!IS_ERR(c))
		set_new_mount_flags(c, c->mnt.mnt_flags & ~MNT_LOCKED);
	return c;
}

static int do_loopback(const struct path *path, struct filename *from, bool recurse)
{
	struct path old, at;
	struct mountpoint *mp;
	struct mount *m;
	int err;

	if (!from || from->len <= 0)
		return -EINVAL;
	err = filename_lookup(AT_FDCWD, from, LOOKUP_FOLLOW | LOOKUP_AUTOMOUNT, &old, NULL);
	if (err)
		return err;
	err = lock_mount_point(path, &at, &mp);
	if (err)
		goto out;
	err = -EINVAL;
	if (!check_mnt(real_mount(at.mnt)))
		goto unlock;
	m = do_loopback_copy(&old, recurse, false, false);
	if (IS_ERR(m)) {
		err = (int)PTR_ERR(m);
		goto unlock;
	}
	err = -EINVAL;
	if (!tree_has_ns_loop(m))
		err = graft_tree(m, real_mount(at.mnt), mp);
	if (err)
		namespace_free_tree(m);
unlock:
	unlock_mount_point(&at, mp);
out:
	path_put(&old);
	return err;
}

static bool tree_contains_unbindable(struct mount *mnt)
{
	for (struct mount *p = mnt; p; p = next_mnt(p, mnt)) {
		if (p->unbindable)
			return true;
	}
	return false;
}

/* Moves an attached mount, or attaches a detached tree (an anonymous namespace's). */
int do_move_mount(struct path *from, struct path *to, bool beneath)
{
	struct mount *old = real_mount(from->mnt), *p, *parent;
	struct mnt_namespace *ns, *dead_ns = NULL;
	struct mountpoint *mp;
	struct path at;
	bool attached;
	int err;

	err = beneath ? lock_place_beneath(to, &at, &mp) : lock_mount_point(to, &at, &mp);
	if (err)
		return err;
	parent = real_mount(at.mnt);
	ns = old->mnt_ns;
	attached = mnt_has_parent(old);
	err = -EINVAL;
	if (from->dentry != from->mnt->mnt_root)
		goto out;
	/* What is attached moves within the namespace; a detached tree goes into it, or onto another detached one. */
	if (check_mnt(old) ? !attached || !check_mnt(parent) : !is_detached_root(old) || ns == parent->mnt_ns || !may_use_mount(parent))
		goto out;
	if (old->mnt.mnt_flags & MNT_LOCKED || old->mnt.mnt_sb->s_flags & SB_NOUSER)
		goto out;
	if (d_is_dir(at.dentry) != d_is_dir(old->mnt.mnt_root)) {
		err = -ENOTDIR;
		goto out;
	}
	if (beneath) {
		err = may_go_beneath(from, to, mp);
		if (err)
			goto out;
		err = -EINVAL;
	}
	/* A mount that others would have to see moving cannot move; unbindable ones cannot be shared. */
	if (attached && is_mnt_shared(old->mnt_parent))
		goto out;
	if (is_mnt_shared(parent) && tree_contains_unbindable(old))
		goto out;
	err = -ELOOP;
	if (tree_has_ns_loop(old))
		goto out;
	for (p = parent; mnt_has_parent(p); p = p->mnt_parent) {
		if (p == old)
			goto out;
	}
	if (p == old)
		goto out;
	err = attach_recursive(old, parent, mp, attached);
	/* An anonymous namespace has done its work. */
	if (!err && !attached && is_anon_ns(ns))
		dead_ns = ns;
out:
	unlock_mount_point(&at, mp);
	if (dead_ns)
		free_mnt_ns(dead_ns);
	return err;
}

static int do_change_type(const struct path *path, int ms_flags)
{
	int type = ms_flags & ~(MS_REC | MS_SILENT);
	bool recurse = ms_flags & MS_REC;
	struct mount *m = real_mount(path->mnt);
	int err = 0;

	if (path->dentry != path->mnt->mnt_root)
		return -EINVAL;
	if (type != MS_SHARED && type != MS_SLAVE && type != MS_PRIVATE && type != MS_UNBINDABLE)
		return -EINVAL;
	namespace_lock();
	if (!is_mounted(&m->mnt))
		err = -EINVAL;
	else if (!ns_capable(m->mnt_ns->user_ns, CAP_SYS_ADMIN))
		err = -EPERM;
	if (err)
		goto out;
	err = type == MS_SHARED ? invent_group_ids(m, recurse) : 0;
	if (err)
		goto out;
	change_tree_propagation(m, recurse, type);
	touch_mnt_namespace(m->mnt_ns);
out:
	namespace_unlock();
	return err;
}

/* Flags that a less privileged namespace may not take away. */
static bool can_change_locked_flags(struct mount *m, unsigned int new)
{
	unsigned int f = (unsigned int)m->mnt.mnt_flags;
	unsigned int atime = MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME;

	return !((f & MNT_LOCK_READONLY && !(new & MNT_READONLY)) ||
		 (f & MNT_LOCK_NODEV && !(new & MNT_NODEV)) ||
		 (f & MNT_LOCK_NOSUID && !(new & MNT_NOSUID)) ||
		 (f & MNT_LOCK_NOEXEC && !(new & MNT_NOEXEC)) ||
		 (f & MNT_LOCK_ATIME && (f & atime) != (new & atime)));
}

static unsigned int flags_after(const struct mount *m, unsigned int set, unsigned int clear)
{
	return ((unsigned int)m->mnt.mnt_flags & MNT_USER_SETTABLE_MASK & ~clear) | set;
}

static struct mount *next_of_tree(struct mount *p, struct mount *top, bool recurse)
{
	return recurse ? next_mnt(p, top) : NULL;
}

/* Stops writers of those that are to become read-only; one grace period is enough for all. -EBUSY: somebody writes. */
static int hold_tree_writers(struct mount *top, bool recurse)
{
	bool any = false;
	struct mount *p;

	for (p = top; p; p = next_of_tree(p, top, recurse)) {
		if (!(p->mnt.mnt_flags & MNT_READONLY)) {
			mnt_mark(p, MNT_WRITE_HOLD);
			any = true;
		}
		cond_resched();
	}
	if (any)
		synchronize_rcu();	/* pairs with the preempt-off section of mnt_get_write_access() */
	for (p = top; any && p; p = next_of_tree(p, top, recurse)) {
		/* No more come, so the sum is at least what is left. */
		if (p->mnt.mnt_flags & MNT_WRITE_HOLD && mnt_get_writers(p) > 0)
			return -EBUSY;
		cond_resched();
	}
	return 0;
}

/*
 * May the tree have these flags? commit_tree_flags() follows, whatever this returns. -EPERM: some are locked; -EBUSY: it has writers.
 * namespace_sem held for writing until then.
 */
int prepare_tree_flags(struct mount *top, bool recurse, unsigned int set, unsigned int clear)
{
	for (struct mount *p = top; p; p = next_of_tree(p, top, recurse)) {
		if (!can_change_locked_flags(p, flags_after(p, set, clear)))
			return -EPERM;
		cond_resched();
	}
	return set & MNT_READONLY ? hold_tree_writers(top, recurse) : 0;
}

/* @change: all of the tree gets the flags; else they stay as they were. */
void commit_tree_flags(struct mount *top, bool recurse, unsigned int set, unsigned int clear, bool change)
{
	for (struct mount *p = top; p; p = next_of_tree(p, top, recurse)) {
		read_seqlock_excl(&mount_lock);
		if (change)
			p->mnt.mnt_flags = (p->mnt.mnt_flags & ~MNT_USER_SETTABLE_MASK) | (int)flags_after(p, set, clear);
		p->mnt.mnt_flags &= ~MNT_WRITE_HOLD;
		read_sequnlock_excl(&mount_lock);
		cond_resched();
	}
	mnt_wake_writers();
	if (change)
		touch_mnt_namespace(top->mnt_ns);
}

static int set_mount_flags(struct mount *m, unsigned int new)
{
	int err;

	namespace_lock();
	err = prepare_tree_flags(m, false, new, MNT_USER_SETTABLE_MASK);
	commit_tree_flags(m, false, new, MNT_USER_SETTABLE_MASK, !err);
	namespace_unlock();
	return err;
}

static int do_remount(const struct path *path, unsigned long sb_flags, unsigned int mnt_flags, char *data)
{
	struct super_block *sb = path->mnt->mnt_sb;
	struct mount *m = real_mount(path->mnt);
	struct fs_context *fc;
	int err;

	if (!check_mnt(m) || path->dentry != path->mnt->mnt_root)
		return -EINVAL;
	if (!can_change_locked_flags(m, mnt_flags))
		return -EPERM;
	fc = fs_context_for_reconfigure(path->dentry, sb_flags, SB_RDONLY | SB_SYNCHRONOUS | SB_MANDLOCK |
					SB_LAZYTIME | SB_I_VERSION);		/* MS_DIRSYNC is ignored (mount(2)) */
	if (IS_ERR(fc))
		return (int)PTR_ERR(fc);
	fc->oldapi = true;
	err = vfs_parse_monolithic(fc, data);
	if (!err) {
		down_write(&sb->s_umount);
		err = -EPERM;
		if (ns_capable(sb->s_user_ns, CAP_SYS_ADMIN)) {
			err = reconfigure_super(fc);
			if (!err)
				err = set_mount_flags(m, mnt_flags);
		}
		up_write(&sb->s_umount);
	}
	put_fs_context(fc);
	return err;
}

static int do_reconfigure_mnt(const struct path *path, unsigned int mnt_flags)
{
	struct mount *m = real_mount(path->mnt);

	if (!check_mnt(m) || path->dentry != path->mnt->mnt_root)
		return -EINVAL;
	return set_mount_flags(m, mnt_flags);
}

/* Is a locked mount on something in M other than a directory that nothing can ever be in? namespace_sem held. */
static bool hides_something(const struct mount *m)
{
	struct mount *c;

	if (!m->nr_locked)
		return false;
	list_for_each_entry(c, &m->mnt_mounts, mnt_child)
		if (c->mnt.mnt_flags & MNT_LOCKED && !is_empty_dir_inode(c->mnt_mountpoint->d_inode))
			return true;
	return false;
}

/* Does M show all that a new mount of SB's type with FLAGS would? *LOCKS: what was locked in it. namespace_sem held. */
static bool shows_as_much(const struct mount *m, const struct super_block *sb, int flags, int *locks)
{
	const int atime = MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME;
	int have = m->mnt.mnt_flags;

	if (m->mnt.mnt_sb->s_type != sb->s_type || m->mnt.mnt_root != m->mnt.mnt_sb->s_root)
		return false;
	if (sb_rdonly(m->mnt.mnt_sb))
		have |= MNT_LOCK_READONLY;
	if (have & MNT_LOCK_READONLY && !(flags & MNT_READONLY))
		return false;
	if (have & MNT_LOCK_ATIME && (have & atime) != (flags & atime))
		return false;
	*locks = have & (MNT_LOCK_READONLY | MNT_LOCK_ATIME);
	return !hides_something(m);
}

/*
 * A fresh mount of a filesystem that shows the machine (proc, sysfs) must not show a user namespace more than the mounts of it that
 * were there before (mount_namespaces(7), "Restrictions"): -EPERM. *FLAGS takes over what is locked in those.
 */
int mount_not_revealing(const struct super_block *sb, unsigned int *flags)
{
	struct mnt_namespace *ns = current->nsproxy->mnt_ns;
	int locks = 0, err = -EPERM;

	if (ns->user_ns == &init_user_ns || !(sb->s_iflags & SB_I_USERNS_VISIBLE))
		return 0;
	down_read(&namespace_sem);
	for (struct rb_node *n = rb_first(&ns->mounts); n && err; n = rb_next(n))
		if (shows_as_much(rb_entry(n, struct mount, mnt_node), sb, (int)*flags, &locks))
			err = 0;
	up_read(&namespace_sem);
	if (!err)
		*flags |= (unsigned int)locks;
	return err;
}

static int do_new_mount(const struct path *path, const char *fstype, unsigned long sb_flags,
			unsigned int mnt_flags, const char *name, char *data)
{
	struct file_system_type *type;
	struct fs_context *fc;
	struct vfsmount *mnt;
	int err;

	if (!fstype)
		return -EINVAL;
	type = get_fs_type(fstype);
	if (!type)
		return -ENODEV;
	fc = fs_context_for_mount(type, sb_flags);
	if (IS_ERR(fc))
		return (int)PTR_ERR(fc);
	fc->oldapi = true;
	err = name ? vfs_parse_fs_param(fc, "source", name) : 0;
	if (!err)
		err = vfs_parse_monolithic(fc, data);
	if (!err && !mount_capable(fc))
		err = -EPERM;
	if (!err)
		err = vfs_get_tree(fc);
	if (err)
		goto out;
	up_write(&fc->root->d_sb->s_umount);
	err = mount_not_revealing(fc->root->d_sb, &mnt_flags);
	if (err)
		goto out;
	mnt = vfs_create_mount(fc);
	if (IS_ERR(mnt)) {
		err = (int)PTR_ERR(mnt);
		goto out;
	}
	err = do_add_mount(real_mount(mnt), path, (int)mnt_flags);
	if (err)
		mntput(mnt);
out:
	put_fs_context(fc);
	return err;
}

unsigned int mnt_flags_from_ms(unsigned long flags)
{
	unsigned int f = 0;

	if (!(flags & MS_NOATIME))
		f |= MNT_RELATIME;
	if (flags & MS_NOSUID)
		f |= MNT_NOSUID;
	if (flags & MS_NODEV)
		f |= MNT_NODEV;
	if (flags & MS_NOEXEC)
		f |= MNT_NOEXEC;
	if (flags & MS_NOATIME)
		f |= MNT_NOATIME;
	if (flags & MS_NODIRATIME)
		f |= MNT_NODIRATIME;
	if (flags & MS_STRICTATIME)
		f &= ~(MNT_RELATIME | MNT_NOATIME);
	if (flags & MS_RDONLY)
		f |= MNT_READONLY;
	if (flags & MS_NOSYMFOLLOW)
		f |= MNT_NOSYMFOLLOW;
	return f;
}

/* mount(2) with its strings in kernel memory. @from: the source as a file name too, for binds. */
int path_mount(const char *dev, struct filename *from, struct path *path, const char *type,
	       unsigned long flags, char *data)
{
	unsigned int mnt_flags;
	unsigned long sb_flags;
	struct path old;
	int err;

	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~MS_MGC_MSK;
	if (!may_mount())
		return -EPERM;
	if (flags & SB_MANDLOCK)
		pr_warn_ratelimited("vfs: mandatory locking is not supported\n");
	mnt_flags = mnt_flags_from_ms(flags);
	/* A remount that says nothing about atime keeps it. */
	if (flags & MS_REMOUNT && !(flags & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME))) {
		mnt_flags &= ~(MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME);
		mnt_flags |= (unsigned int)path->mnt->mnt_flags & (MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME);
	}
	sb_flags = flags & (SB_RDONLY | SB_SYNCHRONOUS | SB_MANDLOCK | SB_DIRSYNC | SB_SILENT |
			    SB_POSIXACL | SB_LAZYTIME | SB_I_VERSION);
	if ((flags & (MS_REMOUNT | MS_BIND)) == (MS_REMOUNT | MS_BIND))
		return do_reconfigure_mnt(path, mnt_flags);
	if (flags & MS_REMOUNT)
		return do_remount(path, sb_flags, mnt_flags, data);
	if (flags & MS_BIND)
		return do_loopback(path, from, flags & MS_REC);
	if (flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE))
		return do_change_type(path, (int)flags);
	if (flags & MS_MOVE) {
		if (!from || from->len <= 0)
			return -EINVAL;
		err = filename_lookup(AT_FDCWD, from, LOOKUP_FOLLOW, &old, NULL);
		if (err)
			return err;
		err = do_move_mount(&old, path, false);
		path_put(&old);
		return err;
	}
	return do_new_mount(path, type, sb_flags, mnt_flags, dev, data);
}

/* pivot_root(2). */

bool is_path_reachable(struct mount *m, struct dentry *d, const struct path *root)
{
	while (&m->mnt != root->mnt && mnt_has_parent(m)) {
		d = m->mnt_mountpoint;
		m = m->mnt_parent;
	}
	return &m->mnt == root->mnt && is_subdir(d, root->dentry);
}

/* References to all three paths stay the caller's. */
int path_pivot_root(const struct path *new, const struct path *old)
{
	struct mount *new_mnt, *root_mnt, *old_mnt, *root_parent, *ex_parent;
	struct mountpoint *old_mp, *root_mp;
	struct path root, at;
	int err;

	if (!may_mount())
		return -EPERM;
	get_fs_root(current->fs, &root);
	err = lock_mount_point(old, &at, &old_mp);
	if (err)
		goto put_root;
	err = -EINVAL;
	new_mnt = real_mount(new->mnt);
	root_mnt = real_mount(root.mnt);
	old_mnt = real_mount(at.mnt);
	ex_parent = new_mnt->mnt_parent;
	root_parent = root_mnt->mnt_parent;
	if (is_mnt_shared(old_mnt) || is_mnt_shared(ex_parent) || is_mnt_shared(root_parent))
		goto out;
	if (!check_mnt(root_mnt) || !check_mnt(new_mnt) || !check_mnt(old_mnt))
		goto out;
	if (new_mnt->mnt.mnt_flags & MNT_LOCKED)
		goto out;
	if (d_unlinked(new->dentry)) {
		err = -ENOENT;
		goto out;
	}
	if (new_mnt == root_mnt || old_mnt == root_mnt) {
		err = -EBUSY;
		goto out;
	}
	if (root.mnt->mnt_root != root.dentry || !mnt_has_parent(root_mnt))
		goto out;
	if (new->mnt->mnt_root != new->dentry || !mnt_has_parent(new_mnt))
		goto out;
	/* put_old below new_root, new_root below the root. */
	if (!is_path_reachable(old_mnt, at.dentry, new) || !is_path_reachable(new_mnt, new->dentry, &root))
		goto out;
	lock_mount_hash();
	root_mp = root_mnt->mnt_mp;
	root_mp->m_count++;
	mnt_detach_locked(new_mnt, &dead_points);
	mnt_detach_locked(root_mnt, &dead_points);
	if (root_mnt->mnt.mnt_flags & MNT_LOCKED) {
		new_mnt->mnt.mnt_flags |= MNT_LOCKED;
		root_mnt->mnt.mnt_flags &= ~MNT_LOCKED;
	}
	mnt_set_mountpoint(root_parent, root_mp, new_mnt);
	mnt_attach(new_mnt);
	mnt_set_mountpoint(old_mnt, old_mp, root_mnt);
	mnt_attach(root_mnt);
	put_mountpoint_locked(root_mp, NULL, &dead_points);	/* there is @new_mnt on it */
	new_mnt->mnt_expiry_mark = 0;
	unlock_mount_hash();
	touch_mnt_namespace(current->nsproxy->mnt_ns);
	chroot_fs_refs(&root, new);
	err = 0;
out:
	unlock_mount_point(&at, old_mp);
put_root:
	path_put(&root);
	return err;
}
