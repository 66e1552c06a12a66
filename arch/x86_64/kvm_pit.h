/* SPDX-License-Identifier: MIT */
/*
 * The 8254 timer of a PC and the gate at port 61h. Pure: times are the caller's, in nanoseconds
 * that only grow; the caller excludes others.
 */
#pragma once

#include <lib/types.h>
#include <linux/kvm.h>

struct kvm_pit {
	struct kvm_pit_channel_state channel[3]; /* as KVM_GET_PIT2 has them */
	bool speaker;
};

#define KVM_PIT_NEVER (~0ULL)

void kvm_pit_reset(struct kvm_pit *p, u64 now);
/* Ports 40h to 43h and 61h, a byte each. False: another port. */
bool kvm_pit_read(struct kvm_pit *p, u16 port, u8 *value, u64 now);
/* FRESH: counter 0 begins anew, and kvm_pit_next() tells when it interrupts. */
bool kvm_pit_write(struct kvm_pit *p, u16 port, u8 value, u64 now, bool *fresh);
/* When counter 0's output rises for the first time after AFTER; KVM_PIT_NEVER: it does not. */
u64 kvm_pit_next(const struct kvm_pit *p, u64 after);
/*
 * Makes what an owner set usable: counts within their range, no state that is unknown. All counts
 * begin anew.
 */
void kvm_pit_settle(struct kvm_pit *p, u64 now);
