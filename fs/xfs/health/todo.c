// SPDX-License-Identifier: MIT
/* Queues of what is to be repaired (todo.h). */
#include "fs/xfs/health/todo.h"

#define GIVEN_UP 3u			/* of two bits */
_Static_assert(XFS_TODO_TRIES == GIVEN_UP, "two bits a part");

static u32 tries_of(const struct xfs_marks *m, u32 bit)
{
	return m->tries >> 2 * bit & GIVEN_UP;
}

static void set_tries(struct xfs_marks *m, u32 bit, u32 n)
{
	m->tries = (m->tries & ~(GIVEN_UP << 2 * bit)) | n << 2 * bit;
}

/* The parts that are to be tried. */
static u32 wanted(const struct xfs_marks *m)
{
	u32 given_up = m->tries & m->tries >> 1, mask = 0;

	for (u32 bit = 0; bit < 16; bit++)
		if (m->met >> bit & 1 && !(given_up >> 2 * bit & 1))
			mask |= 1u << bit;
	return mask;
}

static u32 row_of(enum xfs_domain domain)
{
	return domain == XFS_DOMAIN_AG ? 0 : domain == XFS_DOMAIN_INO ? 1 : 2;
}

void xfs_todo_init(struct xfs_health *h)
{
	for (u32 q = 0; q < XFS_TODOS; q++)
		for (u32 i = 0; i < XFS_TODO_DOMAINS; i++)
			INIT_LIST_HEAD(&h->todo[q][i]);
}

static bool is_queued(const struct xfs_marks *m)
{
	return m->todo.next && !list_empty(&m->todo);
}

static void unqueue(struct xfs_marks *m)
{
	if (is_queued(m))
		list_del_init(&m->todo);
}

static void queue_locked(struct xfs_health *h, struct xfs_marks *m, enum xfs_todo queue)
{
	lockdep_assert_held(&h->lock);
	unqueue(m);
	list_add_tail(&m->todo, &h->todo[queue][row_of((enum xfs_domain)m->domain)]);
}

/* ---- marks ---- */

void xfs_todo_met_locked(struct xfs_health *h, struct xfs_marks *m, const struct xfs_sick *obj)
{
	lockdep_assert_held(&h->lock);
	m->met |= obj->mask;
	m->domain = obj->domain;
	m->who = obj->who;
	if (h->healing)
		queue_locked(h, m, XFS_TODO_NEW);
}

void xfs_todo_healthy_locked(struct xfs_health *h, struct xfs_marks *m, u32 mask)
{
	lockdep_assert_held(&h->lock);
	m->met &= ~mask;
	m->said &= ~mask;
	for (u32 bit = 0; bit < 16; bit++)
		if (mask >> bit & 1)
			set_tries(m, bit, 0);
	if (!wanted(m))
		unqueue(m);
}

/* ---- on, off, and again ---- */

void xfs_todo_heal(struct xfs_health *h, bool healing)
{
	spin_lock(&h->lock);
	h->healing = healing;
	spin_unlock(&h->lock);
}

static void again_locked(struct xfs_health *h, struct xfs_marks *m)
{
	lockdep_assert_held(&h->lock);
	m->tries = 0;
	m->said = 0;
	if (m->met && h->healing)
		queue_locked(h, m, XFS_TODO_NEW);
}

void xfs_todo_again_fs(struct xfs_health *h)
{
	spin_lock(&h->lock);
	again_locked(h, &h->fs);
	spin_unlock(&h->lock);
}

void xfs_todo_again_ag(struct xfs_health *h, const struct xfs_ag_marks *ag)
{
	spin_lock(&h->lock);
	again_locked(h, ag->marks);
	spin_unlock(&h->lock);
}

bool xfs_todo_again_ino(struct xfs_health *h, u64 *ino)
{
	struct xfs_known *k;

	spin_lock(&h->lock);
	k = xfs_known_from_locked(h, *ino);
	if (k) {
		again_locked(h, &k->marks);
		*ino = k->ino;
	}
	spin_unlock(&h->lock);
	return k;
}

/* ---- the thread's ---- */

bool xfs_todo_has(const struct xfs_health *h, enum xfs_todo queue)
{
	for (u32 i = 0; i < XFS_TODO_DOMAINS; i++)
		if (!list_empty(&h->todo[queue][i]))
			return true;
	return false;
}

void xfs_todo_move(struct xfs_health *h, enum xfs_todo from, enum xfs_todo to)
{
	spin_lock(&h->lock);
	for (u32 i = 0; i < XFS_TODO_DOMAINS; i++)
		list_splice_tail_init(&h->todo[from][i], &h->todo[to][i]);
	spin_unlock(&h->lock);
}

bool xfs_todo_take(struct xfs_health *h, struct xfs_sick *obj)
{
	struct xfs_marks *m = NULL;

	spin_lock(&h->lock);
	for (u32 i = 0; !m && i < XFS_TODO_DOMAINS; i++)
		m = list_first_entry_or_null(&h->todo[XFS_TODO_RIPE][i], struct xfs_marks, todo);
	if (m) {
		unqueue(m);
		*obj = (struct xfs_sick){ (enum xfs_domain)m->domain, wanted(m), m->who, 0 };
		if (m->domain == XFS_DOMAIN_INO)
			obj->gen = container_of(m, struct xfs_known, marks)->gen;
	}
	spin_unlock(&h->lock);
	return m;
}

/* The marks of OBJ; NULL: it has none. */
static struct xfs_marks *marks_locked(struct xfs_health *h, const struct xfs_ag_marks *ag,
				      const struct xfs_sick *obj)
{
	struct xfs_known *k;

	lockdep_assert_held(&h->lock);
	switch (obj->domain) {
	case XFS_DOMAIN_FS:
		return &h->fs;
	case XFS_DOMAIN_AG:
		return ag->marks;
	case XFS_DOMAIN_INO:
		k = xfs_known_from_locked(h, obj->who);
		return k && k->ino == obj->who ? &k->marks : NULL;
	}
	return NULL;
}

bool xfs_todo_wants(struct xfs_health *h, const struct xfs_ag_marks *ag, const struct xfs_sick *obj,
		    u32 bit)
{
	const struct xfs_marks *m;
	bool is;

	spin_lock(&h->lock);
	m = marks_locked(h, ag, obj);
	is = m && wanted(m) >> bit & 1;
	spin_unlock(&h->lock);
	return is;
}

bool xfs_todo_say(struct xfs_health *h, const struct xfs_ag_marks *ag, const struct xfs_sick *obj,
		  u32 bit)
{
	struct xfs_marks *m;
	bool first = false;

	spin_lock(&h->lock);
	m = marks_locked(h, ag, obj);
	if (m && m->met >> bit & 1) {
		first = !(m->said >> bit & 1);
		m->said |= 1u << bit;
	}
	spin_unlock(&h->lock);
	return first;
}

/* Of part BIT. */
static u32 count(struct xfs_marks *m, u32 bit, enum xfs_tried how)
{
	u32 n = tries_of(m, bit);

	if (how == XFS_TRIED_BUSY)
		return 0;
	n = how == XFS_TRIED_NEVER || n == GIVEN_UP ? GIVEN_UP : n + 1;
	set_tries(m, bit, n);
	return n;
}

u32 xfs_todo_tried(struct xfs_health *h, const struct xfs_ag_marks *ag, const struct xfs_sick *obj,
		   u32 bit, enum xfs_tried how)
{
	struct xfs_marks *m;
	u32 n = 0;

	spin_lock(&h->lock);
	m = marks_locked(h, ag, obj);
	if (m && m->met >> bit & 1) {
		n = count(m, bit, how);
		if (wanted(m) >> bit & 1 && !is_queued(m) && h->healing)
			queue_locked(h, m, XFS_TODO_LATER);
	}
	spin_unlock(&h->lock);
	return n;
}
