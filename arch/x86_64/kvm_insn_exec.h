/* SPDX-License-Identifier: MIT */
/*
 * Executes a decoded instruction for a vCPU (AMD64 APM volume 3). Pure: everything outside
 * struct kvm_exec is reached through its callbacks, so that the host's tests compare it with the
 * CPU that they run on.
 *
 * An instruction reads, computes on a copy of the registers, writes memory or calls what has an
 * effect at most once, and only then are the registers committed: whatever fails before leaves
 * nothing changed. A repeated string instruction commits each iteration; RIP stays until its last.
 *
 * What was read is kept while an instruction is pending, so that running it again does not read
 * MMIO or a port twice.
 */
#pragma once

#include "arch/x86_64/kvm_insn.h"

enum kvm_exec_status {
	KVM_EXEC_DONE,		/* committed, RIP is that of the next instruction */
	KVM_EXEC_FAULT, /* `fault` says which; nothing of this iteration is changed */
	KVM_EXEC_PENDING, /* user space has to answer first; then run it again */
	KVM_EXEC_AGAIN,	/* run it again: strings come in batches, a locked write lost a race */
	KVM_EXEC_UNHANDLED,	/* not executed here, nothing changed */
};

#define KVM_EXEC_BATCH 1024	/* iterations of a string instruction in one call */
#define KVM_EXEC_IO_MAX 1024	/* bytes of INS and OUTS in one transfer */

#define KVM_SHADOW_STI 1
#define KVM_SHADOW_MOV_SS 2

/* As the VMCB has them: type, S, DPL, P (bits 0 to 7), AVL, L, D/B, G (8 to 11). */
#define KVM_ATTR_CODE 0x08
#define KVM_ATTR_DOWN 0x04	/* data expands down, code is conforming */
#define KVM_ATTR_RW 0x02	/* data can be written, code can be read */
#define KVM_ATTR_S 0x10
#define KVM_ATTR_P 0x80
#define KVM_ATTR_L 0x200
#define KVM_ATTR_DB 0x400
#define KVM_ATTR_G 0x800

struct kvm_exec_seg {
	u16 selector;
	u16 attr;		/* KVM_ATTR_*; a null selector is not present */
	u32 limit;		/* bytes, granularity applied */
	u64 base;
};

struct kvm_exec_table {
	u64 base;
	u16 limit;
};

/* What instructions change; committed whole. */
struct kvm_exec_regs {
	u64 gpr[16];		/* in the order of the encodings */
	u64 rip;
	u64 rflags;
	struct kvm_exec_seg seg[6]; /* enum kvm_insn_segment */
	struct kvm_exec_table gdt, idt;
	u8 shadow;		/* KVM_SHADOW_*: no interrupt before the next instruction */
};

struct kvm_exec_fault {
	u8 vector;
	u8 has_code;
	u32 code;
	u64 address;		/* #PF: CR2 */
};

/* How memory is read. */
#define KVM_READ_WRITES 1	/* it is written next: #PF says so already */
#define KVM_READ_SYSTEM 2	/* a descriptor table or TSS: as CPL 0, whatever the CPL */

struct kvm_exec;

/*
 * Each answers with a status; KVM_EXEC_FAULT after filling e->fault. What is NULL is not there, and
 * instructions that need it are unhandled. They do not touch e->regs and e->next.
 */
struct kvm_exec_ops {
	/* SIZE bytes at a linear address, at most KVM_EXEC_IO_MAX. They may cross one page. */
	enum kvm_exec_status (*read)(struct kvm_exec *e, u64 linear, void *data, u32 size, u32 how);
	/*
	 * All of it or nothing. MMIO is done as soon as it is queued for user space, in two
	 * fragments at most, one a page; `leave` is true from then on.
	 */
	enum kvm_exec_status (*write)(struct kvm_exec *e, u64 linear, const void *data, u32 size);
	/* Whether a write would fault: INS asks before it takes from the port. */
	enum kvm_exec_status (*probe)(struct kvm_exec *e, u64 linear, u32 size);
	/*
	 * Atomically writes FRESH where OLD still stands, else answers KVM_EXEC_AGAIN. SIZE: 1, 2,
	 * 4, 8, 16. HOW: 0 or KVM_READ_SYSTEM. MMIO has no other writers, and is as `write`.
	 */
	enum kvm_exec_status (*exchange)(struct kvm_exec *e, u64 linear, const void *old,
					 const void *fresh, u32 size, u32 how);
	/* COUNT values of SIZE bytes from or to a port. */
	enum kvm_exec_status (*in)(struct kvm_exec *e, u16 port, u32 size, u32 count, void *data);
	/* Done as soon as it is queued, as `write`. */
	enum kvm_exec_status (*out)(struct kvm_exec *e, u16 port, u32 size, u32 count,
				    const void *data);
	/* Whether to stop between two iterations: an interrupt, a signal, something queued. */
	bool (*leave)(struct kvm_exec *e);
	/* The value's checks, and their #GP, are the callbacks'; the privilege is checked here. */
	enum kvm_exec_status (*get_cr)(struct kvm_exec *e, u8 n, u64 *value);
	enum kvm_exec_status (*set_cr)(struct kvm_exec *e, u8 n, u64 value);
	enum kvm_exec_status (*get_dr)(struct kvm_exec *e, u8 n, u64 *value);
	enum kvm_exec_status (*set_dr)(struct kvm_exec *e, u8 n, u64 value);
	enum kvm_exec_status (*get_msr)(struct kvm_exec *e, u32 index, u64 *value);
	enum kvm_exec_status (*set_msr)(struct kvm_exec *e, u32 index, u64 value);
	enum kvm_exec_status (*get_pmc)(struct kvm_exec *e, u32 index, u64 *value);
	enum kvm_exec_status (*get_tsc)(struct kvm_exec *e, u64 *value);
	/* OUT: EAX, EBX, ECX, EDX. */
	enum kvm_exec_status (*cpuid)(struct kvm_exec *e, u32 leaf, u32 index, u32 *out);
	/* LDTR, or with TASK TR, of a descriptor that was checked; it cannot fail. */
	enum kvm_exec_status (*set_system)(struct kvm_exec *e, bool task,
					   const struct kvm_exec_seg *seg);
	enum kvm_exec_status (*invlpg)(struct kvm_exec *e, u64 linear);
	enum kvm_exec_status (*hlt)(struct kvm_exec *e);
	/* Caches written back or not: INVD, WBINVD. */
	enum kvm_exec_status (*flush)(struct kvm_exec *e, bool write_back);
	/*
	 * The low SIZE bytes (16, 32) of a vector register. Writing 32 is of VEX, as is writing 16
	 * with CLEAR, which clears what is above. #UD where the guest has it not enabled.
	 */
	enum kvm_exec_status (*get_vec)(struct kvm_exec *e, u8 n, void *data, u32 size);
	enum kvm_exec_status (*set_vec)(struct kvm_exec *e, u8 n, const void *data, u32 size,
					bool clear);
	enum kvm_exec_status (*get_mmx)(struct kvm_exec *e, u8 n, u64 *value);
	enum kvm_exec_status (*set_mmx)(struct kvm_exec *e, u8 n, u64 value);
};

struct kvm_exec_kept {
	u64 linear;
	u8 size;
	bool fresh;		/* not yet used again by this run */
	u8 data[32];
};

/*
 * One a vCPU; its thread's alone. The caller fills the first part before each call and clears
 * `pending` when it drops an instruction that was pending.
 */
struct kvm_exec {
	const struct kvm_exec_ops *ops;
	void *context;		/* the callbacks' */
	struct kvm_insn insn;
	enum kvm_insn_mode mode;
	struct kvm_exec_regs regs;
	u64 cr0, cr4;
	u8 cpl;			/* 3 in virtual-8086 mode */
	struct kvm_exec_seg ldtr, tr;

	bool pending;
	struct kvm_exec_fault fault; /* valid after KVM_EXEC_FAULT */

	/* private: the copy that becomes `regs`, and what was read while pending */
	struct kvm_exec_regs next;
	u8 nr_kept;
	u16 io_len;
	struct kvm_exec_kept kept[6];
	u8 io[KVM_EXEC_IO_MAX];
};

/* Executes e->insn, of a successful decoding, at e->regs.rip. */
enum kvm_exec_status kvm_insn_exec(struct kvm_exec *e);
