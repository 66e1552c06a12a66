/* SPDX-License-Identifier: MIT */
/* %g7 holds the distance to this CPU's copies. */
#pragma once

static __always_inline unsigned long __my_cpu_offset(void)
{
	unsigned long off;

	__asm__ volatile("mov %%g7, %0" : "=r"(off));
	return off;
}

#define __pcpu_var(var) (*(volatile __typeof__(var) *)((unsigned long)&(var) + __my_cpu_offset()))

#include "arch/shared/percpu_irqoff.h"
