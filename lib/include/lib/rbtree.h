/* SPDX-License-Identifier: MIT */
/*
 * Intrusive red-black trees, with an optional cached leftmost node and an optional augmentation
 * (a value kept per subtree, such as the largest end of an interval).
 */
#pragma once

#include <lib/types.h>

struct rb_node {
	unsigned long parent_color;	/* parent | 1 when black */
	struct rb_node *right, *left;
} __aligned(8);

struct rb_root {
	struct rb_node *node;
};

struct rb_root_cached {
	struct rb_root root;
	struct rb_node *leftmost;
};

#define RB_ROOT (struct rb_root){ NULL }
#define RB_ROOT_CACHED (struct rb_root_cached){ { NULL }, NULL }
#define rb_entry(p, type, m) container_of(p, type, m)
#define rb_entry_safe(p, type, m) ({ struct rb_node *__rp = (p); __rp ? rb_entry(__rp, type, m) : NULL; })
#define rb_parent(n) ((struct rb_node *)((n)->parent_color & ~3UL))
#define RB_EMPTY_ROOT(r) (READ_ONCE((r)->node) == NULL)
#define RB_EMPTY_NODE(n) ((n)->parent_color == (unsigned long)(n))
#define RB_CLEAR_NODE(n) ((n)->parent_color = (unsigned long)(n))

static inline void rb_link_node(struct rb_node *n, struct rb_node *parent, struct rb_node **link)
{
	n->parent_color = (unsigned long)parent;
	n->left = n->right = NULL;
	*link = n;
}

/* Recomputes N's augmented value from N and its children; true when it changed. */
typedef bool (*rb_augment_fn)(struct rb_node *n);

void rb_insert_augmented(struct rb_node *n, struct rb_root *root, rb_augment_fn augment);
/* The same where the values of N and of all above it are right already: the caller went by them on its way to N's place. */
void rb_insert_raised(struct rb_node *n, struct rb_root *root, rb_augment_fn augment);
void rb_erase_augmented(struct rb_node *n, struct rb_root *root, rb_augment_fn augment);
/* After N's own key value changed: recomputes N and its ancestors. */
void rb_augment_propagate(struct rb_node *n, rb_augment_fn augment);
void rb_insert_color(struct rb_node *n, struct rb_root *root);
void rb_erase(struct rb_node *n, struct rb_root *root);
void rb_replace_node(struct rb_node *old, struct rb_node *n, struct rb_root *root);

struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *n);
struct rb_node *rb_prev(const struct rb_node *n);

#define rb_first_cached(r) ((r)->leftmost)

static inline void rb_insert_color_cached(struct rb_node *n, struct rb_root_cached *r, bool leftmost)
{
	if (leftmost)
		r->leftmost = n;
	rb_insert_color(n, &r->root);
}

static inline void rb_erase_cached(struct rb_node *n, struct rb_root_cached *r)
{
	if (r->leftmost == n)
		r->leftmost = rb_next(n);
	rb_erase(n, &r->root);
}

/* Inserts N by LESS, behind its equals. */
static __always_inline void rb_add(struct rb_node *n, struct rb_root *r, bool (*less)(struct rb_node *, const struct rb_node *))
{
	struct rb_node **link = &r->node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = less(n, parent) ? &parent->left : &parent->right;
	}
	rb_link_node(n, parent, link);
	rb_insert_color(n, r);
}

/* Inserts N by LESS; returns true when it became the leftmost. */
static inline bool rb_add_cached(struct rb_node *n, struct rb_root_cached *r,
				 bool (*less)(struct rb_node *, const struct rb_node *))
{
	struct rb_node **link = &r->root.node, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (less(n, parent)) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_link_node(n, parent, link);
	rb_insert_color_cached(n, r, leftmost);
	return leftmost;
}

#define rbtree_postorder_for_each_entry_safe(p, n, root, m)				\
	for ((p) = rb_entry_safe(rb_first_postorder(root), __typeof__(*(p)), m);	\
	     (p) && ({ (n) = rb_entry_safe(rb_next_postorder(&(p)->m), __typeof__(*(p)), m); 1; }); \
	     (p) = (n))
struct rb_node *rb_first_postorder(const struct rb_root *root);
struct rb_node *rb_next_postorder(const struct rb_node *n);
