// SPDX-License-Identifier: MIT
#include "arch/shared/vdso_types.h"

/* Unwinders know this sequence: the frame below is described by the signal context. The no-op before it is theirs too. */
__asm__(".pushsection .text.sigreturn, \"ax\"\n"
	"	nop\n"
	"	.globl __kernel_rt_sigreturn\n"
	"	.type __kernel_rt_sigreturn, %function\n"
	"__kernel_rt_sigreturn:\n"
	"	mov x8, #139\n"			/* __NR_rt_sigreturn */
	"	svc #0\n"
	"	.size __kernel_rt_sigreturn, . - __kernel_rt_sigreturn\n"
	".popsection");
_Static_assert(__NR_rt_sigreturn == 139, "the number above");

static inline long syscall2(long nr, long a, long b)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
	return x0;
}

#define VDSO(name) __kernel_##name
#define vdso_relax() __asm__ volatile("yield")

static inline u64 vdso_now(const volatile struct vdso_clock *c)
{
	u64 t;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(t) : : "memory");
	return (u64)((unsigned __int128)(t - c->base) * c->mult >> 32);
}

#include "arch/shared/vdso_body.h"
