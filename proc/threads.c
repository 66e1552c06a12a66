// SPDX-License-Identifier: MIT
/*
 * The threads of a process, and work on all of them.
 *
 * A process's threads stand on a list in the order in which they came, each with a stamp that only grows. Who looks at many looks at some at a time under
 * siglock and remembers the stamp of the last one: it may be gone when the walk goes on, the next one is behind its stamp. A process of many threads has a
 * tree of them by stamp; it is made when they become more than THREADS_MOST and forgotten when they are half of that, so that small ones pay nothing.
 *
 * Lists, trees and stamps change under tasklist_lock (held for writing) and siglock; readers hold one of them, or RCU for the list.
 */
#include <lib/types.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <kernel/lockdep.h>
#include <kernel/rcu.h>
#include <proc/proc_priv.h>
#include <proc/signal.h>
#include <proc/signal_sets.h>
#include <proc/threads.h>
#include <sched/sched.h>

#define WALK_MOST 128U		/* threads, or what is as dear, in one critical section */

static void tree_add(struct signal_struct *s, struct task *t)
{
	struct rb_node *parent = NULL, **link = &s->thread_tree.node;

	while (*link) {
		parent = *link;
		link = t->thread_stamp > rb_entry(parent, struct task, thread_rb)->thread_stamp ? &parent->right : &parent->left;
	}
	rb_link_node(&t->thread_rb, parent, link);
	rb_insert_color(&t->thread_rb, &s->thread_tree);
}

static noinline void many_threads_grow(struct signal_struct *s, struct task *t)
{
	struct task *x;

	if (s->has_thread_tree) {
		tree_add(s, t);
		return;
	}
	s->has_thread_tree = true;
	list_for_each_entry(x, &s->threads, thread_node)
		tree_add(s, x);
}

void thread_joins(struct signal_struct *s, struct task *t)
{
	t->thread_stamp = ++s->last_thread_stamp;
	list_add_tail_rcu(&t->thread_node, &s->threads);
	if (unlikely(s->nr_threads > THREADS_MOST) || unlikely(s->has_thread_tree))
		many_threads_grow(s, t);
}

void thread_leaves(struct signal_struct *s, struct task *t)
{
	s->nr_threads--;
	list_del_rcu(&t->thread_node);
	if (likely(!s->has_thread_tree))
		return;
	rb_erase(&t->thread_rb, &s->thread_tree);
	if (s->nr_threads <= THREADS_MOST / 2) {
		s->has_thread_tree = false;
		s->thread_tree = RB_ROOT;
	}
}

struct task *thread_after(struct signal_struct *s, u64 stamp)
{
	struct task *found = NULL, *t;

	if (!s->has_thread_tree) {
		list_for_each_entry(t, &s->threads, thread_node)
			if (t->thread_stamp > stamp)
				return t;
		return NULL;
	}
	for (struct rb_node *n = s->thread_tree.node; n;) {
		t = rb_entry(n, struct task, thread_rb);
		if (t->thread_stamp > stamp) {
			found = t;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return found;
}

struct task *thread_next(struct task *t)
{
	return list_is_last(&t->thread_node, &t->signal->threads) ? NULL : list_next_entry(t, thread_node);
}

struct sighand_struct *(lock_threads)(struct signal_struct *s, unsigned long *flags)
{
	struct sighand_struct *h = NULL;
	struct task *t;

	rcu_read_lock();
	do {
		t = list_entry_rcu(s->threads.next, struct task, thread_node);
		if (&t->thread_node == &s->threads)
			break;
		h = lock_task_sighand(t, flags);
	} while (!h);		/* gone from the list as we looked at it */
	rcu_read_unlock();
	return h;
}

bool walk_threads(struct signal_struct *s, unsigned int (*fn)(struct task *t, void *arg), void *arg)
{
	struct sighand_struct *h;
	unsigned long flags;
	u64 after = 0;
	struct task *t;

	do {
		h = lock_threads(s, &flags);
		if (!h)
			return true;
		t = thread_after(s, after);
		for (unsigned int n = 0; t && n < WALK_MOST; t = thread_next(t)) {
			n += fn(t, arg);
			after = t->thread_stamp;
		}
		spin_unlock_irqrestore(&h->siglock, flags);
		cond_resched();
	} while (t && !fatal_signal_pending(current));
	return !t;
}
