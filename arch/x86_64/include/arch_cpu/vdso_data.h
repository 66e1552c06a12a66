/* SPDX-License-Identifier: MIT */
#pragma once

#define VDSO_SIGRETURN 0		/* signal frames bring their own */

/* ns = base_ns + ((TSC - base_tsc) * mult >> shift) */
struct vdso_clock {
	unsigned long long base_tsc, base_ns;
	unsigned int mult, shift;
};

#include "arch/shared/vdso_data.h"
