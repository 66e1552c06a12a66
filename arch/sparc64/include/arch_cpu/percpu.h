/* SPDX-License-Identifier: MIT */
/*
 * %g7 holds the distance to this CPU's copies. A change is several instructions, so it is made one step by keeping
 * interrupts off meanwhile; a read needs no protection, since its result may be stale in any case.
 */
#pragma once

#include <arch_cpu/irqflags.h>

static __always_inline unsigned long __my_cpu_offset(void)
{
	unsigned long off;

	__asm__ volatile("mov %%g7, %0" : "=r"(off));
	return off;
}

#define __pcpu_var(var) (*(volatile __typeof__(var) *)((unsigned long)&(var) + __my_cpu_offset()))

#define this_cpu_read(var) ((__typeof__(var))__pcpu_var(var))

#define __pcpu_step(var, name, set, result)						\
({											\
	unsigned long __pf = arch_irq_save();						\
	volatile __typeof__(var) *__pp = &__pcpu_var(var);				\
	__typeof__(var) name = *__pp, __pnew = (__typeof__(var))(set);			\
	*__pp = __pnew;									\
	arch_irq_restore(__pf);								\
	result;										\
})

#define this_cpu_write(var, val) do {							\
	__typeof__(var) __pv = (__typeof__(var))(val);					\
	unsigned long __pf = arch_irq_save();						\
											\
	__pcpu_var(var) = __pv;								\
	arch_irq_restore(__pf);								\
} while (0)
#define this_cpu_add_return(var, val)							\
({											\
	__typeof__(var) __pv = (__typeof__(var))(val);					\
	__pcpu_step(var, __pold, __pold + __pv, __pnew);				\
})
#define this_cpu_add(var, val) ((void)this_cpu_add_return(var, val))
#define this_cpu_sub(var, val) this_cpu_add(var, -(__typeof__(var))(val))
#define this_cpu_inc(var) this_cpu_add(var, 1)
#define this_cpu_dec(var) this_cpu_sub(var, 1)
#define this_cpu_and(var, val)								\
do {											\
	__typeof__(var) __pv = (__typeof__(var))(val);					\
	(void)__pcpu_step(var, __pold, __pold & __pv, __pnew);				\
} while (0)
#define this_cpu_or(var, val)								\
do {											\
	__typeof__(var) __pv = (__typeof__(var))(val);					\
	(void)__pcpu_step(var, __pold, __pold | __pv, __pnew);				\
} while (0)
#define this_cpu_xchg(var, val)								\
({											\
	__typeof__(var) __pv = (__typeof__(var))(val);					\
	__pcpu_step(var, __pold, __pv, __pold);						\
})
#define this_cpu_cmpxchg(var, oldv, newv)						\
({											\
	__typeof__(var) __po = (__typeof__(var))(oldv), __pn = (__typeof__(var))(newv);	\
	__pcpu_step(var, __pold, __pold == __po ? __pn : __pold, __pold);		\
})
