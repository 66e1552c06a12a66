/* SPDX-License-Identifier: MIT */
/*
 * Alpha Architecture Handbook, chapter II-B 3: three levels of 1024 entries. The CPU keeps neither young nor dirty: an entry that is not
 * young faults on every access, one that is not dirty on writes; arch marks them in the fault (mm_fault.c), so the contract's "the
 * CPU writes them" holds for everybody above.
 *   hardware: 0 valid, 1 fault on read, 2 on write, 3 on execution, 4 same in each space, 8 kernel read, 9 user read, 12 kernel write,
 *   13 user write, 32.. frame
 *   ours: 16 present, 17 writable, 18 dirty, 19 young, 20 protnone, 21 special, 22 table, 23 swap, 24 executable, 25 user
 * A swap entry: bits 0, 16 and 22 clear, 23 set; type in bits 1..5, offset in bits 24..63.
 */
#pragma once

#include <arch_cpu/page.h>

#define ARCH_PT_LEVELS 3
#define PT_ENTRY_BITS 10
#define PT_ENTRIES 1024
#define ARCH_PT_USER_ROOT_ENTRIES 512
#define ARCH_PT_KERNEL_ROOT_FIRST 768	/* behind the superpage */
#define PTE_LEAF_LEVELS 0x1U

#define ALPHA_PTE_VALID (1ULL << 0)
#define ALPHA_PTE_FOR (1ULL << 1)
#define ALPHA_PTE_FOW (1ULL << 2)
#define ALPHA_PTE_FOE (1ULL << 3)
#define ALPHA_PTE_ASM (1ULL << 4)
#define ALPHA_PTE_KRE (1ULL << 8)
#define ALPHA_PTE_URE (1ULL << 9)
#define ALPHA_PTE_KWE (1ULL << 12)
#define ALPHA_PTE_UWE (1ULL << 13)
#define ALPHA_PTE_HW 0xffffULL
#define ALPHA_PTE_PRESENT (1ULL << 16)
#define ALPHA_PTE_WRITE (1ULL << 17)
#define ALPHA_PTE_DIRTY (1ULL << 18)
#define ALPHA_PTE_YOUNG (1ULL << 19)
#define ALPHA_PTE_PROTNONE (1ULL << 20)
#define ALPHA_PTE_SPECIAL (1ULL << 21)
#define ALPHA_PTE_TABLE (1ULL << 22)
#define ALPHA_PTE_SWAP (1ULL << 23)
#define ALPHA_PTE_EXEC (1ULL << 24)
#define ALPHA_PTE_USER (1ULL << 25)
#define ALPHA_PTE_GLOBAL (1ULL << 26)
#define ALPHA_PTE_PFN_SHIFT 32

typedef struct {
	u64 v;
} pte_t;

#define PTE_NONE ((pte_t){ 0 })
#define PTE_SWAP_TYPES 32
#define PTE_SWAP_OFFSET_BITS 40

static inline unsigned int pt_index(unsigned long va, int level)
{
	return (va >> (PAGE_SHIFT + PT_ENTRY_BITS * level)) & (PT_ENTRIES - 1);
}

static inline unsigned long pt_span(int level)
{
	return 1UL << (PAGE_SHIFT + PT_ENTRY_BITS * level);
}

static inline bool pte_none(pte_t e) { return e.v == 0; }
static inline bool pte_protnone(pte_t e) { return e.v & ALPHA_PTE_PROTNONE && e.v & ALPHA_PTE_PRESENT; }
static inline bool pte_present(pte_t e) { return e.v & (ALPHA_PTE_PRESENT | ALPHA_PTE_TABLE); }
static inline bool pte_is_swap(pte_t e) { return e.v && !pte_present(e); }
static inline bool pte_leaf(pte_t e, int level) { return pte_present(e) && !(e.v & ALPHA_PTE_TABLE); }
static inline bool pte_write(pte_t e) { return e.v & ALPHA_PTE_WRITE; }
static inline bool pte_user(pte_t e) { return e.v & ALPHA_PTE_USER; }
static inline bool pte_exec(pte_t e) { return e.v & ALPHA_PTE_EXEC; }
static inline bool pte_dirty(pte_t e) { return e.v & ALPHA_PTE_DIRTY; }
static inline bool pte_young(pte_t e) { return e.v & ALPHA_PTE_YOUNG; }
static inline bool pte_special(pte_t e) { return e.v & ALPHA_PTE_SPECIAL; }
static inline unsigned long pte_pfn(pte_t e) { return e.v >> ALPHA_PTE_PFN_SHIFT; }

/* What the hardware may do follows from ours. The kernel reads and writes what the user may. */
static inline pte_t __pte_fix(u64 v)
{
	v &= ~ALPHA_PTE_HW;
	if (v & ALPHA_PTE_PROTNONE)
		return (pte_t){ v };
	v |= ALPHA_PTE_VALID | ALPHA_PTE_KRE;
	if (v & ALPHA_PTE_USER)
		v |= ALPHA_PTE_URE;
	if (v & ALPHA_PTE_WRITE)
		v |= ALPHA_PTE_KWE | (v & ALPHA_PTE_USER ? ALPHA_PTE_UWE : 0);
	if (v & ALPHA_PTE_GLOBAL)
		v |= ALPHA_PTE_ASM;
	if (!(v & ALPHA_PTE_EXEC))
		v |= ALPHA_PTE_FOE;
	if ((v & (ALPHA_PTE_WRITE | ALPHA_PTE_DIRTY)) != (ALPHA_PTE_WRITE | ALPHA_PTE_DIRTY))
		v |= ALPHA_PTE_FOW;
	if (!(v & ALPHA_PTE_YOUNG))
		v |= ALPHA_PTE_FOR | ALPHA_PTE_FOW | ALPHA_PTE_FOE;
	return (pte_t){ v };
}

static inline pte_t pte_make(unsigned long pfn, unsigned int prot, int level)
{
	u64 v = (u64)pfn << ALPHA_PTE_PFN_SHIFT | ALPHA_PTE_PRESENT | ALPHA_PTE_YOUNG;

	if (!(prot & (PTE_P_READ | PTE_P_WRITE | PTE_P_EXEC)))
		return (pte_t){ v | ALPHA_PTE_PROTNONE };
	if (prot & PTE_P_WRITE)
		v |= ALPHA_PTE_WRITE;
	if (prot & PTE_P_EXEC)
		v |= ALPHA_PTE_EXEC;
	if (prot & PTE_P_USER)
		v |= ALPHA_PTE_USER;
	else
		v |= (prot & PTE_P_WRITE ? ALPHA_PTE_DIRTY : 0) | ALPHA_PTE_GLOBAL;
	return __pte_fix(v);
}

static inline pte_t pte_modify(pte_t e, unsigned int prot, int level)
{
	pte_t n = pte_make(pte_pfn(e), prot, level);
	u64 keep = ALPHA_PTE_YOUNG | ALPHA_PTE_DIRTY | ALPHA_PTE_SPECIAL;

	return __pte_fix((n.v & ~keep) | (e.v & keep));
}

static inline pte_t pte_mkclean(pte_t e) { return __pte_fix(e.v & ~ALPHA_PTE_DIRTY); }
static inline pte_t pte_mkdirty(pte_t e) { return __pte_fix(e.v | ALPHA_PTE_DIRTY); }
static inline pte_t pte_mkold(pte_t e) { return __pte_fix(e.v & ~ALPHA_PTE_YOUNG); }
static inline pte_t pte_mkyoung(pte_t e) { return __pte_fix(e.v | ALPHA_PTE_YOUNG); }
static inline pte_t pte_wrprotect(pte_t e) { return __pte_fix(e.v & ~ALPHA_PTE_WRITE); }
static inline pte_t pte_mkwrite(pte_t e) { return __pte_fix(e.v | ALPHA_PTE_WRITE); }
static inline pte_t pte_mkspecial(pte_t e) { return (pte_t){ e.v | ALPHA_PTE_SPECIAL }; }

/* PALcode reads tables with the kernel's rights. */
static inline pte_t pte_make_table(phys_addr_t table)
{
	return (pte_t){ table >> PAGE_SHIFT << ALPHA_PTE_PFN_SHIFT | ALPHA_PTE_TABLE | ALPHA_PTE_KRE | ALPHA_PTE_KWE | ALPHA_PTE_VALID };
}

/* The entry was read before what is read through it: pairs with ptep_set's release. */
static inline pte_t *pte_table(pte_t e)
{
	__asm__ volatile("mb" : : : "memory");
	return (pte_t *)phys_to_virt(pte_pfn(e) << PAGE_SHIFT);
}

static inline pte_t pte_make_swap(unsigned int type, u64 offset)
{
	return (pte_t){ (u64)type << 1 | (offset & ((1ULL << PTE_SWAP_OFFSET_BITS) - 1)) << 24 | ALPHA_PTE_SWAP };
}

static inline unsigned int pte_swap_type(pte_t e)
{
	return e.v >> 1 & (PTE_SWAP_TYPES - 1);
}

static inline u64 pte_swap_offset(pte_t e)
{
	return e.v >> 24;
}
