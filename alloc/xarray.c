// SPDX-License-Identifier: MIT
/*
 * The sparse array. A radix tree of 64-slot nodes: a node of shift s covers 64 << s indices; the head is
 * NULL, the entry of index 0 alone, or the root node (tagged 2). Slots of nodes above shift 0 hold tagged
 * nodes. Each node keeps one bit a slot and mark; a mark in a node is the OR of what is below.
 *
 * Readers walk under RCU: nodes are filled before they are published and freed after a grace
 * period. A root node is replaced (grown) by a higher one that has it in slot 0, so a reader that started
 * at the old root still finds what it covers. A leaf leaves the tree only once it is empty: whoever still
 * looks at one of its slots finds what is there, or NULL, and never what was there. A reader reads the
 * head once, because it may be another kind of thing the next time.
 *
 * Changes are made under xa_lock. Nodes are allocated before the change; if the lock had to be dropped
 * for that, the walk starts again.
 */
#include <alloc/xarray.h>
#include <alloc/slab.h>
#include <arch/page.h>
#include <abi/errno.h>
#include <kernel/bug.h>
#include <lib/minmax.h>
#include <lib/string.h>

struct xa_node {
	u8		shift;
	u8		offset;		/* slot in the parent */
	u8		count;		/* used slots */
	struct xa_node	*parent;	/* NULL: root */
	union {
		struct rcu_head	rcu;
		struct xa_node	*next_free;
	};
	void __rcu	*slots[XA_SLOTS];
	u64		marks[XA_MARKS];
};

static struct kmem_cache *node_cache;

static inline bool is_node(const void *e)
{
	return xa_is_internal(e);
}
static inline struct xa_node *to_node(const void *e)
{
	return (struct xa_node *)((unsigned long)e - 2);
}
static inline void *mk_node(const struct xa_node *n)
{
	return (void *)((unsigned long)n + 2);
}
static inline unsigned long node_max(const struct xa_node *n)
{
	unsigned int bits = n->shift + XA_SHIFT;

	return bits >= BITS_PER_LONG ? ~0ul : (1ul << bits) - 1;
}
static inline unsigned int slot_in(const struct xa_node *n, unsigned long index)
{
	return index >> n->shift & (XA_SLOTS - 1);
}
static inline void *head_of(const struct xarray *xa)
{
	return rcu_dereference(((struct xarray *)xa)->xa_head);
}

/* What writers see. (lock) */
static inline void *locked_head(const struct xarray *xa)
{
	return rcu_dereference_protected(xa->xa_head, lockdep_is_held(&xa->xa_lock));
}
static inline void *locked_slot(const struct xa_node *n, unsigned int slot)
{
	return rcu_dereference_protected(n->slots[slot], true);
}

static void node_free_rcu(struct rcu_head *head)
{
	kmem_cache_free(node_cache, container_of(head, struct xa_node, rcu));
}

static inline bool root_mark(const struct xarray *xa, xa_mark_t m)
{
	return xa->xa_flags >> (16 + m) & 1;
}
static inline void root_mark_set(struct xarray *xa, xa_mark_t m, bool on)
{
	if (on)
		xa->xa_flags |= 1u << (16 + m);
	else
		xa->xa_flags &= ~(1u << (16 + m));
}

/* Leaf node of index below head E, or NULL. (RCU or lock) */
static struct xa_node *leaf_of(void *e, unsigned long index)
{
	struct xa_node *n;

	if (!is_node(e))
		return NULL;
	n = to_node(e);
	if (index > node_max(n))
		return NULL;
	while (n->shift) {
		e = rcu_dereference(n->slots[slot_in(n, index)]);
		if (!e)
			return NULL;
		n = to_node(e);
	}
	return n;
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	struct xa_node *n;
	void *e;

	rcu_read_lock();
	e = head_of(xa);
	if (!is_node(e)) {
		if (index)
			e = NULL;
	} else {
		n = leaf_of(e, index);
		e = n ? rcu_dereference(n->slots[index & (XA_SLOTS - 1)]) : NULL;
	}
	rcu_read_unlock();
	return e;
}

void __rcu **xa_slots(struct xarray *xa, unsigned long index, unsigned int *n)
{
	void *head = head_of(xa);
	struct xa_node *leaf = leaf_of(head, index);
	unsigned int slot = index & (XA_SLOTS - 1);

	*n = min(*n, XA_SLOTS - slot);
	if (leaf)
		return &leaf->slots[slot];
	if (index || !head || is_node(head))
		return NULL;
	*n = 1;
	return &xa->xa_head;
}

bool xa_get_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	struct xa_node *n;
	bool on = false;
	void *e;

	rcu_read_lock();
	e = head_of(xa);
	if (!is_node(e)) {
		on = !index && root_mark(xa, mark);
	} else {
		n = leaf_of(e, index);
		if (n)
			on = READ_ONCE(n->marks[mark]) >> (index & (XA_SLOTS - 1)) & 1;
	}
	rcu_read_unlock();
	return on;
}

/* First used (and marked) slot at or after from; XA_SLOTS if none. */
static unsigned int next_slot(struct xa_node *n, unsigned int from, xa_mark_t filter)
{
	if (from >= XA_SLOTS)
		return XA_SLOTS;
	if (filter < XA_MARKS) {
		u64 m = READ_ONCE(n->marks[filter]) >> from << from;

		return m ? (unsigned int)__builtin_ctzll(m) : XA_SLOTS;
	}
	while (from < XA_SLOTS && !READ_ONCE(n->slots[from]))
		from++;
	return from;
}

/* First match at *index..max. (RCU or lock) */
static void *find_from(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter)
{
	unsigned long i = *index;

restart:
	if (i > max)
		return NULL;
	void *e = head_of(xa);

	if (!e)
		return NULL;
	if (!is_node(e)) {
		if (i || (filter < XA_MARKS && !root_mark(xa, filter)))
			return NULL;
		*index = 0;
		return e;
	}
	struct xa_node *n = to_node(e);

	if (i > node_max(n))
		return NULL;
	for (;;) {
		unsigned int want = slot_in(n, i), got = next_slot(n, want, filter);

		if (got == XA_SLOTS) {
			/* Nothing in the rest of this node: go on behind it. */
			unsigned long last = i | node_max(n);

			if (last >= max || last == ~0ul)
				return NULL;
			i = last + 1;
			goto restart;
		}
		if (got != want) {
			i = (i & ~node_max(n)) | ((unsigned long)got << n->shift);
			if (i > max)
				return NULL;
		}
		e = rcu_dereference(n->slots[got]);
		if (!n->shift) {
			if (!e) {
				if (i >= max)
					return NULL;
				i++;
				goto restart;
			}
			*index = i;
			return e;
		}
		if (!e) {
			/* Emptied under us. */
			unsigned long last = i | ((1ul << n->shift) - 1);

			if (last >= max)
				return NULL;
			i = last + 1;
			goto restart;
		}
		n = to_node(e);
	}
}

void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter)
{
	void *e;

	rcu_read_lock();
	e = find_from(xa, index, max, filter);
	rcu_read_unlock();
	return e;
}

void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter)
{
	if (*index >= max)
		return NULL;
	(*index)++;
	return xa_find(xa, index, max, filter);
}

unsigned int xa_extract_batch(struct xarray *xa, unsigned long *index, unsigned long max, xa_mark_t filter,
			      void **out, unsigned long *idx, unsigned int n)
{
	unsigned int got = 0;
	unsigned long i = *index;

	rcu_read_lock();
	while (got < n) {
		struct xa_node *leaf;
		void *e = find_from(xa, &i, max, filter);

		if (!e)
			break;
		if (idx)
			idx[got] = i;
		out[got++] = e;
		if (i == max)
			break;
		i++;
		/* Neighbours in the same leaf without another descent. */
		leaf = i & (XA_SLOTS - 1) ? leaf_of(head_of(xa), i) : NULL;
		while (leaf && got < n && i <= max) {
			unsigned int s = i & (XA_SLOTS - 1);

			e = rcu_dereference(leaf->slots[s]);
			if (!e || (filter < XA_MARKS && !(READ_ONCE(leaf->marks[filter]) >> s & 1)))
				break;
			if (idx)
				idx[got] = i;
			out[got++] = e;
			if (i == max || s == XA_SLOTS - 1)
				leaf = NULL;
			if (i == max) {
				*index = i;
				rcu_read_unlock();
				return got;
			}
			i++;
		}
	}
	rcu_read_unlock();
	*index = i;
	return got;
}

unsigned long xa_find_hole(struct xarray *xa, unsigned long index, unsigned long max)
{
	rcu_read_lock();
	while (index <= max && xa_load(xa, index)) {
		if (index == ~0ul) {
			rcu_read_unlock();
			return 0;
		}
		index++;
	}
	rcu_read_unlock();
	return index;
}

/* Nodes needed at most to store at index, given the tree as it is. */
static unsigned int nodes_needed(struct xarray *xa, unsigned long index)
{
	unsigned int levels = 1;
	void *e = locked_head(xa);
	struct xa_node *n;

	while (levels * XA_SHIFT < BITS_PER_LONG && index >> (levels * XA_SHIFT))
		levels++;
	if (!is_node(e))
		/* The first node, those above it, and a path down to another leaf. */
		return index || e ? 2 * levels - 1 : 0;
	n = to_node(e);
	if (index > node_max(n))
		return levels - (n->shift / XA_SHIFT + 1) + levels - 1;
	for (unsigned int need = n->shift / XA_SHIFT;; need--) {
		if (!need)
			return 0;
		e = locked_slot(n, slot_in(n, index));
		if (!e)
			return need;
		n = to_node(e);
	}
}

struct node_pool {
	struct xa_node *list;
	unsigned int nr;
};

static struct xa_node *pool_get(struct node_pool *p)
{
	struct xa_node *n = p->list;

	p->list = n->next_free;
	p->nr--;
	memset(n, 0, sizeof(*n));
	return n;
}

static void pool_put_all(struct node_pool *p)
{
	while (p->list) {
		struct xa_node *n = p->list;

		p->list = n->next_free;
		kmem_cache_free(node_cache, n);
	}
	p->nr = 0;
}

static bool pool_add(struct node_pool *p, gfp_t gfp)
{
	struct xa_node *n = kmem_cache_alloc(node_cache, gfp & ~__GFP_ZERO);

	if (!n)
		return false;
	n->next_free = p->list;
	p->list = n;
	p->nr++;
	return true;
}

static void lock_drop(struct xarray *xa) __releases(xa)
{
	if (xa->xa_flags & XA_FLAGS_LOCK_IRQ)
		xa_unlock_irq(xa);
	else
		xa_unlock(xa);
}

static void lock_take(struct xarray *xa) __acquires(xa)
{
	if (xa->xa_flags & XA_FLAGS_LOCK_IRQ)
		xa_lock_irq(xa);
	else
		xa_lock(xa);
}

/* Enough nodes for a store at index; may drop the lock, and then checks again. */
static int reserve(struct xarray *xa, unsigned long index, struct node_pool *p, gfp_t gfp) __must_hold(xa)
{
	for (;;) {
		unsigned int need = nodes_needed(xa, index);

		if (p->nr >= need)
			return 0;
		while (p->nr < need && pool_add(p, (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_NOWARN))
			;
		if (p->nr >= need)
			return 0;
		if (!gfpflags_allow_blocking(gfp))
			return -ENOMEM;
		lock_drop(xa);
		while (p->nr < need) {
			if (!pool_add(p, gfp)) {
				lock_take(xa);
				return -ENOMEM;
			}
		}
		lock_take(xa);
	}
}

static void node_set_marks_from_child(struct xa_node *n, unsigned int slot, const struct xa_node *child)
{
	for (int m = 0; m < XA_MARKS; m++)
		if (child->marks[m])
			n->marks[m] |= 1ull << slot;
}

/* The leaf for index, building the path from the pool. (lock) */
static struct xa_node *leaf_build(struct xarray *xa, unsigned long index, struct node_pool *p)
{
	void *e = locked_head(xa);
	struct xa_node *n;

	if (!is_node(e)) {
		n = pool_get(p);
		if (e) {
			RCU_INIT_POINTER(n->slots[0], e);
			n->count = 1;
			for (xa_mark_t m = 0; m < XA_MARKS; m++)
				n->marks[m] = root_mark(xa, m);
		} else {
			while (index > node_max(n))
				n->shift += XA_SHIFT;
		}
		rcu_assign_pointer(xa->xa_head, mk_node(n));
	} else {
		n = to_node(e);
	}
	while (index > node_max(n)) {
		struct xa_node *up = pool_get(p);

		up->shift = n->shift + XA_SHIFT;
		RCU_INIT_POINTER(up->slots[0], mk_node(n));
		up->count = 1;
		node_set_marks_from_child(up, 0, n);
		n->parent = up;
		n->offset = 0;
		rcu_assign_pointer(xa->xa_head, mk_node(up));
		n = up;
	}
	while (n->shift) {
		unsigned int s = slot_in(n, index);
		struct xa_node *child;

		e = locked_slot(n, s);
		if (!e) {
			child = pool_get(p);
			child->shift = n->shift - XA_SHIFT;
			child->offset = (u8)s;
			child->parent = n;
			n->count++;
			rcu_assign_pointer(n->slots[s], mk_node(child));
		} else {
			child = to_node(e);
		}
		n = child;
	}
	return n;
}

static void marks_clear_up(struct xarray *xa, struct xa_node *n, u64 slots, xa_mark_t m)
{
	for (;;) {
		if (!(n->marks[m] & slots))
			return;
		n->marks[m] &= ~slots;
		if (n->marks[m])
			return;
		if (!n->parent) {
			root_mark_set(xa, m, false);
			return;
		}
		slots = 1ull << n->offset;
		n = n->parent;
	}
}

static void mark_clear_up(struct xarray *xa, struct xa_node *n, unsigned int slot, xa_mark_t m)
{
	marks_clear_up(xa, n, 1ull << slot, m);
}

static void marks_set_up(struct xarray *xa, struct xa_node *n, u64 slots, xa_mark_t m)
{
	for (;;) {
		if (!(slots & ~n->marks[m]))
			return;
		n->marks[m] |= slots;
		if (!n->parent)
			break;
		slots = 1ull << n->offset;
		n = n->parent;
	}
	root_mark_set(xa, m, true);
}

/* Drop empty nodes upwards; lower the root to the node in slot 0 where it has only that. (lock) */
static void shrink(struct xarray *xa, struct xa_node *n)
{
	while (n && !n->count) {
		struct xa_node *up = n->parent;

		if (up) {
			rcu_assign_pointer(up->slots[n->offset], NULL);
			up->count--;
		} else {
			rcu_assign_pointer(xa->xa_head, NULL);
		}
		call_rcu(&n->rcu, node_free_rcu);
		n = up;
	}
	while (is_node(locked_head(xa))) {
		struct xa_node *root = to_node(locked_head(xa));
		void *e = locked_slot(root, 0);

		/* An entry stays in its leaf: readers who look at its slot there must see it go. */
		if (!root->shift || root->count != 1 || !e)
			return;
		to_node(e)->parent = NULL;
		rcu_assign_pointer(xa->xa_head, e);
		/* Readers still on this root see its slots as they were. */
		call_rcu(&root->rcu, node_free_rcu);
	}
}

/* Store with the path there or not needed. Returns the old entry. (lock) */
static void *store_prepared(struct xarray *xa, unsigned long index, void *entry, struct node_pool *p)
{
	struct xa_node *n;
	unsigned int s;
	void *old;

	if (!is_node(locked_head(xa)) && !index) {
		old = locked_head(xa);
		rcu_assign_pointer(xa->xa_head, entry);
		if (!entry)
			for (xa_mark_t m = 0; m < XA_MARKS; m++)
				root_mark_set(xa, m, false);
		return old;
	}
	n = entry ? leaf_build(xa, index, p) : leaf_of(locked_head(xa), index);
	if (!n)
		return NULL;
	s = index & (XA_SLOTS - 1);
	old = locked_slot(n, s);
	rcu_assign_pointer(n->slots[s], entry);
	if (entry && !old) {
		n->count++;
	} else if (!entry && old) {
		for (xa_mark_t m = 0; m < XA_MARKS; m++)
			mark_clear_up(xa, n, s, m);
		n->count--;
		if (n->count <= 1)
			shrink(xa, n);
	}
	return old;
}

/* Is a node needed at all? An entry at index 0 of an empty array is its own head. */
static bool direct(struct xarray *xa, unsigned long index)
{
	return !index && !is_node(locked_head(xa));
}

void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *want, void *entry, gfp_t gfp)
{
	struct node_pool pool = { NULL, 0 };
	void *old;

	if (entry && !direct(xa, index) && reserve(xa, index, &pool, gfp)) {
		pool_put_all(&pool);
		return ERR_PTR(-ENOMEM);
	}
	/* reserve may have dropped the lock: only now look. */
	old = xa_load(xa, index);
	if (old == want)
		store_prepared(xa, index, entry, &pool);
	pool_put_all(&pool);
	return old;
}

void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	struct node_pool pool = { NULL, 0 };
	void *old;

	if (entry && !direct(xa, index) && reserve(xa, index, &pool, gfp)) {
		pool_put_all(&pool);
		return ERR_PTR(-ENOMEM);
	}
	old = store_prepared(xa, index, entry, &pool);
	pool_put_all(&pool);
	return old;
}

int __xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	void *old = __xa_cmpxchg(xa, index, NULL, entry, gfp);

	if (IS_ERR(old))
		return (int)PTR_ERR(old);
	return old ? -EBUSY : 0;
}

void *__xa_erase(struct xarray *xa, unsigned long index)
{
	return store_prepared(xa, index, NULL, NULL);
}

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	void *old;

	lock_take(xa);
	old = __xa_store(xa, index, entry, gfp);
	lock_drop(xa);
	return old;
}

void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *want, void *entry, gfp_t gfp)
{
	void *old;

	lock_take(xa);
	old = __xa_cmpxchg(xa, index, want, entry, gfp);
	lock_drop(xa);
	return old;
}

int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	int err;

	lock_take(xa);
	err = __xa_insert(xa, index, entry, gfp);
	lock_drop(xa);
	return err;
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	void *old;

	lock_take(xa);
	old = __xa_erase(xa, index);
	lock_drop(xa);
	return old;
}

void __xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	struct xa_node *n;
	unsigned int s = index & (XA_SLOTS - 1);

	if (!is_node(locked_head(xa))) {
		if (!index && locked_head(xa))
			root_mark_set(xa, mark, true);
		return;
	}
	n = leaf_of(locked_head(xa), index);
	if (!n || !locked_slot(n, s))
		return;
	marks_set_up(xa, n, 1ull << s, mark);
}

void __xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	struct xa_node *n;

	if (!is_node(locked_head(xa))) {
		if (!index)
			root_mark_set(xa, mark, false);
		return;
	}
	n = leaf_of(locked_head(xa), index);
	if (n)
		mark_clear_up(xa, n, index & (XA_SLOTS - 1), mark);
}

/* ---- one entry at many indices: of one leaf, as they are aligned and no more than it has slots ---- */

static u64 run_slots(unsigned long index, unsigned int order)
{
	return (order == XA_SHIFT ? ~0ull : (1ull << (1u << order)) - 1) << (index & (XA_SLOTS - 1));
}

int __xa_insert_run(struct xarray *xa, unsigned long index, unsigned int order, void *entry, gfp_t gfp)
{
	unsigned long last = index + (1ul << order) - 1, found = index;
	struct node_pool pool = { NULL, 0 };
	struct xa_node *n;

	if (!order)
		return __xa_insert(xa, index, entry, gfp);
	if (reserve(xa, last, &pool, gfp)) {
		pool_put_all(&pool);
		return -ENOMEM;
	}
	/* reserve may have dropped the lock: only now look. */
	if (xa_find(xa, &found, last, XA_PRESENT)) {
		pool_put_all(&pool);
		return -EBUSY;
	}
	n = leaf_build(xa, last, &pool);
	for (unsigned int i = 0; i < 1u << order; i++)
		rcu_assign_pointer(n->slots[(index & (XA_SLOTS - 1)) + i], entry);
	n->count = (u8)(n->count + (1u << order));
	pool_put_all(&pool);
	return 0;
}

void __xa_erase_run(struct xarray *xa, unsigned long index, unsigned int order)
{
	struct xa_node *n;

	if (!order) {
		__xa_erase(xa, index);
		return;
	}
	n = leaf_of(locked_head(xa), index);
	for (unsigned int i = 0; i < 1u << order; i++)
		rcu_assign_pointer(n->slots[(index & (XA_SLOTS - 1)) + i], NULL);
	for (xa_mark_t m = 0; m < XA_MARKS; m++)
		marks_clear_up(xa, n, run_slots(index, order), m);
	n->count = (u8)(n->count - (1u << order));
	if (n->count <= 1)
		shrink(xa, n);
}

void __xa_set_mark_run(struct xarray *xa, unsigned long index, unsigned int order, xa_mark_t mark)
{
	if (order)
		marks_set_up(xa, leaf_of(locked_head(xa), index), run_slots(index, order), mark);
	else
		__xa_set_mark(xa, index, mark);
}

void __xa_clear_mark_run(struct xarray *xa, unsigned long index, unsigned int order, xa_mark_t mark)
{
	if (order)
		marks_clear_up(xa, leaf_of(locked_head(xa), index), run_slots(index, order), mark);
	else
		__xa_clear_mark(xa, index, mark);
}

void __xa_split_run(struct xarray *xa, unsigned long index, unsigned int order, void *first, size_t step)
{
	struct xa_node *n = leaf_of(locked_head(xa), index);

	for (unsigned int i = 0; i < 1u << order; i++)
		rcu_assign_pointer(n->slots[(index & (XA_SLOTS - 1)) + i], (void *)((char *)first + i * step));
}

void xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	lock_take(xa);
	__xa_set_mark(xa, index, mark);
	lock_drop(xa);
}

void xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	lock_take(xa);
	__xa_clear_mark(xa, index, mark);
	lock_drop(xa);
}

int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, gfp_t gfp)
{
	unsigned long i = limit.min;
	int err;

	if (xa->xa_flags & XA_FLAGS_ALLOC1 && !i)
		i = 1;
	lock_take(xa);
	for (;;) {
		i = xa_find_hole(xa, i, limit.max);
		if (i > limit.max) {
			err = -EBUSY;
			break;
		}
		err = __xa_insert(xa, i, entry, gfp);
		if (err != -EBUSY)
			break;
	}
	lock_drop(xa);
	if (!err)
		*id = (u32)i;
	return err;
}

int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit, u32 *next, gfp_t gfp)
{
	struct xa_limit upper = { max(*next, limit.min), limit.max };
	int err, wrapped = 0;

	err = upper.min > upper.max ? -EBUSY : xa_alloc(xa, id, entry, upper, gfp);
	if (err == -EBUSY && upper.min > limit.min) {
		err = xa_alloc(xa, id, entry, XA_LIMIT(limit.min, upper.min - 1), gfp);
		wrapped = 1;
	}
	if (err)
		return err;
	*next = *id + 1;
	return wrapped;
}

static void destroy_below(struct xa_node *n)
{
	if (n->shift)
		for (unsigned int i = 0; i < XA_SLOTS; i++)
			if (locked_slot(n, i))
				destroy_below(to_node(locked_slot(n, i)));
	call_rcu(&n->rcu, node_free_rcu);
}

void xa_destroy(struct xarray *xa)
{
	unsigned long flags;
	void *e;

	xa_lock_irqsave(xa, flags);
	e = locked_head(xa);
	rcu_assign_pointer(xa->xa_head, NULL);
	for (xa_mark_t m = 0; m < XA_MARKS; m++)
		root_mark_set(xa, m, false);
	xa_unlock_irqrestore(xa, flags);
	if (is_node(e))
		destroy_below(to_node(e));
}

void xarray_init(void)
{
	node_cache = kmem_cache_create("xa_node", sizeof(struct xa_node), 64, SLAB_PANIC | SLAB_RECLAIM_ACCOUNT,
				       NULL);
}
