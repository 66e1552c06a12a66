// SPDX-License-Identifier: MIT
/*
 * The tables in which sockets are found: inet_priv.h. Hashes are keyed: who sends chooses addresses
 * and ports.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/random.h>
#include <abi/errno.h>
#include "net/inet/inet_priv.h"

#define LOOKS 256u		/* at entries under one hold of a bucket's lock */

int inet_table_init(struct inet_table *t)
{
	int err = ghash_init(&t->connected, 4);

	get_random_bytes(&t->key, sizeof(t->key));
	if (!err)
		err = ghash_init(&t->bound, 4);
	if (!err)
		err = ghash_init(&t->ports, 4);
	if (err)
		inet_table_destroy(t);
	return err;
}

void inet_table_destroy(struct inet_table *t)
{
	ghash_destroy(&t->connected);
	ghash_destroy(&t->bound);
	ghash_destroy(&t->ports);
}

/* ---- walks ---- */

/* What E's socket was made as, or for one that has none, what its ends are. */
static u16 family_of(struct inet_entry *e)
{
	return e->kind == INET_FULL ? inet_of_entry(e)->sk.family : e->family;
}

static void note(struct inet_walk *w, struct inet_entry *e)
{
	if (w->full || w->seen++ < w->skip)
		return;
	if (w->nr == ARRAY_SIZE(w->found) || w->looked++ == LOOKS) {
		w->full = true;
		w->seen--;
	} else if (family_of(e) == w->family && inet_entry_get(e)) {
		w->found[w->nr++] = e;
	}
}

static void note_bound(struct ghash_node *n, void *arg)
{
	struct inet_sock *s = container_of(n, struct inet_sock, bound);
	struct inet_walk *w = arg;
	u32 i, nr = inet_bound_members(s);

	i = w->skip > w->seen ? min(w->skip - w->seen, nr) : 0;
	w->seen += i;
	for (; i < nr && !w->full; i++)
		note(w, &inet_bound_member(s, i)->e);
}

static void note_connected(struct ghash_node *n, void *arg)
{
	note(arg, container_of(n, struct inet_entry, node));
}

void inet_walk_end(struct inet_walk *w)
{
	for (unsigned int i = 0; i < w->nr; i++)
		inet_entry_put(w->table, w->found[i]);
	w->nr = 0;
}

bool inet_walk_next(struct inet_walk *w)
{
	u64 at;

	inet_walk_end(w);
	while (!w->nr && w->pos < GHASH_END) {
		at = w->pos;
		w->full = false;
		w->seen = 0;
		w->looked = 0;
		ghash_walk(w->bound ? &w->table->bound : &w->table->connected, &w->pos,
			   w->bound ? note_bound : note_connected, w);
		w->skip = w->full ? w->seen : 0;
		if (w->full)
			w->pos = at;	/* there are more in this bucket */
	}
	return w->nr;
}

/* ---- life ---- */

void inet_table_reserve(struct inet_table *t)
{
	ghash_reserve(&t->connected);
	ghash_reserve(&t->bound);
}

void inet_entry_put(struct inet_table *t, struct inet_entry *e)
{
	if (e->kind == INET_FULL)
		sock_put(&inet_of_entry(e)->sk);
	else if (refcount_dec_and_test(&e->refs))
		t->entry_free(e);
}

u32 inet_connected_hash(const struct inet_table *t, be32 local, be16 local_port, be32 peer,
			be16 peer_port)
{
	const u64 w[2] = { (u64)local.v << 32 | peer.v, (u64)local_port.v << 16 | peer_port.v };

	return (u32)siphash_13(&t->key, w, 2);
}

static u32 entry_hash(const struct inet_table *t, const struct inet_entry *e)
{
	return inet_connected_hash(t, e->local, e->local_port, e->peer, e->peer_port);
}

static bool same_ends(const struct inet_entry *a, const struct inet_entry *b)
{
	return a->local.v == b->local.v && a->peer.v == b->peer.v &&
	       a->local_port.v == b->local_port.v && a->peer_port.v == b->peer_port.v &&
	       a->net == b->net && a->family == b->family && a->bound_dev == b->bound_dev &&
	       (!a->v6 || !memcmp(a->v6, b->v6, sizeof(*a->v6)));
}

int inet_connected_add(struct inet_table *t, struct inet_entry *e, struct inet_entry **was)
{
	u32 hash = entry_hash(t, e);
	unsigned long *b = ghash_lock(&t->connected, hash);
	struct inet_entry *o;

	if (was)
		*was = NULL;
	ghash_for_each(o, b, hash, node)
		if (same_ends(o, e)) {
			if (was && inet_entry_get(o))
				*was = o;
			ghash_unlock(b);
			return -EADDRNOTAVAIL;
		}
	ghash_add(&t->connected, b, &e->node, hash);
	ghash_unlock(b);
	return 0;
}

void inet_connected_add_also(struct inet_table *t, struct inet_entry *e)
{
	u32 hash = entry_hash(t, e);
	unsigned long *b = ghash_lock(&t->connected, hash);

	ghash_add(&t->connected, b, &e->node, hash);
	ghash_unlock(b);
}

bool inet_connected_del(struct inet_table *t, struct inet_entry *e)
{
	unsigned long *b;
	bool was;

	if (ghash_unhashed(&e->node))
		return false;
	b = ghash_lock(&t->connected, e->node.hash);
	was = !ghash_unhashed(&e->node);
	if (was)
		ghash_del_locked(&t->connected, &e->node);
	ghash_unlock(b);
	return was;
}

bool inet_connected_replace(struct inet_table *t, struct inet_entry *old, struct inet_entry *now)
{
	u32 hash = entry_hash(t, old);
	unsigned long *b = ghash_lock(&t->connected, hash);
	bool was = !ghash_unhashed(&old->node);

	if (was) {
		ghash_add(&t->connected, b, &now->node, hash);
		ghash_del_locked(&t->connected, &old->node);
	}
	ghash_unlock(b);
	return was;
}

static bool matches(const struct inet_entry *e, const struct inet_key *k)
{
	if (e->peer.v != k->peer.v || e->local.v != k->local.v ||
	    e->local_port.v != k->local_port.v || e->peer_port.v != k->peer_port.v ||
	    e->net != k->net || (e->bound_dev && e->bound_dev != k->dif))
		return false;
	return likely(!k->v6) ? !e->v6 : e->v6 && !memcmp(e->v6, k->v6, sizeof(*k->v6));
}

struct inet_entry *inet_connected_find(struct inet_table *t, const struct inet_key *k)
{
	u32 hash = inet_connected_hash(t, k->local, k->local_port, k->peer, k->peer_port),
	    seq = ghash_read_begin(&t->connected);
	struct inet_entry *e, *found = NULL;
	unsigned long *b;

	ghash_for_each_rcu(e, &t->connected, hash, node)
		if (matches(e, k) && inet_entry_get(e))
			return e;
	if (likely(!ghash_read_retry(&t->connected, seq)))
		return NULL;
	b = ghash_lock(&t->connected, hash);
	ghash_for_each(e, b, hash, node)
		if (matches(e, k) && inet_entry_get(e)) {
			found = e;
			break;
		}
	ghash_unlock(b);
	return found;
}
