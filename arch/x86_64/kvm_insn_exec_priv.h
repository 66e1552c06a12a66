/* SPDX-License-Identifier: MIT */
/* What the files that execute KVM's instructions share. */
#pragma once

#include "arch/x86_64/kvm_insn_exec.h"

#define FLAG_CF (1ull << 0)
#define FLAG_PF (1ull << 2)
#define FLAG_AF (1ull << 4)
#define FLAG_ZF (1ull << 6)
#define FLAG_SF (1ull << 7)
#define FLAG_IF (1ull << 9)
#define FLAG_DF (1ull << 10)
#define FLAG_OF (1ull << 11)
#define FLAG_IOPL (3ull << 12) /* not a page */
#define FLAG_RF (1ull << 16)
#define FLAG_VM (1ull << 17)
#define FLAGS_STATUS (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

#define VECTOR_DE 0
#define VECTOR_DB 1
#define VECTOR_UD 6
#define VECTOR_NM 7
#define VECTOR_NP 11
#define VECTOR_SS 12
#define VECTOR_GP 13

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

static inline u64 kvm_exec_mask(u32 size)
{
	return size >= 8 ? ~0ull : (1ull << (size * 8)) - 1;
}

static inline u64 kvm_exec_sign_extend(u64 v, u32 size)
{
	return size == 1 ? (u64)(s8)v : size == 2 ? (u64)(s16)v : size == 4 ? (u64)(s32)v : v;
}

/* Bits of V as a register of SIZE: 1 and 2 leave the rest, 4 clears it. */
static inline void kvm_exec_merge(u64 *reg, u64 v, u32 size)
{
	*reg = size >= 4 ? v & kvm_exec_mask(size) :
			   (*reg & ~kvm_exec_mask(size)) | (v & kvm_exec_mask(size));
}

static inline bool kvm_exec_v86(const struct kvm_exec *e)
{
	return e->mode == KVM_MODE_REAL && (e->regs.rflags & FLAG_VM);
}

static inline u32 kvm_exec_iopl(const struct kvm_exec *e)
{
	return (u32)(e->regs.rflags >> 12) & 3; /* not a page */
}

/* kvm_insn_exec.c: answers KVM_EXEC_FAULT. #GP and its like have a code, #UD and #DE have none. */
enum kvm_exec_status kvm_exec_fault(struct kvm_exec *e, u8 vector, u32 code);
u64 kvm_exec_reg_get(const struct kvm_exec *e, const struct kvm_operand *o);
void kvm_exec_reg_put(struct kvm_exec *e, const struct kvm_operand *o, u64 value);
/* The operand's value, not extended beyond its size; WILL_WRITE: put follows. */
enum kvm_exec_status kvm_exec_get(struct kvm_exec *e, u32 operand, u64 *value, bool will_write);
enum kvm_exec_status kvm_exec_put(struct kvm_exec *e, u32 operand, u64 value);
/* As kvm_exec_put, in one step with the read that gave OLD where the instruction is locked. */
enum kvm_exec_status kvm_exec_update(struct kvm_exec *e, u32 operand, u64 old, u64 value,
				     bool locked);
bool kvm_exec_condition(u64 rflags, u8 code);
/* The registers are valid from now on, RIP as it stands. */
void kvm_exec_commit(struct kvm_exec *e);

/* kvm_insn_mem.c */
/* The offset of insn.mem, cut to the address size. */
u64 kvm_exec_offset(const struct kvm_exec *e);
bool kvm_exec_canonical(const struct kvm_exec *e, u64 address);
/* Segment and offset to a linear address, with all checks of the segment. */
enum kvm_exec_status kvm_exec_linear(struct kvm_exec *e, u8 seg, u64 offset, u32 size, bool write,
				     u64 *linear);
/* At linear addresses; each read is done once while the instruction is pending. */
enum kvm_exec_status kvm_exec_read_at(struct kvm_exec *e, u64 linear, void *data, u32 size,
				      u32 how);
enum kvm_exec_status kvm_exec_read(struct kvm_exec *e, u8 seg, u64 offset, void *data, u32 size,
				   bool will_write);
enum kvm_exec_status kvm_exec_write(struct kvm_exec *e, u8 seg, u64 offset, const void *data,
				    u32 size);
enum kvm_exec_status kvm_exec_exchange(struct kvm_exec *e, u8 seg, u64 offset, const void *old,
				       const void *fresh, u32 size);
/* On e->next's stack. */
enum kvm_exec_status kvm_exec_push(struct kvm_exec *e, u64 value, u32 size);
enum kvm_exec_status kvm_exec_pop(struct kvm_exec *e, u64 *value, u32 size);
u32 kvm_exec_stack_size(const struct kvm_exec *e);

/* By theme; each answers KVM_EXEC_UNHANDLED for what is not its own. */
void kvm_exec_flags_sub(struct kvm_exec *e, u64 a, u64 b, u32 size);
u64 kvm_exec_flags_add(struct kvm_exec *e, u64 a, u64 b, u32 size);
enum kvm_exec_status kvm_exec_alu(struct kvm_exec *e);
enum kvm_exec_status kvm_exec_shift(struct kvm_exec *e);
enum kvm_exec_status kvm_exec_bits(struct kvm_exec *e);
enum kvm_exec_status kvm_exec_multiply(struct kvm_exec *e);
enum kvm_exec_status kvm_exec_move(struct kvm_exec *e);
enum kvm_exec_status kvm_exec_vector(struct kvm_exec *e);
enum kvm_exec_status kvm_exec_vex(struct kvm_exec *e);
enum kvm_exec_status kvm_exec_flow(struct kvm_exec *e);
enum kvm_exec_status kvm_exec_stack(struct kvm_exec *e);
enum kvm_exec_status kvm_exec_stack_flags(struct kvm_exec *e);
enum kvm_exec_status kvm_exec_port(struct kvm_exec *e);
enum kvm_exec_status kvm_exec_system(struct kvm_exec *e);
enum kvm_exec_status kvm_exec_other(struct kvm_exec *e);
/* Strings: sets RIP and commits itself. */
enum kvm_exec_status kvm_exec_string(struct kvm_exec *e);
/* Whether IN, OUT and their strings may use SIZE ports from PORT on: the TSS's bitmap. */
enum kvm_exec_status kvm_exec_port_allowed(struct kvm_exec *e, u16 port, u32 size);
/* Into e->next. */
enum kvm_exec_status kvm_exec_load_segment(struct kvm_exec *e, u8 seg, u16 selector);
/* A jump that changes CS, to a code segment at this CPL. */
enum kvm_exec_status kvm_exec_jump_far(struct kvm_exec *e, u16 selector, u64 target);
/* LDTR, or with TASK TR; in protected mode at CPL 0. */
enum kvm_exec_status kvm_exec_load_system(struct kvm_exec *e, bool task, u16 selector);
