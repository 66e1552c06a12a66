/* SPDX-License-Identifier: MIT */
/*
 * What of the yardsticks depends on the CPU: the clock of a machine that counts instructions as nanoseconds, and the two marks for count.c,
 * instructions without effect that no compiler makes.
 */
#pragma once

#include <stdint.h>

#if defined(__x86_64__)
#define MARK_BEGIN() __asm__ volatile("nopl 0x6f636862(%%rax)" : : : "memory")
#define MARK_END() __asm__ volatile("nopl 0x6f636863(%%rax)" : : : "memory")

static inline uint64_t now(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}
#elif defined(__aarch64__)
#define MARK_BEGIN() __asm__ volatile("hint #126" : : : "memory")
#define MARK_END() __asm__ volatile("hint #127" : : : "memory")

static inline uint64_t now(void)
{
	uint64_t v, hz;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(v) : : "memory");
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	return (uint64_t)((unsigned __int128)v * 1000000000 / hz);
}
#elif defined(__riscv)
#define MARK_BEGIN() __asm__ volatile("lui x0, 0x6f636" : : : "memory")
#define MARK_END() __asm__ volatile("lui x0, 0x6f637" : : : "memory")
#define COARSE 100		/* QEMU's virt: 10 MHz */

static inline uint64_t now(void)
{
	uint64_t v;

	__asm__ volatile("rdtime %0" : "=r"(v) : : "memory");
	return v * COARSE;
}
#elif defined(__loongarch64)
#define MARK_BEGIN() __asm__ volatile("andi $zero, $zero, 0x6f6" : : : "memory")
#define MARK_END() __asm__ volatile("andi $zero, $zero, 0x6f7" : : : "memory")
#define COARSE 10		/* QEMU's virt: 100 MHz */

static inline uint64_t now(void)
{
	uint64_t v;

	__asm__ volatile("rdtime.d %0, $zero" : "=r"(v) : : "memory");
	return v * COARSE;
}
#else
#error the marks and the clock of this CPU
#endif
