// SPDX-License-Identifier: MIT
/*
 * The table of bound sockets: inet_priv.h.
 *
 * Sockets with the same local end (address, port, device, families) serve the same packets equally
 * well: a program may make any number of them by SO_REUSEPORT or SO_REUSEADDR. The second makes a
 * struct inet_group; one member stands in the bucket for all of them, and another takes its place
 * when it leaves. So a chain is as long as there are different ends, and a look-up takes a member
 * by its number. The number is chosen by a "jump consistent hash" (Lamping and Veach, 2014): when
 * the group becomes larger or smaller by its last member, no flow moves between the others; who
 * leaves from the middle is replaced by the last.
 *
 * Without memory for the group a socket stands in the bucket by itself, as one of other ends would.
 *
 * Locks: a bucket > a group's xa_lock.
 */
#include <lib/string.h>
#include <alloc/slab.h>
#include <alloc/xarray.h>
#include <kernel/bug.h>
#include "net/inet/inet_priv.h"

/* All by the lock of the bucket, and read under RCU. */
struct inet_group {
	struct rcu_head rcu;
	struct xarray members;		/* 0 to nr - 1 */
	struct list_head order;		/* the youngest first */
	u32 nr, nr_port;		/* nr_port: how many had SO_REUSEPORT */
};

static u32 bound_hash(const struct inet_table *t, be32 local, be16 port)
{
	const u64 w[1] = { (u64)local.v << 16 | port.v };

	return (u32)siphash_13(&t->key, w, 1);
}

static struct inet_group *group_of(const struct inet_sock *s)
{
	return rcu_dereference_protected(s->group, true);
}

static bool same_end(const struct inet_sock *a, const struct inet_sock *b)
{
	return a->e.local.v == b->e.local.v && a->e.local_port.v == b->e.local_port.v &&
	       a->e.net == b->e.net && a->e.bound_dev == b->e.bound_dev &&
	       a->e.family == b->e.family &&
	       (!inet_is_six(a) || (ip6_equal(&a->v6.local, &b->v6.local) &&
				    inet_flag(a, INET_V6ONLY) == inet_flag(b, INET_V6ONLY)));
}

/* ---- groups; the bucket is locked ---- */

static bool group_add(struct inet_group *g, struct inet_sock *s)
{
	if (xa_is_err(xa_store(&g->members, g->nr, s, GFP_ATOMIC)))
		return false;
	s->group_at = g->nr;
	s->group_port = sock_flag(&s->sk, SOCK_F_REUSEPORT);
	WRITE_ONCE(g->nr_port, g->nr_port + s->group_port);
	WRITE_ONCE(g->nr, g->nr + 1);
	list_add_rcu(&s->in_group, &g->order);
	rcu_assign_pointer(s->group, g);
	return true;
}

static struct inet_group *group_new(struct inet_sock *first)
{
	struct inet_group *g = kzalloc(sizeof(*g), GFP_ATOMIC);

	if (!g)
		return NULL;
	xa_init(&g->members);
	INIT_LIST_HEAD(&g->order);
	if (group_add(g, first))
		return g;
	kfree(g);
	return NULL;
}

/* S is a member of the group of its end, which stands in bucket B. False: there is none. */
static bool join(unsigned long *b, struct inet_sock *s, u32 hash)
{
	struct inet_group *g;
	struct inet_sock *o;

	ghash_for_each(o, b, hash, bound) {
		if (!same_end(o, s))
			continue;
		g = group_of(o) ?: group_new(o);
		if (!g || !group_add(g, s))
			return false;
		WRITE_ONCE(s->bound.hash, hash);
		return true;
	}
	return false;
}

/* S is no member any more, and does not stand for the others. */
static void leave(struct inet_table *t, struct inet_sock *s)
{
	struct inet_group *g = group_of(s);
	struct inet_sock *last = xa_load(&g->members, g->nr - 1);

	WRITE_ONCE(g->nr, g->nr - 1);
	WRITE_ONCE(g->nr_port, g->nr_port - s->group_port);
	if (last != s) {	/* its slot is there: this takes no memory */
		last->group_at = s->group_at;
		xa_store(&g->members, s->group_at, last, GFP_ATOMIC);
	}
	xa_erase(&g->members, g->nr);
	list_del_rcu(&s->in_group);
	if (!ghash_unhashed(&s->bound)) {
		if (g->nr)
			ghash_replace_locked(
				&s->bound,
				&list_first_entry(&g->order, struct inet_sock, in_group)->bound);
		else
			ghash_del_locked(&t->bound, &s->bound);
	}
	rcu_assign_pointer(s->group, NULL);
	if (!g->nr)
		kfree_rcu(g, rcu);
}

static void add_locked(struct inet_table *t, unsigned long *b, struct inet_sock *s, u32 hash)
{
	if (!join(b, s, hash))
		ghash_add(&t->bound, b, &s->bound, hash);
}

static void del_locked(struct inet_table *t, struct inet_sock *s)
{
	if (group_of(s))
		leave(t, s);
	else
		ghash_del_locked(&t->bound, &s->bound);
}

static bool is_in(const struct inet_sock *s)
{
	return !ghash_unhashed(&s->bound) || rcu_access_pointer(s->group);
}

void inet_bound_add(struct inet_table *t, struct inet_sock *s)
{
	u32 hash = bound_hash(t, s->e.local, s->e.local_port);
	unsigned long *b = ghash_lock(&t->bound, hash);

	sock_hold(&s->sk);
	s->bound_in = t;
	add_locked(t, b, s, hash);
	ghash_unlock(b);
}

bool inet_bound_del(struct inet_table *t, struct inet_sock *s)
{
	unsigned long *b;
	bool was;

	if (!is_in(s))
		return false;
	b = ghash_lock(&t->bound, s->bound.hash);
	was = is_in(s);
	if (was)
		del_locked(t, s);
	ghash_unlock(b);
	return was;
}

/*
 * A look-up that stands at S goes on in the same chain, and sees some of it twice: no grace period
 * is needed.
 */
void inet_bound_set_device(struct inet_sock *s, int dev)
{
	struct inet_table *t = s->bound_in;
	unsigned long *b;
	u32 hash;

	if (!t || !is_in(s)) {
		WRITE_ONCE(s->e.bound_dev, dev);
		return;
	}
	hash = s->bound.hash;
	b = ghash_lock(&t->bound, hash);
	if (is_in(s)) {
		del_locked(t, s);
		WRITE_ONCE(s->e.bound_dev, dev);
		add_locked(t, b, s, hash);
	}
	ghash_unlock(b);
}

u32 inet_bound_members(const struct inet_sock *s)
{
	const struct inet_group *g = group_of(s);

	return g ? g->nr : 1;
}

struct inet_sock *inet_bound_member(struct inet_sock *s, u32 i)
{
	struct inet_group *g = group_of(s);

	return g ? xa_load(&g->members, i) : s;
}

/* ---- look-ups; within RCU ---- */

/* Which of NR a flow goes to: about log(NR) steps. */
static u32 jump(u64 flow, u32 nr)
{
	u64 at = 0, next = 0;

	while (next < nr) {
		at = next;
		flow = flow * 2862933555777941757ull + 1;
		next = ((at + 1) << 31) / ((flow >> 33) + 1);
	}
	return (u32)at;
}

/* The member of G that K's flow is for; NULL: all leave. */
static noinline struct inet_sock *member_for(const struct inet_table *t, struct inet_group *g,
					     const struct inet_key *k)
{
	const u64 ends[2] = { (u64)k->local.v << 32 | k->peer.v,
			      (u64)k->local_port.v << 16 | k->peer_port.v };
	u32 nr = READ_ONCE(g->nr);
	struct inet_sock *s = NULL;

	if (nr && nr == READ_ONCE(g->nr_port))
		s = xa_load(&g->members, jump(siphash_13(&t->key, ends, 2), nr));
	if (s)
		return s;
	list_for_each_entry_rcu(s, &g->order, in_group)
		return s;
	return NULL;
}

/* How well S, in the chain of LOCAL (K's, or any), serves K; -1: not at all. */
static int score(const struct inet_sock *s, const struct inet_key *k, be32 local)
{
	bool same = (s->e.family == AF_INET6) == !!k->v6;
	int n, dev = READ_ONCE(s->e.bound_dev);

	if (s->e.local.v != local.v || s->e.local_port.v != k->local_port.v || s->e.net != k->net)
		return -1;
	/* One of IPv6 that is bound to "any" serves both, unless it does not want to. */
	if (!same && (k->v6 || s->e.local.v || inet_flag(s, INET_V6ONLY)))
		return -1;
	if (k->v6 && s->e.local.v && !ip6_equal(&s->v6.local, &k->v6->local))
		return -1;
	n = same;
	if (!dev)
		return n;
	return dev == k->dif ? n + 2 : -1;
}

static struct inet_sock *best_of(struct inet_table *t, const struct inet_key *k, be32 local)
{
	u32 hash = bound_hash(t, local, k->local_port);
	struct inet_sock *s, *best = NULL;
	struct inet_group *g;
	int high = -1;

	ghash_for_each_rcu(s, &t->bound, hash, bound) {
		int n = score(s, k, local);

		if (n <= high)
			continue;
		best = s;
		high = n;
	}
	g = best ? rcu_dereference(best->group) : NULL;
	return likely(!g) ? best : member_for(t, g, k);
}

struct inet_sock *inet_bound_find(struct inet_table *t, const struct inet_key *k)
{
	u32 seq = ghash_read_begin(&t->bound);
	struct inet_sock *s;

	do {
		s = best_of(t, k, k->local);
		if (!s)
			s = best_of(t, k, be32_make(0));
		if (s && sock_get(&s->sk))
			return s;
		/*
		 * None, while the table grew, is not certain; packets are lost in worse ways than
		 * this one in the few that come while it does.
		 */
	} while (ghash_read_retry(&t->bound, seq) && !((seq = ghash_read_begin(&t->bound)) & 1));
	return NULL;
}
