// SPDX-License-Identifier: MIT
/* Neighbour tables: states, waiting packets, garbage. neigh.h says what they are. */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/siphash.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include <net/socket.h>
#include <abi/errno.h>
#include "net/dev/if_flags.h"
#include "net/neigh/neigh.h"
#include "net/route/in6_device.h"
#include "net/route/in_device.h"

#define GC_EVERY_NS (15 * NSEC_PER_SEC)
#define GC_FORCED_NS (5 * NSEC_PER_SEC)

static void (*listener)(struct neigh *n, bool gone);	/* set at boot */

void neigh_set_listener(void (*fn)(struct neigh *n, bool gone))
{
	listener = fn;
}

static void tell(struct neigh *n, bool gone)
{
	if (listener)
		listener(n, gone);
}

/* Those on a link choose addresses. */
static struct siphash_key hash_key __ro_after_init;

static u32 key_hash(const struct neigh_table *t, const struct netdev *d, const u32 *key)
{
	u64 w[3] = { (unsigned long)d, key[0] };

	if (t->family->key_words == 1)
		return (u32)siphash_13(&hash_key, w, 2);
	memcpy(w + 1, key, 2 * sizeof(*w));	/* of IPv6 */
	return (u32)siphash_13(&hash_key, w, 3);
}

static int hash_init(void)
{
	get_random_bytes(&hash_key, sizeof(hash_key));
	return 0;
}
INITCALL(sched, hash_init);

static bool is(const struct neigh *n, const struct netdev *d, const u32 *key)
{
	return n->dev == d && !memcmp(n->key, key, n->table->family->key_words * sizeof(*key));
}

struct neigh *neigh_find(struct neigh_table *t, const struct netdev *d, const u32 *key)
{
	u32 hash = key_hash(t, d, key), seq = ghash_read_begin(&t->hash);
	struct neigh *n, *found = NULL;
	unsigned long *b;

	ghash_for_each_rcu(n, &t->hash, hash, node)
		if (is(n, d, key))
			return n;
	if (likely(!ghash_read_retry(&t->hash, seq)))
		return NULL;
	b = ghash_lock(&t->hash, hash);
	ghash_for_each(n, b, hash, node)
		if (is(n, d, key)) {
			found = n;
			break;
		}
	ghash_unlock(b);
	return found;
}

static void neigh_free(struct rcu_head *head)
{
	struct neigh *n = container_of(head, struct neigh, rcu);

	netdev_put(n->dev);
	kfree(n);
}

void neigh_put(struct neigh *n)
{
	if (refcount_dec_and_test(&n->refs))
		call_rcu(&n->rcu, neigh_free);
}

/* N's lock is held. */
static void arm(struct neigh *n, u64 ns)
{
	lockdep_assert_held(&n->lock);
	if (!n->dead && !wheel_arm(&n->timer, ns))
		refcount_inc(&n->refs);
}

static void disarm(struct neigh *n)
{
	lockdep_assert_held(&n->lock);
	if (wheel_cancel(&n->timer))
		refcount_dec(&n->refs);
}

/* Those of N's device; of the namespace, where that has lost its family. RCU. */
static const struct neigh_parms *parms_of(const struct neigh *n)
{
	const struct in_device *in4;
	const struct in6_device *in6;

	if (n->table->family->family == AF_INET) {
		in4 = in_dev(n->dev);
		return in4 ? &in4->neigh : &n->table->conf.parms;
	}
	in6 = in6_dev(n->dev);
	return in6 ? &in6->neigh : &n->table->conf.parms;
}

#define PARM(n, field)                                \
	({                                            \
		int v_;                               \
		rcu_read_lock();                      \
		v_ = READ_ONCE(parms_of(n)->field);   \
		rcu_read_unlock();                    \
		v_;                                   \
	})

static u64 delay_probe_ns(const struct neigh *n)
{
	return (u64)PARM(n, delay_probe_s) * NSEC_PER_SEC;
}

static u64 reachable_ns(const struct neigh *n)
{
	u64 ms = (u64)PARM(n, base_reachable_ms);

	return (ms / 2 + get_random_u32_below((u32)ms + 1)) * NSEC_PER_MSEC;
}

static u64 retrans_ns(const struct neigh *n)
{
	return (u64)max(PARM(n, retrans_ms), 1) * NSEC_PER_MSEC;
}

void neigh_delete(struct neigh *n)
{
	struct packet_list gone;
	bool was;

	spin_lock(&n->lock);
	was = !n->dead;
	n->dead = true;
	WRITE_ONCE(n->state, NUD_FAILED);
	disarm(n);
	packet_list_move(&gone, &n->waiting);
	spin_unlock(&n->lock);
	packet_list_free(&gone, DROP_NEIGH);
	if (was && ghash_del(&n->table->hash, &n->node)) {
		tell(n, true);
		neigh_put(n);
	}
}

/* ---- garbage ---- */

struct sweep {
	struct neigh_table *t;
	u64 now_ns, unused_ns;		/* not used for so long; 0: as its device says */
	struct netdev *dev;		/* only of it; NULL */
	bool keep, all;
	unsigned int nr;
	struct neigh *found[NET_BATCH];	/* referenced */
};

static void look(struct ghash_node *node, void *arg)
{
	struct neigh *n = container_of(node, struct neigh, node);
	struct sweep *s = arg;
	u8 state = READ_ONCE(n->state);
	u64 unused = s->unused_ns;

	if (s->nr == NET_BATCH)
		return;
	if (!s->all && !unused)
		unused = (u64)PARM(n, gc_stale_s) * NSEC_PER_SEC;
	if (s->dev && n->dev != s->dev)
		return;
	if (!s->all && (state & (NUD_PERMANENT | NEIGH_TIMED) ||
			max(n->used_ns, n->confirmed_ns) + unused > s->now_ns))
		return;
	if (s->keep && state & NUD_PERMANENT)
		return;
	if (refcount_inc_not_zero(&n->refs))
		s->found[s->nr++] = n;
}

/* Up to MOST buckets, and again where one held more than a batch. */
static void sweep(struct sweep *s, u64 *pos, unsigned int most)
{
	while (*pos < GHASH_END && most--) {
		u64 at = *pos;

		s->nr = 0;
		ghash_walk(&s->t->hash, pos, look, s);
		for (unsigned int i = 0; i < s->nr; i++) {
			neigh_delete(s->found[i]);
			neigh_put(s->found[i]);
		}
		if (s->nr == NET_BATCH)
			*pos = at;
	}
}

static void gc_run(struct wheel_timer *w)
{
	struct neigh_table *t = container_of(w, struct neigh_table, gc);
	struct sweep s = { .t = t, .now_ns = ktime_get_coarse_ns() };
	u64 pos = 0;

	if (ghash_count(&t->hash) >= READ_ONCE(t->conf.thresh[0]))
		while (pos < GHASH_END)
			sweep(&s, &pos, NET_BATCH);
	ghash_reserve(&t->hash);
	wheel_arm(&t->gc, GC_EVERY_NS);
}

/* One more is wanted. Atomic: looks at a few buckets, from a place of its own choice. */
static bool make_room(struct neigh_table *t)
{
	struct sweep s = { .t = t, .now_ns = ktime_get_coarse_ns(), .unused_ns = GC_FORCED_NS };
	u64 pos = (u64)get_random_u32();
	long nr = ghash_count(&t->hash);

	if (nr < READ_ONCE(t->conf.thresh[1]))
		return true;
	atomic64_inc(&t->forced_gcs);
	sweep(&s, &pos, NET_BATCH);
	return ghash_count(&t->hash) < READ_ONCE(t->conf.thresh[2]);
}

/* ---- making ---- */

static void neigh_timer(struct wheel_timer *w);

static struct neigh *neigh_new(struct neigh_table *t, struct netdev *d, const u32 *key)
{
	struct neigh *n = kzalloc(sizeof(*n), GFP_ATOMIC);

	if (!n)
		return NULL;
	n->table = t;
	n->dev = d;
	netdev_get(d);
	memcpy(n->key, key, t->family->key_words * sizeof(*key));
	refcount_set(&n->refs, 2);	/* the table's and the caller's */
	spin_lock_init(&n->lock);
	seqcount_init(&n->seq);
	packet_list_init(&n->waiting);
	wheel_init_timer(&n->timer, neigh_timer);
	n->state = NUD_NONE;
	n->used_ns = n->confirmed_ns = n->updated_ns = ktime_get_coarse_ns();
	t->family->fixed(d, n->key, n->hw, &n->state);
	return n;
}

struct neigh *neigh_get(struct neigh_table *t, struct netdev *d, const u32 *key)
{
	u32 hash = key_hash(t, d, key);
	struct neigh *n, *fresh;
	unsigned long *b;

	rcu_read_lock();
	n = neigh_find(t, d, key);
	if (n && !refcount_inc_not_zero(&n->refs))
		n = NULL;
	rcu_read_unlock();
	if (n)
		return n;
	if (READ_ONCE(d->dismantling) || !make_room(t))
		return ERR_PTR(-ENOBUFS);
	fresh = neigh_new(t, d, key);
	if (!fresh)
		return ERR_PTR(-ENOMEM);
	b = ghash_lock(&t->hash, hash);
	ghash_for_each(n, b, hash, node)
		if (is(n, d, key) && refcount_inc_not_zero(&n->refs)) {
			ghash_unlock(b);
			neigh_put(fresh);
			neigh_put(fresh);
			return n;
		}
	ghash_add(&t->hash, b, &fresh->node, hash);
	ghash_unlock(b);
	return fresh;
}

/* ---- states ---- */

static void send_to(struct neigh *n, struct packet *p)
{
	u8 hw[NETDEV_ADDR];
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&n->seq);
		memcpy(hw, n->hw, sizeof(hw));
	} while (read_seqcount_retry(&n->seq, seq));
	p->dev = n->dev;
	if (dev_hard_header(p, n->dev, be16_get(p->protocol), hw, NULL))
		packet_free(p, DROP_NOMEM);
	else
		dev_queue_xmit(p);
}

static void solicit(struct neigh *n, const u8 *to, struct packet *p)
{
	rcu_read_lock();
	n->table->family->solicit(n, to, p);
	rcu_read_unlock();
}

static void fail(struct neigh *n, struct packet_list *gone)
{
	WRITE_ONCE(n->state, NUD_FAILED);
	n->updated_ns = ktime_get_coarse_ns();
	packet_list_move(gone, &n->waiting);
}

/* One step of asking; N's lock is held and let go. */
static void ask(struct neigh *n) __releases(n -> lock)
{
	unsigned int most = (unsigned int)(n->state == NUD_PROBE ? PARM(n, ucast_probes) :
								   PARM(n, mcast_probes));
	struct packet_list gone;
	struct packet *first = NULL, *p;
	u8 hw[NETDEV_ADDR];
	bool direct = n->state == NUD_PROBE;

	packet_list_init(&gone);
	if (n->probes >= most) {
		fail(n, &gone);
	} else {
		n->probes++;
		memcpy(hw, n->hw, sizeof(hw));
		arm(n, retrans_ns(n));
		first = packet_list_first(&n->waiting);
		if (first)
			first = packet_clone(first, GFP_ATOMIC);
		most = 0;
	}
	spin_unlock(&n->lock);
	if (!most)
		solicit(n, direct ? hw : NULL, first);
	else
		tell(n, false);
	packet_consume(first);
	while ((p = packet_list_take(&gone))) {
		rcu_read_lock();
		n->table->family->give_up(p);
		rcu_read_unlock();
	}
}

static void neigh_timer(struct wheel_timer *w)
{
	struct neigh *n = container_of(w, struct neigh, timer);
	u64 now = ktime_get_coarse_ns();
	u8 state;

	spin_lock(&n->lock);
	switch (n->state) {
	case NUD_REACHABLE:
		if (n->confirmed_ns + (u64)PARM(n, base_reachable_ms) * NSEC_PER_MSEC > now)
			arm(n, reachable_ns(n));
		else
			WRITE_ONCE(n->state, NUD_STALE);
		break;
	case NUD_DELAY:
		if (n->confirmed_ns + delay_probe_ns(n) > now) {
			WRITE_ONCE(n->state, NUD_REACHABLE);
			arm(n, reachable_ns(n));
			break;
		}
		WRITE_ONCE(n->state, NUD_PROBE);
		n->probes = 0;
		ask(n);
		neigh_put(n);
		return;
	case NUD_INCOMPLETE:
	case NUD_PROBE:
		ask(n);
		neigh_put(n);
		return;
	}
	state = n->state;
	spin_unlock(&n->lock);
	if (state == NUD_STALE)
		tell(n, false);
	neigh_put(n);
}

/* P waits for an answer, in place of older ones if there is no room. N's lock is held. */
static void wait_for(struct neigh *n, struct packet *p, struct packet_list *gone)
{
	u32 most = (u32)max(PARM(n, unres_bytes), 0);

	while (!packet_list_empty(&n->waiting) && n->waiting.bytes + p->truesize > most)
		packet_list_add(gone, packet_list_take(&n->waiting));
	packet_list_add(&n->waiting, p);
}

/* N's address is not known: P waits, and N is asked if that is not under way. */
static int resolve(struct neigh *n, struct packet *p)
{
	struct packet_list gone;

	packet_list_init(&gone);
	p->dev = n->dev;
	spin_lock(&n->lock);
	if (n->dead) {
		spin_unlock(&n->lock);
		packet_free(p, DROP_NEIGH);
		return -ENOBUFS;
	}
	if (n->state & NEIGH_VALID) {	/* answered meanwhile */
		spin_unlock(&n->lock);
		send_to(n, p);
		return 0;
	}
	wait_for(n, p, &gone);
	if (n->state != NUD_INCOMPLETE) {
		WRITE_ONCE(n->state, NUD_INCOMPLETE);
		n->updated_ns = ktime_get_coarse_ns();
		n->probes = 0;
		ask(n);
	} else {
		spin_unlock(&n->lock);
	}
	packet_list_free(&gone, DROP_NEIGH);
	return 0;
}

/* A stale entry is used: within delay_probe_s it must be confirmed. */
static void doubt(struct neigh *n)
{
	spin_lock(&n->lock);
	if (n->state == NUD_STALE && !n->dead) {
		WRITE_ONCE(n->state, NUD_DELAY);
		arm(n, delay_probe_ns(n));
	}
	spin_unlock(&n->lock);
}

static void use(struct neigh *n)
{
	u64 now = ktime_get_coarse_ns();

	if (READ_ONCE(n->used_ns) != now)
		WRITE_ONCE(n->used_ns, now);
}

int neigh_send(struct neigh_table *t, struct netdev *d, const u32 *key, struct packet *p)
{
	struct neigh *n = neigh_find(t, d, key);
	bool got = false;
	int err = 0;
	u8 state;

	if (unlikely(!n)) {
		n = neigh_get(t, d, key);
		if (IS_ERR(n)) {
			packet_free(p, DROP_NEIGH);
			return -ENOBUFS;
		}
		got = true;
	}
	use(n);
	state = READ_ONCE(n->state);
	if (likely(state & NEIGH_VALID)) {
		if (unlikely(state == NUD_STALE))
			doubt(n);
		send_to(n, p);
	} else {
		err = resolve(n, p);
	}
	if (got)
		neigh_put(n);
	return err;
}

void neigh_update(struct neigh *n, const u8 *hw, u8 state, unsigned int how)
{
	struct packet_list ready;
	struct packet *p;
	bool differs, changed = false;
	u64 now = ktime_get_coarse_ns();

	packet_list_init(&ready);
	spin_lock(&n->lock);
	if (n->dead || (n->state & (NUD_PERMANENT | NUD_NOARP) && !(how & NEIGH_ADMIN)))
		goto out;
	differs = hw && (!(n->state & NEIGH_VALID) || memcmp(hw, n->hw, n->dev->addr_len));
	if (differs && n->state & NEIGH_VALID && !(how & (NEIGH_OVERRIDE | NEIGH_ADMIN)))
		goto out;
	if (!differs && state == NUD_STALE && n->state & (NUD_REACHABLE | NUD_DELAY | NUD_PROBE))
		goto out;
	if (differs) {
		write_seqcount_begin(&n->seq);
		memcpy(n->hw, hw, n->dev->addr_len);
		write_seqcount_end(&n->seq);
	}
	changed = differs || n->state != state;
	disarm(n);
	WRITE_ONCE(n->state, state);
	n->updated_ns = now;
	n->probes = 0;
	if (state == NUD_REACHABLE) {
		n->confirmed_ns = now;
		arm(n, reachable_ns(n));
	} else if (state & NEIGH_TIMED) {
		arm(n, state == NUD_DELAY ? delay_probe_ns(n) : 1);
	}
	if (state & NEIGH_VALID)
		packet_list_move(&ready, &n->waiting);
out:
	spin_unlock(&n->lock);
	while ((p = packet_list_take(&ready))) {
		rcu_read_lock();
		send_to(n, p);
		rcu_read_unlock();
	}
	if (changed)
		tell(n, false);
}

void neigh_confirm(struct neigh_table *t, struct netdev *d, const u32 *key)
{
	struct neigh *n = neigh_find(t, d, key);
	u64 now = ktime_get_coarse_ns();

	if (n && READ_ONCE(n->confirmed_ns) != now)
		WRITE_ONCE(n->confirmed_ns, now);
}

void neigh_dev_down(struct neigh_table *t, struct netdev *d, bool keep)
{
	struct sweep s = { .t = t, .dev = d, .keep = keep, .all = true };
	u64 pos = 0;

	while (pos < GHASH_END)
		sweep(&s, &pos, NET_BATCH);
}

/* ---- life ---- */

int neigh_table_begin(struct neigh_table *t, struct net *net, const struct neigh_family *f)
{
	t->family = f;
	t->net = net;
	t->conf = (struct neigh_conf){ .thresh = { 128, 512, 1024 },
				       .parms = { .gc_stale_s = 60,
						  .base_reachable_ms = 30000,
						  .retrans_ms = 1000,
						  .ucast_probes = 3,
						  .mcast_probes = 3,
						  .delay_probe_s = 5,
						  .unres_bytes = 212992 } };
	wheel_init_timer(&t->gc, gc_run);
	if (ghash_init(&t->hash, 3))
		return -ENOMEM;
	wheel_arm(&t->gc, GC_EVERY_NS);
	return 0;
}

void neigh_table_end(struct neigh_table *t)
{
	struct sweep s = { .t = t, .all = true };
	u64 pos = 0;

	/* It arms itself: twice, so that one which ran has been armed again and is cancelled. */
	wheel_cancel_sync(&t->gc);
	wheel_cancel_sync(&t->gc);
	while (pos < GHASH_END)
		sweep(&s, &pos, NET_BATCH);
	ghash_destroy(&t->hash);
}
