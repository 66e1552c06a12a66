/* SPDX-License-Identifier: MIT */
/* The interrupt priority level: 0 lets all in, 7 none. What lies between is an interrupt's own until its handler raises it to 7. */
#pragma once

#define IPL_ALL 0UL
#define IPL_NONE 7UL

static __always_inline unsigned long __swpipl(unsigned long ipl)
{
	register unsigned long v0 __asm__("$0");
	register unsigned long a0 __asm__("$16") = ipl;

	__asm__ volatile("call_pal 0x35" : "=r"(v0), "+r"(a0) : : "$1", "$22", "$23", "$24", "$25", "memory");
	return v0;
}

static __always_inline unsigned long arch_irqs_flags(void)
{
	register unsigned long v0 __asm__("$0");

	__asm__ volatile("call_pal 0x36" : "=r"(v0) : : "$1", "$22", "$23", "$24", "$25", "memory");
	return v0 & 7;
}

static __always_inline unsigned long arch_irq_save(void)
{
	return __swpipl(IPL_NONE);
}

static __always_inline void arch_irq_disable(void)
{
	__swpipl(IPL_NONE);
}

static __always_inline void arch_irq_enable(void)
{
	__swpipl(IPL_ALL);
}

static __always_inline bool arch_irqs_disabled_flags(unsigned long f)
{
	return f != IPL_ALL;
}

static __always_inline void arch_irq_restore(unsigned long f)
{
	__swpipl(f);
}
