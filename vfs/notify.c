// SPDX-License-Identifier: MIT
/*
 * Watches on inodes, and how events reach them.
 *
 * An inode has a list of watches, a tree of them by who watches, and the union of what they want, so that an event that nobody waits for costs one
 * load. The list is walked under RCU, some watches at a time. A watch holds its inode; it ends once: removed by its owner, used up (IN_ONESHOT), with its inode (the last name and
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
		cond_resched();
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

#define TELL_AT_ONCE 64		/* watches, before others on this CPU have their turn */
#define LOOK_AT_ONCE 1024	/* inodes, before others have the lock */

static int compare(const struct watch *w, const void *whom, const void *also)
{
	if (w->whom != whom)
		return whom < w->whom ? -1 : 1;
	return also == w->also ? 0 : also < w->also ? -1 : 1;
}

struct watch *watch_find(const struct inode *inode, const void *whom, const void *also)
{
	struct rb_node *n = inode->i_watchers.node;

	while (n) {
		struct watch *w = rb_entry(n, struct watch, by_whom);
		int c = compare(w, whom, also);

		if (!c)
			return w;
		n = c < 0 ? n->left : n->right;
	}
	return NULL;
}

/* Inode locked. Bits that nobody waits for any more go where they are cheap to find: elsewhere they cost an event a walk that finds nothing. */
static void narrow_mask(struct inode *inode)
{
	struct watch *w;
	u32 mask = 0;
	int n = 0;

	hlist_for_each_entry(w, &inode->i_watches, link) {
		mask |= w->mask;
		if (++n > TELL_AT_ONCE)
			return;
	}
	WRITE_ONCE(inode->i_notify_mask, mask);
}

void watch_changed(struct watch *w)
{
	WRITE_ONCE(w->inode->i_notify_mask, w->inode->i_notify_mask | w->mask);
	narrow_mask(w->inode);
}

void watch_add(struct watch *w)
{
	struct rb_node **link = &w->inode->i_watchers.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = compare(rb_entry(parent, struct watch, by_whom), w->whom, w->also) < 0 ? &parent->left : &parent->right;
	}
	rb_link_node(&w->by_whom, parent, link);
	rb_insert_color(&w->by_whom, &w->inode->i_watchers);
	hlist_add_head_rcu(&w->link, &w->inode->i_watches);
	watch_changed(w);
}

void watch_remove(struct watch *w)
{
	if (hlist_unhashed(&w->link))
		return;
	hlist_del_init_rcu(&w->link);
	if (w->whom)
		rb_erase(&w->by_whom, &w->inode->i_watchers);
	narrow_mask(w->inode);
}

bool watch_end(struct watch *w, bool tell)
{
	struct inode *inode = w->inode;

	if (atomic_xchg(&w->dead, 1))
		return false;
	spin_lock(&inode->i_lock);
	watch_remove(w);
	spin_unlock(&inode->i_lock);
	w->ops->forget(w, tell);
	spin_lock(&reap_lock);
	w->reap_next = reap_list;
	reap_list = w;
	spin_unlock(&reap_lock);
	queue_work(system_unbound_wq, &reap_work);
	return true;
}

/* A place in the list of an inode, which it holds as watches do: nobody ends it but who made it. */
static bool mark_tell(struct watch *w, u32 mask, u32 cookie, const struct qstr *name) { return false; }
static void mark_forget(struct watch *w, bool tell) { }
static void mark_free(struct watch *w) { kfree(w); }
static const struct watch_ops mark_ops = { .tell = mark_tell, .forget = mark_forget, .free = mark_free };

/* A mark behind W. NULL: there is no memory for it, or W has ended. */
static struct watch *put_mark(struct watch *w)
{
	struct watch *mark = kzalloc(sizeof(*mark), GFP_NOWAIT);
	bool put;

	if (!mark)
		return NULL;
	mark->ops = &mark_ops;
	mark->inode = w->inode;
	spin_lock(&w->inode->i_lock);
	put = !hlist_unhashed(&w->link);
	if (put) {
		ihold(w->inode);
		hlist_add_behind_rcu(&mark->link, &w->link);
	}
	spin_unlock(&w->inode->i_lock);
	if (put)
		return mark;
	kfree(mark);
	return NULL;
}

/*
 * RCU held. Before W, the NTH, is told or ended, which may take it off the list: now and then a mark behind it, where nothing else is held, so that others
 * can have the CPU before the next.
 */
static struct watch *keep_place(struct watch *w, unsigned int nth)
{
	return nth % TELL_AT_ONCE || preempt_count() != 1 || irqs_disabled() ? NULL : put_mark(w);
}

/* RCU held. The watch behind W, or MARK. Watches that come meanwhile come to the list's head, and are none of those to be told. */
static struct watch *next_watch(struct watch *w, struct watch *mark) __must_hold(RCU)
{
	struct hlist_node *n;

	if (!mark) {
		n = rcu_dereference_untyped(w->link.next);
		return hlist_entry_safe(n, struct watch, link);
	}
	rcu_read_unlock();
	rcu_read_lock();
	n = rcu_dereference_untyped(mark->link.next);
	watch_end(mark, false);
	return hlist_entry_safe(n, struct watch, link);
}

static struct watch *first_watch(struct inode *inode)
{
	return hlist_entry_safe(rcu_dereference_untyped(inode->i_watches.first), struct watch, link);
}

/* RCU held. ABOUT: what was reached by a name, if anything. */
static void send(struct inode *inode, u32 mask, u32 cookie, const struct qstr *name, const struct dentry *about)
{
	struct watch *w, *mark;
	unsigned int n = 0;

	for (w = first_watch(inode); w; w = next_watch(w, mark)) {
		u32 wanted = READ_ONCE(w->mask);

		mark = keep_place(w, ++n);
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

/* True: there may be more. */
static bool end_some(struct inode *inode)
{
	unsigned int n = 0;
	struct watch *w;

	rcu_read_lock();
	hlist_for_each_entry_rcu(w, &inode->i_watches, link) {
		if (w->ops != &mark_ops && watch_end(w, true) && ++n == TELL_AT_ONCE)
			break;
	}
	rcu_read_unlock();
	return n == TELL_AT_ONCE;
}

void __notify_gone(struct inode *inode, u32 last)
{
	if (hlist_empty(&inode->i_watches))
		return;
	rcu_read_lock();
	send(inode, last | dir_flag(inode), 0, NULL, NULL);
	rcu_read_unlock();
	while (end_some(inode))
		;
}

void __notify_super_gone(struct super_block *sb)
{
	struct inode *inode, *last = NULL;
	unsigned int n = 0;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		/* Of many that nobody watches, others have the lock in between. */
		if ((hlist_empty(&inode->i_watches) && ++n % LOOK_AT_ONCE) || !igrab(inode))
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
