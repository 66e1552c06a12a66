// SPDX-License-Identifier: MIT
/*
 * Which groups a device is in, and from which sources: see group.h. What a change means for the
 * link is worked out here, and told by report.c.
 */
#include <lib/minmax.h>
#include <lib/siphash.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include <abi/errno.h>
#include "net/group/group.h"

static struct siphash_key hash_key __ro_after_init;

static u32 hash_of(const struct ip6_addr *a)
{
	u64 w[2];

	memcpy(w, a, sizeof(w));
	return (u32)siphash_13(&hash_key, w, 2);
}

static int hash_init(void)
{
	get_random_bytes(&hash_key, sizeof(hash_key));
	return 0;
}
INITCALL(sched, hash_init);

/* ---- life ---- */

void mc_group_get(struct mc_group *g)
{
	refcount_inc(&g->refs);
}

void mc_group_put(struct mc_group *g)
{
	if (refcount_dec_and_test(&g->refs)) {
		WARN_ON(g->nr_sources);
		kfree_rcu(g, rcu);
	}
}

static struct mc_group *group_alloc(struct mc_device *m, const struct ip6_addr *addr)
{
	struct mc_group *g = kzalloc(sizeof(*g), GFP_KERNEL_ACCOUNT);

	if (!g)
		return NULL;
	refcount_set(&g->refs, 1);
	g->dev = m;
	g->addr = *addr;
	g->sources = RB_ROOT;
	INIT_LIST_HEAD(&g->changed);
	wheel_init_timer(&g->answer, mc_group_answer_run);
	return g;
}

static atomic64_t device_ids;

int mc_device_init(struct mc_device *m, struct netdev *d, const struct mc_family *f)
{
	m->dev = d;
	m->id = (u64)atomic64_inc_return(&device_ids);
	m->family = f;
	INIT_LIST_HEAD(&m->groups);
	INIT_LIST_HEAD(&m->changed);
	spin_lock_init(&m->lock);
	wheel_init_timer(&m->changes, mc_changes_run);
	wheel_init_timer(&m->answer, mc_answer_run);
	m->interval_s = MC_INTERVAL_S;
	return ghash_init(&m->hash, 2);
}

void mc_device_free(struct mc_device *m)
{
	ghash_destroy(&m->hash);
}

/* ---- look-up ---- */

struct mc_group *mc_find_locked(struct mc_device *m, const struct ip6_addr *addr)
{
	u32 hash = hash_of(addr);
	struct mc_group *g, *found = NULL;
	unsigned long *b = ghash_lock(&m->hash, hash);

	ghash_for_each(g, b, hash, node)
		if (ip6_equal(&g->addr, addr)) {
			found = g;
			break;
		}
	ghash_unlock(b);
	return found;
}

struct mc_source *mc_source_find(const struct mc_group *g, const struct ip6_addr *addr)
{
	struct rb_node *n = g->sources.node;

	while (n) {
		struct mc_source *s = rb_entry(n, struct mc_source, node);
		int c = memcmp(addr, &s->addr, sizeof(*addr));

		if (!c)
			return s;
		n = c < 0 ? n->left : n->right;
	}
	return NULL;
}

/* Sources that no member lists are taken where nothing is excluded, and not where all is. */
static bool takes(struct mc_group *g, const struct ip6_addr *src)
{
	const struct mc_source *s;
	bool yes;

	if (!READ_ONCE(g->nr_sources) && READ_ONCE(g->excludes))
		return true;
	spin_lock(&g->dev->lock);
	s = mc_source_find(g, src);
	yes = s ? s->accepted : g->excludes;
	spin_unlock(&g->dev->lock);
	return yes;
}

bool mc_wants(const struct mc_device *m, const struct ip6_addr *group, const struct ip6_addr *src)
{
	u32 hash = hash_of(group);
	struct mc_group *g;

	ghash_for_each_rcu(g, &m->hash, hash, node)
		if (ip6_equal(&g->addr, group))
			return READ_ONCE(g->users) && (!src || takes(g, src));
	return false;
}

/* ---- filters ---- */

static bool accepts(const struct mc_group *g, const struct mc_source *s)
{
	if (g->modes[MC_EXCLUDE])
		return s->users[MC_EXCLUDE] != g->modes[MC_EXCLUDE] || s->users[MC_INCLUDE];
	return s->users[MC_INCLUDE];
}

bool mc_is_listed(const struct mc_group *g, const struct mc_source *s)
{
	return g->excludes != s->accepted && (s->users[0] || s->users[1]);
}

u8 mc_qrv(const struct mc_device *m)
{
	return m->heard_qrv ?: (u8)clamp(m->family->qrv(m), 1u, 7u);
}

/* The device's filter follows from the members'. True: there is something to tell. */
static bool refilter(struct mc_group *g)
{
	bool excludes = g->modes[MC_EXCLUDE], turned = excludes != g->excludes, changed = turned;
	u8 qrv = mc_qrv(g->dev);
	struct rb_node *n;

	WRITE_ONCE(g->excludes, excludes);
	if (turned)
		g->changes_left = qrv;
	for (n = rb_first(&g->sources); n; n = rb_next(n)) {
		struct mc_source *s = rb_entry(n, struct mc_source, node);
		bool was = s->accepted;

		s->accepted = accepts(g, s);
		if (turned) {
			s->changes_left = 0;	/* the report of the mode has all sources */
		} else if (was != s->accepted) {
			s->changes_left = qrv;
			changed = true;
		}
	}
	return changed;
}

void mc_settle(struct mc_group *g)
{
	struct mc_device *m = g->dev;
	struct rb_node *n, *next;

	for (n = rb_first(&g->sources); n; n = next) {
		struct mc_source *s = rb_entry(n, struct mc_source, node);

		next = rb_next(n);
		if (s->users[0] || s->users[1] || s->changes_left)
			continue;
		rb_erase(n, &g->sources);
		WRITE_ONCE(g->nr_sources, g->nr_sources - 1);
		kfree(s);
	}
	if (g->users || g->gone || g->changes_left || g->nr_sources)
		return;
	g->gone = true;
	ghash_del(&m->hash, &g->node);
	mc_group_put(g);
}

/* ---- membership ---- */

/* What a change may need, allocated before the lock is taken. */
struct spare {
	struct mc_group *group;
	struct mc_source **sources;
	u32 nr;
};

static void spare_free(struct spare *s)
{
	while (s->nr)
		kfree(s->sources[--s->nr]);
	kfree(s->sources);
	if (s->group)
		mc_group_put(s->group);
}

static int spare_make(struct spare *s, struct mc_device *m, const struct ip6_addr *addr,
		      const struct mc_filter *to)
{
	u32 want = to ? to->nr : 0;

	memset(s, 0, sizeof(*s));
	if (want > MC_SOURCES_MOST)
		return -ENOBUFS;
	s->group = group_alloc(m, addr);
	if (want)
		s->sources = kcalloc(want, sizeof(*s->sources), GFP_KERNEL_ACCOUNT);
	while (s->sources && s->nr < want) {
		s->sources[s->nr] = kzalloc(sizeof(**s->sources), GFP_KERNEL_ACCOUNT);
		if (!s->sources[s->nr])
			break;
		s->nr++;
	}
	if (s->group && s->nr == want)
		return 0;
	spare_free(s);
	return -ENOMEM;
}

static void add_source(struct mc_group *g, const struct ip6_addr *addr, struct spare *spare)
{
	struct rb_node **link = &g->sources.node, *parent = NULL;
	struct mc_source *s = spare->sources[--spare->nr];

	while (*link) {
		parent = *link;
		link = memcmp(addr, &rb_entry(parent, struct mc_source, node)->addr,
			      sizeof(*addr)) < 0 ?
			       &parent->left :
			       &parent->right;
	}
	s->addr = *addr;
	s->accepted = g->excludes;
	rb_link_node(&s->node, parent, link);
	rb_insert_color(&s->node, &g->sources);
	WRITE_ONCE(g->nr_sources, g->nr_sources + 1);
}

/* A member counts once at a source, however often its filter lists that. */
static void count(struct mc_group *g, const struct mc_filter *f, int by)
{
	g->modes[f->mode] += (u32)by;
	for (u32 i = 0; i < f->nr; i++)
		mc_source_find(g, &f->sources[i])->counted = false;
	for (u32 i = 0; i < f->nr; i++) {
		struct mc_source *s = mc_source_find(g, &f->sources[i]);

		if (!s->counted)
			s->users[f->mode] += (u32)by;
		s->counted = true;
	}
}

/* 0: G's members are others now, -ENOBUFS: too many sources. */
static int apply(struct mc_group *g, const struct mc_filter *from, const struct mc_filter *to,
		 struct spare *spare)
{
	u32 had = g->users;

	if (to && g->nr_sources + to->nr > MC_SOURCES_MOST)
		return -ENOBUFS;
	for (u32 i = 0; to && i < to->nr; i++)
		if (!mc_source_find(g, &to->sources[i]))
			add_source(g, &to->sources[i], spare);
	if (to)
		count(g, to, 1);
	if (from)
		count(g, from, -1);
	WRITE_ONCE(g->users, had + !!to - !!from);
	if (refilter(g) || !had || !g->users)
		mc_tell(g, !had && g->users, had && !g->users);
	else
		mc_settle(g);
	return 0;
}

/* rtnl. The group of ADDR, if it has members; NULL. */
static struct mc_group *joined(struct mc_device *m, const struct ip6_addr *addr)
{
	struct mc_group *g;

	rtnl_assert();
	spin_lock(&m->lock);
	g = mc_find_locked(m, addr);
	if (g && !g->users)
		g = NULL;	/* a timer may free it */
	spin_unlock(&m->lock);
	return g;
}

static void (*listener)(const struct mc_group *g, bool joined);

void mc_set_listener(void (*fn)(const struct mc_group *g, bool joined))
{
	listener = fn;
}

/* The group's first member came, or its last went: lists follow, and listeners hear of it. */
static void list_follows(struct mc_device *m, struct mc_group *g, bool joined)
{
	if (joined) {
		g->joined_ns = ktime_get_ns();
		list_add_rcu(&g->list, &m->groups);
		m->nr++;
	} else {
		list_del_rcu(&g->list);
		m->nr--;
	}
	if (listener)
		listener(g, joined);
}

static void link_leave(struct mc_device *m, const struct ip6_addr *addr)
{
	u8 mac[NETDEV_ADDR] = {};

	m->family->link_address(mac, addr);
	netdev_mc_del(m->dev, mac);
}

static int link_join(struct mc_device *m, const struct ip6_addr *addr)
{
	u8 mac[NETDEV_ADDR] = {};

	m->family->link_address(mac, addr);
	return netdev_mc_add(m->dev, mac);
}

/* Under the lock: the group of ADDR, SPARE's if there is none. */
static struct mc_group *find_or_add(struct mc_device *m, const struct ip6_addr *addr,
				    struct spare *spare)
{
	struct mc_group *g = mc_find_locked(m, addr);
	u32 hash = hash_of(addr);
	unsigned long *b;

	if (g)
		return g;
	g = spare->group;
	spare->group = NULL;
	b = ghash_lock(&m->hash, hash);
	ghash_add(&m->hash, b, &g->node, hash);
	ghash_unlock(b);
	return g;
}

static int change(struct mc_device *m, const struct ip6_addr *addr, const struct mc_filter *from,
		  const struct mc_filter *to, struct spare *spare)
{
	struct mc_group *g;
	bool had, has;
	int err;

	spin_lock(&m->lock);
	g = find_or_add(m, addr, spare);
	had = g->users;
	mc_group_get(g);
	err = apply(g, from, to, spare);
	has = g->users;
	if (err)
		mc_settle(g);
	spin_unlock(&m->lock);
	if (had != has)
		list_follows(m, g, has);
	if (!has)
		link_leave(m, addr);
	mc_group_put(g);
	return err;
}

int mc_change(struct mc_device *m, const struct ip6_addr *addr, const struct mc_filter *from,
	      const struct mc_filter *to)
{
	bool is_new = !joined(m, addr);
	struct spare spare = {};
	int err = 0;

	if (WARN_ON(is_new && from))
		return 0;
	if (to)
		err = spare_make(&spare, m, addr, to);
	if (!err && is_new)
		err = link_join(m, addr);
	if (!err) {
		ghash_reserve(&m->hash);
		err = change(m, addr, from, to, &spare);
	}
	spare_free(&spare);
	return err;
}

static const struct mc_filter all_sources = { .mode = MC_EXCLUDE };

int mc_join(struct mc_device *m, const struct ip6_addr *group)
{
	int err = mc_change(m, group, NULL, &all_sources);

	if (!err)
		joined(m, group)->own++;
	return err;
}

void mc_leave(struct mc_device *m, const struct ip6_addr *group)
{
	struct mc_group *g = joined(m, group);

	if (!g || !g->own)
		return;
	g->own--;
	mc_change(m, group, &all_sources, NULL);
}

/* ---- the device's life ---- */

/* All of G's filter is new to the link. */
static void tell_all(struct mc_group *g)
{
	u8 qrv = mc_qrv(g->dev);
	struct rb_node *n;

	if (g->excludes)
		g->changes_left = qrv;
	else
		for (n = rb_first(&g->sources); n; n = rb_next(n))
			rb_entry(n, struct mc_source, node)->changes_left =
				rb_entry(n, struct mc_source, node)->accepted ? qrv : 0;
	mc_tell(g, true, false);
}

void mc_device_up(struct mc_device *m)
{
	struct mc_group *g;

	rtnl_assert();
	spin_lock(&m->lock);
	m->up = true;
	spin_unlock(&m->lock);
	list_for_each_entry(g, &m->groups, list) {
		spin_lock(&m->lock);
		tell_all(g);
		spin_unlock(&m->lock);
	}
}

/* lock. What G had to tell is not told. */
static void forget(struct mc_group *g)
{
	struct rb_node *n;

	g->changes_left = g->unsolicited_left = 0;
	g->reporter = false;
	for (n = rb_first(&g->sources); n; n = rb_next(n))
		rb_entry(n, struct mc_source, node)->changes_left = 0;
	if (wheel_cancel(&g->answer))
		mc_group_put(g);
	mc_settle(g);
}

void mc_device_down(struct mc_device *m)
{
	struct mc_group *g;

	rtnl_assert();
	spin_lock(&m->lock);
	m->up = m->general = m->old_general = false;
	m->heard_ns[0] = m->heard_ns[1] = 0;
	m->heard_qrv = 0;
	spin_unlock(&m->lock);
	wheel_cancel_sync(&m->changes);
	wheel_cancel_sync(&m->answer);
	/* Without `up`, and but for the timers, the list does not grow. */
	while ((g = list_first_entry_or_null(&m->changed, struct mc_group, changed))) {
		spin_lock(&m->lock);
		list_del_init(&g->changed);
		forget(g);
		spin_unlock(&m->lock);
		mc_group_put(g);
	}
	list_for_each_entry(g, &m->groups, list) {
		spin_lock(&m->lock);
		forget(g);
		spin_unlock(&m->lock);
	}
}

/* lock. G loses all members, and goes. */
static void abandon(struct mc_group *g)
{
	struct rb_node *n;

	WRITE_ONCE(g->users, 0);
	for (n = rb_first(&g->sources); n; n = rb_next(n))
		memset(rb_entry(n, struct mc_source, node)->users, 0, sizeof(u32[2]));
	mc_settle(g);
}

void mc_device_end(struct mc_device *m)
{
	struct mc_group *g, *next;

	mc_device_down(m);
	list_for_each_entry_safe(g, next, &m->groups, list) {
		list_del_rcu(&g->list);
		link_leave(m, &g->addr);
		spin_lock(&m->lock);
		abandon(g);
		spin_unlock(&m->lock);
	}
	m->nr = 0;
}

void mc_each_source(struct mc_group *g,
		    void (*fn)(const struct mc_group *g, const struct mc_source *s, void *arg),
		    void *arg)
{
	struct rb_node *n;

	rtnl_assert();
	spin_lock(&g->dev->lock);
	for (n = rb_first(&g->sources); n; n = rb_next(n))
		if (rb_entry(n, struct mc_source, node)->users[0] ||
		    rb_entry(n, struct mc_source, node)->users[1])
			fn(g, rb_entry(n, struct mc_source, node), arg);
	spin_unlock(&g->dev->lock);
}
