// SPDX-License-Identifier: MIT
/* Counts of links in memory (links.h). */
#include "fs/xfs/scrub/links.h"
#include <alloc/page.h>
#include <alloc/slab.h>
#include <sched/task.h>
#include <abi/errno.h>

#define PER 64u

struct xfs_link_dirs {
	u32 back[PER], children[PER];
};
struct xfs_link_rec {
	struct rb_node node;
	u64 start;
	u64 taken;			/* a bit each */
	struct xfs_link_dirs *dirs;	/* NULL: none of them is a directory, as far as is known */
	u32 parents[PER];
};

static struct xfs_link_rec *rec_of(struct rb_node *n)
{
	return rb_entry(n, struct xfs_link_rec, node);
}

static struct xfs_link_rec *find(const struct xfs_links *l, u64 start)
{
	struct rb_node *n = l->recs.node;

	while (n && rec_of(n)->start != start)
		n = start < rec_of(n)->start ? n->left : n->right;
	return n ? rec_of(n) : NULL;
}

/* The first that begins at or behind START. */
static struct xfs_link_rec *first_from(const struct xfs_links *l, u64 start)
{
	struct rb_node *n = l->recs.node;
	struct xfs_link_rec *best = NULL;

	while (n) {
		if (rec_of(n)->start >= start) {
			best = rec_of(n);
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

/* ---- memory ---- */

static bool fits(const struct xfs_links *l, size_t n)
{
	return l->bytes + n <= (size_t)totalram_pages() * PAGE_SIZE / 8;
}

int xfs_links_ready(struct xfs_links *l, spinlock_t *lock)
{
	struct xfs_link_rec *rec = NULL;
	struct xfs_link_dirs *dirs = NULL;

	/* Nobody but the caller lays anything ready. */
	if (!READ_ONCE(l->rec))
		rec = kzalloc(sizeof(*rec), GFP_NOFS | __GFP_ACCOUNT);
	if (!READ_ONCE(l->dirs))
		dirs = kzalloc(sizeof(*dirs), GFP_NOFS | __GFP_ACCOUNT);
	spin_lock(lock);
	if (rec)
		l->rec = rec;
	if (dirs)
		l->dirs = dirs;
	spin_unlock(lock);
	return READ_ONCE(l->rec) && READ_ONCE(l->dirs) ? 0 : -ENOMEM;
}

static void *take(struct xfs_links *l, void *ready, size_t n)
{
	void *p;

	if (!fits(l, n))
		return NULL;
	p = ready ?: kzalloc(n, GFP_NOWAIT);
	if (p)
		l->bytes += n;
	return p;
}

static struct xfs_link_rec *make(struct xfs_links *l, u64 start)
{
	struct rb_node **link = &l->recs.node, *parent = NULL;
	struct xfs_link_rec *new = take(l, l->rec, sizeof(*new));

	if (!new)
		return NULL;
	if (new == l->rec)
		WRITE_ONCE(l->rec, NULL);
	new->start = start;
	while (*link) {
		parent = *link;
		link = start < rec_of(parent)->start ? &parent->left : &parent->right;
	}
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &l->recs);
	return new;
}

static struct xfs_link_dirs *make_dirs(struct xfs_links *l, struct xfs_link_rec *r)
{
	r->dirs = take(l, l->dirs, sizeof(*r->dirs));
	if (r->dirs && r->dirs == l->dirs)
		WRITE_ONCE(l->dirs, NULL);
	return r->dirs;
}

void xfs_links_free(struct xfs_links *l)
{
	struct rb_node *n;

	while ((n = rb_first(&l->recs))) {
		struct xfs_link_rec *r = rec_of(n);

		rb_erase(n, &l->recs);
		kfree(r->dirs);
		kfree(r);
		cond_resched();
	}
	kfree(l->rec);
	kfree(l->dirs);
	*l = (struct xfs_links){ .recs = RB_ROOT };
}

/* ---- counts ---- */

static void add(u32 *n, int by)
{
	s64 now = (s64)*n + by;

	*n = now < 0 ? 0 : now > U32_MAX ? U32_MAX : (u32)now;
}

int xfs_links_add(struct xfs_links *l, u64 ino, int parents, int back, int children)
{
	u32 i = (u32)(ino % PER);
	struct xfs_link_rec *r = find(l, ino - i) ?: make(l, ino - i);

	if (!r)
		return -ENOMEM;
	add(&r->parents[i], parents);
	if (!back && !children)
		return 0;
	if (!r->dirs && !make_dirs(l, r))
		return -ENOMEM;
	add(&r->dirs->back[i], back);
	add(&r->dirs->children[i], children);
	return 0;
}

static struct xfs_link_count count_of(const struct xfs_link_rec *r, u32 i)
{
	return (struct xfs_link_count){ r->parents[i], r->dirs ? r->dirs->back[i] : 0,
					r->dirs ? r->dirs->children[i] : 0 };
}

struct xfs_link_count xfs_links_take(struct xfs_links *l, u64 ino)
{
	u32 i = (u32)(ino % PER);
	struct xfs_link_rec *r = find(l, ino - i);

	if (!r)
		return (struct xfs_link_count){ 0 };
	r->taken |= 1ull << i;
	return count_of(r, i);
}

/* One in R from bit I on. */
static bool next_in(const struct xfs_link_rec *r, u32 i, u64 *ino)
{
	for (; i < PER; i++) {
		struct xfs_link_count c = count_of(r, i);

		if (!(r->taken >> i & 1) && (c.parents || c.back || c.children)) {
			*ino = r->start + i;
			return true;
		}
	}
	return false;
}

int xfs_links_next(struct xfs_links *l, u64 *ino)
{
	u32 i = (u32)(*ino % PER);
	struct xfs_link_rec *r = first_from(l, *ino - i);

	if (!r)
		return -ENOENT;
	if (next_in(r, r->start == *ino - i ? i : 0, ino))
		return 1;
	*ino = r->start + PER;
	return 0;
}
