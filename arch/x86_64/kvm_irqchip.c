// SPDX-License-Identifier: MIT
/*
 * The interrupt controllers of a VM (kvm_irqchip.h) around their models (kvm_pic.h, kvm_ioapic.h).
 *
 * One spinlock. What follows from a change is done when it is let go: messages to many APICs, the
 * 8259A's output, the ends of service that devices are told of. The last two must not be lost: they
 * are taken from the models by who holds the lock, and that one acts on them.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/rcu.h>
#include <kvm/event.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <mm/uaccess.h>
#include "arch/x86_64/kvm_irqchip.h"
#include "arch/x86_64/kvm_priv.h"

#define PIC_HALF 8
#define IOAPIC_ROUTES 24
#define MSI_DEST_SHIFT 12	/* not a page */
#define MSI_LOGICAL (1U << 2)
#define MSI_HINT (1U << 3)

struct kvm_chips *kvm_chips_of(const struct kvm_vm *vm)
{
	return smp_load_acquire(&vm->cpu->irqchip);
}

bool kvm_cpu_has_irqchip(const struct kvm_vm *vm)
{
	return kvm_chips_of(vm);
}

/* ---- the lock, and what its holder leaves to do ---- */

/* I/O APIC's `deliver`. The result of what is sent later is that somebody took it, as on Linux. */
static int deliver(void *context, const struct kvm_message *m)
{
	struct kvm_chips *c = context;
	int r = kvm_apics_send_fast(c->vm, m);

	if (r != -EWOULDBLOCK)
		return r;
	if (c->nr_later < ARRAY_SIZE(c->later))	/* a holder serves each input once */
		c->later[c->nr_later++] = *m;
	return 1;
}

/*
 * The output rose: one vCPU that the 8259A's interrupts reach looks at it. One that they begin to
 * reach looks by itself (kvm_apic_write()).
 */
static void tell_extint(struct kvm_vm *vm)
{
	u32 n = smp_load_acquire(&vm->nr_vcpus);

	smp_mb();	/* the output before the look at LINT0; pairs with kvm_request_take() */
	for (u32 i = 0; i < n; i++) {
		struct kvm_vcpu *v;

		rcu_read_lock();
		v = xa_load(&vm->vcpus, i);
		rcu_read_unlock();
		if (!v->arch->has_lapic || !kvm_lapic_takes_extint(&v->arch->lapic))
			continue;
		kvm_request(v, KVM_REQUEST_EVENT);
		kvm_vcpu_kick(v);
		return;
	}
}

/* The inputs of the 8259A whose service ended, for the caller to tell of. */
static u16 let_go(struct kvm_chips *c) __releases(c -> inputs_lock)
{
	struct kvm_message later[ARRAY_SIZE(c->later)];
	u32 n = c->nr_later;
	u16 ended = c->pic.ended;
	bool rose = c->pic.output && !c->told;

	c->told = c->pic.output;
	memcpy(later, c->later, n * sizeof(*later));
	c->nr_later = 0;
	c->pic.ended = 0;
	spin_unlock(&c->inputs_lock);
	for (u32 i = 0; i < n; i++)
		kvm_apics_send(c->vm, &later[i], KVM_TO_DEST, NULL);
	if (rose)
		tell_extint(c->vm);
	return ended;
}

static void unlock(struct kvm_chips *c) __releases(c -> inputs_lock)
{
	struct kvm_chip_pit *pit = smp_load_acquire(&c->pit);
	u16 ended = let_go(c);

	for (u32 i = 0; ended >> i; i++)
		if (ended >> i & 1)
			kvm_gsi_ended(c->vm, i / PIC_HALF, i % PIC_HALF);
	if (ended && pit)
		kvm_chip_pit_again(pit);
}

bool kvm_chips_extint(struct kvm_vm *vm)
{
	return READ_ONCE(kvm_chips_of(vm)->pic.output);
}

int kvm_chips_acknowledge(struct kvm_vm *vm)
{
	struct kvm_chips *c = kvm_chips_of(vm);
	int vector = -1;

	spin_lock(&c->inputs_lock);
	if (c->pic.output)
		vector = kvm_pic_acknowledge(&c->pic);
	unlock(c);
	return vector;
}

void kvm_chips_ended(struct kvm_vm *vm, u8 vector, bool level)
{
	struct kvm_chips *c = kvm_chips_of(vm);
	struct kvm_chip_pit *pit = smp_load_acquire(&c->pit);
	u32 pins;

	if (pit)
		kvm_chip_pit_again(pit);
	if (!level)
		return;
	spin_lock(&c->inputs_lock);
	pins = kvm_ioapic_ended(&c->ioapic, vector);
	unlock(c);
	if (!pins)
		return;
	for (u32 i = 0; pins >> i; i++)
		if (pins >> i & 1)
			kvm_gsi_ended(vm, KVM_IRQCHIP_IOAPIC, i);
	spin_lock(&c->inputs_lock);
	kvm_ioapic_again(&c->ioapic, pins);
	unlock(c);
}

/* ---- routes ---- */

static int check_input(const struct kvm_irq_routing_entry *from)
{
	u32 inputs;

	switch (from->u.irqchip.irqchip) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		inputs = PIC_HALF;
		break;
	case KVM_IRQCHIP_IOAPIC:
		inputs = KVM_IOAPIC_NUM_PINS;
		break;
	default:
		return -EINVAL;
	}
	return from->u.irqchip.pin < inputs ? 0 : -EINVAL;
}

int kvm_cpu_route(const struct kvm_vm *vm, const struct kvm_irq_routing_entry *from,
		  struct kvm_route *to)
{
	*to = (struct kvm_route){ .gsi = from->gsi, .type = from->type };
	switch (from->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		to->input.chip = from->u.irqchip.irqchip;
		to->input.pin = from->u.irqchip.pin;
		return check_input(from);
	case KVM_IRQ_ROUTING_MSI:
		to->msi.address = (u64)from->u.msi.address_hi << 32 | from->u.msi.address_lo;
		to->msi.data = from->u.msi.data;
		return 0;
	default:
		return -EINVAL;
	}
}

/* What a device writes to FEEx_xxxxh (AMD APM vol. 2, 16.11; PCI). */
static struct kvm_message message_of(const struct kvm_route *r)
{
	u32 low = (u32)r->msi.address, data = r->msi.data;
	struct kvm_message m = { .dest = low >> MSI_DEST_SHIFT & 0xff,
				 .vector = (u8)data,
				 .delivery = data >> 8 & 7,
				 .logical = low & MSI_LOGICAL,
				 .level = data >> 15 & 1 };

	if (low & MSI_HINT && m.delivery == KVM_DELIVER_FIXED)
		m.delivery = KVM_DELIVER_LOWEST;
	return m;
}

/* Whether anybody holds the input, whose holders are SOURCES, now. */
static bool hold(u8 *sources, unsigned int source, bool level)
{
	if (level)
		*sources |= (u8)(1U << source);
	else
		*sources &= (u8) ~(1U << source);
	return *sources;
}

static int set_input(struct kvm_chips *c, const struct kvm_route *r, unsigned int source,
		     bool level)
{
	u32 pin = r->input.pin;
	int took;

	spin_lock(&c->inputs_lock);
	if (r->input.chip == KVM_IRQCHIP_IOAPIC) {
		took = kvm_ioapic_line(&c->ioapic, pin,
				       hold(&c->ioapic_sources[pin], source, level));
	} else {
		pin += r->input.chip * PIC_HALF;
		took = kvm_pic_line(&c->pic, pin, hold(&c->pic_sources[pin], source, level));
	}
	/* A line's change ends no service: kvm_gsi_ended() comes here, and does not come back. */
	WARN_ON_ONCE(let_go(c));
	return took;
}

int kvm_cpu_route_set(struct kvm_vm *vm, const struct kvm_route *r, unsigned int source, bool level)
{
	struct kvm_chips *c = kvm_chips_of(vm);
	struct kvm_message m;

	if (!c)
		return -1;
	if (r->type == KVM_IRQ_ROUTING_IRQCHIP)
		return set_input(c, r, source, level);
	if (!level)
		return -1;
	m = message_of(r);
	return kvm_apics_send(vm, &m, KVM_TO_DEST, NULL);
}

int kvm_cpu_route_fast(struct kvm_vm *vm, const struct kvm_route *r)
{
	struct kvm_message m;

	if (r->type != KVM_IRQ_ROUTING_MSI)
		return -EWOULDBLOCK;
	m = message_of(r);
	return kvm_apics_send_fast(vm, &m);
}

static int set_default_routes(struct kvm_vm *vm)
{
	struct kvm_irq_routing_entry *e, *at;
	int r;

	e = at = kcalloc(PIC_INPUTS + IOAPIC_ROUTES, sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (!e)
		return -ENOMEM;
	for (u32 i = 0; i < IOAPIC_ROUTES; i++) {
		*at++ = (struct kvm_irq_routing_entry){
			.gsi = i,
			.type = KVM_IRQ_ROUTING_IRQCHIP,
			.u.irqchip = { KVM_IRQCHIP_IOAPIC, i },
		};
		if (i < PIC_INPUTS)
			*at++ = (struct kvm_irq_routing_entry){
				.gsi = i,
				.type = KVM_IRQ_ROUTING_IRQCHIP,
				.u.irqchip = { i / PIC_HALF, i % PIC_HALF },
			};
	}
	r = kvm_routes_set(vm, e, (u32)(at - e));
	kfree(e);
	return r;
}

/* ---- ports and memory ---- */

/* The inputs of the 8259A's master and of the I/O APIC that are masked, a bit each. */
static u32 masked(const struct kvm_chips *c)
{
	u32 pins = 0;

	for (u32 i = 0; i < KVM_IOAPIC_NUM_PINS; i++)
		pins |= (u32)c->ioapic.state.redirtbl[i].fields.mask << i;
	return pins << PIC_HALF | c->pic.chip[0].imr;
}

/* After a write, before which BEFORE were masked. */
static void unlock_written(struct kvm_chips *c, u32 before) __releases(c -> inputs_lock)
{
	struct kvm_chip_pit *pit = smp_load_acquire(&c->pit);
	bool unmasked = before & ~masked(c);

	unlock(c);
	if (unmasked && pit)
		kvm_chip_pit_forget(pit);
}

static int pic_read(struct kvm_vcpu *v, struct kvm_bus_device *d, u64 addr, u32 len, void *data)
{
	struct kvm_chips *c = kvm_chips_of(v->vm);
	u8 value = 0;

	if (len == 1) {
		spin_lock(&c->inputs_lock);
		kvm_pic_read(&c->pic, (u16)addr, &value);
		unlock(c);
	}
	memset(data, 0, len);
	memcpy(data, &value, 1);
	return 0;
}

static int pic_write(struct kvm_vcpu *v, struct kvm_bus_device *d, u64 addr, u32 len,
		     const void *data)
{
	struct kvm_chips *c = kvm_chips_of(v->vm);
	u32 before;
	u8 value;

	if (len != 1)
		return 0;
	memcpy(&value, data, 1);
	spin_lock(&c->inputs_lock);
	before = masked(c);
	kvm_pic_write(&c->pic, (u16)addr, value);
	unlock_written(c, before);
	return 0;
}

static int ioapic_read(struct kvm_vcpu *v, struct kvm_bus_device *d, u64 addr, u32 len, void *data)
{
	struct kvm_chips *c = kvm_chips_of(v->vm);
	u32 value;

	spin_lock(&c->inputs_lock);
	value = kvm_ioapic_read(&c->ioapic, (u32)addr & (KVM_IOAPIC_SIZE - 1));
	unlock(c);
	memset(data, 0, len);
	memcpy(data, &value, len < 4 ? len : 4);
	return 0;
}

static int ioapic_write(struct kvm_vcpu *v, struct kvm_bus_device *d, u64 addr, u32 len,
			const void *data)
{
	struct kvm_chips *c = kvm_chips_of(v->vm);
	u32 value = 0, before;

	memcpy(&value, data, len < 4 ? len : 4);
	spin_lock(&c->inputs_lock);
	before = masked(c);
	kvm_ioapic_write(&c->ioapic, (u32)addr & (KVM_IOAPIC_SIZE - 1), value);
	unlock_written(c, before);
	return 0;
}

/* They live as long as their VM. */
static void gone(struct kvm_bus_device *d)
{
}

static const struct kvm_bus_ops pic_ops = { .read = pic_read, .write = pic_write, .gone = gone };
static const struct kvm_bus_ops ioapic_ops = { .read = ioapic_read,
					       .write = ioapic_write,
					       .gone = gone };

/* ---- lives ---- */

static const struct {
	enum kvm_bus_kind kind;
	size_t at;
	struct kvm_bus_device d;
} devices[] = {
	{ KVM_BUS_PORTS, offsetof(struct kvm_chips, pic_master), { &pic_ops, 0x20, 2 } },
	{ KVM_BUS_PORTS, offsetof(struct kvm_chips, pic_slave), { &pic_ops, 0xa0, 2 } },
	{ KVM_BUS_PORTS, offsetof(struct kvm_chips, pic_levels), { &pic_ops, 0x4d0, 2 } },
	{ KVM_BUS_MMIO,
	  offsetof(struct kvm_chips, ioapic_page),
	  { &ioapic_ops, KVM_IOAPIC_BASE, KVM_IOAPIC_SIZE } },
};

static struct kvm_bus_device *device_at(struct kvm_chips *c, u32 i)
{
	return (void *)((char *)c + devices[i].at);
}

static int add_devices(struct kvm_chips *c)
{
	int e = 0;
	u32 i;

	mutex_lock(&c->vm->slots_lock);
	for (i = 0; i < ARRAY_SIZE(devices); i++) {
		*device_at(c, i) = devices[i].d;
		e = kvm_bus_add(c->vm, devices[i].kind, device_at(c, i));
		if (e)
			break;
	}
	while (e && i--)
		kvm_bus_remove(c->vm, devices[i].kind, device_at(c, i));
	mutex_unlock(&c->vm->slots_lock);
	return e;
}

static void remove_devices(struct kvm_chips *c)
{
	mutex_lock(&c->vm->slots_lock);
	for (u32 i = 0; i < ARRAY_SIZE(devices); i++)
		kvm_bus_remove(c->vm, devices[i].kind, device_at(c, i));
	mutex_unlock(&c->vm->slots_lock);
}

/*
 * Nobody reaches the devices before there is a vCPU, nor the routes while the VM has no irqchip.
 */
static long create(struct kvm_vm *vm)
{
	struct kvm_chips *c;
	int e;

	lockdep_assert_held(&vm->lock);
	if (vm->cpu->irqchip)
		return -EEXIST;
	if (vm->nr_vcpus)
		return -EINVAL;
	c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	if (!c)
		return -ENOMEM;
	c->vm = vm;
	spin_lock_init(&c->inputs_lock);
	c->ioapic.deliver = deliver;
	c->ioapic.context = c;
	kvm_pic_reset(&c->pic);
	kvm_ioapic_reset(&c->ioapic);
	e = add_devices(c);
	if (!e) {
		e = set_default_routes(vm);
		if (e)
			remove_devices(c);
	}
	if (e)
		kfree(c);
	else
		smp_store_release(&vm->cpu->irqchip, c);
	return e;
}

void kvm_chips_free(struct kvm_vm *vm)
{
	struct kvm_chips *c = vm->cpu->irqchip;

	if (!c)
		return;
	if (c->pit)
		kvm_chip_pit_free(c->pit);
	kfree(c);
}

void kvm_cpu_vm_stop(struct kvm_vm *vm)
{
	struct kvm_chips *c = vm->cpu->irqchip;

	if (c && c->pit)
		kvm_chip_pit_stop(c->pit);
}

/* ---- the owner ---- */

static void get_chip(struct kvm_chips *c, struct kvm_irqchip *i)
{
	spin_lock(&c->inputs_lock);
	if (i->chip_id == KVM_IRQCHIP_IOAPIC)
		i->chip.ioapic = c->ioapic.state;
	else
		i->chip.pic = c->pic.chip[i->chip_id];
	unlock(c);
}

static void set_chip(struct kvm_chips *c, const struct kvm_irqchip *i)
{
	spin_lock(&c->inputs_lock);
	if (i->chip_id == KVM_IRQCHIP_IOAPIC) {
		c->ioapic.state = i->chip.ioapic;
		kvm_ioapic_settle(&c->ioapic);
	} else {
		c->pic.chip[i->chip_id] = i->chip.pic;
		kvm_pic_settle(&c->pic);
	}
	unlock(c);
}

static long move_chip(struct kvm_vm *vm, unsigned int cmd, struct uptr arg)
{
	struct kvm_irqchip *i = kzalloc(sizeof(*i), GFP_KERNEL_ACCOUNT);
	struct kvm_chips *c = kvm_chips_of(vm);
	long r = 0;

	if (!i)
		return -ENOMEM;
	if (copy_from_user(i, arg, sizeof(*i)))
		r = -EFAULT;
	else if (!c)
		r = -ENXIO;
	else if (i->chip_id > KVM_IRQCHIP_IOAPIC)
		r = -EINVAL;
	else if (cmd == KVM_SET_IRQCHIP)
		set_chip(c, i);
	else
		get_chip(c, i);
	if (!r && cmd == KVM_GET_IRQCHIP && copy_to_user(arg, i, sizeof(*i)))
		r = -EFAULT;
	kfree(i);
	return r;
}

/* In a section of vm->srcu, but for what creates, which waits for such sections. */
static long move_chip_srcu(struct kvm_vm *vm, unsigned int cmd, struct uptr arg)
{
	int idx = srcu_read_lock(&vm->srcu);
	long r = move_chip(vm, cmd, arg);

	srcu_read_unlock(&vm->srcu, idx);
	return r;
}

long kvm_chips_ioctl(struct kvm_vm *vm, unsigned int cmd, struct uptr arg)
{
	long r;

	switch (cmd) {
	case KVM_CREATE_IRQCHIP:
		mutex_lock(&vm->lock);
		r = create(vm);
		mutex_unlock(&vm->lock);
		return r;
	case KVM_GET_IRQCHIP:
	case KVM_SET_IRQCHIP:
		return move_chip_srcu(vm, cmd, arg);
	default:
		return kvm_chip_pit_ioctl(vm, cmd, arg);
	}
}
