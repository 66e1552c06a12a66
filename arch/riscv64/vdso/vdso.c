// SPDX-License-Identifier: MIT
#include "arch/shared/vdso_types.h"
#include <asm/hwprobe.h>

int __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused);
int __vdso_flush_icache(void *start, void *end, unsigned long flags);
int __vdso_riscv_hwprobe(void *pairs, unsigned long count, unsigned long size, unsigned long *cpus, unsigned int flags);

/* Unwinders know this sequence: the frame below is described by the signal context. */
__asm__(".pushsection .text.sigreturn, \"ax\"\n"
	"	.globl __vdso_rt_sigreturn\n"
	"	.type __vdso_rt_sigreturn, %function\n"
	"__vdso_rt_sigreturn:\n"
	"	.option push\n"
	"	.option norvc\n"
	"	li a7, 139\n"			/* __NR_rt_sigreturn */
	"	ecall\n"
	"	.option pop\n"
	"	.size __vdso_rt_sigreturn, . - __vdso_rt_sigreturn\n"
	".popsection");
_Static_assert(__NR_rt_sigreturn == 139, "the number above");

static inline long syscall5(long nr, long a, long b, long c, long d, long e)
{
	register long a7 __asm__("a7") = nr;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4) : "memory");
	return a0;
}

static inline long syscall2(long nr, long a, long b)
{
	return syscall5(nr, a, b, 0, 0, 0);
}

#define VDSO(name) __vdso_##name
#define vdso_relax() __asm__ volatile(".4byte 0x0100000f")	/* pause */

static inline u64 vdso_now(const volatile struct vdso_clock *c)
{
	u64 t;

	__asm__ volatile("fence rw, i; rdtime %0; fence i, rw" : "=r"(t) : : "memory");
	return (u64)((unsigned __int128)(t - c->base) * c->mult >> 32);
}

#include "arch/shared/vdso_body.h"

int __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused)
{
	return (int)syscall2(__NR_getcpu, (long)cpu, (long)node);
}

int __vdso_flush_icache(void *start, void *end, unsigned long flags)
{
	return (int)syscall5(__NR_riscv_flush_icache, (long)start, (long)end, (long)flags, 0, 0);
}

/* Of all CPUs without a call, as on Linux. */
int __vdso_riscv_hwprobe(void *pairs, unsigned long count, unsigned long size, unsigned long *cpus, unsigned int flags)
{
	const struct vdso_cpu *c = &vvar_page.cpu;
	struct riscv_hwprobe *p = pairs;

	if (!flags && !size && !cpus && c->known) {
		for (; count; count--, p++) {
			unsigned long long key = (unsigned long long)p->key;
			int known = key < VDSO_HWPROBE_KEYS && (c->known >> key & 1);

			if (!known)
				p->key = -1;
			p->value = known ? c->value[key] : 0;
		}
		return 0;
	}
	return (int)syscall5(__NR_riscv_hwprobe, (long)pairs, (long)count, (long)size, (long)cpus, flags);
}
