// SPDX-License-Identifier: MIT
/*
 * KVM_SET_GUEST_DEBUG: the owner debugs its guest, which does not see it.
 *
 * While the guest runs, RFLAGS.TF, DR7 and DR0 to DR3 are the owner's (kvm_debug_arm()); at each
 * exit the guest's own are back (kvm_debug_disarm()), so that ioctls and executed instructions know
 * nothing of this. Where the owner steps, an instruction that KVM executes ends in KVM_EXIT_DEBUG
 * as well (kvm_debug_step()).
 *
 * KVM itself steps where nothing else tells when an NMI that waits can be taken: over an IRET, and
 * over an instruction in a shadow with interrupts off (kvm_debug_to_window()).
 */
#include <abi/errno.h>
#include <kernel/bug.h>
#include <linux/kvm.h>
#include <mm/uaccess.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_x86.h"
#include "arch/x86_64/x86_priv.h"

#define DR6_TRAPS 0xfULL
#define DR7_GD (1ULL << 13)

static bool steps(const struct kvm_cpu_vcpu *a)
{
	return a->debug.control & KVM_GUESTDBG_SINGLESTEP || a->debug.to_window;
}

static bool traps(const struct kvm_cpu_vcpu *a)
{
	return steps(a) || a->debug.control & KVM_GUESTDBG_USE_HW_BP;
}

static void intercept(struct kvm_cpu_vcpu *a)
{
	struct vmcb_control *c = &a->vmcb->control;

	c->intercept_exceptions &= ~(1U << VEC_BP);
	if (a->debug.control & KVM_GUESTDBG_USE_SW_BP)
		c->intercept_exceptions |= 1U << VEC_BP;
}

void kvm_debug_raise(struct kvm_cpu_vcpu *a, u64 why)
{
	struct vmcb_save *s = &a->vmcb->save;

	DEBUG_ON(a->debug.armed);
	s->dr6 = (s->dr6 & ~DR6_TRAPS) | GUEST_DR6_FIXED | why;
	s->dr7 &= ~DR7_GD;
	kvm_vcpu_raise(a, VEC_DB, false, 0);
}

void kvm_debug_arm(struct kvm_cpu_vcpu *a)
{
	struct vmcb_save *s = &a->vmcb->save;

	if (!traps(a) || a->debug.armed)
		return;
	a->debug.armed = true;
	a->debug.guest_tf = s->rflags & GUEST_FLAG_TF;
	a->debug.guest_dr6 = s->dr6;
	a->debug.guest_dr7 = s->dr7;
	s->dr6 = GUEST_DR6_FIXED;
	if (steps(a))
		s->rflags |= GUEST_FLAG_TF;
	if (a->debug.control & KVM_GUESTDBG_USE_HW_BP)
		s->dr7 = (a->debug.dr[7] & DR7_WRITABLE) | DR7_ONE;
}

void kvm_debug_disarm(struct kvm_cpu_vcpu *a)
{
	struct vmcb_save *s = &a->vmcb->save;
	/* An IRET has brought flags of its own. */
	bool loaded = a->nmi_iret && s->rip != a->nmi_iret_rip;

	if (!a->debug.armed)
		return;
	a->debug.armed = false;
	a->debug.dr6 = s->dr6;
	a->debug.dr7 = s->dr7;
	s->dr6 = a->debug.guest_dr6;
	s->dr7 = a->debug.guest_dr7;
	if (!a->debug.guest_tf && steps(a) && !loaded)
		s->rflags &= ~GUEST_FLAG_TF;
}

void kvm_debug_to_window(struct kvm_cpu_vcpu *a, bool on)
{
	if (a->debug.to_window == on)
		return;
	DEBUG_ON(a->debug.armed);
	a->debug.to_window = on;
}

const u64 *kvm_debug_dr(const struct kvm_cpu_vcpu *a)
{
	return a->debug.armed && a->debug.control & KVM_GUESTDBG_USE_HW_BP ? a->debug.dr : a->dr;
}

static void tell(struct kvm_vcpu *v, u32 exception, u64 dr6, u64 dr7)
{
	const struct kvm_cpu_vcpu *a = v->arch;
	const struct vmcb_save *s = &a->vmcb->save;
	struct kvm_run *r = v->run;
	bool wide = a->efer & GUEST_EFER_LMA && s->cs.attrib & KVM_ATTR_L;

	r->debug.arch.exception = exception;
	r->debug.arch.pad = 0;
	r->debug.arch.pc = wide ? s->rip : (u32)(s->rip + s->cs.base);
	r->debug.arch.dr6 = dr6;
	r->debug.arch.dr7 = dr7;
	WRITE_ONCE(r->exit_reason, KVM_EXIT_DEBUG);
}

/* Behind a step of KVM's own, DR6 is the guest's: what else has trapped is for the guest. */
static int at_window(struct kvm_cpu_vcpu *a)
{
	u64 dr6 = a->debug.dr6 & (DR6_TRAPS | GUEST_DR6_BS);

	if (!a->debug.guest_tf)
		dr6 &= ~GUEST_DR6_BS;
	if (!dr6)
		return 1;
	kvm_debug_raise(a, dr6);
	return 1;
}

int kvm_debug_exit(struct kvm_vcpu *v, u8 vector)
{
	struct kvm_cpu_vcpu *a = v->arch;
	bool db = vector == VEC_DB;
	u32 owners = a->debug.control & (KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP);

	/* The guest's own: DR6 and DR7.GD are for its handler already. */
	if (db && !traps(a)) {
		kvm_vcpu_raise(a, VEC_DB, false, 0);
		return 1;
	}
	if (db && (!owners || (owners == KVM_GUESTDBG_USE_HW_BP && !(a->debug.dr6 & DR6_TRAPS))))
		return at_window(a);
	tell(v, vector, db ? a->debug.dr6 : 0, db ? a->debug.dr7 : 0);
	return 0;
}

bool kvm_debug_step(struct kvm_cpu_vcpu *a)
{
	if (!(a->debug.control & KVM_GUESTDBG_SINGLESTEP))
		return false;
	a->debug.stepped = true;
	return true;
}

bool kvm_debug_leaves(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;

	if (!a->debug.stepped)
		return false;
	a->debug.stepped = false;
	tell(v, VEC_DB, GUEST_DR6_FIXED | GUEST_DR6_BS, a->vmcb->save.dr7);
	return true;
}

/* An exception in place of the one that the owner caught. */
static long inject(struct kvm_cpu_vcpu *a, u32 control)
{
	if (!(control & (KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP)))
		return 0;
	if (a->events.exception.pending || a->events.exception.injected)
		return -EBUSY;
	kvm_vcpu_raise(a, control & KVM_GUESTDBG_INJECT_DB ? VEC_DB : VEC_BP, false, 0);
	return 0;
}

long kvm_debug_ioctl(struct kvm_vcpu *v, struct uptr arg)
{
	struct kvm_cpu_vcpu *a = v->arch;
	struct kvm_guest_debug d;
	long r;

	if (copy_from_user(&d, arg, sizeof(d)))
		return -EFAULT;
	r = inject(a, d.control);
	if (r)
		return r;
	/* Bits that are not known say nothing, as on Linux. */
	a->debug.control = d.control & KVM_GUESTDBG_ENABLE ? d.control : 0;
	a->debug.stepped = false;
	for (unsigned int i = 0; i < 8; i++)
		a->debug.dr[i] = d.arch.debugreg[i];
	intercept(a);
	return 0;
}
