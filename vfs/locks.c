// SPDX-License-Identifier: MIT
/*
 * Advisory locks.
 *
 * Each inode that was ever locked has a context with two lists of granted locks: flock, and POSIX (whose
 * owner is a descriptor table, or for OFD locks the open file). They are what /proc/locks shows; trees beside them find an owner's
 * locks and those in the way of a range. A request that conflicts goes to the fl_blocked_requests of one lock that stands in
 * its way and is woken when that goes or changes.
 *
 * POSIX waits are checked for cycles: the waiting owner, who waits for an owner, who waits ... EDEADLK.
 * OFD locks have no owner that could deadlock in a way we can see.
 *
 * Locks: [C] contexts_lock, the list of all contexts; [l] flc_lock of a context, inside it, which sleeps, since one request may cut
 * as many locks as a user has; [B] blocked_lock inside that, for the wait graph of all inodes.
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
static LIST_HEAD(contexts);			/* [C] */
static DEFINE_MUTEX(contexts_lock);

static struct file_lock_context *new_context(struct inode *inode)
{
	struct file_lock_context *ctx = kmem_cache_alloc(ctx_cache, GFP_KERNEL_ACCOUNT), *old = NULL;

	if (!ctx)
		return NULL;
	mutex_init(&ctx->flc_lock);
	INIT_LIST_HEAD(&ctx->flc_flock);
	INIT_LIST_HEAD(&ctx->flc_posix);
	ctx->flc_own = ctx->flc_read = ctx->flc_write = RB_ROOT;
	ctx->flc_inode = inode;
	if (!try_cmpxchg(&inode->i_flctx, &old, ctx)) {
		kmem_cache_free(ctx_cache, ctx);
		return old;
	}
	mutex_lock(&contexts_lock);
	list_add(&ctx->flc_all, &contexts);
	mutex_unlock(&contexts_lock);
	return ctx;
}

static struct file_lock_context *get_context(struct inode *inode, int type)
{
	struct file_lock_context *ctx = smp_load_acquire(&inode->i_flctx);

	return likely(ctx) || type == F_UNLCK ? ctx : new_context(inode);
}

void locks_free_lock_context(struct inode *inode)
{
	struct file_lock_context *ctx = inode->i_flctx;

	if (!ctx)
		return;
	WARN(!list_empty(&ctx->flc_flock) || !list_empty(&ctx->flc_posix), "vfs: inode goes with locks on it\n");
	mutex_lock(&contexts_lock);
	list_del(&ctx->flc_all);
	mutex_unlock(&contexts_lock);
	kmem_cache_free(ctx_cache, ctx);
	inode->i_flctx = NULL;
}

void locks_init_lock(struct file_lock *fl)
{
	/* What trees and lists of granted locks hold of it is set there. */
	fl->fl_blocker = NULL;
	fl->fl_owner = NULL;
	fl->fl_file = NULL;
	fl->fl_flags = 0;
	fl->fl_type = 0;
	fl->fl_pid = 0;
	fl->fl_start = fl->fl_end = 0;
	INIT_LIST_HEAD(&fl->fl_list);
	INIT_LIST_HEAD(&fl->fl_blocked_member);
	INIT_LIST_HEAD(&fl->fl_blocked_requests);
	ghash_node_init(&fl->fl_link);
	init_waitqueue_head(&fl->fl_wait);
}

/* To be granted: the rest comes by copy_lock() and where it is listed. */
static struct file_lock *alloc_lock(void)
{
	struct file_lock *fl = kmem_cache_alloc(lock_cache, GFP_KERNEL_ACCOUNT);

	if (fl) {
		INIT_LIST_HEAD(&fl->fl_list);
		INIT_LIST_HEAD(&fl->fl_blocked_requests);
	}
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

static void wake_blocked(struct file_lock *w)
{
	ghash_del(&blocked_hash, &w->fl_link);
	list_del_init(&w->fl_blocked_member);
	wake_up(&w->fl_wait);
	/* After the wake-up the waiter may return as soon as it sees this. */
	smp_store_release(&w->fl_blocker, NULL);
}

/* Nobody comes to wait meanwhile: flc_lock is held. */
static void wake_up_blocks(struct file_lock *blocker)
{
	while (!list_empty(&blocker->fl_blocked_requests)) {
		spin_lock(&blocked_lock);
		for (int i = 0; i < 16 && !list_empty(&blocker->fl_blocked_requests); i++)
			wake_blocked(list_first_entry(&blocker->fl_blocked_requests, struct file_lock, fl_blocked_member));
		spin_unlock(&blocked_lock);
		cond_resched();
	}
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
	if (!smp_load_acquire(&waiter->fl_blocker))
		return;
	spin_lock(&blocked_lock);
	delete_block(waiter);
	spin_unlock(&blocked_lock);
}

/*
 * The trees. flc_lock held.
 *
 * flc_own finds an owner's locks, by start: those of one owner and family are disjoint. flc_read and flc_write find who stands in
 * the way of a range: locks by start, each with the two farthest ends below it that are of different owners, so that a search
 * passes over the searcher's own locks however many they are.
 */

/* Where FL stands beside what OWNER has in FAMILY from START on. */
static int own_order(const struct file_lock *fl, const void *owner, unsigned int family, loff_t start)
{
	if (fl->fl_owner != owner)
		return (unsigned long)fl->fl_owner < (unsigned long)owner ? -1 : 1;
	if ((fl->fl_flags & FL_FAMILY) != family)
		return (fl->fl_flags & FL_FAMILY) < family ? -1 : 1;
	return (fl->fl_start > start) - (fl->fl_start < start);
}

static bool same_owner(const struct file_lock *a, const struct file_lock *b)
{
	return a->fl_owner == b->fl_owner && !((a->fl_flags ^ b->fl_flags) & FL_FAMILY);
}

static struct file_lock *own_entry(struct rb_node *n)
{
	return rb_entry_safe(n, struct file_lock, fl_own);
}

/* The first at or behind that place, or NULL. @before, if wanted: what is in front of it, whosever, or NULL. */
static struct file_lock *own_from(struct file_lock_context *ctx, const void *owner, unsigned int family, loff_t start,
				  struct file_lock **before)
{
	struct file_lock *found = NULL, *last = NULL;
	struct rb_node *n = ctx->flc_own.node;

	while (n) {
		struct file_lock *fl = own_entry(n);

		if (own_order(fl, owner, family, start) >= 0) {
			found = fl;
			n = n->left;
		} else {
			last = fl;
			n = n->right;
		}
	}
	if (before)
		*before = last;
	return found;
}

/* The owner's first that touches REQ from below, overlaps it, or lies behind it; NULL: none. */
static struct file_lock *own_touching(struct file_lock_context *ctx, const struct file_lock *req, struct file_lock **before)
{
	struct file_lock *fl = own_from(ctx, req->fl_owner, req->fl_flags & FL_FAMILY, req->fl_start, before);

	if (*before && same_owner(*before, req) && (*before)->fl_end >= req->fl_start - 1)
		return *before;
	return fl && same_owner(fl, req) ? fl : NULL;
}

static struct file_lock *next_own(struct file_lock *fl)
{
	struct file_lock *next = own_entry(rb_next(&fl->fl_own));

	return next && same_owner(fl, next) ? next : NULL;
}

static struct file_lock *range_entry(struct rb_node *n)
{
	return rb_entry_safe(n, struct file_lock, fl_range);
}

static void far_add(struct lock_end far[2], struct lock_end e)
{
	if (e.owner == far[0].owner) {
		far[0].end = max(far[0].end, e.end);
	} else if (e.end > far[0].end) {
		far[1] = far[0];
		far[0] = e;
	} else if (e.end > far[1].end) {
		far[1] = e;
	}
}

static bool range_augment(struct rb_node *n)
{
	struct file_lock *fl = range_entry(n);
	struct lock_end far[2] = { { fl->fl_end, fl->fl_owner }, { -1, NULL } };
	bool same;

	for (int i = 0; i < 2; i++) {
		struct file_lock *below = range_entry(i ? n->right : n->left);

		if (below) {
			far_add(far, below->fl_far[0]);
			far_add(far, below->fl_far[1]);
		}
	}
	same = far[0].end == fl->fl_far[0].end && far[0].owner == fl->fl_far[0].owner && far[1].end == fl->fl_far[1].end &&
	       far[1].owner == fl->fl_far[1].owner;
	fl->fl_far[0] = far[0];
	fl->fl_far[1] = far[1];
	return !same;
}

static struct rb_root *range_tree(struct file_lock_context *ctx, unsigned char type)
{
	return type == F_WRLCK ? &ctx->flc_write : &ctx->flc_read;
}

static void range_insert(struct file_lock_context *ctx, struct file_lock *fl)
{
	struct rb_root *root = range_tree(ctx, fl->fl_type);
	struct rb_node **link = &root->node, *parent = NULL;

	fl->fl_far[0] = (struct lock_end){ fl->fl_end, fl->fl_owner };
	fl->fl_far[1] = (struct lock_end){ -1, NULL };
	while (*link) {
		parent = *link;
		far_add(range_entry(parent)->fl_far, fl->fl_far[0]);
		link = fl->fl_start < range_entry(parent)->fl_start ? &parent->left : &parent->right;
	}
	rb_link_node(&fl->fl_range, parent, link);
	rb_insert_raised(&fl->fl_range, root, range_augment);
}

/* May FL begin at START where it is in the tree? */
static bool keeps_its_place(struct file_lock *fl, loff_t start)
{
	struct file_lock *o;

	if (start == fl->fl_start)
		return true;
	o = range_entry(start > fl->fl_start ? rb_next(&fl->fl_range) : rb_prev(&fl->fl_range));
	return !o || (start > fl->fl_start ? o->fl_start >= start : o->fl_start <= start);
}

static void set_range(struct file_lock_context *ctx, struct file_lock *fl, loff_t start, loff_t end)
{
	struct rb_node *n = &fl->fl_range;

	if (keeps_its_place(fl, start)) {
		fl->fl_start = start;
		fl->fl_end = end;
		while (n && range_augment(n))
			n = rb_parent(n);
		return;
	}
	rb_erase_augmented(&fl->fl_range, range_tree(ctx, fl->fl_type), range_augment);
	fl->fl_start = start;
	fl->fl_end = end;
	range_insert(ctx, fl);
}

/* The farthest end at N and below of somebody else's lock. */
static loff_t others_end(struct rb_node *n, const void *owner)
{
	const struct lock_end *far = range_entry(n)->fl_far;

	return far[0].owner != owner ? far[0].end : far[1].end;
}

/* Of the locks of others that end at START or behind it that which begins first: if it begins behind END, so do all. */
static struct file_lock *range_overlap(struct rb_root *root, loff_t start, loff_t end, const void *owner)
{
	struct rb_node *n = root->node;
	struct file_lock *fl;

	if (!n || others_end(n, owner) < start)
		return NULL;
	for (;;) {
		fl = range_entry(n);
		if (n->left && others_end(n->left, owner) >= start)
			n = n->left;
		else if (fl->fl_owner != owner && fl->fl_end >= start)
			break;
		else
			n = n->right;
	}
	return fl->fl_start <= end ? fl : NULL;
}

/*
 * A lock that stands in REQ's way. Of several it is the one that is listed first, as long as that is among the first few:
 * whose it is decides nothing, and a search of them all would take as long as there are locks.
 */
static struct file_lock *find_conflict(struct file_lock_context *ctx, const struct file_lock *req)
{
	struct file_lock *found, *fl;
	int few = 32;

	found = range_overlap(&ctx->flc_write, req->fl_start, req->fl_end, req->fl_owner);
	if (!found && req->fl_type == F_WRLCK)
		found = range_overlap(&ctx->flc_read, req->fl_start, req->fl_end, req->fl_owner);
	if (!found)
		return NULL;
	list_for_each_entry(fl, &ctx->flc_posix, fl_list) {
		if (posix_conflict(req, fl))
			return fl;
		if (!--few)
			break;
	}
	return found;
}

/* Puts FL behind BEFORE, or in front of all. */
static void own_insert(struct file_lock_context *ctx, struct file_lock *fl, struct file_lock *before)
{
	struct rb_node **link = before ? &before->fl_own.right : &ctx->flc_own.node, *parent = before ? &before->fl_own : NULL;

	while (*link) {
		parent = *link;
		link = &parent->left;
	}
	rb_link_node(&fl->fl_own, parent, link);
	rb_insert_color(&fl->fl_own, &ctx->flc_own);
}

/* Lists a POSIX lock: beside its owner's others, by start; a new owner is the last. */
static void list_posix(struct file_lock_context *ctx, struct file_lock *fl, struct file_lock *before)
{
	struct file_lock *next;

	own_insert(ctx, fl, before);
	range_insert(ctx, fl);
	if (before && same_owner(before, fl)) {
		list_add(&fl->fl_list, &before->fl_list);
		return;
	}
	next = next_own(fl);
	list_add_tail(&fl->fl_list, next ? &next->fl_list : &ctx->flc_posix);
}

static void unlink_lock(struct file_lock_context *ctx, struct file_lock *fl, struct list_head *dispose)
{
	wake_up_blocks(fl);
	rb_erase(&fl->fl_own, &ctx->flc_own);
	if (fl->fl_flags & FL_POSIX)
		rb_erase_augmented(&fl->fl_range, range_tree(ctx, fl->fl_type), range_augment);
	list_move(&fl->fl_list, dispose);
}

static void dispose_locks(struct list_head *dispose)
{
	struct file_lock *fl, *n;

	list_for_each_entry_safe(fl, n, dispose, fl_list) {
		list_del_init(&fl->fl_list);
		free_lock(fl);
		cond_resched();
	}
}

/* One who writes is alone; so the first of others' tells what they all do. */
static struct file_lock *find_flock_conflict(struct file_lock_context *ctx, const struct file_lock *req)
{
	struct file_lock *fl;

	list_for_each_entry(fl, &ctx->flc_flock, fl_list)
		if (fl->fl_file != req->fl_file)
			return flock_conflict(req, fl) ? fl : NULL;
	return NULL;
}

static int flock_apply(struct file_lock_context *ctx, struct file_lock *req, struct file_lock **new, struct list_head *dispose)
{
	struct file_lock *before, *fl = own_from(ctx, req->fl_owner, FL_FLOCK, 0, &before);

	if (fl && same_owner(fl, req)) {
		if (req->fl_type == fl->fl_type)
			return 0;
		unlink_lock(ctx, fl, dispose);
	}
	if (req->fl_type == F_UNLCK)
		return 0;
	/* A conversion is not atomic: the old one is gone now, others may come first. */
	fl = find_flock_conflict(ctx, req);
	if (fl) {
		if (!(req->fl_flags & FL_SLEEP))
			return -EAGAIN;
		spin_lock(&blocked_lock);
		insert_block(fl, req);
		spin_unlock(&blocked_lock);
		return FILE_LOCK_DEFERRED;
	}
	copy_lock(*new, req);
	own_insert(ctx, *new, before);
	list_add_tail(&(*new)->fl_list, &ctx->flc_flock);
	*new = NULL;
	return 0;
}

/* flock(2). FILE_LOCK_DEFERRED: queued behind somebody. */
static int flock_lock_inode(struct inode *inode, struct file_lock *req)
{
	struct file_lock_context *ctx = get_context(inode, req->fl_type);
	struct file_lock *new = NULL;
	LIST_HEAD(dispose);
	int err;

	if (!ctx)
		return req->fl_type == F_UNLCK ? 0 : -ENOMEM;
	if (req->fl_type != F_UNLCK) {
		new = alloc_lock();
		if (!new)
			return -ENOMEM;
	}
	mutex_lock(&ctx->flc_lock);
	err = flock_apply(ctx, req, &new, &dispose);
	mutex_unlock(&ctx->flc_lock);
	free_lock(new);
	dispose_locks(&dispose);
	return err;
}

/* POSIX ranges: the owner's locks are cut, merged and replaced so that @req holds afterwards. */

struct posix_op {
	struct file_lock *req;
	struct file_lock *new, *new2;	/* memory: for the request, and for what is cut in two */
	struct list_head *dispose;
	struct file_lock *before;	/* what is in front of the request among all owners', or NULL */
	struct file_lock *grown;	/* the first that the request became one with */
	loff_t start, end;		/* the request with all of its type that it touches */
};

/*
 * One of the same type that touches the request: they become one. The first grows in the end, further ones go. Careful with the
 * largest offset.
 */
static void merge_same(struct file_lock_context *ctx, struct posix_op *op, struct file_lock *fl)
{
	op->start = min(op->start, fl->fl_start);
	op->end = max(op->end, fl->fl_end);
	if (op->grown)
		unlink_lock(ctx, fl, op->dispose);
	else
		op->grown = fl;
}

/* One of the other type that overlaps: what the request covers of it goes; one cut in the middle becomes two. */
static void cut_other(struct file_lock_context *ctx, struct posix_op *op, struct file_lock *fl)
{
	const struct file_lock *req = op->req;
	loff_t end = fl->fl_end;

	if (fl->fl_start >= req->fl_start && end <= req->fl_end) {
		unlink_lock(ctx, fl, op->dispose);
		return;
	}
	if (fl->fl_start >= req->fl_start) {
		set_range(ctx, fl, req->fl_end + 1, end);
		wake_up_blocks(fl);
		return;
	}
	if (end <= req->fl_end) {
		set_range(ctx, fl, fl->fl_start, req->fl_start - 1);
	} else {
		copy_lock(op->new2, fl);
		op->new2->fl_end = req->fl_start - 1;
		set_range(ctx, fl, req->fl_end + 1, end);
		op->before = own_entry(rb_prev(&fl->fl_own));
		list_posix(ctx, op->new2, op->before);
		op->before = op->new2;
		op->new2 = NULL;
	}
	wake_up_blocks(fl);
}

static void posix_apply(struct file_lock_context *ctx, struct posix_op *op)
{
	struct file_lock *req = op->req, *fl, *next;

	for (fl = own_touching(ctx, req, &op->before); fl; fl = next) {
		next = next_own(fl);
		/* Those that only touch matter if they are of the same type. */
		if (fl->fl_start - 1 > req->fl_end)
			break;
		if (fl->fl_type == req->fl_type)
			merge_same(ctx, op, fl);
		else if (overlap(fl, req))
			cut_other(ctx, op, fl);
		cond_resched();
	}
	if (req->fl_type == F_UNLCK)
		return;
	if (op->grown) {
		if (op->grown->fl_start != op->start || op->grown->fl_end != op->end)
			set_range(ctx, op->grown, op->start, op->end);
		return;
	}
	copy_lock(op->new, req);
	/* What was in front of the request still is: it begins there, and is not of its type, or the two were one. */
	list_posix(ctx, op->new, op->before);
	op->new = NULL;
}

/* FL stands in the way of REQ, which waits for it if it may. */
static int posix_wait_for(struct file_lock *fl, struct file_lock *req)
{
	int err = FILE_LOCK_DEFERRED;

	if (!(req->fl_flags & FL_SLEEP))
		return -EAGAIN;
	spin_lock(&blocked_lock);
	if (would_deadlock(req, fl))
		err = -EDEADLK;
	else
		insert_block(fl, req);
	spin_unlock(&blocked_lock);
	return err;
}

static int posix_lock_inode(struct inode *inode, struct file_lock *req, struct file_lock *conf)
{
	struct file_lock_context *ctx = get_context(inode, req->fl_type);
	struct posix_op op = { .req = req, .start = req->fl_start, .end = req->fl_end };
	struct file_lock *fl = NULL;
	LIST_HEAD(dispose);
	int err = 0;

	if (!ctx)
		return req->fl_type == F_UNLCK ? 0 : -ENOMEM;
	op.dispose = &dispose;
	if (req->fl_flags & FL_SLEEP)
		ghash_reserve(&blocked_hash);
	/* Unlocking everything needs no memory, so it cannot fail for the lack of it. */
	if (req->fl_type != F_UNLCK || req->fl_start || req->fl_end != OFFSET_MAX) {
		op.new = req->fl_type != F_UNLCK ? alloc_lock() : NULL;
		op.new2 = alloc_lock();
		if (!op.new2 || (!op.new && req->fl_type != F_UNLCK)) {
			err = -ENOLCK;
			goto free;
		}
	}
	mutex_lock(&ctx->flc_lock);
	if (req->fl_type != F_UNLCK)
		fl = find_conflict(ctx, req);
	if (fl) {
		if (conf)
			copy_lock(conf, fl);
		err = posix_wait_for(fl, req);
	} else {
		posix_apply(ctx, &op);
	}
	mutex_unlock(&ctx->flc_lock);
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

/* F_OFD_GETLK with F_UNLCK: the first of the owner's own locks that overlaps REQ. flc_lock held. */
static struct file_lock *find_own(struct file_lock_context *ctx, const struct file_lock *req)
{
	struct file_lock *before, *fl = own_touching(ctx, req, &before);

	if (fl && fl->fl_end < req->fl_start)
		fl = next_own(fl);
	return fl && overlap(fl, req) ? fl : NULL;
}

void posix_test_lock(struct file *file, struct file_lock *fl)
{
	struct file_lock_context *ctx = smp_load_acquire(&file_inode(file)->i_flctx);
	struct file_lock *sys;
	bool found = false;

	if (ctx) {
		mutex_lock(&ctx->flc_lock);
		sys = fl->fl_type == F_UNLCK ? find_own(ctx, fl) : find_conflict(ctx, fl);
		if (sys) {
			fl->fl_type = sys->fl_type;
			fl->fl_start = sys->fl_start;
			fl->fl_end = sys->fl_end;
			fl->fl_pid = sys->fl_pid;
			fl->fl_flags = sys->fl_flags;
			found = true;
		}
		mutex_unlock(&ctx->flc_lock);
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

/*
 * Who holds a lock, as NS calls it: 0 where it has no name for it, -1 for a lock of an open file. The machine's own namespace knows a holder
 * that has ended, too.
 */
static pid_t holder_nr(const struct file_lock *fl, const struct pid_namespace *ns)
{
	pid_t nr = 0;
	struct pid *pid;

	if (is_ofd(fl))
		return -1;
	if (ns == &init_pid_ns)
		return fl->fl_pid;
	rcu_read_lock();
	pid = find_pid_ns(fl->fl_pid, &init_pid_ns);
	if (pid)
		nr = pid_nr_ns(pid, ns);
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
		l.l_pid = holder_nr(&fl, task_active_pid_ns(current));
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
	struct file_lock *fl, *next;
	LIST_HEAD(dispose);

	/* Nobody else uses the file any more, so what it has is listed. */
	if (!ctx || RB_EMPTY_ROOT(&ctx->flc_own))
		return;
	mutex_lock(&ctx->flc_lock);
	for (fl = own_from(ctx, file, 0, 0, NULL); fl && fl->fl_owner == file; fl = next) {
		next = own_entry(rb_next(&fl->fl_own));
		unlink_lock(ctx, fl, &dispose);
		cond_resched();
	}
	mutex_unlock(&ctx->flc_lock);
	dispose_locks(&dispose);
}

/* /proc/locks and the lock lines of fdinfo. */

struct show_arg {
	struct seq_file *m;
	const struct pid_namespace *ns;		/* by whose numbers */
	const char *prefix;
	int id;
};

static void show_lock(struct show_arg *a, const struct file_lock *fl, struct inode *inode)
{
	struct seq_file *m = a->m;

	seq_printf(m, "%s%d: ", a->prefix, a->id);
	if (fl->fl_flags & FL_POSIX)
		seq_printf(m, "%s ADVISORY  ", is_ofd(fl) ? "OFDLCK" : "POSIX ");
	else
		seq_puts(m, "FLOCK  ADVISORY  ");
	seq_puts(m, fl->fl_type == F_WRLCK ? "WRITE " : "READ  ");
	seq_printf(m, "%d %02x:%02x:%llu ", holder_nr(fl, a->ns), MAJOR(inode->i_sb->s_dev),
		   MINOR(inode->i_sb->s_dev), (u64)inode->i_ino);
	if (fl->fl_end == OFFSET_MAX)
		seq_printf(m, "%lld EOF\n", fl->fl_start);
	else
		seq_printf(m, "%lld %lld\n", fl->fl_start, fl->fl_end);
}

/* Those of OWNER and FAMILY that FILP got. */
static void show_own(struct show_arg *a, struct file *filp, struct file_lock_context *ctx, const void *owner, unsigned int family)
{
	struct file_lock *fl = own_from(ctx, owner, family, 0, NULL);

	for (; fl && fl->fl_owner == owner && (fl->fl_flags & FL_FAMILY) == family; fl = own_entry(rb_next(&fl->fl_own))) {
		if (fl->fl_file == filp) {
			show_lock(a, fl, file_inode(filp));
			a->id++;
		}
		cond_resched();
	}
}

void show_fd_locks(struct seq_file *m, const struct pid_namespace *ns, struct file *filp, const void *files)
{
	struct file_lock_context *ctx = smp_load_acquire(&file_inode(filp)->i_flctx);
	struct show_arg a = { m, ns, "lock:\t", 1 };

	if (!ctx)
		return;
	mutex_lock(&ctx->flc_lock);
	show_own(&a, filp, ctx, filp, FL_FLOCK);
	show_own(&a, filp, ctx, files, FL_POSIX);
	show_own(&a, filp, ctx, filp, FL_POSIX | FL_OFDLCK);
	mutex_unlock(&ctx->flc_lock);
}

/* All that its reader has a name for the holder of (proc_locks(5)); the others are counted. */
static void show_list(struct show_arg *a, struct list_head *list, struct inode *inode)
{
	struct file_lock *fl;

	list_for_each_entry(fl, list, fl_list) {
		if (holder_nr(fl, a->ns) != 0)
			show_lock(a, fl, inode);
		a->id++;
		cond_resched();
	}
}

int locks_show(struct seq_file *m, const struct pid_namespace *ns)
{
	struct show_arg a = { m, ns, "", 1 };
	struct file_lock_context *ctx;

	mutex_lock(&contexts_lock);
	list_for_each_entry(ctx, &contexts, flc_all) {
		mutex_lock(&ctx->flc_lock);
		show_list(&a, &ctx->flc_flock, ctx->flc_inode);
		show_list(&a, &ctx->flc_posix, ctx->flc_inode);
		mutex_unlock(&ctx->flc_lock);
		cond_resched();
	}
	mutex_unlock(&contexts_lock);
	return 0;
}

static int locks_init(void)
{
	lock_cache = KMEM_CACHE(file_lock, SLAB_PANIC | SLAB_ACCOUNT);
	ctx_cache = KMEM_CACHE(file_lock_context, SLAB_PANIC | SLAB_ACCOUNT);
	return 0;
}
INITCALL(core, locks_init);
