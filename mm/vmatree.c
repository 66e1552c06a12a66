// SPDX-License-Identifier: MIT
/*
 * The range tree. Keys are start addresses; an inner key is the smallest below its slot. Unused keys are ~0, so a search needs no count. Nodes are split
 * when full: in half, or, when the insertion is at an end, so that the full node stays full (ascending
 * and descending growth, the common cases, pack nodes). Empty nodes go at once; sparse ones are kept.
 *
 * Every change is made between tree_begin and tree_end, which move the sequence count; nodes needed are
 * in the reserve before the change begins. Node memory comes through vt_node_alloc / vt_node_free, so
 * that the tests of this file run on the host.
 */
#include <lib/types.h>
#include <lib/atomic.h>
#include <lib/minmax.h>
#include <mm/vmatree.h>
#include "vmatree_priv.h"

#define LAST_KEY (~0ul - 1)		/* no area starts above it, and what is asked for must not be taken for an unused key */

struct path {
	struct vt_node *node[VT_MAX_DEPTH];
	unsigned int slot[VT_MAX_DEPTH];
	int top;			/* level of the root */
};

/* Largest i with key[i] <= addr, or 0. */
static inline unsigned int search(const struct vt_node *n, unsigned long addr)
{
	unsigned int i = 0;

	if (n->key[8] <= addr)
		i = 8;
	if (i + 4 < VT_SLOTS && n->key[i + 4] <= addr)
		i += 4;
	if (i + 2 < VT_SLOTS && n->key[i + 2] <= addr)
		i += 2;
	if (i + 1 < VT_SLOTS && n->key[i + 1] <= addr)
		i++;
	return i;
}

static inline void tree_begin(struct vma_tree *t)
{
	WRITE_ONCE(t->seq, t->seq + 1);
	smp_wmb();
}

static inline void tree_end(struct vma_tree *t)
{
	smp_wmb();
	WRITE_ONCE(t->seq, t->seq + 1);
}

struct vma *vt_floor(const struct vma_tree *t, unsigned long addr)
{
	struct vt_node *n = t->root;

	if (!n)
		return NULL;
	addr = min(addr, LAST_KEY);
	for (;;) {
		unsigned int i = search(n, addr);

		if (!n->level)
			return n->key[i] <= addr ? n->slot[i] : NULL;
		n = n->slot[i];
	}
}

struct vma *vt_first(const struct vma_tree *t)
{
	struct vt_node *n = t->root;

	while (n && n->level)
		n = n->slot[0];
	return n ? n->slot[0] : NULL;
}

struct vma *vt_floor_rcu(const struct vma_tree *t, unsigned long addr)
{
	unsigned int seq = READ_ONCE(t->seq);
	struct vt_node *n;

	if (seq & 1)
		return NULL;
	smp_rmb();
	addr = min(addr, LAST_KEY);
	n = READ_ONCE(((struct vma_tree *)t)->root);
	for (int depth = 0; n && depth < VT_MAX_DEPTH; depth++) {
		unsigned int i = search(n, addr);
		unsigned int level = READ_ONCE(n->level);
		bool hit = READ_ONCE(n->key[i]) <= addr;
		void *p = READ_ONCE(n->slot[i]);

		smp_rmb();
		if (READ_ONCE(t->seq) != seq)
			return NULL;
		if (!level)
			return hit ? p : NULL;
		n = p;
	}
	return NULL;
}

static void descend(struct vma_tree *t, unsigned long addr, struct path *p)
{
	struct vt_node *n = t->root;

	p->top = n->level;
	for (int l = n->level;; l--) {
		p->node[l] = n;
		p->slot[l] = search(n, addr);
		if (!l)
			return;
		n = n->slot[p->slot[l]];
	}
}

/* The smallest key of the path's node at level l changed: tell the levels above. */
static void fix_min(struct path *p, int l)
{
	unsigned long min = p->node[l]->key[0];

	while (l < p->top) {
		l++;
		p->node[l]->key[p->slot[l]] = min;
		if (p->slot[l])
			return;
	}
}

/* A gap in the path's leaf grew. A node's bound is at least those of its children: stop at the first that holds. */
static noinline void raise(const struct path *p, unsigned long gap)
{
	for (int l = 0; l <= p->top && p->node[l]->gap < gap; l++)
		p->node[l]->gap = gap;
}

void vt_gap_grew(struct vma_tree *t, unsigned long start, unsigned long gap)
{
	struct path p;

	descend(t, start, &p);
	raise(&p, gap);
}

/* The bound as it can be known from slot i. */
static inline unsigned long slot_gap(const struct vt_node *n, unsigned int i)
{
	return n->level ? ((const struct vt_node *)n->slot[i])->gap : vt_gap_below(n->slot[i]);
}

static void correct(struct vt_node *n)
{
	unsigned long most = 0;

	for (unsigned int i = 0; i < n->nr; i++)
		most = max(most, slot_gap(n, i));
	n->gap = most;
}

/*
 * Look at the slots in order, and into the nodes whose bound promises LEN bytes. After one was corrected it promises
 * them again only for what lies beyond addr: that is one node per level.
 */
static struct vma *gap_down(struct vt_node *n, unsigned long addr, unsigned long len)
{
	for (unsigned int i = search(n, addr) + 1; i-- > 0;) {
		struct vma *vma;

		if (slot_gap(n, i) < len || (!n->level && n->key[i] > addr))
			continue;
		vma = n->level ? gap_down(n->slot[i], addr, len) : n->slot[i];
		if (vma)
			return vma;
	}
	correct(n);
	return NULL;
}

static struct vma *gap_up(struct vt_node *n, unsigned long addr, unsigned long len)
{
	for (unsigned int i = search(n, addr); i < n->nr; i++) {
		struct vma *vma;

		if (slot_gap(n, i) < len || (!n->level && n->key[i] < addr))
			continue;
		vma = n->level ? gap_up(n->slot[i], addr, len) : n->slot[i];
		if (vma)
			return vma;
	}
	correct(n);
	return NULL;
}

struct vma *vt_gap_down(struct vma_tree *t, unsigned long addr, unsigned long len)
{
	t->searched = true;
	return t->root && t->root->gap >= len ? gap_down(t->root, min(addr, LAST_KEY), len) : NULL;
}

struct vma *vt_gap_up(struct vma_tree *t, unsigned long addr, unsigned long len)
{
	t->searched = true;
	return t->root && t->root->gap >= len ? gap_up(t->root, min(addr, LAST_KEY), len) : NULL;
}

int vt_reserve(struct vma_tree *t, unsigned int inserts)
{
	unsigned int want = inserts * ((t->root ? t->root->level + 1u : 0) + 1);

	while (t->reserve_nr < want) {
		struct vt_node *n = vt_node_alloc();

		if (!n)
			return -1;
		n->slot[0] = t->reserve;
		t->reserve = n;
		t->reserve_nr++;
	}
	return 0;
}

void vt_unreserve(struct vma_tree *t)
{
	while (t->reserve) {
		struct vt_node *n = t->reserve;

		t->reserve = n->slot[0];
		vt_node_free(n);
	}
	t->reserve_nr = 0;
}

static struct vt_node *node_new(struct vma_tree *t, unsigned int level)
{
	struct vt_node *n = t->reserve;

	t->reserve = n->slot[0];
	t->reserve_nr--;
	n->nr = 0;
	n->level = (u16)level;
	n->gap = ~0ul;
	for (unsigned int i = 0; i < VT_SLOTS; i++) {
		n->key[i] = ~0ul;
		n->slot[i] = NULL;
	}
	return n;
}

static void node_insert(struct vt_node *n, unsigned int at, unsigned long key, void *p)
{
	for (unsigned int i = n->nr; i > at; i--) {
		n->key[i] = n->key[i - 1];
		n->slot[i] = n->slot[i - 1];
	}
	n->key[at] = key;
	n->slot[at] = p;
	n->nr++;
}

static void node_remove(struct vt_node *n, unsigned int at)
{
	n->nr--;
	for (unsigned int i = at; i < n->nr; i++) {
		n->key[i] = n->key[i + 1];
		n->slot[i] = n->slot[i + 1];
	}
	n->key[n->nr] = ~0ul;
	n->slot[n->nr] = NULL;
}

/* Put (key, ptr) into the path's node at level l, at slot `at`; splits upwards. */
static void insert_at(struct vma_tree *t, struct path *p, int l, unsigned int at, unsigned long key, void *ptr)
{
	struct vt_node *n = p->node[l], *right, *root;
	unsigned int keep;

	if (n->nr < VT_SLOTS) {
		node_insert(n, at, key, ptr);
		return;
	}
	right = node_new(t, (unsigned int)l);
	right->gap = n->gap;
	keep = at == VT_SLOTS ? VT_SLOTS : at == 0 ? 0 : VT_SLOTS / 2;
	for (unsigned int i = keep; i < VT_SLOTS; i++) {
		right->key[i - keep] = n->key[i];
		right->slot[i - keep] = n->slot[i];
		n->key[i] = ~0ul;
		n->slot[i] = NULL;
	}
	right->nr = (u16)(VT_SLOTS - keep);
	n->nr = (u16)keep;
	if (at > keep || keep == VT_SLOTS)
		node_insert(right, at - keep, key, ptr);
	else
		node_insert(n, at, key, ptr);
	if (l == p->top) {
		root = node_new(t, (unsigned int)l + 1);
		root->gap = n->gap;
		node_insert(root, 0, n->key[0], n);
		node_insert(root, 1, right->key[0], right);
		smp_wmb();
		WRITE_ONCE(t->root, root);
		return;
	}
	insert_at(t, p, l + 1, p->slot[l + 1] + 1, right->key[0], right);
}

void vt_insert(struct vma_tree *t, unsigned long start, struct vma *vma)
{
	struct path p;
	unsigned int at;

	tree_begin(t);
	if (!t->root) {
		struct vt_node *n = node_new(t, 0);

		node_insert(n, 0, start, vma);
		smp_wmb();
		WRITE_ONCE(t->root, n);
		tree_end(t);
		return;
	}
	descend(t, start, &p);
	if (unlikely(t->searched))
		raise(&p, vt_gap_below(vma));
	at = p.slot[0];
	if (p.node[0]->key[at] < start)
		at++;
	else	/* a new minimum */
		for (int l = 1; l <= p.top; l++)
			if (p.node[l]->key[p.slot[l]] > start)
				p.node[l]->key[p.slot[l]] = start;
	insert_at(t, &p, 0, at, start, vma);
	tree_end(t);
}

void vt_append(struct vma_tree *t, struct vt_node **leaf, unsigned long start, struct vma *vma)
{
	struct vt_node *n = *leaf;
	struct path p;

	if (n && n->nr < VT_SLOTS) {
		/* No change that moves the sequence: a reader sees the VMA complete, or not yet. */
		WRITE_ONCE(n->key[n->nr], start);
		smp_store_release(&n->slot[n->nr], vma);
		n->nr++;
		return;
	}
	vt_insert(t, start, vma);
	descend(t, start, &p);
	*leaf = p.node[0];
}

void vt_erase(struct vma_tree *t, unsigned long start)
{
	struct vt_node *dead[2 * VT_MAX_DEPTH];
	unsigned int nr_dead = 0;
	struct path p;

	tree_begin(t);
	descend(t, start, &p);
	for (int l = 0; l <= p.top; l++) {
		struct vt_node *n = p.node[l];

		node_remove(n, p.slot[l]);
		if (n->nr) {
			if (!p.slot[l])
				fix_min(&p, l);
			break;
		}
		dead[nr_dead++] = n;
		if (l == p.top)
			WRITE_ONCE(t->root, NULL);
	}
	while (t->root && t->root->level && t->root->nr == 1) {
		dead[nr_dead++] = t->root;
		WRITE_ONCE(t->root, t->root->slot[0]);
	}
	tree_end(t);
	while (nr_dead)
		vt_node_free(dead[--nr_dead]);
}

void vt_rekey(struct vma_tree *t, unsigned long old_start, unsigned long new_start)
{
	struct path p;

	tree_begin(t);
	descend(t, old_start, &p);
	p.node[0]->key[p.slot[0]] = new_start;
	if (!p.slot[0])
		fix_min(&p, 0);
	tree_end(t);
}

static void destroy(struct vt_node *n)
{
	if (n->level)
		for (unsigned int i = 0; i < n->nr; i++)
			destroy(n->slot[i]);
	vt_node_free(n);
}

void vt_destroy(struct vma_tree *t)
{
	struct vt_node *root = t->root;

	if (root) {
		tree_begin(t);
		WRITE_ONCE(t->root, NULL);
		tree_end(t);
		destroy(root);
	}
	vt_unreserve(t);
}
