// SPDX-License-Identifier: MIT
/*
 * Work queues. A pool of workers a CPU, and one unbound pool. A pool keeps one worker running as long as there is work; when a
 * worker sleeps in an item while more waits, another is woken or made. Workers beyond the first end after 30 s of idleness.
 *
 * An item is on at most one list; `pending` is set from queueing until a worker takes it, so that it can be queued again
 * from its own function. A pool has a hash of what its workers run: an item that comes up while it runs goes to the list of that
 * worker, so that it never runs twice at once, and choosing the next item takes the same time however many there are.
 *
 * A queue with max_active has no more items than that among a pool's (running, or to be taken); the others wait in their order at the
 * queue's own list of that pool, and each that ends lets one in. A flush waits for what was queued before it: items are counted in
 * one of two colours, a flush changes the colour of those to come and waits until none of the old one is left.
 *
 * A rescuer sleeps until a pool has needed a worker for MAYDAY ticks and not got one, for want of memory or because it has as many as
 * it may; then it runs the items of its own queue. So what frees memory, and what all workers may wait for, is done.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/hash.h>
#include <alloc/slab.h>
#include <kernel/export.h>
#include <kernel/owner.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/percpu.h>
#include <kernel/rcu.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include <sched/mutex.h>
#include <sched/sched.h>
#include <sched/sched_priv.h>
#include <sched/work.h>
#include <abi/errno.h>

#define IDLE_LIMIT (30 * HZ)
#define MAYDAY (HZ / 50 + 1)
#define BUSY_BITS 5

struct worker_pool {
	spinlock_t lock;		/* irq-safe */
	int cpu;			/* -1: unbound */
	int nice;
	struct list_head todo;		/* lock */
	struct list_head workers;	/* lock: all */
	struct list_head idle;		/* lock */
	unsigned int nr_workers, nr_busy, max_busy;	/* lock; without rescuers */
	bool making;			/* lock: a worker is being made */
	struct hlist_head busy[1 << BUSY_BITS];	/* lock: workers by what they run */
	struct timer_list mayday;	/* while it is starved */
	wait_queue_head_t done;		/* flushers */
	struct task *manager;
};

struct worker {
	struct worker_pool *pool;
	struct list_head node, idle_node;
	struct list_head scheduled;		/* pool lock: the item that runs, queued again */
	struct hlist_node busy_node;		/* pool lock */
	struct task *task;
	struct work_struct *current_work;	/* pool lock */
	work_func_t current_fn;
	bool rescues;				/* c: it is none of the pool's workers */
};

/* A queue's items in one pool. Pool lock. */
struct pool_queue {
	struct list_head inactive;	/* more than max_active: oldest first */
	unsigned int nr_active;
};

struct workqueue_struct {
	unsigned int flags;
	unsigned int max_active;	/* in each pool; 0: any number */
	unsigned int colour;		/* flush_lock; read with interrupts off */
	atomic_t nr[2];			/* queued or running, by colour */
	struct mutex flush_lock;
	wait_queue_head_t drained;
	struct list_head rescue;	/* rescue_lock */
	struct task *rescuer;
	struct pool_queue queues[];	/* by CPU; an unbound queue has one */
};

static DEFINE_SPINLOCK(rescue_lock);
static LIST_HEAD(rescue_queues);	/* rescue_lock: queues with a rescuer */

struct workqueue_struct *system_wq, *system_unbound_wq, *system_highpri_wq;
static DEFINE_PER_CPU(struct worker_pool, pools);
static DEFINE_PER_CPU(struct worker_pool, hipri_pools);
static struct worker_pool unbound_pool;
static bool workers_up;

static struct worker_pool *pool_for(struct workqueue_struct *wq, int cpu)
{
	if ((wq->flags & WQ_UNBOUND) && cpu < 0)
		return &unbound_pool;
	if (cpu < 0)
		cpu = (int)raw_smp_processor_id();
	return wq->flags & WQ_HIGHPRI ? per_cpu_ptr(&hipri_pools, cpu) : per_cpu_ptr(&pools, cpu);
}

/* Which worker runs W. Pool locked. What was freed by its own function, and is another item now, has another function or waits. */
static struct worker *runner_of(struct worker_pool *p, struct work_struct *w)
{
	struct worker *k;

	hlist_for_each_entry(k, &p->busy[hash_ptr(w, BUSY_BITS)], busy_node)
		if (k->current_work == w && k->current_fn == w->func)
			return k;
	return NULL;
}

/* The next item that no other worker runs right now. Pool locked. */
static struct work_struct *next_item(struct worker_pool *p)
{
	struct work_struct *w;

	while ((w = list_first_entry_or_null(&p->todo, struct work_struct, entry))) {
		struct worker *k = runner_of(p, w);

		if (!k)
			return w;
		list_move_tail(&w->entry, &k->scheduled);
	}
	return NULL;
}

/* WQ's items in P; NULL: they are not limited there. Pool locked. */
static struct pool_queue *queue_in(struct workqueue_struct *wq, struct worker_pool *p)
{
	if (!wq->max_active)
		return NULL;
	if (wq->flags & WQ_UNBOUND)
		return p->cpu < 0 ? &wq->queues[0] : NULL;
	return p == pool_for(wq, p->cpu) ? &wq->queues[p->cpu] : NULL;
}

/* One of Q's items is not among P's any more. Pool locked. */
static void let_one_in(struct worker_pool *p, struct pool_queue *q)
{
	struct work_struct *w = list_first_entry_or_null(&q->inactive, struct work_struct, entry);

	q->nr_active--;
	if (!w)
		return;
	q->nr_active++;
	w->inactive = false;
	list_move_tail(&w->entry, &p->todo);
}

static void count_down(struct workqueue_struct *wq, unsigned int colour)
{
	if (atomic_dec_and_test(&wq->nr[colour]))
		wake_up_all(&wq->drained);
}

static void run_item(struct worker *k, struct work_struct *w) __must_hold(p->lock)
{
	struct worker_pool *p = k->pool;
	struct workqueue_struct *wq = w->wq;
	unsigned int colour = w->colour;
	work_func_t fn = w->func;
	struct pool_queue *q;

	list_del_init(&w->entry);
	k->current_work = w;
	k->current_fn = fn;
	hlist_add_head(&k->busy_node, &p->busy[hash_ptr(w, BUSY_BITS)]);
	p->nr_busy += !k->rescues;
	clear_bit_unlock(0, &w->pending);	/* from here on it may be queued again */
	spin_unlock_irq(&p->lock);
	fn(w);					/* may free W */
	owner_unhold((const void *)fn);
	WARN_ONCE(in_atomic(), "work: %p left preemption disabled", (void *)fn);
	spin_lock_irq(&p->lock);
	p->nr_busy -= !k->rescues;
	hlist_del_init(&k->busy_node);
	k->current_work = NULL;
	q = queue_in(wq, p);
	if (q)
		let_one_in(p, q);
	if (waitqueue_active(&p->done))
		wake_up_all(&p->done);
	count_down(wq, colour);
}

/* For K: what it ran and was queued meanwhile comes first. Pool locked. */
static struct work_struct *next_for(struct worker *k)
{
	return list_first_entry_or_null(&k->scheduled, struct work_struct, entry) ?: next_item(k->pool);
}

/* Items wait, and no worker can be made: there are as many as there may be. Pool locked. */
static bool is_full(struct worker_pool *p)
{
	return !list_empty(&p->todo) && list_empty(&p->idle) && p->nr_workers >= p->max_busy;
}

/* Items wait for a worker that is being made, or cannot be. Pool locked. */
static bool is_starved(struct worker_pool *p)
{
	return p->making || is_full(p);
}

static void wake_idle(struct worker_pool *p)
{
	struct worker *k = list_first_entry_or_null(&p->idle, struct worker, idle_node);

	if (k) {
		list_del_init(&k->idle_node);
		wake_up_process(k->task);
	} else if (is_full(p)) {
		if (!timer_pending(&p->mayday))
			mod_timer(&p->mayday, jiffies + MAYDAY);
	} else if (!p->making && p->manager) {
		wake_up_process(p->manager);
	}
}

/* From schedule(): T, a worker, is about to sleep. What waits must not wait for it. */
void work_worker_sleeps(struct task *t)
{
	struct worker *k = t->worker;
	struct worker_pool *p = k->pool;
	unsigned long flags;

	if (!k->current_work)
		return;
	spin_lock_irqsave(&p->lock, flags);
	if (!list_empty(&p->todo))
		wake_idle(p);
	spin_unlock_irqrestore(&p->lock, flags);
}

static int worker_main(void *arg)
{
	struct worker *k = arg;
	struct worker_pool *p = k->pool;
	struct work_struct *w;
	long left;

	current->worker = k;
	current->flags |= PF_WQ_WORKER;
	spin_lock_irq(&p->lock);
	for (;;) {
		while ((w = next_for(k)))
			run_item(k, w);
		set_current_state(TASK_IDLE);
		if (list_empty(&k->idle_node))
			list_add(&k->idle_node, &p->idle);
		spin_unlock_irq(&p->lock);
		left = schedule_timeout(IDLE_LIMIT);
		spin_lock_irq(&p->lock);
		if (!list_empty(&k->idle_node))
			list_del_init(&k->idle_node);
		if (!left && !next_item(p) && p->nr_workers > 1 && !p->making)
			break;
	}
	__set_current_state(TASK_RUNNING);
	p->nr_workers--;
	list_del(&k->node);
	spin_unlock_irq(&p->lock);
	current->flags &= ~(unsigned int)PF_WQ_WORKER;
	current->worker = NULL;
	kfree(k);
	return 0;
}

static struct worker *make_worker(struct worker_pool *p)
{
	struct worker *k = kzalloc(sizeof(*k), GFP_KERNEL);

	if (!k)
		return NULL;
	k->pool = p;
	INIT_LIST_HEAD(&k->idle_node);
	INIT_LIST_HEAD(&k->scheduled);
	k->task = p->cpu >= 0 ? kthread_create(worker_main, k, "kworker/%d:%u%s", p->cpu, p->nr_workers, p->nice < 0 ? "H" : "") :
		kthread_create(worker_main, k, "kworker/u:%u", p->nr_workers);
	if (IS_ERR(k->task)) {
		kfree(k);
		return NULL;
	}
	if (p->cpu >= 0)
		kthread_bind(k->task, (unsigned int)p->cpu);
	k->task->nice = p->nice;
	spin_lock_irq(&p->lock);
	list_add_tail(&k->node, &p->workers);
	p->nr_workers++;
	spin_unlock_irq(&p->lock);
	wake_up_process(k->task);
	return k;
}

/* A worker cannot be had: perhaps what would free memory waits for it, or what all of them wait for. The rescuers look. */
static void call_rescuers(struct timer_list *t)
{
	struct worker_pool *p = container_of(t, struct worker_pool, mayday);
	struct workqueue_struct *wq;
	unsigned long flags;
	bool starved;

	spin_lock_irqsave(&p->lock, flags);
	starved = is_starved(p);
	if (starved)
		mod_timer(&p->mayday, jiffies + MAYDAY);
	spin_unlock_irqrestore(&p->lock, flags);
	if (!starved)
		return;
	spin_lock_irqsave(&rescue_lock, flags);
	list_for_each_entry(wq, &rescue_queues, rescue)
		if (atomic_read(&wq->nr[0]) + atomic_read(&wq->nr[1]))
			wake_up_process(wq->rescuer);
	spin_unlock_irqrestore(&rescue_lock, flags);
}

/* Makes workers when all are busy: the only one that allocates, so that queueing never does. */
static int manager_main(void *arg)
{
	struct worker_pool *p = arg;

	for (;;) {
		bool need;

		set_current_state(TASK_IDLE);
		spin_lock_irq(&p->lock);
		need = next_item(p) && list_empty(&p->idle) && p->nr_busy == p->nr_workers && p->nr_workers < p->max_busy;
		p->making = need;
		if (is_starved(p) && !timer_pending(&p->mayday))
			mod_timer(&p->mayday, jiffies + MAYDAY);
		spin_unlock_irq(&p->lock);
		if (!need) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		if (!make_worker(p))
			schedule_timeout_uninterruptible(HZ / 10);
		spin_lock_irq(&p->lock);
		p->making = false;
		spin_unlock_irq(&p->lock);
	}
	return 0;
}

/*
 * The pending bit is ours. Interrupts are off since it was set: an item that is pending is on a list,
 * or has its timer armed, for all that this CPU's interrupts can see (mod_delayed_work() waits for
 * that).
 */
static void insert_work(int cpu, struct workqueue_struct *wq, struct work_struct *w)
{
	struct worker_pool *p, *last = w->pool;
	struct pool_queue *q;

	p = pool_for(wq, cpu);
	if (last && last != p) {	/* still running elsewhere: queue it there, so that it does not run twice at once */
		spin_lock(&last->lock);
		if (runner_of(last, w))
			p = last;
		spin_unlock(&last->lock);
	}
	spin_lock(&p->lock);
	owner_hold((const void *)w->func);
	w->pool = p;
	w->wq = wq;
	/* With interrupts off: a flush that changes it waits for us before it looks at the counts. */
	w->colour = READ_ONCE(wq->colour);
	atomic_inc(&wq->nr[w->colour]);
	q = queue_in(wq, p);
	w->inactive = q && q->nr_active >= wq->max_active;
	if (w->inactive) {
		list_add_tail(&w->entry, &q->inactive);
	} else {
		if (q)
			q->nr_active++;
		list_add_tail(&w->entry, &p->todo);
		if (workers_up && !runner_of(p, w))
			wake_idle(p);
	}
	spin_unlock(&p->lock);
	if (last && last != p && waitqueue_active(&last->done))
		wake_up_all(&last->done);	/* a flush of it goes over to P */
}

bool queue_work_on(int cpu, struct workqueue_struct *wq, struct work_struct *w)
{
	unsigned long flags;
	bool added;

	local_irq_save(flags);
	added = !test_and_set_bit(0, &w->pending);
	if (added)
		insert_work(cpu, wq, w);
	local_irq_restore(flags);
	return added;
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *w)
{
	return queue_work_on(-1, wq, w);
}

static void delayed_fire(struct timer_list *t)
{
	struct delayed_work *d = container_of(t, struct delayed_work, timer);

	const void *fn = (const void *)d->work.func;

	insert_work(-1, d->wq, &d->work);
	owner_unhold(fn);	/* the timer's; D may be gone */
}

void init_delayed_work(struct delayed_work *d, work_func_t f)
{
	INIT_WORK(&d->work, f);
	timer_setup(&d->timer, delayed_fire, 0);
	d->wq = NULL;
}

/* The pending bit is ours, and interrupts are off since it was set. */
static void insert_delayed(struct workqueue_struct *wq, struct delayed_work *d, unsigned long delay)
{
	d->wq = wq;
	if (delay) {
		owner_hold((const void *)d->work.func);
		mod_timer(&d->timer, jiffies + delay);
	} else {
		insert_work(-1, wq, &d->work);
	}
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *d, unsigned long delay)
{
	unsigned long flags;
	bool added;

	local_irq_save(flags);
	added = !test_and_set_bit(0, &d->work.pending);
	if (added)
		insert_delayed(wq, d, delay);
	local_irq_restore(flags);
	return added;
}

/* Takes a queued item off its list; the pending bit stays set and is the caller's. */
static bool steal_queued(struct work_struct *w)
{
	struct worker_pool *p = READ_ONCE(w->pool);
	unsigned long flags;
	bool got = false;

	if (!p)
		return false;
	spin_lock_irqsave(&p->lock, flags);
	if (w->pool == p && !list_empty(&w->entry)) {
		struct pool_queue *q = queue_in(w->wq, p);

		list_del_init(&w->entry);
		if (q && !w->inactive) {
			let_one_in(p, q);
			if (workers_up && !list_empty(&p->todo))
				wake_idle(p);
		}
		count_down(w->wq, w->colour);
		owner_unhold((const void *)w->func);
		got = true;
	}
	spin_unlock_irqrestore(&p->lock, flags);
	return got;
}

enum grabbed { GRAB_IDLE, GRAB_QUEUED, GRAB_AGAIN };

/*
 * Makes the pending bit the caller's, who has interrupts off until it is queued again or let go.
 * AGAIN: another CPU is queueing it or taking it at the moment, or another task cancels it.
 */
static enum grabbed try_grab(struct work_struct *w, struct delayed_work *d)
{
	if (!test_and_set_bit(0, &w->pending))
		return GRAB_IDLE;
	if (d && timer_delete(&d->timer)) {
		owner_unhold((const void *)w->func);
		return GRAB_QUEUED;
	}
	return steal_queued(w) ? GRAB_QUEUED : GRAB_AGAIN;
}

bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *d, unsigned long delay)
{
	unsigned long flags;
	enum grabbed got;

	for (;;) {
		local_irq_save(flags);
		got = try_grab(&d->work, d);
		if (got != GRAB_AGAIN)
			break;
		local_irq_restore(flags);
		cpu_relax();
	}
	insert_delayed(wq, d, delay);
	local_irq_restore(flags);
	return got == GRAB_QUEUED;
}

static bool work_busy(struct work_struct *w)
{
	struct worker_pool *p = READ_ONCE(w->pool);
	bool busy;

	if (test_bit(0, &w->pending))
		return true;
	if (!p)
		return false;
	spin_lock_irq(&p->lock);
	busy = runner_of(p, w);
	spin_unlock_irq(&p->lock);
	return busy;
}

bool flush_work(struct work_struct *w)
{
	struct worker_pool *p;
	bool waited = false;

	might_sleep();
	while ((p = READ_ONCE(w->pool)) && work_busy(w)) {
		wait_event(p->done, READ_ONCE(w->pool) != p || !work_busy(w));
		waited = true;
	}
	return waited;
}

/* With interrupts on, where the caller lets go only after it has slept. */
static bool grab(struct work_struct *w, struct delayed_work *d)
{
	enum grabbed got;

	while ((got = try_grab(w, d)) == GRAB_AGAIN) {
		if (!cond_resched())
			cpu_relax();
	}
	return got == GRAB_QUEUED;
}

/* The pending bit, which was ours, goes: a flush of W looks again. */
static void let_go(struct work_struct *w)
{
	struct worker_pool *p = READ_ONCE(w->pool);

	clear_bit_unlock(0, &w->pending);	/* from here on W may be gone */
	if (p && wq_has_sleeper(&p->done))
		wake_up_all(&p->done);
}

static bool cancel_sync(struct work_struct *w, struct delayed_work *d)
{
	struct worker_pool *p;
	bool was;

	might_sleep();
	was = grab(w, d);
	if (d)
		timer_delete_sync(&d->timer);
	/* The bit is ours: nobody can queue it until it has ended. */
	p = READ_ONCE(w->pool);
	if (p)
		wait_event(p->done, ({ spin_lock_irq(&p->lock); bool r = runner_of(p, w); spin_unlock_irq(&p->lock); !r; }));
	let_go(w);
	return was;
}

bool cancel_work_sync(struct work_struct *w) { return cancel_sync(w, NULL); }
bool cancel_delayed_work_sync(struct delayed_work *d) { return cancel_sync(&d->work, d); }

bool cancel_delayed_work(struct delayed_work *d)
{
	unsigned long flags;
	enum grabbed got;

	for (;;) {
		local_irq_save(flags);
		got = try_grab(&d->work, d);
		if (got != GRAB_AGAIN)
			break;
		local_irq_restore(flags);
		if (!cond_resched())
			cpu_relax();
	}
	let_go(&d->work);
	local_irq_restore(flags);
	return got == GRAB_QUEUED;
}

void flush_workqueue(struct workqueue_struct *wq)
{
	unsigned int old;

	might_sleep();
	mutex_lock(&wq->flush_lock);
	old = wq->colour;
	WRITE_ONCE(wq->colour, !old);
	synchronize_rcu();		/* who read the old one has counted */
	wait_event(wq->drained, !atomic_read(&wq->nr[old]));
	mutex_unlock(&wq->flush_lock);
}

/* Takes items of its queue off pools that are starved. */
static int rescuer_main(void *arg)
{
	struct workqueue_struct *wq = arg;

	/* Not PF_MEMALLOC: an allocation from the last of memory fails, and the item with it; one that waits does not. */
	for (;;) {
		unsigned int cpu;

		set_current_state(TASK_IDLE);
		if (kthread_should_stop()) {
			__set_current_state(TASK_RUNNING);
			return 0;
		}
		schedule();
		for_each_possible_cpu(cpu) {
			struct worker_pool *p = wq->flags & WQ_UNBOUND ? &unbound_pool : pool_for(wq, (int)cpu);
			struct worker k = { .pool = p, .task = current, .scheduled = LIST_HEAD_INIT(k.scheduled), .rescues = true };
			struct work_struct *w, *found;

			spin_lock_irq(&p->lock);
			if (!is_starved(p)) {
				spin_unlock_irq(&p->lock);
				continue;
			}
			list_add_tail(&k.node, &p->workers);
			do {
				found = list_first_entry_or_null(&k.scheduled, struct work_struct, entry);
				list_for_each_entry(w, &p->todo, entry) {
					if (found)
						break;
					if (w->wq == wq && !runner_of(p, w))
						found = w;
				}
				if (found)
					run_item(&k, found);
			} while (found);
			list_del(&k.node);
			spin_unlock_irq(&p->lock);
		}
	}
}

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int max_active)
{
	unsigned int n = !max_active ? 0 : flags & WQ_UNBOUND ? 1 : nr_cpu_ids;
	struct workqueue_struct *wq = kzalloc(sizeof(*wq) + n * sizeof(wq->queues[0]), GFP_KERNEL);

	if (!wq)
		return NULL;
	for (unsigned int i = 0; i < n; i++)
		INIT_LIST_HEAD(&wq->queues[i].inactive);
	wq->flags = flags;
	wq->max_active = (unsigned int)max_active;
	mutex_init(&wq->flush_lock);
	init_waitqueue_head(&wq->drained);
	if (flags & WQ_MEM_RECLAIM) {
		wq->rescuer = kthread_run(rescuer_main, wq, "%s", name);
		if (IS_ERR(wq->rescuer)) {
			kfree(wq);
			return NULL;
		}
		spin_lock_irq(&rescue_lock);
		list_add(&wq->rescue, &rescue_queues);
		spin_unlock_irq(&rescue_lock);
	}
	return wq;
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	wait_event(wq->drained, !atomic_read(&wq->nr[0]) && !atomic_read(&wq->nr[1]));
	if (wq->rescuer) {
		spin_lock_irq(&rescue_lock);
		list_del(&wq->rescue);
		spin_unlock_irq(&rescue_lock);
	}
	/* Who counted the last item down, or queued it, does so with interrupts off and may still be at WQ. */
	synchronize_rcu();
	if (wq->rescuer)
		kthread_stop(wq->rescuer);
	kfree(wq);
}

static void pool_init(struct worker_pool *p, int cpu, int nice)
{
	spin_lock_init(&p->lock);
	p->cpu = cpu;
	p->nice = nice;
	p->max_busy = 256;
	INIT_LIST_HEAD(&p->todo);
	INIT_LIST_HEAD(&p->workers);
	INIT_LIST_HEAD(&p->idle);
	init_waitqueue_head(&p->done);
	timer_setup(&p->mayday, call_rescuers, 0);
}

static int work_early_init(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		pool_init(per_cpu_ptr(&pools, cpu), (int)cpu, 0);
		pool_init(per_cpu_ptr(&hipri_pools, cpu), (int)cpu, -20);
	}
	pool_init(&unbound_pool, -1, 0);
	system_wq = alloc_workqueue("events", 0, 0);
	system_unbound_wq = alloc_workqueue("events_unbound", WQ_UNBOUND, 0);
	system_highpri_wq = alloc_workqueue("events_highpri", WQ_HIGHPRI, 0);
	return system_wq && system_unbound_wq && system_highpri_wq ? 0 : -ENOMEM;
}
INITCALL(early, work_early_init);

static int pool_start(struct worker_pool *p)
{
	p->manager = kthread_create(manager_main, p, p->cpu >= 0 ? "kworker/%dm" : "kworker/um", p->cpu);
	if (IS_ERR(p->manager)) {
		p->manager = NULL;
		return -ENOMEM;
	}
	if (!make_worker(p))
		return -ENOMEM;
	wake_up_process(p->manager);
	return 0;
}

/* After the CPUs are up. */
static int work_start(void)
{
	unsigned int cpu;
	int e = pool_start(&unbound_pool);

	for_each_online_cpu(cpu) {
		e = e ?: pool_start(per_cpu_ptr(&pools, cpu));
		e = e ?: pool_start(per_cpu_ptr(&hipri_pools, cpu));
	}
	workers_up = true;
	return e;
}
INITCALL(fs, work_start);

unsigned int work_set_most(unsigned int most, unsigned int *now)
{
	struct worker_pool *p = &unbound_pool;
	unsigned int was;

	spin_lock_irq(&p->lock);
	was = p->max_busy;
	p->max_busy = most;
	*now = p->nr_workers;
	spin_unlock_irq(&p->lock);
	return was;
}

bool work_pending_or_running(struct work_struct *w)
{
	return work_busy(w);
}

EXPORT(queue_work_on);
EXPORT(queue_work);
EXPORT(flush_work);
EXPORT(cancel_work_sync);
EXPORT(system_wq);
EXPORT(system_unbound_wq);
EXPORT(init_delayed_work);
EXPORT(queue_delayed_work);
EXPORT(cancel_delayed_work_sync);
