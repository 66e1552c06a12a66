// SPDX-License-Identifier: MIT
/*
 * Memory slots (kvm/slot.h). By frame: a plain tree, as slots do not overlap there. By address: an
 * interval tree, in which each node knows the last address of its subtree; equal first addresses
 * are ordered by frame, so that each slot has one place.
 */
#include <lib/atomic.h>
#include <lib/minmax.h>
#include <lib/rbtree.h>
#include <kvm/slot.h>

#define FRAME_SHIFT 12			/* not a page of the host: a guest's frame */

static unsigned long last_of(const struct kvm_slot *s)
{
	return s->hva + (s->pages << FRAME_SHIFT) - 1;
}

/* The slot whose node of set N this is. */
static struct kvm_slot *of_gfn(unsigned int n, struct rb_node *node)
{
	return n ? container_of(node, struct kvm_slot, in[1].by_gfn) :
		   container_of(node, struct kvm_slot, in[0].by_gfn);
}

static struct kvm_slot *of_hva(unsigned int n, struct rb_node *node)
{
	return n ? container_of(node, struct kvm_slot, in[1].by_hva) :
		   container_of(node, struct kvm_slot, in[0].by_hva);
}

static unsigned long last_below(unsigned int n, struct rb_node *node)
{
	return node ? of_hva(n, node)->in[n].last : 0;
}

static bool augment(unsigned int n, struct rb_node *node)
{
	struct kvm_slot *s = of_hva(n, node);
	unsigned long last =
		max(last_of(s), max(last_below(n, node->left), last_below(n, node->right)));

	if (s->in[n].last == last)
		return false;
	s->in[n].last = last;
	return true;
}

static bool augment0(struct rb_node *node)
{
	return augment(0, node);
}

static bool augment1(struct rb_node *node)
{
	return augment(1, node);
}

static const rb_augment_fn augments[2] = { augment0, augment1 };

void kvm_slots_init(struct kvm_slot_map *m)
{
	*m = (struct kvm_slot_map){ .set[1].n = 1, .active = &m->set[0] };
}

const struct kvm_slot_set *kvm_slots_active(const struct kvm_slot_map *m)
{
	return smp_load_acquire(&m->active);
}

struct kvm_slot *kvm_slot_at(const struct kvm_slot_set *s, u64 gfn)
{
	struct rb_node *node = s->by_gfn.node;

	while (node) {
		struct kvm_slot *slot = of_gfn(s->n, node);

		if (gfn < slot->gfn)
			node = node->left;
		else if (gfn - slot->gfn >= slot->pages)
			node = node->right;
		else
			return slot;
	}
	return NULL;
}

struct kvm_slot *kvm_slot_from(const struct kvm_slot_set *s, u64 gfn)
{
	struct rb_node *node = s->by_gfn.node;
	struct kvm_slot *low = NULL;

	while (node) {
		struct kvm_slot *slot = of_gfn(s->n, node);

		if (slot->gfn + slot->pages > gfn) {
			low = slot;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return low;
}

/*
 * The lowest at or below NODE, which has one that ends at FIRST or later; NULL if it begins behind
 * LAST.
 */
static struct kvm_slot *descend(unsigned int n, struct rb_node *node, unsigned long first,
				unsigned long last)
{
	for (;;) {
		struct kvm_slot *s = of_hva(n, node);

		if (node->left && last_below(n, node->left) >= first) {
			node = node->left;
			continue;
		}
		if (s->hva > last)
			return NULL;
		if (last_of(s) >= first)
			return s;
		node = node->right;
	}
}

struct kvm_slot *kvm_slot_first(const struct kvm_slot_set *s, unsigned long first,
				unsigned long last)
{
	struct rb_node *root = s->by_hva.node;

	return root && last_below(s->n, root) >= first ? descend(s->n, root, first, last) : NULL;
}

struct kvm_slot *kvm_slot_next(const struct kvm_slot_set *s, const struct kvm_slot *slot,
			       unsigned long first, unsigned long last)
{
	unsigned int n = s->n;
	struct rb_node *node = (struct rb_node *)&slot->in[n].by_hva, *from;

	if (node->right && last_below(n, node->right) >= first)
		return descend(n, node->right, first, last);
	for (;;) {
		struct kvm_slot *up;

		from = node;
		node = rb_parent(node);
		if (!node)
			return NULL;
		if (from == node->right)
			continue;
		up = of_hva(n, node);
		if (up->hva > last)
			return NULL;
		if (last_of(up) >= first)
			return up;
		if (node->right && last_below(n, node->right) >= first)
			return descend(n, node->right, first, last);
	}
}

struct kvm_slot *kvm_slot_lowest(const struct kvm_slot_set *s)
{
	struct rb_node *node = rb_first(&s->by_gfn);

	return node ? of_gfn(s->n, node) : NULL;
}

struct kvm_slot *kvm_slot_above(const struct kvm_slot_set *s, const struct kvm_slot *slot)
{
	struct rb_node *node = rb_next(&slot->in[s->n].by_gfn);

	return node ? of_gfn(s->n, node) : NULL;
}

static void insert(struct kvm_slot_set *s, struct kvm_slot *slot)
{
	struct rb_node **link = &s->by_gfn.node, *parent = NULL;
	unsigned int n = s->n;

	while (*link) {
		parent = *link;
		link = slot->gfn < of_gfn(n, parent)->gfn ? &parent->left : &parent->right;
	}
	rb_link_node(&slot->in[n].by_gfn, parent, link);
	rb_insert_color(&slot->in[n].by_gfn, &s->by_gfn);
	link = &s->by_hva.node;
	parent = NULL;
	while (*link) {
		struct kvm_slot *at = of_hva(n, *link);

		parent = *link;
		link = slot->hva < at->hva || (slot->hva == at->hva && slot->gfn < at->gfn) ?
			       &parent->left :
			       &parent->right;
	}
	slot->in[n].last = 0;
	rb_link_node(&slot->in[n].by_hva, parent, link);
	rb_insert_augmented(&slot->in[n].by_hva, &s->by_hva, augments[n]);
}

static void change(struct kvm_slot_map *m, struct kvm_slot_set *s)
{
	if (m->gone) {
		rb_erase(&m->gone->in[s->n].by_gfn, &s->by_gfn);
		rb_erase_augmented(&m->gone->in[s->n].by_hva, &s->by_hva, augments[s->n]);
	}
	if (m->come)
		insert(s, m->come);
}

void kvm_slots_replace(struct kvm_slot_map *m, struct kvm_slot *gone, struct kvm_slot *come)
{
	struct kvm_slot_set *other = &m->set[!m->active->n];

	m->gone = gone;
	m->come = come;
	m->behind = true;
	m->pages += (come ? come->pages : 0) - (gone ? gone->pages : 0);
	change(m, other);
	smp_store_release(&m->active, other);
}

void kvm_slots_settle(struct kvm_slot_map *m)
{
	change(m, &m->set[!m->active->n]);
	m->gone = m->come = NULL;
	m->behind = false;
}
