// SPDX-License-Identifier: MIT
/* The thread: waits, takes one object, tries its parts, says what came of it (heal.h). */
#include "fs/xfs/heal/policy.h"
#include "fs/xfs/heal/priv.h"
#include "fs/xfs/repair/repair.h"
#include <alloc/slab.h>
#include <kernel/time.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <sched/kthread.h>
#include <sched/sched.h>
#include <linux/sched.h>

#define LEAVE_TO_MONITOR (5 * HZ)

/* One try of one part. */
struct job {
	struct xfs_scrub_req req;
	struct xfs_heal *h;
	struct xfs_sick obj;
	struct xfs_ag_marks ag;		/* OBJ's; of the file system unused */
	u32 bit;
	const struct xfs_heal_kind *kind;
	bool found;			/* the check found damage */
	char path[XFS_HEAL_PATH];
};

/* ---- what is said ---- */

#define WHO 64u

static void name_object(const struct job *j, char *buf)
{
	const char *kind = j->kind->name;
	unsigned long long who = j->obj.who;

	switch (j->obj.domain) {
	case XFS_DOMAIN_AG:
		scnprintf(buf, WHO, "AG %llu %s", who, kind);
		break;
	case XFS_DOMAIN_INO:
		scnprintf(buf, WHO, "inode %llu %s", who, kind);
		break;
	default:
		scnprintf(buf, WHO, "%s", kind);
		break;
	}
}

/* HOW, object, path, END: one line. */
static void say(struct job *j, const char *how, const char *end)
{
	struct xfs_mount *mp = j->h->mp;
	const char *path = NULL;
	char who[WHO];

	if (!ratelimit_ok(&j->h->rl))
		return;
	name_object(j, who);
	if (j->obj.domain == XFS_DOMAIN_INO)
		path = xfs_heal_path(mp, j->obj.who, j->path);
	pr_notice("XFS (%s): %s: %s%s%s%s%s\n", mp->sb->s_id, how, who, path ? " (" : "",
		  path ?: "", path ? ")" : "", end);
}

static void count(struct xfs_heal *h, u64 *n)
{
	spin_lock(&h->lock);
	++*n;
	spin_unlock(&h->lock);
}

/* Once, until a check takes the mark away. */
static void say_found(struct job *j)
{
	struct xfs_heal *h = j->h;

	j->found = true;
	if (!xfs_todo_say(&h->mp->health, &j->ag, &j->obj, j->bit))
		return;
	count(h, &h->found);
	say(j, "found", "");
}

static void say_failed(struct job *j, int err, u32 tries)
{
	char end[24];

	say_found(j);
	scnprintf(end, sizeof(end), ": errno %d", err);
	say(j, "not repaired", end);
	if (tries < XFS_TODO_TRIES)
		return;
	count(j->h, &j->h->failed);
	if (err == EOPNOTSUPP) {
		say(j, "cannot be repaired yet", "");
		return;
	}
	scnprintf(end, sizeof(end), " after %u tries", tries);
	say(j, "given up", end);
}

static void say_repaired(struct job *j, u64 took_ns)
{
	char end[32];

	count(j->h, &j->h->repaired);
	scnprintf(end, sizeof(end), " (%llu ms)", (unsigned long long)took_ns / NSEC_PER_MSEC);
	say(j, "repaired", end);
}

/* ---- one part ---- */

/* What the check found is repaired. */
static int repair(struct xfs_scrub *sc)
{
	say_found(container_of(sc->req, struct job, req));
	return xfs_repair_one(sc);
}

static void set_work(struct xfs_heal *h, const struct xfs_sick *obj, u32 mask)
{
	spin_lock(&h->lock);
	h->work = *obj;
	h->work.mask = mask;
	spin_unlock(&h->lock);
}

static int run(struct job *j)
{
	const struct xfs_sick *o = &j->obj;

	if (j->kind->type == XFS_SCRUB_TYPES)
		return -EOPNOTSUPP;
	j->req = (struct xfs_scrub_req){ .type = j->kind->type, .flags = XFS_SCRUB_REPAIR };
	if (o->domain == XFS_DOMAIN_AG)
		j->req.agno = (u32)o->who;
	if (o->domain == XFS_DOMAIN_INO) {
		j->req.ino = o->who;
		j->req.gen = o->gen;
	}
	return xfs_scrub_own(j->h->mp, &j->req, repair);
}

static void try_part(struct job *j)
{
	struct xfs_health *health = &j->h->mp->health;
	u64 begin = ktime_get_ns();
	int err, e = run(j);

	switch (xfs_heal_judge(e, j->req.flags, &err)) {
	case XFS_HEAL_DONE:
		if (j->found)
			say_repaired(j, ktime_get_ns() - begin);
		/* A check that could not speak of the mark leaves it. */
		xfs_todo_tried(health, &j->ag, &j->obj, j->bit, XFS_TRIED_BUSY);
		break;
	case XFS_HEAL_BUSY:
		xfs_todo_tried(health, &j->ag, &j->obj, j->bit, XFS_TRIED_BUSY);
		break;
	case XFS_HEAL_FAILED:
		/* A shutdown on the way is told by whatever fails first. */
		if (!xfs_is_down(j->h->mp))
			say_failed(j, err,
				   xfs_todo_tried(health, &j->ag, &j->obj, j->bit,
						  XFS_TRIED_FAILED));
		break;
	case XFS_HEAL_NEVER:
		say_failed(j, err,
			   xfs_todo_tried(health, &j->ag, &j->obj, j->bit, XFS_TRIED_NEVER));
		break;
	case XFS_HEAL_GONE:
		break;
	}
}

/* ---- one object ---- */

static bool find_ag(struct job *j)
{
	struct xfs_mount *mp = j->h->mp;
	u32 agno = j->obj.domain == XFS_DOMAIN_INO ? xfs_ino_ag(&mp->fs.vol.sb, j->obj.who) :
						     (u32)j->obj.who;

	return j->obj.domain == XFS_DOMAIN_FS || xfs_ag_marks(mp, agno, &j->ag);
}

static void heal(struct xfs_heal *h, struct job *j, const struct xfs_sick *obj)
{
	*j = (struct job){ .h = h, .obj = *obj };
	if (!find_ag(j))
		return;
	for (u32 mask = obj->mask; mask && !kthread_should_stop(); mask &= mask - 1) {
		j->bit = (u32)__builtin_ctz(mask);
		j->kind = xfs_heal_kind(obj->domain, j->bit);
		j->found = false;
		/* It may have become whole together with another. */
		if (!xfs_todo_wants(&h->mp->health, &j->ag, obj, j->bit))
			continue;
		set_work(h, obj, 1u << j->bit);
		try_part(j);
		set_work(h, obj, 0);
		cond_resched();
	}
}

/* ---- waiting ---- */

static bool may_work(const struct xfs_heal *h)
{
	return READ_ONCE(h->on) && !xfs_is_down(h->mp);
}

static bool is_ready(const struct xfs_heal *h)
{
	const struct xfs_health *health = &h->mp->health;

	return kthread_should_stop() || (may_work(h) && (xfs_todo_has(health, XFS_TODO_NEW) ||
							 xfs_todo_has(health, XFS_TODO_RIPE)));
}

/* For work, an end, or the time of what is to be tried later. */
static void wait_for_work(struct xfs_heal *h)
{
	struct xfs_health *health = &h->mp->health;
	long left;

	if (!may_work(h) || !xfs_todo_has(health, XFS_TODO_LATER)) {
		h->is_due = false;
		(void)wait_event_interruptible(h->wait, is_ready(h));
		return;
	}
	if (!h->is_due) {
		h->is_due = true;
		h->due = jiffies + h->delay;
		h->delay = xfs_heal_longer(h->delay);
	}
	left = (long)(h->due - jiffies);
	if (left > 0)
		(void)wait_event_interruptible_timeout(h->wait, is_ready(h), left);
	if ((long)(jiffies - h->due) >= 0) {
		h->is_due = false;
		xfs_todo_move(health, XFS_TODO_LATER, XFS_TODO_RIPE);
	}
}

/* What a monitor's reader is told of is left to it for a while. */
static void ripen(struct xfs_heal *h)
{
	struct xfs_health *health = &h->mp->health;

	if (!xfs_todo_has(health, XFS_TODO_NEW))
		return;
	xfs_todo_move(health, XFS_TODO_NEW, XFS_TODO_RIPE);
	if (rcu_access_pointer(h->mp->monitor))
		(void)wait_event_interruptible_timeout(h->wait, kthread_should_stop(),
						       LEAVE_TO_MONITOR);
}

/* Repairs need the file system thawed: the freezer may wait for them, but not they for it. */
static void wait_thawed(struct xfs_heal *h)
{
	struct super_block *sb = h->mp->sb;

	(void)wait_event_interruptible(
		sb->s_freeze_wait, kthread_should_stop() || READ_ONCE(sb->s_frozen) == SB_UNFROZEN);
}

static void work_off(struct xfs_heal *h, struct job *j)
{
	struct xfs_health *health = &h->mp->health;
	struct xfs_sick obj;

	for (;;) {
		wait_thawed(h);
		if (kthread_should_stop() || !may_work(h) || !xfs_todo_take(health, &obj))
			break;
		heal(h, j, &obj);
	}
	if (!xfs_todo_has(health, XFS_TODO_LATER))
		h->delay = XFS_HEAL_DELAY_FIRST;
}

int xfs_heal_thread(void *data)
{
	static const struct sched_attr_k idle = { .policy = SCHED_IDLE };
	struct xfs_heal *h = data;
	struct job *j = kmalloc(sizeof(*j), GFP_KERNEL | __GFP_NOFAIL);

	(void)sched_set_attr(current, &idle);
	h->delay = XFS_HEAL_DELAY_FIRST;
	while (!kthread_should_stop()) {
		wait_for_work(h);
		ripen(h);
		work_off(h, j);
	}
	kfree(j);
	return 0;
}
