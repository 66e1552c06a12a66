// SPDX-License-Identifier: MIT
/*
 * The 8254 of a VM (kvm_irqchip.h) around its model (kvm_pit.h). Its timer counts ticks; a worker
 * requests their interrupts, one at a time. A tick that meets an unserved one waits until a CPU has
 * ended an interrupt (`reinject`), or is lost with it.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <linux/time.h>
#include <mm/uaccess.h>
#include "arch/x86_64/kvm_irqchip.h"
#include "arch/x86_64/kvm_priv.h"

/* A guest cannot make its host do nothing but expire its timer. */
#define SHORTEST_PERIOD 200000ULL
/* A timer that is later than this has slept with its host: what it missed is not made up for. */
#define TOO_LATE NSEC_PER_SEC
#define GATE 0x61

static u64 now_ns(void)
{
	return (u64)ktime_get();
}

/* ---- ticks ---- */

static void arm(struct kvm_chip_pit *p, u64 at)
{
	lockdep_assert_held(&p->ticks_lock);
	p->due = p->flags & KVM_PIT_FLAGS_HPET_LEGACY ? KVM_PIT_NEVER : at;
	if (p->due == KVM_PIT_NEVER)
		hrtimer_try_to_cancel(&p->timer);	/* one that runs waits for the lock */
	else
		hrtimer_start(&p->timer, (ktime_t)min(at, (u64)KTIME_MAX), HRTIMER_MODE_ABS);
}

static enum hrtimer_restart fired(struct hrtimer *t)
{
	struct kvm_chip_pit *p = container_of(t, struct kvm_chip_pit, timer);
	u64 now = now_ns(), next;

	spin_lock(&p->ticks_lock);
	if (p->due <= now) {
		p->waiting = p->reinject ? p->waiting + 1 : 1;
		next = kvm_pit_next(&p->pit, now - p->due > TOO_LATE ? now : p->due);
		if (next != KVM_PIT_NEVER)
			next = max(next, p->due + SHORTEST_PERIOD);
		arm(p, next);
		queue_work(system_highpri_wq, &p->work);
	}
	spin_unlock(&p->ticks_lock);
	return HRTIMER_NORESTART;
}

/* Its input is high for no time: an edge. */
static int pulse(struct kvm_vm *vm)
{
	int idx = srcu_read_lock(&vm->srcu);
	int took = kvm_gsi_set(vm, KVM_IRQ_PIT, 0, true);

	kvm_gsi_set(vm, KVM_IRQ_PIT, 0, false);
	srcu_read_unlock(&vm->srcu, idx);
	return took;
}

static void work(struct work_struct *w)
{
	struct kvm_chip_pit *p = container_of(w, struct kvm_chip_pit, work);
	int took;

	if (!READ_ONCE(p->waiting))
		return;
	took = pulse(p->vm);
	spin_lock_irq(&p->ticks_lock);
	if (took < 0 || !p->reinject)		/* masked: nobody counts ticks */
		p->waiting = 0;
	else if (took && p->waiting)
		p->waiting--;
	spin_unlock_irq(&p->ticks_lock);
}

void kvm_chip_pit_again(struct kvm_chip_pit *p)
{
	if (READ_ONCE(p->waiting))
		queue_work(system_highpri_wq, &p->work);
}

void kvm_chip_pit_forget(struct kvm_chip_pit *p)
{
	spin_lock_irq(&p->ticks_lock);
	p->waiting = 0;
	spin_unlock_irq(&p->ticks_lock);
}

/* ---- ports ---- */

static struct kvm_chip_pit *pit_of(struct kvm_bus_device *d)
{
	return d->addr == GATE ? container_of(d, struct kvm_chip_pit, gate) :
				 container_of(d, struct kvm_chip_pit, ports);
}

static void note_speaker(struct kvm_chip_pit *p)
{
	if (p->pit.speaker)
		p->flags |= KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	else
		p->flags &= ~KVM_PIT_FLAGS_SPEAKER_DATA_ON;
}

static int pit_read(struct kvm_vcpu *v, struct kvm_bus_device *d, u64 addr, u32 len, void *data)
{
	struct kvm_chip_pit *p = pit_of(d);
	u8 value = 0;

	spin_lock_irq(&p->ticks_lock);
	kvm_pit_read(&p->pit, (u16)addr, &value, now_ns());
	spin_unlock_irq(&p->ticks_lock);
	memset(data, 0, len);
	memcpy(data, &value, 1);
	return 0;
}

static int pit_write(struct kvm_vcpu *v, struct kvm_bus_device *d, u64 addr, u32 len,
		     const void *data)
{
	struct kvm_chip_pit *p = pit_of(d);
	u64 now = now_ns();
	bool fresh;
	u8 value;

	memcpy(&value, data, 1);
	spin_lock_irq(&p->ticks_lock);
	kvm_pit_write(&p->pit, (u16)addr, value, now, &fresh);
	note_speaker(p);
	if (fresh) {
		p->waiting = 0;
		arm(p, kvm_pit_next(&p->pit, now));
	}
	spin_unlock_irq(&p->ticks_lock);
	return 0;
}

static void gone(struct kvm_bus_device *d)
{
}

static const struct kvm_bus_ops pit_ops = { .read = pit_read, .write = pit_write, .gone = gone };

/* ---- lives ---- */

static int add_ports(struct kvm_chip_pit *p)
{
	struct kvm_vm *vm = p->vm;
	int e;

	p->ports = (struct kvm_bus_device){ &pit_ops, 0x40, 4 };
	p->gate = (struct kvm_bus_device){ &pit_ops, GATE, 1 };
	mutex_lock(&vm->slots_lock);
	e = kvm_bus_add(vm, KVM_BUS_PORTS, &p->ports);
	if (!e && p->has_gate) {
		e = kvm_bus_add(vm, KVM_BUS_PORTS, &p->gate);
		if (e)
			kvm_bus_remove(vm, KVM_BUS_PORTS, &p->ports);
	}
	mutex_unlock(&vm->slots_lock);
	return e;
}

static long create(struct kvm_vm *vm, u32 flags)
{
	struct kvm_chips *c = kvm_chips_of(vm);
	struct kvm_chip_pit *p;
	int e;

	lockdep_assert_held(&vm->lock);
	if (c && c->pit)
		return -EEXIST;
	if (!c)
		return -ENOENT;
	p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return -ENOMEM;
	p->vm = vm;
	p->has_gate = flags & KVM_PIT_SPEAKER_DUMMY;
	p->reinject = true;
	p->due = KVM_PIT_NEVER;
	spin_lock_init(&p->ticks_lock);
	hrtimer_init(&p->timer, CLOCK_MONOTONIC, fired);
	INIT_WORK(&p->work, work);
	kvm_pit_reset(&p->pit, now_ns());
	e = add_ports(p);
	if (e)
		kfree(p);
	else
		smp_store_release(&c->pit, p);
	return e;
}

void kvm_chip_pit_stop(struct kvm_chip_pit *p)
{
	hrtimer_cancel(&p->timer);
	cancel_work_sync(&p->work);
}

void kvm_chip_pit_free(struct kvm_chip_pit *p)
{
	kfree(p);
}

/* ---- the owner ---- */

static void get_state(struct kvm_chip_pit *p, struct kvm_pit_state2 *s)
{
	memset(s, 0, sizeof(*s));
	spin_lock_irq(&p->ticks_lock);
	memcpy(s->channels, p->pit.channel, sizeof(s->channels));
	s->flags = p->flags;
	spin_unlock_irq(&p->ticks_lock);
}

static void set_state(struct kvm_chip_pit *p, const struct kvm_pit_state2 *s, bool flags)
{
	u64 now = now_ns();

	spin_lock_irq(&p->ticks_lock);
	memcpy(p->pit.channel, s->channels, sizeof(s->channels));
	kvm_pit_settle(&p->pit, now);
	if (flags) {
		p->flags = s->flags & (KVM_PIT_FLAGS_HPET_LEGACY | KVM_PIT_FLAGS_SPEAKER_DATA_ON);
		p->pit.speaker = p->flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	}
	p->waiting = 0;
	arm(p, kvm_pit_next(&p->pit, now));
	spin_unlock_irq(&p->ticks_lock);
}

static long set_reinject(struct kvm_chip_pit *p, bool on)
{
	spin_lock_irq(&p->ticks_lock);
	p->reinject = on;
	p->waiting = 0;
	spin_unlock_irq(&p->ticks_lock);
	return 0;
}

static struct kvm_chip_pit *pit_in(struct kvm_vm *vm)
{
	struct kvm_chips *c = kvm_chips_of(vm);

	return c ? smp_load_acquire(&c->pit) : NULL;
}

static long set_pit(struct kvm_vm *vm, unsigned int cmd, struct uptr arg)
{
	bool second = cmd == KVM_SET_PIT2;
	size_t size = second ? sizeof(struct kvm_pit_state2) : sizeof(struct kvm_pit_state);
	struct kvm_pit_state2 s = { 0 };
	struct kvm_chip_pit *p = pit_in(vm);

	if (copy_from_user(&s, arg, size))
		return -EFAULT;
	if (!p)
		return -ENXIO;
	set_state(p, &s, second);
	return 0;
}

static long get_pit(struct kvm_vm *vm, unsigned int cmd, struct uptr arg)
{
	bool second = cmd == KVM_GET_PIT2;
	size_t size = second ? sizeof(struct kvm_pit_state2) : sizeof(struct kvm_pit_state);
	struct kvm_pit_state2 s;
	struct kvm_chip_pit *p = pit_in(vm);

	/* The first form is read first, as by Linux. */
	if (!second && copy_from_user(&s, arg, size))
		return -EFAULT;
	if (!p)
		return -ENXIO;
	get_state(p, &s);
	return copy_to_user(arg, &s, size) ? -EFAULT : 0;
}

static long reinject(struct kvm_vm *vm, struct uptr arg)
{
	struct kvm_reinject_control r;
	struct kvm_chip_pit *p = pit_in(vm);

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	return p ? set_reinject(p, r.pit_reinject) : -ENXIO;
}

static long create_pit(struct kvm_vm *vm, unsigned int cmd, struct uptr arg)
{
	struct kvm_pit_config config = { .flags = KVM_PIT_SPEAKER_DUMMY };
	long r;

	if (cmd == KVM_CREATE_PIT2 && copy_from_user(&config, arg, sizeof(config)))
		return -EFAULT;
	mutex_lock(&vm->lock);
	r = create(vm, config.flags);
	mutex_unlock(&vm->lock);
	return r;
}

long kvm_chip_pit_ioctl(struct kvm_vm *vm, unsigned int cmd, struct uptr arg)
{
	switch (cmd) {
	case KVM_CREATE_PIT:
	case KVM_CREATE_PIT2:
		return create_pit(vm, cmd, arg);
	case KVM_GET_PIT:
	case KVM_GET_PIT2:
		return get_pit(vm, cmd, arg);
	case KVM_SET_PIT:
	case KVM_SET_PIT2:
		return set_pit(vm, cmd, arg);
	case KVM_REINJECT_CONTROL:
		return reinject(vm, arg);
	default:
		return -ENOTTY;
	}
}
