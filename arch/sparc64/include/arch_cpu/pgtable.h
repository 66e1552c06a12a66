/* SPDX-License-Identifier: MIT */
/*
 * An entry of level 0 is what the TLB takes (UltraSPARC IIi User's Manual, 15.2: TTE data); the tables are software's, walked by the
 * miss handlers (entry.S) at physical addresses. A table's entry is that address and nothing else. The CPU keeps neither young nor
 * dirty: an entry that is not young is not valid, one that is not dirty may not be written, and arch marks them in the fault.
 *   hardware: 63 valid, 61-62 size, 5 4 cacheable, 3 side effect, 2 privileged, 1 writable
 *   ours: 7 present, 8 writable, 9 dirty, 10 executable, 11 special, 12 protnone, 50 young, 51 swap
 * A swap entry: 51 set, 63 and 7 clear; type in bits 52..56, offset in bits 8..47.
 */
#pragma once

#include <arch_cpu/page.h>

#define ARCH_PT_LEVELS 3
#define PT_ENTRY_BITS 10
#define PT_ENTRIES 1024
#define ARCH_PT_USER_ROOT_ENTRIES 1024
#define ARCH_PT_KERNEL_ROOT_FIRST 0
#define PTE_LEAF_LEVELS 0x1U

#define TTE_VALID (1ULL << 63)
#define TTE_64K (1ULL << 61)
#define TTE_LOCKED (1ULL << 6)
#define TTE_SWAP (1ULL << 51)
#define TTE_YOUNG (1ULL << 50)
#define TTE_PROTNONE (1ULL << 12)	/* not a page */
#define TTE_SPECIAL (1ULL << 11)
#define TTE_EXEC (1ULL << 10)
#define TTE_DIRTY (1ULL << 9)
#define TTE_WRITE (1ULL << 8)
#define TTE_PRESENT (1ULL << 7)
#define TTE_CACHED (3ULL << 4)
#define TTE_SIDE_EFFECT (1ULL << 3)
#define TTE_PRIV (1ULL << 2)
#define TTE_HW_WRITE (1ULL << 1)
#define TTE_FRAME 0x000001ffffffe000ULL

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
static inline bool pte_protnone(pte_t e) { return e.v & TTE_PROTNONE && e.v & TTE_PRESENT; }
static inline bool pte_present(pte_t e) { return e.v && !(e.v & TTE_SWAP); }
static inline bool pte_is_swap(pte_t e) { return e.v & TTE_SWAP; }
static inline bool pte_leaf(pte_t e, int level) { return pte_present(e) && e.v & TTE_PRESENT; }
static inline bool pte_write(pte_t e) { return e.v & TTE_WRITE; }
static inline bool pte_user(pte_t e) { return !(e.v & TTE_PRIV); }
static inline bool pte_exec(pte_t e) { return e.v & TTE_EXEC; }
static inline bool pte_dirty(pte_t e) { return e.v & TTE_DIRTY; }
static inline bool pte_young(pte_t e) { return e.v & TTE_YOUNG; }
static inline bool pte_special(pte_t e) { return e.v & TTE_SPECIAL; }
static inline unsigned long pte_pfn(pte_t e) { return (e.v & TTE_FRAME) >> PAGE_SHIFT; }

/* What the hardware may do follows from ours. */
static inline pte_t __pte_fix(u64 v)
{
	v &= ~(TTE_VALID | TTE_HW_WRITE);
	if ((v & (TTE_YOUNG | TTE_PROTNONE)) == TTE_YOUNG)
		v |= TTE_VALID;
	if ((v & (TTE_WRITE | TTE_DIRTY)) == (TTE_WRITE | TTE_DIRTY))
		v |= TTE_HW_WRITE;
	return (pte_t){ v };
}

static inline pte_t pte_make(unsigned long pfn, unsigned int prot, int level)
{
	u64 v = (u64)pfn << PAGE_SHIFT | TTE_PRESENT | TTE_YOUNG;

	if (!(prot & (PTE_P_READ | PTE_P_WRITE | PTE_P_EXEC)))
		return (pte_t){ v | TTE_PROTNONE | TTE_CACHED };
	if (prot & PTE_P_WRITE)
		v |= TTE_WRITE;
	if (prot & PTE_P_EXEC)
		v |= TTE_EXEC;
	if (!(prot & PTE_P_USER))
		v |= TTE_PRIV | (prot & PTE_P_WRITE ? TTE_DIRTY : 0);
	v |= prot & (PTE_P_NOCACHE | PTE_P_WC) ? TTE_SIDE_EFFECT : TTE_CACHED;
	return __pte_fix(v);
}

static inline pte_t pte_modify(pte_t e, unsigned int prot, int level)
{
	pte_t n = pte_make(pte_pfn(e), prot, level);
	u64 keep = TTE_YOUNG | TTE_DIRTY | TTE_SPECIAL;

	return __pte_fix((n.v & ~keep) | (e.v & keep));
}

static inline pte_t pte_mkclean(pte_t e) { return __pte_fix(e.v & ~TTE_DIRTY); }
static inline pte_t pte_mkdirty(pte_t e) { return __pte_fix(e.v | TTE_DIRTY); }
static inline pte_t pte_mkold(pte_t e) { return __pte_fix(e.v & ~TTE_YOUNG); }
static inline pte_t pte_mkyoung(pte_t e) { return __pte_fix(e.v | TTE_YOUNG); }
static inline pte_t pte_wrprotect(pte_t e) { return __pte_fix(e.v & ~TTE_WRITE); }
static inline pte_t pte_mkwrite(pte_t e) { return __pte_fix(e.v | TTE_WRITE); }
static inline pte_t pte_mkspecial(pte_t e) { return (pte_t){ e.v | TTE_SPECIAL }; }

static inline pte_t pte_make_table(phys_addr_t table)
{
	return (pte_t){ table };
}

static inline pte_t *pte_table(pte_t e)
{
	return (pte_t *)phys_to_virt(e.v);
}

static inline pte_t pte_make_swap(unsigned int type, u64 offset)
{
	return (pte_t){ (u64)type << 52 | (offset & ((1ULL << PTE_SWAP_OFFSET_BITS) - 1)) << 8 | TTE_SWAP };
}

static inline unsigned int pte_swap_type(pte_t e)
{
	return e.v >> 52 & (PTE_SWAP_TYPES - 1);
}

static inline u64 pte_swap_offset(pte_t e)
{
	return (e.v >> 8) & ((1ULL << PTE_SWAP_OFFSET_BITS) - 1);
}
