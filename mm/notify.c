// SPDX-License-Identifier: MIT
/*
 * Telling those who mirror an address space (mm/notify.h).
 *
 * A space gets its `struct mm_notify` with its first user and keeps it: whoever changes entries
 * looks at mm->notify without a lock. It counts the invalidations under way, with the range that
 * covers them all, and those that have ended.
 *
 * Why nobody is missed:
 * - A change and the making of the mm_notify: who changes writes entries and then reads
 *   mm->notify (mm_notify_changed); who registers writes mm->notify, waits for a grace period of
 *   RCU and then reads entries. Each CPU passes a full barrier within the grace period. A change
 *   before it on its CPU is seen by the registrar, a change after it is followed by a look that
 *   finds the mm_notify.
 * - An invalidation and a user: it is counted, and the user is linked, under the same lock.
 *   Whoever came first, either the walk of users finds the user, or the user finds the count.
 * - An invalidation and what a user looks up: the user compares under the lock that its
 *   invalidate() takes. What it mirrored before invalidate() came is taken out by that; after it
 *   the user sees the count, or, when the invalidation has ended, another sequence.
 */
#include "mm_priv.h"
#include <kernel/rcu.h>
#include <mm/notify.h>
#include <sched/work.h>

struct mm_notify {
	struct srcu_struct srcu;	/* walks of USERS */
	spinlock_t count_lock;
	struct list_head users;		/* count_lock, SRCU */
	unsigned long seq;  /* count_lock, read without: invalidations that have ended */
	unsigned long active;		/* count_lock, read without: invalidations under way */
	/* count_lock, read without: what covers them, while there are any */
	unsigned long start, end;
	struct work_struct free_work;
};

static struct mm_notify *notify_new(void)
{
	struct mm_notify *n = kzalloc(sizeof(*n), GFP_KERNEL | __GFP_ACCOUNT);

	if (!n)
		return NULL;
	if (init_srcu_struct(&n->srcu)) {
		kfree(n);
		return NULL;
	}
	spin_lock_init(&n->count_lock);
	INIT_LIST_HEAD(&n->users);
	return n;
}

static void notify_free(struct work_struct *w)
{
	struct mm_notify *n = container_of(w, struct mm_notify, free_work);

	cleanup_srcu_struct(&n->srcu);
	kfree(n);
}

void mm_notify_free(struct mm *mm)
{
	/* The struct mm may be dropped where per-CPU memory cannot be freed. */
	DEBUG_ON(!list_empty(&mm->notify->users));
	INIT_WORK(&mm->notify->free_work, notify_free);
	schedule_work(&mm->notify->free_work);
}

/* MM's, made if it has none; NULL: no memory. */
static struct mm_notify *notify_of(struct mm *mm)
{
	struct mm_notify *n = smp_load_acquire(&mm->notify), *fresh;

	if (n)
		return n;
	fresh = notify_new();
	if (!fresh)
		return NULL;
	spin_lock(&mm->page_table_lock);
	n = mm->notify;
	if (!n) {
		n = fresh;
		smp_store_release(&mm->notify, n);
	}
	spin_unlock(&mm->page_table_lock);
	if (n != fresh)
		notify_free(&fresh->free_work);
	return n;
}

int mm_notify_register(struct mm_notify_user *u, struct mm *mm)
{
	struct mm_notify *n = notify_of(mm);

	if (!n)
		return -ENOMEM;
	mmgrab(mm);
	u->mm = mm;
	u->notify = n;
	spin_lock(&n->count_lock);
	list_add_rcu(&u->link, &n->users);
	spin_unlock(&n->count_lock);
	synchronize_rcu();	/* before U's first look-up: pairs with mm_notify_changed() */
	return 0;
}

void mm_notify_unregister(struct mm_notify_user *u)
{
	struct mm_notify *n = u->notify;

	spin_lock(&n->count_lock);
	list_del_rcu(&u->link);
	spin_unlock(&n->count_lock);
	synchronize_srcu(&n->srcu);
	mmdrop(u->mm);
}

unsigned long mm_notify_seq(const struct mm_notify_user *u)
{
	/* Before the look-up's reads. */
	return smp_load_acquire(&u->notify->seq);
}

bool mm_notify_retry(const struct mm_notify_user *u, unsigned long seq, unsigned long addr)
{
	const struct mm_notify *n = u->notify;

	/*
	 * Acquires: the range belongs to this count, or to a later one, and then SEQ has changed.
	 */
	if (smp_load_acquire(&n->active) && addr >= smp_load_acquire(&n->start) &&
	    addr < smp_load_acquire(&n->end))
		return true;
	return READ_ONCE(n->seq) != seq;
}

/* Counts R. Another's end is not before this: its sequence is seen by who sees our range. */
static void count_start(struct mm_notify *n, const struct mm_notify_range *r)
{
	spin_lock(&n->count_lock);
	if (!n->active) {
		smp_store_release(&n->start, r->start);
		smp_store_release(&n->end, r->end);
	} else {
		smp_store_release(&n->start, min(n->start, r->start));
		smp_store_release(&n->end, max(n->end, r->end));
	}
	smp_store_release(&n->active, n->active + 1);
	spin_unlock(&n->count_lock);
}

void __mm_notify_start(struct mm_notify_range *r)
{
	struct mm_notify *n = smp_load_acquire(&r->mm->notify);
	struct mm_notify_user *u;
	int idx;

	might_sleep();
	DEBUG_ON(r->told);
	r->told = true;
	count_start(n, r);
	idx = srcu_read_lock(&n->srcu);
	list_for_each_entry_rcu(u, &n->users, link)
		u->ops->invalidate(u, r->start, r->end);
	srcu_read_unlock(&n->srcu, idx);
}

void __mm_notify_end(struct mm_notify_range *r)
{
	struct mm_notify *n = r->mm->notify;

	r->told = false;
	spin_lock(&n->count_lock);
	DEBUG_ON(!n->active);
	WRITE_ONCE(n->seq, n->seq + 1);
	smp_store_release(&n->active, n->active - 1);
	spin_unlock(&n->count_lock);
}

bool __mm_notify_young(struct mm *mm, unsigned long start, unsigned long end, bool clear)
{
	struct mm_notify *n = smp_load_acquire(&mm->notify);
	struct mm_notify_user *u;
	bool young = false;
	int idx = srcu_read_lock(&n->srcu);

	list_for_each_entry_rcu(u, &n->users, link)
		if (u->ops->young && u->ops->young(u, start, end, clear))
			young = true;
	srcu_read_unlock(&n->srcu, idx);
	return young;
}

void __mm_notify_ended(struct mm *mm)
{
	struct mm_notify *n = mm->notify;
	struct mm_notify_user *u;
	int idx = srcu_read_lock(&n->srcu);

	list_for_each_entry_rcu(u, &n->users, link)
		if (u->ops->ended)
			u->ops->ended(u);
	srcu_read_unlock(&n->srcu, idx);
}
