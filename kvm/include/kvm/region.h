/* SPDX-License-Identifier: MIT */
/* What KVM_SET_USER_MEMORY_REGION means for the slots there are. Pure. */
#pragma once

#include <lib/types.h>
#include <linux/kvm.h>
#include <kvm/slot.h>

/* As on Linux's x86: 32,767 less its three own. */
#define KVM_SLOTS_MAX 32764U
#define KVM_SLOT_PAGES_MAX ((1ULL << 31) - 1)

enum kvm_region_change {
	KVM_REGION_SAME,
	KVM_REGION_NEW,
	KVM_REGION_GONE,
	KVM_REGION_MOVED,
	KVM_REGION_FLAGS
};

/* What the machine and the VM allow. */
struct kvm_region_limits {
	u64 last_gfn;			/* of the guest */
	u64 user_end;			/* the first address that is not the owner's */
	bool readonly;			/* KVM_MEM_READONLY is offered */
};

/*
 * What R asks for, where OLD is the slot of that name (NULL: there is none) of M, which is settled.
 * -EINVAL: R contradicts itself, the limits or OLD; -EEXIST: another slot has some of its frames.
 * Writers are excluded.
 */
int kvm_region_judge(const struct kvm_slot_map *m, const struct kvm_userspace_memory_region *r,
		     const struct kvm_slot *old, const struct kvm_region_limits *limits,
		     enum kvm_region_change *change);
