// SPDX-License-Identifier: MIT
/*
 * Queues of signals.
 *
 * A pending signal is a bit in a set and, where there is something to tell, a struct sigqueue with its siginfo on the queue of the thread or of the process, in order of
 * arrival. A user may have as many as RLIMIT_SIGPENDING says. A queue of more than QUEUE_MOST is also a tree by signal, and in it by arrival, so that one of a
 * number is found without a look at all of the others; it is made when the queue grows beyond that, and forgotten when it is half of it, so that short ones
 * pay nothing. Timers own theirs (posix_timers.c): those are not freed when they are taken.
 *
 * All under siglock. Many are thrown away some at a time.
 */
#include <lib/types.h>
#include <lib/bits.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/lockdep.h>
#include <proc/cred.h>
#include <proc/posix_timers.h>
#include <proc/proc_priv.h>
#include <proc/signal.h>
#include <proc/signal_sets.h>
#include <proc/sigqueue.h>
#include <sched/sched.h>
#include <abi/errno.h>
#include <linux/resource.h>

#define QUEUE_MOST 64U
#define PEEK_MOST 1024U		/* signals that are passed over in one critical section */

struct sigqueue {
	struct list_head list;		/* s: in IN */
	struct rb_node node;		/* s: where those are many */
	struct sigpending *in;		/* s: valid while it is queued */
	struct siginfo info;
	struct user_struct *user;
	struct posix_timer *timer;	/* c: belongs to it, and is not freed by taking it; or NULL */
};

_Static_assert(sizeof(struct sigpending) == sizeof(((struct task *)0)->pending) &&
	       offsetof(struct sigpending, signal) == offsetof(struct task, pending.signal) - offsetof(struct task, pending) &&
	       offsetof(struct sigpending, nr) == offsetof(struct task, pending.nr) - offsetof(struct task, pending), "struct task's pending is one");

static struct kmem_cache *sigqueue_cache;

struct sigqueue *sigqueue_alloc(struct task *t, gfp_t gfp, bool override_limit)
{
	struct user_struct *u;
	struct sigqueue *q = NULL;

	rcu_read_lock();
	u = __task_cred(t)->user;
	refcount_inc(&u->refs);
	rcu_read_unlock();
	if ((u64)atomic_inc_return(&u->sigpending) <= task_rlimit(t, RLIMIT_SIGPENDING) || override_limit)
		q = kmem_cache_alloc(sigqueue_cache, gfp);
	if (!q) {
		atomic_dec(&u->sigpending);
		free_uid(u);
		return NULL;
	}
	q->user = u;
	q->timer = NULL;
	INIT_LIST_HEAD(&q->list);
	return q;
}

static void sigqueue_free(struct sigqueue *q)
{
	if (q->timer)
		return;
	atomic_dec(&q->user->sigpending);
	free_uid(q->user);
	kmem_cache_free(sigqueue_cache, q);
}

/* ---- the tree of a long queue ---- */

static int signo_of(const struct rb_node *n) { return rb_entry(n, const struct sigqueue, node)->info.si_signo; }

/* Those of a signal are in order of arrival: a new one is the last. */
static bool before(struct rb_node *a, const struct rb_node *b) { return signo_of(a) < signo_of(b); }

static noinline void grow_tree(struct sigpending *p, struct sigqueue *q)
{
	if (p->tree.node)
		rb_add(&q->node, &p->tree, before);
	if (p->tree.node || p->nr <= QUEUE_MOST)
		return;
	list_for_each_entry(q, &p->list, list)
		if (q->info.si_signo)		/* not somebody's place (signal_peek) */
			rb_add(&q->node, &p->tree, before);
}

void sigqueue_add(struct sigqueue *q, struct sigpending *p)
{
	q->in = p;
	list_add_tail(&q->list, &p->list);
	if (unlikely(++p->nr > QUEUE_MOST / 2))
		grow_tree(p, q);
}

static void sigqueue_del(struct sigqueue *q, struct sigpending *p)
{
	list_del_init(&q->list);
	p->nr--;
	if (likely(!p->tree.node))
		return;
	rb_erase(&q->node, &p->tree);
	if (p->nr <= QUEUE_MOST / 2)
		p->tree = RB_ROOT;
}

/* The first SIG of a long queue. */
static noinline struct sigqueue *find_in_tree(const struct sigpending *p, int sig)
{
	struct rb_node *found = NULL;

	for (struct rb_node *n = p->tree.node; n;) {
		if (signo_of(n) >= sig) {
			found = n;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return found && signo_of(found) == sig ? rb_entry(found, struct sigqueue, node) : NULL;
}

static struct sigqueue *next_in_tree(struct sigqueue *q)
{
	struct rb_node *n = rb_next(&q->node);

	return n && signo_of(n) == q->info.si_signo ? rb_entry(n, struct sigqueue, node) : NULL;
}

/* The first SIG of the list behind AT. */
static struct sigqueue *find_behind(const struct list_head *at, const struct sigpending *p, int sig)
{
	for (at = at->next; at != &p->list; at = at->next) {
		struct sigqueue *q = list_entry(at, struct sigqueue, list);

		if (q->info.si_signo == sig)
			return q;
	}
	return NULL;
}

static struct sigqueue *first_of(const struct sigpending *p, int sig)
{
	return unlikely(p->tree.node) ? find_in_tree(p, sig) : find_behind(&p->list, p, sig);
}

static struct sigqueue *next_of(struct sigqueue *q, const struct sigpending *p)
{
	return unlikely(p->tree.node) ? next_in_tree(q) : find_behind(&q->list, p, q->info.si_signo);
}

/* ---- taking and throwing away ---- */

void sigqueue_take(int sig, struct sigpending *p, struct siginfo *info)
{
	struct sigqueue *q = first_of(p, sig);

	if (!q || p->nr == 1 || !next_of(q, p))
		p->signal &= ~sigmask_of(sig);
	if (!q) {
		clear_siginfo(info);
		info->si_signo = sig;
		info->si_code = SI_USER;
		return;
	}
	sigqueue_del(q, p);
	copy_siginfo(info, &q->info);
	if (q->timer)
		posix_timer_taken(q->timer, info);
	sigqueue_free(q);
}

bool flush_mask_some(u64 mask, struct sigpending *p, unsigned int *most)
{
	for (mask &= p->signal; mask; mask &= mask - 1) {
		int sig = (int)__ffs(mask) + 1;
		struct sigqueue *q;

		for (; (q = first_of(p, sig)); --*most) {
			if (!*most)
				return true;
			sigqueue_del(q, p);
			if (q->timer)
				posix_timer_discarded(q->timer);
			sigqueue_free(q);
		}
		p->signal &= ~sigmask_of(sig);
	}
	return false;
}

void flush_mask(u64 mask, struct sigpending *p)
{
	unsigned int most = UINT_MAX;

	(void)!flush_mask_some(mask, p, &most);
}

bool flush_some(struct sigpending *p, unsigned int most)
{
	p->signal = 0;
	while (!list_empty(&p->list) && most--) {
		struct sigqueue *q = list_first_entry(&p->list, struct sigqueue, list);

		sigqueue_del(q, p);
		sigqueue_free(q);
	}
	return !list_empty(&p->list);
}

void flush_sigqueue(struct sigpending *p)
{
	flush_some(p, UINT_MAX);
}

/* ---- looking ---- */

/* siglock held, released in between: the Nth of P. PLACE keeps the place meanwhile: it is no signal, and nobody finds it. */
static struct sigqueue *find_nth(struct task *t, struct sigpending *p, u64 n, struct sigqueue *place) __must_hold(t->sighand->siglock)
{
	struct sighand_struct *h = task_sighand(t);
	struct list_head *at = &p->list;

	for (unsigned int looked = 1;; looked++) {
		at = at->next;
		if (at == &p->list)
			return NULL;
		if (list_entry(at, struct sigqueue, list)->info.si_signo && !n--)
			return list_entry(at, struct sigqueue, list);
		if (looked % PEEK_MOST)
			continue;
		list_add(&place->list, at);
		spin_unlock_irq(&h->siglock);
		cond_resched();
		spin_lock_irq(&h->siglock);
		at = place->list.prev;
		list_del(&place->list);
	}
}

bool signal_peek(struct task *t, bool shared, u64 n, struct siginfo *out)
{
	struct sigqueue place = { .info.si_signo = 0 }, *q;

	/* It is frozen: its table of handlers, and its queues, are there until the caller lets go of it. */
	spin_lock_irq(&task_sighand(t)->siglock);
	settle_signals(t);
	q = find_nth(t, shared ? &t->signal->shared_pending : task_pending(t), n, &place);
	if (q)
		copy_siginfo(out, &q->info);
	spin_unlock_irq(&task_sighand(t)->siglock);
	return q;
}

/* ---- signals that belong to a timer ---- */

struct sigqueue *signal_alloc_owned(struct posix_timer *owner, int sig)
{
	struct sigqueue *q = sigqueue_alloc(current, GFP_KERNEL, false);

	if (q) {
		clear_siginfo(&q->info);
		q->info.si_signo = sig;
		q->timer = owner;
	}
	return q;
}

struct siginfo *signal_owned_info(struct sigqueue *q)
{
	return &q->info;
}

bool signal_owned_is_queued(const struct sigqueue *q)
{
	return !list_empty(&q->list);
}

void signal_free_owned(struct sigqueue *q)
{
	if (!q)
		return;
	q->timer = NULL;
	sigqueue_free(q);
}

void signal_unqueue_owned(struct sigqueue *q)
{
	struct sigpending *p = q->in;

	if (list_empty(&q->list))
		return;
	sigqueue_del(q, p);
	if (!first_of(p, q->info.si_signo))
		p->signal &= ~sigmask_of(q->info.si_signo);
}

static int sigqueue_init(void)
{
	sigqueue_cache = kmem_cache_create("sigqueue", sizeof(struct sigqueue), 8, 0, NULL);
	return sigqueue_cache ? 0 : -ENOMEM;
}
INITCALL(early, sigqueue_init);
