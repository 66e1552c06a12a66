/* SPDX-License-Identifier: MIT */
/*
 * Preemption. The count (arch, per-CPU) holds nesting depths; when it falls to 0 with a full reschedule pending, the
 * kernel is preempted on the spot. Layout: bits 0-7 preempt_disable, 8-15 spare, 16-19 hardirq, 20-23 NMI.
 */
#pragma once

#include <lib/types.h>
#include <arch/preempt.h>
#include <arch/irqflags.h>
#include <kernel/section.h>

#define PREEMPT_MASK 0x000000ff
#define HARDIRQ_SHIFT 16
#define HARDIRQ_OFFSET (1 << HARDIRQ_SHIFT)
#define HARDIRQ_MASK 0x000f0000
#define NMI_OFFSET (1 << 20)
#define NMI_MASK 0x00f00000

#define in_hardirq() (preempt_count() & HARDIRQ_MASK)
#define in_nmi() (preempt_count() & NMI_MASK)
#define in_interrupt() (preempt_count() & (HARDIRQ_MASK | NMI_MASK))
#define in_task() (!in_interrupt())
#define in_atomic() (preempt_count() != 0)
#define preemptible() (preempt_count() == 0 && !irqs_disabled())

/* upcall, sched/: the count is 0 and a full reschedule is due */
void preempt_schedule(void);

#ifdef CHECK_ATOMIC
/* Not a kernel, but code that tools/check-atomic reads: marks in the stead of what counts. */
void __atomic_begin(void);
void __atomic_end(void);
void __atomic_breach(void);
#define local_irq_save(f) do { (f) = arch_irqs_flags(); __atomic_begin(); } while (0)
#define local_irq_restore(f) do { (void)(f); __atomic_end(); } while (0)
#define local_irq_enable() __atomic_end()
#define local_irq_disable() __atomic_begin()
#define preempt_disable() __atomic_begin()
#define preempt_enable_no_resched() __atomic_end()
#define preempt_enable() __atomic_end()
#define might_sleep() __atomic_breach()
#else
#ifdef CONFIG_SECTIONS
#define local_irq_save(f) do { (f) = SECTION_IRQ_SAVE(); } while (0)
#define local_irq_disable() do { (void)SECTION_IRQ_SAVE(); } while (0)
#define preempt_disable() do { section_preempt_disable(); barrier(); } while (0)
#else
#define local_irq_save(f) do { (f) = arch_irq_save(); } while (0)
#define local_irq_disable() arch_irq_disable()
#define preempt_disable() do { __preempt_count_add(1); barrier(); } while (0)
#endif
#define local_irq_restore(f) arch_irq_restore(f)
#define local_irq_enable() arch_irq_enable()
#endif
#define local_save_flags(f) do { (f) = arch_irqs_flags(); } while (0)
#define irqs_disabled() arch_irqs_disabled()
#define irqs_disabled_flags(f) arch_irqs_disabled_flags(f)

#ifndef CHECK_ATOMIC
#define preempt_enable_no_resched() do { barrier(); __preempt_count_sub(1); } while (0)
#define preempt_enable() do {							\
	barrier();								\
	if (unlikely(__preempt_count_dec_and_test()))				\
		preempt_schedule();						\
} while (0)

#ifdef CONFIG_DEBUG
void might_sleep_at(const char *file, int line);
#define might_sleep() might_sleep_at(__FILE__, __LINE__)
#else
#define might_sleep() do { } while (0)
#endif
#endif
