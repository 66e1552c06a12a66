// SPDX-License-Identifier: MIT
/*
 * Putting fragments together (RFC 791, 3.2; RFC 815 for what must hold; RFC 5722: one that overlaps
 * others with different bytes spoils all).
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
#include <abi/errno.h>
#include "net/core/packet_priv.h"
#include "net/core/stats.h"
#include "net/ip4/addr.h"
#include "net/ip4/frags.h"
#include "net/ip4/ip4_priv.h"

#define FRAGS_MOST 256u			/* of one packet: bounds what is done at a time; 64 KiB by an MTU of 276 */

struct frag_key {
	be32 src, dst;
	be16 id;
	u8 protocol;
	int iif;	 /* of link-scoped addresses, which mean another host on another link; else 0 */
};

struct frag_queue {
	struct ghash_node node;
	struct rcu_head rcu;
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
	u16 longest;			/* lock: longest fragment, for IP_RECVFRAGSIZE */
	bool last_came, dead;		/* lock */
	struct wheel_timer timer;
};

/* In p->cb of a fragment that waits. */
struct frag {
	struct rb_node node;
	u32 from, to;
};

struct ip4_frags {
	struct ghash queues;
	struct siphash_key key;
	atomic_long_t bytes;
	struct wheel_timer grow;	/* due at once: packets cannot wait for memory */
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

static u32 key_hash(const struct ip4_frags *f, const struct frag_key *k)
{
	const u64 w[2] = { (u64)k->src.v << 32 | k->dst.v,
			   (u64)k->iif << 32 | (u64)k->id.v << 16 | k->protocol };

	return (u32)siphash_13(&f->key, w, 2);
}

static bool same(const struct frag_key *a, const struct frag_key *b)
{
	return a->src.v == b->src.v && a->dst.v == b->dst.v && a->id.v == b->id.v &&
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
	atomic_long_sub(q->truesize, &q->net->ip4->frags->bytes);
	q->truesize = 0;
}

/*
 * Q is to be found no more; the references of the table and of the timer go. The caller has set
 * q->dead, which only one can: it alone takes Q out of the table.
 */
static void retire(struct frag_queue *q)
{
	if (ghash_del(&q->net->ip4->frags->queues, &q->node))
		queue_put(q);
	if (wheel_cancel(&q->timer))
		queue_put(q);
}

static void expire(struct wheel_timer *t)
{
	struct frag_queue *q = container_of(t, struct frag_queue, timer);
	struct packet *first = NULL;
	bool was;

	spin_lock(&q->lock);
	was = q->dead;
	q->dead = true;
	if (!was) {
		struct rb_node *n = rb_first(&q->tree);
		struct frag *f = n ? rb_entry(n, struct frag, node) : NULL;

		net_count(q->net, IP_REASM_TIMEOUT);
		net_count(q->net, IP_REASM_FAILS);
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
			icmp_send(first, 11 /* time exceeded */, 1, 0);
		rcu_read_unlock();
		packet_consume(first);
	}
	queue_put(q);
}

static struct frag_queue *queue_new(struct net *net, const struct frag_key *k)
{
	struct frag_queue *q = kzalloc(sizeof(*q), GFP_ATOMIC);

	if (!q)
		return NULL;
	q->net = net_pin(net);
	q->key = *k;
	refcount_set(&q->refs, 3);	/* table, timer, caller */
	spin_lock_init(&q->lock);
	q->tree = RB_ROOT;
	q->truesize = sizeof(*q);
	wheel_init_timer(&q->timer, expire);
	return q;
}

/* The queue of K, made if it is not there; referenced. NULL: no memory. */
static struct frag_queue *queue_get(struct net *net, const struct frag_key *k)
{
	struct ip4_frags *f = net->ip4->frags;
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
		wheel_arm(&fresh->timer,
			  (u64)max(READ_ONCE(net->ip4->frag_time_s), 1) * NSEC_PER_SEC);
		if (ghash_is_full(&f->queues))
			wheel_arm(&f->grow, 0);
		return fresh;
	}
	ghash_unlock(b);
	if (found) {
		if (fresh) {
			net_unpin(net);
			kfree(fresh);
		}
		return q;
	}
	fresh = queue_new(net, k);
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
			return from >= f->from && to <= f->to ? DUPLICATE : SPOILT;
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
	const struct ip4_wire *h;
	u32 hdr;

	if (!out)
		return NULL;
	first = packet_of(rb_entry(n, struct frag, node));
	h = (const struct ip4_wire *)packet_net(first);
	hdr = ip4_header_len(h);
	if (hdr + q->end > 65535)
		goto fail;
	memcpy(packet_put(out, (u16)hdr), h, hdr);
	if (!copy_payload(q, out))
		goto fail;
	out->dev = first->dev;
	out->iif = first->iif;
	out->mark = first->mark;
	out->pkt_type = first->pkt_type;
	out->protocol = first->protocol;
	out->tstamp_ns = first->tstamp_ns;
	return out;
fail:
	packet_free(out, DROP_FRAG);
	return NULL;
}

static void finish_header(struct packet *out, const struct frag_queue *q)
{
	struct ip4_wire *h = (struct ip4_wire *)packet_data(out);

	packet_set_net(out);
	h->tot_len = be16_make((u16)out->len);
	h->frag = be16_make(be16_get(h->frag) & IP4_DF);
	ip4_set_csum(h, ip4_header_len(h));
}

/*
 * P's payload lies at its data, from OFF on. Q's lock is held. The whole packet; NULL: P waits or
 * is gone.
 */
static struct packet *add(struct frag_queue *q, struct packet *p, u32 off, bool more)
{
	u32 to = off + p->len;
	struct packet *out = NULL;
	enum verdict v = SPOILT;

	if (q->dead || q->nr == FRAGS_MOST || (!more && q->last_came && to != q->end) ||
	    (!more && to < q->highest) || (q->last_came && to > q->end) || (more && p->len & 7) ||
	    !p->len || to > 65535)
		goto bad;
	v = put_in(q, p, off, to);
	if (v != WAITS)
		goto bad;
	q->have += p->len;
	q->nr++;
	q->highest = max(q->highest, to);
	q->truesize += p->truesize;
	q->longest = max(q->longest, (u16)min(p->len + IP4_HEADER, 65535u));
	atomic_long_add(p->truesize, &q->net->ip4->frags->bytes);
	if (!more) {
		q->last_came = true;
		q->end = to;
	}
	if (!q->last_came || q->have < q->end)
		return NULL;
	q->dead = true;
	out = whole(q);
	if (out)
		finish_header(out, q);
	net_count(q->net, out ? IP_REASM_OKS : IP_REASM_FAILS);
	empty(q, out ? DROP_CONSUMED : DROP_FRAG);
	return out;
bad:
	if (v == SPOILT && !q->dead) {
		net_count(q->net, IPEXT_REASM_OVERLAPS);
		net_count(q->net, IP_REASM_FAILS);
		q->dead = true;
		empty(q, DROP_FRAG);
	}
	packet_free(p, DROP_FRAG);
	return NULL;
}

struct packet *ip4_reassemble(struct net *net, struct packet *p)
{
	struct ip4_wire *h = (struct ip4_wire *)packet_data(p);
	struct ip4_cb cb = *ip4_cb(p);
	struct frag_key k = { h->src, h->dst, h->id, h->protocol,
			      ip4_is_link_local(h->src) || ip4_is_multicast(h->dst) ? (int)p->iif :
										      0 };
	bool more = be16_get(h->frag) & IP4_MF, was_dead, dies;
	u32 off = ip4_offset(h);
	struct netdev *d = p->dev;
	struct frag_queue *q;
	struct packet *out;
	u16 longest;

	net_count(net, IP_REASM_REQDS);
	q = atomic_long_read(&net->ip4->frags->bytes) < READ_ONCE(net->ip4->frag_high) ?
		    queue_get(net, &k) :
		    NULL;
	if (!q) {
		net_count(net, IP_REASM_FAILS);
		packet_free(p, DROP_FRAG);
		return NULL;
	}
	packet_pull(p, (u16)ip4_header_len(h));
	p->csum_state = PACKET_CSUM_NONE;
	spin_lock(&q->lock);
	was_dead = q->dead;
	out = add(q, p, off, more);
	dies = q->dead && !was_dead;
	longest = q->longest;
	spin_unlock(&q->lock);
	if (dies)
		retire(q);
	queue_put(q);
	if (out) {
		out->dev = d;
		cb.flags |= IP4_CB_REASSEMBLED;
		cb.frag_size = longest;
		*ip4_cb(out) = cb;
	}
	return out;
}

unsigned int ip4_frags_count(struct net *net)
{
	return (unsigned int)ghash_count(&net->ip4->frags->queues);
}

unsigned long ip4_frags_bytes(struct net *net)
{
	return (unsigned long)atomic_long_read(&net->ip4->frags->bytes);
}

/* ---- life ---- */

static void grow(struct wheel_timer *t)
{
	ghash_reserve(&container_of(t, struct ip4_frags, grow)->queues);
}

int ip4_frags_begin(struct net *net)
{
	struct ip4_frags *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return -ENOMEM;
	net->ip4->frags = f;
	net->ip4->frag_high = 4 << 20;
	net->ip4->frag_low = 3 << 20;
	net->ip4->frag_time_s = 30;
	net->ip4->frag_max_dist = 64;
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

void ip4_frags_end(struct net *net)
{
	struct ip4_frags *f = net->ip4->frags;
	u64 pos = 0;

	if (!f)
		return;
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
	net->ip4->frags = NULL;
	kfree(f);
}
