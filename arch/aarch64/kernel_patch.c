// SPDX-License-Identifier: MIT
/*
 * Patching kernel text. Text is never writable where it runs: words go in through a page of our
 * own, mapped for the moment. Only no-op and branch are exchanged, which other CPUs may run
 * meanwhile (Arm ARM, B2.2.5): they see one or the other. Alternatives are applied before there are
 * other CPUs.
 */
#include <arch/patch.h>
#include <arch/irqflags.h>
#include <arch/mmu.h>
#include <arch/module.h>
#include <arch_cpu/alternative.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/irq.h>
#include <kernel/spinlock.h>
#include <kernel/static_key.h>
#include <lib/string.h>
#include <arch_cpu/kernel_maps.h>
#include "arch/aarch64/a64_priv.h"

static DEFINE_SPINLOCK(poke_lock);
static pte_t *poke_pte;			/* constant once made: of TEXT_POKE_VA */

static void flush_poke(void)
{
	__asm__ volatile("dsb ishst; tlbi vaae1is, %0; dsb ish; isb"
			 :
			 : "r"(TEXT_POKE_VA >> 12 /* not a page: TLBI's unit */)
			 : "memory");
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
		a64_sync_code(at, 4);
	}
	spin_unlock_irqrestore(&poke_lock, flags);
}

void arch_jump_patch(const struct jump_entry *e, bool jump)
{
	unsigned long at = jump_entry_code(e);
	u32 code = 0xd503201f;		/* nop */

	if (at >= (unsigned long)__init_begin && at < (unsigned long)__init_end &&
	    system_state >= SYSTEM_RUNNING)
		return;			/* given back with init's memory */
	if (jump)
		code = 0x14000000 | ((u32)((long)(jump_entry_target(e) - at) >> 2) & 0x3ffffff);
	if (*(const u32 *)at != code)
		arch_text_poke((void *)at, &code, 4);
}

static bool cpu_has_alt(u32 feature)
{
	return feature == ALT_LSE ? (read_sysreg(id_aa64isar0_el1) >> 20 & 15) >= 2 :
				    /* ID_AA64ISAR2_EL1 */
				    (read_sysreg(s3_0_c0_c6_2) >> 16 & 15) >= 1;
}

bool a64_alts[NR_ALTS] __ro_after_init;

/*
 * Shows the page of AT through the alias and has what was written to the one before fetched; 0:
 * there is no other.
 */
static void __init next_page(unsigned long *mapped, unsigned long at)
{
	ptep_set(poke_pte, PTE_NONE);
	flush_poke();
	if (*mapped)
		a64_sync_code(*mapped, PAGE_SIZE);
	*mapped = at & PAGE_MASK;
	if (!at)
		return;
	ptep_set(poke_pte, pte_make(PFN_DOWN(image_to_phys((void *)at)), PTE_P_KERNEL, 0));
	flush_poke();
}

/*
 * The table is in the order of the text, nearly: a page is mapped once. No atomic operation
 * meanwhile: they are what is patched.
 */
static void __init apply_alternatives(void)
{
	unsigned long mapped = 0;

	for (u32 i = 0; i < NR_ALTS; i++)
		a64_alts[i] = cpu_has_alt(i);
	for (const struct alt_entry *a = __start_alternatives; a < __stop_alternatives; a++) {
		unsigned long at = (unsigned long)&a->site + (long)a->site;

		if (!a64_alts[a->feature])
			continue;
		if ((at & PAGE_MASK) != mapped)
			next_page(&mapped, at);
		*(volatile u32 *)(TEXT_POKE_VA + offset_in_page(at)) = a->code;
	}
	next_page(&mapped, 0);
}

/* Has this CPU what the text was patched to use? Asked before its first atomic operation. */
bool a64_fits_alternatives(void)
{
	for (u32 i = 0; i < NR_ALTS; i++)
		if (a64_alts[i] && !cpu_has_alt(i))
			return false;
	return true;
}

bool arch_module_apply_alternatives(const void *table, size_t size, void *text, size_t text_size)
{
	const struct alt_entry *a = table, *end = &a[size / sizeof(*a)];

	if (((unsigned long)table & 3) || size % sizeof(*a) || text_size < 4)
		return false;
	for (; a < end; a++) {
		unsigned long at = (unsigned long)&a->site + (unsigned long)(long)a->site -
				   (unsigned long)text;

		if (a->feature >= NR_ALTS || (at & 3) || at > text_size - 4)
			return false;
		if (a64_alts[a->feature])
			*(u32 *)((char *)text + at) = a->code;
	}
	return true;
}

static void synchronize(void *none)
{
	isb();
}

/*
 * The caches are done with when a64_sync_code() returns; what other CPUs have fetched already goes
 * at their next isb.
 */
void arch_module_text_written(const void *text, size_t n)
{
	a64_sync_code((unsigned long)text, n);
	on_each_cpu(synchronize, NULL, true);
}

/* Branch sites are compiled for one state of their key, what the keys are now is the truth. */
void __init arch_apply_alternatives(void)
{
	int level;

	if (arch_map_kernel(TEXT_POKE_VA, 0, PAGE_SIZE, PTE_P_KERNEL_RO))
		panic("patch: no memory for the alias");
	poke_pte = arch_kernel_pte(TEXT_POKE_VA, &level);
	apply_alternatives();
	for (const struct jump_entry *e = __start_jump_table; e < __stop_jump_table; e++) {
		const struct static_key *k = jump_entry_key(e);

		arch_jump_patch(e, atomic_read(&k->enabled) > 0);
	}
}
