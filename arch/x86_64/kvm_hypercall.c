// SPDX-License-Identifier: MIT
/*
 * What a guest asks of its host by VMMCALL (linux/kvm_para.h): the number in RAX, arguments in RBX,
 * RCX, RDX, RSI, of 32 bits outside long mode; the answer, or -KVM_E..., in RAX. As on Linux a call
 * is answered whether or not the guest's CPUID names its feature.
 */
#include <abi/errno.h>
#include <linux/kvm_para.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_x86.h"
#include "arch/x86_64/x86_priv.h"

#define ICR_DELIVERY_SHIFT 8
#define ICR_LEVEL (1U << 15)
#define ICR_SHORTHAND (3U << 18)
#define ICR_LOGICAL (1U << 11)

struct call {
	u64 nr, arg[4];
	bool wide;
};

/* IPIs to the APICs of up to 128 ids (64 outside long mode) from a->arg[2] on. */
static s64 send_ipi(struct kvm_vcpu *v, const struct call *c)
{
	u32 icr = (u32)c->arg[3], first = (u32)c->arg[2], step = c->wide ? 64 : 32;
	struct kvm_message m = { .vector = (u8)icr,
				 .delivery = icr >> ICR_DELIVERY_SHIFT & 7,
				 .level = icr & ICR_LEVEL };
	int low, high = 0;

	if (icr & (ICR_LOGICAL | ICR_SHORTHAND))
		return -KVM_EINVAL;
	low = kvm_apics_send_ids(v->vm, &m, first, c->arg[0]);
	if (low < 0)
		return low;
	if (first <= ~0U - step)
		high = kvm_apics_send_ids(v->vm, &m, first + step, c->arg[1]);
	return low + high;
}

static s64 answer(struct kvm_vcpu *v, const struct call *c)
{
	if (v->arch->vmcb->save.cpl)
		return -KVM_EPERM;
	switch (c->nr) {
	case KVM_HC_VAPIC_POLL_IRQ:	/* the exit was all that it is for */
		return 0;
	case KVM_HC_SEND_IPI:
		return send_ipi(v, c);
	default:
		return -KVM_ENOSYS;
	}
}

void kvm_hypercall(struct kvm_vcpu *v)
{
	struct kvm_cpu_vcpu *a = v->arch;
	const u64 *g = a->world.regs;
	bool wide = a->exec.mode == KVM_MODE_LONG64;
	u64 mask = wide ? ~0ULL : 0xffffffff;
	struct call c = { a->vmcb->save.rax & mask,
			  { g[GUEST_RBX] & mask, g[GUEST_RCX] & mask, g[GUEST_RDX] & mask,
			    g[GUEST_RSI] & mask },
			  wide };

	a->vmcb->save.rax = (u64)answer(v, &c) & mask;
}

u32 kvm_hypercall_features(void)
{
	return 1U << KVM_FEATURE_PV_SEND_IPI;
}
