// SPDX-License-Identifier: MIT
/*
 * Red-black trees (Cormen et al., chapter 13). A node is red or black, the root is black, a red node
 * has black children, and every path to a leaf passes the same number of black nodes.
 *
 * Child pointers are written so that a reader without the lock always finds a tree without loops; it
 * may miss a subtree that is being rotated and must check with a sequence count.
 */
#include <lib/rbtree.h>

static bool augment_nothing(struct rb_node *n)
{
	return false;
}

static inline bool is_black(const struct rb_node *n)
{
	return !n || (n->parent_color & 1);
}

static inline bool is_red(const struct rb_node *n)
{
	return !is_black(n);
}

static inline void set_parent(struct rb_node *n, struct rb_node *p)
{
	n->parent_color = (unsigned long)p | (n->parent_color & 1);
}

static inline void set_black(struct rb_node *n) { n->parent_color |= 1; }
static inline void set_red(struct rb_node *n) { n->parent_color &= ~1UL; }

static void change_child(struct rb_node *old, struct rb_node *n, struct rb_node *parent, struct rb_root *root)
{
	if (!parent)
		WRITE_ONCE(root->node, n);
	else if (parent->left == old)
		WRITE_ONCE(parent->left, n);
	else
		WRITE_ONCE(parent->right, n);
}

/* X goes down to the left, its right child takes its place. */
static void rotate_left(struct rb_node *x, struct rb_root *root, rb_augment_fn augment)
{
	struct rb_node *y = x->right, *parent = rb_parent(x);

	WRITE_ONCE(x->right, y->left);
	if (y->left)
		set_parent(y->left, x);
	WRITE_ONCE(y->left, x);
	set_parent(y, parent);
	set_parent(x, y);
	change_child(x, y, parent, root);
	augment(x);
	augment(y);
}

static void rotate_right(struct rb_node *x, struct rb_root *root, rb_augment_fn augment)
{
	struct rb_node *y = x->left, *parent = rb_parent(x);

	WRITE_ONCE(x->left, y->right);
	if (y->right)
		set_parent(y->right, x);
	WRITE_ONCE(y->right, x);
	set_parent(y, parent);
	set_parent(x, y);
	change_child(x, y, parent, root);
	augment(x);
	augment(y);
}

void rb_augment_propagate(struct rb_node *n, rb_augment_fn augment)
{
	for (; n; n = rb_parent(n))
		augment(n);
}

static __always_inline void insert_fix(struct rb_node *n, struct rb_root *root, rb_augment_fn augment)
{
	struct rb_node *p, *g, *u;

	while ((p = rb_parent(n)) && is_red(p)) {
		g = rb_parent(p);	/* exists: a red node is never the root */
		if (p == g->left) {
			u = g->right;
			if (is_red(u)) {
				set_black(p);
				set_black(u);
				set_red(g);
				n = g;
				continue;
			}
			if (n == p->right) {
				rotate_left(p, root, augment);
				p = n;
			}
			set_black(p);
			set_red(g);
			rotate_right(g, root, augment);
			break;
		}
		u = g->left;
		if (is_red(u)) {
			set_black(p);
			set_black(u);
			set_red(g);
			n = g;
			continue;
		}
		if (n == p->left) {
			rotate_right(p, root, augment);
			p = n;
		}
		set_black(p);
		set_red(g);
		rotate_left(g, root, augment);
		break;
	}
	set_black(root->node);
}

void rb_insert_augmented(struct rb_node *n, struct rb_root *root, rb_augment_fn augment)
{
	rb_augment_propagate(n, augment);
	insert_fix(n, root, augment);
}

void rb_insert_raised(struct rb_node *n, struct rb_root *root, rb_augment_fn augment)
{
	insert_fix(n, root, augment);
}

void rb_insert_color(struct rb_node *n, struct rb_root *root)
{
	insert_fix(n, root, augment_nothing);
}

/* N (maybe NULL) under P is one black short. */
static void erase_fix(struct rb_node *n, struct rb_node *p, struct rb_root *root, rb_augment_fn augment)
{
	while (n != root->node && is_black(n)) {
		bool left = p->left == n;
		struct rb_node *s = left ? p->right : p->left;

		if (is_red(s)) {
			set_black(s);
			set_red(p);
			if (left)
				rotate_left(p, root, augment);
			else
				rotate_right(p, root, augment);
			s = left ? p->right : p->left;
		}
		if (is_black(s->left) && is_black(s->right)) {
			set_red(s);
			n = p;
			p = rb_parent(n);
			continue;
		}
		if (left) {
			if (is_black(s->right)) {
				set_black(s->left);
				set_red(s);
				rotate_right(s, root, augment);
				s = p->right;
			}
			s->parent_color = (s->parent_color & ~1UL) | (p->parent_color & 1);
			set_black(p);
			set_black(s->right);
			rotate_left(p, root, augment);
		} else {
			if (is_black(s->left)) {
				set_black(s->right);
				set_red(s);
				rotate_left(s, root, augment);
				s = p->left;
			}
			s->parent_color = (s->parent_color & ~1UL) | (p->parent_color & 1);
			set_black(p);
			set_black(s->left);
			rotate_right(p, root, augment);
		}
		n = root->node;
		break;
	}
	if (n)
		set_black(n);
}

static __always_inline void erase(struct rb_node *z, struct rb_root *root, rb_augment_fn augment)
{
	struct rb_node *x, *xp, *y = z;
	bool black;

	if (z->parent_color == 1 && !z->left && !z->right) {		/* the only one */
		WRITE_ONCE(root->node, NULL);
		return;
	}
	if (z->left && z->right) {
		y = z->right;
		while (y->left)
			y = y->left;
	}
	black = is_black(y);
	x = y->left ? y->left : y->right;
	xp = rb_parent(y);
	if (y == z) {
		if (x)
			set_parent(x, xp);
		change_child(z, x, xp, root);
	} else {
		if (xp == z) {
			xp = y;
		} else {
			if (x)
				set_parent(x, xp);
			WRITE_ONCE(xp->left, x);
			WRITE_ONCE(y->right, z->right);
			set_parent(z->right, y);
		}
		WRITE_ONCE(y->left, z->left);
		set_parent(z->left, y);
		change_child(z, y, rb_parent(z), root);
		y->parent_color = z->parent_color;
	}
	if (augment != augment_nothing)
		rb_augment_propagate(xp, augment);
	if (black)
		erase_fix(x, xp, root, augment);
}

void rb_erase_augmented(struct rb_node *n, struct rb_root *root, rb_augment_fn augment)
{
	erase(n, root, augment);
}

void rb_erase(struct rb_node *n, struct rb_root *root)
{
	erase(n, root, augment_nothing);
}

void rb_replace_node(struct rb_node *old, struct rb_node *n, struct rb_root *root)
{
	*n = *old;
	if (old->left)
		set_parent(old->left, n);
	if (old->right)
		set_parent(old->right, n);
	change_child(old, n, rb_parent(old), root);
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *n = root->node;

	while (n && n->left)
		n = n->left;
	return n;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *n = root->node;

	while (n && n->right)
		n = n->right;
	return n;
}

struct rb_node *rb_next(const struct rb_node *n)
{
	struct rb_node *p;

	if (n->right) {
		n = n->right;
		while (n->left)
			n = n->left;
		return (struct rb_node *)n;
	}
	while ((p = rb_parent(n)) && n == p->right)
		n = p;
	return p;
}

struct rb_node *rb_prev(const struct rb_node *n)
{
	struct rb_node *p;

	if (n->left) {
		n = n->left;
		while (n->right)
			n = n->right;
		return (struct rb_node *)n;
	}
	while ((p = rb_parent(n)) && n == p->left)
		n = p;
	return p;
}

static struct rb_node *deepest_left(const struct rb_node *n)
{
	for (;;) {
		if (n->left)
			n = n->left;
		else if (n->right)
			n = n->right;
		else
			return (struct rb_node *)n;
	}
}

struct rb_node *rb_first_postorder(const struct rb_root *root)
{
	return root->node ? deepest_left(root->node) : NULL;
}

struct rb_node *rb_next_postorder(const struct rb_node *n)
{
	struct rb_node *p = n ? rb_parent(n) : NULL;

	if (p && n == p->left && p->right)
		return deepest_left(p->right);
	return p;
}
