/* SPDX-License-Identifier: MIT */
#pragma once

#define VDSO_SIGRETURN 0x800		/* where the linker script puts __kernel_rt_sigreturn */

/* ns = (counter - base) * mult >> 32 */
struct vdso_clock {
	unsigned long long base, mult;
};

#include "arch/shared/vdso_data.h"
