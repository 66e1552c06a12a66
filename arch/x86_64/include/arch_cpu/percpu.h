/* SPDX-License-Identifier: MIT */
/* GS holds the distance to this CPU's copies: one instruction with a GS prefix reads or changes a variable. */
#pragma once

#define __pcpu_op(op, var, val)								\
do {											\
	__typeof__(var) __pv = (__typeof__(var))(val);					\
	switch (sizeof(var)) {								\
	case 1: __asm__ volatile(op "b %1, %%gs:%0" : "+m"(var) : "qi"((u8)(uintptr_t)__pv)); break;	\
	case 2: __asm__ volatile(op "w %1, %%gs:%0" : "+m"(var) : "ri"((u16)(uintptr_t)__pv)); break;	\
	case 4: __asm__ volatile(op "l %1, %%gs:%0" : "+m"(var) : "ri"((u32)(uintptr_t)__pv)); break;	\
	case 8: __asm__ volatile(op "q %1, %%gs:%0" : "+m"(var) : "re"((u64)(uintptr_t)__pv)); break;	\
	default: __pcpu_bad_size();							\
	}										\
} while (0)

void __pcpu_bad_size(void);		/* never defined: a variable of another size does not link */

#define __pcpu_get(qual, var)								\
({											\
	u64 __pr;									\
	switch (sizeof(var)) {								\
	case 1: { u8 __r; __asm__ qual("movb %%gs:%1, %0" : "=q"(__r) : "m"(var)); __pr = __r; break; }	\
	case 2: { u16 __r; __asm__ qual("movw %%gs:%1, %0" : "=r"(__r) : "m"(var)); __pr = __r; break; }	\
	case 4: { u32 __r; __asm__ qual("movl %%gs:%1, %0" : "=r"(__r) : "m"(var)); __pr = __r; break; }	\
	case 8: __asm__ qual("movq %%gs:%1, %0" : "=r"(__pr) : "m"(var)); break;	\
	default: __pcpu_bad_size(); __pr = 0;						\
	}										\
	(__typeof__(var))__pr;								\
})

#define __pcpu_swap(op, var, val)							\
({											\
	u64 __px = (u64)(uintptr_t)(__typeof__(var))(val);				\
	switch (sizeof(var)) {								\
	case 1: { u8 __r = (u8)__px; __asm__ volatile(op "b %0, %%gs:%1" : "+q"(__r), "+m"(var)); __px = __r; break; }	\
	case 2: { u16 __r = (u16)__px; __asm__ volatile(op "w %0, %%gs:%1" : "+r"(__r), "+m"(var)); __px = __r; break; }	\
	case 4: { u32 __r = (u32)__px; __asm__ volatile(op "l %0, %%gs:%1" : "+r"(__r), "+m"(var)); __px = __r; break; }	\
	case 8: __asm__ volatile(op "q %0, %%gs:%1" : "+r"(__px), "+m"(var)); break;	\
	default: __pcpu_bad_size();							\
	}										\
	(__typeof__(var))(uintptr_t)__px;						\
})

#define this_cpu_read(var) __pcpu_get(volatile, var)
#define this_cpu_write(var, val) __pcpu_op("mov", var, val)
#define this_cpu_add(var, val) __pcpu_op("add", var, val)
#define this_cpu_sub(var, val) __pcpu_op("sub", var, val)
#define this_cpu_inc(var) this_cpu_add(var, 1)
#define this_cpu_dec(var) this_cpu_sub(var, 1)
#define this_cpu_and(var, val) __pcpu_op("and", var, val)
#define this_cpu_or(var, val) __pcpu_op("or", var, val)
#define this_cpu_add_return(var, val)							\
({											\
	__typeof__(var) __pa = (__typeof__(var))(val);					\
	(__typeof__(var))(__pcpu_swap("xadd", var, __pa) + __pa);			\
})
#define this_cpu_xchg(var, val) __pcpu_swap("xchg", var, val)
#define this_cpu_cmpxchg(var, oldv, newv)						\
({											\
	__typeof__(var) __po = (__typeof__(var))(oldv), __pn = (__typeof__(var))(newv);	\
	switch (sizeof(var)) {								\
	case 1: __asm__ volatile("cmpxchgb %2, %%gs:%1" : "+a"(__po), "+m"(var) : "q"(__pn) : "cc"); break;	\
	case 2: __asm__ volatile("cmpxchgw %2, %%gs:%1" : "+a"(__po), "+m"(var) : "r"(__pn) : "cc"); break;	\
	case 4: __asm__ volatile("cmpxchgl %2, %%gs:%1" : "+a"(__po), "+m"(var) : "r"(__pn) : "cc"); break;	\
	case 8: __asm__ volatile("cmpxchgq %2, %%gs:%1" : "+a"(__po), "+m"(var) : "r"(__pn) : "cc"); break;	\
	default: __pcpu_bad_size();							\
	}										\
	__po;										\
})

/* The distance, kept in the copy itself. */
extern unsigned long this_cpu_off;
static inline unsigned long __my_cpu_offset(void)
{
	unsigned long off;

	/* Not volatile: constant while the task cannot move, and callers have preemption off. */
	__asm__("movq %%gs:%1, %0" : "=r"(off) : "m"(this_cpu_off));
	return off;
}
