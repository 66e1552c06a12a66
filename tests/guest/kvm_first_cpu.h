/* SPDX-License-Identifier: MIT */
/*
 * What each program that has guests includes (x86_64), and where its threads run. Include t.h
 * first.
 */
#pragma once

#include <linux/kvm.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/*
 * QEMU's emulation may lose the state of a guest on the first CPU when another CPU loads its FPU
 * (docs/kvm.md): there the caller, and threads it makes from now on, use the others.
 */
static inline void avoid_first_cpu(void)
{
	uint32_t a = 0x40000000, b, c, d;
	cpu_set_t set;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	if (b != 0x54474354 || c != 0x43544743 || d != 0x47435447)	/* "TCGTCGTCGTCG" */
		return;
	OK(sched_getaffinity(0, sizeof(set), &set));
	CPU_CLR(0, &set);
	if (CPU_COUNT(&set))
		OK(sched_setaffinity(0, sizeof(set), &set));
}
