// SPDX-License-Identifier: MIT
/*
 * Routes of interrupts: which inputs of controllers, or which message, a GSI leads to.
 *
 * A table is made whole and never changes. Its routes lie by GSI, with an index of where each GSI's
 * begin, so that raising a GSI costs as much as it has routes. Inputs lead back to their GSI by a
 * hash: of several routes of one input the last counts, as on Linux.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kernel/rcu.h>
#include <kvm/cpu.h>
#include <kvm/vm.h>
#include <lib/atomic.h>
#include <lib/err.h>
#include <lib/hash.h>
#include <lib/minmax.h>
#include <linux/kvm.h>
#include <mm/uaccess.h>
#include <sched/sched.h>
#include "kvm/event/event_priv.h"

struct kvm_routes {
	u32 gsis;			/* one more than the highest */
	unsigned int hash_bits;
	u32 *first;			/* gsis + 1 of them: where the routes of a GSI begin */
	u32 *hash;   /* 1 << hash_bits: the place + 1 of an input's route; 0: none */
	struct placed {
		struct kvm_route r;
		u32 next;		/* of the same hash, as there */
	} of[];
};

static struct kvm_routes *routes_of(const struct kvm_vm *vm)
{
	const struct kvm_events_of_vm *e = smp_load_acquire(&vm->events);

	return e ? smp_load_acquire(&e->routes) : NULL;	/* kvm_routes_set() */
}

static u32 hash_input(const struct kvm_routes *t, u32 chip, u32 pin)
{
	return hash_64((u64)chip << 32 | pin, t->hash_bits);
}

/* ---- a table ---- */

/* NULL: no memory. */
static struct kvm_routes *table_alloc(u32 nr, u32 gsis)
{
	struct kvm_routes *t;
	unsigned int bits = 1;
	size_t at = struct_size(t, of, nr), words;

	while (1U << bits < nr)
		bits++;
	words = gsis + 1 + (1U << bits);
	t = kvzalloc(at + words * sizeof(u32), GFP_KERNEL_ACCOUNT);
	if (!t)
		return NULL;
	t->gsis = gsis;
	t->hash_bits = bits;
	t->first = (u32 *)((char *)t + at);
	t->hash = t->first + gsis + 1;
	return t;
}

static int check_entry(const struct kvm_irq_routing_entry *e)
{
	u32 flags = e->type == KVM_IRQ_ROUTING_MSI ? KVM_MSI_VALID_DEVID : 0;

	return e->gsi >= KVM_ROUTES_MAX || e->flags & ~flags ? -EINVAL : 0;
}

/*
 * first[gsi + 1] counts a GSI's routes, then is where they begin. place() moves it on, to where
 * they end and the next one's begin.
 */
static void make_index(struct kvm_routes *t, const struct kvm_irq_routing_entry *entries, u32 nr)
{
	u32 sum = 0;

	for (u32 i = 0; i < nr; i++)
		t->first[entries[i].gsi + 1]++;
	for (u32 gsi = 0; gsi < t->gsis; gsi++) {
		u32 n = t->first[gsi + 1];

		t->first[gsi + 1] = sum;
		sum += n;
	}
}

/* GSI leads to one input of each controller, or to one message alone. */
static int check_gsi(const struct kvm_routes *t, u32 gsi)
{
	u32 end = t->first[gsi + 1];

	/* Controllers are few: of any more routes than these the first ones collide. */
	for (u32 i = t->first[gsi] + 1; i < end; i++)
		for (u32 k = t->first[gsi]; k < i; k++) {
			const struct kvm_route *a = &t->of[k].r, *b = &t->of[i].r;

			if (a->type != KVM_IRQ_ROUTING_IRQCHIP ||
			    b->type != KVM_IRQ_ROUTING_IRQCHIP || a->input.chip == b->input.chip)
				return -EINVAL;
		}
	return 0;
}

static int place(const struct kvm_vm *vm, struct kvm_routes *t,
		 const struct kvm_irq_routing_entry *e)
{
	u32 i = t->first[e->gsi + 1]++, *head;
	struct placed *p = &t->of[i];
	int r = kvm_cpu_route(vm, e, &p->r);

	if (r)
		return r;
	p->r.gsi = e->gsi;
	if (p->r.type == KVM_IRQ_ROUTING_IRQCHIP) {
		head = &t->hash[hash_input(t, p->r.input.chip, p->r.input.pin)];
		p->next = *head;
		*head = i + 1;
	}
	return 0;
}

/* ERR_PTR(-EINVAL), ERR_PTR(-ENOMEM) */
static struct kvm_routes *table_new(const struct kvm_vm *vm,
				    const struct kvm_irq_routing_entry *entries, u32 nr)
{
	struct kvm_routes *t;
	u32 gsis = 0;
	int r = 0;

	for (u32 i = 0; i < nr && !r; i++) {
		r = check_entry(&entries[i]);
		gsis = max(gsis, entries[i].gsi + 1);
	}
	if (r)
		return ERR_PTR(r);
	t = table_alloc(nr, gsis);
	if (!t)
		return ERR_PTR(-ENOMEM);
	make_index(t, entries, nr);
	for (u32 i = 0; i < nr && !r; i++)
		r = place(vm, t, &entries[i]);
	for (u32 gsi = 0; gsi < gsis && !r; gsi++)
		r = check_gsi(t, gsi);
	if (!r)
		return t;
	kvfree(t);
	return ERR_PTR(r);
}

int kvm_routes_set(struct kvm_vm *vm, const struct kvm_irq_routing_entry *entries, u32 nr)
{
	struct kvm_routes *old = vm->events->routes, *t;

	lockdep_assert_held(&vm->lock);
	t = table_new(vm, entries, nr);
	if (IS_ERR(t))
		return (int)PTR_ERR(t);
	smp_store_release(&vm->events->routes, t);	/* routes_of() */
	synchronize_srcu(&vm->srcu);
	kvfree(old);
	return 0;
}

/* ---- use ---- */

int kvm_gsi_set(struct kvm_vm *vm, enum kvm_irq_source source, u32 gsi, bool level)
{
	const struct kvm_routes *t = routes_of(vm);
	int sum = -1;

	if (!t || gsi >= t->gsis)
		return sum;
	/* From the last to the first: what the sum is where one of them fails is Linux's. */
	for (u32 i = t->first[gsi + 1]; i-- > t->first[gsi];) {
		int r = kvm_cpu_route_set(vm, &t->of[i].r, source, level);

		if (r >= 0)
			sum = r + (sum < 0 ? 0 : sum);
	}
	return sum;
}

const struct kvm_route *kvm_gsi_message(const struct kvm_vm *vm, u32 gsi)
{
	const struct kvm_routes *t = routes_of(vm);
	const struct kvm_route *r;

	if (!t || gsi >= t->gsis || t->first[gsi + 1] - t->first[gsi] != 1)
		return NULL;
	r = &t->of[t->first[gsi]].r;
	return r->type == KVM_IRQ_ROUTING_MSI ? r : NULL;
}

void kvm_gsi_ended(struct kvm_vm *vm, u32 chip, u32 pin)
{
	const struct kvm_routes *t = routes_of(vm);
	u32 i = t ? t->hash[hash_input(t, chip, pin)] : 0;

	for (; i; i = t->of[i - 1].next) {
		const struct kvm_route *r = &t->of[i - 1].r;

		if (r->input.chip == chip && r->input.pin == pin) {
			kvm_resample(vm, r->gsi);
			return;
		}
	}
}

/* ---- ioctls ---- */

static long set_routing(struct kvm_vm *vm, struct uptr arg)
{
	struct kvm_irq_routing_entry *entries = NULL;
	struct kvm_irq_routing head;
	long r;

	if (copy_from_user(&head, arg, sizeof(head)))
		return -EFAULT;
	if (!kvm_cpu_has_irqchip(vm) || head.nr > KVM_ROUTES_MAX || head.flags)
		return -EINVAL;
	if (head.nr) {
		size_t size = head.nr * sizeof(*entries);

		entries = kvmalloc(size, GFP_KERNEL_ACCOUNT);
		if (!entries)
			return -ENOMEM;
		if (copy_from_user(entries, uptr_add(arg, sizeof(head)), size)) {
			kvfree(entries);
			return -EFAULT;
		}
	}
	mutex_lock(&vm->lock);
	r = kvm_routes_set(vm, entries, head.nr);
	mutex_unlock(&vm->lock);
	kvfree(entries);
	return r;
}

static long signal_msi(struct kvm_vm *vm, struct uptr arg)
{
	struct kvm_irq_routing_entry e = { .type = KVM_IRQ_ROUTING_MSI };
	struct kvm_route route = { 0 };
	struct kvm_msi m;
	int idx, r;

	if (copy_from_user(&m, arg, sizeof(m)))
		return -EFAULT;
	if (!kvm_cpu_has_irqchip(vm) || m.flags & ~KVM_MSI_VALID_DEVID)
		return -EINVAL;
	e.flags = m.flags;
	e.u.msi.address_lo = m.address_lo;
	e.u.msi.address_hi = m.address_hi;
	e.u.msi.data = m.data;
	e.u.msi.devid = m.devid;
	r = kvm_cpu_route(vm, &e, &route);
	if (r)
		return r;
	idx = srcu_read_lock(&vm->srcu);
	r = kvm_cpu_route_set(vm, &route, KVM_IRQ_USER, true);
	srcu_read_unlock(&vm->srcu, idx);
	return r;			/* -1, nobody took it, is what Linux answers too */
}

static long set_line(struct kvm_vm *vm, unsigned int cmd, struct uptr arg)
{
	struct kvm_irq_level l;
	int idx;

	if (copy_from_user(&l, arg, sizeof(l)))
		return -EFAULT;
	if (!kvm_cpu_has_irqchip(vm))
		return -ENXIO;
	idx = srcu_read_lock(&vm->srcu);
	l.status = kvm_gsi_set(vm, KVM_IRQ_USER, l.irq, l.level);
	srcu_read_unlock(&vm->srcu, idx);
	return cmd == KVM_IRQ_LINE_STATUS && copy_to_user(arg, &l, sizeof(l)) ? -EFAULT : 0;
}

long kvm_event_ioctl(struct kvm_vm *vm, unsigned int cmd, struct uptr arg)
{
	switch (cmd) {
	case KVM_SET_GSI_ROUTING:
		return set_routing(vm, arg);
	case KVM_SIGNAL_MSI:
		return signal_msi(vm, arg);
	case KVM_IRQ_LINE:
	case KVM_IRQ_LINE_STATUS:
		return set_line(vm, cmd, arg);
	case KVM_IRQFD:
		return kvm_irqfd(vm, arg);
	default:
		return -ENOTTY;
	}
}

/* ---- lives ---- */

int kvm_events_new(struct kvm_vm *vm)
{
	struct kvm_events_of_vm *e = kzalloc(sizeof(*e), GFP_KERNEL_ACCOUNT);

	if (!e)
		return -ENOMEM;
	mutex_init(&e->lock);
	e->irqfds = RB_ROOT;
	xa_init(&e->resamplers);
	vm->events = e;
	return 0;
}

/* A timer of the CPU's part may still raise a GSI: it finds none from now on. */
void kvm_events_free(struct kvm_vm *vm)
{
	struct kvm_events_of_vm *e = vm->events;

	kvm_irqfds_free(vm);
	smp_store_release(&vm->events, NULL);
	synchronize_srcu(&vm->srcu);
	xa_destroy(&e->resamplers);
	kvfree(e->routes);
	kfree(e);
}
