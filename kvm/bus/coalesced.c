// SPDX-License-Identifier: MIT
/*
 * Coalesced writes: those of a guest to a zone of MMIO or of ports are put into a ring that the
 * owner reads when it comes by, at the next exit. The ring is one page a VM, which each vCPU's
 * mapping shows (page KVM_COALESCED_MMIO_PAGE_OFFSET). Its owner writes to all of it at any time:
 * `first` and `last` are read once and checked. Where it is full, the write goes to user space, who
 * empties it first.
 */
#include <abi/errno.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <arch/page.h>
#include <kernel/spinlock.h>
#include <kvm/vcpu.h>
#include <kvm/vm.h>
#include <lib/atomic.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <mm/uaccess.h>
#include "kvm/bus/bus_priv.h"

struct kvm_coalesced {
	spinlock_t lock;		/* writers of the ring */
	struct kvm_coalesced_mmio_ring *ring; /* c: a page; the owner's too */
};

static struct kvm_coalesced_mmio entry_of(const struct kvm_bus_device *d, u64 addr, u32 len,
					  const void *data, bool pio)
{
	struct kvm_coalesced_mmio e = { .phys_addr = addr, .len = len, .pio = pio };

	memcpy(e.data, data, len);
	return e;
}

static int put(struct kvm_coalesced *c, const struct kvm_coalesced_mmio *e)
{
	struct kvm_coalesced_mmio_ring *ring = c->ring;
	int r = -EOPNOTSUPP;
	u32 last, next;

	spin_lock(&c->lock);
	last = READ_ONCE(ring->last);
	if (last >= KVM_COALESCED_MMIO_MAX)
		goto out;
	next = (last + 1) % KVM_COALESCED_MMIO_MAX;
	if (next == READ_ONCE(ring->first))
		goto out;
	ring->coalesced_mmio[last] = *e;
	smp_store_release(&ring->last, next);	/* the owner reads it, then the entry */
	r = 0;
out:
	spin_unlock(&c->lock);
	return r;
}

/* A device without length, or one that wraps, is on its bus and takes nothing. */
static bool has(const struct kvm_bus_device *d, u64 addr, u32 len)
{
	u64 end;

	return d->len && !check_add_overflow(d->addr, d->len, &end) && addr >= d->addr &&
	       len <= end - addr;
}

static int write_memory(struct kvm_vcpu *v, struct kvm_bus_device *d, u64 addr, u32 len,
			const void *data)
{
	struct kvm_coalesced_mmio e = entry_of(d, addr, len, data, false);

	return has(d, addr, len) ? put(v->vm->coalesced, &e) : -EOPNOTSUPP;
}

static int write_port(struct kvm_vcpu *v, struct kvm_bus_device *d, u64 addr, u32 len,
		      const void *data)
{
	struct kvm_coalesced_mmio e = entry_of(d, addr, len, data, true);

	return has(d, addr, len) ? put(v->vm->coalesced, &e) : -EOPNOTSUPP;
}

static void gone(struct kvm_bus_device *d)
{
	kfree(d);
}

static const struct kvm_bus_ops memory_ops = { .write = write_memory, .gone = gone };
static const struct kvm_bus_ops port_ops = { .write = write_port, .gone = gone };

/* ---- zones ---- */

static long add_zone(struct kvm_vm *vm, const struct kvm_coalesced_mmio_zone *z)
{
	struct kvm_bus_device *d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	int r;

	if (!d)
		return -ENOMEM;
	d->ops = z->pio ? &port_ops : &memory_ops;
	d->addr = z->addr;
	d->len = z->size;
	mutex_lock(&vm->slots_lock);
	r = kvm_bus_add(vm, z->pio ? KVM_BUS_PORTS : KVM_BUS_MMIO, d);
	mutex_unlock(&vm->slots_lock);
	if (r)
		kfree(d);
	return r;
}

/* A zone that Z is all in; NULL: none. */
static struct kvm_bus_device *zone_around(struct kvm_vm *vm,
					  const struct kvm_coalesced_mmio_zone *z)
{
	const struct kvm_bus_ops *ops = z->pio ? &port_ops : &memory_ops;
	struct kvm_bus_device *d;
	u64 last = z->addr;
	u32 i = 0;

	if (z->size && check_add_overflow(z->addr, (u64)z->size - 1, &last))
		return NULL;
	while ((d = kvm_bus_next(vm, z->pio ? KVM_BUS_PORTS : KVM_BUS_MMIO, &i, z->addr, last)))
		if (d->ops == ops)
			return d;
	return NULL;
}

/* All of them; 0 also where there is none, as on Linux. */
static long remove_zones(struct kvm_vm *vm, const struct kvm_coalesced_mmio_zone *z)
{
	struct kvm_bus_device *d;

	mutex_lock(&vm->slots_lock);
	while ((d = zone_around(vm, z)))
		kvm_bus_remove(vm, z->pio ? KVM_BUS_PORTS : KVM_BUS_MMIO, d);
	mutex_unlock(&vm->slots_lock);
	return 0;
}

long kvm_coalesced_zone(struct kvm_vm *vm, unsigned int cmd, struct uptr arg)
{
	struct kvm_coalesced_mmio_zone z;

	if (copy_from_user(&z, arg, sizeof(z)))
		return -EFAULT;
	if (z.pio > 1)
		return -EINVAL;
	return cmd == KVM_REGISTER_COALESCED_MMIO ? add_zone(vm, &z) : remove_zones(vm, &z);
}

/* ---- lives ---- */

int kvm_coalesced_new(struct kvm_vm *vm)
{
	struct kvm_coalesced *c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);

	if (!c)
		return -ENOMEM;
	spin_lock_init(&c->lock);
	c->ring = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!c->ring) {
		kfree(c);
		return -ENOMEM;
	}
	vm->coalesced = c;
	return 0;
}

void kvm_coalesced_free(struct kvm_vm *vm)
{
	if (vm->coalesced)
		free_page((unsigned long)vm->coalesced->ring);
	kfree(vm->coalesced);
	vm->coalesced = NULL;
}

struct page *kvm_coalesced_page(const struct kvm_vm *vm)
{
	return virt_to_page(vm->coalesced->ring);
}
