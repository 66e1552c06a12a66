// SPDX-License-Identifier: MIT
/*
 * Hardware vulnerabilities: which this CPU has, what is done about each, and the text that says exactly that.
 * What this kernel does: VERW before user mode (MDS, TAA, MMIO), enhanced or automatic IBRS where the CPU has it, fences
 * behind SWAPGS, inverted frames in absent page-table entries. mitigations=off leaves out what costs time.
 */
#include <arch/cpu.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <lib/format.h>
#include <lib/string.h>
#include "arch/x86_64/x86_priv.h"

enum bug {
	BUG_GDS, BUG_ITS, BUG_ITLB, BUG_L1TF, BUG_MDS, BUG_MELTDOWN, BUG_MMIO, BUG_UCODE, BUG_RFDS, BUG_RETBLEED,
	BUG_SRSO, BUG_SSB, BUG_V1, BUG_V2, BUG_SRBDS, BUG_TSA, BUG_TAA, BUG_VMSCAPE, NR_BUGS
};

static const char *const names[NR_BUGS + 1] = {
	"gather_data_sampling", "indirect_target_selection", "itlb_multihit", "l1tf", "mds", "meltdown", "mmio_stale_data",
	"old_microcode", "reg_file_data_sampling", "retbleed", "spec_rstack_overflow", "spec_store_bypass", "spectre_v1",
	"spectre_v2", "srbds", "tsa", "tsx_async_abort", "vmscape", NULL
};

static u32 affected __ro_after_init;
static bool off __ro_after_init, auto_ibrs __ro_after_init, ibpb_after_guest __ro_after_init;

#define CAP_RDCL_NO (1ULL << 0)
#define CAP_IBRS_ALL (1ULL << 1)
#define CAP_SSB_NO (1ULL << 4)
#define CAP_MDS_NO (1ULL << 5)
#define CAP_PSCHANGE_NO (1ULL << 6)
#define CAP_TAA_NO (1ULL << 8)
#define CAP_SBDR_NO (1ULL << 13)
#define CAP_GDS_NO (1ULL << 26)
#define CAP_RFDS_NO (1ULL << 27)
#define CAP_ITS_NO (1ULL << 62)
#define SPEC_CTRL_IBRS 1

/* Intel's own cores of family 6 are taken to have what their capabilities do not deny. */
static void __init judge_intel(u64 caps)
{
	affected = 1U << BUG_V1 | 1U << BUG_V2;
	if (cpu_family != 6)
		return;
	if (!(caps & CAP_RDCL_NO))
		affected |= 1U << BUG_MELTDOWN | 1U << BUG_L1TF;
	if (!(caps & CAP_SSB_NO))
		affected |= 1U << BUG_SSB;
	if (!(caps & CAP_MDS_NO))
		affected |= 1U << BUG_MDS;
	if (!(caps & CAP_PSCHANGE_NO))
		affected |= 1U << BUG_ITLB;
	if (!(caps & CAP_TAA_NO) && (x86_features[4] >> 11 & 1))
		affected |= 1U << BUG_TAA;
	if (!(caps & CAP_SBDR_NO))
		affected |= 1U << BUG_MMIO | 1U << BUG_SRBDS;
	if (!(caps & CAP_GDS_NO) && (x86_features[4] >> 5 & 1))
		affected |= 1U << BUG_GDS;
	if (!(caps & CAP_RFDS_NO))
		affected |= 1U << BUG_RFDS;
	if (!(caps & CAP_ITS_NO))
		affected |= 1U << BUG_ITS;
	if (!(caps & CAP_IBRS_ALL))
		affected |= 1U << BUG_RETBLEED;
}

static void __init judge_amd(void)
{
	affected = 1U << BUG_V1 | 1U << BUG_V2 | 1U << BUG_SSB;
	if (x86_features[8] >> 26 & 1)		/* SSB_NO */
		affected &= ~(1U << BUG_SSB);
	if (cpu_family == 0x17)
		affected |= 1U << BUG_RETBLEED | 1U << BUG_SRSO | 1U << BUG_VMSCAPE;
	if (cpu_family == 0x18)			/* Hygon */
		affected |= 1U << BUG_RETBLEED | 1U << BUG_SRSO | 1U << BUG_VMSCAPE;
	if (cpu_family == 0x19)
		affected |= 1U << BUG_SRSO | 1U << BUG_TSA | 1U << BUG_VMSCAPE;
	if (cpu_family == 0x1a)
		affected |= 1U << BUG_SRSO | 1U << BUG_VMSCAPE;
	if (cpu_has(X86_FEATURE_SRSO_NO))
		affected &= ~(1U << BUG_SRSO);
}

void __init x86_judge_bugs(bool mitigations_off)
{
	u64 caps = 0;

	off = mitigations_off;
	if (cpu_has(X86_FEATURE_ARCH_CAPS))
		rdmsr_safe(MSR_ARCH_CAPS, &caps);
	if (!strcmp(cpu_vendor, "GenuineIntel"))
		judge_intel(caps);
	else if (!strcmp(cpu_vendor, "AuthenticAMD") || !strcmp(cpu_vendor, "HygonGenuine"))
		judge_amd();
	else
		affected = 1U << BUG_V1 | 1U << BUG_V2 | 1U << BUG_SSB;
	if (off)
		return;
	ibpb_after_guest = affected & 1U << BUG_VMSCAPE && cpu_has(X86_FEATURE_AMD_IBPB);
	auto_ibrs = cpu_has(X86_FEATURE_AUTO_IBRS);
	if (auto_ibrs || (caps & CAP_IBRS_ALL))
		x86_features[X86_FEATURE_IBRS_ENHANCED / 32] |= 1U << (X86_FEATURE_IBRS_ENHANCED % 32);
	if (cpu_has(X86_FEATURE_MD_CLEAR) && (affected & (1U << BUG_MDS | 1U << BUG_TAA | 1U << BUG_MMIO | 1U << BUG_RFDS)))
		x86_features[X86_FEATURE_CLEAR_CPU_BUF / 32] |= 1U << (X86_FEATURE_CLEAR_CPU_BUF % 32);
}

/* The part that each CPU does for itself. */
void x86_mitigate_cpu(void)
{
	if (!cpu_has(X86_FEATURE_IBRS_ENHANCED))
		return;
	if (auto_ibrs)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | 1 << 21);
	else
		wrmsr_safe(MSR_SPEC_CTRL, SPEC_CTRL_IBRS);
}

void x86_guest_was_here(void)
{
	if (ibpb_after_guest)
		wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
}

const char *arch_vulnerability_name(unsigned int i)
{
	return i < NR_BUGS ? names[i] : NULL;
}

static const char *verw_text(void)
{
	return cpu_has(X86_FEATURE_CLEAR_CPU_BUF) ? "Mitigation: Clear CPU buffers" :
	       off ? "Vulnerable" : "Vulnerable: Clear CPU buffers attempted, no microcode";
}

int arch_vulnerability_show(char *buf, size_t size, unsigned int i)
{
	const char *text = "Vulnerable";

	if (i >= NR_BUGS)
		return 0;
	if (!(affected >> i & 1))
		return snprintf(buf, size, "Not affected\n");
	switch (i) {
	case BUG_L1TF:
		text = "Mitigation: PTE Inversion";
		break;
	case BUG_MDS:
	case BUG_TAA:
	case BUG_MMIO:
	case BUG_RFDS:
		text = verw_text();
		break;
	case BUG_V1:
		text = "Vulnerable: swapgs barriers only; no usercopy barriers and __user pointer sanitization";
		break;
	case BUG_V2:
		if (cpu_has(X86_FEATURE_IBRS_ENHANCED))
			text = "Mitigation: Enhanced / Automatic IBRS";
		break;
	case BUG_RETBLEED:
		break;
	case BUG_ITLB:
		text = "KVM: Mitigation: VMX unsupported";
		break;
	case BUG_VMSCAPE:
		if (ibpb_after_guest)
			text = "Mitigation: IBPB before exit to userspace";
		break;
	}
	return snprintf(buf, size, "%s\n", text);
}
