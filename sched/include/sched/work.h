/* SPDX-License-Identifier: MIT */
/*
 * Work queues: functions run later in a thread. Each CPU has a pool of workers that grows while work is blocked;
 * an item runs on the CPU that queued it (or any, for unbound queues), never twice at once. A WQ_MEM_RECLAIM queue
 * has a rescuer thread, so that it makes progress without memory.
 */
#pragma once

#include <lib/list.h>
#include <lib/err.h>
#include <kernel/time.h>

struct work_struct;
typedef void (*work_func_t)(struct work_struct *w);

struct work_struct {
	unsigned long pending;		/* bit 0: queued */
	struct list_head entry;		/* pool lock */
	work_func_t func;
	struct worker_pool *pool;	/* where it was last queued */
	struct workqueue_struct *wq;
	u8 colour;			/* pool lock: which of the queue's two counts has it */
	bool inactive;			/* pool lock: more than max_active are before it */
};

struct delayed_work {
	struct work_struct work;
	struct timer_list timer;
	struct workqueue_struct *wq;
	int cpu;
};

#define WORK_INIT(n, f) { .entry = LIST_HEAD_INIT((n).entry), .func = (f) }
#define DECLARE_WORK(n, f) struct work_struct n = WORK_INIT(n, f)
#define INIT_WORK(w, f) do { (w)->pending = 0; INIT_LIST_HEAD(&(w)->entry); (w)->func = (f); (w)->pool = NULL; (w)->wq = NULL; } while (0)
void init_delayed_work(struct delayed_work *d, work_func_t f);
#define INIT_DELAYED_WORK(d, f) init_delayed_work(d, f)
#define to_delayed_work(w) container_of(w, struct delayed_work, work)

#define WQ_UNBOUND 0x2
#define WQ_MEM_RECLAIM 0x8
#define WQ_HIGHPRI 0x10
extern struct workqueue_struct *system_wq, *system_unbound_wq, *system_highpri_wq;
/*
 * MAX_ACTIVE: how many items of the queue run at once on each CPU, of an unbound one altogether (0: any number); those of an unbound
 * one with 1 run in the order in which they were queued. NAME is the rescuer's. NULL: no memory.
 */
struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int max_active);
/* Waits until the queue is empty. Nothing may be queued any more. Sleeps. */
void destroy_workqueue(struct workqueue_struct *wq);
/* False when it was queued already. Any context. */
bool queue_work(struct workqueue_struct *wq, struct work_struct *w);
bool queue_work_on(int cpu, struct workqueue_struct *wq, struct work_struct *w);
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *d, unsigned long delay_jiffies);
/* Queued or not, the item is to run after the delay. True: it was queued. Any context; not while cancel_delayed_work_sync() waits for the item. */
bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *d, unsigned long delay_jiffies);
#define schedule_work(w) queue_work(system_wq, w)
#define schedule_delayed_work(d, j) queue_delayed_work(system_wq, d, j)
/* Waits until the item is idle. True when there was something to wait for. */
bool flush_work(struct work_struct *w);
bool work_pending_or_running(struct work_struct *w);
/* Waits for the items that were queued before it, not for those queued meanwhile. Sleeps. */
void flush_workqueue(struct workqueue_struct *wq);
bool cancel_work_sync(struct work_struct *w);
bool cancel_delayed_work_sync(struct delayed_work *d);
bool cancel_delayed_work(struct delayed_work *d);
