// SPDX-License-Identifier: MIT
/* CPUID: what a guest is told, and what it may be told. */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <arch/fpu.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <linux/kvm_para.h>
#include <mm/uaccess.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_x86.h"
#include "arch/x86_64/x86_priv.h"

#define ENTRIES_MAX 256U			/* KVM_MAX_CPUID_ENTRIES on Linux */
#define BASIC_MAX 0xdU
#define EXTENDED 0x80000000U
#define EXTENDED_MAX 0x80000008U
#define LEAF1_ECX_OSXSAVE (1U << 27)
#define LEAF7_EBX_TSC_ADJUST (1U << 1)
#define LEAF1_ECX_X2APIC (1U << 21)
#define LEAF1_EDX_APIC (1U << 9)

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpu_vcpu *a, u32 leaf, u32 index)
{
	for (u32 i = 0; i < a->nr_cpuid; i++) {
		const struct kvm_cpuid_entry2 *e = &a->cpuid[i];

		if (e->function == leaf &&
		    (!(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || e->index == index))
			return e;
	}
	return NULL;
}

/* Bytes of the standard format with the components of XCR0. */
static u32 xsave_bytes(u64 xcr0)
{
	u32 size = 576, a, b, c, d;

	for (u32 i = 2; i < 63; i++) {
		if (!(xcr0 >> i & 1))
			continue;
		cpuid(0xd, i, &a, &b, &c, &d);
		if (a + b > size)
			size = a + b;
	}
	return size;
}

void kvm_cpuid(const struct kvm_cpu_vcpu *a, u32 leaf, u32 index, u32 *out)
{
	const struct kvm_cpuid_entry2 *e = find(a, leaf, index);

	memset(out, 0, 4 * sizeof(*out));
	if (!e)
		return;
	out[0] = e->eax;
	out[1] = e->ebx;
	out[2] = e->ecx;
	out[3] = e->edx;
	if (leaf == 1) {
		out[2] &= ~LEAF1_ECX_OSXSAVE;
		if (a->cr4 & GUEST_CR4_OSXSAVE)
			out[2] |= LEAF1_ECX_OSXSAVE;
		if (!(kvm_apic_base(a) & KVM_APIC_BASE_ENABLED))
			out[3] &= ~LEAF1_EDX_APIC;
	}
	if (leaf == 0xd && index == 0)
		out[1] = xsave_bytes(a->xcr0);
}

/* ---- what there is ---- */

struct list {
	struct kvm_cpuid_entry2 *e;
	u32 n, room;
};

static void add(struct list *l, u32 leaf, u32 index, bool indexed, const u32 *keep)
{
	struct kvm_cpuid_entry2 e = { .function = leaf, .index = index };

	cpuid(leaf, index, &e.eax, &e.ebx, &e.ecx, &e.edx);
	if (indexed)
		e.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	e.eax &= keep[0];
	e.ebx &= keep[1];
	e.ecx &= keep[2];
	e.edx &= keep[3];
	if (l->n < l->room)
		l->e[l->n] = e;
	l->n++;
}

#define ALL 0xffffffffU

/* Basic leaves. What is left out needs MSRs or instructions that a guest does not have. */
static void add_basic(struct list *l)
{
	static const u32 all[4] = { ALL, ALL, ALL, ALL };
	/*
	 * SSE3 PCLMUL SSSE3 FMA CX16 SSE4 MOVBE POPCNT AES XSAVE AVX F16C RDRAND, MCE MCA; no
	 * APIC numbers
	 */
	static const u32 one[4] = { ALL, 0x0000ffff, 0x76d83203, 0x178bfbff };
	static const u32 none[4] = { 0 };
	/* FSGSBASE BMI1 AVX2 SMEP BMI2 ERMS AVX-512's, RDSEED ADX SMAP CLFLUSHOPT CLWB SHA */
	static const u32 seven[4] = { 0, 0xf1bf03a9, 0x00415f46, 0x00000110 };
	u64 x = guest_fpu_features();
	u32 d0[4] = { (u32)x, ALL, ALL, (u32)(x >> 32) }, d1[4] = { 7, 0, 0, 0 };

	add(l, 0, 0, false, all);
	if (l->n <= l->room && l->e[l->n - 1].eax > BASIC_MAX)
		l->e[l->n - 1].eax = BASIC_MAX;
	add(l, 1, 0, false, one);
	if (l->n <= l->room)
		l->e[l->n - 1].ecx |= LEAF1_ECX_X2APIC;	/* also where the CPU has none */
	for (u32 leaf = 2; leaf <= 6; leaf++)
		add(l, leaf, 0, false, none);
	add(l, 7, 0, true, seven);
	if (l->n <= l->room)
		l->e[l->n - 1].ebx |= LEAF7_EBX_TSC_ADJUST;	/* kvm_clock.c: needs no CPU's */
	for (u32 leaf = 8; leaf < 0xd; leaf++)
		add(l, leaf, 0, false, none);
	if (!cpu_has(X86_FEATURE_XSAVE))
		return;
	add(l, 0xd, 0, true, d0);
	add(l, 0xd, 1, true, d1);
	for (u32 i = 2; i < 63; i++)
		if (x >> i & 1)
			add(l, 0xd, i, true, all);
}

static void add_extended(struct list *l)
{
	static const u32 all[4] = { ALL, ALL, ALL, ALL };
	/* LAHF CMP_LEGACY CR8 LZCNT SSE4A MISALIGN PREFETCH XOP FMA4 TBM; not SVM */
	static const u32 one[4] = { ALL, ALL, 0x0021017b & ~(1U << 3), 0x2fd3fbff & ~(1U << 25) };
	static const u32 power[4] = { 0, 0, 0, 1 << 8 };
	static const u32 sizes[4] = { 0xffff, 0, 0, 0 };

	add(l, EXTENDED, 0, false, all);
	if (l->n <= l->room && l->e[l->n - 1].eax > EXTENDED_MAX)
		l->e[l->n - 1].eax = EXTENDED_MAX;
	add(l, EXTENDED + 1, 0, false, one);
	for (u32 leaf = EXTENDED + 2; leaf <= EXTENDED + 6; leaf++)
		add(l, leaf, 0, false, all);
	add(l, EXTENDED + 7, 0, false, power);
	add(l, EXTENDED + 8, 0, false, sizes);
}

/* "KVMKVMKVM", and the paravirtual features: kvm-clock. */
static void add_own(struct list *l)
{
	struct kvm_cpuid_entry2 e[2] = {
		{ .function = KVM_CPUID_SIGNATURE,
		  .eax = KVM_CPUID_FEATURES,
		  .ebx = 0x4b4d564b,
		  .ecx = 0x564b4d56,
		  .edx = 0x4d },
		{ .function = KVM_CPUID_FEATURES,
		  .eax = kvm_clock_features() | kvm_hypercall_features() },
	};

	for (u32 i = 0; i < ARRAY_SIZE(e); i++, l->n++)
		if (l->n < l->room)
			l->e[l->n] = e[i];
}

long kvm_cpuid_supported(struct uptr arg)
{
	struct kvm_cpuid2 head;
	struct list l = { .room = ENTRIES_MAX };
	long r = 0;

	if (copy_from_user(&head, arg, sizeof(head)))
		return -EFAULT;
	l.e = kvcalloc(ENTRIES_MAX, sizeof(*l.e), GFP_KERNEL_ACCOUNT);
	if (!l.e)
		return -ENOMEM;
	add_basic(&l);
	add_own(&l);
	add_extended(&l);
	if (head.nent < l.n)
		r = -E2BIG;
	else if (copy_to_user(uptr_add(arg, sizeof(head)), l.e, l.n * sizeof(*l.e)))
		r = -EFAULT;
	head.nent = l.n;
	head.padding = 0;
	if (!r && copy_to_user(arg, &head, sizeof(head)))
		r = -EFAULT;
	kvfree(l.e);
	return r;
}

/* Padding that is not 0, or not there, in the room for N entries: the caller means something. */
static bool padded(struct uptr at, u32 n)
{
	u32 padding[3];

	for (u32 i = 0; i < n; i++, at = uptr_add(at, sizeof(struct kvm_cpuid_entry2))) {
		if (copy_from_user(padding,
				   uptr_add(at, offsetof(struct kvm_cpuid_entry2, padding)),
				   sizeof(padding)))
			return true;
		if (padding[0] | padding[1] | padding[2])
			return true;
	}
	return false;
}

/* What is executed where the CPU itself does not have it: nothing, in Linux's leaves. */
long kvm_cpuid_emulated(struct uptr arg)
{
	static const struct kvm_cpuid_entry2 leaves[] = {
		{ .function = 0, .eax = 7 },
		{ .function = 1 },
		{ .function = 7, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
	};
	struct uptr at = uptr_add(arg, sizeof(struct kvm_cpuid2));
	struct kvm_cpuid2 head;

	if (copy_from_user(&head, arg, sizeof(head)))
		return -EFAULT;
	if (!head.nent)
		return -E2BIG;
	if (padded(at, min(head.nent, ENTRIES_MAX)))
		return -EINVAL;
	if (head.nent < ARRAY_SIZE(leaves))
		return -E2BIG;
	head.nent = ARRAY_SIZE(leaves);
	if (copy_to_user(at, leaves, sizeof(leaves)) || copy_to_user(arg, &head, sizeof(head)))
		return -EFAULT;
	return 0;
}

/* ---- what this one has ---- */

static long set(struct kvm_vcpu *v, u32 n, struct uptr from)
{
	struct kvm_cpuid_entry2 *e;

	if (n > ENTRIES_MAX)
		return -E2BIG;
	e = kvcalloc(n ? n : 1, sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (!e)
		return -ENOMEM;
	if (copy_from_user(e, from, n * sizeof(*e))) {
		kvfree(e);
		return -EFAULT;
	}
	kvfree(v->arch->cpuid);
	v->arch->cpuid = e;
	v->arch->nr_cpuid = n;
	kvm_apic_cpuid(v);
	return 0;
}

long kvm_cpuid_ioctl(struct kvm_vcpu *v, unsigned int cmd, struct uptr arg)
{
	const struct kvm_cpu_vcpu *a = v->arch;
	struct uptr at = uptr_add(arg, sizeof(struct kvm_cpuid2));
	struct kvm_cpuid2 head;
	u32 room;

	if (copy_from_user(&head, arg, sizeof(head)))
		return -EFAULT;
	if (cmd == KVM_SET_CPUID2)
		return set(v, head.nent, at);
	room = head.nent;
	head.nent = a->nr_cpuid;
	if (copy_to_user(arg, &head, sizeof(head)))
		return -EFAULT;
	if (room < a->nr_cpuid)
		return -E2BIG;
	return copy_to_user(at, a->cpuid, a->nr_cpuid * sizeof(*a->cpuid)) ? -EFAULT : 0;
}
