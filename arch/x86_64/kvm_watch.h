/* SPDX-License-Identifier: MIT */
/*
 * Whose state a VMCB holds, looked at around each entry (debug builds): a guest is never entered
 * with the host's, nor left with it, and VMRUN's page for the host is none of the vCPU's. If not, a
 * warning comes with the last entries and exits of this CPU. QEMU can leave with the host's state:
 * docs/kvm.md.
 */
#pragma once

#include "arch/x86_64/kvm_priv.h"

#ifdef CONFIG_DEBUG
/* Preemption and interrupts are off. */
void kvm_watch_enter(const struct kvm_cpu_vcpu *a);
void kvm_watch_exit(const struct kvm_cpu_vcpu *a);
#else
static inline void kvm_watch_enter(const struct kvm_cpu_vcpu *a)
{
}

static inline void kvm_watch_exit(const struct kvm_cpu_vcpu *a)
{
}
#endif
