/* SPDX-License-Identifier: MIT */
/* CRMD.IE. */
#pragma once

#define CRMD_IE (1UL << 2)

static __always_inline unsigned long arch_irqs_flags(void)
{
	unsigned long f;

	__asm__ volatile("csrrd %0, 0" : "=r"(f) : : "memory");
	return f;
}

static __always_inline unsigned long arch_irq_save(void)
{
	unsigned long f = 0;

	__asm__ volatile("csrxchg %0, %1, 0" : "+r"(f) : "q"(CRMD_IE) : "memory");
	return f;
}

static __always_inline void arch_irq_disable(void)
{
	arch_irq_save();
}

static __always_inline void arch_irq_enable(void)
{
	unsigned long f = CRMD_IE;

	__asm__ volatile("csrxchg %0, %1, 0" : "+r"(f) : "q"(CRMD_IE) : "memory");
}

static __always_inline bool arch_irqs_disabled_flags(unsigned long f)
{
	return !(f & CRMD_IE);
}

static __always_inline void arch_irq_restore(unsigned long f)
{
	__asm__ volatile("csrxchg %0, %1, 0" : "+r"(f) : "q"(CRMD_IE) : "memory");
}
