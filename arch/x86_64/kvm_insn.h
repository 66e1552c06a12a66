/* SPDX-License-Identifier: MIT */
/*
 * x86 instructions as bytes, taken apart (AMD64 APM volume 3: chapter 1 and appendix A). Pure: no
 * memory but the arguments is touched, so that the host's tests and the fuzzer run the same code.
 *
 * The decoder knows every encoding of either vendor. Whether the guest's CPUID has it, and whether
 * the privilege level allows it, is for whoever executes it. Of encodings that can touch MMIO,
 * ports, control and debug registers, `op` says what is done and `operands` to what; all others are
 * KVM_OP_OTHER, with their length and address alone. Of vector encodings (VEX, EVEX, XOP) only
 * opcodes with no instruction at all are invalid: the CPU judges their reserved fields.
 */
#pragma once

#include <lib/types.h>

#define KVM_INSN_MAX 15		/* bytes; a longer instruction is #GP (APM 3, 1.1) */

/*
 * What CS and CR0 make of the default sizes. Compatibility mode decodes as the protected modes do.
 */
enum kvm_insn_mode {
	KVM_MODE_REAL,		/* 16 bits, real or virtual-8086: no VEX, EVEX, XOP */
	KVM_MODE_PROT16,
	KVM_MODE_PROT32,
	KVM_MODE_LONG64,
};

enum kvm_insn_status {
	KVM_INSN_OK,
	KVM_INSN_MORE,		/* the bytes are the beginning of an instruction */
	KVM_INSN_INVALID,	/* #UD */
	KVM_INSN_TOO_LONG,	/* #GP */
};

enum kvm_insn_encoding {
	KVM_ENC_LEGACY,
	KVM_ENC_3DNOW,		/* opcode is the suffix byte */
	KVM_ENC_VEX,
	KVM_ENC_EVEX,
	KVM_ENC_XOP,
};

/* What is done. Conditions, rotations and the like in the order of their encodings. */
enum kvm_insn_op {
	KVM_OP_OTHER,
	KVM_OP_ADD,
	KVM_OP_OR,
	KVM_OP_ADC,
	KVM_OP_SBB,
	KVM_OP_AND,
	KVM_OP_SUB,
	KVM_OP_XOR,
	KVM_OP_CMP,
	KVM_OP_ROL,
	KVM_OP_ROR,
	KVM_OP_RCL,
	KVM_OP_RCR,
	KVM_OP_SHL,
	KVM_OP_SHR,
	KVM_OP_SAR,
	KVM_OP_TEST,
	KVM_OP_NOT,
	KVM_OP_NEG,
	KVM_OP_MUL,
	KVM_OP_IMUL,
	KVM_OP_DIV,
	KVM_OP_IDIV,
	KVM_OP_IMUL_REG,	/* of two or three operands */
	KVM_OP_INC,
	KVM_OP_DEC,
	KVM_OP_SHLD,
	KVM_OP_SHRD,
	KVM_OP_BT,
	KVM_OP_BTS,
	KVM_OP_BTR,
	KVM_OP_BTC,
	KVM_OP_BSF,
	KVM_OP_BSR,
	KVM_OP_TZCNT,
	KVM_OP_LZCNT,
	KVM_OP_POPCNT,
	KVM_OP_MOV,
	KVM_OP_MOVZX,
	KVM_OP_MOVSX,
	KVM_OP_MOVBE,
	KVM_OP_LEA,
	KVM_OP_BSWAP,
	KVM_OP_XCHG,
	KVM_OP_XADD,
	KVM_OP_CMPXCHG,
	KVM_OP_CMPXCHG8B,
	KVM_OP_SETCC,
	KVM_OP_CMOVCC,
	KVM_OP_JCC,
	KVM_OP_LOOP,
	KVM_OP_JCXZ,
	KVM_OP_PUSH,
	KVM_OP_POP,
	KVM_OP_CALL,
	KVM_OP_CALL_FAR,
	KVM_OP_JMP,
	KVM_OP_JMP_FAR,
	KVM_OP_RET,
	KVM_OP_RET_FAR,
	KVM_OP_ENTER,
	KVM_OP_LEAVE,
	KVM_OP_MOVS,
	KVM_OP_CMPS,
	KVM_OP_STOS,
	KVM_OP_LODS,
	KVM_OP_SCAS,
	KVM_OP_INS,
	KVM_OP_OUTS,
	KVM_OP_XLAT,
	KVM_OP_IN,
	KVM_OP_OUT,
	KVM_OP_MOV_CR,
	KVM_OP_MOV_DR,
	KVM_OP_MOV_SEG,
	KVM_OP_LOAD_FAR,
	KVM_OP_CLTS,
	KVM_OP_LMSW,
	KVM_OP_SMSW,
	KVM_OP_INVLPG,
	KVM_OP_SGDT,
	KVM_OP_SIDT,
	KVM_OP_LGDT,
	KVM_OP_LIDT,
	KVM_OP_SLDT,
	KVM_OP_STR,
	KVM_OP_LLDT,
	KVM_OP_LTR,
	KVM_OP_VERR,
	KVM_OP_VERW,
	KVM_OP_MOVX,		/* a move of MMX or SSE, size of the memory operand */
	KVM_OP_NOP,
	KVM_OP_COUNT
};

enum kvm_operand_kind {
	KVM_OPND_NONE,
	KVM_OPND_REG,		/* a general register; `high`: AH, CH, DH, BH are 0 to 3 */
	KVM_OPND_SEG,		/* ES CS SS DS FS GS */
	KVM_OPND_CR,
	KVM_OPND_DR,
	KVM_OPND_MMX,
	KVM_OPND_XMM,
	KVM_OPND_MEM,		/* insn.mem */
	KVM_OPND_SOURCE,	/* a string's, or XLAT's, to whose address AL is added: insn.mem */
	KVM_OPND_DEST,		/* a string's: ES:rDI */
	KVM_OPND_IMM,  /* insn.imm, extended with its sign where it is shorter than the operand */
	KVM_OPND_IMM2,		/* the second immediate: ENTER's level */
	KVM_OPND_REL,		/* insn.imm: from the next instruction on */
	KVM_OPND_FAR,		/* insn.imm: the offset, insn.imm2: the selector */
	KVM_OPND_ONE,		/* the number 1 of the short shifts */
};

#define KVM_ACCESS_READ 1
#define KVM_ACCESS_WRITE 2

struct kvm_operand {
	u8 kind;		/* enum kvm_operand_kind */
	u8 reg;
	u8 size;		/* bytes */
	u8 access : 2;		/* KVM_ACCESS_* */
	u8 high : 1;
};

#define KVM_REG_NONE 0xff
#define KVM_REG_RIP 16
enum kvm_insn_segment { KVM_SEG_ES, KVM_SEG_CS, KVM_SEG_SS, KVM_SEG_DS, KVM_SEG_FS, KVM_SEG_GS };

/* Segment base + (base + index * scale + disp), cut to insn.addr_size. */
struct kvm_insn_mem {
	u8 present;
	u8 seg;	/* enum kvm_insn_segment; in 64-bit mode only FS and GS have a base */
	u8 base, index;	/* register, KVM_REG_NONE; base: KVM_REG_RIP, of the next instruction */
	u8 scale;		/* 1 2 4 8 */
	s64 disp;		/* EVEX: the byte as it stands, not yet times the operand's size */
};

struct kvm_insn {
	u8 length;
	u8 prefixes;		/* how many bytes of them, REX included */
	u8 encoding;		/* enum kvm_insn_encoding */
	u8 map, opcode;	/* map: 0 one byte, 1 0F, 2 0F38, 3 0F3A; else as VEX, EVEX, XOP say */
	u8 lock : 1, opsize : 1, addrsize : 1, has_modrm : 1, has_sib : 1, has_rex : 1;
	u8 rep;			/* 0, 0xf2, 0xf3: the last one */
	u8 seg_prefix;		/* enum kvm_insn_segment, KVM_REG_NONE */
	u8 pp;			/* 0 none, 1 66, 2 F3, 3 F2 */
	u8 w, r, x, b;		/* bits of REX, VEX, EVEX, XOP, not inverted */
	u8 vex_l, vvvv;		/* vector length (EVEX: L'L), second register, not inverted */
	u8 modrm, sib;
	u8 disp_size, imm_size, imm2_size; /* bytes in the instruction */
	u8 op;			/* enum kvm_insn_op */
	u8 op_size, addr_size; /* bytes: 2 4 8; op_size of byte operations is not 1, see operands */
	u8 nr_operands;
	struct kvm_operand operands[3];
	struct kvm_insn_mem mem;
	u64 imm, imm2;
	/* General registers that op reads or writes, bit N is register N; 0 for KVM_OP_OTHER. */
	u16 regs_read, regs_written;
};

/*
 * Takes the instruction at BYTES apart, of which COUNT can be read. OUT is filled where the answer
 * is KVM_INSN_OK, and must not be used otherwise.
 */
enum kvm_insn_status kvm_insn_decode(const u8 *bytes, u32 count, enum kvm_insn_mode mode,
				     struct kvm_insn *out);
