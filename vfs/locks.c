// SPDX-License-Identifier: MIT
/*
 * Advisory locks.
 *
 * Each inode that was ever locked has a context with two lists of granted locks: flock, and POSIX (whose
 * owner is a descriptor table, or for OFD locks the open file). A request that conflicts goes to the
 * fl_blocked_requests of one lock that stands in its way and is woken when that goes or changes.
 *
 * POSIX waits are checked for cycles: the waiting owner, who waits for an owner, who waits ... EDEADLK.
 * OFD locks have no owner that could deadlock in a way we can see.
 *
 * Locks: [l] flc_lock of the context; [B] blocked_lock inside it, for the wait graph of all inodes.
 */
#include <lib/types.h>
#include <lib/hash.h>
#include <lib/minmax.h>
#include <alloc/ghash.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/locks.h>
#include <alloc/slab.h>
#include <kernel/init.h>
#include <sched/task.h>
#include <proc/pid.h>
#include <proc/ns.h>
#include <proc/signal.h>
#include <mm/uaccess.h>
#include <linux/fcntl.h>

#define OFFSET_MAX LLONG_MAX

static struct kmem_cache *lock_cache __ro_after_init;
static struct kmem_cache *ctx_cache __ro_after_init;
static DEFINE_SPINLOCK(blocked_lock);
DEFINE_GHASH(blocked_hash, 5);			/* by owner; changed with [B] held */

static struct file_lock_context *get_context(struct inode *inode, int type)
{
	struct file_lock_context *ctx = smp_load_acquire(&inode->i_flctx), *old = NULL;

	if (likely(ctx) || type == F_UNLCK)
		return ctx;
	ctx = kmem_cache_alloc(ctx_cache, GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return NULL;
	spin_lock_init(&ctx->flc_lock);
	INIT_LIST_HEAD(&ctx->flc_flock);
	INIT_LIST_HEAD(&ctx->flc_posix);
	if (!try_cmpxchg(&inode->i_flctx, &old, ctx)) {
		kmem_cache_free(ctx_cache, ctx);
		ctx = old;
	}
	return ctx;
}

void locks_free_lock_context(struct inode *inode)
{
	struct file_lock_context *ctx = inode->i_flctx;

	if (!ctx)
		return;
	WARN(!list_empty(&ctx->flc_flock) || !list_empty(&ctx->flc_posix), "vfs: inode goes with locks on it\n");
	kmem_cache_free(ctx_cache, ctx);
	inode->i_flctx = NULL;
}

void locks_init_lock(struct file_lock *fl)
{
	memset(fl, 0, sizeof(*fl));
	INIT_LIST_HEAD(&fl->fl_list);
	INIT_LIST_HEAD(&fl->fl_blocked_member);
	INIT_LIST_HEAD(&fl->fl_blocked_requests);
	ghash_node_init(&fl->fl_link);
	init_waitqueue_head(&fl->fl_wait);
}

static struct file_lock *alloc_lock(void)
{
	struct file_lock *fl = kmem_cache_alloc(lock_cache, GFP_KERNEL_ACCOUNT);

	if (fl)
		locks_init_lock(fl);
	return fl;
}

static void free_lock(struct file_lock *fl)
{
	if (fl)
		kmem_cache_free(lock_cache, fl);
}

static void copy_lock(struct file_lock *to, const struct file_lock *from)
{
	to->fl_owner = from->fl_owner;
	to->fl_flags = from->fl_flags;
	to->fl_type = from->fl_type;
	to->fl_pid = from->fl_pid;
	to->fl_file = from->fl_file;
	to->fl_start = from->fl_start;
	to->fl_end = from->fl_end;
}

static bool overlap(const struct file_lock *a, const struct file_lock *b)
{
	return a->fl_end >= b->fl_start && b->fl_end >= a->fl_start;
}

static bool conflict(const struct file_lock *a, const struct file_lock *b)
{
	return a->fl_type == F_WRLCK || b->fl_type == F_WRLCK;
}

static bool posix_conflict(const struct file_lock *caller, const struct file_lock *sys)
{
	return caller->fl_owner != sys->fl_owner && overlap(caller, sys) && conflict(caller, sys);
}

static bool flock_conflict(const struct file_lock *caller, const struct file_lock *sys)
{
	return caller->fl_file != sys->fl_file && conflict(caller, sys);
}

/* The wait graph. blocked_lock held in all of these. */

static u32 owner_hash(const void *owner)
{
	return hash_ptr(owner, 32);
}

static bool is_ofd(const struct file_lock *fl)
{
	return fl->fl_flags & FL_OFDLCK;
}

static void delete_block(struct file_lock *waiter)
{
	ghash_del(&blocked_hash, &waiter->fl_link);
	list_del_init(&waiter->fl_blocked_member);
	waiter->fl_blocker = NULL;
}

static void insert_block(struct file_lock *blocker, struct file_lock *waiter)
{
	waiter->fl_blocker = blocker;
	list_add_tail(&waiter->fl_blocked_member, &blocker->fl_blocked_requests);
	if (waiter->fl_flags & FL_POSIX && !is_ofd(waiter)) {
		u32 hash = owner_hash(waiter->fl_owner);
		unsigned long *b = ghash_lock(&blocked_hash, hash);

		ghash_add(&blocked_hash, b, &waiter->fl_link, hash);
		ghash_unlock(b);
	}
}

static void wake_up_blocks(struct file_lock *blocker)
{
	if (list_empty(&blocker->fl_blocked_requests))
		return;
	spin_lock(&blocked_lock);
	while (!list_empty(&blocker->fl_blocked_requests)) {
		struct file_lock *w = list_first_entry(&blocker->fl_blocked_requests, struct file_lock,
						       fl_blocked_member);

		ghash_del(&blocked_hash, &w->fl_link);
		list_del_init(&w->fl_blocked_member);
		wake_up(&w->fl_wait);
		/* After the wake-up the waiter may return as soon as it sees this. */
		smp_store_release(&w->fl_blocker, NULL);
	}
	spin_unlock(&blocked_lock);
}

/* For which other owner does the owner of @fl wait? */
static struct file_lock *owner_waits_for(const struct file_lock *fl)
{
	u32 hash = owner_hash(fl->fl_owner);
	unsigned long *b = ghash_lock(&blocked_hash, hash);
	struct file_lock *w, *blocker = NULL;

	ghash_for_each(w, b, hash, fl_link) {
		if (w->fl_owner == fl->fl_owner) {
			blocker = w->fl_blocker;
			break;
		}
	}
	ghash_unlock(b);
	return blocker;
}

static bool would_deadlock(const struct file_lock *caller, struct file_lock *blocker)
{
	int hops = 0;

	if (is_ofd(caller))
		return false;
	while ((blocker = owner_waits_for(blocker))) {
		if (hops++ > 10)
			return false;
		if (blocker->fl_owner == caller->fl_owner)
			return true;
	}
	return false;
}

/* After waiting, however it ended. */
static void delete_own_block(struct file_lock *waiter)
{
	if (!smp_load_acquire(&waiter->fl_blocker) && list_empty(&waiter->fl_blocked_requests))
		return;
	spin_lock(&blocked_lock);
	delete_block(waiter);
	spin_unlock(&blocked_lock);
	wake_up_blocks(waiter);
}

/* Granted lists. flc_lock held. */

static void unlink_lock(struct file_lock *fl, struct list_head *dispose)
{
	wake_up_blocks(fl);
	list_move(&fl->fl_list, dispose);
}

static void dispose_locks(struct list_head *dispose)
{
	struct file_lock *fl, *n;

	list_for_each_entry_safe(fl, n, dispose, fl_list) {
		list_del_init(&fl->fl_list);
		free_lock(fl);
	}
}

/* flock(2). FILE_LOCK_DEFERRED: queued behind somebody. */
static int flock_lock_inode(struct inode *inode, struct file_lock *req)
{
	struct file_lock_context *ctx = get_context(inode, req->fl_type);
	struct file_lock *new = NULL, *fl, *n;
	bool found = false;
	LIST_HEAD(dispose);
	int err = 0;

	if (!ctx)
		return req->fl_type == F_UNLCK ? 0 : -ENOMEM;
	if (req->fl_type != F_UNLCK) {
		new = alloc_lock();
		if (!new)
			return -ENOMEM;
	}
	spin_lock(&ctx->flc_lock);
	list_for_each_entry_safe(fl, n, &ctx->flc_flock, fl_list) {
		if (req->fl_file != fl->fl_file)
			continue;
		if (req->fl_type == fl->fl_type)
			goto out;
		found = true;
		unlink_lock(fl, &dispose);
		break;
	}
	if (req->fl_type == F_UNLCK) {
		if (req->fl_flags & FL_CLOSE || found)
			err = 0;
		goto out;
	}
	/* A conversion is not atomic: the old one is gone now, others may come first. */
	list_for_each_entry(fl, &ctx->flc_flock, fl_list) {
		if (!flock_conflict(req, fl))
			continue;
		err = -EAGAIN;
		if (req->fl_flags & FL_SLEEP) {
			spin_lock(&blocked_lock);
			insert_block(fl, req);
			spin_unlock(&blocked_lock);
			err = FILE_LOCK_DEFERRED;
		}
		goto out;
	}
	copy_lock(new, req);
	list_add_tail(&new->fl_list, &ctx->flc_flock);
	new = NULL;
out:
	spin_unlock(&ctx->flc_lock);
	free_lock(new);
	dispose_locks(&dispose);
	return err;
}

/* POSIX ranges: the owner's locks are cut, merged and replaced so that @req holds afterwards. */

struct posix_op {
	struct file_lock *req;
	struct file_lock *new, *new2;
	struct list_head *dispose;
	struct file_lock *left, *right;	/* what sticks out of the request at its ends */
	struct file_lock *at;		/* the first beyond it */
	bool added;			/* the request is listed, or needs not be */
};

/* What the walk over the owner's locks says after each. */
enum { WALK_ON, WALK_ENOUGH };

/*
 * One of the same type that touches the request: they become one. Whichever is listed already grows (op->req from then on), further
 * ones go. Careful with the largest offset.
 */
static int merge_same(struct posix_op *op, struct file_lock *fl)
{
	struct file_lock *req = op->req;

	if (fl->fl_end < req->fl_start - 1)
		return WALK_ON;
	if (fl->fl_start - 1 > req->fl_end && fl->fl_start != 0) {
		op->at = fl;
		return WALK_ENOUGH;
	}
	fl->fl_start = req->fl_start = min(fl->fl_start, req->fl_start);
	fl->fl_end = req->fl_end = max(fl->fl_end, req->fl_end);
	if (op->added) {
		unlink_lock(fl, op->dispose);
		return WALK_ON;
	}
	op->req = fl;
	op->added = true;
	return WALK_ON;
}

/* One of the other type: what the request covers of it goes; what sticks out is remembered as left and right. */
static int cut_other(struct posix_op *op, struct file_lock *fl, struct file_lock **next)
{
	struct file_lock *req = op->req;

	if (fl->fl_end < req->fl_start)
		return WALK_ON;
	if (fl->fl_start > req->fl_end) {
		op->at = fl;
		return WALK_ENOUGH;
	}
	if (req->fl_type == F_UNLCK)
		op->added = true;
	if (fl->fl_start < req->fl_start)
		op->left = fl;
	if (fl->fl_end > req->fl_end) {
		op->right = op->at = fl;
		return WALK_ENOUGH;
	}
	if (fl->fl_start < req->fl_start)
		return WALK_ON;
	/* Covered whole: replaced in place, or removed. */
	if (op->added) {
		unlink_lock(fl, op->dispose);
		return WALK_ON;
	}
	if (!op->new)
		return -ENOLCK;
	copy_lock(op->new, req);
	op->req = op->new;
	op->new = NULL;
	list_add(&op->req->fl_list, &fl->fl_list);
	wake_up_blocks(fl);
	list_move(&fl->fl_list, op->dispose);
	*next = list_next_entry(op->req, fl_list);
	op->added = true;
	return WALK_ON;
}

/* Nothing listed took the request in: it is listed by itself, where the walk ended. */
static int list_request(struct posix_op *op, struct file_lock_context *ctx)
{
	if (!op->new)
		return -ENOLCK;
	copy_lock(op->new, op->req);
	list_add_tail(&op->new->fl_list, op->at ? &op->at->fl_list : &ctx->flc_posix);
	op->req = op->new;
	op->new = NULL;
	return 0;
}

/* The rests of what was cut get their new ends; one cut in the middle becomes two. */
static void trim_rests(struct posix_op *op, bool listed)
{
	if (op->right) {
		if (op->left == op->right) {
			op->left = op->new2;
			op->new2 = NULL;
			copy_lock(op->left, op->right);
			list_add_tail(&op->left->fl_list, &op->right->fl_list);
			/* Order by start: left, then what was inserted, then right. */
			if (listed)
				list_move(&op->req->fl_list, &op->left->fl_list);
		}
		op->right->fl_start = op->req->fl_end + 1;
		wake_up_blocks(op->right);
	}
	if (op->left) {
		op->left->fl_end = op->req->fl_start - 1;
		wake_up_blocks(op->left);
	}
}

static int posix_apply(struct file_lock_context *ctx, struct posix_op *op)
{
	struct file_lock *asked = op->req, *fl, *n;
	int e;

	list_for_each_entry_safe(fl, n, &ctx->flc_posix, fl_list) {
		if (fl->fl_owner != asked->fl_owner || (fl->fl_flags ^ asked->fl_flags) & FL_OFDLCK)
			continue;
		e = op->req->fl_type == fl->fl_type ? merge_same(op, fl) : cut_other(op, fl, &n);
		if (e < 0)
			return e;
		if (e == WALK_ENOUGH)
			break;
	}
	if (!op->added) {
		if (asked->fl_type == F_UNLCK)
			return 0;
		e = list_request(op, ctx);
		if (e)
			return e;
	}
	trim_rests(op, op->req != asked);
	return 0;
}

static int posix_lock_inode(struct inode *inode, struct file_lock *req, struct file_lock *conf)
{
	struct file_lock_context *ctx = get_context(inode, req->fl_type);
	struct posix_op op = { .req = req };
	struct file_lock *fl;
	LIST_HEAD(dispose);
	int err = 0;

	if (!ctx)
		return req->fl_type == F_UNLCK ? 0 : -ENOMEM;
	op.dispose = &dispose;
	if (req->fl_flags & FL_SLEEP)
		ghash_reserve(&blocked_hash);
	/* Unlocking everything needs no memory, so it cannot fail for the lack of it. */
	if (req->fl_type != F_UNLCK || req->fl_start || req->fl_end != OFFSET_MAX) {
		op.new = alloc_lock();
		op.new2 = alloc_lock();
		if (!op.new || !op.new2) {
			err = -ENOLCK;
			goto free;
		}
	}
	spin_lock(&ctx->flc_lock);
	if (req->fl_type != F_UNLCK) {
		list_for_each_entry(fl, &ctx->flc_posix, fl_list) {
			if (!posix_conflict(req, fl))
				continue;
			if (conf)
				copy_lock(conf, fl);
			err = -EAGAIN;
			if (!(req->fl_flags & FL_SLEEP))
				goto out;
			spin_lock(&blocked_lock);
			if (would_deadlock(req, fl)) {
				err = -EDEADLK;
			} else {
				err = FILE_LOCK_DEFERRED;
				insert_block(fl, req);
			}
			spin_unlock(&blocked_lock);
			goto out;
		}
	}
	err = posix_apply(ctx, &op);
out:
	spin_unlock(&ctx->flc_lock);
free:
	free_lock(op.new);
	free_lock(op.new2);
	dispose_locks(&dispose);
	return err;
}

int posix_lock_file(struct file *file, struct file_lock *fl, struct file_lock *conf)
{
	return posix_lock_inode(file_inode(file), fl, conf);
}

void posix_test_lock(struct file *file, struct file_lock *fl)
{
	struct file_lock_context *ctx = smp_load_acquire(&file_inode(file)->i_flctx);
	struct file_lock *sys;
	bool found = false;

	if (ctx) {
		spin_lock(&ctx->flc_lock);
		list_for_each_entry(sys, &ctx->flc_posix, fl_list) {
			if (posix_conflict(fl, sys)) {
				fl->fl_type = sys->fl_type;
				fl->fl_start = sys->fl_start;
				fl->fl_end = sys->fl_end;
				fl->fl_pid = sys->fl_pid;
				fl->fl_flags = sys->fl_flags;
				found = true;
				break;
			}
		}
		spin_unlock(&ctx->flc_lock);
	}
	if (!found)
		fl->fl_type = F_UNLCK;
}

int vfs_lock_file(struct file *file, unsigned int cmd, struct file_lock *fl, struct file_lock *conf)
{
	if (file->f_op->lock)
		return file->f_op->lock(file, (int)cmd, fl);
	return posix_lock_file(file, fl, conf);
}

/* Takes a lock, waiting as long as it takes (or a signal). */
static int lock_wait(struct file *file, struct inode *inode, struct file_lock *fl)
{
	int err;

	for (;;) {
		if (fl->fl_flags & FL_FLOCK)
			err = flock_lock_inode(inode, fl);
		else
			err = file && file->f_op->lock ? file->f_op->lock(file, F_SETLKW, fl) :
			      posix_lock_inode(inode, fl, NULL);
		if (err != FILE_LOCK_DEFERRED)
			break;
		/* Off the list before it is woken; fl_blocker goes after that, when the waker is done with it (delete_own_block()). */
		err = wait_event_interruptible(fl->fl_wait, list_empty(&fl->fl_blocked_member));
		if (err)
			break;
	}
	delete_own_block(fl);
	return err;
}

int locks_lock_inode_wait(struct inode *inode, struct file_lock *fl)
{
	return lock_wait(NULL, inode, fl);
}

/* flock(2): cmd is LOCK_SH, LOCK_EX or LOCK_UN, maybe with LOCK_NB. */
int do_flock(struct file *file, unsigned int cmd)
{
	struct file_lock fl;

	locks_init_lock(&fl);
	fl.fl_file = file;
	fl.fl_owner = file;
	fl.fl_pid = current->tgid;
	fl.fl_flags = FL_FLOCK;
	fl.fl_end = OFFSET_MAX;
	switch (cmd & ~(unsigned int)LOCK_NB) {
	case LOCK_SH:
		fl.fl_type = F_RDLCK;
		break;
	case LOCK_EX:
		fl.fl_type = F_WRLCK;
		break;
	case LOCK_UN:
		fl.fl_type = F_UNLCK;
		break;
	default:
		return -EINVAL;
	}
	if (fl.fl_type != F_UNLCK && !(file->f_mode & (FMODE_READ | FMODE_WRITE)))
		return -EBADF;
	if (!(cmd & LOCK_NB))
		fl.fl_flags |= FL_SLEEP;
	if (file->f_op->flock)
		return file->f_op->flock(file, cmd & LOCK_NB ? F_SETLK : F_SETLKW, &fl);
	return lock_wait(file, file_inode(file), &fl);
}

/* fcntl(2). */

static int from_user(struct file *file, struct file_lock *fl, const struct flock *l)
{
	loff_t start, len = l->l_len;

	switch (l->l_whence) {
	case SEEK_SET:
		start = 0;
		break;
	case SEEK_CUR:
		start = file->f_pos;
		break;
	case SEEK_END:
		start = i_size_read(file_inode(file));
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(start, (loff_t)l->l_start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	locks_init_lock(fl);
	fl->fl_start = start;
	if (len > 0) {
		if (__builtin_add_overflow(start, len - 1, &fl->fl_end))
			return -EOVERFLOW;
	} else if (len < 0) {
		if (start + len < 0)
			return -EINVAL;
		fl->fl_end = start - 1;
		fl->fl_start = start + len;
	} else {
		fl->fl_end = OFFSET_MAX;
	}
	fl->fl_owner = current->files;
	fl->fl_pid = current->tgid;
	fl->fl_file = file;
	fl->fl_flags = FL_POSIX;
	switch (l->l_type) {
	case F_RDLCK:
	case F_WRLCK:
	case F_UNLCK:
		fl->fl_type = (unsigned char)l->l_type;
		return 0;
	}
	return -EINVAL;
}

static pid_t pid_for_user(const struct file_lock *fl)
{
	pid_t nr = -1;
	struct pid *pid;

	if (is_ofd(fl))
		return -1;
	rcu_read_lock();
	pid = find_pid_ns(fl->fl_pid, &init_pid_ns);
	if (pid)
		nr = pid_nr_ns(pid, task_active_pid_ns(current));
	rcu_read_unlock();
	return nr;
}

long fcntl_getlk(struct file *file, unsigned int cmd, struct uptr arg)
{
	struct file_lock fl;
	struct flock l;
	int err;

	if (copy_from_user(&l, arg, sizeof(l)))
		return -EFAULT;
	if (cmd != F_OFD_GETLK && l.l_type != F_RDLCK && l.l_type != F_WRLCK)
		return -EINVAL;
	err = from_user(file, &fl, &l);
	if (err)
		return err;
	if (cmd == F_OFD_GETLK) {
		if (l.l_pid)
			return -EINVAL;
		fl.fl_flags |= FL_OFDLCK;
		fl.fl_owner = file;
	}
	posix_test_lock(file, &fl);
	l.l_type = fl.fl_type;
	if (fl.fl_type != F_UNLCK) {
		l.l_pid = pid_for_user(&fl);
		l.l_start = fl.fl_start;
		l.l_len = fl.fl_end == OFFSET_MAX ? 0 : fl.fl_end - fl.fl_start + 1;
		l.l_whence = SEEK_SET;
	}
	return copy_to_user(arg, &l, sizeof(l)) ? -EFAULT : 0;
}

long fcntl_setlk(unsigned int fd, struct file *file, unsigned int cmd, struct uptr arg)
{
	struct file_lock fl;
	struct flock l;
	int err;

	if (copy_from_user(&l, arg, sizeof(l)))
		return -EFAULT;
	err = from_user(file, &fl, &l);
	if (err)
		return err;
	if ((fl.fl_type == F_RDLCK && !(file->f_mode & FMODE_READ)) ||
	    (fl.fl_type == F_WRLCK && !(file->f_mode & FMODE_WRITE)))
		return -EBADF;
	if (cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW) {
		if (l.l_pid)
			return -EINVAL;
		fl.fl_flags |= FL_OFDLCK;
		fl.fl_owner = file;
	}
	if (cmd == F_SETLKW || cmd == F_OFD_SETLKW)
		fl.fl_flags |= FL_SLEEP;
	err = lock_wait(file, file_inode(file), &fl);
	/* A close in another thread may have missed a lock granted just now: give it back. */
	if (!err && fl.fl_type != F_UNLCK && !(fl.fl_flags & FL_OFDLCK)) {
		struct files_struct *files = current->files;
		struct file *now;

		/* The lock orders us with the close: it finds our lock listed, or we find its descriptor gone. */
		spin_lock(&files->file_lock);
		now = fd < files_fdt(files)->max_fds ? files_slot(files, files_fdt(files), fd) : NULL;
		spin_unlock(&files->file_lock);
		if (now != file) {
			fl.fl_type = F_UNLCK;
			posix_lock_inode(file_inode(file), &fl, NULL);
			err = -EBADF;
		}
	}
	return err;
}

/* Closing. */

void locks_remove_posix(struct file *file, void *owner)
{
	struct file_lock_context *ctx = smp_load_acquire(&file_inode(file)->i_flctx);
	struct file_lock fl;

	if (!ctx || list_empty(&ctx->flc_posix))
		return;
	locks_init_lock(&fl);
	fl.fl_type = F_UNLCK;
	fl.fl_flags = FL_POSIX | FL_CLOSE;
	fl.fl_end = OFFSET_MAX;
	fl.fl_owner = owner;
	fl.fl_file = file;
	if (file->f_op->lock)
		file->f_op->lock(file, F_SETLK, &fl);
	else
		posix_lock_inode(file_inode(file), &fl, NULL);
}

/* The open file ends: its OFD locks and its flock. */
void locks_remove_file(struct file *file)
{
	struct file_lock_context *ctx = smp_load_acquire(&file_inode(file)->i_flctx);
	struct file_lock *fl, *n;
	LIST_HEAD(dispose);

	if (!ctx)
		return;
	spin_lock(&ctx->flc_lock);
	list_for_each_entry_safe(fl, n, &ctx->flc_flock, fl_list) {
		if (fl->fl_file == file)
			unlink_lock(fl, &dispose);
	}
	list_for_each_entry_safe(fl, n, &ctx->flc_posix, fl_list) {
		if (fl->fl_owner == file)
			unlink_lock(fl, &dispose);
	}
	spin_unlock(&ctx->flc_lock);
	dispose_locks(&dispose);
}

/* /proc/locks and the lock lines of fdinfo. */

static void show_lock(struct seq_file *m, const struct file_lock *fl, struct inode *inode, int id,
		      const char *prefix)
{
	seq_printf(m, "%s%d: ", prefix, id);
	if (fl->fl_flags & FL_POSIX)
		seq_printf(m, "%s ADVISORY  ", is_ofd(fl) ? "OFDLCK" : "POSIX ");
	else
		seq_puts(m, "FLOCK  ADVISORY  ");
	seq_puts(m, fl->fl_type == F_WRLCK ? "WRITE " : "READ  ");
	seq_printf(m, "%d %02x:%02x:%llu ", is_ofd(fl) ? -1 : fl->fl_pid, MAJOR(inode->i_sb->s_dev),
		   MINOR(inode->i_sb->s_dev), (u64)inode->i_ino);
	if (fl->fl_end == OFFSET_MAX)
		seq_printf(m, "%lld EOF\n", fl->fl_start);
	else
		seq_printf(m, "%lld %lld\n", fl->fl_start, fl->fl_end);
}

static void show_context(struct seq_file *m, struct inode *inode, struct file *only, void *files, int *id,
			 const char *prefix)
{
	struct file_lock_context *ctx = smp_load_acquire(&inode->i_flctx);
	struct file_lock *fl;

	if (!ctx)
		return;
	spin_lock(&ctx->flc_lock);
	list_for_each_entry(fl, &ctx->flc_flock, fl_list) {
		if (!only || fl->fl_file == only)
			show_lock(m, fl, inode, (*id)++, prefix);
	}
	list_for_each_entry(fl, &ctx->flc_posix, fl_list) {
		if (!only || fl->fl_owner == only || fl->fl_owner == files)
			show_lock(m, fl, inode, (*id)++, prefix);
	}
	spin_unlock(&ctx->flc_lock);
}

void show_fd_locks(struct seq_file *m, struct file *filp, void *files)
{
	int id = 1;

	show_context(m, file_inode(filp), filp, files, &id, "lock:\t");
}

struct show_arg {
	struct seq_file *m;
	int id;
};

static void show_super(struct super_block *sb, void *arg)
{
	struct show_arg *a = arg;
	struct inode *inode;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list)
		show_context(a->m, inode, NULL, NULL, &a->id, "");
	spin_unlock(&sb->s_inode_list_lock);
}

int locks_show(struct seq_file *m)
{
	struct show_arg a = { m, 1 };

	iterate_supers(show_super, &a);
	return 0;
}

static int locks_init(void)
{
	lock_cache = KMEM_CACHE(file_lock, SLAB_PANIC | SLAB_ACCOUNT);
	ctx_cache = KMEM_CACHE(file_lock_context, SLAB_PANIC | SLAB_ACCOUNT);
	return 0;
}
INITCALL(core, locks_init);
