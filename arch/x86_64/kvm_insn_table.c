// SPDX-License-Identifier: MIT
/*
 * What each opcode is: APM 3, appendix A.1, table by table. Rows that are zero are no instruction.
 * Encodings of Intel alone have their place in the same maps; VIA's and Knights Corner's are left
 * out.
 */
#include "arch/x86_64/kvm_insn_table.h"

#define F(name, a, b, c, x, y, z)                                                                  \
	[FORM_##name] = { { C_##a, C_##b, C_##c }, (x) | (y) << 2 | (z) << 4 },
const struct kvm_form kvm_insn_forms[FORM_COUNT] = { KVM_FORMS(F) };
#undef F

#define R(op, form, flags) { KVM_OP_##op, FORM_##form, 0xff, flags }
#define RP(op, form, pp, flags) { KVM_OP_##op, FORM_##form, pp, flags }
#define OTHER(form, pp) { KVM_OP_OTHER, FORM_##form, pp, 0 }
#define BY_REG(group) { KVM_OP_OTHER, GROUP_##group, 0xff, ROW_BY_REG }
#define BY_PP(group) { KVM_OP_OTHER, GROUP_##group, 0xff, ROW_BY_PP }
#define MEM 0x0f

enum {
	GROUP_1B,
	GROUP_1V,
	GROUP_1S,
	GROUP_POP,
	GROUP_2B,
	GROUP_2V,
	GROUP_2B1,
	GROUP_2V1,
	GROUP_2BC,
	GROUP_2VC,
	GROUP_11B,
	GROUP_11V,
	GROUP_3B,
	GROUP_3V,
	GROUP_4,
	GROUP_5,
	GROUP_SLDT,
	GROUP_SGDT,
	GROUP_71,
	GROUP_72,
	GROUP_73,
	GROUP_AE,
	GROUP_BT,
	GROUP_C7,
	GROUP_AESW,
	GROUP_HRESET,
	GROUP_MOVU_LD,
	GROUP_MOVU_ST,
	GROUP_MOVL_LD,
	GROUP_MOVH_LD,
	GROUP_MOVNT,
	GROUP_MOVQ_LD,
	GROUP_MOVQ_ST,
	GROUP_MOVD_LD,
	GROUP_MOVD_ST,
	GROUP_MOVNTQ,
	GROUP_D6,
	GROUP_78,
	GROUP_B8,
	GROUP_BC,
	GROUP_BD,
	GROUP_F0,
	GROUP_F1,
};

#define ALU(base, op, m, lock)                                                                     \
	[base] = R(op, Eb_Gb_##m, lock), [base + 1] = R(op, Ev_Gv_##m, lock),                      \
	[base + 2] = R(op, Gb_Eb_##m, 0), [base + 3] = R(op, Gv_Ev_##m, 0),                        \
	[base + 4] = R(op, AL_Ib_##m, 0), [base + 5] = R(op, Av_Iz_##m, 0)

const struct kvm_row kvm_insn_movsxd = R(MOVSX, Gv_Ed_w, 0);

const struct kvm_row kvm_insn_rows[4][256] = {
	[0] = {
		ALU(0x00, ADD, m, ROW_LOCK),
		[0x06] = R(PUSH, ES_r, ROW_NO64),
		[0x07] = R(POP, ES_w, ROW_NO64),
		ALU(0x08, OR, m, ROW_LOCK),
		[0x0e] = R(PUSH, CS_r, ROW_NO64),
		ALU(0x10, ADC, m, ROW_LOCK),
		[0x16] = R(PUSH, SS_r, ROW_NO64),
		[0x17] = R(POP, SS_w, ROW_NO64),
		ALU(0x18, SBB, m, ROW_LOCK),
		[0x1e] = R(PUSH, DS_r, ROW_NO64),
		[0x1f] = R(POP, DS_w, ROW_NO64),
		ALU(0x20, AND, m, ROW_LOCK),
		[0x27] = R(OTHER, NONE, ROW_NO64),
		ALU(0x28, SUB, m, ROW_LOCK),
		[0x2f] = R(OTHER, NONE, ROW_NO64),
		ALU(0x30, XOR, m, ROW_LOCK),
		[0x37] = R(OTHER, NONE, ROW_NO64),
		ALU(0x38, CMP, r, 0),
		[0x3f] = R(OTHER, NONE, ROW_NO64),
		[0x40 ... 0x47] = R(INC, Zv_m, ROW_NO64),
		[0x48 ... 0x4f] = R(DEC, Zv_m, ROW_NO64),
		[0x50 ... 0x57] = R(PUSH, Zv_r, ROW_D64),
		[0x58 ... 0x5f] = R(POP, Zv_w, ROW_D64),
		[0x60 ... 0x61] = R(OTHER, NONE, ROW_NO64), /* PUSHA, POPA */
		[0x62] = RP(OTHER, E, MEM, ROW_NO64),	    /* BOUND */
		[0x63] = R(OTHER, E, ROW_EXCEPT),	    /* ARPL */
		[0x68] = R(PUSH, Iz, ROW_D64),
		[0x69] = R(IMUL_REG, Gv_Ev_Iz, 0),
		[0x6a] = R(PUSH, Is, ROW_D64),
		[0x6b] = R(IMUL_REG, Gv_Ev_Is, 0),
		[0x6c] = R(INS, Yb_DX_w, 0),
		[0x6d] = R(INS, Yz_DX_w, 0),
		[0x6e] = R(OUTS, DX_Xb_r, 0),
		[0x6f] = R(OUTS, DX_Xz_r, 0),
		[0x70 ... 0x7f] = R(JCC, Jb, ROW_D64),
		[0x80] = BY_REG(1B),
		[0x81] = BY_REG(1V),
		[0x82] = { KVM_OP_OTHER, GROUP_1B, 0xff, ROW_BY_REG | ROW_NO64 },
		[0x83] = BY_REG(1S),
		[0x84] = R(TEST, Eb_Gb_r, 0),
		[0x85] = R(TEST, Ev_Gv_r, 0),
		[0x86] = R(XCHG, Eb_Gb_x, ROW_LOCK),
		[0x87] = R(XCHG, Ev_Gv_x, ROW_LOCK),
		[0x88] = R(MOV, Eb_Gb_w, 0),
		[0x89] = R(MOV, Ev_Gv_w, 0),
		[0x8a] = R(MOV, Gb_Eb_w, 0),
		[0x8b] = R(MOV, Gv_Ev_w, 0),
		[0x8c] = R(MOV_SEG, Emw_Sw_w, ROW_SPECIAL),
		[0x8d] = RP(LEA, Gv_M_w, MEM, 0),
		[0x8e] = R(MOV_SEG, Sw_Ew_w, ROW_SPECIAL),
		[0x8f] = BY_REG(POP),
		[0x90 ... 0x97] = R(XCHG, Zv_Av_x, ROW_SPECIAL),
		[0x98 ... 0x99] = R(OTHER, NONE, 0),
		[0x9a] = R(CALL_FAR, Ap, ROW_NO64),
		[0x9b] = R(OTHER, NONE, 0),
		[0x9c ... 0x9d] = R(OTHER, NONE, ROW_D64),
		[0x9e ... 0x9f] = R(OTHER, NONE, 0),
		[0xa0] = R(MOV, AL_Ob_w, 0),
		[0xa1] = R(MOV, Av_Ov_w, 0),
		[0xa2] = R(MOV, Ob_AL_w, 0),
		[0xa3] = R(MOV, Ov_Av_w, 0),
		[0xa4] = R(MOVS, Yb_Xb_w, 0),
		[0xa5] = R(MOVS, Yv_Xv_w, 0),
		[0xa6] = R(CMPS, Xb_Yb_r, 0),
		[0xa7] = R(CMPS, Xv_Yv_r, 0),
		[0xa8] = R(TEST, AL_Ib_r, 0),
		[0xa9] = R(TEST, Av_Iz_r, 0),
		[0xaa] = R(STOS, Yb_AL_w, 0),
		[0xab] = R(STOS, Yv_Av_w, 0),
		[0xac] = R(LODS, AL_Xb_w, 0),
		[0xad] = R(LODS, Av_Xv_w, 0),
		[0xae] = R(SCAS, AL_Yb_r, 0),
		[0xaf] = R(SCAS, Av_Yv_r, 0),
		[0xb0 ... 0xb7] = R(MOV, Zb_Ib_w, 0),
		[0xb8 ... 0xbf] = R(MOV, Zv_Iv_w, 0),
		[0xc0] = BY_REG(2B),
		[0xc1] = BY_REG(2V),
		[0xc2] = R(RET, Iw, ROW_D64),
		[0xc3] = R(RET, NONE, ROW_D64),
		[0xc4] = RP(LOAD_FAR, Gz_Mp_w, MEM, ROW_NO64), /* LES */
		[0xc5] = RP(LOAD_FAR, Gz_Mp_w, MEM, ROW_NO64), /* LDS */
		[0xc6] = BY_REG(11B),
		[0xc7] = BY_REG(11V),
		[0xc8] = R(ENTER, Iw_Ib, ROW_D64),
		[0xc9] = R(LEAVE, NONE, ROW_D64),
		[0xca] = R(RET_FAR, Iw, 0),
		[0xcb] = R(RET_FAR, NONE, 0),
		[0xcc] = R(OTHER, NONE, 0),
		[0xcd] = R(OTHER, Ib, 0),
		[0xce] = R(OTHER, NONE, ROW_NO64),
		[0xcf] = R(OTHER, NONE, 0),
		[0xd0] = BY_REG(2B1),
		[0xd1] = BY_REG(2V1),
		[0xd2] = BY_REG(2BC),
		[0xd3] = BY_REG(2VC),
		[0xd4 ... 0xd5] = R(OTHER, Ib, ROW_NO64),
		[0xd6] = R(OTHER, NONE, ROW_NO64),
		[0xd7] = R(XLAT, XLAT, 0),
		[0xd8 ... 0xdf] = R(OTHER, E, ROW_SPECIAL),
		[0xe0 ... 0xe2] = R(LOOP, Jb, ROW_D64),
		[0xe3] = R(JCXZ, Jb, ROW_D64),
		[0xe4] = R(IN, AL_Ib_w, 0),
		[0xe5] = R(IN, Az_Ib_w, 0),
		[0xe6] = R(OUT, Ib_AL_r, 0),
		[0xe7] = R(OUT, Ib_Az_r, 0),
		[0xe8] = R(CALL, Jz, ROW_D64),
		[0xe9] = R(JMP, Jz, ROW_D64),
		[0xea] = R(JMP_FAR, Ap, ROW_NO64),
		[0xeb] = R(JMP, Jb, ROW_D64),
		[0xec] = R(IN, AL_DX_w, 0),
		[0xed] = R(IN, Az_DX_w, 0),
		[0xee] = R(OUT, DX_AL_r, 0),
		[0xef] = R(OUT, DX_Az_r, 0),
		[0xf1] = R(OTHER, NONE, 0),
		[0xf4 ... 0xf5] = R(OTHER, NONE, 0),
		[0xf6] = BY_REG(3B),
		[0xf7] = BY_REG(3V),
		[0xf8 ... 0xfd] = R(OTHER, NONE, 0),
		[0xfe] = BY_REG(4),
		[0xff] = BY_REG(5),
	},
	[1] = {
		[0x00] = BY_REG(SLDT),
		[0x01] = BY_REG(SGDT),
		[0x02 ... 0x03] = R(OTHER, E, ROW_EXCEPT), /* LAR, LSL */
		[0x05] = R(OTHER, NONE, 0),
		[0x06] = R(CLTS, NONE, 0),
		[0x07] = R(OTHER, NONE, ROW_EXCEPT),
		[0x08 ... 0x09] = R(OTHER, NONE, 0),
		[0x0b] = R(OTHER, NONE, 0),
		[0x0d] = OTHER(E, 0xff),
		[0x0e] = OTHER(NONE, 0xff),
		[0x10] = BY_PP(MOVU_LD),
		[0x11] = BY_PP(MOVU_ST),
		[0x12] = BY_PP(MOVL_LD),
		[0x13] = RP(MOVX, Mq_V_w, 0x03, 0),
		[0x14 ... 0x15] = OTHER(E, 0x33),
		[0x16] = BY_PP(MOVH_LD),
		[0x17] = RP(MOVX, Mq_V_w, 0x03, 0),
		[0x18 ... 0x1f] = OTHER(E, 0xff),
		[0x20] = R(MOV_CR, Es_Cs_w, ROW_F64 | ROW_SPECIAL | ROW_LOCK),
		[0x21] = R(MOV_DR, Es_Ds_w, ROW_F64 | ROW_SPECIAL),
		[0x22] = R(MOV_CR, Cs_Es_w, ROW_F64 | ROW_SPECIAL | ROW_LOCK),
		[0x23] = R(MOV_DR, Ds_Es_w, ROW_F64 | ROW_SPECIAL),
		[0x28] = RP(MOVX, V_Wx_w, 0x33, 0),
		[0x29] = RP(MOVX, Wx_V_w, 0x33, 0),
		[0x2a] = OTHER(E, 0xff),
		[0x2b] = BY_PP(MOVNT),
		[0x2c ... 0x2d] = OTHER(E, 0xff),
		[0x2e ... 0x2f] = OTHER(E, 0x33),
		[0x30 ... 0x33] = OTHER(NONE, 0xff),
		[0x34 ... 0x35] = R(OTHER, NONE, ROW_EXCEPT),	  /* SYSENTER, SYSEXIT */
		[0x37] = RP(OTHER, NONE, 0x11, ROW_EXCEPT),	  /* GETSEC */
		[0x40 ... 0x4f] = R(CMOVCC, Gv_Ev_w, 0),
		[0x50] = OTHER(E, 0x30),
		[0x51] = OTHER(E, 0xff),
		[0x52 ... 0x53] = OTHER(E, 0x55),
		[0x54 ... 0x57] = OTHER(E, 0x33),
		[0x58 ... 0x5a] = OTHER(E, 0xff),
		[0x5b] = OTHER(E, 0x77),
		[0x5c ... 0x5f] = OTHER(E, 0xff),
		[0x60 ... 0x6b] = OTHER(E, 0x33),
		[0x6c ... 0x6d] = OTHER(E, 0x22),
		[0x6e] = BY_PP(MOVD_LD),
		[0x6f] = BY_PP(MOVQ_LD),
		[0x70] = OTHER(E_Ib, 0xff),
		[0x71] = BY_REG(71),
		[0x72] = BY_REG(72),
		[0x73] = BY_REG(73),
		[0x74 ... 0x76] = OTHER(E, 0x33),
		[0x77] = OTHER(NONE, 0x11),
		[0x78] = BY_PP(78),
		[0x79] = RP(OTHER, E, 0xb1, ROW_EXCEPT), /* VMWRITE, EXTRQ, INSERTQ */
		[0x7c ... 0x7d] = OTHER(E, 0xaa),
		[0x7e] = BY_PP(MOVD_ST),
		[0x7f] = BY_PP(MOVQ_ST),
		[0x80 ... 0x8f] = R(JCC, Jz, ROW_D64),
		[0x90 ... 0x9f] = R(SETCC, Eb_w, 0),
		[0xa0] = R(PUSH, FS_r, ROW_D64),
		[0xa1] = R(POP, FS_w, ROW_D64),
		[0xa2] = OTHER(NONE, 0xff),
		[0xa3] = R(BT, Ev_Gv_r, 0),
		[0xa4] = R(SHLD, Ev_Gv_Ib, 0),
		[0xa5] = R(SHLD, Ev_Gv_CL, 0),
		[0xa8] = R(PUSH, GS_r, ROW_D64),
		[0xa9] = R(POP, GS_w, ROW_D64),
		[0xaa] = OTHER(NONE, 0xff),
		[0xab] = R(BTS, Ev_Gv_m, ROW_LOCK),
		[0xac] = R(SHRD, Ev_Gv_Ib, 0),
		[0xad] = R(SHRD, Ev_Gv_CL, 0),
		[0xae] = BY_REG(AE),
		[0xaf] = R(IMUL_REG, Gv_Ev_m, 0),
		[0xb0] = R(CMPXCHG, Eb_Gb_m, ROW_LOCK),
		[0xb1] = R(CMPXCHG, Ev_Gv_m, ROW_LOCK),
		[0xb2] = RP(LOAD_FAR, Gz_Mp_w, MEM, 0), /* LSS */
		[0xb3] = R(BTR, Ev_Gv_m, ROW_LOCK),
		[0xb4 ... 0xb5] = RP(LOAD_FAR, Gz_Mp_w, MEM, 0), /* LFS, LGS */
		[0xb6] = R(MOVZX, Gv_Eb_w, 0),
		[0xb7] = R(MOVZX, Gv_Ew_w, 0),
		[0xb8] = BY_PP(B8),
		[0xb9] = OTHER(E, 0xff),
		[0xba] = BY_REG(BT),
		[0xbb] = R(BTC, Ev_Gv_m, ROW_LOCK),
		[0xbc] = BY_PP(BC),
		[0xbd] = BY_PP(BD),
		[0xbe] = R(MOVSX, Gv_Eb_w, 0),
		[0xbf] = R(MOVSX, Gv_Ew_w, 0),
		[0xc0] = R(XADD, Eb_Gb_x, ROW_LOCK),
		[0xc1] = R(XADD, Ev_Gv_x, ROW_LOCK),
		[0xc2] = OTHER(E_Ib, 0xff),
		[0xc3] = RP(MOV, Ey_Gy_w, 0x01, 0), /* MOVNTI */
		[0xc4] = OTHER(E_Ib, 0x33),
		[0xc5] = OTHER(E_Ib, 0x30),
		[0xc6] = OTHER(E_Ib, 0x33),
		[0xc7] = BY_REG(C7),
		[0xc8 ... 0xcf] = R(BSWAP, Zv_m, 0),
		[0xd0] = OTHER(E, 0xaa),
		[0xd1 ... 0xd5] = OTHER(E, 0x33),
		[0xd6] = BY_PP(D6),
		[0xd7] = OTHER(E, 0x30),
		[0xd8 ... 0xe5] = OTHER(E, 0x33),
		[0xe6] = OTHER(E, 0xee),
		[0xe7] = BY_PP(MOVNTQ),
		[0xe8 ... 0xef] = OTHER(E, 0x33),
		[0xf0] = RP(MOVX, V_Mx_w, 0x08, 0), /* LDDQU */
		[0xf1 ... 0xf6] = OTHER(E, 0x33),
		[0xf7] = OTHER(E, 0x30),
		[0xf8 ... 0xfe] = OTHER(E, 0x33),
		[0xff] = OTHER(E, 0xff),
	},
	[2] = {
		[0x00 ... 0x0b] = OTHER(E, 0x33),
		[0x10] = OTHER(E, 0x22),
		[0x14 ... 0x15] = OTHER(E, 0x22),
		[0x17] = OTHER(E, 0x22),
		[0x1c ... 0x1e] = OTHER(E, 0x33),
		[0x20 ... 0x25] = OTHER(E, 0x22),
		[0x28 ... 0x29] = OTHER(E, 0x22),
		[0x2a] = RP(MOVX, V_Mx_w, 0x02, 0), /* MOVNTDQA */
		[0x2b] = OTHER(E, 0x22),
		[0x30 ... 0x35] = OTHER(E, 0x22),
		[0x37 ... 0x41] = OTHER(E, 0x22),
		[0x80 ... 0x81] = RP(OTHER, E, 0x02, ROW_EXCEPT),
		[0x82] = OTHER(E, 0x02),
		[0xc8 ... 0xcd] = OTHER(E, 0x11),
		[0xcf] = OTHER(E, 0x22),
		[0xd8] = BY_REG(AESW),
		[0xdb] = OTHER(E, 0x22),
		[0xdc] = OTHER(E, 0x66),
		[0xdd ... 0xdf] = OTHER(E, 0x26),
		[0xf0] = BY_PP(F0),
		[0xf1] = BY_PP(F1),
		[0xf5] = RP(OTHER, E, 0x02, ROW_EXCEPT),
		[0xf6] = RP(OTHER, E, 0x67, ROW_EXCEPT),
		[0xf8] = OTHER(E, 0x0e),
		[0xf9] = RP(MOV, Ey_Gy_w, 0x01, 0), /* MOVDIRI */
		[0xfa ... 0xfb] = OTHER(E, 0x40),
		[0xfc] = OTHER(E, 0x0f),
	},
	[3] = {
		[0x08 ... 0x0e] = OTHER(E_Ib, 0x22),
		[0x0f] = OTHER(E_Ib, 0x33),
		[0x14 ... 0x17] = OTHER(E_Ib, 0x22),
		[0x20 ... 0x22] = OTHER(E_Ib, 0x22),
		[0x40 ... 0x42] = OTHER(E_Ib, 0x22),
		[0x44] = OTHER(E_Ib, 0x22),
		[0x60 ... 0x63] = OTHER(E_Ib, 0x22),
		[0xcc] = OTHER(E_Ib, 0x11),
		[0xce ... 0xcf] = OTHER(E_Ib, 0x22),
		[0xdf] = OTHER(E_Ib, 0x22),
		[0xf0] = BY_REG(HRESET),
	},
};

#define GROUP1(form)                                                                               \
	{ R(ADD, form##_m, ROW_LOCK), R(OR, form##_m, ROW_LOCK), R(ADC, form##_m, ROW_LOCK),       \
	  R(SBB, form##_m, ROW_LOCK), R(AND, form##_m, ROW_LOCK), R(SUB, form##_m, ROW_LOCK),      \
	  R(XOR, form##_m, ROW_LOCK), R(CMP, form##_r, 0) }
#define GROUP2(form)                                                                               \
	{ R(ROL, form, 0), R(ROR, form, 0), R(RCL, form, 0), R(RCR, form, 0),                      \
	  R(SHL, form, 0), R(SHR, form, 0), R(SHL, form, 0), R(SAR, form, 0) }
#define GROUP3(e, i)                                                                               \
	{ R(TEST, e##_##i##_r, 0), R(TEST, e##_##i##_r, 0), R(NOT, e##_m, ROW_LOCK),               \
	  R(NEG, e##_m, ROW_LOCK), R(MUL, e##_r, 0), R(IMUL, e##_r, 0), R(DIV, e##_r, 0),          \
	  R(IDIV, e##_r, 0) }

const struct kvm_row kvm_insn_groups[][8] = {
	[GROUP_1B] = GROUP1(Eb_Ib),
	[GROUP_1V] = GROUP1(Ev_Iz),
	[GROUP_1S] = GROUP1(Ev_Is),
	[GROUP_POP] = { R(POP, Ev_w, ROW_D64) },
	[GROUP_2B] = GROUP2(Eb_Ib_m),
	[GROUP_2V] = GROUP2(Ev_Ib_m),
	[GROUP_2B1] = GROUP2(Eb_1_m),
	[GROUP_2V1] = GROUP2(Ev_1_m),
	[GROUP_2BC] = GROUP2(Eb_CL_m),
	[GROUP_2VC] = GROUP2(Ev_CL_m),
	[GROUP_11B] = { R(MOV, Eb_Ib_w, 0), [7] = RP(OTHER, E_Ib, 0xf0, ROW_SPECIAL) },
	[GROUP_11V] = { R(MOV, Ev_Iz_w, 0), [7] = RP(OTHER, E_Jz, 0xf0, ROW_SPECIAL) },
	[GROUP_3B] = GROUP3(Eb, Ib),
	[GROUP_3V] = GROUP3(Ev, Iz),
	[GROUP_4] = { R(INC, Eb_m, ROW_LOCK), R(DEC, Eb_m, ROW_LOCK) },
	[GROUP_5] = { R(INC, Ev_m, ROW_LOCK), R(DEC, Ev_m, ROW_LOCK), R(CALL, Ev_r, ROW_D64),
		      RP(CALL_FAR, Mp_r, MEM, 0), R(JMP, Ev_r, ROW_D64), RP(JMP_FAR, Mp_r, MEM, 0),
		      R(PUSH, Ev_r, ROW_D64) },
	[GROUP_SLDT] = { R(SLDT, Emw_w, ROW_EXCEPT), R(STR, Emw_w, ROW_EXCEPT),
			 R(LLDT, Ew_r, ROW_EXCEPT), R(LTR, Ew_r, ROW_EXCEPT),
			 R(VERR, Ew_r, ROW_EXCEPT), R(VERW, Ew_r, ROW_EXCEPT) },
	[GROUP_SGDT] = { R(SGDT, Ms_w, ROW_SPECIAL), R(SIDT, Ms_w, ROW_SPECIAL),
			 R(LGDT, Ms_r, ROW_SPECIAL), R(LIDT, Ms_r, ROW_SPECIAL), R(SMSW, Emw_w, 0),
			 RP(OTHER, E, 0xf4, ROW_SPECIAL | ROW_EXCEPT), R(LMSW, Ew_r, 0),
			 R(INVLPG, M_n, ROW_SPECIAL) },
	[GROUP_71] = { [2] = OTHER(E_Ib, 0x30), [4] = OTHER(E_Ib, 0x30), [6] = OTHER(E_Ib, 0x30) },
	[GROUP_72] = { [2] = OTHER(E_Ib, 0x30), [4] = OTHER(E_Ib, 0x30), [6] = OTHER(E_Ib, 0x30) },
	[GROUP_73] = { [2] = OTHER(E_Ib, 0x30),
		       OTHER(E_Ib, 0x20),
		       [6] = OTHER(E_Ib, 0x30),
		       OTHER(E_Ib, 0x20) },
	[GROUP_AE] = { [0 ... 3] = RP(OTHER, E, 0x41, ROW_EXCEPT),
		       [4] = OTHER(E, 0x45),
		       [5] = RP(OTHER, E, 0x51, ROW_EXCEPT),
		       [6] = RP(OTHER, E, 0xf7, ROW_EXCEPT),
		       [7] = OTHER(E, 0x33) },
	[GROUP_BT] = { [4] = R(BT, Ev_Ib_r, 0),
		       R(BTS, Ev_Ib_m, ROW_LOCK),
		       R(BTR, Ev_Ib_m, ROW_LOCK),
		       R(BTC, Ev_Ib_m, ROW_LOCK) },
	[GROUP_C7] = { [1] = RP(CMPXCHG8B, M2y_m, MEM, ROW_LOCK),
		       [3 ... 5] = OTHER(E, 0x01),
		       [6] = RP(OTHER, E, 0x77, ROW_EXCEPT),
		       [7] = RP(OTHER, E, 0x71, ROW_EXCEPT) },
	[GROUP_AESW] = { [0 ... 3] = OTHER(E, 0x04) },
	[GROUP_HRESET] = { RP(OTHER, E_Ib, 0x40, ROW_SPECIAL) },
	/* By prefix: none, 66, F3, F2. */
	[GROUP_MOVU_LD] = { R(MOVX, V_Wx_w, 0), R(MOVX, V_Wx_w, 0), R(MOVX, V_Wd_w, 0),
			    R(MOVX, V_Wq_w, 0) },
	[GROUP_MOVU_ST] = { R(MOVX, Wx_V_w, 0), R(MOVX, Wx_V_w, 0), R(MOVX, Wd_V_w, 0),
			    R(MOVX, Wq_V_w, 0) },
	/* MOVLPS, MOVLPD; MOVHLPS, MOVSLDUP, MOVDDUP are more than moves. */
	[GROUP_MOVL_LD] = { RP(MOVX, V_Mq_m, 0x11, ROW_SPECIAL), RP(MOVX, V_Mq_m, 0x02, 0),
			    OTHER(E, 0x44), OTHER(E, 0x88) },
	[GROUP_MOVH_LD] = { RP(MOVX, V_Mq_m, 0x11, ROW_SPECIAL), RP(MOVX, V_Mq_m, 0x02, 0),
			    OTHER(E, 0x44) },
	[GROUP_MOVNT] = { RP(MOVX, Mx_V_w, MEM, 0), RP(MOVX, Mx_V_w, MEM, 0),
			  RP(MOVX, Md_V_w, MEM, 0), RP(MOVX, Mq_V_w, MEM, 0) },
	[GROUP_MOVQ_LD] = { R(MOVX, P_Qq_w, 0), R(MOVX, V_Wx_w, 0), R(MOVX, V_Wx_w, 0) },
	[GROUP_MOVQ_ST] = { R(MOVX, Qq_P_w, 0), R(MOVX, Wx_V_w, 0), R(MOVX, Wx_V_w, 0) },
	[GROUP_MOVD_LD] = { R(MOVX, P_Ey_w, 0), R(MOVX, V_Ey_w, 0) },
	[GROUP_MOVD_ST] = { R(MOVX, Ey_P_w, 0), R(MOVX, Ey_V_w, 0), R(MOVX, V_Wq_w, 0) },
	[GROUP_MOVNTQ] = { RP(MOVX, Qq_P_w, MEM, 0), RP(MOVX, Mx_V_w, MEM, 0) },
	[GROUP_D6] = { [1] = R(MOVX, Wq_V_w, 0), OTHER(E, 0x40), OTHER(E, 0x80) },
	/* VMREAD, EXTRQ, INSERTQ */
	[GROUP_78] = { R(OTHER, E, ROW_EXCEPT),
		       RP(OTHER, E_Ib_Ib, 0x20, ROW_EXCEPT), [3] = OTHER(E_Ib_Ib, 0x80) },
	[GROUP_B8] = { [2] = R(POPCNT, Gv_Ev_w, 0) },
	[GROUP_BC] = { R(BSF, Gv_Ev_w, 0), R(BSF, Gv_Ev_w, 0), R(TZCNT, Gv_Ev_w, 0),
		       R(BSF, Gv_Ev_w, 0) },
	[GROUP_BD] = { R(BSR, Gv_Ev_w, 0), R(BSR, Gv_Ev_w, 0), R(LZCNT, Gv_Ev_w, 0),
		       R(BSR, Gv_Ev_w, 0) },
	/* CRC32 takes 66 for its operand's size. */
	[GROUP_F0] = { RP(MOVBE, Gv_Ev_w, MEM, 0),
		       RP(MOVBE, Gv_Ev_w, MEM, 0), [3] = OTHER(E, 0x88) },
	[GROUP_F1] = { RP(MOVBE, Ev_Gv_w, MEM, 0),
		       RP(MOVBE, Ev_Gv_w, MEM, 0), [3] = OTHER(E, 0x88) },
};

u8 kvm_insn_pp_without(u8 map, u8 opcode, u8 reg, enum kvm_insn_mode mode)
{
	bool real = mode == KVM_MODE_REAL, not64 = mode != KVM_MODE_LONG64;

	switch (map << 8 | opcode) {
	case 0x101:	/* RSTORSSP */
		return real ? 0x04 : 0;
	case 0x178:	/* VMREAD; EXTRQ's reg field is 0 */
		return (real ? 0x11 : 0) | (reg ? 0x20 : 0);
	case 0x179:	/* VMWRITE */
	case 0x2f6:	/* WRSS */
		return real ? (opcode == 0x79 ? 0x11 : 0x01) : 0;
	case 0x1ae:	/* RDFSBASE and its like; INCSSP, CLRSSBSY */
		return (not64 && reg < 4 ? 0x40 : 0) | (real && reg == 5 ? 0x40 : 0) |
		       (real && reg == 6 ? 0x04 : 0);
	case 0x1c7:	/* SENDUIPI; VMPTRLD, VMCLEAR, VMXON, VMPTRST */
		return (not64 && reg == 6 ? 0x40 : 0) | (real && reg == 6 ? 0x07 : 0) |
		       (real && reg == 7 ? 0x01 : 0);
	default:	/* nothing of it in real and virtual-8086 mode */
		return real ? 0xff : 0;
	}
}

bool kvm_insn_0f01(u8 modrm, u8 pp, enum kvm_insn_mode mode)
{
	/* A word is a reg field, a nibble of it an rm field: by prefix, as in a row. */
	static const u32 real[8] = { 0x01100010, 0x00021111, 0x01110011, 0x000000f0,
				     0,		 0x11000089, 0,		 0x91ff15f0 };
	static const u32 prot[8] = { 0x01111111, 0x10021111, 0x11110011, 0xffffffff,
				     0,		 0x1100048d, 0,		 0x91ff15f0 };
	static const u32 long64[8] = { 0x1d111111, 0x32221111, 0x11110011, 0xffffffff,
				       0,	   0x5544048d, 0,	   0xddff15ff };
	const u32 *words = mode == KVM_MODE_LONG64 ? long64 : mode == KVM_MODE_REAL ? real : prot;

	return words[modrm >> 3 & 7] >> ((modrm & 7) * 4 + pp) & 1;
}

bool kvm_insn_x87(u8 opcode, u8 modrm)
{
	static const u8 mem[8] = { 0xff, 0xfd, 0xff, 0xaf, 0xff, 0xdf, 0xff, 0xff };
	static const u64 regs[8] = { 0xffffffffffffffff, 0xffff7f33ff01ffff, 0x00000200ffffffff,
				     0x00ffff1fffffffff, 0xffffffffffffffff, 0x0000ffffffffffff,
				     0xffffffff02ffffff, 0x00ffff01ffffffff };

	if (modrm < 0xc0)
		return mem[opcode & 7] >> (modrm >> 3 & 7) & 1;
	return regs[opcode & 7] >> (modrm & 63) & 1;
}

static bool bit_of(const u32 *bits, u8 n)
{
	return bits[n >> 5] >> (n & 31) & 1;
}

bool kvm_insn_3dnow(u8 suffix)
{
	static const u32 known[8] = { 0x30003000, 0, 0, 0, 0x44d14400, 0x88d144d1, 0, 0 };

	return bit_of(known, suffix);
}

static const u32 vex_known[3][8] = {
	{ 0x00ff0000, 0x0000ff00, 0xffff0cf6, 0xf0ffffff, 0x030f0000, 0x00004000, 0xffff0074,
	  0x7fffffff },
	{ 0x77c8ffff, 0xffffff3f, 0x570f0ae3, 0x03040000, 0xffcf5000, 0xfff3ffc0, 0xfc0cb800,
	  0x00ec0000 },
	{ 0x23f0ff77, 0x030f0007, 0xf0001f57, 0xff00ff0f, 0x00000000, 0x00000000, 0xc000c000,
	  0x00010000 },
};

static const u32 evex_known[6][8] = {
	{ 0x00ff0000, 0x0000ff00, 0xfff20000, 0xcf7fffff, 0x00000000, 0x00000000, 0xff7e0074,
	  0x7f7effff },
	{ 0xff7f3811, 0xffff3fff, 0x0f3ff0fd, 0xffef017c, 0xffcfaf08, 0xfff0ffcf, 0xf000bdd0,
	  0x00000000 },
	{ 0xeff08f3b, 0xcf0000ef, 0x00f3001c, 0x000f00c0, 0x00000000, 0x00000000, 0x0000c004,
	  0x00000000 },
	{ 0 },
	{ 0x20030000, 0x0000f400, 0xff020000, 0x7f004000, 0x00000000, 0x00000000, 0x00000000,
	  0x00000000 },
	{ 0x00080000, 0x00003000, 0x00c0f00c, 0x00000000, 0xffc00000, 0xffc0ffc0, 0x00c00000,
	  0x00000000 },
};

static const u32 xop_known[3][8] = {
	{ 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0xc0e0c0e0, 0x0040004c, 0x0000f00f,
	  0x0000f000 },
	{ 0x00040006, 0x00000000, 0x00000000, 0x00000000, 0x0fff000f, 0x00000000, 0x08ce08ce,
	  0x0000000e },
	{ 0x00050000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
	  0x00000000 },
};

bool kvm_insn_vector(u8 encoding, u8 map, u8 opcode, u8 *imm_size)
{
	if (encoding == KVM_ENC_XOP) {
		*imm_size = map == 8 ? 1 : map == 10 ? 4 : 0;
		map -= 8; /* smaller ones are POP */
		return map < 3 && bit_of(xop_known[map], opcode);
	}
	/* PSHUFW and the shifts; CMPPS, PINSRW, PEXTRW, SHUFPS. */
	*imm_size = map == 3 ||
		    (map == 1 && ((opcode >= 0x70 && opcode <= 0x73) || opcode == 0xc2 ||
				  (opcode >= 0xc4 && opcode <= 0xc6)));
	if (encoding == KVM_ENC_VEX)
		return map >= 1 && map <= 3 && bit_of(vex_known[map - 1], opcode);
	return map >= 1 && map <= 6 && bit_of(evex_known[map - 1], opcode);
}
