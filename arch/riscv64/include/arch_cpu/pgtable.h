/* SPDX-License-Identifier: MIT */
/*
 * RISC-V privileged ISA, 12.3 to 12.6 (Sv39, Sv48, Sv57: entries are the same, the depth is a fact of the boot). One root for both
 * halves. Young and dirty are the CPU's A and D: it writes them itself (Svadu) or faults, and arch writes them (mm_fault.c), so above
 * it looks the same.
 *   bit 8 special. Protnone: V clear, G set, the rest as it was. Swap entry: V and G clear, bit 9 set; type in bits 10..14, offset in
 *   bits 15..54.
 * Svpbmt's memory type is used where the CPU has it; else the machine's physical attributes say it all.
 */
#pragma once

#include <arch_cpu/page.h>

#define ARCH_PT_LEVELS ((int)rv_pt_levels)
#define PT_ENTRY_BITS 9
#define PT_ENTRIES 512
#define ARCH_PT_USER_ROOT_ENTRIES 256
#define ARCH_PT_KERNEL_ROOT_FIRST 256
#define PTE_LEAF_LEVELS 0x7U

#define RV_PTE_V (1ULL << 0)
#define RV_PTE_R (1ULL << 1)
#define RV_PTE_W (1ULL << 2)
#define RV_PTE_X (1ULL << 3)
#define RV_PTE_U (1ULL << 4)
#define RV_PTE_G (1ULL << 5)
#define RV_PTE_A (1ULL << 6)
#define RV_PTE_D (1ULL << 7)
#define RV_PTE_SPECIAL (1ULL << 8)
#define RV_PTE_SWAP (1ULL << 9)
#define RV_PTE_FRAME 0x003ffffffffffc00ULL
#define RV_PTE_PPN_SHIFT 10
#define RV_PBMT_NC (1ULL << 61)
#define RV_PBMT_IO (2ULL << 61)

extern u64 rv_pte_nc, rv_pte_io;		/* the two above, or 0 without Svpbmt */

typedef struct {
	u64 v;
} pte_t;

#define PTE_NONE ((pte_t){ 0 })
#define PTE_SWAP_TYPES 32
#define PTE_SWAP_OFFSET_BITS 40
#define RV_SWAP_OFFSET_SHIFT 15

static inline unsigned int pt_index(unsigned long va, int level)
{
	return (va >> (PAGE_SHIFT + PT_ENTRY_BITS * level)) & (PT_ENTRIES - 1);
}

static inline unsigned long pt_span(int level)
{
	return 1UL << (PAGE_SHIFT + PT_ENTRY_BITS * level);
}

static inline bool pte_none(pte_t e) { return e.v == 0; }
static inline bool pte_protnone(pte_t e) { return (e.v & (RV_PTE_V | RV_PTE_G)) == RV_PTE_G; }
static inline bool pte_present(pte_t e) { return e.v & (RV_PTE_V | RV_PTE_G); }
static inline bool pte_is_swap(pte_t e) { return e.v && !pte_present(e); }
static inline bool pte_leaf(pte_t e, int level)
{
	return pte_present(e) && (level == 0 || (e.v & (RV_PTE_R | RV_PTE_W | RV_PTE_X)) || !(e.v & RV_PTE_V));
}
static inline bool pte_write(pte_t e) { return e.v & RV_PTE_W; }
static inline bool pte_user(pte_t e) { return e.v & RV_PTE_U; }
static inline bool pte_exec(pte_t e) { return e.v & RV_PTE_X; }
static inline bool pte_dirty(pte_t e) { return e.v & RV_PTE_D; }
static inline bool pte_young(pte_t e) { return e.v & RV_PTE_A; }
static inline bool pte_special(pte_t e) { return e.v & RV_PTE_SPECIAL; }
static inline unsigned long pte_pfn(pte_t e) { return (e.v & RV_PTE_FRAME) >> RV_PTE_PPN_SHIFT; }

/* What may be run or written may be read: as on most CPUs, and writable without readable does not exist. */
static inline pte_t pte_make(unsigned long pfn, unsigned int prot, int level)
{
	u64 v = (u64)pfn << RV_PTE_PPN_SHIFT | RV_PTE_A;

	if (!(prot & (PTE_P_READ | PTE_P_WRITE | PTE_P_EXEC)))
		return (pte_t){ v | RV_PTE_G };
	v |= RV_PTE_V | RV_PTE_R;
	if (prot & PTE_P_WRITE)
		v |= RV_PTE_W | (prot & PTE_P_USER ? 0 : RV_PTE_D);
	if (prot & PTE_P_EXEC)
		v |= RV_PTE_X;
	if (prot & PTE_P_USER)
		v |= RV_PTE_U;
	if (prot & PTE_P_GLOBAL)
		v |= RV_PTE_G;
	if (prot & PTE_P_NOCACHE)
		v |= rv_pte_io;
	else if (prot & PTE_P_WC)
		v |= rv_pte_nc;
	return (pte_t){ v };
}

static inline pte_t pte_modify(pte_t e, unsigned int prot, int level)
{
	u64 keep = RV_PTE_A | RV_PTE_D | RV_PTE_SPECIAL;

	return (pte_t){ (pte_make(pte_pfn(e), prot, level).v & ~keep) | (e.v & keep) };
}

static inline pte_t pte_mkclean(pte_t e) { return (pte_t){ e.v & ~RV_PTE_D }; }
static inline pte_t pte_mkdirty(pte_t e) { return (pte_t){ e.v | RV_PTE_D }; }
static inline pte_t pte_mkold(pte_t e) { return (pte_t){ e.v & ~RV_PTE_A }; }
static inline pte_t pte_mkyoung(pte_t e) { return (pte_t){ e.v | RV_PTE_A }; }
static inline pte_t pte_wrprotect(pte_t e) { return (pte_t){ e.v & ~RV_PTE_W }; }
static inline pte_t pte_mkwrite(pte_t e) { return (pte_t){ e.v | RV_PTE_W | RV_PTE_R }; }
static inline pte_t pte_mkspecial(pte_t e) { return (pte_t){ e.v | RV_PTE_SPECIAL }; }

static inline pte_t pte_make_table(phys_addr_t table)
{
	return (pte_t){ table >> PAGE_SHIFT << RV_PTE_PPN_SHIFT | RV_PTE_V };
}

static inline pte_t *pte_table(pte_t e)
{
	return phys_to_virt((phys_addr_t)pte_pfn(e) << PAGE_SHIFT);
}

static inline pte_t pte_make_swap(unsigned int type, u64 offset)
{
	return (pte_t){ (u64)type << RV_PTE_PPN_SHIFT | RV_PTE_SWAP |
			(offset & ((1ULL << PTE_SWAP_OFFSET_BITS) - 1)) << RV_SWAP_OFFSET_SHIFT };
}

static inline unsigned int pte_swap_type(pte_t e)
{
	return e.v >> RV_PTE_PPN_SHIFT & (PTE_SWAP_TYPES - 1);
}

static inline u64 pte_swap_offset(pte_t e)
{
	return (e.v >> RV_SWAP_OFFSET_SHIFT) & ((1ULL << PTE_SWAP_OFFSET_BITS) - 1);
}
