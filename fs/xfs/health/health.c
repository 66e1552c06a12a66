// SPDX-License-Identifier: MIT
#include "fs/xfs/health/health.h"
#include <alloc/page.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <lib/minmax.h>
#include <sched/task.h>

/* An inode that is sick, or was. */
struct known {
	struct rb_node node;
	u64 ino;
	u32 gen;
	struct xfs_marks marks;
};

/* Of memory, one part in so many may be words of inodes. */
#define SHARE 1024u

void xfs_health_init(struct xfs_health *health)
{
	u64 most = (u64)totalram_pages() * PAGE_SIZE / SHARE / sizeof(struct known);

	*health = (struct xfs_health){ .inodes = RB_ROOT,
				       .most_inodes = (u32)min(most, (u64)U32_MAX) };
	spin_lock_init(&health->lock);
}

void xfs_health_destroy(struct xfs_health *h)
{
	struct rb_node *n;

	h->hook = NULL;
	while ((n = rb_first(&h->inodes))) {
		rb_erase(n, &h->inodes);
		kfree(rb_entry(n, struct known, node));
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

/* What of MASK was sick. The lock is held. */
static u32 mark_locked(struct xfs_marks *m, enum xfs_mark what, u32 mask, s64 now)
{
	u32 was = m->sick & mask;

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
	return was;
}

static void mark(struct xfs_health *h, struct xfs_marks *m, enum xfs_mark what,
		 const struct xfs_sick *obj)
{
	s64 now = (s64)ktime_get_real_seconds();
	u32 was;

	DEBUG_ON(!obj->mask);
	spin_lock(&h->lock);
	was = mark_locked(m, what, obj->mask, now);
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
static struct known *find(struct xfs_health *h, u64 ino, struct rb_node **parent,
			  struct rb_node ***link)
{
	struct rb_node **at = &h->inodes.node;

	*parent = NULL;
	while (*at) {
		struct known *k = rb_entry(*at, struct known, node);

		if (k->ino == ino)
			return k;
		*parent = *at;
		at = ino < k->ino ? &(*at)->left : &(*at)->right;
	}
	*link = at;
	return NULL;
}

/* The words of INO; *NEW is used up where there were none. The lock is held. NULL: none. */
static struct known *find_or_add(struct xfs_health *h, u64 ino, struct known **new)
{
	struct rb_node *parent, **link;
	struct known *k = find(h, ino, &parent, &link);

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
static struct known *take_out(struct xfs_health *h, struct known *k)
{
	rb_erase(&k->node, &h->inodes);
	h->nr_inodes--;
	return k;
}

void xfs_mark_ino(struct xfs_health *h, const struct xfs_ag_marks *ag, u64 ino, u32 gen,
		  enum xfs_mark what, u32 mask)
{
	struct xfs_sick obj = { XFS_DOMAIN_INO, mask, ino, gen };
	s64 now = (s64)ktime_get_real_seconds();
	struct known *new = NULL, *k, *out = NULL;
	u32 was = 0;

	DEBUG_ON(!mask);
	if (what != XFS_MARK_HEALTHY)
		new = kzalloc(sizeof(*new), GFP_NOWAIT | __GFP_ACCOUNT);
	spin_lock(&h->lock);
	k = find_or_add(h, ino, &new);
	if (k) {
		was = mark_locked(&k->marks, what, mask, now);
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
	struct known *k;

	if (!READ_ONCE(h->nr_inodes))
		return;
	spin_lock(&h->lock);
	k = find(h, ino, &parent, &link);
	if (k)
		take_out(h, k);
	spin_unlock(&h->lock);
	kfree(k);
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
	struct known *k;

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
	struct known *best = NULL;
	struct rb_node *n;

	spin_lock(&h->lock);
	for (n = h->inodes.node; n;) {
		struct known *k = rb_entry(n, struct known, node);

		if (k->ino >= *ino)
			best = k;
		n = k->ino >= *ino ? n->left : n->right;
	}
	if (best) {
		*ino = best->ino;
		*gen = best->gen;
		*m = best->marks;
	}
	spin_unlock(&h->lock);
	return best;
}
