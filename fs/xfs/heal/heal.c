// SPDX-License-Identifier: MIT
/* On and off: options, the root's attribute, the thread's life (heal.h). */
#include "fs/xfs/attr/attr.h"
#include "fs/xfs/heal/priv.h"
#include "fs/xfs/trans/trans.h"
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <lib/string.h>
#include <sched/kthread.h>
#include <sched/task.h>

/* Of the lines in the log, far more than a second of repairs has. */
#define LINES_A_SECOND 1000

#define REPAIR "repair"

/* ---- what is queued from now on ---- */

/* All marks, with no failure counted. */
static void again(struct xfs_mount *mp)
{
	struct xfs_health *health = &mp->health;
	struct xfs_ag_marks ag;
	u64 ino = 0;

	xfs_todo_again_fs(health);
	for (u32 agno = 0; xfs_ag_marks(mp, agno, &ag); agno++) {
		xfs_todo_again_ag(health, &ag);
		cond_resched();
	}
	for (; xfs_todo_again_ino(health, &ino); ino++)
		cond_resched();
}

static void say_what_lacks(struct xfs_heal *h)
{
	lockdep_assert_held(&h->control);
	if (h->told_rmap || h->mp->fs.vol.sb.ro_compat & XFS_RO_RMAPBT)
		return;
	h->told_rmap = true;
	pr_warn("XFS (%s): heal: it has no reverse map: only counters and copies of the superblock can be repaired\n",
		h->mp->sb->s_id);
}

/* The thread is there where it is needed; it stays when it is not. */
static void start_locked(struct xfs_heal *h)
{
	struct task *t;

	lockdep_assert_held(&h->control);
	if (h->thread)
		return;
	t = kthread_run(xfs_heal_thread, h, "xfs-heal/%s", h->mp->sb->s_id);
	if (!IS_ERR(t))
		h->thread = t;
	else
		pr_warn("XFS (%s): heal: no memory for its thread\n", h->mp->sb->s_id);
}

static void switch_to(struct xfs_heal *h, bool on)
{
	lockdep_assert_held(&h->control);
	WRITE_ONCE(h->on, on);
	xfs_todo_heal(&h->mp->health, on);
}

/* FORGET: failures, also where nothing else changes. */
static void update_locked(struct xfs_heal *h, bool forget)
{
	bool on = !h->ro && !h->paused && h->mp->live &&
		  (h->option == XFS_HEAL_YES || (h->option == XFS_HEAL_BY_ATTR && h->attr));

	lockdep_assert_held(&h->control);
	if (on == h->on && !(on && forget))
		return;
	switch_to(h, on);
	if (!on)
		return;
	say_what_lacks(h);
	start_locked(h);
	again(h->mp);
	wake_up_all(&h->wait);
}

/* ---- the attribute ---- */

static bool says_repair(const void *value, size_t size)
{
	return value && size == strlen(REPAIR) && !memcmp(value, REPAIR, size);
}

static bool read_attr(struct xfs_mount *mp)
{
	struct inode *root = mp->sb->s_root->d_inode;
	char value[sizeof(REPAIR)];
	long n;

	xfs_read_lock(root);
	n = xfs_attr_get(&mp->fs.vol, xfs_node_of(root), (const u8 *)XFS_AUTOFSCK,
			 strlen(XFS_AUTOFSCK), XFS_ATTR_ROOT, (u8 *)value, sizeof(value));
	xfs_read_unlock(root);
	return n > 0 && says_repair(value, (size_t)n);
}

void xfs_heal_attr(struct xfs_mount *mp, const void *value, size_t size)
{
	struct xfs_heal *h = mp->heal;

	if (!h)
		return;
	mutex_lock(&h->control);
	h->attr = says_repair(value, size);
	update_locked(h, false);
	mutex_unlock(&h->control);
}

/* ---- life ---- */

int xfs_heal_begin(struct xfs_mount *mp, enum xfs_heal_option option, bool ro)
{
	struct xfs_heal *h = kzalloc(sizeof(*h), GFP_KERNEL_ACCOUNT);

	if (!h)
		return -ENOMEM;
	h->mp = mp;
	h->option = option;
	h->ro = ro;
	h->rl = (struct ratelimit){ .interval_ms = 1000, .burst = LINES_A_SECOND };
	mutex_init(&h->control);
	spin_lock_init(&h->lock);
	init_waitqueue_head(&h->wait);
	h->attr = read_attr(mp);
	smp_store_release(&mp->heal, h);	/* pairs with the acquire in xfs_heal_tell() */
	mutex_lock(&h->control);
	update_locked(h, false);
	mutex_unlock(&h->control);
	return 0;
}

void xfs_heal_pause(struct xfs_mount *mp)
{
	struct xfs_heal *h = mp->heal;
	struct task *t;

	if (!h)
		return;
	mutex_lock(&h->control);
	h->paused = true;
	if (h->on)
		switch_to(h, false);
	t = h->thread;
	h->thread = NULL;
	mutex_unlock(&h->control);
	/* Not with control: it may wait for one who sets the attribute, who waits for control. */
	if (t)
		kthread_stop(t);
}

void xfs_heal_go_on(struct xfs_mount *mp, enum xfs_heal_option option, bool ro)
{
	struct xfs_heal *h = mp->heal;

	if (!h)
		return;
	mutex_lock(&h->control);
	h->paused = false;
	h->option = option;
	h->ro = ro;
	update_locked(h, true);
	mutex_unlock(&h->control);
}

void xfs_heal_end(struct xfs_mount *mp)
{
	struct xfs_heal *h = mp->heal;

	if (!h)
		return;
	xfs_heal_pause(mp);
	/* Marks may still be set, and attributes of unlinked files go: of those nobody is told. */
	WRITE_ONCE(mp->heal, NULL);
	kfree_rcu(h, rcu);
}

enum xfs_heal_option xfs_heal_option_of(const struct xfs_mount *mp)
{
	return mp->heal ? READ_ONCE(mp->heal->option) : XFS_HEAL_BY_ATTR;
}

void xfs_heal_tell(struct xfs_mount *mp, const struct xfs_mark_event *ev)
{
	struct xfs_heal *h;

	if (ev->what != XFS_MARK_SICK || !READ_ONCE(mp->health.healing))
		return;
	rcu_read_lock();
	h = smp_load_acquire(&mp->heal);	/* pairs with xfs_heal_begin() */
	if (h && xfs_todo_has(&mp->health, XFS_TODO_NEW))
		wake_up_all(&h->wait);
	rcu_read_unlock();
}
