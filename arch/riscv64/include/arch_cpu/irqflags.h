/* SPDX-License-Identifier: MIT */
/* sstatus.SIE. */
#pragma once

#define RV_SSTATUS_SIE (1UL << 1)

static __always_inline unsigned long arch_irqs_flags(void)
{
	unsigned long f;

	__asm__ volatile("csrr %0, sstatus" : "=r"(f) : : "memory");
	return f & RV_SSTATUS_SIE;
}

static __always_inline void arch_irq_disable(void)
{
	__asm__ volatile("csrci sstatus, 2" : : : "memory");
}

static __always_inline void arch_irq_enable(void)
{
	__asm__ volatile("csrsi sstatus, 2" : : : "memory");
}

static __always_inline bool arch_irqs_disabled_flags(unsigned long f)
{
	return !(f & RV_SSTATUS_SIE);
}

static __always_inline unsigned long arch_irq_save(void)
{
	unsigned long f;

	__asm__ volatile("csrrci %0, sstatus, 2" : "=r"(f) : : "memory");
	return f & RV_SSTATUS_SIE;
}

static __always_inline void arch_irq_restore(unsigned long f)
{
	__asm__ volatile("csrs sstatus, %0" : : "r"(f) : "memory");
}
