// SPDX-License-Identifier: MIT
/*
 * The VMAs that map a file, as an interval tree by file offset: a red-black tree by first page, each node
 * keeping the last page of its subtree. Guarded by the mapping's i_mmap_rwsem.
 */
#include "mm_priv.h"

static inline struct vma *to_vma(struct rb_node *n)
{
	return rb_entry(n, struct vma, shared_rb);
}
static inline pgoff_t vma_last(const struct vma *vma)
{
	return vma->vm_pgoff + vma_pages(vma) - 1;
}

static bool imap_augment(struct rb_node *n)
{
	struct vma *vma = to_vma(n);
	pgoff_t last = vma_last(vma);

	if (n->left)
		last = max(last, (pgoff_t)to_vma(n->left)->shared_last);
	if (n->right)
		last = max(last, (pgoff_t)to_vma(n->right)->shared_last);
	if (last == vma->shared_last)
		return false;
	vma->shared_last = last;
	return true;
}

void imap_insert(struct vma *vma, struct address_space *mapping)
{
	struct rb_node **link = &mapping->i_mmap.root.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = vma->vm_pgoff < to_vma(parent)->vm_pgoff ? &parent->left : &parent->right;
	}
	rb_link_node(&vma->shared_rb, parent, link);
	vma->shared_last = 0;
	rb_insert_augmented(&vma->shared_rb, &mapping->i_mmap.root, imap_augment);
	rb_augment_propagate(&vma->shared_rb, imap_augment);
}

void imap_remove(struct vma *vma, struct address_space *mapping)
{
	rb_erase_augmented(&vma->shared_rb, &mapping->i_mmap.root, imap_augment);
}

/* Leftmost in the subtree that reaches into [first, last]. */
static struct vma *subtree_search(struct rb_node *n, pgoff_t first, pgoff_t last)
{
	while (n) {
		struct vma *vma = to_vma(n);

		if (n->left && to_vma(n->left)->shared_last >= first) {
			n = n->left;
			continue;
		}
		if (vma->vm_pgoff > last)
			return NULL;
		if (vma_last(vma) >= first)
			return vma;
		n = n->right;
		if (n && to_vma(n)->shared_last < first)
			return NULL;
	}
	return NULL;
}

struct vma *imap_first(struct address_space *mapping, pgoff_t first, pgoff_t last)
{
	struct rb_node *root = mapping->i_mmap.root.node;

	if (!root || to_vma(root)->shared_last < first)
		return NULL;
	return subtree_search(root, first, last);
}

struct vma *imap_next(struct vma *vma, pgoff_t first, pgoff_t last)
{
	struct rb_node *n = &vma->shared_rb, *prev;

	for (;;) {
		if (n->right && to_vma(n->right)->shared_last >= first)
			return subtree_search(n->right, first, last);
		do {
			prev = n;
			n = rb_parent(n);
			if (!n)
				return NULL;
		} while (prev == n->right);
		vma = to_vma(n);
		if (vma->vm_pgoff > last)
			return NULL;
		if (vma_last(vma) >= first)
			return vma;
	}
}
