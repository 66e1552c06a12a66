// SPDX-License-Identifier: MIT
/*
 * KVM_IOEVENTFD: a guest's write to a port or to MMIO signals an eventfd, and no exit reaches user
 * space. Each is a device of a bus. It holds the eventfd, not its file: what is written after the
 * file has gone is lost, as it was meant to be.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <ipc/eventfd.h>
#include <kvm/vm.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <mm/uaccess.h>
#include "kvm/bus/bus_priv.h"

struct ioeventfd {
	struct kvm_bus_device device;
	struct eventfd *eventfd;	/* a reference */
	bool any;			/* no value is asked for */
	u64 value;
};

static struct ioeventfd *of_device(struct kvm_bus_device *d)
{
	return container_of(d, struct ioeventfd, device);
}

static u64 value_of(const void *data, u32 len)
{
	u64 value = 0;

	memcpy(&value, data, len);	/* little-endian, as each CPU with guests is */
	return value;
}

static int written(struct kvm_vcpu *v, struct kvm_bus_device *d, u64 addr, u32 len,
		   const void *data)
{
	const struct ioeventfd *e = of_device(d);

	if (addr != d->addr || (d->len && d->len != len))
		return -EOPNOTSUPP;
	if (!e->any && e->value != value_of(data, len))
		return -EOPNOTSUPP;
	eventfd_signal(e->eventfd, 1, 0);
	return 0;
}

static void gone(struct kvm_bus_device *d)
{
	struct ioeventfd *e = of_device(d);

	eventfd_put(e->eventfd);
	kfree(e);
}

static const struct kvm_bus_ops ops = { .write = written, .gone = gone, .uncounted = true };

/* A write that both would take. */
static bool collide(const struct ioeventfd *a, const struct ioeventfd *b)
{
	u64 la = a->device.len, lb = b->device.len;

	if (!la || !lb)
		return true;
	return la == lb && (a->any || b->any || a->value == b->value);
}

/* The next eventfd at ADDR, NULL: no more. */
static struct ioeventfd *next_at(const struct kvm_vm *vm, enum kvm_bus_kind kind, u32 *i, u64 addr)
{
	struct kvm_bus_device *d;

	while ((d = kvm_bus_next(vm, kind, i, addr, addr)))
		if (d->addr == addr && d->ops == &ops)
			return of_device(d);
	return NULL;
}

static int add(struct kvm_vm *vm, enum kvm_bus_kind kind, struct ioeventfd *e)
{
	const struct ioeventfd *other;
	u32 i = 0;

	while ((other = next_at(vm, kind, &i, e->device.addr)))
		if (collide(e, other))
			return -EEXIST;
	return kvm_bus_add(vm, kind, &e->device);
}

/* What A says of it, but for the eventfd. */
static void fill(struct ioeventfd *e, const struct kvm_ioeventfd *a)
{
	e->device = (struct kvm_bus_device){ .ops = &ops, .addr = a->addr, .len = a->len };
	e->any = !(a->flags & KVM_IOEVENTFD_FLAG_DATAMATCH);
	e->value = e->any ? 0 : a->datamatch;
}

static int assign(struct kvm_vm *vm, enum kvm_bus_kind kind, const struct kvm_ioeventfd *a,
		  struct eventfd *eventfd)
{
	struct ioeventfd *e = kzalloc(sizeof(*e), GFP_KERNEL_ACCOUNT);
	int r;

	if (!e)
		return -ENOMEM;
	fill(e, a);
	e->eventfd = eventfd;
	mutex_lock(&vm->slots_lock);
	r = add(vm, kind, e);
	mutex_unlock(&vm->slots_lock);
	if (r)
		kfree(e);
	return r;
}

static int deassign(struct kvm_vm *vm, enum kvm_bus_kind kind, const struct kvm_ioeventfd *a,
		    const struct eventfd *eventfd)
{
	struct ioeventfd wanted, *e;
	u32 i = 0;

	fill(&wanted, a);
	mutex_lock(&vm->slots_lock);
	while ((e = next_at(vm, kind, &i, a->addr)))
		if (e->eventfd == eventfd && e->device.len == a->len && e->any == wanted.any &&
		    e->value == wanted.value)
			break;
	if (e)
		kvm_bus_remove(vm, kind, &e->device);
	mutex_unlock(&vm->slots_lock);
	return e ? 0 : -ENOENT;
}

static int check(const struct kvm_ioeventfd *a)
{
	u64 end;

	if (a->len > 8 || a->len & (a->len - 1))
		return -EINVAL;
	if (check_add_overflow(a->addr, (u64)a->len, &end))
		return -EINVAL;
	if (a->flags & ~KVM_IOEVENTFD_VALID_FLAG_MASK)
		return -EINVAL;
	return !a->len && a->flags & KVM_IOEVENTFD_FLAG_DATAMATCH ? -EINVAL : 0;
}

static enum kvm_bus_kind kind_of(u32 flags)
{
	if (flags & KVM_IOEVENTFD_FLAG_PIO)
		return KVM_BUS_PORTS;
	return flags & KVM_IOEVENTFD_FLAG_VIRTIO_CCW_NOTIFY ? KVM_BUS_CCW : KVM_BUS_MMIO;
}

long kvm_ioeventfd(struct kvm_vm *vm, struct uptr arg)
{
	struct kvm_ioeventfd a;
	struct eventfd *eventfd;
	bool off;
	int r;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	off = a.flags & KVM_IOEVENTFD_FLAG_DEASSIGN;
	r = off ? 0 : check(&a);	/* what was never assigned is not found */
	if (r)
		return r;
	eventfd = eventfd_get((unsigned int)a.fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	r = off ? deassign(vm, kind_of(a.flags), &a, eventfd) :
		  assign(vm, kind_of(a.flags), &a, eventfd);
	if (off || r)
		eventfd_put(eventfd);	/* else it is the device's */
	return r;
}
