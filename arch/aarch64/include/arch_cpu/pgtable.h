/* SPDX-License-Identifier: MIT */
/*
 * Arm ARM, D8.3 (VMSAv8-64 descriptors, 4 KiB granule). The two root tables are apart: a user's is all user, the kernel's all
 * kernel. The CPU is not asked to keep young and dirty: an access to an old entry faults and arch marks it, and a
 * writable entry is read-only for the CPU until its first write made it dirty (mm_fault.c), so the contract's
 * "the CPU writes them" holds for everybody above.
 *   bit 51 writable (DBM's place), 55 dirty, 56 special, 57 swap, 58 protnone, 59 executable (a user's: mm_cache.c).
 * A swap entry: bit 0 and 58 clear, 57 set; type in bits 2..6, offset in bits 12..51.
 */
#pragma once

#include <arch_cpu/page.h>

#define ARCH_PT_LEVELS 4
#define PT_ENTRY_BITS 9
#define PT_ENTRIES 512
#define ARCH_PT_USER_ROOT_ENTRIES 512
#define ARCH_PT_KERNEL_ROOT_FIRST 0
#define PTE_LEAF_LEVELS 0x7U

#define A64_PTE_VALID (1ULL << 0)
#define A64_PTE_TABLE (1ULL << 1)	/* also: page on level 0 */
#define A64_PTE_ATTR(n) ((u64)(n) << 2)
#define A64_PTE_USER (1ULL << 6)
#define A64_PTE_RDONLY (1ULL << 7)
#define A64_PTE_SHARED (3ULL << 8)
#define A64_PTE_AF (1ULL << 10)
#define A64_PTE_NG (1ULL << 11)
#define A64_PTE_GP (1ULL << 50)		/* guarded: FEAT_BTI */
#define A64_PTE_WRITE (1ULL << 51)
#define A64_PTE_PXN (1ULL << 53)
#define A64_PTE_UXN (1ULL << 54)
#define A64_PTE_DIRTY (1ULL << 55)
#define A64_PTE_SPECIAL (1ULL << 56)
#define A64_PTE_SWAP (1ULL << 57)
#define A64_PTE_PROTNONE (1ULL << 58)
#define A64_PTE_EXEC (1ULL << 59)
#define A64_PTE_FRAME 0x0000fffffffff000ULL

/* Indices in MAIR_EL1, as head.S sets it. */
#define A64_ATTR_NORMAL 0
#define A64_ATTR_DEVICE 1
#define A64_ATTR_NC 2

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
static inline bool pte_protnone(pte_t e) { return (e.v & (A64_PTE_VALID | A64_PTE_PROTNONE)) == A64_PTE_PROTNONE; }
static inline bool pte_present(pte_t e) { return e.v & (A64_PTE_VALID | A64_PTE_PROTNONE); }
static inline bool pte_is_swap(pte_t e) { return e.v && !pte_present(e); }
static inline bool pte_leaf(pte_t e, int level) { return pte_present(e) && (level == 0 || !(e.v & A64_PTE_TABLE)); }
static inline bool pte_write(pte_t e) { return e.v & A64_PTE_WRITE; }
static inline bool pte_user(pte_t e) { return e.v & A64_PTE_USER; }
static inline bool pte_exec(pte_t e) { return pte_user(e) ? !!(e.v & A64_PTE_EXEC) : !(e.v & A64_PTE_PXN); }
static inline bool pte_dirty(pte_t e) { return e.v & A64_PTE_DIRTY; }
static inline bool pte_young(pte_t e) { return e.v & A64_PTE_AF; }
static inline bool pte_special(pte_t e) { return e.v & A64_PTE_SPECIAL; }
static inline unsigned long pte_pfn(pte_t e) { return (e.v & A64_PTE_FRAME) >> PAGE_SHIFT; }

/* FEAT_BTI, with PROT_BTI. Constant once detected. */
extern bool a64_has_bti;
#define ARCH_PROT_GUARDED (a64_has_bti ? 0x10UL : 0UL)

/* Instructions are fetched as they were written, without our help. Constant once detected. */
extern bool a64_fetch_coherent;

/* The hardware's write permission follows from writable and dirty. */
static inline pte_t __pte_fix(u64 v)
{
	if ((v & (A64_PTE_WRITE | A64_PTE_DIRTY)) == (A64_PTE_WRITE | A64_PTE_DIRTY))
		return (pte_t){ v & ~A64_PTE_RDONLY };
	return (pte_t){ v | A64_PTE_RDONLY };
}

static inline pte_t pte_make(unsigned long pfn, unsigned int prot, int level)
{
	u64 v = (u64)pfn << PAGE_SHIFT | A64_PTE_AF | A64_PTE_SHARED | (level ? 0 : A64_PTE_TABLE);

	if (!(prot & (PTE_P_READ | PTE_P_WRITE | PTE_P_EXEC)))
		return (pte_t){ v | A64_PTE_PROTNONE | A64_PTE_RDONLY | A64_PTE_PXN | A64_PTE_UXN | A64_PTE_NG };
	v |= A64_PTE_VALID;
	if (prot & PTE_P_WRITE)
		v |= A64_PTE_WRITE;
	if (prot & PTE_P_USER)
		v |= A64_PTE_USER | A64_PTE_PXN | A64_PTE_NG | (prot & PTE_P_EXEC ? A64_PTE_EXEC : 0) |
		     (prot & PTE_P_EXEC && a64_fetch_coherent ? 0 : A64_PTE_UXN);
	else
		v |= A64_PTE_UXN | (prot & PTE_P_EXEC ? 0 : A64_PTE_PXN) | (prot & PTE_P_WRITE ? A64_PTE_DIRTY : 0) |
		     (prot & PTE_P_GLOBAL ? 0 : A64_PTE_NG);
	if (prot & PTE_P_GUARDED)
		v |= A64_PTE_GP;
	if (prot & PTE_P_NOCACHE)
		v |= A64_PTE_ATTR(A64_ATTR_DEVICE);
	else if (prot & PTE_P_WC)
		v |= A64_PTE_ATTR(A64_ATTR_NC);
	else
		v |= A64_PTE_ATTR(A64_ATTR_NORMAL);
	return __pte_fix(v);
}

static inline pte_t pte_modify(pte_t e, unsigned int prot, int level)
{
	pte_t n = pte_make(pte_pfn(e), prot, level);
	u64 keep = A64_PTE_AF | A64_PTE_DIRTY | A64_PTE_SPECIAL;

	return __pte_fix((n.v & ~keep) | (e.v & keep));
}

static inline pte_t pte_mkclean(pte_t e) { return __pte_fix(e.v & ~A64_PTE_DIRTY); }
static inline pte_t pte_mkdirty(pte_t e) { return __pte_fix(e.v | A64_PTE_DIRTY); }
static inline pte_t pte_mkold(pte_t e) { return (pte_t){ e.v & ~A64_PTE_AF }; }
static inline pte_t pte_mkyoung(pte_t e) { return (pte_t){ e.v | A64_PTE_AF }; }
static inline pte_t pte_wrprotect(pte_t e) { return __pte_fix(e.v & ~A64_PTE_WRITE); }
static inline pte_t pte_mkwrite(pte_t e) { return __pte_fix(e.v | A64_PTE_WRITE); }
static inline pte_t pte_mkspecial(pte_t e) { return (pte_t){ e.v | A64_PTE_SPECIAL }; }

static inline pte_t pte_make_table(phys_addr_t table)
{
	return (pte_t){ table | A64_PTE_VALID | A64_PTE_TABLE };
}

static inline pte_t *pte_table(pte_t e)
{
	return phys_to_virt(e.v & A64_PTE_FRAME);
}

static inline pte_t pte_make_swap(unsigned int type, u64 offset)
{
	return (pte_t){ (u64)type << 2 | (offset & ((1ULL << PTE_SWAP_OFFSET_BITS) - 1)) << PAGE_SHIFT | A64_PTE_SWAP };
}

static inline unsigned int pte_swap_type(pte_t e)
{
	return e.v >> 2 & (PTE_SWAP_TYPES - 1);
}

static inline u64 pte_swap_offset(pte_t e)
{
	return (e.v >> PAGE_SHIFT) & ((1ULL << PTE_SWAP_OFFSET_BITS) - 1);
}
