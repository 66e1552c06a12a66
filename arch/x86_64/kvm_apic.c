// SPDX-License-Identifier: MIT
/*
 * A vCPU's local APIC (kvm_lapic.h) in its surroundings: the map that messages find it by, its
 * timer, what it does to its vCPU, its registers as a page, as MSRs and for the owner.
 *
 * Whoever has something for a vCPU notes it (a bit of IRR, of apic_events), makes a request and
 * kicks, in this order. The vCPU's thread takes the request and then looks: what is noted later has
 * its own request. A vCPU that halts makes one to itself, so that what came before is seen.
 *
 * The map is replaced whole. A message of at most one cluster is delivered in a section of RCU, as
 * its length is bounded; one for more holds the map instead.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/rcu.h>
#include <kernel/refcount.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <linux/time.h>
#include <mm/uaccess.h>
#include "arch/x86_64/kvm_apic_map.h"
#include "arch/x86_64/kvm_irqchip.h"
#include "arch/x86_64/kvm_lapic_priv.h"
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_x86.h"
#include "arch/x86_64/x86_priv.h"

#define TSC_DEADLINE 0x6e0U
#define SIPI_SHIFT 12	/* not a page: of a STARTUP's vector, to an address */
#define APIC_MODES (KVM_APIC_BASE_ENABLED | KVM_APIC_BASE_X2APIC)

static struct kvm_cpu_vcpu *cpu_of(const struct kvm_lapic *l)
{
	return container_of((struct kvm_lapic *)l, struct kvm_cpu_vcpu, lapic);
}

static void tell(struct kvm_vcpu *v, unsigned int request)
{
	kvm_request(v, request);
	kvm_vcpu_kick(v);
}

/* ---- the map ---- */

struct apic_table {
	struct rcu_head rcu;
	refcount_t refs;		/* the VM's, and of messages to many */
	u32 nr, ids;			/* c: what it has room for */
	struct kvm_lapic **list;	/* builder's: NR, behind the map */
	struct kvm_apic_map map;	/* and its arrays */
};

static struct apic_table *table_new(u32 nr, u32 ids)
{
	size_t map = kvm_apic_map_size(nr, ids) - sizeof(struct kvm_apic_map);
	struct apic_table *t;

	t = kvmalloc(sizeof(*t) + map + nr * sizeof(*t->list), GFP_KERNEL_ACCOUNT);
	if (!t)
		return NULL;
	refcount_set(&t->refs, 1);
	t->nr = nr;
	t->ids = ids;
	t->list = (void *)((char *)(t + 1) + map);
	return t;
}

static void table_put(struct apic_table *t)
{
	if (refcount_dec_and_test(&t->refs))
		kvfree_rcu(t, rcu);
}

/* T becomes the map of VM's first vCPUs, as many as it has room for. */
static void publish(struct kvm_vm *vm, struct apic_table *t)
{
	struct apic_table *old =
		rcu_dereference_protected(vm->cpu->apics, lockdep_is_held(&vm->cpu->apic_lock));
	u32 n = 0;

	for (u32 i = 0; i < t->nr; i++) {
		struct kvm_vcpu *v;

		rcu_read_lock();
		v = xa_load(&vm->vcpus, i);
		rcu_read_unlock();
		if (v && v->arch->has_lapic)
			t->list[n++] = &v->arch->lapic;
	}
	kvm_apic_map_build(&t->map, t->list, n, t->ids);
	rcu_assign_pointer(vm->cpu->apics, t);
	if (old)
		table_put(old);
}

static int rebuild(struct kvm_vm *vm)
{
	struct apic_table *t;

	mutex_lock(&vm->cpu->apic_lock);
	t = table_new(smp_load_acquire(&vm->nr_vcpus), vm->cpu->apic_ids);
	if (t)
		publish(vm, t);
	mutex_unlock(&vm->cpu->apic_lock);
	return t ? 0 : -ENOMEM;
}

int kvm_apic_follow(struct kvm_vcpu *v)
{
	if (!kvm_request_take(v, KVM_REQUEST_APICS) || !rebuild(v->vm))
		return 0;
	kvm_request(v, KVM_REQUEST_APICS);
	return -ENOMEM;
}

void kvm_apics_init(struct kvm_vm *vm)
{
	mutex_init(&vm->cpu->apic_lock);
}

void kvm_apics_free(struct kvm_vm *vm)
{
	struct apic_table *t = rcu_dereference_protected(vm->cpu->apics, true);

	if (t)
		table_put(t);
}

int kvm_apics_send_fast(struct kvm_vm *vm, const struct kvm_message *m)
{
	const struct apic_table *t;
	int r = -1;

	rcu_read_lock();
	t = rcu_dereference(vm->cpu->apics);
	if (t && !kvm_apic_map_is_short(&t->map, m, KVM_TO_DEST))
		r = -EWOULDBLOCK;
	else if (t)
		r = kvm_apic_map_deliver(&t->map, m, KVM_TO_DEST, NULL);
	rcu_read_unlock();
	return r;
}

int kvm_apics_send(struct kvm_vm *vm, const struct kvm_message *m, enum kvm_shorthand to,
		   struct kvm_lapic *self)
{
	struct apic_table *t;
	int r = -1;

	rcu_read_lock();
	t = rcu_dereference(vm->cpu->apics);
	if (t && kvm_apic_map_is_short(&t->map, m, to)) {
		r = kvm_apic_map_deliver(&t->map, m, to, self);
		t = NULL;
	}
	while (t && !refcount_inc_not_zero(&t->refs))	/* it was replaced just now */
		t = rcu_dereference(vm->cpu->apics);
	rcu_read_unlock();
	if (!t)
		return r;
	r = kvm_apic_map_deliver(&t->map, m, to, self);
	table_put(t);
	return r;
}

int kvm_apics_send_ids(struct kvm_vm *vm, const struct kvm_message *m, u32 first, u64 ids)
{
	const struct apic_table *t;
	int r = -EOPNOTSUPP;

	rcu_read_lock();
	t = rcu_dereference(vm->cpu->apics);
	if (t)
		r = kvm_apic_map_deliver_ids(&t->map, m, first, ids);
	rcu_read_unlock();
	return r;
}

/* ---- what surrounds the model ---- */

static u64 op_now(const struct kvm_lapic *l)
{
	return (u64)ktime_get();
}

static u64 op_tsc(const struct kvm_lapic *l)
{
	return rdtsc_ordered() + cpu_of(l)->vmcb->control.tsc_offset;
}

#define FAR_NS (1ULL << 62)

static u64 op_tsc_to_ns(const struct kvm_lapic *l, u64 ticks)
{
	u64 khz = tsc_khz ? tsc_khz : 1, ms = ticks / khz;

	if (ms >= FAR_NS / NSEC_PER_MSEC)
		return FAR_NS;
	return ms * NSEC_PER_MSEC + ticks % khz * NSEC_PER_MSEC / khz;
}

static void op_send(struct kvm_lapic *l, const struct kvm_message *m, enum kvm_shorthand to)
{
	kvm_apics_send(cpu_of(l)->v->vm, m, to, l);
}

static void op_ended(struct kvm_lapic *l, u8 vector, bool level)
{
	kvm_chips_ended(cpu_of(l)->v->vm, vector, level);
}

/* Any CPU. */
static void op_requested(struct kvm_lapic *l)
{
	tell(cpu_of(l)->v, KVM_REQUEST_EVENT);
}

/* Any CPU. An INIT takes back the STARTUP before it. */
static bool op_event(struct kvm_lapic *l, enum kvm_delivery what, u8 vector)
{
	struct kvm_cpu_vcpu *a = cpu_of(l);

	switch (what) {
	case KVM_DELIVER_NMI:
		if (__atomic_fetch_or(&a->apic_events, APIC_EVENT_NMI, __ATOMIC_RELEASE) &
		    APIC_EVENT_NMI)
			__atomic_fetch_or(&a->apic_events, APIC_EVENT_NMI_MORE, __ATOMIC_RELEASE);
		break;
	case KVM_DELIVER_INIT:
		__atomic_fetch_and(&a->apic_events, ~APIC_EVENT_STARTUP, __ATOMIC_RELAXED);
		__atomic_fetch_or(&a->apic_events, APIC_EVENT_INIT, __ATOMIC_RELEASE);
		break;
	case KVM_DELIVER_STARTUP:
		WRITE_ONCE(a->sipi_vector, vector);
		__atomic_fetch_or(&a->apic_events, APIC_EVENT_STARTUP, __ATOMIC_RELEASE);
		break;
	default:			/* there is no system management mode */
		return false;
	}
	tell(a->v, KVM_REQUEST_EVENT);
	return true;
}

static enum hrtimer_restart timer_fired(struct hrtimer *t)
{
	tell(container_of(t, struct kvm_cpu_vcpu, apic_timer)->v, KVM_REQUEST_TIMER);
	return HRTIMER_NORESTART;
}

/* One that runs just now makes a request that finds nothing due. */
static void op_timer(struct kvm_lapic *l)
{
	u64 at = kvm_lapic_next(l);

	if (at == KVM_APIC_NEVER)
		hrtimer_try_to_cancel(&cpu_of(l)->apic_timer);
	else
		hrtimer_start(&cpu_of(l)->apic_timer, (ktime_t)min(at, (u64)KTIME_MAX),
			      HRTIMER_MODE_ABS);
}

static const struct kvm_lapic_ops lapic_ops = {
	.now = op_now,
	.tsc = op_tsc,
	.tsc_to_ns = op_tsc_to_ns,
	.send = op_send,
	.ended = op_ended,
	.timer = op_timer,
	.event = op_event,
	.requested = op_requested,
};

/* ---- lives ---- */

void kvm_apic_init(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;

	hrtimer_init(&a->apic_timer, CLOCK_MONOTONIC, timer_fired);
	a->lapic.ops = &lapic_ops;
	a->lapic.id = v->id;
	a->lapic.base_reserved = KVM_APIC_BASE_X2APIC;
	if (cpu_phys_bits < 64)
		a->lapic.base_reserved |= ~0ULL << cpu_phys_bits;
}

void kvm_apic_free(struct kvm_vcpu *v)
{
	hrtimer_cancel(&v->arch->apic_timer);
	kvfree(v->arch->spare);
}

int kvm_cpu_vcpu_join(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;

	lockdep_assert_held(&v->vm->lock);
	if (!kvm_cpu_has_irqchip(v->vm))
		return 0;
	a->spare = table_new(v->vm->nr_vcpus + 1, max(v->vm->cpu->apic_ids, v->id + 1));
	if (!a->spare)
		return -ENOMEM;
	a->has_lapic = true;
	kvm_lapic_reset(&a->lapic, !v->id);
	WRITE_ONCE(a->mp_state, v->id ? KVM_MP_STATE_UNINITIALIZED : KVM_MP_STATE_RUNNABLE);
	/* CR8 is V_TPR: intercepted while it holds an interrupt back */
	a->vmcb->control.intercept_cr &= ~(1U << 8 | 1U << 24);
	return 0;
}

void kvm_cpu_vcpu_joined(struct kvm_vcpu *v)
{
	struct apic_table *t = v->arch->spare;

	lockdep_assert_held(&v->vm->lock);
	kvm_request(v, KVM_REQUEST_MSRS);	/* there may be a filter already */
	if (!t)
		return;
	v->arch->spare = NULL;
	mutex_lock(&v->vm->cpu->apic_lock);
	v->vm->cpu->apic_ids = t->ids;
	publish(v->vm, t);
	mutex_unlock(&v->vm->cpu->apic_lock);
}

/* ---- before an entry ---- */

static void take_events(struct kvm_vcpu *v, u32 events)
{
	struct kvm_cpu_vcpu *a = v->arch;

	if (events & (APIC_EVENT_NMI | APIC_EVENT_NMI_MORE))
		kvm_event_nmi(a, !!(events & APIC_EVENT_NMI) + !!(events & APIC_EVENT_NMI_MORE));
	if (events & APIC_EVENT_INIT) {
		kvm_lapic_init(&a->lapic);
		kvm_request(v, KVM_REQUEST_APICS);
		kvm_vcpu_init_state(v);
		WRITE_ONCE(a->mp_state, a->lapic.base & KVM_APIC_BASE_BSP ?
						KVM_MP_STATE_RUNNABLE :
						KVM_MP_STATE_INIT_RECEIVED);
	}
	if (events & APIC_EVENT_STARTUP && a->mp_state == KVM_MP_STATE_INIT_RECEIVED) {
		u8 vector = READ_ONCE(a->sipi_vector);

		a->vmcb->save.cs.selector = (u16)(vector << 8);
		a->vmcb->save.cs.base = (u64)vector << SIPI_SHIFT;
		a->vmcb->save.rip = 0;
		WRITE_ONCE(a->mp_state, KVM_MP_STATE_RUNNABLE);
	}
}

static bool wakes(struct kvm_vcpu *v)
{
	const struct kvm_cpu_vcpu *a = v->arch;
	const struct kvm_events *e = &a->events;

	if (e->exception.pending || e->exception.injected || e->nmi.injected ||
	    e->interrupt.injected || (e->nmi.pending && !e->nmi.masked))
		return true;
	return a->vmcb->save.rflags & GUEST_FLAG_IF && kvm_apic_has_interrupt(v);
}

int kvm_apic_requests(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	bool waited = a->mp_state == KVM_MP_STATE_UNINITIALIZED;
	u32 events;

	if (kvm_request_take(v, KVM_REQUEST_TIMER)) {
		kvm_lapic_expire(&a->lapic);
		op_timer(&a->lapic);
	}
	kvm_request_take(v, KVM_REQUEST_EVENT);
	events = __atomic_exchange_n(&a->apic_events, 0, __ATOMIC_ACQUIRE);
	if (events)
		take_events(v, events);
	if (a->mp_state == KVM_MP_STATE_HALTED && wakes(v))
		WRITE_ONCE(a->mp_state, KVM_MP_STATE_RUNNABLE);
	if (kvm_apic_follow(v))
		return -ENOMEM;
	return waited && events & (APIC_EVENT_INIT | APIC_EVENT_STARTUP) ? -EAGAIN : 0;
}

/* The 8259A's first, as it has no priority that could be compared. */
static bool extint_waits(struct kvm_vcpu *v)
{
	return kvm_lapic_takes_extint(&v->arch->lapic) && kvm_chips_extint(v->vm);
}

bool kvm_apic_has_interrupt(struct kvm_vcpu *v)
{
	return extint_waits(v) || kvm_lapic_pending(&v->arch->lapic) >= 0;
}

int kvm_apic_take_interrupt(struct kvm_vcpu *v)
{
	struct kvm_lapic *l = &v->arch->lapic;
	int vector = extint_waits(v) ? kvm_chips_acknowledge(v->vm) : -1;

	if (vector >= 0)
		return vector;
	vector = kvm_lapic_pending(l);
	if (vector >= 0)
		kvm_lapic_serve(l, (u8)vector);
	return vector;
}

/* ---- registers ---- */

u64 kvm_apic_base(const struct kvm_cpu_vcpu *a)
{
	return a->has_lapic ? a->lapic.base : a->apic_base;
}

bool kvm_apic_base_valid(const struct kvm_cpu_vcpu *a, u64 value)
{
	u64 reserved = BASE_RESERVED | a->lapic.base_reserved;

	if (!a->has_lapic)
		reserved |= KVM_APIC_BASE_X2APIC;
	return !(value & reserved) && (value & APIC_MODES) != KVM_APIC_BASE_X2APIC;
}

/* The owner may go from any mode to any: what the guest may not is done over "off". */
static bool change_base(struct kvm_lapic *l, u64 value, bool owner)
{
	if (kvm_lapic_wrmsr(l, MSR_APIC_BASE, value))
		return true;
	if (!owner)
		return false;
	kvm_lapic_wrmsr(l, MSR_APIC_BASE, value & ~APIC_MODES);
	kvm_lapic_wrmsr(l, MSR_APIC_BASE, value & ~KVM_APIC_BASE_X2APIC);
	return kvm_lapic_wrmsr(l, MSR_APIC_BASE, value);
}

bool kvm_apic_set_base(struct kvm_vcpu *v, u64 value, bool owner)
{
	struct kvm_cpu_vcpu *a = v->arch;

	if (!kvm_apic_base_valid(a, value))
		return false;
	if (!a->has_lapic) {
		a->apic_base = value;
		return true;
	}
	if (!change_base(&a->lapic, value, owner))
		return false;
	kvm_request(v, KVM_REQUEST_APICS);
	return true;
}

u64 kvm_vcpu_cr8(const struct kvm_cpu_vcpu *a)
{
	return a->has_lapic ? kvm_lapic_tpr(&a->lapic) : a->cr8;
}

void kvm_vcpu_set_cr8(struct kvm_cpu_vcpu *a, u64 cr8)
{
	if (a->has_lapic)
		kvm_lapic_set_tpr(&a->lapic, (u8)cr8);
	else
		a->cr8 = cr8;
}

bool kvm_apic_rdmsr(struct kvm_vcpu *v, u32 msr, u64 *value)
{
	if (v->arch->has_lapic)
		return kvm_lapic_rdmsr(&v->arch->lapic, msr, value);
	return msr == TSC_DEADLINE;
}

bool kvm_apic_wrmsr(struct kvm_vcpu *v, u32 msr, u64 value)
{
	if (!v->arch->has_lapic)
		return msr == TSC_DEADLINE;
	kvm_request(v, KVM_REQUEST_EVENT);	/* what was held back may not be now */
	return kvm_lapic_wrmsr(&v->arch->lapic, msr, value);
}

/* Whether GPA is of its page; *QUIET: which nobody answers in this mode. */
static bool has_page(const struct kvm_cpu_vcpu *a, u64 gpa, bool *quiet)
{
	if (!a->has_lapic || gpa >> PAGE_SHIFT != a->lapic.base >> PAGE_SHIFT)
		return false;
	*quiet = (a->lapic.base & APIC_MODES) != KVM_APIC_BASE_ENABLED;
	return true;
}

int kvm_apic_read(struct kvm_vcpu *v, u64 gpa, u32 len, void *data)
{
	u32 offset = gpa & 0xfff, in = offset & 0xf, value;
	bool quiet;

	if (!has_page(v->arch, gpa, &quiet))
		return -EOPNOTSUPP;
	memset(data, quiet ? 0xff : 0, len);
	if (quiet || in + len > 4)
		return 0;
	value = kvm_lapic_read(&v->arch->lapic, offset & ~0xfU);
	memcpy(data, (char *)&value + in, len);
	return 0;
}

int kvm_apic_write(struct kvm_vcpu *v, u64 gpa, u32 len, const void *data)
{
	u32 offset = gpa & 0xfff, value;
	bool quiet;

	if (!has_page(v->arch, gpa, &quiet))
		return -EOPNOTSUPP;
	if (quiet || len != 4 || offset & 0xf)
		return 0;
	memcpy(&value, data, 4);
	kvm_lapic_write(&v->arch->lapic, offset, value);
	if (offset == APIC_ID || offset == APIC_LDR || offset == APIC_DFR)
		kvm_request(v, KVM_REQUEST_APICS);
	if (offset == APIC_LVT_LINT0)	/* the 8259A's output is looked at behind a barrier */
		kvm_request(v, KVM_REQUEST_EVENT);
	return 0;
}

void kvm_apic_cpuid(struct kvm_vcpu *v)
{
	struct kvm_lapic *l = &v->arch->lapic;
	u32 out[4];

	kvm_cpuid(v->arch, 1, 0, out);
	if (out[2] & 1U << 21)
		l->base_reserved &= ~KVM_APIC_BASE_X2APIC;
	else
		l->base_reserved |= KVM_APIC_BASE_X2APIC;
}

/* ---- the owner ---- */

static long get_lapic(struct kvm_vcpu *v, struct uptr arg)
{
	struct kvm_lapic_state *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	long r;

	if (!s)
		return -ENOMEM;
	kvm_lapic_get(&v->arch->lapic, (u32 *)s->regs, false);
	r = copy_to_user(arg, s, sizeof(*s)) ? -EFAULT : 0;
	kfree(s);
	return r;
}

static long set_lapic(struct kvm_vcpu *v, struct uptr arg)
{
	struct kvm_lapic_state *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	long r = -EFAULT;

	if (!s)
		return -ENOMEM;
	if (!copy_from_user(s, arg, sizeof(*s)))
		r = kvm_lapic_set(&v->arch->lapic, (const u32 *)s->regs) ? 0 : -EINVAL;
	kfree(s);
	kvm_request(v, KVM_REQUEST_APICS);
	return r;
}

/* A word of guest memory that shows priorities: none is all that there can be. */
static long set_vapic(struct uptr arg)
{
	struct kvm_vapic_addr a;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	return a.vapic_addr ? -EINVAL : 0;
}

long kvm_apic_ioctl(struct kvm_vcpu *v, unsigned int cmd, struct uptr arg)
{
	if (!v->arch->has_lapic)
		return -EINVAL;
	if (cmd == KVM_SET_VAPIC_ADDR)
		return set_vapic(arg);
	return cmd == KVM_GET_LAPIC ? get_lapic(v, arg) : set_lapic(v, arg);
}

u32 kvm_apic_mp_state(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	u32 events = __atomic_exchange_n(&a->apic_events, 0, __ATOMIC_ACQUIRE);

	if (events)
		take_events(v, events);
	return a->mp_state;
}

long kvm_apic_set_mp_state(struct kvm_vcpu *v, u32 state)
{
	struct kvm_cpu_vcpu *a = v->arch;

	switch (state) {
	case KVM_MP_STATE_RUNNABLE:
		break;
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_INIT_RECEIVED:
	case KVM_MP_STATE_HALTED:
	case KVM_MP_STATE_SIPI_RECEIVED:
		if (a->has_lapic)
			break;
		return -EINVAL;
	default:
		return -EINVAL;
	}
	if (state == KVM_MP_STATE_SIPI_RECEIVED) {
		state = KVM_MP_STATE_INIT_RECEIVED;
		__atomic_fetch_or(&a->apic_events, APIC_EVENT_STARTUP, __ATOMIC_RELEASE);
	}
	WRITE_ONCE(a->mp_state, state);
	if (a->has_lapic) /* without one nobody takes the request, and it keeps out of the guest */
		kvm_request(v, KVM_REQUEST_EVENT);
	return 0;
}
