// SPDX-License-Identifier: MIT
/*
 * inotify(7): instances, their watches by number, their queue.
 *
 * An event equal to the last one in the queue is not queued again. A full queue, and memory that cannot be had, leave one IN_Q_OVERFLOW
 * behind. An instance lives as long as its file or a watch that somebody may still be reading.
 *
 * Locks: [m] mutex (adding, and closing) > the inode's i_lock > nothing; [q] lock: the queue, a leaf.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <alloc/slab.h>
#include <alloc/xarray.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <alloc/page.h>
#include <proc/cred.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/fs.h>
#include <vfs/namei.h>
#include <vfs/poll.h>
#include <asm/ioctls.h>
#include "notify_priv.h"

#define MASK_FLAGS (IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_ADD | IN_MASK_CREATE | IN_ONLYDIR | IN_ONESHOT)
#define MASK_KEPT (IN_ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK)
#define MASK_KNOWN (IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ISDIR | MASK_FLAGS)

struct event {
	struct list_head list;		/* [q] */
	int wd;
	u32 mask, cookie, len;		/* len: of the name, without its NUL */
	char name[];
};

struct inotify {
	refcount_t refs;
	struct mutex mutex;
	spinlock_t lock;
	struct list_head events;	/* [q] */
	unsigned int nr_events;		/* [q] */
	unsigned int max_events;
	struct event *overflow;		/* [q] queued when it is not empty-listed */
	bool closed;			/* [m] */
	wait_queue_head_t wait;
	struct fasync_struct __rcu *fasync;
	struct xarray watches;		/* by number */
	u32 next_wd;			/* [m] */
	struct user_struct *user;
};

static int max_user_instances = 128, max_queued_events = 16384;
static unsigned long max_user_watches;
static struct kmem_cache *watch_cache __ro_after_init;
static const struct file_operations inotify_fops;

static struct event *take_event(struct inotify *g, size_t room);

static void drop_events(struct inotify *g)
{
	struct event *e;

	while (!IS_ERR_OR_NULL(e = take_event(g, SIZE_MAX)))
		if (e != g->overflow)
			kfree(e);
}

static void inotify_put(struct inotify *g)
{
	if (!refcount_dec_and_test(&g->refs))
		return;
	drop_events(g);		/* who was just looking at a watch may have queued one after the release */
	xa_destroy(&g->watches);
	free_uid(g->user);
	kfree(g->overflow);
	kfree(g);
}

/* The queue. */

static size_t event_size(const struct event *e)
{
	size_t unit = sizeof(struct inotify_event);

	return unit + (e->len ? (e->len + unit) / unit * unit : 0);
}

static bool same_event(const struct event *a, const struct event *b)
{
	return a->mask == b->mask && a->wd == b->wd && a->len == b->len && !(a->mask & IN_IGNORED) && !memcmp(a->name, b->name, a->len);
}

/* E (NULL: no memory for it) goes to the end. What is not queued is freed. */
static void enqueue(struct inotify *g, struct event *e)
{
	struct event *drop = NULL;
	bool news = true;

	spin_lock(&g->lock);
	if (!e || g->nr_events >= g->max_events) {
		drop = e;
		e = list_empty(&g->overflow->list) ? g->overflow : NULL;
	} else if (!list_empty(&g->events) && same_event(list_last_entry(&g->events, struct event, list), e)) {
		drop = e;
		e = NULL;
	}
	if (e) {
		list_add_tail(&e->list, &g->events);
		g->nr_events++;
	} else {
		news = false;
	}
	spin_unlock(&g->lock);
	kfree(drop);
	if (!news)
		return;
	wake_up_interruptible_poll(&g->wait, EPOLLIN | EPOLLRDNORM);
	kill_fasync(&g->fasync, SIGIO, POLL_IN);
}

static struct event *new_event(int wd, u32 mask, u32 cookie, const struct qstr *name, gfp_t gfp)
{
	u32 len = name ? name->len : 0;
	struct event *e = kmalloc(sizeof(*e) + len + 1, gfp);

	if (!e)
		return NULL;
	INIT_LIST_HEAD(&e->list);
	e->wd = wd;
	e->mask = mask;
	e->cookie = cookie;
	e->len = len;
	if (len)
		memcpy(e->name, name->name, len);
	e->name[len] = '\0';
	return e;
}

static bool inotify_tell(struct watch *w, u32 mask, u32 cookie, const struct qstr *name)
{
	if (mask & (IN_MOVE_SELF | IN_DELETE_SELF))
		mask &= ~(u32)IN_ISDIR;
	enqueue(w->group, new_event(w->wd, mask, cookie, name, GFP_ATOMIC | __GFP_NOWARN | __GFP_ACCOUNT));
	return READ_ONCE(w->mask) & IN_ONESHOT;
}

static struct event *first_event(struct inotify *g)
{
	return list_first_entry_or_null(&g->events, struct event, list);
}

/* Takes the first event off if it fits ROOM. NULL: there is none; -EINVAL: it does not fit. */
static struct event *take_event(struct inotify *g, size_t room)
{
	struct event *e;

	spin_lock(&g->lock);
	e = first_event(g);
	if (e && event_size(e) > room) {
		e = ERR_PTR(-EINVAL);
	} else if (e) {
		list_del_init(&e->list);
		g->nr_events--;
	}
	spin_unlock(&g->lock);
	return e;
}

static int give_event(struct inotify *g, struct event *e, struct iter *to)
{
	size_t size = event_size(e), name = size - sizeof(struct inotify_event);
	struct inotify_event h = { .wd = e->wd, .mask = e->mask, .cookie = e->cookie, .len = (u32)name };
	bool ok = copy_to_iter(&h, sizeof(h), to) == sizeof(h);

	if (ok && name)
		ok = copy_to_iter(e->name, e->len, to) == e->len && iter_zero(name - e->len, to) == name - e->len;
	if (e != g->overflow)
		kfree(e);
	return ok ? 0 : -EFAULT;
}

static ssize_t inotify_read(struct kiocb *k, struct iter *to)
{
	struct inotify *g = k->ki_filp->private_data;
	bool dont_wait = k->ki_filp->f_flags & O_NONBLOCK || k->ki_flags & IOCB_NOWAIT;
	size_t all = iter_count(to);
	struct event *e;
	int err;

	for (;;) {
		size_t done = all - iter_count(to);

		e = take_event(g, iter_count(to));
		if (IS_ERR(e))
			return done ? (ssize_t)done : PTR_ERR(e);
		if (e) {
			err = give_event(g, e, to);
			if (err)
				return err;
			continue;
		}
		if (done)
			return (ssize_t)done;
		if (dont_wait)
			return -EAGAIN;
		if (wait_event_interruptible(g->wait, READ_ONCE(g->nr_events)))
			return -ERESTARTSYS;
	}
}

static __poll_t inotify_poll(struct file *f, struct poll_table_struct *p)
{
	struct inotify *g = f->private_data;

	poll_wait(f, &g->wait, p);
	return READ_ONCE(g->nr_events) ? EPOLLIN | EPOLLRDNORM : 0;
}

static long inotify_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct inotify *g = f->private_data;
	struct event *e;
	size_t sum = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	spin_lock(&g->lock);
	list_for_each_entry(e, &g->events, list)
		sum += event_size(e);
	spin_unlock(&g->lock);
	return put_user((s32)sum, UPTR(arg)) ? -EFAULT : 0;
}

static int inotify_fasync(int fd, struct file *f, int on)
{
	struct inotify *g = f->private_data;

	return fasync_helper(fd, f, on, &g->fasync) < 0 ? -EIO : 0;
}

static void inotify_fdinfo(struct seq_file *m, struct file *f)
{
	struct inotify *g = f->private_data;
	unsigned long i = 0;
	struct watch *w;

	mutex_lock(&g->mutex);	/* none is half added; ended by others it may be */
	for (;;) {
		/* A read section for each watch: a user can have any number of them. */
		rcu_read_lock();
		w = xa_find(&g->watches, &i, ULONG_MAX, XA_PRESENT);
		if (w)
			seq_printf(m, "inotify wd:%x ino:%llx sdev:%x mask:%x ignored_mask:0 \n", (unsigned int)w->wd,
				   w->inode->i_ino, (unsigned int)w->inode->i_sb->s_dev, w->mask & MASK_KEPT);
		rcu_read_unlock();
		if (!w)
			break;
		i++;
		cond_resched();
	}
	mutex_unlock(&g->mutex);
}

static int inotify_release(struct inode *inode, struct file *f)
{
	struct inotify *g = f->private_data;
	unsigned long i = 0;
	struct watch *w;

	mutex_lock(&g->mutex);
	g->closed = true;
	for (;;) {
		rcu_read_lock();
		w = xa_find(&g->watches, &i, ULONG_MAX, XA_PRESENT);
		if (w)
			watch_end(w, false);
		rcu_read_unlock();
		if (!w)
			break;
		i++;
	}
	mutex_unlock(&g->mutex);
	drop_events(g);
	atomic_dec(&g->user->inotify_instances);
	inotify_put(g);
	return 0;
}

static const struct file_operations inotify_fops = {
	.llseek = noop_llseek, .read_iter = inotify_read, .poll = inotify_poll, .ioctl = inotify_ioctl, .fasync = inotify_fasync,
	.release = inotify_release, .show_fdinfo = inotify_fdinfo,
};

int inotify_create_fd(int flags)
{
	struct user_struct *user = current_cred()->user;
	struct inotify *g;
	int fd;

	if (flags & ~(IN_CLOEXEC | IN_NONBLOCK))
		return -EINVAL;
	g = kzalloc(sizeof(*g), GFP_KERNEL_ACCOUNT);
	if (!g)
		return -ENOMEM;
	g->overflow = new_event(-1, IN_Q_OVERFLOW, 0, NULL, GFP_KERNEL_ACCOUNT);
	if (!g->overflow) {
		kfree(g);
		return -ENOMEM;
	}
	refcount_set(&g->refs, 1);
	mutex_init(&g->mutex);
	spin_lock_init(&g->lock);
	INIT_LIST_HEAD(&g->events);
	init_waitqueue_head(&g->wait);
	xa_init_flags(&g->watches, XA_FLAGS_ALLOC);
	g->max_events = (unsigned int)READ_ONCE(max_queued_events);
	g->user = user;
	refcount_inc(&user->refs);
	fd = -EMFILE;
	if (atomic_inc_return(&user->inotify_instances) <= READ_ONCE(max_user_instances))
		fd = anon_inode_getfd("inotify", &inotify_fops, g, O_RDONLY | flags);
	if (fd < 0) {
		atomic_dec(&user->inotify_instances);
		inotify_put(g);
	}
	return fd;
}

/* Watches. */

/* Its number is free again; TELL: IN_IGNORED. */
static void inotify_forget(struct watch *w, bool tell)
{
	struct inotify *g = w->group;

	if (tell)
		enqueue(g, new_event(w->wd, IN_IGNORED, 0, NULL, GFP_ATOMIC | __GFP_NOWARN | __GFP_ACCOUNT));
	xa_erase(&g->watches, (unsigned long)w->wd);
	atomic_dec(&g->user->inotify_watches);
}

static void inotify_free_watch(struct watch *w)
{
	inotify_put(w->group);
	kmem_cache_free(watch_cache, w);
}

static const struct watch_ops inotify_ops = { .tell = inotify_tell, .forget = inotify_forget, .free = inotify_free_watch };

/* [m]: the instance's watch of the inode gets another mask. Its number; 0: it has none. */
static int change_watch(struct inotify *g, struct inode *inode, u32 mask)
{
	struct watch *w;
	int wd = 0;

	spin_lock(&inode->i_lock);
	w = watch_find(inode, g, NULL);
	if (w && atomic_read(&w->dead)) {
		watch_remove(w);
	} else if (w) {
		wd = mask & IN_MASK_CREATE ? -EEXIST : w->wd;
		if (wd > 0) {
			WRITE_ONCE(w->mask, (mask & IN_MASK_ADD ? w->mask : 0) | (mask & MASK_KEPT));
			watch_changed(w);
		}
	}
	spin_unlock(&inode->i_lock);
	return wd;
}

/* [m] */
static int new_watch(struct inotify *g, struct inode *inode, u32 mask)
{
	struct watch *w;
	u32 wd = 0;
	int err;

	if (atomic_inc_return(&g->user->inotify_watches) > (long)READ_ONCE(max_user_watches)) {
		atomic_dec(&g->user->inotify_watches);
		return -ENOSPC;
	}
	w = kmem_cache_zalloc(watch_cache, GFP_KERNEL_ACCOUNT);
	err = w ? xa_alloc_cyclic(&g->watches, &wd, w, XA_LIMIT(1, INT_MAX), &g->next_wd, GFP_KERNEL) : -ENOMEM;
	if (err < 0) {
		atomic_dec(&g->user->inotify_watches);
		if (w)
			kmem_cache_free(watch_cache, w);
		return err;
	}
	refcount_inc(&g->refs);
	ihold(inode);
	w->ops = &inotify_ops;
	w->group = g;
	w->whom = g;
	w->inode = inode;
	w->mask = mask & MASK_KEPT;
	w->wd = (int)wd;
	notify_begin();
	spin_lock(&inode->i_lock);
	watch_add(w);
	spin_unlock(&inode->i_lock);
	return (int)wd;
}

int inotify_add(int fd, struct uptr name, u32 mask)
{
	unsigned int lookup = (mask & IN_DONT_FOLLOW ? 0 : LOOKUP_FOLLOW) | (mask & IN_ONLYDIR ? LOOKUP_DIRECTORY : 0);
	struct inotify *g;
	struct path path;
	struct fd f;
	int ret;

	if (mask & ~(u32)MASK_KNOWN || !mask)
		return -EINVAL;
	f = fdget((unsigned int)fd);
	if (fd_empty(f))
		return -EBADF;
	ret = -EINVAL;
	if ((mask & IN_MASK_ADD && mask & IN_MASK_CREATE) || fd_file(f)->f_op != &inotify_fops)
		goto out;
	ret = user_path_at(AT_FDCWD, name, lookup, &path);
	if (ret)
		goto out;
	ret = path_permission(&path, MAY_READ);
	if (!ret) {
		g = fd_file(f)->private_data;
		mutex_lock(&g->mutex);
		ret = change_watch(g, path.dentry->d_inode, mask);
		if (!ret)
			ret = new_watch(g, path.dentry->d_inode, mask);
		mutex_unlock(&g->mutex);
	}
	path_put(&path);
out:
	fdput(f);
	return ret;
}

int inotify_remove(int fd, int wd)
{
	struct fd f = fdget((unsigned int)fd);
	struct watch *w = NULL;
	int ret = -EINVAL;

	if (fd_empty(f))
		return -EBADF;
	if (fd_file(f)->f_op == &inotify_fops) {
		struct inotify *g = fd_file(f)->private_data;

		/* Adding is not half done; the watch stays until the end of the read section. */
		mutex_lock(&g->mutex);
		rcu_read_lock();
		if (wd > 0)
			w = xa_load(&g->watches, (unsigned long)wd);
		if (w && watch_end(w, true))
			ret = 0;
		rcu_read_unlock();
		mutex_unlock(&g->mutex);
	}
	fdput(f);
	return ret;
}

static int inotify_init(void)
{
	/* One hundredth of memory may go into watches and the inodes that they keep. */
	unsigned long fit = totalram_pages() / 100 * PAGE_SIZE / (sizeof(struct watch) + 2 * sizeof(struct inode));

	max_user_watches = clamp(fit, 8192ul, 1048576ul);
	watch_cache = KMEM_CACHE(watch, SLAB_PANIC | SLAB_ACCOUNT);
	sysctl_int("fs/inotify/max_user_instances", 0644, &max_user_instances, 0, INT_MAX);
	sysctl_int("fs/inotify/max_queued_events", 0644, &max_queued_events, 0, INT_MAX);
	sysctl_ulong("fs/inotify/max_user_watches", 0644, &max_user_watches, 0, INT_MAX);
	return 0;
}
INITCALL(fs, inotify_init);
