/* SPDX-License-Identifier: MIT */
/*
 * CPU features by number: word * 32 + bit of the CPUID leaf (Intel SDM vol. 2A, CPUID). The last word is ours.
 *   word 0: leaf 1 edx   1: leaf 1 ecx   2: 0x80000001 edx   3: 0x80000001 ecx
 *        4: leaf 7 ebx   5: leaf 7 ecx   6: leaf 7 edx       7: 0xd.1 eax
 *        8: leaf 0x80000008 ebx          9: leaf 7.1 eax    10: 0x80000007 edx
 *       11: hypervisor's kvm leaf eax  12: 0x8000000a edx  13: 0x80000021 eax  14: synthetic
 */
#pragma once

#define X86_FEATURE_WORDS 15

#define X86_FEATURE_FPU (0 * 32 + 0)
#define X86_FEATURE_TSC (0 * 32 + 4)
#define X86_FEATURE_APIC (0 * 32 + 9)
#define X86_FEATURE_PGE (0 * 32 + 13)
#define X86_FEATURE_PAT (0 * 32 + 16)
#define X86_FEATURE_CLFLUSH (0 * 32 + 19)
#define X86_FEATURE_FXSR (0 * 32 + 24)
#define X86_FEATURE_SSE2 (0 * 32 + 26)
#define X86_FEATURE_MWAIT (1 * 32 + 3)
#define X86_FEATURE_PCID (1 * 32 + 17)
#define X86_FEATURE_X2APIC (1 * 32 + 21)
#define X86_FEATURE_SSSE3 (1 * 32 + 9)
#define X86_FEATURE_TSC_DEADLINE (1 * 32 + 24)
#define X86_FEATURE_XSAVE (1 * 32 + 26)
#define X86_FEATURE_AVX (1 * 32 + 28)
#define X86_FEATURE_RDRAND (1 * 32 + 30)
#define X86_FEATURE_HYPERVISOR (1 * 32 + 31)
#define X86_FEATURE_SYSCALL (2 * 32 + 11)
#define X86_FEATURE_NX (2 * 32 + 20)
#define X86_FEATURE_GBPAGES (2 * 32 + 26)
#define X86_FEATURE_RDTSCP (2 * 32 + 27)
#define X86_FEATURE_LM (2 * 32 + 29)
#define X86_FEATURE_SVM (3 * 32 + 2)
#define X86_FEATURE_FSGSBASE (4 * 32 + 0)
#define X86_FEATURE_SMEP (4 * 32 + 7)
#define X86_FEATURE_ERMS (4 * 32 + 9)
#define X86_FEATURE_INVPCID (4 * 32 + 10)
#define X86_FEATURE_RDSEED (4 * 32 + 18)
#define X86_FEATURE_SMAP (4 * 32 + 20)
#define X86_FEATURE_SHA (4 * 32 + 29)
#define X86_FEATURE_UMIP (5 * 32 + 2)
#define X86_FEATURE_LA57 (5 * 32 + 16)
#define X86_FEATURE_RDPID (5 * 32 + 22)
#define X86_FEATURE_FSRM (6 * 32 + 4)
#define X86_FEATURE_MD_CLEAR (6 * 32 + 10)
#define X86_FEATURE_SERIALIZE (6 * 32 + 14)
#define X86_FEATURE_SPEC_CTRL (6 * 32 + 26)
#define X86_FEATURE_STIBP (6 * 32 + 27)
#define X86_FEATURE_ARCH_CAPS (6 * 32 + 29)
#define X86_FEATURE_SSBD (6 * 32 + 31)
#define X86_FEATURE_XSAVEOPT (7 * 32 + 0)
#define X86_FEATURE_XSAVEC (7 * 32 + 1)
#define X86_FEATURE_XGETBV1 (7 * 32 + 2)
#define X86_FEATURE_XSAVES (7 * 32 + 3)
#define X86_FEATURE_AMD_IBPB (8 * 32 + 12)
#define X86_FEATURE_AMD_IBRS (8 * 32 + 14)
#define X86_FEATURE_AMD_STIBP (8 * 32 + 15)
#define X86_FEATURE_AMD_SSBD (8 * 32 + 24)
#define X86_FEATURE_INVARIANT_TSC (10 * 32 + 8)
#define X86_FEATURE_KVM_CLOCK2 (11 * 32 + 3)
#define X86_FEATURE_KVM_CLOCK_STABLE (11 * 32 + 24)
#define X86_FEATURE_NPT (12 * 32 + 0)
#define X86_FEATURE_AUTO_IBRS (13 * 32 + 8)
#define X86_FEATURE_SRSO_NO (13 * 32 + 29)

/* What this kernel decided, by machine and command line. */
#define X86_FEATURE_RETPOLINE (14 * 32 + 0)	/* indirect branches need help */
#define X86_FEATURE_IBRS_ENHANCED (14 * 32 + 1)
#define X86_FEATURE_CLEAR_CPU_BUF (14 * 32 + 2)	/* VERW before user mode */
#define X86_FEATURE_PTI (14 * 32 + 3)
#define X86_FEATURE_NEVER (14 * 32 + 30)
#define X86_FEATURE_ALWAYS (14 * 32 + 31)

#ifndef __ASSEMBLY__
#include <lib/types.h>

extern u32 x86_features[X86_FEATURE_WORDS];

static inline bool cpu_has(unsigned int feature)
{
	return x86_features[feature / 32] >> (feature % 32) & 1;
}
#endif
