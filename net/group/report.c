// SPDX-License-Identifier: MIT
/*
 * Reports: what changed (RFC 3376, 5.1; RFC 3810, 6.1), and answers to queries (5.2; 6.2). They are
 * gathered record by record under the device's lock, one group at a time, and sent without it. What
 * finds no memory is lost, as a packet may be: changes are repeated, queries as well.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <mm/iter.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include "net/group/group.h"

#define REPORT_MOST 1500u		/* bytes of a report, all headers */

enum mc_kind { IS_INCLUDE = 1, IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE, ALLOW, BLOCK };

/* ---- records ---- */

struct record_wire {
	u8 kind, aux;
	be16 sources;
} __packed;

struct report {
	struct mc_device *m;
	struct list_head full;		/* of struct pages' worth: struct body */
	struct body *now;		/* NULL: none is begun */
	u32 room;			/* bytes of records that a report takes */
};

struct body {
	struct list_head list;
	u16 nr;				/* records */
	u32 len, last;			/* bytes; where the last record begins */
	u8 bytes[];
};

static void report_begin(struct report *r, struct mc_device *m)
{
	r->m = m;
	r->now = NULL;
	INIT_LIST_HEAD(&r->full);
	r->room = clamp(READ_ONCE(m->dev->mtu), 128u, REPORT_MOST) - m->family->overhead;
}

static u32 address_size(const struct report *r)
{
	return r->m->family->six ? 16 : 4;
}

static void put_address(struct report *r, const struct ip6_addr *a)
{
	u32 n = address_size(r);

	memcpy(r->now->bytes + r->now->len, a->b + 16 - n, n);
	r->now->len += n;
}

static void report_close(struct report *r)
{
	if (r->now)
		list_add_tail(&r->now->list, &r->full);
	r->now = NULL;
}

/*
 * A record of KIND about G, with room for SOURCES or as many as a report takes. False: no memory.
 */
static bool record_begin(struct report *r, const struct mc_group *g, enum mc_kind kind, u32 sources)
{
	u32 least = (u32)sizeof(struct record_wire) + address_size(r),
	    want = min(least + sources * address_size(r), r->room);
	struct record_wire w = { .kind = (u8)kind };

	if (r->now && r->now->len + want > r->room)
		report_close(r);
	if (!r->now)
		r->now = kzalloc(sizeof(*r->now) + r->room, GFP_ATOMIC);
	if (!r->now)
		return false;
	r->now->nr++;
	r->now->last = r->now->len;
	memcpy(r->now->bytes + r->now->len, &w, sizeof(w));
	r->now->len += (u32)sizeof(w);
	put_address(r, &g->addr);
	return true;
}

/*
 * One source more. A list that excludes is cut where it does not fit: more comes than was asked for
 * (RFC 3376, 4.2.16); others go on in another record. False: no memory.
 */
static bool record_add(struct report *r, const struct mc_group *g, enum mc_kind kind,
		       const struct ip6_addr *source)
{
	struct record_wire w;

	if (r->now->len + address_size(r) > r->room) {
		if (kind == IS_EXCLUDE || kind == TO_EXCLUDE)
			return true;
		report_close(r);
		if (!record_begin(r, g, kind, 1))
			return false;
	}
	put_address(r, source);
	memcpy(&w, r->now->bytes + r->now->last, sizeof(w));
	w.sources = be16_make((u16)(be16_get(w.sources) + 1));
	memcpy(r->now->bytes + r->now->last, &w, sizeof(w));
	return true;
}

/* Those sources of G that WANT says yes to; with EMPTY a record also where there is none. */
static void record(struct report *r, struct mc_group *g, enum mc_kind kind, bool empty,
		   bool (*want)(const struct mc_group *g, const struct mc_source *s))
{
	struct rb_node *n;
	bool begun = false;
	u32 nr = 0;

	for (n = rb_first(&g->sources); n; n = rb_next(n))
		nr += want(g, rb_entry(n, struct mc_source, node));
	if (!nr && !empty)
		return;
	begun = record_begin(r, g, kind, nr);
	for (n = rb_first(&g->sources); n && begun; n = rb_next(n)) {
		struct mc_source *s = rb_entry(n, struct mc_source, node);

		if (want(g, s))
			begun = record_add(r, g, kind, &s->addr);
	}
}

/* Those that are full. No lock is held. */
static void report_send_full(struct report *r)
{
	struct body *b, *next;

	list_for_each_entry_safe(b, next, &r->full, list) {
		struct packet *p = packet_alloc(GFP_ATOMIC);
		struct kvec v = { b->bytes, b->len };
		struct iter it;

		iter_init_kvec(&it, ITER_SOURCE, &v, 1, b->len);
		if (p && packet_from_iter(p, &it, b->len, GFP_ATOMIC)) {
			packet_free(p, DROP_NOMEM);
			p = NULL;
		}
		rcu_read_lock();
		if (p)
			r->m->family->send(r->m, p, b->nr);
		rcu_read_unlock();
		kfree(b);
	}
	INIT_LIST_HEAD(&r->full);
}

static void report_send(struct report *r)
{
	report_close(r);
	report_send_full(r);
}

/* ---- what changed ---- */

static bool is_allowed_now(const struct mc_group *g, const struct mc_source *s)
{
	return s->changes_left && s->accepted;
}

static bool is_blocked_now(const struct mc_group *g, const struct mc_source *s)
{
	return s->changes_left && !s->accepted;
}

/* One report's worth of G's changes. True: there are more. */
static bool changes_of(struct report *r, struct mc_group *g)
{
	bool more = false;
	struct rb_node *n;

	if (g->changes_left) {
		record(r, g, g->excludes ? TO_EXCLUDE : TO_INCLUDE, true, mc_is_listed);
		g->changes_left--;
		more = g->changes_left;
		for (n = rb_first(&g->sources); n && !more; n = rb_next(n))
			more = rb_entry(n, struct mc_source, node)->changes_left;
		return more;
	}
	record(r, g, ALLOW, false, is_allowed_now);
	record(r, g, BLOCK, false, is_blocked_now);
	for (n = rb_first(&g->sources); n; n = rb_next(n)) {
		struct mc_source *s = rb_entry(n, struct mc_source, node);

		if (s->changes_left)
			s->changes_left--;
		more |= s->changes_left;
	}
	return more;
}

/* Of older versions there are no such reports: what is pending is over. */
static void forget_changes(struct mc_group *g)
{
	struct rb_node *n;

	g->changes_left = 0;
	for (n = rb_first(&g->sources); n; n = rb_next(n))
		rb_entry(n, struct mc_source, node)->changes_left = 0;
}

/* lock. G is on the list of those that have changes. */
static void changes_queue(struct mc_group *g)
{
	if (!list_empty(&g->changed))
		return;
	mc_group_get(g);
	list_add_tail(&g->changed, &g->dev->changed);
}

/* lock. Within MOST_NS, if the device does not do it earlier. */
static void changes_within(struct mc_device *m, u64 most_ns)
{
	u64 delay = most_ns ? get_random_u64() % most_ns : 0;

	if (!m->up || (wheel_is_armed(&m->changes) && wheel_left_ns(&m->changes) <= delay))
		return;
	wheel_arm(&m->changes, delay);
}

static void send_done(struct mc_device *m, const struct mc_group *g)
{
	rcu_read_lock();
	m->family->send_old(m, &g->addr, MC_DONE);
	rcu_read_unlock();
}

void mc_changes_run(struct wheel_timer *t)
{
	struct mc_device *m = container_of(t, struct mc_device, changes);
	struct list_head turn = LIST_HEAD_INIT(turn);
	enum mc_version v = mc_version(m);
	struct mc_group *g;
	struct report r;
	bool more, done;

	report_begin(&r, m);
	spin_lock(&m->lock);
	list_splice_tail_init(&m->changed, &turn);
	while (m->up && (g = list_first_entry_or_null(&turn, struct mc_group, changed))) {
		list_del_init(&g->changed);
		done = v == MC_V2 && !g->users && g->reporter;
		if (v != MC_V3)
			forget_changes(g);
		more = v == MC_V3 && changes_of(&r, g);
		if (more)
			changes_queue(g);
		else
			mc_settle(g);
		spin_unlock(&m->lock);
		if (done)
			send_done(m, g);
		mc_group_put(g);
		report_send_full(&r);
		spin_lock(&m->lock);
	}
	list_splice_tail_init(&turn, &m->changed);
	if (!list_empty(&m->changed))
		changes_within(m, m->family->unsolicited_ms(m, MC_V3) * NSEC_PER_MSEC);
	spin_unlock(&m->lock);
	report_send(&r);
}

void mc_tell(struct mc_group *g, bool joined, bool left)
{
	struct mc_device *m = g->dev;
	enum mc_version v = mc_version(m);

	if (left && wheel_cancel(&g->answer))
		refcount_dec(&g->refs);		/* the hash has one */
	if (!m->up || !m->family->is_reported(m, &g->addr)) {
		forget_changes(g);
		mc_settle(g);
	} else if (v == MC_V3) {
		changes_queue(g);
		changes_within(m, 0);
	} else if (joined) {
		forget_changes(g);
		g->unsolicited_left = mc_qrv(m);
		mc_answer_within(g, 0);
	} else if (left) {
		changes_queue(g);
		changes_within(m, 0);
	} else {
		forget_changes(g);
		mc_settle(g);
	}
}

/* ---- answers ---- */

void mc_answer_within(struct mc_group *g, u64 most_ns)
{
	u64 delay = most_ns ? get_random_u64() % most_ns : 0;

	if (!g->dev->up || g->gone ||
	    (wheel_is_armed(&g->answer) && wheel_left_ns(&g->answer) <= delay))
		return;
	mc_group_get(g);
	if (wheel_arm(&g->answer, delay))
		refcount_dec(&g->refs);		/* the timer had one */
}

static bool is_asked(const struct mc_group *g, const struct mc_source *s)
{
	return s->asked && s->accepted && (s->users[0] || s->users[1]);
}

/* G as it is; of those sources that were asked of, if it was. */
static void state_of(struct report *r, struct mc_group *g)
{
	if (g->excludes)
		record(r, g, IS_EXCLUDE, true, mc_is_listed);
	else
		record(r, g, IS_INCLUDE, false, g->asked_sources ? is_asked : mc_is_listed);
}

/* lock. G is reported by an older version, and again if it is new. */
static void old_answered(struct mc_group *g, enum mc_version v)
{
	struct mc_device *m = g->dev;

	g->reporter = true;
	if (g->unsolicited_left && --g->unsolicited_left)
		mc_answer_within(g, m->family->unsolicited_ms(m, v) * NSEC_PER_MSEC);
}

void mc_group_answer_run(struct wheel_timer *t)
{
	struct mc_group *g = container_of(t, struct mc_group, answer);
	struct mc_device *m = g->dev;
	enum mc_version v;
	struct report r;
	bool says;

	rcu_read_lock();	/* unless G is gone, its device stays for a grace period */
	if (READ_ONCE(g->gone)) {
		rcu_read_unlock();
		mc_group_put(g);
		return;
	}
	v = mc_version(m);
	report_begin(&r, m);
	spin_lock(&m->lock);
	says = m->up && g->users;
	if (says && v != MC_V3)
		old_answered(g, v);
	else if (says)
		state_of(&r, g);
	g->asked_sources = false;
	spin_unlock(&m->lock);
	if (says && v != MC_V3)
		m->family->send_old(m, &g->addr, v == MC_V1 ? MC_REPORT_V1 : MC_REPORT_V2);
	report_send(&r);
	rcu_read_unlock();
	mc_group_put(g);
}

/* lock. */
static void take_general(struct mc_device *m, bool *general, bool *old, u32 *delay_ms)
{
	*general = m->up && m->general;
	*old = m->up && m->old_general;
	*delay_ms = m->old_delay_ms;
	m->general = m->old_general = false;
}

void mc_answer_run(struct wheel_timer *t)
{
	struct mc_device *m = container_of(t, struct mc_device, answer);
	bool general, old;
	struct mc_group *g;
	struct report r;
	u32 delay_ms;

	spin_lock(&m->lock);
	take_general(m, &general, &old, &delay_ms);
	spin_unlock(&m->lock);
	if (!general && !old)
		return;
	report_begin(&r, m);
	rcu_read_lock();
	list_for_each_entry_rcu(g, &m->groups, list) {
		if (!m->family->is_reported(m, &g->addr))
			continue;
		spin_lock(&m->lock);
		if (g->users && old) {
			g->asked_sources = false;
			mc_answer_within(g, delay_ms * NSEC_PER_MSEC);
		} else if (g->users) {
			state_of(&r, g);
		}
		spin_unlock(&m->lock);
		report_send_full(&r);
	}
	rcu_read_unlock();
	report_send(&r);
}
