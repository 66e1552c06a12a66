// SPDX-License-Identifier: MIT
/* Atomic steps on user words. */
#include <arch/uaccess.h>
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
	u32 was = 0, failed;

	if (!access_ok(p, 4))
		return -EFAULT;
	user_begin();
	__asm__ volatile("1: ldaxr %w1, [%3]\n"
			 "   cmp %w1, %w4\n"
			 "   b.ne 3f\n"
			 "2: stlxr %w2, %w5, [%3]\n"
			 "   cbnz %w2, 1b\n"
			 "3: dmb ish\n"
			 "4:\n" EXTABLE(1b, 4b, EX_EFAULT) EXTABLE(2b, 4b, EX_EFAULT)
			 : "+r"(err), "+&r"(was), "=&r"(failed) : "r"(p.addr), "r"(expect), "r"(new) : "memory", "cc");
	user_end();
	*old = was;
	return (int)err;
}
