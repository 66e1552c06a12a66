// SPDX-License-Identifier: MIT
/*
 * Queries: which version their router speaks, and when they are answered (RFC 3376, 5.2 and 7;
 * RFC 3810, 6.2 and 8). Packets only arm timers.
 */
#include <lib/minmax.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include "net/group/group.h"

#define SOURCES_READ 366u		/* of a query: what one of 1500 bytes can hold */

enum mc_version mc_version(const struct mc_device *m)
{
	u32 forced = m->family->forced(m);
	u64 v1 = READ_ONCE(m->heard_ns[0]), v2 = READ_ONCE(m->heard_ns[1]), now;

	if (forced)
		return (enum mc_version)forced;
	if (likely(!v1 && !v2))
		return MC_V3;
	now = ktime_get_ns();
	return v1 > now ? MC_V1 : v2 > now ? MC_V2 : MC_V3;
}

/* A querier of an older version counts for so long (RFC 3376, 8.12). */
static void note_old(struct mc_device *m, enum mc_version v)
{
	u64 for_ms = (u64)mc_qrv(m) * m->interval_s * MSEC_PER_SEC + MC_RESPONSE_MS;

	WRITE_ONCE(m->heard_ns[v - MC_V1], ktime_get_ns() + for_ms * NSEC_PER_MSEC);
}

/* A group's answer is due: earlier than what is due already, and about all that is asked. */
static void ask(struct mc_group *g, bool of_sources, u32 delay_ms)
{
	g->asked_sources = wheel_is_armed(&g->answer) ? g->asked_sources && of_sources : of_sources;
	mc_answer_within(g, delay_ms * NSEC_PER_MSEC);
}

/* True: an answer is needed. Of a group that excludes, all its state is. */
static bool mark(struct mc_group *g, const struct mc_query *q, struct packet *p)
{
	u32 size = g->dev->family->six ? 16 : 4, nr = min_t(u32, q->nr_sources, SOURCES_READ);
	bool any = g->excludes;
	struct rb_node *n;

	if (!wheel_is_armed(&g->answer) || !g->asked_sources)
		for (n = rb_first(&g->sources); n; n = rb_next(n))
			rb_entry(n, struct mc_source, node)->asked = false;
	for (u32 i = 0; i < nr && !g->excludes; i++) {
		struct ip6_addr a = ip6_mapped(be32_make(0));
		struct mc_source *s;

		if (!packet_read(p, q->sources_at + i * size, a.b + 16 - size, size))
			break;
		s = mc_source_find(g, &a);
		if (s && s->accepted)
			any = s->asked = true;
	}
	return any;
}

static void group_asked(struct mc_device *m, const struct mc_query *q, struct packet *p)
{
	bool of_sources = q->nr_sources && q->version == MC_V3;
	struct mc_group *g = mc_find_locked(m, &q->group);

	if (!g || !g->users || !m->family->is_reported(m, &q->group))
		return;
	if (!of_sources || mark(g, q, p))
		ask(g, of_sources, q->max_delay_ms);
}

static void general_asked(struct mc_device *m, bool old, u32 delay_ms)
{
	u64 delay = old || !delay_ms ? 0 : get_random_u64() % (delay_ms * NSEC_PER_MSEC);

	if (old) {
		m->old_general = true;
		m->old_delay_ms = delay_ms;
	} else {
		m->general = true;
	}
	if (!wheel_is_armed(&m->answer) || wheel_left_ns(&m->answer) > delay)
		wheel_arm(&m->answer, delay);
}

void mc_query_heard(struct mc_device *m, const struct mc_query *q, struct packet *p)
{
	enum mc_version version;
	bool general;

	spin_lock(&m->lock);
	if (!m->up)
		goto out;
	if (q->version != MC_V3)
		note_old(m, (enum mc_version)q->version);
	version = mc_version(m);
	/* A router of version 1 knows no queries of groups (RFC 2236, 4). */
	general = q->is_general || version == MC_V1 || q->version == MC_V1;
	if (q->version == MC_V3 && version == MC_V3) {
		if (q->qrv)
			m->heard_qrv = min_t(u8, q->qrv, 7);
		if (q->interval_s)
			m->interval_s = q->interval_s;
		if (q->is_general && q->nr_sources)
			goto out;
	}
	if (general)
		general_asked(m, version != MC_V3,
			      version == MC_V1 ? MC_RESPONSE_MS : q->max_delay_ms);
	else
		group_asked(m, q, p);
out:
	spin_unlock(&m->lock);
}

void mc_report_heard(struct mc_device *m, const struct ip6_addr *group)
{
	struct mc_group *g;

	spin_lock(&m->lock);
	g = mc_find_locked(m, group);
	if (g && g->users && mc_version(m) != MC_V3) {
		g->reporter = false;
		g->unsolicited_left = 0;
		if (wheel_cancel(&g->answer))
			refcount_dec(&g->refs);		/* the hash has one */
	}
	spin_unlock(&m->lock);
}
