/* SPDX-License-Identifier: MIT */
/*
 * What the CPU side of an address space is: its root table and what TLBs may hold of it.
 *
 * Each change of mappings raises tlb_gen; each CPU remembers the generation up to which its TLB is clean for
 * each address-space id it holds. A CPU that runs the space gets an IPI; a lazy one (kernel thread or idle on borrowed
 * tables) only when page tables are freed, else it catches up when it comes back.
 */
#pragma once

#include <arch/pgtable.h>
#include <arch/cpu.h>

struct arch_mm {
	pte_t *pgd;			/* root table, constant */
	u64 ctx_id;			/* never reused, constant */
	u64 tlb_gen;			/* atomic: generation of the last change */
	u64 cpus[(NR_CPUS + 63) / 64];	/* atomic: CPUs whose TLB may hold entries. Last: what holds a space may be cut after the words in use */
};

struct task;

/* Allocates the root with the kernel half filled. 0 or -ENOMEM. */
int arch_mm_init(struct arch_mm *mm);
/* Frees the root. User tables are gone already and no CPU runs on it (lazy ones are moved off here). */
void arch_mm_destroy(struct arch_mm *mm);

/* Loads NEXT's tables; called with interrupts off by the context switch and by exec. PREV may be NULL. */
void arch_switch_mm(struct arch_mm *prev, struct arch_mm *next, struct task *task);
/* A kernel thread follows a user task and keeps its tables: MM's reference stays with the scheduler's active_mm. */
void arch_enter_lazy_mm(struct arch_mm *mm);
/* Runs on the kernel's own tables (a CPU going down, the last user of a space leaving it). */
void arch_switch_kernel_mm(void);

/*
 * After the entries changed: no CPU uses the old translations of [start, end) any more when this returns.
 * STRIDE is the span of the entries (pt_span(level)). FREED_TABLES: lazy CPUs too, since tables will be freed.
 * May not be called with interrupts off.
 */
void arch_tlb_flush_mm_range(struct arch_mm *mm, unsigned long start, unsigned long end, unsigned long stride,
			     bool freed_tables);
static inline void arch_tlb_flush_mm(struct arch_mm *mm)
{
	arch_tlb_flush_mm_range(mm, 0, ~0UL, PAGE_SIZE, true);
}
void arch_tlb_flush_kernel_range(unsigned long start, unsigned long end);
/* One page on this CPU: a fault that found the entry already good (spurious) or gave more rights. */
void arch_tlb_flush_local_page(struct arch_mm *mm, unsigned long addr);
