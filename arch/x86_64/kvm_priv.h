/* SPDX-License-Identifier: MIT */
/*
 * What the parts of KVM's x86 side share: a VM's nested tables (kvm_mem.c, kvm_vm.c), a vCPU's
 * state (kvm_vcpu.c and its neighbours).
 */
#pragma once

#include <kvm/cpu.h>
#include <kvm/memory.h>
#include <kvm/vcpu.h>
#include <kvm/vm.h>
#include "arch/x86_64/kvm_npt.h"

struct kvm_cpu_vm {
	struct npt npt;
	struct mutex zap_lock; /* who takes away from NPT; none of the host's is taken under it */
	u64 tss_addr, identity_map_addr; /* vm->lock: told by the owner, used by nobody on SVM */
};

/*
 * The guest of V touched GPA and its nested tables had nothing that allows it. RIGHTS: NPT_WRITE,
 * NPT_EXEC, or 0 for a read. Sleeps; srcu is held. 1: mapped now, run on; 0: MMIO: no slot, or a
 * write to one that may only be read; -EFAULT: the owner has no memory there; -EINTR; -ENOMEM;
 * -EIO: the owner's space has ended.
 */
int kvm_mem_fault(struct kvm_vcpu *v, u64 gpa, unsigned int rights);
