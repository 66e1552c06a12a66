/* SPDX-License-Identifier: MIT */
#define VDSO_TEXT 0x7fc		/* so that the signal return stands at VDSO_SIGRETURN */
#include "arch/shared/vdso_sections.h"
VERSION
{
	LINUX_2.6.39 {
	global:
		__kernel_rt_sigreturn;
		__kernel_gettimeofday;
		__kernel_clock_gettime;
		__kernel_clock_getres;
	local: *;
	};
}
