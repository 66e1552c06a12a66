// SPDX-License-Identifier: MIT
/* What x86 adds to a VM, and what it says about itself (kvm/cpu.h). */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <linux/kvm.h>
#include <lib/minmax.h>
#include <mm/uaccess.h>
#include <sched/guest.h>
#include "arch/x86_64/kvm_irqchip.h"
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_svm.h"
#include "arch/x86_64/x86_priv.h"

const char *kvm_cpu_refusal(void)
{
	return svm_refusal(svm_machine());
}

int kvm_cpu_get(void)
{
	guest_hooks_prepare();
	return svm_get();
}

void kvm_cpu_put(void)
{
	svm_put();
}

size_t kvm_cpu_run_size(void)
{
	return 3 * PAGE_SIZE;	/* kvm_run; data of ports; the ring of coalesced writes */
}

u64 kvm_cpu_last_gfn(void)
{
	unsigned int levels = read_cr4() & CR4_LA57 ? 5 : 4;
	unsigned int bits = PAGE_SHIFT + PT_ENTRY_BITS * levels;

	return (1ULL << (min(bits, (unsigned int)cpu_phys_bits) - PAGE_SHIFT)) - 1;
}

int kvm_cpu_vm_new(struct kvm_vm *vm, unsigned long type)
{
	int e;

	if (type != KVM_X86_DEFAULT_VM)
		return -EINVAL;
	vm->cpu = kzalloc(sizeof(*vm->cpu), GFP_KERNEL_ACCOUNT);
	if (!vm->cpu)
		return -ENOMEM;
	mutex_init(&vm->cpu->zap_lock);
	kvm_apics_init(vm);
	kvm_clock_init(vm);
	e = npt_init(&vm->cpu->npt);
	if (e)
		kfree(vm->cpu);
	return e;
}

void kvm_cpu_vm_free(struct kvm_vm *vm)
{
	kvm_chips_free(vm);
	kvm_apics_free(vm);
	kvm_msr_filter_free(vm->cpu->msr_filter);
	npt_destroy(&vm->cpu->npt);
	kfree(vm->cpu);
}

static long set_identity_map_addr(struct kvm_vm *vm, struct uptr arg)
{
	u64 addr;
	long e = 0;

	if (copy_from_user(&addr, arg, sizeof(addr)))
		return -EFAULT;
	mutex_lock(&vm->lock);
	if (vm->nr_vcpus)
		e = -EINVAL;
	else
		vm->cpu->identity_map_addr = addr;
	mutex_unlock(&vm->lock);
	return e;
}

/* Both are where Intel's CPUs without unrestricted guests keep what real mode needs. */
long kvm_cpu_vm_ioctl(struct kvm_vm *vm, unsigned int cmd, struct uptr arg)
{
	switch (cmd) {
	case KVM_SET_TSS_ADDR:
		if (arg.addr > (u32)(-3 * PAGE_SIZE))
			return -EINVAL;
		WRITE_ONCE(vm->cpu->tss_addr, arg.addr);
		return 0;
	case KVM_SET_IDENTITY_MAP_ADDR:
		return set_identity_map_addr(vm, arg);
	case KVM_X86_SET_MSR_FILTER:
		return kvm_msr_filter_ioctl(vm, arg);
	case KVM_GET_CLOCK:
	case KVM_SET_CLOCK:
		return kvm_clock_ioctl(vm, cmd, arg);
	default:
		return kvm_chips_ioctl(vm, cmd, arg);
	}
}

long kvm_cpu_extension(const struct kvm_vm *vm, unsigned long what)
{
	switch (what) {
	case KVM_CAP_SET_TSS_ADDR:
	case KVM_CAP_SET_IDENTITY_MAP_ADDR:
	case KVM_CAP_EXT_CPUID:
	case KVM_CAP_EXT_EMUL_CPUID:
	case KVM_CAP_GET_MSR_FEATURES:
	case KVM_CAP_X86_MSR_FILTER:
	case KVM_CAP_MP_STATE:
	case KVM_CAP_VCPU_EVENTS:
	case KVM_CAP_DEBUGREGS:
	case KVM_CAP_XSAVE:
	case KVM_CAP_USER_NMI:
	case KVM_CAP_NOP_IO_DELAY:
	case KVM_CAP_GET_TSC_KHZ:
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_PIT2:
	case KVM_CAP_PIT_STATE2:
	case KVM_CAP_REINJECT_CONTROL:
	case KVM_CAP_TSC_DEADLINE_TIMER:
		return 1;
	case KVM_CAP_SET_GUEST_DEBUG:
	case KVM_CAP_X86_ROBUST_SINGLESTEP:
		return 1;
	case KVM_CAP_SET_GUEST_DEBUG2:
		return KVM_DEBUG_KNOWN;
	case KVM_CAP_MCE:
		return KVM_MCE_BANKS;
	case KVM_CAP_ADJUST_CLOCK:
		return KVM_CLOCK_FLAGS;
	case KVM_CAP_XCRS:
		return cpu_has(X86_FEATURE_XSAVE);
	case KVM_CAP_XSAVE2:
		return sizeof(struct kvm_xsave);
	default:
		return 0;
	}
}
