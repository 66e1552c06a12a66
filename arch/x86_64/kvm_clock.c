// SPDX-License-Identifier: MIT
/*
 * kvm-clock: nanoseconds since the VM was made, or as its owner sets them (KVM_SET_CLOCK). A guest
 * reads them from a page of its own memory, by its TSC (Linux's Documentation/virt/kvm/x86/
 * msr.rst).
 *
 * Where the host's clock is its TSC, the VM has one pair of both, of its beginning or of the last
 * KVM_SET_CLOCK, and the host's multiplier: all vCPUs compute the same, for ever, and the page is
 * written once. The guest is told so (`stable`) as long as all its vCPUs' TSCs are equal. Otherwise
 * the page is written before each KVM_RUN, from the host's clock.
 *
 * The owner writes TSCs one vCPU after the other, and means them to be equal: as on Linux, 0, or
 * what is within a second of the last written one by now, is made equal to that.
 */
#include <abi/errno.h>
#include <arch/clock.h>
#include <kernel/rcu.h>
#include <kernel/time.h>
#include <lib/atomic.h>
#include <lib/minmax.h>
#include <linux/kvm.h>
#include <linux/kvm_para.h>
#include <mm/uaccess.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/x86_priv.h"

#define M_WALL_OLD 0x11
#define M_TIME_OLD 0x12
#define M_WALL 0x4b564d00
#define M_TIME 0x4b564d01
#define TIME_ENABLED 1ULL
#define PAGE_STABLE 1U

struct time_page {
	u32 version, pad0;
	u64 tsc, ns;
	u32 mult;
	s8 shift;
	u8 flags, pad[2];
};
_Static_assert(sizeof(struct time_page) == 32, "the guest's layout");

struct wall_page {
	u32 version, seconds, nanoseconds;
};

static bool by_tsc(void)
{
	return x86_clock.user_readable;
}

/* ---- the VM's clock ---- */

static u64 now_at(const struct kvm_vm_clock *c, u64 tsc)
{
	if (!by_tsc())
		return arch_clock_ns() + c->offset;
	return c->ns + mul_u64_u32_shr(tsc - c->tsc, x86_clock.mult, x86_clock.shift);
}

static void set_locked(struct kvm_vm_clock *c, u64 ns)
{
	c->tsc = rdtsc_ordered();
	c->ns = ns;
	c->offset = ns - arch_clock_ns();
}

void kvm_clock_init(struct kvm_vm *vm)
{
	struct kvm_vm_clock *c = &vm->cpu->clock;

	spin_lock_init(&vm->cpu->clock.lock);
	set_locked(c, 0);
	c->tsc_offset = -c->tsc;
	c->tsc_generation = 1;
	c->tsc_written = 0;
	c->tsc_written_at = c->tsc;
}

static bool stable_locked(const struct kvm_vm_clock *c)
{
	return by_tsc() && c->equal == c->vcpus;
}

static long get_clock(struct kvm_vm *vm, struct uptr to)
{
	struct kvm_vm_clock *c = &vm->cpu->clock;
	struct kvm_clock_data d = { 0 };
	u64 tsc;

	spin_lock(&c->lock);
	tsc = rdtsc_ordered();
	d.clock = now_at(c, tsc);
	if (stable_locked(c)) {
		d.flags = KVM_CLOCK_FLAGS;
		d.host_tsc = tsc;
	}
	spin_unlock(&c->lock);
	if (d.flags)
		d.realtime = ktime_get_real_ns();
	return copy_to_user(to, &d, sizeof(d)) ? -EFAULT : 0;
}

static void tell_all(struct kvm_vm *vm)
{
	u32 n = smp_load_acquire(&vm->nr_vcpus);

	/* Not what else is in the array: KVM_CREATE_VCPU frees one that it cannot finish. */
	for (u32 i = 0; i < n; i++) {
		struct kvm_vcpu *v;

		rcu_read_lock();
		v = xa_load(&vm->vcpus, i);
		rcu_read_unlock();
		kvm_request(v, KVM_REQUEST_CLOCK);
		kvm_vcpu_kick(v);
	}
}

static long set_clock(struct kvm_vm *vm, struct uptr from)
{
	struct kvm_vm_clock *c = &vm->cpu->clock;
	struct kvm_clock_data d;

	if (copy_from_user(&d, from, sizeof(d)))
		return -EFAULT;
	if (d.flags & ~KVM_CLOCK_FLAGS)
		return -EINVAL;
	if (d.flags & KVM_CLOCK_REALTIME) {
		u64 real = ktime_get_real_ns();

		if (real > d.realtime)	/* never backwards */
			d.clock += real - d.realtime;
	}
	spin_lock(&c->lock);
	set_locked(c, d.clock);
	spin_unlock(&c->lock);
	tell_all(vm);
	return 0;
}

long kvm_clock_ioctl(struct kvm_vm *vm, unsigned int cmd, struct uptr arg)
{
	return cmd == KVM_GET_CLOCK ? get_clock(vm, arg) : set_clock(vm, arg);
}

/* ---- TSCs ---- */

/* V's TSC is one of those that are equal, or not. */
static void set_equal(struct kvm_vm_clock *c, struct kvm_cpu_vcpu *a, bool equal)
{
	bool was = a->tsc_generation == c->tsc_generation;

	a->tsc_generation = equal ? c->tsc_generation : 0;
	c->equal += equal - was;
}

void kvm_clock_join(struct kvm_vcpu *v)
{
	struct kvm_vm_clock *c = &v->vm->cpu->clock;

	spin_lock(&c->lock);
	v->arch->vmcb->control.tsc_offset = c->tsc_offset;
	c->vcpus++;
	v->arch->has_clock = true;
	set_equal(c, v->arch, true);
	spin_unlock(&c->lock);
}

void kvm_clock_leave(struct kvm_vcpu *v)
{
	struct kvm_vm_clock *c = &v->vm->cpu->clock;

	if (!v->arch->has_clock)
		return;
	spin_lock(&c->lock);
	set_equal(c, v->arch, false);
	c->vcpus--;
	spin_unlock(&c->lock);
}

/* Whether the owner means VALUE to be the TSC that the others have. */
static bool meant_equal(const struct kvm_vm_clock *c, u64 value, u64 now)
{
	u64 second = tsc_khz * 1000, expected = c->tsc_written + (now - c->tsc_written_at);

	return !value || (value + second > expected && value < expected + second);
}

/* A vCPU's TSC is to be OFFSET ahead of the host's. */
static void set_offset_locked(struct kvm_vm_clock *c, struct kvm_cpu_vcpu *a, u64 offset)
{
	lockdep_assert_held(&c->lock);
	a->vmcb->control.tsc_offset = offset;
	set_equal(c, a, offset == c->tsc_offset);
}

void kvm_tsc_adjust(struct kvm_vcpu *v, u64 value, bool owner)
{
	struct kvm_vm_clock *c = &v->vm->cpu->clock;
	struct kvm_cpu_vcpu *a = v->arch;
	u64 moved = value - a->tsc_adjust;
	bool was_stable, changed;

	a->tsc_adjust = value;
	if (owner)
		return;
	spin_lock(&c->lock);
	was_stable = stable_locked(c);
	set_offset_locked(c, a, a->vmcb->control.tsc_offset + moved);
	changed = stable_locked(c) != was_stable;
	spin_unlock(&c->lock);
	kvm_request(v, KVM_REQUEST_CLOCK);
	if (changed)
		tell_all(v->vm);
}

void kvm_tsc_write(struct kvm_vcpu *v, u64 value, bool owner)
{
	struct kvm_vm_clock *c = &v->vm->cpu->clock;
	struct kvm_cpu_vcpu *a = v->arch;
	bool was_stable, changed;
	u64 now;

	spin_lock(&c->lock);
	was_stable = stable_locked(c);
	now = rdtsc_ordered();
	if (owner && !meant_equal(c, value, now)) {
		c->tsc_generation++;
		c->equal = 0;
		c->tsc_offset = value - now;
		c->tsc_written = value;
		c->tsc_written_at = now;
	}
	if (!owner)		/* IA32_TSC_ADJUST follows what a guest writes */
		a->tsc_adjust += value - now - a->vmcb->control.tsc_offset;
	set_offset_locked(c, a, owner ? c->tsc_offset : value - now);
	changed = stable_locked(c) != was_stable;
	spin_unlock(&c->lock);
	kvm_request(v, KVM_REQUEST_CLOCK);
	if (changed)
		tell_all(v->vm);
}

/* ---- the guest's pages ---- */

/*
 * The multiplier as the guest has it: ns = (delta << shift) * mult >> 32, with the top bit of mult
 * set; it is the host's, moved.
 */
static void scale(struct time_page *p)
{
	u64 mult = x86_clock.mult;
	int shift = 32 - (int)x86_clock.shift;

	if (!by_tsc()) {
		mult = (1000000ULL << 24) / tsc_khz;
		shift = 32 - 24;
	}
	for (; mult >> 32; shift++)
		mult >>= 1;
	for (; mult && !(mult >> 31); shift--)
		mult <<= 1;
	p->mult = (u32)mult;
	p->shift = (s8)shift;
}

static struct time_page time_of(struct kvm_vcpu *v)
{
	struct kvm_vm_clock *c = &v->vm->cpu->clock;
	struct time_page p = { 0 };

	spin_lock(&c->lock);
	p.tsc = by_tsc() ? c->tsc : rdtsc_ordered();
	p.ns = now_at(c, p.tsc);
	p.flags = stable_locked(c) ? PAGE_STABLE : 0;
	spin_unlock(&c->lock);
	p.tsc += v->arch->vmcb->control.tsc_offset;
	scale(&p);
	return p;
}

/* An odd version: it is being written. What the guest has not mapped is not written. */
static void write_time(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	u64 gpa = a->time_msr & ~TIME_ENABLED;
	struct time_page p = time_of(v);

	p.version = a->time_version | 1;
	if (kvm_guest_write(v->vm, gpa, &p.version, sizeof(p.version)))
		return;
	smp_wmb();
	if (kvm_guest_write(v->vm, gpa + 4, (char *)&p + 4, sizeof(p) - 4))
		return;
	smp_wmb();
	a->time_version = p.version + 1;
	kvm_guest_write(v->vm, gpa, &a->time_version, sizeof(a->time_version));
}

void kvm_clock_request(struct kvm_vcpu *v)
{
	if (v->arch->time_msr & TIME_ENABLED)
		write_time(v);
}

void kvm_clock_run(struct kvm_vcpu *v)
{
	if (!by_tsc() && v->arch->time_msr & TIME_ENABLED)
		kvm_request(v, KVM_REQUEST_CLOCK);
}

/* The time of day at which the VM's clock was 0. */
static void write_wall(struct kvm_vm *vm, u64 gpa)
{
	struct kvm_vm_clock *c = &vm->cpu->clock;
	struct wall_page p;
	u64 ns;

	if (!gpa || kvm_guest_read(vm, gpa, &p.version, sizeof(p.version)))
		return;
	p.version |= 1;
	if (kvm_guest_write(vm, gpa, &p.version, sizeof(p.version)))
		return;
	spin_lock(&c->lock);
	ns = now_at(c, rdtsc_ordered());
	spin_unlock(&c->lock);
	ns = ktime_get_real_ns() - ns;
	p.seconds = (u32)(ns / NSEC_PER_SEC);
	p.nanoseconds = (u32)(ns % NSEC_PER_SEC);
	smp_wmb();
	if (kvm_guest_write(vm, gpa + 4, &p.seconds, sizeof(p) - 4))
		return;
	smp_wmb();
	p.version++;
	kvm_guest_write(vm, gpa, &p.version, sizeof(p.version));
}

bool kvm_clock_has(u32 index)
{
	return tsc_khz &&
	       (index == M_WALL_OLD || index == M_TIME_OLD || index == M_WALL || index == M_TIME);
}

u64 kvm_clock_get(const struct kvm_vcpu *v, u32 index)
{
	bool wall = index == M_WALL_OLD || index == M_WALL;

	return wall ? READ_ONCE(v->vm->cpu->wall_msr) : v->arch->time_msr;
}

void kvm_clock_set(struct kvm_vcpu *v, u32 index, u64 value)
{
	if (index == M_WALL_OLD || index == M_WALL) {
		WRITE_ONCE(v->vm->cpu->wall_msr, value);
		write_wall(v->vm, value);
		return;
	}
	v->arch->time_msr = value;
	kvm_request(v, KVM_REQUEST_CLOCK);
}

u32 kvm_clock_features(void)
{
	if (!tsc_khz)
		return 0;
	return 1U << KVM_FEATURE_CLOCKSOURCE | 1U << KVM_FEATURE_CLOCKSOURCE2 |
	       (by_tsc() ? 1U << KVM_FEATURE_CLOCKSOURCE_STABLE_BIT : 0);
}
