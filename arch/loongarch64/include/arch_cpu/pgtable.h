/* SPDX-License-Identifier: MIT */
/*
 * LoongArch Reference Manual, volume 1, 5.4.2 (page tables of multiple levels), as lddir and ldpte read them. The halves of the
 * address space have roots of their own (PGDL, PGDH). The CPU keeps neither young nor dirty: an entry that is
 * not young is not valid for it, one that is not dirty may not be written; arch marks them in the fault (mm_fault.c), so the
 * contract's "the CPU writes them" holds for everybody above.
 *   hardware: 0 valid, 1 dirty, 2-3 privilege, 4-5 memory type, 6 global (in a directory: large leaf), 12 global of a large leaf,
 *   62 no execution
 *   ours: 7 present, 8 writable, 9 dirty, 10 protnone, 11 special, 57 swap, 59 young
 * A table's entry is its address in the direct map, whose upper bits the CPU ignores. A swap entry: bits 0, 7 and 60 clear, 57 set;
 * type in bits 8..12, offset in bits 14..53.
 */
#pragma once

#include <arch_cpu/page.h>

#define ARCH_PT_LEVELS 3
#define PT_ENTRY_BITS 11
#define PT_ENTRIES 2048
#define ARCH_PT_USER_ROOT_ENTRIES 2048
#define ARCH_PT_KERNEL_ROOT_FIRST 0
#define PTE_LEAF_LEVELS 0x1U

#define LA64_PTE_VALID (1ULL << 0)
#define LA64_PTE_HW_DIRTY (1ULL << 1)
#define LA64_PTE_USER (3ULL << 2)
#define LA64_PTE_MAT(n) ((u64)(n) << 4)
#define LA64_PTE_GLOBAL (1ULL << 6)
#define LA64_PTE_HUGE (1ULL << 6)
#define LA64_PTE_PRESENT (1ULL << 7)
#define LA64_PTE_WRITE (1ULL << 8)
#define LA64_PTE_DIRTY (1ULL << 9)
#define LA64_PTE_PROTNONE (1ULL << 10)
#define LA64_PTE_SPECIAL (1ULL << 11)
#define LA64_PTE_HUGE_GLOBAL (1ULL << 12)	/* not a page */
#define LA64_PTE_SWAP (1ULL << 57)
#define LA64_PTE_YOUNG (1ULL << 59)
#define LA64_PTE_TABLE (1ULL << 60)		/* of DIRECT_MAP_START */
#define LA64_PTE_NX (1ULL << 62)
#define LA64_PTE_FRAME 0x0000ffffffffc000ULL

/* Memory types. */
#define LA64_MAT_DEVICE 0
#define LA64_MAT_NORMAL 1
#define LA64_MAT_WC 2

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
static inline bool pte_protnone(pte_t e) { return e.v & LA64_PTE_PROTNONE && e.v & LA64_PTE_PRESENT; }
static inline bool pte_present(pte_t e) { return e.v & (LA64_PTE_PRESENT | LA64_PTE_TABLE); }
static inline bool pte_is_swap(pte_t e) { return e.v && !pte_present(e); }
static inline bool pte_leaf(pte_t e, int level) { return pte_present(e) && !(e.v & LA64_PTE_TABLE); }
static inline bool pte_write(pte_t e) { return e.v & LA64_PTE_WRITE; }
static inline bool pte_user(pte_t e) { return e.v & LA64_PTE_USER; }
static inline bool pte_exec(pte_t e) { return !(e.v & LA64_PTE_NX); }
static inline bool pte_dirty(pte_t e) { return e.v & LA64_PTE_DIRTY; }
static inline bool pte_young(pte_t e) { return e.v & LA64_PTE_YOUNG; }
static inline bool pte_special(pte_t e) { return e.v & LA64_PTE_SPECIAL; }
static inline unsigned long pte_pfn(pte_t e) { return (e.v & LA64_PTE_FRAME) >> PAGE_SHIFT; }

/* What the hardware may do follows from ours. */
static inline pte_t __pte_fix(u64 v)
{
	v &= ~(LA64_PTE_VALID | LA64_PTE_HW_DIRTY);
	if ((v & (LA64_PTE_YOUNG | LA64_PTE_PROTNONE)) == LA64_PTE_YOUNG)
		v |= LA64_PTE_VALID;
	if ((v & (LA64_PTE_WRITE | LA64_PTE_DIRTY)) == (LA64_PTE_WRITE | LA64_PTE_DIRTY))
		v |= LA64_PTE_HW_DIRTY;
	return (pte_t){ v };
}

static inline pte_t pte_make(unsigned long pfn, unsigned int prot, int level)
{
	u64 v = (u64)pfn << PAGE_SHIFT | LA64_PTE_PRESENT | LA64_PTE_YOUNG | (level ? LA64_PTE_HUGE : 0);

	if (!(prot & (PTE_P_READ | PTE_P_WRITE | PTE_P_EXEC)))
		return (pte_t){ v | LA64_PTE_PROTNONE | LA64_PTE_NX | LA64_PTE_MAT(LA64_MAT_NORMAL) };
	if (prot & PTE_P_WRITE)
		v |= LA64_PTE_WRITE;
	if (!(prot & PTE_P_EXEC))
		v |= LA64_PTE_NX;
	if (prot & PTE_P_USER)
		v |= LA64_PTE_USER;
	else
		v |= (prot & PTE_P_WRITE ? LA64_PTE_DIRTY : 0) | (level ? LA64_PTE_HUGE_GLOBAL : LA64_PTE_GLOBAL);
	v |= LA64_PTE_MAT(prot & PTE_P_NOCACHE ? LA64_MAT_DEVICE : prot & PTE_P_WC ? LA64_MAT_WC : LA64_MAT_NORMAL);
	return __pte_fix(v);
}

static inline pte_t pte_modify(pte_t e, unsigned int prot, int level)
{
	pte_t n = pte_make(pte_pfn(e), prot, level);
	u64 keep = LA64_PTE_YOUNG | LA64_PTE_DIRTY | LA64_PTE_SPECIAL;

	return __pte_fix((n.v & ~keep) | (e.v & keep));
}

static inline pte_t pte_mkclean(pte_t e) { return __pte_fix(e.v & ~LA64_PTE_DIRTY); }
static inline pte_t pte_mkdirty(pte_t e) { return __pte_fix(e.v | LA64_PTE_DIRTY); }
static inline pte_t pte_mkold(pte_t e) { return __pte_fix(e.v & ~LA64_PTE_YOUNG); }
static inline pte_t pte_mkyoung(pte_t e) { return __pte_fix(e.v | LA64_PTE_YOUNG); }
static inline pte_t pte_wrprotect(pte_t e) { return __pte_fix(e.v & ~LA64_PTE_WRITE); }
static inline pte_t pte_mkwrite(pte_t e) { return __pte_fix(e.v | LA64_PTE_WRITE); }
static inline pte_t pte_mkspecial(pte_t e) { return (pte_t){ e.v | LA64_PTE_SPECIAL }; }

static inline pte_t pte_make_table(phys_addr_t table)
{
	return (pte_t){ table | DIRECT_MAP_START };
}

static inline pte_t *pte_table(pte_t e)
{
	return (pte_t *)e.v;
}

static inline pte_t pte_make_swap(unsigned int type, u64 offset)
{
	return (pte_t){ (u64)type << 8 | (offset & ((1ULL << PTE_SWAP_OFFSET_BITS) - 1)) << PAGE_SHIFT | LA64_PTE_SWAP };
}

static inline unsigned int pte_swap_type(pte_t e)
{
	return e.v >> 8 & (PTE_SWAP_TYPES - 1);
}

static inline u64 pte_swap_offset(pte_t e)
{
	return (e.v >> PAGE_SHIFT) & ((1ULL << PTE_SWAP_OFFSET_BITS) - 1);
}
