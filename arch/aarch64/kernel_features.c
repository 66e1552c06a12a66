// SPDX-License-Identifier: MIT
/*
 * What programs are told of the CPU: AT_HWCAP, AT_HWCAP2, the words of /proc/cpuinfo and ID registers, which EL0 may not read and
 * whose MRS is done here (HWCAP_CPUID). One table for all: a field of an ID register, its least value, the bit, the word.
 * A field that no row of it lets through reads as zero, so what the kernel does not keep for tasks (SME, MTE), enable (BTI,
 * pointer authentication, MOPS) or has not heard of is not there.
 */
#include <arch/cpu.h>
#include <arch/elf.h>
#include <arch/ptrace.h>
#include <arch/uaccess.h>
#include <asm/hwcap.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <lib/format.h>
#include "arch/aarch64/a64_priv.h"

enum id { PFR0, PFR1, ISAR0, ISAR1, ISAR2, MMFR0, MMFR1, MMFR2, ZFR0, NR_IDS };

#define MINUS 16	/* the field is signed: 15 means that it is not there at all */

static const struct feature {
	u8 id, shift, least, word;	/* word: 0 AT_HWCAP, 1 AT_HWCAP2 */
	unsigned long bit;
	const char *name;
} features[] = {
	{ PFR0, 16, MINUS | 0, 0, HWCAP_FP, "fp" }, { PFR0, 20, MINUS | 0, 0, HWCAP_ASIMD, "asimd" },
	{ ISAR0, 4, 1, 0, HWCAP_AES, "aes" }, { ISAR0, 4, 2, 0, HWCAP_PMULL, "pmull" }, { ISAR0, 8, 1, 0, HWCAP_SHA1, "sha1" },
	{ ISAR0, 12, 1, 0, HWCAP_SHA2, "sha2" }, { ISAR0, 16, 1, 0, HWCAP_CRC32, "crc32" }, { ISAR0, 20, 2, 0, HWCAP_ATOMICS, "atomics" },
	{ PFR0, 16, MINUS | 1, 0, HWCAP_FPHP, "fphp" }, { PFR0, 20, MINUS | 1, 0, HWCAP_ASIMDHP, "asimdhp" },
	{ PFR0, 0, 1, 0, HWCAP_CPUID, "cpuid" }, { ISAR0, 28, 1, 0, HWCAP_ASIMDRDM, "asimdrdm" }, { ISAR1, 12, 1, 0, HWCAP_JSCVT, "jscvt" },
	{ ISAR1, 16, 1, 0, HWCAP_FCMA, "fcma" }, { ISAR1, 20, 1, 0, HWCAP_LRCPC, "lrcpc" }, { ISAR1, 0, 1, 0, HWCAP_DCPOP, "dcpop" },
	{ ISAR0, 32, 1, 0, HWCAP_SHA3, "sha3" }, { ISAR0, 36, 1, 0, HWCAP_SM3, "sm3" }, { ISAR0, 40, 1, 0, HWCAP_SM4, "sm4" },
	{ ISAR0, 44, 1, 0, HWCAP_ASIMDDP, "asimddp" }, { ISAR0, 12, 2, 0, HWCAP_SHA512, "sha512" }, { PFR0, 32, 1, 0, HWCAP_SVE, "sve" },
	{ ISAR0, 48, 1, 0, HWCAP_ASIMDFHM, "asimdfhm" },
	{ PFR0, 48, 1, 0, HWCAP_DIT, "dit" }, { MMFR2, 32, 1, 0, HWCAP_USCAT, "uscat" }, { ISAR1, 20, 2, 0, HWCAP_ILRCPC, "ilrcpc" },
	{ ISAR0, 52, 1, 0, HWCAP_FLAGM, "flagm" }, { PFR1, 4, 2, 0, HWCAP_SSBS, "ssbs" }, { ISAR1, 36, 1, 0, HWCAP_SB, "sb" },
	{ ISAR1, 0, 2, 1, HWCAP2_DCPODP, "dcpodp" }, { ZFR0, 0, 1, 1, HWCAP2_SVE2, "sve2" }, { ZFR0, 4, 1, 1, HWCAP2_SVEAES, "sveaes" },
	{ ZFR0, 4, 2, 1, HWCAP2_SVEPMULL, "svepmull" }, { ZFR0, 16, 1, 1, HWCAP2_SVEBITPERM, "svebitperm" },
	{ ZFR0, 32, 1, 1, HWCAP2_SVESHA3, "svesha3" }, { ZFR0, 40, 1, 1, HWCAP2_SVESM4, "svesm4" },
	{ ISAR0, 52, 2, 1, HWCAP2_FLAGM2, "flagm2" }, { ISAR1, 32, 1, 1, HWCAP2_FRINT, "frint" },
	{ ZFR0, 44, 1, 1, HWCAP2_SVEI8MM, "svei8mm" }, { ZFR0, 52, 1, 1, HWCAP2_SVEF32MM, "svef32mm" },
	{ ZFR0, 56, 1, 1, HWCAP2_SVEF64MM, "svef64mm" }, { ZFR0, 20, 1, 1, HWCAP2_SVEBF16, "svebf16" },
	{ ISAR1, 52, 1, 1, HWCAP2_I8MM, "i8mm" }, { ISAR1, 44, 1, 1, HWCAP2_BF16, "bf16" }, { ISAR1, 48, 1, 1, HWCAP2_DGH, "dgh" },
	{ ISAR0, 60, 1, 1, HWCAP2_RNG, "rng" }, { MMFR0, 60, 1, 1, HWCAP2_ECV, "ecv" }, { MMFR1, 44, 1, 1, HWCAP2_AFP, "afp" },
	{ ISAR2, 4, 1, 1, HWCAP2_RPRES, "rpres" }, { ISAR2, 0, 2, 1, HWCAP2_WFXT, "wfxt" }, { ISAR1, 44, 2, 1, HWCAP2_EBF16, "ebf16" },
	{ ZFR0, 20, 2, 1, HWCAP2_SVE_EBF16, "sveebf16" }, { ZFR0, 0, 2, 1, HWCAP2_SVE2P1, "sve2p1" },
	{ ZFR0, 24, 1, 1, HWCAP2_SVE_B16B16, "sveb16b16" },
	{ ISAR2, 52, 1, 1, HWCAP2_CSSC, "cssc" }, { ISAR2, 48, 1, 1, HWCAP2_RPRFM, "rprfm" }, { ISAR2, 20, 1, 1, HWCAP2_HBC, "hbc" },
	{ ISAR1, 20, 3, 1, HWCAP2_LRCPC3, "lrcpc3" }, { ISAR0, 20, 3, 1, HWCAP2_LSE128, "lse128" }, { ISAR2, 16, 1, 1, HWCAP2_MOPS, "mops" },
	/* Whose algorithm it is does not matter: a CPU has one of three. */
	{ ISAR1, 4, 1, 0, HWCAP_PACA, "paca" }, { ISAR1, 8, 1, 0, HWCAP_PACA, "paca" }, { ISAR2, 12, 1, 0, HWCAP_PACA, "paca" },
	{ ISAR1, 24, 1, 0, HWCAP_PACG, "pacg" }, { ISAR1, 28, 1, 0, HWCAP_PACG, "pacg" }, { ISAR2, 8, 1, 0, HWCAP_PACG, "pacg" },
	{ PFR1, 0, 1, 1, HWCAP2_BTI, "bti" },
	{ ZFR0, 48, 1, 0, HWCAP_SVE_F16MM, "svef16mm" }, { ZFR0, 12, 1, 0, HWCAP_SVE_ELTPERM, "sveeltperm" },
	{ ZFR0, 4, 3, 0, HWCAP_SVE_AES2, "sveaes2" }, { ZFR0, 24, 2, 0, HWCAP_SVE_BFSCALE, "svebfscale" },
	{ ZFR0, 0, 3, 0, HWCAP_SVE2P2, "sve2p2" },
};

u64 a64_user_pstate __ro_after_init;
static unsigned long hwcap[2] __ro_after_init;
static u64 shown[NR_IDS] __ro_after_init;	/* what MRS gives */
static u64 midr __ro_after_init, revidr __ro_after_init;

static void read_ids(u64 *v)
{
	v[PFR0] = read_sysreg(id_aa64pfr0_el1);
	v[PFR1] = read_sysreg(id_aa64pfr1_el1);
	v[ISAR0] = read_sysreg(id_aa64isar0_el1);
	v[ISAR1] = read_sysreg(id_aa64isar1_el1);
	v[ISAR2] = read_sysreg(s3_0_c0_c6_2);
	v[MMFR0] = read_sysreg(id_aa64mmfr0_el1);
	v[MMFR1] = read_sysreg(id_aa64mmfr1_el1);
	v[MMFR2] = read_sysreg(s3_0_c0_c7_2);
	v[ZFR0] = v[PFR0] >> 32 & 15 ? read_sysreg(s3_0_c0_c4_4) : 0;
}

static bool has(const u64 *ids, const struct feature *f)
{
	unsigned int v = ids[f->id] >> f->shift & 15;

	return f->least & MINUS ? v < 8 && v >= (f->least & 15) : v >= f->least;
}

void __init a64_detect_features(void)
{
	u64 ids[NR_IDS];

	read_ids(ids);
	midr = read_sysreg(midr_el1);
	revidr = read_sysreg(revidr_el1);
	for (const struct feature *f = features; f < features + ARRAY_SIZE(features); f++) {
		if (f->least & MINUS)		/* zero would say that it is there */
			shown[f->id] |= ids[f->id] & 15ULL << f->shift;
		if (!has(ids, f))
			continue;
		hwcap[f->word] |= f->bit;
		shown[f->id] |= ids[f->id] & 15ULL << f->shift;
	}
	a64_has_bti = hwcap[1] & HWCAP2_BTI;
	a64_has_mops = hwcap[1] & HWCAP2_MOPS;
	a64_has_sve = hwcap[0] & HWCAP_SVE;
	a64_has_paca = hwcap[0] & HWCAP_PACA;
	a64_has_pacg = hwcap[0] & HWCAP_PACG;
	a64_user_pstate = PSR_N_BIT | PSR_Z_BIT | PSR_C_BIT | PSR_V_BIT | (a64_has_bti ? PSR_BTYPE_MASK : 0) |
			  (hwcap[0] & HWCAP_DIT ? PSR_DIT_BIT : 0) | (hwcap[0] & HWCAP_SSBS ? PSR_SSBS_BIT : 0);
	shown[PFR0] = (shown[PFR0] & ~0xffULL) | 0x11;	/* EL0 and EL1: AArch64 alone */
}

/* Tasks go from CPU to CPU: one that lacks what the first has is said. */
void a64_check_features(void)
{
	u64 ids[NR_IDS];

	read_ids(ids);
	for (const struct feature *f = features; f < features + ARRAY_SIZE(features); f++)
		if (has(shown, f) && !has(ids, f))
			pr_warn("cpu: CPU %u has no %s, which programs were promised\n", arch_cpu_number(), f->name);
}

unsigned long arch_elf_hwcap(void)
{
	return hwcap[0];
}

unsigned long arch_elf_hwcap2(void)
{
	return hwcap[1];
}

/* The words in the order of their bits, each after a blank. What snprintf would return. */
size_t a64_show_features(char *buf, size_t size)
{
	size_t at = 0;

	for (unsigned int word = 0; word < 2; word++)
		for (const struct feature *f = features; f < features + ARRAY_SIZE(features); f++)
			if (f->word == word && has(shown, f))
				at += (size_t)snprintf(at < size ? buf + at : NULL, at < size ? size - at : 0, " %s", f->name);
	return at;
}

/* The value of S3_0_C0_C<CRM>_<OP2>; those of AArch32 and without a meaning read as zero. */
static u64 id_register(unsigned int crm, unsigned int op2)
{
	static const s8 index[4][8] = {
		{ PFR0, PFR1, -1, -1, ZFR0, -1, -1, -1 }, { -1, -1, -1, -1, -1, -1, -1, -1 },
		{ ISAR0, ISAR1, ISAR2, -1, -1, -1, -1, -1 }, { MMFR0, MMFR1, MMFR2, -1, -1, -1, -1, -1 },
	};

	if (crm == 0)
		return op2 == 0 ? midr : op2 == 5 ? 1ULL << 31 : op2 == 6 ? revidr : 0;	/* MPIDR: which one it is, is not said */
	if (crm == 5 && op2 == 0)
		return 6;		/* ID_AA64DFR0: the architecture's debug version */
	return crm >= 4 && index[crm - 4][op2] >= 0 ? shown[index[crm - 4][op2]] : 0;
}

/* MRS Xt, S3_0_C0_C<m>_<n> of user mode, which is undefined there: done, and passed over. False: it is something else. */
bool a64_emulate_mrs(struct pt_regs *regs)
{
	unsigned int crm, op2, rt;
	u32 insn;

	if ((regs->pc & 3) || arch_get_user_4(&insn, (struct uptr){ regs->pc }))
		return false;
	crm = insn >> 8 & 15;
	op2 = insn >> 5 & 7;
	rt = insn & 31;
	/* op0 3, op1 0, CRn 0 */
	if ((insn & 0xfffff000) != 0xd5380000 || crm > 7)
		return false;
	if (crm == 0 && op2 != 0 && op2 != 5 && op2 != 6)
		return false;
	if (rt != 31)
		regs->regs[rt] = id_register(crm, op2);
	regs->pc += 4;
	regs->pstate &= ~(u64)PSR_BTYPE_MASK;
	return true;
}
