// SPDX-License-Identifier: MIT
/*
 * Events of a vCPU: raised, on their way when the guest left, injected; what KVM_RUN does before
 * and after all entries.
 *
 * First what the guest was interrupted in goes back to "injected" (kvm_event_back()), then its exit
 * is handled. Order of injection: what was injected, an exception, NMI, interrupt.
 */
#include <abi/errno.h>
#include <arch/fpu.h>
#include <kernel/bug.h>
#include <lib/minmax.h>
#include <linux/kvm.h>
#include <asm/svm.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_x86.h"
#include "arch/x86_64/x86_priv.h"

#define EVENT_TYPE (7U << 8)
#define WRITES_CR8 (1U << (16 + 8))
#define RFLAGS_SHADOWED(b) ((b)->control.int_state & VMCB_SHADOW)

/* ---- exceptions ---- */

enum class { BENIGN, CONTRIBUTES, PAGE_FAULT };

static enum class class_of(u8 vector) {
	switch (vector){
		case VEC_PF : return PAGE_FAULT;
		case VEC_DE : case VEC_TS ... VEC_GP : return CONTRIBUTES;
		default : return BENIGN;
	}
}

void kvm_vcpu_raise(struct kvm_cpu_vcpu *a, u8 vector, bool has_error, u32 error)
{
	struct kvm_events *e = &a->events;

	if (e->exception.pending || e->exception.injected) {
		enum class first = class_of(e->exception.vector), second = class_of(vector);

		if (e->exception.vector == VEC_DF) {
			e->exception.pending = e->exception.injected = false;
			e->triple_fault = true;
			return;
		}
		if ((first == CONTRIBUTES && second == CONTRIBUTES) ||
		    (first == PAGE_FAULT && second != BENIGN)) {
			vector = VEC_DF;
			has_error = true;
			error = 0;
		}
	}
	e->exception.injected = false;
	e->exception.pending = true;
	e->exception.vector = vector;
	e->exception.has_error = has_error && a->cr0 & GUEST_CR0_PE;
	e->exception.error = error;
}

/* What was under way; instructions that raise one (INT) begin again. */
static void back(struct kvm_cpu_vcpu *a, u32 info, u32 error)
{
	struct kvm_events *e = &a->events;
	u8 vector = info & 0xff;

	if (!(info & EVENT_VALID))
		return;
	switch (info & EVENT_TYPE) {
	case EVENT_NMI:
		e->nmi.injected = true;
		break;
	case EVENT_EXCEPTION:
		if ((vector == VEC_BP && !a->debug.breakpoint) || vector == VEC_OF)
			break;
		e->exception.injected = true;
		e->exception.vector = vector;
		e->exception.has_error = info & EVENT_HAS_ERROR;
		e->exception.error = error;
		break;
	case EVENT_INTERRUPT:
		e->interrupt.injected = true;
		e->interrupt.vector = vector;
		break;
	}
}

void kvm_event_back(struct kvm_cpu_vcpu *a)
{
	struct vmcb_control *c = &a->vmcb->control;
	struct kvm_events *e = &a->events;

	kvm_debug_disarm(a);
	e->exception.injected = e->interrupt.injected = e->nmi.injected = false;
	/* Not even begun: an entry that failed. */
	if (c->event_inj & EVENT_VALID && c->exit_code == (u64)SVM_EXIT_ERR)
		back(a, c->event_inj, c->event_error);
	else
		back(a, c->exit_int_info, c->exit_int_error);
	a->debug.breakpoint = e->exception.injected && e->exception.vector == VEC_BP;
	c->event_inj = 0;
	c->exit_int_info = 0;
	if (a->nmi_iret && a->vmcb->save.rip != a->nmi_iret_rip)
		a->nmi_iret = e->nmi.masked = false;
}

/* ---- injection ---- */

static void inject(struct vmcb *b, u32 type, u8 vector, bool has_error, u32 error)
{
	b->control.event_inj = EVENT_VALID | type | vector | (has_error ? EVENT_HAS_ERROR : 0);
	b->control.event_error = has_error ? error : 0;
}

/*
 * A CPU keeps one NMI beside the one that it serves. It takes the first of two that come at once
 * before the second; a vCPU may be out of its guest meanwhile, and so keeps both, as on Linux.
 */
void kvm_event_nmi(struct kvm_cpu_vcpu *a, unsigned int n)
{
	struct kvm_events *e = &a->events;
	unsigned int limit = e->nmi.masked || e->nmi.injected ? 1 : 2;

	e->nmi.pending = (u8)min(e->nmi.pending + n, limit);
}

static void inject_nmi(struct kvm_cpu_vcpu *a)
{
	kvm_count(&a->v->stat.nmi_injections);
	inject(a->vmcb, EVENT_NMI, VEC_NMI, false, 0);
}

/* The interrupt that is under way. */
static void inject_vector(struct kvm_cpu_vcpu *a)
{
	kvm_count(&a->v->stat.irq_injections);
	inject(a->vmcb, EVENT_INTERRUPT, a->events.interrupt.vector, false, 0);
}

/* True: the place is taken. */
static bool inject_old(struct kvm_cpu_vcpu *a)
{
	struct kvm_events *e = &a->events;

	if (e->exception.pending) {
		e->exception.pending = false;
		e->exception.injected = true;
		/* The owner's, in place of an INT3: as a trap, behind it. */
		a->debug.breakpoint = e->exception.vector == VEC_BP;
		a->vmcb->save.rip += a->debug.breakpoint;
	}
	if (e->exception.injected)
		inject(a->vmcb, EVENT_EXCEPTION, e->exception.vector, e->exception.has_error,
		       e->exception.error);
	else if (e->nmi.injected)
		inject_nmi(a);
	else if (e->interrupt.injected)
		inject_vector(a);
	else
		return false;
	return true;
}

static void inject_interrupt(struct kvm_cpu_vcpu *a)
{
	struct kvm_events *e = &a->events;
	int vector;

	if (!a->has_lapic || !kvm_event_window(a))
		return;
	vector = kvm_apic_take_interrupt(a->v);
	if (vector < 0)
		return;
	e->interrupt.injected = true;
	e->interrupt.vector = (u8)vector;
	inject_vector(a);
}

static void inject_new(struct kvm_cpu_vcpu *a)
{
	struct kvm_events *e = &a->events;

	if (a->debug.control & KVM_GUESTDBG_BLOCKIRQ)
		return;
	if (!e->nmi.pending || e->nmi.masked || RFLAGS_SHADOWED(a->vmcb)) {
		inject_interrupt(a);
		return;
	}
	e->nmi.pending--;
	e->nmi.injected = e->nmi.masked = true;
	vmcb_intercept(a->vmcb, VMCB_I_IRET);
	inject_nmi(a);
}

/*
 * An NMI waits, and what holds it back ends with the next instruction: its shadow, or the IRET that
 * ends the one before. Whether the window for interrupts opens there too: else it is a step.
 */
static bool watch_nmi(struct kvm_cpu_vcpu *a)
{
	const struct kvm_events *e = &a->events;
	bool waits = e->nmi.pending && !(a->debug.control & KVM_GUESTDBG_BLOCKIRQ) &&
		     !(a->vmcb->control.event_inj & EVENT_VALID);
	bool shadowed = RFLAGS_SHADOWED(a->vmcb);
	bool window = waits && !e->nmi.masked && shadowed && a->vmcb->save.rflags & GUEST_FLAG_IF;

	kvm_debug_to_window(a, waits && !window && (e->nmi.masked ? a->nmi_iret : shadowed));
	return window;
}

bool kvm_event_window(const struct kvm_cpu_vcpu *a)
{
	const struct kvm_events *e = &a->events;

	return a->vmcb->save.rflags & GUEST_FLAG_IF && !RFLAGS_SHADOWED(a->vmcb) &&
	       !e->interrupt.injected && !e->exception.injected && !e->exception.pending &&
	       !e->nmi.injected;
}

/* A virtual interrupt that is never taken: its intercept tells when one could be. */
void kvm_event_watch(struct kvm_cpu_vcpu *a, bool on)
{
	struct vmcb_control *c = &a->vmcb->control;
	u32 bits = V_IRQ | V_IGN_TPR | 0xfU << V_INTR_PRIO_SHIFT;

	c->int_ctl = on ? c->int_ctl | bits : c->int_ctl & ~bits;
	c->int_vector = 0;
	if (on)
		vmcb_intercept(a->vmcb, VMCB_I_VINTR);
	else
		c->intercept[0] &= ~(1U << VMCB_I_VINTR);
}

/* The guest's own CR8 is V_TPR; its writes leave while it holds an interrupt back. */
static void tpr_out(struct kvm_cpu_vcpu *a)
{
	struct vmcb_control *c = &a->vmcb->control;
	u32 tpr = (u32)kvm_vcpu_cr8(a);
	int requested;

	c->int_ctl = (c->int_ctl & ~V_TPR_MASK) | tpr;
	if (!a->has_lapic)
		return;
	requested = kvm_lapic_requested(&a->lapic);
	if (requested >= 0 && (u32)requested >> 4 <= tpr)
		c->intercept_cr |= WRITES_CR8;
	else
		c->intercept_cr &= ~WRITES_CR8;
}

void kvm_event_tpr_back(struct kvm_cpu_vcpu *a)
{
	const struct vmcb_control *c = &a->vmcb->control;
	u8 tpr = c->int_ctl & 0xf;

	if (a->has_lapic && !(c->intercept_cr & WRITES_CR8) && tpr != kvm_lapic_tpr(&a->lapic))
		kvm_lapic_set_tpr(&a->lapic, tpr);
}

/* ---- KVM_RUN ---- */

int kvm_cpu_prepare(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	bool asked = !a->has_lapic && READ_ONCE(v->run->request_interrupt_window);
	bool blocked = a->debug.control & KVM_GUESTDBG_BLOCKIRQ;
	int r;

	if (a->asked != KVM_ASKED_NOTHING)
		return kvm_ask(v, a->asked);
	if (a->leave) {
		WRITE_ONCE(v->run->exit_reason, a->leave);
		a->leave = 0;
		return 0;
	}
	kvm_debug_disarm(a);		/* from before an entry that did not come */
	if (kvm_debug_leaves(v))
		return 0;
	if (kvm_request_take(v, KVM_REQUEST_FLUSH)) {
		kvm_count(&v->stat.tlb_flush);
		a->flush = true;
	}
	if (kvm_request_take(v, KVM_REQUEST_MSRS))
		kvm_vcpu_msrs_request(v);
	if (kvm_request_take(v, KVM_REQUEST_CLOCK))
		kvm_clock_request(v);
	r = a->has_lapic ? kvm_apic_requests(v) : 0;
	if (r)
		return r;
	if (a->mp_state != KVM_MP_STATE_RUNNABLE)
		return 2;
	if (a->events.triple_fault) {
		a->events.triple_fault = false;
		WRITE_ONCE(v->run->exit_reason, KVM_EXIT_SHUTDOWN);
		return 0;
	}
	if (asked && kvm_event_window(a)) {
		WRITE_ONCE(v->run->exit_reason, KVM_EXIT_IRQ_WINDOW_OPEN);
		return 0;
	}
	a->vmcb->control.event_inj = 0;
	if (!inject_old(a))
		inject_new(a);
	asked |= watch_nmi(a);
	kvm_event_watch(a, asked || (a->has_lapic && !blocked && kvm_apic_has_interrupt(v)));
	tpr_out(a);
	kvm_debug_arm(a);
	return 1;
}

int kvm_cpu_run_begin(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	u64 cr8 = READ_ONCE(v->run->cr8);
	int r = 1;

	if (cr8 & ~0xfULL && !a->has_lapic)
		return -EINVAL;
	/* No registers are kept in the mapping: KVM_CAP_SYNC_REGS is absent. */
	if (READ_ONCE(v->run->kvm_valid_regs) || READ_ONCE(v->run->kvm_dirty_regs))
		return -EINVAL;
	if (a->has_lapic)
		kvm_request(v, KVM_REQUEST_EVENT);	/* what ioctls changed is looked at */
	else
		a->cr8 = cr8;
	kvm_clock_run(v);
	guest_fpu_load(a->fpu);
	if (a->asked != KVM_ASKED_NOTHING && a->shown) {
		r = kvm_answered(v);
		a->shown = false;	/* the loop has its own say first: kvm_cpu_prepare() */
	}
	if (!r && a->asked == KVM_ASKED_NOTHING)
		a->leave = READ_ONCE(v->run->exit_reason);
	if (r >= 0)
		return 0;
	kvm_cpu_run_end(v);
	return r;
}

void kvm_cpu_run_end(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	struct kvm_run *run = v->run;

	kvm_debug_disarm(a);
	guest_fpu_unload(a->fpu);
	WRITE_ONCE(run->if_flag, !!(a->vmcb->save.rflags & GUEST_FLAG_IF));
	WRITE_ONCE(run->flags, 0);
	WRITE_ONCE(run->cr8, kvm_vcpu_cr8(a));
	WRITE_ONCE(run->apic_base, kvm_apic_base(a));
	WRITE_ONCE(run->ready_for_interrupt_injection, a->has_lapic || kvm_event_window(a));
}
