/* SPDX-License-Identifier: MIT */
/* gp holds the distance to this CPU's copies. */
#pragma once

static __always_inline unsigned long __my_cpu_offset(void)
{
	unsigned long off;

	__asm__ volatile("mv %0, gp" : "=r"(off));
	return off;
}

/* The address is made in one step: the compiler keeps no distance of a CPU that the task may have left. */
static __always_inline void *__my_cpu_ptr(volatile void *p)
{
	void *mine;

	__asm__ volatile("add %0, %1, gp" : "=r"(mine) : "r"(p));
	return mine;
}

#define __pcpu_var(var) (*(volatile __typeof__(var) *)__my_cpu_ptr(&(var)))

#include "arch/shared/percpu_irqoff.h"

/* Preemption is off: one store needs no more than that. */
#define __this_cpu_read(v) this_cpu_read(v)
#define __this_cpu_write(v, x) ((void)(__pcpu_var(v) = (__typeof__(v))(x)))
#define __this_cpu_add(v, n) this_cpu_add(v, n)
#define __this_cpu_sub(v, n) this_cpu_sub(v, n)
#define __this_cpu_inc(v) this_cpu_inc(v)
#define __this_cpu_dec(v) this_cpu_dec(v)
