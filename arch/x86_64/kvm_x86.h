/* SPDX-License-Identifier: MIT */
/* Bits of a guest's registers (AMD APM vol. 2, chapter 3). */
#pragma once

#define GUEST_CR0_PE (1ULL << 0)
#define GUEST_CR0_MP (1ULL << 1)
#define GUEST_CR0_TS (1ULL << 3)
#define GUEST_CR0_ET (1ULL << 4)
#define GUEST_CR0_NW (1ULL << 29)
#define GUEST_CR0_CD (1ULL << 30)
#define GUEST_CR0_PG (1ULL << 31)
#define GUEST_CR0_KNOWN 0xe005003fULL
#define GUEST_CR4_PAE (1ULL << 5)
#define GUEST_CR4_LA57 (1ULL << 12)
#define GUEST_CR4_FSGSBASE (1ULL << 16)
#define GUEST_CR4_PCIDE (1ULL << 17)
#define GUEST_CR4_OSXSAVE (1ULL << 18)
#define GUEST_EFER_SCE 1ULL
#define GUEST_EFER_LME (1ULL << 8)
#define GUEST_EFER_LMA (1ULL << 10)
#define GUEST_EFER_NX (1ULL << 11)
#define GUEST_EFER_FFXSR (1ULL << 14)
#define GUEST_FLAG_TF (1ULL << 8)
#define GUEST_FLAG_IF (1ULL << 9)
#define GUEST_FLAG_RF (1ULL << 16)
#define GUEST_FLAG_VM (1ULL << 17)
#define DR7_WRITABLE 0xffff2bffULL
#define DR7_ONE 0x400ULL
#define GUEST_DR6_BS (1ULL << 14)
#define GUEST_DR6_FIXED 0xffff0ff0ULL
#define GUEST_RAX 0
#define GUEST_RCX 1
#define GUEST_RDX 2
#define GUEST_RBX 3
#define GUEST_RSI 6
#define GUEST_RSP 4
