// SPDX-License-Identifier: MIT
/*
 * Address spaces and TLBs.
 *
 * Each CPU knows which space is loaded, whether it is only lazily so, and for each of its few address-space ids (ASID; they mean
 * something on one CPU only) which space (ctx_id) and up to which generation (tlb_gen) the TLB is clean. Without ASIDs there is one
 * slot and each load of a root flushes.
 *
 * Other CPUs are flushed by the firmware (SBI RFENCE), which does not tell them up to which generation they are clean: such a CPU
 * flushes once more when it next loads the space, which is never wrong.
 *
 * Order: a changer raises mm->tlb_gen after it wrote the tables and then looks at mm->cpus and the lazy flags; a CPU that
 * loads a space or leaves lazy mode sets its bit or clears the flag and then reads tlb_gen. Full barriers on both sides.
 */
#include <arch/mmu.h>
#include <arch/barrier.h>
#include <arch/irqflags.h>
#include <abi/errno.h>
#include <alloc/page.h>
#include <kernel/cpumask.h>
#include <kernel/irq.h>
#include <kernel/preempt.h>
#include <lib/string.h>
#include "arch/riscv64/rv_priv.h"

#define NR_SLOTS 6
#define FLUSH_PAGES_MAX 32

struct tlb_slot {
	u64 ctx_id, gen;
};

struct tlb_state {		/* this CPU's, interrupts off; lazy and loaded are read by others */
	struct arch_mm *loaded;	/* NULL: the kernel's own tables */
	bool lazy;
	u8 slot, next_slot;
	struct tlb_slot slots[NR_SLOTS];
};
static DEFINE_PER_CPU_ALIGNED(struct tlb_state, tlb_state);
static u64 next_ctx_id = 1;	/* atomic */

/* Raised when a page was found executable by a fault; a CPU that loads a space and lags behind fetches its instructions anew. */
static u32 code_gen;		/* atomic */
static DEFINE_PER_CPU(u32, seen_code_gen);

int arch_mm_init(struct arch_mm *mm)
{
	*mm = (struct arch_mm){ 0 };
	mm->pgd = (pte_t *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!mm->pgd)
		return -ENOMEM;
	arch_pt_copy_kernel(mm->pgd);
	mm->ctx_id = __atomic_fetch_add(&next_ctx_id, 1, __ATOMIC_RELAXED);
	return 0;
}

/* ASID 0 is the kernel's own. */
static unsigned int nr_slots(void)
{
	return rv_nr_asids > NR_SLOTS ? NR_SLOTS : 1;
}

static unsigned int asid_of(unsigned int slot)
{
	return rv_nr_asids > NR_SLOTS ? slot + 1 : 0;
}

static void mask_set(struct arch_mm *mm, unsigned int cpu)
{
	__atomic_fetch_or(&mm->cpus[cpu / 64], 1ULL << (cpu % 64), __ATOMIC_SEQ_CST);
}

static void mask_clear(struct arch_mm *mm, unsigned int cpu)
{
	__atomic_fetch_and(&mm->cpus[cpu / 64], ~(1ULL << (cpu % 64)), __ATOMIC_SEQ_CST);
}

static void flush_asid(unsigned int asid)
{
	if (asid)
		__asm__ volatile("sfence.vma x0, %0" : : "r"((unsigned long)asid) : "memory");
	else
		__asm__ volatile("sfence.vma" : : : "memory");
}

static void load_root(const struct arch_mm *mm, unsigned int slot, bool flush)
{
	csr_write(satp, rv_make_satp(virt_to_phys(mm->pgd), asid_of(slot)));
	if (flush || !asid_of(slot))
		flush_asid(asid_of(slot));
}

/* The slot that holds NEXT, or a new one; *FLUSH: its entries are not to be trusted. */
static unsigned int choose_slot(struct tlb_state *t, const struct arch_mm *next, u64 gen, bool *flush)
{
	unsigned int s;

	for (s = 0; s < nr_slots(); s++)
		if (t->slots[s].ctx_id == next->ctx_id) {
			*flush = t->slots[s].gen != gen;
			return s;
		}
	s = t->next_slot;
	t->next_slot = (u8)((s + 1) % nr_slots());
	*flush = true;
	return s;
}

void arch_switch_kernel_mm(void)
{
	unsigned long flags = arch_irq_save();
	struct tlb_state *t = this_cpu_ptr(&tlb_state);

	if (t->loaded) {
		csr_write(satp, rv_make_satp(image_to_phys(kernel_root), 0));
		if (!asid_of(0))
			flush_asid(0);
		mask_clear(t->loaded, arch_cpu_number());
		WRITE_ONCE(t->loaded, NULL);
		WRITE_ONCE(t->lazy, false);
	}
	arch_irq_restore(flags);
}

static void follow_code(void)
{
	u32 now = __atomic_load_n(&code_gen, __ATOMIC_ACQUIRE);

	if (this_cpu_read(seen_code_gen) != now) {
		__this_cpu_write(seen_code_gen, now);
		__asm__ volatile("fence.i" : : : "memory");
	}
}

void rv_sync_icache(void)
{
	struct cpumask others;
	struct arch_mm *mm;

	preempt_disable();
	mm = this_cpu_read(tlb_state.loaded);
	cpumask_clear(&others);
	if (mm) {
		__atomic_add_fetch(&code_gen, 1, __ATOMIC_SEQ_CST);
		for (unsigned int w = 0; w < ARCH_CPU_WORDS; w++)
			others.bits[w] = __atomic_load_n(&mm->cpus[w], __ATOMIC_SEQ_CST);
		__cpumask_clear_cpu(arch_cpu_number(), &others);
		if (!cpumask_empty(&others))
			rv_sbi_fence_i(&others);
	}
	follow_code();
	preempt_enable();
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
			flush_asid(asid_of(t->slot));
		}
		return;
	}
	mask_set(next, cpu);		/* before the read of tlb_gen: a full barrier */
	gen = __atomic_load_n(&next->tlb_gen, __ATOMIC_SEQ_CST);
	slot = choose_slot(t, next, gen, &flush);
	t->slots[slot] = (struct tlb_slot){ next->ctx_id, gen };
	t->slot = (u8)slot;
	load_root(next, slot, flush);
	follow_code();
	if (t->loaded)
		mask_clear(t->loaded, cpu);
	/* In this order: who sees NEXT loaded sees that it is in use, and does not take the laziness of the one before for its own. */
	WRITE_ONCE(t->lazy, false);
	smp_store_release(&t->loaded, next);
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

static void flush_this_cpu(const struct flush *f)
{
	struct tlb_state *t = this_cpu_ptr(&tlb_state);
	struct tlb_slot *s = &t->slots[t->slot];
	unsigned long asid = asid_of(t->slot);
	u64 gen;

	if (t->loaded != f->mm || t->lazy)
		return;
	gen = READ_ONCE(f->mm->tlb_gen);
	if (s->gen == gen)
		return;
	if (f->gen == s->gen + 1 && f->gen == gen && (f->end - f->start) / f->stride <= FLUSH_PAGES_MAX && !f->freed_tables && asid) {
		for (unsigned long a = f->start; a < f->end; a += f->stride)
			__asm__ volatile("sfence.vma %0, %1" : : "r"(a), "r"(asid) : "memory");
	} else {
		flush_asid((unsigned int)asid);
	}
	s->gen = gen;
}

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
	for (unsigned int w = 0; w < ARCH_CPU_WORDS; w++) {
		u64 bits = __atomic_load_n(&mm->cpus[w], __ATOMIC_SEQ_CST);

		for (; bits; bits &= bits - 1) {
			unsigned int cpu = w * 64 + (unsigned int)__builtin_ctzll(bits);

			if (cpu != me && wants_flush(&f, cpu))
				__cpumask_set_cpu(cpu, &targets);
		}
	}
	if (!cpumask_empty(&targets)) {
		if ((f.end - f.start) / f.stride <= FLUSH_PAGES_MAX && !freed_tables)
			rv_sbi_sfence(&targets, f.start, f.end - f.start);
		else
			rv_sbi_sfence(&targets, 0, ~0UL);
	}
	flags = arch_irq_save();
	flush_this_cpu(&f);
	arch_irq_restore(flags);
	preempt_enable();
}

void arch_tlb_flush_local_page(struct arch_mm *mm, unsigned long addr)
{
	__asm__ volatile("sfence.vma %0, x0" : : "r"(addr) : "memory");
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
	cpumask_clear(&targets);
	for (unsigned int w = 0; w < ARCH_CPU_WORDS; w++)
		targets.bits[w] = __atomic_load_n(&mm->cpus[w], __ATOMIC_SEQ_CST);
	__cpumask_clear_cpu(me, &targets);
	if (!cpumask_empty(&targets))
		smp_call_function_many(&targets, leave_space, mm, true);
	preempt_enable();
	free_page((unsigned long)mm->pgd);
	mm->pgd = NULL;
}

void arch_tlb_flush_kernel_range(unsigned long start, unsigned long end)
{
	struct cpumask others;

	start &= PAGE_MASK;
	preempt_disable();
	others = *cpu_online_mask;
	__cpumask_clear_cpu(arch_cpu_number(), &others);
	if ((end - start) >> PAGE_SHIFT <= 4 * FLUSH_PAGES_MAX) {
		for (unsigned long a = start; a < end; a += PAGE_SIZE)
			__asm__ volatile("sfence.vma %0, x0" : : "r"(a) : "memory");
		if (!cpumask_empty(&others))
			rv_sbi_sfence(&others, start, end - start);
	} else {
		__asm__ volatile("sfence.vma" : : : "memory");
		if (!cpumask_empty(&others))
			rv_sbi_sfence(&others, 0, ~0UL);
	}
	preempt_enable();
}
