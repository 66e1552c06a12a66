// SPDX-License-Identifier: MIT
/*
 * Address spaces and TLBs of the one CPU. A space has one of NR_SLOTS contexts, by its number; slots[] says whose entries the TLB may
 * hold there. Context 0 is the kernel's. Spaces that are not loaded are forgotten as a whole when they change.
 */
#include <arch/mmu.h>
#include <arch/barrier.h>
#include <arch/irqflags.h>
#include <abi/errno.h>
#include <alloc/page.h>
#include <kernel/init.h>
#include <kernel/preempt.h>
#include "arch/sparc64/sparc_priv.h"

#define NR_SLOTS 4096		/* contexts, of 8191; not a page */
#define FLUSH_PAGES_MAX 64
#define TLB_ENTRIES 64

static u64 slots[NR_SLOTS];	/* ctx_id; interrupts off */
static struct arch_mm *loaded;	/* NULL: the kernel's own; interrupts off */
static u64 next_ctx_id = 1;	/* atomic */

int arch_mm_init(struct arch_mm *mm)
{
	*mm = (struct arch_mm){ 0 };
	mm->pgd = (pte_t *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!mm->pgd)
		return -ENOMEM;
	mm->ctx_id = __atomic_fetch_add(&next_ctx_id, 1, __ATOMIC_RELAXED);
	return 0;
}

static unsigned int slot_of(const struct arch_mm *mm)
{
	return mm->ctx_id % NR_SLOTS;
}

/* WHERE: an address, and what of it (DEMAP_). */
static void demap(unsigned long where)
{
	asi_write(0, ASI_DTLB_DEMAP, where);
	asi_write(0, ASI_ITLB_DEMAP, where);
}

static void load(u64 root, u64 context)
{
	trap_block.user_root = root;
	trap_block.context = context;
	asi_write(context, ASI_DMMU, MMU_SECONDARY);
}

void arch_switch_kernel_mm(void)
{
	unsigned long flags = arch_irq_save();

	loaded = NULL;
	load(image_to_phys(empty_root), 0);
	arch_irq_restore(flags);
}

void arch_switch_mm(struct arch_mm *prev, struct arch_mm *next, struct task *task)
{
	unsigned int slot = slot_of(next);

	if (loaded == next)
		return;
	loaded = next;
	load(virt_to_phys(next->pgd), slot + 1);
	if (slots[slot] != next->ctx_id) {
		demap(DEMAP_CONTEXT | DEMAP_SECONDARY);
		slots[slot] = next->ctx_id;
	}
}

/* The kernel has a context of its own: whose tables users had does not matter meanwhile. */
void arch_enter_lazy_mm(struct arch_mm *mm)
{
}

void arch_tlb_flush_mm_range(struct arch_mm *mm, unsigned long start, unsigned long end, unsigned long stride,
			     bool freed_tables)
{
	unsigned long flags = arch_irq_save();

	mm->tlb_gen++;
	start &= ~(stride - 1);
	if (loaded != mm) {
		if (slots[slot_of(mm)] == mm->ctx_id)
			slots[slot_of(mm)] = 0;
	} else if (!freed_tables && (end - start) / stride <= FLUSH_PAGES_MAX) {
		for (unsigned long a = start; a < end; a += stride)
			demap((a & PAGE_MASK) | DEMAP_SECONDARY);
	} else {
		demap(DEMAP_CONTEXT | DEMAP_SECONDARY);
	}
	arch_irq_restore(flags);
}

void arch_tlb_flush_local_page(struct arch_mm *mm, unsigned long addr)
{
	sparc_forget_user_page(addr);
}

void sparc_forget_user_page(unsigned long addr)
{
	demap((addr & PAGE_MASK) | DEMAP_SECONDARY);
}

void arch_mm_destroy(struct arch_mm *mm)
{
	unsigned long flags = arch_irq_save();

	if (loaded == mm)
		arch_switch_kernel_mm();
	if (slots[slot_of(mm)] == mm->ctx_id)
		slots[slot_of(mm)] = 0;
	arch_irq_restore(flags);
	free_page((unsigned long)mm->pgd);
	mm->pgd = NULL;
}

void arch_tlb_flush_kernel_range(unsigned long start, unsigned long end)
{
	start &= PAGE_MASK;
	if ((end - start) >> PAGE_SHIFT > 4 * FLUSH_PAGES_MAX) {
		demap(DEMAP_CONTEXT | DEMAP_NUCLEUS);
		return;
	}
	for (unsigned long a = start; a < end; a += PAGE_SIZE)
		demap(a | DEMAP_NUCLEUS);
}

/*
 * The miss handlers themselves may not miss: one locked entry of 64 KiB shows the trap table and the code that it branches to, to be executed
 * alone. All other entries go.
 */
void __init sparc_empty_tlbs(void)
{
	unsigned long flags = arch_irq_save(), va = (unsigned long)trap_table & ~0xffffUL;

	asi_write(va, ASI_IMMU, MMU_TAG);
	asi_write(TTE_VALID | TTE_64K | va | TTE_LOCKED | TTE_CACHED | TTE_PRIV, ASI_ITLB_ENTRY, (TLB_ENTRIES - 1) * 8);
	for (unsigned long i = 0; i < TLB_ENTRIES; i++) {
		asi_write(0, ASI_DTLB_ENTRY, i * 8);
		if (i < TLB_ENTRIES - 1)
			asi_write(0, ASI_ITLB_ENTRY, i * 8);
	}
	arch_irq_restore(flags);
}
