// SPDX-License-Identifier: MIT
/*
 * epoll(7).
 *
 * An instance holds items, one a watched (file, descriptor) pair, in a tree. Each item has an entry on the wait queues of its
 * file; its callback puts the item on the ready list and wakes waiters. A waiter takes the ready list, asks each file
 * again (the callback only says that something may have changed), delivers, and puts level-triggered items back.
 *
 * Locks: nest_lock (adding epoll to epoll) > ep->mtx (items; nested instances by depth) > file->f_lock > wait-queue lock >
 * ep->lock (ready list; irq-safe). An item is freed by RCU: callbacks may still look at it.
 *
 * A watched file that closes removes its items (eventpoll_release_file); an instance that closes removes all of its own. Both may
 * happen at once: the instance takes a reference of the file first, and leaves the item to a file that has none any more.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <alloc/slab.h>
#include <alloc/page.h>
#include <proc/cred.h>
#include <kernel/show.h>
#include <ipc/fds.h>
#include <kernel/init.h>
#include <kernel/rcu.h>
#include <kernel/refcount.h>
#include <mm/uaccess.h>
#include <sched/mutex.h>
#include <sched/task.h>
#include <sched/wait.h>
#include <vfs/file.h>
#include <vfs/inode.h>
#include <vfs/poll.h>
#include <vfs/seq_file.h>
#include <vfs/upcalls.h>
#include <abi/errno.h>
#include <linux/eventpoll.h>
#include <linux/time.h>

#define EP_PRIVATE (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)
#define EP_EXCLUSIVE_OK (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)
#define EP_MAX_NESTS 4
#define EP_MAX_EVENTS (INT_MAX / (int)sizeof(struct epoll_event))

struct eventpoll {
	struct mutex mtx;
	refcount_t refs;
	wait_queue_head_t wq;		/* epoll_wait sleepers */
	wait_queue_head_t poll_wq;	/* who polls this instance */
	spinlock_t lock;		/* irq-safe */
	struct list_head ready;		/* lock */
	bool scanning;			/* lock: what is ready is off the list, in the hands of who holds mtx */
	struct rcu_head rcu;		/* depth_above() looks at it in a read section */
	struct rb_root_cached items;	/* mtx */
	struct file *file;		/* NULL once it goes: items may keep us longer than that */
	struct user_struct *user;	/* c: whose watches are counted */
	u64 loop_gen;			/* nest_lock */
	int loop_depth;			/* nest_lock */
};

struct epitem {
	struct rb_node rbn;		/* mtx */
	struct list_head ready_link;	/* ep->lock */
	struct eventpoll *ep;		/* c */
	struct file *file;		/* c; not referenced: its close removes us */
	int fd;				/* c */
	struct ep_wait *waits;		/* mtx */
	struct epoll_event event;	/* mtx; events read by the callback without it */
	struct hlist_node file_link;	/* file->f_lock */
	struct rcu_head rcu;
};

struct ep_wait {
	struct wait_queue_entry entry;
	struct epitem *item;
	wait_queue_head_t *queue;	/* NULL once the queue is gone */
	struct ep_wait *next;
};

struct ep_queue {
	poll_table pt;
	struct epitem *item;
	int error;
};

static DEFINE_MUTEX(nest_lock);
static unsigned long max_user_watches;
static u64 loop_gen;			/* nest_lock */
static struct kmem_cache *item_cache, *wait_cache;
static const struct file_operations eventpoll_fops;

static inline bool is_epoll(const struct file *f)
{
	return f->f_op == &eventpoll_fops;
}

static inline struct hlist_head *watchers(struct file *f)
{
	return (struct hlist_head *)&f->f_ep;
}

/* ---- the tree ---- */

/* By number first: where files lie in memory must not decide how deep one is found. */
static int compare(const struct epitem *i, const struct file *file, int fd)
{
	if (i->fd != fd)
		return i->fd > fd ? 1 : -1;
	return (i->file > file) - (i->file < file);
}

static struct epitem *find_item(struct eventpoll *ep, struct file *file, int fd)
{
	struct rb_node *n = ep->items.root.node;

	while (n) {
		struct epitem *i = rb_entry(n, struct epitem, rbn);
		int c = compare(i, file, fd);

		if (!c)
			return i;
		n = c > 0 ? n->left : n->right;
	}
	return NULL;
}

static void insert_item(struct eventpoll *ep, struct epitem *item)
{
	struct rb_node **link = &ep->items.root.node, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (compare(rb_entry(parent, struct epitem, rbn), item->file, item->fd) > 0) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_link_node(&item->rbn, parent, link);
	rb_insert_color_cached(&item->rbn, &ep->items, leftmost);
}

/* ---- becoming ready ---- */

static int item_callback(struct wait_queue_entry *e, unsigned int mode, int flags, void *key)
{
	struct ep_wait *w = container_of(e, struct ep_wait, entry);
	struct epitem *item = w->item;
	struct eventpoll *ep = item->ep;
	u32 events = READ_ONCE(item->event.events), got = key_to_poll(key);
	unsigned long irq;
	bool wake = false, poll = false;
	int ret = 1;

	spin_lock_irqsave(&ep->lock, irq);
	if ((events & ~EP_PRIVATE) && (!got || (got & events))) {
		if (list_empty(&item->ready_link))
			list_add_tail(&item->ready_link, &ep->ready);
		wake = waitqueue_active(&ep->wq);
		poll = waitqueue_active(&ep->poll_wq);
		/* An exclusive waiter took the event only if somebody is there to handle it. */
		if ((events & EPOLLEXCLUSIVE) && !wake)
			ret = 0;
	} else if (events & EPOLLEXCLUSIVE) {
		ret = 0;
	}
	spin_unlock_irqrestore(&ep->lock, irq);
	if (wake)
		wake_up(&ep->wq);
	if (poll)	/* a ring's mark goes on: it may come back to the ring */
		wake_up_poll(&ep->poll_wq, EPOLLIN | (got & EPOLL_URING_WAKE));
	if (got & POLL_FREED) {
		list_del_init(&e->entry);
		/* After this the queue is not touched by us: pairs with unhook(). */
		smp_store_release(&w->queue, (wait_queue_head_t *)NULL);
	}
	return ret;
}

static void queue_proc(struct file *file, wait_queue_head_t *q, poll_table *pt)
{
	struct ep_queue *eq = container_of(pt, struct ep_queue, pt);
	struct ep_wait *w;

	if (eq->error)
		return;
	w = kmem_cache_alloc(wait_cache, GFP_KERNEL);
	if (!w) {
		eq->error = -ENOMEM;
		return;
	}
	init_waitqueue_func_entry(&w->entry, item_callback);
	w->item = eq->item;
	w->queue = q;
	w->next = eq->item->waits;
	eq->item->waits = w;
	if (eq->item->event.events & EPOLLEXCLUSIVE)
		add_wait_queue_exclusive(q, &w->entry);
	else
		add_wait_queue(q, &w->entry);
}

static void unhook(struct epitem *item)
{
	struct ep_wait *w;

	while ((w = item->waits)) {
		wait_queue_head_t *q;

		item->waits = w->next;
		rcu_read_lock();
		q = smp_load_acquire(&w->queue);
		if (q)
			remove_wait_queue(q, &w->entry);
		rcu_read_unlock();
		kmem_cache_free(wait_cache, w);
	}
}

/* ---- asking a file ---- */

static __poll_t instance_events(struct eventpoll *ep, int depth);

/* What the file has of what is wanted. PT may queue. */
static u32 item_events(struct epitem *item, poll_table *pt, int depth)
{
	struct file *f = item->file;
	__poll_t r;

	pt->_key = item->event.events;
	if (!is_epoll(f)) {
		r = vfs_poll(f, pt);
	} else {
		struct eventpoll *ep = f->private_data;

		poll_wait(f, &ep->poll_wq, pt);
		r = instance_events(ep, depth + 1);
	}
	return r & (item->event.events | EPOLLERR | EPOLLHUP);
}

/* Takes what is ready off, so that it can be asked without the lock. mtx held. */
static void scan_begin(struct eventpoll *ep, struct list_head *tx)
{
	spin_lock_irq(&ep->lock);
	list_splice_init(&ep->ready, tx);
	WRITE_ONCE(ep->scanning, true);
	spin_unlock_irq(&ep->lock);
}

/* What was not looked at goes in front of what came meanwhile. Who waits for what is left is told: he may have found the list empty. */
static void scan_end(struct eventpoll *ep, struct list_head *tx)
{
	bool wake;

	spin_lock_irq(&ep->lock);
	list_splice(tx, &ep->ready);
	WRITE_ONCE(ep->scanning, false);
	wake = !list_empty(&ep->ready);
	spin_unlock_irq(&ep->lock);
	if (wake && wq_has_sleeper(&ep->wq))
		wake_up(&ep->wq);
}

/* Worth a scan: something is ready, or somebody has it all in hand and may leave some. */
static bool maybe_ready(struct eventpoll *ep)
{
	bool r;

	spin_lock_irq(&ep->lock);
	r = !list_empty(&ep->ready) || ep->scanning;
	spin_unlock_irq(&ep->lock);
	return r;
}

/* Is anything ready in a nested instance? */
static __poll_t instance_events(struct eventpoll *ep, int depth)
{
	struct epitem *i, *n;
	LIST_HEAD(tx);
	__poll_t r = 0;
	poll_table pt;

	init_poll_funcptr(&pt, NULL);
	mutex_lock_nested(&ep->mtx, (unsigned int)depth);
	scan_begin(ep, &tx);
	list_for_each_entry_safe(i, n, &tx, ready_link) {
		if (item_events(i, &pt, depth)) {
			r = EPOLLIN | EPOLLRDNORM;
			break;
		}
		/* Not so: the callback puts it back when that changes. */
		spin_lock_irq(&ep->lock);
		list_del_init(&i->ready_link);
		spin_unlock_irq(&ep->lock);
		if (item_events(i, &pt, depth)) {
			spin_lock_irq(&ep->lock);
			if (list_empty(&i->ready_link))
				list_add_tail(&i->ready_link, &ep->ready);
			spin_unlock_irq(&ep->lock);
			r = EPOLLIN | EPOLLRDNORM;
			break;
		}
	}
	scan_end(ep, &tx);
	mutex_unlock(&ep->mtx);
	return r;
}

static __poll_t ep_poll(struct file *file, struct poll_table_struct *p)
{
	struct eventpoll *ep = file->private_data;

	poll_wait(file, &ep->poll_wq, p);
	return instance_events(ep, 0);
}

/* ---- removing ---- */

static void item_free_rcu(struct rcu_head *h)
{
	kmem_cache_free(item_cache, container_of(h, struct epitem, rcu));
}

static void ep_put(struct eventpoll *ep)
{
	if (refcount_dec_and_test(&ep->refs)) {
		free_uid(ep->user);
		kfree_rcu(ep, rcu);
	}
}

/* mtx held, and the file cannot go: referenced, or waiting for this in eventpoll_release_file(). The item's reference of EP is left to the caller. */
static void forget_item(struct eventpoll *ep, struct epitem *item)
{
	struct file *f = item->file;

	unhook(item);
	spin_lock(&f->f_lock);
	hlist_del_rcu(&item->file_link);	/* count_paths() goes on from it */
	spin_unlock(&f->f_lock);
	rb_erase_cached(&item->rbn, &ep->items);
	spin_lock_irq(&ep->lock);
	if (!list_empty(&item->ready_link))
		list_del_init(&item->ready_link);
	spin_unlock_irq(&ep->lock);
	atomic_long_dec(&ep->user->epoll_watches);
	call_rcu(&item->rcu, item_free_rcu);
}

/*
 * mtx held. A file whose last reference is gone removes the item itself. Else it is held meanwhile: as soon as its list of watchers is empty
 * nothing else keeps its memory, and with it f_lock, from going.
 */
static void remove_item(struct eventpoll *ep, struct epitem *item)
{
	struct file *f = item->file;

	if (!get_file_rcu(f))
		return;
	forget_item(ep, item);
	refcount_dec(&ep->refs);
	fput(f);
}

void eventpoll_release_file(struct file *file)
{
	for (;;) {
		struct hlist_node *n;
		struct epitem *item;
		struct eventpoll *ep;

		spin_lock(&file->f_lock);
		n = watchers(file)->first;
		if (!n) {
			spin_unlock(&file->f_lock);
			return;
		}
		item = hlist_entry(n, struct epitem, file_link);
		ep = item->ep;		/* kept by the item's reference, which only we drop now */
		spin_unlock(&file->f_lock);
		mutex_lock(&ep->mtx);
		forget_item(ep, item);
		mutex_unlock(&ep->mtx);
		ep_put(ep);
	}
}

static int ep_release(struct inode *inode, struct file *file)
{
	struct eventpoll *ep = file->private_data;
	struct rb_node *n, *next;

	WRITE_ONCE(ep->file, NULL);	/* before its memory goes, which a read section then keeps */
	mutex_lock(&ep->mtx);
	for (n = rb_first_cached(&ep->items); n; n = next) {
		next = rb_next(n);
		remove_item(ep, rb_entry(n, struct epitem, rbn));
		cond_resched();
	}
	mutex_unlock(&ep->mtx);
	ep_put(ep);
	return 0;
}

static void ep_fdinfo(struct seq_file *m, struct file *f)
{
	struct eventpoll *ep = f->private_data;

	mutex_lock(&ep->mtx);
	for (struct rb_node *n = rb_first_cached(&ep->items); n; n = rb_next(n)) {
		struct epitem *i = rb_entry(n, struct epitem, rbn);

		seq_printf(m, "tfd: %8d events: %8x data: %16llx  pos:%lli ino:%llx sdev:%x\n", i->fd, i->event.events,
			   (u64)i->event.data, (long long)i->file->f_pos, (u64)file_inode(i->file)->i_ino, 0);
	}
	mutex_unlock(&ep->mtx);
}

/* Not -ENOTTY: that an instance takes ioctls is part of the ABI, though there is none here (its busy polling needs networks). */
static long ep_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return -EINVAL;
}

static const struct file_operations eventpoll_fops = {
	.llseek = noop_llseek, .poll = ep_poll, .release = ep_release, .ioctl = ep_ioctl, .show_fdinfo = ep_fdinfo,
};

/* ---- adding and changing ---- */

static int add_item(struct eventpoll *ep, const struct epoll_event *ev, struct file *file, int fd)
{
	struct epitem *item;
	struct ep_queue eq;
	bool wake = false;
	u32 r;

	if (atomic_long_inc_return(&ep->user->epoll_watches) > (long)READ_ONCE(max_user_watches)) {
		atomic_long_dec(&ep->user->epoll_watches);
		return -ENOSPC;
	}
	item = kmem_cache_zalloc(item_cache, GFP_KERNEL);
	if (!item) {
		atomic_long_dec(&ep->user->epoll_watches);
		return -ENOMEM;
	}
	INIT_LIST_HEAD(&item->ready_link);
	item->ep = ep;
	item->file = file;
	item->fd = fd;
	item->event = *ev;
	spin_lock(&file->f_lock);
	hlist_add_head_rcu(&item->file_link, watchers(file));
	spin_unlock(&file->f_lock);
	insert_item(ep, item);
	refcount_inc(&ep->refs);
	eq.item = item;
	eq.error = 0;
	init_poll_funcptr(&eq.pt, queue_proc);
	r = item_events(item, &eq.pt, 0);
	if (eq.error) {
		remove_item(ep, item);
		return eq.error;
	}
	spin_lock_irq(&ep->lock);
	if (r && list_empty(&item->ready_link)) {
		list_add_tail(&item->ready_link, &ep->ready);
		wake = true;
	}
	spin_unlock_irq(&ep->lock);
	if (wake) {
		wake_up(&ep->wq);
		wake_up_poll(&ep->poll_wq, EPOLLIN);
	}
	return 0;
}

static void modify_item(struct eventpoll *ep, struct epitem *item, const struct epoll_event *ev)
{
	poll_table pt;

	init_poll_funcptr(&pt, NULL);
	WRITE_ONCE(item->event.events, ev->events);
	item->event.data = ev->data;
	smp_mb();		/* the new mask before the look at the file; a callback sees one or the other */
	if (!item_events(item, &pt, 0))
		return;
	spin_lock_irq(&ep->lock);
	if (list_empty(&item->ready_link))
		list_add_tail(&item->ready_link, &ep->ready);
	spin_unlock_irq(&ep->lock);
	wake_up(&ep->wq);
	wake_up_poll(&ep->poll_wq, EPOLLIN);
}

/* Depth of the instances below EP; more than the limit if TARGET is among them. nest_lock held. */
static int depth_below(struct eventpoll *ep, struct eventpoll *target, int depth)
{
	int deepest = 0;
	struct rb_node *n;

	if (ep == target || depth > EP_MAX_NESTS)
		return EP_MAX_NESTS + 1;
	if (ep->loop_gen == loop_gen)
		return ep->loop_depth;
	mutex_lock_nested(&ep->mtx, (unsigned int)depth + 1);
	ep->loop_gen = loop_gen;
	for (n = rb_first_cached(&ep->items); n; n = rb_next(n)) {
		struct file *f = rb_entry(n, struct epitem, rbn)->file;
		int d = is_epoll(f) ? depth_below(f->private_data, target, depth + 1) + 1 : 0;

		if (d > deepest)
			deepest = d;
		if (deepest > EP_MAX_NESTS)
			break;
	}
	ep->loop_depth = deepest;
	mutex_unlock(&ep->mtx);
	return deepest;
}

/* How many instances stand above EP. */
static int depth_above(struct eventpoll *ep, int depth)
{
	struct file *file;
	int deepest = 0;
	struct epitem *i;

	if (depth > EP_MAX_NESTS)
		return depth;
	rcu_read_lock();
	file = READ_ONCE(ep->file);
	if (!file) {
		rcu_read_unlock();
		return 0;
	}
	hlist_for_each_entry_rcu(i, watchers(file), file_link) {
		int d = depth_above(i->ep, depth + 1) + 1;

		if (d > deepest)
			deepest = d;
	}
	rcu_read_unlock();
	return deepest;
}

static bool would_loop(struct eventpoll *ep, struct file *target)
{
	int below;

	loop_gen++;
	below = depth_below(target->private_data, ep, 0);
	return below > EP_MAX_NESTS || below + 1 + depth_above(ep, 0) > EP_MAX_NESTS;
}

/*
 * How many ways an event at a watched file may go to instances that nobody watches, by how many instances it passes on its way there.
 * Each is a call with interrupts off at each event, so that nesting must not multiply them. Straight ones are free: each is a watch,
 * which is counted already.
 */
static const unsigned int path_limits[EP_MAX_NESTS + 1] = { UINT_MAX, 500, 100, 50, 10 };
static unsigned int path_counts[EP_MAX_NESTS + 1];	/* nest_lock */

/*
 * Counts the paths from FILE up; false: too many. Called at most EP_MAX_NESTS + 2 deep. nest_lock and RCU held. FILE is referenced, or an
 * instance's; the memory of the latter stays a file's for the read section: freed meanwhile, it has no watchers, or those of the next file there.
 */
static bool count_paths(struct file *file, unsigned int depth)
{
	struct epitem *i;

	if (depth > EP_MAX_NESTS)
		return false;
	hlist_for_each_entry_rcu(i, watchers(file), file_link) {
		struct file *up = READ_ONCE(i->ep->file);

		if (!up)
			continue;
		if (READ_ONCE(watchers(up)->first) ? !count_paths(up, depth + 1) : ++path_counts[depth] > path_limits[depth])
			return false;
	}
	return true;
}

static bool file_paths_ok(struct file *file)
{
	bool ok;

	memset(path_counts, 0, sizeof(path_counts));
	rcu_read_lock();
	ok = count_paths(file, 0);
	rcu_read_unlock();
	return ok;
}

/* Of FILE or, if it is an instance, of all that it and those below it watch; would_loop() has seen that they are few deep. nest_lock held. */
static bool paths_ok(struct file *file, unsigned int depth)
{
	struct eventpoll *ep = file->private_data;
	bool ok = true;

	if (!is_epoll(file))
		return file_paths_ok(file);
	mutex_lock_nested(&ep->mtx, depth);
	if (ep->loop_gen != loop_gen) {
		ep->loop_gen = loop_gen;
		for (struct rb_node *n = rb_first_cached(&ep->items); ok && n; n = rb_next(n)) {
			ok = paths_ok(rb_entry(n, struct epitem, rbn)->file, depth + 1);
			cond_resched();
		}
	}
	mutex_unlock(&ep->mtx);
	return ok;
}

static int add_new(struct eventpoll *ep, struct file *target, int fd, struct epoll_event *ev)
{
	if (find_item(ep, target, fd))
		return -EEXIST;
	ev->events |= EPOLLERR | EPOLLHUP;
	return add_item(ep, ev, target, fd);
}

/* nest_lock held. */
static int add_checked(struct eventpoll *ep, struct file *target, int fd, struct epoll_event *ev)
{
	int err = add_new(ep, target, fd, ev);

	if (err)
		return err;
	loop_gen++;
	if (paths_ok(target, 1))
		return 0;
	remove_item(ep, find_item(ep, target, fd));
	return -EINVAL;
}

static noinline int add_nested(struct eventpoll *ep, struct file *target, int fd, struct epoll_event *ev)
{
	int e = -ELOOP;

	mutex_lock(&nest_lock);
	if (!is_epoll(target) || !would_loop(ep, target)) {
		mutex_lock(&ep->mtx);
		e = add_checked(ep, target, fd, ev);
		mutex_unlock(&ep->mtx);
	}
	mutex_unlock(&nest_lock);
	return e;
}

/* EPOLL_CTL_DEL and EPOLL_CTL_MOD. */
static int change(struct eventpoll *ep, struct file *target, int op, int fd, struct epoll_event *ev)
{
	struct epitem *item = find_item(ep, target, fd);

	if (op != EPOLL_CTL_DEL && op != EPOLL_CTL_MOD)
		return -EINVAL;
	if (!item)
		return -ENOENT;
	if (op == EPOLL_CTL_DEL) {
		remove_item(ep, item);
		return 0;
	}
	if (item->event.events & EPOLLEXCLUSIVE)
		return -EINVAL;
	ev->events |= EPOLLERR | EPOLLHUP;
	modify_item(ep, item, ev);
	return 0;
}

/*
 * Paths are counted where one longer than a step may come into being. Who watches F puts its item there before he looks at what F
 * watches, under F's mtx: he finds ours, or we his.
 */
static int control(struct file *f, struct file *target, int op, int fd, struct epoll_event *ev)
{
	struct eventpoll *ep = f->private_data;
	bool add = op == EPOLL_CTL_ADD;
	int e;

	if (unlikely(add && is_epoll(target)))
		return add_nested(ep, target, fd, ev);
	mutex_lock(&ep->mtx);
	if (unlikely(add && READ_ONCE(watchers(f)->first))) {
		mutex_unlock(&ep->mtx);
		return add_nested(ep, target, fd, ev);
	}
	e = add ? add_new(ep, target, fd, ev) : change(ep, target, op, fd, ev);
	mutex_unlock(&ep->mtx);
	return e;
}

int epoll_control(int epfd, int op, int fd, const struct epoll_event *user)
{
	struct file *f = fget((unsigned int)epfd), *target;
	struct epoll_event ev = { 0 };
	int e = -EBADF;

	if (!f)
		return -EBADF;
	target = fget((unsigned int)fd);
	if (!target)
		goto put;
	if (user)
		ev = *user;
	e = -EPERM;
	if (!file_can_poll(target))
		goto put_target;
	e = -EINVAL;
	if (f == target || !is_epoll(f))
		goto put_target;
	if (op != EPOLL_CTL_DEL && (ev.events & EPOLLEXCLUSIVE) &&
	    (op == EPOLL_CTL_MOD || is_epoll(target) || (ev.events & ~(u32)EP_EXCLUSIVE_OK)))
		goto put_target;
	e = control(f, target, op, fd, &ev);
put_target:
	fput(target);
put:
	fput(f);
	return e;
}

/* ---- waiting ---- */

/* Delivers what is ready. How many, or -EFAULT when not even one could be stored. */
static int send_events(struct eventpoll *ep, struct uptr out, int max)
{
	struct epitem *i, *n;
	LIST_HEAD(tx);
	poll_table pt;
	int done = 0, e = 0;

	init_poll_funcptr(&pt, NULL);
	mutex_lock(&ep->mtx);
	scan_begin(ep, &tx);
	list_for_each_entry_safe(i, n, &tx, ready_link) {
		struct epoll_event ev;
		u32 r;

		if (done >= max)
			break;
		/* Off before it is asked: a change after this puts it back. */
		spin_lock_irq(&ep->lock);
		list_del_init(&i->ready_link);
		spin_unlock_irq(&ep->lock);
		r = item_events(i, &pt, 0);
		if (!r)
			continue;
		memset(&ev, 0, sizeof(ev));	/* on some CPUs there is a gap in it */
		ev.events = r;
		ev.data = i->event.data;
		if (copy_to_user(uptr_add(out, (unsigned long)done * sizeof(ev)), &ev, sizeof(ev))) {
			spin_lock_irq(&ep->lock);
			if (list_empty(&i->ready_link))
				list_add(&i->ready_link, &ep->ready);
			spin_unlock_irq(&ep->lock);
			e = -EFAULT;
			break;
		}
		done++;
		if (i->event.events & EPOLLONESHOT) {
			WRITE_ONCE(i->event.events, i->event.events & EP_PRIVATE);
		} else if (!(i->event.events & EPOLLET)) {
			spin_lock_irq(&ep->lock);
			if (list_empty(&i->ready_link))
				list_add_tail(&i->ready_link, &ep->ready);
			spin_unlock_irq(&ep->lock);
		}
	}
	scan_end(ep, &tx);
	mutex_unlock(&ep->mtx);
	return done ?: e;
}

static int wait_ready(struct eventpoll *ep, const ktime_t *until)
{
	DEFINE_WAIT(w);
	int r = 1;

	w.flags = WQ_FLAG_EXCLUSIVE;
	for (;;) {
		prepare_to_wait_exclusive(&ep->wq, &w, TASK_INTERRUPTIBLE);
		if (maybe_ready(ep))
			break;
		if (signal_pending(current)) {
			r = -EINTR;
			break;
		}
		if (!schedule_hrtimeout_until(until, CLOCK_MONOTONIC)) {
			r = maybe_ready(ep);
			break;
		}
	}
	finish_wait(&ep->wq, &w);
	return r;
}

int epoll_wait_events(int epfd, struct uptr events, int maxevents, const ktime_t *until)
{
	struct eventpoll *ep;
	struct file *f;
	int r;

	if (maxevents <= 0 || maxevents > EP_MAX_EVENTS)
		return -EINVAL;
	if (!access_ok(events, (size_t)maxevents * sizeof(struct epoll_event)))
		return -EFAULT;
	f = fget((unsigned int)epfd);
	if (!f)
		return -EBADF;
	if (!is_epoll(f)) {
		fput(f);
		return -EINVAL;
	}
	ep = f->private_data;
	for (;;) {
		if (maybe_ready(ep)) {
			r = send_events(ep, events, maxevents);
			if (r)
				break;
		}
		if (until && *until <= (ktime_t)ktime_get_ns()) {
			r = 0;
			break;
		}
		r = wait_ready(ep, until);
		if (r <= 0)
			break;
	}
	fput(f);
	return r;
}

int epoll_create_fd(int flags)
{
	struct eventpoll *ep;
	struct file *file;
	int fd;

	if (flags & ~EPOLL_CLOEXEC)
		return -EINVAL;
	ep = kzalloc(sizeof(*ep), GFP_KERNEL);
	if (!ep)
		return -ENOMEM;
	mutex_init(&ep->mtx);
	spin_lock_init(&ep->lock);
	refcount_set(&ep->refs, 1);
	init_waitqueue_head(&ep->wq);
	init_waitqueue_head(&ep->poll_wq);
	INIT_LIST_HEAD(&ep->ready);
	ep->items = RB_ROOT_CACHED;
	fd = get_unused_fd_flags(O_RDWR | (unsigned int)(flags & O_CLOEXEC));
	if (fd < 0) {
		kfree(ep);
		return fd;
	}
	ep->user = current_cred()->user;
	refcount_inc(&ep->user->refs);
	file = anon_inode_getfile("[eventpoll]", &eventpoll_fops, ep, O_RDWR | (flags & O_CLOEXEC));
	if (IS_ERR(file)) {
		put_unused_fd((unsigned int)fd);
		free_uid(ep->user);
		kfree(ep);
		return (int)PTR_ERR(file);
	}
	ep->file = file;
	fd_install((unsigned int)fd, file);
	return fd;
}

static int epoll_init(void)
{
	item_cache = kmem_cache_create("eventpoll_epi", sizeof(struct epitem), 8, 0, NULL);
	wait_cache = kmem_cache_create("eventpoll_pwq", sizeof(struct ep_wait), 8, 0, NULL);
	/* Four hundredths of memory, as Linux has it. */
	max_user_watches = totalram_pages() / 25 * PAGE_SIZE / (sizeof(struct epitem) + sizeof(struct ep_wait));
	sysctl_ulong("fs/epoll/max_user_watches", 0644, &max_user_watches, 0, LONG_MAX);
	return item_cache && wait_cache ? 0 : -ENOMEM;
}
INITCALL(fs, epoll_init);
