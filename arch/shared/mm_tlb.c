// SPDX-License-Identifier: MIT
/*
 * Address spaces and TLBs where a CPU's ids of spaces (PCID, ASID) are its own affair.
 *
 * Each CPU knows which space is loaded, whether it is only lazily so, and for each of its slots, an id each, which space (ctx_id) and up to which
 * generation (tlb_gen) the TLB is clean. Without ids there is one slot and each load of a root flushes.
 *
 * Order: a changer raises mm->tlb_gen after it wrote the tables and then looks at mm->cpus and the lazy flags; a CPU that
 * loads a space or leaves lazy mode sets its bit or clears the flag and then reads tlb_gen. Full barriers on both sides.
 *
 * arch_cpu/tlb.h gives TLB_SLOTS and tlb_nr_slots(), how many of them are used; tlb_load(mm, slot, flush); tlb_load_kernel(), no space;
 * tlb_flush_slot(mm, slot); tlb_flush_page(slot, va) and tlb_pages(slot), whether that works there; tlb_flush_local_page(va), of the space that is
 * loaded; tlb_flush_kernel_page(va) and tlb_flush_kernel(), for every id; tlb_switched(), what else is due where a CPU loads a space. Where
 * TLB_FIRMWARE is defined, tlb_flush_others(targets, start, end, everything) does what other CPUs are interrupted for elsewhere; it does not tell
 * those CPUs up to which generation they are clean: such a CPU flushes once more when it next loads the space, which is never wrong.
 */
#include <arch/mmu.h>
#include <arch/barrier.h>
#include <arch/irqflags.h>
#include <abi/errno.h>
#include <alloc/page.h>
#include <kernel/bug.h>
#include <kernel/cpumask.h>
#include <kernel/irq.h>
#include <kernel/preempt.h>
#include <lib/string.h>
#include <arch_cpu/tlb.h>
#include "arch/shared/tlb.h"

#define FLUSH_PAGES_MAX 32

struct tlb_slot {
	u64 ctx_id, gen;
};

struct tlb_state {		/* this CPU's, interrupts off; lazy and loaded are read by others */
	struct arch_mm *loaded;	/* NULL: the kernel's own tables */
	bool lazy;
	u8 slot, next_slot;
	struct tlb_slot slots[TLB_SLOTS];
};
static DEFINE_PER_CPU_ALIGNED(struct tlb_state, tlb_state);
static u64 next_ctx_id = 1;	/* atomic */

int arch_mm_init(struct arch_mm *mm)
{
	memset(mm, 0, offsetof(struct arch_mm, cpus) + cpumask_size());
	mm->pgd = (pte_t *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!mm->pgd)
		return -ENOMEM;
	arch_pt_copy_kernel(mm->pgd);
	mm->ctx_id = __atomic_fetch_add(&next_ctx_id, 1, __ATOMIC_RELAXED);
	return 0;
}

static void mask_set(struct arch_mm *mm, unsigned int cpu)
{
	__atomic_fetch_or(&mm->cpus[cpu / 64], 1ULL << (cpu % 64), __ATOMIC_SEQ_CST);
}

static void mask_clear(struct arch_mm *mm, unsigned int cpu)
{
	__atomic_fetch_and(&mm->cpus[cpu / 64], ~(1ULL << (cpu % 64)), __ATOMIC_SEQ_CST);
}

/* The slot that holds NEXT, or a new one; *FLUSH: its entries are not to be trusted. */
static unsigned int choose_slot(struct tlb_state *t, const struct arch_mm *next, u64 gen, bool *flush)
{
	unsigned int s;

	if (TLB_SLOTS > 8) {		/* too many to look through: each space has its place */
		s = next->ctx_id % TLB_SLOTS;
		*flush = t->slots[s].ctx_id != next->ctx_id || t->slots[s].gen != gen;
		return s;
	}
	for (s = 0; s < tlb_nr_slots(); s++)
		if (t->slots[s].ctx_id == next->ctx_id) {
			*flush = t->slots[s].gen != gen;
			return s;
		}
	s = t->next_slot;
	t->next_slot = (u8)((s + 1) % tlb_nr_slots());
	*flush = true;
	return s;
}

void arch_switch_kernel_mm(void)
{
	unsigned long flags = arch_irq_save();
	struct tlb_state *t = this_cpu_ptr(&tlb_state);

	if (t->loaded) {
		tlb_load_kernel();
		mask_clear(t->loaded, arch_cpu_number());
		WRITE_ONCE(t->loaded, NULL);
		WRITE_ONCE(t->lazy, false);
	}
	arch_irq_restore(flags);
}

void arch_switch_mm(struct arch_mm *prev, struct arch_mm *next, struct task *task)
{
	struct tlb_state *t = this_cpu_ptr(&tlb_state);
	unsigned int cpu = arch_cpu_number(), slot;
	bool flush;
	u64 gen;

	if (t->loaded == next) {
		if (!t->lazy)
			return;
		WRITE_ONCE(t->lazy, false);
		smp_mb();		/* pairs with the changer's */
		gen = READ_ONCE(next->tlb_gen);
		if (t->slots[t->slot].gen != gen) {
			t->slots[t->slot].gen = gen;
			tlb_flush_slot(next, t->slot);
		}
		return;
	}
	mask_set(next, cpu);		/* before the read of tlb_gen: a full barrier */
	gen = __atomic_load_n(&next->tlb_gen, __ATOMIC_SEQ_CST);
	slot = choose_slot(t, next, gen, &flush);
	t->slots[slot] = (struct tlb_slot){ next->ctx_id, gen };
	t->slot = (u8)slot;
	tlb_load(next, slot, flush);
	if (t->loaded)
		mask_clear(t->loaded, cpu);
	/* In this order: who sees NEXT loaded sees that it is in use, and does not take the laziness of the one before for its own. */
	WRITE_ONCE(t->lazy, false);
	smp_store_release(&t->loaded, next);
	tlb_switched();
}

struct arch_mm *tlb_loaded(void)
{
	return this_cpu_read(tlb_state.loaded);
}

void arch_enter_lazy_mm(struct arch_mm *mm)
{
	struct tlb_state *t = this_cpu_ptr(&tlb_state);

	if (t->loaded)
		WRITE_ONCE(t->lazy, true);
}

struct flush {
	struct arch_mm *mm;
	unsigned long start, end, stride;
	u64 gen;
	bool freed_tables;
};

static bool pages_alone(const struct flush *f)
{
	return (f->end - f->start) / f->stride <= FLUSH_PAGES_MAX && !f->freed_tables;
}

static void flush_this_cpu(void *arg)
{
	const struct flush *f = arg;
	struct tlb_state *t = this_cpu_ptr(&tlb_state);
	struct tlb_slot *s = &t->slots[t->slot];
	u64 gen;

	if (t->loaded != f->mm)
		return;
	if (t->lazy) {
		/* Off these tables altogether, since some are about to be freed. */
		arch_switch_kernel_mm();
		return;
	}
	gen = READ_ONCE(f->mm->tlb_gen);
	if (s->gen == gen)
		return;
	if (f->gen == s->gen + 1 && f->gen == gen && pages_alone(f) && tlb_pages(t->slot)) {
		for (unsigned long a = f->start; a < f->end; a += f->stride)
			tlb_flush_page(t->slot, a);
	} else {
		tlb_flush_slot(f->mm, t->slot);
	}
	s->gen = gen;
}

#ifndef TLB_FIRMWARE
static void flush_others(const struct cpumask *targets, struct flush *f)
{
	WARN_ON_ONCE(arch_irqs_disabled());
	smp_call_function_many(targets, flush_this_cpu, f, true);
}
#else
static void flush_others(const struct cpumask *targets, struct flush *f)
{
	tlb_flush_others(targets, f->start, f->end, !pages_alone(f));
}
#endif

static bool wants_flush(const struct flush *f, unsigned int cpu)
{
	const struct tlb_state *t = per_cpu_ptr(&tlb_state, cpu);

	return f->freed_tables || smp_load_acquire(&t->loaded) != f->mm || !READ_ONCE(t->lazy);
}

void arch_tlb_flush_mm_range(struct arch_mm *mm, unsigned long start, unsigned long end, unsigned long stride,
			     bool freed_tables)
{
	struct flush f = { mm, start & ~(stride - 1), end, stride, 0, freed_tables };
	struct cpumask targets;
	unsigned long flags;
	unsigned int me;

	preempt_disable();
	me = arch_cpu_number();
	f.gen = __atomic_add_fetch(&mm->tlb_gen, 1, __ATOMIC_SEQ_CST);
	cpumask_clear(&targets);
	for (unsigned int w = 0; w < nr_cpu_words; w++) {
		u64 bits = __atomic_load_n(&mm->cpus[w], __ATOMIC_SEQ_CST);

		for (; bits; bits &= bits - 1) {
			unsigned int cpu = w * 64 + (unsigned int)__builtin_ctzll(bits);

			if (cpu != me && wants_flush(&f, cpu))
				__cpumask_set_cpu(cpu, &targets);
		}
	}
	if (!cpumask_empty(&targets))
		flush_others(&targets, &f);
	flags = arch_irq_save();
	flush_this_cpu(&f);
	arch_irq_restore(flags);
	preempt_enable();
}

void arch_tlb_flush_local_page(struct arch_mm *mm, unsigned long addr)
{
	tlb_flush_local_page(addr);
}

static void leave_space(void *arg)
{
	if (this_cpu_read(tlb_state.loaded) == arg)
		arch_switch_kernel_mm();
}

void arch_mm_destroy(struct arch_mm *mm)
{
	struct cpumask targets;
	unsigned int me;

	preempt_disable();
	leave_space(mm);
	me = arch_cpu_number();
	for (unsigned int w = 0; w < nr_cpu_words; w++)
		targets.bits[w] = __atomic_load_n(&mm->cpus[w], __ATOMIC_SEQ_CST);
	__cpumask_clear_cpu(me, &targets);
	if (!cpumask_empty(&targets))
		smp_call_function_many(&targets, leave_space, mm, true);
	preempt_enable();
	free_page((unsigned long)mm->pgd);
	mm->pgd = NULL;
}

struct kernel_flush {
	unsigned long start, end;
};

static void flush_kernel_here(void *arg)
{
	const struct kernel_flush *f = arg;

	if ((f->end - f->start) >> PAGE_SHIFT <= 4 * FLUSH_PAGES_MAX) {
		for (unsigned long a = f->start; a < f->end; a += PAGE_SIZE)
			tlb_flush_kernel_page(a);
	} else {
		tlb_flush_kernel();
	}
}

#ifndef TLB_FIRMWARE
static void flush_kernel_everywhere(struct kernel_flush *f)
{
	if (num_online_cpus() > 1)
		on_each_cpu(flush_kernel_here, f, true);
	else
		flush_kernel_here(f);
}
#else
static void flush_kernel_everywhere(struct kernel_flush *f)
{
	struct cpumask others;

	preempt_disable();
	cpumask_copy(&others, cpu_online_mask);
	__cpumask_clear_cpu(arch_cpu_number(), &others);
	flush_kernel_here(f);
	if (!cpumask_empty(&others))
		tlb_flush_others(&others, f->start, f->end, (f->end - f->start) >> PAGE_SHIFT > 4 * FLUSH_PAGES_MAX);
	preempt_enable();
}
#endif

void arch_tlb_flush_kernel_range(unsigned long start, unsigned long end)
{
	struct kernel_flush f = { start & PAGE_MASK, end };

	flush_kernel_everywhere(&f);
}
