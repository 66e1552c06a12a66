// SPDX-License-Identifier: MIT
#include "fs/xfs/log/replay_priv.h"
#include <abi/errno.h>

void *xfs_ralloc(struct xfs_replay *r, size_t n)
{
	void *p;

	if (n > r->env->most - r->used)
		return NULL;
	p = r->env->alloc(r->env->ctx, n);
	if (p)
		r->used += n;
	return p;
}

void xfs_rfree(struct xfs_replay *r, void *p, size_t n)
{
	if (!p)
		return;
	r->used -= n;
	r->env->free(r->env->ctx, p, n);
}

static struct xfs_tnode **bucket_of(struct xfs_tnode **b, u32 cap, u64 key)
{
	return &b[(key * 0x9e3779b97f4a7c15ull >> 32) & (cap - 1)];
}

struct xfs_tnode *xfs_table_find(const struct xfs_table *t, u64 key)
{
	struct xfs_tnode *n = t->cap ? *bucket_of(t->buckets, t->cap, key) : NULL;

	while (n && n->key != key)
		n = n->next;
	return n;
}

static int grow(struct xfs_replay *r, struct xfs_table *t)
{
	u32 cap = t->cap ? t->cap * 2 : 64;
	struct xfs_tnode **b = xfs_ralloc(r, (size_t)cap * sizeof(*b));

	if (!b)
		return -ENOMEM;
	for (u32 i = 0; i < t->cap; i++) {
		while (t->buckets[i]) {
			struct xfs_tnode *n = t->buckets[i], **to = bucket_of(b, cap, n->key);

			t->buckets[i] = n->next;
			n->next = *to;
			*to = n;
		}
	}
	xfs_rfree(r, t->buckets, (size_t)t->cap * sizeof(*b));
	t->buckets = b;
	t->cap = cap;
	return 0;
}

int xfs_table_add(struct xfs_replay *r, struct xfs_table *t, struct xfs_tnode *n, u64 key)
{
	struct xfs_tnode **b;

	if (t->count == t->cap) {
		int e = grow(r, t);

		if (e)
			return e;
	}
	b = bucket_of(t->buckets, t->cap, key);
	n->key = key;
	n->next = *b;
	*b = n;
	t->count++;
	return 0;
}

void xfs_table_del(struct xfs_table *t, struct xfs_tnode *n)
{
	struct xfs_tnode **b = bucket_of(t->buckets, t->cap, n->key);

	while (*b != n)
		b = &(*b)->next;
	*b = n->next;
	t->count--;
}

struct xfs_tnode *xfs_table_pop(struct xfs_replay *r, struct xfs_table *t)
{
	struct xfs_tnode *n;

	if (!t->count) {
		xfs_rfree(r, t->buckets, (size_t)t->cap * sizeof(*t->buckets));
		*t = (struct xfs_table){ 0 };
		return NULL;
	}
	/* Buckets empty from the last on, so that all of it costs one walk. */
	if (!t->popped)
		t->popped = t->cap;
	while (!t->buckets[t->popped - 1])
		t->popped--;
	n = t->buckets[t->popped - 1];
	xfs_table_del(t, n);
	return n;
}
