/* SPDX-License-Identifier: MIT */
#define VDSO_TEXT 0x7e0		/* so that the signal return stands at VDSO_SIGRETURN */
#include "arch/shared/vdso_sections.h"
VERSION
{
	LINUX_5.10 {
	global:
		__vdso_rt_sigreturn;
		__vdso_gettimeofday;
		__vdso_clock_gettime;
		__vdso_clock_getres;
		__vdso_getcpu;
	local: *;
	};
}
