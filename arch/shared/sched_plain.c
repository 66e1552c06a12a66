// SPDX-License-Identifier: MIT
/* What user mode may ask of some CPUs and not of this one: a cycle counter that can be refused, arch_prctl(2). */
#include <arch/switch.h>

bool arch_tsc_refused(void)
{
	return false;
}

int arch_refuse_tsc(bool refuse)
{
	return -EINVAL;
}

long arch_prctl_current(int code, unsigned long addr)
{
	return -EINVAL;
}
