// SPDX-License-Identifier: MIT
/*
 * KVM_IRQFD: an eventfd whose signals raise a GSI.
 *
 * An irqfd is its eventfd's taker (ipc/eventfd.h). A GSI that is one message is delivered where the
 * eventfd is signalled; all else by the irqfd's own work, which runs once for signals that come
 * while it waits, as an edge would be seen once.
 *
 * Lives. An irqfd holds its eventfd, and its VM only knows it: the VM waits for all of them as it
 * ends. The eventfd's file may go first, and says so where nothing may sleep. So each irqfd ends in
 * its own work `end`, which is queued once, by whoever says first that it is dying; the others wait
 * for the queue.
 *
 * With a resamplefd the GSI is a level. The eventfd raises it; when the guest has served it, it is
 * lowered and all resamplefds of that GSI are signalled, so that devices that still want it raise
 * it again.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <ipc/eventfd.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/rcu.h>
#include <kvm/cpu.h>
#include <kvm/vm.h>
#include <lib/atomic.h>
#include <lib/bits.h>
#include <lib/err.h>
#include <linux/kvm.h>
#include <mm/uaccess.h>
#include <sched/work.h>
#include "kvm/event/event_priv.h"

/* All that want GSI again after it was served. There while there are any; vm->events->lock. */
struct resampler {
	u32 gsi;
	struct list_head irqfds;	/* readers srcu */
};

#define DYING 0

struct irqfd {
	struct eventfd_taker taker;
	struct eventfd *eventfd;	/* a reference */
	struct kvm_vm *vm;		/* c */
	u32 gsi;			/* c */
	unsigned long state;		/* atomic bits */
	struct rb_node node;		/* vm->events->lock: by eventfd */
	struct resampler *resampler;	/* vm->events->lock; NULL: none */
	struct eventfd *resamplefd;	/* a reference, or NULL */
	struct list_head resample;	/* in RESAMPLER */
	struct work_struct raise, end;
};

/* END is queued here alone: who waits for it waits for this queue. */
static struct workqueue_struct *ends;

/* ---- signals ---- */

static void raise(struct work_struct *w)
{
	struct irqfd *f = container_of(w, struct irqfd, raise);
	int idx = srcu_read_lock(&f->vm->srcu);

	if (f->resamplefd) {
		kvm_gsi_set(f->vm, KVM_IRQ_RESAMPLE, f->gsi, true);
	} else {
		kvm_gsi_set(f->vm, KVM_IRQ_USER, f->gsi, true);
		kvm_gsi_set(f->vm, KVM_IRQ_USER, f->gsi, false);
	}
	srcu_read_unlock(&f->vm->srcu, idx);
}

/* Whether it is done here and now. Any context that may wake a task. */
static bool raised_fast(struct irqfd *f)
{
	int idx = srcu_read_lock(&f->vm->srcu);
	const struct kvm_route *r = f->resamplefd ? NULL : kvm_gsi_message(f->vm, f->gsi);
	bool done = r && kvm_cpu_route_fast(f->vm, r) != -EWOULDBLOCK;

	srcu_read_unlock(&f->vm->srcu, idx);
	return done;
}

static bool signalled(struct eventfd_taker *t, struct eventfd *e)
{
	struct irqfd *f = container_of(t, struct irqfd, taker);

	eventfd_take_locked(e);
	if (!raised_fast(f))
		queue_work(system_highpri_wq, &f->raise);
	return true;
}

static void die(struct irqfd *f)
{
	if (!test_and_set_bit(DYING, &f->state))
		queue_work(ends, &f->end);
}

static void hung_up(struct eventfd_taker *t, struct eventfd *e)
{
	die(container_of(t, struct irqfd, taker));
}

/* ---- resampling ---- */

void kvm_resample(struct kvm_vm *vm, u32 gsi)
{
	const struct resampler *r = xa_load(&vm->events->resamplers, gsi);
	const struct irqfd *f;

	if (!r)
		return;
	kvm_gsi_set(vm, KVM_IRQ_RESAMPLE, gsi, false);
	list_for_each_entry_rcu(f, &r->irqfds, resample)
		eventfd_signal(f->resamplefd, 1, 0);
}

/* F is among those of its GSI. -ENOMEM. */
static int join_resampler(struct irqfd *f)
{
	struct xarray *all = &f->vm->events->resamplers;
	struct resampler *r = xa_load(all, f->gsi);

	lockdep_assert_held(&f->vm->events->lock);
	if (!r) {
		r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
		if (!r)
			return -ENOMEM;
		r->gsi = f->gsi;
		INIT_LIST_HEAD(&r->irqfds);
		if (xa_err(xa_store(all, f->gsi, r, GFP_KERNEL_ACCOUNT))) {
			kfree(r);
			return -ENOMEM;
		}
	}
	list_add_rcu(&f->resample, &r->irqfds);
	f->resampler = r;
	return 0;
}

static void leave_resampler(struct irqfd *f)
{
	struct resampler *r = f->resampler;
	struct kvm_vm *vm = f->vm;
	int idx;

	lockdep_assert_held(&vm->events->lock);
	list_del_rcu(&f->resample);
	if (list_empty(&r->irqfds))
		xa_erase(&vm->events->resamplers, r->gsi);
	else
		r = NULL;
	synchronize_srcu(&vm->srcu);
	if (!r)
		return;
	/* Nobody is left who could lower it. */
	idx = srcu_read_lock(&vm->srcu);
	kvm_gsi_set(vm, KVM_IRQ_RESAMPLE, r->gsi, false);
	srcu_read_unlock(&vm->srcu, idx);
	kfree(r);
}

/* ---- lives ---- */

static int compare(const struct eventfd *e, const struct irqfd *f)
{
	return e < f->eventfd ? -1 : e > f->eventfd;
}

/* The one of E, NULL: none; *LINK, *PARENT: its place. vm->events->lock is held. */
static struct irqfd *find(struct kvm_vm *vm, const struct eventfd *e, struct rb_node ***link,
			  struct rb_node **parent)
{
	*link = &vm->events->irqfds.node;
	*parent = NULL;
	while (**link) {
		struct irqfd *f = rb_entry(**link, struct irqfd, node);
		int c = compare(e, f);

		if (!c)
			return f;
		*parent = **link;
		*link = c < 0 ? &f->node.left : &f->node.right;
	}
	return NULL;
}

/* F, which is in no set and bound to nothing. */
static void irqfd_free(struct irqfd *f)
{
	if (f->resamplefd)
		eventfd_put(f->resamplefd);
	eventfd_put(f->eventfd);
	kfree(f);
}

static void end(struct work_struct *w)
{
	struct irqfd *f = container_of(w, struct irqfd, end);
	struct kvm_vm *vm = f->vm;

	eventfd_unbind(f->eventfd, &f->taker);
	mutex_lock(&vm->events->lock);
	cancel_work_sync(&f->raise);	/* publish() may have queued it meanwhile */
	if (f->resampler)
		leave_resampler(f);
	/* From now on another one of this eventfd may come, or the VM end. */
	rb_erase(&f->node, &vm->events->irqfds);
	mutex_unlock(&vm->events->lock);
	irqfd_free(f);
}

/* ERR_PTR(-ENOMEM), or as eventfd_get(). */
static struct irqfd *irqfd_new(struct kvm_vm *vm, const struct kvm_irqfd *a)
{
	struct irqfd *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	long e = -ENOMEM;

	if (!f)
		return ERR_PTR(e);
	f->vm = vm;
	f->gsi = a->gsi;
	f->taker = (struct eventfd_taker){ .signalled = signalled, .hung_up = hung_up };
	INIT_WORK(&f->raise, raise);
	INIT_WORK(&f->end, end);
	f->eventfd = eventfd_get(a->fd);
	if (IS_ERR(f->eventfd)) {
		e = PTR_ERR(f->eventfd);
		kfree(f);
		return ERR_PTR(e);
	}
	if (!(a->flags & KVM_IRQFD_FLAG_RESAMPLE))
		return f;
	f->resamplefd = eventfd_get(a->resamplefd);
	if (IS_ERR(f->resamplefd)) {
		e = PTR_ERR(f->resamplefd);
		f->resamplefd = NULL;
		irqfd_free(f);
		return ERR_PTR(e);
	}
	return f;
}

/* F is there, and signals raise its GSI. It was complete before the first one. */
static int publish(struct irqfd *f)
{
	struct kvm_vm *vm = f->vm;
	struct rb_node **link, *parent;
	int r;

	lockdep_assert_held(&vm->events->lock);
	if (find(vm, f->eventfd, &link, &parent))
		return -EBUSY;
	r = f->resamplefd ? join_resampler(f) : 0;
	if (r)
		return r;
	/* Its `end` needs the lock: it finds F in the tree. */
	r = eventfd_bind(f->eventfd, &f->taker);
	if (r < 0) {
		if (f->resampler)
			leave_resampler(f);
		return r;
	}
	rb_link_node(&f->node, parent, link);
	rb_insert_color(&f->node, &vm->events->irqfds);
	if (r)				/* signalled before */
		queue_work(system_highpri_wq, &f->raise);
	return 0;
}

static long assign(struct kvm_vm *vm, const struct kvm_irqfd *a)
{
	struct irqfd *f;
	int r;

	if (!kvm_cpu_has_irqchip(vm))
		return -EINVAL;
	f = irqfd_new(vm, a);
	if (IS_ERR(f))
		return PTR_ERR(f);
	mutex_lock(&vm->events->lock);
	r = publish(f);
	mutex_unlock(&vm->events->lock);
	if (r)
		irqfd_free(f);
	return r;
}

/* 0 also where it was not assigned, as on Linux. Nothing is in flight when it returns. */
static long deassign(struct kvm_vm *vm, const struct kvm_irqfd *a)
{
	struct eventfd *e = eventfd_get(a->fd);
	struct rb_node **link, *parent;
	struct irqfd *f;

	if (IS_ERR(e))
		return PTR_ERR(e);
	mutex_lock(&vm->events->lock);
	f = find(vm, e, &link, &parent);
	if (f && f->gsi == a->gsi)
		die(f);
	mutex_unlock(&vm->events->lock);
	eventfd_put(e);
	flush_workqueue(ends);
	return 0;
}

long kvm_irqfd(struct kvm_vm *vm, struct uptr arg)
{
	struct kvm_irqfd a;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.flags & ~(KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE))
		return -EINVAL;
	return a.flags & KVM_IRQFD_FLAG_DEASSIGN ? deassign(vm, &a) : assign(vm, &a);
}

/* Whether there were any. */
static bool all_die(struct kvm_vm *vm)
{
	struct rb_node *first, *n;

	mutex_lock(&vm->events->lock);
	first = rb_first(&vm->events->irqfds);
	for (n = first; n; n = rb_next(n))
		die(rb_entry(n, struct irqfd, node));
	mutex_unlock(&vm->events->lock);
	return first;
}

void kvm_irqfds_free(struct kvm_vm *vm)
{
	bool any;

	/*
	 * One that said DYING before, as its file goes, may queue `end` too late for this wait. So
	 * the last wait is behind a look that finds none: each `end` has begun by then.
	 */
	do {
		any = all_die(vm);
		flush_workqueue(ends);
	} while (any);
	DEBUG_ON(!RB_EMPTY_ROOT(&vm->events->irqfds));
}

static int __init irqfd_init(void)
{
	ends = alloc_workqueue("kvm-irqfd", 0, 0);
	return ends ? 0 : -ENOMEM;
}
INITCALL(late, irqfd_init);
