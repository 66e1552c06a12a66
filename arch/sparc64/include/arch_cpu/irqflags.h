/* SPDX-License-Identifier: MIT */
/* PSTATE.IE. The other bits of PSTATE do not change while the kernel's C runs. */
#pragma once

#include <asm/pstate.h>

static __always_inline unsigned long arch_irqs_flags(void)
{
	unsigned long f;

	__asm__ volatile("rdpr %%pstate, %0" : "=r"(f) : : "memory");
	return f;
}

static __always_inline void __set_pstate(unsigned long f)
{
	__asm__ volatile("wrpr %0, 0, %%pstate" : : "r"(f) : "memory");
}

static __always_inline unsigned long arch_irq_save(void)
{
	unsigned long f = arch_irqs_flags();

	__set_pstate(f & ~PSTATE_IE);
	return f;
}

static __always_inline void arch_irq_disable(void)
{
	__set_pstate(arch_irqs_flags() & ~PSTATE_IE);
}

static __always_inline void arch_irq_enable(void)
{
	__set_pstate(arch_irqs_flags() | PSTATE_IE);
}

static __always_inline bool arch_irqs_disabled_flags(unsigned long f)
{
	return !(f & PSTATE_IE);
}

static __always_inline void arch_irq_restore(unsigned long f)
{
	__set_pstate(f);
}
