// SPDX-License-Identifier: MIT
/* Atomic steps on user words. */
#include <arch/uaccess.h>
#include <arch/barrier.h>
#include <arch_cpu/alternative.h>
#include <abi/errno.h>
#include "arch/aarch64/a64_priv.h"

/* There are no unprivileged exclusives: for these few instructions the kernel may reach user pages. */
static __always_inline void user_begin(void)
{
	if (a64_has_pan)
		__asm__ volatile(".inst 0xd500409f" : : : "memory");	/* msr pan, #0 */
}

static __always_inline void user_end(void)
{
	if (a64_has_pan)
		__asm__ volatile(".inst 0xd500419f" : : : "memory");	/* msr pan, #1 */
}

int arch_user_cmpxchg_u32(struct uptr p, u32 *old, u32 expect, u32 new)
{
	register long err __asm__("x0") = 0;
	u32 was = expect, got, failed;

	if (!access_ok(p, 4))
		return -EFAULT;
	user_begin();
	__asm__ volatile("1: b 6f\n"
			 "5:\n"
			 ".subsection 1\n"
			 "6: ldaxr %w[got], [%[at]]\n"
			 "   eor %w[failed], %w[got], %w[was]\n"
			 "   cbnz %w[failed], 8f\n"
			 "7: stlxr %w[failed], %w[new], [%[at]]\n"
			 "   cbnz %w[failed], 6b\n"
			 "8: mov %w[was], %w[got]\n"
			 "   dmb ish\n"
			 "   b 5b\n"
			 ".previous\n"
			 ALTERNATIVE(ALT_LSE, ".arch_extension lse\ncasal %w[was], %w[new], [%[at]]")
			 EXTABLE(1b, 5b, EX_EFAULT) EXTABLE(6b, 5b, EX_EFAULT) EXTABLE(7b, 5b, EX_EFAULT)
			 : "+r"(err), [was] "+&r"(was), [got] "=&r"(got), [failed] "=&r"(failed)
			 : [new] "r"(new), [at] "r"(p.addr) : "memory");
	if (was != expect)
		smp_mb();		/* CAS alone orders only where it stores */
	user_end();
	*old = was;
	return (int)err;
}
