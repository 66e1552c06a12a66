// SPDX-License-Identifier: MIT
/* There is no vDSO: programs ask the kernel for the time, and signal handlers return through code in their frames. */
#include <arch/vdso.h>

const void *arch_vdso_image(size_t *size)
{
	*size = 0;
	return NULL;
}

phys_addr_t arch_vdso_image_page(unsigned int i)
{
	return 0;
}

phys_addr_t arch_vdso_data_page(void)
{
	return 0;
}

unsigned long arch_vdso_sigreturn(void)
{
	return 0;
}

void arch_vdso_update(s64 wall_offset_ns, s64 boot_offset_ns, s32 tai_offset)
{
}

void arch_vdso_set_timezone(int minuteswest, int dsttime)
{
}
