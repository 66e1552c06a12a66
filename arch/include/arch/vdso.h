/* SPDX-License-Identifier: MIT */
/*
 * The shared object that the kernel puts into each program: time and CPU number without a call.
 * One read-only data page lies just below its code.
 */
#pragma once

#include <lib/types.h>

/* Image: whole pages, to be mapped read-execute. The data page precedes it and is mapped read-only. */
const void *arch_vdso_image(size_t *size);
phys_addr_t arch_vdso_image_page(unsigned int i);
phys_addr_t arch_vdso_data_page(void);
/* Offset in the image of the default signal return; 0 when signal frames bring their own. */
unsigned long arch_vdso_sigreturn(void);

/* The kernel's clock changed: wall = monotonic + WALL_OFFSET_NS, boot = monotonic + BOOT_OFFSET_NS, TAI offset in seconds. */
void arch_vdso_update(s64 wall_offset_ns, s64 boot_offset_ns, s32 tai_offset);
void arch_vdso_set_timezone(int minuteswest, int dsttime);
