// SPDX-License-Identifier: MIT
/*
 * Address spaces and TLBs. Invalidation is broadcast by the hardware (TLBI ...IS): no interrupts, no bookkeeping of who holds
 * what. A space gets an address-space id (ASID) for its life; when all are taken, it shares ASID 0 with others
 * of its kind, and each switch to such a space empties this CPU's entries of ASID 0.
 *
 * mm->ctx_id: bits 0..15 the ASID, above a serial number. mm->cpus: CPUs that ever loaded the root; a space that only this CPU has
 * seen is flushed here alone. Order: a changer writes the tables and then reads mm->cpus; a loader sets its bit and then loads the
 * root. Full barriers on both sides.
 */
#include <arch/mmu.h>
#include <arch/irqflags.h>
#include <abi/errno.h>
#include <alloc/page.h>
#include <kernel/cpumask.h>
#include <kernel/irq.h>
#include <kernel/preempt.h>
#include <kernel/spinlock.h>
#include <lib/string.h>
#include "arch/aarch64/a64_priv.h"

#define FLUSH_PAGES_MAX 128
#define TLBI_SHIFT 12		/* the unit of TLBI's addresses, whatever the page; not a page */

static DEFINE_PER_CPU(struct arch_mm *, loaded_mm);	/* NULL: none of a user */
static DEFINE_SPINLOCK(asid_lock);
static u64 asid_map[(1 << 16) / 64];			/* asid_lock: taken ones; 0 is never given */
static unsigned int asid_next = 1;			/* asid_lock */
static u64 next_serial = 1;				/* atomic */

static unsigned int asid_of(const struct arch_mm *mm)
{
	return (unsigned int)mm->ctx_id & 0xffff;
}

static unsigned int asid_alloc(void)
{
	unsigned int n = 1U << a64_asid_bits, found = 0;
	unsigned long flags;

	spin_lock_irqsave(&asid_lock, flags);
	for (unsigned int i = 1; i < n && !found; i++) {
		unsigned int a = asid_next;

		asid_next = asid_next + 1 < n ? asid_next + 1 : 1;
		if (!(asid_map[a / 64] >> (a % 64) & 1)) {
			asid_map[a / 64] |= 1ULL << (a % 64);
			found = a;
		}
	}
	spin_unlock_irqrestore(&asid_lock, flags);
	return found;
}

static void asid_free(unsigned int a)
{
	unsigned long flags;

	if (!a)
		return;
	spin_lock_irqsave(&asid_lock, flags);
	asid_map[a / 64] &= ~(1ULL << (a % 64));
	spin_unlock_irqrestore(&asid_lock, flags);
}

static void flush_asid(unsigned int asid)
{
	__asm__ volatile("dsb ishst; tlbi aside1is, %0; dsb ish; isb" : : "r"((u64)asid << 48) : "memory");
}

int arch_mm_init(struct arch_mm *mm)
{
	memset(mm, 0, offsetof(struct arch_mm, cpus) + cpumask_size());
	mm->pgd = (pte_t *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!mm->pgd)
		return -ENOMEM;
	mm->ctx_id = __atomic_fetch_add(&next_serial, 1, __ATOMIC_RELAXED) << 16 | asid_alloc();
	return 0;
}

static void mask_set(struct arch_mm *mm, unsigned int cpu)
{
	__atomic_fetch_or(&mm->cpus[cpu / 64], 1ULL << (cpu % 64), __ATOMIC_SEQ_CST);
}

enum where { NOWHERE, HERE, ELSEWHERE };

/* Who may hold translations of MM. Preemption is off. */
static enum where seen_by(const struct arch_mm *mm)
{
	unsigned int me = arch_cpu_number();
	u64 here = 0, others = 0;

	__asm__ volatile("dsb ish" : : : "memory");	/* pairs with arch_switch_mm's */
	for (unsigned int w = 0; w < nr_cpu_words; w++) {
		u64 mine = w == me / 64 ? 1ULL << (me % 64) : 0, bits = __atomic_load_n(&mm->cpus[w], __ATOMIC_SEQ_CST);

		here |= bits & mine;
		others |= bits & ~mine;
	}
	return others ? ELSEWHERE : here ? HERE : NOWHERE;
}

static void load_root(phys_addr_t root, unsigned int asid)
{
	write_sysreg(root | (u64)asid << 48, ttbr0_el1);
	isb();
}

void arch_switch_kernel_mm(void)
{
	unsigned long flags = arch_irq_save();
	struct arch_mm *mm = this_cpu_read(loaded_mm);

	if (mm) {
		load_root(image_to_phys(empty_root), 0);
		this_cpu_write(loaded_mm, NULL);
	}
	arch_irq_restore(flags);
}

void arch_switch_mm(struct arch_mm *prev, struct arch_mm *next, struct task *task)
{
	struct arch_mm *old = this_cpu_read(loaded_mm);

	if (old == next)
		return;
	mask_set(next, arch_cpu_number());
	__asm__ volatile("dsb ish" : : : "memory");	/* pairs with seen_by's */
	load_root(virt_to_phys(next->pgd), asid_of(next));
	if (!asid_of(next))
		__asm__ volatile("tlbi aside1, xzr; dsb nsh; isb" : : : "memory");
	this_cpu_write(loaded_mm, next);
}

/* Broadcasts reach a lazy CPU like any other. */
void arch_enter_lazy_mm(struct arch_mm *mm)
{
}

void arch_tlb_flush_mm_range(struct arch_mm *mm, unsigned long start, unsigned long end, unsigned long stride,
			     bool freed_tables)
{
	u64 asid = asid_of(mm);
	enum where where;

	__atomic_fetch_add(&mm->tlb_gen, 1, __ATOMIC_RELAXED);
	start &= ~(stride - 1);
	preempt_disable();
	where = seen_by(mm);
	if (where == NOWHERE)
		goto out;
	if (end <= start || (end - start) / stride > FLUSH_PAGES_MAX) {
		if (where == HERE)
			__asm__ volatile("tlbi aside1, %0; dsb nsh; isb" : : "r"(asid << 48) : "memory");
		else
			flush_asid((unsigned int)asid);
		goto out;
	}
	for (unsigned long a = start; a < end; a += stride) {
		u64 op = asid << 48 | ((a >> TLBI_SHIFT) & ((1ULL << 44) - 1));

		if (where == HERE)
			__asm__ volatile("tlbi vae1, %0" : : "r"(op) : "memory");
		else if (freed_tables)
			__asm__ volatile("tlbi vae1is, %0" : : "r"(op) : "memory");
		else
			__asm__ volatile("tlbi vale1is, %0" : : "r"(op) : "memory");
	}
	__asm__ volatile("dsb ish; isb" : : : "memory");
out:
	preempt_enable();
}

void arch_tlb_flush_local_page(struct arch_mm *mm, unsigned long addr)
{
	u64 op = (u64)asid_of(mm) << 48 | ((addr >> TLBI_SHIFT) & ((1ULL << 44) - 1));

	__asm__ volatile("dsb nshst; tlbi vale1, %0; dsb nsh; isb" : : "r"(op) : "memory");
}

static void leave_space(void *arg)
{
	if (this_cpu_read(loaded_mm) == arg)
		arch_switch_kernel_mm();
}

void arch_mm_destroy(struct arch_mm *mm)
{
	struct cpumask targets;

	preempt_disable();
	leave_space(mm);
	for (unsigned int w = 0; w < nr_cpu_words; w++)
		targets.bits[w] = __atomic_load_n(&mm->cpus[w], __ATOMIC_SEQ_CST);
	__cpumask_clear_cpu(arch_cpu_number(), &targets);
	if (!cpumask_empty(&targets))
		smp_call_function_many(&targets, leave_space, mm, true);
	preempt_enable();
	flush_asid(asid_of(mm));
	asid_free(asid_of(mm));
	free_page((unsigned long)mm->pgd);
	mm->pgd = NULL;
}

void arch_tlb_flush_kernel_range(unsigned long start, unsigned long end)
{
	start &= PAGE_MASK;
	__asm__ volatile("dsb ishst" : : : "memory");
	if ((end - start) >> PAGE_SHIFT > 4 * FLUSH_PAGES_MAX) {
		__asm__ volatile("tlbi vmalle1is" : : : "memory");
	} else {
		for (unsigned long a = start; a < end; a += PAGE_SIZE)
			__asm__ volatile("tlbi vaae1is, %0" : : "r"((a >> TLBI_SHIFT) & ((1ULL << 44) - 1)) : "memory");
	}
	__asm__ volatile("dsb ish; isb" : : : "memory");
}
