// SPDX-License-Identifier: MIT
#include "arch/shared/vdso_types.h"

s64 __vdso_time(s64 *out);
long __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused);

static inline long syscall2(long nr, long a, long b)
{
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return r;
}

static inline u64 read_tsc(void)
{
	unsigned int lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (u64)hi << 32 | lo;
}

#define VDSO(name) __vdso_##name
#define vdso_relax() __builtin_ia32_pause()

static inline u64 vdso_now(const volatile struct vdso_clock *c)
{
	return c->base_ns + (u64)(((unsigned __int128)(read_tsc() - c->base_tsc) * c->mult) >> c->shift);
}

#include "arch/shared/vdso_body.h"

s64 __vdso_time(s64 *out)
{
	u64 ns;
	s64 t;

	if (!read_clock(CLOCK_REALTIME, &ns))
		return syscall2(__NR_time, (long)out, 0);
	t = (s64)(ns / 1000000000);
	if (out)
		*out = t;
	return t;
}

/* The limit of a segment that each CPU sets to its number. */
long __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused)
{
	unsigned int v;

	__asm__ volatile("lsl %1, %0" : "=r"(v) : "r"(0x7b));
	if (cpu)
		*cpu = v & 0xfff;
	if (node)
		*node = 0;
	return 0;
}

#define ALIAS(name) extern __typeof__(__vdso_##name) name __attribute__((weak, alias("__vdso_" #name)))
ALIAS(clock_gettime);
ALIAS(clock_getres);
ALIAS(gettimeofday);
ALIAS(time);
ALIAS(getcpu);
