/* SPDX-License-Identifier: MIT */
/*
 * Intrusive doubly linked lists: circular with a head (list) and with a one-pointer head for hash
 * buckets (hlist). The _rcu forms publish with release order and are walked under rcu_read_lock().
 */
#pragma once

#include <lib/types.h>

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)
#define LIST_POISON1 ((void *)0xdead000000000100UL)
#define LIST_POISON2 ((void *)0xdead000000000122UL)

#ifdef CONFIG_DEBUG
/* Checks the neighbours before a link changes; reports and answers false on corruption. */
bool list_check_add(const struct list_head *n, const struct list_head *prev, const struct list_head *next);
bool list_check_del(const struct list_head *e);
#else
static inline bool list_check_add(const struct list_head *n, const struct list_head *prev,
				  const struct list_head *next) { return true; }
static inline bool list_check_del(const struct list_head *e) { return true; }
#endif

static inline void INIT_LIST_HEAD(struct list_head *h)
{
	WRITE_ONCE(h->next, h);
	h->prev = h;
}

static inline void __list_link(struct list_head *n, struct list_head *prev, struct list_head *next)
{
	if (!list_check_add(n, prev, next))
		return;
	next->prev = n;
	n->next = next;
	n->prev = prev;
	WRITE_ONCE(prev->next, n);
}

static inline void __list_unlink(struct list_head *prev, struct list_head *next)
{
	next->prev = prev;
	WRITE_ONCE(prev->next, next);
}

static inline void list_add(struct list_head *n, struct list_head *h) { __list_link(n, h, h->next); }
static inline void list_add_tail(struct list_head *n, struct list_head *h) { __list_link(n, h->prev, h); }

static inline void list_del(struct list_head *e)
{
	if (list_check_del(e))
		__list_unlink(e->prev, e->next);
	e->next = LIST_POISON1;
	e->prev = LIST_POISON2;
}

static inline void list_del_init(struct list_head *e)
{
	if (list_check_del(e))
		__list_unlink(e->prev, e->next);
	INIT_LIST_HEAD(e);
}

static inline void list_replace(struct list_head *old, struct list_head *n)
{
	n->next = old->next;
	n->next->prev = n;
	n->prev = old->prev;
	n->prev->next = n;
}

static inline void list_move(struct list_head *e, struct list_head *h)
{
	__list_unlink(e->prev, e->next);
	list_add(e, h);
}

static inline void list_move_tail(struct list_head *e, struct list_head *h)
{
	__list_unlink(e->prev, e->next);
	list_add_tail(e, h);
}

static inline bool list_empty(const struct list_head *h) { return READ_ONCE(h->next) == h; }
static inline bool list_is_singular(const struct list_head *h) { return !list_empty(h) && h->next == h->prev; }
static inline bool list_is_last(const struct list_head *e, const struct list_head *h) { return e->next == h; }
static inline bool list_is_head(const struct list_head *e, const struct list_head *h) { return e == h; }

static inline void list_splice(struct list_head *from, struct list_head *h)
{
	if (list_empty(from))
		return;
	from->prev->next = h->next;
	h->next->prev = from->prev;
	from->next->prev = h;
	h->next = from->next;
}

static inline void list_splice_init(struct list_head *from, struct list_head *h)
{
	list_splice(from, h);
	INIT_LIST_HEAD(from);
}

static inline void list_splice_tail_init(struct list_head *from, struct list_head *h)
{
	if (!list_empty(from)) {
		from->next->prev = h->prev;
		h->prev->next = from->next;
		from->prev->next = h;
		h->prev = from->prev;
	}
	INIT_LIST_HEAD(from);
}

#define list_entry(p, type, m) container_of(p, type, m)
#define list_first_entry(h, type, m) list_entry((h)->next, type, m)
#define list_last_entry(h, type, m) list_entry((h)->prev, type, m)
#define list_first_entry_or_null(h, type, m) (list_empty(h) ? NULL : list_first_entry(h, type, m))
#define list_next_entry(p, m) list_entry((p)->m.next, __typeof__(*(p)), m)
#define list_prev_entry(p, m) list_entry((p)->m.prev, __typeof__(*(p)), m)
#define list_entry_is_head(p, h, m) (&(p)->m == (h))

#define list_for_each(p, h) for ((p) = (h)->next; (p) != (h); (p) = (p)->next)
#define list_for_each_safe(p, n, h) \
	for ((p) = (h)->next, (n) = (p)->next; (p) != (h); (p) = (n), (n) = (p)->next)
#define list_for_each_entry(p, h, m) \
	for ((p) = list_entry((h)->next, __typeof__(*(p)), m); &(p)->m != (h); (p) = list_next_entry(p, m))
#define list_for_each_entry_reverse(p, h, m) \
	for ((p) = list_entry((h)->prev, __typeof__(*(p)), m); &(p)->m != (h); (p) = list_prev_entry(p, m))
#define list_for_each_entry_safe(p, n, h, m) \
	for ((p) = list_entry((h)->next, __typeof__(*(p)), m), (n) = list_next_entry(p, m); \
	     &(p)->m != (h); (p) = (n), (n) = list_next_entry(n, m))
#define list_for_each_entry_continue(p, h, m) \
	for ((p) = list_next_entry(p, m); &(p)->m != (h); (p) = list_next_entry(p, m))
#define list_for_each_entry_safe_reverse(p, n, h, m) \
	for ((p) = list_entry((h)->prev, __typeof__(*(p)), m), (n) = list_entry((p)->m.prev, __typeof__(*(p)), m); \
	     &(p)->m != (h); (p) = (n), (n) = list_entry((n)->m.prev, __typeof__(*(n)), m))
#define list_for_each_entry_from(p, h, m) \
	for (; &(p)->m != (h); (p) = list_next_entry(p, m))

static inline void list_add_rcu(struct list_head *n, struct list_head *h)
{
	n->next = h->next;
	n->prev = h;
	__atomic_store_n(&h->next, n, __ATOMIC_RELEASE);
	n->next->prev = n;
}

static inline void list_add_tail_rcu(struct list_head *n, struct list_head *h)
{
	struct list_head *prev = h->prev;

	n->next = h;
	n->prev = prev;
	__atomic_store_n(&prev->next, n, __ATOMIC_RELEASE);
	h->prev = n;
}

/* Readers may still stand on E: its next pointer stays. */
static inline void list_del_rcu(struct list_head *e)
{
	__list_unlink(e->prev, e->next);
	e->prev = LIST_POISON2;
}

/* N takes the place of OLD, whose next pointer stays for readers who stand on it. */
static inline void list_replace_rcu(struct list_head *old, struct list_head *n)
{
	n->next = old->next;
	n->prev = old->prev;
	__atomic_store_n(&n->prev->next, n, __ATOMIC_RELEASE);
	n->next->prev = n;
	old->prev = LIST_POISON2;
}

#define list_entry_rcu(p, type, m) container_of(__atomic_load_n(&(p), __ATOMIC_CONSUME), type, m)
#define list_for_each_entry_rcu(p, h, m) \
	for ((p) = list_entry_rcu((h)->next, __typeof__(*(p)), m); &(p)->m != (h); \
	     (p) = list_entry_rcu((p)->m.next, __typeof__(*(p)), m))

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

#define HLIST_HEAD_INIT { NULL }
#define HLIST_HEAD(name) struct hlist_head name = HLIST_HEAD_INIT
#define INIT_HLIST_HEAD(h) ((h)->first = NULL)

static inline void INIT_HLIST_NODE(struct hlist_node *n)
{
	n->next = NULL;
	n->pprev = NULL;
}

static inline bool hlist_unhashed(const struct hlist_node *n) { return !READ_ONCE(n->pprev); }
static inline bool hlist_empty(const struct hlist_head *h) { return !READ_ONCE(h->first); }

static inline void hlist_add_head(struct hlist_node *n, struct hlist_head *h)
{
	struct hlist_node *first = h->first;

	n->next = first;
	n->pprev = &h->first;
	if (first)
		first->pprev = &n->next;
	WRITE_ONCE(h->first, n);
}

static inline void __hlist_del(struct hlist_node *n)
{
	struct hlist_node *next = n->next, **pprev = n->pprev;

	WRITE_ONCE(*pprev, next);
	if (next)
		next->pprev = pprev;
}

static inline void hlist_del(struct hlist_node *n)
{
	__hlist_del(n);
	n->next = LIST_POISON1;
	n->pprev = LIST_POISON2;
}

static inline void hlist_del_init(struct hlist_node *n)
{
	if (hlist_unhashed(n))
		return;
	__hlist_del(n);
	INIT_HLIST_NODE(n);
}

static inline void hlist_add_head_rcu(struct hlist_node *n, struct hlist_head *h)
{
	struct hlist_node *first = h->first;

	n->next = first;
	n->pprev = &h->first;
	__atomic_store_n(&h->first, n, __ATOMIC_RELEASE);
	if (first)
		first->pprev = &n->next;
}

/* N comes behind PREV. */
static inline void hlist_add_behind_rcu(struct hlist_node *n, struct hlist_node *prev)
{
	n->next = prev->next;
	n->pprev = &prev->next;
	__atomic_store_n(&prev->next, n, __ATOMIC_RELEASE);
	if (n->next)
		n->next->pprev = &n->next;
}

static inline void hlist_del_rcu(struct hlist_node *n)
{
	__hlist_del(n);
	n->pprev = LIST_POISON2;
}

static inline void hlist_replace_rcu(struct hlist_node *old, struct hlist_node *n)
{
	n->next = old->next;
	n->pprev = old->pprev;
	__atomic_store_n(n->pprev, n, __ATOMIC_RELEASE);
	if (n->next)
		n->next->pprev = &n->next;
	old->pprev = LIST_POISON2;
}

static inline void hlist_del_init_rcu(struct hlist_node *n)
{
	if (hlist_unhashed(n))
		return;
	__hlist_del(n);
	WRITE_ONCE(n->pprev, NULL);
}

#define hlist_entry(p, type, m) container_of(p, type, m)
#define hlist_entry_safe(p, type, m) ({ __typeof__(p) __hp = (p); __hp ? hlist_entry(__hp, type, m) : NULL; })
#define hlist_for_each_entry(p, h, m) \
	for ((p) = hlist_entry_safe((h)->first, __typeof__(*(p)), m); (p); \
	     (p) = hlist_entry_safe((p)->m.next, __typeof__(*(p)), m))
#define hlist_for_each_entry_safe(p, n, h, m) \
	for ((p) = hlist_entry_safe((h)->first, __typeof__(*(p)), m); (p) && ({ (n) = (p)->m.next; 1; }); \
	     (p) = hlist_entry_safe((n), __typeof__(*(p)), m))
#define hlist_for_each_entry_rcu(p, h, m) \
	for ((p) = hlist_entry_safe(__atomic_load_n(&(h)->first, __ATOMIC_CONSUME), __typeof__(*(p)), m); (p); \
	     (p) = hlist_entry_safe(__atomic_load_n(&(p)->m.next, __ATOMIC_CONSUME), __typeof__(*(p)), m))

/* Lock-less singly linked list: many producers push, one consumer takes everything. */
struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

/* True when the list was empty before. */
static inline bool llist_add(struct llist_node *n, struct llist_head *h)
{
	struct llist_node *first = READ_ONCE(h->first);

	do {
		n->next = first;
	} while (!__atomic_compare_exchange_n(&h->first, &first, n, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return !first;
}

static inline struct llist_node *llist_del_all(struct llist_head *h)
{
	return __atomic_exchange_n(&h->first, (struct llist_node *)NULL, __ATOMIC_SEQ_CST);
}

static inline bool llist_empty(const struct llist_head *h) { return !READ_ONCE(h->first); }

static inline struct llist_node *llist_reverse_order(struct llist_node *n)
{
	struct llist_node *out = NULL;

	while (n) {
		struct llist_node *next = n->next;

		n->next = out;
		out = n;
		n = next;
	}
	return out;
}
