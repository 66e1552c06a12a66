/* SPDX-License-Identifier: MIT */
/* The decoder's tables: what an opcode is, and what its operands are. */
#pragma once

#include "arch/x86_64/kvm_insn.h"

/*
 * An operand: where it is and its size. APM 3, appendix A's letters: E ModRM's register or memory,
 * G ModRM's register, Z the opcode's, I immediate, J relative, O offset, X Y strings, V W SSE, P Q
 * MMX. b w d q: 1, 2, 4, 8 bytes; x: 16; v: the operand size; z: it, at most 4; y: 4, or 8 with
 * REX.W.
 */
enum kvm_code {
	C_NONE,
	C_E,			/* ModRM, nothing said of it */
	C_Eb,
	C_Ew,
	C_Ed,
	C_Ev,
	C_Ey,
	C_Es, /* s: 8 in 64-bit mode, else 4 */
	C_Emw,			/* a register of the operand size, or memory of 2 bytes */
	C_Mp,			/* a far pointer: the operand size and 2 */
	C_Ms,			/* a descriptor table's limit and base */
	C_M2y,			/* twice y: CMPXCHG8B's */
	C_Mv,			/* the address alone */
	C_Gb,
	C_Gv,
	C_Gy,
	C_Gz,
	C_Zb,
	C_Zv,
	C_AL,
	C_Av,
	C_Az,
	C_CL,
	C_DX,
	C_1,
	C_Ib,
	C_Iw,
	C_Iz,
	C_Iv,
	C_Is, /* s: a byte for v */
	C_Ib2,
	C_Jb,
	C_Jz,
	C_Ap,
	C_Ob,
	C_Ov,
	C_Xb,
	C_Xv,
	C_Xz,
	C_Yb,
	C_Yv,
	C_Yz,
	C_XLAT,
	C_Sw,
	C_Cs,
	C_Ds,
	C_ES,
	C_CS,
	C_SS,
	C_DS,
	C_FS,
	C_GS,
	C_V,
	C_Wx,
	C_Wq,
	C_Wd,
	C_Mx,
	C_Mq,
	C_Md,
	C_P,
	C_Qq,
};

#define KVM_FORMS(F)                                                                               \
	F(NONE, NONE, NONE, NONE, 0, 0, 0)                                                         \
	F(E, E, NONE, NONE, 0, 0, 0)                                                               \
	F(E_Ib, E, Ib, NONE, 0, 0, 0)                                                              \
	F(E_Jz, E, Jz, NONE, 0, 1, 0)                                                              \
	F(E_Ib_Ib, E, Ib, Ib2, 0, 0, 0)                                                            \
	F(Ib, Ib, NONE, NONE, 1, 0, 0)                                                             \
	F(Iw, Iw, NONE, NONE, 1, 0, 0)                                                             \
	F(Iw_Ib, Iw, Ib2, NONE, 1, 1, 0)                                                           \
	F(Iz, Iz, NONE, NONE, 1, 0, 0)                                                             \
	F(Is, Is, NONE, NONE, 1, 0, 0)                                                             \
	F(Jb, Jb, NONE, NONE, 1, 0, 0)                                                             \
	F(Jz, Jz, NONE, NONE, 1, 0, 0)                                                             \
	F(Ap, Ap, NONE, NONE, 1, 0, 0)                                                             \
	F(Eb_Gb_m, Eb, Gb, NONE, 3, 1, 0)                                                          \
	F(Ev_Gv_m, Ev, Gv, NONE, 3, 1, 0)                                                          \
	F(Gb_Eb_m, Gb, Eb, NONE, 3, 1, 0)                                                          \
	F(Gv_Ev_m, Gv, Ev, NONE, 3, 1, 0)                                                          \
	F(AL_Ib_m, AL, Ib, NONE, 3, 1, 0)                                                          \
	F(Av_Iz_m, Av, Iz, NONE, 3, 1, 0)                                                          \
	F(Eb_Gb_r, Eb, Gb, NONE, 1, 1, 0)                                                          \
	F(Ev_Gv_r, Ev, Gv, NONE, 1, 1, 0)                                                          \
	F(Gb_Eb_r, Gb, Eb, NONE, 1, 1, 0)                                                          \
	F(Gv_Ev_r, Gv, Ev, NONE, 1, 1, 0)                                                          \
	F(AL_Ib_r, AL, Ib, NONE, 1, 1, 0)                                                          \
	F(Av_Iz_r, Av, Iz, NONE, 1, 1, 0)                                                          \
	F(Eb_Gb_w, Eb, Gb, NONE, 2, 1, 0)                                                          \
	F(Ev_Gv_w, Ev, Gv, NONE, 2, 1, 0)                                                          \
	F(Gb_Eb_w, Gb, Eb, NONE, 2, 1, 0)                                                          \
	F(Gv_Ev_w, Gv, Ev, NONE, 2, 1, 0)                                                          \
	F(Eb_Gb_x, Eb, Gb, NONE, 3, 3, 0)                                                          \
	F(Ev_Gv_x, Ev, Gv, NONE, 3, 3, 0)                                                          \
	F(Zv_Av_x, Zv, Av, NONE, 3, 3, 0)                                                          \
	F(Eb_Ib_m, Eb, Ib, NONE, 3, 1, 0)                                                          \
	F(Ev_Iz_m, Ev, Iz, NONE, 3, 1, 0)                                                          \
	F(Ev_Is_m, Ev, Is, NONE, 3, 1, 0)                                                          \
	F(Eb_Ib_r, Eb, Ib, NONE, 1, 1, 0)                                                          \
	F(Ev_Iz_r, Ev, Iz, NONE, 1, 1, 0)                                                          \
	F(Ev_Is_r, Ev, Is, NONE, 1, 1, 0)                                                          \
	F(Eb_Ib_w, Eb, Ib, NONE, 2, 1, 0)                                                          \
	F(Ev_Iz_w, Ev, Iz, NONE, 2, 1, 0)                                                          \
	F(Ev_Ib_m, Ev, Ib, NONE, 3, 1, 0)                                                          \
	F(Ev_Ib_r, Ev, Ib, NONE, 1, 1, 0)                                                          \
	F(Eb_1_m, Eb, 1, NONE, 3, 1, 0)                                                            \
	F(Ev_1_m, Ev, 1, NONE, 3, 1, 0)                                                            \
	F(Eb_CL_m, Eb, CL, NONE, 3, 1, 0)                                                          \
	F(Ev_CL_m, Ev, CL, NONE, 3, 1, 0)                                                          \
	F(Eb_m, Eb, NONE, NONE, 3, 0, 0)                                                           \
	F(Ev_m, Ev, NONE, NONE, 3, 0, 0)                                                           \
	F(Eb_r, Eb, NONE, NONE, 1, 0, 0)                                                           \
	F(Ew_r, Ew, NONE, NONE, 1, 0, 0)                                                           \
	F(Ev_r, Ev, NONE, NONE, 1, 0, 0)                                                           \
	F(Eb_w, Eb, NONE, NONE, 2, 0, 0)                                                           \
	F(Ev_w, Ev, NONE, NONE, 2, 0, 0)                                                           \
	F(Emw_w, Emw, NONE, NONE, 2, 0, 0)                                                         \
	F(Zv_m, Zv, NONE, NONE, 3, 0, 0)                                                           \
	F(Zv_r, Zv, NONE, NONE, 1, 0, 0)                                                           \
	F(Zv_w, Zv, NONE, NONE, 2, 0, 0)                                                           \
	F(Zb_Ib_w, Zb, Ib, NONE, 2, 1, 0)                                                          \
	F(Zv_Iv_w, Zv, Iv, NONE, 2, 1, 0)                                                          \
	F(Gv_Ev_Iz, Gv, Ev, Iz, 2, 1, 1)                                                           \
	F(Gv_Ev_Is, Gv, Ev, Is, 2, 1, 1)                                                           \
	F(Ev_Gv_Ib, Ev, Gv, Ib, 3, 1, 1)                                                           \
	F(Ev_Gv_CL, Ev, Gv, CL, 3, 1, 1)                                                           \
	F(Gv_Eb_w, Gv, Eb, NONE, 2, 1, 0)                                                          \
	F(Gv_Ew_w, Gv, Ew, NONE, 2, 1, 0)                                                          \
	F(Gv_Ed_w, Gv, Ed, NONE, 2, 1, 0)                                                          \
	F(Gv_M_w, Gv, Mv, NONE, 2, 0, 0)                                                           \
	F(Gz_Mp_w, Gz, Mp, NONE, 2, 1, 0)                                                          \
	F(Mp_r, Mp, NONE, NONE, 1, 0, 0)                                                           \
	F(Ms_r, Ms, NONE, NONE, 1, 0, 0)                                                           \
	F(Ms_w, Ms, NONE, NONE, 2, 0, 0)                                                           \
	F(M2y_m, M2y, NONE, NONE, 3, 0, 0)                                                         \
	F(M_n, Mv, NONE, NONE, 0, 0, 0)                                                            \
	F(Ey_Gy_w, Ey, Gy, NONE, 2, 1, 0)                                                          \
	F(AL_Ob_w, AL, Ob, NONE, 2, 1, 0)                                                          \
	F(Av_Ov_w, Av, Ov, NONE, 2, 1, 0)                                                          \
	F(Ob_AL_w, Ob, AL, NONE, 2, 1, 0)                                                          \
	F(Ov_Av_w, Ov, Av, NONE, 2, 1, 0)                                                          \
	F(Yb_Xb_w, Yb, Xb, NONE, 2, 1, 0)                                                          \
	F(Yv_Xv_w, Yv, Xv, NONE, 2, 1, 0)                                                          \
	F(Xb_Yb_r, Xb, Yb, NONE, 1, 1, 0)                                                          \
	F(Xv_Yv_r, Xv, Yv, NONE, 1, 1, 0)                                                          \
	F(Yb_AL_w, Yb, AL, NONE, 2, 1, 0)                                                          \
	F(Yv_Av_w, Yv, Av, NONE, 2, 1, 0)                                                          \
	F(AL_Xb_w, AL, Xb, NONE, 2, 1, 0)                                                          \
	F(Av_Xv_w, Av, Xv, NONE, 2, 1, 0)                                                          \
	F(AL_Yb_r, AL, Yb, NONE, 1, 1, 0)                                                          \
	F(Av_Yv_r, Av, Yv, NONE, 1, 1, 0)                                                          \
	F(Yb_DX_w, Yb, DX, NONE, 2, 1, 0)                                                          \
	F(Yz_DX_w, Yz, DX, NONE, 2, 1, 0)                                                          \
	F(DX_Xb_r, DX, Xb, NONE, 1, 1, 0)                                                          \
	F(DX_Xz_r, DX, Xz, NONE, 1, 1, 0)                                                          \
	F(XLAT, AL, XLAT, NONE, 3, 1, 0)                                                           \
	F(Az_Ib_w, Az, Ib, NONE, 2, 1, 0)                                                          \
	F(AL_Ib_w, AL, Ib, NONE, 2, 1, 0)                                                          \
	F(Ib_AL_r, Ib, AL, NONE, 1, 1, 0)                                                          \
	F(Ib_Az_r, Ib, Az, NONE, 1, 1, 0)                                                          \
	F(AL_DX_w, AL, DX, NONE, 2, 1, 0)                                                          \
	F(Az_DX_w, Az, DX, NONE, 2, 1, 0)                                                          \
	F(DX_AL_r, DX, AL, NONE, 1, 1, 0)                                                          \
	F(DX_Az_r, DX, Az, NONE, 1, 1, 0)                                                          \
	F(Emw_Sw_w, Emw, Sw, NONE, 2, 1, 0)                                                        \
	F(Sw_Ew_w, Sw, Ew, NONE, 2, 1, 0)                                                          \
	F(Es_Cs_w, Es, Cs, NONE, 2, 1, 0)                                                          \
	F(Cs_Es_w, Cs, Es, NONE, 2, 1, 0)                                                          \
	F(Es_Ds_w, Es, Ds, NONE, 2, 1, 0)                                                          \
	F(Ds_Es_w, Ds, Es, NONE, 2, 1, 0)                                                          \
	F(ES_r, ES, NONE, NONE, 1, 0, 0)                                                           \
	F(CS_r, CS, NONE, NONE, 1, 0, 0)                                                           \
	F(SS_r, SS, NONE, NONE, 1, 0, 0)                                                           \
	F(DS_r, DS, NONE, NONE, 1, 0, 0)                                                           \
	F(FS_r, FS, NONE, NONE, 1, 0, 0)                                                           \
	F(GS_r, GS, NONE, NONE, 1, 0, 0)                                                           \
	F(ES_w, ES, NONE, NONE, 2, 0, 0)                                                           \
	F(SS_w, SS, NONE, NONE, 2, 0, 0)                                                           \
	F(DS_w, DS, NONE, NONE, 2, 0, 0)                                                           \
	F(FS_w, FS, NONE, NONE, 2, 0, 0)                                                           \
	F(GS_w, GS, NONE, NONE, 2, 0, 0)                                                           \
	F(V_Wx_w, V, Wx, NONE, 2, 1, 0)                                                            \
	F(V_Wq_w, V, Wq, NONE, 2, 1, 0)                                                            \
	F(V_Wd_w, V, Wd, NONE, 2, 1, 0)                                                            \
	F(Wx_V_w, Wx, V, NONE, 2, 1, 0)                                                            \
	F(Wq_V_w, Wq, V, NONE, 2, 1, 0)                                                            \
	F(Wd_V_w, Wd, V, NONE, 2, 1, 0)                                                            \
	F(V_Mx_w, V, Mx, NONE, 2, 1, 0)                                                            \
	F(V_Mq_m, V, Mq, NONE, 3, 1, 0)                                                            \
	F(Mx_V_w, Mx, V, NONE, 2, 1, 0)                                                            \
	F(Mq_V_w, Mq, V, NONE, 2, 1, 0)                                                            \
	F(Md_V_w, Md, V, NONE, 2, 1, 0)                                                            \
	F(P_Qq_w, P, Qq, NONE, 2, 1, 0)                                                            \
	F(Qq_P_w, Qq, P, NONE, 2, 1, 0)                                                            \
	F(V_Ey_w, V, Ey, NONE, 2, 1, 0)                                                            \
	F(Ey_V_w, Ey, V, NONE, 2, 1, 0)                                                            \
	F(P_Ey_w, P, Ey, NONE, 2, 1, 0)                                                            \
	F(Ey_P_w, Ey, P, NONE, 2, 1, 0)

enum kvm_form_id {
#define F(name, a, b, c, x, y, z) FORM_##name,
	KVM_FORMS(F)
#undef F
		FORM_COUNT
};

struct kvm_form {
	u8 code[3];		/* enum kvm_code */
	u8 access;		/* KVM_ACCESS_*, two bits an operand */
};

#define ROW_NO64 1		/* invalid in 64-bit mode */
#define ROW_D64 2		/* 64 bits are the default in 64-bit mode */
#define ROW_F64 4		/* in 64-bit mode always 64 bits */
#define ROW_LOCK 8		/* may be locked where the operand is memory */
#define ROW_EXCEPT 16		/* kvm_insn_pp_without has more to say */
#define ROW_BY_REG 32		/* form is a group: its row is ModRM's reg field */
#define ROW_BY_PP 64		/* form is a group: its row is the last of 66, F3, F2 */
#define ROW_SPECIAL 128		/* x87, 0F 01, moves of segments: the decoder looks closer */

/*
 * pp: which of no prefix, 66, F3, F2 (bits 0 to 3) make an instruction of memory; bits 4 to 7: of a
 * register. 0: there is none.
 */
struct kvm_row {
	u8 op;
	u8 form;
	u8 pp;
	u8 flags;
};

extern const struct kvm_form kvm_insn_forms[FORM_COUNT];
extern const struct kvm_row kvm_insn_rows[4][256];
extern const struct kvm_row kvm_insn_groups[][8];
extern const struct kvm_row kvm_insn_movsxd;	/* 63 in 64-bit mode */

/* Which bits of a row's pp do not count in a mode; REG: ModRM's. */
u8 kvm_insn_pp_without(u8 map, u8 opcode, u8 reg, enum kvm_insn_mode mode);
/* Whether there is an instruction 0F 01 with two registers in ModRM (C0 up), after prefix PP. */
bool kvm_insn_0f01(u8 modrm, u8 pp, enum kvm_insn_mode mode);
bool kvm_insn_x87(u8 opcode, u8 modrm);
bool kvm_insn_3dnow(u8 suffix);
/* Whether an opcode of a vector encoding has an instruction, and the size of its immediate. */
bool kvm_insn_vector(u8 encoding, u8 map, u8 opcode, u8 *imm_size);

void kvm_insn_operands(struct kvm_insn *i, const struct kvm_form *f, enum kvm_insn_mode mode);
