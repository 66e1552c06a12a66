// SPDX-License-Identifier: MIT
/* A guest's model-specific registers, for itself and for user space. */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <linux/kvm.h>
#include <mm/uaccess.h>
#include <sched/sched.h>
#include "arch/x86_64/kvm_priv.h"
#include "arch/x86_64/kvm_x86.h"
#include "arch/x86_64/x86_priv.h"

#define M_TSC 0x10
#define M_TSC_ADJUST 0x3b
#define M_UCODE 0x8b
#define M_MTRR_CAP 0xfe
#define M_ARCH_CAPABILITIES 0x10a
#define M_SYSENTER_CS 0x174
#define M_SYSENTER_ESP 0x175
#define M_SYSENTER_EIP 0x176
#define M_MCG_STATUS 0x17a
#define M_MCG_CTL 0x17b
#define M_MISC_ENABLE 0x1a0
#define M_MTRR_VARIABLE 0x200
#define M_MTRR_DEF 0x2ff
#define M_PERF_CAPABILITIES 0x345
#define M_TSC_DEADLINE 0x6e0
#define M_X2APIC 0x800
#define M_X2APIC_LAST 0x83f
#define M_SYSCFG 0xc0010010
#define M_HWCR 0xc0010015
#define M_DE_CFG 0xc0011029
#define MTRR_CAP (KVM_MTRR_VARIABLE | 1 << 8 | 1 << 10)	/* fixed ranges, write combining */
#define UCODE 0x01000065	/* as Linux: no guest looks for an older one's faults */
#define MSRS_MAX 256			/* as Linux: of one KVM_GET_MSRS */

/* What KVM_GET_MSR_INDEX_LIST names. */
static const u32 listed[] = {
	M_TSC,	       MSR_APIC_BASE,  M_SYSENTER_CS, M_SYSENTER_ESP, M_SYSENTER_EIP,
	M_MISC_ENABLE, MSR_PAT,	       MSR_EFER,      MSR_STAR,	      MSR_LSTAR,
	MSR_CSTAR,     MSR_SFMASK,     MSR_FS_BASE,   MSR_GS_BASE,    MSR_KERNEL_GS_BASE,
	MSR_TSC_AUX,   M_HWCR,	       M_MCG_STATUS,  M_MTRR_DEF,     0x200,
	0x201,	       0x202,	       0x203,	      0x204,	      0x205,
	0x206,	       0x207,	       0x208,	      0x209,	      0x20a,
	0x20b,	       0x20c,	       0x20d,	      0x20e,	      0x20f,
	0x250,	       0x258,	       0x259,	      0x268,	      0x269,
	0x26a,	       0x26b,	       0x26c,	      0x26d,	      0x26e,
	0x26f,	       M_TSC_DEADLINE, M_MCG_CTL,     0x11,	      0x12,
	0x4b564d00,    0x4b564d01,     M_TSC_ADJUST,
};

/* What KVM_GET_MSR_FEATURE_INDEX_LIST names: MSRs that say what a guest can have. */
static const u32 features[] = { M_UCODE, M_ARCH_CAPABILITIES, M_PERF_CAPABILITIES, M_DE_CFG };

/* MSRs that are a field: of the VMCB's, or of the vCPU's. NULL: another one. */
static u64 *field_of(struct kvm_cpu_vcpu *a, u32 index)
{
	static const u16 fixed[KVM_MTRR_FIXED] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
						   0x26b, 0x26c, 0x26d, 0x26e, 0x26f };

	if (index >= M_MTRR_VARIABLE && index < M_MTRR_VARIABLE + 2 * KVM_MTRR_VARIABLE)
		return &a->mtrr_variable[index - M_MTRR_VARIABLE];
	for (unsigned int i = 0; i < KVM_MTRR_FIXED; i++)
		if (fixed[i] == index)
			return &a->mtrr_fixed[i];
	switch (index) {
	case M_MTRR_DEF:
		return &a->mtrr_def;
	case M_MISC_ENABLE:
		return &a->misc_enable;
	case M_HWCR:
		return &a->hwcr;
	default:
		return NULL;
	}
}

static bool get_saved(const struct vmcb_save *s, u32 index, u64 *value)
{
	switch (index) {
	case M_SYSENTER_CS:
		*value = s->sysenter_cs;
		return true;
	case M_SYSENTER_ESP:
		*value = s->sysenter_esp;
		return true;
	case M_SYSENTER_EIP:
		*value = s->sysenter_eip;
		return true;
	case MSR_PAT:
		*value = s->g_pat;
		return true;
	case MSR_STAR:
		*value = s->star;
		return true;
	case MSR_LSTAR:
		*value = s->lstar;
		return true;
	case MSR_CSTAR:
		*value = s->cstar;
		return true;
	case MSR_SFMASK:
		*value = s->sfmask;
		return true;
	case MSR_FS_BASE:
		*value = s->fs.base;
		return true;
	case MSR_GS_BASE:
		*value = s->gs.base;
		return true;
	case MSR_KERNEL_GS_BASE:
		*value = s->kernel_gs_base;
		return true;
	default:
		return false;
	}
}

bool kvm_msr_get(struct kvm_vcpu *v, u32 index, u64 *value, bool owner)
{
	struct kvm_cpu_vcpu *a = v->arch;
	const u64 *field = field_of(a, index);

	*value = 0;
	if (field) {
		*value = *field;
		return true;
	}
	if (get_saved(&a->vmcb->save, index, value))
		return true;
	if (kvm_mce_has(index))
		return kvm_mce_get(a, index, value, owner);
	if (kvm_clock_has(index)) {
		*value = kvm_clock_get(v, index);
		return true;
	}
	switch (index) {
	case M_TSC:
		*value = rdtsc_ordered() + a->vmcb->control.tsc_offset;
		return true;
	case MSR_EFER:
		*value = a->efer;
		return true;
	case MSR_APIC_BASE:
		*value = kvm_apic_base(a);
		return true;
	case M_TSC_DEADLINE:
	case M_X2APIC ... M_X2APIC_LAST:
		return kvm_apic_rdmsr(v, index, value);
	case MSR_TSC_AUX:
		*value = a->tsc_aux;
		return cpu_has(X86_FEATURE_RDTSCP);
	case M_MTRR_CAP:
		*value = MTRR_CAP;
		return true;
	case M_UCODE:
		*value = UCODE;
		return true;
	case M_TSC_ADJUST:
		*value = a->tsc_adjust;
		return true;
	case M_ARCH_CAPABILITIES:	/* a guest has neither; its owner may move the 0 */
	case M_PERF_CAPABILITIES:
		return owner;
	case M_SYSCFG:
	case M_DE_CFG:
		return true;
	default:
		return kvm_msr_fixed_get(index, value);
	}
}

static bool canonical(const struct kvm_cpu_vcpu *a, u64 value)
{
	unsigned int bits = a->cr4 & GUEST_CR4_LA57 || cpu_has(X86_FEATURE_LA57) ? 57 : 48;

	return (u64)((s64)(value << (64 - bits)) >> (64 - bits)) == value;
}

/* Each byte is a memory type: PAT, or an MTRR's. */
static bool types_valid(u64 value, bool pat)
{
	for (unsigned int i = 0; i < 8; i++, value >>= 8) {
		u8 type = value & 0xff;

		if (type > 7 || type == 2 || type == 3 || (type == 7 && !pat))
			return false;
	}
	return true;
}

static bool set_saved(struct kvm_cpu_vcpu *a, u32 index, u64 value, bool *known)
{
	struct vmcb_save *s = &a->vmcb->save;

	*known = true;
	switch (index) {
	case M_SYSENTER_CS:
		s->sysenter_cs = value;
		return true;
	case M_SYSENTER_ESP:
		s->sysenter_esp = value;
		return canonical(a, value);
	case M_SYSENTER_EIP:
		s->sysenter_eip = value;
		return canonical(a, value);
	case MSR_PAT:
		s->g_pat = value;
		return true;
	case MSR_STAR:
		s->star = value;
		return true;
	case MSR_LSTAR:
		s->lstar = value;
		return true;
	case MSR_CSTAR:
		s->cstar = value;
		return true;
	case MSR_SFMASK:
		s->sfmask = value;
		return true;
	case MSR_FS_BASE:
		s->fs.base = value;
		return true;
	case MSR_GS_BASE:
		s->gs.base = value;
		return true;
	case MSR_KERNEL_GS_BASE:
		s->kernel_gs_base = value;
		return true;
	default:
		*known = false;
		return false;
	}
}

static bool value_allowed(const struct kvm_cpu_vcpu *a, u32 index, u64 value)
{
	switch (index) {
	case MSR_PAT:
		return types_valid(value, true);
	case 0x250 ... 0x26f:
		return types_valid(value, false);
	case M_MTRR_DEF:
		return !(value & ~0xcffULL) && types_valid(value & 0xff, false);
	case M_SYSENTER_CS:
		return !(value >> 32);
	case M_SYSENTER_ESP ... M_SYSENTER_EIP:
	case MSR_LSTAR ... MSR_CSTAR:
	case MSR_FS_BASE ... MSR_KERNEL_GS_BASE:
		return canonical(a, value);
	case MSR_SFMASK:
		return !(value >> 32);
	case M_HWCR:			/* what firmware sets and nobody here has */
		return !(value & ~(1ULL << 3 | 1ULL << 6 | 1ULL << 8 | 1ULL << 18 | 1ULL << 24));
	default:
		return true;
	}
}

/* Variable ranges: type, valid bit, no bit beyond the addresses. */
static bool range_allowed(u32 index, u64 value)
{
	u64 reserved = cpu_phys_bits < 64 ? ~0ULL << cpu_phys_bits : 0;

	reserved |= index & 1 ? 0x7ff : 0xf00;
	if (value & reserved)
		return false;
	return index & 1 || types_valid(value & 0xff, false);
}

bool kvm_msr_set(struct kvm_vcpu *v, u32 index, u64 value, bool owner)
{
	struct kvm_cpu_vcpu *a = v->arch;
	u64 *field = field_of(a, index);
	bool known;

	if (!value_allowed(a, index, value))
		return false;
	if (index == MSR_APIC_BASE)
		return kvm_apic_set_base(v, value, owner);
	if (index >= M_MTRR_VARIABLE && index < M_MTRR_VARIABLE + 2 * KVM_MTRR_VARIABLE &&
	    !range_allowed(index, value))
		return false;
	if (field) {
		*field = value;
		return true;
	}
	if (set_saved(a, index, value, &known) || known)
		return true;
	if (kvm_mce_has(index))
		return kvm_mce_set(a, index, value, owner);
	if (kvm_clock_has(index)) {
		kvm_clock_set(v, index, value);
		return true;
	}
	switch (index) {
	case M_TSC:
		kvm_tsc_write(v, value, owner);
		return true;
	case MSR_EFER:
		return kvm_set_efer(a, value, owner);
	case M_TSC_DEADLINE:
	case M_X2APIC ... M_X2APIC_LAST:
		return kvm_apic_wrmsr(v, index, value);
	case MSR_TSC_AUX:
		if (!cpu_has(X86_FEATURE_RDTSCP) || value >> 32)
			return false;
		preempt_disable();
		a->tsc_aux = value;
		if (!owner)		/* its registers are on this CPU */
			wrmsr(MSR_TSC_AUX, value);
		preempt_enable();
		return true;
	case M_TSC_ADJUST:
		kvm_tsc_adjust(v, value, owner);
		return true;
	case M_UCODE:
	case M_SYSCFG:
	case M_DE_CFG:
		return owner || index == M_UCODE ? true : !value;
	case M_ARCH_CAPABILITIES:
	case M_PERF_CAPABILITIES:
		return owner && !value;
	default:
		return kvm_msr_fixed_set(index, value);
	}
}

/* ---- ioctls ---- */

static bool in_list(const u32 *list, u32 n, u32 index)
{
	for (u32 i = 0; i < n; i++)
		if (list[i] == index)
			return true;
	return false;
}

/* Of /dev/kvm. Those that are a vCPU's alone are 0, as on Linux. */
static bool feature_get(u32 index, u64 *value)
{
	*value = index == M_UCODE ? UCODE : 0;
	return in_list(features, ARRAY_SIZE(features), index) ||
	       in_list(listed, ARRAY_SIZE(listed), index);
}

static bool owner_get(struct kvm_vcpu *v, u32 index, u64 *value)
{
	return v ? kvm_msr_get(v, index, value, true) : feature_get(index, value);
}

static long move_msrs(struct kvm_vcpu *v, struct kvm_msr_entry *e, u32 n, bool set)
{
	u32 i;

	for (i = 0; i < n; i++) {
		u64 value = 0;

		if (set ? !kvm_msr_set(v, e[i].index, e[i].data, true) :
			  !owner_get(v, e[i].index, &value))
			break;
		if (!set)
			e[i].data = value;
		cond_resched();
	}
	return i;
}

long kvm_msr_ioctl(struct kvm_vcpu *v, unsigned int cmd, struct uptr arg)
{
	struct kvm_msr_entry *e;
	struct kvm_msrs head;
	struct uptr at = uptr_add(arg, sizeof(head));
	size_t size;
	long r;

	if (copy_from_user(&head, arg, sizeof(head)))
		return -EFAULT;
	if (head.nmsrs >= MSRS_MAX)
		return -E2BIG;
	size = head.nmsrs * sizeof(*e);
	e = kvmalloc(size ? size : 1, GFP_KERNEL_ACCOUNT);
	if (!e)
		return -ENOMEM;
	r = copy_from_user(e, at, size) ? -EFAULT :
					  move_msrs(v, e, head.nmsrs, cmd == KVM_SET_MSRS);
	if (r >= 0 && cmd == KVM_GET_MSRS && copy_to_user(at, e, size))
		r = -EFAULT;
	kvfree(e);
	return r;
}

long kvm_msr_lists(unsigned int cmd, struct uptr arg)
{
	struct kvm_msr_list head;
	bool all = cmd == KVM_GET_MSR_INDEX_LIST;
	const u32 *list = all ? listed : features;
	u32 room, n = all ? ARRAY_SIZE(listed) : ARRAY_SIZE(features);

	if (copy_from_user(&head, arg, sizeof(head)))
		return -EFAULT;
	room = head.nmsrs;
	head.nmsrs = n;
	if (copy_to_user(arg, &head, sizeof(head)))
		return -EFAULT;
	if (room < n)
		return -E2BIG;
	return copy_to_user(uptr_add(arg, sizeof(head)), list, n * sizeof(u32)) ? -EFAULT : 0;
}
