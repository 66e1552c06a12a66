/* SPDX-License-Identifier: MIT */
/*
 * A guest's own page tables, walked as its CPU does (AMD APM vol. 2, chapter 5): two, three, four
 * and five levels, rights, reserved bits, accessed and dirty bits. Pure: memory is reached through
 * callbacks.
 */
#pragma once

#include <lib/types.h>

struct kvm_walk {
	u64 cr0, cr3, cr4, efer, rflags;
	u8 cpl;
	u8 phys_bits;			/* of the guest */
	/* SIZE bytes of the guest's memory: 0, or what kvm_walk() answers. */
	int (*read)(void *arg, u64 gpa, void *to, size_t size);
	/* FRESH where OLD stands: 0; -EAGAIN: something else does, else as read. */
	int (*exchange)(void *arg, u64 gpa, const void *old, const void *fresh, u32 size);
	void *arg;
};

#define KVM_WALK_WRITE 1U
#define KVM_WALK_FETCH 2U
#define KVM_WALK_SYSTEM 4U	/* as CPL 0, whatever the CPL is: descriptor tables */

/* A page fault's error code. */
#define PF_PRESENT 1U
#define PF_WRITE 2U
#define PF_USER 4U
#define PF_RESERVED 8U
#define PF_FETCH 16U

/* 0: GPA; 1: a page fault with CODE; else what a callback answered. */
int kvm_walk(const struct kvm_walk *w, u64 linear, unsigned int how, u64 *gpa, u32 *code);
