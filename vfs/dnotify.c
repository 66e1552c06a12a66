// SPDX-License-Identifier: MIT
/*
 * Directories that send a signal when something happens in them: fcntl(2)'s F_NOTIFY.
 *
 * A watch belongs to an open file and the table of descriptors through which it was asked for, and ends when that table closes any
 * descriptor of the file. So it needs no reference to the file: closing waits, on the watch's lock, for who is just sending.
 */
#include <lib/types.h>
#include <alloc/slab.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <mm/mm.h>
#include <sched/task.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <vfs/fcntl.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include "file_priv.h"
#include "notify_priv.h"

struct dnotify {
	struct watch watch;
	spinlock_t lock;
	struct file *file;	/* lock; NULL: used up */
	int fd;			/* lock */
};

static int dir_notify_enable = 1;
static struct kmem_cache *dnotify_cache __ro_after_init;

static struct dnotify *dnotify_of(struct watch *w)
{
	return container_of(w, struct dnotify, watch);
}

static bool dnotify_tell(struct watch *w, u32 mask, u32 cookie, const struct qstr *name)
{
	struct dnotify *d = dnotify_of(w);
	bool once;

	spin_lock(&d->lock);
	once = w->mask & IN_ONESHOT;
	if (d->file)
		send_sigio(d->file->f_owner, d->fd, POLL_MSG);
	if (once)
		d->file = NULL;
	spin_unlock(&d->lock);
	return once;
}

static void dnotify_forget(struct watch *w, bool tell)
{
	struct dnotify *d = dnotify_of(w);

	spin_lock(&d->lock);
	d->file = NULL;
	spin_unlock(&d->lock);
}

static void dnotify_free(struct watch *w)
{
	kmem_cache_free(dnotify_cache, dnotify_of(w));
}

static const struct watch_ops dnotify_ops = { .tell = dnotify_tell, .forget = dnotify_forget, .free = dnotify_free };

/* The inode locked. */
static struct dnotify *find(struct file *file, fl_owner_t owner)
{
	struct watch *w = watch_find(file_inode(file), file, owner);

	return w ? dnotify_of(w) : NULL;
}

void dnotify_flush(struct file *file, fl_owner_t owner)
{
	struct inode *inode = file_inode(file);
	struct dnotify *d;

	rcu_read_lock();
	spin_lock(&inode->i_lock);
	d = find(file, owner);
	spin_unlock(&inode->i_lock);
	if (d) {
		watch_end(&d->watch, false);
		dnotify_forget(&d->watch, false);	/* also where somebody else is just ending it: the file goes */
	}
	rcu_read_unlock();
}

static u32 wanted(unsigned int arg)
{
	return (arg & DN_ACCESS ? IN_ACCESS : 0) | (arg & DN_MODIFY ? IN_MODIFY : 0) | (arg & DN_CREATE ? IN_CREATE | IN_MOVED_TO : 0) |
	       (arg & DN_DELETE ? IN_DELETE | IN_MOVED_FROM : 0) | (arg & DN_RENAME ? NOTIFY_RENAME : 0) |
	       (arg & DN_ATTRIB ? IN_ATTRIB : 0) | (arg & DN_MULTISHOT ? 0 : IN_ONESHOT);
}

/* The inode locked. What was asked for before stays; false: nothing was, or it has just been used up. */
static bool widen(struct dnotify *d, int fd, struct file *file, u32 mask)
{
	bool lives = false;

	if (!d)
		return false;
	spin_lock(&d->lock);
	if (d->file == file) {
		WRITE_ONCE(d->watch.mask, ((d->watch.mask | mask) & ~(u32)IN_ONESHOT) | (d->watch.mask & mask & IN_ONESHOT));
		d->fd = fd;
		lives = true;
	}
	spin_unlock(&d->lock);
	return lives;
}

static void attach(struct dnotify *new, struct inode *inode)
{
	struct dnotify *d;
	bool widened;

	spin_lock(&inode->i_lock);
	d = find(new->file, (fl_owner_t)new->watch.also);
	widened = widen(d, new->fd, new->file, new->watch.mask);
	if (widened) {
		watch_changed(&d->watch);
	} else {
		if (d)
			watch_remove(&d->watch);
		ihold(inode);
		watch_add(&new->watch);
	}
	spin_unlock(&inode->i_lock);
	if (widened)
		kmem_cache_free(dnotify_cache, new);
}

int fcntl_dirnotify(unsigned int fd, struct file *file, unsigned int arg)
{
	struct inode *inode = file_inode(file);
	fl_owner_t owner = current->files;
	struct dnotify *new;
	int err;

	if (!READ_ONCE(dir_notify_enable))
		return -EINVAL;
	if (!(arg & ~DN_MULTISHOT)) {
		dnotify_flush(file, owner);
		return 0;
	}
	if (!S_ISDIR(inode->i_mode))
		return -ENOTDIR;
	err = f_setown(file, task_tgid_vnr(current), 0);
	if (err)
		return err;
	new = kmem_cache_zalloc(dnotify_cache, GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	spin_lock_init(&new->lock);
	new->watch.ops = &dnotify_ops;
	new->watch.inode = inode;
	new->watch.mask = wanted(arg);
	new->file = file;
	new->fd = (int)fd;
	new->watch.whom = file;
	new->watch.also = owner;
	notify_begin();
	spin_lock(&file->f_lock);
	file->f_mode |= FMODE_DNOTIFY;
	spin_unlock(&file->f_lock);
	attach(new, inode);
	/* Closed meanwhile by another thread, who may have come before the watch. */
	if (!fd_names(fd, file))
		dnotify_flush(file, owner);
	return 0;
}

static int dnotify_init(void)
{
	dnotify_cache = KMEM_CACHE(dnotify, SLAB_PANIC | SLAB_ACCOUNT);
	sysctl_int("fs/dir-notify-enable", 0644, &dir_notify_enable, INT_MIN, INT_MAX);
	return 0;
}
INITCALL(fs, dnotify_init);
