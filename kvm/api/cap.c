// SPDX-License-Identifier: MIT
/* KVM_CHECK_EXTENSION: what every CPU has. The rest is the CPU's (kvm_cpu_extension). */
#include <kernel/cpumask.h>
#include <kvm/cpu.h>
#include <kvm/event.h>
#include <kvm/region.h>
#include <lib/minmax.h>
#include <linux/kvm.h>
#include "kvm/api/api_priv.h"

/* What makes sense with controllers alone. */
static long interrupts_extension(const struct kvm_vm *vm, unsigned long what)
{
	if (!kvm_cpu_extension(vm, KVM_CAP_IRQCHIP))
		return 0;
	return what == KVM_CAP_IRQ_ROUTING ? KVM_ROUTES_MAX : 1;
}

long kvm_extension(const struct kvm_vm *vm, unsigned long what)
{
	switch (what) {
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_USER_MEMORY2:
	case KVM_CAP_DESTROY_MEMORY_REGION_WORKS:
	case KVM_CAP_JOIN_MEMORY_REGIONS_WORKS:
	case KVM_CAP_SYNC_MMU:
	case KVM_CAP_READONLY_MEM:
	case KVM_CAP_INTERNAL_ERROR_DATA:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_CHECK_EXTENSION_VM:
	case KVM_CAP_IOEVENTFD:
	case KVM_CAP_IOEVENTFD_ANY_LENGTH:
	case KVM_CAP_IOEVENTFD_NO_LENGTH:
	case KVM_CAP_COALESCED_PIO:
	case KVM_CAP_BINARY_STATS_FD:
	case KVM_CAP_MULTI_ADDRESS_SPACE:	/* how many: one */
		return 1;
	case KVM_CAP_COALESCED_MMIO:
		return KVM_COALESCED_MMIO_PAGE_OFFSET;
	case KVM_CAP_IRQ_ROUTING:
	case KVM_CAP_SIGNAL_MSI:
	case KVM_CAP_IRQFD:
	case KVM_CAP_IRQFD_RESAMPLE:
	case KVM_CAP_IRQ_INJECT_STATUS:
		return interrupts_extension(vm, what);
	case KVM_CAP_NR_MEMSLOTS:
		return KVM_SLOTS_MAX;
	case KVM_CAP_NR_VCPUS:
		return min(num_online_cpus(), (unsigned int)KVM_VCPUS_MAX);
	case KVM_CAP_MAX_VCPUS:
		return KVM_VCPUS_MAX;
	case KVM_CAP_MAX_VCPU_ID:
		return KVM_VCPU_IDS_MAX;
	default:
		return kvm_cpu_extension(vm, what);
	}
}
