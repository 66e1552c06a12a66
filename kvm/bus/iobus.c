// SPDX-License-Identifier: MIT
/*
 * The buses of a VM (kvm/bus.h).
 *
 * A bus is an array of its devices, by address, then by length, then as they came. A change makes
 * a new one. Devices may overlap (an eventfd within a zone of coalesced writes), so a look-up must
 * find all that have an access, in the array's order, and pass over those that end before it
 * without looking at each: behind the array lies a tree of last addresses, as the leaves of which
 * the devices count. So each device that is asked costs O(log n).
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kvm/vcpu.h>
#include <kvm/vm.h>
#include <lib/atomic.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <mm/uaccess.h>
#include "kvm/bus/bus_priv.h"

#define COUNTED_MAX 1000U		/* as on Linux */
#define ACCESS_MAX 8U

struct kvm_bus {
	u32 nr, counted;		/* of places; of devices that are counted */
	u32 leaves;			/* a power of two */
	u64 *last;			/* [1]: the root; [leaves + i]: of place i */
	struct place {
		u64 addr;
		struct kvm_bus_device *d; /* once: NULL: it went, and there was no memory */
	} of[];
};

/* The last address that D has a say in. */
static u64 last_of(const struct kvm_bus_device *d)
{
	u64 last;

	return check_add_overflow(d->addr, (d->len ? d->len : ACCESS_MAX) - 1, &last) ? U64_MAX :
											last;
}

/* ---- look-up ---- */

/* How many places begin at or before ADDR. */
static u32 begun(const struct kvm_bus *b, u64 addr)
{
	u32 low = 0, high = b->nr;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (b->of[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The first place from I on that ends at LAST or behind it; not below b->nr: none. */
static u32 next_reaching(const struct kvm_bus *b, u32 i, u64 last)
{
	u32 n = b->leaves + i;

	if (i >= b->leaves)
		return b->nr;
	for (;;) {
		if (b->last[n] >= last) {
			if (n >= b->leaves)
				return n - b->leaves;
			n *= 2;
			continue;
		}
		while (n & 1)		/* up, as long as it is a right child */
			n /= 2;
		if (!n)
			return b->nr;
		n++;
	}
}

/* The next device from *I on that has all of [ADDR, LAST], NULL: none; *I: the place behind it. */
static struct kvm_bus_device *next_with(const struct kvm_bus *b, u32 *i, u32 end, u64 addr,
					u64 last)
{
	while ((*i = next_reaching(b, *i, last)) < end) {
		const struct place *p = &b->of[(*i)++];
		struct kvm_bus_device *d = READ_ONCE(p->d);

		if (d && (d->len || p->addr == addr))
			return d;
	}
	return NULL;
}

static struct kvm_bus *bus_of(const struct kvm_vm *vm, enum kvm_bus_kind kind)
{
	return smp_load_acquire(&vm->buses[kind]);	/* publish() */
}

int kvm_bus_read(struct kvm_vcpu *v, enum kvm_bus_kind kind, u64 addr, u32 len, void *data)
{
	const struct kvm_bus *b = bus_of(v->vm, kind);
	struct kvm_bus_device *d;
	u64 last;
	u32 i = 0, end;

	DEBUG_ON(!len || len > ACCESS_MAX);
	if (!b || check_add_overflow(addr, (u64)len - 1, &last))
		return -EOPNOTSUPP;
	end = begun(b, addr);
	while ((d = next_with(b, &i, end, addr, last)))
		if (d->ops->read && !d->ops->read(v, d, addr, len, data))
			return 0;
	return -EOPNOTSUPP;
}

int kvm_bus_write(struct kvm_vcpu *v, enum kvm_bus_kind kind, u64 addr, u32 len, const void *data)
{
	const struct kvm_bus *b = bus_of(v->vm, kind);
	struct kvm_bus_device *d;
	u64 last;
	u32 i = 0, end;

	DEBUG_ON(!len || len > ACCESS_MAX);
	if (!b || check_add_overflow(addr, (u64)len - 1, &last))
		return -EOPNOTSUPP;
	end = begun(b, addr);
	while ((d = next_with(b, &i, end, addr, last)))
		if (d->ops->write && !d->ops->write(v, d, addr, len, data))
			return 0;
	return -EOPNOTSUPP;
}

/* ---- changes ---- */

static bool before(const struct kvm_bus_device *a, const struct kvm_bus_device *b)
{
	return a->addr != b->addr ? a->addr < b->addr : a->len < b->len;
}

static struct kvm_bus *bus_alloc(u32 room)
{
	u32 leaves = 1;
	struct kvm_bus *b;
	size_t size = struct_size(b, of, room);

	while (leaves < room)
		leaves *= 2;
	b = kvzalloc(size_add(size, array_size(2 * (size_t)leaves, sizeof(u64))),
		     GFP_KERNEL_ACCOUNT);
	if (!b)
		return NULL;
	b->leaves = leaves;
	b->last = (u64 *)((char *)b + size);
	return b;
}

static void append(struct kvm_bus *b, struct kvm_bus_device *d)
{
	b->counted += !d->ops->uncounted;
	b->last[b->leaves + b->nr] = last_of(d);
	b->of[b->nr++] = (struct place){ d->addr, d };
}

/* OLD (NULL: empty) without GONE, with COME, where they are not NULL. NULL: no memory. */
static struct kvm_bus *copy(const struct kvm_bus *old, const struct kvm_bus_device *gone,
			    struct kvm_bus_device *come)
{
	struct kvm_bus *b = bus_alloc((old ? old->nr : 0) + !!come);

	if (!b)
		return NULL;
	for (u32 i = 0; old && i < old->nr; i++) {
		struct kvm_bus_device *d = old->of[i].d;

		if (!d || d == gone)
			continue;
		if (come && before(come, d)) {
			append(b, come);
			come = NULL;
		}
		append(b, d);
	}
	if (come)
		append(b, come);
	for (u32 n = b->leaves - 1; n; n--)
		b->last[n] = max(b->last[2 * n], b->last[2 * n + 1]);
	return b;
}

static void publish(struct kvm_vm *vm, enum kvm_bus_kind kind, struct kvm_bus *b)
{
	struct kvm_bus *old = vm->buses[kind];

	smp_store_release(&vm->buses[kind], b);		/* bus_of() */
	synchronize_srcu(&vm->srcu);
	kvfree(old);
}

int kvm_bus_add(struct kvm_vm *vm, enum kvm_bus_kind kind, struct kvm_bus_device *d)
{
	struct kvm_bus *old = vm->buses[kind], *b;

	lockdep_assert_held(&vm->slots_lock);
	if (old && old->counted >= COUNTED_MAX)
		return -ENOSPC;
	b = copy(old, NULL, d);
	if (!b)
		return -ENOMEM;
	publish(vm, kind, b);
	return 0;
}

/* D's place is empty from now on; the next change leaves it out. */
static void blank(struct kvm_vm *vm, struct kvm_bus *b, const struct kvm_bus_device *d)
{
	for (u32 i = 0; i < b->nr; i++)
		if (b->of[i].d == d)
			WRITE_ONCE(b->of[i].d, NULL);
	b->counted -= !d->ops->uncounted;
	synchronize_srcu(&vm->srcu);
}

void kvm_bus_remove(struct kvm_vm *vm, enum kvm_bus_kind kind, struct kvm_bus_device *d)
{
	struct kvm_bus *old = vm->buses[kind], *b = copy(old, d, NULL);

	lockdep_assert_held(&vm->slots_lock);
	if (b)
		publish(vm, kind, b);
	else
		blank(vm, old, d);
	d->ops->gone(d);
}

struct kvm_bus_device *kvm_bus_next(const struct kvm_vm *vm, enum kvm_bus_kind kind, u32 *i,
				    u64 first, u64 last)
{
	const struct kvm_bus *b = vm->buses[kind];

	lockdep_assert_held(&vm->slots_lock);
	return b ? next_with(b, i, begun(b, first), first, last) : NULL;
}

/* ---- lives ---- */

int kvm_buses_new(struct kvm_vm *vm)
{
	return kvm_coalesced_new(vm);
}

void kvm_buses_free(struct kvm_vm *vm)
{
	for (unsigned int kind = 0; kind < KVM_BUSES; kind++) {
		struct kvm_bus *b = vm->buses[kind];

		for (u32 i = 0; b && i < b->nr; i++)
			if (b->of[i].d)
				b->of[i].d->ops->gone(b->of[i].d);
		kvfree(b);
		vm->buses[kind] = NULL;
	}
	kvm_coalesced_free(vm);
}

long kvm_bus_ioctl(struct kvm_vm *vm, unsigned int cmd, struct uptr arg)
{
	switch (cmd) {
	case KVM_IOEVENTFD:
		return kvm_ioeventfd(vm, arg);
	case KVM_REGISTER_COALESCED_MMIO:
	case KVM_UNREGISTER_COALESCED_MMIO:
		return kvm_coalesced_zone(vm, cmd, arg);
	default:
		return -ENOTTY;
	}
}
