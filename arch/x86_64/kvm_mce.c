// SPDX-License-Identifier: MIT
/*
 * Machine checks that the owner raises in a guest: the MSRs of the machine check architecture, as
 * banks of four (Intel SDM 3B, 17.3), and KVM_X86_SET_MCE.
 */
#include <abi/errno.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <mm/uaccess.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_x86.h"
#include "arch/x86_64/x86_priv.h"

#define M_P5_ADDR 0x0
#define M_P5_TYPE 0x1
#define M_MCG_CAP 0x179
#define M_MCG_STATUS 0x17a
#define M_MCG_CTL 0x17b
#define M_BANKS 0x400
#define CAP_BANKS 0xffULL
#define CAP_CTL (1ULL << 8)
#define CAP_EXT_COUNT 0xff0000ULL
#define CAP_SER (1ULL << 24)
#define CAP_AMD (CAP_BANKS | CAP_CTL)	/* what its CPUs have; the rest is heard, as on Linux */
#define CAP_OURS (CAP_CTL | CAP_SER)
#define STATUS_MCIP 4U
#define BANK_VALID (1ULL << 63)
#define BANK_OVER (1ULL << 62)
#define BANK_UC (1ULL << 61)
#define BANK_PCC (1ULL << 57)
#define BANK_S (1ULL << 56)
#define BANK_AR (1ULL << 55)
#define HWCR_STATUS_WRITABLE (1ULL << 18)

enum { CTL, STATUS, ADDR, MISC };

static u32 nr_banks(const struct kvm_cpu_vcpu *a)
{
	return (u32)(a->mce.cap & CAP_BANKS);
}

void kvm_mce_init(struct kvm_cpu_vcpu *a)
{
	a->mce.cap = KVM_MCE_BANKS;
}

bool kvm_mce_has(u32 index)
{
	return index <= M_P5_TYPE || (index >= M_MCG_CAP && index <= M_MCG_CTL) ||
	       (index >= M_BANKS && index < M_BANKS + 4 * KVM_MCE_BANKS);
}

bool kvm_mce_get(const struct kvm_cpu_vcpu *a, u32 index, u64 *value, bool owner)
{
	switch (index) {
	case M_P5_ADDR:
	case M_P5_TYPE:
		*value = 0;
		return true;
	case M_MCG_CAP:
		*value = a->mce.cap;
		return true;
	case M_MCG_STATUS:
		*value = a->mce.status;
		return true;
	case M_MCG_CTL:
		*value = a->mce.ctl;
		return owner || a->mce.cap & CAP_CTL;
	}
	index -= M_BANKS;
	if (index / 4 >= nr_banks(a))
		return false;
	*value = a->mce.banks[index / 4][index % 4];
	return true;
}

static bool set_bank(struct kvm_cpu_vcpu *a, u32 bank, u32 what, u64 value, bool owner)
{
	if (bank >= nr_banks(a))
		return false;
	/* All or nothing; guests clear bit 10, or bit 0, for CPUs of old. */
	if (what == CTL && value && (value | 1 << 10 | 1) != ~0ULL)
		return false;
	if (what == STATUS && value && !owner && !(a->hwcr & HWCR_STATUS_WRITABLE))
		return false;
	a->mce.banks[bank][what] = value;
	return true;
}

bool kvm_mce_set(struct kvm_cpu_vcpu *a, u32 index, u64 value, bool owner)
{
	switch (index) {
	case M_MCG_STATUS:
		a->mce.status = value;
		return true;
	case M_MCG_CTL:
		if (!(a->mce.cap & CAP_CTL) && (value || !owner))
			return false;
		if (value && value != ~0ULL)
			return false;
		a->mce.ctl = value;
		return true;
	case M_P5_ADDR:
	case M_P5_TYPE:
	case M_MCG_CAP:
		return false;
	default:
		index -= M_BANKS;
		return set_bank(a, index / 4, index % 4, value, owner);
	}
}

/* ---- ioctls ---- */

long kvm_mce_supported(struct uptr to)
{
	u64 cap = CAP_OURS;

	return copy_to_user(to, &cap, sizeof(cap)) ? -EFAULT : 0;
}

static long set_up(struct kvm_cpu_vcpu *a, u64 cap)
{
	u32 n = (u32)(cap & CAP_BANKS);

	if (!n || n > KVM_MCE_BANKS || cap & ~(CAP_OURS | CAP_BANKS | CAP_EXT_COUNT))
		return -EINVAL;
	a->mce.cap = cap & CAP_AMD;
	if (cap & CAP_CTL)
		a->mce.ctl = ~0ULL;
	for (u32 i = 0; i < n; i++)
		a->mce.banks[i][CTL] = ~0ULL;
	return 0;
}

static void fill(struct kvm_cpu_vcpu *a, const struct kvm_x86_mce *m)
{
	u64 *bank = a->mce.banks[m->bank], over = bank[STATUS] & BANK_VALID ? BANK_OVER : 0;

	bank[ADDR] = m->addr;
	bank[MISC] = m->misc;
	bank[STATUS] = m->status | over;
}

static void uncorrected(struct kvm_cpu_vcpu *a, const struct kvm_x86_mce *m)
{
	if ((a->mce.cap & CAP_CTL && a->mce.ctl != ~0ULL) || a->mce.banks[m->bank][CTL] != ~0ULL)
		return;			/* the guest does not want to hear of it */
	if (a->mce.status & STATUS_MCIP || !(a->cr4 & CR4_MCE)) {
		a->events.triple_fault = true;
		return;
	}
	fill(a, m);
	a->mce.status = m->mcg_status;
	kvm_vcpu_raise(a, VEC_MC, false, 0);
}

/* Uncorrected, and no action is required: it waits in its bank. */
static bool no_action(const struct kvm_x86_mce *m)
{
	return !m->mcg_status && m->status & BANK_UC &&
	       !(m->status & (BANK_PCC | BANK_S | BANK_AR));
}

static long raise(struct kvm_cpu_vcpu *a, const struct kvm_x86_mce *m)
{
	u64 *bank;

	if (m->bank >= nr_banks(a) || !(m->status & BANK_VALID))
		return -EINVAL;
	bank = a->mce.banks[m->bank];
	if (no_action(m)) {
		bank[STATUS] = m->status;
		bank[ADDR] = m->addr;
		bank[MISC] = m->misc;
		a->mce.status = m->mcg_status;
	} else if (m->status & BANK_UC) {
		uncorrected(a, m);
	} else if ((bank[STATUS] & (BANK_VALID | BANK_UC)) != (BANK_VALID | BANK_UC)) {
		fill(a, m);
	} else {
		bank[STATUS] |= BANK_OVER;
	}
	return 0;
}

long kvm_mce_ioctl(struct kvm_vcpu *v, unsigned int cmd, struct uptr arg)
{
	struct kvm_x86_mce m;
	u64 cap;

	if (cmd == KVM_X86_SETUP_MCE)
		return copy_from_user(&cap, arg, sizeof(cap)) ? -EFAULT : set_up(v->arch, cap);
	return copy_from_user(&m, arg, sizeof(m)) ? -EFAULT : raise(v->arch, &m);
}
