/* SPDX-License-Identifier: MIT */
#define VDSO_TEXT
#include "arch/shared/vdso_sections.h"
VERSION
{
	LINUX_2.6 {
	global:
		clock_gettime; __vdso_clock_gettime;
		gettimeofday; __vdso_gettimeofday;
		getcpu; __vdso_getcpu;
		time; __vdso_time;
		clock_getres; __vdso_clock_getres;
	local: *;
	};
}
