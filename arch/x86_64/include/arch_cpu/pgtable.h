/* SPDX-License-Identifier: MIT */
/*
 * Intel SDM vol. 3A, 4.5 (4-level paging). Software bits: 9 special. A protnone entry has P clear, bit 8 set and its
 * frame inverted (so that no CPU can speculate through it: L1TF); a swap entry has P and bit 8 clear:
 * type in bits 1..5 (bit 7 clear), offset inverted in bits 12..58.
 */
#pragma once

#include <arch_cpu/alternative.h>
#include <arch_cpu/page.h>

#define ARCH_PT_LEVELS 4
#define PT_ENTRY_BITS 9
#define PT_ENTRIES 512
#define ARCH_PT_USER_ROOT_ENTRIES 256
#define ARCH_PT_KERNEL_ROOT_FIRST 256
#define PTE_LEAF_LEVELS 0x7U

#define X86_PTE_P (1ULL << 0)
#define X86_PTE_W (1ULL << 1)
#define X86_PTE_U (1ULL << 2)
#define X86_PTE_PWT (1ULL << 3)
#define X86_PTE_PCD (1ULL << 4)
#define X86_PTE_A (1ULL << 5)
#define X86_PTE_D (1ULL << 6)
#define X86_PTE_PS (1ULL << 7)
#define X86_PTE_G (1ULL << 8)
#define X86_PTE_PROTNONE (1ULL << 8)
#define X86_PTE_SPECIAL (1ULL << 9)
#define X86_PTE_NX (1ULL << 63)
#define X86_PTE_FRAME 0x000ffffffffff000ULL

typedef struct {
	u64 v;
} pte_t;

#define PTE_NONE ((pte_t){ 0 })
#define PTE_SWAP_TYPES 32
#define PTE_SWAP_OFFSET_BITS 40

extern u64 pte_nx_bit;			/* X86_PTE_NX, or 0: reserved on a CPU without it */
extern u64 pte_global_bit;		/* X86_PTE_G, or 0 where global pages must not be */
extern bool pte_has_1g;

/* pte_nx_bit without a load where the CPU has it; the compiler may take it out of a loop. */
static inline u64 pte_nx(void)
{
	u64 bit;

	__asm__(ALTERNATIVE("movq pte_nx_bit(%%rip), %0", "movabsq $0x8000000000000000, %0", X86_FEATURE_NX) : "=r"(bit));
	return bit;
}

static inline unsigned int pt_index(unsigned long va, int level)
{
	return (va >> (PAGE_SHIFT + PT_ENTRY_BITS * level)) & (PT_ENTRIES - 1);
}

static inline unsigned long pt_span(int level)
{
	return 1UL << (PAGE_SHIFT + PT_ENTRY_BITS * level);
}

static inline bool pte_none(pte_t e) { return e.v == 0; }
static inline bool pte_protnone(pte_t e) { return (e.v & (X86_PTE_P | X86_PTE_PROTNONE)) == X86_PTE_PROTNONE; }
static inline bool pte_present(pte_t e) { return e.v & (X86_PTE_P | X86_PTE_PROTNONE); }
static inline bool pte_is_swap(pte_t e) { return e.v && !pte_present(e); }
static inline bool pte_leaf(pte_t e, int level) { return pte_present(e) && (level == 0 || (e.v & X86_PTE_PS)); }
static inline bool pte_write(pte_t e) { return e.v & X86_PTE_W; }
static inline bool pte_exec(pte_t e) { return !(e.v & X86_PTE_NX); }
static inline bool pte_dirty(pte_t e) { return e.v & X86_PTE_D; }
static inline bool pte_young(pte_t e) { return e.v & X86_PTE_A; }
static inline bool pte_user(pte_t e) { return e.v & X86_PTE_U; }
static inline bool pte_special(pte_t e) { return e.v & X86_PTE_SPECIAL; }

static inline unsigned long pte_pfn(pte_t e)
{
	return ((pte_protnone(e) ? ~e.v : e.v) & X86_PTE_FRAME) >> PAGE_SHIFT;
}

static inline pte_t pte_make(unsigned long pfn, unsigned int prot, int level)
{
	u64 v = (u64)pfn << PAGE_SHIFT;
	u64 ps = level ? X86_PTE_PS : 0;

	if (!(prot & (PTE_P_READ | PTE_P_WRITE | PTE_P_EXEC)))
		return (pte_t){ (~v & X86_PTE_FRAME) | X86_PTE_PROTNONE | X86_PTE_A | ps | X86_PTE_NX };
	v |= X86_PTE_P | X86_PTE_A | ps;
	if (prot & PTE_P_WRITE)
		v |= X86_PTE_W;
	v |= (u64)!(prot & PTE_P_EXEC) << 63 & pte_nx();
	if (prot & PTE_P_USER)
		v |= X86_PTE_U;
	else if (prot & PTE_P_WRITE)
		v |= X86_PTE_D;
	if (prot & PTE_P_GLOBAL)
		v |= pte_global_bit;
	if (prot & PTE_P_NOCACHE)
		v |= X86_PTE_PCD | X86_PTE_PWT;
	else if (prot & PTE_P_WC)
		v |= X86_PTE_PWT;
	return (pte_t){ v };
}

static inline pte_t pte_modify(pte_t e, unsigned int prot, int level)
{
	pte_t n = pte_make(pte_pfn(e), prot, level);
	u64 keep = X86_PTE_A | X86_PTE_D | X86_PTE_SPECIAL;

	return (pte_t){ (n.v & ~keep) | (e.v & keep) };
}

static inline pte_t pte_mkclean(pte_t e) { return (pte_t){ e.v & ~X86_PTE_D }; }
static inline pte_t pte_mkdirty(pte_t e) { return (pte_t){ e.v | X86_PTE_D }; }
static inline pte_t pte_mkold(pte_t e) { return (pte_t){ e.v & ~X86_PTE_A }; }
static inline pte_t pte_mkyoung(pte_t e) { return (pte_t){ e.v | X86_PTE_A }; }
static inline pte_t pte_wrprotect(pte_t e) { return (pte_t){ e.v & ~X86_PTE_W }; }
static inline pte_t pte_mkwrite(pte_t e) { return (pte_t){ e.v | X86_PTE_W }; }
static inline pte_t pte_mkspecial(pte_t e) { return (pte_t){ e.v | X86_PTE_SPECIAL }; }

/* Rights of the whole path are the and of all levels: tables give them all. */
static inline pte_t pte_make_table(phys_addr_t table)
{
	return (pte_t){ table | X86_PTE_P | X86_PTE_W | X86_PTE_U | X86_PTE_A };
}

static inline pte_t *pte_table(pte_t e)
{
	return phys_to_virt(e.v & X86_PTE_FRAME);
}

static inline pte_t pte_make_swap(unsigned int type, u64 offset)
{
	return (pte_t){ (u64)type << 1 | (~offset & ((1ULL << PTE_SWAP_OFFSET_BITS) - 1)) << PAGE_SHIFT | X86_PTE_NX };
}

static inline unsigned int pte_swap_type(pte_t e)
{
	return e.v >> 1 & (PTE_SWAP_TYPES - 1);
}

static inline u64 pte_swap_offset(pte_t e)
{
	return (~e.v >> PAGE_SHIFT) & ((1ULL << PTE_SWAP_OFFSET_BITS) - 1);
}
