// SPDX-License-Identifier: MIT
/*
 * The tree of directories, from one of them: by the pointers to parents exactly one way leads up to
 * the root. A directory that has no names, and the root, have none.
 *
 * One directory is locked at a time, so names may change meanwhile: all inodes on the ways are
 * remembered, and when one of them gets or loses a name (trans/hook.h) the ways are walked anew.
 * An inode is remembered while it is locked, before its lock is let go: no change is missed.
 */
#include "fs/xfs/scrub/scrub.h"
#include "fs/xfs/trans/hook.h"
#include "fs/xfs/xattr/xattr.h"
#include <alloc/slab.h>
#include <sched/task.h>

enum outcome { GOOD, BAD, SUSPECT, GOES_ON };

/* An inode on a way up. */
struct step {
	struct rb_node node;
	u64 ino;
	u32 way;			/* the last one that came by */
};

/* A pointer of the directory itself. */
struct start {
	struct list_head list;
	u64 ino;
	u32 gen;
};

struct tree {
	struct xfs_name_watch watch;
	struct xfs_scrub *sc;
	bool stale;			/* names_lock */
	struct rb_root steps;		/* names_lock */
	struct list_head starts;
	u64 own;
	u32 way, nr[GOES_ON];
	/* the next step */
	u64 ino;
	u32 gen, found;
	int error;
};

static spinlock_t *lock_of(const struct tree *t)
{
	return &t->sc->mp->names_lock;
}

/* ---- inodes on the ways ---- */

static struct step *find(const struct tree *t, u64 ino)
{
	struct rb_node *n = t->steps.node;

	while (n && rb_entry(n, struct step, node)->ino != ino)
		n = ino < rb_entry(n, struct step, node)->ino ? n->left : n->right;
	return n ? rb_entry(n, struct step, node) : NULL;
}

static void changed(struct xfs_name_watch *w, const struct xfs_name_change *c)
{
	struct tree *t = container_of(w, struct tree, watch);

	if (c->is_dir && find(t, c->ino))
		t->stale = true;
}

static bool is_stale(struct tree *t)
{
	bool is;

	spin_lock(lock_of(t));
	is = t->stale;
	spin_unlock(lock_of(t));
	return is;
}

/* INO, which is locked, is on the way; *SEEN: it was before. */
static int remember(struct tree *t, u64 ino, bool *seen)
{
	struct step *new = kzalloc(sizeof(*new), GFP_NOFS | __GFP_ACCOUNT), *s;
	struct rb_node **link, *parent = NULL;

	if (!new)
		return -ENOMEM;
	spin_lock(lock_of(t));
	s = find(t, ino);
	*seen = s && s->way == t->way;
	if (s) {
		s->way = t->way;
	} else {
		new->ino = ino;
		new->way = t->way;
		for (link = &t->steps.node; *link;) {
			parent = *link;
			link = ino < rb_entry(parent, struct step, node)->ino ? &parent->left :
										&parent->right;
		}
		rb_link_node(&new->node, parent, link);
		rb_insert_color(&new->node, &t->steps);
	}
	spin_unlock(lock_of(t));
	if (s)
		kfree(new);
	return 0;
}

static void forget(struct tree *t)
{
	struct start *s, *next;
	struct rb_node *n;
	struct rb_root steps;

	spin_lock(lock_of(t));
	steps = t->steps;
	t->steps = RB_ROOT;
	t->stale = false;
	spin_unlock(lock_of(t));
	while ((n = rb_first(&steps))) {
		rb_erase(n, &steps);
		kfree(rb_entry(n, struct step, node));
		cond_resched();
	}
	list_for_each_entry_safe(s, next, &t->starts, list) {
		list_del(&s->list);
		kfree(s);
		cond_resched();
	}
	memset(t->nr, 0, sizeof(t->nr));
	t->way = 0;
}

/* ---- one step ---- */

static bool pointer_of(struct tree *t, const struct xfs_attr *a, struct xfs_parent *p)
{
	if (xfs_parent_of(a, p) && xfs_ino_ok(&t->sc->mp->fs.vol.sb, p->ino))
		return true;
	t->error = -XFS_CORRUPT;
	return false;
}

static bool next_step(void *ctx, const struct xfs_attr *a)
{
	struct tree *t = ctx;
	struct xfs_parent p;

	if (!(a->flags & XFS_ATTR_PARENT))
		return true;
	if (!pointer_of(t, a, &p))
		return false;
	t->ino = p.ino;
	t->gen = p.gen;
	return ++t->found == 1;
}

/* T->ino is LI, which is locked. What comes of the way; GOES_ON: there is a next step. */
static int judge_step(struct tree *t, struct xfs_lino *li, enum outcome *out)
{
	const struct xfs_core *c = &li->ip.node.core;
	const struct xfs_sb *sb = &t->sc->mp->fs.vol.sb;
	bool seen;
	int e;

	*out = GOES_ON;
	if (!c->mode || c->gen != t->gen)
		return -XFS_CORRUPT;
	if (c->ino == sb->rootino || c->ino == t->own) {
		*out = c->ino == sb->rootino ? GOOD : BAD;
		return 0;
	}
	e = remember(t, c->ino, &seen);
	if (e)
		return e;
	if (seen) {
		*out = SUSPECT;
		return 0;
	}
	if (!S_ISDIR(c->mode) || !c->nlink || c->flags2 & XFS_DIFLAG2_METADATA)
		return -XFS_CORRUPT;
	t->found = 0;
	t->error = 0;
	e = xfs_errno(xfs_attr_walk(t->sc->vol, &li->ip.node, next_step, t)) ?: t->error;
	if (e && e != -XFS_CORRUPT)
		return e;
	if (e || t->found != 1)
		*out = SUSPECT;
	return 0;
}

/* -ESTALE: names have changed. -EUCLEAN: the pointer that led here is wrong. */
static int step_up(struct tree *t, enum outcome *out)
{
	struct xfs_lino *li;
	int e;

	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	if (xfs_scrub_is_internal(&t->sc->mp->fs.vol.sb, t->ino))
		return -XFS_CORRUPT;
	li = xfs_lino_get_outside(t->sc->mp, t->ino);
	if (IS_ERR(li))
		return is_stale(t) || PTR_ERR(li) != -ESTALE ? (int)PTR_ERR(li) : -XFS_CORRUPT;
	if (down_read_killable(&li->lock)) {
		xfs_lino_put(li);
		return -EINTR;
	}
	e = is_stale(t) ? -ESTALE : judge_step(t, li, out);
	if (is_stale(t))
		e = -ESTALE;
	up_read(&li->lock);
	xfs_lino_put(li);
	return e;
}

/* ---- the ways ---- */

static int walk_up(struct tree *t, const struct start *s)
{
	enum outcome out = GOES_ON;
	bool first = true, seen;
	int e;

	t->way++;
	t->ino = s->ino;
	t->gen = s->gen;
	if (s->ino == t->own) {
		t->nr[BAD]++;
		return 0;
	}
	e = remember(t, t->own, &seen);
	while (!e && out == GOES_ON) {
		e = step_up(t, &out);
		/* Of the directory's own pointers nothing more is to be said. */
		if (e == -XFS_CORRUPT && !first) {
			e = 0;
			out = SUSPECT;
		}
		first = false;
	}
	if (!e)
		t->nr[out]++;
	return e;
}

static bool add_start(void *ctx, const struct xfs_attr *a)
{
	struct tree *t = ctx;
	struct xfs_parent p;
	struct start *s;

	if (!(a->flags & XFS_ATTR_PARENT))
		return true;
	if (!pointer_of(t, a, &p))
		return false;
	s = kzalloc(sizeof(*s), GFP_NOFS | __GFP_ACCOUNT);
	if (!s) {
		t->error = -ENOMEM;
		return false;
	}
	s->ino = p.ino;
	s->gen = p.gen;
	list_add_tail(&s->list, &t->starts);
	return true;
}

/* *ALONE: it has no parents. */
static int find_starts(struct tree *t, bool *alone)
{
	struct xfs_lino *li = t->sc->li;
	const struct xfs_core *c = &li->ip.node.core;
	bool seen;
	int e;

	if (down_read_killable(&li->lock))
		return -EINTR;
	t->error = 0;
	if (!xfs_scrub_core_ok(&t->sc->mp->fs.vol.sb, c)) {
		t->sc->mask &= XFS_SICK_INO_CORE;
		xfs_scrub_bad(t->sc);
		e = -ECANCELED;
	} else if (!S_ISDIR(c->mode)) {
		e = -ENOENT;
	} else {
		e = remember(t, t->own, &seen);
		e = e ?: xfs_errno(xfs_attr_walk(t->sc->vol, &li->ip.node, add_start, t));
		e = e ?: t->error;
	}
	*alone = !c->nlink || t->own == t->sc->mp->fs.vol.sb.rootino;
	up_read(&li->lock);
	return e;
}

static int walk(struct tree *t, bool *alone)
{
	struct start *s;
	int e;

	do {
		forget(t);
		e = find_starts(t, alone);
		list_for_each_entry(s, &t->starts, list) {
			e = e ?: walk_up(t, s);
			if (e)
				break;
		}
	} while (e == -ESTALE || (!e && is_stale(t)));
	return e;
}

static int check(struct tree *t)
{
	const u32 *nr = t->nr;
	bool alone = false;
	int e = walk(t, &alone);

	/* Without its own pointers no more is to be said. */
	if (e == -XFS_CORRUPT) {
		t->sc->req->flags |= XFS_SCRUB_XCORRUPT | XFS_SCRUB_INCOMPLETE;
		return 0;
	}
	if (e)
		return e == -ECANCELED ? 0 : e == -EDEADLK ? -EBUSY : e;
	if (alone) {
		if (nr[GOOD] || nr[BAD] || nr[SUSPECT])
			xfs_scrub_bad(t->sc);
		return 0;
	}
	if (nr[BAD] || nr[GOOD] + nr[SUSPECT] != 1)
		xfs_scrub_bad(t->sc);
	if (nr[SUSPECT])
		xfs_scrub_differs(t->sc);
	return 0;
}

int xfs_scrub_dirtree(struct xfs_scrub *sc)
{
	struct tree t = { .sc = sc, .watch.fn = changed, .own = xfs_scrub_node(sc)->core.ino };
	unsigned int nofs = memalloc_nofs_save();
	int e;

	INIT_LIST_HEAD(&t.starts);
	xfs_name_watch(sc->mp, &t.watch);
	e = check(&t);
	xfs_name_unwatch(sc->mp, &t.watch);
	forget(&t);
	memalloc_nofs_restore(nofs);
	return e;
}
