// SPDX-License-Identifier: MIT
/*
 * Local ports: who has one, and which of two may share it (socket(7): SO_REUSEADDR, SO_REUSEPORT;
 * ip(7)).
 *
 * A port that somebody has is a struct inet_port with the list of its owners. Who wants one takes
 * one of SHARDS mutexes, by the port, so that two who want it are judged one after the other, and
 * walks the owners a few at a time, with a cursor in the list, so that no spinlock is held for as
 * long as a program makes the list. Owners leave at any time, under the port's spinlock alone.
 *
 * Locks: shard (a mutex) > port->lock; the table's bucket > port->lock.
 */
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <sched/task.h>
#include <abi/errno.h>
#include "net/inet/inet_priv.h"

#define SHARDS 64u
#define STEP 32u		/* owners looked at under one hold of the lock */
#define TCP_LISTEN 10

struct inet_port {
	struct ghash_node node;
	struct rcu_head rcu;
	be16 port;			/* c */
	spinlock_t lock;
	struct list_head owners;	/* lock: struct inet_owner */
	u32 nr;				/* lock */
	bool dead;			/* lock: in no table any more */
	bool by_connect;		/* lock: all of them got it by inet_port_connect() */
	/*
	 * lock: all have SO_REUSEADDR and do not listen; all have SO_REUSEPORT and are PORT_UID's
	 */
	bool all_reuse, all_port;
	kuid_t port_uid;
};

static struct mutex shards[SHARDS];

static u32 port_hash(const struct inet_table *t, be16 port)
{
	return hash_word(&t->key, port.v);
}

static struct mutex *shard_of(be16 port)
{
	return &shards[be16_get(port) % SHARDS];
}

/* Packets to one address may be for both. */
static bool addresses_meet(const struct inet_sock *a, const struct inet_sock *b)
{
	if (a->e.family != b->e.family) {
		const struct inet_sock *six = inet_is_six(a) ? a : b;

		return !six->e.local.v && !inet_flag(six, INET_V6ONLY);
	}
	if (!a->e.local.v || !b->e.local.v)
		return true;
	return a->e.local.v == b->e.local.v &&
	       (!inet_is_six(a) || ip6_equal(&a->v6.local, &b->v6.local));
}

static bool devices_meet(const struct sock *x, const struct sock *y)
{
	return !x->bound_dev || !y->bound_dev || x->bound_dev == y->bound_dev;
}

bool inet_ports_conflict(const struct inet_sock *a, const struct inet_sock *b)
{
	const struct sock *x = &a->sk, *y = &b->sk;

	if (a == b || !devices_meet(x, y))
		return false;
	if (sock_flag(x, SOCK_F_REUSEADDR) && sock_flag(y, SOCK_F_REUSEADDR) &&
	    (y->state != TCP_LISTEN || x->type != SOCK_STREAM))
		return false;
	if (sock_flag(x, SOCK_F_REUSEPORT) && sock_flag(y, SOCK_F_REUSEPORT) &&
	    uid_eq(x->uid, y->uid))
		return false;
	return addresses_meet(a, b);
}

/* S's address takes packets of the connection that T is left of. */
static bool tie_meets(const struct inet_sock *s, const struct inet_tie *t)
{
	const struct inet_entry *e = t->e;

	if (s->sk.bound_dev && e->bound_dev && s->sk.bound_dev != e->bound_dev)
		return false;
	if (s->e.family != e->family)	/* its address is not "any": S may serve both families */
		return inet_is_six(s) && !s->e.local.v && !inet_flag(s, INET_V6ONLY);
	return !s->e.local.v ||
	       (s->e.local.v == e->local.v && (!e->v6 || ip6_equal(&s->v6.local, &e->v6->local)));
}

static bool tie_conflicts(const struct inet_sock *s, const struct inet_tie *t)
{
	if (t->reuse && sock_flag(&s->sk, SOCK_F_REUSEADDR))
		return false;
	if (t->group && sock_flag(&s->sk, SOCK_F_REUSEPORT) && uid_eq(t->uid, s->sk.uid))
		return false;
	return tie_meets(s, t);
}

/* O keeps the port from S, or would but for options: WHOLE. */
static bool keeps_off(const struct inet_owner *o, const struct inet_sock *s, bool whole)
{
	if (o->tie)
		return whole ? tie_meets(s, o->tie) : tie_conflicts(s, o->tie);
	if (!o->sock)
		return false;
	return whole ? devices_meet(&s->sk, &o->sock->sk) && addresses_meet(s, o->sock) :
		       inet_ports_conflict(s, o->sock);
}

/* The port object, locked; NULL: the port is free. */
static struct inet_port *find_locked(struct inet_table *t, be16 port)
{
	u32 hash = port_hash(t, port);
	unsigned long *b = ghash_lock(&t->ports, hash);
	struct inet_port *p;

	ghash_for_each(p, b, hash, node)
		if (p->port.v == port.v) {
			spin_lock_nested(&p->lock, 1);
			if (!p->dead) {
				ghash_unlock(b);
				return p;
			}
			spin_unlock(&p->lock);
		}
	ghash_unlock(b);
	return NULL;
}

/* P's lock is held and let go. */
static void unlock_or_free(struct inet_table *t, struct inet_port *p) __releases(p -> lock)
{
	bool gone = !p->nr && !p->dead && list_empty(&p->owners);

	if (gone)
		p->dead = true;
	spin_unlock(&p->lock);
	if (gone) {
		ghash_del(&t->ports, &p->node);
		kfree_rcu(p, rcu);
	}
}

/*
 * An owner of P, whose lock is held and let go in between, conflicts with S. WHOLE: whatever the
 * options of both say.
 */
static bool conflicts(struct inet_port *p, const struct inet_sock *s, bool whole)
	__must_hold(p -> lock)
{
	struct inet_owner cursor = { .sock = NULL }, *o;
	unsigned int n = 0;
	bool found = false;

	if (!whole && p->all_reuse && sock_flag(&s->sk, SOCK_F_REUSEADDR))
		return false;
	if (!whole && p->all_port && sock_flag(&s->sk, SOCK_F_REUSEPORT) &&
	    uid_eq(p->port_uid, s->sk.uid))
		return false;
	list_add(&cursor.list, &p->owners);
	while (!list_is_last(&cursor.list, &p->owners) && !found) {
		o = list_next_entry(&cursor, list);
		list_move(&cursor.list, &o->list);
		found = keeps_off(o, s, whole);
		if (++n % STEP == 0) {
			spin_unlock(&p->lock);
			cond_resched();
			spin_lock_nested(&p->lock, 1);
		}
	}
	list_del(&cursor.list);
	return found;
}

/* P's lock is held: S has the port. */
static void own(struct inet_port *p, struct inet_sock *s, bool by_connect)
{
	bool reuse = sock_flag(&s->sk, SOCK_F_REUSEADDR),
	     group = sock_flag(&s->sk, SOCK_F_REUSEPORT);

	if (!p->nr) {
		p->by_connect = by_connect;
		p->all_reuse = reuse && s->sk.type != SOCK_STREAM;
		p->all_port = group;
		p->port_uid = s->sk.uid;
	} else {
		p->by_connect &= by_connect;
		p->all_reuse &= reuse && s->sk.type != SOCK_STREAM;
		p->all_port &= group && uid_eq(p->port_uid, s->sk.uid);
	}
	s->e.local_port = p->port;
	s->port = p;
	s->owner.sock = s;
	list_add_tail(&s->owner.list, &p->owners);
	p->nr++;
}

static struct inet_port *port_new(be16 port)
{
	struct inet_port *p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);

	if (!p)
		return NULL;
	p->port = port;
	spin_lock_init(&p->lock);
	INIT_LIST_HEAD(&p->owners);
	return p;
}

static void add_new(struct inet_table *t, struct inet_port *p)
{
	u32 hash = port_hash(t, p->port);
	unsigned long *b;

	ghash_reserve(&t->ports);
	b = ghash_lock(&t->ports, hash);
	ghash_add(&t->ports, b, &p->node, hash);
	ghash_unlock(b);
}

/* PORT for S, if its owners allow that (WHOLE: as conflicts()). The shard is held. */
static int try_bind(struct inet_table *t, struct inet_sock *s, be16 port, bool whole)
{
	struct inet_port *p = find_locked(t, port);
	bool clash;

	if (!p) {
		p = port_new(port);
		if (!p)
			return -ENOMEM;
		own(p, s, false);
		add_new(t, p);
		return 0;
	}
	clash = conflicts(p, s, whole);
	if (!clash)
		own(p, s, false);
	unlock_or_free(t, p);
	return clash ? -EADDRINUSE : 0;
}

static int bind_one(struct inet_table *t, struct inet_sock *s, u16 port, bool whole)
{
	be16 p = be16_make(port);
	int err;

	mutex_lock(shard_of(p));
	err = try_bind(t, s, p, whole);
	mutex_unlock(shard_of(p));
	return err;
}

static void range_of(const struct inet_sock *s, u32 *low, u32 *nr)
{
	u32 all = READ_ONCE(s->sk.net->inet->port_range), own = s->port_range;
	u32 lo = all & 0xffff, hi = all >> 16;

	if (own & 0xffff)
		lo = max(lo, own & 0xffff);
	if (own >> 16)
		hi = min(hi, own >> 16);
	if (lo > hi) {
		lo = all & 0xffff;
		hi = all >> 16;
	}
	*low = lo;
	*nr = hi - lo + 1;
}

/* An automatic port of S is one that is free for its address, not one that options let it share. */
static bool wants_whole(const struct inet_sock *s)
{
	return s->sk.protocol != IPPROTO_UDP;
}

/* PORT (host order) is not for those who take any. */
static bool is_reserved(const struct net *net, u16 port)
{
	const struct inet_reserved *r;
	bool yes;

	rcu_read_lock();
	r = rcu_dereference(net->inet->reserved);
	yes = r && r->map[port / BITS_PER_LONG] >> port % BITS_PER_LONG & 1;
	rcu_read_unlock();
	return yes;
}

int inet_port_get(struct inet_table *t, struct inet_sock *s, u16 port)
{
	u32 low, nr, first;
	int err = -EADDRINUSE;

	inet_table_reserve(t);
	if (port)
		return bind_one(t, s, port, false);
	range_of(s, &low, &nr);
	first = get_random_u32_below(nr);
	for (u32 i = 0; i < nr && err == -EADDRINUSE; i++) {
		u16 any = (u16)(low + (first + i) % nr);

		if (!is_reserved(s->sk.net, any))
			err = bind_one(t, s, any, wants_whole(s));
		cond_resched();
	}
	return err;
}

/*
 * PORT for S's connection: free, or of connections alone that have other ends. The shard is held.
 */
static int try_connect(struct inet_table *t, struct inet_sock *s, be16 port,
		       int (*take)(struct inet_sock *s))
{
	struct inet_port *p = find_locked(t, port);
	bool may = true;
	int err;

	if (!p) {
		p = port_new(port);
		if (!p)
			return -ENOMEM;
		own(p, s, true);
		add_new(t, p);
	} else {
		may = p->by_connect;
		if (may)
			own(p, s, true);
		unlock_or_free(t, p);
	}
	if (!may)
		return -EADDRNOTAVAIL;
	err = take(s);
	if (err)
		inet_port_put(t, s);
	return err;
}

int inet_port_connect(struct inet_table *t, struct inet_sock *s, int (*take)(struct inet_sock *s))
{
	static u32 counters[256];	/* races are harmless */
	const u64 ends[2] = { (u64)s->e.peer.v << 32 | s->e.local.v, (u64)s->e.peer_port.v };
	u64 hash = siphash_13(&t->key, ends, 2);
	u32 low, nr, first, *count = &counters[hash >> 56];
	int err = -EADDRNOTAVAIL;

	inet_table_reserve(t);
	range_of(s, &low, &nr);
	first = (u32)hash + READ_ONCE(*count);
	/* Every second port first: those of the other parity are left for bind(2). */
	for (u32 i = 0; i < nr && err == -EADDRNOTAVAIL; i++) {
		u32 half = (nr + 1) / 2, k = i < half ? 2 * ((first + i) % half) :
							2 * ((first + i) % max(nr / 2, 1u)) + 1;
		be16 port = be16_make((u16)(low + min(k, nr - 1)));

		if (is_reserved(s->sk.net, be16_get(port)))
			continue;
		mutex_lock(shard_of(port));
		err = try_connect(t, s, port, take);
		mutex_unlock(shard_of(port));
		if (!err)
			WRITE_ONCE(*count, READ_ONCE(*count) + i + 1);
		cond_resched();
	}
	return err;
}

int inet_port_share(struct inet_table *t, struct inet_sock *child, const struct inet_sock *parent)
{
	struct inet_port *p = find_locked(t, parent->e.local_port);

	if (!p)
		return -EADDRNOTAVAIL;
	own(p, child, false);
	spin_unlock(&p->lock);
	return 0;
}

/* O gives P up, which goes with its last owner. */
static void disown(struct inet_table *t, struct inet_port *p, struct inet_owner *o)
{
	spin_lock_nested(&p->lock, 1);
	list_del(&o->list);
	p->nr--;
	unlock_or_free(t, p);
}

void inet_port_put(struct inet_table *t, struct inet_sock *s)
{
	struct inet_port *p = s->port;

	if (!p)
		return;
	s->port = NULL;
	disown(t, p, &s->owner);
}

void inet_port_tie(struct inet_sock *s, struct inet_tie *tie)
{
	struct inet_port *p = s->port;

	tie->port = p;
	if (!p)
		return;
	tie->reuse = sock_flag(&s->sk, SOCK_F_REUSEADDR);
	tie->group = sock_flag(&s->sk, SOCK_F_REUSEPORT);
	tie->uid = s->sk.uid;
	tie->owner = (struct inet_owner){ .tie = tie };
	spin_lock_nested(&p->lock, 1);
	list_add_tail(&tie->owner.list, &p->owners);
	p->nr++;
	spin_unlock(&p->lock);
}

void inet_port_untie(struct inet_table *t, struct inet_tie *tie)
{
	if (tie->port)
		disown(t, tie->port, &tie->owner);
}

int inet_port_join(struct inet_table *t, struct inet_sock *s, be16 port)
{
	struct inet_port *fresh = port_new(port), *p;

	if (!fresh)
		return -ENOMEM;

	mutex_lock(shard_of(port));
	p = find_locked(t, port);
	if (p) {
		own(p, s, false);
		spin_unlock(&p->lock);
		kfree(fresh);
	} else {
		own(fresh, s, false);
		add_new(t, fresh);
	}
	mutex_unlock(shard_of(port));
	s->e.local_port = be16_make(0);
	return 0;
}

/* Somebody has PORT, or may have got it just now. */
static bool is_owned(struct inet_table *t, be16 port)
{
	u32 hash = port_hash(t, port), seq = ghash_read_begin(&t->ports);
	bool found = false;
	struct inet_port *p;

	rcu_read_lock();
	ghash_for_each_rcu(p, &t->ports, hash, node)
		found |= p->port.v == port.v;
	rcu_read_unlock();
	return found || ghash_read_retry(&t->ports, seq);
}

void inet_port_owners_move(struct inet_table *t, be16 port, struct inet_owner *at,
			   struct inet_owner *to)
{
	struct inet_port *p = find_locked(t, port);

	*to = (struct inet_owner){ .sock = NULL };
	if (WARN_ON(!p))	/* its list is not empty */
		return;
	list_replace(&at->list, &to->list);
	spin_unlock(&p->lock);
}

void inet_port_owners_end(struct inet_table *t, be16 port, struct inet_owner *at)
{
	struct inet_port *p = at->list.next ? find_locked(t, port) : NULL;

	if (!p)
		return;
	list_del(&at->list);
	at->list.next = NULL;
	unlock_or_free(t, p);
}

unsigned int inet_port_owners(struct inet_table *t, be16 port, struct inet_owner *at,
			      struct inet_sock **out, unsigned int most,
			      bool (*want)(struct inet_sock *s, const void *arg), const void *arg)
{
	struct inet_port *p = at->list.next || is_owned(t, port) ? find_locked(t, port) : NULL;
	unsigned int n = 0, seen = 0;
	struct list_head *e;

	if (!p) {
		at->list.next = NULL;
		return 0;
	}
	e = at->list.next ?: p->owners.next;
	if (at->list.next)
		list_del(&at->list);
	for (; e != &p->owners && n < most && seen < STEP; e = e->next, seen++) {
		struct inet_owner *o = list_entry(e, struct inet_owner, list);

		if (o->sock && want(o->sock, arg) && sock_get(&o->sock->sk))
			out[n++] = o->sock;
	}
	if (e != &p->owners)
		list_add_tail(&at->list, e);
	else
		at->list.next = NULL;
	unlock_or_free(t, p);
	return n;
}

static int ports_init(void)
{
	for (unsigned int i = 0; i < SHARDS; i++)
		mutex_init(&shards[i]);
	return 0;
}
INITCALL(sched, ports_init);
