// SPDX-License-Identifier: MIT
/*
 * The fair class: earliest eligible virtual deadline first (Stoica and Abdel-Wahab, 1995).
 *
 * Each entity has a virtual time that advances while it runs, slower for heavier ones. The weighted mean of all is what an
 * ideal server would have given everybody; who is not past it is eligible. Of the eligible, the one with the earliest
 * virtual deadline (virtual start of its request plus slice / weight) runs. Lag, mean minus own, is kept over a
 * sleep, so that nobody gains by sleeping.
 *
 * The tree is ordered by deadline and augmented with the least virtual time of each subtree, so picking is one descent. The
 * running entity is outside the tree. Sums are relative to min_vruntime so that products fit.
 */
#include <lib/types.h>
#include <lib/minmax.h>
#include <sched/sched_priv.h>

/* 1024 * 1.25 ^ -nice */
static const u32 nice_weight[40] = {
	88818, 71054, 56843, 45475, 36380, 29104, 23283, 18626, 14901, 11921,
	9537, 7629, 6104, 4883, 3906, 3125, 2500, 2000, 1600, 1280,
	1024, 819, 655, 524, 419, 336, 268, 215, 172, 137,
	110, 88, 70, 56, 45, 36, 29, 23, 18, 15,
};
#define IDLE_WEIGHT 3

u32 fair_weight(const struct task *t)
{
	return task_is_idle_policy(t) ? IDLE_WEIGHT : nice_weight[t->nice + 20];
}

static inline u64 scale(u64 ns, u32 weight)
{
	return likely(weight == NICE_0_LOAD) ? ns : ns * NICE_0_LOAD / weight;
}

static inline s64 key_of(const struct fair_rq *f, const struct sched_entity *se)
{
	return (s64)(se->vruntime - f->min_vruntime);
}

static bool augment(struct rb_node *n)
{
	struct sched_entity *se = rb_entry(n, struct sched_entity, node);
	u64 m = se->vruntime;

	if (n->left)
		m = (s64)(rb_entry(n->left, struct sched_entity, node)->min_vruntime - m) < 0 ?
			rb_entry(n->left, struct sched_entity, node)->min_vruntime : m;
	if (n->right)
		m = (s64)(rb_entry(n->right, struct sched_entity, node)->min_vruntime - m) < 0 ?
			rb_entry(n->right, struct sched_entity, node)->min_vruntime : m;
	if (se->min_vruntime == m)
		return false;
	se->min_vruntime = m;
	return true;
}

static void tree_insert(struct fair_rq *f, struct sched_entity *se)
{
	struct rb_node **link = &f->tree.root.node, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if ((s64)(se->deadline - rb_entry(parent, struct sched_entity, node)->deadline) < 0) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	se->min_vruntime = se->vruntime;
	rb_link_node(&se->node, parent, link);
	if (leftmost)
		f->tree.leftmost = &se->node;
	rb_insert_augmented(&se->node, &f->tree.root, augment);
	f->sum_wv += key_of(f, se) * se->weight;
	f->sum_w += se->weight;
}

static void tree_remove(struct fair_rq *f, struct sched_entity *se)
{
	if (f->tree.leftmost == &se->node)
		f->tree.leftmost = rb_next(&se->node);
	rb_erase_augmented(&se->node, &f->tree.root, augment);
	f->sum_wv -= key_of(f, se) * se->weight;
	f->sum_w -= se->weight;
}

/* Sums with the running one in. */
static inline void sums(const struct fair_rq *f, s64 *wv, u64 *w)
{
	*wv = f->sum_wv;
	*w = f->sum_w;
	if (f->curr && f->curr->on_rq) {
		*wv += key_of(f, f->curr) * f->curr->weight;
		*w += f->curr->weight;
	}
}

static u64 mean_vruntime(const struct fair_rq *f)
{
	s64 wv;
	u64 w;

	sums(f, &wv, &w);
	if (!w)
		return f->min_vruntime;
	if (wv < 0)
		wv -= (s64)w - 1;	/* round down, so that somebody is always eligible */
	return f->min_vruntime + (u64)(wv / (s64)w);
}

static inline bool eligible_at(const struct fair_rq *f, u64 vruntime, s64 wv, u64 w)
{
	return wv >= (s64)(vruntime - f->min_vruntime) * (s64)w;
}

/* Moves the origin of the sums up to the least virtual time there is. */
static void advance_min(struct fair_rq *f)
{
	struct rb_node *root = f->tree.root.node;
	u64 v = f->min_vruntime;
	s64 d;

	if (f->curr && f->curr->on_rq) {
		v = f->curr->vruntime;
		if (root && (s64)(rb_entry(root, struct sched_entity, node)->min_vruntime - v) < 0)
			v = rb_entry(root, struct sched_entity, node)->min_vruntime;
	} else if (root) {
		v = rb_entry(root, struct sched_entity, node)->min_vruntime;
	}
	d = (s64)(v - f->min_vruntime);
	if (d > 0) {
		f->sum_wv -= d * (s64)f->sum_w;
		f->min_vruntime = v;
	}
}

static void new_deadline(struct sched_entity *se)
{
	if (!se->custom_slice)
		se->slice = BASE_SLICE_NS;
	se->deadline = se->vruntime + scale(se->slice, se->weight);
}

void fair_update_curr(struct rq *rq)
{
	struct sched_entity *se = rq->fair.curr;
	u64 delta;

	if (!se)
		return;
	delta = rq->clock_ns - se->exec_start;
	if (unlikely((s64)delta <= 0))
		return;
	se->exec_start = rq->clock_ns;
	se->sum_exec_ns += delta;
	atomic64_add((s64)delta, &container_of(se, struct task, se)->group_times->run_ns);
	se->vruntime += scale(delta, se->weight);
	advance_min(&rq->fair);
	if ((s64)(se->vruntime - se->deadline) >= 0) {
		new_deadline(se);
		if (rq->fair.nr > 1)
			resched_curr_lazy(rq);
	}
}

/* SE joins with the lag it left with. */
static void place(struct fair_rq *f, struct sched_entity *se, bool initial)
{
	u64 v = mean_vruntime(f);
	s64 lag = 0, wv;
	u64 w;

	if (f->nr && !initial) {
		sums(f, &wv, &w);
		lag = se->vlag;
		if (w)
			lag = lag * (s64)(w + se->weight) / (s64)w;
	}
	se->vruntime = v - (u64)lag;
	new_deadline(se);
	if (initial)		/* a newcomer's first request is half as long: it competes sooner */
		se->deadline -= scale(se->slice, se->weight) / 2;
}

void fair_enqueue(struct rq *rq, struct task *t, bool initial)
{
	struct fair_rq *f = &rq->fair;
	struct sched_entity *se = &t->se;

	fair_update_curr(rq);
	se->weight = fair_weight(t);
	place(f, se, initial);
	se->on_rq = true;
	f->nr++;
	if (f->curr != se)
		tree_insert(f, se);
}

void fair_dequeue(struct rq *rq, struct task *t, bool sleeping)
{
	struct fair_rq *f = &rq->fair;
	struct sched_entity *se = &t->se;
	s64 limit = (s64)scale(2 * se->slice, se->weight);

	fair_update_curr(rq);
	se->vlag = clamp((s64)(mean_vruntime(f) - se->vruntime), -limit, limit);
	if (f->curr != se)
		tree_remove(f, se);
	se->on_rq = false;
	f->nr--;
	advance_min(f);
}

struct task *fair_pick(struct rq *rq)
{
	struct fair_rq *f = &rq->fair;
	struct sched_entity *best = NULL, *curr = f->curr;
	struct rb_node *n = f->tree.root.node;
	s64 wv;
	u64 w;

	if (!n)
		return curr && curr->on_rq ? se_task(curr) : NULL;
	sums(f, &wv, &w);
	if (curr && (!curr->on_rq || !eligible_at(f, curr->vruntime, wv, w)))
		curr = NULL;
	while (n) {
		struct sched_entity *se = rb_entry(n, struct sched_entity, node);

		if (n->left && eligible_at(f, rb_entry(n->left, struct sched_entity, node)->min_vruntime, wv, w)) {
			n = n->left;
			continue;
		}
		if (eligible_at(f, se->vruntime, wv, w)) {
			best = se;
			break;
		}
		n = n->right;
	}
	if (!best || (curr && (s64)(curr->deadline - best->deadline) < 0))
		best = curr;
	if (unlikely(!best))	/* rounding left nobody: the earliest deadline will do */
		best = rb_entry(f->tree.leftmost, struct sched_entity, node);
	return se_task(best);
}

void fair_set_curr(struct rq *rq, struct task *t)
{
	struct sched_entity *se = &t->se;

	tree_remove(&rq->fair, se);
	rq->fair.curr = se;
	se->exec_start = rq->clock_ns;
	se->prev_sum_exec_ns = se->sum_exec_ns;
}

void fair_put_prev(struct rq *rq, struct task *t)
{
	struct sched_entity *se = &t->se;

	if (se->on_rq) {
		fair_update_curr(rq);
		tree_insert(&rq->fair, se);
	}
	rq->fair.curr = NULL;
}

void fair_check_preempt(struct rq *rq, struct task *woken)
{
	struct task *curr = rq->curr;

	if (curr == rq->idle) {
		resched_curr(rq);
		return;
	}
	if (task_is_rt(curr))
		return;
	if (task_is_idle_policy(curr) && !task_is_idle_policy(woken)) {
		resched_curr_lazy(rq);
		return;
	}
	if (woken->policy == 3 || task_is_idle_policy(woken))	/* batch and idle ones never preempt */
		return;
	fair_update_curr(rq);
	if (fair_pick(rq) == woken)
		resched_curr_lazy(rq);
}

void fair_tick(struct rq *rq, struct task *t)
{
	fair_update_curr(rq);
}

void fair_yield(struct rq *rq)
{
	struct sched_entity *se = rq->fair.curr;
	s64 wv;
	u64 w;

	if (!se || rq->fair.nr == 1)
		return;
	fair_update_curr(rq);
	sums(&rq->fair, &wv, &w);
	/* The rest of its request counts as used; who is past the mean already has nothing to give. */
	if (!eligible_at(&rq->fair, se->vruntime, wv, w))
		return;
	se->vruntime = se->deadline;
	new_deadline(se);
	advance_min(&rq->fair);
}

/* The weight of T may have changed while it is queued: its lag and deadline keep their meaning. */
void fair_reweight(struct rq *rq, struct task *t)
{
	struct sched_entity *se = &t->se;
	struct fair_rq *f = &rq->fair;
	u32 weight = fair_weight(t);
	u64 mean, left;
	s64 lag;

	fair_update_curr(rq);
	mean = mean_vruntime(f);
	lag = (s64)(mean - se->vruntime);
	left = se->deadline - se->vruntime;
	if (f->curr != se)
		tree_remove(f, se);
	se->vruntime = mean - (u64)(lag * (s64)se->weight / (s64)weight);
	se->deadline = se->vruntime + left * se->weight / weight;
	se->weight = weight;
	if (f->curr != se)
		tree_insert(f, se);
	advance_min(f);
}

/* Some queued task that may run on TO; the one that would wait longest is taken last in the tree. */
struct task *fair_steal_candidate(struct rq *from, int to)
{
	struct rb_node *n;
	int looked = 0;

	for (n = rb_last(&from->fair.tree.root); n && looked < 32; n = rb_prev(n), looked++) {
		struct task *t = se_task(rb_entry(n, struct sched_entity, node));

		if (cpumask_test_cpu(to, &t->cpus_mask) && !t->migrate_disabled && !READ_ONCE(t->on_cpu))
			return t;
	}
	return NULL;
}
