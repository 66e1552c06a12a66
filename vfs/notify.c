// SPDX-License-Identifier: MIT
/*
 * Watches on inodes, and how events reach them.
 *
 * An inode has a list of watches and the union of what they want, so that an event that nobody waits for costs one load. The list is
 * walked under RCU. A watch holds its inode; it ends once: removed by its owner, used up (IN_ONESHOT), with its inode (the last name and
 * user gone, or unmounted) or with its instance. Whoever sets `dead` takes it off the inode and out of the instance at once; the inode's
 * reference is dropped by a work item, because events come from where one cannot sleep.
 */
#include <lib/types.h>
#include <alloc/slab.h>
#include <sched/work.h>
#include "notify_priv.h"

DEFINE_STATIC_KEY_FALSE(notify_key);
static atomic_t last_cookie;

static void reap(struct work_struct *work);
static DECLARE_WORK(reap_work, reap);
static DEFINE_SPINLOCK(reap_lock);
static struct watch *reap_list;		/* reap_lock */

static void free_watch_rcu(struct rcu_head *head)
{
	struct watch *w = container_of(head, struct watch, rcu);

	w->ops->free(w);
}

static void reap(struct work_struct *work)
{
	struct watch *w, *next;

	spin_lock(&reap_lock);
	w = reap_list;
	reap_list = NULL;
	spin_unlock(&reap_lock);
	for (; w; w = next) {
		next = w->reap_next;
		iput(w->inode);
		call_rcu(&w->rcu, free_watch_rcu);
	}
}

/* With the first watch and for good: patching the kernel stops all CPUs, and watches may come and go by the thousand. */
void notify_begin(void)
{
	static DEFINE_MUTEX(first);
	static bool begun;

	if (smp_load_acquire(&begun))
		return;
	mutex_lock(&first);
	if (!begun) {
		static_key_enable(&notify_key);
		smp_store_release(&begun, true);
	}
	mutex_unlock(&first);
}

void watch_update_inode_mask(struct inode *inode)
{
	struct watch *w;
	u32 mask = 0;

	hlist_for_each_entry(w, &inode->i_watches, link)
		mask |= w->mask;
	WRITE_ONCE(inode->i_notify_mask, mask);
}

bool watch_end(struct watch *w, bool tell)
{
	struct inode *inode = w->inode;

	if (atomic_xchg(&w->dead, 1))
		return false;
	spin_lock(&inode->i_lock);
	hlist_del_rcu(&w->link);
	watch_update_inode_mask(inode);
	spin_unlock(&inode->i_lock);
	w->ops->forget(w, tell);
	spin_lock(&reap_lock);
	w->reap_next = reap_list;
	reap_list = w;
	spin_unlock(&reap_lock);
	queue_work(system_unbound_wq, &reap_work);
	return true;
}

/* RCU held. ABOUT: what was reached by a name, if anything. */
static void send(struct inode *inode, u32 mask, u32 cookie, const struct qstr *name, const struct dentry *about)
{
	struct watch *w;

	hlist_for_each_entry_rcu(w, &inode->i_watches, link) {
		u32 wanted = READ_ONCE(w->mask);

		if (!(wanted & mask & (IN_ALL_EVENTS | NOTIFY_RENAME)) && !(mask & IN_UNMOUNT))
			continue;
		if (wanted & IN_EXCL_UNLINK && about && d_unhashed(about))
			continue;
		if (atomic_read(&w->dead))
			continue;
		if (w->ops->tell(w, mask, cookie, name))
			watch_end(w, true);
	}
}

static u32 dir_flag(const struct inode *inode)
{
	return S_ISDIR(inode->i_mode) ? IN_ISDIR : 0;
}

void __notify_inode(struct inode *inode, u32 mask)
{
	if (!(READ_ONCE(inode->i_notify_mask) & mask))
		return;
	rcu_read_lock();
	send(inode, mask | dir_flag(inode), 0, NULL, NULL);
	rcu_read_unlock();
}

void __notify_name(struct inode *dir, const struct qstr *name, u32 mask, u32 cookie)
{
	if (!(READ_ONCE(dir->i_notify_mask) & mask))
		return;
	rcu_read_lock();
	send(dir, mask, cookie, name, NULL);
	rcu_read_unlock();
}

/* RCU held. The parent and name of D as they were at one moment. */
static struct inode *parent_and_name(const struct dentry *d, struct kept_name *k)
{
	struct inode *dir;
	unsigned int seq;

	do {
		const char *text;

		seq = read_seqcount_begin(&d->d_seq);
		dir = READ_ONCE(READ_ONCE(d->d_parent)->d_inode);
		k->name.len = min(READ_ONCE(d->d_name.len), (u32)NAME_MAX);
		text = rcu_dereference_untyped(d->d_name.name);
		/* The length must be this text's before as many bytes are read of it. */
		if (read_seqcount_retry(&d->d_seq, seq))
			continue;
		memcpy(k->text, text, k->name.len);
	} while (read_seqcount_retry(&d->d_seq, seq));
	k->text[k->name.len] = '\0';
	k->name.name = k->text;
	return dir;
}

static noinline void tell_parent(const struct dentry *d, u32 mask)
{
	struct kept_name k;
	struct inode *dir = parent_and_name(d, &k);

	if (dir && READ_ONCE(dir->i_notify_mask) & mask)
		send(dir, mask, 0, &k.name, d);
}

void __notify_dentry(const struct dentry *d, u32 mask)
{
	struct inode *inode = d->d_inode, *dir;
	const struct dentry *parent;
	u32 flags;

	if (!inode)
		return;
	flags = dir_flag(inode);
	rcu_read_lock();
	parent = READ_ONCE(d->d_parent);
	dir = parent != d ? READ_ONCE(parent->d_inode) : NULL;
	if (dir && READ_ONCE(dir->i_notify_mask) & mask)
		tell_parent(d, mask | flags);
	if (READ_ONCE(inode->i_notify_mask) & mask)
		send(inode, mask | flags, 0, NULL, d);
	rcu_read_unlock();
}

void __notify_setattr(const struct dentry *d, unsigned int valid)
{
	u32 mask = 0;

	if (valid & (ATTR_UID | ATTR_GID | ATTR_MODE))
		mask |= IN_ATTRIB;
	if (valid & ATTR_SIZE)
		mask |= IN_MODIFY;
	/* Both times: somebody set them; one alone goes with what was done. */
	if ((valid & (ATTR_ATIME | ATTR_MTIME)) == (ATTR_ATIME | ATTR_MTIME))
		mask |= IN_ATTRIB;
	else if (valid & ATTR_ATIME)
		mask |= IN_ACCESS;
	else if (valid & ATTR_MTIME)
		mask |= IN_MODIFY;
	if (mask)
		__notify_dentry(d, mask);
}

void notify_keep_name(struct kept_name *k, const struct dentry *d)
{
	rcu_read_lock();
	parent_and_name(d, k);
	rcu_read_unlock();
}

void notify_move(struct inode *old_dir, const struct qstr *old, struct inode *new_dir, struct inode *target, struct dentry *d)
{
	u32 flags = d_is_dir(d) ? IN_ISDIR : 0, cookie = (u32)atomic_inc_return(&last_cookie);

	if (old_dir == new_dir)
		__notify_name(old_dir, old, NOTIFY_RENAME | flags, 0);
	__notify_name(old_dir, old, IN_MOVED_FROM | flags, cookie);
	__notify_name(new_dir, &d->d_name, IN_MOVED_TO | flags, cookie);
	if (target)
		__notify_inode(target, IN_ATTRIB);
	__notify_inode(d->d_inode, IN_MOVE_SELF);
}

void __notify_gone(struct inode *inode, u32 last)
{
	struct watch *w;

	if (hlist_empty(&inode->i_watches))
		return;
	rcu_read_lock();
	send(inode, last | dir_flag(inode), 0, NULL, NULL);
	hlist_for_each_entry_rcu(w, &inode->i_watches, link)
		watch_end(w, true);
	rcu_read_unlock();
}

void __notify_super_gone(struct super_block *sb)
{
	struct inode *inode, *last = NULL;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		if (hlist_empty(&inode->i_watches) || !igrab(inode))
			continue;
		spin_unlock(&sb->s_inode_list_lock);
		/* The pinned one keeps our place in the list. */
		iput(last);
		__notify_gone(inode, IN_UNMOUNT);
		last = inode;
		cond_resched();
		spin_lock(&sb->s_inode_list_lock);
	}
	spin_unlock(&sb->s_inode_list_lock);
	iput(last);
	/* The inodes that the watches held; also of those that somebody is just ending (watch_end, under RCU). */
	synchronize_rcu();
	flush_work(&reap_work);
}
