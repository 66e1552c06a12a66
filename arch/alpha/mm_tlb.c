// SPDX-License-Identifier: MIT
/*
 * Address spaces and TLBs. Nothing is broadcast: CPUs are told by interrupt, as on x86_64.
 *
 * Each CPU knows which space is loaded, whether it is only lazily so, and up to which generation (tlb_gen) its TLB is clean. Address-space
 * numbers are not used (QEMU's PALcode has none): each change of tables drops what is not the same in all spaces.
 *
 * Tables are changed by PALcode's swpctx, from the CPU's process context to itself with another root: all else in it is stored first and
 * loaded back.
 *
 * Order: a changer raises mm->tlb_gen after it wrote the tables and then looks at mm->cpus and the lazy flags; a CPU that
 * loads a space or leaves lazy mode sets its bit or clears the flag and then reads tlb_gen. Full barriers on both sides.
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
#include "arch/alpha/alpha_priv.h"

#define FLUSH_PAGES_MAX 32

struct tlb_state {		/* this CPU's, interrupts off; lazy and loaded are read by others */
	struct arch_mm *loaded;	/* NULL: the kernel's own tables */
	bool lazy;
	u64 gen;
};
static DEFINE_PER_CPU_ALIGNED(struct tlb_state, tlb_state);
static struct pcb pcbs[NR_CPUS];	/* PALcode's, by physical address */
static u64 next_ctx_id = 1;	/* atomic */

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

static void mask_set(struct arch_mm *mm, unsigned int cpu)
{
	__atomic_fetch_or(&mm->cpus[cpu / 64], 1ULL << (cpu % 64), __ATOMIC_SEQ_CST);
}

static void mask_clear(struct arch_mm *mm, unsigned int cpu)
{
	__atomic_fetch_and(&mm->cpus[cpu / 64], ~(1ULL << (cpu % 64)), __ATOMIC_SEQ_CST);
}

struct pcb *alpha_pcb(unsigned int cpu)
{
	return &pcbs[cpu];
}

static u64 frame_of(const pte_t *root)
{
	return PFN_DOWN(virt_to_phys(root));
}

static void load_root(const pte_t *root)
{
	struct pcb *p = &pcbs[arch_cpu_number()];

	p->ptbr = frame_of(root);
	__swap_context(p, virt_to_phys(p));
	pal_tbi(TBI_SPACE, 0);
}

/* The firmware's context is left for ours. The stack pointer in it is only what is in use. */
void alpha_pcb_init_cpu(unsigned int cpu)
{
	pcbs[cpu] = (struct pcb){ .ptbr = frame_of(kernel_root), .fen = 1 };
	load_root(kernel_root);
	pal_tbi(TBI_ALL, 0);
}

pte_t *alpha_user_root(void)
{
	const struct tlb_state *t = this_cpu_ptr(&tlb_state);

	return t->loaded ? t->loaded->pgd : NULL;
}

void arch_switch_kernel_mm(void)
{
	unsigned long flags = arch_irq_save();
	struct tlb_state *t = this_cpu_ptr(&tlb_state);

	if (t->loaded) {
		load_root(kernel_root);
		mask_clear(t->loaded, arch_cpu_number());
		WRITE_ONCE(t->loaded, NULL);
		WRITE_ONCE(t->lazy, false);
	}
	arch_irq_restore(flags);
}

void arch_switch_mm(struct arch_mm *prev, struct arch_mm *next, struct task *task)
{
	struct tlb_state *t = this_cpu_ptr(&tlb_state);
	unsigned int cpu = arch_cpu_number();
	u64 gen;

	if (t->loaded == next) {
		if (!t->lazy)
			return;
		WRITE_ONCE(t->lazy, false);
		smp_mb();		/* pairs with the changer's */
		gen = READ_ONCE(next->tlb_gen);
		if (t->gen != gen) {
			t->gen = gen;
			pal_tbi(TBI_SPACE, 0);
		}
		return;
	}
	mask_set(next, cpu);		/* before the read of tlb_gen: a full barrier */
	t->gen = __atomic_load_n(&next->tlb_gen, __ATOMIC_SEQ_CST);
	load_root(next->pgd);
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

static void flush_this_cpu(void *arg)
{
	const struct flush *f = arg;
	struct tlb_state *t = this_cpu_ptr(&tlb_state);
	u64 gen;

	if (t->loaded != f->mm)
		return;
	if (t->lazy) {
		/* Off these tables altogether, since some are about to be freed. */
		arch_switch_kernel_mm();
		return;
	}
	gen = READ_ONCE(f->mm->tlb_gen);
	if (t->gen == gen)
		return;
	if (f->gen == t->gen + 1 && f->gen == gen && (f->end - f->start) / f->stride <= FLUSH_PAGES_MAX &&
	    !f->freed_tables) {
		for (unsigned long a = f->start; a < f->end; a += f->stride)
			pal_tbi(TBI_PAGE, a);
	} else {
		pal_tbi(TBI_SPACE, 0);
	}
	t->gen = gen;
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
		WARN_ON_ONCE(arch_irqs_disabled());
		smp_call_function_many(&targets, flush_this_cpu, &f, true);
	}
	flags = arch_irq_save();
	flush_this_cpu(&f);
	arch_irq_restore(flags);
	preempt_enable();
}

void arch_tlb_flush_local_page(struct arch_mm *mm, unsigned long addr)
{
	alpha_forget_page(addr);
}

void alpha_forget_page(unsigned long addr)
{
	pal_tbi(TBI_PAGE, addr);
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

struct kernel_flush {
	unsigned long start, end;
};

static void flush_kernel_here(void *arg)
{
	const struct kernel_flush *f = arg;

	if ((f->end - f->start) >> PAGE_SHIFT <= 4 * FLUSH_PAGES_MAX) {
		for (unsigned long a = f->start; a < f->end; a += PAGE_SIZE)
			pal_tbi(TBI_PAGE, a);
	} else {
		pal_tbi(TBI_ALL, 0);
	}
}

void arch_tlb_flush_kernel_range(unsigned long start, unsigned long end)
{
	struct kernel_flush f = { start & PAGE_MASK, end };

	if (num_online_cpus() > 1)
		on_each_cpu(flush_kernel_here, &f, true);
	else
		flush_kernel_here(&f);
}
