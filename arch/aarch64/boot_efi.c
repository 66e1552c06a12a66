// SPDX-License-Identifier: MIT
/* The EFI stub's last step (the rest: arch/shared/boot_efi.c): to head.S with the MMU off. */
#include <arch/page.h>
#include "arch/aarch64/a64_priv.h"
#include "arch/shared/boot_efi.h"

/* Written with the caches on, read next with them off. */
static void clean(u64 from, u64 to)
{
	u64 line = 4ULL << (read_sysreg(ctr_el0) >> 16 & 15);

	for (u64 a = from & ~(line - 1); a < to; a += line)
		__asm__ volatile("dc civac, %0" : : "r"(a) : "memory");
	__asm__ volatile("dsb sy" : : : "memory");
}

void __noreturn arch_efi_enter(const struct efi_stub *s)
{
	clean(s->base, s->base + s->size);
	a64_efi_enter(s->base + (u64)(boot_entry_efi - _text), s->to_fdt, (u64)s->h);
}
