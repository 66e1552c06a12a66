// SPDX-License-Identifier: MIT
/*
 * /sys/fs/xfs/DEV/health: a line for each object that is sick: its place, what of it, and since
 * when (seconds of real time). heal, heal_stats: of repairs by the kernel's own thread (heal/).
 *
 * Readers may come while the mount ends: the node's data is an object of its own, from which the
 * mount is taken under a lock before it goes.
 */
#include "fs/xfs/heal/heal.h"
#include "fs/xfs/super/super.h"
#include <alloc/slab.h>
#include <kernel/show.h>
#include <lib/format.h>
#include <sched/mutex.h>

struct xfs_show {
	struct mutex lock;
	struct xfs_mount *mp;	/* lock; NULL: it ends */
	struct show_node *dir;	/* c */
	refcount_t refs;	/* of its nodes, and of who makes them */
};

/* Text that grows; what does not fit is counted. */
struct text {
	char *buf;
	size_t size, used;
	u32 left_out;
};

static const char *const fs_names[] = { "counters", "user quota", "group quota", "project quota",
					NULL,	    NULL,	  "quotacheck",	 "link counts" };
static const char *const ag_names[] = { "superblock", "AGF",	    "AGFL",  "AGI",
					"bnobt",      "cntbt",	    "inobt", "finobt",
					"rmapbt",     "refcountbt", "inodes" };
static const char *const ino_names[] = { "core",	   "data extents", "attribute extents",
					 "staged extents", "directory",	   "attributes",
					 "symlink",	   "parents",	   "directory tree" };

/* Room that is kept for the last line. */
#define LAST 40u
#define LINE 200u

static void add_line(struct text *t, const char *place, u64 who, const struct xfs_marks *m,
		     const char *const *names, u32 nr)
{
	char line[LINE];
	size_t n;

	if (!m->sick)
		return;
	n = *place == 'f' ? (size_t)scnprintf(line, LINE, "%s:", place) :
			    (size_t)scnprintf(line, LINE, "%s %llu:", place, who);
	for (u32 i = 0, first = 1; i < nr; i++)
		if (m->sick >> i & 1 && names[i]) {
			n += (size_t)scnprintf(line + n, LINE - n, "%s %s", first ? "" : ",",
					       names[i]);
			first = 0;
		}
	n += (size_t)scnprintf(line + n, LINE - n, " since %lld\n", m->since);
	if (t->used + n + LAST > t->size) {
		t->left_out++;
		return;
	}
	memcpy(t->buf + t->used, line, n);
	t->used += n;
}

static void add_all(struct xfs_mount *mp, struct text *t)
{
	struct xfs_health *h = &mp->health;
	struct xfs_marks m = xfs_health_of(h, &h->fs);
	struct xfs_ag_marks ag;
	u64 ino = 0;
	u32 gen;

	add_line(t, "filesystem", 0, &m, fs_names, ARRAY_SIZE(fs_names));
	for (u32 agno = 0; xfs_ag_marks(mp, agno, &ag); agno++) {
		m = xfs_health_of(h, ag.marks);
		add_line(t, "AG", agno, &m, ag_names, ARRAY_SIZE(ag_names));
		cond_resched();
	}
	for (; xfs_health_next_ino(h, &ino, &gen, &m); ino++) {
		add_line(t, "inode", ino, &m, ino_names, ARRAY_SIZE(ino_names));
		cond_resched();
	}
}

static ssize_t show_health(struct show_node *n, char *buf, size_t size)
{
	struct xfs_show *s = n->data;
	struct text t = { .buf = buf, .size = size };

	mutex_lock(&s->lock);
	if (s->mp)
		add_all(s->mp, &t);
	mutex_unlock(&s->lock);
	if (t.left_out)
		t.used +=
			(size_t)scnprintf(buf + t.used, size - t.used, "and %u more\n", t.left_out);
	return (ssize_t)t.used;
}

static ssize_t show_heal(struct show_node *n, char *buf, size_t size)
{
	struct xfs_show *s = n->data;
	ssize_t len = 0;

	mutex_lock(&s->lock);
	if (s->mp)
		len = xfs_heal_show(s->mp, buf, size);
	mutex_unlock(&s->lock);
	return len;
}

static ssize_t show_heal_stats(struct show_node *n, char *buf, size_t size)
{
	struct xfs_show *s = n->data;
	ssize_t len = 0;

	mutex_lock(&s->lock);
	if (s->mp)
		len = xfs_heal_show_stats(s->mp, buf, size);
	mutex_unlock(&s->lock);
	return len;
}

static void put_show(void *p)
{
	struct xfs_show *s = p;

	if (refcount_dec_and_test(&s->refs))
		kfree(s);
}

static bool add_node(struct xfs_show *s, const char *name, show_fn show)
{
	refcount_inc(&s->refs);
	/* Without a node, or a directory, the reference goes at once. */
	return show_attr_pinned(s->dir, name, 0444, show, NULL, s, put_show);
}

void xfs_show_begin(struct xfs_mount *mp)
{
	struct xfs_show *shown = kzalloc(sizeof(*shown), GFP_KERNEL);
	struct show_node *all = show_path(SHOW_SYS, "fs/xfs"), *dir;

	if (!shown)
		return;
	mutex_init(&shown->lock);
	refcount_set(&shown->refs, 1);
	shown->mp = mp;
	/*
	 * No two mounts have one name: that of a device is free when its last user has closed it.
	 */
	shown->dir = dir = all ? show_dir(SHOW_SYS, all, mp->sb->s_id) : NULL;
	if (add_node(shown, "health", show_health) && add_node(shown, "heal", show_heal) &&
	    add_node(shown, "heal_stats", show_heal_stats)) {
		mp->show = shown;
		return;
	}
	if (dir)
		show_remove(dir);
	put_show(shown);
}

void xfs_show_end(struct xfs_mount *mp)
{
	struct xfs_show *s = mp->show;
	struct show_node *dir;

	if (!s)
		return;
	mp->show = NULL;
	dir = s->dir;
	mutex_lock(&s->lock);
	s->mp = NULL;
	mutex_unlock(&s->lock);
	show_remove(dir);
	put_show(s);
}
