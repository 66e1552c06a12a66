/* SPDX-License-Identifier: MIT */
/* The vDSO as built by link.mk, in whole pages, and its data page. */
#include <arch_cpu/page.h>

	.section .rodata, "a"
	.balign PAGE_SIZE
	.globl vdso_image_start, vdso_image_end
vdso_image_start:
	.incbin "vdso.so"
vdso_image_end:
	.balign PAGE_SIZE

	.section .data..page_aligned, "aw"
	.balign PAGE_SIZE
	.globl vdso_data_page
vdso_data_page:
	.skip PAGE_SIZE

	.section .note.GNU-stack, "", @progbits
