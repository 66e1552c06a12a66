// SPDX-License-Identifier: MIT
/*
 * Work queues. A pool of workers a CPU, and one unbound pool. A pool keeps one worker running as long as there is work; when a
 * worker sleeps in an item while more waits, another is woken or made. Workers beyond the first end after 30 s of idleness.
 *
 * An item is on at most one list; `pending` is set from queueing until a worker takes it, so that it can be queued again
 * from its own function. A pool remembers what each worker runs, so an item never runs twice at once.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
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

struct worker_pool {
	spinlock_t lock;		/* irq-safe */
	int cpu;			/* -1: unbound */
	int nice;
	struct list_head todo;		/* lock */
	struct list_head workers;	/* lock: all */
	struct list_head idle;		/* lock */
	unsigned int nr_workers, nr_busy, max_busy;	/* lock */
	bool making;			/* lock: a worker is being made */
	wait_queue_head_t done;		/* flushers */
	struct task *manager;
};

struct worker {
	struct worker_pool *pool;
	struct list_head node, idle_node;
	struct task *task;
	struct work_struct *current_work;	/* pool lock */
	work_func_t current_fn;
	bool woken;
};

struct workqueue_struct {
	const char *name;
	unsigned int flags;
	atomic_t nr_active;		/* queued or running */
	wait_queue_head_t drained;
	struct list_head rescue;	/* rescue_lock */
	struct task *rescuer;
};

struct workqueue_struct *system_wq, *system_unbound_wq, *system_highpri_wq;
static DEFINE_PER_CPU(struct worker_pool, pools);
static DEFINE_PER_CPU(struct worker_pool, hipri_pools);
static struct worker_pool unbound_pool;
static bool workers_up;

static bool is_running(struct worker_pool *p, struct work_struct *w)
{
	struct worker *k;

	list_for_each_entry(k, &p->workers, node)
		if (k->current_work == w)
			return true;
	return false;
}

/* The first item that no other worker runs right now. */
static struct work_struct *next_item(struct worker_pool *p)
{
	struct work_struct *w;

	list_for_each_entry(w, &p->todo, entry)
		if (!is_running(p, w))
			return w;
	return NULL;
}

static void run_item(struct worker *k, struct work_struct *w) __must_hold(p->lock)
{
	struct worker_pool *p = k->pool;
	struct workqueue_struct *wq = w->wq;
	work_func_t fn = w->func;

	list_del_init(&w->entry);
	k->current_work = w;
	k->current_fn = fn;
	p->nr_busy++;
	clear_bit_unlock(0, &w->pending);	/* from here on it may be queued again */
	spin_unlock_irq(&p->lock);
	fn(w);					/* may free W */
	WARN_ONCE(in_atomic(), "work: %p left preemption disabled", (void *)fn);
	spin_lock_irq(&p->lock);
	p->nr_busy--;
	k->current_work = NULL;
	if (waitqueue_active(&p->done))
		wake_up_all(&p->done);
	if (atomic_dec_and_test(&wq->nr_active))
		wake_up_all(&wq->drained);
}

static void wake_idle(struct worker_pool *p)
{
	struct worker *k = list_first_entry_or_null(&p->idle, struct worker, idle_node);

	if (k) {
		list_del_init(&k->idle_node);
		wake_up_process(k->task);
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
	if (next_item(p))
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
		while ((w = next_item(p)))
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

static struct worker_pool *pool_for(struct workqueue_struct *wq, int cpu)
{
	if ((wq->flags & WQ_UNBOUND) && cpu < 0)
		return &unbound_pool;
	if (cpu < 0)
		cpu = (int)raw_smp_processor_id();
	return wq->flags & WQ_HIGHPRI ? per_cpu_ptr(&hipri_pools, cpu) : per_cpu_ptr(&pools, cpu);
}

/* The pending bit is ours. */
static void insert_work(int cpu, struct workqueue_struct *wq, struct work_struct *w)
{
	struct worker_pool *p, *last = w->pool;
	unsigned long flags;

	local_irq_save(flags);
	p = pool_for(wq, cpu);
	if (last && last != p) {	/* still running elsewhere: queue it there, so that it does not run twice at once */
		spin_lock(&last->lock);
		if (is_running(last, w))
			p = last;
		spin_unlock(&last->lock);
	}
	spin_lock(&p->lock);
	w->pool = p;
	w->wq = wq;
	atomic_inc(&wq->nr_active);
	list_add_tail(&w->entry, &p->todo);
	if (workers_up && !is_running(p, w))
		wake_idle(p);
	spin_unlock(&p->lock);
	if (last && last != p && waitqueue_active(&last->done))
		wake_up_all(&last->done);	/* who flushes it goes over to P */
	if (wq->rescuer)
		wake_up_process(wq->rescuer);
	local_irq_restore(flags);
}

bool queue_work_on(int cpu, struct workqueue_struct *wq, struct work_struct *w)
{
	if (test_and_set_bit(0, &w->pending))
		return false;
	insert_work(cpu, wq, w);
	return true;
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *w)
{
	return queue_work_on(-1, wq, w);
}

static void delayed_fire(struct timer_list *t)
{
	struct delayed_work *d = container_of(t, struct delayed_work, timer);

	insert_work(-1, d->wq, &d->work);
}

void init_delayed_work(struct delayed_work *d, work_func_t f)
{
	INIT_WORK(&d->work, f);
	timer_setup(&d->timer, delayed_fire, 0);
	d->wq = NULL;
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *d, unsigned long delay)
{
	if (test_and_set_bit(0, &d->work.pending))
		return false;
	d->wq = wq;
	if (delay)
		mod_timer(&d->timer, jiffies + delay);
	else
		insert_work(-1, wq, &d->work);
	return true;
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
		list_del_init(&w->entry);
		if (atomic_dec_and_test(&w->wq->nr_active))
			wake_up_all(&w->wq->drained);
		got = true;
	}
	spin_unlock_irqrestore(&p->lock, flags);
	return got;
}

bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *d, unsigned long delay)
{
	bool was = false;

	for (;;) {
		if (!test_and_set_bit(0, &d->work.pending))
			break;
		if (timer_delete(&d->timer) || steal_queued(&d->work)) {
			was = true;
			break;
		}
		cpu_relax();	/* between timer and list, or being taken by a worker */
	}
	d->wq = wq;
	if (delay)
		mod_timer(&d->timer, jiffies + delay);
	else
		insert_work(-1, wq, &d->work);
	return was;
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
	busy = is_running(p, w);
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

static bool grab(struct work_struct *w, struct delayed_work *d)
{
	for (;;) {
		if (!test_and_set_bit(0, &w->pending))
			return false;
		if ((d && timer_delete(&d->timer)) || steal_queued(w))
			return true;
		if (cond_resched())
			continue;
		cpu_relax();
	}
}

/* The pending bit, which was ours, goes: who flushes W looks again. */
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
		wait_event(p->done, ({ spin_lock_irq(&p->lock); bool r = is_running(p, w); spin_unlock_irq(&p->lock); !r; }));
	let_go(w);
	return was;
}

bool cancel_work_sync(struct work_struct *w) { return cancel_sync(w, NULL); }
bool cancel_delayed_work_sync(struct delayed_work *d) { return cancel_sync(&d->work, d); }

bool cancel_delayed_work(struct delayed_work *d)
{
	bool was = grab(&d->work, d);

	let_go(&d->work);
	return was;
}

void flush_workqueue(struct workqueue_struct *wq)
{
	might_sleep();
	wait_event(wq->drained, !atomic_read(&wq->nr_active));
}

/* Takes items of its queue off pools that are stuck for want of memory to make a worker. */
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
		schedule_timeout_uninterruptible(HZ / 100 + 1);
		for_each_possible_cpu(cpu) {
			struct worker_pool *p = wq->flags & WQ_UNBOUND ? &unbound_pool : pool_for(wq, (int)cpu);
			struct worker k = { .pool = p, .task = current };
			struct work_struct *w, *found;

			spin_lock_irq(&p->lock);
			if (!p->making) {
				spin_unlock_irq(&p->lock);
				continue;
			}
			list_add_tail(&k.node, &p->workers);
			do {
				found = NULL;
				list_for_each_entry(w, &p->todo, entry) {
					if (w->wq == wq && !is_running(p, w)) {
						found = w;
						break;
					}
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
	struct workqueue_struct *wq = kzalloc(sizeof(*wq), GFP_KERNEL);

	if (!wq)
		return NULL;
	wq->name = name;
	wq->flags = flags;
	init_waitqueue_head(&wq->drained);
	if (flags & WQ_MEM_RECLAIM) {
		wq->rescuer = kthread_run(rescuer_main, wq, "%s", name);
		if (IS_ERR(wq->rescuer)) {
			kfree(wq);
			return NULL;
		}
	}
	return wq;
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	flush_workqueue(wq);
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

bool work_pending_or_running(struct work_struct *w)
{
	return work_busy(w);
}
