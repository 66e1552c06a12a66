// SPDX-License-Identifier: MIT
#include "fs/xfs/health/todo.h"
#include <alloc/page.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <lib/minmax.h>
#include <sched/task.h>

/* Of memory, one part in so many may be words of inodes. */
#define SHARE 1024u

void xfs_health_init(struct xfs_health *health)
{
	u64 most = (u64)totalram_pages() * PAGE_SIZE / SHARE / sizeof(struct xfs_known);

	*health = (struct xfs_health){ .inodes = RB_ROOT,
				       .most_inodes = (u32)min(most, (u64)U32_MAX) };
	spin_lock_init(&health->lock);
	xfs_todo_init(health);
}

void xfs_health_destroy(struct xfs_health *h)
{
	struct rb_node *n;

	h->hook = NULL;
	while ((n = rb_first(&h->inodes))) {
		rb_erase(n, &h->inodes);
		kfree(rb_entry(n, struct xfs_known, node));
		cond_resched();
	}
	h->nr_inodes = 0;
}

void xfs_health_watch(struct xfs_health *h,
		      void (*hook)(void *ctx, const struct xfs_mark_event *ev), void *ctx)
{
	if (READ_ONCE(h->hook)) {
		WRITE_ONCE(h->hook, NULL);
		synchronize_rcu();
	}
	h->hook_ctx = ctx;
	smp_store_release(&h->hook, hook);	/* pairs with the acquire in tell() */
}

/* Outside of the lock: other marks may come in between. */
static void tell(struct xfs_health *h, enum xfs_mark what, const struct xfs_sick *obj, u32 was)
{
	struct xfs_mark_event ev = { what, *obj, was };
	void (*hook)(void *ctx, const struct xfs_mark_event *ev);

	rcu_read_lock();
	hook = smp_load_acquire(&h->hook);	/* pairs with xfs_health_watch() */
	if (hook)
		hook(h->hook_ctx, &ev);
	rcu_read_unlock();
}

/* What of OBJ.mask was sick. */
static u32 mark_locked(struct xfs_health *h, struct xfs_marks *m, enum xfs_mark what,
		       const struct xfs_sick *obj, s64 now)
{
	u32 mask = obj->mask, was = m->sick & mask;

	lockdep_assert_held(&h->lock);

	if (what == XFS_MARK_HEALTHY)
		m->sick &= ~mask;
	else
		m->sick |= mask;
	if (what != XFS_MARK_SICK)
		m->checked |= mask;
	if (!m->sick)
		m->since = 0;
	else if (!m->since)
		m->since = now;
	if (what == XFS_MARK_SICK && mask & ~m->met)
		xfs_todo_met_locked(h, m, obj);
	else if (what == XFS_MARK_HEALTHY && m->met)
		xfs_todo_healthy_locked(h, m, mask);
	return was;
}

static void mark(struct xfs_health *h, struct xfs_marks *m, enum xfs_mark what,
		 const struct xfs_sick *obj)
{
	s64 now = (s64)ktime_get_real_seconds();
	u32 was;

	DEBUG_ON(!obj->mask);
	spin_lock(&h->lock);
	was = mark_locked(h, m, what, obj, now);
	spin_unlock(&h->lock);
	tell(h, what, obj, was);
}

void xfs_mark_fs(struct xfs_health *h, enum xfs_mark what, u32 mask)
{
	struct xfs_sick obj = { XFS_DOMAIN_FS, mask, 0, 0 };

	mark(h, &h->fs, what, &obj);
}

void xfs_mark_ag(struct xfs_health *h, const struct xfs_ag_marks *ag, enum xfs_mark what, u32 mask)
{
	struct xfs_sick obj = { XFS_DOMAIN_AG, mask, ag->agno, 0 };

	mark(h, ag->marks, what, &obj);
}

void xfs_health_down(struct xfs_health *h, u32 reasons)
{
	struct xfs_sick obj = { .domain = XFS_DOMAIN_FS, .mask = reasons };

	tell(h, XFS_TOLD_DOWN, &obj, 0);
}

/* ---- inodes ---- */

/* INO's, or the place where it belongs. The lock is held. */
static struct xfs_known *find(struct xfs_health *h, u64 ino, struct rb_node **parent,
			      struct rb_node ***link)
{
	struct rb_node **at = &h->inodes.node;

	*parent = NULL;
	while (*at) {
		struct xfs_known *k = rb_entry(*at, struct xfs_known, node);

		if (k->ino == ino)
			return k;
		*parent = *at;
		at = ino < k->ino ? &(*at)->left : &(*at)->right;
	}
	*link = at;
	return NULL;
}

/* The words of INO; *NEW is used up where there were none. The lock is held. NULL: none. */
static struct xfs_known *find_or_add(struct xfs_health *h, u64 ino, struct xfs_known **new)
{
	struct rb_node *parent, **link;
	struct xfs_known *k = find(h, ino, &parent, &link);

	if (k || !*new || h->nr_inodes >= h->most_inodes)
		return k;
	k = *new;
	*new = NULL;
	k->ino = ino;
	rb_link_node(&k->node, parent, link);
	rb_insert_color(&k->node, &h->inodes);
	h->nr_inodes++;
	return k;
}

/* Whatever becomes of it, a number of which nothing bad is known needs no words. */
static struct xfs_known *take_out(struct xfs_health *h, struct xfs_known *k)
{
	xfs_todo_healthy_locked(h, &k->marks, ~0u);
	rb_erase(&k->node, &h->inodes);
	h->nr_inodes--;
	return k;
}

void xfs_mark_ino(struct xfs_health *h, const struct xfs_ag_marks *ag, u64 ino, u32 gen,
		  enum xfs_mark what, u32 mask)
{
	struct xfs_sick obj = { XFS_DOMAIN_INO, mask, ino, gen };
	s64 now = (s64)ktime_get_real_seconds();
	struct xfs_known *new = NULL, *k, *out = NULL;
	u32 was = 0;

	DEBUG_ON(!mask);
	if (what != XFS_MARK_HEALTHY)
		new = kzalloc(sizeof(*new), GFP_NOWAIT | __GFP_ACCOUNT);
	spin_lock(&h->lock);
	k = find_or_add(h, ino, &new);
	if (k) {
		was = mark_locked(h, &k->marks, what, &obj, now);
		/* A record that cannot be read has no generation that one could trust. */
		if (gen)
			k->gen = gen;
		if (!k->marks.sick)
			out = take_out(h, k);
	}
	spin_unlock(&h->lock);
	kfree(new);
	kfree(out);
	tell(h, what, &obj, was);
	if (!k && what != XFS_MARK_HEALTHY)
		xfs_mark_ag(h, ag, what, XFS_SICK_AG_INODES);
}

void xfs_mark_ino_gone(struct xfs_health *h, u64 ino)
{
	struct rb_node *parent, **link;
	struct xfs_known *k;

	if (!READ_ONCE(h->nr_inodes))
		return;
	spin_lock(&h->lock);
	k = find(h, ino, &parent, &link);
	if (k)
		take_out(h, k);
	spin_unlock(&h->lock);
	kfree(k);
}

struct xfs_known *xfs_known_from_locked(struct xfs_health *h, u64 ino)
{
	struct xfs_known *best = NULL;

	lockdep_assert_held(&h->lock);
	for (struct rb_node *n = h->inodes.node; n;) {
		struct xfs_known *k = rb_entry(n, struct xfs_known, node);

		if (k->ino >= ino)
			best = k;
		n = k->ino >= ino ? n->left : n->right;
	}
	return best;
}

/* ---- looking ---- */

struct xfs_marks xfs_health_of(struct xfs_health *h, const struct xfs_marks *m)
{
	struct xfs_marks copy;

	spin_lock(&h->lock);
	copy = *m;
	spin_unlock(&h->lock);
	return copy;
}

struct xfs_marks xfs_health_of_ino(struct xfs_health *h, u64 ino)
{
	struct xfs_marks copy = { 0 };
	struct rb_node *parent, **link;
	struct xfs_known *k;

	if (!READ_ONCE(h->nr_inodes))
		return copy;
	spin_lock(&h->lock);
	k = find(h, ino, &parent, &link);
	if (k)
		copy = k->marks;
	spin_unlock(&h->lock);
	return copy;
}

bool xfs_health_next_ino(struct xfs_health *h, u64 *ino, u32 *gen, struct xfs_marks *m)
{
	struct xfs_known *best;

	spin_lock(&h->lock);
	best = xfs_known_from_locked(h, *ino);
	if (best) {
		*ino = best->ino;
		*gen = best->gen;
		*m = best->marks;
	}
	spin_unlock(&h->lock);
	return best;
}
