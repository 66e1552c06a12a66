// SPDX-License-Identifier: MIT
/*
 * Patching kernel text. Text is never writable where it runs: words go in through a page of our own, mapped for the moment. Sites are
 * aligned words, so other CPUs run the old instruction or the new one, until fence.i makes it the new one.
 */
#include <arch/module.h>
#include <arch/patch.h>
#include <arch/irqflags.h>
#include <arch/mmu.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/spinlock.h>
#include <kernel/static_key.h>
#include <lib/string.h>
#include <arch_cpu/kernel_maps.h>
#include "arch/riscv64/rv_priv.h"

static DEFINE_SPINLOCK(poke_lock);
static pte_t *poke_pte;			/* constant once made: of TEXT_POKE_VA */

static void flush_poke(void)
{
	__asm__ volatile("sfence.vma %0, x0" : : "r"(TEXT_POKE_VA) : "memory");
}

void arch_text_poke(void *addr, const void *code, size_t len)
{
	const u32 *words = code;
	unsigned long flags;

	BUG_ON((unsigned long)addr & 3 || len & 3);
	spin_lock_irqsave(&poke_lock, flags);
	for (size_t i = 0; i < len / 4; i++) {
		unsigned long at = (unsigned long)addr + i * 4;

		ptep_set(poke_pte, pte_make(PFN_DOWN(image_to_phys((void *)at)), PTE_P_KERNEL, 0));
		flush_poke();
		*(volatile u32 *)(TEXT_POKE_VA + offset_in_page(at)) = words[i];
		ptep_set(poke_pte, PTE_NONE);
		flush_poke();
	}
	__asm__ volatile("fence rw, rw; fence.i" : : : "memory");
	if (num_online_cpus() > 1)
		rv_sbi_fence_i(cpu_online_mask);
	spin_unlock_irqrestore(&poke_lock, flags);
}

/* The program may run it on any CPU. */
void arch_code_written(const void *p, size_t n)
{
	__asm__ volatile("fence rw, rw; fence.i" : : : "memory");
	if (num_online_cpus() > 1)
		rv_sbi_fence_i(cpu_online_mask);
}

void arch_module_text_written(const void *text, size_t n)
{
	arch_code_written(text, n);
}

void arch_jump_patch(const struct jump_entry *e, bool jump)
{
	unsigned long at = jump_entry_code(e);
	u32 code = 0x13;		/* nop */

	if (at >= (unsigned long)__init_begin && at < (unsigned long)__init_end && system_state >= SYSTEM_RUNNING)
		return;			/* given back with init's memory */
	if (jump) {
		u32 off = (u32)(jump_entry_target(e) - at);

		code = 0x6f | (off & 0xff000) | (off & 0x800) << 9 | (off & 0x7fe) << 20 | (off & 0x100000) << 11;	/* j */
	}
	if (*(const u32 *)at != code)
		arch_text_poke((void *)at, &code, 4);
}

/* There are no alternatives here; branch sites are compiled for one state of their key, what the keys are now is the truth. */
void __init arch_apply_alternatives(void)
{
	int level;

	if (arch_map_kernel(TEXT_POKE_VA, 0, PAGE_SIZE, PTE_P_KERNEL_RO))
		panic("patch: no memory for the alias");
	poke_pte = arch_kernel_pte(TEXT_POKE_VA, &level);
	ptep_set(poke_pte, PTE_NONE);
	flush_poke();
	for (const struct jump_entry *e = __start_jump_table; e < __stop_jump_table; e++) {
		const struct static_key *k = jump_entry_key(e);

		arch_jump_patch(e, atomic_read(&k->enabled) > 0);
	}
}
