/* SPDX-License-Identifier: MIT */
#pragma once

#define EFLAGS_INTERRUPTS (1UL << 9)

static __always_inline unsigned long arch_irqs_flags(void)
{
	unsigned long f;

	__asm__ volatile("pushfq; popq %0" : "=rm"(f) : : "memory");
	return f;
}

static __always_inline void arch_irq_disable(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static __always_inline void arch_irq_enable(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static __always_inline bool arch_irqs_disabled_flags(unsigned long f)
{
	return !(f & EFLAGS_INTERRUPTS);
}

static __always_inline unsigned long arch_irq_save(void)
{
	unsigned long f = arch_irqs_flags();

	arch_irq_disable();
	return f;
}

static __always_inline void arch_irq_restore(unsigned long f)
{
	if (f & EFLAGS_INTERRUPTS)
		arch_irq_enable();
}
