// SPDX-License-Identifier: MIT
/* Control registers of a guest: what may be in them (AMD APM vol. 2, chapter 3). */
#include <arch/fpu.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_x86.h"
#include "arch/x86_64/x86_priv.h"

#define CR4_BASIC 0x7ffULL		/* VME to OSXMMEXCPT */

bool kvm_set_cr0(struct kvm_cpu_vcpu *a, u64 value)
{
	u64 old = kvm_vcpu_cr0(a);

	if (value >> 32)
		return false;
	value = (value & GUEST_CR0_KNOWN) | GUEST_CR0_ET;
	if ((value & GUEST_CR0_PG && !(value & GUEST_CR0_PE)) ||
	    (value & GUEST_CR0_NW && !(value & GUEST_CR0_CD)))
		return false;
	if (value & GUEST_CR0_PG && !(old & GUEST_CR0_PG) && a->efer & GUEST_EFER_LME) {
		if (!(a->cr4 & GUEST_CR4_PAE) || a->vmcb->save.cs.attrib & KVM_ATTR_L)
			return false;
		a->efer |= GUEST_EFER_LMA;
	}
	if (!(value & GUEST_CR0_PG)) {
		if (a->cr4 & GUEST_CR4_PCIDE)
			return false;
		if (a->efer & GUEST_EFER_LMA && a->vmcb->save.cs.attrib & KVM_ATTR_L)
			return false;
		a->efer &= ~GUEST_EFER_LMA;
	}
	a->cr0 = value;
	kvm_vcpu_control(a);
	a->flush = true;
	return true;
}

bool kvm_set_cr3(struct kvm_cpu_vcpu *a, u64 value)
{
	if (a->efer & GUEST_EFER_LMA) {
		if (a->cr4 & GUEST_CR4_PCIDE)
			value &= ~(1ULL << 63);
		if (value >> cpu_phys_bits)
			return false;
	} else {
		value = (u32)value;
	}
	a->vmcb->save.cr3 = value;
	a->flush = true;
	return true;
}

/* Bits that the host's CPU and KVM have. */
static u64 cr4_known(void)
{
	u64 known = CR4_BASIC;

	if (cpu_has(X86_FEATURE_UMIP))
		known |= CR4_UMIP;
	if (cpu_has(X86_FEATURE_LA57))
		known |= CR4_LA57;
	if (cpu_has(X86_FEATURE_FSGSBASE))
		known |= CR4_FSGSBASE;
	if (cpu_has(X86_FEATURE_PCID))
		known |= CR4_PCIDE;
	if (cpu_has(X86_FEATURE_XSAVE))
		known |= CR4_OSXSAVE;
	if (cpu_has(X86_FEATURE_SMEP))
		known |= CR4_SMEP;
	if (cpu_has(X86_FEATURE_SMAP))
		known |= CR4_SMAP;
	return known;
}

bool kvm_set_cr4(struct kvm_cpu_vcpu *a, u64 value)
{
	if (value & ~cr4_known())
		return false;
	if (a->efer & GUEST_EFER_LMA &&
	    (!(value & GUEST_CR4_PAE) || (value ^ a->cr4) & GUEST_CR4_LA57))
		return false;
	if (value & GUEST_CR4_PCIDE && !(a->cr4 & GUEST_CR4_PCIDE) &&
	    (!(a->efer & GUEST_EFER_LMA) || a->vmcb->save.cr3 & 0xfff))
		return false;
	a->cr0 = kvm_vcpu_cr0(a);
	a->cr4 = value;
	kvm_vcpu_control(a);
	a->flush = true;
	return true;
}

bool kvm_set_efer(struct kvm_cpu_vcpu *a, u64 value, bool owner)
{
	u64 known = GUEST_EFER_SCE | GUEST_EFER_LME | GUEST_EFER_LMA | GUEST_EFER_NX;

	if (value & ~known)
		return false;
	if (!owner) {
		if (kvm_vcpu_cr0(a) & GUEST_CR0_PG && (value ^ a->efer) & GUEST_EFER_LME)
			return false;
		value = (value & ~GUEST_EFER_LMA) | (a->efer & GUEST_EFER_LMA);
	}
	a->cr0 = kvm_vcpu_cr0(a);
	a->efer = value;
	kvm_vcpu_control(a);
	a->flush = true;
	return true;
}

bool kvm_set_xcr0(struct kvm_cpu_vcpu *a, u64 value)
{
	u64 known = guest_fpu_features();

	/* x87 always, AVX only with SSE, AVX-512's three together and only with AVX */
	if (!(value & 1) || value & ~known || (value & 4 && !(value & 2)))
		return false;
	if (value & 0xe0 && ((value & 0xe0) != 0xe0 || !(value & 4)))
		return false;
	if ((value >> 3 & 1) != (value >> 4 & 1))	/* MPX's two */
		return false;
	if ((value >> 17 & 1) != (value >> 18 & 1))	/* AMX's two */
		return false;
	a->xcr0 = value;
	return true;
}
