/* SPDX-License-Identifier: MIT */
#define VDSO_TEXT 0x800		/* so that the signal return stands at VDSO_SIGRETURN */
#include "arch/shared/vdso_sections.h"
VERSION
{
	LINUX_4.15 {
	global:
		__vdso_rt_sigreturn;
		__vdso_gettimeofday;
		__vdso_clock_gettime;
		__vdso_clock_getres;
		__vdso_getcpu;
		__vdso_flush_icache;
		__vdso_riscv_hwprobe;
	local: *;
	};
}
