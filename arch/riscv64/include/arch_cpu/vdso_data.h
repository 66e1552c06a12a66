/* SPDX-License-Identifier: MIT */
#pragma once

#define VDSO_SIGRETURN 0x800		/* where the linker script puts __vdso_rt_sigreturn */

/* ns = (counter - base) * mult >> 32 */
struct vdso_clock {
	unsigned long long base, mult;
};

/* What riscv_hwprobe answers, by key, the same for all CPUs: those that are known, a bit each; none before the CPUs were looked at. */
#define VDSO_CPU
#define VDSO_HWPROBE_KEYS 32
struct vdso_cpu {
	unsigned int known;
	unsigned long long value[VDSO_HWPROBE_KEYS];
};

#include "arch/shared/vdso_data.h"
