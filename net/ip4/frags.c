// SPDX-License-Identifier: MIT
/*
 * Putting fragments together, for both families (RFC 791, 3.2 and RFC 8200, 4.5; RFC 815 for what
 * must hold; RFC 5722: one that overlaps others spoils all).
 *
 * A queue is what is there of one packet: its fragments in a tree by offset. It has a reference of
 * the table's and one of its timer's. All memory of a namespace's queues is counted by true size;
 * above frag_high new fragments are dropped, and a queue that cannot be completed goes with its
 * timer.
 *
 * What is whole is copied into a new packet: fragments bring more pieces than one packet has room
 * for.
 *
 * Locks: q->lock; the table's bucket and q->lock are never held together.
 */
#include <lib/minmax.h>
#include <lib/rbtree.h>
#include <lib/siphash.h>
#include <lib/string.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include <net/netdev.h>
#include <sched/wheel.h>
#include <abi/errno.h>
#include "net/core/packet_priv.h"
#include "net/ip4/frags.h"

#define FRAGS_MOST 256u			/* of one packet: bounds what is done at a time; 64 KiB by an MTU of 276 */
#define TRANSPORT_MOST 60		/* bytes of the longest header above IP, TCP's */

struct frag_queue {
	struct ghash_node node;
	struct rcu_head rcu;
	struct frags *frags;		/* c */
	struct net *net;		/* c: pinned */
	struct frag_key key;		/* c */
	refcount_t refs;
	spinlock_t lock;
	struct rb_root tree;		/* lock: struct frag */
	u32 end;	 /* lock: bytes of the whole payload, once the last fragment came */
	u32 have;			/* lock: bytes that are there */
	u32 highest;			/* lock */
	u32 truesize;			/* lock */
	u32 nr;				/* lock: of fragments */
	u32 longest;			/* lock: payload of the longest fragment */
	bool last_came, dead;		/* lock */
	struct wheel_timer timer;
};

/* In p->cb of a fragment that waits. */
struct frag {
	struct rb_node node;
	u32 from, to;
	struct frag_info info;
};

static struct frag *frag_of(struct packet *p)
{
	return (struct frag *)p->cb;
}

static struct packet *packet_of(struct frag *f)
{
	return container_of((u8 *)f, struct packet, cb[0]);
}

_Static_assert(sizeof(struct frag) <= PACKET_CB, "fits");

static u32 key_hash(const struct frags *f, const struct frag_key *k)
{
	u64 w[5];

	memcpy(w, &k->src, 16);
	memcpy(w + 2, &k->dst, 16);
	w[4] = (u64)k->id << 32 ^ (u64)(u32)k->iif << 8 ^ k->protocol;
	return (u32)siphash_13(&f->key, w, 5);
}

static bool same(const struct frag_key *a, const struct frag_key *b)
{
	return ip6_equal(&a->src, &b->src) && ip6_equal(&a->dst, &b->dst) && a->id == b->id &&
	       a->protocol == b->protocol && a->iif == b->iif;
}

static void queue_free(struct rcu_head *head)
{
	struct frag_queue *q = container_of(head, struct frag_queue, rcu);

	net_unpin(q->net);
	kfree(q);
}

static void queue_put(struct frag_queue *q)
{
	if (refcount_dec_and_test(&q->refs))
		call_rcu(&q->rcu, queue_free);
}

/* Q's lock is held: its fragments go. What it held is given back. */
static void empty(struct frag_queue *q, enum drop_reason why)
{
	struct rb_node *n;

	while ((n = rb_first(&q->tree))) {
		struct packet *p = packet_of(rb_entry(n, struct frag, node));

		rb_erase(n, &q->tree);
		packet_free(p, why);
	}
	atomic_long_sub(q->truesize, &q->frags->bytes);
	q->truesize = 0;
}

/*
 * Q is to be found no more; the references of the table and of the timer go. The caller has set
 * q->dead, which only one can: it alone takes Q out of the table.
 */
static void retire(struct frag_queue *q)
{
	if (ghash_del(&q->frags->queues, &q->node))
		queue_put(q);
	if (wheel_cancel(&q->timer))
		queue_put(q);
}

static void expire(struct wheel_timer *t)
{
	struct frag_queue *q = container_of(t, struct frag_queue, timer);
	/* Once Q is retired, the namespace's end does not wait for it: q->frags may go. */
	const struct frag_family *family = q->frags->family;
	struct packet *first = NULL;
	bool was;

	spin_lock(&q->lock);
	was = q->dead;
	q->dead = true;
	if (!was) {
		struct rb_node *n = rb_first(&q->tree);
		struct frag *f = n ? rb_entry(n, struct frag, node) : NULL;

		net_count(q->net, family->timeout);
		net_count(q->net, family->fails);
		if (f && !f->from)
			first = packet_clone(packet_of(f), GFP_ATOMIC);
		empty(q, DROP_FRAG);
	}
	spin_unlock(&q->lock);
	if (!was)
		retire(q);
	if (first) {
		rcu_read_lock();
		first->dev = netdev_by_index(q->net, (int)first->iif);
		memset(first->cb, 0, sizeof(first->cb));
		if (first->dev)
			family->expired(first);
		rcu_read_unlock();
		packet_consume(first);
	}
	queue_put(q);
}

static struct frag_queue *queue_new(struct frags *f, const struct frag_key *k)
{
	struct frag_queue *q = kzalloc(sizeof(*q), GFP_ATOMIC);

	if (!q)
		return NULL;
	q->frags = f;
	q->net = net_pin(f->net);
	q->key = *k;
	refcount_set(&q->refs, 3);	/* table, timer, caller */
	spin_lock_init(&q->lock);
	q->tree = RB_ROOT;
	q->truesize = sizeof(*q);
	wheel_init_timer(&q->timer, expire);
	return q;
}

/* The queue of K, made if it is not there; referenced. NULL: no memory. */
static struct frag_queue *queue_get(struct frags *f, const struct frag_key *k, int time_s)
{
	u32 hash = key_hash(f, k);
	struct frag_queue *q, *fresh = NULL;
	unsigned long *b;
	bool found;

again:
	found = false;
	b = ghash_lock(&f->queues, hash);
	ghash_for_each(q, b, hash, node)
		if (same(&q->key, k) && refcount_inc_not_zero(&q->refs)) {
			found = true;
			break;
		}
	if (!found && fresh) {
		/* Counted first: as soon as it is found, its end may take the count back. */
		atomic_long_add(fresh->truesize, &f->bytes);
		ghash_add(&f->queues, b, &fresh->node, hash);
		ghash_unlock(b);
		wheel_arm(&fresh->timer, (u64)max(time_s, 1) * NSEC_PER_SEC);
		if (ghash_is_full(&f->queues))
			wheel_arm(&f->grow, 0);
		return fresh;
	}
	ghash_unlock(b);
	if (found) {
		if (fresh) {
			net_unpin(f->net);
			kfree(fresh);
		}
		return q;
	}
	fresh = queue_new(f, k);
	if (!fresh)
		return NULL;
	goto again;
}

enum verdict { WAITS, DUPLICATE, SPOILT };

/* P's bytes FROM..TO go into the tree. Q's lock is held. */
static enum verdict put_in(struct frag_queue *q, struct packet *p, u32 from, u32 to)
{
	struct rb_node **at = &q->tree.node, *parent = NULL;
	struct frag *n = frag_of(p);

	while (*at) {
		struct frag *f = rb_entry(*at, struct frag, node);

		parent = *at;
		if (to <= f->from)
			at = &parent->left;
		else if (from >= f->to)
			at = &parent->right;
		else
			return (q->frags->family->exact ? from == f->from && to == f->to :
							  from >= f->from && to <= f->to) ?
				       DUPLICATE :
				       SPOILT;
	}
	n->from = from;
	n->to = to;
	rb_link_node(&n->node, parent, at);
	rb_insert_color(&n->node, &q->tree);
	return WAITS;
}

/*
 * The payload of all fragments, which leave no gap, becomes OUT's: into shares as large as can be
 * had, so that it has few pieces.
 */
static bool copy_payload(struct frag_queue *q, struct packet *out)
{
	struct rb_node *n = rb_first(&q->tree);
	u32 left = q->end, at = 0;	/* of the fragment that is copied from */

	while (left) {
		u32 off, len;
		struct page *page = packet_share_get(left, &off, &len, GFP_ATOMIC);

		if (!page)
			return false;
		for (u32 done = 0; done < len && n;) {
			struct packet *p = packet_of(rb_entry(n, struct frag, node));
			u32 some = min(p->len - at, len - done);

			if (!packet_read(p, at, (u8 *)page_address(page) + off + done, some))
				break;
			done += some;
			at += some;
			if (at == p->len) {
				n = rb_next(n);
				at = 0;
			}
		}
		if (!packet_add_piece(out, page, off, len, packet_share(len))) {
			put_page_plain(page);
			return false;
		}
		left -= len;
	}
	return true;
}

/* All fragments are there: one packet of them. Q's lock is held. NULL. */
static struct packet *whole(struct frag_queue *q)
{
	struct packet *out = packet_alloc(GFP_ATOMIC), *first;
	struct rb_node *n = rb_first(&q->tree);
	const struct frag_info *info;
	u8 *header;

	if (!out)
		return NULL;
	first = packet_of(rb_entry(n, struct frag, node));
	info = &frag_of(first)->info;
	if (info->hdr + q->end > 65535 + IP6_HEADER)
		goto fail;
	/* Headers of IPv6 may be long, and behind them what is above IP is made linear. */
	if (!packet_want_tailroom(out, (u16)min(info->hdr + TRANSPORT_MOST, PACKET_BUF)))
		goto fail;
	header = packet_put(out, info->hdr);
	if (!header)
		goto fail;
	memcpy(header, packet_net(first), info->hdr);
	packet_set_net(out);
	if (!copy_payload(q, out))
		goto fail;
	out->dev = first->dev;
	out->iif = first->iif;
	out->mark = first->mark;
	out->pkt_type = first->pkt_type;
	out->protocol = first->protocol;
	out->tstamp_ns = first->tstamp_ns;
	q->frags->family->finish(out, info);
	return out;
fail:
	packet_free(out, DROP_FRAG);
	return NULL;
}

/*
 * P's payload lies at its data, from OFF on. Q's lock is held. The whole packet; NULL: P waits or
 * is gone.
 */
static struct packet *add(struct frag_queue *q, struct packet *p, const struct frag_info *info)
{
	u32 off = info->off, to = off + p->len;
	bool more = info->more;
	struct packet *out = NULL;
	enum verdict v = SPOILT;

	if (q->dead || q->nr == FRAGS_MOST || (!more && q->last_came && to != q->end) ||
	    (!more && to < q->highest) || (q->last_came && to > q->end) || (more && p->len & 7) ||
	    !p->len || to > 65535)
		goto bad;
	v = put_in(q, p, off, to);
	if (v != WAITS)
		goto bad;
	frag_of(p)->info = *info;
	q->have += p->len;
	q->nr++;
	q->highest = max(q->highest, to);
	q->truesize += p->truesize;
	q->longest = max(q->longest, p->len);
	atomic_long_add(p->truesize, &q->frags->bytes);
	if (!more) {
		q->last_came = true;
		q->end = to;
	}
	if (!q->last_came || q->have < q->end)
		return NULL;
	q->dead = true;
	out = whole(q);
	net_count(q->net, out ? q->frags->family->oks : q->frags->family->fails);
	empty(q, out ? DROP_CONSUMED : DROP_FRAG);
	return out;
bad:
	if (v == SPOILT && !q->dead) {
		net_count(q->net, q->frags->family->overlaps);
		net_count(q->net, q->frags->family->fails);
		q->dead = true;
		empty(q, DROP_FRAG);
	}
	packet_free(p, DROP_FRAG);
	return NULL;
}

struct packet *frags_add(struct frags *f, const struct frag_key *k, struct packet *p,
			 const struct frag_info *info, int high, int time_s, u32 *longest)
{
	struct netdev *d = p->dev;
	struct frag_queue *q;
	struct packet *out;
	bool was_dead, dies;

	q = atomic_long_read(&f->bytes) < high ? queue_get(f, k, time_s) : NULL;
	if (!q) {
		net_count(f->net, f->family->fails);
		packet_free(p, DROP_FRAG);
		return NULL;
	}
	p->csum_state = PACKET_CSUM_NONE;
	spin_lock(&q->lock);
	was_dead = q->dead;
	out = add(q, p, info);
	dies = q->dead && !was_dead;
	*longest = q->longest;
	spin_unlock(&q->lock);
	if (dies)
		retire(q);
	queue_put(q);
	if (out)
		out->dev = d;
	return out;
}

/* ---- life ---- */

static void grow(struct wheel_timer *t)
{
	ghash_reserve(&container_of(t, struct frags, grow)->queues);
}

int frags_begin(struct frags *f, struct net *net, const struct frag_family *family)
{
	f->net = net;
	f->family = family;
	get_random_bytes(&f->key, sizeof(f->key));
	wheel_init_timer(&f->grow, grow);
	return ghash_init(&f->queues, 4);
}

struct reap {
	struct frag_queue *found[NET_BATCH];
	unsigned int nr;
};

static void reap_one(struct ghash_node *n, void *arg)
{
	struct frag_queue *q = container_of(n, struct frag_queue, node);
	struct reap *r = arg;

	if (r->nr < NET_BATCH && refcount_inc_not_zero(&q->refs))
		r->found[r->nr++] = q;
}

void frags_end(struct frags *f)
{
	u64 pos = 0;

	wheel_cancel_sync(&f->grow);
	while (rcu_access_pointer(f->queues.table) && pos < GHASH_END) {
		struct reap r = { .nr = 0 };
		u64 at = pos;

		ghash_walk(&f->queues, &pos, reap_one, &r);
		for (unsigned int i = 0; i < r.nr; i++) {
			struct frag_queue *q = r.found[i];
			bool was_dead;

			spin_lock(&q->lock);
			was_dead = q->dead;
			q->dead = true;
			if (!was_dead)
				empty(q, DROP_FRAG);
			spin_unlock(&q->lock);
			if (!was_dead)
				retire(q);
			if (wheel_cancel_sync(&q->timer))	/* armed after retire() */
				queue_put(q);
			queue_put(q);
		}
		if (r.nr == NET_BATCH)
			pos = at;
	}
	ghash_destroy(&f->queues);
}
