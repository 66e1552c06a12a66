// SPDX-License-Identifier: MIT
/*
 * Buses and routes: which devices an access asks, in which order, against a walk over all of them;
 * changes while others read.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kernel/ktest.h>
#include <kernel/random.h>
#include <kvm/bus.h>
#include <kvm/event.h>
#include <kvm/vcpu.h>
#include <kvm/vm.h>
#include <lib/err.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <sched/completion.h>
#include <sched/kthread.h>
#include <sched/sched.h>
#include "kvm/event/event_priv.h"

#define ALIVE 0x600df00d

struct device {
	struct kvm_bus_device bus;
	u32 magic, asked;		/* asked: in which turn of an access, 0: not */
	bool takes;
};

static struct {
	struct kvm_vm vm;
	struct kvm_vcpu v;
} *t;
static u32 turn;
static bool wrong;

static struct device *of(struct kvm_bus_device *d)
{
	return container_of(d, struct device, bus);
}

static int record(struct kvm_vcpu *v, struct kvm_bus_device *d, u64 addr, u32 len,
		  const void *data)
{
	of(d)->asked = ++turn;
	return -EOPNOTSUPP;
}

static int take(struct kvm_vcpu *v, struct kvm_bus_device *d, u64 addr, u32 len,
		const void *data)
{
	for (u32 i = 0; i < 50; i++)
		if (READ_ONCE(of(d)->magic) != ALIVE)
			WRITE_ONCE(wrong, true);
	return 0;
}

static void gone(struct kvm_bus_device *d)
{
	WRITE_ONCE(of(d)->magic, 0);
}

static const struct kvm_bus_ops record_ops = { .write = record, .gone = gone, .uncounted = true };
static const struct kvm_bus_ops take_ops = { .write = take, .gone = gone };

static bool set_up(void)
{
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return false;
	if (init_srcu_struct(&t->vm.srcu)) {
		kfree(t);
		return false;
	}
	mutex_init(&t->vm.lock);
	mutex_init(&t->vm.slots_lock);
	t->v.vm = &t->vm;
	return true;
}

static void tear_down(void)
{
	cleanup_srcu_struct(&t->vm.srcu);
	kfree(t);
}

static int bus_add(struct device *d)
{
	int r;

	d->magic = ALIVE;
	mutex_lock(&t->vm.slots_lock);
	r = kvm_bus_add(&t->vm, KVM_BUS_MMIO, &d->bus);
	mutex_unlock(&t->vm.slots_lock);
	return r;
}

static void bus_remove(struct device *d)
{
	mutex_lock(&t->vm.slots_lock);
	kvm_bus_remove(&t->vm, KVM_BUS_MMIO, &d->bus);
	mutex_unlock(&t->vm.slots_lock);
}

/* ---- order ---- */

#define DEVICES 40
#define SPACE 64

static bool has(const struct kvm_bus_device *d, u64 addr, u32 len)
{
	if (!d->len)
		return d->addr == addr;
	return addr >= d->addr && addr - d->addr < d->len && len <= d->len - (addr - d->addr);
}

static bool comes_first(const struct device *a, const struct device *b)
{
	if (a->bus.addr != b->bus.addr)
		return a->bus.addr < b->bus.addr;
	return a->bus.len != b->bus.len ? a->bus.len < b->bus.len : a < b;	/* the older one */
}

/* Of the N devices those that have the access were asked, each once, in order. */
static bool asked_right(struct device *d, u32 n, u64 base, u64 addr, u32 len)
{
	u8 data[8] = { 0 };
	int idx = srcu_read_lock(&t->vm.srcu), r;
	u32 should = 0;

	for (u32 i = 0; i < n; i++)
		d[i].asked = 0;
	turn = 0;
	r = kvm_bus_write(&t->v, KVM_BUS_MMIO, addr, len, data);
	srcu_read_unlock(&t->vm.srcu, idx);
	for (u32 i = 0; i < n; i++) {
		bool is = has(&d[i].bus, addr, len);

		should += is;
		if (is != !!d[i].asked)
			return false;
		for (u32 k = 0; is && k < n; k++)
			if (d[k].asked && k != i &&
			    comes_first(&d[i], &d[k]) != (d[i].asked < d[k].asked))
				return false;
	}
	return r == -EOPNOTSUPP && turn == should;
}

/* Devices from BASE on, at most SPACE of them; also at the end of all addresses. */
static bool order_at(struct device *d, u64 base)
{
	memset(d, 0, DEVICES * sizeof(*d));
	for (u32 n = 0; n < DEVICES; n++) {
		d[n].bus.ops = &record_ops;
		d[n].bus.addr = base + get_random_u32() % SPACE;
		d[n].bus.len = get_random_u32() % 4 ? 1ULL << get_random_u32() % 5 :
						      get_random_u32() % 20;
		if (base + SPACE < base && d[n].bus.len > -d[n].bus.addr)
			d[n].bus.len = 0;
		if (bus_add(&d[n]))
			return false;
		for (u64 at = 0; at < SPACE; at++)
			for (u32 len = 1; len <= 8; len++)
				if (base + at + len - 1 >= base + at &&
				    !asked_right(d, n + 1, base, base + at, len))
					return false;
	}
	for (u32 n = DEVICES; n--;) {
		bus_remove(&d[n]);
		if (d[n].magic || !asked_right(d, n, base, base + SPACE / 2, 1))
			return false;
	}
	return true;
}

KTEST(kvm_bus_order)
{
	struct device *d = kvzalloc(DEVICES * sizeof(*d), GFP_KERNEL);

	KT_ASSERT(d && set_up());
	KT_ASSERT(order_at(d, 0));
	KT_ASSERT(order_at(d, 0x10000000));
	KT_ASSERT(order_at(d, -(u64)SPACE));
	kvm_buses_free(&t->vm);
	tear_down();
	kvfree(d);
}

/* ---- readers ---- */

#define READERS 3
#define CHANGES 15

static struct completion over[READERS];
static bool stop;
static u64 reads;

static int reader(void *which)
{
	while (!READ_ONCE(stop)) {
		u8 data[4] = { 0 };
		int idx = srcu_read_lock(&t->vm.srcu), wrote;
		const struct kvm_route *r = kvm_gsi_message(&t->vm, 5);

		/* One that stays is always found; one that goes is not freed under a reader. */
		if (kvm_bus_write(&t->v, KVM_BUS_MMIO, 0x1000, 4, data))
			WRITE_ONCE(wrong, true);
		wrote = kvm_bus_write(&t->v, KVM_BUS_MMIO, 0x2000, 4, data);
		if (wrote && wrote != -EOPNOTSUPP)
			WRITE_ONCE(wrong, true);
		/* Two tables: what is read is all of one. */
		if (!r || r->msi.address != r->msi.data)
			WRITE_ONCE(wrong, true);
		if (r && r->gsi != 5)
			WRITE_ONCE(wrong, true);
		srcu_read_unlock(&t->vm.srcu, idx);
		__atomic_fetch_add(&reads, 1, __ATOMIC_RELAXED);
		cond_resched();
	}
	complete(which);
	return 0;
}

static int routes(u32 n)
{
	struct kvm_irq_routing_entry e[3] = {
		{ .gsi = 9, .type = KVM_IRQ_ROUTING_MSI, .u.msi = { .address_lo = 7, .data = 7 } },
		{ .gsi = 5, .type = KVM_IRQ_ROUTING_MSI, .u.msi = { .address_lo = n, .data = n } },
		{ .gsi = 0, .type = KVM_IRQ_ROUTING_MSI, .u.msi = { .address_lo = 8, .data = 8 } },
	};
	int r;

	mutex_lock(&t->vm.lock);
	r = kvm_routes_set(&t->vm, e, 1 + n % 2 + 1);
	mutex_unlock(&t->vm.lock);
	return r;
}

/* Goes on when the readers have been there some more. */
static void let_read(void)
{
	u64 before = __atomic_load_n(&reads, __ATOMIC_RELAXED);

	while (__atomic_load_n(&reads, __ATOMIC_RELAXED) < before + READERS && !READ_ONCE(wrong))
		schedule_timeout(1);
}

KTEST(kvm_bus_and_routes_change_under_readers)
{
	struct device stays = { .bus = { &take_ops, 0x1000, 4 } }, *comes;
	bool bad = false;

	comes = kzalloc(sizeof(*comes), GFP_KERNEL);
	KT_ASSERT(comes && set_up());
	KT_EQ(kvm_events_new(&t->vm), 0);
	KT_EQ(bus_add(&stays), 0);
	KT_EQ(routes(1), 0);
	stop = wrong = false;
	reads = 0;
	for (u32 i = 0; i < READERS; i++) {
		init_completion(&over[i]);
		KT_ASSERT(!IS_ERR(kthread_run(reader, &over[i], "kvm_bus")));
	}
	for (u32 i = 0; i < CHANGES; i++) {
		comes->bus = (struct kvm_bus_device){ &take_ops, 0x2000 - i % 3, 4 + i % 3 };
		bad |= bus_add(comes) || routes(i % 7 + 1);
		let_read();
		bus_remove(comes);
		bad |= comes->magic;	/* gone() */
	}
	WRITE_ONCE(stop, true);
	for (u32 i = 0; i < READERS; i++)
		wait_for_completion(&over[i]);
	KT_ASSERT(!wrong);
	KT_ASSERT(!bad);
	kvm_events_free(&t->vm);
	kvm_buses_free(&t->vm);
	KT_EQ(stays.magic, 0);
	tear_down();
	kfree(comes);
}
