// SPDX-License-Identifier: MIT
#include "arch/shared/vdso_types.h"

int __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused);

/* Unwinders know this sequence: the frame below is described by the signal context. The no-op before it is theirs too. */
__asm__(".pushsection .text.sigreturn, \"ax\"\n"
	"	.rept 8\n"
	"	nop\n"
	"	.endr\n"
	"	.globl __vdso_rt_sigreturn\n"
	"	.type __vdso_rt_sigreturn, %function\n"
	"__vdso_rt_sigreturn:\n"
	"	ori $a7, $zero, 139\n"		/* __NR_rt_sigreturn */
	"	syscall 0\n"
	"	.size __vdso_rt_sigreturn, . - __vdso_rt_sigreturn\n"
	".popsection");
_Static_assert(__NR_rt_sigreturn == 139, "the number above");

static inline long syscall2(long nr, long a, long b)
{
	register long a7 __asm__("$a7") = nr;
	register long a0 __asm__("$a0") = a;
	register long a1 __asm__("$a1") = b;

	__asm__ volatile("syscall 0" : "+r"(a0) : "r"(a7), "r"(a1)
			 : "memory", "$t0", "$t1", "$t2", "$t3", "$t4", "$t5", "$t6", "$t7", "$t8");
	return a0;
}

#define VDSO(name) __vdso_##name
#define vdso_relax() __asm__ volatile("" : : : "memory")

static inline u64 vdso_now(const volatile struct vdso_clock *c)
{
	u64 t;

	__asm__ volatile("rdtime.d %0, $zero" : "=r"(t) : : "memory");
	return (u64)((unsigned __int128)(t - c->base) * c->mult >> 32);
}

#include "arch/shared/vdso_body.h"

/* The counter's other half is the CPU's number, as the kernel set it. */
int __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused)
{
	u64 id;

	__asm__ volatile("rdtime.d $zero, %0" : "=r"(id));
	if (cpu)
		*cpu = (unsigned int)id;
	if (node)
		*node = 0;
	return 0;
}
