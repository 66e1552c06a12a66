// SPDX-License-Identifier: MIT
/*
 * Counts of links: what all directories say of each inode is counted, then compared with what the
 * inode says.
 *
 * The file system is used meanwhile. Inodes are passed in the order of their numbers, a chunk at a
 * time, and changes of names (trans/hook.h) count in what was passed already; what is not passed
 * yet will be seen as it then is. A chunk counts as passed as soon as its AGI was locked, but for
 * those of its inodes that were in use then: so one that is made later is never missed. Of these
 * each has two bits: the entries of a directory, and what leads up from it. A bit is cleared with
 * the inode's lock held, as changes are told.
 *
 * Names of a directory that the VFS has do not change while its i_rwsem is held, and so li->lock is
 * let go now and then; of others nobody changes names, or li->lock is held all the time.
 */
#include "fs/xfs/scrub/scrub.h"
#include "fs/xfs/ag/ialloc_priv.h"
#include "fs/xfs/scrub/links.h"
#include "fs/xfs/trans/hook.h"
#include "fs/xfs/xattr/xattr.h"
#include <alloc/slab.h>
#include <sched/task.h>

#define AT_ONCE 256u		/* entries, with li->lock held */
#define TRIES	20u		/* of blocks that others have locked */

struct scan {
	struct xfs_name_watch watch;
	struct xfs_scrub *sc;
	u64 next;			/* inode */
	/* names_lock: */
	struct xfs_links links;
	u64 start, end;			/* the chunk in work; all before END is passed, but for: */
	u64 names_left, up_left;	/* bits of inodes from START on */
	bool counted;			/* all is passed */
	bool aborted;
	/* of the chunk in work */
	struct xfs_lino *li[XFS_CHUNK];
	u32 nr;
	/* of the directory in work */
	u64 dir;
	u32 cookie, seen;
	bool all;			/* in one go */
	int error;
};

static spinlock_t *lock_of(const struct scan *s)
{
	return &s->sc->mp->names_lock;
}

static void incomplete(struct scan *s)
{
	s->sc->req->flags |= XFS_SCRUB_INCOMPLETE;
}

/* ---- live changes ---- */

static bool passed(const struct scan *s, u64 ino, u64 left)
{
	if (ino >= s->end)
		return false;
	return ino < s->start || ino - s->start >= XFS_CHUNK || !(left >> (ino - s->start) & 1);
}

static void changed(struct xfs_name_watch *w, const struct xfs_name_change *c)
{
	struct scan *s = container_of(w, struct scan, watch);
	int e = 0;

	if (s->aborted)
		return;
	if (passed(s, c->dir, s->names_left)) {
		e = xfs_links_add(&s->links, c->ino, c->by, 0, 0);
		if (!e && c->is_dir)
			e = xfs_links_add(&s->links, c->dir, 0, 0, c->by);
	}
	if (!e && c->is_dir && passed(s, c->ino, s->up_left))
		e = xfs_links_add(&s->links, c->dir, 0, c->by, 0);
	if (e)
		s->aborted = true;
}

static bool is_aborted(struct scan *s)
{
	bool is;

	spin_lock(lock_of(s));
	is = s->aborted;
	spin_unlock(lock_of(s));
	return is;
}

static void abort_scan(struct scan *s)
{
	spin_lock(lock_of(s));
	s->aborted = true;
	spin_unlock(lock_of(s));
}

static void clear(struct scan *s, u64 ino, bool names)
{
	u64 keep = ~(1ull << (ino - s->start));

	spin_lock(lock_of(s));
	s->up_left &= keep;
	if (names)
		s->names_left &= keep;
	spin_unlock(lock_of(s));
}

static int count(struct scan *s, u64 ino, int parents, int back, int children)
{
	int e = xfs_links_ready(&s->links, lock_of(s));

	if (e)
		return e;
	spin_lock(lock_of(s));
	e = xfs_links_add(&s->links, ino, parents, back, children);
	spin_unlock(lock_of(s));
	return e;
}

/* ---- inodes, a chunk at a time ---- */

/* The AGI is locked. USED: a bit each; those behind END come later. */
static int take_inodes(struct scan *s, u64 start, u64 used, u64 end)
{
	int e = 0;

	if (!s->counted) {
		spin_lock(lock_of(s));
		s->start = start;
		s->end = end;
		s->names_left = s->up_left = used;
		spin_unlock(lock_of(s));
	}
	for (u32 i = 0; !e && i < XFS_CHUNK; i++) {
		struct xfs_lino *li;

		if (!(used >> i & 1))
			continue;
		li = xfs_lino_get_free(s->sc->mp, start + i);
		if (IS_ERR(li))
			e = (int)PTR_ERR(li);
		else
			s->li[s->nr++] = li;
	}
	return e;
}

static int take_chunk(struct scan *s, struct xfs_iop *op)
{
	const struct xfs_sb *sb = &s->sc->mp->fs.vol.sb;
	u32 agno = op->ag->agno;
	struct xfs_chunk k;
	bool found;
	u64 start;
	int e = xfs_chunk_from(&op->all, xfs_ino_agino(sb, s->next), &k, &found);

	if (e)
		return e;
	if (!found) {
		s->next = xfs_ino_make(sb, agno + 1, 0);
		return take_inodes(s, s->next, 0, s->next);
	}
	start = xfs_ino_make(sb, agno, 0) + k.start;
	s->next = start + XFS_CHUNK;
	return take_inodes(s, start, ~(k.free | xfs_chunk_hole_inodes(k.holes)), s->next);
}

/* -ENOENT: that was all. */
static int take(struct scan *s)
{
	struct xfs_mount *mp = s->sc->mp;
	u32 agno = xfs_ino_ag(&mp->fs.vol.sb, s->next);
	struct xfs_iop op;
	struct xfs_tx *tx;
	int e;

	s->nr = 0;
	if (agno >= smp_load_acquire(&mp->fs.vol.sb.agcount))
		return -ENOENT;
	if (fatal_signal_pending(current))
		return -EINTR;
	e = xfs_begin_look(mp, &tx);
	if (e)
		return e;
	e = xfs_iop_open(&op, tx, agno, 0);
	if (!e) {
		e = take_chunk(s, &op);
		xfs_iop_close(&op);
	}
	xfs_trans_cancel(tx);
	cond_resched();
	return e;
}

/* FN of all inodes in use, or free by now. */
static int each(struct scan *s, int (*fn)(struct scan *s, struct xfs_lino *li))
{
	int e;

	s->next = 0;
	do {
		e = take(s);
		for (u32 i = 0; i < s->nr; i++) {
			if (!e && fatal_signal_pending(current))
				e = -EINTR;
			e = e ?: fn(s, s->li[i]);
			xfs_lino_put(s->li[i]);
			cond_resched();
		}
	} while (!e);
	return e == -ENOENT ? 0 : e;
}

/* ---- what directories say ---- */

static bool is(const struct xfs_dirent *d, const char *name)
{
	return d->len == strlen(name) && !memcmp(d->name, name, d->len);
}

static int count_entry(struct scan *s, const struct xfs_dirent *d)
{
	const struct xfs_sb *sb = &s->sc->mp->fs.vol.sb;
	int e;

	if (!xfs_ino_ok(sb, d->ino) || (is(d, ".") && d->ino != s->dir))
		return -ECANCELED;
	if (is(d, "."))
		return 0;
	if (is(d, "..") && s->dir == sb->rootino)
		return count(s, d->ino, 1, 0, 0);
	if (is(d, ".."))
		return sb->incompat & XFS_IN_PARENT ? 0 : count(s, d->ino, 0, 1, 0);
	e = count(s, d->ino, 1, 0, 0);
	return e || d->ftype != 2 ? e : count(s, s->dir, 0, 0, 1);
}

static bool emit(void *ctx, const struct xfs_dirent *d)
{
	struct scan *s = ctx;

	if (!s->all && s->seen == AT_ONCE)
		return false;
	s->error = count_entry(s, d);
	if (s->error)
		return false;
	s->seen++;
	s->cookie = d->cookie + 1;
	return true;
}

static bool count_pointer(void *ctx, const struct xfs_attr *a)
{
	struct scan *s = ctx;
	struct xfs_parent p;

	if (!(a->flags & XFS_ATTR_PARENT))
		return true;
	s->error = -XFS_CORRUPT;
	if (xfs_parent_of(a, &p) && xfs_ino_ok(&s->sc->mp->fs.vol.sb, p.ino))
		s->error = count(s, p.ino, 0, 1, 0);
	return !s->error;
}

/* Pointers to parents say better than ".." what a directory is below. */
static int count_pointers(struct scan *s, struct xfs_lino *li)
{
	int e;

	if (!(s->sc->mp->fs.vol.sb.incompat & XFS_IN_PARENT))
		return 0;
	s->error = 0;
	e = xfs_errno(xfs_attr_walk(s->sc->vol, &li->ip.node, count_pointer, s)) ?: s->error;
	/* What was counted cannot be taken back. */
	return e == -EDEADLK ? -EBUSY : e;
}

/* Some entries of LI, which is locked; 1: there are more. */
static int some_entries(struct scan *s, struct xfs_lino *li)
{
	const struct xfs_core *c = &li->ip.node.core;
	u32 cookie = s->cookie;
	bool first = !cookie;
	int e;

	if (!S_ISDIR(c->mode) || !c->nlink) {
		clear(s, s->dir, true);
		return 0;
	}
	s->seen = 0;
	s->error = 0;
	e = xfs_errno(xfs_dir_walk(s->sc->vol, &li->ip.node, &cookie, emit, s)) ?: s->error;
	if (first && s->seen >= 2) {
		int e2 = count_pointers(s, li);

		e = e && e != -EDEADLK ? e : e2 ?: e;
		clear(s, s->dir, false);
	}
	if (!e && !s->all && s->seen == AT_ONCE)
		return 1;
	if (!e)
		clear(s, s->dir, true);
	return e;
}

static int count_dir(struct scan *s, struct xfs_lino *li)
{
	u32 tries = 0;
	int e;

	s->cookie = 0;
	do {
		if (down_read_killable(&li->lock))
			return -EINTR;
		e = some_entries(s, li);
		up_read(&li->lock);
		/* What was counted cannot be taken back if names may change meanwhile. */
		if (e == -EDEADLK && !(s->all && s->cookie) && tries++ < TRIES)
			e = 1;
		cond_resched();
	} while (e == 1);
	return e;
}

/* The VFS's inode, for its lock; *OUT NULL: it does not have it. */
static int get_inode(struct scan *s, u64 ino, struct inode **out)
{
	int e;

	*out = ilookup(s->sc->mp->sb, ino);
	if (*out)
		return 0;
	*out = xfs_iget_outside(s->sc->mp, ino, NULL);
	if (!IS_ERR(*out)) {
		d_mark_dontcache(*out);
		return 0;
	}
	e = (int)PTR_ERR(*out);
	*out = NULL;
	return e == -ESTALE || e == -XFS_CORRUPT ? 0 : e;
}

static int collect_names(struct scan *s, struct xfs_lino *li, struct inode *inode)
{
	int e;

	if (down_read_killable(&inode->i_rwsem))
		return -EINTR;
	e = count_dir(s, li);
	up_read(&inode->i_rwsem);
	return e;
}

static int collect_dir(struct scan *s, struct xfs_lino *li)
{
	struct inode *inode;
	int e = get_inode(s, s->dir, &inode);

	if (e)
		return e;
	s->all = !inode;
	e = inode ? collect_names(s, li, inode) : count_dir(s, li);
	if (inode)
		iput(inode);
	return e;
}

static int collect_one(struct scan *s, struct xfs_lino *li)
{
	bool dir;
	int e;

	s->dir = li->ip.node.core.ino;
	if (down_read_killable(&li->lock))
		return -EINTR;
	dir = S_ISDIR(li->ip.node.core.mode);
	if (!dir)
		clear(s, s->dir, true);
	up_read(&li->lock);
	e = dir ? collect_dir(s, li) : 0;
	if (e) {
		abort_scan(s);
		incomplete(s);
	}
	return e == -ECANCELED ? 0 : e;
}

static int collect(struct scan *s)
{
	const struct xfs_sb *sb = &s->sc->mp->fs.vol.sb;
	u64 own[] = { sb->rbmino, sb->rsumino, sb->uquotino, sb->gquotino, sb->pquotino };
	int e = 0;

	for (u32 i = 0; !e && i < sizeof(own) / sizeof(own[0]); i++)
		if (xfs_ino_ok(sb, own[i]))
			e = count(s, own[i], 1, 0, 0);
	e = e ?: each(s, collect_one);
	if (e)
		incomplete(s);
	return e;
}

/* ---- and what inodes do ---- */

static bool count_ok(const struct scan *s, const struct xfs_core *c, const struct xfs_link_count *n)
{
	const struct xfs_sb *sb = &s->sc->mp->fs.vol.sb;
	bool linked_dir = S_ISDIR(c->mode) && c->nlink;
	u64 total = (u64)n->parents + n->children + linked_dir;

	if (total > 0x7fffffff || total != c->nlink)
		return false;
	if (linked_dir && n->children != n->back)
		xfs_scrub_differs(s->sc);
	if (!linked_dir && (n->back || n->children))
		return false;
	return c->ino == sb->rootino ? n->parents == 1 : !c->nlink || n->parents;
}

static int compare_one(struct scan *s, struct xfs_lino *li)
{
	const struct xfs_core *c = &li->ip.node.core;
	struct xfs_link_count n = { 0 };
	bool aborted;

	if (xfs_scrub_is_bad(s->sc))
		return -ENOENT;
	if (down_read_killable(&li->lock))
		return -EINTR;
	spin_lock(lock_of(s));
	aborted = s->aborted;
	if (c->mode)
		n = xfs_links_take(&s->links, c->ino);
	spin_unlock(lock_of(s));
	if (aborted)
		incomplete(s);
	else if (c->mode && !count_ok(s, c, &n))
		xfs_scrub_bad(s->sc);
	up_read(&li->lock);
	return aborted || xfs_scrub_is_bad(s->sc) ? -ENOENT : 0;
}

/* An inode that entries lead to, and that was not met: it is new, or there is none. */
static int compare_rest(struct scan *s, u64 ino)
{
	struct xfs_scrub *sc = s->sc;
	struct xfs_lino *li = NULL;
	struct xfs_link_count n;
	int e = xfs_scrub_lock_agi(sc, xfs_ino_ag(&sc->mp->fs.vol.sb, ino));

	e = e ?: xfs_errno(xfs_ino_in_use(sc->vol, ino));
	if (!e) {
		li = xfs_lino_get_free(sc->mp, ino);
		e = IS_ERR(li) ? (int)PTR_ERR(li) : 0;
	} else if (e == -ESTALE) {
		/* While the AGI is locked nobody makes it. */
		spin_lock(lock_of(s));
		n = xfs_links_take(&s->links, ino);
		spin_unlock(lock_of(s));
		if (n.parents || n.children)
			xfs_scrub_bad(sc);
	}
	xfs_scrub_unlock_ag(sc);
	if (e)
		return e == -ESTALE ? 0 : e;
	e = compare_one(s, li);
	xfs_lino_put(li);
	return e;
}

static int compare(struct scan *s)
{
	u64 ino = 0;
	int e, found;

	spin_lock(lock_of(s));
	s->counted = true;
	s->start = s->end = U64_MAX;
	spin_unlock(lock_of(s));
	e = each(s, compare_one);
	while (!e && !xfs_scrub_is_bad(s->sc)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		spin_lock(lock_of(s));
		found = s->aborted ? -ENOENT : xfs_links_next(&s->links, &ino);
		spin_unlock(lock_of(s));
		if (found < 0)
			break;
		if (found)
			e = compare_rest(s, ino++);
		cond_resched();
	}
	return e == -ENOENT ? 0 : e;
}

static int run(struct scan *s)
{
	int e = collect(s);

	if (!e && !(s->sc->req->flags & XFS_SCRUB_INCOMPLETE)) {
		if (is_aborted(s))
			incomplete(s);
		else
			e = compare(s);
	}
	if (is_aborted(s))
		incomplete(s);
	if (e != -XFS_CORRUPT)
		return e == -EDEADLK ? -EBUSY : e;
	/* Something else is damaged. */
	s->sc->req->flags |= XFS_SCRUB_XFAIL;
	return 0;
}

int xfs_scrub_nlinks(struct xfs_scrub *sc)
{
	struct scan *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	int e = s ? xfs_scrub_make_volume(sc) : -ENOMEM;

	if (!e) {
		s->sc = sc;
		s->watch.fn = changed;
		xfs_name_watch(sc->mp, &s->watch);
		e = run(s);
		xfs_name_unwatch(sc->mp, &s->watch);
		xfs_links_free(&s->links);
	}
	kfree(s);
	return e;
}
