/* SPDX-License-Identifier: MIT */
/* PSTATE.I; FIQ is masked along with it and never used. */
#pragma once

#define DAIF_I (1UL << 7)

static __always_inline unsigned long arch_irqs_flags(void)
{
	unsigned long f;

	__asm__ volatile("mrs %0, daif" : "=r"(f) : : "memory");
	return f;
}

static __always_inline void arch_irq_disable(void)
{
	__asm__ volatile("msr daifset, #3" : : : "memory");
}

static __always_inline void arch_irq_enable(void)
{
	__asm__ volatile("msr daifclr, #3" : : : "memory");
}

static __always_inline bool arch_irqs_disabled_flags(unsigned long f)
{
	return f & DAIF_I;
}

static __always_inline unsigned long arch_irq_save(void)
{
	unsigned long f = arch_irqs_flags();

	arch_irq_disable();
	return f;
}

static __always_inline void arch_irq_restore(unsigned long f)
{
	__asm__ volatile("msr daif, %0" : : "r"(f) : "memory");
}
