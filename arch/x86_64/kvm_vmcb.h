/* SPDX-License-Identifier: MIT */
/*
 * The virtual machine control block of AMD's SVM, one page (AMD APM vol. 2, appendix B): what a
 * guest is to leave for, what it is told, why it left; and its registers but for those that
 * kvm_svm.h's struct svm_world holds. Exit codes: <asm/svm.h>.
 */
#pragma once

#include <lib/bits.h>
#include <lib/types.h>

struct vmcb_control {
	u32 intercept_cr;  /* 000: reads of CR0..15 in the low half, writes in the high one */
	u32 intercept_dr;		/* 004: the same */
	u32 intercept_exceptions;	/* 008: by vector */
	u32 intercept[3];		/* 00C: VMCB_I_* by number */
	u8 reserved018[0x3c - 0x18];
	u16 pause_threshold, pause_count;
	u64 iopm_pa, msrpm_pa;		/* 040 */
	u64 tsc_offset;
	u32 asid;			/* 058: not 0, which is the host's */
	u8 tlb_control, erap;
	u8 reserved05e[2];
	u32 int_ctl, int_vector;	/* 060 */
	u32 int_state, reserved06c;
	u64 exit_code, exit_info1, exit_info2;	/* 070 */
	u32 exit_int_info, exit_int_error; /* 088: the event that was under way, as event_inj */
	u64 nested_ctl, avic_apic_bar, ghcb_pa;	/* 090 */
	u32 event_inj, event_error;	/* 0A8 */
	u64 nested_cr3;			/* 0B0 */
	u64 virt_ext;
	u32 clean, reserved0c4;		/* 0C0 */
	u64 next_rip;
	u8 insn_len, insn[15];		/* 0D0 */
	u64 avic_backing_pa, reserved0e8, avic_logical_pa, avic_physical_pa;	/* 0E0 */
	u8 reserved100[0x400 - 0x100];
} __packed;

struct vmcb_segment {
	u16 selector, attrib;		/* bits 0..7: the descriptor's 40..47; 8..11: its 52..55 */
	u32 limit;			/* in bytes */
	u64 base;
} __packed;

struct vmcb_save {
	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;	/* 400 */
	u8 reserved4a0[0x4cb - 0x4a0];
	u8 cpl;				/* 4CB */
	u32 reserved4cc;
	u64 efer;			/* 4D0 */
	u8 reserved4d8[0x548 - 0x4d8];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;	/* 548 */
	u8 reserved580[0x5d8 - 0x580];
	u64 rsp;			/* 5D8 */
	u8 reserved5e0[0x5f8 - 0x5e0];
	u64 rax;			/* 5F8 */
	u64 star, lstar, cstar, sfmask, kernel_gs_base;	/* 600 */
	u64 sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	u8 reserved648[0x668 - 0x648];
	u64 g_pat, debugctl, br_from, br_to, excp_from, excp_to;	/* 668 */
	u8 reserved698[0x6e0 - 0x698];
	u64 spec_ctrl;			/* 6E0 */
} __packed;

struct vmcb {
	struct vmcb_control control;
	struct vmcb_save save;
	u8 reserved[0x1000 - 0x6e8];	/* not a page: the layout's size */
} __packed;

static_assert(sizeof(struct vmcb_control) == 0x400, "VMCB");
static_assert(sizeof(struct vmcb) == 0x1000, "VMCB");	/* not a page */
#define VMCB_AT(member, offset) static_assert(__builtin_offsetof(struct vmcb, member) == (offset), #member)
VMCB_AT(control.pause_threshold, 0x3c);
VMCB_AT(control.asid, 0x58);
VMCB_AT(control.int_ctl, 0x60);
VMCB_AT(control.exit_code, 0x70);
VMCB_AT(control.event_inj, 0xa8);
VMCB_AT(control.clean, 0xc0);
VMCB_AT(control.insn_len, 0xd0);
VMCB_AT(control.avic_physical_pa, 0xf8);
VMCB_AT(save.tr, 0x490);
VMCB_AT(save.cpl, 0x4cb);
VMCB_AT(save.efer, 0x4d0);
VMCB_AT(save.cr4, 0x548);
VMCB_AT(save.rip, 0x578);
VMCB_AT(save.rax, 0x5f8);
VMCB_AT(save.cr2, 0x640);
VMCB_AT(save.g_pat, 0x668);
VMCB_AT(save.spec_ctrl, 0x6e0);
#undef VMCB_AT

/* control.intercept: word times 32 plus bit. */
enum {
	VMCB_I_INTR,
	VMCB_I_NMI,
	VMCB_I_SMI,
	VMCB_I_INIT,
	VMCB_I_VINTR,
	VMCB_I_CR0_SEL,
	VMCB_I_IDTR_READ,
	VMCB_I_GDTR_READ,
	VMCB_I_LDTR_READ,
	VMCB_I_TR_READ,
	VMCB_I_IDTR_WRITE,
	VMCB_I_GDTR_WRITE,
	VMCB_I_LDTR_WRITE,
	VMCB_I_TR_WRITE,
	VMCB_I_RDTSC,
	VMCB_I_RDPMC,
	VMCB_I_PUSHF,
	VMCB_I_POPF,
	VMCB_I_CPUID,
	VMCB_I_RSM,
	VMCB_I_IRET,
	VMCB_I_INTN,
	VMCB_I_INVD,
	VMCB_I_PAUSE,
	VMCB_I_HLT,
	VMCB_I_INVLPG,
	VMCB_I_INVLPGA,
	VMCB_I_IOIO,
	VMCB_I_MSR,
	VMCB_I_TASK,
	VMCB_I_FERR,
	VMCB_I_SHUTDOWN,
	VMCB_I_VMRUN,
	VMCB_I_VMMCALL,
	VMCB_I_VMLOAD,
	VMCB_I_VMSAVE,
	VMCB_I_STGI,
	VMCB_I_CLGI,
	VMCB_I_SKINIT,
	VMCB_I_RDTSCP,
	VMCB_I_ICEBP,
	VMCB_I_WBINVD,
	VMCB_I_MONITOR,
	VMCB_I_MWAIT,
	VMCB_I_MWAIT_ARMED,
	VMCB_I_XSETBV,
	VMCB_I_RDPRU,
};

static inline void vmcb_intercept(struct vmcb *v, unsigned int what)
{
	v->control.intercept[what / 32] |= 1U << what % 32;
}

/* control.tlb_control; the last two are for CPUs with flush by ASID. */
enum { TLB_KEEP = 0, TLB_FLUSH_ALL = 1, TLB_FLUSH_GUEST = 3, TLB_FLUSH_GUEST_NON_GLOBAL = 7 };

/* control.int_ctl */
#define V_TPR_MASK 0xffU
#define V_IRQ (1U << 8)
#define V_INTR_PRIO_SHIFT 16
#define V_IGN_TPR (1U << 20)
#define V_INTR_MASKING (1U << 24)	/* the host's IF and TPR rule the host's interrupts */
/* control.int_state */
#define VMCB_SHADOW 1U
/* control.nested_ctl */
#define NESTED_PAGING 1ULL
/* control.event_inj, exit_int_info */
#define EVENT_INTERRUPT (0U << 8)
#define EVENT_NMI (2U << 8)
#define EVENT_EXCEPTION (3U << 8)
#define EVENT_SOFTWARE (4U << 8)
#define EVENT_HAS_ERROR (1U << 11)
#define EVENT_VALID (1U << 31)
/* exit_info1 of a nested page fault: a page fault's error code, and whose access it was. */
#define NPF_FINAL (1ULL << 32)		/* the guest's own, at the address in exit_info2 */
#define NPF_TABLE_WALK (1ULL << 33)	/* its page tables' */
